"""Laws of instances in bulk: the same bytes whoever works at which chunk, and a table that says what the lines say."""

import csv
import gzip
import io
import itertools

import numpy as np
import orjson
import pytest
import zstandard

from quizprop.exercise.bank import load_bank
from quizprop.exercise.bulk import chunk_of, chunks, header, packed
from quizprop.exercise.certify import plan_of
from quizprop.exercise.generate import CannotCertifyError
from quizprop.exercise.record import columns_of, record_blocks

BANK = load_bank()


def lines_of(exercise, count, *, form="jsonl", **more):
    found = []
    for chunk in chunks(exercise, seed=5, form=form, **more):
        found += numbered_lines(chunk, start=len(found))
        if len(found) >= count:
            return found[:count]
    raise AssertionError


def numbered_lines(chunk, **part):
    """The lines of a part."""
    found = b"".join(map(bytes, chunk.lines.numbered(**part)))
    assert not found or found.endswith(b"\n")
    return found.split(b"\n")[:-1]


@pytest.mark.parametrize("slug", ["mazur-like", "mazur", "true-false-relu", "softmax", "complete-the-sheet"])
def test_chunks_come_to_the_lines_of_the_whole(slug):
    exercise = BANK.get(slug, BANK["forward-pass"])
    whole = [line for lines in record_blocks(exercise, seed=5, count=300) for line in lines]
    assert lines_of(exercise, 300) == whole


def test_somebody_else_may_do_the_work_and_a_table_has_its_head():
    exercise = BANK["softmax"]
    (first,) = chunks(exercise, seed=5, form="jsonl", work=lambda calls: [chunk_of(*next(iter(calls)))])
    assert numbered_lines(first, start=0) == lines_of(exercise, first.count)
    assert header(exercise, "csv-long") == b"exercise,seed,index,kind,key,value,tolerance"
    assert header(exercise, "jsonl") == b""


def test_a_chunk_needs_none_before_it():
    exercise = BANK["mazur-like"]
    spec = exercise.model_dump_json()
    found = [chunk_of(spec, 5, number, "jsonl") for number in (2, 0, 1)]
    in_order = sorted(found, key=lambda one: one.number)
    lines = []
    for chunk in in_order:
        lines += numbered_lines(chunk, start=len(lines))
    assert lines == lines_of(exercise, len(lines))


def test_any_part_of_a_chunk_has_the_indices_of_the_whole():
    exercise = BANK["mazur-like"]
    chunk = next(chunks(exercise, seed=5, form="jsonl"))
    whole = numbered_lines(chunk, start=10)
    assert numbered_lines(chunk, start=10, skip=3, most=4) == whole[3:7]
    assert numbered_lines(chunk, start=10, skip=len(whole) - 2) == whole[-2:]
    assert [orjson.loads(line)["index"] for line in whole[:3]] == [10, 11, 12]


@pytest.mark.parametrize("slug", ["mazur-like", "softmax", "forward-pass"])
def test_both_tables_say_what_the_lines_say(slug):
    exercise = BANK[slug]
    lines = [orjson.loads(line) for line in lines_of(exercise, 50)]
    heads = next(csv.reader([header(exercise, "csv").decode()]))
    wide = [dict(zip(heads, row, strict=True)) for row in rows(lines_of(exercise, 50, form="csv"))]
    table = next(chunks(exercise, seed=5, form="table")).table
    names = columns_of(plan_of(exercise)).names
    long = rows(numbered_lines(next(chunks(exercise, seed=5, form="csv-long")), start=0, most=50))
    of_index = {index: [row for row in long if row[2] == str(index)] for index in range(50)}
    for index, line in enumerate(lines):
        assert (wide[index]["exercise"], wide[index]["seed"], wide[index]["index"]) == (slug, "5", str(index))
        for asked in line["asked"]:
            assert float(wide[index][asked["key"]]) == asked["answer"] == table[index, names.index(asked["key"])]
            assert float(wide[index][f"{asked['key']} tolerance"]) == asked["tolerance"]
        answers = {row[4]: (float(row[5]), float(row[6])) for row in of_index[index] if row[3] == "answer"}
        assert answers == {one["key"]: (one["answer"], one["tolerance"]) for one in line["asked"]}
        given = np.concatenate([np.ravel(value) for value in line["given"].values()]).tolist()
        assert [float(row[5]) for row in of_index[index] if row[3] == "given"] == given


def rows(lines):
    return list(csv.reader(io.StringIO("\n".join(line.decode() for line in lines))))


def test_packed_pieces_unpack_to_the_whole():
    pieces = [b"one\n", b"two\n" * 100]
    assert gzip.decompress(b"".join(packed(one, "gz") for one in pieces)) == b"".join(pieces)
    reader = zstandard.ZstdDecompressor().stream_reader(
        io.BytesIO(b"".join(packed(one, "zst") for one in pieces)), read_across_frames=True
    )
    assert reader.read() == b"".join(pieces)
    assert packed(b"x", "") == b"x"


def test_what_can_t_be_is_said():
    with pytest.raises(ValueError, match="only JSON Lines"):
        next(chunks(BANK["true-false-relu"], seed=0, form="csv"))
    with pytest.raises(ValueError, match="made as text"):
        _ = next(chunks(BANK["softmax"], seed=0, form="jsonl")).table
    with pytest.raises(ValueError, match="made as a table"):
        _ = next(chunks(BANK["softmax"], seed=0, form="table")).lines
    content = BANK["mazur-like"].model_dump(exclude_defaults=True)
    values = {**content["values"], "W1": 0.5, "W2": 0.5, "x": 0.5, "t": 0.5, "b1": {"choices": (0.1, 0.2)}}
    hopeless = type(BANK["mazur-like"]).model_validate({**content, "values": values})
    with pytest.raises(CannotCertifyError, match="Way out"):
        next(one for one in chunks(hopeless, seed=0, form="csv") if one.count)


def test_nobody_gives_up_while_records_come(monkeypatch):
    monkeypatch.setattr("quizprop.exercise.bulk.PATIENCE", 1)
    found = itertools.islice(chunks(BANK["forward-pass"], seed=1, form="table"), 3)
    assert all(chunk.count for chunk in found)


def test_no_two_columns_of_a_table_have_the_same_name():
    for exercise in BANK.values():
        if exercise.question == "sheet":
            (heads,) = csv.reader([header(exercise, "csv").decode()])
            assert len(set(heads)) == len(heads), exercise.slug


@pytest.mark.parametrize("slug", ["faded-mazur", "mazur-like", "softmax"])
def test_every_column_of_a_table_has_a_number(slug):
    (heads,) = csv.reader([header(BANK[slug], "csv").decode()])
    (row,) = csv.reader(
        [line.decode() for line in numbered_lines(next(chunks(BANK[slug], seed=1, form="csv")), start=0, most=1)]
    )
    assert len(row) == len(heads)
    assert all(np.isfinite(float(text)) for text in row[1:])


def test_a_cell_that_is_not_given_has_no_column_of_its_own():
    given = columns_of(plan_of(BANK["faded-mazur"])).given
    line = orjson.loads(lines_of(BANK["faded-mazur"], 1)[0])
    shown = [np.ravel(value).tolist() for value in line["given"].values()]
    assert len(given) == sum(number is not None for numbers in shown for number in numbers)
    assert {one["key"] for one in line["asked"]}.isdisjoint(given)
