"""Courses: who is in them and as what, which problem sets they have, what came of it.

Every function here that shows or changes a course takes a `Seat`, and only `take_seat` gives one out: who has no place
in a course gets no further.
"""

import math
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any, Final, Literal, get_args

from sqlalchemy import Row, Select, delete, func, insert, select, update

from quizprop.store import sets
from quizprop.store.database import Session
from quizprop.store.models import (
    Account,
    Adjustment,
    Course,
    CourseMember,
    CourseSet,
    ProblemSet,
    SetItem,
    Submission,
    Variant,
    table,
)
from quizprop.store.practice import credit_now
from quizprop.store.rules import Worth, best_of
from quizprop.store.sets import StoredSet

__all__ = [
    "ROLES",
    "Column",
    "CourseTitleError",
    "CourseWork",
    "Gradebook",
    "LastInstructorError",
    "Member",
    "NoSuchCourseError",
    "Role",
    "Score",
    "Seat",
    "StoredCourse",
    "add_set",
    "all_courses",
    "appoint",
    "courses_of",
    "create_course",
    "delete_draft",
    "find_course",
    "find_work",
    "gradebook",
    "held_work",
    "hold",
    "join",
    "members",
    "new_join_code",
    "publish",
    "read_title",
    "remove",
    "rename",
    "set_role",
    "sets_in",
    "shelf",
    "take_in",
    "take_seat",
    "taught_alone",
    "work_of_students",
]

Role = Literal["student", "grader", "instructor"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

_Row = Row[*tuple[Any, ...]]

_LONGEST_TITLE: Final = 200
# Read aloud and copied from a board: no letter that looks like a digit, or like another letter.
_LETTERS: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_CODE_LENGTH: Final = 8

_course, _member, _course_set = table(Course), table(CourseMember), table(CourseSet)
_set, _item, _account = table(ProblemSet), table(SetItem), table(Account)
_variant, _submission, _adjustment = table(Variant), table(Submission), table(Adjustment)


class NoSuchCourseError(LookupError):
    """No course has this token or this code."""


class CourseTitleError(ValueError):
    """The title of a course is empty or too long."""


class LastInstructorError(ValueError):
    """A course would be left with nobody who teaches it."""


@dataclass(frozen=True, slots=True)
class StoredCourse:
    """A course; ``join_code`` lets students in."""

    id: int
    token: str
    title: str
    join_code: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Seat:
    """A learner's place in a course."""

    course: StoredCourse
    learner_id: int
    role: Role

    @property
    def teaches(self) -> bool:
        """Whether they may change the course."""
        return self.role == "instructor"

    @property
    def sees_work(self) -> bool:
        """Whether they may see what the students did."""
        return self.role in ("grader", "instructor")


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a course; ``username`` is None without an account.

    ``name``, ``section`` and ``external_id`` are what the roster says; ``extra_time`` is the share that is added to
    every time limit of theirs.
    """

    id: int
    learner_id: int
    username: str | None
    role: Role
    name: str = ""
    section: str = ""
    external_id: str = ""
    extra_time: float = 0.0


@dataclass(frozen=True, slots=True)
class CourseWork:
    """A problem set of a course; ``published_at`` is None while only those who teach see it."""

    stored: StoredSet
    published_at: int | None


@dataclass(frozen=True, slots=True)
class Column:
    """An item of one of the course's problem sets."""

    item_id: int
    set_title: str
    set_token: str
    position: int
    exercise: str
    spec: str
    points: float
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A student's work at an item: the best credit of any attempt, None before the first one.

    ``variant_token`` names the best sheet, None where none was started. ``adjusted`` are points that were decided by
    somebody who teaches; an item that is ``excused`` counts for nothing.
    """

    variant_token: str | None
    attempts: int
    best_credit: float | None
    given_up: bool
    adjusted: float | None = None
    excused: bool = False


@dataclass(frozen=True)
class Gradebook:
    """The students of a course and what each did at each item; ``scores`` by learner and item.

    ``best_of`` tells, by the token of a problem set, how many items of a group count.
    """

    students: tuple[Member, ...]
    columns: tuple[Column, ...]
    scores: Mapping[tuple[int, int], Score]
    best_of: Mapping[str, Mapping[str, int]]

    def score(self, student: Member, column: Column) -> Score | None:
        """The student's work at the item; None where there is none."""
        return self.scores.get((student.learner_id, column.item_id))

    def points(self, student: Member, column: Column) -> float | None:
        """What the student has of the item's points; None before the first attempt, and where it is excused."""
        score = self.score(student, column)
        if score is None or score.excused:
            return None
        if score.adjusted is not None:
            return score.adjusted
        return None if score.best_credit is None else column.points * score.best_credit

    def excused(self, student: Member, column: Column) -> bool:
        """Whether the item counts for nothing for the student."""
        score = self.score(student, column)
        return score is not None and score.excused

    def of_set(self, student: Member, columns: Iterable[Column]) -> tuple[float, float]:
        """The student's points at the items of one problem set, and what they are out of for this student."""
        chosen = tuple(columns)
        worths = (self._worth(student, column) for column in chosen)
        return best_of(worths, self.best_of[chosen[0].set_token] if chosen else {})

    def total(self, student: Member) -> tuple[float, float]:
        """The student's points at all items, and what they are out of for this student."""
        totals = [self.of_set(student, columns) for columns in self.by_set]
        return math.fsum(points for points, _ in totals), math.fsum(out_of for _, out_of in totals)

    @cached_property
    def out_of(self) -> float:
        """What all items are out of for somebody who is excused from none."""
        return math.fsum(self.set_out_of(columns) for columns in self.by_set)

    def set_out_of(self, columns: Iterable[Column]) -> float:
        """What the items of one problem set are out of for somebody who is excused from none."""
        chosen = tuple(columns)
        worths = [Worth(column.zone, 0, column.points) for column in chosen]
        return best_of(worths, self.best_of[chosen[0].set_token])[1]

    @cached_property
    def by_set(self) -> tuple[tuple[Column, ...], ...]:
        """The columns of each problem set; two sets may have the same title."""
        return tuple(tuple(columns) for _, columns in groupby(self.columns, key=lambda one: one.set_token))

    def mean_share(self, column: Column) -> float | None:
        """The mean share of those who tried the item; None where nobody has."""
        found = (self.points(student, column) for student in self.students)
        shares = [points / column.points for points in found if points is not None]
        return sum(shares) / len(shares) if shares else None

    def _worth(self, student: Member, column: Column) -> Worth:
        points = self.points(student, column) or 0
        return Worth(column.zone, points, column.points, self.excused(student, column))


# --- coming and going -----------------------------------------------------------------------------------------------


def read_title(text: str) -> str:
    """A course's title as it is stored: with single spaces.

    Raises:
        CourseTitleError: nothing is left, or more than 200 characters are.
    """
    title = " ".join(text.replace("\0", " ").split())
    if not 1 <= len(title) <= _LONGEST_TITLE:
        raise CourseTitleError(f"A course's title has 1 to {_LONGEST_TITLE} characters, not {len(title)}.")
    return title


def create_course(session: Session, *, title: str, learner_id: int, now: int) -> Seat:
    """A new course, taught by the learner.

    Raises:
        CourseTitleError: the title is empty or too long.
    """
    values = {
        "token": secrets.token_hex(8),
        "title": read_title(title),
        "join_code": _fresh_code(),
        "created_at": now,
    }
    course_id = session.execute(insert(_course).values(values).returning(_course.c.id)).scalar_one()
    course = StoredCourse(id=course_id, **values)  # type: ignore[arg-type]
    _add(session, course, learner_id, "instructor", now)
    return Seat(course, learner_id, "instructor")


def take_seat(session: Session, token: str, *, learner_id: int) -> Seat | None:
    """The learner's place in the course of this token; None where there is no course, or no place for them."""
    if not token.isalnum() or not token.isascii():  # PostgreSQL refuses to look for a NUL
        return None
    row = session.execute(_seats(learner_id).where(_course.c.token == token)).one_or_none()
    return None if row is None else _seat(row, learner_id)


def courses_of(session: Session, learner_id: int) -> tuple[Seat, ...]:
    """The courses that a learner is in, the newest first."""
    rows = session.execute(_seats(learner_id).order_by(_course.c.id.desc()))
    return tuple(_seat(row, learner_id) for row in rows)


def taught_alone(session: Session, learner_id: int) -> tuple[str, ...]:
    """The titles of the courses that nobody else teaches, though others are in them; the newest first."""
    found = []
    for seat in courses_of(session, learner_id):
        others = [one.role for one in members(session, seat) if one.learner_id != learner_id]
        if seat.teaches and others and "instructor" not in others:
            found.append(seat.course.title)
    return tuple(found)


def all_courses(session: Session) -> tuple[StoredCourse, ...]:
    """Every course, the newest first."""
    rows = session.execute(select(_course).order_by(_course.c.id.desc()))
    return tuple(StoredCourse(*row[:5]) for row in rows)


def appoint(session: Session, course: StoredCourse, learner_id: int, *, now: int) -> bool:
    """Make a learner an instructor of a course, in it already or not. Returns whether that is new."""
    hold(session, course)
    seat = take_seat(session, course.token, learner_id=learner_id)
    if seat is None:
        _add(session, course, learner_id, "instructor", now)
    else:
        mine = (_member.c.course_id == course.id) & (_member.c.learner_id == learner_id)
        session.execute(update(_member).where(mine).values(role="instructor"))
    return seat is None or not seat.teaches


def find_course(session: Session, code: str) -> StoredCourse:
    """The course that this code opens; capitals, spaces and hyphens don't matter.

    Raises:
        NoSuchCourseError: none has it.
    """
    wanted = "".join(letter for letter in code.upper() if letter.isalnum())
    row = None
    if wanted.isascii():
        row = session.execute(select(_course).where(_course.c.join_code == wanted)).one_or_none()
    if row is None:
        raise NoSuchCourseError(f"No course has the code {code!r}.")
    return StoredCourse(*row)


def join(session: Session, code: str, *, learner_id: int, now: int) -> Seat:
    """Come into the course that this code opens, as a student, and have its problem sets. Twice changes nothing.

    Raises:
        NoSuchCourseError: none has it.
    """
    course = find_course(session, code)
    hold(session, course)
    known = take_seat(session, course.token, learner_id=learner_id)
    if known is not None:
        return known
    take_in(session, course, [learner_id], now=now)
    return Seat(course, learner_id, "student")


def take_in(session: Session, course: StoredCourse, learner_ids: Collection[int], *, now: int) -> None:
    """Have learners who are not in the course come in as students, with its problem sets. Hold it."""
    published = [one.id for one in sets_in(session, course)]
    # Who was taken out and is back has the extra time that their sets still have.
    before = sets.extra_times(session, published, learner_ids)
    for learner_id in learner_ids:
        _add(session, course, learner_id, "student", now, extra_time=before.get(learner_id, 0.0))
    _give_all(session, course, learner_ids, now)


def members(session: Session, seat: Seat) -> tuple[Member, ...]:
    """Who is in the course: those who teach it first, each kind in the order of their names."""
    rows = session.execute(
        select(
            _member.c.id,
            _member.c.learner_id,
            _account.c.username,
            _member.c.role,
            _member.c.name,
            _member.c.section,
            _member.c.external_id,
            _member.c.extra_time,
        )
        .join_from(_member, _account, _account.c.learner_id == _member.c.learner_id, isouter=True)
        .where(_member.c.course_id == seat.course.id)
        .order_by(_account.c.username_folded, _member.c.id)
    )
    return tuple(sorted((Member(*row) for row in rows), key=lambda one: -ROLES.index(one.role)))


def set_role(session: Session, seat: Seat, member_id: int, role: Role, *, now: int) -> bool:
    """Make a member of the course something else. Returns whether there is such a member.

    Raises:
        LastInstructorError: nobody would teach the course any more.
    """
    member = _held_member(session, seat, member_id, still_teaches=role == "instructor")
    if member is None:
        return False
    session.execute(update(_member).where(_member.c.id == member_id).values(role=role))
    if role == "student":
        _end_previews(session, seat, member.learner_id)
        _give_all(session, seat.course, [member.learner_id], now)
    return True


def remove(session: Session, seat: Seat, member_id: int, *, now: int) -> bool:
    """Take a member out of the course; their sheets stay theirs, to look at. Returns whether there was such a member.

    Raises:
        LastInstructorError: nobody would teach the course any more.
    """
    member = _held_member(session, seat, member_id, still_teaches=False)
    if member is None:
        return False
    _end_previews(session, seat, member.learner_id)
    session.execute(delete(_member).where(_member.c.id == member_id))
    for problem_set in sets_in(session, seat.course):
        if not _in_other(session, problem_set, member.learner_id):
            sets.leave(session, problem_set, member.learner_id, now=now)
    return True


def _end_previews(session: Session, seat: Seat, learner_id: int) -> None:
    sets.end_previews(session, [one.stored.id for one in shelf(session, seat)], [learner_id])


def new_join_code(session: Session, seat: Seat) -> str:
    """Another code: who has the old one comes in no more."""
    code = _fresh_code()
    session.execute(update(_course).where(_course.c.id == seat.course.id).values(join_code=code))
    return code


# --- problem sets and what came of them -----------------------------------------------------------------------------


def add_set(session: Session, seat: Seat, problem_set: StoredSet, *, now: int, draft: bool = False) -> int:
    """Give the course a problem set. Returns to how many students it is new; a ``draft`` is new to none yet."""
    hold(session, seat.course)
    if problem_set.id not in {one.stored.id for one in shelf(session, seat)}:
        row = {"course_id": seat.course.id, "set_id": problem_set.id, "created_at": now, "published_at": None}
        session.execute(insert(_course_set).values(row))
    return 0 if draft else publish(session, seat, problem_set, now=now)


def publish(session: Session, seat: Seat, problem_set: StoredSet, *, now: int) -> int:
    """Let the students have a problem set of the course. Returns to how many of them it is new."""
    hold(session, seat.course)
    session.execute(
        update(_course_set)
        .where(_course_set.c.course_id == seat.course.id, _course_set.c.set_id == problem_set.id)
        .values(published_at=func.coalesce(_course_set.c.published_at, now))
    )
    students = [one.learner_id for one in members(session, seat) if one.role == "student"]
    fresh = sets.assign(session, problem_set, students, now=now)
    _give_extra_time(session, seat.course, [problem_set], students)
    return fresh


def delete_draft(session: Session, seat: Seat, work: CourseWork) -> bool:
    """Take a problem set that is not published out of the course, for good if nobody else has it. Hold the course.

    Returns whether it was a draft.
    """
    if work.published_at is not None:
        return False
    session.execute(
        delete(_course_set).where(_course_set.c.course_id == seat.course.id, _course_set.c.set_id == work.stored.id)
    )
    elsewhere = session.execute(select(_course_set.c.id).where(_course_set.c.set_id == work.stored.id).limit(1)).first()
    if elsewhere is None:
        sets.delete_set(session, work.stored)
    return True


def rename(session: Session, seat: Seat, title: str) -> str:
    """Give the course another title. Returns how it is stored.

    Raises:
        CourseTitleError: the title is empty or too long.
    """
    stored = read_title(title)
    session.execute(update(_course).where(_course.c.id == seat.course.id).values(title=stored))
    return stored


def sets_in(session: Session, course: StoredCourse) -> tuple[StoredSet, ...]:
    """The published problem sets of a course, the first one first."""
    return tuple(one.stored for one in _works(session, course) if one.published_at is not None)


def shelf(session: Session, seat: Seat) -> tuple[CourseWork, ...]:
    """All problem sets of the course, those too that are not published, the first one first."""
    return _works(session, seat.course)


def find_work(session: Session, seat: Seat, token: str) -> CourseWork | None:
    """The course's problem set of this token; None where it has none."""
    return next((one for one in shelf(session, seat) if one.stored.token == token), None)


def held_work(session: Session, seat: Seat, token: str) -> CourseWork | None:
    """The same as it is now, which nobody changes until the transaction ends."""
    hold(session, seat.course)
    return find_work(session, seat, token)


def _works(session: Session, course: StoredCourse) -> tuple[CourseWork, ...]:
    rows = session.execute(
        select(_set, _course_set.c.published_at)
        .join_from(_course_set, _set)
        .where(_course_set.c.course_id == course.id)
        .order_by(_course_set.c.id)
    )
    return tuple(CourseWork(StoredSet.from_row(row._asdict()), row.published_at) for row in rows)


def gradebook(session: Session, seat: Seat) -> Gradebook:
    """What every student of the course has of every item. Five queries, however large the class."""
    columns = session.execute(
        select(
            _item.c.id,
            _set.c.title,
            _set.c.token,
            _item.c.position,
            _item.c.exercise,
            _item.c.spec,
            _item.c.points,
            _item.c.zone,
        )
        .join_from(_course_set, _set)
        .join(_item, _item.c.set_id == _set.c.id)
        .where(_course_set.c.course_id == seat.course.id, _course_set.c.published_at.is_not(None))
        .order_by(_course_set.c.id, _item.c.position)
    )
    students = tuple(one for one in members(session, seat) if one.role == "student")
    scores = dict(_scores(session, seat.course))
    for key, points, excused in _decided(session, seat.course):
        known = scores.get(key, Score(None, 0, None, given_up=False))
        scores[key] = replace(known, adjusted=points, excused=excused)
    counts = {one.token: one.policy.best_of for one in sets_in(session, seat.course)}
    return Gradebook(students, tuple(Column(*row) for row in columns), scores, counts)


def _scores(session: Session, course: StoredCourse) -> Iterator[tuple[tuple[int, int], Score]]:
    """Each sheet with what its attempts come to; those of one student and item are put together, the latest last."""
    rows = session.execute(
        work_of_students(course)
        .add_columns(
            _variant.c.id,
            _variant.c.learner_id,
            _variant.c.set_item_id,
            _variant.c.token,
            _variant.c.given_up_at,
            func.count(_submission.c.id).label("attempts"),
            func.max(credit_now()).label("best_credit"),
        )
        .outerjoin(_submission, _submission.c.variant_id == _variant.c.id)
        .group_by(_variant.c.id)
        .order_by(_variant.c.set_item_id, _variant.c.learner_id, _variant.c.id)
    )
    for key, group in groupby(rows, key=lambda row: (row.learner_id, row.set_item_id)):
        sheets = tuple(group)
        # The sheet that earned most, the latest of such; with new numbers there may be another one after it.
        best = max(sheets, key=lambda row: (-1 if row.best_credit is None else row.best_credit, row.id))
        attempts = sum(row.attempts for row in sheets)
        yield key, Score(best.token, attempts, best.best_credit, sheets[-1].given_up_at is not None)


def _decided(session: Session, course: StoredCourse) -> Iterator[tuple[tuple[int, int], float | None, bool]]:
    """What was decided about single items, the latest last."""
    rows = session.execute(
        select(_adjustment)
        .join(_item, _item.c.id == _adjustment.c.set_item_id)
        .join(_course_set, _course_set.c.set_id == _item.c.set_id)
        .where(_course_set.c.course_id == course.id)
        .order_by(_adjustment.c.id)
    )
    for row in rows:
        yield (row.learner_id, row.set_item_id), row.points, row.excused


def work_of_students(course: StoredCourse) -> Select[Any]:
    """The sheets that the students of a course have for its items; the columns are still to be named."""
    return (
        select()
        .select_from(_course_set)
        .join(_item, _item.c.set_id == _course_set.c.set_id)
        .join(_variant, _variant.c.set_item_id == _item.c.id)
        .join(
            _member,
            (_member.c.course_id == _course_set.c.course_id) & (_member.c.learner_id == _variant.c.learner_id),
        )
        .where(_course_set.c.course_id == course.id, _member.c.role == "student")
    )


# --- what these share -----------------------------------------------------------------------------------------------


def _seats(learner_id: int) -> Select[Any]:
    return select(_course, _member.c.role).join_from(_member, _course).where(_member.c.learner_id == learner_id)


def _seat(row: _Row, learner_id: int) -> Seat:
    return Seat(StoredCourse(*row[:5]), learner_id, row.role)


def _fresh_code() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))


def _add(
    session: Session, course: StoredCourse, learner_id: int, role: Role, now: int, *, extra_time: float = 0.0
) -> None:
    about = {"created_at": now, "extra_time": extra_time}
    row = {"course_id": course.id, "learner_id": learner_id, "role": role, **about}
    session.execute(insert(_member).values(row))


def hold(session: Session, course: StoredCourse) -> None:
    """Hold the course until the transaction ends: who comes and what is given are decided one after the other.

    Before any row of its members is changed, so that nobody waits for somebody who waits for them.
    """
    session.execute(select(_course.c.id).where(_course.c.id == course.id).with_for_update()).one()


def _give_all(session: Session, course: StoredCourse, learner_ids: Collection[int], now: int) -> None:
    """Let students have every published problem set of the course. Hold it."""
    published = sets_in(session, course)
    for problem_set in published:
        sets.assign(session, problem_set, learner_ids, now=now)
    _give_extra_time(session, course, published, learner_ids)


def _give_extra_time(
    session: Session, course: StoredCourse, of: Iterable[StoredSet], learner_ids: Collection[int]
) -> None:
    """Let the extra time of students, as the course has it, hold for problem sets."""
    rows = session.execute(
        select(_member.c.extra_time, _member.c.learner_id)
        .where(_member.c.course_id == course.id, _member.c.learner_id.in_(learner_ids))
        .order_by(_member.c.extra_time)
    ).all()
    set_ids = [one.id for one in of]
    for extra, alike in groupby(rows, key=lambda row: row.extra_time):
        sets.give_extra_time(session, set_ids, [row.learner_id for row in alike], extra)


def _in_other(session: Session, problem_set: StoredSet, learner_id: int) -> bool:
    """Whether somebody is in any course that has the set."""
    found = (
        select(_member.c.id)
        .join(_course_set, _course_set.c.course_id == _member.c.course_id)
        .where(_course_set.c.set_id == problem_set.id, _member.c.learner_id == learner_id)
    )
    return session.execute(found.limit(1)).first() is not None


def _held_member(session: Session, seat: Seat, member_id: int, *, still_teaches: bool) -> Member | None:
    """The member about to be changed, with the course held.

    Raises:
        LastInstructorError: they alone teach it, and would not do so any more.
    """
    hold(session, seat.course)
    everybody = members(session, seat)
    if not still_teaches and [one.id for one in everybody if one.role == "instructor"] == [member_id]:
        raise LastInstructorError("A course is taught by somebody: make another member an instructor first.")
    return next((one for one in everybody if one.id == member_id), None)
