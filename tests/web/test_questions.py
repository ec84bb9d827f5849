"""Laws of questions with options: choose, hear what is right, try again, see the solution."""

import html
import re
from dataclasses import replace
from itertools import groupby, pairwise

import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.figures import to_places
from quizprop.exercise.notation import NOTATIONS
from quizprop.exercise.question import in_text
from tests.web.conftest import words

POSED = {slug: exercise for slug, exercise in load_bank().items() if exercise.question != "sheet"}
ONE_EACH = [next(group) for _, group in groupby(POSED, key=lambda slug: POSED[slug].question)]


def labels(page):
    """The markup of the options by question, in order."""
    found = re.findall(r'(<label class="choice">.*?</label>)', page, re.DOTALL)
    return {
        name: list(group) for name, group in groupby(found, key=lambda label: re.search(r'name="([^"]*)"', label)[1])
    }


def heard(page):
    """What a screen reader reads: the symbols as text, the emphasis gone."""
    seen = re.sub(r'<span aria-hidden="true">.*?</span>', "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", seen)).split())


def said_of(instance, phrase, notation=None):
    """A phrase as `heard` hears it."""
    return in_text(phrase, instance.model, notation or instance.exercise.notation).replace("*", "")


def checked_options(page):
    return dict(re.findall(r'type="radio" name="([^"]*)" value="([^"]*)"[^>]* checked', page))


def right_answers(instance):
    return {question.key: str(question.right) for question in instance.questions}


def wrong_answers(instance):
    return {question.key: str(question.right % len(question.options) + 1) for question in instance.questions}


@pytest.mark.parametrize("slug", POSED)
def test_every_option_is_a_radio_button_with_its_words(visitor, slug):
    token = visitor.start(slug)
    page, instance = visitor.get(f"/x/{token}").text, visitor.instance(token)
    shown = labels(page)
    assert list(shown) == [question.key for question in instance.questions]
    for question in instance.questions:
        for number, (label, option) in enumerate(zip(shown[question.key], question.options, strict=True), start=1):
            assert f'value="{number}"' in label
            assert heard(label) == said_of(instance, option.words)
    assert page.count('<fieldset class="ask"') == len(instance.questions)
    assert "data-key" not in "".join(shown.get("mistake", []))
    assert not checked_options(page)


@pytest.mark.parametrize("slug", POSED)
def test_nothing_tells_which_option_is_right_before_it_is_chosen(visitor, slug):
    token = visitor.start(slug)
    page, instance = visitor.get(f"/x/{token}").text, visitor.instance(token)
    for options in labels(page).values():
        bare = {
            re.sub(r' value="\d+"| data-(?:key|depends)="[^"]*"|<span>.*</span>', "", label, flags=re.DOTALL)
            for label in options
        }
        assert len(bare) == 1, bare
    told = heard(page)
    for question in instance.questions:
        for sentence in filter(None, [question.reason, *(option.said for option in question.options)]):
            assert said_of(instance, sentence) not in told
        assert not any(option.code and option.code in page for option in question.options)
    assert not any(repr(number) in page for number in instance.given["pick"])
    assert str(visitor.variant(token).seed) not in page
    assert "Hint" not in page


@pytest.mark.parametrize("slug", ONE_EACH)
def test_no_heading_is_more_than_one_level_below_the_one_before(visitor, slug):
    token = visitor.start(slug)
    fresh = visitor.get(f"/x/{token}").text
    wrong = visitor.checked(token, wrong_answers(visitor.instance(token)), key="wrong").text
    right = visitor.checked(token, right_answers(visitor.instance(token)), key="right").text
    for page in (fresh, wrong, right):
        levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", page)]
        assert all(after <= before + 1 for before, after in pairwise([0, *levels])), levels


@pytest.mark.parametrize("slug", POSED)
def test_the_right_choices_get_full_marks_and_the_solution(visitor, slug):
    token = visitor.start(slug)
    instance = visitor.instance(token)
    page = visitor.checked(token, right_answers(instance)).text
    count = len(instance.questions)
    assert f"{count} of {count}" in words(page)
    assert "All of it right. Well done." in page
    assert "Worked solution" in page
    for question in instance.questions:
        assert said_of(instance, question.words) in heard(page)
        assert said_of(instance, question.reason) in heard(page)


@pytest.mark.parametrize("slug", POSED)
def test_a_wrong_choice_is_told_something_and_stays_chosen(visitor, slug):
    token = visitor.start(slug)
    instance = visitor.instance(token)
    wrong = wrong_answers(instance)
    page = visitor.checked(token, wrong).text
    assert checked_options(page) == wrong
    assert f"0 of {len(wrong)}" in words(page)
    for question in instance.questions:
        assert said_of(instance, question.option(int(wrong[question.key])).said) in heard(page)
    assert "Worked solution" not in page


@pytest.mark.parametrize("slug", ONE_EACH)
@pytest.mark.parametrize("notation", [name for name, _ in NOTATIONS])
def test_another_notation_keeps_the_choices_and_what_was_said(visitor, slug, notation):
    token = visitor.start(slug)
    instance = visitor.instance(token)
    answers = wrong_answers(instance)
    visitor.check(token, answers)
    answer = visitor.check(token, answers, notation=notation)
    page = visitor.get(answer.location).text
    assert checked_options(page) == answers
    assert f'value="{notation}"' in page
    for question in instance.questions:
        assert said_of(instance, question.words, notation) in heard(page)


@pytest.mark.parametrize("slug", POSED)
def test_giving_up_shows_the_right_answers(visitor, slug):
    token = visitor.start(slug)
    instance = visitor.instance(token)
    assert "Nothing is chosen yet" in visitor.check(token, {}).text
    answers = wrong_answers(instance)
    visitor.check(token, answers)
    visitor.post(f"/x/{token}/give-up", answers)
    page = visitor.get(visitor.get(f"/x/{token}").location).text
    shown = words(page)
    assert "Given up" in shown
    assert page.count('class="answered-ask"') == len(instance.questions)
    for question in instance.questions:
        assert said_of(instance, question.option(question.right).words) in heard(page)


def test_the_solution_begins_at_the_slip_and_shows_what_stood_there(browser):
    token = browser.start("find-slip-softmax")
    instance = browser.instance(token)
    browser.post(f"/x/{token}/give-up", {})
    page = browser.get(f"/x/{token}").text
    step = page.partition("From the slip on:")[2] or page
    figure = to_places(instance.slip.filled[instance.slip.key], instance.exercise.places)
    assert f"on the sheet {figure} ! A known slip" in words(step)
    assert words(step).count("A known slip") == 1
    assert "not filled in" not in page


def test_a_chosen_value_stands_beside_the_solution(browser):
    token = browser.start("choose-update")
    instance = browser.instance(token)
    answers = {**right_answers(instance), "b1_new[1]": wrong_answers(instance)["b1_new[1]"]}
    browser.check(token, answers)
    browser.post(f"/x/{token}/give-up", answers)
    page = words(browser.get(browser.get(f"/x/{token}").location).text)
    taken = next(one for one in instance.questions if one.key == "b1_new[1]").option(int(answers["b1_new[1]"]))
    assert f"yours {taken.words} ! A known slip" in page


def test_a_quantity_with_options_is_chosen_on_a_sheet(app, browser):
    exercise = load_bank()["logistic-unit"].model_copy(update={"asked": ("z1", "fell"), "slug": "fell"})
    services = app.extensions["quizprop"]
    app.extensions["quizprop"] = replace(services, bank={**services.bank, "fell": exercise})
    token = browser.start("fell")
    page, instance = browser.get(f"/x/{token}").text, browser.instance(token)
    assert list(labels(page)) == ["fell"]
    assert [words(label) for label in labels(page)["fell"]] == ["no", "yes"]
    assert not checked_options(page)
    right = f"{instance.values['fell']:.0f}"
    page = browser.checked(token, {"z1[1]": to_places(instance.values["z1[1]"], 4), "fell": right}).text
    assert "2 of 2" in words(page)
    token = browser.start("fell")
    page = browser.checked(token, {"fell": "0"}).text
    assert checked_options(page) == {"fell": "0"}


def test_what_the_slip_may_be_is_shown_to_who_opens_it_or_has_chosen(browser):
    token = browser.start("find-slip-softmax")
    page = browser.get(f"/x/{token}").text
    held = re.search(r'<details class="ask-hold">(.*?)</details>', page, re.DOTALL)[1]
    assert 'name="mistake"' in held
    assert 'name="cell"' not in held
    answers = right_answers(browser.instance(token))
    assert "ask-hold" not in browser.checked(token, answers).text


def test_a_question_keeps_the_decimal_mark_that_was_chosen(browser):
    browser.post("/settings", {"decimal_mark": "comma"}, page="/settings")
    token = browser.start(ONE_EACH[0])
    for _ in ("open", "ended"):
        page = browser.get(f"/x/{token}", follow_redirects=True).text
        assert '<input type="hidden" name="decimal_comma" value="y">' in page
        browser.post(f"/x/{token}/give-up", {"decimal_comma": "y"})


@pytest.mark.parametrize("slug", ONE_EACH)
def test_why_an_answer_is_right_is_not_told_while_several_are_left(visitor, slug):
    token = visitor.start(slug)
    instance = visitor.instance(token)
    page = heard(visitor.checked(token, wrong_answers(instance)).text)
    for question in instance.questions:
        if question.reason:
            assert (said_of(instance, question.reason) in page) == (len(question.options) == 2)
