"""Problem sets as a learner works them: what is assigned, until when, how far it is.

An item is worked on one variant, the learner's own. What a set allows, in time and in attempts, is decided where a
submission is recorded: `quizprop.store.practice.record_submission`.
"""

import math
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import Row, Select, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from quizprop.store import practice
from quizprop.store.models import Account, Assignment, Draft, ProblemSet, SetItem, Submission, Variant, table
from quizprop.store.practice import StoredVariant, must_be_open

__all__ = [
    "AssignedSet",
    "ItemState",
    "ItemWork",
    "NewItem",
    "NotAssignedError",
    "Place",
    "Result",
    "SetState",
    "StoredSet",
    "UnknownSetError",
    "all_sets",
    "assign",
    "change_set",
    "create_set",
    "find_place",
    "find_set",
    "move_due",
    "open_set",
    "results",
    "sets_of",
    "start_item",
]

ItemState = Literal["not started", "in work", "solved", "given up", "used up"]
SetState = Literal["not open yet", "open", "done", "past due"]

_Row = Row[*tuple[Any, ...]]

_set, _item, _assignment = table(ProblemSet), table(SetItem), table(Assignment)
_variant, _submission, _draft, _account = table(Variant), table(Submission), table(Draft), table(Account)


class NotAssignedError(LookupError):
    """The learner has no such problem set, or it has no such item."""


class UnknownSetError(LookupError):
    """No problem set, or more than one, goes by this name."""


@dataclass(frozen=True, slots=True)
class NewItem:
    """An exercise about to be put into a set: its slug, its JSON on that day, what it is worth."""

    exercise: str
    spec: str
    points: float = 1.0


@dataclass(frozen=True, slots=True)
class StoredSet:
    """A problem set. ``attempts`` is how often each item may be checked; None for any number."""

    id: int
    token: str
    title: str
    words: str
    opens_at: int | None
    due_at: int | None
    attempts: int | None
    created_at: int


@dataclass(frozen=True, slots=True)
class ItemWork:
    """An item and one learner's work at it. ``allowed`` is how often it may be checked, None for any number.

    ``variant_token`` is None before it is started, ``best_share`` and ``checked_at`` (the latest) before it is checked,
    ``typed_at`` before text is saved.
    """

    id: int
    position: int
    exercise: str
    spec: str
    points: float
    allowed: int | None
    variant_token: str | None
    given_up_at: int | None
    attempts: int
    best_share: float | None
    checked_at: int | None = None
    typed_at: int | None = None

    @property
    def attempts_left(self) -> int | None:
        """How often it may still be checked; None for any number."""
        return None if self.allowed is None else max(0, self.allowed - self.attempts)

    @property
    def state(self) -> ItemState:
        """How far it is, whatever the date."""
        if self.variant_token is None:
            return "not started"
        if self.best_share == 1:
            return "solved"
        if self.given_up_at is not None:
            return "given up"
        return "used up" if self.attempts_left == 0 else "in work"

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in ("solved", "given up", "used up")

    @property
    def unchecked_at(self) -> int | None:
        """When text was saved that is not checked yet; None where there is none, or none can be checked any more."""
        if self.over or self.typed_at is None:
            return None
        return self.typed_at if self.checked_at is None or self.typed_at > self.checked_at else None

    @property
    def score(self) -> float:
        """The points so far: those of the item by the best share of any attempt."""
        return self.points * (self.best_share or 0)


@dataclass(frozen=True, slots=True)
class AssignedSet:
    """A problem set as one learner sees it at the moment ``now``; the items in their order."""

    stored: StoredSet
    items: tuple[ItemWork, ...]
    now: int

    @property
    def state(self) -> SetState:
        """Whether there is something to do; a set is done before it is past due."""
        if self.stored.opens_at is not None and self.now < self.stored.opens_at:
            return "not open yet"
        if all(item.over for item in self.items):
            return "done"
        return "past due" if self.past_due else "open"

    @property
    def past_due(self) -> bool:
        """Whether it takes no more answers."""
        return self.stored.due_at is not None and self.now > self.stored.due_at

    @property
    def score(self) -> float:
        """The points of all items so far."""
        return math.fsum(item.score for item in self.items)

    @property
    def out_of(self) -> float:
        """The points of all items."""
        return math.fsum(item.points for item in self.items)

    @property
    def next_item(self) -> ItemWork | None:
        """The first item with something left to do; one in work before one that is not started."""
        left = [item for item in self.items if not item.over]
        return next((item for item in left if item.state == "in work"), left[0] if left else None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sheet stands: its problem set, and the item that it is."""

    of: AssignedSet
    item: ItemWork

    @property
    def next_item(self) -> ItemWork | None:
        """The item to go on with: the next one with something left to do, from the first again after the last."""
        position = self.item.position
        left = [item for item in self.of.items if not item.over and item.position != position]
        return next((item for item in left if item.position > position), left[0] if left else None)

    @property
    def last_attempt(self) -> bool:
        """Whether one more attempt is left, and no other."""
        return self.item.attempts_left == 1

    @property
    def used_up(self) -> bool:
        """Whether no attempt is left, so that the solution may be shown."""
        return self.item.attempts_left == 0


@dataclass(frozen=True, slots=True)
class Result:
    """One learner's problem set; ``username`` is None without an account."""

    username: str | None
    work: AssignedSet


def create_set(
    session: Session,
    *,
    title: str,
    items: Iterable[NewItem],
    now: int,
    words: str = "",
    opens_at: int | None = None,
    due_at: int | None = None,
    attempts: int | None = None,
) -> StoredSet:
    """A new problem set, assigned to nobody yet; its items in the given order.

    Raises:
        ValueError: no item, points that are not above 0, fewer than 1 attempt, or due before it opens.
    """
    rows = [asdict(item) for item in items]
    if not rows:
        raise ValueError("A problem set has at least one item")
    if not all(0 < row["points"] < math.inf for row in rows):
        raise ValueError(f"An item's points are above 0, not {[row['points'] for row in rows]}")
    _check_rules(attempts, opens_at, due_at)
    values: dict[str, Any] = {
        "token": secrets.token_hex(8),  # typed on a command line; what a set holds is kept by its assignments
        "title": title,
        "words": words,
        "opens_at": opens_at,
        "due_at": due_at,
        "attempts": attempts,
        "created_at": now,
    }
    set_id = session.execute(insert(_set).values(values).returning(_set.c.id)).scalar_one()
    session.execute(insert(_item), [{"set_id": set_id, "position": at, **row} for at, row in enumerate(rows, 1)])
    return StoredSet(id=set_id, **values)


def assign(session: Session, problem_set: StoredSet, learner_ids: Iterable[int], *, now: int) -> int:
    """Have these learners work the set. Returns to how many it is new; for the others nothing changes."""
    session.execute(select(_set.c.id).where(_set.c.id == problem_set.id).with_for_update()).one()
    known = session.execute(select(_assignment.c.learner_id).where(_assignment.c.set_id == problem_set.id)).scalars()
    fresh = sorted(set(learner_ids).difference(known))
    if fresh:
        rows = [{"learner_id": learner_id, "set_id": problem_set.id, "created_at": now} for learner_id in fresh]
        session.execute(insert(_assignment), rows)
    return len(fresh)


def move_due(session: Session, problem_set: StoredSet, due_at: int | None) -> None:
    """Give the set another date; None for no date.

    Raises:
        ValueError: it would be due before it opens.
    """
    _check_order(problem_set.opens_at, due_at)
    session.execute(update(_set).where(_set.c.id == problem_set.id).values(due_at=due_at))


def change_set(
    session: Session,
    problem_set: StoredSet,
    *,
    title: str,
    words: str,
    opens_at: int | None,
    due_at: int | None,
    attempts: int | None,
) -> None:
    """Give the set another title, other words, dates or rules. What was checked before stays as it is.

    Raises:
        ValueError: fewer than 1 attempt, or due before it opens.
    """
    _check_rules(attempts, opens_at, due_at)
    said = {"title": title, "words": words, "opens_at": opens_at, "due_at": due_at, "attempts": attempts}
    session.execute(update(_set).where(_set.c.id == problem_set.id).values(said))


def all_sets(session: Session) -> tuple[StoredSet, ...]:
    """Every problem set, the newest first."""
    return tuple(StoredSet(*row) for row in session.execute(select(_set).order_by(_set.c.id.desc())))


def find_set(session: Session, name: str) -> StoredSet:
    """The problem set of this token, or else of this title.

    Raises:
        UnknownSetError: none is called so, or several are.
    """
    known = all_sets(session)
    wanted = [one for one in known if one.token == name] or [one for one in known if one.title == name]
    if not wanted:
        raise UnknownSetError(f"No problem set has the token or the title {name!r}")
    if len(wanted) > 1:
        tokens = ", ".join(one.token for one in wanted)
        raise UnknownSetError(f"{len(wanted)} problem sets have the title {name!r}: name one as {tokens}")
    return wanted[0]


def sets_of(session: Session, learner_id: int, now: int) -> tuple[AssignedSet, ...]:
    """A learner's problem sets. What is open comes first, the next due before the others; what is over comes last."""
    values = {"learner_id": learner_id}
    found = session.execute(_SETS_OF_LEARNER, values)
    items = _by_set(session.execute(_ITEMS_OF_LEARNER, values))
    return tuple(sorted((_assigned(row, items[row.id], now) for row in found), key=_urgency))


def open_set(session: Session, token: str, *, learner_id: int, now: int) -> AssignedSet | None:
    """The learner's problem set of this token; None where there is none, or it is not theirs."""
    if not token.isalnum() or not token.isascii():  # PostgreSQL refuses to look for a NUL
        return None
    found = session.execute(_ONE_SET, {"learner_id": learner_id, "token": token}).one_or_none()
    return None if found is None else _with_items(session, found, learner_id, now)


def find_place(session: Session, variant: StoredVariant, *, now: int) -> Place | None:
    """Which item of which set the variant is worked for; None where it is not, or not assigned any more."""
    if variant.set_item_id is None:
        return None
    values = {"learner_id": variant.learner_id, "item_id": variant.set_item_id}
    found = session.execute(_SET_OF_ITEM, values).one_or_none()
    if found is None:
        return None
    of = _with_items(session, found, variant.learner_id, now)
    return Place(of, next(item for item in of.items if item.id == variant.set_item_id))


def start_item(
    session: Session,
    learner_id: int,
    item: ItemWork,
    *,
    seed: int,
    given: Mapping[str, Any],
    engine_version: str,
    now: int,
) -> StoredVariant:
    """The learner's one variant of an item: the numbers drawn here, unless there are some already.

    Raises:
        NotAssignedError: the item's set is not assigned to the learner.
        SetClosedError: the set is not open at ``now`` and the item was not started before.
    """
    values = {"learner_id": learner_id, "item_id": item.id}
    rules = session.execute(_LOCK_ASSIGNMENT, values).one_or_none()
    if rules is None:
        raise NotAssignedError(f"The learner {learner_id} has no problem set with the item {item.id}")
    token = session.execute(_STARTED, values).scalar_one_or_none()
    started = None if token is None else practice.find_variant(session, token, learner_id=learner_id)
    if started is not None:
        return started
    must_be_open(rules.opens_at, rules.due_at, now)
    return practice.create_variant(
        session,
        learner_id=learner_id,
        exercise=item.exercise,
        seed=seed,
        spec=item.spec,
        given=given,
        engine_version=engine_version,
        now=now,
        set_item_id=item.id,
    )


def results(session: Session, problem_set: StoredSet, *, now: int) -> tuple[Result, ...]:
    """How far everybody is to whom the set is assigned, in the order of their names."""
    found = session.execute(_ITEMS_OF_SET, {"set_id": problem_set.id})
    people = groupby(found, key=lambda row: row.learner_id)
    work = {learner_id: tuple(map(_item_work, rows)) for learner_id, rows in people}
    names = session.execute(_NAMES, {"set_id": problem_set.id})
    return tuple(Result(row.username, AssignedSet(problem_set, work[row.learner_id], now)) for row in names)


def _check_rules(attempts: int | None, opens_at: int | None, due_at: int | None) -> None:
    if attempts is not None and attempts < 1:
        raise ValueError(f"A problem set allows 1 attempt or more, not {attempts}")
    _check_order(opens_at, due_at)


def _check_order(opens_at: int | None, due_at: int | None) -> None:
    if opens_at is not None and due_at is not None and due_at <= opens_at:
        raise ValueError("A problem set is due after it opens: move one of the two")


def _items() -> Select[Any]:
    """A row an assigned item, with the learner's variant and what its submissions come to."""
    return (
        select(
            _assignment.c.learner_id,
            _assignment.c.set_id,
            _item.c.id,
            _item.c.position,
            _item.c.exercise,
            _item.c.spec,
            _item.c.points,
            _set.c.attempts.label("allowed"),
            _variant.c.token.label("variant_token"),
            _variant.c.given_up_at,
            func.count(_submission.c.id).label("attempts"),
            func.max(_submission.c.points / _submission.c.out_of).label("best_share"),
            func.max(_submission.c.created_at).label("checked_at"),
            func.max(_draft.c.saved_at).label("typed_at"),
        )
        .select_from(_assignment)
        .join(_set, _set.c.id == _assignment.c.set_id)
        .join(_item, _item.c.set_id == _assignment.c.set_id)
        .outerjoin(
            _variant, (_variant.c.set_item_id == _item.c.id) & (_variant.c.learner_id == _assignment.c.learner_id)
        )
        .outerjoin(_submission, _submission.c.variant_id == _variant.c.id)
        .outerjoin(_draft, _draft.c.variant_id == _variant.c.id)
        .group_by(_assignment.c.id, _set.c.id, _item.c.id, _variant.c.id)
        .order_by(_assignment.c.set_id, _assignment.c.learner_id, _item.c.position)
    )


_ASSIGNED = select(_set).join_from(_assignment, _set).where(_assignment.c.learner_id == bindparam("learner_id"))
_SETS_OF_LEARNER = _ASSIGNED.order_by(_set.c.id)
_ONE_SET = _ASSIGNED.where(_set.c.token == bindparam("token"))
_SET_OF_ITEM = _ASSIGNED.join(_item, _item.c.set_id == _set.c.id).where(_item.c.id == bindparam("item_id"))
_ITEMS_OF_LEARNER = _items().where(_assignment.c.learner_id == bindparam("learner_id"))
_ITEMS_OF_SET = _items().where(_assignment.c.set_id == bindparam("set_id"))
_ITEMS_OF_ONE = _ITEMS_OF_LEARNER.where(_assignment.c.set_id == bindparam("set_id"))
_LOCK_ASSIGNMENT = (
    select(_set.c.opens_at, _set.c.due_at)
    .join_from(_assignment, _set)
    .join(_item, _item.c.set_id == _set.c.id)
    .where(_assignment.c.learner_id == bindparam("learner_id"), _item.c.id == bindparam("item_id"))
    .with_for_update(of=_assignment)
)
_STARTED = select(_variant.c.token).where(
    _variant.c.set_item_id == bindparam("item_id"), _variant.c.learner_id == bindparam("learner_id")
)
_NAMES = (
    select(_assignment.c.learner_id, _account.c.username)
    .join_from(_assignment, _account, _account.c.learner_id == _assignment.c.learner_id, isouter=True)
    .where(_assignment.c.set_id == bindparam("set_id"))
    .order_by(_account.c.username_folded, _assignment.c.id)
)


def _with_items(session: Session, found: _Row, learner_id: int, now: int) -> AssignedSet:
    rows = session.execute(_ITEMS_OF_ONE, {"learner_id": learner_id, "set_id": found.id})
    return _assigned(found, tuple(map(_item_work, rows)), now)


def _by_set(rows: Iterable[_Row]) -> dict[int, tuple[ItemWork, ...]]:
    return {set_id: tuple(map(_item_work, group)) for set_id, group in groupby(rows, key=lambda row: row.set_id)}


def _assigned(row: _Row, items: tuple[ItemWork, ...], now: int) -> AssignedSet:
    return AssignedSet(StoredSet(*row), items, now)


def _item_work(row: _Row) -> ItemWork:
    values = row._asdict()
    return ItemWork(**{name: value for name, value in values.items() if name not in ("learner_id", "set_id")})


def _urgency(one: AssignedSet) -> tuple[int, float, int]:
    """What is open by its date, then what will open, then what is over, the latest first."""
    due = math.inf if one.stored.due_at is None else one.stored.due_at
    if one.state == "open":
        return 0, due, one.stored.id
    if one.state == "not open yet":
        return 1, one.stored.opens_at or 0, one.stored.id
    return 2, -due, -one.stored.id
