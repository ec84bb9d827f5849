"""What a visitor chose: language, time zone, decimal mark. An account has the first two on every device."""

import flask
from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from quizprop.store import people
from quizprop.store.database import Session
from quizprop.web.addresses import own_page
from quizprop.web.languages import KEY as LANGUAGE
from quizprop.web.languages import known_languages
from quizprop.web.state import database, now, visitor
from quizprop.web.zones import KEY as ZONE

__all__ = ["bring_along", "chosen_language", "keep", "preferences"]

preferences = Blueprint("preferences", __name__)


@preferences.post("/language")
def choose_language() -> ResponseReturnValue:
    """Take the language chosen, and go back to the page that it was chosen on."""
    chosen = request.form.get("language", "")
    if chosen in known_languages():
        keep(language=chosen)
    return redirect(own_page(request.form.get("back")) or url_for("practice.bank"), 303)


def keep(**chosen: str | None) -> None:
    """Keep a ``language`` or a ``time_zone``, or both, with the learner if there is one; None for the browser's."""
    known = visitor()
    if known is not None:
        with database().write() as session:
            people.set_preferences(session, known.learner_id, **chosen)
        g.pop("visitor")
    flask.session.update(chosen)
    flask.session.permanent = True
    g.pop("language", None)


def bring_along(session: Session, fresh: str) -> None:
    """Let the learner of a session that just began have what was chosen in this browser, where they chose nothing."""
    known = people.find_learner(session, fresh, now=now())
    if known is None:
        return
    theirs = {LANGUAGE: known.language, ZONE: known.time_zone}
    missing = {name: flask.session[name] for name in theirs if flask.session.get(name) and not theirs[name]}
    if missing:
        people.set_preferences(session, known.learner_id, **missing)


def chosen_language() -> str | None:
    """The language that the visitor chose; None for the one that the browser asks for."""
    known = visitor()
    return (known.language if known else None) or flask.session.get(LANGUAGE)
