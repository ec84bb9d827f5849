"""A term in a browser: a class list with bad rows, a set with a changed exercise, a slip, a regrade, the table."""

import csv
import io
import re

import pytest
from playwright.sync_api import expect

from quizprop.exercise.simulated import filled_in
from quizprop.store import practice
from tests.web.conftest import honest

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
ROSTER = """username,name,section,id
ada-in-class,Ada Lovelace,A,17
x,Too Short,A,18
bob-in-class,Bob Hope,B,19
Ada-in-class,Ada Again,A,20
carol-in-class,Carol,B,21,more
"""


def sign_up(page, name):
    page.goto("/register")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main button.primary").click()


def instance_at(app, page):
    """The numbers of the sheet that is open, and who has it."""
    from sqlalchemy import select

    from quizprop.store.models import Variant, table
    from quizprop.web import sheet

    token = re.search(r"/x/([^/?#]+)", page.url)[1]
    with app.extensions["quizprop"].database.read() as session:
        variant = table(Variant)
        learner = session.execute(select(variant.c.learner_id).where(variant.c.token == token)).scalar_one()
        return sheet.instance_of(practice.find_variant(session, token, learner_id=learner))


def with_slip(instance):
    """All values worked on with a first one that is wrong."""
    name, place = instance.structure.places[instance.cells[0].key]

    def written(quantity, value):
        if quantity.formula.whole or quantity.name not in instance.plan.asked:
            return value
        value = value.round(instance.exercise.places)
        if quantity.name == name:
            value[(0, *place)] += 0.0321
        return value

    return filled_in(instance, worked=lambda quantity, values: quantity.of(values), written=written)


def fill(page, texts):
    for key, text in texts.items():
        page.locator(f"[name='{key}']").fill(text)
    page.locator(".bar").get_by_role("button", name="Check").click()
    expect(page.locator("#summary")).to_be_visible()


def test_a_term_from_the_class_list_to_the_table(app, page, chromium, site, complaints):
    sign_up(page, "grace-who-teaches")
    page.goto("/courses")
    page.get_by_label("Title of the course").fill("Deep learning")
    page.get_by_role("button", name="Make a course").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Deep learning")
    course = page.url

    # A class list with three rows that can't be used.
    page.get_by_role("link", name="Class list").click()
    page.get_by_label("Class list as CSV").fill(ROSTER)
    page.get_by_role("button", name="See what it would do").click()
    expect(page.locator("tr.is-refused")).to_have_count(3)
    expect(page.get_by_text("3 rows can't be used.")).to_be_visible()
    page.get_by_role("button", name="Apply it").click()
    expect(page.locator("td code")).to_have_count(2)
    links = page.locator("td code").all_text_contents()
    assert len(links) == 2

    # An exercise with a changed parameter, certified before it is saved.
    page.goto(f"{course}/exercises/deltas")
    page.get_by_label("Decimals").fill("many")
    page.locator("form").filter(has=page.get_by_label("Decimals")).get_by_role("button", name="Try it").click()
    expect(page.get_by_role("alert")).to_contain_text("places")
    complaints.clear()  # that of the page that said what is wrong
    page.get_by_label("Decimals").fill("5")
    form = page.locator("form").filter(has=page.get_by_label("Decimals"))
    form.get_by_role("button", name="Try it").click()
    expect(page.locator(".sample")).to_contain_text("certified")
    expect(page.locator(".sample thead th")).to_have_count(6)
    form.get_by_role("textbox", name="Name", exact=True).fill("deltas-five")
    form.get_by_label("Title").fill("Deltas to five places")
    form.get_by_role("button", name="Save for the course").click()

    # A set of three, tried out as a student would, and published.
    page.goto(f"{course}/sets/new?kind=homework")
    page.get_by_label("Title", exact=True).fill("Week 1")
    page.get_by_label("Due", exact=True).fill("2031-01-01T09:00")
    page.get_by_role("searchbox").fill("deltas to five")
    expect(page.locator("li[data-title]:visible")).to_have_count(1)
    page.get_by_label("Deltas to five places", exact=True).fill("4")
    page.get_by_role("searchbox").fill("")
    for slug, points in (("mazur-like", "10"), ("forward-pass", "2")):
        page.locator(f"[name='points-{slug}']").fill(points)
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("Not published yet: no student sees it.")).to_be_visible()
    builder = page.url
    page.get_by_role("button", name="Preview as a student").click()
    expect(page.get_by_text("This is a preview").first).to_be_visible()
    page.locator("li.item", has_text="Deltas to five places").get_by_role("button").click()
    fill(page, honest(instance_at(app, page)))
    page.goto(builder)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("2 students have it now.")).to_be_visible()

    # A student opens the account by the link and works, with a slip at the first value.
    context = chromium.new_context(base_url=site)
    student = context.new_page()
    student.goto(next(link for link in links if link))
    student.get_by_label("New password").fill(PASSWORD)
    student.get_by_role("main").get_by_role("button").first.click()
    student.goto("/sets")
    student.get_by_role("link", name="Week 1").click()
    student.locator("li.item", has_text="Like Mazur's").get_by_role("button").click()
    instance = instance_at(app, student)
    fill(student, with_slip(instance))
    share = float(re.search(r"([\d.]+) of \d+ points", student.locator(".attempt").inner_text())[1]) / len(
        instance.cells
    )

    # Who teaches sees it, and lets what follows from an error count for nothing.
    page.goto(f"{course}/mistakes")
    expect(page.get_by_text("From the problem sets of 1 student so far.")).to_be_visible()
    page.goto(builder)
    page.get_by_label("What a value earns that follows from an error").fill("0")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Regrade").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Reason").fill("Only what is right counts")
    page.get_by_role("button", name="Apply it").click()
    expect(page.get_by_text("1 submission is judged anew.")).to_be_visible()
    page.goto(f"{builder}/regrade")
    expect(page.get_by_text("There is no difference")).to_be_visible()
    page.goto(f"{course}/record")
    expect(page.locator(".record li").first).to_contain_text("Only what is right counts")
    expect(page.locator(".record li").first).to_contain_text("grace-who-teaches")

    # The table reads back as the gradebook shows it.
    page.goto(f"{course}/grades")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    heads, *rows = list(csv.reader(io.StringIO(text)))
    shown = [row.locator("th, td").all_text_contents() for row in page.locator("table.names tbody tr").all()]
    for row, cells in zip(rows, shown, strict=True):
        assert dict(zip(heads, row, strict=True))["student"] in ("ada-in-class", "bob-in-class")
        points = (*row[3:-2], row[-1])  # but what the total is out of
        assert [f"{float(one):.2f}".rstrip("0").rstrip(".") if one else "—" for one in points] == cells[1:]
    (worked,) = [row for row in rows if row[0] == "ada-in-class"]
    assert 0 < float(worked[-1]) < 10 * share
    context.close()


def test_a_live_view_that_renews_itself_leaves_one_where_one_is(page):
    """The table comes anew: the keyboard's place in it stays, and how far it is pushed aside."""
    page.route("**/live-page", lambda route: route.fulfill(content_type="text/html", body=LIVE))
    page.goto("/live-page")
    page.add_script_tag(url="/static/live.js")
    page.locator("#live [tabindex]").evaluate("one => { one.scrollLeft = 150; one.focus(); one.dataset.old = 'y'; }")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("[data-old]")).to_have_count(0)
    assert page.evaluate("[document.activeElement.id, document.activeElement.scrollLeft]") == ["region", 150]


LIVE = """<!doctype html><title>Live</title>
<label hidden><input type="checkbox" id="live-box" data-seconds="999" checked></label>
<div id="live">
<div id="region" tabindex="0" style="width: 100px; overflow: auto"><div style="width: 900px">x</div></div>
</div>"""
