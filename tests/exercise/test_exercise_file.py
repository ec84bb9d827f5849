"""Laws of exercise files that are written: they read back as the exercise that was written."""

import tomllib

import pytest

from quizprop.exercise.bank import BankError, load_bank, read_exercise
from quizprop.exercise.exercise_file import toml_value, written_exercise
from quizprop.exercise.spec import Exercise

BANK = load_bank()


@pytest.mark.parametrize("slug", BANK)
def test_every_exercise_of_the_bank_reads_back_as_it_was_written(slug):
    text = written_exercise(BANK[slug])
    assert read_exercise(slug, text) == BANK[slug]
    assert written_exercise(read_exercise(slug, text)) == text


@pytest.mark.parametrize("slug", BANK)
def test_single_values_are_toml(slug):
    for name, value in BANK[slug].model_dump()["values"].items():
        again = tomllib.loads(f"{name} = {toml_value(value)}")[name]
        content = BANK[slug].model_dump(exclude_defaults=True)
        assert Exercise.model_validate({**content, "values": {**content["values"], name: again}}) == BANK[slug]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title = ", "is not TOML"),
        ('format = 1\ntitle = "T"', "sentence: Field required"),
        ("format = 2", "format: 2 is not known"),
        ("a = " + "[" * 5000, "is not TOML"),
    ],
)
def test_what_is_wrong_with_a_text_is_said(text, problem):
    with pytest.raises(BankError, match=problem):
        read_exercise("mine", text)
