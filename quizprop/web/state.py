"""What a request works with: the database, the problem bank, the clock, and who is asking."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import flask
from flask import Flask, current_app, g, request

from quizprop.exercise.certify import plan_of
from quizprop.exercise.skills import Skills
from quizprop.exercise.spec import Exercise
from quizprop.store import people
from quizprop.store.database import Database, Session
from quizprop.store.people import Visitor
from quizprop.web import devices, limits
from quizprop.web.shelves import Shelf, shelved

__all__ = [
    "Services",
    "database",
    "device",
    "ensure_visitor",
    "now",
    "remember",
    "services",
    "start_services",
    "stay",
    "token",
    "visitor",
]

_ENDLESS = "mazur-like"
_COOKIE_KEY = "token"


@dataclass(frozen=True)
class Services:
    """What the application opened at its start."""

    database: Database
    bank: Mapping[str, Exercise]
    skills: Skills

    @cached_property
    def sizes(self) -> dict[str, int]:
        """How many cells a sheet of each exercise has."""
        return {slug: plan_of(exercise).asked_count for slug, exercise in self.bank.items()}

    @cached_property
    def shelves(self) -> tuple[Shelf, ...]:
        """The exercises under their headings."""
        return shelved(self.bank)

    def again(self, exercise: Exercise) -> str | None:
        """Where to go on after a sheet: new numbers, of another exercise where this one has only its own."""
        choices = (f"{exercise.slug}-like", _ENDLESS) if exercise.fixed else (exercise.slug,)
        return next((slug for slug in choices if slug in self.bank), None)


def start_services(app: Flask, opened: Services) -> None:
    """Give the application what it works with."""
    app.extensions["quizprop"] = opened


def services() -> Services:
    """What this application works with."""
    opened: Services = current_app.extensions["quizprop"]
    return opened


def database() -> Database:
    """The open database."""
    return services().database


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def token() -> str | None:
    """The session's token that the visitor's cookie brought, valid or not."""
    found = flask.session.get(_COOKIE_KEY)
    return found if isinstance(found, str) else None


def device() -> str | None:
    """The visitor's browser in a few words."""
    return devices.summary(request.user_agent.string)


def visitor() -> Visitor | None:
    """Who is asking; None for somebody who has not started anything yet. Never writes."""
    if "visitor" not in g:
        g.visitor = None
        held = token()
        if held is not None:
            with database().read() as session:
                g.visitor = people.find_learner(session, held, now=now())
            g.pop("language", None)  # the one that the learner chose
    found: Visitor | None = g.visitor
    return found


def ensure_visitor(session: Session) -> tuple[Visitor, str | None]:
    """The visitor, a new anonymous one where there is none, and the new one's token to `remember` after the commit.

    Call `visitor` before: a session is open here, and a second one can't be opened.

    Raises:
        TooOftenError: too many new ones come from one address.
    """
    known: Visitor | None = g.visitor
    if known is not None:
        stay(session)
        return known, None
    limits.tidy(session, now())
    limits.take(session, now(), ("learner, address", limits.client()))
    fresh = people.start_session(session, now=now(), device=device())
    found = people.find_learner(session, fresh, now=now())
    if found is None:
        raise LookupError("The session that was just started can't be found")
    return found, fresh


def stay(session: Session) -> None:
    """Note once an hour that the visitor is still there, in the database and in the cookie."""
    known: Visitor | None = g.visitor
    moment = now()
    if known is not None and known.stale(moment):
        people.touch_session(session, known, now=moment)
        flask.session.permanent = True  # said anew, it makes the answer carry a cookie with a new date


def remember(fresh: str | None) -> None:
    """Put a new session's token into the visitor's cookie; None leaves the one that is there."""
    if fresh is not None:
        flask.session[_COOKIE_KEY] = fresh
        flask.session.permanent = True
