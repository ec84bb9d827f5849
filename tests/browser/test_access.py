"""Everybody can use every page: axe-core complains of nothing, in either theme, and nothing is lost at 200 %."""

import re
from itertools import pairwise

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select

from quizprop.exercise.bank import load_bank
from quizprop.exercise.generate import draw
from quizprop.exercise.grade import grade
from quizprop.store import classroom, decisions, people, practice, regrading, sets
from quizprop.store.models import Account
from quizprop.store.rules import Policy
from quizprop.store.sets import NewItem
from quizprop.web import feedback
from quizprop.web.state import now

pytestmark = pytest.mark.browser

LEVELS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}

NO_PAGES = {
    "/api/v1/courses": "for programs",
    "/api/v1/courses/<token>/grades": "for programs",
    "/api/v1/exercises": "for programs",
    "/api/v1/openapi.json": "for programs",
    "/api/v1/results": "for programs",
    "/api/v1/variants/<token>": "for programs",
    "/courses/<token>/canvas.csv": "a table for a program",
    "/courses/<token>/exercises/<slug>.toml": "a file of TOML",
    "/courses/<token>/grades.csv": "a table for a spreadsheet",
    "/courses/<token>/mistakes.csv": "a table for a spreadsheet",
    "/courses/<token>/mistakes.jsonl": "lines for a program",
    "/courses/<token>/moodle.csv": "a table for a program",
    "/courses/<token>/steps.csv": "a table for a spreadsheet",
    "/download": "a file of JSON",
    "/gallery/<slug>.svg": "a picture",
    "/healthz": "a line for a program",
    "/metrics": "figures for a program",
    "/readyz": "a line for a program",
    "/static/<path:filename>": "files",
}

OPEN = ["/", "/api/v1/", "/w/<code>", "/gallery", "/kinds/<name>", "/register", "/reset/<link>", "/sign-in"]
OWN = [
    "/delete",
    "/password",
    "/progress",
    "/progress/sheets",
    "/sessions",
    "/sets",
    "/sets/<token>",
    "/settings",
    "/tokens",
]
COURSE = [
    *("", "/grades", "/mistakes", "/work/<sheet>", "/students/<who>", "/roster", "/record"),
    *("/sets/new", "/sets/<name>", "/sets/<name>/live", "/sets/<name>/regrade", "/exercises", "/exercises/<slug>"),
]
COURSES = ["/courses", "/join/<code>", *(f"/courses/<token>{part}" for part in COURSE)]
SHEETS = ["/x/<token>", "/x/<token>/s/<attempt>", "/x/<token>/pictures"]
PARTS = {"<name>": "forward", "<link>": "unknown", "<code>": "mazur-like.7.1"}


def address(rule):
    for part, value in PARTS.items():
        rule = rule.replace(part, value)
    return rule


def complaints_of(page, url=None):
    """What axe-core complains of, in light and in dark."""
    found = []
    page.set_viewport_size({"width": 1280, "height": 8000})  # the bar at the bottom covers nothing
    if url is not None:
        page.goto(url, timeout=60_000)  # the gallery is long, most of it parts of formulas
        parts = "(one) => one.replaceChildren(one.textContent)"
        page.evaluate(f"document.querySelectorAll('.sample:nth-child(n + 9) math').forEach({parts})")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if scheme == "dark":
            # A sample has the colours of any other; its picture, which has others, is a file of its own.
            page.evaluate("document.querySelectorAll('.sample:nth-child(n + 9)').forEach((one) => one.remove())")
        for one in Axe().run(page, options=LEVELS).response["violations"]:
            nodes = [node["target"] for node in one["nodes"]]
            found.append((scheme, page.url, one["id"], one["help"], len(nodes), nodes[:3]))
    return found


def test_no_page_is_left_out(app):
    pages = {rule.rule for rule in app.url_map.iter_rules() if "GET" in rule.methods} - set(NO_PAGES)
    assert pages == {*OPEN, *OWN, *COURSES, *SHEETS}


@pytest.mark.parametrize("rule", OPEN)
def test_pages_for_everybody_are_clean(page, complaints, rule):
    assert complaints_of(page, address(rule)) == []
    complaints.clear()  # the reset link that nobody has is a 404


@pytest.fixture
def registered(page):
    """A page of somebody with an account, who has practised something."""
    page.get_by_role("button", name="Next for me").click()
    page.locator("input[data-key]").first.fill("99")
    page.locator(".bar .button").first.click()
    page.goto("/register")
    page.get_by_label("User name").fill("grace")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("main").get_by_role("button").click()
    yield page
    page.goto("/delete")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("main").get_by_role("button").last.click()


@pytest.fixture
def problem_set(app, registered):
    """A problem set that the learner has."""
    item = NewItem("deltas", load_bank()["deltas"].model_dump_json(), 2)
    with app.extensions["quizprop"].database.write() as session:
        (learner,) = session.execute(select(Account.learner_id).where(Account.username == "grace")).scalars()
        made = sets.create_set(session, title="Homework", items=[item], attempts=2, due_at=None, now=now())
        sets.assign(session, made, [learner], now=now())
    return made.token


def test_pages_of_an_account_are_clean(registered, problem_set):
    found = [one for rule in OWN for one in complaints_of(registered, address(rule).replace("<token>", problem_set))]
    assert found == []
    registered.goto(f"/sets/{problem_set}")
    registered.get_by_role("main").get_by_role("button", name="Start").click()
    registered.wait_for_url("**/x/*")
    assert complaints_of(registered) == []


@pytest.fixture
def course(app, registered):
    """A course that the learner teaches, with a student who made a slip: the parts of its addresses."""
    database = app.extensions["quizprop"].database
    exercise = load_bank()["deltas"]
    instance = draw(exercise, np.random.default_rng(1))
    with database.write() as session:
        (learner,) = session.execute(select(Account.learner_id).where(Account.username == "grace")).scalars()
        seat = classroom.create_course(session, title="Deep learning", learner_id=learner, now=now())
        student = people.add_user(session, username=f"ada {seat.course.id}", password_hash="-", now=now())
        classroom.join(session, seat.course.join_code, learner_id=student, now=now())
        item = NewItem("deltas", exercise.model_dump_json(), 2)
        classroom.add_set(session, seat, sets.create_set(session, title="Week 1", items=[item], now=now()), now=now())
        (work,) = sets.sets_of(session, student, now())
        sheet = {"seed": 1, "given": instance.given, "engine_version": "0", "now": now()}
        variant = sets.start_item(session, student, work.items[0], **sheet)
        submission = record(session, variant, instance)
        member = classroom.members(session, seat)[-1]
        rules = {"title": "Week 1", "words": "", "opens_at": None, "due_at": None, "attempts": None}
        # Something to regrade, and something in the record.
        sets.change_set(session, work.stored, **rules, policy=Policy(follow_credit=0, best_of={"A": 1}))
        regrading.add_regrades(session, [(submission.id, 1.0)], now=now())
        decisions.note(session, seat, "code", now=now())
    return {
        "<token>": seat.course.token,
        "<code>": seat.course.join_code,
        "<name>": work.stored.token,
        "<sheet>": variant.token,
        "<slug>": "deltas",
        "<who>": str(member.id),
    }


def record(session, variant, instance):
    """A check with a right value, a wrong one, one that can't be read, and blanks."""
    keys = [cell.key for cell in instance.cells]
    texts = {**dict.fromkeys(keys, ""), keys[0]: f"{instance.values[keys[0]]:.4f}", keys[1]: "99", keys[2]: "no"}
    graded = grade(instance, texts)
    marks = {key: feedback.write(mark) for key, mark in graded.marks.items()}
    numbers = {key: mark.reading.value for key, mark in graded.marks.items()}
    rest = {"points": graded.points, "out_of": graded.out_of, "engine_version": "0", "now": now()}
    submission, _ = practice.record_submission(
        session, variant, key="k", raw=texts, decimal_comma=False, numbers=numbers, marks=marks, **rest
    )
    return submission


def test_pages_of_a_course_are_clean(registered, course):
    addresses = [re.sub(r"<\w+>", lambda part: course[part[0]], rule) for rule in COURSES]
    assert [one for rule in addresses for one in complaints_of(registered, rule)] == []
    registered.set_viewport_size({"width": 390, "height": 844})
    for rule in addresses:
        registered.goto(rule)
        assert registered.evaluate("document.documentElement.scrollWidth <= innerWidth"), rule


MANY = """() => {  // a course of twenty columns and a hundred students
    for (const body of document.querySelectorAll(".names tbody")) {
        for (let count = 1; count < 100; count++) body.append(body.rows[0].cloneNode(true));
    }
    for (const row of document.querySelectorAll(".names tr")) {
        for (let count = 1; count < 20; count++) row.cells[1].before(row.cells[1].cloneNode(true));
    }
}"""


def test_the_heads_of_a_large_gradebook_stay_and_paper_has_every_column(registered, course):
    page = registered
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"/courses/{course['<token>']}/grades")
    page.evaluate(MANY)
    book = page.get_by_role("region", name="Gradebook")
    book.evaluate("one => one.scrollTo(500, 1500)")
    frame = book.bounding_box()
    head, name = book.locator("thead tr").last.locator("th").first, book.locator("tbody th").nth(50)
    assert frame["height"] <= 640
    for one in (head, name):
        assert abs(one.bounding_box()["x"] - frame["x"]) <= 1
    assert frame["y"] <= head.bounding_box()["y"] <= frame["y"] + 200
    assert page.get_by_role("link", name="Save as CSV").bounding_box()["y"] < frame["y"]
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 1046, "height": 718})  # A4, lying, but for its margins
    assert book.evaluate("one => one.scrollWidth <= one.clientWidth && one.scrollHeight <= one.clientHeight")


LONG = "maximiliane-charlotte,Maximiliane-Charlotte von Oberhausen-Wolfenbüttel,Donnerstagsgruppe"


def test_on_a_phone_a_class_list_shows_its_links_and_whole_names(registered, course):
    page = registered
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"/courses/{course['<token>']}/roster")
    page.get_by_label("Class list as CSV").fill(f"username,name,section\n{LONG}\n")
    page.get_by_role("button", name="See what it would do").click()
    page.get_by_role("button", name="Apply it").click()
    for seen in (page.locator(".roster .course-link"), page.locator(".roster th").last):
        box = seen.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
    assert page.locator(".roster tbody th").bounding_box()["height"] < 40  # on one line
    assert complaints_of(page) == []


def test_the_parts_of_an_exercises_page_stand_apart(registered, course):
    page = registered
    page.goto(f"/courses/{course['<token>']}/exercises/deltas")
    parts = [".sample .picture", ".sample .grades", "form.new-set"]
    boxes = [page.locator(part).first.bounding_box() for part in parts]
    for above, below in pairwise(boxes):
        assert below["y"] - above["y"] - above["height"] >= 20


def test_a_search_leaves_what_it_finds(app, registered, course):
    page, home = registered, f"/courses/{course['<token>']}"
    page.goto(home)
    expect(page.locator("li[data-title]")).to_have_count(2)
    assert page.locator(".choice-search").count() == 0  # two are seen at a glance
    with app.extensions["quizprop"].database.write() as session:
        for number in range(9):
            name = f"bob {number} of {course['<code>']}"
            student = people.add_user(session, username=name, password_hash="-", now=now())
            classroom.join(session, course["<code>"], learner_id=student, now=now())
    for address, typed, found in ((home, "ADA", "ada"), (f"{home}/sets/new", "deltas only", "Deltas only")):
        page.goto(address)
        lines = page.locator("li[data-title]:visible")
        assert lines.count() > 1
        page.get_by_role("searchbox").fill(typed)
        expect(lines).to_have_count(1)
        expect(lines).to_contain_text(found)


def test_on_a_phone_no_word_of_a_mistake_is_broken(registered, course):
    page = registered
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"/courses/{course['<token>']}/mistakes")
    page.evaluate(  # a table as wide as there may be, with a mistake
        """() => {
            const table = document.querySelector(".grades table");
            table.className = "mistakes";
            table.rows[1].cells[0].textContent = "minus left out";
            for (const row of table.rows) {
                for (let count = 0; count < 9; count++) row.insertCell().textContent = "many words";
            }
        }"""
    )
    name = page.locator(".mistakes tbody th").first
    assert name.bounding_box()["width"] >= 120
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_a_long_title_to_copy_stays_on_the_page(registered, course):
    page = registered
    page.goto(f"/courses/{course['<token>']}/sets/new")
    page.get_by_label("Title", exact=True).fill("A draft with many exercises, as long as a title may well become")
    page.locator("[name='points-mazur']").fill("1")
    page.get_by_role("button", name="Save as a draft").click()
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"/courses/{course['<token>']}/sets/new")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_refused_set_leads_to_what_is_to_be_mended_and_counts_what_is_chosen(registered, course, complaints):
    page = registered
    page.set_viewport_size({"width": 390, "height": 700})
    page.goto(f"/courses/{course['<token>']}/sets/new?kind=exam")
    bar = page.locator(".bar")
    expect(bar).to_contain_text("Exercises: 0 · Points: 0")
    for name, points in (("mazur", "2,5"), ("deltas", "4"), ("adam", "many")):
        page.locator(f"[name='points-{name}']").fill(points)
    expect(bar).to_contain_text("Exercises: 3 · Points: 6.5")
    bar.get_by_role("button", name="Save as a draft").click()
    note = page.get_by_role("alert")
    expect(note).to_be_in_viewport()
    complaints.clear()  # that of the page that said what is wrong
    for at, name in enumerate(("title", "due", "points-adam")):
        note.get_by_role("link").nth(at).click()
        expect(page.locator(f"[name='{name}']")).to_be_focused()
        field, foot = page.locator(f"[name='{name}']").bounding_box(), bar.bounding_box()
        assert 0 <= field["y"] <= foot["y"] - field["height"]
    assert complaints_of(page) == []


def check(page):
    page.locator(".bar .button").first.click()
    expect(page.locator("#summary")).to_be_visible()


@pytest.mark.parametrize("slug", ["mazur", "attention-backward", "did-it-fall"])
def test_a_sheet_is_clean_at_every_stage(page, slug):
    start(page, slug)
    assert complaints_of(page) == []
    for number, field in enumerate(page.locator("input[type=text][data-key]").all()):
        field.fill(["99", "no number", "0.5"][number % 3])
    page.locator("button[name=hint]").first.click()
    check(page)
    assert complaints_of(page) == []
    give_up(page)
    assert complaints_of(page) == []
    if page.get_by_role("link", name="Show the pictures").count():
        assert complaints_of(page, page.url.partition("/s/")[0].partition("#")[0] + "/pictures") == []


@pytest.mark.parametrize("slug", ["find-slip-chain", "choose-delta", "true-false-softmax"])
def test_a_question_is_clean_at_every_stage(page, slug):
    start(page, slug)
    assert complaints_of(page) == []
    page.locator("#answers input[type=radio]").first.check()
    check(page)
    assert complaints_of(page) == []


def start(page, slug):
    """Any exercise, whatever page its button is on."""
    page.goto("/")
    page.evaluate(
        """slug => {
            const form = document.querySelector("form.cards");
            form.action = `/exercises/${slug}/start`;
            form.submit();
        }""",
        slug,
    )
    page.wait_for_url("**/x/*")


def give_up(page):
    page.locator(".give-up summary").click()
    page.locator(".give-up button").click()
    expect(page.get_by_role("heading", name="Worked solution")).to_be_visible()


def test_nothing_is_lost_at_twice_the_size(page):
    """A window half as wide is what 200 % makes of it: all is there, and only what must scrolls sideways."""
    page.set_viewport_size({"width": 640, "height": 450})
    start(page, "mazur")
    for url in (page.url, "/", "/progress", "/settings", "/register"):
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), url
    page.go_back()


def test_a_narrow_phone_scrolls_no_page_sideways(registered, problem_set):
    page = registered
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto("/tokens")
    page.get_by_label("Name of a new token").fill("laptop")
    page.get_by_role("button", name="Make a token").click()
    expect(page.locator("code.token")).to_be_visible()
    wide = {"token": page.evaluate("document.documentElement.scrollWidth")}
    start(page, "mazur")
    for url in (page.url, "/api/v1/", "/progress", "/sets", f"/sets/{problem_set}"):
        page.goto(url)
        wide[url] = page.evaluate("document.documentElement.scrollWidth")
    assert set(wide.values()) == {320}, wide


def test_on_a_phone_the_conventions_of_a_sample_stay_on_the_page_and_can_be_reached(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/gallery", timeout=60_000)
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    wide = "[...document.querySelectorAll('.sample-rules dd')].filter((one) => one.scrollWidth > one.clientWidth)"
    assert page.evaluate(f"{wide}.length")
    page.wait_for_function(f"{wide}.every((one) => one.tabIndex === 0)")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_menu_opens_on_the_screen_and_escape_closes_it(registered, width):
    page = registered
    page.set_viewport_size({"width": width, "height": 640})
    page.locator("details.menu summary").click()
    box = page.locator(".menu-body").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    page.keyboard.press("Escape")
    expect(page.locator(".menu-body")).to_be_hidden()
    expect(page.locator("details.menu summary")).to_be_focused()
    page.set_viewport_size({"width": 1280, "height": 900})


def test_the_result_of_a_check_stands_clear_of_what_stays_at_the_top(page):
    start(page, "mazur")
    give_up(page)
    for width in (1024, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.reload()
        page.evaluate("location.hash = ''; location.hash = 'summary'")
        top, covered = (
            page.locator(place).evaluate(f"(one) => one.getBoundingClientRect().{side}")
            for place, side in (("#summary", "top"), (".rules", "bottom"))
        )
        assert top >= covered, width


def test_nothing_moves_for_who_wants_no_motion(page):
    page.emulate_media(reduced_motion="reduce")
    start(page, "mazur")
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter(one => {
            const style = getComputedStyle(one);
            const lasts = time => time.split(",").some(each => parseFloat(each) > 0.01);
            const animated = style.animationName !== "none" && lasts(style.animationDuration);
            return animated || lasts(style.transitionDuration);
        }).map(one => one.className || one.localName)"""
    )
    assert moving == []
