"""Answers and their marks as JSON Lines: one line a sheet, whatever program or person filled it in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from quizprop.exercise.grade import Grade, grade
from quizprop.exercise.instance import Instance

__all__ = ["AnswersError", "Row", "grade_row", "marks_line", "read_row"]

_EXAMPLE = '{"index": 0, "answers": {"z1[1]": "0.3775"}}'


class AnswersError(ValueError):
    """A line of answers can't be graded; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of answers: texts by cell key for the sheet called ``index``, and whatever else stood in the line."""

    index: int
    answers: Mapping[str, str]
    rest: Mapping[str, Any]


def read_row(line: bytes | str) -> Row:
    """Read a line of answers. An answer is text as a student types it or a number; null is a blank.

    Raises:
        AnswersError: not such a line.
    """
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise AnswersError(f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise AnswersError(f"not an object; write it as in {_EXAMPLE}")
    index, answers = row.pop("index", None), row.pop("answers", None)
    if type(index) is not int:
        raise AnswersError(f"index: {_said(index)}; write the index of the sheet, as in {_EXAMPLE}")
    if not isinstance(answers, dict):
        raise AnswersError(f"answers: {_said(answers)}; write a value for each cell, as in {_EXAMPLE}")
    return Row(index, {key: _text(key, value) for key, value in answers.items()}, row)


def grade_row(instance: Instance, row: Row, *, decimal_comma: bool = False) -> Grade:
    """Grade a row on its sheet.

    Raises:
        AnswersError: a cell is answered that the sheet does not ask for; a slip in its name would else cost the point.
    """
    asked = [cell.key for cell in instance.cells]
    strangers = sorted(set(row.answers).difference(asked))
    if strangers:
        some = ", ".join(asked[:6]) + (" ..." if len(asked) > 6 else "")
        raise AnswersError(f"answers: {', '.join(strangers)} is not asked; sheet {row.index} asks for {some}")
    return grade(instance, row.answers, decimal_comma=decimal_comma)


def marks_line(row: Row, graded: Grade) -> bytes:
    """The marks of a row as a line of JSON: what else the row held comes first."""
    return orjson.dumps(
        {
            **row.rest,
            "index": row.index,
            "points": graded.points,
            "out_of": graded.out_of,
            "first_error": graded.first_error,
            "marks": {key: {**mark.as_json(), "read": mark.reading.value} for key, mark in graded.marks.items()},
        }
    )


def _text(key: str, value: object) -> str:
    match value:
        case str():
            return value
        case None:
            return ""
        case bool() | dict() | list():
            raise AnswersError(f"answers: {key} is {_said(value)}; write a number, or text in quotes")
        case _:
            return repr(value)


def _said(value: object) -> str:
    """What stands where something else should."""
    return "missing" if value is None else orjson.dumps(value).decode()[:40]
