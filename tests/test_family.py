"""The Python interface: its examples run, and it says what the engine says."""

import copy
import doctest
import json
import pickle
import re
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from html import escape
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import quizprop
from quizprop import family
from quizprop.exercise.bank import load_bank
from quizprop.exercise.exercise_file import written_exercise
from quizprop.exercise.question import in_text
from quizprop.exercise.record import record_blocks


def test_the_examples_run():
    failed, tried = doctest.testmod(family, optionflags=doctest.ELLIPSIS)
    assert (failed, tried > 12) == (0, True)


@pytest.mark.parametrize("slug", ["mazur-like", "softmax", "true-false-relu"])
def test_draws_are_the_lines_of_generate(slug):
    (lines,) = record_blocks(load_bank()[slug], seed=4, count=2)
    for sheet, line in zip(quizprop.load(slug).draws(2, seed=4), map(json.loads, lines), strict=True):
        written = {one["key"]: one["answer"] for one in line["asked"]}
        assert sheet.answers == pytest.approx(written, rel=0, abs=1e-12)
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


@pytest.mark.parametrize(
    "number",
    [0.3775, Decimal("0.3775"), Fraction(151, 400), np.float64(0.3775), np.float32(0.3775), np.array(0.3775)],
    ids=lambda number: type(number).__name__,
)
@pytest.mark.parametrize("decimal_comma", [False, True])
def test_a_number_is_a_number_whatever_its_type(number, decimal_comma):
    sheet = quizprop.load("mazur").draw()
    assert sheet.grade({"z1[1]": number}, decimal_comma=decimal_comma)["z1[1]"] == "correct"


@pytest.mark.parametrize("number", [np.int64(1), 1.0, Fraction(1), True + 0])
@pytest.mark.parametrize("decimal_comma", [False, True])
def test_an_option_is_taken_by_a_number_of_any_type(number, decimal_comma):
    sheet = quizprop.load("true-false-relu").draw()
    marks = sheet.grade(dict.fromkeys(sheet.keys, number), decimal_comma=decimal_comma)
    assert {key for key, verdict in marks.items() if verdict == "correct"} == {
        key for key, right in sheet.answers.items() if right == 1
    }
    assert sheet.grade(sheet.answers, decimal_comma=decimal_comma).complete


def test_a_number_beyond_every_float_is_marked_and_an_array_without_a_value_is_blank():
    sheet = quizprop.load("mazur").draw()
    for number in (10**5000, Fraction(10**400), float("inf")):
        assert sheet.grade({"z1[1]": number})["z1[1]"] == "unreadable"
    assert sheet.grade({"z1[1]": np.array(None)})["z1[1]"] == "blank"
    assert sheet.grade({"z1[1]": np.array("0.3775")})["z1[1]"] == "correct"


@pytest.mark.parametrize(
    "value",
    [[0.3775], True, np.True_, np.array([0.3775]), 1j, b"0.3775", object(), list(range(10_000))],
    ids=lambda value: type(value).__name__,
)
def test_what_is_neither_text_nor_a_number_is_refused_by_its_key(value):
    with pytest.raises(TypeError, match=r"^z1\[1\] is .*: give text or a number, or None for a blank$") as error:
        quizprop.load("mazur").draw().grade({"z1[1]": value})
    assert len(str(error.value)) < 150


@pytest.mark.parametrize("slug", ["mazur", "attention-forward", "find-slip-mazur", "choose-delta", "true-false-relu"])
def test_all_can_be_pickled_used_or_not(slug):
    family = quizprop.load(slug)
    sheet = family.draw(seed=3)
    for _ in range(2):
        again = pickle.loads(pickle.dumps(sheet))  # noqa: S301 - what was written here
        assert (again.given, again.keys, again.answers) == (sheet.given, sheet.keys, sheet.answers)
        marks = sheet.grade(sheet.answers)  # what is worked out on the way is kept beside the numbers
        assert pickle.loads(pickle.dumps(marks)) == marks  # noqa: S301 - what was written here
        assert copy.deepcopy(sheet).solution() == sheet.solution()
    again = pickle.loads(pickle.dumps(family))  # noqa: S301 - what was written here
    assert again.draw(seed=3).given == sheet.given


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


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (lambda family: family.draw(seed=-1), "seed is -1"),
        (lambda family: family.draw(seed="x"), "seed is 'x'"),
        (lambda family: family.draws(-2), "count is -2"),
        (lambda family: family.draws(1.5), "count is 1.5"),
        (lambda family: family.draw().solution(digits=0), "digits is 0: give a whole number from 1 to 15"),
        (lambda family: family.draw().solution(digits=99), "digits is 99"),
        (lambda family: family.draw().grade({}, follow_credit=2), "follow_credit is 2: give a share"),
    ],
)
def test_a_number_out_of_range_is_named_with_its_range(asked, named):
    with pytest.raises(ValueError, match=f"^{named}"):
        asked(quizprop.load("mazur-like"))


def test_a_family_is_shown_as_its_markdown_means_it():
    words = quizprop.load("mazur")._repr_html_()
    assert "<em>A Step by Step Backpropagation Example</em>" in words
    assert words.count("<p>") == 2


def test_the_version_costs_no_numpy():
    program = "import quizprop, sys; quizprop.__version__; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_sheet_in_a_notebook_names_the_unit_that_weights_lead_to_and_can_be_seen_in_the_dark():
    shown = quizprop.load("mazur").draw()._repr_html_()
    text = re.sub(r"<[^>]+>", "", shown.partition("<table>")[2])
    assert re.findall(r"Weights into (\w\d)", text) == ["h1", "h2", "o1", "o2"]
    assert "background: white" in shown.partition("<svg")[0]


@pytest.mark.parametrize("slug", ["find-slip-mazur", "choose-delta", "true-false-relu"])
def test_a_sheet_of_questions_in_a_notebook_has_their_words(slug):
    sheet = quizprop.load(slug).draw(seed=1)
    shown, model, notation = sheet._repr_html_(), sheet.instance.model, sheet.instance.exercise.notation
    for question in sheet.instance.questions:
        options = "".join(f"<li>{escape(in_text(one.words, model, notation))}</li>" for one in question.options)
        assert (
            f"<code>{question.key}</code> {escape(in_text(question.words, model, notation))}</p><ol>{options}" in shown
        )
