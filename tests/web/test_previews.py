"""Laws of previews: what was tried out is nobody's work, and ends with the place of who tried it."""

import csv
import io
import re

import pytest

from quizprop.store import classroom, practice, sets
from tests.web.conftest import honest, words
from tests.web.test_courses import (
    come_in,
    grace,  # noqa: F401 - a fixture
    make,
    token,  # noqa: F401 - a fixture
)
from tests.web.test_teaching import draft, members


@pytest.fixture
def bob(app, grace, token):  # noqa: F811
    """A second instructor of the course."""
    one = come_in(app, grace, token, "bob")
    make(grace, token, "bob", "instructor")
    return one


def tried_out(teacher, address):
    """Preview a set and do its first item right; the set's token and the sheet's."""
    name = teacher.post(f"{address}/preview", page=address).location.rpartition("/")[2]
    sheet = teacher.post(f"/sets/{name}/1").location.rpartition("/")[2]
    assert teacher.check(sheet, honest(teacher.instance(sheet))).status_code == 303
    assert len(kept(teacher, sheet)) == 1
    return name, sheet


def kept(browser, sheet):
    with browser.database.read() as session:
        return practice.submissions(session, browser.variant(sheet))


def book_of(teacher, token):  # noqa: F811
    with teacher.database.read() as session:
        return classroom.gradebook(session, members(teacher, token)[0])


@pytest.mark.parametrize("published", ["before", "after"])
def test_what_was_done_in_a_preview_is_no_work_of_a_student(grace, token, bob, published):  # noqa: F811
    address = draft(grace, token, attempts="1").location
    if published == "before":
        grace.post(f"{address}/publish")
    name, sheet = tried_out(bob, address)
    make(grace, token, "bob", "student")
    if published == "after":
        grace.post(f"{address}/publish")
    book = book_of(grace, token)
    assert [(one.username, book.score(one, book.columns[0])) for one in book.students] == [("bob", None)]
    rows = list(csv.reader(io.StringIO(grace.get(f"/courses/{token}/grades.csv").text.removeprefix("\ufeff"))))
    assert (rows[1][0], *rows[1][-3:]) == ("bob", "", "4.0", "0.0")
    assert "Nothing is checked yet" in words(grace.get(f"/courses/{token}/mistakes").text)
    assert grace.get(f"/courses/{token}/work/{sheet}").status_code == 404
    page = words(bob.get(f"/sets/{name}").text)
    assert "This is a preview" not in page
    assert re.search("Not started 1 of 1 attempts? left 0 of 4 points", page)
    with bob.database.read() as session:
        (of,) = sets.sets_of(session, bob.variant(sheet).learner_id, 0)
    assert [(one.attempts, one.best_credit, one.variant_token) for one in of.items] == [(0, None, None)]


def test_a_date_of_ones_own_and_a_running_time_outlast_a_look(app, grace, token):  # noqa: F811
    carl = come_in(app, grace, token, "carl")
    address = draft(grace, token, time_limit="60").location
    grace.post(f"{address}/publish")
    name = address.rpartition("/")[2]
    carl.post(f"/sets/{name}/begin")
    with grace.database.read() as session:
        (before,) = sets.results(session, sets.find_set(session, name), now=0)
    make(grace, token, "carl", "instructor")
    carl.post(f"{address}/preview", page=address)
    make(grace, token, "carl", "student")
    with grace.database.read() as session:
        (after,) = sets.results(session, sets.find_set(session, name), now=0)
    assert after.work.terms == before.work.terms
    assert after.work.terms.started_at is not None


@pytest.mark.parametrize("begun", [True, False])
def test_who_had_a_set_as_a_student_tries_it_out_if_nothing_was_begun(app, grace, token, begun):  # noqa: F811
    carl = come_in(app, grace, token, "carl")
    address = draft(grace, token).location
    grace.post(f"{address}/publish")
    name = address.rpartition("/")[2]
    if begun:
        sheet = carl.post(f"/sets/{name}/1").location.rpartition("/")[2]
        carl.check(sheet, {"delta2[1]": "77.125"})
    make(grace, token, "carl", "instructor")
    carl.post(f"{address}/preview", page=address)
    assert ("This is a preview" in words(carl.get(f"/sets/{name}").text)) == (not begun)
    make(grace, token, "carl", "student")
    book = book_of(grace, token)
    (student,) = book.students
    score = book.score(student, book.columns[0])
    assert (score and score.attempts) == (1 if begun else None)


def test_the_sheet_of_a_preview_stays_with_who_tried_it_and_the_students_is_another(grace, token, bob):  # noqa: F811
    address = draft(grace, token).location
    grace.post(f"{address}/publish")
    name, sheet = tried_out(bob, address)
    make(grace, token, "bob", "student")
    assert "Attempt 1" in words(bob.get(f"/x/{sheet}", follow_redirects=True).text)
    other = bob.post(f"/sets/{name}/1").location.rpartition("/")[2]
    assert other != sheet
    bob.check(other, {"delta2[1]": "77.125"})
    (score,) = book_of(grace, token).scores.values()
    assert (score.variant_token, score.attempts, score.best_credit) == (other, 1, 0)


@pytest.mark.parametrize(("role", "published"), [("remove", False), ("remove", True), ("student", False)], ids=str)
def test_who_may_not_preview_a_set_any_more_is_out_of_it(grace, token, bob, role, published):  # noqa: F811
    address = draft(grace, token, **{"points-mazur": "2"}).location
    name, sheet = tried_out(bob, address)
    _, other = tried_out(grace, address)
    if published:
        grace.post(f"{address}/publish")
    assert bob.get(f"/sets/{name}").status_code == 200
    make(grace, token, "bob", role)
    assert bob.get(f"/sets/{name}").status_code == 404
    for path in ("/1", "/2", "/1/new", "/begin"):
        assert bob.post(f"/sets/{name}{path}").status_code == 404
    assert name not in bob.get("/sets").text
    assert bob.post(f"{address}/preview").status_code == 404
    assert bob.get(f"/x/{sheet}", follow_redirects=True).status_code == 200
    assert f"/sets/{name}" not in bob.get(f"/x/{sheet}", follow_redirects=True).text
    assert "This is a preview" in words(grace.get(f"/sets/{name}").text)
    assert grace.post(f"/sets/{name}/1").location == f"/x/{other}"


def test_of_a_preview_no_rule_is_told_that_does_not_hold(grace, token):  # noqa: F811
    rules = {"due": "2031-01-01T00:00", "late": "24 h: 80 %", "time_limit": "60"}
    address = draft(grace, token, **rules).location
    page = words(grace.get(grace.post(f"{address}/preview", page=address).location).text)
    assert "This is a preview" in page
    assert "Late work counts less" not in page
    assert "once you begin" not in page


def test_a_set_of_other_networks_is_tried_out_from_anywhere(grace, token):  # noqa: F811
    address = draft(grace, token, networks="192.0.2.0/24").location
    name = grace.post(f"{address}/preview", page=address).location
    sheet = grace.post(f"{name}/1").location
    assert grace.get(sheet).status_code == 200
