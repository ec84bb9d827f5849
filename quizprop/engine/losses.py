"""Losses: the error of one output, how outputs add up for one example, and the derivative by an output.

E is the loss of the mini-batch: the examples' losses averaged or summed. Derivatives are those of one example's loss;
the gradients of the weights average or sum over the examples.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quizprop.engine.arrays import Array

__all__ = ["LOSSES", "Loss"]


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss: the ``error`` of each output from a and t, its ``derivative`` by a, and whether outputs are averaged."""

    title: str
    error: Callable[..., Array]
    latex: str
    derivative: Callable[..., Array]
    derivative_latex: str
    mean_over_outputs: bool = False


def half_squared_error(a: Array, t: Array) -> Array:
    """(t - a)**2 / 2."""
    return (t - a) ** 2 / 2


def half_squared_error_derivative(a: Array, t: Array) -> Array:
    """a - t: the two of the square and the half cancel."""
    return a - t


def squared_error(a: Array, t: Array) -> Array:
    """(t - a)**2."""
    return (t - a) ** 2


def mean_squared_error_derivative(a: Array, t: Array) -> Array:
    """2 (a - t) over the number of outputs."""
    return 2 * (a - t) / a.shape[-1]


def binary_cross_entropy(a: Array, t: Array) -> Array:
    """-(t ln a + (1 - t) ln(1 - a))."""
    return -(t * np.log(a) + (1 - t) * np.log(1 - a))


def binary_cross_entropy_derivative(a: Array, t: Array) -> Array:
    """(a - t) / (a (1 - a))."""
    return (a - t) / (a * (1 - a))


def categorical_cross_entropy(a: Array, t: Array) -> Array:
    """-t ln a."""
    return -(t * np.log(a))


def categorical_cross_entropy_derivative(a: Array, t: Array) -> Array:
    """-t / a."""
    return -(t / a)


LOSSES = {
    "half_sse": Loss(
        "half squared error",
        half_squared_error,
        r"E_k = \tfrac{1}{2}\,(t_k - a_k)^2",
        half_squared_error_derivative,
        r"a_k - t_k",
    ),
    "mse": Loss(
        "mean squared error",
        squared_error,
        r"E_k = (t_k - a_k)^2",
        mean_squared_error_derivative,
        r"\frac{2}{n}\,(a_k - t_k)",
        mean_over_outputs=True,
    ),
    "bce": Loss(
        "binary cross-entropy",
        binary_cross_entropy,
        r"E_k = -\left(t_k \ln a_k + (1 - t_k) \ln (1 - a_k)\right)",
        binary_cross_entropy_derivative,
        r"\frac{a_k - t_k}{a_k\,(1 - a_k)}",
    ),
    "cce": Loss(
        "categorical cross-entropy",
        categorical_cross_entropy,
        r"E_k = -t_k \ln a_k",
        categorical_cross_entropy_derivative,
        r"-\frac{t_k}{a_k}",
    ),
}
