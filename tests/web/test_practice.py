"""Laws of practising: start, fill in, hear what is right, try again, see the solution."""

import html
import re
from itertools import pairwise

import pytest
from sqlalchemy import insert, select

from quizprop.exercise.bank import load_bank
from quizprop.exercise.notation import NOTATIONS
from quizprop.store.models import HintUse, Submission
from quizprop.web import practice
from tests.web.conftest import Browser, cell, hidden, honest, typed, words

BANK = {slug: exercise for slug, exercise in load_bank().items() if exercise.question == "sheet"}
SENTINEL = "77.125"
COMMA = re.compile(r'name="decimal_comma" value="y" checked')


def test_the_bank_lists_every_exercise_with_the_recommended_one_first(browser):
    first = browser.get("/").text
    links = re.findall(r'href="(/(?:kinds/[a-z-]+)?)"', first.partition('class="shelves"')[2])
    pages = [browser.get(link).text for link in dict.fromkeys(links)]
    assert pages[0] == first
    titles = [words(title) for page in pages for title in re.findall(r"<h3>(.*?)</h3>", page, re.DOTALL)]
    assert sorted(titles) == sorted(exercise.title for exercise in load_bank().values())
    assert titles[0] == "Mazur's network"
    for slug in load_bank():
        assert f'action="/exercises/{slug}/start"' in "".join(pages)
    forward = [slug for slug in re.findall(r'action="/exercises/([^/]+)/start"', "".join(pages)) if "forward-" in slug]
    usual = ["forward-pass", "forward-tanh", "forward-relu", "forward-leaky-relu"]  # as long as each other
    assert [slug for slug in forward if slug in usual] == usual
    assert browser.get("/kinds/no-such").status_code == 404


def test_the_first_page_is_light(browser):
    def sent(url):
        return len(browser.get(url, headers={"Accept-Encoding": "gzip"}).data)

    assets = re.findall(r'(?:href|src)="(/static/[^"]+)"', browser.get("/").text)
    assert len(assets) >= 3
    assert sent("/") + sum(map(sent, assets)) < 30_000


@pytest.mark.parametrize("slug", BANK)
def test_a_started_sheet_has_an_empty_field_for_each_cell(visitor, slug):
    token = visitor.start(slug)
    page = visitor.get(f"/x/{token}").text
    cells = visitor.instance(token).cells
    assert typed(page) == dict.fromkeys((one.key for one in cells if not one.options), "")
    chosen = set(re.findall(r'<input [^>]*type="radio" [^>]*name="([^"]+)"|name="([^"]+)"[^>]*type="radio"', page))
    assert {first or second for first, second in chosen} >= {one.key for one in cells if one.options}


@pytest.mark.parametrize("slug", BANK)
def test_an_honest_sheet_gets_full_marks_and_the_solution(visitor, slug):
    token = visitor.start(slug)
    texts = honest(visitor.instance(token))
    page = visitor.checked(token, texts).text
    assert f"{len(texts)} of {len(texts)}" in words(page)
    assert "Worked solution" in page
    assert "Not right" not in page


@pytest.mark.parametrize("slug", BANK)
@pytest.mark.parametrize("texts", [{}, {"wrong": SENTINEL}], ids=["blank", "all wrong"])
def test_nothing_gives_an_answer_a_tolerance_or_the_seed_away(common_app, visitor, slug, texts, monkeypatch):
    # The same numbers every time: others may agree by chance with a number that stands in every page.
    monkeypatch.setattr(practice.secrets, "randbits", lambda bits: 2**bits // 3)
    token = visitor.start(slug)
    instance, variant = visitor.instance(token), visitor.variant(token)
    if texts:
        answer = visitor.checked(token, {one.key: SENTINEL for one in instance.cells})
    else:
        answer = visitor.get(f"/x/{token}")
    cookie = visitor.client.get_cookie("quizprop").value
    inside = common_app.session_interface.get_signing_serializer(common_app).loads(cookie)
    told = " ".join([answer.text, str(answer.headers), cookie, str(inside)])
    places = instance.exercise.places
    shown = {f"{abs(number):.{places}f}" for key, number in instance.values.items() if key_is_given(instance, key)}
    for key in (one.key for one in instance.cells):
        number = f"{abs(instance.values[key]):.{places}f}"
        # A number of few digits, or one that is given, may stand in a page for another reason.
        if number not in shown and len(number.replace(".", "").strip("0")) > 2:
            assert number.rstrip("0") not in numbers_in(told), key
            assert f"{abs(instance.values[key]):.8f}"[:-1] not in told
        # A whole number has no tolerance: 0.0 stands anywhere.
        assert not instance.tolerances[key] or repr(instance.tolerances[key]) not in told
    assert str(variant.seed) not in told
    assert f"{variant.seed:032x}" not in told
    assert variant.given == instance.given


def key_is_given(instance, key):
    return key.partition("[")[0] in instance.given


def numbers_in(text):
    return {number.rstrip("0") for number in re.findall(r"\d+\.\d+", text)}


def test_a_known_slip_is_told_by_its_sentence_and_costs_only_itself(browser):
    token = browser.start("mazur")
    texts = {**honest(browser.instance(token)), "delta1[1]": "0.0363503"}
    page = browser.checked(token, texts).text
    said = words(cell(page, "delta1[1]"))
    assert "A known slip" in said
    assert "One more factor" in said
    assert "read as 0.0363503" in said
    assert "38 of 39" in words(page)
    assert "All values before this are right." in page
    assert 'href="#delta1-1"' in page


def test_right_before_is_claimed_only_where_it_is_true(browser):
    token = browser.start("mazur")
    texts = {**honest(browser.instance(token)), "delta1[1]": "5", "z1[1]": ""}
    page = browser.checked(token, texts).text
    assert 'href="#delta1-1"' in page
    assert "All values before this are right." not in page


def test_nothing_before_the_first_value_is_called_right(browser):
    token = browser.start("mazur")
    assert "All values before this are right" not in browser.checked(token, {"z1[1]": "5"}).text


def test_every_button_of_the_bank_says_by_itself_what_it_is_for(browser):
    browser.start("mazur")
    browser.start("mazur-like")
    page = browser.get("/").text
    _, _, cards = page.partition('<form class="cards"')
    names = [words(name) for name in re.findall(r"<button [^>]*formaction=[^>]*>(.*?)</button>", cards)]
    titles = {exercise.title for exercise in BANK.values()}
    assert len(names) == cards.count("<article")
    assert {name.partition(" : ")[2] for name in names} <= titles
    assert {name.partition(" : ")[0] for name in names} == {"Start", "Start over", "New numbers"}


@pytest.mark.parametrize(("slug", "whole"), [("mazur", True), ("forward-pass", False)])
def test_praise_names_only_what_was_done(browser, slug, whole):
    token = browser.start(slug)
    page = words(browser.checked(token, honest(browser.instance(token))).text)
    assert ("taken the error all the way back" in page) == whole
    assert "every value holds" in page.lower()


def test_a_choice_is_told_in_its_own_words(browser):
    token = browser.start("did-it-fall")
    right = honest(browser.instance(token))
    page = browser.checked(token, {**right, "fell": str(1 - round(float(right["fell"])))}).text
    assert "read as" not in words(cell(page, "fell"))
    answer = browser.post(f"/x/{token}/give-up", {"submission_key": "end"}, page=f"/x/{token}/s/1")
    page = words(browser.client.get(answer.location, follow_redirects=True).text)
    value, word = re.search(r"= ([01]) \((no|yes)\) yours (?:no|yes)", page).groups()
    assert float(value) == float(right["fell"]) == ["no", "yes"].index(word)


@pytest.mark.parametrize("slug", ["shapes-forward", "shapes-backward", "parameters"])
def test_a_picture_that_would_be_the_answer_comes_with_the_solution(browser, slug):
    token = browser.start(slug)
    assert "qp-diagram" not in browser.get(f"/x/{token}").text
    assert "qp-diagram" in browser.checked(token, honest(browser.instance(token))).text


def test_an_accepted_cell_says_why_and_shows_in_the_picture(browser):
    token = browser.start("mazur")
    page = browser.checked(token, {"z1[1]": "0.15*0.05 + 0.2*0.1 + 0.35", "z1[2]": "0.5"}).text
    right, wrong = cell(page, "z1[1]"), cell(page, "z1[2]")
    assert "Correct" in right
    assert "read as 0.3775" in right
    assert 'class="reason"' in right
    assert 'class="reason"' not in wrong
    picture = page.partition("<svg")[2].partition("</svg>")[0]
    assert ">0.3775<" in page.partition('class="desk"')[2].partition("</svg>")[0]
    assert ">0.5<" not in picture


def test_a_value_that_follows_earns_its_point_and_says_from_what(browser):
    token = browser.start("mazur")
    page = browser.checked(token, {"z1[1]": "0.5", "a1[1]": "0.6225"}).text
    assert "Follows" in cell(page, "a1[1]")
    assert "follows from your earlier value" in cell(page, "a1[1]")
    assert "1 of 39 points" in words(page)


def test_an_unreadable_cell_keeps_its_text_and_costs_only_itself(browser):
    token = browser.start("mazur")
    long = "1" * 300
    page = browser.checked(token, {**honest(browser.instance(token)), "E": "1,000", "e[1]": long}).text
    assert typed(page)["E"] == "1,000"
    assert typed(page)["e[1]"] == long
    assert "can be read in two ways" in words(cell(page, "E"))
    assert "type at most 200" in words(cell(page, "e[1]"))
    assert "37 of 39" in words(page)


def test_what_is_typed_is_text_and_never_markup(browser):
    token = browser.start("mazur")
    evil = "\"><script>alert('x')</script>&amp;<em>"
    page = browser.checked(token, {"z1[1]": evil}).text
    assert "<script>alert" not in page
    assert typed(page)["z1[1]"] == evil


def test_a_decimal_comma_is_read_where_it_was_chosen_and_remembered(browser):
    token = browser.start("mazur")
    assert "Not readable" in cell(browser.checked(token, {"z1[1]": "0,3775"}).text, "z1[1]")
    page = browser.checked(token, {"z1[1]": "0,3775"}, comma=True).text
    assert "Correct" in cell(page, "z1[1]")
    assert COMMA.search(browser.get(f"/x/{browser.start('chain')}").text)


def test_a_checked_sheet_keeps_its_own_decimal_mark(browser):
    token, other = browser.start("mazur"), browser.start("chain")
    browser.check(token, {"z1[1]": "0,3775"}, comma=True)
    browser.check(other, {"z1[1]": "0.5"})
    assert COMMA.search(browser.get(f"/x/{token}/s/1").text)
    browser.check(token, {"z1[1]": "0.3775"})
    browser.check(other, {"z1[1]": "0,5"}, comma=True)
    assert not COMMA.search(browser.get(f"/x/{token}/s/2").text)


def test_another_decimal_mark_is_other_work(browser):
    token = browser.start("mazur")
    texts = typed(browser.checked(token, {"z1[1]": "0,3775"}).text)
    answer = browser.check(token, texts, comma=True, notation="course")
    assert answer.status_code == 200
    assert COMMA.search(answer.text)
    page = browser.get(browser.post(f"/x/{token}/give-up", {**texts, "decimal_comma": "y"}).location).text
    assert "1 of 39 points" in words(page)


def test_a_sheet_sent_twice_is_one_attempt(browser):
    token = browser.start("mazur")
    first = browser.check(token, {"z1[1]": "0.3775"}, key="same")
    again = browser.check(token, {"z1[1]": "0.3775"}, key="same")
    assert first.location == again.location == f"/x/{token}/s/1#summary"
    assert browser.rows()["submission"] == 1


def test_what_is_changed_after_the_browsers_back_is_a_new_attempt(browser):
    token = browser.start("mazur")
    browser.check(token, {"z1[1]": "0.3775"}, key="same")
    assert browser.check(token, {"z1[1]": "0.4"}, key="same").location == f"/x/{token}/s/2#summary"


def test_a_blank_sheet_is_not_an_attempt(browser):
    token = browser.start("mazur")
    answer = browser.check(token, {"z1[1]": "  "})
    assert answer.status_code == 422
    assert "Nothing is filled in yet" in answer.text
    assert browser.rows()["submission"] == 0


def test_an_unusable_submission_key_is_replaced(browser):
    token = browser.start("mazur")
    assert browser.check(token, {"z1[1]": "1"}, key="no key! " * 30).status_code == 303


def test_what_is_stored_is_what_was_typed_read_and_told(browser):
    token = browser.start("mazur")
    browser.check(token, {"z1[1]": " .3775 ", "E": "x"})
    with browser.database.read() as session:
        row = session.execute(select(Submission)).one()
    assert '" .3775 "' in row.raw
    assert '"z1[1]":0.3775' in row.numbers
    assert '"z1[1]":{"verdict":"correct"' in row.marks
    assert row.decimal_comma is False
    assert (row.points, row.out_of) == (1, 39)


def test_coming_back_shows_the_last_attempt(browser):
    token = browser.start("mazur")
    browser.check(token, {"z1[1]": "0.3775"})
    assert browser.get(f"/x/{token}").location == f"/x/{token}/s/1"
    bank = browser.get("/").text
    assert f'href="/x/{token}"' in bank
    assert "Continue" in bank


def test_a_form_once_checked_is_ready_for_another_try_under_a_new_key(browser):
    token = browser.start("mazur")
    page = browser.checked(token, {"z1[1]": "0.4"}, key="one").text
    assert typed(page)["z1[1]"] == "0.4"
    assert hidden(page, "submission_key") != "one"


@pytest.mark.parametrize("notation", [name for name, _ in NOTATIONS])
def test_another_notation_keeps_what_is_typed(browser, notation):
    token = browser.start("mazur")
    answer = browser.check(token, {"z1[1]": "0.3", "a1[1]": "half <b>"}, notation=notation)
    assert answer.status_code == 200
    assert typed(answer.text)["z1[1]"] == "0.3"
    assert typed(answer.text)["a1[1]"] == "half <b>"
    assert hidden(answer.text, "submission_key") == "first"
    assert re.search(rf'value="{notation}"[^>]*aria-pressed="true"', answer.text)
    assert browser.rows()["submission"] == 0


def test_another_notation_keeps_the_feedback_of_a_checked_sheet(browser):
    token = browser.start("mazur")
    texts = typed(browser.checked(token, {"z1[1]": "0.3775"}).text)
    page = browser.get(browser.check(token, texts, notation="course").location).text
    assert "Correct" in cell(page, "z1[1]")
    assert re.search(r'value="course"[^>]*aria-pressed="true"', page)


def test_another_notation_keeps_the_feedback_of_an_older_attempt(browser):
    token = browser.start("mazur")
    texts = typed(browser.checked(token, {"z1[1]": "0.3775"}).text)
    for text in ("0.4", "0.3775", "0.5"):
        browser.check(token, {**texts, "z1[1]": text}, key=text)
    answer = browser.check(token, texts, notation="course")
    assert answer.location == f"/x/{token}/s/3"
    assert "Correct" in cell(browser.get(answer.location).text, "z1[1]")
    assert browser.rows()["submission"] == 4


def test_an_unknown_notation_changes_nothing(browser):
    token = browser.start("mazur")
    page = browser.get(f"/x/{token}?notation=runes").text
    assert re.search(r'value="mazur"[^>]*aria-pressed="true"', page)


def test_a_notation_by_address_is_remembered(browser):
    token = browser.start("mazur")
    browser.get(f"/x/{token}?notation=plain")
    assert re.search(r'value="plain"[^>]*aria-pressed="true"', browser.get(f"/x/{token}").text)


def test_giving_up_shows_the_solution_beside_what_was_typed(browser):
    token = browser.start("deltas")
    answer = browser.post(f"/x/{token}/give-up", {"delta2[1]": "0.4321"})
    page = browser.get(answer.location).text
    assert "Worked solution" in page
    assert ">0.4321<" in page
    for text in honest(browser.instance(token)).values():
        assert text.rstrip("0") in page


def test_giving_up_with_nothing_typed_is_no_attempt(browser):
    token = browser.start("deltas")
    page = browser.get(browser.post(f"/x/{token}/give-up").location).text
    assert "Worked solution" in page
    assert browser.rows()["submission"] == 0


def test_a_sheet_given_up_takes_no_more_answers_and_keeps_the_text(browser):
    token = browser.start("deltas")
    browser.post(f"/x/{token}/give-up")
    answer = browser.check(token, {"delta2[1]": "0.98765"})
    assert answer.status_code == 409
    assert "takes no more answers" in words(answer.text)
    assert "0.98765" in answer.text
    assert browser.rows()["submission"] == 0


def test_giving_up_in_two_tabs_keeps_the_text_of_both(browser):
    token = browser.start("deltas")
    browser.post(f"/x/{token}/give-up", {"delta2[1]": "0.4321"})
    answer = browser.post(f"/x/{token}/give-up", {"delta2[1]": "0.98765"})
    assert answer.status_code == 409
    assert "takes no more answers" in words(answer.text)
    assert ">0.98765<" in answer.text
    assert browser.rows()["submission"] == 1


def test_giving_up_twice_with_the_same_text_or_none_shows_the_solution(browser):
    token = browser.start("deltas")
    for texts in ({"delta2[1]": "0.4321"}, {"delta2[1]": "0.4321"}, {}):
        answer = browser.post(f"/x/{token}/give-up", texts)
        assert answer.status_code == 303
        assert ">0.4321<" in browser.get(f"/x/{token}/s/1").text
    assert browser.rows()["submission"] == 1


def test_giving_up_with_the_text_of_an_earlier_attempt_shows_that_attempt(browser):
    token = browser.start("deltas")
    for text in ("0.4321", "0.98765"):
        browser.check(token, {"delta2[1]": text})
    answer = browser.post(f"/x/{token}/give-up", {"delta2[1]": "0.4321"})
    assert answer.location == f"/x/{token}/s/1#summary"


def test_giving_up_a_sheet_that_another_tab_solved_keeps_the_text(browser):
    token = browser.start("deltas")
    browser.check(token, honest(browser.instance(token)))
    page = browser.get(browser.post(f"/x/{token}/give-up", {"delta2[1]": "0.98765"}).location).text
    assert ">0.98765<" in page
    assert browser.variant(token).given_up_at is None


def test_giving_up_a_sheet_that_is_complete_solves_it(browser):
    token = browser.start("deltas")
    browser.post(f"/x/{token}/give-up", honest(browser.instance(token)))
    assert browser.variant(token).given_up_at is None
    assert "Solved" in browser.get("/progress").text


def test_a_solved_sheet_offers_another_one(browser):
    where = {
        "deltas": "/x/{}/another",
        "mazur": "/exercises/mazur-like/start",
        "han-kamber": "/exercises/mazur-like/start",
    }
    for slug, another in where.items():
        token = browser.start(slug)
        page = browser.checked(token, honest(browser.instance(token))).text
        assert f'action="{another.format(token)}"' in page


def test_the_same_exercise_twice_has_other_numbers(browser):
    first, second = browser.start("mazur-like"), browser.start("mazur-like")
    assert browser.variant(first).given != browser.variant(second).given
    assert browser.variant(first).seed != browser.variant(second).seed


def test_progress_counts_sheets_and_checks(browser):
    token = browser.start("deltas")
    browser.check(token, {"delta2[1]": SENTINEL})
    browser.check(token, honest(browser.instance(token)))
    page = words(browser.get("/progress").text)
    assert "Deltas only" in page
    assert "100%" in page
    assert "Keep this progress." in page


def test_a_sheet_is_nobody_elses(app, browser):
    token = browser.start("mazur")
    other = Browser(app)
    assert other.get(f"/x/{token}").status_code == 404
    other.start("chain")
    browser.check(token, {"z1[1]": "0.3775"})
    for url in (f"/x/{token}", f"/x/{token}/s/1"):
        assert other.get(url).status_code == 404
    for url in (f"/x/{token}", f"/x/{token}/give-up"):
        assert other.post(url, {"z1[1]": "0.1"}).status_code == 404


def test_the_solution_says_that_last_digits_may_differ(browser):
    for slug in ("mazur", "han-kamber"):
        token = browser.start(slug)
        page = words(browser.get(browser.post(f"/x/{token}/give-up").location).text)
        places = browser.instance(token).exercise.places
        assert f"Computed in full, written to {places} decimals: a last digit may differ" in page


def test_headings_go_down_one_level_at_a_time(browser):
    token = browser.start("mazur")
    pages = [browser.get(url).text for url in ("/", "/progress", "/sign-in", "/register", "/nothing", f"/x/{token}")]
    pages += [browser.checked(token, {"z1[1]": text}).text for text in ("0.3775", "0.5")]
    pages += [browser.get(browser.post(f"/x/{token}/give-up").location).text]
    for page in pages:
        levels = [int(level) for level in re.findall(r"<h([1-6])\b", page)]
        assert levels[0] == 1
        assert all(level <= before + 1 for before, level in pairwise(levels)), levels


@pytest.mark.parametrize("slug", BANK)
def test_all_that_a_cell_depends_on_stands_on_the_page(visitor, slug):
    page = html.unescape(visitor.get(f"/x/{visitor.start(slug)}").text)
    present = set(re.findall(r'data-(?:key|given)="([^"]+)"', page))
    for sources in re.findall(r'data-depends="([^"]*)"', page):
        assert set(sources.split()) <= present


def test_every_cell_and_message_is_tied_together(browser):
    token = browser.start("mazur")
    page = browser.checked(token, {"z1[1]": "0.5"}).text
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'(?:for|aria-describedby|aria-labelledby)="([^"]+)"', page):
        assert set(target.split()) <= set(ids)
    for target in re.findall(r'href="#([^"]+)"', page):
        assert target in ids


# --- hints ----------------------------------------------------------------------------------------------------------


def rungs(page, key):
    return re.findall(r"<h4>(.*?)</h4>", cell(page, key))


def ask(browser, token, key, texts=None, **more):
    """The page after the hint button of a cell."""
    answer = browser.check(token, texts or {}, hint=key, **more)
    assert answer.status_code == 200
    return answer.text


def open_all(browser, token, keys, rung=3):
    """Open the hints of cells up to a rung, as pressing their buttons does."""
    desk_id = browser.variant(token).id
    with browser.database.write() as session:
        session.execute(
            insert(HintUse),
            [
                {"variant_id": desk_id, "key": key, "rung": number, "created_at": 1}
                for key in keys
                for number in range(1, rung + 1)
            ],
        )


def test_each_press_opens_the_next_rung_and_the_last_one_has_no_button(browser):
    token = browser.start("mazur")
    page = ask(browser, token, "z1[1]")
    for names in (["Idea", "Formula"], ["Idea", "Formula", "With your numbers"]):
        assert rungs(page, "z1[1]") == names[:-1]
        assert f'name="hint" value="z1[1] {len(names)}"' in page
        page = ask(browser, token, "z1[1]")
        assert rungs(page, "z1[1]") == names
    assert 'name="hint" value="z1[1] ' not in page
    assert 'aria-describedby=" hint-z1-1"' in page


def test_a_sheet_holds_no_hint_that_was_not_asked_for(browser):
    page = browser.get(f"/x/{browser.start('mazur')}").text
    assert "<h4>" not in page
    assert page.count('name="hint"') == len(typed(page))


def test_a_hint_keeps_what_is_typed_and_is_no_attempt(browser):
    token = browser.start("mazur")
    page = ask(browser, token, "a1[1]", {"z1[1]": "0,5", "a1[1]": "half <b>"}, comma=True)
    assert typed(page)["z1[1]"] == "0,5"
    assert typed(page)["a1[1]"] == "half <b>"
    assert COMMA.search(page)
    assert hidden(page, "submission_key") == "first"
    assert browser.rows()["submission"] == 0


def test_the_last_hint_takes_the_students_own_numbers_as_they_are_read(browser):
    token = browser.start("mazur")
    open_all(browser, token, ["a1[1]"], rung=2)
    page = ask(browser, token, "a1[1]", {"z1[1]": "1,25 + 6"}, comma=True)
    assert "e^(−7,25)" in html.unescape(cell(page, "a1[1]"))


def test_a_hint_keeps_the_feedback_of_what_has_not_changed(browser):
    token = browser.start("mazur")
    texts = typed(browser.checked(token, {"z1[1]": "0.3775", "z1[2]": "5", "a1[1]": "0.5"}).text)
    page = ask(browser, token, "z1[2]", texts)
    assert "Correct" in cell(page, "z1[1]")
    assert 'aria-describedby="said-z1-2 hint-z1-2"' in page
    assert cell(page, "z1[2]").index("Not right") < cell(page, "z1[2]").index("<h4>")
    assert 'class="summary' in page
    # Another text says nothing of what depends on it any more.
    page = ask(browser, token, "z1[2]", {**texts, "z1[1]": "0.4"})
    assert "Correct" not in cell(page, "z1[1]")
    assert "Not right" not in cell(page, "a1[1]")
    assert "Not right" in cell(page, "z1[2]")
    assert 'class="summary' not in page


def test_another_decimal_mark_keeps_no_feedback(browser):
    token = browser.start("mazur")
    texts = typed(browser.checked(token, {"z1[1]": "0.3775"}).text)
    assert "Correct" not in ask(browser, token, "z1[2]", texts, comma=True)


def test_hints_stay_open_through_a_check_and_another_notation(browser):
    token = browser.start("mazur")
    open_all(browser, token, ["z1[2]"], rung=2)
    page = browser.checked(token, {"z1[1]": "5"}).text
    assert rungs(page, "z1[2]") == ["Idea", "Formula"]
    answer = browser.check(token, typed(page), notation="matrix")
    page = browser.get(answer.location).text
    assert rungs(page, "z1[2]") == ["Idea", "Formula"]
    assert "z^[1] = W^[1] a^[0] + b^[1]" in page


def test_an_accepted_cell_says_why_and_needs_no_hint(browser):
    token = browser.start("mazur")
    open_all(browser, token, ["z1[1]"], rung=2)
    page = browser.checked(token, {"z1[1]": "0.3775"}).text
    assert not rungs(page, "z1[1]")
    assert 'name="hint" value="z1[1] ' not in page


@pytest.mark.parametrize("key", ["z9[1]", "nonsense", "<b>", "\x00"])
def test_a_hint_for_no_cell_opens_none(browser, key):
    token = browser.start("mazur")
    assert "<h4>" not in ask(browser, token, key)
    assert browser.rows()["hint_use"] == 0


def test_a_sheet_given_up_has_no_more_hints(browser):
    token = browser.start("deltas")
    browser.post(f"/x/{token}/give-up")
    page = ask(browser, token, "delta2[1]")
    assert "<h4>" not in page
    assert "Worked solution" in page


@pytest.mark.parametrize("slug", BANK)
@pytest.mark.parametrize("notation", [name for name, _ in NOTATIONS])
def test_every_cell_can_be_asked_for_all_its_hints_in_every_notation(visitor, slug, notation):
    token = visitor.start(slug)
    keys = [one.key for one in visitor.instance(token).cells]
    visitor.get(f"/x/{token}?notation={notation}")
    open_all(visitor, token, keys)
    page = visitor.checked(token, dict.fromkeys(keys, "n/a")).text
    assert page.count("<h4>") == 3 * len(keys)


def test_a_value_is_echoed_with_the_decimal_mark_that_was_typed(browser):
    token = browser.start("mazur")
    assert "read as 0,3775" in browser.checked(token, {"z1[1]": "0,3775"}, comma=True).text
    assert "read as 0.3775" in browser.checked(token, {"z1[1]": "0.3775"}, draft_seq="1").text


# --- the solution from the first wrong step on ----------------------------------------------------------------------


def test_a_solution_begins_at_the_first_wrong_step_and_the_earlier_ones_can_be_opened(browser):
    token = browser.start("mazur")
    texts = {**honest(browser.instance(token)), "a1[1]": "5"}
    page = browser.get(browser.post(f"/x/{token}/give-up", texts).location).text
    earlier, _, rest = page.partition("From your first wrong step on")
    assert "Show all steps: 2 before your first wrong one" in earlier
    assert earlier.count('class="step"') == 2
    assert rest.count('class="step"') == len(texts) - 2


def test_a_solution_is_whole_where_nothing_is_wrong(browser):
    token = browser.start("deltas")
    page = browser.get(browser.post(f"/x/{token}/give-up", {}).location).text
    assert "Show all steps" not in page
    solved = browser.checked(browser.start("mazur"), honest(browser.instance(browser.start("mazur")))).text
    assert "Show all steps" not in solved
    assert "with your values" not in solved


def test_the_students_own_numbers_stand_below_the_exact_ones(browser):
    token = browser.start("mazur")
    texts = {**honest(browser.instance(token)), "z1[1]": "0.5"}
    page = browser.get(browser.post(f"/x/{token}/give-up", texts).location).text
    assert page.count("with your values") == 1
    assert "0.6225" in page
