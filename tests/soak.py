"""Submissions under kills: a server is killed again and again while scripts hand in, and nothing acknowledged is lost.

``python -m tests.soak --kills 50`` prints a table; the tests do a few kills.
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

from quizprop.store import api_tokens, people, schema
from quizprop.store.database import Database, open_database
from quizprop.store.models import Submission, Variant, table

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


def main() -> None:
    """Print the table of a long run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--database", default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = soak(asked.database or f"sqlite:///{Path(folder) / 'soak.db'}", kills=asked.kills)
    for name in Outcome.__dataclass_fields__:
        sys.stdout.write(f"{name:<14}{getattr(outcome, name):>9,}\n")
    sys.exit(bool(outcome.lost or outcome.doubled))


if __name__ == "__main__":
    main()
