"""The tokens of an account by which programs come in."""

from collections.abc import Collection, Mapping
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from quizprop.store import api_tokens
from quizprop.store.api_tokens import SCOPES, TooManyTokensError
from quizprop.web.languages import gettext, marked
from quizprop.web.seats import member
from quizprop.web.state import database, now, stay, visitor

__all__ = ["tokens"]

tokens = Blueprint("tokens", __name__)

SCOPE_WORDS: Final[Mapping[str, str]] = {
    "practice": marked("draw sheets, hand answers in, and read your results"),
    "courses": marked("read the gradebooks of your courses"),
}
_NO_NAME: Final = marked("Give the token a name of at most 60 characters, and something that it may do.")
_TOO_MANY: Final = marked("You have as many tokens as an account may have: delete one before.")
_RENEWED: Final = marked("Your visit was renewed in the meantime: press the button once more.")


@tokens.get("/tokens")
def show_tokens() -> ResponseReturnValue:
    """The tokens, and the form of a new one; for accounts only."""
    known = visitor()
    if known is None or known.anonymous:
        return redirect(url_for("account.show_sign_in", next=request.path))
    return token_page(chosen=("practice",))


@tokens.post("/tokens")
def make_token() -> ResponseReturnValue:
    """A new token, shown once."""
    known, name = member(), " ".join(request.form.get("name", "").replace("\0", " ").split())
    scopes = tuple(one for one in SCOPES if one in request.form.getlist("scope"))
    if not 1 <= len(name) <= 60 or not scopes:
        return token_page(name=name, chosen=scopes, message=gettext(_NO_NAME)), 422
    with database().write() as session:
        stay(session)
        fresh = api_tokens.issue(session, known.learner_id, name=name, scopes=scopes, now=now())
    return token_page(fresh=fresh, chosen=("practice",))


@tokens.post("/tokens/delete")
def delete_token() -> ResponseReturnValue:
    """End a token."""
    known, which = member(), request.form.get("token", "")
    if not (which.isascii() and which.isdigit() and len(which) < 19):
        abort(400)
    with database().write() as session:
        stay(session)
        api_tokens.revoke(session, known.learner_id, int(which))
    return redirect(url_for(".show_tokens"), 303)


def token_page(*, fresh: str = "", name: str = "", chosen: Collection[str] = (), message: str = "") -> str:
    """The page of the tokens."""
    with database().read() as session:
        found = api_tokens.tokens_of(session, member().learner_id)
    shown = {"fresh": fresh, "name": name, "chosen": chosen, "message": message}
    return render_template("profile/tokens.html", tokens=found, scopes=SCOPE_WORDS, **shown)


def as_typed(message: str) -> str:
    """The page with what was typed and ticked for a new token."""
    chosen = request.form.getlist("scope") or ("practice",)
    return token_page(name=request.form.get("name", ""), chosen=chosen, message=message)


@tokens.errorhandler(TooManyTokensError)
def too_many(_error: TooManyTokensError) -> ResponseReturnValue:
    """The account has as many as it may."""
    return as_typed(gettext(_TOO_MANY)), 409


@tokens.errorhandler(CSRFError)
def expired(_error: CSRFError) -> ResponseReturnValue:
    """The form's token is missing, or of an earlier session."""
    return as_typed(gettext(_RENEWED)), 400
