"""The forms in which a family can be practised: whole, partly filled in, one step alone."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Final

import numpy as np

from quizprop.engine.structure import Structure
from quizprop.exercise.cells import Cell, Phase
from quizprop.exercise.certify import Plan
from quizprop.exercise.generate import certified, draw_block
from quizprop.exercise.record import blank
from quizprop.exercise.skills import Skills
from quizprop.exercise.spec import Exercise

__all__ = ["Fading", "Form", "can_be_drawn", "fadings", "forms"]

_TRIES: Final = 64
_LEAST: Final = 4
"""Of so many tries, so many must be certified: the next instance is then hardly ever a second away."""


class Fading(StrEnum):
    """How much of a sheet is left to the learner."""

    FULL = "full"
    PART = "part"
    STEP = "step"


@dataclass(frozen=True, slots=True)
class Form:
    """A family with more of it shown, and the skill aimed at; a whole sheet aims at none.

    ``skills`` are those that it calls for, ``first`` those of its first cell; ``size`` is how many answers it asks for.
    """

    fading: Fading
    aim: str
    asked: tuple[str, ...]
    shown: tuple[str, ...]
    skills: tuple[str, ...]
    first: tuple[str, ...]
    size: int

    def of(self, exercise: Exercise) -> Exercise:
        """The family in this form, under the same slug."""
        if self.fading is Fading.FULL:
            return exercise
        changed = {"asked": self.asked, "shown": self.shown}
        faded = Exercise.model_validate({**exercise.model_dump(), **changed})
        plan = Plan(faded)
        # So many units off is a rule about the whole sheet; a part of it may not reach them all.
        known = plan.worked.issuperset(plan.switched)
        return faded if known else faded.model_copy(update={"dead_units": None})


def forms(exercise: Exercise, skills: Skills) -> tuple[Form, ...]:
    """Every form of an exercise, whole first; whether it can be drawn is another matter."""
    return _forms(skills, exercise.model_dump_json())


def fadings(exercise: Exercise, skills: Skills) -> tuple[Form, ...]:
    """The forms of an exercise that can be drawn."""
    return tuple(form for form in forms(exercise, skills) if can_be_drawn(form.of(exercise)))


def can_be_drawn(exercise: Exercise) -> bool:
    """Whether enough of what is drawn can be certified; found out once for each exercise."""
    return _can_be_drawn(exercise.model_dump_json())


@lru_cache(maxsize=4096)
def _can_be_drawn(spec: str) -> bool:
    exercise = Exercise.model_validate_json(spec)
    tries, least = (1, 1) if exercise.fixed else (_TRIES, _LEAST)
    return len(certified(Plan(exercise), draw_block(exercise, np.random.default_rng(0), tries)).passed) >= least


@lru_cache(maxsize=1024)
def _forms(skills: Skills, spec: str) -> tuple[Form, ...]:
    exercise = Exercise.model_validate_json(spec)
    plan = Plan(exercise)
    called_for = skills.of_cells(exercise)
    everything, first = skills.of_exercise(exercise), called_for[blank(exercise).cells[0].key]
    whole = Form(Fading.FULL, "", exercise.asked, exercise.shown, everything, first, plan.asked_count)
    if exercise.question != "sheet":
        return (whole,)
    return (whole, *_Fader(exercise, skills, plan).forms())


@dataclass(frozen=True)
class _Fader:
    """Takes a sheet apart."""

    exercise: Exercise
    skills: Skills
    plan: Plan

    def forms(self) -> Iterator[Form]:
        for aim in self.skills.of_exercise(self.exercise):
            own = [cell for cell in self._cells if aim in self.skills.own(self._structure, cell.quantity)]
            step = self._step(aim, own) if own else None
            part = self._part(aim, own or self._calling_for(aim))
            if part and not (step and step.asked == part.asked):
                yield part
            if step and step.size < len(self._cells):
                yield step

    @cached_property
    def _cells(self) -> tuple[Cell, ...]:
        return blank(self.exercise).cells

    @property
    def _structure(self) -> Structure:
        return self.plan.structure

    def _calling_for(self, aim: str) -> list[Cell]:
        called_for = self.skills.of_cells(self.exercise)
        return [cell for cell in self._cells if aim in called_for[cell.key]]

    def _part(self, aim: str, aimed: list[Cell]) -> Form | None:
        """The phases before the aim's are filled in."""
        begins = min(_order(cell) for cell in aimed)
        earlier = {cell.key for cell in self._cells if _order(cell) < begins}
        asked = {cell.key for cell in self._cells} - earlier
        return self._form(Fading.PART, aim, asked, self._shown | earlier) if earlier else None

    def _step(self, aim: str, own: list[Cell]) -> Form:
        """The first step of the kind is left, in one layer; what it reads is filled in."""
        asked = {cell.key for cell in own if (cell.phase, cell.layer) == (own[0].phase, own[0].layer)}
        return self._form(Fading.STEP, aim, asked, self._shown | self._read(aim, asked))

    @property
    def _shown(self) -> set[str]:
        return {key for name, mask in self.plan.shown.items() for key in self._structure.keys[name][mask]}

    def _read(self, aim: str, asked: Collection[str]) -> set[str]:
        """What a step is worked from: all that is written above it, and unwritten factors of other skills."""
        structure, found = self._structure, set[str]()
        waiting = [(key, True) for key in asked]
        done = set[str]()
        while waiting:
            key, near = waiting.pop()
            name, place = structure.places[key]
            for source in structure.expressions[name][place].names() if name in structure.graph else ():
                quantity = structure.places[source][0]
                if source in done or quantity not in structure.graph:
                    continue
                done.add(source)
                aimed = aim in self.skills.own(structure, quantity)
                if source in self.plan.written or (near and not aimed):
                    found.add(source)
                waiting.append((source, near and aimed and source not in self.plan.written))
        return found - set(asked)

    def _form(self, fading: Fading, aim: str, asked: Collection[str], shown: Collection[str]) -> Form:
        written = {*asked, *shown}
        keys = [cell.key for cell in self._cells if cell.key in asked]
        called_for = [self.skills.called_for(self._structure, key, written) for key in keys]
        everything = self.skills.in_order({name for names in called_for for name in names})
        names = self._names(asked), self._names(shown)
        return Form(fading, aim, *names, everything, called_for[0], len(asked))

    def _names(self, keys: Collection[str]) -> tuple[str, ...]:
        """Cells by name, whole quantities by theirs."""
        found: list[str] = []
        for quantity in self._structure.graph:
            cells = [str(key) for key in self._structure.keys[quantity.name].flat]
            some = [key for key in cells if key in keys]
            found.extend([quantity.name] if len(some) == len(cells) else some)
        return tuple(found)


def _order(cell: Cell) -> int:
    return list(Phase).index(cell.phase)
