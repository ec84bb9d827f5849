"""Networks to state laws about, and generic numbers for them."""

import numpy as np
import pytest
from hypothesis import strategies as st

from quizprop.engine.network import ACTIVATIONS, BIASES, LOSSES, REDUCTIONS, Network


def net(layers, *activations, **rules):
    return Network(layers=layers, activations=activations, **rules)


# Between them they have every activation in every role, every loss, every rule for biases and mini-batches, and layers
# of equal and of different width: every misconception applies in at least one.
NETWORKS = {
    "mazur": net((2, 2, 2), "sigmoid", "sigmoid", bias="shared", update_biases=False),
    "chain of single units": net((1, 1, 1), "sigmoid", "tanh", bias="shared"),
    "three layers": net((3, 3, 3, 2), "sigmoid", "tanh", "sigmoid"),
    "three square layers, no bias": net((2, 2, 2, 2), "tanh", "sigmoid", "identity", bias="none"),
    "relu, mse": net((2, 3, 3, 2), "relu", "relu", "identity", loss="mse"),
    "relu output": net((3, 3), "relu", update_biases=False),
    "leaky relu": net((2, 2, 2), "leaky_relu", "leaky_relu", bias="none"),
    "linear": net((2, 2, 2), "identity", "identity", bias="shared"),
    "bce": net((2, 3, 2), "tanh", "sigmoid", loss="bce"),
    "cce": net((3, 2, 3), "sigmoid", "softmax", loss="cce"),
    "softmax, half_sse": net((2, 3), "softmax"),
    "softmax, mse, no bias": net((3, 2, 2), "relu", "softmax", loss="mse", bias="none"),
    "batch mean": net((2, 2, 2), "sigmoid", "sigmoid", examples=3),
    "batch mean, mse, shared": net((2, 3, 2), "leaky_relu", "identity", loss="mse", bias="shared", examples=2),
    "batch sum, mse": net((3, 3, 2), "tanh", "tanh", loss="mse", examples=2, reduction="sum"),
    "batch sum, shared": net((2, 2, 2), "relu", "sigmoid", bias="shared", examples=3, reduction="sum"),
    "batch mean, bce, no bias": net((2, 1), "sigmoid", loss="bce", bias="none", examples=4),
    "batch mean, cce": net((2, 2, 3), "tanh", "softmax", loss="cce", examples=2),
}


@pytest.fixture(params=NETWORKS)
def network(request):
    return NETWORKS[request.param]


@pytest.fixture(scope="session")
def all_networks():
    return NETWORKS


@st.composite
def any_network(draw):
    output = draw(st.sampled_from(ACTIVATIONS))
    depth = draw(st.integers(1, 3))
    hidden = st.sampled_from([name for name in ACTIVATIONS if name != "softmax"])
    own_loss = {"softmax": "cce", "sigmoid": "bce"}.get(output, "mse")
    return net(
        (*(draw(st.integers(1, 4)) for _ in range(depth)), draw(st.integers(2 if output == "softmax" else 1, 4))),
        *(draw(hidden) for _ in range(depth - 1)),
        output,
        loss=draw(st.sampled_from([name for name in LOSSES if name not in ("bce", "cce")] + [own_loss])),
        bias=draw(st.sampled_from(BIASES)),
        update_biases=draw(st.booleans()),
        examples=draw(st.integers(1, 3)),
        reduction=draw(st.sampled_from(REDUCTIONS)),
    )


@pytest.fixture(scope="session")
def networks():
    """A Hypothesis strategy: networks of up to three layers with weights, up to four units wide."""
    return any_network()


@pytest.fixture(scope="session")
def numbers():
    return generic_numbers


def generic_numbers(network, seed, *, batch=(), one_hot=False):
    """Random givens for a network, in general position and small enough that nothing saturates.

    Targets of a cross-entropy lie between 0 and 1 and, under softmax, add up to 1; ``one_hot`` makes them 0 and 1.
    """
    rng = np.random.default_rng(seed)
    given = {}
    for name, shape in network.givens().items():
        fan_in = shape[-1] if name.startswith("W") else 1
        size = rng.uniform(0.2, 1.5, (*batch, *shape)) / np.sqrt(fan_in)
        given[name] = size * rng.choice([-1.0, 1.0], size.shape)
    given["eta"] = rng.uniform(0.1, 0.9, batch)
    if network.loss in ("bce", "cce"):
        given["t"] = rng.uniform(0.1, 0.9, given["t"].shape)
    if network.loss == "cce":
        given["t"] /= given["t"].sum(-1, keepdims=True)
    if one_hot:
        given["t"] = (given["t"] == given["t"].max(-1, keepdims=True)).astype(float)
    if network.bias == "shared":
        for layer in range(1, network.depth + 1):
            given[f"b{layer}"][:] = given[f"b{layer}"][..., :1]
    return given
