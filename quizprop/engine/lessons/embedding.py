r"""Word vectors: the vectors of the words at hand predict another word, and only they learn as inputs.

Three words, each with an input vector, a row of V, and an output vector, a row of U, both ``(3, 2)``. h and its
derivative are ``(2,)``; z, p and the deltas are ``(3,)``; E and eta are scalars. Which words go in and which is to be
predicted is part of the lesson, not drawn. Source: Mikolov, Chen, Corrado and Dean, "Efficient Estimation of Word
Representations in Vector Space" (2013): skip-gram for one word, continuous bag of words for several; the full softmax.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from types import MappingProxyType
from typing import ClassVar, Final

import numpy as np

from quizprop.engine.arrays import Array, softmax, total
from quizprop.engine.graph import Formula, Quantity, step
from quizprop.engine.lessons.pieces import (
    by_weights,
    by_weights_mistakes,
    of_softmax,
    partial,
    sent_back,
    sent_back_mistakes,
    step_mistakes,
    updated,
)
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import POSITIVE, Given, Lesson, Rule, Shape
from quizprop.engine.words import phrase

__all__ = ["Embedding"]

_VOCABULARY: Final = 3
_SIZE: Final = 2


# --- forward --------------------------------------------------------------------------------------------------------


def _picked(V: Array, words: tuple[int, ...]) -> Array:
    """The rows of some words, added up."""
    rows: Array = reduce(np.add, [V[..., word - 1, :] for word in words])
    return rows


def h(words: tuple[int, ...]) -> Formula:
    """What goes in: the vector of one word, or the mean of several."""

    def looked_up(V: Array) -> Array:
        """A word picks its row of V; several words are averaged."""
        return _picked(V, words) / len(words)

    rows = " + ".join(f"v_{{{word},k}}" for word in words)
    latex = f"h_k = {rows}" if len(words) == 1 else rf"h_k = \frac{{{rows}}}{{{len(words)}}}"
    return step("h", title="hidden vector", latex=latex, phase="forward", text="h_$k", symbol="h_{$k}")(looked_up)


@step("z", title="score of a word", latex=r"z_j = \sum_k u_{jk}\,h_k", phase="forward", text="z_$k", symbol="z_{$k}")
def z(U: Array, h: Array) -> Array:
    """Each word's output vector, times the hidden vector: how well they fit."""
    return total(U * h[..., None, :], -1)


@step(
    "p",
    title="probability of a word",
    latex=r"p_j = \frac{e^{z_j}}{\sum_i e^{z_i}}",
    phase="forward",
    text="p_$k",
    symbol="p_{$k}",
    guard="share",
)
def p(z: Array) -> Array:
    """The softmax turns scores into probabilities."""
    return softmax(z)


def E(target: int) -> Formula:
    """The cross-entropy of the word that stands there."""

    def surprise(p: Array) -> Array:
        """Minus the logarithm of the probability of the word that stands there."""
        return -np.log(p[..., target - 1])

    return step("E", title="error", latex=rf"E = -\ln p_{{{target}}}", phase="loss", text="E", symbol="E")(surprise)


# --- backward -------------------------------------------------------------------------------------------------------


def _one_hot(word: int) -> Array:
    return np.eye(_VOCABULARY)[word - 1]


def grad_z(target: int) -> Formula:
    """The derivative by the scores."""
    hot = _one_hot(target)

    def less_target(p: Array) -> Array:
        """Probability minus target: 1 for the word that stands there, 0 for every other."""
        return p - hot

    return step(
        "grad_z",
        title="delta of a word",
        latex=r"\delta_j = p_j - t_j",
        phase="backward",
        text="δ_$k",
        symbol=r"\delta_{$k}",
    )(less_target)


grad_h = step(
    "grad_h",
    title="derivative by the hidden vector",
    latex=rf"{partial('h_k')} = \sum_j u_{{jk}}\,\delta_j",
    phase="backward",
    text="∂E/∂h_$k",
    symbol=partial("h_{$k}"),
    reads=("U", "grad_z"),
)(sent_back)

grad_outputs = step(
    "grad_U",
    title="gradient of an output vector",
    latex=rf"{partial('u_{jk}')} = \delta_j\,h_k",
    phase="gradients",
    text="∂E/∂u_$index",
    symbol=partial("u_{$index}"),
    reads=("grad_z", "h"),
)(by_weights)


def grad_inputs(words: tuple[int, ...]) -> Formula:
    """The derivative by every word's input vector."""

    def to_its_rows(grad_h: Array) -> Array:
        """Only the words that went in had a part in the error, each its share; all other rows get 0."""
        share = grad_h / len(words)
        rows = [share if row in words else 0 * share for row in range(1, _VOCABULARY + 1)]
        return np.stack(rows, axis=-2)

    part = partial("h_k") if len(words) == 1 else rf"\frac{{1}}{{{len(words)}}}\,{partial('h_k')}"
    return step(
        "grad_V",
        title="gradient of an input vector",
        latex=rf"{partial('v_{jk}')} = {part} \text{{ if word }} j \text{{ goes in, else }} 0",
        phase="gradients",
        text="∂E/∂v_$index",
        symbol=partial("v_{$index}"),
    )(to_its_rows)


_UPDATES: Final = (
    updated("U", 2, "output vector", text="u_$index", latex="u", symbol="u^{+}_{$index}"),
    updated("V", 2, "input vector", text="v_$index", latex="v", symbol="v^{+}_{$index}"),
)


# --- what goes wrong ------------------------------------------------------------------------------------------------


def _entering(words: tuple[int, ...]) -> tuple[Misconception, ...]:
    """What goes wrong at the hidden vector."""
    beside = tuple(word % _VOCABULARY + 1 for word in words)
    averaging = (
        Misconception(
            "sum_for_mean",
            "h",
            "sum instead of mean",
            "The vectors were added up. The hidden vector is their mean: divide by how many words go in.",
            (lambda V: _picked(V, words),),
        ),
        Misconception(
            "one_word_only",
            "h",
            "one word only",
            "This is the vector of one word. Average those of all words that go in.",
            (lambda V: _picked(V, words[:1]), lambda V: _picked(V, words[-1:])),
        ),
        Misconception(
            "share_left_out",
            "grad_V",
            "share left out",
            "The whole derivative was given to each word. The hidden vector is a mean, so each gets its share.",
            (lambda grad_h, V: grad_h[..., None, :] * _among(words) + 0 * V,),
            where=lambda V: 0 * V + _among(words) != 0,
        ),
    )
    return (
        Misconception(
            "wrong_row",
            "h",
            "row of another word",
            "This is the row of another word. Words are counted from 1, and each picks its own row of V.",
            (lambda V: _picked(V, beside) / len(words),),
        ),
        Misconception(
            "output_vector",
            "h",
            "output vector instead of input vector",
            "The output vector was looked up. A word that goes in is represented by its *input* vector.",
            (lambda U: _picked(U, words) / len(words),),
        ),
        *(averaging if len(words) > 1 else ()),
        Misconception(
            "every_word",
            "grad_V",
            "gradient for every word",
            "Every row got a gradient. A word that did not go in had no part in the error.",
            (lambda grad_h, V: grad_h[..., None, :] / len(words) + 0 * V,),
            where=lambda V: 0 * V + _among(words) == 0,
        ),
        Misconception(
            "times_vector",
            "grad_V",
            "multiplied by the vector",
            "The derivative was multiplied by the vector itself. The row goes straight into the hidden vector: its "
            "factor is a constant.",
            (lambda grad_h, V: grad_h[..., None, :] * V * _among(words) / len(words),),
            where=lambda V: 0 * V + _among(words) != 0,
        ),
    )


def _among(words: tuple[int, ...]) -> Array:
    """A column: 1 for a word that goes in, else 0."""
    return _picked(np.eye(_VOCABULARY), words)[:, None]


def _predicting(target: int) -> tuple[Misconception, ...]:
    """What goes wrong at the error and its derivative."""
    hot = _one_hot(target)
    return (
        Misconception(
            "minus_left_out",
            "E",
            "minus left out",
            "The logarithm of a probability is negative, and the error is its opposite: the minus in front is missing.",
            (lambda p: np.log(p[..., target - 1]),),
        ),
        Misconception(
            "common_logarithm",
            "E",
            "common logarithm",
            "This is the logarithm to base 10. Cross-entropy takes the natural one, ln.",
            (lambda p: -np.log10(p[..., target - 1]),),
        ),
        Misconception(
            "all_classes_counted",
            "E",
            "every word counted",
            "The logarithm of every word was counted. Only the word that stands there counts.",
            (lambda p: -total(np.log(p), -1),),
        ),
        Misconception(
            "sign_flipped",
            "grad_z",
            "sign flipped",
            "The sign is the other way round: delta is probability minus target.",
            (lambda p: hot - p,),
        ),
        Misconception(
            "target_left_out",
            "grad_z",
            "target left out",
            "This is the probability. For the word that stands there the target, 1, is taken away.",
            (lambda p: p + 0 * hot,),
            where=lambda p: 0 * p + hot != 0,
        ),
        Misconception(
            "slope_of_output_again",
            "grad_z",
            "softmax passed twice",
            "This was multiplied by a slope of the softmax. With cross-entropy that has cancelled already.",
            (lambda p: (p - hot) * p * (1 - p),),
        ),
    )


_SAID_OF_WORDS: Final[Mapping[str, str]] = MappingProxyType({
    "activation_skipped": "This is still the score. Put the scores through the softmax.",
    "not_normalised": (
        "This is only the power of e. Divide it by the sum over all words, so that the probabilities add up to 1."
    ),
    "shares_of_net_inputs": "The scores themselves were divided by their sum. Softmax takes powers of e first.",
    "sigmoid_for_softmax": (
        "Each score was put through a sigmoid alone. Softmax compares the words with each other: the probabilities "
        "add up to 1."
    ),
    "weight_for_input": (
        "Delta was multiplied by the output vector. What that one multiplies, and so the derivative, is the hidden "
        "vector."
    ),
})  # fmt: skip
"""The sentences of a network's layer, said of words and their vectors."""


def _of_words(mistakes: Iterable[Misconception]) -> Iterator[Misconception]:
    return (replace(one, sentence=_SAID_OF_WORDS.get(one.kind, one.sentence)) for one in mistakes)


_SCORES: Final = (
    Misconception(
        "input_vector",
        "z",
        "input vectors instead of output vectors",
        "The input vectors were used for the scores. A word to be predicted is represented by its *output* vector.",
        (lambda V, h: total(V * h[..., None, :], -1),),
    ),
    Misconception(
        "one_input_only",
        "z",
        "one component only",
        "Only one component was counted. A dot product adds up the products of all components.",
        (lambda U, h: U[..., 0] * h[..., :1], lambda U, h: U[..., -1] * h[..., -1:]),
    ),
    Misconception(
        "vectors_added",
        "z",
        "added instead of multiplied",
        "The components were added. A dot product multiplies them pair by pair and adds up the products.",
        (lambda U, h: total(U + h[..., None, :], -1),),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding(Lesson):
    """A vocabulary of three words with vectors of two numbers; ``words`` go in, ``target`` stands there."""

    kind: ClassVar[str] = "embedding"
    words: tuple[int, ...] = (2,)
    target: int = 3

    def __post_init__(self) -> None:
        different = len(set(self.words)) == len(self.words) in (1, 2)
        if not different or not {*self.words, self.target} <= set(range(1, _VOCABULARY + 1)):
            told = f"{', '.join(map(str, self.words))} and {self.target}"
            raise ValueError(
                f"words and target: {told}; take one or two different words, and each from 1 to {_VOCABULARY}"
            )

    def given(self) -> tuple[Given, ...]:
        """Both vectors of every word."""
        shape = (_VOCABULARY, _SIZE)
        return (
            Given("V", shape, "Input vectors", "v_$index", "v_{$index}"),
            Given("U", shape, "Output vectors", "u_$index", "u_{$index}"),
            Given("eta", (), "Learning rate", "η", r"\eta", within=POSITIVE),
        )

    def quantities(self) -> tuple[Quantity, ...]:
        """From the words to the probabilities, and back to their vectors."""
        forward = (h(self.words), z, p, E(self.target))
        backward = (grad_z(self.target), grad_h, grad_outputs, grad_inputs(self.words))
        return tuple(map(self.place, (*forward, *backward, *_UPDATES)))

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong with word vectors."""
        return (
            *_entering(self.words),
            *_SCORES,
            *_of_words(of_softmax("p", "z")),
            *_predicting(self.target),
            *sent_back_mistakes("grad_h", "U", "grad_z", square=False, updated="U_new"),
            *_of_words(by_weights_mistakes("grad_U", "grad_z", "h", "U", square=False)),
            *step_mistakes("U", 2),
            *step_mistakes("V", 2),
        )

    @property
    def has_zeros(self) -> bool:
        """A word that does not go in has no gradient."""
        return True

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Which words, and how they are scored."""
        first, last = self.words[0], self.words[-1]
        both = phrase("words {first} and {second}, averaged", first=first, second=last)
        return (
            Rule("Goes in", phrase("word {number}", number=first) if first == last else both, h(self.words).latex),
            Rule("Stands there", phrase("word {number}", number=self.target), E(self.target).latex),
            Rule("Probability", "softmax", p.latex),
        )

    @property
    def sketch(self) -> Shape:
        """Words, a vector, words."""
        return (_VOCABULARY, _SIZE, _VOCABULARY)
