"""What books, courses and lectures print, reproduced; and their slips, reproduced too."""

import json
import math
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
import pytest

from quizprop.engine import backprop
from quizprop.engine.activations import relu, relu_slope, sigmoid, sigmoid_slope
from quizprop.engine.graph import Formula, Graph, Quantity
from quizprop.engine.network import Network
from quizprop.engine.structure import structure_of

GOLDEN = Path(__file__).parents[1] / "golden"
MAZUR = json.loads((GOLDEN / "mazur.json").read_text("utf-8"))
HAN_KAMBER = json.loads((GOLDEN / "han_kamber.json").read_text("utf-8"))
PUBLISHED = json.loads((GOLDEN / "published.json").read_text("utf-8"))

# What a double holds for sure: more printed digits are its repr, whose last one depends on the order of sums.
SURE_DIGITS = 15


def structure_of_case(case):
    rules = {name: tuple(rule) if isinstance(rule, list) else rule for name, rule in case["network"].items()}
    return structure_of(Network(**rules))


def arrays(given):
    return {name: np.array(value, dtype=float) for name, value in given.items()}


def cells(structure, graph, given, wanted):
    """The values of the wanted cells, by key; only what they need is computed."""
    names = dict.fromkeys(key.partition("[")[0] for key in wanted)
    values = graph.evaluate(given, want=names)
    found = {
        key: float(value)
        for name in names
        for key, value in zip(structure.keys[name].flat, values[name].flat, strict=True)
    }
    return {key: found[key] for key in wanted}


def unit_in_last_place(printed):
    return Decimal(1).scaleb(Decimal(printed).as_tuple().exponent)


def rounded(value, printed):
    return Decimal(repr(value)).quantize(unit_in_last_place(printed), ROUND_HALF_UP)


def assert_prints_as(value, printed, key):
    digits = Decimal(printed).as_tuple()
    if len(digits.digits) > SURE_DIGITS:
        assert value == pytest.approx(float(printed), rel=1e-15), key
    elif digits.exponent == 0:  # a whole number is printed where the value is one
        assert value == float(printed), key
    else:
        assert rounded(value, printed) == Decimal(printed), key


@pytest.mark.parametrize("case", [MAZUR, HAN_KAMBER], ids=["mazur", "han and kamber"])
def test_the_two_classics_are_reproduced_in_the_last_printed_place(case):
    structure = structure_of_case(case)
    found = cells(structure, structure.graph, arrays(case["given"]), case["published"])
    for key, printed in case["published"].items():
        slack = case["units_in_last_place"] * unit_in_last_place(printed)
        assert abs(Decimal(found[key]) - Decimal(printed)) <= slack, key


def given_and_graph(case):
    structure = structure_of_case(case)
    given, graph = arrays(case["given"]), structure.graph
    if case.get("independent_draws"):  # the output's a was drawn apart from its z, so nothing cancels
        graph = graph.replacing(structure.model.place(backprop.delta, structure.model.depth))
        given["da_dz2"] = sigmoid_slope(sigmoid(given["z2"]))
    return structure, graph, given


@pytest.mark.parametrize("case", PUBLISHED["cases"], ids=[case["source"] for case in PUBLISHED["cases"]])
def test_every_published_value_is_ours_rounded_half_up(case):
    structure, graph, given = given_and_graph(case)
    found = cells(structure, graph, given, case["published"])
    for key, printed in case["published"].items():
        assert_prints_as(found[key], printed, key)
    found = cells(structure, graph, given, case.get("eta_times", {}))
    for key, printed in case.get("eta_times", {}).items():
        assert_prints_as(float(given["eta"]) * found[key], printed, key)


@pytest.mark.parametrize("case", [case for case in PUBLISHED["cases"] if "after_one_step" in case])
def test_the_second_pass_starts_from_the_new_weights(case):
    structure, graph, given = given_and_graph(case)
    values = graph.evaluate(given)
    given |= {f"W{layer}": values[f"W{layer}_new"] for layer in range(1, structure.model.depth + 1)}
    found = cells(structure, graph, given, case["after_one_step"])
    for key, printed in case["after_one_step"].items():
        assert_prints_as(found[key], printed, key)


@pytest.mark.parametrize("case", [case for case in PUBLISHED["cases"] if "discrepancies" in case])
def test_where_a_source_misprints_we_do_not_follow(case):
    structure, graph, given = given_and_graph(case)
    found = cells(structure, graph, given, case["discrepancies"])
    for key, slip in case["discrepancies"].items():
        assert rounded(found[key], slip["printed"]) != Decimal(slip["printed"])
        assert abs(Decimal(found[key]) - Decimal(slip["printed"])) < unit_in_last_place(slip["printed"])


@pytest.mark.parametrize("case", [case for case in PUBLISHED["cases"] if "mistakes" in case])
def test_a_published_step_on_the_way_is_what_the_mistake_of_stopping_there_gives(case):
    structure, graph, given = given_and_graph(case)
    mistakes = {mistake.code: mistake for mistake in structure.mistakes}
    for code, printed_cells in case["mistakes"].items():
        found = cells(structure, graph.replacing(*mistakes[code].wrong), given, printed_cells)
        for key, printed in printed_cells.items():
            assert_prints_as(found[key], printed, key)


def test_the_second_pattern_of_han_and_kamber_continues_from_the_first():
    structure = structure_of_case(HAN_KAMBER)
    after = structure.graph.evaluate(arrays(HAN_KAMBER["given"]))
    second = next(case for case in PUBLISHED["cases"] if "testSigmoidBP3" in case["source"])
    for name in ("W1", "b1", "W2", "b2"):
        assert after[f"{name}_new"] == pytest.approx(np.array(second["given"][name]), rel=1e-14)


# --- Mazur's training -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained():
    """Mazur's network after some numbers of updates: trained rightly and, beside it, through updated weights."""
    structure = structure_of_case(MAZUR)
    right = structure.graph["path2"].formula
    mistake = next(mistake for mistake in structure.mistakes if mistake.code == MAZUR["training"]["mistake"])
    wrong = mistake.wrong[0].formula

    def path(W, W_new, delta):
        return np.concatenate([right(W[:1], delta[:1]), wrong(W_new[1:], delta[1:])])

    graph = structure.graph.replacing(structure.model.place(Formula("path", "", "", path), 2))
    state = {name: np.stack([array, array]) for name, array in arrays(MAZUR["given"]).items()}
    after = {}
    for updates in range(10_001):
        watched = updates in (1, 9_999, 10_000)
        values = graph.evaluate(state, want=("W1_new", "W2_new", *(["E"] if watched else [])))
        if watched:
            after[updates] = values
        state |= {"W1": values["W1_new"], "W2": values["W2_new"]}
    return after


RIGHTLY, MISTAKENLY = 0, 1


@pytest.mark.unmeasured
def test_mazurs_training_ends_where_float64_takes_it_and_his_last_error_is_one_update_early(trained):
    errors = {updates: float(values["E"][RIGHTLY]) for updates, values in trained.items()}
    right, printed = MAZUR["training"]["right"], MAZUR["training"]["printed"]
    assert errors[1] == pytest.approx(right["E after 1 update"], rel=1e-12)
    assert errors[10_000] == pytest.approx(right["E after 10,000 updates"], rel=1e-9)
    assert trained[10_000]["a2"][RIGHTLY, 0] == pytest.approx(right["a2 after 10,000 updates"], abs=1e-10)
    assert rounded(errors[9_999], printed["E at the end"]) == Decimal(printed["E at the end"])
    assert rounded(errors[10_000], printed["E at the end"]) != Decimal(printed["E at the end"])
    assert rounded(errors[1], printed["E after 1 update"]) != Decimal(printed["E after 1 update"])


def test_mazurs_other_figures_are_those_of_updated_weights_on_the_way_back(trained):
    printed = MAZUR["training"]["printed"]
    error = float(trained[1]["E"][MISTAKENLY])
    assert rounded(error, printed["E after 1 update"]) == Decimal(printed["E after 1 update"])
    outputs = trained[10_000]["a2"][MISTAKENLY, 0]
    for output, figure in zip(outputs, printed["a2 after 10,000 updates"], strict=True):
        assert rounded(float(output), figure) == Decimal(figure)


# --- Mistakes that have a figure on Mazur's network -----------------------------------------------------------------

ON_MAZUR = [
    ("z1:weights_transposed", 0, "z1[1]", "0.3825"),
    ("z1:bias_left_out", 0, "z1[1]", "0.0275"),
    ("path2:updated_weights", 0, "delta1[1]", "0.007294458"),
    ("path2:updated_weights", 0, "W1_new[1,1]", "0.149817639"),
    ("delta2:slope_left_out", 0, "delta2[1]", "0.741365070"),
    ("delta1:slope_left_out", 0, "delta1[1]", "0.036350306"),
    ("da_dz2:slope_at_net_input", 0, "delta2[1]", "-0.086830190"),
    ("da_dz2:sigmoid_twice", 0, "delta2[1]", "0.161460669"),
    ("delta2:sign_flipped", 0, "delta2[1]", "-0.138498562"),
    ("dE_da2:sign_flipped", 0, "delta2[1]", "-0.138498562"),
    ("dE_da2:factor_two", 0, "delta2[1]", "0.276997123"),
    ("dE_da1:one_path_only", 0, "delta1[1]", "0.013367920"),
    ("path2:error_for_delta", 0, "delta1[1]", "0.045367009"),
    ("dE_da1:row_for_column", 0, "delta1[1]", "0.009231011"),
    ("grad_W2:weight_for_input", 0, "grad_W2[1,1]", "0.055399425"),
    ("grad_W2:net_input_for_activation", 0, "grad_W2[1,1]", "0.052283207"),
    ("W1_new:step_added", 0, "W1_new[1,1]", "0.150219284"),
    ("W1_new:eta_forgotten", 0, "W1_new[1,1]", "0.149561432"),
]


@pytest.mark.parametrize(("code", "form", "key", "figure"), ON_MAZUR)
def test_a_mistake_gives_its_known_figure_on_mazurs_network(code, form, key, figure):
    structure = structure_of_case(MAZUR)
    mistake = next(mistake for mistake in structure.mistakes if mistake.code == code)
    graph = structure.graph.replacing(mistake.wrong[form])
    found = cells(structure, graph, arrays(MAZUR["given"]), [key])[key]
    assert rounded(found, figure) == Decimal(figure)


def test_an_updated_bias_gives_its_known_figure_where_each_of_mazurs_units_has_its_own():
    structure = structure_of_case(MAZUR | {"network": MAZUR["network"] | {"bias": "unit"}})
    mistake = next(mistake for mistake in structure.mistakes if mistake.code == "b1_new:bias_updated")
    graph = structure.graph.replacing(*mistake.wrong)
    found = cells(structure, graph, arrays(MAZUR["given"]), ["b1_new[1]"])["b1_new[1]"]
    assert rounded(found, "0.3456") == Decimal("0.3456")


# --- Graphs of scalars, their chain rule written by hand ------------------------------------------------------------


def scalars(**functions):
    """A graph of one quantity a function, its inputs the parameters."""
    formulas = {name: Formula(name, name, name, function) for name, function in functions.items()}
    return Graph(tuple(Quantity(name, formula, formula.parameters) for name, formula in formulas.items()))


ADD_AND_MULTIPLY = scalars(
    q=lambda x, y: x + y,
    f=lambda q, z: q * z,
    df_dz=lambda q: q,
    df_dq=lambda z: z,
    df_dx=lambda df_dq: df_dq,
    df_dy=lambda df_dq: df_dq,
)

SIGMOID_NODE_BY_NODE = scalars(
    dot=lambda w0, x0, w1, x1, w2: w0 * x0 + w1 * x1 + w2,
    neg=lambda dot: -dot,
    exp=lambda neg: math.e**neg,
    plus_one=lambda exp: exp + 1,
    f=lambda plus_one: 1 / plus_one,
    df_dplus_one=lambda plus_one: -1 / plus_one**2,
    df_dexp=lambda df_dplus_one: df_dplus_one,
    df_dneg=lambda df_dexp, exp: df_dexp * exp,
    df_ddot=lambda df_dneg: -df_dneg,
)

MICROGRAD = scalars(
    c1=lambda a, b: a + b,
    c2=lambda c1: c1 + c1 + 1,
    c3=lambda c2, a: c2 + 1 + c2 - a,
    d1=lambda a, b: a * b + b**3,
    s1=lambda a, b: b + a,
    d2=lambda d1, s1: d1 + d1 * 2 + relu(s1),
    s2=lambda a, b: b - a,
    d3=lambda d2, s2: d2 + 3 * d2 + relu(s2),
    e=lambda c3, d3: c3 - d3,
    f=lambda e: e**2,
    g=lambda f: f / 2 + 10 / f,
    dg_df=lambda f: 1 / 2 - 10 / f**2,
    dg_de=lambda dg_df, e: dg_df * 2 * e,
    dg_dd3=lambda dg_de: -dg_de,
    dg_ds2=lambda dg_dd3, s2: dg_dd3 * relu_slope(s2),
    dg_dd2=lambda dg_dd3: dg_dd3 * 4,
    dg_ds1=lambda dg_dd2, s1: dg_dd2 * relu_slope(s1),
    dg_dd1=lambda dg_dd2: dg_dd2 * 3,
    dg_dc2=lambda dg_de: dg_de * 2,
    dg_dc1=lambda dg_dc2: dg_dc2 * 2,
    dg_da=lambda dg_dc1, dg_de, dg_dd1, b, dg_ds1, dg_ds2: dg_dc1 - dg_de + dg_dd1 * b + dg_ds1 - dg_ds2,
    dg_db=lambda dg_dc1, dg_dd1, a, b, dg_ds1, dg_ds2: dg_dc1 + dg_dd1 * (a + 3 * b**2) + dg_ds1 + dg_ds2,
)


@pytest.mark.parametrize(
    ("graph", "case"),
    list(zip([ADD_AND_MULTIPLY, SIGMOID_NODE_BY_NODE, MICROGRAD], PUBLISHED["scalar_graphs"], strict=True)),
    ids=["add and multiply", "sigmoid node by node", "micrograd"],
)
def test_any_graph_of_plain_functions_can_be_evaluated(graph, case):
    values = graph.evaluate(arrays(case["given"]))
    for name, printed in case["published"].items():
        assert_prints_as(float(values[name]), printed, name)
