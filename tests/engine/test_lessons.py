"""Laws of every lesson: its derivatives by complex step, its words, and mistakes that make a difference."""

import re
from collections import Counter

import numpy as np
import pytest

from quizprop.engine.catalogue import LESSONS
from quizprop.engine.lessons.attention import Attention
from quizprop.engine.lessons.circuit import Circuit
from quizprop.engine.lessons.composition import Composition
from quizprop.engine.lessons.convolution import Convolution
from quizprop.engine.lessons.descent import Descent
from quizprop.engine.lessons.dropout import Dropout
from quizprop.engine.lessons.embedding import Embedding
from quizprop.engine.lessons.gradient_check import GradientCheck
from quizprop.engine.lessons.inverse import Inverse
from quizprop.engine.lessons.normalisation import Normalisation
from quizprop.engine.lessons.recurrent import Recurrent
from quizprop.engine.lessons.residual import Residual
from quizprop.engine.lessons.shapes import Shapes
from quizprop.engine.lessons.tied import Tied
from quizprop.engine.structure import structure_of
from quizprop.engine.trace import trace
from quizprop.exercise.lesson_words import spelled
from quizprop.exercise.notation import mathml


def proper(value):
    """Between 0 and 1."""
    return abs(value) / 2


def one_or_zero(value):
    return value > 0


# One of each kind and of each option that changes a formula, with what its numbers must obey.
ZOO = {
    "square of a sigmoid": (Composition(middle="sigmoid", outer="square"), {}),
    "exp of a square": (Composition(middle="square", outer="exp"), {}),
    "ln of a square": (Composition(middle="square", outer="ln"), {}),
    "tanh of an exp": (Composition(middle="exp", outer="tanh"), {}),
    "sigmoid of ln": (Composition(middle="ln", outer="sigmoid"), {"x": abs, "w": abs, "b": abs}),
    "square of tanh": (Composition(middle="tanh", outer="square"), {}),
    "two steps of gradient descent": (Descent(bias=True), {}),
    "one step of gradient descent": (Descent(steps=1, activation="identity"), {}),
    "momentum": (Descent(optimizer="momentum", activation="tanh"), {}),
    "nesterov": (Descent(optimizer="nesterov", bias=True), {}),
    "rmsprop": (Descent(optimizer="rmsprop", loss="bce"), {"s0": abs, "rho": proper, "y": one_or_zero}),
    "adam": (Descent(optimizer="adam", inputs=1, bias=True), {"beta1": proper, "beta2": proper}),
    "one step of adam": (Descent(optimizer="adam", steps=1), {"beta1": proper, "beta2": proper}),
    "weight decay": (Descent(optimizer="weight_decay", inputs=1), {}),
    "penalty": (Descent(penalty=True, loss="bce", bias=True), {"y": one_or_zero}),
    "the rate of a sigmoid": (Inverse(), {}),
    "the rate of a logistic unit": (Inverse(loss="bce", inputs=3, bias=False), {"y": one_or_zero}),
    "check of a unit": (GradientCheck(), {}),
    "check of a logistic chain": (GradientCheck(loss="bce", layers=2), {"y": one_or_zero}),
    "check of a tanh chain": (GradientCheck(activation="tanh", layers=2), {}),
    "shapes with examples as columns": (Shapes(), {}),
    "shapes with examples as rows": (Shapes(layers=3, examples_as="rows"), {}),
    "penalty of one step": (Descent(penalty=True, steps=1, activation="identity"), {}),
    "two steps of tanh": (Recurrent(), {}),
    "three steps of tanh, an error at each": (Recurrent(steps=3, loss="each"), {}),
    "two steps of a sigmoid, an error at each": (Recurrent(activation="sigmoid", loss="each"), {}),
    "three steps without a function": (Recurrent(steps=3, activation="identity"), {}),
    "residual block": (Residual(), {}),
    "residual block of tanh": (Residual(activation="tanh"), {}),
    "residual block with an activated sum": (Residual(activated_sum=True), {}),
    "residual block of sigmoids": (Residual(activation="sigmoid", activated_sum=True), {}),
    "batch normalisation": (Normalisation(), {"eps": abs}),
    "batch normalisation of four": (Normalisation(numbers=4, reduction="mean"), {"eps": abs}),
    "layer normalisation": (Normalisation(over="layer"), {"eps": abs}),
    "inverted dropout": (Dropout(), {"m": one_or_zero, "p": proper}),
    "dropout of tanh": (Dropout(scaling="test", activation="tanh"), {"m": one_or_zero, "p": proper}),
    "dropout of ReLU": (Dropout(activation="relu", hidden=2), {"m": one_or_zero, "p": proper}),
    "circuit that forks into a maximum": (Circuit(gates=("q = x + y", "m = max(y, z)", "f = q * m")), {}),
    "circuit that forks into a sum": (Circuit(gates=("u = x * y", "v = u + z", "s = v^2", "f = s + u")), {}),
    "circuit that ends in a maximum": (Circuit(gates=("p = x * y", "q = tanh(p)", "f = max(q, z)")), {}),
    "circuit of a sigmoid": (Circuit(gates=("p = w0 * x0", "s = p + b", "a = sigmoid(s)", "f = a * t")), {}),
    "circuit of a reciprocal": (
        Circuit(gates=("n = -s", "e = exp(n)", "d = 1 + e", "r = 1 / d", "m = -r", "f = 1 + m")),
        {},
    ),
    "vector of a word": (Embedding(), {}),
    "vectors of two words": (Embedding(words=(1, 3), target=2), {}),
    "tied weights": (Tied(), {}),
    "tied weights of a sigmoid": (Tied(activation="sigmoid"), {}),
    "circuit that turns the sign at last": (Circuit(gates=("d = x + y + z", "r = 1 / d", "f = -r")), {}),
    "convolution": (Convolution(), {}),
    "convolution of three, weighted": (Convolution(activation="sigmoid", size=3, pooling="weights"), {}),
    "convolution with max pooling": (Convolution(pooling="max"), {}),
    "convolution of three with max pooling": (Convolution(activation="sigmoid", size=3, pooling="max"), {}),
    "convolution with ReLU": (Convolution(activation="relu", pooling="weights"), {"b": abs}),
    "attention to two keys": (Attention(), {}),
    "attention to three keys": (Attention(keys=3), {}),
}


@pytest.fixture(params=ZOO)
def name(request):
    return request.param


@pytest.fixture
def lesson(name):
    return ZOO[name][0]


@pytest.fixture
def structure(lesson):
    return structure_of(lesson)


def sample(name, seed):
    """Generic numbers for a lesson: not small, of either sign, then as the lesson needs them."""
    lesson, rules = ZOO[name]
    rng = np.random.default_rng(seed)
    given = {}
    for each in lesson.given():
        if each.whole:
            given[each.name] = rng.integers(2, 9, each.shape).astype(float)
        else:
            size = rng.uniform(0.3, 1.3, each.shape)
            given[each.name] = np.asarray(size * rng.choice([-1.0, 1.0], each.shape))
        given[each.name] = np.asarray(rules.get(each.name, lambda value: value)(given[each.name]), dtype=float)
    return given


def derivative(structure, given, objective, name):
    """The objective's derivative by each cell of a given or a quantity, which then wins over its formula."""
    graph, tiny = structure.graph, 1e-30
    values = graph.evaluate(given)
    found = np.empty(np.shape(values[name]))
    for place in np.ndindex(found.shape):
        moved = np.array(values[name], dtype=complex)
        moved[place] += 1j * tiny
        found[place] = np.imag(graph.evaluate({**given, name: moved})[objective]) / tiny
    return found


def gradients(structure):
    """The quantities called grad_..., with what each is the derivative of, and by what."""
    for quantity in structure.graph:
        if quantity.formula.stem.startswith("grad_"):
            yield quantity.name, *structure.model.differentiates(quantity.name)


@pytest.mark.parametrize("seed", range(3))
def test_every_gradient_is_the_derivative_by_complex_step(name, structure, seed):
    given = sample(name, seed)
    values = structure.graph.evaluate(given)
    for gradient, objective, by in gradients(structure):
        expected = derivative(structure, given, objective, by)
        assert values[gradient] == pytest.approx(expected, rel=1e-9, abs=1e-12), gradient


def test_every_kind_is_in_the_zoo():
    assert {type(lesson) for lesson, _ in ZOO.values()} == set(LESSONS.values())


def test_a_batch_is_its_instances_one_by_one(name, structure):
    alone = [sample(name, seed) for seed in range(4)]
    batch = structure.graph.evaluate({key: np.stack([one[key] for one in alone]) for key in alone[0]})
    for place, given in enumerate(alone):
        for key, value in structure.graph.evaluate(given).items():
            assert np.array_equal(batch[key][place], value), key


def test_every_traced_cell_computes_to_its_value(name, structure):
    values = structure.graph.evaluate(sample(name, 5))
    numbers = {key: values[source][place] for key, (source, place) in structure.places.items()}
    for quantity in structure.graph:
        for place, expression in np.ndenumerate(structure.expressions[quantity.name]):
            found = expression.evaluate(numbers.__getitem__, lambda value: value)
            assert found == pytest.approx(values[quantity.name][place]), quantity.name


def test_every_mistake_makes_a_difference_somewhere(name, structure):
    different = Counter()
    for seed in range(6):
        given = sample(name, seed)
        values = structure.graph.evaluate(given)
        for mistake in structure.mistakes:
            for form in mistake.wrong:
                with np.errstate(all="ignore"):
                    wrong = form.of(values)
                assert np.shape(wrong) == np.shape(values[mistake.name]), mistake.code
                different[mistake.code] += not np.allclose(wrong, values[mistake.name], equal_nan=False)
    assert {mistake.code for mistake in structure.mistakes} == {code for code, times in different.items() if times}


def test_a_mistakes_formula_runs_on_symbols_too(structure):
    for mistake in structure.mistakes:
        for form in mistake.wrong:
            if not form.formula.whole:  # a whole number has no tolerance to be worked out
                assert trace(form, structure.keys).shape == structure.keys[mistake.name].shape, mistake.code


def test_every_quantity_has_a_mistake(structure):
    made = {mistake.name for mistake in structure.mistakes}
    assert made == {quantity.name for quantity in structure.graph}


def test_a_code_stands_for_one_mistake(structure):
    codes = Counter(mistake.code for mistake in structure.mistakes)
    assert not {code for code, times in codes.items() if times > 1}


def test_every_misconception_can_be_made(lesson, structure):
    made = {(mistake.misconception.stem, mistake.misconception.kind) for mistake in structure.mistakes}
    layers = {quantity.layer for quantity in structure.graph}
    kinds = lesson.misconceptions
    assert made == {(kind.stem, kind.kind) for kind in kinds if any(kind.applies(lesson, layer) for layer in layers)}


def test_every_cell_has_its_own_symbol(structure, lesson):
    texts = [spelled(key, lesson)[0] for key in structure.places]
    assert len(set(texts)) == len(texts)
    for key in structure.places:
        assert mathml(spelled(key, lesson)[1]).startswith("<math"), key


def test_every_quantity_says_what_it_is(structure):
    for quantity in structure.graph:
        words = quantity.formula
        assert words.title[0].islower(), words.title
        assert mathml(words.latex).startswith("<math"), quantity.name
        assert words.function.__doc__.rstrip().endswith("."), quantity.name
        assert words.phase, quantity.name


def test_a_sentence_says_what_to_think_of_and_holds_no_value(lesson):
    for kind in lesson.misconceptions:
        assert kind.sentence.endswith(".")
        assert 25 <= len(kind.sentence) <= 200
        assert kind.sentence.count("*") % 2 == 0
        assert re.fullmatch(r"[a-z][a-z_]+", kind.kind)
        assert set(re.findall(r"\d+(?:[.,]\d+)?", f"{kind.title} {kind.sentence}")) <= {"0", "1", "2", "10"}


def test_a_lesson_has_no_mini_batch_and_calls_what_a_step_has_changed_new(lesson):
    assert lesson.examples == 1
    assert not lesson.averages
    assert lesson.renewed("w") == "w_new"


def test_a_lesson_says_its_rules_and_its_size(lesson):
    assert lesson.outline
    assert min(lesson.sketch) > 0
    for rule in lesson.rules:
        assert rule.name
        assert rule.words or rule.latex
        assert mathml(rule.latex or "a").startswith("<math")
