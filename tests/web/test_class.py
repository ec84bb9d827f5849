"""Class lists as they come from elsewhere, decisions where they belong, and a record that says what happened."""

import csv
import io
import re
import time
from dataclasses import replace

import numpy as np
import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.exercise_file import written_exercise
from quizprop.exercise.figures import to_places
from quizprop.exercise.spec import Choices
from quizprop.store import course_exercises, decisions, people
from tests.web.conftest import Browser, hidden, honest, words
from tests.web.test_courses import (
    come_in,
    give_set,
    grace,  # noqa: F401 - a fixture
    make_course,
    number_of,
    set_token,
    token,  # noqa: F401 - a fixture
)
from tests.web.test_teaching import (
    members,
    worked,  # noqa: F401 - a fixture
)

BANK = load_bank()

UMLAUTS = "username;name;section\njoerg;Jörg Müller;Süd\n"
LINK = re.compile(r"http://localhost(/reset/[^<\s]+)")


def send(teacher, token, **fields):  # noqa: F811
    return teacher.post(f"/courses/{token}/roster", fields)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_names_are_read_in_whatever_way_a_spreadsheet_wrote_them(grace, token, encoding):  # noqa: F811
    page = send(grace, token, file=(io.BytesIO(UMLAUTS.encode(encoding)), "class.csv")).text
    assert "Jörg Müller" in page
    assert "Süd" in page


def test_what_the_course_saves_for_canvas_is_a_class_list(app, grace, token):  # noqa: F811
    come_in(app, grace, token, "ada")
    send(grace, token, roster="username,id\nada,17", do="apply")
    text = grace.get(f"/courses/{token}/canvas.csv").text
    assert send(grace, token, roster=text, do="apply").status_code == 200
    student = grace.get(f"/courses/{token}/students/{number_of(grace, token, 'ada')}")
    assert "· 17" in words(student.text)  # the empty column ID of Canvas' own is none of ours


def test_what_is_wrong_with_a_class_list_is_told_in_the_readers_language(grace, token):  # noqa: F811
    grace.post("/language", {"language": "de"})
    assert "Keine Spalte heißt username" in words(send(grace, token, roster="ada\nbob").text)
    page = words(send(grace, token, roster="username,name\nada,A\nADA,B\nx,C\nbob,B,B").text)
    for problem in ("nennt ADA noch einmal, nach Zeile 2", "hat 3 Felder", "3 bis 100 Zeichen"):
        assert problem in page


def test_lost_links_are_made_anew_only_for_accounts_of_the_course_that_nobody_opened(app, grace, token):  # noqa: F811
    come_in(app, grace, token, "bob")
    text = "username\nada\nbob\ncyd"
    ada, cyd = LINK.findall(send(grace, token, roster=text, do="apply").text)
    assert Browser(app).post(ada, {"password": "correct horse"}, page=ada).status_code in (302, 303)
    look = words(send(grace, token, roster=text).text)
    assert "A new link for 1 account that nobody has opened yet" in look
    assert LINK.findall(send(grace, token, roster=text, do="apply").text) == []  # nobody asked for new ones
    assert Browser(app).get(cyd).status_code == 200
    (anew,) = LINK.findall(send(grace, token, roster=text, do="apply", links="y").text)
    assert Browser(app).get(cyd).status_code == 404
    other = make_course(grace, "Another")
    assert LINK.findall(send(grace, other, roster=text, do="apply", links="y").text) == []
    assert Browser(app).post(anew, {"password": "correct horse"}, page=anew).status_code in (302, 303)


def test_a_row_that_can_t_be_used_promises_no_link(grace, token):  # noqa: F811
    send(grace, token, roster="username\nann", do="apply")
    look = words(send(grace, token, roster="username\nann\nANN").text)
    assert look.count("not opened yet") == 1
    assert "A new link for 1 account" in look


def test_a_row_that_can_t_be_used_keeps_nobody_else_out(grace, token):  # noqa: F811
    look, done = (words(send(grace, token, roster="username\nann\nx", **more).text) for more in ({}, {"do": "apply"}))
    assert "1 row can't be used. The others can be applied all the same." in look
    assert ("1 row can't be used." in done, "can be applied" in done) == (True, False)


def test_new_links_stand_in_the_record(grace, token):  # noqa: F811
    send(grace, token, roster="username\nann", do="apply")
    send(grace, token, roster="username\nann", do="apply", links="y")
    assert "New links for accounts that nobody had opened: 1" in words(grace.get(f"/courses/{token}/record").text)


def test_a_password_set_by_who_looks_after_the_accounts_ends_the_way_in_by_links(app, grace, token):  # noqa: F811
    send(grace, token, roster="username\nann", do="apply")
    with grace.database.write() as session:
        people.set_password(session, username="ann", password_hash=people.PasswordHash("-"), now=time.time_ns() // 1000)
    assert LINK.findall(send(grace, token, roster="username\nann", do="apply", links="y").text) == []


def test_an_exercise_of_an_earlier_release_is_still_shown_and_worked(grace, token):  # noqa: F811
    with grace.database.read() as session:
        seat, _ = members(grace, token)
    unit = BANK["logistic-unit"]
    loose = unit.model_copy(update={"values": {**unit.values, "t": Choices(choices=(-1.0, 1.0))}, "slug": "loose"})
    with grace.database.write() as session:
        course_exercises.save_own(session, seat, loose, written_exercise(loose), now=1)
    page = grace.get(f"/courses/{token}/sets/new").text
    (name,) = re.findall(r'name="points-(loose\.[0-9]+)"', page)
    made = grace.post(f"/courses/{token}/sets/new", {"title": "Old", f"points-{name}": "1"}, page="/courses").location
    assert grace.get(made).status_code == 200
    answer = grace.post(f"/courses/{token}/exercises/loose", {"do": "save", "name": "loose"})
    assert (answer.status_code, "from 0 to 1" in words(answer.text)) == (422, True)


def test_a_decision_that_is_refused_stands_at_its_own_item_alone(app, grace, token):  # noqa: F811
    come_in(app, grace, token, "ada")
    give_set(grace, token, **{"points-deltas": "2"})
    page = f"/courses/{token}/students/{number_of(grace, token, 'ada')}"
    first, second = re.findall(r"/items/(\d+)", grace.get(page).text)
    answer = grace.post(f"{page}/items/{second}", {"do": "points", "points": "1,5"}, page=page).text
    assert "Change points or excuse" in answer
    assert f'id="points-{second}" name="points" type="text" inputmode="decimal" value="1,5"' in answer
    assert f'id="points-{first}" name="points" type="text" inputmode="decimal" value=""' in answer
    opened = [part.partition("</details>")[0] for part in re.split(r"<details[^>]* open>", answer)[1:]]
    assert len(opened) == 1
    assert "Say why" in opened[0]


def test_a_decision_is_taken_back_where_there_is_one(grace, token, worked):  # noqa: F811
    _, page, item = worked
    found = []
    for do in ("points", "undo", "excuse", "undo"):
        found.append("Take the decision back" in grace.get(page).text)
        data = {"do": do, "points": "10000", "reason": "x" * 200}
        assert grace.post(f"{page}/items/{item}", {**data, "reason": "x" * 201}, page=page).status_code == 422
        assert grace.post(f"{page}/items/{item}", data, page=page).location == page
        assert ("(decided)" in words(grace.get(page).text)) == (do == "points")
    assert found == [False, True, False, True]
    assert "Take the decision back" not in grace.get(page).text


def test_an_extension_ends_after_the_set_opens_and_extra_time_within_reason(app, grace, token):  # noqa: F811
    ada, bob = (come_in(app, grace, token, name) for name in ("ada", "bob"))
    give_set(grace, token, opens="2031-01-01T00:00", time_limit="60")
    name, page = set_token(ada), f"/courses/{token}/students/{number_of(grace, token, 'ada')}"
    refused = grace.post(f"{page}/due/{name}", {"due": "2030-12-31T00:00"}, page=page)
    assert (refused.status_code, "due after it opens" in words(refused.text)) == (422, True)
    assert 'value="2030-12-31T00:00"' in refused.text
    assert [grace.post(page, {"extra_time": time}, page=page).status_code for time in ("1001", "1000")] == [422, 303]
    for one, minutes in ((ada, 660), (bob, 60)):
        assert f"You have {minutes} minutes once you begin" in words(one.get(f"/sets/{name}").text)


def test_an_expired_form_comes_back_with_what_was_typed_and_where(grace, token, worked):  # noqa: F811
    ada, page, item = worked
    work = f"/courses/{token}/sets/{set_token(ada)}"
    grace.post(work, {"title": "Week 1", "due": "2020-01-01T00:00"})  # so that a regrade changes something
    for address, field in (
        (f"/courses/{token}/roster", "roster"),
        (f"/courses/{token}/exercises/deltas", "name"),
        (f"{work}/regrade", "reason"),
        (page, "section"),
        (f"{page}/items/{item}", "reason"),
        (f"{page}/due/{set_token(ada)}", "due"),
    ):
        answer = grace.client.post(address, data={field: "typed <here>"})
        assert (answer.status_code, "typed &lt;here&gt;" in answer.text) == (400, True), address
        if address.startswith(page):
            (opened,) = re.split(r"<details[^>]* open>", answer.text)[1:]
            assert "typed &lt;here&gt;" in opened.partition("</details>")[0]


def test_the_table_of_grades_says_who_is_excused_and_out_of_how_much(grace, token, worked):  # noqa: F811
    _, page, item = worked
    grace.post(f"{page}/items/{item}", {"do": "excuse", "reason": "ill"}, page=page)
    head, row = csv.reader(io.StringIO(grace.get(f"/courses/{token}/grades.csv").text.removeprefix("\ufeff")))
    assert head[-2:] == ["out of", "total"]
    assert (row[-3], *map(float, row[-2:])) == ("excused", 0, 0)


def test_two_of_one_name_can_be_told_apart(app, grace, token):  # noqa: F811
    for name in ("ada", "bob", "cyd"):
        come_in(app, grace, token, name)
    give_set(grace, token)
    send(grace, token, roster="username,name\nada,Anna Müller\nbob,Anna Müller\ncyd,Cyd", do="apply")
    page = words(grace.get(f"/courses/{token}/grades").text)
    assert "Anna Müller ada" in page
    assert "Anna Müller bob" in page
    assert "Cyd cyd" not in page


def test_live_view_shows_by_name_who_is_in_the_course(app, grace, token):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    come_in(app, grace, token, "bob")
    give_set(grace, token)
    send(grace, token, roster="username,name\nada,Ada Lovelace", do="apply")
    live = f"/courses/{token}/sets/{set_token(ada)}/live"
    assert "Ada Lovelace ada" in words(grace.get(live).text)
    grace.post(f"/courses/{token}/people", {"change": f"{number_of(grace, token, 'bob')} remove"})
    page = words(grace.get(live).text)
    assert "bob" not in page
    assert "0 of 1 solved" in page


def test_live_view_has_on_top_who_worked_last(app, grace, token):  # noqa: F811
    ada, bob, _ = (come_in(app, grace, token, name) for name in ("ada", "bob", "cyd"))
    give_set(grace, token)
    live = f"/courses/{token}/sets/{set_token(ada)}/live"

    def order():
        return re.findall(r'<tr><th scope="row">(\w+)', grace.get(live).text)

    assert order() == ["ada", "bob", "cyd"]
    for one, name in ((ada, "ada"), (bob, "bob")):
        sheet = one.post(f"/sets/{set_token(one)}/1").location.rpartition("/")[2]
        one.check(sheet, honest(one.instance(sheet)))
        assert order()[0] == name
    assert order() == ["bob", "ada", "cyd"]
    head = grace.get(live).text.partition("</thead>")[0]
    assert "2 of 3 solved" in words(head)


def test_live_view_tells_who_types_from_who_looks_and_leaves_out_who_helps(app, grace, token):  # noqa: F811
    ada, _ = (come_in(app, grace, token, name) for name in ("ada", "bob"))
    give_set(grace, token)
    live = f"/courses/{token}/sets/{set_token(ada)}/live"
    sheet = ada.post(f"/sets/{set_token(ada)}/1").location.rpartition("/")[2]
    for done in ("started", "typing"):
        assert done in words(grace.get(live).text.partition("<tbody")[2])
        ada.check(sheet, {"z1[1]": "0.1"}, save="y")
    grace.post(f"/courses/{token}/people", {"change": f"{number_of(grace, token, 'bob')} grader"})
    page = words(grace.get(live).text)
    assert ("bob" in page, "0 of 1 solved" in page) == (False, True)


def test_the_gradebook_shows_the_section_that_is_chosen(app, grace, token):  # noqa: F811
    for name in ("ada", "bob", "cyd"):
        come_in(app, grace, token, name)
    give_set(grace, token)
    send(grace, token, roster="username,section\nada,A\nbob,B\ncyd,", do="apply")
    page = grace.get(f"/courses/{token}/grades?section=A").text
    assert re.findall(r'href="[^"]*\?section=(\w*)"', page) == ["A", "B"]
    assert 'section=A" aria-current="page"' in page
    assert re.findall(r'<th scope="row"><a[^>]*>(\w+)<', page) == ["ada"]


def test_who_has_left_meanwhile_is_said_to_have_left(app, grace, token):  # noqa: F811
    come_in(app, grace, token, "bob")
    change = {"change": f"{number_of(grace, token, 'bob')} remove"}
    for said in ("That is changed.", "This member has left the course."):
        assert said in words(grace.get(grace.post(f"/courses/{token}/people", change).location).text)


def test_many_people_are_folded_and_few_are_not(app, grace, token):  # noqa: F811
    page = f"/courses/{token}"
    send(grace, token, roster="username\n" + "\n".join(f"student-{number}" for number in range(29)), do="apply")
    assert '<details class="people-fold" open>' in grace.get(page).text
    send(grace, token, roster="username\nstudent-30", do="apply")
    many = grace.get(page).text
    assert '<details class="people-fold">' in many
    assert "31 members" in words(many)
    assert number_of(grace, token, "student-30")


def test_a_students_work_is_shown_in_symbols_beside_what_is_right(app, grace, token):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token, **{"points-did-it-fall": "1"})
    for number in (1, 2):
        sheet = ada.post(f"/sets/{set_token(ada)}/{number}").location.rpartition("/")[2]
        instance = ada.instance(sheet)
        first = instance.cells[-1].key
        ada.check(sheet, {first: "0"})
        page, _, below = grace.get(f"/courses/{token}/work/{sheet}").text.partition("</table>")
        assert "Right value" in page
        assert "<code>" + first not in page
        rows = re.findall(r'<th scope="row">.*?<td>([^<]*)</td>', page, re.S)
        assert len(rows) == len(instance.cells)
        for cell, right in zip(instance.cells, rows, strict=True):
            value = instance.values[cell.key]
            assert right == (cell.options[int(value)] if cell.options else to_places(value, instance.exercise.places))
        if instance.cells[-1].options:
            assert '<code class="typed">no</code>' in page  # the words of what was chosen
        # Below it how it goes, from the numbers given to every step.
        assert {f"x[{place}]" for place in range(1, np.size(instance.given["x"]) + 1)} <= set(
            re.findall(r'data-given="([^"]+)"', below)
        )
        steps = below.partition("Worked solution")[2]
        assert steps.count('class="step"') == len(instance.steps)
        assert "not filled in" not in steps


def test_the_record_tells_moments_to_whoever_reads_it(grace, token):  # noqa: F811
    give_set(grace, token)
    name = re.search(r"/sets/(\w+)/live", grace.get(f"/courses/{token}").text)[1]
    grace.client.set_cookie("quizprop_zone", "Europe/Berlin")
    grace.post(f"/courses/{token}/sets/{name}", {"title": "Week 1", "due": "2031-01-01T09:00"})
    for zone, told in (("Europe/Berlin", "09:00 CET"), ("America/New_York", "03:00 EST")):
        grace.client.set_cookie("quizprop_zone", zone)
        assert f"Due → 1 January 2031, {told}" in words(grace.get(f"/courses/{token}/record").text)


def test_the_work_says_what_an_attempt_counts_where_that_is_not_its_share(app, grace, token):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token)
    sheet = ada.post(f"/sets/{set_token(ada)}/1").location.rpartition("/")[2]
    ada.check(sheet, honest(ada.instance(sheet)))
    work, of = f"/courses/{token}/work/{sheet}", f"/courses/{token}/sets/{set_token(ada)}"
    assert "counts" not in words(grace.get(work).text)
    grace.post(of, {"title": "Week 1", "due": "2020-01-01T00:00"})
    shown = hidden(grace.get(f"{of}/regrade").text, "shown")
    assert grace.post(f"{of}/regrade", {"shown": shown, "reason": "late"}).status_code == 303
    assert "100% counts 0%" in words(grace.get(work).text)


def test_the_record_is_told_a_hundred_lines_at_a_time(grace, token):  # noqa: F811
    seat, (me,) = members(grace, token)
    seat = replace(seat, learner_id=me.learner_id)

    def pages(*lines):
        with grace.database.write() as session:
            for at in lines:
                decisions.note(session, seat, "set made", now=at, set=f"Week {at}")
        found = [words(grace.get(f"/courses/{token}/record?page={page}").text) for page in (1, 2)]
        return [tuple(word in page for word in ("Week 0", "Newer", "Older")) for page in found]

    assert pages(*range(100)) == [(True, False, False), (False, True, False)]
    assert pages(100) == [(False, False, True), (True, True, False)]


def test_a_regrade_tells_which_way_and_is_applied_before_the_long_table(app, grace, token):  # noqa: F811
    students = [come_in(app, grace, token, name) for name in ("ada", "bob")]
    give_set(grace, token)
    name = set_token(students[0])
    for one in students:
        sheet = one.post(f"/sets/{name}/1").location.rpartition("/")[2]
        one.check(sheet, honest(one.instance(sheet)))
    grace.post(f"/courses/{token}/sets/{name}", {"title": "Week 1", "due": "2020-01-01T00:00"})
    page = grace.get(f"/courses/{token}/sets/{name}/regrade").text
    assert "Up: 0, down: 2." in words(page)
    assert page.index("Apply it") < page.index("<table")


def test_the_record_knows_an_extension_from_its_end_and_who_has_left(app, grace, token, worked):  # noqa: F811
    ada, page, _ = worked
    name = set_token(ada)
    for due in ("2031-01-01T00:00", ""):
        grace.post(f"{page}/due/{name}", {"due": due}, page=page)
    come_in(app, grace, token, "bob")
    grace.post(f"/courses/{token}/people", {"change": f"{number_of(grace, token, 'bob')} grader"})
    grace.post(f"/courses/{token}/people", {"change": f"{number_of(grace, token, 'bob')} remove"})
    record = words(grace.get(f"/courses/{token}/record").text)
    for line in (
        "Extension for ada: Week 1 1 January 2031, 00:00 UTC",
        "Extension of ada taken back: Week 1",
        "bob is now: Grader",
        "bob taken out of the course",
    ):
        assert line in record


def test_who_alone_teaches_is_told_before_the_account_goes(app, grace, token):  # noqa: F811
    assert "Nobody else teaches" not in grace.get("/delete").text  # nobody is left behind
    come_in(app, grace, token, "ada")
    assert "Nobody else teaches: Deep learning" in words(grace.get("/delete").text)
    grace.post(f"/courses/{token}/people", {"change": f"{number_of(grace, token, 'ada')} instructor"})
    assert "Nobody else teaches" not in grace.get("/delete").text


def test_an_own_exercise_takes_no_name_of_the_bank(grace, token):  # noqa: F811
    address = f"/courses/{token}/exercises/logistic-unit"
    answer = grace.post(address, {"do": "save", "name": "chain"}, page=address)
    assert (answer.status_code, "An exercise of the bank has this name" in words(answer.text)) == (422, True)


def test_an_own_exercise_that_has_a_name_of_the_bank_already_may_keep_it(grace, token):  # noqa: F811
    seat, _ = members(grace, token)
    with grace.database.write() as session:  # before the bank had it
        course_exercises.save_own(session, seat, BANK["chain"], written_exercise(BANK["chain"]), now=1)
    address = f"/courses/{token}/exercises/chain"
    assert grace.post(address, {"do": "save", "name": "chain"}).location == address


@pytest.mark.parametrize(("length", "status"), [(60, 303), (61, 422)])
def test_an_own_exercise_has_a_name_of_sixty_letters_at_most(grace, token, length, status):  # noqa: F811
    data = {"do": "save", "name": "x" * length}
    answer = grace.post(f"/courses/{token}/exercises/chain", data)
    assert (answer.status_code, f'value="{data["name"]}"' in answer.text) == (status, status == 422)
    assert ("at most 60 of them" in answer.text) == (status == 422)


def test_a_set_is_not_called_by_blanks(grace, token):  # noqa: F811
    page = f"/courses/{token}/sets/new"
    answer = grace.post(page, {"title": "   ", "points-deltas": "1"}, page=page)
    assert (answer.status_code, "Give the problem set a title" in words(answer.text)) == (422, True)


def test_a_moment_that_the_clocks_show_twice_may_stay_as_it_is(grace, token):  # noqa: F811
    page = f"/courses/{token}/sets/new"
    made = grace.post(page, {"title": "Week 1", "points-deltas": "1", "due": "2027-10-31T00:30"}, page=page).location
    grace.client.set_cookie("quizprop_zone", "Europe/Berlin")
    shown = re.search(r'name="due" type="datetime-local" value="([^"]*)"', grace.get(made).text)[1]
    assert shown == "2027-10-31T02:30"
    said = {"title": "Week one", "points-deltas": "1"}
    assert grace.post(made, {**said, "due": shown}).status_code == 303
    assert grace.post(made, {**said, "due": "2027-10-31T02:45"}).status_code == 422
