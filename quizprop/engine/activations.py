"""Activation functions and their slopes, each slope written with what a student has at hand."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quizprop.engine import arrays
from quizprop.engine.arrays import Array, choose, positive_part

__all__ = ["ACTIVATIONS", "LEAK", "Activation"]

LEAK = 0.01
"""The slope of leaky ReLU for negative net inputs, as Maas et al. (2013) print it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """An activation: ``function(z)``, its ``slope`` da/dz from z or a (the parameter names which), and words for both.

    Softmax has no slope of its own: each probability depends on every net input of its layer. ``idea`` and
    ``slope_idea`` are plain words; ``matrix`` and ``slope_matrix`` are templates for a whole layer, see ``Formula``.
    ``guard`` is the check on its values (see ``graph.GUARDS``); where it ``saturates``, its slope is checked.
    """

    title: str
    function: Callable[..., Array]
    latex: str
    matrix: str
    idea: str
    slope: Callable[..., Array] | None = None
    slope_latex: str = ""
    slope_matrix: str = ""
    slope_idea: str = ""
    guard: str = ""
    saturates: bool = False


def sigmoid(z: Array) -> Array:
    """The sigmoid divides one by one plus e to the minus its argument: the result lies between zero and one."""
    return 1 / (1 + np.exp(-z))


def sigmoid_slope(a: Array) -> Array:
    """The sigmoid's slope needs only its value: that times what it lacks to one."""
    return a * (1 - a)


def tanh(z: Array) -> Array:
    """The hyperbolic tangent keeps the sign of its argument; the result lies between minus one and one."""
    return np.tanh(z)


def tanh_slope(a: Array) -> Array:
    """The slope of tanh needs only its value: what the square of that lacks to one."""
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
        title="sigmoid",
        function=sigmoid,
        saturates=True,
        latex=r"a_j = \frac{1}{1 + e^{-z_j}}",
        matrix=r"\sigma($Z^{[$l]})",
        idea="The sigmoid squeezes any net input into a number between zero and one, above a half if it is positive.",
        slope=sigmoid_slope,
        slope_latex=r"a_j\,(1 - a_j)",
        slope_matrix=r"$A^{[$l]} \odot (1 - $A^{[$l]})",
        slope_idea=(
            "How much the activation moves when the net input moves a little. The sigmoid's slope needs only the "
            "activation that you have: it times what is missing to one, and so never more than a quarter."
        ),
    ),
    "tanh": Activation(
        title="tanh",
        function=tanh,
        saturates=True,
        latex=r"a_j = \tanh z_j",
        matrix=r"\tanh($Z^{[$l]})",
        idea="The hyperbolic tangent squeezes a net input into a number between minus one and one, and keeps its sign.",
        slope=tanh_slope,
        slope_latex=r"1 - a_j^2",
        slope_matrix=r"1 - $A^{[$l]} \odot $A^{[$l]}",
        slope_idea=(
            "How much the activation moves when the net input moves a little. The slope of tanh needs only the "
            "activation that you have: what its square lacks to one."
        ),
    ),
    "relu": Activation(
        title="ReLU",
        function=relu,
        guard="kink",
        latex=r"a_j = \max(0, z_j)",
        matrix=r"\max(0, $Z^{[$l]})",
        idea="ReLU lets a positive net input pass as it is and stops a negative one. Look at its sign.",
        slope=relu_slope,
        slope_latex=r"1 \text{ if } z_j > 0 \text{, else } 0",
        slope_matrix=r"[$Z^{[$l]} > 0]",
        slope_idea=(
            "The slope of ReLU is a switch: on where the net input is positive, off elsewhere. It never is the net "
            "input itself."
        ),
    ),
    "leaky_relu": Activation(
        title="leaky ReLU",
        function=leaky_relu,
        guard="kink",
        latex=r"a_j = z_j \text{ if } z_j > 0 \text{, else } 0.01\,z_j",
        matrix=r"\max(0.01\,$Z^{[$l]}, $Z^{[$l]})",
        idea=(
            "Leaky ReLU lets a positive net input pass as it is and keeps a hundredth of a negative one. Look at the "
            "sign of the net input."
        ),
        slope=leaky_relu_slope,
        slope_latex=r"1 \text{ if } z_j > 0 \text{, else } 0.01",
        slope_matrix=r"[$Z^{[$l]} > 0] + 0.01\,[$Z^{[$l]} \le 0]",
        slope_idea="The slope of leaky ReLU has two values: one where the net input is positive, else a hundredth.",
    ),
    "identity": Activation(
        title="identity",
        function=identity,
        latex=r"a_j = z_j",
        matrix=r"$Z^{[$l]}",
        idea="This layer has no bend: its activation is its net input, unchanged.",
        slope=identity_slope,
        slope_latex=r"1",
        slope_matrix=r"1",
        slope_idea="Where the activation is the net input itself, it moves exactly as much as the net input does.",
    ),
    "softmax": Activation(
        title="softmax",
        function=softmax,
        guard="share",
        latex=r"a_j = \frac{e^{z_j}}{\sum_k e^{z_k}}",
        matrix=r"\text{softmax}($Z^{[$l]})",
        idea=(
            "Softmax turns the net inputs of the layer into shares of one: raise e to each of them, then divide by the "
            "sum over the whole layer."
        ),
    ),
}
