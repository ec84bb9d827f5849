"""Optimizers against loops in plain Python, a published number of Adam's, and what each is known for."""

import math

import numpy as np
import pytest

from quizprop.engine.lessons.descent import Descent
from quizprop.engine.structure import structure_of

GIVEN = {"x": [0.8, -1.3], "y": 1.0, "w0": [0.4, 0.7], "b": 0.2, "eta": 0.3}
SETTINGS = {
    "momentum": {"beta": 0.9, "v0": [0.5, -0.2]},
    "nesterov": {"beta": 0.9, "v0": [0.5, -0.2]},
    "rmsprop": {"rho": 0.8, "s0": [0.3, 0.6]},
    "adam": {"beta1": 0.9, "beta2": 0.95},
    "weight_decay": {"decay": 0.1},
    "sgd": {},
}


def values(lesson, **changed):
    given = {**GIVEN, **SETTINGS[lesson.optimizer], **changed}
    arrays = {name: np.array(given[name], dtype=float) for name in lesson.givens()}
    return structure_of(lesson).graph.evaluate(arrays)


def gradient(w):
    """Of half the squared error of a sigmoid unit, by central differences."""

    def error(w):
        z = sum(each * x for each, x in zip(w, GIVEN["x"], strict=True)) + GIVEN["b"]
        return (1 / (1 + math.exp(-z)) - GIVEN["y"]) ** 2 / 2

    h = 1e-6
    moved = [[each + h * (k == j) for j, each in enumerate(w)] for k in range(2)]
    back = [[each - h * (k == j) for j, each in enumerate(w)] for k in range(2)]
    return [(error(up) - error(down)) / (2 * h) for up, down in zip(moved, back, strict=True)]


def sgd(w, g, state, t):
    return [a - 0.3 * b for a, b in zip(w, g, strict=True)]


def momentum(w, g, state, t):
    state["v"] = [0.9 * v + b for v, b in zip(state.get("v", [0.5, -0.2]), g, strict=True)]
    return [a - 0.3 * v for a, v in zip(w, state["v"], strict=True)]


def rmsprop(w, g, state, t):
    state["s"] = [0.8 * s + 0.2 * b * b for s, b in zip(state.get("s", [0.3, 0.6]), g, strict=True)]
    return [a - 0.3 / math.sqrt(s) * b for a, s, b in zip(w, state["s"], g, strict=True)]


def adam(w, g, state, t):
    """Kingma and Ba's second form: the two corrections drawn into the learning rate."""
    state["m"] = [0.9 * m + 0.1 * b for m, b in zip(state.get("m", [0, 0]), g, strict=True)]
    state["v"] = [0.95 * v + 0.05 * b * b for v, b in zip(state.get("v", [0, 0]), g, strict=True)]
    rate = 0.3 * math.sqrt(1 - 0.95**t) / (1 - 0.9**t)
    return [a - rate * m / math.sqrt(v) for a, m, v in zip(w, state["m"], state["v"], strict=True)]


def weight_decay(w, g, state, t):
    return [a - 0.3 * (b + 0.1 * a) for a, b in zip(w, g, strict=True)]


@pytest.mark.parametrize("optimizer", [sgd, momentum, rmsprop, adam, weight_decay], ids=lambda each: each.__name__)
def test_two_steps_are_those_of_a_loop(optimizer):
    found = values(Descent(optimizer=optimizer.__name__, bias=True))
    w, state = GIVEN["w0"], {}
    for t in (1, 2):
        w = optimizer(w, gradient(w), state, t)
        assert found[f"w{t}"] == pytest.approx(w, abs=1e-8)


def test_nesterov_is_sutskevers():
    found = values(Descent(optimizer="nesterov", bias=True))
    # Sutskever et al. (2013), eqs. 3 and 4: their velocity is minus eta times ours.
    w, velocity = GIVEN["w0"], [-0.3 * v for v in (0.5, -0.2)]
    for t in (1, 2):
        g = gradient([a + 0.9 * v for a, v in zip(w, velocity, strict=True)])
        velocity = [0.9 * v - 0.3 * b for v, b in zip(velocity, g, strict=True)]
        w = [a + v for a, v in zip(w, velocity, strict=True)]
        assert found[f"w{t}"] == pytest.approx(w, abs=1e-8)


def test_adams_first_step_is_the_learning_rate_long_whatever_the_gradient():
    for y in (0.0, 1.0):
        found = values(Descent(optimizer="adam", loss="bce", steps=1), y=y)
        assert np.abs(found["w1"] - GIVEN["w0"]) == pytest.approx([0.3, 0.3])


def test_without_velocity_and_share_momentum_is_gradient_descent():
    plain = values(Descent(bias=True))
    still = values(Descent(optimizer="momentum", bias=True), beta=0.0, v0=[0.0, 0.0])
    assert still["w2"] == pytest.approx(plain["w2"])


def test_a_penalty_and_weight_decay_are_the_same_for_gradient_descent():
    """Loshchilov and Hutter (2019), proposition 1."""
    decayed = values(Descent(optimizer="weight_decay", bias=True))
    punished = values(Descent(penalty=True, bias=True), decay=0.1)
    assert decayed["w2"] == pytest.approx(punished["w2"])


def test_after_the_last_step_the_error_is_that_of_the_last_weights():
    lesson = Descent(penalty=True, loss="bce", bias=True)
    found = values(lesson, decay=0.1)
    z = np.dot(found["w2"], GIVEN["x"]) + GIVEN["b"]
    error = math.log1p(math.exp(-z)) + 0.05 * np.dot(found["w2"], found["w2"])
    assert found["E_after"] == pytest.approx(error)
    assert found["change"] == pytest.approx(error - found["E1"])
    assert found["fell"] == (error < found["E1"])


def test_too_long_a_step_makes_the_error_rise():
    assert values(Descent(activation="identity", steps=1), eta=2.0)["fell"] == 0
    assert values(Descent(activation="identity", steps=1), eta=0.1)["fell"] == 1


def test_a_penalty_and_decay_at_once_are_refused():
    with pytest.raises(ValueError, match="penalty: weight decay is the other way"):
        Descent(optimizer="weight_decay", penalty=True)


def test_cross_entropy_is_for_the_sigmoid():
    with pytest.raises(ValueError, match="loss: bce needs sigmoid, not tanh"):
        Descent(activation="tanh", loss="bce")


def test_the_outline_says_the_optimizer():
    assert Descent(optimizer="adam").outline == "two steps of Adam"
    assert Descent(steps=1).outline == "one step of gradient descent"
