"""Honest workers round as people do."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import numpy as np
import pytest

from quizprop.engine.network import Network
from quizprop.engine.structure import structure_of
from quizprop.exercise.certify import Plan
from quizprop.exercise.generate import draw_block, show
from quizprop.exercise.honest import workers

HALVES = {True: ROUND_HALF_UP, False: ROUND_HALF_EVEN}


def by_hand(value, places, *, half_up):
    """The decimal that stands there, rounded by the decimals' own arithmetic."""
    return float(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-places), HALVES[half_up]))


def rounded(values, places, *, half_up):
    made = workers(structure_of(Network(layers=(1, 1), activations=("sigmoid",))), places=places, count=4)
    (worker, *_) = [one for one in made if one.half_up == half_up]
    return worker.rounded(np.array(values)).tolist()


@pytest.mark.parametrize("places", range(1, 7))
def test_half_a_unit_goes_away_from_zero(places):
    values = [sign * (2 * k + 1) / (2 * 10**places) for k in range(3000) for sign in (1, -1)]
    assert rounded(values, places, half_up=True) == [by_hand(value, places, half_up=True) for value in values]


@pytest.mark.parametrize("half_up", [True, False])
@pytest.mark.parametrize("places", [2, 4, 6])
def test_anything_else_goes_to_the_nearest(places, half_up):
    values = np.random.default_rng(places).normal(scale=3, size=3000)
    assert rounded(values, places, half_up=half_up) == [by_hand(value, places, half_up=half_up) for value in values]


def test_all_that_is_written_beside_scratch_paper_is_rounded(exercise):
    plan, written = Plan(exercise), {}
    given = show(plan, draw_block(exercise, np.random.default_rng(0), 30))
    for worker in (one for one in plan.workers if one.scratch):
        worker.work(plan.structure, given, plan.asked, written.__setitem__)
        for name, values in written.items():
            assert np.array_equal(values, worker.rounded(values), equal_nan=True), name
