"""Problem sets as those who teach make them: choose exercises and rules, try them out, publish."""

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from quizprop.exercise.figures import shortest
from quizprop.exercise.spec import Exercise
from quizprop.store import classroom, course_exercises, decisions, sets
from quizprop.store.classroom import CourseWork, Member, Seat
from quizprop.store.course_exercises import OwnExercise
from quizprop.store.database import Session
from quizprop.store.sets import NewItem, StoredSet
from quizprop.web.forms import SetForm, write_groups, write_late
from quizprop.web.languages import gettext, marked, ngettext, say
from quizprop.web.rendering import typed_moment
from quizprop.web.seats import teaching
from quizprop.web.sheet import exercise_of
from quizprop.web.state import database, now, services, stay
from quizprop.web.zones import zone

__all__ = ["builder", "items_in", "page_of", "parts_of", "work_in"]

builder = Blueprint("builder", __name__)

_MOST_SHEETS: Final = 150
"""Worksheets in one file: they are all made at once, which takes a tenth of a second for each, and two megabytes."""
_POINTS: Final = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6})?", re.ASCII)
_ORDER: Final = re.compile(r"[0-9]{0,4}", re.ASCII)
_ZONE: Final = re.compile(r"[A-Z]?", re.ASCII)
_RENEWED: Final = marked("Your visit was renewed in the meantime: look it over and send it again.")
_MEANWHILE: Final = marked(
    "Somebody changed this problem set meanwhile. What you typed is below: sent again, it takes the place of theirs."
)
_BAD_POINTS: Final = marked("Points are a number above 0, at most 1000.")
_BAD_ZONE: Final = marked("A group is one letter, an order a whole number.")
_NO_ITEM: Final = marked("Choose at least one exercise: write how many points it is worth.")
_EMPTY_GROUP: Final = marked("Fewer exercises than are to count are in group %(name)s.")

KINDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "practice": {},
    "homework": {"late": "24 h: 80 %, 72 h: 50 %", "fresh_after": 5, "follow_credit": 100},
    "exam": {"attempts": 1, "time_limit": 60, "feedback": "after due", "hints": "off", "follow_credit": 100},
}
"""What a new problem set begins with; all of it may be changed."""


# --- the pages ------------------------------------------------------------------------------------------------------


@builder.get("/courses/<token>/sets/new")
def show_new_set(token: str) -> ResponseReturnValue:
    """The form of a new problem set, as one of a kind begins, or as a copy of another set."""
    seat = teaching(token)
    copied = original(seat)
    if copied is not None:
        # Its rules stay as they are, though some need the due date that is still to be written.
        said = {**written_set(copied), "opens": "", "due": ""}
        return set_page(seat, SetForm(formdata=None, data=said), chosen=chosen_of(copied), like=copied)
    kind = KINDS.get(request.args.get("kind", ""), {})
    return set_page(seat, SetForm(formdata=None, data=kind))


@builder.post("/courses/<token>/sets/new")
def make_set(token: str) -> ResponseReturnValue:
    """Make a problem set of the course; only those who teach see it, until it is published."""
    seat, form = teaching(token), SetForm()
    copied = original(seat)
    items, problems = read_items(choices(own_exercises(seat), items_in(copied)))
    if not form.validate_on_submit() or (problems := problems or groups_problem(form, items)):
        return set_page(seat, form, problems=problems, like=copied), 422
    same = bool(form.same_numbers.data)
    with database().write() as session:
        stay(session)
        made = sets.create_set(session, items=items, now=now(), same_numbers=same, **form.said)
        classroom.add_set(session, seat, made, now=now(), draft=True)
        decisions.note(session, seat, "set made", now=now(), set=made.title)
    return redirect(url_for(".show_change_set", token=token, name=made.token), 303)


@builder.get("/courses/<token>/sets/<name>")
def show_change_set(token: str, name: str) -> ResponseReturnValue:
    """The form of a problem set that the course has."""
    seat = teaching(token)
    return page_of(seat, work_in(seat, name))


@builder.post("/courses/<token>/sets/<name>")
def change_set(token: str, name: str) -> ResponseReturnValue:
    """Give a problem set another title, other words, dates or rules; other exercises only before it is published."""
    seat = teaching(token)
    answer = keep_form(seat, work_in(seat, name))
    if answer is None:
        flash(gettext("That is changed."))
    return answer or redirect(url_for(".show_change_set", token=token, name=name), 303)


@builder.post("/courses/<token>/sets/<name>/publish")
def publish(token: str, name: str) -> ResponseReturnValue:
    """Let the students have a problem set, as its form says it now."""
    seat = teaching(token)
    work = work_in(seat, name)
    if "title" in request.form and (answer := keep_form(seat, work)) is not None:
        return answer
    with database().write() as session:
        stay(session)
        count = classroom.publish(session, seat, work.stored, now=now())
        decisions.note(session, seat, "set published", now=now(), set=text("title") or work.stored.title)
    flash(ngettext("%(num)s student has it now.", "%(num)s students have it now.", count))
    return redirect(url_for("courses.show_course", token=token), 303)


@builder.post("/courses/<token>/sets/<name>/preview")
def preview(token: str, name: str) -> ResponseReturnValue:
    """Work a problem set as a student would; nothing of it counts. A draft is worked as its form says it now."""
    seat = teaching(token)
    work = work_in(seat, name)
    if "title" in request.form and (answer := keep_form(seat, work)) is not None:
        return answer
    with database().write() as session:
        stay(session)
        decisions.begin_preview(session, seat, work.stored, now=now())
    return redirect(url_for("sets.show_set", token=work.stored.token), 303)


@builder.post("/courses/<token>/sets/<name>/delete")
def delete_draft(token: str, name: str) -> ResponseReturnValue:
    """Throw a draft away; what students have stays."""
    seat = teaching(token)
    with database().write() as session:
        stay(session)
        work = classroom.held_work(session, seat, name) or abort(404)
        if not classroom.delete_draft(session, seat, work):
            abort(404)
        decisions.note(session, seat, "draft deleted", now=now(), set=work.stored.title)
    flash(gettext("The draft is deleted."))
    return redirect(url_for("courses.show_course", token=token), 303)


# --- what the views share -------------------------------------------------------------------------------------------


def keep_form(seat: Seat, work: CourseWork) -> ResponseReturnValue | None:
    """Keep what the form of a set says, where it says something new; the form again, where it can't be kept."""
    form = SetForm()
    # As they stand they may stay, though here the clocks may show them twice.
    form.known = {typed_moment(one): one for one in (work.stored.opens_at, work.stored.due_at) if one is not None}
    items: list[NewItem] = []
    problems: Mapping[str, str] = {}
    if work.published_at is None:
        items, problems = read_items(choices(own_exercises(seat), items_in(work.stored)))
    if not form.validate_on_submit() or (problems := problems or (groups_problem(form, items) if items else {})):
        return set_page(seat, form, work=work, problems=problems, seen=text("seen")), 422
    with database().write() as session:
        stay(session)
        held = classroom.held_work(session, seat, work.stored.token) or abort(404)
        there = sets.items_of(session, held.stored)
        others = items if held.published_at is None and tuple(items) != there else []
        new = bool(others) or replace(held.stored, **form.said) != held.stored
        meanwhile = new and text("seen") not in ("", fingerprint(held.stored, there))
        if new and not meanwhile:
            write_set(session, seat, held.stored, said=form.said, items=others)
    return (set_page(seat, form, work=held, message=gettext(_MEANWHILE)), 409) if meanwhile else None


def write_set(
    session: Session, seat: Seat, stored: StoredSet, *, said: Mapping[str, Any], items: list[NewItem]
) -> None:
    """Write what a form says of a set, and the other items if there are any; note what is changed."""
    sets.change_set(session, stored, **said)
    if items:
        sets.replace_items(session, stored, items)
    changed = differences(stored, replace(stored, **said))
    decisions.note(session, seat, "set changed", now=now(), set=stored.title, **changed)


def fingerprint(stored: StoredSet, items: tuple[NewItem, ...]) -> str:
    """Tells whether a set is as its form was made from it."""
    return hashlib.sha256(repr((stored, items)).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is written beside an exercise: its points, its group, its place in the order; each empty if not."""

    points: str = ""
    zone: str = ""
    order: str = ""


def work_in(seat: Seat, name: str) -> CourseWork:
    """The course's problem set of this token; 404 where it has none."""
    with database().read() as session:
        return classroom.find_work(session, seat, name) or abort(404)


def page_of(seat: Seat, work: CourseWork, message: str = "") -> str:
    """The form of a problem set as it is kept."""
    form, chosen = SetForm(formdata=None, data=written_set(work.stored)), chosen_of(work.stored)
    return set_page(seat, form, work=work, chosen=chosen, message=message)


def parts_of(seat: Seat, items: int) -> tuple[tuple[Member, ...], ...]:
    """The students of the course in parts whose worksheets, so many each, go into one file; one part at least."""
    with database().read() as session:
        students = [one for one in classroom.members(session, seat) if one.role == "student"]
    each = max(1, _MOST_SHEETS // items)
    return tuple(tuple(students[at : at + each]) for at in range(0, len(students), each)) or ((),)


def set_page(
    seat: Seat,
    form: SetForm,
    *,
    work: CourseWork | None = None,
    like: StoredSet | None = None,
    chosen: Mapping[str, Chosen] | None = None,
    problems: Mapping[str, str] = MappingProxyType({}),
    message: str = "",
    seen: str = "",
) -> str:
    """The form of a problem set, with what was typed; of a new one where ``work`` is None, perhaps ``like`` another.

    ``problems`` are what is wrong beside its fields' own errors, by the id of the place to mend.

    ``seen`` is the fingerprint of the set as it was when the form was made, if it was made before.
    """
    stored, mine = work.stored if work else None, own_exercises(seat)
    there = items_in(stored or like)
    known = choices(mine, there)
    if chosen is None:
        chosen = {slug: Chosen(*map(text, names_of(slug))) for slug in known}
    own = {name: exercise for name, exercise in known.items() if name not in services().bank}
    first = picked(known, chosen)
    shown: dict[str, Any] = {"shelves": tuple(shelves(first, own)), "own": own, "chosen": chosen, "empty": Chosen()}
    shown["count"] = len(first)
    shown["total"] = sum(points for name in first if (points := points_in(chosen[name].points)) > 0)
    shown |= {"problems": problems, "refused": {**refused(form), **problems}}
    # Of these the course has a page.
    shown["samples"] = {one.key for one in mine if one.course_id == seat.course.id}
    told = {"message": message, "zone": zone().key, "stored": stored, "work": work}
    new: dict[str, Any] = {"kinds": tuple(KINDS), "copies": copies(seat) if work is None else ()}
    new["seen"] = seen or (fingerprint(stored, there) if stored is not None else "")
    items = there if work and work.published_at is not None else ()
    new["parts"] = parts_of(seat, len(items)) if items else ()
    titles = [exercise_of(one.spec).title for one in items]
    return render_template("courses/set.html", seat=seat, form=form, items=items, titles=titles, **shown, **told, **new)


def refused(form: SetForm) -> dict[str, str]:
    """The errors of a form's fields, by the id of the field, with its name."""
    return {field.id: f"{field.label.text}: {' '.join(map(str, field.errors))}" for field in form if field.errors}


def picked(known: Mapping[str, Exercise], chosen: Mapping[str, Chosen]) -> dict[str, Exercise]:
    """The exercises that have points, in their order."""
    names = [name for name in known if name in chosen and chosen[name].points]
    names.sort(key=lambda name: place_in(chosen[name].order))
    return {name: known[name] for name in names}


def shelves(first: Mapping[str, Exercise], own: Mapping[str, Exercise]) -> Iterator[tuple[str, dict[str, Exercise]]]:
    """All exercises under their headings, each once: those that have points come first."""
    bank = [(say(shelf.heading), {one.slug: one for one in shelf.exercises}) for shelf in services().shelves]
    if first:
        yield gettext("Chosen"), dict(first)
    for heading, exercises in (gettext("Your own"), own), *bank:
        others = {name: exercise for name, exercise in exercises.items() if name not in first}
        if others:
            yield heading, others


def items_in(stored: StoredSet | None) -> tuple[NewItem, ...]:
    """The items of a set, none of no set."""
    if stored is None:
        return ()
    with database().read() as session:
        return sets.items_of(session, stored)


def copies(seat: Seat) -> tuple[StoredSet, ...]:
    """The problem sets of all courses that the visitor teaches, the newest first."""
    with database().read() as session:
        seats = [one for one in classroom.courses_of(session, seat.learner_id) if one.teaches]
        found = {one.stored.id: one.stored for course in seats for one in classroom.shelf(session, course)}
    return tuple(sorted(found.values(), key=lambda one: -one.id))


def original(seat: Seat) -> StoredSet | None:
    """The set that the address of a new one says it is a copy of."""
    wanted = request.args.get("copy")
    return next((one for one in copies(seat) if one.token == wanted), None) if wanted else None


def own_exercises(seat: Seat) -> tuple[OwnExercise, ...]:
    """The exercises of the visitor's courses that are not in the bank."""
    with database().read() as session:
        return course_exercises.own_exercises(session, seat.learner_id)


def choices(own: Iterable[OwnExercise], items: Iterable[NewItem]) -> Mapping[str, Exercise]:
    """All exercises to choose from, by the name that they have in the form.

    The items of a set are among them as the set has them, where their exercise is deleted or somebody else's.
    """
    known = {**{one.key: one.exercise for one in own}, **services().bank}
    return {**{one.exercise: exercise_of(one.spec) for one in items if one.exercise not in known}, **known}


def chosen_of(stored: StoredSet) -> dict[str, Chosen]:
    """What stands beside the exercises of a set that there is."""
    items = items_in(stored)
    return {one.exercise: Chosen(shortest(one.points, 6), one.zone or "", str(at)) for at, one in enumerate(items, 1)}


def written_set(stored: StoredSet) -> dict[str, Any]:
    """What stands in the form of a problem set: its moments as the clocks of the visitor's zone show them."""
    policy = stored.policy
    said = {"title": stored.title, "words": stored.words, "attempts": stored.attempts}
    rules = {
        "late": write_late(policy.late),
        "time_limit": None if policy.time_limit is None else policy.time_limit // 60_000_000,
        "fresh_after": policy.fresh_after,
        "feedback": policy.feedback,
        "hints": "off" if policy.hint_price is None else "on",
        "hint_price": percent_text(policy.hint_price or 0) if policy.hint_price else None,
        "follow_credit": percent_text(policy.follow_credit),
        "password": policy.password or "",
        "networks": policy.networks or "",
        "best_of": write_groups(policy.best_of),
        "same_numbers": stored.seed is not None,
    }
    return {**said, **rules, "opens": typed_moment(stored.opens_at), "due": typed_moment(stored.due_at)}


def percent_text(share: float) -> str:
    """A share as it is typed, in percent."""
    return shortest(share * 100, 9)


def names_of(slug: str) -> tuple[str, str, str]:
    """The fields beside an exercise."""
    return f"points-{slug}", f"zone-{slug}", f"order-{slug}"


def text(name: str) -> str:
    """What was typed into a field."""
    return request.form.get(name, "").strip()


def read_items(known: Mapping[str, Exercise]) -> tuple[list[NewItem], dict[str, str]]:
    """The exercises chosen, in their order, and what is wrong with what is written beside them, by the field's id."""
    typed = {slug: Chosen(*map(text, names_of(slug))) for slug in known}
    chosen = {slug: one for slug, one in typed.items() if one.points}
    if not chosen:
        return [], {"exercises": gettext(_NO_ITEM)}
    problems = {name: f"{say(known[slug].title)}: {words}" for slug, name, words in problems_of(chosen)}
    if problems:
        return [], problems
    ordered = sorted(chosen.items(), key=lambda pair: place_in(pair[1].order))
    return [
        NewItem(slug, known[slug].model_dump_json(), points_in(one.points), one.zone.upper() or None)
        for slug, one in ordered
    ], {}


def problems_of(chosen: Mapping[str, Chosen]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with what is written beside exercises, and in which field."""
    for slug, one in chosen.items():
        points, zone, order = names_of(slug)
        if not 0 < points_in(one.points) <= 1000:
            yield slug, points, gettext(_BAD_POINTS)
        if not _ZONE.fullmatch(one.zone.upper()):
            yield slug, zone, gettext(_BAD_ZONE)
        elif not _ORDER.fullmatch(one.order):
            yield slug, order, gettext(_BAD_ZONE)


def points_in(typed: str) -> float:
    """The points that are typed; NaN where that is no number."""
    plain = typed.replace(",", ".")
    return float(plain) if _POINTS.fullmatch(plain) else math.nan


def place_in(typed: str) -> int:
    """The place in the order that is typed; the last one where that is none."""
    return int(typed) if typed and _ORDER.fullmatch(typed) else 10_000


def groups_problem(form: SetForm, items: list[NewItem]) -> dict[str, str]:
    """What is wrong with the groups of a form whose fields are right."""
    for name, count in form.policy.best_of.items():
        if sum(item.zone == name for item in items) < count:
            return {"best_of": gettext(_EMPTY_GROUP, name=name)}
    return {}


def differences(before: StoredSet, after: StoredSet) -> dict[str, Any]:
    """What is changed of a set, for the record."""
    old, new = (
        {name: "" if value is None else str(value) for name, value in written_set(one).items() if name in SAID}
        for one in (before, after)
    )
    moments = {"opens": after.opens_at, "due": after.due_at}  # whoever reads it may have another time zone
    changed = {name: moments.get(name) or value for name, value in new.items() if old[name] != value}
    return {"changed": changed} if changed else {}


SAID: Final = frozenset(
    ("title", "words", "opens", "due", "attempts", "late", "time_limit", "fresh_after", "feedback", "hints")
) | {"hint_price", "follow_credit", "best_of", "networks"}
"""The fields whose changes are told in the record; a password is not."""


@builder.errorhandler(CSRFError)
def expired(_error: CSRFError) -> ResponseReturnValue:
    """The form's token is missing, or of an earlier session: the page again, with what was typed."""
    seen = request.view_args or {}
    seat, name = teaching(seen["token"]), seen.get("name")
    work, copied = (work_in(seat, name), None) if name else (None, original(seat))
    return set_page(seat, SetForm(), work=work, like=copied, message=gettext(_RENEWED)), 400
