"""Problem sets: those of the visitor, and what each asks, allows and came to."""

import secrets
from collections.abc import Mapping
from typing import Final

import numpy as np
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from quizprop import __version__
from quizprop.exercise.generate import draw
from quizprop.store import sets as records
from quizprop.store.people import Visitor
from quizprop.store.practice import NoAttemptsLeftError, SetClosedError
from quizprop.store.sets import AssignedSet, ItemWork, Place
from quizprop.web import limits
from quizprop.web.languages import gettext, marked, ngettext
from quizprop.web.rendering import moment_in_words
from quizprop.web.sheet import exercise_of
from quizprop.web.state import database, now, stay, visitor

__all__ = ["refusal", "sets"]

sets = Blueprint("sets", __name__)

SET_STATES: Final[Mapping[str, str]] = {
    "not open yet": marked("Not open yet"),
    "open": marked("Open"),
    "done": marked("Done"),
    "past due": marked("Closed"),
}
ITEM_STATES: Final[Mapping[str, str]] = {
    "not started": marked("Not started"),
    "in work": marked("In progress"),
    "solved": marked("Solved"),
    "given up": marked("Given up"),
    "used up": marked("No attempt left"),
    "past due": marked("Closed"),
}
_PAST_DUE: Final = marked(
    "This problem set was due on %(due)s, and this came later: it was not checked and does not count. What you typed "
    "is still here. Late work counts only if the due date is moved."
)
_TOO_EARLY: Final = marked(
    "This problem set opens on %(opens)s: nothing is checked before. What you typed is still here."
)
_TOO_LATE_TO_START: Final = marked("This problem set is past due: nothing new is handed out.")
_TOO_EARLY_TO_START: Final = marked("This problem set is not open yet: nothing is handed out before.")
_RENEWED: Final = marked("Your visit was renewed in the meantime: press the button once more.")


@sets.get("/sets")
def show_sets() -> ResponseReturnValue:
    """The visitor's problem sets; they are given to accounts only."""
    known = visitor()
    if known is None or known.anonymous:
        return redirect(url_for("account.show_sign_in", next=request.path))
    with database().read() as session:
        found = records.sets_of(session, known.learner_id, now())
    return render_template("sets/list.html", sets=found, states=SET_STATES)


@sets.get("/sets/<token>")
def show_set(token: str) -> ResponseReturnValue:
    """One problem set and how far it is."""
    return set_page(find(owner(), token))


@sets.post("/sets/<token>/<position>")
def open_item(token: str, position: str) -> ResponseReturnValue:
    """On to the sheet of an item, which is handed out the first time."""
    known = owner()
    items = find(known, token).items
    # Compared as text: a number of five thousand digits is no item either.
    item = next((one for one in items if str(one.position) == position), None) or abort(404)
    return redirect(url_for("practice.show_sheet", token=item.variant_token or begin(known, item)), 303)


# --- what the views share -------------------------------------------------------------------------------------------


def owner() -> Visitor:
    """Whose problem sets may be asked for; 404 for somebody of whom nothing is known."""
    return visitor() or abort(404)


def find(known: Visitor, token: str) -> AssignedSet:
    """The visitor's problem set of this token; 404 where there is none."""
    with database().read() as session:
        return records.open_set(session, token, learner_id=known.learner_id, now=now()) or abort(404)


def set_page(of: AssignedSet, message: str = "") -> str:
    """The page of a problem set."""
    titles = {item.id: exercise_of(item.spec).title for item in of.items}
    return render_template("sets/set.html", of=of, titles=titles, states=ITEM_STATES, message=message)


def begin(known: Visitor, item: ItemWork) -> str:
    """Draw the numbers of an item and hand out its sheet; its token.

    Raises:
        SetClosedError: the set is not open.
        TooOftenError: the learner takes one new sheet after the other.
    """
    seed = secrets.randbits(128)
    instance = draw(exercise_of(item.spec), np.random.default_rng(seed))
    with database().write() as session:
        stay(session)
        limits.take(session, now(), ("sheet, learner", known.learner_id))
        variant = records.start_item(
            session, known.learner_id, item, seed=seed, given=instance.given, engine_version=__version__, now=now()
        )
    return variant.token


def refusal(place: Place | None, error: SetClosedError | NoAttemptsLeftError) -> str:
    """Why a check was refused, with the rule, in the visitor's language."""
    if place is None:
        return str(error)
    of, allowed = place.of.stored, place.item.allowed or 0
    if isinstance(error, NoAttemptsLeftError):
        return ngettext(
            "This item may be checked %(num)s time, and it was: what you typed now does not count. It stands beside "
            "the solution below.",
            "This item may be checked %(num)s times, and it was: what you typed now does not count. It stands beside "
            "the solution below.",
            allowed,
        )
    if of.due_at is not None and place.of.past_due:
        return gettext(_PAST_DUE, due=moment_in_words(of.due_at, "medium"))
    return gettext(_TOO_EARLY, opens=moment_in_words(of.opens_at or 0, "medium"))


@sets.errorhandler(SetClosedError)
def closed(_error: SetClosedError) -> ResponseReturnValue:
    """An item can't be started before the set opens, or when it is over: the page of the set says so."""
    known = find(owner(), (request.view_args or {})["token"])
    return set_page(known, gettext(_TOO_LATE_TO_START if known.past_due else _TOO_EARLY_TO_START)), 409


@sets.errorhandler(CSRFError)
def expired(_error: CSRFError) -> ResponseReturnValue:
    """The form's token is missing, or of an earlier session."""
    return set_page(find(owner(), (request.view_args or {})["token"]), gettext(_RENEWED)), 400
