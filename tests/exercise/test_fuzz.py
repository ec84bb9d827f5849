"""What is typed and what is in exercise files gives a message or a value: the fast form of what ``make soak`` does."""

import random

import pytest

from quizprop import resources
from quizprop.exercise.numbers import Reading
from tests import fuzz

BANK = [file.read_text() for file in sorted(resources.folder("problem_bank").glob("*.toml")) if file.stem != "skills"]


@pytest.mark.parametrize("seed", range(2))
def test_any_string_is_read_or_refused_with_a_message_and_working_as_python_works_it(seed):
    found = fuzz.numbers(2000, seed)
    assert 0 < found.read < found.tried == 2000


@pytest.mark.parametrize("seed", range(4))
def test_a_spoilt_exercise_file_is_read_or_refused_with_a_message(seed):
    found = fuzz.exercise_files(BANK, 150, seed)
    assert 0 < found.read < found.tried == 150


@pytest.mark.parametrize(
    "broken",
    [
        lambda text, **_: Reading(text, None),
        lambda text, **_: Reading(text, 1.0, echo="1"),
        lambda text, **_: Reading(text, float("nan"), echo="nan"),
        lambda text, **_: Reading(text, None, problem="x" * 300),
    ],
)
def test_a_reader_that_says_nothing_or_something_else_is_found_out(broken, monkeypatch):
    """The control of the tests above."""
    monkeypatch.setattr(fuzz, "read_number", broken)
    with pytest.raises(AssertionError):
        fuzz.numbers(100, 0)


def test_the_strings_tried_are_of_every_kind():
    rng = random.Random(0)
    texts = [fuzz.typed(rng) for _ in range(2000)]
    assert len(set(texts)) > 1500
    assert {len(text) > 200 for text in texts} == {"(" in text for text in texts} == {True, False}
