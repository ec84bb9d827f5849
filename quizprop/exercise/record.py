"""Exercises as JSON Lines: certified instances written a block at a time, and read back to be graded.

A line holds all that grading needs: the network, the given numbers, which cells are asked. Its numbers are the shortest
decimals that read back as the same float64. Answers and tolerances of an exercise that carries up to six places are
rounded to twelve decimals first, beyond which the exponentials of two machines may differ.
"""

import operator
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, BinaryIO, Literal

import numpy as np
import orjson
from pydantic import BaseModel, Field, ValidationError

from quizprop.engine.arrays import Array
from quizprop.engine.structure import structure_of
from quizprop.exercise.bank import described
from quizprop.exercise.cells import Cell
from quizprop.exercise.certify import HONEST_SHEETS, PICK, Block, Plan, plan_of
from quizprop.exercise.generate import at_a_time, certified_blocks, instances_of
from quizprop.exercise.instance import Instance
from quizprop.exercise.lines import FIELD, WAITING, FilledLines, Lines, UnevenLines
from quizprop.exercise.names import NotationName
from quizprop.exercise.question import NoQuestionError, Question, in_text
from quizprop.exercise.slots import DECIMALS, Slots, decimals_of
from quizprop.exercise.spec import AnyNetwork, Exercise, NetworkSpec, QuestionKind, numbers_of

__all__ = [
    "FORMAT",
    "Columns",
    "Record",
    "RecordError",
    "RecordFile",
    "Recorder",
    "blank",
    "columns_of",
    "in_words",
    "network_of",
    "read_record",
    "record_blocks",
    "recorder_of",
    "slip_sheet",
]

FORMAT = 1

_NUMBER = "%"
"""Stands in a template for each number to come; nothing else in a record holds a per cent sign."""

_ROUNDED = 6
"""Up to so many places an answer of twelve decimals is as good as any."""

_NOISE = 1e-9
"""Of the value's size: how far another machine's exponential may have moved an answer."""


class RecordError(ValueError):
    """A line is not a record of an exercise; the message names each key and what is wrong with it."""


def record_blocks(exercise: Exercise, *, seed: int, count: int) -> Iterator[list[bytes]]:
    """The first ``count`` lines of an exercise and a seed, without line ends, in lists of up to a few thousand.

    Raises:
        CannotCertifyError: the rules reject everything.
    """
    recorder = recorder_of(plan_of(exercise), seed)
    most = at_a_time(recorder.plan)
    # The first block is as large as will be needed: small ones cost by their number.
    blocks = certified_blocks(recorder.plan, np.random.default_rng(seed), first=min(max(64, 2 * count), most))
    done = 0
    while done < count:
        pieces = recorder.lines(next(blocks)).numbered(done, most=count - done)
        lines = b"".join(map(bytes, pieces)).splitlines()
        done += len(lines)
        yield lines


@dataclass(frozen=True)
class Columns:
    """The numbers of an exercise's instances as columns: the given ones, then answer and tolerance of each cell."""

    plan: Plan

    @cached_property
    def by_quantity(self) -> dict[str, tuple[str, ...]]:
        """Of each quantity given, in their order, the keys of the cells that are."""
        plan, keys = self.plan, self.plan.structure.keys
        return {name: tuple(str(key) for key in keys[name].flat if key in plan.known) for name in plan.given_shapes}

    @property
    def given(self) -> tuple[str, ...]:
        """The keys of the given numbers."""
        return tuple(key for keys in self.by_quantity.values() for key in keys)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The cells that are asked for."""
        return blank(self.plan.exercise).cells

    @property
    def asked(self) -> tuple[str, ...]:
        """Their keys."""
        return tuple(cell.key for cell in self.cells)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each column."""
        return (*self.given, *(name for key in self.asked for name in (key, f"{key} tolerance")))

    @property
    def are_rounded(self) -> bool:
        """Whether answers and tolerances are rounded to as many decimals as a slot has."""
        return self.plan.exercise.places <= _ROUNDED

    def table(self, block: Block) -> Array:
        """A row for each certified instance of a block."""
        return self.rounded(self.exact(block))

    def rounded(self, table: Array) -> Array:
        """Some rows of an exact table as they are written."""
        if self.are_rounded:
            asked = table[:, len(self.given) :]
            np.round(asked, DECIMALS, out=asked)
        return table

    def exact(self, block: Block) -> Array:
        """A row for each certified instance of a block, not rounded yet."""
        if not len(block.passed):
            return np.empty((0, len(self.names)))
        given = [(block.given[name], key) for name, keys in self.by_quantity.items() for key in keys]
        sheet = (block.sheet.expected, block.sheet.tolerance)
        asked = [(part[cell.quantity], cell.key) for cell in self.cells for part in sheet]
        places: Mapping[str, tuple[str, tuple[Any, ...]]] = self.plan.structure.places
        # Each column in one piece, as it was: what reads a row takes a few at a time.
        return np.stack([array[:, *places[key][1]] for array, key in [*given, *asked]]).T


@lru_cache(maxsize=64)
def columns_of(plan: Plan) -> Columns:
    """The columns of a plan's exercise; remembered, for chunks are made one by one."""
    return Columns(plan)


@dataclass(frozen=True)
class Recorder:
    """Writes the instances that a plan and a seed give: the numbers of each between the pieces of a template.

    Turning numbers into text costs more than checking them. So there are slots for them, which are filled for many
    instances at once; where a number does not fit into its slot, those of the instance are dumped by themselves.
    """

    plan: Plan
    seed: int

    def lines(self, block: Block) -> Lines:
        """One line for each certified instance of a block, which waits for its index."""
        table = self._columns.exact(block)  # a slot rounds what is written into it
        fits = self._slots.fit(table)
        if fits.all():
            return FilledLines(self._slots, table)
        filled = (bytes(row[:-1]) for rows in self._slots.filled(table[fits]) for row in rows)
        dumped = map(self._dumped, self._columns.rounded(table[~fits]))
        return UnevenLines.of((next(filled if fit else dumped) for fit in fits.tolist()), waiting=FIELD)

    def _dumped(self, numbers: Array) -> bytes:
        figures = orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
        return b"".join(part for pair in zip(self._pieces, [*figures, b""], strict=True) for part in pair)

    @property
    def _columns(self) -> Columns:
        return columns_of(self.plan)

    @cached_property
    def _slots(self) -> Slots:
        """Slots for the numbers of a line, its end included."""
        columns, values, places = self._columns, self.plan.exercise.values, self.plan.exercise.places
        decimals = []
        for name, keys in columns.by_quantity.items():
            most = decimals_of(np.array([*numbers_of(values[name])])) if name in values else places
            decimals += [most] * len(keys)
        asked = [DECIMALS if columns.are_rounded else 0] * 2 * len(columns.cells)
        *pieces, last = self._pieces
        return Slots([*pieces, last + b"\n"], [*decimals, *asked])

    @cached_property
    def _pieces(self) -> list[bytes]:
        """A record without its numbers; the index, which comes before the others, has its field."""
        record = orjson.dumps(
            {
                **_head(self.plan.exercise, self.seed),
                "given": {name: self._blank(name) for name in self._columns.by_quantity},
                "asked": [
                    {"key": cell.key, "answer": _NUMBER, "tolerance": _NUMBER}
                    | ({"options": cell.options} if cell.options else {})
                    for cell in self._columns.cells
                ],
                "certificate": _certificate(self.plan),
            }
        )
        head, *pieces = record.split(b'"%"')
        return [head + FIELD + pieces[0], *pieces[1:]]

    def _blank(self, name: str) -> Any:  # noqa: ANN401 - a mark, or lists of them
        """A given quantity with a mark in place of each number, None for what is not given."""
        given = np.isin(self.plan.structure.keys[name], self._columns.by_quantity[name])
        return np.where(given, _NUMBER, None).tolist()  # type: ignore[call-overload]


@dataclass(frozen=True)
class QuestionRecorder:
    """Writes the questions that a plan and a seed give: the words of each option beside the number of the right one."""

    plan: Plan
    seed: int

    def lines(self, block: Block) -> Lines:
        """One line for each certified instance of a block, which waits for its index."""
        records = map(self._record, instances_of(self.plan.exercise, block))
        lines = (orjson.dumps(record).replace(b'"%"', WAITING, 1) for record in records)
        return UnevenLines.of(lines, waiting=WAITING)

    def _record(self, instance: Instance) -> dict[str, Any]:
        exercise = self.plan.exercise
        question: dict[str, Any] = {"kind": exercise.question, "asked": exercise.asked, "notation": exercise.notation}
        if exercise.blind_spots:
            question["blind_spots"] = exercise.blind_spots
        sheet = slip_sheet(instance)
        if sheet is not None:
            question["sheet"] = sheet
        return {
            **_head(exercise, self.seed),
            "question": question,
            "given": instance.given,
            "asked": [
                {"key": question.key, "answer": question.right, "tolerance": 0, **in_words(instance, question)}
                for question in instance.questions
            ],
            "certificate": _certificate(self.plan),
        }


@lru_cache(maxsize=64)
def recorder_of(plan: Plan, seed: int) -> Recorder | QuestionRecorder:
    """What writes the instances of a plan's exercise and a seed: sheets to fill in, or questions. Remembered, too."""
    return (Recorder if plan.exercise.question == "sheet" else QuestionRecorder)(plan, seed)


def in_words(instance: Instance, question: Question) -> dict[str, Any]:
    """A question and its options as plain text, in the notation of the exercise; never which of them is right."""

    def words(phrase: str) -> str:
        return in_text(phrase, instance.model, instance.exercise.notation)

    return {"question": words(question.words), "options": [words(option.words) for option in question.options]}


def slip_sheet(instance: Instance) -> dict[str, float] | None:
    """The sheet in which a slip is to be found, as it is filled in; None where nothing of the kind is asked."""
    if instance.slip is None:
        return None
    return {cell.key: instance.slip.filled[cell.key] for cell in instance.as_sheet.cells}


def network_of(exercise: Exercise) -> dict[str, Any]:
    """What the work is done on, as an exercise file spells it; how examples are taken together where there are some."""
    alone = isinstance(exercise.network, NetworkSpec) and exercise.network.examples == 1
    return exercise.network.model_dump(exclude={"examples", "reduction"} if alone else None)


def _head(exercise: Exercise, seed: int) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "exercise": exercise.slug,
        "seed": seed,
        "index": _NUMBER,
        "places": exercise.places,
        "network": network_of(exercise),
    }


def _certificate(plan: Plan) -> dict[str, int]:
    return {"mistakes_separated": len(plan.certified_codes), "honest_sheets": HONEST_SHEETS}


def blank(exercise: Exercise) -> Instance:
    """The exercise with every number zero: for what does not depend on them, as its cells in their order."""
    shapes = plan_of(exercise).given_shapes
    return Instance(exercise, {name: np.zeros(shape).tolist() for name, shape in shapes.items()})


@dataclass(frozen=True, slots=True)
class Record:
    """A line read back: its place in its file's numbering, and the exercise with its numbers."""

    index: int
    instance: Instance


class _Asked(BaseModel):
    key: str
    answer: float
    tolerance: float


class _Put(BaseModel):
    """How it is asked, where it is no sheet to fill in: of which quantities, and which mistakes are left out."""

    kind: QuestionKind = "sheet"
    asked: list[str] = []
    notation: NotationName = "plain"
    blind_spots: list[str] = []


class _Line(BaseModel):
    format: Literal[1]
    exercise: str
    index: int = Field(ge=0)
    places: int
    network: AnyNetwork
    question: _Put = _Put()
    given: dict[str, Any]
    asked: list[_Asked]


def read_record(line: bytes | str) -> Record:
    """A line of ``generate`` as an exercise that asks for just these cells of just these numbers.

    Nothing but the line is needed, above all no problem bank.

    Raises:
        RecordError: the line is no record, or its answers do not follow from its numbers.
    """
    try:
        read = _Line.model_validate(orjson.loads(line))
        record = Record(read.index, _instance(read))
    except orjson.JSONDecodeError as error:
        raise RecordError(f"not JSON: {error}") from None
    except ValidationError as error:
        # An exercise file calls values what a record calls given.
        raise RecordError("; ".join(re.sub("^values", "given", finding) for finding in described(error))) from None
    except (TypeError, ValueError) as error:
        raise RecordError(str(error)) from None
    values = _answers(record.instance)
    for asked in read.asked:
        found = values.get(asked.key)
        if found is None:
            raise RecordError(f"asked: {asked.key!r} is not a cell; a cell is named as in {next(iter(values))}")
        if not abs(found - asked.answer) <= _NOISE * (1 + abs(asked.answer)):
            raise RecordError(
                f"asked: {asked.key} is {found} by the given numbers, not {asked.answer}; the line was changed, or "
                "another release wrote it"
            )
    return record


def _answers(instance: Instance) -> dict[str, float]:
    """What is right, by key: of every value, or of every question.

    Raises:
        RecordError: the numbers give no question.
    """
    try:
        return {one.key: float(one.right) for one in instance.questions} or instance.values
    except NoQuestionError as error:
        raise RecordError(f"given: {error}") from None


def _instance(read: _Line) -> Instance:
    values = read.network.build().givens()
    exercise = Exercise.model_validate(
        {
            "slug": read.exercise,
            "title": read.exercise,
            "sentence": read.exercise,
            "places": read.places,
            "network": read.network,
            "values": {name: value for name, value in read.given.items() if name in values},
            "notation": read.question.notation,
            "asked": read.question.asked or [asked.key for asked in read.asked],
            "shown": [shown for name in read.given if name not in (*values, PICK) for shown in _shown(read, name)],
            "question": read.question.kind,
            "blind_spots": read.question.blind_spots,
        }
    )
    if exercise.drawn:
        raise ValueError("given: holds a range; a record has numbers alone")
    return Instance(exercise, read.given)


def _shown(read: _Line, name: str) -> Iterator[str]:
    """The quantity's name or, where some of its cells are null, the keys of the others."""
    keys = structure_of(read.network.build()).keys.get(name)
    given = np.array(read.given[name], dtype=float)
    if keys is None or not np.isnan(given).any() or given.shape != keys.shape:
        yield name
    else:
        yield from keys[~np.isnan(given)]


class RecordFile:
    """A file of records, found by their index. It holds the places of the lines, not the lines.

    ``problems`` are the lines that can't be read at all: their number, from 1, and what is wrong.

    Raises:
        RecordError: two lines have the same index.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lines: dict[int, tuple[int, int]] = {}
        self.problems: list[tuple[int, str]] = []
        self.find = lru_cache(maxsize=64)(self._find)
        place = 0
        for number, line in enumerate(file, start=1):
            if line.strip():
                self._note(line, number, place)
            place += len(line)

    def _note(self, line: bytes, number: int, place: int) -> None:
        try:
            index = operator.index(orjson.loads(line)["index"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            self.problems.append((number, 'not a record: a line as generate writes it has an "index"'))
            return
        if index in self._lines:
            raise RecordError(
                f"lines {self._lines[index][0]} and {number} both have the index {index}; keep the files of different "
                "exercises and seeds apart"
            )
        self._lines[index] = (number, place)

    def _find(self, index: int) -> Instance:
        """The exercise with this index; ``find`` remembers the latest.

        Raises:
            RecordError: no line has the index, or the line is no record.
        """
        if index not in self._lines:
            raise RecordError(f"no exercise has the index {index}")
        number, place = self._lines[index]
        self._file.seek(place)
        try:
            return read_record(self._file.readline()).instance
        except RecordError as error:
            raise RecordError(f"the exercise in line {number}: {error}") from None
