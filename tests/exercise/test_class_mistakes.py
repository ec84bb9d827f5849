"""Laws of the class's report: simulated students who make one known mistake are found, counted, and nobody else is."""

import numpy as np
import pytest

from quizprop.engine.structure import structure_of
from quizprop.exercise.bank import load_bank
from quizprop.exercise.class_mistakes import CheckedSheet, class_mistakes, efforts, step_shares
from quizprop.exercise.figures import to_places
from quizprop.exercise.generate import draw
from quizprop.exercise.grade import grade

MAZUR = load_bank()["mazur-like"]


def marks_of(instance, texts):
    return {key: mark.as_json() for key, mark in grade(instance, texts).marks.items()}


def honest(instance):
    return {cell.key: to_places(instance.values[cell.key], MAZUR.places) for cell in instance.cells}


@pytest.fixture(scope="module")
def sheets():
    """Five students: two descend uphill, one of them mends it; three are right from the start."""
    found = []
    for number in range(5):
        instance = draw(MAZUR, np.random.default_rng(number))
        right = honest(instance)
        attempts = [right]
        if number < 2:
            attempts = [uphill(instance, right)]
        if number == 1:
            attempts.append(right)
        found.append(CheckedSheet(number, MAZUR, tuple(marks_of(instance, one) for one in attempts)))
    return found


def uphill(instance, right):
    """Every weight of the last layer moved against the step that lowers the error."""
    wrong = dict(right)
    for cell in instance.cells:
        if cell.key.startswith("W2_new"):
            old = np.asarray(instance.given["W2"], dtype=float)
            row, column = (int(part) - 1 for part in cell.key.removeprefix("W2_new[").rstrip("]").split(","))
            weight = float(old.reshape(old.shape[-2:])[row, column])
            wrong[cell.key] = to_places(2 * weight - instance.values[cell.key], MAZUR.places)
    assert wrong != right
    return wrong


def test_who_makes_a_mistake_is_counted_once_and_who_mends_it_has_overcome_it(sheets):
    (found,) = class_mistakes(sheets)
    assert (found.made, found.kept, found.could) == ({0, 1}, {0}, set(range(5)))
    assert (found.share, found.overcome) == (2 / 5, 1)
    assert (dict(found.places), found.slugs) == ({"W2_new": 8}, {"mazur-like"})


def test_a_class_without_mistakes_has_none(sheets):
    assert class_mistakes(sheets[2:]) == ()
    assert class_mistakes([]) == ()


def test_the_mistake_of_most_students_comes_first(sheets):
    instance = draw(MAZUR, np.random.default_rng(9))
    right = honest(instance)
    swapped = {**right, **{key.replace("z1", "a1"): text for key, text in right.items() if key.startswith("z1")}}
    more = CheckedSheet(9, MAZUR, (marks_of(instance, swapped),))
    found = class_mistakes([more, *sheets])
    assert len(found) > 1
    assert [len(one.made) for one in found] == sorted((len(one.made) for one in found), reverse=True)
    assert found[0].made == {0, 1}


def told(*codes):
    """An attempt at which one value is wrong, and these mistakes explain it."""
    return ({"z1[1]": {"verdict": "mistake", "codes": list(codes)}},)


def test_of_mistakes_that_equally_many_made_the_larger_share_comes_first():
    pooling = load_bank()["max-pooling"]
    rare, common = (
        choose(structure_of(exercise.model).mistakes, key=lambda one: one.misconception.title)
        for choose, exercise in ((max, pooling), (min, MAZUR))
    )
    assert rare.misconception.title > common.misconception.title
    by_heart = CheckedSheet(3, MAZUR, ({},))
    found = class_mistakes(
        [CheckedSheet(1, MAZUR, told(common.code)), by_heart, CheckedSheet(2, pooling, told(rare.code))]
    )
    assert [(one.title, one.share) for one in found] == [
        (rare.misconception.title, 1),
        (common.misconception.title, 1 / 2),
    ]


def test_of_the_mistakes_that_explain_a_value_the_likeliest_alone_is_counted():
    (found,) = class_mistakes([CheckedSheet(1, MAZUR, told("z1:bias_left_out", "a1:activation_skipped"))])
    assert found.code == "z:bias_left_out"


def test_steps_tell_first_and_last_attempts_apart(sheets):
    by_name = {one.quantity: one for one in step_shares(sheets)}
    assert {one.exercise for one in by_name.values()} == {"mazur-like"}
    updated = by_name.pop("W2_new")
    assert (updated.judged, updated.first, updated.last) == (5 * 4, 3 * 4, 4 * 4)
    assert all(one.first == one.last == one.judged for one in by_name.values())


def test_what_is_blank_or_of_an_older_release_is_left_out(sheets):
    marks = {"z1[1]": {"verdict": "blank", "codes": []}, "gone[1]": {"verdict": "mistake", "codes": ["gone"]}}
    marks["z1[2]"] = {"verdict": "unchecked", "codes": []}
    old = CheckedSheet(7, MAZUR, (marks,))
    assert step_shares([old]) == ()
    assert class_mistakes([old]) == ()


def test_what_was_not_there_at_first_was_not_right_at_first():
    (found,) = step_shares([CheckedSheet(1, MAZUR, ({}, {"z1[1]": {"verdict": "correct", "codes": []}}))])
    assert (found.judged, found.first, found.last) == (1, 0, 1)


def class_of(right_here, right_elsewhere):
    """A sheet for each student: whether z1 is right, and how many of the four other values."""
    wrong, right = ({"verdict": verdict, "codes": []} for verdict in ("wrong", "correct"))
    others = ("a1[1]", "a1[2]", "z2[1]", "z2[2]")
    return [
        CheckedSheet(
            number,
            MAZUR,
            (
                {
                    "z1[1]": right if here else wrong,
                    **{key: right if at < count else wrong for at, key in enumerate(others)},
                },
            ),
        )
        for number, (here, count) in enumerate(zip(right_here, right_elsewhere, strict=True))
    ]


def discrimination(sheets):
    return next(one for one in step_shares(sheets) if one.quantity == "z1").discrimination


def test_discrimination_is_the_correlation_with_the_rest_of_the_sheet():
    here, elsewhere = [1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1], [4, 3, 4, 1, 0, 2, 2, 4, 1, 3, 4, 0]
    mean_here, mean_elsewhere = np.mean(here), np.mean(elsewhere)
    up = sum((a - mean_here) * (b - mean_elsewhere) for a, b in zip(here, elsewhere, strict=True))
    down = np.std(here) * np.std(elsewhere) * len(here)
    assert discrimination(class_of(here, elsewhere)) == pytest.approx(up / down)
    assert discrimination(class_of(here, [4 * one for one in here])) == pytest.approx(1)
    assert discrimination(class_of(here, [4 * (1 - one) for one in here])) == pytest.approx(-1)


def test_discrimination_is_not_told_where_it_means_nothing():
    half = [0, 1] * 5
    assert discrimination(class_of(half, [2] * 10)) is None
    assert discrimination(class_of([1] * 10, [0, 1, 2, 3, 4] * 2)) is None
    assert discrimination(class_of(half[:9], [0, 4] * 4 + [1])) is None
    assert discrimination(class_of(half, [0, 4] * 5)) == pytest.approx(1)


def test_a_step_alone_on_its_sheet_or_not_filled_in_has_nothing_to_be_compared_with():
    right, blank = ({"verdict": verdict, "codes": []} for verdict in ("correct", "blank"))
    alone = [CheckedSheet(number, MAZUR, ({"z1[1]": right},)) for number in range(12)]
    assert discrimination(alone) is None
    given_up = CheckedSheet(1, MAZUR, ({"z1[1]": right, "z2[1]": right}, {"z1[1]": right, "z2[1]": blank}))
    (found,) = step_shares([given_up])
    assert (found.quantity, found.pairs) == ("z1", [(1, 1)])
    begun_late = CheckedSheet(1, MAZUR, ({"z1[1]": blank, "z2[1]": right}, {"z1[1]": right, "z2[1]": right}))
    assert {one.quantity: one.pairs for one in step_shares([begun_late])} == {"z1": [], "z2": [(1, 0)]}


def test_the_effort_is_the_median_of_the_sheets_of_an_exercise(sheets):
    timed = [CheckedSheet(one.learner_id, MAZUR, one.attempts, minutes=10.0 * one.learner_id) for one in sheets]
    (took,) = efforts(timed)
    assert (took.exercise, took.sheets, took.attempts, took.minutes) == ("mazur-like", 5, 1, 20)
    assert efforts([]) == ()
