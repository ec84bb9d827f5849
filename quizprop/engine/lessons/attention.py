r"""Attention of one query: it is matched with keys, and the match decides how the values are mixed.

q, the target y and the output o are ``(2,)``; keys K and values V are rows, ``(keys, 2)``; scores, weights and what
belongs to them are ``(keys,)``. Source: Vaswani et al., "Attention Is All You Need" (2017), equation 1.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np

from quizprop.engine.arrays import Array, total
from quizprop.engine.graph import Formula, Quantity, step
from quizprop.engine.lessons.attention_mistakes import attention_mistakes
from quizprop.engine.lessons.squared_error import by_output
from quizprop.engine.lessons.unit import UnitLesson
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import Given, Rule, Shape
from quizprop.engine.words import phrase

__all__ = ["Attention"]

SIZE: Final = 2
"""Of the query, of each key and of each value."""

# --- forward --------------------------------------------------------------------------------------------------------


@step(
    "s",
    title="score of a key",
    latex=r"s_i = \sum_j q_j\,K_{ij}",
    phase="forward",
    text="s_$k",
    symbol="s_{$k}",
    idea="The dot product of the query with a key: large where both point the same way.",
)
def s(q: Array, K: Array) -> Array:
    """The dot product of the query with each key."""
    return total(q[..., None, :] * K, -1)


def size_of_a_key(scores: Array, K: Array) -> Array:
    """The size, once for each score: so the worked solution writes its root as a root."""
    return 0 * scores + K.shape[-1]


@step(
    "z",
    title="scaled score",
    latex=r"z_i = \frac{s_i}{\sqrt{d}}",
    phase="forward",
    text="z_$k",
    symbol="z_{$k}",
    idea=(
        "The score over the root of the number of components of a key. Dot products grow with that number; without the "
        "scaling the softmax would soon give everything to one key."
    ),
)
def z(s: Array, K: Array) -> Array:
    """The score over the root of the number of components of a key."""
    return s / np.sqrt(size_of_a_key(s, K))


@step("p", title="power of e", latex="p_i = e^{z_i}", phase="forward", text="p_$k", symbol="p_{$k}")
def p(z: Array) -> Array:
    """Softmax raises e to every scaled score: all become positive, and differences become ratios."""
    return np.exp(z)


@step(
    "a",
    title="attention weight",
    latex=r"a_i = \frac{p_i}{\sum_k p_k}",
    phase="forward",
    text="a_$k",
    symbol="a_{$k}",
    guard="share",
)
def a(p: Array) -> Array:
    """The share of each power in their sum: the attention weights add up to 1."""
    return p / total(p, -1, keepdims=True)


@step(
    "o",
    title="output",
    latex=r"o_j = \sum_i a_i\,V_{ij}",
    phase="forward",
    text="o_$k",
    symbol="o_{$k}",
)
def o(a: Array, V: Array) -> Array:
    """The mean of the values, each counted with its attention weight."""
    return total(a[..., :, None] * V, -2)


@step("E", title="error", latex=r"E = \tfrac{1}{2} \sum_j (y_j - o_j)^2", phase="loss", text="E", symbol="E")
def E(o: Array, y: Array) -> Array:
    """Half of the squared distance between output and target."""
    return total((y - o) ** 2, -1) / 2


# --- and back -------------------------------------------------------------------------------------------------------

grad_o = by_output(
    r"\frac{\partial E}{\partial o_j} = o_j - y_j", text="∂E/∂o_$k", symbol=r"\frac{\partial E}{\partial o_{$k}}"
)


@step(
    "grad_V",
    title="gradient of a value",
    latex=r"\frac{\partial E}{\partial V_{ij}} = a_i\,\frac{\partial E}{\partial o_j}",
    phase="gradients",
    text="∂E/∂V_$index",
    symbol=r"\frac{\partial E}{\partial V_{$index}}",
    idea="Each value gets the derivative by the output, in the measure in which it was listened to.",
)
def grad_V(a: Array, grad_o: Array) -> Array:
    """The attention weight of the row times the derivative by the output."""
    return a[..., :, None] * grad_o[..., None, :]


@step(
    "grad_a",
    title="derivative by an attention weight",
    latex=r"\frac{\partial E}{\partial a_i} = \sum_j \frac{\partial E}{\partial o_j}\,V_{ij}",
    phase="backward",
    text="∂E/∂a_$k",
    symbol=r"\frac{\partial E}{\partial a_{$k}}",
    idea="An attention weight multiplies a whole value: the dot product of that value with the output's derivative.",
)
def grad_a(grad_o: Array, V: Array) -> Array:
    """The dot product of the derivative by the output with each value."""
    return total(grad_o[..., None, :] * V, -1)


@step(
    "average",
    title="weighted mean of the derivatives",
    latex=r"m = \sum_i a_i\,\frac{\partial E}{\partial a_i}",
    phase="backward",
    text="m",
    symbol="m",
    idea=(
        "What raising all attention weights in the same proportion would do. They cannot rise together, so this will "
        "be taken away."
    ),
)
def average(a: Array, grad_a: Array) -> Array:
    """The mean of the derivatives by the attention weights, each counted with its weight."""
    return total(a * grad_a, -1)


@step(
    "grad_z",
    title="derivative by a scaled score",
    latex=r"\frac{\partial E}{\partial z_i} = a_i \left(\frac{\partial E}{\partial a_i} - m\right)",
    phase="backward",
    text="∂E/∂z_$k",
    symbol=r"\frac{\partial E}{\partial z_{$k}}",
    idea=(
        "Back through the softmax: a score that rises takes its share from all others, so what counts is how far the "
        "derivative by its weight is above the weighted mean. These derivatives add up to zero."
    ),
)
def grad_z(a: Array, grad_a: Array, average: Array) -> Array:
    """The weight times how far its derivative is above the weighted mean."""
    return a * (grad_a - average[..., None])


@step(
    "grad_s",
    title="derivative by a score",
    latex=r"\frac{\partial E}{\partial s_i} = \frac{1}{\sqrt{d}}\,\frac{\partial E}{\partial z_i}",
    phase="backward",
    text="∂E/∂s_$k",
    symbol=r"\frac{\partial E}{\partial s_{$k}}",
)
def grad_s(grad_z: Array, K: Array) -> Array:
    """The scaling is a constant factor, and the way back passes it too."""
    return grad_z / np.sqrt(size_of_a_key(grad_z, K))


@step(
    "grad_q",
    title="gradient of the query",
    latex=r"\frac{\partial E}{\partial q_j} = \sum_i \frac{\partial E}{\partial s_i}\,K_{ij}",
    phase="gradients",
    text="∂E/∂q_$k",
    symbol=r"\frac{\partial E}{\partial q_{$k}}",
)
def grad_q(grad_s: Array, K: Array) -> Array:
    """The query met every key: the derivative by each score times its key, added up."""
    return total(grad_s[..., :, None] * K, -2)


@step(
    "grad_K",
    title="gradient of a key",
    latex=r"\frac{\partial E}{\partial K_{ij}} = \frac{\partial E}{\partial s_i}\,q_j",
    phase="gradients",
    text="∂E/∂K_$index",
    symbol=r"\frac{\partial E}{\partial K_{$index}}",
)
def grad_K(grad_s: Array, q: Array) -> Array:
    """Each key has a score of its own: the derivative by it times the query."""
    return grad_s[..., :, None] * q[..., None, :]


FORMULAS: Final[tuple[Formula, ...]] = (
    s, z, p, a, o, E, grad_o, grad_V, grad_a, average, grad_z, grad_s, grad_q, grad_K
)  # fmt: skip


# --- the lesson -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention(UnitLesson):
    """One query of two numbers, and ``keys`` keys with a value each."""

    kind: ClassVar[str] = "attention"
    keys: Literal[2, 3] = 2

    def given(self) -> tuple[Given, ...]:
        """Query, keys, values, and the target."""
        rows = (self.keys, SIZE)
        return (
            Given("q", (SIZE,), "Query", "q_$k", "q_{$k}"),
            Given("K", rows, "Keys", "K_$index", "K_{$index}"),
            Given("V", rows, "Values", "V_$index", "V_{$index}"),
            Given("y", (SIZE,), "Target", "y_$k", "y_{$k}"),
        )

    def quantities(self) -> tuple[Quantity, ...]:
        """From the scores to the mixed value, and back to query and keys."""
        return tuple(self.place(formula) for formula in FORMULAS)

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong in scores, softmax and mixture."""
        return attention_mistakes(square=self.keys == SIZE)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What is a row, and the formulas of the way forward."""
        return (
            Rule("Keys and values", "one in each row"),
            Rule("Components", "of the query and of each key", f"d = {SIZE}"),
            Rule("Scaled score", "", r"z_i = \frac{1}{\sqrt{d}} \sum_j q_j\,K_{ij}"),
            Rule("Softmax", "", r"a_i = \frac{e^{z_i}}{\sum_k e^{z_k}}"),
            Rule("Output", "", o.latex),
            Rule("Error", "half squared error", E.latex),
        )

    @property
    def sketch(self) -> Shape:
        """Query, keys, output."""
        return (SIZE, self.keys, SIZE)

    @property
    def outline(self) -> str:
        """How many keys there are."""
        return phrase("a query and {number} keys", number=self.keys)
