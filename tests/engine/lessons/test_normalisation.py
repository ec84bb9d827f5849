"""Normalisation against Python's own statistics, and the laws that make it a normalisation."""

import statistics

import numpy as np
import pytest

from quizprop.engine.lessons.normalisation import Normalisation
from quizprop.engine.structure import structure_of

X = [1.5, -0.4, 2.2]
T = [0.3, -1.0, 0.8]


def evaluate(lesson, *, x=X, t=T, gamma=1.3, beta=-0.2, eps=0.01):
    given = {"x": x, "t": t, "gamma": gamma, "beta": beta, "eps": eps, "eta": 0.1}
    return structure_of(lesson).graph.evaluate({name: np.array(value) for name, value in given.items()})


def test_a_batch_is_normalised_by_the_variance_of_the_population():
    values = evaluate(Normalisation())
    deviation = (statistics.pvariance(X) + 0.01) ** 0.5
    assert values["mu"] == pytest.approx(statistics.mean(X))
    assert values["var"] == pytest.approx(statistics.pvariance(X))
    assert values["y"] == pytest.approx([1.3 * (x - statistics.mean(X)) / deviation - 0.2 for x in X])


def test_a_mean_error_is_a_share_of_the_sum():
    values = {reduction: evaluate(Normalisation(reduction=reduction)) for reduction in ("sum", "mean")}
    for name in ("E", "grad_y", "grad_gamma", "grad_beta", "grad_x"):
        assert values["mean"][name] == pytest.approx(values["sum"][name] / 3)


def test_without_epsilon_the_batch_has_mean_0_and_variance_1():
    values = evaluate(Normalisation(), eps=0.0)
    assert statistics.mean(values["xhat"]) == pytest.approx(0)
    assert statistics.pvariance(values["xhat"]) == pytest.approx(1)


def test_what_shifts_or_scales_all_inputs_alike_changes_nothing():
    values = evaluate(Normalisation(), eps=0.0)
    moved = evaluate(Normalisation(), x=[3 * x + 7 for x in X], eps=0.0)
    assert moved["y"] == pytest.approx(values["y"])
    assert sum(values["grad_x"]) == pytest.approx(0)
    assert sum(g * x for g, x in zip(values["grad_x"], X, strict=True)) == pytest.approx(0)


def test_a_layers_features_have_each_their_own_scale():
    gamma, beta = [0.5, -1.0, 2.0], [0.1, 0.2, -0.3]
    values = evaluate(Normalisation(over="layer"), gamma=gamma, beta=beta)
    alike = evaluate(Normalisation())
    assert values["xhat"] == pytest.approx(alike["xhat"])
    assert values["y"] == pytest.approx([g * x + b for g, x, b in zip(gamma, alike["xhat"], beta, strict=True)])
    assert values["grad_beta"] == pytest.approx(values["grad_y"])
