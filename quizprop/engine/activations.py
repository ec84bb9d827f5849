"""Activation functions and their slopes, each slope written with what a student has at hand."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quizprop.engine import arrays
from quizprop.engine.arrays import Array, choose, positive_part

__all__ = ["ACTIVATIONS", "LEAK", "Activation"]

LEAK = 0.01
"""The slope of leaky ReLU for negative net inputs, as Maas et al. (2013) print it."""


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation: ``function(z)``, its ``slope`` da/dz from z or a (the parameter names which), and LaTeX for both.

    Softmax has no slope of its own: each probability depends on every net input of its layer. ``guard`` is the check on
    its values (see ``graph.GUARDS``); where it ``saturates``, its slope is checked.
    """

    title: str
    function: Callable[..., Array]
    latex: str
    slope: Callable[..., Array] | None
    slope_latex: str
    guard: str = ""
    saturates: bool = False


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z))."""
    return 1 / (1 + np.exp(-z))


def sigmoid_slope(a: Array) -> Array:
    """a (1 - a)."""
    return a * (1 - a)


def tanh(z: Array) -> Array:
    """The hyperbolic tangent."""
    return np.tanh(z)


def tanh_slope(a: Array) -> Array:
    """1 - a**2."""
    return 1 - a**2


def relu(z: Array) -> Array:
    """z where it is positive, else 0."""
    # 0.0 itself: 0 * z would be the negative zero, and not a number for an infinite z.
    return positive_part(z, 0.0)


def relu_slope(z: Array) -> Array:
    """1 where z is positive, else 0; at the kink itself 0."""
    return choose(z, 1.0, 0.0)


def leaky_relu(z: Array) -> Array:
    """z where it is positive, else 0.01 z."""
    return positive_part(z, LEAK * z)


def leaky_relu_slope(z: Array) -> Array:
    """1 where z is positive, else 0.01."""
    return choose(z, 1.0, LEAK)


def identity(z: Array) -> Array:
    """z itself."""
    return z


def identity_slope(z: Array) -> Array:
    """1, whatever z is."""
    return 0 * z + 1


def softmax(z: Array) -> Array:
    """exp(z_j) over the sum of exp(z_k)."""
    return arrays.softmax(z)


ACTIVATIONS = {
    "sigmoid": Activation(
        "sigmoid", sigmoid, r"a_j = \frac{1}{1 + e^{-z_j}}", sigmoid_slope, r"a_j\,(1 - a_j)", saturates=True
    ),
    "tanh": Activation("tanh", tanh, r"a_j = \tanh z_j", tanh_slope, r"1 - a_j^2", saturates=True),
    "relu": Activation(
        "ReLU", relu, r"a_j = \max(0, z_j)", relu_slope, r"1 \text{ if } z_j > 0 \text{, else } 0", guard="kink"
    ),
    "leaky_relu": Activation(
        "leaky ReLU",
        leaky_relu,
        r"a_j = z_j \text{ if } z_j > 0 \text{, else } 0.01\,z_j",
        leaky_relu_slope,
        r"1 \text{ if } z_j > 0 \text{, else } 0.01",
        guard="kink",
    ),
    "identity": Activation("identity", identity, r"a_j = z_j", identity_slope, r"1"),
    "softmax": Activation("softmax", softmax, r"a_j = \frac{e^{z_j}}{\sum_k e^{z_k}}", None, "", guard="share"),
}
