"""Formulas read as text: run on symbols instead of numbers, a formula gives the expression of each of its cells.

The same plain function that solves an exercise so also writes its worked solution, and tells which cells each cell
depends on. Nothing is derived here: an expression keeps the shape in which the formula was written.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce, wraps
from typing import Any

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Quantity

__all__ = ["Expression", "Style", "symbols", "trace"]


@dataclass(frozen=True, slots=True)
class Style:
    """How expressions are written: the signs and brackets of plain text or of LaTeX."""

    times: str
    minus: str
    opening: str
    closing: str
    fraction: Callable[[str, str], str] | None
    power: Callable[[str, str], str]
    call: Callable[[str, str], str]
    choice: Callable[[str, str, str], str]


_Operator = Callable[["Expression", Any], "Expression"]


def _cell_by_cell(operator: _Operator) -> _Operator:
    """Leave an array on the right to NumPy, which comes back with each of its cells."""

    @wraps(operator)
    def operate(self: "Expression", other: Any) -> "Expression":  # noqa: ANN401 - a number, an expression, an array
        return NotImplemented if isinstance(other, np.ndarray) else operator(self, other)

    return operate


# How tightly an expression holds together; a looser one inside a tighter one needs brackets.
_CHOICE, _SUM, _PRODUCT, _POWER, _ATOM = 0, 1, 2, 3, 4


class Expression:
    """A cell's formula as a tree. NumPy calls the operators below, on object arrays, cell by cell."""

    __slots__ = ("kind", "parts")

    def __init__(self, kind: str, *parts: Any) -> None:  # noqa: ANN401 - a kind's parts are its own: a key, numbers, trees
        self.kind = kind
        self.parts = parts

    @_cell_by_cell
    def __add__(self, other: "Expression | float") -> "Expression":
        if self.kind == "number" and not isinstance(other, Expression):
            return Expression("number", self.parts[0] + other)
        if self.kind == "sum":
            return Expression("sum", *self.parts, other)
        return self if _is(other, 0) else Expression("sum", self, other)

    def __radd__(self, other: float) -> "Expression":
        return self if _is(other, 0) else Expression("sum", other, self)

    @_cell_by_cell
    def __sub__(self, other: "Expression | float") -> "Expression":
        return self + Expression("minus", other)

    def __rsub__(self, other: float) -> "Expression":
        return Expression("sum", other, Expression("minus", self))

    def __neg__(self) -> "Expression":
        return Expression("minus", self)

    @_cell_by_cell
    def __mul__(self, other: "Expression | float") -> "Expression":
        if _is(other, 0):
            return Expression("number", 0)
        if self.kind == "product":
            return Expression("product", *self.parts, other)
        return Expression("product", self, other)

    def __rmul__(self, other: float) -> "Expression":
        return Expression("number", 0) if _is(other, 0) else Expression("product", other, self)

    @_cell_by_cell
    def __truediv__(self, other: "Expression | float") -> "Expression":
        return self if _is(other, 1) else Expression("fraction", self, other)

    def __rtruediv__(self, other: float) -> "Expression":
        return Expression("fraction", other, self)

    def __pow__(self, exponent: int) -> "Expression":
        return Expression("power", self, exponent)

    def exp(self) -> "Expression":
        """Called by ``np.exp``."""
        return Expression("exp", self)

    def log(self) -> "Expression":
        """Called by ``np.log``: the natural logarithm."""
        return Expression("call", "ln", self)

    def log10(self) -> "Expression":
        """Called by ``np.log10``."""
        return Expression("call", "log10", self)

    def tanh(self) -> "Expression":
        """Called by ``np.tanh``."""
        return Expression("call", "tanh", self)

    def sqrt(self) -> "Expression":
        """Called by ``np.sqrt``."""
        return Expression("call", "sqrt", self)

    def __abs__(self) -> "Expression":
        return Expression("call", "abs", self)

    def largest_of(self, *others: "Expression") -> "Expression":
        """Called by ``arrays.largest``: the place of the largest of several."""
        return Expression("call", "argmax", self, *others)

    def greatest_of(self, *others: "Expression") -> "Expression":
        """Called by ``arrays.greatest``: the largest of several, which of one is itself."""
        return Expression("call", "max", self, *others) if others else self

    def choose(self, positive: "Expression | float", otherwise: "Expression | float") -> "Expression":
        """Called by ``arrays.choose``: one of two, by the sign of this one."""
        return Expression("choice", self, positive, otherwise)

    def names(self) -> Iterator[str]:
        """The keys of the symbols in it, from left to right, as often as they stand there."""
        if self.kind == "symbol":
            yield self.parts[0]
        for part in self.parts:
            if isinstance(part, Expression):
                yield from part.names()

    def straight_in(self, key: str) -> bool:
        """Whether its value moves along a straight line, or not at all, as the symbol of this key moves."""
        parts = [part for part in self.parts if isinstance(part, Expression) and key in part.names()]
        if not parts:
            return True
        if self.kind == "product" or (self.kind == "fraction" and parts == [self.parts[0]]):
            return len(parts) == 1 and parts[0].straight_in(key)
        return self.kind in {"sum", "minus"} and all(part.straight_in(key) for part in parts)

    def replacing(self, by_key: Mapping[str, "Expression"]) -> "Expression":
        """The same tree with whole expressions in the place of some symbols."""
        if self.kind == "symbol":
            return by_key.get(self.parts[0], self)
        replaced = (part.replacing(by_key) if isinstance(part, Expression) else part for part in self.parts)
        return Expression(self.kind, *replaced)

    def evaluate(self, number: Callable[[str], Array], step: Callable[[Array], Array]) -> Array:
        """Its value as a person gets it, one operation after the other.

        Args:
            number: the value of each symbol, arrays of one shape.
            step: what becomes of the result of each product, quotient, power and function on the way (rounded, say).
        """
        parts = [part.evaluate(number, step) if isinstance(part, Expression) else part for part in self.parts]
        return _COMPUTED[self.kind](parts, number, step)

    @property
    def is_step(self) -> bool:
        """Whether its value is the result of such an operation, not a sum, a choice or a number by itself."""
        return self.kind in {"product", "fraction", "power", "exp", "call"}

    def write(self, name: Callable[[str], str], style: Style, *, looser_than: int = _CHOICE) -> str:
        """The expression in a style, each symbol written by ``name``.

        A name that starts with a minus is set in brackets wherever a sign before it would be misread.
        """
        text, tightness = self._written(name, style)
        return f"{style.opening}{text}{style.closing}" if tightness < looser_than else text

    def _written(self, name: Callable[[str], str], style: Style) -> tuple[str, int]:
        def write(part: "Expression | float", looser_than: int = _CHOICE) -> str:
            tree = part if isinstance(part, Expression) else Expression("number", part)
            return tree.write(name, style, looser_than=looser_than)

        return _WRITERS[self.kind](self, write, name, style)


_Write = Callable[..., str]


def _symbol(it: Expression, _write: _Write, name: Callable[[str], str], _style: Style) -> tuple[str, int]:
    text = name(it.parts[0])
    # A negative number holds as loosely as a sum: it stands bare at the head of one, in brackets behind a sign.
    return text, _SUM if text.startswith(("-", "−")) else _ATOM


def _sum(it: Expression, write: _Write, _name: Callable[[str], str], style: Style) -> tuple[str, int]:
    text = ""
    for part in it.parts:
        if not text:
            text = write(part, _SUM)
        elif isinstance(part, Expression) and part.kind == "minus":
            text += f" {style.minus} {write(part.parts[0], _PRODUCT)}"
        else:
            text += f" + {_inner(part, write, style)}"
    return text, _SUM


def _inner(part: "Expression | float", write: _Write, style: Style) -> str:
    """A later term of a sum: a product there brackets its own negative head, (-0.2) · 0.4, not the whole of it."""
    if isinstance(part, Expression) and part.kind == "product":
        return style.times.join(write(factor, _PRODUCT) for factor in part.parts)
    return str(write(part, _PRODUCT))


def _minus(it: Expression, write: _Write, _name: Callable[[str], str], style: Style) -> tuple[str, int]:
    return f"{style.minus}{write(it.parts[0], _PRODUCT)}", _SUM


def _product(it: Expression, write: _Write, _name: Callable[[str], str], style: Style) -> tuple[str, int]:
    head, *rest = it.parts
    # A leading negative number needs no brackets: -0.2 · 0.4.
    bare = isinstance(head, Expression) and head.kind == "symbol"
    first = write(head) if bare else write(head, _PRODUCT)
    text = style.times.join([first, *(write(part, _PRODUCT) for part in rest)])
    return text, _SUM if text.startswith(("-", "−")) else _PRODUCT


def _fraction(it: Expression, write: _Write, _name: Callable[[str], str], style: Style) -> tuple[str, int]:
    above, below = it.parts
    if style.fraction is not None:
        return style.fraction(write(above), write(below)), _PRODUCT
    return f"{write(above, _PRODUCT)} / {write(below, _POWER)}", _PRODUCT


def _power(it: Expression, write: _Write, _name: Callable[[str], str], style: Style) -> tuple[str, int]:
    return style.power(write(it.parts[0], _ATOM), write(it.parts[1])), _POWER


def _exp(it: Expression, write: _Write, _name: Callable[[str], str], style: Style) -> tuple[str, int]:
    return style.power("e", write(it.parts[0])), _POWER


def _call(it: Expression, write: _Write, _name: Callable[[str], str], style: Style) -> tuple[str, int]:
    return style.call(it.parts[0], ", ".join(write(part) for part in it.parts[1:])), _POWER


def _choice(it: Expression, write: _Write, _name: Callable[[str], str], style: Style) -> tuple[str, int]:
    test, positive, otherwise = it.parts
    return style.choice(write(test, _PRODUCT), write(positive, _SUM), write(otherwise, _SUM)), _CHOICE


def _number(it: Expression, _write: _Write, _name: Callable[[str], str], _style: Style) -> tuple[str, int]:
    number = it.parts[0]
    return f"{number:.12g}", _SUM if number < 0 else _ATOM


_WRITERS: dict[str, Callable[[Expression, _Write, Callable[[str], str], Style], tuple[str, int]]] = {
    "symbol": _symbol,
    "sum": _sum,
    "minus": _minus,
    "product": _product,
    "fraction": _fraction,
    "power": _power,
    "exp": _exp,
    "call": _call,
    "choice": _choice,
    "number": _number,
}


_FUNCTIONS: dict[str, Callable[..., Array]] = {
    "ln": np.log,
    "log10": np.log10,
    "tanh": np.tanh,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "argmax": lambda *values: np.argmax(np.stack(values), axis=0) + 1.0,
    "max": lambda *values: reduce(np.maximum, values),
}

_Step = Callable[[Array], Array]
_COMPUTED: dict[str, Callable[[list[Any], Callable[[str], Array], _Step], Array]] = {
    "symbol": lambda parts, number, _step: number(parts[0]),
    "number": lambda parts, _number, _step: np.asarray(parts[0]),
    "sum": lambda parts, _number, _step: reduce(operator.add, parts),
    "minus": lambda parts, _number, _step: -parts[0],
    "product": lambda parts, _number, step: reduce(lambda left, right: step(left * right), parts),
    "fraction": lambda parts, _number, step: step(parts[0] / parts[1]),
    "power": lambda parts, _number, step: step(parts[0] ** parts[1]),
    "exp": lambda parts, _number, step: step(np.exp(parts[0])),
    "call": lambda parts, _number, step: step(_FUNCTIONS[parts[0]](*parts[1:])),
    "choice": lambda parts, _number, _step: np.where(parts[0] > 0, parts[1], parts[2]),
}


def _is(value: object, number: float) -> bool:
    return not isinstance(value, Expression) and value == number


def symbols(keys: Array) -> Array:
    """An object array of symbols, one for each key of an array of keys."""
    return _each(lambda key: Expression("symbol", key), keys)


def trace(quantity: Quantity, keys: Mapping[str, Array]) -> Array:
    """The expression of each cell of a quantity, from the arrays of keys of its inputs (without leading axes).

    Returns:
        An object array of ``Expression`` in the quantity's shape.
    """
    cells = quantity.formula(*(symbols(keys[name]) for name in quantity.inputs))
    return _each(lambda cell: cell if isinstance(cell, Expression) else Expression("number", cell), cells)


def _each(function: Callable[[Any], Expression], cells: object) -> Array:
    # A scalar quantity is an array of no axes; NumPy would hand back its bare element.
    return np.asarray(np.frompyfunc(function, 1, 1)(np.asarray(cells, dtype=object)), dtype=object)
