"""What goes wrong in a convolution: in how the kernel slides, where positions are pooled, in the sums over them."""

from collections.abc import Callable
from typing import Final

import numpy as np

from quizprop.engine.arrays import Array, greatest, total
from quizprop.engine.lessons.sliding import arriving, correlated, reversed_order
from quizprop.engine.lessons.squared_error import output_mistakes
from quizprop.engine.lessons.unit import borrowed
from quizprop.engine.misconceptions import ETA_FORGOTTEN, STEP_ADDED
from quizprop.engine.mistakes import Misconception, reading

__all__ = ["convolution_mistakes"]


def _not_first(z: Array) -> Array:
    return np.broadcast_to(np.arange(z.shape[-1]) > 0, z.shape)


def _not_middle(w: Array) -> Array:
    places = np.arange(w.shape[-1])
    return np.broadcast_to(places != places[::-1], w.shape)


def _under_several(x: Array) -> Array:
    """The inputs but for the first and the last, which lie under the kernel once."""
    places = np.arange(x.shape[-1])
    return np.broadcast_to((places > 0) & (places < places[-1]), x.shape)


def _shifted(x: Array, by: int) -> Array:
    """Moved by one place, with a 0 at the end that is free: to the right by -1, to the left by 1."""
    nothing = 0 * x[..., :1]
    return np.concatenate([nothing, x[..., :-1]] if by < 0 else [x[..., 1:], nothing], axis=-1)


# --- forward --------------------------------------------------------------------------------------------------------

_NET_INPUT: Final = (
    Misconception(
        "bias_left_out",
        "z",
        "bias left out",
        "The bias is missing. It is added at every position.",
        (lambda x, w: correlated(x, w),),
    ),
    Misconception(
        "bias_subtracted",
        "z",
        "bias subtracted",
        "The bias was taken away. A net input adds it, whatever its own sign.",
        (lambda x, w, b: correlated(x, w) - b[..., None],),
    ),
    Misconception(
        "kernel_flipped",
        "z",
        "kernel turned round",
        "The kernel was turned round. Here it lies on the input as it stands, its first weight on the "
        "window's first input.",
        (lambda x, w, b: correlated(x, reversed_order(w)) + b[..., None],),
    ),
    Misconception(
        "padded",
        "z",
        "window begins one place early",
        "The window begins one place too early, with a 0 before the input. Here the kernel stays inside the input.",
        (lambda x, w, b: correlated(_shifted(x, -1), w) + b[..., None],),
    ),
    Misconception(
        "one_place_late",
        "z",
        "window begins one place late",
        "The window begins one place too late. At the first position the kernel lies on the first inputs.",
        (lambda x, w, b: correlated(_shifted(x, 1), w) + b[..., None],),
    ),
    Misconception(
        "kernel_not_moved",
        "z",
        "kernel not moved on",
        "This is the window of the first position once more. From position to position the kernel slides one place on.",
        (lambda x, w, b: 0 * correlated(x, w) + correlated(x, w)[..., :1] + b[..., None],),
        where=_not_first,
    ),
    Misconception(
        "one_input_only",
        "z",
        "one weight only",
        "Only the first weight was used. Every weight of the kernel meets the input below it, and the products add up.",
        (lambda x, w, b: w[..., :1] * x[..., : x.shape[-1] - w.shape[-1] + 1] + b[..., None],),
    ),
)


_MEAN: Final = (
    Misconception(
        "sum_for_mean",
        "o",
        "sum instead of mean",
        "The activations were added up. The mean also divides by the number of positions.",
        (lambda a: total(a, -1),),
    ),
    Misconception(
        "maximum_for_mean",
        "o",
        "largest instead of mean",
        "This is the largest activation, as in max pooling. Here the positions are averaged; see the conventions.",
        (lambda a: greatest(a),),
    ),
    Misconception(
        "net_input_for_activation",
        "o",
        "net inputs averaged",
        "The net inputs were averaged. Put each of them through the activation function first.",
        (lambda z: total(z, -1) / z.shape[-1],),
        where=lambda z, a: (z != a).any(-1),
    ),
    Misconception(
        "share_left_out",
        "grad_a",
        "not shared out",
        "The whole derivative went to this position. In a mean each position counts only for its share.",
        (lambda grad_o, a: grad_o[..., None] + 0 * a,),
    ),
    Misconception(
        "share_of_inputs",
        "grad_a",
        "divided by the number of inputs",
        "This was divided by the number of inputs. The mean was taken over the positions of the kernel: count those.",
        (lambda grad_o, a, x: grad_o[..., None] / x.shape[-1] + 0 * a,),
    ),
    Misconception(
        "share_multiplied",
        "grad_a",
        "multiplied instead of divided",
        "This was multiplied by the number of positions. The mean divides by it, and so does its derivative.",
        (lambda grad_o, a: grad_o[..., None] * a.shape[-1] + 0 * a,),
    ),
)

_MAXIMUM: Final = (
    Misconception(
        "mean_for_maximum",
        "o",
        "mean instead of largest",
        "The activations were averaged. Here the largest of them is the output; see the conventions.",
        (lambda a: total(a, -1) / a.shape[-1],),
    ),
    Misconception(
        "smallest_output",
        "o",
        "smallest instead of largest",
        "This is the smallest of the activations. Max pooling takes the largest; mind the signs.",
        (lambda a: -greatest(-a),),
    ),
    Misconception(
        "smallest_output",
        "switch",
        "another position",
        "Look again at the activations: the error goes back to the position from which the output came.",
        (lambda a: (a == -greatest(-a)[..., None]) + 0.0,),
    ),
    Misconception(
        "all_positions",
        "grad_a",
        "sent to every position",
        "The derivative went to every position. Only the largest has moved the output; the others get nothing.",
        (lambda grad_o, a: grad_o[..., None] + 0 * a,),
        where=lambda switch: switch == 0,
    ),
    Misconception(
        "shared_out",
        "grad_a",
        "shared out as in a mean",
        "The derivative was shared out, as in a mean. In max pooling the largest position gets all of it.",
        (lambda grad_o, a: grad_o[..., None] / a.shape[-1] + 0 * a,),
    ),
    Misconception(
        "activation_for_switch",
        "grad_a",
        "multiplied by the activation",
        "The derivative was multiplied by the activation. If the largest grows a little, the output grows by as much.",
        (lambda switch, grad_o, a: switch * grad_o[..., None] * a,),
    ),
)

_WEIGHTS: Final = (
    Misconception(
        "weights_left_out",
        "o",
        "output weights left out",
        "The activations were added up as they are. Each of them is multiplied by its output weight first.",
        (lambda a: total(a, -1),),
    ),
    Misconception(
        "net_input_for_activation",
        "o",
        "net inputs passed on",
        "The net inputs were passed on. Put each of them through the activation function first.",
        (lambda z, v: total(v * z, -1),),
        where=lambda z, a: (z != a).any(-1),
    ),
    Misconception(
        "mean_for_sum",
        "o",
        "mean instead of sum",
        "The products were averaged. An output unit adds them up.",
        (lambda a, v: total(v * a, -1) / a.shape[-1],),
    ),
    Misconception(
        "weight_left_out",
        "grad_a",
        "output weight left out",
        "This is the derivative by the output itself. On its way back to a position it passes that position's weight.",
        (lambda grad_o, v: grad_o[..., None] + 0 * v,),
    ),
    Misconception(
        "activation_for_weight",
        "grad_a",
        "activation instead of weight",
        "The derivative was multiplied by the activation. By the activation, what counts is the weight that it meets.",
        (lambda grad_o, a: grad_o[..., None] * a,),
    ),
    Misconception(
        "input_left_out",
        "grad_v",
        "activation left out",
        "This is the derivative by the output alone. Multiply it by the activation that the weight meets.",
        (lambda grad_o, v: grad_o[..., None] + 0 * v,),
    ),
    Misconception(
        "weight_for_input",
        "grad_v",
        "weight instead of activation",
        "The derivative was multiplied by the weight. By the weight, what counts is the activation that it meets.",
        (lambda grad_o, v: grad_o[..., None] * v,),
    ),
    Misconception(
        "net_input_for_activation",
        "grad_v",
        "net input instead of activation",
        "The derivative was multiplied by the net input. The output weight saw the activation.",
        (lambda grad_o, z: grad_o[..., None] * z,),
        where=lambda z, a: z != a,
    ),
)


def _from_one_position(grad_z: Array, w: Array, chosen: Callable[[range], int]) -> Array:
    """What comes back to each input from a single one of the windows that hold it."""
    positions, size = grad_z.shape[-1], w.shape[-1]
    found = []
    for place in range(positions + size - 1):
        position = chosen(range(max(0, place - size + 1), min(place, positions - 1) + 1))
        found.append(grad_z[..., position] * w[..., place - position])
    return np.stack(found, axis=-1)


# --- and back -------------------------------------------------------------------------------------------------------

_INPUT: Final = (
    Misconception(
        "kernel_flipped",
        "grad_x",
        "weights in the wrong order",
        "The weights are in the wrong order. Ask at each position which weight lay on this input.",
        (lambda grad_z, w: arriving(grad_z, reversed_order(w)),),
    ),
    Misconception(
        "one_position_only",
        "grad_x",
        "one position only",
        "This counts one position only. The input lies under the kernel at several: add up what comes from each.",
        (
            lambda grad_z, w: _from_one_position(grad_z, w, lambda windows: windows[0]),
            lambda grad_z, w: _from_one_position(grad_z, w, lambda windows: windows[-1]),
        ),
        where=_under_several,
    ),
)

ONE_POSITION = "This is what one position contributes. The kernel is shared: its gradient adds up all positions."
AVERAGED = "This was divided by the number of positions. Shared weights add up what the positions contribute."

_KERNEL: Final = (
    Misconception(
        "one_position_only",
        "grad_w",
        "one position only",
        ONE_POSITION,
        (
            lambda grad_z, x, w: grad_z[..., :1] * x[..., : w.shape[-1]],
            lambda grad_z, x, w: grad_z[..., -1:] * x[..., -w.shape[-1] :],
        ),
    ),
    Misconception(
        "positions_averaged",
        "grad_w",
        "averaged instead of summed",
        AVERAGED,
        (lambda x, grad_z: correlated(x, grad_z) / grad_z.shape[-1],),
    ),
    Misconception(
        "kernel_flipped",
        "grad_w",
        "gradient turned round",
        "These are the gradients in the opposite order. The first weight met the *first* input of each window.",
        (lambda x, grad_z: reversed_order(correlated(x, grad_z)),),
        where=_not_middle,
    ),
    Misconception(
        "deltas_reversed",
        "grad_w",
        "deltas in the opposite order",
        "The deltas met the inputs in the opposite order. The first delta belongs to the first window.",
        (lambda x, grad_z: correlated(x, reversed_order(grad_z)),),
        where=lambda grad_z: (grad_z != reversed_order(grad_z)).any(-1)[..., None],
    ),
    Misconception(
        "one_place_late",
        "grad_w",
        "inputs one place too late",
        "The inputs are one place too far on. The first weight met the input at which the window begins.",
        (lambda x, grad_z: correlated(_shifted(x, 1), grad_z),),
    ),
    Misconception(
        "padded",
        "grad_w",
        "inputs one place too early",
        "The inputs are one place too early, as if there were a 0 before them. Here the kernel stays inside the input.",
        (lambda x, grad_z: correlated(_shifted(x, -1), grad_z),),
    ),
    Misconception(
        "error_for_delta",
        "grad_w",
        "error instead of delta",
        "The derivatives by the activations were used. A gradient needs the deltas, which have the slope in them.",
        (lambda x, grad_a: correlated(x, grad_a),),
        where=lambda grad_a, grad_z: (grad_a != grad_z).any(-1)[..., None],
    ),
    Misconception(
        "weight_for_input",
        "grad_w",
        "weight instead of inputs",
        "The deltas were multiplied by the weight. By a weight, what counts is the input that it meets each time.",
        (lambda grad_z, w: total(grad_z, -1, keepdims=True) * w,),
    ),
    Misconception(
        "one_position_only",
        "grad_b",
        "one position only",
        "This is the delta of one position. The one bias works at all of them: their deltas add up.",
        (lambda grad_z: grad_z[..., 0], lambda grad_z: grad_z[..., -1]),
    ),
    Misconception(
        "positions_averaged",
        "grad_b",
        "averaged instead of summed",
        AVERAGED,
        (lambda grad_z: total(grad_z, -1) / grad_z.shape[-1],),
    ),
    Misconception(
        "times_input",
        "grad_b",
        "multiplied by the inputs",
        "The deltas were multiplied by inputs. A bias has the constant 1 as its input at every position.",
        (lambda grad_z, x: total(grad_z * x[..., : grad_z.shape[-1]], -1),),
    ),
    Misconception(
        "times_bias",
        "grad_b",
        "multiplied by the bias",
        "The deltas were multiplied by the bias itself. The derivative takes what the bias multiplies, the constant 1.",
        (lambda grad_z, b: total(grad_z, -1) * b,),
    ),
    Misconception(
        "error_for_delta",
        "grad_b",
        "error instead of delta",
        "The derivatives by the activations were added up. Add the deltas, which have the slope in them.",
        (lambda grad_a: total(grad_a, -1),),
        where=lambda grad_a, grad_z: (grad_a != grad_z).any(-1),
    ),
)

# --- the step -------------------------------------------------------------------------------------------------------


def _step(letter: str) -> tuple[Misconception, ...]:
    """What goes wrong in the step of the kernel or of the output weights."""
    old, eta, gradient = roles = (letter, "eta", f"grad_{letter}")
    stem = f"{letter}_new"
    return (
        Misconception(
            "step_added",
            stem,
            "step added",
            STEP_ADDED,
            (reading(lambda old, eta, gradient: old + eta[..., None] * gradient, *roles),),
            forbidden=True,
            where=reading(lambda gradient: gradient != 0, gradient),
        ),
        Misconception(
            "eta_forgotten",
            stem,
            "learning rate forgotten",
            ETA_FORGOTTEN,
            (reading(lambda old, gradient: old - gradient, old, gradient),),
            forbidden=True,
            where=reading(lambda gradient: gradient != 0, gradient),
        ),
        Misconception(
            "no_step",
            stem,
            "no step made",
            "This is the old weight. The step still has to be made, however small it is: keep all the decimals.",
            (reading(lambda old: old + 0, old),),
            forbidden=True,
            where=reading(lambda gradient: gradient != 0, gradient),
        ),
        Misconception(
            "step_only",
            stem,
            "only the step",
            "This is the step alone. The new weight is the old weight minus the step.",
            (
                reading(lambda eta, gradient: eta[..., None] * gradient, eta, gradient),
                reading(lambda eta, gradient: -(eta[..., None] * gradient), eta, gradient),
            ),
        ),
    )


_BIAS: Final = (
    Misconception(
        "step_added",
        "b_new",
        "step added",
        STEP_ADDED,
        (lambda b, eta, grad_b: b + eta * grad_b,),
        forbidden=True,
        where=lambda grad_b: grad_b != 0,
    ),
    Misconception(
        "eta_forgotten",
        "b_new",
        "learning rate forgotten",
        ETA_FORGOTTEN,
        (lambda b, grad_b: b - grad_b,),
        forbidden=True,
        where=lambda grad_b: grad_b != 0,
    ),
    Misconception(
        "bias_not_updated",
        "b_new",
        "bias not updated",
        "This is the old bias. In this exercise the bias is trained too; see the conventions.",
        (lambda b: b,),
        forbidden=True,
        where=lambda grad_b: grad_b != 0,
    ),
    Misconception(
        "step_only",
        "b_new",
        "only the step",
        "This is the step alone. The new bias is the old bias minus the step.",
        (lambda eta, grad_b: eta * grad_b, lambda eta, grad_b: -(eta * grad_b)),
    ),
)


_POOLED: Final = {"mean": _MEAN, "max": _MAXIMUM, "weights": _WEIGHTS}


def convolution_mistakes(activation: str, pooling: str) -> tuple[Misconception, ...]:
    """What goes wrong with an activation and a pooling, in the order of the sheet."""
    # Behind max pooling one position is all there is to count.
    back = [kind for kind in (*_INPUT, *_KERNEL) if pooling != "max" or kind.kind != "one_position_only"]
    return (
        *_NET_INPUT,
        *borrowed(activation, "half_sse", {"a": "a", "da_dz": "da_dz", "delta": "grad_z"}),
        *_POOLED[pooling],
        *output_mistakes({"e": "E", "dE_da": "grad_o"}),
        *back,
        *(_step("v") if pooling == "weights" else ()),
        *_step("w"),
        *_BIAS,
    )
