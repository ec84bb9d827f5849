"""Word vectors against a network that is fed with one word, and what is no choice of words."""

import numpy as np
import pytest

from quizprop.engine.lessons.embedding import Embedding
from quizprop.engine.network import Network
from quizprop.engine.structure import structure_of

V = [[0.4, -1.2], [0.9, 0.3], [-0.7, 1.1]]
U = [[-0.5, 0.8], [1.3, 0.2], [0.6, -0.9]]


def evaluate(lesson):
    return structure_of(lesson).graph.evaluate({"V": np.array(V), "U": np.array(U), "eta": np.array(0.3)})


@pytest.mark.parametrize(("words", "x"), [((2,), [0, 1, 0]), ((1, 3), [0.5, 0, 0.5])])
def test_looking_a_row_up_is_a_layer_fed_with_shares_of_words(words, x):
    network = Network(layers=(3, 2, 3), activations=("identity", "softmax"), loss="cce", bias="none")
    given = {"x": [x], "t": [[0, 0, 1]], "W1": np.transpose(V), "W2": U, "eta": 0.3}
    layers = structure_of(network).graph.evaluate({name: np.array(value, float) for name, value in given.items()})
    values = evaluate(Embedding(words=words, target=3))
    for name, theirs in (("h", "a1"), ("z", "z2"), ("p", "a2"), ("grad_z", "delta2")):
        assert values[name] == pytest.approx(layers[theirs][0]), name
    assert values["E"] == pytest.approx(layers["E"])
    assert values["grad_V"] == pytest.approx(layers["grad_W1"].T)
    assert values["V_new"] == pytest.approx(layers["W1_new"].T)
    assert values["U_new"] == pytest.approx(layers["W2_new"])


def test_a_word_that_does_not_go_in_stays_where_it_is():
    values = evaluate(Embedding(words=(1, 3), target=2))
    assert np.array_equal(values["V_new"][1], V[1])
    assert not np.isclose(values["V_new"][[0, 2]], np.array(V)[[0, 2]]).any()


@pytest.mark.parametrize(("words", "target"), [((), 1), ((2, 2), 1), ((4,), 1), ((1, 2, 3), 1), ((1,), 0)])
def test_other_words_are_refused(words, target):
    with pytest.raises(ValueError, match=f"and {target}; take one or two different words"):
        Embedding(words=words, target=target)
