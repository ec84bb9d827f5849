"""What those who teach make and decide on the pages: sets, exercises, class lists, decisions, regrades."""

import csv
import io
import re
import time

import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.exercise_file import written_exercise
from quizprop.store import classroom, decisions, sets
from quizprop.store.models import Assignment, table
from quizprop.web import own_exercises, printing
from tests.web.conftest import honest, words
from tests.web.test_courses import (
    code_of,
    come_in,
    give_set,
    grace,  # noqa: F401 - a fixture
    number_of,
    set_token,
    stored_set,
    token,  # noqa: F401 - a fixture
)
from tests.web.test_rules import follows
from tests.web.test_sets import attempt

BANK = load_bank()


def draft(teacher, token, **more):  # noqa: F811
    data = {"title": "Week 1", "points-deltas": "4", **more}
    return teacher.post(f"/courses/{token}/sets/new", data, page=f"/courses/{token}/sets/new")


def members(teacher, token):  # noqa: F811
    with teacher.database.read() as session:
        from quizprop.store.models import Course, table

        course = table(Course)
        found = session.execute(course.select().where(course.c.token == token)).one()
        seat = classroom.Seat(classroom.StoredCourse(*found), 0, "instructor")
        return seat, classroom.members(session, seat)


# --- the builder ----------------------------------------------------------------------------------------------------


def test_a_draft_is_seen_by_nobody_and_can_still_be_changed_whole(app, grace, token):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    address = draft(grace, token).location
    assert "Week 1" not in ada.get(f"/courses/{token}").text
    assert "/sets/" not in ada.get("/sets").text
    again = {"title": "Week 2", "points-deltas": "", "points-mazur": "3", "points-forward-pass": "1"}
    order = {"order-mazur": "2", "order-forward-pass": "1"}
    assert grace.post(address, {**again, **order}).status_code == 303
    name = address.rpartition("/")[2]
    with grace.database.read() as session:
        found = sets.items_of(session, sets.find_set(session, name))
    assert [(one.exercise, one.points) for one in found] == [("forward-pass", 1), ("mazur", 3)]
    assert grace.post(f"{address}/publish").status_code == 303
    assert "Week 2" in ada.get("/sets").text
    grace.post(address, {"title": "Week 2", "points-deltas": "9"})
    with grace.database.read() as session:
        assert sets.items_of(session, sets.find_set(session, name)) == found  # students have it


def test_a_draft_is_deleted_with_what_was_tried_and_a_published_set_never(grace, token):  # noqa: F811
    address = draft(grace, token).location
    name = grace.post(f"{address}/preview").location.rpartition("/")[2]
    sheet = grace.post(f"/sets/{name}/1").location
    assert grace.post(f"{address}/delete", page=address).location == f"/courses/{token}"
    assert name not in grace.get(f"/courses/{token}").text
    assert grace.get(f"/sets/{name}").status_code == 404
    assert grace.get(sheet).status_code == 200  # what was tried out is a sheet like any other
    assert "Draft deleted: Week 1" in words(grace.get(f"/courses/{token}/record").text)
    address = draft(grace, token).location
    page = grace.get(address).text
    grace.post(f"{address}/publish")
    assert "/delete" in page
    assert "/delete" not in grace.get(address).text
    assert grace.post(f"{address}/delete", page=f"/courses/{token}").status_code == 404
    assert grace.get(address).status_code == 200


def test_who_may_have_seen_the_solution_is_thought_of_before_attempts_are_raised(grace, token):  # noqa: F811
    for rules, told in (
        ({"attempts": "1"}, True),
        ({}, False),
        ({"attempts": "1", "feedback": "after due", "due": "2031-01-01T00:00"}, False),
    ):
        address = draft(grace, token, **rules).location
        assert "has seen the solution" not in words(grace.get(address).text)
        grace.post(f"{address}/publish")
        assert ("has seen the solution" in words(grace.get(address).text)) == told


def test_a_course_is_called_otherwise_and_the_record_says_so(app, grace, token):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    page = f"/courses/{token}"
    for wrong in ("", "   ", "x" * 201):
        answer = grace.post(f"{page}/title", {"title": wrong}, page=page)
        assert (answer.status_code, f'value="{wrong}"' in answer.text) == (422, True)
    grace.post(f"{page}/title", {"title": " Learning,  2027 "}, page=page)
    assert "Learning, 2027" in ada.get("/courses").text
    assert "The course Deep learning is called Learning, 2027 now" in words(grace.get(f"{page}/record").text)


def test_the_words_of_a_set_keep_their_first_empty_line(grace, token):  # noqa: F811
    address = draft(grace, token, words="\nFirst line").location
    typed = re.search(r"<textarea id=\"words\"[^>]*>(.*?)</textarea>", grace.get(address).text, re.DOTALL)[1]
    assert typed.removeprefix("\n") == "\nFirst line"


def test_a_preview_is_a_students_view_and_counts_nowhere(app, grace, token):  # noqa: F811
    address = draft(grace, token, opens="2031-01-01T00:00", attempts="1").location
    name = grace.post(f"{address}/preview").location.rpartition("/")[2]
    assert "This is a preview" in words(grace.get(f"/sets/{name}").text)
    sheet = grace.post(f"/sets/{name}/1").location.rpartition("/")[2]
    right = honest(grace.instance(sheet))
    for key in ("one", "two"):
        assert grace.check(sheet, {**right, "delta2[1]": key}, key=key).status_code == 303
    grace.post(f"{address}/publish")
    assert "Nothing is checked yet" in words(grace.get(f"/courses/{token}/mistakes").text)
    ada = come_in(app, grace, token, "ada")
    assert "grace" not in words(grace.get(f"{address}/live").text.partition("<main")[2])
    assert set_token(ada) == name
    # A draft can be changed though it was tried out: the sheet stays, outside of the set.
    other = draft(grace, token).location
    tried = grace.post(f"{other}/preview").location.rpartition("/")[2]
    sheet = grace.post(f"/sets/{tried}/1").location.rpartition("/")[2]
    assert grace.post(other, {"title": "Other", "points-mazur": "1"}).status_code == 303
    assert grace.get(f"/x/{sheet}").status_code == 200


def test_rules_come_back_as_they_were_typed(grace, token):  # noqa: F811
    said = {
        "due": "2031-01-01T09:00",
        "late": "1 d: 80 %; 72h=50",
        "time_limit": "90",
        "fresh_after": "3",
        "feedback": "after due",
        "hints": "on",
        "hint_price": "12.5",
        "follow_credit": "50",
        "password": "Bernoulli",
        "networks": "192.0.2.0/24",
        "best_of": "a: 1",
        "zone-deltas": "a",
        "same_numbers": "y",
    }
    address = draft(grace, token, **said).location
    stored = stored_set(grace, address.rpartition("/")[2])
    hour = 3_600_000_000
    policy = stored.policy
    assert policy.late == ((24 * hour, 0.8), (72 * hour, 0.5))
    assert (policy.time_limit, policy.fresh_after, policy.feedback) == (hour * 3 // 2, 3, "after due")
    assert (policy.hint_price, policy.follow_credit, policy.best_of) == (0.125, 0.5, {"A": 1})
    assert (policy.password, policy.networks, stored.seed is not None) == ("Bernoulli", "192.0.2.0/24", True)
    page = grace.get(address).text
    for typed in ("24 h: 80 %, 72 h: 50 %", "90", "12.5", "50", "Bernoulli", "192.0.2.0/24", "A: 1"):
        assert f'value="{typed}"' in page


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"late": "24 h: 80 %"}, "This needs a due date"),
        ({"feedback": "after due"}, "Feedback when the set is closed needs a due date"),
        ({"due": "2031-01-01T09:00", "late": "soon"}, "Write times that go up"),
        ({"due": "2031-01-01T09:00", "late": "24 h: 80 %, 12 h: 50 %"}, "Write times that go up"),
        ({"time_limit": "0"}, "A time limit is a whole number"),
        ({"hint_price": "101"}, "This is a number from 0 to 100"),
        ({"networks": "home"}, "Write networks as in"),
        ({"best_of": "A"}, "Write each group"),
        ({"best_of": "A: 2", "zone-deltas": "A"}, "Fewer exercises than are to count are in group A"),
        ({"zone-deltas": "AB"}, "A group is one letter"),
        ({"feedback": "sometimes"}, "This is not among the choices"),
    ],
)
def test_rules_that_make_no_sense_are_told_and_kept(grace, token, said, problem):  # noqa: F811
    answer = draft(grace, token, **said)
    assert (answer.status_code, problem in words(answer.text)) == (422, True)
    assert all(f'value="{typed}"' in answer.text for name, typed in said.items() if name != "feedback")


def test_a_set_of_another_term_is_copied_with_its_exercises(grace, token):  # noqa: F811
    name = draft(grace, token, attempts="3", words="Read first", **{"points-mazur": "2.5"}).location.rpartition("/")[2]
    other = grace.post("/courses", {"title": "Next term"}).location
    page = grace.get(f"{other}/sets/new?copy={name}").text
    assert 'name="points-mazur" type="text" inputmode="decimal" value="2.5"' in page
    assert "Read first" in page
    assert 'name="attempts" type="text" value="3"' in page


# --- exercises ------------------------------------------------------------------------------------------------------


def fields_of(page):
    found = dict(re.findall(r'<input id="[^"]+" name="((?:field|value)-[^"]+)" type="text" value="([^"]*)"', page))
    areas = re.findall(r'<textarea id="[^"]+" name="(field-[^"]+)"[^>]*>([^<]*)</textarea>', page)
    picked = re.findall(r'name="(field-[^"]+)">.*?<option value="([^"]*)" selected>', page)
    from html import unescape

    return {name: unescape(value) for name, value in [*found.items(), *areas, *picked]}


def test_a_trial_ends_in_time_and_says_what_to_change(grace, token, monkeypatch):  # noqa: F811
    monkeypatch.setattr(own_exercises, "_TRIAL", 0.1)
    address = f"/courses/{token}/exercises/mazur-like"
    few = {"field-asked": "W1_new", "field-places": "1", "name": "mine", "do": "save"}
    began = time.thread_time()
    answer = grace.post(address, {**fields_of(grace.get(address).text), **few})
    assert time.thread_time() - began < 5
    assert answer.status_code == 422
    assert re.search(r"No variant was found in 0 seconds. This rejects most: W1_new .*ask for less", words(answer.text))
    assert fields_of(answer.text)["field-places"] == "1"


def test_an_exercise_that_is_not_certified_in_time_any_more_still_has_its_page(grace, token, monkeypatch):  # noqa: F811
    address = f"/courses/{token}/exercises/deltas"
    saved = grace.post(address, {**fields_of(grace.get(address).text), "name": "mine", "do": "save"}).location
    monkeypatch.setattr(own_exercises, "in_time", lambda _blocks, _seconds: iter(()))
    answer = grace.get(saved)
    assert (answer.status_code, "No variant was found" in words(answer.text)) == (200, True)


def test_a_question_bank_that_takes_too_long_is_not_made(grace, token, monkeypatch):  # noqa: F811
    monkeypatch.setattr(printing, "_EXPORT", 0.0)
    page = f"/courses/{token}/exercises/choose-delta"
    answer = grace.post(f"{page}/bank", {"format": "gift", "count": "200"}, page=page)
    assert answer.status_code == 422
    assert re.search(r"Only [0-8] variants? (was|were) found in the time that there is", words(answer.text))


@pytest.mark.parametrize("slug", ["mazur-like", "softmax", "adam", "attention-forward", "true-false-relu"])
def test_a_form_that_is_sent_as_it_came_is_the_same_exercise(grace, token, slug):  # noqa: F811
    address = f"/courses/{token}/exercises/{slug}"
    fields = fields_of(grace.get(address).text)
    answer = grace.post(address, {**fields, "name": f"{slug}-two", "do": "save"})
    assert answer.status_code == 303
    text = grace.get(f"{answer.location}.toml").text
    assert text == written_exercise(BANK[slug])


def test_a_changed_exercise_is_tried_saved_used_and_deleted(app, grace, token):  # noqa: F811
    address = f"/courses/{token}/exercises/deltas"
    fields = {**fields_of(grace.get(address).text), "name": "mine", "field-places": "6", "field-title": "My own"}
    page = words(grace.post(address, {**fields, "do": "try"}).text)
    assert re.search(r"[0-9]+ of [0-9]+ candidates? (was|were) certified: [0-9]+%", page)
    saved = grace.post(address, {**fields, "do": "save"}).location
    choices = grace.get(f"/courses/{token}/sets/new").text
    (key,) = set(re.findall(r'name="points-(mine\.[0-9]+)"', choices))
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token, **{"points-mazur-like": "", f"points-{key}": "2"})
    assert grace.post(saved, {"do": "delete"}).status_code == 303
    sheet = ada.post(f"/sets/{set_token(ada)}/1").location.rpartition("/")[2]
    assert ada.instance(sheet).exercise.places == 6  # it keeps what it was made with
    assert "My own" in ada.get(f"/x/{sheet}").text
    assert ada.check(sheet, honest(ada.instance(sheet))).status_code == 303
    for address in ("/progress", "/progress/sheets", f"/sets/{set_token(ada)}"):
        assert ada.get(address).status_code == 200


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"field-layers": "2, x"}, "network.layers"),
        ({"field-layers": "2,2,2,2,2,2,2,2"}, "make it smaller"),
        ({"field-activations": "sigmoid"}, "activation"),
        ({"field-places": "99"}, "places"),
        ({"field-asked": "z9"}, "nothing is named z9"),
        ({"value-x": "{low = 1"}, "values.x"),
        ({"value-x": "[1, 2, 3]"}, "has shape"),
        ({"value-x": "0.5", "value-W1": "0.5", "value-W2": "0.5", "value-t": "0.5"}, "no instance can be certified"),
        ({"name": "Über"}, "small letters"),
        ({"source": "title ="}, "is not TOML"),
        ({"source": "places = " + "9" * 5000}, "a number has more than 300 digits"),
        ({"source": "places = 0x" + "f" * 5000}, "a number has more than 300 digits"),
        ({"field-places": "9" * 4301}, "places"),
        ({"field-places": "0x" + "f" * 4301}, "places"),
        ({"field-places": "9" * 300}, "places"),
        ({"field-layers": "2, " + "9" * 4301}, "network.layers"),
        ({"field-examples": "9" * 4301}, "network.examples"),
        ({"value-x": "{low = -1, high = 1, step = " + "1" * 4301 + "}"}, "values.x"),
        ({"value-x": "9" * 4301}, "values.x"),
        ({"value-x": "9" * 300}, ""),
        ({"value-x": "[" + "9" * 300 + ", 2]"}, ""),
    ],
)
def test_an_exercise_that_can_t_be_is_told_why_and_kept(grace, token, changes, problem):  # noqa: F811
    address = f"/courses/{token}/exercises/mazur-like"
    fields = {**fields_of(grace.get(address).text), "name": "mine", **changes}
    answer = grace.post(address, {**fields, "do": "save"})
    assert answer.status_code == 422, words(answer.text)
    assert problem in words(answer.text)
    assert grace.get(f"/courses/{token}/exercises/mine").status_code == 404


@pytest.mark.parametrize("field", ["source", "value-x", "field-places", "field-layers"])
def test_a_name_of_very_many_parts_is_refused_at_once(grace, token, field):  # noqa: F811
    address = f"/courses/{token}/exercises/mazur-like"
    dotted = ".".join(["a"] * 20_000) + " = 1"
    text = dotted if field == "source" else f"{{{dotted}}}" if field == "value-x" else f"1\n{dotted}"
    fields = {**fields_of(grace.get(address).text), "name": "mine", field: text}
    began = time.process_time()
    answer = grace.post(address, {**fields, "do": "save"})
    assert time.process_time() - began < 2
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    if field == "source":
        assert "is not TOML: a line has more than 500 points" in words(answer.text)


def test_a_file_is_brought_in_and_taken_out(grace, token):  # noqa: F811
    address = f"/courses/{token}/exercises/deltas"
    text = written_exercise(BANK["softmax"]).replace("\n", "\r\n")
    saved = grace.post(address, {"source": text, "name": "from-a-file", "do": "save"}).location
    assert grace.get(f"{saved}.toml").text == written_exercise(BANK["softmax"])


@pytest.mark.parametrize(
    ("form", "begins"),
    [("moodle", b"<?xml"), ("qti12", b"PK"), ("qti21", b"PK"), ("qti3", b"PK"), ("gift", b"$CATEGORY")],
)
def test_an_exercise_is_taken_along_as_a_question_bank(grace, token, form, begins):  # noqa: F811
    page = f"/courses/{token}/exercises/deltas"
    answer = grace.post(f"{page}/bank", {"format": form, "count": "2"}, page=page)
    assert (answer.status_code, answer.data.startswith(begins)) == (200, True)
    for wrong in ({"count": "0"}, {"count": "many"}, {"count": "201"}, {"count": "0002000"}, {"format": "paper"}):
        assert grace.post(f"{page}/bank", {"format": form, "count": "2", **wrong}, page=page).status_code == 422
    questions = f"/courses/{token}/exercises/true-false-relu"
    assert grace.post(f"{questions}/bank", {"format": form, "count": "1"}, page=page).data.startswith(begins)


# --- the class list -------------------------------------------------------------------------------------------------

ROSTER = "username,name,section,id\nada,=Ada(),A,17\nx,,,\nBob,Bob <b>,B,\n"


def test_a_class_list_is_looked_at_then_applied(app, grace, token):  # noqa: F811
    come_in(app, grace, token, "bob")
    page = f"/courses/{token}/roster"
    look = grace.post(page, {"roster": ROSTER})
    assert "New account" in words(look.text)
    assert "A user name has 3 to 100 characters" in words(look.text)
    assert "Bob &lt;b&gt;" in look.text
    assert len(members(grace, token)[1]) == 2
    done = grace.post(page, {"roster": ROSTER, "do": "apply"}, page=page)
    (link,) = re.findall(r"http://localhost(/reset/[^<\s]+)", done.text)
    assert [one.username for one in members(grace, token)[1]] == ["grace", "ada", "bob"]
    from tests.web.conftest import Browser

    ada = Browser(app)
    assert ada.post(link, {"password": "correct horse"}, page=link).status_code in (302, 303)
    assert "1 new, 1 changed" in words(grace.get(f"/courses/{token}/record").text)


def test_a_class_list_comes_as_a_file_and_what_is_none_is_told(grace, token):  # noqa: F811
    page = f"/courses/{token}/roster"
    file = (io.BytesIO("\ufeffusername;section\ncarol;C\n".encode()), "class.csv")
    assert "carol" in grace.post(page, {"file": file}).text
    answer = grace.post(page, {"roster": "ada\nbob"})
    assert (answer.status_code, "No column is called username" in words(answer.text)) == (422, True)
    assert "ada\nbob" in answer.text.replace("\r", "")


def test_no_date_beyond_the_calendars_breaks_a_page(app, grace, token):  # noqa: F811
    """What is typed for "never" is refused; where it was taken once, every page shows it all the same."""
    ada = come_in(app, grace, token, "ada")
    for due in ("9999-12-31T23:59", "0001-01-01T00:00", "0026-12-01T10:00"):
        answer = give_set(grace, token, due=due)
        assert (answer.status_code, "from the year 2000 on" in words(answer.text)) == (422, True)
        assert due in answer.text
    give_set(grace, token, due="2031-01-01T00:00", late="24 h: 80 %")
    name = set_token(ada)
    student = f"/courses/{token}/students/{number_of(grace, token, 'ada')}"
    for extended in (253_402_300_799_000_000, -62_135_596_800_000_000):
        with grace.database.write() as session:
            session.execute(table(Assignment).update().values(due_at=extended))
        for one, address in ((ada, f"/sets/{name}"), (ada, "/sets"), (ada, f"/courses/{token}"), (grace, student)):
            assert one.get(address).status_code == 200


def test_two_sets_of_one_title_can_be_told_apart(app, grace, token):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    for _ in range(2):
        give_set(grace, token)
    heads = next(csv.reader(io.StringIO(grace.get(f"/courses/{token}/grades.csv").text)))
    assert [one.partition(" / 1.")[0] for one in heads[3:5]] == ["Week 1", "Week 1 / 2"]
    assert len(set(heads)) == len(heads)
    assert ada.get("/sets").text.count("Week 1") == 2


def test_percents_of_rules_have_a_decimal_comma_or_point(grace, token):  # noqa: F811
    for typed in ("12,5", "12.5"):
        address = draft(grace, token, hint_price=typed, follow_credit=typed).location
        with grace.database.read() as session:
            policy = sets.find_set(session, address.rpartition("/")[2]).policy
        assert (policy.hint_price, policy.follow_credit) == (0.125, 0.125)


# --- who is not in the course any more ------------------------------------------------------------------------------


def remove(teacher, token, name):  # noqa: F811
    number = number_of(teacher, token, name)
    return teacher.post(f"/courses/{token}/people", {"change": f"{number} remove"})


def test_who_is_taken_out_is_handed_nothing_and_checks_nothing(app, grace, token):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token, **{"points-chain": "1"})
    name = set_token(ada)
    sheet = ada.post(f"/sets/{name}/1").location.rpartition("/")[2]
    right = honest(ada.instance(sheet))
    assert attempt(ada, sheet, {next(iter(right)): "0.5"}).status_code == 303
    remove(grace, token, "ada")
    assert name not in ada.get("/sets").text
    for answer in (ada.get(f"/sets/{name}"), ada.post(f"/sets/{name}/2"), ada.post(f"/sets/{name}/begin")):
        assert answer.status_code == 404
    page = ada.get(f"/x/{sheet}/s/1")
    assert "You are not in this course any more" in words(page.text)
    assert f"/sets/{name}" not in page.text
    refused = attempt(ada, sheet, right)
    assert (refused.status_code, "You are not in this course any more" in words(refused.text)) == (409, True)
    assert all(text in refused.text for text in right.values())
    ada.post("/courses/join", {"code": code_of(grace, token)})
    assert attempt(ada, sheet, right).status_code == 303  # back again, as it was
    assert "solved" in words(ada.get(f"/sets/{name}").text).lower()


def test_who_is_taken_out_learns_nothing_that_waits(app, grace, token):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token, feedback="after due", due="2031-01-01T00:00")
    name = set_token(ada)
    sheet = ada.post(f"/sets/{name}/1").location.rpartition("/")[2]
    right = honest(ada.instance(sheet))
    attempt(ada, sheet, {**right, next(iter(right)): "99"})
    remove(grace, token, "ada")
    page = ada.get(f"/x/{sheet}/s/1").text
    assert "Handed in: attempt 1" in words(page)
    assert not any(told in page for told in ('class="score"', "is-wrong", "is-right", "Try it again"))
    ada.post(f"/x/{sheet}/give-up")
    assert "here is how it goes" not in words(ada.get(f"/x/{sheet}/s/1").text)


def test_what_was_not_touched_is_gone_with_who_is_taken_out(app, grace, token):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token)
    remove(grace, token, "ada")
    with grace.database.read() as session:
        assert session.execute(table(Assignment).select()).all() == []
    ada.post("/courses/join", {"code": code_of(grace, token)})
    assert ada.get(f"/sets/{set_token(ada)}").status_code == 200


# --- decisions ------------------------------------------------------------------------------------------------------


@pytest.fixture
def worked(app, grace, token):  # noqa: F811
    """A student with a right sheet for 4 points, due long ago but late; the student's page, the item, the sheet."""
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token)
    sheet = ada.post(f"/sets/{set_token(ada)}/1").location.rpartition("/")[2]
    right = honest(ada.instance(sheet))
    ada.check(sheet, {**right, next(iter(right)): "99"})
    page = f"/courses/{token}/students/{number_of(grace, token, 'ada')}"
    item = re.search(r"/items/(\d+)", grace.get(page).text)[1]
    return ada, page, item


def grades(teacher, token):  # noqa: F811
    text = teacher.get(f"/courses/{token}/grades.csv").text.removeprefix("\ufeff")
    return [row[-1] for row in csv.reader(io.StringIO(text))][1:]


def test_points_are_decided_with_a_reason_and_taken_back(grace, token, worked):  # noqa: F811
    ada, page, item = worked
    before = grades(grace, token)
    address = f"{page}/items/{item}"
    for wrong in ({"points": "3"}, {"points": "many", "reason": "x"}, {"reason": "", "do": "excuse"}):
        answer = grace.post(address, {"do": "points", **wrong}, page=page)
        assert answer.status_code == 422
        assert all(typed in answer.text for typed in wrong.values())
    assert grades(grace, token) == before
    grace.post(address, {"points": "3,5", "reason": "a <typo> of mine", "do": "points"}, page=page)
    assert grades(grace, token) == ["3.5"]
    assert "3.5*" in words(grace.get(f"/courses/{token}/grades").text)
    assert "3.5 of 4 points" in words(ada.get(f"/sets/{set_token(ada)}").text)
    grace.post(address, {"reason": "ill", "do": "excuse"}, page=page)
    assert "excused" in words(grace.get(f"/courses/{token}/grades").text)
    excused = words(ada.get(f"/sets/{set_token(ada)}").text)
    assert "Excused" in excused
    assert "does not count" in excused
    assert "3.5 of 4" not in excused
    live = words(grace.get(f"/courses/{token}/sets/{set_token(ada)}/live").text)
    assert "excused" in live
    assert "%" not in live.partition("ada")[2]
    grace.post(address, {"reason": "after all", "do": "undo"}, page=page)
    assert grades(grace, token) == before
    record = grace.get(f"/courses/{token}/record").text
    assert "a &lt;typo&gt; of mine" in record
    assert words(record).index("after all") < words(record).index("ill")  # the latest first


def test_an_extension_is_of_one_student(app, grace, token, worked):  # noqa: F811
    ada, page, _ = worked
    bob = come_in(app, grace, token, "bob")
    name = set_token(ada)
    address = f"/courses/{token}/sets/{name}"
    grace.post(address, {"title": "Week 1", "due": "2020-01-01T00:00"})
    assert grace.post(f"{page}/due/{name}", {"due": "someday"}, page=page).status_code == 422
    assert grace.post(f"{page}/due/{name}", {"due": "2031-01-01T00:00"}, page=page).status_code == 303
    assert "1 January 2031" in words(ada.get(f"/sets/{name}").text)
    assert "1 January 2020" in words(bob.get(f"/sets/{name}").text)
    assert bob.post(f"/sets/{name}/1").status_code == 409
    for one, due in ((ada, "Due 1 January 2031"), (bob, "Was due 1 January 2020"), (grace, "Was due 1 January 2020")):
        assert due in words(one.get(f"/courses/{token}").text)
    assert "extended" in words(grace.get(page).text)
    grace.post(f"{page}/due/{name}", {"due": ""}, page=page)
    assert "1 January 2020" in words(ada.get(f"/sets/{name}").text)
    assert "extended" not in words(grace.get(page).text)


def test_particulars_and_extra_time_are_kept(grace, token, worked):  # noqa: F811
    _, page, _ = worked
    said = {"name": "Ada Lovelace", "section": "A", "external_id": "17", "extra_time": "25"}
    assert grace.post(page, {**said, "extra_time": "much"}, page=page).status_code == 422
    assert grace.post(page, {**said, "name": "x" * 201}, page=page).status_code == 422
    assert grace.post(page, said, page=page).status_code == 303
    text = words(grace.get(page).text)
    assert "Ada Lovelace ada · A · 17 · 25% more time" in text
    canvas = list(csv.reader(io.StringIO(grace.get(f"/courses/{token}/canvas.csv").text)))
    assert canvas[2][:5] == ["Ada Lovelace", "", "17", "ada", "A"]
    assert "Ada Lovelace" not in words(grace.get(f"/courses/{token}/grades?section=B").text.partition("<table")[2])


# --- sheets with new numbers ----------------------------------------------------------------------------------------


@pytest.fixture
def renewed(app, grace, token):  # noqa: F811
    """A student's three sheets of one item: nothing right, almost all right, little right."""
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token, fresh_after="1", **{"points-mazur": "2"})
    name, found = set_token(ada), []
    for count in (0, -1, 3):
        address = f"/sets/{name}/1" if not found else f"/sets/{name}/1/new"
        found.append(ada.post(address).location.rpartition("/")[2])
        right = honest(ada.instance(found[-1]))
        keys = list(right)[:count]
        answer = ada.check(found[-1], {key: right[key] if key in keys else "77.125" for key in right}, announced="y")
        assert answer.status_code == 303
    assert len(set(found)) == 3
    return ada, found


def sheets_in(page, token):  # noqa: F811
    return re.findall(rf'href="/courses/{token}/work/([\w-]+)"', page)


def test_after_new_numbers_the_gradebook_leads_to_the_sheet_that_earned_most(grace, token, renewed):  # noqa: F811
    _, (_, best, _) = renewed
    page = grace.get(f"/courses/{token}/grades").text
    assert sheets_in(page, token) == [best]
    text = words(grace.get(f"/courses/{token}/work/{best}").text)
    credit = re.search(rf'work/{best}">([\d.]+)</a>', page)[1]
    assert 0 < float(credit) < 4
    assert "Attempt 1" in text


def test_the_page_of_a_sheet_links_to_the_others_of_its_item(app, grace, token, renewed):  # noqa: F811
    ada, sheets = renewed
    other = ada.post(f"/sets/{set_token(ada)}/2").location.rpartition("/")[2]
    bob = come_in(app, grace, token, "bob")
    bob.post(f"/sets/{set_token(bob)}/1")
    for sheet in sheets:
        page = grace.get(f"/courses/{token}/work/{sheet}").text
        assert sheets_in(page, token) == sheets
        (current,) = re.findall(r'work/([\w-]+)" aria-current="page">(Sheet \d)<', page)
        assert current == (sheet, f"Sheet {sheets.index(sheet) + 1}")
    assert sheets_in(grace.get(f"/courses/{token}/work/{other}").text, token) == []


@pytest.mark.parametrize(
    "slug", ["find-slip-mazur", "true-false-relu", "choose-delta", "did-it-fall", "shapes-forward"]
)
def test_the_work_at_each_kind_of_question_stands_beside_what_is_right(app, grace, token, slug):  # noqa: F811
    give_set(grace, token, **{"points-mazur-like": "", f"points-{slug}": "3"})
    ada = come_in(app, grace, token, "ada")
    sheet = ada.post(f"/sets/{set_token(ada)}/1").location.rpartition("/")[2]
    instance = ada.instance(sheet)
    right = {one.key: str(one.right) for one in instance.questions} or honest(instance)
    assert ada.check(sheet, right, announced="y").status_code == 303
    page = grace.get(f"/courses/{token}/work/{sheet}").text
    row = r'<tr><th scope="row">.*?</th><td>(.*?)</td><td[^>]*>.*?<code class="typed">(.*?)</code>'
    rows = re.findall(row, page.replace("\N{MINUS SIGN}", "-"), re.DOTALL)
    assert len(rows) == len(right)
    assert [beside for beside, _ in rows] == [re.sub(r"\.0$", "", typed) for _, typed in rows]
    assert page.partition("Worked solution")[2].count('class="step"') == len(instance.as_sheet.steps)


# --- regrading ------------------------------------------------------------------------------------------------------


def test_a_regrade_shows_each_difference_and_holds_only_what_was_shown(grace, token, worked):  # noqa: F811
    ada, _, _ = worked
    name = set_token(ada)
    address = f"/courses/{token}/sets/{name}"
    before = grades(grace, token)
    assert "There is no difference" in words(grace.get(f"{address}/regrade").text)
    grace.post(address, {"title": "Week 1", "due": "2020-01-01T00:00", "late": "99999 h: 50 %"})
    page = grace.get(f"{address}/regrade").text
    assert "1 submission would be worth something else" in words(page)
    shown = re.search(r'name="shown" value="(\w+)"', page)[1]
    refused = grace.post(f"{address}/regrade", {"reason": "late", "shown": "old"})
    assert (refused.status_code, 'value="late"' in refused.text) == (409, True)
    assert grace.post(f"{address}/regrade", {"reason": "", "shown": shown}).status_code == 422
    for late, status in (("40", 409), ("50", 422)):  # another rule since the page was shown, and that one again
        grace.post(address, {"title": "Week 1", "due": "2020-01-01T00:00", "late": f"99999 h: {late} %"})
        said = {"reason": "late" if status == 409 else "", "shown": shown}
        assert grace.post(f"{address}/regrade", said).status_code == status
    assert grades(grace, token) == before
    assert grace.post(f"{address}/regrade", {"reason": "late", "shown": shown}).status_code == 303
    assert [float(one) for one in grades(grace, token)] == [pytest.approx(float(before[0]) / 2)]
    assert "counts" in words(grace.get(f"/courses/{token}/work/{sheet_of(ada)}").text)
    assert "There is no difference" in words(grace.get(f"{address}/regrade").text)
    # The rule is taken back: the credit of the first day comes back, and the record has both.
    grace.post(address, {"title": "Week 1"})
    shown = re.search(r'name="shown" value="(\w+)"', grace.get(f"{address}/regrade").text)[1]
    grace.post(f"{address}/regrade", {"reason": "back", "shown": shown})
    assert grades(grace, token) == before
    with grace.database.read() as session:
        seat = members(grace, token)[0]
        assert [one.what for one in decisions.entries(session, seat)].count("regrade") == 2


def sheet_of(student):
    return re.search(r"/x/([\w-]+)", student.get("/progress/sheets").text)[1]


def test_by_the_same_rules_a_regrade_changes_nothing_however_a_sheet_was_worked(app, grace, token):  # noqa: F811
    """With hints of a price before a check and after it, a decimal comma, one part alone, an error carried on."""
    give_set(grace, token, hint_price="20", follow_credit="30")
    ada = come_in(app, grace, token, "ada")
    name = set_token(ada)
    sheet = ada.post(f"/sets/{name}/1").location.rpartition("/")[2]
    instance = ada.instance(sheet)
    right = honest(instance)
    first, *_, last = right
    comma = {key: text.replace(".", ",") for key, text in right.items()}
    ada.check(sheet, {}, hint=first)
    assert attempt(ada, sheet, right, phase=instance.cells[0].phase.value).status_code == 303  # the rest unchecked
    assert attempt(ada, sheet, {**comma, last: "77,125"}, comma=True).status_code == 303
    ada.check(sheet, {}, hint=first)  # a second rung, which the checks before did not have
    ada.check(sheet, {}, hint=last)
    assert attempt(ada, sheet, follows(instance)).status_code == 303
    regrade = f"/courses/{token}/sets/{name}/regrade"
    assert "There is no difference" in words(grace.get(regrade).text)
    grace.post(f"/courses/{token}/sets/{name}", {"title": "Week 1", "hint_price": "20", "follow_credit": "40"})
    assert "1 submission would be worth something else" in words(grace.get(regrade).text)
    grace.post(f"/courses/{token}/sets/{name}", {"title": "Week 1", "hint_price": "0", "follow_credit": "30"})
    assert "3 submissions would be worth something else" in words(grace.get(regrade).text)


def test_a_regrade_is_of_the_students_of_the_course_alone(app, grace, token):  # noqa: F811
    """Who left, who teaches it now, and who only tries it out is judged no more."""
    give_set(grace, token, follow_credit="50")
    name = None
    for who in ("ada", "bob", "cyd"):
        student = come_in(app, grace, token, who)
        name = name or set_token(student)
        sheet = student.post(f"/sets/{name}/1").location.rpartition("/")[2]
        assert attempt(student, sheet, follows(student.instance(sheet))).status_code == 303
    address = f"/courses/{token}/sets/{name}"
    grace.post(address, {"title": "Week 1", "follow_credit": "100"})
    assert "3 submissions would be" in words(grace.get(f"{address}/regrade").text)
    page = grace.get(f"/courses/{token}").text
    for who, what in (("bob", "remove"), ("cyd", "grader")):
        number = re.search(rf'id="person-(\d+)">(?:<a [^>]*>)?{who}<', page)[1]
        grace.post(f"/courses/{token}/people", {"change": f"{number} {what}"})
    assert "1 submission would be" in words(grace.get(f"{address}/regrade").text)
