"""What makes no sense though it could be worked. Exercises of earlier releases may have it, and are read."""

from collections.abc import Iterator
from typing import Any

from quizprop.engine.network import Network
from quizprop.exercise.spec import Choices, Exercise, Grid, OneHot

__all__ = ["senseless"]


def senseless(exercise: Exercise) -> Iterator[str]:
    """What is wrong with an exercise that is read anew, each with its key."""
    yield from _share_problems(exercise)


def _numbers(value: Any) -> Iterator[float]:  # noqa: ANN401 - see spec.Value
    """All numbers that a value may be or has; a one-hot target is always right."""
    if isinstance(value, (Grid, Choices)):
        yield from value.points
    elif isinstance(value, tuple):
        for part in value:
            yield from _numbers(part)
    elif not isinstance(value, OneHot):
        yield value


def _share_problems(exercise: Exercise) -> Iterator[str]:
    """Cross-entropy is an error of shares alone."""
    loss = getattr(exercise.model, "loss", None)
    if loss in ("bce", "cce"):
        name = "t" if isinstance(exercise.model, Network) else "y"
        if not all(0 <= number <= 1 for number in _numbers(exercise.values[name])):
            usual = "{ choices = [0, 1] }" if loss == "bce" else "{ one_hot = true }"
            yield f"values: {name}: with {loss} a target is a share, from 0 to 1; write {name} = {usual}"
