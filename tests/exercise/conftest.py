"""Families to state laws about: the shipped bank, and a zoo of networks that the bank does not use yet."""

import itertools

import numpy as np
import pytest

from quizprop.engine.network import Network
from quizprop.exercise.bank import load_bank
from quizprop.exercise.generate import draw_many
from quizprop.exercise.spec import Exercise

GRID = {"low": "-1.5", "high": "1.5", "step": "0.1"}
SLOPING = {"low": "-2.0", "high": "2.0", "step": "0.1"}


def family(slug, layers, activations, asked, *, t=None, places=4, shown=(), dead_units=None, **network):
    values = {"x": SLOPING, "t": t or {"choices": [0, 1]}, "eta": {"choices": [0.05, 0.1, 0.2, 0.3]}}
    for layer in range(1, len(layers)):
        values[f"W{layer}"] = SLOPING
        if network.get("bias") != "none":
            values[f"b{layer}"] = GRID
    return Exercise.model_validate(
        {
            "slug": slug,
            "title": slug,
            "sentence": slug,
            "places": places,
            "network": {"layers": layers, "activations": activations, **network},
            "values": values,
            "asked": asked,
            "shown": shown,
            "dead_units": dead_units,
        }
    )


EVERYTHING = ["z1", "a1", "z2", "a2", "E", "delta2", "delta1", "grad_W2", "grad_W1", "W2_new", "W1_new"]
ZOO = {
    exercise.slug: exercise
    for exercise in (
        family("relu-mse", [2, 2, 1], ["relu", "identity"], EVERYTHING, t={"choices": [1, 2]}, loss="mse", places=3),
        family("leaky-mse", [2, 2, 2], ["leaky_relu", "tanh"], ["z1", "a1", "dE_da2", "delta1"], loss="mse"),
        family(
            "softmax",
            [2, 3],
            ["softmax"],
            ["z1", "a1", "E", "delta1", "grad_W1", "W1_new"],
            t={"one_hot": True},
            loss="cce",
        ),
        family("softmax-sse", [2, 2], ["softmax"], ["z1", "a1", "dE_da1", "delta1"], t={"one_hot": True}),
        family(
            "batch-mean",
            [2, 1],
            ["sigmoid"],
            ["z1", "a1", "E", "delta1", "grad_W1", "grad_b1", "b1_new"],
            loss="bce",
            examples=3,
        ),
        family(
            "batch-sum", [2, 2], ["sigmoid"], ["a1", "E", "delta1", "grad_W1"], examples=2, reduction="sum", bias="none"
        ),
        family("gradients-only", [2, 2, 2], ["tanh", "sigmoid"], ["grad_W2", "grad_W1"], bias="shared"),
        family(
            "faded",
            [2, 2, 2],
            ["sigmoid", "tanh"],
            EVERYTHING,
            shown=["z1[1]", "a1[2]", "z2[2]", "delta2[1]", "grad_W1[1,2]"],
        ),
        family("dead", [2, 3, 1], ["relu", "sigmoid"], [*EVERYTHING, "b1_new"], places=4, dead_units=1),
        family(
            "after",
            [2, 2, 2],
            ["sigmoid", "sigmoid"],
            ["a2", "prediction", "E", "delta2", "W2_new", "W1_new", "z1_new", "a2_new", "E_new", "change", "fell"],
            places=5,
            bias="none",
        ),
        family("shown-forward", [2, 2, 1], ["sigmoid", "sigmoid"], ["delta2", "delta1", "grad_b1"], shown=["a1", "a2"]),
    )
}
BANK = load_bank()
FAMILIES = {**{slug: exercise for slug, exercise in BANK.items() if exercise.question == "sheet"}, **ZOO}
POSED = {slug: exercise for slug, exercise in BANK.items() if exercise.question != "sheet"}
ONE_OF_A_KIND = {type(exercise.model): slug for slug, exercise in FAMILIES.items() if slug in BANK}.values()


def each(families):
    """Families as parameters. To measure coverage, the zoo and one of the bank for each kind of model are enough."""
    measured = {*ZOO, *ONE_OF_A_KIND}
    return [slug if slug in measured else pytest.param(slug, marks=pytest.mark.unmeasured) for slug in families]


@pytest.fixture(scope="session", params=each(FAMILIES))
def exercise(request):
    return FAMILIES[request.param]


@pytest.fixture(scope="session", params=POSED)
def posed(request):
    """A family that asks in another way than by a sheet to fill in."""
    return POSED[request.param]


@pytest.fixture(scope="session")
def posed_instances(posed):
    """Some certified instances of it."""
    return list(itertools.islice(draw_many(posed, np.random.default_rng(2)), 8))


def of_kind(kind, count=25):
    """Instances of every family that asks so."""
    return [
        instance
        for exercise in POSED.values()
        if exercise.question == kind
        for instance in itertools.islice(draw_many(exercise, np.random.default_rng(9)), count)
    ]


@pytest.fixture(scope="session")
def instances(exercise):
    """Some certified instances of the family."""
    return drawn(exercise)


@pytest.fixture(scope="session", params=each(slug for slug, one in FAMILIES.items() if isinstance(one.model, Network)))
def network_exercise(request):
    """The families that work on a fully connected network."""
    return FAMILIES[request.param]


@pytest.fixture(scope="session")
def network_instances(network_exercise):
    """Some certified instances of such a family."""
    return drawn(network_exercise)


def drawn(exercise):
    return list(itertools.islice(draw_many(exercise, np.random.default_rng(1)), 1 if exercise.fixed else 12))
