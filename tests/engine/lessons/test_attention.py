"""Attention against matrix products and a Jacobian written out, and what must hold whatever the numbers."""

import math

import numpy as np
import pytest

from quizprop.engine.lessons.attention import Attention
from quizprop.engine.structure import structure_of


@pytest.fixture(params=[2, 3])
def keys(request):
    return request.param


@pytest.fixture
def given(keys):
    rng = np.random.default_rng(7)
    return {name: rng.normal(size=shape) for name, shape in Attention(keys=keys).givens().items()}


def worked(keys, given):
    return structure_of(Attention(keys=keys)).graph.evaluate(given)


def test_the_output_is_softmax_of_the_scaled_products_times_the_values(keys, given):
    values = worked(keys, given)
    powers = [math.exp((given["q"][0] * key[0] + given["q"][1] * key[1]) / math.sqrt(2)) for key in given["K"].tolist()]
    weights = [power / sum(powers) for power in powers]
    output = np.array(weights) @ given["V"]
    assert values["a"] == pytest.approx(weights)
    assert values["o"] == pytest.approx(output)
    assert values["E"] == pytest.approx(np.linalg.norm(given["y"] - output) ** 2 / 2)


def test_equal_scores_make_the_plain_mean():
    given = {
        "q": np.array([1.0, -1.0]),
        "K": np.array([[0.5, 0.2], [0.8, 0.5]]),
        "V": np.array([[1.0, 4.0], [3.0, -2.0]]),
        "y": np.zeros(2),
    }
    values = worked(2, given)
    assert values["a"] == pytest.approx([0.5, 0.5])
    assert values["o"] == pytest.approx([2.0, 1.0])


def test_the_way_back_is_the_jacobian_of_the_softmax(keys, given):
    values = worked(keys, given)
    weights = values["a"]
    jacobian = np.diag(weights) - np.outer(weights, weights)
    by_weight = given["V"] @ (values["o"] - given["y"])
    by_score = jacobian @ by_weight / math.sqrt(2)
    assert values["grad_V"] == pytest.approx(np.outer(weights, values["o"] - given["y"]))
    assert values["average"] == pytest.approx(weights @ by_weight)
    assert values["grad_s"] == pytest.approx(by_score)
    assert values["grad_q"] == pytest.approx(given["K"].T @ by_score)
    assert values["grad_K"] == pytest.approx(np.outer(by_score, given["q"]))


def test_moving_all_keys_alike_changes_nothing(keys, given):
    values = worked(keys, given)
    moved = worked(keys, {**given, "K": given["K"] + np.array([0.7, -0.4])})
    assert moved["a"] == pytest.approx(values["a"])
    assert moved["grad_q"] == pytest.approx(values["grad_q"])


def test_the_derivatives_by_the_scores_add_up_to_zero(keys, given):
    values = worked(keys, given)
    assert values["grad_z"].sum() == pytest.approx(0, abs=1e-14)


def test_it_says_how_many_keys_there_are(keys):
    lesson = Attention(keys=keys)
    assert lesson.outline == f"a query and {keys} keys"
    assert lesson.sketch == (2, keys, 2)
    assert not lesson.has_zeros


def test_the_worked_solution_writes_the_root_of_the_size_as_a_root():
    expression = structure_of(Attention()).expressions["z"][0]
    assert list(expression.names()) == ["s[1]"]
    root = expression.parts[1]
    assert (root.kind, root.parts[0], root.parts[1].parts) == ("call", "sqrt", (2,))
