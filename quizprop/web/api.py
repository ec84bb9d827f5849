"""The JSON API for scripts, under ``/api/v1``: exercises, variants, submissions, results, and the exports of a course.

A program comes in by a token of its account, ``Authorization: Bearer qp_...``; nothing here reads a cookie, so no other
site can use it with somebody's browser. Errors are problems as RFC 9457 describes them.
"""

import json
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import wraps
from typing import Annotated, Any, Final, TypeVar

import numpy as np
from flask import Blueprint, Response, abort, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from quizprop import __version__
from quizprop.exercise.cells import Cell
from quizprop.exercise.certify import PICK
from quizprop.exercise.generate import draw
from quizprop.exercise.grade import Grade
from quizprop.exercise.instance import Instance
from quizprop.exercise.numbers import typed_number
from quizprop.exercise.record import in_words, network_of, slip_sheet
from quizprop.store import api_tokens, classroom, learning, practice
from quizprop.store.api_tokens import Scope
from quizprop.store.classroom import Gradebook, Member
from quizprop.store.database import DatabaseBusyError, Session
from quizprop.store.practice import (
    NoAttemptsLeftError,
    SetClosedError,
    StoredSubmission,
    StoredVariant,
    VariantClosedError,
    VariantProgress,
)
from quizprop.store.sets import withheld_items
from quizprop.web import errors, limits
from quizprop.web.desk import Desk, SheetNotYetError, check_work, open_desk, record
from quizprop.web.errors import problem
from quizprop.web.forms import is_key, new_key
from quizprop.web.limits import TooOftenError
from quizprop.web.practice import hand_out
from quizprop.web.rendering import iso
from quizprop.web.sheet import Work
from quizprop.web.state import database, now, services, visitor

__all__ = ["api", "openapi"]

View = Callable[..., ResponseReturnValue]
_Model = TypeVar("_Model", bound=BaseModel)

api = Blueprint("api", __name__, url_prefix="/api/v1")

_PAGE: Final = 100
_SHOWN: Final = 40  # characters of a value in a message
_LONGEST_NAME: Final = 100
_ANSWER: Final = "text of at most 200 characters, a finite number, or null for a blank"
Text = Annotated[str, Field(max_length=200)]


class _Body(BaseModel):
    """What a program sends. The description of a field is what a message tells to write there."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Draw(_Body):
    """Which exercise to draw a variant of."""

    exercise: Annotated[
        str,
        Field(
            max_length=60,
            description="the name of an exercise, text of at most 60 characters; /exercises lists them",
            examples=["mazur-like"],
        ),
    ]


class Answers(_Body):
    """Answers by cell, as a student types them, or numbers; null and what is missing are blank.

    Of options it is the number, the first of them having the number ``options_from`` of its cell, or the words.
    """

    answers: Annotated[
        dict[str, Text | float | int | None],
        Field(
            max_length=1000,
            description='an object of at most 1000 answers by cell, as in {"z1[1]": "0.3775", "z1[2]": 0.3925}',
            examples=[{"z1[1]": "0.3775", "z1[2]": 0.3925}],
        ),
    ]
    decimal_comma: Annotated[bool, Field(description="true where the texts have a decimal comma, or false")] = False


class NotAsItShouldBeError(ValueError):
    """A request says something else than its description; a sentence for each field that does."""


# --- what a program may ask -----------------------------------------------------------------------------------------


def scoped(scope: Scope) -> Callable[[View], View]:
    """Let a view be asked only with a token that has this scope."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(**parts: str) -> ResponseReturnValue:
            come_in(scope)
            return view(**parts)

        return guarded

    return guard


@api.get("/openapi.json")
def show_openapi() -> ResponseReturnValue:
    """The description of all this for programs."""
    return answer(openapi())


@api.get("/exercises")
def list_exercises() -> ResponseReturnValue:
    """The problem bank."""
    sizes = services().sizes
    found = [
        {"exercise": slug, "title": one.title, "topic": one.topic, "kind": one.question, "cells": sizes[slug]}
        for slug, one in services().bank.items()
    ]
    return answer({"exercises": found})


@api.post("/variants")
@scoped("practice")
def draw_variant() -> ResponseReturnValue:
    """A new sheet of an exercise."""
    wanted = body(Draw)
    exercise = services().bank.get(wanted.exercise)
    if exercise is None:
        return problem(422, "No such exercise", f"The bank has no exercise {wanted.exercise!r}; /exercises lists them.")
    seed = secrets.randbits(128)
    instance = draw(exercise, np.random.default_rng(seed))
    with database().write() as session:
        variant = hand_out(session, visitor() or abort(401), instance, seed)
    return answer(told(variant, instance), 201)


@api.get("/variants/<token>")
@scoped("practice")
def show_variant(token: str) -> ResponseReturnValue:
    """A sheet with what was handed in."""
    desk = open_desk(token)
    marks = [told_of(one, desk) for one in desk.attempts]
    return answer({**told(desk.variant, desk.instance), "ended": desk.ended or None, "submissions": marks})


@api.post("/variants/<token>/submissions")
@scoped("practice")
def submit(token: str) -> ResponseReturnValue:
    """Hand answers in; with an ``Idempotency-Key``, and in a problem set always, a repetition changes nothing."""
    desk = open_desk(token)
    work = sent_work([cell.key for cell in desk.instance.cells])
    if (counted := desk.counted(work, "")) is not None:
        return answer(told_of(counted, desk), 201)
    graded = check_work(desk, work)
    with database().write() as session:
        stored = record_once(session, desk, work, graded)
    return answer(told_of(stored, desk), 201)


@api.get("/results")
@scoped("practice")
def list_results() -> ResponseReturnValue:
    """The account's sheets, the latest first, a hundred at a time."""
    page = request.args.get("page", "1")
    if not (page.isascii() and page.isdigit() and len(page) < 7 and 1 <= int(page) < 100_000):
        return problem(422, "No such page", "page is a whole number from 1.")
    known = visitor() or abort(401)
    with database().read() as session:
        hidden = withheld_items(session, known.learner_id, now())
        skip = (int(page) - 1) * _PAGE
        found = practice.sheets(session, known.learner_id, skip=skip, count=_PAGE, hidden=hidden)
    return answer({"results": [result_of(one) for one in found], "page": int(page)})


@api.get("/courses")
@scoped("courses")
def list_courses() -> ResponseReturnValue:
    """The courses that the account is in."""
    known = visitor() or abort(401)
    with database().read() as session:
        seats = classroom.courses_of(session, known.learner_id)
    rows = [{"token": one.course.token, "title": one.course.title, "role": one.role} for one in seats]
    return answer({"courses": rows})


@api.get("/courses/<token>/grades")
@scoped("courses")
def show_course_grades(token: str) -> ResponseReturnValue:
    """The gradebook of a course, for those who see its work."""
    known = visitor() or abort(401)
    with database().read() as session:
        seat = classroom.take_seat(session, token, learner_id=known.learner_id) or abort(404)
        book = classroom.gradebook(session, seat) if seat.sees_work else abort(404)
    items = [
        {
            "item": one.item_id,
            "set": one.set_title,
            "set_token": one.set_token,
            "position": one.position,
            "exercise": one.exercise,
            "points": one.points,
        }
        for one in book.columns
    ]
    return answer({"items": items, "students": [student_row(book, one) for one in book.students]})


# --- what the views share -------------------------------------------------------------------------------------------


def come_in(scope: Scope) -> None:
    """Know who asks by the token of the request; 401 where nobody has it, 403 where it may not do this."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    with database().read() as session:
        found = api_tokens.find_token(session, token.strip()) if kind.lower() == "bearer" else None
    if found is None:
        abort(401)
    g.visitor, stored = found
    if scope not in stored.scopes:
        abort(403)
    with database().write() as session:
        limits.take(session, now(), ("api, learner", g.visitor.learner_id))
        api_tokens.note_use(session, stored, now())


def body(model: type[_Model]) -> _Model:
    """The JSON of a request, checked.

    Raises:
        NotAsItShouldBeError: it is JSON, and something else than this; the request is answered with 422.
    """
    if not request.is_json:
        abort(415)
    try:
        return model.model_validate(request.get_json())
    except ValidationError as error:
        raise NotAsItShouldBeError(*findings(model, error)) from None


def findings(model: type[BaseModel], error: ValidationError) -> Iterator[str]:
    """What is wrong with a body, a sentence for each field: what stands there, and what to write."""
    told: set[str] = set()
    names = ", ".join(model.model_fields)
    for one in error.errors(include_url=False, include_context=False):
        path = [str(part) for part in one["loc"][:2]]  # what comes after it is the form that pydantic tried
        field = ".".join(path)[:_LONGEST_NAME]
        stands = "missing" if one["type"] == "missing" else shown(one["input"])
        if field in told:
            continue
        told.add(field)
        if not path:
            yield f"The body is {stands}; write an object with {names}"
        elif path[0] not in model.model_fields:
            yield f"{field} is not known; leave it out: known are {names}"
        else:
            yield f"{field} is {stands}; write {_ANSWER if path[1:] else model.model_fields[path[0]].description}"


def shown(value: object) -> str:
    """A value as it was sent, the beginning where it is long; of one that holds others its kind."""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def idempotency_key() -> str:
    """The name that a program gives to an attempt, or a new one.

    Raises:
        NotAsItShouldBeError: it is no name; a part of it may be that of another attempt.
    """
    sent = request.headers.get("Idempotency-Key")
    if sent is not None and not is_key(sent):
        found = f"Idempotency-Key is {shown(sent)}; write at most 64 letters, digits, - and _, or leave it out"
        raise NotAsItShouldBeError(found)
    return sent or new_key()


def sent_work(keys: Collection[str]) -> Work:
    """The answers that were sent to these cells, as a page would send them.

    Raises:
        NotAsItShouldBeError: another cell is answered, or none of them.
    """
    sent = body(Answers)
    comma, strangers = sent.decimal_comma, sorted(set(sent.answers).difference(keys))
    if strangers:
        raise NotAsItShouldBeError(f"{', '.join(strangers)[:200]} is not asked; asked are {', '.join(sorted(keys))}")
    texts = {key: written(sent.answers.get(key), decimal_comma=comma) for key in keys}
    work = Work(texts, comma, idempotency_key())
    if work.empty:
        raise NotAsItShouldBeError("answers has no value; one is enough to have it checked")
    return work


def record_once(session: Session, desk: Desk, work: Work, graded: Grade) -> StoredSubmission:
    """Keep a checked sheet; in a problem set, the one that was kept of the same text while this one was graded."""
    learning.hold_learner(session, desk.variant.learner_id)
    now_kept = replace(desk, attempts=practice.submissions(session, desk.variant))
    return now_kept.counted(work, "") or record(session, now_kept, work, graded)


def written(value: str | float | None, *, decimal_comma: bool) -> str:
    """An answer as text."""
    if value is None or isinstance(value, str):
        return value or ""
    return typed_number(value, decimal_comma=decimal_comma)


def told(variant: StoredVariant, instance: Instance) -> dict[str, Any]:
    """What a program is told of a sheet: all that is given, nothing that is asked."""
    exercise, filled = instance.exercise, slip_sheet(instance)
    questions = {one.key: in_words(instance, one) for one in instance.questions}
    return {
        "token": variant.token,
        "exercise": variant.exercise,
        "kind": exercise.question,
        "network": network_of(exercise),
        "places": exercise.places,
        "created_at": iso(variant.created_at),
        "url": url_for("practice.show_sheet", token=variant.token, _external=True),
        "given": {name: value for name, value in variant.given.items() if name != PICK},
        **({} if filled is None else {"sheet": filled}),
        "cells": [told_cell(cell, questions.get(cell.key)) for cell in instance.cells],
    }


def told_cell(cell: Cell, question: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is asked, in words where it is a question; the first of its options has the number ``options_from``."""
    about: dict[str, Any] = {"key": cell.key, "title": cell.title, "phase": cell.phase.value}
    if question is not None:
        return {**about, **question, "options_from": 1}
    return {**about, "options": cell.options, "options_from": 0} if cell.options else about


def told_of(submission: StoredSubmission, desk: Desk) -> dict[str, Any]:
    """What a program is told of a submission; of one whose problem set waits, only that it is there."""
    about: dict[str, Any] = {"attempt": submission.attempt, "created_at": iso(submission.created_at)}
    if desk.withheld:
        return {**about, "marks": None, "points": None, "out_of": submission.out_of}
    marks = {
        key: {name: value for name, value in mark.items() if name in ("verdict", "codes", "sentences", "problem")}
        for key, mark in submission.marks.items()
    }
    return {**about, "marks": marks, "points": submission.points, "out_of": submission.out_of}


def result_of(one: VariantProgress) -> dict[str, Any]:
    """What a program is told of how a sheet went."""
    about = {"token": one.token, "exercise": one.exercise, "created_at": iso(one.created_at)}
    return {**about, "attempts": one.attempts, "best_share": one.best_share}


def student_row(book: Gradebook, student: Member) -> dict[str, Any]:
    """What a program is told of a student of the gradebook."""
    points, out_of = book.total(student)
    scores = {str(column.item_id): book.points(student, column) for column in book.columns}
    excused = [column.item_id for column in book.columns if book.excused(student, column)]
    about = {"username": student.username, "name": student.name, "section": student.section, "id": student.external_id}
    return {**about, "points": scores, "excused": excused, "total": points, "out_of": out_of}


def answer(content: Mapping[str, Any], status: int = 200) -> Response:
    """JSON, kept by nobody on the way."""
    head = {"Cache-Control": "no-store"}
    return Response(json.dumps(content, allow_nan=False) + "\n", status, head, mimetype="application/json")


_WORDS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("Bad request", "The body can't be read as JSON: send an object, in UTF-8."),
    401: ("Who are you?", "Send a token of your account: Authorization: Bearer qp_..."),
    403: ("Not with this token", "The token does not have the scope for this, or the set may not be worked from here."),
    404: ("Not found", "There is no such thing, or it is somebody else's."),
    413: ("Too large", "The body is larger than any sheet: send less."),
    415: ("Not JSON", "The content type is not that of JSON: send Content-Type: application/json."),
}


@api.errorhandler(HTTPException)
def on_http_error(error: HTTPException) -> ResponseReturnValue:
    """Any other refusal."""
    status = error.code or 500
    title, detail = _WORDS.get(status, (error.name, error.description or error.name))
    return problem(status, title, detail, {"WWW-Authenticate": "Bearer"} if status == 401 else None)


@api.errorhandler(NotAsItShouldBeError)
def on_bad_body(error: NotAsItShouldBeError) -> ResponseReturnValue:
    """A body that is JSON, and not as it should be."""
    return problem(422, "Not as it should be", ". ".join(map(str, error.args)) + ".")


@api.errorhandler(SheetNotYetError)
def on_not_yet(error: SheetNotYetError) -> ResponseReturnValue:
    """The problem set of the sheet is not open yet, or not begun."""
    return problem(409, "Too early", str(error))


@api.errorhandler(VariantClosedError)
@api.errorhandler(SetClosedError)
@api.errorhandler(NoAttemptsLeftError)
def on_rule(error: Exception) -> ResponseReturnValue:
    """The sheet or its problem set takes no more answers."""
    return problem(409, "Closed", str(error))


@api.errorhandler(TooOftenError)
def on_too_often(error: TooOftenError) -> ResponseReturnValue:
    """A limit is reached."""
    return problem(429, "Too often", limits.when_again(error.seconds), errors.retry_after(error))


@api.errorhandler(DatabaseBusyError)
@api.errorhandler(SQLAlchemyError)
def on_busy(error: Exception) -> ResponseReturnValue:
    """The database is locked or away."""
    errors.only_busy(error)
    return problem(503, "Busy", "The server could not do this just now: try again.", {"Retry-After": "5"})


# --- the description ------------------------------------------------------------------------------------------------

_PROBLEM: Final = {
    "description": "A problem (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_OBJECT: Final = {"type": "object"}
_SHEET: Final = {"$ref": "#/components/schemas/Sheet"}
_BODY_FAILS: Final = (400, 413, 415, 422)
_TOKEN_PART: Final = {"name": "token", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


_SHEET_WORDS: Final = {
    "token": "its name in /variants/{token}",
    "exercise": "the family it is of",
    "kind": "how it asks: sheet, find_slip, choose or true_false",
    "network": "what it is worked on, as an exercise file spells it: a network, or a lesson by its kind and options",
    "places": "the number of decimals that the work is carried to",
    "created_at": "when it was drawn",
    "url": "its page",
    "given": "the given numbers by name, lists where there are many",
    "sheet": "the sheet that holds the slip to find, as it is filled in: values by cell",
    "cells": "what is asked",
    "ended": "why its solution may be seen, or null",
    "submissions": "what was handed in, and how it was marked",
}
_CELL_WORDS: Final = {
    "key": "its name in the answers",
    "title": "what it is",
    "phase": "the part of the work that it belongs to",
    "question": "the question in words",
    "options": "the options in words, where there is something to choose",
    "options_from": "the number of the first option; an answer is a number, or the words",
}


def _object(words: Mapping[str, str], *, optional: tuple[str, ...]) -> dict[str, Any]:
    properties: dict[str, dict[str, Any]] = {name: {"description": each} for name, each in words.items()}
    return {"type": "object", "properties": properties, "required": [name for name in words if name not in optional]}


def _operation(
    words: str,
    *,
    ok: int = 200,
    scope: str | None = None,
    sends: str = "",
    gets: Mapping[str, Any] = _OBJECT,
    fails: tuple[int, ...] = (),
) -> dict[str, Any]:
    open_to_all = scope is None
    fails = fails if open_to_all else (401, 403, 429, 503, *fails)
    found: dict[str, Any] = {
        "summary": words,
        "security": [] if open_to_all else [{"token": []}],
        "responses": {
            str(ok): {"description": "Done", "content": {"application/json": {"schema": gets}}},
            **{str(status): _PROBLEM for status in sorted(fails)},
        },
    }
    if sends:
        schema = {"$ref": f"#/components/schemas/{sends}"}
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return found


def openapi() -> dict[str, Any]:
    """The OpenAPI document."""
    page = {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 99_999}}
    key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}}
    token = [_TOKEN_PART]
    practising, classes = "practice", "courses"
    paths: dict[str, Any] = {
        "/exercises": {"get": _operation("The problem bank")},
        "/variants": {
            "post": _operation("Draw a sheet", ok=201, scope=practising, sends="Draw", gets=_SHEET, fails=_BODY_FAILS)
        },
        "/variants/{token}": {
            "get": _operation("A sheet with what was handed in", scope=practising, gets=_SHEET, fails=(404, 409)),
            "parameters": token,
        },
        "/variants/{token}/submissions": {
            "post": {
                **_operation(
                    "Hand answers in", ok=201, scope=practising, sends="Answers", fails=(404, 409, *_BODY_FAILS)
                ),
                "parameters": [key],
            },
            "parameters": token,
        },
        "/results": {"get": {**_operation("Your sheets", scope=practising, fails=(422,)), "parameters": [page]}},
        "/courses": {"get": _operation("Your courses", scope=classes)},
        "/courses/{token}/grades": {
            "get": _operation("The gradebook of a course", scope=classes, fails=(404,)),
            "parameters": token,
        },
    }
    schemas = {one.__name__: one.model_json_schema() for one in (Draw, Answers)}
    schemas["Sheet"] = _object(_SHEET_WORDS, optional=("sheet", "ended", "submissions"))
    schemas["Sheet"]["properties"]["cells"] |= {
        "type": "array",
        "items": _object(_CELL_WORDS, optional=("question", "options", "options_from")),
    }
    fields = {"type": "string", "title": "string", "status": "integer", "detail": "string"}
    schemas["Problem"] = {"type": "object", "properties": {name: {"type": kind} for name, kind in fields.items()}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "quizprop", "version": __version__, "description": "Backpropagation by hand, for scripts."},
        "servers": [{"url": "/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


@api.get("/")
def show_page() -> ResponseReturnValue:
    """All this for people."""
    visitor()
    described_paths = [
        (method.upper(), path, one["summary"], bool(one["security"]))
        for path, methods in openapi()["paths"].items()
        for method, one in methods.items()
        if method != "parameters"
    ]
    base = request.host_url.rstrip("/")
    return render_template("profile/api.html", paths=described_paths, base=base)
