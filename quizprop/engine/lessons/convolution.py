r"""A convolution in one dimension: a kernel that slides over an input, an activation, one output, and back.

"Convolution" is what the field calls it: the cross-correlation z_i = sum_k w_k x_{i+k-1} + b, the kernel not flipped,
without padding, with stride 1. Shapes: x ``(length,)``, w ``(kernel,)``, b and t scalars; z, a and what belongs to them
``(length - kernel + 1,)``, one number for each position of the kernel. The output y is the mean or the largest of the
activations, or their sum with weights v of their own. Sources: LeCun et al., "Gradient-Based Learning Applied to
Document Recognition" (1998); Goodfellow, Bengio and Courville, "Deep Learning" (2016), ch. 9.1 and 9.5.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar, Final, Literal

import numpy as np

from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.arrays import Array, choose, greatest, total
from quizprop.engine.graph import Formula, Quantity, step
from quizprop.engine.lessons.one_output import (
    activated,
    activation_latex,
    error_derivative,
    gradient_step,
    half_square,
    half_square_mistakes,
    sloped,
)
from quizprop.engine.lessons.pieces import (
    difference_mistakes,
    of_activation,
    product,
    slope_mistakes,
    step_mistakes,
)
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import Given, Lesson, Rule, Shape

__all__ = ["Convolution"]


def windows(x: Array, width: int) -> Array:
    """What the kernel sees at each position: ``(..., positions, width)``."""
    return np.stack([x[..., start : start + width] for start in range(x.shape[-1] - width + 1)], -2)


def spread_back(w: Array, z: Array) -> Array:
    """For each input the sum of w_k z_i over the positions i that see it, each through its weight k."""
    width, positions = w.shape[-1], z.shape[-1]
    cells = [
        [w[..., k] * z[..., place - k] for k in range(width) if 0 <= place - k < positions]
        for place in range(positions + width - 1)
    ]
    return np.stack([reduce(np.add, cell) for cell in cells], -1)


def slid(w: Array, x: Array) -> Array:
    """The kernel laid over each position: products with what it sees there, added up."""
    return total(w[..., None, :] * windows(x, w.shape[-1]), -1)


# --- forward --------------------------------------------------------------------------------------------------------


@step("z", title="net input", latex=r"z_i = \sum_k w_k\,x_{i+k-1} + b", phase="forward", text="z$k", symbol="z_{$k}")
def z(w: Array, x: Array, b: Array) -> Array:
    """The same kernel and the same bias at every position."""
    return slid(w, x) + b[..., None]


def _output(latex: str, guard: str = "") -> Callable[[Callable[..., Array]], Formula]:
    return step("y", title="output", latex=latex, phase="forward", text="y", symbol="y", guard=guard)


def y_mean(a: Array) -> Array:
    """Mean pooling: the average over all positions."""
    return total(a, -1) / a.shape[-1]


def y_max(a: Array) -> Array:
    """Max pooling: the largest of all positions."""
    return greatest(a)


def y_weighted(v: Array, a: Array) -> Array:
    """A weight for each position."""
    return total(v * a, -1)


_OUTPUTS: Final[Mapping[str, tuple[Callable[..., Array], str]]] = {
    "mean": (y_mean, r"y = \frac{1}{n} \sum_i a_i"),
    "max": (y_max, r"y = \max_i a_i"),
    "none": (y_weighted, r"y = \sum_i v_i\,a_i"),
}

# --- backward -------------------------------------------------------------------------------------------------------


@step(
    "switch",
    title="is the position the largest",
    latex=r"s_i = 1 \text{ if } a_i \text{ is the largest, else } 0",
    phase="backward",
    text="s$k",
    symbol="s_{$k}",
    whole=True,
    options=("no", "yes"),
)
def switch(a: Array) -> Array:
    """1 where the pooling took its value from, else 0."""
    others = [np.delete(a, place, -1) for place in range(a.shape[-1])]
    cells = [choose(a[..., place] - greatest(rest), 1.0, 0.0) for place, rest in enumerate(others)]
    return np.stack(cells, -1)


def _by_activation(latex: str) -> Callable[[Callable[..., Array]], Formula]:
    return step(
        "grad_a",
        title="derivative of the error by the activation",
        latex=rf"\frac{{\partial E}}{{\partial a_i}} = {latex}",
        phase="backward",
        text="∂E/∂a$k",
        symbol=r"\frac{\partial E}{\partial a_{$k}}",
    )


@_by_activation(r"\frac{1}{n}\,\frac{\partial E}{\partial y}")
def grad_a_mean(grad_y: Array, a: Array) -> Array:
    """Every position has the same share in the mean."""
    return grad_y[..., None] / a.shape[-1] + 0 * a


@_by_activation(r"s_i\,\frac{\partial E}{\partial y}")
def grad_a_max(switch: Array, grad_y: Array) -> Array:
    """All of it goes to the position that was the largest."""
    return switch * grad_y[..., None]


@_by_activation(r"v_i\,\frac{\partial E}{\partial y}")
def grad_a_weighted(v: Array, grad_y: Array) -> Array:
    """Back through the weight of the position."""
    return v * grad_y[..., None]


_SENT_BACK: Final = {"mean": grad_a_mean, "max": grad_a_max, "none": grad_a_weighted}

delta = step(
    "grad_z",
    title="delta",
    latex=r"\delta_i = \frac{\partial E}{\partial a_i}\,\frac{\mathrm{d} a_i}{\mathrm{d} z_i}",
    phase="backward",
    text="δ$k",
    symbol=r"\delta_{$k}",
    reads=("grad_a", "slope"),
)(product)


@step(
    "grad_x",
    title="derivative of the error by the input",
    latex=r"\frac{\partial E}{\partial x_j} = \sum_k w_k\,\delta_{j-k+1}",
    phase="backward",
    text="∂E/∂x$k",
    symbol=r"\frac{\partial E}{\partial x_{$k}}",
)
def grad_x(w: Array, grad_z: Array) -> Array:
    """An input is seen from several positions, each time through another weight."""
    return spread_back(w, grad_z)


# --- gradients ------------------------------------------------------------------------------------------------------


@step(
    "grad_w",
    title="gradient of a kernel weight",
    latex=r"\frac{\partial E}{\partial w_k} = \sum_i \delta_i\,x_{i+k-1}",
    phase="gradients",
    text="∂E/∂w$k",
    symbol=r"\frac{\partial E}{\partial w_{$k}}",
)
def grad_w(grad_z: Array, x: Array) -> Array:
    """A kernel weight is used at every position: delta times what it saw there, added up."""
    return slid(grad_z, x)


@step(
    "grad_b",
    title="gradient of the bias",
    latex=r"\frac{\partial E}{\partial b} = \sum_i \delta_i",
    phase="gradients",
    text="∂E/∂b",
    symbol=r"\frac{\partial E}{\partial b}",
)
def grad_b(grad_z: Array) -> Array:
    """The bias is used at every position too."""
    return total(grad_z, -1)


@step(
    "grad_v",
    title="gradient of an output weight",
    latex=r"\frac{\partial E}{\partial v_i} = \frac{\partial E}{\partial y}\,a_i",
    phase="gradients",
    text="∂E/∂v$k",
    symbol=r"\frac{\partial E}{\partial v_{$k}}",
)
def grad_v(grad_y: Array, a: Array) -> Array:
    """The output's derivative times what the weight multiplies."""
    return grad_y[..., None] * a


# --- what goes wrong ------------------------------------------------------------------------------------------------

KERNEL_FLIPPED: Final = (
    "The kernel was turned round. Mathematicians convolve like that; here its first weight lies on the first input "
    "that it sees."
)
POSITION_ONLY: Final = (
    "Only one position was counted. The kernel is the same everywhere, so what every position contributes adds up."
)
POSITIONS_AVERAGED: Final = "The positions were averaged. The contributions to a shared weight add up."


def _flipped(w: Array) -> Array:
    return w[..., ::-1]


def _next(x: Array) -> Array:
    """What stands one place further on; at the end, what stands first."""
    return np.concatenate([x[..., 1:], x[..., :1]], -1)


_FORWARD: Final = (
    Misconception(
        "bias_left_out",
        "z",
        "bias left out",
        "The bias is missing. It is one number, added at every position.",
        (slid,),
    ),
    Misconception(
        "kernel_flipped",
        "z",
        "kernel flipped",
        KERNEL_FLIPPED,
        (lambda w, x, b: slid(_flipped(w), x) + b[..., None],),
    ),
    Misconception(
        "one_place_late",
        "z",
        "one place too far on",
        "The kernel lies one place too far on. At the first position its first weight lies on the first input.",
        (lambda w, x, b: slid(w, _next(x)) + b[..., None],),
        where=lambda w, x, b: np.arange(x.shape[-1] - w.shape[-1] + 1) + 0 * b[..., None] < x.shape[-1] - w.shape[-1],
    ),
    Misconception(
        "one_input_only",
        "z",
        "one input only",
        "Only the first input under the kernel was counted. Every weight of the kernel multiplies the input under it.",
        (lambda w, x, b: w[..., :1] * windows(x, w.shape[-1])[..., 0] + b[..., None],),
    ),
)

_BACK: Final = (
    Misconception(
        "kernel_not_turned",
        "grad_x",
        "weights in the wrong order",
        "These are the wrong pairs. For each position that sees this input, ask through which weight it sees it.",
        (lambda w, grad_z: spread_back(_flipped(w), grad_z),),
    ),
    Misconception(
        "weights_left_out",
        "grad_x",
        "weights left out",
        "The deltas came back without their weights. Each passes the kernel weight through which the position sees "
        "the input.",
        (lambda w, grad_z: spread_back(0 * w + 1, grad_z),),
    ),
    Misconception(
        "error_for_delta",
        "grad_x",
        "error instead of delta",
        "The derivatives by the activations were sent back. Send back the deltas, which have the slopes in them.",
        (lambda w, grad_a: spread_back(w, grad_a),),
        where=lambda w, slope: spread_back(0 * w + 1, (slope != 1) + 0.0) > 0,
    ),
)

_GRADIENTS: Final = (
    Misconception(
        "indices_swapped",
        "grad_w",
        "gradient turned round",
        "The gradients of the kernel are in the wrong order. The first weight meets, at each position, the first input "
        "under the kernel.",
        (lambda grad_z, x: _flipped(slid(grad_z, x)),),
        where=lambda grad_z, x: (
            np.arange(x.shape[-1] - grad_z.shape[-1] + 1) * 2 + 0 * grad_z[..., :1] != x.shape[-1] - grad_z.shape[-1]
        ),
    ),
    Misconception(
        "deltas_turned",
        "grad_w",
        "deltas in the wrong order",
        "The deltas met the inputs in the wrong order. Each is multiplied by what the weight saw at its position.",
        (lambda grad_z, x: slid(_flipped(grad_z), x),),
        where=lambda grad_z: (grad_z != _flipped(grad_z)).any(-1)[..., None],
    ),
    Misconception(
        "positions_averaged",
        "grad_w",
        "positions averaged",
        POSITIONS_AVERAGED,
        (lambda grad_z, x: slid(grad_z, x) / grad_z.shape[-1],),
    ),
    Misconception(
        "input_left_out",
        "grad_w",
        "inputs left out",
        "These are the deltas alone. Each is multiplied by the input that the weight saw at its position.",
        (lambda grad_z, x: slid(grad_z, 0 * x + 1),),
    ),
    Misconception(
        "error_for_delta",
        "grad_w",
        "error instead of delta",
        "The derivatives by the activations were used. A gradient needs the deltas, which have the slopes in them.",
        (lambda grad_a, x: slid(grad_a, x),),
        where=lambda slope: (slope != 1).any(-1)[..., None],
    ),
    Misconception(
        "positions_averaged",
        "grad_b",
        "positions averaged",
        POSITIONS_AVERAGED,
        (lambda grad_z: grad_z.sum(-1) / grad_z.shape[-1],),
    ),
    Misconception(
        "times_input",
        "grad_b",
        "multiplied by the inputs",
        "The deltas were multiplied by inputs. A bias has the constant 1 as its input.",
        (lambda grad_z, x: (grad_z * x[..., : grad_z.shape[-1]]).sum(-1),),
    ),
)

_EVERY_POSITION: Final = (
    Misconception(
        "one_position_only",
        "grad_w",
        "one position only",
        POSITION_ONLY,
        (
            lambda grad_z, x: grad_z[..., :1] * windows(x, x.shape[-1] - grad_z.shape[-1] + 1)[..., 0, :],
            lambda grad_z, x: grad_z[..., -1:] * windows(x, x.shape[-1] - grad_z.shape[-1] + 1)[..., -1, :],
        ),
        where=lambda grad_z: (grad_z[..., 1:] != 0).any(-1)[..., None] & (grad_z[..., :-1] != 0).any(-1)[..., None],
    ),
    Misconception(
        "one_position_only",
        "grad_b",
        "one position only",
        POSITION_ONLY,
        (lambda grad_z: grad_z[..., 0], lambda grad_z: grad_z[..., -1]),
        where=lambda grad_z: (grad_z[..., 1:] != 0).any(-1) & (grad_z[..., :-1] != 0).any(-1),
    ),
)

_POOLED: Final = {
    "mean": (
        Misconception(
            "sum_for_mean",
            "y",
            "sum instead of mean",
            "The activations were added up. Mean pooling divides by the number of positions.",
            (lambda a: a.sum(-1),),
        ),
        Misconception(
            "net_input_passed_on",
            "y",
            "net inputs pooled",
            "The net inputs were averaged. Pooling comes after the activation function.",
            (lambda z: z.sum(-1) / z.shape[-1],),
            where=lambda z, a: (z != a).any(-1),
        ),
        Misconception(
            "mean_left_out",
            "grad_a",
            "mean left out",
            "This is the whole derivative by the output. In a mean each position has only its share.",
            (lambda grad_y, a: grad_y[..., None] + 0 * a,),
        ),
        Misconception(
            "times_value",
            "grad_a",
            "multiplied by the activation",
            "The activation was multiplied in. By one of its terms, the derivative of a mean is one over their number.",
            (lambda grad_y, a: grad_y[..., None] * a / a.shape[-1],),
        ),
        *_EVERY_POSITION,
    ),
    "max": (
        Misconception(
            "mean_for_max",
            "y",
            "mean instead of the largest",
            "The activations were averaged. Max pooling takes the largest of them.",
            (lambda a: a.sum(-1) / a.shape[-1],),
        ),
        Misconception(
            "smallest_taken",
            "y",
            "the smallest taken",
            "This is the smallest of the activations. Mind the signs: max pooling takes the largest.",
            (lambda a: -greatest(-a),),
        ),
        Misconception(
            "smallest_taken",
            "switch",
            "the smallest chosen",
            "Look again which position was the largest: the error goes back to where the output came from.",
            (lambda a: switch(-a),),
        ),
        Misconception(
            "every_position",
            "grad_a",
            "sent to every position",
            "The error was sent to every position. Only the largest has moved the output; for the others it is 0.",
            (lambda grad_y, a: grad_y[..., None] + 0 * a,),
            where=lambda switch: switch == 0,
        ),
        Misconception(
            "shared_equally",
            "grad_a",
            "shared among the positions",
            "The error was shared out, as for a mean. With max pooling all of it belongs to the largest position.",
            (lambda grad_y, a: grad_y[..., None] / a.shape[-1] + 0 * a,),
        ),
        Misconception(
            "times_value",
            "grad_a",
            "multiplied by the activation",
            "The activation was multiplied in. Moved a little, the largest moves the output just as far.",
            (lambda switch, grad_y, a: switch * grad_y[..., None] * a,),
        ),
    ),
    "none": (
        Misconception(
            "weights_left_out",
            "y",
            "output weights left out",
            "The activations were added up as they are. Each is multiplied by its output weight first.",
            (lambda a: a.sum(-1),),
        ),
        Misconception(
            "net_input_passed_on",
            "y",
            "net inputs passed on",
            "The net inputs were weighted. The output takes the activations, after the activation function.",
            (lambda v, z: (v * z).sum(-1),),
            where=lambda z, a: (z != a).any(-1),
        ),
        Misconception(
            "weights_left_out",
            "grad_a",
            "output weights left out",
            "This is the derivative by the output alone. Back to a position it passes that position's output weight.",
            (lambda v, grad_y: 0 * v + grad_y[..., None],),
        ),
        Misconception(
            "updated_weights",
            "grad_a",
            "updated weights used",
            "The error went back through the *updated* weights. Use those of the forward pass.",
            (lambda v_new, grad_y: v_new * grad_y[..., None],),
            where=lambda grad_v: grad_v != 0,
        ),
        Misconception(
            "weight_for_input",
            "grad_v",
            "weight instead of activation",
            "This is multiplied by the weight itself. The derivative takes what the weight multiplies: the activation.",
            (lambda grad_y, v: grad_y[..., None] * v,),
        ),
        Misconception(
            "net_input_for_activation",
            "grad_v",
            "net input instead of activation",
            "This is multiplied by the net input. The output weight saw the activation.",
            (lambda grad_y, z: grad_y[..., None] * z,),
            where=lambda z, a: z != a,
        ),
        *_EVERY_POSITION,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution(Lesson):
    """A kernel over an input, pooled to one output or read by weights of its own."""

    kind: ClassVar[str] = "convolution"
    length: Literal[4, 5] = 4
    kernel: Literal[2, 3] = 2
    activation: Literal["relu", "tanh", "sigmoid"] = "relu"
    pooling: Literal["mean", "max", "none"] = "mean"

    @property
    def _positions(self) -> int:
        return self.length - self.kernel + 1

    @property
    def _trained(self) -> tuple[str, ...]:
        return ("w", "b", "v") if self.pooling == "none" else ("w", "b")

    def given(self) -> tuple[Given, ...]:
        """The input, the kernel and its bias, output weights where there are any, the target."""
        weights = (Given("v", (self._positions,), "Output weights", "v$k", "v_{$k}"),)
        return (
            Given("x", (self.length,), "Input", "x$k", "x_{$k}"),
            Given("w", (self.kernel,), "Kernel", "w$k", "w_{$k}"),
            Given("b", (), "Bias", "b", "b"),
            *(weights if self.pooling == "none" else ()),
            Given("t", (), "Target", "t", "t"),
            Given("eta", (), "Learning rate", "η", r"\eta"),
        )

    def quantities(self) -> tuple[Quantity, ...]:
        """Forward, and back to the kernel."""
        return tuple(self.place(formula) for formula in (*self._forward(), *self._backward(), *self._update()))

    def _forward(self) -> Iterator[Formula]:
        yield z
        yield activated(self.activation, "a", title="activation", text="a$k", symbol="a_{$k}", value="a_i", net="z_i")
        function, latex = _OUTPUTS[self.pooling]
        # Were all positions off, nothing would be left to learn from.
        guard = "positive" if self.activation == "relu" and self.pooling != "none" else ""
        yield _output(latex, guard)(function)
        yield half_square("E", title="error", text="E", symbol="E", latex=r"E = \tfrac{1}{2}\,(t - y)^2")

    def _backward(self) -> Iterator[Formula]:
        by_output = r"\frac{\partial E}{\partial y}"
        yield error_derivative("grad_y", text="∂E/∂y", symbol=by_output, latex=rf"{by_output} = y - t")
        if self.pooling == "max":
            yield switch
        yield _SENT_BACK[self.pooling]
        derivative = r"\frac{\mathrm{d} a_{$k}}{\mathrm{d} z_{$k}}"
        yield sloped(self.activation, "a", text="da$k/dz$k", symbol=derivative, value="a_i", net="z_i")
        yield delta
        yield grad_x

    def _update(self) -> Iterator[Formula]:
        yield from (grad_w, grad_b)
        if self.pooling == "none":
            yield grad_v
        yield gradient_step("w", title="updated kernel weight", text="w$k", symbol="w_{$k}", letter="w_k", axes=1)
        yield gradient_step("b", title="updated bias", text="b", symbol="b")
        if self.pooling == "none":
            yield gradient_step("v", title="updated output weight", text="v$k", symbol="v_{$k}", letter="v_i", axes=1)

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong with a kernel that is shared, and around it."""
        return (
            *_FORWARD,
            *of_activation(self.activation, {"da_dz": "slope"}),
            *half_square_mistakes("E"),
            *difference_mistakes("grad_y", "y", "t"),
            *_POOLED[self.pooling],
            *slope_mistakes("grad_z", "grad_a", "slope"),
            *_BACK,
            *_GRADIENTS,
            *(mistake for name in self._trained for mistake in step_mistakes(name, 0 if name == "b" else 1)),
        )

    @property
    def has_zeros(self) -> bool:
        """Where a ReLU is off, or a position is not the largest."""
        return self.activation == "relu" or self.pooling == "max"

    @property
    def rules(self) -> tuple[Rule, ...]:
        """How the kernel lies, what becomes of the activations, the loss."""
        latex = activation_latex(self.activation, "a_i", "z_i")
        pooling = {"mean": "mean pooling", "max": "max pooling", "none": "a weight for each position"}
        return (
            Rule("Convolution", "the kernel is not flipped; stride 1, no padding", r"z_i = \sum_k w_k\,x_{i+k-1} + b"),
            Rule("Activation", ACTIVATIONS[self.activation].title, latex),
            Rule("Output", pooling[self.pooling], _OUTPUTS[self.pooling][1]),
            Rule("Error", "", r"E = \tfrac{1}{2}\,(t - y)^2"),
        )

    @property
    def sketch(self) -> Shape:
        """Inputs, positions, the output."""
        return (self.length, self._positions, 1)

    @property
    def outline(self) -> str:
        """Kernel and input."""
        return f"{self.kernel} over {self.length}"
