"""Laws of the settings and the factory."""

import errno
import inspect
import logging
import os
import re
import stat

import pytest
import waitress

from quizprop.web import serve, settings
from quizprop.web.app import create_app
from quizprop.web.settings import SettingsError, complete, data_folder, default_database_url, from_environment


def test_the_environment_is_read_by_its_prefix():
    found = from_environment(
        {"QUIZPROP_DATABASE_URL": "sqlite:////x", "QUIZPROP_SECRET_KEY": "12345", "QUIZPROP_HTTPS": "1", "HTTPS": "0"}
    )
    assert found == {"DATABASE_URL": "sqlite:////x", "SECRET_KEY": "12345", "HTTPS": True}
    assert from_environment({}) == {"HTTPS": False}


def test_a_setting_that_is_empty_is_not_set():
    names = re.findall(r"^(QUIZPROP_\w+)", settings.__doc__, re.MULTILINE)
    assert len(names) == 8
    assert from_environment(dict.fromkeys(names, "")) == from_environment({})


def test_proxies_are_counted():
    assert [from_environment({"QUIZPROP_PROXIES": typed})["PROXIES"] for typed in ("0", "2", " 9 ")] == [0, 2, 9]
    for typed in ("many", "-1", "10", "1.0"):
        with pytest.raises(SettingsError, match=f"QUIZPROP_PROXIES: '{typed}'"):
            from_environment({"QUIZPROP_PROXIES": typed})


def test_hosts_are_names_with_commas_between():
    assert from_environment({"QUIZPROP_HOSTS": "a.example, .b.example,[::1]"})["TRUSTED_HOSTS"] == [
        "a.example",
        ".b.example",
        "[::1]",
        "127.0.0.1",
    ]
    assert "TRUSTED_HOSTS" not in from_environment({"QUIZPROP_HOSTS": " "})
    for typed in ("https://a.example", "a.example:443", "a.example b.example", "a.example,,", "*"):
        with pytest.raises(SettingsError, match=r"QUIZPROP_HOSTS: .* is not a host's name"):
            from_environment({"QUIZPROP_HOSTS": typed})


def test_the_log_is_text_or_json():
    assert [from_environment({"QUIZPROP_LOG": typed})["LOG"] for typed in ("JSON", " text ")] == ["json", "text"]
    with pytest.raises(SettingsError, match="QUIZPROP_LOG: 'xml' is neither"):
        from_environment({"QUIZPROP_LOG": "xml"})


def test_a_token_for_the_metrics_that_can_be_guessed_is_refused():
    with pytest.raises(SettingsError, match="QUIZPROP_METRICS: 15 characters can be guessed"):
        from_environment({"QUIZPROP_METRICS": "k" * 15})
    assert from_environment({"QUIZPROP_METRICS": "k" * 16})["METRICS"] == "k" * 16


@pytest.mark.parametrize(
    ("typed", "on"),
    [("1", True), (" True ", True), ("YES", True), ("0", False), ("false", False), ("No", False), (" ", False)],
)
def test_a_switch_is_on_or_off_however_it_is_written(typed, on):
    assert from_environment({"QUIZPROP_HTTPS": typed})["HTTPS"] is on
    completed = complete({"DATABASE_URL": "sqlite:////x", "SECRET_KEY": "k" * 16, "HTTPS": on})
    assert completed["SESSION_COOKIE_SECURE"] is on
    assert completed["PREFERRED_URL_SCHEME"] == ("https" if on else "http")


def test_a_switch_that_is_neither_on_nor_off_is_refused():
    with pytest.raises(SettingsError, match="QUIZPROP_HTTPS: 'maybe'"):
        from_environment({"QUIZPROP_HTTPS": "maybe"})


def test_a_key_that_can_be_guessed_is_refused():
    with pytest.raises(SettingsError, match="QUIZPROP_SECRET_KEY: 15 characters can be guessed"):
        complete({"DATABASE_URL": "sqlite:////x", "SECRET_KEY": "k" * 15})
    assert complete({"DATABASE_URL": "sqlite:////x", "SECRET_KEY": "k" * 16})["SECRET_KEY"] == "k" * 16


def test_postgresql_needs_a_key():
    with pytest.raises(SettingsError, match="QUIZPROP_SECRET_KEY: is missing"):
        complete({"DATABASE_URL": "postgresql://user@host/name"})


def test_the_key_is_made_once_and_kept_for_its_owner_alone(tmp_path):
    config = {"DATABASE_URL": f"sqlite:///{tmp_path}/a/folder/quizprop.sqlite"}
    first = complete(config)["SECRET_KEY"]
    assert complete(config)["SECRET_KEY"] == first
    assert len(first) == 64
    (file,) = (tmp_path / "a" / "folder").iterdir()
    assert file.name == "quizprop.sqlite.secret"
    if os.name == "posix":
        assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)] == [0o600, 0o700]
    file.write_text(f"{first}\n")  # as an editor leaves it
    assert complete(config)["SECRET_KEY"] == first


def test_who_starts_at_the_same_moment_takes_the_same_key(tmp_path):
    path = tmp_path / "quizprop.sqlite.secret"
    path.write_text("first")
    settings._publish("second", path)
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("url", ["what is this", "sqlite://", "sqlite:///relative.sqlite"])
def test_an_unusable_url_gets_no_key_file(url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    complete({"DATABASE_URL": url})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("platform", "environ", "end"),
    [
        ("linux", {"XDG_DATA_HOME": "/data"}, "data/quizprop"),
        ("linux", {}, ".local/share/quizprop"),
        ("linux", {"XDG_DATA_HOME": ""}, ".local/share/quizprop"),
        ("win32", {"LOCALAPPDATA": "/users/ada/local"}, "/users/ada/local/quizprop"),
        ("darwin", {}, "Library/Application Support/quizprop"),
        ("win32", {}, "AppData/Local/quizprop"),
    ],
)
def test_data_live_where_the_system_keeps_them(monkeypatch, platform, environ, end):
    monkeypatch.setattr(settings.sys, "platform", platform)
    assert data_folder(environ).as_posix().endswith(end)
    assert default_database_url(environ).endswith(f"{end}/quizprop.sqlite")


def test_cookies_need_https_where_visitors_come_by_it(tmp_path):
    app = create_app({"DATABASE_URL": f"sqlite:///{tmp_path}/q.sqlite", "HTTPS": True})
    answer = app.test_client().get("/")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    app.extensions["quizprop"].database.close()


def test_sessions_outlive_a_restart(tmp_path):
    config = {"DATABASE_URL": f"sqlite:///{tmp_path}/q.sqlite"}
    keys = set()
    for _ in range(2):
        app = create_app(config)
        keys.add(app.secret_key)
        app.extensions["quizprop"].database.close()
    assert len(keys) == 1


def test_another_problem_bank_can_be_named(tmp_path):
    folder = tmp_path / "bank"
    folder.mkdir()
    original = settings.Path(__file__).parents[2] / "problem_bank" / "han-kamber.toml"
    (folder / "mine.toml").write_text(original.read_text(encoding="utf-8"), encoding="utf-8")
    app = create_app({"DATABASE_URL": f"sqlite:///{tmp_path}/q.sqlite", "PROBLEM_BANK": str(folder)})
    page = app.test_client().get("/").text
    assert page.count("<article") == 1
    app.extensions["quizprop"].database.close()


def test_the_factory_is_short():
    assert len(inspect.getsource(create_app).splitlines()) < 45


def test_every_view_is_short(app):
    for name, view in app.view_functions.items():
        if name != "static":
            assert len(inspect.getsource(view).splitlines()) <= 20, name


class Stopped(Exception):
    """Instead of a server."""


@pytest.fixture
def handed(monkeypatch):
    """What waitress is handed, by name; it never serves."""

    def create_server(app, **options):
        found.update(options, app=app)
        raise Stopped

    found = {}
    monkeypatch.setattr(waitress, "create_server", create_server)
    yield found
    found["app"].extensions["quizprop"].database.close()


def test_serving_hands_the_application_to_waitress(tmp_path, monkeypatch, handed):
    monkeypatch.setenv("QUIZPROP_DATABASE_URL", f"sqlite:///{tmp_path}/q.sqlite")
    with pytest.raises(Stopped):
        serve.serve("127.0.0.1", 8123)
    assert (handed["host"], handed["port"]) == ("127.0.0.1", 8123)
    assert 4 <= handed["threads"] <= 8
    assert handed["connection_limit"] > 500, "a class of 500 keeps its connections open at the same time"
    assert logging.getLogger("waitress").isEnabledFor(logging.INFO), "it tells where it listens"


@pytest.mark.parametrize("proxies", ["0", "1"])
def test_what_proxies_say_is_heard_only_where_there_are_some(tmp_path, monkeypatch, handed, proxies):
    monkeypatch.setenv("QUIZPROP_DATABASE_URL", f"sqlite:///{tmp_path}/q.sqlite")
    monkeypatch.setenv("QUIZPROP_PROXIES", proxies)
    with pytest.raises(Stopped):
        serve.serve()
    assert handed["clear_untrusted_proxy_headers"] is (proxies == "0")


def test_a_full_disk_is_told_of_by_the_name_of_the_key(tmp_path, monkeypatch):
    """And not by that of a file in between, nor as if the port were taken."""

    def full(handle, *_args, **_options):
        os.close(handle)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(settings.os, "fdopen", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*/q\.sqlite\.secret"):
        settings.complete({"DATABASE_URL": f"sqlite:///{tmp_path}/q.sqlite"})
    assert not list(tmp_path.iterdir())
