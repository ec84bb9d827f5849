"""Losses: the error of one output, how outputs add up for one example, and the derivative by an output.

E is the loss of the mini-batch: the examples' losses averaged or summed. Derivatives are those of one example's loss;
the gradients of the weights average or sum over the examples.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quizprop.engine.arrays import Array

__all__ = ["LOSSES", "Loss"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A loss: the ``error`` of each output from a and t, its ``derivative`` by a, and whether outputs are averaged.

    The ideas are plain words; ``matrix`` and ``derivative_matrix`` are templates for a whole layer, see ``Formula``.
    """

    title: str
    error: Callable[..., Array]
    latex: str
    matrix: str
    idea: str
    derivative: Callable[..., Array]
    derivative_latex: str
    derivative_matrix: str
    derivative_idea: str
    mean_over_outputs: bool = False


def half_squared_error(a: Array, t: Array) -> Array:
    """Half the square of how far the output is from its target."""
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
        title="half squared error",
        error=half_squared_error,
        latex=r"E_k = \tfrac{1}{2}\,(t_k - a_k)^2",
        matrix=r"\tfrac{1}{2}\,($Y - $A^{[$l]})^{\odot2}",
        idea="How far the output is from its target, squared so that the sign does not matter, and halved.",
        derivative=half_squared_error_derivative,
        derivative_latex=r"a_k - t_k",
        derivative_matrix=r"$A^{[$l]} - $Y",
        derivative_idea=(
            "How the error grows with the output. The two of the square and the half cancel: what is left is how far "
            "the output is above its target, negative if it is below."
        ),
    ),
    "mse": Loss(
        title="mean squared error",
        error=squared_error,
        latex=r"E_k = (t_k - a_k)^2",
        matrix=r"($Y - $A^{[$l]})^{\odot2}",
        idea="How far the output is from its target, squared so that the sign does not matter.",
        derivative=mean_squared_error_derivative,
        derivative_latex=r"\frac{2}{n}\,(a_k - t_k)",
        derivative_matrix=r"\frac{2}{n}\,($A^{[$l]} - $Y)",
        derivative_idea=(
            "How the error grows with the output: twice the distance from the target, with its sign, over the number "
            "of outputs, because the loss is their mean."
        ),
        mean_over_outputs=True,
    ),
    "bce": Loss(
        title="binary cross-entropy",
        error=binary_cross_entropy,
        latex=r"E_k = -\left(t_k \ln a_k + (1 - t_k) \ln (1 - a_k)\right)",
        matrix=r"-\left($Y \odot \ln $A^{[$l]} + (1 - $Y) \odot \ln (1 - $A^{[$l]})\right)",
        idea=(
            "How surprised the network is by the target: minus the natural logarithm of the probability that it gave "
            "to what came true. The target switches one of the two terms on."
        ),
        derivative=binary_cross_entropy_derivative,
        derivative_latex=r"\frac{a_k - t_k}{a_k\,(1 - a_k)}",
        derivative_matrix=r"\frac{$A^{[$l]} - $Y}{$A^{[$l]} \odot (1 - $A^{[$l]})}",
        derivative_idea=(
            "How the error grows with the output: the distance from the target, with its sign, over the output times "
            "what it lacks to one."
        ),
    ),
    "cce": Loss(
        title="categorical cross-entropy",
        error=categorical_cross_entropy,
        latex=r"E_k = -t_k \ln a_k",
        matrix=r"-$Y \odot \ln $A^{[$l]}",
        idea=(
            "How surprised the network is: minus the natural logarithm of the probability that it gave to the right "
            "class. The target is zero for every other class, and so is their error."
        ),
        derivative=categorical_cross_entropy_derivative,
        derivative_latex=r"-\frac{t_k}{a_k}",
        derivative_matrix=r"-\frac{$Y}{$A^{[$l]}}",
        derivative_idea=(
            "How the error changes with the output: raising the probability of the right class lowers it, the more the "
            "smaller that probability is."
        ),
    ),
}
