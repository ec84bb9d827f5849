"""A sheet as a page shows it: its cells in sections and rows, the numbers given, the worked solution."""

import re
import secrets
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from gettext import NullTranslations
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
from flask import current_app
from markupsafe import Markup, escape

from quizprop.engine.model import Lesson
from quizprop.engine.network import Network
from quizprop.engine.words import speaking
from quizprop.exercise.cells import Cell, Phase
from quizprop.exercise.diagram import NetworkPicture, graph_svg, network_picture
from quizprop.exercise.figures import exact
from quizprop.exercise.grade import Verdict
from quizprop.exercise.hint import RUNGS, Hint, hints, row_formula
from quizprop.exercise.instance import Instance
from quizprop.exercise.lesson_words import given_of
from quizprop.exercise.notation import Symbol, symbol, unit_symbol
from quizprop.exercise.numbers import read_number
from quizprop.exercise.question import read_choice
from quizprop.exercise.solution import Line, Solution, steps_from
from quizprop.exercise.spec import Exercise
from quizprop.store.practice import StoredVariant, read_json, write_json
from quizprop.web.feedback import Feedback
from quizprop.web.forms import new_key
from quizprop.web.languages import decimal_comma, gettext, marked, say, spoken
from quizprop.web.rendering import figure, words_in, written

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

__all__ = [
    "Entry",
    "GivenRow",
    "Look",
    "Row",
    "Section",
    "Work",
    "aloud",
    "cell",
    "computation",
    "diagram",
    "entry_id",
    "exercise_of",
    "givens",
    "instance_of",
    "kept",
    "look_at",
    "look_at_exercise",
    "row_title",
    "sections",
    "solution",
    "sources",
    "stored_values",
]


_T = TypeVar("_T")


@dataclass(frozen=True)
class Work:
    """What a student has on the page: the texts by cell, how they are to be read, and what was said to them.

    ``rungs`` tells how many hints are open in a cell, ``seq`` on which save the page builds (0: on none), and
    ``sent`` names the saves that it sent since, which may have arrived or not; where it is not ``hinted``, there are no
    hints.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    decimal_comma: bool = False
    key: str = field(default_factory=new_key)
    feedback: Mapping[str, Feedback] = field(default_factory=dict)
    rungs: Mapping[str, int] = field(default_factory=dict)
    seq: int = 0
    sent: tuple[str, ...] = ()
    hinted: bool = True

    @cached_property
    def numbers(self) -> dict[str, float]:
        """The texts that can be read, as numbers."""
        read = {key: read_number(text, decimal_comma=self.decimal_comma).value for key, text in self.texts.items()}
        return {key: value for key, value in read.items() if value is not None}

    @property
    def empty(self) -> bool:
        """Whether nothing at all is typed."""
        return not any(text.strip() for text in self.texts.values())


@dataclass(frozen=True, slots=True, eq=False)
class Blank:
    """A cell as it stands on every sheet of an exercise. ``formula`` is LaTeX; ``options`` count from 0.

    No two are equal: what is drawn of one is kept by what it is, not by what it looks like.
    """

    cell: Cell
    id: str
    symbol: Symbol
    depends_on: str
    formula: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell on the page, with what is in it and what is said to it; ``hints`` are those open.

    ``next_hint`` names the rung that can be asked for; it is empty where there is none. ``taken`` is the number of the
    option chosen.
    """

    blank: Blank
    text: str
    feedback: Feedback | None
    hints: tuple[Hint, ...]
    next_hint: str
    taken: int | None

    @property
    def key(self) -> str:
        """The cell's key."""
        return self.blank.cell.key

    @property
    def id(self) -> str:
        """What a link to it points to."""
        return self.blank.id

    @property
    def title(self) -> str:
        """What it is called."""
        return self.blank.cell.title

    @property
    def symbol(self) -> Symbol:
        """How it is written."""
        return self.blank.symbol

    @property
    def depends_on(self) -> str:
        """The keys of what it is computed from."""
        return self.blank.depends_on

    @property
    def options(self) -> tuple[str, ...]:
        """What there is to choose, if there is."""
        return self.blank.cell.options

    @property
    def reason(self) -> str:
        """Its formula, once the cell is accepted."""
        return self.blank.formula if self.feedback is not None and self.feedback.accepted else ""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one quantity; ``formula`` is that of the whole layer, where the notation has one."""

    title: str
    formula: Symbol | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Section:
    """A phase of the work."""

    phase: Phase
    rows: tuple[Row, ...]

    @property
    def id(self) -> str:
        """What a link to it points to."""
        return f"phase-{self.phase.replace(' ', '-')}"

    @cached_property
    def done(self) -> int:
        """How many of its cells are accepted."""
        return sum(entry.feedback is not None and entry.feedback.accepted for entry in self.entries)

    @property
    def settled(self) -> bool:
        """Whether every cell is right: what follows from an earlier slip is to be done once more."""
        return all(entry.feedback is not None and entry.feedback.verdict is Verdict.CORRECT for entry in self.entries)

    @cached_property
    def filled(self) -> int:
        """In how many of its cells something stands."""
        return sum(bool(entry.text.strip()) for entry in self.entries)

    @property
    def to_mend(self) -> bool:
        """Whether something in it is not right."""
        return any(entry.feedback is not None and entry.feedback.verdict.to_mend for entry in self.entries)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """All its cells."""
        return tuple(entry for row in self.rows for entry in row.entries)


@dataclass(frozen=True, slots=True)
class GivenRow:
    """A line of the table of numbers: what they are, and each with its key, symbol and value."""

    title: str
    unit: Symbol | None
    values: tuple[tuple[str, Symbol, str], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the worked solution, with what the student wrote there, and ``own``: the line with their numbers.

    Of a cell with options the value has its words too: ``0 (no)``.
    """

    symbol: Symbol
    middle: tuple[Symbol, ...]
    value: str
    asked: bool
    typed: str
    feedback: Feedback | None
    own: Line | None


Steps = tuple[tuple[Phase, tuple[Step, ...]], ...]
"""Steps of the worked solution, by phase."""


@dataclass(frozen=True, slots=True)
class Worked:
    """The worked solution, cut before the student's first wrong step: what is ``earlier``, and the ``rest``."""

    earlier: Steps
    rest: Steps

    @property
    def skipped(self) -> int:
        """How many steps are earlier."""
        return sum(len(steps) for _, steps in self.earlier)


@lru_cache(maxsize=256)
def exercise_of(spec: str) -> Exercise:
    """An exercise as it was stored."""
    return Exercise.model_validate_json(spec)


def instance_of(variant: StoredVariant) -> Instance:
    """The instance as it was served, whatever the problem bank says today.

    A sheet is opened, checked and shown again: the latest ones are kept with all that was worked out of them.
    """
    given = write_json(variant.given)
    return _instance(variant.spec, given) if len(given) <= _MUCH else Instance(exercise_of(variant.spec), variant.given)


# Of larger networks nothing is kept: with all that is worked out of them they take megabytes.
_MUCH: Final = 4000


@lru_cache(maxsize=256)
def _instance(spec: str, given: str) -> Instance:
    return Instance(exercise_of(spec), read_json(given))


@dataclass(frozen=True)
class Look:
    """An instance as somebody sees it: what is drawn or written of it is the same for whoever sees it so."""

    number: int
    notation: str
    spoken: NullTranslations
    comma: bool
    more: Hashable
    # Kept, so that nothing else gets its number.
    instance: Instance = field(compare=False)


def look_at(instance: Instance, notation: str, more: Hashable = None) -> Look:
    """The instance as this visitor sees it."""
    return Look(id(instance), notation, spoken(), decimal_comma(), more, instance)


def kept(draw: "_lru_cache_wrapper[_T]", look: Look) -> _T:
    """What is drawn of an instance, from a cache or into it, unless the instance is too large to be kept."""
    large = len(look.instance.cells) > _MANY
    return draw.__wrapped__(look) if large else draw(look)


_MANY: Final = 100


def look_at_exercise(instance: Instance, notation: str) -> Look:
    """The same for what is alike with whatever numbers."""
    return Look(id(instance.plan), notation, spoken(), decimal_comma(), None, instance)


def entry_id(key: str) -> str:
    """A key as an id that a link can point to: ``W2_new[1,2]@3`` is ``W2_new-1-2-at-3``."""
    return key.replace("[", "-").replace(",", "-").replace("]", "").replace("@", "-at-")


def sections(instance: Instance, notation: str, work: Work) -> tuple[Section, ...]:
    """The cells by phase and quantity, in working order."""
    return tuple(
        Section(
            phase,
            tuple(
                Row(title, formula, tuple(_entry(blank, instance, notation, work) for blank in blanks))
                for title, formula, blanks in rows
            ),
        )
        for phase, rows in _blanks(look_at_exercise(instance, notation))
    )


_Rows = tuple[tuple[str, Symbol | None, tuple[Blank, ...]], ...]


@lru_cache(maxsize=512)
def _blanks(look: Look) -> tuple[tuple[Phase, _Rows], ...]:
    """The rows of each phase: title, formula and cells."""
    instance, notation = look.instance, look.notation
    worked = Solution(instance, notation, instance.exercise.places)

    def blank(cell: Cell) -> Blank:
        reads = " ".join(sources(instance, cell))
        return Blank(cell, entry_id(cell.key), worked.symbol(cell.key), reads, worked.formula(cell).latex)

    return tuple(
        (
            phase,
            tuple(
                (row_title(instance, group[0]), row_formula(instance, name, notation), tuple(map(blank, group)))
                for name, group in ((name, list(of)) for name, of in groupby(cells, key=lambda cell: cell.quantity))
            ),
        )
        for phase, cells in groupby(instance.cells, key=lambda cell: cell.phase)
    )


def _entry(blank: Blank, instance: Instance, notation: str, work: Work) -> Entry:
    cell = blank.cell
    text, feedback = work.texts.get(cell.key, ""), work.feedback.get(cell.key)
    accepted = feedback is not None and feedback.accepted
    rung = 0 if accepted else work.rungs.get(cell.key, 0)
    return Entry(
        blank,
        text,
        feedback,
        hints(instance, cell, notation, work.numbers)[:rung] if rung else (),
        RUNGS[rung] if work.hinted and not accepted and rung < len(RUNGS) else "",
        _taken(cell, text),
    )


# What stands in a cell for its text, for what was read, and for where its form goes: nobody can type it.
_TEXT, _ECHO, _ACTION = (f"{name}-{secrets.token_hex(16)}" for name in ("text", "echo", "action"))


def cell(entry: Entry, action: str, *, closed: bool = False) -> Markup:
    """The markup of a cell whose form goes to ``action``: alike for everybody but for what is typed into it.

    Where the sheet is ``closed`` it can be read, but not changed.
    """
    said, echo = entry.feedback, entry.feedback.echo if entry.feedback else ""
    if said and echo:
        said = replace(said, echo=_ECHO)
    if entry.hints:  # they hold the numbers of one sheet
        made = _drawn_cell(replace(entry, text=_TEXT, feedback=said))
    else:
        made = _cell(entry.blank, said, entry.next_hint, entry.taken, (spoken(), decimal_comma()))
    if closed:
        made = made.replace(" data-cell autocomplete", " data-cell readonly autocomplete")
    made = made.replace(_TEXT, str(escape(entry.text))).replace(_ACTION, str(escape(action)))
    return Markup(made.replace(_ECHO, str(escape(figure(say(echo))))) if echo else made)  # noqa: S704 - escaped above


@lru_cache(maxsize=8192)
def _cell(
    blank: Blank, said: Feedback | None, next_hint: str, taken: int | None, _voice: tuple[NullTranslations, bool]
) -> str:
    return _drawn_cell(Entry(blank, _TEXT, said, (), next_hint, taken))


def _drawn_cell(entry: Entry) -> str:
    made: Any = current_app.jinja_env.get_template("_parts.html").module
    return str(made.cell(entry, _ACTION))


def aloud(name: Symbol) -> str:
    """A symbol or a formula as a screen reader says it, in the visitor's language."""
    return _translated(name).text


def _translated(name: Symbol) -> Symbol:
    """A symbol or a formula; the words that its LaTeX has stand in its text too, and are said alike in both."""
    text, latex = name.text, name.latex
    for words in words_in(name.latex):
        text, latex = (re.sub(rf"\b{re.escape(words)}\b", say(words), one) for one in (text, latex))
    return Symbol(text, latex)


def _taken(cell: Cell, text: str) -> int | None:
    value = read_choice(text, cell.options, first=0).value if cell.options else None
    return None if value is None else int(value)


def as_chosen(cell: Cell, text: str) -> str:
    """What was typed; of options the words of the chosen one."""
    taken = _taken(cell, text)
    return text if taken is None else say(cell.options[taken])


def sources(instance: Instance, cell: Cell) -> Iterator[str]:
    """What the cell is computed from, as the page has it: a shared bias stands there once, for unit 1."""
    for key in cell.depends_on:
        name = key.partition("[")[0]
        yield f"{name}[1]" if name in instance.model.tied else key


_SAID_ABOVE: Final = (Phase.LOSS, Phase.STEP_1, Phase.STEP_2)


def row_title(instance: Instance, cell: Cell) -> str:
    """What the cells of a quantity are, and in which layer."""
    place = "" if cell.phase in _SAID_ABOVE else _layer_words(instance, cell.layer)
    return _placed(_capital(say(cell.title)), place)


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]


def _placed(title: str, *places: str) -> str:
    """A title and where it is said of: which layer, which example."""
    return ", ".join(filter(None, (title, *places)))


def _layer_words(instance: Instance, layer: int) -> str:
    if instance.network is None:
        several = len({quantity.layer for quantity in instance.structure.graph if quantity.layer}) > 1
        if not (layer and several):
            return ""
        step = instance.model.layer_word == "step"
        return gettext("step %(number)s", number=layer) if step else gettext("layer %(number)s", number=layer)
    depth = instance.network.depth
    if layer == depth:
        return gettext("output layer")
    return gettext("hidden layer") if depth == 2 else gettext("hidden layer %(number)s", number=layer)


# --- the numbers given ----------------------------------------------------------------------------------------------


def givens(instance: Instance, notation: str) -> tuple[GivenRow, ...]:
    """The numbers that the sheet starts from, a line a unit."""
    return kept(_givens, look_at(instance, notation))


@lru_cache(maxsize=256)
def _givens(look: Look) -> tuple[GivenRow, ...]:
    return tuple(_given_rows(look.instance, look.notation))


def _given_rows(instance: Instance, notation: str) -> Iterator[GivenRow]:
    needs_rate = any("eta" in cell.depends_on for cell in instance.cells)
    for name, value in instance.given.items():
        if name == "eta" and not needs_rate:
            continue
        keys, numbers = np.atleast_2d(instance.structure.keys[name]), np.atleast_2d(np.asarray(value, dtype=float))
        if name in instance.model.tied:
            keys, numbers = keys[:, :1], numbers[:, :1]
        for line, (row, values) in enumerate(zip(keys, numbers, strict=True), start=1):
            title, unit = _given_title(instance, name, line, notation)
            cells = (
                (str(key), symbol(str(key), instance.model, notation), exact(number))
                for key, number in zip(row, values, strict=True)
                if not np.isnan(number)
            )
            yield GivenRow(title, unit, tuple(cells))


_GIVEN: Final = {"x": marked("Inputs"), "t": marked("Targets"), "eta": marked("Learning rate")}


def _given_title(instance: Instance, name: str, line: int, notation: str) -> tuple[str, Symbol | None]:
    network = instance.model
    example = gettext("example %(number)s", number=line) if network.examples > 1 else ""
    given = given_of(network, name) if isinstance(network, Lesson) else None
    if given is not None:
        row = gettext("row %(number)s", number=line) if len(given.shape) > 1 else ""
        return _placed(say(given.title), row), None
    if name in _GIVEN:
        return _placed(gettext(_GIVEN[name]), "" if name == "eta" else example), None
    if name in instance.structure.graph:
        quantity = instance.structure.graph[name]
        place = _layer_words(instance, quantity.layer) if quantity.layer else ""
        return _placed(_capital(say(quantity.formula.title)), place, example), None
    layer = int(name[1:])
    if name.startswith("W") and isinstance(network, Network):
        return gettext("Weights into"), unit_symbol(layer, line, network, notation)
    one = name in network.tied or len(instance.given[name]) == 1
    return _placed(gettext("Bias") if one else gettext("Biases"), _layer_words(instance, layer)), None


# --- the picture ----------------------------------------------------------------------------------------------------


def diagram(instance: Instance, notation: str, known: Mapping[str, float], *, done: bool = False) -> Markup:
    """The network's picture, or a lesson's graph, with the values known by now; nothing where it would tell too much.

    Args:
        instance: the exercise with its numbers.
        notation: how to name things.
        known: the values to be written into it, by key.
        done: whether the work is done, so that nothing can be given away.
    """
    if isinstance(instance.model, Lesson) and instance.model.graph_tells and not done:
        return Markup()
    places = instance.exercise.places
    values = {key: round(value, places) for key, value in {**_shown(instance), **known}.items()}
    with speaking(say):
        if instance.network is None:
            svg = kept(_graph, look_at(instance, notation, tuple(values.items())))
        else:
            svg = kept(_network, look_at(instance, notation)).filled(values)
    return written(Markup(svg))  # noqa: S704 - our own drawing, every text in it escaped


@lru_cache(maxsize=256)
def _graph(look: Look) -> str:
    return computation(look, dict(look.more), prefix="network")  # type: ignore[call-overload]


def computation(look: Look, values: Mapping[str, float], *, prefix: str) -> str:
    """All that a sheet computes, as one graph with the values known by now."""
    instance = look.instance
    return graph_svg(
        instance.structure,
        name=lambda key: _translated(symbol(key, instance.model, look.notation)),
        only=instance.structure.graph.needed_for(instance.plan.asked),
        values=values,
        loss=instance.model.objective,
        prefix=prefix,
    )


@lru_cache(maxsize=256)
def _network(look: Look) -> NetworkPicture:
    network: Any = look.instance.network
    given = {name: look.instance.given[name] for name in network.givens()}
    return network_picture(network, given, notation=look.notation, legend=True)


def _shown(instance: Instance) -> dict[str, float]:
    return {
        str(key): float(value)
        for name in instance.plan.shown
        for key, value in zip(
            instance.structure.keys[name].flat, np.asarray(instance.given[name], dtype=float).flat, strict=True
        )
        if not np.isnan(value)
    }


# --- the worked solution --------------------------------------------------------------------------------------------


def solution(instance: Instance, notation: str, work: Work, first_error: str | None = None) -> Worked:
    """Every step worked out, by phase, those that nobody asked for too. Only for a sheet that is solved or given up."""
    worked = Solution(instance, notation, instance.exercise.places)
    asked = {cell.key for cell in instance.cells}
    own = worked.own_lines(work.numbers)
    rest = instance.steps if first_error is None else steps_from(instance, first_error)

    def by_phase(steps: tuple[Cell, ...]) -> Steps:
        return tuple(
            (phase, tuple(_step(worked, cell, work, asked=cell.key in asked, own=own.get(cell.key)) for cell in cells))
            for phase, cells in groupby(steps, key=lambda cell: cell.phase)
        )

    return Worked(by_phase(instance.steps[: len(instance.steps) - len(rest)]), by_phase(rest))


def _step(worked: Solution, cell: Cell, work: Work, *, asked: bool, own: Line | None) -> Step:
    line = worked.line(cell)
    return Step(
        symbol=line.symbol,
        middle=line.middle,
        value=_worded(cell, line.value),
        asked=asked,
        typed=as_chosen(cell, work.texts.get(cell.key, "")),
        feedback=work.feedback.get(cell.key),
        own=own and replace(own, value=_worded(cell, own.value)),
    )


def _worded(cell: Cell, value: str) -> str:
    return f"{value} ({as_chosen(cell, value)})" if cell.options else value


def stored_values(numbers: Mapping[str, Any], told: Mapping[str, Feedback]) -> dict[str, float]:
    """The student's own numbers, so far as they are accepted."""
    return {
        key: float(number)
        for key, number in numbers.items()
        if number is not None and key in told and told[key].accepted
    }
