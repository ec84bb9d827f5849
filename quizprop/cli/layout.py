"""How the terminal shows things: tables, headings, folded lines, a bar for long work.

Where there is no terminal, another program reads: nothing is folded, cut or coloured.
"""

import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

__all__ = ["bar", "columns", "folded", "print_heading", "print_table"]

_PATIENCE = 1.0  # seconds before a bar shows how far the work is
_UNFOLDED = 10_000


def columns() -> int | None:
    """How wide the terminal is; None where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def folded(text: str, width: int | None, *, indent: int = 0) -> str:
    """The text in lines of the terminal's width, all but the first one indented."""
    if width is None:
        return text
    lines = textwrap.wrap(text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)


def print_heading(text: str, width: int | None) -> None:
    """A heading with a rule below it."""
    click.echo()
    click.secho(text, bold=True)
    click.secho("─" * min(len(text), width or len(text)), dim=True)


def print_table(
    rows: Iterable[tuple[str, ...]], *, headings: tuple[str, ...] = (), right: tuple[str, ...] = (), err: bool = False
) -> None:
    """A table without lines. Columns whose heading is in ``right`` hold numbers.

    The first column tells what to type: it is never cut, the others give way.
    """
    rows, console = list(rows), _console(err=err)
    first = max((len(line) for row in rows for line in row[0].splitlines()), default=0)
    table = Table(box=None, pad_edge=False, show_header=bool(headings), header_style="dim", padding=(0, 2, 0, 0))
    for place in range(max(map(len, [headings, *rows]))):
        heading = headings[place] if headings else ""
        whole = heading in right if place else first <= console.width
        side: Literal["left", "right"] = "right" if heading in right else "left"
        table.add_column(heading, justify=side, no_wrap=whole, overflow="fold")
    for row in rows:
        table.add_row(*row)
    with console.capture() as lines:
        console.print(table)
    for line in lines.get().splitlines():
        click.echo(line.rstrip(), err=err)  # without the spaces that fill the last column


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
def _bar(total: int) -> Iterator[Callable[[int, float], None]]:
    parts = (
        TextColumn("{task.completed:,} of {task.total:,}"),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*parts, console=_console(err=True)) as progress:
        task = progress.add_task("", total=total, rate=0.0)
        yield lambda done, rate: progress.update(task, completed=done, rate=rate)


def _console(*, err: bool = False) -> Console:
    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else _UNFOLDED
    return Console(stderr=err, highlight=False, markup=False, width=width)
