"""Sheets are kept as served, submissions as typed, and attempts are counted without gaps or doubles."""

import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from quizprop.store import practice, sets
from quizprop.store.models import Variant
from quizprop.store.sets import NewItem
from tests.store.conftest import NOW, SECOND, at_once, serve, submit, visit

on_one_database = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
anything = st.text(st.characters(exclude_categories=()), max_size=30)


@pytest.fixture
def learner_id(database):
    return visit(database)[1].learner_id


@pytest.fixture
def variant(database, learner_id):
    with database.write() as session:
        return serve(session, learner_id)


def stored(database, variant):
    with database.read() as session:
        return practice.submissions(session, variant)


def test_a_variant_is_found_as_it_was_served(database, learner_id):
    given_values = {"W1": [[0.1, -0.0], [5e-324, 1.7976931348623157e308]], "eta": 0.1 + 0.2}
    with database.write() as session:
        served = serve(session, learner_id, given=given_values, spec='{"title":"Ünïcödé \\u0000"}', seed=2**128 - 1)
    with database.read() as session:
        found = practice.find_variant(session, served.token, learner_id=learner_id)
    assert found == served
    assert repr(found.given) == repr(given_values)
    assert (found.seed, found.spec, found.given_up_at) == (2**128 - 1, '{"title":"Ünïcödé \\u0000"}', None)


def test_the_seed_is_stored_as_32_hex_digits(database, learner_id):
    with database.write() as session:
        serve(session, learner_id, seed=255)
    with database.read() as session:
        assert session.execute(select(Variant.seed)).scalar_one() == "0" * 30 + "ff"


@pytest.mark.parametrize("seed", [-1, 2**128])
def test_a_seed_beyond_128_bits_is_refused(database, learner_id, seed):
    with pytest.raises(ValueError, match="128 bits"), database.write() as session:
        serve(session, learner_id, seed=seed)


def test_the_same_seed_gets_a_new_token_of_128_bits_each_time(database, learner_id):
    with database.write() as session:
        tokens = {serve(session, learner_id, seed=7).token for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(token) == 22 for token in tokens)


def test_the_variant_of_another_learner_is_not_found(database, variant):
    _, stranger = visit(database)
    with database.read() as session:
        assert practice.find_variant(session, variant.token, learner_id=stranger.learner_id) is None


@pytest.mark.parametrize("token", ["", "\0", "\ud800", "' OR 1=1 --", "9" * 19, "x" * 100_000, "tokén"])
def test_a_token_that_was_never_given_out_is_not_found(database, variant, token):
    with database.read() as session:
        assert practice.find_variant(session, token, learner_id=variant.learner_id) is None


def test_attempts_count_from_1_in_the_order_of_submission(database, variant):
    with database.write() as session:
        for number in range(1, 4):
            saved, created = submit(session, variant, key=f"key-{number}", points=number / 4)
            assert (saved.attempt, created) == (number, True)
            assert practice.submissions(session, variant)[-1] == saved
    found = stored(database, variant)
    assert [each.attempt for each in found] == [1, 2, 3]
    assert [each.share for each in found] == [0.125, 0.25, 0.375]


def test_before_the_first_attempt_there_is_none(database, variant):
    assert stored(database, variant) == ()


@pytest.mark.parametrize("comma", [True, False])
def test_how_the_text_is_to_be_read_is_kept_with_it(database, variant, comma):
    with database.write() as session:
        first, _ = submit(session, variant, decimal_comma=comma)
        again, _ = submit(session, variant, decimal_comma=not comma)
    assert [first.decimal_comma, again.decimal_comma] == [comma, comma]
    assert stored(database, variant)[0].decimal_comma is comma


def test_the_same_key_again_gives_the_first_submission_back_and_changes_nothing(database, variant):
    with database.write() as session:
        first, _ = submit(session, variant, key="same", raw={"E": "1"})
        submit(session, variant, key="another")
    with database.write() as session:
        again, created = submit(session, variant, key="same", raw={"E": "2"}, now=NOW + 9 * SECOND)
    assert (again, created) == (first, False)
    assert len(stored(database, variant)) == 2


def test_the_same_key_counts_anew_for_another_variant(database, learner_id, variant):
    with database.write() as session:
        other = serve(session, learner_id)
        assert [submit(session, each, key="same")[1] for each in (variant, other)] == [True, True]


def test_16_threads_with_one_key_leave_one_row(database, variant):
    def work(number):
        with database.write() as session:
            return submit(session, variant, key="same", raw={"E": str(number)})

    results = at_once(16, work)
    assert sum(created for _, created in results) == 1
    assert len({saved.id for saved, _ in results}) == 1
    assert len({saved.raw["E"] for saved, _ in results}) == 1
    assert len(stored(database, variant)) == 1


def test_16_threads_with_their_own_keys_get_attempts_1_to_16(database, variant):
    def work(number):
        with database.write() as session:
            return submit(session, variant, key=f"key-{number}")[0].attempt

    assert sorted(at_once(16, work)) == list(range(1, 17))
    assert [each.attempt for each in stored(database, variant)] == list(range(1, 17))


@on_one_database
@given(raw=st.dictionaries(anything, anything, max_size=4))
def test_typed_text_survives_byte_for_byte(database, variant, raw):
    with database.write() as session:
        saved, _ = submit(session, variant, key=f"key-{len(practice.submissions(session, variant))}", raw=raw)
    found = stored(database, variant)[-1]
    # A lone surrogate survives; two that belong together come back as the one character they spell.
    assert as_utf16(found.raw) == as_utf16(saved.raw) == as_utf16(raw)


def as_utf16(raw):
    return {key.encode("utf-16", "surrogatepass"): text.encode("utf-16", "surrogatepass") for key, text in raw.items()}


@pytest.mark.parametrize(
    "text", ["\0", "a\0b", "😀", "\ud83d", "\ude00\ud83d", "\u2212\u00a01,5\r\n", "\ufeff", "\x7f", "'; --"]
)
def test_the_texts_that_databases_dislike_come_back_the_same(database, variant, text):
    with database.write() as session:
        submit(session, variant, raw={"z1[1]": text})
    assert stored(database, variant)[0].raw == {"z1[1]": text}


@on_one_database
@given(numbers=st.dictionaries(anything, st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=4))
def test_numbers_survive_to_the_last_bit(database, variant, numbers):
    numbers = {key.encode("utf-8", "replace").decode(): value for key, value in numbers.items()}
    with database.write() as session:
        submit(session, variant, key=f"key-{len(practice.submissions(session, variant))}", numbers=numbers)
        assert repr(practice.submissions(session, variant)[-1].numbers) == repr(numbers)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_has_no_word_for_is_refused(database, variant, number):
    with pytest.raises(ValueError, match="JSON"), database.write() as session:
        submit(session, variant, numbers={"E": number})
    assert stored(database, variant) == ()


@pytest.mark.parametrize(("points", "out_of"), [(-1, 2), (3, 2), (0, 0), (math.nan, 1), (1, math.nan), (1, math.inf)])
def test_points_out_of_range_are_refused(database, variant, points, out_of):
    with pytest.raises(ValueError, match="Points"), database.write() as session:
        submit(session, variant, points=points, out_of=out_of)


@pytest.mark.parametrize("key", ["", "a b", "\0", "x" * 65, "\ud800"])
def test_a_key_that_no_form_of_ours_sends_is_refused(database, variant, key):
    with pytest.raises(ValueError, match="key is 1 to 64"), database.write() as session:
        submit(session, variant, key=key)


def test_a_variant_given_up_takes_no_more_submissions_but_repeats_earlier_answers(database, variant):
    with database.write() as session:
        first, _ = submit(session, variant, key="before")
        closed = practice.give_up(session, variant, now=NOW + 2 * SECOND)
    assert closed.given_up_at == NOW + 2 * SECOND
    with pytest.raises(practice.VariantClosedError, match="start a new one"), database.write() as session:
        submit(session, variant, key="after")
    with database.write() as session:
        assert submit(session, variant, key="before") == (first, False)
    assert len(stored(database, variant)) == 1


def test_giving_up_twice_counts_once(database, variant):
    with database.write() as session:
        first = practice.give_up(session, variant, now=NOW + 1)
        second = practice.give_up(session, first, now=NOW + 2)
    assert first == second
    with database.read() as session:
        assert practice.find_variant(session, variant.token, learner_id=variant.learner_id) == first


def test_a_submission_and_giving_up_at_once_never_leave_a_submission_after_the_solution(database, variant):
    def work(number):
        with database.write() as session:
            if number == 0:
                return practice.give_up(session, variant, now=NOW).given_up_at
            try:
                return submit(session, variant, key=f"key-{number}")[0].attempt
            except practice.VariantClosedError:
                return None

    results = at_once(8, work)[1:]
    attempts = sorted(attempt for attempt in results if attempt is not None)
    assert attempts == list(range(1, len(attempts) + 1))
    assert len(stored(database, variant)) == len(attempts)


def test_a_variant_that_is_not_stored_is_named(database, variant):
    gone = replace(variant, id=2**62)
    for work in (lambda session: submit(session, gone), lambda session: practice.give_up(session, gone, now=NOW)):
        with pytest.raises(LookupError, match=str(2**62)), database.write() as session:
            work(session)


def test_progress_of_a_beginner_is_empty(database, learner_id):
    with database.read() as session:
        assert practice.progress(session, learner_id) == practice.Progress(exercises=(), recent=())


def test_progress_tells_what_was_tried_how_well_and_when(database, learner_id):
    _, stranger = visit(database)
    with database.write() as session:
        serve(session, stranger.learner_id, exercise="hidden")
        solved = serve(session, learner_id, now=NOW)
        submit(session, solved, "a", points=2, now=NOW + 10)
        submit(session, solved, "b", points=1, now=NOW + 11)
        fresh = serve(session, learner_id, now=NOW + 20)
        closed = serve(session, learner_id, exercise="chain", now=NOW + 5)
        submit(session, closed, "a", points=0, now=NOW + 6)
        practice.give_up(session, closed, now=NOW + 30)
    with database.read() as session:
        found = practice.progress(session, learner_id)
    assert found.exercises == (
        practice.ExerciseProgress("chain", 1, 1, 0.0, solved_variants=0, last_worked_at=NOW + 30),
        practice.ExerciseProgress("mazur", 2, 2, 1.0, solved_variants=1, last_worked_at=NOW + 20),
    )
    assert [each.solved for each in found.exercises] == [False, True]
    assert found.recent == (
        practice.VariantProgress(fresh.token, "mazur", NOW + 20, None, 0, None, None, NOW + 20),
        practice.VariantProgress(closed.token, "chain", NOW + 5, NOW + 30, 1, 0.0, 0.0, NOW + 30),
        practice.VariantProgress(solved.token, "mazur", NOW, None, 2, 1.0, 0.5, NOW + 11),
    )
    assert [each.solved for each in found.recent] == [False, False, True]


def test_progress_takes_two_queries_however_much_was_done(database, learner_id):
    with database.write() as session:
        for number in range(30):
            submit(session, serve(session, learner_id, exercise=f"exercise-{number % 7}", now=NOW + number))
    statements = []
    with database.read() as session:
        event.listen(database.reader, "before_cursor_execute", lambda *words: statements.append(words[2]))
        found = practice.progress(session, learner_id, recent=5)
    assert len(statements) == 2
    assert len(found.exercises) == 7
    assert [each.created_at for each in found.recent] == [NOW + number for number in range(29, 24, -1)]


def test_what_is_rolled_back_was_never_submitted(database, variant):
    with database.write() as session:
        submit(session, variant)
        session.rollback()
    with database.write() as session:
        assert submit(session, variant)[0].attempt == 1
    assert len(stored(database, variant)) == 1


def test_checks_are_those_of_one_learner_from_a_moment_on(database, learner_id):
    other = visit(database)[1].learner_id
    with database.write() as session:
        mine, theirs = serve(session, learner_id), serve(session, other)
        for number in range(3):
            submit(session, mine, f"{number}", points=2, out_of=2, now=NOW + number * SECOND)
            submit(session, theirs, f"{number}", points=1, out_of=2, now=NOW + number * SECOND)
        for since, count in ((NOW, 3), (NOW + 1, 2), (NOW + 2 * SECOND, 1), (NOW + 2 * SECOND + 1, 0)):
            found = practice.checks(session, learner_id, since=since)
            assert [one.variant_id for one in found] == [mine.id] * count
            assert all(one.full and one.created_at >= since for one in found)
        assert not any(one.full for one in practice.checks(session, other, since=NOW))


def test_a_page_of_sheets_goes_on_where_the_one_before_ended(database, learner_id):
    other = visit(database)[1].learner_id
    with database.write() as session:
        tokens = [serve(session, learner_id, now=NOW + number).token for number in range(5)][::-1]
        serve(session, other)
        pages = [practice.sheets(session, learner_id, skip=skip, count=2) for skip in (0, 2, 4, 6)]
        assert [[one.token for one in page] for page in pages] == [tokens[:2], tokens[2:4], tokens[4:], []]


def test_what_is_hidden_is_neither_a_share_nor_solved_anywhere(database, learner_id):
    with database.write() as session:
        made = sets.create_set(session, title="Exam", items=[NewItem("mazur", "{}")], now=NOW)
        sets.assign(session, made, [learner_id], now=NOW)
        item = sets.open_set(session, made.token, learner_id=learner_id, now=NOW).items[0]
        drawn = {"seed": 1, "given": {}, "engine_version": "0", "now": NOW}
        submit(session, sets.start_item(session, learner_id, item, **drawn), points=2, out_of=2)
        for hidden, share in (((), 1), ((item.id,), None)):
            found = practice.progress(session, learner_id, hidden=hidden)
            told = [*found.recent, *practice.sheets(session, learner_id, skip=0, count=9, hidden=hidden)]
            assert [(one.best_share, one.latest_share, one.solved) for one in told] == [(share, share, share == 1)] * 2
            assert [(one.best_share, one.solved) for one in found.exercises] == [(share, share == 1)]
            assert [one.full for one in practice.checks(session, learner_id, since=NOW, hidden=hidden)] == [share == 1]
