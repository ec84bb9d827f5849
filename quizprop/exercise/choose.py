"""Multiple choice: the right value of a cell among values that known mistakes give."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.words import phrase
from quizprop.exercise.certify import Plan
from quizprop.exercise.find_slip import Bench
from quizprop.exercise.question import Chance, NoQuestionError, Option, Question, named, posed
from quizprop.exercise.slips import Route, routes, shows, tutor_says, unseen, wrong_value

if TYPE_CHECKING:
    from quizprop.exercise.instance import Instance

__all__ = ["WRONG", "choice_questions", "scarce"]

WRONG: Final = 3
"""How many wrong values stand beside the right one."""

_SAME: Final = 1e-9
"""Of the value's size: wrong values that differ by less are the same whatever the numbers."""


def choice_questions(sheet: "Instance", chance: Chance) -> tuple[Question, ...]:
    """A question for each asked cell, each with the right values above it.

    Raises:
        NoQuestionError: too few mistakes give values that can be told apart.
    """
    return tuple(_choices(sheet, chance))


def _choices(sheet: "Instance", chance: Chance) -> Iterator[Question]:
    bench = Bench(sheet)
    for cell in sheet.cells:
        values = [sheet.values[cell.key]]
        others: list[Option] = []
        for route in chance.shuffled(bench.at(cell.key)):
            value = bench.value(route, cell.key)
            if len(others) < WRONG and value is not None and bench.apart(cell.key, *values, value):
                values.append(value)
                said = tutor_says(sheet.structure, route)
                others.append(Option(bench.figure(cell.key, value), said, route.mistake.code))
        if len(others) < WRONG:
            raise NoQuestionError(f"{cell.quantity} has fewer than {WRONG} wrong values that can be told apart")
        right = Option(bench.figure(cell.key, values[0]))
        yield posed(cell.key, phrase("Which of these is {value}?", value=named(cell.key)), right, others, chance=chance)


def scarce(plan: Plan, given: Mapping[str, Array]) -> dict[str, int]:
    """The asked quantities at a cell of which there are too few wrong values in all of a block, and how many there are.

    ``given`` are numbers of no special kind, so that what agrees in all of them agrees whatever the numbers.
    """
    values = plan.structure.graph.evaluate(given, want=plan.worked)
    entries = {name: np.where(np.isnan(gap), np.nan, values[name]) for name, gap in plan.gaps.items()}
    tried: dict[Route, Array] = {}

    def wrong(route: Route) -> Array:
        if route not in tried:
            value = wrong_value(plan.structure, route, values, entries=entries)
            right = values[route.shown_at]
            tried[route] = np.where(shows(route, values), np.broadcast_to(value, right.shape), np.nan)
        return tried[route]

    found: dict[str, int] = {}
    for name, mask in plan.asked.items():
        for place in map(tuple, np.argwhere(mask)):
            hidden = unseen(plan.structure, plan.structure.keys[name][place], plan.written)
            ways = routes(plan.structure.model, name, frozenset(hidden))
            at = (slice(None), *place)
            count = _most(values[name][at], (wrong(route)[at] for route in ways))
            if count < WRONG:
                found[name] = min(count, found.get(name, count))
    return found


def _most(right: Array, wrong: Iterator[Array]) -> int:
    """In how many values, up to those that are needed, wrong ones differ at most from the right one and each other."""
    known, count = [right], np.zeros(len(right), dtype=int)
    for value in wrong:
        with np.errstate(all="ignore"):  # some are beyond all bounds
            same = [np.abs(value - other) <= _SAME * (1 + np.abs(other)) for other in known]
        new = np.isfinite(value) & ~np.any(same, axis=0)
        known.append(np.where(new, value, np.nan))
        count += new
        if count.max() >= WRONG:
            break
    return int(count.max())
