"""What several lessons have in common: affine maps, squared errors and steps, and what goes wrong with them.

A formula takes its inputs by place, and each lesson names them (``reads``); a mistake takes the lesson's names. Units
stand on the last axis, in a matrix to-unit before from-unit; there is no example axis.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from inspect import signature
from typing import Any

import numpy as np

from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.arrays import Array, swap_units, total
from quizprop.engine.graph import Formula, step
from quizprop.engine.misconceptions import (
    ETA_FORGOTTEN,
    MISCONCEPTIONS,
    ONE_INPUT_ONLY,
    SIGN_FLIPPED,
    STEP_ADDED,
    WEIGHTS_TRANSPOSED,
)
from quizprop.engine.mistakes import Misconception, reading
from quizprop.engine.network import Network

__all__ = [
    "Form",
    "activated",
    "affine",
    "affine_mistakes",
    "by_biases",
    "by_biases_mistakes",
    "by_weights",
    "by_weights_mistakes",
    "difference",
    "difference_mistakes",
    "half_squares",
    "half_squares_mistakes",
    "of_activation",
    "of_single_output",
    "of_softmax",
    "partial",
    "product",
    "renamed",
    "sent_back",
    "sent_back_mistakes",
    "slope_mistakes",
    "sloping",
    "step_mistakes",
    "updated",
]

Form = Callable[..., Array]


def partial(of: str, objective: str = "E") -> str:
    """The derivative of the objective in LaTeX."""
    return rf"\frac{{\partial {objective}}}{{\partial {of}}}"


def renamed(latex: str, **letters: str) -> str:
    """LaTeX with other letters for some of its single-letter names."""
    pattern = rf"(?<![a-zA-Z\\])({'|'.join(letters)})(?![a-zA-Z])"
    return re.sub(pattern, lambda found: letters[found[1]], latex)


# --- forward --------------------------------------------------------------------------------------------------------


def affine(W: Array, x: Array, b: Array) -> Array:
    """The weighted sum of what comes in, plus the bias."""
    return total(W * x[..., None, :], -1) + b


def activated(
    activation: str,
    stem: str = "a",
    *,
    z: str = "z",
    title: str = "activation",
    latex: Callable[[str], str] = str,
    text: str,
    symbol: str,
    phase: str = "forward",
    idea: str = "",
) -> Formula:
    """A net input ``z`` after its activation; ``latex`` puts the formula into the lesson's letters."""
    kind = ACTIVATIONS[activation]
    words = step(
        stem,
        title=title,
        latex=latex(kind.latex),
        phase=phase,
        text=text,
        symbol=symbol,
        idea=idea or kind.idea,
        guard=kind.guard,
        reads=(z,),
    )
    return words(kind.function)


def affine_mistakes(stem: str, W: str, x: str, b: str, *, square: bool) -> tuple[Misconception, ...]:
    """What goes wrong in an affine map; a ``square`` matrix can be taken for its transpose."""
    transposed = Misconception(
        "weights_transposed",
        stem,
        "weights transposed",
        WEIGHTS_TRANSPOSED,
        (reading(lambda W, x, b: affine(swap_units(W), x, b), W, x, b),),
    )
    return (
        Misconception(
            "bias_left_out",
            stem,
            "bias left out",
            "The bias is missing. Think of it as one more weight, on an input that is always 1.",
            (reading(lambda W, x: total(W * x[..., None, :], -1), W, x),),
        ),
        Misconception(
            "one_input_only",
            stem,
            "one input only",
            ONE_INPUT_ONLY,
            (reading(lambda W, x, b: W[..., 0] * x[..., :1] + b, W, x, b),),
        ),
        *((transposed,) if square else ()),
    )


def of_activation(activation: str, names: Mapping[str, str]) -> tuple[Misconception, ...]:
    """What goes wrong at an activation and its slope, from the library of the fully connected network.

    Args:
        activation: of a hidden layer.
        names: the lesson's stems for ``a``, ``z`` and ``da_dz``, where they differ.
    """
    network = Network(layers=(2, 2, 2), activations=(activation, "identity"))
    return _borrowed(network, ("a", "da_dz"), names)


def of_softmax(p: str, z: str) -> tuple[Misconception, ...]:
    """What goes wrong at a softmax, from the same library; ``p`` are its shares, ``z`` what goes in."""
    network = Network(layers=(2, 3), activations=("softmax",), loss="cce")
    return _borrowed(network, ("a",), {"a": p, "z": z})


def of_single_output(y: str) -> tuple[Misconception, ...]:
    """What goes wrong in half a squared error E and its derivative, from the same library; ``y`` is the output."""
    network = Network(layers=(1, 1), activations=("identity",))
    return _borrowed(network, ("e", "dE_da"), {"a": y, "e": "E", "dE_da": f"grad_{y}"})


def _borrowed(network: Network, stems: Collection[str], names: Mapping[str, str]) -> tuple[Misconception, ...]:
    def read(form: Form) -> Form:
        return reading(form, *(names.get(name, name) for name in signature(form).parameters))

    return tuple(
        replace(
            kind,
            stem=names.get(kind.stem, kind.stem),
            forms=tuple(map(read, kind.forms)),
            applies=_anywhere,
            where=None if kind.where is None else read(kind.where),
        )
        for kind in MISCONCEPTIONS
        if kind.stem in stems and not kind.after and kind.applies(network, 1)
    )


def _anywhere(_lesson: Any, _layer: int | None) -> bool:  # noqa: ANN401 - any lesson
    return True


# --- error ----------------------------------------------------------------------------------------------------------


def half_squares(y: Array, t: Array) -> Array:
    """Half the sum of the squared differences."""
    return total((t - y) ** 2, -1) / 2


def half_squares_mistakes(stem: str, y: str, t: str) -> tuple[Misconception, ...]:
    """What goes wrong in half a sum of squares."""
    return (
        Misconception(
            "half_left_out",
            stem,
            "half left out",
            "The squares are right, but this error has a factor of one half in front.",
            (reading(lambda y, t: total((t - y) ** 2, -1), y, t),),
        ),
        Misconception(
            "not_squared",
            stem,
            "not squared",
            "The differences were not squared. Without the square, errors of opposite sign would cancel.",
            (
                reading(lambda y, t: total(t - y, -1) / 2, y, t),
                reading(lambda y, t: total(y - t, -1) / 2, y, t),
            ),
        ),
        Misconception(
            "half_squared_too",
            stem,
            "half squared too",
            "The one half was squared along with the difference. Square first, then halve.",
            (reading(lambda y, t: total((t - y) ** 2, -1) / 4, y, t),),
        ),
    )


def difference(y: Array, t: Array) -> Array:
    """Output minus target: the 2 of the square and the half cancel."""
    return y - t


def difference_mistakes(stem: str, y: str, t: str) -> tuple[Misconception, ...]:
    """What goes wrong in the derivative of half a square."""
    return (
        Misconception("sign_flipped", stem, "sign flipped", SIGN_FLIPPED, (reading(lambda y, t: t - y, y, t),)),
        Misconception(
            "factor_two",
            stem,
            "factor two",
            "There is a 2 too many: it comes down from the square and cancels with the one half of this error.",
            (reading(lambda y, t: 2 * (y - t), y, t),),
        ),
    )


# --- backward -------------------------------------------------------------------------------------------------------


def sent_back(W: Array, grad_z: Array) -> Array:
    """The deltas of the layer above, each by the weight along which it comes back, added up."""
    return total(W * grad_z[..., :, None], -2)


def sent_back_mistakes(stem: str, W: str, grad_z: str, *, square: bool, updated: str = "") -> tuple[Misconception, ...]:
    """What goes wrong on the way back through a matrix; ``updated`` is its name after the step."""
    row = Misconception(
        "row_for_column",
        stem,
        "row for column",
        "These are the weights that arrive at a unit above. On the way back a unit needs the weights that *leave* it: "
        "a column of the matrix.",
        (reading(lambda W, grad_z: sent_back(swap_units(W), grad_z), W, grad_z),),
    )
    early = Misconception(
        "updated_weights",
        stem,
        "updated weights",
        "The error went back through the *updated* weights. Use those of the forward pass; all updates happen "
        "together, at the end.",
        (reading(sent_back, updated, grad_z),),
    )
    return (
        Misconception(
            "one_path_only",
            stem,
            "one path only",
            "Only one path was counted. This unit feeds every unit above: add up what comes back along each weight.",
            (
                reading(lambda W, grad_z: W[..., 0, :] * grad_z[..., :1], W, grad_z),
                reading(lambda W, grad_z: W[..., -1, :] * grad_z[..., -1:], W, grad_z),
            ),
        ),
        Misconception(
            "weights_left_out",
            stem,
            "weights left out",
            "The deltas came back without their weights. What flows back along a connection is weight times delta.",
            (reading(lambda W, grad_z: total(grad_z[..., :, None] + 0 * W, -2), W, grad_z),),
        ),
        *((row,) if square else ()),
        *((early,) if updated else ()),
    )


def sloping(
    activation: str,
    stem: str = "da_dz",
    *,
    a: str = "a",
    z: str = "z",
    latex: Callable[[str], str] = str,
    text: str,
    symbol: str,
) -> Formula:
    """The slope of an activation, from its value ``a`` or, where it has a kink, from its net input ``z``.

    ``latex`` puts the formula into the lesson's letters.
    """
    kind = ACTIVATIONS[activation]
    assert kind.slope is not None  # noqa: S101 - only softmax has none, and it is no lesson's choice
    words = step(
        stem,
        title="slope of the activation",
        latex=latex(kind.slope_latex),
        phase="backward",
        text=text,
        symbol=symbol,
        idea=kind.slope_idea,
        guard="slope" if kind.saturates else "",
        reads=(a if kind.saturates else z,),
    )
    return words(kind.slope)


def product(grad_a: Array, da_dz: Array) -> Array:
    """The chain rule through the activation: what has come back, times the slope."""
    return grad_a * da_dz


def slope_mistakes(stem: str, grad_a: str, da_dz: str) -> tuple[Misconception, ...]:
    """What goes wrong at the activation on the way back."""
    return (
        Misconception(
            "slope_left_out",
            stem,
            "slope left out",
            "The error has reached the unit's output. One more factor, the slope of its activation, takes it to the "
            "net input.",
            (reading(lambda grad_a: grad_a, grad_a),),
            where=reading(lambda da_dz: da_dz != 1, da_dz),
        ),
        Misconception(
            "slope_only",
            stem,
            "slope only",
            "This is the slope alone. Delta is the slope times the derivative of the error by the activation.",
            (reading(lambda da_dz: da_dz, da_dz),),
        ),
    )


# --- gradients ------------------------------------------------------------------------------------------------------


def by_weights(grad_z: Array, x: Array) -> Array:
    """The delta where the weight ends, times the value where it starts."""
    return grad_z[..., :, None] * x[..., None, :]


def by_weights_mistakes(stem: str, grad_z: str, x: str, W: str, *, square: bool) -> tuple[Misconception, ...]:
    """What goes wrong in the gradient of a matrix."""
    swapped = Misconception(
        "indices_swapped",
        stem,
        "indices swapped",
        "Delta and value have swapped units: the gradient of a weight takes the delta where the weight *ends* and the "
        "value where it *starts*.",
        (reading(lambda grad_z, x: swap_units(by_weights(grad_z, x)), grad_z, x),),
        where=reading(lambda W: 0 * W + np.eye(W.shape[-1]) == 0, W),
    )
    return (
        Misconception(
            "input_left_out",
            stem,
            "input left out",
            "This is the delta alone. A weight's gradient is delta times what comes *in* along that weight.",
            (reading(lambda grad_z, x: grad_z[..., :, None] + 0 * x[..., None, :], grad_z, x),),
        ),
        Misconception(
            "weight_for_input",
            stem,
            "weight instead of input",
            "Delta was multiplied by the weight. The derivative of weight times input by the weight is what the weight "
            "multiplies: the input.",
            (reading(lambda grad_z, W: grad_z[..., :, None] * W, grad_z, W),),
        ),
        *((swapped,) if square else ()),
    )


def by_biases(grad_z: Array) -> Array:
    """A bias moves its net input one to one."""
    return grad_z


def by_biases_mistakes(stem: str, grad_z: str, x: str) -> tuple[Misconception, ...]:
    """What goes wrong in the gradient of a bias."""
    return (
        Misconception(
            "times_input",
            stem,
            "multiplied by an input",
            "The bias's delta was multiplied by an input. A bias has the constant 1 as its input.",
            (reading(lambda grad_z, x: grad_z * x[..., :1], grad_z, x),),
        ),
    )


# --- update ---------------------------------------------------------------------------------------------------------


def stepped(w: Array, eta: Array, grad_w: Array) -> Array:
    """One step downhill."""
    return w - eta * grad_w


def stepped_row(w: Array, eta: Array, grad_w: Array) -> Array:
    """One step downhill for each cell of a row."""
    return w - eta[..., None] * grad_w


def stepped_matrix(W: Array, eta: Array, grad_W: Array) -> Array:
    """One step downhill for each cell of a matrix."""
    return W - eta[..., None, None] * grad_W


def updated(name: str, axes: int, title: str, *, text: str, latex: str, symbol: str) -> Formula:
    """The update of a parameter with so many axes; ``latex`` is the parameter without indices."""
    return step(
        f"{name}_new",
        title=f"updated {title}",
        latex=rf"{latex}^+ = {latex} - \eta\,{partial(latex)}",
        phase="update",
        text=f"{text}⁺",
        symbol=symbol,
        reads=(name, "eta", f"grad_{name}"),
    )((stepped, stepped_row, stepped_matrix)[axes])


def step_mistakes(name: str, axes: int) -> tuple[Misconception, ...]:
    """What goes wrong in the update of a parameter with so many axes."""
    stem, gradient = f"{name}_new", f"grad_{name}"
    spread: tuple[Any, ...] = (..., *(None,) * axes)

    def form(function: Form) -> Form:
        return reading(lambda w, eta, grad: function(w, eta[spread], grad), name, "eta", gradient)

    moved = reading(lambda grad: grad != 0, gradient)
    return (
        Misconception(
            "step_added",
            stem,
            "step added",
            STEP_ADDED,
            (form(lambda w, eta, grad: w + eta * grad),),
            forbidden=True,
            where=moved,
        ),
        Misconception(
            "eta_forgotten",
            stem,
            "learning rate forgotten",
            ETA_FORGOTTEN,
            (form(lambda w, _eta, grad: w - grad),),
            forbidden=True,
            where=moved,
        ),
        Misconception(
            "no_step",
            stem,
            "no step made",
            "This is the old value. The step still has to be made, however small it is: keep all the decimals.",
            (form(lambda w, _eta, grad: w + 0 * grad),),
            forbidden=True,
            where=moved,
        ),
        Misconception(
            "step_only",
            stem,
            "only the step",
            "This is the step alone. The new value is the old one minus the step.",
            (form(lambda _w, eta, grad: eta * grad), form(lambda _w, eta, grad: -(eta * grad))),
        ),
    )
