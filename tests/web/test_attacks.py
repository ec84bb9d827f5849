"""What attackers try: addresses and forms full of rubbish, somebody else's cookie, files that are not theirs."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.web.conftest import PASSWORD, Browser, hidden
from tests.web.test_courses import grace, token  # noqa: F401 - fixtures
from tests.web.test_safety import visits

NASTY = {
    "a NUL": "a\0b",
    "half a character": "\ud800",
    "not a number": "nan",
    "a number that must not be looked at": "sNaN",
    "a huge number": "9" * 400,
    "below nothing": "-1",
    "SQL": "1'; DROP TABLE learner; --",
    "a template": "{{ 7919 * 7907 }}{% for x in y %}%(name)s%s",
    "a path": "../../../../etc/passwd\0.toml",
    "a date": "2031-02-30T25:61",
    "right to left": "\u202egnp.exe",
    "much": "x" * 5_000,
}
ODD = [
    "0",
    "-1",
    "9" * 30,
    "%00",
    "..%2f..%2fetc%2fpasswd",
    "%ff%fe",
    "a'b",
    "%0d%0aSet-Cookie:x=1",
    "x" * 3_000,
    "\N{SNOWMAN}",
]
ENDS_THE_VISIT = {"/sign-out", "/sessions", "/delete"}


class Forms(HTMLParser):
    """The forms of a page: where each goes, and its fields with what stands in them."""

    def __init__(self, page: str, url: str) -> None:
        super().__init__()
        self.url, self.found, self.open = url, [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        about = dict(attrs)
        if tag == "form":
            self.open = (about.get("action") or self.url, {})
            if about.get("method") == "post":
                self.found.append(self.open)
        elif self.open and tag in ("input", "textarea", "select", "button") and about.get("name"):
            self.open[1].setdefault(about["name"], about.get("value") or "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.open = None


def forms_of(browser):
    """Every form of every page, once for each address and set of fields."""
    known = {}
    for url in visits(browser).values():
        answer = browser.get(url)
        if answer.mimetype == "text/html":
            for action, fields in Forms(answer.text, url).found:
                known.setdefault((action, frozenset(fields)), fields)
    return [(action, fields) for (action, _), fields in known.items()]


def test_no_form_breaks_whatever_is_typed_into_it(browser):
    """All that is typed is rubbish, and then all that the page itself puts into the form too."""
    forms, csrf = forms_of(browser), browser.csrf()
    assert len(forms) > 20
    for kind, nasty in NASTY.items():
        for action, fields in forms:
            if action in ENDS_THE_VISIT:
                continue
            for chosen in ({name for name, value in fields.items() if not value}, set(fields)):
                data = {**fields, **dict.fromkeys(chosen, nasty), "csrf_token": csrf}
                body = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in data.items())
                answer = browser.client.post(
                    action, data=body, content_type="application/x-www-form-urlencoded", buffered=True
                )
                assert answer.status_code < 500, (kind, action, chosen)
                assert str(7919 * 7907) not in answer.text, (kind, action, chosen)
    assert browser.get("/healthz").status_code == 200
    assert browser.rows()["learner"] > 0


def quoted(text):
    from urllib.parse import quote

    return quote(text.encode("utf-8", "surrogatepass"), safe="")


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd[:12])
def test_no_address_breaks_whatever_stands_in_it(app, browser, odd):
    browser.register()
    data = {"csrf_token": browser.csrf()}
    for rule in app.url_map.iter_rules():
        for part in re.findall(r"<[^>]+>", rule.rule):
            address = re.sub(r"<[^>]+>", "x", rule.rule.replace(part, odd))
            for method in sorted(rule.methods & {"GET", "POST"}):
                answer = browser.client.open(
                    address, method=method, data=data if method == "POST" else None, buffered=True
                )
                assert answer.status_code < 500, (method, address)
                assert answer.status_code != 200 or rule.rule == "/join/<code>", (method, address)
                assert "root:" not in answer.text
                assert "x=1" not in str(answer.headers)


@pytest.mark.parametrize("way", ["register", "sign_in"])
def test_a_session_from_before_is_not_the_one_after(app, browser, way):
    """Who slipped a victim a cookie, by any means, has no part in what the victim does after signing in."""
    if way == "sign_in":
        Browser(app).register("ada")
    attacker = Browser(app)
    sheet = attacker.start("deltas")
    planted = attacker.client.get_cookie("quizprop").value
    browser.client.set_cookie("quizprop", planted)
    assert browser.get(f"/x/{sheet}").status_code == 200
    assert getattr(browser, way)("ada").status_code == 303
    assert browser.client.get_cookie("quizprop").value != planted
    assert "<summary>ada</summary>" in browser.get("/").text
    assert "<summary>ada</summary>" not in attacker.get("/").text
    assert attacker.get("/sessions").status_code != 200


def test_a_cookie_kept_from_before_signing_out_opens_nothing(browser):
    browser.register("ada")
    sheet = browser.start("deltas")
    kept = browser.client.get_cookie("quizprop").value
    browser.post("/sign-out")
    thief = Browser(browser.app)
    thief.client.set_cookie("quizprop", kept)
    assert thief.get(f"/x/{sheet}").status_code == 404
    assert "<summary>ada</summary>" not in thief.get("/").text


@pytest.mark.parametrize(
    "change", [lambda text: text[:-1], lambda text: text[::-1], lambda text: text.partition(".")[0], str.upper]
)
def test_a_cookie_that_was_changed_is_nobodys(browser, change):
    browser.register("ada")
    thief = Browser(browser.app)
    thief.client.set_cookie("quizprop", change(browser.client.get_cookie("quizprop").value))
    answer = thief.get("/")
    assert answer.status_code == 200
    assert "<summary>ada</summary>" not in answer.text


def test_a_token_of_one_visit_sends_no_form_in_another(app, browser):
    """The token of a form is tied to the visit: the attacker's own is worth nothing with the victim's cookie."""
    browser.register("ada")
    attacker = Browser(app)
    attacker.register("eve")
    stolen = hidden(attacker.get("/settings").text, "csrf_token")
    for address in ("/settings", "/courses", "/tokens", "/sign-out"):
        assert browser.client.post(address, data={"csrf_token": stolen, "title": "x"}).status_code == 400
    assert browser.rows()["course"] == 0


@pytest.mark.parametrize(
    "path",
    [
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/..%2f..%2fsettings.py",
        "/static/%2fetc%2fpasswd",
        "/static//etc/passwd",
        "/static/..\\settings.py",
        "/gallery/..%2f..%2fpyproject.svg",
    ],
)
def test_no_path_leads_out_of_the_files_that_are_served(browser, path):
    answer = browser.get(path)
    assert answer.status_code in (308, 404)
    assert "SECRET" not in answer.text


def test_the_name_of_a_file_brought_in_is_used_for_nothing(grace, token, tmp_path):  # noqa: F811
    page = f"/courses/{token}/roster"
    before = set(Path(tmp_path).iterdir())
    name = "../../../../tmp/evil.csv"
    answer = grace.post(page, {"file": (io.BytesIO(b"username\ncarol\n"), name), "do": "look"}, page=page)
    assert answer.status_code == 200
    assert "carol" in answer.text
    assert "evil" not in answer.text
    assert set(Path(tmp_path).iterdir()) == before


def test_no_answer_tells_what_runs_the_site(browser):
    for url in ("/", "/nothing", "/api/v1/nothing"):
        head = browser.get(url).headers
        assert not {"Server", "X-Powered-By"} & set(head)


def test_the_password_is_in_no_answer(app, browser):
    answers = [browser.register("ada"), *(Browser(app).sign_in("ada", typed) for typed in (PASSWORD, PASSWORD + "!"))]
    for answer in answers:
        assert PASSWORD not in answer.text + str(answer.headers)
