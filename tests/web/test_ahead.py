"""A sheet that was handed out ahead of its problem set, on paper perhaps: no address shows it or takes it early."""

import json
import re

import numpy as np
import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.generate import draw
from quizprop.store import drafts
from quizprop.store import sets as records
from quizprop.store.rules import Policy
from tests.web.conftest import typed, words
from tests.web.test_api import Program, make_token
from tests.web.test_sets import (
    HOUR,
    NOON,
    ada,  # noqa: F401 - a fixture
    assign,
    clock,  # noqa: F401 - a fixture
    recorded,
)

GIVEN = "0731"
"""Digits that every number of the sheet has."""
TYPED = {"delta2[1]": "1/3 <sure>", "submission_key": "mine"}
RULES = {
    "not open": ({"opens_at": NOON + HOUR}, "This problem set opens on 21 September 2026, 15:13:20 UTC"),
    "not begun": ({"policy": Policy(time_limit=HOUR)}, "Begin the problem set first"),
    "no password": ({"policy": Policy(password="Bernoulli")}, "Begin the problem set first"),
}
PAGES = ("", "/s/1", "/pictures")
BUTTONS = {
    "check": ("", {}),
    "check of a part": ("", {"phase": "output"}),
    "notation": ("", {"notation": "mazur"}),
    "save": ("", {"save": "y"}),
    "hint": ("", {"hint": "delta2[1]"}),
    "give up": ("/give-up", {}),
    "another": ("/another", {}),
}


def marked(numbers):
    """The numbers with odd digits in each."""
    if not isinstance(numbers, list):
        return numbers
    rounded = np.round(numbers, 1)
    return (rounded + np.copysign(0.00731, rounded)).tolist()


@pytest.fixture(params=RULES)
def ahead(request, ada, clock):  # noqa: F811
    """A problem set that is shut still, the token of its sheet, and why it is shut."""
    rules, why = RULES[request.param]
    exercise = load_bank()["deltas"]
    of = assign(ada, **rules)
    given = {name: marked(numbers) for name, numbers in draw(exercise, np.random.default_rng(1)).given.items()}
    with ada.database.write() as session:
        seen = records.open_set(session, of, learner_id=ada.learner, now=NOON)
        drawn = {"seed": 1, "given": given, "engine_version": "0", "now": NOON, "ahead": True}
        token = records.start_item(session, ada.learner, seen.items[0], **drawn).token
    return of, token, why


def kept(browser, token):
    """All that is kept of a sheet, and how much there is of anything."""
    variant = browser.variant(token)
    with browser.database.read() as session:
        draft, hints = drafts.find_draft(session, variant), drafts.hints_used(session, variant)
    return variant, draft, hints, recorded(browser, token), browser.rows()


def tells_nothing(answer):
    return GIVEN not in answer.text and "Worked solution" not in answer.text and "data-key" not in answer.text


def test_these_are_all_ways_to_a_sheet(app):
    rules = {
        (method, rule.rule.removeprefix("/x/<token>").replace("<attempt>", "1"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/x/")
        for method in rule.methods & {"GET", "POST"}
    }
    ways = {("GET", path) for path in PAGES} | {("POST", path) for path, _ in BUTTONS.values()}
    assert rules == ways | {("POST", "/draft")}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_a_sheet_ahead_leads_to_its_set(ada, ahead, path):  # noqa: F811
    of, token, _ = ahead
    answer = ada.get(f"/x/{token}{path}")
    assert (answer.status_code, answer.location) == (302, f"/sets/{of}")
    assert tells_nothing(ada.get(answer.location))


@pytest.mark.parametrize("button", BUTTONS)
def test_no_button_of_a_sheet_ahead_does_anything_and_what_was_typed_stays(ada, ahead, button):  # noqa: F811
    _, token, why = ahead
    path, pressed = BUTTONS[button]
    before = kept(ada, token)
    answer = ada.post(f"/x/{token}{path}", {**TYPED, **pressed})
    assert answer.status_code == 409
    assert why in words(answer.text)
    assert 'value="1/3 &lt;sure&gt;"' in answer.text
    assert tells_nothing(answer)
    assert kept(ada, token) == before


def test_the_script_of_a_sheet_ahead_saves_nothing_and_is_told_why(ada, ahead):  # noqa: F811
    _, token, why = ahead
    before, csrf = kept(ada, token), {"X-CSRFToken": ada.csrf()}
    body = {"seq": 0, "key": "save-1", "texts": {"delta2[1]": "1"}, "decimal_comma": False}
    answer = ada.client.post(f"/x/{token}/draft", json=body, headers=csrf)
    assert answer.status_code == 409
    assert why in answer.json["error"]
    assert kept(ada, token) == before


def test_an_expired_form_of_a_sheet_ahead_comes_back_without_its_numbers(ada, ahead):  # noqa: F811
    _, token, _ = ahead
    for path in ("", "/give-up"):
        answer = ada.client.post(f"/x/{token}{path}", data=TYPED)
        assert answer.status_code == 400
        assert 'value="1/3 &lt;sure&gt;"' in answer.text
        assert tells_nothing(answer)


def test_ones_own_data_has_neither_the_address_nor_the_numbers_of_a_sheet_ahead(
    ada,  # noqa: F811
    ahead,
    clock,  # noqa: F811
    monkeypatch,
):
    _, token, _ = ahead
    monkeypatch.setattr("quizprop.web.profile.now", lambda: clock[0])
    text = ada.post("/download", page="/settings").text
    (sheet,) = json.loads(text)["sheets"]
    assert (sheet["token"], sheet["given"]) == (None, {})
    assert token not in text
    assert GIVEN not in text


def test_a_program_neither_reads_nor_works_a_sheet_ahead(app, ada, ahead):  # noqa: F811
    _, token, _ = ahead
    program = Program(app, make_token(ada, "practice"))
    before = kept(ada, token)[:-1]
    path = f"/variants/{token}"
    for answer in (program.get(path), program.post(f"{path}/submissions", {"answers": {"delta2[1]": 1}})):
        assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")
        assert answer.json["status"] == 409
        assert "not open yet, or not begun" in answer.json["detail"]
        assert GIVEN not in answer.text
    assert kept(ada, token)[:-1] == before


def test_once_its_set_is_open_and_begun_a_sheet_ahead_is_worked_with_what_was_typed(ada, ahead, clock):  # noqa: F811
    of, token, why = ahead
    refused = ada.post(f"/x/{token}", TYPED).text
    clock[0] += 2 * HOUR
    if "Begin" in why:
        assert ada.post(f"/sets/{of}/begin", {"password": "Bernoulli"}).status_code == 303
    page = ada.get(f"/x/{token}").text
    assert GIVEN in page
    again = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', refused.partition('class="kept"')[2]))
    assert again.pop("delta2[1]") == "1/3 &lt;sure&gt;"
    answer = ada.check(token, {"delta2[1]": "1/3"}, key=again["submission_key"])
    assert (answer.status_code, len(recorded(ada, token))) == (303, 1)
    assert typed(ada.get(answer.location).text)["delta2[1]"] == "1/3"
