"""A convolution against NumPy's own and against the whole matrix that it stands for."""

import numpy as np
import pytest

from quizprop.engine.lessons.convolution import Convolution
from quizprop.engine.structure import structure_of

FUNCTIONS = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z))}
SIZES = [(4, 2), (4, 3), (5, 2), (5, 3)]


def numbers(lesson, seed):
    rng = np.random.default_rng(seed)
    return {each.name: rng.uniform(-1.5, 1.5, each.shape) for each in lesson.given()}


def worked(lesson, seed):
    given = numbers(lesson, seed)
    return given | structure_of(lesson).graph.evaluate(given)


def toeplitz(kernel, length):
    """The matrix that the kernel stands for: a row for each position, zeros where it sees nothing."""
    rows = np.zeros((length - len(kernel) + 1, length))
    for place, row in enumerate(rows):
        row[place : place + len(kernel)] = kernel
    return rows


@pytest.mark.parametrize("pooling", ["mean", "max", "none"])
@pytest.mark.parametrize("activation", FUNCTIONS)
@pytest.mark.parametrize(("length", "kernel"), SIZES)
def test_forward_it_is_numpys_correlation(length, kernel, activation, pooling):
    lesson = Convolution(length=length, kernel=kernel, activation=activation, pooling=pooling)
    for seed in range(4):
        values = worked(lesson, seed)
        z = np.correlate(values["x"], values["w"], "valid") + values["b"]
        a = FUNCTIONS[activation](z)
        y = {"mean": np.mean, "max": np.max, "none": lambda a, values=values: values["v"] @ a}[pooling](a)
        assert values["z"] == pytest.approx(z)
        assert values["a"] == pytest.approx(a)
        assert values["y"] == pytest.approx(y)
        assert values["E"] == pytest.approx(0.5 * (values["t"] - y) ** 2)


@pytest.mark.parametrize(("length", "kernel"), SIZES)
def test_back_to_the_input_it_is_the_transposed_matrix_and_a_true_convolution(length, kernel):
    values = worked(Convolution(length=length, kernel=kernel, activation="tanh", pooling="none"), 1)
    assert values["grad_x"] == pytest.approx(toeplitz(values["w"], length).T @ values["grad_z"])
    assert values["grad_x"] == pytest.approx(np.convolve(values["grad_z"], values["w"], "full"))


@pytest.mark.parametrize(("length", "kernel"), SIZES)
def test_the_gradient_of_the_kernel_adds_up_the_diagonals_of_the_matrix(length, kernel):
    values = worked(Convolution(length=length, kernel=kernel, activation="sigmoid"), 2)
    gradient = np.outer(values["grad_z"], values["x"])
    assert values["grad_w"] == pytest.approx([np.trace(gradient, k) for k in range(kernel)])


def test_behind_max_pooling_only_what_the_largest_position_sees_has_a_gradient():
    lesson = Convolution(length=5, kernel=2, activation="tanh", pooling="max")
    for seed in range(6):
        values = worked(lesson, seed)
        winner = int(np.argmax(values["a"]))
        assert list(np.flatnonzero(values["switch"])) == [winner]
        assert list(np.flatnonzero(values["grad_x"])) == [winner, winner + 1]


def test_an_exact_zero_is_honest_behind_a_relu_or_max_pooling_only():
    assert Convolution().has_zeros
    assert Convolution(activation="tanh", pooling="max").has_zeros
    assert not Convolution(activation="tanh").has_zeros
