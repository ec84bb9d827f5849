"""The engine alone on a batch of Mazur's networks, beside micrograd's loop and PyTorch on the same numbers.

The others work out the gradients, so that is what is compared; the engine's whole sheet, net inputs to the error after
the step, is a line of its own. Micrograd and PyTorch come with the dependency group ``bench``; without one of them its
lines are left out. Everything runs on one core, in double precision.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from clock import seconds

from quizprop.engine.structure import structure_of
from quizprop.exercise.bank import load_bank
from quizprop.exercise.generate import draw_block

COUNT = 8192
LOOPS = 200
ROUNDS = 20
GRADIENTS = ("grad_W1", "grad_b1", "grad_W2", "grad_b2")
Given = dict[str, Any]


def main() -> None:
    exercise = load_bank()["mazur-like"]
    graph = structure_of(exercise.model).graph
    given = draw_block(exercise, np.random.default_rng(1), COUNT)
    ours = graph.evaluate(given, want=GRADIENTS)
    engine = seconds(lambda: graph.evaluate(given, want=GRADIENTS), ROUNDS) / COUNT
    say("engine, gradients", engine)
    say("engine, whole sheet", seconds(lambda: graph.evaluate(given), ROUNDS) / COUNT)
    for name, loop, count in (("micrograd", micrograd, LOOPS), ("torch", torch, COUNT)):
        try:
            work = loop(given)
        except ImportError:
            print(f"{name} is not installed: pip install --group bench")
            continue
        for key, theirs in work().items():
            np.testing.assert_allclose(theirs, ours[key][: len(theirs)], atol=1e-12, err_msg=f"{name}: {key}")
        other = seconds(work, ROUNDS) / count
        say(name, other)
        print(f"{'ratio':<21} {other / engine:>11,.1f}")


def say(what: str, each: float) -> None:
    print(f"{what:<21} {1 / each:>11,.0f} networks a second   {each * 1e6:8.3f} microseconds each")


def micrograd(given: Given) -> Callable[[], Given]:
    """Its gradients of the first networks, one after the other; a bias is shared by a layer, as Mazur's are."""
    Value = import_module("micrograd.engine").Value

    def squash(z: Any) -> Any:  # noqa: ANN401 - a Value
        """The logistic function as a single node, as its author adds tanh."""
        value = 1 / (1 + np.exp(-z.data))
        out = Value(float(value), (z,), "sigmoid")

        def backward() -> None:
            z.grad += out.data * (1 - out.data) * out.grad

        out._backward = backward  # noqa: SLF001 - where micrograd keeps it
        return out

    def one(at: int) -> tuple[list[Any], list[Any]]:
        x, t = given["x"][at].ravel(), given["t"][at].ravel()
        weights = [[[Value(float(w)) for w in row] for row in given[name][at]] for name in ("W1", "W2")]
        biases = [[Value(float(given[name][at, 0]))] for name in ("b1", "b2")]
        a = [Value(float(value)) for value in x]
        for rows, bias in zip(weights, biases, strict=True):
            z = [sum((w * i for w, i in zip(row, a, strict=True)), bias[0]) for row in rows]
            a = [squash(each) for each in z]
        error = sum(((out + -float(goal)) ** 2 * 0.5 for out, goal in zip(a, t, strict=True)), Value(0.0))
        error.backward()
        return weights, biases

    def work() -> Given:
        done = [one(at) for at in range(LOOPS)]
        found: Given = {}
        for layer in (0, 1):
            found[f"grad_W{layer + 1}"] = [[[w.grad for w in row] for row in weights[layer]] for weights, _ in done]
            found[f"grad_b{layer + 1}"] = [[b.grad for b in biases[layer]] for _, biases in done]
        return found

    return work


def torch(given: Given) -> Callable[[], Given]:
    """PyTorch's ``vmap(grad)`` over the whole batch."""
    library = import_module("torch")
    library.set_num_threads(1)
    batch = {name: library.from_numpy(np.ascontiguousarray(given[name])) for name in ("x", "t", "W1", "W2")}
    batch |= {name: library.from_numpy(np.ascontiguousarray(given[name][:, :1])) for name in ("b1", "b2")}

    def error(weights: Given, x: Any, t: Any) -> Any:  # noqa: ANN401 - tensors
        a = library.sigmoid(x @ weights["W1"].T + weights["b1"])
        a = library.sigmoid(a @ weights["W2"].T + weights["b2"])
        return 0.5 * ((a - t) ** 2).sum()

    gradients = library.func.vmap(library.func.grad(error))
    weights = {name: batch[name] for name in ("W1", "b1", "W2", "b2")}

    def work() -> Given:
        return {f"grad_{name}": found for name, found in gradients(weights, batch["x"], batch["t"]).items()}

    return work


if __name__ == "__main__":
    main()
