"""What was served and what was typed: variants, submissions, progress.

Submissions are only ever added. To number them without gaps or doubles, `record_submission` locks the variant first.
"""

import json
import math
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Subquery, bindparam, case, func, insert, select, update

from quizprop.store.database import Session
from quizprop.store.models import Assignment, ProblemSet, Regrade, SetItem, Submission, Variant, table
from quizprop.store.rules import Policy, Terms, Window

__all__ = [
    "TERMS",
    "Checked",
    "ExerciseProgress",
    "NoAttemptsLeftError",
    "Progress",
    "SetClosedError",
    "StoredSubmission",
    "StoredVariant",
    "VariantClosedError",
    "VariantProgress",
    "checks",
    "create_variant",
    "credit_now",
    "find_variant",
    "give_up",
    "must_be_open",
    "progress",
    "read_json",
    "read_terms",
    "record_submission",
    "sheets",
    "submissions",
    "variants_of_set",
    "write_json",
]

_Row = Row[*tuple[Any, ...]]

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SEEDS = 1 << 128

_variant, _submission = table(Variant), table(Submission)
_set, _item, _assignment, _regrade = table(ProblemSet), table(SetItem), table(Assignment), table(Regrade)

TERMS = (
    _assignment.c.due_at.label("extended_to"),
    _assignment.c.started_at,
    _assignment.c.extra_time,
    _assignment.c.preview,
    _assignment.c.left_at,
)
"""The columns that `read_terms` reads."""


class VariantClosedError(ValueError):
    """The learner gave this variant up and saw its solution: it takes no more submissions."""


class SetClosedError(ValueError):
    """The problem set is not open yet, or past due: nothing is started, and nothing is counted any more."""


class NoAttemptsLeftError(ValueError):
    """This item of a problem set was checked as often as its set allows."""


@dataclass(frozen=True, slots=True)
class StoredVariant:
    """A sheet as it was served: ``spec`` is the exercise's JSON on that day, ``given`` the drawn numbers."""

    id: int
    token: str
    learner_id: int
    exercise: str
    seed: int
    spec: str
    given: Mapping[str, Any]
    engine_version: str
    created_at: int
    given_up_at: int | None
    aim: Mapping[str, Any] | None = None
    set_item_id: int | None = None


@dataclass(frozen=True, slots=True)
class StoredSubmission:
    """One checked sheet. Cell keys point to the typed text in ``raw``, to a number or None in ``numbers``.

    ``decimal_comma`` is how the text was read: whether ``0,3775`` is a number. ``evidence`` says of the cells that were
    answered for the first time how that went. ``credit`` is the share of an item's points that it earned by the rules
    of its moment.
    """

    id: int
    variant_id: int
    attempt: int
    key: str
    raw: Mapping[str, str]
    decimal_comma: bool
    numbers: Mapping[str, float | None]
    marks: Mapping[str, Any]
    points: float
    out_of: float
    engine_version: str
    created_at: int
    evidence: Mapping[str, str] = field(default_factory=dict)
    credit: float = 0.0

    @property
    def share(self) -> float:
        """How much of the sheet is right, 0 to 1; 1 for full marks only."""
        return self.points / self.out_of


@dataclass(frozen=True, slots=True)
class ExerciseProgress:
    """One learner's work at one exercise. ``best_share`` is None before the first submission."""

    exercise: str
    variants: int
    attempts: int
    best_share: float | None
    solved_variants: int
    last_worked_at: int

    @property
    def solved(self) -> bool:
        """Whether a variant got full marks.

        A variant given up is closed; but numbers that are the same each time may have been seen in the solution of an
        earlier variant.
        """
        return self.solved_variants > 0


@dataclass(frozen=True, slots=True)
class VariantProgress:
    """One learner's work at one variant. The shares are None before the first submission.

    ``set_item_id`` tells for which item of a problem set it is worked.
    """

    token: str
    exercise: str
    created_at: int
    given_up_at: int | None
    attempts: int
    best_share: float | None
    latest_share: float | None
    last_worked_at: int
    set_item_id: int | None = None

    @property
    def solved(self) -> bool:
        """Whether it got full marks, before it was given up if it was."""
        return self.best_share == 1


@dataclass(frozen=True, slots=True)
class Progress:
    """A learner's exercises in alphabetical order, and the variants started last, newest first."""

    exercises: tuple[ExerciseProgress, ...]
    recent: tuple[VariantProgress, ...]


_FIND_VARIANT = select(_variant).where(
    _variant.c.token == bindparam("token"), _variant.c.learner_id == bindparam("learner_id")
)
_LOCK_VARIANT = select(_variant.c.given_up_at).where(_variant.c.id == bindparam("variant_id")).with_for_update()
_GIVE_UP = (
    update(_variant)
    .where(_variant.c.id == bindparam("variant_id"))
    .values(given_up_at=func.coalesce(_variant.c.given_up_at, bindparam("now")))
    .returning(_variant.c.given_up_at)
)
_SUBMISSIONS = (
    select(_submission).where(_submission.c.variant_id == bindparam("variant_id")).order_by(_submission.c.attempt)
)
_SAME_KEY = select(_submission).where(
    _submission.c.variant_id == bindparam("variant_id"), _submission.c.key == bindparam("key")
)
# A learner may have had several sheets for an item: what counts is how often the item was checked.
_USED = (
    select(func.count())
    .select_from(_submission)
    .join(_variant, _variant.c.id == _submission.c.variant_id)
    .where(_variant.c.set_item_id == bindparam("set_item_id"), _variant.c.learner_id == bindparam("learner_id"))
    .scalar_subquery()
)
_RULES = (
    select(
        _set,
        *TERMS,
        _USED.label("used"),
    )
    .join_from(_item, _set)
    .outerjoin(_assignment, (_assignment.c.set_id == _set.c.id) & (_assignment.c.learner_id == bindparam("learner_id")))
    .where(_item.c.id == bindparam("set_item_id"))
)
_NEXT_ATTEMPT = (
    select(func.coalesce(func.max(_submission.c.attempt), 0) + 1)
    .where(_submission.c.variant_id == bindparam("variant_id"))
    .scalar_subquery()
)
_ADD_VARIANT = insert(_variant).returning(_variant.c.id)
_ADD_SUBMISSION = (
    insert(_submission)
    .values(variant_id=bindparam("variant_id"), attempt=_NEXT_ATTEMPT)
    .returning(_submission.c.id, _submission.c.attempt)
)


def create_variant(
    session: Session,
    *,
    learner_id: int,
    exercise: str,
    seed: int,
    spec: str,
    given: Mapping[str, Any],
    engine_version: str,
    now: int,
    aim: Mapping[str, Any] | None = None,
    set_item_id: int | None = None,
) -> StoredVariant:
    """Store a sheet about to be served: ``exercise`` is the slug, ``seed`` has 128 bits, ``spec`` is JSON.

    Its public token is random and tells nothing about the seed. ``aim`` says what it was chosen for, if it was;
    ``set_item_id`` for which item of a problem set it is worked.

    Raises:
        ValueError: the seed has more than 128 bits, or ``given`` holds NaN or an infinity.
    """
    if not 0 <= seed < _SEEDS:
        raise ValueError(f"A seed has 128 bits: 0 to 2**128 - 1, not {seed}")
    row = {
        "token": secrets.token_urlsafe(16),
        "learner_id": learner_id,
        "exercise": exercise,
        "seed": f"{seed:032x}",
        "spec": spec,
        "given": write_json(given),
        "engine_version": engine_version,
        "created_at": now,
        "given_up_at": None,
        "aim": None if aim is None else write_json(aim),
        "set_item_id": set_item_id,
    }
    variant_id = session.execute(_ADD_VARIANT, row).scalar_one()
    return _stored_variant({"id": variant_id, **row})


def find_variant(session: Session, token: str, *, learner_id: int) -> StoredVariant | None:
    """The learner's variant of this token; None where there is none, or it is somebody else's."""
    if not _TOKEN.fullmatch(token):  # PostgreSQL refuses to look for a NUL
        return None
    row = session.execute(_FIND_VARIANT, {"token": token, "learner_id": learner_id}).one_or_none()
    return None if row is None else _stored_variant(row._asdict())


def record_submission(
    session: Session,
    variant: StoredVariant,
    *,
    key: str,
    raw: Mapping[str, str],
    decimal_comma: bool,
    numbers: Mapping[str, float | None],
    marks: Mapping[str, Any],
    points: float,
    out_of: float,
    engine_version: str,
    now: int,
    evidence: Mapping[str, str] | None = None,
    credit: float | None = None,
) -> tuple[StoredSubmission, bool]:
    """Add a checked sheet as the next attempt. A second call with the same ``key`` changes nothing.

    ``credit`` is what it would be worth in time, 0 to 1, the share of its points where it is None; what a problem set
    takes from late work is taken here.

    Returns:
        The submission, and whether this call created it; else it is the one stored under ``key`` before.

    Raises:
        VariantClosedError: the variant was given up, and this is not a repetition of an earlier submission.
        SetClosedError: likewise, where its problem set is not open at ``now``.
        NoAttemptsLeftError: likewise, where its problem set allows no further attempt.
        ValueError: a key other than 1 to 64 letters, digits, - and _; points beyond 0 to ``out_of``; NaN or an
            infinity among the numbers.
        LookupError: the variant is not in the database.
    """
    row = {
        "variant_id": variant.id,
        "key": _checked_key(key),
        "raw": write_json(raw),
        "decimal_comma": decimal_comma,
        "numbers": write_json(numbers),
        "marks": write_json(marks),
        **_checked_points(points, out_of),
        "evidence": write_json(evidence or {}),
        "engine_version": engine_version,
        "created_at": now,
    }
    earlier = _lock_for_attempt(session, variant, key)
    if earlier is not None:
        return earlier, False
    row["credit"] = (points / out_of if credit is None else _checked_credit(credit)) * _worth(session, variant, now)
    submission_id, attempt = session.execute(_ADD_SUBMISSION, row).one()
    return _stored_submission({"id": submission_id, "attempt": attempt, **row}), True


def _lock_for_attempt(session: Session, variant: StoredVariant, key: str) -> StoredSubmission | None:
    """Hold the variant until the transaction ends, so that nobody else counts its attempts; what ``key`` stored."""
    locked = session.execute(_LOCK_VARIANT, {"variant_id": variant.id}).one_or_none()
    if locked is None:
        raise LookupError(f"No variant with the id {variant.id}")
    earlier = session.execute(_SAME_KEY, {"variant_id": variant.id, "key": key}).one_or_none()
    if earlier is not None:
        return _stored_submission(earlier._asdict())
    if locked.given_up_at is not None:
        raise VariantClosedError("This sheet was given up and its solution shown: start a new one.")
    return None


def _worth(session: Session, variant: StoredVariant, now: int) -> float:
    """What work at ``now`` is worth, 0 to 1; refuse what the problem set does not allow.

    The variant is locked, and an earlier one of the same item is closed: nobody else counts its attempts.
    """
    if variant.set_item_id is None:
        return 1.0
    keys = {"set_item_id": variant.set_item_id, "learner_id": variant.learner_id}
    rules = session.execute(_RULES, keys).one()._asdict()
    terms = read_terms(rules)
    window = Window.of(rules["opens_at"], rules["due_at"], Policy.from_row(rules), terms)
    if terms.left_at is not None:
        raise SetClosedError("You were taken out of this course: nothing is checked any more.")
    must_be_open(window, now)
    if window.policy.begun and terms.started_at is None and not terms.preview:
        raise SetClosedError("This problem set has to be begun first.")
    allowed = None if terms.preview else rules["attempts"]
    if allowed is not None and rules["used"] >= allowed:
        raise NoAttemptsLeftError(f"This item could be checked {allowed} times, and it was: no attempt is left.")
    return window.share_at(now)


def read_terms(row: Mapping[str, Any]) -> Terms:
    """What is different for a learner, from the columns `TERMS` of an assignment; nothing where there is none."""
    return Terms(row["extended_to"], row["started_at"], row["extra_time"] or 0.0, bool(row["preview"]), row["left_at"])


def must_be_open(window: Window, now: int) -> None:
    """Refuse what comes before a problem set opens, or after it closes; both moments themselves are in time.

    Raises:
        SetClosedError: ``now`` is too early or too late.
    """
    if window.opens_at is not None and now < window.opens_at:
        raise SetClosedError("This problem set is not open yet: come back when it opens.")
    if window.ends_at is not None and now > window.ends_at:
        raise SetClosedError("The time for this problem set is over: it takes no more answers.")
    if window.closes_at is not None and now > window.closes_at:
        raise SetClosedError("This problem set is past due: it takes no more answers.")


def credit_now() -> ColumnElement[float]:
    """The credit of a submission: that of its latest regrade, else the one it was given."""
    latest = (
        select(_regrade.c.credit)
        .where(_regrade.c.submission_id == _submission.c.id)
        .order_by(_regrade.c.id.desc())
        .limit(1)
        .correlate(_submission)
        .scalar_subquery()
    )
    return func.coalesce(latest, _submission.c.credit)


def submissions(session: Session, variant: StoredVariant) -> tuple[StoredSubmission, ...]:
    """All submissions of a variant, the first attempt first."""
    return tuple(_stored_submission(row._asdict()) for row in session.execute(_SUBMISSIONS, {"variant_id": variant.id}))


def variants_of_set(session: Session, set_id: int) -> dict[int, StoredVariant]:
    """All sheets that were handed out for a problem set, by their id."""
    rows = session.execute(
        select(_variant).join(_item, _item.c.id == _variant.c.set_item_id).where(_item.c.set_id == set_id)
    )
    return {row.id: _stored_variant(row._asdict()) for row in rows}


def give_up(session: Session, variant: StoredVariant, *, now: int) -> StoredVariant:
    """Close a variant, so that its solution may be shown. Given up twice, the first time counts.

    Raises:
        LookupError: the variant is not in the database.
    """
    row = session.execute(_GIVE_UP, {"variant_id": variant.id, "now": now}).one_or_none()
    if row is None:
        raise LookupError(f"No variant with the id {variant.id}")
    return replace(variant, given_up_at=row.given_up_at)


def progress(session: Session, learner_id: int, *, recent: int = 20, hidden: Collection[int] = ()) -> Progress:
    """What a learner has done so far, with the ``recent`` variants started last. Two queries.

    ``hidden`` are the items of problem sets whose marks are not told yet.
    """
    values = {"learner_id": learner_id, "hidden": list(hidden)}
    exercises = session.execute(_BY_EXERCISE, values)
    variants = session.execute(_RECENT, {**values, "recent": recent})
    return Progress(
        exercises=tuple(_exercise_progress(row) for row in exercises),
        recent=tuple(_variant_progress(row) for row in variants),
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """A check of some sheet: when, whether it got full marks, and what its first answers were."""

    variant_id: int
    created_at: int
    full: bool
    evidence: Mapping[str, str]


def checks(session: Session, learner_id: int, *, since: int, hidden: Collection[int] = ()) -> tuple[Checked, ...]:
    """A learner's checks from a moment on, the first one first; at items that are ``hidden`` none is full."""
    rows = session.execute(
        select(
            _submission.c.variant_id,
            _submission.c.created_at,
            _submission.c.points,
            _submission.c.out_of,
            _submission.c.evidence,
            _variant.c.set_item_id,
        )
        .join_from(_submission, _variant, _variant.c.id == _submission.c.variant_id)
        .where(_variant.c.learner_id == learner_id, _submission.c.created_at >= since)
        .order_by(_submission.c.created_at, _submission.c.id)
    )
    return tuple(
        Checked(
            row.variant_id,
            row.created_at,
            row.points == row.out_of and row.set_item_id not in hidden,
            read_json(row.evidence),
        )
        for row in rows
    )


def sheets(
    session: Session, learner_id: int, *, skip: int, count: int, hidden: Collection[int] = ()
) -> tuple[VariantProgress, ...]:
    """So many of a learner's sheets, those started last first, after some that are skipped.

    ``hidden`` are the items of problem sets whose marks are not told yet.
    """
    values = {"learner_id": learner_id, "skip": skip, "recent": count, "hidden": list(hidden)}
    rows = session.execute(_SHEETS, values)
    return tuple(_variant_progress(row) for row in rows)


def _is_hidden(item_id: ColumnElement[int | None]) -> ColumnElement[bool]:
    return item_id.in_(bindparam("hidden", expanding=True))


def _worked_variants() -> Select[Any]:
    """A row a variant of one learner, with what its submissions come to."""
    share = case((_is_hidden(_variant.c.set_item_id), None), else_=_submission.c.points / _submission.c.out_of)
    return (
        select(
            _variant.c.id,
            _variant.c.token,
            _variant.c.exercise,
            _variant.c.created_at,
            _variant.c.given_up_at,
            _variant.c.set_item_id,
            func.count(_submission.c.id).label("attempts"),
            func.max(share).label("best_share"),
            func.max(_submission.c.created_at).label("submitted_at"),
        )
        .join_from(_variant, _submission, isouter=True)
        .where(_variant.c.learner_id == bindparam("learner_id"))
        .group_by(_variant.c.id)
    )


def _by_exercise(worked: Subquery) -> Select[Any]:
    return (
        select(
            worked.c.exercise,
            func.count().label("variants"),
            func.sum(worked.c.attempts).label("attempts"),
            func.max(worked.c.best_share).label("best_share"),
            func.sum(case((worked.c.best_share >= 1, 1), else_=0)).label("solved_variants"),
            func.max(worked.c.created_at).label("created_at"),
            func.max(worked.c.submitted_at).label("submitted_at"),
            func.max(worked.c.given_up_at).label("given_up_at"),
        )
        .group_by(worked.c.exercise)
        .order_by(worked.c.exercise)
    )


def _recent(worked: Subquery) -> Select[Any]:
    latest_share = (
        select(_submission.c.points / _submission.c.out_of)
        .where(_submission.c.variant_id == worked.c.id)
        .order_by(_submission.c.attempt.desc())
        .limit(1)
        .scalar_subquery()
    )
    shown = case((_is_hidden(worked.c.set_item_id), None), else_=latest_share)
    return select(worked, shown.label("latest_share")).order_by(worked.c.created_at.desc(), worked.c.id.desc())


_BY_EXERCISE = _by_exercise(_worked_variants().subquery())
_RECENT = _recent(
    _worked_variants()
    .order_by(_variant.c.created_at.desc(), _variant.c.id.desc())
    .limit(bindparam("recent"))
    .subquery()
)


_SHEETS = _recent(
    _worked_variants()
    .order_by(_variant.c.created_at.desc(), _variant.c.id.desc())
    .limit(bindparam("recent"))
    .offset(bindparam("skip"))
    .subquery()
)


def _exercise_progress(row: _Row) -> ExerciseProgress:
    return ExerciseProgress(
        exercise=row.exercise,
        variants=row.variants,
        attempts=int(row.attempts),
        best_share=row.best_share,
        solved_variants=int(row.solved_variants),
        last_worked_at=_last_worked_at(row),
    )


def _variant_progress(row: _Row) -> VariantProgress:
    return VariantProgress(
        token=row.token,
        exercise=row.exercise,
        created_at=row.created_at,
        given_up_at=row.given_up_at,
        attempts=row.attempts,
        best_share=row.best_share,
        latest_share=row.latest_share,
        last_worked_at=_last_worked_at(row),
        set_item_id=row.set_item_id,
    )


def _last_worked_at(row: _Row) -> int:
    moments: tuple[int | None, ...] = (row.created_at, row.submitted_at, row.given_up_at)
    return max(moment for moment in moments if moment is not None)


def _stored_variant(values: Mapping[str, Any]) -> StoredVariant:
    aim = None if values["aim"] is None else read_json(values["aim"])
    decoded = {"seed": int(values["seed"], 16), "given": read_json(values["given"]), "aim": aim}
    return StoredVariant(**{**values, **decoded})


def _stored_submission(values: Mapping[str, Any]) -> StoredSubmission:
    decoded = {name: read_json(values[name]) for name in ("raw", "numbers", "marks", "evidence")}
    return StoredSubmission(**{**values, **decoded})


def _checked_key(key: str) -> str:
    if not _TOKEN.fullmatch(key):
        raise ValueError(f"A submission's key is 1 to 64 letters, digits, - and _, not {key[:80]!r}")
    return key


def _checked_points(points: float, out_of: float) -> dict[str, float]:
    if not (0 <= points <= out_of and 0 < out_of < float("inf")):
        raise ValueError(f"Points are 0 to out_of, and out_of is more than 0, not {points} of {out_of}")
    return {"points": float(points), "out_of": float(out_of)}


def _checked_credit(credit: float) -> float:
    if not 0 <= credit <= 1 or math.isnan(credit):
        raise ValueError(f"A credit is 0 to 1, not {credit}")
    return float(credit)


_written = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def write_json(value: Mapping[str, Any]) -> str:
    """JSON as it is stored: ASCII escapes keep what PostgreSQL and UTF-8 refuse, a NUL and half a surrogate pair."""
    return _written(value)


def read_json(text: str) -> Any:  # noqa: ANN401 - JSON may hold anything
    """What `write_json` wrote."""
    return json.loads(text)
