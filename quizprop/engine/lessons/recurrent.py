r"""A recurrent unit, unrolled over two or three steps, and backpropagation through time.

Every value is a scalar; t counts the steps. z_t = w_x x_t + w_h h_{t-1} + b, h_t = f(z_t), y_t = v h_t. The weights
are the same at every step, so each step contributes to their gradients; as in Goodfellow, Bengio and Courville, "Deep
Learning" (2016), ch. 10.2.2, a contribution is written as the derivative by the step's own copy of the weight. Other
sources: J. L. Elman, "Finding Structure in Time" (1990); P. J. Werbos, "Backpropagation Through Time" (1990).
"""

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar, Final, Literal

from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.arrays import Array
from quizprop.engine.graph import Formula, Quantity, step
from quizprop.engine.lessons.pieces import activated, difference, sloping, stepped
from quizprop.engine.lessons.recurrent_mistakes import recurrent_mistakes
from quizprop.engine.losses import LOSSES
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import POSITIVE, Given, Lesson, Rule, Shape
from quizprop.engine.words import phrase

__all__ = ["Recurrent"]

_WEIGHTS: Final = {
    "wx": ("Input weight", "w_x"),
    "wh": ("Recurrent weight", "w_h"),
    "b": ("Bias", "b"),
    "v": ("Output weight", "v"),
}

# --- forward --------------------------------------------------------------------------------------------------------


@step(
    "z",
    title="net input",
    latex=r"z_t = w_x\,x_t + w_h\,h_{t-1} + b",
    phase="forward",
    text="z$l",
    symbol="z_{$l}",
    idea=(
        "What the unit hears now and what it remembers: the input of this step and its own state of the step before, "
        "each by its weight, plus the bias. The weights are the same at every step."
    ),
)
def z(wx: Array, x: Array, wh: Array, h_prev: Array, b: Array) -> Array:
    """What comes in now, and what is remembered from the step before."""
    return wx * x + wh * h_prev + b


def state(activation: str) -> Formula:
    """The activation, which the next step will read."""
    idea = "What the unit makes of its net input, and what it hands on to the next step."
    return activated(activation, "h", title="state", latex=_in_time, text="h$l", symbol="h_{$l}", idea=idea)


def _in_time(latex: str) -> str:
    return latex.replace("a_j", "h_t").replace("z_j", "z_t")


@step("y", title="output", latex=r"y_t = v\,h_t", phase="forward", text="y$l", symbol="y_{$l}")
def y(v: Array, h: Array) -> Array:
    """The output is linear in the state."""
    return v * h


# --- error ----------------------------------------------------------------------------------------------------------

_HALF_SQUARE: Final = r"\tfrac{1}{2}\,(t_t - y_t)^2"

e = step(
    "e",
    title="error of one step",
    latex=f"e_t = {_HALF_SQUARE}",
    phase="loss",
    text="e$l",
    symbol="e_{$l}",
    reads=("y", "t"),
)(LOSSES["half_sse"].error)


def E_of_one(last: int) -> Formula:
    """The error where only the last step has a target."""
    reads = (f"y{last}", f"t{last}")
    words = step("E", title="error", latex=f"E = {_HALF_SQUARE}", phase="loss", text="E", symbol="E", reads=reads)
    return words(LOSSES["half_sse"].error)


def added(*parts: Array) -> Array:
    """What the steps contribute, from the first to the last."""
    return reduce(operator.add, parts)


def E_of_all(steps: range) -> Formula:
    """The errors of all steps added up."""
    reads = tuple(f"e{number}" for number in steps)
    latex = r"E = \sum_t e_t"
    return step("E", title="total error", latex=latex, phase="loss", text="E", symbol="E", reads=reads)(added)


# --- back through time ----------------------------------------------------------------------------------------------

grad_y = step(
    "grad_y",
    title="derivative of the error by the output",
    latex=r"\frac{\partial E}{\partial y_t} = y_t - t_t",
    phase="backward",
    text="∂E/∂y$l",
    symbol=r"\frac{\partial E}{\partial y_{$l}}",
    idea=LOSSES["half_sse"].derivative_idea,
    reads=("y", "t"),
)(difference)

_STATE: Final = r"\frac{\partial E}{\partial h_t}"


def _by_state(latex: str, idea: str) -> Callable[[Callable[..., Array]], Formula]:
    return step(
        "grad_h",
        title="derivative of the error by the state",
        latex=f"{_STATE} = {latex}",
        phase="backward",
        text="∂E/∂h$l",
        symbol=r"\frac{\partial E}{\partial h_{$l}}",
        idea=idea,
    )


@_by_state(
    r"v\,\frac{\partial E}{\partial y_t}",
    "No step comes after the last one: its state moves the error through its own output alone.",
)
def grad_h_from_output(v: Array, grad_y: Array) -> Array:
    """The last state reaches the error through its output alone."""
    return v * grad_y


@_by_state(
    r"w_h\,\delta_{t+1}",
    "This state has no target of its own. It moves the error through the next step, along the recurrent weight.",
)
def grad_h_from_later(wh: Array, grad_z_next: Array) -> Array:
    """A state without an error of its own reaches it through the next step alone."""
    return wh * grad_z_next


@_by_state(
    r"v\,\frac{\partial E}{\partial y_t} + w_h\,\delta_{t+1}",
    "This state moves the error in two ways, through its own output and through the next step: add up what comes back "
    "along both.",
)
def grad_h_from_both(v: Array, grad_y: Array, wh: Array, grad_z_next: Array) -> Array:
    """Through its own output, and through the next step."""
    return v * grad_y + wh * grad_z_next


def slope(activation: str) -> Formula:
    """How the state changes with the net input."""
    words = {"text": "dh$l/dz$l", "symbol": r"\frac{\mathrm{d} h_{$l}}{\mathrm{d} z_{$l}}"}
    return sloping(activation, "slope", a="h", latex=_slope_in_time, **words)


def _slope_in_time(latex: str) -> str:
    return rf"\frac{{\mathrm{{d}} h_t}}{{\mathrm{{d}} z_t}} = {_in_time(latex)}"


def _delta(latex: str) -> Callable[[Callable[..., Array]], Formula]:
    return step("grad_z", title="delta", latex=latex, phase="backward", text="δ$l", symbol=r"\delta_{$l}")


@_delta(rf"\delta_t = {_STATE}\,\frac{{\mathrm{{d}} h_t}}{{\mathrm{{d}} z_t}}")
def grad_z(grad_h: Array, slope: Array) -> Array:
    """The chain rule through the activation of this step."""
    return grad_h * slope


@_delta(rf"\delta_t = {_STATE}")
def grad_z_linear(grad_h: Array) -> Array:
    """Without an activation function the state is the net input."""
    return grad_h


# --- gradients ------------------------------------------------------------------------------------------------------


def _contribution(name: str, latex: str) -> Callable[[Callable[..., Array]], Formula]:
    letter = _WEIGHTS[name][1]
    symbol = rf"\frac{{\partial E}}{{\partial {letter}^{{(%s)}}}}"
    return step(
        f"part_{name}",
        title="contribution of one step",
        latex=f"{symbol % 't'} = {latex}",
        phase="gradients",
        text=f"∂E/∂{letter}^($l)",
        symbol=symbol % "$l",
    )


@_contribution("wx", r"\delta_t\,x_t")
def part_wx(grad_z: Array, x: Array) -> Array:
    """Delta times what the input weight multiplies at this step."""
    return grad_z * x


@_contribution("wh", r"\delta_t\,h_{t-1}")
def part_wh(grad_z: Array, h_prev: Array) -> Array:
    """Delta times what the recurrent weight multiplies at this step: the state before."""
    return grad_z * h_prev


@_contribution("v", r"\frac{\partial E}{\partial y_t}\,h_t")
def part_v(grad_y: Array, h: Array) -> Array:
    """The output's derivative times what the output weight multiplies."""
    return grad_y * h


_WEIGHT_EACH_STEP: Final = (
    "One and the same weight works at every step, so its gradient adds up what it did at each of them."
)
_BIAS_EACH_STEP: Final = "The one bias works at every step: all deltas are added up."


def over_steps(name: str, parts: str, latex: str, steps: range) -> Formula:
    """The gradient of a shared weight: the sum over the steps."""
    letter = _WEIGHTS[name][1]
    words = step(
        f"grad_{name}",
        title=f"gradient of the {_WEIGHTS[name][0].lower()}",
        latex=rf"\frac{{\partial E}}{{\partial {letter}}} = \sum_t {latex}",
        phase="gradients",
        text=f"∂E/∂{letter}",
        symbol=rf"\frac{{\partial E}}{{\partial {letter}}}",
        idea=_BIAS_EACH_STEP if name == "b" else _WEIGHT_EACH_STEP,
        reads=tuple(f"{parts}{number}" for number in steps),
    )
    return words(added)


def grad_v_of_one(last: int) -> Formula:
    """The gradient of the output weight where only the last step has an output."""
    words = step(
        "grad_v",
        title="gradient of the output weight",
        latex=r"\frac{\partial E}{\partial v} = \frac{\partial E}{\partial y_t}\,h_t",
        phase="gradients",
        text="∂E/∂v",
        symbol=r"\frac{\partial E}{\partial v}",
        reads=(f"grad_y{last}", f"h{last}"),
    )
    return words(part_v.function)


# --- the step -------------------------------------------------------------------------------------------------------


def updated(name: str) -> Formula:
    """A weight after the step."""
    title, letter = _WEIGHTS[name]
    words = step(
        f"{name}_new",
        title=f"updated {title.lower()}",
        latex=rf"{letter}^{{+}} = {letter} - \eta\,\frac{{\partial E}}{{\partial {letter}}}",
        phase="update",
        text=f"{letter}⁺",
        symbol=f"{letter}^{{+}}",
        reads=(name, "eta", f"grad_{name}"),
    )
    return words(stepped)


# --- the lesson -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrent(Lesson):
    """One recurrent unit over some steps, with an error at the last step or at each."""

    kind: ClassVar[str] = "recurrent"
    layer_word: ClassVar[str] = "step"
    steps: Literal[2, 3] = 2
    activation: Literal["tanh", "sigmoid", "identity"] = "tanh"
    loss: Literal["last", "each"] = "last"

    @property
    def layered(self) -> frozenset[str]:
        """All that belongs to a step."""
        own = ("x", "z", "h", "y", "t", "e", "slope", "grad_y", "grad_h", "grad_z", "part_wx", "part_wh", "part_v")
        return frozenset(own)

    def given(self) -> tuple[Given, ...]:
        """The inputs of the steps, the state before the first, the weights, the targets."""
        return (
            *(Given(f"x{t}", (), f"Input, step {t}", f"x{t}", f"x_{{{t}}}") for t in self._every),
            Given("h0", (), "Initial state", "h0", "h_{0}"),
            *(Given(name, (), title, letter, letter) for name, (title, letter) in _WEIGHTS.items()),
            *(Given(f"t{t}", (), f"Target, step {t}", f"t{t}", f"t_{{{t}}}") for t in self._scored),
            Given("eta", (), "Learning rate", "η", r"\eta", within=POSITIVE),
        )

    def quantities(self) -> tuple[Quantity, ...]:
        """Forward in time, then back."""
        return (
            *(quantity for t in self._every for quantity in self._forward(t)),
            *self._errors(),
            *(quantity for t in reversed(self._every) for quantity in self._backward(t)),
            self.place(grad_h_from_later, 0),
            *(quantity for t in self._every for quantity in (self.place(part_wx, t), self.place(part_wh, t))),
            *self._gradients(),
            *(self.place(updated(name)) for name in _WEIGHTS),
        )

    @property
    def _every(self) -> range:
        return range(1, self.steps + 1)

    @property
    def _scored(self) -> range:
        """The steps that have a target."""
        return range(self.steps if self.loss == "last" else 1, self.steps + 1)

    def _forward(self, t: int) -> Iterator[Quantity]:
        yield self.place(z, t)
        yield self.place(state(self.activation), t)
        if t in self._scored:
            yield self.place(y, t)

    def _errors(self) -> Iterator[Quantity]:
        if self.loss == "last":
            yield self.place(E_of_one(self.steps))
            return
        yield from (self.place(e, t) for t in self._scored)
        yield self.place(E_of_all(self._scored))

    def _backward(self, t: int) -> Iterator[Quantity]:
        if t in self._scored:
            yield self.place(grad_y, t)
        if t == self.steps:
            yield self.place(grad_h_from_output, t)
        else:
            yield self.place(grad_h_from_later if self.loss == "last" else grad_h_from_both, t)
        if self.activation == "identity":
            yield self.place(grad_z_linear, t)
            return
        yield self.place(slope(self.activation), t)
        yield self.place(grad_z, t)

    def _gradients(self) -> Iterator[Quantity]:
        for name in ("wx", "wh"):
            parts = rf"\frac{{\partial E}}{{\partial {_WEIGHTS[name][1]}^{{(t)}}}}"
            yield self.place(over_steps(name, f"part_{name}", parts, self._every))
        yield self.place(over_steps("b", "grad_z", r"\delta_t", self._every))
        if self.loss == "last":
            yield self.place(grad_v_of_one(self.steps))
            return
        yield from (self.place(part_v, t) for t in self._scored)
        yield self.place(over_steps("v", "part_v", r"\frac{\partial E}{\partial v^{(t)}}", self._scored))

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong in time, and what goes wrong anywhere."""
        return recurrent_mistakes(self)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The unit, its error, and what sharing means."""
        latex = _in_time(ACTIVATIONS[self.activation].latex)
        where = "at the last step" if self.loss == "last" else "at each step, summed"
        error = r"E = \tfrac{1}{2}\,(t - y)^2" if self.loss == "last" else r"e_t = \tfrac{1}{2}\,(t_t - y_t)^2"
        return (
            Rule("Unit", "", r"z_t = w_x\,x_t + w_h\,h_{t-1} + b"),
            Rule("State", ACTIVATIONS[self.activation].title, latex),
            Rule("Output", "", r"y_t = v\,h_t"),
            Rule("Error", where, error),
            Rule("Weights", "the same at every step; all are trained, the initial state is not"),
        )

    @property
    def sketch(self) -> Shape:
        """A unit for each step."""
        return (1,) * (self.steps + 1)

    @property
    def outline(self) -> str:
        """How far it is unrolled."""
        return phrase("{number} steps", number=self.steps)
