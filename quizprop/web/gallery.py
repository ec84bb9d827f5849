"""The gallery: one solved sample of every family, as pages of the site or as a folder of files."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path

import numpy as np
from flask import Blueprint, Response, abort, render_template
from flask.typing import ResponseReturnValue
from jinja2 import Environment, PackageLoader, StrictUndefined

from quizprop.exercise.cells import Phase
from quizprop.exercise.conventions import Convention, conventions
from quizprop.exercise.generate import draw
from quizprop.exercise.instance import Instance
from quizprop.exercise.solution import Line, Solution
from quizprop.exercise.spec import Exercise
from quizprop.web import languages, sheet
from quizprop.web.rendering import markdown, math
from quizprop.web.shelves import Shelf, shelved
from quizprop.web.state import services, visitor

__all__ = ["Sample", "gallery", "write_gallery"]

gallery = Blueprint("gallery", __name__)

_SEED = 1
_STYLES = ("diagram.css", "quizprop.css", "icon.svg")


@dataclass(frozen=True, slots=True)
class Sample:
    """An exercise with numbers of its own, solved: its conventions, and its lines by phase."""

    exercise: Exercise
    conventions: tuple[Convention, ...]
    phases: tuple[tuple[Phase, tuple[Line, ...]], ...]


@lru_cache(maxsize=512)
def _instance(spec: str) -> Instance:
    """The sample's numbers, always the same: nobody is ever asked for them."""
    return draw(Exercise.model_validate_json(spec), np.random.default_rng(_SEED)).as_sheet


@lru_cache(maxsize=512)
def _sample(spec: str) -> Sample:
    instance = _instance(spec)
    exercise = instance.exercise
    lines = zip(instance.steps, Solution(instance, exercise.notation, exercise.places).lines, strict=True)
    phases = (
        (phase, tuple(line for _, line in group)) for phase, group in groupby(lines, key=lambda pair: pair[0].phase)
    )
    return Sample(exercise, conventions(instance, exercise.notation), tuple(phases))


def _shelves(shelves: tuple[Shelf, ...]) -> tuple[tuple[str, tuple[Sample, ...]], ...]:
    return tuple((shelf.heading, tuple(_sample(one.model_dump_json()) for one in shelf.exercises)) for shelf in shelves)


def _picture(exercise: Exercise) -> str:
    instance = _instance(exercise.model_dump_json())
    return str(sheet.diagram(instance, exercise.notation, instance.values, done=True))


@gallery.get("/gallery")
def show_gallery() -> ResponseReturnValue:
    """A solved sample of every family."""
    visitor()
    return render_template("gallery/page.html", shelves=_shelves(services().shelves))


@gallery.get("/gallery/<slug>.svg")
def picture(slug: str) -> ResponseReturnValue:
    """A sample's picture, with its values in it. Its address names what it depends on, so that it can be kept."""
    exercise = services().bank.get(slug) or abort(404)
    return Response(_picture(exercise), mimetype="image/svg+xml", headers={"Cache-Control": "private, max-age=3600"})


def write_gallery(bank: Mapping[str, Exercise], folder: Path) -> int:
    """Write the gallery as files that a browser opens without a server; returns how many families it shows."""
    pages = Environment(
        loader=PackageLoader("quizprop.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    languages.install(pages)
    pages.filters.update(math=math, markdown=markdown, aloud=sheet.aloud)
    folder.mkdir(parents=True, exist_ok=True)
    for exercise in bank.values():
        (folder / f"{exercise.slug}.svg").write_text(_picture(exercise), encoding="utf-8")
    for name in _STYLES:
        (folder / name).write_bytes((files("quizprop.web") / "static" / name).read_bytes())
    html = pages.get_template("gallery/alone.html").render(shelves=_shelves(shelved(bank)))
    (folder / "index.html").write_text(html, encoding="utf-8")
    return len(bank)
