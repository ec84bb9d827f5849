"""What doctor finds: nothing wrong on a good site, and each fault that was put there, with what to do."""

import re
import sqlite3
import time
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from quizprop.cli import checkup
from quizprop.cli.checkup import Finding, doctor, findings
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
        ({"QUIZPROP_PROBLEM_BANK": "/nowhere"}, "wrong", "holds no exercise file"),
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
    assert "quizprop db upgrade" in told(GOOD, site, "wrong")


def test_a_folder_that_can_t_be_written_is_told(site, tmp_path, monkeypatch):
    closed = {tmp_path}
    monkeypatch.setattr("quizprop.cli.checkup.os.access", lambda path, _mode: path not in closed)
    assert f"{tmp_path} can't be written" in told(GOOD, site, "wrong")
    closed.clear()
    assert told(GOOD, site, "wrong") == ""


@pytest.mark.parametrize(
    ("commit", "sync", "hours", "wrong", "risk"),
    [
        ("on", "on", 0, False, False),
        ("remote_apply", "on", 0, False, False),
        ("off", "on", 0, True, False),
        ("on", "off", 0, True, False),
        ("on", "on", 1, False, True),
        ("on", "on", -1, False, True),
    ],
)
def test_a_postgresql_that_does_not_wait_for_the_disk_or_has_another_time_is_told(
    monkeypatch, commit, sync, hours, wrong, risk
):
    now = 1_700_000_000.0
    monkeypatch.setattr(checkup.time, "time", lambda: now)
    answers = {"server_version": "15.7", "synchronous_commit": commit, "fsync": sync}

    class Session:
        """Answers as the server would."""

        def execute(self, statement):
            asked = str(statement).split()[-1]
            return SimpleNamespace(scalar_one=lambda: answers.get(asked, now + hours * 3600))

    found = list(checkup._postgresql(SimpleNamespace(read=lambda: nullcontext(Session()))))
    weights = {one.words: one.weight for one in found}
    assert weights["PostgreSQL is 15.7."] == "well"
    said = f"synchronous_commit is {commit}, fsync {sync}: on and on keep every checked sheet."
    assert weights[said] == ("wrong" if wrong else "well")
    (clocks,) = (one for one in found if "clocks" in one.words)
    assert (clocks.weight, f" {abs(hours) * 3600}.0 seconds" in clocks.words) == ("risk" if risk else "well", True)


def test_a_file_that_others_read_and_one_that_is_no_database_are_told(site, tmp_path):
    for mode in (0o644, 0o640, 0o602):
        (tmp_path / "site.db").chmod(mode)
        assert "chmod 600" in told(GOOD, site, "risk")
    (tmp_path / "site.db").write_bytes(b"no database at all" * 100)
    assert "not a database" in told(GOOD, site, "wrong")


def test_a_damaged_database_is_told_in_a_line_that_names_the_place(site, tmp_path):
    with closing(sqlite3.connect(tmp_path / "site.db")) as whole:
        (page,) = whole.execute("SELECT rootpage FROM sqlite_master WHERE name = 'submission'").fetchone()
        (size,) = whole.execute("PRAGMA page_size").fetchone()
    with (tmp_path / "site.db").open("r+b") as file:
        file.seek((page - 1) * size + 3)
        file.write(b"\xff" * 40)
    wrong = told(GOOD, site, "wrong")
    assert re.fullmatch(rf"The database is damaged \(.*page {page}\b.*\): go back to a backup\.", wrong, re.IGNORECASE)


def test_a_full_disk_and_a_clock_of_another_year_are_told(site, monkeypatch):
    monkeypatch.setattr(checkup, "_LEAST_ROOM", 1 << 62)
    monkeypatch.setattr(checkup.time, "time", lambda: 1_000_000_000.0)
    assert "GiB free" in told(GOOD, site, "wrong")
    assert "is it right?" in told(GOOD, site, "risk")


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


def test_a_database_that_is_not_there_or_can_t_be_reached_is_told(tmp_path):
    assert "new.db is new: quizprop serve makes it" in told(GOOD, f"sqlite:///{tmp_path / 'new.db'}", "risk")
    assert not list(tmp_path.iterdir()), "to look is not to make"
    (tmp_path / "empty.db").touch()
    assert "no tables yet" in told(GOOD, f"sqlite:///{tmp_path / 'empty.db'}", "risk")
    assert told(GOOD, "postgresql://nobody@127.0.0.1:1/nothing", "wrong")
    assert told(GOOD, "nonsense://x", "wrong")
    environ = {name: value for name, value in GOOD.items() if name != "QUIZPROP_SECRET_KEY"}
    assert "The secret key is kept beside the database." in told(environ, f"sqlite:///{tmp_path / 'empty.db'}", "well")
    assert "SECRET_KEY is missing" in told(environ, "postgresql://nobody@127.0.0.1:1/nothing", "wrong")
