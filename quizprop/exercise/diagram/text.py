"""Text in pictures: numbers as short as they can be, and LaTeX as pieces of text on, above and below the line."""

import math
import re
from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from quizprop.exercise.figures import fitting
from quizprop.exercise.notation import Symbol

__all__ = [
    "FONT",
    "INDEX",
    "Runs",
    "clean",
    "label_width",
    "listed",
    "runs_of",
    "short",
    "stacked",
    "text_width",
]

# Pieces of text, each on the line (0), above it (1) or below it (-1).
Runs = tuple[tuple[str, int], ...]

FONT: Final = 14.0
"""The size of a label, in the SVG's units, which are CSS pixels at its natural size."""

INDEX: Final = 0.75
"""How large a raised or lowered piece is, of the text's size."""

_PADDING: Final = 8.0
_MINUS: Final = "\N{MINUS SIGN}"


def short(value: float) -> str:
    """The number in at most seven characters, so that it fits into its circle; rounded where it must be."""
    return fitting(value, 7)


def listed(parts: Iterable[str]) -> str:
    """The parts, with commas between them."""
    return ", ".join(parts)


def clean(text: str) -> str:
    """The text without what XML can't hold: control characters and halves of surrogate pairs."""
    return re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


# --- LaTeX ----------------------------------------------------------------------------------------------------------

_TOKEN: Final = re.compile(r"\\text\{[^{}]*\}|\\[A-Za-z]+|\\.|[_^{}]|[A-Za-z]|[^\\_^{}\sA-Za-z]+")
_COMMANDS: Final = {
    **dict(zip(["alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta"], "αβγδεηθ", strict=True)),
    **dict(zip(["kappa", "lambda", "mu", "sigma", "tau", "phi", "Delta", "varepsilon"], "κλμστφΔε", strict=True)),
    **dict(
        zip(["partial", "cdot", "times", "odot", "top", "prime", "infty", "ldots", "sqrt"], "∂·×⊙⊤′∞…√", strict=True)
    ),
    **dict(zip(["uparrow", "downarrow"], "↑↓", strict=True)),
    **dict.fromkeys([" ", ",", ";", ":", "quad"], " "),
    **dict.fromkeys(["mathcal", "mathrm", "mathbf", "boldsymbol", "operatorname", "left", "right", "!"], ""),
}
_ACCENTS: Final = {r"\hat": "\u0302", r"\bar": "\u0304", r"\tilde": "\u0303", r"\dot": "\u0307"}


@lru_cache(maxsize=4096)
def runs_of(name: Symbol) -> Runs:
    r"""A symbol's LaTeX as pieces of one line: W^{[2]}_{1,2}, \text{target}_{o1}, \frac{a}{b} as a/b."""
    return _joined(_read(deque(_TOKEN.findall(name.latex)), 0))


@lru_cache(maxsize=4096)
def stacked(name: Symbol) -> tuple[Runs, ...]:
    """A symbol as lines: two where it is one fraction, what is above and what is below; else one."""
    tokens = deque(_TOKEN.findall(name.latex))
    if tokens and tokens.popleft() == r"\frac":
        above, below = (_joined(_argument(tokens, 0)) for _ in range(2))
        if not tokens:
            return above, below
    return (runs_of(name),)


def _read(tokens: deque[str], level: int) -> Iterator[tuple[str, int]]:
    """The pieces up to the end of the group."""
    while tokens and tokens[0] != "}":
        match tokens.popleft():
            case "_" | "^" as sign:
                yield from _argument(tokens, -1 if sign == "_" else 1)
            case "{":
                tokens.appendleft("{")
                yield from _argument(tokens, level)
            case r"\frac":
                yield from _argument(tokens, level)
                yield "/", level
                yield from _argument(tokens, level)
            case accent if accent in _ACCENTS:
                yield "".join(text for text, _ in _argument(tokens, level)) + _ACCENTS[accent], level
            case glyphs:
                yield _glyphs(glyphs), level


def _argument(tokens: deque[str], level: int) -> Iterator[tuple[str, int]]:
    """The pieces of the group or of the single token that comes next."""
    if not tokens:
        return
    if tokens[0] != "{":
        yield _glyphs(tokens.popleft()), level
        return
    tokens.popleft()
    yield from _read(tokens, level)
    if tokens:
        tokens.popleft()


def _glyphs(token: str) -> str:
    if token.startswith(r"\text{"):
        return token[6:-1]
    if token.startswith("\\"):
        return _COMMANDS.get(token[1:], token[1:])
    return token.replace("-", _MINUS)


def _joined(pieces: Iterable[tuple[str, int]]) -> Runs:
    """Raised and lowered pieces side by side become one; on the line, letters stay apart, for they are slanted."""
    runs: list[tuple[str, int]] = []
    for text, level in pieces:
        if level and runs and runs[-1][1] == level:
            runs[-1] = (runs[-1][0] + text, level)
        elif text:
            runs.append((text, level))
    return tuple(runs)


# --- widths ---------------------------------------------------------------------------------------------------------


def label_width(runs: Runs) -> float:
    """How wide a label on a box of its own is, in steps that most instances of one exercise share."""
    return math.ceil((text_width(runs) + _PADDING) / 4) * 4.0


@lru_cache(maxsize=4096)
def text_width(runs: Runs, size: float = FONT) -> float:
    """About what a wide sans-serif, DejaVu Sans, needs; most are narrower."""
    return sum(_em(mark) * size * (INDEX if level else 1) for text, level in runs for mark in text)


def _em(mark: str) -> float:
    sizes = ((" .,:;|ijl", 0.32), ("()[]frt", 0.42), (f"w=+{_MINUS}", 0.84), ("mW", 1.0))
    return next((size for marks, size in sizes if mark in marks), 0.64)
