r"""Dropout in one hidden layer: a mask switches units off, and what is switched off learns nothing.

W is ``(hidden, inputs)``; z, a, d, b, the mask m and the output weights v are ``(hidden,)``; everything else but x is a
scalar. Sources: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout" (2014), where the weights shrink
at test time; inverted dropout, where the kept units are divided by the keep probability in training, as in CS231n.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.arrays import Array, total
from quizprop.engine.graph import Formula, Quantity, step
from quizprop.engine.lessons.pieces import (
    activated,
    affine,
    affine_mistakes,
    by_biases,
    by_biases_mistakes,
    by_weights,
    by_weights_mistakes,
    difference,
    of_activation,
    of_single_output,
    partial,
    product,
    slope_mistakes,
    sloping,
    step_mistakes,
    updated,
)
from quizprop.engine.losses import half_squared_error
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import MASK, POSITIVE, PROBABILITY, Given, Lesson, Rule, Shape

__all__ = ["Dropout"]

# --- forward --------------------------------------------------------------------------------------------------------

z = step(
    "z",
    title="net input",
    latex=r"z_j = \sum_k w_{jk}\,x_k + b_j",
    phase="forward",
    text="z_$k",
    symbol="z_{$k}",
    reads=("W", "x", "b"),
)(affine)


def kept_and_scaled(m: Array, a: Array, p: Array) -> Array:
    """A dropped unit is 0; a kept one is divided by the keep probability, so that the sum stays as large on average."""
    return m * a / p[..., None]


def kept(m: Array, a: Array) -> Array:
    """A dropped unit is 0, a kept one stays as it is."""
    return m * a


def d(*, inverted: bool) -> Formula:
    """The hidden layer after the mask."""
    return step(
        "d",
        title="activation after dropout",
        latex=r"d_j = \frac{m_j\,a_j}{p}" if inverted else r"d_j = m_j\,a_j",
        phase="forward",
        text="d_$k",
        symbol="d_{$k}",
        guard="mixed",
    )(kept_and_scaled if inverted else kept)


@step("y", title="output in training", latex=r"y = \sum_j v_j\,d_j + c", phase="forward", text="y", symbol="y")
def y(v: Array, d: Array, c: Array) -> Array:
    """The output sees what the mask has left."""
    return total(v * d, -1) + c


def whole_layer(v: Array, a: Array, c: Array) -> Array:
    """At test time nothing is dropped, and nothing is left to scale: that was done in training."""
    return total(v * a, -1) + c


def shrunk_layer(v: Array, a: Array, c: Array, p: Array) -> Array:
    """Nothing is dropped at test time; each weight is multiplied by the keep probability: all units add to the sum."""
    return total(p[..., None] * v * a, -1) + c


def y_test(*, inverted: bool) -> Formula:
    """The output at test time."""
    return step(
        "y_test",
        title="output at test time",
        latex=rf"y^{{\text{{test}}}} = \sum_j {'' if inverted else 'p'}\,v_j\,a_j + c",
        phase="forward",
        text="y^test",
        symbol=r"y^{\text{test}}",
    )(whole_layer if inverted else shrunk_layer)


E = step(
    "E",
    title="error",
    latex=r"E = \tfrac{1}{2}\,(t - y)^2",
    phase="loss",
    text="E",
    symbol="E",
    reads=("y", "t"),
)(half_squared_error)


# --- backward -------------------------------------------------------------------------------------------------------

grad_y = step(
    "grad_y",
    title="derivative by the output",
    latex=rf"{partial('y')} = y - t",
    phase="backward",
    text="∂E/∂y",
    symbol=partial("y"),
)(difference)


@step(
    "grad_d",
    title="derivative by the activation after dropout",
    latex=rf"{partial('d_j')} = {partial('y')}\,v_j",
    phase="backward",
    text="∂E/∂d_$k",
    symbol=partial("d_{$k}"),
)
def grad_d(grad_y: Array, v: Array) -> Array:
    """What comes back along each output weight; the mask comes next."""
    return grad_y[..., None] * v


def back_and_scaled(grad_d: Array, m: Array, p: Array) -> Array:
    """Back through the mask and the division: the same factor as on the way there."""
    return grad_d * m / p[..., None]


def back(grad_d: Array, m: Array) -> Array:
    """Back through the mask: a dropped unit had no part in the error."""
    return grad_d * m


def grad_a(*, inverted: bool) -> Formula:
    """The derivative by the activation before dropout."""
    through = rf"\frac{{m_j}}{{p}}\,{partial('d_j')}" if inverted else rf"m_j\,{partial('d_j')}"
    return step(
        "grad_a",
        title="derivative by the activation",
        latex=rf"{partial('a_j')} = {through}",
        phase="backward",
        text="∂E/∂a_$k",
        symbol=partial("a_{$k}"),
    )(back_and_scaled if inverted else back)


grad_z = step(
    "grad_z",
    title="delta",
    latex=rf"\delta_j = {partial('a_j')}\,\frac{{\mathrm{{d}} a_j}}{{\mathrm{{d}} z_j}}",
    phase="backward",
    text="δ_$k",
    symbol=r"\delta_{$k}",
)(product)


# --- gradients and update -------------------------------------------------------------------------------------------


@step(
    "grad_v",
    title="gradient of an output weight",
    latex=rf"{partial('v_j')} = {partial('y')}\,d_j",
    phase="gradients",
    text="∂E/∂v_$k",
    symbol=partial("v_{$k}"),
)
def grad_v(grad_y: Array, d: Array) -> Array:
    """An output weight saw the activation after dropout."""
    return grad_y[..., None] * d


grad_weights = step(
    "grad_W",
    title="gradient of a weight",
    latex=rf"{partial('w_{jk}')} = \delta_j\,x_k",
    phase="gradients",
    text="∂E/∂w_$index",
    symbol=partial("w_{$index}"),
    reads=("grad_z", "x"),
)(by_weights)

grad_b = step(
    "grad_b",
    title="gradient of a bias",
    latex=rf"{partial('b_j')} = \delta_j",
    phase="gradients",
    text="∂E/∂b_$k",
    symbol=partial("b_{$k}"),
)(by_biases)

grad_c = step(
    "grad_c",
    title="gradient of the output bias",
    latex=rf"{partial('c')} = {partial('y')}",
    phase="gradients",
    text="∂E/∂c",
    symbol=partial("c"),
    reads=("grad_y",),
)(by_biases)


_UPDATES: Final = (
    updated("v", 1, "output weight", text="v_$k", latex="v", symbol="v^{+}_{$k}"),
    updated("c", 0, "output bias", text="c", latex="c", symbol="c^{+}"),
    updated("W", 2, "weight", text="w_$index", latex="w", symbol="w^{+}_{$index}"),
    updated("b", 1, "bias", text="b_$k", latex="b", symbol="b^{+}_{$k}"),
)


# --- what goes wrong ------------------------------------------------------------------------------------------------

MASK_LEFT_OUT: Final = (
    "The mask is missing on the way back. A dropped unit had no part in the error, so nothing comes back to it."
)
BEFORE_DROPOUT: Final = "The activation before dropout was used. The weight saw what the mask left of it."


def _dropped(m: Array) -> Array:
    return m == 0


def _kept(m: Array) -> Array:
    return m != 0


_INVERTED: Final = (
    Misconception(
        "scale_left_out",
        "d",
        "scale left out",
        "The mask was applied, but a kept unit is also divided by the keep probability: this is inverted dropout.",
        (lambda m, a: m * a,),
        where=_kept,
    ),
    Misconception(
        "scale_multiplied",
        "d",
        "multiplied instead of divided",
        "The kept units were multiplied by the keep probability. Dividing makes up for those that are missing.",
        (lambda m, a, p: m * a * p[..., None],),
        where=_kept,
    ),
    Misconception(
        "drop_probability",
        "d",
        "drop probability for keep probability",
        "This was divided by the probability of being dropped. Divide by that of being *kept*.",
        (lambda m, a, p: m * a / (1 - p[..., None]),),
        where=_kept,
    ),
    Misconception(
        "scale_left_out",
        "grad_a",
        "scale left out",
        "The mask was applied, but the division by the keep probability comes back too: it is part of the way.",
        (lambda grad_d, m: grad_d * m,),
        where=_kept,
    ),
    Misconception(
        "scale_multiplied",
        "grad_a",
        "multiplied instead of divided",
        "This was multiplied by the keep probability. The way back has the same factor as the way there.",
        (lambda grad_d, m, p: grad_d * m * p[..., None],),
        where=_kept,
    ),
    Misconception(
        "scale_left_out",
        "grad_v",
        "activation before dropout",
        BEFORE_DROPOUT,
        (lambda grad_y, a: grad_y[..., None] * a,),
        where=_kept,
    ),
    Misconception(
        "scaled_at_test",
        "y_test",
        "scaled at test time too",
        "The weights were shrunk at test time. With inverted dropout the scale has been dealt with in training.",
        (lambda v, a, c, p: total(p[..., None] * v * a, -1) + c,),
    ),
)

_PLAIN: Final = (
    Misconception(
        "scaled_in_training",
        "d",
        "scaled in training",
        "The kept units were scaled. Here training only applies the mask; the scale comes at test time.",
        (lambda m, a, p: m * a / p[..., None], lambda m, a, p: m * a * p[..., None]),
        where=_kept,
    ),
    Misconception(
        "scaled_in_training",
        "grad_a",
        "scaled in training",
        "This was scaled by the keep probability. Here training only applies the mask, there and back.",
        (lambda grad_d, m, p: grad_d * m / p[..., None], lambda grad_d, m, p: grad_d * m * p[..., None]),
        where=_kept,
    ),
    Misconception(
        "scale_left_out",
        "y_test",
        "scale left out",
        "The weights were used whole. At test time no unit is missing, so each weight is multiplied by the keep "
        "probability.",
        (lambda v, a, c: total(v * a, -1) + c,),
    ),
    Misconception(
        "scale_divided",
        "y_test",
        "divided instead of multiplied",
        "The weights were divided by the keep probability. With all units present the sum is too large: multiply.",
        (lambda v, a, c, p: total(v * a / p[..., None], -1) + c,),
    ),
    Misconception(
        "bias_scaled",
        "y_test",
        "bias scaled too",
        "The bias was scaled along. No mask ever switched it off: only the weights that carry dropped units shrink.",
        (lambda v, a, c, p: p * (total(v * a, -1) + c),),
    ),
)

_MASK: Final = (
    Misconception(
        "mask_left_out",
        "d",
        "mask left out",
        "The mask was not applied. Where it is 0 the unit is dropped: it passes nothing on.",
        (lambda a: a,),
        where=_dropped,
    ),
    Misconception(
        "mask_reversed",
        "d",
        "mask reversed",
        "The mask is the wrong way round. A 1 keeps the unit, a 0 drops it.",
        (lambda m, a: (1 - m) * a,),
    ),
    Misconception(
        "net_input_masked",
        "d",
        "mask on the net input",
        "The mask was applied to the net input. It is applied to the activation.",
        (lambda m, z: m * z, lambda m, z, p: m * z / p[..., None]),
        where=lambda m, z, a: (m != 0) & (z != a),
    ),
    Misconception(
        "mask_left_out",
        "y",
        "nothing dropped",
        "The activations before dropout were summed. In training the output sees what the mask has left of them.",
        (lambda v, a, c: total(v * a, -1) + c,),
    ),
    Misconception(
        "bias_left_out",
        "y",
        "bias left out",
        "The output's bias is missing. Think of it as one more weight, on an input that is always 1.",
        (lambda v, d: total(v * d, -1),),
    ),
    Misconception(
        "mask_at_test",
        "y_test",
        "mask at test time",
        "The mask was applied. At test time every unit takes part.",
        (lambda v, d, c: total(v * d, -1) + c,),
    ),
    Misconception(
        "weights_left_out",
        "grad_d",
        "weight left out",
        "The derivative came back without its weight. What flows back along a connection is multiplied by its weight.",
        (lambda grad_y, v: grad_y[..., None] + 0 * v,),
    ),
    Misconception(
        "activation_for_weight",
        "grad_d",
        "activation instead of weight",
        "This was multiplied by the activation. That makes the gradient of the weight; the unit takes the *weight*.",
        (lambda grad_y, a: grad_y[..., None] * a,),
    ),
    Misconception(
        "mask_left_out",
        "grad_a",
        "mask left out",
        MASK_LEFT_OUT,
        (lambda grad_d: grad_d, lambda grad_d, p: grad_d / p[..., None]),
        where=_dropped,
    ),
    Misconception(
        "mask_left_out",
        "grad_v",
        "activation before dropout",
        BEFORE_DROPOUT,
        (lambda grad_y, a: grad_y[..., None] * a,),
        where=_dropped,
    ),
    Misconception(
        "input_left_out",
        "grad_v",
        "input left out",
        "This is the derivative by the output alone. A weight's gradient takes what comes *in* along that weight.",
        (lambda grad_y, v: grad_y[..., None] + 0 * v,),
    ),
    Misconception(
        "weight_for_input",
        "grad_v",
        "weight instead of input",
        "This was multiplied by the weight itself. The derivative by a weight takes what the weight multiplies.",
        (lambda grad_y, v: grad_y[..., None] * v,),
    ),
    Misconception(
        "times_input",
        "grad_c",
        "multiplied by an input",
        "This was multiplied by an activation. A bias has the constant 1 as its input.",
        (lambda grad_y, a: grad_y * a[..., 0],),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout(Lesson):
    """Two inputs, a hidden layer of which a mask drops some units, and one linear output."""

    kind: ClassVar[str] = "dropout"
    activation: Literal["relu", "tanh", "sigmoid"] = "sigmoid"
    scaling: Literal["inverted", "test"] = "inverted"
    hidden: Literal[2, 3, 4] = 3

    @property
    def _inverted(self) -> bool:
        return self.scaling == "inverted"

    def given(self) -> tuple[Given, ...]:
        """The example, the parameters, and the mask."""
        each = (self.hidden,)
        return (
            Given("x", (2,), "Input", "x_$k", "x_{$k}"),
            Given("t", (), "Target", "t", "t"),
            Given("W", (self.hidden, 2), "Weights", "w_$index", "w_{$index}"),
            Given("b", each, "Biases", "b_$k", "b_{$k}"),
            Given("m", each, "Mask", "m_$k", "m_{$k}", within=MASK),
            Given("p", (), "Keep probability", "p", "p", within=PROBABILITY),
            Given("v", each, "Output weights", "v_$k", "v_{$k}"),
            Given("c", (), "Output bias", "c", "c"),
            Given("eta", (), "Learning rate", "η", r"\eta", within=POSITIVE),
        )

    def quantities(self) -> tuple[Quantity, ...]:
        """There and back through the mask, and once without it."""
        a = activated(self.activation, text="a_$k", symbol="a_{$k}")
        symbol = r"\frac{\mathrm{d} a_{$k}}{\mathrm{d} z_{$k}}"
        da_dz = sloping(self.activation, text="da_$k/dz_$k", symbol=symbol)
        forward = (z, a, d(inverted=self._inverted), y, y_test(inverted=self._inverted))
        backward = (E, grad_y, grad_d, grad_a(inverted=self._inverted), da_dz, grad_z)
        gradients = (grad_v, grad_c, grad_weights, grad_b)
        return tuple(map(self.place, (*forward, *backward, *gradients, *_UPDATES)))

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong with dropout."""
        return (
            *affine_mistakes("z", "W", "x", "b", square=self.hidden == 2),
            *of_activation(self.activation, {}),
            *_MASK,
            *(_INVERTED if self._inverted else _PLAIN),
            *of_single_output("y"),
            *slope_mistakes("grad_z", "grad_a", "da_dz"),
            *by_weights_mistakes("grad_W", "grad_z", "x", "W", square=False),
            *by_biases_mistakes("grad_b", "grad_z", "x"),
            *step_mistakes("v", 1),
            *step_mistakes("c", 0),
            *step_mistakes("W", 2),
            *step_mistakes("b", 1),
        )

    @property
    def has_zeros(self) -> bool:
        """A dropped unit is 0, and so is all that it passes on."""
        return True

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Activation, mask, what happens at test time, error."""
        kind, dropped, test = ACTIVATIONS[self.activation], d(inverted=self._inverted), y_test(inverted=self._inverted)
        return (
            Rule("Activation", kind.title, kind.latex),
            Rule("Dropout", "inverted; 1 keeps a unit" if self._inverted else "1 keeps a unit", dropped.latex),
            Rule("Test time", "nothing is dropped", test.latex),
            Rule("Error", "half squared error", E.latex),
        )

    @property
    def sketch(self) -> Shape:
        """One hidden layer."""
        return (2, self.hidden, 1)
