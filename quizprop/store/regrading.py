"""Submissions of a problem set as they were made, to be judged again by other rules; what comes of it is added.

A submission itself never changes: its latest regrade counts, and every earlier one stays.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, insert, select

from quizprop.store import practice
from quizprop.store.classroom import Seat
from quizprop.store.database import Session
from quizprop.store.models import (
    Account,
    Assignment,
    CourseMember,
    HintUse,
    Regrade,
    SetItem,
    Submission,
    Variant,
    table,
)
from quizprop.store.practice import TERMS, StoredVariant, credit_now, read_json, read_terms
from quizprop.store.rules import Window
from quizprop.store.sets import StoredSet

__all__ = ["Made", "add_regrades", "made", "regrades_of"]

_account, _assignment, _member = table(Account), table(Assignment), table(CourseMember)
_hint, _regrade, _item = table(HintUse), table(Regrade), table(SetItem)
_submission, _variant = table(Submission), table(Variant)


@dataclass(frozen=True, slots=True)
class Made:
    """A submission of a student: what was typed, the hints open at that moment, the dates, the credit that it has."""

    submission_id: int
    variant: StoredVariant
    username: str | None
    position: int
    attempt: int
    raw: Mapping[str, str]
    decimal_comma: bool
    marks: Mapping[str, Any]
    credit: float
    rungs: Mapping[str, int]
    window: Window
    created_at: int


def made(session: Session, seat: Seat, problem_set: StoredSet) -> Iterator[Made]:
    """All submissions of the course's students for a problem set, each sheet's attempts in their order.

    They are read at once, and understood one by one: that takes longer, and no session needs to be open.
    """
    hints = _hints(session, problem_set)
    rows = session.execute(
        select(
            _submission,
            credit_now().label("credit_now"),
            _variant.c.learner_id,
            _item.c.position,
            _account.c.username,
            *TERMS,
        )
        .join_from(_submission, _variant)
        .join(_item, _item.c.id == _variant.c.set_item_id)
        .join(_member, (_member.c.learner_id == _variant.c.learner_id) & (_member.c.course_id == seat.course.id))
        .join(
            _assignment, (_assignment.c.learner_id == _variant.c.learner_id) & (_assignment.c.set_id == _item.c.set_id)
        )
        .outerjoin(_account, _account.c.learner_id == _variant.c.learner_id)
        .where(_item.c.set_id == problem_set.id, _member.c.role == "student")
        .order_by(_account.c.username_folded, _variant.c.id, _submission.c.attempt)
    ).all()
    variants = practice.variants_of_set(session, problem_set.id)
    return (_made(row, variants[row.variant_id], hints.get(row.variant_id, ()), problem_set) for row in rows)


def _made(row: Row[Any], variant: StoredVariant, opened: Iterable[tuple[str, int, int]], of: StoredSet) -> Made:
    return Made(
        submission_id=row.id,
        variant=variant,
        username=row.username,
        position=row.position,
        attempt=row.attempt,
        raw=read_json(row.raw),
        decimal_comma=bool(row.decimal_comma),
        marks=read_json(row.marks),
        credit=row.credit_now,
        rungs={key: rung for key, rung, at in opened if at <= row.created_at},
        window=Window.of(of.opens_at, of.due_at, of.policy, read_terms(row._asdict())),
        created_at=row.created_at,
    )


def add_regrades(session: Session, earned: Iterable[tuple[int, float]], *, now: int) -> None:
    """Let these submissions, by id, have other credits from now on."""
    rows = [{"submission_id": of, "credit": credit, "created_at": now} for of, credit in earned]
    if rows:
        session.execute(insert(_regrade), rows)


def regrades_of(session: Session, variant: StoredVariant) -> dict[int, float]:
    """The latest credit of each submission of a variant that was judged again, by the submission's id."""
    latest = (
        select(func.max(_regrade.c.id))
        .join(_submission, _submission.c.id == _regrade.c.submission_id)
        .where(_submission.c.variant_id == variant.id)
        .group_by(_regrade.c.submission_id)
    )
    rows = session.execute(select(_regrade.c.submission_id, _regrade.c.credit).where(_regrade.c.id.in_(latest)))
    return {row.submission_id: row.credit for row in rows}


def _hints(session: Session, problem_set: StoredSet) -> dict[int, list[tuple[str, int, int]]]:
    """The hints opened at a set's sheets, by variant: the cell, the rung, when; rising rungs."""
    rows = session.execute(
        select(_hint)
        .join(_variant, _variant.c.id == _hint.c.variant_id)
        .join(_item, _item.c.id == _variant.c.set_item_id)
        .where(_item.c.set_id == problem_set.id)
        .order_by(_hint.c.rung)
    )
    found: dict[int, list[tuple[str, int, int]]] = {}
    for row in rows:
        found.setdefault(row.variant_id, []).append((row.key, row.rung, row.created_at))
    return found
