"""A small kernel that slides along an array: ``(n,)`` and ``(size,)`` make ``(n - size + 1,)``, and back."""

import numpy as np

from quizprop.engine.arrays import Array, total

__all__ = ["arriving", "correlated", "reversed_order", "windows"]


def windows(x: Array, size: int) -> Array:
    """What lies under a kernel at each of its positions: ``(..., positions, size)``."""
    return np.stack([x[..., start : start + size] for start in range(x.shape[-1] - size + 1)], axis=-2)


def correlated(x: Array, kernel: Array) -> Array:
    """The kernel times what lies under it, added up at each position."""
    return total(kernel[..., None, :] * windows(x, kernel.shape[-1]), -1)


def arriving(deltas: Array, kernel: Array) -> Array:
    """What comes back to each input from all the positions whose window holds it."""
    places = range(deltas.shape[-1] + kernel.shape[-1] - 1)
    return np.stack([_arriving_at(place, deltas, kernel) for place in places], axis=-1)


def _arriving_at(place: int, deltas: Array, kernel: Array) -> Array:
    first = max(0, place - kernel.shape[-1] + 1)
    last = min(place, deltas.shape[-1] - 1)
    lying_on_it = reversed_order(kernel[..., place - last : place - first + 1])
    return total(deltas[..., first : last + 1] * lying_on_it, -1)


def reversed_order(values: Array) -> Array:
    """From the last to the first."""
    return values[..., ::-1]
