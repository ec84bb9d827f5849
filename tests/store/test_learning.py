"""What is believed of a learner is kept skill by skill and slip by slip, and changed by one check at a time."""

from dataclasses import replace

import pytest

from quizprop.store import learning, practice
from quizprop.store.database import Session
from quizprop.store.drafts import save_draft
from quizprop.store.learning import Practised, StoredSkill
from tests.store.conftest import NOW, SECOND, at_once, serve, submit, visit

STATE = StoredSkill({"known": 0.5, "run": 1, "seen": 2}, 2, None, None, NOW)


@pytest.fixture
def learner_id(database):
    return visit(database)[1].learner_id


@pytest.fixture
def variant(database, learner_id):
    with database.write() as session:
        return serve(session, learner_id)


def slip(session: Session, variant, code="a:activation_skipped", now=NOW):
    learning.slip_made(session, variant, code=code, title="activation skipped", skill="activation", now=now)


def test_a_skill_is_found_as_it_was_saved_last(database, learner_id):
    later = replace(STATE, knowledge={"known": 0.97}, card={"due": NOW}, due_at=NOW, seen=3)
    with database.write() as session:
        learning.save_skills(session, learner_id, {"loss": STATE, "update": STATE}, known=())
        learning.save_skills(session, learner_id, {"loss": later, "sum": STATE}, known=("loss", "update"))
    with database.read() as session:
        assert learning.skills_of(session, learner_id) == {"loss": later, "update": STATE, "sum": STATE}
        assert learning.skills_of(session, learner_id + 1) == {}


def test_a_slip_counts_its_times_and_how_often_it_was_avoided_since(database, learner_id, variant):
    with database.write() as session:
        slip(session, variant)
        learning.avoid_slips(session, learner_id, ["a:activation_skipped", "never:made"])
        slip(session, variant, "z:bias_left_out", NOW + SECOND)
        learning.avoid_slips(session, learner_id, ["a:activation_skipped", "z:bias_left_out"])
    with database.read() as session:
        last, first = learning.slips_of(session, learner_id)
    assert (first.code, first.seen, first.right_since) == ("a:activation_skipped", 1, 2)
    assert (last.code, last.right_since, last.token) == ("z:bias_left_out", 1, variant.token)
    with database.write() as session:
        slip(session, variant, now=NOW + 2 * SECOND)
        again = learning.slips_of(session, learner_id)[0]
    assert (again.seen, again.right_since, again.first_at, again.last_at) == (2, 0, NOW, NOW + 2 * SECOND)


def test_checks_of_one_learner_wait_for_each_other(database, learner_id, variant):
    def one_more(_number):
        with database.write() as session:
            learning.hold_learner(session, learner_id)
            states = learning.skills_of(session, learner_id)
            known = states.get("loss", replace(STATE, seen=0))
            learning.save_skills(session, learner_id, {"loss": replace(known, seen=known.seen + 1)}, known=states)
            slip(session, variant)

    at_once(6, one_more)
    with database.read() as session:
        assert learning.skills_of(session, learner_id)["loss"].seen == 6
        assert [one.seen for one in learning.slips_of(session, learner_id)] == [6]


def test_what_was_practised_last_comes_last(database, learner_id):
    with database.write() as session:
        for number, slug in enumerate(["one", "two", "three"]):
            aim = {"skill": "loss"} if slug == "two" else None
            serve(session, learner_id, exercise=slug, aim=aim, now=NOW + number)
    with database.read() as session:
        assert learning.practised(session, learner_id, 2) == (
            Practised("two", {"skill": "loss"}),
            Practised("three", None),
        )


def test_an_exercise_was_seen_before_once_another_sheet_of_it_was_checked_or_given_up(database, learner_id, variant):
    def seen(one):
        with database.read() as session:
            return learning.seen_before(session, one)

    with database.write() as session:
        again = serve(session, learner_id)
        other = serve(session, learner_id, exercise="deltas")
    assert not seen(again)
    with database.write() as session:
        submit(session, variant)
    assert seen(again)
    assert not seen(variant)
    assert not seen(other)
    with database.write() as session:
        practice.give_up(session, again, now=NOW)
    assert seen(variant)


def test_a_chosen_sheet_is_untouched_until_something_is_typed_checked_or_given_up(database, learner_id):
    def untouched(session):
        return learning.untouched(session, learner_id)

    def touch(session, one, way):
        if way == "typed":
            save_draft(session, one, base=0, key="save", raw={"z1": "1"}, decimal_comma=False, now=NOW)
        elif way == "checked":
            submit(session, one)
        else:
            practice.give_up(session, one, now=NOW)

    with database.write() as session:
        assert untouched(session) is None
        for number, way in enumerate(("typed", "checked", "given up")):
            one = serve(session, learner_id, aim={"skill": "loss"}, now=NOW + number)
            assert untouched(session) == one.token
            touch(session, one, way)
            assert untouched(session) is None
        serve(session, learner_id, now=NOW + 9)
        assert untouched(session) is None


STATE = StoredSkill({"known": 0.5}, 1, None, None, NOW)


def test_what_is_believed_of_one_learner_changes_nothing_of_another(database):
    me, them = visit(database)[1].learner_id, visit(database)[1].learner_id
    with database.write() as session:
        sheets = {whose: serve(session, whose) for whose in (me, them)}
        for whose, sheet in sheets.items():
            learning.save_skills(session, whose, {"chain rule": STATE}, known=())
            learning.slip_made(session, sheet, code="sign", title="Sign", skill="chain rule", now=NOW)
        before = learning.skills_of(session, them), learning.slips_of(session, them)
        more = replace(STATE, seen=7, knowledge={"known": 0.9})
        learning.save_skills(session, me, {"chain rule": more}, known=["chain rule"])
        learning.slip_made(session, sheets[me], code="sign", title="Sign", skill="chain rule", now=NOW + 1)
        learning.avoid_slips(session, me, ["sign"])
        assert (learning.skills_of(session, them), learning.slips_of(session, them)) == before
        assert learning.skills_of(session, me) == {"chain rule": more}
        assert [(one.seen, one.right_since) for one in learning.slips_of(session, me)] == [(2, 1)]
        submit(session, sheets[them])
        assert not learning.seen_before(session, serve(session, me))  # another learner's check is none of theirs
        assert learning.seen_before(session, serve(session, them))
