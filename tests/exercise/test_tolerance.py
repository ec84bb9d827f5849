"""The tolerance is what honest rounding can do: never less, and not much more."""

import itertools

import numpy as np
import pytest

from quizprop.engine.structure import independent_groups, straight, structure_of
from quizprop.exercise.bank import load_bank
from quizprop.exercise.generate import draw
from quizprop.exercise.tolerance import half_unit, spread, within, work
from tests.exercise.conftest import ZOO


def test_half_a_unit_of_the_last_place():
    assert half_unit(4) == pytest.approx(0.00005)


def test_what_is_computed_from_exact_numbers_may_be_off_by_half_a_unit():
    instance = draw(load_bank()["mazur"], np.random.default_rng(0))
    assert instance.tolerances["z1[1]"] == pytest.approx(0.00005, rel=1e-6)


def worst_errors(instance, rng, sheets):
    """The largest deviation that any of many random sheets with errors of up to half a unit in each value shows.

    Half of them go on with what is written or shown; the others work all in full, what is shown too.
    """
    half, graph = instance.plan.half, instance.structure.graph
    given = {name: np.repeat(array, sheets, axis=0) for name, array in instance.arrays.items()}
    plain = {name: given[name] for name in instance.model.givens()}
    worst = {}

    def carry(name, value):
        if graph[name].formula.whole:
            return value
        # Errors at the ends of their range are the worst ones, and honest: a value may lie just at its rounding's end.
        # But a 0 or a 1 that is the same on all sheets, as the slope of a ReLU, is written as it is.
        switch = (value == value[:1]).all(0) & np.isin(value[0], (0.0, 1.0))
        written = value + np.where(switch, 0.0, half * rng.choice([-1.0, 1.0], size=value.shape))
        off = np.abs(written - instance.sheet.expected[name]).max(0)
        worst[name] = np.maximum(worst.get(name, 0.0), off)
        return written

    graph.evaluate(given, want=instance.plan.asked, carry=carry)
    asked = instance.plan.asked

    def in_full(name, value):
        if name in asked:
            carry(name, value)
        return value

    graph.evaluate(plain, want=asked, carry=in_full)
    return worst


def test_no_rounding_leaves_the_tolerance_and_some_come_near_it(instances):
    rng = np.random.default_rng(4)
    closest = []
    for instance in instances[:4]:
        for name, worst in worst_errors(instance, rng, 20_000).items():
            tolerance = instance.sheet.tolerance[name][0]
            assert within(worst, np.zeros_like(worst), tolerance).all(), name
            if worst.any():
                closest.append((worst / tolerance).max())
    # Bounds that add up along forty steps are pessimistic, but of the right size; whole numbers have none.
    rounded = instances[0].plan.rounded
    assert bool(closest) == bool(rounded)
    if rounded:
        assert min(closest) > 0.2
        assert np.median(closest) > 0.5


def test_a_wrong_entry_moves_what_is_expected_after_it_and_nothing_else():
    instance = draw(load_bank()["mazur-like"], np.random.default_rng(0))
    exact = instance.sheet
    entries = {"a1": np.array([[[np.nan, 0.25]]])}
    own = work(instance.structure, instance.arrays, half=instance.plan.half, entries=entries)
    for name in ("z1", "a1"):
        assert np.array_equal(own.expected[name], exact.expected[name])
    assert own.values["a1"].tolist() == [[[exact.values["a1"][0, 0, 0], 0.25]]]
    assert own.errors["a1"][0, 0, 1] == instance.plan.half
    w, b = np.array(instance.given["W2"]), np.array(instance.given["b2"])
    by_hand = w @ own.values["a1"][0, 0] + b
    assert own.expected["z2"][0, 0] == pytest.approx(by_hand, abs=1e-15)


def test_a_product_of_two_rounded_values_counts_both_errors_and_their_product():
    instance = draw(load_bank()["mazur-like"], np.random.default_rng(0))
    sheet, half = instance.sheet, instance.plan.half
    for unit in range(2):
        # A product does not bend along one factor alone, so the worst corner is exact.
        left, right = (sheet.values[name][0, 0, unit] for name in ("dE_da2", "da_dz2"))
        error_left, error_right = (sheet.errors[name][0, 0, unit] for name in ("dE_da2", "da_dz2"))
        corners = [
            abs((left + i * error_left) * (right + j * error_right) - left * right)
            for i, j in itertools.product((-1, 1), repeat=2)
        ]
        assert sheet.tolerance["delta2"][0, 0, unit] == pytest.approx(max(corners) + half, rel=1e-6)


def test_what_ends_on_a_5_may_be_rounded_either_way():
    for places in (1, 2, 4, 6):
        below = np.arange(1000)
        exact = (below + 0.5) / 10**places
        assert within(below / 10**places, exact, half_unit(places)).all()
        assert within((below + 1) / 10**places, exact, half_unit(places)).all()


def test_a_shown_cell_is_exact_and_the_others_of_its_quantity_are_not():
    instance = draw(ZOO["faded"], np.random.default_rng(0))
    assert "z1[1]" in instance.exercise.shown
    assert instance.tolerances["a1[1]"] == pytest.approx(instance.plan.half, rel=1e-6)
    assert instance.tolerances["a1[2]"] > 1.05 * instance.plan.half


def test_the_slope_of_a_unit_that_is_on_is_written_without_loss():
    instance = draw(ZOO["relu-mse"], np.random.default_rng(0))
    sheet, half = work(instance.structure, instance.arrays, half=instance.plan.half), instance.plan.half
    on = sheet.values["z1"] > 0
    assert on.any()
    assert sheet.tolerance["delta1"][on] == pytest.approx(sheet.tolerance["dE_da1"][on] + half, rel=1e-6)


def test_a_0_by_chance_is_not_written_without_loss():
    # z1 is 0.75 and 0.375. In the first instance 1 times the one and -2 times the other cancel, in the second nothing
    # comes through; the identity passes on what is lost.
    given = {"x": [[1, 1]], "W1": [[0.5, 0.25], [0.5, -0.125]], "b1": [0, 0], "b2": [0], "t": [[1]], "eta": 0.1}
    arrays = {name: np.array([value, value], dtype=float) for name, value in given.items()}
    sheet = work(structure_of(ZOO["relu-mse"].model), {**arrays, "W2": np.array([[[1.0, -2]], [[0, 0]]])}, half=0.5)
    assert sheet.expected["z2"].tolist() == [[[0]], [[0]]]
    lost = sheet.tolerance["z2"][0, 0, 0]
    assert lost > 1
    assert sheet.tolerance["a2"].ravel().tolist() == pytest.approx([lost + 0.5, 0.5])


def test_no_move_of_net_inputs_goes_beyond_the_spread_of_a_softmax():
    model = ZOO["softmax"].model
    structure, rng = structure_of(model), np.random.default_rng(5)
    quantity, z = structure.graph["a1"], rng.uniform(-2, 2, (500, 1, 3))
    for size in (0.001, 0.01):
        values, value = {"z1": z}, quantity.of({"z1": z})
        bound = spread(structure, quantity, values, {"z1": np.full_like(z, size)}, value)
        for corner in itertools.product((-size, size), repeat=3):
            assert (np.abs(quantity.of({"z1": z + np.array(corner)}) - value) <= bound + 1e-12).all()


def bend(quantity, values, name, mask):
    """By how much the mean of a move up and the same move down misses the value, of the size of the move's effect."""
    shift = np.where(mask, 0.01, 0.0)
    still = {source: values[source] for source in quantity.inputs}
    up, down, value = (quantity.of({**still, name: values[name] + by}) for by in (shift, -shift, 0 * shift))
    moved = np.abs(up - value).max()
    return np.abs(up + down - 2 * value).max() / moved if moved else 0.0


def test_what_is_called_straight_moves_up_as_it_moves_down(instances):
    for instance in instances[:2]:
        structure = instance.structure
        values = structure.graph.evaluate(instance.arrays)
        for quantity in structure.graph:
            if straight(quantity, structure.model):
                for name, mask in independent_groups(quantity, structure.model):
                    assert bend(quantity, values, name, mask) < 1e-9, (quantity.name, name)


@pytest.mark.parametrize(
    ("name", "is_straight"),
    [("z2", True), ("dE_da2", True), ("grad_W1", True), ("W2_new", True), ("a1", False), ("e", False), ("E", True)],
)
def test_a_product_is_straight_in_each_factor_and_a_curve_is_not(name, is_straight):
    model = load_bank()["mazur-like"].model
    assert straight(structure_of(model).graph[name], model) == is_straight
