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
    """The knowledge after the answers of one check: judged by all of them, then practised once."""
    beliefs, practised = dict(knowledge.beliefs), set[str]()
    for group in _steps(evidence):
        beliefs |= _judged(Knowledge(knowledge.skills, beliefs), group)
        practised.update(group[0].skills)
    for name in practised:
        skill, before = knowledge.skills[name], Knowledge(knowledge.skills, beliefs)[name]
        beliefs[name] = replace(before, known=min(SUREST, before.known + (1 - before.known) * skill.learn))
    return replace(knowledge, beliefs=beliefs)


def _steps(evidence: Iterable[Evidence]) -> list[list[Evidence]]:
    """Answers that were worked by the same formula and call for the same skills."""
    groups: dict[tuple[object, ...], list[Evidence]] = {}
    for one in evidence:
        alone = one.key if one.options else ""
        groups.setdefault((one.key.partition("[")[0], one.skills, one.options, alone), []).append(one)
    return list(groups.values())


def _judged(knowledge: Knowledge, group: list[Evidence]) -> dict[str, Belief]:
    """The beliefs about the skills of a step, given its answers."""
    skills = [knowledge.skills[name] for name in group[0].skills]
    before = {skill.name: knowledge[skill.name] for skill in skills}
    right = sum(one.outcome is Outcome.RIGHT for one in group)
    wrong = sum(one.outcome is Outcome.WRONG for one in group)
    if_all, if_not = _chances(skills, right, wrong, group[0].options)
    everything = prod(belief.known for belief in before.values())
    answers = everything * if_all + (1 - everything) * if_not

    def known(name: str) -> float:
        others = prod(belief.known for other, belief in before.items() if other != name)
        return before[name].known * (others * if_all + (1 - others) * if_not) / answers

    run = 0 if wrong else right
    return {
        name: Belief(known(name), run + (0 if wrong else belief.run), belief.seen + right + wrong)
        for name, belief in before.items()
    }


def _chances(skills: list[Skill], right: int, wrong: int, options: int) -> tuple[float, float]:
    """How likely so many right and wrong answers of one step are: with all of its skills, and without one.

    With them, each value slips by itself. Without, the likelier of two accounts holds: the values are wrong and agree
    by chance, each by itself, or the formula happens to be right, and is so for all of them. Ten right values then
    speak for the skill hardly more than one.
    """
    slip = max(skill.slip for skill in skills)
    guess = 1 / options if options else min(skill.guess for skill in skills)
    if_all = (1 - slip) ** right * slip**wrong
    by_chance = guess**right * (1 - guess) ** wrong
    by_luck = guess * if_all / (1 - slip) if right else 0.0
    return if_all, max(by_chance, by_luck)
