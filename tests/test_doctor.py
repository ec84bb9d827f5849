"""What doctor finds: nothing wrong on a good site, and each fault that was put there, with what to do."""

import re
import sqlite3
import time
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from quizprop.cli import checkup
from quizprop.cli.checkup import Finding, doctor, findings
from quizprop.store import schema
from quizprop.store.database import MissingDriverError, open_database

GOOD = {
    "QUIZPROP_SECRET_KEY": "0123456789abcdefghijklmnopqrstuv",
    "QUIZPROP_HTTPS": "1",
    "QUIZPROP_PROXIES": "1",
    "QUIZPROP_HOSTS": "a.org",
}


@pytest.fixture
def site(tmp_path):
    """A site with its tables; its URL."""
    url = f"sqlite:///{tmp_path / 'site.db'}"
    database = open_database(url)
    schema.upgrade(database)
    database.close()
    (tmp_path / "site.db").chmod(0o600)
    return url


NOWHERE = "sqlite:////nowhere/new.db"
"""Enough to look at the settings."""


def told(environ, url, weight):
    return " ".join(one.words for one in findings(environ, url) if one.weight == weight)


def test_a_good_site_has_nothing_wrong_and_nothing_to_think_about(site, capsys, monkeypatch):
    assert told(GOOD, site, "wrong") == told(GOOD, site, "risk") == ""
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    assert doctor(site)
    assert "0 wrong, 0 to think about" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "weight", "words"),
    [
        ({"QUIZPROP_SECRET_KEY": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "risk", "short or regular"),
        ({"QUIZPROP_SECRET_KEY": "0123456789abcdef"}, "risk", "short or regular"),
        ({"QUIZPROP_HTTPS": ""}, "risk", "QUIZPROP_HTTPS is not set"),
        ({"QUIZPROP_HTTPS": "maybe"}, "wrong", "QUIZPROP_HTTPS"),
        ({"QUIZPROP_PROXIES": ""}, "risk", "QUIZPROP_PROXIES is 0"),
        ({"QUIZPROP_HOSTS": ""}, "risk", "QUIZPROP_HOSTS is not set"),
        ({"QUIZPROP_HOSTS": "https://a.org"}, "wrong", "QUIZPROP_HOSTS"),
        ({"QUIZPROP_PROBLEM_BANK": "/nowhere"}, "wrong", "/nowhere: can't be read"),
        ({"QUIZPROP_SECRET_KEY": "short"}, "wrong", "has 5 characters, with which no server starts"),
        ({"QUIZPROP_HOST": "a.org"}, "risk", "QUIZPROP_HOST is no setting: is QUIZPROP_HOSTS meant?"),
        ({"QUIZPROP_METRICS": "m" * 32, "PROMETHEUS_MULTIPROC_DIR": "/nowhere"}, "wrong", "/nowhere is no folder"),
    ],
)
def test_a_setting_that_is_wrong_or_risky_is_told(site, change, weight, words):
    assert words in told({**GOOD, **change}, site, weight)


@pytest.mark.parametrize("digits", [32, 64, 128])
def test_a_key_drawn_by_lot_is_good_also_as_a_hexadecimal_number(digits):
    for number in range(8):
        key = f"{Random(number).getrandbits(4 * digits):0{digits}x}"
        assert "long enough" in told({**GOOD, "QUIZPROP_SECRET_KEY": key}, NOWHERE, "well"), key


@pytest.mark.parametrize("key", ["ab" * 32, "0123" * 16, "secret" * 11, "password" * 8])
def test_a_key_that_repeats_itself_is_told_however_long_it_is(key):
    assert "short or regular" in told({**GOOD, "QUIZPROP_SECRET_KEY": key}, NOWHERE, "risk")


def test_the_exercises_of_the_bank_are_counted(tmp_path):
    shipped = Path(__file__).parents[1] / "problem_bank"
    for slug in ("mazur", "deltas"):
        (tmp_path / f"{slug}.toml").write_bytes((shipped / f"{slug}.toml").read_bytes())
    environ = {**GOOD, "QUIZPROP_PROBLEM_BANK": str(tmp_path)}
    assert "The problem bank has 2 exercises." in told(environ, NOWHERE, "well")


def test_hosts_and_proxies_are_asked_for_only_where_visitors_come_by_https(site):
    plain = {**GOOD, "QUIZPROP_HTTPS": "", "QUIZPROP_HOSTS": "", "QUIZPROP_PROXIES": ""}
    risks = told(plain, site, "risk")
    assert "QUIZPROP_HTTPS" in risks
    assert "QUIZPROP_HOSTS" not in risks
    assert "QUIZPROP_PROXIES" not in risks


def test_the_database_that_is_named_is_looked_at_and_not_that_of_the_environment(site, tmp_path):
    assert "other.db" not in told({**GOOD, "QUIZPROP_DATABASE_URL": f"sqlite:///{tmp_path / 'other.db'}"}, site, "risk")


def test_without_another_it_is_the_database_of_the_environment_or_the_one_of_the_user(site, tmp_path):
    assert f"{site} answers in " in told({**GOOD, "QUIZPROP_DATABASE_URL": site}, None, "well")
    assert f"{tmp_path}/quizprop/quizprop.sqlite is new" in told({**GOOD, "XDG_DATA_HOME": str(tmp_path)}, None, "risk")


@pytest.mark.parametrize(
    "weights", [["well"], ["well", "risk"], ["wrong", "risk", "well"], ["risk", "wrong", "risk", "wrong", "wrong"]]
)
def test_every_finding_is_a_line_with_its_sign_and_only_what_is_wrong_fails(capsys, monkeypatch, weights):
    found = [Finding(weight, f"About {number}.") for number, weight in enumerate(weights)]
    monkeypatch.setattr(checkup, "findings", lambda _environ, _url: iter(found))
    assert doctor(None) is ("wrong" not in weights)
    *lines, count = capsys.readouterr().out.splitlines()
    signs = {"well": "ok", "risk": " !", "wrong": " x"}
    assert lines == [f"{signs[one.weight]}  {one.words}" for one in found]
    assert count == f"{len(found)} looked at, {weights.count('wrong')} wrong, {weights.count('risk')} to think about."


def test_what_is_wrong_and_what_is_risky_are_counted_apart(site, capsys, monkeypatch, tmp_path):
    for name, value in {**GOOD, "QUIZPROP_HTTPS": ""}.items():
        monkeypatch.setenv(name, value)
    with sqlite3.connect(tmp_path / "site.db") as connection:
        connection.execute("ALTER TABLE learner DROP COLUMN language")
    connection.close()
    assert not doctor(site)
    assert "1 wrong, 1 to think about" in capsys.readouterr().out


def test_all_settings_that_are_wrong_are_told_at_once(site):
    bad = {"HTTPS": "maybe", "PROXIES": "many", "HOSTS": "https://a.org", "LOG": "xml", "METRICS": "short"}
    found = list(findings({**GOOD, **{f"QUIZPROP_{name}": value for name, value in bad.items()}}, site))
    assert {one.words.partition(": ")[0] for one in found} == {f"QUIZPROP_{name}" for name in bad}
    assert {one.weight for one in found} == {"wrong"}, "and nothing is looked at by half of the settings"


def test_tables_that_do_not_fit_are_told(site, tmp_path):
    with sqlite3.connect(tmp_path / "site.db") as connection:
        connection.execute("ALTER TABLE learner DROP COLUMN language")
    connection.close()
    wrong = told(GOOD, site, "wrong")
    assert "No release has changed them so" in wrong
    assert "language" in wrong, "what does not fit"


@pytest.mark.parametrize(("revision", "words"), [("0001", "quizprop db upgrade"), ("9999", "install that one")])
def test_tables_of_another_release_are_told_with_the_way_out(site, tmp_path, revision, words):
    with sqlite3.connect(tmp_path / "site.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    connection.close()
    found = told(GOOD, site, "wrong")
    assert words in found
    assert ("db upgrade" in found) == (revision == "0001")


@pytest.mark.parametrize(
    ("content", "mode", "finding"),
    [
        (None, 0o600, ("well", "made at the first start")),
        (b"k" * 64, 0o600, ("well", "kept beside the database")),
        (b"k" * 64, 0o640, ("risk", "site.db.secret, the secret key, is readable by others too: chmod 600 it")),
        (b"", 0o600, ("wrong", "site.db.secret holds no secret key")),
        (b"\xff" * 64, 0o600, ("wrong", "site.db.secret, the secret key, can't be read (it is no text)")),
        ("folder", 0o700, ("wrong", "site.db.secret, the secret key, can't be read (Is a directory)")),
    ],
)
def test_the_key_beside_the_database_is_looked_at(site, tmp_path, content, mode, finding):
    file = tmp_path / "site.db.secret"
    if content == "folder":
        file.mkdir()
    elif content is not None:
        file.write_bytes(content)
        file.chmod(mode)
    environ = {name: value for name, value in GOOD.items() if name != "QUIZPROP_SECRET_KEY"}
    weight, words = finding
    assert words in told(environ, site, weight)


def test_what_the_server_could_not_write_is_told(site, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    assert "new.db can't be made" in told(GOOD, f"sqlite:///{tmp_path / 'file' / 'new.db'}", "wrong")
    monkeypatch.setattr("quizprop.cli.checkup.os.access", lambda path, _: path != tmp_path / "site.db")
    assert "site.db can't be written" in told(GOOD, site, "wrong")
    monkeypatch.setattr("quizprop.cli.checkup.os.access", lambda path, _: path != tmp_path)
    assert f"{tmp_path} can't be written" in told(GOOD, site, "wrong")
    assert "new.db can't be made" in told(GOOD, f"sqlite:///{tmp_path / 'new.db'}", "wrong")


def test_what_is_well_is_told_with_what_was_found(site):
    well = told(GOOD, site, "well")
    assert f"The tables are at revision {schema.newest()}, as" in well
    assert f"SQLite is {sqlite3.sqlite_version}; 3.37.0 or newer is needed." in well


@pytest.mark.parametrize(
    ("commit", "sync", "hours", "bad"),
    [
        ("on", "on", 0, {}),
        ("remote_apply", "on", 0, {}),
        ("off", "on", 0, {"synchronous_commit": "wrong"}),
        ("on", "off", 0, {"synchronous_commit": "wrong"}),
        ("on", "on", 1, {"clocks": "risk"}),
        ("on", "on", -1, {"clocks": "risk"}),
    ],
)
def test_a_postgresql_that_does_not_wait_for_the_disk_or_has_another_time_is_told(commit, sync, hours, bad):
    answers = {"server_version": "15.7", "synchronous_commit": commit, "fsync": sync}
    now = 1_700_000_000.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkup.time, "time", lambda: now)
        release, disk, clocks = checkup._postgresql(
            answering(lambda asked: answers.get(asked.split()[-1], now + hours * 3600))
        )
    assert release == Finding("well", "PostgreSQL is 15.7.")
    assert disk.words == f"synchronous_commit is {commit}, fsync {sync}: on and on keep every checked sheet."
    assert disk.weight == bad.get("synchronous_commit", "well")
    assert clocks.weight == bad.get("clocks", "well")
    assert f" {abs(hours) * 3600}.0 seconds apart" in clocks.words


def answering(answer):
    """A database that answers so to every statement."""
    session = SimpleNamespace(execute=lambda statement: SimpleNamespace(scalar_one=lambda: answer(str(statement))))
    return SimpleNamespace(url="sqlite:////x", read=lambda: nullcontext(session))


def test_how_long_an_answer_takes_is_told_in_milliseconds(monkeypatch):
    now = [7.0]
    monkeypatch.setattr(checkup.time, "perf_counter", lambda: now[0])
    (reached,) = checkup._reached(answering(lambda _asked: now.append(now.pop() + 0.0125)))
    assert reached == Finding("well", "sqlite:////x answers in 12.5 ms.")


def test_a_file_that_others_read_and_one_that_is_no_database_are_told(site, tmp_path):
    for mode in (0o644, 0o640, 0o602):
        (tmp_path / "site.db").chmod(mode)
        assert "chmod 600" in told(GOOD, site, "risk")
    (tmp_path / "site.db").write_bytes(b"no database at all" * 100)
    assert told(GOOD, site, "wrong") == (
        f"{site}: file is not a database. Go back to a backup: quizprop db restore FILE"
    ), "and nothing more is looked at"


def test_a_damaged_database_is_told_in_a_line_that_names_the_place(site, tmp_path):
    with closing(sqlite3.connect(tmp_path / "site.db")) as whole:
        (page,) = whole.execute("SELECT rootpage FROM sqlite_master WHERE name = 'submission'").fetchone()
        (size,) = whole.execute("PRAGMA page_size").fetchone()
    with (tmp_path / "site.db").open("r+b") as file:
        file.seek((page - 1) * size + 3)
        file.write(b"\xff" * 40)
    wrong = told(GOOD, site, "wrong")
    assert re.fullmatch(
        rf"The database is damaged \(.*page {page}\b.*\): go back to a backup, quizprop db restore FILE",
        wrong,
        re.IGNORECASE,
    )


@pytest.mark.parametrize(("mebibytes", "weight"), [(300, "wrong"), (600, "well"), (9216, "well")])
def test_a_full_disk_is_told(site, tmp_path, monkeypatch, mebibytes, weight):
    monkeypatch.setattr(checkup.shutil, "disk_usage", lambda _folder: SimpleNamespace(free=mebibytes << 20))
    assert f"{tmp_path} has {mebibytes / 1024:.1f} GiB free" in told(GOOD, site, weight)


@pytest.mark.parametrize(
    ("journal", "synchronous", "weight"),
    [("wal", 2, "well"), ("delete", 3, "well"), ("wal", 1, "wrong"), ("delete", 0, "wrong"), ("off", 2, "wrong")],
)
def test_an_sqlite_that_does_not_wait_for_the_disk_is_told(tmp_path, journal, synchronous, weight):
    answers = {"journal_mode": journal, "synchronous": synchronous}
    database = answering(lambda asked: answers.get(asked.split()[-1], "ok"))
    database.engine = SimpleNamespace(url=SimpleNamespace(database=tmp_path))
    said = f"The journal is {journal}, synchronous {synchronous}; 2 or more keeps every checked sheet."
    assert Finding(weight, said) in list(checkup._sqlite(database))


@pytest.mark.parametrize(
    ("days", "risk"), [(-365, True), (-2, True), (-0.5, False), (0, False), (5 * 365, False), (7 * 365, True)]
)
def test_a_clock_fits_the_age_of_the_program_or_is_told(monkeypatch, days, risk):
    installed = Path(checkup.__file__).stat().st_mtime
    monkeypatch.setattr(checkup.time, "time", lambda: installed + days * 86400)
    assert ("is it right?" in told(GOOD, NOWHERE, "risk")) is risk


@pytest.mark.parametrize("weight", ["well", "risk"])
def test_the_clock_is_told_in_utc_wherever_the_server_stands(site, monkeypatch, weight):
    if weight == "risk":
        monkeypatch.setattr(checkup, "_SIX_YEARS", -86400)
    monkeypatch.setenv("TZ", "UTC-9")  # as POSIX writes nine hours ahead of it
    time.tzset()
    try:
        before, found, after = datetime.now(UTC), told(GOOD, site, weight), datetime.now(UTC)
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    assert any(f"The clock says {now:%Y-%m-%d %H:%M} UTC" in found for now in (before, after))


def test_a_database_that_can_t_be_made_is_told(tmp_path, monkeypatch):
    """As that of a user of the system, who has no folder for data."""
    url = f"sqlite:///{tmp_path}/home/data/new.db"
    assert told(GOOD, url, "wrong") == ""
    monkeypatch.setattr("quizprop.cli.checkup.os.access", lambda folder, _: folder != tmp_path)
    assert f"new.db can't be made, as {tmp_path} can't be written" in told(GOOD, url, "wrong")


def test_a_database_that_is_not_there_or_can_t_be_reached_is_told(tmp_path):
    assert "new.db is new: quizprop serve makes it" in told(GOOD, f"sqlite:///{tmp_path / 'new.db'}", "risk")
    assert not list(tmp_path.iterdir()), "to look is not to make"
    (tmp_path / "empty.db").touch()
    assert "no tables yet" in told(GOOD, f"sqlite:///{tmp_path / 'empty.db'}", "risk")
    assert told(GOOD, "postgresql://nobody@127.0.0.1:1/nothing", "wrong")
    environ = {name: value for name, value in GOOD.items() if name != "QUIZPROP_SECRET_KEY"}
    assert "kept beside the database." in told(environ, f"sqlite:///{tmp_path / 'empty.db'}", "well")
    assert "SECRET_KEY is missing" in told(environ, "postgresql://nobody@127.0.0.1:1/nothing", "wrong")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense://x", "No database of the kind 'nonsense'"),
        ("nonsense", "can't be read"),
        ("postgresql://host:port/name", "can't be read"),
        ("sqlite:///relative.db", "is relative"),
        ("sqlite://", "in memory forgets everything"),
    ],
)
def test_a_url_that_can_t_be_used_is_told_and_not_that_its_file_is_new(url, words):
    assert words in told(GOOD, url, "wrong")
    assert "is new" not in told(GOOD, url, "risk")


def test_a_driver_that_is_not_installed_is_told(monkeypatch):
    def bare(_url):
        raise MissingDriverError("PostgreSQL needs psycopg")

    monkeypatch.setattr(checkup, "open_database", bare)
    assert told(GOOD, "postgresql://host/name", "wrong") == "PostgreSQL needs psycopg"
