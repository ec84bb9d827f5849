"""Laws of accounts: nobody needs one, and with one nothing is lost."""

import re
import time

import pytest

from quizprop.store import resets
from tests.web.conftest import PASSWORD, Browser, hidden, words


def test_practice_begins_without_an_account_and_without_a_row_before_it(browser):
    browser.get("/")
    assert set(browser.rows().values()) == {0}
    browser.start("mazur")
    assert browser.rows()["learner"] == 1
    browser.start("chain")
    assert browser.rows() == {**browser.rows(), "learner": 1, "login_session": 1, "variant": 2, "account": 0}


def test_registering_keeps_the_practice_so_far(browser):
    token = browser.start("mazur")
    assert browser.register().status_code == 303
    assert browser.get(f"/x/{token}").status_code == 200
    page = browser.get("/progress").text
    assert "Mazur" in page
    assert "ada" in page
    assert "Keep this progress." not in page


def test_signing_in_claims_what_was_practised_without_the_account(app, browser):
    browser.register()
    elsewhere = Browser(app)
    token = elsewhere.start("chain")
    assert elsewhere.sign_in().status_code == 303
    assert elsewhere.get(f"/x/{token}").status_code == 200
    assert browser.get(f"/x/{token}").status_code == 200


def test_signing_out_ends_the_session_on_the_server_too(app, browser):
    token = browser.start("mazur")
    browser.register()
    kept = browser.client.get_cookie("quizprop").value
    assert browser.post("/sign-out", page="/progress").status_code == 303
    assert browser.get(f"/x/{token}").status_code == 404
    thief = Browser(app)
    thief.client.set_cookie("quizprop", kept)
    assert thief.get(f"/x/{token}").status_code == 404


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(app, browser):
    browser.register()
    other = Browser(app)
    answers = [other.sign_in(password="something else"), other.sign_in(username="nobody")]
    assert [answer.status_code for answer in answers] == [422, 422]
    for answer in answers:
        assert "don't go together" in words(answer.text)


def test_a_refused_registration_says_what_to_change_and_keeps_the_name(app, browser):
    answer = browser.register("ada", "short")
    assert answer.status_code == 422
    assert "8 to 1000 characters" in answer.text
    assert 'value="ada"' in answer.text
    assert "short" not in answer.text.partition("<form")[2]
    browser.register()
    assert "is taken" in Browser(app).register("Ada").text
    assert "3 to 100 characters, not 1" in Browser(app).register("x").text
    assert "Choose a user name." in Browser(app).register("", "").text
    both = Browser(app).register("x", "short").text
    assert ("3 to 100 characters, not 1" in both, "8 to 1000 characters, not" in both) == (True, True)


def test_registering_while_signed_in_leads_to_the_progress(browser):
    browser.register()
    for page in ("/register", "/sign-in"):
        assert browser.get(page).location == "/progress"
    assert browser.post("/register", {"username": "eve", "password": "a long password"}).status_code == 422


def test_a_changed_password_ends_all_other_sessions(app, browser):
    browser.register()
    other = Browser(app)
    other.sign_in()
    token = other.start("mazur")
    refused = browser.post("/password", {"current": "wrong", "password": "a new password"})
    assert "not your password" in refused.text
    assert "8 to 1000" in browser.post("/password", {"current": "a long password", "password": "x"}).text
    changed = browser.post("/password", {"current": "a long password", "password": "a new password"})
    assert changed.status_code == 303
    assert other.get(f"/x/{token}").status_code == 404
    assert browser.get(f"/x/{token}").status_code == 200
    assert other.sign_in().status_code == 422
    assert other.sign_in(password="a new password").status_code == 303


def test_the_password_page_is_for_accounts(browser):
    assert browser.get("/password").location == "/sign-in?next=/password"
    assert browser.post("/password", {"current": "x", "password": "y"}).location == "/sign-in?next=/password"


def test_an_expired_form_of_the_account_keeps_the_name_and_never_the_password(browser):
    for url in ("/register", "/sign-in"):
        answer = browser.client.post(url, data={"username": "ada <b>", "password": "secret words"})
        assert answer.status_code == 400
        assert 'value="ada &lt;b&gt;"' in answer.text
        assert "secret words" not in answer.text
    assert browser.client.post("/sign-out").status_code == 400


def test_an_expired_form_of_a_new_password_comes_back(browser):
    browser.register()
    answer = browser.client.post("/password", data={"current": PASSWORD, "password": "secret words"})
    assert (answer.status_code, 'name="current"' in answer.text, "secret words" in answer.text) == (400, True, False)


@pytest.mark.parametrize("way", ["sign in", "reset"])
def test_how_one_reads_and_writes_stays_as_it_was_chosen_before(app, browser, way):
    browser.register()
    elsewhere = Browser(app)
    chosen = {"language": "de", "time_zone": "Asia/Kolkata", "decimal_mark": "point"}
    elsewhere.post("/settings", chosen, page="/settings")
    elsewhere.get(f"/x/{elsewhere.start()}?notation=plain")
    if way == "reset":
        with browser.database.write() as session:
            link = f"/reset/{resets.issue_reset_link(session, username='ada', now=time.time_ns() // 1000)}"
        assert elsewhere.post(link, {"password": PASSWORD}, page=link).status_code == 303
    else:
        assert elsewhere.sign_in().status_code == 303
    page = elsewhere.get(f"/x/{elsewhere.start()}").text
    assert not re.search(r'name="decimal_comma"[^>]* checked', page)  # as it would be in German
    assert re.search(r'value="plain"[^>]* aria-pressed="true"', page)
    another = Browser(app)
    another.sign_in()
    page = another.get("/settings").text
    assert '<html lang="de"' in page
    assert '<option value="Asia/Kolkata" selected>' in page


def test_what_an_account_has_chosen_stays_whatever_was_chosen_before_signing_in(app, browser):
    browser.register()
    browser.post("/language", {"language": "es"})
    elsewhere = Browser(app)
    elsewhere.post("/language", {"language": "de"})
    elsewhere.sign_in()
    assert '<html lang="es"' in elsewhere.get("/").text


def test_a_visit_is_noted_at_most_once_an_hour(app, browser):
    from sqlalchemy import select, update

    from quizprop.store.models import LoginSession

    browser.start("mazur")
    with browser.database.write() as session:
        session.execute(update(LoginSession).values(last_seen_at=LoginSession.last_seen_at - 2 * 3_600_000_000))
    browser.get("/progress")
    with browser.database.read() as session:
        before = session.execute(select(LoginSession.last_seen_at)).scalar_one()
    assert "Set-Cookie" in browser.start_answer().headers
    with browser.database.read() as session:
        assert session.execute(select(LoginSession.last_seen_at)).scalar_one() > before


# --- going on where one was -----------------------------------------------------------------------------------------


def test_who_comes_to_a_sheet_without_being_signed_in_signs_in_and_goes_on(app, browser):
    browser.register()
    token = browser.start("mazur")
    elsewhere = Browser(app)
    answer = elsewhere.get(f"/x/{token}?notation=plain")
    assert answer.status_code == 404
    assert "Sign in and go on" in answer.text
    sign_in = f"/sign-in?next=/x/{token}?notation%3Dplain"
    assert f'href="{sign_in}"' in answer.text
    wanted = hidden(elsewhere.get(sign_in).text, "next")
    mistyped = elsewhere.post("/sign-in", {"username": "ada", "password": "mistyped", "next": wanted})
    assert hidden(mistyped.text, "next") == wanted
    done = elsewhere.post("/sign-in", {"username": "ada", "password": PASSWORD, "next": wanted})
    assert done.location == f"/x/{token}?notation=plain"
    assert "Sign in and go on" not in elsewhere.get("/x/nothing").text
    for address in ("/sets/none", "/courses/none"):
        assert f'href="/sign-in?next={address}"' in Browser(app).get(address).text


def test_who_sends_a_sheet_when_the_visit_has_ended_signs_in_and_goes_on(browser):
    browser.register()
    token = browser.start("mazur")
    browser.post("/sign-out")
    for form in ("", "/give-up", "/another"):
        answer = browser.post(f"/x/{token}{form}", {"z1[1]": "0.3775"})
        assert answer.status_code == 404
        assert f'href="/sign-in?next=/x/{token}"' in answer.text
        assert 'value="0.3775"' in answer.text
        assert "Try again" not in answer.text  # nothing is here as long as nobody signs in
    assert 'href="/sign-in?next=/sets/none"' in browser.post("/sets/none/begin").text
    browser.register("eve")
    assert "Sign in and go on" not in browser.post(f"/x/{token}").text


def test_signing_in_and_registering_lead_to_each_other_and_then_to_the_same_page(browser):
    for here, there in (("/sign-in", "/register"), ("/register", "/sign-in")):
        assert f'href="{there}?next=/sessions"' in browser.get(f"{here}?next=/sessions").text


def test_who_is_signed_in_already_just_goes_on(browser):
    browser.register()
    for page in ("/sign-in", "/register"):
        assert browser.get(f"{page}?next=/sessions").location == "/sessions"


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/",
        "//example.org/",
        "///example.org/",
        "////x/token",
        "/\\example.org/",
        "\\\\example.org/",
        "/\t/example.org/",
        "\t//example.org/",
        " //example.org/",
        "/%09/example.org/",
        "javascript:alert(1)",
        "x/token",
        "/progress\r\nSet-Cookie: a=b",
        "/progress?a=\r\nb",
        "/sign-out",
        "/no/such/page",
        "/@example.org",
        "http:/progress",
        "\N{FULLWIDTH SOLIDUS}/example.org/",
        "/x/" + "a" * 3000,
        "[",
        "",
    ],
)
def test_signing_in_leads_to_pages_of_this_site_and_nowhere_else(app, browser, address):
    with app.test_request_context():
        from quizprop.web.account import onward

        assert onward(address) == "/progress"
        assert onward("/sessions?a=//example.org") == "/sessions?a=//example.org"


# --- a forgotten password -------------------------------------------------------------------------------------------


def test_a_reset_link_sets_the_password_once_signs_in_and_ends_what_was_before(app, browser):
    browser.register()
    with browser.database.write() as session:
        link = resets.issue_reset_link(session, username="ada", now=time.time_ns() // 1000)
    elsewhere = Browser(app)
    token = elsewhere.start("chain")
    url = f"/reset/{link}"
    for _ in range(2):  # looked at by a scanner
        assert "A new password for ada" in elsewhere.get(url).text
    assert "8 to 1000 characters" in elsewhere.post(url, {"password": "short"}, page=url).text
    assert elsewhere.client.post(url, data={"password": "a new password"}).status_code == 400
    assert elsewhere.post(url, {"password": "a new password"}, page=url).location == "/progress"
    assert elsewhere.get(f"/x/{token}").status_code == 200
    assert elsewhere.get("/sessions").status_code == 200
    assert browser.get("/sessions").status_code == 302
    assert Browser(app).sign_in(password="a new password").status_code == 303
    for answer in (browser.get(url), browser.post(url, {"password": "yet another"})):
        assert answer.status_code == 404
        assert "does not work any more" in words(answer.text)
