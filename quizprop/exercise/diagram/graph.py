"""The computation itself as a picture, whatever is computed: the forward part above, the backward part below."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final
from xml.etree.ElementTree import Element

from quizprop.engine.structure import Structure
from quizprop.engine.words import phrase
from quizprop.exercise.diagram.layers import Layers, layers
from quizprop.exercise.diagram.shapes import (
    FAINT,
    INK,
    MUTED,
    PAPER,
    Box,
    Point,
    add,
    decimal,
    draw_head,
    draw_name,
    name_size,
    picture,
    set_frame,
    svg_text,
    write,
)
from quizprop.exercise.diagram.text import listed, short, text_width
from quizprop.exercise.notation import Symbol

__all__ = ["MOST_CELLS", "graph_svg"]

MOST_CELLS: Final = 24
"""Above so many cells, a node stands for a whole quantity."""

_MOST_VALUES: Final = 2
_AIR: Final = 8.0
_BETWEEN: Final = 46.0
_PARTS_APART: Final = 64.0
_MORE: Final = 16.0
_HEAD: Final = 8.0


@dataclass(frozen=True)
class _Node:
    """One box: a cell, or a quantity with all its cells (``keys``); ``more`` says that its name is the first's only."""

    id: str
    keys: tuple[str, ...]
    reads: tuple[str, ...]
    part: str
    name: Symbol
    below: str

    @property
    def more(self) -> bool:
        return len(self.keys) > 1

    @property
    def size(self) -> tuple[float, float]:
        width, height = name_size(self.name, "qp-factor")
        width += _MORE * self.more
        below = text_width(((self.below, 0),), 12.0)
        return max(width, below) + 2 * _AIR, height + (16 if self.below else 0) + _AIR


def graph_svg(
    structure: Structure,
    *,
    name: Callable[[str], Symbol],
    only: Collection[str] | None = None,
    values: Mapping[str, float] | None = None,
    title: str = phrase("Computation graph"),
    prefix: str = "graph",
    loss: str = "E",
) -> str:
    """What is computed from what, as an SVG element; a box carries ``data-cells``, the keys of its cells.

    The forward part, all that the loss needs, goes from left to right; below it the backward part goes back from the
    loss, from right to left. A thin dashed line says that a value of the forward part is used again.

    Args:
        structure: whose graph, keys and expressions are drawn.
        name: how a cell or a given of a key is written.
        only: the names of the quantities to draw, those that an exercise needs say; all where left out.
        values: what is known by now, by key.
        title: the picture's name for a screen reader.
        prefix: begins every id.
        loss: the quantity at which the way back begins.

    Raises:
        ValueError: nothing is left to draw, or the prefix is no id.
    """
    nodes = {node.id: node for node in _nodes(structure, name, only, values or {}, loss)}
    if not nodes:
        raise ValueError("only: none of these is a quantity of the graph; name some, or leave it out")
    root = picture(title, _sentences(nodes), prefix)
    boxes = _arranged(nodes)
    lines = add(root, "g")
    for node in nodes.values():
        _draw_node(root, node, boxes.nodes[node.id])
    for edge, points in boxes.edges.items():
        _draw_edge(lines, points, again=nodes[edge[0]].part != "backward" == nodes[edge[1]].part)
    set_frame(
        root, [*boxes.nodes.values(), *(Box(*point, 2, 2) for points in boxes.edges.values() for point in points)]
    )
    return svg_text(root)


# --- what is drawn --------------------------------------------------------------------------------------------------


def _nodes(
    structure: Structure,
    name: Callable[[str], Symbol],
    only: Collection[str] | None,
    values: Mapping[str, float],
    loss: str,
) -> Iterator[_Node]:
    """Every node after what it reads; what is read and not drawn itself comes first, as if it were given."""
    graph = structure.graph
    drawn = [quantity.name for quantity in graph if only is None or quantity.name in only]
    read = dict.fromkeys(chain.from_iterable(graph[each].inputs for each in drawn))
    leaves = [leaf for leaf in read if leaf not in drawn]
    apart = sum(structure.keys[each].size for each in (*leaves, *drawn)) <= MOST_CELLS
    forward = graph.needed_for([loss]) if loss in drawn else set(drawn)
    early = {leaf for each in drawn if each in forward for leaf in graph[each].inputs}
    for quantity in (*leaves, *drawn):
        part = "forward" if quantity in forward or quantity in early else "backward"
        part = "given" if quantity in early.difference(drawn) else part
        for id_, keys, reads in _groups(structure, quantity, apart=apart, leaf=quantity in leaves):
            below = _below(structure, quantity, keys, values)
            yield _Node(id_, keys, reads, part, name(keys[0]), below)


def _groups(
    structure: Structure, quantity: str, *, apart: bool, leaf: bool
) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """The nodes of a quantity: id, keys, and the ids of what is read."""
    keys = tuple(map(str, structure.keys[quantity].flat))
    if not apart:
        yield quantity, keys, () if leaf else tuple(dict.fromkeys(structure.graph[quantity].inputs))
        return
    cells = structure.expressions[quantity].flat if not leaf else (None for _ in keys)
    for key, cell in zip(keys, cells, strict=True):
        yield key, (key,), () if cell is None else tuple(dict.fromkeys(cell.names()))


def _below(structure: Structure, quantity: str, keys: tuple[str, ...], values: Mapping[str, float]) -> str:
    """What stands below the name: the values if all are known and few, else how many there are."""
    if len(keys) <= _MOST_VALUES and all(key in values for key in keys):
        return listed(short(values[key]) for key in keys)
    return " × ".join(map(str, structure.keys[quantity].shape)) if len(keys) > 1 else ""


def _sentences(nodes: Mapping[str, _Node]) -> Iterator[str]:
    given = [node for node in nodes.values() if not node.reads]
    yield phrase("Given: {values}.", values=listed(map(_words, given)))
    for node in nodes.values():
        if node.reads:
            read = listed(_short_words(nodes[source]) for source in node.reads)
            yield phrase("{value} from {read}.", value=_words(node), read=read)


def _words(node: _Node) -> str:
    return _short_words(node) + (f" ({node.below})" if node.below else "")


def _short_words(node: _Node) -> str:
    return node.name.text + (" …" if node.more else "")


# --- where it stands ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Boxes:
    nodes: Mapping[str, Box]
    edges: Mapping[tuple[str, str], tuple[Point, ...]]


def _arranged(nodes: Mapping[str, _Node]) -> _Boxes:
    """Both parts in columns in common, the last column of the forward part above the first of the backward part."""
    parts = [_part(nodes, backward=backward) for backward in (False, True)]
    last = max((column for part in parts for column, _ in part.places.values()), default=0)
    shift = last - max((column for column, _ in parts[0].places.values()), default=last)
    at = [lambda column: column + shift, lambda column: last - column]
    columns = {id_: at[backward](column) for backward in (0, 1) for id_, (column, _) in parts[backward].places.items()}
    xs = _column_centres(nodes, columns, last)
    down = _drop(nodes, parts)
    boxes = {
        id_: Box(xs[columns[id_]], y + down * backward, *nodes[id_].size)
        for backward in (0, 1)
        for id_, (_, y) in parts[backward].places.items()
    }
    edges = {
        edge: tuple((xs[at[backward](int(column))], y + down * backward) for column, y in bends)
        for backward in (0, 1)
        for edge, bends in parts[backward].bends.items()
    }
    return _Boxes(boxes, dict(_edges(nodes, boxes, edges)))


def _part(nodes: Mapping[str, _Node], *, backward: bool) -> Layers:
    inside = {id_: node for id_, node in nodes.items() if (node.part == "backward") == backward}
    reads = {id_: [source for source in node.reads if source in inside] for id_, node in inside.items()}
    return layers(reads, {id_: node.size[1] for id_, node in inside.items()})


def _column_centres(nodes: Mapping[str, _Node], columns: Mapping[str, int], last: int) -> list[float]:
    widths = [0.0] * (last + 1)
    for id_, column in columns.items():
        widths[column] = max(widths[column], nodes[id_].size[0])
    centres = [widths[0] / 2]
    for left, right in pairwise(widths):
        centres.append(centres[-1] + left / 2 + _BETWEEN + right / 2)
    return centres


def _drop(nodes: Mapping[str, _Node], parts: list[Layers]) -> float:
    """How far below the middle of the forward part the middle of the backward part stands."""
    forward, backward = ({id_: place[1] for id_, place in part.places.items()} for part in parts)
    bends = [[y for points in part.bends.values() for _, y in points] for part in parts]
    lowest = max([*(y + nodes[id_].size[1] / 2 for id_, y in forward.items()), *bends[0]], default=0.0)
    highest = min([*(y - nodes[id_].size[1] / 2 for id_, y in backward.items()), *bends[1]], default=0.0)
    return lowest - highest + _PARTS_APART


def _edges(
    nodes: Mapping[str, _Node], boxes: Mapping[str, Box], bends: Mapping[tuple[str, str], tuple[Point, ...]]
) -> Iterator[tuple[tuple[str, str], tuple[Point, ...]]]:
    """Each edge from the side of one box to the side of the other; across the parts, from below to above."""
    for id_, node in nodes.items():
        for source in node.reads:
            start, end = boxes[source], boxes[id_]
            if (source, id_) not in bends:
                yield (source, id_), ((start.x, start.y + start.height / 2), (end.x, end.y - end.height / 2))
                continue
            side = 1 if end.x > start.x else -1
            first = (start.x + side * start.width / 2, start.y)
            yield (source, id_), (first, *bends[source, id_], (end.x - side * end.width / 2, end.y))


# --- drawing --------------------------------------------------------------------------------------------------------


def _draw_node(root: Element, node: _Node, box: Box) -> None:
    group = add(root, "g", {"class": f"qp-node qp-node-{node.part}", "data-cells": " ".join(node.keys)})
    corner = {"x": decimal(box.x - box.width / 2), "y": decimal(box.y - box.height / 2), "rx": "6"}
    sides = {"width": decimal(box.width), "height": decimal(box.height)}
    add(group, "rect", {"class": "qp-box", **corner, **sides, "fill": PAPER, "stroke": INK})
    y = box.y - (8 if node.below else 0)
    width = name_size(node.name, "qp-factor")[0]
    draw_name(group, node.name, (box.x - _MORE / 2 * node.more, y), css="qp-factor", ink=INK)
    if node.more:
        write(group, (("…", 0),), (box.x + width / 2, y), css="qp-factor", ink=INK)
    if node.below:
        write(group, ((node.below, 0),), (box.x, box.y + box.height / 2 - 12), css="qp-caption")


def _draw_edge(lines: Element, points: tuple[Point, ...], *, again: bool) -> None:
    """A smooth line that leaves and arrives straight; one across the parts is thin and dashed."""
    css = "qp-again" if again else "qp-flow"
    tip, ahead = points[-1], (0.0, 1.0) if again else (1.0 if points[-1][0] > points[0][0] else -1.0, 0.0)
    base = (tip[0] - _HEAD * ahead[0], tip[1] - _HEAD * ahead[1])
    stops = (*points[:-1], base)
    parts = [f"M{_pair(stops[0])}", *(_bow(one, other, upright=again) for one, other in pairwise(stops))]
    group, ink = add(lines, "g", {"class": css}), FAINT if again else MUTED
    dashes = {"stroke-dasharray": "3 4", "stroke-width": "1"} if again else {"stroke-width": "1.5"}
    add(group, "path", {"d": " ".join(parts), "fill": "none", "stroke": ink, **dashes})
    draw_head(group, tip, ahead, size=_HEAD, fill=ink)


def _bow(start: Point, end: Point, *, upright: bool) -> str:
    (x0, y0), (x1, y1) = start, end
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    handles = ((x0, middle[1]), (x1, middle[1])) if upright else ((middle[0], y0), (middle[0], y1))
    return f"C{_pair(handles[0])} {_pair(handles[1])} {_pair(end)}"


def _pair(point: Point) -> str:
    return f"{decimal(point[0])},{decimal(point[1])}"
