"""The problem bank: a folder of exercise files, read and checked all at once."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from quizprop.exercise.findings import said
from quizprop.exercise.sense import senseless
from quizprop.exercise.spec import FORMS, Exercise, NetworkSpec
from quizprop.resources import folder

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = [
    "FORMAT",
    "SKILLS_FILE",
    "BankError",
    "described",
    "head_problems",
    "load_bank",
    "load_exercise",
    "read_exercise",
    "read_toml",
]

FORMAT = 1

SKILLS_FILE = "skills.toml"
"""The one file of a bank that is no exercise: the map of skills, read by ``quizprop.exercise.skills``."""

_NAME: Final = (
    "the file's name has small letters and digits, with single hyphens between them, and at most 60 characters before "
    "the .toml, as in homework-3.toml"
)


class BankError(ValueError):
    """Exercise files that can't be used; the message lists every problem as ``file: key: what to change``."""


def load_bank(path: Path | None = None) -> Mapping[str, Exercise]:
    """All exercises of a folder by slug (the file's name), in the order of their names; the shipped bank by default.

    Raises:
        BankError: a file is not a valid exercise, or the folder holds none or can't be read; all problems are listed.
    """
    return _shipped() if path is None else _read(path)


@cache
def _shipped() -> Mapping[str, Exercise]:
    """The shipped bank does not change while the program runs; all may share it."""
    return MappingProxyType(_read(folder("problem_bank")))


def _read(path: Path) -> dict[str, Exercise]:
    try:
        files = sorted(file for file in path.iterdir() if file.suffix == ".toml" and file.name != SKILLS_FILE)
    except OSError as error:
        raise BankError(f"{path}: can't be read: {_unreadable(error)}") from error
    if not files:
        raise BankError(f"{path}: holds no exercise file; an exercise is a file NAME.toml")
    exercises, problems = {}, []
    for file in files:
        try:
            exercises[file.stem] = load_exercise(file)
        except BankError as error:
            problems.append(str(error))
    if problems:
        raise BankError("\n".join(problems))
    return exercises


def load_exercise(file: Path) -> Exercise:
    """One exercise file.

    Raises:
        BankError: the file can't be read or is not a valid exercise; every problem has its line.
    """
    try:
        return read_exercise(file.stem, file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BankError(f"{file.name}: can't be read: {_unreadable(error)}") from error
    except BankError as error:
        raise BankError("\n".join(f"{file.name}: {problem}" for problem in str(error).splitlines())) from error


def _unreadable(error: OSError | UnicodeDecodeError) -> str:
    """Why a file can't be read, for who wrote it."""
    return "it is not text in UTF-8; save it so" if isinstance(error, UnicodeDecodeError) else str(error.strerror)


def read_toml(file: Path, refused: type[ValueError]) -> dict[str, Any]:
    """What is in a TOML file.

    Raises:
        ValueError: of the kind ``refused``; the file can't be read, or is no TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise refused(f"{file.name}: can't be read: {_unreadable(error)}") from error
    except (ValueError, RecursionError) as error:  # ValueError: a number of thousands of digits, too
        raise refused(f"{file.name}: is not TOML: {error}") from error


def read_exercise(slug: str, text: str, *, kept: bool = False) -> Exercise:
    """The exercise of this name that the text of its file describes.

    A text that was ``kept`` may be of an earlier release, which took more.

    Raises:
        BankError: it is not valid; a line for each problem.
    """
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BankError(f"is not TOML: {error}") from error
    problems = list(head_problems(content))
    fields = {key: value for key, value in content.items() if key not in ("format", "slug")}
    try:
        exercise = Exercise.model_validate({**fields, "slug": slug})
        problems += () if kept else senseless(exercise)
    except ValidationError as error:
        problems += (re.sub("^slug: .*", _NAME, problem) for problem in described(error))
    if problems:
        raise BankError("\n".join(problems))
    return exercise


def head_problems(content: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the keys that say how to read the file."""
    if "format" not in content:
        yield f"format: is missing; write format = {FORMAT} in the first line"
    elif content["format"] != FORMAT:
        yield f"format: {content['format']!r} is not known; this version reads format {FORMAT}"
    if "slug" in content:
        yield "slug: the file's name is the slug; leave the key out"


def described(error: ValidationError) -> Iterator[str]:
    """Pydantic's findings, one line each: the key as the file spells it, then what to change."""
    findings = error.errors(include_url=False, include_context=False)
    deeper = {finding["loc"][:length] for finding in findings for length in range(len(finding["loc"]))}
    # Of a list whose parts are all wrong it would say, too, that it is empty.
    told = (finding for finding in findings if finding["type"] != "too_short" or finding["loc"] not in deeper)
    yield from dict.fromkeys(_line(finding, error.title) for finding in told)


def _line(finding: "ErrorDetails", title: str) -> str:
    path = [str(part) for part in finding["loc"]]
    match path:
        case ["values", name, "list" | "rows", *_] if isinstance(finding["input"], dict):
            return f"values.{name}: a range or choice is for the whole given; write it in place of the list"
    # The form that a value or a network was taken for is our word, not the file's.
    ours = {"values": 2, "network": 1}.get(path[0]) if path else None
    key = ".".join(part for place, part in enumerate(path) if place != ours)
    return f"{key or 'the whole'}: {said(finding, _known(title, path))}"


def _known(title: str, path: Sequence[str]) -> Iterator[str]:
    """The keys that there may be where a finding's last one is."""
    match path:
        case ["values", _, form, _] if form in FORMS:
            yield from FORMS[form].model_fields
        case ["network", "network", _]:
            yield from NetworkSpec.model_fields
        case [_] if title == Exercise.__name__:
            yield from ("format", *(name for name in Exercise.model_fields if name != "slug"))
