"""Spaced review: a success puts the next one further off, a slip brings it near."""

import json
from datetime import UTC, datetime

import pytest
from fsrs import Rating
from hypothesis import given
from hypothesis import strategies as st

from quizprop.exercise.knowledge import Evidence, Outcome
from quizprop.exercise.review import Card, after_sheet, rating, reviewed

DAY = 24 * 3600 * 1_000_000
NOW = int(datetime(2026, 1, 31, 12, 30, 0, 250, tzinfo=UTC).timestamp()) * 1_000_000 + 250

successes = st.sampled_from([Rating.Good, Rating.Easy])
times = st.integers(min_value=0, max_value=4_000_000_000_000_000)


def test_a_fresh_card_is_due_some_days_later():
    card = reviewed(None, Rating.Good, NOW)
    assert not card.is_due(NOW)
    assert card.is_due(card.due)
    assert DAY <= card.due - NOW <= 10 * DAY
    assert card.last == NOW


@given(times, st.lists(successes, min_size=1, max_size=6))
def test_each_success_when_due_puts_the_next_review_further_off(now, ratings):
    card, gap = reviewed(None, Rating.Good, now), 0
    for rated in ratings:
        gap, at = card.due - card.last, card.due
        card = reviewed(card, rated, at)
        assert card.due - at > gap


@given(times)
def test_a_slip_brings_the_next_review_nearer_than_a_success(now):
    card = reviewed(reviewed(None, Rating.Good, now), Rating.Good, now + 3 * DAY)
    at = card.due
    dues = [reviewed(card, rated, at).due for rated in (Rating.Again, Rating.Hard, Rating.Good, Rating.Easy)]
    assert dues == sorted(set(dues))


def test_the_clock_plays_no_part():
    assert reviewed(None, Rating.Good, NOW) == reviewed(None, Rating.Good, NOW)
    later = reviewed(None, Rating.Good, NOW + DAY)
    assert later.due - reviewed(None, Rating.Good, NOW).due == DAY


def test_a_card_survives_json_to_the_microsecond():
    card = reviewed(None, Rating.Easy, NOW)
    again = Card.from_json(json.loads(json.dumps(card.as_json())))
    assert again == card
    assert reviewed(again, Rating.Good, card.due) == reviewed(card, Rating.Good, card.due)


def test_days_are_whole():
    card = reviewed(None, Rating.Good, NOW)
    assert [card.days_since(NOW + gap) for gap in (-5, 0, DAY - 1, DAY, 7 * DAY)] == [0, 0, 0, 1, 7]


@pytest.mark.parametrize(
    ("outcomes", "rated"),
    [
        ([], None),
        (["right"], Rating.Good),
        (["right"] * 3, Rating.Good),
        (["right"] * 4, Rating.Easy),
        (["right", "helped", "right"], Rating.Hard),
        (["right", "helped", "wrong"], Rating.Again),
    ],
)
def test_a_sheet_is_rated_by_its_worst_answer(outcomes, rated):
    evidence = [Evidence(f"z1[{place}]", ("net input",), Outcome(one)) for place, one in enumerate(outcomes)]
    assert rating([*evidence, Evidence("a1", ("activation",), Outcome.WRONG)], "net input") is rated


def sheet_after(card, outcome, now, *, mastered=True, served_at=None):
    evidence = [Evidence("z1[1]", ("net input",), outcome)]
    served = now - 1 if served_at is None else served_at
    return after_sheet(card, evidence, "net input", mastered=mastered, served_at=served, now=now)


def test_reviews_begin_when_a_skill_is_mastered():
    assert sheet_after(None, Outcome.RIGHT, NOW, mastered=False) is None
    assert sheet_after(None, Outcome.RIGHT, NOW) == reviewed(None, Rating.Good, NOW)


def test_a_success_is_a_review_only_when_one_is_due_and_a_failure_always_but_once_a_sheet():
    card = reviewed(None, Rating.Good, NOW)
    assert sheet_after(card, Outcome.RIGHT, card.due - 1) is card
    assert sheet_after(card, Outcome.RIGHT, card.due) == reviewed(card, Rating.Good, card.due)
    failed = sheet_after(card, Outcome.WRONG, NOW + 5)
    assert failed == reviewed(card, Rating.Again, NOW + 5)
    assert sheet_after(failed, Outcome.WRONG, NOW + 9, served_at=NOW + 4) is failed


def test_a_sheet_that_says_nothing_of_a_skill_changes_no_card():
    card = reviewed(None, Rating.Good, NOW)
    assert after_sheet(card, [], "net input", mastered=True, served_at=NOW, now=card.due) is card
