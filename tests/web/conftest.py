"""An application on a database of its own, and a browser that remembers cookies and fills in forms."""

import html
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from sqlalchemy import func, select

from quizprop.exercise.figures import to_places
from quizprop.exercise.instance import Instance
from quizprop.store.models import Base
from quizprop.web.app import create_app
from quizprop.web.limits import Limit
from quizprop.web.sheet import instance_of

SECRET = "a key for the tests alone, long enough"
PASSWORD = "a long password"


@pytest.fixture
def app(tmp_path: Path, tables: Path) -> Iterator[Flask]:
    """An application of the test's own, with nobody in its database."""
    shutil.copy(tables, tmp_path / "quizprop.sqlite")
    yield from opened(tmp_path)


@pytest.fixture
def browser(app):
    return Browser(app)


@pytest.fixture(scope="session")
def common_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application of the tests that only add a visitor to it. There are thousands, all from one address."""
    for application in opened(tmp_path_factory.mktemp("common")):
        application.config["LIMITS"] = {"learner, address": Limit(100_000, 0.001)}
        yield application


@pytest.fixture
def visitor(common_app):
    """A new visitor of the common application, for what is tried with every family."""
    return Browser(common_app)


@contextmanager
def serving(story: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server of the ``app`` that a program defines, which is at hand as ``serve``: its process and its port."""
    end = 'app.config = {"PROXIES": 1}\nserve.create_app = lambda: app\nserve.serve("127.0.0.1", 0)\n'
    command = [sys.executable, "-c", f"from quizprop.web import serve\n{story}\n{end}", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, int(process.stderr.readline().rpartition(":")[2])
        finally:
            process.kill()


def opened(folder: Path) -> Iterator[Flask]:
    application = create_app(
        {"DATABASE_URL": f"sqlite:///{folder}/quizprop.sqlite", "SECRET_KEY": SECRET, "PROPAGATE_EXCEPTIONS": False}
    )
    application.jinja_env.bytecode_cache = TEMPLATES
    yield application
    application.extensions["quizprop"].database.close()


class Compiled(BytecodeCache):
    """Templates compiled once for all applications of a test run."""

    def __init__(self) -> None:
        self.code: dict[str, bytes] = {}

    def load_bytecode(self, bucket) -> None:
        if bucket.key in self.code:
            bucket.bytecode_from_string(self.code[bucket.key])

    def dump_bytecode(self, bucket) -> None:
        self.code[bucket.key] = bucket.bytecode_to_string()


TEMPLATES = Compiled()


class Browser:
    """A visitor with a browser."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()

    @property
    def database(self):
        return self.app.extensions["quizprop"].database

    def get(self, url, **options):
        return self.client.get(url, buffered=True, **options)

    def csrf(self, url="/") -> str:
        return hidden(self.get(url).text, "csrf_token")

    def post(self, url, data=None, *, page="/", **options):
        """Send a form with the token of a page that has one."""
        return self.client.post(url, data={"csrf_token": self.csrf(page), **(data or {})}, **options)

    def start(self, slug="mazur") -> str:
        """Start a sheet; its token."""
        answer = self.start_answer(slug)
        assert answer.status_code == 303
        return answer.location.rpartition("/")[2]

    def start_answer(self, slug="mazur"):
        return self.post(f"/exercises/{slug}/start")

    def check(self, token, texts, *, key="first", comma=False, **more):
        data = {"submission_key": key, **texts, **({"decimal_comma": "y"} if comma else {}), **more}
        return self.post(f"/x/{token}", data)

    def checked(self, token, texts, **options):
        """The page that a checked sheet leads to."""
        return self.get(self.check(token, texts, **options).location)

    def variant(self, token):
        from quizprop.store.models import Variant
        from quizprop.store.practice import find_variant

        with self.database.read() as session:
            owner = session.execute(select(Variant.learner_id).where(Variant.token == token)).scalar_one()
            return find_variant(session, token, learner_id=owner)

    def instance(self, token) -> Instance:
        return instance_of(self.variant(token))

    def register(self, username="ada", password=PASSWORD):
        return self.post("/register", {"username": username, "password": password}, page="/register")

    def sign_in(self, username="ada", password=PASSWORD):
        return self.post("/sign-in", {"username": username, "password": password}, page="/sign-in")

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.database.read() as session:
            return {
                name: session.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in Base.metadata.tables.items()
            }


def honest(instance: Instance) -> dict[str, str]:
    """Every value rounded to the places of the sheet."""
    return {cell.key: to_places(instance.values[cell.key], instance.exercise.places) for cell in instance.cells}


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return html.unescape(found[1])


def typed(page: str) -> dict[str, str]:
    """What stands in the cells of a page, by key."""
    cells = re.findall(r'<input id="[^"]*" name="([^"]*)" value="([^"]*)" type="text" data-key', page)
    return {html.unescape(name): html.unescape(text) for name, text in cells}


def cell(page: str, key: str) -> str:
    """The part of a page that belongs to one cell."""
    parts = re.split(r'<div class="cell(?: is-\w+)?(?: with-hint)?"', page)
    part = next(part for part in parts if f'data-key="{key}"' in part)
    return part.partition("</fieldset>")[0]


def words(markup: str) -> str:
    """The text of markup, as it is read."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())
