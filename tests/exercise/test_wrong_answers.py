"""Laws of the wrong answers that are known in advance: the grader names each, and none is near the right one."""

import numpy as np
import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.generate import draw
from quizprop.exercise.grade import Verdict, grade
from quizprop.exercise.instance import Instance
from quizprop.exercise.spec import Exercise
from quizprop.exercise.wrong_answers import known_wrong

BANK = load_bank()


@pytest.mark.parametrize(
    "slug",
    [
        "mazur-like",
        "softmax",
        "attention-backward",
        "deltas",
        "forward-relu",
        "mini-batch",
        "dropout",
        "chain-rule-log-sigmoid",
    ],
)
def test_the_grader_names_every_known_wrong_answer(slug):
    """With all other cells right, what is known to be wrong is called a mistake, and by the same code among others."""
    instance = draw(BANK[slug], np.random.default_rng(3)).as_sheet
    right = {cell.key: repr(instance.values[cell.key]) for cell in instance.cells}
    found = 0
    for cell in instance.cells:
        for wrong in known_wrong(instance, cell.key):
            mark = grade(instance, {**right, cell.key: repr(wrong.value)}).marks[cell.key]
            assert (mark.verdict, wrong.code in mark.codes) == (Verdict.MISTAKE, True), (cell.key, wrong)
            found += 1
    assert found > len(instance.cells) / 2


@pytest.mark.parametrize("slug", ["mazur-like", "softmax", "attention-backward"])
def test_their_ranges_are_apart_from_the_right_one_and_from_each_other(slug):
    instance = draw(BANK[slug], np.random.default_rng(4)).as_sheet
    for cell in instance.cells:
        ranges = [(instance.values[cell.key], instance.tolerances[cell.key])]
        ranges += [(one.value, one.tolerance) for one in known_wrong(instance, cell.key)]
        for at, (value, reach) in enumerate(ranges):
            assert all(abs(value - other) > reach + width for other, width in ranges[:at])


def test_they_are_apart_where_so_few_decimals_are_carried_that_some_mistakes_do_not_show():
    """As where a published example has blind spots: its numbers are taken as they are."""
    numbers = draw(BANK["mazur"], np.random.default_rng(0)).given
    coarse = Instance(BANK["mazur"].model_copy(update={"places": 2}), numbers)
    for cell in coarse.cells:
        for one in known_wrong(coarse, cell.key):
            distance = abs(one.value - coarse.values[cell.key])
            assert distance > one.tolerance + coarse.tolerances[cell.key], (cell.key, one.code)


def test_a_mistake_on_the_way_is_known_at_a_hidden_cell_beside_one_that_is_shown():
    whole = BANK["mazur-like"].model_dump()
    beside = Exercise.model_validate({**whole, "asked": ("a1",), "shown": ("z1[1]",), "skills": ()})
    instance = draw(beside, np.random.default_rng(3))
    without_bias = instance.values["z1[2]"] - instance.values["b1[2]"]
    found = [one for one in known_wrong(instance, "a1[2]") if one.code == "z1:bias_left_out"]
    assert [one.value for one in found] == pytest.approx([1 / (1 + np.exp(-without_bias))])
