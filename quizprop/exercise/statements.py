"""True or false about this network: facts that its exact values decide, far from where rounding could decide them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from quizprop.engine.network import Network
from quizprop.exercise.question import Chance, NoQuestionError, Option, Question
from quizprop.exercise.tolerance import work

if TYPE_CHECKING:
    from quizprop.exercise.instance import Instance

__all__ = ["COUNT", "Fact", "Facts", "statement_questions"]

COUNT: Final = 5

_CLEAR: Final = 4.0
"""So many tolerances a value is away from where the statement would turn."""

_UPHILL: Final = "A positive gradient says that the error grows with the weight, a negative one that it falls."
_DELTA: Final = "A delta is positive where more net input means more error. Compare output and target, then go back."
_DOWNHILL: Final = "The step goes against the gradient: where that is negative, the weight grows."
_CARRIED: Final = "A weight's gradient is the delta where it leads to times the activation that it carries."
_TARGET: Final = "Compare the output with its target: that difference is where the whole way back begins."
_PROMISE: Final = "Work the forward pass with the new weights, and compare the two errors."
_SWITCH: Final = "A ReLU is off where its net input is negative, and on where it is positive."
_BIAS: Final = "The net input is the weighted sum plus the bias: take the bias away and look at the sign."
_FLAT: Final = "An S-shaped activation is flattest far from a net input of 0, whichever way."
_LARGEST: Final = "Softmax keeps the order: the largest net input gets the largest probability."
_BACK: Final = "Back along a weight comes the weight times the delta at its far end: compare the sizes, not the signs."
_STILL: Final = "A unit that is off has a slope of 0: no error comes back to its weights, and the step leaves them."


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
    options = (Option("True", "" if truth else fact.rule), Option("False", fact.rule if truth else ""))
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
                weight, falls = f"{{{key.removeprefix('grad_')}}}", self.value(key) < 0
                lowers, raises = (f"Raising {weight} a little {verb} the error." for verb in ("lowers", "raises"))
                reason = f"{{{key}}} is {'negative' if falls else 'positive'}."
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
                negative, positive = (f"{{{key}}} is {sign}." for sign in ("negative", "positive"))
                below = self.value(key) < 0
                net_input = f"{{{key.replace('delta', 'z')}}}"
                reason = f"A little more {net_input} would {'lower' if below else 'raise'} the error."
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
                larger, smaller = (f"After the step {{{key}}} is {word} than before." for word in ("larger", "smaller"))
                grows = self.value(new) > self.value(key)
                reason = f"{{{gradient}}} is {'negative' if grows else 'positive'}, and the step goes against it."
                yield Fact("step", key, *((larger, smaller) if grows else (smaller, larger)), reason, _DOWNHILL)

    def steepest(self) -> Iterator[Fact]:
        """The largest gradient of the weights that lead into a unit."""
        for layer in self.layers:
            for row in self.rows(f"grad_W{layer}"):
                found = self.top(row, size=True) if len(row) > 1 else None
                if found:
                    into = f"{{unit{layer}[{row[0].partition('[')[2].partition(',')[0]}]}}"
                    true, false = (
                        f"Of the weights into {into}, {{{key.removeprefix('grad_')}}} has the largest gradient in size."
                        for key in found
                    )
                    reason = f"{{{found[0]}}} is farther from 0 than {{{found[1]}}}."
                    yield Fact("steepest", found[0].removeprefix("grad_"), true, false, reason, _CARRIED)

    def outputs(self) -> Iterator[Fact]:
        """Whether an output is too large."""
        depth = self.network.depth
        for output, target in zip(self.keys(f"a{depth}"), self.keys("t"), strict=True):
            difference = self.value(output) - self.value(target)
            if self.clear(difference, output):
                large, small = (f"The output {{{output}}} is too {word}." for word in ("large", "small"))
                above = difference > 0
                reason = f"It lies {'above' if above else 'below'} {{{target}}}."
                yield Fact("output", output, *((large, small) if above else (small, large)), reason, _TARGET)

    def progress(self) -> Iterator[Fact]:
        """Whether the step was of use."""
        if self.clear(self.value("change"), "change"):
            falls, grows = (f"The error {verb} with this step." for verb in ("falls", "grows"))
            fell = self.value("change") < 0
            reason = f"{{E_new}} is {'less' if fell else 'more'} than {{E}}."
            yield Fact("progress", "E", *((falls, grows) if fell else (grows, falls)), reason, _PROMISE)

    def switches(self) -> Iterator[Fact]:
        """Whether a ReLU is off."""
        for layer in self._activated_by("relu"):
            for unit, key in self._single(f"z{layer}"):
                if self.clear(self.value(key), key):
                    off, on = (f"{unit} is {word}." for word in ("off", "on"))
                    below = self.value(key) < 0
                    reason = f"{{{key}}} is {'negative' if below else 'positive'}."
                    yield Fact("switch", key, *((off, on) if below else (on, off)), reason, _SWITCH)

    def still(self) -> Iterator[Fact]:
        """Which weights a step leaves alone: those into a ReLU that is off."""
        for layer in self._activated_by("relu"):
            for unit, key in self._single(f"z{layer}"):
                row = self.rows(f"W{layer}")[int(key.partition("[")[2].rstrip("]")) - 1]
                moved = [self.value(f"grad_{weight}") for weight in row]
                off = self.value(key) < 0
                if self.clear(self.value(key), key) and (off or all(map(self._moves, row))):
                    leaves, changes = (f"The step {verb} the weights into {unit}." for verb in ("leaves", "changes"))
                    leaves = leaves.replace(".", " as they are.")
                    reason = (
                        f"{unit} is {'off' if off else 'on'}, so {{{row[0]}}} {'stays' if not any(moved) else 'moves'}."
                    )
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
                    words = (f"Without its bias, the net input of {unit} would be {sign}." for sign in _SIGNS)
                    negative, positive = words
                    bias = f"{{b{layer}[{key.partition('[')[2]}}}"
                    reason = f"Less {bias}, {{{key}}} is {'negative' if rest < 0 else 'positive'}."
                    yield Fact(
                        "bias", key, *((negative, positive) if rest < 0 else (positive, negative)), reason, _BIAS
                    )

    def saturation(self) -> Iterator[Fact]:
        """Which unit of a layer is the closest to saturation."""
        for layer in self._activated_by("sigmoid", "tanh"):
            units = {key: unit for unit, key in self._single(f"z{layer}")}
            found = self.top(list(units), size=True) if len(units) > 1 else None
            if found:
                true, false = (f"Of its layer, {units[key]} is the closest to saturation." for key in found)
                reason = f"{{{found[0]}}} lies farther from 0 than {{{found[1]}}}."
                yield Fact("saturation", found[0], true, false, reason, _FLAT)

    def largest(self) -> Iterator[Fact]:
        """Which class softmax finds the likeliest."""
        for layer in self._activated_by("softmax"):
            for row in self.rows(f"a{layer}"):
                found = self.top(row, size=False)
                if found:
                    true, false = (f"{{{key}}} is the largest of the probabilities." for key in found)
                    net_inputs = [key.replace("a", "z", 1) for key in found]
                    reason = f"{{{net_inputs[0]}}} is the largest net input, above {{{net_inputs[1]}}}."
                    yield Fact("largest", found[0], true, false, reason, _LARGEST)

    def paths(self) -> Iterator[Fact]:
        """Along which weight most of the error comes back to a hidden unit."""
        for layer in range(2, self.network.depth + 1):
            if self.network.layers[layer] == 1 or self.network.examples > 1:
                continue
            for unit, column in enumerate(zip(*self.rows(f"path{layer}"), strict=True), start=1):
                found = self.top(list(column), size=True)
                if found:
                    hidden = f"{{unit{layer - 1}[{unit}]}}"
                    weights = [f"{{{key.replace('path', 'W')}}}" for key in found]
                    true, false = (
                        f"Most of the error that reaches {hidden} comes back along {one}." for one in weights
                    )
                    reason = f"Weight times delta is farther from 0 along {weights[0]} than along {weights[1]}."
                    yield Fact("path", found[0].replace("path", "W"), true, false, reason, _BACK)

    def _activated_by(self, *names: str) -> Iterator[int]:
        return (layer for layer in self.layers if self.network.activations[layer - 1] in names)

    def _single(self, name: str) -> Iterator[tuple[str, str]]:
        """The units of a layer and their cells, where there is a single example."""
        if self.network.examples == 1:
            layer = name.lstrip("z")
            for unit, key in enumerate(np.ravel(self.sheet.structure.keys[name]), start=1):
                yield f"{{unit{layer}[{unit}]}}", str(key)


_SIGNS: Final = ("negative", "positive")
