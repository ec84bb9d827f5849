"""The words of what a lesson with one output says like any other: activation, slope, half squared error, step."""

from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.graph import Formula, step
from quizprop.engine.lessons.pieces import difference, reading, stepped, stepped_row
from quizprop.engine.losses import half_squared_error
from quizprop.engine.misconceptions import NOT_SQUARED
from quizprop.engine.mistakes import Misconception

__all__ = [
    "activated",
    "activation_latex",
    "error_derivative",
    "gradient_step",
    "half_square",
    "half_square_mistakes",
    "sloped",
]


def activation_latex(name: str, value: str, net: str) -> str:
    """The activation in the lesson's letters for its value and its net input."""
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


def sloped(name: str, stem: str, *, text: str, symbol: str, value: str, net: str) -> Formula:
    """The slope of the activation whose value is ``stem``."""
    activation = ACTIVATIONS[name]
    assert activation.slope is not None  # noqa: S101 - only softmax has none, and no lesson takes it for its units
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


def half_square(
    stem: str, *, title: str, text: str, symbol: str, latex: str, output: str = "y", target: str = "t"
) -> Formula:
    """Half the squared difference of one output and its target."""
    words = step(stem, title=title, latex=latex, phase="loss", text=text, symbol=symbol, reads=(output, target))
    return words(half_squared_error)


def half_square_mistakes(stem: str, output: str = "y", target: str = "t") -> tuple[Misconception, ...]:
    """What goes wrong at ``half_square``."""
    return (
        Misconception(
            "half_left_out",
            stem,
            "half left out",
            "The square is right, but this loss has a factor of one half in front.",
            (reading(lambda y, t: (t - y) ** 2, output, target),),
        ),
        Misconception(
            "half_squared_too",
            stem,
            "half squared too",
            "The one half was squared along with the difference. Square first, then halve.",
            (reading(lambda y, t: ((t - y) / 2) ** 2, output, target),),
        ),
        Misconception(
            "not_squared",
            stem,
            "not squared",
            NOT_SQUARED,
            (
                reading(lambda y, t: (t - y) / 2, output, target),
                reading(lambda y, t: (y - t) / 2, output, target),
                reading(lambda y, t: t - y, output, target),
                reading(lambda y, t: y - t, output, target),
            ),
        ),
    )


def error_derivative(stem: str, *, text: str, symbol: str, latex: str) -> Formula:
    """The derivative of half the squared difference by the output."""
    title = "derivative of the error by the output"
    words = step(stem, title=title, latex=latex, phase="backward", text=text, symbol=symbol, reads=("y", "t"))
    return words(difference)


def gradient_step(name: str, *, title: str, text: str, symbol: str, letter: str = "", axes: int = 0) -> Formula:
    """One step of a given, a number or a row, against its gradient; ``letter`` is its symbol without placeholders."""
    letter = letter or symbol
    words = step(
        f"{name}_new",
        title=title,
        latex=rf"{letter}^{{+}} = {letter} - \eta\,\frac{{\partial E}}{{\partial {letter}}}",
        phase="update",
        text=f"{text}⁺",
        symbol=f"{symbol}^{{+}}",
        reads=(name, "eta", f"grad_{name}"),
    )
    return words(stepped_row if axes else stepped)
