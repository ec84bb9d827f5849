r"""A convolution in one dimension: the same small kernel at every position of the input, pooled to one output.

As in all libraries of neural networks the kernel is not turned round (a cross-correlation), and it stays inside the
input. x is ``(4,)``, the kernel w and its gradient ``(size,)``; z, a, the output weights v and their gradients have one
entry for each of the ``5 - size`` positions; everything else is a scalar. Sources: LeCun et al. (1989); Goodfellow,
Bengio and Courville, "Deep Learning" (2016), ch. 9.1 and 9.5.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal

import numpy as np

from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.arrays import Array, choose, greatest, total
from quizprop.engine.graph import Formula, Quantity, step
from quizprop.engine.lessons.convolution_mistakes import convolution_mistakes
from quizprop.engine.lessons.pieces import activated, sloping
from quizprop.engine.lessons.sliding import arriving, correlated
from quizprop.engine.lessons.squared_error import by_output
from quizprop.engine.lessons.unit import UnitLesson, erring
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import POSITIVE, Given, Rule, Shape
from quizprop.engine.words import phrase

__all__ = ["Convolution"]

LENGTH: Final = 4
"""Of the input: long enough for a kernel to slide, short enough to be worked by hand."""

# --- forward --------------------------------------------------------------------------------------------------------


@step(
    "z",
    title="net input at a position",
    latex=r"z_i = \sum_k w_k\,x_{i+k-1} + b",
    phase="forward",
    text="z_$k",
    symbol="z_{$k}",
    idea=(
        "The kernel lies on the input from this position on: each of its weights times the input below it, added up, "
        "plus the bias. The next position has the same weights and the same bias."
    ),
)
def z(x: Array, w: Array, b: Array) -> Array:
    """The weighted sum of the window, plus the bias."""
    return correlated(x, w) + b[..., None]


@step(
    "o",
    title="output",
    latex=r"o = \frac{1}{n} \sum_i a_i",
    phase="forward",
    text="o",
    symbol="o",
    idea="The mean of all positions: what counts is that the kernel found something, not where.",
)
def o_by_mean(a: Array) -> Array:
    """The mean of all positions."""
    return total(a, -1) / a.shape[-1]


@step(
    "o",
    title="output",
    latex=r"o = \max_i a_i",
    phase="forward",
    text="o",
    symbol="o",
    idea="The largest of all positions: what counts is how well the kernel fits where it fits best.",
)
def o_by_maximum(a: Array) -> Array:
    """The largest of all positions."""
    return greatest(a)


@step("o", title="output", latex=r"o = \sum_i v_i\,a_i", phase="forward", text="o", symbol="o")
def o_by_weights(v: Array, a: Array) -> Array:
    """The weighted sum of all positions: a linear unit on top of the convolution."""
    return total(v * a, -1)


# --- and back -------------------------------------------------------------------------------------------------------

grad_o = by_output(r"\frac{\partial E}{\partial o} = o - y", text="∂E/∂o", symbol=r"\frac{\partial E}{\partial o}")

_GRAD_A: Final = r"\frac{\partial E}{\partial a_i}"
_GRAD_A_SYMBOL: Final = r"\frac{\partial E}{\partial a_{$k}}"


@step(
    "grad_a",
    title="derivative by an activation",
    latex=rf"{_GRAD_A} = \frac{{1}}{{n}}\,\frac{{\partial E}}{{\partial o}}",
    phase="backward",
    text="∂E/∂a_$k",
    symbol=_GRAD_A_SYMBOL,
    idea="A mean hands the derivative on in equal shares: one for each of its positions.",
)
def grad_a_by_mean(grad_o: Array, a: Array) -> Array:
    """Every position has the same share in the mean."""
    return np.stack([grad_o / a.shape[-1]] * a.shape[-1], axis=-1)


@step(
    "grad_a",
    title="derivative by an activation",
    latex=rf"{_GRAD_A} = \frac{{\partial E}}{{\partial o}}\,v_i",
    phase="backward",
    text="∂E/∂a_$k",
    symbol=_GRAD_A_SYMBOL,
)
def grad_a_by_weights(grad_o: Array, v: Array) -> Array:
    """The derivative by the output goes back along each output weight."""
    return grad_o[..., None] * v


@step(
    "switch",
    title="is the position the largest",
    latex=r"s_i = 1 \text{ if } a_i \text{ is the largest, else } 0",
    phase="backward",
    text="s_$k",
    symbol="s_{$k}",
    idea="Max pooling remembers where its output came from: there, and only there, the error goes back.",
    whole=True,
    options=("no", "yes"),
)
def switch(a: Array) -> Array:
    """1 where the output came from, else 0."""
    others = [greatest(np.delete(a, place, axis=-1)) for place in range(a.shape[-1])]
    return choose(a - np.stack(others, axis=-1), 1.0, 0.0)


@step(
    "grad_a",
    title="derivative by an activation",
    latex=rf"{_GRAD_A} = s_i\,\frac{{\partial E}}{{\partial o}}",
    phase="backward",
    text="∂E/∂a_$k",
    symbol=_GRAD_A_SYMBOL,
    idea="Only the largest position moved the output, so it gets the whole derivative and the others get nothing.",
)
def grad_a_by_maximum(switch: Array, grad_o: Array) -> Array:
    """The whole derivative for the largest position, 0 for the others."""
    return switch * grad_o[..., None]


@step(
    "grad_z",
    title="delta at a position",
    latex=rf"\delta_i = {_GRAD_A}\,\frac{{\mathrm{{d}} a_i}}{{\mathrm{{d}} z_i}}",
    phase="backward",
    text="δ_$k",
    symbol=r"\delta_{$k}",
)
def grad_z(grad_a: Array, da_dz: Array) -> Array:
    """The chain rule through the activation, at each position by itself."""
    return grad_a * da_dz


@step(
    "grad_x",
    title="derivative by an input",
    latex=r"\frac{\partial E}{\partial x_j} = \sum_i \delta_i\,w_{j-i+1}",
    phase="backward",
    text="∂E/∂x_$k",
    symbol=r"\frac{\partial E}{\partial x_{$k}}",
    idea=(
        "Delta times the weight that lay on this input, added up over all positions whose window holds it: fewer at "
        "the ends than in the middle."
    ),
)
def grad_x(grad_z: Array, w: Array) -> Array:
    """From every position whose window holds the input: its delta times the weight that lay on it."""
    return arriving(grad_z, w)


@step(
    "grad_v",
    title="gradient of an output weight",
    latex=r"\frac{\partial E}{\partial v_i} = \frac{\partial E}{\partial o}\,a_i",
    phase="gradients",
    text="∂E/∂v_$k",
    symbol=r"\frac{\partial E}{\partial v_{$k}}",
)
def grad_v(grad_o: Array, a: Array) -> Array:
    """The derivative by the output times what came in along each output weight."""
    return grad_o[..., None] * a


@step(
    "grad_w",
    title="gradient of a kernel weight",
    latex=r"\frac{\partial E}{\partial w_k} = \sum_i \delta_i\,x_{i+k-1}",
    phase="gradients",
    text="∂E/∂w_$k",
    symbol=r"\frac{\partial E}{\partial w_{$k}}",
    idea=(
        "The same weight works at every position, so its gradient is a sum over all of them: each position's delta "
        "times the input that the weight met there."
    ),
)
def grad_w(x: Array, grad_z: Array) -> Array:
    """The deltas slide along the input just as the kernel did."""
    return correlated(x, grad_z)


@step(
    "grad_b",
    title="gradient of the bias",
    latex=r"\frac{\partial E}{\partial b} = \sum_i \delta_i",
    phase="gradients",
    text="∂E/∂b",
    symbol=r"\frac{\partial E}{\partial b}",
)
def grad_b(grad_z: Array) -> Array:
    """The one bias works at every position: all deltas are added up."""
    return total(grad_z, -1)


# --- the step -------------------------------------------------------------------------------------------------------


def moved(old: Array, eta: Array, gradient: Array) -> Array:
    """One step against the gradient."""
    return old - eta[..., None] * gradient


def moved_number(old: Array, eta: Array, gradient: Array) -> Array:
    """One step against the gradient."""
    return old - eta * gradient


def updated(letter: str, index: str, title: str, function: Callable[..., Array]) -> Formula:
    """A trained given after the step; ``index`` is that of its LaTeX, empty for a single number."""
    place = "$k" if index else ""
    words = step(
        f"{letter}_new",
        title=title,
        latex=rf"{letter}{index}^{{+}} = {letter}{index} - \eta\,\frac{{\partial E}}{{\partial {letter}{index}}}",
        phase="update",
        text=f"{letter}_{place}⁺" if index else f"{letter}⁺",
        symbol=f"{letter}_{{{place}}}^{{+}}" if index else f"{letter}^{{+}}",
        reads=(letter, "eta", f"grad_{letter}"),
    )
    return words(function)


_POOLING: Final = {
    "mean": ("mean", o_by_mean, (grad_a_by_mean,)),
    "max": ("maximum", o_by_maximum, (switch, grad_a_by_maximum)),
    "weights": ("output weights, no bias", o_by_weights, (grad_a_by_weights,)),
}

# --- the lesson -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution(UnitLesson):
    """A kernel of ``size`` weights on an input of four, and what makes one output of its positions."""

    kind: ClassVar[str] = "convolution"
    activation: Literal["sigmoid", "tanh", "relu"] = "tanh"
    size: Literal[2, 3] = 2
    pooling: Literal["mean", "max", "weights"] = "mean"

    @property
    def positions(self) -> int:
        """How many places there are for the kernel inside the input."""
        return LENGTH - self.size + 1

    def given(self) -> tuple[Given, ...]:
        """The input, the kernel with its bias, and the target."""
        weights = Given("v", (self.positions,), "Output weights", "v_$k", "v_{$k}")
        return (
            Given("x", (LENGTH,), "Input", "x_$k", "x_{$k}"),
            Given("w", (self.size,), "Kernel", "w_$k", "w_{$k}"),
            Given("b", (), "Bias", "b", "b"),
            *([weights] if self.pooling == "weights" else []),
            Given("y", (), "Target", "y", "y"),
            Given("eta", (), "Learning rate", "η", r"\eta", within=POSITIVE),
        )

    def quantities(self) -> tuple[Quantity, ...]:
        """Position by position, to one output, and back to the one kernel."""
        return tuple(self.place(formula) for formula in self._formulas())

    def _formulas(self) -> Iterator[Formula]:
        _, pooled, back = _POOLING[self.pooling]
        weighted = self.pooling == "weights"
        # Were every position off, nothing would be left to learn from.
        output = replace(pooled, guard="positive") if self.activation == "relu" and not weighted else pooled
        words = {"text": "a_$k", "symbol": "a_{$k}", "title": "activation at a position"}
        yield from (z, activated(self.activation, latex=_at_position, **words), output)
        yield erring("half_sse", "E", text="E", symbol="E", reads="o")
        words = {"text": "da_$k/dz_$k", "symbol": r"\frac{\mathrm{d} a_{$k}}{\mathrm{d} z_{$k}}"}
        yield from (grad_o, *back, sloping(self.activation, latex=_slope_at_position, **words), grad_z, grad_x)
        yield from (grad_v,) if weighted else ()
        yield from (grad_w, grad_b)
        yield from (updated("v", "_i", "updated output weight", moved),) if weighted else ()
        yield updated("w", "_k", "updated kernel weight", moved)
        yield updated("b", "", "updated bias", moved_number)

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong where weights are shared."""
        return convolution_mistakes(self.activation, self.pooling)

    @property
    def has_zeros(self) -> bool:
        """A ReLU may be off, and a position may not be the largest."""
        return self.activation == "relu" or self.pooling == "max"

    @property
    def rules(self) -> tuple[Rule, ...]:
        """How the kernel slides, and what is done with the positions."""
        pooled, formula, _ = _POOLING[self.pooling]
        return (
            Rule("Kernel", "as it stands, not turned round"),
            Rule("Stride", "1"),
            Rule("Padding", "none"),
            Rule("Position", "", z.latex),
            Rule("Activation", ACTIVATIONS[self.activation].title, _at_position(ACTIVATIONS[self.activation].latex)),
            Rule("Pooling", pooled, formula.latex),
            *((Rule("Largest", "", switch.latex),) if self.pooling == "max" else ()),
            Rule("Error", "half squared error", r"E = \tfrac{1}{2}\,(y - o)^2"),
            Rule("Step", "gradient descent; the bias is trained too", r"w_k^{+} = w_k - \eta\,\partial E/\partial w_k"),
        )

    @property
    def sketch(self) -> Shape:
        """Input, positions, output."""
        return (LENGTH, self.positions, 1)

    @property
    def outline(self) -> str:
        """How many weights the kernel has."""
        return phrase("a kernel of {number} weights", number=self.size)


def _at_position(latex: str) -> str:
    return latex.replace("_j", "_i")


def _slope_at_position(latex: str) -> str:
    return rf"\frac{{\mathrm{{d}} a_i}}{{\mathrm{{d}} z_i}} = {_at_position(latex)}"
