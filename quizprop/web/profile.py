"""What is one's own: the settings, the sessions, all that is kept, and its end."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import flask
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from quizprop.store import classroom, own_data, people
from quizprop.store.database import Database
from quizprop.store.people import StaleProofError, Visitor
from quizprop.web import limits, preferences, zones
from quizprop.web.account import forget, prove
from quizprop.web.errors import retry_after
from quizprop.web.errors import too_often as too_often_page
from quizprop.web.forms import DeleteForm, ForgetForm, SettingsForm
from quizprop.web.languages import decimal_comma, gettext, marked
from quizprop.web.limits import TooOftenError
from quizprop.web.state import database, now, visitor

__all__ = ["profile"]

profile = Blueprint("profile", __name__)

_EXPIRED: Final = marked("Your visit was renewed in the meantime: look it over and send it again.")


@profile.get("/settings")
def show_settings() -> ResponseReturnValue:
    """How the pages speak and write to this visitor, and what may be done with all that is kept."""
    visitor()
    return settings_page(settings_form())


@profile.post("/settings")
def change_settings() -> ResponseReturnValue:
    """Keep what was chosen."""
    visitor()
    form = settings_form()
    if not form.validate_on_submit():
        return settings_page(form), 422
    preferences.keep(language=form.language.data or None, time_zone=form.time_zone.data or None)
    flask.session["decimal_comma"] = form.decimal_mark.data == "comma"
    flash(gettext("Your settings are kept."))
    return redirect(url_for(".show_settings"), 303)


@profile.get("/sessions")
def sessions() -> ResponseReturnValue:
    """Where one is signed in."""
    known = visitor()
    if known is None or known.anonymous:
        return redirect(url_for("account.show_sign_in", next=request.path))
    with database().read() as session:
        found = people.open_sessions(session, known.learner_id, now=now())
    return render_template("profile/sessions.html", sessions=found, this=known.session_id)


@profile.post("/sessions")
def end_sessions() -> ResponseReturnValue:
    """Sign out: one session by its number, all ``others``, or ``all``."""
    known = owner()
    which = request.form.get("end", "")
    with database().write() as session:
        if which in ("all", "others"):
            but = known.session_id if which == "others" else None
            people.revoke_all(session, known.learner_id, now=now(), but=but)
        elif which.isascii() and which.isdigit() and len(which) < 19:
            people.end_session(session, int(which), learner_id=known.learner_id, now=now())
    if which in ("all", str(known.session_id)):
        forget()
        flash(gettext("You are signed out everywhere.") if which == "all" else gettext("You are signed out."))
        return redirect(url_for("practice.bank"), 303)
    flash(gettext("That is ended. You are signed in where the list says."))
    return redirect(url_for(".sessions"), 303)


@profile.post("/download")
def download() -> ResponseReturnValue:
    """Everything that is kept of the visitor, as one JSON file."""
    known = owner()
    with database().write() as session:
        limits.take(session, now(), ("download, learner", known.learner_id))
    moment = datetime.fromtimestamp(now() / 1_000_000, UTC)
    content = written(database(), known.learner_id, moment, request.remote_addr)
    answer = Response(content, mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="quizprop-{moment:%Y-%m-%d}.json"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@profile.get("/delete")
def show_delete() -> ResponseReturnValue:
    """What would be deleted, and the question."""
    known = visitor()
    if known is None:
        return redirect(url_for(".show_settings"))
    return delete_page(known, ForgetForm() if known.anonymous else DeleteForm())


@profile.post("/delete")
def delete() -> ResponseReturnValue:
    """Delete everything of the visitor, and sign out."""
    known = owner()
    form = ForgetForm() if known.anonymous else DeleteForm()
    if not (form.validate_on_submit() and deleted(known, form)):
        return delete_page(known, form), 422
    forget()
    flash(gettext("Everything is deleted."))
    return redirect(url_for("practice.bank"), 303)


# --- what the views share -------------------------------------------------------------------------------------------


def owner() -> Visitor:
    """The visitor whose data it is; 404 for somebody of whom nothing is kept."""
    return visitor() or abort(404)


def settings_page(form: SettingsForm, message: str = "") -> str:
    """The page of the settings."""
    told, chosen = zones.browser_zone(), form.time_zone.data
    groups = zones.zones_by_region()
    offered = {name for group in groups.values() for name, _ in group}
    others = ["UTC"] if not chosen or chosen in offered or not zones.is_zone(chosen) else sorted({"UTC", chosen})
    return render_template(
        "profile/settings.html", form=form, message=message, told=told, zone_groups=groups, other_zones=others
    )


def settings_form() -> SettingsForm:
    """The form, filled in with what was sent, else with what is chosen now."""
    return SettingsForm(
        language=preferences.chosen_language() or "",
        time_zone=zones.chosen_zone() or "",
        decimal_mark="comma" if decimal_comma() else "point",
    )


def written(opened: Database, learner_id: int, moment: datetime, address: str | None) -> Iterator[str]:
    """The file, some sheets at a time: no transaction stays open while a slow connection takes them in.

    It has what may be seen from the ``address`` that asks for it.
    """
    at = round(moment.timestamp() * 1_000_000)
    with opened.read() as session:
        summary = own_data.export_summary(session, learner_id, now=at)
    head: dict[str, Any] = {"format": 1, "written_at": moment.isoformat(timespec="seconds"), **summary}
    yield json.dumps(head)[:-1] + ', "sheets": ['
    after, between = 0, "\n"
    while True:
        with opened.read() as session:
            sheets = own_data.export_sheets(session, learner_id, now=at, address=address, after=after)
        if not sheets:
            break
        for sheet in sheets:
            yield between + json.dumps(sheet)
            between = ",\n"
        after = sheets[-1]["id"]
    yield "\n]}\n"


def delete_page(known: Visitor, form: DeleteForm | ForgetForm, *, message: str = "") -> str:
    """What would be deleted, and which courses would be left with nobody who teaches them."""
    with database().read() as session:
        alone = classroom.taught_alone(session, known.learner_id)
    return render_template("profile/delete.html", form=form, message=message, alone=alone)


def deleted(known: Visitor, form: DeleteForm | ForgetForm) -> bool:
    """Whether everything is deleted; else the form is told what is wrong."""
    if known.username is None:
        with database().write() as session:
            own_data.delete_learner(session, known.learner_id)
        return True
    proof = prove(known.username, form.current.data)
    try:
        if proof is not None:
            with database().write() as session:
                own_data.delete_account(session, proof)
            return True
    except StaleProofError:
        pass
    form.current.errors = [gettext("This is not your password.")]
    return False


@profile.errorhandler(CSRFError)
def expired(_error: CSRFError) -> ResponseReturnValue:
    """The form's token is missing, or of an earlier session: the page again, with what was chosen."""
    known = visitor()
    if request.endpoint == "profile.change_settings":
        return settings_page(settings_form(), gettext(_EXPIRED)), 400
    if request.endpoint == "profile.delete" and known is not None:
        form = ForgetForm() if known.anonymous else DeleteForm()
        return delete_page(known, form, message=gettext(_EXPIRED)), 400
    flash(gettext(_EXPIRED))
    back = ".sessions" if request.endpoint == "profile.end_sessions" else ".show_settings"
    return redirect(url_for(back), 303)


@profile.errorhandler(TooOftenError)
def too_often(error: TooOftenError) -> ResponseReturnValue:
    """A limit is reached: of passwords, on the page that asks for one."""
    if request.endpoint != "profile.delete":
        return too_often_page(error)
    form = DeleteForm()
    form.current.errors = [limits.when_again(error.seconds)]
    return delete_page(owner(), form), 429, retry_after(error)
