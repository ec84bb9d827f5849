"""How a mistake shows: from the quantity where it is made to the written quantity where it comes to light.

A mistake at a quantity that nobody asks for (the slope, where only the delta is asked) travels unseen through the
quantities below it, up to the first that is written down.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Quantity
from quizprop.engine.mistakes import Mistake
from quizprop.engine.model import Model
from quizprop.engine.structure import Structure, structure_of
from quizprop.engine.words import phrase
from quizprop.exercise.tolerance import Sheet, judge

__all__ = ["Route", "idle", "routes", "shows", "tutor_says", "unseen", "wrong", "wrong_value"]

_SAME = 1e-12
"""Of the value's size: results that differ by less are the same computation."""


@dataclass(frozen=True)
class Route:
    """One form of a mistake and its way: the quantity where it is made, hidden ones, the one where it shows."""

    mistake: Mistake
    form: Quantity
    way: tuple[str, ...]

    def __hash__(self) -> int:
        return hash((self.mistake.code, self.form.formula.function, self.way))

    @property
    def shown_at(self) -> str:
        """The written quantity where it comes to light."""
        return self.way[-1]


def unseen(structure: Structure, key: str, written: Collection[str]) -> dict[str, set[str]]:
    """The cells whose mistakes come to light at a cell: itself, and what it is computed from unseen.

    Args:
        structure: of the network.
        key: the cell.
        written: the keys of the cells that are written down or shown.

    Returns:
        Sets of cell keys by quantity, the cell's own quantity among them.
    """
    own, _ = structure.places[key]
    found = {own: {key}}
    waiting = [key]
    while waiting:
        name, place = structure.places[waiting.pop()]
        for source in structure.expressions[name][place].names():
            quantity, _ = structure.places[source]
            if quantity in structure.graph and source not in written and source not in found.get(quantity, ()):
                found.setdefault(quantity, set()).add(source)
                waiting.append(source)
    return found


@lru_cache(maxsize=4096)
def routes(model: Model, shown_at: str, hidden: frozenset[str]) -> tuple[Route, ...]:
    """All mistakes that come to light at a quantity, given the quantities that it is computed from unseen.

    Returns:
        The routes in the order of the sheet, the forms of a mistake side by side.
    """
    structure = structure_of(model)
    found: list[Route] = []
    for mistake in structure.mistakes:
        if mistake.name in hidden or mistake.name == shown_at:
            way = _way(structure, mistake.name, shown_at, hidden)
            found.extend(Route(mistake, form, way) for form in mistake.wrong)
    return tuple(found)


def _way(structure: Structure, start: str, end: str, hidden: Collection[str]) -> tuple[str, ...]:
    way = [start]
    passed = {*hidden, end} - {start}
    for quantity in structure.graph:
        if quantity.name in passed and not set(way).isdisjoint(quantity.inputs):
            way.append(quantity.name)
    return tuple(way)


@np.errstate(all="ignore")
def wrong(
    structure: Structure,
    route: Route,
    sheet: Sheet,
    *,
    half: float,
    entries: Mapping[str, Array] | None = None,
) -> tuple[Array, Array]:
    """What the mistake gives where it shows, on a sheet that is right or a student's own, and its tolerance.

    ``entries`` are what is written of the quantities on the way, NaN where nothing is: the mistake does not change it.
    """
    if len(route.way) == 1:
        return judge(structure, route.form, sheet, half=half)
    world = Sheet(dict(sheet.values), dict(sheet.errors), {}, {})
    value, tolerance = judge(structure, route.form, world, half=half)
    for previous, name in pairwise(route.way):
        entry = (entries or {}).get(previous)
        world.values[previous] = value if entry is None else np.where(np.isnan(entry), value, entry)
        world.errors[previous] = tolerance if entry is None else np.where(np.isnan(entry), tolerance, half)
        value, tolerance = judge(structure, structure.graph[name], world, half=half)
    return value, tolerance


@np.errstate(all="ignore")
def wrong_value(
    structure: Structure, route: Route, values: Mapping[str, Array], *, entries: Mapping[str, Array]
) -> Array:
    """What the mistake gives where it shows, without the cost of its tolerance."""
    value = route.form.of(values)
    for previous, name in pairwise(route.way):
        entry = entries.get(previous)
        values = {**values, previous: value if entry is None else np.where(np.isnan(entry), value, entry)}
        value = structure.graph[name].of(values)
    return value


def idle(structure: Structure, route: Route, given: Mapping[str, Array], *, entries: Mapping[str, Array]) -> Array:
    """At which cells the mistake changes nothing, whatever the numbers: behind a unit that is off, on a diagonal.

    By trying: numbers a little different would tell apart what agrees by chance alone.
    """
    shift = np.random.default_rng(20150317).uniform(1e-4, 1e-3, len(given))
    moved = {name: value * (1 + by) for (name, value), by in zip(given.items(), shift, strict=True)}
    values = structure.graph.evaluate(moved, want=[route.shown_at, *route.way, *_read(structure, route)])
    free = {name: np.where(np.isnan(entry), np.nan, values[name]) for name, entry in entries.items() if name in values}
    wrong = wrong_value(structure, route, values, entries=free)
    return np.isclose(wrong, values[route.shown_at], rtol=_SAME, atol=0)


def _read(structure: Structure, route: Route) -> list[str]:
    """What the mistaken formula reads beyond the givens."""
    return [name for name in route.form.inputs if name in structure.graph]


def tutor_says(structure: Structure, route: Route) -> str:
    """The tutor's sentence for a mistake, and where it was made if that is not where it shows."""
    sentence = route.mistake.misconception.sentence
    if len(route.way) == 1:
        return sentence
    # The sentence speaks of the value where the slip was made, which is not the one that is written here.
    place = structure.graph[route.way[0]].formula.title
    return phrase("On the way ({place}): {sentence}", place=place, sentence=sentence)


def shows(route: Route, values: Mapping[str, Array]) -> Array | bool:
    """At which cells the mistake can make a difference: a boolean array that fits the cells, or True for all."""
    where = route.mistake.where
    if where is None or any(name not in values for name in where.inputs):
        return True
    mask = where.of(values)
    if len(route.way) == 1:
        return mask
    # Further down the sheet one affected cell is enough; the leading axis alone is kept.
    shown = values[route.shown_at]
    return mask.any(axis=tuple(range(1, mask.ndim))).reshape(-1, *(1 for _ in shown.shape[1:]))
