"""Problem sets as a learner works them: what is assigned, until when, how far it is.

An item is worked on one variant, the learner's own. What a set allows, in time and in attempts, is decided where a
submission is recorded: `quizprop.store.practice.record_submission`.
"""

import hashlib
import math
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Select, bindparam, delete, exists, false, func, insert, select, update

from quizprop.store import practice
from quizprop.store.database import Session
from quizprop.store.models import (
    Account,
    Adjustment,
    Assignment,
    Draft,
    ProblemSet,
    SetItem,
    Submission,
    Variant,
    table,
)
from quizprop.store.practice import TERMS, SetClosedError, StoredVariant, credit_now, must_be_open, read_terms
from quizprop.store.rules import Policy, Terms, Window, Worth, best_of, is_here

__all__ = [
    "AssignedSet",
    "ItemState",
    "ItemWork",
    "NewItem",
    "NotAssignedError",
    "NotBegunError",
    "Place",
    "Result",
    "SetState",
    "StoredSet",
    "UnknownSetError",
    "all_sets",
    "assign",
    "begin_set",
    "change_set",
    "create_set",
    "delete_set",
    "extra_times",
    "find_place",
    "find_set",
    "give_extra_time",
    "items_of",
    "leave",
    "move_due",
    "open_set",
    "replace_items",
    "results",
    "sets_of",
    "stands_of",
    "start_item",
    "started",
    "withheld_items",
]

ItemState = Literal["not started", "in work", "solved", "given up", "used up", "excused"]
SetState = Literal["not open yet", "open", "done", "past due"]

_Row = Row[*tuple[Any, ...]]

_set, _item, _assignment = table(ProblemSet), table(SetItem), table(Assignment)
_variant, _submission, _draft, _account = table(Variant), table(Submission), table(Draft), table(Account)
_adjustment = table(Adjustment)


class NotAssignedError(LookupError):
    """The learner has no such problem set, or it has no such item."""


class NotBegunError(SetClosedError):
    """The set has a time limit or a password, and the learner has not begun it."""


class UnknownSetError(LookupError):
    """No problem set, or more than one, goes by this name."""


@dataclass(frozen=True, slots=True)
class NewItem:
    """An exercise about to be put into a set: its slug, its JSON on that day, what it is worth, its group if any."""

    exercise: str
    spec: str
    points: float = 1.0
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class StoredSet:
    """A problem set. ``attempts`` is how often each item may be checked; None for any number.

    ``seed`` is there where everybody has the same numbers.
    """

    id: int
    token: str
    title: str
    words: str
    opens_at: int | None
    due_at: int | None
    attempts: int | None
    created_at: int
    policy: Policy = field(default_factory=Policy)
    seed: str | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "StoredSet":
        """A row of the table."""
        plain = {name: row[name] for name in cls.__dataclass_fields__ if name != "policy"}
        return cls(**plain, policy=Policy.from_row(row))


@dataclass(frozen=True, slots=True)
class ItemWork:
    """An item and one learner's work at it. ``allowed`` is how often it may be checked, None for any number.

    ``variant_token`` is None before it is started, ``best_share``, ``best_credit`` and ``checked_at`` (the latest)
    before it is checked, ``typed_at`` before text is saved. ``sheets`` counts the sheets that were handed out,
    ``tries`` the checks of the latest one. ``adjusted`` are points in place of those earned.
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
    best_credit: float | None = None
    zone: str | None = None
    tries: int = 0
    sheets: int = 0
    adjusted: float | None = None
    excused: bool = False

    @property
    def attempts_left(self) -> int | None:
        """How often it may still be checked; None for any number."""
        return None if self.allowed is None else max(0, self.allowed - self.attempts)

    @property
    def state(self) -> ItemState:
        """How far it is, whatever the date."""
        if self.excused:
            return "excused"
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
        return self.state in ("solved", "given up", "used up", "excused")

    @property
    def unchecked_at(self) -> int | None:
        """When text was saved that is not checked yet; None where there is none, or none can be checked any more."""
        if self.over or self.typed_at is None:
            return None
        return self.typed_at if self.checked_at is None or self.typed_at > self.checked_at else None

    @property
    def score(self) -> float:
        """The points so far: those of the item by the best credit of any attempt, or those decided by a teacher."""
        return self.points * (self.best_credit or 0) if self.adjusted is None else self.adjusted

    @property
    def worth(self) -> Worth:
        """What it counts in the set."""
        return Worth(self.zone, self.score, self.points, self.excused)


@dataclass(frozen=True, slots=True)
class AssignedSet:
    """A problem set as one learner sees it at the moment ``now``, with the due date that is theirs; items in order."""

    stored: StoredSet
    items: tuple[ItemWork, ...]
    now: int
    terms: Terms = field(default_factory=Terms)

    @property
    def window(self) -> Window:
        """The dates that hold for the learner."""
        return Window.of(self.stored.opens_at, self.stored.due_at, self.stored.policy, self.terms)

    @property
    def state(self) -> SetState:
        """Whether there is something to do; a set is done before it is past due."""
        if self.window.opens_at is not None and self.now < self.window.opens_at:
            return "not open yet"
        if all(item.over for item in self.items):
            return "done"
        return "past due" if self.past_due else "open"

    @property
    def past_due(self) -> bool:
        """Whether the time for it is over."""
        closes_at = self.window.closes_at
        return closes_at is not None and self.now > closes_at

    @property
    def left(self) -> bool:
        """Whether the learner was taken out of its course: nothing is handed out or checked any more."""
        return self.terms.left_at is not None

    @property
    def worth_now(self) -> float:
        """The share that work of this moment is worth: 1 in time, less when it is late."""
        return self.window.share_at(self.now)

    @property
    def to_begin(self) -> bool:
        """Whether the learner has to begin it before anything is handed out."""
        return self.stored.policy.begun and self.terms.started_at is None and not self.terms.preview

    @property
    def too_early(self) -> bool:
        """Whether the learner is to see no sheet yet, even if one was handed out ahead, on paper perhaps."""
        return not self.past_due and (self.state == "not open yet" or self.to_begin)

    @property
    def withheld(self) -> bool:
        """Whether the learner is not told yet how the work was graded."""
        return self.window.withheld(self.now)

    def seen_from(self, address: str | None) -> bool:
        """Whether it may be seen from an address; what is over and told may from anywhere."""
        over = self.past_due and not self.withheld
        return over or self.terms.preview or is_here(self.stored.policy, address)

    def seed_for(self, item: ItemWork) -> int:
        """128 bits for the next sheet of an item: the same for everybody where the set says so, else of chance."""
        if self.stored.seed is None:
            return secrets.randbits(128)
        name = f"{self.stored.seed}/{item.position}/{item.sheets}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:16])

    def may_renew(self, item: ItemWork) -> bool:
        """Whether the learner may have new numbers for an item, having tried those they have often enough."""
        after = self.stored.policy.fresh_after
        return after is not None and item.tries >= after and not item.over and self.state == "open"

    @property
    def score(self) -> float:
        """The points of all items so far, where of a group only the best count."""
        return self._total[0]

    @property
    def out_of(self) -> float:
        """The points of all items that count."""
        return self._total[1]

    @property
    def _total(self) -> tuple[float, float]:
        return best_of((item.worth for item in self.items), self.stored.policy.best_of)

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

    learner_id: int
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
    policy: Policy | None = None,
    same_numbers: bool = False,
) -> StoredSet:
    """A new problem set, assigned to nobody yet; its items in the given order.

    With ``same_numbers`` everybody who works it has the same.

    Raises:
        ValueError: no item, points that are not above 0, fewer than 1 attempt, or due before it opens.
        PolicyError: rules that make no sense.
    """
    policy = policy or Policy()
    rows = _checked_items(items)
    _check_rules(attempts, opens_at, due_at)
    policy.check(due_at)
    values: dict[str, Any] = {
        "token": secrets.token_hex(8),  # typed on a command line; what a set holds is kept by its assignments
        "title": title,
        "words": words,
        "opens_at": opens_at,
        "due_at": due_at,
        "attempts": attempts,
        "created_at": now,
        "seed": secrets.token_hex(16) if same_numbers else None,
    }
    added = insert(_set).values({**values, **policy.as_row()}).returning(_set.c.id)
    set_id = session.execute(added).scalar_one()
    session.execute(insert(_item), [{"set_id": set_id, "position": at, **row} for at, row in enumerate(rows, 1)])
    return StoredSet(id=set_id, **values, policy=policy)


def assign(
    session: Session, problem_set: StoredSet, learner_ids: Iterable[int], *, now: int, preview: bool = False
) -> int:
    """Have these learners work the set. Returns to how many it is new; who left it goes on, for others nothing changes.

    Who is to ``preview`` it only tries it out.
    """
    learner_ids = set(learner_ids)
    session.execute(select(_set.c.id).where(_set.c.id == problem_set.id).with_for_update()).one()
    if not preview:  # who only tried it out is to work it now
        end_previews(session, [problem_set.id], learner_ids)
    known = session.execute(select(_assignment.c.learner_id).where(_assignment.c.set_id == problem_set.id)).scalars()
    fresh = sorted(learner_ids.difference(known))
    if fresh:
        of_all = {"set_id": problem_set.id, "created_at": now, "preview": preview}
        rows = [{"learner_id": learner_id, **of_all} for learner_id in fresh]
        session.execute(insert(_assignment), rows)
    back = (_assignment.c.set_id == problem_set.id) & _assignment.c.learner_id.in_(learner_ids)
    session.execute(update(_assignment).where(back, _assignment.c.left_at.is_not(None)).values(left_at=None))
    return len(fresh)


def leave(session: Session, problem_set: StoredSet, learner_id: int, *, now: int) -> None:
    """Have a learner work the set no more: what they have not touched is taken away, the rest stays as it is."""
    leave_untouched(session, problem_set, learner_id)
    session.execute(
        update(_assignment)
        .where(_assignment.c.set_id == problem_set.id, _assignment.c.learner_id == learner_id)
        .values(left_at=now)
    )


def leave_untouched(session: Session, problem_set: StoredSet, learner_id: int) -> None:
    """Take a set from a learner who has not begun it, nor any item, and has no date of their own; else nothing."""
    items = select(_item.c.id).where(_item.c.set_id == problem_set.id)
    started = exists().where(_variant.c.learner_id == learner_id, _variant.c.set_item_id.in_(items))
    here = (_assignment.c.set_id == problem_set.id) & (_assignment.c.learner_id == learner_id)
    plain = _assignment.c.started_at.is_(None) & _assignment.c.due_at.is_(None) & ~_assignment.c.preview
    session.execute(delete(_assignment).where(here, plain, ~started))


def end_previews(session: Session, set_ids: Collection[int], learner_ids: Collection[int]) -> None:
    """Have these learners try these sets out no more; what they did there stays theirs, outside of the sets."""
    tried = _assignment.c.preview & _assignment.c.set_id.in_(set_ids) & _assignment.c.learner_id.in_(learner_ids)
    items = (
        select(_item.c.id)
        .join(_assignment, _assignment.c.set_id == _item.c.set_id)
        .where(tried, _assignment.c.learner_id == _variant.c.learner_id)
        .correlate(_variant)
    )
    session.execute(update(_variant).where(_variant.c.set_item_id.in_(items)).values(set_item_id=None))
    session.execute(delete(_assignment).where(tried))


def give_extra_time(
    session: Session, set_ids: Collection[int], learner_ids: Collection[int], extra_time: float
) -> None:
    """Add a share to the time limits that learners have in these sets; 0 adds nothing."""
    session.execute(
        update(_assignment)
        .where(_assignment.c.set_id.in_(set_ids), _assignment.c.learner_id.in_(learner_ids))
        .values(extra_time=extra_time)
    )


def extra_times(session: Session, set_ids: Collection[int], learner_ids: Collection[int]) -> dict[int, float]:
    """The extra time of those of the learners who have some in these sets."""
    theirs = _assignment.c.set_id.in_(set_ids) & _assignment.c.learner_id.in_(learner_ids)
    found = (
        select(_assignment.c.learner_id, func.max(_assignment.c.extra_time).label("extra_time"))
        .where(theirs, _assignment.c.extra_time > 0)
        .group_by(_assignment.c.learner_id)
    )
    return {row.learner_id: row.extra_time for row in session.execute(found)}


def move_due(session: Session, problem_set: StoredSet, due_at: int | None) -> None:
    """Give the set another date; None for no date.

    Raises:
        ValueError: it would be due before it opens, or its rules need a date.
    """
    _check_order(problem_set.opens_at, due_at)
    problem_set.policy.check(due_at)
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
    policy: Policy | None = None,
) -> None:
    """Give the set another title, other words, dates or rules. What was checked before stays as it is.

    Raises:
        ValueError: fewer than 1 attempt, or due before it opens.
        PolicyError: rules that make no sense.
    """
    _check_rules(attempts, opens_at, due_at)
    policy = problem_set.policy if policy is None else policy
    policy.check(due_at)
    said = {"title": title, "words": words, "opens_at": opens_at, "due_at": due_at, "attempts": attempts}
    session.execute(update(_set).where(_set.c.id == problem_set.id).values({**said, **policy.as_row()}))


def items_of(session: Session, problem_set: StoredSet) -> tuple[NewItem, ...]:
    """The items of a set in their order, as they would be put into a new one."""
    rows = session.execute(
        select(_item.c.exercise, _item.c.spec, _item.c.points, _item.c.zone)
        .where(_item.c.set_id == problem_set.id)
        .order_by(_item.c.position)
    )
    return tuple(NewItem(*row) for row in rows)


def replace_items(session: Session, problem_set: StoredSet, items: Iterable[NewItem]) -> None:
    """Give a set that nobody has to work other items. Who tried the old ones out keeps those sheets, outside of it.

    Raises:
        ValueError: it is somebody's to work, or there is no item, or points are not above 0.
    """
    rows = _checked_items(items)
    session.execute(select(_set.c.id).where(_set.c.id == problem_set.id).with_for_update()).one()
    given = select(func.count()).where(_assignment.c.set_id == problem_set.id, ~_assignment.c.preview)
    if session.execute(given).scalar_one():
        raise ValueError("Students have this problem set: its exercises stay")
    old = select(_item.c.id).where(_item.c.set_id == problem_set.id)
    session.execute(update(_variant).where(_variant.c.set_item_id.in_(old)).values(set_item_id=None))
    session.execute(delete(_item).where(_item.c.set_id == problem_set.id))
    session.execute(
        insert(_item), [{"set_id": problem_set.id, "position": at, **row} for at, row in enumerate(rows, 1)]
    )


def delete_set(session: Session, problem_set: StoredSet) -> None:
    """Delete a set, unless somebody is to work it; what was tried out stays with who did."""
    known = session.execute(select(_assignment).where(_assignment.c.set_id == problem_set.id)).all()
    if not all(one.preview for one in known):
        return
    end_previews(session, [problem_set.id], [one.learner_id for one in known])
    session.execute(delete(_item).where(_item.c.set_id == problem_set.id))
    session.execute(delete(_set).where(_set.c.id == problem_set.id))


def all_sets(session: Session) -> tuple[StoredSet, ...]:
    """Every problem set, the newest first."""
    rows = session.execute(select(_set).order_by(_set.c.id.desc()))
    return tuple(StoredSet.from_row(row._asdict()) for row in rows)


def find_set(session: Session, name: str) -> StoredSet:
    """The problem set of this token, or else of this title.

    Raises:
        UnknownSetError: none is called so, or several are.
    """
    known = all_sets(session)
    wanted = [one for one in known if one.token == name] or [one for one in known if one.title == name]
    if not wanted:
        raise UnknownSetError(
            f"No problem set has the short name or the title {name!r}. All of them: quizprop sets list"
        )
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


def stands_of(session: Session, problem_set: StoredSet, learner_id: int, now: int) -> AssignedSet | None:
    """How far a learner is with a set, for those who teach: with all marks. None where it is not theirs."""
    found = session.execute(_ONE_SET, {"learner_id": learner_id, "token": problem_set.token}).one_or_none()
    if found is None:
        return None
    rows = session.execute(_ITEMS_OF_ONE, {"learner_id": learner_id, "set_id": found.id})
    return _stands(found, tuple(map(_item_work, rows)), now)


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


def withheld_items(session: Session, learner_id: int, now: int) -> frozenset[int]:
    """The items of a learner's problem sets whose marks are not told yet."""
    found = session.execute(_WITHHOLDING, {"learner_id": learner_id}).all()
    hidden = [row.id for row in found if _stands(row, (), now).withheld]
    if not hidden:
        return frozenset()
    return frozenset(session.execute(select(_item.c.id).where(_item.c.set_id.in_(hidden))).scalars())


def begin_set(session: Session, of: AssignedSet, *, learner_id: int, now: int) -> None:
    """From now on the time limit of a set runs for the learner. Begun twice, the first time counts.

    Raises:
        SetClosedError: the set is not open at ``now``.
    """
    must_be_open(of.window, now)
    session.execute(
        update(_assignment)
        .where(_assignment.c.set_id == of.stored.id, _assignment.c.learner_id == learner_id)
        .values(started_at=func.coalesce(_assignment.c.started_at, now))
    )


def start_item(
    session: Session,
    learner_id: int,
    item: ItemWork,
    *,
    seed: int,
    given: Mapping[str, Any],
    engine_version: str,
    now: int,
    renew: bool = False,
    ahead: bool = False,
) -> StoredVariant:
    """The learner's variant of an item: the numbers drawn here, unless there are some already.

    With ``renew`` these take the place of those that were tried often enough, whose sheet is closed. Somebody who
    teaches may do it ``ahead``, before the set is open.

    Raises:
        NotAssignedError: the item's set is not assigned to the learner.
        SetClosedError: the set is not open at ``now`` and the item was not started before.
    """
    values = {"learner_id": learner_id, "item_id": item.id}
    rules = session.execute(_LOCK_ASSIGNMENT, values).one_or_none()
    if rules is None:
        raise NotAssignedError(f"The learner {learner_id} has no problem set with the item {item.id}")
    before, of = started(session, learner_id, item), _with_items(session, rules, learner_id, now)
    if of.left:
        raise NotAssignedError(f"The learner {learner_id} was taken out of the course of the item {item.id}")
    if before is not None:
        held = next(one for one in of.items if one.id == item.id)
        if not (renew and of.may_renew(held)):
            return before
        practice.give_up(session, before, now=now)
    if not ahead:
        must_be_open(of.window, now)
    if of.to_begin and not ahead:
        raise NotBegunError("This problem set has to be begun first.")
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


def started(session: Session, learner_id: int, item: ItemWork) -> StoredVariant | None:
    """The learner's latest sheet of an item; None before the first."""
    token = session.execute(_STARTED, {"learner_id": learner_id, "item_id": item.id}).scalar_one_or_none()
    return None if token is None else practice.find_variant(session, token, learner_id=learner_id)


def results(session: Session, problem_set: StoredSet, *, now: int) -> tuple[Result, ...]:
    """How far everybody is to whom the set is assigned, in the order of their names."""
    found = session.execute(_ITEMS_OF_SET, {"set_id": problem_set.id})
    people = groupby(found, key=lambda row: row.learner_id)
    work = {learner_id: tuple(map(_item_work, rows)) for learner_id, rows in people}
    names = session.execute(_NAMES, {"set_id": problem_set.id})
    return tuple(
        Result(
            row.learner_id,
            row.username,
            AssignedSet(problem_set, work[row.learner_id], now, read_terms(row._asdict())),
        )
        for row in names
    )


def _checked_items(items: Iterable[NewItem]) -> list[dict[str, Any]]:
    rows = [asdict(item) for item in items]
    if not rows:
        raise ValueError("A problem set has at least one item")
    if not all(0 < row["points"] < math.inf for row in rows):
        raise ValueError(f"An item's points are above 0, not {[row['points'] for row in rows]}")
    return rows


def _check_rules(attempts: int | None, opens_at: int | None, due_at: int | None) -> None:
    if attempts is not None and attempts < 1:
        raise ValueError(f"A problem set allows 1 attempt or more, not {attempts}")
    _check_order(opens_at, due_at)


def _check_order(opens_at: int | None, due_at: int | None) -> None:
    if opens_at is not None and due_at is not None and due_at <= opens_at:
        raise ValueError("A problem set is due after it opens: move one of the two")


def _items(chosen: ColumnElement[bool]) -> Select[Any]:
    """A row an assigned item, with what the submissions of all its sheets come to, and the sheet that is open now."""
    totals = (
        select(
            _assignment.c.learner_id,
            _assignment.c.set_id,
            _item.c.id,
            _item.c.position,
            _item.c.exercise,
            _item.c.spec,
            _item.c.points,
            _item.c.zone,
            _set.c.attempts.label("allowed"),
            func.max(_variant.c.id).label("variant_id"),
            func.count(_variant.c.id.distinct()).label("sheets"),
            func.count(_submission.c.id).label("attempts"),
            func.max(_submission.c.points / _submission.c.out_of).label("best_share"),
            func.max(credit_now()).label("best_credit"),
            func.max(_submission.c.created_at).label("checked_at"),
        )
        .select_from(_assignment)
        .join(_set, _set.c.id == _assignment.c.set_id)
        .join(_item, _item.c.set_id == _assignment.c.set_id)
        .outerjoin(
            _variant, (_variant.c.set_item_id == _item.c.id) & (_variant.c.learner_id == _assignment.c.learner_id)
        )
        .outerjoin(_submission, _submission.c.variant_id == _variant.c.id)
        .where(chosen)
        .group_by(_assignment.c.id, _set.c.id, _item.c.id)
        .subquery()
    )
    tries = (
        select(func.count(_submission.c.id))
        .where(_submission.c.variant_id == totals.c.variant_id)
        .correlate(totals)
        .scalar_subquery()
    )
    each = _adjustment.alias()
    decided = (
        select(func.max(each.c.id))
        .where(each.c.learner_id == totals.c.learner_id, each.c.set_item_id == totals.c.id)
        .correlate(totals)
        .scalar_subquery()
    )
    return (
        select(
            totals,
            tries.label("tries"),
            _variant.c.token.label("variant_token"),
            _variant.c.given_up_at,
            _draft.c.saved_at.label("typed_at"),
            _adjustment.c.points.label("adjusted"),
            func.coalesce(_adjustment.c.excused, false()).label("excused"),
        )
        .outerjoin(_variant, _variant.c.id == totals.c.variant_id)
        .outerjoin(_draft, _draft.c.variant_id == totals.c.variant_id)
        .outerjoin(_adjustment, _adjustment.c.id == decided)
        .order_by(totals.c.set_id, totals.c.learner_id, totals.c.position)
    )


_ASSIGNED = (
    select(
        _set,
        *TERMS,
    )
    .join_from(_assignment, _set)
    .where(_assignment.c.learner_id == bindparam("learner_id"))
)
_SETS_OF_LEARNER = _ASSIGNED.order_by(_set.c.id)
_ONE_SET = _ASSIGNED.where(_set.c.token == bindparam("token"))
_SET_OF_ITEM = _ASSIGNED.join(_item, _item.c.set_id == _set.c.id).where(_item.c.id == bindparam("item_id"))
_WITHHOLDING = _ASSIGNED.where(_set.c.feedback != "at once")
_ITEMS_OF_LEARNER = _items(_assignment.c.learner_id == bindparam("learner_id"))
_ITEMS_OF_SET = _items((_assignment.c.set_id == bindparam("set_id")) & ~_assignment.c.preview)
_ITEMS_OF_ONE = _items(
    (_assignment.c.learner_id == bindparam("learner_id")) & (_assignment.c.set_id == bindparam("set_id"))
)
_LOCK_ASSIGNMENT = _SET_OF_ITEM.with_for_update(of=_assignment)
_STARTED = (
    select(_variant.c.token)
    .where(_variant.c.set_item_id == bindparam("item_id"), _variant.c.learner_id == bindparam("learner_id"))
    .order_by(_variant.c.id.desc())
    .limit(1)
)
_NAMES = (
    select(
        _assignment.c.learner_id,
        _account.c.username,
        *TERMS,
    )
    .join_from(_assignment, _account, _account.c.learner_id == _assignment.c.learner_id, isouter=True)
    .where(_assignment.c.set_id == bindparam("set_id"), ~_assignment.c.preview)
    .order_by(_account.c.username_folded, _assignment.c.id)
)


def _with_items(session: Session, found: _Row, learner_id: int, now: int) -> AssignedSet:
    rows = session.execute(_ITEMS_OF_ONE, {"learner_id": learner_id, "set_id": found.id})
    return _assigned(found, tuple(map(_item_work, rows)), now)


def _by_set(rows: Iterable[_Row]) -> dict[int, tuple[ItemWork, ...]]:
    return {set_id: tuple(map(_item_work, group)) for set_id, group in groupby(rows, key=lambda row: row.set_id)}


def _assigned(row: _Row, items: tuple[ItemWork, ...], now: int) -> AssignedSet:
    """The set as its learner may see it: what is withheld is not in it."""
    of = _stands(row, items, now)
    if of.terms.preview:
        return replace(of, items=tuple(replace(item, allowed=None) for item in items))
    if not of.withheld:
        return of
    return replace(of, items=tuple(replace(item, best_share=None, best_credit=None, adjusted=None) for item in items))


def _stands(row: _Row, items: tuple[ItemWork, ...], now: int) -> AssignedSet:
    values = row._asdict()
    stored, terms = StoredSet.from_row(values), read_terms(values)
    if terms.extended_to is not None:
        stored = replace(stored, due_at=terms.extended_to)
    return AssignedSet(stored, items, now, terms)


def _item_work(row: _Row) -> ItemWork:
    values = row._asdict()
    apart = ("learner_id", "set_id", "variant_id")
    return ItemWork(
        **{**{name: value for name, value in values.items() if name not in apart}, "excused": bool(row.excused)}
    )


def _urgency(one: AssignedSet) -> tuple[int, float, int]:
    """What is open by its date, then what will open, then what is over, the latest first."""
    due = math.inf if one.stored.due_at is None else one.stored.due_at
    if one.state == "open":
        return 0, due, one.stored.id
    if one.state == "not open yet":
        return 1, one.stored.opens_at or 0, one.stored.id
    return 2, -due, -one.stored.id
