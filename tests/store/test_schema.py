"""The tables come, go and change without losing anyone's work."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from quizprop import resources
from quizprop.store import schema
from quizprop.store.database import open_database
from quizprop.store.models import Submission, Variant
from tests.store.conftest import at_once, serve, submit, visit

NEWEST = schema.newest()

RECREATE_LEARNER = '''
"""Give learners a nickname."""
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "NEWEST"


def upgrade():
    with op.batch_alter_table("learner", recreate="auto") as batch:
        batch.add_column(sa.Column("nickname", sa.Text(), nullable=False, server_default="-"))
        batch.alter_column("created_at", type_=sa.BigInteger(), nullable=True, existing_type=sa.BigInteger())


def downgrade():
    with op.batch_alter_table("learner") as batch:
        batch.alter_column("created_at", type_=sa.BigInteger(), nullable=False, existing_type=sa.BigInteger())
        batch.drop_column("nickname")
'''

FAIL_HALFWAY = """
from alembic import op

revision, down_revision = "9999", "NEWEST"


def upgrade():
    op.execute("CREATE TABLE half (id INTEGER)")
    op.execute("UPDATE learner SET created_at = 0")
    raise ZeroDivisionError


def downgrade():
    pass
"""

LOSE_LEARNERS = """
from alembic import op

revision, down_revision = "9999", "NEWEST"


def upgrade():
    op.execute("DELETE FROM learner")


def downgrade():
    pass
"""


@pytest.fixture
def migrations(tmp_path, monkeypatch):
    """A copy of the folder of migrations that a test may add to."""
    folder = tmp_path / "100% migrations"
    shutil.copytree(resources.folder("migrations"), folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(schema.resources, "folder", lambda _: folder)
    return folder


def practised(database):
    """A database in which somebody submitted once; the variant."""
    _, visitor = visit(database)
    with database.write() as session:
        variant = serve(session, visitor.learner_id)
        submit(session, variant)
    return variant


def counts(database):
    with database.read() as session:
        return [
            session.execute(select(func.count()).select_from(model)).scalar_one() for model in (Variant, Submission)
        ]


def test_after_an_upgrade_the_tables_are_those_of_the_models(empty):
    assert schema.current(empty) is None
    schema.upgrade(empty)
    assert schema.check(empty) == []
    assert schema.current(empty) == schema.newest()


def test_a_second_upgrade_is_quiet_and_only_reads(database, monkeypatch, caplog, capfd):
    practised(database)
    monkeypatch.setattr(schema, "_migrate", None)
    schema.upgrade(database)
    assert counts(database) == [1, 1]
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_downgrade_takes_all_away_and_an_upgrade_brings_it_back_clean(database):
    schema.downgrade(database, "base")
    assert schema.current(database) is None
    schema.upgrade(database)
    assert schema.check(database) == []


def test_changing_a_table_that_others_point_to_keeps_their_rows(database, migrations):
    practised(database)
    (migrations / "versions" / "9999_nickname.py").write_text(RECREATE_LEARNER.replace("NEWEST", NEWEST))
    schema.upgrade(database)
    assert (schema.current(database), counts(database)) == ("9999", [1, 1])
    schema.downgrade(database, NEWEST)
    assert (schema.current(database), counts(database)) == (NEWEST, [1, 1])
    (migrations / "versions" / "9999_nickname.py").unlink()
    assert schema.check(database) == []
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(text("DELETE FROM learner"))


def test_a_migration_that_fails_halfway_leaves_nothing_behind(database, migrations):
    variant = practised(database)
    (migrations / "versions" / "9999_fail.py").write_text(FAIL_HALFWAY.replace("NEWEST", NEWEST))
    with pytest.raises(ZeroDivisionError):
        schema.upgrade(database)
    assert schema.current(database) == NEWEST
    (migrations / "versions" / "9999_fail.py").unlink()
    assert schema.check(database) == []
    with database.read() as session:
        assert session.execute(text("SELECT created_at FROM learner")).scalar_one() == variant.created_at


def test_a_migration_that_loses_rows_that_others_point_to_is_taken_back(database, migrations):
    practised(database)
    (migrations / "versions" / "9999_lose.py").write_text(LOSE_LEARNERS.replace("NEWEST", NEWEST))
    with pytest.raises((schema.SchemaError, IntegrityError)):
        schema.upgrade(database)
    assert (schema.current(database), counts(database)) == (NEWEST, [1, 1])


def test_a_database_of_a_newer_release_is_left_alone_with_a_way_out(database):
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(schema.SchemaError, match=r"9999.*newer release"):
        schema.upgrade(database)
    (sentence,) = schema.check(database)
    assert "9999" in sentence
    for words in (sentence, schema.behind(database)):
        assert "newer release" in words
        assert "upgrade it" not in words
        assert "db upgrade" not in words


def test_check_says_in_sentences_what_differs(empty):
    assert "Table learner is missing." in schema.check(empty)
    schema.upgrade(empty)
    with empty.write() as session:
        session.execute(text("ALTER TABLE learner ADD COLUMN shoe_size BIGINT"))
        session.execute(text("DROP INDEX ix_login_session_learner_id"))
        session.execute(text("ALTER TABLE account DROP COLUMN password_hash"))
        session.execute(text("CREATE TABLE stray (id BIGINT)"))
    assert sorted(schema.check(empty)) == [
        "Column account.password_hash is missing.",
        "Column learner.shoe_size is not in the models.",
        "Index ix_login_session_learner_id of login_session is missing.",
        "Table stray is not in the models.",
    ]


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_check_says_in_sentences_how_columns_and_constraints_differ(database):
    with database.write() as session:
        session.execute(text("ALTER TABLE variant ALTER COLUMN exercise DROP NOT NULL"))
        session.execute(text("ALTER TABLE variant ALTER COLUMN seed TYPE VARCHAR(9)"))
        session.execute(text("ALTER TABLE submission DROP CONSTRAINT uq_submission_variant_id_key"))
        session.execute(text("ALTER TABLE submission DROP CONSTRAINT fk_submission_variant_id_variant"))
    assert sorted(schema.check(database)) == [
        "Column variant.exercise: its nullable is True, the models say False.",
        "Column variant.seed: its type is VARCHAR(9), the models say VARCHAR(32).",
        "Constraint fk_submission_variant_id_variant of submission is missing.",
        "Constraint uq_submission_variant_id_key of submission is missing.",
    ]


def test_check_says_which_revision_is_wanted(database, migrations):
    (migrations / "versions" / "9999_nickname.py").write_text(RECREATE_LEARNER.replace("NEWEST", NEWEST))
    assert schema.check(database) == [f"The database is at revision {NEWEST}, this release wants 9999: upgrade it."]


def test_threads_that_upgrade_at_once_all_find_the_tables(empty):
    def upgrade(number):
        schema.upgrade(empty)
        return schema.check(empty)

    assert at_once(4, upgrade) == [[]] * 4


def test_processes_that_upgrade_at_once_all_find_the_tables(empty, url):
    program = (
        "import sys; from quizprop.store import database, schema; opened = database.open_database(sys.argv[1]);"
        "print('ready', flush=True); sys.stdin.readline(); schema.upgrade(opened); print(schema.check(opened))"
    )
    command = [sys.executable, "-c", program, url]
    pipe = subprocess.PIPE
    started = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(3)]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:  # all are past their imports: now they race
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate() for process in started] == [("[]\n", "")] * 3
    assert schema.check(empty) == []


def test_a_draft_has_the_next_number_and_brings_the_database_to_the_models(database, migrations):
    with database.write() as session:
        session.execute(text("DROP INDEX ix_login_session_learner_id"))
    path = schema.draft(database, "Bring the index back")
    assert path == migrations / "versions" / f"{int(NEWEST) + 1:04d}_bring_the_index_back.py"
    schema.upgrade(database)
    assert schema.check(database) == []
    schema.downgrade(database, NEWEST)


def test_a_backup_made_during_writes_opens_and_has_every_row_committed_before(sqlite, tmp_path):
    variant = practised(sqlite)
    committed, stop = [1], threading.Event()

    def write():
        while not stop.is_set():
            with sqlite.write() as session:
                saved, _ = submit(session, variant, key=f"k{committed[-1]}")
            committed.append(saved.attempt)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while committed[-1] < 5:
            time.sleep(0.001)
        before = committed[-1]
        schema.backup(sqlite, tmp_path / "copy.db")
        after_start = committed[-1] + 1
    finally:
        stop.set()
        thread.join()
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        attempts = [row[0] for row in copy.execute("SELECT attempt FROM submission ORDER BY attempt")]
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert attempts == list(range(1, len(attempts) + 1))
    assert before <= len(attempts) <= after_start
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]


def test_a_backup_never_overwrites_a_file(sqlite, tmp_path):
    for name in ("copy.db", "other.db.part"):
        (tmp_path / name).write_text("precious")
    for name in ("copy.db", "other.db"):
        with pytest.raises(FileExistsError, match="new file"):
            schema.backup(sqlite, tmp_path / name)
    assert (tmp_path / "copy.db").read_text() == (tmp_path / "other.db.part").read_text() == "precious"


def test_a_file_that_appears_during_the_backup_is_not_overwritten(sqlite, tmp_path, monkeypatch):
    copy = schema._copy

    def slow_copy(source, target):
        copy(source, target)
        (tmp_path / "copy.db").write_text("precious")

    monkeypatch.setattr(schema, "_copy", slow_copy)
    with pytest.raises(FileExistsError, match="new file"):
        schema.backup(sqlite, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "precious"
    assert not (tmp_path / "copy.db.part").exists()


def test_a_backup_goes_to_file_systems_without_links_too(sqlite, tmp_path, monkeypatch):
    def no_links(source, target):
        raise PermissionError

    monkeypatch.setattr(schema.os, "link", no_links)
    schema.backup(sqlite, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == (NEWEST,)
    assert not (tmp_path / "copy.db.part").exists()


def test_a_damaged_database_gives_no_backup_that_looks_whole(sqlite, tmp_path):
    practised(sqlite)
    sqlite.close()
    with closing(sqlite3.connect(tmp_path / "quizprop.db")) as live:
        (page,) = live.execute("SELECT rootpage FROM sqlite_master WHERE name = 'submission'").fetchone()
        (size,) = live.execute("PRAGMA page_size").fetchone()
    with (tmp_path / "quizprop.db").open("r+b") as file:
        file.seek((page - 1) * size + 3)
        file.write(b"\xff" * 40)
    with pytest.raises(schema.BackupError, match="damaged"):
        schema.backup(sqlite, tmp_path / "copy.db")
    assert list(tmp_path.glob("copy*")) == []


@pytest.mark.parametrize("way", ["backup", "restore"])
def test_a_copy_for_which_there_is_no_room_is_refused_in_words_and_leaves_nothing(sqlite, tmp_path, monkeypatch, way):
    practised(sqlite)
    sqlite.close()
    path = Path(str(sqlite.engine.url.database))
    schema.backup(sqlite, tmp_path / "good.db")
    before = sorted(one.name for one in tmp_path.iterdir()), path.read_bytes()
    connect = sqlite3.connect

    def small(name, **options):
        connection = connect(name, **options)
        if Path(name).suffix in (".part", ".restored"):
            connection.execute("PRAGMA max_page_count = 3")
        return connection

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(schema.BackupError, match=rf"could be made in {tmp_path}: database or disk is full"):
        schema.backup(sqlite, tmp_path / "copy.db") if way == "backup" else schema.restore(tmp_path / "good.db", path)
    assert (sorted(one.name for one in tmp_path.iterdir()), path.read_bytes()) == before


def test_a_database_without_tables_is_not_worth_a_backup(empty, tmp_path):
    with pytest.raises(schema.BackupError, match=r"no quizprop tables|pg_dump"):
        schema.backup(empty, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_backup_of_postgresql_is_left_to_its_own_tool(empty, tmp_path):
    with pytest.raises(schema.BackupError, match="pg_dump"):
        schema.backup(empty, tmp_path / "copy.db")


def test_a_folder_that_ships_with_the_package_is_found_or_named():
    assert (resources.folder("migrations") / "env.py").is_file()
    with pytest.raises(FileNotFoundError, match="'nowhere'"):
        resources.folder("nowhere")


def test_in_an_installed_package_the_folder_inside_wins(tmp_path, monkeypatch):
    package = tmp_path / "quizprop"
    (tmp_path / "migrations").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resources.folder("migrations") == tmp_path / "migrations"
    (package / "_data" / "migrations").mkdir(parents=True)
    assert resources.folder("migrations") == package / "_data" / "migrations"


# ------------------------------------------------------------------------------------------------------------- restore


def test_a_restored_site_is_as_it_was_and_the_later_one_is_kept(sqlite, tmp_path):
    path = Path(str(sqlite.engine.url.database))
    _, visitor = visit(sqlite)
    with sqlite.write() as session:
        submit(session, serve(session, visitor.learner_id))
    schema.backup(sqlite, tmp_path / "copy.db")
    with sqlite.write() as session:
        submit(session, serve(session, visitor.learner_id), "later")
    sqlite.close()
    assert schema.restore(tmp_path / "copy.db", path) == NEWEST
    for name, count in ((path, 1), (path.with_name(path.name + ".before-restore"), 2)):
        again = open_database(f"sqlite:///{name}")
        with again.read() as session:
            assert session.execute(select(func.count()).select_from(Submission)).scalar_one() == count
        assert schema.check(again) == []
        again.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError, match="before-restore"):
        schema.restore(tmp_path / "copy.db", path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("lost", [False, True])
def test_what_root_restores_belongs_to_whom_the_site_belonged(sqlite, tmp_path, lost):
    (tmp_path / "site").mkdir()
    path = tmp_path / "site" / "quizprop.db"
    schema.backup(sqlite, tmp_path / "copy.db")
    if not lost:
        path.write_bytes((tmp_path / "copy.db").read_bytes())
    for one in (path.parent, *path.parent.iterdir()):
        os.chown(one, 12345, 12346)
    schema.restore(tmp_path / "copy.db", path)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12346)


@pytest.mark.parametrize("content", [b"", b"nothing", b"SQLite format 3\x00" + b"x" * 2000])
def test_what_is_no_backup_is_not_restored(sqlite, tmp_path, content):
    path = Path(str(sqlite.engine.url.database))
    before = path.read_bytes()
    (tmp_path / "bad.db").write_bytes(content)
    with pytest.raises(schema.BackupError, match="bad"):
        schema.restore(tmp_path / "bad.db", path)
    assert path.read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir() if "restore" in one.name) == []
    with pytest.raises(FileNotFoundError, match="no backup"):
        schema.restore(tmp_path / "none.db", path)
