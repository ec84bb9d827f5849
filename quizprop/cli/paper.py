"""Worksheets and their keys as files."""

import click

from quizprop.cli.exercises import written
from quizprop.cli.finding import exercise_named
from quizprop.web.worksheets import PAPERS, Printed, as_html, as_pdf, printed

__all__ = ["worksheet"]


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
        if not wanted.endswith((".pdf", ".html")):
            raise click.UsageError(f"{wanted}: sheets are a .pdf, or an .html to print")
    found = exercise_named(exercise)
    sheets = list(printed(found, seed=seed, count=count, site=url))
    for name, of_key in ((output, False), (key, True)):
        if name:
            with written(name) as file:
                file.write(_made(sheets, name, found.title, paper, notation, of_key=of_key))
    click.echo(f"{len(sheets)} sheets, {sheets[0].code} to {sheets[-1].code}", err=True)


def _made(sheets: list[Printed], name: str, title: str, paper: str, notation: str | None, *, of_key: bool) -> bytes:
    if name.endswith(".html"):
        return as_html(sheets, title=title, notation=notation, key=of_key).encode()
    return as_pdf(sheets, title=title, notation=notation, paper=PAPERS[paper], key=of_key)
