"""How far honest rounded work may end up from the exact value.

An exercise says "carry p decimals", so a written value may be off by half a unit of the last place, besides what it
inherits from the values it was computed from. ``work`` carries these bounds down the sheet together with the values: at
each quantity, every inherited error is moved to both of its ends, the larger effect counts, and the effects add up, for
they could all point the same way.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Quantity
from quizprop.engine.structure import Structure, independent_groups, straight

__all__ = ["Sheet", "half_unit", "judge", "reach", "spread", "within", "work"]

_FLOAT_NOISE = 1e-12
"""Of the value's size: float64 arithmetic in another order than ours is still the same arithmetic."""


def half_unit(places: int) -> float:
    """Half a unit of the last of ``places`` decimals."""
    return 0.5 * 10.0**-places


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worked sheet: arrays by quantity, leading axis the instance.

    ``values`` is what the worker goes on with (their entry where there is one) and ``errors`` how far that may be off;
    ``expected`` is what is right for the values above it, within ``tolerance``.
    """

    values: dict[str, Array]
    errors: dict[str, Array]
    expected: dict[str, Array]
    tolerance: dict[str, Array]

    def row(self, number: int) -> "Sheet":
        """The sheet of one of the instances, as a batch of one."""
        parts = (self.values, self.errors, self.expected, self.tolerance)
        return Sheet(*({name: array[number : number + 1] for name, array in part.items()} for part in parts))


@np.errstate(all="ignore")
def work(
    structure: Structure,
    given: Mapping[str, Array],
    *,
    half: float,
    entries: Mapping[str, Array] | None = None,
    want: Collection[str] | None = None,
) -> Sheet:
    """Work the sheet, going on with a student's entries where they are.

    Args:
        structure: of the network.
        given: the drawn arrays, leading axis the instance; quantities that the exercise shows are among them, NaN at
            cells that it does not show.
        half: half a unit of the last place.
        entries: what a student wrote, in the same shapes, NaN where nothing was; every quantity that is not there is
            computed, and may still have been rounded on scratch paper.
        want: the quantities to work out, all where left out; what they are computed from must be among them.
    """
    entries = entries or {}
    sheet = Sheet(dict(given), _shown_off(structure, given), {}, {})
    for quantity in structure.graph:
        name = quantity.name
        known = given.get(name)
        if (want is not None and name not in want) or (known is not None and not np.isnan(known).any()):
            continue
        expected, tolerance = judge(structure, quantity, sheet, half=half)
        entry = entries.get(name)
        sheet.expected[name] = expected
        sheet.tolerance[name] = tolerance
        value = expected if known is None else np.where(np.isnan(known), expected, known)
        sheet.values[name] = value if entry is None else np.where(np.isnan(entry), value, entry)
        error = _inherited(expected, tolerance, half)
        error = error if known is None else np.where(np.isnan(known), error, sheet.errors[name])
        sheet.errors[name] = error if entry is None else np.where(np.isnan(entry), error, half)
    return sheet


def _shown_off(structure: Structure, given: Mapping[str, Array]) -> dict[str, Array]:
    """How far the shown values are from those that a student goes on with who works them out in full.

    They are shown as somebody has them who rounds each; who takes the full value instead is right as well.
    """
    shown = [name for name in given if name in structure.graph]
    if not shown:
        return {}
    full = structure.graph.evaluate({name: given[name] for name in structure.model.givens()}, want=shown)
    return {name: np.abs(given[name] - full[name]) for name in shown}


def _inherited(value: Array, tolerance: Array, half: float) -> Array:
    """What the quantities below inherit of a tolerance.

    Where a value is 0 or 1 and inherits no error itself, as the slope of a ReLU, nothing is lost in writing it.
    """
    exact = tolerance <= half
    return np.where(exact & ((value == 0) | (value == 1)), 0.0, tolerance) if exact.any() else tolerance


def judge(
    structure: Structure,
    quantity: Quantity,
    sheet: Sheet,
    *,
    half: float,
) -> tuple[Array, Array]:
    """What a formula, right or wrong, gives on a sheet, and the tolerance within which it can be told.

    Who asks for it ignores NumPy's errors, for all quantities at once: a value may be lost on the way.
    """
    value = quantity.of(sheet.values)
    if not quantity.formula.whole:
        return value, spread(structure, quantity, sheet.values, sheet.errors, value) + half
    # A whole number is right or wrong as it stands; only a tie among a student's own values falls either way.
    if quantity is not structure.graph[quantity.name]:
        return value, np.zeros(value.shape)
    return value, spread(structure, quantity, sheet.values, sheet.errors, value)


def within(entry: Array, expected: Array, tolerance: Array) -> Array:
    """Where an entry is as close as the tolerance asks; never where one of them is not a number."""
    return np.asarray(np.abs(entry - expected) <= reach(expected, tolerance))


def reach(expected: Array, tolerance: Array) -> Array:
    """How far an entry may be from what is expected, to the last bit: the tolerance and the noise of float64."""
    return np.asarray(tolerance + _FLOAT_NOISE * (1 + np.abs(expected)))


def spread(
    structure: Structure, quantity: Quantity, values: Mapping[str, Array], errors: Mapping[str, Array], value: Array
) -> Array:
    """How far the errors of its inputs can move a quantity from its ``value``."""
    groups = [
        (name, errors[name] if mask.all() else np.where(mask, errors[name], 0.0))
        for name, mask in independent_groups(quantity, structure.model)
        if name in errors
    ]
    if not groups:
        return np.zeros_like(value)

    def effect(moved: Mapping[str, Array]) -> Array:
        return quantity.of({**values, **moved}) - value

    up = [effect({name: values[name] + shift}) for name, shift in groups]
    bounds = []
    if len(groups) > 1:
        # What moving all at once adds: second order.
        together: dict[str, Array] = {}
        for name, shift in groups:
            together[name] = together.get(name, values[name]) + shift
        bounds.append(np.abs(effect(together) - _sum(up)))
    if straight(quantity, structure.model):  # down is up the other way
        bounds.append(_sum(map(np.abs, up)))
    else:
        # As much again as each bends alone, for groups that move against each other (a softmax does not change at all
        # when all net inputs move together).
        down = [effect({name: values[name] - shift}) for name, shift in groups]
        bounds.append(_sum(np.abs(one + other) for one, other in zip(up, down, strict=True)))
        bounds.append(_sum(np.maximum(np.abs(one), np.abs(other)) for one, other in zip(up, down, strict=True)))
    return _sum(bounds)


def _sum(arrays: Iterable[Array]) -> Array:
    return reduce(np.add, arrays)
