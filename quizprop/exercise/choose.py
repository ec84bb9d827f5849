"""Multiple choice: the right value of a cell among values that known mistakes give."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from quizprop.engine.words import phrase
from quizprop.exercise.find_slip import Bench
from quizprop.exercise.question import Chance, NoQuestionError, Option, Question, named, posed
from quizprop.exercise.slips import tutor_says

if TYPE_CHECKING:
    from quizprop.exercise.instance import Instance

__all__ = ["choice_questions"]

_WRONG: Final = 3


def choice_questions(sheet: "Instance", chance: Chance) -> tuple[Question, ...]:
    """A question for each asked cell, each with the right values above it.

    Raises:
        NoQuestionError: too few mistakes give values that can be told apart.
    """
    return tuple(_choices(sheet, chance))


def _choices(sheet: "Instance", chance: Chance) -> Iterator[Question]:
    bench = Bench(sheet)
    for cell in sheet.cells:
        values = [sheet.values[cell.key]]
        others: list[Option] = []
        for route in chance.shuffled(bench.at(cell.key)):
            value = bench.value(route, cell.key)
            if len(others) < _WRONG and value is not None and bench.apart(cell.key, *values, value):
                values.append(value)
                said = tutor_says(sheet.structure, route)
                others.append(Option(bench.figure(cell.key, value), said, route.mistake.code))
        if len(others) < _WRONG:
            raise NoQuestionError(f"{cell.quantity} has fewer than {_WRONG} wrong values that can be told apart")
        right = Option(bench.figure(cell.key, values[0]))
        yield posed(cell.key, phrase("Which of these is {value}?", value=named(cell.key)), right, others, chance=chance)
