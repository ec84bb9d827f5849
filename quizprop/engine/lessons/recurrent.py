r"""A recurrent unit, unrolled over two or three steps, and backpropagation through time.

Every value is a scalar; t counts the steps. z_t = w_x x_t + w_h h_{t-1} + b, h_t = f(z_t), y_t = v h_t. The weights
are the same at every step, so each step contributes to their gradients; as in Goodfellow, Bengio and Courville, "Deep
Learning" (2016), ch. 10.2.2, a contribution is written as the derivative by the step's own copy of the weight. Other
sources: J. L. Elman, "Finding Structure in Time" (1990); P. J. Werbos, "Backpropagation Through Time" (1990).
"""

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar, Final, Literal

from quizprop.engine.activations import ACTIVATIONS, tanh_slope
from quizprop.engine.arrays import Array
from quizprop.engine.graph import Formula, Quantity, step
from quizprop.engine.lessons.one_output import (
    activated,
    activation_latex,
    error_derivative,
    gradient_step,
    half_square,
    half_square_mistakes,
    sloped,
)
from quizprop.engine.lessons.pieces import difference_mistakes, of_activation, reading, step_mistakes
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import Given, Lesson, Rule, Shape

__all__ = ["Recurrent"]

_WEIGHTS: Final = {
    "wx": ("Input weight", "w_x"),
    "wh": ("Recurrent weight", "w_h"),
    "b": ("Bias", "b"),
    "v": ("Output weight", "v"),
}

# --- forward --------------------------------------------------------------------------------------------------------


@step("z", title="net input", latex=r"z_t = w_x\,x_t + w_h\,h_{t-1} + b", phase="forward", text="z$l", symbol="z_{$l}")
def z(wx: Array, x: Array, wh: Array, h_prev: Array, b: Array) -> Array:
    """What comes in now, and what is remembered from the step before."""
    return wx * x + wh * h_prev + b


@step("y", title="output", latex=r"y_t = v\,h_t", phase="forward", text="y$l", symbol="y_{$l}")
def y(v: Array, h: Array) -> Array:
    """The output is linear in the state."""
    return v * h


# --- back through time ----------------------------------------------------------------------------------------------

_STATE: Final = r"\frac{\partial E}{\partial h_t}"


def _by_state(latex: str) -> Callable[[Callable[..., Array]], Formula]:
    return step(
        "grad_h",
        title="derivative of the error by the state",
        latex=f"{_STATE} = {latex}",
        phase="backward",
        text="∂E/∂h$l",
        symbol=r"\frac{\partial E}{\partial h_{$l}}",
    )


@_by_state(r"v\,\frac{\partial E}{\partial y_t}")
def grad_h_from_output(v: Array, grad_y: Array) -> Array:
    """The last state reaches the error through its output alone."""
    return v * grad_y


@_by_state(r"w_h\,\delta_{t+1}")
def grad_h_from_later(wh: Array, grad_z_next: Array) -> Array:
    """A state without an error of its own reaches it through the next step alone."""
    return wh * grad_z_next


@_by_state(r"v\,\frac{\partial E}{\partial y_t} + w_h\,\delta_{t+1}")
def grad_h_from_both(v: Array, grad_y: Array, wh: Array, grad_z_next: Array) -> Array:
    """Through its own output, and through the next step."""
    return v * grad_y + wh * grad_z_next


def _delta(latex: str) -> Callable[[Callable[..., Array]], Formula]:
    return step("grad_z", title="delta", latex=latex, phase="backward", text="δ$l", symbol=r"\delta_{$l}")


@_delta(rf"\delta_t = {_STATE}\,\frac{{\mathrm{{d}} h_t}}{{\mathrm{{d}} z_t}}")
def grad_z(grad_h: Array, slope: Array) -> Array:
    """The chain rule through the activation."""
    return grad_h * slope


@_delta(rf"\delta_t = {_STATE}")
def grad_z_linear(grad_h: Array) -> Array:
    """Without an activation function the state is the net input."""
    return grad_h


# --- gradients ------------------------------------------------------------------------------------------------------


def _contribution(name: str, latex: str) -> Callable[[Callable[..., Array]], Formula]:
    letter = _WEIGHTS[name][1]
    symbol = rf"\frac{{\partial E}}{{\partial {letter}^{{(%s)}}}}"
    return step(
        f"part_{name}",
        title="contribution of one step",
        latex=f"{symbol % 't'} = {latex}",
        phase="gradients",
        text=f"∂E/∂{letter}^($l)",
        symbol=symbol % "$l",
    )


@_contribution("wx", r"\delta_t\,x_t")
def part_wx(grad_z: Array, x: Array) -> Array:
    """Delta times what the input weight multiplies at this step."""
    return grad_z * x


@_contribution("wh", r"\delta_t\,h_{t-1}")
def part_wh(grad_z: Array, h_prev: Array) -> Array:
    """Delta times what the recurrent weight multiplies at this step: the state before."""
    return grad_z * h_prev


@_contribution("v", r"\frac{\partial E}{\partial y_t}\,h_t")
def part_v(grad_y: Array, h: Array) -> Array:
    """The output's derivative times what the output weight multiplies."""
    return grad_y * h


def added(*parts: Array) -> Array:
    """What the steps contribute, from the first to the last."""
    return reduce(operator.add, parts)


def over_steps(name: str, parts: str, latex: str, steps: range) -> Formula:
    """The gradient of a shared weight: the sum over the steps."""
    letter = _WEIGHTS[name][1]
    words = step(
        f"grad_{name}",
        title=f"gradient of the {_WEIGHTS[name][0].lower()}",
        latex=rf"\frac{{\partial E}}{{\partial {letter}}} = \sum_t {latex}",
        phase="gradients",
        text=f"∂E/∂{letter}",
        symbol=rf"\frac{{\partial E}}{{\partial {letter}}}",
        reads=tuple(f"{parts}{number}" for number in steps),
    )
    return words(added)


def grad_v_of_one(last: int) -> Formula:
    """The gradient of the output weight where only the last step has an output."""
    words = step(
        "grad_v",
        title="gradient of the output weight",
        latex=r"\frac{\partial E}{\partial v} = \frac{\partial E}{\partial y_t}\,h_t",
        phase="gradients",
        text="∂E/∂v",
        symbol=r"\frac{\partial E}{\partial v}",
        reads=(f"grad_y{last}", f"h{last}"),
    )
    return words(part_v.function)


# --- what goes wrong ------------------------------------------------------------------------------------------------

LAST_STEP_ONLY: Final = (
    "Only the last step was counted. The same weight is used at every step, and all its contributions add up."
)
STEPS_AVERAGED: Final = "The contributions of the steps were averaged. Those of a shared weight add up."
SLOPE_OF_NEXT_LEFT_OUT: Final = (
    "The way back leads through the activation of the next step: send back its delta, not its derivative by the state."
)
ERROR_FOR_DELTA: Final = "The derivative by the state was used. Take the delta, which has the slope of its step in it."


def _last_state(lesson: "Recurrent", layer: int) -> bool:
    return layer == lesson.steps


def _through_next_step_alone(lesson: "Recurrent", layer: int) -> bool:
    return layer == 0 or lesson.loss == "last"


_FORWARD: Final = (
    Misconception(
        "bias_left_out",
        "z",
        "bias left out",
        "The bias is missing. Think of it as one more weight, on an input that is always 1.",
        (lambda wx, x, wh, h_prev: wx * x + wh * h_prev,),
    ),
    Misconception(
        "state_left_out",
        "z",
        "previous state left out",
        "Only the input of this step was counted. The unit also sees its own state of the step before.",
        (lambda wx, x, b: wx * x + b,),
    ),
    Misconception(
        "weights_swapped",
        "z",
        "weights swapped",
        "The two weights have changed places: one belongs to the input, the other to the previous state.",
        (lambda wx, x, wh, h_prev, b: wh * x + wx * h_prev + b,),
    ),
    Misconception(
        "wrong_step",
        "z",
        "input of the step before",
        "This takes the input of the step before. The state comes from the step before, the input from this one.",
        (lambda wx, x_prev, wh, h_prev, b: wx * x_prev + wh * h_prev + b,),
    ),
    Misconception(
        "older_state",
        "z",
        "older state",
        "This takes an older state. Each step starts from the state that the step just before it has left.",
        (lambda wx, x, wh, h_prev_prev, b: wx * x + wh * h_prev_prev + b,),
    ),
    Misconception(
        "weight_left_out",
        "y",
        "output weight left out",
        "This is the state itself. The output is the state times the output weight.",
        (lambda h: h,),
    ),
    Misconception(
        "wrong_step",
        "y",
        "state of the step before",
        "This is the output of the step before. Take the state of this step.",
        (lambda v, h_prev: v * h_prev,),
    ),
    Misconception(
        "other_weight",
        "y",
        "recurrent weight instead of output weight",
        "This takes the recurrent weight, which leads to the next step. To the output leads a weight of its own.",
        (lambda wh, h: wh * h,),
    ),
)

_CURVED: Final = (
    Misconception(
        "net_input_passed_on",
        "z",
        "net input passed on",
        "The net input of the step before was passed on. What is remembered is its state, after the activation.",
        (lambda wx, x, wh, z_prev, b: wx * x + wh * z_prev + b,),
    ),
    Misconception(
        "error_for_delta",
        "grad_h",
        "slope of the next step left out",
        SLOPE_OF_NEXT_LEFT_OUT,
        (lambda wh, grad_h_next: wh * grad_h_next,),
        _through_next_step_alone,
    ),
    Misconception(
        "error_for_delta",
        "grad_h",
        "slope of the next step left out",
        SLOPE_OF_NEXT_LEFT_OUT,
        (lambda v, grad_y, wh, grad_h_next: v * grad_y + wh * grad_h_next,),
        lambda lesson, _layer: lesson.loss == "each",
    ),
    Misconception(
        "slope_left_out",
        "grad_z",
        "slope left out",
        "The error has reached the state. One more factor, the slope of the activation, takes it to the net input.",
        (lambda grad_h: grad_h,),
    ),
    Misconception(
        "slope_twice",
        "grad_z",
        "slope counted twice",
        "The slope stands in it twice. The chain rule passes the activation function once.",
        (lambda grad_h, slope: grad_h * slope * slope,),
    ),
    Misconception(
        "wrong_step",
        "grad_z",
        "slope of the next step",
        "This takes the slope of the next step. Each delta takes the slope of its own step.",
        (lambda grad_h, slope_next: grad_h * slope_next,),
    ),
    Misconception(
        "error_for_delta", "part_wx", "error instead of delta", ERROR_FOR_DELTA, (lambda grad_h, x: grad_h * x,)
    ),
    Misconception(
        "error_for_delta",
        "part_wh",
        "error instead of delta",
        ERROR_FOR_DELTA,
        (lambda grad_h, h_prev: grad_h * h_prev,),
    ),
)

_LINEAR: Final = (
    Misconception(
        "slope_where_none",
        "grad_z",
        "slope where there is none",
        "A slope was multiplied in. This unit has no activation function: its state is its net input.",
        (lambda grad_h, h: grad_h * tanh_slope(h),),
    ),
)


_BACK: Final = (
    Misconception(
        "weight_left_out",
        "grad_h",
        "output weight left out",
        "This is the derivative by the output. The output weight leads from the state to it: multiply by that.",
        (lambda grad_y: grad_y,),
        _last_state,
    ),
    Misconception(
        "other_weight",
        "grad_h",
        "recurrent weight instead of output weight",
        "The last state feeds no further step. Its way to the error leads through the output weight.",
        (lambda wh, grad_y: wh * grad_y,),
        _last_state,
    ),
    Misconception(
        "weight_left_out",
        "grad_h",
        "recurrent weight left out",
        "The delta of the next step came back without its weight: between two states lies the recurrent weight.",
        (lambda grad_z_next: grad_z_next,),
        _through_next_step_alone,
    ),
    Misconception(
        "other_weight",
        "grad_h",
        "input weight instead of recurrent weight",
        "The error came back through the input weight. From state to state leads the recurrent weight.",
        (lambda wx, grad_z_next: wx * grad_z_next,),
        _through_next_step_alone,
    ),
)

_BACK_EACH: Final = (
    Misconception(
        "weight_left_out",
        "grad_h",
        "recurrent weight left out",
        "The delta of the next step came back without its weight: between two states lies the recurrent weight.",
        (lambda v, grad_y, grad_z_next: v * grad_y + grad_z_next,),
    ),
    Misconception(
        "other_weight",
        "grad_h",
        "input weight instead of recurrent weight",
        "The error came back through the input weight. From state to state leads the recurrent weight.",
        (lambda v, grad_y, wx, grad_z_next: v * grad_y + wx * grad_z_next,),
    ),
    Misconception(
        "later_steps_left_out",
        "grad_h",
        "later steps left out",
        "Only the output of this step was counted. The state also feeds the next step: add what comes back from there.",
        (lambda v, grad_y, grad_z_next: v * grad_y + 0 * grad_z_next,),
    ),
    Misconception(
        "own_output_left_out",
        "grad_h",
        "own output left out",
        "Only the next step was counted. This step has an output and an error of its own: add what comes from there.",
        (lambda grad_y, wh, grad_z_next: 0 * grad_y + wh * grad_z_next,),
    ),
)

_BACK_LAST: Final = (
    Misconception(
        "next_step_skipped",
        "grad_h",
        "straight from the output",
        "The error came straight from the output. Only the last state feeds it; the others get there step by step.",
        (lambda v, grad_y_next: v * grad_y_next,),
    ),
)

_GRADIENTS: Final = (
    Misconception(
        "input_left_out",
        "part_wx",
        "input left out",
        "This is the delta alone. A weight's gradient is delta times what the weight multiplies.",
        (lambda grad_z: grad_z,),
    ),
    Misconception(
        "weight_for_input",
        "part_wx",
        "weight instead of input",
        "Delta was multiplied by the weight. By a weight, the derivative takes what the weight multiplies: the input.",
        (lambda grad_z, wx: grad_z * wx,),
    ),
    Misconception(
        "state_for_input",
        "part_wx",
        "state instead of input",
        "Delta was multiplied by the previous state. The input weight multiplies the input of its step.",
        (lambda grad_z, h_prev: grad_z * h_prev,),
    ),
    Misconception(
        "wrong_step",
        "part_wx",
        "input of the step before",
        "This takes the input of the step before. Delta and input belong to the same step.",
        (lambda grad_z, x_prev: grad_z * x_prev,),
    ),
    Misconception(
        "input_left_out",
        "part_wh",
        "state left out",
        "This is the delta alone. A weight's gradient is delta times what the weight multiplies.",
        (lambda grad_z: grad_z,),
    ),
    Misconception(
        "same_step_state",
        "part_wh",
        "state of the same step",
        "Delta was multiplied by the state of its own step. The recurrent weight has multiplied the state *before*.",
        (lambda grad_z, h: grad_z * h,),
    ),
    Misconception(
        "weight_for_input",
        "part_wh",
        "weight instead of state",
        "Delta was multiplied by the weight. By a weight, the derivative takes what it multiplies: the previous state.",
        (lambda grad_z, wh: grad_z * wh,),
    ),
    Misconception(
        "input_for_state",
        "part_wh",
        "input instead of state",
        "Delta was multiplied by the input. The recurrent weight multiplies the state of the step before.",
        (lambda grad_z, x: grad_z * x,),
    ),
    Misconception(
        "first_state_forgotten",
        "part_wh",
        "initial state taken as 0",
        "The first step was counted as nothing. It too starts from a state: the initial one, which is given.",
        (lambda grad_z: 0 * grad_z,),
        lambda _lesson, layer: layer == 1,
    ),
)

_OUTPUT_WEIGHT: Final = (
    ("input_left_out", "state left out", "The state is missing: it is what the output weight multiplies.", "{y}"),
    (
        "weight_for_input",
        "weight instead of state",
        "This is multiplied by the output weight itself. The derivative takes what the weight multiplies: the state.",
        "{y} v",
    ),
    (
        "wrong_step",
        "state of the step before",
        "This takes the state of the step before. The output weight multiplies the state of its own step.",
        "{y} {before}",
    ),
)


def _output_weight(stem: str, gradient: str, before: str) -> Iterator[Misconception]:
    for kind, title, sentence, reads in _OUTPUT_WEIGHT:
        names = tuple(reads.format(y=gradient, before=before).split())
        yield Misconception(
            kind, stem, title, sentence, (reading(lambda *factors: reduce(operator.mul, factors), *names),)
        )


def _slopes(activation: str) -> Iterator[Misconception]:
    right = ACTIVATIONS[activation].slope
    assert right is not None  # noqa: S101 - it is not softmax
    yield Misconception(
        "wrong_step",
        "slope",
        "slope of the step before",
        "This is the slope at the state of the step before. Each step has its own slope, at its own state.",
        (reading(right, "h_prev"),),
    )


def _total(steps: range) -> Iterator[Misconception]:
    names = tuple(f"e{number}" for number in steps)
    last = reading(lambda error: error, names[-1])
    mean = reading(lambda *errors: added(*errors) / len(errors), *names)
    sentence = "This is the error of the last step alone. Every step has a target, and their errors add up."
    yield Misconception("last_step_only", "E", "last step only", sentence, (last,))
    sentence = "The errors of the steps were averaged. This loss adds them up."
    yield Misconception("mean_for_sum", "E", "mean instead of sum", sentence, (mean,))


def _shared(name: str, parts: str, steps: range) -> Iterator[Misconception]:
    names = tuple(f"{parts}{number}" for number in steps)
    last = reading(lambda part: part, names[-1])
    yield Misconception("last_step_only", f"grad_{name}", "last step only", LAST_STEP_ONLY, (last,))
    mean = reading(lambda *parts: added(*parts) / len(parts), *names)
    yield Misconception("steps_averaged", f"grad_{name}", "steps averaged", STEPS_AVERAGED, (mean,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrent(Lesson):
    """One recurrent unit over some steps, with an error at the last step or at each."""

    kind: ClassVar[str] = "recurrent"
    layer_word: ClassVar[str] = "step"
    steps: Literal[2, 3] = 2
    activation: Literal["tanh", "sigmoid", "identity"] = "tanh"
    loss: Literal["last", "each"] = "last"

    @property
    def layered(self) -> frozenset[str]:
        """All that belongs to a step."""
        own = ("x", "z", "h", "y", "t", "e", "slope", "grad_y", "grad_h", "grad_z", "part_wx", "part_wh", "part_v")
        return frozenset(own)

    def given(self) -> tuple[Given, ...]:
        """The inputs of the steps, the state before the first, the weights, the targets."""
        return (
            *(Given(f"x{t}", (), f"Input, step {t}", f"x{t}", f"x_{{{t}}}") for t in self._every),
            Given("h0", (), "Initial state", "h0", "h_{0}"),
            *(Given(name, (), title, letter, letter) for name, (title, letter) in _WEIGHTS.items()),
            *(Given(f"t{t}", (), f"Target, step {t}", f"t{t}", f"t_{{{t}}}") for t in self._scored),
            Given("eta", (), "Learning rate", "η", r"\eta"),
        )

    def quantities(self) -> tuple[Quantity, ...]:
        """Forward in time, then back."""
        return (
            *(quantity for t in self._every for quantity in self._forward(t)),
            *self._errors(),
            *(quantity for t in reversed(self._every) for quantity in self._backward(t)),
            self.place(grad_h_from_later, 0),
            *(quantity for t in self._every for quantity in (self.place(part_wx, t), self.place(part_wh, t))),
            *self._gradients(),
            *(
                self.place(gradient_step(name, title=f"updated {title.lower()}", text=letter, symbol=letter))
                for name, (title, letter) in _WEIGHTS.items()
            ),
        )

    @property
    def _every(self) -> range:
        return range(1, self.steps + 1)

    @property
    def _scored(self) -> range:
        """The steps that have a target."""
        return range(self.steps if self.loss == "last" else 1, self.steps + 1)

    def _forward(self, t: int) -> Iterator[Quantity]:
        yield self.place(z, t)
        state = activated(self.activation, "h", title="state", text="h$l", symbol="h_{$l}", value="h_t", net="z_t")
        yield self.place(state, t)
        if t in self._scored:
            yield self.place(y, t)

    def _errors(self) -> Iterator[Quantity]:
        latex = r"\tfrac{1}{2}\,(t_t - y_t)^2"
        if self.loss == "last":
            output, target = f"y{self.steps}", f"t{self.steps}"
            formula = half_square(
                "E", title="error", text="E", symbol="E", latex=f"E = {latex}", output=output, target=target
            )
            yield self.place(formula)
            return
        formula = half_square("e", title="error of one step", text="e$l", symbol="e_{$l}", latex=f"e_t = {latex}")
        yield from (self.place(formula, t) for t in self._scored)
        words = step(
            "E",
            title="total error",
            latex=r"E = \sum_t e_t",
            phase="loss",
            text="E",
            symbol="E",
            reads=tuple(f"e{t}" for t in self._scored),
        )
        yield self.place(words(added))

    def _backward(self, t: int) -> Iterator[Quantity]:
        if t in self._scored:
            by_output = r"\frac{\partial E}{\partial y_{$l}}"
            latex = r"\frac{\partial E}{\partial y_t} = y_t - t_t"
            yield self.place(error_derivative("grad_y", text="∂E/∂y$l", symbol=by_output, latex=latex), t)
        if t == self.steps:
            yield self.place(grad_h_from_output, t)
        else:
            yield self.place(grad_h_from_later if self.loss == "last" else grad_h_from_both, t)
        if self.activation == "identity":
            yield self.place(grad_z_linear, t)
            return
        derivative = r"\frac{\mathrm{d} h_{$l}}{\mathrm{d} z_{$l}}"
        yield self.place(sloped(self.activation, "h", text="dh$l/dz$l", symbol=derivative, value="h_t", net="z_t"), t)
        yield self.place(grad_z, t)

    def _gradients(self) -> Iterator[Quantity]:
        for name in ("wx", "wh"):
            parts = rf"\frac{{\partial E}}{{\partial {_WEIGHTS[name][1]}^{{(t)}}}}"
            yield self.place(over_steps(name, f"part_{name}", parts, self._every))
        yield self.place(over_steps("b", "grad_z", r"\delta_t", self._every))
        if self.loss == "last":
            yield self.place(grad_v_of_one(self.steps))
            return
        yield from (self.place(part_v, t) for t in self._scored)
        yield self.place(over_steps("v", "part_v", r"\frac{\partial E}{\partial v^{(t)}}", self._scored))

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong in time, after what goes wrong anywhere."""
        each, curved = self.loss == "each", self.activation != "identity"
        return (
            *_FORWARD,
            *self._activation_mistakes,
            *half_square_mistakes("e" if each else "E", *(() if each else (f"y{self.steps}", f"t{self.steps}"))),
            *(_total(self._scored) if each else ()),
            *difference_mistakes("grad_y", "y", "t"),
            *_BACK,
            *(_BACK_EACH if each else _BACK_LAST),
            *((*_slopes(self.activation), *_CURVED) if curved else _LINEAR),
            *_GRADIENTS,
            *_shared("wx", "part_wx", self._every),
            *_shared("wh", "part_wh", self._every),
            *_shared("b", "grad_z", self._every),
            *(_output_weight("part_v", "grad_y", "h_prev") if each else ()),
            *(_shared("v", "part_v", self._scored) if each else self._one_output_weight),
            *(mistake for name in _WEIGHTS for mistake in step_mistakes(name, 0)),
        )

    @property
    def _activation_mistakes(self) -> tuple[Misconception, ...]:
        known = of_activation(self.activation, {"a": "h", "da_dz": "slope"})
        return tuple(kind for kind in known if kind.stem == "h" or self.activation != "identity")

    @property
    def _one_output_weight(self) -> Iterator[Misconception]:
        return _output_weight("grad_v", f"grad_y{self.steps}", f"h{self.steps - 1}")

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The unit, its error, and what sharing means."""
        latex = activation_latex(self.activation, "h_t", "z_t")
        where = "at the last step" if self.loss == "last" else "at each step, summed"
        error = r"E = \tfrac{1}{2}\,(t - y)^2" if self.loss == "last" else r"e_t = \tfrac{1}{2}\,(t_t - y_t)^2"
        return (
            Rule("Unit", "", r"z_t = w_x\,x_t + w_h\,h_{t-1} + b"),
            Rule("State", ACTIVATIONS[self.activation].title, latex),
            Rule("Output", "", r"y_t = v\,h_t"),
            Rule("Error", where, error),
            Rule("Weights", "the same at every step; all are trained, the initial state is not"),
        )

    @property
    def sketch(self) -> Shape:
        """A unit for each step."""
        return (1,) * (self.steps + 1)

    @property
    def outline(self) -> str:
        """How far it is unrolled."""
        return f"{self.steps} steps"
