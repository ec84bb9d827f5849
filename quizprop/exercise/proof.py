"""What can be said of rounding before anybody has tried: two proofs that spare most of the work of certification.

The first is that a tolerance holds all honest rounding.

Say that each inherited value is off by no more than its error. ``tolerance.spread`` then bounds how far a cell is moved
where its formula, read as a function of the inherited values alone (the given ones are exact),

- is of the first degree;
- reads one value, and only rises or only falls with it: its ends are the farthest;
- reads one value, and is of the second degree: between its ends a parabola strays by less than it bends in all;
- reads two values, is of the second degree, and straight in each: a corner is the farthest.

What is written is rounded besides, by half a unit, which the tolerance adds. So if all formulas above a cell are such,
every way of rounding the written values stays within its tolerance: half up or to even, some of them or all.

The second is how large a tolerance can be at most, over all the instances of a block: ``judged`` carries the range of
each value and its largest error through a formula. Where a mistaken value is farther away than that, its own tolerance
need not be known. ``in_single`` tells in the same way how far single precision strays from a value: it takes half the
time, and is enough to see what is far away.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Quantity
from quizprop.engine.structure import Structure, straight, traced
from quizprop.engine.trace import Expression
from quizprop.exercise.tolerance import Sheet

__all__ = ["Span", "covered", "ends_of", "exact_in_single", "in_single", "judged", "spans_of", "strayed", "widened"]

_COUNTED = 5
"""How often ``tolerance.spread`` counts a move that down does not mirror: up, down, what it bends, and all at once."""

_HAIR = 1 + 1e-9
"""Makes up for what float64 rounds away of a bound."""

_ROOM = 0.02
"""Of a range: so much wider is what is said of it."""


def covered(formula: Expression, known: Collection[str]) -> bool:
    """Whether moving each inherited value to both ends of its error bounds whatever lies between.

    Args:
        formula: of one cell.
        known: the keys of the exact values.
    """
    inherited = {key for key in formula.names() if key not in known}
    degree = _degree(formula, inherited)
    if len(inherited) == 1:
        return degree <= 2 or _one_way(formula, inherited)
    return degree <= 1 or (degree == len(inherited) == 2 and all(map(formula.straight_in, inherited)))


def _degree(part: "Expression | float | str", keys: Collection[str]) -> float:
    """The degree of a polynomial of these keys' values, infinite where it is none."""
    if not isinstance(part, Expression):
        return int(part in keys)
    degrees = [_degree(each, keys) for each in part.parts]
    match part.kind:
        case "product":
            return sum(degrees)
        case "power" if part.parts[1] == 2:
            return 2 * degrees[0]
        case "symbol" | "sum" | "minus":
            return max(degrees)
        case "fraction" if not degrees[1]:
            return degrees[0]
    return math.inf if any(degrees) else 0


def _one_way(part: "Expression | float | str", keys: Collection[str]) -> bool:
    """Whether it only rises, or only falls, as the value of the key does."""
    if not isinstance(part, Expression):
        return True
    moving = [each for each in part.parts if _degree(each, keys)]
    if len(moving) > 1 or not all(_one_way(each, keys) for each in moving):
        return False
    match part.kind:
        case "symbol" | "number" | "sum" | "minus" | "product" | "exp":
            return True
        case "fraction":
            return part.parts[1] not in moving or _positive(part.parts[1])
        case "call" if part.parts[0] == "tanh":
            return True
    return not moving


def _positive(part: "Expression | float") -> bool:
    """Whether it is above 0 whatever the values."""
    if not isinstance(part, Expression):
        return part > 0
    return part.kind == "exp" or (part.kind == "sum" and all(map(_positive, part.parts)))


class Span(NamedTuple):
    """The ends between which some values lie, moved by their errors or not, and how far an error moves one at most."""

    low: float
    high: float
    off: float

    @property
    def size(self) -> float:
        """How far from zero they reach."""
        return max(-self.low, self.high)


_ANYTHING = Span(-math.inf, math.inf, math.inf)

_LARGEST_POWER = 700.0
"""Of e, that a float64 holds."""

_SINGLE = 2.0**-22
"""Of a number's size: four times what an operation in single precision rounds away."""

_CURVES = {"exp": 4, "logistic": 4, "tanh": 4}
"""As many operations each: NumPy's stray by about five times what one rounds away, at most."""

_SMALLEST = 2.0**-126
"""What is smaller has fewer digits in single precision."""

_HUGE = 1e30
"""What is larger may be beyond it."""


def ends_of(structure: Structure, sheet: Sheet) -> Array:
    """How far the values of a block of sheets reach, a column for each cell that formulas may read.

    Returns:
        Three rows: how far below zero and how far above, moved by their errors or not, and the largest error.
    """
    known = [(sheet.values[name], sheet.errors.get(name)) for name in structure.keys if name in sheet.values]
    low = np.concatenate([value.min(0).ravel() for value, _ in known])
    high = np.concatenate([value.max(0).ravel() for value, _ in known])
    off = np.concatenate([np.zeros(value[0].size) if error is None else error.max(0).ravel() for value, error in known])
    with np.errstate(invalid="ignore"):  # nothing is said of what is infinite
        return np.stack([off - low, off + high, off])


def widened(ends: Array) -> Array:
    """A little more than some ends, so that most other blocks keep within; what is never zero does not become it."""
    with np.errstate(invalid="ignore"):
        width = ends[0] + ends[1]
        wider = ends + _ROOM * np.stack([width, width, ends[2]])
    return np.where(ends < 0, np.minimum(wider, ends / 2), wider)


def spans_of(structure: Structure, sheet: Sheet, ends: Array) -> dict[str, Span]:
    """By cell the ends of a block of sheets, or of any like these."""
    keys = [key for name, keys in structure.keys.items() if name in sheet.values for key in keys.flat]
    below, above, off = ends.tolist()
    return {key: Span(-low, high, by) for key, low, high, by in zip(keys, below, above, off, strict=True)}


def judged(structure: Structure, quantity: Quantity, spans: Mapping[str, Span], *, half: float) -> dict[str, Span]:
    """What ``tolerance.judge`` can find at most: the ends of each cell's value, and as its error its tolerance.

    Args:
        structure: of the network.
        quantity: with a formula that computes, right or wrong.
        spans: of all cells that it reads.
        half: half a unit of the last place.
    """
    times = 1 if straight(quantity, structure.model) else _COUNTED
    found = {}
    for key, formula in zip(structure.keys[quantity.name].flat, traced(quantity, structure.model).flat, strict=True):
        low, high, off = _moved(formula, spans)
        tolerance = _HAIR * (times * off + half)
        found[key] = Span(low - tolerance, high + tolerance, tolerance)
    return found


def exact_in_single(spans: Mapping[str, Span]) -> dict[str, Span]:
    """What is known exactly, as single precision has it."""
    return {key: _rounded("symbol", [], span._replace(off=0.0)) for key, span in spans.items()}


def in_single(structure: Structure, quantity: Quantity, spans: Mapping[str, Span]) -> dict[str, Span]:
    """The ends of each cell's value, and as its error how far single precision strays from it at most.

    Args:
        structure: of the network.
        quantity: with a formula that computes, right or wrong.
        spans: the same of all cells that it reads.
    """
    keys, formulas = structure.keys[quantity.name].flat, traced(quantity, structure.model).flat
    return {key: strayed(formula, spans) for key, formula in zip(keys, formulas, strict=True)}


def strayed(formula: Expression, spans: Mapping[str, Span]) -> Span:
    """The same of the formula of one cell; the error is infinite where nothing can be said."""
    return _moved(formula, spans, _rounded)


def _rounded(kind: str, parts: Sequence[Span], span: Span) -> Span:
    """The result of a step in single precision."""
    if kind == "fraction" and parts[-1].off > min(abs(parts[-1].low), abs(parts[-1].high)) / 2:
        return _ANYTHING  # what it is divided by may be 0
    size = sum(part.size for part in parts) if kind == "sum" else span.size
    if not size < _HUGE:
        return _ANYTHING
    operations = _CURVES.get(kind, max(1, len(parts)))
    return span._replace(off=span.off + operations * (_SINGLE * size + _SMALLEST))


def _as_it_is(_kind: str, _parts: Sequence[Span], span: Span) -> Span:
    return span


def _moved(
    part: "Expression | float",
    spans: Mapping[str, Span],
    carried: Callable[[str, Sequence[Span], Span], Span] = _as_it_is,
) -> Span:
    """How far a formula's value is moved at most, given what becomes of its symbols.

    Each symbol counts as often as it is read, so that also the effects of moving one at a time add up to no more.
    ``carried`` is what becomes of the result of each step, given its kind and what it reads.
    """
    if not isinstance(part, Expression):
        return carried("number", [], Span(part, part, 0.0))
    if part.kind == "symbol":
        return spans[part.parts[0]]
    kind, read = _read_as(part)
    step = _MOVED.get(kind)
    if step is None:
        return _ANYTHING
    parts = [_moved(each, spans, carried) for each in read]
    return carried(kind, parts, step(*parts))


def _read_as(part: Expression) -> tuple[str, Sequence["Expression | float"]]:
    """What a step is and what it reads: the logistic is one by itself, and a call is the function called."""
    power = _power_of_logistic(part)
    if power is not None:
        return "logistic", [power]
    return (part.parts[0], part.parts[1:]) if part.kind == "call" else (part.kind, part.parts)


def _power_of_logistic(part: Expression) -> "Expression | float | None":
    """The power of e in 1 / (1 + e^...); None if it is something else."""
    match part.parts:
        case [1, Expression(kind="sum", parts=[1, Expression(kind="exp") as raised])] if part.kind == "fraction":
            power: Expression | float = raised.parts[0]
            return power
    return None


def _logistic(power: Span) -> Span:
    """1 / (1 + e^power), which is steepest at 0, by 1/4. Its parts would each be said to move with the power."""
    low, high = (1 / (1 + math.exp(min(end, _LARGEST_POWER))) for end in (power.high, power.low))
    return Span(low, high, power.off / 4)


def _tanh(power: Span) -> Span:
    return Span(math.tanh(power.low), math.tanh(power.high), power.off)


def _added(*parts: Span) -> Span:
    low, high, off = map(sum, zip(*parts, strict=True))
    return Span(low, high, off)


def _times(left: Span, right: Span) -> Span:
    ends = [one * other for one in left[:2] for other in right[:2]]
    return Span(min(ends), max(ends), left.size * right.off + right.size * left.off)


def _over(above: Span, below: Span) -> Span:
    if not (below.low > 0 or below.high < 0):
        return _ANYTHING
    nearest = min(abs(below.low), abs(below.high))
    return _times(above, Span(1 / below.high, 1 / below.low, below.off / nearest / nearest))


def _exp(power: Span) -> Span:
    if not power.high < _LARGEST_POWER:
        return _ANYTHING
    return Span(math.exp(power.low), math.exp(power.high), math.exp(power.high) * power.off)


_MOVED: dict[str, Callable[..., Span]] = {
    "number": lambda number: number,
    "sum": _added,
    "minus": lambda part: Span(-part.high, -part.low, part.off),
    "product": lambda *parts: reduce(_times, parts),
    "fraction": _over,
    "power": lambda base, exponent: _times(base, base) if exponent.low == 2 else _ANYTHING,
    "exp": _exp,
    "logistic": _logistic,
    "tanh": _tanh,
}
