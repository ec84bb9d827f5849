"""Knowledge tracing: laws of the beliefs, and what a graded sheet says."""

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprop.exercise.bank import load_bank
from quizprop.exercise.evidence import Diagnosis, SlipMade, diagnosis, evidence_of, slips_avoided, slips_made
from quizprop.exercise.figures import to_places
from quizprop.exercise.generate import draw
from quizprop.exercise.grade import HIDDEN_BY_EARLIER, grade
from quizprop.exercise.knowledge import MASTERY, SUREST, Belief, Evidence, Knowledge, Outcome, observe
from quizprop.exercise.skills import UnknownSkillError, load_skills

BANK = load_bank()
SKILLS = load_skills()
NAMES = [skill.name for skill in SKILLS]
NOBODY = Knowledge(SKILLS)

probabilities = st.floats(min_value=0.0, max_value=SUREST)
some_skills = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True).map(tuple)
options = st.sampled_from([0, 2, 3, 4, 16])


@st.composite
def believed(draw_from, names):
    return Knowledge(SKILLS, {name: Belief(draw_from(probabilities)) for name in names})


@st.composite
def answered(draw_from):
    """A cell with several skills, whatever is believed of them."""
    names = draw_from(some_skills)
    return draw_from(believed(names)), names, draw_from(options)


def after(knowledge, names, outcome, count=0, times=1):
    """After so many checks, each of one cell."""
    for _ in range(times):
        knowledge = observe(knowledge, [Evidence("z1[1]", names, outcome, count)])
    return knowledge


@given(answered(), st.lists(st.sampled_from(list(Outcome)), max_size=12))
def test_a_belief_is_a_probability_whatever_happens(cell, outcomes):
    knowledge, names, count = cell
    for outcome in outcomes:
        knowledge = after(knowledge, names, outcome, count)
    assert all(0 <= knowledge[name].known <= SUREST for name in NAMES)


@given(answered())
def test_a_right_answer_never_lowers_a_belief(cell):
    knowledge, names, count = cell
    right = after(knowledge, names, Outcome.RIGHT, count)
    assert all(right[name].known >= knowledge[name].known - 1e-12 for name in names)


@given(answered())
def test_a_wrong_answer_raises_a_belief_by_no_more_than_the_practice_does(cell):
    knowledge, names, count = cell
    wrong, helped = after(knowledge, names, Outcome.WRONG, count), after(knowledge, names, Outcome.HELPED, count)
    assert all(wrong[name].known <= helped[name].known + 1e-12 for name in names)


@given(answered())
def test_help_is_practice_and_says_nothing(cell):
    knowledge, names, count = cell
    helped = after(knowledge, names, Outcome.HELPED, count)
    for name in names:
        known = knowledge[name].known
        assert helped[name].known == pytest.approx(min(SUREST, known + (1 - known) * SKILLS[name].learn))
        assert (helped[name].run, helped[name].seen) == (knowledge[name].run, knowledge[name].seen)


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(list(Outcome))), max_size=10), st.randoms())
def test_the_order_of_different_skills_does_not_matter(answers, random):
    by_skill = {name: [outcome for one, outcome in answers if one == name] for name in NAMES}
    mixed = list(answers)
    random.shuffle(mixed)
    queues = {name: iter(outcomes) for name, outcomes in by_skill.items()}
    mixed = [(name, next(queues[name])) for name, _ in mixed]

    def ends(pairs):
        return observe(NOBODY, [Evidence("k", (name,), outcome) for name, outcome in pairs]).beliefs

    assert ends(mixed) == ends([(name, one) for name, outcomes in by_skill.items() for one in outcomes])


@given(believed(("update",)))
def test_the_more_options_the_more_a_right_answer_says(knowledge):
    rises = [after(knowledge, ("update",), Outcome.RIGHT, count)["update"].known for count in (2, 3, 4, 50, 0)]
    assert rises == sorted(rises)


def test_a_single_skill_follows_corbett_and_anderson():
    skill = SKILLS["gradient"]
    known = skill.known * (1 - skill.slip) / (skill.known * (1 - skill.slip) + (1 - skill.known) * skill.guess)
    right = after(NOBODY, ("gradient",), Outcome.RIGHT)["gradient"]
    assert right.known == pytest.approx(known + (1 - known) * skill.learn)
    known = skill.known * skill.slip / (skill.known * skill.slip + (1 - skill.known) * (1 - skill.guess))
    wrong = after(NOBODY, ("gradient",), Outcome.WRONG)["gradient"]
    assert wrong.known == pytest.approx(known + (1 - known) * skill.learn)


@pytest.mark.parametrize(("outcome", "count"), [(Outcome.RIGHT, 0), (Outcome.WRONG, 0), (Outcome.RIGHT, 4)])
def test_a_step_of_two_skills_follows_bayes_over_who_knows_which(outcome, count):
    """It slips as often as the skill that slips most, and is guessed as rarely as the one that is guessed least."""
    names, before = ("loss", "shapes"), {"loss": 0.3, "shapes": 0.6}
    slips, guesses = ([getattr(SKILLS[name], chance) for name in names] for chance in ("slip", "guess"))
    assert len({*slips}) == len({*guesses}) == 2
    worlds = {}
    for state in itertools.product((True, False), repeat=2):
        right = 1 - max(slips) if all(state) else 1 / count if count else min(guesses)
        likely = right if outcome is Outcome.RIGHT else 1 - right
        worlds[state] = likely * math.prod(p if has else 1 - p for has, p in zip(state, before.values(), strict=True))
    found = after(Knowledge(SKILLS, {name: Belief(p) for name, p in before.items()}), names, outcome, count)
    for at, name in enumerate(names):
        known = sum(weight for state, weight in worlds.items() if state[at]) / sum(worlds.values())
        assert found[name].known == pytest.approx(known + (1 - known) * SKILLS[name].learn)


def test_each_choice_among_options_is_made_by_itself():
    """Two right choices of four are guessed one time in sixteen, be they of one formula."""
    skill = SKILLS["gradient"]
    choices = [Evidence(f"grad_W1[1,{n}]", ("gradient",), Outcome.RIGHT, 4) for n in (1, 2)]
    knows, guesses = skill.known * (1 - skill.slip) ** 2, (1 - skill.known) / 16
    known = knows / (knows + guesses)
    assert observe(NOBODY, choices)["gradient"].known == pytest.approx(known + (1 - known) * skill.learn)


def beliefs_after(right, wrong, name="gradient"):
    cells = [Evidence(f"grad_W1[1,{n}]", (name,), Outcome.RIGHT if n < right else Outcome.WRONG) for n in range(9)]
    return observe(NOBODY, cells[: right + wrong])[name].known


def test_many_right_values_of_one_step_say_hardly_more_than_one():
    one, many = beliefs_after(1, 0), beliefs_after(9, 0)
    assert one == pytest.approx(many, abs=0.01)
    steps = [Evidence(key, ("gradient",), Outcome.RIGHT) for key in ("grad_W1[1,1]", "grad_W2[1,1]")]
    assert 1 - observe(NOBODY, steps)["gradient"].known < (1 - one) / 5


def test_each_wrong_value_of_a_step_counts_by_itself():
    assert beliefs_after(0, 2) < beliefs_after(0, 1)
    assert beliefs_after(6, 1) > beliefs_after(3, 3) > beliefs_after(1, 5)
    assert beliefs_after(8, 1) > SKILLS["gradient"].known > beliefs_after(1, 5) - SKILLS["gradient"].learn


def test_one_check_is_practice_once_however_many_values_it_has():
    helped = [Evidence(f"z1[{n}]", ("net input",), Outcome.HELPED) for n in range(5)]
    assert observe(NOBODY, helped) == observe(NOBODY, helped[:1])


def test_the_blame_goes_to_what_is_known_least():
    names = ("loss slope", "activation slope", "output delta")
    knowledge = Knowledge(SKILLS, dict(zip(names, (Belief(0.99), Belief(0.2), Belief(0.97)), strict=True)))
    wrong = after(knowledge, names, Outcome.WRONG)
    lost = {name: 1 - wrong[name].known / knowledge[name].known for name in names}
    assert wrong["loss slope"].mastered
    assert lost["loss slope"] < 0.02 < lost["activation slope"] or wrong["activation slope"].known < 0.4


def test_a_run_is_counted_in_first_tries_and_ends_with_a_wrong_one():
    knowledge = NOBODY
    for one in (Outcome.RIGHT, Outcome.HELPED, Outcome.RIGHT):
        knowledge = after(knowledge, ("loss",), one)
    assert (knowledge["loss"].run, knowledge["loss"].seen) == (2, 2)
    wrong = after(knowledge, ("loss",), Outcome.WRONG)["loss"]
    assert (wrong.run, wrong.seen) == (0, 3)
    some = [Evidence(f"z1[{n}]", ("net input",), one) for n, one in enumerate((Outcome.RIGHT, Outcome.WRONG))]
    assert observe(NOBODY, some)["net input"].run == 0


def test_some_right_answers_make_a_master():
    assert Belief(MASTERY).mastered
    for name in NAMES:
        knowledge = after(NOBODY, (name,), Outcome.RIGHT, times=4)
        assert knowledge.mastered(name)
        assert knowledge[name].known >= MASTERY


def test_one_slip_of_a_master_is_forgiven_and_two_in_a_row_are_not():
    for name in NAMES:
        knowledge = after(NOBODY, (name,), Outcome.RIGHT, times=12)
        once = after(knowledge, (name,), Outcome.WRONG)
        assert once.mastered(name), name
        assert not after(once, (name,), Outcome.WRONG).mastered(name), name


def test_a_skill_is_ready_when_all_that_it_needs_is_mastered():
    assert NOBODY.ready("net input")
    assert not NOBODY.ready("output delta")
    some = Knowledge(SKILLS, {name: Belief(0.99) for name in ("loss slope", "activation slope")})
    assert some.ready("output delta")


@given(st.dictionaries(st.sampled_from(NAMES), st.builds(Belief, probabilities, st.integers(0, 9), st.integers(0, 9))))
def test_knowledge_survives_json(beliefs):
    knowledge = Knowledge(SKILLS, beliefs)
    stored = json.loads(json.dumps(knowledge.as_json()))
    assert Knowledge.from_json(SKILLS, stored) == knowledge


def test_a_skill_that_left_the_map_is_forgotten_and_an_unknown_one_is_told():
    stored = {"alchemy": {"known": 0.5, "run": 0, "seen": 1}, "loss": {"known": 0.5, "run": 0, "seen": 1}}
    assert set(Knowledge.from_json(SKILLS, stored).beliefs) == {"loss"}
    with pytest.raises(UnknownSkillError, match="No skill named 'alchemy'"):
        NOBODY["alchemy"]


# --- evidence -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sheet():
    return draw(BANK["mazur-like"], np.random.default_rng(5))


def honest(instance):
    return {cell.key: to_places(instance.values[cell.key], instance.exercise.places) for cell in instance.cells}


def outcomes(found):
    return {one.key: one.outcome for one in found}


def test_each_answered_cell_says_something_once(sheet):
    texts = honest(sheet) | {"E": "", "e[1]": "a lot"}
    found = evidence_of(SKILLS, sheet, grade(sheet, texts), before=["z1[1]"])
    assert set(outcomes(found)) == {cell.key for cell in sheet.cells} - {"E", "e[1]", "z1[1]"}
    assert set(outcomes(found).values()) == {Outcome.RIGHT}


def test_what_follows_from_a_slip_is_right_and_what_was_shown_is_helped(sheet):
    z = sheet.values["z1[1]"] + 0.3
    texts = honest(sheet) | {"z1[1]": to_places(z, 4), "a1[1]": to_places(float(1 / (1 + np.exp(-z))), 4)}
    found = outcomes(evidence_of(SKILLS, sheet, grade(sheet, texts), helped=["z2[1]"]))
    assert found["z1[1]"] is Outcome.WRONG
    assert found["a1[1]"] is Outcome.RIGHT
    assert found["z2[1]"] is Outcome.HELPED


def test_a_known_mistake_blames_the_step_at_which_it_was_made():
    instance = draw(BANK["deltas"], np.random.default_rng(2))
    values = instance.values
    texts = {"delta2[1]": to_places(values["dE_da2[1]"], 4)}  # the slope left out
    found = evidence_of(SKILLS, instance, grade(instance, texts))
    assert [one.outcome for one in found] == [Outcome.WRONG]
    assert found[0].codes
    assert found[0].skills == ("output delta",)


def test_a_wrong_value_without_a_name_blames_all_of_the_cell():
    instance = draw(BANK["deltas"], np.random.default_rng(2))
    (found,) = evidence_of(SKILLS, instance, grade(instance, {"delta2[1]": "77"}))
    assert found.skills == ("loss slope", "activation slope", "output delta")


def test_what_earlier_values_hide_says_nothing(sheet):
    zeros = dict.fromkeys(honest(sheet), "0")
    graded = grade(sheet, zeros)
    hidden = {key for key, mark in graded.marks.items() if HIDDEN_BY_EARLIER in mark.sentences}
    assert hidden
    assert hidden.isdisjoint(outcomes(evidence_of(SKILLS, sheet, graded)))


def test_a_question_says_how_many_options_there_were():
    instance = draw(BANK["choose-gradient"], np.random.default_rng(1))
    texts = {one.key: str(one.right) for one in instance.questions}
    assert {one.options for one in evidence_of(SKILLS, instance, grade(instance, texts))} == {4}
    lesson = draw(BANK["did-it-fall"], np.random.default_rng(1))
    assert {one.key: one.options for one in evidence_of(SKILLS, lesson, grade(lesson, honest(lesson)))}["fell"] == 2


def test_a_diagnosis_has_the_skill_of_its_step_and_a_title():
    structure = draw(BANK["mazur-like"], np.random.default_rng(1)).structure
    assert diagnosis(SKILLS, structure, "z1:bias_left_out", times=2) == Diagnosis("net input", "bias left out", 2)
    assert diagnosis(SKILLS, structure, "z1:no_such_mistake") is None


def told_by(instance, **changed):
    texts = honest(instance) | changed
    return evidence_of(SKILLS, instance, grade(instance, texts))


def test_a_slip_has_the_same_code_in_whatever_layer(sheet):
    texts = honest(sheet)
    skipped = SlipMade("a:activation_skipped", "activation skipped", "activation")
    for layer in (1, 2):
        found = told_by(sheet, **{f"a{layer}[1]": texts[f"z{layer}[1]"]})
        assert skipped in slips_made(SKILLS, sheet, found)
        assert skipped.code not in slips_avoided(sheet, found)
    both = told_by(sheet, **{f"a{layer}[{unit}]": texts[f"z{layer}[{unit}]"] for layer in (1, 2) for unit in (1, 2)})
    assert slips_made(SKILLS, sheet, both).count(skipped) == 1


def test_a_slip_is_avoided_where_it_could_have_been_made_and_was_not(sheet):
    found = told_by(sheet)
    assert slips_made(SKILLS, sheet, found) == ()
    assert {"a:activation_skipped", "z:bias_left_out"} <= slips_avoided(sheet, found)
    only = evidence_of(SKILLS, sheet, grade(sheet, {"z1[1]": honest(sheet)["z1[1]"]}))
    assert "a:activation_skipped" not in slips_avoided(sheet, only)
    helped = [replace(one, outcome=Outcome.HELPED) for one in found]
    assert slips_avoided(sheet, helped) == frozenset()


def test_an_answer_that_no_slip_explains_is_no_slip(sheet):
    assert slips_made(SKILLS, sheet, told_by(sheet, **{"z1[1]": "77"})) == ()


def test_of_the_mistakes_that_explain_an_answer_the_likeliest_is_the_slip():
    instance = draw(BANK["deltas"], np.random.default_rng(0))
    found = evidence_of(SKILLS, instance, grade(instance, {"delta2[1]": repr(-instance.values["delta2[1]"])}))
    assert len(found[0].codes) > 1
    (slip,) = slips_made(SKILLS, instance, found)
    stem, kind = slip.code.split(":")
    assert found[0].codes[0] == f"{stem}2:{kind}"


def test_with_help_no_slip_is_made_and_beside_it_none_is_avoided(sheet):
    texts = honest(sheet)
    helped = evidence_of(SKILLS, sheet, grade(sheet, {"a1[1]": texts["z1[1]"]}), helped=["a1[1]"])
    assert helped[0].codes
    assert slips_made(SKILLS, sheet, helped) == ()
    beside = evidence_of(SKILLS, sheet, grade(sheet, {key: texts[key] for key in ("z1[1]", "z1[2]")}), helped=["z1[2]"])
    assert set(outcomes(beside).values()) == {Outcome.RIGHT, Outcome.HELPED}
    assert slips_avoided(sheet, beside) == frozenset()


def test_a_mistake_at_a_cell_left_blank_speaks_of_the_cell_where_it_shows(sheet):
    z, error = sheet.values["z2[1]"], sheet.values["dE_da2[1]"]
    graded = grade(sheet, {"delta2[1]": repr(error * z * (1 - z))})
    assert graded.marks["delta2[1]"].codes == ("da_dz2:slope_at_net_input",)
    (found,) = evidence_of(SKILLS, sheet, graded)
    assert (found.key, found.skills) == ("delta2[1]", ("output delta",))
