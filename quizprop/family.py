"""The Python interface: exercises for notebooks and scripts.

>>> import quizprop
>>> mazur = quizprop.load("mazur")
>>> sheet = mazur.draw()
>>> sheet.keys[:3]
('z1[1]', 'z1[2]', 'a1[1]')
>>> sheet
<Sheet: Mazur's network, 39 asked>
>>> marks = sheet.grade({"z1[1]": "0.3775", "z1[2]": "0.0425", "a1[1]": 0.4})
>>> marks
<Marks: 1 of 39, {'z1[1]': 'correct', 'z1[2]': 'mistake', 'a1[1]': 'wrong'}>
>>> marks["z1[1]"], marks["z1[2]"], marks["a1[1]"]
('correct', 'mistake', 'wrong')
>>> marks.said["z1[2]"]
('The bias is missing. Think of it as one more weight, on an input that is always 1.',)
>>> marks.points, marks.out_of
(1.0, 39)
"""

import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from quizprop.exercise.bank import load_bank, load_exercise, read_exercise
from quizprop.exercise.generate import draw_many
from quizprop.exercise.grade import Grade
from quizprop.exercise.grade import grade as grade_sheet
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import mathml
from quizprop.exercise.numbers import typed_number
from quizprop.exercise.question import in_text
from quizprop.exercise.solution import Solution
from quizprop.exercise.spec import Exercise

__all__ = ["Answer", "Family", "Marks", "Sheet", "exercises", "load"]

Answer: TypeAlias = str | float | Decimal | Fraction | np.integer[Any] | np.floating[Any] | npt.NDArray[Any] | None
"""Text as a student types it, or a number; of arrays those without an axis. None is a blank."""


def exercises() -> tuple[str, ...]:
    """The names of the exercises of the problem bank.

    >>> "mazur-like" in exercises()
    True
    """
    return tuple(load_bank())


def load(name: str | Path) -> "Family":
    """An exercise of the problem bank, or of a ``.toml`` file.

    >>> load("mazur-like").title
    "Like Mazur's, with new numbers"

    Raises:
        KeyError: the bank has no exercise of this name.
        BankError: the file is no exercise; the message lists every problem.
    """
    if isinstance(name, Path) or name.endswith(".toml"):
        return Family(load_exercise(Path(name)))
    bank = load_bank()
    if name not in bank:
        raise KeyError(f"No exercise is called {name!r}: quizprop.exercises() lists them")
    return Family(bank[name])


@dataclass(frozen=True)
class Family:
    """A family of exercises: every draw has numbers of its own, and all of them are certified."""

    exercise: Exercise

    def __repr__(self) -> str:
        return f"<Family: {self.title}>"

    @classmethod
    def from_toml(cls, text: str, *, name: str = "mine") -> "Family":
        """The family that the text of an exercise file describes.

        Raises:
            BankError: it is not valid; the message lists every problem.
        """
        return cls(read_exercise(name, text))

    @property
    def title(self) -> str:
        """What it is called."""
        return self.exercise.title

    def draw(self, *, seed: int = 0) -> "Sheet":
        """One sheet; the same seed gives the same numbers, those that ``quizprop generate --seed`` begins with.

        >>> load("softmax").draw(seed=7).given == load("softmax").draw(seed=7).given
        True

        Raises:
            CannotCertifyError: no numbers can be certified.
            ValueError: the seed is no whole number from 0.
        """
        return next(self.draws(1, seed=seed))

    def draws(self, count: int, *, seed: int = 0) -> Iterator["Sheet"]:
        """So many sheets of a seed.

        >>> [sheet.given["eta"] for sheet in load("mazur-like").draws(3, seed=1)] != []
        True

        Raises:
            ValueError: the count or the seed is no whole number from 0.
        """
        _whole("count", count, 0)
        _whole("seed", seed, 0)
        return map(Sheet, islice(draw_many(self.exercise, np.random.default_rng(seed)), count))

    def _repr_html_(self) -> str:
        from quizprop.web.rendering import markdown  # noqa: PLC0415 - only notebooks pay for the web

        return f"<b>{escape(self.title)}</b>{markdown(self.exercise.sentence)}"


@dataclass(frozen=True)
class Sheet:
    """An exercise with its numbers: what is given, what is asked, and how an answer is judged."""

    instance: Instance

    def __repr__(self) -> str:
        return f"<Sheet: {self.instance.exercise.title}, {len(self.keys)} asked>"

    @property
    def given(self) -> Mapping[str, Any]:
        """The numbers that the sheet starts from, by name."""
        return self.instance.given

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The cells to fill in, in the order of the work."""
        return tuple(cell.key for cell in self.instance.cells)

    @cached_property
    def answers(self) -> dict[str, float]:
        """The exact answers.

        >>> round(load("mazur").draw().answers["E"], 9)
        0.298371109
        """
        right = {one.key: float(one.right) for one in self.instance.questions}
        return right or {key: self.instance.values[key] for key in self.keys}

    @cached_property
    def tolerances(self) -> dict[str, float]:
        """How far an accepted answer may be from the exact one, for sheets to fill in."""
        return {} if self.instance.questions else {key: self.instance.tolerances[key] for key in self.keys}

    def grade(
        self, answers: Mapping[str, Answer], *, decimal_comma: bool = False, follow_credit: float = 1.0
    ) -> "Marks":
        """Judge answers by key: text as a student types it, or numbers; what is missing or None is blank.

        Numbers may be Python's, fractions and decimals too, or NumPy's.

        >>> sheet = load("mazur").draw()
        >>> sheet.grade(sheet.answers).complete
        True

        Raises:
            KeyError: a cell is answered that the sheet does not ask for.
            TypeError: an answer is neither text nor a number; the message names its key.
            ValueError: the credit is no share from 0 to 1.
        """
        if not 0 <= follow_credit <= 1:
            raise ValueError(f"follow_credit is {follow_credit!r}: give a share from 0 to 1")
        strangers = [key for key in answers if key not in self.keys]
        if strangers:
            raise KeyError(f"{', '.join(strangers)} is not asked; this sheet asks for {', '.join(self.keys)}")
        texts = {key: _typed(key, value, decimal_comma=decimal_comma) for key, value in answers.items()}
        return Marks(grade_sheet(self.instance, texts, decimal_comma=decimal_comma, follow_credit=follow_credit))

    def solution(self, *, notation: str | None = None, digits: int = 9) -> tuple[str, ...]:
        """The worked solution, a line for each step.

        >>> load("mazur").draw().solution()[0]
        'net_h1 = w1 · i1 + w2 · i2 + b1 = 0.15 · 0.05 + 0.2 · 0.1 + 0.35 = 0.3775'

        Raises:
            ValueError: no such notation, or not 1 to 15 digits.
        """
        _whole("digits", digits, 1, 15)
        return tuple(line.text for line in self._solution(notation, digits).lines)

    def _solution(self, notation: str | None, digits: int) -> Solution:
        whole = self.instance.as_sheet
        return Solution(whole, notation or whole.exercise.notation, digits)

    def _repr_html_(self) -> str:
        from quizprop.web.sheet import diagram, givens  # noqa: PLC0415 - only notebooks pay for the web

        notation = self.instance.exercise.notation
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(row.title)} {mathml(row.unit.latex) if row.unit else ''}</th><td>"
            + ", ".join(f"{mathml(name.latex)} = {escape(value)}" for _, name, value in row.values)
            + "</td></tr>"
            for row in givens(self.instance.as_sheet, notation)
        )
        asked = "".join(self._questions(notation)) or f"<p>{', '.join(map(_code, self.keys))}</p>"
        head = f"<p><b>{escape(self.instance.exercise.title)}</b></p>"
        drawn = diagram(self.instance.as_sheet, notation, {})
        paper = "background: white; display: inline-block"  # its lines are dark, the notebook may be too
        return f"{head}<div style='{paper}'>{drawn}</div><table>{rows}</table>{asked}"

    def _questions(self, notation: str) -> Iterator[str]:
        for one in self.instance.questions:
            words, *options = (
                escape(in_text(phrase, self.instance.model, notation))
                for phrase in (one.words, *(option.words for option in one.options))
            )
            listed = "".join(f"<li>{option}</li>" for option in options)
            yield f"<p>{_code(one.key)} {words}</p><ol>{listed}</ol>"


def _code(key: str) -> str:
    return f"<code>{escape(key)}</code>"


def _whole(name: str, number: object, least: int, most: int | None = None) -> None:
    if isinstance(number, (int, np.integer)) and least <= number and (most is None or number <= most):
        return
    raise ValueError(f"{name} is {number!r}: give a whole number from {least}{'' if most is None else f' to {most}'}")


def _typed(key: str, answer: object, *, decimal_comma: bool) -> str:
    """An answer as a student would type it."""
    value = answer[()] if isinstance(answer, np.ndarray) and answer.ndim == 0 else answer
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, (int, float, Decimal, Fraction, np.integer, np.floating)) and not isinstance(value, bool):
        return typed_number(value, decimal_comma=decimal_comma)
    kind = type(value).__name__
    raise TypeError(f"{key} is {reprlib.repr(value)} ({kind}): give text or a number, or None for a blank")


@dataclass(frozen=True)
class Marks(Mapping[str, str]):
    """How each cell was judged: ``correct``, ``follows``, ``mistake``, ``wrong``, ``blank`` or ``unreadable``."""

    grade: Grade

    def __repr__(self) -> str:
        told = {key: verdict for key, verdict in self.items() if verdict != "blank"}
        return f"<Marks: {self.points:g} of {self.out_of}{f', {told}' if told else ''}>"

    def __getitem__(self, key: str) -> str:
        return self.grade.marks[key].verdict.value

    def __iter__(self) -> Iterator[str]:
        return iter(self.grade.marks)

    def __len__(self) -> int:
        return len(self.grade.marks)

    @property
    def points(self) -> float:
        """What was earned."""
        return float(self.grade.points)

    @property
    def out_of(self) -> int:
        """How many points there were, one a cell."""
        return self.grade.out_of

    @property
    def complete(self) -> bool:
        """Whether every cell is accepted."""
        return self.grade.complete

    @property
    def first_error(self) -> str | None:
        """The first cell to mend."""
        return self.grade.first_error

    @property
    def codes(self) -> dict[str, tuple[str, ...]]:
        """The known mistakes that were found, by cell."""
        return {key: mark.codes for key, mark in self.grade.marks.items() if mark.codes}

    @property
    def said(self) -> dict[str, tuple[str, ...]]:
        """What a tutor would say, by cell, where there is something to say."""
        return {key: mark.sentences for key, mark in self.grade.marks.items() if mark.sentences}

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{_code(key)}</td><td>{escape(verdict)}</td>"
            f"<td>{escape(' '.join(self.said.get(key, ())))}</td></tr>"
            for key, verdict in self.items()
            if verdict != "blank"
        )
        return f"<p>{self.points:g} of {self.out_of}</p><table>{rows}</table>"
