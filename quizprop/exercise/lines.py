"""Lines of text that wait for their numbers: which one a line has is known when those before it have been counted.

What has one number is called a line here, even where it fills several.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.exercise.slots import Slots

__all__ = ["FIELD", "WAITING", "FilledLines", "Lines", "UnevenLines"]

WAITING = b"\x00"
"""Stands wherever the number of a line will be; no line holds it otherwise."""

_WIDTH = 12
"""A number has no more digits: so many lines no disk has room for."""

_FIGURES = b"%%%dd" % _WIDTH

FIELD = WAITING * _WIDTH
"""The same where each number takes as much room, blanks before it."""

_END = b"\n"


class Lines(Protocol):
    """Some lines."""

    def __len__(self) -> int: ...

    def numbered(self, start: int, *, skip: int = 0, most: int | None = None) -> Iterator[bytes | memoryview]:
        """The lines with their numbers, the first of them ``start``; some left out at the beginning.

        They come in pieces; each is to be used, or copied, before the next is asked for, which may take its place.
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

    def numbered(self, start: int, *, skip: int = 0, most: int | None = None) -> Iterator[bytes]:
        """See ``Lines``."""
        places = itertools.islice(itertools.pairwise([0, *self.ends][skip:]), most)
        width = len(self.waiting)
        yield b"".join(
            [
                self.text[begin:end].replace(self.waiting, b"%*d" % (width, number))
                for number, (begin, end) in enumerate(places, start + skip)
            ]
        )


@dataclass(frozen=True, slots=True, eq=False)
class FilledLines:
    """Lines of one length, each with its end and a ``FIELD`` before its slots, from a table of what fills these.

    They are written when they are asked for, a few at a time: a text of many megabytes would leave the processor's
    cache before it is numbered, and take longer from one process to another than to write.
    """

    slots: Slots
    table: Array

    def __len__(self) -> int:
        return len(self.table)

    def numbered(self, start: int, *, skip: int = 0, most: int | None = None) -> Iterator[memoryview]:
        """See ``Lines``."""
        number, field = start + skip, self.slots.pieces[0].index(FIELD)
        for piece in self.slots.filled(self.table[skip:][:most]):
            yield _numbered(piece, field, number)
            number += len(piece)


def _numbered(text: Array, field: int, start: int) -> memoryview:
    """Some lines of one length, with their numbers written into them."""
    figures = _FIGURES * len(text) % (*range(start, start + len(text)),)
    text[:, field : field + _WIDTH] = np.frombuffer(figures, dtype=np.uint8).reshape(-1, _WIDTH)
    return text.reshape(-1).data
