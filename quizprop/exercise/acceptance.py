"""How much of what a family draws can be certified, and what rejects the rest: for whoever writes exercise files."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quizprop.exercise.certify import Plan
from quizprop.exercise.generate import certified, draw_block
from quizprop.exercise.spec import Exercise

__all__ = ["Acceptance", "acceptance"]

_AT_A_TIME = 4096


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Of ``candidates`` drawn, so many are ``certified``; the others by the first rule they broke, the worst first."""

    candidates: int
    certified: int
    rejected: Mapping[str, int]


def acceptance(exercise: Exercise, rng: np.random.Generator, *, candidates: int) -> Acceptance:
    """Draw candidates and try the rules on them; of a fixed exercise, the one instance that there is."""
    plan = Plan(exercise)
    candidates = 1 if exercise.fixed else candidates
    passed, rejected = 0, Counter[str]()
    for start in range(0, candidates, _AT_A_TIME):
        size = min(_AT_A_TIME, candidates - start)
        block = certified(plan, draw_block(exercise, rng, size))
        passed += len(block.passed)
        rejected.update(block.rejected)
    return Acceptance(candidates, passed, dict(rejected.most_common()))
