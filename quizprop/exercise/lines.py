"""Lines of text that wait for their numbers: which one a line has is known when those before it have been counted.

What has one number is called a line here, even where it fills several.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from quizprop.engine.arrays import Array

__all__ = ["FIELD", "WAITING", "EvenLines", "Lines", "UnevenLines"]

WAITING = b"\x00"
"""Stands wherever the number of a line will be; no line holds it otherwise."""

_WIDTH = 12
"""A number has no more digits: so many lines no disk has room for."""

FIELD = WAITING * _WIDTH
"""The same where each number takes as much room, blanks before it."""

_END = b"\n"


class Lines(Protocol):
    """Some lines in one piece, for they go from one process to another."""

    def __len__(self) -> int: ...

    def numbered(self, start: int, *, skip: int = 0, most: int | None = None) -> bytes | memoryview:
        """The lines with their numbers, the first of them ``start``; some left out at the beginning.

        What is given is of use until lines are numbered again.
        """


@dataclass(frozen=True, slots=True)
class UnevenLines:
    """Lines as they come. ``ends`` says where each ends, its line end included."""

    text: bytes
    ends: Sequence[int]
    waiting: bytes

    @classmethod
    def of(cls, lines: Iterable[bytes], *, waiting: bytes) -> "UnevenLines":
        """Of lines without their ends, each of which waits by ``WAITING`` or ``FIELD``."""
        kept = list(lines)
        return cls(_END.join([*kept, b""]), [*itertools.accumulate(len(line) + len(_END) for line in kept)], waiting)

    def __len__(self) -> int:
        return len(self.ends)

    def numbered(self, start: int, *, skip: int = 0, most: int | None = None) -> bytes:
        """See ``Lines``."""
        places = itertools.islice(itertools.pairwise([0, *self.ends][skip:]), most)
        width = len(self.waiting)
        return b"".join(
            [
                self.text[begin:end].replace(self.waiting, b"%*d" % (width, number))
                for number, (begin, end) in enumerate(places, start + skip)
            ]
        )


@dataclass(frozen=True, slots=True, eq=False)
class EvenLines:
    """Lines that are all of one length: a row of bytes for each, its line end included, in which ``FIELD`` waits."""

    text: Array
    field: int

    def __len__(self) -> int:
        return len(self.text)

    def numbered(self, start: int, *, skip: int = 0, most: int | None = None) -> memoryview:
        """See ``Lines``. The numbers are written into the text itself, of which no copy is made."""
        part = self.text[skip:][:most]
        numbers = range(start + skip, start + skip + len(part))
        figures = b"%*d" * len(part) % (*(figure for number in numbers for figure in (_WIDTH, number)),)
        part[:, self.field : self.field + _WIDTH] = np.frombuffer(figures, dtype=np.uint8).reshape(-1, _WIDTH)
        return part.reshape(-1).data
