"""Courses: who is in them and as what, which problem sets they have, what came of it.

Every function here that shows or changes a course takes a `Seat`, and only `take_seat` gives one out: who has no place
in a course gets no further.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, Literal, get_args

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.orm import Session

from quizprop.store import practice, sets
from quizprop.store.models import (
    Account,
    Course,
    CourseMember,
    CourseSet,
    ProblemSet,
    SetItem,
    Submission,
    Variant,
    table,
)
from quizprop.store.practice import StoredVariant, read_json
from quizprop.store.sets import StoredSet

__all__ = [
    "ROLES",
    "Column",
    "CourseTitleError",
    "Gradebook",
    "LastInstructorError",
    "Marked",
    "Member",
    "NoSuchCourseError",
    "Role",
    "Score",
    "Seat",
    "StoredCourse",
    "add_set",
    "courses_of",
    "create_course",
    "find_course",
    "gradebook",
    "join",
    "marked_work",
    "members",
    "new_join_code",
    "read_title",
    "remove",
    "set_role",
    "sets_in",
    "student_sheet",
    "take_seat",
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
_variant, _submission = table(Variant), table(Submission)


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
    """Somebody in a course; ``username`` is None without an account."""

    id: int
    learner_id: int
    username: str | None
    role: Role


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


@dataclass(frozen=True, slots=True)
class Score:
    """A student's work at an item: the best share of any attempt, None before the first one."""

    variant_token: str
    attempts: int
    best_share: float | None
    given_up: bool


@dataclass(frozen=True, slots=True)
class Gradebook:
    """The students of a course and what each did at each item; ``scores`` by learner and item."""

    students: tuple[Member, ...]
    columns: tuple[Column, ...]
    scores: Mapping[tuple[int, int], Score]

    def points(self, student: Member, column: Column) -> float | None:
        """What the student has of the item's points; None before the first attempt."""
        share = self._share(student, column)
        return None if share is None else column.points * share

    def total(self, student: Member) -> float:
        """The student's points at all items."""
        return sum(self.points(student, column) or 0 for column in self.columns)

    @property
    def out_of(self) -> float:
        """The points of all items."""
        return sum(column.points for column in self.columns)

    @property
    def by_set(self) -> tuple[tuple[Column, ...], ...]:
        """The columns of each problem set; two sets may have the same title."""
        return tuple(tuple(columns) for _, columns in groupby(self.columns, key=lambda one: one.set_token))

    def mean_share(self, column: Column) -> float | None:
        """The mean share of those who tried the item; None where nobody has."""
        found = (self._share(student, column) for student in self.students)
        shares = [share for share in found if share is not None]
        return sum(shares) / len(shares) if shares else None

    def _share(self, student: Member, column: Column) -> float | None:
        score = self.scores.get((student.learner_id, column.item_id))
        return None if score is None else score.best_share


@dataclass(frozen=True, slots=True)
class Marked:
    """One submission of a student at an item of the course."""

    learner_id: int
    spec: str
    variant_id: int
    marks: Mapping[str, Any]


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
    _hold(session, course)
    known = take_seat(session, course.token, learner_id=learner_id)
    if known is not None:
        return known
    _add(session, course, learner_id, "student", now)
    _give_all(session, course, learner_id, now)
    return Seat(course, learner_id, "student")


def members(session: Session, seat: Seat) -> tuple[Member, ...]:
    """Who is in the course: those who teach it first, each kind in the order of their names."""
    rows = session.execute(
        select(_member.c.id, _member.c.learner_id, _account.c.username, _member.c.role)
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
        _give_all(session, seat.course, member.learner_id, now)
    return True


def remove(session: Session, seat: Seat, member_id: int) -> bool:
    """Take a member out of the course; their sheets stay theirs. Returns whether there was such a member.

    Raises:
        LastInstructorError: nobody would teach the course any more.
    """
    if _held_member(session, seat, member_id, still_teaches=False) is None:
        return False
    session.execute(delete(_member).where(_member.c.id == member_id))
    return True


def new_join_code(session: Session, seat: Seat) -> str:
    """Another code: who has the old one comes in no more."""
    code = _fresh_code()
    session.execute(update(_course).where(_course.c.id == seat.course.id).values(join_code=code))
    return code


# --- problem sets and what came of them -----------------------------------------------------------------------------


def add_set(session: Session, seat: Seat, problem_set: StoredSet, *, now: int) -> int:
    """Give the course a problem set. Returns to how many students it is new."""
    _hold(session, seat.course)
    if problem_set.id not in {one.id for one in sets_in(session, seat.course)}:
        row = {"course_id": seat.course.id, "set_id": problem_set.id, "created_at": now}
        session.execute(insert(_course_set).values(row))
    students = [one.learner_id for one in members(session, seat) if one.role == "student"]
    return sets.assign(session, problem_set, students, now=now)


def sets_in(session: Session, course: StoredCourse) -> tuple[StoredSet, ...]:
    """The problem sets of a course, the first one first."""
    rows = session.execute(
        select(_set).join_from(_course_set, _set).where(_course_set.c.course_id == course.id).order_by(_course_set.c.id)
    )
    return tuple(StoredSet(*row) for row in rows)


def gradebook(session: Session, seat: Seat) -> Gradebook:
    """What every student of the course has of every item. Three queries, however large the class."""
    columns = session.execute(
        select(
            _item.c.id,
            _set.c.title,
            _set.c.token,
            _item.c.position,
            _item.c.exercise,
            _item.c.spec,
            _item.c.points,
        )
        .join_from(_course_set, _set)
        .join(_item, _item.c.set_id == _set.c.id)
        .where(_course_set.c.course_id == seat.course.id)
        .order_by(_course_set.c.id, _item.c.position)
    )
    students = tuple(one for one in members(session, seat) if one.role == "student")
    return Gradebook(students, tuple(Column(*row) for row in columns), dict(_scores(session, seat.course)))


def _scores(session: Session, course: StoredCourse) -> Iterator[tuple[tuple[int, int], Score]]:
    rows = session.execute(
        _work(course)
        .add_columns(
            _variant.c.learner_id,
            _variant.c.set_item_id,
            _variant.c.token,
            _variant.c.given_up_at,
            func.count(_submission.c.id).label("attempts"),
            func.max(_submission.c.points / _submission.c.out_of).label("best_share"),
        )
        .outerjoin(_submission, _submission.c.variant_id == _variant.c.id)
        .group_by(_variant.c.id)
    )
    for row in rows:
        score = Score(row.token, row.attempts, row.best_share, row.given_up_at is not None)
        yield (row.learner_id, row.set_item_id), score


def marked_work(session: Session, seat: Seat) -> Iterator[Marked]:
    """Every submission of the course's students at its items, each sheet's attempts in their order."""
    rows = session.execute(
        _work(seat.course)
        .add_columns(
            _variant.c.learner_id,
            _variant.c.spec,
            _submission.c.variant_id,
            _submission.c.marks,
        )
        .join(_submission, _submission.c.variant_id == _variant.c.id)
        .order_by(_submission.c.variant_id, _submission.c.attempt)
    )
    for row in rows:
        yield Marked(row.learner_id, row.spec, row.variant_id, read_json(row.marks))


def student_sheet(session: Session, seat: Seat, token: str) -> tuple[Member, StoredVariant] | None:
    """A sheet for one of the course's items, and the student whose it is; None where there is no such sheet."""
    if not token.isascii() or not token.isprintable():
        return None
    whose = session.execute(
        _work(seat.course).add_columns(_variant.c.learner_id).where(_variant.c.token == token)
    ).scalar_one_or_none()
    variant = None if whose is None else practice.find_variant(session, token, learner_id=whose)
    if variant is None:
        return None
    return next(one for one in members(session, seat) if one.learner_id == whose), variant


def _work(course: StoredCourse) -> Select[Any]:
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


def _add(session: Session, course: StoredCourse, learner_id: int, role: Role, now: int) -> None:
    row = {"course_id": course.id, "learner_id": learner_id, "role": role, "created_at": now}
    session.execute(insert(_member).values(row))


def _hold(session: Session, course: StoredCourse) -> None:
    """Hold the course until the transaction ends: who comes and what is given are decided one after the other."""
    session.execute(select(_course.c.id).where(_course.c.id == course.id).with_for_update()).one()


def _give_all(session: Session, course: StoredCourse, learner_id: int, now: int) -> None:
    """Let a student have every problem set of the course. Hold it."""
    for problem_set in sets_in(session, course):
        sets.assign(session, problem_set, [learner_id], now=now)


def _held_member(session: Session, seat: Seat, member_id: int, *, still_teaches: bool) -> Member | None:
    """The member about to be changed, with the course held.

    Raises:
        LastInstructorError: they alone teach it, and would not do so any more.
    """
    _hold(session, seat.course)
    everybody = members(session, seat)
    if not still_teaches and [one.id for one in everybody if one.role == "instructor"] == [member_id]:
        raise LastInstructorError("A course is taught by somebody: make another member an instructor first.")
    return next((one for one in everybody if one.id == member_id), None)
