"""A layered drawing of any directed graph: columns by depth, few crossings, long edges led past what is between.

After Sugiyama, Tagawa and Toda (1981): an edge over several columns gets a bend in each, and every column is sorted by
where its neighbours stand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from quizprop.exercise.diagram.shapes import Point

__all__ = ["Layers", "depths", "layers"]

_SWEEPS: Final = 12
_BETWEEN: Final = 16.0
_BEND: Final = 6.0

_Slot = str | tuple[str, str, int]  # a node, or the bend of an edge (from, to) in a column
Reads = Mapping[str, Sequence[str]]
_Chains = Mapping[tuple[str, str], list[_Slot]]


@dataclass(frozen=True)
class Layers:
    """Where nodes stand, as column and height, and the bends of each edge (from, to), from its start to its end."""

    places: Mapping[str, tuple[int, float]]
    bends: Mapping[tuple[str, str], tuple[Point, ...]]


def depths(reads: Reads) -> dict[str, int]:
    """The column of each node: right behind the last of what it reads; what reads nothing, right before its reader.

    Args:
        reads: for each node what it reads, every node after what it reads.
    """
    depth: dict[str, int] = {}
    for node, sources in reads.items():
        depth[node] = max((depth[source] + 1 for source in sources), default=0)
    for node, sources in reads.items():
        readers = [depth[other] for other, others in reads.items() if node in others]
        if not sources and readers:
            depth[node] = min(readers) - 1
    return depth


def layers(reads: Reads, heights: Mapping[str, float]) -> Layers:
    """Where each node stands in its column, about height 0, and how the edges go; columns count from 0."""
    depth = depths(reads)
    chains: _Chains = {
        (source, node): [source, *((source, node, at) for at in range(depth[source] + 1, depth[node])), node]
        for node, sources in reads.items()
        for source in sources
    }
    columns = _sorted(_columns(depth, chains), _neighbours(chains))
    place = {slot: (number, y) for number, column in enumerate(columns) for slot, y in _stacked(column, heights)}
    return Layers(
        {node: place[node] for node in reads},
        {
            edge: tuple((float(place[slot][0]), place[slot][1]) for slot in chain[1:-1])
            for edge, chain in chains.items()
        },
    )


def _columns(depth: Mapping[str, int], chains: _Chains) -> list[list[_Slot]]:
    columns: list[list[_Slot]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node, at in depth.items():
        columns[at].append(node)
    for chain in chains.values():
        for slot in chain[1:-1]:
            columns[int(slot[2])].append(slot)
    return columns


def _neighbours(chains: _Chains) -> dict[_Slot, list[_Slot]]:
    """What each slot is joined to in the next columns to both sides."""
    joined: dict[_Slot, list[_Slot]] = {}
    for chain in chains.values():
        for one, other in pairwise(chain):
            joined.setdefault(one, []).append(other)
            joined.setdefault(other, []).append(one)
    return joined


def _sorted(columns: list[list[_Slot]], joined: Mapping[_Slot, list[_Slot]]) -> list[list[_Slot]]:
    """Each column by the mean place of its neighbours, over and over, from left to right and back."""
    place = {slot: _share(column, row) for column in columns for row, slot in enumerate(column)}

    def mean(slot: _Slot) -> float:
        near = [place[other] for other in joined.get(slot, ())]
        return sum(near) / len(near) if near else place[slot]

    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 else columns[::-1]:
            column.sort(key=mean)
            place |= {slot: _share(column, row) for row, slot in enumerate(column)}
    return columns


def _share(column: Sequence[_Slot], row: int) -> float:
    """The height of a row, as a share of the column's about its middle."""
    return row - (len(column) - 1) / 2


def _stacked(column: Sequence[_Slot], heights: Mapping[str, float]) -> list[tuple[_Slot, float]]:
    """The slots one below the other, about 0."""
    sizes = [heights[slot] if isinstance(slot, str) else _BEND for slot in column]
    y = -(sum(sizes) + _BETWEEN * (len(sizes) - 1)) / 2
    placed = []
    for slot, size in zip(column, sizes, strict=True):
        placed.append((slot, y + size / 2))
        y += size + _BETWEEN
    return placed
