"""A recurrent unit against a loop in plain Python, and what is known of it without any numbers."""

import math

import numpy as np
import pytest

from quizprop.engine.lessons.recurrent import Recurrent
from quizprop.engine.structure import structure_of

FUNCTIONS = {
    "tanh": math.tanh,
    "sigmoid": lambda z: 0.5 * (1 + math.tanh(z / 2)),
    "identity": lambda z: z,
}


def numbers(lesson, seed):
    rng = np.random.default_rng(seed)
    return {each.name: np.asarray(rng.uniform(-1.5, 1.5)) for each in lesson.given()}


def unrolled(lesson, given):
    """States and outputs by step, and the error."""
    function, state, states, outputs = FUNCTIONS[lesson.activation], float(given["h0"]), [], []
    for step in range(1, lesson.steps + 1):
        row = [float(given["wx"]), float(given["wh"]), float(given["b"])]
        column = [float(given[f"x{step}"]), state, 1.0]
        state = function(sum(weight * value for weight, value in zip(row, column, strict=True)))
        states.append(state)
        outputs.append(float(given["v"]) * state)
    targets = {step: float(given[f"t{step}"]) for step in range(1, lesson.steps + 1) if f"t{step}" in given}
    return states, outputs, 0.5 * math.fsum((outputs[step - 1] - target) ** 2 for step, target in targets.items())


@pytest.mark.parametrize("loss", ["last", "each"])
@pytest.mark.parametrize("steps", [2, 3])
@pytest.mark.parametrize("activation", FUNCTIONS)
def test_the_unit_runs_as_in_a_loop(activation, steps, loss):
    lesson = Recurrent(steps=steps, activation=activation, loss=loss)
    for seed in range(5):
        given = numbers(lesson, seed)
        values = structure_of(lesson).graph.evaluate(given)
        states, outputs, error = unrolled(lesson, given)
        assert [values[f"h{step}"] for step in range(1, steps + 1)] == pytest.approx(states)
        assert values[f"y{steps}"] == pytest.approx(outputs[-1])
        assert values["E"] == pytest.approx(error)


def test_only_scored_steps_have_a_target_an_output_and_an_error():
    last, each = Recurrent(steps=3), Recurrent(steps=3, loss="each")
    assert [name for name in last.givens() if name.startswith("t")] == ["t3"]
    assert [name for name in each.givens() if name.startswith("t")] == ["t1", "t2", "t3"]
    assert "y1" not in last.graph()
    assert "e1" in each.graph()


def test_without_a_function_the_error_fades_by_the_recurrent_weight_at_each_step():
    lesson = Recurrent(steps=3, activation="identity")
    given = numbers(lesson, 1)
    values = structure_of(lesson).graph.evaluate(given)
    assert values["grad_h0"] / values["grad_h3"] == pytest.approx(given["wh"] ** 3)


def test_a_shared_weight_moves_as_its_copies_would_together():
    lesson = Recurrent(steps=3, loss="each")
    values = structure_of(lesson).graph.evaluate(numbers(lesson, 2))
    for name in ("wx", "wh", "v"):
        copies = [values[f"part_{name}{step}"] for step in (1, 2, 3)]
        assert values[f"grad_{name}"] == pytest.approx(math.fsum(copies))
    assert values["grad_b"] == pytest.approx(math.fsum(values[f"grad_z{step}"] for step in (1, 2, 3)))
