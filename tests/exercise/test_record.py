"""A record is exact, small enough to read, the same for ever, and all that grading needs."""

import io
import itertools
import re
from decimal import Decimal

import numpy as np
import orjson
import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.certify import HONEST_SHEETS, Plan
from quizprop.exercise.generate import certified_blocks, draw_many
from quizprop.exercise.record import (
    Recorder,
    RecordError,
    RecordFile,
    blank,
    in_words,
    read_record,
    record_blocks,
)


def lines_of(exercise, *, seed=3, count=5):
    return [line for lines in record_blocks(exercise, seed=seed, count=count) for line in lines]


def test_a_line_says_what_the_instance_says(exercise):
    count = 1 if exercise.fixed else 5
    instances = itertools.islice(draw_many(exercise, np.random.default_rng(3)), count)
    for index, (line, instance) in enumerate(zip(lines_of(exercise, count=count), instances, strict=True)):
        record = orjson.loads(line)
        assert list(record) == [
            "format",
            "exercise",
            "seed",
            "index",
            "places",
            "network",
            "given",
            "asked",
            "certificate",
        ]
        assert (record["format"], record["exercise"], record["seed"], record["index"]) == (1, exercise.slug, 3, index)
        assert record["places"] == exercise.places
        assert record["given"] == instance.given
        assert list(record["given"]) == list(instance.given)
        assert [{**asked, "answer": 0, "tolerance": 0} for asked in record["asked"]] == [
            {"key": cell.key, "answer": 0, "tolerance": 0} | ({"options": list(cell.options)} if cell.options else {})
            for cell in instance.cells
        ]
        for name, exact in (("answer", instance.values), ("tolerance", instance.tolerances)):
            for asked in record["asked"]:
                assert asked[name] == pytest.approx(exact[asked["key"]], rel=1e-15, abs=0.501e-12)
        codes = Plan(exercise).certified_codes
        assert record["certificate"] == {"mistakes_separated": len(codes), "honest_sheets": HONEST_SHEETS}


def test_a_line_is_what_a_plain_dump_of_it_would_be_but_for_blanks_around_its_numbers(exercise):
    count = 1 if exercise.fixed else 40
    for line in lines_of(exercise, count=count):
        assert pieces_of(line) == pieces_of(orjson.dumps(orjson.loads(line)))
        assert not re.search(rb"\.\d+0 *[,}\]]", line)


def pieces_of(line):
    """Texts, signs, and numbers as exact decimals."""
    found = re.findall(r'"[^"]*"|null|true|false|[^\s\w.+-]|[\w.+-]+', line.decode())
    return [Decimal(piece) if re.match(r"-?\d", piece) else piece for piece in found]


def test_an_answer_has_twelve_decimals_at_most_where_that_is_plenty():
    mazur_like = load_bank()["mazur-like"]
    for places, plenty in ((4, True), (6, True), (7, False)):
        lines = lines_of(mazur_like.model_copy(update={"places": places}), count=30)
        longest = max(len(figure) for line in lines for figure in re.findall(rb'"answer":[ -]?\d\.(\d+)', line))
        assert longest == 12 if plenty else longest > 12


def test_numbers_too_large_for_their_slots_stand_among_others_in_their_order():
    adam = load_bank()["adam"]
    lines = lines_of(adam, count=60)
    blanks = [b'"answer": ' in line for line in lines]
    assert set(blanks) == {True, False}
    instances = itertools.islice(draw_many(adam, np.random.default_rng(3)), 60)
    assert [orjson.loads(line)["given"] for line in lines] == [instance.given for instance in instances]
    assert [orjson.loads(line)["index"] for line in lines] == list(range(60))


def test_a_mini_batch_says_how_many_examples_it_has_and_a_single_one_does_not(network_exercise):
    network = orjson.loads(lines_of(network_exercise, count=1)[0])["network"]
    assert ("examples" in network) == ("reduction" in network) == (network_exercise.network.examples > 1)
    assert {"layers", "activations", "loss", "bias", "update_biases"} <= set(network)


def test_a_fixed_exercise_is_the_same_instance_each_time():
    first, *others = [orjson.loads(line) for line in lines_of(load_bank()["mazur"], count=3)]
    assert [other["index"] for other in others] == [1, 2]
    assert all({**other, "index": 0} == first for other in others)


def test_fewer_lines_are_the_beginning_of_more():
    mazur_like = load_bank()["mazur-like"]
    assert lines_of(mazur_like, count=7) == lines_of(mazur_like, count=200)[:7]


def test_a_line_does_not_depend_on_the_block_that_holds_it():
    recorder = Recorder(Plan(load_bank()["mazur-like"]), 3)
    blocks = certified_blocks(recorder.plan, np.random.default_rng(3), first=1, most=5)
    lines: list[bytes] = []
    while len(lines) < 40:
        pieces = recorder.lines(next(blocks)).numbered(len(lines))  # of a block of one often none
        lines.extend(b"".join(map(bytes, pieces)).splitlines())
    assert lines[:40] == lines_of(recorder.plan.exercise, count=40)


def test_a_record_read_back_is_the_same_exercise(exercise, instances):
    line = lines_of(exercise, seed=1, count=1)[0]
    record = read_record(line)
    assert record.index == 0
    assert record.instance.given == instances[0].given
    assert [cell.key for cell in record.instance.cells] == [cell.key for cell in instances[0].cells]
    assert record.instance.values == instances[0].values
    assert record.instance.tolerances == instances[0].tolerances


def test_a_blank_exercise_has_the_cells_and_no_numbers(exercise, instances):
    assert blank(exercise).cells == instances[0].cells


def change(**changes):
    record = orjson.loads(lines_of(load_bank()["mazur"], count=1)[0])
    return orjson.dumps({key: value for key, value in {**record, **changes}.items() if value is not ...})


GIVEN = orjson.loads(change())["given"]
ASKED = orjson.loads(change())["asked"][0]
NETWORK = orjson.loads(change())["network"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "not JSON"),
        (b"[]", "the whole: has parts with names: a table, or in JSON an object"),
        (change(format=2), "format: should be 1"),
        (change(index=...), "index: is missing; it has to be there"),
        (change(given=...), "given: is missing; it has to be there"),
        (change(network={**NETWORK, "loss": "hinge"}), "network.loss"),
        (change(network={**NETWORK, "layers": [2, 2]}), "activations: one for each"),
        (change(given={**GIVEN, "x": [[1, 2, 3]]}), "x: has shape"),
        (change(given={**GIVEN, "x": {"low": 0, "high": 1, "step": 1}}), "a record has numbers alone"),
        (change(given={**GIVEN, "weights": 3}), "nothing is named weights"),
        (change(given={**GIVEN, "path2": [[1, 2]]}), "path2 has shape"),
        (change(given={**GIVEN, "x": None}), "given.x: is a number, as in 0.5"),
        (change(asked=[]), "asked"),
        (change(asked=[{**ASKED, "key": "z9[1]"}]), "nothing is named z9"),
        (change(asked=[{**ASKED, "key": "z1"}]), "'z1' is not a cell; a cell is named as in x[1]"),
        (change(asked=[{**ASKED, "answer": 0.38}]), "z1[1] is 0.3775 by the given numbers, not 0.38"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(line, message):
    with pytest.raises(RecordError) as error:
        read_record(line)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_numbers_that_give_no_answer_are_refused_whatever_the_line_says():
    record = orjson.loads(lines_of(load_bank()["logistic-unit"], count=1)[0])
    # An activation of 1 leaves the logarithm of 0 to be multiplied by 0.
    given = {**record["given"], "b1": [900.0], "t": [[1.0]]}
    with pytest.raises(RecordError, match="E is nan by the given numbers"):
        read_record(orjson.dumps({**record, "given": given, "asked": [{**ASKED, "key": "E", "answer": 0.7}]}))


def test_the_notation_of_a_question_travels_with_its_line():
    exercise = load_bank()["choose-activation"].model_copy(update={"notation": "mazur"})
    (line,) = lines_of(exercise, count=1)
    found = read_record(line).instance
    assert found.exercise.notation == "mazur"
    spoken = [in_words(found, question) for question in found.questions]
    assert spoken == [{name: asked[name] for name in ("question", "options")} for asked in orjson.loads(line)["asked"]]


def test_records_are_found_by_index_wherever_they_stand():
    lines = lines_of(load_bank()["mazur-like"], count=4)
    for between in (b"\n\n", b"\r\n", b"  \n \n"):
        file = RecordFile(io.BytesIO(between.join([lines[2], lines[0], lines[3]])))
        assert file.problems == []
        for index in (3, 0, 2, 0):
            assert file.find(index).given == read_record(lines[index]).instance.given
    with pytest.raises(RecordError, match="no exercise has the index 1"):
        file.find(1)


def test_lines_that_are_no_records_are_listed_and_the_others_found():
    file = RecordFile(io.BytesIO(b"\n".join([change(), b"oops", b'{"index": "1"}', b"[]", change(index=1, format=9)])))
    assert [number for number, _ in file.problems] == [2, 3, 4]
    assert file.find(0).exercise.slug == "mazur"
    with pytest.raises(RecordError, match="the exercise in line 5: format"):
        file.find(1)


def test_two_lines_with_one_index_are_refused():
    with pytest.raises(RecordError, match="lines 1 and 3 both have the index 0"):
        RecordFile(io.BytesIO(b"\n".join([change(), b"", change()])))
