"""Why an exercise is offered, said to the learner: whole sentences with named parts, so that they can be translated."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from quizprop.exercise.fading import Fading

__all__ = ["FORMS", "REASONS", "Reason", "Sentence", "Why"]


class Reason(StrEnum):
    """What speaks for an exercise."""

    REVIEW = "review"
    MISTAKE = "mistake"
    FIRST = "first"
    NEXT = "next"
    MORE = "more"
    TOGETHER = "together"
    WANTED = "wanted"


REASONS: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.REVIEW: (
        "Due for review: %(skill)s, last seen a day ago.",
        "Due for review: %(skill)s, last seen %(num)s days ago.",
    ),
    Reason.MISTAKE: (
        "Your last slip was: %(mistake)s. Once more: %(skill)s.",
        "The same slip %(num)s times: %(mistake)s. Once more: %(skill)s.",
    ),
    Reason.FIRST: ("To begin with: %(skill)s.",) * 2,
    Reason.NEXT: ("Next after %(after)s: %(skill)s.",) * 2,
    Reason.MORE: ("Once more, until it is settled: %(skill)s.",) * 2,
    Reason.TOGETHER: ("Everything known so far: a whole sheet to keep it together.",) * 2,
    Reason.WANTED: ("You asked for it: %(skill)s.",) * 2,
}
"""For one and for several; ``skill``, ``after`` and ``mistake`` are names to be translated by themselves."""

FORMS: Final[Mapping[Fading, str]] = {
    Fading.STEP: "Only this step is asked, the rest is filled in.",
    Fading.PART: "What comes before it is filled in.",
    Fading.FULL: "Nothing is filled in.",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A message for one and for several, the count that decides, and its parts."""

    one: str
    several: str
    count: int
    parts: Mapping[str, str]

    @property
    def english(self) -> str:
        """The sentence in English."""
        return (self.one if self.count == 1 else self.several) % {"num": self.count, **self.parts}


@dataclass(frozen=True, slots=True)
class Why:
    """The reason, the skill that it is about, and what else the sentence names.

    ``after`` is the skill that came before, ``mistake`` the title of a mistake, ``count`` the times that it was made or
    the days since a review.
    """

    reason: Reason
    fading: Fading
    skill: str = ""
    after: str = ""
    mistake: str = ""
    count: int = 1

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Why this, and in which form."""
        parts = {"skill": self.skill, "after": self.after, "mistake": self.mistake}
        reason = Sentence(*REASONS[self.reason], self.count, parts)
        if self.reason is Reason.TOGETHER:
            return (reason,)
        return reason, Sentence(FORMS[self.fading], FORMS[self.fading], 1, {})

    @property
    def english(self) -> str:
        """All of it in English."""
        return " ".join(sentence.english for sentence in self.sentences)
