"""The engine alone on a batch of Mazur's networks, beside micrograd's loop over the same numbers in the same run.

The engine works out every quantity of a sheet, net inputs to updated weights; micrograd the gradients. It comes with
the dependency group ``bench``; without it the engine is measured alone.
"""

from importlib import import_module
from typing import Any

import numpy as np
from clock import seconds

from quizprop.engine.structure import structure_of
from quizprop.exercise.bank import load_bank
from quizprop.exercise.generate import draw_block

COUNT = 4096
LOOPS = 200
ROUNDS = 5


def main() -> None:
    exercise = load_bank()["mazur-like"]
    graph = structure_of(exercise.model).graph
    given = draw_block(exercise, np.random.default_rng(1), COUNT)
    engine = seconds(lambda: graph.evaluate(given), ROUNDS) / COUNT
    print(f"engine                {1 / engine:>11,.0f} networks a second   {engine * 1e6:8.2f} microseconds each")
    try:
        Value = import_module("micrograd.engine").Value
    except ImportError:
        print("micrograd is not installed: pip install --group bench")
        return

    def one(at: int) -> None:
        x, t = given["x"][at].ravel(), given["t"][at].ravel()
        weights = [[[Value(float(w)) for w in row] for row in given[name][at]] for name in ("W1", "W2")]
        biases = [[Value(float(b)) for b in given[name][at]] for name in ("b1", "b2")]
        a = [Value(float(value)) for value in x]
        for rows, bias in zip(weights, biases, strict=True):
            z = [sum((w * i for w, i in zip(row, a, strict=True)), b) for row, b in zip(rows, bias, strict=True)]
            a = [squash(each) for each in z]
        error = sum(((out + -float(goal)) ** 2 * 0.5 for out, goal in zip(a, t, strict=True)), Value(0.0))
        error.backward()

    def squash(z: Any) -> Any:  # noqa: ANN401 - a Value
        """The logistic function as a single node, as its author adds tanh."""
        value = 1 / (1 + np.exp(-z.data))
        out = Value(float(value), (z,), "sigmoid")

        def backward() -> None:
            z.grad += out.data * (1 - out.data) * out.grad

        out._backward = backward  # noqa: SLF001 - where micrograd keeps it
        return out

    loop = seconds(lambda: [one(at) for at in range(LOOPS)], ROUNDS) / LOOPS
    print(f"micrograd's loop      {1 / loop:>11,.0f} networks a second   {loop * 1e6:8.2f} microseconds each")
    print(f"ratio                 {loop / engine:>11.0f}")


if __name__ == "__main__":
    main()
