"""What is believed of a learner: the state of each skill, the mistakes made, and what was practised lately."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, insert, or_, select, update

from quizprop.store.database import Session
from quizprop.store.models import Draft, Learner, SkillState, Slip, Submission, Variant, table
from quizprop.store.practice import StoredVariant, read_json, write_json

__all__ = [
    "Practised",
    "StoredSkill",
    "StoredSlip",
    "avoid_slips",
    "hold_learner",
    "practised",
    "save_skills",
    "seen_before",
    "skills_of",
    "slip_made",
    "slips_of",
    "untouched",
]

_learner, _variant, _draft, _submission = table(Learner), table(Variant), table(Draft), table(Submission)
_skill, _slip = table(SkillState), table(Slip)


@dataclass(frozen=True, slots=True)
class StoredSkill:
    """A skill's state: ``knowledge`` and the review ``card`` are JSON, ``seen`` counts what speaks for them."""

    knowledge: Mapping[str, Any]
    seen: int
    card: Mapping[str, Any] | None
    due_at: int | None
    updated_at: int


@dataclass(frozen=True, slots=True)
class StoredSlip:
    """A known mistake: how often it was made, how often avoided since, and where it was made last."""

    code: str
    title: str
    skill: str
    seen: int
    right_since: int
    first_at: int
    last_at: int
    token: str


@dataclass(frozen=True, slots=True)
class Practised:
    """A sheet that was served: its exercise, and what it was chosen for, if it was."""

    exercise: str
    aim: Mapping[str, Any] | None


_HOLD = select(_learner.c.id).where(_learner.c.id == bindparam("learner_id")).with_for_update()


def hold_learner(session: Session, learner_id: int) -> None:
    """Let nobody else change what is believed of the learner until the transaction ends. Ask for it first of all."""
    session.execute(_HOLD, {"learner_id": learner_id})


# --- skills ---------------------------------------------------------------------------------------------------------


_SKILLS = select(_skill).where(_skill.c.learner_id == bindparam("learner_id"))


def skills_of(session: Session, learner_id: int) -> dict[str, StoredSkill]:
    """The states of the skills that the learner has shown something of."""
    rows = session.execute(_SKILLS, {"learner_id": learner_id})
    return {row.skill: _stored_skill(row) for row in rows}


def _stored_skill(row: Row[Any]) -> StoredSkill:
    card = None if row.card is None else read_json(row.card)
    return StoredSkill(read_json(row.knowledge), row.seen, card, row.due_at, row.updated_at)


_CHANGE_SKILL = update(_skill).where(_skill.c.learner_id == bindparam("whose"), _skill.c.skill == bindparam("which"))


_ADD_SKILL = insert(_skill)


def save_skills(
    session: Session, learner_id: int, states: Mapping[str, StoredSkill], *, known: Collection[str]
) -> None:
    """Put states, by skill, in the place of those before. Hold the learner while this is decided.

    ``known`` are the skills that have a state already, as `skills_of` tells.
    """
    rows = {skill: _skill_row(state) for skill, state in states.items()}
    old = [{"whose": learner_id, "which": skill, **row} for skill, row in rows.items() if skill in known]
    new = [{"learner_id": learner_id, "skill": skill, **row} for skill, row in rows.items() if skill not in known]
    for statement, some in ((_CHANGE_SKILL, old), (_ADD_SKILL, new)):
        if some:
            session.execute(statement, some)


def _skill_row(state: StoredSkill) -> dict[str, Any]:
    return {
        "knowledge": write_json(state.knowledge),
        "seen": state.seen,
        "card": None if state.card is None else write_json(state.card),
        "due_at": state.due_at,
        "updated_at": state.updated_at,
    }


# --- mistakes -------------------------------------------------------------------------------------------------------


def slips_of(session: Session, learner_id: int) -> tuple[StoredSlip, ...]:
    """All mistakes that were ever recognised, the one made last first."""
    rows = session.execute(
        select(_slip, _variant.c.token)
        .join_from(_slip, _variant, _variant.c.id == _slip.c.variant_id)
        .where(_slip.c.learner_id == learner_id)
        .order_by(_slip.c.last_at.desc(), _slip.c.id.desc())
    )
    return tuple(
        StoredSlip(
            row.code, row.title, row.skill, row.seen, row.right_since, row.first_at, row.last_at, token=row.token
        )
        for row in rows
    )


_ONE_MORE = (
    update(_slip)
    .where(_slip.c.learner_id == bindparam("whose"), _slip.c.code == bindparam("which"))
    .values(seen=_slip.c.seen + 1, right_since=0)
)


def slip_made(session: Session, variant: StoredVariant, *, code: str, title: str, skill: str, now: int) -> None:
    """Note that the variant's learner made a mistake on it. Hold the learner."""
    last = {"title": title, "skill": skill, "last_at": now, "variant_id": variant.id}
    changed = session.execute(_ONE_MORE, {"whose": variant.learner_id, "which": code, **last})
    if not changed.rowcount:
        first = {"learner_id": variant.learner_id, "code": code, "seen": 1, "right_since": 0, "first_at": now}
        session.execute(insert(_slip), {**first, **last})


_AVOIDED = (
    update(_slip)
    .where(_slip.c.learner_id == bindparam("whose"), _slip.c.code.in_(bindparam("codes", expanding=True)))
    .values(right_since=_slip.c.right_since + 1)
)


def avoid_slips(session: Session, learner_id: int, codes: Collection[str]) -> None:
    """Note of these mistakes, of those ever made, that there was room for them and they were not made."""
    if codes:
        session.execute(_AVOIDED, {"whose": learner_id, "codes": sorted(codes)})


# --- what was practised ---------------------------------------------------------------------------------------------


def practised(session: Session, learner_id: int, count: int) -> tuple[Practised, ...]:
    """The sheets served last, so many, the last one last."""
    rows = session.execute(
        select(_variant.c.exercise, _variant.c.aim)
        .where(_variant.c.learner_id == learner_id)
        .order_by(_variant.c.created_at.desc(), _variant.c.id.desc())
        .limit(count)
    )
    found = [Practised(row.exercise, None if row.aim is None else read_json(row.aim)) for row in rows]
    return tuple(reversed(found))


def seen_before(session: Session, variant: StoredVariant) -> bool:
    """Whether the learner has checked, or given up, a sheet of the same exercise before."""
    checked = select(_submission.c.id).where(_submission.c.variant_id == _variant.c.id).exists()
    earlier = select(_variant.c.id).where(
        _variant.c.learner_id == variant.learner_id,
        _variant.c.exercise == variant.exercise,
        _variant.c.id != variant.id,
        or_(_variant.c.given_up_at.is_not(None), checked),
    )
    return session.execute(select(earlier.exists())).scalar_one()


def untouched(session: Session, learner_id: int) -> str | None:
    """The token of the sheet chosen for the learner last, if nothing was done on it: it is still theirs to do."""
    last = session.execute(
        select(_variant.c.id, _variant.c.token, _variant.c.given_up_at, _variant.c.aim)
        .where(_variant.c.learner_id == learner_id)
        .order_by(_variant.c.created_at.desc(), _variant.c.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None or last.aim is None or last.given_up_at is not None:
        return None
    for done in (_submission, _draft):
        if session.execute(select(done.c.variant_id).where(done.c.variant_id == last.id).limit(1)).first():
            return None
    found: str = last.token
    return found
