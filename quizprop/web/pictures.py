"""The pictures of a sheet besides its network: the chain rule in it, the step as a row, and what would happen next."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from quizprop.exercise.diagram import flow_steps, graph_svg, network_svg
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import Symbol, symbol, unit_symbol
from quizprop.exercise.plots import Descent, descent, descent_svg, slice_along, slice_svg, steepest_weight
from quizprop.exercise.spec import Exercise

__all__ = ["Picture", "flow", "future", "graph", "ways"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with the words below it. ``wide`` ones scroll on a narrow screen."""

    caption: str
    svg: Markup

    @property
    def wide(self) -> bool:
        """Whether the picture asks for a frame that scrolls."""
        return "qp-diagram-wide" in self.svg


def _picture(caption: str, svg: str) -> Picture:
    return Picture(caption, Markup(svg))  # noqa: S704 - our own drawing, every text in it escaped


def ways(instance: Instance, notation: str) -> tuple[Picture, ...]:
    """The way back from the loss to one output weight, and all ways to one hidden unit, so far as the sheet has them.

    They hold names and no values, so they give nothing away.
    """
    return tuple(_ways(instance, notation))


def _ways(instance: Instance, notation: str) -> Iterator[Picture]:
    network = instance.network
    steps = [(cell, instance.structure.graph[cell.quantity].formula.stem) for cell in instance.steps]
    weights = (cell for cell, stem in steps if stem == "grad_W" and cell.layer == network.depth)
    deltas = (cell for cell, stem in steps if stem == "delta" and cell.layer < network.depth)
    for cell in [one for one in (next(weights, None), next(deltas, None)) if one is not None]:
        if cell.quantity.startswith("grad"):
            name = symbol(cell.key.removeprefix("grad_"), network, notation).text
            caption = f"The way from the error back to {name}: the factors along it, multiplied."
        else:
            name = unit_symbol(cell.layer, 1, network, notation).text
            caption = f"All paths from the error back to {name}: multiplied along each, and the paths added up."
        svg = network_svg(network, notation=notation, highlight=cell.key, title=caption, prefix=f"way-{cell.quantity}")
        yield _picture(caption, svg)


def flow(instance: Instance, notation: str) -> tuple[Picture, ...]:
    """The training step as a row of pictures, with its values. Only for a sheet that is solved or given up."""
    return tuple(_picture(step.caption, step.svg) for step in flow_steps(instance, notation=notation))


def graph(instance: Instance, notation: str) -> Picture:
    """All that the sheet computes, as one graph, with its values. Only for a sheet that is solved or given up."""
    values = {key: round(value, instance.exercise.places) for key, value in instance.values.items()}
    svg = graph_svg(
        instance.structure,
        name=lambda key: symbol(key, instance.network, notation),
        only=instance.structure.graph.needed_for(instance.plan.asked),
        values=values,
    )
    return _picture("What is computed from what: forward above, back from the error below.", svg)


def future(instance: Instance, notation: str) -> tuple[Picture, ...]:
    """The loss from here on, where the sheet goes back from the loss. Only for one that is solved or given up."""
    return tuple(_future(instance, notation))


def _future(instance: Instance, notation: str) -> Iterator[Picture]:
    loss = symbol("E", instance.network, notation)
    structure = instance.structure
    if structure.graph.needed_for(instance.plan.asked) <= structure.graph.needed_for(["E"]):
        return  # a forward pass alone
    done = _descent(instance.exercise.model_dump_json(), json.dumps(instance.given))
    yield _picture(_descent_caption(done, loss), descent_svg(done, loss=loss))
    key = steepest_weight(instance)
    if key is not None:
        weight = symbol(key, instance.network, notation)
        svg = slice_svg(slice_along(instance, key), weight=weight, loss=loss)
        yield _picture(f"The error along {weight.text} alone. Its gradient is how steep the curve is, now.", svg)


@lru_cache(maxsize=512)
def _descent(spec: str, given: str) -> Descent:
    """Ten thousand steps take a while: once for each sheet."""
    return descent(Instance(Exercise.model_validate_json(spec), json.loads(given)))


def _descent_caption(done: Descent, loss: Symbol) -> str:
    if not done.ended:
        return f"{loss.text} over further steps on the same example: the steps are too large, and it grows."
    return f"{loss.text} over {done.steps[-1]:,} steps on the same example.".replace(",", "\N{NO-BREAK SPACE}")
