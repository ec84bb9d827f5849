"""What doctor finds: nothing wrong on a good site, and each fault that was put there, with what to do."""

import sqlite3
import time
from datetime import UTC, datetime

import pytest

from quizprop.cli.checkup import doctor, findings
from quizprop.store import schema
from quizprop.store.database import open_database

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


def test_hosts_and_proxies_are_asked_for_only_where_visitors_come_by_https(site):
    plain = {**GOOD, "QUIZPROP_HTTPS": "", "QUIZPROP_HOSTS": "", "QUIZPROP_PROXIES": ""}
    risks = told(plain, site, "risk")
    assert "QUIZPROP_HTTPS" in risks
    assert "QUIZPROP_HOSTS" not in risks
    assert "QUIZPROP_PROXIES" not in risks


def test_the_database_that_is_named_is_looked_at_and_not_that_of_the_environment(site, tmp_path):
    assert "other.db" not in told({**GOOD, "QUIZPROP_DATABASE_URL": f"sqlite:///{tmp_path / 'other.db'}"}, site, "risk")


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
    wrong = told({**GOOD, **{f"QUIZPROP_{name}": value for name, value in bad.items()}}, site, "wrong")
    assert all(f"QUIZPROP_{name}: " in wrong for name in bad)


def test_tables_that_do_not_fit_are_told(site, tmp_path):
    with sqlite3.connect(tmp_path / "site.db") as connection:
        connection.execute("ALTER TABLE learner DROP COLUMN language")
    connection.close()
    assert "No release has changed them so" in told(GOOD, site, "wrong")


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


def test_a_file_that_others_read_and_one_that_is_no_database_are_told(site, tmp_path):
    for mode in (0o644, 0o640, 0o602):
        (tmp_path / "site.db").chmod(mode)
        assert "chmod 600" in told(GOOD, site, "risk")
    (tmp_path / "site.db").write_bytes(b"no database at all" * 100)
    assert "not a database. Go back to a backup" in told(GOOD, site, "wrong")


def test_a_full_disk_and_a_clock_of_another_year_are_told(site, monkeypatch):
    from quizprop.cli import checkup

    monkeypatch.setattr(checkup, "_LEAST_ROOM", 1 << 62)
    monkeypatch.setattr(checkup.time, "time", lambda: 1_000_000_000.0)
    assert "GiB free" in told(GOOD, site, "wrong")
    assert "is it right?" in told(GOOD, site, "risk")


@pytest.mark.parametrize("weight", ["well", "risk"])
def test_the_clock_is_told_in_utc_wherever_the_server_stands(site, monkeypatch, weight):
    from quizprop.cli import checkup

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
    assert told(GOOD, "nonsense://x", "wrong")
    environ = {name: value for name, value in GOOD.items() if name != "QUIZPROP_SECRET_KEY"}
    assert "SECRET_KEY is missing" in told(environ, "postgresql://nobody@127.0.0.1:1/nothing", "wrong")
