"""Cells as one function of plain numbers, for a small network that is stepped many thousand times.

A call of NumPy costs the same however little there is to do. The traced formulas, written out as Python, do on single
numbers what the arrays would do, in the same order.
"""

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

from quizprop.engine.model import Model
from quizprop.engine.structure import Structure, structure_of
from quizprop.engine.trace import Expression

__all__ = ["plain_function"]


@lru_cache(maxsize=64)
def plain_function(model: Model, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Callable[..., tuple[float, ...]]:
    """A function from the values of some cells to those of others.

    Args:
        model: the network or lesson.
        inputs: the keys of the cells that its arguments are, in order; all that the outputs depend on.
        outputs: the keys of the cells that it returns.

    Raises:
        KeyError: an output depends on a cell that is no input, or a formula decides rather than computes.
    """
    names = {key: f"v{number}" for number, key in enumerate(inputs)}
    lines = [f"    {names[key]} = {_written(formula, names)}" for key, formula in _needed(model, names, outputs)]
    results = "".join(f"{names[key]}, " for key in outputs)
    source = "\n".join([f"def cells({', '.join(names[key] for key in inputs)}):", *lines, f"    return ({results})"])
    namespace: dict[str, Any] = dict(_FUNCTIONS)
    exec(source, namespace)  # noqa: S102 - formulas of our own, from their traces
    function: Callable[..., tuple[float, ...]] = namespace["cells"]
    return function


def _needed(model: Model, names: dict[str, str], outputs: tuple[str, ...]) -> Iterator[tuple[str, Expression]]:
    """The cells between the inputs and the outputs with their formulas, in the order of the sheet; they are named."""
    structure = structure_of(model)
    wanted = _above(structure, frozenset(names), outputs)
    for quantity in structure.graph:
        keys, formulas = structure.keys[quantity.name].flat, structure.expressions[quantity.name].flat
        for key, formula in zip(keys, formulas, strict=True):
            if key in wanted:
                names[key] = f"v{len(names)}"
                yield key, formula


def _above(structure: Structure, known: frozenset[str], outputs: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    waiting = [key for key in outputs if key not in known]
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            name, place = structure.places[key]
            if name not in structure.graph:
                raise KeyError(f"{key} is read, and is no input")
            waiting.extend(each for each in structure.expressions[name][place].names() if each not in known)
    return found


def _written(part: "Expression | float", names: dict[str, str]) -> str:
    """An expression as Python, each operation in brackets."""
    if not isinstance(part, Expression):
        return repr(float(part))
    if part.kind == "symbol":
        return names[part.parts[0]]
    parts = [each if isinstance(each, str) else _written(each, names) for each in part.parts]
    return _WRITTEN[part.kind](parts)


_WRITTEN: Final[dict[str, Callable[[list[str]], str]]] = {
    "number": lambda parts: parts[0],
    "sum": lambda parts: f"({' + '.join(parts)})",
    "minus": lambda parts: f"(-{parts[0]})",
    "product": lambda parts: f"({' * '.join(parts)})",
    "fraction": lambda parts: f"({parts[0]} / {parts[1]})",
    "power": lambda parts: f"power({parts[0]}, {parts[1]})",
    "exp": lambda parts: f"exp({parts[0]})",
    "call": lambda parts: f"{parts[0]}({', '.join(parts[1:])})",
    "choice": lambda parts: f"({parts[1]} if {parts[0]} > 0 else {parts[2]})",
}


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def _power(base: float, exponent: float) -> float:
    return base * base if exponent == 2 else base**exponent


_FUNCTIONS: Final = {
    "exp": _exp,
    "power": _power,
    "ln": math.log,
    "log10": math.log10,
    "tanh": math.tanh,
    "sqrt": math.sqrt,
    "abs": abs,
    "max": max,
}
