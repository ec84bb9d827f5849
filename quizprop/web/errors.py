"""Pages for what goes wrong. A page that answers a sent form shows what was typed, with a button to send it again."""

import json
from collections.abc import Mapping
from typing import Final

from flask import Flask, Response, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    RequestEntityTooLarge,
    SecurityError,
)

from quizprop.store.database import DatabaseBusyError
from quizprop.web.addresses import own_page
from quizprop.web.languages import gettext, marked
from quizprop.web.limits import TooOftenError, when_again
from quizprop.web.logs import note_trouble, request_id
from quizprop.web.state import visitor

__all__ = ["only_busy", "page", "problem", "register", "retry_after", "too_often"]

_WORDS: Final[Mapping[int, tuple[str, str]]] = {
    400: (
        marked("Please send that once more"),
        marked(
            "Your visit was renewed in the meantime, or your browser keeps no cookies for this site. Nothing is lost."
        ),
    ),
    403: (
        marked("Not from here"),
        marked("Who teaches the course has limited this problem set to some networks: work it there."),
    ),
    404: (
        marked("There is nothing here"),
        marked(
            "Perhaps the address has a typing error. "
            "A sheet is shown only to who started it: on another device, sign in."
        ),
    ),
    405: (
        marked("That does not work here"),
        marked("This address can't be used in this way. Start again from the exercises."),
    ),
    409: (marked("Not yet"), marked("This problem set does not show its sheets now.")),
    413: (
        marked("That was too much at once"),
        marked("What you sent is larger than any sheet. Press Back: your browser still has what you typed."),
    ),
    429: (
        marked("That was too often"),
        marked("So that nobody can guess passwords or keep the server busy, there is a limit, and it is reached."),
    ),
    500: (
        marked("Something broke, and it is our fault"),
        marked("The error has been noted. Your checked work is safe."),
    ),
    503: (
        marked("One moment, please"),
        marked("The server is busy and could not save this. Try again in a few seconds."),
    ),
}
_OTHER: Final = (
    marked("That did not work"),
    marked("The request could not be understood. Start again from the exercises."),
)
_FOR_PROGRAMS: Final = "/api/"
_SECRET: Final = ("password", "current")
_OF_ACCOUNTS: Final = ("account", "profile", None)
"""Whose forms hold a secret in these fields. What else is called so, the password of a problem set, is no secret to who
typed it, and a form that was sent again without it would take it off the set."""
_SHEETS: Final = ("/x/", "/sets/", "/courses/")
"""How the addresses begin that only their owner finds."""


def page(status: int, *, headers: Mapping[str, str] | None = None, more: str = "") -> ResponseReturnValue:
    """The page of an error, with ``more`` words if need be, and with what the request had typed."""
    _look_up_visitor()
    title, words = map(gettext, _WORDS.get(status, _OTHER))
    shown = {"title": title, "words": words, "more": more, "kept": _kept(), "back": _after_sign_in(status)}
    shown["told_by"] = request_id() if status == 500 else None
    return render_template("error.html", status=status, **shown), status, headers or {}


def too_often(error: TooOftenError) -> ResponseReturnValue:
    """The page of a limit that is reached."""
    return page(429, headers=retry_after(error), more=when_again(error.seconds))


def retry_after(error: TooOftenError) -> dict[str, str]:
    """The header that tells a program how long to wait."""
    return {"Retry-After": str(error.seconds)}


def problem(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error for programs, as RFC 9457 describes it."""
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    head = {**(headers or {}), "Cache-Control": "no-store"}
    return Response(json.dumps(content) + "\n", status, head, mimetype="application/problem+json")


def only_busy(error: Exception) -> None:
    """Note that the database is locked or can't be reached, so that trying again may help; raise any other error."""
    if not isinstance(error, (DatabaseBusyError, OperationalError, NoConnectionError)):
        raise error
    note_trouble(error)


def register(app: Flask) -> None:
    """Show these pages for every error that no blueprint shows better."""
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(CSRFError, lambda _error: page(400))
    app.register_error_handler(TooOftenError, too_often)
    app.register_error_handler(DatabaseBusyError, _on_database_error)
    app.register_error_handler(SQLAlchemyError, _on_database_error)


def _on_http_error(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, InternalServerError):
        g.setdefault("visitor", None)
    if error.code is None or error.response is not None:
        return error
    if isinstance(error, SecurityError):  # no page: its links could not be made without a host
        return "This site has no such name.\n", 400, {"Content-Type": "text/plain; charset=utf-8"}
    if request.path.startswith(_FOR_PROGRAMS):
        head = {"Allow": ", ".join(error.valid_methods or ())} if isinstance(error, MethodNotAllowed) else None
        return problem(error.code, error.name, error.description or error.name, head)
    return page(error.code)


def _on_database_error(error: Exception) -> ResponseReturnValue:
    only_busy(error)
    g.setdefault("visitor", None)
    return page(503, headers={"Retry-After": "5"})


def _after_sign_in(status: int) -> str | None:
    """The page that was not found, or whose form was sent, where it may be found by who signs in."""
    known = g.get("visitor")
    if status != 404 or not request.path.startswith(_SHEETS) or (known and known.username):
        return None
    if request.method == "GET":
        return own_page(request.full_path.removesuffix("?"))
    # A form goes to the address of its page, or to one below it.
    above = (request.path.rsplit("/", parts)[0] for parts in range(request.path.count("/") - 1))
    return next(filter(None, map(own_page, above)), None)


def _look_up_visitor() -> None:
    """Know the name for the page's header, where the database tells it and was not tried before."""
    try:
        visitor()
    except (SQLAlchemyError, DatabaseBusyError):
        g.visitor = None


def _kept() -> list[tuple[str, str]] | None:
    """What was typed, by field; None where the request was no form, or too large to be read."""
    if request.method != "POST":
        return None
    left_out = ("csrf_token", *(_SECRET if request.blueprint in _OF_ACCOUNTS else ()))
    try:
        return [(name, text) for name, text in request.form.items(multi=True) if name not in left_out]
    except RequestEntityTooLarge:
        return None
