"""Worksheets and their keys, and question banks, as files."""

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from quizprop.cli.exercises import written
from quizprop.cli.finding import exercise_named
from quizprop.cli.layout import busy, counted
from quizprop.web.question_banks import FORMATS
from quizprop.web.worksheets import PAPERS, Printed, as_html, as_pdf, printed

__all__ = ["export", "worksheet"]


def worksheet(
    exercise: str,
    *,
    count: int,
    seed: int,
    output: str,
    key: str | None,
    paper: str,
    url: str | None,
    notation: str | None,
) -> None:
    """Write the sheets, and their key where one is wanted."""
    for wanted in filter(None, (output, key)):
        if not wanted.lower().endswith((".pdf", ".html")):
            raise click.UsageError(f"{wanted}: sheets are a .pdf, or an .html to print")
    if key is not None and Path(key).resolve() == Path(output).resolve():
        raise click.UsageError(f"{key}: the key would replace the sheets; name another file with --key")
    found = exercise_named(exercise)
    with busy(f"Drawing {counted(count, 'sheet')}"):
        sheets = list(printed(found, seed=seed, count=count, site=url))
    with ExitStack() as both:  # opened before any is made: sheets do not go without the key that was asked for
        files = [
            (both.enter_context(written(name)), name, of_key) for name, of_key in ((output, False), (key, True)) if name
        ]
        for file, name, of_key in files:
            with busy(f"Setting {name}"):
                made = _made(sheets, name, found.title, paper, notation, of_key=of_key)
            file.write(made)
    click.echo(_summary(sheets), err=True)


def _summary(sheets: list[Printed]) -> str:
    codes = " to ".join(dict.fromkeys([sheets[0].code, sheets[-1].code]))
    return f"{counted(len(sheets), 'sheet')}, {codes}"


def export(exercise: str, *, form: str, count: int, seed: int, output: str, notation: str | None) -> None:
    """Write a question bank."""
    found = exercise_named(exercise)
    write, ending = FORMATS[form]
    if exercise.endswith(".toml") and Path(exercise).resolve() == Path(output).resolve():
        raise click.UsageError(f"{output}: the question bank would replace its exercise; name another file with -o")
    if output == "-" and ending == ".zip" and sys.stdout.isatty():
        raise click.UsageError("A package is no text for a terminal: name a file with -o")
    with busy(f"Writing {counted(count, 'variant')}"):
        content = write(printed(found, seed=seed, count=count), title=found.title, notation=notation)
    with written(output) as file:
        file.write(content)


def _made(sheets: list[Printed], name: str, title: str, paper: str, notation: str | None, *, of_key: bool) -> bytes:
    if name.lower().endswith(".html"):
        return as_html(sheets, title=title, notation=notation, key=of_key).encode()
    return as_pdf(sheets, title=title, notation=notation, paper=PAPERS[paper], key=of_key)
