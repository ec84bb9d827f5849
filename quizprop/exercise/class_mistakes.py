"""What a class gets wrong: its known mistakes with who made them, and how often each step was right at first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import median
from typing import Any, Final

import numpy as np

from quizprop.engine.mistakes import Mistake
from quizprop.engine.structure import Structure, structure_of
from quizprop.exercise.evidence import general_code
from quizprop.exercise.grade import Verdict
from quizprop.exercise.spec import Exercise

__all__ = ["CheckedSheet", "ClassMistake", "Effort", "StepShare", "class_mistakes", "efforts", "step_shares"]

_ENOUGH: Final = 10
"""Sheets from which on a correlation is told."""

_ACCEPTED: Final = frozenset(verdict.value for verdict in Verdict if verdict.accepted)


@dataclass(frozen=True, slots=True)
class CheckedSheet:
    """A student's sheet: who worked it, of which exercise, and the marks of each attempt, at least one.

    ``minutes`` went by from when it was handed out to its last check.
    """

    learner_id: int
    exercise: Exercise
    attempts: tuple[Mapping[str, Any], ...]
    minutes: float = 0.0


@dataclass(slots=True)
class ClassMistake:
    """A known mistake in whatever layer: its code and title, who made it, and who kept making it to the end.

    ``could`` are the students who checked a sheet on which it can be made; ``at`` counts the answers that show it by
    exercise and quantity.
    """

    code: str
    title: str
    made: set[int] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)
    could: set[int] = field(default_factory=set)
    at: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def places(self) -> Counter[str]:
        """The answers that show it, by quantity."""
        found: Counter[str] = Counter()
        for (_, name), count in self.at.items():
            found[name] += count
        return found

    @property
    def slugs(self) -> set[str]:
        """The exercises at which it was made."""
        return {slug for slug, _ in self.at}

    @property
    def share(self) -> float:
        """The share of the students who made it among those who could."""
        return len(self.made) / len(self.could)

    @property
    def overcome(self) -> int:
        """How many made it and no longer do so in their last attempt at any sheet."""
        return len(self.made - self.kept)


@dataclass(slots=True)
class StepShare:
    """How a quantity of an exercise went: the cells judged, those right at the first attempt, those at the last.

    ``pairs`` has for each sheet, of its first attempt, the share right of this quantity and that of all others.
    """

    exercise: str
    quantity: str
    judged: int = 0
    first: int = 0
    last: int = 0
    pairs: list[tuple[float, float]] = field(default_factory=list)

    @property
    def discrimination(self) -> float | None:
        """Whether who is right here is right elsewhere: the correlation with the rest of the sheet, itself left out.

        None for fewer than 10 sheets, where chance alone decides, and where all of them did the same.
        """
        if len(self.pairs) < _ENOUGH:
            return None
        here, elsewhere = np.array(self.pairs).T
        if np.ptp(here) == 0 or np.ptp(elsewhere) == 0:
            return None
        return float(np.corrcoef(here, elsewhere)[0, 1])


def class_mistakes(sheets: Iterable[CheckedSheet]) -> tuple[ClassMistake, ...]:
    """The known mistakes that were made, the one made by most students first."""
    found: dict[str, ClassMistake] = {}
    worked: dict[Structure, set[int]] = {}
    for sheet in sheets:
        structure = structure_of(sheet.exercise.model)
        worked.setdefault(structure, set()).add(sheet.learner_id)
        for marks in sheet.attempts:
            for mistake in _named(marks, structure):
                entry = _entry(found, mistake)
                entry.made.add(sheet.learner_id)
                entry.at[sheet.exercise.slug, mistake.name] += 1
        for mistake in _named(sheet.attempts[-1], structure):
            _entry(found, mistake).kept.add(sheet.learner_id)
    for structure, learners in worked.items():
        for code in found.keys() & map(general_code, structure.mistakes):
            found[code].could |= learners
    return tuple(sorted(found.values(), key=lambda one: (-len(one.made), -one.share, one.title)))


def _entry(found: dict[str, ClassMistake], mistake: Mistake) -> ClassMistake:
    code = general_code(mistake)
    if code not in found:
        found[code] = ClassMistake(code, mistake.misconception.title)
    return found[code]


def _named(marks: Mapping[str, Any], structure: Structure) -> list[Mistake]:
    """The mistakes that the marks name; of a cell that several explain, the likeliest, as the student was told."""
    by_code = _by_code(structure)
    codes = (mark["codes"][0] for mark in marks.values() if mark["verdict"] == Verdict.MISTAKE and mark["codes"])
    return [by_code[code] for code in codes if code in by_code]  # a later release may not know it any more


@dataclass(frozen=True, slots=True)
class Effort:
    """What an exercise took: how many sheets were checked, and the medians of their attempts and of the minutes.

    The minutes are those from when a sheet was handed out to its last check, breaks too.
    """

    exercise: str
    sheets: int
    attempts: float
    minutes: float


def efforts(sheets: Iterable[CheckedSheet]) -> tuple[Effort, ...]:
    """What each exercise took, in the order in which they come."""
    found: dict[str, list[CheckedSheet]] = {}
    for sheet in sheets:
        found.setdefault(sheet.exercise.slug, []).append(sheet)
    return tuple(
        Effort(slug, len(group), median(len(one.attempts) for one in group), median(one.minutes for one in group))
        for slug, group in found.items()
    )


def step_shares(sheets: Iterable[CheckedSheet]) -> tuple[StepShare, ...]:
    """Each quantity of each exercise, in the order of the work. A cell that was left blank is not judged."""
    found: dict[tuple[str, str], StepShare] = {}
    for sheet in sheets:
        slug, quantities = sheet.exercise.slug, _quantities(structure_of(sheet.exercise.model))
        first, last = sheet.attempts[0], sheet.attempts[-1]
        for key in last:
            quantity = quantities.get(key)
            if quantity is None or not _judged(last[key]):
                continue
            entry = found.setdefault((slug, quantity), StepShare(slug, quantity))
            entry.judged += 1
            entry.first += key in first and _right(first[key])
            entry.last += _right(last[key])
        for quantity, pair in _pairs(first, quantities):
            if (slug, quantity) in found:
                found[slug, quantity].pairs.append(pair)
    return tuple(found.values())


def _pairs(marks: Mapping[str, Any], quantities: Mapping[str, str]) -> Iterator[tuple[str, tuple[float, float]]]:
    """For each quantity that was filled in, the share right there, and of all other cells, blank ones too."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for key, mark in marks.items():
        groups.setdefault(quantities.get(key, ""), []).append(mark)
    all_right = sum(map(_right, marks.values()))
    for quantity, group in groups.items():
        right, others = sum(map(_right, group)), len(marks) - len(group)
        if others and any(map(_judged, group)):
            yield quantity, (right / len(group), (all_right - right) / others)


@lru_cache(maxsize=256)  # a class works many sheets of few exercises
def _by_code(structure: Structure) -> dict[str, Mistake]:
    return {one.code: one for one in structure.mistakes}


@lru_cache(maxsize=256)
def _quantities(structure: Structure) -> dict[str, str]:
    return {str(key): name for name, keys in structure.keys.items() for key in keys.flat}


def _judged(mark: Mapping[str, Any]) -> bool:
    return mark["verdict"] not in (Verdict.BLANK, Verdict.UNCHECKED)


def _right(mark: Mapping[str, Any]) -> bool:
    return mark["verdict"] in _ACCEPTED
