"""The least that a web server can do with a sheet: take the form, and keep it in one SQLite row, durably.

The journal and the waiting for the disk are those of quizprop, and so are waitress and its threads. With an argument,
the path of a database, it serves.
"""

import json
import sqlite3
import sys
import threading

import waitress
from flask import Flask, request

from quizprop.store.database import journal_for
from quizprop.web.serve import OPTIONS


def create_app(path: str) -> Flask:
    app = Flask(__name__)
    journal = journal_for(sqlite3.sqlite_version_info[:3])
    own, turn = threading.local(), threading.Lock()

    def connection() -> sqlite3.Connection:
        if not hasattr(own, "connection"):
            own.connection = sqlite3.connect(path, isolation_level=None, timeout=20)
            own.connection.execute(f"PRAGMA journal_mode = {journal.mode}")
            own.connection.execute(f"PRAGMA synchronous = {journal.synchronous}")
        return own.connection

    connection().execute("CREATE TABLE sheet (id INTEGER PRIMARY KEY, content TEXT)")

    @app.post("/")
    def keep() -> str:
        content = json.dumps(request.form.to_dict())
        with turn:  # as in quizprop: SQLite's own waiting sleeps longer than it has to
            connection().execute("INSERT INTO sheet (content) VALUES (?)", (content,))
        return "stored"

    return app


if __name__ == "__main__":
    server = waitress.create_server(create_app(sys.argv[1]), host="127.0.0.1", port=0, **OPTIONS)
    print(f"http://127.0.0.1:{server.effective_port}", file=sys.stderr, flush=True)
    server.run()
