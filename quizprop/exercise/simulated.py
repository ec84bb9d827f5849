"""A sheet as a simulated student fills it in, step by step, with whatever formulas and slips they have."""

from collections.abc import Callable, Mapping

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Quantity
from quizprop.exercise.figures import to_places
from quizprop.exercise.instance import Instance

__all__ = ["filled_in"]


def filled_in(
    instance: Instance,
    *,
    worked: Callable[[Quantity, Mapping[str, Array]], Array],
    written: Callable[[Quantity, Array], Array],
) -> dict[str, str]:
    """The texts by key, of every value of the asked quantities; numbers that nobody would write are left out.

    Args:
        instance: the exercise with its numbers.
        worked: what the student gets for a quantity from the values before it.
        written: the values of an asked quantity as they are carried on, for what is got. Shapes: the instance (one),
            then those of the quantity.
    """
    structure, plan = instance.structure, instance.plan
    values: dict[str, Array] = dict(instance.arrays)
    for quantity in structure.graph:
        name = quantity.name
        if name not in plan.worked or not set(quantity.inputs) <= values.keys():
            continue
        with np.errstate(all="ignore"):
            value = worked(quantity, values)
        value = np.array(np.broadcast_to(value, (1, *structure.keys[name].shape)))
        if name in plan.asked:
            value = written(quantity, value)
        shown = instance.arrays.get(name)
        values[name] = value if shown is None else np.where(np.isnan(shown), value, shown)
    numbers = instance.by_key({name: values[name] for name in plan.asked})
    return {key: to_places(value, instance.exercise.places) for key, value in numbers.items() if abs(value) < 1e9}
