"""The function of plain numbers gives what the graph gives."""

import math

import numpy as np
import pytest

from quizprop.engine.plain import plain_function
from quizprop.engine.structure import structure_of
from quizprop.exercise.bank import load_bank


def cells(instance):
    """The keys of the givens and their values, and the keys of what is computed, but for what is decided."""
    structure = instance.structure
    given = {name: value for name, value in instance.given.items() if name in instance.model.givens()}
    keys = [str(key) for name in given for key in structure.keys[name].flat]
    values = [float(value) for array in given.values() for value in np.asarray(array, dtype=float).flat]
    computed = [str(key) for one in structure.graph if not one.formula.whole for key in structure.keys[one.name].flat]
    return tuple(keys), values, tuple(computed)


def test_it_gives_what_the_graph_gives(instances):
    for instance in instances[:2]:
        keys, values, computed = cells(instance)
        free = {name: array for name, array in instance.arrays.items() if name in instance.model.givens()}
        found = instance.structure.graph.evaluate(free)
        places = [instance.structure.places[key] for key in computed]
        expected = [float(found[name][0][place]) for name, place in places]
        assert plain_function(instance.model, keys, computed)(*values) == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_what_is_beyond_float64_on_its_way_is_infinite_as_it_is_in_an_array():
    model = load_bank()["logistic-unit"].model
    keys = [str(key) for name in ("x", "W1", "b1") for key in structure_of(model).keys[name].flat]
    numbers = [1000.0] * 3 + [-1.0] * 3 + [0.0]
    (activation,) = plain_function(model, tuple(keys), ("a1[1]",))(*numbers)
    assert activation == 1 / (1 + math.inf) == 0


def test_a_cell_that_depends_on_more_than_the_inputs_is_refused():
    with pytest.raises(KeyError, match="is no input"):
        plain_function(load_bank()["mazur"].model, ("x[1]", "x[2]"), ("z1[1]",))
