"""What belongs to one learner: all of it to take along, and all of it deleted."""

import json
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row, Table, delete, select, update

from quizprop.exercise.certify import PICK
from quizprop.store import people, sets
from quizprop.store.database import Session
from quizprop.store.models import (
    Account,
    Adjustment,
    ApiToken,
    Assignment,
    AuditEntry,
    Course,
    CourseMember,
    Draft,
    HintUse,
    Learner,
    LoginSession,
    ProblemSet,
    Regrade,
    ResetLink,
    SkillState,
    Slip,
    Submission,
    Variant,
    table,
)
from quizprop.store.people import Proof
from quizprop.store.sets import AssignedSet

__all__ = ["NOT_EXPORTED", "delete_account", "delete_learner", "export_sheets", "export_summary"]

_account, _assignment, _draft, _hint = table(Account), table(Assignment), table(Draft), table(HintUse)
_learner, _login, _link, _set = table(Learner), table(LoginSession), table(ResetLink), table(ProblemSet)
_course, _member, _audit = table(Course), table(CourseMember), table(AuditEntry)
_adjustment, _regrade, _token = table(Adjustment), table(Regrade), table(ApiToken)
_skill, _slip, _submission, _variant = table(SkillState), table(Slip), table(Submission), table(Variant)

NOT_EXPORTED: Final = frozenset({"password_hash", "token_sha256", "seed"})
"""Columns that open a door, or tell the answers of a sheet still being worked."""

MARKS: Final = ("marks", "points", "credit", "evidence")
"""What of a submission is not told before its problem set tells."""

_UNSEEN: Final[dict[str, Any]] = {"token": None, "given": {}, "spec": None}
"""What of a sheet is not seen before its problem set is open and begun, nor from where it may not be worked."""

_WRITTEN: Final = ("raw", "numbers")
"""What of a draft and of a submission is not seen then either."""

_JSON: Final = frozenset(
    {"aim", "card", "details", "evidence", "given", "knowledge", "marks", "numbers", "raw", "spec"}
)


# --- taking it along ------------------------------------------------------------------------------------------------


def export_summary(session: Session, learner_id: int, *, now: int) -> dict[str, Any]:
    """All that is kept of a learner but the sheets, ready for JSON; moments as ISO 8601 in UTC."""
    mine = {"learner_id": learner_id}
    accounts = list(_exported(session, _account, **mine))
    (learner,) = _exported(session, _learner, id=learner_id)
    return {
        "learner": learner,
        "account": accounts[0] if accounts else None,
        "reset_links": [link for account in accounts for link in _exported(session, _link, account_id=account["id"])],
        "sessions": list(_exported(session, _login, **mine)),
        "skills": list(_exported(session, _skill, **mine)),
        "slips": list(_exported(session, _slip, **mine)),
        "assignments": _assigned(session, learner_id, now),
        "adjustments": _told(session, learner_id, now),
        "courses": _attended(session, learner_id),
        "changes": list(_exported(session, _audit, **mine)),
        "tokens": list(_exported(session, _token, **mine)),
    }


def export_sheets(
    session: Session, learner_id: int, *, now: int, address: str | None = None, after: int = 0, count: int = 20
) -> list[dict[str, Any]]:
    """The next sheets of a learner, ``count`` at most, whose ids come ``after`` one; each with all that hangs on it.

    Marks that a problem set does not tell at ``now`` are None. So is all that is on a sheet that may not be seen from
    this ``address``.
    """
    found = (
        select(_variant)
        .where(_variant.c.learner_id == learner_id, _variant.c.id > after)
        .order_by(_variant.c.id)
        .limit(count)
    )
    hidden = sets.withheld_items(session, learner_id, now)
    works = sets.sets_of(session, learner_id, now)
    # A sheet that was handed out ahead, on paper perhaps, is not seen before its set is open and begun.
    shut = {item.id for of in works if of.too_early or not of.seen_from(address) for item in of.items}
    rows = session.execute(found).all()
    return [_sheet(session, row, told=row.set_item_id not in hidden, seen=row.set_item_id not in shut) for row in rows]


def _sheet(session: Session, row: Row[Any], *, told: bool, seen: bool) -> dict[str, Any]:
    sheet, of_sheet = _row(row), {"variant_id": row.id}
    sheet["given"].pop(PICK, None)  # it tells which option is right
    unseen = () if seen else _WRITTEN
    return {
        **sheet,
        **({} if seen else _UNSEEN),
        "draft": next((_without(one, unseen) for one in _exported(session, _draft, **of_sheet)), None),
        "hints": list(_exported(session, _hint, **of_sheet)),
        "submissions": [_without(one, unseen) for one in _submissions(session, of_sheet, told=told and seen)],
    }


def _without(row: dict[str, Any], unseen: Collection[str]) -> dict[str, Any]:
    return {name: None if name in unseen else value for name, value in row.items()}


def _submissions(session: Session, of_sheet: dict[str, int], *, told: bool) -> Iterator[dict[str, Any]]:
    for row in _exported(session, _submission, **of_sheet):
        if told:
            yield {**row, "regrades": list(_exported(session, _regrade, submission_id=row["id"]))}
        else:
            yield {**row, **dict.fromkeys(MARKS), "regrades": []}


def _told(session: Session, learner_id: int, now: int) -> list[dict[str, Any]]:
    """What teachers decided about items whose marks are told."""
    hidden = sets.withheld_items(session, learner_id, now)
    return [row for row in _exported(session, _adjustment, learner_id=learner_id) if row["set_item_id"] not in hidden]


def _assigned(session: Session, learner_id: int, now: int) -> list[dict[str, Any]]:
    """The problem sets, each with the score so far and its items."""
    found = (
        select(_assignment, _set.c.title, _set.c.due_at)
        .join_from(_assignment, _set)
        .where(_assignment.c.learner_id == learner_id)
        .order_by(_assignment.c.id)
    )
    works = {work.stored.id: work for work in sets.sets_of(session, learner_id, now)}
    return [{**_row(row), **_score(works[row.set_id])} for row in session.execute(found)]


def _attended(session: Session, learner_id: int) -> list[dict[str, Any]]:
    found = (
        select(_member, _course.c.title)
        .join_from(_member, _course)
        .where(_member.c.learner_id == learner_id)
        .order_by(_member.c.id)
    )
    return [_row(row) for row in session.execute(found)]


def _score(work: AssignedSet) -> dict[str, Any]:
    items = [
        {"exercise": item.exercise, "attempts": item.attempts, "score": item.score, "out_of": item.points}
        for item in work.items
    ]
    return {"score": work.score, "out_of": work.out_of, "items": items}


def _exported(session: Session, of: Table, **equal: int) -> Iterator[dict[str, Any]]:
    (order, *_) = of.primary_key.columns
    rows = session.execute(select(of).filter_by(**equal).order_by(order))
    return (_row(row) for row in rows.all())


def _row(row: Row[Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in row._asdict().items() if name not in NOT_EXPORTED}


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 - what a column holds, and what JSON holds
    if value is None:
        return None
    if name.endswith("_at"):
        return datetime.fromtimestamp(value / 1_000_000, UTC).isoformat(timespec="milliseconds")
    return json.loads(value) if name in _JSON else value


# --- deleting it ----------------------------------------------------------------------------------------------------


def delete_account(session: Session, proof: Proof) -> None:
    """Delete the account whose password was just proved, with its learner and all that is kept of them.

    Raises:
        StaleProofError: the password was changed meanwhile; ask for it again.
    """
    people.confirm(session, proof)
    delete_learner(session, proof.credentials.learner_id)


def delete_learner(session: Session, learner_id: int) -> None:
    """Delete a learner and every row that is theirs. Problem sets and courses stay for the others.

    What they changed in a course stays in its record, without their name.
    """
    # Held first: what is still being added waits, and is then refused.
    session.execute(select(_learner.c.id).where(_learner.c.id == learner_id).with_for_update())
    session.execute(select(_variant.c.id).where(_variant.c.learner_id == learner_id).with_for_update())
    session.execute(update(_audit).where(_audit.c.learner_id == learner_id).values(learner_id=None, who=""))
    for leaves, column, owners in _owned(learner_id):
        session.execute(delete(leaves).where(leaves.c[column].in_(owners)))


def _owned(learner_id: int) -> Iterator[tuple[Table, str, Any]]:
    """The tables with rows of a learner, a row before what it points to; and by which column they belong to whom."""
    sheets = select(_variant.c.id).where(_variant.c.learner_id == learner_id)
    accounts = select(_account.c.id).where(_account.c.learner_id == learner_id)
    checked = select(_submission.c.id).join(_variant, _variant.c.id == _submission.c.variant_id)
    yield _regrade, "submission_id", checked.where(_variant.c.learner_id == learner_id)
    for of_sheet in (_draft, _hint, _submission):
        yield of_sheet, "variant_id", sheets
    yield _link, "account_id", accounts
    for own in (_slip, _skill, _adjustment, _assignment, _member, _variant, _token, _account, _login):
        yield own, "learner_id", [learner_id]
    yield _learner, "id", [learner_id]
