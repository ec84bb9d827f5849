"""Practising: the problem bank, a sheet, its feedback, the solution, progress."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import flask
import numpy as np
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from quizprop import __version__
from quizprop.exercise.conventions import conventions
from quizprop.exercise.generate import draw
from quizprop.exercise.grade import Grade, grade
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import NOTATIONS
from quizprop.store import practice as records
from quizprop.store.database import DatabaseBusyError
from quizprop.store.people import Visitor
from quizprop.store.practice import StoredSubmission, StoredVariant, VariantClosedError, VariantProgress
from quizprop.web import asked, errors, feedback, limits, pictures, sheet
from quizprop.web.feedback import Feedback
from quizprop.web.forms import answer_form, read_rungs
from quizprop.web.languages import gettext, marked
from quizprop.web.sheet import Work
from quizprop.web.state import database, ensure_visitor, now, remember, services, stay, visitor

__all__ = ["practice"]

practice = Blueprint("practice", __name__)

_EXPIRED: Final = marked(
    "Your visit was renewed in the meantime. Everything you typed is still here: press Check again."
)
_BUSY: Final = marked("The server could not save this just now. Everything you typed is still here: press Check again.")
_CLOSED: Final = marked(
    "This sheet was given up and its solution shown, so it takes no more answers. What you typed stands beside the "
    "solution below."
)
_NOTHING: Final = marked("Nothing is filled in yet: one value is enough to have it checked.")
_NOTHING_CHOSEN: Final = marked("Nothing is chosen yet: one answer is enough to have it checked.")


@dataclass(frozen=True)
class Desk:
    """A visitor's variant with the submissions so far."""

    variant: StoredVariant
    attempts: tuple[StoredSubmission, ...]

    @cached_property
    def instance(self) -> Instance:
        """The exercise with its numbers."""
        return sheet.instance_of(self.variant)

    @property
    def solved(self) -> bool:
        """Whether some submission got full marks."""
        return any(attempt.share == 1 for attempt in self.attempts)

    @property
    def ended(self) -> str:
        """Why the solution may be shown: ``solved``, ``given up``, or nothing."""
        return "solved" if self.solved else "given up" if self.variant.given_up_at is not None else ""

    def same(self, work: Work) -> StoredSubmission | None:
        """The latest attempt with these very texts, read in the same way; None where there is none."""
        equal = (one for one in reversed(self.attempts) if one.raw == work.texts)
        return next((one for one in equal if one.decimal_comma == work.decimal_comma), None)

    def still_said(self, work: Work) -> dict[str, Feedback]:
        """What the latest check told the cells that are as they were, and all that they are computed from too."""
        last = self.attempts[-1] if self.attempts else None
        if last is None or last.decimal_comma != work.decimal_comma:
            return {}
        changed: set[str] = set()
        for cell in self.instance.cells:  # each after what it reads
            if last.raw.get(cell.key, "") != work.texts.get(cell.key, "") or not changed.isdisjoint(cell.depends_on):
                changed.add(cell.key)
        return {key: said for key, said in feedback.told(last.marks).items() if key not in changed}


# --- the pages ------------------------------------------------------------------------------------------------------


@practice.get("/", defaults={"name": None})
@practice.get("/kinds/<name>")
def bank(name: str | None) -> ResponseReturnValue:
    """The problem bank, a kind of exercises at a time; the first where none is named."""
    shelves, known = services().shelves, visitor()
    shelf = next((one for one in shelves if name in (one.name, None)), None) or abort(404)
    worked: tuple[VariantProgress, ...] = ()
    if known is not None:
        with database().read() as session:
            worked = records.progress(session, known.learner_id, recent=100).recent
    return render_template(
        "practice/bank.html",
        shelves=shelves,
        shelf=shelf,
        titles={slug: exercise.title for slug, exercise in services().bank.items()},
        sizes=services().sizes,
        open_variants={one.exercise: one for one in reversed(worked) if not one.solved and one.given_up_at is None},
        solved={one.exercise for one in worked if one.solved},
    )


@practice.post("/exercises/<slug>/start")
def start(slug: str) -> ResponseReturnValue:
    """Hand out a new sheet."""
    exercise = services().bank.get(slug) or abort(404)
    visitor()
    seed = secrets.randbits(128)
    instance = draw(exercise, np.random.default_rng(seed))
    with database().write() as session:
        learner, fresh = ensure_visitor(session)
        variant = hand_out(session, learner, instance, seed)
    remember(fresh)
    return redirect(url_for(".show_sheet", token=variant.token), 303)


@practice.get("/x/<token>")
def show_sheet(token: str) -> ResponseReturnValue:
    """A sheet to fill in; one that was checked before, as its last check left it."""
    desk = open_desk(token)
    notation = choose_notation(request.args.get("notation"))
    if desk.attempts:
        return redirect(url_for(".show_result", token=token, attempt=desk.attempts[-1].attempt, notation=notation))
    return show(desk, Work(decimal_comma=flask.session.get("decimal_comma", False)))


@practice.post("/x/<token>")
def check(token: str) -> ResponseReturnValue:
    """Check a sheet and keep it as an attempt."""
    desk = open_desk(token)
    work = typed(desk)
    if request.form.get("notation"):
        return in_notation(desk, work, request.form["notation"])
    if request.form.get("hint"):
        return as_typed(desk, work)
    if work.empty:
        return show(desk, work, message=gettext(_NOTHING_CHOSEN if desk.instance.questions else _NOTHING)), 422
    graded = grade(desk.instance, work.texts, decimal_comma=work.decimal_comma)
    with database().write() as session:
        stay(session)
        submission = record(session, desk, work, graded)
    return result_of(desk, submission, work)


@practice.get("/x/<token>/s/<attempt>")
def show_result(token: str, attempt: str) -> ResponseReturnValue:
    """What a checked sheet is told."""
    desk = open_desk(token)
    # Compared as text: a number of five thousand digits is no number of an attempt either.
    submission = next((one for one in desk.attempts if str(one.attempt) == attempt), None) or abort(404)
    choose_notation(request.args.get("notation"))
    rungs = read_rungs(request.args.get("hints", ""), submission.raw)
    work = Work(submission.raw, submission.decimal_comma, rungs=rungs)
    return show(desk, replace(work, feedback=feedback.told(submission.marks)), submission=submission)


@practice.post("/x/<token>/give-up")
def give_up(token: str) -> ResponseReturnValue:
    """Close a sheet and show its solution. What was typed last is checked first: it may be all that was missing."""
    desk = open_desk(token)
    work = typed(desk)
    graded = grade(desk.instance, work.texts, decimal_comma=work.decimal_comma)
    submission = desk.same(work)
    with database().write() as session:
        if submission is None and not work.empty:
            submission = record(session, desk, work, graded)
        if not (graded.complete or desk.solved):
            records.give_up(session, desk.variant, now=now())
    if submission is None:
        return redirect(url_for(".show_sheet", token=token), 303)
    return redirect(url_for(".show_result", token=token, attempt=submission.attempt), 303)


@practice.get("/progress")
def progress() -> ResponseReturnValue:
    """What the visitor has done so far."""
    known = visitor()
    done = None
    if known is not None:
        with database().read() as session:
            done = records.progress(session, known.learner_id)
    titles = {slug: exercise.title for slug, exercise in services().bank.items()}
    return render_template("practice/progress.html", done=done, titles=titles)


@practice.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Whether pages can be served: the database answers."""
    with database().read() as session:
        session.connection().exec_driver_sql("SELECT 1")
    return "ok\n", {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}


# --- what the views share -------------------------------------------------------------------------------------------


def hand_out(session: Session, learner: Visitor, instance: Instance, seed: int) -> StoredVariant:
    """Keep a drawn instance as the learner's own, with all that is needed to draw or grade it again.

    Raises:
        TooOftenError: the learner takes one new sheet after the other.
    """
    limits.take(session, now(), ("sheet, learner", learner.learner_id))
    return records.create_variant(
        session,
        learner_id=learner.learner_id,
        exercise=instance.exercise.slug,
        seed=seed,
        spec=instance.exercise.model_dump_json(),
        given=instance.given,
        engine_version=__version__,
        now=now(),
    )


def open_desk(token: str) -> Desk:
    """The visitor's variant; 404 where there is none of this token, or it is somebody else's."""
    known = visitor() or abort(404)
    with database().read() as session:
        variant = records.find_variant(session, token, learner_id=known.learner_id) or abort(404)
        return Desk(variant, records.submissions(session, variant))


def typed(desk: Desk) -> Work:
    """What the request brought, its choice of decimal mark remembered."""
    form = answer_form(tuple(cell.key for cell in desk.instance.cells))()
    if flask.session.get("decimal_comma", False) != form.decimal_comma.data:
        flask.session["decimal_comma"] = form.decimal_comma.data
    return Work(form.texts, bool(form.decimal_comma.data), form.key, rungs=form.rungs)


def choose_notation(name: str | None) -> str | None:
    """Remember a notation if it is one; returns it, or None."""
    if name not in dict(NOTATIONS):
        return None
    flask.session["notation"] = name
    return name


def in_notation(desk: Desk, work: Work, name: str) -> ResponseReturnValue:
    """The same sheet in another notation, with all that is typed and, if it was checked just so, its feedback."""
    choose_notation(name)
    checked = desk.same(work)
    return as_typed(desk, work) if checked is None else result_of(desk, checked, work)


def as_typed(desk: Desk, work: Work) -> ResponseReturnValue:
    """The sheet with all that is typed, unchecked, and what was said of it so far as it is unchanged."""
    checked = desk.same(work)
    said = desk.still_said(work) if checked is None else feedback.told(checked.marks)
    return show(desk, replace(work, feedback=said), submission=checked)


def result_of(desk: Desk, submission: StoredSubmission, work: Work) -> ResponseReturnValue:
    """On to the page of a checked sheet, with the hints open that are open now."""
    token, attempt = desk.variant.token, submission.attempt
    return redirect(url_for(".show_result", token=token, attempt=attempt, hints=work.hints or None), 303)


def record(session: Session, desk: Desk, work: Work, graded: Grade) -> StoredSubmission:
    """Keep a checked sheet.

    The key names the sheet of paper and what is on it: sent twice it counts once, but what was changed after the
    browser's Back is a new attempt.
    """
    content = json.dumps([work.key, work.decimal_comma, work.texts], sort_keys=True)
    submission, _ = records.record_submission(
        session,
        desk.variant,
        key=hashlib.sha256(content.encode()).hexdigest(),
        raw=work.texts,
        decimal_comma=work.decimal_comma,
        numbers={key: mark.reading.value for key, mark in graded.marks.items()},
        marks={key: feedback.write(mark) for key, mark in graded.marks.items()},
        points=graded.points,
        out_of=graded.out_of,
        engine_version=__version__,
        now=now(),
    )
    return submission


def show(desk: Desk, work: Work, *, submission: StoredSubmission | None = None, message: str = "") -> str:
    """The page of a sheet."""
    instance = desk.instance
    notation = flask.session.get("notation", instance.exercise.notation)
    if instance.network is None and notation != "plain":
        notation = "course"
    if submission is None:
        known, summary, first_error = {}, None, None
    else:
        known = sheet.stored_values(submission.numbers, work.feedback)
        summary = feedback.summarise(work.feedback, submission.points)
        first_error = summary.first_error
    shared = {
        "words": feedback.WORDS,
        "exercise": instance.exercise,
        "token": desk.variant.token,
        "attempt": submission,
        "attempts": desk.attempts,
        "ended": desk.ended,
        "message": message,
        "work": work,
        "summary": summary,
        "notation": notation,
        # A lesson brings its own symbols: they or the keys.
        "notations": NOTATIONS
        if instance.network
        else tuple(one for one in NOTATIONS if one[0] in ("course", "plain")),
        "again": services().again(instance.exercise),
    }
    if instance.questions:
        questions = asked.asks(instance, notation, work, ended=bool(desk.ended))
        shown, first = asked.worked(instance, work) if desk.ended else (work, None)
        names = {one.key: (one.id, one.name) for one in questions}
        about = _about(instance.as_sheet, notation, shown, first, known={}, ended=desk.ended)
        return render_template("practice/questions.html", **shared, **about, asks=questions, names=names)
    sections = sheet.sections(instance, notation, work)
    names = {entry.key: (entry.id, entry.symbol) for section in sections for entry in section.entries}
    about = _about(instance, notation, work, first_error, known=known, ended=desk.ended)
    return render_template("practice/sheet.html", **shared, **about, sections=sections, names=names)


def _about(
    instance: Instance, notation: str, work: Work, first_error: str | None, *, known: Mapping[str, float], ended: str
) -> dict[str, Any]:
    """What a page tells of the numbers and, when the work is done, of the solution."""
    return {
        "conventions": conventions(instance, notation),
        # A lesson's graph is as long as its computation: it goes across the page.
        "across": instance.network is None,
        "diagram": sheet.diagram(instance, notation, instance.values if ended else known),
        "givens": sheet.givens(instance, notation),
        "ways": pictures.ways(instance, notation),
        "solution": sheet.solution(instance, notation, work, first_error) if ended else None,
        "flow": pictures.flow(instance, notation) if ended else (),
        "graph": pictures.graph(instance, notation) if ended and instance.network else None,
        "future": pictures.future(instance, notation) if ended else (),
    }


def keep(message: str, status: int, headers: Mapping[str, str] | None = None) -> ResponseReturnValue:
    """The typed work again, on its sheet where that can be found, else in a plain list."""
    token: Any = (request.view_args or {}).get("token")
    if request.method == "POST" and token:
        try:
            desk = open_desk(token)
            return show(desk, typed(desk), message=message), status, dict(headers or {})
        except (SQLAlchemyError, DatabaseBusyError, NotFound):
            pass
    return errors.page(status, headers=headers)


@practice.errorhandler(CSRFError)
def expired(_error: CSRFError) -> ResponseReturnValue:
    """The form's token is missing, or of an earlier session."""
    return keep(gettext(_EXPIRED), 400)


@practice.errorhandler(VariantClosedError)
def closed(_error: VariantClosedError) -> ResponseReturnValue:
    """The sheet was given up, in another tab perhaps."""
    return keep(gettext(_CLOSED), 409)


@practice.errorhandler(DatabaseBusyError)
@practice.errorhandler(SQLAlchemyError)
def busy(error: Exception) -> ResponseReturnValue:
    """The database is locked or away."""
    if not errors.is_busy(error):
        raise error
    return keep(gettext(_BUSY), 503, {"Retry-After": "5"})
