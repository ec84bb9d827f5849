"""The Python interface: its examples run, and it says what the engine says."""

import doctest
import json
import subprocess
import sys
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import quizprop
from quizprop import family
from quizprop.exercise.bank import load_bank
from quizprop.exercise.exercise_file import written_exercise
from quizprop.exercise.record import record_blocks


def test_the_examples_run():
    failed, tried = doctest.testmod(family, optionflags=doctest.ELLIPSIS)
    assert (failed, tried > 12) == (0, True)


@pytest.mark.parametrize("slug", ["mazur-like", "softmax", "true-false-relu"])
def test_draws_are_the_lines_of_generate(slug):
    (lines,) = record_blocks(load_bank()[slug], seed=4, count=2)
    for sheet, line in zip(quizprop.load(slug).draws(2, seed=4), map(json.loads, lines), strict=True):
        assert sheet.answers == {one["key"]: one["answer"] for one in line["asked"]}
        assert sheet.given == line["given"]


@pytest.mark.parametrize("slug", load_bank())
def test_every_exercise_can_be_drawn_graded_and_shown(slug):
    sheet = quizprop.load(slug).draw(seed=2)
    marks = sheet.grade(sheet.answers)
    assert (marks.complete, marks.points, marks.first_error, marks.codes) == (True, marks.out_of, None, {})
    assert set(marks) == set(sheet.keys)
    assert set(sheet.grade({})) == set(sheet.keys)
    for shown in (sheet, marks, quizprop.load(slug)):
        ET.fromstring(f"<div>{shown._repr_html_()}</div>")  # noqa: S314 - what was written here


@pytest.mark.parametrize("kind", [float, np.float64, np.float32, np.float16])
@pytest.mark.parametrize("comma", [True, False])
def test_a_number_is_a_number_whatever_its_kind_and_the_decimal_mark(kind, comma):
    sheet = quizprop.load("deltas").draw(seed=2)
    answers = {key: kind(at + 1.125) for at, key in enumerate(sheet.keys)}
    marks = sheet.grade(answers, decimal_comma=comma).grade.marks
    assert {key: mark.reading.value for key, mark in marks.items()} == answers
    assert sheet.grade(sheet.answers, decimal_comma=comma).complete


def test_what_is_asked_wrongly_is_said(tmp_path):
    with pytest.raises(KeyError, match=r"quizprop\.exercises"):
        quizprop.load("nothing")
    with pytest.raises(KeyError, match="is not asked"):
        quizprop.load("mazur").draw().grade({"z9": 1})
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = quizprop.nothing
    file = tmp_path / "mine.toml"
    file.write_text(written_exercise(load_bank()["deltas"]))
    assert quizprop.load(str(file)).draw(seed=1).given == quizprop.load("deltas").draw(seed=1).given
    assert quizprop.Family.from_toml(file.read_text()).title == "Deltas only"


def test_the_version_costs_no_numpy():
    program = "import quizprop, sys; quizprop.__version__; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
