"""What the page of a large gradebook takes: queries, processor time and bytes, for 500 students and 40 exercises.

Every student has a sheet of every exercise, each checked twice. The ratio is to reading the same rows alone.
"""

import re
import tempfile
from pathlib import Path

from clock import seconds
from sqlalchemy import event, insert, select

from quizprop.exercise.bank import load_bank
from quizprop.store import classroom, people, sets
from quizprop.store.classroom import Seat
from quizprop.store.database import Database, Session
from quizprop.store.models import SetItem, Submission, Variant
from quizprop.web.app import create_app

STUDENTS, SETS, ITEMS, TRIES = 500, 8, 5, 2
ROUNDS = 5
PASSWORD = "a long password"
NOW = 1_790_000_000_000_000


def fill(database: Database) -> Seat:
    """A course in which everything was done, as whoever teaches it sees it."""
    spec = load_bank()["mazur-like"].model_dump_json()
    hashed = people.hash_password(PASSWORD)
    with database.write() as session:
        teacher = people.add_user(session, username="grace", password_hash=hashed, now=NOW)
        seat = classroom.create_course(session, title="Large", learner_id=teacher, now=NOW)
        items = [sets.NewItem("mazur-like", spec)] * ITEMS
        for number in range(SETS):
            made = sets.create_set(session, title=f"Week {number + 1}", items=items, now=NOW)
            classroom.add_set(session, seat, made, now=NOW)
        for number in range(STUDENTS):
            learner = people.add_user(session, username=f"student {number:03}", password_hash=hashed, now=NOW)
            classroom.join(session, seat.course.join_code, learner_id=learner, now=NOW)
            add_work(session, learner, spec)
    return seat


def add_work(session: Session, learner: int, spec: str) -> None:
    shared = {"exercise": "mazur-like", "seed": "0" * 32, "spec": spec, "given": "{}", "engine_version": "0"}
    ids = session.execute(select(SetItem.id)).scalars().all()
    variants = [
        {**shared, "token": f"{learner}-{item}", "learner_id": learner, "set_item_id": item, "created_at": NOW}
        for item in ids
    ]
    made = session.execute(insert(Variant).returning(Variant.id), variants).scalars().all()
    empty = {"raw": "{}", "decimal_comma": False, "numbers": "{}", "marks": "{}", "engine_version": "0"}
    tries = [
        {**empty, "variant_id": variant, "attempt": number, "key": f"{number}", "out_of": 30, "created_at": NOW}
        | {"points": (variant * 7 + number) % 31}
        for variant in made
        for number in range(1, TRIES + 1)
    ]
    session.execute(insert(Submission), tries)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = create_app({"DATABASE_URL": f"sqlite:///{Path(folder) / 'large.db'}", "SECRET_KEY": "k" * 32})
        database = app.extensions["quizprop"].database
        seat = fill(database)
        client = app.test_client()
        page = client.get("/sign-in").text
        form = {"username": "grace", "password": PASSWORD}
        form["csrf_token"] = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        client.post("/sign-in", data=form)
        asked: list[str] = []
        event.listen(database.reader, "before_cursor_execute", lambda *call: asked.append(call[2]))
        address = f"/courses/{seat.course.token}/grades"
        answer = client.get(address)
        queries = len(asked)

        def rows() -> None:
            with database.read() as session:
                classroom.gradebook(session, seat)

        reading, rendering = seconds(rows, ROUNDS), seconds(lambda: client.get(address), ROUNDS)
        print(f"gradebook of {STUDENTS} students and {SETS * ITEMS} exercises: status {answer.status_code}")
        print(f"queries               {queries:>9}")
        print(f"page                  {len(answer.data) / 1e6:>9.2f} MB")
        print(f"processor, whole      {rendering:>9.2f} seconds")
        print(f"processor, rows alone {reading:>9.2f} seconds")
        print(f"ratio                 {reading / rendering:>9.2f}")
        database.close()


if __name__ == "__main__":
    main()
