"""A network as a picture, drawn as Mazur draws his: units in columns, weights on the edges, biases in boxes.

First the layout: how wide each label is, where the columns stand, and at which point of its edge each weight's label
sits so that it covers no other label and no unit. Then the drawing. The SVG has classes and presentation attributes
only, so a strict content security policy lets it pass; its colours are in web/static/diagram.css.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, count, pairwise
from types import MappingProxyType
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.network import Network
from quizprop.exercise.figures import exact, fitting
from quizprop.exercise.notation import Symbol, parse_key, symbol, unit_symbol

__all__ = ["network_svg"]

_Point = tuple[float, float]
_Columns = tuple[tuple[_Point, ...], ...]
# Pieces of text, each on the line (0), above it (1) or below it (-1).
_Runs = tuple[tuple[str, int], ...]

# Lengths are in the SVG's units, which are CSS pixels at its natural size.
_FONT: Final = 14.0
_SIZES: Final = {"qp-name": 15.0, "qp-value": 14.0, "qp-net": 13.0, "qp-out": 13.0, "qp-caption": 12.0}
_INDEX: Final = 0.75
_RADIUS: Final = 34.0
_INPUT_RADIUS: Final = 30.0
_PITCH: Final = 120.0
_LABEL_HEIGHT: Final = 20.0
_AIR: Final = 4.0
_MARGIN: Final = 8.0
# From this width on, the style sheet lets a picture scroll rather than shrink to nothing on a phone.
_WIDE: Final = 560.0
# A gap between two layers with more weights than this has no labels: nobody could read them.
_MOST_LABELS: Final = 16
# Where on its line a label may stand, and what costs: covering another label more than any number of lines behind it.
_FRACTIONS: Final = tuple(step / 50 for step in range(10, 41))
_COVERED: Final = 100.0
_CROWDED: Final = 0.45

# What shows without the style sheet, in print say; the style sheet's rules win over these attributes.
_INK: Final = "#1b2733"
_PAPER: Final = "#ffffff"
_MUTED: Final = "#5a6b7b"
_SIGNS: Final = {"positive": "#1d5fa6", "negative": "#b0431a", "zero": _MUTED}

_MINUS: Final = "\N{MINUS SIGN}"
_ACTIVATIONS: Final = {"relu": "ReLU", "leaky_relu": "leaky ReLU"}


def network_svg(
    network: Network,
    given: Mapping[str, Any],
    *,
    notation: str = "mazur",
    values: Mapping[str, float] | None = None,
    title: str | None = None,
    prefix: str = "network",
) -> str:
    """The network as an SVG element, for a page or, with its own colours, for print.

    Units and biases carry ``data-cells``, the keys of the cells that live there. A weight carries ``data-edge``, its
    key, and ``data-cells``, both on its line and on its label.

    Args:
        network: what to draw.
        given: the arrays of one instance by name, nested lists will do: x, t, W1, b1 ...; eta is not needed.
        notation: one of ``notation.NOTATIONS``.
        values: what is known by now, by key; those of z and a appear in their units, others are left alone.
        title: the picture's name for a screen reader; the network's shape where left out.
        prefix: begins every id, so that several pictures fit on one page.

    Raises:
        ValueError: a given array is missing or has another shape, the notation is unknown, or the prefix is no id.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", prefix):
        raise ValueError(f"prefix: {prefix!r} is not an id; begin with a letter, go on with letters, digits, - and _")
    subject = _Subject(network, _checked(network, given), notation, values or {})
    plan = _plan(subject)
    names = {"role": "img", "aria-labelledby": f"{prefix}-title {prefix}-desc"}
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **names, "font-family": "system-ui, sans-serif"})
    SubElement(root, "title", id=f"{prefix}-title").text = _clean(title or f"Network {_shape(network)}")
    SubElement(root, "desc", id=f"{prefix}-desc").text = " ".join(_description(subject))
    filled = [
        *_draw_headings(root, subject, plan),
        *_draw_biases(root, subject, plan),
        *_draw_weights(root, subject, plan),
        *_draw_units(root, subject, plan),
        *_draw_targets(root, subject, plan),
    ]
    _set_frame(root, [*filled, *_draw_notes(root, subject, filled)])
    return tostring(root, encoding="unicode")


# --- what is drawn --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Subject:
    """The network with its numbers and names."""

    network: Network
    given: Mapping[str, Array]
    notation: str
    values: Mapping[str, float]

    @property
    def batch(self) -> bool:
        """Whether there are several examples, so that x and t have no one value to show."""
        return self.network.examples > 1

    def value(self, key: str) -> float:
        """A given's value; that of the first example for x and t."""
        parsed = parse_key(key)
        array = self.given[parsed.quantity]
        return float((array[0] if parsed.layer is None else array)[tuple(number - 1 for number in parsed.index)])

    def symbol(self, key: str) -> Symbol:
        """How a given or a cell is written."""
        return symbol(key, self.network, self.notation)

    def unit(self, layer: int, unit: int) -> Symbol:
        """The name of a unit."""
        return unit_symbol(layer, unit, self.network, self.notation)

    def label(self, key: str) -> _Runs:
        """A given with its value, ``w1 = 0.15``, to be drawn."""
        return (*_runs(self.symbol(key)), (f" = {_number(self.value(key))}", 0))

    def words(self, key: str) -> str:
        """A given with its value, to be read."""
        return f"{self.symbol(key).text} = {_number(self.value(key))}"

    def known(self, layer: int, unit: int) -> dict[str, float]:
        """The unit's net input and activation, so far as they are known."""
        keys = (f"z{layer}[{unit}]", f"a{layer}[{unit}]")
        return {key: self.values[key] for key in keys if key in self.values}

    def any_known(self) -> bool:
        """Whether any unit shows a value."""
        return any(self.known(layer, unit) for layer, unit in _units(self.network))


def _checked(network: Network, given: Mapping[str, Any]) -> dict[str, Array]:
    arrays = {}
    for name, shape in network.givens().items():
        if name == "eta":
            continue
        if name not in given:
            raise ValueError(f"given: {name} is missing; needed are {', '.join(network.givens())}")
        arrays[name] = np.asarray(given[name], dtype=float)
        if arrays[name].shape != shape:
            raise ValueError(f"given: {name} has the shape {arrays[name].shape}; this network needs {shape}")
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"given: {name} holds a number that is not finite")
    return arrays


def _units(network: Network) -> Iterator[tuple[int, int]]:
    """Layer and number of each unit that computes."""
    for layer, units in enumerate(network.layers[1:], start=1):
        for unit in range(1, units + 1):
            yield layer, unit


def _weights(network: Network, layer: int) -> Iterator[tuple[str, int, int]]:
    """The keys of a layer's weights, with the units to and from."""
    for to in range(1, network.layers[layer] + 1):
        for source in range(1, network.layers[layer - 1] + 1):
            yield f"W{layer}[{to},{source}]", to, source


def _biases(network: Network) -> Iterator[tuple[str, int, int]]:
    """The keys of the biases, each with its layer and unit; a shared one is drawn once, for unit 1."""
    for layer, unit in _units(network):
        if network.bias == "unit" or (network.bias == "shared" and unit == 1):
            yield f"b{layer}[{unit}]", layer, unit


def _number(value: float) -> str:
    """The shortest decimal that reads back as the same number, with a true minus sign: −0.4, 0.15, 2."""
    return exact(value)


def _short(value: float) -> str:
    """The number in at most seven characters, so that it fits into its circle; rounded where it must be."""
    return fitting(value, 7)


def _runs(name: Symbol) -> _Runs:
    r"""The pieces of a name without fractions, such as W^{[2]}_{1,2} or \text{target}_{o1}."""
    pieces = re.finditer(
        r"\\text\{(?P<word>\w*)\}|(?P<sign>[_^])\{(?P<index>[^{}]*)\}|(?P<letter>[A-Za-z])", name.latex
    )
    level = {None: 0, "^": 1, "_": -1}
    return tuple((piece["word"] or piece["index"] or piece["letter"], level[piece["sign"]]) for piece in pieces)


def _clean(text: str) -> str:
    """The text without what XML can't hold: control characters and halves of surrogate pairs."""
    return re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


def _shape(network: Network) -> str:
    return "-".join(map(str, network.layers))


def _kind(network: Network, layer: int) -> str:
    return "input" if layer == 0 else "output" if layer == network.depth else "hidden"


def _activation(network: Network, layer: int) -> str:
    name = network.activations[layer - 1]
    return _ACTIVATIONS.get(name, name)


def _cells(network: Network, index: int | str, *, once: Iterable[str] = (), each: Iterable[str] = ()) -> str:
    """Keys for ``data-cells``; ``each`` names the quantities of which every example has its own."""
    examples = [f"@{example}" for example in range(1, network.examples + 1)] if network.examples > 1 else [""]
    keys = [f"{name}[{index}]" for name in once]
    return " ".join([*keys, *(f"{name}[{index}]{example}" for example in examples for name in each)])


# --- the description ------------------------------------------------------------------------------------------------


def _description(subject: _Subject) -> Iterator[str]:
    """The network in sentences, with all its numbers."""
    network = subject.network
    yield f"Layers from left to right: {', '.join(_layer_words(network))}."
    if subject.batch:
        yield f"{network.examples} examples: see the table."
    else:
        yield f"Inputs: {_listed(subject.words(f'x[{unit}]') for unit in range(1, network.layers[0] + 1))}."
    for layer, unit in _units(network):
        weights = [
            f"{subject.words(key)} from {subject.unit(layer - 1, source).text}"
            for key, to, source in _weights(network, layer)
            if to == unit
        ]
        bias = [] if network.bias == "none" else [f"bias {subject.words(f'b{layer}[{unit}]')}"]
        yield f"Into {subject.unit(layer, unit).text}: {_listed([*weights, *bias])}."
    if not subject.batch:
        yield f"Targets: {_listed(subject.words(f't[{unit}]') for unit in range(1, network.layers[-1] + 1))}."
    if subject.any_known():
        known = {key: value for place in _units(network) for key, value in subject.known(*place).items()}
        yield f"Known: {_listed(f'{subject.symbol(key).text} = {_number(value)}' for key, value in known.items())}."


def _layer_words(network: Network) -> Iterator[str]:
    for layer, units in enumerate(network.layers):
        kind = _kind(network, layer)
        noun = kind if layer == 0 else f"{kind} unit"
        yield f"{units} {noun}{'' if units == 1 else 's'}" + (f" ({_activation(network, layer)})" if layer else "")


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)


# --- layout ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Box:
    """A rectangle by its centre."""

    x: float
    y: float
    width: float
    height: float = _LABEL_HEIGHT

    def touches(self, other: "_Box") -> bool:
        """Whether there is too little air between the two."""
        beside = abs(self.x - other.x) * 2 < self.width + other.width + 2 * _AIR
        return beside and abs(self.y - other.y) * 2 < self.height + other.height + 2 * _AIR

    def touches_circle(self, centre: _Point, radius: float) -> bool:
        """Whether there is too little air between it and a circle."""
        across = max(0.0, abs(self.x - centre[0]) - self.width / 2)
        down = max(0.0, abs(self.y - centre[1]) - self.height / 2)
        return math.hypot(across, down) < radius + _AIR


@dataclass(frozen=True)
class _Plan:
    """Where everything stands: the units by layer, the boxes of weights and biases by key."""

    columns: _Columns
    weights: Mapping[str, _Box]
    biases: Mapping[str, _Box]


@dataclass(frozen=True)
class _Gap:
    """The room between two columns: what to keep clear of, and the line of each weight."""

    circles: tuple[tuple[_Point, float], ...]
    boxes: tuple[_Box, ...]
    lines: Mapping[str, tuple[_Point, _Point]]


def _plan(subject: _Subject) -> _Plan:
    """The layout for the widest label of each layer: so most instances of one exercise share it."""
    network = subject.network
    layers = range(1, network.depth + 1)
    weights = tuple(_widest(subject, (key for key, _, _ in _weights(network, layer))) for layer in layers)
    biases = tuple(_widest(subject, (key for key, place, _ in _biases(network) if place == layer)) for layer in layers)
    return _arrange(network, weights, biases)


def _widest(subject: _Subject, keys: Iterable[str]) -> float:
    return max((_label_width(subject.label(key)) for key in keys), default=0.0)


def _label_width(runs: _Runs) -> float:
    return math.ceil((_text_width(runs) + 2 * _AIR) / 4) * 4.0


@lru_cache(maxsize=4096)
def _text_width(runs: _Runs, size: float = _FONT) -> float:
    """About what a wide sans-serif, DejaVu Sans, needs; most are narrower."""
    return sum(_em(mark) * size * (_INDEX if level else 1) for text, level in runs for mark in text)


def _em(mark: str) -> float:
    sizes = ((" .,:;|ijl", 0.32), ("()[]frt", 0.42), (f"w=+{_MINUS}", 0.84), ("mW", 1.0))
    return next((size for marks, size in sizes if mark in marks), 0.64)


@lru_cache(maxsize=512)
def _arrange(network: Network, weight_widths: tuple[float, ...], bias_widths: tuple[float, ...]) -> _Plan:
    """The tightest of ever more spacious layouts in which no label covers anything; widths by layer, from 1."""
    # Biases hang over the gaps beside their columns: they too may set how wide a gap is.
    room = tuple(max(width, *(bias - 2 * _INPUT_RADIUS for bias in bias_widths)) for width in weight_widths)
    plans = (
        _attempt(
            network, _columns(network, room, pitch=_PITCH + 4 * step, stretch=1 + step / 20), weight_widths, bias_widths
        )
        for step in count()
    )
    return next(plan for plan in plans if plan is not None)


def _attempt(
    network: Network, columns: _Columns, weight_widths: tuple[float, ...], bias_widths: tuple[float, ...]
) -> _Plan | None:
    """The layout with its units at these places, or None where the labels don't fit."""
    biases = _bias_boxes(network, columns, bias_widths)
    weights: dict[str, _Box] = {}
    for layer, width in enumerate(weight_widths, start=1):
        placed = _place(_gap(network, layer, columns, tuple(biases.values())), width)
        if placed is None:
            return None
        weights |= placed
    return _Plan(columns, weights, biases)


def _columns(network: Network, widths: tuple[float, ...], *, pitch: float, stretch: float) -> _Columns:
    """The centres of the units, in columns about y = 0, as far apart as the widest label between them needs."""
    x, columns = 0.0, []
    for layer, units in enumerate(network.layers):
        if layer:
            x += _radius(layer - 1) + (widths[layer - 1] + 4 * _AIR) * stretch + _radius(layer)
        columns.append(tuple((x, (unit - (units - 1) / 2) * pitch) for unit in range(units)))
    return tuple(columns)


def _radius(layer: int) -> float:
    return _RADIUS if layer else _INPUT_RADIUS


def _bias_boxes(network: Network, columns: _Columns, widths: tuple[float, ...]) -> dict[str, _Box]:
    """A shared bias stands below the column from which it feeds the next; a unit's own is outside of its unit.

    Outside is above in the upper half of a column and below in the rest: steep edges come from the other side.
    """
    lowest = max(y for column in columns for _, y in column)
    boxes = {}
    for key, layer, unit in _biases(network):
        (x, y), width = columns[layer][unit - 1], widths[layer - 1]
        below = _RADIUS + _AIR + _LABEL_HEIGHT / 2
        if network.bias == "shared":
            left = columns[layer - 1][0][0] - _radius(layer - 1)
            boxes[key] = _Box(left + width / 2, lowest + below + 20, width, _LABEL_HEIGHT + 4)
        else:
            boxes[key] = _Box(x, y - below if y < 0 else y + below, width)
    return boxes


def _gap(network: Network, layer: int, columns: _Columns, boxes: tuple[_Box, ...]) -> _Gap:
    left, right = columns[layer - 1], columns[layer]
    lines = {key: (left[source - 1], right[to - 1]) for key, to, source in _weights(network, layer)}
    circles = [(centre, _radius(place)) for place in (layer - 1, layer) for centre in columns[place]]
    return _Gap(tuple(circles), boxes, lines)


def _place(gap: _Gap, width: float) -> dict[str, _Box] | None:
    """A place for each label; nothing at all where there are too many, None where they don't fit.

    Every label starts where it would best stand alone; then each in turn moves to where it covers the fewest others,
    for as long as any of them moves.
    """
    if len(gap.lines) > _MOST_LABELS:
        return {}
    options = {key: list(_options(gap, key, width)) for key in gap.lines}
    if not all(options.values()):
        return None
    chosen = {key: min(places, key=lambda place: place[0])[1] for key, places in options.items()}
    before: dict[str, _Box] = {}
    while chosen != before:  # ends, because every move lowers the sum of all costs
        before = dict(chosen)
        for key, places in options.items():
            others = [box for other, box in chosen.items() if other != key]
            chosen[key] = min(places, key=lambda place: place[0] + _COVERED * sum(map(place[1].touches, others)))[1]
    return None if any(one.touches(other) for one, other in combinations(chosen.values(), 2)) else chosen


def _options(gap: _Gap, key: str, width: float) -> Iterator[tuple[float, _Box]]:
    """Where a label may stand on its line, with a cost: other lines behind it, and the distance from a good place."""
    (x0, y0), (x1, y1) = gap.lines[key]
    best = 0.48 if y0 == y1 else 0.36
    for fraction in _FRACTIONS:
        box = _Box(x0 + fraction * (x1 - x0), y0 + fraction * (y1 - y0), width)
        if min(box.x - x0, x1 - box.x) < width / 2 + _AIR:
            continue  # it would reach over the column into the next gap
        crowding = [_crowding(box, fraction, line) for other, line in gap.lines.items() if other != key]
        if max(crowding, default=0.0) > _CROWDED:
            continue
        blocked = any(box.touches_circle(centre, radius) for centre, radius in gap.circles)
        if not blocked and not any(map(box.touches, gap.boxes)):
            yield sum(crowding) + 4 * (fraction - best) ** 2, box


def _crowding(box: _Box, fraction: float, line: tuple[_Point, _Point]) -> float:
    """How near another line passes to the middle of a label: 1 through it, 0 from a label's height on."""
    (_, y0), (_, y1) = line
    return max(0.0, 1 - abs(y0 + fraction * (y1 - y0) - box.y) / _LABEL_HEIGHT)


# --- drawing --------------------------------------------------------------------------------------------------------
# Each function draws one kind of thing and returns the boxes that it fills, for the frame.


def _draw_headings(root: Element, subject: _Subject, plan: _Plan) -> Iterator[_Box]:
    """What each column is, above it."""
    network = subject.network
    centres = [centre for column in plan.columns for centre in column]
    bottom = min([*(y - _RADIUS for _, y in centres), *(box.y - box.height / 2 for box in plan.biases.values())]) - 14
    for layer, column in enumerate(plan.columns):
        lines = [_kind(network, layer)] if layer == 0 else [_activation(network, layer), _kind(network, layer)]
        for row, line in enumerate(lines):
            yield _write(root, ((line, 0),), (column[0][0], bottom - 15 * row), css="qp-caption")


def _draw_biases(root: Element, subject: _Subject, plan: _Plan) -> Iterator[_Box]:
    network = subject.network
    for key, layer, unit in _biases(network):
        box = plan.biases[key]
        cells = _cells(network, unit, once=(f"b{layer}", f"grad_b{layer}", f"b{layer}_new"))
        group = _add(root, "g", {"class": f"qp-bias qp-bias-{network.bias}", "data-cells": cells})
        if network.bias == "shared":
            start = (box.x, box.y - box.height / 2)
            for centre in plan.columns[layer]:
                _line(group, start, _on_circle(centre, start), {"stroke": _MUTED})
        yield _label(group, subject.label(key), box, stroke=_MUTED)


def _draw_weights(root: Element, subject: _Subject, plan: _Plan) -> Iterator[_Box]:
    """All lines first, then all labels, so that no line runs over a label."""
    network = subject.network
    layers = range(1, network.depth + 1)
    largest = max(float(np.abs(subject.given[f"W{layer}"]).max()) for layer in layers) or 1.0
    lines, labels = _add(root, "g"), _add(root, "g")
    for layer in layers:
        for key, to, source in _weights(network, layer):
            value = subject.value(key)
            sign = "negative" if value < 0 else "positive" if value > 0 else "zero"
            once = (f"W{layer}", f"grad_W{layer}", f"W{layer}_new")
            data = {"data-edge": key, "data-cells": _cells(network, f"{to},{source}", once=once, each=[f"path{layer}"])}
            edge = _add(lines, "g", {"class": f"qp-edge qp-edge-{sign}", **data})
            left, right = plan.columns[layer - 1][source - 1], plan.columns[layer][to - 1]
            start, end = _on_circle(left, right, _radius(layer - 1)), _on_circle(right, left)
            _arrow(edge, start, end, sign=sign, share=abs(value) / largest)
            if key in plan.weights:
                label = _add(labels, "g", {"class": f"qp-weight qp-weight-{sign}", **data})
                yield _label(label, subject.label(key), plan.weights[key], ink=_SIGNS[sign])


def _draw_units(root: Element, subject: _Subject, plan: _Plan) -> Iterator[_Box]:
    network = subject.network
    for layer, column in enumerate(plan.columns):
        kind, radius = _kind(network, layer), _radius(layer)
        each = [f"{stem}{layer}" for stem in ("z", "a", "dE_da", "da_dz", "delta")] if layer else ["x", "dE_da0"]
        each += ["e"] if kind == "output" else []
        for unit, centre in enumerate(column, start=1):
            data = {"data-cells": _cells(network, unit, each=each)}
            group = _add(root, "g", {"class": f"qp-unit qp-unit-{kind}", **data})
            circle = {"cx": _length(centre[0]), "cy": _length(centre[1]), "r": _length(radius)}
            _add(group, "circle", {**circle, "fill": _PAPER, "stroke": _INK, "stroke-width": "1.5"})
            for runs, below, css in _unit_lines(subject, layer, unit):
                _write(group, runs, (centre[0], centre[1] + below), css=css)
            yield _Box(*centre, 2 * radius, 2 * radius)


def _unit_lines(subject: _Subject, layer: int, unit: int) -> Iterator[tuple[_Runs, float, str]]:
    """What stands in a circle: text, how far below the centre, and its class."""
    name = _runs(subject.unit(layer, unit))
    known = subject.known(layer, unit)
    if layer == 0 and not subject.batch:
        yield name, -9, "qp-name"
        yield ((_short(subject.value(f"x[{unit}]")), 0),), 9, "qp-out"
    elif not known:
        yield name, 0, "qp-name"
    else:
        yield name, -21.5, "qp-name"
        for key, value in known.items():
            below, css = (-3, "qp-net") if key.startswith("z") else (13.5, "qp-out")
            yield ((_short(value), 0),), below, css


def _draw_targets(root: Element, subject: _Subject, plan: _Plan) -> Iterator[_Box]:
    for unit, (x, y) in enumerate(() if subject.batch else plan.columns[-1], start=1):
        key = f"t[{unit}]"
        group = _add(root, "g", {"class": "qp-target", "data-cells": key})
        name, value = _runs(subject.symbol(key)), ((_number(subject.value(key)), 0),)
        widest = max(_text_width(name, _SIZES["qp-caption"]), _text_width(value))
        middle = x + _RADIUS + _MARGIN + widest / 2
        yield _write(group, name, (middle, y - 9), css="qp-caption")
        yield _write(group, value, (middle, y + 9), css="qp-value")


def _draw_notes(root: Element, subject: _Subject, filled: Iterable[_Box]) -> Iterator[_Box]:
    """What the picture does not say by itself, below it."""
    network = subject.network
    notes = []
    if subject.any_known():
        net, out = (_runs(subject.symbol(f"{stem}1[1]"))[0][0] for stem in "za")
        notes.append(f"in each unit: {net} above, {out} below")
    if subject.batch:
        notes.append(f"{network.examples} examples: see the table")
    if any(sources * targets > _MOST_LABELS for sources, targets in pairwise(network.layers)):
        notes.append("weights: see the table")
    left, _, right, bottom = _bounds(filled)
    for row, note in enumerate(notes):
        yield _write(root, ((note, 0),), ((left + right) / 2, bottom + 20 + 16 * row), css="qp-caption")


# --- shapes ---------------------------------------------------------------------------------------------------------


def _set_frame(root: Element, filled: Iterable[_Box]) -> None:
    """Fit the picture's frame to what it holds."""
    left, top, right, bottom = _bounds(filled)
    width, height = right - left + 2 * _MARGIN, bottom - top + 2 * _MARGIN
    root.set("viewBox", " ".join(map(_length, (left - _MARGIN, top - _MARGIN, width, height))))
    root.set("width", _length(width))
    root.set("height", _length(height))
    root.set("class", "qp-diagram qp-diagram-wide" if width > _WIDE else "qp-diagram")


def _bounds(boxes: Iterable[_Box]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of all boxes together."""
    boxes = tuple(boxes)
    xs = [box.x + side * box.width / 2 for box in boxes for side in (-1, 1)]
    ys = [box.y + side * box.height / 2 for box in boxes for side in (-1, 1)]
    return min(xs), min(ys), max(xs), max(ys)


def _on_circle(centre: _Point, towards: _Point, radius: float = _RADIUS) -> _Point:
    """Where the line from a circle's centre to another point leaves the circle."""
    share = radius / math.dist(centre, towards)
    return centre[0] + share * (towards[0] - centre[0]), centre[1] + share * (towards[1] - centre[1])


def _arrow(parent: Element, start: _Point, end: _Point, *, sign: str, share: float) -> None:
    """A line with its head; its width says the weight's share of the largest one, its dashes that it is negative."""
    stroke = {"stroke": _SIGNS[sign], "stroke-width": _length(1 + 3 * share)}
    dashes = {"stroke-dasharray": "7 5"} if sign == "negative" else {}
    size = 9 + 3 * share
    length = math.dist(start, end)
    ahead = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
    base = (end[0] - size * ahead[0], end[1] - size * ahead[1])
    _line(parent, start, base, {**stroke, **dashes})
    corners = [end, *((base[0] - side * ahead[1], base[1] + side * ahead[0]) for side in (size * 0.45, -size * 0.45))]
    points = " ".join(f"{_length(x)},{_length(y)}" for x, y in corners)
    _add(parent, "polygon", {"points": points, "fill": _SIGNS[sign]})


def _line(parent: Element, start: _Point, end: _Point, attributes: Mapping[str, str]) -> None:
    ends = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
    _add(parent, "line", {**{name: _length(value) for name, value in ends.items()}, **attributes})


def _label(parent: Element, runs: _Runs, box: _Box, *, ink: str = _INK, stroke: str = "none") -> _Box:
    """Text on a box of its own, so that lines pass behind it; as wide as it needs, in the room kept for it."""
    box = replace(box, width=_label_width(runs))
    corner = {"x": _length(box.x - box.width / 2), "y": _length(box.y - box.height / 2), "rx": "4"}
    sides = {"width": _length(box.width), "height": _length(box.height)}
    _add(parent, "rect", {"class": "qp-label", **corner, **sides, "fill": _PAPER, "stroke": stroke})
    _write(parent, runs, (box.x, box.y), css="qp-value", ink=ink)
    return box


def _write(parent: Element, runs: _Runs, centre: _Point, *, css: str, ink: str = "") -> _Box:
    """Text about its centre, with raised and lowered pieces; the kind of text decides its size."""
    size = _SIZES[css]
    place = {"x": _length(centre[0]), "y": _length(centre[1] + 0.35 * size), "text-anchor": "middle"}
    look = {"class": css, "font-size": _length(size), "fill": ink or (_MUTED if css == "qp-caption" else _INK)}
    text = _add(parent, "text", {**place, **look})
    height = 0.0
    for piece, level in runs:
        shift = {1: -0.4, 0: 0.0, -1: 0.25}[level] * size
        moved = {"dy": _length(shift - height)} if shift != height else {}
        small = {"font-size": _length(size * _INDEX)} if level else {}
        slanted = {"font-style": "italic"} if piece.isalpha() and len(piece) == 1 and level == 0 else {}
        _add(text, "tspan", {**moved, **small, **slanted}).text = piece
        height = shift
    return _Box(*centre, _text_width(runs, size), size + 4)


def _add(parent: Element, tag: str, attributes: Mapping[str, str] = MappingProxyType({})) -> Element:
    return SubElement(parent, tag, dict(attributes))


def _length(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
