"""What was practised without an account comes to the account at which somebody signs in."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, update

from quizprop.store.database import Session
from quizprop.store.models import Learner, SkillState, Slip, Variant, table

__all__ = ["claim_practice", "joined_slip"]

_learner, _variant, _skill, _slip = table(Learner), table(Variant), table(SkillState), table(Slip)


def claim_practice(session: Session, from_learner: int, to_learner: int) -> None:
    """Move the practice of one learner to another. What both have done is told of once, and none of it is lost.

    Sheets move with all that hangs on them. Problem sets are given to accounts only, so there are none to move.
    """
    # Until both are held, a request that is still under way could add a row that collides with one that moves.
    both = select(_learner.c.id).where(_learner.c.id.in_([from_learner, to_learner])).order_by(_learner.c.id)
    session.execute(both.with_for_update())
    session.execute(update(_variant).where(_variant.c.learner_id == from_learner).values(learner_id=to_learner))
    _claim_skills(session, from_learner, to_learner)
    _claim_slips(session, from_learner, to_learner)


def _claim_skills(session: Session, from_learner: int, to_learner: int) -> None:
    """Of a skill that both have, what more was seen of is believed; else what the account has."""
    theirs, ours = _skill.alias(), _skill.alias()
    better = (
        select(ours.c.id)
        .join_from(ours, theirs, ours.c.skill == theirs.c.skill)
        .where(ours.c.learner_id == to_learner, theirs.c.learner_id == from_learner, theirs.c.seen > ours.c.seen)
    )
    session.execute(delete(_skill).where(_skill.c.id.in_(better)))
    known = select(ours.c.skill).where(ours.c.learner_id == to_learner)
    session.execute(delete(_skill).where(_skill.c.learner_id == from_learner, _skill.c.skill.in_(known)))
    session.execute(update(_skill).where(_skill.c.learner_id == from_learner).values(learner_id=to_learner))


def _claim_slips(session: Session, from_learner: int, to_learner: int) -> None:
    ours, theirs = _slips(session, to_learner), _slips(session, from_learner)
    for code in ours.keys() & theirs.keys():
        joined = joined_slip(ours[code], theirs[code])
        session.execute(update(_slip).where(_slip.c.id == ours[code]["id"]).values(**joined))
        session.execute(delete(_slip).where(_slip.c.id == theirs[code]["id"]))
    session.execute(update(_slip).where(_slip.c.learner_id == from_learner).values(learner_id=to_learner))


def _slips(session: Session, learner_id: int) -> dict[str, dict[str, Any]]:
    rows = session.execute(select(_slip).where(_slip.c.learner_id == learner_id))
    return {row.code: row._asdict() for row in rows}


def joined_slip(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What two tallies of the same mistake come to. Where both are as late, the last place is that of ``one``."""
    later = other if other["last_at"] > one["last_at"] else one
    return {
        "seen": one["seen"] + other["seen"],
        "right_since": min(one["right_since"], other["right_since"]),
        "first_at": min(one["first_at"], other["first_at"]),
        "last_at": later["last_at"],
        "variant_id": later["variant_id"],
    }
