"""A convolution against NumPy's own, and the symmetries that shared weights promise."""

import numpy as np
import pytest

from quizprop.engine.lessons.convolution import Convolution
from quizprop.engine.structure import structure_of

ACTIVATIONS = {"tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "relu": lambda z: np.maximum(z, 0)}


def numbers(lesson, seed=4):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in lesson.givens().items()}


def worked(lesson, given):
    return structure_of(lesson).graph.evaluate(given)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("pooling", ["mean", "max", "weights"])
def test_the_forward_pass_is_numpys_correlation(activation, size, pooling):
    lesson = Convolution(activation=activation, size=size, pooling=pooling)
    given = numbers(lesson)
    values = worked(lesson, given)
    activations = ACTIVATIONS[activation](np.correlate(given["x"], given["w"], mode="valid") + given["b"])
    output = activations @ given["v"] if pooling == "weights" else getattr(activations, pooling)()
    assert values["a"] == pytest.approx(activations)
    assert values["o"] == pytest.approx(output)
    assert values["E"] == pytest.approx((given["y"] - output) ** 2 / 2)


@pytest.mark.parametrize("size", [2, 3])
def test_inputs_get_the_full_convolution_of_deltas_and_kernel(size):
    lesson = Convolution(size=size)
    given = numbers(lesson)
    values = worked(lesson, given)
    assert values["grad_x"] == pytest.approx(np.convolve(values["grad_z"], given["w"], mode="full"))


def test_the_step_goes_against_the_sum_over_the_positions():
    lesson = Convolution(pooling="weights")
    given = numbers(lesson)
    values = worked(lesson, given)
    kernel, bias = np.zeros(2), 0.0
    for position, delta in enumerate(values["grad_z"]):
        kernel += delta * given["x"][position : position + 2]
        bias += delta
    assert values["w_new"] == pytest.approx(given["w"] - given["eta"] * kernel)
    assert values["b_new"] == pytest.approx(given["b"] - given["eta"] * bias)
    assert values["v_new"] == pytest.approx(given["v"] - given["eta"] * (values["o"] - given["y"]) * values["a"])


@pytest.mark.parametrize("size", [2, 3])
def test_behind_max_pooling_only_what_the_largest_position_sees_has_a_gradient(size):
    lesson = Convolution(size=size, pooling="max")
    for seed in range(6):
        values = worked(lesson, numbers(lesson, seed))
        largest = int(np.argmax(values["a"]))
        assert list(np.flatnonzero(values["switch"])) == [largest]
        assert list(np.flatnonzero(values["grad_x"])) == list(range(largest, largest + size))


def test_the_mean_does_not_mind_in_which_direction_everything_is_read():
    lesson = Convolution()
    given = numbers(lesson)
    values = worked(lesson, given)
    mirrored = worked(lesson, {**given, "x": given["x"][::-1], "w": given["w"][::-1]})
    assert mirrored["o"] == pytest.approx(values["o"])
    assert mirrored["grad_w"] == pytest.approx(values["grad_w"][::-1])


def test_it_says_how_large_it_is():
    lesson = Convolution(size=3)
    assert lesson.outline == "a kernel of 3 weights"
    assert lesson.sketch == (4, 2, 1)
    assert not lesson.has_zeros
    assert Convolution(activation="relu").has_zeros
    assert Convolution(pooling="max").has_zeros
