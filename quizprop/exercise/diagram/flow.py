"""A training step as a row of pictures: values appear layer by layer, then the deltas flow back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.network import Network
from quizprop.engine.words import phrase
from quizprop.exercise.diagram.network import draw_network
from quizprop.exercise.diagram.subject import (
    Look,
    Subject,
    bias_keys,
    bias_places,
    checked,
    kind_of,
    unit_keys,
    weight_keys,
    weight_places,
)
from quizprop.exercise.instance import Instance

__all__ = ["FlowStep", "flow_steps"]


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One picture of the row; ``known`` are the keys of the cells whose values it may show."""

    caption: str
    known: tuple[str, ...]
    svg: str


@dataclass(frozen=True, slots=True)
class _Moment:
    """What is new at one moment: the quantities that become known, and where they light up."""

    caption: str
    names: tuple[str, ...]
    look: Look


def flow_steps(instance: Instance, *, notation: str, prefix: str = "flow") -> tuple[FlowStep, ...]:
    """The pictures of one training step, so far as the exercise needs it; of a mini-batch, its first example.

    A lesson has none.

    They hold the values, so they belong where the solution may be shown.

    Args:
        instance: the exercise with its numbers.
        notation: one of ``notation.NOTATIONS``.
        prefix: begins every id.
    """
    return tuple(_pictures(instance, notation, prefix))


def _pictures(instance: Instance, notation: str, prefix: str) -> Iterator[FlowStep]:
    if instance.network is None:
        return
    graph, network = instance.structure.graph, replace(instance.network, examples=1)
    shown = instance.plan.shown
    needed = graph.needed_for(instance.plan.asked, shown).union(shown)
    values = _of_first_example(instance)
    given = {name: _first(instance, name) for name in network.givens()}
    examples = instance.network.examples
    names: tuple[str, ...] = ()
    for number, moment in enumerate(_moments(network, needed)):
        names += tuple(name for name in moment.names if name in needed)
        known = {key: value for key, value in values.items() if key.partition("[")[0] in names}
        numbers = given | {name: _after(name, given[name], known) for name in moment.look.updated}
        subject = Subject(network, checked(network, numbers), notation, known, moment.look)
        caption = moment.caption
        if examples > 1:
            caption = phrase("{caption} (Example 1 of {number}.)", caption=caption, number=examples)
        yield FlowStep(caption, tuple(known), draw_network(subject, caption, f"{prefix}-{number}"))


def _of_first_example(instance: Instance) -> dict[str, float]:
    """Every value to the places of the sheet, by its key as if there were one example only."""
    places = instance.exercise.places
    first = {key.removesuffix("@1"): value for key, value in instance.values.items()}
    return {key: round(value, places) for key, value in first.items() if "@" not in key}


def _first(instance: Instance, name: str) -> Array:
    value = np.asarray(instance.given[name], dtype=float)
    return value[:1] if name in ("x", "t") else value


def _after(name: str, given: Array, known: Mapping[str, float]) -> Array:
    """A weight matrix or the biases of a layer after the step; a shared bias has one new value for all units."""
    after = given.copy()
    for place in np.ndindex(given.shape):
        index = ",".join(str(number + 1) for number in place)
        after[place] = known.get(f"{name}_new[{index}]", known.get(f"{name}_new[1]", np.nan))
    return after


# --- the moments ----------------------------------------------------------------------------------------------------


def _moments(network: Network, needed: set[str]) -> Iterator[_Moment]:
    loss = any(name == "E" or name.startswith("delta") for name in needed)
    yield _Moment(phrase("The inputs, weights and targets are given."), (), Look(loss=loss))
    for layer in range(1, network.depth + 1):
        if f"z{layer}" in needed or f"a{layer}" in needed:
            yield _forward(network, layer, loss=loss)
    if "E" in needed:
        lit = frozenset(("E", *_units_keys(network, network.depth).split()))
        yield _Moment(phrase("Outputs and targets give the error."), ("e", "E"), Look(lit, loss=True))
    for layer in range(network.depth, 0, -1):
        if f"delta{layer}" in needed:
            yield _backward(network, layer)
    if any(name.endswith("_new") for name in needed):
        yield _updated(network, needed)


def _forward(network: Network, layer: int, *, loss: bool) -> _Moment:
    lit = " ".join((_units_keys(network, layer), _edges_keys(network, layer), _biases_keys(network, layer)))
    caption = phrase(
        "Forward into {layer}: each unit adds up what comes in, then its activation follows.",
        layer=_words(network, layer),
    )
    return _Moment(caption, (f"z{layer}", f"a{layer}"), Look(frozenset(lit.split()), loss=loss))


def _backward(network: Network, layer: int) -> _Moment:
    """The delta of a layer: it comes from the loss, or through the weights of the layer behind."""
    last = layer == network.depth
    cells = _units_keys(network, layer) + ("" if last else f" {_edges_keys(network, layer + 1)}")
    back = frozenset(cells.split())
    where = _words(network, layer)
    from_error = phrase("Back into {layer}: the deltas come from the error.", layer=where)
    through = phrase("Back into {layer}: the deltas come through the weights, all paths added up.", layer=where)
    caption = from_error if last else through
    return _Moment(caption, (f"delta{layer}",), Look(back, back, loss=True, deltas=True))


def _updated(network: Network, needed: set[str]) -> _Moment:
    moved = [f"{stem}{layer}" for layer in range(1, network.depth + 1) for stem in "Wb"]
    moved = [name for name in moved if f"{name}_new" in needed]
    places = " ".join(_places_keys(network, name) for name in moved)
    look = Look(frozenset(places.split()), loss=True, deltas=True, updated=frozenset(moved))
    caption = phrase("The step: each weight has moved a little against its gradient.")
    return _Moment(caption, tuple(f"{name}_new" for name in moved), look)


def _places_keys(network: Network, name: str) -> str:
    keys = _edges_keys if name.startswith("W") else _biases_keys
    return keys(network, int(name[1:]))


def _units_keys(network: Network, layer: int) -> str:
    return " ".join(unit_keys(network, layer, unit) for unit in range(1, network.layers[layer] + 1))


def _edges_keys(network: Network, layer: int) -> str:
    return " ".join(weight_keys(network, layer, to, source) for _, to, source in weight_places(network, layer))


def _biases_keys(network: Network, layer: int) -> str:
    return " ".join(bias_keys(network, layer, unit) for _, place, unit in bias_places(network) if place == layer)


def _words(network: Network, layer: int) -> str:
    if kind_of(network, layer) == "output":
        return phrase("the output layer")
    return phrase("the hidden layer {number}", number=layer) if network.depth > 2 else phrase("the hidden layer")
