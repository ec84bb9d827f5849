"""Find the slip: a sheet with one known mistake at one cell, and honest work before and after it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.words import phrase
from quizprop.exercise.certify import LEAST_FACTOR
from quizprop.exercise.figures import to_places
from quizprop.exercise.question import Chance, NoQuestionError, Option, Question, posed
from quizprop.exercise.slips import Route, routes, shows, tutor_says, unseen, wrong_value
from quizprop.exercise.tolerance import within, work

if TYPE_CHECKING:
    from quizprop.exercise.instance import Instance

__all__ = ["CELL", "SLIP", "Bench", "Slip", "find_slip", "slip_questions"]

CELL: Final = "cell"
SLIP: Final = "mistake"

_FEWEST, _MOST = 4, 5
_LARGEST: Final = 1e6

_FOLLOWS: Final = phrase("This only follows from an earlier slip: the step itself is right. Go further up the sheet.")
_RIGHT: Final = phrase(
    "That value is right: it follows from those above it. Go further down the sheet, or try another one beside it."
)
_NOT_REACHED: Final = phrase("That value is right: the slip has not reached it. Go further up the sheet, or beside it.")
_ELSEWHERE: Final = phrase(
    "That slip belongs to another step of the work. Find the first wrong value, and ask what its step is."
)
_OTHER_NUMBER: Final = phrase("That slip would have given another number there. Work the step with it, and compare.")


@dataclass(frozen=True, slots=True)
class Slip:
    """The mistake, the key of the cell where it shows, and the numbers on the sheet with and without it, by key."""

    route: Route
    key: str
    filled: Mapping[str, float]
    honest: Mapping[str, float]


def find_slip(sheet: "Instance", chance: Chance) -> Slip:
    """One of the mistakes that the sheet is certified to show, made at one of the cells that show it.

    Raises:
        NoQuestionError: none of them can be told without doubt.
    """
    bench = Bench(sheet)
    by_code: dict[str, list[tuple[Route, str]]] = {}
    for route, mask in sheet.plan.showing.items():
        keys = sheet.structure.keys[route.shown_at][mask]
        by_code.setdefault(route.mistake.code, []).extend((route, str(key)) for key in keys)
    for code in chance.shuffled(by_code):
        for route, key in chance.shuffled(by_code[code]):
            slip = bench.made(route, key)
            if slip is not None:
                return slip
    raise NoQuestionError("no slip can be told without doubt")


def slip_questions(sheet: "Instance", slip: Slip, chance: Chance) -> tuple[Question, Question]:
    """Where is it, and what is it?"""
    bench, key = Bench(sheet), slip.key
    keys = [cell.key for cell in sheet.cells]
    above = set(keys[: keys.index(key)])
    cells = tuple(
        Option(f"{{{one}}} = {bench.figure(one, slip.filled[one])}", _said(slip, one, above=one in above))
        for one in keys
    )
    where = Question(CELL, phrase("Which is the first wrong value?"), cells, keys.index(key) + 1)
    right = Option(slip.route.mistake.misconception.title, code=slip.route.mistake.code)
    others = bench.distractors(slip, chance)
    if len(others) < _FEWEST - 1:
        raise NoQuestionError("there are too few slips to choose from")
    reason = tutor_says(sheet.structure, slip.route)
    return where, posed(SLIP, phrase("What was the slip there?"), right, others, chance=chance, reason=reason)


def _said(slip: Slip, key: str, *, above: bool) -> str:
    if key == slip.key:
        return ""
    if not above and slip.filled[key] == slip.honest[key]:
        return _NOT_REACHED
    return _RIGHT if slip.filled[key] == slip.honest[key] else _FOLLOWS


@dataclass(frozen=True)
class Bench:
    """A sheet on which slips are tried: what an honest worker writes who rounds each value and goes on with it."""

    sheet: "Instance"
    _tried: dict[Route, Array] = field(default_factory=dict)

    @cached_property
    def honest(self) -> dict[str, Array]:
        """The values of honest work."""
        return self._worked({})

    def _worked(self, given: Mapping[str, Array]) -> dict[str, Array]:
        plan = self.sheet.plan
        return plan.structure.graph.evaluate({**self.sheet.arrays, **given}, want=plan.worked, carry=self.written)

    def written(self, name: str, value: Array) -> Array:
        """What is carried on: the rounded value where it is written down; minus zero is zero."""
        asked = self.sheet.plan.asked.get(name)
        return value if asked is None else np.where(asked, np.round(value, self.sheet.exercise.places) + 0.0, value)

    @cached_property
    def kept(self) -> dict[str, Array]:
        """Of the quantities of which only some cells are written or shown, their values."""
        gaps = self.sheet.plan.gaps
        return {name: np.where(np.isnan(gap), np.nan, self.honest[name]) for name, gap in gaps.items()}

    def value(self, route: Route, key: str) -> float | None:
        """What a mistake gives at a cell, rounded; None where it can't be made there, or gives nothing to write."""
        if route not in self._tried:
            value = wrong_value(self.sheet.structure, route, self.honest, entries=self.kept)
            self._tried[route] = np.where(np.broadcast_to(shows(route, self.honest), value.shape), value, np.nan)
        at = (0, *self.sheet.structure.places[key][1])
        rounded = float(np.round(self._tried[route][at], self.sheet.exercise.places)) + 0.0
        return rounded if abs(rounded) < _LARGEST else None

    def figure(self, key: str, value: float) -> str:
        """A value as it is written at a cell."""
        return to_places(value, 0 if self.sheet.is_whole(key) else self.sheet.exercise.places)

    def apart(self, key: str, *values: float) -> bool:
        """Whether values for a cell differ by more than the tolerance's factor from each other."""
        distance = LEAST_FACTOR * self.sheet.tolerances[key]
        return all(abs(one - other) > distance for place, one in enumerate(values) for other in values[:place])

    def at(self, key: str) -> tuple[Route, ...]:
        """The mistakes that come to light at a cell."""
        structure = self.sheet.structure
        cells = unseen(structure, key, self.sheet.plan.written)
        return routes(structure.model, structure.places[key][0], frozenset(cells))

    def made(self, route: Route, key: str) -> Slip | None:
        """The sheet with this slip, if no other cell than this one looks wrong."""
        name, place = self.sheet.structure.places[key]
        value = self.value(route, key)
        if value is None or not self.apart(key, value, self.sheet.values[key]):
            return None
        entry = np.array(self.sheet.arrays.get(name, np.full_like(self.honest[name], np.nan)))
        entry[(0, *place)] = value
        filled = self._worked({name: entry})
        asked = self.sheet.plan.asked.items()
        fits = all(np.isfinite(filled[one][..., mask]).all() for one, mask in asked) and [*self._off(filled)] == [key]
        return Slip(route, key, self._by_key(filled), self._by_key(self.honest)) if fits else None

    def _off(self, filled: Mapping[str, Array]) -> Iterator[str]:
        """The cells that are neither right nor follow from what stands above them."""
        sheet, plan = self.sheet, self.sheet.plan
        entries = {name: np.where(mask, filled[name], np.nan) for name, mask in plan.asked.items()}
        own = work(sheet.structure, sheet.arrays, half=plan.half, entries=entries, want=plan.worked)
        for name, mask in plan.asked.items():
            right = within(filled[name], sheet.sheet.expected[name], sheet.sheet.tolerance[name])
            right |= within(filled[name], own.expected[name], own.tolerance[name])
            yield from sheet.structure.keys[name][mask & ~right[0]]

    def _by_key(self, values: Mapping[str, Array]) -> dict[str, float]:
        return self.sheet.by_key({name: values[name] for name in self.sheet.plan.asked})

    def distractors(self, slip: Slip, chance: Chance) -> list[Option]:
        """Other slips to choose from: those that give another number there, then some of other steps."""
        right, here = slip.route.mistake.misconception.title, self.at(slip.key)
        giving: dict[str, list[float]] = {}
        for route in here:
            value = self.value(route, slip.key)
            if value is not None:
                giving.setdefault(route.mistake.misconception.title, []).append(value)
        made = slip.filled[slip.key]
        fit = [title for title, values in giving.items() if title != right and self._told(slip.key, made, values)]
        others = [Option(title, _OTHER_NUMBER) for title in chance.shuffled(fit)[: _MOST - 1]]
        known = {route.mistake.misconception.title for route in here}
        for title in chance.shuffled(self._elsewhere(slip, known)):
            if len(others) < _FEWEST - 1:
                others.append(Option(title, _ELSEWHERE))
        return others

    def _told(self, key: str, made: float, values: list[float]) -> bool:
        """Whether no form of a mistake gives what stands there."""
        return all(self.apart(key, made, value) for value in values)

    def _elsewhere(self, slip: Slip, known: set[str]) -> list[str]:
        """The titles of slips at other written quantities, the nearest few."""
        order = list(self.sheet.plan.asked)
        place = order.index(slip.route.shown_at)
        titles: dict[str, int] = {}
        for route in self.sheet.plan.showing:
            title, far = route.mistake.misconception.title, abs(order.index(route.shown_at) - place)
            if title not in known:
                titles[title] = min(far, titles.get(title, far))
        return sorted(titles, key=lambda title: titles[title])[: 2 * _MOST]
