"""Every derivative of every network agrees with one that knows nothing of the engine.

The oracle is a forward pass in plain Python, one example and one unit at a time. Each number can be nudged on its way
by an imaginary step: what reaches the loss, divided by the step, is the derivative, exact to rounding (Squire and
Trapp, 1998). No rule of differentiation is used, so none can be wrong in the same way as the engine's.
"""

import cmath
import inspect
import math
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quizprop.engine.activations import ACTIVATIONS, LEAK
from quizprop.engine.arrays import batch_innermost, select
from quizprop.engine.network import Network
from quizprop.engine.structure import structure_of

LAW = settings(max_examples=60, suppress_health_check=list(HealthCheck))
SEEDS = st.integers(0, 2**32 - 1)
STEP = 1e-30


# --- the oracle -----------------------------------------------------------------------------------------------------


def activated(name, nets):
    if name == "softmax":
        powers = [cmath.exp(net) for net in nets]
        return [power / sum(powers) for power in powers]
    return [
        {
            "sigmoid": lambda net: 1 / (1 + cmath.exp(-net)),
            "tanh": cmath.tanh,
            "relu": lambda net: net if net.real > 0 else 0,
            "leaky_relu": lambda net: net if net.real > 0 else net / 100,
            "identity": lambda net: net,
        }[name](net)
        for net in nets
    ]


def error(name, output, target):
    if name in ("half_sse", "mse"):
        return (output - target) ** 2 * (0.5 if name == "half_sse" else 1)
    error = -target * cmath.log(output)
    return error - (1 - target) * cmath.log(1 - output) if name == "bce" else error


def passed_forward(network, given, example, nudge=None):
    """The cells of one example by key, without its ``@``, and its loss; the place ``nudge`` is moved by STEP i."""

    def at(*place):
        return STEP * 1j if place == nudge else 0

    cells = {}
    signals = [given["x"][example][j] + at("a", 0, j) for j in range(network.layers[0])]
    for layer, activation in enumerate(network.activations, start=1):
        nets = []
        for k in range(network.layers[layer]):
            net = at("z", layer, k)
            if network.bias != "none":
                net += given[f"b{layer}"][k] + at("b", layer, k) + at("shared b", layer)
            for j, signal in enumerate(signals):
                net += (given[f"W{layer}"][k][j] + at("W", layer, k, j)) * (signal + at("path", layer, k, j))
            nets.append(net)
        signals = [a + at("a", layer, k) for k, a in enumerate(activated(activation, nets))]
        cells |= {f"z{layer}[{k + 1}]": net for k, net in enumerate(nets)}
        cells |= {f"a{layer}[{k + 1}]": a for k, a in enumerate(signals)}
    errors = [error(network.loss, a, given["t"][example][k]) for k, a in enumerate(signals)]
    cells |= {f"e[{k + 1}]": e for k, e in enumerate(errors)}
    return cells, sum(errors) / (len(errors) if network.loss == "mse" else 1)


def derivatives(network, given, *place):
    """Of each example's loss by one number."""
    return [passed_forward(network, given, example, place)[1].imag / STEP for example in range(network.examples)]


def marked(network, key):
    """The key with each example's mark."""
    return [f"{key}@{example + 1}" if network.examples > 1 else key for example in range(network.examples)]


def forward_by_hand(network, given):
    """The forward cells by key."""
    passes = [passed_forward(network, given, example) for example in range(network.examples)]
    divisor = network.examples if network.reduction == "mean" else 1
    cells = {"E": sum(loss for _, loss in passes).real / divisor}
    for key in passes[0][0]:
        cells |= zip(marked(network, key), [forward[key].real for forward, _ in passes], strict=True)
    return cells


def backward_by_hand(network, given):
    """The derivatives of each example's loss, by key."""
    wide = list(enumerate(network.layers))
    places = {f"dE_da{layer}[{k + 1}]": ("a", layer, k) for layer, units in wide for k in range(units)}
    for layer, units in wide[1:]:
        places |= {f"delta{layer}[{k + 1}]": ("z", layer, k) for k in range(units)}
        weights = np.ndindex(units, network.layers[layer - 1])
        places |= {f"path{layer}[{k + 1},{j + 1}]": ("path", layer, k, j) for k, j in weights}
    return {
        marked_key: derivative
        for key, place in places.items()
        for marked_key, derivative in zip(marked(network, key), derivatives(network, given, *place), strict=True)
    }


def step_by_hand(network, given):
    """The gradients and the numbers after the step, by key."""
    divisor = network.examples if network.reduction == "mean" else 1
    cells = {}

    def step(name, index, old, *place, trained=True):
        gradient = sum(derivatives(network, given, *place)) / divisor
        cells[f"grad_{name}[{index}]"] = gradient
        cells[f"{name}_new[{index}]"] = old - given["eta"] * gradient if trained else old

    for layer in range(1, network.depth + 1):
        for k in range(network.layers[layer]):
            for j in range(network.layers[layer - 1]):
                step(f"W{layer}", f"{k + 1},{j + 1}", given[f"W{layer}"][k][j], "W", layer, k, j)
            if network.bias == "unit":
                step(f"b{layer}", k + 1, given[f"b{layer}"][k], "b", layer, k, trained=network.update_biases)
        if network.bias == "shared":
            step(f"b{layer}", 1, given[f"b{layer}"][0], "shared b", layer, trained=network.update_biases)
    return cells


def cells_by_hand(network, given):
    """Every cell of a training step by key, but for the slopes of the activations."""
    given = {name: array.tolist() for name, array in given.items()}
    forward, step = forward_by_hand(network, given), step_by_hand(network, given)
    cells = forward | backward_by_hand(network, given) | step | prediction_by_hand(network, forward)
    after = forward_by_hand(network, with_new_numbers(network, given, step))
    cells |= {renewed(key): value for key, value in after.items()}
    return cells | {"change": after["E"] - forward["E"], "fell": float(after["E"] < forward["E"])}


def with_new_numbers(network, given, step):
    """The givens with the weights and biases as the step leaves them."""
    shapes = {name: shape for name, shape in network.givens().items() if name[0] in "Wb"}
    after = dict(given)
    for name, shape in shapes.items():
        cells = np.empty(shape)
        for place in np.ndindex(shape):
            index = (0,) if name[0] == "b" and network.bias == "shared" else place
            cells[place] = step[f"{name}_new[{','.join(str(number + 1) for number in index)}]"]
        after[name] = cells.tolist()
    return after


def renewed(key):
    """z1[2]@3 after the step is z1_new[2]@3."""
    return re.sub(r"^\w+", lambda found: f"{found[0]}_new", key)


def prediction_by_hand(network, forward):
    outputs, cells = network.layers[-1], {}
    if outputs == 1 and network.activations[-1] != "sigmoid":
        return cells
    for example, key in enumerate(marked(network, "prediction"), start=1):
        mark = f"@{example}" if network.examples > 1 else ""
        signals = [forward[f"a{network.depth}[{k}]{mark}"] for k in range(1, outputs + 1)]
        cells[key] = 1.0 + signals.index(max(signals)) if outputs > 1 else float(signals[0] > 0.5)
    return cells


def cells_of_engine(network, given):
    structure = structure_of(network)
    values = structure.graph.evaluate(given)
    return {
        key: float(value)
        for quantity in structure.graph
        for key, value in zip(structure.keys[quantity.name].flat, np.asarray(values[quantity.name]).flat, strict=True)
    }


# --- the laws -------------------------------------------------------------------------------------------------------


def assert_agrees(network, given):
    by_hand, engine = cells_by_hand(network, given), cells_of_engine(network, given)
    slopes = {key for key in engine if key.startswith("da_dz")}
    assert engine.keys() - slopes == by_hand.keys()
    for key, value in by_hand.items():
        assert engine[key] == pytest.approx(value, rel=1e-9, abs=1e-13), key


@LAW
@given(data=st.data(), seed=SEEDS)
def test_every_cell_agrees_with_a_nudged_forward_pass_in_plain_python(networks, numbers, data, seed):
    network = data.draw(networks)
    assert_agrees(network, numbers(network, seed))


@pytest.mark.parametrize("seed", range(3))
def test_so_it_does_in_every_network_of_the_table(network, numbers, seed):
    assert_agrees(network, numbers(network, seed))
    assert_agrees(network, numbers(network, seed, one_hot=network.loss in ("bce", "cce")))


@LAW
@given(data=st.data(), seed=SEEDS)
def test_the_engines_own_forward_pass_takes_complex_numbers_and_gives_its_gradients(networks, numbers, data, seed):
    network = data.draw(networks)
    given, graph = numbers(network, seed), structure_of(network).graph
    values = graph.evaluate(given)
    # A derivative by x is an example's own: the batch's E divides it where it averages.
    divisor = network.examples if network.reduction == "mean" else 1
    expected = {"x": values["dE_da0"] / divisor}
    expected |= {f"W{layer}": values[f"grad_W{layer}"] for layer in range(1, network.depth + 1)}
    if network.bias == "unit":
        expected |= {f"b{layer}": values[f"grad_b{layer}"] for layer in range(1, network.depth + 1)}
    for name, gradient in expected.items():
        nudges = np.eye(given[name].size).reshape(-1, *given[name].shape)
        E = graph.evaluate({**given, name: given[name] + 1j * STEP * nudges}, want=["E"])["E"]
        assert E.imag / STEP == pytest.approx(gradient.ravel(), rel=1e-9, abs=1e-13), name


@pytest.mark.parametrize("name", [name for name, activation in ACTIVATIONS.items() if activation.slope])
def test_the_slope_of_an_activation_is_its_derivative(name):
    activation = ACTIVATIONS[name]
    z = np.array([-3.0, -0.7, -0.01, 0.02, 0.4, 2.5])
    a = activation.function(z)
    (reads,) = inspect.signature(activation.slope).parameters
    slope = activation.slope({"z": z, "a": a}[reads])
    assert a == pytest.approx([value.real for value in activated(name, list(z))], rel=1e-14)
    assert slope == pytest.approx([value.imag / STEP for value in activated(name, list(z + 1j * STEP))], rel=1e-12)


@pytest.mark.parametrize(("name", "slope"), [("relu", 0.0), ("leaky_relu", LEAK)])
def test_at_the_kink_itself_the_slope_is_that_of_the_left(name, slope):
    activation = ACTIVATIONS[name]
    assert activation.function(np.zeros(1)) == 0
    assert activation.slope(np.zeros(1)) == slope


def test_a_relu_that_is_off_gives_zero_and_not_minus_zero():
    off = ACTIVATIONS["relu"].function(np.array([-2.0, -math.inf]))
    assert list(off) == [0, 0]
    assert not np.signbit(off).any()


def test_softmax_neither_overflows_nor_notices_a_shift():
    softmax = ACTIVATIONS["softmax"].function
    assert softmax(np.array([1000.0, 0.0, -1000.0])) == pytest.approx([1, 0, 0])
    assert softmax(np.array([-1e6, -1e6])) == pytest.approx([0.5, 0.5])
    z = np.array([0.3, -0.2, 1.1])
    assert softmax(z + 700) == pytest.approx(softmax(z), rel=1e-12)
    assert softmax(z).sum() == pytest.approx(1, rel=1e-15)


def test_a_saturated_sigmoid_warns_of_nothing(numbers, all_networks):
    network = all_networks["mazur"]
    given = numbers(network, 0)
    given["b1"] = np.array([-1000.0, 1000.0])
    values = structure_of(network).graph.evaluate(given)
    assert values["a1"] == pytest.approx(np.array([[0.0, 1.0]]))
    assert values["delta1"] == pytest.approx(np.zeros((1, 2)))


# --- batches --------------------------------------------------------------------------------------------------------


def test_a_batch_is_its_instances_one_at_a_time(network, numbers):
    graph = structure_of(network).graph
    batch = numbers(network, 2, batch=(7,))
    together = graph.evaluate({name: batch_innermost(array) for name, array in batch.items()})
    for instance in range(7):
        alone = graph.evaluate({name: array[instance] for name, array in batch.items()})
        for quantity in graph:
            name = quantity.name
            assert together[name][instance] == pytest.approx(alone[name], rel=1e-14, abs=1e-16), name


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_an_instance_alone_is_bit_for_bit_what_it_is_in_a_batch(numbers, reduction):
    # Eight and more are what NumPy's own sum adds in another order where they lie side by side.
    wide = Network(
        layers=(9, 8, 8), activations=("leaky_relu", "identity"), loss="mse", examples=8, reduction=reduction
    )
    graph = structure_of(wide).graph
    batch = numbers(wide, 5, batch=(20,))
    together = graph.evaluate({name: batch_innermost(array) for name, array in batch.items()})
    for instance in range(20):
        alone = graph.evaluate({name: batch_innermost(array[[instance]]) for name, array in batch.items()})
        for quantity in graph:
            assert np.array_equal(alone[quantity.name][0], together[quantity.name][instance]), quantity.name


def test_any_number_of_leading_axes_will_do(network, numbers):
    graph = structure_of(network).graph
    batch = numbers(network, 3, batch=(6,))
    flat = graph.evaluate(batch)
    folded = graph.evaluate({name: array.reshape(2, 3, *array.shape[1:]) for name, array in batch.items()})
    for quantity in graph:
        name = quantity.name
        assert folded[name].reshape(flat[name].shape) == pytest.approx(flat[name], rel=1e-14, abs=1e-16), name


def test_a_batch_lies_innermost_in_memory_and_so_does_what_is_selected_from_it():
    array = np.arange(24.0).reshape(4, 2, 3)
    for laid in (batch_innermost(array), select(batch_innermost(array), np.array([0, 1, 2, 3]))):
        assert np.array_equal(laid, array)
        assert laid.strides[0] == array.itemsize
    chosen = select(batch_innermost(array), np.array([3, 1]))
    assert np.array_equal(chosen, array[[3, 1]])
    assert chosen.strides[0] == array.itemsize


def test_results_keep_the_batch_innermost(all_networks, numbers):
    network = all_networks["three layers"]
    batch = {name: batch_innermost(array) for name, array in numbers(network, 4, batch=(50,)).items()}
    values = structure_of(network).graph.evaluate(batch)
    for name, array in values.items():
        assert array.strides[0] == array.itemsize, name
