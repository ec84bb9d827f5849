"""Opening the database, and the two ways to talk to it: ``read`` and ``write``.

SQLite lets one connection write at a time. Writers queue on a lock of this process first, where waiting is
cheap, and then take SQLite's own lock with BEGIN IMMEDIATE, so that what a transaction has read stays true until
it writes. PostgreSQL writes under READ COMMITTED, and the functions of this package lock the rows they decide on.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

__all__ = [
    "Database",
    "DatabaseBusyError",
    "DatabaseUrlError",
    "Journal",
    "MissingDriverError",
    "Session",
    "begin",
    "journal_for",
    "open_database",
]

Session = Connection
"""What `Database.read` and `Database.write` give: a connection within its transaction.

No session of the ORM, which takes as long about a statement as the statement itself: the tables are read and written
by statements built once.
"""

_WAIT_SECONDS = 20
_POSTGRESQL = "postgresql+psycopg"
_PATIENCE = {"connect_timeout": 10, "tcp_user_timeout": 30_000}
"""How long a machine that does not answer at all is waited for, in seconds and milliseconds: visitors are then told to
try again. By itself psycopg waits longer than a proxy does, and what was typed would not be shown."""
_KNOWN = "Known: sqlite:////absolute/path/quizprop.db, postgresql://user:password@host/name"


class DatabaseUrlError(ValueError):
    """The database URL can't be used; the message says what to write."""


class DatabaseBusyError(TimeoutError):
    """Another write of this process did not end in time."""


class MissingDriverError(ImportError):
    """The library that speaks to this kind of database is not installed."""


@dataclass(frozen=True, slots=True)
class Journal:
    """How SQLite keeps a committed transaction through a power cut."""

    mode: str
    synchronous: str


_WAL = Journal(mode="wal", synchronous="FULL")
_DELETE = Journal(mode="delete", synchronous="EXTRA")


def journal_for(version: tuple[int, int, int]) -> Journal:
    """The fastest journal that is safe in this version of SQLite.

    SQLite's write-ahead log could corrupt a database up to 3.51.2; the fix is in 3.51.3 and was taken back to
    3.50.7 and 3.44.6.
    """
    fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)
    return _WAL if fixed else _DELETE


class Database:
    """An open database. Share one a process between threads; sessions belong to one thread.

    ``engine`` is written with, ``reader`` read. ``url`` is for people: it hides the password.
    """

    def __init__(self, engine: Engine, reader: Engine) -> None:
        self.engine = engine
        self.reader = reader
        self.url = engine.url.render_as_string(hide_password=True)
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._turn = threading.Lock()
        self._open = threading.local()

    def __repr__(self) -> str:
        return f"Database({self.url!r})"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment of the database and can't change it. A read inside a read is the same one."""
        outer: Session | None = getattr(self._open, "reading", None)
        if outer is not None:
            yield outer
            return
        with self._counted(), self.reader.connect() as session:
            self._open.reading = session
            try:
                if self.is_sqlite:
                    begin(session, "BEGIN")
                yield session
            finally:
                self._open.reading = None

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that commits at the end, or rolls back if the block raises.

        Do slow work, above all hashing a password, before or after: in SQLite everyone else's write waits.

        Raises:
            RuntimeError: this thread has a session open already; a write inside it would wait for itself.
            DatabaseBusyError: another write of this process took too long.
        """
        if getattr(self._open, "count", 0):
            raise RuntimeError("This thread has a session open: end it first, or hand it on.")
        with self._counted(), self._one_at_a_time(), self.engine.begin() as session:
            if self.is_sqlite:
                begin(session, "BEGIN IMMEDIATE")
            yield session

    def close(self) -> None:
        """Close the pooled connections. Call it before a fork: a child must not use its parent's."""
        self.reader.dispose()
        self.engine.dispose()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._open.count = getattr(self._open, "count", 0) + 1
        try:
            yield
        finally:
            self._open.count -= 1

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=_WAIT_SECONDS):
            raise DatabaseBusyError(f"Another write did not end within {_WAIT_SECONDS} seconds. Try again.")
        try:
            yield
        finally:
            self._turn.release()


def open_database(url: str) -> Database:
    """Open the database at ``url``; an SQLite file and its folder are created, readable by their owner only.

    Nothing is asked of a PostgreSQL server yet. The tables come from `quizprop.store.schema.upgrade`.

    Raises:
        DatabaseUrlError: the URL can't be used.
        MissingDriverError: PostgreSQL without psycopg.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # without the URL: it may hold a password
        raise DatabaseUrlError(f"The database URL can't be read. {_KNOWN}") from None
    if parsed.drivername == "sqlite":
        return _open_sqlite(parsed)
    if parsed.drivername in ("postgres", "postgresql", _POSTGRESQL):
        return _open_postgresql(parsed.set(drivername=_POSTGRESQL))
    raise DatabaseUrlError(f"No database of the kind {parsed.drivername!r}. {_KNOWN}")


def _open_postgresql(url: URL) -> Database:
    patience = {name: value for name, value in _PATIENCE.items() if name not in url.query}
    try:
        engine = create_engine(
            url, connect_args=patience, hide_parameters=True, pool_pre_ping=True, pool_size=10, max_overflow=20
        )
    except ImportError as error:
        raise MissingDriverError(
            f"PostgreSQL needs psycopg ({error}). Install it: pip install 'quizprop[postgres]'"
        ) from error
    # A read sees one moment, however many statements it runs; SQLite's snapshots do so by themselves.
    return Database(
        engine.execution_options(isolation_level="READ COMMITTED"),
        engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True),
    )


def _open_sqlite(url: URL) -> Database:
    _create_file(_sqlite_path(url))
    # Connections of their own: what turns one to reading makes it forget all statements that it has prepared.
    engine, reader = _engine_sqlite(url), _engine_sqlite(url)
    event.listen(reader, "connect", _only_read)
    return Database(engine, reader)


def _engine_sqlite(url: URL) -> Engine:
    # An error is noted without the values of the statement: they are what a student typed.
    engine = create_engine(url, hide_parameters=True, pool_size=10, max_overflow=20)
    event.listen(engine, "connect", _on_connect)
    return engine


def _sqlite_path(url: URL) -> Path:
    if url.host or url.query:
        raise DatabaseUrlError(f"An SQLite URL has a path alone, no host and no options. {_KNOWN}")
    if url.database in (None, "", ":memory:"):
        raise DatabaseUrlError(f"SQLite in memory forgets everything: name a file. {_KNOWN}")
    path = Path(str(url.database))
    if not path.is_absolute():
        raise DatabaseUrlError(
            f"The SQLite path {str(path)!r} is relative: it would depend on the folder the program starts in. {_KNOWN}"
        )
    if path.is_dir():
        raise DatabaseUrlError(f"The SQLite path {str(path)!r} is a folder: add the name of a file.")
    return path


def _create_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite would create it by the umask, readable by all; its journals take over the mode of the file.
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    # Python's sqlite3 would open transactions by itself, too late and deferred: leave BEGIN to begin().
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_SECONDS * 1000}")
    connection.execute("PRAGMA foreign_keys = ON")
    wanted = journal_for(sqlite3.sqlite_version_info[:3])
    (mode,) = connection.execute(f"PRAGMA journal_mode = {wanted.mode}").fetchone()
    # A file system may refuse WAL, and SQLite then stays with its old mode: take the pragma that suits what we got.
    synchronous = _WAL.synchronous if mode == _WAL.mode else _DELETE.synchronous
    connection.execute(f"PRAGMA synchronous = {synchronous}")


def _only_read(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")


def begin(connection: Connection, statement: str) -> None:
    """Begin a transaction of SQLite by this statement. An event of the engine would slow every statement down.

    Raises:
        OperationalError: another program writes.
    """
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.execute(statement)
    except sqlite3.OperationalError as error:  # told as SQLAlchemy tells what goes wrong in any other statement
        raise OperationalError(statement, None, error) from error
