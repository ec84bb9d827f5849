"""The SVG itself: its frame, its name and description, and the few shapes that every picture is made of.

Classes and presentation attributes only, so that a strict content security policy lets it pass. The colours here are
those of print; the rules of web/static/diagram.css win over them.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from xml.etree.ElementTree import Comment, Element, SubElement, tostring

from quizprop.engine.words import said
from quizprop.exercise.diagram.text import INDEX, Runs, clean, label_width, stacked, text_width
from quizprop.exercise.notation import Symbol

__all__ = [
    "AIR",
    "FAINT",
    "INK",
    "LABEL_HEIGHT",
    "LIT",
    "MARGIN",
    "MUTED",
    "PAPER",
    "SIGNS",
    "SIZES",
    "Box",
    "Point",
    "add",
    "bounds",
    "curve",
    "decimal",
    "draw_arrow",
    "draw_box",
    "draw_head",
    "draw_label",
    "draw_line",
    "draw_name",
    "fill",
    "leave_room",
    "name_size",
    "on_circle",
    "picture",
    "set_frame",
    "svg_text",
    "write",
    "written",
]

Point = tuple[float, float]

# Lengths are in the SVG's units, which are CSS pixels at its natural size.
SIZES: Final = {
    "qp-name": 15.0,
    "qp-value": 14.0,
    **dict.fromkeys(("qp-net", "qp-out", "qp-delta", "qp-factor"), 13.0),
    "qp-caption": 12.0,
}
LABEL_HEIGHT: Final = 20.0
AIR: Final = 4.0
MARGIN: Final = 8.0
# From this width on, the style sheet lets a picture scroll rather than shrink to nothing on a phone.
_WIDE: Final = 560.0

INK: Final = "#1b2733"
PAPER: Final = "#ffffff"
MUTED: Final = "#5a6b7b"
FAINT: Final = "#828e9a"
LIT: Final = "#8a3ffc"
SIGNS: Final = {"positive": "#1d5fa6", "negative": "#b0431a", "zero": MUTED, "unknown": MUTED}


def picture(title: str, sentences: Iterable[str], prefix: str, *, room: str = "") -> Element:
    """An empty picture with its name and its description; ``prefix`` begins every id.

    ``room`` is the name of room left at the end of the description.

    Raises:
        ValueError: the prefix is no id.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", prefix):
        raise ValueError(f"prefix: {prefix!r} is not an id; begin with a letter, go on with letters, digits, - and _")
    names = {"role": "img", "aria-labelledby": f"{prefix}-title {prefix}-desc"}
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **names, "font-family": "system-ui, sans-serif"})
    SubElement(root, "title", id=f"{prefix}-title").text = clean(said(title))
    described = SubElement(root, "desc", id=f"{prefix}-desc")
    described.text = clean(" ".join(map(said, sentences)))
    if room:
        leave_room(described, room)
    return root


def svg_text(root: Element) -> str:
    """The picture as text, to be put into a page as it is."""
    return tostring(root, encoding="unicode")


# --- what is filled in later ----------------------------------------------------------------------------------------

_ROOM: Final = re.compile("<!--(.*?)-->")


def leave_room(parent: Element, name: str) -> None:
    """Leave room in an element for what is filled in when all else is drawn."""
    parent.append(Comment(name))


def fill(drawn: str, what: Callable[[str], str]) -> str:
    """A picture as text with its rooms filled in: ``what`` gives the markup for each, by its name."""
    pieces = _ROOM.split(drawn)
    pieces[1::2] = map(what, pieces[1::2])
    return "".join(pieces)


@lru_cache(maxsize=16_384)
def written(runs: Runs, centre: Point, *, css: str, ink: str) -> str:
    """The markup of what `write` writes; the same in many pictures."""
    parent = Element("g")
    write(parent, runs, centre, css=css, ink=ink)
    return svg_text(parent[0])


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its centre."""

    x: float
    y: float
    width: float
    height: float = LABEL_HEIGHT

    def touches(self, other: "Box") -> bool:
        """Whether there is too little air between the two."""
        beside = abs(self.x - other.x) * 2 < self.width + other.width + 2 * AIR
        return beside and abs(self.y - other.y) * 2 < self.height + other.height + 2 * AIR

    def touches_circle(self, centre: Point, radius: float) -> bool:
        """Whether there is too little air between it and a circle."""
        across = max(0.0, abs(self.x - centre[0]) - self.width / 2)
        down = max(0.0, abs(self.y - centre[1]) - self.height / 2)
        return math.hypot(across, down) < radius + AIR


def set_frame(root: Element, filled: Iterable[Box]) -> None:
    """Fit the picture's frame to what it holds."""
    left, top, right, bottom = bounds(filled)
    width, height = right - left + 2 * MARGIN, bottom - top + 2 * MARGIN
    root.set("viewBox", " ".join(map(decimal, (left - MARGIN, top - MARGIN, width, height))))
    root.set("width", decimal(width))
    root.set("height", decimal(height))
    root.set("class", "qp-diagram qp-diagram-wide" if width > _WIDE else "qp-diagram")


def bounds(boxes: Iterable[Box]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of all boxes together."""
    boxes = tuple(boxes)
    xs = [box.x + side * box.width / 2 for box in boxes for side in (-1, 1)]
    ys = [box.y + side * box.height / 2 for box in boxes for side in (-1, 1)]
    return min(xs), min(ys), max(xs), max(ys)


def on_circle(centre: Point, towards: Point, radius: float) -> Point:
    """Where the line from a circle's centre to another point leaves the circle."""
    share = radius / math.dist(centre, towards)
    return centre[0] + share * (towards[0] - centre[0]), centre[1] + share * (towards[1] - centre[1])


def draw_arrow(parent: Element, start: Point, end: Point, *, size: float, stroke: Mapping[str, str]) -> None:
    """A line with its head, both in the stroke's colour; no longer than from start to the tip at the end."""
    length = math.dist(start, end)
    ahead = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
    draw_line(parent, start, (end[0] - size * ahead[0], end[1] - size * ahead[1]), stroke)
    draw_head(parent, end, ahead, size=size, fill=stroke["stroke"])


def draw_head(parent: Element, tip: Point, ahead: Point, *, size: float, fill: str) -> None:
    """An arrow's head; ``ahead`` is the unit vector in which it points."""
    base = (tip[0] - size * ahead[0], tip[1] - size * ahead[1])
    corners = [tip, *((base[0] - side * ahead[1], base[1] + side * ahead[0]) for side in (size * 0.45, -size * 0.45))]
    points = " ".join(f"{decimal(x)},{decimal(y)}" for x, y in corners)
    add(parent, "polygon", {"points": points, "fill": fill})


def curve(parent: Element, points: Iterable[Point], attributes: Mapping[str, str]) -> None:
    """A line through many points."""
    joined = " ".join(f"{decimal(x)},{decimal(y)}" for x, y in points)
    add(parent, "polyline", {"points": joined, "fill": "none", **attributes})


def draw_line(parent: Element, start: Point, end: Point, attributes: Mapping[str, str]) -> None:
    """A straight line."""
    ends = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
    add(parent, "line", {**{name: decimal(value) for name, value in ends.items()}, **attributes})


def draw_box(parent: Element, box: Box, *, css: str = "qp-label", stroke: str = "none") -> None:
    """The ground of a label: what is behind it does not show."""
    corner = {"x": decimal(box.x - box.width / 2), "y": decimal(box.y - box.height / 2), "rx": "4"}
    sides = {"width": decimal(box.width), "height": decimal(box.height)}
    add(parent, "rect", {"class": css, **corner, **sides, "fill": PAPER, "stroke": stroke})


def draw_label(parent: Element, runs: Runs, box: Box, *, ink: str = INK, stroke: str = "none") -> Box:
    """Text on a box of its own, so that lines pass behind it; as wide as it needs, in the room kept for it."""
    box = replace(box, width=label_width(runs))
    draw_box(parent, box, stroke=stroke)
    write(parent, runs, (box.x, box.y), css="qp-value", ink=ink)
    return box


def write(parent: Element, runs: Runs, centre: Point, *, css: str, ink: str = "") -> Box:
    """Text about its centre, with raised and lowered pieces; the kind of text decides its size."""
    size = SIZES[css]
    place = {"x": decimal(centre[0]), "y": decimal(centre[1] + 0.35 * size), "text-anchor": "middle"}
    look = {"class": css, "font-size": decimal(size), "fill": ink or (MUTED if css == "qp-caption" else INK)}
    text = add(parent, "text", {**place, **look})
    height = 0.0
    for piece, level in runs:
        shift = {1: -0.4, 0: 0.0, -1: 0.25}[level] * size
        moved = {"dy": decimal(shift - height)} if shift != height else {}
        small = {"font-size": decimal(size * INDEX)} if level else {}
        slanted = {"font-style": "italic"} if piece.isalpha() and len(piece) == 1 and level == 0 else {}
        add(text, "tspan", {**moved, **small, **slanted}).text = piece
        height = shift
    return Box(*centre, text_width(runs, size), size + 4)


def add(parent: Element, tag: str, attributes: Mapping[str, str] = MappingProxyType({})) -> Element:
    """A new element in another one."""
    return SubElement(parent, tag, dict(attributes))


def decimal(value: float) -> str:
    """A length as an attribute: two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


# --- names ----------------------------------------------------------------------------------------------------------


def name_size(name: Symbol, css: str) -> tuple[float, float]:
    """Width and height of a name as ``draw_name`` draws it."""
    lines = stacked(name)
    return max(text_width(line, SIZES[css]) for line in lines) + 2, SIZES[css] * (2.6 if len(lines) > 1 else 1.4)


def draw_name(parent: Element, name: Symbol, centre: Point, *, css: str, ink: str = "") -> Box:
    """A name about its centre, a fraction as one."""
    lines, (width, height), size = stacked(name), name_size(name, css), SIZES[css]
    if len(lines) == 1:
        write(parent, lines[0], centre, css=css, ink=ink)
    else:
        x, y = centre
        ends = ((x - width / 2, y), (x + width / 2, y))
        draw_line(parent, *ends, {"class": "qp-bar", "stroke": ink or INK, "stroke-width": "1"})
        for line, side in zip(lines, (-1, 1), strict=True):
            write(parent, line, (x, y + side * 0.66 * size), css=css, ink=ink)
    return Box(*centre, width, height)
