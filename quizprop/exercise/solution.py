"""The worked solution: every cell as symbol = formula = numbers = value, written by the formulas themselves."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from quizprop.engine.trace import Expression, Style
from quizprop.exercise.cells import Cell
from quizprop.exercise.certify import Plan
from quizprop.exercise.figures import exact, figure_latex, shortest
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import Symbol, symbol

__all__ = ["Line", "Solution", "steps_from", "written"]

_LATEX_CALLS = {
    "ln": r"\ln",
    "tanh": r"\tanh",
    "log10": r"\log_{10}",
    "argmax": r"\operatorname{arg}\max",
    "max": r"\max",
}
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _latex_call(name: str, argument: str) -> str:
    match name:
        case "sqrt":
            return rf"\sqrt{{{argument}}}"
        case "abs":
            return rf"\left|{argument}\right|"
    return rf"{_LATEX_CALLS[name]}\left({argument}\right)"


_TEXT = Style(
    times=" · ",
    minus="−",
    opening="(",
    closing=")",
    fraction=None,
    power=lambda base, exponent: (
        f"{base}{exponent.translate(_SUPERSCRIPTS)}" if exponent.isdigit() else f"{base}^({exponent})"
    ),
    call=lambda name, argument: f"{name}({argument})",
    choice=lambda test, positive, otherwise: f"{positive} if {test} > 0, else {otherwise}",
)

_LATEX = Style(
    times=r" \cdot ",
    minus="-",
    opening=r"\left(",
    closing=r"\right)",
    fraction=lambda above, below: rf"\frac{{{above}}}{{{below}}}",
    power=lambda base, exponent: f"{{{base}}}^{{{exponent}}}",
    call=_latex_call,
    choice=lambda test, positive, otherwise: rf"{positive} \text{{ if }} {test} > 0 \text{{, else }} {otherwise}",
)


def written(expression: Expression, name: Callable[[str], Symbol]) -> Symbol:
    """An expression as text and as LaTeX, each of its keys as ``name`` says."""
    return Symbol(
        expression.write(lambda key: name(key).text, _TEXT), expression.write(lambda key: name(key).latex, _LATEX)
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One cell's line, each part both as plain text and as LaTeX."""

    key: str
    symbol: Symbol
    formula: Symbol
    numbers: Symbol
    value: str

    @property
    def text(self) -> str:
        """The whole line in plain text."""
        return " = ".join([self.symbol.text, *(part.text for part in self.middle), self.value])

    @property
    def latex(self) -> str:
        """The whole line in LaTeX."""
        return " = ".join(self.parts)

    @property
    def parts(self) -> tuple[str, ...]:
        """What the line says is equal, in LaTeX."""
        return (self.symbol.latex, *(part.latex for part in self.middle), figure_latex(self.value))

    @property
    def middle(self) -> tuple[Symbol, ...]:
        """What stands between symbol and value: formula and numbers, so far as they say more than the value does."""
        return tuple(part for part in (self.formula, self.numbers) if part.text != self.value)


@dataclass(frozen=True)
class Solution:
    """The worked solution of an instance in a notation, its computed numbers written to ``digits`` decimals.

    The numbers are the exact ones; a line of a student's own numbers is ``line`` with their ``values``.
    """

    instance: Instance
    notation: str
    digits: int

    def line(self, cell: Cell, values: Mapping[str, float] | None = None) -> Line:
        """The line of one cell, with the exact numbers or with others by key."""
        values = self.instance.values if values is None else values
        expression = _written_out(self.instance.plan, cell.key)
        return Line(
            cell.key,
            self.symbol(cell.key),
            self.formula(cell),
            written(expression, lambda key: self._number(key, values)),
            shortest(values[cell.key], self.digits),
        )

    def formula(self, cell: Cell) -> Symbol:
        """What the line of a cell says before any numbers."""
        return _formula(self.instance.plan, self.notation, cell.key)

    def expression(self, key: str) -> Expression:
        """The formula of a quantity's cell, as the engine wrote it."""
        name, place = self.instance.structure.places[key]
        expression: Expression = self.instance.structure.expressions[name][place]
        return expression

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """A line for each step, asked or only needed on the way, in the order of the sheet."""
        return tuple(self.line(cell) for cell in self.instance.steps)

    def own_lines(self, numbers: Mapping[str, float]) -> dict[str, Line]:
        """Lines with a student's numbers, by key: of the steps that read a number further off than rounding explains.

        Their value is what follows from the student's numbers above it, whatever the student went on with.
        """
        graph, written = self.instance.structure.graph, self.instance.written(self.instance.entries(numbers))
        values = graph.evaluate({**self.instance.arrays, **written})
        with np.errstate(all="ignore"):
            follows = {cell.quantity: graph[cell.quantity].of(values) for cell in self.instance.steps}
        own, right = self.instance.by_key(values), self.instance.by_key(follows)
        true, tolerances = self.instance.values, self.instance.tolerances
        found = {}
        for cell in self.instance.steps:
            read = set(self.expression(cell.key).names())
            off = any(abs(own[key] - true[key]) > tolerances.get(key, 0) for key in read)
            if off and all(map(math.isfinite, (right[cell.key], *(own[key] for key in read)))):
                found[cell.key] = self.line(cell, {**own, cell.key: right[cell.key]})
        return found

    def _number(self, key: str, values: Mapping[str, float]) -> Symbol:
        """What is given stands as it was given, what was computed to the solution's digits."""
        given = key in self.instance.plan.known
        figure = exact(values[key]) if given else shortest(values[key], self.digits)
        return Symbol(figure, figure_latex(figure))

    def symbol(self, key: str) -> Symbol:
        """How the notation writes a cell or a given."""
        return symbol(key, self.instance.model, self.notation)


@lru_cache(maxsize=8192)
def _formula(plan: Plan, notation: str, key: str) -> Symbol:
    return written(_written_out(plan, key), lambda name: symbol(name, plan.structure.model, notation))


@lru_cache(maxsize=8192)
def _written_out(plan: Plan, key: str) -> Expression:
    """The formula of a cell; what flows back along one weight stands in it where nobody asked for that: w5 · δ_o1."""
    name, place = plan.structure.places[key]
    expression: Expression = plan.structure.expressions[name][place]
    return expression.replacing(_paths(plan))


@lru_cache(maxsize=512)
def _paths(plan: Plan) -> dict[str, Expression]:
    structure = plan.structure
    return {
        key: expression
        for quantity in structure.graph
        if quantity.formula.stem == "path" and quantity.name not in plan.asked
        for key, expression in zip(
            structure.keys[quantity.name].flat, structure.expressions[quantity.name].flat, strict=True
        )
    }


def steps_from(instance: Instance, key: str) -> tuple[Cell, ...]:
    """The steps of a solution from one on, with those right before an asked one that nobody asked for.

    Raises:
        ValueError: the key is no step.
    """
    steps, asked = instance.steps, {cell.key for cell in instance.cells}
    keys = [cell.key for cell in steps]
    if key not in keys:
        raise ValueError(f"{key!r} is no step of this solution; its steps are {', '.join(keys)}")
    start = keys.index(key)
    while key in asked and start > 0 and keys[start - 1] not in asked:
        start -= 1
    return steps[start:]
