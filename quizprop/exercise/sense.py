"""What makes no sense though it could be worked. Exercises of earlier releases may have it, and are read."""

from collections.abc import Iterator, Set
from typing import Final

import numpy as np

from quizprop.engine.activations import relu
from quizprop.engine.network import Network
from quizprop.exercise.certify import PICK, Plan, plan_of
from quizprop.exercise.choose import WRONG, scarce
from quizprop.exercise.generate import draw_block, show
from quizprop.exercise.spec import FARTHEST, Exercise, numbers_of

__all__ = ["senseless"]

_TAKEN: Final = (PICK, "index", "exercise", "seed", "student")
"""Names that stand beside those of the values in what is kept, and in tables of answers."""

_TRIED: Final = 64
"""So many candidates tell which wrong values there can be."""


def senseless(exercise: Exercise) -> Iterator[str]:
    """What is wrong with an exercise that is read anew, each with its key."""
    found = [
        *_name_problems(exercise),
        *_far_problems(exercise),
        *_bound_problems(exercise),
        *_share_problems(exercise),
        *_sheet_problems(exercise),
        *_dead_problems(exercise),
    ]
    yield from found
    if exercise.question == "choose" and not found:
        yield from _choice_problems(exercise)


def _name_problems(exercise: Exercise) -> Iterator[str]:
    """A circuit's names are its author's."""
    taken = ", ".join(name for name in _TAKEN if name in plan_of(exercise).structure.keys)
    if taken:
        yield f"network: {taken} can't be the name of a value, for tables have such a column; take another one"


def _far_problems(exercise: Exercise) -> Iterator[str]:
    """What is fixed or chosen is no farther out than what is drawn."""
    for name, value in exercise.values.items():
        far = [number for number in numbers_of(value) if abs(number) > FARTHEST]
        if far:
            yield (
                f"values: {name}: {far[0]:g} is beyond {FARTHEST:,}; nobody works with that by hand: take a smaller one"
            )


def _bound_problems(exercise: Exercise) -> Iterator[str]:
    """Numbers that a given can't have."""
    for name, bounds in exercise.model.bounds.items():
        numbers = np.array([*numbers_of(exercise.values[name])])
        out = numbers[~bounds.keeps(numbers)]
        if out.size:
            yield f"values: {name}: {bounds.words}, and {out[0]:g} is not; take other numbers"


def _share_problems(exercise: Exercise) -> Iterator[str]:
    """Cross-entropy is an error of shares alone."""
    loss = getattr(exercise.model, "loss", None)
    if loss in ("bce", "cce"):
        name = "t" if isinstance(exercise.model, Network) else "y"
        if not all(0 <= number <= 1 for number in numbers_of(exercise.values[name])):
            usual = "{ choices = [0, 1] }" if loss == "bce" else "{ one_hot = true }"
            yield f"values: {name}: with {loss} a target is a share, from 0 to 1; write {name} = {usual}"


def _sheet_problems(exercise: Exercise) -> Iterator[str]:
    """What is asked and shown makes no sheet."""
    plan = plan_of(exercise)
    if not plan.asked:
        yield "shown: all that is asked is shown; ask for something more, or show less"
        return
    above = _above(plan)
    idle = ", ".join(name for name in exercise.shown if not _helps(name, plan, above))
    if idle:
        yield f"shown: nothing asked is computed from {idle}; leave it out"


def _above(plan: Plan) -> set[str]:
    """The keys of all cells from which those asked are computed."""
    structure, found = plan.structure, set[str]()
    waiting = [key for name, mask in plan.asked.items() for key in structure.keys[name][mask]]
    while waiting:
        name, place = structure.places[waiting.pop()]
        if name in structure.graph:
            new = set(structure.expressions[name][place].names()) - found
            found |= new
            waiting.extend(new)
    return found


def _helps(name: str, plan: Plan, above: Set[str]) -> bool:
    """Whether what is shown is worked with, or is a sample of what is asked."""
    keys = plan.structure.keys
    return name.partition("[")[0] in plan.asked or not above.isdisjoint(keys[name].flat if name in keys else [name])


def _dead_problems(exercise: Exercise) -> Iterator[str]:
    """Only a ReLU can be off, and whether it is must be known."""
    plan, dead = plan_of(exercise), exercise.dead_units
    if dead is None:
        return
    graph, keys = plan.structure.graph, plan.structure.keys
    units = sum(keys[name].size for name in plan.switched if graph[name].formula.function is relu)
    unknown = ", ".join(name for name in plan.switched if name not in plan.worked)
    if not units:
        yield "dead_units: no unit can be off, for none is a ReLU; leave it out"
    elif dead > units:
        yield f"dead_units: {dead} is more than the {units} that can be off; take fewer"
    elif unknown:
        yield f"dead_units: nothing asked is worked with {unknown}; ask further on, or leave it out"


def _choice_problems(exercise: Exercise) -> Iterator[str]:
    """Too few wrong values to choose from can't be mended by drawing on."""
    plan, rng = plan_of(exercise), np.random.default_rng(20150317)
    # Numbers a little beside those drawn tell apart what agrees by chance alone.
    given = {
        name: array * (1 + rng.uniform(1e-4, 1e-3, array.shape))
        for name, array in draw_block(exercise.as_sheet, rng, _TRIED).items()
    }
    few = ", ".join(f"{name} has {count}" for name, count in scarce(plan, show(plan, given)).items())
    if few:
        yield (
            f"question: choose takes {WRONG} known wrong values of each cell, but {few}; ask for other cells, or make "
            "it a sheet"
        )
