"""The database on the command line: its tables, and accounts."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from quizprop.store import people, schema
from quizprop.store.database import Database, open_database
from quizprop.web.settings import default_database_url, from_environment

__all__ = ["add_user", "backup", "check", "upgrade"]


def upgrade(url: str | None) -> None:
    """Create the tables, or bring them up to date."""
    with _database(url) as database:
        schema.upgrade(database)
        click.echo(f"{database.url} is at revision {schema.current(database)}.")


def check(url: str | None) -> None:
    """Compare the tables with what this release wants."""
    with _database(url) as database:
        differences = schema.check(database)
        if differences:
            raise click.ClickException("\n".join(differences))
        click.echo(f"{database.url} is at revision {schema.current(database)}, as this release wants it.")


def backup(path: Path, url: str | None) -> None:
    """Copy an SQLite database to a new file."""
    with _database(url) as database:
        schema.backup(database, path)
    click.echo(f"Wrote {path}.")


def add_user(name: str, *, password_stdin: bool, url: str | None) -> None:
    """Make an account; its password comes from standard input, or from whoever sits at the terminal."""
    name = people.read_username(name)
    with _database(url) as database:
        if schema.current(database) != schema.newest():
            raise click.ClickException(f"{database.url} is not up to date. Run first: quizprop db upgrade")
        if password_stdin:
            password = sys.stdin.readline().rstrip("\r\n")
        else:
            password = click.prompt("Password", hide_input=True, confirmation_prompt="Once more")
        hashed = people.hash_password(password)
        with database.write() as session:
            people.add_user(session, username=name, password_hash=hashed, now=time.time_ns() // 1000)
    click.echo(f"Added {name}.")


@contextmanager
def _database(url: str | None) -> Iterator[Database]:
    named = url or from_environment(os.environ).get("DATABASE_URL") or default_database_url(os.environ)
    database = open_database(named)
    try:
        yield database
    finally:
        database.close()
