"""The array operations that the formulas share.

Axes, from the left: any leading axes (the instances of a batch, perturbed copies of it), then the training example
where a quantity has one, then the units, to-unit before from-unit. A formula names only the axes it works on and
leaves the leading ones to ``...``.

Sums are written as multiply and add, not as ``matmul``: a batch lies innermost in memory (see ``batch_innermost``), so
each line runs over thousands of small networks at stride one, and the same line also takes the symbols of ``trace``.
"""

from functools import cache, reduce
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "Array",
    "batch_innermost",
    "choose",
    "greatest",
    "keep_memory",
    "largest",
    "matvec",
    "outer",
    "positive_part",
    "select",
    "softmax",
    "swap_units",
    "total",
]

Array = npt.NDArray[Any]


def total(values: Array, axis: int, *, keepdims: bool = False) -> Array:
    """The sum along an axis, counted from the right, from the first to the last whatever the layout in memory.

    NumPy's own sum adds eight or more numbers pairwise where they lie side by side; an instance alone would then differ
    in its last bit from the same instance in a batch.
    """
    places: list[Any] = [(..., place, *(slice(None),) * (-axis - 1)) for place in range(values.shape[axis])]
    added: Array = reduce(np.add, [values[place] for place in places])
    return np.expand_dims(added, axis) if keepdims else added


def matvec(W: Array, a: Array) -> Array:
    """W a for every example: ``(..., to, from)`` and ``(..., m, from)`` give ``(..., m, to)``."""
    return total(W[..., None, :, :] * a[..., :, None, :], -1)


def outer(to_unit: Array, from_unit: Array) -> Array:
    """The product of each to-unit with each from-unit, an example at a time: ``(..., m, to, from)``."""
    product: Array = to_unit[..., :, :, None] * from_unit[..., :, None, :]
    return product


def swap_units(W: Array) -> Array:
    """The transpose over the two unit axes."""
    return W.swapaxes(-1, -2)


def positive_part(z: Array, otherwise: Array | float) -> Array:
    """z where z > 0, else ``otherwise``: the kink of ReLU and its kin. At z = 0 it takes ``otherwise``."""
    return choose(z, z, otherwise)


def choose(z: Array, positive: Array | float, otherwise: Array | float) -> Array:
    """``positive`` where z > 0 and ``otherwise`` elsewhere; a complex z is judged by its real part."""
    z = np.asarray(z)  # NumPy hands out the bare element of an array without axes
    if z.dtype == object:
        chosen: Array = np.frompyfunc(lambda test, yes, no: test.choose(yes, no), 3, 1)(z, positive, otherwise)
        return chosen
    return np.where(z.real > 0, positive, otherwise)


def largest(values: Array) -> Array:
    """Which of the last axis is the largest, counted from 1."""
    if values.dtype == object:
        cells = [np.asarray(values)[..., place] for place in range(values.shape[-1])]
        named: Array = np.frompyfunc(lambda first, *others: first.largest_of(*others), len(cells), 1)(*cells)
        return named
    return np.argmax(values.real, axis=-1) + 1.0


def greatest(values: Array) -> Array:
    """The largest of the last axis; complex values are judged by their real parts."""
    cells = [np.asarray(values)[..., place] for place in range(values.shape[-1])]
    if values.dtype == object:
        named: Array = np.frompyfunc(lambda first, *others: first.greatest_of(*others), len(cells), 1)(*cells)
        return named
    return reduce(lambda left, right: choose(left - right, left, right), cells)


def softmax(z: Array) -> Array:
    """exp(z) over the sum of exp(z) of the layer, shifted by the largest z so that nothing overflows."""
    # A symbol has no size to compare, and the shift cancels: the traced formula is the textbook's.
    shifted = z if z.dtype == object else z - z.real.max(-1, keepdims=True)
    powers = np.exp(shifted)
    return powers / total(powers, -1, keepdims=True)


def batch_innermost(array: Array) -> Array:
    """The same array, its first axis laid out innermost in memory; NumPy's results keep that layout."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 0, -1)), -1, 0)


def select(array: Array, instances: Array) -> Array:
    """Some instances of a batch, by index from 0, again laid out innermost in memory."""
    last = array.ndim - 1  # in place of np.moveaxis, which takes five times as long
    # Clipped where NumPy would look at each index beforehand, and raise.
    return array.transpose(*range(1, last + 1), 0).take(instances, axis=-1, mode="clip").transpose(last, *range(last))


@cache
def keep_memory() -> None:
    """Have the memory of a freed array kept for the next one, where it would go back to the system.

    The C library of Linux asks the system for each larger array anew, page by page, until one as large has been freed,
    of up to 32 MiB; that takes longer than the arithmetic of a batch. The array is never written to.
    """
    np.empty(31 << 17)
