r"""A residual block: what comes in is added to what two layers make of it, and the error comes back by both ways.

W1 and W2 are ``(units, units)``, E and eta scalars, everything else is ``(units,)``. The targets stand at the block's
own outputs. Sources: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition" (2016), where an activation
follows the addition; the same, "Identity Mappings in Deep Residual Networks" (2016), where none does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal

from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.arrays import Array, choose, swap_units, total
from quizprop.engine.graph import Formula, Quantity, step
from quizprop.engine.lessons.pieces import (
    activated,
    affine,
    affine_mistakes,
    by_biases,
    by_biases_mistakes,
    by_weights,
    by_weights_mistakes,
    difference,
    difference_mistakes,
    half_squares,
    half_squares_mistakes,
    of_activation,
    partial,
    product,
    renamed,
    sent_back,
    sent_back_mistakes,
    slope_mistakes,
    sloping,
    step_mistakes,
    updated,
)
from quizprop.engine.mistakes import Misconception, reading
from quizprop.engine.model import POSITIVE, Given, Lesson, Rule, Shape
from quizprop.engine.words import phrase

__all__ = ["Residual"]

_UNITS: Final = 2


# --- forward --------------------------------------------------------------------------------------------------------


def z(reads: str, latex: str) -> Formula:
    """The net inputs of a layer of the branch."""
    formula = rf"z^{{[l]}}_j = \sum_k w^{{[l]}}_{{jk}}\,{latex} + b^{{[l]}}_j"
    words = step(
        "z",
        title="net input",
        latex=formula,
        phase="forward",
        text="z^[$l]_$k",
        symbol="z^{[$l]}_{$k}",
        reads=("W", reads, "b"),
    )
    return words(affine)


def _of_block(latex: str) -> str:
    return renamed(latex, a="y", z="s")


def added(x: Array, z2: Array) -> Array:
    """The skip connection: what came in is added, unchanged, to what the branch has made of it."""
    return x + z2


def addition(stem: str, title: str) -> Formula:
    """Skip and branch come together."""
    latex, symbol = f"{stem}_k = x_k + z^{{[2]}}_k", f"{stem}_{{$k}}"
    return step(stem, title=title, latex=latex, phase="forward", text=f"{stem}_$k", symbol=symbol)(added)


E = step(
    "E",
    title="error",
    latex=r"E = \tfrac{1}{2} \sum_k (t_k - y_k)^2",
    phase="loss",
    text="E",
    symbol="E",
    reads=("y", "t"),
)(half_squares)


# --- backward -------------------------------------------------------------------------------------------------------

grad_y = step(
    "grad_y",
    title="derivative by the block's output",
    latex=rf"{partial('y_k')} = y_k - t_k",
    phase="backward",
    text="∂E/∂y_$k",
    symbol=partial("y_{$k}"),
    reads=("y", "t"),
)(difference)


grad_s = step(
    "grad_s",
    title="derivative by the sum",
    latex=rf"{partial('s_k')} = {partial('y_k')}\,\frac{{\mathrm{{d}} y_k}}{{\mathrm{{d}} s_k}}",
    phase="backward",
    text="∂E/∂s_$k",
    symbol=partial("s_{$k}"),
    reads=("grad_y", "dy_ds"),
)(product)


def passed_on(grad_sum: Array) -> Array:
    """An addition passes the whole derivative on to each of its terms: to the branch too."""
    return grad_sum


def grad_z_of_branch(top: str) -> Formula:
    """The delta with which the branch begins its way back."""
    return step(
        "grad_z",
        title="delta of the branch",
        latex=rf"\delta^{{[2]}}_k = {partial(f'{top}_k')}",
        phase="backward",
        text="δ^[$l]_$k",
        symbol=r"\delta^{[$l]}_{$k}",
        reads=(f"grad_{top}",),
    )(passed_on)


grad_a = step(
    "grad_a",
    title="derivative by the activation",
    latex=rf"{partial('a^{[1]}_k')} = \sum_j w^{{[2]}}_{{jk}}\,\delta^{{[2]}}_j",
    phase="backward",
    text="∂E/∂a^[$l]_$k",
    symbol=partial("a^{[$l]}_{$k}"),
    reads=("W_next", "grad_z_next"),
)(sent_back)

grad_z = step(
    "grad_z",
    title="delta",
    latex=rf"\delta^{{[1]}}_k = {partial('a^{[1]}_k')}\,"
    r"\frac{\mathrm{d} a^{[1]}_k}{\mathrm{d} z^{[1]}_k}",
    phase="backward",
    text="δ^[$l]_$k",
    symbol=r"\delta^{[$l]}_{$k}",
    reads=("grad_a", "da_dz"),
)(product)

branch = step(
    "branch",
    title="what comes back through the branch",
    latex=r"g^{\text{branch}}_k = \sum_j w^{[1]}_{jk}\,\delta^{[1]}_j",
    phase="backward",
    text="g^branch_$k",
    symbol=r"g^{\text{branch}}_{$k}",
    reads=("W1", "grad_z1"),
)(sent_back)


def both_ways(grad_sum: Array, branch: Array) -> Array:
    """What comes back over the skip, unchanged, and what comes back through the branch add up."""
    return grad_sum + branch


def grad_x(top: str) -> Formula:
    """The derivative by the input of the block."""
    return step(
        "grad_x",
        title="derivative by the block's input",
        latex=rf"{partial('x_k')} = {partial(f'{top}_k')} + g^{{\text{{branch}}}}_k",
        phase="backward",
        text="∂E/∂x_$k",
        symbol=partial("x_{$k}"),
        reads=(f"grad_{top}", "branch"),
    )(both_ways)


# --- gradients and update -------------------------------------------------------------------------------------------


def grad_W(reads: str, latex: str) -> Formula:
    """The gradients of a layer's weights."""
    return step(
        "grad_W",
        title="gradient of a weight",
        latex=rf"{partial('w^{[l]}_{jk}')} = \delta^{{[l]}}_j\,{latex}",
        phase="gradients",
        text="∂E/∂w^[$l]_$index",
        symbol=partial("w^{[$l]}_{$index}"),
        reads=("grad_z", reads),
    )(by_weights)


grad_b = step(
    "grad_b",
    title="gradient of a bias",
    latex=rf"{partial('b^{[l]}_j')} = \delta^{{[l]}}_j",
    phase="gradients",
    text="∂E/∂b^[$l]_$k",
    symbol=partial("b^{[$l]}_{$k}"),
)(by_biases)

W_new = updated("W", 2, "weight", text="w^[$l]_$index", latex="w", symbol="w^{[$l]+}_{$index}")
b_new = updated("b", 1, "bias", text="b^[$l]_$k", latex="b", symbol="b^{[$l]+}_{$k}")


# --- what goes wrong ------------------------------------------------------------------------------------------------


def _adding(stem: str) -> tuple[Misconception, ...]:
    return (
        Misconception(
            "skip_left_out",
            stem,
            "skip left out",
            "This is the branch alone. The skip connection adds what came into the block.",
            (lambda z2: z2,),
        ),
        Misconception(
            "skip_twice",
            stem,
            "skip counted twice",
            "The input was added twice. The skip connection carries it once, unchanged.",
            (lambda x, z2: 2 * x + z2,),
        ),
        Misconception(
            "activation_on_skip",
            stem,
            "the branch's activation on the skip",
            "The first layer's activation was added. The skip goes around both layers: it carries the block's *input*.",
            (lambda a1, z2: a1 + z2,),
        ),
        Misconception(
            "multiplied",
            stem,
            "multiplied instead of added",
            "Skip and branch were multiplied. In a residual block they are added.",
            (lambda x, z2: x * z2,),
        ),
    )


def _into_branch(top: str) -> Iterator[Misconception]:
    gradient = f"grad_{top}"
    yield Misconception(
        "gradient_split",
        "grad_z",
        "derivative split in two",
        "The derivative was divided between skip and branch. An addition passes the *whole* of it on to each term.",
        (reading(lambda grad_sum: grad_sum / 2, gradient),),
        _last,
    )
    yield Misconception(
        "switched_again",
        "grad_z",
        "a slope where there is no activation",
        "The delta was switched by the sign of the branch's net input. No activation follows it before the addition.",
        (reading(lambda grad_sum, z: choose(z, grad_sum, 0.0), gradient, "z"),),
        _last,
        where=reading(lambda z: z <= 0, "z"),
    )
    yield from (replace(kind, applies=_first) for kind in slope_mistakes("grad_z", "grad_a", "da_dz"))


def _both_ways(top: str) -> tuple[Misconception, ...]:
    gradient = f"grad_{top}"
    return (
        Misconception(
            "skip_left_out",
            "grad_x",
            "branch only",
            "This came back through the branch alone. The skip connection brings a second part, and the two add up.",
            (lambda branch: branch,),
        ),
        Misconception(
            "branch_left_out",
            "grad_x",
            "skip only",
            "This came back over the skip alone. The input feeds the branch too: add what comes back from there.",
            (reading(lambda grad_sum: grad_sum, gradient),),
        ),
        Misconception(
            "skip_twice",
            "grad_x",
            "skip counted twice",
            "The skip was counted twice. The input takes that way once.",
            (reading(lambda grad_sum, branch: 2 * grad_sum + branch, gradient, "branch"),),
        ),
        Misconception(
            "one_for_gradient",
            "grad_x",
            "1 instead of the derivative",
            "A 1 was added. The skip's own derivative is 1, but it is *multiplied* by what comes back to the sum.",
            (lambda branch: branch + 1,),
        ),
        Misconception(
            "slope_on_skip",
            "grad_x",
            "the branch's slope on the skip",
            "The skip's part was multiplied by a slope of the branch. Nothing stands on the skip: its part comes "
            "back unchanged.",
            (reading(lambda grad_sum, branch, slope: grad_sum * slope + branch, gradient, "branch", "da_dz1"),),
            where=reading(lambda slope: slope != 1, "da_dz1"),
        ),
        Misconception(
            "paths_averaged",
            "grad_x",
            "paths averaged",
            "The two parts were averaged. Changes that reach the error by different ways add up.",
            (reading(lambda grad_sum, branch: (grad_sum + branch) / 2, gradient, "branch"),),
        ),
    )


def _first(_lesson: Lesson, layer: int) -> bool:
    return layer == 1


def _last(_lesson: Lesson, layer: int) -> bool:
    return layer == 2


def _at_layers() -> Iterator[Misconception]:
    """What differs from layer to layer by the name of what comes in."""
    for reads, where in (("x", _first), ("a_prev", _last)):
        kinds = (
            *affine_mistakes("z", "W", reads, "b", square=True),
            *by_weights_mistakes("grad_W", "grad_z", reads, "W", square=True),
            *by_biases_mistakes("grad_b", "grad_z", reads),
        )
        yield from (replace(kind, applies=where) for kind in kinds)
    yield Misconception(
        "net_input_passed_on",
        "z",
        "net input passed on",
        "The first layer passed on its net input. What travels along a weight is the activation.",
        (lambda W, z_prev, b: affine(W, z_prev, b),),
        _last,
    )
    yield Misconception(
        "input_for_activation",
        "z",
        "the block's input in the second layer",
        "The block's input went into the second layer. The skip meets the branch only at its end; here the first "
        "layer's activation comes in.",
        (lambda W, x, b: affine(W, x, b),),
        _last,
    )
    yield Misconception(
        "input_for_activation",
        "grad_W",
        "the block's input instead of the activation",
        "Delta was multiplied by the block's input. The second layer's weights saw the first layer's activation.",
        (lambda grad_z, x: by_weights(grad_z, x),),
        _last,
    )


_BRANCH: Final = (
    *sent_back_mistakes("grad_a", "W_next", "grad_z_next", square=True, updated="W_new_next"),
    Misconception(
        "weights_left_out",
        "branch",
        "weights left out",
        "The deltas came back without their weights. What flows back along a connection is weight times delta.",
        (lambda grad_z1: total(grad_z1, -1, keepdims=True) + 0 * grad_z1,),
    ),
    Misconception(
        "row_for_column",
        "branch",
        "row for column",
        "These are the weights that arrive at a unit above. On the way back the input needs the weights that *leave* "
        "it: a column of the matrix.",
        (lambda W1, grad_z1: sent_back(swap_units(W1), grad_z1),),
    ),
    Misconception(
        "slope_left_out",
        "branch",
        "slope left out",
        "The derivatives by the activations were sent back. Send back the deltas: the slope is part of the way.",
        (lambda W1, grad_a1: sent_back(W1, grad_a1),),
        where=lambda da_dz1: (da_dz1 != 1).any(-1, keepdims=True),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual(Lesson):
    """y = x + W2 f(W1 x + b1) + b2, or an activation of that; two units wide."""

    kind: ClassVar[str] = "residual"
    activation: Literal["relu", "tanh", "sigmoid"] = "relu"
    activated_sum: bool = False

    @property
    def _top(self) -> str:
        """Where skip and branch come together."""
        return "s" if self.activated_sum else "y"

    @property
    def layered(self) -> frozenset[str]:
        """The branch has two layers."""
        return frozenset({
            *("z", "a", "W", "b", "da_dz"),
            *("grad_z", "grad_a", "grad_W", "grad_b", "W_new", "b_new"),
        })  # fmt: skip

    def given(self) -> tuple[Given, ...]:
        """The block's input, its targets and its parameters."""
        square = (_UNITS, _UNITS)
        return (
            Given("x", (_UNITS,), "Input", "x_$k", "x_{$k}"),
            Given("t", (_UNITS,), "Target", "t_$k", "t_{$k}"),
            Given("W1", square, "First weights", "w^[1]_$index", "w^{[1]}_{$index}"),
            Given("b1", (_UNITS,), "First biases", "b^[1]_$k", "b^{[1]}_{$k}"),
            Given("W2", square, "Second weights", "w^[2]_$index", "w^{[2]}_{$index}"),
            Given("b2", (_UNITS,), "Second biases", "b^[2]_$k", "b^{[2]}_{$k}"),
            Given("eta", (), "Learning rate", "η", r"\eta", within=POSITIVE),
        )

    def quantities(self) -> tuple[Quantity, ...]:
        """Through the branch, together with the skip, and back by both ways."""
        top = self._top
        a = activated(self.activation, text="a^[$l]_$k", symbol="a^{[$l]}_{$k}")
        symbol = r"\frac{\mathrm{d} a^{[$l]}_{$k}}{\mathrm{d} z^{[$l]}_{$k}}"
        da_dz = sloping(self.activation, text="da^[$l]_$k/dz^[$l]_$k", symbol=symbol)
        return (
            self.place(z("x", "x_k"), 1),
            self.place(a, 1),
            self.place(z("a_prev", "a^{[1]}_k"), 2),
            *map(self.place, self._output()),
            self.place(grad_z_of_branch(top), 2),
            self.place(grad_a, 1),
            self.place(da_dz, 1),
            self.place(grad_z, 1),
            self.place(branch),
            self.place(grad_x(top)),
            self.place(grad_W("a_prev", "a^{[1]}_k"), 2),
            self.place(grad_b, 2),
            self.place(grad_W("x", "x_k"), 1),
            self.place(grad_b, 1),
            *(self.place(formula, layer) for layer in (2, 1) for formula in (W_new, b_new)),
        )

    def _output(self) -> tuple[Formula, ...]:
        if not self.activated_sum:
            return (addition("y", "output of the block"), E, grad_y)
        words = {"text": "y_$k", "symbol": "y_{$k}", "title": "output of the block"}
        y = activated(self.activation, "y", z="s", latex=_of_block, **words)
        words = {"text": "dy_$k/ds_$k", "symbol": r"\frac{\mathrm{d} y_{$k}}{\mathrm{d} s_{$k}}"}
        dy_ds = sloping(self.activation, "dy_ds", a="y", z="s", latex=_of_block, **words)
        return (addition("s", "sum of skip and branch"), y, E, grad_y, dy_ds, grad_s)

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong in a residual block."""
        top = self._top
        after = (
            *of_activation(self.activation, {"a": "y", "z": "s", "da_dz": "dy_ds"}),
            *slope_mistakes("grad_s", "grad_y", "dy_ds"),
        )
        return (
            *_at_layers(),
            *of_activation(self.activation, {}),
            *_adding(top),
            *(after if self.activated_sum else ()),
            *half_squares_mistakes("E", "y", "t"),
            *difference_mistakes("grad_y", "y", "t"),
            *_into_branch(top),
            *_BRANCH,
            *_both_ways(top),
            *step_mistakes("W", 2),
            *step_mistakes("b", 1),
        )

    @property
    def has_zeros(self) -> bool:
        """A ReLU may be off."""
        return self.activation == "relu"

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Activation, skip and error."""
        kind = ACTIVATIONS[self.activation]
        joined = "y_k = f(x_k + z^{[2]}_k)" if self.activated_sum else "y_k = x_k + z^{[2]}_k"
        words = "the same activation follows the addition" if self.activated_sum else "no activation after the addition"
        return (
            Rule("Activation", kind.title, kind.latex.replace("_j", "")),
            Rule("Skip", words, joined),
            Rule("Error", "half squared error", E.latex),
        )

    @property
    def sketch(self) -> Shape:
        """Two layers of two units."""
        return (_UNITS, _UNITS, _UNITS)

    @property
    def outline(self) -> str:
        """The block, with its activation."""
        return phrase("residual block, {activation}", activation=ACTIVATIONS[self.activation].title)
