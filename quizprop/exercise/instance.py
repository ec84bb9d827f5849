"""One served exercise: a family with its drawn numbers, the cells to fill in, and the exact answers behind them."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Quantity
from quizprop.engine.model import Lesson
from quizprop.engine.network import Network
from quizprop.engine.structure import Structure
from quizprop.engine.words import phrase
from quizprop.exercise.certify import PICK, Plan, plan_of
from quizprop.exercise.choose import choice_questions
from quizprop.exercise.find_slip import CELL, SLIP, Slip, find_slip, slip_questions
from quizprop.exercise.question import Chance, Question
from quizprop.exercise.slips import Route, wrong
from quizprop.exercise.spec import Exercise
from quizprop.exercise.statements import COUNT, statement_questions
from quizprop.exercise.tolerance import Sheet, work

__all__ = ["Cell", "Instance", "Phase"]


class Phase(StrEnum):
    """The parts of a sheet, in the order in which they are worked."""

    FORWARD = "forward"
    LOSS = "loss"
    OUTPUT = "output"
    HIDDEN = "hidden"
    BACKWARD = "backward"
    GRADIENTS = "gradients"
    UPDATE = "update"
    STEP_1 = "step 1"
    STEP_2 = "step 2"
    AFTER = "after"
    CHECK = "check"
    COUNT = "count"
    QUESTION = "question"

    @property
    def heading(self) -> str:
        """What stands above its cells."""
        return _HEADINGS[self]


_HEADINGS = {
    Phase.FORWARD: phrase("Forward pass"),
    Phase.LOSS: phrase("Error"),
    Phase.OUTPUT: phrase("Output deltas"),
    Phase.HIDDEN: phrase("Hidden deltas"),
    Phase.GRADIENTS: phrase("Gradients"),
    Phase.BACKWARD: phrase("Backward pass"),
    Phase.UPDATE: phrase("Update"),
    Phase.STEP_1: phrase("Step 1"),
    Phase.STEP_2: phrase("Step 2"),
    Phase.AFTER: phrase("After the step"),
    Phase.CHECK: phrase("Numerical check"),
    Phase.COUNT: phrase("Parameters"),
    Phase.QUESTION: phrase("Questions"),
}

_PHASES = {
    "z": Phase.FORWARD,
    "a": Phase.FORWARD,
    "e": Phase.LOSS,
    "E": Phase.LOSS,
    "grad_W": Phase.GRADIENTS,
    "grad_b": Phase.GRADIENTS,
    "W_new": Phase.UPDATE,
    "b_new": Phase.UPDATE,
    "prediction": Phase.FORWARD,
    "change": Phase.AFTER,
    "fell": Phase.AFTER,
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell to fill in: where it stands, never what belongs in it.

    ``depends_on`` lists the keys of the cells and givens that a student reads to fill it in. ``options`` are what 0, 1
    and so on stand for where there is something to choose.
    """

    key: str
    quantity: str
    phase: Phase
    layer: int
    title: str
    depends_on: tuple[str, ...]
    options: tuple[str, ...] = ()


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
        keys = self.structure.keys
        return self._cells({key for name, mask in self.plan.asked.items() for key in keys[name][mask]})

    @cached_property
    def steps(self) -> tuple[Cell, ...]:
        """The cells that a full solution goes through: the asked ones and, unasked, what they are computed from.

        What flows back along one weight is no step of its own where it is not asked: it is a term of a sum.
        """
        wanted: set[str] = set()
        waiting = [cell.key for cell in self.cells]
        while waiting:
            key = waiting.pop()
            name, place = self.structure.places[key]
            if key in self.plan.known or key in wanted:
                continue
            wanted.add(key)
            waiting.extend(self.structure.expressions[name][place].names())
        term = {key for key in wanted if self._stem(key) == "path" and not self.plan.asks(*self.structure.places[key])}
        return self._cells(wanted - term)

    def _cells(self, wanted: Collection[str]) -> tuple[Cell, ...]:
        found = []
        for quantity in self.structure.graph:
            for place, key in np.ndenumerate(self.structure.keys[quantity.name]):
                if key in wanted:
                    numbered = self.network is not None or quantity.name != quantity.formula.stem
                    layer = (quantity.layer or 0) if numbered else 0
                    reads = tuple(dict.fromkeys(self._reads(quantity.name, place)))
                    options = quantity.formula.options
                    found.append(Cell(key, quantity.name, self._phase(quantity), layer, quantity.title, reads, options))
        return tuple(sorted(found, key=lambda cell: list(Phase).index(cell.phase)))

    def is_whole(self, key: str) -> bool:
        """Whether a cell holds a whole number."""
        return self.structure.graph[self.structure.places[key][0]].formula.whole

    def _stem(self, key: str) -> str:
        return self.structure.graph[self.structure.places[key][0]].formula.stem

    def _reads(self, name: str, place: tuple[int, ...]) -> Iterator[str]:
        """The keys that a cell's formula reads; for a cell that is not asked, what that one reads in turn."""
        for key in self.structure.expressions[name][place].names():
            source, at = self.structure.places[key]
            if key not in self.plan.known and not self.plan.asks(source, at):
                yield from self._reads(source, at)
            else:
                yield key

    def _phase(self, quantity: Quantity) -> Phase:
        if quantity.formula.phase:
            return Phase(quantity.formula.phase)
        if quantity.after:
            return Phase.AFTER
        output = self.network is not None and quantity.layer == self.network.depth
        return _PHASES.get(quantity.formula.stem, Phase.OUTPUT if output else Phase.HIDDEN)

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


def _asked(key: str, title: str) -> Cell:
    """The cell of a question that is about the work as a whole."""
    return Cell(key, "", Phase.QUESTION, 0, title, ())
