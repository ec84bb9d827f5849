"""Accounts: register, sign in, sign out, change the password or set a forgotten one. Practice needs none of it."""

from typing import TYPE_CHECKING, Final

import flask
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from quizprop.store import people, resets
from quizprop.store.people import AlreadyRegisteredError, PasswordError, Proof, StaleProofError, UsernameError
from quizprop.store.resets import ResetLinkError
from quizprop.web import errors, limits, preferences
from quizprop.web.addresses import own_page
from quizprop.web.forms import PasswordForm, RegisterForm, ResetForm, SignInForm
from quizprop.web.languages import gettext, marked, say
from quizprop.web.limits import TooOftenError
from quizprop.web.state import database, device, now, remember, token, visitor

if TYPE_CHECKING:
    from flask_wtf import FlaskForm

__all__ = ["account", "forget", "prove"]

account = Blueprint("account", __name__)

_EXPIRED: Final = marked("Your visit was renewed in the meantime: please type your password and send it again.")
_NOT_KNOWN: Final = marked("This user name and password don't go together. Mind capitals in the password.")
_NOT_YOURS: Final = marked("This is not your password.")


@account.get("/register")
def show_register() -> ResponseReturnValue:
    """The form for a new account."""
    known = visitor()
    if known is not None and not known.anonymous:
        return redirect(onward(request.args.get("next")))
    return render_template("account/register.html", form=RegisterForm(next=own_page(request.args.get("next"))))


@account.post("/register")
def register() -> ResponseReturnValue:
    """Make an account; the practice so far stays with it."""
    visitor()
    form = RegisterForm()
    fresh = registered(form) if form.validate_on_submit() else None
    if fresh is None:
        return render_template("account/register.html", form=form), 422
    renew(fresh)
    flash(gettext("Your account is ready, and your practice so far is kept."))
    return redirect(onward(form.next.data), 303)


@account.get("/sign-in")
def show_sign_in() -> ResponseReturnValue:
    """The form to sign in."""
    known = visitor()
    if known is not None and not known.anonymous:
        return redirect(onward(request.args.get("next")))
    return render_template("account/sign_in.html", form=SignInForm(next=own_page(request.args.get("next"))))


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
    return redirect(onward(form.next.data), 303)


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
        return redirect(url_for(".show_sign_in", next=request.path))
    return render_template("account/password.html", form=PasswordForm())


@account.post("/password")
def change_password() -> ResponseReturnValue:
    """Take a new password; every other session of the account ends."""
    known = visitor()
    if known is None or known.username is None:
        return redirect(url_for(".show_sign_in", next=request.path), 303)
    form = PasswordForm()
    fresh = None
    if form.validate_on_submit():
        fresh = changed(known.username, form)
    if fresh is None:
        return render_template("account/password.html", form=form), 422
    renew(fresh)
    flash(gettext("Your password is changed. You are signed out everywhere else."))
    return redirect(url_for("progress.show_progress"), 303)


@account.get("/reset/<link>")
def show_reset(link: str) -> ResponseReturnValue:
    """The form for a forgotten password. Looking at it, as programs that scan mail do, does not use the link up."""
    visitor()
    with database().read() as session:
        username = resets.find_reset_link(session, link, now=now())
    if username is None:
        return render_template("account/reset_over.html"), 404
    return render_template("account/reset.html", form=ResetForm(), username=username)


@account.post("/reset/<link>")
def reset(link: str) -> ResponseReturnValue:
    """Take the new password, which uses the link up; all sessions of the account end, and a new one begins."""
    visitor()
    with database().write() as session:
        limits.take(session, now(), ("reset, address", limits.client()))
        username = resets.find_reset_link(session, link, now=now())
    if username is None:
        return render_template("account/reset_over.html"), 404
    form = ResetForm()
    fresh = reset_by(link, form) if form.validate_on_submit() else None
    if fresh is None:
        return render_template("account/reset.html", form=form, username=username), 422
    renew(fresh)
    flash(gettext("Your new password is set. You are signed in here, and signed out everywhere else."))
    return redirect(url_for("progress.show_progress"), 303)


# --- what the views share -------------------------------------------------------------------------------------------


def onward(address: str | None) -> str:
    """Where to go on: the page that was wanted, if it is one of ours; else the progress."""
    return own_page(address) or url_for("progress.show_progress")


def prove(username: str, password: str) -> Proof | None:
    """Compare the password, slowly, with no transaction open.

    The attempt is counted before anything is compared, so that many at once get no further than one after the other;
    where the password is right, it is as if it had not been counted.

    Raises:
        TooOftenError: too many wrong passwords for this name, or from this address.
    """
    with database().write() as session:
        limits.tidy(session, now())
        credentials = people.find_credentials(session, username)
        # By the account: a name can be typed in many ways.
        whose = credentials.account_id if credentials else f"unknown {username}"
        counted = ("password, address", limits.client()), ("password, name", whose)
        limits.take(session, now(), *counted)
    proof = people.verify_password(credentials, password)
    if proof is not None:
        with database().write() as session:
            limits.give_back(session, *counted)
    return proof


def signed_in(proof: Proof | None) -> str | None:
    """The token of a new session; None without proof, or where the password changed at this very moment."""
    if proof is None:
        return None
    try:
        with database().write() as session:
            fresh = people.sign_in(session, proof, token=token(), now=now(), device=device())
            preferences.bring_along(session, fresh)
    except StaleProofError:
        return None
    return fresh


def registered(form: RegisterForm) -> str | None:
    """The token of the first session of a new account; None where the form is told what is wrong."""
    with database().write() as session:
        limits.take(session, now(), ("registration, address", limits.client()))
    named = {"username": form.username.data, "now": now(), "device": device()}
    try:
        people.read_username(form.username.data)
    except UsernameError as error:  # told beside what is wrong with the password
        form.username.errors = [say(error.args[0])]
    try:
        hashed = people.hash_password(form.password.data)
        if form.username.errors:
            return None
        with database().write() as session:
            fresh = people.register(session, token(), password_hash=hashed, **named)
            preferences.bring_along(session, fresh)
    except (PasswordError, UsernameError, AlreadyRegisteredError) as error:
        field = form.password if isinstance(error, PasswordError) else form.username
        field.errors = [say(error.args[0])]
        return None
    return fresh


def changed(username: str, form: PasswordForm) -> str | None:
    """The token of a new session under the new password; None where the form is told what is wrong."""
    proof = prove(username, form.current.data)
    if proof is None:
        form.current.errors = [gettext(_NOT_YOURS)]
        return None
    try:
        hashed = people.hash_password(form.password.data)
        with database().write() as session:
            people.confirm(session, proof)
            people.set_password(session, username=username, password_hash=hashed, now=now())
            return people.enter(session, proof.credentials.learner_id, token=token(), now=now(), device=device())
    except PasswordError as error:
        form.password.errors = [say(error.args[0])]
    except StaleProofError:
        form.current.errors = [gettext(_NOT_YOURS)]
    return None


def reset_by(link: str, form: ResetForm) -> str | None:
    """The token of a new session under the password set by a link; None where the form is told what is wrong."""
    try:
        hashed = people.hash_password(form.password.data)
        with database().write() as session:
            fresh = resets.use_reset_link(
                session, link, password_hash=hashed, token=token(), now=now(), device=device()
            )
            preferences.bring_along(session, fresh)
    except (PasswordError, ResetLinkError) as error:
        form.password.errors = [say(error.args[0])]
        return None
    return fresh


def renew(fresh: str) -> None:
    """Begin a new session in the browser too: nothing of the old one but how numbers, symbols and times are written."""
    forget("decimal_comma", "notation", "time_zone")
    remember(fresh)


def forget(*but: str) -> None:
    """Empty the browser's session; the language stays as it is, and what else is named."""
    kept = {name: flask.session[name] for name in ("language", *but) if name in flask.session}
    flask.session.clear()
    flask.session.update(kept)


def again(message: str, status: int, headers: dict[str, str] | None = None) -> ResponseReturnValue | None:
    """The form that was sent, with all that was typed but the password; None where it was none of these."""
    forms: dict[str, tuple[type[FlaskForm], str]] = {
        "account.register": (RegisterForm, "account/register.html"),
        "account.sign_in": (SignInForm, "account/sign_in.html"),
        "account.change_password": (PasswordForm, "account/password.html"),
    }
    if request.endpoint not in forms:
        return None
    visitor()
    form, template = forms[request.endpoint]
    return render_template(template, form=form(), message=message), status, headers or {}


@account.errorhandler(CSRFError)
def expired(_error: CSRFError) -> ResponseReturnValue:
    """The form's token is missing, or of an earlier session."""
    return again(gettext(_EXPIRED), 400) or errors.page(400)


@account.errorhandler(TooOftenError)
def too_often(error: TooOftenError) -> ResponseReturnValue:
    """A limit is reached: the form says for how long."""
    message = gettext("That was too often.") + " " + limits.when_again(error.seconds)
    return again(message, 429, errors.retry_after(error)) or errors.too_often(error)
