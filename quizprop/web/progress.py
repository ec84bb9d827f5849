"""What the visitor has done so far, what is believed to be learned of it, and all sheets to look back at."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from quizprop.exercise.knowledge import Belief, Knowledge, Outcome
from quizprop.exercise.skills import Skill, Skills
from quizprop.store import learning
from quizprop.store import practice as records
from quizprop.store.learning import StoredSkill
from quizprop.store.practice import Checked
from quizprop.store.sets import withheld_items
from quizprop.web import tutor
from quizprop.web.state import database, now, services, visitor
from quizprop.web.zones import zone

__all__ = ["progress"]

progress = Blueprint("progress", __name__)

_DAY: Final = 24 * 3600 * 1_000_000
_SPAN: Final = 60
_PAGE: Final = 50


class Standing(StrEnum):
    """How far a skill is."""

    DUE = "due"
    SETTLED = "settled"
    BEGUN = "begun"
    READY = "ready"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Place:
    """A skill's place on the map: ``waits_for`` are those of its needs that are not settled yet."""

    skill: Skill
    standing: Standing
    belief: Belief
    waits_for: tuple[str, ...]
    due_at: int | None


@dataclass(frozen=True, slots=True)
class Day:
    """What was done on a day: the sheets worked and solved, the first answers and those of them that were right."""

    day: date
    sheets: int
    solved: int
    answers: int
    right: int


@progress.get("/progress")
def show_progress() -> ResponseReturnValue:
    """Skills, mistakes, days and sheets."""
    known = visitor()
    about = {"done": None} if known is None else reached(known.learner_id, now())
    return render_template("practice/progress.html", titles=titles(), overcome=tutor.OVERCOME, **about)


@progress.get("/progress/sheets")
def show_sheets() -> ResponseReturnValue:
    """All sheets, a page at a time, each with its attempts."""
    known, number = visitor() or abort(404), request.args.get("page", "1")
    if not number.isascii() or not number.isdigit() or not 1 <= int(number[:6]) < 100_000:
        abort(404)
    page = int(number[:6])
    with database().read() as session:
        hidden = withheld_items(session, known.learner_id, now())
        found = records.sheets(session, known.learner_id, skip=(page - 1) * _PAGE, count=_PAGE + 1, hidden=hidden)
    if not found and page > 1:
        abort(404)
    return render_template(
        "practice/sheets.html", sheets=found[:_PAGE], titles=titles(), page=page, more=len(found) > _PAGE
    )


def reached(learner_id: int, moment: int) -> dict[str, Any]:
    """What the page tells of a learner."""
    with database().read() as session:
        hidden = withheld_items(session, learner_id, moment)
        done = records.progress(session, learner_id, recent=10, hidden=hidden)
        states = learning.skills_of(session, learner_id)
        slips = learning.slips_of(session, learner_id)
        checks = records.checks(session, learner_id, since=moment - _SPAN * _DAY, hidden=hidden)
    places = tuple(skill_map(services().skills, states, moment))
    waiting = sum(one.standing is Standing.DUE for one in places)
    return {"done": done, "places": places, "waiting": waiting, "slips": slips, "days": tuple(days(checks))}


def titles() -> dict[str, str]:
    """The titles of all exercises."""
    return {slug: exercise.title for slug, exercise in services().bank.items()}


def skill_map(skills: Skills, states: Mapping[str, StoredSkill], moment: int) -> Iterator[Place]:
    """Every skill in the order of the map."""
    knowledge = tutor.knowledge_of(skills, states)
    due = {one.skill for one in tutor.due(skills, states, moment)}
    for skill in skills:
        state = states.get(skill.name)
        waits_for = tuple(name for name in skill.needs if not knowledge.mastered(name))
        standing = _standing(knowledge, skill, known=state is not None, due=skill.name in due)
        yield Place(skill, standing, knowledge[skill.name], waits_for, state.due_at if state else None)


def _standing(knowledge: Knowledge, skill: Skill, *, known: bool, due: bool) -> Standing:
    if knowledge.mastered(skill.name) and known:
        return Standing.DUE if due else Standing.SETTLED
    if known:
        return Standing.BEGUN
    return Standing.READY if knowledge.ready(skill.name) else Standing.WAITING


def days(checks: Iterable[Checked]) -> Iterator[Day]:
    """The days on which something was checked, as the visitor's calendar has them, the last one first."""
    here = zone()

    def day(one: Checked) -> date:
        return datetime.fromtimestamp(one.created_at / 1_000_000, UTC).astimezone(here).date()

    for when, group in groupby(reversed(tuple(checks)), day):
        done = tuple(group)
        outcomes = [outcome for one in done for outcome in one.evidence.values()]
        yield Day(
            when,
            sheets=len({one.variant_id for one in done}),
            solved=len({one.variant_id for one in done if one.full}),
            answers=len(outcomes),
            right=outcomes.count(Outcome.RIGHT),
        )
