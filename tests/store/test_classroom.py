"""Laws of courses: who is in, who has which problem set, and what the gradebook says of it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, select, update

from quizprop.store import classroom, decisions, handed_in, own_data, people, practice, sets
from quizprop.store.classroom import CourseTitleError, LastInstructorError, NoSuchCourseError
from quizprop.store.models import Assignment, CourseMember
from quizprop.store.people import PasswordHash
from quizprop.store.rules import Policy
from quizprop.store.sets import NewItem
from tests.store.conftest import NOW, SECOND, at_once, submit

HASH = PasswordHash("not compared here")


def person(session, name):
    return people.add_user(session, username=name, password_hash=HASH, now=NOW)


def homework(session, title="Week 1", points=(2.0, 3.0)):
    items = [NewItem("mazur", "{}", each) for each in points]
    return sets.create_set(session, title=title, items=items, now=NOW)


@pytest.fixture
def teacher(database):
    """The seat of somebody who teaches a course."""
    with database.write() as session:
        grace = person(session, "Grace")
        return classroom.create_course(session, title="  Deep   learning ", learner_id=grace, now=NOW)


def test_who_makes_a_course_teaches_it_and_nobody_else_has_a_place(database, teacher):
    with database.write() as session:
        other = person(session, "Eve")
    with database.read() as session:
        assert classroom.take_seat(session, teacher.course.token, learner_id=teacher.learner_id) == teacher
        assert classroom.courses_of(session, teacher.learner_id) == (teacher,)
        assert classroom.take_seat(session, teacher.course.token, learner_id=other) is None
        assert classroom.take_seat(session, "a\0b", learner_id=teacher.learner_id) is None
    assert teacher.course.title == "Deep learning"
    assert (teacher.teaches, teacher.sees_work) == (True, True)


@pytest.mark.parametrize("title", ["", " \0 ", "x" * 201])
def test_a_course_has_a_title(database, teacher, title):
    with pytest.raises(CourseTitleError), database.write() as session:
        classroom.create_course(session, title=title, learner_id=teacher.learner_id, now=NOW)


def test_the_code_lets_in_however_it_is_typed(database, teacher):
    code = teacher.course.join_code
    typed = f" {code[:4].lower()}-{code[4:]} "
    with database.write() as session:
        ada = person(session, "Ada")
        seat = classroom.join(session, typed, learner_id=ada, now=NOW)
        assert (seat.role, seat.teaches, seat.sees_work) == ("student", False, False)
        assert classroom.join(session, code, learner_id=ada, now=NOW) == seat
        assert len(classroom.members(session, teacher)) == 2


@pytest.mark.parametrize("code", ["", "WRONGONE", "é" * 8, "a\0b"])
def test_no_other_code_does(database, teacher, code):
    with pytest.raises(NoSuchCourseError), database.write() as session:
        classroom.join(session, code, learner_id=teacher.learner_id, now=NOW)


def test_an_old_code_lets_nobody_in(database, teacher):
    with database.write() as session:
        ada, fresh = person(session, "Ada"), classroom.new_join_code(session, teacher)
    with pytest.raises(NoSuchCourseError), database.write() as session:
        classroom.join(session, teacher.course.join_code, learner_id=ada, now=NOW)
    with database.write() as session:
        assert classroom.join(session, fresh, learner_id=ada, now=NOW).role == "student"


def test_students_have_the_problem_sets_whether_they_come_before_or_after(database, teacher):
    with database.write() as session:
        early, late = person(session, "Early"), person(session, "Late")
        classroom.join(session, teacher.course.join_code, learner_id=early, now=NOW)
        made = homework(session)
        assert classroom.add_set(session, teacher, made, now=NOW) == 1
        assert classroom.add_set(session, teacher, made, now=NOW) == 0
        classroom.join(session, teacher.course.join_code, learner_id=late, now=NOW)
    with database.read() as session:
        assert classroom.sets_in(session, teacher.course) == (made,)
        for learner in (early, late):
            assert [one.stored for one in sets.sets_of(session, learner, NOW)] == [made]
        assert sets.sets_of(session, teacher.learner_id, NOW) == ()


def test_coming_and_giving_at_the_same_moment_leave_nobody_without(database, teacher):
    """Whoever is first, each student ends with each set: one of the two sees what the other did."""
    with database.write() as session:
        learners = [person(session, f"Student {number}") for number in range(6)]
        made = [homework(session, f"Week {number}") for number in range(6)]

    def work(number):
        with database.write() as session:
            if number % 2:
                classroom.add_set(session, teacher, made[number // 2], now=NOW)
            else:
                classroom.join(session, teacher.course.join_code, learner_id=learners[number // 2], now=NOW)

    at_once(12, work)
    with database.read() as session:
        assert {one.id for one in classroom.sets_in(session, teacher.course)} == {one.id for one in made}
        given = session.execute(select(Assignment.learner_id, Assignment.set_id)).all()
    assert sorted(map(tuple, given)) == sorted((who, one.id) for who in learners for one in made)


def test_a_course_keeps_somebody_who_teaches_it(database, teacher):
    def own(session):
        return next(one for one in classroom.members(session, teacher) if one.role == "instructor")

    for change in (
        lambda session: classroom.remove(session, teacher, own(session).id, now=NOW),
        lambda session: classroom.set_role(session, teacher, own(session).id, "student", now=NOW),
    ):
        with pytest.raises(LastInstructorError), database.write() as session:
            change(session)
    with database.write() as session:
        ada = classroom.join(session, teacher.course.join_code, learner_id=person(session, "Ada"), now=NOW)
        (member,) = (one for one in classroom.members(session, teacher) if one.username == "Ada")
        first = own(session)
        assert classroom.set_role(session, teacher, member.id, "instructor", now=NOW)
        assert classroom.remove(session, teacher, first.id, now=NOW)
        assert [one.learner_id for one in classroom.members(session, teacher)] == [ada.learner_id]


def test_of_two_instructors_who_leave_at_the_same_moment_one_stays(database, teacher):
    with database.write() as session:
        classroom.join(session, teacher.course.join_code, learner_id=person(session, "Ada"), now=NOW)
        for one in classroom.members(session, teacher):
            classroom.set_role(session, teacher, one.id, "instructor", now=NOW)
        both = [one.id for one in classroom.members(session, teacher)]

    def leave(number):
        try:
            with database.write() as session:
                return classroom.remove(session, teacher, both[number], now=NOW)
        except LastInstructorError:
            return False

    assert sorted(at_once(2, leave)) == [False, True]


def test_nobody_has_the_number_of_somebody_who_is_gone(database, teacher):
    """An open page of the course would mean another, and the record would tell of another."""
    with database.write() as session:
        alice = classroom.join(session, teacher.course.join_code, learner_id=person(session, "Alice"), now=NOW)
        (first,) = (one for one in classroom.members(session, teacher) if one.username == "Alice")
        classroom.remove(session, teacher, first.id, now=NOW)
        own_data.delete_learner(session, alice.learner_id)
    with database.write() as session:
        mallory = classroom.join(session, teacher.course.join_code, learner_id=person(session, "Mallory"), now=NOW)
        (second,) = (one for one in classroom.members(session, teacher) if one.username == "Mallory")
    assert mallory.learner_id > alice.learner_id
    assert second.id > first.id


def test_who_is_taken_out_and_back_has_the_extra_time_still(database, teacher):
    with database.write() as session:
        classroom.add_set(session, teacher, homework(session), now=NOW)
        seats = [
            classroom.join(session, teacher.course.join_code, learner_id=person(session, name), now=NOW)
            for name in ("Ada", "Bob")
        ]
        ada, bob = (one for one in classroom.members(session, teacher) if one.role == "student")
        said = {"name": "", "section": "", "external_id": ""}
        decisions.change_student(session, teacher, ada, **said, extra_time=0.5)
        session.execute(update(Assignment).values(started_at=NOW))  # an exam that runs
        for one in (ada, bob):
            classroom.remove(session, teacher, one.id, now=NOW)
        assert set(session.execute(select(Assignment.left_at)).scalars()) == {NOW}
        for seat in seats:
            classroom.join(session, teacher.course.join_code, learner_id=seat.learner_id, now=NOW)
    with database.read() as session:
        back = [one for one in classroom.members(session, teacher) if one.role == "student"]
        assert [(one.username, one.extra_time) for one in back] == [("Ada", 0.5), ("Bob", 0.0)]
        assert session.execute(select(Assignment.extra_time).order_by(Assignment.id)).scalars().all() == [0.5, 0.0]
        assert set(session.execute(select(Assignment.left_at)).scalars()) == {None}


def test_extra_time_holds_for_a_set_that_is_published_at_the_same_moment(database, teacher):
    with database.write() as session:
        classroom.join(session, teacher.course.join_code, learner_id=person(session, "Ada"), now=NOW)
        (ada,) = (one for one in classroom.members(session, teacher) if one.username == "Ada")
    with database.write() as session:
        made = homework(session)
        classroom.add_set(session, teacher, made, now=NOW, draft=True)

    def change():
        with database.write() as session:
            said = {"name": "", "section": "", "external_id": ""}
            decisions.change_student(session, teacher, ada, **said, extra_time=0.5)

    with ThreadPoolExecutor() as pool:
        with database.write() as session:
            classroom.publish(session, teacher, made, now=NOW)
            changing = pool.submit(change)
            with pytest.raises(TimeoutError):  # it waits for the set that it has to know of
                changing.result(0.5)
        changing.result(10)
    with database.read() as session:
        assert session.execute(select(Assignment.extra_time)).scalars().all() == [0.5]


def test_a_member_of_another_course_is_out_of_reach(database, teacher):
    with database.write() as session:
        eve = classroom.create_course(session, title="Another", learner_id=person(session, "Eve"), now=NOW)
        (theirs,) = classroom.members(session, teacher)
        assert not classroom.remove(session, eve, theirs.id, now=NOW)
        assert not classroom.set_role(session, eve, theirs.id, "student", now=NOW)
        assert len(session.execute(select(CourseMember)).all()) == 2


def test_who_becomes_a_student_gets_the_sets(database, teacher):
    with database.write() as session:
        ada = person(session, "Ada")
        classroom.join(session, teacher.course.join_code, learner_id=ada, now=NOW)
        (member,) = (one for one in classroom.members(session, teacher) if one.learner_id == ada)
        classroom.set_role(session, teacher, member.id, "grader", now=NOW)
        classroom.add_set(session, teacher, homework(session), now=NOW)
        assert sets.sets_of(session, ada, NOW) == ()
        classroom.set_role(session, teacher, member.id, "student", now=NOW)
        assert len(sets.sets_of(session, ada, NOW)) == 1


@pytest.fixture
def worked(database, teacher):
    """A course with three students: one with two attempts at the first item, one who started it, one with nothing."""
    with database.write() as session:
        made = homework(session)
        classroom.add_set(session, teacher, made, now=NOW)
        found = {}
        for name in ("Ada", "Bob", "Cyd"):
            found[name] = person(session, name)
            classroom.join(session, teacher.course.join_code, learner_id=found[name], now=NOW)
        sheets = {}
        for name in ("Ada", "Bob"):
            (work,) = sets.sets_of(session, found[name], NOW)
            rest = {"seed": 1, "given": {}, "engine_version": "0", "now": NOW}
            sheets[name] = sets.start_item(session, found[name], work.items[0], **rest)
        mark = {"verdict": "correct", "codes": []}
        for number, points in enumerate((1.5, 1)):
            marks = {"z1[1]": mark}
            submit(session, sheets["Ada"], f"try{number}", points=points, marks=marks, now=NOW + number * SECOND)
    return found, sheets


def test_the_gradebook_has_the_best_attempt_of_everybody(database, teacher, worked):
    learners, sheets = worked
    with database.read() as session:
        book = classroom.gradebook(session, teacher)
    first, second = book.columns
    ada, bob, cy = book.students
    assert [one.username for one in book.students] == ["Ada", "Bob", "Cyd"]
    assert (book.points(ada, first), book.points(ada, second)) == (2 * 1.5 / 2, None)
    assert (book.points(bob, first), book.points(cy, first)) == (None, None)
    assert (book.total(ada), book.total(bob), book.out_of) == ((1.5, 5), (0, 5), 5)
    assert (book.mean_share(first), book.mean_share(second)) == (0.75, None)
    assert book.scores[bob.learner_id, first.item_id].variant_token == sheets["Bob"].token
    assert book.scores[learners["Ada"], first.item_id].attempts == 2


def test_of_sheets_with_new_numbers_the_one_that_earned_most_is_named_and_all_are_found(database, teacher):
    drawn = {"seed": 1, "given": {}, "engine_version": "0", "now": NOW}
    with database.write() as session:
        items, policy = [NewItem("mazur", "{}", 2.0), NewItem("mazur", "{}", 3.0)], Policy(fresh_after=1)
        made = sets.create_set(session, title="Week 1", items=items, policy=policy, now=NOW)
        classroom.add_set(session, teacher, made, now=NOW)
        ada = person(session, "Ada")
        classroom.join(session, teacher.course.join_code, learner_id=ada, now=NOW)
        sheets = []
        for points in (0.5, 1, 1, 0.25):
            (work,) = sets.sets_of(session, ada, NOW)
            sheets.append(sets.start_item(session, ada, work.items[0], renew=True, **drawn))
            submit(session, sheets[-1], points=points)
        sheets.append(sets.start_item(session, ada, sets.sets_of(session, ada, NOW)[0].items[0], renew=True, **drawn))
        other = sets.start_item(session, ada, work.items[1], **drawn)
        bob = person(session, "Bob")
        classroom.join(session, teacher.course.join_code, learner_id=bob, now=NOW)
        his = sets.start_item(session, bob, sets.sets_of(session, bob, NOW)[0].items[0], **drawn)
    with database.read() as session:
        scores = classroom.gradebook(session, teacher).scores
        first, second = (scores[ada, item.id] for item in work.items)
        assert (first.variant_token, first.attempts, first.best_credit) == (sheets[2].token, 4, 0.5)
        assert (second.variant_token, second.attempts, second.best_credit) == (other.token, 0, None)
        tokens = tuple(one.token for one in sheets)
        assert len(set(tokens)) == 5
        for one in sheets:
            assert handed_in.sheets_beside(session, teacher, one) == tokens
        for alone in (other, his):
            assert handed_in.sheets_beside(session, teacher, alone) == (alone.token,)


@pytest.mark.parametrize("way", ["made a student", "taken out"])
@pytest.mark.parametrize("given", [True, False])
def test_what_was_tried_out_ends_with_the_seat_that_it_was_tried_from(database, teacher, way, given):
    drawn = {"seed": 1, "given": {}, "engine_version": "0", "now": NOW}
    with database.write() as session:
        ada = person(session, "Ada")
        classroom.join(session, teacher.course.join_code, learner_id=ada, now=NOW)
        (member,) = (one for one in classroom.members(session, teacher) if one.learner_id == ada)
        classroom.set_role(session, teacher, member.id, "instructor", now=NOW)
        made, tried = homework(session), {}
        classroom.add_set(session, teacher, made, now=NOW, draft=not given)
        for seat in (teacher, classroom.take_seat(session, teacher.course.token, learner_id=ada)):
            decisions.begin_preview(session, seat, made, now=NOW)
            of = sets.open_set(session, made.token, learner_id=seat.learner_id, now=NOW)
            tried[seat.learner_id] = sets.start_item(session, seat.learner_id, of.items[0], **drawn)
            submit(session, tried[seat.learner_id])
        if way == "taken out":
            classroom.remove(session, teacher, member.id, now=NOW)
        else:
            classroom.set_role(session, teacher, member.id, "student", now=NOW)
    with database.read() as session:
        places = {
            whose: sets.find_place(session, practice.find_variant(session, one.token, learner_id=whose), now=NOW)
            for whose, one in tried.items()
        }
        assert places[teacher.learner_id].of.terms.preview
        assert places[ada] is None
        found = sets.open_set(session, made.token, learner_id=ada, now=NOW)
        if given and way == "made a student":
            assert not found.terms.preview
            assert [(one.attempts, one.best_credit) for one in found.items] == [(0, None)] * 2
        else:
            assert found is None


def test_work_outside_of_the_course_is_not_shown(database, teacher, worked):
    """Neither other practice, nor the sheets of who was taken out."""
    learners, sheets = worked
    with database.read() as session:
        student, variant = handed_in.student_sheet(session, teacher, sheets["Ada"].token)
        assert (student.username, variant.id) == ("Ada", sheets["Ada"].id)
        assert [one.variant_id for one in handed_in.marked_work(session, teacher)] == [sheets["Ada"].id] * 2
    with database.write() as session:
        from tests.store.conftest import serve

        other = serve(session, learners["Ada"])
        submit(session, other)
        elsewhere = classroom.create_course(session, title="Another", learner_id=person(session, "Eve"), now=NOW)
    with database.read() as session:
        assert handed_in.student_sheet(session, teacher, other.token) is None
        assert handed_in.student_sheet(session, elsewhere, sheets["Ada"].token) is None
        assert handed_in.student_sheet(session, teacher, "a\0b") is None
        assert len(list(handed_in.marked_work(session, teacher))) == 2
        (member,) = (one for one in classroom.members(session, teacher) if one.username == "Ada")
    with database.write() as session:
        classroom.remove(session, teacher, member.id, now=NOW)
    with database.read() as session:
        assert handed_in.student_sheet(session, teacher, sheets["Ada"].token) is None
        assert list(handed_in.marked_work(session, teacher)) == []
        assert len(classroom.gradebook(session, teacher).students) == 2


def test_the_gradebook_takes_the_same_queries_however_large_the_class(database, teacher, worked):
    asked = []
    event.listen(database.reader, "before_cursor_execute", lambda *call: asked.append(call[2]))

    def count():
        asked.clear()
        with database.read() as session:
            classroom.gradebook(session, teacher)
        return len([one for one in asked if one.lstrip().startswith("SELECT")])

    before = count()
    assert before
    with database.write() as session:
        for number in range(20):
            classroom.join(session, teacher.course.join_code, learner_id=person(session, f"More {number}"), now=NOW)
    assert count() == before <= 5


def test_publishing_one_draft_leaves_the_others_unseen_here_and_elsewhere(database, teacher):
    with database.write() as session:
        ada = person(session, "Ada")
        classroom.join(session, teacher.course.join_code, learner_id=ada, now=NOW)
        other = classroom.create_course(session, title="Another", learner_id=person(session, "Eve"), now=NOW)
        made, exam = homework(session), homework(session, "Exam")
        for seat, one in ((teacher, made), (teacher, exam), (other, made)):
            assert classroom.add_set(session, seat, one, now=NOW, draft=True) == 0
        assert classroom.publish(session, teacher, made, now=NOW + 1) == 1
        assert classroom.publish(session, teacher, made, now=NOW + 2) == 0  # it was published once

        def published(seat):
            return {one.stored.title: one.published_at for one in classroom.shelf(session, seat)}

        assert published(teacher) == {"Week 1": NOW + 1, "Exam": None}
        assert published(other) == {"Week 1": None}
        assert [one.stored for one in sets.sets_of(session, ada, NOW)] == [made]
        assert {one.set_title for one in classroom.gradebook(session, teacher).columns} == {"Week 1"}
        late = person(session, "Late")
        classroom.join(session, teacher.course.join_code, learner_id=late, now=NOW)
        assert [one.stored for one in sets.sets_of(session, late, NOW)] == [made]


def test_a_new_code_of_one_course_leaves_the_codes_of_others(database, teacher):
    with database.write() as session:
        other = classroom.create_course(session, title="Another", learner_id=person(session, "Eve"), now=NOW)
        fresh = classroom.new_join_code(session, teacher)
        assert fresh not in (teacher.course.join_code, other.course.join_code)
        assert classroom.find_course(session, other.course.join_code) == other.course


def test_what_students_did_for_another_course_is_in_no_gradebook_of_this_one(database, teacher):
    """Two courses may have the same problem set: each sees its own students alone."""
    with database.write() as session:
        other = classroom.create_course(session, title="Another", learner_id=person(session, "Eve"), now=NOW)
        made = homework(session)
        seats = {"Ada": teacher, "Bob": other}
        whose = {}
        for name, seat in seats.items():
            whose[name] = person(session, name)
            classroom.join(session, seat.course.join_code, learner_id=whose[name], now=NOW)
            classroom.add_set(session, seat, made, now=NOW)
            item = sets.open_set(session, made.token, learner_id=whose[name], now=NOW).items[0]
            sets.start_item(session, whose[name], item, seed=1, given={}, engine_version="0", now=NOW)
        for name, seat in seats.items():
            book = classroom.gradebook(session, seat)
            assert [one.username for one in book.students] == [name]
            assert {learner for learner, _ in book.scores} == {whose[name]}
