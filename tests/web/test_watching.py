"""Laws of watching a site: every request has an id, log and metrics tell what happens and nothing of anybody."""

import json
import logging
import os
import subprocess
import sys
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from quizprop.web import desk
from quizprop.web.app import create_app
from quizprop.web.settings import SettingsError
from tests.web.conftest import SECRET, Browser, opened

TOKEN = "a token for Prometheus"
ID = "0123456789abcdef-of-the-proxy"


@pytest.fixture
def watched(tmp_path):
    """An application with metrics, behind a proxy."""
    application = create_app(
        {
            "DATABASE_URL": f"sqlite:///{tmp_path}/quizprop.sqlite",
            "SECRET_KEY": SECRET,
            "METRICS": TOKEN,
            "PROXIES": 1,
        }
    )
    yield application
    application.extensions["quizprop"].database.close()


def figures(browser):
    """The samples of the page for Prometheus, read by its own library."""
    answer = browser.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found[sample.name, *sorted(sample.labels.items())] = sample.value
    return found


def requests_of(found, **labels):
    return found.get(("quizprop_requests_total", *sorted(labels.items())), 0)


# --- ids ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["/", "/nothing", "/static/quizprop.css", "/api/v1/results", "/healthz"])
def test_every_answer_has_an_id_of_its_own(browser, url):
    first, second = (browser.get(url).headers["X-Request-ID"] for _ in range(2))
    assert first != second
    assert len(first) == 16


@pytest.mark.parametrize(
    ("sent", "believed"), [(ID, True), ("short", False), ("with spaces in it", False), ("é" * 9, False)]
)
def test_an_id_is_taken_from_a_proxy_alone_and_only_if_it_is_one(browser, watched, sent, believed):
    assert (Browser(watched).get("/", headers={"X-Request-ID": sent}).headers["X-Request-ID"] == sent) is believed
    assert browser.get("/", headers={"X-Request-ID": sent}).headers["X-Request-ID"] != sent


def test_the_page_of_an_error_of_ours_has_the_id_by_which_the_log_tells_it(browser, monkeypatch, caplog):
    sheet = browser.start("mazur")

    def broken(*_arguments, **_options):
        raise RuntimeError("this is broken")

    monkeypatch.setattr(desk, "grade", broken)
    with caplog.at_level(logging.ERROR):
        answer = browser.check(sheet, {"z1[1]": "0.3775"})
    told = answer.headers["X-Request-ID"]
    assert f"<code>{told}</code>" in answer.text
    assert f"Error {told} in POST /x/<token>" in caplog.text
    assert "this is broken" in caplog.text
    assert sheet not in caplog.text
    assert f"<code>{browser.get('/nothing').headers['X-Request-ID']}</code>" not in browser.get("/nothing").text


# --- the log --------------------------------------------------------------------------------------------------------

STORY = """
import sys
from quizprop.web import desk
from quizprop.web.app import create_app
from tests.web.conftest import Browser

app = create_app({"PROPAGATE_EXCEPTIONS": False})
browser = Browser(app)
browser.client.environ_base["REMOTE_ADDR"] = "192.0.2.77"
browser.client.environ_base["HTTP_USER_AGENT"] = "Sentinel-Agent"
browser.register("sentinel-name", "sentinel password")
sheet = browser.start("mazur")
browser.check(sheet, {"z1[1]": "0.777123"})
browser.get("/reset/sentinel-link?of=sentinel-query")
desk.grade = None
answer = browser.check(sheet, {"z1[1]": "0.777124"}, key="second")
print(sheet, answer.headers["X-Request-ID"])
"""


def test_the_log_is_lines_of_json_that_tell_nothing_of_anybody(tmp_path):
    environ = {
        **os.environ,
        "QUIZPROP_DATABASE_URL": f"sqlite:///{tmp_path}/quizprop.sqlite",
        "QUIZPROP_SECRET_KEY": "k" * 32,
        "QUIZPROP_LOG": "json",
    }
    done = subprocess.run([sys.executable, "-c", STORY], env=environ, capture_output=True, text=True, check=True)
    sheet, failed = done.stdout.split()
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    requests = [line for line in lines if line["message"] == "request"]
    assert {"time", "level", "logger", "request_id", "method", "route", "status", "ms", "bytes"} <= set(requests[0])
    routes = [(line["method"], line["route"], line["status"]) for line in requests]
    assert ("POST", "/register", 303) in routes
    assert ("POST", "/x/<token>", 303) in routes
    assert ("GET", "/reset/<link>", 404) in routes
    assert routes[-1] == ("POST", "/x/<token>", 500)
    (error,) = (line for line in lines if line["level"] == "ERROR")
    assert error["request_id"] == failed == requests[-1]["request_id"]
    assert "TypeError" in error["message"]
    for secret in ("sentinel", "Sentinel", "192.0.2.77", "0.77712", sheet):
        assert secret not in done.stderr


def test_the_command_that_serves_writes_lines_of_json_and_no_others(tmp_path):
    environ = {
        **os.environ,
        "QUIZPROP_DATABASE_URL": f"sqlite:///{tmp_path}/quizprop.sqlite",
        "QUIZPROP_SECRET_KEY": "k" * 32,
        "QUIZPROP_LOG": "json",
    }
    command = [sys.executable, "-c", "from quizprop.cli import main; main()", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            serving = json.loads(process.stderr.readline())
            with urlopen(f"{serving['message'].removeprefix('Serving on ')}/healthz"):  # noqa: S310 - http
                lines = map(json.loads, process.stderr)  # a busy server says more than who asked
                asked = next(line for line in lines if line["message"] == "request")
        finally:
            process.terminate()
    assert (serving["logger"], serving["level"]) == ("waitress", "INFO")
    assert (asked["route"], asked["status"]) == ("/healthz", 200)


# --- metrics --------------------------------------------------------------------------------------------------------


def test_requests_are_counted_by_route_and_status_and_timed(watched):
    browser = Browser(watched)
    for _ in range(3):
        browser.get("/nothing")
    browser.start("mazur")
    browser.client.open("/", method="INVENTED")
    found = figures(browser)
    assert requests_of(found, method="GET", route="(none)", status="404") == 3
    assert requests_of(found, method="POST", route="/exercises/<slug>/start", status="303") == 1
    assert requests_of(found, method="OTHER", route="(none)", status="405") == 1
    timed = "quizprop_request_seconds_count", ("method", "GET"), ("route", "(none)")
    assert found[timed] == 3
    assert found["quizprop_requests_under_way",] == 1  # the one that asks
    assert not [name for name in map(str, found) if "x/" in name and "<token>" not in name]


def test_an_error_of_ours_is_counted_and_no_longer_under_way(watched, monkeypatch):
    browser = Browser(watched)
    watched.config["PROPAGATE_EXCEPTIONS"] = False
    sheet = browser.start("mazur")
    monkeypatch.setattr(desk, "grade", None)
    browser.check(sheet, {"z1[1]": "1"})
    found = figures(browser)
    assert requests_of(found, method="POST", route="/x/<token>", status="500") == 1
    assert found["quizprop_requests_under_way",] == 1


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer another token 12345", TOKEN, "Bearer \N{SNOWMAN}"])
def test_the_figures_are_for_who_has_the_token(watched, header):
    answer = Browser(watched).get(
        "/metrics", headers={"Authorization": header.encode().decode("latin-1")} if header else {}
    )
    assert answer.status_code == 401
    assert "quizprop_" not in answer.text


def test_without_the_setting_there_is_no_such_page(browser):
    assert browser.get("/metrics", headers={"Authorization": "Bearer None"}).status_code == 404


def test_without_the_library_the_setting_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(SettingsError, match=r"pip install 'quizprop\[metrics\]'"):
        create_app({"DATABASE_URL": f"sqlite:///{tmp_path}/q.sqlite", "SECRET_KEY": SECRET, "METRICS": TOKEN})
    for application in opened(tmp_path):  # who does not want them needs no library
        assert application.test_client().get("/healthz").status_code == 200


SEVERAL = f"""
import os, signal, sys
from quizprop.web.app import create_app
app = create_app()
app.add_url_rule("/killed", view_func=lambda: os.kill(os.getpid(), signal.SIGKILL))
client = app.test_client()
client.get(sys.argv[1])
print(client.get("/metrics", headers={{"Authorization": "Bearer {TOKEN}"}}).text)
"""


@pytest.fixture
def process(tmp_path):
    """Asks for a page, and then for the figures, in a process of its own; all of them share a folder."""
    (tmp_path / "shared").mkdir()
    environ = {
        **os.environ,
        "QUIZPROP_DATABASE_URL": f"sqlite:///{tmp_path}/quizprop.sqlite",
        "QUIZPROP_SECRET_KEY": "k" * 32,
        "QUIZPROP_METRICS": TOKEN,
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "shared"),
    }
    quiet = {"env": environ, "capture_output": True, "text": True}
    return lambda page: subprocess.run([sys.executable, "-c", SEVERAL, page], check=False, **quiet)


def figure_of(page, name):
    (line,) = (line for line in page.splitlines() if line.startswith(name))
    return float(line.split()[-1])


def test_several_processes_are_added_up(process):
    told = [process("/nothing").stdout for _ in range(2)]
    name = 'quizprop_requests_total{method="GET",route="(none)",status="404"}'
    assert [figure_of(page, name) for page in told] == [1, 2]


@pytest.mark.skipif(sys.platform == "win32", reason="no process is looked for there")
def test_what_a_killed_process_was_at_is_under_way_no_more(process):
    assert process("/killed").returncode == -9
    assert figure_of(process("/nothing").stdout, "quizprop_requests_under_way ") == 1  # the page of the figures


# --- hosts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        ("quizprop.example.org", True),
        ("quizprop.example.org:8443", True),
        ("a.school.example.org", True),
        ("evil.example", False),
        ("quizprop.example.org.evil.example", False),
        ("quizprop.example.org@evil.example", False),
        ("<script>", False),
        ("", False),
    ],
)
def test_only_the_sites_own_names_are_answered(app, host, answered):
    app.config["TRUSTED_HOSTS"] = ["quizprop.example.org", ".school.example.org"]
    answer = app.test_client().get("/", headers={"Host": host})
    assert answer.status_code == (200 if answered else 400)
    assert "Content-Security-Policy" in answer.headers
    if not answered:
        assert answer.text == "This site has no such name.\n"
