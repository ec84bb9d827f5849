"""What the picture of a computation promises: every quantity once, in order, nothing on anything else."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprop.engine.graph import Graph, Quantity, formula
from quizprop.engine.network import Network
from quizprop.engine.structure import Structure, cell_keys, structure_of
from quizprop.engine.trace import trace
from quizprop.exercise.diagram import graph_svg
from quizprop.exercise.diagram.graph import MOST_CELLS
from quizprop.exercise.diagram.layers import depths, layers
from quizprop.exercise.notation import Symbol, symbol
from tests.exercise.svg import (
    LAW,
    MAZUR,
    SVG,
    assert_all_is_inside,
    assert_is_named_and_described,
    assert_nothing_is_covered,
    label_boxes,
    of_class,
    parsed,
    subjects,
    text_of,
)


def drawn(network, **options):
    return parsed(graph_svg(structure_of(network), name=lambda key: symbol(key, network, "mazur"), **options))


def nodes(root):
    return {group.get("data-cells"): group for group in of_class(root, "qp-node")}


@given(subjects())
@LAW
@pytest.mark.unmeasured
def test_every_node_has_a_place_of_its_own_and_each_thing_read_a_line(subject):
    network, _ = subject
    graph = structure_of(network).graph
    root = drawn(network)
    assert_is_named_and_described(root)
    assert_nothing_is_covered(root)
    assert_all_is_inside(root)
    keys = structure_of(network).keys
    shown = [key for cells in nodes(root) for key in cells.split()]
    read = {name for quantity in graph for name in quantity.inputs}
    assert sorted(shown) == sorted(
        str(key) for name in keys if name in graph or name in read for key in keys[name].flat
    )
    lines = of_class(root, "qp-flow") + of_class(root, "qp-again")
    if len(shown) > MOST_CELLS:
        assert len(lines) == sum(len(set(quantity.inputs)) for quantity in graph)
    else:
        cells = [cell for name in graph for cell in structure_of(network).expressions[name.name].flat]
        assert len(lines) == sum(len(set(cell.names())) for cell in cells)


@given(subjects())
@LAW
@pytest.mark.unmeasured
def test_forward_goes_right_and_above_backward_goes_left_and_below(subject):
    network, _ = subject
    structure = structure_of(network)
    root = drawn(network)
    boxes = label_boxes(root)
    group_of = {key: cells for cells in boxes for key in cells.split()}
    forward = structure.graph.needed_for(["E"])
    lowest = max(y + height for cells, (_, y, _, height) in boxes.items() if of_part(root, cells) != "backward")
    for quantity in structure.graph:
        box = boxes[group_of[str(structure.keys[quantity.name].flat[0])]]
        assert (box[1] > lowest) == (quantity.name not in forward)
        for source in quantity.inputs:
            if source in structure.graph and (source in forward) == (quantity.name in forward):
                other = boxes[group_of[str(structure.keys[source].flat[0])]]
                assert (middle(other) < middle(box)) == (quantity.name in forward)


def of_part(root, cells):
    return nodes(root)[cells].get("class").rpartition("-")[2]


def middle(box):
    return box[0] + box[2] / 2


def test_only_what_is_asked_for_is_drawn():
    only = structure_of(MAZUR).graph.needed_for(["a1"])
    root = drawn(MAZUR, only=only)
    assert set(nodes(root)) == {
        *("x[1]", "x[2]", "W1[1,1]", "W1[1,2]", "W1[2,1]", "W1[2,2]", "b1[1]", "b1[2]"),
        *("z1[1]", "z1[2]", "a1[1]", "a1[2]"),
    }
    assert {of_part(root, "x[1]"), of_part(root, "z1[1]")} == {"given", "forward"}
    assert "out_h2 from net_h2." in root.find(f"{SVG}desc").text


def test_what_is_left_out_but_read_stands_as_if_given():
    root = drawn(MAZUR, only=["delta2"])
    assert set(nodes(root)) == {"dE_da2[1]", "dE_da2[2]", "da_dz2[1]", "da_dz2[2]", "delta2[1]", "delta2[2]"}
    assert "Given: ∂E_total/∂out_o1" in root.find(f"{SVG}desc").text


def test_values_stand_where_they_are_known():
    root = drawn(MAZUR, only=["z1", "a1"], values={"z1[1]": 0.3775, "x[1]": 0.05})
    texts = {cells: [text_of(text) for text in group.iter(f"{SVG}text")] for cells, group in nodes(root).items()}
    assert texts["z1[1]"] == ["neth1", "0.3775"]
    assert texts["z1[2]"] == ["neth2"]
    assert "net_h1 (0.3775) from w1, i1, w2, i2, b1." in root.find(f"{SVG}desc").text


def test_a_quantity_of_many_cells_says_how_many_or_what_they_are():
    values = {f"W1[{to},{source}]": 0.1 for to in (1, 2) for source in (1, 2)}
    root = drawn(MAZUR, values={**values, "e[1]": 0.5, "e[2]": -0.25})
    by_first = {cells.split()[0]: text_of(group) for cells, group in nodes(root).items()}
    assert by_first["W1[1,1]"] == "w1…2 × 2"
    assert by_first["e[1]"] == "Eo1…0.5, −0.25"
    assert by_first["E"] == "Etotal"


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="none of these is a quantity"):
        drawn(MAZUR, only=["zz"])


def test_a_computation_of_another_kind_can_be_drawn():
    @formula("h", title="state", latex="h")
    def state(w, x, h0):
        return w * x + h0

    @formula("h", title="state", latex="h")
    def next_state(w, x, h):
        return np.tanh(w * x + h)

    quantities = (bind_plain(state, "h1", ("w", "x1", "h0")), bind_plain(next_state, "h2", ("w", "x2", "h1")))
    graph, keys, expressions = Graph(quantities), {}, {}
    for name in ("w", "x1", "x2", "h0", "h1", "h2"):
        keys[name] = cell_keys(name, (1,), per_example=False, examples=1)
    for quantity in graph:
        expressions[quantity.name] = trace(quantity, keys)
    structure = Structure(Network(layers=(1, 1), activations=("tanh",)), graph, keys, expressions, ())
    root = parsed(graph_svg(structure, name=lambda key: Symbol(key, key.replace("[1]", "_{1}")), title="Recurrent"))
    assert root.find(f"{SVG}title").text == "Recurrent"
    assert root.find(f"{SVG}desc").text == (
        "Given: w[1], x1[1], h0[1], x2[1]. h1[1] from w[1], x1[1], h0[1]. h2[1] from w[1], x2[1], h1[1]."
    )
    assert_nothing_is_covered(root)


def bind_plain(one, name, inputs):
    return Quantity(name, one, inputs)


# --- the layout of any graph ----------------------------------------------------------------------------------------


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 9))
    return {
        str(node): [str(one) for one in draw(st.sets(st.integers(0, node - 1)))] if node else []
        for node in range(count)
    }


@given(graphs())
@LAW
def test_what_is_read_stands_before_and_long_lines_bend_in_each_column(reads):
    depth = depths(reads)
    laid = layers(reads, dict.fromkeys(reads, 20.0))
    for node, sources in reads.items():
        assert laid.places[node][0] == depth[node]
        for source in sources:
            assert depth[source] < depth[node]
            columns = [column for column, _ in laid.bends[source, node]]
            assert columns == list(range(depth[source] + 1, depth[node]))
    for one, other in combinations(laid.places.values(), 2):
        assert one[0] != other[0] or abs(one[1] - other[1]) >= 20


def test_a_crossing_that_can_be_avoided_is():
    reads = {"a": [], "b": [], "c": ["b"], "d": ["a"]}
    places = layers(reads, dict.fromkeys(reads, 20.0)).places
    assert (places["a"][1] < places["b"][1]) == (places["d"][1] < places["c"][1])
