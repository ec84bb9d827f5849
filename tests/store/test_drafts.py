"""Typed text is kept save by save, the newest stays, and a hint counts from the first time it was opened."""

import pytest
from sqlalchemy import func, select

from quizprop.store import drafts
from quizprop.store.drafts import StaleDraftError
from quizprop.store.models import Draft, HintUse
from tests.store.conftest import NOW, SECOND, at_once, serve, visit


@pytest.fixture
def variant(database):
    learner_id = visit(database)[1].learner_id
    with database.write() as session:
        return serve(session, learner_id)


def save(database, variant, text, *, base, key, later=0, comma=False, sent=()):
    with database.write() as session:
        return drafts.save_draft(
            session, variant, base=base, key=key, raw={"z1[1]": text}, decimal_comma=comma, now=NOW + later, sent=sent
        )


def found(database, variant):
    with database.read() as session:
        return drafts.find_draft(session, variant)


def checked(database, variant, text, *, base, sent=(), before=(), key="checked"):
    with database.write() as session:
        return drafts.save_checked(
            session,
            variant,
            base=base,
            sent=sent,
            checked=before,
            key=key,
            raw={"z1[1]": text},
            decimal_comma=False,
            now=NOW + SECOND,
        )


def test_a_save_is_found_as_it_was_typed(database, variant):
    assert found(database, variant) is None
    made = save(database, variant, "0,3\u0000775 \ud800", base=0, key="a", comma=True)
    assert found(database, variant) == made
    assert (made.seq, made.raw, made.decimal_comma) == (1, {"z1[1]": "0,3\u0000775 \ud800"}, True)


def test_each_save_builds_on_the_one_before(database, variant):
    for number, key in enumerate("abc"):
        assert save(database, variant, key, base=number, key=key).seq == number + 1
    assert found(database, variant).raw == {"z1[1]": "c"}


def test_a_save_on_an_older_one_is_refused_and_tells_the_newer(database, variant):
    save(database, variant, "phone", base=0, key="a")
    newer = save(database, variant, "laptop", base=1, key="b")
    for base in (0, 1, 7):
        with pytest.raises(StaleDraftError) as refused:
            save(database, variant, "phone again", base=base, key="c")
        assert refused.value.newer == newer
    assert found(database, variant) == newer


def test_a_page_builds_on_its_own_saves_though_it_has_no_answer_to_them(database, variant):
    save(database, variant, "arrived", base=0, key="a")
    assert save(database, variant, "typed on", base=0, key="b", sent=("a",)).seq == 2
    # What was on its way for long comes too late, and what somebody else saved is not of this page.
    for key, sent in (("a", ()), ("c", ("a", "x"))):
        with pytest.raises(StaleDraftError):
            save(database, variant, "older", base=0, key=key, sent=sent)
    assert found(database, variant).raw == {"z1[1]": "typed on"}


def test_a_save_sent_again_changes_nothing(database, variant):
    first = save(database, variant, "once", base=0, key="a")
    assert save(database, variant, "once", base=0, key="a", later=SECOND) == first
    assert found(database, variant) == first


def test_of_saves_at_once_one_wins_and_the_others_are_told(database, variant):
    def one(number):
        try:
            return save(database, variant, str(number), base=0, key=f"key-{number}").raw
        except StaleDraftError as error:
            return error.newer.raw

    seen = at_once(8, one)
    assert len({tuple(raw.items()) for raw in seen}) == 1
    assert found(database, variant).seq == 1


def test_what_is_checked_is_the_newest_text(database, variant):
    save(database, variant, "0.3", base=0, key="a")
    assert checked(database, variant, "0.37", base=1).seq == 2
    assert found(database, variant).raw == {"z1[1]": "0.37"}


def test_a_save_whose_answer_the_page_did_not_see_is_its_own(database, variant):
    save(database, variant, "0.3", base=0, key="lost")
    checked(database, variant, "0.37", base=0, sent=("other", "lost"))
    assert found(database, variant).raw == {"z1[1]": "0.37"}


def test_a_check_on_an_older_page_leaves_the_newer_text_and_dates_it_after_the_check(database, variant):
    save(database, variant, "old", base=0, key="a")
    newer = save(database, variant, "newer", base=1, key="b")
    checked(database, variant, "old and more", base=1)
    kept = found(database, variant)
    assert (kept.raw, kept.seq, kept.saved_at) == (newer.raw, newer.seq, NOW + SECOND)


def test_the_text_of_an_earlier_check_does_not_come_back_after_a_later_one(database, variant):
    # As after the browser's Back: the page knows nothing of the check that it made.
    checked(database, variant, "first", base=0, key="one")
    checked(database, variant, "second", base=0, before=["one"], key="two")
    assert found(database, variant).raw == {"z1[1]": "second"}


def test_a_hint_counts_once_and_the_last_rung_is_told(database, variant):
    def opened(*, rung):
        with database.write() as session:
            drafts.record_hint(session, variant, key="z1[1]", rung=rung, now=NOW)

    for rung in (1, 2, 2, 1):
        opened(rung=rung)
    at_once(4, lambda _: opened(rung=3))
    with database.read() as session:
        assert drafts.hints_used(session, variant) == {"z1[1]": 3}
        assert session.execute(select(func.count()).select_from(HintUse)).scalar_one() == 3
        assert session.execute(select(func.count()).select_from(Draft)).scalar_one() == 0


def test_what_is_saved_or_checked_on_one_sheet_changes_no_other(database, variant):
    learner = visit(database)[1].learner_id
    with database.write() as session:
        others = [serve(session, variant.learner_id), serve(session, learner)]
    before = [save(database, one, f"text {at}", base=0, key="k") for at, one in enumerate(others)]
    save(database, variant, "one", base=0, key="a")
    save(database, variant, "two", base=1, key="b")
    checked(database, variant, "three", base=2)
    assert [found(database, one) for one in others] == before
    with database.write() as session:
        drafts.record_hint(session, variant, key="z1[1]", rung=2, now=NOW)
        assert [drafts.hints_used(session, one) for one in (variant, *others)] == [{"z1[1]": 2}, {}, {}]
