"""Laws of the wrong answers that are known in advance: the grader names each, and none is near the right one."""

import numpy as np
import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.generate import draw
from quizprop.exercise.grade import Verdict, grade
from quizprop.exercise.wrong_answers import known_wrong

BANK = load_bank()


@pytest.mark.parametrize(
    "slug", ["mazur-like", "softmax", "attention-backward", "deltas", "forward-relu", "mini-batch"]
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
