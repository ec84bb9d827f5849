"""Drawing: reproducible, in whatever blocks, and clear about families that can't be certified."""

import itertools
import pickle

import numpy as np
import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.cells import Phase
from quizprop.exercise.certify import Plan, certify
from quizprop.exercise.generate import CannotCertifyError, certified_blocks, draw, draw_block, draw_many, show
from quizprop.exercise.grade import grade
from quizprop.exercise.instance import Instance
from quizprop.exercise.slips import idle, shows, wrong, wrong_value
from quizprop.exercise.tolerance import work
from tests.exercise.conftest import ZOO


def given_rows(blocks, count):
    rows = (
        {name: np.where(np.isnan(array[index]), None, array[index]).tolist() for name, array in block.given.items()}
        for block in blocks
        for index in range(len(block.passed))
    )
    return list(itertools.islice(rows, count))


def test_the_same_seed_gives_the_same_instances_in_blocks_of_any_size(exercise):
    plan = Plan(exercise)
    drawn = [
        given_rows(
            certified_blocks(plan, np.random.default_rng(5), first=first, most=most), 3 if exercise.fixed else 20
        )
        for first, most in ((64, 4096), (7, 11), (512, 512))
    ]
    assert drawn[0] == drawn[1] == drawn[2]


def test_another_seed_gives_another_instance():
    exercise = load_bank()["mazur-like"]
    assert draw(exercise, np.random.default_rng(1)).given != draw(exercise, np.random.default_rng(2)).given


def test_drawn_values_lie_on_their_grids_and_a_shared_bias_is_shared():
    exercise = load_bank()["mazur-like"]
    given = draw_block(exercise, np.random.default_rng(0), 500)
    for name, value in exercise.values.items():
        assert set(np.unique(given[name])) <= set(value.points)
    assert (given["b1"] == given["b1"][:, :1]).all()
    assert np.unique(given["W1"][:, 0, 0]).size > 20


def test_a_one_hot_target_has_one_1_at_every_place(exercise):
    if exercise.slug != "softmax":
        return
    targets = draw_block(exercise, np.random.default_rng(0), 300)["t"]
    assert (targets.sum(-1) == 1).all()
    assert (targets.max((0, 1)) == 1).all()


def test_shown_values_are_rounded_and_the_work_goes_on_with_them():
    exercise = load_bank()["deltas"]
    instance = draw(exercise, np.random.default_rng(3))
    a, t = np.array(instance.given["a2"][0]), np.array(instance.given["t"][0])
    assert (a == a.round(4)).all()
    expected = (a - t) * a * (1 - a)
    assert [instance.values[f"delta2[{unit}]"] for unit in (1, 2)] == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"blind_spots": ()}, "delta1 can't show delta1:other_units_slope"),
        ({"places": 2}, "grad_W1 rounds to 0"),
    ],
)
def test_a_fixed_exercise_that_fails_a_rule_names_it_and_the_way_out(change, rule):
    exercise = load_bank()["mazur"].model_copy(update=change)
    with pytest.raises(CannotCertifyError, match="mazur: no instance can be certified") as caught:
        draw(exercise, np.random.default_rng(0))
    assert rule in str(caught.value)
    assert "Way out: change the fixed values" in str(caught.value)


def test_a_random_family_that_never_passes_is_given_up(monkeypatch):
    monkeypatch.setattr("quizprop.exercise.generate.PATIENCE", 500)
    exercise = load_bank()["mazur-like"].model_copy(update={"places": 1})
    with pytest.raises(CannotCertifyError, match="widen or shift the ranges"):
        draw(exercise, np.random.default_rng(0))


def test_eta_of_one_hides_a_forgotten_learning_rate_and_is_rejected():
    exercise = load_bank()["mazur-like"]
    plan = Plan(exercise.model_copy(update={"values": {**exercise.values, "eta": 1.0}}))
    block = certify(plan, show(plan, draw_block(plan.exercise, np.random.default_rng(0), 1000)))
    assert len(block.passed) == 0
    assert any("eta_forgotten" in rule for rule in block.rejected)
    assert sum(block.rejected.values()) == 1000


def test_a_saturated_unit_is_rejected():
    exercise = load_bank()["mazur-like"]
    plan = Plan(exercise.model_copy(update={"values": {**exercise.values, "b1": 9.0}}))
    block = certify(plan, show(plan, draw_block(plan.exercise, np.random.default_rng(0), 50)))
    assert block.rejected == {"a unit of layer 1 is saturated": 50}


def test_what_is_certified_is_told_from_zero_from_a_kink_and_from_a_tie(instances):
    for instance in instances:
        graph, values, half = instance.structure.graph, instance.values, instance.plan.half
        for cell in instance.cells:
            if not instance.is_whole(cell.key) and not (values[cell.key] == 0 and instance.model.has_zeros):
                assert abs(values[cell.key]) > 2 * instance.tolerances[cell.key], cell.key
                # What rounding may move by 15 % of it is moved by no more than ten units of the last place.
                assert instance.tolerances[cell.key] <= max(0.15 * abs(values[cell.key]), 20 * half), cell.key
                units = abs(values[cell.key]) * 10**instance.exercise.places
                assert abs(units % 1 - 0.5) > 1e-7, cell.key
        bent = {each.inputs[0] for each in graph if each.formula.guard == "kink" and each.name in instance.plan.worked}
        for key, value in values.items():
            if instance.structure.places[key][0] in bent:
                assert abs(value) > 2 * instance.tolerances.get(key, half), key


def test_what_is_certified_tells_every_mistake_from_what_is_right(instances):
    """By twice the tolerance, and farther than both tolerances reach. Zeros and what lies on the way may hide some."""
    for instance in instances:
        for route, mask in instance.plan.showing.items():
            right, reach = (part[route.shown_at] for part in (instance.sheet.expected, instance.sheet.tolerance))
            value, own = instance.mistaken(route)
            told = ~(np.abs(value - right) <= np.maximum(2 * reach, reach + own)) | ~np.isfinite(value)
            if not instance.model.has_zeros and len(route.way) == 1:
                assert (told | ~np.asarray(shows(route, instance.sheet.values)))[..., mask].all(), route.mistake.code


def test_in_what_is_certified_units_are_alive_shares_are_shares_and_so_many_are_off_as_it_says(instances):
    for instance in instances:
        graph, plan = instance.structure.graph, instance.plan
        values, known = graph.evaluate(instance.arrays), {*plan.worked, *instance.given}
        for each in (one for one in graph if one.formula.guard and not one.after and known.issuperset(one.inputs)):
            value, read = values[each.name], values[each.inputs[0]]
            match each.formula.guard:
                case "slope":
                    assert (abs(value) >= 0.01).all(), each.name
                case "share":
                    assert ((value >= 0.01) & (value <= 0.99)).all(), each.name
                case "positive":
                    assert (value > 0).all(), each.name
                case "mixed":
                    assert 0 < np.count_nonzero(read) < read.size, each.name
        if instance.exercise.dead_units is not None:
            off = sum(int((values[name] == 0).sum()) for name in plan.switched)
            assert off == instance.exercise.dead_units


def rejected(exercise, given):
    """The rules that one instance breaks first."""
    plan = Plan(exercise)
    return certify(plan, {name: np.array(given[name], dtype=float)[None] for name in plan.given_shapes}).rejected


@pytest.mark.parametrize(("halves", "near"), [(1.5, True), (2.5, False)])
def test_a_unit_keeps_twice_the_rounding_away_from_its_kink(halves, near):
    instance = draw(ZOO["relu-mse"], np.random.default_rng(0))
    bias = np.array(instance.given["b1"])
    bias[0] += halves * instance.plan.half - instance.values["z1[1]"]
    broken = rejected(instance.exercise, {**instance.given, "b1": bias})
    assert ("a unit of layer 1 is near its kink" in broken) == near


def test_a_0_that_rounding_may_move_is_no_exact_0():
    # Both units are on, and 1 times 0.75 and -2 times 0.375 cancel, but for what rounding the activations does.
    given = {"x": [[1, 1]], "W1": [[0.5, 0.25], [0.5, -0.125]], "b1": [0, 0], "W2": [[1, -2]], "b2": [0]}
    assert rejected(ZOO["relu-mse"], {**given, "t": [[1]], "eta": 0.1}) == {"z2 is too close to 0 for 3 places": 1}


@pytest.mark.parametrize(("halves", "close"), [(3.5, True), (8, False)])
def test_two_that_rounding_may_move_past_each_other_decide_nothing(halves, close):
    """Each may be off by half a unit as a net input, and by as much again as an activation."""
    exercise = load_bank()["max-pooling"].model_copy(update={"asked": ("switch",), "dead_units": None})
    given = {"x": [0.2, 0.7, 0.7, 0.7 - 2 * halves * Plan(exercise).half], "w": [1, 0.5], "b": 0.1}
    broken = rejected(exercise, {**given, "y": 1, "eta": 0.1})
    assert ("switch could be decided by rounding" in broken) == close


def test_a_mistake_that_gives_no_number_shows():
    """The logarithm of the net input in place of its sigmoid, which is no number where that is negative."""
    plan = Plan(load_bank()["chain-rule-log-sigmoid"])
    block = certify(plan, show(plan, draw_block(plan.exercise, np.random.default_rng(0), 100)))
    assert (plan.structure.graph.evaluate(block.given)["u"] < 0).any()


def test_a_decision_shows_its_own_mistakes_only():
    plan = Plan(load_bank()["classify"].model_copy(update={"asked": ("prediction",)}))
    assert {route.way for route in plan.showing} == {("prediction",)}


def test_a_mistake_at_a_value_that_is_not_written_must_show_where_that_is_read_first():
    hidden = ("dE_da2", "da_dz2", "delta2")
    shown_at = {one.shown_at for one in Plan(ZOO["gradients-only"]).showing if one.mistake.name in hidden}
    assert shown_at == {"grad_W2"}


@pytest.mark.parametrize("exercise", [ZOO["faded"], load_bank()["faded-mazur"]])
def test_a_cell_that_is_shown_is_not_asked(exercise):
    assert exercise.shown
    assert {cell.key for cell in draw(exercise, np.random.default_rng(0)).cells}.isdisjoint(exercise.shown)


@pytest.mark.parametrize("exercise", [ZOO["gradients-only"], ZOO["batch-sum"], load_bank()["deltas"]])
def test_no_mistake_of_a_block_has_a_larger_tolerance_than_its_bound(exercise):
    plan = Plan(exercise)
    for seed in range(4):
        sheet = sheet_of(plan, seed, 200)
        bounds = plan.bounds.on(sheet)
        assert bounds
        for route, bound in bounds.items():
            _, tolerance = wrong(plan.structure, route, sheet, half=plan.half)
            assert (tolerance <= bound.tolerance * (1 + 1e-9)).all(), route.mistake.code


@pytest.mark.parametrize("exercise", [ZOO["gradients-only"], ZOO["batch-sum"], load_bank()["deltas"]])
def test_no_mistake_of_a_block_strays_farther_in_single_precision_than_its_bound(exercise):
    plan = Plan(exercise)
    for seed in range(4):
        sheet = sheet_of(plan, seed, 200)
        single = {name: value.astype(np.float32) for name, value in sheet.values.items()}
        bounds = {route: bound for route, bound in plan.bounds.on(sheet).items() if bound.stray is not None}
        assert len(bounds) > len(plan.showing) / 2
        for route, bound in bounds.items():
            name = route.shown_at
            value, right = (wrong_value(plan.structure, route, each, entries={}) for each in (sheet.values, single))
            assert right.dtype == np.float32
            off = np.abs(value - right) + np.abs(sheet.expected[name] - sheet.expected[name].astype(np.float32))
            assert (off <= bound.stray).all(), route.mistake.code


@pytest.mark.parametrize("slug", ["mazur-like", "max-pooling"])
@pytest.mark.parametrize("size", [1e20, 1e39])
def test_what_is_too_large_for_single_precision_is_looked_at_in_double(slug, size):
    plan = Plan(load_bank()[slug])
    drawn = draw_block(plan.exercise, np.random.default_rng(0), 5000)
    for name in drawn:
        large = certify(plan, show(plan, {**drawn, name: drawn[name] * size}))
        assert len(large.passed) + sum(large.rejected.values()) == 5000


def test_what_is_said_of_a_block_is_said_of_all_that_keep_within():
    plan = Plan(load_bank()["mazur-like"])
    few = plan.bounds.on(sheet_of(plan, 0, 20))
    many = plan.bounds.on(sheet_of(plan, 0, 200))
    assert all((few[route].tolerance <= many[route].tolerance).all() for route in many)
    assert any((few[route].tolerance < many[route].tolerance).any() for route in many)
    assert plan.bounds.on(sheet_of(plan, 0, 20)) is many


def test_an_error_that_is_no_number_spoils_the_bounds_of_its_own_block_only():
    plan = Plan(load_bank()["mazur-like"])
    sheet, spoilt = sheet_of(plan, 0, 20), sheet_of(plan, 1, 20)
    spoilt.errors["z2"][3] = np.nan
    before = plan.bounds.on(sheet)
    assert not any("z2" in route.form.inputs for route in plan.bounds.on(spoilt))
    assert plan.bounds.on(sheet) is before


def sheet_of(plan, seed, count):
    given = show(plan, draw_block(plan.exercise, np.random.default_rng(seed), count))
    return work(plan.structure, given, half=plan.half, want=plan.worked)


def test_what_is_written_on_the_way_stops_a_mistake():
    """What comes after it is as if it were right, within what it was: the entry may be anything."""
    instance = draw(load_bank()["deltas"], np.random.default_rng(0))
    structure, half = instance.structure, instance.plan.half
    ways = [route for route in instance.plan.showing if len(route.way) == 2]
    assert len({route.way for route in ways}) > 2
    for route in ways:
        start, end = route.way
        entries = {start: instance.sheet.values[start] + 0.25}
        sheet = work(structure, instance.arrays, half=half, entries=entries)
        value, tolerance = wrong(structure, route, sheet, half=half, entries=entries)
        assert np.array_equal(value, sheet.expected[end])
        assert np.array_equal(tolerance, sheet.tolerance[end])
        assert np.array_equal(wrong_value(structure, route, sheet.values, entries=entries), value)


def test_what_only_these_numbers_hide_is_not_idle():
    """Inputs of 1 hide that one was left out; a unit that is off hides its net input in any case."""
    exercise = load_bank()["mazur-like"]
    given = {**draw(exercise, np.random.default_rng(0)).given, "x": [[1.0, 1.0]]}
    instance = Instance(exercise, given)
    (route,) = (one for one in instance.plan.showing if one.mistake.code == "grad_W1:input_left_out")
    value, _ = instance.mistaken(route)
    assert np.array_equal(value, instance.sheet.expected["grad_W1"])
    assert not idle(instance.structure, route, instance.arrays, entries={}).any()


def test_what_has_one_instance_only_is_certified_once():
    exercise = load_bank()["mazur"]
    assert draw(exercise, np.random.default_rng(0)) is draw(exercise, np.random.default_rng(1))


def test_cells_are_grouped_by_phase_and_say_what_they_depend_on():
    instance = draw(load_bank()["mazur"], np.random.default_rng(0))
    phases = [cell.phase for cell in instance.cells]
    assert phases == sorted(phases, key=list(Phase).index)
    assert phases[0].heading == "Forward pass"
    by_key = {cell.key: cell for cell in instance.cells}
    assert by_key["z1[1]"].depends_on == ("W1[1,1]", "x[1]", "W1[1,2]", "x[2]", "b1[1]")
    # The paths back are not asked: what they read stands in their place.
    assert by_key["dE_da1[2]"].depends_on == ("W2[1,2]", "delta2[1]", "W2[2,2]", "delta2[2]")
    assert by_key["W1_new[1,2]"].phase is Phase.UPDATE


def test_givens_that_nothing_asked_reads_are_told_from_those_that_are_needed():
    bank = load_bank()
    assert draw(bank["forward-pass"], np.random.default_rng(0)).needed == ("x", "W1", "b1", "W2", "b2")
    assert draw(bank["deltas"], np.random.default_rng(0)).needed == ("t", "W2", "a1", "a2")
    assert draw(bank["mazur"], np.random.default_rng(0)).needed == ("x", "t", "W1", "b1", "W2", "b2", "eta")


def test_an_instance_refuses_givens_that_do_not_fit():
    exercise = load_bank()["mazur"]
    given = dict(draw(exercise, np.random.default_rng(0)).given)
    with pytest.raises(ValueError, match="given: W1 has shape"):
        Instance(exercise, {**given, "W1": [[1.0]]})
    with pytest.raises(ValueError, match="given: this network needs x, t"):
        Instance(exercise, {name: given[name] for name in given if name != "t"})


def test_a_single_asked_cell_is_the_only_one_of_its_quantity():
    instance = draw(load_bank()["han-kamber"], np.random.default_rng(0))
    assert [cell.key for cell in instance.cells if cell.quantity == "grad_W1"] == [
        "grad_W1[1,1]",
        "grad_W1[1,3]",
        "grad_W1[2,1]",
        "grad_W1[2,3]",
    ]
    assert set(grade(instance, {}).marks) == {cell.key for cell in instance.cells}


def test_a_mistake_at_a_cell_that_is_not_asked_must_show_where_it_is_read():
    base = load_bank()["mazur-like"]
    exercise = base.model_copy(update={"asked": ("delta2", "delta1", "grad_W1[1,1]", "W1_new[2,2]")})
    codes = Plan(exercise).certified_codes
    shown_at = {(route.mistake.code, route.shown_at) for route in Plan(exercise).showing}
    assert ("grad_W1:input_left_out", "grad_W1") in shown_at
    assert ("grad_W1:input_left_out", "W1_new") in shown_at
    assert "W1_new:no_step" in codes


def test_the_first_of_many_is_the_one_that_draw_gives(exercise):
    many = draw_many(exercise, np.random.default_rng(8))
    assert next(many).given == draw(exercise, np.random.default_rng(8)).given


def test_what_has_rejected_many_is_tried_first_and_the_same_is_certified(exercise):
    if exercise.fixed:
        return
    experienced = Plan(exercise)
    for seed in range(2):
        given = show(experienced, draw_block(exercise, np.random.default_rng(seed), 1500))
        fresh, block = certify(Plan(exercise), given), certify(experienced, given)
        assert block.passed.tolist() == fresh.passed.tolist()
        assert sum(block.rejected.values()) == sum(fresh.rejected.values()) == 1500 - len(block.passed)


def test_a_mistake_that_rejects_many_is_suspected():
    exercise = load_bank()["mazur-like"]
    plan = Plan(exercise)
    certify(plan, show(plan, draw_block(exercise, np.random.default_rng(0), 1500)))
    # Two units whose net inputs are about as far from 0 have about the same slope.
    assert "delta1 can't show delta1:other_units_slope" in plan.suspected


@pytest.mark.parametrize("slug", ["mazur", "attention-forward", "find-slip-mazur"])
def test_an_instance_goes_to_another_process_and_back_as_it_was(slug):
    instance = draw(load_bank()[slug], np.random.default_rng(0))
    _ = instance.values  # what is worked out on the way stays behind
    again = pickle.loads(pickle.dumps(instance))  # noqa: S301 - what was written here
    assert (again.exercise, again.given, again.values) == (instance.exercise, instance.given, instance.values)
