"""The worked solution: every cell as symbol = formula = numbers = value, written by the formulas themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from quizprop.engine.trace import Expression, Style
from quizprop.exercise.instance import Cell, Instance
from quizprop.exercise.notation import Symbol, symbol
from quizprop.exercise.numbers import show

__all__ = ["Line", "Solution", "shortest", "to_places"]

_LATEX_CALLS = {"ln": r"\ln", "tanh": r"\tanh", "log10": r"\log_{10}", "argmax": r"\arg\max"}
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


def to_places(value: float, places: int) -> str:
    """A value rounded to some decimals, all of them written: what a student is asked to write."""
    return _minus_sign(f"{value + 0.0:.{places}f}")


def shortest(value: float, places: int) -> str:
    """A value rounded to some decimals, without zeros at the end: 0.5, 0.3775."""
    text = f"{value:.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return _minus_sign(text)


def _minus_sign(text: str) -> str:
    """A true minus sign, and none before a zero."""
    if not text.strip("-0."):
        return text.lstrip("-")
    return text.replace("-", "−")


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
        value = self.value.replace("−", "-")
        return " = ".join([self.symbol.latex, *(part.latex for part in self.middle), value])

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
        structure = self.instance.structure
        expression: Expression = structure.expressions[cell.quantity][structure.keys[cell.quantity] == cell.key].item()
        # What flows back along one weight is written out where nobody asked for it: w5 · δ_o1 + w7 · δ_o2.
        expression = expression.replacing(self._paths)
        return Line(
            cell.key,
            self.symbol(cell.key),
            Symbol(
                expression.write(lambda key: self.symbol(key).text, _TEXT),
                expression.write(lambda key: self.symbol(key).latex, _LATEX),
            ),
            Symbol(
                expression.write(lambda key: self._number(key, values), _TEXT),
                expression.write(lambda key: self._number(key, values).replace("−", "-"), _LATEX),
            ),
            shortest(values[cell.key], self.digits),
        )

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """A line for each step, asked or only needed on the way, in the order of the sheet."""
        return tuple(self.line(cell) for cell in self.instance.steps)

    @cached_property
    def _paths(self) -> dict[str, Expression]:
        structure = self.instance.structure
        return {
            key: expression
            for quantity in structure.graph
            if quantity.formula.stem == "path" and quantity.name not in self.instance.plan.asked
            for key, expression in zip(
                structure.keys[quantity.name].flat, structure.expressions[quantity.name].flat, strict=True
            )
        }

    def _number(self, key: str, values: Mapping[str, float]) -> str:
        """What is given stands as it was given, what was computed to the solution's digits."""
        given = self.instance.structure.places[key][0] in self.instance.given
        return _minus_sign(show(values[key])) if given else shortest(values[key], self.digits)

    def symbol(self, key: str) -> Symbol:
        """How the notation writes a cell or a given."""
        return symbol(key, self.instance.model, self.notation)
