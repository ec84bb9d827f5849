"""Circuits against published numbers, against the same written as one expression, and what is no circuit."""

import math

import numpy as np
import pytest

from quizprop.engine.lessons.circuit import Circuit
from quizprop.engine.structure import structure_of

SIGMOID = (
    "p0 = w0 * x0",
    "p1 = w1 * x1",
    "s = p0 + p1 + w2",
    "n = -s",
    "u = exp(n)",
    "d = 1 + u",
    "f = 1 / d",
)


def evaluate(gates, **given):
    return structure_of(Circuit(gates=tuple(gates))).graph.evaluate({name: np.array(x) for name, x in given.items()})


# CS231n, "Backpropagation, Intuitions": each circuit as its picture prints it.
PUBLISHED = {
    "add and multiply": (
        ("q = x + y", "f = q * z"),
        {"x": -2.0, "y": 5.0, "z": -4.0},
        {"q": "3", "f": "-12", "grad_q": "-4", "grad_z": "3", "grad_x": "-4", "grad_y": "-4"},
    ),
    "sigmoid neuron": (
        SIGMOID,
        {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0},
        {
            "p0": "-2.00",
            "p1": "6.00",
            "s": "1.00",
            "n": "-1.00",
            "u": "0.37",
            "d": "1.37",
            "f": "0.73",
            "grad_d": "-0.53",
            "grad_u": "-0.53",
            "grad_n": "-0.20",
            "grad_s": "0.20",
            "grad_w0": "-0.20",
            "grad_x0": "0.39",
            "grad_w1": "-0.39",
            "grad_x1": "-0.59",
            "grad_w2": "0.20",
        },
    ),
}


@pytest.mark.parametrize(("gates", "given", "printed"), PUBLISHED.values(), ids=PUBLISHED)
def test_published_circuits_come_out_as_printed(gates, given, printed):
    values = evaluate(gates, **given)
    for name, text in printed.items():
        places = len(text.partition(".")[2])
        assert f"{float(values[name]):.{places}f}" == text, name


def test_a_sigmoid_gate_is_the_sigmoid_taken_apart():
    given = {"w0": 0.7, "x0": -1.2, "w1": 0.4, "x1": 0.9, "w2": -0.3}
    apart, whole = evaluate(SIGMOID, **given), evaluate((*SIGMOID[:3], "f = sigmoid(s)"), **given)
    for name in ("f", "grad_s", *(f"grad_{each}" for each in given)):
        assert apart[name] == pytest.approx(float(whole[name])), name


def test_each_gate_computes_what_is_written():
    values = evaluate(
        ("m = max(x, y)", "t = tanh(m)", "q = t^2", "r = 1 / q", "n = -r", "e = exp(n)", "o = 1 + e", "f = o * z"),
        x=-0.4,
        y=0.8,
        z=3.0,
    )
    assert values["f"] == pytest.approx((1 + math.exp(-1 / math.tanh(0.8) ** 2)) * 3)


def test_what_a_fork_brings_back_adds_up():
    values = evaluate(("a = x * y", "b = x + y", "f = a * b"), x=3.0, y=5.0)
    assert values["grad_x"] == 2 * 3 * 5 + 5**2  # of x**2 y + x y**2


def test_a_maximum_gives_nothing_to_its_smaller_input():
    values = evaluate(("q = x + y", "m = max(y, z)", "f = q * m"), x=3.0, y=-4.0, z=2.0)
    assert (values["grad_x"], values["grad_y"], values["grad_z"]) == (2.0, 2.0, -1.0)


def test_a_fork_into_two_maxima_has_each_slip_once():
    lesson = Circuit(gates=("a = max(x, y)", "b = max(x, z)", "f = a * b"))
    codes = [mistake.code for mistake in structure_of(lesson).mistakes]
    assert codes.count("grad_x:passed_to_both") == 1
    assert {"grad_x:one_path_only", "grad_x:switch_reversed"} <= set(codes)


@pytest.mark.parametrize(
    ("gates", "told"),
    [
        ((), "the last one the name f"),
        (("q = x + y",), "gates are named q; give each its own name, and the last one the name f"),
        (("f = x + y", "f = f * z"), "gates are named f, f; give each its own name"),
        (("f = x - y",), "'f = x - y' is not a gate; write name = one of x \\+ y, x \\* y, max\\(x, y\\)"),
        (("x + y",), "'x \\+ y' is not a gate"),
        (("2 = x + y",), "'2 = x \\+ y' is not a gate"),
        (("f = x * x",), "gate f reads x, x; it takes different, earlier values"),
        (("q = f + y", "f = q * z"), "gate q reads f, y; it takes different, earlier values"),
        (("q = x + y", "f = x * z"), "no gate reads q; leave it out or use it"),
    ],
)
def test_what_is_no_circuit_is_told(gates, told):
    with pytest.raises(ValueError, match=told):
        Circuit(gates=gates)
