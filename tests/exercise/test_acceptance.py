"""The count of what can be certified adds up."""

import numpy as np
import pytest

from quizprop.exercise import acceptance as module
from quizprop.exercise.acceptance import acceptance
from quizprop.exercise.bank import load_bank
from quizprop.exercise.figures import to_places
from quizprop.exercise.generate import draw
from quizprop.exercise.grade import grade


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


@pytest.mark.parametrize("slug", [one.slug for one in load_bank().values() if one.shown and one.question == "sheet"])
def test_who_works_in_full_what_is_shown_rounded_is_right_too(slug):
    exercise = load_bank()[slug]
    for seed in range(6):
        instance = draw(exercise, np.random.default_rng(seed))
        plain = {name: instance.arrays[name] for name in instance.model.givens()}
        full = instance.by_key(instance.structure.graph.evaluate(plain))
        graded = grade(instance, {cell.key: to_places(full[cell.key], exercise.places) for cell in instance.cells})
        assert graded.complete, [mark for mark in graded.marks.values() if not mark.verdict.accepted]


def test_a_fixed_exercise_has_one_candidate():
    found = acceptance(load_bank()["mazur"], np.random.default_rng(5), candidates=250)
    assert (found.candidates, found.certified, found.rejected) == (1, 1, {})


def test_where_no_candidate_is_any_good_all_are_rejected_by_a_rule_also_on_a_sheet_half_filled_in():
    exercise = load_bank()["faded-mazur"].model_copy(update={"places": 1})
    found = acceptance(exercise, np.random.default_rng(5), candidates=40)
    assert (found.certified, sum(found.rejected.values())) == (0, 40)
