r"""Tied weights: an autoencoder that writes its input down in one number and reads it back by the same weights.

x, the weights w, the output y and its biases c are ``(2,)``, everything else is a scalar. The target is the input.
Source: Goodfellow, Bengio and Courville, "Deep Learning" (2016), ch. 14; Vincent, Larochelle, Lajoie, Bengio and
Manzagol, "Stacked Denoising Autoencoders" (2010), for the weights that are tied.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.arrays import Array, total
from quizprop.engine.graph import Quantity, step
from quizprop.engine.lessons.pieces import (
    activated,
    by_biases,
    difference,
    difference_mistakes,
    half_squares,
    half_squares_mistakes,
    of_activation,
    partial,
    product,
    renamed,
    slope_mistakes,
    sloping,
    step_mistakes,
    updated,
)
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import POSITIVE, Given, Lesson, Rule, Shape

__all__ = ["Tied"]

# --- forward --------------------------------------------------------------------------------------------------------


@step("z", title="net input of the code", latex=r"z = \sum_k w_k\,x_k + b", phase="forward", text="z", symbol="z")
def z(w: Array, x: Array, b: Array) -> Array:
    """The encoder sums up the input by the weights, plus its bias."""
    return total(w * x, -1) + b


def _of_code(latex: str) -> str:
    return renamed(latex.replace("_j", ""), a="h")


@step("y", title="output", latex=r"y_k = w_k\,h + c_k", phase="forward", text="y_$k", symbol="y_{$k}")
def y(w: Array, h: Array, c: Array) -> Array:
    """The decoder spreads the code by the same weights, plus its own biases."""
    return w * h[..., None] + c


E = step(
    "E",
    title="error",
    latex=r"E = \tfrac{1}{2} \sum_k (x_k - y_k)^2",
    phase="loss",
    text="E",
    symbol="E",
    reads=("y", "x"),
)(half_squares)


# --- backward -------------------------------------------------------------------------------------------------------

grad_y = step(
    "grad_y",
    title="derivative by the output",
    latex=rf"{partial('y_k')} = y_k - x_k",
    phase="backward",
    text="∂E/∂y_$k",
    symbol=partial("y_{$k}"),
    reads=("y", "x"),
)(difference)


@step(
    "grad_h",
    title="derivative by the code",
    latex=rf"{partial('h')} = \sum_k w_k\,{partial('y_k')}",
    phase="backward",
    text="∂E/∂h",
    symbol=partial("h"),
)
def grad_h(w: Array, grad_y: Array) -> Array:
    """The code feeds every output: what comes back along each weight adds up."""
    return total(w * grad_y, -1)


grad_z = step(
    "grad_z",
    title="delta of the code",
    latex=rf"\delta = {partial('h')}\,\frac{{\mathrm{{d}} h}}{{\mathrm{{d}} z}}",
    phase="backward",
    text="δ",
    symbol=r"\delta",
    reads=("grad_h", "dh_dz"),
)(product)


# --- gradients and update -------------------------------------------------------------------------------------------


@step(
    "decoder",
    title="a weight's part as decoder",
    latex=rf"g^{{\text{{dec}}}}_k = {partial('y_k')}\,h",
    phase="gradients",
    text="g^dec_$k",
    symbol=r"g^{\text{dec}}_{$k}",
)
def decoder(grad_y: Array, h: Array) -> Array:
    """In its second use the weight multiplies the code, on the way to an output."""
    return grad_y * h[..., None]


@step(
    "encoder",
    title="a weight's part as encoder",
    latex=r"g^{\text{enc}}_k = \delta\,x_k",
    phase="gradients",
    text="g^enc_$k",
    symbol=r"g^{\text{enc}}_{$k}",
)
def encoder(grad_z: Array, x: Array) -> Array:
    """In its first use the weight multiplies an input, on the way to the code."""
    return grad_z[..., None] * x


@step(
    "grad_w",
    title="gradient of a weight",
    latex=rf"{partial('w_k')} = g^{{\text{{enc}}}}_k + g^{{\text{{dec}}}}_k",
    phase="gradients",
    text="∂E/∂w_$k",
    symbol=partial("w_{$k}"),
)
def grad_w(encoder: Array, decoder: Array) -> Array:
    """One weight, used twice: what both uses bring back adds up."""
    return encoder + decoder


grad_b = step(
    "grad_b",
    title="gradient of the code's bias",
    latex=rf"{partial('b')} = \delta",
    phase="gradients",
    text="∂E/∂b",
    symbol=partial("b"),
    reads=("grad_z",),
)(by_biases)

grad_c = step(
    "grad_c",
    title="gradient of an output's bias",
    latex=rf"{partial('c_k')} = {partial('y_k')}",
    phase="gradients",
    text="∂E/∂c_$k",
    symbol=partial("c_{$k}"),
    reads=("grad_y",),
)(by_biases)

_UPDATES: Final = (
    updated("w", 1, "weight", text="w_$k", latex="w", symbol="w^{+}_{$k}"),
    updated("b", 0, "bias of the code", text="b", latex="b", symbol="b^{+}"),
    updated("c", 1, "bias of an output", text="c_$k", latex="c", symbol="c^{+}_{$k}"),
)


# --- what goes wrong ------------------------------------------------------------------------------------------------

_MISTAKES: Final = (
    Misconception(
        "bias_left_out",
        "z",
        "bias left out",
        "The bias is missing. Think of it as one more weight, on an input that is always 1.",
        (lambda w, x: total(w * x, -1),),
    ),
    Misconception(
        "one_input_only",
        "z",
        "one input only",
        "Only one of the inputs was counted. Every input contributes weight times value.",
        (lambda w, x, b: w[..., 0] * x[..., 0] + b,),
    ),
    Misconception(
        "bias_left_out",
        "y",
        "bias left out",
        "The output's bias is missing. Think of it as one more weight, on an input that is always 1.",
        (lambda w, h: w * h[..., None],),
    ),
    Misconception(
        "net_input_passed_on",
        "y",
        "net input passed on",
        "The net input of the code was read back. What travels on is the code itself, after its activation.",
        (lambda w, z, c: w * z[..., None] + c,),
    ),
    Misconception(
        "input_for_code",
        "y",
        "input instead of code",
        "The weight was multiplied by the input again. The decoder sees the code alone.",
        (lambda w, x, c: w * x + c,),
    ),
    Misconception(
        "one_path_only",
        "grad_h",
        "one path only",
        "Only one path was counted. The code feeds every output: add up what comes back along each weight.",
        (lambda w, grad_y: w[..., 0] * grad_y[..., 0], lambda w, grad_y: w[..., -1] * grad_y[..., -1]),
    ),
    Misconception(
        "weights_left_out",
        "grad_h",
        "weights left out",
        "The derivatives came back without their weights. What flows back along a connection is multiplied by its "
        "weight.",
        (lambda grad_y: total(grad_y, -1),),
    ),
    Misconception(
        "input_for_code",
        "decoder",
        "input instead of code",
        "This was multiplied by the input. In the decoder the weight multiplies the *code*.",
        (lambda grad_y, x: grad_y * x,),
    ),
    Misconception(
        "weight_for_input",
        "decoder",
        "weight instead of code",
        "This was multiplied by the weight itself. The derivative by a weight takes what the weight multiplies.",
        (lambda grad_y, w: grad_y * w,),
    ),
    Misconception(
        "slope_left_out",
        "encoder",
        "slope left out",
        "The derivative by the code was used. The encoder's part needs the delta, which has the slope in it.",
        (lambda grad_h, x: grad_h[..., None] * x,),
    ),
    Misconception(
        "input_left_out",
        "encoder",
        "input left out",
        "This is the delta alone. In the encoder the weight multiplies an input.",
        (lambda grad_z, x: grad_z[..., None] + 0 * x,),
    ),
    Misconception(
        "weight_for_input",
        "encoder",
        "weight instead of input",
        "This was multiplied by the weight itself. The derivative by a weight takes what the weight multiplies.",
        (lambda grad_z, w: grad_z[..., None] * w,),
    ),
    Misconception(
        "decoder_only",
        "grad_w",
        "decoder's part only",
        "Only the decoder's use was counted. The encoder uses the same weight: add its part.",
        (lambda decoder: decoder,),
    ),
    Misconception(
        "encoder_only",
        "grad_w",
        "encoder's part only",
        "Only the encoder's use was counted. The decoder uses the same weight: add its part.",
        (lambda encoder: encoder,),
    ),
    Misconception(
        "uses_averaged",
        "grad_w",
        "uses averaged",
        "The two parts were averaged. A weight that is used twice moves the error by both uses: they add up.",
        (lambda encoder, decoder: (encoder + decoder) / 2,),
    ),
    Misconception(
        "uses_multiplied",
        "grad_w",
        "uses multiplied",
        "The two parts were multiplied. Along one way derivatives are multiplied; different ways add up.",
        (lambda encoder, decoder: encoder * decoder,),
    ),
    Misconception(
        "one_use_only",
        "w_new",
        "step of one use only",
        "The step was made with one of the two parts. There is one weight, and its gradient has both.",
        (
            lambda w, eta, encoder: w - eta[..., None] * encoder,
            lambda w, eta, decoder: w - eta[..., None] * decoder,
        ),
    ),
    Misconception(
        "times_input",
        "grad_b",
        "multiplied by an input",
        "The bias's delta was multiplied by an input. A bias has the constant 1 as its input.",
        (lambda grad_z, x: grad_z * x[..., 0],),
    ),
    Misconception(
        "times_code",
        "grad_c",
        "multiplied by the code",
        "The code belongs to the weight. A bias has the constant 1 as its input.",
        (lambda grad_y, h: grad_y * h[..., None],),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tied(Lesson):
    """y = w f(w x + b) + c, against x: two inputs, a code of one number, two outputs."""

    kind: ClassVar[str] = "tied"
    activation: Literal["sigmoid", "tanh"] = "tanh"

    def given(self) -> tuple[Given, ...]:
        """The input, which is the target too, and the parameters."""
        return (
            Given("x", (2,), "Input and target", "x_$k", "x_{$k}"),
            Given("w", (2,), "Weights", "w_$k", "w_{$k}"),
            Given("b", (), "Bias of the code", "b", "b"),
            Given("c", (2,), "Biases of the outputs", "c_$k", "c_{$k}"),
            Given("eta", (), "Learning rate", "η", r"\eta", within=POSITIVE),
        )

    def quantities(self) -> tuple[Quantity, ...]:
        """Into the code and out of it, and back to both uses of the weights."""
        h = activated(self.activation, "h", title="code", latex=_of_code, text="h", symbol="h")
        symbol = r"\frac{\mathrm{d} h}{\mathrm{d} z}"
        dh_dz = sloping(self.activation, "dh_dz", a="h", latex=_of_code, text="dh/dz", symbol=symbol)
        forward = (z, h, y, E)
        backward = (grad_y, grad_h, dh_dz, grad_z)
        gradients = (decoder, encoder, grad_w, grad_b, grad_c)
        return tuple(map(self.place, (*forward, *backward, *gradients, *_UPDATES)))

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong where a weight is used twice."""
        return (
            *_MISTAKES,
            *of_activation(self.activation, {"a": "h", "da_dz": "dh_dz"}),
            *half_squares_mistakes("E", "y", "x"),
            *difference_mistakes("grad_y", "y", "x"),
            *slope_mistakes("grad_z", "grad_h", "dh_dz"),
            *(kind for name, axes in (("w", 1), ("b", 0), ("c", 1)) for kind in step_mistakes(name, axes)),
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Activation, tying, error."""
        kind = ACTIVATIONS[self.activation]
        return (
            Rule("Code", kind.title, _of_code(kind.latex)),
            Rule("Weights", "tied: encoder and decoder use the same", y.latex),
            Rule("Error", "half squared error; the target is the input", E.latex),
        )

    @property
    def sketch(self) -> Shape:
        """Into one number and out of it."""
        return (2, 1, 2)
