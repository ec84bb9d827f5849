"""A PostgreSQL server for one run of a benchmark, durable as PostgreSQL is by default."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def program(name: str) -> Path | None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = shutil.which(name) or (installed[-1] if installed else None)
    return None if found is None else Path(found)


def missing() -> str:
    """How to get what is not there; empty where all is."""
    if program("initdb") is None or program("pg_ctl") is None:
        return "PostgreSQL: apt-get install postgresql"
    absent = [name for name in ("psycopg", "gunicorn") if find_spec(name) is None]
    return f"{' and '.join(absent)}: pip install 'quizprop[postgres]'" if absent else ""


def user() -> dict[str, Any]:
    """PostgreSQL's programs refuse to run as root."""
    if os.geteuid() != 0:
        return {}
    import pwd  # noqa: PLC0415 - not on Windows

    known = {entry.pw_name: entry.pw_gid for entry in pwd.getpwall()}
    name = "postgres" if "postgres" in known else "nobody"
    return {"user": name, "group": known[name], "extra_groups": []}


@contextmanager
def cluster() -> Iterator[str]:
    """The URL of a database in a server of our own."""
    folder, owner = Path(tempfile.mkdtemp(prefix="qp-pg-")), user()
    if owner:
        shutil.chown(folder, owner["user"])

    def run(name: str, *words: object) -> None:
        with (folder / "output").open("a") as output:  # not a pipe: the server would hold it open
            command = [str(word) for word in (program(name), "-D", folder / "data", *words)]
            subprocess.run(command, cwd=folder, stdout=output, stderr=output, check=True, **owner)

    try:
        run("initdb", "-U", "quizprop", "-A", "trust", "-E", "UTF8", "--locale=C")
        options = f"-c max_connections=300 -c listen_addresses='' -c unix_socket_directories='{folder}'"
        run("pg_ctl", "-w", "-t", "60", "-o", options, "start")
        try:
            yield f"postgresql://quizprop@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
