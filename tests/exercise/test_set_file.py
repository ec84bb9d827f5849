"""A problem set's file says moments exactly, and all that is wrong with it at once."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprop.exercise.bank import load_bank
from quizprop.exercise.set_file import SetFileError, load_set, read_moment

NAIVE = datetime.fromisoformat("1970-01-01T00:00")
GOOD = """
title = "Homework 3"
words = "Back through *one* network."
zone = "Europe/Madrid"
opens = "2026-10-01 08:00"
due = 2026-10-08T23:59:00
attempts = 3
[[item]]
exercise = "mazur"
points = 2
[[item]]
exercise = "chain"
"""


README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def load(tmp_path):
    def read(text):
        file = tmp_path / "hw3.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_set(file, load_bank())

    return read


def utc(*parts):
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 1_000_000


def test_the_file_in_the_readme_makes_a_problem_set(load):
    (example,) = (
        text for text in re.findall(r"```toml\n(.*?)```", README.read_text("utf-8"), re.S) if "[[item]]" in text
    )
    said = load(example)
    assert [(one.exercise, one.points) for one in said.items] == [("mazur-like", 4), ("deltas", 1)]
    assert said.due == utc(2026, 10, 8, 21, 59)


def test_a_file_says_what_when_and_how_often(load):
    said = load(GOOD)
    assert (said.title, said.attempts) == ("Homework 3", 3)
    assert (said.opens, said.due) == (utc(2026, 10, 1, 6), utc(2026, 10, 8, 21, 59))
    assert [(item.exercise, item.points) for item in said.items] == [("mazur", 2), ("chain", 1)]


def test_a_title_and_an_exercise_are_enough(load):
    said = load('title = "Any time"\n[[item]]\nexercise = "mazur"')
    assert (said.words, said.opens, said.due, said.attempts) == ("", None, None, None)


@given(
    st.datetimes(NAIVE.replace(year=2000, day=3), NAIVE.replace(year=2199, month=12)), st.integers(-14 * 60, 14 * 60)
)
def test_a_moment_is_exact_to_the_microsecond_however_its_offset_is_written(moment, minutes):
    offset = timedelta(minutes=minutes)
    aware = (moment + offset).replace(tzinfo=timezone(offset))
    exact = (moment - NAIVE) // timedelta(microseconds=1)
    assert read_moment(aware) == read_moment(aware.isoformat()) == read_moment(moment, "UTC") == exact


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("2026-03-29 02:30", "never comes in Europe/Madrid"),
        ("9999-12-31 23:59", "9999 is no year from 2000 to 2199"),
        ("0026-10-25 08:00", "26 is no year from 2000 to 2199"),
        ("2026-10-25 02:30", "comes twice in Europe/Madrid"),
        ("2026-10-25", "a date and a time"),
        ("next week sometime", "a date and a time"),
        (date(2026, 10, 25), "a date and a time"),
    ],
)
def test_a_moment_that_does_not_come_exactly_once_is_refused(written, why):
    with pytest.raises(ValueError, match=why):
        read_moment(written, "Europe/Madrid")


def test_the_clocks_of_no_place_tell_no_moment():
    with pytest.raises(ValueError, match="needs a zone"):
        read_moment("2026-10-02 23:59")


def test_all_problems_are_told_at_once(load):
    with pytest.raises(SetFileError) as told:
        load(
            'title = ""\nopens = "2026-10-02T08:00Z"\ndue = "2026-10-02T08:00Z"\nattempts = 0\ncolour = "red"\n'
            '[[item]]\nexercise = "mazzur"\npoints = 0'
        )
    lines = str(told.value).splitlines()
    assert all(line.startswith("hw3.toml: ") for line in lines)
    keys = ("title", "due", "attempts", "colour", "item.0.exercise", "item.0.points")
    assert all(any(line.startswith(f"hw3.toml: {key}: ") for line in lines) for key in keys)
    assert len(lines) == len(keys)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("Europe/Madrid", "Atlantis"), "zone: 'Atlantis' is no time zone"),
        (("Europe/Madrid", "Europe"), "zone: 'Europe' is no time zone"),
        (("Europe/Madrid", "../etc/passwd"), "zone: '../etc/passwd' is no time zone"),
        (('"2026-10-01 08:00"', "true"), "opens: "),
        (('"2026-10-01 08:00"', "17"), "opens: "),
        (('zone = "Europe/Madrid"', ""), "needs a zone"),
        (('title = "Homework 3"', "title ="), "is not TOML"),
        (("attempts = 3", "attempts = " + "3" * 5000), "is not TOML"),
        ((GOOD[GOOD.index("[[item]]") :], ""), "item: is missing; it has to be there"),
        ((GOOD[GOOD.index("[[item]]") :], "item = []"), "item: a set has at least one"),
    ],
)
def test_what_is_wrong_is_named(load, change, why):
    with pytest.raises(SetFileError) as told:
        load(GOOD.replace(*change))
    assert why in str(told.value)


def test_a_file_that_is_not_there_or_not_text_is_said_to_be_so(load, tmp_path):
    with pytest.raises(SetFileError, match="can't be read"):
        load_set(tmp_path / "none.toml", {})
    with pytest.raises(SetFileError, match="can't be read: it is not text in UTF-8; save it so"):
        load(b"\xff")
