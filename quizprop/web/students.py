"""Single students of a course: who they are, what they did, what was decided about them; and the record of it all."""

import codecs
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from quizprop.exercise.set_file import read_moment
from quizprop.store import decisions, roster
from quizprop.store.classroom import Member, Seat
from quizprop.store.decisions import Entry
from quizprop.store.roster import Outcome, RosterError, Row
from quizprop.web import limits
from quizprop.web.builder import work_in
from quizprop.web.forms import NO_MOMENT, NOT_AFTER, SetForm
from quizprop.web.languages import gettext, marked, ngettext, say
from quizprop.web.rendering import moment_in_words, number, typed_moment
from quizprop.web.seats import ROLE_WORDS, seeing_work, teaching
from quizprop.web.sheet import exercise_of
from quizprop.web.state import database, now, stay
from quizprop.web.zones import zone

__all__ = ["students"]

students = Blueprint("students", __name__)

_PAGE: Final = 100
_MOST_EXTRA: Final = 1000
_POINTS: Final = re.compile(r"[0-9]{1,5}([.,][0-9]{1,6})?", re.ASCII)
_NO_REASON: Final = marked("Say why: whoever looks at it later wants to know.")
_BAD_POINTS: Final = marked("Points are a number from 0 to 10,000.")
_BAD_EXTRA: Final = marked("Extra time is a whole number of percent from 0 to 1000.")
_TOO_LONG: Final = marked("These are more than 200 characters.")
_RENEWED: Final = marked("Your visit was renewed in the meantime: look it over and send it again.")
STEPS: Final[Mapping[str, str]] = {
    "new account": marked("New account"),
    "joins": marked("Comes into the course"),
    "changed": marked("Changed"),
    "as it was": marked("As it was"),
    "refused": marked("Refused"),
}
DEEDS: Final[Mapping[str, str]] = {
    "set made": marked("Problem set made: %(set)s"),
    "set changed": marked("Problem set changed: %(set)s"),
    "set published": marked("Problem set published: %(set)s"),
    "draft deleted": marked("Draft deleted: %(set)s"),
    "exercise saved": marked("Exercise saved: %(exercise)s"),
    "exercise deleted": marked("Exercise deleted: %(exercise)s"),
    "roster": marked("Roster: %(added)s new, %(changed)s changed"),
    "links": marked("New links for accounts that nobody had opened: %(count)s"),
    "student": marked("Particulars of %(student)s"),
    "extension": marked("Extension for %(student)s: %(set)s"),
    "extension ended": marked("Extension of %(student)s taken back: %(set)s"),
    "excused": marked("%(student)s excused from %(exercise)s in %(set)s: %(reason)s"),
    "points": marked("Points of %(student)s at %(exercise)s in %(set)s: %(points)s. %(reason)s"),
    "taken back": marked("Decision taken back for %(student)s at %(exercise)s in %(set)s: %(reason)s"),
    "regrade": marked("%(set)s regraded, submissions changed: %(count)s. %(reason)s"),
    "role": marked("%(member)s is now: %(role)s"),
    "removed": marked("%(member)s taken out of the course"),
    "code": marked("New code"),
    "renamed": marked("The course %(before)s is called %(after)s now"),
}


# --- the roster -----------------------------------------------------------------------------------------------------


@students.get("/courses/<token>/roster")
def show_roster(token: str) -> ResponseReturnValue:
    """The form for a class list."""
    return roster_page(teaching(token))


@students.post("/courses/<token>/roster")
def send_roster(token: str) -> ResponseReturnValue:
    """Say what a class list would do; with ``do=apply`` do it."""
    seat, text = teaching(token), sent_text()
    try:
        rows = roster.read_roster(text)
    except RosterError as error:
        return roster_page(seat, text=text, problem=say(error.args[0])), 422
    if request.form.get("do") != "apply":
        with database().read() as session:
            return roster_page(seat, text=text, outcomes=roster.check_roster(session, seat, rows))
    return roster_page(seat, outcomes=applied(seat, rows), applied=True)


# --- one student ----------------------------------------------------------------------------------------------------


@students.get("/courses/<token>/students/<who>")
def show_student(token: str, who: str) -> ResponseReturnValue:
    """A student: particulars, problem sets, decisions."""
    seat = seeing_work(token)
    return student_page(seat, student_of(seat, who))


@students.post("/courses/<token>/students/<who>")
def change_student(token: str, who: str) -> ResponseReturnValue:
    """Change a student's particulars, or the extra time."""
    seat = teaching(token)
    student, extra = student_of(seat, who), text("extra_time") or "0"
    said = {name: text(name) for name in ("name", "section", "external_id")}
    if any(len(one) > 200 for one in said.values()):
        return student_page(seat, student, problem=gettext(_TOO_LONG), at="particulars"), 422
    if not (extra.isascii() and extra.isdigit() and len(extra) < 5 and int(extra) <= _MOST_EXTRA):
        return student_page(seat, student, problem=gettext(_BAD_EXTRA), at="particulars"), 422
    with database().write() as session:
        stay(session)
        decisions.change_student(session, seat, student, **said, extra_time=int(extra) / 100)
        decisions.note(session, seat, "student", now=now(), student=student.learner_id, extra_time=int(extra))
    flash(gettext("That is changed."))
    return redirect(url_for(".show_student", token=token, who=who), 303)


@students.post("/courses/<token>/students/<who>/due/<name>")
def extend(token: str, who: str, name: str) -> ResponseReturnValue:
    """Give a student another due date of a problem set; an empty one takes it back."""
    seat = teaching(token)
    student, stored, typed = student_of(seat, who), work_in(seat, name).stored, text("due")
    try:
        due = read_moment(typed, zone().key) if typed else None
    except ValueError:
        return student_page(seat, student, problem=str(NO_MOMENT), at=f"due-{stored.id}"), 422
    if due is not None and stored.opens_at is not None and due <= stored.opens_at:
        return student_page(seat, student, problem=str(NOT_AFTER), at=f"due-{stored.id}"), 422
    with database().write() as session:
        stay(session)
        decisions.extend(session, student, stored, due)
        said = {"student": student.learner_id, "set": stored.title, "due": due}
        decisions.note(session, seat, "extension ended" if due is None else "extension", now=now(), **said)
    flash(gettext("That is changed."))
    return redirect(url_for(".show_student", token=token, who=who), 303)


@students.post("/courses/<token>/students/<who>/items/<item>")
def adjust(token: str, who: str, item: str) -> ResponseReturnValue:
    """Decide about a student's item: other points, or excused, or neither any more; always with a reason."""
    seat = teaching(token)
    student, reason, do = student_of(seat, who), text("reason"), request.form.get("do", "points")
    with database().read() as session:
        chosen = (is_number(item) and decisions.find_item(session, seat, int(item))) or abort(404)
    typed = text("points")
    if problem := decision_problem(do, typed, reason):
        return student_page(seat, student, problem=problem, at=f"item-{chosen.id}"), 422
    points = float(typed.replace(",", ".")) if do == "points" else None
    what = {"points": "points", "excuse": "excused"}.get(do, "taken back")
    about = {"student": student.learner_id, "set": chosen.of.title, "exercise": chosen.exercise, "points": points}
    with database().write() as session:
        stay(session)
        excused = do == "excuse"
        decisions.adjust(session, student, chosen, points=points, excused=excused, reason=reason, now=now())
        decisions.note(session, seat, what, now=now(), **about, reason=reason)
    flash(gettext("That is decided; the record says so."))
    return redirect(url_for(".show_student", token=token, who=who), 303)


@students.get("/courses/<token>/record")
def show_record(token: str) -> ResponseReturnValue:
    """Who changed what in the course."""
    seat, page = teaching(token), request.args.get("page", "1")
    if not is_number(page) or not 1 <= int(page) < 100_000:
        abort(404)
    skip = (int(page) - 1) * _PAGE
    with database().read() as session:
        found = decisions.entries(session, seat, skip=skip, count=_PAGE + 1)
        names = decisions.names_in(session, found)
    lines = [(one, deed(one, names)) for one in found[:_PAGE]]
    more = len(found) > _PAGE
    fields = {field.name: field.label.text for field in SetForm(formdata=None)}
    return render_template("courses/record.html", seat=seat, lines=lines, fields=fields, page=int(page), more=more)


# --- what the views share -------------------------------------------------------------------------------------------


def text(name: str) -> str:
    """What was typed into a field."""
    return request.form.get(name, "").replace("\0", "").strip()


def is_number(typed: str) -> bool:
    """Whether it can be the number of a row."""
    return typed.isascii() and typed.isdigit() and len(typed) < 19


def sent_text() -> str:
    """The class list: the file that was sent, else the text that was typed."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return request.form.get("roster", "")
    sent = bytes(file.read())
    if sent.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return sent.decode("utf-16", "replace")
    try:
        return sent.decode("utf-8-sig")
    except UnicodeDecodeError:  # as Excel writes it by default in western Europe
        return sent.decode("cp1252", "replace")


def applied(seat: Seat, rows: tuple[Row, ...]) -> tuple[Outcome, ...]:
    """Take the class list in."""
    with database().write() as session:
        limits.take(session, now(), ("roster, learner", seat.learner_id))
    hashed = roster.sealed()
    with database().write() as session:
        stay(session)
        wanted = bool(request.form.get("links"))
        done = roster.apply_roster(session, seat, rows, password_hash=hashed, now=now(), new_links=wanted)
        added = sum(one.step in ("new account", "joins") for one in done)
        changed = sum(one.step == "changed" for one in done)
        decisions.note(session, seat, "roster", now=now(), added=added, changed=changed)
        links = sum(one.link is not None and one.step != "new account" for one in done)
        if links:
            decisions.note(session, seat, "links", now=now(), count=links)
    return done


def student_of(seat: Seat, who: str) -> Member:
    """The student of the course with this membership; 404 where there is none."""
    with database().read() as session:
        return (is_number(who) and decisions.find_student(session, seat, int(who))) or abort(404)


def roster_page(
    seat: Seat, *, text: str = "", outcomes: tuple[Outcome, ...] = (), problem: str = "", applied: bool = False
) -> str:
    """The page of the roster: the form, what it would do or did."""
    refused = sum(one.step == "refused" for one in outcomes)
    words = ngettext("%(num)s row can't be used.", "%(num)s rows can't be used.", refused) if refused else ""
    unopened = sum(one.unopened for one in outcomes)
    shown = {"text": text, "outcomes": outcomes, "problem": problem, "applied": applied, "refused": words}
    shown["unopened"] = unopened
    return render_template("courses/roster.html", seat=seat, steps=STEPS, **shown)


def student_page(seat: Seat, student: Member, *, problem: str = "", at: str = "") -> str:
    """The page of a student; with what was typed in the form ``at`` which there is a problem."""
    with database().read() as session:
        works = decisions.work_of(session, seat, student, now())
        decided = decisions.decisions_of(session, seat, student)
    titles = {item.id: exercise_of(item.spec).title for work in works for item in work.items}
    extended = {work.stored.id: typed_moment(work.terms.extended_to) for work in works}
    kept = {at: dict(request.form.items())} if at else {}
    shown: dict[str, Any] = {"works": works, "decided": decided, "titles": titles, "extended": extended, "kept": kept}
    told = {"problem": problem, "at": at, "zone": zone().key}
    return render_template("courses/student.html", seat=seat, student=student, **told, **shown)


def sent_at(seat: Seat, seen: Mapping[str, Any]) -> str:
    """Which form of a student's page an address takes."""
    if "name" in seen:
        return f"due-{work_in(seat, seen['name']).stored.id}"
    return f"item-{seen['item']}" if "item" in seen else "particulars"


def decision_problem(do: str, typed: str, reason: str) -> str:
    """What is wrong with a decision."""
    if do not in ("points", "excuse", "undo"):
        abort(400)
    if do == "points" and not (_POINTS.fullmatch(typed) and float(typed.replace(",", ".")) <= 10_000):
        return gettext(_BAD_POINTS)
    if not reason:
        return gettext(_NO_REASON)
    return gettext(_TOO_LONG) if len(reason) > 200 else ""


def deed(entry: Entry, names: Mapping[int, str]) -> str:
    """A line of the record in words."""
    return gettext(DEEDS.get(entry.what, entry.what), **dict(parts(entry, names)))


def parts(entry: Entry, names: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    """What the words of a line are about."""
    for name, value in entry.details.items():
        if name in ("student", "member"):
            yield name, names.get(value, gettext("(gone)"))
        elif name == "role":
            yield name, say(ROLE_WORDS[value])
        elif name == "due":
            yield name, moment_in_words(value) if value is not None else ""
        elif isinstance(value, float):
            yield name, number(value)
        else:
            yield name, str(value)


@students.errorhandler(CSRFError)
def expired(_error: CSRFError) -> ResponseReturnValue:
    """The form's token is missing, or of an earlier session: the page again, with what was typed."""
    seen = request.view_args or {}
    seat, words = teaching(seen["token"]), gettext(_RENEWED)
    if "who" in seen:
        return student_page(seat, student_of(seat, seen["who"]), problem=words, at=sent_at(seat, seen)), 400
    return roster_page(seat, text=sent_text(), problem=words), 400
