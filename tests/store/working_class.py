"""A class at work, backups of it, and what they restore to."""

import sqlite3
import threading
import time
from contextlib import closing

from sqlalchemy import select

from quizprop.store import schema
from quizprop.store.database import open_database
from quizprop.store.models import Submission, Variant, table
from quizprop.web.app import create_app
from quizprop.web.limits import Limit
from tests.web.conftest import SECRET, Browser

STUDENTS = 4


def site(url):
    app = create_app({"DATABASE_URL": url, "SECRET_KEY": SECRET, "PROPAGATE_EXCEPTIONS": False})
    app.config["LIMITS"] = {"learner, address": Limit(100_000, 0.001)}
    return app


def attempts_of(database):
    """The attempts at each sheet, by its token."""
    variant, submission = table(Variant), table(Submission)
    joined = submission.join(variant, variant.c.id == submission.c.variant_id)
    found = {}
    with database.read() as session:
        for token, attempt in session.execute(select(variant.c.token, submission.c.attempt).select_from(joined)):
            found.setdefault(token, []).append(attempt)
    return {token: sorted(attempts) for token, attempts in found.items()}


class Student(threading.Thread):
    """Hands one sheet in again and again, each time with another number; knows how often that was acknowledged."""

    def __init__(self, app, stop):
        super().__init__()
        self.browser, self.stop = Browser(app), stop
        self.browser.get("/")
        self.sheet = self.browser.start("deltas")
        self.form = self.browser.csrf(f"/x/{self.sheet}")
        self.acknowledged = 0

    def run(self):
        while not self.stop.is_set():
            data = {"csrf_token": self.form, "submission_key": f"k{self.acknowledged}", "delta2[1]": "0.1"}
            if self.browser.client.post(f"/x/{self.sheet}", data=data).status_code != 303:
                return
            self.acknowledged += 1


def work_and_restore(folder, backups):
    """Back a site up so often while students work, restore each copy, and go on there.

    Raises:
        AssertionError: something acknowledged is missing, or half there.
    """
    url = f"sqlite:///{folder}/quizprop.db"
    database = open_database(url)
    schema.upgrade(database)
    app, stop = site(url), threading.Event()
    students = [Student(app, stop) for _ in range(STUDENTS)]
    taken = []
    for student in students:
        student.start()
    try:
        for number in range(backups):
            least = (number + 1) * 3
            while min(student.acknowledged for student in students) < least:
                assert all(student.is_alive() for student in students)
                time.sleep(0.002)
            before = {student.sheet: student.acknowledged for student in students}
            schema.backup(database, folder / f"{number}.copy")
            taken.append((before, {student.sheet: student.acknowledged + 1 for student in students}))
    finally:
        stop.set()
        for student in students:
            student.join()
    final = attempts_of(database)
    assert {student.sheet: list(range(1, student.acknowledged + 1)) for student in students} == final
    app.extensions["quizprop"].database.close()
    database.close()
    for number, (before, after) in enumerate(taken):
        restored(folder, number, before, after, students[0])


def restored(folder, number, before, after, student):
    file = folder / f"restored-{number}.db"
    schema.restore(folder / f"{number}.copy", file)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    app = site(f"sqlite:///{file}")
    database = app.extensions["quizprop"].database
    assert schema.check(database) == []
    found = attempts_of(database)
    for token, attempts in found.items():
        # One moment: all that was acknowledged before it, nothing of after it, and no attempt without those before.
        assert attempts == list(range(1, len(attempts) + 1))
        assert before[token] <= len(attempts) <= after[token]
    # The site goes on from there: the student is known, sees the attempts and hands in the next.
    cookies = student.browser.client._cookies
    again = Browser(app)
    again.client._cookies = cookies
    last = len(found[student.sheet])
    assert again.get(f"/x/{student.sheet}/s/{last}").status_code == 200
    assert again.get(f"/x/{student.sheet}/s/{last + 1}").status_code == 404
    assert again.check(student.sheet, {"delta2[1]": "0.2"}, key="later").status_code == 303
    assert len(attempts_of(database)[student.sheet]) == last + 1
    database.close()
