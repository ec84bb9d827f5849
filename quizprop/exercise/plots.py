"""What would happen next: the loss over further steps on the same example, and the loss along one weight, as curves.

The numbers come from the exercise's own graph, run on; the drawing is our own SVG, as the pictures of networks are.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.plain import plain_function
from quizprop.engine.structure import Structure
from quizprop.engine.words import phrase, said
from quizprop.exercise.diagram.shapes import (
    INK,
    LIT,
    MUTED,
    Box,
    Point,
    add,
    curve,
    decimal,
    draw_line,
    draw_name,
    name_size,
    picture,
    set_frame,
    svg_text,
    write,
)
from quizprop.exercise.diagram.text import short, text_width
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import Symbol

__all__ = ["STEPS", "Descent", "Slice", "descent", "descent_svg", "slice_along", "slice_svg", "steepest_weight"]

STEPS: Final = 10_000
"""As many as Mazur's example goes on for."""

_SAMPLES: Final = 120
# A loss that has grown so much (or is no number any more) will not come back.
_TOO_FAR: Final = 1_000.0


# --- the numbers ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Descent:
    """The loss after so many steps; ``losses`` ends early where the steps are too large and it grows without end."""

    steps: tuple[int, ...]
    losses: tuple[float, ...]

    @property
    def ended(self) -> bool:
        """Whether the loss stayed within reason to the end."""
        return len(self.losses) == len(self.steps)


def descent(instance: Instance, steps: int = STEPS) -> Descent:
    """Go on with gradient descent: the updated weights are the next step's weights, and nothing else changes.

    The loss is computed at the first steps and then at ever larger distances, all that a logarithmic axis can show.
    """
    keys = instance.structure.keys
    moves = _moved(instance.structure)
    numbers = {name: np.asarray(instance.given[name], dtype=float).ravel().tolist() for name in _free(instance)}
    moving, still = list(moves), [name for name in numbers if name not in moves]
    inputs = tuple(str(key) for name in (*moving, *still) for key in keys[name].flat)
    # A shared bias has one new value for all units of its layer.
    after = [str(key) for name in moving for key in np.broadcast_to(keys[moves[name]], keys[name].shape).flat]
    step, loss = (plain_function(instance.model, inputs, outputs) for outputs in (tuple(after), ("E",)))
    weights, others = (tuple(one for name in names for one in numbers[name]) for names in (moving, still))
    wanted = _sampled(steps)
    losses: list[float] = []
    # An arithmetic error is a step beyond all numbers: there the curve ends, too.
    with suppress(ArithmeticError):
        for number in range(wanted[-1] + 1):
            if number == wanted[len(losses)]:
                (reached,) = loss(*weights, *others)
                if losses and not reached <= _TOO_FAR * max(losses[0], 1.0):
                    break
                losses.append(reached)
            weights = step(*weights, *others)
    return Descent(wanted, tuple(losses))


def _free(instance: Instance) -> Iterator[str]:
    """The names of the network's givens; what an exercise shows besides follows from them."""
    return (name for name in instance.given if name not in instance.structure.graph)


def _sampled(steps: int) -> tuple[int, ...]:
    """Step numbers from 0 on, evenly spaced as a logarithm, each once."""
    exponents = np.linspace(0, math.log10(steps + 1), _SAMPLES)
    return tuple(sorted({0, 1, steps, *(round(10.0**exponent) - 1 for exponent in exponents)}))


@dataclass(frozen=True, slots=True)
class Slice:
    """The loss along one weight, all else as given.

    ``now`` is the weight and its loss, ``slope`` the gradient there, and ``after`` the same point after the step of
    that weight alone.
    """

    key: str
    weights: tuple[float, ...]
    losses: tuple[float, ...]
    now: Point
    slope: float
    after: Point


def slice_along(instance: Instance, key: str, points: int = 121) -> Slice:
    """The loss as a function of one weight or bias, to both sides of where it is.

    Raises:
        ValueError: the key is none of a weight or bias that the step changes.
    """
    name, place = instance.structure.places.get(key, ("", ()))
    moved = _moved(instance.structure)
    if name not in moved:
        raise ValueError(f"key: {key!r} is no weight that a step changes; these are in {', '.join(moved)}")
    shared = name in instance.model.tied
    index = "[1]" if shared else key.removeprefix(name)
    weight, stepped = instance.values[key], instance.values[moved[name] + index]
    reach = max(1.0, 2.5 * abs(stepped - weight))
    grid = np.linspace(weight - reach, weight + reach, points)
    losses = _losses(instance, name, () if shared else place, np.concatenate([grid, [weight, stepped]]))
    finite = np.isfinite(losses[:-2])
    return Slice(
        key,
        tuple(map(float, grid[finite])),
        tuple(map(float, losses[:-2][finite])),
        (weight, float(losses[-2])),
        instance.values[f"grad_{name}{index}"],
        (stepped, float(losses[-1])),
    )


def steepest_weight(instance: Instance) -> str | None:
    """The weight whose gradient is the largest, of those that the exercise's step changes; None where it has none."""
    needed = instance.structure.graph.needed_for(instance.plan.asked)
    keys = [
        str(key)
        for name in _moved(instance.structure)
        for key in instance.structure.keys[name].flat
        if name.startswith("W") and f"grad_{name}" in needed
    ]
    return max(keys, key=lambda key: abs(instance.values[f"grad_{key}"]), default=None)


def _moved(structure: Structure) -> dict[str, str]:
    """What the step changes: the name of the given, and its name after the step; not what it leaves as it is."""
    pairs = {
        one.name.replace("_new", ""): one for one in structure.graph if one.name.endswith("_new") and not one.after
    }
    return {old: new.name for old, new in pairs.items() if set(new.inputs) != {old}}


def _losses(instance: Instance, name: str, place: tuple[int, ...], weights: Array) -> Array:
    """The loss for each value of one cell of a given, all at once; with no place, of all its cells alike."""
    given = {each: np.repeat(instance.arrays[each], len(weights), axis=0) for each in _free(instance)}
    at: tuple[Any, ...] = (slice(None), *place)
    given[name][at] = weights if place else weights[:, None]
    return instance.structure.graph.evaluate(given, want=["E"])["E"]


# --- the drawing ----------------------------------------------------------------------------------------------------

_WIDTH: Final = 440.0
_HEIGHT: Final = 240.0
_TICKS: Final = 5
_TANGENT: Final = {"class": "qp-tangent", "stroke": INK, "stroke-width": "1.5", "stroke-dasharray": "6 4"}


@dataclass(frozen=True)
class _Axes:
    """From numbers to places in the picture; ``across`` is applied to x before, a logarithm say."""

    x: tuple[float, float]
    y: tuple[float, float]
    across: Callable[[float], float]

    def at(self, x: float, y: float) -> Point:
        """The place of a point."""
        (left, right), (low, high) = map(self.across, self.x), self.y
        return (self.across(x) - left) / (right - left) * _WIDTH, (high - y) / (high - low) * _HEIGHT


def descent_svg(done: Descent, *, loss: Symbol, prefix: str = "descent") -> str:
    """The loss over the steps, on a logarithmic axis. The first two points are marked: now and after one step.

    Args:
        done: what ``descent`` gives.
        loss: how the loss is written.
        prefix: begins every id.
    """
    shown = list(zip(done.steps, done.losses, strict=False))
    axes = _Axes((0, done.steps[-1]), _spread([0.0, *done.losses]), lambda step: math.log10(step + 1))
    root = picture(
        phrase("{loss} over {number} steps", loss=loss.text, number=done.steps[-1]), _descent_words(done, loss), prefix
    )
    ticks = [0, *(10**power for power in range(int(math.log10(done.steps[-1])) + 1))]
    boxes = _draw_axes(root, axes, [(tick, f"{tick:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")) for tick in ticks])
    boxes.append(write(root, ((said(phrase("steps")), 0),), (_WIDTH / 2, _HEIGHT + 40), css="qp-caption"))
    boxes.append(draw_name(root, loss, (name_size(loss, "qp-factor")[0] / 2, -18), css="qp-factor", ink=INK))
    curve(root, (axes.at(*point) for point in shown), {"class": "qp-curve", "stroke": LIT, "stroke-width": "2.5"})
    for point in shown[:2]:
        _draw_point(root, axes.at(*point), css="qp-now" if point[0] == 0 else "qp-after")
    set_frame(root, [*boxes, Box(_WIDTH / 2, _HEIGHT / 2, _WIDTH + 12, _HEIGHT + 12)])
    return svg_text(root)


def _descent_words(done: Descent, loss: Symbol) -> Iterator[str]:
    known = dict(zip(done.steps, done.losses, strict=False))
    marks = [step for step in (0, 1, 10, 100, 1_000, 10_000) if step in known]
    reached = (said(phrase("after step {number}: {value}", number=step, value=short(known[step]))) for step in marks)
    yield phrase("{loss}, {reached}.", loss=loss.text, reached=", ".join(reached))
    if not done.ended:
        last = done.steps[len(done.losses)]
        yield phrase("By step {number} it has grown a thousandfold: the steps are too large.", number=last)


def slice_svg(along: Slice, *, weight: Symbol, loss: Symbol, prefix: str = "slice") -> str:
    """The loss along one weight, with its tangent where the weight is now, and the point after the step.

    Args:
        along: what ``slice_along`` gives.
        weight: how the weight is written.
        loss: how the loss is written.
        prefix: begins every id.
    """
    axes = _Axes((along.weights[0], along.weights[-1]), _spread([*along.losses, along.now[1], along.after[1]]), float)
    root = picture(
        phrase("{loss} along {weight}", loss=loss.text, weight=weight.text), _slice_words(along, weight, loss), prefix
    )
    boxes = _draw_axes(root, axes, [(tick, short(tick)) for tick in _ticks(*axes.x)])
    boxes.append(draw_name(root, weight, (_WIDTH / 2, _HEIGHT + 42), css="qp-factor", ink=INK))
    boxes.append(draw_name(root, loss, (name_size(loss, "qp-factor")[0] / 2, -18), css="qp-factor", ink=INK))
    line = zip(along.weights, along.losses, strict=True)
    curve(root, (axes.at(*point) for point in line), {"class": "qp-curve", "stroke": LIT, "stroke-width": "2.5"})
    start, end = (axes.at(*point) for point in _tangent(along, axes))
    draw_line(root, start, end, _TANGENT)
    _draw_point(root, axes.at(*along.now), css="qp-now")
    _draw_point(root, axes.at(*along.after), css="qp-after")
    set_frame(root, [*boxes, *_draw_key(root), Box(_WIDTH / 2, _HEIGHT / 2, _WIDTH + 12, _HEIGHT + 12)])
    return svg_text(root)


def _slice_words(along: Slice, weight: Symbol, loss: Symbol) -> Iterator[str]:
    names = {"weight": weight.text, "loss": loss.text}
    yield phrase(
        "Now {weight} = {at} and {loss} = {value}.", **names, at=short(along.now[0]), value=short(along.now[1])
    )
    yield phrase("The tangent there rises by {slope} for each 1 to the right: the gradient.", slope=short(along.slope))
    yield phrase(
        "After the step of {weight} alone it is {at}, {loss} = {value}.",
        **names,
        at=short(along.after[0]),
        value=short(along.after[1]),
    )


def _tangent(along: Slice, axes: _Axes) -> tuple[Point, Point]:
    """The part of the tangent that stays in the picture, about the point where it touches."""
    (x, y), (low, high) = along.now, axes.y
    reach = 0.6 * (axes.x[1] - axes.x[0]) / 2
    for end in (low, high):
        rise = abs(end - y)
        reach = min(reach, rise / abs(along.slope)) if along.slope and rise else reach
    return (x - reach, y - along.slope * reach), (x + reach, y + along.slope * reach)


def _draw_key(root: Element) -> list[Box]:
    """What the two points and the dashed line are."""
    entries, x, y = (
        (
            (said(phrase("now")), "qp-now"),
            (said(phrase("after the step")), "qp-after"),
            (said(phrase("tangent: the gradient")), ""),
        ),
        8.0,
        _HEIGHT + 66,
    )
    boxes = []
    for words, css in entries:
        if css:
            _draw_point(root, (x, y), css=css)
        else:
            ends = ((x - 8, y), (x + 16, y))
            draw_line(root, *ends, _TANGENT)
            x += 12
        width = text_width(((words, 0),), 12.0)
        boxes.append(write(root, ((words, 0),), (x + 12 + width / 2, y), css="qp-caption"))
        x += width + 40
    return boxes


def _draw_point(root: Element, place: Point, *, css: str) -> None:
    """A point; filled for now, hollow for after the step, so that the two differ without colour."""
    circle = {"cx": decimal(place[0]), "cy": decimal(place[1]), "r": "5", "stroke": INK, "stroke-width": "2"}
    add(root, "circle", {"class": css, **circle, "fill": INK if css == "qp-now" else "#ffffff"})


def _draw_axes(root: Element, axes: _Axes, across: Sequence[tuple[float, str]]) -> list[Box]:
    """Two axes with their ticks, each number outside of the curve's field."""
    group = add(root, "g", {"class": "qp-axes"})
    boxes = []
    for value in _ticks(*axes.y):
        left, y = axes.at(axes.x[0], value)
        draw_line(group, (left, y), (_WIDTH, y), {"class": "qp-grid", "stroke": MUTED, "stroke-width": "0.4"})
        words = ((short(value), 0),)
        boxes.append(write(group, words, (left - 8 - text_width(words, 12.0) / 2, y), css="qp-caption"))
    for value, words_below in across:
        x, _ = axes.at(value, axes.y[0])
        draw_line(group, (x, _HEIGHT), (x, _HEIGHT + 5), {"stroke": MUTED})
        boxes.append(write(group, ((words_below, 0),), (x, _HEIGHT + 17), css="qp-caption"))
    draw_line(group, (0, 0), (0, _HEIGHT), {"stroke": MUTED})
    draw_line(group, (0, _HEIGHT), (_WIDTH, _HEIGHT), {"stroke": MUTED})
    return boxes


def _spread(values: Sequence[float]) -> tuple[float, float]:
    """From the least to the largest with some air; a bit more where they are the same."""
    low, high = min(values), max(values)
    air = (high - low) * 0.06 or max(abs(high), 1.0) * 0.06
    return (low if low == 0 else low - air), high + air


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers in between, about five."""
    raw = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= raw)
    return [round(number * step, 12) for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
