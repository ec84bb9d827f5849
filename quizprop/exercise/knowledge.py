"""What a learner is believed to know: Bayesian knowledge tracing, skill by skill.

After Corbett and Anderson (1995): a skill is known or not, an answer changes how likely, and practice may bring it. A
cell may call for several skills; it comes out right where all of them are known, and where it does not, the blame goes
to each as far as Bayes' rule says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import prod
from typing import Any, Final

from quizprop.exercise.skills import Skill, Skills

__all__ = ["MASTERY", "SUREST", "Belief", "Evidence", "Knowledge", "Outcome", "observe"]

MASTERY: Final = 0.95
"""From this probability on a skill counts as mastered."""

SUREST: Final = 0.997
"""No belief is surer: what was known can be forgotten. One slip is then forgiven, two in a row are not."""


class Outcome(StrEnum):
    """What a cell's first readable answer says of its skills."""

    RIGHT = "right"
    WRONG = "wrong"
    HELPED = "helped"
    """The answer was seen, or as good as: practice, but nothing to judge by."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A cell's first answer: the skills that it bears on, and how many options there were to choose from, if any."""

    key: str
    skills: tuple[str, ...]
    outcome: Outcome
    options: int = 0
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Belief:
    """How likely a skill is known; ``run`` counts first answers that were right since one was not, ``seen`` all."""

    known: float
    run: int = 0
    seen: int = 0

    @property
    def mastered(self) -> bool:
        """Whether that is enough to build on."""
        return self.known >= MASTERY

    def as_json(self) -> dict[str, Any]:
        """What is stored of it."""
        return {"known": self.known, "run": self.run, "seen": self.seen}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Belief":
        """What was stored."""
        return cls(float(stored["known"]), int(stored["run"]), int(stored["seen"]))


@dataclass(frozen=True)
class Knowledge:
    """The beliefs about one learner; of a skill without one, what is believed of anybody."""

    skills: Skills
    beliefs: Mapping[str, Belief] = field(default_factory=dict)

    def __getitem__(self, skill: str) -> Belief:
        """The belief about a skill.

        Raises:
            UnknownSkillError: no such skill is on the map.
        """
        return self.beliefs.get(skill) or Belief(self.skills[skill].known)

    def mastered(self, *skills: str) -> bool:
        """Whether all of some skills are mastered."""
        return all(self[skill].mastered for skill in skills)

    def ready(self, skill: str) -> bool:
        """Whether all that a skill needs is mastered."""
        return self.mastered(*self.skills[skill].needs)

    def as_json(self) -> dict[str, Any]:
        """The beliefs by skill, to be stored."""
        return {skill: belief.as_json() for skill, belief in self.beliefs.items()}

    @classmethod
    def from_json(cls, skills: Skills, stored: Mapping[str, Any]) -> "Knowledge":
        """The beliefs as stored. A skill that has left the map since then is left out."""
        return cls(skills, {name: Belief.from_json(one) for name, one in stored.items() if name in skills})


def observe(knowledge: Knowledge, evidence: Iterable[Evidence]) -> Knowledge:
    """The knowledge after some answers, one after the other."""
    beliefs = dict(knowledge.beliefs)
    for one in evidence:
        beliefs |= _observed(Knowledge(knowledge.skills, beliefs), one)
    return replace(knowledge, beliefs=beliefs)


def _observed(knowledge: Knowledge, evidence: Evidence) -> dict[str, Belief]:
    """The beliefs about a cell's skills after its answer: judged by it, then practised."""
    skills = [knowledge.skills[name] for name in evidence.skills]
    before = {skill.name: knowledge[skill.name] for skill in skills}
    judged = _judged(skills, {name: belief.known for name, belief in before.items()}, evidence)
    found = {}
    for skill in skills:
        known = judged[skill.name]
        practised = min(SUREST, known + (1 - known) * skill.learn)
        found[skill.name] = _counted(before[skill.name], practised, evidence.outcome)
    return found


def _counted(before: Belief, known: float, outcome: Outcome) -> Belief:
    match outcome:
        case Outcome.RIGHT:
            return Belief(known, before.run + 1, before.seen + 1)
        case Outcome.WRONG:
            return Belief(known, 0, before.seen + 1)
    return replace(before, known=known)


def _judged(skills: list[Skill], known: Mapping[str, float], evidence: Evidence) -> dict[str, float]:
    """How likely each skill was known, given the answer."""
    if evidence.outcome is Outcome.HELPED:
        return dict(known)
    slip = max(skill.slip for skill in skills)
    guess = 1 / evidence.options if evidence.options else min(skill.guess for skill in skills)
    right = evidence.outcome is Outcome.RIGHT
    if_all, if_not = (1 - slip, guess) if right else (slip, 1 - guess)
    everything = prod(known.values())
    answer = everything * if_all + (1 - everything) * if_not

    def after(name: str) -> float:
        others = prod(value for other, value in known.items() if other != name)
        return known[name] * (others * if_all + (1 - others) * if_not) / answer

    return {name: after(name) for name in known}
