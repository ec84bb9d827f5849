"""Exercises that belong to a course: made or changed by those who teach it, kept as the TOML that they wrote."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update

from quizprop.exercise.bank import BankError, read_exercise
from quizprop.exercise.spec import Exercise
from quizprop.store.classroom import Seat
from quizprop.store.database import Session
from quizprop.store.models import CourseExercise, CourseMember, table

__all__ = [
    "MOST",
    "OwnExercise",
    "TooManyError",
    "find_own",
    "has_own",
    "of_course",
    "own_exercises",
    "remove_own",
    "save_own",
]

MOST = 200
"""So many exercises of its own a course may have."""

_own, _member = table(CourseExercise), table(CourseMember)


class TooManyError(ValueError):
    """A course has as many exercises of its own as it may."""


@dataclass(frozen=True, slots=True)
class OwnExercise:
    """An exercise of a course; ``source`` is its TOML."""

    id: int
    course_id: int
    exercise: Exercise
    source: str
    created_at: int

    @property
    def key(self) -> str:
        """Its name among those of all courses and of the bank, in which no slug has a dot."""
        return f"{self.exercise.slug}.{self.id}"


def has_own(session: Session, seat: Seat, slug: str) -> bool:
    """Whether the course has an exercise of this name."""
    return session.execute(select(_own.c.id).where(_named(seat, slug))).first() is not None


def own_exercises(session: Session, learner_id: int) -> tuple[OwnExercise, ...]:
    """The exercises of all courses that a learner teaches, the newest first."""
    rows = session.execute(
        select(_own)
        .join(_member, _member.c.course_id == _own.c.course_id)
        .where(_member.c.learner_id == learner_id, _member.c.role == "instructor")
        .order_by(_own.c.id.desc())
    )
    return _read(rows)


def of_course(session: Session, seat: Seat) -> tuple[OwnExercise, ...]:
    """The course's own exercises, the newest first."""
    rows = session.execute(select(_own).where(_own.c.course_id == seat.course.id).order_by(_own.c.id.desc()))
    return _read(rows)


def find_own(session: Session, seat: Seat, slug: str) -> OwnExercise | None:
    """The course's own exercise of this name; None where it has none."""
    return next((one for one in of_course(session, seat) if one.exercise.slug == slug), None)


def save_own(session: Session, seat: Seat, exercise: Exercise, source: str, *, now: int) -> None:
    """Keep an exercise of the course; one of the same name is replaced. Problem sets that have it keep the old one.

    Raises:
        TooManyError: the course has as many as it may.
    """
    here = _named(seat, exercise.slug)
    if session.execute(update(_own).where(here).values(source=source).returning(_own.c.id)).first() is not None:
        return
    count = session.execute(select(func.count()).where(_own.c.course_id == seat.course.id)).scalar_one()
    if count >= MOST:
        raise TooManyError(f"a course has at most {MOST} exercises of its own")
    row = {"course_id": seat.course.id, "slug": exercise.slug, "source": source, "created_at": now}
    session.execute(insert(_own).values(row))


def remove_own(session: Session, seat: Seat, slug: str) -> bool:
    """Delete an exercise of the course; problem sets that have it keep it. Returns whether there was one."""
    return session.execute(delete(_own).where(_named(seat, slug)).returning(_own.c.id)).first() is not None


def _named(seat: Seat, slug: str) -> ColumnElement[bool]:
    return (_own.c.course_id == seat.course.id) & (_own.c.slug == slug)


def _read(rows: Iterable[Row[Any]]) -> tuple[OwnExercise, ...]:
    found = []
    for row in rows:
        try:
            exercise = read_exercise(row.slug, row.source, kept=True)
        except BankError:  # written for an older release: it stays in the table, and is offered no more
            continue
        found.append(OwnExercise(row.id, row.course_id, exercise, row.source, row.created_at))
    return tuple(found)
