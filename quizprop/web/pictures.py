"""The pictures of a sheet besides its network: the chain rule in it, the step as a row, and what would happen next."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup, escape

from quizprop.engine.words import speaking
from quizprop.exercise.diagram import flow_steps, network_svg
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import Symbol, symbol, unit_symbol
from quizprop.exercise.plots import descent, descent_svg, slice_along, slice_svg, steepest_weight
from quizprop.web.languages import gettext, say
from quizprop.web.rendering import math, written
from quizprop.web.sheet import Look, computation, kept, look_at, look_at_exercise

__all__ = ["Picture", "flow", "future", "graph", "ways"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with the words below it, as markup and as plain text."""

    caption: Markup
    words: str
    svg: Markup

    @property
    def wide(self) -> bool:
        """Whether the picture asks for a frame that scrolls."""
        return "qp-diagram-wide" in self.svg


def _picture(caption: str, svg: str, name: Symbol | None = None) -> Picture:
    """``{}`` in the caption is where the name stands."""
    words, latex = ("", "") if name is None else (name.text, math(name.latex))
    drawing = written(Markup(svg))  # noqa: S704 - our own drawing, every text in it escaped
    return Picture(escape(caption).format(latex), caption.format(words), drawing)


def ways(instance: Instance, notation: str) -> tuple[Picture, ...]:
    """The way back from the loss to one output weight, and all ways to one hidden unit, so far as the sheet has them.

    They hold names and no values, so they give nothing away.
    """
    return kept(_drawn_ways, look_at_exercise(instance, notation))


@lru_cache(maxsize=512)
def _drawn_ways(look: Look) -> tuple[Picture, ...]:
    with speaking(say):
        return tuple(_ways(look.instance, look.notation))


def _ways(instance: Instance, notation: str) -> Iterator[Picture]:
    network = instance.network
    if network is None:
        return
    steps = [(cell, instance.structure.graph[cell.quantity].formula.stem) for cell in instance.steps]
    weights = (cell for cell, stem in steps if stem == "grad_W" and cell.layer == network.depth)
    deltas = (cell for cell, stem in steps if stem == "delta" and cell.layer < network.depth)
    for cell in [one for one in (next(weights, None), next(deltas, None)) if one is not None]:
        if cell.quantity.startswith("grad"):
            name = symbol(cell.key.removeprefix("grad_"), network, notation)
            caption = gettext("Back to {} from the error: the factors along the way, multiplied.")
        else:
            name = unit_symbol(cell.layer, 1, network, notation)
            caption = gettext("All paths back to {} from the error: multiplied along each, and added up.")
        title, prefix = caption.format(name.text), f"way-{cell.quantity}"
        svg = network_svg(network, notation=notation, highlight=cell.key, title=title, prefix=prefix)
        yield _picture(caption, svg, name)


def flow(instance: Instance, notation: str) -> tuple[Picture, ...]:
    """The training step as a row of pictures, with its values. Only for a sheet that is solved or given up."""
    return kept(_flow, look_at(instance, notation))


# A solved sheet is looked at again, and published numbers by everybody.
@lru_cache(maxsize=128)
def _flow(look: Look) -> tuple[Picture, ...]:
    with speaking(say):
        steps = flow_steps(look.instance, notation=look.notation)
        return tuple(_picture(say(step.caption), step.svg) for step in steps)


def graph(instance: Instance, notation: str) -> Picture:
    """All that the sheet computes, as one graph, with its values. Only for a sheet that is solved or given up."""
    return kept(_graph, look_at(instance, notation))


@lru_cache(maxsize=128)
def _graph(look: Look) -> Picture:
    places = look.instance.exercise.places
    values = {key: round(value, places) for key, value in look.instance.values.items()}
    with speaking(say):
        svg = computation(look, values, prefix="graph")
    return _picture(gettext("What is computed from what: forward above, back from the error below."), svg)


def future(instance: Instance, notation: str) -> tuple[Picture, ...]:
    """The loss from here on, where the sheet goes back from the loss. Only for one that is solved or given up."""
    return kept(_drawn_future, look_at(instance, notation))


@lru_cache(maxsize=128)
def _drawn_future(look: Look) -> tuple[Picture, ...]:
    with speaking(say):
        return tuple(_future(look.instance, look.notation))


def _future(instance: Instance, notation: str) -> Iterator[Picture]:
    structure = instance.structure
    if instance.network is None:
        return
    loss = symbol("E", instance.network, notation)
    if structure.graph.needed_for(instance.plan.asked) <= structure.graph.needed_for(["E"]):
        return  # a forward pass alone
    done = descent(instance)
    grows = gettext("{} over further steps on the same example: the steps are too large, and it grows.")
    falls = gettext("{} over %(number)s further steps on the same example.", number=_whole(done.steps[-1]))
    yield _picture(falls if done.ended else grows, descent_svg(done, loss=loss), loss)
    key = steepest_weight(instance)
    if key is not None:
        weight = symbol(key, instance.network, notation)
        svg = slice_svg(slice_along(instance, key), weight=weight, loss=loss)
        yield _picture(gettext("The error along {} alone. The gradient is how steep the curve is, now."), svg, weight)


def _whole(number: int) -> str:
    """As the axis has it: no comma and no point, which could be read as decimal marks."""
    return f"{number:,}".replace(",", "\N{NO-BREAK SPACE}")
