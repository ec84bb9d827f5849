"""The worked solution says what the engine computes, in the reader's notation."""

import math
import re
import unicodedata

import numpy as np
import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.generate import draw
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import NOTATIONS, mathml
from quizprop.exercise.solution import Solution, steps_from


def evaluated(text):
    """The numbers part of a line, computed by Python."""
    source = text.replace("−", "-").replace("·", "*").replace("^", "**")
    source = re.sub("[⁰¹²³⁴-⁹]+", lambda found: f"**{int(unicodedata.normalize('NFKC', found[0]))}", source)
    names = {"e": math.e, "ln": math.log, "tanh": math.tanh, "sqrt": math.sqrt, "abs": abs, "max": max}
    names["argmax"] = lambda *values: 1 + values.index(max(values))
    if " if " in source and ", else " in source:
        source = source.replace(", else ", " else ")
    return eval(source, {"__builtins__": {}}, names)  # noqa: S307 - our own text


def test_every_line_computes_to_its_value(instances):
    for instance in instances[:3]:
        solution = Solution(instance, "plain", 10)
        for line in solution.lines:
            numbers = evaluated(line.numbers.text)
            assert numbers == pytest.approx(instance.values[line.key], rel=1e-6, abs=1e-8), line.text
            assert evaluated(line.value) == pytest.approx(instance.values[line.key], abs=1e-9)


@pytest.mark.parametrize("notation", [name for name, _ in NOTATIONS])
def test_every_line_is_mathematics_that_a_page_can_show(instances, notation):
    for line in Solution(instances[0], notation, 4).lines:
        assert mathml(line.latex).startswith("<math")
        assert "\\" not in mathml(line.latex), line.latex  # a command that nobody knows stands there as it is written
        assert " = " in line.text


def test_mazurs_lines_are_his():
    instance = draw(load_bank()["mazur"], np.random.default_rng(0))
    lines = {line.key: line.text for line in Solution(instance, "mazur", 9).lines}
    assert lines["z1[1]"] == "net_h1 = w1 · i1 + w2 · i2 + b1 = 0.15 · 0.05 + 0.2 · 0.1 + 0.35 = 0.3775"
    assert lines["dE_da1[1]"] == (
        "∂E_total/∂out_h1 = w5 · δ_o1 + w7 · δ_o2 = 0.4 · 0.138498562 + 0.5 · (−0.038098237) = 0.036350306"
    )
    assert lines["W1_new[1,1]"].endswith("= 0.15 − 0.5 · 0.000438568 = 0.149780716")


def test_a_students_own_numbers_can_stand_in_the_line():
    instance = draw(load_bank()["mazur"], np.random.default_rng(0))
    cell = next(cell for cell in instance.cells if cell.key == "a1[1]")
    line = Solution(instance, "mazur", 4).line(cell, {**instance.values, "z1[1]": 0.5, "a1[1]": 0.6225})
    assert line.text == "out_h1 = 1 / (1 + e^(−net_h1)) = 1 / (1 + e^(−0.5)) = 0.6225"


def test_what_is_not_asked_but_needed_has_its_line_too():
    instance = draw(load_bank()["deltas"], np.random.default_rng(0))
    lines = [line.key for line in Solution(instance, "plain", 4).lines]
    assert "da_dz1[3]" in lines
    assert {"delta1[1]", "delta2[2]"} <= set(lines)
    # Neither what is shown nor what nobody needs.
    assert not any(key.startswith(("z", "a1", "a2", "path", "grad", "W")) for key in lines)


def test_what_is_given_stands_as_it_was_given():
    base = load_bank()["mazur"]
    exercise = base.model_copy(update={"places": 1})
    instance = Instance(exercise, draw(base, np.random.default_rng(0)).given)
    line = Solution(instance, "mazur", 1).lines[0]
    assert line.numbers.text == "0.15 · 0.05 + 0.2 · 0.1 + 0.35"
    assert line.value == "0.4"


def test_a_value_that_is_only_passed_on_is_said_once():
    instance = draw(load_bank()["han-kamber"], np.random.default_rng(0))
    by_key = {line.key: line for line in Solution(instance, "plain", 4).lines}
    assert by_key["grad_b2[1]"].text.count(by_key["grad_b2[1]"].value) == 1
    constant = draw(load_bank()["tanh-regression"], np.random.default_rng(0))
    by_key = {line.key: line for line in Solution(constant, "plain", 4).lines}
    assert by_key["da_dz2[1]"].text == "da_dz2[1] = 1"


def test_the_students_own_numbers_stand_in_the_lines_where_they_differ(instances):
    instance = instances[0]
    solution = Solution(instance, "plain", instance.exercise.places)
    honest = {cell.key: round(instance.values[cell.key], instance.exercise.places) for cell in instance.cells}
    assert solution.own_lines(honest) == {}
    assert solution.own_lines({}) == {}
    for cell in instance.cells:
        lines = solution.own_lines({**honest, cell.key: honest[cell.key] + 1})
        assert cell.key not in lines
        assert set(lines) <= {reader.key for reader in instance.steps if cell.key in reader.depends_on}
        for line in lines.values():
            assert evaluated(line.numbers.text) == pytest.approx(evaluated(line.value), rel=0.1, abs=0.01), line.text


def test_what_follows_stands_there_whatever_the_student_went_on_with():
    instance = draw(load_bank()["mazur"], np.random.default_rng(0))
    line = Solution(instance, "mazur", 4).own_lines({"z1[1]": 0.5, "a1[1]": 0.9})["a1[1]"]
    assert line.text == "out_h1 = 1 / (1 + e^(−net_h1)) = 1 / (1 + e^(−0.5)) = 0.6225"


def test_what_is_shown_stands_whatever_the_student_wrote_above_it():
    base = load_bank()["mazur"]
    drawn = draw(base, np.random.default_rng(0))
    exercise = base.model_copy(update={"shown": ("a1[1]",)})
    instance = Instance(exercise, {**drawn.given, "a1": [[0.5933, math.nan]]})
    lines = Solution(instance, "mazur", 4).own_lines({"z1[1]": 7.0, "z1[2]": 7.0, "a1[2]": 0.9991})
    assert "z2[1]" in lines
    assert lines["z2[1]"].numbers.text == "0.4 · 0.5933 + 0.45 · 0.9991 + 0.6"


def test_where_the_students_numbers_lead_nowhere_there_is_no_line():
    instance = draw(load_bank()["logistic-unit"], np.random.default_rng(0))
    assert not {"e[1]", "E"} & set(Solution(instance, "plain", 4).own_lines({"a1[1]": -1.0}))


def test_a_solution_can_begin_at_any_step(instances):
    instance = instances[0]
    keys = [cell.key for cell in instance.steps]
    asked = {cell.key for cell in instance.cells}
    for at, key in enumerate(keys):
        rest = [cell.key for cell in steps_from(instance, key)]
        assert rest == keys[len(keys) - len(rest) :]
        before = keys[len(keys) - len(rest) : at]
        assert not asked & set(before)
        assert key not in asked or len(rest) == len(keys) or keys[len(keys) - len(rest) - 1] in asked


def test_a_solution_begins_at_no_other_cell():
    instance = draw(load_bank()["deltas"], np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"'z1\[1\]' is no step of this solution; its steps are dE_da2\[1\], "):
        steps_from(instance, "z1[1]")
