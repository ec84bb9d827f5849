"""Laws of allowances: never more than was allowed, whoever comes at the same moment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from quizprop.store import limits
from quizprop.store.models import RateLimit
from tests.store.conftest import KINDS, NOW, SECOND, at_once

DOOR = limits.bucket("door", "ada")
PARTS = st.lists(st.text(r"\|a", max_size=3), min_size=1, max_size=3)
RULE = {"per": 60 * SECOND, "burst": 3}


def spend(database, now=NOW, bucket=DOOR, **rule):
    with database.write() as session:
        return limits.spend(session, bucket, now, **{**RULE, **rule})


def test_a_burst_goes_through_and_then_one_for_each_interval(database):
    assert [spend(database) for _ in range(5)] == [0, 0, 0, 60 * SECOND, 60 * SECOND]
    assert spend(database, NOW + 59 * SECOND) == SECOND
    assert spend(database, NOW + 60 * SECOND) == 0
    assert spend(database, NOW + 60 * SECOND) == 60 * SECOND
    assert [spend(database, NOW + 600 * SECOND) for _ in range(4)] == [0, 0, 0, 60 * SECOND]


def test_who_waits_as_long_as_was_said_gets_through_and_not_a_moment_before(database):
    while (wait := spend(database, NOW + 7)) == 0:
        pass
    assert spend(database, NOW + 7 + wait - 1) == 1
    assert spend(database, NOW + 7 + wait) == 0


def test_of_many_at_once_exactly_the_burst_gets_through(database):
    spent = at_once(12, lambda _: spend(database, burst=5))
    assert sorted(spent) == [0] * 5 + [60 * SECOND] * 7


def test_each_bucket_has_an_allowance_of_its_own(database):
    assert [spend(database, burst=1), spend(database, bucket=limits.bucket("door", "bob"), burst=1)] == [0, 0]


def test_what_is_given_back_can_be_spent_again(database):
    for _ in range(10):
        assert spend(database) == 0
        with database.write() as session:
            limits.give_back(session, DOOR, per=RULE["per"])
    assert [spend(database) for _ in range(4)] == [0, 0, 0, 60 * SECOND]


def test_nothing_is_spent_by_what_was_taken_back(database):
    with database.write() as session:
        limits.spend(session, DOOR, NOW, per=SECOND, burst=1)
        session.rollback()
    assert spend(database, burst=1) == 0


def test_a_sweep_takes_what_is_whole_again_and_nothing_else_and_only_now_and_then(database):
    spend(database, burst=1)
    spend(database, bucket=limits.bucket("old"), now=NOW - 3600 * SECOND)
    with database.write() as session:
        assert limits.sweep(session, NOW, every=300 * SECOND) == 1
        assert limits.sweep(session, NOW + 299 * SECOND, every=300 * SECOND) == 0
    assert spend(database, NOW + SECOND, burst=1) == 59 * SECOND
    with database.write() as session:
        assert limits.sweep(session, NOW + 301 * SECOND, every=300 * SECOND) == 1
    with database.read() as session:
        assert session.execute(select(func.count()).select_from(RateLimit)).scalar_one() == 1


@pytest.mark.parametrize("url", KINDS[1:], indirect=True)
def test_a_sweep_waits_for_nobody(database):
    spend(database, NOW - 3600 * SECOND)
    with database.write() as session:
        limits.spend(session, DOOR, NOW - 1800 * SECOND, **RULE)
        assert at_once(1, lambda _: swept(database)) == [0]


def swept(database):
    with database.write() as session:
        return limits.sweep(session, NOW, every=SECOND)


@given(PARTS, PARTS)
def test_different_names_never_share_a_bucket(one, other):
    assert (limits.bucket(*one) == limits.bucket(*other)) == (one == other)


def test_a_bucket_tells_nobody_whose_it_is():
    assert len(DOOR) == 64
    assert "ada" not in DOOR
