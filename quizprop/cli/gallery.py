"""The gallery on the command line; apart from the other commands of the bank, which do without the website."""

from pathlib import Path

import click

from quizprop.cli.finding import bank
from quizprop.cli.layout import busy
from quizprop.web.gallery import write_gallery

__all__ = ["write"]


def write(folder: Path) -> None:
    """Write the gallery of the bank."""
    families = bank()
    with busy(f"Drawing {len(families)} families"):
        count = write_gallery(families, folder)
    click.echo(f"{folder / 'index.html'}: {count} {'family' if count == 1 else 'families'}")
