"""Honest workers: they do every step right, and differ in how they round what they write down and carry on.

Most round the values that the sheet asks for. Some write every operation down on scratch paper, e to the minus z and
the square of a difference too, and round there as well.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.structure import Structure

__all__ = ["Worker", "workers"]

# Everything rounded (half up, half to even), everything in full, and rounded on paper but carried on in full.
_PURE = ((0.0, 0.0), (0.0, 0.0), (1.0, 1.0), (0.0, 1.0))
_MIXED = (0.3, 0.3)

_OUTWARD = 1 + 2.0**-51
"""Moves a number half-way between two away from zero, and no other by more than the noise of float64."""

Choice = Array | bool


@dataclass(frozen=True, slots=True)
class Worker:
    """One way of rounding: at which cells of each quantity the full value is written, and at which it is carried on."""

    places: int
    half_up: bool
    full: Mapping[str, Choice]
    carried: Mapping[str, Choice]
    scratch: bool = False

    def write(self, name: str, value: Array) -> tuple[Array, Array]:
        """What the worker writes for a quantity's value, and what they go on with."""
        written = _where(self.full[name], value, self.rounded(value))
        return written, _where(self.carried[name], value, written)

    def rounded(self, value: Array) -> Array:
        """The value rounded to the worker's places."""
        scale = 10.0**self.places
        # Away from zero, as people do it, is to the nearest a hair further out.
        units = np.asarray(value * (scale * _OUTWARD if self.half_up else scale))  # the root of a constant has no axis
        np.rint(units, out=units)
        units /= scale
        return units

    def work(
        self,
        structure: Structure,
        given: Mapping[str, Array],
        want: Collection[str],
        wrote: Callable[[str, Array], object],
    ) -> None:
        """Write the wanted quantities, and those above them, one after the other.

        Args:
            structure: of the network.
            given: the givens, leading axis the instance.
            want: names of quantities.
            wrote: is told the name of each quantity and what is written for it.
        """

        def carry(name: str, value: Array) -> Array:
            written, carried = self.write(name, value)
            wrote(name, written)
            return carried

        if self.scratch:
            with np.errstate(all="ignore"):  # a value that is lost in rounding has no logarithm
                self._on_scratch_paper(structure, given, want, wrote)
        else:
            structure.graph.evaluate(given, want=want, carry=carry)

    def _on_scratch_paper(
        self,
        structure: Structure,
        given: Mapping[str, Array],
        want: Collection[str],
        wrote: Callable[[str, Array], object],
    ) -> None:
        cells = {
            key: array[(..., *place)]
            for name, array in given.items()
            for place, key in np.ndenumerate(structure.keys[name])
        }
        needed = structure.graph.needed_for(want, structure.graph.complete(given))
        for name in (quantity.name for quantity in structure.graph):
            if name in needed:
                expressions = structure.expressions[name]
                value = np.empty((*expressions.shape, len(next(iter(cells.values())))))
                for place, expression in np.ndenumerate(expressions):
                    value[place] = expression.evaluate(cells.__getitem__, self.rounded)
                value = np.moveaxis(value, -1, 0)
                # Only a sum of rounded numbers is left to be rounded, which makes up for what float64 adds to it.
                written = value if all(each.is_step for each in expressions.flat) else self.rounded(value)
                wrote(name, written)
                carried = np.where(np.isnan(given[name]), written, given[name]) if name in given else written
                cells |= {key: carried[(..., *place)] for place, key in np.ndenumerate(structure.keys[name])}


def workers(structure: Structure, *, places: int, count: int) -> tuple[Worker, ...]:
    """``count`` workers, the same at each call, so that no instance depends on the others that are tried with it.

    The last two work on scratch paper, rounding half up and half to even.
    """
    rng = np.random.default_rng(20150317)
    found = []
    nowhere = dict.fromkeys(structure.keys, False)
    for number in range(count):
        share_full, share_carried = _PURE[number] if number < len(_PURE) else _MIXED
        full = {name: _choice(rng.random(keys.shape) < share_full) for name, keys in structure.keys.items()}
        carried = {name: _choice(rng.random(keys.shape) < share_carried) for name, keys in structure.keys.items()}
        found.append(Worker(places, number % 2 == 0, full, carried))
    return (*found[:-2], *(replace(worker, full=nowhere, carried=nowhere, scratch=True) for worker in found[-2:]))


def _choice(mask: Array) -> Choice:
    """A mask, or one word for all its cells."""
    return bool(mask.flat[0]) if mask.all() or not mask.any() else mask


def _where(choice: Choice, value: Array, otherwise: Array) -> Array:
    if isinstance(choice, bool):
        return value if choice else otherwise
    return np.where(choice, value, otherwise)
