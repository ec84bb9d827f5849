"""The graph: what is given wins, what is needed is computed, and one formula can stand in for another."""

import numpy as np
import pytest

from quizprop.engine.graph import Formula, Graph, Quantity, UnknownQuantityError, formula, quantity_name
from quizprop.engine.network import Network
from quizprop.engine.structure import structure_of

NETWORK = Network(layers=(2, 2, 2, 2), activations=("tanh", "tanh", "tanh"))


def quantity(name, function):
    words = Formula(name, name, name, function)
    return Quantity(name, words, words.parameters)


# A small graph: s = x + y, d = x - y, p = s d, q = p + 1.
S = quantity("s", lambda x, y: x + y)
D = quantity("d", lambda x, y: x - y)
P = quantity("p", lambda s, d: s * d)
Q = quantity("q", lambda p: p + 1)
SMALL = Graph((S, D, P, Q))
GIVEN = {"x": np.array([3.0, 5.0]), "y": np.array([1.0, 2.0])}


def recorded(*quantities):
    """The same quantities, and a list of the names of those that were computed."""
    computed = []

    def watched(each):
        def of(*inputs):
            computed.append(each.name)
            return each.formula(*inputs)

        return Quantity(each.name, Formula(each.name, "", "", of), each.inputs)

    return Graph(tuple(watched(each) for each in quantities)), computed


# --- evaluation -----------------------------------------------------------------------------------------------------


def test_everything_follows_from_what_is_given():
    values = SMALL.evaluate(GIVEN)
    assert {name: list(value) for name, value in values.items()} == {
        "x": [3, 5],
        "y": [1, 2],
        "s": [4, 7],
        "d": [2, 3],
        "p": [8, 21],
        "q": [9, 22],
    }


def test_a_given_value_wins_over_its_formula_and_what_stands_below_follows_from_it():
    values = SMALL.evaluate({**GIVEN, "s": np.array([10.0, 10.0])})
    assert list(values["s"]) == [10, 10]
    assert list(values["q"]) == [21, 31]


def test_a_cell_that_was_not_given_takes_its_formulas_value_and_the_others_stay():
    values = SMALL.evaluate({**GIVEN, "s": np.array([np.nan, 10.0]), "q": np.array([np.nan, np.nan])})
    assert list(values["s"]) == [4, 10]
    assert list(values["q"]) == [9, 31]


def test_what_was_handed_in_is_left_as_it_was():
    entries = np.array([np.nan, 10.0])
    given = {**GIVEN, "s": entries}
    SMALL.evaluate(given)
    assert list(given) == ["x", "y", "s"]
    assert np.isnan(entries[0])


def test_a_nan_among_the_inputs_is_a_number_that_nobody_knows():
    values = SMALL.evaluate({"x": np.array([np.nan, 5.0]), "y": GIVEN["y"]})
    assert np.isnan(values["q"][0])
    assert values["q"][1] == 22


def test_only_what_is_wanted_and_what_it_needs_is_computed():
    graph, computed = recorded(S, D, P, Q)
    values = graph.evaluate(GIVEN, want=["d"])
    assert computed == ["d"]
    assert "s" not in values
    computed.clear()
    graph.evaluate(GIVEN, want=["p"])
    assert computed == ["s", "d", "p"]


def test_nothing_above_a_given_value_is_computed_unless_it_is_wanted_itself():
    graph, computed = recorded(S, D, P, Q)
    graph.evaluate({"p": np.array([2.0])}, want=["q", "p"])
    assert computed == ["q"]
    computed.clear()
    # A half-given one still needs its formula.
    graph.evaluate({**GIVEN, "p": np.array([2.0, np.nan])}, want=["q"])
    assert computed == ["s", "d", "p", "q"]


def test_a_worker_may_carry_on_with_other_values_than_the_computed_ones():
    seen = []

    def carry(name, value):
        seen.append(name)
        return np.round(value, -1)

    values = SMALL.evaluate({**GIVEN, "d": np.array([2.0, np.nan])}, carry=carry)
    assert seen == ["s", "d", "p", "q"]
    assert list(values["s"]) == [0, 10]
    assert list(values["d"]) == [2, 0]  # what is given is never rounded
    assert list(values["q"]) == [0, 0]


def test_nothing_warns_where_numbers_run_out():
    tricky = Graph((quantity("r", lambda x: 1 / x), quantity("l", lambda r: np.log(-r))))
    values = tricky.evaluate({"x": np.zeros(1)})
    assert np.isinf(values["r"])
    assert np.isnan(values["l"])


# --- order and names ------------------------------------------------------------------------------------------------


def test_each_quantity_comes_after_what_it_needs_and_otherwise_where_it_was_put():
    assert [each.name for each in Graph((Q, P, D, S))] == ["s", "d", "p", "q"]
    assert [each.name for each in Graph((D, S, P, Q))] == ["d", "s", "p", "q"]


def test_a_training_step_stands_in_the_order_of_the_textbook(all_networks):
    graph = structure_of(all_networks["mazur"]).graph
    assert [each.name for each in graph] == [
        *("z1", "a1", "z2", "a2", "prediction", "e", "E"),
        *("dE_da2", "da_dz2", "delta2", "path2", "dE_da1", "da_dz1", "delta1", "path1", "dE_da0"),
        *("grad_W2", "grad_b2", "grad_W1", "grad_b1", "W2_new", "b2_new", "W1_new", "b1_new"),
        *("z1_new", "a1_new", "z2_new", "a2_new", "e_new", "E_new", "change", "fell"),
    ]


def test_the_givens_are_the_names_that_no_quantity_defines(network):
    assert SMALL.givens == ("x", "y")
    assert set(structure_of(network).graph.givens) == set(network.givens())


def test_a_graph_knows_its_quantities_by_name():
    assert SMALL["p"] is P
    assert "p" in SMALL
    assert "x" not in SMALL
    assert SMALL.needed_for(["p"]) == {"p", "s", "d"}
    assert SMALL.needed_for(["q"], given=["s"]) == {"q", "p", "d"}


@pytest.mark.parametrize(
    ("stem", "layer", "name"),
    [("z", 1, "z1"), ("W_new", 2, "W2_new"), ("dE_da", 0, "dE_da0"), ("E", None, "E"), ("grad_b", 12, "grad_b12")],
)
def test_a_name_is_its_stem_with_the_layer_before_new(stem, layer, name):
    assert quantity_name(stem, layer) == name


def test_an_unknown_name_is_told_with_those_that_are_known():
    with pytest.raises(UnknownQuantityError, match=r"^No quantity named 'z9'\. Known: s, d, p, q$"):
        SMALL["z9"]
    with pytest.raises(KeyError, match="z9"):
        SMALL.evaluate(GIVEN, want=["z9"])
    with pytest.raises(UnknownQuantityError, match="No quantity named 'z9'"):
        SMALL.replacing(quantity("z9", lambda x: x))


def test_a_missing_given_is_told_with_the_quantity_that_needs_it():
    with pytest.raises(UnknownQuantityError, match=r"^s needs y, which was not given$"):
        SMALL.evaluate({"x": np.ones(1)})
    with pytest.raises(UnknownQuantityError, match=r"^d needs x, y, which was not given$"):
        SMALL.evaluate({}, want=["d"])


def test_two_quantities_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"^Two quantities are named s, d; give each its own name$"):
        Graph((S, D, S, P, D))


@pytest.mark.parametrize(
    ("quantities", "circle"),
    [
        ((quantity("u", lambda u: u),), "u <- u"),
        ((quantity("top", lambda u: u), quantity("u", lambda v: v), quantity("v", lambda u: u)), "u <- v <- u"),
    ],
)
def test_a_circle_is_refused_and_shown(quantities, circle):
    with pytest.raises(ValueError, match=f"^Quantities need each other in a circle: {circle}$"):
        Graph(quantities)


# --- another world --------------------------------------------------------------------------------------------------


def test_with_a_formula_replaced_all_below_it_follows_and_all_above_it_stays():
    wrong = quantity("s", lambda x, y: x * y)
    mistaken = SMALL.replacing(wrong)
    assert {name: list(value) for name, value in mistaken.evaluate(GIVEN).items() if name in SMALL} == {
        "s": [3, 10],
        "d": [2, 3],
        "p": [6, 30],
        "q": [7, 31],
    }
    assert SMALL["s"] is S


def test_a_replaced_formula_may_need_what_came_later_before():
    late = Quantity("s", Formula("s", "", "", lambda d: d), ("d",))
    assert [each.name for each in SMALL.replacing(late)] == ["d", "s", "p", "q"]


def test_replacing_cannot_close_a_circle():
    with pytest.raises(ValueError, match="circle"):
        SMALL.replacing(quantity("s", lambda q: q))


# --- words ----------------------------------------------------------------------------------------------------------


def test_a_formula_is_still_the_plain_function_and_knows_its_parameters():
    @formula("z", title="net input", latex="z")
    def z(W, a_prev, b):
        """Doubled."""
        return W * a_prev + b

    assert z(2, 3, 4) == 10
    assert z.parameters == ("W", "a_prev", "b")
    assert (z.stem, z.title, z.per_example, z.function.__doc__) == ("z", "net input", True, "Doubled.")


@pytest.mark.parametrize(
    ("role", "layer", "source"),
    [
        ("a_prev", 2, "a1"),
        ("a_prev", 1, "x"),
        ("a_prev_prev", 3, "a1"),
        ("a_prev_prev", 2, "x"),
        ("z_prev", 2, "z1"),
        ("W_next", 1, "W2"),
        ("W_new", 2, "W2_new"),
        ("path_next", 0, "path1"),
        ("delta", 2, "delta2"),
        ("t", 2, "t"),
        ("e", 2, "e"),
        ("eta", 1, "eta"),
    ],
)
def test_a_parameter_names_the_role_that_a_value_plays_in_its_layer(role, layer, source):
    names = {}
    exec(f"def reads({role}): return {role}", names)  # noqa: S102 - our own text
    assert NETWORK.place(Formula("any", "", "", names["reads"]), layer).inputs == (source,)
