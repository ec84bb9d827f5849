"""Submissions under load: what one costs beside a bare row, how long it takes among many, and a class at once.

A submission is what a student does: the form is posted with its token, graded, diagnosed and stored, and the page that
it leads to is drawn. All ratios are of this run. The students are another process, `benchmarks/load.py`.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import bare
import postgresql
from flask import Flask
from load import Browser
from sqlalchemy import select
from werkzeug.test import EnvironBuilder, run_wsgi_app

from quizprop.exercise.bank import load_bank
from quizprop.exercise.figures import to_places
from quizprop.exercise.generate import draw
from quizprop.exercise.instance import Instance
from quizprop.store import people, schema, sets
from quizprop.store.database import Database, open_database
from quizprop.store.models import Submission, Variant, table
from quizprop.store.practice import find_variant
from quizprop.web.app import create_app
from quizprop.web.limits import Limit
from quizprop.web.sheet import instance_of
from quizprop.web.shelves import shelved

HERE = Path(__file__).parent
PASSWORD = "a long password"
FAMILY = "tanh-regression"  # 29 values, of new numbers on every sheet
SHEET = "han-kamber"
SET = ("han-kamber", "circuit-cs231n", "mazur-after")  # published numbers: the students know what to type
CONNECTIONS, TRIES = 64, 6
SUBMISSIONS, ROUNDS = 20, 7
QUIZPROP = [sys.executable, "-c", "from quizprop.cli import main; main()", "serve", "--port", "0"]
GUNICORN = [
    sys.executable,
    "-m",
    "gunicorn",
    "--workers",
    "4",
    "--bind",
    "127.0.0.1:0",
    "quizprop.web.app:create_app()",
]


def answers(slug: str) -> dict[str, str]:
    """Every value of a sheet of published numbers, rounded as it asks for."""
    import numpy as np  # noqa: PLC0415

    drawn = draw(load_bank()[slug], np.random.default_rng(1))
    return {cell.key: to_places(drawn.values[cell.key], drawn.exercise.places) for cell in drawn.cells}


def honest(database: Database, token: str) -> dict[str, str]:
    """Every value of a sheet that was handed out, rounded as it asks for."""
    with database.read() as session:
        learner = session.execute(select(Variant.learner_id).where(Variant.token == token)).scalar_one()
        drawn = instance_of(find_variant(session, token, learner_id=learner))
    # Not the instance that the server keeps: nothing is to be worked out for it.
    drawn = Instance(drawn.exercise, drawn.given)
    return {cell.key: to_places(drawn.values[cell.key], drawn.exercise.places) for cell in drawn.cells}


def shelf_of(slug: str) -> str:
    return next(f"/kinds/{one.name}" for one in shelved(load_bank()) if slug in {each.slug for each in one.exercises})


def show(words: str, value: str) -> None:
    print(f"  {words:<58}{value:>12}", flush=True)


# --- 1. in this process, by processor time --------------------------------------------------------------------------


class InProcess(Browser):
    """A browser whose line is the WSGI application itself, timed without what the client does."""

    def __init__(self, app: Flask) -> None:
        super().__init__(0)
        self.app, self.seconds = app, 0.0
        self.line = self  # type: ignore[assignment]

    def request(self, method: str, address: str, body: str | None, head: dict[str, str]) -> None:
        environ = EnvironBuilder(address, method=method, headers=head, input_stream=BytesIO((body or "").encode()))
        environ.content_length = len(body or "")
        made = environ.get_environ()
        began = time.process_time()
        content, status, headers = run_wsgi_app(self.app, made, buffered=True)
        self.content = b"".join(content)
        self.seconds += time.process_time() - began
        self.status, self.headers = int(status.split()[0]), headers

    def getresponse(self) -> "InProcess":
        self.headers.get_all = lambda name, _default: self.headers.getlist(name)  # type: ignore[attr-defined]
        return self

    def read(self) -> bytes:
        return self.content


def in_process(folder: Path) -> None:
    app = create_app({"DATABASE_URL": f"sqlite:///{folder / 'in.db'}", "SECRET_KEY": "k" * 32})
    app.config["LIMITS"] = {"sheet, learner": Limit(100_000, 0.001)}
    student, plain = InProcess(app), InProcess(bare.create_app(str(folder / "bare.db")))
    rounds: dict[str, list[float]] = {"slip": [], "solved": [], "bare": []}
    for _ in range(ROUNDS):  # in turns, so that a busy machine slows all alike
        spent = {"slip": 0.0, "solved": 0.0}
        for _ in range(SUBMISSIONS):
            student.ask("GET", shelf_of(FAMILY))
            student.send(f"/exercises/{FAMILY}/start")
            right = honest(app.extensions["quizprop"].database, student.address.split("/")[2])
            for kind, typed in (("slip", {**right, list(right)[len(right) // 3]: "0.777"}), ("solved", right)):
                student.seconds = 0.0
                student.send(student.address.partition("/s/")[0], typed)
                spent[kind] += student.seconds
        for kind, seconds in spent.items():
            rounds[kind].append(seconds / SUBMISSIONS)
        plain.seconds = 0.0
        for _ in range(SUBMISSIONS):
            plain.ask("POST", "/", urlencode(right))
        rounds["bare"].append(plain.seconds / SUBMISSIONS)
    submit, solved, row = (min(rounds[kind]) for kind in ("slip", "solved", "bare"))
    app.extensions["quizprop"].database.close()
    print(f"A submission of {len(right)} values beside a bare row, processor time in this process")
    show("submission: check, store, redirect, result page", f"{submit * 1e3:.2f} ms")
    show("the same, all right: with the solution and its pictures", f"{solved * 1e3:.2f} ms")
    show("bare Flask handler, one durable row", f"{row * 1e3:.2f} ms")
    show("ratio of the rates (wanted 0.4)", f"{row / submit:.3f}")


# --- 2. to 4. at real servers ---------------------------------------------------------------------------------------


@contextmanager
def server(command: list[str], folder: Path, url: str = "") -> Iterator[int]:
    """Start a server and tell its port, which it writes to its log."""
    environ = {**os.environ, "QUIZPROP_DATABASE_URL": url, "QUIZPROP_SECRET_KEY": "k" * 32, "PYTHONUNBUFFERED": "1"}
    log = folder / "server.log"
    with log.open("w") as output:
        running = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
    try:
        until = time.monotonic() + 60
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())):
            if running.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"The server does not come up:\n{log.read_text()}")
            time.sleep(0.05)
        yield int(found[1])
    finally:
        running.terminate()
        running.wait()


def students(port: int, kind: str, count: int, slugs: tuple[str, ...], **more: object) -> dict[str, Any]:
    """Send students to a server and wait for what they tell."""
    texts, shelves = {slug: answers(slug) for slug in slugs}, {slug: shelf_of(slug) for slug in slugs}
    plan = {"port": port, "kind": kind, "students": count, "exercises": slugs, "answers": texts, "shelves": shelves}
    asked = json.dumps(plan | {"accounts": [], "password": PASSWORD} | more)
    done = subprocess.run(
        [sys.executable, HERE / "load.py"], input=asked, stdout=subprocess.PIPE, text=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    for error in told["errors"][:5]:
        print(f"  ! {error}")
    return told


def stored(url: str) -> Counter[tuple[str, str]]:
    """How often each text of each sheet is stored."""
    variant, submission = table(Variant), table(Submission)
    rows = select(variant.c.token, submission.c.raw).join_from(submission, variant)
    with closing(open_database(url)) as database, database.read() as session:
        return Counter((token, text) for token, raw in session.execute(rows) for text in json.loads(raw).values())


def judge(told: dict[str, Any], url: str) -> bool:
    """Say what was lost or doubled; whether all went well."""
    found = stored(url)
    sent = [tuple(one) for one in told["sent"]]
    lost, doubled = sum(found[one] == 0 for one in sent), sum(found[one] > 1 for one in sent)
    show("submissions sent", f"{len(sent):,}")
    show("stored", f"{sum(found[one] for one in sent):,}")
    show("lost, doubled, errors (wanted 0, 0, 0)", f"{lost}, {doubled}, {len(told['errors'])}")
    return not (lost or doubled or told["errors"])


def rates(folder: Path) -> None:
    """Eight students, one a thread of the server: a submission beside a bare row, by the clock."""
    with server([sys.executable, str(HERE / "bare.py"), str(folder / "b.db")], folder) as port:
        plain = students(port, "bare", 8, (SHEET,), tries=100)
    with server(QUIZPROP, folder, f"sqlite:///{folder / 'rate.db'}") as port:
        full = students(port, "together", 8, (SHEET,), tries=TRIES)
    rows, submissions = (len(one["latencies"]) / one["seconds"] for one in (plain, full))
    print("The same at `quizprop serve` (waitress), 8 connections, by the clock, the students on the same processors")
    show("submissions a second", f"{submissions:.0f}")
    show("bare rows a second", f"{rows:.0f}")
    show("ratio of the rates (wanted 0.4)", f"{submissions / rows:.3f}")


def together(command: list[str], folder: Path, url: str, words: str) -> bool:
    with server(command, folder, url) as port:
        told = students(port, "together", CONNECTIONS, (SHEET,), tries=TRIES)
    times = sorted(told["latencies"])
    print(f"{CONNECTIONS} connections at {words}, each {TRIES} submissions: post, then the result page")
    if times:
        middle, last = times[len(times) // 2], times[int(len(times) * 0.99)]
        show("p50, p99", f"{middle:.2f}, {last:.2f} s")
        show("p99 / p50 (wanted at most 10)", f"{last / middle:.1f}")
    return judge(told, url)


def in_class(command: list[str], folder: Path, url: str, count: int, words: str) -> bool:
    """A class, half of it with accounts and a problem set, half guests with the same exercises."""
    names, of = enrol(url, count // 2)
    with server(command, folder, url) as port:
        told = students(port, "class", count, SET, accounts=names, set=of)
    print(f"A class of {count} at {words}: half sign in to a problem set, half are guests; {len(SET)} exercises each")
    fine = judge(told, url)
    show("seconds", f"{told['seconds']:.1f}")
    return fine and len(told["sent"]) == count * len(SET)


def enrol(url: str, count: int) -> tuple[list[str], str]:
    """Accounts, and the problem set that they are to work."""
    hashed, now = people.hash_password(PASSWORD), time.time_ns() // 1000
    names = [f"student {number}" for number in range(count)]
    items = [sets.NewItem(slug, load_bank()[slug].model_dump_json()) for slug in SET]
    with closing(open_database(url)) as database:
        schema.upgrade(database)
        with database.write() as session:
            made = sets.create_set(session, title="Week 1", items=items, now=now)
            learners = [people.add_user(session, username=name, password_hash=hashed, now=now) for name in names]
            sets.assign(session, made, learners, now=now)
    return names, made.token


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--students", type=int, default=500, help="how large the class is; a quarter at PostgreSQL")
    parser.add_argument("--only", choices=("process",), help="the first part alone")
    asked = parser.parse_args()
    fine = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        in_process(folder)
        if asked.only:
            return
        rates(folder)
        words = "`quizprop serve` with SQLite"
        fine.append(together(QUIZPROP, folder, f"sqlite:///{folder / 'together.db'}", words))
        fine.append(in_class(QUIZPROP, folder, f"sqlite:///{folder / 'class.db'}", asked.students, words))
        absent = postgresql.missing()
        if absent:
            print(f"Left out, gunicorn with PostgreSQL; it needs {absent}")
        else:
            words = "gunicorn, 4 workers, with PostgreSQL"
            with postgresql.cluster() as url:
                fine.append(together(GUNICORN, folder, url, words))
                fine.append(in_class(GUNICORN, folder, url, max(asked.students // 4, 2), words))
    sys.exit(not all(fine))


if __name__ == "__main__":
    main()
