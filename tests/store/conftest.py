"""Databases for the tests: an SQLite file each, and a database each in a PostgreSQL cluster of our own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest

from quizprop.store import people, practice, schema
from quizprop.store.database import Database, Session, open_database
from tests.conftest import missing

NOW = 1_700_000_000_000_000
SECOND = 1_000_000
KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))

_names = count(1)


def postgresql_program(name: str) -> Path:
    found = shutil.which(name)
    if found:
        return Path(found)
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return installed[-1] if installed else missing("PostgreSQL", "apt-get install postgresql")


def server_user() -> dict[str, Any]:
    """How `subprocess` is to run PostgreSQL's programs: they refuse to run as root."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return {}
    import pwd  # not on Windows

    known = {entry.pw_name: entry.pw_gid for entry in pwd.getpwall()}
    name = "postgres" if "postgres" in known else "nobody"
    return {"user": name, "group": known[name], "extra_groups": []}


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server of our own, that can be stopped and started again."""

    url: str
    start: Callable[[], None]
    stop: Callable[[], None]


@contextmanager
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server of our own; it runs."""
    initdb, pg_ctl = postgresql_program("initdb"), postgresql_program("pg_ctl")
    user = server_user()
    # Not pytest's own folder: its path is too long for a socket, and closed to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="qp-pg-"))
    if user:
        shutil.chown(folder, user["user"])

    def run(*words: object) -> None:
        with (folder / "output").open("a") as output:  # not a pipe: the server would hold it open
            done = subprocess.run(
                [str(word) for word in words],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                **user,
            )
        if done.returncode:
            pytest.fail(f"{words[0]} failed:\n{(folder / 'output').read_text()}", pytrace=False)

    data = folder / "data"
    try:
        run(initdb, "-D", data, "-U", "quizprop", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-c fsync=off -c listen_addresses='' -c unix_socket_directories='{folder}'"
        server = Server(
            f"postgresql://quizprop@/postgres?host={folder}",
            lambda: run(pg_ctl, "-D", data, "-w", "-t", "60", "-o", options, "start"),
            lambda: run(pg_ctl, "-D", data, "-w", "-m", "immediate", "stop"),
        )
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The URL of a database in a PostgreSQL server of our own."""
    with postgresql() as server:
        yield server.url


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/quizprop.db"
    cluster_url: str = request.getfixturevalue("cluster")
    name = f"test_{next(_names)}"
    # A schema of its own keeps a test apart as well as a database would, and takes 1 ms instead of 100.
    with psycopg.connect(cluster_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    return f"{cluster_url}&options=-csearch_path%3D{name}"


@pytest.fixture
def empty(url: str) -> Iterator[Database]:
    """An open database without tables."""
    database = open_database(url)
    yield database
    database.close()


@pytest.fixture
def database(url: str, tmp_path: Path, tables: Path) -> Iterator[Database]:
    """An open database with its tables."""
    if url.startswith("sqlite"):
        shutil.copy(tables, tmp_path / "quizprop.db")
    database = open_database(url)
    if not database.is_sqlite:
        schema.upgrade(database)
    yield database
    database.close()


@pytest.fixture
def sqlite(tmp_path: Path, tables: Path) -> Iterator[Database]:
    """An open SQLite database with its tables, for what SQLite alone has."""
    shutil.copy(tables, tmp_path / "quizprop.db")
    database = open_database(f"sqlite:///{tmp_path}/quizprop.db")
    yield database
    database.close()


def visit(database: Database, *, now: int = NOW) -> tuple[str, people.Visitor]:
    """A new anonymous learner: the token and who is behind it."""
    with database.write() as session:
        token = people.start_session(session, now=now)
        visitor = people.find_learner(session, token, now=now)
    assert visitor is not None
    return token, visitor


def serve(session: Session, learner_id: int, **changes: Any) -> practice.StoredVariant:
    """A variant of that learner."""
    values: dict[str, Any] = {
        "exercise": "mazur",
        "seed": 7,
        "spec": '{"slug":"mazur"}',
        "given": {"x": [0.05, 0.1], "eta": 0.5},
        "engine_version": "0.1.0",
        "now": NOW,
    }
    return practice.create_variant(session, learner_id=learner_id, **{**values, **changes})


def submit(session: Session, variant: practice.StoredVariant, key: str = "first", **changes: Any):
    """A submission to that variant."""
    values: dict[str, Any] = {
        "raw": {"z1[1]": "0.3775"},
        "decimal_comma": False,
        "numbers": {"z1[1]": 0.3775},
        "marks": {"z1[1]": "correct"},
        "points": 1,
        "out_of": 2,
        "engine_version": "0.1.0",
        "now": NOW + SECOND,
    }
    return practice.record_submission(session, variant, key=key, **{**values, **changes})


def at_once(threads: int, work: Callable[[int], Any]) -> list[Any]:
    """What ``work(0)``, ``work(1)`` ... return when they start at the same moment, a thread each."""
    start = Barrier(threads)

    def run(number: int) -> Any:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))
