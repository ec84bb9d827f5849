r"""The chain rule on its own: y = f(g(w x + b)), and the derivative of y from those of the two functions.

Every value is a scalar. Source: any calculus book; the inner values are called u and v as in J. Stewart, "Calculus"
(2015), ch. 3.4.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final, Literal

import numpy as np

from quizprop.engine.activations import sigmoid, sigmoid_slope, tanh, tanh_slope
from quizprop.engine.arrays import Array
from quizprop.engine.graph import Formula, Quantity, step
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import Given, Lesson, Rule, Shape
from quizprop.engine.words import phrase

__all__ = ["Composition"]


@dataclass(frozen=True, slots=True)
class _Function:
    """A function of one number and its derivative; ``slope`` reads the argument, or the value where that is shorter.

    In the LaTeX ``#`` is the argument and ``@`` the value.
    """

    value: Callable[[Array], Array]
    latex: str
    slope: Callable[[Array], Array]
    slope_latex: str
    reads_value: bool = False


def square(u: Array) -> Array:
    """The argument times itself."""
    return u**2


def twice(u: Array) -> Array:
    """The derivative of a square: twice the argument."""
    return 2 * u


def exponential(u: Array) -> Array:
    """The exponential: e to the power of the argument."""
    return np.exp(u)


def itself(v: Array) -> Array:
    """The exponential is its own derivative: take the value that you have."""
    return v


def logarithm(u: Array) -> Array:
    """The natural logarithm: the exponent to which e must be raised to give the argument."""
    return np.log(u)


def reciprocal(u: Array) -> Array:
    """The derivative of the natural logarithm: one over the argument."""
    return 1 / u


_FUNCTIONS: Final[Mapping[str, _Function]] = MappingProxyType({
    "square": _Function(square, r"#^2", twice, r"2\,#"),
    "exp": _Function(exponential, r"e^{#}", itself, r"e^{#} = @", reads_value=True),
    "ln": _Function(logarithm, r"\ln #", reciprocal, r"\frac{1}{#}"),
    "sigmoid": _Function(sigmoid, r"\frac{1}{1 + e^{-#}}", sigmoid_slope, r"@\,(1 - @)", reads_value=True),
    "tanh": _Function(tanh, r"\tanh #", tanh_slope, r"1 - @^2", reads_value=True),
})  # fmt: skip


# --- from the inside out --------------------------------------------------------------------------------------------


@step("u", title="inner value", latex=r"u = w\,x + b", phase="forward", text="u", symbol="u")
def u(w: Array, x: Array, b: Array) -> Array:
    """The innermost function is affine."""
    return w * x + b


def value(stem: str, title: str, function: _Function, reads: str) -> Formula:
    """The value of a function at an inner value."""
    latex = f"{stem} = {function.latex.replace('#', reads)}"
    words = step(stem, title=title, latex=latex, phase="forward", text=stem, symbol=stem, reads=(reads,))
    return words(function.value)


# --- and back -------------------------------------------------------------------------------------------------------


def slope(stem: str, title: str, function: _Function, at: str, result: str) -> Formula:
    """The derivative of a function at an inner value."""
    symbol = rf"\frac{{\mathrm{{d}} {result}}}{{\mathrm{{d}} {at}}}"
    latex = f"{symbol} = {function.slope_latex.replace('#', at).replace('@', result)}"
    reads = (result if function.reads_value else at,)
    words = step(stem, title=title, latex=latex, phase="backward", text=f"d{result}/d{at}", symbol=symbol, reads=reads)
    return words(function.slope)


@step(
    "du_dx",
    title="derivative of the inner function",
    latex=r"\frac{\mathrm{d} u}{\mathrm{d} x} = w",
    phase="backward",
    text="du/dx",
    symbol=r"\frac{\mathrm{d} u}{\mathrm{d} x}",
)
def du_dx(w: Array) -> Array:
    """The derivative of w x + b by x."""
    return w


@step(
    "grad_u",
    title="derivative by the inner value",
    latex=r"\frac{\mathrm{d} y}{\mathrm{d} u} = \frac{\mathrm{d} y}{\mathrm{d} v}\,\frac{\mathrm{d} v}{\mathrm{d} u}",
    phase="backward",
    text="dy/du",
    symbol=r"\frac{\mathrm{d} y}{\mathrm{d} u}",
)
def grad_u(grad_v: Array, dv_du: Array) -> Array:
    """Outer times middle, each at its own argument."""
    return grad_v * dv_du


@step(
    "grad_x",
    title="derivative by the input",
    latex=r"\frac{\mathrm{d} y}{\mathrm{d} x} = \frac{\mathrm{d} y}{\mathrm{d} u}\,\frac{\mathrm{d} u}{\mathrm{d} x}",
    phase="backward",
    text="dy/dx",
    symbol=r"\frac{\mathrm{d} y}{\mathrm{d} x}",
)
def grad_x(grad_u: Array, du_dx: Array) -> Array:
    """All three derivatives multiplied."""
    return grad_u * du_dx


@step(
    "grad_w",
    title="derivative by the factor",
    latex=r"\frac{\partial y}{\partial w} = \frac{\mathrm{d} y}{\mathrm{d} u}\,x",
    phase="gradients",
    text="∂y/∂w",
    symbol=r"\frac{\partial y}{\partial w}",
)
def grad_w(grad_u: Array, x: Array) -> Array:
    """The factor w is multiplied by x."""
    return grad_u * x


@step(
    "grad_b",
    title="derivative by the summand",
    latex=r"\frac{\partial y}{\partial b} = \frac{\mathrm{d} y}{\mathrm{d} u}",
    phase="gradients",
    text="∂y/∂b",
    symbol=r"\frac{\partial y}{\partial b}",
)
def grad_b(grad_u: Array) -> Array:
    """The summand b moves u one to one."""
    return grad_u


# --- what goes wrong ------------------------------------------------------------------------------------------------

POWER_RULE = (
    "The rule for powers was used. Here the variable stands in the exponent: an exponential is its own derivative."
)

_CHAIN: Final = (
    Misconception(
        "derivatives_added",
        "grad_u",
        "derivatives added",
        "The derivatives were added. Along a chain they are multiplied.",
        (lambda grad_v, dv_du: grad_v + dv_du,),
    ),
    Misconception(
        "middle_left_out",
        "grad_u",
        "middle derivative left out",
        "This is the derivative of the outer function alone. Multiply by that of the middle one.",
        (lambda grad_v: grad_v,),
    ),
    Misconception(
        "inner_left_out",
        "grad_x",
        "inner derivative left out",
        "The last link of the chain is missing: how fast the innermost function moves with the input.",
        (lambda grad_u: grad_u,),
    ),
    Misconception(
        "derivatives_added",
        "grad_x",
        "derivatives added",
        "The derivatives were added. Along a chain they are multiplied.",
        (lambda grad_u, du_dx: grad_u + du_dx,),
    ),
    Misconception(
        "whole_function",
        "du_dx",
        "function instead of its derivative",
        "This is the innermost function itself. By the input, its derivative is the factor alone.",
        (lambda u: u,),
    ),
    Misconception(
        "own_factor",
        "grad_w",
        "factor instead of input",
        "This is multiplied by the factor itself. The derivative by the factor takes what it multiplies: the input.",
        (lambda grad_u, w: grad_u * w,),
    ),
    Misconception(
        "input_left_out",
        "grad_w",
        "input left out",
        "The input is missing: it is what the factor multiplies.",
        (lambda grad_u: grad_u,),
    ),
    Misconception(
        "times_input",
        "grad_b",
        "multiplied by the input",
        "The summand stands alone: it multiplies nothing but 1.",
        (lambda grad_u, x: grad_u * x,),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition(Lesson):
    """y = outer(middle(w x + b)), every value a scalar."""

    kind: ClassVar[str] = "composition"
    objective: ClassVar[str] = "y"
    middle: Literal["square", "exp", "ln", "sigmoid", "tanh"]
    outer: Literal["square", "exp", "ln", "sigmoid", "tanh"]

    def given(self) -> tuple[Given, ...]:
        """The input, and the two numbers of the innermost function."""
        return (
            Given("x", (), "Input", "x", "x"),
            Given("w", (), "Factor", "w", "w"),
            Given("b", (), "Summand", "b", "b"),
        )

    def quantities(self) -> tuple[Quantity, ...]:
        """From the inside out, and back."""
        middle, outer = _FUNCTIONS[self.middle], _FUNCTIONS[self.outer]
        formulas = (
            u,
            value("v", "middle value", middle, "u"),
            value("y", "result", outer, "v"),
            slope("grad_v", "derivative of the outer function", outer, "v", "y"),
            slope("dv_du", "derivative of the middle function", middle, "u", "v"),
            grad_u,
            du_dx,
            grad_x,
            grad_w,
            grad_b,
        )
        return tuple(self.place(formula) for formula in formulas)

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong in the chain rule."""
        middle, outer = _FUNCTIONS[self.middle], _FUNCTIONS[self.outer]
        return (
            Misconception(
                "summand_left_out",
                "u",
                "summand left out",
                "The summand is missing: the innermost function is factor times input, plus the summand.",
                (lambda w, x: w * x,),
            ),
            Misconception(
                "input_for_inner_value",
                "v",
                "input instead of inner value",
                "The innermost function was skipped. Each function takes what the one inside it gives.",
                (lambda x: middle.value(x),),
            ),
            Misconception(
                "inner_value_skipped",
                "y",
                "middle function skipped",
                "The middle function was skipped. The outer function takes what the middle one gives.",
                (lambda u: outer.value(u),),
            ),
            Misconception(
                "outer_at_inner",
                "grad_v",
                "outer derivative at the wrong place",
                "The derivative of the outer function was taken at the innermost value. Its argument is what the "
                "middle function gives.",
                (lambda u: outer.slope(outer.value(u) if outer.reads_value else u),),
            ),
            Misconception(
                "value_for_derivative",
                "grad_v",
                "function instead of its derivative",
                "This is the outer function itself. The chain rule multiplies its *derivative*.",
                (lambda y: y,),
                lambda lesson, _layer: lesson.outer != "exp",
            ),
            Misconception(
                "value_for_derivative",
                "dv_du",
                "function instead of its derivative",
                "This is the middle function itself. The chain rule multiplies its *derivative*.",
                (lambda v: v,),
                lambda lesson, _layer: lesson.middle != "exp",
            ),
            Misconception(
                "power_rule",
                "grad_v",
                "power rule for an exponential",
                POWER_RULE,
                (lambda v: v * np.exp(v - 1),),
                lambda lesson, _layer: lesson.outer == "exp",
            ),
            Misconception(
                "power_rule",
                "dv_du",
                "power rule for an exponential",
                POWER_RULE,
                (lambda u: u * np.exp(u - 1),),
                lambda lesson, _layer: lesson.middle == "exp",
            ),
            *_CHAIN,
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The three functions."""
        middle, outer = _FUNCTIONS[self.middle], _FUNCTIONS[self.outer]
        return (
            Rule("Innermost", "", r"u = w\,x + b"),
            Rule("Middle", "", f"v = {middle.latex.replace('#', 'u')}"),
            Rule("Outer", "", f"y = {outer.latex.replace('#', 'v')}"),
        )

    @property
    def sketch(self) -> Shape:
        """A chain."""
        return (1, 1, 1, 1)

    @property
    def outline(self) -> str:
        """What is composed."""
        return phrase("{outer} of {inner}", outer=self.outer, inner=self.middle)
