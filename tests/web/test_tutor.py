"""Practice that adapts: what a check teaches about the learner, and what is offered next and why."""

import re

import pytest
from sqlalchemy import select

from quizprop.exercise.generate import draw
from quizprop.exercise.knowledge import MASTERY
from quizprop.store import learning, practice
from quizprop.store.models import SkillState, Slip
from quizprop.web import guidance, state
from tests.web.conftest import Browser, honest, words

DAY = 24 * 3600 * 1_000_000


@pytest.fixture
def clock(monkeypatch):
    """The moment that the pages live in; set its one entry to move on."""
    moment = [state.now()]
    for module in ("desk", "guidance", "practice", "state"):
        monkeypatch.setattr(f"quizprop.web.{module}.now", lambda: moment[0])
    return moment


def next_one(browser, skill=""):
    answer = browser.post("/next", {"skill": skill})
    assert answer.status_code == 303
    return answer.location.rpartition("/")[2]


def why(browser, token):
    found = re.search(r'<p class="why">(.*?)</p>', browser.client.get(f"/x/{token}", follow_redirects=True).text)
    return words(found[1]) if found else ""


def rows(browser, model):
    with browser.database.read() as session:
        key = "skill" if model is SkillState else "code"
        return {getattr(row, key): row for row in session.execute(select(model.__table__))}


def known(browser, token):
    with browser.database.read() as session:
        states = learning.skills_of(session, browser.variant(token).learner_id)
    return {name: one.knowledge["known"] for name, one in states.items()}


def evidence(browser, token):
    with browser.database.read() as session:
        return [dict(one.evidence) for one in practice.submissions(session, browser.variant(token))]


def test_a_newcomer_begins_with_net_inputs_and_is_told_why(browser):
    token = next_one(browser)
    assert why(browser, token).startswith("Why this one? To begin with: net input.")
    assert browser.variant(token).aim["skill"] == "net input"


@pytest.mark.parametrize("skill", ["", "net input"])
def test_nobody_waits_while_the_next_one_is_drawn(browser, monkeypatch, skill):
    def drawn(*asked):
        with browser.database.write():  # refused where this very request has one open
            return draw(*asked)

    monkeypatch.setattr(guidance, "draw", drawn)
    token = next_one(browser, skill)
    assert browser.variant(token).aim["skill"] == "net input"


def test_a_next_one_that_was_chosen_meanwhile_is_the_next_one(browser, monkeypatch):
    """Two clicks at the same moment are one sheet."""
    tokens = []

    def drawn(*asked):
        monkeypatch.undo()
        tokens.append(next_one(browser))
        return draw(*asked)

    browser.start("deltas")
    monkeypatch.setattr(guidance, "draw", drawn)
    assert next_one(browser) == tokens[0]


def test_a_sheet_that_one_chose_oneself_needs_no_reason(browser):
    assert why(browser, browser.start("deltas")) == ""


def test_the_next_one_stays_the_next_one_until_something_is_done_on_it(browser):
    token = next_one(browser)
    assert next_one(browser) == token
    browser.check(token, {browser.instance(token).cells[0].key: "1"})
    assert next_one(browser) != token


def test_only_the_first_answer_of_a_cell_counts(browser):
    token = browser.start("mazur")
    right = honest(browser.instance(token))
    browser.check(token, {"z1[1]": "99"})
    assert evidence(browser, token) == [{"z1[1]": "wrong"}]
    doubted = known(browser, token)["net input"]
    browser.check(token, {"z1[1]": right["z1[1]"], "z1[2]": right["z1[2]"]}, key="second")
    assert evidence(browser, token)[1] == {"z1[2]": "right"}
    assert known(browser, token)["net input"] > doubted


def test_the_same_check_sent_twice_teaches_once(browser):
    token = browser.start("mazur")
    right = honest(browser.instance(token))
    data = {"submission_key": "once", **right}
    browser.post(f"/x/{token}", data)
    once = known(browser, token)
    browser.post(f"/x/{token}", data)
    assert known(browser, token) == once
    assert len(evidence(browser, token)) == 1


def test_a_value_after_more_than_the_idea_is_practice_and_no_proof(browser):
    token = browser.start("mazur")
    right = honest(browser.instance(token))
    for key, rungs in (("z1[1]", 1), ("z1[2]", 2)):
        for _ in range(rungs):
            browser.post(f"/x/{token}", {"submission_key": "hints", "hint": key})
    browser.check(token, {key: right[key] for key in ("z1[1]", "z1[2]", "a1[1]")})
    assert evidence(browser, token) == [{"z1[1]": "right", "z1[2]": "helped", "a1[1]": "right"}]


def test_published_numbers_prove_nothing_the_second_time(browser):
    first = browser.start("mazur")
    right = honest(browser.instance(first))
    browser.check(first, right)
    second = browser.start("mazur")
    browser.check(second, right)
    assert set(evidence(browser, first)[0].values()) == {"right"}
    assert set(evidence(browser, second)[0].values()) == {"helped"}


def test_a_known_slip_comes_back_as_the_reason_for_what_is_next(browser, clock):
    token = browser.start("forward-pass")
    instance = browser.instance(token)
    for _ in range(3):  # what activations need is there first
        other = browser.start("forward-pass")
        browser.check(other, {key: text for key, text in honest(browser.instance(other)).items() if key[0] == "z"})
    wrong = {key: text for key, text in honest(instance).items() if key[0] == "z"}
    cell = next(one.key for one in instance.cells if one.key.startswith("a1"))
    browser.check(token, wrong | {cell: wrong[cell.replace("a", "z")]})
    slip = rows(browser, Slip)["a:activation_skipped"]
    assert (slip.seen, slip.right_since, slip.skill, slip.title) == (1, 0, "activation", "activation skipped")
    again = next_one(browser)
    assert "Your last slip was: activation skipped. Once more: activation." in why(browser, again)
    assert browser.variant(again).aim["skill"] == "activation"


def test_a_slip_that_is_avoided_is_counted_until_it_is_overcome(browser):
    token = browser.start("forward-pass")
    texts = honest(browser.instance(token))
    browser.check(token, texts | {"a1[1]": texts["z1[1]"]})
    for number in range(1, 4):
        token = browser.start("forward-pass")
        browser.check(token, honest(browser.instance(token)))
        assert rows(browser, Slip)["a:activation_skipped"].right_since == number
    token = browser.start("forward-pass")
    texts = honest(browser.instance(token))
    browser.check(token, texts | {"a1[1]": texts["z1[1]"]})
    slip = rows(browser, Slip)["a:activation_skipped"]
    assert (slip.seen, slip.right_since) == (2, 0)


def test_a_mastered_skill_is_reviewed_when_it_is_due(browser, clock):
    for _ in range(3):
        token = browser.start("forward-pass")
        browser.check(token, honest(browser.instance(token)))
    state_of = rows(browser, SkillState)["net input"]
    assert known(browser, token)["net input"] >= MASTERY
    assert clock[0] + DAY <= state_of.due_at
    assert browser.variant(next_one(browser)).aim["reason"] != "review"
    clock[0] = state_of.due_at + 3600 * 1_000_000
    token = next_one(browser, skill="loss")
    assert browser.variant(token).aim["reason"] == "wanted"
    browser.check(token, {browser.instance(token).cells[0].key: "7"})
    token = next_one(browser)
    assert browser.variant(token).aim["reason"] == "review"
    assert "Due for review:" in why(browser, token)
    before = rows(browser, SkillState)[browser.variant(token).aim["skill"]].due_at
    browser.check(token, honest(browser.instance(token)))
    after = rows(browser, SkillState)[browser.variant(token).aim["skill"]].due_at
    assert after - clock[0] > before - clock[0] + DAY


def test_a_skill_that_fails_is_no_longer_waiting_for_a_review(browser):
    for _ in range(3):
        token = browser.start("forward-pass")
        browser.check(token, honest(browser.instance(token)))
    for _ in range(2):
        token = browser.start("forward-pass")
        browser.check(token, {key: "99" for key in honest(browser.instance(token)) if key[0] == "z"})
    state_of = rows(browser, SkillState)["net input"]
    assert state_of.due_at is None
    assert state_of.card is not None


def test_one_can_ask_for_a_skill_but_not_for_one_that_is_not_there(browser):
    token = next_one(browser, skill="softmax")
    assert why(browser, token).startswith("Why this one? You asked for it: softmax.")
    assert browser.post("/next", {"skill": "flying"}).status_code == 404


def test_another_like_this_has_new_numbers_and_as_much_filled_in(browser):
    token = next_one(browser, skill="hidden delta")
    browser.post(f"/x/{token}/give-up", {"submission_key": "up"})
    page = browser.client.get(f"/x/{token}", follow_redirects=True).text
    assert "Next for me" in page
    token_of_another = browser.post(f"/x/{token}/another").location.rpartition("/")[2]
    one, other = browser.variant(token), browser.variant(token_of_another)
    assert (one.spec, one.aim) == (other.spec, other.aim)
    assert one.given != other.given
    assert browser.post(f"/x/{browser.start('mazur')}/another").status_code == 404


def test_nobody_gets_another_of_what_is_not_theirs(browser, app):
    token = browser.start("deltas")
    stranger = Browser(app)
    stranger.start("deltas")
    assert stranger.post(f"/x/{token}/another").status_code == 404


def test_what_was_practised_without_an_account_comes_along(browser):
    token = browser.start("forward-pass")
    browser.check(token, honest(browser.instance(token)))
    before = known(browser, token)
    browser.register()
    assert known(browser, token) == before
