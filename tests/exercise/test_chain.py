"""What a picture of the chain rule promises: it brings out what the cell depends on, that and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprop.engine.graph import Graph
from quizprop.engine.network import BIASES, Network
from quizprop.engine.structure import Structure, structure_of
from quizprop.exercise.diagram import chain_to, network_svg
from tests.exercise.svg import (
    LAW,
    MAZUR,
    NAMES,
    SHAPES,
    SVG,
    assert_all_is_inside,
    assert_is_named_and_described,
    assert_nothing_is_covered,
    lengths,
    network_of,
    of_class,
    parsed,
    subjects,
    text_of,
)

NETWORKS = [
    Network(layers=(2, 3, 2), activations=("tanh", "sigmoid")),
    Network(layers=(2, 2, 2, 1), activations=("sigmoid", "tanh", "identity"), loss="mse", bias="none"),
    Network(layers=(2, 3), activations=("softmax",), loss="cce"),
    Network(layers=(2, 2), activations=("softmax",)),
    Network(layers=(2, 2), activations=("sigmoid",), bias="shared", examples=2),
]


def moved_by(structure, values, name, place, key, *, held):
    """Whether the cell of that key changes when another one is changed, the quantities ``held`` kept as they are."""
    changed = {each: values[each] for each in values if each not in structure.graph or each in held}
    if name in changed:
        changed[name] = values[name].copy()
        changed[name][(0, *place)] += 0.1
    else:
        changed[name] = np.full_like(values[name], np.nan)
        changed[name][(0, *place)] = values[name][(0, *place)] + 0.1
    where, at = structure.places[key]
    return structure.graph.evaluate(changed)[where][(0, *at)] != values[where][(0, *at)]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_way_to_a_cell_is_what_it_depends_on_in_numbers(network):
    structure, rng = structure_of(network), np.random.default_rng(1)
    given_ = {name: rng.uniform(0.2, 0.9, (1, *shape)) for name, shape in network.givens().items()}
    values = structure.graph.evaluate(given_)
    forward = structure.graph.needed_for(["E"])
    # A decision is moved by none of the small changes that would show what it depends on.
    decided = {quantity.name for quantity in structure.graph if quantity.formula.whole}
    computed = [key for key, (name, _) in structure.places.items() if name in structure.graph and name not in decided]
    for key in rng.choice(computed, 12, replace=False):
        way = chain_to(structure, str(key))
        behind = structure.places[key][0] not in forward
        assert way.backward == behind
        held = forward if behind else set()
        found = {
            one
            for one, (name, place) in structure.places.items()
            if one == key or moved_by(structure, values, name, place, key, held=held)
        }
        assert set(way.cells) | set(way.read) == found
        before = {one for one in found if structure.places[one][0] not in structure.graph}
        if behind:
            before |= {one for one in found if structure.places[one][0] in forward}
        assert set(way.read) == before


def test_mazurs_chain_for_w5():
    way = chain_to(structure_of(MAZUR), "grad_W2[1,1]")
    assert way.cells == ("dE_da2[1]", "da_dz2[1]", "delta2[1]", "grad_W2[1,1]")
    assert way.read == ("t[1]", "a1[1]", "a2[1]")


def test_both_paths_lead_back_to_a_hidden_unit():
    way = chain_to(structure_of(MAZUR), "delta1[1]")
    assert {"path2[1,1]", "path2[2,1]", "delta2[1]", "delta2[2]", "dE_da1[1]", "da_dz1[1]"} <= set(way.cells)
    assert {"W2[1,1]", "W2[2,1]"} == {key for key in way.read if key.startswith("W")}


def test_a_given_stands_at_no_way():
    way = chain_to(structure_of(MAZUR), "W1[1,2]")
    assert (way.cells, way.read, way.backward) == ((), ("W1[1,2]",), False)
    assert "Brought out" not in parsed(network_svg(MAZUR, highlight="W1[1,2]")).find(f"{SVG}desc").text


def test_without_a_loss_everything_is_forward():
    whole = structure_of(MAZUR)
    graph = Graph(tuple(whole.graph[name] for name in ("z1", "a1")))
    part = Structure(MAZUR, graph, whole.keys, whole.expressions, ())
    assert chain_to(part, "a1[1]").cells == ("z1[1]", "a1[1]")
    assert not chain_to(part, "a1[1]").backward


@pytest.mark.parametrize("key", ["", "W9[1,1]", "delta1[3]", "z1"])
def test_a_cell_that_is_not_there_is_refused(key):
    with pytest.raises(ValueError, match=r"no cell is named .*; one looks like z1\[1\], a1\[1\]"):
        network_svg(MAZUR, highlight=key)


# --- drawn ----------------------------------------------------------------------------------------------------------


@st.composite
def highlighted(draw):
    network, _ = draw(subjects())
    return network, draw(st.sampled_from(sorted(structure_of(network).places)))


@given(subject=highlighted(), notation=st.sampled_from(NAMES))
@LAW
@pytest.mark.unmeasured
def test_brought_out_is_exactly_what_holds_a_cell_of_the_way(subject, notation):
    network, key = subject
    root = parsed(network_svg(network, notation=notation, highlight=key))
    way = chain_to(structure_of(network), key)
    keys = way.keys
    if network.bias == "shared":  # drawn once, for the first unit
        keys |= {f"{one.partition('[')[0]}[1]" for one in keys if one.startswith("b")}
    for element in root.iter():
        cells = set(element.get("data-cells", "").split())
        if cells and cells != {"E"}:
            classes = element.get("class").split()
            assert ("qp-on" in classes) == bool(cells & keys), cells
            assert ("qp-dim" in classes) != ("qp-on" in classes)
    assert bool(of_class(root, "qp-loss")) == (way.backward or "E" in way.cells)


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("notation", NAMES)
@pytest.mark.parametrize("layers", [shape for shape in SHAPES if len(shape) > 2])
def test_the_factors_cover_nothing_and_stay_inside(layers, notation, bias):
    network = network_of(layers, bias=bias)
    root = parsed(network_svg(network, notation=notation, highlight="grad_W1[1,1]"))
    assert_is_named_and_described(root)
    assert_nothing_is_covered(root)
    assert_all_is_inside(root)


def test_the_factors_are_named_along_the_way():
    root = parsed(network_svg(MAZUR, highlight="grad_W2[1,1]"))
    units = {text_of(unit)[:2]: unit for unit in of_class(root, "qp-unit")}
    assert [text_of(text) for text in units["o1"].iter(f"{SVG}text")] == [
        *("o1", "δo1", "∂Etotal", "∂outo1", "·", "∂outo1", "∂neto1"),
    ]
    assert [text_of(text) for text in units["h1"].iter(f"{SVG}text")] == ["h1", "outh1"]
    assert [text_of(text) for text in units["h2"].iter(f"{SVG}text")] == ["h2"]
    assert [text_of(edge) for edge in of_class(root, "qp-weight") if "qp-on" in edge.get("class")] == ["w5"]
    assert (
        "Brought out, back from the loss: ∂E_total/∂out_o1, ∂out_o1/∂net_o1, δ_o1, ∂E_total/∂w5. "
        "Read on the way: target_o1, out_h1, out_o1." in root.find(f"{SVG}desc").text
    )


def test_a_unit_named_after_its_activation_says_it_once():
    root = parsed(network_svg(MAZUR, notation="course", highlight="grad_W2[1,1]"))
    assert "a[1]1" in [text_of(unit) for unit in of_class(root, "qp-unit")]


def test_arrows_point_back_where_something_comes_back():
    root = parsed(network_svg(MAZUR, highlight="delta1[1]"))
    for edge in of_class(root, "qp-edge"):
        if edge.get("data-edge"):
            x1, x2 = lengths(edge.find(f"{SVG}line"), "x1", "x2")
            assert (x2 < x1) == (edge.get("data-edge") in ("W2[1,1]", "W2[2,1]"))
    forward = parsed(network_svg(MAZUR, highlight="E"))
    for line in forward.iter(f"{SVG}line"):
        x1, x2 = lengths(line, "x1", "x2")
        assert x1 <= x2


def test_a_mini_batch_is_named_once_for_all_its_examples():
    network = Network(layers=(2, 2), activations=("sigmoid",), examples=3)
    root = parsed(network_svg(network, notation="plain", highlight="grad_W1[1,1]"))
    assert text_of(of_class(root, "qp-unit")[2]).count("δ") == 1
    assert "@" not in "".join(map(text_of, root.iter(f"{SVG}text")))
