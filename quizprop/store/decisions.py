"""What those who teach decide about single students, and the record of who changed what in a course."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from quizprop.store import classroom, sets
from quizprop.store.classroom import Member, Seat
from quizprop.store.database import Session
from quizprop.store.models import (
    Account,
    Adjustment,
    Assignment,
    AuditEntry,
    CourseMember,
    CourseSet,
    ProblemSet,
    SetItem,
    table,
)
from quizprop.store.practice import TERMS, read_json, read_terms, write_json
from quizprop.store.rules import Terms
from quizprop.store.sets import AssignedSet, StoredSet

__all__ = [
    "ChosenItem",
    "Decision",
    "Entry",
    "adjust",
    "begin_preview",
    "change_student",
    "decisions_of",
    "entries",
    "extend",
    "find_item",
    "find_student",
    "names_in",
    "note",
    "note_appointed",
    "terms_of",
    "work_of",
    "write_particulars",
]

_account, _adjustment, _assignment = table(Account), table(Adjustment), table(Assignment)
_audit, _member, _course_set = table(AuditEntry), table(CourseMember), table(CourseSet)
_set, _item = table(ProblemSet), table(SetItem)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the record; ``who`` is empty where the account is gone. ``details`` depend on ``what``."""

    who: str
    what: str
    details: Mapping[str, Any]
    created_at: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about an item: points in place of those earned, or that it is excused, or neither any more."""

    set_item_id: int
    points: float | None
    excused: bool
    reason: str
    created_at: int


@dataclass(frozen=True, slots=True)
class ChosenItem:
    """An item of one of the course's problem sets, and what it is worth."""

    id: int
    exercise: str
    points: float
    of: StoredSet


def find_student(session: Session, seat: Seat, member_id: int) -> Member | None:
    """The student of the course with this membership; None where there is none."""
    everybody = classroom.members(session, seat)
    return next((one for one in everybody if one.id == member_id and one.role == "student"), None)


def find_item(session: Session, seat: Seat, item_id: int) -> ChosenItem | None:
    """The item of this number, where one of the course's problem sets has it."""
    row = session.execute(
        select(_item.c.id, _item.c.exercise, _item.c.points, _set)
        .join_from(_item, _set)
        .join(_course_set, _course_set.c.set_id == _set.c.id)
        .where(_item.c.id == item_id, _course_set.c.course_id == seat.course.id)
    ).one_or_none()
    if row is None:
        return None
    of = StoredSet.from_row({**row._asdict(), "id": row[3]})
    return ChosenItem(row[0], row.exercise, row.points, of)


def names_in(session: Session, lines: Iterable[Entry]) -> dict[int, str]:
    """How those are called whom some lines of a record speak of, by learner; who has left has the name still."""
    wanted = {one.details[name] for one in lines for name in ("student", "member") if name in one.details}
    rows = session.execute(select(_account.c.learner_id, _account.c.username).where(_account.c.learner_id.in_(wanted)))
    return {row.learner_id: row.username for row in rows}


def change_student(
    session: Session, seat: Seat, student: Member, *, name: str, section: str, external_id: str, extra_time: float
) -> None:
    """Give a student other particulars. The share of extra time holds for all problem sets of the course.

    Raises:
        ValueError: the extra time is not from 0 to 10.
    """
    if not 0 <= extra_time <= 10:
        raise ValueError(f"Extra time is a share from 0 to 10, not {extra_time}")
    classroom.hold(session, seat.course)  # a set that is published meanwhile has the extra time too
    said = {"name": name, "section": section, "external_id": external_id, "extra_time": extra_time}
    session.execute(update(_member).where(_member.c.id == student.id).values(said))
    of_course = [one.id for one in classroom.sets_in(session, seat.course)]
    sets.give_extra_time(session, of_course, [student.learner_id], extra_time)


def write_particulars(session: Session, student: Member, *, name: str, section: str, external_id: str) -> None:
    """Let a student be called otherwise. Hold the course."""
    said = {"name": name, "section": section, "external_id": external_id}
    session.execute(update(_member).where(_member.c.id == student.id).values(said))


def terms_of(session: Session, seat: Seat, student: Member) -> dict[int, Terms]:
    """What is different for a student, by the id of the problem set."""
    rows = session.execute(
        select(_assignment.c.set_id, *TERMS)
        .join_from(_assignment, _course_set, _course_set.c.set_id == _assignment.c.set_id)
        .where(_assignment.c.learner_id == student.learner_id, _course_set.c.course_id == seat.course.id)
    )
    return {row.set_id: read_terms(row._asdict()) for row in rows}


def work_of(session: Session, seat: Seat, student: Member, now: int) -> tuple[AssignedSet, ...]:
    """A student's problem sets of this course with all marks, the first one first."""
    found = []
    for stored in classroom.sets_in(session, seat.course):
        of = sets.stands_of(session, stored, student.learner_id, now)
        if of is not None:
            found.append(of)
    return tuple(found)


def extend(session: Session, student: Member, problem_set: StoredSet, due_at: int | None) -> None:
    """Give one student another due date; None for that of everybody. Its rules stay those of everybody.

    Raises:
        ValueError: it would be due before it opens.
    """
    if due_at is not None and problem_set.opens_at is not None and due_at <= problem_set.opens_at:
        raise ValueError("A problem set is due after it opens: move one of the two")
    session.execute(
        update(_assignment)
        .where(_assignment.c.set_id == problem_set.id, _assignment.c.learner_id == student.learner_id)
        .values(due_at=due_at)
    )


def adjust(
    session: Session,
    student: Member,
    item: ChosenItem,
    *,
    points: float | None,
    excused: bool,
    reason: str,
    now: int,
) -> None:
    """Decide about a student's item: ``points`` in place of those earned, or ``excused``, or neither any more.

    Raises:
        ValueError: both at once, points beyond 0 to 10,000, or no reason.
    """
    if excused and points is not None:
        raise ValueError("An item is excused, or it has points, not both")
    if points is not None and not 0 <= points <= 10_000:
        raise ValueError(f"Points are from 0 to 10,000, not {points}")
    if not reason.strip():
        raise ValueError("A decision has a reason: whoever looks at it later wants to know")
    said = {"points": points, "excused": excused, "reason": reason.strip(), "created_at": now}
    of = {"learner_id": student.learner_id, "set_item_id": item.id}
    session.execute(insert(_adjustment).values(**of, **said))


def decisions_of(session: Session, seat: Seat, student: Member) -> tuple[Decision, ...]:
    """What was decided about a student's items in this course, the first one first."""
    rows = session.execute(
        select(
            _adjustment.c.set_item_id,
            _adjustment.c.points,
            _adjustment.c.excused,
            _adjustment.c.reason,
            _adjustment.c.created_at,
        )
        .join_from(_adjustment, _item, _item.c.id == _adjustment.c.set_item_id)
        .join(_course_set, _course_set.c.set_id == _item.c.set_id)
        .where(_adjustment.c.learner_id == student.learner_id, _course_set.c.course_id == seat.course.id)
        .order_by(_adjustment.c.id)
    )
    return tuple(Decision(*row) for row in rows)


def begin_preview(session: Session, seat: Seat, problem_set: StoredSet, *, now: int) -> None:
    """Let somebody who teaches the course work a problem set as a student would, without counting.

    Who had it as a student, and has begun nothing of it, only tries it out from now on.
    """
    if seat.sees_work:
        sets.leave_untouched(session, problem_set, seat.learner_id)
        sets.assign(session, problem_set, [seat.learner_id], now=now, preview=True)


# --- the record -----------------------------------------------------------------------------------------------------


def note(session: Session, seat: Seat, what: str, *, now: int, **details: Any) -> None:  # noqa: ANN401 - becomes JSON
    """Add a line to the course's record: ``what`` was done, by whose seat this is."""
    who = session.execute(
        select(_account.c.username).where(_account.c.learner_id == seat.learner_id)
    ).scalar_one_or_none()
    row = {"course_id": seat.course.id, "learner_id": seat.learner_id, "who": who or "", "what": what}
    session.execute(insert(_audit).values(**row, details=write_json(details), created_at=now))


def note_appointed(session: Session, course_id: int, member: int, *, by: str, now: int) -> None:
    """Add a line to the course's record: who runs the site made somebody an instructor, by this command."""
    row = {"course_id": course_id, "learner_id": None, "who": by, "what": "role"}
    details = write_json({"member": member, "role": "instructor"})
    session.execute(insert(_audit).values(**row, details=details, created_at=now))


def entries(session: Session, seat: Seat, *, skip: int = 0, count: int = 100) -> tuple[Entry, ...]:
    """Lines of the course's record, the latest first."""
    rows = session.execute(
        select(_audit.c.who, _audit.c.what, _audit.c.details, _audit.c.created_at)
        .where(_audit.c.course_id == seat.course.id)
        .order_by(_audit.c.id.desc())
        .offset(skip)
        .limit(count)
    )
    return tuple(Entry(row.who, row.what, read_json(row.details), row.created_at) for row in rows)
