"""A real server and a real Chromium."""

import shutil
import threading
import time

import pytest
import waitress
from playwright.sync_api import sync_playwright

from quizprop.web.app import create_app
from tests.conftest import missing

# Headless in a container: no sandbox of its own, and nothing asked of the outside.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    """An application with an empty database."""
    folder = tmp_path_factory.mktemp("site")
    app = create_app({"DATABASE_URL": f"sqlite:///{folder / 'quizprop.sqlite'}", "SECRET_KEY": "k" * 32})
    yield app
    app.extensions["quizprop"].database.close()


@pytest.fixture(scope="session")
def site(app):
    """The address of a server. Its scripts come late: a test that races them fails always, not once a month."""

    def late(environ, start_response):
        if environ["PATH_INFO"].endswith(".js"):
            time.sleep(0.1)
        return app(environ, start_response)

    server = waitress.create_server(late, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(timeout=10)


@pytest.fixture(scope="session")
def chromium():
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        missing("Chromium", "apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def complaints():
    """What a page logs or asks of other hosts; a test that expects something takes it out."""
    return []


@pytest.fixture
def page(chromium, site, complaints):
    """A page of a new visitor, at the problem bank; complaints fail the test."""
    context = chromium.new_context(base_url=site, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.on("console", lambda message: message.type in ("error", "warning") and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: request.url.startswith(site) or complaints.append(request.url))
    page.goto("/")
    yield page
    context.close()
    assert not complaints
