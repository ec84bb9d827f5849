"""Laws of exercise files that are written: they read back as the exercise that was written."""

import re
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from quizprop.engine.catalogue import LESSONS
from quizprop.exercise.bank import BankError, load_bank, read_exercise
from quizprop.exercise.exercise_file import toml_value, written_exercise
from quizprop.exercise.spec import FORMS, Exercise, NetworkSpec, QuestionKind, Topic

BANK = load_bank()
README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
SECTION = README.partition("## An exercise is a file")[2].partition("\n## ")[0]


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
        ('format = 1\ntitle = "T"', "sentence: is missing; it has to be there"),
        ("format = 2", "format: 2 is not known"),
        ("a = " + "[" * 5000, "is not TOML"),
        ("format = " + "1" * 5000, "is not TOML"),
    ],
)
def test_what_is_wrong_with_a_text_is_said(text, problem):
    with pytest.raises(BankError, match=problem):
        read_exercise("mine", text)


def rows(heading):
    """The rows of a table of the section, by their first cell."""
    table = SECTION.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| (`.*?) \| (.*) \|$", table, re.MULTILINE))


def options(kind):
    """What can be written for each option of a lesson that takes one of a few values, the usual one first."""
    hints = get_type_hints(LESSONS[kind])
    for field in fields(LESSONS[kind]):
        hint = hints[field.name]
        known = [True, False] if hint is bool else [*get_args(hint)] if get_origin(hint) is Literal else []
        if known and field.default is not MISSING:
            known.sort(key=lambda each, usual=field.default: each != usual)
        yield f"`{field.name}`", [str(each).lower() if hint is bool else str(each) for each in known]


def test_the_file_in_the_readme_is_an_exercise():
    (example,) = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
    exercise = read_exercise("readme", example)
    lists = re.findall(r'^(\w+) = \[?"(\w+)"\]? +# (?:or )?(.*)$', example, re.MULTILINE)
    known = {name: get_args(part.annotation) for name, part in NetworkSpec.model_fields.items()}
    known["notation"] = get_args(Exercise.model_fields["notation"].annotation)
    known["activations"] = get_args(known["activations"][0])
    for name, written, others in lists:
        assert {written, *re.findall(r"\w+", others)} == set(known[name]), name
    assert {name for name, _, _ in lists} == {"notation", "activations", "loss", "bias"}
    assert exercise.network.activations == ("sigmoid",)


def test_the_readme_names_every_key():
    named = {name for cell in rows("key") for name in re.findall(r"`(\w+)`", cell)}
    assert named == {"format", "kind", *Exercise.model_fields, *NetworkSpec.model_fields} - {"slug"}
    told = rows("key")
    assert f": {', '.join(get_args(Topic))};" in told["`topic`, `skills`"]
    questions = get_args(QuestionKind)
    assert [name for name in re.findall(r"`(\w+)`", told["`question`"]) if name in questions] == [*questions]


def test_every_value_in_the_readme_is_one_of_the_form_that_it_shows():
    written = [tomllib.loads(f"v = {text}")["v"] for cell in rows("a value") for text in re.findall("`(.*?)`", cell)]
    assert {key for value in written if isinstance(value, dict) for key in value} == {
        name for form in FORMS.values() for name in form.model_fields
    }
    content = BANK["softmax"].model_dump(exclude_defaults=True)
    shape = {"network": {**content["network"], "loss": "half_sse", "examples": 2, "layers": [2, 2]}}
    shape["network"]["activations"] = ["softmax"]
    usual = {"x": 0.5, "t": 0.5, "W1": 0.5, "b1": 0.5, "eta": 0.5}
    for value in written:
        name = "b1" if isinstance(value, list) and not isinstance(value[0], list) else "t"
        parts = {**content, **shape, "values": {**usual, name: value}, "asked": ["z1"], "shown": []}
        assert Exercise.model_validate(parts).values[name] is not None


def test_the_readme_names_every_lesson_with_its_options():
    told = rows("a lesson")
    assert set(told) == {f"`{kind}`" for kind in LESSONS}
    for kind in LESSONS:
        for name, known in options(kind):
            assert f"{name} {', '.join(known)}" in told[f"`{kind}`"].split("; ") if known else name in told[f"`{kind}`"]
        assert len(re.findall(r"(?:^|; )`\w+`", told[f"`{kind}`"])) == len(fields(LESSONS[kind]))


def test_the_limits_in_the_readme_are_those_of_files():
    for text in ("{ low = 0, high = 100_000, step = 1 }", "1_000_000"):
        file = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)[0]
        read_exercise("most", re.sub("^x = .*", f"x = {text}", file, flags=re.MULTILINE))
        more = text.replace("100_000", "100_001").replace("1_000_000", "1_000_001")
        with pytest.raises(BankError, match=r"100,000|1,000,000"):
            read_exercise("more", re.sub("^x = .*", f"x = {more}", file, flags=re.MULTILINE))
