"""What several lessons have in common: activations, half squared error, the step, and what goes wrong at them."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from quizprop.engine.activations import ACTIVATIONS, sigmoid, sigmoid_slope, tanh, tanh_slope
from quizprop.engine.arrays import Array, choose
from quizprop.engine.graph import Formula, step
from quizprop.engine.losses import half_squared_error, half_squared_error_derivative
from quizprop.engine.misconceptions import ACTIVATION_SKIPPED, ETA_FORGOTTEN, NOT_SQUARED, SIGN_FLIPPED, STEP_ADDED
from quizprop.engine.mistakes import Misconception

__all__ = [
    "Reading",
    "activated",
    "activation_latex",
    "activation_mistakes",
    "error_derivative",
    "error_derivative_mistakes",
    "gradient_step",
    "half_square",
    "half_square_mistakes",
    "slope",
    "slope_mistakes",
    "step_mistakes",
]


@dataclass(frozen=True, slots=True)
class Reading:
    """A formula under the names that it reads where it stands; the function has its own names for them."""

    function: Callable[..., Array]
    names: tuple[str, ...]

    def __call__(self, *inputs: Array) -> Array:
        """The function itself."""
        return self.function(*inputs)

    @property
    def __signature__(self) -> inspect.Signature:
        """Parameters with those names."""
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature([inspect.Parameter(name, kind) for name in self.names])


# --- activations ----------------------------------------------------------------------------------------------------


def activation_latex(name: str, value: str, net: str) -> str:
    """The activation in the lesson's letters for value and net input."""
    return _in_letters(ACTIVATIONS[name].latex, value, net)


def activated(name: str, stem: str, *, title: str, text: str, symbol: str, value: str, net: str) -> Formula:
    """The activation of z; ``value`` and ``net`` are the letters of its LaTeX."""
    activation = ACTIVATIONS[name]
    words = step(
        stem,
        title=title,
        latex=activation_latex(name, value, net),
        phase="forward",
        text=text,
        symbol=symbol,
        guard=activation.guard,
        reads=("z",),
    )
    return words(activation.function)


def slope(name: str, stem: str, *, text: str, symbol: str, value: str, net: str) -> Formula:
    """The slope of the activation whose value is ``stem``."""
    activation = ACTIVATIONS[name]
    assert activation.slope is not None  # noqa: S101 - no lesson has softmax as an activation
    latex = rf"\frac{{\mathrm{{d}} {value}}}{{\mathrm{{d}} {net}}} = {_in_letters(activation.slope_latex, value, net)}"
    words = step(
        "slope",
        title="slope of the activation",
        latex=latex,
        phase="backward",
        text=text,
        symbol=symbol,
        guard="slope" if activation.saturates else "",
        reads=(stem if activation.saturates else "z",),
    )
    return words(activation.slope)


def _in_letters(latex: str, value: str, net: str) -> str:
    return latex.replace("a_j", value).replace("z_j", net)


_OTHER_ACTIVATIONS: Final = {
    "sigmoid": (
        ("tanh_for_sigmoid", "tanh instead of the sigmoid", "This is the hyperbolic tangent", tanh),
        ("one_left_out", "1 left out of the denominator", "The 1 in the denominator is missing", np.exp),
    ),
    "tanh": (("sigmoid_for_tanh", "sigmoid instead of tanh", "This is the logistic sigmoid", sigmoid),),
    "relu": (),
    "identity": (("tanh_for_identity", "activation where there is none", "This has been through tanh", tanh),),
}


def activation_mistakes(name: str, stem: str) -> Iterator[Misconception]:
    """What goes wrong where z becomes ``stem``."""
    for kind, title, done, function in _OTHER_ACTIVATIONS[name]:
        sentence = f"{done}. Look up in the conventions which activation function is used here."
        yield Misconception(kind, stem, title, sentence, (Reading(function, ("z",)),))
    if name in ("sigmoid", "tanh"):
        yield Misconception("activation_skipped", stem, "activation skipped", ACTIVATION_SKIPPED, (lambda z: z,))
    if name == "relu":
        yield Misconception(
            "activation_skipped",
            stem,
            "activation skipped",
            ACTIVATION_SKIPPED,
            (lambda z: z,),
            where=lambda z: z.real < 0,
        )
        yield Misconception(
            "absolute_value",
            stem,
            "absolute value instead of ReLU",
            "ReLU does not flip a negative net input, it cuts it off.",
            (lambda z: choose(z, z, -z),),
            where=lambda z: z.real < 0,
        )


def slope_mistakes(name: str, stem: str) -> Iterator[Misconception]:
    """What goes wrong at the slope of the activation whose value is ``stem``."""
    if name == "relu":
        yield Misconception(
            "switch_reversed",
            "slope",
            "switch the wrong way round",
            "The switch is the wrong way round: a ReLU passes the error on where its net input is positive.",
            (lambda z: choose(z, 0.0, 1.0),),
        )
        yield Misconception(
            "net_input_for_slope",
            "slope",
            "net input instead of a slope",
            "This is the net input. The slope of a ReLU is a switch: it says how fast the output grows, not how large "
            "it is.",
            (lambda z: z,),
        )
        return
    right, other = (sigmoid_slope, tanh_slope) if name == "sigmoid" else (tanh_slope, sigmoid_slope)
    yield Misconception(
        "slope_at_net_input",
        "slope",
        "slope taken at the net input",
        "The net input was put in. This way of writing the slope takes the *value* of the activation function.",
        (Reading(right, ("z",)),),
    )
    yield Misconception(
        "slope_of_other_function",
        "slope",
        "slope of another function",
        "This is the slope of another activation function. Look up in the conventions which one is used here.",
        (Reading(other, (stem,)),),
    )
    yield Misconception(
        "slope_one_minus_a",
        "slope",
        "only 1 minus the value",
        "This is one minus the value of the activation. Something is missing: look at the formula of the slope again.",
        (Reading(lambda value: 1 - value, (stem,)),),
    )


# --- half squared error ---------------------------------------------------------------------------------------------


def half_square(
    stem: str, *, title: str, text: str, symbol: str, latex: str, output: str = "y", target: str = "t"
) -> Formula:
    """Half the squared difference of one output and its target."""
    words = step(stem, title=title, latex=latex, phase="loss", text=text, symbol=symbol, reads=(output, target))
    return words(half_squared_error)


def half_square_mistakes(stem: str, output: str = "y", target: str = "t") -> Iterator[Misconception]:
    """What goes wrong at ``half_square``."""

    def reading(function: Callable[..., Array]) -> Reading:
        return Reading(function, (output, target))

    yield Misconception(
        "half_left_out",
        stem,
        "half left out",
        "The square is right, but this loss has a factor of one half in front.",
        (reading(lambda y, t: (t - y) ** 2),),
    )
    yield Misconception(
        "half_squared_too",
        stem,
        "half squared too",
        "The one half was squared along with the difference. Square first, then halve.",
        (reading(lambda y, t: ((t - y) / 2) ** 2),),
    )
    yield Misconception(
        "not_squared",
        stem,
        "not squared",
        NOT_SQUARED,
        (
            reading(lambda y, t: (t - y) / 2),
            reading(lambda y, t: (y - t) / 2),
            reading(lambda y, t: t - y),
            reading(lambda y, t: y - t),
        ),
    )


def error_derivative(stem: str, *, text: str, symbol: str, latex: str, output: str = "y") -> Formula:
    """The derivative of half the squared difference by the output."""
    title = "derivative of the error by the output"
    words = step(stem, title=title, latex=latex, phase="backward", text=text, symbol=symbol, reads=(output, "t"))
    return words(half_squared_error_derivative)


def error_derivative_mistakes(stem: str, output: str = "y") -> Iterator[Misconception]:
    """What goes wrong at ``error_derivative``."""
    yield Misconception(
        "sign_flipped", stem, "sign flipped", SIGN_FLIPPED, (Reading(lambda y, t: t - y, (output, "t")),)
    )
    yield Misconception(
        "factor_two",
        stem,
        "factor 2 too many",
        "There is a 2 too many: it comes down from the square and cancels with the one half of this loss.",
        (Reading(lambda y, t: 2 * (y - t), (output, "t")),),
    )


# --- the step -------------------------------------------------------------------------------------------------------


def gradient_step(name: str, *, title: str, text: str, symbol: str, axes: int = 0) -> Formula:
    """One step of a given against its gradient; ``axes`` says how many axes it has."""

    def stepped(old: Array, eta: Array, gradient: Array) -> Array:
        """One step against the gradient."""
        return old - eta[(..., *(None,) * axes)] * gradient

    letter = symbol.replace("{$k}", "k")
    words = step(
        f"{name}_new",
        title=title,
        latex=rf"{letter}^{{+}} = {letter} - \eta\,\frac{{\partial E}}{{\partial {letter}}}",
        phase="update",
        text=f"{text}⁺",
        symbol=f"{symbol}^{{+}}",
        reads=(name, "eta", f"grad_{name}"),
    )
    return words(stepped)


def step_mistakes(name: str, *, axes: int = 0) -> Iterator[Misconception]:
    """What goes wrong at ``gradient_step``."""
    gradient = f"grad_{name}"
    moved = Reading(lambda gradient: gradient != 0, (gradient,))
    lift = (..., *(None,) * axes)

    def wrong(kind: str, title: str, sentence: str, *forms: Reading, forbidden: bool = True) -> Misconception:
        return Misconception(kind, f"{name}_new", title, sentence, forms, forbidden=forbidden, where=moved)

    uphill = Reading(lambda old, eta, gradient: old + eta[lift] * gradient, (name, "eta", gradient))
    yield wrong("step_added", "step added", STEP_ADDED, uphill)
    whole = Reading(lambda old, gradient: old - gradient, (name, gradient))
    yield wrong("eta_forgotten", "learning rate forgotten", ETA_FORGOTTEN, whole)
    yield wrong(
        "no_step",
        "no step made",
        "This is the old value. The step still has to be made, however small it is: keep all the decimals.",
        Reading(lambda old, eta: old + 0 * eta[lift], (name, "eta")),
    )
    yield wrong(
        "step_only",
        "only the step",
        "This is the step alone. The new value is the old value minus the step.",
        Reading(lambda eta, gradient: eta[lift] * gradient, ("eta", gradient)),
        Reading(lambda eta, gradient: -(eta[lift] * gradient), ("eta", gradient)),
        forbidden=False,
    )
