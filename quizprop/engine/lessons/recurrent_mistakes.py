"""What goes wrong in a recurrent unit: which step, which weight, and what a shared weight adds up."""

import operator
from collections.abc import Iterator
from functools import reduce
from typing import TYPE_CHECKING, Final

from quizprop.engine.activations import ACTIVATIONS, tanh_slope
from quizprop.engine.lessons.pieces import difference_mistakes, of_activation, step_mistakes
from quizprop.engine.misconceptions import NOT_SQUARED
from quizprop.engine.mistakes import Misconception, reading

if TYPE_CHECKING:
    from quizprop.engine.lessons.recurrent import Recurrent

__all__ = ["recurrent_mistakes"]

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
    mean = reading(lambda *errors: sum(errors) / len(errors), *names)
    sentence = "This is the error of the last step alone. Every step has a target, and their errors add up."
    yield Misconception("last_step_only", "E", "last step only", sentence, (last,))
    sentence = "The errors of the steps were averaged. This loss adds them up."
    yield Misconception("mean_for_sum", "E", "mean instead of sum", sentence, (mean,))


def _shared(name: str, parts: str, steps: range) -> Iterator[Misconception]:
    names = tuple(f"{parts}{number}" for number in steps)
    last = reading(lambda part: part, names[-1])
    yield Misconception("last_step_only", f"grad_{name}", "last step only", LAST_STEP_ONLY, (last,))
    mean = reading(lambda *parts: sum(parts) / len(parts), *names)
    yield Misconception("steps_averaged", f"grad_{name}", "steps averaged", STEPS_AVERAGED, (mean,))


def _half_square(stem: str, output: str, target: str) -> tuple[Misconception, ...]:
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


def recurrent_mistakes(lesson: "Recurrent") -> tuple[Misconception, ...]:
    """What goes wrong in time, and what goes wrong anywhere, in the order of the sheet."""
    last, steps = lesson.steps, range(1, lesson.steps + 1)
    activation = of_activation(lesson.activation, {"a": "h", "da_dz": "slope"})
    return (
        *_FORWARD,
        *(kind for kind in activation if kind.stem == "h" or lesson.activation != "identity"),
        *((*_slopes(lesson.activation), *_CURVED) if lesson.activation != "identity" else _LINEAR),
        *difference_mistakes("grad_y", "y", "t"),
        *_BACK,
        *(_each_scored(steps) if lesson.loss == "each" else _last_scored(last)),
        *_GRADIENTS,
        *_shared("wx", "part_wx", steps),
        *_shared("wh", "part_wh", steps),
        *_shared("b", "grad_z", steps),
        *(mistake for name in ("wx", "wh", "b", "v") for mistake in step_mistakes(name, 0)),
    )


def _last_scored(last: int) -> Iterator[Misconception]:
    yield from _half_square("E", f"y{last}", f"t{last}")
    yield from _BACK_LAST
    yield from _output_weight("grad_v", f"grad_y{last}", f"h{last - 1}")


def _each_scored(steps: range) -> Iterator[Misconception]:
    yield from _half_square("e", "y", "t")
    yield from _total(steps)
    yield from _BACK_EACH
    yield from _output_weight("part_v", "grad_y", "h_prev")
    yield from _shared("v", "part_v", steps)
