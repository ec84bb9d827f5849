"""Where the tolerance is proved to hold all honest rounding, so that nobody need try.

Say that each inherited value is off by no more than its error. ``tolerance.spread`` then bounds how far a cell is moved
where its formula, read as a function of the inherited values alone (the given ones are exact),

- is of the first degree;
- reads one value, and only rises or only falls with it: its ends are the farthest;
- reads one value, and is of the second degree: between its ends a parabola strays by less than it bends in all;
- reads two values, is of the second degree, and straight in each: a corner is the farthest.

What is written is rounded besides, by half a unit, which the tolerance adds. So if all formulas above a cell are such,
every way of rounding the written values stays within its tolerance: half up or to even, some of them or all.
"""

import math
from collections.abc import Collection

from quizprop.engine.trace import Expression

__all__ = ["covered"]


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
