"""The count of what can be certified adds up."""

import numpy as np
import pytest

from quizprop.exercise import acceptance as module
from quizprop.exercise.acceptance import acceptance
from quizprop.exercise.bank import load_bank


@pytest.mark.parametrize("slug", ["deltas", "mazur-like"])
def test_every_candidate_is_certified_or_rejected_by_a_rule(slug, monkeypatch):
    exercise = load_bank()[slug]
    found = acceptance(exercise, np.random.default_rng(5), candidates=250)
    assert found.candidates == 250
    assert 0 < found.certified < 250
    assert found.certified + sum(found.rejected.values()) == 250
    assert list(found.rejected.values()) == sorted(found.rejected.values(), reverse=True)
    monkeypatch.setattr(module, "_AT_A_TIME", 100)
    assert acceptance(exercise, np.random.default_rng(5), candidates=250) == found


def test_a_fixed_exercise_has_one_candidate():
    found = acceptance(load_bank()["mazur"], np.random.default_rng(5), candidates=250)
    assert (found.candidates, found.certified, found.rejected) == (1, 1, {})


def test_where_no_candidate_is_any_good_all_are_rejected_by_a_rule_also_on_a_sheet_half_filled_in():
    exercise = load_bank()["faded-mazur"].model_copy(update={"places": 1})
    found = acceptance(exercise, np.random.default_rng(5), candidates=40)
    assert (found.certified, sum(found.rejected.values())) == (0, 40)
