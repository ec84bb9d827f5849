"""Tables as files, for a spreadsheet or for programs."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from flask import Response

__all__ = ["csv_file", "json_lines_file", "plain_text"]

_ACTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def plain_text(text: str) -> str:
    """Text that no spreadsheet takes for a formula; one that begins like one has an apostrophe before it."""
    return f"'{text}" if text.startswith(_ACTS) else text


def csv_file(name: str, rows: Iterable[Sequence[str | float | None]], *, mark: bool = True) -> Response:
    """A CSV file to be saved under ``name``. Numbers stay numbers, -0.25 too; a None is an empty cell.

    It begins with a byte order mark, by which Excel knows UTF-8; without one for programs that would take it for a part
    of the first heading.
    """
    written = io.StringIO()
    csv.writer(written).writerows([plain_text(one) if isinstance(one, str) else one for one in row] for row in rows)
    return _saved(f"{name}.csv", ("\ufeff" if mark else "") + written.getvalue(), "text/csv")


def json_lines_file(name: str, rows: Iterable[Mapping[str, Any]]) -> Response:
    """A file of JSON Lines to be saved under ``name``, for programs."""
    return _saved(f"{name}.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows), "application/jsonl")


def _saved(name: str, text: str, kind: str) -> Response:
    answer = Response(text, mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
