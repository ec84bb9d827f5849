"""What a picture promises: well-formed, nothing covers anything, every number is in it, nothing in it can run."""

import math
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import quizprop
from quizprop.engine.network import BIASES, Network
from quizprop.engine.structure import structure_of
from quizprop.exercise.diagram import graph_svg, network_svg
from quizprop.exercise.notation import parse_key, symbol
from quizprop.exercise.plots import Descent, Slice, descent_svg, slice_svg
from tests.exercise.svg import (
    LAW,
    MAZUR,
    MAZUR_GIVEN,
    NAMES,
    SHAPES,
    SVG,
    assert_all_is_inside,
    assert_is_named_and_described,
    assert_nothing_is_covered,
    label_boxes,
    lengths,
    network_of,
    numbers_for,
    of_class,
    parsed,
    subjects,
    text_of,
)

# --- layout ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("notation", NAMES)
@pytest.mark.parametrize("layers", SHAPES)
def test_labels_cover_nothing_and_stay_inside(layers, notation, bias):
    network = network_of(layers, bias=bias)
    root = parsed(network_svg(network, numbers_for(network), notation=notation))
    assert len(of_class(root, "qp-weight")) == sum(a * b for a, b in pairwise(layers))
    assert_nothing_is_covered(root)
    assert_all_is_inside(root)


@given(subject=subjects(), notation=st.sampled_from(NAMES))
@LAW
@pytest.mark.unmeasured
def test_any_network_with_any_numbers_covers_nothing(subject, notation):
    root = parsed(network_svg(*subject, notation=notation))
    assert_nothing_is_covered(root)
    assert_all_is_inside(root)


def test_long_biases_widen_the_picture_where_weights_are_short():
    for bias in ("shared", "unit"):
        network = network_of((1, 1, 1, 1), bias=bias)
        numbers = {**numbers_for(network, places=17), "W1": [[1]], "W2": [[1]], "W3": [[1]]}
        assert_nothing_is_covered(parsed(network_svg(network, numbers)))


@pytest.mark.parametrize("layers", SHAPES)
def test_a_label_lies_on_its_own_line(layers):
    network = network_of(layers)
    root = parsed(network_svg(network, numbers_for(network)))
    boxes = label_boxes(root)
    for edge in of_class(root, "qp-edge"):
        x1, y1, x2, y2 = lengths(edge.find(f"{SVG}line"), "x1", "y1", "x2", "y2")
        x, y, width, height = boxes[edge.get("data-edge")]
        share = (x + width / 2 - x1) / (x2 - x1)
        assert 0 < share < 1
        assert y + height / 2 == pytest.approx(y1 + share * (y2 - y1), abs=0.05)


def test_too_many_weights_between_two_layers_go_to_the_table():
    network = network_of((8, 8, 2))
    root = parsed(network_svg(network, numbers_for(network)))
    assert {group.get("data-edge")[:2] for group in of_class(root, "qp-weight")} == {"W2"}
    assert len(of_class(root, "qp-edge")) == 80
    assert "weights: see the table" in text_of(root)


def test_the_same_numbers_give_the_same_picture():
    assert network_svg(MAZUR, MAZUR_GIVEN) == network_svg(MAZUR, MAZUR_GIVEN)


def test_only_a_wide_picture_asks_to_scroll():
    narrow, wide = network_of((2, 2, 2)), network_of((2, 2, 2, 2))
    assert parsed(network_svg(narrow, numbers_for(narrow))).get("class") == "qp-diagram"
    assert parsed(network_svg(wide, numbers_for(wide))).get("class") == "qp-diagram qp-diagram-wide"


def test_mazurs_network_is_legible_on_a_phone():
    root = parsed(network_svg(MAZUR, MAZUR_GIVEN, values={"z1[1]": 0.3775, "a1[1]": 0.5933}))
    width = float(root.get("viewBox").split()[2])
    assert min(float(text.get("font-size")) for text in root.iter(f"{SVG}text")) * 390 / width > 9
    assert min(float(text.get("font-size")) for text in of_class(root, "qp-value")) * 390 / width > 11.5


# --- what it shows --------------------------------------------------------------------------------------------------


def test_mazurs_numbers_stand_in_his_picture():
    root = parsed(network_svg(MAZUR, MAZUR_GIVEN))
    weights = [text_of(group) for group in of_class(root, "qp-weight")]
    assert weights == [
        *("w1 = 0.15", "w2 = 0.2", "w3 = 0.25", "w4 = 0.3"),
        *("w5 = 0.4", "w6 = 0.45", "w7 = 0.5", "w8 = −0.55"),
    ]
    assert [text_of(group) for group in of_class(root, "qp-bias")] == ["b1 = 0.35", "b2 = 0.6"]
    assert [text_of(group) for group in of_class(root, "qp-unit")] == ["i10.05", "i20.1", "h1", "h2", "o1", "o2"]
    assert [text_of(group) for group in of_class(root, "qp-target")] == [
        "targeto10.01",
        "targeto20.99",
    ]
    assert [text_of(caption) for caption in of_class(root, "qp-caption")][:3] == ["input", "sigmoid", "hidden"]


def test_a_shared_bias_feeds_every_unit_of_its_layer():
    boxes = of_class(parsed(network_svg(MAZUR, MAZUR_GIVEN)), "qp-bias-shared")
    assert [len(box.findall(f"{SVG}line")) for box in boxes] == [2, 2]
    network = network_of((2, 3, 2))
    boxes = of_class(parsed(network_svg(network, numbers_for(network))), "qp-bias-unit")
    assert [len(box.findall(f"{SVG}line")) for box in boxes] == [0] * 5


def test_a_network_without_biases_shows_none():
    network = network_of((2, 2), bias="none")
    svg = network_svg(network, numbers_for(network))
    assert not of_class(parsed(svg), "qp-bias")
    assert "bias" not in parsed(svg).find(f"{SVG}desc").text


def test_values_appear_in_their_units_once_known():
    values = {"z1[1]": 0.3775, "a1[1]": 0.5933, "z2[2]": -1.2249, "grad_W1[1,1]": 7.5}
    root = parsed(network_svg(MAZUR, MAZUR_GIVEN, values=values))
    assert [text_of(group) for group in of_class(root, "qp-unit")[2:]] == ["h10.37750.5933", "h2", "o1", "o2−1.2249"]
    assert "in each unit: net above, out below" in text_of(root)
    assert "Known: net_h1 = 0.3775, out_h1 = 0.5933, net_o2 = −1.2249." in root.find(f"{SVG}desc").text
    assert "7.5" not in text_of(root)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.593269992107, "0.59327"),
        (-0.593269992107, "−0.5933"),
        (1.0, "1"),
        (-123456.789, "−123457"),
        (1234567.891, "1234568"),
        (-1234567.891, "−1e+6"),
        (1.23e-300, "1e−300"),
        (-4.4e-16, "−4e−16"),
    ],
)
def test_a_long_value_is_rounded_into_its_circle(value, shown):
    root = parsed(network_svg(MAZUR, MAZUR_GIVEN, values={"a1[1]": value}))
    assert text_of(of_class(root, "qp-out")[-1]) == shown


def test_a_given_is_never_rounded_on_its_label():
    numbers = {**MAZUR_GIVEN, "W1": [[0.1497807161327628, 2.0], [-1e-7, 0.3]]}
    root = parsed(network_svg(MAZUR, numbers))
    assert [text_of(group) for group in of_class(root, "qp-weight")][:3] == [
        "w1 = 0.1497807161327628",
        "w2 = 2",
        "w3 = −0.0000001",
    ]


def test_a_mini_batch_points_to_the_table():
    network = network_of((2, 2), examples=3)
    root = parsed(network_svg(network, numbers_for(network), notation="course"))
    assert [text_of(group) for group in of_class(root, "qp-unit")] == ["x1", "x2", "a[1]1", "a[1]2"]
    assert not of_class(root, "qp-target")
    assert "3 examples: see the table" in [text_of(caption) for caption in of_class(root, "qp-caption")]
    assert "Inputs" not in root.find(f"{SVG}desc").text


def test_the_sign_of_a_weight_shows_without_colour():
    network = Network(layers=(3, 1), activations=("relu",))
    numbers = {"x": [[1, 2, 3]], "t": [[1]], "W1": [[-0.5, 0.0, 2]], "b1": [0]}
    root = parsed(network_svg(network, numbers))
    negative, zero, positive = of_class(root, "qp-edge")
    assert "qp-edge-negative" in negative.get("class")
    assert "qp-edge-zero" in zero.get("class")
    assert "qp-edge-positive" in positive.get("class")
    assert negative.find(f"{SVG}line").get("stroke-dasharray")
    assert zero.find(f"{SVG}line").get("stroke-dasharray") is None
    assert positive.find(f"{SVG}line").get("stroke-dasharray") is None
    assert [text_of(group)[5:] for group in of_class(root, "qp-weight")] == ["−0.5", "0", "2"]


def test_a_larger_weight_is_a_wider_line():
    widths = {
        edge.get("data-edge"): float(edge.find(f"{SVG}line").get("stroke-width"))
        for edge in of_class(parsed(network_svg(MAZUR, MAZUR_GIVEN)), "qp-edge")
    }
    assert widths["W1[1,1]"] < widths["W1[1,2]"] < widths["W2[2,1]"] < widths["W2[2,2]"] == 4


def test_weights_of_zero_can_be_drawn():
    network = network_of((1, 1), bias="none")
    root = parsed(network_svg(network, {"x": [[1]], "t": [[1]], "W1": [[0]]}))
    assert of_class(root, "qp-edge-zero")


@given(subject=subjects(), notation=st.sampled_from(NAMES))
@LAW
@pytest.mark.unmeasured
def test_the_description_names_every_weight_bias_input_and_target(subject, notation):
    network, numbers = subject
    description = parsed(network_svg(network, numbers, notation=notation)).find(f"{SVG}desc").text
    keys = structure_of(network).keys
    named = [name for name in numbers if name != "eta" and (network.examples == 1 or name not in ("x", "t"))]
    for name in named:
        values = numbers[name][0] if name in ("x", "t") else numbers[name]
        for key in keys[name].flat:
            value = values
            for number in parse_key(key).index:
                value = value[number - 1]
            shown = repr(float(value) + 0.0).removesuffix(".0").replace("-", "−")
            assert re.search(re.escape(f"{symbol(key, network, notation).text} = {shown}") + r"(?![0-9])", description)


# --- for scripts ----------------------------------------------------------------------------------------------------


OUTSIDE = ("eta", "E", "E_new", "change", "fell", "prediction")


@given(subjects())
@LAW
@pytest.mark.unmeasured
def test_every_cell_but_the_total_error_has_a_place(subject):
    network, numbers = subject
    root = parsed(network_svg(network, numbers))
    placed = {key for element in root.iter() for key in element.get("data-cells", "").split()}
    cells = {key for name, keys in structure_of(network).keys.items() for key in keys.flat if name not in OUTSIDE}
    batch_or_shared = {key for key in cells if key[0] in "xt" or (network.bias == "shared" and re.match("b[0-9]", key))}
    assert cells - batch_or_shared <= placed


def test_an_edge_is_found_by_its_weight():
    root = parsed(network_svg(MAZUR, MAZUR_GIVEN))
    found = [element for element in root.iter() if element.get("data-edge") == "W2[1,2]"]
    assert [element.get("class") for element in found] == ["qp-edge qp-edge-positive", "qp-weight qp-weight-positive"]
    assert found[0].get("data-cells") == "W2[1,2] grad_W2[1,2] W2_new[1,2] path2[1,2]"


# --- safe and well-formed -------------------------------------------------------------------------------------------


@given(title=st.text(), subject=subjects())
@LAW
@pytest.mark.unmeasured
def test_any_title_leaves_the_picture_well_formed_and_inert(title, subject):
    root = parsed(network_svg(*subject, title=title))
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in {
            *("svg", "title", "desc", "g", "line", "polygon", "circle", "rect", "text", "tspan"),
        }
        assert not [name for name in element.attrib if name == "style" or name.startswith("on") or "href" in name]


def test_a_hostile_title_is_only_text():
    title = "</title><script>alert('&')</script>\x00\x1b"
    svg = network_svg(MAZUR, MAZUR_GIVEN, title=title)
    assert "<script" not in svg
    assert parsed(svg).find(f"{SVG}title").text == "</title><script>alert('&')</script>"


def test_the_picture_is_named_and_described():
    root = parsed(network_svg(MAZUR, MAZUR_GIVEN, prefix="sheet-1"))
    assert root.get("role") == "img"
    names = root.get("aria-labelledby").split()
    assert names == ["sheet-1-title", "sheet-1-desc"]
    assert [element.get("id") for element in root.iter() if element.get("id")] == names
    assert root.find(f"{SVG}title").text == "Network 2-2-2"
    assert root.find(f"{SVG}desc").text.startswith(
        "Layers from left to right: 2 inputs, 2 hidden units (sigmoid), 2 output units (sigmoid). "
        "Inputs: i1 = 0.05, i2 = 0.1. Into h1: w1 = 0.15 from i1, w2 = 0.2 from i2, bias b1 = 0.35."
    )


def test_layers_are_counted_in_words():
    network = Network(layers=(1, 1), activations=("leaky_relu",))
    description = parsed(network_svg(network, numbers_for(network))).find(f"{SVG}desc").text
    assert description.startswith("Layers from left to right: 1 input, 1 output unit (leaky ReLU).")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W1": [[1, 2]]}, r"W1 has the shape \(1, 2\); this network needs \(2, 2\)"),
        ({"x": [[1, math.nan]]}, "x holds a number that is not finite"),
        ({"b2": [math.inf, 1]}, "b2 holds a number that is not finite"),
    ],
)
def test_numbers_that_do_not_fit_the_network_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        network_svg(MAZUR, {**MAZUR_GIVEN, **change})


def test_missing_numbers_are_named():
    with pytest.raises(ValueError, match="W2 is missing; needed are x, t, W1, b1, W2, b2, eta"):
        network_svg(MAZUR, {name: value for name, value in MAZUR_GIVEN.items() if name != "W2"})


@pytest.mark.parametrize("prefix", ["", "1", "a b", 'a"', "é"])
def test_a_prefix_that_is_no_id_is_refused(prefix):
    with pytest.raises(ValueError, match="is not an id"):
        network_svg(MAZUR, MAZUR_GIVEN, prefix=prefix)


def test_an_unknown_notation_is_refused():
    with pytest.raises(ValueError, match="not one of mazur, course, matrix, plain"):
        network_svg(MAZUR, MAZUR_GIVEN, notation="latin")


def test_every_class_of_the_style_sheet_is_drawn_or_set_by_a_page():
    css = (Path(quizprop.__file__).parent / "web" / "static" / "diagram.css").read_text(encoding="utf-8")
    numbers = {**MAZUR_GIVEN, "W1": [[0, 0.2], [0.25, 0.3]]}
    loss = symbol("E", MAZUR, "mazur")
    pictures = (
        network_svg(MAZUR, numbers, values={"z1[1]": 1.0, "a1[1]": 2.0}, legend=True),
        network_svg(MAZUR, highlight="delta1[1]"),
        graph_svg(structure_of(MAZUR), name=lambda key: symbol(key, MAZUR, "mazur")),
        descent_svg(Descent((0, 1, 10), (3.0, 2.0, 1.0)), loss=loss),
        slice_svg(Slice("W1[1,1]", (0.0, 1.0), (2.0, 1.0), (0.5, 1.5), -1.0, (0.6, 1.4)), weight=loss, loss=loss),
    )
    drawn = {name for svg in pictures for element in parsed(svg).iter() for name in element.get("class", "").split()}
    by_page = {"qp-lit", "qp-diagram-frame", "qp-diagram-wide"}
    assert set(re.findall(r"\.(qp-[a-z-]+)", css)) <= drawn | by_page


# --- the names alone, and a legend ----------------------------------------------------------------------------------


@given(subject=subjects(), notation=st.sampled_from(NAMES))
@LAW
@pytest.mark.unmeasured
def test_a_blank_network_has_every_name_and_no_number(subject, notation):
    network, _ = subject
    root = parsed(network_svg(network, notation=notation))
    assert_is_named_and_described(root)
    assert_nothing_is_covered(root)
    assert_all_is_inside(root)
    said = " ".join([*map(text_of, root.iter(f"{SVG}text")), root.find(f"{SVG}desc").text])
    assert "=" not in said
    assert not re.search(r"\d\.\d", said)
    assert len(of_class(root, "qp-weight")) == sum(a * b for a, b in pairwise(network.layers))
    widths = {line.get("stroke-width") for edge in of_class(root, "qp-edge") for line in edge.iter(f"{SVG}line")}
    assert len(widths) == 1  # no weight is larger than another one


def test_a_legend_shows_each_sign_that_occurs_as_it_is_drawn():
    numbers = {**MAZUR_GIVEN, "W1": [[0, 0.2], [0.25, 0.3]]}
    root = parsed(network_svg(MAZUR, numbers, legend=True))
    (legend,) = of_class(root, "qp-legend")
    assert [text_of(text) for text in legend.iter(f"{SVG}text")] == ["positive", "negative", "zero", "larger size"]
    for sign in ("positive", "negative", "zero"):
        sample, edge = (of_class(part, f"qp-edge-{sign}")[0].find(f"{SVG}line") for part in (legend, root))
        assert sample.get("stroke-dasharray") == edge.get("stroke-dasharray")
        assert sample.get("stroke") == edge.get("stroke")
    assert_all_is_inside(root)
    assert "zero" not in text_of(parsed(network_svg(MAZUR, MAZUR_GIVEN, legend=True)))
    assert not of_class(parsed(network_svg(MAZUR, legend=True)), "qp-legend")
