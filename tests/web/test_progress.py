"""The page of progress: what is believed of each skill, slips made and overcome, days, and every sheet."""

import re

import pytest

from quizprop.store import learning
from quizprop.web import state
from quizprop.web.state import services
from tests.web.conftest import honest, words

DAY = 24 * 3600 * 1_000_000


def work(browser, slug="forward-pass", **changed):
    token = browser.start(slug)
    texts = honest(browser.instance(token))
    browser.check(token, texts | {key: texts.get(other, other) for key, other in changed.items()})
    return token


def standing(page, skill):
    """What is said of a skill."""
    part = next(one for one in page.split("<li ")[1:] if f"<h4>{skill}</h4>" in one)
    return words("<" + part.partition("</li>")[0])


@pytest.fixture
def progress(browser):
    return lambda: browser.get("/progress").text


def test_every_skill_of_the_map_is_on_it_and_can_be_practised(browser, app, progress):
    work(browser)
    page = progress()
    with app.app_context():
        names = [skill.name for skill in services().skills]
    assert re.findall(r'name="skill" value="([^"]*)"', page) == [
        *(name for name in names if f">{name}</h4>" in page.partition("Beyond")[0]),
        *(name for name in names if f">{name}</h4>" in page.partition("Beyond")[2]),
    ]
    assert len(re.findall('name="skill"', page)) == len(names)


def test_a_skill_goes_from_not_begun_to_settled(browser, progress):
    work(browser, "deltas")
    assert "Not begun" in standing(progress(), "net input")
    work(browser, **dict.fromkeys(("z1[1]", "z1[2]", "z1[3]", "z2[1]"), "99"))
    assert "In progress" in standing(progress(), "net input")
    for _ in range(3):
        work(browser)
    assert "Settled again on" in standing(progress(), "net input")
    assert "after hidden delta, gradient" in standing(progress(), "recurrent")
    begun = standing(progress(), "hidden delta")
    assert ("In progress" in begun, "after" in begun) == (True, False)


def test_what_is_due_says_so(browser, progress, monkeypatch):
    for _ in range(3):
        token = work(browser)
    assert "Nothing is due for review." in progress()
    with browser.database.read() as session:
        due = learning.skills_of(session, browser.variant(token).learner_id)["net input"].due_at
    monkeypatch.setattr("quizprop.web.progress.now", lambda: due + 1)
    assert "Due for review" in standing(progress(), "net input")


def test_a_slip_is_listed_until_it_is_overcome_and_then_said_to_be(browser, progress):
    work(browser, **{"a1[1]": "z1[1]"})

    def row():
        return words(progress().partition(">activation skipped</th>")[2].partition("</tr>")[0])

    assert row().startswith("activation 1 time not met again")
    work(browser)
    assert "avoided 1 time" in row()
    work(browser)
    work(browser)
    assert "✓ Overcome" in row()


def test_days_are_those_of_the_visitor_s_own_calendar(browser, progress, monkeypatch):
    midnight = (state.now() // DAY) * DAY  # in UTC
    for moment in (midnight - 2 * DAY + 1, midnight - DAY - 3600 * 1_000_000, midnight - DAY + 3600 * 1_000_000):
        monkeypatch.setattr("quizprop.web.desk.now", lambda moment=moment: moment)
        work(browser)
    page = progress().partition('id="days-title"')[2].partition("</table>")[0]
    assert len(re.findall('<th scope="row">', page)) == 2
    browser.client.set_cookie("quizprop_zone", "Pacific/Honolulu")
    page = progress().partition('id="days-title"')[2].partition("</table>")[0]
    assert len(re.findall('<th scope="row">', page)) == 2
    assert words(page).count("1 1") + words(page).count("2 2") == 2


def test_a_sheet_that_is_right_twice_is_solved_once(browser, progress):
    token = work(browser)
    texts = honest(browser.instance(token))
    browser.check(token, {key: f"{text} " for key, text in texts.items()}, key="second")
    assert browser.rows()["submission"] == 2
    row = progress().partition('id="days-title"')[2].partition("</tbody>")[0]
    assert re.findall(r'class="figure"[^>]*>(\d+)<', row) == ["1", "1"]


def test_every_sheet_can_be_looked_back_at_attempt_by_attempt(browser):
    tokens = [browser.start("deltas") for _ in range(52)]
    texts = honest(browser.instance(tokens[0]))
    browser.check(tokens[0], dict.fromkeys(texts, "9"))
    browser.check(tokens[0], texts, key="second")
    first, second = browser.get("/progress/sheets").text, browser.get("/progress/sheets?page=2").text
    shown = re.findall(r'<li>\s*<a href="/x/([^"]*)"', first + second)
    assert shown == tokens[::-1]
    assert 'rel="next"' in first
    assert 'rel="prev"' in second
    for attempt in (1, 2):
        address = f"/x/{tokens[0]}/s/{attempt}?checked=y"
        assert address in second
        assert browser.get(address).status_code == 200


def test_a_page_of_sheets_that_is_not_there_is_not_found(browser):
    assert browser.get("/progress/sheets").status_code == 404  # nobody has any yet
    browser.start("deltas")
    for number in ("0", "-1", "2", "x", "²", "9" * 40):
        assert browser.get(f"/progress/sheets?page={number}").status_code == 404
    assert browser.get("/progress/sheets?page=1").status_code == 200


def test_the_bank_says_what_is_solved_and_what_is_to_be_gone_on_with(browser):
    token = browser.start("mazur")
    page = words(browser.get("/").text)
    assert ("Not finished yet" in page, "Start over" in page, "Solved" in page) == (True, True, False)
    browser.check(token, honest(browser.instance(token)))
    browser.post(f"/x/{browser.start('mazur-like')}/give-up")
    page = words(browser.get("/").text)
    assert ("Not finished yet" in page, "Start over" in page, "Solved" in page) == (False, False, True)
    assert "Given up" in words(browser.get("/progress/sheets").text)
