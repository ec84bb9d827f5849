"""Laws of languages: which one a visitor is spoken to in, and how it is chosen."""

import re

import pytest

from quizprop.web.languages import known_languages
from quizprop.web.rendering import moment, percent


def lang(page: str) -> str:
    found = re.search(r'<html lang="([^"]*)"', page)
    assert found
    return found[1]


def test_every_language_is_named_in_itself():
    assert known_languages() == {"en": "English", "de": "Deutsch", "es": "Español"}


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("fr,es;q=0.5,en;q=0.2", "es"),
        ("fr-CA", "en"),
        ("en-US,de;q=0.9", "en"),
        ("*", "en"),
        ("", "en"),
        ("%%;q=x", "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_asks_for_if_there_is_one(browser, asked, spoken):
    assert lang(browser.get("/", headers={"Accept-Language": asked}).text) == spoken


def test_a_choice_wins_and_stays_over_signing_in_and_out(browser):
    answer = browser.post("/language", {"language": "es", "back": "/progress"})
    assert (answer.status_code, answer.location) == (303, "/progress")
    assert "Expires=" in answer.headers["Set-Cookie"]  # it outlasts the browser's own end
    page = browser.get("/progress", headers={"Accept-Language": "de"}).text
    assert lang(page) == "es"
    assert 'value="es" lang="es" aria-pressed="true"' in page
    browser.register()
    assert lang(browser.get("/").text) == "es"
    browser.post("/sign-out")
    assert lang(browser.get("/").text) == "es"


def test_an_unknown_language_changes_nothing(browser):
    assert browser.post("/language", {"language": "xx", "back": "/"}).status_code == 303
    assert lang(browser.get("/").text) == "en"


@pytest.mark.parametrize(
    ("back", "location"),
    [
        ("/gallery", "/gallery"),
        ("/progress?a=1", "/progress?a=1"),
        ("/register", "/register"),
        ("https://example.org/progress", "/"),
        ("//example.org/progress", "/"),
        ("/\\example.org", "/"),
        ("/\t/example.org", "/"),
        ("\\\\example.org", "/"),
        ("javascript:alert(1)", "/"),
        ("/language", "/"),
        ("/sign-out", "/"),
        ("/no/such/page", "/"),
        ("[", "/"),
        ("//[", "/"),
        ("", "/"),
    ],
)
def test_a_choice_leads_back_to_a_page_of_this_site_and_nowhere_else(browser, back, location):
    assert browser.post("/language", {"language": "de", "back": back}).location == location


def test_a_language_is_chosen_by_nobody_else(browser):
    browser.get("/")
    assert browser.client.post("/language", data={"language": "de", "back": "/"}).status_code == 400
    assert lang(browser.get("/").text) == "en"


@pytest.mark.parametrize(
    ("code", "share", "date"),
    [
        ("en", "29%", "1 January 1970, 00:00 UTC"),
        ("de", "29\N{NO-BREAK SPACE}%", "1. Januar 1970, 00:00 UTC"),
        ("es", "29\N{NO-BREAK SPACE}%", "1 de enero de 1970, 0:00 UTC"),
    ],
)
def test_shares_and_dates_are_written_as_the_language_writes_them(app, code, share, date):
    with app.test_request_context(headers={"Accept-Language": code}):
        assert percent(0.29) == share
        assert f">{date}<" in moment(0)


def test_the_words_of_a_formula_are_read_aloud_in_the_language_that_they_are_shown_in(browser):
    token, german = browser.start("did-it-fall"), {"Accept-Language": "de"}
    for _ in range(2):
        page = browser.post(f"/x/{token}", {"hint": "fell"}, headers=german).text
    (heard,) = re.findall(r'<span class="vh">(.* &gt; 0, .*)</span>', page)
    assert re.search(r" = 1 falls .* &gt; 0, sonst 0", heard)


def test_what_an_array_counts_is_named_in_the_language_wherever_it_stands(browser):
    token = browser.start("shapes-forward")
    page = browser.get(f"/x/{token}", headers={"Accept-Language": "es"}).text
    assert re.search(r'<span class="vh">[^<]* filas\(W\^\[1\]\)</span>', page)
    assert re.search(r"<mtext>filas\s</mtext>", page)
    assert not re.search(r"\b(rows|columns)\b[\s<]*\(", page)
