"""A residual block against the same computed unit by unit."""

import math

import numpy as np
import pytest

from quizprop.engine.lessons.residual import Residual
from quizprop.engine.structure import structure_of

FUNCTIONS = {"relu": lambda z: max(z, 0.0), "tanh": math.tanh, "sigmoid": lambda z: 1 / (1 + math.exp(-z))}

GIVEN = {
    "x": [0.7, -1.1],
    "t": [0.4, 0.3],
    "W1": [[0.9, -0.4], [0.2, 0.6]],
    "b1": [0.3, 0.5],
    "W2": [[-0.7, 1.2], [0.8, -0.1]],
    "b2": [0.1, -0.6],
    "eta": 0.25,
}


def evaluate(lesson, **changes):
    given = {name: np.array(value) for name, value in (GIVEN | changes).items()}
    return structure_of(lesson).graph.evaluate(given)


def layer(W, x, b):
    return [sum(w * value for w, value in zip(row, x, strict=True)) + bias for row, bias in zip(W, b, strict=True)]


@pytest.mark.parametrize("activated_sum", [False, True])
@pytest.mark.parametrize("activation", FUNCTIONS)
def test_the_block_is_its_input_plus_two_layers(activation, activated_sum):
    values, f = evaluate(Residual(activation=activation, activated_sum=activated_sum)), FUNCTIONS[activation]
    z2 = layer(GIVEN["W2"], [f(z) for z in layer(GIVEN["W1"], GIVEN["x"], GIVEN["b1"])], GIVEN["b2"])
    y = [x + z for x, z in zip(GIVEN["x"], z2, strict=True)]
    y = [f(s) for s in y] if activated_sum else y
    assert values["y"] == pytest.approx(y)
    assert values["E"] == pytest.approx(sum((t - out) ** 2 for t, out in zip(GIVEN["t"], y, strict=True)) / 2)


def test_a_branch_that_does_nothing_lets_everything_through():
    values = evaluate(Residual(), W2=[[0.0, 0.0], [0.0, 0.0]], b2=[0.0, 0.0])
    assert np.array_equal(values["y"], values["x"])
    assert np.array_equal(values["grad_x"], values["grad_y"])


def test_a_branch_that_is_off_leaves_the_skip():
    values = evaluate(Residual(), b1=[-5.0, -5.0])
    assert not values["branch"].any()
    assert np.array_equal(values["grad_x"], values["grad_y"])


def test_a_step_goes_against_the_gradient():
    values = evaluate(Residual(activation="tanh"))
    for name in ("W1", "b1", "W2", "b2"):
        assert values[f"{name}_new"] == pytest.approx(values[name] - 0.25 * values[f"grad_{name}"])
    after = evaluate(Residual(activation="tanh"), **{name: values[f"{name}_new"] for name in ("W1", "b1", "W2", "b2")})
    assert after["E"] < values["E"]
