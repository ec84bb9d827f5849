"""What the lines of a picture mean: sign and size of a weight, told by dashes and width, not by colour alone."""

from collections.abc import Collection
from typing import Final
from xml.etree.ElementTree import Element

from quizprop.engine.words import phrase, said
from quizprop.exercise.diagram.shapes import MUTED, SIGNS, SIZES, Box, add, decimal, draw_line, write
from quizprop.exercise.diagram.text import text_width

__all__ = ["draw_legend"]

_SAMPLE: Final = 36.0
_GAP: Final = 6.0
_BETWEEN: Final = 18.0
_STROKES: Final = {
    "positive": {"stroke-width": "2.5"},
    "negative": {"stroke-width": "2.5", "stroke-dasharray": "7 5"},
    "zero": {"stroke-width": "1"},
}
_LARGER: Final = "larger"
_WORDS: Final = {
    "positive": phrase("positive"),
    "negative": phrase("negative"),
    "zero": phrase("zero"),
    _LARGER: phrase("larger size"),
}


def draw_legend(root: Element, frame: tuple[float, float, float, float], signs: Collection[str]) -> Box:
    """A line of samples below the frame (left, top, right, bottom): the signs that occur, and the size."""
    left, _, right, bottom = frame
    entries = [*(sign for sign in _STROKES if sign in signs), _LARGER]
    words = [said(_WORDS[entry]) for entry in entries]
    widths = [_SAMPLE + _GAP + text_width(((word, 0),), SIZES["qp-caption"]) for word in words]
    width = sum(widths) + _BETWEEN * (len(entries) - 1)
    x, y = (left + right - width) / 2, bottom + 26
    group = add(root, "g", {"class": "qp-legend"})
    for entry, word, room in zip(entries, words, widths, strict=True):
        _draw_sample(group, entry, x, y)
        width_of_word = room - _SAMPLE - _GAP
        write(group, ((word, 0),), (x + _SAMPLE + _GAP + width_of_word / 2, y), css="qp-caption")
        x += room + _BETWEEN
    return Box((left + right) / 2, y, width, 20)


def _draw_sample(group: Element, entry: str, x: float, y: float) -> None:
    if entry in _STROKES:
        sample = add(group, "g", {"class": f"qp-edge qp-edge-{entry}"})
        draw_line(sample, (x, y), (x + _SAMPLE, y), {"stroke": SIGNS[entry], **_STROKES[entry]})
    else:  # a wedge: as wide as the thinnest and the widest line
        corners = ((x, y - 0.5), (x + _SAMPLE, y - 2), (x + _SAMPLE, y + 2), (x, y + 0.5))
        points = " ".join(f"{decimal(across)},{decimal(down)}" for across, down in corners)
        add(group, "polygon", {"class": "qp-wedge", "points": points, "fill": MUTED})
