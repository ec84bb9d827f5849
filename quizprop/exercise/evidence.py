"""What a graded sheet says about skills: for each cell answered for the first time, one piece of evidence."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from quizprop.engine.mistakes import Mistake
from quizprop.engine.structure import Structure
from quizprop.exercise.grade import HIDDEN_BY_EARLIER, Grade, Mark, Verdict
from quizprop.exercise.instance import Instance
from quizprop.exercise.knowledge import Evidence, Outcome
from quizprop.exercise.skills import Skills

__all__ = ["Diagnosis", "SlipMade", "diagnosis", "evidence_of", "general_code", "slips_avoided", "slips_made"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A mistake that was found, the skill that it belongs to, and how many times it was found lately."""

    skill: str
    title: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class SlipMade:
    """A mistake that was made. Its ``code`` is the same in whatever layer, and on whatever sheet."""

    code: str
    title: str
    skill: str


def diagnosis(skills: Skills, structure: Structure, code: str, *, times: int = 1) -> Diagnosis | None:
    """A mistake by its code; None where the model has no such mistake (any more)."""
    mistake = next((one for one in structure.mistakes if one.code == code), None)
    named = () if mistake is None else skills.own(structure, mistake.name)
    return Diagnosis(named[0], mistake.misconception.title, times) if mistake and named else None


def evidence_of(
    skills: Skills,
    instance: Instance,
    grade: Grade,
    *,
    helped: Collection[str] = (),
    before: Collection[str] = (),
) -> tuple[Evidence, ...]:
    """The evidence in a grade, in the order of the sheet.

    Args:
        skills: the map.
        instance: the exercise with its numbers.
        grade: what was found.
        helped: the keys of cells of which more than the idea was shown before they were answered.
        before: the keys of cells that were answered before: a second answer proves nothing.
    """
    called_for = skills.of_cells(instance.exercise)
    options = _options(instance)
    return tuple(
        Evidence(mark.key, blamed, _outcome(mark, mark.key in helped), options.get(mark.key, 0), mark.codes)
        for mark in grade.marks.values()
        if mark.key not in before and _tells(mark) and (blamed := _blamed(skills, instance, mark, called_for[mark.key]))
    )


def slips_made(skills: Skills, instance: Instance, evidence: Iterable[Evidence]) -> tuple[SlipMade, ...]:
    """The known mistakes that the answers give away, each once: of a cell that several explain, the likeliest."""
    likeliest = [one.codes[0] for one in evidence if one.outcome is Outcome.WRONG and one.codes]
    found = {}
    for mistake in instance.structure.mistakes:
        own = skills.own(instance.structure, mistake.name)
        if mistake.code in likeliest and own:
            code = general_code(mistake)
            found[code] = SlipMade(code, mistake.misconception.title, own[0])
    return tuple(found.values())


def slips_avoided(instance: Instance, evidence: Iterable[Evidence]) -> frozenset[str]:
    """The codes of the known mistakes that could have been made where the answer was right, and were made nowhere."""
    quantities = {cell.key: cell.quantity for cell in instance.cells}
    outcomes: dict[str, set[Outcome]] = {}
    for one in evidence:
        outcomes.setdefault(quantities[one.key], set()).add(one.outcome)
    right = {name for name, all_of_it in outcomes.items() if all_of_it == {Outcome.RIGHT}}
    wrong = {name for name, all_of_it in outcomes.items() if Outcome.WRONG in all_of_it}
    room = {general_code(one) for one in instance.structure.mistakes if one.name in right}
    return frozenset(room.difference(general_code(one) for one in instance.structure.mistakes if one.name in wrong))


def general_code(mistake: Mistake) -> str:
    """The name of a mistake in whatever layer, and on whatever sheet."""
    return f"{mistake.misconception.stem}:{mistake.misconception.kind}"


def _tells(mark: Mark) -> bool:
    """Whether there is an answer that can be judged."""
    return mark.reading.value is not None and HIDDEN_BY_EARLIER not in mark.sentences


def _outcome(mark: Mark, helped: bool) -> Outcome:  # noqa: FBT001
    if helped:
        return Outcome.HELPED
    return Outcome.RIGHT if mark.verdict.accepted else Outcome.WRONG


def _options(instance: Instance) -> dict[str, int]:
    if instance.questions:
        return {question.key: len(question.options) for question in instance.questions}
    return {cell.key: len(cell.options) for cell in instance.cells}


def _blamed(skills: Skills, instance: Instance, mark: Mark, called_for: tuple[str, ...]) -> tuple[str, ...]:
    """The skills that the answer bears on: where the mistake is known, those of the step at which it was made."""
    if mark.verdict is not Verdict.MISTAKE:
        return called_for
    found = set(_skills_of(skills, instance.structure, mark.codes)).intersection(called_for)
    return skills.in_order(found) or called_for


def _skills_of(skills: Skills, structure: Structure, codes: Collection[str]) -> Iterator[str]:
    for mistake in structure.mistakes:
        if mistake.code in codes:
            yield from skills.own(structure, mistake.name)
