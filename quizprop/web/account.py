"""Accounts: register, sign in, sign out, change the password. Practice needs none of it."""

from typing import TYPE_CHECKING, Final

import flask
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from quizprop.store import people
from quizprop.store.people import AlreadyRegisteredError, PasswordError, Proof, StaleProofError, UsernameError
from quizprop.web import errors
from quizprop.web.forms import PasswordForm, RegisterForm, SignInForm
from quizprop.web.languages import gettext, marked, say
from quizprop.web.state import database, now, remember, token, visitor

if TYPE_CHECKING:
    from flask_wtf import FlaskForm

__all__ = ["account"]

account = Blueprint("account", __name__)

_EXPIRED: Final = marked("Your visit was renewed in the meantime: please type your password and send it again.")
_NOT_KNOWN: Final = marked("This user name and password don't go together. Mind capitals in the password.")


@account.get("/register")
def show_register() -> ResponseReturnValue:
    """The form for a new account."""
    known = visitor()
    if known is not None and not known.anonymous:
        return redirect(url_for("practice.progress"))
    return render_template("account/register.html", form=RegisterForm())


@account.post("/register")
def register() -> ResponseReturnValue:
    """Make an account; the practice so far stays with it."""
    visitor()
    form = RegisterForm()
    if not form.validate_on_submit():
        return render_template("account/register.html", form=form), 422
    try:
        hashed = people.hash_password(form.password.data)
        with database().write() as session:
            fresh = people.register(session, token(), username=form.username.data, password_hash=hashed, now=now())
    except (PasswordError, UsernameError, AlreadyRegisteredError) as error:
        field = form.password if isinstance(error, PasswordError) else form.username
        field.errors = [say(error.args[0])]
        return render_template("account/register.html", form=form), 422
    renew(fresh)
    flash(gettext("Your account is ready, and your practice so far is kept."))
    return redirect(url_for("practice.progress"), 303)


@account.get("/sign-in")
def show_sign_in() -> ResponseReturnValue:
    """The form to sign in."""
    known = visitor()
    if known is not None and not known.anonymous:
        return redirect(url_for("practice.progress"))
    return render_template("account/sign_in.html", form=SignInForm())


@account.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Sign in; what was practised without the account moves to it."""
    visitor()
    form = SignInForm()
    fresh = None
    if form.validate_on_submit():
        fresh = signed_in(prove(form.username.data, form.password.data))
        if fresh is None:
            form.password.errors = [gettext(_NOT_KNOWN)]
    if fresh is None:
        return render_template("account/sign_in.html", form=form), 422
    renew(fresh)
    return redirect(url_for("practice.progress"), 303)


@account.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session, on the server too."""
    held = token()
    if held is not None:
        with database().write() as session:
            people.revoke_session(session, held, now=now())
    forget()
    flash(gettext("You are signed out."))
    return redirect(url_for("practice.bank"), 303)


@account.get("/password")
def show_password() -> ResponseReturnValue:
    """The form for a new password."""
    known = visitor()
    if known is None or known.anonymous:
        return redirect(url_for(".show_sign_in"))
    return render_template("account/password.html", form=PasswordForm())


@account.post("/password")
def change_password() -> ResponseReturnValue:
    """Take a new password; every other session of the account ends."""
    known = visitor()
    if known is None or known.username is None:
        return redirect(url_for(".show_sign_in"), 303)
    form = PasswordForm()
    fresh = None
    if form.validate_on_submit():
        fresh = changed(known.username, form)
    if fresh is None:
        return render_template("account/password.html", form=form), 422
    renew(fresh)
    flash(gettext("Your password is changed. You are signed out everywhere else."))
    return redirect(url_for("practice.progress"), 303)


# --- what the views share -------------------------------------------------------------------------------------------


def prove(username: str, password: str) -> Proof | None:
    """Compare the password, slowly, with no transaction open."""
    with database().read() as session:
        credentials = people.find_credentials(session, username)
    return people.verify_password(credentials, password)


def signed_in(proof: Proof | None) -> str | None:
    """The token of a new session; None without proof, or where the password changed at this very moment."""
    if proof is None:
        return None
    try:
        with database().write() as session:
            return people.sign_in(session, proof, token=token(), now=now())
    except StaleProofError:
        return None


def changed(username: str, form: PasswordForm) -> str | None:
    """The token of a new session under the new password; None where the form is told what is wrong."""
    if prove(username, form.current.data) is None:
        form.current.errors = [gettext("This is not your password.")]
        return None
    try:
        hashed = people.hash_password(form.password.data)
    except PasswordError as error:
        form.password.errors = [say(error.args[0])]
        return None
    with database().write() as session:
        people.set_password(session, username=username, password_hash=hashed, now=now())
    return signed_in(prove(username, form.password.data))


def renew(fresh: str) -> None:
    """Begin a new session in the browser too: nothing of the old one but how numbers and symbols are written."""
    forget("decimal_comma", "notation")
    remember(fresh)


def forget(*but: str) -> None:
    """Empty the browser's session; the language stays as it is, and what else is named."""
    kept = {name: flask.session[name] for name in ("language", *but) if name in flask.session}
    flask.session.clear()
    flask.session.update(kept)


@account.errorhandler(CSRFError)
def expired(_error: CSRFError) -> ResponseReturnValue:
    """The form's token is missing, or of an earlier session: the form again, with the name that was typed."""
    forms: dict[str, tuple[type[FlaskForm], str]] = {
        "account.register": (RegisterForm, "account/register.html"),
        "account.sign_in": (SignInForm, "account/sign_in.html"),
        "account.change_password": (PasswordForm, "account/password.html"),
    }
    if request.endpoint not in forms:
        return errors.page(400)
    visitor()
    form, template = forms[request.endpoint]
    return render_template(template, form=form(), message=gettext(_EXPIRED)), 400
