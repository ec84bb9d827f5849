"""Which cells the chain rule passes on its way back from the loss to one cell, read off the formulas themselves."""

from dataclasses import dataclass

from quizprop.engine.structure import Structure

__all__ = ["Chain", "chain_to"]


@dataclass(frozen=True, slots=True)
class Chain:
    """The way to a cell: ``cells`` are computed on it, in that order, and ``read`` is what they take from before it.

    ``backward`` says that the way begins at the loss.
    """

    key: str
    cells: tuple[str, ...]
    read: tuple[str, ...]
    backward: bool

    @property
    def keys(self) -> frozenset[str]:
        """All that the picture of the way brings out."""
        return frozenset((*self.cells, *self.read))


def chain_to(structure: Structure, key: str, *, loss: str = "E") -> Chain:
    """The way to a cell: for one behind the loss (a delta, a gradient) from the loss on, else from the givens on.

    Raises:
        ValueError: no cell has that key.
    """
    if key not in structure.places:
        raise ValueError(f"highlight: no cell is named {key!r}; one looks like {', '.join(_samples(structure))}")
    graph = structure.graph
    forward = graph.needed_for([loss]) if loss in graph else {quantity.name for quantity in graph}
    backward = structure.places[key][0] in graph and structure.places[key][0] not in forward
    cells: set[str] = set()
    read: set[str] = set()
    waiting = [key]
    while waiting:
        one = waiting.pop()
        name, place = structure.places[one]
        if name not in graph or (backward and name in forward):
            read.add(one)
        elif one not in cells:
            cells.add(one)
            waiting.extend(structure.expressions[name][place].names())
    return Chain(key, _in_order(structure, cells), _in_order(structure, read), backward)


def _in_order(structure: Structure, keys: set[str]) -> tuple[str, ...]:
    """In the order of the graph, the givens first."""
    return tuple(str(key) for array in structure.keys.values() for key in array.flat if key in keys)


def _samples(structure: Structure) -> list[str]:
    """The first key of each of some quantities."""
    return [str(structure.keys[quantity.name].flat[0]) for quantity in structure.graph][:6]
