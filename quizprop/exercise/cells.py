"""The cells of a sheet: what is asked, and the steps of a full solution. They are the same whatever the numbers."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np

from quizprop.engine.graph import Quantity
from quizprop.engine.network import Network
from quizprop.engine.words import phrase
from quizprop.exercise.certify import Plan

__all__ = ["Cell", "Phase", "asked_cells", "solution_steps"]


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


@lru_cache(maxsize=512)  # more than the bank has, as of plans
def asked_cells(plan: Plan) -> tuple[Cell, ...]:
    """The cells to fill in, in the order in which they are worked."""
    keys = plan.structure.keys
    return tuple(_cells(plan, {key for name, mask in plan.asked.items() for key in keys[name][mask]}))


@lru_cache(maxsize=512)
def solution_steps(plan: Plan) -> tuple[Cell, ...]:
    """The cells that a full solution goes through: the asked ones and, unasked, what they are computed from.

    What flows back along one weight is no step of its own where it is not asked: it is a term of a sum.
    """
    structure = plan.structure
    wanted: set[str] = set()
    waiting = [cell.key for cell in asked_cells(plan)]
    while waiting:
        key = waiting.pop()
        name, place = structure.places[key]
        if key in plan.known or key in wanted:
            continue
        wanted.add(key)
        waiting.extend(structure.expressions[name][place].names())
    places = {key: structure.places[key] for key in wanted}
    terms = {
        key
        for key, place in places.items()
        if structure.graph[place[0]].formula.stem == "path" and not plan.asks(*place)
    }
    return tuple(_cells(plan, wanted - terms))


def _cells(plan: Plan, wanted: Collection[str]) -> list[Cell]:
    found = []
    network = isinstance(plan.structure.model, Network)
    for quantity in plan.structure.graph:
        formula = quantity.formula
        for place, key in np.ndenumerate(plan.structure.keys[quantity.name]):
            if key in wanted:
                numbered = network or quantity.name != formula.stem
                layer = (quantity.layer or 0) if numbered else 0
                reads = tuple(dict.fromkeys(_reads(plan, quantity.name, place)))
                found.append(
                    Cell(key, quantity.name, _phase(plan, quantity), layer, quantity.title, reads, formula.options)
                )
    return sorted(found, key=lambda cell: list(Phase).index(cell.phase))


def _reads(plan: Plan, name: str, place: tuple[int, ...]) -> Iterator[str]:
    """The keys that a cell's formula reads; for a cell that is not asked, what that one reads in turn."""
    for key in plan.structure.expressions[name][place].names():
        source, at = plan.structure.places[key]
        if key not in plan.known and not plan.asks(source, at):
            yield from _reads(plan, source, at)
        else:
            yield key


def _phase(plan: Plan, quantity: Quantity) -> Phase:
    if quantity.formula.phase:
        return Phase(quantity.formula.phase)
    if quantity.after:
        return Phase.AFTER
    model = plan.structure.model
    output = isinstance(model, Network) and quantity.layer == model.depth
    return _PHASES.get(quantity.formula.stem, Phase.OUTPUT if output else Phase.HIDDEN)
