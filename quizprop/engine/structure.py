"""What is known of a model before any number is drawn: cells, expressions, dependencies, mistakes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Graph, Quantity
from quizprop.engine.mistakes import Mistake, mistakes_on
from quizprop.engine.model import Model
from quizprop.engine.trace import trace

__all__ = ["Structure", "cell_keys", "independent_groups", "straight", "structure_of", "traced"]


@dataclass(frozen=True, eq=False)
class Structure:
    """One model's graph with everything that needs no numbers.

    ``keys`` holds, for each given and each quantity, an object array of cell keys in the shape of one instance;
    ``expressions`` the formula of each cell of each quantity; ``mistakes`` all that can go wrong.
    """

    model: Model
    graph: Graph
    keys: Mapping[str, Array]
    expressions: Mapping[str, Array]
    mistakes: tuple[Mistake, ...]

    @cached_property
    def places(self) -> Mapping[str, tuple[str, tuple[int, ...]]]:
        """Where each key stands: its given or quantity, and its index there."""
        return {key: (name, place) for name, keys in self.keys.items() for place, key in np.ndenumerate(keys)}


@lru_cache(maxsize=256)
def structure_of(model: Model) -> Structure:
    """The structure of a model; made once for each."""
    graph = model.graph()
    keys = {
        name: cell_keys(name, shape, per_example=name in model.per_example, examples=model.examples)
        for name, shape in model.givens().items()
    }
    expressions: dict[str, Array] = {}
    for quantity in graph:
        cells = trace(quantity, keys)
        expressions[quantity.name] = cells
        keys[quantity.name] = cell_keys(
            quantity.name, cells.shape, per_example=quantity.formula.per_example, examples=model.examples
        )
    return Structure(model, graph, keys, expressions, mistakes_on(model, graph))


def cell_keys(name: str, shape: tuple[int, ...], *, per_example: bool, examples: int) -> Array:
    """The key of each cell: ``z1[2]``, ``W2_new[1,2]``, ``E``; with ``@3`` for example 3 of several."""
    keys = np.empty(shape, dtype=object)
    for place in np.ndindex(shape):
        units = place[1:] if per_example else place
        index = f"[{','.join(str(unit + 1) for unit in units)}]" if units else ""
        example = f"@{place[0] + 1}" if per_example and examples > 1 else ""
        keys[place] = name + index + example
    return keys


@lru_cache(maxsize=4096)
def traced(quantity: Quantity, model: Model) -> Array:
    """The expression of each cell of a quantity of the model, or of a wrong formula for one."""
    return trace(quantity, structure_of(model).keys)


@lru_cache(maxsize=4096)
def independent_groups(quantity: Quantity, model: Model) -> tuple[tuple[str, Array], ...]:
    """Groups of input cells that can be moved at once, because no cell of the quantity depends on two of one group.

    Returns:
        Pairs of an input's name and a boolean mask over its cells. The masks of an input cover every cell of it on
        which anything depends; that keeps a sensitivity analysis to as few runs as the formula allows (one for an
        elementwise one), after Curtis, Powell and Reid (1974).
    """
    keys = structure_of(model).keys
    reached: dict[str, set[int]] = {}
    for position, cell in enumerate(traced(quantity, model).flat):
        for key in cell.names():
            reached.setdefault(key, set()).add(position)
    groups: list[tuple[str, Array]] = []
    for name in dict.fromkeys(quantity.inputs):
        taken: list[set[int]] = []
        masks: list[Array] = []
        for place in np.ndindex(keys[name].shape):
            key = str(keys[name][place])
            if key not in reached:
                continue
            hit = reached[key]
            group = next((i for i, other in enumerate(taken) if not other & hit), len(taken))
            if group == len(taken):
                taken.append(set())
                masks.append(np.zeros(keys[name].shape, dtype=bool))
            taken[group] |= hit
            masks[group][place] = True
        groups.extend((name, mask) for mask in masks)
    return tuple(groups)


@lru_cache(maxsize=4096)
def straight(quantity: Quantity, model: Model) -> bool:
    """Whether each cell moves along a straight line as any one cell of an input moves, so that up mirrors down."""
    return all(cell.straight_in(key) for cell in traced(quantity, model).flat for key in set(cell.names()))
