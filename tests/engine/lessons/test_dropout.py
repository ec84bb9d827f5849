"""Dropout against the same computed unit by unit, and what a mask does to learning."""

import itertools
import math

import numpy as np
import pytest

from quizprop.engine.lessons.dropout import Dropout
from quizprop.engine.structure import structure_of
from quizprop.exercise.bank import load_bank
from quizprop.exercise.certify import Plan, certify
from quizprop.exercise.generate import draw_block

GIVEN = {
    "x": [0.7, -1.1],
    "t": 0.4,
    "W": [[0.9, -0.4], [0.2, 0.6], [-1.3, 0.5]],
    "b": [0.3, -0.5, 0.2],
    "m": [1.0, 0.0, 1.0],
    "p": 0.6,
    "v": [-0.7, 1.2, 0.8],
    "c": 0.1,
    "eta": 0.25,
}


def evaluate(lesson, **changes):
    given = {name: np.array(value) for name, value in (GIVEN | changes).items()}
    return structure_of(lesson).graph.evaluate(given)


def activations():
    nets = [w1 * GIVEN["x"][0] + w2 * GIVEN["x"][1] + b for (w1, w2), b in zip(GIVEN["W"], GIVEN["b"], strict=True)]
    return [1 / (1 + math.exp(-z)) for z in nets]


def test_inverted_dropout_divides_in_training_and_does_nothing_at_test_time():
    values = evaluate(Dropout())
    first, second, third = activations()
    assert values["d"] == pytest.approx([first / 0.6, 0.0, third / 0.6])
    assert values["y"] == pytest.approx(-0.7 * first / 0.6 + 0.8 * third / 0.6 + 0.1)
    assert values["y_test"] == pytest.approx(-0.7 * first + 1.2 * second + 0.8 * third + 0.1)


def test_plain_dropout_only_masks_in_training_and_shrinks_the_weights_at_test_time():
    values = evaluate(Dropout(scaling="test"))
    first, second, third = activations()
    assert values["d"] == pytest.approx([first, 0.0, third])
    assert values["y_test"] == pytest.approx(0.6 * (-0.7 * first + 1.2 * second + 0.8 * third) + 0.1)


@pytest.mark.parametrize("scaling", ["inverted", "test"])
def test_the_output_at_test_time_is_that_of_training_on_average_over_all_masks(scaling):
    average = 0.0
    for mask in itertools.product([0.0, 1.0], repeat=3):
        chance = math.prod(0.6 if kept else 0.4 for kept in mask)
        average += chance * evaluate(Dropout(scaling=scaling), m=mask)["y"]
    assert average == pytest.approx(evaluate(Dropout(scaling=scaling))["y_test"])


@pytest.mark.parametrize("scaling", ["inverted", "test"])
def test_a_dropped_unit_learns_nothing(scaling):
    values = evaluate(Dropout(scaling=scaling))
    for name in ("W", "b", "v"):
        assert np.array_equal(values[f"{name}_new"][1], values[name][1])
        assert not np.isclose(values[f"{name}_new"][0], values[name][0]).any()


def test_a_mask_that_keeps_all_or_drops_all_is_not_served():
    exercise = load_bank()["dropout"]
    exercise = exercise.model_copy(update={"values": exercise.values | {"m": (1.0, 1.0, 1.0)}})
    plan = Plan(exercise)
    block = certify(plan, draw_block(exercise, np.random.default_rng(0), 20))
    assert block.rejected == {"m is all 0 or nowhere 0": 20}
