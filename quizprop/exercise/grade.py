"""Grading a sheet, cell by cell: correct, following from an earlier slip, a known mistake, wrong, blank, unreadable."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.exercise.instance import Instance
from quizprop.exercise.numbers import Reading, read_number
from quizprop.exercise.slips import Route, routes, shows, wrong
from quizprop.exercise.tolerance import Sheet, within, work

__all__ = ["Grade", "Mark", "Verdict", "grade"]

HIDDEN_BY_EARLIER = (
    "Your earlier values make this step come out the same whether it is done right or wrong, so it can't be judged "
    "yet. Mend the first error, then come back to it."
)


class Verdict(StrEnum):
    """What becomes of a cell."""

    CORRECT = "correct"
    FOLLOWS = "follows"
    MISTAKE = "mistake"
    WRONG = "wrong"
    BLANK = "blank"
    UNREADABLE = "unreadable"

    @property
    def accepted(self) -> bool:
        """Whether the cell earns its point."""
        return self in (Verdict.CORRECT, Verdict.FOLLOWS)


@dataclass(frozen=True, slots=True)
class Mark:
    """One cell's verdict, how its text was read, and what a tutor would say to it.

    ``codes`` are the known mistakes that fit, each with its sentence (Markdown emphasis) in ``sentences``; a sentence
    never gives the answer away.
    """

    key: str
    verdict: Verdict
    reading: Reading
    codes: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What is stored of a mark, beside the text and the number."""
        return {"verdict": self.verdict.value, "codes": list(self.codes)}


@dataclass(frozen=True, slots=True)
class Grade:
    """A graded sheet: the marks by key in the order of the sheet, points, and the key of the first error, if any."""

    marks: Mapping[str, Mark]
    points: float
    first_error: str | None

    @property
    def out_of(self) -> int:
        """How many points there were: one a cell."""
        return len(self.marks)

    @property
    def complete(self) -> bool:
        """Whether every cell is accepted."""
        return all(mark.verdict.accepted for mark in self.marks.values())


def grade(
    instance: Instance, answers: Mapping[str, str], *, decimal_comma: bool = False, follow_credit: float = 1.0
) -> Grade:
    """Grade what a person typed.

    Args:
        instance: the exercise with its numbers.
        answers: texts by cell key; a cell that is missing is blank, a key that is not asked is ignored.
        decimal_comma: whether ``0,3775`` is a number.
        follow_credit: the points of a value that follows correctly from an earlier error.
    """
    readings = {
        cell.key: read_number(answers.get(cell.key, ""), decimal_comma=decimal_comma) for cell in instance.cells
    }
    entries = _entries(instance, readings)
    own = work(instance.structure, instance.arrays, half=instance.plan.half, entries=entries)
    with np.errstate(all="ignore"):  # a student's own values may lead to the logarithm of a negative number
        found = dict(_marks(instance, readings, entries, own))
    marks = {cell.key: found[cell.key] for cell in instance.cells}
    points = sum(_credit(mark.verdict, follow_credit) for mark in marks.values())
    errors = (key for key, mark in marks.items() if not mark.verdict.accepted and mark.verdict is not Verdict.BLANK)
    return Grade(marks, points, next(errors, None))


def _credit(verdict: Verdict, follow_credit: float) -> float:
    return {Verdict.CORRECT: 1.0, Verdict.FOLLOWS: follow_credit}.get(verdict, 0.0)


def _entries(instance: Instance, readings: Mapping[str, Reading]) -> dict[str, Array]:
    """The numbers typed, in the shapes of the quantities, NaN where there is none."""
    entries = {}
    for name in instance.plan.asked:
        keys = instance.structure.keys[name]
        numbers = [readings[key].value if key in readings else None for key in keys.flat]
        entries[name] = np.array([np.nan if n is None else n for n in numbers]).reshape(1, *keys.shape)
    return entries


def _marks(
    instance: Instance, readings: Mapping[str, Reading], entries: Mapping[str, Array], own: Sheet
) -> Iterator[tuple[str, Mark]]:
    written = frozenset(name for name, entry in entries.items() if not np.isnan(entry).any())
    for name, mask in instance.plan.asked.items():
        entry, exact = entries[name], instance.sheet
        known = routes(instance.network, name, written)
        correct = within(entry, exact.expected[name], exact.tolerance[name])
        matches = within(entry, own.expected[name], own.tolerance[name])
        follows = matches & ~correct
        if follows.any():
            follows &= _visible(instance, name, known, entries, own)
        typed = ~np.isnan(entry)
        diagnosis = {}
        if (typed & ~correct & ~follows).any():
            diagnosis = _diagnose(instance, known, entry, entries, own)
        for place in np.argwhere(mask):
            at = (0, *place)
            key = instance.structure.keys[name][tuple(place)]
            yield (
                key,
                _mark(
                    readings[key],
                    key,
                    correct=bool(correct[at]),
                    follows=bool(follows[at]),
                    hidden=bool(matches[at]),
                    lost=not np.isfinite(own.expected[name][at]),
                    mistakes=diagnosis.get(tuple(place), {}),
                ),
            )


def _mark(
    reading: Reading,
    key: str,
    *,
    correct: bool,
    follows: bool,
    hidden: bool,
    lost: bool,
    mistakes: Mapping[str, str],
) -> Mark:
    if reading.value is None:
        return Mark(key, Verdict.BLANK if reading.blank else Verdict.UNREADABLE, reading)
    if correct or follows:
        return Mark(key, Verdict.CORRECT if correct else Verdict.FOLLOWS, reading)
    if hidden:  # right for the values above it, and no sentence about a mistake would be fair
        return Mark(key, Verdict.WRONG, reading, (), (HIDDEN_BY_EARLIER,))
    if mistakes:
        return Mark(key, Verdict.MISTAKE, reading, tuple(mistakes), tuple(mistakes.values()))
    return Mark(key, Verdict.WRONG, reading, (), (HIDDEN_BY_EARLIER,) if lost else ())


def _visible(
    instance: Instance, name: str, known: tuple[Route, ...], entries: Mapping[str, Array], own: Sheet
) -> Array:
    """Where a student's own earlier values still tell right from wrong: finite, not lost in zero, no step hidden."""
    expected, tolerance = own.expected[name], own.tolerance[name]
    visible: Array = np.isfinite(expected) & (np.abs(expected) > tolerance)
    for route in known:
        if route.mistake.misconception.forbidden:
            value, _ = wrong(instance.structure, route, own, half=instance.plan.half, entries=entries)
            visible &= ~within(value, expected, tolerance)
    return visible


def _diagnose(
    instance: Instance, known: tuple[Route, ...], entry: Array, entries: Mapping[str, Array], own: Sheet
) -> dict[tuple[int, ...], dict[str, str]]:
    """The sentences of all mistakes that give the entry, by place and code: on exact values or the student's own."""
    found: dict[tuple[int, ...], dict[str, str]] = {}
    for route in known:
        fits = np.zeros(entry.shape, dtype=bool)
        for sheet, typed in ((instance.sheet, None), (own, entries)):
            value, tolerance = wrong(instance.structure, route, sheet, half=instance.plan.half, entries=typed)
            fits |= within(entry, value, tolerance) & shows(route, sheet.values)
        for place in np.argwhere(fits[0]):
            mistakes = found.setdefault(tuple(place), {})
            mistakes.setdefault(route.mistake.code, route.mistake.misconception.sentence)
    return found
