"""A deployment looked over: what is wrong, what is risky, and what to do about it."""

import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

import click
from sqlalchemy import make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from quizprop.cli.database import new_file
from quizprop.exercise.bank import BankError, load_bank
from quizprop.store import schema
from quizprop.store.database import Database, DatabaseUrlError, MissingDriverError, open_database
from quizprop.web.settings import NAMES, SHORTEST_KEY, SettingsError, default_database_url, from_environment

__all__ = ["Finding", "doctor", "findings"]

Weight = Literal["well", "risk", "wrong"]

_SIGNS: Final[Mapping[Weight, tuple[str, str]]] = {
    "well": ("ok", "green"),
    "risk": ("!", "yellow"),
    "wrong": ("x", "red"),
}
_OLDEST_SQLITE: Final = (3, 37, 0)
_LEAST_ROOM: Final = 500 * 1024 * 1024
_FARTHEST: Final = 5.0
_DRAWN_BY_LOT: Final = 32
_DIFFERENT: Final = 8
"""Of 32 characters drawn by lot so many are different, even where they are the digits of a hexadecimal number."""
_SIX_YEARS: Final = 6 * 365 * 86400


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was looked at: how grave it is, what it is, and what to do."""

    weight: Weight
    words: str


def doctor(url: str | None) -> bool:
    """Print what is found; whether nothing is wrong."""
    found = list(findings(os.environ, url))
    for one in found:
        sign, colour = _SIGNS[one.weight]
        click.echo(f"{click.style(f'{sign:>2}', fg=colour, bold=True)}  {one.words}")
    wrong = sum(one.weight == "wrong" for one in found)
    risks = sum(one.weight == "risk" for one in found)
    click.echo(f"{len(found)} looked at, {wrong} wrong, {risks} to think about.")
    return not wrong


def findings(environ: Mapping[str, str], url: str | None) -> Iterator[Finding]:
    """Everything that is looked at, in the order in which to mend it."""
    bad = list(_bad_settings(environ))
    if bad:
        yield from bad
        return
    settings = from_environment(environ)
    named = url or settings.get("DATABASE_URL") or default_database_url(environ)
    yield from _misspelt(environ)
    yield from _key(settings.get("SECRET_KEY"), named)
    yield from _https(settings)
    yield from _counted(settings.get("METRICS"), environ.get("PROMETHEUS_MULTIPROC_DIR"))
    yield from _bank(settings.get("PROBLEM_BANK"))
    yield from _clock()
    file = new_file(named)
    if file is not None:
        yield _to_be_made(file)
        return
    try:
        database = open_database(named)
    except (DatabaseUrlError, MissingDriverError) as error:
        yield Finding("wrong", str(error))
        return
    try:
        yield from _looked_at(database)
    finally:
        database.close()


def _bad_settings(environ: Mapping[str, str]) -> Iterator[Finding]:
    """All settings that can't be understood: each is left out to see the next."""
    left = dict(environ)
    while True:
        try:
            from_environment(left)
        except SettingsError as error:
            yield Finding("wrong", str(error))
            del left[str(error).partition(":")[0]]
        else:
            return


def _misspelt(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Names that are almost those of settings: nobody reads them."""
    known = [f"QUIZPROP_{name}" for name in NAMES]
    for name in environ:
        if name.startswith("QUIZPROP_") and name not in known:
            for meant in get_close_matches(name, known, 1, 0.85):
                yield Finding("risk", f"{name} is no setting: is {meant} meant?")


def _key(key: str | None, url: str) -> Iterator[Finding]:
    if key is None:
        if url.startswith("sqlite"):
            yield from _kept_key(url)
        else:
            yield Finding(
                "wrong", "QUIZPROP_SECRET_KEY is missing: set it to 32 random characters, the same on all servers."
            )
    elif len(key) < SHORTEST_KEY:
        yield Finding(
            "wrong", f"QUIZPROP_SECRET_KEY has {len(key)} characters, with which no server starts: take 32 random ones."
        )
    elif len(key) < _DRAWN_BY_LOT or len(set(key)) < _DIFFERENT:
        yield Finding("risk", "QUIZPROP_SECRET_KEY is short or regular: take 32 random characters or more.")
    else:
        yield Finding("well", "The secret key is long enough.")


def _kept_key(url: str) -> Iterator[Finding]:
    """The key beside the SQLite file; of a URL that can't be read, opening it says what is wrong."""
    try:
        file = Path(f"{make_url(url).database}.secret")
        kept = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        yield Finding("well", "The secret key is made at the first start, and kept beside the database.")
    except (OSError, UnicodeError) as error:
        said = getattr(error, "strerror", None) or "it is no text"
        yield Finding("wrong", f"{file}, the secret key, can't be read ({said}): give it to the server's user.")
    except (ArgumentError, ValueError):
        return
    else:
        if len(kept) < SHORTEST_KEY:
            yield Finding("wrong", f"{file} holds no secret key: delete it, and the next start makes one.")
        elif os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
            yield Finding("risk", f"{file}, the secret key, is readable by others too: chmod 600 it.")
        else:
            yield Finding("well", "The secret key is kept beside the database.")


def _https(settings: Mapping[str, object]) -> Iterator[Finding]:
    if settings.get("HTTPS"):
        yield Finding("well", "Cookies go over https only.")
    else:
        yield Finding(
            "risk",
            "QUIZPROP_HTTPS is not set: set it to 1 where visitors come by https, so that no cookie goes without.",
        )
    if settings.get("HTTPS") and not settings.get("TRUSTED_HOSTS"):
        yield Finding(
            "risk",
            "QUIZPROP_HOSTS is not set: name the hosts of the site, so that no link that it writes leads elsewhere.",
        )
    if settings.get("HTTPS") and not settings.get("PROXIES"):
        yield Finding(
            "risk", "QUIZPROP_PROXIES is 0: behind a proxy all visitors seem to be one, and its limits are shared."
        )


def _counted(token: str | None, shared: str | None) -> Iterator[Finding]:
    """What /metrics needs, where it is wanted."""
    if token is None:
        return
    if find_spec("prometheus_client") is None:
        yield Finding("wrong", "QUIZPROP_METRICS needs a library: pip install 'quizprop[metrics]'")
    if shared is not None and not (Path(shared).is_dir() and os.access(shared, os.W_OK)):
        yield Finding(
            "wrong", f"PROMETHEUS_MULTIPROC_DIR: {shared} is no folder that can be written; make it, for the server."
        )


def _to_be_made(file: Path) -> Finding:
    """A database that is not there yet: whether its folder lets it be made."""
    there = next((folder for folder in file.parents if folder.exists()), file)
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return Finding("risk", f"{file} is new: quizprop serve makes it with its tables, or quizprop db upgrade.")
    return Finding(
        "wrong",
        f"{file} can't be made, as {there} can't be written: give that to the server's user, or name "
        "another file, as in QUIZPROP_DATABASE_URL=sqlite:////var/lib/quizprop/quizprop.sqlite",
    )


def _bank(folder: str | None) -> Iterator[Finding]:
    try:
        count = len(load_bank(Path(folder) if folder else None))
    except BankError as error:
        yield Finding("wrong", f"The problem bank: {error}")
        return
    yield Finding("well", f"The problem bank has {count} exercises.")


def _clock() -> Iterator[Finding]:
    """A clock that stands in another year than the program's files decides due dates wrongly."""
    written = Path(__file__).stat().st_mtime
    now = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    if not written - 86400 < time.time() < written + _SIX_YEARS:
        yield Finding("risk", f"The clock says {now} UTC: due dates follow it, is it right?")
    else:
        yield Finding("well", f"The clock says {now} UTC.")


def _looked_at(database: Database) -> Iterator[Finding]:
    looks: tuple[Callable[[Database], Iterator[Finding]], ...] = (_reached, _tables)
    looks += (_sqlite, _room) if database.is_sqlite else (_postgresql,)
    for look in looks:
        try:
            yield from look(database)
        except SQLAlchemyError as error:
            said = f"{database.url}: {getattr(error, 'orig', None) or error}"
            if database.is_sqlite and not isinstance(error, OperationalError):
                said += ". Go back to a backup: quizprop db restore FILE"
            yield Finding("wrong", said)
            return


def _reached(database: Database) -> Iterator[Finding]:
    with database.read() as session:
        began = time.perf_counter()
        session.execute(text("SELECT 1")).scalar_one()
    took = (time.perf_counter() - began) * 1000
    yield Finding("well", f"{database.url} answers in {took:.1f} ms.")


def _tables(database: Database) -> Iterator[Finding]:
    trouble, differences = schema.behind(database), schema.check(database)
    if schema.current(database) is None:
        yield Finding("risk", f"{database.url} has no tables yet: quizprop serve makes them, or quizprop db upgrade.")
    elif trouble is not None:
        yield Finding("wrong", trouble)
    elif differences:
        way = "No release has changed them so: undo it, or go back to a backup."
        yield Finding("wrong", " ".join([*differences, way]))
    else:
        yield Finding("well", f"The tables are at revision {schema.current(database)}, as this release wants them.")


def _sqlite(database: Database) -> Iterator[Finding]:
    here = sqlite3.sqlite_version_info
    weight: Weight = "well" if here >= _OLDEST_SQLITE else "wrong"
    yield Finding(
        weight, f"SQLite is {sqlite3.sqlite_version}; {'.'.join(map(str, _OLDEST_SQLITE))} or newer is needed."
    )
    with database.read() as session:
        journal = session.execute(text("PRAGMA journal_mode")).scalar_one()
        synchronous = session.execute(text("PRAGMA synchronous")).scalar_one()
        verdict = session.execute(text("PRAGMA quick_check(1)")).scalar_one()
    full = 2
    if verdict != "ok":
        place = verdict.splitlines()[-1]  # the line before only says which database
        yield Finding("wrong", f"The database is damaged ({place}): go back to a backup, quizprop db restore FILE")
    weight = "well" if journal != "off" and synchronous >= full else "wrong"
    said = f"The journal is {journal}, synchronous {synchronous}; {full} or more keeps every checked sheet."
    yield Finding(weight, said)
    path = Path(str(database.engine.url.database))
    if os.name == "posix":
        open_to = stat.S_IMODE(path.stat().st_mode) & 0o077
        weight = "risk" if open_to else "well"
        yield Finding(weight, f"{path} is readable by {'others too: chmod 600 it' if open_to else 'its owner alone'}.")
        if not os.access(path, os.W_OK):
            yield Finding("wrong", f"{path} can't be written: give it to the server's user.")
        if not os.access(path.parent, os.W_OK):
            yield Finding(
                "wrong", f"{path.parent} can't be written, and the journal lies there: give it to the server's user."
            )


def _room(database: Database) -> Iterator[Finding]:
    folder = Path(str(database.engine.url.database)).parent
    free = shutil.disk_usage(folder).free
    weight: Weight = "well" if free >= _LEAST_ROOM else "wrong"
    yield Finding(weight, f"{folder} has {free / 1024**3:.1f} GiB free; half a GiB is the least to go on with.")


def _postgresql(database: Database) -> Iterator[Finding]:
    with database.read() as session:
        version = session.execute(text("SHOW server_version")).scalar_one()
        commit = session.execute(text("SHOW synchronous_commit")).scalar_one()
        sync = session.execute(text("SHOW fsync")).scalar_one()
        there = float(session.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    yield Finding("well", f"PostgreSQL is {version}.")
    weight: Weight = "well" if commit != "off" and sync == "on" else "wrong"
    yield Finding(weight, f"synchronous_commit is {commit}, fsync {sync}: on and on keep every checked sheet.")
    apart = abs(there - time.time())
    weight = "well" if apart < _FARTHEST else "risk"
    yield Finding(weight, f"The clocks of both machines are {apart:.1f} seconds apart; let a time server set them.")
