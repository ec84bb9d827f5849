"""True or false about this network: facts that its exact values decide, far from where rounding could decide them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from quizprop.engine.network import Network
from quizprop.engine.words import phrase
from quizprop.exercise.question import Chance, NoQuestionError, Option, Question, named
from quizprop.exercise.tolerance import work

if TYPE_CHECKING:
    from quizprop.exercise.instance import Instance

__all__ = ["COUNT", "Fact", "Facts", "statement_questions"]

COUNT: Final = 5

_CLEAR: Final = 4.0
"""So many tolerances a value is away from where the statement would turn."""

_UPHILL: Final = phrase("A positive gradient says that the error grows with the weight, a negative one that it falls.")
_DELTA: Final = phrase(
    "A delta is positive where more net input means more error. Compare output and target, then go back."
)
_DOWNHILL: Final = phrase("The step goes against the gradient: where that is negative, the weight grows.")
_CARRIED: Final = phrase("A weight's gradient is the delta where it leads to times the activation that it carries.")
_TARGET: Final = phrase("Compare the output with its target: that difference is where the whole way back begins.")
_PROMISE: Final = phrase("Work the forward pass with the new weights, and compare the two errors.")
_SWITCH: Final = phrase("A ReLU is off where its net input is negative, and on where it is positive.")
_BIAS: Final = phrase("The net input is the weighted sum plus the bias: take the bias away and look at the sign.")
_FLAT: Final = phrase("An S-shaped activation is flattest far from a net input of 0, whichever way.")
_LARGEST: Final = phrase("Softmax keeps the order: the largest net input gets the largest probability.")
_BACK: Final = phrase(
    "Back along a weight comes the weight times the delta at its far end: compare the sizes, not the signs."
)
_STILL: Final = phrase(
    "A unit that is off has a slope of 0: no error comes back to its weights, and the step leaves them."
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact in two phrases, one ``true`` and one ``false``; ``kind`` and ``about`` say what it is about.

    ``reason`` is why in this network, ``rule`` what to think of in any.
    """

    kind: str
    about: str
    true: str
    false: str
    reason: str
    rule: str


def statement_questions(sheet: "Instance", chance: Chance) -> tuple[Question, ...]:
    """Some statements about a network, about half of them true, as different as they can be.

    Raises:
        NoQuestionError: there are not enough.
    """
    assert isinstance(sheet.model, Network)  # noqa: S101 - an exercise file with a lesson is refused
    chosen = _varied(chance.shuffled(Facts(sheet, sheet.model).all()))
    if len(chosen) < COUNT:
        raise NoQuestionError(f"fewer than {COUNT} statements are clear")
    truths = chance.shuffled([True, False, chance.flag(), True, False])
    questions = zip(chance.shuffled(chosen), truths, strict=True)
    return tuple(_question(f"s{place}", fact, truth) for place, (fact, truth) in enumerate(questions, start=1))


def _varied(facts: list[Fact]) -> list[Fact]:
    """One of each kind first, then a second of each; no two about the same weight or unit."""
    chosen: list[Fact] = []
    for most in (1, 2):
        for fact in facts:
            alike = sum(other.kind == fact.kind for other in chosen)
            if len(chosen) < COUNT and alike < most and all(other.about != fact.about for other in chosen):
                chosen.append(fact)
    return chosen


def _question(key: str, fact: Fact, truth: bool) -> Question:  # noqa: FBT001
    options = (Option(phrase("True"), "" if truth else fact.rule), Option(phrase("False"), fact.rule if truth else ""))
    return Question(key, fact.true if truth else fact.false, options, 1 if truth else 2, fact.reason)


@dataclass(frozen=True)
class Facts:
    """All facts about a network that its numbers decide without doubt."""

    sheet: "Instance"
    network: Network

    def all(self) -> Iterator[Fact]:
        """Kind by kind."""
        makers: tuple[Callable[[Facts], Iterator[Fact]], ...] = (
            Facts.slopes,
            Facts.deltas,
            Facts.steps,
            Facts.steepest,
            Facts.outputs,
            Facts.progress,
            Facts.switches,
            Facts.still,
            Facts.biases,
            Facts.saturation,
            Facts.largest,
            Facts.paths,
        )
        for maker in makers:
            yield from maker(self)

    # --- what is clear ----------------------------------------------------------------------------------------------

    @cached_property
    def tolerances(self) -> Mapping[str, float]:
        """Of every value, asked or not."""
        return self.sheet.by_key(work(self.sheet.structure, self.sheet.arrays, half=self.sheet.plan.half).tolerance)

    def value(self, key: str) -> float:
        """The exact value."""
        return self.sheet.values[key]

    def clear(self, distance: float, *keys: str) -> bool:
        """Whether a distance is larger than what rounding of these values could make of it."""
        return abs(distance) > _CLEAR * sum(self.tolerances.get(key, self.sheet.plan.half) for key in keys)

    def keys(self, name: str) -> list[str]:
        """The keys of a quantity, given or computed, in order."""
        return [str(key) for key in self.sheet.structure.keys[name].flat]

    def rows(self, name: str) -> list[list[str]]:
        """The keys of a quantity by its last axis: a unit's weights, an example's units."""
        keys = self.sheet.structure.keys[name]
        return [[str(key) for key in row] for row in keys.reshape(-1, keys.shape[-1])]

    def top(self, keys: list[str], *, size: bool) -> tuple[str, str] | None:
        """The key of the largest value (in size) and that of the next, if they are clearly apart."""
        ranked = sorted(keys, key=lambda key: abs(self.value(key)) if size else self.value(key), reverse=True)
        first, second = ranked[:2]
        gap = abs(self.value(first)) - abs(self.value(second)) if size else self.value(first) - self.value(second)
        return (first, second) if self.clear(gap, first, second) else None

    @property
    def layers(self) -> range:
        """The layers with weights."""
        return range(1, self.network.depth + 1)

    # --- the library ------------------------------------------------------------------------------------------------

    def slopes(self) -> Iterator[Fact]:
        """Raising a weight: the sign of its gradient."""
        for key in (key for layer in self.layers for key in self.keys(f"grad_W{layer}")):
            if self.clear(self.value(key), key):
                weight, falls = named(key.removeprefix("grad_")), self.value(key) < 0
                lowers = phrase("Raising {weight} a little lowers the error.", weight=weight)
                raises = phrase("Raising {weight} a little raises the error.", weight=weight)
                reason = _is_below_0(key) if falls else _is_above_0(key)
                yield Fact(
                    "slope",
                    key.removeprefix("grad_"),
                    *((lowers, raises) if falls else (raises, lowers)),
                    reason,
                    _UPHILL,
                )

    def deltas(self) -> Iterator[Fact]:
        """The sign of a delta."""
        for key in (key for layer in self.layers for key in self.keys(f"delta{layer}")):
            if self.clear(self.value(key), key):
                negative, positive = _is_below_0(key), _is_above_0(key)
                below, net_input = self.value(key) < 0, named(key.replace("delta", "z"))
                lowers = phrase("A little more {net_input} would lower the error.", net_input=net_input)
                raises = phrase("A little more {net_input} would raise the error.", net_input=net_input)
                reason = lowers if below else raises
                yield Fact(
                    "delta",
                    key.replace("delta", "z"),
                    *((negative, positive) if below else (positive, negative)),
                    reason,
                    _DELTA,
                )

    def steps(self) -> Iterator[Fact]:
        """Which way the step moves a weight."""
        for key in (key for layer in self.layers for key in self.keys(f"W{layer}")):
            gradient, new = f"grad_{key}", key.replace("[", "_new[")
            if self.clear(self.value(new) - self.value(key), new):
                larger = phrase("After the step {weight} is larger than before.", weight=named(key))
                smaller = phrase("After the step {weight} is smaller than before.", weight=named(key))
                against = (
                    phrase("{gradient} is negative, and the step goes against it.", gradient=named(gradient)),
                    phrase("{gradient} is positive, and the step goes against it.", gradient=named(gradient)),
                )
                grows = self.value(new) > self.value(key)
                reason = against[0 if grows else 1]
                yield Fact("step", key, *((larger, smaller) if grows else (smaller, larger)), reason, _DOWNHILL)

    def steepest(self) -> Iterator[Fact]:
        """The largest gradient of the weights that lead into a unit."""
        for layer in self.layers:
            for row in self.rows(f"grad_W{layer}"):
                found = self.top(row, size=True) if len(row) > 1 else None
                if found:
                    into = named(f"unit{layer}[{row[0].partition('[')[2].partition(',')[0]}]")
                    true, false = (
                        phrase(
                            "Of the weights into {unit}, {weight} has the largest gradient in size.",
                            unit=into,
                            weight=named(key.removeprefix("grad_")),
                        )
                        for key in found
                    )
                    reason = phrase(
                        "{large} is farther from 0 than {small}.", large=named(found[0]), small=named(found[1])
                    )
                    yield Fact("steepest", found[0].removeprefix("grad_"), true, false, reason, _CARRIED)

    def outputs(self) -> Iterator[Fact]:
        """Whether an output is too large."""
        depth = self.network.depth
        for output, target in zip(self.keys(f"a{depth}"), self.keys("t"), strict=True):
            difference = self.value(output) - self.value(target)
            if self.clear(difference, output):
                large = phrase("The output {output} is too large.", output=named(output))
                small = phrase("The output {output} is too small.", output=named(output))
                above = difference > 0
                over = phrase("It lies above {target}.", target=named(target))
                under = phrase("It lies below {target}.", target=named(target))
                reason = over if above else under
                yield Fact("output", output, *((large, small) if above else (small, large)), reason, _TARGET)

    def progress(self) -> Iterator[Fact]:
        """Whether the step was of use."""
        if self.clear(self.value("change"), "change"):
            falls, grows = phrase("The error falls with this step."), phrase("The error grows with this step.")
            fell, both = self.value("change") < 0, {"after": named("E_new"), "before": named("E")}
            less, more = (
                phrase("{after} is less than {before}.", **both),
                phrase("{after} is more than {before}.", **both),
            )
            reason = less if fell else more
            yield Fact("progress", "E", *((falls, grows) if fell else (grows, falls)), reason, _PROMISE)

    def switches(self) -> Iterator[Fact]:
        """Whether a ReLU is off."""
        for layer in self._activated_by("relu"):
            for unit, key in self._single(f"z{layer}"):
                if self.clear(self.value(key), key):
                    off, on = phrase("{unit} is off.", unit=unit), phrase("{unit} is on.", unit=unit)
                    below = self.value(key) < 0
                    reason = _is_below_0(key) if below else _is_above_0(key)
                    yield Fact("switch", key, *((off, on) if below else (on, off)), reason, _SWITCH)

    def still(self) -> Iterator[Fact]:
        """Which weights a step leaves alone: those into a ReLU that is off."""
        for layer in self._activated_by("relu"):
            for unit, key in self._single(f"z{layer}"):
                row = self.rows(f"W{layer}")[int(key.partition("[")[2].rstrip("]")) - 1]
                off = self.value(key) < 0
                if self.clear(self.value(key), key) and (off or all(map(self._moves, row))):
                    leaves = phrase("The step leaves the weights into {unit} as they are.", unit=unit)
                    changes = phrase("The step changes the weights into {unit}.", unit=unit)
                    reason = _moving(unit, named(row[0]), off=off)
                    yield Fact("still", key, *((leaves, changes) if off else (changes, leaves)), reason, _STILL)

    def _moves(self, weight: str) -> bool:
        return self.clear(self.value(f"grad_{weight}"), f"grad_{weight}")

    def biases(self) -> Iterator[Fact]:
        """The sign of a net input, were it not for its bias."""
        if self.network.bias == "none":
            return
        for layer in self.layers:
            for unit, key in self._single(f"z{layer}"):
                rest = self.value(key) - self.value(f"b{layer}[{key.partition('[')[2]}")
                if self.clear(rest, key):
                    negative = phrase("Without its bias, the net input of {unit} would be negative.", unit=unit)
                    positive = phrase("Without its bias, the net input of {unit} would be positive.", unit=unit)
                    both = {"bias": named(f"b{layer}[{key.partition('[')[2]}"), "net_input": named(key)}
                    below = phrase("Less {bias}, {net_input} is negative.", **both)
                    above = phrase("Less {bias}, {net_input} is positive.", **both)
                    reason = below if rest < 0 else above
                    yield Fact(
                        "bias", key, *((negative, positive) if rest < 0 else (positive, negative)), reason, _BIAS
                    )

    def saturation(self) -> Iterator[Fact]:
        """Which unit of a layer is the closest to saturation."""
        for layer in self._activated_by("sigmoid", "tanh"):
            units = {key: unit for unit, key in self._single(f"z{layer}")}
            found = self.top(list(units), size=True) if len(units) > 1 else None
            if found:
                true, false = (
                    phrase("Of its layer, {unit} is the closest to saturation.", unit=units[key]) for key in found
                )
                reason = phrase(
                    "{large} lies farther from 0 than {small}.", large=named(found[0]), small=named(found[1])
                )
                yield Fact("saturation", found[0], true, false, reason, _FLAT)

    def largest(self) -> Iterator[Fact]:
        """Which class softmax finds the likeliest."""
        for layer in self._activated_by("softmax"):
            for row in self.rows(f"a{layer}"):
                found = self.top(row, size=False)
                if found:
                    true, false = (
                        phrase("{probability} is the largest of the probabilities.", probability=named(key))
                        for key in found
                    )
                    first, second = (named(key.replace("a", "z", 1)) for key in found)
                    reason = phrase("{first} is the largest net input, above {second}.", first=first, second=second)
                    yield Fact("largest", found[0], true, false, reason, _LARGEST)

    def paths(self) -> Iterator[Fact]:
        """Along which weight most of the error comes back to a hidden unit."""
        for layer in range(2, self.network.depth + 1):
            if self.network.layers[layer] == 1 or self.network.examples > 1:
                continue
            for unit, column in enumerate(zip(*self.rows(f"path{layer}"), strict=True), start=1):
                found = self.top(list(column), size=True)
                if found:
                    hidden = named(f"unit{layer - 1}[{unit}]")
                    most, least = (named(key.replace("path", "W")) for key in found)
                    true, false = (
                        phrase(
                            "Of what comes back to {unit}, the part along {weight} is the largest in size.",
                            unit=hidden,
                            weight=one,
                        )
                        for one in (most, least)
                    )
                    reason = phrase(
                        "Weight times delta is farther from 0 along {most} than along {least}.", most=most, least=least
                    )
                    yield Fact("path", found[0].replace("path", "W"), true, false, reason, _BACK)

    def _activated_by(self, *names: str) -> Iterator[int]:
        return (layer for layer in self.layers if self.network.activations[layer - 1] in names)

    def _single(self, name: str) -> Iterator[tuple[str, str]]:
        """The units of a layer and their cells, where there is a single example."""
        if self.network.examples == 1:
            layer = name.lstrip("z")
            for unit, key in enumerate(np.ravel(self.sheet.structure.keys[name]), start=1):
                yield named(f"unit{layer}[{unit}]"), str(key)


def _is_below_0(key: str) -> str:
    return phrase("{value} is negative.", value=named(key))


def _is_above_0(key: str) -> str:
    return phrase("{value} is positive.", value=named(key))


def _moving(unit: str, weight: str, *, off: bool) -> str:
    """Whether a ReLU is on, and what becomes of a weight that leads into it."""
    stays = phrase("{unit} is off, so {weight} stays.", unit=unit, weight=weight)
    return stays if off else phrase("{unit} is on, so {weight} moves.", unit=unit, weight=weight)
