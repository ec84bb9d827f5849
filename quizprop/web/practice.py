"""Practising: the problem bank, a sheet, its feedback, the solution, progress."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import flask
import numpy as np
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, generate_csrf
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from quizprop import __version__
from quizprop.exercise.generate import draw
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import NOTATIONS
from quizprop.store import drafts, schema
from quizprop.store import practice as records
from quizprop.store.database import DatabaseBusyError, Session
from quizprop.store.drafts import StaleDraftError, StoredDraft
from quizprop.store.people import Visitor
from quizprop.store.practice import (
    NoAttemptsLeftError,
    SetClosedError,
    StoredSubmission,
    StoredVariant,
    VariantClosedError,
    VariantProgress,
)
from quizprop.store.sets import withheld_items
from quizprop.web import desk as desks
from quizprop.web import errors, feedback, limits, sets
from quizprop.web.desk import Desk, SheetNotYetError, check_work, open_desk, page, record, scope, typed
from quizprop.web.forms import cell_text, is_key, new_key, read_keys, read_seq
from quizprop.web.languages import decimal_comma, gettext, marked
from quizprop.web.limits import TooOftenError, when_again
from quizprop.web.rendering import clock, iso
from quizprop.web.sheet import Work, aloud, cell
from quizprop.web.state import database, ensure_visitor, now, remember, services, stay, visitor

__all__ = ["hand_out", "practice"]

practice = Blueprint("practice", __name__)
practice.add_app_template_filter(cell)
practice.add_app_template_filter(aloud)

_EXPIRED: Final = marked(
    "Your visit was renewed in the meantime. Everything you typed is still here: press Check again."
)
_A_LINE: Final = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
_BUSY: Final = marked("The server could not save this just now. Everything you typed is still here: press Check again.")
_CLOSED: Final = marked(
    "This sheet was given up and its solution shown, so it takes no more answers. What you typed stands beside the "
    "solution below."
)
_STALE: Final = marked(
    "Newer text was saved on this sheet somewhere else, in another tab perhaps. It stays as it is: open the sheet anew "
    "to see it. What you typed here is below, and Check takes it as it is."
)
_SAME: Final = marked("This very text was checked before, as attempt %(attempt)s: it does not count again.")
_LAST: Final = marked(
    "This sheet was checked somewhere else meanwhile, so this would be your last attempt: it was not made. Everything "
    "you typed is still here: press Check again to make it."
)
_OFTEN: Final = marked("You have had very much checked in a short time. Everything you typed is still here.")
_NOT_YET: Final = marked("This problem set shows no solution yet. What you typed is still here.")
_GONE: Final = marked("This visit has ended: sign in, and open the sheet again.")
_NOTHING: Final = marked("Nothing is filled in yet: one value is enough to have it checked.")
_NOTHING_CHOSEN: Final = marked("Nothing is chosen yet: one answer is enough to have it checked.")


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
            hidden = withheld_items(session, known.learner_id, now())
            worked = records.progress(session, known.learner_id, recent=100, hidden=hidden).recent
    return render_template(
        "practice/bank.html",
        shelves=shelves,
        shelf=shelf,
        titles={slug: exercise.title for slug, exercise in services().bank.items()},
        sizes=services().sizes,
        open_variants={one.exercise: one for one in reversed(worked) if to_finish(one)},
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
    """A sheet to fill in: what was typed last, else as its last check left it, else empty."""
    desk = open_desk(token)
    notation = choose_notation(request.args.get("notation"))
    pending = desk.pending
    if pending is not None:
        return as_typed(desk, desk.work(pending.raw, decimal_comma=pending.decimal_comma))
    if desk.last is not None:
        return redirect(url_for(".show_result", token=token, attempt=desk.last.attempt, notation=notation))
    return page(desk, desk.work(decimal_comma=decimal_comma()))


@practice.post("/x/<token>")
def check(token: str) -> ResponseReturnValue:
    """Check a sheet, or one phase of it, and keep it as an attempt; or do what else one of its buttons asks for."""
    desk = open_desk(token)
    work = typed(desk)
    for name, do in (("notation", in_notation), ("hint", with_hint), ("save", saved)):
        if request.form.get(name):
            return do(desk, work, request.form[name])
    phase = request.form.get("phase", "")
    only = scope(desk, phase)
    if not any(text.strip() for key, text in work.texts.items() if only is None or key in only):
        return page(desk, work, message=gettext(_NOTHING_CHOSEN if desk.instance.questions else _NOTHING)), 422
    if desk.place is not None and (answer := not_counted(desk, work, phase)) is not None:
        return answer
    graded = check_work(desk, work, only)
    with database().write() as session:
        stay(session)
        submission, checked = record(session, desk, work, graded, phase), other_text(session, desk, work)
    return result_of(desk, submission, f"phase-{phase.replace(' ', '-')}" if only else "summary", checked=checked)


@practice.post("/x/<token>/draft")
def save_draft(token: str) -> ResponseReturnValue:
    """Keep what is typed, for the page's script: JSON in, JSON out."""
    desk = open_desk(token)
    sent: Any = request.get_json(silent=True)
    if not is_draft(sent):
        return {"error": "A draft is an object with seq, key, texts and decimal_comma."}, 400
    if desk.ended:
        return {"error": gettext("This sheet takes no more answers.")}, 409
    texts = {cell.key: cell_text(str(sent["texts"].get(cell.key, ""))) for cell in desk.instance.cells}
    seq, before = read_seq(sent.get("seq")), read_keys(sent.get("sent", ""))
    draft = keep_draft(desk, Work(texts, bool(sent.get("decimal_comma")), seq=seq, sent=before), sent["key"])
    return {"seq": draft.seq, "saved_at": iso(draft.saved_at), "time": clock(draft.saved_at).striptags()}


@practice.get("/x/<token>/s/<attempt>")
def show_result(token: str, attempt: str) -> ResponseReturnValue:
    """What a checked sheet is told."""
    desk = open_desk(token)
    # Compared as text: a number of five thousand digits is no number of an attempt either.
    submission = next((one for one in desk.attempts if str(one.attempt) == attempt), None) or abort(404)
    if submission == desk.last and desk.pending and not request.args.get("checked"):
        return redirect(url_for(".show_sheet", token=token, notation=request.args.get("notation")))
    choose_notation(request.args.get("notation"))
    work = desk.work(submission.raw, decimal_comma=submission.decimal_comma)
    if desk.pending and (submission != desk.last or request.args.get("checked") == "elsewhere"):
        work = replace(work, seq=work.seq - 1)  # what is typed here is not to take the place of what waits
    if desk.withheld:
        return page(desk, work)
    return page(desk, replace(work, feedback=feedback.told(submission.marks)), submission=submission)


@practice.get("/x/<token>/pictures")
def show_pictures(token: str) -> ResponseReturnValue:
    """The step in pictures, with its values. The page of a sheet that has ended takes them from here."""
    desk = open_desk(token)
    if not desk.ended or desk.instance.as_sheet.network is None:
        abort(404)
    return desks.pictures_page(desk)


@practice.post("/x/<token>/give-up")
def give_up(token: str) -> ResponseReturnValue:
    """Close a sheet and show its solution. What was typed last is checked first: it may be all that was missing."""
    desk = open_desk(token)
    work = typed(desk)
    if desk.withheld:
        return page(desk, work, message=gettext(_NOT_YET)), 409
    newer = desk.pending
    if newer is not None and newer.raw != work.texts and not drafts.builds_on(newer, work.seq, work.sent):
        raise StaleDraftError(newer)
    graded = check_work(desk, work)
    submission, counts = desk.same(work), not (work.empty or desk.closed)
    with database().write() as session:
        if counts and (submission is None or feedback.is_partial(submission.marks)):
            submission = record(session, desk, work, graded)
        if not (desk.solved or (counts and graded.complete)):
            records.give_up(session, desk.variant, now=now())
    if submission is None:
        return redirect(url_for(".show_sheet", token=token), 303)
    return result_of(desk, submission, "summary")


@practice.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Whether pages can be served: the database answers."""
    with database().read() as session:
        session.exec_driver_sql("SELECT 1")
    return "ok\n", _A_LINE


@practice.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Whether this server should get visitors: the database answers, and its tables are those of this release."""
    fits = schema.current(database()) == schema.newest()
    return ("ok\n", _A_LINE) if fits else ("the tables are of another release\n", 503, _A_LINE)


# --- what the views share -------------------------------------------------------------------------------------------


def hand_out(
    session: Session, learner: Visitor, instance: Instance, seed: int, *, aim: Mapping[str, Any] | None = None
) -> StoredVariant:
    """Keep a drawn instance as the learner's own, with all that is needed to draw or grade it again.

    ``aim`` is what it was chosen for, if it was.

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
        aim=aim,
    )


def to_finish(one: VariantProgress) -> bool:
    """Whether a sheet waits to be gone on with; those of a problem set do so on its own page."""
    return not one.solved and one.given_up_at is None and one.set_item_id is None


def not_counted(desk: Desk, work: Work, phase: str) -> ResponseReturnValue | None:
    """The answer to a check in a problem set that would count and should not; None where it should."""
    earlier = desk.counted(work, phase)
    if earlier is not None:
        flash(gettext(_SAME, attempt=earlier.attempt))
        return result_of(desk, earlier, "summary")
    if desk.place is not None and desk.place.last_attempt and not request.form.get("announced"):
        return page(desk, work, message=gettext(_LAST)), 409
    return None


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
    return as_typed(desk, work) if checked is None else result_of(desk, checked)


def with_hint(desk: Desk, work: Work, asked: str) -> ResponseReturnValue:
    """The same sheet with one more hint open in a cell; sent twice, it opens one."""
    key, _, wanted = asked.partition(" ")
    rung = desks.next_rung(desk, key)
    if not desk.ended and not desk.closed and work.hinted and key in work.texts and wanted in ("", str(rung)):
        with database().write() as session:
            drafts.record_hint(session, desk.variant, key=key, rung=rung, now=now())
        rungs = {**desk.rungs, key: rung}
        desk, work = replace(desk, rungs=rungs), replace(work, rungs=rungs)
    return as_typed(desk, work)


def saved(desk: Desk, work: Work, _button: str) -> ResponseReturnValue:
    """The same sheet, what is typed kept but not checked: for a browser without the script that does so by itself."""
    if desk.ended:
        return as_typed(desk, work)
    draft = keep_draft(desk, work, new_key())
    return as_typed(replace(desk, draft=draft), replace(work, seq=draft.seq))


def is_draft(sent: Any) -> bool:  # noqa: ANN401 - JSON may be anything
    """Whether this is what the page's script sends."""
    return isinstance(sent, dict) and isinstance(sent.get("texts"), dict) and is_key(sent.get("key"))


def keep_draft(desk: Desk, work: Work, key: str) -> StoredDraft:
    """Save what is typed, under the name of this save."""
    with database().write() as session:
        stay(session)
        return drafts.save_draft(
            session,
            desk.variant,
            base=work.seq,
            key=key,
            raw=work.texts,
            decimal_comma=work.decimal_comma,
            now=now(),
            sent=work.sent,
        )


def other_text(session: Session, desk: Desk, work: Work) -> str | None:
    """``elsewhere``, where newer text than what was just checked waits on the sheet and the result can be told."""
    kept = drafts.find_draft(session, desk.variant)
    return "elsewhere" if not desk.withheld and kept is not None and kept.raw != work.texts else None


def as_typed(desk: Desk, work: Work) -> ResponseReturnValue:
    """The sheet with all that is typed, unchecked, and what was said of it so far as it is unchanged."""
    checked = None if desk.withheld else desk.same(work)
    said = desk.still_said(work) if checked is None else feedback.told(checked.marks)
    return page(desk, replace(work, feedback=said), submission=checked)


def result_of(
    desk: Desk, submission: StoredSubmission, anchor: str | None = None, *, checked: str | None = None
) -> ResponseReturnValue:
    """On to the page of a checked sheet; with ``checked`` even where other text waits on it."""
    to = {"token": desk.variant.token, "attempt": submission.attempt, "checked": checked}
    return redirect(url_for(".show_result", **to, _anchor=anchor), 303)  # type: ignore[arg-type]


def keep(message: str, status: int, headers: Mapping[str, str] | None = None) -> ResponseReturnValue:
    """The typed work again, on its sheet where that can be found, else in a plain list; JSON for the page's script."""
    if request.endpoint == "practice.save_draft":
        return {"error": message, "csrf": generate_csrf()}, status, dict(headers or {})
    token: Any = (request.view_args or {}).get("token")
    if request.method == "POST" and token:
        try:
            desk = open_desk(token)
            return page(desk, typed(desk), message=message), status, dict(headers or {})
        except (SQLAlchemyError, DatabaseBusyError, HTTPException, SheetNotYetError):
            pass
    return errors.page(status, headers=headers)


@practice.errorhandler(CSRFError)
def expired(_error: CSRFError) -> ResponseReturnValue:
    """The form's token is missing, or of an earlier session."""
    return keep(gettext(_EXPIRED), 400)


@practice.app_errorhandler(SheetNotYetError)
def not_yet(error: SheetNotYetError) -> ResponseReturnValue:
    """The page of the problem set says from when the sheet is to be seen; what was typed for it is not lost."""
    if request.endpoint == "practice.save_draft":
        return {"error": sets.not_yet(error.of), "early": True}, 409
    if request.method == "POST":
        return errors.page(409, more=sets.not_yet(error.of))
    return redirect(url_for("sets.show_set", token=error.of.stored.token))


@practice.errorhandler(VariantClosedError)
def closed(_error: VariantClosedError) -> ResponseReturnValue:
    """The sheet was given up, in another tab perhaps."""
    return keep(gettext(_CLOSED), 409)


@practice.errorhandler(SetClosedError)
@practice.errorhandler(NoAttemptsLeftError)
def against_the_rules(error: SetClosedError | NoAttemptsLeftError) -> ResponseReturnValue:
    """The problem set does not allow this attempt. What was typed is saved, where it is the newest text."""
    desk = open_desk((request.view_args or {})["token"])
    work = typed(desk)
    if not desk.ended:
        with suppress(StaleDraftError):
            draft = keep_draft(desk, work, new_key())
            desk, work = replace(desk, draft=draft), replace(work, seq=draft.seq)
    return page(desk, work, message=sets.refusal(desk.place, error)), 409


@practice.errorhandler(StaleDraftError)
def stale(error: StaleDraftError) -> ResponseReturnValue:
    """Newer text was saved elsewhere, in another tab perhaps: it stays."""
    if request.endpoint == "practice.save_draft":
        newer = error.newer
        return {"error": gettext(_STALE), "seq": newer.seq, "saved_at": iso(newer.saved_at)}, 409
    return keep(gettext(_STALE), 409)


@practice.errorhandler(TooOftenError)
def too_often(error: TooOftenError) -> ResponseReturnValue:
    """A limit is reached: of new sheets, or of checks."""
    if request.endpoint == "practice.start":
        return errors.too_often(error)
    return keep(f"{gettext(_OFTEN)} {when_again(error.seconds)}", 429, errors.retry_after(error))


@practice.errorhandler(404)
def gone(_error: HTTPException) -> ResponseReturnValue:
    """No such sheet, or a visit that has ended; the page's script is told so in JSON."""
    if request.endpoint == "practice.save_draft":
        return {"error": gettext(_GONE)}, 404
    return errors.page(404)


@practice.errorhandler(DatabaseBusyError)
@practice.errorhandler(SQLAlchemyError)
def busy(error: Exception) -> ResponseReturnValue:
    """The database is locked or away."""
    errors.only_busy(error)
    if request.endpoint in ("practice.healthz", "practice.readyz"):
        return "the database does not answer\n", 503, {**_A_LINE, "Retry-After": "5"}
    return keep(gettext(_BUSY), 503, {"Retry-After": "5"})
