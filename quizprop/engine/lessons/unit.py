r"""One unit, as several lessons use it: its formulas, and what goes wrong with them.

The weighted sum z, the activation a, the error E against a target y, and the way back. x, weights and their gradient
are ``(n,)``, everything else is a scalar. Source: Rumelhart, Hinton and Williams (1986).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, Literal

from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.arrays import Array, total
from quizprop.engine.graph import Formula, step
from quizprop.engine.lessons import pieces
from quizprop.engine.losses import LOSSES
from quizprop.engine.misconceptions import MISCONCEPTIONS, ONE_INPUT_ONLY
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import Lesson, Rule
from quizprop.engine.network import Network

__all__ = [
    "UnitActivation",
    "UnitLesson",
    "UnitLoss",
    "activated",
    "at_once",
    "borrowed",
    "by_net_input",
    "by_output",
    "by_weights",
    "check_pairing",
    "erring",
    "sloping",
    "unit_mistakes",
    "unit_rules",
    "weighted",
]

UnitActivation = Literal["sigmoid", "tanh", "identity"]
UnitLoss = Literal["half_sse", "bce"]


def check_pairing(activation: str, loss: str) -> None:
    """Cross-entropy belongs to the sigmoid.

    Raises:
        ValueError: it stands with another activation.
    """
    if loss == "bce" and activation != "sigmoid":
        raise ValueError(f"loss: bce needs sigmoid, not {activation}; change one of the two")


def at_once(activation: str, loss: str) -> bool:
    """Whether delta is output minus target at once: the slope cancels, or is 1 everywhere."""
    return loss == "bce" or activation == "identity"


_ROLES: Final[Mapping[str, str]] = MappingProxyType({
    "dE_da": "grad_a", "delta": "grad_z", "t": "y", "weights": "w"
})  # fmt: skip


class UnitLesson(Lesson):
    """A lesson about one unit: the roles of its formulas, and of a network's mistakes, under the lesson's names."""

    __slots__ = ()

    @property
    def roles(self) -> Mapping[str, str]:
        """What some roles are called here; ``weights`` are those that the unit works with."""
        return {}

    def source(self, role: str, layer: int | None) -> str:
        """As in any lesson, but for the ``roles``."""
        return super().source(self.roles.get(role, _ROLES.get(role, role)), layer)


# --- forward --------------------------------------------------------------------------------------------------------


def weighted_sum(weights: Array, x: Array, b: Array) -> Array:
    """The weighted sum of what comes in, plus the bias."""
    return total(weights * x, -1) + b


def weighted_sum_alone(weights: Array, x: Array) -> Array:
    """The weighted sum of what comes in; the unit has no bias."""
    return total(weights * x, -1)


def weighted(
    stem: str, *, bias: bool, text: str, symbol: str, weights: str = "weights", phase: str = "forward"
) -> Formula:
    """The net input."""
    latex = r"z = \sum_k w_k\,x_k + b" if bias else r"z = \sum_k w_k\,x_k"
    reads = (weights, "x", "b") if bias else (weights, "x")
    words = step(stem, title="net input", latex=latex, phase=phase, text=text, symbol=symbol, reads=reads)
    return words(weighted_sum if bias else weighted_sum_alone)


def activated(
    activation: str, stem: str = "a", *, text: str, symbol: str, z: str = "z", phase: str = "forward"
) -> Formula:
    """The activation of a net input."""
    return pieces.activated(activation, stem, z=z, latex=_plain, text=text, symbol=symbol, phase=phase)


def erring(
    loss: str, stem: str, *, text: str, symbol: str, reads: str = "a", title: str = "error", phase: str = "loss"
) -> Formula:
    """The error of an output against the target."""
    kind = LOSSES[loss]
    words = step(
        stem,
        title=title,
        latex=_plain(kind.latex),
        phase=phase,
        text=text,
        symbol=symbol,
        idea=kind.idea,
        reads=(reads, "y"),
    )
    return words(kind.error)


# --- and back -------------------------------------------------------------------------------------------------------


def by_output(loss: str, *, text: str, symbol: str, error: str = "E") -> Formula:
    """How the error changes with the output."""
    kind = LOSSES[loss]
    words = step(
        "grad_a",
        title="derivative of the error by the activation",
        latex=rf"\frac{{\partial {error}}}{{\partial a}} = {_plain(kind.derivative_latex)}",
        phase="backward",
        text=text,
        symbol=symbol,
        idea=kind.derivative_idea,
        reads=("a", "y"),
    )
    return words(kind.derivative)


def sloping(activation: str, *, text: str, symbol: str) -> Formula:
    """How the output changes with the net input."""
    return pieces.sloping(activation, latex=_slope, text=text, symbol=symbol)


def chained(grad_a: Array, da_dz: Array) -> Array:
    """The chain rule through the activation."""
    return grad_a * da_dz


def difference(a: Array, y: Array) -> Array:
    """Output minus target: the slope has cancelled, or is 1."""
    return a - y


def by_net_input(activation: str, loss: str, *, text: str, symbol: str, error: str = "E") -> Formula:
    """Delta: how the error changes with the net input."""
    chain = rf"\delta = \frac{{\partial {error}}}{{\partial a}}\,\frac{{\mathrm{{d}} a}}{{\mathrm{{d}} z}}"
    short = at_once(activation, loss)
    latex = r"\delta = a - y" if short else chain
    words = step("grad_z", title="delta", latex=latex, phase="backward", text=text, symbol=symbol)
    return words(difference if short else chained)


def times_input(grad_z: Array, x: Array) -> Array:
    """Delta times what came in along each weight."""
    return grad_z[..., None] * x


def by_weights(stem: str, *, text: str, symbol: str, title: str = "gradient of a weight", error: str = "E") -> Formula:
    """How the error changes with each weight."""
    latex = rf"\frac{{\partial {error}}}{{\partial w_k}} = \delta\,x_k"
    return step(stem, title=title, latex=latex, phase="gradients", text=text, symbol=symbol)(times_input)


# --- what goes wrong ------------------------------------------------------------------------------------------------


def unit_mistakes(
    activation: str, loss: str, *, bias: bool, inputs: int, error: str = "E", gradient: str = "grad_w"
) -> tuple[Misconception, ...]:
    """What goes wrong at a unit; ``error`` and ``gradient`` are the lesson's stems for these two."""
    stems = {"a": "a", "e": error, "dE_da": "grad_a", "da_dz": "da_dz", "delta": "grad_z"}
    if activation == "identity":
        stems = {"a": "a", "e": error, "dE_da": "grad_z"}
    elif loss == "bce":
        stems = {"a": "a", "e": error, "delta": "grad_z"}
    return (
        *(_SUM_WITH_BIAS if bias else ()),
        *_sum_of_inputs(bias=bias, inputs=inputs),
        *borrowed(activation, loss, stems),
        Misconception(
            "input_left_out",
            gradient,
            "input left out",
            "This is the delta alone. A weight's gradient is delta times what comes *in* along that weight.",
            (lambda grad_z, x: grad_z[..., None] + 0 * x,),
        ),
        Misconception(
            "weight_for_input",
            gradient,
            "weight instead of input",
            "Delta was multiplied by the weight. The derivative of w times x by w is what the weight multiplies: "
            "the input.",
            (lambda grad_z, weights: grad_z[..., None] * weights,),
        ),
        Misconception(
            "own_output",
            gradient,
            "the unit's own output",
            "Delta was multiplied by the output of the unit itself. Take the input at the *start* of the weight.",
            (lambda grad_z, a, x: grad_z[..., None] * a[..., None] + 0 * x,),
        ),
        *(() if at_once(activation, loss) else (_error_for_delta(gradient),)),
    )


_SUM_WITH_BIAS: Final = (
    Misconception(
        "bias_left_out",
        "z",
        "bias left out",
        "The bias is missing. Think of it as one more weight, on an input that is always 1.",
        (weighted_sum_alone,),
    ),
    Misconception(
        "bias_subtracted",
        "z",
        "bias subtracted",
        "The bias was taken away. A net input adds it, whatever its own sign.",
        (lambda weights, x, b: total(weights * x, -1) - b,),
    ),
)


def _sum_of_inputs(*, bias: bool, inputs: int) -> tuple[Misconception, ...]:
    added = "Weight and input were added. Along a connection they are multiplied; only the products are added up."
    forms: tuple[Callable[..., Array], ...]
    if bias:
        forms = (lambda weights, x, b: (weights + x).sum(-1) + b, lambda weights, x, b: weights[..., 0] * x[..., 0] + b)
    else:
        forms = (lambda weights, x: (weights + x).sum(-1), lambda weights, x: weights[..., 0] * x[..., 0])
    found = (
        Misconception("weight_added", "z", "weight and input added", added, forms[:1]),
        Misconception("one_input_only", "z", "one input only", ONE_INPUT_ONLY, forms[1:]),
    )
    return found if inputs > 1 else found[:1]


def _error_for_delta(gradient: str) -> Misconception:
    return Misconception(
        "error_for_delta",
        gradient,
        "error instead of delta",
        "The derivative by the activation was used. A gradient needs the delta, which has the slope in it.",
        (lambda grad_a, x: grad_a[..., None] * x,),
    )


def borrowed(activation: str, loss: str, stems: Mapping[str, str]) -> tuple[Misconception, ...]:
    """What goes wrong at a single output unit, from the library of the fully connected network.

    Args:
        activation: of the unit.
        loss: of the unit.
        stems: the lesson's stems by those of the network.
    """
    network = Network(layers=(2, 1), activations=(activation,), loss=loss)
    return tuple(
        replace(kind, stem=stems[kind.stem], applies=_anywhere)
        for kind in MISCONCEPTIONS
        if kind.stem in stems and not kind.after and kind.applies(network, network.depth)
    )


def _anywhere(_lesson: Any, _layer: int | None) -> bool:  # noqa: ANN401 - any lesson
    return True


# --- the conventions ------------------------------------------------------------------------------------------------


def unit_rules(activation: str, loss: str, *, error: str = "E") -> tuple[Rule, ...]:
    """Its activation and its loss, by the letter of the error."""
    return (
        Rule("Activation", ACTIVATIONS[activation].title, _plain(ACTIVATIONS[activation].latex)),
        Rule("Error", LOSSES[loss].title, _plain(LOSSES[loss].latex).replace("E", error, 1)),
    )


def _plain(latex: str) -> str:
    """Without the indices of units, and the target called y."""
    return re.sub(r"(?<![a-zA-Z\\])t(?![a-zA-Z])", "y", latex.replace("_j", "").replace("_k", ""))


def _slope(latex: str) -> str:
    return rf"\frac{{\mathrm{{d}} a}}{{\mathrm{{d}} z}} = {_plain(latex)}"
