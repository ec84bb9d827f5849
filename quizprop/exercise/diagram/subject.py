"""What a picture of a network shows: its numbers and names, what is brought out, and all of it in sentences."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.graph import quantity_name
from quizprop.engine.network import Network
from quizprop.engine.words import phrase, said
from quizprop.exercise.diagram.text import Runs, listed, runs_of
from quizprop.exercise.figures import exact
from quizprop.exercise.notation import Symbol, parse_key, symbol, unit_symbol

__all__ = [
    "HEADINGS",
    "Look",
    "Subject",
    "activation_of",
    "bias_keys",
    "bias_places",
    "checked",
    "description",
    "keys_at",
    "kind_of",
    "shape_of",
    "unit_keys",
    "unit_places",
    "weight_keys",
    "weight_places",
    "what_is_known",
]

_AT_A_UNIT: Final = ("z", "a", "dE_da", "da_dz", "delta", "z_new", "a_new")

_ACTIVATIONS: Final = {"relu": "ReLU", "leaky_relu": phrase("leaky ReLU"), "identity": phrase("identity")}
HEADINGS: Final = {"input": phrase("input"), "hidden": phrase("hidden"), "output": phrase("output")}
"""What stands above a layer of a kind."""


@dataclass(frozen=True)
class Look:
    """How the network is shown.

    ``lit`` are the keys of the cells and givens brought out, ``back`` those cells of the network that flow back from
    the loss. ``dims`` says that all the rest recedes, ``factors`` that the lit factors of the chain rule are named at
    their units, ``loss`` that the loss stands at the right, ``deltas`` that units show out and delta, ``updated`` names
    the given weights and biases that are those after the step. ``said`` is for the description.
    """

    lit: frozenset[str] = frozenset()
    back: frozenset[str] = frozenset()
    dims: bool = False
    factors: bool = False
    loss: bool = False
    deltas: bool = False
    updated: frozenset[str] = frozenset()
    legend: bool = False
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subject:
    """The network with its numbers and names."""

    network: Network
    given: Mapping[str, Array]
    notation: str
    values: Mapping[str, float]
    look: Look = field(default_factory=Look)

    @property
    def blank(self) -> bool:
        """Whether the names alone are drawn, no numbers."""
        return not self.given

    @property
    def batch(self) -> bool:
        """Whether there are several examples, so that x and t have no one value to show."""
        return self.network.examples > 1

    def value(self, key: str) -> float:
        """A given's value; that of the first example for x and t."""
        parsed = parse_key(key)
        array = self.given[parsed.quantity]
        return float((array[0] if parsed.layer is None else array)[tuple(number - 1 for number in parsed.index)])

    def symbol(self, key: str) -> Symbol:
        """How a given or a cell is written."""
        return symbol(key, self.network, self.notation)

    def unit(self, layer: int, unit: int) -> Symbol:
        """The name of a unit."""
        return unit_symbol(layer, unit, self.network, self.notation)

    def written(self, key: str) -> Symbol:
        """How a given is written; a weight or bias after the step by its new name."""
        parsed = parse_key(key)
        if parsed.quantity in self.look.updated:
            return self.symbol(str(replace(parsed, stem=f"{parsed.stem}_new")))
        return self.symbol(key)

    def label(self, key: str) -> Runs:
        """A given with its value, ``w1 = 0.15``, to be drawn; its name alone where no numbers are given."""
        value = () if self.blank else ((f" = {exact(self.value(key))}", 0),)
        return (*runs_of(self.written(key)), *value)

    def words(self, key: str) -> str:
        """A given with its value, to be read."""
        return self.written(key).text + ("" if self.blank else f" = {exact(self.value(key))}")

    @property
    def stems(self) -> str:
        """What a unit shows of what is known: net input and activation, or activation and delta."""
        return "a delta" if self.look.deltas else "z a"

    def known(self, layer: int, unit: int) -> dict[str, float]:
        """The unit's values, so far as they are known."""
        keys = (f"{stem}{layer}[{unit}]" for stem in self.stems.split())
        return {key: self.values[key] for key in keys if key in self.values}

    def any_known(self) -> bool:
        """Whether any unit shows a value."""
        return any(self.known(layer, unit) for layer, unit in unit_places(self.network))

    # --- what is brought out

    def lit(self, keys: str) -> tuple[str, ...]:
        """Those of the keys, as in ``data-cells``, that are brought out."""
        return tuple(key for key in keys.split() if key in self.look.lit)

    def flows_back(self, keys: str) -> bool:
        """Whether something comes back from the loss there."""
        return not self.look.back.isdisjoint(self.lit(keys))

    def emphasis(self, keys: str) -> str:
        """The class that brings out what holds these keys, or lets it recede; nothing where it stays as it is."""
        return " qp-on" if self.lit(keys) else " qp-dim" if self.look.dims else ""

    def factors(self, layer: int, unit: int) -> tuple[Symbol, ...]:
        """The factors of the chain rule that are brought out at a unit, but for its delta."""
        if not self.look.factors:
            return ()
        return self._once(unit_keys(self.network, layer, unit), lambda stem: stem != "delta")

    def inside(self, layer: int, unit: int) -> tuple[Symbol, ...]:
        """What is named inside a unit: its delta if it is brought out, else its activation."""
        if not self.look.factors or not layer:
            return ()
        keys = unit_keys(self.network, layer, unit)
        read = dict.fromkeys(key.partition("@")[0] for key in self.lit(keys) if parse_key(key).stem == "a")
        # Where a unit is named after its activation, that is said already.
        outs = tuple(name for name in map(self.symbol, read) if name.latex != self.unit(layer, unit).latex)
        return self._once(keys, lambda stem: stem == "delta") or outs

    def _once(self, keys: str, wanted: Callable[[str], bool]) -> tuple[Symbol, ...]:
        """The lit cells that flow back, once for all examples."""
        back = (key for key in self.lit(keys) if key in self.look.back and wanted(parse_key(key).stem))
        return tuple(map(self.symbol, dict.fromkeys(key.partition("@")[0] for key in back)))


def checked(network: Network, given: Mapping[str, Any]) -> dict[str, Array]:
    """The given numbers as arrays.

    Raises:
        ValueError: one is missing, has another shape or is not finite.
    """
    arrays = {}
    for name, shape in network.givens().items():
        if name == "eta":
            continue
        if name not in given:
            raise ValueError(f"given: {name} is missing; needed are {', '.join(network.givens())}")
        arrays[name] = np.asarray(given[name], dtype=float)
        if arrays[name].shape != shape:
            raise ValueError(f"given: {name} has the shape {arrays[name].shape}; this network needs {shape}")
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"given: {name} holds a number that is not finite")
    return arrays


def unit_places(network: Network) -> Iterator[tuple[int, int]]:
    """Layer and number of each unit that computes."""
    for layer, units in enumerate(network.layers[1:], start=1):
        for unit in range(1, units + 1):
            yield layer, unit


def weight_places(network: Network, layer: int) -> Iterator[tuple[str, int, int]]:
    """The keys of a layer's weights, with the units to and from."""
    for to in range(1, network.layers[layer] + 1):
        for source in range(1, network.layers[layer - 1] + 1):
            yield f"W{layer}[{to},{source}]", to, source


def bias_places(network: Network) -> Iterator[tuple[str, int, int]]:
    """The keys of the biases, each with its layer and unit; a shared one is drawn once, for unit 1."""
    for layer, unit in unit_places(network):
        if network.bias == "unit" or (network.bias == "shared" and unit == 1):
            yield f"b{layer}[{unit}]", layer, unit


def unit_keys(network: Network, layer: int, unit: int) -> str:
    """The keys of the cells that live in a unit."""
    each = [quantity_name(stem, layer) for stem in _AT_A_UNIT] if layer else ["x", "dE_da0"]
    each += ["e", "e_new"] if layer == network.depth else []
    return keys_at(network, unit, each=each)


def weight_keys(network: Network, layer: int, to: int, source: int) -> str:
    """The keys of the cells that live on an edge."""
    once = (f"W{layer}", f"grad_W{layer}", f"W{layer}_new")
    return keys_at(network, f"{to},{source}", once=once, each=[f"path{layer}"])


def bias_keys(network: Network, layer: int, unit: int) -> str:
    """The keys of the cells that live at a bias."""
    return keys_at(network, unit, once=(f"b{layer}", f"grad_b{layer}", f"b{layer}_new"))


def shape_of(network: Network) -> str:
    """The network's units by layer: 2-3-1."""
    return "-".join(map(str, network.layers))


def kind_of(network: Network, layer: int) -> str:
    """What a layer is called."""
    return "input" if layer == 0 else "output" if layer == network.depth else "hidden"


def activation_of(network: Network, layer: int) -> str:
    """What a layer's activation is called."""
    name = network.activations[layer - 1]
    return _ACTIVATIONS.get(name, name)


def keys_at(network: Network, index: int | str, *, once: Iterable[str] = (), each: Iterable[str] = ()) -> str:
    """Keys for ``data-cells``; ``each`` names the quantities of which every example has its own."""
    examples = [f"@{example}" for example in range(1, network.examples + 1)] if network.examples > 1 else [""]
    keys = [f"{name}[{index}]" for name in once]
    return " ".join([*keys, *(f"{name}[{index}]{example}" for example in examples for name in each)])


def description(subject: Subject) -> Iterator[str]:
    """The network in sentences, with all its given numbers."""
    network = subject.network
    yield phrase("Layers from left to right: {layers}.", layers=listed(map(said, _layer_words(network))))
    if subject.batch:
        yield phrase("{number} examples: see the table.", number=network.examples)
    else:
        inputs = listed(subject.words(f"x[{unit}]") for unit in range(1, network.layers[0] + 1))
        yield phrase("Inputs: {values}.", values=inputs)
    for layer, unit in unit_places(network):
        weights = [
            said(phrase("{weight} from {unit}", weight=subject.words(key), unit=subject.unit(layer - 1, source).text))
            for key, to, source in weight_places(network, layer)
            if to == unit
        ]
        bias = (
            () if network.bias == "none" else (said(phrase("bias {value}", value=subject.words(f"b{layer}[{unit}]"))),)
        )
        read = listed([*weights, *bias])
        yield phrase("Into {unit}: {read}.", unit=subject.unit(layer, unit).text, read=read)
    if not subject.batch:
        targets = listed(subject.words(f"t[{unit}]") for unit in range(1, network.layers[-1] + 1))
        yield phrase("Targets: {values}.", values=targets)


def what_is_known(subject: Subject) -> Iterator[str]:
    """The rest of the description: the values known by now, and what is brought out."""
    known = {key: value for place in unit_places(subject.network) for key, value in subject.known(*place).items()}
    known |= {key: subject.values[key] for key in ("E",) if subject.look.loss and key in subject.values}
    if known:
        values = listed(f"{subject.symbol(key).text} = {exact(value)}" for key, value in known.items())
        yield phrase("Known: {values}.", values=values)
    yield from subject.look.said


def _layer_words(network: Network) -> Iterator[str]:
    for layer, units in enumerate(network.layers):
        number = {"number": units}
        if layer == 0:
            yield phrase("{number} input", **number) if units == 1 else phrase("{number} inputs", **number)
            continue
        words = {**number, "activation": activation_of(network, layer)}
        if layer == network.depth:
            one = phrase("{number} output unit ({activation})", **words)
            yield one if units == 1 else phrase("{number} output units ({activation})", **words)
        else:
            one = phrase("{number} hidden unit ({activation})", **words)
            yield one if units == 1 else phrase("{number} hidden units ({activation})", **words)
