"""What a mistake is: another formula for the same quantity, with the words a tutor would say."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Formula, Graph, Quantity
from quizprop.engine.model import Model

__all__ = ["Applies", "Misconception", "Mistake", "mistakes_on", "reading"]

Applies = Callable[[Any, Any], bool]
"""Whether it can be made in a model (a network, a lesson) at a layer."""


def _anywhere(_model: Model, _layer: int | None) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Misconception:
    """A way of going wrong at the quantities of one stem.

    ``kind`` is the stable half of its code, ``forms`` the wrong formulas (more than one where the same thought gives
    several numbers), ``applies`` tells in which models and layers it can be made, ``forbidden`` that it is never
    accepted, not even where a student's own earlier values hide it. ``where``, a formula too, tells the cells at which
    the mistake makes a difference: a skipped ReLU is no mistake where the net input is positive. ``over_examples``
    says that the forms add up the examples of a mini-batch, rightly; in a network that averages, so do they. ``after``
    says that it can be made only where something is worked again after the step.
    """

    kind: str
    stem: str
    title: str
    sentence: str
    forms: tuple[Callable[..., Array], ...]
    applies: Applies = _anywhere
    forbidden: bool = False
    where: Callable[..., Array] | None = None
    over_examples: bool = False
    after: bool = False


@dataclass(frozen=True, slots=True)
class Mistake:
    """A misconception at its place in one graph: its ``code`` there, and the wrong quantity for each of its forms.

    ``where`` tells the cells at which it can make a difference, None that all can.
    """

    code: str
    misconception: Misconception
    wrong: tuple[Quantity, ...]
    where: Quantity | None = None

    @property
    def name(self) -> str:
        """The quantity at which it is made."""
        return self.wrong[0].name


def reading(function: Callable[..., Array], *roles: str) -> Callable[..., Array]:
    """The function as a form that reads these roles, whatever its parameters are called."""

    def form(*inputs: Array) -> Array:
        return function(*inputs)

    parameters = [inspect.Parameter(role, inspect.Parameter.POSITIONAL_ONLY) for role in roles]
    form.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Formula.parameters reads it
    return form


def mistakes_on(model: Model, graph: Graph) -> tuple[Mistake, ...]:
    """Every mistake that can be made on the model's graph, in the order of the sheet."""
    known = {*model.givens(), *(quantity.name for quantity in graph)}
    return tuple(
        mistake
        for quantity in graph
        for mistake in _at(quantity, model)
        if known.issuperset(name for each in mistake.wrong for name in each.inputs)
    )


def _at(quantity: Quantity, model: Model) -> Iterator[Mistake]:
    layer, right = quantity.layer, quantity.formula

    def placed(form: Callable[..., Array], title: str) -> Quantity:
        words = Formula(right.stem, title, "", form, right.per_example, whole=right.whole)
        return model.place(words, layer, named=quantity.name, after=quantity.after)

    for kind in model.misconceptions:
        if kind.stem == right.stem and kind.applies(model, layer) and kind.after <= quantity.after:
            mean = kind.over_examples and model.averages
            forms = [_averaged(form, model.examples) if mean else form for form in kind.forms]
            wrong = tuple(placed(form, kind.title) for form in forms)
            where = None if kind.where is None else placed(kind.where, kind.title)
            yield Mistake(f"{quantity.name}:{kind.kind}", kind, wrong, where)


def _averaged(form: Callable[..., Array], examples: int) -> Callable[..., Array]:
    """The form with the examples averaged instead of added up; ``wraps`` keeps its parameter names."""

    @wraps(form)
    def mean(*inputs: Array) -> Array:
        return form(*inputs) / examples

    return mean
