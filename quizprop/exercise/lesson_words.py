"""How the cells of a lesson are written: its formulas and givens bring their symbols along."""

from functools import lru_cache
from string import Template

from quizprop.engine.model import Given, Lesson
from quizprop.engine.structure import structure_of

__all__ = ["given_of", "spelled"]


def given_of(lesson: Lesson, name: str) -> Given | None:
    """The words of a given; None where the name is a quantity's."""
    return next((given for given in lesson.given() if given.name == name), None)


@lru_cache(maxsize=8192)
def spelled(key: str, lesson: Lesson) -> tuple[str, str]:
    """A cell or a given as Unicode text and as LaTeX.

    Raises:
        ValueError: the lesson has no such cell.
    """
    structure = structure_of(lesson)
    if key not in structure.places:
        raise ValueError(f"{key!r} is no cell of {lesson.kind}; a cell is named as in {next(iter(structure.places))}")
    name, place = structure.places[key]
    index = [str(number + 1) for number in place]
    layer: int | None = None
    if name in structure.graph:
        quantity = structure.graph[name]
        text, latex, layer = quantity.formula.text, quantity.formula.symbol, quantity.layer
    else:
        given = given_of(lesson, name)
        assert given is not None  # noqa: S101 - every name that is no quantity is given
        text, latex = given.text, given.latex
    k, j = (*index, "", "")[:2]
    words = {"l": layer, "k": k, "j": j, "index": ",".join(index), "p": None if layer is None else layer - 1}
    return Template(text).substitute(words), Template(latex).substitute(words)
