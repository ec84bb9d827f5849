"""The map of skills: what it covers, what each cell calls for, and how its file's problems are told."""

import pytest

from quizprop.engine.catalogue import LESSONS
from quizprop.engine.network import Network
from quizprop.exercise.bank import BankError, load_bank
from quizprop.exercise.skills import Skill, UnknownSkillError, load_skills
from quizprop.exercise.spec import Exercise

GOOD = """
format = 1

[[skill]]
name = "net input"
sentence = "Add up."
core = true
known = 0.5
learn = 0.2
slip = 0.1
guess = 0.01
[skill.covers]
network = ["z"]

[[skill]]
name = "activation"
sentence = "Send it through."
needs = ["net input"]
known = 0.5
learn = 0.2
slip = 0.1
guess = 0.01
[skill.covers]
network = ["a"]
"""

BANK = load_bank()
SKILLS = load_skills()


@pytest.fixture
def problems(tmp_path):
    def told(text):
        (tmp_path / "skills.toml").write_text(text, encoding="utf-8")
        with pytest.raises(BankError) as caught:
            load_skills(tmp_path)
        return str(caught.value).splitlines()

    return told


def test_every_asked_cell_of_every_family_calls_for_a_skill():
    for slug, exercise in BANK.items():
        assert all(SKILLS.of_cells(exercise).values()), slug


def test_every_quantity_of_every_family_calls_for_a_skill():
    for exercise in BANK.values():
        model = exercise.model
        assert all(SKILLS.of_quantity(model, quantity) for quantity in model.graph())


def test_an_exercise_file_lists_the_skills_that_its_cells_call_for():
    for slug, exercise in BANK.items():
        assert exercise.skills == SKILLS.of_exercise(exercise), slug


def test_every_skill_can_be_practised_and_stands_after_what_it_needs():
    practised = {name for exercise in BANK.values() for name in SKILLS.of_exercise(exercise)}
    names = [skill.name for skill in SKILLS]
    assert practised == set(names)
    assert all(names.index(need) < place for place, skill in enumerate(SKILLS) for need in skill.needs)
    assert all(need in SKILLS.core for name in SKILLS.core for need in SKILLS[name].needs)


def test_what_a_map_spells_exists():
    spelled = {
        kind: {stem.split(" ")[0] for skill in SKILLS for stem in skill.covers.get(kind, ())} for kind in LESSONS
    }
    known = {kind: {"*"} for kind in LESSONS}
    for exercise in BANK.values():
        if not isinstance(exercise.model, Network):
            known[exercise.network.kind] |= {quantity.formula.stem for quantity in exercise.model.graph()}
    # D and R after the step are quantities of an option that the bank does not use together.
    assert all(spelled[kind] <= known[kind] for kind in LESSONS)


def test_a_step_that_is_not_written_is_called_for_where_it_comes_to_light():
    deltas = SKILLS.of_cells(BANK["deltas"])
    assert deltas["delta2[1]"] == ("loss slope", "activation slope", "output delta")
    assert deltas["delta1[1]"] == ("activation slope", "hidden delta")
    assert SKILLS.of_cells(BANK["mazur-like"])["delta2[1]"] == ("output delta",)


def test_output_and_hidden_softmax_and_other_activations_are_told_apart():
    assert SKILLS.of_cells(BANK["softmax-probabilities"])["a1[1]"] == ("softmax",)
    assert SKILLS.of_cells(BANK["mazur-after"])["a1_new[1]"] == ("activation", "after the step")
    assert SKILLS.of_cells(BANK["momentum"])["v1[1]"] == ("optimizers",)


def test_a_question_about_the_whole_work_is_a_skill_of_its_own():
    assert SKILLS.of_cells(BANK["find-slip-logistic"]) == {"cell": ("checking",), "mistake": ("checking",)}
    assert set(SKILLS.of_cells(BANK["true-false-relu"]).values()) == {("checking",)}
    assert set(SKILLS.of_cells(BANK["choose-gradient"]).values()) == {("gradient",)}


def test_a_bank_of_ones_own_has_the_shipped_map_or_its_own(tmp_path):
    assert [skill.name for skill in load_skills(tmp_path)] == [skill.name for skill in SKILLS]
    (tmp_path / "skills.toml").write_text(GOOD, encoding="utf-8")
    own = load_skills(tmp_path)
    assert [skill.name for skill in own] == ["net input", "activation"]
    assert own.core == ("net input",)
    assert isinstance(own["activation"], Skill)
    with pytest.raises(UnknownSkillError, match=r"No skill named 'update'. Known: net input, activation"):
        own["update"]


def test_the_map_is_no_exercise(tmp_path):
    (tmp_path / "skills.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(BankError, match="holds no exercise file"):
        load_bank(tmp_path)


def test_what_the_map_leaves_out_calls_for_nothing(tmp_path):
    (tmp_path / "skills.toml").write_text(GOOD, encoding="utf-8")
    assert load_skills(tmp_path).of_cells(BANK["error-half-squared"])["E"] == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("format = 1", "", "skills.toml: format: is missing; write format = 1"),
        ("known = 0.5", "known = 1.5", "skills.toml: skill.0.known: "),
        ("slip = 0.1", "slip = 0.6", "skills.toml: skill.1.slip: "),
        ("core = true", "cor = true", "skills.toml: skill.0.cor: "),
        (
            'needs = ["net input"]',
            'needs = ["loss"]',
            "skills.toml: activation: needs 'loss', which does not stand above",
        ),
        ('needs = ["net input"]', 'needs = ["activation"]', "skills.toml: activation: needs 'activation', which does"),
        ('name = "activation"', 'name = "net input"', "skills.toml: net input: stands twice"),
        (
            'network = ["a"]',
            'transformer = ["a"]',
            "skills.toml: activation: covers 'transformer', which is not one of",
        ),
        ("[[skill]]", "[[skill", "skills.toml: is not TOML"),
        ("format = 1", "format = " + "1" * 5000, "skills.toml: is not TOML"),
    ],
)
def test_a_problem_of_the_map_is_told_with_its_place(problems, old, new, told):
    lines = problems(GOOD.replace(old, new))
    assert any(line.startswith(told) for line in lines), lines


def test_all_problems_of_the_map_are_told_at_once(problems):
    lines = problems(GOOD.replace("format = 1", "").replace("known = 0.5", "known = 2"))
    assert len(lines) == 3


def test_an_empty_map_is_told(problems):
    assert problems("format = 1\nskill = []") == ["skills.toml: skill: there is none; a skill is a table [[skill]]"]


def test_a_map_that_is_no_text_is_told(tmp_path):
    (tmp_path / "skills.toml").write_bytes(b"\xff")
    with pytest.raises(BankError, match="can't be read: it is not text in UTF-8; save it so"):
        load_skills(tmp_path)


def test_a_family_without_lists_is_understood_all_the_same():
    plain = Exercise.model_validate({**BANK["deltas"].model_dump(), "skills": ()})
    assert SKILLS.of_exercise(plain) == BANK["deltas"].skills
