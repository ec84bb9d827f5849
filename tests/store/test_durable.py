"""What is acknowledged is on the disk: the calls that a server makes of the system, in their order."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from sqlalchemy import text

from quizprop.cli.checkup import findings
from quizprop.store import api_tokens, people, schema
from quizprop.store.database import open_database
from tests.conftest import missing
from tests.soak import PROGRAM, free_port
from tests.store.conftest import NOW

WRITES = ("write", "pwrite64", "writev", "pwritev")
SYNCS = ("fsync", "fdatasync")
SENT = ("sendto", "sendmsg", "write")
ANSWER = "HTTP/1.1 201"
QUICK = """
import os, sqlite3, sys
one = sqlite3.connect(sys.argv[1])
one.execute("PRAGMA synchronous = " + sys.argv[2])
one.execute("CREATE TABLE t (a)")
os.write(1, b"POST")
one.execute("INSERT INTO t VALUES (1)")
one.commit()
os.write(1, b"HTTP/1.1 201")
"""


def traced(file, *program):
    """The command that runs a program and notes its calls, with the names of the files."""
    strace = shutil.which("strace") or missing("strace", "apt-get install strace")
    if subprocess.run([strace, "-o", str(file), "true"], capture_output=True, check=False).returncode:
        missing("The right to trace a program", "in a container, --cap-add SYS_PTRACE")
    calls = ",".join({*WRITES, *SYNCS, *SENT, "recvfrom", "read", "unlink"})
    return [strace, "-f", "-y", "-s", "120", "-e", f"trace={calls}", "-o", str(file), *program]


def unsynced(lines, database, *, after):
    """The files of a database written after a request and not synced before its answer; how many were synced."""
    (start, *_) = [at for at, line in enumerate(lines) if after in line]
    dirty, synced = set(), set()
    for line in lines[start + 1 :]:
        # A call that another thread's interrupts is noted twice: when it begins, and when it is done.
        call, name = re.search(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(\d+<([^>]*)>)?", line).groups()
        ours = name and name.startswith(str(database)) and not name.endswith("-shm")
        if call in SENT and ANSWER in line:
            return dirty, synced
        if call in WRITES and ours:
            dirty.add(name)
        elif call in SYNCS and ours:
            dirty.discard(name)
            synced.add(name)
        elif call == "unlink":
            dirty = {one for one in dirty if f'"{one}"' not in line}
    raise AssertionError("no answer was sent")


def ask(port, token, path, content):
    head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1{path}", json.dumps(content).encode(), head)
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
                return json.load(answer)
        except urllib.error.URLError as error:
            if isinstance(error, urllib.error.HTTPError) or time.monotonic() > until:
                raise
            time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="strace is a program of Linux")
def test_an_answer_is_sent_after_what_it_acknowledges_is_on_the_disk(tmp_path):
    file, trace = tmp_path / "quizprop.db", tmp_path / "trace"
    database = open_database(f"sqlite:///{file}")
    schema.upgrade(database)
    with database.write() as session:
        learner = people.add_user(session, username="script", password_hash=people.PasswordHash("-"), now=NOW)
        token = api_tokens.issue(session, learner, name="script", scopes=("practice",), now=NOW)
    database.close()
    port = free_port()
    environ = {"QUIZPROP_DATABASE_URL": f"sqlite:///{file}", "QUIZPROP_SECRET_KEY": "k" * 32, "PATH": "/usr/bin"}
    command = traced(trace, *PROGRAM, "serve", "--port", str(port))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=environ, start_new_session=True, **quiet) as server:
        try:
            sheet = ask(port, token, "/variants", {"exercise": "deltas"})["token"]
            ask(port, token, f"/variants/{sheet}/submissions", {"answers": {"delta2[1]": "0.1"}})
        finally:
            os.killpg(server.pid, signal.SIGTERM)
    lines = trace.read_text(errors="replace").splitlines()
    for request in ("POST /api/v1/variants HTTP", f"POST /api/v1/variants/{sheet}/submissions"):
        dirty, synced = unsynced(lines, file, after=request)
        assert dirty == set()
        assert synced


@pytest.mark.skipif(sys.platform != "linux", reason="strace is a program of Linux")
@pytest.mark.parametrize(("synchronous", "lost"), [("OFF", True), ("FULL", False)])
def test_a_program_that_does_not_wait_for_the_disk_is_found_out(tmp_path, synchronous, lost):
    """The control of the test above."""
    file, trace = tmp_path / "quick.db", tmp_path / "trace"
    words = [sys.executable, "-c", QUICK, str(file), synchronous]
    subprocess.run(traced(trace, *words), check=True, stdout=subprocess.DEVNULL)
    dirty, _ = unsynced(trace.read_text().splitlines(), file, after='"POST"')
    assert bool(dirty) == lost


@pytest.mark.postgres
def test_postgresql_is_asked_to_wait_for_the_disk(cluster):
    database = open_database(cluster)
    with database.write() as session:
        assert session.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
    database.close()


@pytest.mark.postgres
def test_doctor_finds_out_a_server_that_does_not_wait_for_the_disk(cluster):
    *_, release, disk, clocks = findings({}, cluster)  # the servers of the tests run without fsync
    assert (release.weight, release.words.startswith("PostgreSQL is ")) == ("well", True)
    assert (disk.weight, disk.words.startswith("synchronous_commit is on, fsync off: ")) == ("wrong", True)
    assert (clocks.weight, "clocks of both machines" in clocks.words) == ("well", True)
