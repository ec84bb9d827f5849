"""Answers as JSON Lines or CSV and their marks: one line a sheet, whatever program or person filled it in."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from quizprop.exercise.grade import Grade, grade
from quizprop.exercise.instance import Instance
from quizprop.exercise.numbers import typed_number

__all__ = ["AnswersError", "Row", "grade_row", "marks_line", "read_row", "read_table", "sorted_out"]

_LIKE_A_CELL = re.compile(r"[A-Za-z]\w*\s*\[\s*[0-9].*", re.DOTALL)
_EXAMPLE = '{"index": 0, "answers": {"z1[1]": "0.3775"}}'


class AnswersError(ValueError):
    """A line of answers can't be graded; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of answers: texts by cell key for the sheet called ``index``, and whatever else stood in the line."""

    index: int
    answers: Mapping[str, str]
    rest: Mapping[str, Any]


def read_row(line: bytes | str, *, decimal_comma: bool = False) -> Row:
    """Read a line of answers. An answer is text as a student types it or a number; null is a blank.

    With ``decimal_comma`` the text is to be read so; a number is a number.

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
    return Row(index, {key: _text(key, value, decimal_comma=decimal_comma) for key, value in answers.items()}, row)


def read_table(text: str) -> Iterator[tuple[int, Row | AnswersError]]:
    """The rows of a CSV table with a column ``index`` and one for each cell; each with the number of its first line.

    Which columns are cells is settled by `sorted_out`, once the sheet is known.

    Raises:
        AnswersError: there is no column ``index``, a heading stands twice, or it is no table.
    """
    text = text.removeprefix("\ufeff").replace("\0", "")
    first = text.partition("\n")[0]
    # Strictly: else a quotation mark that is never closed would take all lines after it into one cell.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    began = 1
    try:
        heads = _headings(next(reader, []))
        began = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield began, _row_of(heads, cells)
            began = reader.line_num + 1
    except csv.Error as error:
        raise AnswersError(
            f"line {began} is no line of a table ({error}): close each quotation mark, and write one inside of a "
            'quoted cell twice, as in "5"" wide"'
        ) from None


def _headings(cells: list[str]) -> list[str]:
    heads = [cell.strip() for cell in cells]
    if "index" not in heads:
        raise AnswersError("a table of answers has a column index, and one for each cell, named as in z1[1]")
    keys = [_as_key(head) for head in heads if head]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise AnswersError(f"a heading stands twice, and only one column can count: {', '.join(twice)}; take one away")
    return heads


def _as_key(head: str) -> str:
    """A heading as the cell is named that it may stand for: without spaces."""
    return "".join(head.split()) if _LIKE_A_CELL.fullmatch(head) else head


def _row_of(heads: list[str], cells: list[str]) -> Row | AnswersError:
    if len(cells) != len(heads):
        return AnswersError(f"has {len(cells)} cells, the headings are {len(heads)}; leave a blank cell empty, not out")
    values = dict(zip(heads, cells, strict=True))
    index = values.pop("index", "").strip()
    if not (index.isascii() and index.isdigit() and len(index) < 19):
        return AnswersError(f"index: {_said(index)}; write the index of the sheet, a whole number")
    return Row(int(index), {}, values)


def sorted_out(instance: Instance, row: Row) -> Row:
    """A row of a table with its cells among the answers; what else it holds, a name say, is handed through.

    A column that is named like a cell but is none of this sheet is an answer if it is filled in, so that it is told.
    """
    asked = {cell.key for cell in instance.cells}
    answers, rest = dict[str, str](), dict[str, str]()
    for name, text in row.rest.items():
        key = _as_key(name)
        if key in asked or (_LIKE_A_CELL.fullmatch(name) and text.strip()):
            answers[key if key in asked else name] = text
        elif not _LIKE_A_CELL.fullmatch(name):
            rest[name] = text
    return replace(row, answers=answers, rest=rest)


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


def _text(key: str, value: object, *, decimal_comma: bool) -> str:
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            pass
        case int() | float():
            return typed_number(value, decimal_comma=decimal_comma)
    raise AnswersError(f"answers: {key} is {_said(value)}; write a number, or text in quotes")


def _said(value: object) -> str:
    """What stands where something else should."""
    return "missing" if value is None else orjson.dumps(value).decode()[:40]
