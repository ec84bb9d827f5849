"""Help with one cell in three rungs: the idea in words, the formula, the formula with this sheet's numbers.

A hint never says more than is on the page: what is given, what is shown, and what the student has typed. Anything else
stays a symbol, and the cell's own value is in none of them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from quizprop.engine.graph import Quantity
from quizprop.engine.trace import Expression
from quizprop.engine.words import phrase
from quizprop.exercise.cells import Cell
from quizprop.exercise.figures import exact, figure_latex, significant
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import Symbol, layer_formula
from quizprop.exercise.solution import Solution, written

__all__ = ["RUNGS", "Hint", "hints", "row_formula"]

RUNGS: Final = (phrase("Idea"), phrase("Formula"), phrase("With your numbers"))

# Factors and terms: where nobody asks for them, they are written out inside the formula that reads them.
_INSIDE: Final = frozenset({"path", "dE_da", "da_dz"})

_NOTHING_TO_COMPUTE: Final = phrase("There is nothing to compute at this step.")
_OPEN: Final = phrase("A symbol stands where no value is known yet.")
_LIKEWISE: Final = phrase("The others of the kind go likewise.")


@dataclass(frozen=True, slots=True)
class Hint:
    """One rung: its name, lines of mathematics that each begin with what they define, and words."""

    rung: str
    words: str = ""
    lines: tuple[Symbol, ...] = ()

    @property
    def text(self) -> str:
        """All of it in plain text, a line each."""
        return "\n".join([*(line.text for line in self.lines), *([self.words] if self.words else ())])


def hints(instance: Instance, cell: Cell, notation: str, own: Mapping[str, float]) -> tuple[Hint, Hint, Hint]:
    """The three rungs of a cell.

    Args:
        instance: the exercise with its numbers.
        cell: one of its cells.
        notation: how to name things.
        own: the student's own numbers by key, so far as they are typed and can be read.
    """
    return _Helper(Solution(instance, notation, instance.exercise.places), cell, own).rungs


def row_formula(instance: Instance, name: str, notation: str) -> Symbol | None:
    """The formula of a quantity's whole layer where the notation has one: matrices."""
    if notation != "matrix" or instance.network is None:
        return None
    graph = instance.structure.graph
    inside = tuple(graph[source] for source in graph[name].inputs if _is_hidden(instance, source))
    return layer_formula(graph[name], instance.network, tuple(part for part in inside if part.formula.stem == "dE_da"))


def _is_hidden(instance: Instance, name: str) -> bool:
    """Whether a name is a quantity that the sheet neither gives nor asks for."""
    return name in instance.structure.graph and name not in instance.given and name not in instance.plan.asked


def _is_copied(expression: Expression) -> bool:
    """Whether another value is taken as it is, or with the other sign."""
    while expression.kind == "minus":
        (expression,) = expression.parts
    return expression.kind == "symbol"


@dataclass(frozen=True)
class _Helper:
    solution: Solution
    cell: Cell
    own: Mapping[str, float]

    @property
    def rungs(self) -> tuple[Hint, Hint, Hint]:
        idea = Hint(RUNGS[0], self._quantity(self.cell.key).formula.idea)
        if self._expression(self.cell.key).kind == "number":
            # The formula would be the value.
            return idea, Hint(RUNGS[1], _NOTHING_TO_COMPUTE), Hint(RUNGS[2], _NOTHING_TO_COMPUTE)
        return idea, self._formula, self._with_numbers

    @property
    def instance(self) -> Instance:
        return self.solution.instance

    @property
    def _formula(self) -> Hint:
        whole = row_formula(self.instance, self.cell.quantity, self.solution.notation)
        lines = tuple(self._lines(self.solution.symbol))
        return Hint(RUNGS[1], _LIKEWISE if self._some_left_out else "", (*([whole] if whole else ()), *lines))

    @property
    def _with_numbers(self) -> Hint:
        if all(_is_copied(self._expression(key)) for key in self._explained):
            return Hint(RUNGS[2], _NOTHING_TO_COMPUTE, tuple(self._lines(self.solution.symbol)))
        open_still = any(self._known(key) is None for each in self._explained for key in self._expression(each).names())
        return Hint(RUNGS[2], _OPEN if open_still else "", tuple(self._lines(self._number_or_symbol)))

    def _lines(self, name: Callable[[str], Symbol]) -> Iterator[Symbol]:
        """The cell's formula, and that of what it reads and nobody asks for, one of each kind."""
        for key in self._explained:
            left, right = self.solution.symbol(key), written(self._expression(key), name)
            yield Symbol(f"{left.text} = {right.text}", f"{left.latex} = {right.latex}")

    @cached_property
    def _unwritten(self) -> tuple[str, ...]:
        return tuple(filter(self._is_unwritten, dict.fromkeys(self._expression(self.cell.key).names())))

    @cached_property
    def _explained(self) -> tuple[str, ...]:
        first = {self.instance.structure.places[key][0]: key for key in reversed(self._unwritten)}
        return (self.cell.key, *(key for key in self._unwritten if key in first.values()))

    @property
    def _some_left_out(self) -> bool:
        return len(self._unwritten) >= len(self._explained)

    def _number_or_symbol(self, key: str) -> Symbol:
        known = self._known(key)
        return self.solution.symbol(key) if known is None else Symbol(known, figure_latex(known))

    def _known(self, key: str) -> str | None:
        """What stands on the page for a key: as it was given, or as the student's text was read."""
        if key in self.instance.plan.known:
            return exact(self.instance.values[key])
        return significant(self.own[key]) if key in self.own else None

    def _expression(self, key: str) -> Expression:
        """The cell's formula, with the unasked factors in it written out."""
        expression = self.solution.expression(key)
        inside = {
            source: self._expression(source)
            for source in set(expression.names())
            if self._is_unwritten(source) and self._quantity(source).formula.stem in _INSIDE
        }
        return expression.replacing(inside)

    def _is_unwritten(self, key: str) -> bool:
        name, place = self.instance.structure.places[key]
        return key not in self.instance.plan.known and not self.instance.plan.asks(name, place)

    def _quantity(self, key: str) -> Quantity:
        return self.instance.structure.graph[self.instance.structure.places[key][0]]
