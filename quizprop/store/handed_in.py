"""What the students of a course handed in: single sheets, and every submission."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from quizprop.store import practice
from quizprop.store.classroom import Member, Seat, members, work_of_students
from quizprop.store.database import Session
from quizprop.store.models import Submission, Variant, table
from quizprop.store.practice import StoredVariant

__all__ = ["Marked", "marked_work", "sheets_beside", "student_sheet"]

_variant, _submission = table(Variant), table(Submission)


@dataclass(frozen=True, slots=True)
class Marked:
    """One submission of a student at an item of the course."""

    learner_id: int
    spec: str
    variant_id: int
    written: str
    began_at: int
    checked_at: int

    @property
    def marks(self) -> Mapping[str, Any]:
        """The marks, read anew: not while a database is open, which a long course keeps waiting."""
        # Verdicts and codes alone: what orjson refuses, half a surrogate pair, can't be there.
        found: Mapping[str, Any] = orjson.loads(self.written)
        return found


def marked_work(session: Session, seat: Seat) -> Iterator[Marked]:
    """Every submission of the course's students at its items, each sheet's attempts in their order."""
    rows = session.execute(
        work_of_students(seat.course)
        .add_columns(
            _variant.c.learner_id,
            _variant.c.spec,
            _submission.c.variant_id,
            _submission.c.marks,
            _variant.c.created_at.label("began_at"),
            _submission.c.created_at.label("checked_at"),
        )
        .join(_submission, _submission.c.variant_id == _variant.c.id)
        .order_by(_submission.c.variant_id, _submission.c.attempt)
    )
    for row in rows:
        yield Marked(row.learner_id, row.spec, row.variant_id, row.marks, row.began_at, row.checked_at)


def student_sheet(session: Session, seat: Seat, token: str) -> tuple[Member, StoredVariant] | None:
    """A sheet for one of the course's items, and the student whose it is; None where there is no such sheet."""
    if not token.isascii() or not token.isprintable():
        return None
    whose = session.execute(
        work_of_students(seat.course).add_columns(_variant.c.learner_id).where(_variant.c.token == token)
    ).scalar_one_or_none()
    variant = None if whose is None else practice.find_variant(session, token, learner_id=whose)
    if variant is None:
        return None
    return next(one for one in members(session, seat) if one.learner_id == whose), variant


def sheets_beside(session: Session, seat: Seat, variant: StoredVariant) -> tuple[str, ...]:
    """The tokens of all sheets that a student has had for the same item, the first one first."""
    whose = (_variant.c.learner_id == variant.learner_id) & (_variant.c.set_item_id == variant.set_item_id)
    rows = session.execute(
        work_of_students(seat.course).add_columns(_variant.c.token).where(whose).order_by(_variant.c.id)
    )
    return tuple(rows.scalars())
