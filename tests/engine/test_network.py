"""What makes a network, and how it is told where it does not."""

import re

import pytest

from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.losses import LOSSES
from quizprop.engine.network import ACTIVATIONS as ACTIVATION_NAMES
from quizprop.engine.network import LOSSES as LOSS_NAMES
from quizprop.engine.network import Network


def test_the_names_are_those_of_the_formulas():
    assert tuple(ACTIVATIONS) == ACTIVATION_NAMES
    assert tuple(LOSSES) == LOSS_NAMES


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"layers": (2,), "activations": ()}, "layers: at least an input and an output of one unit each, not [2]; "),
        ({"layers": (), "activations": ()}, "layers: at least an input and an output of one unit each, not []; "),
        ({"layers": (2, 0, 1)}, "layers: at least an input and an output of one unit each, not [2, 0, 1]; "),
        ({"activations": ("tanh",)}, "activations: one for each of the 2 layers with weights, not 1; "),
        ({"activations": ("tanh",) * 3}, "activations: one for each of the 2 layers with weights, not 3; "),
        ({"activations": ("swish", "tanh")}, "activations: 'swish' is not one of sigmoid, tanh, relu, "),
        ({"activations": ("softmax", "tanh")}, "activations: softmax belongs to the output layer; use another one "),
        ({"loss": "hinge"}, "loss: 'hinge' is not one of half_sse, mse, bce, cce"),
        ({"loss": "cce"}, "loss: cce needs softmax in the output layer, not sigmoid; "),
        ({"loss": "bce", "activations": ("tanh", "tanh")}, "loss: bce needs sigmoid in the output layer, not tanh; "),
        ({"layers": (2, 2, 1), "activations": ("tanh", "softmax")}, "layers: a softmax of one unit is always 1; give "),
        ({"bias": "maybe"}, "bias: 'maybe' is not one of unit, shared, none"),
        ({"reduction": "max"}, "reduction: 'max' is not one of mean, sum"),
        ({"examples": 0}, "examples: a mini-batch has at least 1, not 0; "),
    ],
)
def test_parts_that_do_not_make_a_network_are_told_by_name_with_the_rule_and_a_way_out(changed, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        Network(**{"layers": (2, 2, 2), "activations": ("sigmoid", "sigmoid"), **changed})


def test_a_network_lists_its_givens_in_reading_order_with_their_shapes():
    network = Network(layers=(3, 2, 1), activations=("tanh", "sigmoid"), examples=4)
    assert network.depth == 2
    assert list(network.givens().items()) == [
        ("x", (4, 3)),
        ("t", (4, 1)),
        ("W1", (2, 3)),
        ("b1", (2,)),
        ("W2", (1, 2)),
        ("b2", (1,)),
        ("eta", ()),
    ]


def test_without_biases_there_are_none_to_give():
    network = Network(layers=(3, 2), activations=("tanh",), bias="none")
    assert list(network.givens()) == ["x", "t", "W1", "eta"]


def test_only_a_cross_entropy_cancels_the_slope_of_its_output(network):
    assert network.fused == (network.loss in ("bce", "cce"))
