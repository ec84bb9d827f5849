"""One served exercise: a family with its drawn numbers, the cells to fill in, and the exact answers behind them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.model import Lesson
from quizprop.engine.network import Network
from quizprop.engine.structure import Structure
from quizprop.engine.words import phrase
from quizprop.exercise.cells import Cell, Phase, asked_cells, solution_steps
from quizprop.exercise.certify import PICK, Plan, plan_of
from quizprop.exercise.choose import choice_questions
from quizprop.exercise.find_slip import CELL, SLIP, Slip, find_slip, slip_questions
from quizprop.exercise.question import Chance, Question
from quizprop.exercise.slips import Route, wrong
from quizprop.exercise.spec import Exercise
from quizprop.exercise.statements import COUNT, statement_questions
from quizprop.exercise.tolerance import Sheet, work

__all__ = ["Instance", "work_together"]


@dataclass(frozen=True)
class Instance:
    """An exercise with its numbers: ``given`` maps names to nested lists in the shapes of ``Network.givens``.

    Raises:
        ValueError: a given is missing, unknown, or of the wrong shape.
    """

    exercise: Exercise
    given: Mapping[str, Any]

    def __post_init__(self) -> None:
        shapes = self.plan.given_shapes
        if set(shapes) != set(self.given):
            raise ValueError(f"given: this network needs {', '.join(shapes)}, not {', '.join(self.given)}")
        for name, shape in shapes.items():
            if np.shape(self.given[name]) != shape:
                raise ValueError(f"given: {name} has shape {np.shape(self.given[name])}, the network needs {shape}")

    def __reduce__(self) -> tuple[type["Instance"], tuple[Exercise, Mapping[str, Any]]]:
        """What a copy is made of: a plan holds formulas, which other processes make for themselves."""
        return Instance, (self.exercise, self.given)

    @cached_property
    def plan(self) -> Plan:
        """The exercise made ready."""
        return plan_of(self.exercise)

    @cached_property
    def model(self) -> Network | Lesson:
        """The network or lesson worked on."""
        return self.exercise.model

    @property
    def network(self) -> Network | None:
        """The fully connected network worked on; None where it is a lesson."""
        return self.model if isinstance(self.model, Network) else None

    @property
    def structure(self) -> Structure:
        """What is known of the network without its numbers."""
        return self.plan.structure

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The names of the givens that the asked cells read; a forward pass, say, has no use for its targets."""
        shown = [name for name, mask in self.plan.shown.items() if mask.all()]
        above = self.structure.graph.needed_for(self.plan.asked, shown)
        read = {name for quantity in above for name in self.structure.graph[quantity].inputs}
        return tuple(name for name in self.given if name in read)

    @cached_property
    def arrays(self) -> dict[str, Array]:
        """The givens as a batch of one."""
        return {name: np.asarray(value, dtype=float)[None] for name, value in self.given.items() if name != PICK}

    @cached_property
    def sheet(self) -> Sheet:
        """The exact sheet, with the tolerance of each value that matters."""
        return work(self.structure, self.arrays, half=self.plan.half, want=self.plan.worked)

    @cached_property
    def as_sheet(self) -> "Instance":
        """The same numbers as a sheet to fill in: what a question is about."""
        if self.exercise.question == "sheet":
            return self
        return Instance(self.exercise.as_sheet, {name: value for name, value in self.given.items() if name != PICK})

    @property
    def _chance(self) -> Chance:
        return Chance(self.given[PICK])

    @cached_property
    def slip(self) -> Slip | None:
        """The slip to find, where that is the question."""
        return find_slip(self.as_sheet, self._chance) if self.exercise.question == "find_slip" else None

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """What is asked instead of values; empty for a sheet to fill in.

        Raises:
            NoQuestionError: the numbers give no clear question; a certified instance has one.
        """
        if self.slip is not None:
            return slip_questions(self.as_sheet, self.slip, self._chance)
        match self.exercise.question:
            case "choose":
                return choice_questions(self.as_sheet, self._chance)
            case "true_false":
                return statement_questions(self.as_sheet, self._chance)
        return ()

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """What is asked, in the order in which it is worked: a value each, or a choice."""
        match self.exercise.question:
            case "find_slip":
                return (_asked(CELL, phrase("first wrong value")), _asked(SLIP, phrase("slip")))
            case "true_false":
                return tuple(
                    _asked(f"s{number}", phrase("statement {number}", number=number)) for number in range(1, COUNT + 1)
                )
        return asked_cells(self.plan)

    @property
    def steps(self) -> tuple[Cell, ...]:
        """The cells that a full solution goes through."""
        return solution_steps(self.plan)

    def is_whole(self, key: str) -> bool:
        """Whether a cell holds a whole number."""
        return self.structure.graph[self.structure.places[key][0]].formula.whole

    @property
    def is_worked(self) -> bool:
        """Whether the exact sheet is there already."""
        return "sheet" in vars(self)

    def keep(self, exact: Sheet) -> None:
        """Take the exact sheet that was worked out together with others."""
        vars(self)["sheet"] = exact  # where the cached property keeps it

    @cached_property
    def values(self) -> dict[str, float]:
        """The exact value of every given and every quantity's cell, asked or not, by key."""
        return self.by_key(self.structure.graph.evaluate(self.arrays))

    @cached_property
    def _mistaken(self) -> dict[Route, tuple[Array, Array]]:
        return {}

    def mistaken(self, route: Route) -> tuple[Array, Array]:
        """What a mistake gives on the exact sheet, and its tolerance; worked out when it is first asked for."""
        if route not in self._mistaken:
            entries = self.written({})
            self._mistaken[route] = wrong(self.structure, route, self.sheet, half=self.plan.half, entries=entries)
        return self._mistaken[route]

    @cached_property
    def tolerances(self) -> dict[str, float]:
        """How far an accepted answer may be from the exact one, by key."""
        return self.by_key(self.sheet.tolerance)

    def entries(self, numbers: Mapping[str, float]) -> dict[str, Array]:
        """A student's numbers by key, in the shapes of the quantities that are asked; NaN where there is none."""
        numbered = np.frompyfunc(lambda key: numbers.get(key, math.nan), 1, 1)
        return {name: np.asarray(numbered(self.structure.keys[name]), dtype=float)[None] for name in self.plan.asked}

    def written(self, entries: Mapping[str, Array]) -> dict[str, Array]:
        """A student's entries with what the exercise shows: what stands on their sheet, NaN elsewhere."""
        written = dict(entries)
        for name in self.plan.shown:
            shown = self.arrays[name]
            written[name] = np.where(np.isnan(shown), written.get(name, np.nan), shown)
        return written

    def by_key(self, arrays: Mapping[str, Array]) -> dict[str, float]:
        """The numbers of a batch of one by the keys of their cells."""
        keys = self.structure.keys
        return {
            key: float(value)
            for name, array in arrays.items()
            for key, value in zip(keys[name].flat, array[0].flat, strict=True)
        }


def work_together(instances: Sequence[Instance]) -> dict[str, Array]:
    """Work out the exact sheets of instances of one exercise in one go, not one by one as each is asked for.

    Returns:
        Their givens, leading axis the instance.
    """
    plan = instances[0].plan
    given = {name: np.concatenate([one.arrays[name] for one in instances]) for name in instances[0].arrays}
    exact = work(plan.structure, given, half=plan.half, want=plan.worked)
    for number, one in enumerate(instances):
        one.keep(exact.row(number))
    return given


def _asked(key: str, title: str) -> Cell:
    """The cell of a question that is about the work as a whole."""
    return Cell(key, "", Phase.QUESTION, 0, title, ())
