"""What a graded sheet is worth where a problem set has rules of its own: for what follows, and for hints."""

import math
from collections.abc import Mapping

from quizprop.exercise.grade import Verdict

__all__ = ["sheet_credit"]


def sheet_credit(
    verdicts: Mapping[str, Verdict],
    *,
    rungs: Mapping[str, int],
    follow_credit: float = 1.0,
    hint_price: float = 0.0,
) -> float:
    """The share of a sheet that is earned, 0 to 1.

    Args:
        verdicts: of every cell, by key.
        rungs: how many hints were opened, by key; none where a key is missing.
        follow_credit: what a value earns that follows from an error above it, 0 to 1.
        hint_price: what each hint takes from the value that it was opened at, 0 to 1. Never more than it earns.
    """
    earned = {Verdict.CORRECT: 1.0, Verdict.FOLLOWS: follow_credit}
    return math.fsum(
        earned.get(verdict, 0.0) * max(0.0, 1 - hint_price * rungs.get(key, 0)) for key, verdict in verdicts.items()
    ) / len(verdicts)
