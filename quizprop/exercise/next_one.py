"""Which exercise comes next: what is due, what went wrong, or what everything is ready for."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from quizprop.exercise.evidence import Diagnosis
from quizprop.exercise.fading import Fading, Form, can_be_drawn, forms
from quizprop.exercise.knowledge import Knowledge
from quizprop.exercise.spec import Exercise
from quizprop.exercise.why import Reason, Why

__all__ = ["Choice", "Due", "NothingToOfferError", "Served", "choose_next", "fading_for"]

_ONE_STEP_BELOW: Final = 0.4
_PART_BELOW: Final = 0.8
_RUN: Final = 2
"""So many first tries in a row are right before a whole sheet is asked."""

_REVIEWS_APART: Final = 2
_SHEETS_APART: Final = 3
_REMEMBERED: Final = 3
"""How many of the latest exercises are not the next one, if it can be helped."""

_SIZES: Final = 4
"""Sheets whose sizes differ by less are taken for as long."""


class NothingToOfferError(ValueError):
    """No family of the bank can be drawn in any form."""


@dataclass(frozen=True, slots=True)
class Due:
    """A skill whose review is due, and the whole days since it was seen."""

    skill: str
    days: int


@dataclass(frozen=True, slots=True)
class Served:
    """An exercise that was practised; without a reason the learner opened it."""

    slug: str
    aim: str = ""
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What comes next: a family's slug, the form that it takes, the skill aimed at (if one is), and why."""

    slug: str
    form: Form
    aim: str
    why: Why


@dataclass(frozen=True, slots=True)
class _Aim:
    """A skill to aim at; for none, a whole sheet of what is known."""

    skill: str
    fading: Fading
    why: Why


def fading_for(knowledge: Knowledge, skill: str) -> Fading:
    """How much is filled in for a skill: the less it is known, the more."""
    belief = knowledge[skill]
    if belief.known < _ONE_STEP_BELOW:
        return Fading.STEP
    return Fading.FULL if belief.known >= _PART_BELOW and belief.run >= _RUN else Fading.PART


def choose_next(
    knowledge: Knowledge,
    families: Mapping[str, Exercise],
    *,
    rng: np.random.Generator,
    mistakes: Sequence[Diagnosis] = (),
    due: Sequence[Due] = (),
    served: Sequence[Served] = (),
    opened: Collection[str] = (),
    wanted: str = "",
) -> Choice:
    """The next exercise.

    Args:
        knowledge: what the learner is believed to know.
        families: the exercises to choose from, by slug.
        rng: settles what is as good as another.
        mistakes: those diagnosed lately, the last one last.
        due: the skills whose review is due, the most pressing first.
        served: what was practised lately, the last one last.
        opened: the skills of what the learner has opened, beside the core.
        wanted: the skill that the learner asked for, if one.

    Raises:
        UnknownSkillError: no such skill is on the map.
        NothingToOfferError: nothing can be drawn.
    """
    table = [
        _Offer(slug, exercise, form)
        for slug, exercise in families.items()
        for form in forms(exercise, knowledge.skills)
    ]
    asked_for = [_wanted(knowledge, wanted)] if wanted else []
    for aim in (*asked_for, *_aims(knowledge, mistakes, due, served, opened)):
        judge = _Judge(knowledge, aim, served)
        ranked = sorted((judge.rank(one), rng.random(), place) for place, one in enumerate(table) if judge.suits(one))
        for _, _, place in ranked:
            slug, exercise, form = table[place]
            if can_be_drawn(form.of(exercise)):
                return Choice(slug, form, aim.skill, replace(aim.why, fading=form.fading))
    raise NothingToOfferError("no exercise of the bank can be drawn; run quizprop bank check")


# --- what to aim at -------------------------------------------------------------------------------------------------


def _aims(
    knowledge: Knowledge,
    mistakes: Sequence[Diagnosis],
    due: Sequence[Due],
    served: Sequence[Served],
    opened: Collection[str],
) -> Iterator[_Aim]:
    if all(one.reason is not Reason.REVIEW for one in served[-_REVIEWS_APART:]):
        for one in due:
            # A review asks for the one thing that may be forgotten.
            yield _Aim(one.skill, Fading.STEP, Why(Reason.REVIEW, Fading.STEP, one.skill, count=one.days))
    for mistake in reversed(mistakes):
        if not knowledge.mastered(mistake.skill) and knowledge.ready(mistake.skill):
            yield _for_mistake(knowledge, mistake)
    core, others = knowledge.skills.core, [skill.name for skill in knowledge.skills if not skill.core]
    yield from _in_turn(knowledge, core, served)
    yield from _in_turn(knowledge, [name for name in others if name in opened], served)
    together = _Aim("", Fading.FULL, Why(Reason.TOGETHER, Fading.FULL))
    if all(one.reason is not Reason.TOGETHER for one in served[-_SHEETS_APART:]):
        yield together
    yield from _in_turn(knowledge, others, served)
    yield together


def _wanted(knowledge: Knowledge, skill: str) -> _Aim:
    fading = fading_for(knowledge, skill)
    return _Aim(skill, fading, Why(Reason.WANTED, fading, skill))


def _for_mistake(knowledge: Knowledge, mistake: Diagnosis) -> _Aim:
    fading = fading_for(knowledge, mistake.skill)
    why = Why(Reason.MISTAKE, fading, mistake.skill, mistake=mistake.title, count=mistake.times)
    return _Aim(mistake.skill, fading, why)


def _in_turn(knowledge: Knowledge, names: Collection[str], served: Sequence[Served]) -> Iterator[_Aim]:
    """Skills that are not mastered and that everything is ready for, in the order of the map."""
    for name in names:
        if not knowledge.mastered(name) and knowledge.ready(name):
            fading, needs = fading_for(knowledge, name), knowledge.skills[name].needs
            if served and served[-1].aim == name:
                why = Why(Reason.MORE, fading, name)
            elif needs:
                why = Why(Reason.NEXT, fading, name, after=needs[-1])
            else:
                why = Why(Reason.FIRST, fading, name)
            yield _Aim(name, fading, why)


# --- how to practise it ---------------------------------------------------------------------------------------------


class _Offer(NamedTuple):
    slug: str
    exercise: Exercise
    form: Form


@dataclass(frozen=True)
class _Judge:
    """Compares what can be offered for an aim."""

    knowledge: Knowledge
    aim: _Aim
    served: Sequence[Served]

    def suits(self, offer: _Offer) -> bool:
        """Whether a form practises the skill. Published numbers prove nothing the second time."""
        if offer.exercise.fixed and any(one.slug == offer.slug for one in self.served):
            return False
        if not self.aim.skill:
            return offer.form.fading is Fading.FULL
        return self.aim.skill == offer.form.aim if offer.form.aim else self.aim.skill in offer.form.skills

    def rank(self, offer: _Offer) -> tuple[int, ...]:
        """The less, the better: nothing out of reach or beside the point, the form that is wanted, short, not again.

        Who meets a skill for the first time meets it in its usual dress.
        """
        form = offer.form
        unready = sum(not self._within_reach(name) for name in self._new(form.skills))
        question, again = int(offer.exercise.question != "sheet"), self._again(offer.slug)
        if not self.aim.skill:
            missing = len(set(self.knowledge.skills.core).difference(form.skills))
            return unready, len(self._new(form.skills)), question, again, missing
        foreign = self._new(forms(offer.exercise, self.knowledge.skills)[0].skills)
        aside = sum(not self.knowledge.skills[name].core for name in foreign)
        lucky = int(form.size < _RUN)  # a single value may be right by luck
        # A whole sheet that begins with the aim has nothing before it to fill in.
        fading = Fading.PART if form.fading is Fading.FULL and self.aim.skill in form.first else form.fading
        wanted = _distance(self.aim.fading, fading)
        strange = 0 if self.knowledge[self.aim.skill].seen else offer.exercise.unusual
        return unready, aside, wanted, question, again, int(offer.exercise.fixed), lucky, form.size // _SIZES, strange

    def _new(self, names: Iterable[str]) -> list[str]:
        """Of some skills those that are not mastered, beside the one aimed at."""
        return [name for name in names if name != self.aim.skill and not self.knowledge.mastered(name)]

    def _within_reach(self, name: str) -> bool:
        needs = self.knowledge.skills[name].needs
        return all(need == self.aim.skill or self.knowledge.mastered(need) for need in needs)

    def _again(self, slug: str) -> int:
        """How lately it was served: the larger, the later."""
        lately = [one.slug for one in reversed(self.served[-_REMEMBERED:])]
        return _REMEMBERED - lately.index(slug) if slug in lately else 0


def _distance(wanted: Fading, offered: Fading) -> int:
    """More help is better than less, where the form that is wanted is not there."""
    order = [Fading.FULL, Fading.PART, Fading.STEP]
    steps = order.index(offered) - order.index(wanted)
    return steps if steps >= 0 else len(order) - steps
