"""A full disk, a locked, lost or stopped database: a clear answer, nothing typed is lost, and it mends by itself."""

import html
import re
import sqlite3
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import event, func, select

from quizprop.store import api_tokens, people, schema
from quizprop.store.database import journal_for
from quizprop.store.models import Submission
from quizprop.web.app import create_app
from tests.store.conftest import NOW, postgresql
from tests.web.conftest import SECRET, Browser

TYPED = "not yet <sure>, 0.3775?"
SHORT = 50
"""Milliseconds that a connection waits for a lock here; it is twenty seconds elsewhere."""


class Site:
    """A site on a database that can be troubled."""

    def __init__(self, url):
        self.url = url
        self.app = create_app({"DATABASE_URL": url, "SECRET_KEY": SECRET, "PROPAGATE_EXCEPTIONS": False})
        self.database = self.app.extensions["quizprop"].database
        schema.upgrade(self.database)
        self.browser = Browser(self.app)
        self.sheet = self.browser.start("mazur")
        self.form = self.browser.csrf(f"/x/{self.sheet}")
        with self.database.write() as session:
            learner = people.add_user(session, username="script", password_hash=people.PasswordHash("-"), now=NOW)
            self.token = api_tokens.issue(session, learner, name="script", scopes=("practice",), now=NOW)

    def hand_in(self, key, text=TYPED):
        data = {"csrf_token": self.form, "submission_key": key, "z1[1]": text}
        return self.browser.client.post(f"/x/{self.sheet}", data=data)

    def draw_by_api(self):
        head = {"Authorization": f"Bearer {self.token}"}
        return self.app.test_client().post("/api/v1/variants", json={"exercise": "mazur"}, headers=head)

    def stored(self):
        with self.database.read() as session:
            return session.execute(select(func.count()).select_from(Submission)).scalar_one()


@contextmanager
def full(site):
    """SQLite itself says that the disk is full: the file may not grow."""
    limit = {"pages": 0}

    def on_checkout(connection, *_):
        connection.execute(f"PRAGMA max_page_count = {limit['pages']}")

    with closing(sqlite3.connect(site.url.removeprefix("sqlite:///"))) as connection:
        (limit["pages"],) = connection.execute("PRAGMA page_count").fetchone()
    event.listen(site.database.engine, "checkout", on_checkout)
    yield
    limit["pages"] = 1_000_000


@contextmanager
def locked(site, how):
    """Another program holds the file, for itself or for its writing."""
    for engine in (site.database.engine, site.database.reader):
        event.listen(engine, "checkout", lambda one, *_: one.execute(f"PRAGMA busy_timeout = {SHORT}"))
    with closing(sqlite3.connect(site.url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute(f"BEGIN {how}")
        yield
        other.execute("ROLLBACK")


@contextmanager
def away(site, folder):
    """The disk with the file is gone, and comes back."""
    moved = folder.with_name("elsewhere")
    site.database.close()
    folder.rename(moved)
    yield
    moved.rename(folder)


@pytest.fixture(params=["full", "locked", "written to", "away", pytest.param("stopped", marks=pytest.mark.postgres)])
def troubled(request, tmp_path):
    """A site, the trouble that it gets into, and whether pages that only read are served meanwhile."""
    if request.param == "stopped":
        with postgresql() as server:

            @contextmanager
            def stopped():
                server.stop()
                yield
                server.start()

            site = Site(server.url)
            yield site, stopped(), False
            site.database.close()
        return
    folder = tmp_path / "disk"
    folder.mkdir()
    site = Site(f"sqlite:///{folder}/quizprop.db")
    match request.param:
        case "full":
            yield site, full(site), True
        case "locked":
            yield site, locked(site, "EXCLUSIVE"), journal_for(sqlite3.sqlite_version_info).mode == "wal"
        case "written to":
            yield site, locked(site, "IMMEDIATE"), True
        case _:
            yield site, away(site, folder), False
    site.database.close()


def until_refused(ask, done):
    """How often it was done before it was refused, and the refusal. A full disk has room for a little."""
    for number in range(200):
        answer = ask(number)
        if answer.status_code != done:
            return number, answer
    raise AssertionError("nothing went wrong")


def shown(page, key):
    """What stands in the field of a cell."""
    (field,) = (one for one in re.findall("<input[^>]*>", page) if f'name="{key}"' in one)
    return html.unescape(re.search('value="([^"]*)"', field)[1])


def test_nothing_typed_is_lost_nothing_acknowledged_either_and_it_mends_by_itself(troubled, caplog):
    """And whoever runs the site reads why in the log, which has nothing typed."""
    site, trouble, _ = troubled

    def hand_in(number):
        return site.hand_in(f"key{number}", f"{TYPED} {number} {'7' * 300}")

    assert site.hand_in("before").status_code == 303
    with trouble:
        acknowledged, refused = until_refused(hand_in, 303)
        assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (503, True)
        assert shown(refused.text, "z1[1]") == f"{TYPED} {acknowledged} {'7' * 300}"
        assert shown(refused.text, "submission_key") == f"key{acknowledged}"
        _, told = until_refused(lambda _: site.draw_by_api(), 201)
        assert (told.status_code, int(told.headers["Retry-After"]) > 0) == (503, True)
        assert (told.mimetype, told.json["status"]) == ("application/problem+json", 503)
    noted = [line for line in caplog.messages if line.startswith("The database could not be used ")]
    for answer, place in ((refused, "POST /x/<token>"), (told, "POST /api/v1/variants")):
        assert any(f" {answer.headers['X-Request-ID']} in {place}: " in line for line in noted)
    assert TYPED not in caplog.text
    assert "7" * 300 not in caplog.text
    # Sent again, and once more by a finger that is too quick: it counts once.
    assert [hand_in(acknowledged).status_code for _ in range(2)] == [303, 303]
    assert site.stored() == 1 + acknowledged + 1
    assert site.draw_by_api().status_code == 201


def test_a_load_balancer_is_told_while_the_database_is_away_and_when_it_is_back(troubled):
    site, trouble, readable = troubled

    def states():
        return {site.browser.get(page).status_code for page in ("/readyz", f"/x/{site.sheet}")}

    with trouble:
        assert states() == {200 if readable else 503}
    assert states() == {200}
