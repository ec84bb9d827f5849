"""Laws of a sheet's pictures: names while it is worked, values once it has ended, each picture in its place."""

import re

import numpy as np
import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.generate import draw
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import NOTATIONS
from quizprop.web.pictures import flow, future, graph, ways
from tests.exercise.conftest import FAMILIES
from tests.exercise.svg import parsed
from tests.web.conftest import honest, words

BANK = {slug: exercise for slug, exercise in load_bank().items() if exercise.question == "sheet"}


def drawn(slug):
    return draw(FAMILIES[slug], np.random.default_rng(5))


@pytest.mark.parametrize("notation", [name for name, _ in NOTATIONS])
@pytest.mark.parametrize("slug", FAMILIES)
def test_every_family_has_pictures_in_every_notation(slug, notation):
    instance = drawn(slug)
    pictures = [*ways(instance, notation), *flow(instance, notation), graph(instance, notation)]
    pictures += future(instance, notation)
    for picture in pictures:
        assert parsed(picture.svg).find("{http://www.w3.org/2000/svg}desc").text
        assert picture.words
        assert "<" not in picture.words
        assert picture.wide == ("qp-diagram-wide" in picture.svg)


def test_the_chain_rule_is_shown_so_far_as_the_sheet_has_it():
    assert [picture.words for picture in ways(drawn("mazur"), "mazur")] == [
        "Back to w5 from the error: the factors along the way, multiplied.",
        "All paths back to h1 from the error: multiplied along each, and added up.",
    ]
    assert len(ways(drawn("logistic-unit"), "mazur")) == 1
    assert ways(drawn("forward-pass"), "mazur") == ()


def test_a_forward_pass_has_no_future():
    assert future(drawn("forward-pass"), "plain") == ()
    assert len(future(drawn("deltas"), "plain")) == 1
    assert len(future(drawn("mazur"), "plain")) == 2


def test_a_loss_that_grows_is_called_what_it_is():
    instance = drawn("relu-mse")
    wild = Instance(instance.exercise, {**instance.given, "eta": 1e6, "W1": [[1, 1], [1, 1]], "x": [[2, 2]]})
    assert "the steps are too large" in future(wild, "plain")[0].words
    assert "10\xa0000 further steps" in future(drawn("mazur"), "plain")[0].words


def test_while_it_is_worked_only_names_are_shown(browser):
    page = browser.get(f"/x/{browser.start('mazur')}").text
    assert "The chain rule in pictures" in page
    pictures = page.partition("The chain rule in pictures")[2].partition("</aside>")[0]
    assert pictures.count("<svg") == 2
    assert not re.search(r">[^<]*\d\.\d[^<]*<", pictures)
    for title in ("Step by step, in the network", "The whole computation", "What would happen next"):
        assert title not in page
    assert "Show the pictures" not in page


@pytest.mark.parametrize("slug", BANK)
def test_once_solved_the_step_is_shown_picture_by_picture(visitor, slug):
    token = visitor.start(slug)
    sheet = visitor.checked(token, honest(visitor.instance(token))).text
    answer = visitor.get(f"/x/{token}/pictures")
    page, instance = answer.text, visitor.instance(token)
    assert (f'href="/x/{token}/pictures"' in sheet) == (answer.status_code == 200) == (instance.network is not None)
    steps = re.findall(r'<input class="vh" type="radio" name="flow" id="(flow-step-\d+)"( checked)?>', page)
    assert len(steps) == len(flow(instance, "plain"))
    # Only a network has such a row: a lesson's picture is its graph.
    assert [bool(checked) for _, checked in steps] == [place == 0 for place in range(len(steps))]
    assert bool(steps) == (instance.network is not None)
    assert all(f'<label for="{name}">' in page for name, _ in steps)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert ("What would happen next" in page) == bool(future(instance, "plain"))
    assert " style=" not in page


def test_given_up_shows_them_too(browser):
    token = browser.start("mazur")
    assert browser.get(f"/x/{token}/pictures").status_code == 404
    browser.post(f"/x/{token}/give-up", {"submission_key": "first"})
    page = browser.get(f"/x/{token}/pictures").text
    assert "What would happen next" in page
    assert "Step by step, in the network" in page


@pytest.mark.parametrize("comma", [True, False])
def test_the_pictures_have_the_decimal_mark_of_the_sheet(browser, comma):
    token = browser.start("mazur")
    mark = {"decimal_comma": "y"} if comma else {}
    browser.post(f"/x/{token}/give-up", {"z1[1]": "0,1" if comma else "0.1", **mark})
    browser.post("/settings", {"decimal_mark": "point" if comma else "comma"}, page="/settings")
    page = words(browser.get(f"/x/{token}/pictures").text.partition("<main")[2])
    assert set(re.findall(r"\d([.,])\d{3}", page)) == {"," if comma else "."}
