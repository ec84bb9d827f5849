"""From what was typed to what was meant: an exercise by name or file, a line of a file."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

import click

from quizprop.exercise.bank import load_bank, load_exercise
from quizprop.exercise.instance import Instance
from quizprop.exercise.record import RecordError, read_record
from quizprop.exercise.spec import Exercise

__all__ = ["bank", "exercise_named", "instance_at"]


def bank() -> Mapping[str, Exercise]:
    """The problem bank: the shipped one, or the folder that QUIZPROP_PROBLEM_BANK names."""
    folder = os.environ.get("QUIZPROP_PROBLEM_BANK")
    return load_bank(Path(folder) if folder else None)


def exercise_named(name: str) -> Exercise:
    """An exercise of the bank, or of a file whose name ends in .toml."""
    if name.endswith(".toml"):
        return load_exercise(Path(name))
    known = bank()
    if name not in known:
        near = get_close_matches(name.lower(), known, n=4)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        raise click.UsageError(
            f"No exercise named {name!r} in the problem bank.{meant} quizprop bank list shows all; "
            "a file's name ends in .toml."
        )
    return known[name]


def instance_at(place: str) -> Instance:
    """The exercise in line N of a file, named as FILE:N."""
    path, _, number = place.rpartition(":")
    if not path or not number.isdecimal() or int(number) < 1:
        raise click.BadParameter(f"{place!r} is not FILE:N, as in sheets.jsonl:1", param_hint="--line")
    with Path(path).open("rb") as file:
        line = next(islice(file, int(number) - 1, None), None)
    if line is None:
        raise click.BadParameter(f"{path} has fewer than {number} lines", param_hint="--line")
    try:
        return read_record(line).instance
    except RecordError as error:
        raise click.ClickException(f"{place}: {error}") from error
