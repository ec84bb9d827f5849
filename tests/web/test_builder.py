"""Laws of the form of a problem set: it comes back as it was sent, and what it shows is what is kept and published."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizprop.store import decisions, sets
from quizprop.store.database import Database
from quizprop.web.forms import read_late, write_late
from tests.store.conftest import at_once
from tests.web.conftest import words
from tests.web.test_courses import (
    code_of,
    come_in,
    grace,  # noqa: F401 - a fixture
    make,
    make_course,
    set_token,
    stored_set,
    token,  # noqa: F401 - a fixture
)
from tests.web.test_safety import busy
from tests.web.test_teaching import draft, fields_of, members

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
DUE = {"due": "2031-01-01T09:00"}

times = st.one_of(st.integers(1, 100_000 * DAY - 1), st.integers(1, 100_000 * 24 - 1).map(lambda hours: hours * HOUR))
shares = st.integers(0, 100 * 10**9).map(lambda parts: float(f"{parts}e-9") / 100)
ladders = st.lists(st.tuples(times, shares), max_size=5).map(tuple)


class Form(HTMLParser):
    """What a browser would send of the form of a problem set, or of another one."""

    def __init__(self, page, kind="new-set"):
        super().__init__()
        self.fields, self.kind, self.inside, self.area = {}, kind, False, None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        about = dict(attrs)
        if tag == "form":
            self.inside = about.get("class") == self.kind
        elif self.inside and tag == "textarea":
            self.area = about["name"]
            self.fields[self.area] = ""
        elif self.inside and tag == "input" and (about.get("type") not in ("radio", "checkbox") or "checked" in about):
            self.fields[about.get("name", "")] = about.get("value", "")

    def handle_data(self, text):
        if self.area:
            self.fields[self.area] += text

    def handle_endtag(self, tag):
        if tag == "textarea":
            self.fields[self.area] = self.fields[self.area].removeprefix("\n")  # as browsers do
            self.area = None
        elif tag == "form":
            self.inside = False


def form_at(browser, address):
    answer = browser.get(address)
    assert answer.status_code == 200
    return Form(answer.text).fields


def items_of(browser, address):
    with browser.database.read() as session:
        return sets.items_of(session, sets.find_set(session, address.rpartition("/")[2]))


def set_at(browser, address):
    return stored_set(browser, address.rpartition("/")[2])


def entries(browser, token, what):  # noqa: F811
    """What the record says of such a deed, the latest first."""
    with browser.database.read() as session:
        found = decisions.entries(session, members(browser, token)[0])
    return [one.details for one in found if one.what == what]


# --- what the server could not take ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["", "/publish"])
def test_a_set_that_was_not_saved_is_sent_again_as_it_was_with_its_password_and_its_lines(
    grace,  # noqa: F811
    token,  # noqa: F811
    monkeypatch,
    form,
):
    address = draft(grace, token).location
    said = {"password": "room 101", "words": "\r\n*Read*\r\n\r\nfirst", "networks": "192.0.2.0/24"}
    with monkeypatch.context() as away:
        away.setattr(Database, "write", busy)
        refused = grace.post(address + form, {**form_at(grace, address), **said})
    assert refused.status_code == 503
    again = Form(refused.text, "kept").fields
    again["words"] = again["words"].removeprefix("\n")  # as a browser does
    assert said.items() <= again.items()
    assert grace.client.post(address + form, data=again).status_code == 303
    stored = set_at(grace, address)
    assert (stored.policy.password, stored.policy.networks) == ("room 101", "192.0.2.0/24")
    assert stored.words.splitlines() == ["", "*Read*", "", "first"]


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("/sign-in", {"username": "grace", "password": "no longer known"}),
        ("/password", {"current": "no longer known", "password": "a long new one"}),
        ("/delete", {"current": "no longer known"}),
        ("/no/such/page", {"password": "no longer known"}),
    ],
)
def test_the_password_of_a_person_is_on_no_page_of_an_error(grace, monkeypatch, address, sent):  # noqa: F811
    csrf = grace.csrf()
    monkeypatch.setattr(Database, "read", busy)
    monkeypatch.setattr(Database, "write", busy)
    answer = grace.client.post(address, data={"csrf_token": csrf, **sent})
    assert answer.status_code in (404, 503)
    assert not Form(answer.text, "kept").fields.keys() & {"current", "password"}
    assert "known" not in answer.text
    assert "a long new one" not in answer.text


# --- what is written reads back -------------------------------------------------------------------------------------


@settings(max_examples=500)
@given(ladders)
def test_a_late_ladder_reads_back_as_it_was_written(ladder):
    assert read_late(write_late(ladder)) == ladder


@pytest.mark.parametrize(
    ("after", "written"),
    [
        (10 * MINUTE, "10 min"),
        (24 * HOUR, "24 h"),
        (HOUR // 10, "0.1 h"),
        (99_999 * DAY, "2399976 h"),
        (DAY + 1, "1440.000000017 min"),
        (1, "0.000000017 min"),
    ],
)
def test_a_late_ladder_is_written_as_a_person_would(after, written):
    ladder = ((after, 1 / 3),)
    text = write_late(ladder)
    assert text == f"{written}: 33.333333333 %"
    ((again, share),) = read_late(text)
    assert (again, share) == (after, pytest.approx(1 / 3, abs=1e-11))


SAID = [
    {**DUE, "late": "10 min: 80 %, 24 h: 50 %"},
    {**DUE, "late": "0.1 h: 33.333333 %; 2.5 d = 0.00001"},
    {**DUE, "late": "99999 d: 0 %"},
    {**DUE, "late": "0.123456789 h: 99.999999999 %"},
    {"points-deltas": "33.333333", "points-mazur": "0.00001", "points-forward-pass": "1000"},
    {"points-deltas": "0.000001", "zone-deltas": "b", "best_of": "B: 1"},
    {"follow_credit": "0"},
    {"follow_credit": "33.333333"},
    {"hint_price": "0.0001", "follow_credit": "99.9999999"},
    {"hints": "off", "feedback": "never", "time_limit": "100000", "fresh_after": "1000", "attempts": "1000"},
    {"words": "\n*Read*\nfirst ", "opens": "2026-10-01T08:00:30", "password": "a b", "networks": "192.0.2.0/24"},
    {"same_numbers": "y", "attempts": "1"},
]


@pytest.mark.parametrize("said", SAID)
def test_a_form_that_is_sent_back_as_it_came_is_taken_and_changes_nothing(grace, token, said):  # noqa: F811
    address = draft(grace, token, **said).location
    before = set_at(grace, address), items_of(grace, address)
    for _ in range(2):
        assert grace.post(address, form_at(grace, address)).status_code == 303
        assert (set_at(grace, address), items_of(grace, address)) == before
    assert entries(grace, token, "set changed") == []


# --- the record -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({"follow_credit": "50"}, {"follow_credit": "0"}, {"follow_credit": "0"}),
        ({"follow_credit": "0"}, {"follow_credit": "100"}, {"follow_credit": "100"}),
        ({"hint_price": "50"}, {"hint_price": "0"}, {"hint_price": ""}),
        ({"attempts": "3"}, {"attempts": ""}, {"attempts": ""}),
        ({**DUE, "late": "24 h: 80 %"}, {**DUE, "late": "90 min: 12.5 %"}, {"late": "1.5 h: 12.5 %"}),
        ({**DUE, "late": "1 d: 80 %; 3d=50"}, {**DUE, "late": "24 h: 80 %, 72 h: 50 %"}, {}),
        ({**DUE, "late": "1 d: 80 %; 3d=50"}, {**DUE, "late": "1 d: 80 %; 3d=50"}, {}),
        ({"follow_credit": "50"}, {"follow_credit": "50.0"}, {}),
        ({"follow_credit": ""}, {"follow_credit": "100"}, {}),
        ({"hint_price": ""}, {"hint_price": "0"}, {}),
        ({"title": "Week 1"}, {"title": " Week 1 "}, {}),
        ({"best_of": "A:1", "zone-deltas": "A"}, {"best_of": "a : 1", "zone-deltas": "A"}, {}),
    ],
)
def test_the_record_has_what_was_changed_and_nothing_else(grace, token, before, after, changed):  # noqa: F811
    address = draft(grace, token, **before).location
    assert grace.post(address, {"title": "Week 1", "points-deltas": "4", **after}).status_code == 303
    assert [one["changed"] for one in entries(grace, token, "set changed")] == ([changed] if changed else [])


def test_the_page_of_the_record_says_that_a_credit_is_now_nothing(grace, token):  # noqa: F811
    address = draft(grace, token, follow_credit="50").location
    grace.post(address, {"title": "Week 1", "points-deltas": "4", "follow_credit": "0"})
    assert "in percent → 0" in words(grace.get(f"/courses/{token}/record").text)


def test_the_record_tells_nobody_a_password(grace, token):  # noqa: F811
    address = draft(grace, token).location
    grace.post(address, {"title": "Week 2", "points-deltas": "4", "password": "Bernoulli"})
    page = grace.get(f"/courses/{token}/record").text
    assert ("Week 2" in page, "Bernoulli" in page) == (True, False)


def test_a_set_is_due_after_it_opens_and_a_password_is_no_blank(grace, token):  # noqa: F811
    opens = {"opens": "2031-01-01T09:00", "password": " "}
    assert draft(grace, token, **opens, due="2031-01-01T09:00").status_code == 422
    made = draft(grace, token, **opens, due="2031-01-01T09:01").location
    assert set_at(grace, made).policy.password is None


def test_a_nul_is_left_out_for_postgresql_keeps_none(grace, token):  # noqa: F811
    said = {"title": "Week\0 1", "words": "Read\0 on.", "password": "Ber\0noulli"}
    address = draft(grace, token, **said).location
    kept = set_at(grace, address)
    assert (kept.title, kept.words, kept.policy.password) == ("Week 1", "Read on.", "Bernoulli")
    assert grace.post(address, {**form_at(grace, address), "title": "Week\0 2"}, page=address).status_code == 303
    assert set_at(grace, address).title == "Week 2"
    assert draft(grace, token, title="\0").status_code == 422


@pytest.mark.parametrize("order", ["9" * 4301, "٣", "9" * 5, "x"])
def test_a_place_in_the_order_that_is_none_is_refused(grace, token, order):  # noqa: F811
    answer = draft(grace, token, **{"order-deltas": order})
    assert (answer.status_code, "an order a whole number" in words(answer.text)) == (422, True)
    assert f'value="{order}"' in answer.text


def test_a_group_is_named_where_not_all_of_it_counts(app, grace, token):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    group = {"points-mazur": "1", "zone-deltas": "A", "zone-mazur": "B", "best_of": "A: 1"}
    address = draft(grace, token, **group).location
    grace.post(f"{address}/publish")
    page = words(ada.get(f"/sets/{set_token(ada)}").text)
    assert ("Group A" in page, "Group B" in page) == (True, False)


# --- a copy ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rules",
    [
        {**DUE, "late": "90 min: 80 %, 100.001 h: 50 %", "feedback": "after due"},
        {"feedback": "never", "hints": "off", "time_limit": "60", "follow_credit": "33.333333"},
        {"points-deltas": "33.333333", "hint_price": "12.5", "fresh_after": "3", "best_of": "A: 1", "zone-deltas": "a"},
    ],
)
def test_a_copy_has_the_rules_of_the_original(grace, token, rules):  # noqa: F811
    first = draft(grace, token, **rules).location
    page = f"/courses/{make_course(grace, 'Next term')}/sets/new"
    copied = form_at(grace, f"{page}?copy={first.rpartition('/')[2]}")
    assert (copied["opens"], copied["due"]) == ("", "")
    due = {"due": "2032-01-01T09:00"} if rules.get("due") else {}
    made = grace.post(page, {**copied, **due}, page=page)
    assert made.status_code == 303
    assert set_at(grace, made.location).policy == set_at(grace, first).policy
    assert items_of(grace, made.location) == items_of(grace, first)


def test_a_set_is_copied_by_who_teaches_its_course_alone(app, grace, token):  # noqa: F811
    bob = come_in(app, grace, token, "bob")
    other = make_course(bob, "Other")
    name = draft(bob, other).location.rpartition("/")[2]
    grace.post("/courses/join", {"code": code_of(bob, other)})
    page = f"/courses/{token}/sets/new"
    assert name not in grace.get(page).text
    assert form_at(grace, f"{page}?copy={name}")["title"] == ""


# --- publish and preview --------------------------------------------------------------------------------------------

NEW = {"title": "Week 2", "points-deltas": "7", "points-mazur": "2.5", "order-mazur": "1", "order-deltas": "2"}


@pytest.mark.parametrize("button", ["publish", "preview"])
def test_publish_and_preview_keep_what_the_form_says_first(app, grace, token, button):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    address = draft(grace, token).location
    assert grace.post(f"{address}/{button}", {**form_at(grace, address), **NEW}, page=address).status_code == 303
    assert set_at(grace, address).title == "Week 2"
    assert [(one.exercise, one.points) for one in items_of(grace, address)] == [("mazur", 2.5), ("deltas", 7)]
    (details,) = entries(grace, token, "set changed")
    assert details["changed"] == {"title": "Week 2"}
    reader = ada if button == "publish" else grace
    text = words(reader.get(f"/sets/{address.rpartition('/')[2]}").text)
    assert "Week 2" in text
    assert "0 of 9.5 points" in text
    assert ("Week 2" in ada.get("/sets").text) == (button == "publish")


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"title": ""}, "Give the problem set a title"),
        ({"late": "24 h: 80 %"}, "This needs a due date"),
        ({"points-mazur": "many"}, "Points are a number above 0"),
        ({"points-mazur": "", "points-deltas": ""}, "Choose at least one exercise"),
        ({"best_of": "A: 2"}, "Fewer exercises than are to count are in group A"),
    ],
)
def test_with_something_wrong_nothing_is_published_and_the_form_comes_back(app, grace, token, wrong, problem):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    address = draft(grace, token).location
    before = set_at(grace, address), items_of(grace, address), grace.rows()
    sent = {**form_at(grace, address), **NEW, "words": "Read <b> first", **wrong}
    del sent["csrf_token"]
    for button in ("publish", "preview"):
        answer = grace.post(f"{address}/{button}", sent, page=address)
        assert (answer.status_code, problem in words(answer.text)) == (422, True)
        again = Form(answer.text).fields
        assert {name: again[name] for name in sent} == sent
    assert (set_at(grace, address), items_of(grace, address), grace.rows()) == before
    assert "/sets/" not in ada.get("/sets").text
    assert grace.get(f"/sets/{address.rpartition('/')[2]}").status_code == 404


REFUSED = [
    ({"title": ""}, {"title"}),
    ({"feedback": "after due"}, {"due"}),
    ({"attempts": "many", "time_limit": "x", "hint_price": "300"}, {"attempts", "time_limit", "hint_price"}),
    ({"feedback": "sometimes", "networks": "home"}, {"feedback", "networks"}),
    ({"points-deltas": "many", "zone-mazur": "AB", "points-mazur": "2"}, {"points-deltas", "zone-mazur"}),
    ({"order-deltas": "x"}, {"order-deltas"}),
    ({"points-deltas": ""}, {"exercises"}),
    ({"best_of": "A: 2"}, {"best_of"}),
    ({"title": "", "points-deltas": "0"}, {"title", "points-deltas"}),
]


@pytest.mark.parametrize(("said", "places"), REFUSED)
def test_what_is_refused_is_told_at_the_top_with_the_way_to_each_place(grace, token, said, places):  # noqa: F811
    page = draft(grace, token, **said).text
    note = page[page.index('role="alert"') : page.index('<form class="new-set"')]
    assert set(re.findall(r'<a href="#([^"]+)"', note)) == places
    for place in places:
        assert page.count(f'id="{place}"') == 1
    assert "alert" not in grace.get(f"/courses/{token}/sets/new").text


@pytest.mark.parametrize("field", ["attempts", "time_limit", "fresh_after", "hint_price", "follow_credit"])
def test_what_is_no_number_is_told_in_our_own_words_alone(grace, token, field):  # noqa: F811
    page = words(draft(grace, token, **{field: "many"}).text)
    assert "Not a valid" not in page
    for typed in ("1e999", "0.5.5", "NaN"):
        assert draft(grace, token, **{field: typed}).status_code == 422


def test_the_foot_tells_what_is_chosen_and_that_comes_first(grace, token):  # noqa: F811
    empty = grace.get(f"/courses/{token}/sets/new").text
    assert "Exercises: 0 · Points: 0" in words(empty)
    assert "<legend>Chosen</legend>" not in empty
    order = {"points-deltas": "2,5", "points-mazur": "4", "order-mazur": "1", "order-deltas": "2"}
    drafted = grace.get(draft(grace, token, **order).location).text
    refused = draft(grace, token, **order, title="").text
    for page in (drafted, refused):
        assert "Exercises: 2 · Points: 6.5" in words(page)
        first, second, *_ = re.findall(r'id="points-([^"]+)"', page)
        assert (first, second) == ("mazur", "deltas")
        assert page.count('name="points-mazur"') == 1
    assert "Exercises: 1 · Points: 0" in words(draft(grace, token, **{"points-deltas": "many"}).text)


# --- exercises of one's own -----------------------------------------------------------------------------------------


def test_a_form_made_before_somebody_elses_change_is_told_and_then_taken(app, grace, token):  # noqa: F811
    bob = come_in(app, grace, token, "bob")
    make(grace, token, "bob", "instructor")
    address = draft(grace, token).location
    stale = form_at(bob, address)
    assert bob.post(f"{address}/preview", stale, page=address).status_code == 303  # a look changes nothing
    grace.post(address, {**form_at(grace, address), "title": "Grace's", "points-deltas": "9"})
    told = bob.post(f"{address}/publish", {**stale, "title": "Bob's"}, page=address)
    assert (told.status_code, "Somebody changed this problem set meanwhile" in words(told.text)) == (409, True)
    assert set_at(grace, address).title == "Grace's"
    assert bob.post(address, Form(told.text).fields, page=address).status_code == 303
    assert (set_at(grace, address).title, items_of(grace, address)[0].points) == ("Bob's", 4)


def test_a_look_at_a_draft_leaves_the_sheets_that_are_tried_out_where_they_are(grace, token):  # noqa: F811
    address = draft(grace, token).location
    name = grace.post(f"{address}/preview", form_at(grace, address), page=address).location.rpartition("/")[2]
    sheet = grace.post(f"/sets/{name}/1").location.rpartition("/")[2]
    grace.post(f"{address}/preview", form_at(grace, address), page=address)
    assert grace.post(f"/sets/{name}/1").location == f"/x/{sheet}"


def test_publish_twice_at_once_is_publish_once(app, grace, token):  # noqa: F811
    come_in(app, grace, token, "ada")
    bob = come_in(app, grace, token, "bob")
    make(grace, token, "bob", "instructor")
    address = draft(grace, token).location
    typed = {**form_at(grace, address), "title": "Week 2", "points-mazur": "1"}
    said = [{**typed, "csrf_token": one.csrf(address)} for one in (grace, bob)]
    found = at_once(2, lambda at: (grace, bob)[at].client.post(f"{address}/publish", data=said[at]).status_code)
    assert found == [303, 303]
    assert [one.exercise for one in items_of(grace, address)] == ["deltas", "mazur"]


@pytest.mark.parametrize("late", ["0.000000001 min: 50 %", "0 h: 50 %", "100000 d: 50 %"])
def test_a_time_that_is_none_or_beyond_all_is_refused(grace, token, late):  # noqa: F811
    answer = draft(grace, token, **DUE, late=late)
    assert (answer.status_code, "Write times that go up" in words(answer.text)) == (422, True)


def test_a_copy_that_is_refused_keeps_what_was_deleted_meanwhile(grace, token):  # noqa: F811
    name = own_exercise(grace, token)
    made = draft(grace, token, **{f"points-{name}": "3"}).location
    address = f"/courses/{token}/sets/new?copy={made.rpartition('/')[2]}"
    typed = form_at(grace, address)
    grace.post(f"/courses/{token}/exercises/{name.partition('.')[0]}", {"do": "delete"})
    refused = grace.post(address, {**typed, "title": ""}, page=address)
    assert refused.status_code == 422
    again = grace.post(address, {**Form(refused.text).fields, "title": "Week 2"}, page=address).location
    assert {one.exercise: one.points for one in items_of(grace, again)} == {"deltas": 4, name: 3}


def own_exercise(teacher, token, **changes):  # noqa: F811
    """Keep an exercise of the course, called mine; its name in the form of a set."""
    address = f"/courses/{token}/exercises/deltas"
    fields = {**fields_of(teacher.get(address).text), "name": "mine", "field-title": "My own", **changes}
    assert teacher.post(address, {**fields, "do": "save"}).status_code == 303
    return max(re.findall(r'name="points-(mine\.[0-9]+)"', teacher.get(f"/courses/{token}/sets/new").text))


def test_a_question_bank_that_can_t_be_made_leaves_what_was_typed_and_the_file_as_it_is(grace, token):  # noqa: F811
    own_exercise(grace, token)
    page = f"/courses/{token}/exercises/mine"
    source = "# Mine alone.\n" + grace.get(f"{page}.toml").text
    assert grace.post(page, {"name": "mine", "source": source, "do": "save"}).status_code == 303
    refused = grace.post(f"{page}/bank", {"format": "qti3", "count": "500"}, page=page)
    assert refused.status_code == 422
    assert "# Mine alone." in refused.text
    assert '<option value="qti3" selected>' in refused.text
    assert re.search(r'name="count"[^>]* value="500"', refused.text)


def test_an_exercise_too_many_is_refused_and_keeps_its_name(grace, token, monkeypatch):  # noqa: F811
    monkeypatch.setattr("quizprop.store.course_exercises.MOST", 0)
    answer = grace.post(f"/courses/{token}/exercises/deltas", {"name": "mine", "do": "save"})
    assert answer.status_code == 409
    assert answer.text.count('name="name" type="text" value="mine"') == 2


def test_an_exercise_is_deleted_where_the_course_has_it_and_nowhere_else(grace, token):  # noqa: F811
    own_exercise(grace, token)
    deletes = {
        slug: grace.get(f"/courses/{token}/exercises/{slug}").text.count('value="delete"')
        for slug in ("mine", "deltas")
    }
    assert deletes == {"mine": 1, "deltas": 0}
    for slug in ("deltas", "mine"):
        assert grace.post(f"/courses/{token}/exercises/{slug}", {"do": "delete"}).status_code == 303
    assert grace.post(f"/courses/{token}/exercises/a%00b", {"do": "delete"}).status_code == 404
    assert entries(grace, token, "exercise deleted") == [{"exercise": "mine"}]


def test_a_draft_keeps_an_exercise_that_was_deleted(app, grace, token):  # noqa: F811
    key = own_exercise(grace, token)
    address = draft(grace, token, **{f"points-{key}": "33.333333"}).location
    before = items_of(grace, address)
    grace.post(f"/courses/{token}/exercises/mine", {"do": "delete"})
    assert "My own" in words(grace.get(address).text)
    for way in ("", "/preview", "/publish"):
        assert grace.post(f"{address}{way}", form_at(grace, address), page=address).status_code == 303
        assert items_of(grace, address) == before


def test_a_draft_keeps_an_exercise_of_another_instructors_other_course(app, grace, token):  # noqa: F811
    key = own_exercise(grace, make_course(grace, "Other"))
    address = draft(grace, token, **{f"points-{key}": "3"}).location
    before = items_of(grace, address)
    bob = come_in(app, grace, token, "bob")
    make(grace, token, "bob", "instructor")
    page = bob.get(address).text
    assert "My own" in page
    assert '/exercises/mine"' not in page
    assert bob.post(address, {**Form(page).fields, "title": "Week 2"}).status_code == 303
    assert (set_at(grace, address).title, items_of(grace, address)) == ("Week 2", before)
    assert bob.post(f"{address}/publish", form_at(bob, address), page=address).status_code == 303
    assert items_of(grace, address) == before


def test_after_a_change_of_an_exercise_what_is_published_is_what_the_form_showed(app, grace, token):  # noqa: F811
    key = own_exercise(grace, token)
    ada = come_in(app, grace, token, "ada")
    address = draft(grace, token, **{"points-deltas": "", f"points-{key}": "3"}).location
    own_exercise(grace, token, **{"field-title": "My other", "field-places": "6"})
    page = grace.get(address).text
    assert "My other" in page
    assert "My own" not in page
    assert grace.post(f"{address}/publish", Form(page).fields, page=address).status_code == 303
    sheet = ada.post(f"/sets/{set_token(ada)}/1").location.rpartition("/")[2]
    exercise = ada.instance(sheet).exercise
    assert (exercise.title, exercise.places) == ("My other", 6)
