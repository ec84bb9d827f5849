"""The problem bank on the command line: list, show, check."""

from dataclasses import asdict
from typing import Any, Final

import click
import numpy as np
import orjson

from quizprop.cli.finding import bank, exercise_named
from quizprop.cli.layout import bar, columns, folded, plain, print_heading, print_table
from quizprop.exercise.acceptance import acceptance
from quizprop.exercise.certify import Plan
from quizprop.exercise.conventions import conventions
from quizprop.exercise.generate import CannotCertifyError, draw
from quizprop.exercise.record import blank
from quizprop.exercise.spec import Choices, Exercise, Grid, OneHot

__all__ = ["check", "list_all", "show"]

_ASKED: Final = {
    "sheet": "{} cells to fill in",
    "find_slip": "A slip to find in {1} cells",
    "choose": "{} values to choose",
    "true_false": "{0} statements about {1} cells",
}


def list_all() -> None:
    """A table of all exercises."""
    rows = [
        (
            exercise.slug,
            exercise.title,
            exercise.model.outline,
            str(Plan(exercise).asked_count),
            "fixed" if exercise.fixed else "new",
        )
        for exercise in bank().values()
    ]
    print_table(rows, headings=("exercise", "title", "network", "asked", "numbers"), right=("asked",))


def show(name: str) -> None:
    """One exercise: conventions, values, what is asked, and the mistakes that its numbers are certified to show."""
    exercise, width = exercise_named(name), columns()
    click.secho(exercise.title, bold=True)
    for paragraph in plain(exercise.sentence.strip()).split("\n\n"):
        click.echo()
        click.echo(folded(" ".join(paragraph.split()), width))
    instance, plan = blank(exercise), Plan(exercise)
    print_heading("Conventions", width)
    print_table((rule.name, rule.words) for rule in conventions(instance.as_sheet, exercise.notation) if rule.words)
    print_heading("Numbers", width)
    values = exercise.values
    print_table((name, _range(values[name]) if name in values else "shown") for name in instance.needed)
    print_heading(_ASKED[exercise.question].format(len(instance.cells), len(instance.as_sheet.cells)), width)
    click.echo(folded(", ".join(exercise.asked), width))
    print_heading(f"{len(plan.certified_codes)} mistakes that its numbers are certified to show", width)
    titles = {route.mistake.code: route.mistake.misconception.title for route in plan.showing}
    print_table(titles.items())


def check(names: tuple[str, ...], *, candidates: int, as_json: bool) -> None:
    """Draw from each family, or from the whole bank: how much can be certified, and which rules reject the rest."""
    families = [exercise_named(name) for name in names] or list(bank().values())
    checked = []
    with bar(len(families)) as advance:
        for family in families:
            checked.append(_checked(family, candidates))
            advance(1)
    if as_json:
        for result in checked:
            click.echo(orjson.dumps(result))
    else:
        print_table(
            map(_row, checked), headings=("exercise", "certified", "what rejects the others"), right=("certified",)
        )
    problems = [result["problem"] for result in checked if result["problem"]]
    if problems:
        raise click.ClickException("\n".join(problems))


def _checked(family: Exercise, candidates: int) -> dict[str, Any]:
    found = acceptance(family, np.random.default_rng(0), candidates=candidates)
    problem = None
    if not found.certified:  # rare, or impossible?
        try:
            draw(family, np.random.default_rng(0))
        except CannotCertifyError as error:
            problem = str(error)
    return {"exercise": family.slug, **asdict(found), "problem": problem}


def _row(result: dict[str, Any]) -> tuple[str, str, str]:
    def share(count: int) -> str:
        return f"{100 * count / result['candidates']:.3g}%"

    worst = list(result["rejected"].items())[:3]
    rules = "\n".join(f"{rule} ({share(count)})" for rule, count in worst)
    return result["exercise"], share(result["certified"]), rules


def _range(value: object) -> str:
    """A value of an exercise file in words."""
    match value:
        case Grid():
            return f"{value.low} to {value.high} in steps of {value.step}"
        case Choices():
            return " or ".join(f"{choice:g}" for choice in value.choices)
        case OneHot():
            return "a single 1, the rest 0"
        case _:
            return str(value).replace("(", "[").replace(",)", "]").replace(")", "]")
