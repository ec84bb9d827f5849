"""The rules of a sheet in one strip: how exact, which loss and activations, what becomes of the biases, which step."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.losses import LOSSES
from quizprop.engine.model import Lesson
from quizprop.engine.network import Network
from quizprop.engine.words import phrase
from quizprop.exercise.cells import Phase
from quizprop.exercise.figures import exact, figure_latex
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import symbol

__all__ = ["Convention", "activation_latex", "conventions", "loss_latex"]

_BIASES: Final = {
    ("unit", ""): phrase("one a unit"),
    ("unit", "trained"): phrase("one a unit; trained too"),
    ("unit", "kept"): phrase("one a unit; not trained"),
    ("shared", ""): phrase("one a layer, shared"),
    ("shared", "trained"): phrase("one a layer, shared; trained too"),
    ("shared", "kept"): phrase("one a layer, shared; not trained"),
    ("none", ""): phrase("none"),
}

# How each notation writes the loss's own letters; plain keeps them.
_LETTERS: Final[Mapping[str, Mapping[str, str]]] = {
    "mazur": {"a": r"\text{out}", "z": r"\text{net}", "t": r"\text{target}"},
    "course": {"a": "a", "z": "z", "t": "y"},
    "matrix": {"a": "a", "z": "z", "t": "y"},
    "plain": {"a": "a", "z": "z", "t": "t"},
}


@dataclass(frozen=True, slots=True)
class Convention:
    """A rule: its name, words, and LaTeX where a formula says it."""

    name: str
    words: str = ""
    latex: str = ""


def conventions(instance: Instance, notation: str) -> tuple[Convention, ...]:
    """The rules that matter for what this sheet asks."""
    rounded = Convention(phrase("Carry"), phrase("{places} decimals", places=instance.exercise.places))
    carry = rounded if instance.plan.rounded else Convention(phrase("Answers"), phrase("whole numbers"))
    if isinstance(instance.model, Lesson):
        return (carry, *(Convention(rule.name, rule.words, rule.latex) for rule in instance.model.rules))
    return (carry, *_conventions(instance, instance.model, notation))


def _conventions(instance: Instance, network: Network, notation: str) -> Iterator[Convention]:
    phases = {cell.phase for cell in instance.cells}
    if any("eta" in cell.depends_on for cell in instance.cells):
        rate = symbol("eta", network, notation).latex
        yield Convention(phrase("Learning rate"), "", f"{rate} = {figure_latex(exact(instance.given['eta']))}")
    if phases - {Phase.FORWARD}:
        yield Convention(phrase("Loss"), _loss_words(network), loss_latex(network, notation))
    if network.examples > 1 and phases & {Phase.OUTPUT, Phase.HIDDEN}:
        mean = phrase("each of its own example's loss; the mean enters the gradients")
        total = phrase("each of its own example's loss; their sum enters the gradients")
        yield Convention(phrase("Deltas"), mean if network.reduction == "mean" else total)
    yield from _activations(network, notation)
    if phases & {Phase.FORWARD, Phase.UPDATE}:
        stepping = Phase.UPDATE in phases and network.bias != "none"
        policy = "" if not stepping else "trained" if network.update_biases else "kept"
        yield Convention(phrase("Biases"), _BIASES[network.bias, policy])


def _loss_words(network: Network) -> str:
    if network.examples == 1:
        return LOSSES[network.loss].title
    words = {"loss": LOSSES[network.loss].title, "number": network.examples}
    if network.reduction == "mean":
        return phrase("{loss}, averaged over the {number} examples", **words)
    return phrase("{loss}, summed over the {number} examples", **words)


def _activations(network: Network, notation: str) -> Iterator[Convention]:
    """One line where all layers have the same; else one for the hidden layers and one for the output."""
    for name in dict.fromkeys(network.activations):
        where = [number for number, other in enumerate(network.activations, start=1) if other == name]
        if len(where) == network.depth:
            place = phrase("Activation")
        elif where == [network.depth]:
            place = phrase("Output")
        elif network.depth not in where and len(where) == network.depth - 1:
            place = phrase("Hidden")
        else:
            place = phrase("Layer {numbers}", numbers=", ".join(map(str, where)))
        yield Convention(place, ACTIVATIONS[name].title, activation_latex(name, notation))


def activation_latex(name: str, notation: str) -> str:
    """The activation's formula in the letters of a notation."""
    latex = ACTIVATIONS[name].latex
    # Only softmax reads other units than its own: elsewhere the index says nothing.
    return _spelled(latex if name == "softmax" else latex.replace("_j", ""), notation)


def loss_latex(network: Network, notation: str) -> str:
    """The loss as one formula: the sum over outputs and examples, so far as there are several."""
    loss, outputs, examples = LOSSES[network.loss], network.layers[-1], network.examples
    formula = loss.latex.partition(" = ")[2]
    if outputs == 1:
        formula = formula.replace("_k", "")
    sign = "-" if formula.startswith("-") else ""
    several = rf"\frac{{1}}{{{examples}}}" if examples > 1 and network.reduction == "mean" else ""
    several += r"\sum_{\text{all examples}} " if examples > 1 else ""
    if outputs > 1:
        several += (rf"\frac{{1}}{{{outputs}}}" if loss.mean_over_outputs else "") + r"\sum_k "
    total = symbol("E", network, notation).latex
    return f"{total} = {sign}{several}{_spelled(formula.removeprefix('-'), notation)}"


def _spelled(latex: str, notation: str) -> str:
    letters = _LETTERS[notation]
    return re.sub(r"(?<![a-zA-Z\\])([azt])(?![a-zA-Z])", lambda found: letters[found[1]], latex)
