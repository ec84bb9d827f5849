"""The long form of what the tests try a little: kills, races, backups under load, spoilt numbers and files.

``python -m tests.soak`` prints a table and ends with 1 if anything is lost; the tests do a few of each.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from quizprop.resources import folder as folder_of
from quizprop.store import api_tokens, people, schema, sets
from quizprop.store.database import Database, open_database
from quizprop.store.models import Submission, Variant, table
from quizprop.store.practice import NoAttemptsLeftError
from tests import fuzz
from tests.store.conftest import NOW, at_once, postgresql, postgresql_program, submit
from tests.store.working_class import work_and_restore

PROGRAM = (sys.executable, "-c", "from quizprop.cli import main; main()")


@dataclass
class Tally:
    """What the scripts were told: the attempt acknowledged for each key of each sheet."""

    acknowledged: dict[tuple[str, str], int] = field(default_factory=dict)
    sent: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    kills: int
    sent: int
    acknowledged: int
    stored: int
    lost: int
    doubled: int


def soak(url: str, *, kills: int, writers: int = 4, servers: int = 1, seed: int = 0) -> Outcome:
    """Kill the servers of this database at random moments while scripts hand answers in, each at one of them."""
    rng = random.Random(seed)
    database = open_database(url)
    schema.upgrade(database)
    token = _token(database)
    ports = [free_port() for _ in range(servers)]
    tally, stop = Tally(), threading.Event()
    threads = [
        threading.Thread(target=_write, args=(ports[name % servers], token, tally, stop, name))
        for name in range(writers)
    ]
    running = [_serve(url, port) for port in ports]
    try:
        for thread in threads:
            thread.start()
        for _ in range(kills):
            time.sleep(rng.uniform(0.05, 0.6))
            which = rng.randrange(servers)
            running[which].send_signal(signal.SIGKILL)
            running[which].wait()
            running[which] = _serve(url, ports[which])
        time.sleep(0.5)
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)
        for server in running:
            server.kill()
            server.wait()
    found = _found(database)
    database.close()
    lost = [key for key, attempt in tally.acknowledged.items() if found.get(key) != [attempt]]
    doubled = [key for key, attempts in found.items() if len(attempts) > 1]
    stored = sum(map(len, found.values()))
    return Outcome(kills, tally.sent, len(tally.acknowledged), stored, len(lost), len(doubled))


def _token(database: Database) -> str:
    with database.write() as session:
        learner = people.add_user(session, username="soak", password_hash=people.PasswordHash("-"), now=0)
        return api_tokens.issue(session, learner, name="soak", scopes=("practice",), now=0)


def _found(database: Database) -> dict[tuple[str, str], list[int]]:
    """The attempts that are stored, by sheet and the name that its answers had."""
    variant, submission = table(Variant), table(Submission)
    with database.read() as session:
        rows = session.execute(
            submission.join(variant, variant.c.id == submission.c.variant_id)
            .select()
            .with_only_columns(variant.c.token, submission.c.raw, submission.c.attempt)
        ).all()
    found: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        name = next(text for text in json.loads(row.raw).values() if text)
        found.setdefault((row.token, name), []).append(row.attempt)
    return found


def _serve(url: str, port: int) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "QUIZPROP_DATABASE_URL": url, "QUIZPROP_SECRET_KEY": "k" * 32}
    server = subprocess.Popen(
        [*PROGRAM, "serve", "--port", str(port)], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return server
        time.sleep(0.02)
    raise TimeoutError("The server does not come up")


def _write(port: int, token: str, tally: Tally, stop: threading.Event, name: int) -> None:
    """Hand answers in, one after the other; what was not answered is sent again with the same key."""
    sheet = None
    for number in _numbers():
        if stop.is_set():
            return
        if sheet is None or number % 20 == 0:
            drawn = _ask((port, token), "/variants", {"exercise": "deltas"}, "", stop)
            sheet = drawn["token"] if drawn else sheet
            continue
        text = f"{name}.{number + 1}"
        with tally.lock:
            tally.sent += 1
        path = f"/variants/{sheet}/submissions"
        told = _ask((port, token), path, {"answers": {"delta2[1]": text}}, f"k{name}-{number}", stop)
        if told is not None:
            with tally.lock:
                tally.acknowledged[str(sheet), text] = told["attempt"]


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def _ask(
    where: tuple[int, str], path: str, content: dict[str, Any], key: str, stop: threading.Event
) -> dict[str, Any] | None:
    port, token = where
    head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1{path}", json.dumps(content).encode(), head)
    while not stop.is_set():
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
                told: dict[str, Any] = json.load(answer)
                return told
        except (OSError, ValueError, http.client.HTTPException):  # no answer, half of one, or a refusal
            time.sleep(0.05)
    return None


def free_port() -> int:
    """A port below those that the system gives to clients: while no server has it, nobody else is given it."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port


# --- races ----------------------------------------------------------------------------------------------------------


def races(url: str, count: int, *, threads: int = 16, allowed: int = 3) -> tuple[int, int]:
    """Race so often for the last attempts at an item: how many attempts were given in all, and how many too many."""
    database = open_database(url)
    schema.upgrade(database)
    given = surplus = 0
    for number in range(count):
        with database.write() as session:
            token = people.start_session(session, now=NOW)
            visitor = people.find_learner(session, token, now=NOW)
            made = sets.create_set(
                session, title="Race", items=[sets.NewItem("mazur", "{}", 1)], due_at=None, attempts=allowed, now=NOW
            )
            sets.assign(session, made, [visitor.learner_id], now=NOW)
            item = sets.open_set(session, made.token, learner_id=visitor.learner_id, now=NOW).items[0]
            values = {"seed": number, "given": {"eta": 0.5}, "engine_version": "0.1.0"}
            variant = sets.start_item(session, visitor.learner_id, item, now=NOW, **values)
        won = sum(at_once(threads, lambda name, variant=variant: _try(database, variant, name)))
        given, surplus = given + won, surplus + max(0, won - allowed)
    database.close()
    return given, surplus


def _try(database: Database, variant: Any, name: int) -> int:
    try:
        with database.write() as session:
            submit(session, variant, f"key-{name}")
    except NoAttemptsLeftError:
        return 0
    return 1


# --- the table ------------------------------------------------------------------------------------------------------


def databases(folder: Path) -> Iterator[tuple[str, str, int]]:
    """SQLite, and PostgreSQL where its programs are: a name, a URL, and how many servers share it."""
    yield "SQLite", f"sqlite:///{folder / 'soak.db'}", 1
    try:
        postgresql_program("initdb")
    except pytest.skip.Exception:
        sys.stdout.write("PostgreSQL is not installed (apt-get install postgresql): SQLite alone\n")
        return
    with postgresql() as server:
        yield "PostgreSQL", server.url, 2


def main() -> None:
    """Print the table of a long run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50, help="of servers, on each database")
    parser.add_argument("--races", type=int, default=100, help="of 16 threads for 3 attempts, on each database")
    parser.add_argument("--strings", type=int, default=1_000_000, help="typed for numbers")
    parser.add_argument("--files", type=int, default=20_000, help="exercise files with something wrong in them")
    parser.add_argument("--backups", type=int, default=20, help="taken while a class works, and restored")
    asked = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, url, servers in databases(folder):
            outcome = soak(url, kills=asked.kills, servers=servers)
            say(f"{kind}: kills survived by {servers} server{'s' if servers > 1 else ''}", outcome.kills)
            for what in ("sent", "acknowledged", "stored", "lost", "doubled"):
                say(f"{kind}: submissions {what}", getattr(outcome, what))
            given, surplus = races(url, asked.races)
            say(f"{kind}: races of 16 threads", asked.races)
            say(f"{kind}: attempts given", given)
            say(f"{kind}: attempts too many", surplus)
            bad += outcome.lost + outcome.doubled + surplus
        folder.joinpath("backups").mkdir()
        work_and_restore(folder / "backups", asked.backups)
        say("backups of a class at work that restored whole", asked.backups)
    say("strings typed for numbers: a value or a message", fuzz.numbers(asked.strings, 1).tried)
    say("exercise files spoilt: a value or a message", fuzz.exercise_files(bank(), asked.files, 1).tried)
    say("lost, doubled or too many", bad)
    sys.exit(bool(bad))


def say(what: str, number: int) -> None:
    """A line of the table."""
    sys.stdout.write(f"{what:<56}{number:>10,}\n")
    sys.stdout.flush()


def bank() -> list[str]:
    """The files of the problem bank."""
    return [each.read_text() for each in sorted(folder_of("problem_bank").glob("*.toml")) if each.stem != "skills"]


if __name__ == "__main__":
    main()
