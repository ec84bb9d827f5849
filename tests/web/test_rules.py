"""The rules of a problem set on the pages: what is withheld is nowhere, what is said is what is kept."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from quizprop.store import sets as records
from quizprop.store.rules import Policy
from quizprop.web import profile
from tests.web.conftest import hidden, honest, words
from tests.web.test_sets import (
    DAY,
    DUE,
    HOUR,
    NOON,
    ada,  # noqa: F401 - a fixture
    assign,
    attempt,
    begin,
    clock,  # noqa: F401 - a fixture
    recorded,
)

LADDER = ((DAY, 0.8), (3 * DAY, 0.5))
SECRET_WORDS = ("Correct", "Not right", "First to mend", "Well done", "Worked solution", "100%")


def test_late_work_is_announced_and_credited(ada, clock):  # noqa: F811
    of = assign(ada, policy=Policy(late=LADDER))
    page = words(ada.get(f"/sets/{of}").text)
    assert "Late work counts less: until" in page
    token = begin(ada, of)
    clock[0] = DUE + HOUR
    assert "what is checked now is worth 80%" in words(ada.get(f"/x/{token}").text)
    attempt(ada, token, honest(ada.instance(token)))
    assert [one.credit for one in recorded(ada, token)] == [0.8]
    assert "1.6 of 2 points" in words(ada.get(f"/sets/{of}").text)


def test_a_time_limit_is_begun_said_and_kept(ada, clock):  # noqa: F811
    of = assign(ada, policy=Policy(time_limit=HOUR))
    page = ada.get(f"/sets/{of}")
    assert "You have 60 minutes once you begin" in words(page.text)
    assert f'action="/sets/{of}/begin"' in page.text
    assert ada.post(f"/sets/{of}/1").status_code == 409
    assert ada.post(f"/sets/{of}/begin").status_code == 303
    token = begin(ada, of)
    assert "your time ends" in words(ada.get(f"/x/{token}").text)
    clock[0] = NOON + HOUR + 1
    answer = attempt(ada, token, {"delta2[1]": "1"})
    assert (answer.status_code, "The time for this problem set is over" in words(answer.text)) == (409, True)
    assert recorded(ada, token) == ()


def test_the_time_that_is_left_stays_in_sight(ada, clock):  # noqa: F811
    of = assign(ada, policy=Policy(time_limit=HOUR))
    ada.post(f"/sets/{of}/begin")
    token = begin(ada, of)
    clock[0] = NOON + HOUR // 4
    page = ada.get(f"/x/{token}").text
    assert f'data-left="{45 * 60 * 1000}"' in page.partition('class="bar"')[2]


def test_of_a_time_that_does_not_run_any_more_nothing_is_said(ada, clock):  # noqa: F811
    of = assign(ada, "deltas", "deltas", attempts=1, policy=Policy(time_limit=HOUR, feedback="after due"))
    assert 'name="password"' not in ada.get(f"/sets/{of}").text
    ada.post(f"/sets/{of}/begin")
    assert "minutes once you begin" not in words(ada.get(f"/sets/{of}").text)
    token = begin(ada, of)
    attempt(ada, token, {"delta2[1]": "0.1"})
    assert "data-left" not in ada.get(f"/x/{token}", follow_redirects=True).text
    for moment, runs in ((NOON, True), (NOON + HOUR + 1, False)):
        clock[0] = moment
        assert ("your time ends" in words(ada.get(f"/sets/{of}").text)) == runs


def test_work_too_late_is_told_the_last_moment_and_a_sheet_that_is_over_no_share(ada, clock):  # noqa: F811
    of = assign(ada, "deltas", "deltas", attempts=1, policy=Policy(late=LADDER, feedback="after due"))
    over, token = begin(ada, of), begin(ada, of, 2)
    clock[0] = DUE + HOUR
    attempt(ada, over, {"delta2[1]": "0.1"})
    for one, still in ((token, True), (over, False)):
        page = words(ada.get(f"/x/{one}", follow_redirects=True).text)
        assert ("what is checked now is worth 80%" in page) == still
    clock[0] = DUE + 3 * DAY + 1
    assert "was due on 26 September 2026, 15:13:20 UTC" in words(attempt(ada, token, {"delta2[1]": "1"}).text)


def test_a_sheet_that_takes_no_more_can_be_read_and_not_changed(ada, clock):  # noqa: F811
    of = assign(ada, attempts=1, policy=Policy(feedback="after due"))
    token = begin(ada, of)
    page = ada.get(f"/x/{token}").text
    assert ("readonly" in page, 'name="hint"' in page, "Type a number" in page) == (False, True, True)
    attempt(ada, token, {"delta2[1]": "0.1"})
    page = ada.get(f"/x/{token}", follow_redirects=True).text
    assert page.count(" readonly ") == page.count('type="text"')
    assert ('name="hint"' in page, "Type a number" in page) == (False, False)
    assert words(page).count("It is graded; how, you see after") == 1


def test_a_password_is_asked_for_and_guessed_slowly(ada, clock):  # noqa: F811
    of = assign(ada, policy=Policy(password="Bernoulli"))
    found = [ada.post(f"/sets/{of}/begin", {"password": f"guess {at}"}).status_code for at in range(22)]
    assert (found.count(403), found[-1]) == (20, 429)
    clock[0] += HOUR
    assert ada.post(f"/sets/{of}/begin", {"password": "Bernoulli"}).status_code == 303
    begin(ada, of)


@pytest.mark.parametrize(
    ("rules", "work", "status"),
    [
        ({"policy": Policy(feedback="never")}, ({}, NOON), 404),
        ({"policy": Policy(feedback="after due")}, ("honest", NOON), 404),
        ({"policy": Policy(feedback="after due"), "attempts": 1}, ({"delta2[1]": "0.1"}, NOON), 404),
        ({"policy": Policy(feedback="after due"), "attempts": 1}, ({"delta2[1]": "0.1"}, DUE + 1), 303),
        ({"policy": Policy(feedback="after due")}, ({"delta2[1]": "0.1"}, DUE + 1), 404),  # no solution is shown
        ({}, ({"delta2[1]": "0.1"}, NOON), 404),
        ({"attempts": 1}, ({"delta2[1]": "0.1"}, NOON), 303),
        ({}, ("honest", NOON), 303),
    ],
)
def test_another_sheet_outside_of_the_set_is_for_who_may_see_the_solution(ada, clock, rules, work, status):  # noqa: F811
    texts, moment = work
    of = assign(ada, **rules)
    token = begin(ada, of)
    if texts:
        attempt(ada, token, honest(ada.instance(token)) if texts == "honest" else texts)
    clock[0] = moment
    assert ("/another" in ada.get(f"/x/{token}", follow_redirects=True).text) == (status == 303)
    before = ada.rows()["variant"]
    assert ada.post(f"/x/{token}/another").status_code == status
    assert ada.rows()["variant"] == before + (status == 303)


def test_from_another_network_nothing_is_handed_out_shown_or_taken(ada, clock):  # noqa: F811
    of = assign(ada, policy=Policy(networks="127.0.0.0/8"))
    token = begin(ada, of)
    change_rules(ada, of, networks="192.0.2.0/24")
    for answer in (
        ada.get(f"/x/{token}"),
        ada.post(f"/sets/{of}/1"),
        ada.check(token, {"delta2[1]": "1"}, page=f"/sets/{of}"),
    ):
        assert answer.status_code == 403
        assert "Not from here" in words(answer.text)
    page = words(ada.get(f"/sets/{of}").text)
    assert "in certain networks only" in page
    assert "Where you are now is none of them" in page
    assert recorded(ada, token) == ()
    clock[0] = DUE + 1  # closed and told: it may be looked at from anywhere
    assert ada.get(f"/x/{token}").status_code == 200


def test_the_time_of_a_set_is_not_begun_from_another_network(ada, clock):  # noqa: F811
    of = assign(ada, policy=Policy(networks="192.0.2.0/24", time_limit=HOUR, password="Bernoulli"))
    assert 'name="password"' in ada.get(f"/sets/{of}").text
    assert ada.post(f"/sets/{of}/begin", {"password": "Bernoulli"}).status_code == 403
    change_rules(ada, of, networks="127.0.0.0/8")
    page = words(ada.get(f"/sets/{of}").text)
    assert ("You have 60 minutes once you begin" in page, "Where you are now" in page) == (True, False)


@pytest.mark.parametrize(
    ("networks", "feedback", "when"),
    [
        ("192.0.2.0/24", "at once", (NOON, "unseen")),
        ("192.0.2.0/24", "after due", (NOON, "unseen")),
        ("192.0.2.0/24", "never", (DUE + 1, "unseen")),
        ("192.0.2.0/24", "after due", (DUE + 1, "seen")),
        ("127.0.0.0/8", "at once", (NOON, "seen")),
    ],
)
def test_ones_own_data_has_what_is_on_a_sheet_where_the_sheet_may_be_seen(ada, clock, networks, feedback, when):  # noqa: F811
    of = assign(ada, policy=Policy(feedback=feedback))
    token = begin(ada, of)
    attempt(ada, token, {"delta2[1]": "0.731"})
    attempt(ada, token, {"delta2[1]": "0.732"}, save="y")
    change_rules(ada, of, networks=networks)
    clock[0], seen = when[0], when[1] == "seen"
    text = "".join(profile.written(ada.database, ada.learner, datetime.fromtimestamp(clock[0] / 1e6, UTC), "127.0.0.1"))
    (sheet,) = json.loads(text)["sheets"]
    assert (token in text, "0.731" in text, "0.732" in text) == (seen, seen, seen)
    assert ({"x", "W1"} <= set(sheet["given"]), sheet["spec"] is not None) == (seen, seen)
    assert [one["attempt"] for one in sheet["submissions"]] == [1]
    assert (ada.get(f"/x/{token}", follow_redirects=True).status_code == 200) == seen


def change_rules(browser, of, **changes):
    with browser.database.write() as session:
        stored = records.find_set(session, of)
        said = {name: getattr(stored, name) for name in ("title", "words", "opens_at", "due_at", "attempts")}
        records.change_set(session, stored, **said, policy=replace(stored.policy, **changes))


def test_hints_are_priced_or_off(ada, clock):  # noqa: F811
    of = assign(ada, policy=Policy(hint_price=0.2))
    token = begin(ada, of)
    assert "Each hint takes 20% off the value" in words(ada.get(f"/x/{token}").text)
    right = honest(ada.instance(token))
    key = next(iter(right))
    ada.check(token, {}, hint=key)
    attempt(ada, token, right)
    assert recorded(ada, token)[0].credit == pytest.approx(1 - 0.2 / len(right))

    of = assign(ada, title="Without", policy=Policy(hint_price=None))
    token = begin(ada, of)
    page = ada.get(f"/x/{token}").text
    assert "There are no hints in this problem set" in words(page)
    assert 'name="hint"' not in page
    assert "cell-hint" not in ada.check(token, {}, hint=key).text


def test_what_follows_from_an_error_earns_its_share(ada, clock):  # noqa: F811
    of = assign(ada, policy=Policy(follow_credit=0))
    token = begin(ada, of)
    instance = ada.instance(token)
    attempt(ada, token, follows(instance))
    (stored,) = recorded(ada, token)
    verdicts = [mark["verdict"] for mark in stored.marks.values()]
    assert verdicts.count("follows") > 0
    assert stored.credit == verdicts.count("correct") / len(verdicts) < stored.share


def follows(instance):
    """A sheet with a slip in its first value, and all others worked on with what is written."""
    import numpy as np

    from quizprop.exercise.simulated import filled_in

    first = instance.cells[0]
    name, place = instance.structure.places[first.key]

    def written(quantity, value):
        if quantity.formula.whole or quantity.name not in instance.plan.asked:
            return value
        value = np.round(value, instance.exercise.places)
        if quantity.name == name:
            value = value.copy()
            value[(0, *place)] += 0.0321
        return value

    return filled_in(instance, worked=lambda quantity, values: quantity.of(values), written=written)


def test_new_numbers_are_offered_after_enough_attempts(ada, clock):  # noqa: F811
    of = assign(ada, attempts=None, policy=Policy(fresh_after=1))
    token = begin(ada, of)
    renewal = f"/sets/{of}/1/new"
    assert renewal not in ada.get(f"/sets/{of}").text
    assert ada.post(renewal).location == f"/x/{token}"
    attempt(ada, token, {"delta2[1]": "77"})
    assert renewal in ada.get(f"/sets/{of}").text
    fresh = ada.post(renewal).location.rpartition("/")[2]
    assert fresh != token
    assert ada.instance(fresh).given != ada.instance(token).given
    assert "Worked solution" in words(ada.get(f"/x/{token}", follow_redirects=True).text)
    assert begin(ada, of) == fresh


# --- what is not told yet -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("feedback", ["after due", "never"])
@pytest.mark.parametrize("right", [True, False])
def test_no_page_tells_early_how_a_sheet_was_graded(ada, clock, feedback, right, monkeypatch):  # noqa: F811
    for module in ("profile", "progress"):
        monkeypatch.setattr(f"quizprop.web.{module}.now", lambda: clock[0])
    of = assign(ada, attempts=2, policy=Policy(feedback=feedback))
    token = begin(ada, of)
    texts = honest(ada.instance(token))
    sent = texts if right else {**texts, next(iter(texts)): "77.125"}
    told = set()
    for last in (False, True):
        answer = attempt(ada, token, {**sent, list(texts)[-1]: "0.5"} if last else sent)
        assert answer.status_code == 303
        shown = [ada.get(answer.location).text, ada.get(f"/x/{token}", follow_redirects=True).text]
        addresses = (f"/sets/{of}", "/sets", "/progress", "/progress/sheets", "/")
        shown += [ada.get(address).text for address in addresses]
        shown.append(ada.post(f"/x/{token}/give-up", {}, page=f"/x/{token}/s/1").text)
        shown.append(ada.check(token, sent, notation="mazur").text)
        for page in shown:
            text = words(re.sub(r"<footer.*", "", page, flags=re.DOTALL))
            told |= {word for word in SECRET_WORDS if word in text}
            assert "is-correct" not in page
            assert "verdict-mistake" not in page or "No attempt left" in text
        assert f"Handed in: attempt {1 + last}" in words(shown[0])
    assert told == set()
    data = json.loads(ada.post("/download", page="/settings").text)
    (sheet,) = [one for one in data["sheets"] if one["token"] == token]
    assert {one[name] for one in sheet["submissions"] for name in ("marks", "points", "credit", "evidence")} == {None}
    clock[0] = DUE + 1
    text = words(ada.get(f"/x/{token}", follow_redirects=True).text)
    assert ("Worked solution" in text) == (feedback == "after due")


@pytest.mark.parametrize(
    ("feedback", "said"),
    [("never", "is not told here: ask who teaches you"), ("after due", "you see after 23 September")],
)
def test_when_the_grades_are_told_is_said_before_anything_is_handed_in(ada, clock, feedback, said):  # noqa: F811
    token = begin(ada, assign(ada, attempts=1, policy=Policy(feedback=feedback)))
    page = words(ada.get(f"/x/{token}").text)
    assert ("One attempt is left." in page, said in page) == (True, True)


def test_no_button_and_no_list_tells_early_what_was_right(ada, clock, monkeypatch):  # noqa: F811
    monkeypatch.setattr("quizprop.web.progress.now", lambda: clock[0])
    of = assign(ada, policy=Policy(feedback="after due"))
    token = begin(ada, of)
    right = honest(ada.instance(token))
    attempt(ada, token, right)
    for texts in (right, {**right, list(right)[-1]: "0.5"}):
        for button in ({"save": "y"}, {"hint": "delta2[1]"}):
            base = hidden(ada.get(f"/x/{token}", follow_redirects=True).text, "draft_seq")
            answer = ada.check(token, texts, draft_seq=base, **button)
            assert (answer.status_code, 'class="cell is-' in answer.text) == (200, False)
    for address in ("/progress/sheets", "/kinds/backward"):
        assert not re.search("Solved|%", words(ada.get(address).text))
    assert "points" not in words(ada.get("/sets").text)
    day = ada.get("/progress").text.partition('id="days-title"')[2].partition("</tbody>")[0]
    assert re.findall(r'class="figure"[^>]*>(\d+)<', day) == ["1", "0"]  # worked, and not said to be solved
    clock[0] = DUE + 1
    assert all("Solved" in words(ada.get(address).text) for address in ("/progress/sheets", "/kinds/backward"))
    assert "2 of 2 points" in words(ada.get("/sets").text)


def test_what_is_withheld_teaches_the_tutor_nothing(ada, clock):  # noqa: F811
    of = assign(ada, policy=Policy(feedback="never"))
    token = begin(ada, of)
    attempt(ada, token, honest(ada.instance(token)))
    (stored,) = recorded(ada, token)
    assert (stored.share, stored.evidence) == (1, {})
    from quizprop.store import learning

    with ada.database.read() as session:
        assert learning.skills_of(session, ada.learner) == {}
        assert learning.slips_of(session, ada.learner) == ()


@pytest.mark.parametrize("rules", [{"opens_at": NOON + HOUR}, {"policy": Policy(time_limit=HOUR)}])
def test_a_sheet_that_was_printed_ahead_is_not_seen_early(ada, clock, rules, monkeypatch):  # noqa: F811
    """Who teaches may hand sheets out on paper before; on the site they are seen when the set is open and begun."""
    of = assign(ada, **rules)
    with ada.database.write() as session:
        seen = records.open_set(session, of, learner_id=ada.learner, now=NOON)
        given = {"seed": 1, "given": {"x": [0.1]}, "engine_version": "0", "now": NOON, "ahead": True}
        token = records.start_item(session, ada.learner, seen.items[0], **given).token
    monkeypatch.setattr("quizprop.web.profile.now", lambda: clock[0])
    assert json.loads(ada.post("/download", page="/settings").text)["sheets"][0]["given"] == {}
    assert ada.post(f"/sets/{of}/1").status_code == 409
    assert ada.get(f"/x/{token}").location == f"/sets/{of}"
    assert f"/sets/{of}/1" not in ada.get(f"/sets/{of}").text
    clock[0] += 2 * HOUR
    if "policy" in rules:
        assert ada.post(f"/sets/{of}/begin").status_code == 303
    assert ada.post(f"/sets/{of}/1").location == f"/x/{token}"


def test_nothing_is_taken_before_a_set_is_begun(ada, clock):  # noqa: F811
    of = assign(ada, policy=Policy(time_limit=HOUR))
    ada.post(f"/sets/{of}/begin")
    token = begin(ada, of)
    with ada.database.write() as session:
        assignment = records._assignment
        session.execute(assignment.update().values(started_at=None))
    answer = ada.check(token, {"delta2[1]": "1"}, page=f"/sets/{of}")
    assert (answer.status_code, recorded(ada, token)) == (409, ())
