"""Decimals written into the slots of a template, many records at a time, without a Python object for each number.

A slot has a width of its own, so that each number of a column stands at the same place in every record. What a number
leaves over of its slot are blanks: one in place of its sign, and in place of the zeros at its end. So what is written
is the shortest decimal, and JSON allows blanks around it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from quizprop.engine.arrays import Array, keep_memory

__all__ = ["DECIMALS", "Slots", "decimals_of"]

DECIMALS = 12
"""So many fit into a slot at most."""

_GROUP = np.int32(10_000)
"""Decimals are looked up four at a time."""

_BEGINNINGS = np.int32(10 * _GROUP)
"""A number begins with one digit and four decimals: so many ways."""

_LEFT = 10.0 ** (DECIMALS - 4)
"""What is left of the decimals after the first four."""

_ROWS = 256
"""So many records are written together: many enough to pay, few enough to stay at hand."""

_TEN = 10 - 0.5 / 10.0**DECIMALS
"""What is less than that is rounded to no more than one digit before its point."""

_POINT = 3
"""Bytes of a slot before its first decimal: sign, digit and point."""

_WORD = np.dtype("S4")

_ALL = [f"{number:04}" for number in range(_GROUP)]
_DIGITS: Array = np.array([*_ALL, *(f"{digits.rstrip('0'):4}" for digits in _ALL)], dtype=_WORD).view(np.uint32)
"""Four decimals by their number, and once more where nothing but zeros follows: without those at the end."""


def decimals_of(numbers: Array) -> int:
    """How many decimals some numbers have, one at least; 0 where a slot has not so many."""
    return next((count for count in range(1, DECIMALS + 1) if (np.round(numbers, count) == numbers).all()), 0)


@dataclass(frozen=True)
class Slots:
    """The pieces of a record with a slot between any two of them.

    Args:
        pieces: one more than there are numbers.
        decimals: how many the number in each slot has at most; 0 if more than a slot can have.
    """

    pieces: Sequence[bytes]
    decimals: Sequence[int]

    def fit(self, table: Array) -> Array:
        """Of which rows of a table each number fits into its slot: it has one digit before its point."""
        if not all(self.decimals):
            return np.zeros(len(table), dtype=bool)
        return np.asarray((np.abs(table) < _TEN).all(axis=1))

    def filled(self, table: Array) -> Iterator[Array]:
        """A record for each row of a table, whose numbers fit: a row of bytes for each.

        They come a few at a time, each time in the same place.
        """
        keep_memory()
        target, source = self._layouts
        records = np.tile(self._template, (min(_ROWS, len(table)), 1))
        for first in range(0, len(table), _ROWS):
            rows = np.ascontiguousarray(table[first : first + _ROWS])
            some = records[: len(rows)]
            some.view(target)[:, 0] = _spelled(rows).reshape(len(rows), -1).view(source)[:, 0]
            yield some

    @cached_property
    def _template(self) -> Array:
        blanks = [b" " * (_POINT + count) for count in self.decimals]
        parts = [part for pair in zip(self.pieces, [*blanks, b""], strict=True) for part in pair]
        return np.frombuffer(b"".join(parts), dtype=np.uint8)

    @cached_property
    def _layouts(self) -> tuple[np.dtype[np.void], np.dtype[np.void]]:
        """Where the numbers stand in a record, and in the row of words that spell them."""
        widths = [_POINT + count for count in self.decimals]
        before = np.cumsum([len(piece) for piece in self.pieces[:-1]]) + np.cumsum([0, *widths[:-1]])
        word = _WORD.itemsize * (1 + DECIMALS // 4)
        spelled = np.arange(len(widths)) * word + 1
        return _layout(widths, before, len(self._template)), _layout(widths, spelled, len(widths) * word)


def _layout(widths: Sequence[int], offsets: Array, size: int) -> np.dtype[np.void]:
    names = [str(place) for place in range(len(widths))]
    formats = [f"V{width}" for width in widths]
    return np.dtype({"names": names, "formats": formats, "offsets": offsets.tolist(), "itemsize": size})


@cache
def _beginnings() -> Array:
    """How a slot begins, in two words: a blank, which is left out, sign, digit and point; then four decimals.

    By the number of its digits; once more for negative numbers, and all once more where nothing but zeros follows.
    """
    begun: Array = np.empty((2, 2, 10, _GROUP, 2), dtype=np.uint32)
    signed = np.array([[f" {sign}{digit}." for digit in range(10)] for sign in " -"], dtype=_WORD).view(np.uint32)
    begun[..., 0] = signed[:, :, None]
    begun[..., 1] = _DIGITS.reshape(2, 1, 1, _GROUP)
    begun[1, ..., 0, 1] = np.frombuffer(b"0   ", dtype=np.uint32)  # of nothing but zeros one is written
    return begun.reshape(-1, 2).view(np.uint64).ravel()


def _spelled(numbers: Array) -> Array:
    """Each number as four words of four bytes: a blank with sign, digit and point; then the decimals."""
    # Whole numbers below 2**53 come out of each of these steps exactly, but for the product with the inverse: half a
    # unit more keeps it as far from the next whole number.
    units = np.rint(np.abs(numbers) * 10.0**DECIMALS)
    upper = ((units + 0.5) * (1 / _LEFT)).astype(np.int32)
    lower = (units - upper * _LEFT).astype(np.int32)
    middle = lower // _GROUP
    last = lower - middle * _GROUP
    words = np.empty((*numbers.shape, 4), dtype=np.uint32)
    begun = upper + (numbers < 0) * _BEGINNINGS + (lower == 0) * (2 * _BEGINNINGS)
    words.view(np.uint64)[..., 0] = _beginnings().take(begun)
    words[..., 2] = _DIGITS.take(middle + (last == 0) * _GROUP)
    words[..., 3] = _DIGITS.take(last + _GROUP)
    return words
