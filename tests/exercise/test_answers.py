"""Answers as lines of JSON, and what is said of those that can't be graded."""

import csv
import io

import orjson
import pytest

from quizprop.exercise.answers import AnswersError, Row, grade_row, marks_line, read_row, read_table, sorted_out
from quizprop.exercise.bank import load_bank
from quizprop.exercise.figures import to_places
from quizprop.exercise.grade import Verdict
from quizprop.exercise.instance import Instance
from quizprop.exercise.record import blank, read_record, record_blocks


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


@pytest.mark.parametrize("comma", [True, False])
def test_a_number_of_a_line_is_a_number_whatever_the_decimal_mark(mazur, comma):
    answers = {"z1[1]": 1.234, "z1[2]": -12.125, "E": 1000.5, "a1[1]": 2.5e-7, "a1[2]": 3, "z2[1]": 1e15}
    line = orjson.dumps({"index": 0, "answers": {**answers, "z2[2]": "1,2345"}})
    marks = grade_row(mazur, read_row(line, decimal_comma=comma), decimal_comma=comma).marks
    assert {key: marks[key].reading.value for key in answers} == answers
    assert marks["z2[2]"].reading.value == (1.2345 if comma else None)


@pytest.mark.parametrize(("key", "slug"), [("z1[3]", "mazur"), ("z2[1]", "logistic-unit")])
def test_a_cell_that_is_not_asked_is_not_passed_over(key, slug):
    with pytest.raises(AnswersError) as error:
        grade_row(blank(load_bank()[slug]), read_row(orjson.dumps({"index": 7, "answers": {key: 1}})))
    assert f"{key} is not asked; sheet 7 asks for z1[1]" in str(error.value)


def test_the_cells_of_a_small_sheet_are_named_in_full():
    with pytest.raises(AnswersError, match=r"asks for delta2\[1\], .*delta1\[3\]$"):
        grade_row(blank(load_bank()["deltas"]), read_row('{"index": 0, "answers": {"E": 1}}'))


# --- a table --------------------------------------------------------------------------------------------------------


def test_a_table_is_graded_as_the_same_lines_are():
    exercise = load_bank()["deltas"]
    (lines,) = record_blocks(exercise, seed=1, count=2)
    instances = [read_record(line).instance for line in lines]
    texts = [{key: f"{value:.4f}" for key, value in one.values.items() if key in keys_of(one)} for one in instances]
    keys = list(keys_of(instances[0]))
    table = io.StringIO()
    writer = csv.writer(table, delimiter=";")
    writer.writerow(["name", "index", *keys])
    for index, answers in enumerate(texts):
        writer.writerow([f"student {index}", index, *(answers[key] for key in keys)])
    rows = [sorted_out(instances[row.index], row) for _, row in read_table("\ufeff" + table.getvalue())]
    assert [row.answers for row in rows] == texts
    assert [row.rest for row in rows] == [{"name": "student 0"}, {"name": "student 1"}]
    assert all(grade_row(one, row).complete for one, row in zip(instances, rows, strict=True))


def keys_of(instance):
    return {cell.key for cell in instance.cells}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("index,z1[1]\n0,1,2\n", "has 3 cells, the headings are 2"),
        ("index,z1[1]\n0\n", "has 1 cells, the headings are 2"),
        ("index,z1[1]\nfirst,1\n", "write the index of the sheet"),
        ("index,z1[1]\n-1,1\n", "write the index of the sheet"),
    ],
)
def test_a_row_that_can_t_be_used_is_told_and_the_rest_is_read(text, problem):
    found = list(read_table(text + "7,0.5\n,\n"))
    assert problem in str(found[0][1])
    assert (found[1][0], found[1][1].index) == (3, 7)
    assert len(found) == 2, "a line of blanks is none"


@pytest.mark.parametrize("text", ["", "name,z1[1]\nada,1\n", 'index\n"' + "a" * 200_000])
def test_what_is_no_table_is_told(text):
    with pytest.raises(AnswersError, match=r"index|line"):
        list(read_table(text))


@pytest.mark.parametrize("tail", ["", '2,"0.7"\n'])
def test_a_quotation_mark_that_is_not_closed_takes_no_lines_with_it(tail):
    with pytest.raises(AnswersError, match="line 4 is no line of a table"):
        list(read_table('index,z1[1]\n0,"0.5\n"\n1,"0.6\n' + tail))


def test_a_character_of_nothing_is_not_there():
    ((_, row),) = read_table("index,z1[1]\n0,0.5\0\n")
    assert row.rest == {"z1[1]": "0.5"}


def test_a_row_of_several_lines_is_told_by_the_first():
    (first, _), (second, _) = read_table('index,name\n0,"Ada\nKing"\n1,Blaise\n')
    assert (first, second) == (2, 4)


@pytest.mark.parametrize("heads", ["index,z1[1],z1[1]", "index,index,z1[1]", 'index,"W1[1,1]","W1[1, 1]"'])
def test_a_heading_that_stands_twice_is_told_and_columns_without_one_are_not(heads):
    with pytest.raises(AnswersError, match="stands twice"):
        list(read_table(heads + "\n0,0.5,0.5\n"))
    assert len(list(read_table("index,,\n0,0.5,0.5\n"))) == 1


def test_a_heading_is_a_cell_up_to_spaces_and_what_is_only_like_one_is_told(mazur):
    row = sorted_out(mazur, Row(0, {}, {"W1_new[1, 1]": "0.1", "W1_new [1,2]": "0.2", "name": "z", "E": "1"}))
    assert row.answers == {"W1_new[1,1]": "0.1", "W1_new[1,2]": "0.2", "E": "1"}
    assert row.rest == {"name": "z"}
    for stranger in ("W1_new[1;1]", "W1_new[1.1]", "W1_new[1", "w1_new[1,1]"):
        with pytest.raises(AnswersError, match="is not asked"):
            grade_row(mazur, sorted_out(mazur, Row(0, {}, {stranger: "0.1"})))


def test_a_cell_of_another_sheet_is_told_and_a_blank_one_is_not():
    instance = read_record(next(iter(record_blocks(load_bank()["deltas"], seed=1, count=1)))[0]).instance
    for text, told in (("0.5", True), (" ", False)):
        row = sorted_out(instance, Row(0, {}, {"z9[1]": text}))
        assert (row.answers == {"z9[1]": text}) == told
        assert row.rest == {}
