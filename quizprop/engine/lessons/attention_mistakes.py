"""What goes wrong in attention: rows and columns, keys and values, the scaling, and the softmax there and back."""

from typing import Final

import numpy as np

from quizprop.engine.activations import sigmoid
from quizprop.engine.arrays import Array, swap_units, total
from quizprop.engine.lessons.squared_error import output_mistakes
from quizprop.engine.mistakes import Misconception

__all__ = ["attention_mistakes"]


def _by_row(rows: Array, vector: Array) -> Array:
    """The dot product of each row with a vector."""
    return total(rows * vector[..., None, :], -1)


def _mixed(weights: Array, rows: Array) -> Array:
    """The sum of the rows, each times its weight."""
    return total(weights[..., :, None] * rows, -2)


def _all_pairs(to_row: Array, along_row: Array) -> Array:
    return to_row[..., :, None] * along_row[..., None, :]


def _off_diagonal(V: Array) -> Array:
    return np.broadcast_to(np.eye(V.shape[-1]) == 0, V.shape)


# --- forward --------------------------------------------------------------------------------------------------------

_SCORES: Final = (
    Misconception(
        "values_for_keys",
        "s",
        "values instead of keys",
        "The query was matched with the values. It is matched with the keys; the values are what is mixed afterwards.",
        (lambda q, V: _by_row(V, q),),
    ),
    Misconception(
        "one_component_only",
        "s",
        "one component only",
        "Only one component was multiplied. A dot product adds up the products of all components.",
        (lambda q, K: q[..., :1] * K[..., 0], lambda q, K: q[..., -1:] * K[..., -1]),
    ),
    Misconception(
        "not_scaled",
        "z",
        "not scaled",
        "This is the score itself. Divide it by the root of the number of components of a key before the softmax.",
        (lambda s: s,),
    ),
    Misconception(
        "root_left_out",
        "z",
        "divided without the root",
        "The score was divided by the number of components of a key itself, or scaled twice. Divide once, by the "
        "*root* of that number.",
        (lambda s, K: s / K.shape[-1],),
    ),
    Misconception(
        "multiplied",
        "z",
        "multiplied by the root",
        "The score was multiplied by the root. The scaling is there to keep scores small: divide.",
        (lambda s, K: s * np.sqrt(K.shape[-1]),),
    ),
    Misconception(
        "sign_flipped",
        "p",
        "minus in the exponent",
        "The exponent has a minus. That is from the sigmoid; softmax raises e to the score as it is.",
        (lambda z: np.exp(-z),),
    ),
    Misconception(
        "not_scaled",
        "p",
        "exponent not scaled",
        "The exponent is the score from before the scaling. Take the scaled one.",
        (lambda s: np.exp(s),),
    ),
    Misconception(
        "exponential_left_out",
        "p",
        "exponential left out",
        "This is still the score. Softmax raises e to it, so that every weight becomes positive.",
        (lambda z: z,),
    ),
    Misconception(
        "not_normalised",
        "a",
        "not normalised",
        "This is the power alone. Divide it by the sum of all powers: attention weights add up to 1.",
        (lambda p: p,),
    ),
    Misconception(
        "exponential_left_out",
        "a",
        "scores normalised without the exponential",
        "The scores themselves were divided by their sum. Softmax divides the powers of e.",
        (lambda z: z / total(z, -1, keepdims=True),),
    ),
    Misconception(
        "sigmoid_for_softmax",
        "a",
        "sigmoid instead of softmax",
        "This is the sigmoid of the score alone. In a softmax the keys compete: all powers stand in the denominator.",
        (lambda z: sigmoid(z),),
    ),
    Misconception(
        "others_only",
        "a",
        "own power not in the sum",
        "The power was divided by those of the other keys. The sum has *all* powers in it, its own included.",
        (lambda p: p / (total(p, -1, keepdims=True) - p),),
    ),
)

_OUTPUT: Final = (
    Misconception(
        "plain_mean",
        "o",
        "plain mean of the values",
        "The values were simply averaged. Each counts with its attention weight.",
        (lambda V: total(V, -2) / V.shape[-2],),
    ),
    Misconception(
        "weights_left_out",
        "o",
        "weights left out",
        "The values were added up as they are. Multiply each by its attention weight first.",
        (lambda V: total(V, -2),),
    ),
    Misconception(
        "keys_for_values",
        "o",
        "keys instead of values",
        "The keys were mixed. They have done their work in the scores; what is mixed are the values.",
        (lambda a, K: _mixed(a, K),),
    ),
    Misconception(
        "score_for_weight",
        "o",
        "scores instead of weights",
        "The values were weighted with the scores. Take what the softmax has made of them.",
        (lambda z, V: _mixed(z, V),),
    ),
    Misconception(
        "divided_again",
        "o",
        "divided by the number of keys",
        "The weighted sum was divided by the number of keys as well. The weights add up to 1: it is a mean already.",
        (lambda a, V: _mixed(a, V) / V.shape[-2],),
    ),
    Misconception(
        "half_left_out",
        "E",
        "half left out",
        "The squares are right, but this error has a factor of one half in front.",
        (lambda o, y: total((y - o) ** 2, -1),),
    ),
    Misconception(
        "not_squared",
        "E",
        "not squared",
        "The differences were not squared. Without the square, errors of opposite sign would cancel.",
        (lambda o, y: total(y - o, -1) / 2, lambda o, y: total(o - y, -1) / 2),
    ),
    Misconception(
        "one_output_only",
        "E",
        "one component only",
        "This is the error of one component. The error counts all of them.",
        (lambda o, y: (y[..., 0] - o[..., 0]) ** 2 / 2, lambda o, y: (y[..., -1] - o[..., -1]) ** 2 / 2),
    ),
    Misconception(
        "sum_squared",
        "E",
        "sum squared",
        "The differences were added up first and then squared. Square each of them, then add.",
        (lambda o, y: total(y - o, -1) ** 2 / 2,),
    ),
)

# --- and back -------------------------------------------------------------------------------------------------------

_BACK: Final = (
    Misconception(
        "weight_left_out",
        "grad_V",
        "attention weight left out",
        "This is the derivative by the output alone. A value reached the output through its attention weight.",
        (lambda grad_o, V: grad_o[..., None, :] + 0 * V,),
    ),
    Misconception(
        "score_for_weight",
        "grad_V",
        "score instead of weight",
        "The derivative was multiplied by the score. What the value met is the attention weight, after the softmax.",
        (lambda z, grad_o: _all_pairs(z, grad_o),),
    ),
    Misconception(
        "value_for_weight",
        "grad_V",
        "value instead of weight",
        "The derivative was multiplied by the value itself. By a value, what counts is the weight that it meets.",
        (lambda V, grad_o: V * grad_o[..., None, :],),
    ),
    Misconception(
        "plain_mean",
        "grad_V",
        "shared out evenly",
        "The derivative was shared out evenly. Each value gets it in the measure of its attention weight.",
        (lambda grad_o, V: grad_o[..., None, :] / V.shape[-2] + 0 * V,),
    ),
    Misconception(
        "output_for_derivative",
        "grad_V",
        "output instead of its derivative",
        "The weight was multiplied by the output. The chain rule takes the derivative of the error by the output.",
        (lambda a, o: _all_pairs(a, o),),
    ),
    Misconception(
        "value_left_out",
        "grad_a",
        "value left out",
        "The derivatives by the output were just added up. Each is multiplied by the value's component first.",
        (lambda grad_o, V: total(grad_o[..., None, :] + 0 * V, -1),),
    ),
    Misconception(
        "keys_for_values",
        "grad_a",
        "keys instead of values",
        "This went back through the keys. An attention weight multiplies a value.",
        (lambda grad_o, K: _by_row(K, grad_o),),
    ),
    Misconception(
        "one_component_only",
        "grad_a",
        "one component only",
        "Only one component was counted. The weight multiplies the whole value, so all components count.",
        (lambda grad_o, V: grad_o[..., :1] * V[..., 0], lambda grad_o, V: grad_o[..., -1:] * V[..., -1]),
    ),
    Misconception(
        "output_for_derivative",
        "grad_a",
        "output instead of its derivative",
        "The value was multiplied by the output. The chain rule takes the derivative of the error by the output.",
        (lambda o, V: _by_row(V, o),),
    ),
    Misconception(
        "plain_mean",
        "average",
        "plain mean",
        "The derivatives were simply averaged. Each counts with its attention weight.",
        (lambda grad_a: total(grad_a, -1) / grad_a.shape[-1],),
    ),
    Misconception(
        "weights_left_out",
        "average",
        "weights left out",
        "The derivatives were added up as they are. Multiply each by its attention weight first.",
        (lambda grad_a: total(grad_a, -1),),
    ),
    Misconception(
        "diagonal_only",
        "grad_z",
        "diagonal of the softmax only",
        "This covers only the key itself. In a softmax each score moves every weight: all of them count.",
        (lambda a, grad_a: a * (1 - a) * grad_a,),
    ),
    Misconception(
        "mean_left_out",
        "grad_z",
        "weighted mean left out",
        "The weighted mean was not taken away. When one weight rises the others fall, and that counts as well.",
        (lambda a, grad_a: a * grad_a,),
    ),
    Misconception(
        "weight_left_out",
        "grad_z",
        "attention weight left out",
        "This is how far the derivative is above the mean. The softmax also multiplies it by the key's own weight.",
        (lambda grad_a, average: grad_a - average[..., None],),
    ),
    Misconception(
        "sign_flipped",
        "grad_z",
        "sign flipped",
        "The difference is the wrong way round: the mean is taken away from the derivative, not the other way.",
        (lambda a, grad_a, average: a * (average[..., None] - grad_a),),
    ),
    Misconception(
        "mean_not_weighted",
        "grad_z",
        "mean not multiplied by the weight",
        "The weight was multiplied with the derivative alone. It stands in front of the whole difference.",
        (lambda a, grad_a, average: a * grad_a - average[..., None],),
    ),
    Misconception(
        "softmax_left_out",
        "grad_z",
        "softmax left out",
        "This is the derivative by the attention weight. Between weight and score lies the softmax.",
        (lambda grad_a: grad_a,),
    ),
    Misconception(
        "not_scaled",
        "grad_s",
        "not scaled",
        "The scaling was forgotten on the way back. The score was divided by the root: so is its derivative.",
        (lambda grad_z: grad_z,),
    ),
    Misconception(
        "root_left_out",
        "grad_s",
        "divided without the root",
        "This was divided by the number of components of a key itself, or scaled twice. Divide once, by the *root* of "
        "that number.",
        (lambda grad_z, K: grad_z / K.shape[-1],),
    ),
    Misconception(
        "multiplied",
        "grad_s",
        "multiplied by the root",
        "This was multiplied by the root. A score that is divided by the root passes on a smaller change: divide.",
        (lambda grad_z, K: grad_z * np.sqrt(K.shape[-1]),),
    ),
)

_QUERY_AND_KEYS: Final = (
    Misconception(
        "one_key_only",
        "grad_q",
        "one key only",
        "This counts one key only. The query was matched with every key: add up what comes back from each.",
        (
            lambda grad_s, K: grad_s[..., :1] * K[..., 0, :],
            lambda grad_s, K: grad_s[..., -1:] * K[..., -1, :],
        ),
    ),
    Misconception(
        "values_for_keys",
        "grad_q",
        "values instead of keys",
        "This went back through the values. The query met the keys.",
        (lambda grad_s, V: _mixed(grad_s, V),),
    ),
    Misconception(
        "not_scaled",
        "grad_q",
        "scaling left out",
        "The derivatives by the scaled scores were used. The dot product is the score from before the scaling.",
        (lambda grad_z, K: _mixed(grad_z, K),),
    ),
    Misconception(
        "weight_for_derivative",
        "grad_q",
        "weights instead of derivatives",
        "The keys were mixed with the attention weights. The way back takes the derivatives by the scores.",
        (lambda a, K: _mixed(a, K),),
    ),
    Misconception(
        "query_left_out",
        "grad_K",
        "query left out",
        "This is the derivative by the score alone. A key was multiplied by the query.",
        (lambda grad_s, K: grad_s[..., :, None] + 0 * K,),
    ),
    Misconception(
        "key_for_query",
        "grad_K",
        "key instead of query",
        "The derivative was multiplied by the key itself. By a key, what counts is the query that it meets.",
        (lambda grad_s, K: grad_s[..., :, None] * K,),
    ),
    Misconception(
        "not_scaled",
        "grad_K",
        "scaling left out",
        "The derivative by the scaled score was used. The dot product is the score from before the scaling.",
        (lambda grad_z, q: _all_pairs(grad_z, q),),
    ),
)

KEYS_TRANSPOSED = (
    "Rows and columns of the keys are swapped. A key is a *row*: each of its components meets that of the query."
)
VALUES_TRANSPOSED = (
    "Rows and columns of the values are swapped. A value is a *row*, and its weight multiplies all of it."
)

# Only where there are as many keys as components can rows be taken for columns.
_TRANSPOSED: Final = (
    Misconception("transposed", "s", "keys transposed", KEYS_TRANSPOSED, (lambda q, K: _by_row(swap_units(K), q),)),
    Misconception("transposed", "o", "values transposed", VALUES_TRANSPOSED, (lambda a, V: _by_row(V, a),)),
    Misconception(
        "indices_swapped",
        "grad_V",
        "indices swapped",
        "Weight and derivative have swapped places: the row says which weight, the column which component.",
        (lambda a, grad_o: _all_pairs(grad_o, a),),
        where=_off_diagonal,
    ),
    Misconception(
        "transposed", "grad_a", "values transposed", VALUES_TRANSPOSED, (lambda grad_o, V: _mixed(grad_o, V),)
    ),
    Misconception("transposed", "grad_q", "keys transposed", KEYS_TRANSPOSED, (lambda grad_s, K: _by_row(K, grad_s),)),
    Misconception(
        "indices_swapped",
        "grad_K",
        "indices swapped",
        "Derivative and query have swapped places: the row says which score, the column which component.",
        (lambda grad_s, q: _all_pairs(q, grad_s),),
        where=_off_diagonal,
    ),
)


def attention_mistakes(*, square: bool) -> tuple[Misconception, ...]:
    """What goes wrong, in the order of the sheet; ``square`` where there are as many keys as components."""
    return (
        *_SCORES,
        *_OUTPUT,
        *output_mistakes({"dE_da": "grad_o"}),
        *_BACK,
        *_QUERY_AND_KEYS,
        *(_TRANSPOSED if square else ()),
    )
