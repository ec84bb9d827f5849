"""Laws of limits: a guesser is held up, a class is not, and everyone is told for how long."""

import pytest

from quizprop.web import limits
from quizprop.web.app import create_app
from quizprop.web.limits import LIMITS, Limit, when_again
from tests.web.conftest import PASSWORD, SECRET, Browser, typed, words
from tests.web.test_courses import (
    come_in,
    give_set,
    grace,  # noqa: F401 - a fixture
    set_token,
    token,  # noqa: F401 - a fixture
)

WRONG = "not the password"
ONE = Limit(1, 3600)


@pytest.fixture
def limited(app):
    """Set limits of the application, as in ``limited({"sheet, learner": ONE})``."""
    return app.config["LIMITS"].update


@pytest.fixture(autouse=True)
def _own_limits(app):
    app.config["LIMITS"] = {}


def test_after_ten_wrong_passwords_even_the_right_one_has_to_wait(app, browser):
    browser.register()
    other = Browser(app)
    assert [other.sign_in(password=WRONG).status_code for _ in range(10)] == [422] * 10
    # In whatever way the name is typed.
    for name in ("ada", " ADA ", "a\u3164da"):
        answer = other.sign_in(name)
        assert answer.status_code == 429
    assert 100 < int(answer.headers["Retry-After"]) <= 120
    assert "Try again in 2 minutes." in words(answer.text)
    assert PASSWORD not in answer.text
    assert 'value="ada"' in other.sign_in("ada").text
    assert other.sign_in("bob").status_code == 422


def test_a_right_password_costs_nothing(app, browser, limited):
    limited({"password, name": Limit(2, 3600), "password, address": Limit(2, 3600)})
    browser.register()
    for _ in range(5):
        assert Browser(app).sign_in().status_code == 303


def test_guesses_at_many_names_from_one_address_are_held_up_too(app, limited):
    limited({"password, address": Limit(2, 3600)})
    other = Browser(app)
    assert [other.sign_in(f"name {n}").status_code for n in range(3)] == [422, 422, 429]


def test_an_unknown_name_is_held_up_as_a_known_one_is(app, limited):
    limited({"password, name": ONE})
    other = Browser(app)
    assert [other.sign_in("nobody").status_code for _ in range(2)] == [422, 429]


def test_the_other_doors_that_ask_for_the_password_count_with_the_first(browser, limited):
    limited({"password, name": Limit(2, 3600)})
    browser.register()
    browser.post("/password", {"current": WRONG, "password": "x" * 9}, page="/password")
    browser.post("/delete", {"current": WRONG}, page="/delete")
    changing = browser.post("/password", {"current": PASSWORD, "password": "x" * 9}, page="/password")
    deleting = browser.post("/delete", {"current": PASSWORD}, page="/delete")
    assert (changing.status_code, deleting.status_code) == (429, 429)
    assert "Try again in" in words(deleting.text)


def test_sheets_registrations_new_learners_and_downloads_have_limits(app, browser, limited):
    names = ("sheet, learner", "registration, address", "learner, address", "download, learner")
    limited(dict.fromkeys(names, ONE))
    assert browser.start_answer().status_code == 303
    refused = browser.start_answer()
    assert (refused.status_code, browser.rows()["variant"]) == (429, 1)
    assert "Try again in 60 minutes." in words(refused.text)
    assert Browser(app).start_answer().status_code == 429
    assert [browser.post("/download", buffered=True).status_code for _ in range(2)] == [200, 429]
    assert browser.register("x").status_code == 422
    answer = browser.register("ada")
    assert answer.status_code == 429
    assert 'value="ada"' in answer.text


def test_reset_attempts_have_a_limit(browser, limited):
    limited({"reset, address": ONE})
    assert [browser.post("/reset/x", {"password": PASSWORD}).status_code for _ in range(2)] == [404, 429]


@pytest.mark.parametrize(
    "asked",
    [
        ("course, learner", "/courses", {"title": "More"}),
        ("trial, learner", "/courses/{token}/exercises/chain", {"name": "mine", "do": "try"}),
        ("roster, learner", "/courses/{token}/roster", {"roster": "username\nann", "do": "apply"}),
        ("print, learner", "/courses/{token}/sets/{set}/worksheets", {"do": "html"}),
        ("print, learner", "/courses/{token}/exercises/chain/bank", {"format": "gift", "count": "1"}),
    ],
)
def test_what_costs_the_server_something_has_limits_for_those_who_teach(app, grace, token, limited, asked):  # noqa: F811
    name, path, data = asked
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token)
    limited({name: ONE})
    address = path.format(token=token, set=set_token(ada))
    assert [grace.post(address, data).status_code for _ in range(2)][-1] == 429


def test_checks_have_a_limit_and_what_was_typed_is_still_there(browser, limited):
    limited({"check, learner": Limit(2, 3600)})
    sheet = browser.start("deltas")
    for text in ("0.1", "0.2", "0.2"):  # what is sent twice is kept once
        assert browser.check(sheet, {"delta2[1]": text}).status_code == 303
    for path in ("", "/give-up"):
        answer = browser.post(f"/x/{sheet}{path}", {"submission_key": "first", "delta2[1]": "1/3 <sure>"})
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 3000
        assert "Everything you typed is still here. Try again in 60 minutes." in words(answer.text)
        assert typed(answer.text)["delta2[1]"] == "1/3 <sure>"
    rows = browser.rows()
    assert rows["submission"] == 2
    assert browser.variant(sheet).given_up_at is None


def test_nobody_works_so_much_that_checks_come_to_their_limit():
    limit = LIMITS["check, learner"]
    assert limit.burst >= 600
    assert limit.seconds <= 6


def test_sheets_of_a_set_have_the_limit_of_all_sheets(app, grace, token, limited):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token, **{"points-deltas": "1"})
    limited({"sheet, learner": ONE})
    assert [ada.post(f"/sets/{set_token(ada)}/{number}").status_code for number in (1, 2)] == [303, 429]


def test_a_class_of_300_behind_one_address_gets_through():
    assert min(limit.burst for name, limit in LIMITS.items() if name.endswith("address") and "reset" not in name) >= 300


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (1, "Try again in 1 second."),
        (90, "Try again in 90 seconds."),
        (91, "Try again in 2 minutes."),
        (5400, "Try again in 90 minutes."),
        (5401, "Try again in 2 hours."),
    ],
)
def test_a_wait_is_said_in_words_and_never_too_short(seconds, sentence):
    assert when_again(seconds) == sentence


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_a_visitor_is_known_by_address_of_ipv6_by_network(app, address, known):
    with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert limits.client() == known


@pytest.mark.parametrize(("proxies", "known"), [(0, "192.0.2.1"), (1, "203.0.113.9"), (2, "198.51.100.4")])
def test_what_a_visitor_says_of_the_address_is_believed_of_as_many_proxies_as_there_are(tmp_path, proxies, known):
    url = f"sqlite:///{tmp_path}/q.sqlite"
    app = create_app({"DATABASE_URL": url, "SECRET_KEY": SECRET, "PROXIES": proxies})
    seen = []
    app.before_request(lambda: seen.append(limits.client()))
    forwarded = {"X-Forwarded-For": "10.0.0.1, 198.51.100.4, 203.0.113.9"}
    app.test_client().get("/healthz", headers=forwarded, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    app.extensions["quizprop"].database.close()
    assert seen == [known]
