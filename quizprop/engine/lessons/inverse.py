r"""Which learning rate was it? One weight is known from after the step; the rest follows.

A unit is worked forward and back as usual; what its first weight has become tells the learning rate, and that the other
new weights. x, w, their gradient and the new weights are ``(n,)``, everything else is a scalar. Source: the rule of
gradient descent, w+ = w - eta dE/dw, solved for eta.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Formula, Quantity, step
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
from quizprop.engine.misconceptions import ETA_FORGOTTEN, STEP_ADDED
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import Given, Rule, Shape
from quizprop.engine.words import phrase

__all__ = ["Inverse"]


@step(
    "grad_b",
    title="gradient of the bias",
    latex=r"\frac{\partial E}{\partial b} = \delta",
    phase="gradients",
    text="∂E/∂b",
    symbol=r"\frac{\partial E}{\partial b}",
)
def grad_b(grad_z: Array) -> Array:
    """A bias is a weight on a constant 1."""
    return grad_z


# A share: between 0 and 1 and close to neither, as a learning rate that a person would set.
@step(
    "eta",
    title="learning rate",
    latex=r"\eta = \frac{w_1 - w_1^{*}}{\partial E / \partial w_1}",
    phase="update",
    text="η",
    symbol=r"\eta",
    guard="share",
)
def eta(w: Array, after: Array, grad_w: Array) -> Array:
    """The step that was made, in units of the gradient."""
    return (w[..., 0] - after) / grad_w[..., 0]


@step(
    "w_new",
    title="updated weight",
    latex=r"w_k^{+} = w_k - \eta\,\frac{\partial E}{\partial w_k}",
    phase="update",
    text="w_$k⁺",
    symbol="w_{$k}^{+}",
)
def w_new(w: Array, eta: Array, grad_w: Array) -> Array:
    """One step against the gradient, with the learning rate found."""
    return w - eta[..., None] * grad_w


@step(
    "b_new",
    title="updated bias",
    latex=r"b^{+} = b - \eta\,\frac{\partial E}{\partial b}",
    phase="update",
    text="b⁺",
    symbol="b^{+}",
)
def b_new(b: Array, eta: Array, grad_b: Array) -> Array:
    """One step against the gradient, with the learning rate found."""
    return b - eta * grad_b


# --- what goes wrong ------------------------------------------------------------------------------------------------

STEP_ONLY = "This is the step alone. The new value is the old one minus the step."
NO_STEP = "This is the old value. The learning rate moves all weights, not only the one that was given."


def _not_first(w: Array) -> Array:
    return np.broadcast_to(np.arange(w.shape[-1]) > 0, w.shape)


_RATE: Final = (
    Misconception(
        "sign_flipped",
        "eta",
        "sign flipped",
        "The difference is the wrong way round. The step *subtracts*: old weight minus new weight is what was taken "
        "away.",
        (lambda w, after, grad_w: (after - w[..., 0]) / grad_w[..., 0],),
    ),
    Misconception(
        "step_for_rate",
        "eta",
        "step instead of learning rate",
        "This is the step itself. It is the learning rate times the gradient: divide the gradient out.",
        (lambda w, after: w[..., 0] - after, lambda w, after: after - w[..., 0]),
    ),
    Misconception(
        "upside_down",
        "eta",
        "fraction upside down",
        "The fraction stands on its head: the step divided by the gradient, not the gradient by the step.",
        (lambda w, after, grad_w: grad_w[..., 0] / (w[..., 0] - after),),
    ),
    Misconception(
        "multiplied",
        "eta",
        "multiplied by the gradient",
        "Step and gradient were multiplied. The step is the rate times the gradient, so the rate is a quotient.",
        (lambda w, after, grad_w: (w[..., 0] - after) * grad_w[..., 0],),
    ),
    Misconception(
        "other_gradient",
        "eta",
        "another weight's gradient",
        "This was divided by the gradient of another weight. Take the one of the weight whose new value is given.",
        (lambda w, after, grad_w: (w[..., 0] - after) / grad_w[..., 1],),
    ),
    Misconception(
        "delta_for_gradient",
        "eta",
        "delta instead of gradient",
        "This was divided by the delta. The weight's own gradient has its input in it as well.",
        (lambda w, after, grad_z: (w[..., 0] - after) / grad_z,),
    ),
)

_STEP: Final = (
    Misconception(
        "step_added",
        "w_new",
        "step added",
        STEP_ADDED,
        (lambda w, eta, grad_w: w + eta[..., None] * grad_w,),
        forbidden=True,
    ),
    Misconception(
        "eta_forgotten",
        "w_new",
        "learning rate forgotten",
        ETA_FORGOTTEN,
        (lambda w, grad_w: w - grad_w,),
        forbidden=True,
    ),
    Misconception("no_step", "w_new", "no step made", NO_STEP, (lambda w: w + 0,), forbidden=True),
    Misconception(
        "step_only",
        "w_new",
        "only the step",
        STEP_ONLY,
        (lambda eta, grad_w: eta[..., None] * grad_w, lambda eta, grad_w: -(eta[..., None] * grad_w)),
    ),
    Misconception(
        "same_step",
        "w_new",
        "the step of the first weight",
        "Each weight was moved as far as the first. They share the learning rate; each has its own gradient.",
        (lambda w, after: w - (w[..., :1] - after[..., None]),),
        where=_not_first,
    ),
)

_BIAS: Final = (
    Misconception(
        "times_input",
        "grad_b",
        "multiplied by an input",
        "The bias's delta was multiplied by an input. A bias has the constant 1 as its input.",
        (lambda grad_z, x: grad_z * x[..., 0],),
    ),
    Misconception(
        "times_bias",
        "grad_b",
        "multiplied by the bias",
        "The delta was multiplied by the bias itself. The derivative takes what the bias multiplies, the constant 1.",
        (lambda grad_z, b: grad_z * b,),
    ),
    Misconception(
        "step_added",
        "b_new",
        "step added",
        STEP_ADDED,
        (lambda b, eta, grad_b: b + eta * grad_b,),
        forbidden=True,
    ),
    Misconception(
        "eta_forgotten",
        "b_new",
        "learning rate forgotten",
        ETA_FORGOTTEN,
        (lambda b, grad_b: b - grad_b,),
        forbidden=True,
    ),
    Misconception("bias_not_updated", "b_new", "bias not updated", NO_STEP, (lambda b: b,), forbidden=True),
    Misconception(
        "step_only",
        "b_new",
        "only the step",
        STEP_ONLY,
        (lambda eta, grad_b: eta * grad_b, lambda eta, grad_b: -(eta * grad_b)),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverse(UnitLesson):
    """A unit of ``inputs`` weights, the first of which is given from after the step, too."""

    kind: ClassVar[str] = "inverse"
    activation: UnitActivation = "sigmoid"
    loss: UnitLoss = "half_sse"
    inputs: Literal[2, 3] = 2
    bias: bool = True

    def __post_init__(self) -> None:
        check_pairing(self.activation, self.loss)

    def given(self) -> tuple[Given, ...]:
        """The example, the unit, and its first weight after the step."""
        n = (self.inputs,)
        return (
            Given("x", n, "Input", "x_$k", "x_{$k}"),
            Given("y", (), "Target", "y", "y"),
            Given("w", n, "Weights before", "w_$k", "w_{$k}"),
            *([Given("b", (), "Bias before", "b", "b")] if self.bias else []),
            Given("after", (), "First weight after the step", "w_1*", "w_{1}^{*}"),
        )

    def quantities(self) -> tuple[Quantity, ...]:
        """Forward, back, and the step read backwards."""
        return tuple(self.place(formula) for formula in self._formulas())

    def _formulas(self) -> Iterator[Formula]:
        yield weighted("z", bias=self.bias, text="z", symbol="z")
        yield activated(self.activation, text="a", symbol="a")
        yield erring(self.loss, "E", text="E", symbol="E")
        if not at_once(self.activation, self.loss):
            yield by_output(self.loss, text="∂E/∂a", symbol=r"\frac{\partial E}{\partial a}")
            yield sloping(self.activation, text="da/dz", symbol=r"\frac{\mathrm{d} a}{\mathrm{d} z}")
        yield by_net_input(self.activation, self.loss, text="δ", symbol=r"\delta")
        yield by_weights("grad_w", text="∂E/∂w_$k", symbol=r"\frac{\partial E}{\partial w_{$k}}")
        yield from (grad_b,) if self.bias else ()
        yield from (eta, w_new)
        yield from (b_new,) if self.bias else ()

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong at the unit, and when the step is read backwards."""
        return (
            *unit_mistakes(self.activation, self.loss, bias=self.bias, inputs=self.inputs),
            *_RATE,
            *_STEP,
            *(_BIAS if self.bias else ()),
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Activation, error, and the step."""
        trained = [Rule("Bias", "trained too")] if self.bias else []
        return (
            *unit_rules(self.activation, self.loss),
            Rule("Step", "gradient descent, the same learning rate for all", w_new.latex),
            *trained,
        )

    @property
    def sketch(self) -> Shape:
        """One unit."""
        return (self.inputs, 1)

    @property
    def outline(self) -> str:
        """How many weights it has."""
        return phrase("a unit of {number} weights", number=self.inputs)
