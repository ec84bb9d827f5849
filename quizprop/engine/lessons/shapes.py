r"""How large is each array? Rows and columns of everything in a network's training, and the number of its parameters.

Every value is a whole number. The examples of a batch stand side by side, as columns, as in A. Ng's course, or one
below the other, as rows, as in PyTorch and in Zhang et al., "Dive into Deep Learning" (2023).
"""

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import ClassVar, Final, Literal

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Formula, Quantity, step
from quizprop.engine.mistakes import Misconception, reading
from quizprop.engine.model import Given, Lesson, Rule, Shape
from quizprop.engine.words import phrase

__all__ = ["Shapes"]

Side = Literal["rows", "columns"]


def itself(units: Array) -> Array:
    """As many as there are."""
    return units


def one(units: Array) -> Array:
    """A single one, whatever the layer: a vector."""
    return 0 * units + 1


@dataclass(frozen=True, slots=True)
class _Array:
    """An array of a layer: how it is written, and what its sides count where examples are columns."""

    stem: str
    title: str
    text: str
    latex: str
    sides: tuple[str, str]
    phase: str = "forward"


_WEIGHTS, _VECTOR, _BATCH = ("n", "n_prev"), ("n", "one"), ("n", "m")
_ARRAYS: Final = (
    _Array("W", "the weights", "W", "W", _WEIGHTS),
    _Array("b", "the biases", "b", "b", _VECTOR),
    _Array("Z", "the net inputs", "Z", "Z", _BATCH),
    _Array("A", "the activations", "A", "A", _BATCH),
    _Array("dZ", "the deltas", "dZ", r"\mathrm{d}Z", _BATCH, "backward"),
    _Array("dW", "the gradients of the weights", "dW", r"\mathrm{d}W", _WEIGHTS, "gradients"),
    _Array("db", "the gradients of the biases", "db", r"\mathrm{d}b", _VECTOR, "gradients"),
)

_COUNTED: Final[Mapping[str, str]] = MappingProxyType({
    "n": "n_l", "n_prev": "n_{l-1}", "m": "m", "one": "1"
})  # fmt: skip


_IDEA: Final = (
    "What does this side count: units of this layer, units of the layer below, examples, or just one thing? The "
    "formula of the net input must fit."
)


def size(array: _Array, side: Side, counted: str) -> Formula:
    """One side of an array, and what it counts."""
    words = step(
        f"{array.stem}_{side}",
        title=f"{side} of {array.title}",
        latex=rf"\text{{{side} }}({array.latex}) = {_COUNTED[counted]}",
        phase=array.phase,
        text=f"{side}({array.text}^[$l])",
        symbol=rf"\text{{{side} }}({array.latex}^{{[$l]}})",
        whole=True,
        reads=("n" if counted == "one" else counted,),
        idea=_IDEA,
    )
    return words(one if counted == "one" else itself)


@step(
    "count",
    title="parameters of a layer",
    latex=r"n_l\,n_{l-1} + n_l",
    phase="count",
    text="p_$l",
    symbol="p_$l",
    whole=True,
)
def count(n: Array, n_prev: Array) -> Array:
    """A weight for each pair of units, and a bias for each unit."""
    return n * n_prev + n


def added(*counts: Array) -> Array:
    """All layers together."""
    return reduce(operator.add, counts)


def parameters(layers: int) -> Formula:
    """The parameters of the whole network."""
    words = step(
        "parameters",
        title="parameters of the network",
        latex=r"\sum_l \left(n_l\,n_{l-1} + n_l\right)",
        phase="count",
        text="p",
        symbol="p",
        whole=True,
        reads=tuple(f"count{layer}" for layer in range(1, layers + 1)),
    )
    return words(added)


# --- what goes wrong ------------------------------------------------------------------------------------------------

_TRANSPOSED: Final = (
    "Rows and columns are swapped. See in the conventions whether the examples stand as columns or as rows."
)
_WRONG_LAYER: Final = "This counts the units of the layer below. The array has a place for each unit of its own layer."
_EXAMPLES_COUNTED: Final = (
    "The examples do not count here: the same parameters serve all of them, however many there are."
)
_ONE_EXAMPLE: Final = "This holds a single example. All examples of the batch are worked at once, in one array."


def _side_mistakes(array: _Array, side: Side, counted: str, across: str) -> Iterator[Misconception]:
    """What goes wrong with a side that counts one thing, while the other side counts another."""
    stem = f"{array.stem}_{side}"

    def mistake(kind: str, title: str, sentence: str, counts: str) -> Misconception:
        form = reading(one, "n") if counts == "one" else reading(itself, counts)
        return Misconception(kind, stem, title, sentence, (form,))

    yield mistake("transposed", "rows and columns swapped", _TRANSPOSED, across)
    if counted == "m":
        yield mistake("one_example", "one example only", _ONE_EXAMPLE, "one")
    else:
        if across != "m":
            yield mistake("examples_counted", "examples counted", _EXAMPLES_COUNTED, "m")
        if counted == "n" and across != "n_prev":
            yield mistake("wrong_layer", "another layer's units", _WRONG_LAYER, "n_prev")


_BIAS_LEFT_OUT: Final = "Only the weights were counted. Each unit has a bias, too, and it is learned as they are."
_EXAMPLES_MULTIPLIED: Final = (
    "The examples were multiplied in. The parameters do not grow in number with what they are trained on."
)

_COUNT: Final = (
    Misconception("bias_left_out", "count", "biases left out", _BIAS_LEFT_OUT, (lambda n, n_prev: n * n_prev,)),
    Misconception(
        "one_bias",
        "count",
        "one bias for the layer",
        "A single bias was counted. Each unit of the layer has its own.",
        (lambda n, n_prev: n * n_prev + 1,),
    ),
    Misconception(
        "bias_of_inputs",
        "count",
        "a bias for each input",
        "The biases were counted by the layer below. They belong to the units that they feed, those of this layer.",
        (lambda n, n_prev: n * n_prev + n_prev,),
    ),
    Misconception(
        "units_added",
        "count",
        "units added",
        "The units of the two layers were added up. Each unit of one is connected with each of the other: multiply.",
        (lambda n, n_prev: n + n_prev,),
    ),
    Misconception(
        "examples_multiplied",
        "count",
        "examples multiplied in",
        _EXAMPLES_MULTIPLIED,
        (lambda n, n_prev, m: (n * n_prev + n) * m,),
    ),
)


def _all_mistakes(layers: int) -> Iterator[Misconception]:
    """What goes wrong in the number of all parameters."""
    counts = [f"count{layer}" for layer in range(1, layers + 1)]
    units = [f"n{layer}" for layer in range(layers + 1)]
    one_only = "One layer alone was counted. The network has the parameters of all its layers."

    def weights(*units: Array) -> Array:
        return added(*map(operator.mul, units[:-1], units[1:]))

    yield Misconception(
        "one_layer_only",
        "parameters",
        "one layer only",
        one_only,
        tuple(reading(itself, each) for each in counts),
    )
    yield Misconception("bias_left_out", "parameters", "biases left out", _BIAS_LEFT_OUT, (reading(weights, *units),))
    yield Misconception(
        "examples_multiplied",
        "parameters",
        "examples multiplied in",
        _EXAMPLES_MULTIPLIED,
        (reading(lambda m, *counts: m * added(*counts), "m", *counts),),
    )
    yield Misconception(
        "units_counted",
        "parameters",
        "units counted",
        "The units were counted. Parameters are what is learned: the weights between units, and the biases.",
        (reading(added, *units),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes(Lesson):
    """A network of some ``layers`` of weights, with the ``examples_as`` columns or as rows of its arrays."""

    kind: ClassVar[str] = "shapes"
    graph_tells: ClassVar[bool] = True
    layers: Literal[2, 3] = 2
    examples_as: Literal["columns", "rows"] = "columns"

    def given(self) -> tuple[Given, ...]:
        """The units of each layer, from the input on, and the examples of the batch."""
        return (
            *(self._units(layer) for layer in range(self.layers + 1)),
            Given("m", (), "Examples", "m", "m", whole=True),
        )

    def _units(self, layer: int) -> Given:
        title = "Inputs" if layer == 0 else "Outputs" if layer == self.layers else f"Units of layer {layer}"
        return Given(f"n{layer}", (), title, f"n_{layer}", f"n_{{{layer}}}", whole=True)

    def quantities(self) -> tuple[Quantity, ...]:
        """Layer by layer, forward and back; then the number of parameters."""
        layers = range(1, self.layers + 1)
        forward = [array for array in _ARRAYS if array.phase == "forward"]
        back = [array for array in _ARRAYS if array.phase != "forward"]
        return (
            *(quantity for layer in layers for array in forward for quantity in self._sides(array, layer)),
            *(quantity for layer in reversed(layers) for array in back for quantity in self._sides(array, layer)),
            *(self.place(count, layer) for layer in layers),
            self.place(parameters(self.layers)),
        )

    def _sides(self, array: _Array, layer: int) -> Iterator[Quantity]:
        for side, counted, _across in self._counted(array):
            yield self.place(size(array, side, counted), layer)

    def _counted(self, array: _Array) -> tuple[tuple[Side, str, str], tuple[Side, str, str]]:
        """What each side counts, and what the other one does."""
        first, second = array.sides if self.examples_as == "columns" else array.sides[::-1]
        return ("rows", first, second), ("columns", second, first)

    @property
    def layered(self) -> frozenset[str]:
        """What each layer has of its own: all but the examples."""
        sides = (f"{array.stem}_{side}" for array in _ARRAYS for side in ("rows", "columns"))
        return frozenset((*sides, "n", "count"))

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong with each side, and with the number of parameters."""
        sides = (kind for array in _ARRAYS for each in self._counted(array) for kind in _side_mistakes(array, *each))
        return (*sides, *_COUNT, *_all_mistakes(self.layers))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """How the arrays stand."""
        columns = self.examples_as == "columns"
        product = r"Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}" if columns else r"Z^{[l]} = A^{[l-1]} W^{[l]} + b^{[l]}"
        return (
            Rule("Examples", f"as {self.examples_as}; the input is A of layer 0"),
            Rule("Net input", "", product),
            Rule("Biases", "one a unit"),
        )

    @property
    def sketch(self) -> Shape:
        """Some units in each layer."""
        return (*(3, 4, 3)[: self.layers], 2)

    @property
    def outline(self) -> str:
        """How many layers there are."""
        return phrase("{number} layers of weights", number=self.layers)
