"""The graph of quantities: plain functions, the words that explain them, and what feeds what."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.words import phrase

__all__ = ["GUARDS", "Formula", "Graph", "Quantity", "UnknownQuantityError", "formula", "quantity_name", "step"]


class UnknownQuantityError(KeyError):
    """A name that the graph does not hold."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Formula:
    """A plain function with its words. Its parameters name what it needs; ``bind`` says where each comes from.

    ``stem`` is the quantity's name without its layer, ``per_example`` whether each training example has its own value.
    ``guard`` names the check that keeps its values from degenerating (see ``GUARDS``), ``whole`` says that they are
    whole numbers, and ``options`` what 0, 1 and so on stand for where a person chooses rather than computes. In a
    lesson the formula also says in which ``phase`` it is worked, and how a cell is written, as ``text`` and in LaTeX as
    ``symbol``. ``reads`` names the parameters where the function, used elsewhere too, has other names for them.
    ``idea`` says in plain words what it is and why, the function's first line where nothing else is said. ``matrix`` is
    the formula of a whole layer, a template: ``$l`` is the layer, ``$p`` the one before, ``$n`` the next; ``$Z``,
    ``$A`` and ``$Y`` are the letters of net inputs, activations and targets, capitals for a mini-batch; ``$each``,
    ``$at_each`` and ``$sum`` are the index of the example and the sum over it, empty where there is only one.
    """

    stem: str
    title: str
    latex: str
    function: Callable[..., Array]
    per_example: bool = True
    guard: str = ""
    whole: bool = False
    options: tuple[str, ...] = ()
    phase: str = ""
    text: str = ""
    symbol: str = ""
    reads: tuple[str, ...] = ()
    idea: str = ""
    matrix: str = ""

    def __post_init__(self) -> None:
        if not self.idea:
            object.__setattr__(self, "idea", (self.function.__doc__ or "").partition("\n")[0])

    def __hash__(self) -> int:
        # Caches are asked by formula many thousand times a second: its words need not be read for that.
        return hash((self.stem, self.function))

    def __call__(self, *inputs: Array) -> Array:
        """The function itself."""
        return self.function(*inputs)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The parameter names, in order."""
        return self.reads or tuple(inspect.signature(self.function).parameters)


GUARDS = ("slope", "share", "kink", "positive", "mixed")
"""Slope: not saturated. Share: between 0 and 1. Kink: the first input is not near 0. Positive: above 0.
Mixed: the first input is 0 at some cells, not at all of them."""


def formula(
    stem: str,
    *,
    title: str,
    latex: str,
    per_example: bool = True,
    idea: str = "",
    matrix: str = "",
    guard: str = "",
    whole: bool = False,
    options: tuple[str, ...] = (),
) -> Callable[[Callable[..., Array]], Formula]:
    """Give a function the words that explain it."""
    return lambda function: Formula(
        stem,
        title,
        latex,
        function,
        per_example=per_example,
        idea=idea,
        matrix=matrix,
        guard=guard,
        whole=whole,
        options=options,
    )


def step(
    stem: str,
    *,
    title: str,
    latex: str,
    phase: str,
    text: str,
    symbol: str,
    idea: str = "",
    guard: str = "",
    whole: bool = False,
    options: tuple[str, ...] = (),
    reads: tuple[str, ...] = (),
) -> Callable[[Callable[..., Array]], Formula]:
    """Give a function of a lesson its words; ``text`` and ``symbol`` take the placeholders of ``model.Given``."""
    return lambda function: Formula(
        stem,
        title,
        latex,
        function,
        per_example=False,
        idea=idea,
        guard=guard,
        whole=whole,
        options=options,
        phase=phase,
        text=text,
        symbol=symbol,
        reads=reads,
    )


@dataclass(frozen=True)
class Quantity:
    """A formula at its place in one graph: its name there, its layer, and the names that its parameters read.

    ``after`` says that it is worked a second time, with what the step has changed.
    """

    name: str
    formula: Formula
    inputs: tuple[str, ...]
    layer: int | None = None
    after: bool = False

    @property
    def title(self) -> str:
        """What it is, in words."""
        return phrase("{title} after the step", title=self.formula.title) if self.after else self.formula.title

    def of(self, values: Mapping[str, Array]) -> Array:
        """The quantity's value for the values of its inputs."""
        return self.formula(*(values[name] for name in self.inputs))


def quantity_name(stem: str, layer: int | None) -> str:
    """The name of a stem in a layer: ``z`` in 1 is ``z1``, ``W_new`` in 2 is ``W2_new``; without a layer, the stem."""
    if layer is None:
        return stem
    head, new, _ = stem.partition("_new")
    return f"{head}{layer}{new}"


@dataclass(frozen=True)
class Graph:
    """Quantities in an order in which each comes after what it needs.

    Names that no quantity defines are the givens. The order in which quantities are handed in is kept where it can be,
    so that the table of contents of ``backprop`` is also the order of the sheet.

    Raises:
        ValueError: two quantities share a name, or quantities need each other in a circle.
    """

    quantities: tuple[Quantity, ...]
    _by_name: dict[str, Quantity] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name = {quantity.name: quantity for quantity in self.quantities}
        if len(by_name) < len(self.quantities):
            names = [quantity.name for quantity in self.quantities]
            twice = dict.fromkeys(name for name in names if names.count(name) > 1)
            raise ValueError(f"Two quantities are named {', '.join(twice)}; give each its own name")
        object.__setattr__(self, "quantities", tuple(_in_order(by_name)))
        object.__setattr__(self, "_by_name", {quantity.name: quantity for quantity in self.quantities})

    def __getitem__(self, name: str) -> Quantity:
        if name not in self._by_name:
            raise UnknownQuantityError(f"No quantity named {name!r}. Known: {', '.join(self._by_name)}")
        return self._by_name[name]

    def __iter__(self) -> Iterator[Quantity]:
        return iter(self.quantities)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @cached_property
    def givens(self) -> tuple[str, ...]:
        """The names that formulas read and no quantity defines."""
        read = dict.fromkeys(name for quantity in self for name in quantity.inputs)
        return tuple(name for name in read if name not in self)

    def evaluate(
        self,
        given: Mapping[str, Array],
        *,
        want: Iterable[str] | None = None,
        carry: Callable[[str, Array], Array] | None = None,
    ) -> dict[str, Array]:
        """Every value that follows from the given ones; a given value wins over its formula.

        A NaN inside a given quantity marks a cell that was not given: that cell takes its formula's value. So the
        entries of a half-filled sheet can be handed in as they are.

        Args:
            given: arrays with the leading axes in common; the inputs and any other quantities.
            want: names to compute, with what they need; all quantities where left out.
            carry: what the worker goes on with for a computed value (rounded, say); the value itself where left out.

        Raises:
            UnknownQuantityError: a wanted name is unknown, or a given that a formula needs is missing.
        """
        values = dict(given)
        needed = self.needed_for(self._by_name if want is None else want, self.complete(given))
        with np.errstate(all="ignore"):
            for quantity in self:
                name = quantity.name
                if name not in needed:
                    continue
                missing = [source for source in quantity.inputs if source not in values]
                if missing:
                    raise UnknownQuantityError(f"{name} needs {', '.join(missing)}, which was not given")
                value = quantity.of(values)
                if carry is not None:
                    value = carry(name, value)
                values[name] = np.where(np.isnan(given[name]), value, given[name]) if name in given else value
        return values

    def complete(self, given: Mapping[str, Array]) -> list[str]:
        """The names of which every cell is given."""
        return [name for name, value in given.items() if name not in self or not np.isnan(value).any()]

    def needed_for(self, want: Iterable[str], given: Iterable[str] = ()) -> set[str]:
        """The wanted names and all quantities above them, up to the given ones.

        Raises:
            UnknownQuantityError: a wanted name is neither a quantity nor given.
        """
        known = set(given)
        needed: set[str] = set()
        waiting = list(want)
        while waiting:
            name = waiting.pop()
            if name in needed or name in known:
                continue
            waiting.extend(source for source in self[name].inputs if source in self)
            needed.add(name)
        return needed

    def replacing(self, *wrong: Quantity) -> "Graph":
        """The world as a mistaken student sees it: the same graph with other formulas for some names.

        Raises:
            UnknownQuantityError: a replaced name is not in the graph.
        """
        replaced = {self[quantity.name].name: quantity for quantity in wrong}
        return Graph(tuple(replaced.get(quantity.name, quantity) for quantity in self))


def _in_order(by_name: dict[str, Quantity]) -> Iterator[Quantity]:
    """Depth first: every quantity after its inputs, otherwise as handed in."""
    done: set[str] = set()
    path: list[str] = []

    def visit(name: str) -> Iterator[Quantity]:
        if name in path:
            raise ValueError(
                f"Quantities need each other in a circle: {' <- '.join([*path[path.index(name) :], name])}"
            )
        if name in done or name not in by_name:
            return
        path.append(name)
        for source in by_name[name].inputs:
            yield from visit(source)
        path.pop()
        done.add(name)
        yield by_name[name]

    for name in by_name:
        yield from visit(name)
