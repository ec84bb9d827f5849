"""What is learned of a learner from a checked sheet, and which sheet comes next."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from quizprop.exercise.evidence import Diagnosis, evidence_of, slips_avoided, slips_made
from quizprop.exercise.fading import Fading
from quizprop.exercise.grade import Grade
from quizprop.exercise.instance import Instance
from quizprop.exercise.knowledge import Evidence, Knowledge, observe
from quizprop.exercise.next_one import Choice, Due, Served, choose_next
from quizprop.exercise.review import Card, after_sheet
from quizprop.exercise.skills import Skills
from quizprop.exercise.why import Reason, Why
from quizprop.store import learning
from quizprop.store.database import Session
from quizprop.store.learning import Practised, StoredSkill, StoredSlip
from quizprop.store.practice import StoredSubmission, StoredVariant
from quizprop.web.languages import ngettext, say
from quizprop.web.state import services

__all__ = ["OVERCOME", "aim_of", "choose", "due", "evidence", "knowledge_of", "learn", "why"]

_IDEA: Final = 1
_LATELY: Final = 5
_OPENED: Final = 12
_MISTAKES: Final = 3

OVERCOME: Final = 3
"""A mistake that was avoided on so many sheets in a row is behind the learner."""


# --- after a check --------------------------------------------------------------------------------------------------


def evidence(
    session: Session,
    variant: StoredVariant,
    instance: Instance,
    graded: Grade,
    *,
    attempts: Iterable[StoredSubmission],
    rungs: Mapping[str, int],
) -> tuple[Evidence, ...]:
    """What the first answers of a checked sheet say.

    A cell is helped where a hint beyond the idea was open. So is a whole sheet of published numbers the second time:
    its values were seen.
    """
    helped = {key for key, rung in rungs.items() if rung > _IDEA}
    if instance.exercise.fixed and learning.seen_before(session, variant):
        helped = {cell.key for cell in instance.cells}
    before = {key for attempt in attempts for key in attempt.evidence}
    return evidence_of(services().skills, instance, graded, helped=helped, before=before)


def learn(session: Session, variant: StoredVariant, instance: Instance, found: tuple[Evidence, ...], now: int) -> None:
    """Keep what the evidence changes: beliefs, reviews, mistakes made and avoided. Hold the learner before."""
    if not found:
        return
    skills, learner = services().skills, variant.learner_id
    states = learning.skills_of(session, learner)
    knowledge = observe(knowledge_of(skills, states), found)
    changed = {}
    for name in skills.in_order({name for one in found for name in one.skills}):
        belief = knowledge[name]
        card = after_sheet(
            _card(states.get(name)), found, name, mastered=belief.mastered, served_at=variant.created_at, now=now
        )
        stored = None if card is None else card.as_json()
        due = card.due if card is not None and belief.mastered else None
        changed[name] = StoredSkill(belief.as_json(), belief.seen, stored, due, now)
    learning.save_skills(session, learner, changed, known=states)
    for slip in slips_made(skills, instance, found):
        learning.slip_made(session, variant, code=slip.code, title=slip.title, skill=slip.skill, now=now)
    learning.avoid_slips(session, learner, slips_avoided(instance, found))


def knowledge_of(skills: Skills, states: Mapping[str, StoredSkill]) -> Knowledge:
    """The beliefs as they are stored."""
    return Knowledge.from_json(skills, {name: state.knowledge for name, state in states.items()})


def _card(state: StoredSkill | None) -> Card | None:
    return None if state is None or state.card is None else Card.from_json(state.card)


# --- what comes next ------------------------------------------------------------------------------------------------


def choose(session: Session, learner_id: int, *, rng: np.random.Generator, now: int, wanted: str = "") -> Choice:
    """The next exercise for a learner; one for the skill that is wanted, where one is."""
    known, bank = services().skills, services().bank
    states = learning.skills_of(session, learner_id)
    lately = learning.practised(session, learner_id, _OPENED)
    return choose_next(
        knowledge_of(known, states),
        bank,
        rng=rng,
        mistakes=tuple(_mistakes(known, learning.slips_of(session, learner_id))),
        due=due(known, states, now),
        served=[_served(one) for one in lately[-_LATELY:]],
        opened={
            name
            for one in lately
            if one.aim is None and one.exercise in bank
            for name in known.of_exercise(bank[one.exercise])
        },
        wanted=wanted,
    )


def due(skills: Skills, states: Mapping[str, StoredSkill], now: int) -> tuple[Due, ...]:
    """The skills to review, the longest overdue first."""
    waiting = sorted(
        (state.due_at, name)
        for name, state in states.items()
        if name in skills and state.due_at is not None and state.due_at <= now
    )
    cards = ((name, _card(states[name])) for _, name in waiting)
    return tuple(Due(name, card.days_since(now)) for name, card in cards if card is not None)


def _mistakes(skills: Skills, slips: Sequence[StoredSlip]) -> Iterator[Diagnosis]:
    """Those made last and not overcome, the last one last."""
    open_ones = [slip for slip in slips if slip.right_since < OVERCOME and slip.skill in skills]
    for slip in reversed(open_ones[:_MISTAKES]):
        yield Diagnosis(slip.skill, slip.title, slip.seen)


def _served(one: Practised) -> Served:
    if one.aim is None:
        return Served(one.exercise)
    return Served(one.exercise, one.aim["skill"], Reason(one.aim["reason"]))


# --- why this one ---------------------------------------------------------------------------------------------------


def aim_of(choice: Choice) -> dict[str, Any]:
    """What is stored with a sheet of what it was chosen for."""
    return asdict(choice.why)


def why(variant: StoredVariant) -> str:
    """Why a sheet was chosen, in the visitor's language; nothing for one that the visitor chose."""
    if variant.aim is None:
        return ""
    told = Why(**{**variant.aim, "reason": Reason(variant.aim["reason"]), "fading": Fading(variant.aim["fading"])})
    return " ".join(
        ngettext(one.one, one.several, one.count, **{name: say(part) for name, part in one.parts.items()})
        for one in told.sentences
    )
