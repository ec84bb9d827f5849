"""Accounts on the command line."""

import math
import sys
import time
import warnings
from datetime import UTC, datetime
from getpass import GetPassWarning

import click

from quizprop.cli.database import up_to_date
from quizprop.store import classroom, own_data, people, resets
from quizprop.store.database import Database
from quizprop.store.people import Credentials, PasswordHash

__all__ = ["account", "add", "delete", "list_all", "reset_link", "set_password"]

_HOUR = 3_600_000_000


def list_all(url: str | None) -> None:
    """The names of all accounts, each with the day on which it was made."""
    with up_to_date(url) as database, database.read() as session:
        for name, created_at in people.usernames(session):
            click.echo(f"{datetime.fromtimestamp(created_at / 1_000_000, UTC):%Y-%m-%d}  {name}")


def add(name: str, *, password_stdin: bool, url: str | None) -> None:
    """Make an account; its password comes from standard input, or from whoever sits at the terminal."""
    name = people.read_username(name)
    with up_to_date(url) as database:
        hashed = _typed_password(from_stdin=password_stdin)
        with database.write() as session:
            people.add_user(session, username=name, password_hash=hashed, now=_now())
    click.echo(f"Added {name}.")


def set_password(name: str, *, password_stdin: bool, url: str | None) -> None:
    """Give an account another password; its sessions end."""
    with up_to_date(url) as database:
        account(database, name)
        hashed = _typed_password(from_stdin=password_stdin)
        with database.write() as session:
            people.set_password(session, username=name, password_hash=hashed, now=_now())
    click.echo(f"{name} has a new password, and is signed out everywhere.")


def reset_link(name: str, *, base: str, hours: float, url: str | None) -> None:
    """Print a link by which a forgotten password is set anew."""
    if math.isnan(hours):  # which is in every range
        raise click.BadParameter(
            "nan is no number of hours; write how long the link works, 24 say", param_hint="--hours"
        )
    with up_to_date(url) as database:
        account(database, name)
        with database.write() as session:
            token = resets.issue_reset_link(session, username=name, now=_now(), valid_for=round(hours * _HOUR))
    click.echo(f"{base.rstrip('/')}/reset/{token}")
    time = f"{hours:g} hour{'' if hours == 1 else 's'}"
    click.echo(f"It works once, for {time}, and in place of any made before. Hand it to {name} only.", err=True)


def delete(name: str, *, sure: bool, url: str | None) -> None:
    """Delete an account with everything that is kept of its learner."""
    with up_to_date(url) as database:
        known = account(database, name)
        with database.read() as session:
            alone = classroom.taught_alone(session, known.learner_id)
        if alone:
            click.echo(
                f"Nobody else teaches: {', '.join(alone)}. For somebody who goes on: quizprop courses teach", err=True
            )
        if not sure:
            click.confirm(f"Delete {name} and all their work? This can't be undone", abort=True)
        with database.write() as session:
            own_data.delete_learner(session, known.learner_id)
    click.echo(f"Deleted {name}.")


def account(database: Database, name: str) -> Credentials:
    """The account of this name.

    Raises:
        UnknownUserError: there is none; the message says where all of them are.
    """
    with database.read() as session:
        found = people.find_credentials(session, name)
    if found is None:
        raise people.UnknownUserError(f"No user named {name!r}. All of them: quizprop user list")
    return found


def _typed_password(*, from_stdin: bool) -> PasswordHash:
    if from_stdin:
        return people.hash_password(sys.stdin.readline().rstrip("\r\n"))
    with warnings.catch_warnings():  # without a terminal getpass would show what is typed
        warnings.simplefilter("error", GetPassWarning)
        try:
            return people.hash_password(click.prompt("Password", hide_input=True, confirmation_prompt="Once more"))
        except GetPassWarning as error:
            raise click.UsageError(
                "There is no terminal to type a password at: hand it to standard input, with --password-stdin"
            ) from error


def _now() -> int:
    return time.time_ns() // 1000
