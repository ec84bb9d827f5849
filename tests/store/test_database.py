"""Opening the database, and the laws of reading and writing."""

import socket
import sqlite3
import stat
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from quizprop.store import database as database_module
from quizprop.store import people, schema
from quizprop.store.database import (
    Database,
    DatabaseBusyError,
    DatabaseUrlError,
    Journal,
    MissingDriverError,
    journal_for,
    open_database,
)
from quizprop.store.models import Learner, Submission, Variant, table
from tests.store.conftest import NOW, serve, submit, visit


def learners(database: Database) -> int:
    with database.read() as session:
        return session.execute(select(func.count()).select_from(Learner)).scalar_one()


def pragma(database: Database, name: str):
    with database.read() as session:
        return session.execute(text(f"PRAGMA {name}")).scalar_one()


WAL, DELETE = Journal("wal", "FULL"), Journal("delete", "EXTRA")


@pytest.mark.parametrize(
    ("version", "journal"),
    [
        ((3, 35, 0), DELETE),
        ((3, 40, 1), DELETE),
        ((3, 44, 5), DELETE),
        ((3, 44, 6), WAL),
        ((3, 44, 9), WAL),
        ((3, 45, 0), DELETE),
        ((3, 46, 1), DELETE),
        ((3, 50, 6), DELETE),
        ((3, 50, 7), WAL),
        ((3, 51, 0), DELETE),
        ((3, 51, 2), DELETE),
        ((3, 51, 3), WAL),
        ((3, 52, 0), WAL),
        ((4, 0, 0), WAL),
    ],
)
def test_the_write_ahead_log_is_used_only_where_it_is_safe(version, journal):
    assert journal_for(version) == journal


@pytest.mark.parametrize(("journal", "synchronous"), [(WAL, 2), (DELETE, 3)])
def test_an_acknowledged_write_is_on_the_disk_in_either_journal(tmp_path, monkeypatch, journal, synchronous):
    monkeypatch.setattr(database_module, "journal_for", lambda _: journal)
    database = open_database(f"sqlite:///{tmp_path}/quizprop.db")
    schema.upgrade(database)
    visit(database)
    assert pragma(database, "journal_mode") == journal.mode
    assert pragma(database, "synchronous") == synchronous
    assert learners(database) == 1
    database.close()


def test_a_database_that_was_in_wal_goes_back_to_delete(tmp_path, monkeypatch):
    for journal in (WAL, DELETE):
        monkeypatch.setattr(database_module, "journal_for", lambda _, journal=journal: journal)
        database = open_database(f"sqlite:///{tmp_path}/quizprop.db")
        assert pragma(database, "journal_mode") == journal.mode
        database.close()


def test_every_connection_enforces_foreign_keys_and_waits_for_locks(sqlite):
    assert pragma(sqlite, "foreign_keys") == 1
    assert pragma(sqlite, "busy_timeout") >= 10_000


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_file_and_its_folder_are_their_owners_alone(tmp_path):
    path = tmp_path / "new" / "folder" / "quizprop.db"
    database = open_database(f"sqlite:///{path}")
    schema.upgrade(database)
    database.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "can't be read"),
        ("quizprop.db", "can't be read"),
        ("/srv/quizprop.db", "can't be read"),
        ("postgresql://ada:secret@host:port/name", "can't be read"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:///quizprop.db", "relative"),
        ("sqlite:///./quizprop.db", "relative"),
        ("sqlite://host/quizprop.db", "no host"),
        ("sqlite:////srv/quizprop.db?mode=ro", "no options"),
        ("sqlite:////", "folder"),
        ("mysql://ada:secret@host/name", "'mysql'"),
        ("postgresql+psycopg2://ada:secret@host/name", "'postgresql+psycopg2'"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_what_to_write(url, words):
    with pytest.raises(DatabaseUrlError) as refused:
        open_database(url)
    assert words in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_each_spelling_of_postgresql_is_taken_and_the_password_is_never_shown(scheme):
    database = open_database(f"{scheme}://ada:secret@localhost/quizprop")
    assert database.engine.url.drivername == "postgresql+psycopg"
    assert "secret" not in repr(database)
    assert database.url == "postgresql+psycopg://ada:***@localhost/quizprop"


def test_a_missing_driver_is_named_with_the_way_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingDriverError, match=r"pip install 'quizprop\[postgres\]'"):
        open_database("postgresql://localhost/quizprop")


def write_and_fail(database):
    with database.write() as session:
        people.start_session(session, now=NOW)
        raise ZeroDivisionError


def test_a_write_is_there_afterwards(database):
    visit(database)
    assert learners(database) == 1


def test_a_write_that_fails_leaves_nothing_and_lets_the_next_one_in(database):
    with pytest.raises(ZeroDivisionError):
        write_and_fail(database)
    assert learners(database) == 0
    visit(database)
    assert learners(database) == 1


def test_a_statement_that_the_database_refuses_lets_the_next_write_in(database):
    with pytest.raises(IntegrityError), database.write() as session:
        serve(session, learner_id=404)
    visit(database)
    assert learners(database) == 1


def test_a_failed_write_of_another_thread_lets_this_one_in(database):
    def fail():
        with pytest.raises(ZeroDivisionError):
            write_and_fail(database)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    visit(database)
    assert learners(database) == 1


def test_a_read_cannot_write(database):
    with database.read() as session, pytest.raises(DBAPIError, match=r"read-?only"):
        people.start_session(session, now=NOW)
    visit(database)
    assert learners(database) == 1


def test_a_read_sees_one_moment_while_others_write(database):
    visit(database)
    counting = select(func.count()).select_from(Learner)
    thread = threading.Thread(target=visit, args=(database,))
    with database.read() as session:
        before = session.execute(counting).scalar_one()
        thread.start()
        thread.join(0.1)  # PostgreSQL has written by then; SQLite's DELETE journal waits for the readers
        assert session.execute(counting).scalar_one() == before == 1
    thread.join()
    assert learners(database) == 2


def test_a_read_inside_a_read_is_the_same_one_and_the_outer_goes_on(database):
    with database.read() as outer:
        with database.read() as inner:
            assert inner is outer
        assert outer.execute(select(func.count()).select_from(Learner)).scalar_one() == 0
    visit(database)
    assert learners(database) == 1


def test_a_write_inside_a_session_is_refused_instead_of_waiting_for_itself(database):
    for outer in (database.read, database.write):
        with outer(), pytest.raises(RuntimeError, match="session open"), database.write():
            pass
    visit(database)
    assert learners(database) == 1


def test_a_write_that_waits_too_long_for_its_turn_says_so(sqlite, monkeypatch):
    monkeypatch.setattr(database_module, "_WAIT_SECONDS", 0.05)
    failures = []

    def wait():
        try:
            visit(sqlite)
        except DatabaseBusyError as error:
            failures.append(str(error))

    with sqlite.write():
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join()
    assert len(failures) == 1
    visit(sqlite)
    assert learners(sqlite) == 1


def test_what_a_write_has_read_stays_true_until_it_writes(sqlite):
    with sqlite.write() as session:
        session.execute(select(Learner)).all()
        other = sqlite3.connect(str(sqlite.engine.url.database), timeout=0.01)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO learner (created_at) VALUES (1)")
        other.close()


def test_rows_that_others_point_to_cannot_be_deleted(database):
    _, visitor = visit(database)
    with database.write() as session:
        submit(session, serve(session, visitor.learner_id))
    for model in (Learner, Variant):
        with pytest.raises(IntegrityError), database.write() as session:
            session.execute(table(model).delete())
    with database.read() as session:
        assert session.execute(select(func.count()).select_from(Submission)).scalar_one() == 1


def test_the_tables_refuse_points_beyond_the_maximum(database):
    _, visitor = visit(database)
    with database.write() as session:
        variant = serve(session, visitor.learner_id)
    row = {"variant_id": variant.id, "attempt": 1, "key": "k", "raw": "{}", "numbers": "{}", "marks": "{}"}
    row["decimal_comma"] = False
    with pytest.raises(IntegrityError, match="ck_submission_points_in_range"), database.write() as session:
        session.execute(insert(Submission).values(**row, points=3, out_of=2, engine_version="0", created_at=NOW))


def test_opening_does_not_touch_a_file_that_is_there(tmp_path: Path):
    path = tmp_path / "quizprop.db"
    path.touch(mode=0o640)
    path.chmod(0o640)
    open_database(f"sqlite:///{path}").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_machine_that_never_answers_is_given_up(monkeypatch):
    """Before a proxy gives the server up, which can then show what was typed; and a site may say otherwise."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"postgresql://nobody@127.0.0.1:{mute.getsockname()[1]}/nothing"
        seen = []

        def connect(*_args, **options):
            seen.append(options["connect_timeout"])
            return real(*_args, **{**options, "connect_timeout": 1})

        real = psycopg.connect
        monkeypatch.setattr(psycopg, "connect", connect)
        for each in (url, f"{url}?connect_timeout=7"):
            database = open_database(each)
            with pytest.raises(OperationalError, match="timeout"), database.read():
                pass
            database.close()
    assert seen[0] <= 30
    assert int(seen[1]) == 7
