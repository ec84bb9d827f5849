"""The gallery on the command line; apart from the other commands of the bank, which do without the website."""

from pathlib import Path

import click

from quizprop.cli.finding import bank
from quizprop.web.gallery import write_gallery

__all__ = ["write"]


def write(folder: Path) -> None:
    """Write the gallery of the bank."""
    count = write_gallery(bank(), folder)
    click.echo(f"{folder / 'index.html'}: {count} {'family' if count == 1 else 'families'}")
