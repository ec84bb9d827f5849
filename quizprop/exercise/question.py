"""What a question is: what is asked, the options with what is said to each, and how a choice is read.

Words are phrases: text in which ``{W2[1,1]}`` stands for the symbol of a cell or a given and ``{unit1[2]}`` for the
name of a unit, so that each reader sees them in a notation of their own.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final, TypeVar

from quizprop.engine.model import Lesson
from quizprop.engine.network import Network
from quizprop.engine.words import phrase
from quizprop.exercise.notation import Symbol, symbol, unit_symbol
from quizprop.exercise.numbers import Reading, read_number

__all__ = [
    "Chance",
    "NoQuestionError",
    "Option",
    "Question",
    "chosen",
    "in_text",
    "named",
    "posed",
    "read_choice",
    "spoken",
]

_Item = TypeVar("_Item")

_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")
_UNIT: Final = re.compile(r"unit(\d+)\[(\d+)\]")


class NoQuestionError(ValueError):
    """The numbers of an instance do not give a clear question; the message names the rule."""


@dataclass(frozen=True, slots=True)
class Option:
    """A choice: its words, and where it is wrong what is said to it and the code of the mistake that leads to it."""

    words: str
    said: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its options; they are numbered from 1, and ``right`` is the number of the right one.

    ``words`` ask, and ``reason`` says why the answer is what it is: nothing to show before an answer is checked.
    ``key`` names it on its sheet.
    """

    key: str
    words: str
    options: tuple[Option, ...]
    right: int
    reason: str = ""

    def option(self, number: int) -> Option:
        """The option of a number from 1."""
        return self.options[number - 1]


class Chance:
    """What is left to chance, settled by the drawn numbers that an instance keeps.

    ``Random.random`` gives the same numbers for a seed in every release of Python.
    """

    def __init__(self, pick: Iterable[float]) -> None:
        seed = 0
        for number in pick:
            seed = seed * 1_000_000 + round(number * 1_000_000)
        self._random = Random(seed)  # noqa: S311 - a shuffle, no secret

    def shuffled(self, items: Iterable[_Item]) -> list[_Item]:
        """The items in any order."""
        lots = [(self._random.random(), item) for item in items]
        return [item for _, item in sorted(lots, key=lambda each: each[0])]

    def flag(self) -> bool:
        """True or false, each as likely."""
        return self._random.random() < 0.5


def posed(
    key: str, words: str, right: Option, others: Sequence[Option], *, chance: Chance, reason: str = ""
) -> Question:
    """A question with its options in any order."""
    options = chance.shuffled([right, *others])
    return Question(key, words, tuple(options), options.index(right) + 1, reason)


# --- words ----------------------------------------------------------------------------------------------------------


def named(key: str) -> str:
    """What stands in a phrase for the symbol of a key."""
    return f"{{{key}}}"


def spoken(words: str, model: Network | Lesson, notation: str) -> tuple[str | Symbol, ...]:
    """The phrase in a notation: pieces of text and the symbols between them."""
    pieces = _PLACEHOLDER.split(words)
    named = (_symbol(piece, model, notation) if place % 2 else piece for place, piece in enumerate(pieces))
    return tuple(piece for piece in named if piece)


def in_text(words: str, model: Network | Lesson, notation: str) -> str:
    """The phrase as plain text."""
    return "".join(piece if isinstance(piece, str) else piece.text for piece in spoken(words, model, notation))


def _symbol(key: str, model: Network | Lesson, notation: str) -> Symbol:
    unit = _UNIT.fullmatch(key)
    if unit is not None and isinstance(model, Network):
        return unit_symbol(int(unit[1]), int(unit[2]), model, notation)
    return symbol(key, model, notation)


# --- reading --------------------------------------------------------------------------------------------------------


def chosen(question: Question, text: str, model: Network | Lesson, notation: str) -> Reading:
    """Which option of a question a text takes: by its number, or by its words in this notation."""
    return read_choice(text, [in_text(option.words, model, notation) for option in question.options], first=1)


def read_choice(text: str, words: Sequence[str], *, first: int) -> Reading:
    """A choice as it was sent or typed: the number of an option, or its words."""
    spelled = [option.casefold() for option in words]
    if text.strip().casefold() in spelled:
        number = spelled.index(text.strip().casefold()) + first
        return Reading(text, float(number), echo=words[number - first])
    reading = read_number(text)
    last = first + len(words) - 1
    if reading.blank:
        return reading
    if reading.value is not None and reading.value in range(first, last + 1):
        return replace(reading, echo=words[int(reading.value) - first])
    return Reading(
        text, None, problem=phrase("There is no such choice: its number is {first} to {last}.", first=first, last=last)
    )
