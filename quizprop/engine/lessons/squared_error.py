"""An output o against its target y by half the squared error, as several lessons use it; any shape."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Formula, step
from quizprop.engine.lessons.unit import borrowed
from quizprop.engine.losses import LOSSES
from quizprop.engine.mistakes import Misconception, reading

__all__ = ["by_output", "output_mistakes"]


def by_output(latex: str, *, text: str, symbol: str) -> Formula:
    """How the error changes with the output."""
    words = step(
        "grad_o",
        title="derivative by the output",
        latex=latex,
        phase="backward",
        text=text,
        symbol=symbol,
        idea=LOSSES["half_sse"].derivative_idea,
        reads=("o", "y"),
    )
    return words(LOSSES["half_sse"].derivative)


def output_mistakes(stems: Mapping[str, str]) -> tuple[Misconception, ...]:
    """What goes wrong at a linear output; ``stems`` are the lesson's by those of the fully connected network."""
    kinds = borrowed("identity", "half_sse", stems)
    return tuple(replace(kind, forms=tuple(map(_of_the_output, kind.forms))) for kind in kinds)


def _of_the_output(form: Callable[..., Array]) -> Callable[..., Array]:
    """The form with the output called o."""
    return reading(form, *("o" if role == "a" else role for role in inspect.signature(form).parameters))
