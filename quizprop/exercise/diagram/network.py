"""A network as a picture, drawn as Mazur draws his: units in columns, weights on the edges, biases in boxes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Final
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

import numpy as np

from quizprop.engine.network import Network
from quizprop.engine.structure import structure_of
from quizprop.engine.words import phrase, said
from quizprop.exercise.diagram.chain import Chain, chain_to
from quizprop.exercise.diagram.layout import FACTOR_GAP, MOST_LABELS, RADIUS, Plan, plan_of, radius_of
from quizprop.exercise.diagram.legend import draw_legend
from quizprop.exercise.diagram.shapes import (
    FAINT,
    INK,
    LIT,
    MARGIN,
    MUTED,
    PAPER,
    SIGNS,
    SIZES,
    Box,
    Point,
    add,
    bounds,
    decimal,
    draw_arrow,
    draw_box,
    draw_label,
    draw_line,
    draw_name,
    fill,
    leave_room,
    name_size,
    on_circle,
    picture,
    set_frame,
    svg_text,
    write,
    written,
)
from quizprop.exercise.diagram.subject import (
    HEADINGS,
    Look,
    Subject,
    activation_of,
    bias_keys,
    bias_places,
    checked,
    description,
    kind_of,
    shape_of,
    unit_keys,
    weight_keys,
    weight_places,
    what_is_known,
)
from quizprop.exercise.diagram.text import Runs, clean, label_width, listed, runs_of, short, text_width
from quizprop.exercise.figures import exact
from quizprop.exercise.notation import symbol

__all__ = ["NetworkPicture", "draw_network", "network_picture", "network_svg"]

# How far the loss stands from the targets, and how high it is.
_LOSS_GAP: Final = 34.0
_LOSS_HEIGHT: Final = 44.0

_DRAWN: Final = "drawn"
_KNOWN: Final = "known"
_LOSS: Final = "E"
_DIGITS: Final = "?"
"""Stands for a value until it is filled in; no attribute has it."""


def network_svg(
    network: Network,
    given: Mapping[str, Any] | None = None,
    *,
    notation: str = "mazur",
    values: Mapping[str, float] | None = None,
    title: str | None = None,
    prefix: str = "network",
    highlight: str | None = None,
    legend: bool = False,
) -> str:
    """The network as an SVG element, for a page or, with its own colours, for print; see `network_picture`.

    ``values`` are what is known by now, by key; those of z and a appear in their units, others are left alone.
    """
    picture = network_picture(
        network, given, notation=notation, title=title, prefix=prefix, highlight=highlight, legend=legend
    )
    return picture.filled(values or {})


def network_picture(
    network: Network,
    given: Mapping[str, Any] | None = None,
    *,
    notation: str = "mazur",
    title: str | None = None,
    prefix: str = "network",
    highlight: str | None = None,
    legend: bool = False,
) -> "NetworkPicture":
    """The network's picture, to be filled in with what is known by then.

    Units and biases carry ``data-cells``, the keys of the cells that live there. A weight carries ``data-edge``, its
    key, and ``data-cells``, both on its line and on its label.

    Args:
        network: what to draw.
        given: the arrays of one instance by name, nested lists will do: x, t, W1, b1 ...; eta is not needed. Left out,
            the names alone are drawn.
        notation: one of ``notation.NOTATIONS``.
        title: the picture's name for a screen reader; the network's shape where left out.
        prefix: begins every id, so that several pictures fit on one page.
        highlight: the key of a cell, ``grad_W2[1,1]`` or ``delta1[1]`` say. The way to it is brought out, with the
            factors of the chain rule named along it, and the rest recedes.
        legend: whether it says how sign and size of a weight are drawn.

    Raises:
        ValueError: a given array is missing or has another shape, the notation is unknown, the prefix is no id, or the
            network has no cell to highlight.
    """
    look = Look(legend=legend)
    if highlight is not None:
        look = _look_at(chain_to(structure_of(network), highlight), network, notation, legend=legend)
    subject = Subject(network, {} if given is None else checked(network, given), notation, {}, look)
    return NetworkPicture(subject, title or phrase("Network {shape}", shape=shape_of(network)), prefix)


def draw_network(subject: Subject, title: str, prefix: str) -> str:
    """The picture of a network as it is to be looked at, with the subject's values."""
    return NetworkPicture(subject, title, prefix).filled(subject.values)


@dataclass(frozen=True)
class NetworkPicture:
    """A network as it is to be looked at. What takes time is drawn once, however often values are filled in."""

    subject: Subject
    title: str
    prefix: str

    def filled(self, values: Mapping[str, float]) -> str:
        """The picture with these values; those of z and a appear in their units, others are left alone."""
        subject = replace(self.subject, values=values)

        def what(room: str) -> str:
            if room == _KNOWN:
                return "".join(f" {escape(clean(said(sentence)))}" for sentence in what_is_known(subject))
            if room == _LOSS:
                return "".join(_loss_lines(subject, self._plan))
            return "".join(_unit_lines(subject, self._plan, *map(int, room.split())))

        return fill(self._with_key if subject.any_known() else self._without_key, what)

    @cached_property
    def _plan(self) -> Plan:
        return plan_of(self.subject)

    @cached_property
    def _drawn(self) -> tuple[str, list[Box]]:
        """The network with room for its values, and what it fills."""
        subject, plan, root = self.subject, self._plan, Element("g")
        filled = [
            *_draw_headings(root, subject, plan),
            *_draw_loss(root, subject, plan),
            *_draw_biases(root, subject, plan),
            *_draw_weights(root, subject, plan),
            *_draw_units(root, subject, plan),
            *_draw_targets(root, subject, plan),
        ]
        return "".join(map(svg_text, root)), filled

    @cached_property
    def _described(self) -> tuple[str, ...]:
        return tuple(map(said, description(self.subject)))

    @cached_property
    def _without_key(self) -> str:
        return self._framed(with_key=False)

    @cached_property
    def _with_key(self) -> str:
        return self._framed(with_key=True)

    def _framed(self, *, with_key: bool) -> str:
        """The network in its frame, and below it what its values are if there will be any."""
        subject, (drawn, filled) = self.subject, self._drawn
        root = picture(self.title, self._described, self.prefix, room=_KNOWN)
        leave_room(root, _DRAWN)
        filled = [*filled, *_draw_notes(root, subject, filled, with_key=with_key)]
        if subject.look.legend and not subject.blank:
            signs = {_sign(subject, key) for key in _all_weights(subject.network)}
            filled.append(draw_legend(root, bounds(filled), signs))
        set_frame(root, filled)
        return fill(svg_text(root), lambda room: drawn if room == _DRAWN else f"<!--{room}-->")


def _look_at(way: Chain, network: Network, notation: str, *, legend: bool) -> Look:
    """The way to a cell brought out."""
    shared = {f"{key.partition('[')[0]}[1]" for key in way.read if network.bias == "shared" and key.startswith("b")}
    back = frozenset(way.cells if way.backward else ())
    names = listed(symbol(key, network, notation).text for key in way.cells)
    read = listed(symbol(key, network, notation).text for key in way.read)
    forward = phrase("Brought out: {names}.", names=names)
    backward = phrase("Brought out, back from the loss: {names}.", names=names)
    told = [backward if way.backward else forward] if names else []
    told += [phrase("Read on the way: {names}.", names=read)] if read else []
    return Look(
        lit=way.keys | shared,
        back=back,
        dims=True,
        factors=True,
        loss=way.backward or "E" in way.cells,
        legend=legend,
        said=tuple(told),
    )


# --- drawing --------------------------------------------------------------------------------------------------------
# Each function draws one kind of thing and returns the boxes that it fills, for the frame.


def _draw_headings(root: Element, subject: Subject, plan: Plan) -> Iterator[Box]:
    """What each column is, above it."""
    network = subject.network
    centres = [centre for column in plan.columns for centre in column]
    bottom = min([*(y - RADIUS for _, y in centres), *(box.y - box.height / 2 for box in plan.boxes)]) - 14
    for layer, column in enumerate(plan.columns):
        kind = HEADINGS[kind_of(network, layer)]
        lines = [kind] if layer == 0 else [activation_of(network, layer), kind]
        for row, line in enumerate(lines):
            yield write(root, ((said(line), 0),), (column[0][0], bottom - 15 * row), css="qp-caption")


def _draw_loss(root: Element, subject: Subject, plan: Plan) -> Iterator[Box]:
    """The loss at the right, with a line from each output, or back to it."""
    if not subject.look.loss:
        return
    x, width = _loss_place(subject, plan)
    group = add(root, "g", {"class": f"qp-loss{_loss_emphasis(subject)}", "data-cells": "E"})
    for unit, centre in enumerate(plan.columns[-1], start=1):
        keys = unit_keys(subject.network, subject.network.depth, unit)
        start, end = on_circle(centre, (x, 0), RADIUS), (x - width / 2, 0.0)
        back = subject.flows_back(keys)
        lit = back or "E" in subject.look.lit
        edge = add(group, "g", {"class": "qp-edge" + (" qp-on" if lit else " qp-dim" if subject.look.dims else "")})
        stroke = {"stroke": _ink(edge, MUTED), "stroke-width": "3.5" if lit else "1.5"}
        draw_arrow(edge, *((end, start) if back else (start, end)), size=11 if lit else 9, stroke=stroke)
    box = Box(x, 0, width, _LOSS_HEIGHT)
    draw_box(group, box, stroke=_ink(group, INK))
    leave_room(group, _LOSS)
    yield box


def _loss_place(subject: Subject, plan: Plan) -> tuple[float, float]:
    """Where the loss stands, and how wide it is: as with its value, so that the pictures of a row keep their size."""
    name = label_width(runs_of(subject.symbol("E")))
    width = max(name, 0.0 if subject.blank else label_width((("0.00000", 0),))) + 8
    return plan.columns[-1][0][0] + _target_gap(subject) + _targets_width(subject) + _LOSS_GAP + width / 2, width


def _loss_lines(subject: Subject, plan: Plan) -> Iterator[str]:
    """The loss's name and, if it is known, its value."""
    x, _ = _loss_place(subject, plan)
    known = "E" in subject.values
    ink = _ink_of(_loss_emphasis(subject), INK)
    yield written(runs_of(subject.symbol("E")), (x, -9 if known else 0), css="qp-name", ink=ink)
    if known:
        yield _number(subject.values["E"], (x, 11), css="qp-out", ink=INK)


def _number(value: float, centre: Point, *, css: str, ink: str) -> str:
    return written(((_DIGITS, 0),), centre, css=css, ink=ink).replace(_DIGITS, short(value))


def _loss_emphasis(subject: Subject) -> str:
    return " qp-on" if subject.look.back else subject.emphasis("E")


def _ink(element: Element, otherwise: str) -> str:
    """The colour of what is brought out or recedes, by its class."""
    return _ink_of(element.get("class") or "", otherwise)


def _ink_of(css: str, otherwise: str) -> str:
    classes = css.split()
    return LIT if "qp-on" in classes else FAINT if "qp-dim" in classes else otherwise


def _draw_biases(root: Element, subject: Subject, plan: Plan) -> Iterator[Box]:
    network = subject.network
    for key, layer, unit in bias_places(network):
        box, keys = plan.biases[key], bias_keys(network, layer, unit)
        css = f"qp-bias qp-bias-{network.bias}{subject.emphasis(keys)}"
        group = add(root, "g", {"class": css, "data-cells": keys})
        ink = _ink(group, MUTED)
        if network.bias == "shared":
            start = (box.x, box.y - box.height / 2)
            for centre in plan.columns[layer]:
                draw_line(group, start, on_circle(centre, start, RADIUS), {"stroke": ink})
        yield draw_label(group, subject.label(key), box, stroke=ink, ink=_ink(group, INK))


def _draw_weights(root: Element, subject: Subject, plan: Plan) -> Iterator[Box]:
    """All lines first, then all labels, so that no line runs over a label."""
    network = subject.network
    sizes = [0.0 if subject.blank else abs(subject.value(key)) for key in _all_weights(network)]
    largest = max(sizes) or 1.0
    lines, labels = add(root, "g"), add(root, "g")
    for layer in range(1, network.depth + 1):
        for key, to, source in weight_places(network, layer):
            sign, keys = _sign(subject, key), weight_keys(network, layer, to, source)
            data = {"data-edge": key, "data-cells": keys}
            css = subject.emphasis(keys)
            edge = add(lines, "g", {"class": f"qp-edge qp-edge-{sign}{css}", **data})
            left, right = plan.columns[layer - 1][source - 1], plan.columns[layer][to - 1]
            ends = (on_circle(left, right, radius_of(layer - 1)), on_circle(right, left, RADIUS))
            share = 0.2 if subject.blank else abs(subject.value(key)) / largest
            stroke, size = _stroke(edge, sign, share), 9 + 3 * share
            draw_arrow(edge, *(ends[::-1] if subject.flows_back(keys) else ends), size=size, stroke=stroke)
            if not subject.blank:
                _reach(edge, subject.words(key), *ends)
            if key in plan.weights:
                label = add(labels, "g", {"class": f"qp-weight qp-weight-{sign}{css}", **data})
                yield draw_label(label, subject.label(key), plan.weights[key], ink=_ink(label, SIGNS[sign]))


def _reach(edge: Element, words: str, start: Point, end: Point) -> None:
    """The weight's name and value for whoever points at its edge, or near it."""
    add(edge, "title").text = words
    draw_line(edge, start, end, {"class": "qp-reach", "stroke": "transparent", "stroke-width": "14"})


def _all_weights(network: Network) -> Iterator[str]:
    for layer in range(1, network.depth + 1):
        for key, _, _ in weight_places(network, layer):
            yield key


def _sign(subject: Subject, key: str) -> str:
    value = np.nan if subject.blank else subject.value(key)
    return "negative" if value < 0 else "positive" if value > 0 else "zero" if value == 0 else "unknown"


def _stroke(edge: Element, sign: str, share: float) -> dict[str, str]:
    """The width says the weight's share of the largest one, the dashes that it is negative."""
    lit = "qp-on" in (edge.get("class") or "").split()
    width = max(3.5 if lit else 0.0, 1 + 3 * share)
    stroke = {"stroke": _ink(edge, SIGNS[sign]), "stroke-width": decimal(width)}
    return {**stroke, "stroke-dasharray": "7 5"} if sign == "negative" else stroke


def _draw_units(root: Element, subject: Subject, plan: Plan) -> Iterator[Box]:
    network = subject.network
    for layer, column in enumerate(plan.columns):
        kind, radius = kind_of(network, layer), radius_of(layer)
        for unit, centre in enumerate(column, start=1):
            keys = unit_keys(network, layer, unit)
            css = f"qp-unit qp-unit-{kind}{subject.emphasis(keys)}"
            group = add(root, "g", {"class": css, "data-cells": keys})
            circle = {"cx": decimal(centre[0]), "cy": decimal(centre[1]), "r": decimal(radius)}
            width = "3" if "qp-on" in css else "1.5"
            add(group, "circle", {**circle, "fill": PAPER, "stroke": _ink(group, INK), "stroke-width": width})
            leave_room(group, f"{layer} {unit}")
            if (layer, unit) in plan.factors:
                yield _draw_factors(group, subject, (layer, unit), plan.factors[layer, unit])
            yield Box(*centre, 2 * radius, 2 * radius)


def _unit_lines(subject: Subject, plan: Plan, layer: int, unit: int) -> Iterator[str]:
    """What stands in a circle."""
    x, y = plan.columns[layer][unit - 1]
    dim = subject.look.dims and not subject.lit(unit_keys(subject.network, layer, unit))
    ink = FAINT if dim else INK
    name = runs_of(subject.unit(layer, unit))
    known, inside = subject.known(layer, unit), subject.inside(layer, unit)
    if layer == 0 and not subject.batch and not subject.blank:
        yield written(name, (x, y - 9), css="qp-name", ink=ink)
        yield _number(subject.value(f"x[{unit}]"), (x, y + 9), css="qp-out", ink=ink)
    elif inside:
        yield written(name, (x, y - 10), css="qp-name", ink=ink)
        yield written(runs_of(inside[0]), (x, y + 11), css="qp-delta", ink=ink)
    elif not known:
        yield written(name, (x, y), css="qp-name", ink=ink)
    else:
        yield written(name, (x, y - 21.5), css="qp-name", ink=ink)
        above, _ = subject.stems.split()
        for key, value in known.items():
            place = (x, y + (-3.0 if key.startswith(above) else 13.5))
            yield _number(value, place, css=_CLASSES[key[0]], ink=ink)


_CLASSES: Final = {"z": "qp-net", "a": "qp-out", "d": "qp-delta"}


def _draw_factors(group: Element, subject: Subject, place: tuple[int, int], box: Box) -> Box:
    """The factors that make up the unit's delta, side by side."""
    draw_box(group, box, css="qp-ground")
    x = box.x - box.width / 2
    for number, name in enumerate(subject.factors(*place)):
        width = name_size(name, "qp-factor")[0]
        if number:
            write(group, (("·", 0),), (x - FACTOR_GAP / 2, box.y), css="qp-factor")
        draw_name(group, name, (x + width / 2, box.y), css="qp-factor", ink=LIT)
        x += width + FACTOR_GAP
    return box


def _draw_targets(root: Element, subject: Subject, plan: Plan) -> Iterator[Box]:
    width = _targets_width(subject)
    for unit, (x, y) in enumerate(() if subject.batch else plan.columns[-1], start=1):
        key = f"t[{unit}]"
        group = add(root, "g", {"class": f"qp-target{subject.emphasis(key)}", "data-cells": key})
        name, value = _target(subject, unit)
        middle = x + _target_gap(subject) + max(text_width(name, SIZES["qp-caption"]), text_width(value)) / 2
        if subject.look.loss:  # the line to the loss passes behind it
            draw_box(
                group, Box(x + _target_gap(subject) + width / 2, y, width + 4, 36 if value else 20), css="qp-ground"
            )
        yield write(group, name, (middle, y - 9 if value else y), css="qp-caption", ink=_ink(group, MUTED))
        if value:
            yield write(group, value, (middle, y + 9), css="qp-value")


def _target_gap(subject: Subject) -> float:
    """How far behind its output a target stands; the arrow from the loss needs room for its head."""
    return RADIUS + MARGIN + (12 if subject.look.loss else 0)


def _target(subject: Subject, unit: int) -> tuple[Runs, Runs]:
    key = f"t[{unit}]"
    return runs_of(subject.symbol(key)), () if subject.blank else ((exact(subject.value(key)), 0),)


def _targets_width(subject: Subject) -> float:
    """The room that all targets need, of one example."""
    if subject.batch:
        return 0.0
    pairs = [_target(subject, unit) for unit in range(1, subject.network.layers[-1] + 1)]
    return max(max(text_width(name, SIZES["qp-caption"]), text_width(value)) for name, value in pairs)


def _draw_notes(root: Element, subject: Subject, filled: Iterable[Box], *, with_key: bool) -> list[Box]:
    """What the picture does not say by itself, below it; ``with_key`` what the values in the units are."""
    network = subject.network
    notes = []
    if with_key:
        above, below = (_letters(runs_of(subject.symbol(f"{stem}1[1]"))) for stem in subject.stems.split())
        notes.append(phrase("in each unit: {above} above, {below} below", above=above, below=below))
    if subject.batch:
        notes.append(phrase("{number} examples: see the table", number=network.examples))
    if not subject.blank and any(sources * targets > MOST_LABELS for sources, targets in pairwise(network.layers)):
        notes.append(phrase("weights: see the table"))
    left, _, right, bottom = bounds(filled)
    return [
        write(root, ((said(note), 0),), ((left + right) / 2, bottom + 20 + 16 * row), css="qp-caption")
        for row, note in enumerate(notes)
    ]


def _letters(runs: Runs) -> str:
    """A symbol without its indices: net, out, dz."""
    return "".join(text for text, level in runs if not level)
