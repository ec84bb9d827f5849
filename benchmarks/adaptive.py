"""How many exercises it takes until every skill is mastered: chosen for the learner, as a ratio to drawn at random.

Both learners are traced by the same beliefs, and practise until these say that every skill of the map is mastered. At
random means a whole sheet of any family of the bank.

What the simulation assumes:

- A student has a skill or has not. At first, one is there with about the map's chance, and never without what it needs.
- After a sheet is graded, each skill that it called for and that is missing is learned with a chance of the student's
  own, once a sheet, however many cells there were. Where something that it needs is missing too, the chance is a
  quarter. A sheet that is half filled in teaches neither better nor worse.
- Without the skill a step is done by one of the library's wrong formulas, and the work goes on with what it gives. Once
  in a while the right one is hit upon.
- With the skill, single values are slips: a digit is off, and the work goes on with it.
- Every student has chances of learning, slipping and guessing of their own, spread around the map's, which the tracing
  does not know. Nobody forgets, asks for help or leaves a cell blank, and nobody gives up.

Families that are questions or have published numbers are left out. Numbers are real draws, marks come from the real
grading.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from itertools import islice
from operator import attrgetter

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Quantity
from quizprop.engine.structure import Structure
from quizprop.exercise.bank import load_bank
from quizprop.exercise.evidence import Diagnosis, diagnosis, evidence_of
from quizprop.exercise.fading import Fading, Form, forms
from quizprop.exercise.generate import draw_many
from quizprop.exercise.grade import grade
from quizprop.exercise.instance import Instance
from quizprop.exercise.knowledge import Knowledge, observe
from quizprop.exercise.next_one import Served, choose_next
from quizprop.exercise.simulated import filled_in
from quizprop.exercise.skills import Skills, load_skills
from quizprop.exercise.spec import Exercise

STUDENTS = 60  # enough for a median, and for minutes rather than an hour
SEED = 2015
MOST = 1500
"""A student who has not mastered all by then is counted with so many exercises."""

DRAWN = 8
"""Instances of each form, shared by all students."""

OUT_OF_REACH = 0.25
SPREAD = 0.5


@dataclass
class Student:
    """What is true of a student: the skills that are there, and chances by skill."""

    known: set[str]
    learn: Mapping[str, float]
    slip: Mapping[str, float]
    guess: Mapping[str, float]


def student(skills: Skills, rng: np.random.Generator) -> Student:
    def around(chance: float, most: float) -> float:
        return float(min(most, chance * np.exp(rng.normal(0, SPREAD))))

    known: set[str] = set()
    for skill in skills:
        if rng.random() < around(skill.known, 0.9) and known.issuperset(skill.needs):
            known.add(skill.name)
    return Student(
        known,
        {skill.name: around(skill.learn, 0.6) for skill in skills},
        {skill.name: around(skill.slip, 0.3) for skill in skills},
        {skill.name: around(skill.guess, 0.3) for skill in skills},
    )


# --- filling in a sheet ---------------------------------------------------------------------------------------------


@cache
def mistaken(structure: Structure, name: str) -> tuple[Quantity, ...]:
    """The wrong formulas for a quantity that read nothing further down the sheet."""
    order = [quantity.name for quantity in structure.graph]
    known = {*structure.model.givens(), *order[: order.index(name)]}
    made = (form for mistake in structure.mistakes if mistake.name == name for form in mistake.wrong)
    return tuple(form for form in made if known.issuperset(form.inputs))


def filled(instance: Instance, skills: Skills, who: Student, rng: np.random.Generator) -> dict[str, str]:
    """What the student writes."""
    structure = instance.structure

    def got(quantity: Quantity, values: Mapping[str, Array]) -> Array:
        return worked(structure, quantity, skills.own(structure, quantity.name), values, who, rng)

    def carried(quantity: Quantity, value: Array) -> Array:
        slip = max(who.slip[one] for one in skills.own(structure, quantity.name))
        return written(instance, quantity.name, value, slip, rng)

    return filled_in(instance, worked=got, written=carried)


def worked(  # noqa: PLR0917
    structure: Structure,
    quantity: Quantity,
    own: tuple[str, ...],
    values: Mapping[str, Array],
    who: Student,
    rng: np.random.Generator,
) -> Array:
    missing = [name for name in own if name not in who.known]
    if not missing or rng.random() < min(who.guess[name] for name in missing):
        return quantity.of(values)
    wrong = [form for form in mistaken(structure, quantity.name) if set(form.inputs) <= values.keys()]
    if not wrong:
        return quantity.of(values) * 1.5 + 1
    return wrong[rng.integers(len(wrong))].of(values)


def written(instance: Instance, name: str, value: Array, slip: float, rng: np.random.Generator) -> Array:
    """The values as they are carried on, some of them with a digit off."""
    places, whole = instance.exercise.places, instance.structure.graph[name].formula.whole
    off = rng.random(value.shape) < slip
    digit = rng.integers(1, 9, value.shape) * 10.0 ** -rng.integers(
        0 if whole else 1, 1 if whole else places, value.shape
    )
    rounded = np.round(value, places) + np.where(off, digit, 0.0)
    return np.where(instance.plan.asked[name], rounded, value)


# --- practising -----------------------------------------------------------------------------------------------------


@dataclass
class Pool:
    """The forms of all families, with some instances of each, drawn when they are first wanted."""

    skills: Skills
    families: Mapping[str, Exercise]
    drawn: dict[tuple[str, Form], list[Instance]] = field(default_factory=dict)

    @cached_property
    def taught(self) -> tuple[str, ...]:
        """All skills but those that only questions call for."""
        found = {name for one in self.families.values() for name in self.skills.of_exercise(one)}
        return self.skills.in_order(found)

    def instance(self, slug: str, form: Form, rng: np.random.Generator) -> Instance:
        key = slug, form
        if key not in self.drawn:
            self.drawn[key] = list(islice(draw_many(form.of(self.families[slug]), np.random.default_rng(1)), DRAWN))
        return self.drawn[key][rng.integers(DRAWN)]


@dataclass(frozen=True)
class Course:
    """How a student went through: exercises and values until all counted as mastered, and the share that was known.

    ``all_known`` is the exercises after which every skill was there and counted as mastered at the same time.
    """

    exercises: int
    values: int
    known: float
    all_known: int


@dataclass
class Desk:
    """What the chooser knows of a student."""

    knowledge: Knowledge
    served: list[Served] = field(default_factory=list)
    mistakes: list[Diagnosis] = field(default_factory=list)


Chooser = Callable[[Pool, Desk, np.random.Generator], tuple[str, Form, Served]]


def adaptive(pool: Pool, desk: Desk, rng: np.random.Generator) -> tuple[str, Form, Served]:
    choice = choose_next(desk.knowledge, pool.families, rng=rng, mistakes=desk.mistakes[-3:], served=desk.served[-5:])
    return choice.slug, choice.form, Served(choice.slug, choice.aim, choice.why.reason)


def at_random(pool: Pool, _desk: Desk, rng: np.random.Generator) -> tuple[str, Form, Served]:
    slug = list(pool.families)[rng.integers(len(pool.families))]
    whole = next(form for form in forms(pool.families[slug], pool.skills) if form.fading is Fading.FULL)
    return slug, whole, Served(slug)


WAYS: Mapping[str, Chooser] = {"chosen for the learner": adaptive, "at random": at_random}


def practise(pool: Pool, choose: Chooser, who: Student, rng: np.random.Generator) -> Course:
    """Exercise after exercise until all is mastered, as the tracing says and in truth."""
    desk, values, names = Desk(Knowledge(pool.skills)), 0, pool.taught
    at_first: tuple[int, int, float] | None = None
    for count in range(MOST):
        if desk.knowledge.mastered(*names):
            at_first = at_first or (count, values, len(who.known.intersection(names)) / len(names))
            if who.known.issuperset(names):
                return Course(*at_first, all_known=count)
        slug, form, served = choose(pool, desk, rng)
        instance = pool.instance(slug, form, rng)
        graded = grade(instance, filled(instance, pool.skills, who, rng))
        desk.knowledge = observe(desk.knowledge, evidence_of(pool.skills, instance, graded))
        desk.served.append(served)
        desk.mistakes += (
            first_mistake(pool.skills, instance, graded.marks[graded.first_error].codes) if graded.first_error else ()
        )
        learn(pool.skills, form.skills, who, rng)
        values += form.size
    known = len(who.known.intersection(names)) / len(names)
    return Course(*(at_first or (MOST, values, known)), all_known=MOST)


def first_mistake(skills: Skills, instance: Instance, codes: tuple[str, ...]) -> Iterator[Diagnosis]:
    """The mistake at the first wrong value, if it has a name."""
    for code in codes[:1]:
        found = diagnosis(skills, instance.structure, code)
        if found is not None:
            yield found


def learn(skills: Skills, practised: tuple[str, ...], who: Student, rng: np.random.Generator) -> None:
    before = set(who.known)
    for name in practised:
        chance = who.learn[name] * (1.0 if before.issuperset(skills[name].needs) else OUT_OF_REACH)
        if name not in before and rng.random() < chance:
            who.known.add(name)


# --- the comparison -------------------------------------------------------------------------------------------------


def course(way: str, number: int) -> Course:
    """One student's way; the same students for every way of choosing."""
    pool = everything()
    who = student(pool.skills, np.random.default_rng([SEED, number]))
    return practise(pool, WAYS[way], who, np.random.default_rng([SEED, number, 1]))


@cache
def everything() -> Pool:
    """All sheets of the bank that have numbers of their own each time."""
    return Pool(
        load_skills(), {slug: one for slug, one in load_bank().items() if one.question == "sheet" and not one.fixed}
    )


def tell(name: str, found: list[Course]) -> None:
    low, middle, high = np.percentile([one.exercises for one in found], [25, 50, 75])
    values, known = np.median([one.values for one in found]), np.mean([one.known for one in found])
    truly = np.median([one.all_known for one in found])
    print(
        f"{name:<22}  {middle:>4.0f} exercises ({low:.0f} to {high:.0f}), {values:.0f} values until all skills count as"
        f" mastered, {known:.0%} are there; {truly:.0f} exercises until all are",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--students", type=int, default=STUDENTS)
    students = parser.parse_args().students
    found = {}
    with ProcessPoolExecutor() as workers:
        for way in WAYS:
            found[way] = list(workers.map(partial(course, way), range(students), chunksize=5))
            tell(way, found[way])
    for words, figure in (
        ("until all count as mastered", attrgetter("exercises")),
        ("until all are there as well", attrgetter("all_known")),
    ):
        chosen, random = (float(np.median([figure(one) for one in courses])) for courses in found.values())
        print(f"ratio of the medians, {words}: {chosen / random:.2f}")


if __name__ == "__main__":
    main()
