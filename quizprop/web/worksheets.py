"""Worksheets: an exercise's variants on paper, with room to work, and their key with the full solution.

Each sheet has a code, such as ``mazur-like.7.12`` for the twelfth variant of seed 7; by it the key is found, and the
site opens the same variant. PDF is set by Typst, HTML prints as it is.
"""

import re
import time
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from itertools import islice
from math import inf
from threading import Lock
from typing import Any, Final, Literal

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from quizprop.exercise.certify import Block, Plan, plan_of
from quizprop.exercise.conventions import conventions
from quizprop.exercise.generate import (
    CannotCertifyError,
    block_at,
    certified_blocks,
    draw,
    instances_of,
)
from quizprop.exercise.instance import Instance
from quizprop.exercise.question import spoken
from quizprop.exercise.solution import Solution
from quizprop.exercise.spec import Exercise
from quizprop.web import languages, sheet, typeset
from quizprop.web.languages import gettext, ngettext, say
from quizprop.web.rendering import figure, markdown, math

__all__ = [
    "PAPERS",
    "Code",
    "NotFoundYetError",
    "Paper",
    "Printed",
    "as_html",
    "as_pdf",
    "in_time",
    "instance_at",
    "printed",
    "read_code",
    "to_seek",
]

Paper = Literal["a4", "us-letter"]
PAPERS: Final[Mapping[str, Paper]] = {"a4": "a4", "letter": "us-letter"}

_CODE: Final = re.compile(
    r"(?P<slug>[a-z0-9]+(?:-[a-z0-9]+)*)\.(?P<seed>[0-9]{1,19})\.(?P<number>[0-9]{1,5})", re.ASCII
)
_RUN: Final = re.compile(r"\*(?P<emph>[^\s*](?:[^*]*[^\s*])?)\*|`(?P<code>[^`]+)`")
_MOST: Final = 10_000
_ROOM: Final = 26
"""Millimetres to work in after each part."""
_SEARCH: Final = 5.0
"""Seconds of the processor for one search of a number: a thousandth question is found within them."""
_TURN: Final = 2.0
"""Seconds to wait for another search to end."""
_AT_A_TIME: Final = (8, 64)
"""Candidates of the first block and of the largest, in which questions are made; of sheets sixteen times as many."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a worksheet's code says: the exercise, the seed, and which of its variants, from 1."""

    slug: str
    seed: int
    number: int

    def __str__(self) -> str:
        return f"{self.slug}.{self.seed}.{self.number}"


@dataclass(frozen=True, slots=True)
class Printed:
    """A sheet to print: its numbers, its code, whose it is where that is known, and where it is on the web."""

    instance: Instance
    code: str
    who: str | None = None
    address: str | None = None


def read_code(text: str) -> Code | None:
    """The code that somebody copied from a sheet; None where it is none."""
    found = _CODE.fullmatch(text.strip().lower())
    if found is None or not 1 <= int(found["number"]) <= _MOST or int(found["seed"]) >= 1 << 63:
        return None
    return Code(found["slug"], int(found["seed"]), int(found["number"]))


class NotFoundYetError(RuntimeError):
    """The numbers of a code take longer to find than one search may: the next one goes on where it ended."""


@dataclass(slots=True, eq=False)
class _Numbering:
    """Where among the candidates of a seed the certified ones stand, that is the printed ones, so far as was sought.

    Every candidate takes the same number of random numbers: one that is known is drawn without those before it.
    """

    plan: Plan
    seed: int
    places: "array[int]" = field(default_factory=lambda: array("Q"))
    tried: int = 0

    def seek(self, number: int, seconds: float) -> None:
        """Go on until this number is found.

        Raises:
            NotFoundYetError: the time is over.
        """
        until, (size, most) = time.thread_time() + seconds, _AT_A_TIME
        if self.plan.exercise.question == "sheet":
            size, most = 16 * size, 16 * most
        while len(self.places) < number:
            found = block_at(self.plan, self.seed, first=self.tried, count=size).passed
            self.places.extend((self.tried + found).tolist())
            self.tried, size = self.tried + size, min(2 * size, most)
            if len(self.places) < number and time.thread_time() > until:
                raise NotFoundYetError(f"Of {number} variants {len(self.places)} are found")

    def instance(self, number: int) -> Instance:
        """One of those that are found."""
        block = block_at(self.plan, self.seed, first=self.places[number - 1], count=1)
        return next(instances_of(self.plan.exercise, block))


@lru_cache(maxsize=64)  # of 10,000 numbers one has 80 kB
def _numbering(plan: Plan, seed: int) -> _Numbering:
    return _Numbering(plan, seed)


_searching: Final = Lock()


def to_seek(exercise: Exercise, code: Code) -> int:
    """How many variants are still to be found before that of a code is."""
    found = code.number if exercise.fixed else len(_numbering(plan_of(exercise), code.seed).places)
    return max(0, code.number - found)


def instance_at(exercise: Exercise, code: Code) -> Instance:
    """The variant of a code. One is sought at a time: a search takes long, and others would have to wait for many.

    Raises:
        NotFoundYetError: it takes longer, or another one does.
    """
    if exercise.fixed:
        return draw(exercise, np.random.default_rng(code.seed))
    numbering = _numbering(plan_of(exercise), code.seed)
    if len(numbering.places) < code.number:
        if not _searching.acquire(timeout=_TURN):
            raise NotFoundYetError("Another variant is sought")
        try:
            numbering.seek(code.number, _SEARCH)
        finally:
            _searching.release()
    return numbering.instance(code.number)


def in_time(blocks: Iterable[Block], seconds: float) -> Iterator[Block]:
    """The blocks that are worked out within so many seconds of the processor, and the one that takes longer."""
    until = time.thread_time() + seconds
    for block in blocks:
        yield block
        if time.thread_time() > until:
            return


def printed(
    exercise: Exercise, *, seed: int, count: int, site: str | None = None, seconds: float = inf
) -> Iterator[Printed]:
    """The first variants of a seed, as worksheets; with the address of a ``site`` they have one each.

    Raises:
        CannotCertifyError: the rules reject everything, or so much that ``seconds`` are not enough.
    """
    blocks = in_time(certified_blocks(plan_of(exercise), np.random.default_rng(seed)), seconds)
    drawn = (instance for block in blocks for instance in instances_of(exercise, block))
    number = 0
    for number, instance in enumerate(islice(drawn, count), start=1):
        code = str(Code(exercise.slug, seed, number))
        yield Printed(instance, code, address=f"{site.rstrip('/')}/w/{code}" if site else None)
    if number < count:
        raise CannotCertifyError(
            ngettext(
                "Only %(num)s variant was found in the time that there is: choose fewer.",
                "Only %(num)s variants were found in the time that there is: choose fewer.",
                number,
            )
        )


def as_pdf(
    sheets: Iterable[Printed], *, title: str, notation: str | None = None, paper: Paper = "a4", key: bool = False
) -> bytes:
    """The sheets as PDF, or their ``key``.

    Raises:
        NoTypstError: Typst is not installed.
    """
    return typeset.pdf("worksheet.typ", _document(sheets, title, notation, paper, key=key))


def as_html(sheets: Iterable[Printed], *, title: str, notation: str | None = None, key: bool = False) -> str:
    """The sheets as a page that prints well and needs nothing else, or their ``key``."""
    shown = [_sheet(one, _notation(one.instance, notation), key=key, write=str) for one in sheets]
    page = _pages().get_template("worksheet/alone.html")
    style = (files("quizprop.web") / "paper" / "worksheet.css").read_text(encoding="utf-8")
    return page.render(title=title, sheets=shown, key=key, style=style)


def _document(
    sheets: Iterable[Printed], title: str, notation: str | None, paper: Paper, *, key: bool
) -> dict[str, Any]:
    write = typeset.typst_math
    return {
        "title": title,
        "paper": paper,
        "language": languages.language(),
        "key": key,
        "narrow": False,
        "words": {"name": gettext("Name"), "date": gettext("Date")},
        "sheets": [_sheet(one, _notation(one.instance, notation), key=key, write=write) for one in sheets],
    }


def _notation(instance: Instance, wanted: str | None) -> str:
    chosen = wanted or instance.exercise.notation
    return "course" if instance.network is None and chosen != "plain" else chosen


def _sheet(one: Printed, notation: str, *, key: bool, write: Any) -> dict[str, Any]:  # noqa: ANN401 - LaTeX to markup
    instance = one.instance
    exercise = instance.exercise
    about: dict[str, Any] = {
        "title": say(exercise.title),
        "sentence": [_runs(paragraph) for paragraph in say(exercise.sentence).split("\n\n")],
        "sentence_text": say(exercise.sentence),
        "who": one.who,
        "code": one.code,
        "address": one.address,
        "qr": typeset.qr_code(one.address or one.code),
        "rules": [
            {"name": say(rule.name), "words": say(rule.words), "math": write(rule.latex) if rule.latex else None}
            for rule in conventions(instance, notation)
        ],
        "givens": [_given(row, write) for row in sheet.givens(instance.as_sheet, notation)],
        "wide": instance.network is None,
        "questions": [],
        "right": [],
        "phases": [],
        "solution": [],
        "diagram": "",
    }
    if key:
        about["solution"] = list(_solution(instance, notation, write))
        about["right"] = [_pieces(one.option(one.right).words, instance, notation, write) for one in instance.questions]
    else:
        about["diagram"] = str(sheet.diagram(instance.as_sheet, notation, {}))
        about["questions"] = list(_questions(instance, notation, write))
        about["phases"] = [] if about["questions"] else list(_phases(instance, notation, write))
    return about


def _given(row: sheet.GivenRow, write: Any) -> dict[str, Any]:  # noqa: ANN401
    values = [{"math": write(name.latex), "value": figure(value)} for _, name, value in row.values]
    return {"title": say(row.title), "unit": write(row.unit.latex) if row.unit else None, "values": values}


def _phases(instance: Instance, notation: str, write: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    for section in sheet.sections(instance, notation, sheet.Work()):
        rows = [
            {
                "title": say(row.title),
                "math": write(row.formula.latex) if row.formula else None,
                "blanks": [write(entry.symbol.latex) for entry in row.entries],
            }
            for row in section.rows
        ]
        yield {"heading": say(section.phase.heading), "rows": rows, "space": _ROOM}


def _questions(instance: Instance, notation: str, write: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    for one in instance.questions:
        yield {
            "words": _pieces(one.words, instance, notation, write),
            "options": [_pieces(option.words, instance, notation, write) for option in one.options],
        }


def _pieces(words: str, instance: Instance, notation: str, write: Any) -> list[dict[str, str]]:  # noqa: ANN401
    """A phrase as pieces of text and of mathematics."""
    return [
        {"kind": "text", "text": piece} if isinstance(piece, str) else {"kind": "math", "text": write(piece.latex)}
        for piece in spoken(say(words), instance.model, notation)
    ]


def _solution(instance: Instance, notation: str, write: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    whole = instance.as_sheet
    worked = Solution(whole, notation, whole.exercise.places)
    lines: dict[Any, list[list[str]]] = {}
    for cell in whole.steps:
        lines.setdefault(cell.phase, []).append([write(part) for part in worked.line(cell).parts])
    for phase, of_phase in lines.items():
        yield {"heading": say(phase.heading), "lines": of_phase}


def _runs(text: str) -> list[dict[str, str]]:
    """A paragraph as pieces of plain text, emphasis and code."""
    found, place = [], 0
    for match in _RUN.finditer(text):
        found.append({"kind": "text", "text": text[place : match.start()]})
        kind = "emph" if match["emph"] else "code"
        found.append({"kind": kind, "text": match[kind]})
        place = match.end()
    return [one for one in [*found, {"kind": "text", "text": text[place:]}] if one["text"]]


@lru_cache(maxsize=1)
def _pages() -> Environment:
    pages = Environment(
        loader=PackageLoader("quizprop.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    languages.install(pages)
    pages.filters.update(math=math, markdown=markdown)
    return pages
