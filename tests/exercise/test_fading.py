"""Faded forms: what they ask and show, and that they can be drawn."""

import numpy as np
import pytest

from quizprop.exercise.acceptance import acceptance
from quizprop.exercise.bank import load_bank
from quizprop.exercise.certify import Plan, plan_of
from quizprop.exercise.fading import Fading, can_be_drawn, fadings, forms
from quizprop.exercise.figures import to_places
from quizprop.exercise.generate import draw
from quizprop.exercise.grade import grade
from quizprop.exercise.record import blank
from quizprop.exercise.skills import load_skills
from quizprop.exercise.spec import Exercise

BANK = load_bank()
SKILLS = load_skills()
ALL = [(slug, form) for slug, exercise in BANK.items() for form in forms(exercise, SKILLS)]


def form_of(slug, fading, aim=""):
    return next(one for one in forms(BANK[slug], SKILLS) if (one.fading, one.aim) == (fading, aim))


def keys(names, exercise):
    structure = plan_of(exercise).structure
    cells = {quantity.name: set(structure.keys[quantity.name].flat) for quantity in structure.graph}
    return {key for name in names for key in cells.get(name, {name})}


@pytest.mark.unmeasured
def test_nearly_every_form_can_be_drawn():
    # Of each family the mildest form and the last step; whole sheets are drawn from in the bank's own tests.
    faded = {slug: forms(exercise, SKILLS)[1:] for slug, exercise in BANK.items() if not exercise.fixed}
    some = [(slug, one) for slug, found in faded.items() for one in dict.fromkeys((*found[:1], *found[-1:]))]
    assert sum(can_be_drawn(form.of(BANK[slug])) for slug, form in some) > 0.98 * len(some)


def test_forms_that_cannot_be_drawn_are_not_offered():
    hopeless = form_of("mazur", Fading.STEP, "update")
    assert not can_be_drawn(hopeless.of(BANK["mazur"]))
    offered = fadings(BANK["mazur"], SKILLS)
    assert hopeless not in offered
    assert offered[0].fading is Fading.FULL
    assert any(one.fading is Fading.STEP for one in offered)


def test_every_skill_that_is_core_can_be_practised_as_one_step():
    aims = {form.aim for slug, form in ALL if form.fading is Fading.STEP and not BANK[slug].fixed}
    assert aims.issuperset(SKILLS.core)


def test_a_form_knows_its_size_and_skills():
    for slug, form in ALL[::7]:
        exercise = form.of(BANK[slug])
        assert exercise.slug == slug
        assert Plan(exercise).asked_count == form.size
        assert SKILLS.of_exercise(exercise) == form.skills
        assert form.first == SKILLS.of_cells(exercise)[blank(exercise).cells[0].key]
        assert not form.aim or form.aim in form.skills


def test_less_is_asked_than_of_the_whole_and_what_is_shown_is_not_asked():
    for slug, form in ALL:
        whole = keys(BANK[slug].asked, BANK[slug]) - keys(BANK[slug].shown, BANK[slug])
        if form.fading is not Fading.FULL:
            asked, shown = keys(form.asked, BANK[slug]), keys(form.shown, BANK[slug])
            assert asked < whole
            assert asked.isdisjoint(shown)
            assert shown >= keys(BANK[slug].shown, BANK[slug])


def test_no_two_forms_for_a_skill_ask_for_the_same():
    for slug in BANK:
        kinds = [(form.aim, form.asked) for one, form in ALL if one == slug]
        assert len(set(kinds)) == len(kinds), slug


def test_one_step_calls_for_nothing_but_its_skill():
    steps = [(slug, form) for slug, form in ALL if form.fading is Fading.STEP and form.aim in SKILLS.core]
    pure = [form.skills == (form.aim,) for _, form in steps]
    assert sum(pure) > 0.95 * len(pure)


def test_a_part_begins_with_the_phase_of_its_aim():
    part = form_of("mazur-like", Fading.PART, "hidden delta")
    assert part.shown == ("z1", "a1", "z2", "a2", "e", "E", "dE_da2", "da_dz2", "delta2")
    assert part.asked == ("dE_da1", "da_dz1", "delta1", "grad_W2", "grad_W1", "W2_new", "W1_new")


def test_one_step_shows_the_factors_that_nobody_asks_for():
    step = form_of("deltas", Fading.STEP, "output delta")
    assert step.asked == ("delta2",)
    assert {"dE_da2", "da_dz2"} <= set(step.shown)


def test_one_step_shows_nothing_that_only_what_is_written_was_worked_from():
    step = form_of("deltas", Fading.STEP, "hidden delta")
    assert set(step.shown) == {*BANK["deltas"].shown, "delta2", "da_dz1"}
    upper = BANK["mazur-like"].model_copy(update={"asked": ("z2", "a2", "E")})
    assert [one.shown for one in forms(upper, SKILLS) if one.aim == "activation"][-1] == ("z2",)


def test_what_comes_first_has_no_part_and_a_question_is_only_itself():
    assert not any(one.fading is Fading.PART and one.aim == "net input" for one in forms(BANK["mazur-like"], SKILLS))
    assert [one.fading for one in forms(BANK["choose-delta"], SKILLS)] == [Fading.FULL]
    assert form_of("choose-delta", Fading.FULL).of(BANK["choose-delta"]) is BANK["choose-delta"]


def test_single_cells_stay_single_cells():
    part = form_of("faded-mazur", Fading.PART, "update")
    assert part.asked == ("W2_new[2,1]", "W2_new[2,2]", "W1_new[1,2]", "W1_new[2,1]", "W1_new[2,2]")


def test_units_that_are_off_are_counted_only_where_the_sheet_reaches_them():
    whole = BANK["dead-relu-deep"]
    assert form_of("dead-relu-deep", Fading.STEP, "net input").of(whole).dead_units is None
    assert form_of("dead-relu-deep", Fading.STEP, "gradient").of(whole).dead_units == whole.dead_units


@pytest.mark.parametrize(
    ("slug", "fading", "aim"),
    [
        ("mazur-like", Fading.PART, "gradient"),
        ("tanh-regression", Fading.STEP, "hidden delta"),
        ("logistic-unit", Fading.STEP, "update"),
        ("faded-mazur", Fading.STEP, "activation"),
    ],
)
def test_honest_work_gets_full_marks_in_every_form(slug, fading, aim):
    instance = draw(form_of(slug, fading, aim).of(BANK[slug]), np.random.default_rng(3))
    texts = {cell.key: to_places(instance.values[cell.key], instance.exercise.places) for cell in instance.cells}
    assert grade(instance, texts).complete


@pytest.mark.parametrize(
    ("slug", "often"),
    [
        ("adam-first-step", False),
        ("word-vectors", False),
        ("residual", False),
        ("true-false-relu", True),
        ("dead-relu", True),
        ("forward-tanh", True),
    ],
)
def test_what_is_hardly_ever_certified_is_not_offered_and_what_often_is_is(slug, often):
    rough = Exercise.model_validate(BANK[slug].model_dump() | {"places": 2})
    share = acceptance(rough, np.random.default_rng(1), candidates=1000).certified / 1000
    assert share > 0.1 if often else 0 < share < 0.02
    assert can_be_drawn(rough) is often
