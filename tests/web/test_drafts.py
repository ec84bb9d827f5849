"""What is typed is kept as it grows, a part can be checked alone, and older pages never win."""

import re

import pytest

from quizprop.store import practice
from tests.web.conftest import Browser, cell, hidden, honest, typed
from tests.web.test_rules import follows


def save(browser, token, texts, *, seq=0, key="save-1", **more):
    """What the page's script sends; the answer."""
    body = {"seq": seq, "key": key, "texts": texts, "decimal_comma": False, **more}
    return browser.client.post(f"/x/{token}/draft", json=body, headers={"X-CSRFToken": browser.csrf()})


def test_what_is_typed_is_there_again(browser):
    token = browser.start("mazur")
    answer = save(browser, token, {"z1[1]": "0,37 <half", "z9[1]": "no cell"}, decimal_comma=True)
    assert answer.json["seq"] == 1
    page = browser.get(f"/x/{token}").text
    assert typed(page)["z1[1]"] == "0,37 <half"
    assert hidden(page, "draft_seq") == "1"
    assert browser.rows()["submission"] == 0


def test_a_save_on_an_older_page_is_refused_and_sent_again_changes_nothing(browser):
    token = browser.start("mazur")
    save(browser, token, {"z1[1]": "1"})
    assert save(browser, token, {"z1[1]": "1"}).json["seq"] == 1
    refused = save(browser, token, {"z1[1]": "older"}, key="save-2")
    assert (refused.status_code, refused.json["seq"]) == (409, 1)
    assert typed(browser.get(f"/x/{token}").text)["z1[1]"] == "1"


@pytest.mark.parametrize("text", ["1" * 5000, "0.5" + " " * 5000 + "/ 3", "\u200b" * 5000 + "7"])
def test_of_a_very_long_text_the_beginning_is_kept_and_it_is_no_number(browser, text):
    token = browser.start("mazur")
    save(browser, token, {"z1[1]": text})
    kept = typed(browser.get(f"/x/{token}").text)["z1[1]"]
    page = browser.checked(token, {"z1[1]": text}).text
    assert (len(kept), text.startswith(kept[:-1]), typed(page)["z1[1]"]) == (400, True, kept)
    part = cell(page, "z1[1]")
    assert "Not readable" in part
    assert "characters: type at most 200" in part or text.strip("\u200b") == "7"
    with browser.database.read() as session:
        (one,) = practice.submissions(session, browser.variant(token))
    assert one.raw["z1[1]"] == kept


@pytest.mark.parametrize("nested", ["[" * 100_000, '{"a":' * 100_000])
def test_a_save_that_is_nested_too_deeply_is_refused(browser, nested):
    token = browser.start("mazur")
    head = {"X-CSRFToken": browser.csrf(), "Content-Type": "application/json"}
    answer = browser.client.post(f"/x/{token}/draft", data=nested, headers=head)
    assert (answer.status_code, "A draft is an object" in answer.json["error"]) == (400, True)
    assert browser.rows()["draft"] == 0


def test_text_typed_after_a_check_is_shown_with_the_feedback_that_still_holds(browser):
    token = browser.start("mazur")
    page = browser.checked(token, {"z1[1]": "0.3775", "z1[2]": "5"}).text
    save(browser, token, {**typed(page), "z1[2]": "0.39"}, seq=int(hidden(page, "draft_seq")))
    for address in (f"/x/{token}", f"/x/{token}/s/1"):
        page = browser.client.get(address, follow_redirects=True).text
        assert typed(page)["z1[2]"] == "0.39"
        assert "Correct" in cell(page, "z1[1]")
        assert "Not right" not in cell(page, "z1[2]")
    assert typed(browser.get(f"/x/{token}/s/1?checked=y").text)["z1[2]"] == "5"


def test_the_check_of_an_older_page_counts_but_newer_text_stays(browser):
    token = browser.start("mazur")
    save(browser, token, {"z1[1]": "newer"})
    answer = browser.check(token, {"z1[1]": "0.3775"}, draft_seq="0")
    assert browser.rows()["submission"] == 1
    assert typed(browser.get(f"/x/{token}").text)["z1[1]"] == "newer"
    page = browser.get(answer.location).text
    assert typed(page)["z1[1]"] == "0.3775"
    assert "Correct" in cell(page, "z1[1]")
    assert "Other text waits on this sheet" in page
    # Typing on here is not to take its place unasked.
    refused = save(browser, token, {"z1[1]": "typed on"}, seq=int(hidden(page, "draft_seq")), key="save-3")
    assert refused.status_code == 409
    assert typed(browser.get(f"/x/{token}").text)["z1[1]"] == "newer"


def test_the_page_of_an_earlier_attempt_never_takes_the_place_of_newer_text(browser):
    token = browser.start("mazur")
    for number, text in enumerate(("0.1", "0.2"), start=1):
        page = browser.checked(token, {"z1[1]": text}, key=f"check-{number}", draft_seq=str(number - 1)).text
    save(browser, token, {"z1[1]": "newer"}, seq=int(hidden(page, "draft_seq")))
    earlier = browser.get(f"/x/{token}/s/1").text
    assert typed(earlier)["z1[1]"] == "0.1"
    assert "Other text waits on this sheet" in earlier
    seq = hidden(earlier, "draft_seq")
    assert save(browser, token, {"z1[1]": "0.1", "z1[2]": "7"}, seq=int(seq), key="save-2").status_code == 409
    browser.check(token, {"z1[1]": "0.1", "z1[2]": "7"}, key="check-3", draft_seq=seq)
    assert typed(browser.get(f"/x/{token}").text)["z1[1]"] == "newer"


def test_giving_up_on_an_older_page_is_refused_until_the_newer_text_is_seen(browser):
    token = browser.start("mazur")
    texts = honest(browser.instance(token))
    save(browser, token, texts)
    answer = browser.post(f"/x/{token}/give-up", {"submission_key": "first", "draft_seq": "0", "z1[1]": "7"})
    assert (answer.status_code, typed(answer.text)["z1[1]"]) == (409, "7")
    assert browser.rows()["submission"] == 0
    page = browser.get(f"/x/{token}").text
    seen = {**typed(page), "draft_seq": hidden(page, "draft_seq")}
    ended = browser.get(browser.post(f"/x/{token}/give-up", {"submission_key": "first", **seen}).location).text
    assert f"<strong>{len(texts)}</strong> of {len(texts)}" in ended


def test_a_hint_asked_for_twice_by_a_slow_line_is_opened_once(browser):
    token = browser.start("mazur")
    asked = re.search('name="hint" value="(z1.1. [^"]*)"', browser.get(f"/x/{token}").text)[1]
    pages = [browser.check(token, {}, hint=asked).text for _ in range(2)]
    assert [page.count("<h4>") for page in pages] == [1, 1]
    assert browser.rows()["hint_use"] == 1


def test_a_sheet_that_has_ended_opens_no_hint(browser):
    token = browser.start("mazur")
    browser.post(f"/x/{token}/give-up")
    browser.check(token, {}, hint="z1[1] 1")
    assert browser.rows()["hint_use"] == 0


def test_a_page_says_when_what_stands_there_was_saved(browser):
    token = browser.start("mazur")
    state = re.compile(r'id="save-state" role="status">(\w*)')
    assert state.search(browser.get(f"/x/{token}").text)[1] == ""
    assert state.search(browser.checked(token, {"z1[1]": "0.3"}).text)[1] == "Saved"
    save(browser, token, {"z1[1]": "0.4"}, seq=1)
    page = browser.get(f"/x/{token}").text
    assert (state.search(page)[1], 'data-key="save-1"' in page) == ("Saved", True)
    assert state.search(browser.check(token, {"z1[1]": "0.5"}, notation="plain").text)[1] == ""


def test_an_older_attempt_with_the_text_that_waits_does_not_point_elsewhere(browser):
    token = browser.start("mazur")
    for seq, text in enumerate(("0.1", "0.2")):
        browser.check(token, {"z1[1]": text}, key=f"check-{seq}", draft_seq=str(seq))
    save(browser, token, {**typed(browser.get(f"/x/{token}/s/1").text)}, seq=2)
    found = ["Other text waits" in browser.get(f"/x/{token}/s/{at}?checked=y").text for at in (1, 2)]
    assert found == [False, True]


def test_half_a_character_is_kept_as_a_question_mark(browser):
    token = browser.start("mazur")
    head = {"X-CSRFToken": browser.csrf(), "Content-Type": "application/json"}
    body = r'{"seq": 0, "key": "a", "decimal_comma": false, "texts": {"z1[1]": "1\ud83d", "z1[2]": "\uD83D\uDE00"}}'
    assert browser.client.post(f"/x/{token}/draft", data=body, headers=head).status_code == 200
    page = typed(browser.get(f"/x/{token}").text)
    assert (page["z1[1]"], page["z1[2]"]) == ("1?", "\N{GRINNING FACE}")


def test_save_without_a_script(browser):
    token = browser.start("mazur")
    page = browser.check(token, {"z1[1]": "0.3"}, save="y").text
    assert typed(page)["z1[1]"] == "0.3"
    assert hidden(page, "draft_seq") == "1"
    assert browser.check(token, {"z1[1]": "older"}, save="y").status_code == 409
    assert typed(browser.get(f"/x/{token}").text)["z1[1]"] == "0.3"
    browser.post(f"/x/{token}/give-up", {"z1[1]": "0.3", "draft_seq": "1"})
    ended = browser.check(token, {"z1[1]": "older"}, save="y")
    assert (ended.status_code, "Worked solution" in ended.text) == (200, True)


@pytest.mark.parametrize(
    "body", [None, [], {"key": "a"}, {"texts": {}}, {"texts": [], "key": "a"}, {"texts": {}, "key": "ä"}]
)
def test_what_is_no_draft_is_refused(browser, body):
    token = browser.start("mazur")
    answer = browser.client.post(f"/x/{token}/draft", json=body, headers={"X-CSRFToken": browser.csrf()})
    assert answer.status_code == 400
    assert browser.rows()["draft"] == 0


def test_a_forged_or_strange_save_is_refused_in_json(browser, app):
    token = browser.start("mazur")
    refused = browser.client.post(f"/x/{token}/draft", json={"seq": 0, "key": "a", "texts": {}})
    assert refused.status_code == 400
    # The page goes on with the token that it is told.
    headers = {"X-CSRFToken": refused.json["csrf"]}
    body = {"seq": 0, "key": "a", "texts": {"z1[1]": "1"}}
    assert browser.client.post(f"/x/{token}/draft", json=body, headers=headers).status_code == 200
    stranger = Browser(app)
    assert save(stranger, token, {"z1[1]": "mine"}).status_code == 404
    browser.post(f"/x/{token}/give-up", {"draft_seq": "1"})
    assert save(browser, token, {"z1[1]": "late"}, seq=1, key="b").status_code == 409


def test_a_part_is_checked_alone_and_what_was_checked_before_again(browser):
    token = browser.start("mazur")
    texts = honest(browser.instance(token))
    page = browser.checked(token, {**texts, "E": "7"}, phase="forward").text
    assert "Correct" in cell(page, "z1[1]")
    assert "cell-said" not in cell(page, "E")
    page = browser.checked(token, {**texts, "E": "7"}, key="second", phase="loss").text
    assert "Correct" in cell(page, "z1[1]")
    assert "cell-said" in cell(page, "E")
    assert "cell-said" not in cell(page, "delta2[1]")
    assert browser.check(browser.start("mazur"), {"z1[1]": "1"}, phase="loss").status_code == 422


def test_a_part_is_folded_once_all_of_it_is_right_and_marked_where_something_is_not(browser):
    token = browser.start("mazur")
    instance = browser.instance(token)
    for texts, folded in (({**honest(instance), "E": "7"}, True), (follows(instance), False)):
        page = browser.checked(token, texts, key=f"folded-{folded}").text
        opened = dict(re.findall(r'<details class="phase" id="phase-([^"]*)"( open)?>', page))
        marked = dict(re.findall(r'<a href="#phase-([^"]*)" class="bar-phase([^"]*)"', page))
        assert {part for part, open_ in opened.items() if not open_} == (set(opened) - {"loss"} if folded else set())
        wrong = "loss" if folded else "forward"
        assert marked == {part: " is-wrong" if part == wrong else " is-correct" for part in opened}


def test_giving_up_after_the_check_of_a_part_checks_the_rest(browser):
    token = browser.start("mazur")
    texts = honest(browser.instance(token))
    browser.check(token, texts, phase="forward")
    browser.post(f"/x/{token}/give-up", {"submission_key": "first", **texts, "draft_seq": "1"})
    assert "All of it, by hand" in browser.client.get(f"/x/{token}", follow_redirects=True).text


def test_pages_and_assets_are_compressed_for_who_takes_it(browser):
    plain, packed = (browser.get("/", headers={"Accept-Encoding": kind}) for kind in ("identity", "gzip"))
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.data) < len(plain.data) / 2
    sheet = browser.get("/static/quizprop.css", headers={"Accept-Encoding": "gzip"})
    again = {"Accept-Encoding": "gzip", "If-None-Match": sheet.headers["ETag"]}
    assert browser.get("/static/quizprop.css", headers=again).status_code == 304
