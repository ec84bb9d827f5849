"""The check against plain Python, and what a central difference is known for."""

import math

import numpy as np
import pytest

from quizprop.engine.lessons.gradient_check import GradientCheck
from quizprop.engine.structure import structure_of

GIVEN = {"x": 0.9, "y": 1.0, "w1": 0.6, "b1": -0.3, "w2": -1.1, "b2": 0.4}


def values(lesson, epsilon):
    given = {**GIVEN, "epsilon": epsilon}
    return structure_of(lesson).graph.evaluate({name: np.array(given[name]) for name in lesson.givens()})


def error(w1):
    hidden = math.tanh(w1 * GIVEN["x"] + GIVEN["b1"])
    return 0.5 * (math.tanh(GIVEN["w2"] * hidden + GIVEN["b2"]) - GIVEN["y"]) ** 2


def test_the_errors_on_both_sides_are_those_of_the_moved_weight():
    found = values(GradientCheck(activation="tanh", layers=2), 0.1)
    assert found["E"] == pytest.approx(error(0.6))
    assert found["E_up"] == pytest.approx(error(0.7))
    assert found["E_down"] == pytest.approx(error(0.5))
    assert found["numeric"] == pytest.approx((error(0.7) - error(0.5)) / 0.2)


@pytest.mark.parametrize(
    "lesson",
    [GradientCheck(), GradientCheck(loss="bce", layers=2), GradientCheck(activation="tanh", layers=2)],
    ids=str,
)
def test_half_the_step_leaves_a_quarter_of_the_difference(lesson):
    far, near = values(lesson, 0.01), values(lesson, 0.005)
    assert far["difference"] / near["difference"] == pytest.approx(4, rel=0.01)
    assert near["relative"] < 1e-4


def test_the_outline_says_how_many_units():
    assert GradientCheck().outline == "one unit"
    assert GradientCheck(layers=2).outline == "two units in a chain"


def test_cross_entropy_is_for_the_sigmoid():
    with pytest.raises(ValueError, match="loss: bce needs sigmoid, not tanh"):
        GradientCheck(activation="tanh", loss="bce")
