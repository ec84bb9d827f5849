r"""A gradient checked by hand: the central difference of the error against backpropagation.

One unit, or two in a chain; the weight that is checked is the first. Every value is a scalar, and everything marked up
or down belongs to that weight moved by epsilon. Sources: Bishop, "Pattern Recognition and Machine Learning" (2006),
ch. 5.3.3; the relative difference is that of A. Ng's course, with the sum of both sizes below the line.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal

import numpy as np

from quizprop.engine.arrays import Array
from quizprop.engine.graph import Formula, Quantity, step
from quizprop.engine.lessons.unit import (
    UnitLesson,
    UnitLoss,
    activated,
    at_once,
    borrowed,
    by_net_input,
    by_output,
    check_pairing,
    erring,
    sloping,
    unit_rules,
)
from quizprop.engine.misconceptions import ACTIVATION_SKIPPED, NET_INPUT_PASSED_ON
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import POSITIVE, Given, Rule, Shape

__all__ = ["GradientCheck"]

# --- forward --------------------------------------------------------------------------------------------------------


def net_input(w: Array, a_prev: Array, b: Array) -> Array:
    """Weight times what comes in, plus the bias."""
    return w * a_prev + b


def summed(stem: str, weight: str, came_in: str, *, text: str, symbol: str, phase: str = "forward") -> Formula:
    """The net input of a unit, with its own weight or with the moved one."""
    words = step(
        stem,
        title="net input",
        latex=r"z = w\,a + b",
        phase=phase,
        text=text,
        symbol=symbol,
        reads=(weight, came_in, "b"),
    )
    return words(net_input)


# --- back -----------------------------------------------------------------------------------------------------------


@step(
    "grad_a",
    title="derivative of the error by the activation",
    latex=r"\frac{\partial E}{\partial a_1} = w_2\,\delta_2",
    phase="backward",
    text="∂E/∂a_$l",
    symbol=r"\frac{\partial E}{\partial a_{$l}}",
)
def grad_a_hidden(w_next: Array, grad_z_next: Array) -> Array:
    """What comes back along the only weight between the units."""
    return w_next * grad_z_next


@step(
    "grad_w",
    title="gradient by backpropagation",
    latex=r"\frac{\partial E}{\partial w_1} = \delta_1\,x",
    phase="gradients",
    text="∂E/∂w_$l",
    symbol=r"\frac{\partial E}{\partial w_{$l}}",
)
def grad_w(grad_z: Array, x: Array) -> Array:
    """Delta times what comes in along the weight."""
    return grad_z * x


# --- the check ------------------------------------------------------------------------------------------------------


@step(
    "w_up",
    title="weight moved up",
    latex=r"w^{\uparrow} = w + \epsilon",
    phase="check",
    text="w_$l↑",
    symbol=r"w_{$l}^{\uparrow}",
)
def w_up(w: Array, epsilon: Array) -> Array:
    """A little more of the one weight; everything else stays."""
    return w + epsilon


@step(
    "w_down",
    title="weight moved down",
    latex=r"w^{\downarrow} = w - \epsilon",
    phase="check",
    text="w_$l↓",
    symbol=r"w_{$l}^{\downarrow}",
)
def w_down(w: Array, epsilon: Array) -> Array:
    """A little less of the one weight; everything else stays."""
    return w - epsilon


@step(
    "numeric",
    title="numerical derivative",
    latex=r"\frac{E^{\uparrow} - E^{\downarrow}}{2\,\epsilon}",
    phase="check",
    text="ΔE/Δw",
    symbol=r"\frac{\Delta E}{\Delta w}",
)
def numeric(E_up: Array, E_down: Array, epsilon: Array) -> Array:
    """The central difference: what the error has risen by, over how far the weight was moved in all."""
    return (E_up - E_down) / (2 * epsilon)


@step(
    "difference",
    title="difference of the two derivatives",
    latex=r"d = \left|\frac{\Delta E}{\Delta w} - \frac{\partial E}{\partial w}\right|",
    phase="check",
    text="d",
    symbol="d",
)
def difference(numeric: Array, grad_w: Array) -> Array:
    """How far the two are apart, whichever is larger."""
    return np.abs(numeric - grad_w)


@step(
    "relative",
    title="relative difference",
    latex=r"r = \frac{d}{\left|\frac{\Delta E}{\Delta w}\right| + \left|\frac{\partial E}{\partial w}\right|}",
    phase="check",
    text="r",
    symbol="r",
)
def relative(difference: Array, numeric: Array, grad_w: Array) -> Array:
    """Measured by the size of both, so that small gradients are not excused."""
    return difference / (np.abs(numeric) + np.abs(grad_w))


# --- what goes wrong ------------------------------------------------------------------------------------------------


def first(_lesson: "GradientCheck", layer: int | None) -> bool:
    """In the unit whose weight is checked."""
    return layer == 1


def hidden(lesson: "GradientCheck", layer: int | None) -> bool:
    """Below the output."""
    return layer != lesson.layers


def output(lesson: "GradientCheck", layer: int | None) -> bool:
    """In the output unit."""
    return layer == lesson.layers


def above(_lesson: "GradientCheck", layer: int | None) -> bool:
    """Above the unit whose weight is checked."""
    return layer != 1


NOT_MOVED = "This is the value with the old weight. With the moved weight the forward pass is done anew."

_FORWARD: Final = (
    Misconception(
        "bias_left_out",
        "z",
        "bias left out",
        "The bias is missing. Think of it as one more weight, on an input that is always 1.",
        (lambda w, a_prev: w * a_prev,),
    ),
    Misconception(
        "bias_subtracted",
        "z",
        "bias subtracted",
        "The bias was taken away. A net input adds it, whatever its own sign.",
        (lambda w, a_prev, b: w * a_prev - b,),
    ),
    Misconception(
        "weight_added",
        "z",
        "weight and input added",
        "Weight and input were added. Along a connection they are multiplied.",
        (lambda w, a_prev, b: w + a_prev + b,),
    ),
    Misconception(
        "net_input_passed_on",
        "z",
        "net input passed on",
        NET_INPUT_PASSED_ON,
        (lambda w, z_prev, b: w * z_prev + b,),
        above,
    ),
)

_BACK: Final = (
    Misconception(
        "weights_left_out",
        "grad_a",
        "weight left out",
        "The delta came back without its weight. What flows back along a connection is weight times delta.",
        (lambda grad_z_next: grad_z_next,),
        hidden,
    ),
    Misconception(
        "error_for_delta",
        "grad_a",
        "error instead of delta",
        "The raw error was sent back. What comes back along a weight is the *delta* of the unit above.",
        (lambda w_next, a_next, y: w_next * (a_next - y),),
        lambda lesson, layer: hidden(lesson, layer) and lesson.loss == "half_sse",
    ),
    Misconception(
        "own_weight",
        "grad_a",
        "the weight below",
        "This is the weight that arrives at the unit. The error comes back along the one that *leaves* it.",
        (lambda w, grad_z_next: w * grad_z_next,),
        hidden,
    ),
    Misconception(
        "input_left_out",
        "grad_w",
        "input left out",
        "This is the delta alone. A weight's gradient is delta times what comes *in* along that weight.",
        (lambda grad_z: grad_z,),
    ),
    Misconception(
        "weight_for_input",
        "grad_w",
        "weight instead of input",
        "Delta was multiplied by the weight. The derivative of w times x by w is what the weight multiplies: the "
        "input.",
        (lambda grad_z, w: grad_z * w,),
    ),
    Misconception(
        "own_output",
        "grad_w",
        "the unit's own output",
        "Delta was multiplied by the output of the unit itself. Take the input at the *start* of the weight.",
        (lambda grad_z, a: grad_z * a,),
    ),
)

_CHECK: Final = (
    Misconception(
        "not_moved",
        "w_up",
        "weight not moved",
        "This is the old weight. For the check it is moved by epsilon, once up and once down.",
        (lambda w: w,),
    ),
    Misconception(
        "moved_the_other_way",
        "w_up",
        "moved the other way",
        "The weight was moved down. Here it goes up: epsilon is added, whatever the sign of the weight.",
        (lambda w, epsilon: w - epsilon,),
    ),
    Misconception(
        "not_moved",
        "w_down",
        "weight not moved",
        "This is the old weight. For the check it is moved by epsilon, once up and once down.",
        (lambda w: w,),
    ),
    Misconception(
        "moved_the_other_way",
        "w_down",
        "moved the other way",
        "The weight was moved up. Here it goes down: epsilon is taken away, whatever the sign of the weight.",
        (lambda w, epsilon: w + epsilon,),
    ),
    Misconception(
        "one_sided",
        "numeric",
        "one side only",
        "Only one side was moved. The central difference takes the errors on both sides of the weight.",
        (
            lambda E_up, E, epsilon: (E_up - E) / epsilon,
            lambda E, E_down, epsilon: (E - E_down) / epsilon,
        ),
    ),
    Misconception(
        "one_side_over_two",
        "numeric",
        "one side over both steps",
        "Only one side was moved, but both steps were divided out. From up to down it is twice epsilon.",
        (
            lambda E_up, E, epsilon: (E_up - E) / (2 * epsilon),
            lambda E, E_down, epsilon: (E - E_down) / (2 * epsilon),
        ),
    ),
    Misconception(
        "two_left_out",
        "numeric",
        "factor 2 left out",
        "This was divided by epsilon. From the weight moved down to the weight moved up it is twice as far.",
        (lambda E_up, E_down, epsilon: (E_up - E_down) / epsilon,),
    ),
    Misconception(
        "not_divided",
        "numeric",
        "not divided by the step",
        "This is by how much the error differs. A derivative is that per unit of the weight: divide by how far it "
        "was moved.",
        (lambda E_up, E_down: E_up - E_down,),
    ),
    Misconception(
        "sign_flipped",
        "numeric",
        "down less up",
        "The difference is the wrong way round: the error with more weight less the error with less of it.",
        (lambda E_up, E_down, epsilon: (E_down - E_up) / (2 * epsilon),),
    ),
    Misconception(
        "sum_for_difference",
        "difference",
        "added",
        "The two derivatives were added. The question is how far they are apart.",
        (lambda numeric, grad_w: np.abs(numeric + grad_w),),
    ),
    Misconception(
        "sign_kept",
        "difference",
        "sign kept",
        "This has a sign. The distance of two numbers is never negative.",
        (lambda numeric, grad_w: numeric - grad_w,),
        where=lambda numeric, grad_w: numeric < grad_w,
    ),
    Misconception(
        "ratio_for_difference",
        "difference",
        "divided",
        "One derivative was divided by the other. First take their difference; what to measure it by comes after.",
        (lambda numeric, grad_w: numeric / grad_w,),
    ),
    Misconception(
        "not_divided",
        "relative",
        "not divided",
        "This is the difference itself. Relative to the gradients it says whether it is large or small.",
        (lambda difference: difference,),
    ),
    Misconception(
        "one_size_only",
        "relative",
        "measured by one of the two",
        "The difference was measured by one of the derivatives. Here the sizes of both stand below the line.",
        (
            lambda difference, numeric: difference / np.abs(numeric),
            lambda difference, grad_w: difference / np.abs(grad_w),
        ),
    ),
    Misconception(
        "per_cent",
        "relative",
        "per cent",
        "This is in per cent. Here the plain ratio is asked; see the conventions.",
        (lambda difference, numeric, grad_w: 100 * difference / (np.abs(numeric) + np.abs(grad_w)),),
    ),
)


def _moved(side: str, moved_input: Callable[..., Array]) -> Iterator[Misconception]:
    """What goes wrong on the way from the moved weight to its error."""
    yield Misconception("not_moved", f"z_{side}", "weight not moved", NOT_MOVED, (lambda z: z,))
    yield Misconception(
        "net_input_moved",
        f"z_{side}",
        "net input moved",
        "The net input was moved by epsilon. It is the weight that moves, and it is multiplied by its input.",
        (moved_input,),
        first,
    )
    yield Misconception("not_moved", f"a_{side}", "weight not moved", NOT_MOVED, (lambda a: a,))
    yield Misconception("not_moved", f"E_{side}", "weight not moved", NOT_MOVED, (lambda E: E,))


_MOVED: Final = (
    *_moved("up", lambda z, epsilon: z + epsilon),
    *_moved("down", lambda z, epsilon: z - epsilon),
    Misconception("activation_skipped", "a_up", "activation skipped", ACTIVATION_SKIPPED, (lambda z_up: z_up,)),
    Misconception("activation_skipped", "a_down", "activation skipped", ACTIVATION_SKIPPED, (lambda z_down: z_down,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientCheck(UnitLesson):
    """A unit, or a chain of two units, whose first weight is moved up and down."""

    kind: ClassVar[str] = "gradient_check"
    activation: Literal["sigmoid", "tanh"] = "sigmoid"
    loss: UnitLoss = "half_sse"
    layers: Literal[1, 2] = 1

    def __post_init__(self) -> None:
        check_pairing(self.activation, self.loss)

    def given(self) -> tuple[Given, ...]:
        """The example, the units, and how far the weight is moved."""
        return tuple(self._given())

    def _given(self) -> Iterator[Given]:
        yield Given("x", (), "Input", "x", "x")
        yield Given("y", (), "Target", "y", "y")
        for layer in range(1, self.layers + 1):
            place = f"_{layer}" if self.layers > 1 else ""
            yield Given(f"w{layer}", (), "Weight", f"w{place}", f"w{place}")
            yield Given(f"b{layer}", (), "Bias", f"b{place}", f"b{place}")
        yield Given("epsilon", (), "Epsilon", "ε", r"\epsilon", within=POSITIVE)

    def quantities(self) -> tuple[Quantity, ...]:
        """Backpropagation first, then the forward pass with more and with less of the weight."""
        layers, last = range(1, self.layers + 1), self.layers
        return (
            *(self._at(layer, formula) for layer in layers for formula in self._forward()),
            self._at(last, erring(self.loss, "E", text="E", symbol="E"), named="E"),
            *(self._at(layer, formula) for layer in reversed(layers) for formula in self._backward(layer)),
            self._at(1, grad_w),
            *self._moved(w_up, "up", "↑", r"\uparrow"),
            *self._moved(w_down, "down", "↓", r"\downarrow"),
            *(self._at(1, formula, named=formula.stem) for formula in (numeric, difference, relative)),
        )

    def _forward(self) -> Iterator[Formula]:
        yield summed("z", "w", "a_prev", text="z_$l", symbol="z_{$l}")
        yield activated(self.activation, text="a_$l", symbol="a_{$l}")

    def _backward(self, layer: int) -> Iterator[Formula]:
        text, symbol = "∂E/∂a_$l", r"\frac{\partial E}{\partial a_{$l}}"
        top = layer == self.layers
        fused = top and at_once(self.activation, self.loss)
        if not fused:
            yield by_output(self.loss, text=text, symbol=symbol) if top else grad_a_hidden
            yield sloping(self.activation, text="da_$l/dz_$l", symbol=r"\frac{\mathrm{d} a_{$l}}{\mathrm{d} z_{$l}}")
        loss = self.loss if fused else "half_sse"
        yield by_net_input(self.activation, loss, text="δ_$l", symbol=r"\delta_{$l}")

    def _moved(self, weight: Formula, side: str, arrow: str, latex: str) -> Iterator[Quantity]:
        yield self._at(1, weight, named=f"w_{side}")
        for layer in range(1, self.layers + 1):
            came = (f"w_{side}", "x") if layer == 1 else ("w", f"a_{side}_prev")
            words = {"text": f"z_$l{arrow}", "symbol": f"z_{{$l}}^{{{latex}}}", "phase": "check"}
            yield self._at(layer, summed(f"z_{side}", *came, **words))
            words = {"text": f"a_$l{arrow}", "symbol": f"a_{{$l}}^{{{latex}}}", "phase": "check"}
            yield self._at(layer, activated(self.activation, f"a_{side}", z=f"z_{side}", **words))
        words = {"text": f"E{arrow}", "symbol": f"E^{{{latex}}}", "phase": "check"}
        error = erring(self.loss, f"E_{side}", reads=f"a_{side}", title="error with the moved weight", **words)
        yield self._at(self.layers, error, named=f"E_{side}")

    def _at(self, layer: int, formula: Formula, *, named: str | None = None) -> Quantity:
        if self.layers == 1:  # a single unit needs no number
            symbol = formula.symbol.replace("_{$l}", "")
            formula = replace(formula, text=formula.text.replace("_$l", ""), symbol=symbol)
        return self.place(formula, layer, named=named)

    def source(self, role: str, layer: int | None) -> str:
        """What comes into the first unit is the input."""
        # Named: super() does not work in a dataclass with slots.
        name = UnitLesson.source(self, role, layer)
        return "x" if name == "a0" else name

    @property
    def layered(self) -> frozenset[str]:
        """What each unit has of its own."""
        stems = ("w", "b", "z", "a", "grad_a", "da_dz", "grad_z", "grad_w", "z_up", "a_up", "z_down", "a_down")
        return frozenset(stems)

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong in backpropagation, and in the check."""
        return (
            *_FORWARD,
            *self._borrowed(),
            *(kind for kind in _BACK if self.layers > 1 or kind.applies is not hidden),
            *_MOVED,
            *_CHECK,
        )

    def _borrowed(self) -> Iterator[Misconception]:
        top = {"a": "a", "e": "E", "dE_da": "grad_a", "da_dz": "da_dz", "delta": "grad_z"}
        if at_once(self.activation, self.loss):
            top = {"a": "a", "e": "E", "delta": "grad_z"}
        below = {"a": "a", "da_dz": "da_dz", "delta": "grad_z"}
        yield from (replace(kind, applies=output) for kind in borrowed(self.activation, self.loss, top))
        yield from (replace(kind, applies=hidden) for kind in borrowed(self.activation, "half_sse", below))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Activation, error, and what is compared."""
        return (
            *unit_rules(self.activation, self.loss),
            Rule("Moved", "the first weight alone", r"w^{\uparrow} = w + \epsilon,\; w^{\downarrow} = w - \epsilon"),
            Rule("Central difference", "", rf"\frac{{\Delta E}}{{\Delta w}} = {numeric.latex}"),
            Rule("Relative difference", "", relative.latex),
        )

    @property
    def sketch(self) -> Shape:
        """One unit a layer."""
        return (1,) * (self.layers + 1)

    @property
    def outline(self) -> str:
        """How many units there are."""
        return "one unit" if self.layers == 1 else "two units in a chain"
