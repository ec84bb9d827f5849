"""Spaced review: when a mastered skill should be seen again, by the FSRS model of forgetting.

Times are whole microseconds since 1970, in and out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import fsrs

from quizprop.exercise.knowledge import Evidence, Outcome

__all__ = ["Card", "after_sheet", "rating", "reviewed"]

_BEGAN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 24 * 3600 * 1_000_000

# Without steps of minutes, every review is at least a day away: mastery was shown by practice already.
_SCHEDULER: Final = fsrs.Scheduler(enable_fuzzing=False, learning_steps=(), relearning_steps=())


@dataclass(frozen=True, slots=True)
class Card:
    """What is remembered of a skill's reviews: how firmly it sits, when it was seen, when it is due again."""

    due: int
    last: int
    stability: float
    difficulty: float

    def is_due(self, now: int) -> bool:
        """Whether the time has come."""
        return now >= self.due

    def days_since(self, now: int) -> int:
        """Whole days since it was last seen."""
        return max(0, now - self.last) // _DAY

    def as_json(self) -> dict[str, Any]:
        """What is stored of it."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Card":
        """What was stored."""
        return cls(int(stored["due"]), int(stored["last"]), float(stored["stability"]), float(stored["difficulty"]))


def rating(evidence: Iterable[Evidence], skill: str) -> fsrs.Rating | None:
    """How a skill went in one sheet; None where nothing on it bears on the skill."""
    outcomes = [one.outcome for one in evidence if skill in one.skills]
    if not outcomes:
        return None
    if Outcome.WRONG in outcomes:
        return fsrs.Rating.Again
    if Outcome.HELPED in outcomes:
        return fsrs.Rating.Hard
    # One right value may be a lucky day; several show that nothing had to be thought about.
    return fsrs.Rating.Easy if len(outcomes) > _SEVERAL else fsrs.Rating.Good


_SEVERAL: Final = 3


def reviewed(card: Card | None, rated: fsrs.Rating, now: int) -> Card:
    """The card after a review; the first one where there was none."""
    at = _BEGAN + timedelta(microseconds=now)
    before = fsrs.Card(card_id=0, due=at) if card is None else _known(card)
    after, _ = _SCHEDULER.review_card(before, rated, at)
    due = (after.due - _BEGAN) // timedelta(microseconds=1)
    return Card(due, now, float(after.stability or 0.0), float(after.difficulty or 0.0))


def after_sheet(
    card: Card | None, evidence: Iterable[Evidence], skill: str, *, mastered: bool, served_at: int, now: int
) -> Card | None:
    """The card after a sheet, or a part of it, was checked.

    It begins when the skill is mastered. From then on a sheet is a review when one is due, or when the skill fails, and
    that once: seen before its time, a skill that still sits proves nothing about forgetting.
    """
    rated = rating(evidence, skill)
    if rated is None or (card is None and not mastered):
        return card
    failed = rated is fsrs.Rating.Again
    if card is None or ((card.is_due(now) or failed) and card.last < served_at):
        return reviewed(card, rated, now)
    return card


def _known(card: Card) -> fsrs.Card:
    return fsrs.Card(
        card_id=0,
        state=fsrs.State.Review,
        stability=card.stability,
        difficulty=card.difficulty,
        due=_BEGAN + timedelta(microseconds=card.due),
        last_review=_BEGAN + timedelta(microseconds=card.last),
    )
