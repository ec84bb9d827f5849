"""Whatever somebody types is text: no field that is kept becomes an element, a script or a link to one on any page."""

import re

import pytest
from sqlalchemy import select

from quizprop.exercise.bank import load_bank
from quizprop.exercise.exercise_file import written_exercise
from quizprop.store.models import Account
from tests.browser.test_access import COURSES, OPEN, OWN, SHEETS
from tests.web.conftest import Browser

pytestmark = pytest.mark.browser

WATCH = """
window.hits = [];
document.addEventListener("securitypolicyviolation", event => hits.push(event.violatedDirective + " " + event.sample));
for (const name of ["alert", "prompt", "confirm"]) window[name] = text => hits.push(name + " " + text);
"""
FOREIGN = """
[...document.querySelectorAll("[onerror], [onload], [onclick], [onmouseover], iframe, object, embed, base, img[src=x]")]
  .map(one => one.outerHTML)
  .concat([...document.querySelectorAll("[href], [action], [src], [formaction]")]
    .flatMap(one => ["href", "action", "src", "formaction"].map(name => one.getAttribute(name)))
    .filter(link => /^\\s*(javascript|data|vbscript):/i.test(link ?? "")))
"""
FIELDS = (
    *("teacher", "student", "course", "title", "words", "name", "section", "external_id", "reason"),
    *("cell", "token", "exercise", "sentence", "roster_name", "roster_section"),
)
IN_WORDS = (
    " [go](javascript:alert(1)) [go](data:text/html,<script>alert(1)</script>) ![p](x)"
    " <svg onload=alert(1)> <iframe srcdoc='<script>alert(1)</script>'></iframe> <a href='javascript:alert(1)'>a</a>"
)


def payload(field):
    """Ends an attribute and begins an element; the number says which field it was typed into."""
    return f"'\"><img src=x onerror=alert({FIELDS.index(field)})>"


def marked(field):
    return f"alert({FIELDS.index(field)})"


@pytest.fixture
def attacked(app):
    """A course in which every field is an attack: its teacher, its student, and the parts of its addresses."""
    teacher, student = Browser(app), Browser(app)
    for one, name in ((teacher, "teacher"), (student, "student")):
        assert one.register(payload(name)).status_code == 303
    course = teacher.post("/courses", {"title": payload("course")}).location
    source = written_exercise(load_bank()["deltas"])
    own = source.replace(load_bank()["deltas"].title, toml(payload("exercise")), 1)
    own = re.sub('sentence = ".*"', lambda _: f'sentence = "{toml(payload("sentence") + IN_WORDS)}"', own)
    saved = teacher.post(f"{course}/exercises/deltas", {"source": own, "name": "mine", "do": "save"})
    assert saved.status_code == 303, saved.text
    rules = {"title": payload("title"), "words": payload("words") + IN_WORDS, "points-mine": "2", "points-mazur": "1"}
    made = teacher.post(f"{course}/sets/new", rules, page=f"{course}/sets/new")
    assert made.status_code == 303
    page = teacher.get(course).text
    code = re.search(r"<code>([A-Z2-9]{8})</code>", page)[1]
    assert student.post("/courses/join", {"code": code}).location == course
    teacher.post(f"{made.location}/publish", page=made.location)
    given = made.location.rpartition("/")[2]
    sheet = student.post(f"/sets/{given}/1", page=f"/sets/{given}").location.rpartition("/")[2]
    cells = [cell.key for cell in student.instance(sheet).cells]
    assert student.check(sheet, dict.fromkeys(cells, payload("cell"))).status_code == 303
    roster = "username,name,section\nsomebody-new," + ",".join(map(quoted, ("roster_name", "roster_section"))) + "\n"
    applied = teacher.post(f"{course}/roster", {"roster": roster, "do": "apply"}, page=f"{course}/roster")
    assert applied.status_code == 200
    with app.extensions["quizprop"].database.read() as session:
        names = session.execute(select(Account.username).where(Account.username.like("%onerror%"))).scalars().all()
    assert set(names) == {payload("teacher"), payload("student")}
    who = re.findall(rf"{course}/students/(\d+)", teacher.get(course).text)[-2]
    about = {name: payload(name) for name in ("name", "section", "external_id")} | {"extra_time": "0"}
    assert teacher.post(f"{course}/students/{who}", about, page=f"{course}/students/{who}").status_code == 303
    item = re.search(r"/items/(\d+)", teacher.get(f"{course}/students/{who}").text)[1]
    decided = {"do": "points", "points": "1", "reason": payload("reason")}
    teacher.post(f"{course}/students/{who}/items/{item}", decided, page=f"{course}/students/{who}")
    for one in (teacher, student):
        one.post("/tokens", {"name": payload("token"), "scope": "practice"}, page="/tokens")
    return (teacher, student), {
        "<token>": course.rpartition("/")[2],
        "<code>": code,
        "<name>": given,
        "<sheet>": sheet,
        "<slug>": "mine",
        "<who>": who,
        "<attempt>": "1",
    }


def toml(text):
    return text.replace("\\", "\\\\").replace('"', '\\"')


def quoted(field):
    return '"' + payload(field).replace('"', '""') + '"'


def addresses(parts):
    """Every page, with the parts of this course; a token is of a sheet, a set or a course."""
    for rule in (*OPEN, *OWN, *COURSES, *SHEETS):
        known = dict(parts)
        if rule in SHEETS:
            known["<token>"] = parts["<sheet>"]
        elif rule.startswith("/sets"):
            known["<token>"] = parts["<name>"]
        elif rule.startswith("/kinds"):
            known["<name>"] = "forward"
        yield re.sub(r"<\w+>", lambda part, known=known: known.get(part[0], "unknown"), rule)


def test_nothing_typed_is_ever_more_than_text(app, chromium, site, attacked):
    people, parts = attacked
    seen, found, foreign = "", [], []
    for who in people:
        context = chromium.new_context(base_url=site)
        context.set_default_timeout(20_000)
        context.add_init_script(WATCH)
        context.add_cookies([{"name": "quizprop", "value": who.client.get_cookie("quizprop").value, "url": site}])
        page = context.new_page()
        page.on("request", lambda request: request.url.startswith(site) or foreign.append(request.url))
        for address in addresses(parts):
            page.goto(address, wait_until="domcontentloaded")
            seen += page.content()
            found += [(address, one) for one in page.evaluate("hits") + page.evaluate(FOREIGN)]
        context.close()
    assert found == foreign == []
    # They were there to be run: each stands on some page as the text that it is.
    assert [field for field in FIELDS if marked(field) not in seen] == []


def test_the_watch_would_see_an_attack_that_succeeds(chromium, site, app):
    """The control: the same element, put into a page as an element, is found in both ways."""
    context = chromium.new_context(base_url=site)
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto("/")
    page.evaluate("text => document.body.insertAdjacentHTML('beforeend', text)", payload("cell"))
    page.wait_for_function("hits.length > 0")
    assert "script-src" in page.evaluate("hits")[0]
    assert len(page.evaluate(FOREIGN)) == 1
    context.close()
