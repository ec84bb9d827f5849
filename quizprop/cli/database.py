"""The database on the command line: its tables, and copies of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from quizprop.store import schema
from quizprop.store.database import Database, open_database
from quizprop.web.settings import default_database_url, from_environment

__all__ = ["backup", "check", "new_file", "opened", "restore", "up_to_date", "upgrade"]


def upgrade(url: str | None) -> None:
    """Create the tables, or bring them up to date."""
    with opened(url) as database:
        schema.upgrade(database)
        click.echo(f"{database.url} is at revision {schema.current(database)}.")


def check(url: str | None) -> None:
    """Compare the tables with what this release wants."""
    with opened(url) as database:
        differences = schema.check(database)
        if differences:
            raise click.ClickException("\n".join(differences))
        click.echo(f"{database.url} is at revision {schema.current(database)}, as this release wants it.")


def backup(path: Path, url: str | None) -> None:
    """Copy an SQLite database to a new file."""
    with opened(url) as database:
        schema.backup(database, path)
    click.echo(f"Wrote {path}.")


def restore(path: Path, url: str | None) -> None:
    """Put a backup in the place of the SQLite database; stop the server before."""
    with opened(url) as database:
        named, target = database.url, Path(str(database.engine.url.database))
        if not database.is_sqlite:
            raise click.ClickException(
                "PostgreSQL restores its own backups: pg_restore --clean --if-exists --dbname=NAME quizprop.dump"
            )
    revision = schema.restore(path, target)
    click.echo(f"{named} is as it was in {path}, at revision {revision}. The one before is {target}.before-restore.")


@contextmanager
def up_to_date(url: str | None) -> Iterator[Database]:
    """The database, if its tables are as this release wants them."""
    missing = new_file(_named(url))
    if missing is not None:  # to open it would make it
        raise click.ClickException(
            f"There is no database {missing}. QUIZPROP_DATABASE_URL or --database names that of your site; to make a "
            "new one, run first: quizprop db upgrade"
        )
    with opened(url) as database:
        trouble = schema.behind(database)
        if trouble is not None:
            raise click.ClickException(trouble)
        yield database


@contextmanager
def opened(url: str | None) -> Iterator[Database]:
    """The database of this URL; else the one that the environment names, or that is there by default."""
    database = open_database(_named(url))
    try:
        yield database
    finally:
        database.close()


def new_file(url: str) -> Path | None:
    """The SQLite file of a URL, if it is not there yet: to open it would make it."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # opening it says what is wrong
        return None
    path = Path(parsed.database or "")
    return path if parsed.drivername == "sqlite" and path.is_absolute() and not path.exists() else None


def _named(url: str | None) -> str:
    return str(url or from_environment(os.environ).get("DATABASE_URL") or default_database_url(os.environ))
