"""A formula read as text says what it computes, and names what it depends on."""

import math
import operator
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from quizprop.engine.arrays import greatest
from quizprop.engine.graph import Formula, Quantity
from quizprop.engine.structure import cell_keys, independent_groups, structure_of
from quizprop.engine.trace import Expression, Style, symbols, trace

PYTHON = Style(
    times=" * ",
    minus="-",
    opening="(",
    closing=")",
    fraction=None,
    power=lambda base, exponent: f"{base} ** ({exponent})",
    call=lambda name, argument: f"{name}({argument})",
    choice=lambda test, positive, otherwise: f"{positive} if {test} > 0 else {otherwise}",
)
# As LaTeX does, with a fraction that needs no brackets of its own.
PYTHON_WITH_FRACTIONS = Style(
    **{name: getattr(PYTHON, name) for name in PYTHON.__slots__}
    | {"fraction": lambda above, below: f"(({above})/({below}))"}
)
STYLES = pytest.mark.parametrize("style", [PYTHON, PYTHON_WITH_FRACTIONS], ids=["slashes", "fractions"])


def evaluated(text):
    names = {"e": math.e, "ln": math.log, "log10": math.log10, "tanh": math.tanh, "sqrt": math.sqrt, "abs": abs}
    names["argmax"] = lambda *values: 1 + values.index(max(values))
    return eval(text, {"__builtins__": {}}, names)  # noqa: S307 - our own text


def symbol(key):
    return Expression("symbol", key)


def written(expression, style=PYTHON, **values):
    return expression.write(lambda key: str(values.get(key, key)), style)


# --- what is written is what is computed ----------------------------------------------------------------------------


@STYLES
@pytest.mark.parametrize("seed", range(3))
def test_every_cell_of_a_network_written_out_in_numbers_computes_to_its_value(network, numbers, seed, style):
    structure = structure_of(network)
    values = structure.graph.evaluate(numbers(network, seed))
    by_key = {
        key: float(value)
        for name, keys in structure.keys.items()
        for key, value in zip(keys.flat, np.asarray(values[name]).flat, strict=True)
    }
    for quantity in structure.graph:
        for key, cell in zip(
            structure.keys[quantity.name].flat, structure.expressions[quantity.name].flat, strict=True
        ):
            text = cell.write(lambda symbol: repr(by_key[symbol]), style)
            assert evaluated(text) == pytest.approx(by_key[key], rel=1e-12, abs=1e-15), f"{key} = {text}"
            assert not re.search(r"[-+*/] ?-", text), f"{key}: two signs side by side in {text}"


VALUES = {"p": -0.7, "q": 1.3, "r": -2.0, "s": 0.25}
LEAVES = st.sampled_from([(symbol(key), value) for key, value in VALUES.items()])
CONSTANTS = st.sampled_from([(0, 0), (1, 1), (2, 2), (-3, -3), (0.5, 0.5), (1 / 3, 1 / 3)])


def safely(operation, *values):
    """The value; not a number where the values don't allow it."""
    try:
        value = operation(*values)
    except (ArithmeticError, ValueError):
        return math.nan
    return value if abs(value) < 1e6 else math.nan


def both(operation):
    """The operation on pairs of a tree and its value."""

    def of(*pairs):
        trees, values = zip(*pairs, strict=True)
        return operation(*trees), safely(operation, *values)

    return of


def called(name):
    """The function as NumPy calls it on a tree, and as ``math`` has it."""
    return lambda pair: (getattr(pair[0], name)(), safely(getattr(math, name), pair[1]))


def choose(test, positive, otherwise):
    (expression, value), (yes, if_positive), (no, if_not) = test, positive, otherwise
    chosen = if_positive if value > 0 else if_not
    return expression.choose(yes, no), math.nan if math.isnan(value) else chosen


def larger(trees):
    operand = trees | CONSTANTS
    arithmetic = [operator.add, operator.sub, operator.mul, operator.truediv]
    return st.one_of(
        *(st.builds(both(operation), trees, operand) for operation in arithmetic),
        *(st.builds(both(operation), operand, trees) for operation in arithmetic),
        st.builds(both(operator.neg), trees),
        st.builds(both(lambda x: x**2), trees),
        *(st.builds(called(name), trees) for name in ("exp", "log", "log10", "tanh")),
        st.builds(choose, trees, operand, operand),
    )


@STYLES
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(tree=st.recursive(LEAVES, larger, max_leaves=8))
def test_however_an_expression_is_put_together_its_text_computes_to_its_value(tree, style):
    expression, value = tree
    assume(not math.isnan(value))
    text = written(expression, style, **VALUES)
    assert evaluated(text) == pytest.approx(value, rel=1e-9, abs=1e-9), text


# --- as a person would write it -------------------------------------------------------------------------------------


W, A, B = symbol("w"), symbol("a"), symbol("b")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (W * A + B, "-0.2 * 0.4 + 0.5"),
        (B + W * A, "0.5 + (-0.2) * 0.4"),
        (B - W * A, "0.5 - (-0.2 * 0.4)"),
        (A * W, "0.4 * (-0.2)"),
        (A + W, "0.4 + (-0.2)"),
        (A - W, "0.4 - (-0.2)"),
        (W - A, "-0.2 - 0.4"),
        (-W, "-(-0.2)"),
        (-A + B, "-0.4 + 0.5"),
        (1 - A, "1 - 0.4"),
        (1 - W, "1 - (-0.2)"),
        (W**2, "(-0.2) ** (2)"),
        (W / A, "(-0.2) / 0.4"),
        (A / (W * B), "0.4 / (-0.2 * 0.5)"),
        (A / (1 + (-W).exp()), "0.4 / (1 + e ** (-(-0.2)))"),
        ((A - B) ** 2 / 2, "(0.4 - 0.5) ** (2) / 2"),
        (-(A * B.log()), "-0.4 * ln(0.5)"),
        (-(A * B), "-0.4 * 0.5"),
        (A + (B + W), "0.4 + (0.5 + (-0.2))"),
        (A * -2, "0.4 * (-2)"),
        (A.choose(A, 0.01 * A), "0.4 if 0.4 > 0 else 0.01 * 0.4"),
        (A.choose(A, 0.0) + B, "(0.4 if 0.4 > 0 else 0) + 0.5"),
        (W.choose(1.0, 0.0), "1 if (-0.2) > 0 else 0"),
    ],
)
def test_brackets_stand_where_a_person_needs_them(expression, text):
    assert written(expression, w=-0.2, a=0.4, b=0.5) == text


def test_what_is_zero_or_one_anyway_is_not_written():
    assert written(0 + A) == "a"
    assert written(A + 0) == "a"
    assert written(A / 1) == "a"
    assert written(0 * A) == "0"
    assert written(A * 0) == "0"
    assert written(0 * A + 1) == "1"
    assert written(A * B * W + A + B) == "a * b * w + a + b"


def test_a_whole_expression_can_stand_in_for_a_symbol():
    told = (A * B + 1).replacing({"b": W + A, "unknown": W})
    assert written(told) == "a * (w + a) + 1"
    assert list(told.names()) == ["a", "w", "a"]


def test_a_number_is_the_trace_of_a_formula_that_reads_nothing():
    constant = Quantity("c", Formula("c", "", "", lambda: np.array([2.0, 0.5])), ())
    cells = trace(constant, {})
    assert [written(cell) for cell in cells] == ["2", "0.5"]
    assert not list(cells[0].names())


def test_every_cell_computed_one_operation_after_the_other_has_its_value(network, numbers):
    structure = structure_of(network)
    values = structure.graph.evaluate(numbers(network, 1, batch=(4,)))
    cells = {key: values[name][(..., *place)] for key, (name, place) in structure.places.items()}
    for quantity in structure.graph:
        for place, expression in np.ndenumerate(structure.expressions[quantity.name]):
            value = expression.evaluate(cells.__getitem__, lambda step: step)
            expected = values[quantity.name][(..., *place)]
            assert np.broadcast_to(value, (4,)) == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_each_operation_is_a_step_and_a_sum_is_none():
    z = Expression("symbol", "z")
    seen = []
    value = (1 / (1 + (-z).exp()) + z * z * 2).evaluate(
        lambda _key: np.float64(0.5), lambda step: seen.append(step) or step
    )
    assert seen == pytest.approx([math.exp(-0.5), 1 / (1 + math.exp(-0.5)), 0.25, 0.5])
    assert value == pytest.approx(1 / (1 + math.exp(-0.5)) + 0.5)


def test_a_common_logarithm_is_computed():
    assert Expression("symbol", "a").log10().evaluate(lambda _key: np.float64(100), lambda step: step) == 2


def test_the_largest_of_several_is_written_as_it_is_computed_and_of_one_is_itself():
    row = symbols(np.array(["a", "b", "c"], dtype=object))
    expression = greatest(row)
    assert written(expression) == "max(a, b, c)"
    values = {"a": np.array([1.0, -2.0]), "b": np.array([3.0, -1.0]), "c": np.array([2.0, -3.0])}
    assert list(expression.evaluate(values.__getitem__, lambda step: step)) == [3.0, -1.0]
    assert list(greatest(np.stack(list(values.values()), -1))) == [3.0, -1.0]
    assert written(greatest(row[:1])) == "a"


def test_the_largest_of_complex_values_goes_by_their_real_parts_and_keeps_the_other():
    assert greatest(np.array([1 + 5j, 2 + 1e-30j])) == 2 + 1e-30j


def test_a_scalar_is_an_array_without_axes():
    assert symbols(np.array("eta", dtype=object)).shape == ()


# --- what a cell depends on -----------------------------------------------------------------------------------------


def every_formula(structure):
    """The right formula of each quantity and all wrong ones.

    A wrong whole number is right or wrong as it stands: no error travels through its formula, which is never traced.
    """
    yield from structure.graph
    for mistake in structure.mistakes:
        yield from (form for form in mistake.wrong if not form.formula.whole)


def influence(structure, quantity):
    """Which cells move when one input cell is moved: by the key of that cell, a set of positions; found by trying."""
    rng = np.random.default_rng(0)
    values = {
        name: rng.uniform(0.1, 0.9, structure.keys[name].shape) * (rng.choice([-1, 1]) if name[0] in "zWb" else 1)
        for name in quantity.inputs
    }
    with np.errstate(all="ignore"):
        before = quantity.of(values)
        found = {}
        for name, value in values.items():
            for place in np.ndindex(value.shape):
                moved = np.stack([value] * 3)
                moved[(slice(None), *place)] = value[place] * np.array([-1.3, 1.7, -0.4])
                after = quantity.of({**values, name: moved})
                still = np.isclose(after, before, rtol=1e-12, atol=1e-15)
                found[structure.keys[name][place]] = set(
                    np.flatnonzero(~still.all(0)) if still.ndim > before.ndim else ()
                )
    return found


def test_a_cell_depends_on_what_it_names_and_on_nothing_else(network):
    structure = structure_of(network)
    for quantity in every_formula(structure):
        cells = trace(quantity, structure.keys)
        assert cells.shape == structure.keys[quantity.name].shape
        for key, moved in influence(structure, quantity).items():
            named = {position for position, cell in enumerate(cells.flat) if key in cell.names()}
            # A decision may well stay what it was.
            assert moved <= named if quantity.formula.whole else moved == named, f"{quantity.name}: {key}"


def test_a_group_can_be_moved_at_once_and_all_groups_together_reach_everything(network):
    structure = structure_of(network)
    for quantity in every_formula(structure):
        named = [set(cell.names()) for cell in trace(quantity, structure.keys).flat]
        covered = []
        for name, mask in independent_groups(quantity, network):
            group = set(structure.keys[name][mask])
            assert group
            assert all(len(names & group) <= 1 for names in named), f"{quantity.name}: {group}"
            covered.extend(group)
        assert len(covered) == len(set(covered))
        assert set(covered) == set().union(*named)


def test_an_elementwise_formula_needs_one_group_and_a_weighted_sum_one_for_each_input(all_networks):
    network = all_networks["relu, mse"]
    graph = structure_of(network).graph

    def count(name):
        names = [source for source, _ in independent_groups(graph[name], network)]
        return {source: names.count(source) for source in names}

    assert count("a2") == {"z2": 1}
    assert count("delta3") == {"dE_da3": 1, "da_dz3": 1}
    assert count("z2") == {"W2": 3, "a1": 3, "b2": 1}
    assert count("E") == {"e": 2}


# --- keys -----------------------------------------------------------------------------------------------------------


def test_keys_count_from_one_with_the_to_unit_first_and_the_example_behind():
    assert cell_keys("z1", (1, 2), per_example=True, examples=1).tolist() == [["z1[1]", "z1[2]"]]
    assert cell_keys("z1", (2, 1), per_example=True, examples=2).tolist() == [["z1[1]@1"], ["z1[1]@2"]]
    assert cell_keys("W2_new", (2, 1), per_example=False, examples=3).tolist() == [["W2_new[1,1]"], ["W2_new[2,1]"]]
    assert cell_keys("path1", (2, 1, 2), per_example=True, examples=2)[1, 0, 1] == "path1[1,2]@2"
    assert cell_keys("E", (), per_example=False, examples=3).item() == "E"


def test_every_cell_of_a_network_has_its_own_key_and_each_array_its_shape(network, numbers):
    structure = structure_of(network)
    keys = [key for cells in structure.keys.values() for key in cells.flat]
    assert len(keys) == len(set(keys))
    values = structure.graph.evaluate(numbers(network, 0))
    assert {name: cells.shape for name, cells in structure.keys.items()} == {
        name: value.shape for name, value in values.items()
    }


def test_a_shared_bias_is_given_at_every_unit_and_asked_for_once(all_networks):
    structure = structure_of(all_networks["linear"])
    assert structure.keys["b1"].tolist() == ["b1[1]", "b1[2]"]
    assert structure.keys["grad_b1"].tolist() == ["grad_b1[1]"]
    assert structure.keys["b1_new"].tolist() == ["b1_new[1]"]


def test_a_networks_structure_is_made_once(network):
    assert structure_of(network) is structure_of(network)
