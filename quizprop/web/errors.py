"""Pages for what goes wrong. A page that answers a sent form shows what was typed, with a button to send it again."""

from collections.abc import Mapping
from typing import Final

from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from werkzeug.exceptions import HTTPException, InternalServerError, RequestEntityTooLarge

from quizprop.store.database import DatabaseBusyError
from quizprop.web.languages import gettext, marked
from quizprop.web.state import visitor

__all__ = ["is_busy", "page", "register"]

_WORDS: Final[Mapping[int, tuple[str, str]]] = {
    400: (
        marked("Please send that once more"),
        marked(
            "Your visit was renewed in the meantime, or your browser keeps no cookies for this site. Nothing is lost."
        ),
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
    413: (
        marked("That was too much at once"),
        marked("What you sent is larger than any sheet. Press Back: your browser still has what you typed."),
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
_NEVER_SHOWN: Final = ("csrf_token", "password", "current")


def page(status: int, *, headers: Mapping[str, str] | None = None) -> ResponseReturnValue:
    """The page of an error, with what the request had typed."""
    _look_up_visitor()
    title, words = map(gettext, _WORDS.get(status, _OTHER))
    return render_template("error.html", status=status, title=title, words=words, kept=_kept()), status, headers or {}


def is_busy(error: Exception) -> bool:
    """Whether the database is locked or can't be reached, so that trying again may help."""
    return isinstance(error, (DatabaseBusyError, OperationalError, NoConnectionError))


def register(app: Flask) -> None:
    """Show these pages for every error that no blueprint shows better."""
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(CSRFError, lambda _error: page(400))
    app.register_error_handler(DatabaseBusyError, _on_database_error)
    app.register_error_handler(SQLAlchemyError, _on_database_error)


def _on_http_error(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, InternalServerError):
        g.setdefault("visitor", None)
    if error.code is None or error.response is not None:
        return error
    return page(error.code)


def _on_database_error(error: Exception) -> ResponseReturnValue:
    if not is_busy(error):
        raise error
    g.setdefault("visitor", None)
    return page(503, headers={"Retry-After": "5"})


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
    try:
        return [(name, text) for name, text in request.form.items(multi=True) if name not in _NEVER_SHOWN]
    except RequestEntityTooLarge:
        return None
