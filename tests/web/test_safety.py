"""Laws of safety: nothing typed is lost, nothing is given away, every page is guarded."""

import re

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from quizprop.exercise.bank import load_bank
from quizprop.exercise.exercise_file import written_exercise
from quizprop.store.database import Database, DatabaseBusyError
from quizprop.web import desk, practice
from tests.web.conftest import Browser, hidden, typed, words

WORK = {"z1[1]": "0.3775", "a1[1]": "1/(1+exp(-0.3775))", "E": "not yet <sure>"}


def visits(browser):
    """How to come to each page that can be looked at."""
    token = browser.start("mazur")
    browser.check(token, WORK)
    browser.register()
    course = browser.post("/courses", {"title": "<b>"}).location
    browser.post(f"{course}/sets/new", {"title": "<i>", "points-mazur": "1"})
    (given,) = re.findall(rf'"{course}/sets/(?!new)(\w+)"', browser.get(course).text)
    exercise = {"source": written_exercise(load_bank()["deltas"]), "name": "mine", "do": "save"}
    browser.post(f"{course}/exercises/deltas", exercise)
    roster = {"roster": "username,name,section\nnew-one,<u>,<s>\n", "do": "apply"}
    browser.post(f"{course}/roster", roster)
    (member,) = re.findall(rf'"{course}/students/(\d+)"', browser.get(course).text)
    return {
        "/": "/",
        "/courses": "/courses",
        "/courses/<token>": course,
        "/courses/<token>/canvas.csv": f"{course}/canvas.csv",
        "/courses/<token>/grades": f"{course}/grades",
        "/courses/<token>/grades.csv": f"{course}/grades.csv",
        "/courses/<token>/mistakes": f"{course}/mistakes",
        "/courses/<token>/mistakes.csv": f"{course}/mistakes.csv",
        "/courses/<token>/mistakes.jsonl": f"{course}/mistakes.jsonl",
        "/courses/<token>/steps.csv": f"{course}/steps.csv",
        "/courses/<token>/moodle.csv": f"{course}/moodle.csv",
        "/courses/<token>/sets/<name>": f"{course}/sets/{given}",
        "/courses/<token>/sets/<name>/live": f"{course}/sets/{given}/live",
        "/courses/<token>/sets/<name>/regrade": f"{course}/sets/{given}/regrade",
        "/courses/<token>/sets/new": f"{course}/sets/new",
        "/courses/<token>/exercises": f"{course}/exercises",
        "/courses/<token>/exercises/<slug>": f"{course}/exercises/mine",
        "/courses/<token>/exercises/<slug>.toml": f"{course}/exercises/mine.toml",
        "/courses/<token>/record": f"{course}/record",
        "/courses/<token>/roster": f"{course}/roster",
        "/courses/<token>/students/<who>": f"{course}/students/{member}",
        "/courses/<token>/work/<sheet>": f"{course}/work/{token}",
        "/api/v1/": "/api/v1/",
        "/api/v1/courses": "/api/v1/courses",
        "/api/v1/courses/<token>/grades": f"/api/v1{course}/grades",
        "/api/v1/exercises": "/api/v1/exercises",
        "/api/v1/openapi.json": "/api/v1/openapi.json",
        "/api/v1/results": "/api/v1/results",
        "/api/v1/variants/<token>": f"/api/v1/variants/{token}",
        "/tokens": "/tokens",
        "/w/<code>": "/w/mazur-like.7.1",
        "/delete": "/delete",
        "/gallery": "/gallery",
        "/gallery/<slug>.svg": "/gallery/mazur.svg",
        "/healthz": "/healthz",
        "/metrics": "/metrics",
        "/readyz": "/readyz",
        "/join/<code>": "/join/NOSUCHIT",
        "/kinds/<name>": "/kinds/forward",
        "/password": "/password",
        "/progress": "/progress",
        "/progress/sheets": "/progress/sheets",
        "/register": "/register",
        "/reset/<link>": "/reset/unknown",
        "/sessions": "/sessions",
        "/sets": "/sets",
        "/sets/<token>": "/sets/0123456789abcdef",
        "/settings": "/settings",
        "/sign-in": "/sign-in",
        "/static/<path:filename>": "/static/quizprop.css",
        "/x/<token>": f"/x/{token}",
        "/x/<token>/s/<attempt>": f"/x/{token}/s/1",
        "/x/<token>/pictures": f"/x/{token}/pictures",
    }


def test_every_page_can_be_looked_at_guarded_and_without_a_trace(app, browser):
    pages = visits(browser)
    assert {rule.rule for rule in app.url_map.iter_rules() if "GET" in rule.methods} == set(pages)
    before = browser.rows()
    for url in pages.values():
        for visitor in (browser, Browser(app)):
            answer = visitor.get(url)
            assert answer.status_code < 500
            assert_guarded(answer)
    assert browser.rows() == before


@pytest.mark.parametrize("url", ["/nothing", "/x/nothing", "/sets/nothing", "/static/nothing"])
def test_errors_are_guarded_too(browser, url):
    answer = browser.get(url)
    assert answer.status_code == 404
    assert_guarded(answer)


def posts(app, browser):
    """An address for every form there is, in which something stands for each part; and what it says in the rule."""
    adapter, known = app.url_map.bind("localhost"), {"item": "1", "position": "1"}
    for address in visits(browser).values():
        _, arguments = adapter.match(address)
        known |= {(address.split("/")[1], name): value for name, value in arguments.items()}
    given = known["sets", "token"] = known["courses", "name"]
    tried = browser.post(f"/courses/{known['courses', 'token']}/sets/{given}/preview")
    assert tried.location == f"/sets/{given}"
    for rule in app.url_map.iter_rules():
        if "POST" in rule.methods:
            kind = rule.rule.split("/")[1]
            parts = {name: known.get((kind, name)) or known.get(name, "mazur") for name in rule.arguments}
            yield rule.rule, adapter.build(rule.endpoint, parts, method="POST")


@pytest.mark.parametrize("who", ["signed out", "a stranger", "a visitor"])
def test_a_form_without_its_token_breaks_nothing_even_where_its_page_is_not_ones_own(app, browser, who):
    """The page that shows what was typed is looked for, and may not be there for who sent the form."""
    other = Browser(app)
    if who == "a stranger":
        other.register("stranger")
    elif who == "a visitor":
        other.start("deltas")
    addresses = dict(posts(app, browser))
    assert len(addresses) >= 40
    before, found = browser.rows(), {}
    for rule, address in addresses.items():
        answer = other.client.post(address, data={**WORK, "title": "x"}, buffered=True)
        found[rule] = answer.status_code
        assert_guarded(answer)
    assert {rule: status for rule, status in found.items() if status >= 500} == {}
    owned = {rule: status for rule, status in found.items() if rule.startswith(("/courses/<token>", "/sets/"))}
    assert set(owned.values()) <= {400, 403, 404}
    assert owned["/courses/<token>/sets/<name>"] == owned["/sets/<token>/<position>"] == 404
    assert browser.rows() == before


def assert_guarded(answer):
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    if answer.mimetype == "text/html":
        assert " style=" not in answer.text
        assert "<style" not in answer.text
        assert " onclick" not in answer.text
        assert "//" not in answer.text.replace("http://www.w3.org/", "").replace("//localhost", "")
        assert "no-cache" in answer.headers["Cache-Control"]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser):
    cookie = browser.post("/exercises/mazur/start").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Expires=" in cookie


@pytest.mark.parametrize(
    "url",
    [
        f"/x/{'9' * 19}",
        f"/x/{'9' * 5000}",
        "/x/%00",
        "/x/..%2f..",
        "/x/\N{SNOWMAN}",
        "/x/TOKEN/s/0",
        "/x/TOKEN/s/-1",
        "/x/TOKEN/s/01",
        "/x/TOKEN/s/9999999999999999999",
        f"/x/TOKEN/s/{'9' * 5000}",
        "/x/TOKEN/s/\N{ARABIC-INDIC DIGIT ONE}",
        "/x/TOKEN/s/1/more",
    ],
    ids=lambda url: url[:24],
)
def test_an_absurd_address_is_not_found(browser, url):
    token = browser.start("mazur")
    browser.check(token, WORK)
    assert browser.get(url.replace("TOKEN", token)).status_code == 404


def test_an_unknown_exercise_is_not_found(browser):
    assert browser.post("/exercises/nothing/start").status_code == 404
    assert browser.rows()["learner"] == 0


@pytest.mark.parametrize("path", ["", "/give-up"])
@pytest.mark.parametrize("token", [None, "forged"], ids=["missing", "forged"])
def test_an_expired_form_comes_back_with_everything_typed(browser, path, token):
    sheet = browser.start("mazur")
    data = {**WORK, "submission_key": "mine", **({"csrf_token": token} if token else {})}
    answer = browser.client.post(f"/x/{sheet}{path}", data=data)
    assert answer.status_code == 400
    assert {key: text for key, text in typed(answer.text).items() if text} == WORK
    assert "press Check again" in words(answer.text)
    assert browser.rows()["submission"] == 0
    fresh = {"csrf_token": hidden(answer.text, "csrf_token"), "submission_key": hidden(answer.text, "submission_key")}
    assert fresh["submission_key"] == "mine"
    assert browser.client.post(f"/x/{sheet}", data={**WORK, **fresh}).status_code == 303


def test_who_lost_the_cookie_still_gets_the_typed_text_back(app, browser):
    sheet = browser.start("mazur")
    answer = Browser(app).client.post(f"/x/{sheet}", data=WORK)
    assert answer.status_code == 400
    for text in ("0.3775", "1/(1+exp(-0.3775))", "not yet &lt;sure&gt;"):
        assert f'value="{text}"' in answer.text


def test_starting_with_an_expired_form_can_be_tried_again(browser):
    answer = browser.client.post("/exercises/mazur/start")
    assert answer.status_code == 400
    assert "Try again" in answer.text
    token = hidden(answer.text, "csrf_token")
    assert browser.client.post("/exercises/mazur/start", data={"csrf_token": token}).status_code == 303


@pytest.mark.parametrize("url", ["/exercises/mazur/start", "/sign-out"])
def test_an_expired_form_of_somebody_signed_in_still_names_them(browser, url):
    browser.register("ada")
    answer = browser.client.post(url)
    assert answer.status_code == 400
    assert "<summary>ada</summary>" in answer.text


@pytest.mark.parametrize("url", ["/%5Cevil.example/x", "/%2Fevil.example/x", "//evil.example/x"])
def test_trying_again_goes_where_the_first_try_went(browser, url):
    """A path with two slashes at its beginning, or a slash and a backslash, would lead a browser to another site."""
    answer = browser.client.post(url, data=WORK, follow_redirects=True)
    assert answer.status_code == 404
    assert 'class="kept"' in answer.text
    assert not re.search(r'action="(?!/[\w/-]*")', answer.text)
    assert "evil" not in answer.text


def busy(*_arguments, **_options):
    raise DatabaseBusyError("Another write did not end within 20 seconds. Try again.")


def locked(*_arguments, **_options):
    raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))


@pytest.mark.parametrize("failure", [busy, locked])
def test_a_busy_database_loses_nothing_typed(browser, monkeypatch, failure):
    sheet = browser.start("mazur")
    token = browser.csrf()
    monkeypatch.setattr(Database, "write", failure)
    answer = browser.client.post(f"/x/{sheet}", data={"csrf_token": token, "submission_key": "mine", **WORK})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert {key: text for key, text in typed(answer.text).items() if text} == WORK
    assert hidden(answer.text, "submission_key") == "mine"


def test_a_database_that_is_away_loses_nothing_typed_either(browser, monkeypatch):
    sheet = browser.start("mazur")
    token = browser.csrf()
    monkeypatch.setattr(Database, "read", locked)
    sent = {"csrf_token": token, "submission_key": "mine", "draft_seq": "3", "draft_key": "a-save", **WORK}
    answer = browser.client.post(f"/x/{sheet}", data=sent)
    assert answer.status_code == 503
    # What the page sends besides is no text to look at.
    assert (hidden(answer.text, "draft_seq"), hidden(answer.text, "draft_key")) == ("3", "a-save")
    assert 'value="not yet &lt;sure&gt;"' in answer.text
    assert hidden(answer.text, "submission_key") == "mine"
    assert browser.get("/nothing").status_code == 404


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_what_watches_the_machine_is_told_in_a_line_that_its_database_is_away(browser, monkeypatch, address):
    monkeypatch.setattr(Database, "read", locked)
    answer = browser.get(address)
    assert (answer.status_code, answer.text) == (503, "the database does not answer\n")
    assert answer.mimetype == "text/plain"


def test_an_error_of_ours_shows_the_typed_text_and_no_more(browser, monkeypatch):
    sheet = browser.start("mazur")

    def broken(*_arguments, **_options):
        raise RuntimeError("a secret of the machine")

    monkeypatch.setattr(desk, "grade", broken)
    answer = browser.check(sheet, WORK)
    assert answer.status_code == 500
    assert 'value="1/(1+exp(-0.3775))"' in answer.text
    assert "secret of the machine" not in answer.text


def test_an_error_of_ours_in_the_database_is_an_error(browser, monkeypatch):
    sheet = browser.start("mazur")

    def broken(*_arguments, **_options):
        raise IntegrityError("INSERT", {}, Exception("not so"))

    monkeypatch.setattr(practice.records, "record_submission", broken)
    assert browser.check(sheet, WORK).status_code == 500
    monkeypatch.setattr(practice.records, "progress", broken)
    assert browser.get("/progress").status_code == 500


def test_too_large_a_form_is_refused_with_a_page(browser):
    sheet = browser.start("mazur")
    answer = browser.check(sheet, {"z1[1]": "1" * 600_000})
    assert answer.status_code == 413
    assert "Press Back" in answer.text
    assert_guarded(answer)


def test_a_wrong_method_gets_a_page(browser):
    answer = browser.post("/progress")
    assert answer.status_code == 405
    assert "Allow" in answer.headers or "does not work" in answer.text


def test_a_field_that_is_not_asked_is_ignored(browser):
    sheet = browser.start("deltas")
    browser.check(sheet, {"delta2[1]": "1", "z9[9]": "5", "marks": "all"})
    assert browser.get(f"/x/{sheet}/s/1").status_code == 200


def test_the_machine_is_asked_whether_it_is_well(browser):
    answer = browser.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert "Set-Cookie" not in answer.headers
