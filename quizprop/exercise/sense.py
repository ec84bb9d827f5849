"""What makes no sense though it could be worked. Exercises of earlier releases may have it, and are read."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from quizprop.engine.network import Network
from quizprop.exercise.certify import PICK, plan_of
from quizprop.exercise.choose import WRONG, scarce
from quizprop.exercise.generate import draw_block, show
from quizprop.exercise.spec import FARTHEST, Choices, Exercise, Grid, OneHot

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
    ]
    yield from found
    if exercise.question == "choose" and not found:
        yield from _choice_problems(exercise)


def _name_problems(exercise: Exercise) -> Iterator[str]:
    """A circuit's names are its author's."""
    taken = ", ".join(name for name in _TAKEN if name in plan_of(exercise).structure.keys)
    if taken:
        yield f"network: {taken} can't be the name of a value, for tables have such a column; take another one"


def _numbers(value: Any) -> Iterator[float]:  # noqa: ANN401 - see spec.Value
    """All numbers that a value may be or has; a one-hot target is always right."""
    if isinstance(value, (Grid, Choices)):
        yield from value.points
    elif isinstance(value, tuple):
        for part in value:
            yield from _numbers(part)
    elif not isinstance(value, OneHot):
        yield value


def _far_problems(exercise: Exercise) -> Iterator[str]:
    """What is fixed or chosen is no farther out than what is drawn."""
    for name, value in exercise.values.items():
        far = [number for number in _numbers(value) if abs(number) > FARTHEST]
        if far:
            yield (
                f"values: {name}: {far[0]:g} is beyond {FARTHEST:,}; nobody works with that by hand: take a smaller one"
            )


def _bound_problems(exercise: Exercise) -> Iterator[str]:
    """Numbers that a given can't have."""
    for name, bounds in exercise.model.bounds.items():
        numbers = np.array([*_numbers(exercise.values[name])])
        out = numbers[~bounds.keeps(numbers)]
        if out.size:
            yield f"values: {name}: {bounds.words}, and {out[0]:g} is not; take other numbers"


def _share_problems(exercise: Exercise) -> Iterator[str]:
    """Cross-entropy is an error of shares alone."""
    loss = getattr(exercise.model, "loss", None)
    if loss in ("bce", "cce"):
        name = "t" if isinstance(exercise.model, Network) else "y"
        if not all(0 <= number <= 1 for number in _numbers(exercise.values[name])):
            usual = "{ choices = [0, 1] }" if loss == "bce" else "{ one_hot = true }"
            yield f"values: {name}: with {loss} a target is a share, from 0 to 1; write {name} = {usual}"


def _sheet_problems(exercise: Exercise) -> Iterator[str]:
    """What is asked and shown makes no sheet."""
    if not plan_of(exercise).asked:
        yield "shown: all that is asked is shown; ask for something more, or show less"


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
