"""Exercises on the command line: generate, solve, grade."""

import os
import re
import shutil
import sys
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

import click
import numpy as np

from quizprop.cli.finding import bank, exercise_named, instance_at
from quizprop.cli.layout import columns, folded, plain, print_heading, print_table
from quizprop.exercise.answers import AnswersError, Row, grade_row, marks_line, read_row, read_table, sorted_out
from quizprop.exercise.cells import Cell
from quizprop.exercise.figures import exact
from quizprop.exercise.generate import draw
from quizprop.exercise.grade import Grade
from quizprop.exercise.hint import RUNGS, hints
from quizprop.exercise.instance import Instance
from quizprop.exercise.numbers import Reading
from quizprop.exercise.question import in_text
from quizprop.exercise.record import RecordError, RecordFile
from quizprop.exercise.solution import Line, Solution, steps_from

if TYPE_CHECKING:
    from quizprop.engine.mistakes import Mistake

__all__ = ["grade", "hint", "is_device", "named", "solve", "written"]

_IN_A_TERMINAL: Mapping[str, str] = {RUNGS[2]: "With the numbers given"}  # where nobody types any
_NO_LINES = (".gz", ".zst", ".parquet", ".csv")  # what generate writes too, for other readers
_COMMA = re.compile(r"[-+\N{MINUS SIGN}]?\d*,\d+")
_TIED = "\N{NO-BREAK SPACE}"  # where no line may be folded


@contextmanager
def written(path: str) -> Iterator[BinaryIO]:
    """A binary file to write; it takes its name only when it is complete. ``-`` is standard output."""
    if path == "-":
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    if is_device(path):
        with Path(path).open("wb") as file:
            yield file
        return
    target = Path(path).resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with named(path):
            opened = part.open("xb")
        with opened as file:
            yield file
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def is_device(path: str) -> bool:
    """Whether it is /dev/null, a pipe or the like: not ours to replace. What /dev/stdout leads to may have no name."""
    return Path(path).exists() and not Path(path).is_file()


@contextmanager
def named(path: str) -> Iterator[None]:
    """What goes wrong with the hidden file beside a file is told of the one that was asked for."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno) if error.errno else str(error), path) from error


def hint(exercise: str, key: str, *, seed: int, notation: str | None) -> None:
    """Print the three hints for one value of an exercise and a seed."""
    instance = draw(exercise_named(exercise), np.random.default_rng(seed))
    if instance.questions:
        raise click.BadParameter("hints are for sheets to fill in; take another exercise", param_hint="EXERCISE")
    cells = {cell.key: cell for cell in instance.cells}
    if key not in cells:
        raise click.BadParameter(f"{key!r} is not asked; {exercise} asks for {', '.join(cells)}", param_hint="KEY")
    width = columns()
    for rung in hints(instance, cells[key], notation or instance.exercise.notation, {}):
        print_heading(_IN_A_TERMINAL.get(rung.rung, rung.rung), width)
        for line in (plain(rung.text) if rung.rung == RUNGS[0] else rung.text).splitlines():  # formulas have stars
            click.echo(folded(line, width))


def solve(
    exercise: str | None, *, seed: int, place: str | None, notation: str | None, start: str | None, digits: int
) -> None:
    """Print the worked solution of an exercise and a seed, or of a ``place`` FILE:N, from the step ``start`` on."""
    if exercise is not None:
        instance = draw(exercise_named(exercise), np.random.default_rng(seed))
    else:
        instance = instance_at(str(place))
        known = bank().get(instance.exercise.slug)  # a line tells no notation
        notation = notation or (known.notation if known else None)
    notation = notation or instance.exercise.notation
    solution = Solution(instance.as_sheet, notation, digits)
    steps, width = _steps(instance.as_sheet, start), columns()
    click.secho(instance.exercise.title, bold=True)
    print_heading("Given", width)
    for name in instance.as_sheet.needed:
        click.echo(folded(_givens(solution, name), width).replace(_TIED, " "))
    phase = None
    for step in steps:
        if step.phase != phase:
            print_heading(step.phase.heading, width)
            phase = step.phase
        click.echo(_laid_out(solution.line(step), width))
    _print_answers(instance, notation, width)


def _print_answers(instance: Instance, notation: str, width: int | None) -> None:
    """The right choice of each question, and why it is right."""
    if instance.questions:
        print_heading("Answers", width)
    for question in instance.questions:
        parts = [question.words, question.option(question.right).words, *filter(None, [question.reason])]
        words, right, *reason = (in_text(plain(part), instance.model, notation) for part in parts)
        text = folded(" ".join([words, f"{right}.", *reason]), width)  # which puts a line's end for a space
        begin, end = len(words) + 1, len(words) + 1 + len(right)
        click.echo(text[:begin] + click.style(text[begin:end], bold=True) + text[end:])


def _steps(instance: Instance, start: str | None) -> tuple[Cell, ...]:
    if start is None:
        return instance.steps
    try:
        return steps_from(instance, start)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--from") from error


def _givens(solution: Solution, name: str) -> str:
    keys, values = solution.instance.structure.keys[name].flat, solution.instance.values
    numbers = {solution.symbol(key).text: exact(values[key]) for key in keys}  # a shared bias is said once
    return ",  ".join(f"{symbol}{_TIED}={_TIED}{number}" for symbol, number in numbers.items())


def _laid_out(line: Line, width: int | None) -> str:
    """A line of the solution; where the terminal is too narrow, an equals sign a line, one below the other."""
    if width is None or len(line.text) <= width:
        rows = [line.text]
    else:
        symbol, *parts = line.text.split(" = ")
        indent = len(symbol) + 3
        rows = [folded(f"{' ' * len(symbol)} = {part}", width, indent=indent) for part in parts]
        rows[0] = symbol + rows[0][len(symbol) :]
    return "\n".join(rows).removesuffix(line.value) + click.style(line.value, bold=True)


def grade(exercises: Path, answers: IO[bytes], *, decimal_comma: bool) -> bool:
    """Grade lines of answers; returns whether all lines of both files were fit for it."""
    if exercises.name.lower().endswith(_NO_LINES):
        raise click.UsageError(f"{exercises}: EXERCISES are unpacked JSON Lines, as generate writes them to a .jsonl")
    grades: list[Grade] = []
    mistakes: dict[Mistake, None] = {}
    name = getattr(answers, "name", "<stdin>")  # a stream without a name stands in for standard input
    with exercises.open("rb") as file:
        records = RecordFile(file)
        problems = [f"{exercises}:{number}: {problem}" for number, problem in records.problems]
        for number, read in _rows(answers, name, decimal_comma=decimal_comma):
            try:
                row = read()
                instance = records.find(row.index)
                if _is_table(name):
                    row = sorted_out(instance, row)
                grades.append(grade_row(instance, row, decimal_comma=decimal_comma))
                mistakes |= dict.fromkeys(instance.structure.mistakes)
            except (AnswersError, RecordError) as error:
                problems.append(f"{name}:{number}: {error}")
                continue
            sys.stdout.buffer.write(marks_line(row, grades[-1]) + b"\n")
    sys.stdout.flush()
    if sys.stderr.isatty():
        _print_summary(grades, {mistake.code: mistake.misconception.title for mistake in mistakes})
    for problem in problems:
        click.secho(problem, err=True, fg="red")
    commas = sum(_has_comma(mark.reading) for graded in grades for mark in graded.marks.values())
    if commas and not decimal_comma:
        click.secho(f"With decimal commas, which count as unreadable: {commas}. Is it --decimal-comma?", err=True)
    return not problems


def _has_comma(reading: Reading) -> bool:
    return reading.value is None and _COMMA.fullmatch(reading.text.strip()) is not None


def _rows(answers: IO[bytes], name: str, *, decimal_comma: bool) -> Iterator[tuple[int, Callable[[], Row]]]:
    """Each line with what reads it: of a .csv a row of the table, else JSON."""
    if not _is_table(name):
        for number, line in enumerate(answers, start=1):
            line = line.removeprefix(BOM_UTF8)  # as some editors begin a file  # noqa: PLW2901
            if line.strip():
                yield number, partial(read_row, line, decimal_comma=decimal_comma)
        return
    try:  # the whole of it first: of a damaged table nothing is graded
        rows = list(read_table(answers.read().decode("utf-8-sig")))
    except AnswersError as error:
        raise click.ClickException(f"{name}: {error}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{name}: is not text in UTF-8; save it so, as a spreadsheet's CSV UTF-8") from error
    for number, row in rows:
        yield number, partial(_or_raise, row)


def _is_table(name: str) -> bool:
    return name.lower().endswith(".csv")


def _or_raise(row: Row | AnswersError) -> Row:
    if isinstance(row, AnswersError):
        raise row
    return row


def _print_summary(grades: Sequence[Grade], titles: Mapping[str, str]) -> None:
    """How a class did: points, and on how many sheets each mistake was seen."""
    points, out_of = sum(graded.points for graded in grades), sum(graded.out_of for graded in grades)
    if not out_of:
        return
    complete = sum(graded.complete for graded in grades)
    share = f"{100 * points / out_of:.0f}% of the points"
    click.echo(f"{len(grades)} graded, {complete} without an error, {share}", err=True)
    seen = Counter(
        code for graded in grades for code in {code for mark in graded.marks.values() for code in mark.codes}
    )
    rows = [(str(sheets), code, titles[code]) for code, sheets in seen.most_common(8)]
    if rows:
        print_table(rows, headings=("sheets", "mistake", ""), right=("sheets",), err=True)
