"""Laws of a problem set's rules: exact at every boundary, for everybody by their own dates."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from quizprop.store import decisions, practice, regrading, sets
from quizprop.store.classroom import Member
from quizprop.store.decisions import ChosenItem
from quizprop.store.models import Assignment, table
from quizprop.store.practice import NoAttemptsLeftError, SetClosedError, VariantClosedError
from quizprop.store.rules import Policy, PolicyError, Terms, Window, Worth, best_of, is_here, is_password
from quizprop.store.sets import NewItem, NotBegunError
from tests.store.conftest import NOW, SECOND, at_once, submit, visit
from tests.store.test_sets import begin

HOUR = 3600 * SECOND
DUE = NOW + 10 * HOUR
LADDER = ((24 * HOUR, 0.8), (72 * HOUR, 0.5))


@pytest.fixture
def learner_id(database):
    return visit(database)[1].learner_id


def given_set(session, learner_id, *, items=1, attempts=None, due_at=DUE, same_numbers=False, **policy):
    made = sets.create_set(
        session,
        title="Exam",
        items=[NewItem("mazur", "{}", 2.0) for _ in range(items)],
        due_at=due_at,
        attempts=attempts,
        policy=Policy(**policy),
        same_numbers=same_numbers,
        now=NOW,
    )
    sets.assign(session, made, [learner_id], now=NOW)
    return made


def seen(session, made, learner_id, now=NOW):
    return sets.open_set(session, made.token, learner_id=learner_id, now=now)


def on_terms(session, made, learner_id, **terms):
    assignment = table(Assignment)
    session.execute(
        update(assignment).where(assignment.c.learner_id == learner_id, assignment.c.set_id == made.id).values(**terms)
    )


# --- late work ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "share"),
    [(0, 1), (1, 0.8), (24 * HOUR, 0.8), (24 * HOUR + 1, 0.5), (72 * HOUR, 0.5)],
)
def test_late_work_is_worth_what_its_rung_says_to_the_microsecond(database, learner_id, after, share):
    with database.write() as session:
        made = given_set(session, learner_id, late=LADDER)
        sheet = begin(session, learner_id, seen(session, made, learner_id).items[0])
        stored, _ = submit(session, sheet, points=1, out_of=2, now=DUE + after)
        assert stored.credit == pytest.approx(0.5 * share, abs=1e-15)
        of = seen(session, made, learner_id, DUE + after)
        assert (of.score, of.worth_now, of.past_due) == (pytest.approx(share), share, False)


def test_after_the_last_rung_nothing_is_taken(database, learner_id):
    with database.write() as session:
        made = given_set(session, learner_id, late=LADDER)
        sheet = begin(session, learner_id, seen(session, made, learner_id).items[0])
        with pytest.raises(SetClosedError):
            submit(session, sheet, now=DUE + 72 * HOUR + 1)
        assert seen(session, made, learner_id, DUE + 72 * HOUR + 1).past_due


@given(
    st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 100)), max_size=5),
    st.integers(-100, 1200),
)
def test_what_comes_later_is_never_worth_more(rungs, after):
    ladder = tuple(
        (time, share / 100)
        for (time, _), (_, share) in zip(
            sorted({time: 0 for time, _ in rungs}.items()), sorted(rungs, key=lambda one: -one[1]), strict=False
        )
    )
    policy = Policy(late=ladder)
    policy.check(DUE)
    window = Window.of(None, DUE, policy, Terms())
    now, later = window.share_at(DUE + after), window.share_at(DUE + after + 1)
    assert 1 >= now >= later >= 0
    assert (now == 1) >= (after <= 0)
    assert window.share_at(window.closes_at + 1) == (0.0 if ladder or after else window.share_at(DUE + 1))


def test_an_extension_moves_the_whole_ladder_for_one_student(database, learner_id):
    other = visit(database)[1].learner_id
    with database.write() as session:
        made = given_set(session, learner_id, late=LADDER)
        sets.assign(session, made, [other], now=NOW)
        on_terms(session, made, learner_id, due_at=DUE + 48 * HOUR)
        for learner, share in ((learner_id, 1), (other, 0.5)):
            sheet = begin(session, learner, seen(session, made, learner).items[0])
            assert submit(session, sheet, points=2, now=DUE + 48 * HOUR)[0].credit == share
        assert seen(session, made, learner_id).stored.due_at == DUE + 48 * HOUR
        assert seen(session, made, other).stored.due_at == DUE


# --- time limits, passwords -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("extra", "minutes"), [(0, 60), (0.25, 75), (1, 120)])
def test_a_time_limit_runs_from_the_beginning_and_ends_exactly(database, learner_id, extra, minutes):
    with database.write() as session:
        made = given_set(session, learner_id, due_at=None, time_limit=HOUR)
        on_terms(session, made, learner_id, extra_time=extra)
        of = seen(session, made, learner_id)
        assert of.to_begin
        with pytest.raises(NotBegunError):
            begin(session, learner_id, of.items[0])
        for moment in (NOW + 5, NOW + 500):  # begun twice, the first time counts
            sets.begin_set(session, of, learner_id=learner_id, now=moment)
        of = seen(session, made, learner_id)
        assert (of.to_begin, of.window.ends_at) == (False, NOW + 5 + minutes * 60 * SECOND)
        sheet = begin(session, learner_id, of.items[0])
        submit(session, sheet, "last", now=of.window.ends_at)
        with pytest.raises(SetClosedError, match="time"):
            submit(session, sheet, "late", now=of.window.ends_at + 1)


def test_a_time_limit_does_not_go_beyond_the_closing_date(database, learner_id):
    with database.write() as session:
        made = given_set(session, learner_id, time_limit=100 * HOUR)
        sets.begin_set(session, seen(session, made, learner_id), learner_id=learner_id, now=NOW)
        assert seen(session, made, learner_id).window.closes_at == DUE
        with pytest.raises(SetClosedError):
            sets.begin_set(session, seen(session, made, learner_id), learner_id=learner_id, now=DUE + 1)


def test_a_password_is_the_one_that_was_set_and_none_needs_none():
    assert is_password(Policy(), "anything")
    assert is_password(Policy(password="Bernoulli"), " Bernoulli ")
    assert not any(is_password(Policy(password="Bernoulli"), typed) for typed in ("", "bernoulli", "Bernoulli2", "é"))


@pytest.mark.parametrize(
    ("networks", "address", "here"),
    [
        (None, "203.0.113.9", True),
        ("192.0.2.0/24", "192.0.2.255", True),
        ("192.0.2.0/24", "192.0.3.0", False),
        ("192.0.2.0/24", "::ffff:192.0.2.7", True),
        ("192.0.2.0/24, 2001:db8::/32", "2001:db8::1", True),
        ("192.0.2.7", "192.0.2.7", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("192.0.2.0/24", None, False),
        ("192.0.2.0/24", "nonsense", False),
    ],
)
def test_a_network_lets_in_its_own_addresses_alone(networks, address, here):
    assert is_here(Policy(networks=networks), address) == here


# --- new numbers ----------------------------------------------------------------------------------------------------


def test_new_numbers_come_after_enough_attempts_and_the_attempts_count_on(database, learner_id):
    with database.write() as session:
        made = given_set(session, learner_id, fresh_after=2, attempts=3)
        item = seen(session, made, learner_id).items[0]
        first = begin(session, learner_id, item)
        submit(session, first, "one", points=1)
        assert begin(session, learner_id, item, seed=8, renew=True).id == first.id  # one attempt is too few
        submit(session, first, "two", points=0)
        second = begin(session, learner_id, item, seed=8, renew=True)
        assert second.id != first.id
        with pytest.raises(VariantClosedError):
            submit(session, first, "three")
        (item,) = seen(session, made, learner_id).items
        assert (item.variant_token, item.attempts, item.tries, item.sheets) == (second.token, 2, 0, 2)
        assert (item.best_share, item.attempts_left, item.state) == (0.5, 1, "in work")
        submit(session, second, "three", points=0)
        with pytest.raises(NoAttemptsLeftError):
            submit(session, second, "four")


def test_16_threads_on_two_sheets_of_one_item_spend_no_attempt_too_many(database, learner_id):
    """One half of them works at the old sheet while the other half asks for a new one and works at that."""
    with database.write() as session:
        made = given_set(session, learner_id, fresh_after=1, attempts=5)
        item = seen(session, made, learner_id).items[0]
        first = begin(session, learner_id, item)
        submit(session, first, "first", points=0)

    def work(number):
        try:
            with database.write() as session:
                sheet = first if number % 2 else begin(session, learner_id, item, seed=number, renew=True)
            with database.write() as session:
                submit(session, sheet, f"key-{number}", points=0)
        except (NoAttemptsLeftError, VariantClosedError) as error:
            return type(error)
        return True

    done = at_once(16, work)
    with database.read() as session:
        (item,) = seen(session, made, learner_id).items
    assert item.attempts == 1 + done.count(True) <= 5


def test_the_same_numbers_are_the_same_for_everybody_and_others_are_not(database, learner_id):
    other = visit(database)[1].learner_id
    with database.write() as session:
        seeds = {}
        for same in (True, False):
            made = given_set(session, learner_id, items=2, same_numbers=same)
            sets.assign(session, made, [other], now=NOW)
            works = [seen(session, made, learner) for learner in (learner_id, other)]
            seeds[same] = [[of.seed_for(item) for item in of.items] for of in works]
    assert seeds[True][0] == seeds[True][1]
    everything = list(itertools.chain(seeds[True][0], *seeds[False]))
    assert len(set(everything)) == len(everything)
    assert all(0 <= seed < 1 << 128 for seed in everything)


# --- feedback -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("feedback", "moment", "told"),
    [
        ("at once", NOW, True),
        ("after due", DUE + 72 * HOUR, False),
        ("after due", DUE + 72 * HOUR + 1, True),
        ("never", DUE + 1000 * HOUR, False),
    ],
)
def test_marks_are_told_when_the_rules_say_so_everywhere(database, learner_id, feedback, moment, told):
    with database.write() as session:
        made = given_set(session, learner_id, feedback=feedback, late=LADDER)
        sheet = begin(session, learner_id, seen(session, made, learner_id).items[0])
        submit(session, sheet, points=2, out_of=2)
        of = seen(session, made, learner_id, moment)
        hidden = sets.withheld_items(session, learner_id, moment)
        progress = practice.progress(session, learner_id, hidden=hidden)
        (row,) = practice.sheets(session, learner_id, skip=0, count=5, hidden=hidden)
        (check,) = practice.checks(session, learner_id, since=0, hidden=hidden)
    assert of.withheld == (not told)
    assert hidden == (frozenset() if told else frozenset({sheet.set_item_id}))
    expected = 1 if told else None
    assert [of.items[0].best_share, row.best_share, row.latest_share, progress.exercises[0].best_share] == [
        expected
    ] * 4
    assert (check.full, progress.exercises[0].solved, of.score) == (told, told, 2 if told else 0)
    assert of.items[0].attempts == 1


def test_who_teaches_sees_what_is_withheld(database, learner_id):
    with database.write() as session:
        made = given_set(session, learner_id, feedback="never")
        sheet = begin(session, learner_id, seen(session, made, learner_id).items[0])
        submit(session, sheet, points=1)
        assert [one.work.score for one in sets.results(session, made, now=NOW)] == [1]
        assert sets.stands_of(session, made, learner_id, NOW).score == 1


# --- a preview ------------------------------------------------------------------------------------------------------


def test_a_preview_keeps_no_date_and_no_limit_and_is_nobodys_result(database, learner_id):
    with database.write() as session:
        made = given_set(session, visit_in(session), attempts=1, time_limit=HOUR, password="x", feedback="never")
        sets.assign(session, made, [learner_id], now=NOW, preview=True)
        sheet = begin(session, learner_id, seen(session, made, learner_id, DUE * 2).items[0], now=DUE * 2)
        for number in range(3):
            submit(session, sheet, f"key-{number}", points=2, now=DUE * 2)
        of = seen(session, made, learner_id, DUE * 2)
        assert (of.withheld, of.past_due, of.score) == (False, False, 2)
        assert len(sets.results(session, made, now=NOW)) == 1
        sets.assign(session, made, [learner_id], now=NOW)  # now it is theirs to work
        assert not seen(session, made, learner_id).terms.preview


def visit_in(session):
    from quizprop.store import people

    return people.find_learner(session, people.start_session(session, now=NOW), now=NOW).learner_id


# --- what counts ----------------------------------------------------------------------------------------------------

WORTHS = st.lists(
    st.builds(
        Worth,
        st.sampled_from([None, "A", "B"]),
        st.integers(0, 10).map(float),
        st.integers(10, 20).map(float),
        st.booleans(),
    ),
    max_size=8,
)
COUNTS = st.dictionaries(st.sampled_from("AB"), st.integers(1, 4))


@given(WORTHS, COUNTS)
def test_of_a_group_the_best_count_and_nobody_loses_by_working_more(worths, counts):
    points, out_of = best_of(worths, counts)
    assert 0 <= points <= out_of or not worths
    for at, one in enumerate(worths):
        better = best_of([*worths[:at], replace(one, points=one.out_of), *worths[at + 1 :]], counts)
        assert better[0] >= points
        assert better[1] == out_of
    counting = [one for one in worths if not one.excused]
    chosen = max(
        (
            sum(one.points for one in some)
            for size in range(len(counting) + 1)
            for some in itertools.combinations(counting, size)
            if all(sum(one.zone == zone for one in some) <= count for zone, count in counts.items())
        ),
        default=0,
    )
    assert points == pytest.approx(chosen)


# --- what makes no sense --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy",
    [
        Policy(late=((HOUR, 0.5), (HOUR, 0.4))),
        Policy(late=((HOUR, 0.5), (2 * HOUR, 0.6))),
        Policy(late=((0, 0.5),)),
        Policy(late=((HOUR, 1.5),)),
        Policy(time_limit=0),
        Policy(fresh_after=0),
        Policy(feedback="sometimes"),
        Policy(hint_price=1.5),
        Policy(follow_credit=-0.1),
        Policy(networks="home"),
        Policy(best_of={"AB": 1}),
        Policy(best_of={"A": 0}),
    ],
)
def test_rules_that_make_no_sense_are_refused(sqlite, policy):
    with pytest.raises(PolicyError), sqlite.write() as session:
        sets.create_set(session, title="Bad", items=[NewItem("mazur", "{}")], due_at=DUE, policy=policy, now=NOW)


@pytest.mark.parametrize("policy", [Policy(late=LADDER), Policy(feedback="after due")])
def test_what_needs_a_due_date_is_refused_without_one(sqlite, policy):
    with pytest.raises(PolicyError, match="due date"), sqlite.write() as session:
        sets.create_set(session, title="Bad", items=[NewItem("mazur", "{}")], policy=policy, now=NOW)


def test_rules_are_stored_and_changed_as_they_were_said(database, learner_id):
    rules = {
        "late": LADDER,
        "time_limit": HOUR,
        "fresh_after": 3,
        "feedback": "after due",
        "hint_price": None,
        "follow_credit": 0.25,
        "password": "Bernoulli",
        "networks": "192.0.2.0/24",
        "best_of": {"A": 2},
    }
    with database.write() as session:
        made = given_set(session, learner_id, **rules)
        assert sets.find_set(session, made.token) == made
        said = {"title": "Exam", "words": "", "opens_at": None, "due_at": DUE, "attempts": 2}
        sets.change_set(session, made, **said, policy=Policy(hint_price=0.1))
        assert sets.find_set(session, made.token).policy == Policy(hint_price=0.1)


# --- judged again ---------------------------------------------------------------------------------------------------


def test_of_several_regrades_the_latest_counts_and_the_first_credit_stays(database, learner_id):
    with database.write() as session:
        made = given_set(session, learner_id)
        sheet = begin(session, learner_id, seen(session, made, learner_id).items[0])
        stored, _ = submit(session, sheet, points=1)
        for credit in (1.0, 0.25):
            regrading.add_regrades(session, [(stored.id, credit)], now=NOW)
        assert seen(session, made, learner_id).score == 0.5
        assert regrading.regrades_of(session, sheet) == {stored.id: 0.25}
        assert practice.submissions(session, sheet)[0].credit == 0.5


def test_new_numbers_are_others_even_where_everybody_has_the_same(database, learner_id):
    other = visit(database)[1].learner_id
    with database.write() as session:
        made = given_set(session, learner_id, same_numbers=True, fresh_after=1)
        sets.assign(session, made, [other], now=NOW)
        seeds = {learner_id: [], other: []}
        for whose, found in seeds.items():
            for number in range(3):
                of = seen(session, made, whose)
                found.append(of.seed_for(of.items[0]))
                sheet = begin(session, whose, of.items[0], seed=found[-1], renew=True)
                assert sheet.seed == found[-1]
                submit(session, sheet, f"{number}", points=0)
    assert seeds[learner_id] == seeds[other]
    assert len(set(seeds[other])) == 3


def test_each_new_sheet_has_to_be_tried_before_the_next_one(database, learner_id):
    with database.write() as session:
        made = given_set(session, learner_id, fresh_after=1)
        first = begin(session, learner_id, seen(session, made, learner_id).items[0])
        submit(session, first, points=0)
        second = begin(session, learner_id, seen(session, made, learner_id).items[0], seed=8, renew=True)
        assert second.id != first.id
        for seed in (9, 10):  # nothing was tried on the second
            assert begin(session, learner_id, seen(session, made, learner_id).items[0], seed=seed, renew=True) == second
        assert not seen(session, made, learner_id).may_renew(seen(session, made, learner_id).items[0])


def test_no_new_numbers_for_what_is_solved_given_up_or_closed(database, learner_id):
    with database.write() as session:
        made = given_set(session, learner_id, items=3, fresh_after=1)
        sheets = [begin(session, learner_id, item) for item in seen(session, made, learner_id).items]
        submit(session, sheets[0], points=2, out_of=2)
        submit(session, sheets[1], points=0)
        practice.give_up(session, sheets[1], now=NOW)
        submit(session, sheets[2], points=0)
        for now, may in ((DUE, [False, False, True]), (DUE + 1, [False] * 3)):
            of = seen(session, made, learner_id, now=now)
            assert [of.may_renew(item) for item in of.items] == may
        of = seen(session, made, learner_id)
        assert begin(session, learner_id, of.items[0], seed=8, renew=True).id == sheets[0].id
        assert begin(session, learner_id, of.items[2], seed=8, renew=True, now=DUE + 1).id == sheets[2].id


def test_points_that_are_decided_are_not_told_before_marks_are(database, learner_id):
    with database.write() as session:
        made = given_set(session, learner_id, feedback="never")
        item = seen(session, made, learner_id).items[0]
        submit(session, begin(session, learner_id, item), points=1)
        student = Member(0, learner_id, None, "student")
        chosen = ChosenItem(item.id, item.exercise, item.points, made)
        decisions.adjust(session, student, chosen, points=1.5, excused=False, reason="x", now=NOW)
        told = seen(session, made, learner_id)
        assert (told.items[0].best_share, told.items[0].best_credit, told.items[0].adjusted) == (None, None, None)
        assert (told.score, sets.stands_of(session, made, learner_id, NOW).score) == (0, 1.5)
