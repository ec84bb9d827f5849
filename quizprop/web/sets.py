"""Problem sets: those of the visitor, and what each asks, allows and came to."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from quizprop import __version__
from quizprop.exercise.generate import draw
from quizprop.store import sets as records
from quizprop.store.people import Visitor
from quizprop.store.practice import NoAttemptsLeftError, SetClosedError
from quizprop.store.rules import is_password
from quizprop.store.sets import AssignedSet, ItemWork, NotBegunError, Place
from quizprop.web import limits
from quizprop.web.desk import may_work
from quizprop.web.languages import gettext, marked, ngettext
from quizprop.web.rendering import moment_in_words, percent
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
    "excused": marked("Excused"),
    "past due": marked("Closed"),
}
_PAST_DUE: Final = marked(
    "This problem set was due on %(due)s, and this came later: it was not checked and does not count. What you typed "
    "is still here. Late work counts only if the due date is moved."
)
_TIME_IS_OVER: Final = marked(
    "The time for this problem set is over, and this came later: it was not checked and does not count. What you typed "
    "is still here."
)
_TO_BEGIN: Final = marked("Begin the problem set first: then its exercises are handed out.")
_WRONG_PASSWORD: Final = marked("This is not the password of the problem set: ask who supervises it.")
_TOO_EARLY: Final = marked(
    "This problem set opens on %(opens)s: nothing is checked before. What you typed is still here."
)
_TOO_LATE_TO_START: Final = marked("This problem set is past due: nothing new is handed out.")
_TOO_EARLY_TO_START: Final = marked("This problem set is not open yet: nothing is handed out before.")
_LEFT: Final = marked("You are not in this course any more: nothing is checked. What you typed is still here.")
_RENEWED: Final = marked("Your visit was renewed in the meantime: press the button once more.")


@sets.get("/sets")
def show_sets() -> ResponseReturnValue:
    """The visitor's problem sets; they are given to accounts only."""
    known = visitor()
    if known is None or known.anonymous:
        return redirect(url_for("account.show_sign_in", next=request.path))
    with database().read() as session:
        found = [one for one in records.sets_of(session, known.learner_id, now()) if not one.left]
    return render_template("sets/list.html", sets=found, states=SET_STATES)


@sets.get("/sets/<token>")
def show_set(token: str) -> ResponseReturnValue:
    """One problem set and how far it is."""
    return set_page(find(owner(), token))


@sets.post("/sets/<token>/<position>")
def open_item(token: str, position: str) -> ResponseReturnValue:
    """On to the sheet of an item, which is handed out the first time."""
    known, of = owner(), find(owner(), token)
    item = item_of(of, position)
    if of.to_begin and not of.past_due:
        raise NotBegunError(_TO_BEGIN)
    if of.too_early:
        raise SetClosedError(_TOO_EARLY_TO_START)
    return redirect(url_for("practice.show_sheet", token=item.variant_token or hand_out(known, of, item)), 303)


@sets.post("/sets/<token>/begin")
def begin(token: str) -> ResponseReturnValue:
    """From now on the time of the set runs; its password is asked for, where it has one."""
    known, of = owner(), find(owner(), token)
    if of.stored.policy.password is not None:
        with database().write() as session:
            limits.take(session, now(), ("set password, learner", known.learner_id))
    if not may_work(of):
        abort(403)
    if not is_password(of.stored.policy, request.form.get("password", "")):
        return set_page(of, gettext(_WRONG_PASSWORD)), 403
    with database().write() as session:
        stay(session)
        records.begin_set(session, of, learner_id=known.learner_id, now=now())
    return redirect(url_for(".show_set", token=token), 303)


@sets.post("/sets/<token>/<position>/new")
def renew(token: str, position: str) -> ResponseReturnValue:
    """New numbers for an item that was tried often enough; its earlier sheet is closed."""
    known, of = owner(), find(owner(), token)
    return redirect(url_for("practice.show_sheet", token=hand_out(known, of, item_of(of, position), renew=True)), 303)


# --- what the views share -------------------------------------------------------------------------------------------


def owner() -> Visitor:
    """Whose problem sets may be asked for; 404 for somebody of whom nothing is known."""
    return visitor() or abort(404)


def find(known: Visitor, token: str) -> AssignedSet:
    """The visitor's problem set of this token; 404 where there is none, or they were taken out of its course."""
    with database().read() as session:
        found = records.open_set(session, token, learner_id=known.learner_id, now=now())
    return found if found is not None and not found.left else abort(404)


def item_of(of: AssignedSet, position: str) -> ItemWork:
    """The item at this place; 404 where there is none, 403 where the set may not be worked from here."""
    if not may_work(of):
        abort(403)
    # Compared as text: a number of five thousand digits is no item either.
    return next((one for one in of.items if str(one.position) == position), None) or abort(404)


def set_page(of: AssignedSet, message: str = "") -> str:
    """The page of a problem set."""
    titles = {item.id: exercise_of(item.spec).title for item in of.items}
    shown = {"titles": titles, "states": ITEM_STATES, "policy_words": policy_words}
    return render_template("sets/set.html", of=of, message=message, **shown)


def policy_words(of: AssignedSet) -> tuple[str, ...]:
    """The rules of a problem set that are not those of every set, a sentence each."""
    return tuple(_policy_words(of))


def _policy_words(of: AssignedSet) -> Iterator[str]:
    policy, window = of.stored.policy, of.window
    if of.terms.preview:
        yield gettext("This is a preview: no date and no limit holds, and nothing of it counts in the course.")
        return
    if policy.late and window.due_at is not None:
        steps = ((moment_in_words(window.due_at + after), percent(share)) for after, share in policy.late)
        parts = "; ".join(gettext("until %(when)s %(share)s", when=when, share=share) for when, share in steps)
        yield gettext("Late work counts less: %(parts)s.", parts=parts)
    if policy.time_limit is not None and of.terms.started_at is None:
        minutes = round(policy.time_limit * (1 + of.terms.extra_time) / 60_000_000)
        words = ngettext("You have %(num)s minute once you begin.", "You have %(num)s minutes once you begin.", minutes)
        yield words
    if policy.fresh_after is not None:
        yield ngettext(
            "After %(num)s attempt at an exercise you may take new numbers.",
            "After %(num)s attempts at an exercise you may take new numbers.",
            policy.fresh_after,
        )
    yield from _place_words(of)
    if of.withheld:
        yield gettext("How your work is graded is not told while you work.")
    if policy.hint_price is None:
        yield gettext("There are no hints in this problem set.")
    elif policy.hint_price:
        yield gettext("Each hint takes %(price)s off the value that it is for.", price=percent(policy.hint_price))
    if policy.follow_credit < 1:
        share = percent(policy.follow_credit)
        yield gettext("A value that follows from an error above it earns %(share)s.", share=share)
    for zone, count in policy.best_of.items():
        yield ngettext(
            "Of group %(name)s the best one counts.", "Of group %(name)s the best %(num)s count.", count, name=zone
        )


def _place_words(of: AssignedSet) -> Iterator[str]:
    if of.stored.policy.networks:
        yield gettext("It is worked in certain networks only, such as that of an exam room.")
        if not may_work(of):
            yield gettext("Where you are now is none of them.")


def hand_out(known: Visitor, of: AssignedSet, item: ItemWork, *, renew: bool = False) -> str:
    """Draw the numbers of an item and hand out its sheet; its token.

    Raises:
        SetClosedError: the set is not open, or not begun.
        TooOftenError: the learner takes one new sheet after the other.
    """
    drawn = drawn_for(of, item)
    with database().write() as session:
        stay(session)
        limits.take(session, now(), ("sheet, learner", known.learner_id))
        variant = records.start_item(session, known.learner_id, item, now=now(), renew=renew, **drawn)
    return variant.token


def drawn_for(of: AssignedSet, item: ItemWork) -> dict[str, Any]:
    """Numbers for the next sheet of an item, as they are stored with it. Draw before a transaction: it takes long."""
    seed = of.seed_for(item)
    instance = draw(exercise_of(item.spec), np.random.default_rng(seed))
    return {"seed": seed, "given": instance.given, "engine_version": __version__}


def refusal(place: Place | None, error: SetClosedError | NoAttemptsLeftError) -> str:
    """Why a check was refused, with the rule, in the visitor's language."""
    if place is None:
        return str(error)
    of, allowed = place.of.stored, place.item.allowed or 0
    if place.of.left:
        return gettext(_LEFT)
    if isinstance(error, NoAttemptsLeftError):
        return ngettext(
            "This item may be checked %(num)s time, and it was: what you typed now does not count. It stands beside "
            "the solution below.",
            "This item may be checked %(num)s times, and it was: what you typed now does not count. It stands beside "
            "the solution below.",
            allowed,
        )
    if place.of.window.ends_at is not None and place.of.now > place.of.window.ends_at:
        return gettext(_TIME_IS_OVER)
    if of.due_at is not None and place.of.past_due:
        return gettext(_PAST_DUE, due=moment_in_words(place.of.window.closes_at or of.due_at, "medium"))
    return not_yet(place.of)


def not_yet(of: AssignedSet) -> str:
    """Why a sheet that was handed out ahead is not to be seen yet, in the visitor's language."""
    if of.state != "not open yet":
        return gettext(_TO_BEGIN)
    return gettext(_TOO_EARLY, opens=moment_in_words(of.window.opens_at or 0, "medium"))


@sets.errorhandler(SetClosedError)
def closed(_error: SetClosedError) -> ResponseReturnValue:
    """An item can't be started before the set opens, or when it is over: the page of the set says so."""
    known = find(owner(), (request.view_args or {})["token"])
    if isinstance(_error, NotBegunError):
        return set_page(known, gettext(_TO_BEGIN)), 409
    return set_page(known, gettext(_TOO_LATE_TO_START if known.past_due else _TOO_EARLY_TO_START)), 409


@sets.errorhandler(CSRFError)
def expired(_error: CSRFError) -> ResponseReturnValue:
    """The form's token is missing, or of an earlier session."""
    return set_page(find(owner(), (request.view_args or {})["token"]), gettext(_RENEWED)), 400
