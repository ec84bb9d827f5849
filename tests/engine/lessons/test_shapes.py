"""Shapes are those of the arrays that a batch really makes."""

from itertools import pairwise

import numpy as np
import pytest

from quizprop.engine.lessons.shapes import Shapes
from quizprop.engine.structure import structure_of

UNITS, EXAMPLES = (4, 5, 3, 2), 7


def values(lesson):
    given = {f"n{layer}": UNITS[layer] for layer in range(lesson.layers + 1)} | {"m": EXAMPLES}
    return structure_of(lesson).graph.evaluate({name: np.array(float(given[name])) for name in lesson.givens()})


def trained(layers, *, columns):
    """The arrays of one forward and one backward pass with matrix products, the output's error being all ones."""
    arrays, pairs = {}, pairwise(UNITS[: layers + 1])
    arrays["A0"] = np.ones((UNITS[0], EXAMPLES) if columns else (EXAMPLES, UNITS[0]))
    for layer, (below, here) in enumerate(pairs, start=1):
        arrays[f"W{layer}"] = np.ones((here, below) if columns else (below, here))
        arrays[f"b{layer}"] = np.ones((here, 1) if columns else (1, here))
        product = (
            arrays[f"W{layer}"] @ arrays[f"A{layer - 1}"] if columns else arrays[f"A{layer - 1}"] @ arrays[f"W{layer}"]
        )
        arrays[f"Z{layer}"] = product + arrays[f"b{layer}"]
        arrays[f"A{layer}"] = np.tanh(arrays[f"Z{layer}"])
    error = np.ones_like(arrays[f"A{layers}"])
    for layer in range(layers, 0, -1):
        arrays[f"dZ{layer}"] = error * (1 - arrays[f"A{layer}"] ** 2)
        delta, below = arrays[f"dZ{layer}"], arrays[f"A{layer - 1}"]
        arrays[f"dW{layer}"] = delta @ below.T if columns else below.T @ delta
        arrays[f"db{layer}"] = delta.sum(axis=1 if columns else 0, keepdims=True)
        error = arrays[f"W{layer}"].T @ delta if columns else delta @ arrays[f"W{layer}"].T
    return arrays


@pytest.mark.parametrize("layers", [2, 3])
@pytest.mark.parametrize("examples_as", ["columns", "rows"])
def test_the_sides_are_those_of_real_arrays(layers, examples_as):
    found = values(Shapes(layers=layers, examples_as=examples_as))
    arrays = trained(layers, columns=examples_as == "columns")
    for name, array in arrays.items():
        stem, layer = name[:-1], name[-1]
        if layer != "0":
            assert (found[f"{stem}_rows{layer}"], found[f"{stem}_columns{layer}"]) == array.shape, name
    sizes = {name: array.size for name, array in arrays.items() if name[0] in "Wb"}
    assert found["parameters"] == sum(sizes.values())
    assert found["count1"] == sizes["W1"] + sizes["b1"]


def test_the_picture_and_the_outline_count_the_layers():
    assert len(Shapes(layers=3).sketch) == 4
    assert Shapes().outline == "2 layers of weights"
