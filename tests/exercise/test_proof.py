"""What is proved of rounding holds wherever it is claimed, and is not claimed of what can go wrong."""

import numpy as np
import pytest

from quizprop.engine.structure import straight
from quizprop.engine.trace import Expression
from quizprop.exercise.bank import load_bank
from quizprop.exercise.certify import HONEST_SHEETS, Plan
from quizprop.exercise.generate import draw_block, show
from quizprop.exercise.proof import (
    Span,
    covered,
    ends_of,
    exact_in_single,
    in_single,
    judged,
    spans_of,
    strayed,
    widened,
)
from quizprop.exercise.tolerance import judge, spread, work

x, y, z, k = (Expression("symbol", key) for key in "xyzk")


def test_no_move_of_what_is_inherited_goes_beyond_what_is_proved(instances):
    instance = instances[0]
    structure, known, rng = instance.structure, instance.plan.known, np.random.default_rng(6)
    tries = 400
    # Moves of a tenth and more, so that what bends has room to.
    arrays = {name: np.repeat(array, tries, axis=0) for name, array in instance.sheet.values.items()}
    errors = {
        name: np.where([key in known for key in structure.keys[name].flat], 0, rng.uniform(0.1, 1)).reshape(
            structure.keys[name].shape
        )
        * np.ones((tries, *(1 for _ in array.shape[1:])))
        for name, array in arrays.items()
        if name in structure.graph
    }
    moved = {
        name: array + errors.get(name, 0) * rng.choice([-1, 1, *rng.uniform(-1, 1, 8)], size=array.shape)
        for name, array in arrays.items()
    }
    for quantity in structure.graph:
        if quantity.name in instance.sheet.expected:
            proved = [covered(formula, known) for formula in structure.expressions[quantity.name].flat]
            with np.errstate(all="ignore"):
                value = quantity.of(arrays)
                bound = spread(structure, quantity, arrays, errors, value)
                off = np.abs(quantity.of(moved) - value)
            inside = (off <= bound * (1 + 1e-9) + 1e-12).reshape(tries, -1)
            assert inside[:, proved].all(), quantity.name


@pytest.mark.parametrize(
    "formula",
    [
        k * k * k,
        x * k + y * k - z,
        1 / (1 + (-x).exp()),
        (2 - x.tanh()) * k,
        k - x.exp() / k,
        x * (1 - x),
        (k - x) ** 2 / 2,
        (x - k) * y,
    ],
)
def test_polynomials_of_low_degree_and_curves_that_only_rise_or_fall_are_proved(formula):
    assert covered(formula, {"k"})


@pytest.mark.parametrize(
    "formula",
    [
        x * x * x,
        x**3,
        k / x,
        1 / (k + x.exp()),
        1 / (1 - x.exp()),
        x.exp() - x * 2,
        (x.exp() - x).tanh(),
        x.sqrt(),
        x.choose(x, 0.0),
        x * y * z,
        x * y - z * z,
        x * y + y * z,
        x * y * y,
        x / y,
        x.largest_of(y),
        (x * y).exp(),
    ],
)
def test_nothing_else_is(formula):
    assert not covered(formula, {"k"})


def test_all_are_tried_where_nothing_is_proved_and_who_rounds_on_scratch_paper_always(exercise):
    plan = Plan(exercise)
    assert len(plan.workers) == (2 if plan.proved else HONEST_SHEETS)
    assert sum(worker.scratch for worker in plan.workers) == 2


def test_an_answer_that_is_a_decision_is_never_proved(exercise):
    plan = Plan(exercise)
    assert not plan.proved or set(plan.rounded) == set(plan.asked)


def test_no_tolerance_of_a_block_is_larger_than_what_was_said_before(exercise):
    plan = Plan(exercise)
    structure, half = plan.structure, plan.half
    given = show(plan, draw_block(exercise, np.random.default_rng(7), 200))
    sheet = work(structure, given, half=half, want=plan.worked)
    spans = spans_of(structure, sheet, ends_of(structure, sheet))
    forms = [form for mistake in structure.mistakes for form in mistake.wrong]
    for quantity in [*structure.graph, *forms]:
        if quantity.formula.whole or not sheet.values.keys() >= {*quantity.inputs}:
            continue
        with np.errstate(all="ignore"):
            value, tolerance = judge(structure, quantity, sheet, half=half)
        found = judged(structure, quantity, spans, half=half)
        low, high, off = np.reshape([*found.values()], (*value.shape[1:], 3)).transpose(-1, *range(value.ndim - 1))
        inside = (tolerance <= off) & (low <= value) & (value <= high)
        # Where something is not even defined, nothing is promised.
        assert (inside | np.isnan(off) | np.isnan(tolerance) | np.isnan(value)).all(), quantity.name


def test_no_value_strays_farther_in_single_precision_than_is_said(exercise):
    plan = Plan(exercise)
    structure = plan.structure
    sheet = work(structure, show(plan, draw_block(exercise, np.random.default_rng(8), 200)), half=plan.half)
    spans = exact_in_single(spans_of(structure, sheet, ends_of(structure, sheet)))
    single = {name: value.astype(np.float32) for name, value in sheet.values.items()}
    for quantity in [*structure.graph, *(form for mistake in structure.mistakes for form in mistake.wrong)]:
        if quantity.formula.whole:
            continue
        with np.errstate(all="ignore"):
            stray = np.abs(quantity.of(single) - quantity.of(sheet.values))
        said = np.reshape([span.off for span in in_single(structure, quantity, spans).values()], stray.shape[1:])
        assert ((stray <= said) | np.isnan(stray)).all(), quantity.name


def test_what_is_said_of_single_precision_is_small_beside_any_tolerance(network_exercise):
    plan = Plan(network_exercise)
    structure = plan.structure
    sheet = work(structure, show(plan, draw_block(network_exercise, np.random.default_rng(8), 200)), half=plan.half)
    spans = exact_in_single(spans_of(structure, sheet, ends_of(structure, sheet)))
    z1 = in_single(structure, structure.graph["z1"], spans).values()
    assert all(0 < span.off < 0.001 * max(1, span.size) for span in z1)


@pytest.mark.parametrize(
    ("formula", "low", "high"),
    [
        (1 / (x - k), 1.0, 1.0 + 1e-6),  # what single precision may take for 0
        (x.exp() * k, 80.0, 90.0),  # beyond it
        (x.exp() / (x.exp() + x.exp()), -96.0, -95.0),  # where it has few digits left
    ],
)
def test_of_what_single_precision_may_lose_nothing_is_said(formula, low, high):
    spans = exact_in_single({"x": Span(low, high, 0.0), "k": Span(1.0, 1.0, 0.0)})
    assert strayed(formula, spans).off == np.inf


def test_a_sum_strays_by_its_parts_though_they_cancel():
    spans = exact_in_single({"x": Span(1e4, 1e4, 0.0), "y": Span(-1e4, -1e4, 0.0), "z": Span(0.1, 0.1, 0.0)})
    assert strayed(x + z + y, spans).off >= abs(float(np.float32(1e4) + np.float32(0.1) - np.float32(1e4)) - 0.1)


def test_of_a_single_instance_of_a_network_it_is_the_tolerance_where_nothing_bends(network_exercise):
    plan = Plan(network_exercise)
    structure = plan.structure
    given = show(plan, draw_block(network_exercise, np.random.default_rng(7), 1))
    sheet = work(structure, given, half=plan.half, want=plan.worked)
    spans = spans_of(structure, sheet, ends_of(structure, sheet))
    for name in plan.rounded:
        if straight(structure.graph[name], structure.model):
            off = [span.off for span in judged(structure, structure.graph[name], spans, half=plan.half).values()]
            assert off == pytest.approx(sheet.tolerance[name].ravel(), rel=0.01), name


def test_nothing_is_said_of_what_no_float_holds():
    structure = Plan(load_bank()["mazur"]).structure
    spans = dict.fromkeys(structure.keys["z1"].flat, Span(-1000.0, 1000.0, 0.1))
    (form,) = next(mistake.wrong for mistake in structure.mistakes if mistake.code == "a1:one_left_out")  # e^z
    assert {span.off for span in judged(structure, form, spans, half=0.00005).values()} == {np.inf}


@pytest.mark.parametrize("reach", [0.0, 3.0, 1000.0])
def test_a_logistic_moves_by_a_quarter_of_its_net_input_at_most(reach):
    structure = Plan(load_bank()["mazur"]).structure
    spans = dict.fromkeys(structure.keys["z1"].flat, Span(-reach, reach, 0.001))
    up, down, bend, together = 0.001 / 4, 0.001 / 4, 2 * 0.001 / 4, 0.001 / 4
    for low, high, off in judged(structure, structure.graph["a1"], spans, half=0.00005).values():
        assert off == pytest.approx(up + down + bend + together + 0.00005, rel=1e-6)
        assert low + off == pytest.approx(np.exp(-np.logaddexp(0, reach)), abs=1e-9)
        assert high - off == pytest.approx(np.exp(-np.logaddexp(0, -reach)), abs=1e-9)


def test_somewhat_more_than_some_ends_leaves_out_the_same_side_of_zero():
    ends = np.array([[1.0, -0.5, -1e-9, 0.0, 0.0], [3.0, 2.0, 5.0, 1.0, 0.0], [0.1, 0.2, 0.3, 0.4, 0.0]])
    more = widened(ends)
    assert (more[:, :4] > ends[:, :4]).all()
    assert ((more < 0) == (ends < 0)).all()
    # What never changes can be told from what changes a little.
    assert (more[:, 4] == 0).all()
