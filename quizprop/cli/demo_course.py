"""A course with simulated students over a term, so that every page can be seen full.

A simulated student has habits, wrong formulas of the mistake library, and slips of the pen. A habit that a check has
named is often given up before the next try. Everything goes the way of a real submission: certified numbers, the real
grading, what is learned from it; only the moments are made up.
"""

import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import click
import numpy as np
from rich.console import Console
from rich.progress import track

from quizprop import __version__
from quizprop.engine.arrays import Array
from quizprop.engine.graph import Quantity
from quizprop.engine.structure import structure_of
from quizprop.exercise.evidence import general_code
from quizprop.exercise.generate import draw
from quizprop.exercise.instance import Instance
from quizprop.exercise.simulated import filled_in
from quizprop.exercise.spec import Exercise
from quizprop.store import classroom, decisions, people, sets
from quizprop.store.classroom import Seat
from quizprop.store.database import Database, Session
from quizprop.store.people import PasswordHash, UsernameTakenError
from quizprop.store.practice import StoredSubmission, StoredVariant
from quizprop.store.sets import ItemWork, NewItem, StoredSet
from quizprop.web.app import create_app
from quizprop.web.desk import Desk, check_work, record
from quizprop.web.sheet import Work, exercise_of
from quizprop.web.state import now, services

__all__ = ["demo"]

_TEACHER: Final = "demo-teacher"
_DAY: Final = 86_400_000_000
_WEEK: Final = 7 * _DAY
_EVERY: Final = 2 * _WEEK
_ATTEMPTS: Final = 3
_TERM: Final[Mapping[str, Sequence[str]]] = {
    "Week 1: forward": ("forward-pass", "forward-relu"),
    "Week 3: the error": ("error-half-squared", "error-binary-cross-entropy"),
    "Week 5: deltas": ("deltas", "chain"),
    "Week 7: a whole step": ("mazur-like",),
    "Week 9: gradients": ("input-gradients", "bias-gradients"),
    "Week 11: deeper": ("deep-deltas", "l2-penalty"),
}
"""The problem sets, one every other week; each is open for a week. The last one is open now."""


@dataclass
class Student:
    """What is true of a simulated student: habits by code, chances of a slip in a value and of working at an item.

    ``rng`` decides for this student alone.
    """

    rng: np.random.Generator
    habits: set[str]
    slip: float
    diligence: float


def demo(url: str | None, *, students: int, seed: int) -> None:
    """Fill a database with a course that has been taught for a term."""
    app = create_app({"DATABASE_URL": url} if url else None)
    password, rng, moment = secrets.token_urlsafe(12), np.random.default_rng(seed), now()
    hashed = people.hash_password(password)  # slow on purpose: one does for all, as one password does
    with app.app_context(), closing(services().database) as database:
        bank = services().bank
        seat, term = _course(database, bank, hashed, moment)
        class_ = list(_class(bank, students, rng))
        everybody = _come_in(database, seat, students, hashed, moment)
        work = zip(everybody, class_, strict=True)
        quiet, screen = not sys.stderr.isatty(), Console(stderr=True)
        for learner_id, who in track(work, "Students", students, transient=True, disable=quiet, console=screen):
            with database.write() as session:
                for problem_set in term:
                    _work_set(session, learner_id, who, problem_set, moment)
    click.echo(f"{seat.course.title}: {students} students, {len(term)} problem sets.")
    click.echo(f"Sign in as {_TEACHER}, or as demo-001 to demo-{students:03}. The password of all of them: {password}")


# --- the course -----------------------------------------------------------------------------------------------------


def _course(
    database: Database, bank: Mapping[str, Exercise], hashed: PasswordHash, now: int
) -> tuple[Seat, tuple[StoredSet, ...]]:
    began = now - (len(_TERM) - 1) * _EVERY - 3 * _DAY
    with database.write() as session:
        teacher = _add(session, _TEACHER, hashed, now)
        seat = classroom.create_course(session, title="Demo: backpropagation by hand", learner_id=teacher, now=began)
        for number, (title, slugs) in enumerate(_TERM.items()):
            items = [NewItem(slug, bank[slug].model_dump_json(), float(place)) for place, slug in enumerate(slugs, 1)]
            opens = began + number * _EVERY
            made = sets.create_set(
                session,
                title=title,
                items=items,
                now=began,
                opens_at=opens,
                due_at=opens + _WEEK,
                attempts=_ATTEMPTS,
            )
            classroom.add_set(session, seat, made, now=began)
        return seat, classroom.sets_in(session, seat.course)


def _come_in(database: Database, seat: Seat, count: int, hashed: PasswordHash, now: int) -> list[int]:
    """The accounts of the students, all in the course."""
    with database.write() as session:
        learners = [_add(session, f"demo-{number:03}", hashed, now) for number in range(1, count + 1)]
        for learner_id in learners:
            classroom.join(session, seat.course.join_code, learner_id=learner_id, now=seat.course.created_at)
        _decide(session, seat, now)
    return learners


def _decide(session: Session, seat: Seat, now: int) -> None:
    """Sections, and a decision of each kind, so that they can be seen."""
    students = [one for one in classroom.members(session, seat) if one.role == "student"]
    for number, one in enumerate(students):
        section = "AB"[number % 2]
        said = {"name": one.name, "section": section, "external_id": f"{number + 1:04}"}
        decisions.change_student(session, seat, one, **said, extra_time=0.25 if number == 1 else 0.0)
    first, last = classroom.sets_in(session, seat.course)[0], classroom.sets_in(session, seat.course)[-1]
    decisions.extend(session, students[0], last, now + _WEEK)
    about = {"student": students[0].learner_id, "set": last.title}
    decisions.note(session, seat, "extension", now=now, **about, due=now + _WEEK)
    (item, *_) = decisions.work_of(session, seat, students[-1], now)[0].items
    chosen = decisions.find_item(session, seat, item.id)
    if chosen is not None:
        decisions.adjust(session, students[-1], chosen, points=None, excused=True, reason="ill", now=now)
        about = {"student": students[-1].learner_id, "set": first.title, "exercise": chosen.exercise}
        decisions.note(session, seat, "excused", now=now, **about, reason="ill")


def _add(session: Session, name: str, hashed: PasswordHash, now: int) -> int:
    try:
        return people.add_user(session, username=name, password_hash=hashed, now=now)
    except UsernameTakenError:
        raise click.ClickException(
            f"There is an account {name} already, of an earlier demo perhaps. Take another database, as in: "
            "quizprop demo --database sqlite:////tmp/demo.db"
        ) from None


# --- students -------------------------------------------------------------------------------------------------------


def _class(bank: Mapping[str, Exercise], count: int, rng: np.random.Generator) -> Iterator[Student]:
    """Some mistakes are made by a third of a class or more, and most by hardly anybody."""
    structures = [structure_of(bank[slug].model) for slugs in _TERM.values() for slug in slugs]
    codes = sorted({general_code(one) for structure in structures for one in structure.mistakes})
    chances = np.minimum(0.5, rng.exponential(0.06, len(codes)))
    for _ in range(count):
        habits = {code for code, chance in zip(codes, chances, strict=True) if rng.random() < chance}
        yield Student(rng.spawn(1)[0], habits, slip=float(rng.beta(1, 25)), diligence=float(rng.beta(6, 1.2)))


def _work_set(session: Session, learner_id: int, who: Student, problem_set: StoredSet, now: int) -> None:
    """The tries of a student at each item, from some evening of the week on."""
    opens, due = problem_set.opens_at or 0, min(problem_set.due_at or now, now)
    begin = opens + int((due - opens) * who.rng.beta(4, 2))
    of = sets.open_set(session, problem_set.token, learner_id=learner_id, now=begin)
    for item in of.items if of else ():
        if who.rng.random() > who.diligence:
            continue
        variant = _start(session, learner_id, item, who.rng, begin)
        begin = _work_item(session, variant, who, begin, due)
        if begin >= due:
            return


def _start(session: Session, learner_id: int, item: ItemWork, rng: np.random.Generator, now: int) -> StoredVariant:
    seed = int.from_bytes(rng.bytes(16), "big")
    instance = draw(exercise_of(item.spec), np.random.default_rng(seed))
    return sets.start_item(
        session, learner_id, item, seed=seed, given=instance.given, engine_version=__version__, now=now
    )


def _work_item(session: Session, variant: StoredVariant, who: Student, begin: int, due: int) -> int:
    """Try until it is right, or no attempt or no time is left. Returns when that was."""
    attempts: tuple[StoredSubmission, ...] = ()
    moment = begin
    while len(attempts) < _ATTEMPTS and not (attempts and attempts[-1].share == 1):
        moment += int(60_000_000 * who.rng.gamma(4, 5 if attempts else 8))
        if moment > due:
            break
        desk = Desk(variant, attempts, None, {}, None)
        work = Work(_filled(desk.instance, who))
        submission = record(session, desk, work, check_work(desk, work), at=moment)
        attempts = (*attempts, submission)
        _mend(who, desk.instance, submission)
    return moment


def _mend(who: Student, instance: Instance, submission: StoredSubmission) -> None:
    """Give up habits that the check has named, one in two."""
    told = {code for mark in submission.marks.values() for code in mark["codes"]}
    for mistake in instance.structure.mistakes:
        if mistake.code in told and who.rng.random() < 0.5:
            who.habits.discard(general_code(mistake))


def _filled(instance: Instance, who: Student) -> dict[str, str]:
    """What the student writes: each value from the values before it, as they wrote them."""

    def worked(quantity: Quantity, values: Mapping[str, Array]) -> Array:
        return _formula(instance, quantity, who, values).of(values)

    def written(quantity: Quantity, value: Array) -> Array:
        if quantity.formula.whole:
            return value
        slips = np.where(who.rng.random(value.shape) < who.slip, who.rng.integers(1, 9, value.shape) * 0.01, 0.0)
        return np.where(instance.plan.asked[quantity.name], np.round(value, instance.exercise.places) + slips, value)

    return filled_in(instance, worked=worked, written=written)


def _formula(instance: Instance, quantity: Quantity, who: Student, values: Mapping[str, Array]) -> Quantity:
    """The formula that the student takes for a quantity: a wrong one where it is a habit and can be worked by now."""
    for mistake in instance.structure.mistakes:
        if mistake.name == quantity.name and general_code(mistake) in who.habits:
            wrong = next((form for form in mistake.wrong if set(form.inputs) <= values.keys()), None)
            if wrong is not None:
                return wrong
    return quantity
