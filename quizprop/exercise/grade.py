"""Grading a sheet, cell by cell: correct, following from an earlier slip, a known mistake, wrong, blank, unreadable."""

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.words import phrase
from quizprop.exercise.cells import Cell
from quizprop.exercise.certify import Plan
from quizprop.exercise.instance import Instance, work_together
from quizprop.exercise.numbers import Reading, read_number
from quizprop.exercise.question import Question, chosen, read_choice
from quizprop.exercise.slips import Route, routes, shows, tutor_says, unseen, wrong
from quizprop.exercise.tolerance import Sheet, within, work

__all__ = ["Grade", "Mark", "Sent", "Verdict", "grade", "verdicts"]

HIDDEN_BY_EARLIER = (
    "Your earlier values make this step come out the same whether it is done right or wrong, so it can't be judged "
    "yet. Mend the first error, then come back to it."
)


_HAIR = 1e-6
"""Of a unit of the last decimal typed: what lies half-way may be rounded either way."""

_MANY = 3
"""So many mistakes are told of a value; where more would give it, those nearest to it."""

_PLAIN = re.compile(r"[-−]?\s*[0-9]*[.,](?P<decimals>[0-9]{1,15})")


class Verdict(StrEnum):
    """What becomes of a cell."""

    CORRECT = "correct"
    FOLLOWS = "follows"
    MISTAKE = "mistake"
    WRONG = "wrong"
    BLANK = "blank"
    UNREADABLE = "unreadable"
    UNCHECKED = "unchecked"

    @property
    def accepted(self) -> bool:
        """Whether the cell earns its point."""
        return self in (Verdict.CORRECT, Verdict.FOLLOWS)

    @property
    def to_mend(self) -> bool:
        """Whether something is there that is not right; a blank is only missing, and what is unchecked may be right."""
        return self in (Verdict.MISTAKE, Verdict.WRONG, Verdict.UNREADABLE)


@dataclass(frozen=True, slots=True)
class Mark:
    """One cell's verdict, how its text was read, and what a tutor would say to it.

    ``codes`` are the known mistakes that fit, ``sentences`` what a tutor would say to them (Markdown emphasis), each
    once; a sentence never gives the answer away.
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


@dataclass(frozen=True, slots=True)
class Sent:
    """What was typed on a sheet, as `grade` takes it."""

    instance: Instance
    answers: Mapping[str, str]
    decimal_comma: bool = False
    only: Collection[str] | None = None


def grade(
    instance: Instance,
    answers: Mapping[str, str],
    *,
    decimal_comma: bool = False,
    follow_credit: float = 1.0,
    only: Collection[str] | None = None,
) -> Grade:
    """Grade what a person typed.

    Args:
        instance: the exercise with its numbers.
        answers: texts by cell key; a cell that is missing is blank, a key that is not asked is ignored.
        decimal_comma: whether ``0,3775`` is a number.
        follow_credit: the points of a value that follows correctly from an earlier error.
        only: the keys of the cells to be judged, all of them by default. The others are read, and what follows from
            them follows, but they earn nothing yet.
    """
    if instance.questions:
        marks = {one.key: _chosen(instance, one, answers.get(one.key, "")) for one in instance.questions}
        return _graded(_within(only, marks), 0.0)
    tutor = _Tutor(instance, _readings(Sent(instance, answers, decimal_comma)))
    return _graded(_within(only, tutor.marks()), follow_credit)


def verdicts(sheets: Sequence[Sent]) -> list[dict[str, Verdict]]:
    """What becomes of the cells of many sheets, by key, in the order of the sheets.

    It is what `grade` finds, but nothing is compared with the known mistakes, which earns nothing either way: what they
    explain is wrong here. The sheets of one exercise are worked out together.
    """
    found: dict[int, dict[str, Mark]] = {}
    of_plan: dict[Plan, list[int]] = {}
    for number, sent in enumerate(sheets):
        if sent.instance.questions:
            found[number] = dict(grade(sent.instance, sent.answers).marks)
        else:
            of_plan.setdefault(sent.instance.plan, []).append(number)
    for plan, numbers in of_plan.items():
        tutors = [_Tutor(sheets[number].instance, _readings(sheets[number]), diagnosing=False) for number in numbers]
        _work_together(plan, tutors)
        found |= {number: tutor.marks() for number, tutor in zip(numbers, tutors, strict=True)}
    marks = (_within(sent.only, found[number]) for number, sent in enumerate(sheets))
    return [{key: mark.verdict for key, mark in each.items()} for each in marks]


def _readings(sent: Sent) -> dict[str, Reading]:
    return {
        cell.key: _read(cell, sent.answers.get(cell.key, ""), decimal_comma=sent.decimal_comma)
        for cell in sent.instance.cells
    }


def _within(only: Collection[str] | None, marks: dict[str, Mark]) -> dict[str, Mark]:
    """What is not to be judged loses its verdict, unless nothing is there."""
    if only is None:
        return marks
    unchecked = {
        key: Mark(key, Verdict.UNCHECKED, mark.reading)
        for key, mark in marks.items()
        if key not in only and mark.verdict is not Verdict.BLANK
    }
    return marks | unchecked


def _read(cell: Cell, text: str, *, decimal_comma: bool) -> Reading:
    if cell.options:
        return read_choice(text, cell.options, first=0)
    return read_number(text, decimal_comma=decimal_comma)


def _chosen(instance: Instance, question: Question, text: str) -> Mark:
    """The mark of a choice; what is said to a wrong one was thought of when the question was made."""
    reading = chosen(question, text, instance.model, instance.exercise.notation)
    if reading.value is None or reading.value == question.right:
        return _settled(question.key, reading)
    option = question.option(int(reading.value))
    verdict, codes = (Verdict.MISTAKE, (option.code,)) if option.code else (Verdict.WRONG, ())
    return Mark(question.key, verdict, reading, codes, (option.said,))


def _graded(marks: Mapping[str, Mark], follow_credit: float) -> Grade:
    points = sum(_credit(mark.verdict, follow_credit) for mark in marks.values())
    return Grade(marks, points, next((key for key, mark in marks.items() if mark.verdict.to_mend), None))


def _credit(verdict: Verdict, follow_credit: float) -> float:
    return {Verdict.CORRECT: 1.0, Verdict.FOLLOWS: follow_credit}.get(verdict, 0.0)


def _settled(key: str, reading: Reading) -> Mark:
    if reading.value is not None:
        return Mark(key, Verdict.CORRECT, reading)
    return Mark(key, Verdict.BLANK if reading.blank else Verdict.UNREADABLE, reading)


def _is_coarse(reading: Reading, value: float) -> bool:
    """Whether a plain decimal is the value cut off, or rounded, to the decimals that it is typed with; one at least."""
    plain, typed = _PLAIN.fullmatch(reading.text.strip()), reading.value or 0.0
    if plain is None or not math.isfinite(value):
        return False
    off, unit = abs(value) - abs(typed), 10.0 ** -len(plain["decimals"])
    same_sign = typed == 0 or (typed < 0) == (value < 0)
    return same_sign and -unit / 2 <= off + _HAIR * unit and off < unit


@dataclass(frozen=True)
class _Tutor:
    """Goes through a sheet, the exact one and the one that follows from the student's own values beside it."""

    instance: Instance
    readings: Mapping[str, Reading]
    diagnosing: bool = True
    _mistaken: dict[Route, tuple[Array, Array]] = field(default_factory=dict)
    _fitting: dict[Route, Array] = field(default_factory=dict)

    @cached_property
    def entries(self) -> dict[str, Array]:
        """What the student wrote, by quantity."""
        return self.instance.entries({key: read.value for key, read in self.readings.items() if read.value is not None})

    @cached_property
    def written(self) -> frozenset[str]:
        """The keys of the values that stand on the sheet, those that the exercise shows among them."""
        shown = self.instance.plan.written.difference(self.readings)
        return shown.union(key for key, reading in self.readings.items() if reading.value is not None)

    @cached_property
    def both(self) -> Sheet:
        """The exact sheet, and the one that follows from the student's own values: two take no longer than one."""
        of, plan = self.instance, self.instance.plan
        return work(
            of.structure,
            {name: np.concatenate([array, array]) for name, array in of.arrays.items()},
            half=plan.half,
            entries=_below({}, self.entries),
            want=plan.worked,
        )

    @cached_property
    def standing(self) -> dict[str, Array]:
        """What stands on both sheets: on the exact one only what the exercise shows."""
        return _below(self.instance.written({}), self.instance.written(self.entries))

    @cached_property
    def own(self) -> Sheet:
        """The sheet that follows from the student's own values; a sheet that is all right has no need of it."""
        return self.both.row(1)

    @property
    def exact(self) -> Sheet:
        """The exact sheet; where it is not there yet, the student's own comes with it."""
        if not self.instance.is_worked:
            self.instance.keep(self.both.row(0))
        return self.instance.sheet

    def marks(self) -> dict[str, Mark]:
        """The marks by key, in the order of the sheet."""
        with np.errstate(all="ignore"):  # a student's own values may lead to the logarithm of a negative number
            found = dict(self._marks())
        return {cell.key: found[cell.key] for cell in self.instance.cells}

    def _marks(self) -> Iterator[tuple[str, Mark]]:
        exact = self.exact
        for name, mask in self.instance.plan.asked.items():
            entry = self.entries[name]
            correct = within(entry, exact.expected[name], exact.tolerance[name])
            for place in map(tuple, np.argwhere(mask)):
                at = (0, *place)
                key = self.instance.structure.keys[name][place]
                reading = self.readings[key]
                if reading.value is None or correct[at]:
                    yield key, _settled(key, reading)
                elif within(entry[at], self.own.expected[name][at], self.own.tolerance[name][at]):
                    yield key, self.follows(key, reading)
                elif self.diagnosing:
                    yield key, self.diagnoses(key, reading)
                else:
                    yield key, Mark(key, Verdict.WRONG, reading)

    def follows(self, key: str, reading: Reading) -> Mark:
        """Credit for what is right for the values above it, if these still tell right from wrong.

        They don't where the value is lost in zero, and where a mistake that is never accepted gives the same.
        """
        at = self._at(key)
        name = self.instance.structure.places[key][0]
        expected, tolerance = self.own.expected[name][at], self.own.tolerance[name][at]
        hidden = abs(expected) <= tolerance and tolerance > 0  # a whole number is exact, 0 among them
        for route in self._routes(key):
            if route.mistake.misconception.forbidden:
                value, reach = self._wrong(route)
                hidden |= not abs(value[at] - expected) > tolerance + reach[at]
        if hidden:
            return Mark(key, Verdict.WRONG, reading, (), (HIDDEN_BY_EARLIER,))
        return Mark(key, Verdict.FOLLOWS, reading)

    def diagnoses(self, key: str, reading: Reading) -> Mark:
        """All known mistakes that give the entry, on the exact values or on the student's own."""
        at = self._at(key)
        name = self.instance.structure.places[key][0]
        found: dict[str, Route] = {}
        for route in self._routes(key):
            if self._fits(route)[at]:
                found.setdefault(route.mistake.code, route)
        exact, own = self.instance.sheet.expected[name][at], self.own.expected[name][at]
        coarse = (self._too_coarse,) if any(_is_coarse(reading, value) for value in (exact, own)) else ()
        if found:
            likely = sorted(found.values(), key=lambda route: len(route.way)) if len(found) > _MANY else found.values()
            codes = tuple(route.mistake.code for route in likely)
            said = dict.fromkeys(tutor_says(self.instance.structure, route) for route in likely)
            return Mark(key, Verdict.MISTAKE, reading, codes, (*list(said)[:_MANY], *coarse))
        lost = not (np.isfinite(own) and np.isfinite(self.own.tolerance[name][at]))
        return Mark(key, Verdict.WRONG, reading, (), (HIDDEN_BY_EARLIER,) if lost else coarse)

    @property
    def _too_coarse(self) -> str:
        places = self.instance.exercise.places
        return phrase(
            "It is as if the right value was cut off, or rounded to too few decimals: write {places} of them, rounded "
            "to the nearest.",
            places=places,
        )

    def _at(self, key: str) -> tuple[int, ...]:
        return (0, *self.instance.structure.places[key][1])

    def _routes(self, key: str) -> tuple[Route, ...]:
        structure = self.instance.structure
        cells = unseen(structure, key, self.written)
        return routes(structure.model, structure.places[key][0], frozenset(cells))

    def _fits(self, route: Route) -> Array:
        """The cells whose entry the mistake would give, on the exact values or on the student's own."""
        if route not in self._fitting:
            of, name = self.instance, route.shown_at
            value, tolerance = wrong(of.structure, route, self.both, half=of.plan.half, entries=self.standing)
            # Beyond a kink or a tie a mistake may lead anywhere, to what is right too: then it explains nothing.
            told = np.abs(value - self.both.expected[name]) > tolerance
            told &= shows(route, self.both.values)
            self._fitting[route] = (told & within(self.entries[name], value, tolerance)).any(axis=0, keepdims=True)
        return self._fitting[route]

    def _wrong(self, route: Route) -> tuple[Array, Array]:
        """What the mistake gives on the student's own values, and its tolerance."""
        if route not in self._mistaken:
            entries, half = self.instance.written(self.entries), self.instance.plan.half
            self._mistaken[route] = wrong(self.instance.structure, route, self.own, half=half, entries=entries)
        return self._mistaken[route]


def _below(above: Mapping[str, Array], entries: Mapping[str, Array]) -> dict[str, Array]:
    """Entries as the second row of a batch, below others; NaN where those are not."""
    return {
        name: np.concatenate([above.get(name, np.full_like(entry, np.nan)), entry]) for name, entry in entries.items()
    }


def _work_together(plan: Plan, tutors: Sequence[_Tutor]) -> None:
    """Work out the sheets beside those of one exercise: the exact ones, and what follows from the students' values."""
    given = work_together([tutor.instance for tutor in tutors])
    entries = {name: np.concatenate([tutor.entries[name] for tutor in tutors]) for name in plan.asked}
    own = work(plan.structure, given, half=plan.half, entries=entries, want=plan.worked)
    for number, tutor in enumerate(tutors):
        vars(tutor)["own"] = own.row(number)
