"""Honest workers: they do every step right, and differ in how they round what they write down and carry on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.structure import Structure

__all__ = ["Worker", "workers"]

# Everything rounded (half up, half to even), everything in full, and rounded on paper but carried on in full.
_PURE = ((0.0, 0.0), (0.0, 0.0), (1.0, 1.0), (0.0, 1.0))
_MIXED = (0.3, 0.3)

Choice = Array | bool


@dataclass(frozen=True, slots=True)
class Worker:
    """One way of rounding: at which cells of each quantity the full value is written, and at which it is carried on."""

    places: int
    half_up: bool
    full: Mapping[str, Choice]
    carried: Mapping[str, Choice]

    def write(self, name: str, value: Array) -> tuple[Array, Array]:
        """What the worker writes for a quantity's value, and what they go on with."""
        scale = 10.0**self.places
        units = value * scale
        if self.half_up:
            units += 0.5
            np.floor(units, out=units)
        else:
            np.rint(units, out=units)
        units /= scale
        written = _where(self.full[name], value, units)
        return written, _where(self.carried[name], value, written)


def workers(structure: Structure, *, places: int, count: int) -> tuple[Worker, ...]:
    """``count`` workers, the same at each call, so that no instance depends on the others that are tried with it."""
    rng = np.random.default_rng(20150317)
    found = []
    for number in range(count):
        share_full, share_carried = _PURE[number] if number < len(_PURE) else _MIXED
        full = {name: _choice(rng.random(keys.shape) < share_full) for name, keys in structure.keys.items()}
        carried = {name: _choice(rng.random(keys.shape) < share_carried) for name, keys in structure.keys.items()}
        found.append(Worker(places, number % 2 == 0, full, carried))
    return tuple(found)


def _choice(mask: Array) -> Choice:
    """A mask, or one word for all its cells."""
    return bool(mask.flat[0]) if mask.all() or not mask.any() else mask


def _where(choice: Choice, value: Array, otherwise: Array) -> Array:
    if isinstance(choice, bool):
        return value if choice else otherwise
    return np.where(choice, value, otherwise)
