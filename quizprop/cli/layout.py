"""How the terminal shows things: tables, headings, folded lines, a bar for long work.

Where there is no terminal, another program reads: nothing is folded, cut or coloured.
"""

import re
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Timer
from typing import Literal

import click
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

__all__ = ["bar", "busy", "columns", "counted", "folded", "plain", "print_heading", "print_table"]

_PATIENCE = 1.0  # seconds before anything tells of the work
_UNFOLDED = 10_000
_GAP = 2  # between the columns of a table


def columns() -> int | None:
    """How wide the terminal is; None where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def folded(text: str, width: int | None, *, indent: int = 0) -> str:
    """The text in lines of the terminal's width, all but the first one indented."""
    if width is None:
        return text
    lines = textwrap.wrap(text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)


def counted(count: int, word: str) -> str:
    """So many of something whose plural ends in s."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def plain(text: str) -> str:
    """Markdown's emphasis taken away."""
    return re.sub(r"(\*{1,2}|`)(\S(?:.*?\S)?)\1", r"\2", text)


def print_heading(text: str, width: int | None) -> None:
    """A heading with a rule below it."""
    click.echo()
    click.secho(text, bold=True)
    click.secho("─" * min(len(text), width or len(text)), dim=True)


def print_table(
    rows: Iterable[tuple[str, ...]], *, headings: tuple[str, ...] = (), right: tuple[str, ...] = (), err: bool = False
) -> None:
    """A table without lines. Columns whose heading is in ``right`` hold numbers.

    The first column tells what to type: it is never cut, the others give way; no word is broken where that can be.
    """
    rows, console = list(rows), _console(err=err)
    lines_of = [
        [line for row in [headings, *rows] for line in "".join(row[place : place + 1]).splitlines()]
        for place in range(max(map(len, [headings, *rows])))
    ]
    whole = [not place or heading in right for place, heading in enumerate(headings or [""] * len(lines_of))]
    widths = _widths(lines_of, whole, console.width)
    table = Table(box=None, pad_edge=False, show_header=bool(headings), header_style="dim", padding=(0, _GAP, 0, 0))
    for place, width in enumerate(widths):
        heading = headings[place] if headings else ""
        side: Literal["left", "right"] = "right" if heading in right else "left"
        no_wrap = whole[place] and (place > 0 or _longest(lines_of[0]) <= console.width)
        table.add_column(heading, justify=side, no_wrap=no_wrap, overflow="fold", width=width)
    for row in rows:
        table.add_row(*row)
    with console.capture() as lines:
        console.print(table)
    for line in lines.get().splitlines():
        click.echo(line.rstrip(), err=err)  # without the spaces that fill the last column


def _widths(lines_of: Sequence[Sequence[str]], whole: Sequence[bool], room: int) -> list[int | None]:
    """How wide each column is: as its lines, or where there is no room for them at least as its longest word.

    Columns that are to stay ``whole`` do. None where even that is too wide: then they give way as they can.
    """
    room -= _GAP * (len(lines_of) - 1)
    most = [_longest(lines) for lines in lines_of]
    least = [
        wide if kept else _longest(word for line in lines for word in line.split())
        for lines, wide, kept in zip(lines_of, most, whole, strict=True)
    ]
    spare, wanted = room - sum(least), sum(most) - sum(least)
    if spare < 0:
        return [None] * len(least)
    share = min(1.0, spare / wanted) if wanted else 0.0
    return [low + int(share * (high - low)) for low, high in zip(least, most, strict=True)]


def _longest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=0)


@contextmanager
def bar(total: int, *, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """Takes how many more are done; where that takes long, a bar on standard error tells how far it is.

    Without a terminal, or where it is not to be ``shown``, there is none.
    """
    done, began = 0, time.monotonic()
    tell: Callable[[int, float], None] | None = None
    with ExitStack() as stack:

        def advance(more: int) -> None:
            nonlocal done, tell
            done += more
            elapsed = time.monotonic() - began
            if tell is None and shown and sys.stderr.isatty() and done < total and elapsed > _PATIENCE:
                tell = stack.enter_context(_bar(total))
            if tell is not None:
                tell(done, done / elapsed)

        yield advance


@contextmanager
def busy(words: str) -> Iterator[None]:
    """While work takes long of which nobody knows how far it is, ``words`` on standard error tell what it is.

    Without a terminal there are none.
    """
    if not sys.stderr.isatty():
        yield
        return
    status = _console(err=True).status(words)
    later = Timer(_PATIENCE, status.start)
    later.daemon = True
    later.start()
    try:
        yield
    finally:
        later.cancel()
        later.join()
        status.stop()


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int, float], None]]:
    parts = (
        TextColumn("{task.completed:,} of {task.total:,}"),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[rate]}/s"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*parts, console=_console(err=True)) as progress:
        task = progress.add_task("", total=total, rate="0")
        yield lambda done, rate: progress.update(task, completed=done, rate=f"{rate:,.{0 if rate >= 10 else 1}f}")


def _console(*, err: bool = False) -> Console:
    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else _UNFOLDED
    return Console(stderr=err, highlight=False, markup=False, width=width)
