"""Worksheets on the site: a problem set on paper for a class, and the way from a sheet of paper to the same numbers."""

import math
import secrets
from collections.abc import Iterable, Iterator
from typing import Final

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from quizprop.exercise.generate import CannotCertifyError
from quizprop.exercise.spec import Exercise
from quizprop.store import sets
from quizprop.store.classroom import CourseWork, Member
from quizprop.store.practice import StoredVariant
from quizprop.store.sets import AssignedSet, ItemWork
from quizprop.web import errors, limits
from quizprop.web.builder import items_in, page_of, parts_of, work_in
from quizprop.web.languages import gettext, marked, say
from quizprop.web.own_exercises import exercise_page, find
from quizprop.web.practice import hand_out
from quizprop.web.question_banks import FORMATS
from quizprop.web.seats import teaching
from quizprop.web.sets import drawn_for
from quizprop.web.sheet import instance_of
from quizprop.web.state import database, ensure_visitor, now, remember, services, stay, visitor
from quizprop.web.typeset import NoTypstError
from quizprop.web.worksheets import (
    PAPERS,
    Code,
    NotFoundYetError,
    Printed,
    as_html,
    as_pdf,
    instance_at,
    printed,
    read_code,
    to_seek,
)

__all__ = ["printing"]

printing = Blueprint("printing", __name__)

_MOST: Final = 200
_SEARCH: Final = 50
"""How many numbers of worksheets are sought for one of the limit."""
_EXPORT: Final = 20.0
"""Seconds of the processor in which the variants of a question bank are found, if they are."""
_COUNT: Final = marked("Choose a format, and from 1 to 200 variants.")
_PART: Final = marked("These are more worksheets than go into one file: choose for which students it is to be.")
_NO_TYPST: Final = marked(
    "This server makes no PDF: take the sheets as HTML and print them, or have its extra pdf added."
)


# --- from paper to the site -----------------------------------------------------------------------------------------


@printing.get("/w/<code>")
def show_code(code: str) -> ResponseReturnValue:
    """What the code of a worksheet stands for, and the button that opens it."""
    known, exercise = meant(code)
    visitor()
    return render_template("worksheet/code.html", code=known, exercise=exercise)


@printing.post("/w/<code>")
def open_code(code: str) -> ResponseReturnValue:
    """Hand out the numbers of a worksheet."""
    known, exercise = meant(code)
    visitor()
    with database().write() as session:
        learner, fresh = ensure_visitor(session)
        searches = math.ceil(to_seek(exercise, known) / _SEARCH)
        limits.take(
            session, now(), *[("search, address", limits.client()), ("search, learner", learner.learner_id)] * searches
        )
    remember(fresh)
    instance = instance_at(exercise, known)
    with database().write() as session:
        variant = hand_out(session, learner, instance, known.seed)
    return redirect(url_for("practice.show_sheet", token=variant.token), 303)


# --- from the site to paper -----------------------------------------------------------------------------------------


@printing.post("/courses/<token>/sets/<name>/worksheets")
def print_set(token: str, name: str) -> ResponseReturnValue:
    """A problem set on paper: every student's own numbers, or their key; a part of the students where they are many."""
    seat, what = teaching(token), request.form.get("do", "pdf")
    work = work_in(seat, name)
    if work.published_at is None or what not in ("pdf", "key", "html", "html-key"):
        abort(404)
    students = part_of(parts_of(seat, len(items_in(work.stored))))
    if students is None:
        return page_of(seat, work, gettext(_PART)), 422
    with database().write() as session:
        limits.take(session, now(), ("print, learner", seat.learner_id))
    sheets = tuple(of_students(students, work))
    title, key = work.stored.title, what.endswith("key")
    if what.startswith("html"):
        return file(as_html(sheets, title=title, key=key).encode(), "text/html; charset=utf-8", f"{what}.html")
    paper = PAPERS.get(request.form.get("paper", "a4"), "a4")
    return file(as_pdf(sheets, title=title, key=key, paper=paper), "application/pdf", f"{what}.pdf")


@printing.post("/courses/<token>/exercises/<slug>/bank")
def export_bank(token: str, slug: str) -> ResponseReturnValue:
    """Variants of an exercise as a question bank for another platform, or as worksheets with their key."""
    seat, form, count = teaching(token), request.form.get("format", "moodle"), request.form.get("count", "")
    exercise, source = find(seat, slug)
    if form not in FORMATS or not (count.isascii() and count.isdigit() and len(count) < 7 and 1 <= int(count) <= _MOST):
        return exercise_page(seat, slug, exercise, source, problem=gettext(_COUNT)), 422
    with database().write() as session:
        limits.take(session, now(), ("print, learner", seat.learner_id))
    write, ending = FORMATS[form]
    sheets = printed(exercise, seed=secrets.randbits(62), count=int(count), seconds=_EXPORT)
    try:
        content = write(sheets, title=say(exercise.title))
    except CannotCertifyError as error:
        return exercise_page(seat, slug, exercise, source, problem=str(error)), 422
    return file(content, "application/octet-stream", f"{exercise.slug}-{form}{ending}")


# --- what the views share -------------------------------------------------------------------------------------------


def meant(code: str) -> tuple[Code, Exercise]:
    """The code and its exercise; 404 where it is none of the bank."""
    known = read_code(code) or abort(404)
    return known, services().bank.get(known.slug) or abort(404)


def part_of(parts: tuple[tuple[Member, ...], ...]) -> tuple[Member, ...] | None:
    """The students of the part that was chosen; None where one has to be, and is not."""
    by_number = {str(number): part for number, part in enumerate(parts, start=1)}
    return parts[0] if len(parts) == 1 else by_number.get(request.form.get("part", ""))


def of_students(students: Iterable[Member], work: CourseWork) -> Iterator[Printed]:
    """The sheets of students, handed out where they are not yet; by students, then by items."""
    for student in students:
        with database().read() as session:
            of = sets.stands_of(session, work.stored, student.learner_id, now())
        if of is None:
            continue
        for item in of.items:
            variant = sheet_of(student, of, item)
            who = student.name or student.username or gettext("(no account)")
            address = url_for("practice.show_sheet", token=variant.token, _external=True)
            yield Printed(instance_of(variant), variant.token, who, address)


def sheet_of(student: Member, of: AssignedSet, item: ItemWork) -> StoredVariant:
    """A student's sheet of an item, handed out where it is not yet."""
    with database().read() as session:
        variant = sets.started(session, student.learner_id, item)
    if variant is not None:
        return variant
    drawn = drawn_for(of, item)
    with database().write() as session:
        stay(session)
        return sets.start_item(session, student.learner_id, item, now=now(), ahead=True, **drawn)


def file(content: bytes, kind: str, name: str) -> Response:
    """A file to save."""
    head = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, content_type=kind, headers=head)


@printing.errorhandler(NotFoundYetError)
def not_found_yet(_error: NotFoundYetError) -> ResponseReturnValue:
    """The numbers of a worksheet are still to be found: sent again, the search goes on."""
    return errors.page(503, headers={"Retry-After": "5"})


@printing.errorhandler(NoTypstError)
def no_typst(_error: NoTypstError) -> ResponseReturnValue:
    """PDF is an extra that this server does not have."""
    return Response(gettext(_NO_TYPST) + "\n", 501, content_type="text/plain; charset=utf-8")
