"""Tables as files for a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from flask import Response

__all__ = ["csv_file", "plain_text"]

_ACTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def plain_text(text: str) -> str:
    """Text that no spreadsheet takes for a formula; one that begins like one has an apostrophe before it."""
    return f"'{text}" if text.startswith(_ACTS) else text


def csv_file(name: str, rows: Iterable[Sequence[str | float | None]]) -> Response:
    """A CSV file to be saved under ``name``. Numbers stay numbers, -0.25 too; a None is an empty cell.

    It begins with a byte order mark, by which Excel knows UTF-8.
    """
    written = io.StringIO()
    csv.writer(written).writerows([plain_text(one) if isinstance(one, str) else one for one in row] for row in rows)
    answer = Response("\ufeff" + written.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
