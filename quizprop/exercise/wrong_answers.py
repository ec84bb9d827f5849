"""The wrong answers that are known in advance: what each mistake gives on a sheet that is right up to there.

A program that can't follow a student's own values, as a learning platform can't, names mistakes by these numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from quizprop.exercise.instance import Instance
from quizprop.exercise.slips import routes, shows, tutor_says, unseen

__all__ = ["WrongAnswer", "known_wrong"]


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """A number that a known mistake gives, how far an answer may be from it, and what a tutor would say."""

    value: float
    tolerance: float
    code: str
    said: str


def known_wrong(instance: Instance, key: str) -> tuple[WrongAnswer, ...]:
    """The wrong answers known for a cell, none of which is so near the right one that both would be meant.

    Of several mistakes that give the same number the likeliest is told.
    """
    found: list[WrongAnswer] = []
    right, reach = instance.values[key], instance.tolerances[key]
    for one in _all(instance, key):
        apart = abs(one.value - right) > one.tolerance + reach
        if apart and not any(abs(one.value - other.value) <= one.tolerance + other.tolerance for other in found):
            found.append(one)
    return tuple(found)


def _all(instance: Instance, key: str) -> Iterator[WrongAnswer]:
    structure = instance.structure
    name, place = structure.places[key]
    at = (0, *place)
    for route in routes(structure.model, name, frozenset(unseen(structure, key, instance.plan.written))):
        with np.errstate(all="ignore"):
            value, tolerance = instance.mistaken(route)
            applies = np.broadcast_to(shows(route, instance.sheet.values), value.shape)
        if applies[at] and np.isfinite(value[at]) and np.isfinite(tolerance[at]):
            yield WrongAnswer(float(value[at]), float(tolerance[at]), route.mistake.code, tutor_says(structure, route))
