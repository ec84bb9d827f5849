"""What the names of quantities promise: every cell has one, no two cells share one, and all of it is safe on a page."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizprop.engine.network import ACTIVATIONS, BIASES, Network
from quizprop.engine.structure import structure_of
from quizprop.exercise.notation import NOTATIONS, Key, layer_formula, mathml, parse_key, symbol, unit_symbol

NAMES = [name for name, _ in NOTATIONS]
MAZUR = Network(layers=(2, 2, 2), activations=("sigmoid",) * 2, bias="shared")
DEEP = Network(layers=(2, 2, 3, 1), activations=("tanh", "relu", "identity"))
BATCH = Network(layers=(2, 2, 2), activations=("sigmoid",) * 2, examples=3)
MATHML = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mpadded", "mphantom", "mfrac", "msqrt", "mroot"),
    *("msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd"),
}


LAW = settings(max_examples=40)


@st.composite
def networks(draw, examples=(1, 1, 2, 11)):
    layers = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    inner = [name for name in ACTIVATIONS if name != "softmax"]
    last = draw(st.sampled_from(ACTIVATIONS if layers[-1] > 1 else inner))
    losses = ["half_sse", "mse", *{"sigmoid": ["bce"], "softmax": ["cce"]}.get(last, [])]
    return Network(
        layers=tuple(layers),
        activations=(*(draw(st.sampled_from(inner)) for _ in layers[2:]), last),
        loss=draw(st.sampled_from(losses)),
        bias=draw(st.sampled_from(BIASES)),
        examples=draw(st.sampled_from(examples)),
    )


def keys_of(network):
    """The keys of all givens and cells; of a shared bias, which all units have in common, the first."""
    for name, keys in structure_of(network).keys.items():
        once = network.bias == "shared" and name.startswith("b")
        yield from keys.flat[:1] if once else keys.flat


class Tags(HTMLParser):
    """The tags and attributes that a browser would see."""

    def __init__(self, markup):
        super().__init__()
        self.found, self.attributes = set(), set()
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


# --- keys -----------------------------------------------------------------------------------------------------------


@given(networks())
@LAW
def test_every_key_of_a_network_reads_back_as_itself(network):
    for key in keys_of(network):
        assert str(parse_key(key)) == key


def test_a_key_is_read_in_parts():
    assert parse_key("W2_new[1,3]") == Key("W_new", layer=2, index=(1, 3))
    assert parse_key("W2_new[1,3]").quantity == "W2_new"
    assert parse_key("grad_b11[2]") == Key("grad_b", layer=11, index=(2,))
    assert parse_key("z1[2]@3") == Key("z", layer=1, index=(2,), example=3)
    assert parse_key("dE_da0[1]") == Key("dE_da", layer=0, index=(1,))
    assert parse_key("E") == Key("E")
    assert parse_key("E").quantity == "E"
    assert parse_key("x[12]@10") == Key("x", index=(12,), example=10)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "is not a key"),
        ("z1[2", "is not a key"),
        ("z1[0]", "is not a key"),
        ("z1[02]", "is not a key"),
        ("z01[2]", "is not a key"),
        ("z1[1, 2]", "is not a key"),
        ("z1[1,2,3]", "is not a key"),
        ("z1[2]@0", "is not a key"),
        ("z1[2]\n", "is not a key"),
        ("z1[²]", "is not a key"),
        ("z1[٢]", "is not a key"),
        ("W_new2[1,2]", "is not a key"),
        (f"z1[{'9' * 5000}]", "is not a key"),
        ("q1[2]", "no quantity has the stem 'q'. Known: x, t, W, b, eta, z,"),
        ("z_new[2]", "z_new needs its layer's number, as in z1_new[1]"),
        ("z[2]", "z needs its layer's number, as in z1[1]"),
        ("W_new[1,2]", "W_new needs its layer's number, as in W1_new[1,2]"),
        ("x1[2]", "x belongs to no layer; write x[1]"),
        ("E2", "E belongs to no layer; write E"),
        ("z1", "z takes 1 numbers in brackets, as in z1[1]"),
        ("z1[1,2]", "z takes 1 numbers in brackets"),
        ("W1[1]", "W takes 2 numbers in brackets, as in W1[1,2]"),
        ("E[1]", "E takes 0 numbers in brackets"),
        ("W1[1,2]@3", "W is one for all examples, so it takes no @3"),
        ("E@2", "E is one for all examples"),
    ],
)
def test_a_malformed_key_is_refused_with_a_way_out(key, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_key(key)


@given(st.text())
def test_any_text_is_a_key_or_a_value_error(text):
    try:
        key = parse_key(text)
    except ValueError:
        return
    assert str(key) == text


# --- symbols --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("notation", NAMES)
@given(network=networks())
@LAW
@pytest.mark.unmeasured
def test_distinct_cells_have_distinct_symbols(notation, network):
    symbols = {key: symbol(key, network, notation) for key in keys_of(network)}
    assert len({written.text for written in symbols.values()}) == len(symbols)
    assert len({written.latex for written in symbols.values()}) == len(symbols)


@pytest.mark.parametrize("notation", NAMES)
@given(network=networks())
@LAW
def test_distinct_units_have_distinct_names(notation, network):
    units = [(layer, unit) for layer, size in enumerate(network.layers) for unit in range(1, size + 1)]
    names = [unit_symbol(layer, unit, network, notation) for layer, unit in units]
    assert len({name.text for name in names}) == len({name.latex for name in names}) == len(units)


@given(network=networks())
@LAW
def test_mazur_numbers_the_weights_in_reading_order(network):
    numbers = [symbol(key, network, "mazur").text for key in keys_of(network) if key.startswith("W") and "_" not in key]
    assert numbers == [f"w{number}" for number in range(1, len(numbers) + 1)]


@pytest.mark.parametrize("notation", NAMES)
@given(network=networks())
@LAW
@pytest.mark.unmeasured
def test_every_blank_of_a_template_is_filled_in(notation, network):
    for key in keys_of(network):
        written = symbol(key, network, notation)
        assert written.text.isprintable()
        assert written.text.strip() == written.text != ""
        assert "$" not in written.text + written.latex


@pytest.mark.parametrize(
    ("network", "key", "text", "latex"),
    [
        (MAZUR, "x[1]", "i1", "i_{1}"),
        (MAZUR, "t[1]", "target_o1", r"\text{target}_{o1}"),
        (MAZUR, "W1[1,2]", "w2", "w_{2}"),
        (MAZUR, "W1[2,1]", "w3", "w_{3}"),
        (MAZUR, "W2[1,1]", "w5", "w_{5}"),
        (MAZUR, "b1[1]", "b1", "b_{1}"),
        (MAZUR, "b1[2]", "b1", "b_{1}"),
        (MAZUR, "eta", "η", r"\eta"),
        (MAZUR, "z1[1]", "net_h1", r"\text{net}_{h1}"),
        (MAZUR, "a2[2]", "out_o2", r"\text{out}_{o2}"),
        (MAZUR, "e[1]", "E_o1", "E_{o1}"),
        (MAZUR, "E", "E_total", r"E_{\text{total}}"),
        (MAZUR, "dE_da2[1]", "∂E_total/∂out_o1", r"\frac{\partial E_{\text{total}}}{\partial \text{out}_{o1}}"),
        (MAZUR, "dE_da0[2]", "∂E_total/∂i2", r"\frac{\partial E_{\text{total}}}{\partial i_{2}}"),
        (MAZUR, "da_dz1[2]", "∂out_h2/∂net_h2", r"\frac{\partial \text{out}_{h2}}{\partial \text{net}_{h2}}"),
        (MAZUR, "delta2[1]", "δ_o1", r"\delta_{o1}"),
        (MAZUR, "path2[1,2]", "∂E_o1/∂out_h2", r"\frac{\partial E_{o1}}{\partial \text{out}_{h2}}"),
        (MAZUR, "grad_W2[1,1]", "∂E_total/∂w5", r"\frac{\partial E_{\text{total}}}{\partial w_{5}}"),
        (MAZUR, "grad_b2[1]", "∂E_total/∂b2", r"\frac{\partial E_{\text{total}}}{\partial b_{2}}"),
        (MAZUR, "W2_new[1,1]", "w5⁺", "w_{5}^{+}"),
        (MAZUR, "b2_new[1]", "b2⁺", "b_{2}^{+}"),
        (DEEP, "z2[3]", "net_h5", r"\text{net}_{h5}"),
        (DEEP, "b2[1]", "b_h3", "b_{h3}"),
        (DEEP, "b3_new[1]", "b_o1⁺", "b_{o1}^{+}"),
        (DEEP, "W3[1,3]", "w13", "w_{13}"),
        (
            DEEP,
            "path2[3,1]",
            "∂E_total/∂out_h1 via h5",
            r"\frac{\partial E_{\text{total}}}{\partial \text{out}_{h1}}\ \text{via}\ h_{5}",
        ),
        (BATCH, "x[2]@3", "i2^(3)", "i_{2}^{(3)}"),
        (BATCH, "z1[1]@3", "net_h1^(3)", r"\text{net}_{h1}^{(3)}"),
        (BATCH, "z1[1]", "net_h1", r"\text{net}_{h1}"),
        (
            BATCH,
            "dE_da2[1]@3",
            "∂E^(3)/∂out_o1^(3)",
            r"\frac{\partial E^{(3)}}{\partial \text{out}_{o1}^{(3)}}",
        ),
    ],
)
def test_mazur_writes(network, key, text, latex):
    written = symbol(key, network, "mazur")
    assert (written.text, written.latex) == (text, latex)


@pytest.mark.parametrize(
    ("network", "key", "text", "latex"),
    [
        (DEEP, "x[1]", "x_1", "x_{1}"),
        (DEEP, "t[1]", "y_1", "y_{1}"),
        (DEEP, "W2[1,2]", "W^[2]_1,2", "W^{[2]}_{1,2}"),
        (DEEP, "b1[2]", "b^[1]_2", "b^{[1]}_{2}"),
        (MAZUR, "b1[2]", "b^[1]", "b^{[1]}"),
        (DEEP, "eta", "α", r"\alpha"),
        (DEEP, "z1[1]", "z^[1]_1", "z^{[1]}_{1}"),
        (DEEP, "e[1]", "L_1", r"\mathcal{L}_{1}"),
        (DEEP, "E", "L", r"\mathcal{L}"),
        (BATCH, "E", "J", "J"),
        (BATCH, "z1[1]@3", "z^[1](3)_1", "z^{[1](3)}_{1}"),
        (BATCH, "t[2]@1", "y^(1)_2", "y^{(1)}_{2}"),
        (DEEP, "dE_da2[1]", "da^[2]_1", "da^{[2]}_{1}"),
        (DEEP, "da_dz2[1]", "g'^[2](z^[2]_1)", "g'^{[2]}(z^{[2]}_{1})"),
        (DEEP, "delta2[1]", "dz^[2]_1", "dz^{[2]}_{1}"),
        (DEEP, "path2[3,1]", "da^[1]_1 via z^[2]_3", r"da^{[1]}_{1}\ \text{via}\ z^{[2]}_{3}"),
        (DEEP, "grad_W2[1,2]", "dW^[2]_1,2", "dW^{[2]}_{1,2}"),
        (DEEP, "grad_b1[1]", "db^[1]_1", "db^{[1]}_{1}"),
        (DEEP, "W2_new[1,2]", "W_new^[2]_1,2", r"W^{[2]\,\text{new}}_{1,2}"),
        (DEEP, "b2_new[1]", "b_new^[2]_1", r"b^{[2]\,\text{new}}_{1}"),
    ],
)
def test_the_course_writes(network, key, text, latex):
    written = symbol(key, network, "course")
    assert (written.text, written.latex) == (text, latex)


@pytest.mark.parametrize(
    ("network", "key", "latex"),
    [
        (DEEP, "x[1]", "x_{1}"),
        (DEEP, "W2[1,2]", "w^{(2)}_{1,2}"),
        (DEEP, "z1[2]", "z^{(1)}_{2}"),
        (BATCH, "z1[2]@3", "z^{(1)@3}_{2}"),
        (DEEP, "delta2[1]", r"\delta^{(2)}_{1}"),
        (DEEP, "dE_da0[1]", r"\frac{\partial E}{\partial x_{1}}"),
        (BATCH, "dE_da2[1]@2", r"\frac{\partial E^{@2}}{\partial a^{(2)@2}_{1}}"),
        (DEEP, "grad_W2[1,2]", r"\frac{\partial E}{\partial w^{(2)}_{1,2}}"),
        (DEEP, "W2_new[1,2]", "w^{(2)+}_{1,2}"),
        (MAZUR, "b2_new[1]", "b^{(2)+}"),
    ],
)
def test_the_plain_text_is_the_key_itself(network, key, latex):
    written = symbol(key, network, "plain")
    assert (written.text, written.latex) == (key, latex)


@pytest.mark.parametrize(
    ("network", "key", "text", "latex"),
    [
        (DEEP, "x[1]", "a^[0]_1", "a^{[0]}_{1}"),
        (BATCH, "x[1]@3", "A^[0]_1,3", "A^{[0]}_{1,3}"),
        (DEEP, "t[1]", "y_1", "y_{1}"),
        (BATCH, "t[2]@1", "Y_2,1", "Y_{2,1}"),
        (DEEP, "z1[2]", "z^[1]_2", "z^{[1]}_{2}"),
        (BATCH, "z1[2]@3", "Z^[1]_2,3", "Z^{[1]}_{2,3}"),
        (BATCH, "z1[2]", "Z^[1]_2,i", "Z^{[1]}_{2,i}"),
        (BATCH, "da_dz2[1]@2", "g'^[2](Z^[2]_1,2)", "g'^{[2]}(Z^{[2]}_{1,2})"),
        (BATCH, "delta2[1]@2", "dZ^[2]_1,2", "dZ^{[2]}_{1,2}"),
        (BATCH, "E", "J", "J"),
        (BATCH, "W2[1,2]", "W^[2]_1,2", "W^{[2]}_{1,2}"),
        (MAZUR, "b2[1]", "b^[2]", "b^{[2]}"),
    ],
)
def test_matrices_write(network, key, text, latex):
    written = symbol(key, network, "matrix")
    assert (written.text, written.latex) == (text, latex)


@pytest.mark.parametrize(
    ("network", "name", "text"),
    [
        (MAZUR, "z1", "z^[1] = W^[1] a^[0] + b^[1]"),
        (BATCH, "z2", "Z^[2] = W^[2] A^[1] + b^[2]"),
        (BATCH, "a2", "A^[2] = σ(Z^[2])"),
        (MAZUR, "e", "L = 1/2 (y − a^[2])^⊙2"),
        (BATCH, "E", "J = 1/m Σ_k,i L_k,i"),
        (BATCH, "delta1", "dZ^[1] = dA^[1] ⊙ g'^[1](Z^[1])"),
        (BATCH, "dE_da1", "dA^[1] = W^[2]T dZ^[2]"),
        (BATCH, "grad_W2", "dW^[2] = 1/m dZ^[2] A^[1]T"),
        (MAZUR, "grad_W1", "dW^[1] = dz^[1] a^[0]T"),
        (BATCH, "grad_b1", "db^[1] = 1/m Σ_i dZ^[1]_:,i"),
        (DEEP, "grad_b1", "db^[1] = dz^[1]"),
        (MAZUR, "W2_new", "W^[2] := W^[2] − α dW^[2]"),
    ],
)
def test_a_layers_formula_is_written_in_matrices(network, name, text):
    assert layer_formula(structure_of(network).graph[name], network).text == text


def test_what_nobody_writes_down_stands_inside_the_formula():
    graph = structure_of(BATCH).graph
    hidden = layer_formula(graph["delta1"], BATCH, (graph["dE_da1"],))
    assert hidden.text == "dZ^[1] = W^[2]T dZ^[2] ⊙ g'^[1](Z^[1])"
    output = layer_formula(graph["delta2"], BATCH, (graph["dE_da2"],))
    assert output.latex == r"dZ^{[2]} = (A^{[2]} - Y) \odot g'^{[2]}(Z^{[2]})"


@pytest.mark.parametrize(
    ("activation", "loss", "text"),
    [
        ("sigmoid", "half_sse", "∂E_o1/∂out_h2"),
        ("sigmoid", "bce", "∂E_o1/∂out_h2"),
        ("sigmoid", "mse", "∂E_total/∂out_h2 via o1"),
        ("softmax", "half_sse", "∂E_total/∂out_h2 via o1"),
        ("softmax", "cce", "∂E_total/∂out_h2 via o1"),
    ],
)
def test_a_path_is_called_the_derivative_of_one_error_only_where_it_is_one(activation, loss, text):
    network = Network(layers=(2, 2, 2), activations=("tanh", activation), loss=loss)
    assert symbol("path2[1,2]", network, "mazur").text == text


def test_units_are_named():
    assert [unit_symbol(layer, 1, DEEP, "mazur").text for layer in range(4)] == ["i1", "h1", "h3", "o1"]
    assert [unit_symbol(layer, 1, DEEP, "course").latex for layer in (0, 2)] == ["x_{1}", "a^{[2]}_{1}"]
    assert [unit_symbol(layer, 1, DEEP, "plain").text for layer in (0, 2)] == ["x1", "a2[1]"]


@pytest.mark.parametrize(("layer", "unit"), [(-1, 1), (4, 1), (0, 3), (1, 0)])
def test_a_unit_outside_of_the_network_is_refused(layer, unit):
    with pytest.raises(ValueError, match=r"from layer 0 on there are \[2, 2, 3, 1\] units"):
        unit_symbol(layer, unit, DEEP, "mazur")


@pytest.mark.parametrize(
    ("network", "key", "message"),
    [
        (DEEP, "z4[1]", r"z4\[1\]: this network has z in layers 1 to 3 only"),
        (DEEP, "z0[1]", "has z in layers 1 to 3"),
        (DEEP, "dE_da4[1]", "has dE_da in layers 0 to 3"),
        (DEEP, "z2[4]", r"goes up to \[3\]"),
        (DEEP, "W2[3,3]", r"goes up to \[3, 2\]"),
        (DEEP, "x[3]", r"goes up to \[2\]"),
        (DEEP, "t[2]", r"goes up to \[1\]"),
        (DEEP, "z1[1]@1", "the number of examples is 1"),
        (BATCH, "z1[1]@4", "the number of examples is 3"),
        (Network(layers=(1, 1), activations=("tanh",), bias="none"), "grad_b1[1]", "has no biases"),
        (DEEP, "q1[1]", "no quantity has the stem"),
    ],
)
def test_a_cell_outside_of_the_network_is_refused(network, key, message):
    with pytest.raises(ValueError, match=message):
        symbol(key, network, "mazur")


def test_a_key_made_by_hand_is_checked_too():
    assert symbol(Key("z", 1, (2,)), DEEP, "mazur") == symbol("z1[2]", DEEP, "mazur")
    with pytest.raises(ValueError, match="no quantity has the stem 'nonsense'"):
        symbol(Key("nonsense", 1, (2,)), DEEP, "mazur")


def test_an_unknown_notation_is_refused():
    with pytest.raises(ValueError, match="'mathematica' is not one of mazur, course, matrix, plain"):
        symbol("E", DEEP, "mathematica")
    with pytest.raises(ValueError, match="not one of mazur, course, matrix, plain"):
        unit_symbol(0, 1, DEEP, "")


# --- MathML ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("notation", NAMES)
@given(network=networks(examples=(1, 2)))
@settings(LAW, max_examples=10)
def test_every_symbol_becomes_mathml_that_passes_the_sanitiser(notation, network):
    for key in keys_of(network):
        markup = mathml(symbol(key, network, notation).latex)
        tags = Tags(markup)
        assert tags.found <= MATHML
        assert "xmlns" not in tags.attributes
        root = ET.fromstring(markup)  # noqa: S314
        assert root.tag == "math"
        assert "".join(root.itertext()).strip()


@pytest.mark.parametrize("notation", NAMES)
def test_symbols_differ_on_the_page_too(notation):
    for network in (MAZUR, DEEP, BATCH):
        pictures = [mathml(symbol(key, network, notation).latex) for key in keys_of(network)]
        assert len(set(pictures)) == len(pictures)


def test_fractions_and_indices_are_marked_up():
    root = ET.fromstring(mathml(r"\frac{\partial E}{\partial w^{(2)}_{1,2}}"))  # noqa: S314
    assert root.find(".//mfrac/mrow/msubsup/mi").text == "w"


def test_display_is_told_apart():
    assert mathml("x").startswith('<math display="inline">')
    assert mathml("x", display=True).startswith('<math display="block">')


def test_a_function_is_set_apart_from_a_bare_argument():
    assert '<mi>ln</mi><mspace width="0.167em"></mspace><msub>' in mathml(r"\ln a_k")
    assert "mspace" not in mathml(r"\ln(a_k)")
    assert "mspace" not in mathml(r"\frac{1}{\ln}")


@pytest.mark.parametrize(
    ("latex", "signs"),
    [
        (r"0.4 \cdot (-1.5) - (-0.3)", 2),
        (r"\left(-z\right)", 1),
        (r"a = -z", 1),
        (r"a < -1", 1),
        (r"2 \cdot -3, -4", 2),
        (r"(1 - z) - z", 0),
        (r"w_1 - \eta", 0),
    ],
)
def test_a_minus_after_another_sign_stands_close_to_its_number(latex, signs):
    root = ET.fromstring(mathml(latex))  # noqa: S314
    minus = [one for one in root.iter("mo") if one.text == "−"]
    assert sum(one.get("form") == "prefix" for one in minus) == signs


@pytest.mark.parametrize("numbers", [("0.5", "12.25", "0.5"), ("100.125", "0.007", "3.0")])
def test_the_numbers_of_a_line_stand_where_they_were_written(numbers):
    first, second, third = numbers
    latex = rf"\frac{{{first}}}{{-{second}}} \cdot 2^{{{third}}} + \text{{{first} of 3}} - (-{second})"
    root = ET.fromstring(mathml(latex))  # noqa: S314
    assert [one.text for one in root.iter("mn")] == [first, second, "2", third, second]
    assert root.find(".//mtext").text.split() == [first, "of", "3"]


def test_of_a_number_without_braces_one_digit_is_an_exponent_or_an_index():
    for sign, tag in (("^", "msup"), ("_", "msub")):
        root = ET.fromstring(mathml(f"x{sign}2.5"))  # noqa: S314
        assert [one.text for one in root.find(f".//{tag}")] == ["x", "2"]


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</math><script>alert(1)</script>",
    "</mtext></math><style>@import 'x'</style>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<annotation-xml encoding='text/html'><b>x</b></annotation-xml>",
    "<mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<mi style='color:red' onclick='alert(1)' href='javascript:alert(1)'>x</mi>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_not_mathml_is_taken_out(text):
    markup = mathml(rf"x + \text{{{text}}}")
    tags = Tags(markup)
    assert tags.found <= MATHML
    assert tags.attributes <= {"display"}
    assert "alert(1)</script" not in markup


def test_links_are_taken_out():
    assert "javascript" not in mathml(r"\href{javascript:alert(1)}{x}")


@given(st.text(max_size=30) | st.text(alphabet=r"\{}^_&<>'ab1 ", max_size=20))
def test_any_latex_becomes_mathml_or_a_value_error(latex):
    try:
        markup = mathml(latex)
    except ValueError:
        return
    assert Tags(markup).found <= MATHML


def test_latex_that_cannot_be_read_is_named():
    with pytest.raises(ValueError, match=r"can't be read \(DoubleSubscriptsError\)"):
        mathml("x_1_2")
