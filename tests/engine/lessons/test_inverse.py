"""The learning rate that is found is the one that was used."""

import numpy as np
import pytest

from quizprop.engine.lessons.inverse import Inverse
from quizprop.engine.network import Network
from quizprop.engine.structure import structure_of


@pytest.mark.parametrize(("activation", "loss"), [("sigmoid", "half_sse"), ("sigmoid", "bce"), ("tanh", "half_sse")])
def test_a_step_with_a_known_rate_gives_that_rate_back(activation, loss):
    network = Network(layers=(3, 1), activations=(activation,), loss=loss)
    given = {
        "x": np.array([[0.4, -1.2, 0.9]]),
        "t": np.array([[1.0]]),
        "W1": np.array([[0.3, 0.8, -0.5]]),
        "b1": np.array([0.2]),
        "eta": np.array(0.35),
    }
    step = structure_of(network).graph.evaluate(given)
    lesson = Inverse(activation=activation, loss=loss, inputs=3)
    found = structure_of(lesson).graph.evaluate(
        {
            "x": given["x"][0],
            "y": given["t"][0, 0],
            "w": given["W1"][0],
            "b": given["b1"][0],
            "after": step["W1_new"][0, 0],
        }
    )
    assert found["eta"] == pytest.approx(0.35)
    assert found["w_new"] == pytest.approx(step["W1_new"][0])
    assert found["b_new"] == pytest.approx(step["b1_new"][0])
    assert found["E"] == pytest.approx(step["E"])


def test_the_outline_says_how_many_weights():
    assert Inverse(inputs=3).outline == "a unit of 3 weights"


def test_cross_entropy_is_for_the_sigmoid():
    with pytest.raises(ValueError, match="loss: bce needs sigmoid"):
        Inverse(activation="identity", loss="bce")
