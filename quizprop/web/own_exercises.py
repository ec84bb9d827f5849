"""Exercises of one's own: the parameters of any exercise in a form, five variants at once, TOML in and out."""

import re
import secrets
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, get_args

import numpy as np
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from pydantic import ValidationError

from quizprop.engine.losses import LOSSES
from quizprop.exercise.bank import BankError, described, read_exercise
from quizprop.exercise.certify import plan_of
from quizprop.exercise.exercise_file import toml_value, written_exercise
from quizprop.exercise.figures import to_places
from quizprop.exercise.generate import CannotCertifyError, certified_blocks, instances_of
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import NOTATIONS
from quizprop.exercise.spec import Exercise, NetworkSpec
from quizprop.store import course_exercises, decisions
from quizprop.store.classroom import Seat
from quizprop.store.course_exercises import MOST, TooManyError
from quizprop.web import limits, sheet
from quizprop.web.languages import gettext, marked
from quizprop.web.seats import teaching
from quizprop.web.state import database, now, services, stay
from quizprop.web.worksheets import in_time

__all__ = ["own_exercises"]

own_exercises = Blueprint("own_exercises", __name__)

_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_VARIANTS: Final = 5
_MOST_CELLS: Final = 400
_MOST_LAYERS: Final = 7
_LARGEST: Final = 100_000
_MOST_POINTS: Final = 500
_MOST_DIGITS: Final = 300
_LONG_NUMBER: Final = re.compile(rf"[0-9A-Fa-f_]{{{_MOST_DIGITS + 1}}}")
_LONGEST_LIST: Final = 5000
"""Characters of a list in a field: reading and writing one takes time with the square of its length."""
_TRIAL: Final = 4.0
"""Seconds of the processor in which variants are found, if they are."""
_BLOCK: Final = 1 << 10
"""Candidates that are tried before the time is looked at."""
_NOT_IN_TIME: Final = marked(
    "No variant was found in %(seconds)s seconds. This rejects most: %(rules)s. Widen or shift the ranges, ask for "
    "more decimals, or ask for less."
)
_NO_SLUG: Final = marked("A name has small letters, digits and hyphens, as in my-network, and at most 60 of them.")
_TAKEN: Final = marked("An exercise of the bank has this name: take another one.")
_TOO_LARGE: Final = marked(
    "This asks for more than %(most)s values, or has more than %(layers)s layers: make it smaller."
)
_TOO_MANY: Final = marked("A course has at most %(most)s exercises of its own: delete one before.")
_RENEWED: Final = marked("Your visit was renewed in the meantime: look it over and send it again.")
_LESSON_FIELDS: Final = ("title", "sentence", "places", "notation", "asked", "shown")
_NETWORK_FIELDS: Final = ("layers", "activations", "loss", "bias", "examples", "reduction", "update_biases")
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "loss": get_args(NetworkSpec.model_fields["loss"].annotation),
    "bias": get_args(NetworkSpec.model_fields["bias"].annotation),
    "reduction": get_args(NetworkSpec.model_fields["reduction"].annotation),
    "update_biases": ("true", "false"),
    "notation": tuple(name for name, _ in NOTATIONS),
}
CHOICE_WORDS: Final[Mapping[str, str]] = {
    **{name: loss.title for name, loss in LOSSES.items()},
    **{name: words.partition(":")[0] for name, words in NOTATIONS},
    "unit": "one a unit",
    "shared": "one a layer, shared",
    "mean": "mean",
    "sum": marked("sum"),
    "true": "yes",
    "false": "no",
}
"""What a choice is called on the page, where that is not its name in a file."""


@dataclass(frozen=True, slots=True)
class Found:
    """What certification found: some variants, and of how many candidates how many were certified."""

    variants: tuple[Instance, ...]
    tried: int
    passed: int
    rejected: tuple[tuple[str, int], ...]

    @property
    def rate(self) -> float:
        """The share of candidates that were certified."""
        return self.passed / self.tried if self.tried else 0.0


# --- the pages ------------------------------------------------------------------------------------------------------


@own_exercises.get("/courses/<token>/exercises")
def show_exercises(token: str) -> ResponseReturnValue:
    """The course's own exercises, and those of the bank to begin with."""
    seat = teaching(token)
    with database().read() as session:
        own = course_exercises.of_course(session, seat)
    return render_template("courses/exercises.html", seat=seat, own=own, shelves=services().shelves)


@own_exercises.get("/courses/<token>/exercises/<slug>")
def show_exercise(token: str, slug: str) -> ResponseReturnValue:
    """An exercise with its parameters and five of its variants."""
    seat = teaching(token)
    exercise, source = find(seat, slug)
    return exercise_page(seat, slug, exercise, source)


@own_exercises.get("/courses/<token>/exercises/<slug>.toml")
def download_exercise(token: str, slug: str) -> ResponseReturnValue:
    """The exercise as its file."""
    _, source = find(teaching(token), slug)
    head = {"Content-Disposition": f'attachment; filename="{slug.partition(".")[0]}.toml"'}
    return Response(source, content_type="application/toml; charset=utf-8", headers=head)


@own_exercises.post("/courses/<token>/exercises/<slug>")
def change_exercise(token: str, slug: str) -> ResponseReturnValue:
    """Try changed parameters, or a text, or keep them as an exercise of the course; or delete one."""
    seat = teaching(token)
    do = request.form.get("do", "try")
    if do == "delete":
        return deleted(seat, slug)
    before, _ = find(seat, slug)
    name, source = request.form.get("name", "").strip(), written(before)
    try:
        exercise = read(seat, name, source)
        found = certificate(exercise)
    except (BankError, CannotCertifyError) as error:
        return exercise_page(seat, slug, before, source, problem=str(error), name=name), 422
    if do == "try":
        return exercise_page(seat, slug, exercise, source, found=found, name=name)
    return saved(seat, exercise, source)


# --- what the views share -------------------------------------------------------------------------------------------


def find(seat: Seat, slug: str) -> tuple[Exercise, str]:
    """The course's own exercise of this name, else that of the bank, with its TOML; 404 where there is none."""
    with database().read() as session:
        own = course_exercises.find_own(session, seat, slug)
    if own is not None:
        return own.exercise, own.source
    known = services().bank.get(slug) or abort(404)
    return known, written_exercise(known)


def has_own(seat: Seat, slug: str) -> bool:
    """Whether the course has an exercise of this name."""
    with database().read() as session:
        return course_exercises.has_own(session, seat, slug)


def saved(seat: Seat, exercise: Exercise, source: str) -> ResponseReturnValue:
    """Keep an exercise of the course."""
    with database().write() as session:
        stay(session)
        course_exercises.save_own(session, seat, exercise, source, now=now())
        decisions.note(session, seat, "exercise saved", now=now(), exercise=exercise.slug)
    flash(gettext("Saved: it stands among the exercises to choose from."))
    return redirect(url_for(".show_exercise", token=seat.course.token, slug=exercise.slug), 303)


def deleted(seat: Seat, slug: str) -> ResponseReturnValue:
    """Delete an exercise of the course."""
    if not _SLUG.fullmatch(slug):  # PostgreSQL refuses to look for a NUL
        abort(404)
    with database().write() as session:
        stay(session)
        if course_exercises.remove_own(session, seat, slug):
            decisions.note(session, seat, "exercise deleted", now=now(), exercise=slug)
    flash(gettext("That is deleted; problem sets that have it keep it."))
    return redirect(url_for(".show_exercises", token=seat.course.token), 303)


def read(seat: Seat, name: str, source: str) -> Exercise:
    """The exercise that was sent.

    Raises:
        BankError: it is not valid, or its name is not, or it is too large to be tried here.
    """
    if not _SLUG.fullmatch(name) or len(name) > 60:
        raise BankError(gettext(_NO_SLUG))
    if name in services().bank and not has_own(seat, name):
        raise BankError(gettext(_TAKEN))
    if len(source) > _LARGEST:
        raise BankError(gettext(_TOO_LARGE, most=_MOST_CELLS, layers=_MOST_LAYERS))
    content = _loaded(source)
    layers = content.get("network", {}).get("layers", ()) if isinstance(content.get("network"), dict) else ()
    if isinstance(layers, list) and len(layers) > _MOST_LAYERS:
        raise BankError(gettext(_TOO_LARGE, most=_MOST_CELLS, layers=_MOST_LAYERS))
    exercise = read_exercise(name, source)
    if plan_of(exercise).asked_count > _MOST_CELLS:
        raise BankError(gettext(_TOO_LARGE, most=_MOST_CELLS, layers=_MOST_LAYERS))
    return exercise


def _loaded(source: str) -> dict[str, Any]:
    try:
        return toml(source)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BankError(f"is not TOML: {error}") from error


def toml(text: str) -> dict[str, Any]:
    """What a TOML text says.

    Raises:
        TOMLDecodeError: it is none, or it would take long to find out.
        RecursionError: it is nested too deeply.
    """
    # The parser takes time with the square of the parts of a dotted name.
    if any(line.count(".") > _MOST_POINTS for line in re.split(r"[\r\n]", text)):
        raise tomllib.TOMLDecodeError(f"a line has more than {_MOST_POINTS} points")
    if _LONG_NUMBER.search(text):  # Python refuses to read it, or to write it
        raise tomllib.TOMLDecodeError(f"a number has more than {_MOST_DIGITS} digits")
    return tomllib.loads(text)


def written(before: Exercise) -> str:
    """The TOML that was sent: the text itself, or the exercise before with the fields of the form in place of its own.

    What can't be read in a field is put as it was typed, so that reading the whole says what is wrong.
    """
    if request.form.get("source") is not None:
        return request.form["source"].replace("\r\n", "\n")
    content = before.model_dump(exclude_defaults=True, exclude={"slug"})
    network = dict(content.pop("network"))
    values = {name: typed(f"value-{name}", value) for name, value in content.pop("values").items()}
    for name in _LESSON_FIELDS:
        if f"field-{name}" in request.form:
            content[name] = typed_field(name)
    for name in _NETWORK_FIELDS if isinstance(before.network, NetworkSpec) else ():
        if f"field-{name}" in request.form:
            network[name] = typed_field(name)
    changed = {**content, "network": network, "values": values}
    try:
        return written_exercise(Exercise.model_validate({**changed, "slug": before.slug}))
    except ValidationError as error:
        return "\n".join(f"# {line}" for line in described(error)) + "\n" + _raw(changed)


def _raw(content: Mapping[str, Any]) -> str:
    lines = ["format = 1", *(f"{name} = {toml_value(value)}" for name, value in content.items() if name != "values")]
    return "\n".join([*lines, *(f"values.{name} = {toml_value(value)}" for name, value in content["values"].items())])


def typed_field(name: str) -> Any:  # noqa: ANN401 - what TOML can hold
    """What a field of the form says."""
    text = request.form[f"field-{name}"].strip().replace("\r\n", "\n")
    if name in ("asked", "shown", "activations") and len(text) <= _LONGEST_LIST:
        return [part for part in re.split(r"[\s,]+(?![^\[]*\])", text) if part]
    if name in ("layers", "places", "examples", "update_biases"):
        return typed(f"field-{name}", text)
    return text


def typed(name: str, otherwise: Any) -> Any:  # noqa: ANN401
    """The TOML value in a field; as text where it is none, and ``otherwise`` where the form has no such field."""
    text = request.form.get(name)
    if text is None:
        return otherwise
    if len(text) > _LONGEST_LIST:
        return text
    if name == "field-layers":
        text = "[" + text.strip().strip("[]") + "]"
    try:
        return toml(f"v = {text.strip()}")["v"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text


def certificate(exercise: Exercise) -> Found:
    """Some certified variants, and how hard they were to find.

    Raises:
        CannotCertifyError: the rules reject everything, or so much that nothing is found in time.
        TooOftenError: the visitor tries one after the other.
    """
    with database().write() as session:
        limits.take(session, now(), ("trial, learner", teaching((request.view_args or {})["token"]).learner_id))
    variants: list[Instance] = []
    tried = passed = 0
    rejected: dict[str, int] = {}
    blocks = certified_blocks(plan_of(exercise), np.random.default_rng(secrets.randbits(128)), most=_BLOCK)
    for block in in_time(blocks, _TRIAL):
        tried += len(block.passed) + sum(block.rejected.values())
        passed += len(block.passed)
        for rule, count in block.rejected.items():
            rejected[rule] = rejected.get(rule, 0) + count
        variants += islice(instances_of(exercise, block), _VARIANTS - len(variants))
        if exercise.fixed or len(variants) >= _VARIANTS:
            break
    worst = sorted(rejected.items(), key=lambda pair: -pair[1])
    if not variants:
        rules = "; ".join(rule for rule, _ in worst[:3])
        raise CannotCertifyError(gettext(_NOT_IN_TIME, seconds=round(_TRIAL), rules=rules))
    return Found(tuple(variants), tried, passed, tuple(worst))


def exercise_page(
    seat: Seat,
    slug: str,
    exercise: Exercise,
    source: str,
    *,
    found: Found | None = None,
    problem: str = "",
    name: str | None = None,
    message: str = "",
) -> str:
    """The page of an exercise, with what was typed."""
    if found is None and not problem:
        try:
            found = certificate(exercise)
        except CannotCertifyError as error:  # it was kept by another server, or by an earlier release
            problem = str(error)
    sample = found.variants[0].as_sheet if found else None
    own = has_own(seat, slug)
    return render_template(
        "courses/exercise.html",
        seat=seat,
        slug=slug,
        own=own,
        name=name or (slug if own else f"{slug}-new"),
        exercise=exercise,
        source=source,
        fields=dict(fields_of(exercise)),
        choices=CHOICES,
        choice_words=CHOICE_WORDS,
        found=found,
        problem=problem,
        message=message,
        diagram=sheet.diagram(sample, exercise.notation, {}, done=True) if sample else "",
        rows=tuple(rows_of(found)) if found else (),
    )


def fields_of(exercise: Exercise) -> Iterator[tuple[str, str]]:
    """What stands in the form, by field: what was typed, else what the exercise says."""
    said: dict[str, str] = {
        "field-title": exercise.title,
        "field-sentence": exercise.sentence,
        "field-places": str(exercise.places),
        "field-notation": exercise.notation,
        "field-asked": ", ".join(exercise.asked),
        "field-shown": ", ".join(exercise.shown),
    }
    if isinstance(exercise.network, NetworkSpec):
        network = exercise.network
        said |= {
            "field-layers": ", ".join(map(str, network.layers)),
            "field-activations": ", ".join(network.activations),
            "field-loss": network.loss,
            "field-bias": network.bias,
            "field-examples": str(network.examples),
            "field-reduction": network.reduction,
            "field-update_biases": str(network.update_biases).lower(),
        }
    said |= {f"value-{name}": toml_value(value) for name, value in exercise.model_dump()["values"].items()}
    for name, value in said.items():
        yield name, request.form.get(name, value)


def rows_of(found: Found) -> Iterator[tuple[str, bool, tuple[str, ...]]]:
    """A row for each given and each value asked for: its key, whether it is given, and what it is in each variant."""
    variants = [one.as_sheet for one in found.variants]
    givens = [{key: value for row in sheet.givens(one, "plain") for key, _, value in row.values} for one in variants]
    for key in givens[0]:
        yield key, True, tuple(each.get(key, "") for each in givens)
    places = variants[0].exercise.places
    for cell in variants[0].cells:
        yield cell.key, False, tuple(to_places(one.values[cell.key], places) for one in variants)


@own_exercises.errorhandler(TooManyError)
def too_many(_error: TooManyError) -> ResponseReturnValue:
    """The course has as many as it may."""
    seen = request.view_args or {}
    seat = teaching(seen["token"])
    before, _ = find(seat, seen["slug"])
    name, problem = request.form.get("name", ""), gettext(_TOO_MANY, most=MOST)
    return exercise_page(seat, seen["slug"], before, written(before), problem=problem, name=name), 409


@own_exercises.errorhandler(CSRFError)
def expired(_error: CSRFError) -> ResponseReturnValue:
    """The form's token is missing, or of an earlier session: the page again, with what was typed."""
    seen = request.view_args or {}
    seat = teaching(seen["token"])
    before, _ = find(seat, seen["slug"])
    name = request.form.get("name", "")
    return exercise_page(seat, seen["slug"], before, written(before), message=gettext(_RENEWED), name=name), 400
