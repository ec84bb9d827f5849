"""What an exercise works on: the shapes of what is given, the graph of what follows, and what can go wrong there."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Formula, Graph, Quantity, quantity_name

if TYPE_CHECKING:
    from quizprop.engine.mistakes import Misconception

__all__ = [
    "COUNT",
    "MASK",
    "MEMORY",
    "NOT_NEGATIVE",
    "POSITIVE",
    "PROBABILITY",
    "Bounds",
    "Given",
    "Lesson",
    "Model",
    "Rule",
    "Shape",
    "resolved",
]

Shape = tuple[int, ...]

_NEIGHBOURS = (("_prev_prev", -2), ("_prev", -1), ("_next", 1))


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which numbers make sense for a given: the rule in words, and whether each of some numbers keeps it."""

    words: str
    keeps: Callable[[Array], Array]


POSITIVE: Final = Bounds("is above 0", lambda numbers: numbers > 0)
NOT_NEGATIVE: Final = Bounds("is at least 0", lambda numbers: numbers >= 0)
PROBABILITY: Final = Bounds("is above 0 and at most 1", lambda numbers: (numbers > 0) & (numbers <= 1))
MEMORY: Final = Bounds("is at least 0 and below 1", lambda numbers: (numbers >= 0) & (numbers < 1))
"""Of an average that moves: the share of the old one that stays."""
MASK: Final = Bounds("is 0 or 1", lambda numbers: (numbers == 0) | (numbers == 1))
COUNT: Final = Bounds("is a whole number from 1 on", lambda numbers: (numbers >= 1) & (numbers == np.floor(numbers)))


class Model(ABC):
    """A kind of network or computation. Its instances are frozen, can be hashed, and hold no drawn numbers."""

    # Read by pydantic where a model stands in an exercise file: a misspelt option is an error.
    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"extra": "forbid"}
    __slots__ = ()

    examples: int
    objective: ClassVar[str] = "E"
    """What the derivatives are the derivatives of."""
    layer_word: ClassVar[str] = "layer"
    """What the number in a quantity's name counts."""

    @abstractmethod
    def givens(self) -> dict[str, Shape]:
        """Names and shapes of the given arrays of one instance, in reading order."""

    @abstractmethod
    def graph(self) -> Graph:
        """Everything that is computed by hand, in working order."""

    @property
    @abstractmethod
    def misconceptions(self) -> "tuple[Misconception, ...]":
        """What students get wrong, in the order of the sheet."""

    @property
    def per_example(self) -> frozenset[str]:
        """The givens of which each training example has its own."""
        return frozenset()

    @property
    def tied(self) -> frozenset[str]:
        """The givens whose cells all hold the same number."""
        return frozenset()

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        """The givens for which not every number makes sense. A step goes downhill."""
        return {"eta": POSITIVE}

    @property
    def averages(self) -> bool:
        """Whether several examples are averaged in the loss and the gradients."""
        return False

    @property
    def has_zeros(self) -> bool:
        """Whether an exact 0 can be an honest value: a ReLU that is off, a class that is not the target."""
        return False

    @property
    @abstractmethod
    def sketch(self) -> Shape:
        """Units by layer, for a picture in miniature."""

    @property
    def outline(self) -> str:
        """Its size in a word or two: 2-2-2."""
        return "-".join(map(str, self.sketch))

    @abstractmethod
    def source(self, role: str, layer: int | None) -> str:
        """The name that a formula's parameter reads at a place in the graph."""

    def renewed(self, name: str) -> str:
        """The name of the same thing after the step."""
        return f"{name}_new"

    def place(
        self, formula: Formula, layer: int | None = None, *, named: str | None = None, after: bool = False
    ) -> Quantity:
        """The formula as a quantity of the graph: each of its parameters becomes a name.

        ``after`` the step it reads what the step has changed; a parameter that ends in ``_old`` still reads the old.
        """
        name = named or quantity_name(formula.stem, layer)
        inputs = (self._read(role, layer, after=after) for role in formula.parameters)
        return Quantity(name, formula, tuple(inputs), layer, after)

    def _read(self, role: str, layer: int | None, *, after: bool) -> str:
        if not after:
            return self.source(role, layer)
        old = role.removesuffix("_old")
        return self.source(old, layer) if old != role else self.renewed(self.source(role, layer))


def resolved(role: str, layer: int | None) -> str:
    """A role's name by its ending: ``a_prev`` in layer 2 is ``a1``, ``W_next`` is ``W3``, ``z`` is ``z2``."""
    for suffix, offset in _NEIGHBOURS:
        if layer is not None and role.endswith(suffix):
            return quantity_name(role.removesuffix(suffix), layer + offset)
    return quantity_name(role, layer)


@dataclass(frozen=True, slots=True)
class Given:
    """A given of a lesson: its shape and its words.

    ``text`` and ``latex`` say how one cell is written: ``$k`` and ``$j`` are its indices, ``$l`` is the number in the
    given's name, ``$index`` all its indices, with a comma between them. ``whole`` numbers count something; of others
    ``within`` says which make sense, if not all do.
    """

    name: str
    shape: Shape
    title: str
    text: str
    latex: str
    whole: bool = False
    within: Bounds | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A convention of a lesson: its name, words, and LaTeX where a formula says it."""

    name: str
    words: str = ""
    latex: str = ""


class Lesson(Model):
    """A model whose words stand with it: everything but the fully connected network.

    A kind of lesson is a frozen dataclass of its options. It lists what is given, the quantities, the misconceptions
    and the rules; names, symbols and sheet follow from these. Quantities of several layers or time steps carry the
    number in their names (``h1``, ``h2``), and their formulas read ``h_prev``; all others are read by their own names.
    """

    kind: ClassVar[str]
    graph_tells: ClassVar[bool] = False
    """Whether what is asked is what is computed from what: a graph of it is then drawn only when the work is done."""
    __slots__ = ()
    examples: ClassVar[int] = 1  # type: ignore[misc]  # a lesson with a batch counts it among its units

    @abstractmethod
    def given(self) -> tuple[Given, ...]:
        """What is given, in reading order."""

    @abstractmethod
    def quantities(self) -> tuple[Quantity, ...]:
        """What is computed, in working order."""

    @property
    @abstractmethod
    def rules(self) -> tuple[Rule, ...]:
        """The conventions that a reader needs."""

    @property
    def layered(self) -> frozenset[str]:
        """The stems whose names carry the number of a layer or a time step."""
        return frozenset()

    def givens(self) -> dict[str, Shape]:
        """Names and shapes of the given arrays, in reading order."""
        return {each.name: each.shape for each in self.given()}

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        """The givens for which not every number makes sense."""
        bounds = {each.name: COUNT if each.whole else each.within for each in self.given()}
        return {name: within for name, within in bounds.items() if within is not None}

    def graph(self) -> Graph:
        """The graph of the quantities."""
        return Graph(self.quantities())

    def differentiates(self, gradient: str) -> tuple[str, str]:
        """What a quantity called ``grad_...`` is the derivative of, and by what."""
        return self.objective, gradient.removeprefix("grad_")

    def source(self, role: str, layer: int | None) -> str:
        """A stem of a layer takes the layer's number, or its neighbour's; every other role is a name."""
        stem = role
        for suffix, _ in _NEIGHBOURS:
            stem = stem.removesuffix(suffix)
        return resolved(role, layer) if stem in self.layered else role
