"""What students get wrong: each mistake is another formula for the same quantity, with the words a tutor would say.

A sentence says what was done and what to think of next; it never gives the value away. Sources: questions on Mazur's page
and on Stack Exchange, issue threads of teaching repositories, published scripts and lecture notes. In the order of the
sheet: forward, loss, deltas, gradients, update.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from quizprop.engine.activations import LEAK, sigmoid, sigmoid_slope, tanh, tanh_slope
from quizprop.engine.arrays import Array, choose, matvec, outer, swap_units
from quizprop.engine.mistakes import Applies, Misconception

if TYPE_CHECKING:
    from quizprop.engine.network import Network

__all__ = ["MISCONCEPTIONS"]

# --- where a mistake can be made ------------------------------------------------------------------------------------


def anywhere(_network: "Network", _layer: int) -> bool:
    """In every layer of every network."""
    return True


def has_bias(network: "Network", _layer: int) -> bool:
    """Where there are biases."""
    return network.bias != "none"


def no_bias(network: "Network", _layer: int) -> bool:
    """Where there are none."""
    return network.bias == "none"


def sloped(network: "Network", layer: int) -> bool:
    """Where the activation has a slope of its own."""
    return network.activations[layer - 1] != "softmax"


def above_first(_network: "Network", layer: int) -> bool:
    """Above the first layer, where what comes in is itself an activation."""
    return layer > 1


def bent_below(network: "Network", layer: int) -> bool:
    """Where the layer below has an activation that changes its net input."""
    return layer > 1 and network.activations[layer - 2] != "identity"


def square(network: "Network", layer: int) -> bool:
    """Where as many units send as receive, so that a transposed matrix still fits."""
    return network.layers[layer] == network.layers[layer - 1] > 1


def square_above(network: "Network", layer: int) -> bool:
    """Where the next layer is as wide, so that its row can be taken for its column."""
    return 0 < layer < network.depth and network.layers[layer] == network.layers[layer + 1] > 1


def several_units(network: "Network", layer: int) -> bool:
    """Where the layer has more than one unit."""
    return network.layers[layer] > 1


def several_inputs(network: "Network", layer: int) -> bool:
    """Where more than one unit sends to the layer."""
    return network.layers[layer - 1] > 1


def several_outputs(network: "Network", _layer: int) -> bool:
    """Where the network has more than one output."""
    return network.layers[-1] > 1


def one_output(network: "Network", _layer: int) -> bool:
    """Where the network has a single output."""
    return network.layers[-1] == 1


def same_width_two_below(network: "Network", layer: int) -> bool:
    """Where the layer before the one below is as wide as the one below, so that it can be taken for it."""
    return layer > 1 and network.layers[layer - 2] == network.layers[layer - 1]


def activated_by(*names: str) -> Applies:
    """Layers with one of these activations."""
    return lambda network, layer: layer > 0 and network.activations[layer - 1] in names


def loss_is(*names: str) -> Applies:
    """Networks with one of these losses."""
    return lambda network, _layer: network.loss in names


def output_with_loss(*names: str) -> Applies:
    """The output layer under one of these losses."""
    return lambda network, layer: layer == network.depth and network.loss in names


def both(first: Applies, second: Applies) -> Applies:
    """Where both hold."""
    return lambda network, layer: first(network, layer) and second(network, layer)


def hidden(network: "Network", layer: int) -> bool:
    """In a hidden layer."""
    return 0 < layer < network.depth


def chained(network: "Network", layer: int) -> bool:
    """Where delta is a derivative times a slope that is not 1 everywhere."""
    if layer == network.depth and network.fused:
        return False
    return network.activations[layer - 1] not in ("identity", "softmax")


def chained_smooth(network: "Network", layer: int) -> bool:
    """Where delta is a derivative times a slope that differs from unit to unit."""
    return chained(network, layer) and network.activations[layer - 1] in ("sigmoid", "tanh")


def fused_output(network: "Network", layer: int) -> bool:
    """Where cross-entropy meets its own activation."""
    return layer == network.depth and network.fused


def averaged(network: "Network", _layer: int) -> bool:
    """Where a mini-batch is averaged."""
    return network.examples > 1 and network.reduction == "mean"


def summed(network: "Network", _layer: int) -> bool:
    """Where a mini-batch is summed."""
    return network.examples > 1 and network.reduction == "sum"


def mean_over_outputs(network: "Network", _layer: int) -> bool:
    """Where the loss averages over several outputs."""
    return network.loss == "mse" and network.layers[-1] > 1


def sum_over_outputs(network: "Network", _layer: int) -> bool:
    """Where the loss adds up several outputs."""
    return network.loss != "mse" and network.layers[-1] > 1


def backed_by_deltas(network: "Network", layer: int) -> bool:
    """Where the delta that flows back differs from the derivative by the activation."""
    return (layer == network.depth and network.fused) or network.activations[layer - 1] != "identity"


def moves_bias(network: "Network", layer: int) -> bool:
    """Where a gradient can be other than 0: a softmax does not notice a bias that all its units share."""
    return network.bias == "unit" or (network.bias == "shared" and network.activations[layer - 1] != "softmax")


def trains_biases(network: "Network", layer: int) -> bool:
    """Where the step changes the biases."""
    return moves_bias(network, layer) and network.update_biases


def keeps_biases(network: "Network", layer: int) -> bool:
    """Where a step would change the biases, and the exercise leaves them alone."""
    return moves_bias(network, layer) and not network.update_biases


def unit_bias(network: "Network", _layer: int) -> bool:
    """Where each unit has its own bias."""
    return network.bias == "unit"


def one_bias(network: "Network", layer: int) -> bool:
    """Where the layer has one bias, and learns it."""
    return network.bias == "shared" and moves_bias(network, layer)


def shared_bias(network: "Network", layer: int) -> bool:
    """Where several units share one bias."""
    return network.bias == "shared" and network.layers[layer] > 1


# --- wrong formulas that need more than a line ----------------------------------------------------------------------


def _per_example(b: Array) -> Array:
    return b[..., None, :]


def _next_unit(values: Array) -> Array:
    """Each unit gets the value of the unit below it, the last that of the first."""
    return np.roll(values, -1, axis=-1)


def _only_path(unit: int) -> Callable[..., Array]:
    return lambda path_next: path_next[..., unit, :]


def _outgoing_row(delta_next: Array, W_next: Array) -> Array:
    """The contributions w_jk delta_k: the row of the weights where the column belongs, in the layout of a path."""
    return swap_units(W_next)[..., None, :, :] * delta_next[..., :, :, None]


def _mean(values: Array, examples: Array) -> Array:
    return values.sum(-3) / examples.shape[-2]


def _bent(z_prev: Array, a_prev: Array) -> Array:
    return (z_prev != a_prev).any(-1, keepdims=True)


def _off(z: Array) -> Array:
    return z <= 0


def _targeted(t: Array) -> Array:
    return t != 0


def _switched(da_dz: Array) -> Array:
    switched: Array = np.not_equal(da_dz, 1)
    return switched


def _moved_weight(grad_W: Array) -> Array:
    return grad_W != 0


def _moved_bias(grad_b: Array) -> Array:
    return grad_b != 0


def _renewed(W: Array, W_old: Array) -> Array:
    return _per_example(np.asarray(np.not_equal(W, W_old).any(-1)))


def _renewed_with_bias(W: Array, W_old: Array, b: Array, b_old: Array) -> Array:
    return _renewed(W, W_old) | (b != b_old)[..., None, :]


def _off_diagonal(delta: Array) -> Array:
    return np.eye(delta.shape[-1])[None] == 0  # the same for each instance


# --- sentences that serve several entries ---------------------------------------------------------------------------

WEIGHTS_TRANSPOSED = (
    "These are the weights that leave a unit. A unit's net input takes the weights that *arrive* at it."
)
ONE_INPUT_ONLY = (
    "Only one of the incoming connections was counted. Every unit of the layer below contributes weight times value."
)
NET_INPUT_PASSED_ON = "The layer below passed on its net input. What travels along a weight is the activation, after the activation function."
WRONG_LAYER = "These are the values of an earlier layer. Each layer takes what the layer directly below puts out."
ACTIVATION_SKIPPED = "This is still the net input. Put it through the layer's activation function."
OLD_WEIGHTS = "These are the weights from before the step. After it every layer works with its new ones."
NOT_SQUARED = "The difference was not squared. Without the square, errors of opposite sign would cancel."
MINUS_LEFT_OUT = (
    "The logarithm of a probability is negative, and the loss is its opposite: the minus in front is missing."
)
COMMON_LOGARITHM = "This is the logarithm to base 10. Cross-entropy takes the natural one, ln."
SIGN_FLIPPED = (
    "The sign is the other way round: more output raises the loss where the output is above its target, and lowers it "
    "where it is below. Compare the two."
)
STEP_ADDED = "The step went uphill. The gradient points to where the loss grows: subtract it."
ETA_FORGOTTEN = "The whole gradient was subtracted. Multiply it by the learning rate first."
BATCH_SUM_FOR_MEAN = (
    "The examples were added up. Divide by how many there are: the conventions say that the batch is averaged."
)
BATCH_MEAN_FOR_SUM = "The examples were averaged. The conventions say that the batch is summed."
BATCH_MEAN_EARLY = (
    "The number of examples was divided out here already. A delta belongs to its own example; the mean enters the "
    "gradients."
)
BATCH_MEAN_TWICE = "The number of examples was divided out twice. The mean belongs into the gradient once."

# --- the library ----------------------------------------------------------------------------------------------------

FORWARD = (
    Misconception(
        "bias_left_out",
        "z",
        "bias left out",
        "The bias is missing. Think of it as one more weight, on an input that is always 1.",
        (lambda W, a_prev: matvec(W, a_prev),),
        has_bias,
    ),
    Misconception(
        "bias_subtracted",
        "z",
        "bias subtracted",
        "The bias was taken away. A net input adds it, whatever its own sign.",
        (lambda W, a_prev, b: matvec(W, a_prev) - _per_example(b),),
        has_bias,
    ),
    Misconception(
        "weights_transposed",
        "z",
        "weights transposed",
        WEIGHTS_TRANSPOSED,
        (lambda W, a_prev, b: matvec(swap_units(W), a_prev) + _per_example(b),),
        both(has_bias, square),
    ),
    Misconception(
        "weights_transposed",
        "z",
        "weights transposed",
        WEIGHTS_TRANSPOSED,
        (lambda W, a_prev: matvec(swap_units(W), a_prev),),
        both(no_bias, square),
    ),
    Misconception(
        "one_input_only",
        "z",
        "one input only",
        ONE_INPUT_ONLY,
        (lambda W, a_prev, b: W[..., None, :, 0] * a_prev[..., :1] + _per_example(b),),
        both(has_bias, several_inputs),
    ),
    Misconception(
        "one_input_only",
        "z",
        "one input only",
        ONE_INPUT_ONLY,
        (lambda W, a_prev: W[..., None, :, 0] * a_prev[..., :1],),
        both(no_bias, several_inputs),
    ),
    Misconception(
        "net_input_passed_on",
        "z",
        "net input passed on",
        NET_INPUT_PASSED_ON,
        (lambda W, z_prev, b: matvec(W, z_prev) + _per_example(b),),
        both(has_bias, bent_below),
        where=_bent,
    ),
    Misconception(
        "net_input_passed_on",
        "z",
        "net input passed on",
        NET_INPUT_PASSED_ON,
        (lambda W, z_prev: matvec(W, z_prev),),
        both(no_bias, bent_below),
        where=_bent,
    ),
    Misconception(
        "wrong_layer",
        "z",
        "another layer's values",
        WRONG_LAYER,
        (lambda W, a_prev_prev, b: matvec(W, a_prev_prev) + _per_example(b),),
        both(has_bias, same_width_two_below),
    ),
    Misconception(
        "wrong_layer",
        "z",
        "another layer's values",
        WRONG_LAYER,
        (lambda W, a_prev_prev: matvec(W, a_prev_prev),),
        both(no_bias, same_width_two_below),
    ),
    Misconception(
        "old_weights",
        "z",
        "weights from before the step",
        OLD_WEIGHTS,
        (lambda W_old, a_prev, b_old: matvec(W_old, a_prev) + _per_example(b_old),),
        has_bias,
        where=_renewed_with_bias,
        after=True,
    ),
    Misconception(
        "old_weights",
        "z",
        "weights from before the step",
        OLD_WEIGHTS,
        (lambda W_old, a_prev: matvec(W_old, a_prev),),
        no_bias,
        where=_renewed,
        after=True,
    ),
    Misconception(
        "activation_skipped",
        "a",
        "activation skipped",
        ACTIVATION_SKIPPED,
        (lambda z: z,),
        activated_by("sigmoid", "tanh", "softmax"),
    ),
    Misconception(
        "activation_skipped",
        "a",
        "activation skipped",
        ACTIVATION_SKIPPED,
        (lambda z: z,),
        activated_by("relu", "leaky_relu"),
        where=_off,
    ),
    Misconception(
        "exponent_sign",
        "a",
        "sign of the exponent",
        "Look at the sign in the exponent: the sigmoid has e to the power of *minus* z, so that a larger net input gives a "
        "larger activation.",
        (lambda z: 1 / (1 + np.exp(z)),),
        activated_by("sigmoid"),
    ),
    Misconception(
        "one_left_out",
        "a",
        "1 left out of the denominator",
        "The 1 in the denominator is missing. A sigmoid always lies between 0 and 1.",
        (lambda z: np.exp(z),),
        activated_by("sigmoid"),
    ),
    Misconception(
        "tanh_for_sigmoid",
        "a",
        "tanh instead of the sigmoid",
        "This is the hyperbolic tangent. The layer uses the logistic sigmoid, 1 over 1 plus e to the minus z.",
        (lambda z: tanh(z),),
        activated_by("sigmoid"),
    ),
    Misconception(
        "sigmoid_for_tanh",
        "a",
        "sigmoid instead of tanh",
        "This is the logistic sigmoid. The layer uses tanh, which runs from -1 to 1.",
        (lambda z: sigmoid(z),),
        activated_by("tanh"),
    ),
    Misconception(
        "sigmoid_for_identity",
        "a",
        "activation where there is none",
        "A sigmoid was applied. This layer is linear: its activation is its net input.",
        (lambda z: sigmoid(z),),
        activated_by("identity"),
    ),
    Misconception(
        "absolute_value",
        "a",
        "absolute value instead of ReLU",
        "ReLU does not flip a negative net input, it cuts it off.",
        (lambda z: choose(z, z, -z),),
        activated_by("relu", "leaky_relu"),
        where=_off,
    ),
    Misconception(
        "leak_left_out",
        "a",
        "leak left out",
        "A leaky ReLU lets a little of a negative net input through: see the slope in the conventions.",
        (lambda z: choose(z, z, 0 * z),),
        activated_by("leaky_relu"),
        where=_off,
    ),
    Misconception(
        "not_normalised",
        "a",
        "not divided by the sum",
        "This is only the power of e. Divide it by the sum over all units of the layer, so that the outputs add up to 1.",
        (lambda z: np.exp(z),),
        activated_by("softmax"),
    ),
    Misconception(
        "shares_of_net_inputs",
        "a",
        "shares of the net inputs",
        "The net inputs themselves were divided by their sum. Softmax takes powers of e first.",
        (lambda z: z / z.sum(-1, keepdims=True),),
        activated_by("softmax"),
    ),
    Misconception(
        "sigmoid_for_softmax",
        "a",
        "sigmoid of each unit",
        "Each unit was put through a sigmoid alone. Softmax compares the units with each other: the outputs add up to 1.",
        (lambda z: sigmoid(z),),
        activated_by("softmax"),
    ),
)

LOSS = (
    Misconception(
        "half_left_out",
        "e",
        "half left out",
        "The square is right, but this loss has a factor of one half in front.",
        (lambda a, t: (t - a) ** 2,),
        loss_is("half_sse"),
    ),
    Misconception(
        "half_added",
        "e",
        "half added",
        "There is no one half in this loss; see the conventions.",
        (lambda a, t: (t - a) ** 2 / 2,),
        loss_is("mse"),
    ),
    Misconception(
        "not_squared",
        "e",
        "not squared",
        NOT_SQUARED,
        (lambda a, t: (t - a) / 2, lambda a, t: (a - t) / 2, lambda a, t: t - a, lambda a, t: a - t),
        loss_is("half_sse"),
    ),
    Misconception(
        "not_squared",
        "e",
        "not squared",
        NOT_SQUARED,
        (lambda a, t: t - a, lambda a, t: a - t),
        loss_is("mse"),
    ),
    Misconception(
        "half_squared_too",
        "e",
        "half squared too",
        "The one half was squared along with the difference. Square first, then halve.",
        (lambda a, t: ((t - a) / 2) ** 2,),
        loss_is("half_sse"),
    ),
    Misconception(
        "classes_swapped",
        "e",
        "the two classes swapped",
        "The target picks the other logarithm: the one of the output counts where the target is 1, the one of one minus the output where it is 0.",
        (lambda a, t: -((1 - t) * np.log(a) + t * np.log(1 - a)),),
        loss_is("bce"),
    ),
    Misconception(
        "minus_left_out",
        "e",
        "minus left out",
        MINUS_LEFT_OUT,
        (lambda a, t: t * np.log(a) + (1 - t) * np.log(1 - a),),
        loss_is("bce"),
    ),
    Misconception(
        "common_logarithm",
        "e",
        "logarithm to base 10",
        COMMON_LOGARITHM,
        (lambda a, t: -(t * np.log10(a) + (1 - t) * np.log10(1 - a)),),
        loss_is("bce"),
    ),
    Misconception(
        "minus_left_out",
        "e",
        "minus left out",
        MINUS_LEFT_OUT,
        (lambda a, t: t * np.log(a),),
        loss_is("cce"),
        where=_targeted,
    ),
    Misconception(
        "common_logarithm",
        "e",
        "logarithm to base 10",
        COMMON_LOGARITHM,
        (lambda a, t: -(t * np.log10(a)),),
        loss_is("cce"),
        where=_targeted,
    ),
    Misconception(
        "all_classes_counted",
        "e",
        "every class counted",
        "The logarithm of every class was counted. Only the class that is the target counts; the others are multiplied by 0.",
        (lambda a: -np.log(a),),
        loss_is("cce"),
        where=lambda t: t != 1,
    ),
    Misconception(
        "mean_for_sum",
        "E",
        "mean instead of sum",
        "The outputs' errors were averaged. This loss adds them up.",
        (lambda e: e.sum(-1).sum(-1) / e.shape[-1],),
        sum_over_outputs,
        over_examples=True,
    ),
    Misconception(
        "sum_for_mean",
        "E",
        "sum instead of mean",
        "The outputs' errors were added up. This loss averages them.",
        (lambda e: e.sum(-1).sum(-1),),
        mean_over_outputs,
        over_examples=True,
    ),
    Misconception(
        "one_output_only",
        "E",
        "one output only",
        "This is the error of one output. The loss counts all of them.",
        (
            lambda e: e[..., 0].sum(-1),
            lambda e: e[..., -1].sum(-1),
        ),
        both(several_outputs, loss_is("half_sse", "mse", "bce")),
        over_examples=True,
    ),
    Misconception(
        "batch_sum_for_mean",
        "E",
        "examples summed instead of averaged",
        BATCH_SUM_FOR_MEAN,
        (lambda e: e.sum(-1).sum(-1),),
        both(averaged, loss_is("half_sse", "bce", "cce")),
    ),
    Misconception(
        "batch_sum_for_mean",
        "E",
        "examples summed instead of averaged",
        BATCH_SUM_FOR_MEAN,
        (lambda e: e.sum(-1).sum(-1) / e.shape[-1],),
        both(averaged, loss_is("mse")),
    ),
    Misconception(
        "batch_mean_for_sum",
        "E",
        "examples averaged instead of summed",
        BATCH_MEAN_FOR_SUM,
        (lambda e: e.sum(-1).sum(-1) / e.shape[-2],),
        both(summed, loss_is("half_sse", "bce", "cce")),
    ),
    Misconception(
        "batch_mean_for_sum",
        "E",
        "examples averaged instead of summed",
        BATCH_MEAN_FOR_SUM,
        (lambda e: e.sum(-1).sum(-1) / (e.shape[-1] * e.shape[-2]),),
        both(summed, loss_is("mse")),
    ),
)

DELTAS = (
    Misconception(
        "sign_flipped",
        "dE_da",
        "sign flipped",
        SIGN_FLIPPED,
        (lambda a, t: t - a,),
        output_with_loss("half_sse"),
    ),
    Misconception(
        "sign_flipped",
        "dE_da",
        "sign flipped",
        SIGN_FLIPPED,
        (lambda a, t: 2 * (t - a) / a.shape[-1],),
        output_with_loss("mse"),
    ),
    Misconception(
        "sign_flipped",
        "dE_da",
        "sign flipped",
        SIGN_FLIPPED,
        (lambda a, t: (t - a) / (a * (1 - a)),),
        output_with_loss("bce"),
    ),
    Misconception(
        "sign_flipped",
        "dE_da",
        "sign flipped",
        "A larger probability for the right class lowers the loss: the derivative is negative there.",
        (lambda a, t: t / a,),
        output_with_loss("cce"),
        where=_targeted,
    ),
    Misconception(
        "batch_mean_early",
        "dE_da",
        "divided by the batch too early",
        BATCH_MEAN_EARLY,
        (lambda a, t: (a - t) / a.shape[-2],),
        both(averaged, output_with_loss("half_sse")),
    ),
    Misconception(
        "batch_mean_early",
        "dE_da",
        "divided by the batch too early",
        BATCH_MEAN_EARLY,
        (lambda a, t: 2 * (a - t) / (a.shape[-1] * a.shape[-2]),),
        both(averaged, output_with_loss("mse")),
    ),
    Misconception(
        "factor_two",
        "dE_da",
        "factor 2 too many",
        "There is a 2 too many: it comes down from the square and cancels with the one half of this loss.",
        (lambda a, t: 2 * (a - t),),
        output_with_loss("half_sse"),
    ),
    Misconception(
        "two_left_out",
        "dE_da",
        "factor 2 left out",
        "The 2 that comes down from the square is missing: this loss has no one half to cancel it.",
        (lambda a, t: (a - t) / a.shape[-1],),
        output_with_loss("mse"),
    ),
    Misconception(
        "mean_left_out",
        "dE_da",
        "not divided by the number of outputs",
        "This loss is a mean over the outputs, so its derivative by one of them carries the same division.",
        (lambda a, t: 2 * (a - t),),
        both(output_with_loss("mse"), several_outputs),
    ),
    Misconception(
        "net_input_for_output",
        "dE_da",
        "net input instead of output",
        "The loss compares the *output* with the target, not the net input.",
        (lambda z, t: z - t,),
        both(output_with_loss("half_sse"), activated_by("sigmoid", "tanh", "relu", "leaky_relu")),
        where=lambda z, a: z != a,
    ),
    Misconception(
        "slope_cancelled_early",
        "dE_da",
        "slope cancelled too early",
        "This is already the delta: the slope has been cancelled. The derivative by the activation alone still has a "
        "denominator.",
        (lambda a, t: a - t,),
        output_with_loss("bce", "cce"),
    ),
    Misconception(
        "one_path_only",
        "dE_da",
        "one path only",
        "Only one path was counted. This unit feeds every unit of the next layer: add up what comes back along each weight.",
        (_only_path(0), _only_path(-1)),
        lambda network, layer: layer < network.depth and network.layers[layer + 1] > 1,
    ),
    Misconception(
        "paths_averaged",
        "dE_da",
        "paths averaged",
        "The paths were averaged. Changes that reach the loss by different ways add up.",
        (lambda path_next: path_next.sum(-2) / path_next.shape[-2],),
        lambda network, layer: layer < network.depth and network.layers[layer + 1] > 1,
    ),
    Misconception(
        "row_for_column",
        "dE_da",
        "weights not transposed on the way back",
        "These are the weights that arrive at a unit above. On the way back a unit needs the weights that *leave* it: a "
        "column of the matrix.",
        (lambda delta_next, W_next: _outgoing_row(delta_next, W_next).sum(-2),),
        square_above,
    ),
    Misconception(
        "updated_weights",
        "path",
        "updated weights used",
        "The error went back through the *updated* weights. Use those of the forward pass; all updates happen together, at the "
        "end.",
        (lambda W_new, delta: W_new[..., None, :, :] * delta[..., :, :, None],),
        above_first,
    ),
    Misconception(
        "weights_left_out",
        "path",
        "weights left out",
        "The delta came back without its weight. What flows back along a connection is weight times delta.",
        (lambda W, delta: 0 * W[..., None, :, :] + delta[..., :, :, None],),
        anywhere,
    ),
    Misconception(
        "error_for_delta",
        "path",
        "error sent back instead of delta",
        "This sends back the derivative by the activation. Send back the delta: that unit's slope is part of the way.",
        (lambda W, dE_da: W[..., None, :, :] * dE_da[..., :, :, None],),
        both(backed_by_deltas, sloped),
        where=lambda da_dz: _switched(da_dz)[..., :, :, None],
    ),
    Misconception(
        "error_for_delta",
        "path",
        "error sent back instead of delta",
        "This sends back the derivative by the output. Send back the delta: the softmax is part of the way.",
        (lambda W, dE_da: W[..., None, :, :] * dE_da[..., :, :, None],),
        activated_by("softmax"),
    ),
    Misconception(
        "slope_at_net_input",
        "da_dz",
        "slope taken at the net input",
        "The slope was taken at the net input. Put in the *activation*: the sigmoid's slope is never negative and never above a quarter.",
        (lambda z: sigmoid_slope(z),),
        activated_by("sigmoid"),
    ),
    Misconception(
        "slope_one_minus_a",
        "da_dz",
        "only 1 - a",
        "Only one minus the activation is here. The sigmoid's slope has two factors: the activation, and one minus the activation.",
        (lambda a: 1 - a,),
        activated_by("sigmoid"),
    ),
    Misconception(
        "sigmoid_twice",
        "da_dz",
        "sigmoid applied twice",
        "The sigmoid was applied once more: the activation has been through it already. Put it into the slope as it is.",
        (lambda a: sigmoid_slope(sigmoid(a)),),
        activated_by("sigmoid"),
    ),
    Misconception(
        "slope_of_tanh",
        "da_dz",
        "slope of tanh",
        "One minus the square of the activation is the slope of tanh. This layer is a sigmoid.",
        (lambda a: tanh_slope(a),),
        activated_by("sigmoid"),
    ),
    Misconception(
        "slope_of_sigmoid",
        "da_dz",
        "slope of the sigmoid",
        "Activation times one minus activation is the slope of the sigmoid. This layer is tanh.",
        (lambda a: sigmoid_slope(a),),
        activated_by("tanh"),
    ),
    Misconception(
        "slope_at_net_input",
        "da_dz",
        "slope taken at the net input",
        "The net input was squared. The slope of tanh is 1 minus the square of the *activation*.",
        (lambda z: tanh_slope(z),),
        activated_by("tanh"),
    ),
    Misconception(
        "slope_not_squared",
        "da_dz",
        "square left out",
        "The square is missing: the slope of tanh is one minus the *square* of the activation.",
        (lambda a: 1 - a,),
        activated_by("tanh"),
    ),
    Misconception(
        "net_input_for_slope",
        "da_dz",
        "net input instead of a slope",
        "This is the net input. The slope of a ReLU is a switch: it says how fast the output grows, not how large it is.",
        (lambda z: z,),
        activated_by("relu", "leaky_relu"),
    ),
    Misconception(
        "switch_reversed",
        "da_dz",
        "switch the wrong way round",
        "The switch is the wrong way round: a ReLU passes the error on where its net input is positive.",
        (lambda z: choose(z, 0.0, 1.0),),
        activated_by("relu"),
    ),
    Misconception(
        "switch_reversed",
        "da_dz",
        "switch the wrong way round",
        "The switch is the wrong way round: a leaky ReLU passes the whole error on where its net input is positive.",
        (lambda z: choose(z, LEAK, 1.0),),
        activated_by("leaky_relu"),
    ),
    Misconception(
        "slope_left_out",
        "delta",
        "slope left out",
        "The error has reached the unit's output. One more factor, the slope of its activation, takes it to the net input.",
        (lambda dE_da: dE_da,),
        chained,
        where=_switched,
    ),
    Misconception(
        "slope_only",
        "delta",
        "slope alone",
        "This is the slope alone. Delta is the slope times the derivative of the error by the activation.",
        (lambda da_dz: da_dz,),
        chained_smooth,
    ),
    Misconception(
        "slope_twice",
        "delta",
        "slope counted twice",
        "The slope stands in it twice. The chain rule passes the activation function once.",
        (lambda dE_da, da_dz: dE_da * da_dz * da_dz,),
        chained_smooth,
    ),
    Misconception(
        "other_units_slope",
        "delta",
        "another unit's slope",
        "The slope belongs to another unit of the layer. Each delta takes the slope of its own unit.",
        (lambda dE_da, da_dz: dE_da * _next_unit(da_dz),),
        both(chained_smooth, several_units),
    ),
    Misconception(
        "slope_of_error",
        "delta",
        "slope taken of the error",
        "The slope formula was fed with the error. The slope belongs to the unit's activation, not to the error that passes "
        "through.",
        (lambda dE_da: dE_da * (1 - dE_da),),
        both(hidden, activated_by("sigmoid")),
    ),
    Misconception(
        "sign_flipped",
        "delta",
        "sign flipped",
        "The sign is the other way round. A slope is never negative, so delta has the sign of the derivative by the activation.",
        (lambda dE_da, da_dz: -(dE_da * da_dz),),
        chained_smooth,
    ),
    Misconception(
        "sign_flipped",
        "delta",
        "sign flipped",
        "The sign is the other way round: with this loss delta is output minus target.",
        (lambda a, t: t - a,),
        fused_output,
    ),
    Misconception(
        "batch_mean_early",
        "delta",
        "divided by the batch too early",
        BATCH_MEAN_EARLY,
        (lambda a, t: (a - t) / a.shape[-2],),
        both(averaged, fused_output),
    ),
    Misconception(
        "slope_of_output_again",
        "delta",
        "slope multiplied once more",
        "For this loss the slope of the output is already inside output minus target: it has cancelled. Do not multiply by it again.",
        (lambda a, t: (a - t) * a * (1 - a),),
        fused_output,
    ),
    Misconception(
        "diagonal_only",
        "delta",
        "softmax taken unit by unit",
        "This covers only the unit itself. In a softmax each net input moves every output: all of them count.",
        (lambda dE_da, a: dE_da * a * (1 - a),),
        lambda network, layer: layer == network.depth and network.activations[-1] == "softmax" and not network.fused,
    ),
)

GRADIENTS = (
    Misconception(
        "input_left_out",
        "grad_W",
        "input left out",
        "This is the delta alone. A weight's gradient is delta times what comes *in* along that weight.",
        (lambda delta, a_prev: outer(delta, 0 * a_prev + 1).sum(-3),),
        anywhere,
        over_examples=True,
    ),
    Misconception(
        "weight_for_input",
        "grad_W",
        "weight instead of input",
        "Delta was multiplied by the weight. The derivative of w times a by w is what the weight multiplies: the activation "
        "that comes in.",
        (lambda delta, W: (delta[..., :, :, None] * W[..., None, :, :]).sum(-3),),
        anywhere,
        over_examples=True,
    ),
    Misconception(
        "net_input_for_activation",
        "grad_W",
        "net input instead of activation",
        "Delta was multiplied by the net input of the unit below. The weight saw its activation.",
        (lambda delta, z_prev: outer(delta, z_prev).sum(-3),),
        bent_below,
        where=lambda z_prev, a_prev: (z_prev != a_prev).any(-2)[..., None, :],
        over_examples=True,
    ),
    Misconception(
        "error_for_delta",
        "grad_W",
        "error instead of delta",
        "The derivative by the activation was used. A gradient needs the delta, which has the slope in it.",
        (lambda dE_da, a_prev: outer(dE_da, a_prev).sum(-3),),
        chained,
        where=lambda da_dz: np.asarray(_switched(da_dz).any(-2))[..., :, None],
        over_examples=True,
    ),
    Misconception(
        "indices_swapped",
        "grad_W",
        "indices swapped",
        "Delta and activation have swapped units: the gradient of a weight takes the delta where the weight *ends* and the "
        "activation where it *starts*.",
        (lambda delta, a_prev: swap_units(outer(delta, a_prev)).sum(-3),),
        square,
        where=_off_diagonal,
        over_examples=True,
    ),
    Misconception(
        "own_output",
        "grad_W",
        "the unit's own output",
        "Delta was multiplied by the output of the unit itself. Take the activation at the *start* of the weight.",
        (lambda delta, a, a_prev: (delta * a).sum(-2)[..., :, None] + 0 * a_prev.sum(-2)[..., None, :],),
        anywhere,
        over_examples=True,
    ),
    Misconception(
        "wrong_layer",
        "grad_W",
        "another layer's values",
        "These are the values of an earlier layer. The weight's own input is the layer directly below it.",
        (lambda delta, a_prev_prev: outer(delta, a_prev_prev).sum(-3),),
        same_width_two_below,
        over_examples=True,
    ),
    Misconception(
        "batch_sum_for_mean",
        "grad_W",
        "examples summed instead of averaged",
        BATCH_SUM_FOR_MEAN,
        (lambda delta, a_prev: outer(delta, a_prev).sum(-3),),
        averaged,
    ),
    Misconception(
        "batch_mean_twice",
        "grad_W",
        "divided by the batch twice",
        BATCH_MEAN_TWICE,
        (lambda delta, a_prev: _mean(outer(delta, a_prev), delta) / delta.shape[-2],),
        averaged,
    ),
    Misconception(
        "batch_mean_for_sum",
        "grad_W",
        "examples averaged instead of summed",
        BATCH_MEAN_FOR_SUM,
        (lambda delta, a_prev: _mean(outer(delta, a_prev), delta),),
        summed,
    ),
    Misconception(
        "times_input",
        "grad_b",
        "multiplied by an input",
        "The bias's delta was multiplied by an input. A bias has the constant 1 as its input.",
        (lambda delta, a_prev: (delta * a_prev[..., :1]).sum(-2),),
        unit_bias,
        over_examples=True,
    ),
    Misconception(
        "times_bias",
        "grad_b",
        "multiplied by the bias",
        "The delta was multiplied by the bias itself. The derivative takes what the bias multiplies, the constant 1.",
        (lambda delta, b: delta.sum(-2) * b,),
        unit_bias,
        over_examples=True,
    ),
    Misconception(
        "one_unit_only",
        "grad_b",
        "one unit only",
        "This is the delta of one unit. The bias is shared, so it feeds every unit of the layer: their deltas add up.",
        (lambda delta: delta.sum(-2)[..., :1], lambda delta: delta.sum(-2)[..., -1:]),
        shared_bias,
        over_examples=True,
    ),
    Misconception(
        "batch_sum_for_mean",
        "grad_b",
        "examples summed instead of averaged",
        BATCH_SUM_FOR_MEAN,
        (lambda delta: delta.sum(-2),),
        both(averaged, unit_bias),
    ),
    Misconception(
        "batch_sum_for_mean",
        "grad_b",
        "examples summed instead of averaged",
        BATCH_SUM_FOR_MEAN,
        (lambda delta: delta.sum(-2).sum(-1, keepdims=True),),
        both(averaged, one_bias),
    ),
    Misconception(
        "batch_mean_twice",
        "grad_b",
        "divided by the batch twice",
        BATCH_MEAN_TWICE,
        (lambda delta: delta.sum(-2) / delta.shape[-2] ** 2,),
        both(averaged, unit_bias),
    ),
    Misconception(
        "batch_mean_twice",
        "grad_b",
        "divided by the batch twice",
        BATCH_MEAN_TWICE,
        (lambda delta: delta.sum(-2).sum(-1, keepdims=True) / delta.shape[-2] ** 2,),
        both(averaged, one_bias),
    ),
    Misconception(
        "batch_mean_for_sum",
        "grad_b",
        "examples averaged instead of summed",
        BATCH_MEAN_FOR_SUM,
        (lambda delta: delta.sum(-2) / delta.shape[-2],),
        both(summed, unit_bias),
    ),
    Misconception(
        "batch_mean_for_sum",
        "grad_b",
        "examples averaged instead of summed",
        BATCH_MEAN_FOR_SUM,
        (lambda delta: delta.sum(-2).sum(-1, keepdims=True) / delta.shape[-2],),
        both(summed, one_bias),
    ),
)

UPDATES = (
    Misconception(
        "step_added",
        "W_new",
        "step added",
        STEP_ADDED,
        (lambda W, eta, grad_W: W + eta[..., None, None] * grad_W,),
        anywhere,
        forbidden=True,
        where=_moved_weight,
    ),
    Misconception(
        "eta_forgotten",
        "W_new",
        "learning rate forgotten",
        ETA_FORGOTTEN,
        (lambda W, grad_W: W - grad_W,),
        anywhere,
        forbidden=True,
        where=_moved_weight,
    ),
    Misconception(
        "no_step",
        "W_new",
        "no step made",
        "This is the old weight. The step still has to be made, however small it is: keep all the decimals.",
        (lambda W, eta: W + 0 * eta[..., None, None],),
        anywhere,
        forbidden=True,
        where=_moved_weight,
    ),
    Misconception(
        "step_only",
        "W_new",
        "only the step",
        "This is the step alone. The new weight is the old weight minus the step.",
        (
            lambda eta, grad_W: eta[..., None, None] * grad_W,
            lambda eta, grad_W: -(eta[..., None, None] * grad_W),
        ),
        anywhere,
    ),
    Misconception(
        "weight_scaled",
        "W_new",
        "weight scaled by the learning rate",
        "The learning rate was multiplied with the weight. It scales the gradient; the old weight enters whole.",
        (lambda W, eta, grad_W: eta[..., None, None] * (W - grad_W),),
        anywhere,
    ),
    Misconception(
        "step_added",
        "b_new",
        "step added",
        STEP_ADDED,
        (lambda b, eta, grad_b: b[..., : grad_b.shape[-1]] + eta[..., None] * grad_b,),
        trains_biases,
        forbidden=True,
        where=_moved_bias,
    ),
    Misconception(
        "eta_forgotten",
        "b_new",
        "learning rate forgotten",
        ETA_FORGOTTEN,
        (lambda b, grad_b: b[..., : grad_b.shape[-1]] - grad_b,),
        trains_biases,
        forbidden=True,
        where=_moved_bias,
    ),
    Misconception(
        "bias_not_updated",
        "b_new",
        "bias not updated",
        "This is the old bias. In this exercise the biases are trained too; see the conventions.",
        (lambda b, grad_b: b[..., : grad_b.shape[-1]] + 0 * grad_b,),
        trains_biases,
        forbidden=True,
        where=_moved_bias,
    ),
    Misconception(
        "step_only",
        "b_new",
        "only the step",
        "This is the step alone. The new bias is the old bias minus the step.",
        (lambda eta, grad_b: eta[..., None] * grad_b, lambda eta, grad_b: -(eta[..., None] * grad_b)),
        trains_biases,
    ),
    Misconception(
        "bias_updated",
        "b_new",
        "bias updated",
        "A step was made. In this exercise the biases stay as they are; see the conventions.",
        (lambda b, eta, grad_b: b[..., : grad_b.shape[-1]] - eta[..., None] * grad_b,),
        keeps_biases,
        forbidden=True,
        where=_moved_bias,
    ),
)

OUTCOMES = (
    Misconception(
        "counted_from_zero",
        "prediction",
        "counted from 0",
        "The right output, counted from 0. Here the first output is number 1.",
        (lambda a: np.argmax(a.real, axis=-1) + 0.0,),
        several_outputs,
    ),
    Misconception(
        "smallest_output",
        "prediction",
        "the smallest output",
        "This is the output with the smallest activation. The prediction is the one with the largest.",
        (lambda a: np.argmin(a.real, axis=-1) + 1.0,),
        several_outputs,
    ),
    Misconception(
        "other_class",
        "prediction",
        "the other class",
        "This is the other class. Compare the output with one half: above it the class is 1.",
        (lambda a: (a.real[..., 0] <= 0.5) + 0.0,),
        one_output,
    ),
    Misconception(
        "before_less_after",
        "change",
        "before less after",
        "The difference is the wrong way round. A change is the later value less the earlier one: negative is progress.",
        (lambda E_new, E: E - E_new,),
    ),
    Misconception(
        "sign_misread",
        "fell",
        "sign misread",
        "Look at the sign of the change again: a negative change means that the error has become smaller.",
        (lambda change: (change.real >= 0) + 0.0,),
    ),
)

MISCONCEPTIONS = (*FORWARD, *LOSS, *DELTAS, *GRADIENTS, *UPDATES, *OUTCOMES)
"""The library, in the order of the sheet."""
