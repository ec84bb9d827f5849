"""A set allows so many attempts until such a moment, exactly; an item has one variant a learner."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from quizprop.store import practice, sets
from quizprop.store.models import Submission, Variant
from quizprop.store.practice import NoAttemptsLeftError, SetClosedError, VariantClosedError
from quizprop.store.rules import Policy
from quizprop.store.sets import AssignedSet, ItemWork, NewItem, Place, StoredSet
from tests.store.conftest import NOW, SECOND, at_once, submit, visit

OPENS, DUE = NOW, NOW + 100 * SECOND


@pytest.fixture
def learner_id(database):
    return visit(database)[1].learner_id


def homework(session, learner_id, *, items=2, **changes):
    """A set of that learner."""
    values = {"title": "Homework", "opens_at": OPENS, "due_at": DUE, "attempts": 3, "now": NOW, **changes}
    made = sets.create_set(session, items=[NewItem("mazur", "{}", at) for at in range(1, items + 1)], **values)
    assert sets.assign(session, made, [learner_id], now=NOW) == 1
    return sets.open_set(session, made.token, learner_id=learner_id, now=NOW)


def begin(session, learner_id, item, *, now=NOW, **changes):
    values = {"seed": 7, "given": {"eta": 0.5}, "engine_version": "0.1.0", **changes}
    return sets.start_item(session, learner_id, item, now=now, **values)


@pytest.fixture
def started(database, learner_id):
    """A variant of the first item of a set: three attempts."""
    with database.write() as session:
        return begin(session, learner_id, homework(session, learner_id).items[0])


def count(database, model):
    with database.read() as session:
        return session.execute(select(func.count()).select_from(model)).scalar_one()


# --- attempts -----------------------------------------------------------------------------------------------------


def test_as_many_attempts_as_the_set_allows_and_not_one_more(database, started):
    with database.write() as session:
        assert [submit(session, started, f"key-{at}")[0].attempt for at in range(3)] == [1, 2, 3]
        with pytest.raises(NoAttemptsLeftError, match="3 times"):
            submit(session, started, "key-3")


def test_a_repeated_key_is_answered_when_no_attempt_is_left_and_when_the_set_is_due(database, started):
    with database.write() as session:
        first, _ = submit(session, started, "key-0")
        for at in range(1, 3):
            submit(session, started, f"key-{at}")
        assert submit(session, started, "key-0") == (first, False)
        assert submit(session, started, "key-0", now=DUE + SECOND) == (first, False)


@pytest.mark.parametrize("allowed", [1, 3])
def test_16_threads_leave_exactly_the_attempts_that_are_allowed(database, learner_id, allowed):
    with database.write() as session:
        variant = begin(session, learner_id, homework(session, learner_id, attempts=allowed).items[0])

    def work(number):
        try:
            with database.write() as session:
                return submit(session, variant, f"key-{number}")[0].attempt
        except NoAttemptsLeftError:
            return 0

    assert sorted(at_once(16, work)) == [0] * (16 - allowed) + list(range(1, allowed + 1))
    assert count(database, Submission) == allowed


def test_without_a_limit_attempts_go_on(database, learner_id):
    with database.write() as session:
        variant = begin(session, learner_id, homework(session, learner_id, attempts=None).items[0])
        assert [submit(session, variant, f"key-{at}")[0].attempt for at in range(9)][-1] == 9


def test_each_item_has_attempts_of_its_own(database, learner_id):
    with database.write() as session:
        for item in homework(session, learner_id, attempts=1).items:
            assert submit(session, begin(session, learner_id, item))[1]


# --- time ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [OPENS, DUE])
def test_the_first_and_the_last_microsecond_are_in_time(database, started, moment):
    with database.write() as session:
        assert submit(session, started, now=moment)[0].created_at == moment


@pytest.mark.parametrize(("moment", "why"), [(OPENS - 1, "not open yet"), (DUE + 1, "past due")])
def test_a_microsecond_early_or_late_is_not(database, started, moment, why):
    with database.write() as session:
        with pytest.raises(SetClosedError, match=why):
            submit(session, started, now=moment)
        assert practice.submissions(session, started) == ()


@pytest.mark.parametrize(("moment", "why"), [(OPENS - 1, "not open yet"), (DUE + 1, "past due")])
def test_an_item_is_started_in_time_or_not_at_all(database, learner_id, moment, why):
    with database.write() as session:
        item = homework(session, learner_id).items[0]
        with pytest.raises(SetClosedError, match=why):
            begin(session, learner_id, item, now=moment)
    assert count(database, Variant) == 0


def test_what_was_started_in_time_is_found_again_when_the_set_is_due(database, learner_id, started):
    with database.write() as session:
        item = sets.find_place(session, started, now=DUE + 1).item
        assert begin(session, learner_id, item, now=DUE + 1) == started


def test_another_date_holds_from_the_moment_it_is_set(database, started):
    with database.write() as session:
        of = sets.find_place(session, started, now=NOW).of
        sets.move_due(session, of.stored, DUE + 1)
        assert submit(session, started, "later", now=DUE + 1)[1]
        sets.move_due(session, of.stored, None)
        assert submit(session, started, "much-later", now=DUE * 2)[1]
        with pytest.raises(ValueError, match="due after it opens"):
            sets.move_due(session, of.stored, OPENS)


# --- one variant a learner and item -------------------------------------------------------------------------------


def test_16_clicks_start_an_item_once(database, learner_id):
    with database.write() as session:
        item = homework(session, learner_id).items[0]

    def work(number):
        with database.write() as session:
            return begin(session, learner_id, item, seed=number)

    assert len({variant.token for variant in at_once(16, work)}) == 1
    assert count(database, Variant) == 1


def test_every_learner_and_every_item_has_numbers_of_its_own(database, learner_id):
    _, other = visit(database)
    with database.write() as session:
        mine = homework(session, learner_id)
        assert sets.assign(session, mine.stored, [learner_id, other.learner_id], now=NOW) == 1
        started = {begin(session, who, item).token for who in (learner_id, other.learner_id) for item in mine.items}
    assert len(started) == 4


def test_nobody_starts_or_opens_a_set_that_is_not_theirs(database, learner_id):
    _, stranger = visit(database)
    with database.write() as session:
        mine = homework(session, learner_id)
        with pytest.raises(sets.NotAssignedError):
            begin(session, stranger.learner_id, mine.items[0])
        assert sets.open_set(session, mine.stored.token, learner_id=stranger.learner_id, now=NOW) is None
        assert sets.sets_of(session, stranger.learner_id, NOW) == ()


@pytest.mark.parametrize("token", ["", "\0", "\ud800", "' OR 1=1 --", "x" * 10_000, "tokén"])
def test_a_token_that_was_never_given_out_opens_nothing(database, learner_id, token):
    with database.write() as session:
        homework(session, learner_id)
        assert sets.open_set(session, token, learner_id=learner_id, now=NOW) is None


def test_16_threads_assign_a_set_once(database, learner_id):
    with database.write() as session:
        made = sets.create_set(session, title="Race", items=[NewItem("mazur", "{}")], now=NOW)

    def work(_number):
        with database.write() as session:
            return sets.assign(session, made, [learner_id], now=NOW)

    assert sorted(at_once(16, work)) == [0] * 15 + [1]


def test_a_visitor_is_known_to_have_sets_once_one_is_assigned(database):
    from quizprop.store import people

    token, visitor = visit(database)
    assert not visitor.has_sets
    with database.write() as session:
        homework(session, visitor.learner_id)
        assert people.find_learner(session, token, now=NOW).has_sets


# --- how far it is ------------------------------------------------------------------------------------------------


def test_the_state_of_an_item_follows_the_work(database, learner_id):
    def state():
        return sets.open_set(session, token, learner_id=learner_id, now=NOW).items[0]

    with database.write() as session:
        token = homework(session, learner_id).stored.token
        assert (state().state, state().best_share, state().attempts_left) == ("not started", None, 3)
        variant = begin(session, learner_id, state())
        assert (state().state, state().variant_token) == ("in work", variant.token)
        submit(session, variant, "half", points=1)
        submit(session, variant, "nothing", points=0)
        assert (state().state, state().best_share, state().attempts_left) == ("in work", 0.5, 1)
        submit(session, variant, "quarter", points=0.5)
        assert (state().state, state().best_share, state().attempts_left) == ("used up", 0.5, 0)


def test_full_marks_with_the_last_attempt_are_solved_not_used_up(database, learner_id):
    with database.write() as session:
        work = homework(session, learner_id, attempts=1)
        submit(session, begin(session, learner_id, work.items[0]), points=2)
        assert sets.sets_of(session, learner_id, NOW)[0].items[0].state == "solved"


def test_giving_up_ends_an_item_and_keeps_its_best_share(database, learner_id, started):
    with database.write() as session:
        submit(session, started, points=1)
        practice.give_up(session, started, now=NOW + SECOND)
        item = sets.sets_of(session, learner_id, NOW)[0].items[0]
        assert (item.state, item.score, item.attempts_left) == ("given up", 0.5, 2)
        with pytest.raises(VariantClosedError):
            submit(session, started, "after")


def test_a_sheet_knows_its_place(database, learner_id, started):
    with database.write() as session:
        place = sets.find_place(session, started, now=NOW)
        assert (place.of.stored.title, place.item.position, place.next_item.position) == ("Homework", 1, 2)
        second = begin(session, learner_id, place.next_item)
        assert sets.find_place(session, second, now=NOW).next_item.position == 1  # after the last the first again
        assert sets.find_place(session, replace(second, set_item_id=None), now=NOW) is None


def test_what_is_open_comes_first_by_its_date_and_what_is_over_last(database, learner_id):
    with database.write() as session:
        for title, opens, due in (
            ("late", None, NOW + 9 * SECOND),
            ("any time", None, None),
            ("soon", None, NOW),
            ("over", None, NOW - 1),
            ("long over", None, NOW - SECOND),
            ("to come", NOW + 1, None),
        ):
            homework(session, learner_id, title=title, opens_at=opens, due_at=due)
        found = [(one.stored.title, one.state) for one in sets.sets_of(session, learner_id, NOW)]
    assert found == [
        ("soon", "open"),
        ("late", "open"),
        ("any time", "open"),
        ("to come", "not open yet"),
        ("over", "past due"),
        ("long over", "past due"),
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.1, 1, 2.5, 10]),
            st.none() | st.floats(0, 1),
            st.integers(0, 5),
            st.none() | st.integers(1, 5),
            st.none() | st.just(NOW),
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(-1, 1),
)
def test_the_score_is_points_by_best_share_and_what_is_over_is_never_next(rows, late):
    items = tuple(
        ItemWork(
            *(at, at, "mazur", "{}", points, allowed, "token" if share is not None else None, given_up, used, share),
            best_credit=share,
        )
        for at, (points, share, used, allowed, given_up) in enumerate(rows, 1)
    )
    work = AssignedSet(StoredSet(1, "token", "Homework", "", None, DUE, None, NOW), items, DUE + late)
    assert 0 <= work.score <= work.out_of
    assert work.score == pytest.approx(sum(points * (share or 0) for points, share, *_ in rows))
    assert (work.score == work.out_of) == all(item.state == "solved" for item in items) or work.score > 0
    assert work.past_due == (late == 1)
    assert (work.next_item is None) == (work.state == "done") == all(item.over for item in items)
    for item in items:
        following = Place(work, item).next_item
        assert following is None or (not following.over and following is not item)
        assert item.attempts_left is None or 0 <= item.attempts_left <= item.allowed


# --- making one ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"items": []}, "at least one item"),
        ({"items": [NewItem("mazur", "{}", 0)]}, "above 0"),
        ({"items": [NewItem("mazur", "{}", float("inf"))]}, "above 0"),
        ({"attempts": 0}, "1 attempt or more"),
        ({"opens_at": NOW, "due_at": NOW}, "due after it opens"),
    ],
)
def test_a_set_that_could_not_be_worked_is_refused(sqlite, changes, why):
    with pytest.raises(ValueError, match=why), sqlite.write() as session:
        sets.create_set(session, **{"title": "Bad", "items": [NewItem("mazur", "{}")], "now": NOW, **changes})


def test_a_set_is_found_by_its_token_or_its_title_if_that_is_its_own(sqlite):
    with sqlite.write() as session:
        one, two = (sets.create_set(session, title=title, items=[NewItem("mazur", "{}")], now=NOW) for title in "ab")
        assert sets.all_sets(session) == (two, one)
        assert sets.find_set(session, one.token) == sets.find_set(session, "a") == one
        sets.create_set(session, title="a", items=[NewItem("mazur", "{}")], now=NOW)
        with pytest.raises(sets.UnknownSetError, match="2 problem sets"):
            sets.find_set(session, "a")
        with pytest.raises(sets.UnknownSetError, match="short name or the title 'c'"):
            sets.find_set(session, "c")


def test_results_tell_of_everybody_in_the_order_of_names(database, learner_id):
    from quizprop.store import people

    with database.write() as session:
        bob, ada = (
            people.add_user(session, username=name, password_hash=people.PasswordHash("-"), now=NOW)
            for name in ("bob", "Ada")
        )
        work = homework(session, ada)
        sets.assign(session, work.stored, [bob], now=NOW)
        submit(session, begin(session, bob, work.items[1]), points=2)
        told = [(one.username, one.work.score) for one in sets.results(session, work.stored, now=NOW)]
    assert told == [("Ada", 0), ("bob", 2)]


def test_a_change_of_one_set_leaves_all_others_as_they_are(database, learner_id):
    with database.write() as session:
        homework(session, learner_id, title="One")
        homework(session, learner_id, title="Two", attempts=5)
        one, two = sets.find_set(session, "One"), sets.find_set(session, "Two")
        sets.move_due(session, one, DUE + 1)
        assert (sets.find_set(session, "One").due_at, sets.find_set(session, "Two")) == (DUE + 1, two)
        said = {"title": "First", "words": "", "opens_at": None, "due_at": None, "attempts": 1}
        sets.change_set(session, one, **said, policy=Policy(follow_credit=0))
        assert sets.find_set(session, "Two") == two
        changed = sets.find_set(session, "First")
        assert changed == replace(one, **said, policy=Policy(follow_credit=0))


def test_who_begins_a_set_begins_no_other_and_for_nobody_else(database, learner_id):
    other = visit(database)[1].learner_id
    with database.write() as session:
        timed = {"policy": Policy(time_limit=60 * SECOND)}
        of, beside = homework(session, learner_id, title="One", **timed), homework(session, learner_id, **timed)
        sets.assign(session, of.stored, [other], now=NOW)
        sets.begin_set(session, of, learner_id=learner_id, now=NOW)

        def began(whose, one):
            return sets.open_set(session, one.stored.token, learner_id=whose, now=NOW).terms.started_at

        assert (began(learner_id, of), began(learner_id, beside), began(other, of)) == (NOW, None, None)


def test_begun_twice_the_first_time_counts(database, learner_id):
    with database.write() as session:
        of = homework(session, learner_id, policy=Policy(time_limit=60 * SECOND))
        for later in (0, 30 * SECOND):
            sets.begin_set(session, of, learner_id=learner_id, now=NOW + later)
        found = sets.open_set(session, of.stored.token, learner_id=learner_id, now=NOW)
        assert (found.terms.started_at, found.window.ends_at) == (NOW, NOW + 60 * SECOND)


@pytest.mark.parametrize("what", ["nothing", "begun", "an item", "a date of its own"])
def test_a_set_is_taken_only_from_who_has_done_nothing_of_it(database, learner_id, what):
    other = visit(database)[1].learner_id
    with database.write() as session:
        of = homework(session, learner_id, policy=Policy(time_limit=60 * SECOND))
        sets.assign(session, of.stored, [other], now=NOW)
        if what == "begun":
            sets.begin_set(session, of, learner_id=learner_id, now=NOW)
        if what == "an item":
            begin(session, learner_id, of.items[0], ahead=True)
        if what == "a date of its own":
            from sqlalchemy import update

            from quizprop.store.models import Assignment

            session.execute(update(Assignment).where(Assignment.learner_id == learner_id).values(due_at=DUE + 1))
        begin(session, other, of.items[0], ahead=True)  # what others did keeps nobody from it
        sets.leave_untouched(session, of.stored, learner_id)
        kept = sets.open_set(session, of.stored.token, learner_id=learner_id, now=NOW)
        assert (kept is None) == (what == "nothing")
        assert sets.open_set(session, of.stored.token, learner_id=other, now=NOW) is not None


def test_trying_out_one_set_ends_with_that_set_and_for_that_learner(database, learner_id):
    other = visit(database)[1].learner_id
    with database.write() as session:
        tried, also = (
            sets.create_set(session, title=title, items=[NewItem("mazur", "{}")], now=NOW) for title in ("One", "Two")
        )
        for one in (tried, also):
            sets.assign(session, one, [learner_id, other], now=NOW, preview=True)
        sheets = {
            (whose, one.token): begin(
                session, whose, sets.open_set(session, one.token, learner_id=whose, now=NOW).items[0]
            )
            for whose in (learner_id, other)
            for one in (tried, also)
        }
        sets.assign(session, tried, [learner_id], now=NOW)  # theirs to work from now on

        def stands(whose, one):
            of = sets.open_set(session, one.token, learner_id=whose, now=NOW)
            found = practice.find_variant(session, sheets[whose, one.token].token, learner_id=whose)
            return of.terms.preview, of.items[0].sheets, found.set_item_id is not None

        assert stands(learner_id, tried) == (False, 0, False)
        for whose, one in ((learner_id, also), (other, tried), (other, also)):
            assert stands(whose, one) == (True, 1, True)


def test_who_has_a_set_already_keeps_it_with_all_that_was_done(database, learner_id):
    with database.write() as session:
        of = homework(session, learner_id)
        submit(session, begin(session, learner_id, of.items[0]), points=1)
        before = sets.open_set(session, of.stored.token, learner_id=learner_id, now=NOW)
        assert sets.assign(session, of.stored, [learner_id], now=NOW) == 0
        assert sets.open_set(session, of.stored.token, learner_id=learner_id, now=NOW) == before
        assert before.items[0].attempts == 1


def test_other_items_replace_those_of_this_set_alone(database, learner_id):
    with database.write() as session:
        elsewhere = homework(session, learner_id, title="Another")
        kept = begin(session, learner_id, elsewhere.items[0])
        made = sets.create_set(session, title="Draft", items=[NewItem("mazur", "{}")], now=NOW)
        sets.assign(session, made, [learner_id], now=NOW, preview=True)
        tried = begin(session, learner_id, sets.open_set(session, made.token, learner_id=learner_id, now=NOW).items[0])
        sets.replace_items(session, made, [NewItem("mazur-like", "{}", 3)])
        assert [one.exercise for one in sets.items_of(session, made)] == ["mazur-like"]
        assert len(sets.items_of(session, elsewhere.stored)) == 2
        assert practice.find_variant(session, kept.token, learner_id=learner_id) == kept
        assert practice.find_variant(session, tried.token, learner_id=learner_id).set_item_id is None
        sets.assign(session, made, [learner_id], now=NOW)
        with pytest.raises(ValueError, match="its exercises stay"):
            sets.replace_items(session, made, [NewItem("mazur", "{}")])


def test_what_is_typed_waits_to_be_checked_until_it_is_or_nothing_can_be_any_more(database, learner_id):
    from quizprop.store import drafts

    with database.write() as session:
        of = homework(session, learner_id, attempts=1)
        sheet = begin(session, learner_id, of.items[0])

        def waits():
            return sets.open_set(session, of.stored.token, learner_id=learner_id, now=NOW).items[0].unchecked_at

        assert waits() is None
        save = {"raw": {"z1[1]": "1"}, "decimal_comma": False}
        drafts.save_draft(session, sheet, base=0, key="one", **save, now=NOW + 1)
        assert waits() == NOW + 1
        submit(session, sheet, points=1, now=NOW + 2)  # the only attempt
        drafts.save_draft(session, sheet, base=1, key="two", **save, now=NOW + 3)
        assert waits() is None
        assert OPENS < NOW + 3 < DUE


def test_after_an_item_comes_the_next_one_that_is_left_and_after_the_last_the_first(database, learner_id):
    with database.write() as session:
        of = homework(session, learner_id, items=4)
        sheets = [begin(session, learner_id, item) for item in of.items]
        practice.give_up(session, sheets[2], now=NOW)
        after = [sets.find_place(session, sheet, now=NOW).next_item.position for sheet in sheets]
        assert after == [2, 4, 4, 1]


@pytest.mark.parametrize("changes", [{"attempts": 0}, {"due_at": OPENS}, {"due_at": OPENS - 1}])
def test_no_change_makes_a_set_that_could_not_be_worked(database, learner_id, changes):
    with database.write() as session:
        of = homework(session, learner_id).stored
        said = {"title": "T", "words": "", "opens_at": OPENS, "due_at": DUE, "attempts": 3, **changes}
        with pytest.raises(ValueError, match=r"attempt|due after"):
            sets.change_set(session, of, **said)
        with pytest.raises(ValueError, match="due date"):
            sets.change_set(session, of, **{**said, "attempts": 3, "due_at": None}, policy=Policy(feedback="after due"))
        assert sets.find_set(session, of.title) == of


def test_a_set_whose_rules_need_a_due_date_keeps_one(database, learner_id):
    with database.write() as session:
        of = homework(session, learner_id).stored
    for policy in (Policy(feedback="after due"), Policy(late=((60_000_000, 0.5),))):
        with database.write() as session, pytest.raises(ValueError, match="due date"):
            sets.move_due(session, replace(of, policy=policy), None)
