"""What a network is: its layers, activations, loss and the rules of its training step."""

from dataclasses import dataclass
from itertools import pairwise

from quizprop.engine.backprop import training_step
from quizprop.engine.graph import Graph
from quizprop.engine.misconceptions import MISCONCEPTIONS
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import Model, Shape, resolved

__all__ = ["ACTIVATIONS", "BIASES", "LOSSES", "REDUCTIONS", "Network"]

ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "identity", "softmax")
LOSSES = ("half_sse", "mse", "bce", "cce")
BIASES = ("unit", "shared", "none")
REDUCTIONS = ("mean", "sum")

_ONCE = ("x", "t", "e", "E", "eta", "E_new", "change")
"""What there is once, whatever the number of layers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network(Model):
    """The shape of a fully connected network and of one gradient step on it; it holds no numbers.

    ``layers`` counts the units from the input to the output, ``(2, 2, 2)`` for Mazur's network. Layer 1 is the
    first layer with weights, so ``activations[0]`` belongs to layer 1. ``bias`` is ``"unit"`` (one a unit),
    ``"shared"`` (one a layer, as Mazur draws it) or ``"none"``. ``examples`` is the size of the mini-batch and
    ``reduction`` says whether the loss averages over it or sums.

    Raises:
        ValueError: the parts do not make a network; the message names the part, the rule and a way out.
    """

    layers: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str = "half_sse"
    bias: str = "unit"
    update_biases: bool = True
    examples: int = 1
    reduction: str = "mean"

    def __post_init__(self) -> None:
        if len(self.layers) < 2 or min(self.layers) < 1:
            raise ValueError(
                f"layers: at least an input and an output of one unit each, not {list(self.layers)}; "
                "count the units from the input to the output, as in 2, 2, 2"
            )
        if len(self.activations) != self.depth:
            raise ValueError(
                f"activations: one for each of the {self.depth} layers with weights, not {len(self.activations)}; "
                "the input layer has none"
            )
        for name in self.activations:
            _one_of("activations", name, ACTIVATIONS)
        _one_of("loss", self.loss, LOSSES)
        _one_of("bias", self.bias, BIASES)
        _one_of("reduction", self.reduction, REDUCTIONS)
        if self.examples < 1:
            raise ValueError(f"examples: a mini-batch has at least 1, not {self.examples}; without one, leave it at 1")
        if "softmax" in self.activations[:-1]:
            raise ValueError("activations: softmax belongs to the output layer; use another one in hidden layers")
        for loss, activation in (("cce", "softmax"), ("bce", "sigmoid")):
            if self.loss == loss and self.activations[-1] != activation:
                raise ValueError(
                    f"loss: {loss} needs {activation} in the output layer, not {self.activations[-1]}; "
                    "change one of the two"
                )
        if self.activations[-1] == "softmax" and self.layers[-1] < 2:
            raise ValueError("layers: a softmax of one unit is always 1; give the output layer two units or more")

    @property
    def depth(self) -> int:
        """How many layers have weights."""
        return len(self.layers) - 1

    @property
    def fused(self) -> bool:
        """Whether the output delta is a - t at once: cross-entropy over its own activation."""
        return self.loss in ("bce", "cce")

    @property
    def averages(self) -> bool:
        """Whether a mini-batch is averaged."""
        return self.examples > 1 and self.reduction == "mean"

    @property
    def per_example(self) -> frozenset[str]:
        """Inputs and targets."""
        return frozenset(("x", "t"))

    @property
    def tied(self) -> frozenset[str]:
        """The biases, where a layer shares one."""
        return frozenset(f"b{layer}" for layer in range(1, self.depth + 1) if self.bias == "shared")

    @property
    def has_zeros(self) -> bool:
        """A ReLU that is off gives 0, and so does the cross-entropy of a class that is not the target."""
        return "relu" in self.activations or self.loss == "cce"

    @property
    def sketch(self) -> Shape:
        """The units by layer."""
        return self.layers

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """The library of the fully connected network."""
        return MISCONCEPTIONS

    def graph(self) -> Graph:
        """One training step."""
        return training_step(self)

    def source(self, role: str, layer: int | None) -> str:
        """A role's name in a layer; layer 0 of the activations is the input x."""
        name = role if role in _ONCE else resolved(role, layer)
        return "x" if name == "a0" else name

    def renewed(self, name: str) -> str:
        """The name after the step; inputs, targets and the learning rate stay what they are."""
        return name if name in ("x", "t", "eta") else f"{name}_new"

    def givens(self) -> dict[str, Shape]:
        """Names and shapes of the given arrays of one instance, in reading order."""
        shapes: dict[str, Shape] = {
            "x": (self.examples, self.layers[0]),
            "t": (self.examples, self.layers[-1]),
        }
        for layer, (units_from, units_to) in enumerate(pairwise(self.layers), start=1):
            shapes[f"W{layer}"] = (units_to, units_from)
            if self.bias != "none":
                shapes[f"b{layer}"] = (units_to,)
        return {**shapes, "eta": ()}


def _one_of(part: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{part}: {value!r} is not one of {', '.join(known)}")
