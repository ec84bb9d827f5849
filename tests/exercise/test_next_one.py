"""What comes next: ready before unready, the last mistake, reviews sparingly, and why, in words."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizprop.exercise.bank import load_bank
from quizprop.exercise.evidence import Diagnosis
from quizprop.exercise.fading import Fading, can_be_drawn, forms
from quizprop.exercise.knowledge import Belief, Knowledge
from quizprop.exercise.next_one import Due, NothingToOfferError, Served, choose_next, fading_for
from quizprop.exercise.skills import load_skills
from quizprop.exercise.spec import Exercise
from quizprop.exercise.why import Reason, Why

BANK = load_bank()
SKILLS = load_skills()
NAMES = [skill.name for skill in SKILLS]
NOBODY = Knowledge(SKILLS)
CORE = ("net input", "activation", "loss", "loss slope", "activation slope", "output delta")


def knowing(*names, **others):
    return Knowledge(SKILLS, {**{name: Belief(0.99, 3, 3) for name in names}, **others})


def chosen(knowledge, seed=0, **circumstances):
    return choose_next(knowledge, BANK, rng=np.random.default_rng(seed), **circumstances)


beliefs = st.dictionaries(st.sampled_from(NAMES), st.builds(Belief, st.floats(0.0, 1.0), st.integers(0, 3)))
served = st.lists(
    st.builds(Served, st.sampled_from(list(BANK)), st.just(""), st.sampled_from([None, *Reason])), max_size=4
)


@settings(max_examples=40)
@given(beliefs, served, st.integers(0, 9))
@pytest.mark.unmeasured
def test_what_comes_next_can_be_drawn_and_is_something_else(known, lately, seed):
    choice = chosen(Knowledge(SKILLS, known), seed, served=lately)
    exercise = choice.form.of(BANK[choice.slug])
    assert can_be_drawn(exercise)
    assert not choice.aim or choice.aim in SKILLS.of_exercise(exercise)
    assert choice.why.fading is choice.form.fading


@settings(max_examples=40)
@given(beliefs, st.integers(0, 9))
def test_nothing_out_of_reach_is_asked_where_something_in_reach_can_be(known, seed):
    knowledge = Knowledge(SKILLS, known)
    choice = chosen(knowledge, seed)

    def out_of_reach(form):
        new = [name for name in form.skills if name != choice.aim and not knowledge.mastered(name)]
        return sum(any(n != choice.aim and not knowledge.mastered(n) for n in SKILLS[name].needs) for name in new)

    if choice.aim:
        assert not knowledge.mastered(choice.aim)
        assert knowledge.ready(choice.aim)
        suiting = [
            form
            for exercise in BANK.values()
            for form in forms(exercise, SKILLS)
            if (choice.aim == form.aim if form.aim else choice.aim in form.skills)
        ]
        least = min(map(out_of_reach, suiting))
        assert out_of_reach(choice.form) == least or not all(
            can_be_drawn(form.of(exercise))
            for slug, exercise in BANK.items()
            for form in forms(exercise, SKILLS)
            if form in suiting and out_of_reach(form) == least
        )


def test_a_beginner_begins_at_the_beginning():
    choice = chosen(NOBODY)
    assert choice.aim == "net input"
    assert choice.why.english == "To begin with: net input. Nothing is filled in."


def met(aim, belief):
    """The activations that those meet who are sent to a skill, all before it known."""
    known = knowing(*CORE[: CORE.index(aim)], **{aim: belief})
    choices = [chosen(known, seed) for seed in range(20)]
    assert {choice.aim for choice in choices} == {aim}
    return {kind for choice in choices for kind in BANK[choice.slug].network.activations}


def test_a_skill_is_met_first_with_the_usual_activations_and_then_with_all():
    for aim in ("net input", "activation"):
        assert not met(aim, NOBODY[aim]) & {"relu", "leaky_relu", "softmax"}
    assert met("net input", replace(NOBODY["net input"], seen=1)) > {"relu", "leaky_relu"}


def test_the_last_mistake_comes_back_if_it_can_be_mended():
    known = knowing(*CORE, "gradient")
    slips = [Diagnosis("gradient", "deltas mixed up"), Diagnosis("hidden delta", "slope left out", 2)]
    choice = chosen(known, mistakes=slips)
    assert choice.aim == "hidden delta"
    assert choice.form.fading is Fading.STEP
    assert choice.why.english == (
        "The same slip 2 times: slope left out. Once more: hidden delta. "
        "Only this step is asked, the rest is filled in."
    )
    beside = [Diagnosis("softmax", "not normalised"), Diagnosis("hidden delta", "slope left out")]
    assert [chosen(known, mistakes=some).aim for some in (beside, beside[::-1])] == ["hidden delta", "softmax"]
    once = chosen(known, mistakes=[Diagnosis("hidden delta", "slope left out")])
    assert once.why.english.startswith("Your last slip was: slope left out.")


def test_a_mistake_waits_where_it_is_mastered_by_now_or_what_it_needs_is_not():
    assert chosen(knowing("net input"), mistakes=[Diagnosis("net input", "bias left out")]).aim == "activation"
    assert chosen(NOBODY, mistakes=[Diagnosis("update", "step added")]).aim == "net input"


def test_a_review_comes_first_but_not_one_after_the_other():
    known, due = knowing(*CORE), [Due("activation", 7)]
    choice = chosen(known, due=due)
    assert (choice.aim, choice.why.reason) == ("activation", Reason.REVIEW)
    assert choice.why.english.startswith("Due for review: activation, last seen 7 days ago.")
    lately = [Served(choice.slug, "activation", Reason.REVIEW), Served("deltas")]
    assert chosen(known, due=due, served=lately).why.reason is Reason.NEXT
    assert chosen(known, due=due, served=[*lately, Served("deltas")]).why.reason is Reason.REVIEW
    assert "a day ago" in chosen(known, due=[Due("activation", 1)]).why.english


def test_the_next_skill_is_the_lowest_that_everything_is_ready_for():
    choice = chosen(knowing(*CORE))
    assert choice.aim == "hidden delta"
    assert choice.why.english.startswith("Next after output delta: hidden delta.")
    again = chosen(knowing(*CORE), served=[Served("deltas", "hidden delta", Reason.NEXT)])
    assert again.why.english.startswith("Once more, until it is settled: hidden delta.")
    since = chosen(knowing(*CORE), served=[Served("deltas", "hidden delta", Reason.NEXT), Served("forward-pass")])
    assert since.why.reason is Reason.NEXT
    assert SKILLS["output delta"].needs[-1] == "activation slope"
    assert chosen(knowing(*CORE[:-1])).why.english.startswith("Next after activation slope: output delta.")


@pytest.mark.parametrize(
    ("belief", "fading"),
    [
        (Belief(0.39, 5), Fading.STEP),
        (Belief(0.4, 0), Fading.PART),
        (Belief(0.79, 5), Fading.PART),
        (Belief(0.9, 1), Fading.PART),
        (Belief(0.9, 2), Fading.FULL),
    ],
)
def test_the_less_is_known_the_more_is_filled_in(belief, fading):
    assert fading_for(knowing(loss=belief), "loss") is fading


def test_a_whole_sheet_waits_for_two_first_tries_in_a_row():
    def offered(belief):
        return chosen(Knowledge(SKILLS, {**knowing(*CORE).beliefs, "hidden delta": belief})).form.fading

    assert offered(Belief(0.9, 2)) is Fading.FULL
    assert offered(Belief(0.9, 1)) is Fading.PART
    assert offered(Belief(0.1, 0)) is Fading.STEP


def test_a_core_skill_is_not_practised_in_a_lesson_that_is_new():
    for seed in range(5):
        choice = chosen(knowing("net input", "activation", "loss"), seed)
        assert choice.aim == "loss slope"
        assert set(SKILLS.of_exercise(BANK[choice.slug])) <= set(SKILLS.core)


def test_the_core_is_kept_together_then_what_was_opened_then_the_rest():
    known = knowing(*SKILLS.core)
    whole = chosen(known)
    assert whole.why.english == "Everything known so far: a whole sheet to keep it together."
    assert (whole.aim, whole.form.fading) == ("", Fading.FULL)
    assert set(whole.form.skills) == set(SKILLS.core)
    assert chosen(known, opened={"recurrent"}).aim == "recurrent"
    assert chosen(known, served=[Served(whole.slug, "", Reason.TOGETHER)]).aim == "softmax"
    between = [Served(whole.slug, "", Reason.TOGETHER), *[Served("softmax", "softmax", Reason.NEXT)] * 3]
    assert [chosen(known, served=between[:count]).aim for count in (2, 3, 4)] == ["softmax", "softmax", ""]
    all_known = chosen(knowing(*NAMES), served=[Served(whole.slug, "", Reason.TOGETHER)])
    assert all_known.why.reason is Reason.TOGETHER
    assert all_known.slug != whole.slug


def test_what_is_wanted_comes_first_in_the_form_that_fits():
    choice = chosen(knowing(*CORE), due=[Due("activation", 7)], wanted="softmax")
    assert (choice.aim, choice.why.reason) == ("softmax", Reason.WANTED)
    assert choice.why.english.startswith("You asked for it: softmax.")
    assert choice.form.fading is fading_for(NOBODY, "softmax")


def test_the_one_just_served_is_not_the_next():
    lately = []
    for seed in range(6):
        choice = chosen(knowing(*CORE), seed, served=lately)
        assert choice.slug not in [one.slug for one in lately[-2:]]
        lately.append(Served(choice.slug, choice.aim, choice.why.reason))


def test_published_numbers_are_not_offered_twice():
    only = {"mazur": BANK["mazur"], "deltas": BANK["deltas"]}
    first = choose_next(NOBODY, only, rng=np.random.default_rng(0))
    assert first.slug == "mazur"  # nothing else begins with a net input
    again = choose_next(NOBODY, only, rng=np.random.default_rng(0), served=[Served("mazur", "net input", Reason.FIRST)])
    assert again.slug == "deltas"
    drawn = {"mazur-like": BANK["mazur-like"]}
    lately = [Served("mazur-like", "net input", Reason.FIRST)]
    assert choose_next(NOBODY, drawn, rng=np.random.default_rng(0), served=lately).slug == "mazur-like"


def offered(slugs, knowledge=NOBODY, **circumstances):
    """What is chosen of these alone, whatever chance has to settle."""
    some = {slug: BANK[slug] for slug in slugs}
    return {choose_next(knowledge, some, rng=np.random.default_rng(seed), **circumstances).slug for seed in range(9)}


def test_of_what_is_as_good_new_numbers_are_better_than_published_ones():
    assert offered(["mazur", "mazur-like"], wanted="output delta") == {"mazur-like"}


def test_of_what_was_served_lately_the_earlier_comes_again():
    slugs = ["forward-tanh", "forward-leaky-relu"]
    assert offered(slugs, served=[Served(slug) for slug in slugs]) == {"forward-tanh"}
    assert offered(slugs, served=[Served(slug) for slug in reversed(slugs)]) == {"forward-leaky-relu"}


def test_of_what_is_as_good_the_short_one_is_better_but_not_a_single_value():
    assert offered(["mazur-like", "tanh-regression"], wanted="hidden delta") == {"tanh-regression"}
    assert offered(["mazur-like", "logistic-unit"], wanted="output delta") == {"mazur-like"}


def test_where_nothing_is_filled_in_in_part_one_step_is_better_than_the_whole():
    known = knowing(*NAMES, activation=Belief(0.5))
    only = {"logistic-unit": BANK["logistic-unit"]}
    assert {form.fading for form in forms(only["logistic-unit"], SKILLS) if form.aim == "activation"} == {Fading.STEP}
    found = choose_next(known, only, rng=np.random.default_rng(0), wanted="activation")
    assert (fading_for(known, "activation"), found.form.fading) == (Fading.PART, Fading.STEP)


def test_what_cannot_be_drawn_is_passed_over():
    tiny = BANK["forward-pass"].values | {"W1": 0.00001, "b1": 0.00001}
    content = BANK["forward-pass"].model_dump() | {"slug": "hopeless", "values": tiny, "asked": ["z1"]}
    hopeless = {"hopeless": Exercise.model_validate(content)}
    offered = hopeless | {"forward-tanh": BANK["forward-tanh"]}
    assert choose_next(NOBODY, offered, rng=np.random.default_rng(0)).slug == "forward-tanh"
    with pytest.raises(NothingToOfferError, match="no exercise of the bank can be drawn"):
        choose_next(NOBODY, hopeless, rng=np.random.default_rng(0))


def test_a_sentence_can_be_translated_from_its_parts():
    reason, form = Why(Reason.NEXT, Fading.PART, "hidden delta", after="output delta").sentences
    assert reason.one % {"num": 1, **reason.parts} == "Next after output delta: hidden delta."
    assert form.english == "What comes before it is filled in."


@pytest.mark.parametrize("count", [1, 2, 30])
@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.TOGETHER])
def test_whatever_the_reason_is_the_sentence_names_all_that_it_is_about(reason, count):
    said = Why(reason, Fading.FULL, "this skill", after="that one", mistake="the slip", count=count).english
    assert "this skill" in said
    assert ("that one" in said) == (reason is Reason.NEXT)
    assert ("the slip" in said) == (reason is Reason.MISTAKE)
    assert (str(count) in said) == (count > 1 and reason in {Reason.MISTAKE, Reason.REVIEW})
