"""Where everything in a picture of a network stands: columns wide enough for their labels, and no label on another."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations, count, product
from typing import Final

from quizprop.engine.network import Network
from quizprop.exercise.diagram.shapes import AIR, LABEL_HEIGHT, Box, Point, name_size
from quizprop.exercise.diagram.subject import Subject, bias_places, unit_places, weight_places
from quizprop.exercise.diagram.text import label_width

__all__ = ["FACTOR_GAP", "INPUT_RADIUS", "MOST_LABELS", "RADIUS", "Plan", "plan_of", "radius_of"]

RADIUS: Final = 34.0
INPUT_RADIUS: Final = 30.0
_PITCH: Final = 120.0
# Short names alone would leave no room to see an arrow.
_LEAST_GAP: Final = 72.0
# A gap between two layers with more weights than this has no labels: nobody could read them.
MOST_LABELS: Final = 16
# Where on its line a label may stand, and what costs: covering another label more than any number of lines behind it.
_FRACTIONS: Final = tuple(step / 50 for step in range(10, 41))
_COVERED: Final = 100.0
_CROWDED: Final = 0.45
# The factors of the chain rule at a unit stand side by side.
FACTOR_GAP: Final = 14.0
_FACTOR_HEIGHT: Final = 36.0

_Columns = tuple[tuple[Point, ...], ...]
# By layer and unit: how wide the factors named there are.
_Factors = tuple[tuple[tuple[int, int], float], ...]


@dataclass(frozen=True)
class Plan:
    """Where everything stands: units by layer, weights and biases by key, factors by layer and unit."""

    columns: _Columns
    weights: Mapping[str, Box]
    biases: Mapping[str, Box]
    factors: Mapping[tuple[int, int], Box]

    @property
    def boxes(self) -> Iterator[Box]:
        """What stands outside of the units and off the lines."""
        return chain(self.biases.values(), self.factors.values())


@dataclass(frozen=True)
class _Gap:
    """The room between two columns: what to keep clear of, and the line of each weight."""

    circles: tuple[tuple[Point, float], ...]
    boxes: tuple[Box, ...]
    lines: Mapping[str, tuple[Point, Point]]


def plan_of(subject: Subject) -> Plan:
    """The layout for the widest label of each layer: so most instances of one exercise share it."""
    network = subject.network
    layers = range(1, network.depth + 1)
    weights = tuple(_widest(subject, (key for key, _, _ in weight_places(network, layer))) for layer in layers)
    biases = tuple(
        _widest(subject, (key for key, place, _ in bias_places(network) if place == layer)) for layer in layers
    )
    least = _LEAST_GAP if subject.blank else 0.0
    return _arrange(network, weights, biases, tuple(_factors(subject)), least)


def _factors(subject: Subject) -> Iterator[tuple[tuple[int, int], float]]:
    for place in unit_places(subject.network):
        widths = [name_size(name, "qp-factor")[0] for name in subject.factors(*place)]
        if widths:
            yield place, sum(widths) + FACTOR_GAP * (len(widths) - 1)


def _widest(subject: Subject, keys: Iterable[str]) -> float:
    return max((label_width(subject.label(key)) for key in keys), default=0.0)


@lru_cache(maxsize=512)
def _arrange(
    network: Network,
    weight_widths: tuple[float, ...],
    bias_widths: tuple[float, ...],
    factors: _Factors,
    least: float,
) -> Plan:
    """The tightest of ever more spacious layouts in which no label covers anything; widths by layer, from 1."""
    # Biases and factors hang over the gaps beside their columns: they too may set how wide a gap is.
    hanging = [least, *(each - 2 * INPUT_RADIUS for each in (*bias_widths, *(width for _, width in factors)))]
    room = tuple(max(width, *hanging) for width in weight_widths)
    spaces = (_columns(network, room, pitch=_PITCH + 4 * step, stretch=1 + step / 20) for step in count())
    plans = (_attempt(network, columns, weight_widths, bias_widths, factors) for columns in spaces)
    return next(plan for plan in plans if plan is not None)


def _attempt(
    network: Network,
    columns: _Columns,
    weight_widths: tuple[float, ...],
    bias_widths: tuple[float, ...],
    factors: _Factors,
) -> Plan | None:
    """The layout with its units at these places, or None where the labels don't fit."""
    biases = _bias_boxes(network, columns, bias_widths, drop=20 + _FACTOR_HEIGHT * bool(factors))
    named = {place: _factor_box(network, columns, place, width) for place, width in factors}
    if _on_a_unit(named.values(), columns):
        return None
    hung = (*biases.values(), *named.values())
    weights: dict[str, Box] = {}
    for layer, width in enumerate(weight_widths, start=1):
        placed = _place(_gap(network, layer, columns, hung), width)
        if placed is None:
            return None
        weights |= placed
    return Plan(columns, weights, biases, named)


def _columns(network: Network, widths: tuple[float, ...], *, pitch: float, stretch: float) -> _Columns:
    """The centres of the units, in columns about y = 0, as far apart as the widest label between them needs."""
    x, columns = 0.0, []
    for layer, units in enumerate(network.layers):
        if layer:
            x += radius_of(layer - 1) + (widths[layer - 1] + 4 * AIR) * stretch + radius_of(layer)
        columns.append(tuple((x, (unit - (units - 1) / 2) * pitch) for unit in range(units)))
    return tuple(columns)


def radius_of(layer: int) -> float:
    """An input's circle is smaller."""
    return RADIUS if layer else INPUT_RADIUS


def _factor_box(network: Network, columns: _Columns, place: tuple[int, int], width: float) -> Box:
    """The factors at a unit stand outside of it, as its bias does, beyond that."""
    x, y = columns[place[0]][place[1] - 1]
    beyond = RADIUS + AIR + _FACTOR_HEIGHT / 2 + (LABEL_HEIGHT + AIR * 2) * (network.bias == "unit")
    return Box(x, y - beyond if y < 0 else y + beyond, width, _FACTOR_HEIGHT)


def _on_a_unit(factors: Iterable[Box], columns: _Columns) -> bool:
    """Whether factors stand on another unit; from their own one, and from its bias, they keep their distance."""
    circles = [(centre, radius_of(layer) - 1) for layer, column in enumerate(columns) for centre in column]
    return any(box.touches_circle(centre, radius) for box, (centre, radius) in product(factors, circles))


def _bias_boxes(network: Network, columns: _Columns, widths: tuple[float, ...], *, drop: float) -> dict[str, Box]:
    """A shared bias stands below the column from which it feeds the next; a unit's own is outside of its unit.

    Outside is above in the upper half of a column and below in the rest: steep edges come from the other side.
    """
    lowest = max(y for column in columns for _, y in column)
    boxes = {}
    for key, layer, unit in bias_places(network):
        (x, y), width = columns[layer][unit - 1], widths[layer - 1]
        below = RADIUS + AIR + LABEL_HEIGHT / 2
        if network.bias == "shared":
            left = columns[layer - 1][0][0] - radius_of(layer - 1)
            boxes[key] = Box(left + width / 2, lowest + below + drop, width, LABEL_HEIGHT + 4)
        else:
            boxes[key] = Box(x, y - below if y < 0 else y + below, width)
    return boxes


def _gap(network: Network, layer: int, columns: _Columns, boxes: tuple[Box, ...]) -> _Gap:
    left, right = columns[layer - 1], columns[layer]
    lines = {key: (left[source - 1], right[to - 1]) for key, to, source in weight_places(network, layer)}
    circles = [(centre, radius_of(place)) for place in (layer - 1, layer) for centre in columns[place]]
    return _Gap(tuple(circles), boxes, lines)


def _place(gap: _Gap, width: float) -> dict[str, Box] | None:
    """A place for each label; nothing at all where there are too many, None where they don't fit.

    Every label starts where it would best stand alone; then each in turn moves to where it covers the fewest others,
    for as long as any of them moves.
    """
    if len(gap.lines) > MOST_LABELS:
        return {}
    options = {key: list(_options(gap, key, width)) for key in gap.lines}
    if not all(options.values()):
        return None
    chosen = {key: min(places, key=lambda place: place[0])[1] for key, places in options.items()}
    before: dict[str, Box] = {}
    while chosen != before:  # ends, because every move lowers the sum of all costs
        before = dict(chosen)
        for key, places in options.items():
            others = [box for other, box in chosen.items() if other != key]
            chosen[key] = min(places, key=lambda place: place[0] + _COVERED * sum(map(place[1].touches, others)))[1]
    return None if any(one.touches(other) for one, other in combinations(chosen.values(), 2)) else chosen


def _options(gap: _Gap, key: str, width: float) -> Iterator[tuple[float, Box]]:
    """Where a label may stand on its line, with a cost: other lines behind it, and the distance from a good place."""
    (x0, y0), (x1, y1) = gap.lines[key]
    best = 0.48 if y0 == y1 else 0.36
    for fraction in _FRACTIONS:
        box = Box(x0 + fraction * (x1 - x0), y0 + fraction * (y1 - y0), width)
        if min(box.x - x0, x1 - box.x) < width / 2 + AIR:
            continue  # it would reach over the column into the next gap
        crowding = [_crowding(box, fraction, line) for other, line in gap.lines.items() if other != key]
        if max(crowding, default=0.0) > _CROWDED:
            continue
        blocked = any(box.touches_circle(centre, radius) for centre, radius in gap.circles)
        if not blocked and not any(map(box.touches, gap.boxes)):
            yield sum(crowding) + 4 * (fraction - best) ** 2, box


def _crowding(box: Box, fraction: float, line: tuple[Point, Point]) -> float:
    """How near another line passes to the middle of a label: 1 through it, 0 from a label's height on."""
    (_, y0), (_, y1) = line
    return max(0.0, 1 - abs(y0 + fraction * (y1 - y0) - box.y) / LABEL_HEIGHT)
