"""Laws of simulated sheets: who does every step right has an honest sheet, and a slip is carried on."""

import numpy as np
import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.figures import to_places
from quizprop.exercise.generate import draw
from quizprop.exercise.grade import Verdict, grade
from quizprop.exercise.simulated import filled_in

BANK = load_bank()


def right(quantity, values):
    return quantity.of(values)


def carried(_quantity, value):
    return value


@pytest.mark.parametrize("slug", ["mazur-like", "faded-mazur", "forward-relu", "l2-penalty", "mini-batch"])
def test_who_does_every_step_right_has_an_honest_sheet(slug):
    instance = draw(BANK[slug], np.random.default_rng(3))
    texts = filled_in(instance, worked=right, written=carried)
    honest = {cell.key: to_places(instance.values[cell.key], instance.exercise.places) for cell in instance.cells}
    assert {key: texts[key] for key in honest} == honest
    assert grade(instance, texts).complete


def test_a_slip_is_carried_on_to_what_follows():
    instance = draw(BANK["mazur-like"], np.random.default_rng(3))

    def slipped(quantity, value):
        return value + 0.3 if quantity.name == "z1" else value

    marks = grade(instance, filled_in(instance, worked=right, written=slipped)).marks
    assert marks["z1[1]"].verdict.to_mend
    assert marks["a1[1]"].verdict is Verdict.FOLLOWS


def test_what_nobody_would_write_is_left_out():
    instance = draw(BANK["mazur-like"], np.random.default_rng(3))

    def beyond(quantity, values):
        return quantity.of(values) * (1e12 if quantity.name == "E" else 1)

    texts = filled_in(instance, worked=beyond, written=carried)
    assert {cell.key for cell in instance.cells}.difference(texts) == {"E"}
