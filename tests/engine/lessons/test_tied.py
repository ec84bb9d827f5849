"""Tied weights against a network whose two layers have weights of their own."""

import math

import numpy as np
import pytest

from quizprop.engine.lessons.tied import Tied
from quizprop.engine.network import Network
from quizprop.engine.structure import structure_of

X, W, B, C, ETA = [0.7, -1.1], [0.9, -0.4], 0.3, [0.2, -0.1], 0.5


@pytest.fixture
def values():
    given = {"x": X, "w": W, "b": B, "c": C, "eta": ETA}
    return structure_of(Tied()).graph.evaluate({name: np.array(value) for name, value in given.items()})


def test_the_code_is_read_back_by_the_same_weights(values):
    code = math.tanh(0.9 * 0.7 + 0.4 * 1.1 + 0.3)
    assert values["h"] == pytest.approx(code)
    assert values["y"] == pytest.approx([0.9 * code + 0.2, -0.4 * code - 0.1])


def test_the_gradient_is_the_sum_of_those_of_two_layers_with_equal_weights(values):
    network = Network(layers=(2, 1, 2), activations=("tanh", "identity"))
    given = {"x": [X], "t": [X], "W1": [W], "b1": [B], "W2": [[W[0]], [W[1]]], "b2": C, "eta": ETA}
    untied = structure_of(network).graph.evaluate({name: np.array(value) for name, value in given.items()})
    assert values["E"] == pytest.approx(untied["E"])
    assert values["encoder"] == pytest.approx(untied["grad_W1"][0])
    assert values["decoder"] == pytest.approx(untied["grad_W2"][:, 0])
    assert values["grad_w"] == pytest.approx(untied["grad_W1"][0] + untied["grad_W2"][:, 0])
    assert values["grad_b"] == pytest.approx(untied["grad_b1"][0])
    assert values["grad_c"] == pytest.approx(untied["grad_b2"])
