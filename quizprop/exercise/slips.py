"""How a mistake shows: from the quantity where it is made to the written quantity where it comes to light.

A mistake at a quantity that nobody asks for (the slope, where only the delta is asked) travels unseen through the
quantities below it, up to the first that is written down.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Quantity
from quizprop.engine.misconceptions import Mistake
from quizprop.engine.network import Network
from quizprop.engine.structure import Structure, structure_of
from quizprop.exercise.tolerance import Sheet, judge

__all__ = ["Route", "routes", "shows", "wrong"]


@dataclass(frozen=True)
class Route:
    """One form of a mistake and its way: the quantity where it is made, hidden ones, the one where it shows."""

    mistake: Mistake
    form: Quantity
    way: tuple[str, ...]

    @property
    def shown_at(self) -> str:
        """The written quantity where it comes to light."""
        return self.way[-1]


@lru_cache(maxsize=1024)
def routes(network: Network, shown_at: str, written: frozenset[str]) -> tuple[Route, ...]:
    """All mistakes that come to light at one quantity, given which quantities are written down.

    Returns:
        The routes in the order of the sheet, the forms of a mistake side by side.
    """
    structure = structure_of(network)
    found: list[Route] = []
    for mistake in structure.mistakes:
        way = _way(structure, mistake.name, shown_at, written)
        if way is not None:
            found.extend(Route(mistake, form, way) for form in mistake.wrong)
    return tuple(found)


def _way(structure: Structure, start: str, end: str, written: Collection[str]) -> tuple[str, ...] | None:
    if start == end:
        return (start,)
    above = structure.graph.needed_for([end])
    if start not in above or start in written:
        return None
    way = [start]
    for quantity in structure.graph:
        unseen = quantity.name == end or (quantity.name in above and quantity.name not in written)
        if unseen and not set(way).isdisjoint(quantity.inputs):
            way.append(quantity.name)
    return tuple(way) if end in way else None


def wrong(
    structure: Structure,
    route: Route,
    sheet: Sheet,
    *,
    half: float,
    entries: Mapping[str, Array] | None = None,
) -> tuple[Array, Array]:
    """What the mistake gives where it shows, on a sheet that is right or a student's own, and its tolerance."""
    if len(route.way) == 1:
        return judge(structure, route.form, sheet, half=half)
    entries = entries or {}
    world = Sheet(dict(sheet.values), dict(sheet.errors), {}, {})
    value, tolerance = judge(structure, route.form, world, half=half)
    for name in route.way[1:]:
        previous = route.way[route.way.index(name) - 1]
        entry = entries.get(previous, np.nan)
        world.values[previous] = np.where(np.isnan(entry), value, entry)
        world.errors[previous] = np.where(np.isnan(entry), tolerance, half)
        value, tolerance = judge(structure, structure.graph[name], world, half=half)
    return value, tolerance


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
