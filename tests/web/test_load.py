"""A class at a real server: what was sent is stored, once, and everybody is shown what became of it."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from quizprop.exercise.bank import load_bank
from quizprop.exercise.generate import draw
from quizprop.store import people, schema, sets
from quizprop.store.database import open_database
from quizprop.store.models import Submission, Variant, table
from tests.web.conftest import PASSWORD, SECRET, honest

LOAD = Path(__file__).parents[2] / "benchmarks" / "load.py"
SERVE = (sys.executable, "-c", "from quizprop.cli import main; main()", "serve", "--port", "0")
STUDENTS = 12
# Two with published numbers: the students know what to type.
SET = ("circuit-cs231n", "mazur-after")
SHELVES = {"circuit-cs231n": "/kinds/chain-rule", "mazur-after": "/kinds/update"}


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/quizprop.sqlite"


@contextmanager
def server(url, folder):
    """A server in a process of its own; its port."""
    environ = {**os.environ, "QUIZPROP_DATABASE_URL": url, "QUIZPROP_SECRET_KEY": SECRET}
    log = folder / "server.log"
    with log.open("w") as output:
        running = subprocess.Popen(SERVE, env=environ, stdout=output, stderr=output)
    try:
        until = time.monotonic() + 60
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())):
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < until, "the server does not come up"
            time.sleep(0.02)
        yield int(found[1])
    finally:
        running.kill()
        running.wait()


def enrolled(url, count):
    """Students with accounts and a problem set: their names, the token of the set."""
    hashed, now = people.hash_password(PASSWORD), time.time_ns() // 1000
    names = [f"student {number}" for number in range(count)]
    items = [sets.NewItem(slug, load_bank()[slug].model_dump_json()) for slug in SET]
    with closing(open_database(url)) as database:
        schema.upgrade(database)
        with database.write() as session:
            made = sets.create_set(session, title="Week 1", items=items, now=now)
            learners = [people.add_user(session, username=name, password_hash=hashed, now=now) for name in names]
            sets.assign(session, made, learners, now=now)
    return {"accounts": names, "set": made.token, "password": PASSWORD}


def came_of(port, **changes):
    """What students tell of a server, who are a process of their own."""
    drawn = {slug: honest(draw(load_bank()[slug], np.random.default_rng(1))) for slug in SET}
    plan = {"port": port, "students": STUDENTS, "exercises": SET, "answers": drawn, "shelves": SHELVES, **changes}
    done = subprocess.run([sys.executable, LOAD], input=json.dumps(plan), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def stored(url):
    """How often each sheet has each text, counted in the database itself."""
    variant, submission = table(Variant), table(Submission)
    rows = select(variant.c.token, submission.c.raw).join_from(submission, variant)
    with closing(open_database(url)) as database, database.read() as session:
        found = [(token, json.loads(raw)) for token, raw in session.execute(rows)]
    return len(found), Counter((token, text) for token, raw in found for text in raw.values())


def test_a_class_at_once_loses_nothing_and_doubles_nothing(url, tmp_path):
    known = enrolled(url, STUDENTS // 2)
    with server(url, tmp_path) as port:
        told = came_of(port, kind="class", **known)
    assert told["errors"] == []
    sent = [tuple(one) for one in told["sent"]]
    assert len(set(sent)) == len(sent) == STUDENTS * len(SET)
    assert sorted(told["told"]) == sorted(told["sent"])
    rows, found = stored(url)
    assert rows == len(sent)
    assert [found[one] for one in sent] == [1] * len(sent)


def test_the_students_tell_when_they_are_refused(url, tmp_path):
    """The load's own oracle: a wrong password ends a student's work, and is no silence."""
    known = enrolled(url, 1)
    with server(url, tmp_path) as port:
        told = came_of(port, kind="class", **{**known, "students": 1, "password": "not this one"})
    assert len(told["errors"]) == 1
    assert told["sent"] == []
    assert stored(url)[0] == 0


def test_browsers_that_keep_their_connections_open_keep_nobody_out(url, tmp_path):
    """More of them than waitress takes by default, which is 100: a class and a half."""
    with server(url, tmp_path) as port, ExitStack() as open_ones:
        for _ in range(150):
            one = open_ones.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert one.recv(12) == b"HTTP/1.1 200"
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as late:
            late.request("GET", "/healthz")
            assert late.getresponse().status == 200
