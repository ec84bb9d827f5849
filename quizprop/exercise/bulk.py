"""Instances in bulk: chunks of candidates that anybody may work at, in any order, and that come to the same bytes.

The candidates of a seed are one long row of random numbers, and each takes the same count of them. So a chunk can be
drawn without those before it; only the index of a record has to wait until it is known how many were certified before.
"""

import gzip
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Literal

import numpy as np
import orjson

from quizprop.engine.arrays import Array
from quizprop.exercise.certify import plan_of
from quizprop.exercise.generate import (
    PATIENCE,
    CannotCertifyError,
    at_a_time,
    block_at,
    despair,
)
from quizprop.exercise.lines import WAITING, Lines, UnevenLines
from quizprop.exercise.record import Columns, columns_of, recorder_of
from quizprop.exercise.spec import Exercise

__all__ = ["Chunk", "Form", "Packing", "chunk_of", "chunks", "header", "packed"]

Form = Literal["jsonl", "csv", "csv-long", "table"]
Packing = Literal["", "gz", "zst"]

_QUESTIONS: Final = 256
_FIXED: Final = 2048


@dataclass(frozen=True, slots=True)
class Chunk:
    """The certified records of a chunk, as lines that wait for their indices or as rows of a table.

    ``rejected`` counts the other candidates by rule.
    """

    number: int
    records: Lines | Array
    rejected: dict[str, int]

    @property
    def count(self) -> int:
        """How many records it has."""
        return len(self.records)

    @property
    def lines(self) -> Lines:
        """Its records as lines.

        Raises:
            ValueError: it was made as a table.
        """
        if isinstance(self.records, np.ndarray):
            raise ValueError("This chunk was made as a table")  # noqa: TRY004 - which was asked for
        return self.records

    @property
    def table(self) -> Array:
        """The numbers of its records, a row for each.

        Raises:
            ValueError: it was made as text.
        """
        if not isinstance(self.records, np.ndarray):
            raise ValueError("This chunk was made as text")  # noqa: TRY004 - which was asked for
        return self.records


def chunk_of(spec: str, seed: int, number: int, form: Form) -> Chunk:
    """The chunk of this number, from 0, of an exercise given as JSON. A process or another machine may call it."""
    exercise = Exercise.model_validate_json(spec)
    plan = plan_of(exercise)
    size = _size(exercise)
    block = block_at(plan, seed, first=number * size, count=size)
    if form == "table":
        return Chunk(number, columns_of(plan).table(block), block.rejected)
    if form == "jsonl":
        return Chunk(number, recorder_of(plan, seed).lines(block), block.rejected)
    rows = (_wide if form == "csv" else _long)(exercise, seed, columns_of(plan), block)
    return Chunk(number, UnevenLines.of(rows, waiting=WAITING), block.rejected)


def chunks(
    exercise: Exercise, *, seed: int, first: int = 0, form: Form, work: Callable[..., Iterable[Chunk]] | None = None
) -> Iterator[Chunk]:
    """The chunks from the number ``first`` on, without end.

    ``work`` does several at a time: given the arguments of `chunk_of` one after the other, it yields their chunks in
    that order.

    Raises:
        CannotCertifyError: the rules reject everything.
        ValueError: the form is for sheets to fill in, and this is a question.
    """
    if form != "jsonl" and exercise.question != "sheet":
        raise ValueError(f"{exercise.slug} asks questions, which only JSON Lines hold: write a file .jsonl")
    spec = exercise.model_dump_json()
    calls = ((spec, seed, number, form) for number in itertools.count(first))
    barren, rejected = 0, dict[str, int]()
    for chunk in work(calls) if work else (chunk_of(*call) for call in calls):
        size = _size(exercise)
        barren = 0 if chunk.count else barren + size
        for rule, count in chunk.rejected.items():
            rejected[rule] = rejected.get(rule, 0) + count
        if barren >= PATIENCE:
            raise CannotCertifyError(despair(exercise, rejected))
        yield chunk


def packed(data: bytes, packing: Packing) -> bytes:
    """Some bytes packed by themselves: one after the other such pieces unpack to the whole.

    Raises:
        ModuleNotFoundError: Zstandard is not installed.
    """
    if packing == "gz":
        return gzip.compress(data, 6, mtime=0)
    if packing == "zst":
        compressed: bytes = import_module("zstandard").ZstdCompressor(level=6).compress(data)
        return compressed
    return data


def header(exercise: Exercise, form: Form) -> bytes:
    """The first line of a table as text; nothing for JSON Lines."""
    if form == "csv":
        return ",".join(["exercise", "seed", "index", *map(_quoted, columns_of(plan_of(exercise)).names)]).encode()
    return b"exercise,seed,index,kind,key,value,tolerance" if form == "csv-long" else b""


def _wide(exercise: Exercise, seed: int, columns: Columns, block: Any) -> Iterator[bytes]:  # noqa: ANN401
    prefix = f"{exercise.slug},{seed},".encode() + WAITING + b","
    for row in _rows(columns.table(block)):
        yield prefix + row


def _long(exercise: Exercise, seed: int, columns: Columns, block: Any) -> Iterator[bytes]:  # noqa: ANN401
    head = f"{exercise.slug},{seed},".encode() + WAITING
    given = [f",given,{_quoted(name)},".encode() for name in columns.given]
    asked = [f",answer,{_quoted(name)},".encode() for name in columns.asked]
    for row in _rows(columns.table(block)):
        numbers = row.split(b",")
        lines = [head + key + number + b"," for key, number in zip(given, numbers, strict=False)]
        rest = numbers[len(given) :]
        lines += [
            head + key + b",".join(pair)
            for key, pair in zip(asked, zip(rest[::2], rest[1::2], strict=True), strict=True)
        ]
        yield b"\n".join(lines)


def _rows(table: Array) -> list[bytes]:
    """Each row of a table as numbers with commas between."""
    if not len(table):
        return []
    text = orjson.dumps(np.ascontiguousarray(table), option=orjson.OPT_SERIALIZE_NUMPY)
    return text[2:-2].split(b"],[")


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name


def _size(exercise: Exercise) -> int:
    return _FIXED if exercise.fixed else _QUESTIONS if exercise.question != "sheet" else at_a_time(plan_of(exercise))
