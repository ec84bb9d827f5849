"""Courses on the command line: which there are, and who teaches them."""

import time

import click

from quizprop.cli.database import up_to_date
from quizprop.cli.layout import print_table
from quizprop.cli.users import account
from quizprop.store import classroom, decisions
from quizprop.store.classroom import Seat, StoredCourse
from quizprop.store.database import Session

__all__ = ["list_all", "teach"]

_NOBODY = "(nobody)"


def list_all(url: str | None) -> None:
    """List the courses, each with who teaches it and how many others are in it."""
    with up_to_date(url) as database, database.read() as session:
        known = classroom.all_courses(session)
        inside = [classroom.members(session, Seat(course, 0, "instructor")) for course in known]
    rows = []
    for course, everybody in zip(known, inside, strict=True):
        teachers = [one.username or _NOBODY for one in everybody if one.role == "instructor"]
        rows.append((course.token, course.title, ", ".join(teachers) or _NOBODY, str(len(everybody) - len(teachers))))
    print_table(rows, headings=("course", "title", "instructors", "others"), right=("others",))


def teach(name: str, username: str, url: str | None) -> None:
    """Make an account an instructor of a course."""
    with up_to_date(url) as database:
        learner_id = account(database, username).learner_id
        with database.write() as session:
            course, now = _found(session, name), time.time_ns() // 1000
            fresh = classroom.appoint(session, course, learner_id, now=now)
            if fresh:
                decisions.note_appointed(session, course.id, learner_id, by="quizprop courses teach", now=now)
    click.echo(f"{username} teaches {course.title}{'' if fresh else ' already'}.")


def _found(session: Session, name: str) -> StoredCourse:
    known = classroom.all_courses(session)
    wanted = [one for one in known if one.token == name] or [one for one in known if one.title == name]
    if not wanted:
        raise click.ClickException(f"No course has the token or the title {name!r}. All of them: quizprop courses list")
    if len(wanted) > 1:
        tokens = ", ".join(one.token for one in wanted)
        raise click.ClickException(f"{len(wanted)} courses have the title {name!r}: name one as {tokens}")
    return wanted[0]
