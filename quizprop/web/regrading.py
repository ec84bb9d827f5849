"""A problem set while it is worked, and judged again: what other rules would give, and who decided that they hold."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from quizprop.exercise.credit import sheet_credit
from quizprop.exercise.grade import Sent, Verdict, verdicts
from quizprop.store import classroom, decisions, sets
from quizprop.store import regrading as records
from quizprop.store.classroom import CourseWork, Seat
from quizprop.store.regrading import Made
from quizprop.store.rules import Policy
from quizprop.store.sets import Result
from quizprop.web import sheet
from quizprop.web.builder import work_in
from quizprop.web.languages import gettext, marked, ngettext
from quizprop.web.seats import seeing_work, teaching
from quizprop.web.sheet import exercise_of
from quizprop.web.state import database, now, stay

__all__ = ["regrading"]

regrading = Blueprint("regrading", __name__)

_REFRESH_SECONDS: Final = 15
_TOGETHER: Final = 1000
_NO_REASON: Final = marked("Say why: whoever looks at it later wants to know.")
_OTHER: Final = marked("Meanwhile something was handed in or changed: these are the differences now. Look again.")
_RENEWED: Final = marked("Your visit was renewed in the meantime: look it over and send it again.")


@dataclass(frozen=True, slots=True)
class Difference:
    """A submission that other rules judge otherwise: its credit as it is and as it would be, shares of the item."""

    made: Made
    new: float


@regrading.get("/courses/<token>/sets/<name>/regrade")
def show_regrade(token: str, name: str) -> ResponseReturnValue:
    """What would change if everything handed in were judged by the rules of today."""
    seat = teaching(token)
    return regrade_page(seat, work_in(seat, name))


@regrading.post("/courses/<token>/sets/<name>/regrade")
def regrade(token: str, name: str) -> ResponseReturnValue:
    """Let the differences that were shown hold; the earlier credits stay in the record."""
    seat, reason = teaching(token), request.form.get("reason", "").replace("\0", "").strip()[:200]
    work = work_in(seat, name)
    if not reason:
        return regrade_page(seat, work, problem=gettext(_NO_REASON)), 422
    found = differences(seat, work)
    if request.form.get("shown") != fingerprint(found):
        return regrade_page(seat, work, problem=gettext(_OTHER), reason=reason), 409
    with database().write() as session:
        stay(session)
        records.add_regrades(session, [(one.made.submission_id, one.new) for one in found], now=now())
        about = {"set": work.stored.title, "count": len(found), "reason": reason}
        decisions.note(session, seat, "regrade", now=now(), **about)
    flash(ngettext("%(num)s submission is judged anew.", "%(num)s submissions are judged anew.", len(found)))
    return redirect(url_for("courses.show_grades", token=token), 303)


@regrading.get("/courses/<token>/sets/<name>/live")
def show_live(token: str, name: str) -> ResponseReturnValue:
    """How far everybody is at this moment; the page asks anew by itself."""
    seat = seeing_work(token)
    work = work_in(seat, name)
    with database().read() as session:
        inside = {one.learner_id: one for one in classroom.members(session, seat) if one.role == "student"}
        found = [one for one in sets.results(session, work.stored, now=now()) if one.learner_id in inside]
    found.sort(key=latest, reverse=True)
    columns = list(zip(*(one.work.items for one in found), strict=True))
    return render_template(
        "courses/live.html",
        seat=seat,
        work=work,
        results=[(one, latest(one)) for one in found],
        students=inside,
        heads=[(exercise_of(of[0].spec).title, sum(item.state == "solved" for item in of)) for of in columns],
        now=now(),
        refresh=_REFRESH_SECONDS,
    )


# --- what the views share -------------------------------------------------------------------------------------------


def latest(result: Result) -> int:
    """When somebody last worked on any exercise of a set; 0 for never."""
    return max((when or 0 for item in result.work.items for when in (item.checked_at, item.typed_at)), default=0)


def differences(seat: Seat, work: CourseWork) -> tuple[Difference, ...]:
    """The submissions that the rules of today judge otherwise than they are judged now."""
    with database().read() as session:
        found = records.made(session, seat, work.stored)
    made = tuple(found)
    return tuple(_differences(made, work.stored.policy))


def _differences(made: tuple[Made, ...], policy: Policy) -> Iterator[Difference]:
    for first in range(0, len(made), _TOGETHER):
        part = made[first : first + _TOGETHER]
        for one, found in zip(part, verdicts(list(_sent(part))), strict=True):
            new = _credit(one, found, policy)
            if abs(new - one.credit) > 1e-12:
                yield Difference(one, new)


def _sent(made: Iterable[Made]) -> Iterator[Sent]:
    """What is to be graded anew; cells that were left unchecked stay so."""
    for _, group in groupby(made, key=lambda one: one.variant.id):
        attempts = list(group)
        instance = sheet.instance_of(attempts[0].variant)
        for one in attempts:
            checked = {key for key, mark in one.marks.items() if mark["verdict"] != Verdict.UNCHECKED}
            yield Sent(instance, one.raw, one.decimal_comma, None if len(checked) == len(one.marks) else checked)


def _credit(one: Made, found: Mapping[str, Verdict], policy: Policy) -> float:
    """What a submission earns by these rules."""
    price = policy.hint_price or 0.0
    earned = sheet_credit(found, rungs=one.rungs, follow_credit=policy.follow_credit, hint_price=price)
    # A time limit that is over does not undo what was taken before it was set.
    return earned * one.window.share_at(one.created_at)


def fingerprint(found: tuple[Difference, ...]) -> str:
    """Tells whether the differences are those that were shown."""
    text = ";".join(f"{one.made.submission_id}:{one.made.credit!r}:{one.new!r}" for one in found)
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=256)
def _title(spec: str) -> str:
    return exercise_of(spec).title


def regrade_page(seat: Seat, work: CourseWork, *, problem: str = "", reason: str = "") -> str:
    """The page of a regrade: every difference, and the form that lets them hold."""
    found = differences(seat, work)
    titles = {one.made.variant.id: _title(one.made.variant.spec) for one in found}
    shown: dict[str, Any] = {"found": found, "titles": titles, "shown": fingerprint(found), "reason": reason}
    shown["up"] = sum(one.new > one.made.credit for one in found)
    return render_template("courses/regrade.html", seat=seat, work=work, problem=problem, **shown)


@regrading.errorhandler(CSRFError)
def expired(_error: CSRFError) -> ResponseReturnValue:
    """The form's token is missing, or of an earlier session: the page again, with what was typed."""
    seen = request.view_args or {}
    seat = teaching(seen["token"])
    reason = request.form.get("reason", "")
    return regrade_page(seat, work_in(seat, seen["name"]), problem=gettext(_RENEWED), reason=reason), 400
