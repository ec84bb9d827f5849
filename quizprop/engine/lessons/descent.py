r"""One unit learns for one or two steps on one example, by gradient descent or one of its successors.

In step t the gradient is taken at the weights w_{t-1} (Nesterov: ahead of them) and gives w_t. x, weights, gradients
and running averages are ``(n,)``, everything else is a scalar; the bias, where there is one, stays as it is. Sources:
Polyak (1964) and Sutskever et al. (2013) for momentum and Nesterov's, in the form of PyTorch; Hinton, "Neural Networks
for Machine Learning" (2012), lecture 6e, for RMSProp; Kingma and Ba (2015) for Adam; Loshchilov and Hutter (2019) for
decoupled weight decay; Goodfellow, Bengio and Courville, "Deep Learning" (2016), ch. 7.1, for the L2 penalty.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Final, Literal

import numpy as np

from quizprop.engine.arrays import Array, choose, total
from quizprop.engine.graph import Formula, Quantity, step
from quizprop.engine.lessons.descent_mistakes import descent_mistakes
from quizprop.engine.lessons.unit import (
    UnitActivation,
    UnitLesson,
    UnitLoss,
    activated,
    at_once,
    by_net_input,
    by_output,
    by_weights,
    check_pairing,
    erring,
    sloping,
    unit_mistakes,
    unit_rules,
    weighted,
)
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import MEMORY, NOT_NEGATIVE, POSITIVE, Given, Rule, Shape
from quizprop.engine.words import phrase

__all__ = ["Descent"]

Optimizer = Literal["sgd", "momentum", "nesterov", "rmsprop", "adam", "weight_decay"]

# --- the penalty ----------------------------------------------------------------------------------------------------


@step("R", title="penalty", latex=r"R = \frac{\lambda}{2} \sum_k w_k^2", phase="loss", text="R_$l", symbol="R_{$l}")
def R(weights: Array, decay: Array) -> Array:
    """Half of lambda times the sum of the squared weights; the bias is not punished."""
    return decay / 2 * total(weights**2, -1)


@step("E", title="total error", latex="E = D + R", phase="loss", text="E_$l", symbol="E_{$l}")
def E(D: Array, R: Array) -> Array:
    """The error on the data plus the penalty."""
    return D + R


@step(
    "dR_dw",
    title="gradient of the penalty",
    latex=r"\frac{\partial R}{\partial w_k} = \lambda\,w_k",
    phase="gradients",
    text="∂R_$l/∂w_$k",
    symbol=r"\frac{\partial R_{$l}}{\partial w_{$k}}",
)
def dR_dw(weights: Array, decay: Array) -> Array:
    """Lambda times the weight: the 2 of the square and the half cancel."""
    return decay[..., None] * weights


@step(
    "grad_w",
    title="gradient of a weight",
    latex=r"\frac{\partial E}{\partial w_k} = \frac{\partial D}{\partial w_k} + \frac{\partial R}{\partial w_k}",
    phase="gradients",
    text="g_$l,$k",
    symbol="g_{$l,$k}",
)
def grad_w_with_penalty(dD_dw: Array, dR_dw: Array) -> Array:
    """The total is a sum, so the two gradients add up."""
    return dD_dw + dR_dw


# --- what an optimizer keeps ----------------------------------------------------------------------------------------


@step(
    "ahead",
    title="weight looked ahead to",
    latex=r"\tilde{w} = w_{t-1} - \eta\,\beta\,v_{t-1}",
    phase="forward",
    text="w̃_$l,$k",
    symbol=r"\tilde{w}_{$l,$k}",
)
def ahead(w_prev: Array, eta: Array, beta: Array, v_prev: Array) -> Array:
    """Where the velocity alone would lead: there Nesterov takes the gradient."""
    return w_prev - eta[..., None] * beta[..., None] * v_prev


@step(
    "v",
    title="velocity",
    latex=r"v_t = \beta\,v_{t-1} + g_t",
    phase="update",
    text="v_$l,$k",
    symbol="v_{$l,$k}",
)
def velocity(beta: Array, v_prev: Array, grad_w: Array) -> Array:
    """A share of the velocity so far, plus the whole gradient."""
    return beta[..., None] * v_prev + grad_w


@step(
    "s",
    title="running average of the squared gradient",
    latex=r"s_t = \rho\,s_{t-1} + (1 - \rho)\,g_t^2",
    phase="update",
    text="s_$l,$k",
    symbol="s_{$l,$k}",
)
def s(rho: Array, s_prev: Array, grad_w: Array) -> Array:
    """Rho of what it was, the rest of the new square."""
    return rho[..., None] * s_prev + (1 - rho[..., None]) * grad_w**2


@step(
    "m",
    title="running average of the gradient",
    latex=r"m_1 = (1 - \beta_1)\,g_1",
    phase="update",
    text="m_$l,$k",
    symbol="m_{$l,$k}",
)
def m_first(beta1: Array, grad_w: Array) -> Array:
    """It starts from 0, so only the new gradient's share is there."""
    return (1 - beta1[..., None]) * grad_w


@step(
    "m",
    title="running average of the gradient",
    latex=r"m_t = \beta_1\,m_{t-1} + (1 - \beta_1)\,g_t",
    phase="update",
    text="m_$l,$k",
    symbol="m_{$l,$k}",
)
def m(beta1: Array, m_prev: Array, grad_w: Array) -> Array:
    """Beta 1 of what it was, the rest of the new gradient."""
    return beta1[..., None] * m_prev + (1 - beta1[..., None]) * grad_w


@step(
    "v",
    title="running average of the squared gradient",
    latex=r"v_1 = (1 - \beta_2)\,g_1^2",
    phase="update",
    text="v_$l,$k",
    symbol="v_{$l,$k}",
)
def v_first(beta2: Array, grad_w: Array) -> Array:
    """It starts from 0, so only the new square's share is there."""
    return (1 - beta2[..., None]) * grad_w**2


@step(
    "v",
    title="running average of the squared gradient",
    latex=r"v_t = \beta_2\,v_{t-1} + (1 - \beta_2)\,g_t^2",
    phase="update",
    text="v_$l,$k",
    symbol="v_{$l,$k}",
)
def v(beta2: Array, v_prev: Array, grad_w: Array) -> Array:
    """Beta 2 of what it was, the rest of the new square."""
    return beta2[..., None] * v_prev + (1 - beta2[..., None]) * grad_w**2


def first_correction(average: Array, beta: Array) -> Array:
    """An average that started from 0 holds only the share 1 - beta after one step; divided by it, it is whole."""
    return average / (1 - beta[..., None])


def second_correction(average: Array, beta: Array) -> Array:
    """An average that started from 0 holds only the share 1 minus the square of beta after two steps."""
    return average / (1 - beta[..., None] ** 2)


_CORRECTIONS: Final = (first_correction, second_correction)


def corrected(stem: str, number: int, t: int) -> Formula:
    """The bias correction of an average in step t."""
    words = step(
        f"{stem}_hat",
        title=f"corrected average of the {'gradient' if stem == 'm' else 'squared gradient'}",
        latex=rf"\hat{{{stem}}}_t = \frac{{{stem}_t}}{{1 - \beta_{number}^t}}",
        phase="update",
        text=f"{stem}̂_$l,$k",
        symbol=rf"\hat{{{stem}}}_{{$l,$k}}",
        reads=(stem, f"beta{number}"),
    )
    return words(_CORRECTIONS[t - 1])


def root(average: str, symbol: str) -> Formula:
    """The square root that the gradient is divided by."""
    words = step(
        "root",
        title="square root of the average",
        latex=rf"r_t = \sqrt{{{symbol}_t}}",
        phase="update",
        text="r_$l,$k",
        symbol="r_{$l,$k}",
        guard="positive",
        reads=(average,),
    )
    return words(square_root)


def square_root(average: Array) -> Array:
    """The size of a typical gradient."""
    return np.sqrt(average)


@step(
    "kept",
    title="what decay leaves of a weight",
    latex=r"(1 - \eta\,\lambda)\,w_{t-1}",
    phase="update",
    text="(1 − ηλ) w_$p,$k",
    symbol=r"(1 - \eta\lambda)\,w_{$p,$k}",
)
def kept(w_prev: Array, eta: Array, decay: Array) -> Array:
    """The weight shrinks by itself, whatever the gradient says."""
    return (1 - eta[..., None] * decay[..., None]) * w_prev


def ratio(above: str, symbol: str, *, title: str, idea: str) -> Formula:
    """What is left of a gradient when its usual size is divided out."""
    words = step(
        "ratio",
        title=title,
        idea=idea,
        latex=symbol,
        phase="update",
        text="u_$l,$k",
        symbol="u_{$l,$k}",
        reads=(above, "root"),
    )
    return words(divided)


def divided(above: Array, root: Array) -> Array:
    """One over the other, a unit at a time."""
    return above / root


over_root = ratio(
    "grad_w",
    r"u_t = \frac{g_t}{r_t}",
    title="gradient over the root",
    idea="The gradient in units of its usual size.",
)
average_over_root = ratio(
    "m_hat",
    r"u_t = \frac{\hat{m}_t}{r_t}",
    title="corrected average over the root",
    idea="The average gradient in units of its usual size.",
)

# --- the step -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Step:
    """An optimizer's step: what it starts from, the direction that it goes against, and how it is written."""

    start: str
    direction: str
    latex: str


_STEPS: Final[Mapping[str, _Step]] = MappingProxyType({
    "sgd": _Step("w_prev", "grad_w", r"w_{t-1} - \eta\,g_t"),
    "momentum": _Step("w_prev", "v", r"w_{t-1} - \eta\,v_t"),
    "nesterov": _Step("w_prev", "v", r"w_{t-1} - \eta\,v_t"),
    "rmsprop": _Step("w_prev", "ratio", r"w_{t-1} - \eta\,u_t"),
    "adam": _Step("w_prev", "ratio", r"w_{t-1} - \eta\,u_t"),
    "weight_decay": _Step("kept", "grad_w", r"(1 - \eta\,\lambda)\,w_{t-1} - \eta\,g_t"),
})  # fmt: skip


def w(optimizer: str) -> Formula:
    """The weights after the step."""
    words = step(
        "w",
        title="updated weight",
        latex=f"w_t = {_STEPS[optimizer].latex}",
        phase="update",
        text="w_$l,$k",
        symbol="w_{$l,$k}",
    )
    return words(stepped)


def stepped(start: Array, eta: Array, direction: Array) -> Array:
    """One step against a direction."""
    return start - eta[..., None] * direction


# --- after the last step --------------------------------------------------------------------------------------------


R_after = replace(
    R,
    stem="R_after",
    title="penalty of the last weights",
    phase="after",
    text="R⁺",
    symbol="R^{+}",
    reads=("w", "decay"),
)
E_after = replace(
    E,
    stem="E_after",
    title="total error with the last weights",
    phase="after",
    text="E⁺",
    symbol="E^{+}",
    reads=("D_after", "R_after"),
)


@step(
    "change",
    title="change of the error",
    latex=r"\Delta E = E^{+} - E_1",
    phase="after",
    text="ΔE",
    symbol=r"\Delta E",
)
def change(E_after: Array, E1: Array) -> Array:
    """The error with the last weights less that with the first: negative where the training has helped."""
    return E_after - E1


@step(
    "fell",
    title="did the error fall",
    latex="E^{+} < E_1",
    phase="after",
    text="[E⁺ < E_1]",
    symbol=r"\left[E^{+} < E_{1}\right]",
    whole=True,
    idea="Yes, in formulas 1, where the error is smaller after the step; else no, which is 0.",
    options=("no", "yes"),
)
def fell(change: Array) -> Array:
    """1 for yes where the error fell, else 0 for no."""
    return choose(-change, 1.0, 0.0)


# --- the lesson -----------------------------------------------------------------------------------------------------

# Where $l is the step: the cell's text and its LaTeX.
_WRITTEN: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "z": ("z_$l", "z_{$l}"),
    "a": ("a_$l", "a_{$l}"),
    "D": ("D_$l", "D_{$l}"),
    "E": ("E_$l", "E_{$l}"),
    "grad_a": ("∂$e_$l/∂a_$l", r"\frac{\partial $e_{$l}}{\partial a_{$l}}"),
    "da_dz": ("da_$l/dz_$l", r"\frac{\mathrm{d} a_{$l}}{\mathrm{d} z_{$l}}"),
    "grad_z": ("δ_$l", r"\delta_{$l}"),
    "dD_dw": ("∂D_$l/∂w_$k", r"\frac{\partial D_{$l}}{\partial w_{$k}}"),
    "grad_w": ("g_$l,$k", "g_{$l,$k}"),
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent(UnitLesson):
    """A unit of ``inputs`` weights that makes some ``steps`` with an optimizer, perhaps under an L2 penalty."""

    kind: ClassVar[str] = "descent"
    layer_word: ClassVar[str] = "step"
    optimizer: Optimizer = "sgd"
    activation: UnitActivation = "sigmoid"
    loss: UnitLoss = "half_sse"
    inputs: Literal[1, 2] = 2
    bias: bool = False
    steps: Literal[1, 2] = 2
    penalty: bool = False

    def __post_init__(self) -> None:
        check_pairing(self.activation, self.loss)
        if self.penalty and self.optimizer == "weight_decay":
            raise ValueError("penalty: weight decay is the other way to keep weights small; choose one of the two")

    def given(self) -> tuple[Given, ...]:
        """The example, the unit, and what the optimizer is set to."""
        return tuple(self._given())

    def _given(self) -> Iterator[Given]:
        n = (self.inputs,)
        yield Given("x", n, "Input", *self._indexed("x_$k", "x_{$k}"))
        yield Given("y", (), "Target", "y", "y")
        weights = "Weights before" if self.inputs > 1 else "Weight before"
        yield Given("w0", n, weights, *self._indexed("w_0,$k", "w_{0,$k}"))
        if self.bias:
            yield Given("b", (), "Bias", "b", "b")
        yield Given("eta", (), "Learning rate", "η", r"\eta", within=POSITIVE)
        if self.penalty or self.optimizer == "weight_decay":
            yield Given("decay", (), "Lambda", "λ", r"\lambda", within=NOT_NEGATIVE)
        if self.optimizer in ("momentum", "nesterov"):
            yield Given("beta", (), "Beta", "β", r"\beta", within=MEMORY)
            yield Given("v0", n, "Velocity before", *self._indexed("v_0,$k", "v_{0,$k}"))
        if self.optimizer == "rmsprop":
            yield Given("rho", (), "Rho", "ρ", r"\rho", within=MEMORY)
            yield Given("s0", n, "Average before", *self._indexed("s_0,$k", "s_{0,$k}"), within=NOT_NEGATIVE)
        if self.optimizer == "adam":
            yield Given("beta1", (), "Beta 1", "β₁", r"\beta_1", within=MEMORY)
            yield Given("beta2", (), "Beta 2", "β₂", r"\beta_2", within=MEMORY)

    def quantities(self) -> tuple[Quantity, ...]:
        """Step after step, then the error with the last weights."""
        last = self.steps
        return (
            *(self.place(self._named(each, t), t) for t in range(1, last + 1) for each in self._step(t)),
            *(self.place(each, last, named=each.stem) for each in self._after()),
        )

    def _step(self, t: int) -> Iterator[Formula]:
        if self.optimizer == "nesterov":
            yield ahead
        yield weighted("z", bias=self.bias, **self._written("z"))
        yield activated(self.activation, **self._written("a"))
        yield from self._error()
        yield from self._gradient()
        yield from self._optimizer(t)

    def _error(self) -> Iterator[Formula]:
        yield erring(self.loss, self._data, **self._written(self._data))
        if self.penalty:
            yield R
            yield E

    def _gradient(self) -> Iterator[Formula]:
        if not at_once(self.activation, self.loss):
            yield by_output(self.loss, error=self._data, **self._written("grad_a"))
            yield sloping(self.activation, **self._written("da_dz"))
        yield by_net_input(self.activation, self.loss, error=self._data, **self._written("grad_z"))
        if self.penalty:
            yield by_weights("dD_dw", title="gradient on the data", error="D", **self._written("dD_dw"))
            yield dR_dw
            yield grad_w_with_penalty
        else:
            yield by_weights("grad_w", **self._written("grad_w"))

    def _optimizer(self, t: int) -> Iterator[Formula]:
        match self.optimizer:
            case "momentum" | "nesterov":
                yield velocity
            case "rmsprop":
                yield from (s, root("s", "s"), over_root)
            case "adam":
                yield from (m_first, v_first) if t == 1 else (m, v)
                yield from (corrected("m", 1, t), corrected("v", 2, t))
                yield root("v_hat", r"\hat{v}")
                yield average_over_root
            case "weight_decay":
                yield kept
        yield w(self.optimizer)

    def _after(self) -> Iterator[Formula]:
        yield weighted("z_after", bias=self.bias, text="z⁺", symbol="z^{+}", weights="w", phase="after")
        yield activated(self.activation, "a_after", text="a⁺", symbol="a^{+}", z="z_after", phase="after")
        data = f"{self._data}_after"
        words = {"text": f"{self._data}⁺", "symbol": f"{self._data}^{{+}}", "phase": "after"}
        yield erring(self.loss, data, reads="a_after", title="error with the last weights", **words)
        if self.penalty:
            yield R_after
            yield E_after
        # Under Nesterov the error of a step is that of the point looked ahead to: nothing to compare with.
        if self.optimizer != "nesterov":
            yield change
            yield fell

    @property
    def _data(self) -> str:
        """The error on the data: D where a penalty is added to it."""
        return "D" if self.penalty else "E"

    def _written(self, stem: str) -> dict[str, str]:
        text, symbol = (words.replace("$e", self._data) for words in _WRITTEN[stem])
        return {"text": text, "symbol": symbol}

    def _named(self, formula: Formula, t: int) -> Formula:
        text, symbol = self._indexed(formula.text, formula.symbol)
        phase = formula.phase if self.steps == 1 else f"step {t}"
        return replace(formula, text=text, symbol=symbol, phase=phase)

    def _indexed(self, text: str, latex: str) -> tuple[str, str]:
        """A single weight needs no index."""
        if self.inputs > 1:
            return text, latex
        return text.replace(",$k", "").replace("_$k", ""), latex.replace(",$k", "").replace("_{$k}", "")

    @property
    def roles(self) -> Mapping[str, str]:
        """Where the gradient is taken, what the step starts from, and which way it goes."""
        how = _STEPS[self.optimizer]
        weights = "ahead" if self.optimizer == "nesterov" else "w_prev"
        return {"weights": weights, "start": how.start, "direction": how.direction}

    def differentiates(self, gradient: str) -> tuple[str, str]:
        """Each step has an error of its own; its gradient is taken at the weights from before the step."""
        stem, t = gradient.removeprefix("grad_")[:-1], int(gradient[-1])
        return f"E{t}", self.source("weights" if stem == "w" else stem, t)

    @property
    def layered(self) -> frozenset[str]:
        """All but the example and the settings."""
        stems = ("ahead", "z", "a", "D", "R", "E", "grad_a", "da_dz", "grad_z", "dD_dw", "dR_dw", "grad_w")
        return frozenset((*stems, "m", "v", "s", "m_hat", "v_hat", "root", "ratio", "kept", "w"))

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong at the unit, in what the optimizer keeps, and in the step."""
        gradient = "dD_dw" if self.penalty else "grad_w"
        return (
            *unit_mistakes(
                self.activation, self.loss, bias=self.bias, inputs=self.inputs, error=self._data, gradient=gradient
            ),
            *descent_mistakes(self),
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Activation, error, and how the step is made."""
        return (
            *unit_rules(self.activation, self.loss, error=self._data),
            Rule("Gradient", "", _GRADIENT_AHEAD if self.optimizer == "nesterov" else _GRADIENT),
            *([_PENALTY_RULE] if self.penalty else []),
            *_RULES[self.optimizer],
            Rule("Step", "", f"w_t = {_STEPS[self.optimizer].latex}"),
            *([Rule("Bias", "stays as it is; only the weights are trained")] if self.bias else []),
        )

    @property
    def sketch(self) -> Shape:
        """One unit."""
        return (self.inputs, 1)

    @property
    def outline(self) -> str:
        """The optimizer and how often it steps."""
        one = phrase("one step of {optimizer}", optimizer=_NAMES[self.optimizer])
        return one if self.steps == 1 else phrase("two steps of {optimizer}", optimizer=_NAMES[self.optimizer])


_NAMES: Final = MappingProxyType({
    "sgd": "gradient descent",
    "momentum": "momentum",
    "nesterov": "Nesterov momentum",
    "rmsprop": "RMSProp",
    "adam": "Adam",
    "weight_decay": "weight decay",
})  # fmt: skip

_PENALTY_RULE: Final = Rule(
    "Penalty", "of the weights, not of the bias", r"E = D + R,\; R = \frac{\lambda}{2} \sum_k w_k^2"
)
_GRADIENT: Final = r"g_t = \frac{\partial E}{\partial w} \text{ at } w_{t-1}"
_GRADIENT_AHEAD: Final = r"g_t = \frac{\partial E}{\partial w} \text{ at } \tilde{w}"
_NO_EPSILON: Final = Rule("Epsilon", "so small that it is left out")
_RULES: Final[Mapping[str, tuple[Rule, ...]]] = MappingProxyType({
    "sgd": (),
    "momentum": (Rule("Velocity", "", velocity.latex),),
    "nesterov": (
        Rule("Look ahead", "", ahead.latex),
        Rule("Velocity", "", velocity.latex),
    ),
    "rmsprop": (
        Rule("Average", "", s.latex),
        Rule("Ratio", "", r"u_t = \frac{g_t}{r_t},\; r_t = \sqrt{s_t}"),
        _NO_EPSILON,
    ),
    "adam": (
        Rule("Averages", "start from 0", rf"{m.latex},\; {v.latex}"),
        Rule("Corrected", "", r"\hat{m}_t = \frac{m_t}{1 - \beta_1^t},\; \hat{v}_t = \frac{v_t}{1 - \beta_2^t}"),
        Rule("Ratio", "", r"u_t = \frac{\hat{m}_t}{r_t},\; r_t = \sqrt{\hat{v}_t}"),
        _NO_EPSILON,
    ),
    "weight_decay": (Rule("Decay", "of the weights, apart from the gradient", kept.latex),),
})  # fmt: skip
