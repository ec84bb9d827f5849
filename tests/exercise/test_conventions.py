"""The strip of rules above a sheet says what its network does."""

import numpy as np
import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.conventions import conventions
from quizprop.exercise.generate import draw
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import NOTATIONS, mathml


def rules(instance, notation="plain"):
    return {rule.name: rule for rule in conventions(instance, notation)}


def with_activations(*names):
    base = load_bank()["chain"]
    exercise = base.model_copy(update={"network": base.network.model_copy(update={"activations": names})})
    return Instance(exercise, draw(base, np.random.default_rng(0)).given)


@pytest.mark.parametrize(
    ("activations", "places"),
    [
        (("tanh", "tanh", "tanh"), {"Activation"}),
        (("tanh", "tanh", "sigmoid"), {"Hidden", "Output"}),
        (("tanh", "sigmoid", "sigmoid"), {"Layer 1", "Layer 2, 3"}),
    ],
)
def test_each_activation_is_said_with_its_layers(activations, places):
    said = {name for name in rules(with_activations(*activations)) if name not in ("Carry", "Loss", "Biases")}
    assert said - {"Learning rate"} == places


def test_the_bias_policy_is_said_where_there_is_a_step():
    instances = {slug: draw(exercise, np.random.default_rng(0)) for slug, exercise in load_bank().items()}
    assert rules(instances["mazur"])["Biases"].words == "one a layer, shared; not trained"
    assert rules(instances["logistic-unit"])["Biases"].words == "one a unit; trained too"
    assert rules(instances["forward-pass"])["Biases"].words == "one a unit"
    assert "Biases" not in rules(instances["deltas"])


@pytest.mark.parametrize(("reduction", "words"), [("mean", "the mean enters"), ("sum", "their sum enters")])
def test_a_mini_batch_says_where_its_examples_are_put_together(reduction, words):
    base = load_bank()["mini-batch"]
    network = base.network.model_copy(update={"reduction": reduction})
    given = draw(base, np.random.default_rng(0)).given
    said = rules(Instance(base.model_copy(update={"network": network}), given))
    assert said["Deltas"].words == f"each of its own example's loss; {words} the gradients"


def test_every_formula_is_mathematics(instances):
    for notation, _ in NOTATIONS:
        for rule in rules(instances[0], notation).values():
            assert not rule.latex or mathml(rule.latex).startswith("<math")


def test_where_nothing_is_rounded_there_are_no_decimals_to_carry():
    shapes = rules(draw(load_bank()["shapes-forward"], np.random.default_rng(0)))
    assert shapes["Answers"].words == "whole numbers"
    assert "Carry" not in shapes
