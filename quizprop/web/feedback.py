"""What a checked cell tells its student: kept with the submission word for word, so that it never changes later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from quizprop.exercise.grade import Mark, Verdict
from quizprop.web.languages import gettext, marked, marked_plural, say

__all__ = ["WORDS", "Feedback", "Summary", "Word", "is_partial", "read", "summarise", "told", "write"]


@dataclass(frozen=True, slots=True)
class Word:
    """How a verdict is said: a sign, a word, and one or several cells of the kind counted."""

    sign: str
    word: str
    count: tuple[str, str]


WORDS: Final[Mapping[Verdict, Word]] = {
    Verdict.CORRECT: Word("✓", marked("Correct"), marked_plural("%(num)s correct", "%(num)s correct")),
    Verdict.FOLLOWS: Word(
        "↳",
        marked("Follows"),
        marked_plural("%(num)s following from an earlier value", "%(num)s following from an earlier value"),
    ),
    Verdict.MISTAKE: Word(
        "!", marked("A known slip"), marked_plural("%(num)s with a known slip", "%(num)s with a known slip")
    ),
    Verdict.WRONG: Word("✗", marked("Not right"), marked_plural("%(num)s not right", "%(num)s not right")),
    Verdict.UNREADABLE: Word(
        "?", marked("Not readable"), marked_plural("%(num)s not readable", "%(num)s not readable")
    ),
    Verdict.UNCHECKED: Word(
        "…", marked("Not checked yet"), marked_plural("%(num)s not checked yet", "%(num)s not checked yet")
    ),
    Verdict.BLANK: Word("○", marked("Blank"), marked_plural("%(num)s blank", "%(num)s blank")),
}

_FOLLOWS: Final = marked(
    "This follows from your earlier value: the step itself is right. Mend that value, then redo this one."
)
_WRONG: Final = marked(
    "This is none of the slips known here. Check the formula first, then the values that go into it."
)


@dataclass(frozen=True, slots=True)
class Feedback:
    """What is said to one cell."""

    verdict: Verdict
    echo: str = ""
    problem: str = ""
    sentences: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the cell earned its point."""
        return self.verdict.accepted

    @property
    def silent(self) -> bool:
        """Whether there is nothing to say: nothing was filled in, or it is not checked yet."""
        return self.verdict in (Verdict.BLANK, Verdict.UNCHECKED)

    @property
    def word(self) -> Word:
        """The verdict's sign and word."""
        return WORDS[self.verdict]

    @property
    def said(self) -> tuple[str, ...]:
        """All sentences for the student: the reader's, the tutor's, or what the verdict alone says."""
        if self.problem:
            return (self.problem,)
        general = {Verdict.FOLLOWS: (gettext(_FOLLOWS),), Verdict.WRONG: (gettext(_WRONG),)}
        return self.sentences or general.get(self.verdict, ())


def write(mark: Mark) -> dict[str, Any]:
    """What is stored of a mark: the verdict and the codes, and what the student was told, in their language."""
    sentences = [say(sentence) for sentence in mark.sentences]
    told = {"echo": say(mark.reading.echo), "problem": say(mark.reading.problem), "sentences": sentences}
    return {**mark.as_json(), **{name: value for name, value in told.items() if value}}


def read(stored: Mapping[str, Any]) -> Feedback:
    """What `write` stored."""
    return Feedback(
        Verdict(stored["verdict"]),
        stored.get("echo", ""),
        stored.get("problem", ""),
        tuple(stored.get("sentences", ())),
    )


def is_partial(marks: Mapping[str, Any]) -> bool:
    """Whether some cell was left unchecked."""
    return any(mark["verdict"] == Verdict.UNCHECKED for mark in marks.values())


def told(marks: Mapping[str, Any]) -> dict[str, Feedback]:
    """What the marks of a submission said, by cell."""
    return {key: read(mark) for key, mark in marks.items()}


@dataclass(frozen=True, slots=True)
class Summary:
    """What stands above a checked sheet.

    ``counts`` lists the verdicts that occur; ``first_error`` is the key of the first cell to mend and ``clean_before``
    whether there are cells before it, all of them correct; ``first_blank`` the first cell to go on with, blank or
    unchecked.
    """

    accepted: int
    out_of: int
    points: float
    counts: tuple[tuple[Verdict, int], ...]
    first_error: str | None
    clean_before: bool
    first_blank: str | None

    @property
    def complete(self) -> bool:
        """Whether every cell is accepted."""
        return self.accepted == self.out_of


def summarise(said: Mapping[str, Feedback], points: float) -> Summary:
    """The summary of a checked sheet, its cells in working order."""
    verdicts = {key: feedback.verdict for key, feedback in said.items()}
    tally = {verdict: list(verdicts.values()).count(verdict) for verdict in WORDS}
    first = next((key for key, verdict in verdicts.items() if verdict.to_mend), None)
    keys = list(verdicts)
    before = keys[: keys.index(first)] if first is not None else keys
    return Summary(
        accepted=sum(verdict.accepted for verdict in verdicts.values()),
        out_of=len(verdicts),
        points=points,
        counts=tuple((verdict, count) for verdict, count in tally.items() if count),
        first_error=first,
        clean_before=bool(before) and all(verdicts[key] is Verdict.CORRECT for key in before),
        first_blank=next((key for key in keys if said[key].silent), None),
    )
