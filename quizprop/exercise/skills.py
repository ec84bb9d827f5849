"""The map of skills: what there is to learn, what needs what, and which skills a cell calls for."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from quizprop.engine.catalogue import LESSONS
from quizprop.engine.graph import Quantity
from quizprop.engine.model import Lesson, Model
from quizprop.engine.network import Network
from quizprop.engine.structure import Structure
from quizprop.exercise.bank import SKILLS_FILE, BankError, described, head_problems, read_toml
from quizprop.exercise.certify import Plan
from quizprop.exercise.record import blank
from quizprop.exercise.slips import unseen
from quizprop.exercise.spec import Exercise
from quizprop.resources import folder

__all__ = ["Skill", "Skills", "UnknownSkillError", "load_skills"]

_REST: Final = "*"
_NETWORK, _QUESTION = "network", "question"
_KINDS: Final = (_NETWORK, _QUESTION, *LESSONS)


class UnknownSkillError(KeyError):
    """A name that is not on the map."""

    def __str__(self) -> str:
        return str(self.args[0])


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


_Chance = Annotated[float, Field(gt=0, lt=1)]
# Below a half, a right answer always speaks for the skill and a wrong one against it.
_Luck = Annotated[float, Field(gt=0, lt=0.5)]


class Skill(_Part):
    """Something to learn.

    ``covers`` maps kinds of models to the stems at which the skill is used, as the map's file spells them. ``known``,
    ``learn``, ``slip`` and ``guess`` are the chances of Bayesian knowledge tracing (Corbett and Anderson, 1995): that
    it is there at first, that practice brings it, that it fails though it is there, that a cell succeeds without it.
    """

    name: Annotated[str, Field(min_length=1, max_length=40)]
    sentence: Annotated[str, Field(min_length=1, max_length=200)]
    core: bool = False
    needs: tuple[str, ...] = ()
    covers: dict[str, tuple[str, ...]]
    known: _Chance
    learn: _Chance
    slip: _Luck
    guess: _Luck


class _File(_Part):
    skill: tuple[Skill, ...]


@dataclass(frozen=True, eq=False)
class Skills:
    """All skills, each after those that it needs."""

    all: tuple[Skill, ...]

    def __iter__(self) -> Iterator[Skill]:
        return iter(self.all)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Skill:
        if name not in self._by_name:
            raise UnknownSkillError(f"No skill named {name!r}. Known: {', '.join(self._by_name)}")
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Skill]:
        return {skill.name: skill for skill in self.all}

    @cached_property
    def core(self) -> tuple[str, ...]:
        """The names of the skills that everything else rests on."""
        return tuple(skill.name for skill in self.all if skill.core)

    def of_cells(self, exercise: Exercise) -> Mapping[str, tuple[str, ...]]:
        """For each cell of an exercise, by key, the skills that it calls for: its own, and those of unwritten steps."""
        return _asked(self, exercise.model_dump_json())

    def of_exercise(self, exercise: Exercise) -> tuple[str, ...]:
        """All skills that an exercise calls for, in the order of the map."""
        return self.in_order({name for names in self.of_cells(exercise).values() for name in names})

    def called_for(self, structure: Structure, key: str, written: Collection[str]) -> tuple[str, ...]:
        """The skills that a cell calls for where these other cells are written or shown."""
        return self.in_order(
            {name for quantity in unseen(structure, key, written) for name in self.own(structure, quantity)}
        )

    def own(self, structure: Structure, name: str) -> tuple[str, ...]:
        """The skills that a quantity calls for by itself."""
        return _own(self, structure, name)

    def of_quantity(self, model: Model, quantity: Quantity) -> tuple[str, ...]:
        """The same, for a quantity of a model's graph."""
        kind = model.kind if isinstance(model, Lesson) else _NETWORK
        return next(filter(None, (self.covering(kind, way) for way in _spellings(model, quantity))), ())

    def covering(self, kind: str, spelling: str) -> tuple[str, ...]:
        """The skills that cover what the map's file spells so."""
        return tuple(skill.name for skill in self.all if spelling in skill.covers.get(kind, ()))

    def in_order(self, names: Collection[str]) -> tuple[str, ...]:
        """Some names in the order of the map."""
        return tuple(skill.name for skill in self.all if skill.name in names)


@lru_cache(maxsize=8192)
def _own(skills: Skills, structure: Structure, name: str) -> tuple[str, ...]:
    return skills.of_quantity(structure.model, structure.graph[name])


@lru_cache(maxsize=1024)
def _asked(skills: Skills, spec: str) -> Mapping[str, tuple[str, ...]]:
    exercise = Exercise.model_validate_json(spec)
    if exercise.question in ("find_slip", "true_false"):
        covering = skills.covering(_QUESTION, exercise.question)
        return {cell.key: covering for cell in blank(exercise).cells}
    plan = Plan(exercise)
    keys = (key for name, mask in plan.asked.items() for key in plan.structure.keys[name][mask])
    return {key: skills.called_for(plan.structure, key, plan.written) for key in keys}


def _spellings(model: Model, quantity: Quantity) -> Iterator[str]:
    """How a map may spell a quantity, the most telling first."""
    stem = quantity.formula.stem
    if isinstance(model, Network):
        if quantity.after:
            yield f"{stem} after"
        if quantity.layer:
            yield f"{stem} {model.activations[quantity.layer - 1]}"
        yield f"{stem} {'output' if quantity.layer == model.depth else 'hidden'}"
    yield stem
    yield _REST


def _problems(skills: tuple[Skill, ...]) -> Iterator[str]:
    if not skills:
        yield "skill: there is none; a skill is a table [[skill]]"
    above: set[str] = set()
    for skill in skills:
        if skill.name in above:
            yield f"{skill.name}: stands twice; give each skill a name of its own"
        for name in skill.needs:
            if name not in above:
                yield f"{skill.name}: needs {name!r}, which does not stand above it; move it up or leave it out"
        for kind in skill.covers:
            if kind not in _KINDS:
                yield f"{skill.name}: covers {kind!r}, which is not one of {', '.join(_KINDS)}"
        above.add(skill.name)


def load_skills(path: Path | None = None) -> Skills:
    """The map in a folder of exercises, the shipped one where the folder has none.

    Raises:
        BankError: the file can't be used; every problem has its line.
    """
    own = None if path is None else path / SKILLS_FILE
    file = own if own is not None and own.exists() else folder("problem_bank") / SKILLS_FILE
    content = read_toml(file, BankError)
    problems = list(head_problems(content))
    fields = {key: value for key, value in content.items() if key not in ("format", "slug")}
    try:
        found = _File.model_validate(fields).skill
    except ValidationError as error:
        problems += described(error)
    else:
        problems += _problems(found)
    if problems:
        raise BankError("\n".join(f"{file.name}: {problem}" for problem in problems))
    return Skills(found)
