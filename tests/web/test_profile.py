"""Laws of what is one's own: sessions, settings, all that is kept, and its end."""

import json
import re

import pytest

from quizprop.store import resets
from quizprop.web import zones
from quizprop.web.devices import summary
from tests.web.conftest import PASSWORD, Browser, words

FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0"


@pytest.fixture
def ada(browser):
    """A browser that is signed in as Ada."""
    assert browser.register().status_code == 303
    return browser


@pytest.fixture
def phone(app, ada):
    """Ada's other browser."""
    other = Browser(app)
    other.client.environ_base["HTTP_USER_AGENT"] = FIREFOX
    assert other.sign_in().status_code == 303
    return other


def signed_in(browser):
    return browser.get("/sessions").status_code == 200


def numbers(page):
    return re.findall(r'name="end" value="(\d+)"', page)


# --- sessions -------------------------------------------------------------------------------------------------------


def test_the_sessions_are_listed_with_their_browser_and_this_one_marked(ada, phone):
    page = phone.get("/sessions").text
    assert len(numbers(page)) == 2
    first, second = map(words, page.partition('<ul class="sessions">')[2].split("<li>")[1:3])
    assert "Firefox on Android" in first
    assert "This one" in first
    assert "A browser" in second
    assert "This one" not in second


def test_all_others_are_signed_out_only_where_there_are_others(app, ada):
    assert 'value="others"' not in ada.get("/sessions").text
    Browser(app).sign_in()
    assert 'value="others"' in ada.get("/sessions").text


def test_an_expired_form_of_the_sessions_leads_back_to_them(ada):
    assert ada.client.post("/sessions", data={"end": "all"}).location == "/sessions"
    assert ada.client.post("/download").location == "/settings"
    assert signed_in(ada)


def test_one_session_can_be_ended_from_another(ada, phone):
    this, other = numbers(phone.get("/sessions").text)
    assert phone.post("/sessions", {"end": other}).location == "/sessions"
    assert (signed_in(ada), signed_in(phone)) == (False, True)
    assert phone.post("/sessions", {"end": this}).location == "/"
    assert not signed_in(phone)


@pytest.mark.parametrize(("which", "alive"), [("others", (False, True)), ("all", (False, False))])
def test_all_sessions_can_be_ended_with_this_one_or_without(ada, phone, which, alive):
    assert phone.post("/sessions", {"end": which}).status_code == 303
    assert (signed_in(ada), signed_in(phone)) == alive


@pytest.mark.parametrize("which", ["", "0", "-1", "9" * 30, "\N{ARABIC-INDIC DIGIT ONE}", "everything"])
def test_what_is_no_session_of_mine_ends_nothing(app, ada, which):
    other = Browser(app)
    other.register("bob")
    (of_bob,) = numbers(other.get("/sessions").text)
    for number in (which, of_bob):
        assert ada.post("/sessions", {"end": number}).location == "/sessions"
    assert signed_in(ada)
    assert signed_in(other)


def test_sessions_are_for_accounts(browser):
    assert browser.get("/sessions").location == "/sign-in?next=/sessions"
    assert browser.post("/sessions", {"end": "all"}).status_code == 404


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (FIREFOX, "Firefox on Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/129.0 Safari/537.36 Edg/129.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/17.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) CriOS/129.0 Safari/604.1", "Chrome on iPhone"),
        ("Mozilla/5.0 (X11; CrOS x86_64) Chrome/129.0 Safari/537.36", "Chrome on ChromeOS"),
        ("curl/8.5.0", None),
        ("", None),
        ("<script>Firefox/</script>" + "Android " * 10_000, "Firefox on Android"),
    ],
)
def test_a_browser_is_named_in_a_few_words_of_ours(user_agent, device):
    assert summary(user_agent) == device


# --- settings -------------------------------------------------------------------------------------------------------

CHOSEN = {"language": "de", "time_zone": "Asia/Kolkata", "decimal_mark": "comma"}


def test_settings_follow_the_account_to_another_device(ada, phone):
    assert ada.post("/settings", CHOSEN, page="/settings").status_code == 303
    page = phone.get("/settings").text
    assert '<html lang="de"' in page
    assert '<option value="Asia/Kolkata" selected>' in page
    phone.start("mazur")
    assert "IST" in phone.get("/progress").text
    ada.post("/settings", {**CHOSEN, "language": "", "time_zone": ""}, page="/settings")
    assert '<html lang="en"' in phone.get("/settings").text


def test_settings_work_before_there_is_anything_to_keep_and_come_along(browser, app):
    browser.post("/settings", CHOSEN, page="/settings")
    assert browser.rows()["learner"] == 0
    assert '<html lang="de"' in browser.get("/progress").text
    browser.register()
    other = Browser(app)
    other.sign_in()
    assert '<option value="Asia/Kolkata" selected>' in other.get("/settings").text
    assert '<html lang="de"' in other.get("/settings").text


def test_the_language_of_the_footer_follows_the_account_too(ada, phone):
    ada.post("/language", {"language": "es", "back": "/progress"})
    assert '<html lang="es"' in phone.get("/progress").text


def test_the_decimal_mark_chosen_is_that_of_the_next_sheet(browser):
    browser.post("/settings", CHOSEN, page="/settings")
    token = browser.start("mazur")
    assert re.search(r'name="decimal_comma"[^>]*checked', browser.get(f"/x/{token}").text)


@pytest.mark.parametrize("wrong", [{"language": "xx"}, {"time_zone": "Moon/Sea"}, {"decimal_mark": "colon"}])
def test_a_setting_that_is_no_choice_changes_nothing(browser, wrong):
    answer = browser.post("/settings", {**CHOSEN, **wrong}, page="/settings")
    assert answer.status_code == 422
    assert "not among the choices" in answer.text
    assert '<html lang="en"' in browser.get("/").text


@pytest.mark.parametrize(
    ("cookie", "written"),
    [("Europe/Madrid", "CE"), ("America/Sao_Paulo", "UTC-03"), ("../../etc/passwd", "UTC"), ("Nowhere", "UTC")],
)
def test_moments_are_written_where_the_browser_is_unless_it_talks_nonsense(ada, cookie, written):
    ada.client.set_cookie("quizprop_zone", cookie)
    page = ada.get("/sessions").text
    assert re.search(rf'<time datetime="[^"]*\+00:00">[^<]* {written}[^<]*</time>', page)


def test_a_zone_that_is_in_no_region_stays_chosen(browser):
    browser.post("/settings", {**CHOSEN, "time_zone": "Etc/GMT+5"}, page="/settings")
    page = browser.get("/settings").text
    assert '<option value="Etc/GMT+5" selected>' in page
    assert re.search(r'name="decimal_mark" value="comma" checked', page)


def test_every_zone_that_is_offered_is_one():
    offered = [name for group in zones.zones_by_region().values() for name, _ in group]
    assert len(offered) > 300
    assert all(zones.is_zone(name) for name in offered)


def test_expired_settings_come_back_as_they_were_chosen(browser):
    answer = browser.client.post("/settings", data=CHOSEN)
    assert answer.status_code == 400
    assert '<option value="Asia/Kolkata" selected>' in answer.text


# --- all of it, and its end -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("registered", [False, True])
def test_everything_can_be_taken_along(browser, registered):
    tokens = [browser.start("mazur") for _ in range(2)]
    browser.check(tokens[0], {"z1[1]": "0.3775"})
    if registered:
        browser.register()
    answer = browser.post("/download", buffered=True)
    assert answer.mimetype == "application/json"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    data = json.loads(answer.text)
    assert [sheet["token"] for sheet in data["sheets"]] == tokens
    assert data["sheets"][0]["submissions"][0]["raw"]["z1[1]"] == "0.3775"
    assert (data["account"] or {}).get("username") == ("ada" if registered else None)
    assert "password_hash" not in answer.text


def test_there_is_nothing_to_take_along_or_delete_of_who_did_nothing(browser):
    assert browser.post("/download").status_code == 404
    assert browser.post("/delete").status_code == 404
    assert browser.get("/delete").location == "/settings"
    assert "Nothing is kept" in browser.get("/settings").text


def test_an_account_is_deleted_by_its_password_and_by_nothing_else(ada, phone):
    ada.start("mazur")
    with ada.database.write() as session:
        resets.issue_reset_link(session, username="ada", now=1)
    before = ada.rows()
    for typed in ("", "not my password"):
        assert ada.post("/delete", {"current": typed, "sure": "y"}, page="/delete").status_code == 422
    assert ada.rows() == {**before, "rate_limit": ada.rows()["rate_limit"]}
    assert ada.client.post("/delete", data={"current": PASSWORD}).status_code == 400
    assert ada.post("/delete", {"current": PASSWORD}, page="/delete").location == "/"
    assert {name for name, count in ada.rows().items() if count} == {"rate_limit"}
    assert "Everything is deleted." in ada.get("/").text
    assert not signed_in(phone)


def test_practice_without_an_account_is_deleted_by_a_tick(browser):
    browser.start("mazur")
    assert "Tick the box" in browser.post("/delete", page="/delete").text
    assert browser.post("/delete", {"sure": "y"}, page="/delete").location == "/"
    assert {name for name, count in browser.rows().items() if count} <= {"rate_limit"}
