"""Answers as lines of JSON, and what is said of those that can't be graded."""

import orjson
import pytest

from quizprop.exercise.answers import AnswersError, grade_row, marks_line, read_row
from quizprop.exercise.bank import load_bank
from quizprop.exercise.figures import to_places
from quizprop.exercise.grade import Verdict
from quizprop.exercise.instance import Instance
from quizprop.exercise.record import blank


@pytest.fixture(scope="module")
def mazur():
    exercise = load_bank()["mazur"]
    given = dict(blank(exercise).given)
    given |= {"x": [[0.05, 0.1]], "t": [[0.01, 0.99]], "W1": [[0.15, 0.2], [0.25, 0.3]], "b1": [0.35, 0.35]}
    given |= {"W2": [[0.4, 0.45], [0.5, 0.55]], "b2": [0.6, 0.6], "eta": 0.5}
    return Instance(exercise, given)


def test_text_numbers_and_null_are_answers():
    row = read_row(b'{"index": 4, "answers": {"z1[1]": " 1/3", "z1[2]": 0.5, "E": 2, "a1[1]": null}}')
    assert row.index == 4
    assert row.answers == {"z1[1]": " 1/3", "z1[2]": "0.5", "E": "2", "a1[1]": ""}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not an object"),
        (b'{"answers": {}}', "index: missing"),
        (b'{"index": true, "answers": {}}', "index: true"),
        (b'{"index": "0", "answers": {}}', 'index: "0"'),
        (b'{"index": 0}', "answers: missing"),
        (b'{"index": 0, "answers": [1]}', "answers: [1]"),
        (b'{"index": 0, "answers": {"E": [1]}}', "answers: E is [1]"),
        (b'{"index": 0, "answers": {"E": false}}', "answers: E is false"),
    ],
)
def test_a_line_that_holds_no_answers_is_refused(line, message):
    with pytest.raises(AnswersError) as error:
        read_row(line)
    assert message in str(error.value)


def test_a_right_sheet_earns_every_point_and_keeps_what_else_the_line_held(mazur):
    answers = {cell.key: to_places(mazur.values[cell.key], 4) for cell in mazur.cells}
    row = read_row(orjson.dumps({"student": "ada", "index": 0, "answers": answers}))
    marks = orjson.loads(marks_line(row, grade_row(mazur, row)))
    assert {key: marks[key] for key in ("student", "index", "points", "out_of", "first_error")} == {
        "student": "ada",
        "index": 0,
        "points": 39.0,
        "out_of": 39,
        "first_error": None,
    }
    assert list(marks["marks"]) == [cell.key for cell in mazur.cells]
    assert marks["marks"]["z1[1]"] == {"verdict": "correct", "codes": [], "read": 0.3775}


def test_a_known_slip_is_named_and_a_decimal_comma_is_read_where_wanted(mazur):
    row = read_row('{"index": 0, "answers": {"z1[1]": "0,3775", "z1[2]": "0.0425"}}')
    comma, point = grade_row(mazur, row, decimal_comma=True).marks, grade_row(mazur, row).marks
    assert comma["z1[1]"].verdict is Verdict.CORRECT
    assert point["z1[1]"].verdict is Verdict.UNREADABLE
    assert point["z1[2]"].codes == ("z1:bias_left_out",)


@pytest.mark.parametrize(("key", "slug"), [("z1[3]", "mazur"), ("z2[1]", "logistic-unit")])
def test_a_cell_that_is_not_asked_is_not_passed_over(key, slug):
    with pytest.raises(AnswersError) as error:
        grade_row(blank(load_bank()[slug]), read_row(orjson.dumps({"index": 7, "answers": {key: 1}})))
    assert f"{key} is not asked; sheet 7 asks for z1[1]" in str(error.value)


def test_the_cells_of_a_small_sheet_are_named_in_full():
    with pytest.raises(AnswersError, match=r"asks for delta2\[1\], .*delta1\[3\]$"):
        grade_row(blank(load_bank()["deltas"]), read_row('{"index": 0, "answers": {"E": 1}}'))
