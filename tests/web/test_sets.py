"""Problem sets on the web: due dates in the student's time, attempts announced, what is saved said from the record."""

import re

import pytest

from quizprop.exercise.bank import load_bank
from quizprop.store import people, practice
from quizprop.store import sets as records
from quizprop.store.people import PasswordHash
from quizprop.store.sets import NewItem
from quizprop.web import rendering, state
from tests.web.conftest import Browser, hidden, honest, typed, words

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
NOON = 1_790_000_000 * SECOND  # 21 September 2026, 14:13:20 UTC
DUE = NOON + 2 * DAY + HOUR

BANK = load_bank()
WRONG = {"delta2[1]": "77.125"}


@pytest.fixture
def clock(monkeypatch):
    """The moment that the pages live in; set its one entry to move on."""
    moment = [NOON]
    for module in ("desk", "practice", "sets", "state"):
        monkeypatch.setattr(f"quizprop.web.{module}.now", lambda: moment[0])
    return moment


@pytest.fixture
def ada(app, clock):
    """A student with an account, signed in."""
    return student(app, "ada")


def student(app, name):
    browser = Browser(app)
    with browser.database.write() as session:
        token = people.start_session(session, now=state.now())
        known = people.find_learner(session, token, now=state.now())
        people._new_account(session, known.learner_id, name, PasswordHash("-"), NOON)
    with browser.client.session_transaction() as cookie:
        cookie["token"] = token
    browser.learner = known.learner_id
    return browser


def assign(browser, *slugs, due=DUE, attempts=3, **changes):
    """Give the student a problem set; it as the student sees it."""
    values = {"title": "Homework 3", "due_at": due, "attempts": attempts, "now": NOON, **changes}
    items = [NewItem(slug, BANK[slug].model_dump_json(), 2) for slug in slugs or ("deltas",)]
    with browser.database.write() as session:
        made = records.create_set(session, items=items, **values)
        records.assign(session, made, [browser.learner], now=NOON)
    return made.token


def move_due(browser, of, due):
    with browser.database.write() as session:
        records.move_due(session, records.find_set(session, of), due)


def begin(browser, of, position=1):
    """Open an item; the token of its sheet."""
    answer = browser.post(f"/sets/{of}/{position}")
    assert answer.status_code == 303
    return answer.location.rpartition("/")[2]


def attempt(browser, token, texts, **more):
    """Send a sheet as its page does: with what the page announces, and the save that it builds on."""
    page = browser.get(f"/x/{token}", follow_redirects=True).text
    announced = {"announced": "y"} if 'name="announced"' in page else {}
    base = hidden(page, "draft_seq")
    return browser.check(token, texts, key=hidden(page, "submission_key"), draft_seq=base, **announced, **more)


def checked(browser, token, texts, **more):
    answer = attempt(browser, token, texts, **more)
    assert answer.status_code == 303, words(answer.text)
    return browser.get(answer.location).text


def recorded(browser, token):
    with browser.database.read() as session:
        return practice.submissions(session, browser.variant(token))


def wrong(number):
    return {"delta2[1]": f"77.{number}"}


# --- the list, the set --------------------------------------------------------------------------------------------


def test_the_navigation_names_problem_sets_only_to_who_has_some(app, ada):
    assert "Problem sets" not in ada.get("/").text
    assign(ada)
    assert 'href="/sets"' in ada.get("/").text
    assert 'href="/sets"' not in Browser(app).get("/").text


def test_a_due_date_is_said_in_the_students_own_time_with_what_is_left(ada):
    of = assign(ada)
    for address in ("/sets", f"/sets/{of}", f"/x/{begin(ada, of)}"):
        ada.client.set_cookie("quizprop_zone", "Asia/Tokyo")
        assert "Due 24 September 2026, 00:13 JST · closes in 2 days" in read(ada.get(address).text), address
        ada.client.set_cookie("quizprop_zone", "Europe/Madrid")
        assert "Due 23 September 2026, 17:13 CEST · closes in 2 days" in read(ada.get(address).text), address


def read(page):
    """The text of a page, with the dot that its style sheet puts before what is left."""
    return words(page.replace('<span class="set-left">', "· "))


def test_the_list_says_of_each_set_how_far_it_is(ada):
    assign(ada, title="Over", due=NOON - 1)
    assign(ada, title="To come", opens_at=NOON + DAY)
    solved = assign(ada, title="Done", due=None)
    checked(ada, token := begin(ada, solved), honest(ada.instance(token)))
    assign(ada, title="Now")
    parts = [words(part) for part in re.findall(r'<li class="set">(.*?)</li>', ada.get("/sets").text, re.DOTALL)]
    assert [part.split(" ")[0] for part in parts] == ["Now", "To", "Done", "Over"]
    assert "Open 0 of 2 points" in parts[0]
    assert "Opens 22 September 2026, 14:13 UTC ○ Not open yet" in parts[1]
    assert "No due date ✓ Done 2 of 2 points" in parts[2]
    assert "Was due 21 September 2026, 14:13 UTC ○ Closed" in parts[3]


def test_a_set_says_of_each_item_attempts_score_and_when_it_was_saved(ada, clock):
    of = assign(ada, "deltas", "deltas", words="By *hand*.", title="<Homework>")
    token = begin(ada, of)
    right = honest(ada.instance(token))
    checked(ada, token, dict(list(right.items())[:2]))
    clock[0] += 65 * SECOND
    attempt(ada, token, WRONG, save="y")
    page = ada.get(f"/sets/{of}").text
    assert "&lt;Homework&gt;" in page
    assert "<em>hand</em>" in page
    first, second = (words(part) for part in re.findall(r'<li class="set item">(.*?)</li>', page, re.DOTALL))
    share = 2 / len(right)
    assert "In progress 2 of 3 attempts left Attempt 1 saved 14:13:20 Text saved 14:14:25 is not checked yet" in first
    assert f"{2 * share:.3g} of 2 points Go on" in first
    assert "Not started 3 of 3 attempts left 0 of 2 points Start" in second
    clock[0] += DAY
    assert "Attempt 1 saved 21 September 2026, 14:13:20 UTC" in words(ada.get(f"/sets/{of}").text)


def test_each_button_of_a_set_says_whether_there_is_still_something_to_do(ada, clock):
    of = assign(ada, "deltas", "deltas", "deltas")
    token, _ = begin(ada, of), begin(ada, of, 2)
    checked(ada, token, honest(ada.instance(token)))
    for moment, buttons, left in ((NOON, ["Look at it", "Go on", "Start"], 2), (DUE + 1, ["Look at it"] * 2, 0)):
        clock[0] = moment
        items = ada.get(f"/sets/{of}").text.partition("<ol")[2]
        assert re.findall(r'>([^<]*)<span class="vh">: ', items) == buttons
        assert words(items).count("attempts left") == left


def test_a_set_to_come_says_when_it_opens_and_when_it_is_due(ada):
    page = words(ada.get(f"/sets/{assign(ada, opens_at=NOON + HOUR)}").text)
    assert "Opens 21 September 2026, 15:13 UTC" in page
    assert "Due 23 September 2026, 15:13 UTC" in page


def test_an_item_has_one_sheet_however_often_it_is_opened(ada):
    of = assign(ada, "deltas", "deltas")
    before = ada.rows()["variant"]
    assert begin(ada, of) == begin(ada, of) != begin(ada, of, 2)
    assert ada.rows()["variant"] == before + 2


def test_a_set_is_there_for_who_has_it_and_for_nobody_else(app, ada):
    of = assign(ada)
    bob = student(app, "bob")
    assert bob.get(f"/sets/{of}").status_code == 404
    assert bob.post(f"/sets/{of}/1").status_code == 404
    assert "to your user name, bob" in words(bob.get("/sets").text)
    stranger = Browser(app)
    assert stranger.get("/sets").location == "/sign-in?next=/sets"
    assert f"/sign-in?next=/sets/{of}" in stranger.get(f"/sets/{of}").text.replace("%2F", "/")
    assert stranger.post(f"/sets/{of}/1").status_code == 404


@pytest.mark.parametrize("position", ["0", "2", "01", "-1", "x", "9" * 5000])
def test_an_item_that_is_not_there_is_not_found(ada, position):
    assert ada.post(f"/sets/{assign(ada)}/{position}").status_code == 404


@pytest.mark.parametrize(
    ("changes", "why"), [({"due": NOON - 1}, "is past due"), ({"opens_at": NOON + 1}, "is not open yet")]
)
def test_nothing_is_handed_out_before_a_set_opens_or_after_it_is_due(ada, changes, why):
    of = assign(ada, **changes)
    assert "<button class" not in ada.get(f"/sets/{of}").text.partition("<ol")[2].partition("</ol>")[0]
    answer = ada.post(f"/sets/{of}/1")
    assert answer.status_code == 409
    assert why in words(answer.text)
    assert ada.rows()["variant"] == 0


def test_a_button_of_an_ended_visit_leads_back_to_the_set(ada):
    of = assign(ada)
    answer = ada.client.post(f"/sets/{of}/1")
    assert answer.status_code == 400
    assert "press the button once more" in words(answer.text)


# --- attempts -----------------------------------------------------------------------------------------------------


def test_what_is_said_to_be_saved_is_what_the_record_says(ada, clock):
    token = begin(ada, assign(ada))
    checked(ada, token, wrong(1))
    clock[0] += HOUR + 5 * SECOND
    answer = attempt(ada, token, wrong(2))
    clock[0] += HOUR
    page = words(ada.get(answer.location).text).replace(" .", ".")
    last = recorded(ada, token)[-1]
    assert (last.attempt, last.created_at) == (2, NOON + HOUR + 5 * SECOND)
    assert "Saved 15:13:25. Attempt 2 of 3. One attempt is left." in page
    assert "Saved 14:13:20. Attempt 1 of 3." in words(ada.get(f"/x/{token}/s/1").text).replace(" .", ".")


def test_without_a_limit_attempts_are_counted_but_not_announced(ada):
    token = begin(ada, assign(ada, attempts=None))
    assert "Check as often as you like" in words(ada.get(f"/x/{token}").text)
    for number in range(1, 5):
        page = words(checked(ada, token, wrong(number)))
    assert "Attempt 4." in page
    assert "attempt is left" not in page


@pytest.mark.parametrize("slug", ["deltas", "choose-delta"])
def test_the_last_attempt_is_announced_before_it_is_spent(ada, slug):
    token = begin(ada, assign(ada, slug, attempts=1))
    page = ada.get(f"/x/{token}").text
    assert "There is one attempt only. Check judges the whole sheet, once" in words(page)
    assert "Check: last attempt" in page
    assert "Check this part" not in page
    key = ada.instance(token).cells[0].key
    answer = ada.check(token, {key: "2"})  # from a page that did not say so
    assert answer.status_code == 409
    assert "this would be your last attempt: it was not made" in words(answer.text)
    assert 'name="announced"' in answer.text
    assert recorded(ada, token) == ()
    page = checked(ada, token, {key: "2"})
    assert "Worked solution" in page
    assert "Attempt 1 of 1." in words(page)


def test_when_no_attempt_is_left_a_check_is_refused_and_all_that_was_typed_is_shown(ada):
    of = assign(ada, attempts=2)
    token = begin(ada, of)
    for number in (1, 2):
        page = checked(ada, token, wrong(number))
    assert "No attempt left: here is how it goes" in words(page)
    assert "Worked solution" in page
    answer = ada.check(token, {"delta2[1]": "1/3"}, key="third", announced="y")
    assert answer.status_code == 409
    assert "may be checked 2 times, and it was" in words(answer.text)
    assert re.search(r'<span class="yours">1/3</span>', answer.text)
    assert len(recorded(ada, token)) == 2
    assert "No attempt left" in words(ada.get(f"/sets/{of}").text)


def test_the_same_text_never_counts_twice(ada):
    token = begin(ada, assign(ada))
    first = attempt(ada, token, WRONG).location
    assert attempt(ada, token, WRONG).location == first
    assert "as attempt 1: it does not count again" in words(ada.get(first).text)
    assert len(recorded(ada, token)) == 1


def test_a_check_of_one_part_is_an_attempt_and_the_page_says_so_before(ada):
    token = begin(ada, assign(ada))
    page = ada.get(f"/x/{token}").text
    assert "Every check counts as an attempt, that of one part too" in words(page)
    texts = {**WRONG, "delta1[1]": "77.125"}
    answer = attempt(ada, token, texts, phase="output")
    assert "Attempt 1 of 3." in words(ada.get(answer.location).text)
    whole = attempt(ada, token, texts)
    assert "Attempt 2 of 3." in words(ada.get(whole.location).text)
    assert [one.attempt for one in recorded(ada, token)] == [1, 2]


def test_a_part_sent_twice_counts_once(ada):
    token = begin(ada, assign(ada))
    for _ in range(2):
        ada.check(token, {**WRONG, "delta1[1]": "77.125"}, key="one", phase="output")
    assert len(recorded(ada, token)) == 1


def test_full_marks_end_an_item_and_lead_to_the_next(ada):
    of = assign(ada, "deltas", "forward-pass")
    token = begin(ada, of)
    page = checked(ada, token, honest(ada.instance(token)))
    assert f'action="/sets/{of}/2"' in page
    assert "Next: item 2" in page
    assert "Another like this, outside of the set" in page
    assert "2 of 4 points" in words(ada.get(f"/sets/{of}").text)


# --- time ---------------------------------------------------------------------------------------------------------


def test_late_work_is_refused_with_the_rule_and_kept_until_the_date_is_moved(ada, clock):
    of = assign(ada)
    token = begin(ada, of)
    clock[0] = DUE + 1
    answer = ada.check(token, {"delta2[1]": "0.125"})
    assert answer.status_code == 409
    said = words(answer.text)
    assert "This problem set was due on 23 September 2026, 15:13:20 UTC, and this came later" in said
    assert "Late work counts only if the due date is moved." in said
    assert typed(answer.text)["delta2[1]"] == "0.125"
    assert recorded(ada, token) == ()
    # What the page builds on is the text just saved: its script goes on from there.
    assert hidden(answer.text, "draft_seq") == "1"

    move_due(ada, of, DUE + DAY)
    page = ada.get(f"/x/{token}").text
    assert typed(page)["delta2[1]"] == "0.125"
    assert "Attempt 1 of 3." in words(checked(ada, token, typed(page)))


def test_late_work_never_covers_newer_text(ada, clock):
    token = begin(ada, assign(ada))
    ada.check(token, {"delta2[1]": "newer"}, save="y")
    clock[0] = DUE + 1
    answer = ada.check(token, {"delta2[1]": "older"}, draft_seq="0")
    assert answer.status_code == 409
    assert typed(answer.text)["delta2[1]"] == "older"
    assert typed(ada.get(f"/x/{token}").text)["delta2[1]"] == "newer"


def test_a_closed_sheet_offers_no_check_and_says_what_does_not_count(ada, clock):
    of = assign(ada)
    token = begin(ada, of)
    ada.check(token, WRONG, save="y")
    clock[0] = DUE + 1
    page = ada.get(f"/x/{token}").text
    assert "What stands here was typed but not checked: it does not count." in words(page)
    assert 'class="button primary">' not in page.partition('class="bar-buttons"')[2].partition("</span>")[0]
    assert "Check this part" not in page
    assert "Worked solution" not in page
    said = words(ada.get(f"/sets/{of}").text)
    assert "Closed Text saved 14:13:20 was not checked" in said.replace("21 September 2026, ", "").replace(" UTC", "")


def test_what_is_said_of_an_open_sheet_is_not_said_of_a_closed_one(ada, clock):
    of = assign(ada, "deltas", "deltas", attempts=2)
    token, solved = begin(ada, of), begin(ada, of, 2)
    checked(ada, token, WRONG)
    for moment, still in ((NOON, True), (DUE + 1, False)):
        clock[0] = moment
        page = words(ada.get(f"/x/{token}/s/1").text)
        told = (
            "closes ",
            "1 of 2 attempts left",
            "One attempt is left",
            "Give up and see",
            "typed last is checked before",
        )
        assert {said in page for said in told} == {still}
        assert ("Yes, show the solution" in page, "See the solution" in page) == (True, not still)
    move_due(ada, of, DUE + DAY)
    checked(ada, solved, honest(ada.instance(solved)))
    for moment, still in ((DUE, True), (DUE + DAY + 1, False)):
        clock[0] = moment
        assert ("Next: item 1" in ada.get(f"/x/{solved}/s/1").text) == still
    assert "typed last is checked before" not in words(ada.get(f"/x/{ada.start()}").text)


def test_a_closed_sheet_opens_no_hint_and_says_once_what_does_not_count(ada, clock):
    token = begin(ada, assign(ada))
    checked(ada, token, wrong(1))
    attempt(ada, token, wrong(2), save="y")
    clock[0] = DUE + 1
    assert words(ada.get(f"/x/{token}").text).count("typed but not checked") == 1
    ada.check(token, wrong(2), hint="delta2[1]")
    assert ada.rows()["hint_use"] == 0


def test_who_has_seen_the_solution_of_a_closed_sheet_is_done_with_it(ada, clock):
    of = assign(ada)
    token = begin(ada, of)
    checked(ada, token, wrong(1))
    clock[0] = DUE + 1
    answer = ada.post(f"/x/{token}/give-up", {**honest(ada.instance(token)), "submission_key": "late"})
    assert answer.status_code == 303
    assert "Worked solution" in ada.get(answer.location, follow_redirects=True).text
    assert len(recorded(ada, token)) == 1
    move_due(ada, of, DUE + DAY)
    assert ada.check(token, wrong(2), key="again").status_code == 409
    assert len(recorded(ada, token)) == 1


def test_a_set_that_is_not_open_again_takes_nothing(ada, clock):
    token = begin(ada, assign(ada, opens_at=NOON))
    clock[0] = NOON - 1  # a clock set back
    answer = ada.check(token, WRONG)
    assert answer.status_code == 409
    assert "opens on 21 September 2026, 14:13:20 UTC" in words(answer.text)


# --- beside the set -----------------------------------------------------------------------------------------------


def test_giving_up_counts_what_was_typed_and_closes_the_item(ada):
    of = assign(ada)
    token = begin(ada, of)
    right = honest(ada.instance(token))
    ada.post(f"/x/{token}/give-up", {**dict(list(right.items())[:3]), "submission_key": "last"})
    assert [one.points for one in recorded(ada, token)] == [3]
    page = words(ada.get(f"/sets/{of}").text)
    assert "Given up" in page
    assert f"{6 / len(right):.3g} of 2 points" in page


def test_another_like_this_stands_outside_of_the_set(ada):
    token = begin(ada, assign(ada))
    checked(ada, token, honest(ada.instance(token)))
    other = ada.post(f"/x/{token}/another").location.rpartition("/")[2]
    assert ada.variant(other).set_item_id is None
    assert "Homework 3" not in ada.get(f"/x/{other}").text


def test_the_bank_goes_on_with_no_sheet_of_a_set(ada):
    begin(ada, assign(ada, "mazur"))
    assert "Not finished yet" not in ada.get("/").text


def test_the_bank_goes_on_with_no_sheet_of_an_exercise_that_it_does_not_have(ada):
    own = BANK["deltas"].model_copy(update={"slug": "own"})
    with ada.database.write() as session:
        items = [NewItem("own.1", own.model_dump_json(), 2)]
        of = records.create_set(session, title="Own", attempts=1, due_at=None, items=items, now=NOON)
        records.assign(session, of, [ada.learner], now=NOON)
    token = begin(ada, of.token)
    checked(ada, token, honest(ada.instance(token)))
    assert ada.post(f"/x/{token}/another").status_code == 303
    assert ada.get("/").status_code == 200


def test_a_sheet_of_a_set_that_is_not_assigned_any_more_still_holds_its_rules(ada, clock, monkeypatch):
    token = begin(ada, assign(ada))
    monkeypatch.setattr("quizprop.web.desk.find_place", lambda *_, **__: None)
    clock[0] = DUE + 1
    answer = ada.check(token, WRONG)
    assert answer.status_code == 409
    assert "past due" in words(answer.text)


# --- words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (0, "in 0 seconds"),
        (1, "in 1 second"),
        (119, "in 119 seconds"),
        (120, "in 2 minutes"),
        (2 * 3600 - 1, "in 119 minutes"),
        (36 * 3600, "in 36 hours"),
        (3 * 86400 - 1, "in 2 days"),
        (20 * 86400, "in 2 weeks"),
        (80 * 86400, "in 2 months"),
    ],
)
def test_what_is_left_is_never_said_to_be_more(app, left, said):
    with app.test_request_context():
        assert rendering.until(NOON + left * SECOND + 999_999, NOON) == said
