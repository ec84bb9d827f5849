"""Questions as a page shows them: their words in a notation, a choice each option, what was said to the one taken."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from quizprop.exercise.cells import Cell
from quizprop.exercise.find_slip import CELL
from quizprop.exercise.grade import grade
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import Symbol
from quizprop.exercise.question import Option, Question, chosen, in_text, spoken
from quizprop.web import feedback
from quizprop.web.feedback import Feedback
from quizprop.web.languages import say
from quizprop.web.rendering import figure
from quizprop.web.sheet import Work, entry_id, row_title, sources

__all__ = ["Ask", "Choice", "ChoiceGroup", "asks", "worked"]

Words = tuple[str | Symbol, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """An option: the number to send, its words; ``key`` and ``depends_on`` of the cell that it stands for, if any."""

    number: int
    words: Words
    taken: bool
    right: bool
    key: str = ""
    depends_on: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceGroup:
    """Options side by side, below a title where they are many; ``phase`` is the heading where a phase begins."""

    phase: str
    title: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """A question on the page. ``reason`` is why the answer is right, shown once it is known."""

    key: str
    id: str
    name: Symbol
    words: Words
    groups: tuple[ChoiceGroup, ...]
    feedback: Feedback | None
    reason: Words

    @property
    def choices(self) -> tuple[Choice, ...]:
        """All options."""
        return tuple(choice for group in self.groups for choice in group.choices)

    @property
    def taken(self) -> Choice | None:
        """The option taken."""
        return next((choice for choice in self.choices if choice.taken), None)

    @property
    def right(self) -> Choice:
        """The right option: for a page whose work is done."""
        return next(choice for choice in self.choices if choice.right)


def asks(instance: Instance, notation: str, work: Work, *, ended: bool) -> tuple[Ask, ...]:
    """The questions of an instance; ``ended`` says that all is told."""
    titles = {cell.key: cell.title for cell in instance.cells}

    def ask(question: Question) -> Ask:
        said = work.feedback.get(question.key)
        # Of two options, one that is wrong leaves the other.
        known = ended or (said is not None and (said.accepted or (len(question.options) == 2 and said.verdict.to_mend)))
        return Ask(
            key=question.key,
            id=entry_id(question.key),
            name=_name(question, titles[question.key], instance, notation),
            words=spoken(say(question.words), instance.model, notation),
            groups=tuple(_groups(question, instance, notation, work)),
            feedback=said,
            reason=spoken(say(question.reason), instance.model, notation) if known else (),
        )

    return tuple(map(ask, instance.questions))


def _name(question: Question, title: str, instance: Instance, notation: str) -> Symbol:
    if instance.exercise.question == "choose":
        (name,) = spoken(f"{{{question.key}}}", instance.model, notation)
        return name if isinstance(name, Symbol) else Symbol(name, name)
    return Symbol(say(title), rf"\text{{{say(title)}}}")


def _option(option: Option, instance: Instance, notation: str) -> Words:
    """An option's words: a symbol with its value, a value alone, or text."""
    pieces = spoken(say(option.words), instance.model, notation)
    return tuple(figure(piece) if isinstance(piece, str) else piece for piece in pieces)


def _groups(question: Question, instance: Instance, notation: str, work: Work) -> Iterator[ChoiceGroup]:
    taken = _taken(question, instance, work)
    choices = [
        Choice(number, _option(option, instance, notation), option is taken, number == question.right)
        for number, option in enumerate(question.options, start=1)
    ]
    if question.key != CELL:
        yield ChoiceGroup("", "", tuple(choices))
        return
    sheet = instance.as_sheet
    pairs = list(zip(sheet.cells, choices, strict=True))
    for phase, of_phase in groupby(pairs, key=lambda pair: pair[0].phase):
        heading = say(phase.heading)
        for _, row in groupby(of_phase, key=lambda pair: pair[0].quantity):
            cells = list(row)
            yield ChoiceGroup(
                heading, row_title(sheet, cells[0][0]), tuple(_of_cell(sheet, cell, choice) for cell, choice in cells)
            )
            heading = ""


def _of_cell(sheet: Instance, cell: Cell, choice: Choice) -> Choice:
    return replace(choice, key=cell.key, depends_on=" ".join(sources(sheet, cell)))


def worked(instance: Instance, work: Work) -> tuple[Work, str | None]:
    """What stands beside the worked solution, and where it begins: the sheet with the slip, or the values chosen."""
    if instance.slip is not None:
        slip, sheet = instance.slip, instance.as_sheet
        question = next(one for one in instance.questions if one.key == CELL)
        texts = {
            cell.key: option.words.rpartition(" = ")[2]
            for cell, option in zip(sheet.cells, question.options, strict=True)
        }
        said = feedback.told({key: feedback.write(mark) for key, mark in grade(sheet, texts).marks.items()})
        return Work(texts, feedback=said), slip.key
    if instance.exercise.question != "choose":
        return Work(), None
    taken = {
        one.key: in_text(choice.words, instance.model, instance.exercise.notation)
        for one in instance.questions
        if (choice := _taken(one, instance, work)) is not None
    }
    return Work(taken, feedback={key: said for key, said in work.feedback.items() if key in taken}), None


def _taken(question: Question, instance: Instance, work: Work) -> Option | None:
    read = chosen(question, work.texts.get(question.key, ""), instance.model, instance.exercise.notation)
    return None if read.value is None else question.option(int(read.value))
