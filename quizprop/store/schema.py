"""The state of the tables: bring them up to date, compare them with the models, copy them to a safe place."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from quizprop import resources
from quizprop.store.database import Database, begin
from quizprop.store.models import Base

__all__ = [
    "BackupError",
    "SchemaError",
    "backup",
    "behind",
    "check",
    "current",
    "downgrade",
    "draft",
    "newest",
    "restore",
    "upgrade",
]

# Alembic keeps the migration that runs in module globals: one at a time in this process.
_ONE_MIGRATION = threading.Lock()
# Any number will do, so long as every release of quizprop takes the same: a PostgreSQL server keeps the lock by number.
_ADVISORY_LOCK = 0x71756970726F70
_WAIT_MILLISECONDS = 120_000
_NEWER = "A newer release of quizprop has upgraded it: install that one, or go back to a backup."


class SchemaError(RuntimeError):
    """The tables don't fit this release; the message says what to do."""


class BackupError(RuntimeError):
    """No copy was made, or none put back; the message says why."""


def newest() -> str:
    """The revision that this release wants."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def current(database: Database) -> str | None:
    """The revision of the database; None where quizprop has not created its tables yet."""
    with database.read() as session:
        return MigrationContext.configure(session).get_current_revision()


def behind(database: Database) -> str | None:
    """Why the tables are not those of this release, and what to do; None where they are."""
    here = current(database)
    if here == newest():
        return None
    if here is None:
        return (
            f"{database.url} has no quizprop tables. Is it the right database? QUIZPROP_DATABASE_URL or --database "
            "names it; for a new one, run first: quizprop db upgrade"
        )
    if not _known(here):
        return f"{database.url} is at revision {here}. {_NEWER}"
    return f"{database.url} is not up to date. Run first: quizprop db upgrade"


def upgrade(database: Database) -> None:
    """Bring the tables to this release's revision, in one transaction: all of it or nothing.

    Processes that start together wait for the first of them. An up-to-date database is only read.

    Raises:
        SchemaError: a newer release has been here.
    """
    if current(database) != newest():
        _migrate(database, lambda config: command.upgrade(config, "head"))


def downgrade(database: Database, revision: str) -> None:
    """Take back the migrations after ``revision``, with all they added: ``"base"`` drops every table.

    Raises:
        SchemaError: there is no such revision.
    """
    _migrate(database, lambda config: command.downgrade(config, revision))


def draft(database: Database, message: str) -> Path:
    """Write a new migration from the difference between the models and an up-to-date database; read it before use.

    Returns:
        The new file in the folder of the migrations.
    """
    written: list[Path] = []

    def write(config: Config) -> None:
        number = f"{int(newest()) + 1:04d}"
        script = command.revision(config, message, autogenerate=True, rev_id=number)
        if script is None or isinstance(script, list):
            raise SchemaError(f"Alembic wrote no single migration {number}.")
        written.append(Path(script.path))

    _migrate(database, write)
    return written[0]


def check(database: Database) -> list[str]:
    """What differs between the database and this release, a sentence each; empty where all is well."""
    sentences: list[str] = []
    with database.read() as session:
        context = MigrationContext.configure(session)
        here, wanted = context.get_current_revision(), newest()
        if here != wanted:
            way = "upgrade it." if here is None or _known(here) else f"it has never heard of that one. {_NEWER}"
            sentences.append(f"The database is at revision {here or 'none'}, this release wants {wanted}: {way}")
        for entry in compare_metadata(context, Base.metadata):
            # A changed column comes as a list of its changes, anything else as one change.
            changes = entry if isinstance(entry, list) else [entry]
            sentences.extend(_sentence(change) for change in changes)
    return sentences


def backup(database: Database, path: Path) -> None:
    """Copy an SQLite database to the new file ``path``: one moment of it, while others go on reading and writing.

    The file appears under its name only when it is complete and checked.

    Raises:
        BackupError: not SQLite, or nothing to copy, or the copy is damaged.
        FileExistsError: there is such a file; it is left as it is.
        FileNotFoundError: the folder for the file does not exist.
    """
    if not database.is_sqlite:
        raise BackupError(
            "PostgreSQL makes its own backups: pg_dump --format=custom --file=quizprop.dump NAME_OF_THE_DATABASE"
        )
    if current(database) is None:
        raise BackupError(f"Nothing to back up: {database.url} has no quizprop tables. Is it the right database?")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent} for the backup; make it first.")
    part = path.with_name(path.name + ".part")
    for place in (path, part):
        if place.exists():
            raise FileExistsError(f"{place} exists already; a backup goes to a new file.")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        _copy(Path(str(database.engine.url.database)), part)
        _publish(part, path)
    finally:
        part.unlink(missing_ok=True)


def restore(backup_file: Path, target: Path) -> str:
    """Put a copy that `backup` made in the place of an SQLite database that no server uses; the old one is kept.

    Returns:
        The revision of the tables in it.

    Raises:
        BackupError: the copy is damaged, or no copy of a quizprop database.
        FileExistsError: the name for the old database is taken.
        FileNotFoundError: there is no such copy, or no folder for the database.
    """
    if not backup_file.is_file():
        raise FileNotFoundError(f"There is no backup {backup_file}.")
    part = target.with_name(target.name + ".restored")
    kept = target.with_name(target.name + ".before-restore")
    for place in (part, kept):
        if place.exists():
            raise FileExistsError(f"{place} exists already, of an earlier restore perhaps: move it away first.")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        with closing(sqlite3.connect(f"file:{backup_file}?mode=ro", uri=True)) as source:
            try:
                (verdict,) = source.execute("PRAGMA integrity_check(1)").fetchone()
                (revision,) = source.execute("SELECT version_num FROM alembic_version").fetchone()
            except (sqlite3.DatabaseError, TypeError) as error:
                raise BackupError(f"{backup_file} is no backup of a quizprop database: {error}") from error
        if verdict != "ok":
            raise BackupError(f"{backup_file} is damaged: {verdict}. Take an older one.")
        _copy(backup_file, part)
        _give(part, target if target.exists() else target.parent)
        # A journal may hold what the old database does not have yet; it belongs to that one, and not to the new one.
        for ending in ("", "-wal", "-shm", "-journal"):
            old = target.with_name(target.name + ending)
            if old.exists():
                old.rename(kept.with_name(kept.name + ending))
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return str(revision)


def _give(file: Path, like: Path) -> None:
    """Make a file that root has written belong to whom the other one does: the server could not open it."""
    if os.name == "posix" and os.geteuid() == 0:
        owner = like.stat()
        os.chown(file, owner.st_uid, owner.st_gid)


def _copy(source: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
            live.execute(f"PRAGMA busy_timeout = {_WAIT_MILLISECONDS}")
            # All pages in one step: in several steps, each write of others would start the copy anew.
            live.backup(copy, pages=-1)
            # A copy is one file, whatever journal the live one uses.
            copy.execute("PRAGMA journal_mode = DELETE")
            (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:  # a full disk, a lock that somebody holds, a damaged database
        raise BackupError(f"No copy of {source} could be made in {target.parent}: {error}") from error
    if verdict != "ok":
        raise BackupError(f"The copy of {source} is damaged, so {source} probably is too: {verdict}")


def _publish(part: Path, path: Path) -> None:
    try:
        os.link(part, path)  # unlike a rename, it fails where somebody else made such a file meanwhile
    except FileExistsError:
        raise FileExistsError(f"{path} exists already; a backup goes to a new file.") from None
    except OSError:  # a file system without links: the test at the beginning must do
        part.rename(path)


def _known(revision: str) -> bool:
    return revision in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    config = Config()
    # Config reads % as the start of a variable.
    config.set_main_option("script_location", str(resources.folder("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def _migrate(database: Database, work: Callable[[Config], None]) -> None:
    config = _config()
    with _ONE_MIGRATION, database.engine.connect() as connection:
        config.attributes["connection"] = connection
        with _alone_sqlite(connection) if database.is_sqlite else _alone_postgresql(connection):
            try:
                work(config)
            except CommandError as error:
                raise SchemaError(
                    f"{error}. A newer release of quizprop may have upgraded {database.url}: install that one, or go "
                    "back to a backup."
                ) from error


@contextmanager
def _alone_sqlite(connection: Connection) -> Iterator[None]:
    connection.detach()  # the settings below end with this connection, and never reach the pool
    driver: Any = connection.connection.dbapi_connection
    driver.execute(f"PRAGMA busy_timeout = {_WAIT_MILLISECONDS}")
    # To change a table SQLite copies and drops it. With foreign keys on, the drop would delete or refuse the rows that
    # point to it; and the pragma does nothing inside a transaction.
    driver.execute("PRAGMA foreign_keys = OFF")
    with connection.begin():
        begin(connection, "BEGIN IMMEDIATE")
        yield
        broken = connection.execute(text("PRAGMA foreign_key_check")).fetchall()
        if broken:
            names = ", ".join(sorted({row[0] for row in broken}))
            raise SchemaError(f"The migration was taken back: rows of {names} would point to rows that don't exist.")


@contextmanager
def _alone_postgresql(connection: Connection) -> Iterator[None]:
    # A stricter level would go on seeing the tables as they were before the wait for the lock.
    connection.execution_options(isolation_level="READ COMMITTED")
    with connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ADVISORY_LOCK})
        yield


def _sentence(change: tuple[Any, ...]) -> str:
    kind, *parts = change
    missing, extra = "is missing", "is not in the models"
    match kind:
        case "add_table" | "remove_table":
            return f"Table {parts[0].name} {missing if kind == 'add_table' else extra}."
        case "add_column" | "remove_column":
            return f"Column {parts[1]}.{parts[2].name} {missing if kind == 'add_column' else extra}."
        case "add_index" | "remove_index" | "add_constraint" | "remove_constraint" | "add_fk" | "remove_fk":
            what = "Index" if kind.endswith("index") else "Constraint"
            return f"{what} {parts[0].name} of {parts[0].table.name} {missing if kind.startswith('add') else extra}."
        case "modify_nullable" | "modify_type" | "modify_default" | "modify_comment":
            what = kind.removeprefix("modify_")
            return f"Column {parts[1]}.{parts[2]}: its {what} is {parts[-2]}, the models say {parts[-1]}."
        case _:
            return f"{kind}: {parts}"
