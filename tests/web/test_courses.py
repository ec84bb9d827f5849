"""Laws of the pages of a course: who may see and do what, and that the numbers are those of the sheets."""

import csv
import io
import json
import re

import numpy as np
import pytest

from quizprop.exercise.figures import to_places
from quizprop.store import classroom, sets
from quizprop.web import spreadsheet
from tests.web.conftest import Browser, honest, words


def person(app, name):
    one = Browser(app)
    assert one.register(name).status_code == 303
    return one


@pytest.fixture
def grace(app):
    """Somebody who teaches."""
    return person(app, "grace")


def make_course(teacher, title="Deep learning"):
    return teacher.post("/courses", {"title": title}).location.rpartition("/")[2]


@pytest.fixture
def token(grace):
    return make_course(grace)


def code_of(teacher, token):
    return re.search(r"<code>([A-Z2-9]{8})</code>", teacher.get(f"/courses/{token}").text)[1]


def come_in(app, teacher, token, name):
    student = person(app, name)
    assert student.post("/courses/join", {"code": code_of(teacher, token)}).location == f"/courses/{token}"
    return student


def give_set(teacher, token, **more):
    """Make a problem set and publish it; the answer to the first that does not go well, or to the last."""
    data = {"title": "Week 1", "points-mazur-like": "4", **more}
    made = teacher.post(f"/courses/{token}/sets/new", data, page=f"/courses/{token}/sets/new")
    if made.status_code != 303:
        return made
    return teacher.post(f"{made.location}/publish", page=made.location)


def set_token(student):
    return re.search(r'href="/sets/(\w+)"', student.get("/sets").text)[1]


# --- who may do what ------------------------------------------------------------------------------------------------

ALLOWED = {
    # For each of ACTORS, in their order.
    ("GET", "/courses"): (302, 200, 200, 200, 200),
    ("POST", "/courses"): (404, 303, 303, 303, 303),
    ("POST", "/courses/join"): (404, 303, 303, 303, 303),
    ("GET", "/join/<code>"): (302, 200, 200, 200, 200),
    ("GET", "/courses/<token>"): (404, 404, 200, 200, 200),
    ("POST", "/courses/<token>/people"): (404, 404, 404, 404, 400),
    ("POST", "/courses/<token>/code"): (404, 404, 404, 404, 303),
    ("GET", "/courses/<token>/sets/new"): (404, 404, 404, 404, 200),
    ("POST", "/courses/<token>/sets/new"): (404, 404, 404, 404, 422),
    ("GET", "/courses/<token>/sets/<name>"): (404, 404, 404, 404, 200),
    ("POST", "/courses/<token>/sets/<name>"): (404, 404, 404, 404, 422),
    ("POST", "/courses/<token>/sets/<name>/publish"): (404, 404, 404, 404, 303),
    ("POST", "/courses/<token>/sets/<name>/delete"): (404, 404, 404, 404, 404),
    ("POST", "/courses/<token>/title"): (404, 404, 404, 404, 422),
    ("POST", "/courses/<token>/sets/<name>/preview"): (404, 404, 404, 404, 303),
    ("GET", "/courses/<token>/sets/<name>/regrade"): (404, 404, 404, 404, 200),
    ("POST", "/courses/<token>/sets/<name>/regrade"): (404, 404, 404, 404, 422),
    ("GET", "/courses/<token>/sets/<name>/live"): (404, 404, 404, 200, 200),
    ("POST", "/courses/<token>/sets/<name>/worksheets"): (404, 404, 404, 404, 200),
    ("GET", "/courses/<token>/exercises"): (404, 404, 404, 404, 200),
    ("GET", "/courses/<token>/exercises/<slug>"): (404, 404, 404, 404, 200),
    ("GET", "/courses/<token>/exercises/<slug>.toml"): (404, 404, 404, 404, 200),
    ("POST", "/courses/<token>/exercises/<slug>"): (404, 404, 404, 404, 422),
    ("POST", "/courses/<token>/exercises/<slug>/bank"): (404, 404, 404, 404, 422),
    ("GET", "/courses/<token>/roster"): (404, 404, 404, 404, 200),
    ("POST", "/courses/<token>/roster"): (404, 404, 404, 404, 422),
    ("GET", "/courses/<token>/record"): (404, 404, 404, 404, 200),
    ("GET", "/courses/<token>/students/<who>"): (404, 404, 404, 200, 200),
    ("POST", "/courses/<token>/students/<who>"): (404, 404, 404, 404, 303),
    ("POST", "/courses/<token>/students/<who>/due/<name>"): (404, 404, 404, 404, 303),
    ("POST", "/courses/<token>/students/<who>/items/<item>"): (404, 404, 404, 404, 422),
    ("GET", "/courses/<token>/grades"): (404, 404, 404, 200, 200),
    ("GET", "/courses/<token>/grades.csv"): (404, 404, 404, 200, 200),
    ("GET", "/courses/<token>/canvas.csv"): (404, 404, 404, 200, 200),
    ("GET", "/courses/<token>/moodle.csv"): (404, 404, 404, 200, 200),
    ("GET", "/courses/<token>/mistakes"): (404, 404, 404, 200, 200),
    ("GET", "/courses/<token>/mistakes.csv"): (404, 404, 404, 200, 200),
    ("GET", "/courses/<token>/mistakes.jsonl"): (404, 404, 404, 200, 200),
    ("GET", "/courses/<token>/steps.csv"): (404, 404, 404, 200, 200),
    ("GET", "/courses/<token>/work/<sheet>"): (404, 404, 404, 200, 200),
}
ACTORS = ("nobody", "outsider", "student", "grader", "instructor")


@pytest.fixture
def actors(app, grace, token):
    """A browser of each kind, and the parts of the addresses."""
    found = {"nobody": Browser(app), "outsider": person(app, "eve"), "instructor": grace}
    give_set(grace, token)
    for name in ("student", "grader"):
        found[name] = come_in(app, grace, token, name)
    sheet = found["student"].post(f"/sets/{set_token(found['student'])}/1").location.rpartition("/")[2]
    make(grace, token, "grader", "grader")
    name, who = set_token(found["student"]), number_of(grace, token, "student")
    item = re.search(r"/items/(\d+)", grace.get(f"/courses/{token}/students/{who}").text)[1]
    parts = {"<token>": token, "<name>": name, "<sheet>": sheet, "<code>": code_of(grace, token), "<who>": who}
    return found, {**parts, "<item>": item, "<slug>": "mazur-like"}


def number_of(teacher, token, name):
    """The number of somebody's membership."""
    page = teacher.get(f"/courses/{token}").text
    return re.search(rf'id="person-(\d+)">(?:<a [^>]*>)?{name}<', page)[1]


def make(teacher, token, name, role):
    number = number_of(teacher, token, name)
    return teacher.post(f"/courses/{token}/people", {"change": f"{number} {role}"})


def test_the_matrix_has_every_route_of_a_course(app):
    rules = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/courses", "/join"))
        for method in rule.methods & {"GET", "POST"}
    }
    assert rules == set(ALLOWED)


def test_everybody_may_do_what_the_matrix_says_and_no_more(actors):
    browsers, parts = actors
    found = {}
    for (method, rule), expected in ALLOWED.items():
        address = rule
        for part, value in parts.items():
            address = address.replace(part, value)
        # A new code would end the one that others still try.
        for actor in sorted(ACTORS, key=lambda one: one == "instructor"):
            one = browsers[actor]
            data = {"title": "Mine", "code": parts["<code>"]} if rule in ("/courses", "/courses/join") else {}
            answer = one.get(address) if method == "GET" else one.post(address, data)
            if answer.status_code != expected[ACTORS.index(actor)]:
                found[method, rule, actor] = answer.status_code
        if rule.endswith("/join"):  # the outsider came in by it
            make(browsers["instructor"], parts["<token>"], "eve", "remove")
    assert found == {}


def led_to(address, page):
    """Where the content of a page leads: its links, and the forms and buttons by which something can be sent."""
    main = page.partition("<main")[2].partition("</main>")[0]
    yield from (("GET", to) for to in re.findall(r'href="(/[^"#?]*)', main))
    for head, form in re.findall(r"<form([^>]*)>(.*?)</form>", main, re.DOTALL):
        if 'method="post"' in head and "<button" in form:
            yield from (("POST", to) for to in re.findall(r'action="(/[^"]*)"', head + form) or [address])


@pytest.mark.parametrize("role", ["student", "grader"])
def test_nothing_leads_anybody_where_they_may_not_go(app, actors, token, role):
    browsers, _ = actors
    draft = {"title": "Week 2", "points-deltas": "1"}
    browsers["instructor"].post(f"/courses/{token}/sets/new", draft, page=f"/courses/{token}/sets/new")
    find = app.url_map.bind("").match
    todo, seen = [f"/courses/{token}"], set()
    while todo:
        answer = browsers[role].get(address := todo.pop())
        assert answer.status_code == 200, address
        for method, to in set(led_to(address, answer.text)) - seen:
            seen.add((method, to))
            rule, _ = find(to, method=method, return_rule=True)
            assert ALLOWED.get((method, rule.rule), (None,) * 5)[ACTORS.index(role)] != 404, (address, to)
            if method == "GET" and to.startswith(("/courses/", "/sets/")):
                todo.append(to)
    assert len(seen) > 3


def test_students_learn_of_no_other_student(app, grace, token):
    ada, _ = (come_in(app, grace, token, name) for name in ("ada", "bob"))
    give_set(grace, token)
    for address in (f"/courses/{token}", f"/sets/{set_token(ada)}", "/sets", "/courses"):
        assert "bob" not in words(ada.get(address).text)


def test_no_part_of_another_course_is_reached_by_ones_own(app, grace, token, actors):
    browsers, parts = actors
    own = make_course(browsers["outsider"], "Another")
    assert browsers["outsider"].get(f"/courses/{own}/work/{parts['<sheet>']}").status_code == 404
    other = browsers["outsider"]
    other.post(f"/courses/{own}/people", {"change": f"{parts['<who>']} remove"})
    assert "student" in grace.get(f"/courses/{token}/grades").text
    who, name, item = parts["<who>"], parts["<name>"], parts["<item>"]
    assert other.get(f"/courses/{own}/students/{who}").status_code == 404
    ada = come_in(app, other, own, "ada")
    give_set(other, own)
    mine = number_of(other, own, "ada")
    decision = {"points": "1", "reason": "because", "do": "points"}
    assert other.post(f"/courses/{own}/students/{mine}/items/{item}", decision).status_code == 404
    assert other.post(f"/courses/{own}/students/{mine}/due/{name}", {"due": ""}).status_code == 404
    assert other.get(f"/courses/{own}/sets/{name}/live").status_code == 404
    assert set_token(ada) != name


# --- coming in ------------------------------------------------------------------------------------------------------


def test_a_link_leads_through_signing_in_to_the_course(app, grace, token):
    code = code_of(grace, token)
    student = Browser(app)
    answer = student.get(f"/join/{code}")
    assert answer.location == f"/sign-in?next=/join/{code}"
    assert "You follow an invitation to a course" in student.get(answer.location).text
    student.register("ada")
    page = student.get(f"/join/{code}").text
    assert f'value="{code}"' in page
    student.post("/courses/join", {"code": code})
    assert "Deep learning" in student.get("/courses").text


def test_a_wrong_code_is_told_and_kept(app, grace, token):
    student = person(app, "ada")
    answer = student.post("/courses/join", {"code": "NOSUCH<1>"})
    assert answer.status_code == 422
    assert 'value="NOSUCH&lt;1&gt;"' in answer.text
    assert "No course has this code" in answer.text


def test_codes_are_guessed_slowly(app, grace, token):
    student = person(app, "ada")
    found = [student.post("/courses/join", {"code": f"GUESS{number:03}"}).status_code for number in range(25)]
    assert found.count(422) == 20
    assert found[-1] == 429


def test_a_course_without_a_title_is_not_made(grace):
    answer = grace.post("/courses", {"title": "x" * 201})
    assert answer.status_code == 422
    assert "x" * 201 in answer.text
    assert "at most 200" in answer.text


def test_the_last_instructor_stays_and_is_told_why(grace, token):
    for role in ("remove", "grader", "student"):
        answer = make(grace, token, "grace", role)
        assert answer.status_code == 409
        assert "Somebody must teach the course" in answer.text


# --- a problem set --------------------------------------------------------------------------------------------------


def test_what_is_wrong_with_a_new_set_is_told_and_what_was_typed_stays(grace, token):
    wrong = {
        "title": "",
        "words": "Read <b> first",
        "opens": "2026-10-02T23:59",
        "due": "2026-10-01T23:59",
        "attempts": "many",
        "points-mazur-like": "-1",
    }
    answer = give_set(grace, token, **wrong)
    assert answer.status_code == 422
    text = words(answer.text)
    for problem in ("Give the problem set a title", "It must be due after it opens", "Points are a number above 0"):
        assert problem in text
    for typed in ("Read &lt;b&gt; first", "2026-10-02T23:59", "2026-10-01T23:59", 'value="many"', 'value="-1"'):
        assert typed in answer.text
    assert give_set(grace, token, **{"points-mazur-like": ""}).status_code == 422
    assert give_set(grace, token, opens="soon").status_code == 422


def test_a_date_is_of_the_instructors_zone(app, grace, token):
    student = come_in(app, grace, token, "ada")
    grace.post("/settings", {"language": "en", "time_zone": "Asia/Tokyo", "decimal_mark": "point"}, page="/settings")
    assert give_set(grace, token, due="2031-01-01T09:00").status_code == 303
    assert 'datetime="2031-01-01T00:00:00+00:00"' in student.get("/sets").text


def form_of(page):
    """What stands in the fields of a problem set's form."""
    fields = dict(re.findall(r'<input id="\w+" name="(\w+)" type="[\w-]+" value="([^"]*)"', page))
    return {
        **fields,
        "words": re.search(r"<textarea[^>]*>([^<]*)</textarea>", page)[1].removeprefix("\n"),
    }  # as browsers do


def stored_set(browser, token):
    with browser.database.read() as session:
        return sets.find_set(session, token)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/St_Johns"])
def test_a_form_that_is_sent_as_it_came_changes_nothing(app, grace, token, zone):
    student = come_in(app, grace, token, "ada")
    said = {"words": "*Read* first", "opens": "2026-10-01T08:00", "due": "2031-07-01T23:59:30", "attempts": "3"}
    give_set(grace, token, **said)
    grace.post("/settings", {"language": "en", "time_zone": zone, "decimal_mark": "point"}, page="/settings")
    name = set_token(student)
    before, address = stored_set(grace, name), f"/courses/{token}/sets/{name}"
    assert grace.post(address, form_of(grace.get(address).text)).status_code == 303
    assert stored_set(grace, name) == before


def test_a_later_date_lets_students_go_on(app, grace, token):
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token, opens="2020-01-01T00:00", due="2020-01-02T00:00")
    name = set_token(ada)
    address = f"/courses/{token}/sets/{name}"
    assert ada.post(f"/sets/{name}/1").status_code == 409
    assert grace.post(address, {**form_of(grace.get(address).text), "due": "2019-01-01T00:00"}).status_code == 422
    assert ada.post(f"/sets/{name}/1").status_code == 409
    assert grace.post(address, {**form_of(grace.get(address).text), "due": ""}).status_code == 303
    assert ada.post(f"/sets/{name}/1").status_code == 303


def test_a_set_of_another_course_is_out_of_reach(app, grace, token):
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token)
    eve = person(app, "eve")
    other = make_course(eve, "Another")
    assert eve.get(f"/courses/{other}/sets/{set_token(ada)}").status_code == 404
    assert eve.post(f"/courses/{other}/sets/{set_token(ada)}", {"title": "Mine"}).status_code == 404


def test_from_the_set_to_the_sheet_to_the_grades(app, grace, token):
    ada, bob = (come_in(app, grace, token, name) for name in ("ada", "=bob()"))
    give_set(grace, token, attempts="3")
    sheet = ada.post(f"/sets/{set_token(ada)}/1").location.rpartition("/")[2]
    right = honest(ada.instance(sheet))
    key = next(iter(right))
    ada.check(sheet, {**right, key: "<99>"}, key="one")
    ada.check(sheet, right, key="two")
    assert bob.get("/sets").status_code == 200

    page = words(grace.get(f"/courses/{token}/grades").text)
    assert "ada 4 4" in page
    assert "=bob() — 0" in page
    rows = list(csv.reader(io.StringIO(grace.get(f"/courses/{token}/grades.csv").text.removeprefix("\ufeff"))))
    assert [[row[0], *row[-3:]] for row in rows[1:]] == [["'=bob()", "", "4.0", "0.0"], ["ada", "4.0", "4.0", "4.0"]]
    work = grace.get(f"/courses/{token}/work/{sheet}").text
    assert "&lt;99&gt;" in work
    assert "Attempt 2" in work


def test_two_sets_of_one_title_have_a_heading_each(app, grace, token):
    come_in(app, grace, token, "ada")
    give_set(grace, token)
    give_set(grace, token)
    page = grace.get(f"/courses/{token}/grades").text
    assert re.findall(r'<th scope="colgroup" colspan="(\d+)">([^<]*)</th>', page) == [("1", "Week 1")] * 2


def test_other_programs_get_a_column_for_each_set(app, grace, token):
    ada, *_others = (come_in(app, grace, token, name) for name in ("ada", "bob", "=evil()"))
    give_set(grace, token, **{"points-mazur": "2"})
    give_set(grace, token)
    addresses = sorted(set(re.findall(r'href="(/sets/\w+)"', ada.get("/sets").text)), key=lambda one: place(ada, one))
    sheet = ada.post(f"{addresses[0]}/1").location.rpartition("/")[2]
    right = honest(ada.instance(sheet))
    key = next(iter(right))
    ada.check(sheet, {**right, key: "99"})
    share = max(one.share for one in submissions(ada, sheet))
    points = 4 if ada.variant(sheet).exercise == "mazur-like" else 2

    canvas = list(csv.reader(io.StringIO(grace.get(f"/courses/{token}/canvas.csv").text)))
    heads, possible, *students = canvas
    assert heads == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Week 1", "Week 1 / 2"]
    assert [float(one) for one in possible[5:]] == [6, 4]
    by_login = {row[3]: row for row in students}
    assert set(by_login) == {"'=evil()", "ada", "bob"}
    assert by_login["ada"][4] == "Deep learning"
    assert float(by_login["ada"][5]) == pytest.approx(share * points, abs=1e-4)
    assert by_login["ada"][6] == ""
    assert by_login["bob"][5:] == ["", ""]
    moodle = list(csv.reader(io.StringIO(grace.get(f"/courses/{token}/moodle.csv").text)))
    assert moodle == [["username", *heads[5:]], *([row[3], *row[5:]] for row in students)]


def place(student, address):
    """Which of the sets has two items comes first."""
    return -len(re.findall(rf'action="{address}/\d+"', student.get(address).text))


def submissions(student, sheet):
    from quizprop.store import practice

    with student.database.read() as session:
        return practice.submissions(session, student.variant(sheet))


def test_the_class_report_names_the_slip(app, grace, token):
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token)
    sheet = ada.post(f"/sets/{set_token(ada)}/1").location.rpartition("/")[2]
    instance = ada.instance(sheet)
    ada.check(sheet, {**honest(instance), **uphill(instance)})
    page = words(grace.get(f"/courses/{token}/mistakes").text)
    assert "From the problem sets of 1 student so far" in page
    assert "100%" in page
    assert "w5⁺" in page  # as the exercise writes it
    assert "W2_new" not in page
    assert "∂E_total/∂w5" in page  # a step
    assert "grad_W2" not in page


def test_slips_of_one_title_are_told_apart_by_their_exercises(app, grace, token):
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token, **{"points-l2-penalty": "2"})
    for number in (1, 2):
        sheet = ada.post(f"/sets/{set_token(ada)}/{number}").location.rpartition("/")[2]
        instance = ada.instance(sheet)
        old = np.ravel(instance.given.get("w0", ()))
        moved = {f"w1[{at}]": 2 * each - instance.values[f"w1[{at}]"] for at, each in enumerate(old, 1)}
        wrong = {key: to_places(value, instance.exercise.places) for key, value in moved.items()} or uphill(instance)
        ada.check(sheet, {**honest(instance), **wrong})
    rows = re.findall(r'<th scope="row">step added(.*?)</th>', grace.get(f"/courses/{token}/mistakes").text)
    assert {re.sub("<[^>]*>", "", row) for row in rows} == {
        "Like Mazur&#39;s, with new numbers",
        "A penalty on large weights",
    }


def test_the_class_report_reads_back_equal(app, grace, token):
    """The table for people, the lines for programs and the page tell the same."""
    ada, bob = (come_in(app, grace, token, name) for name in ("ada", "bob"))
    give_set(grace, token)
    for one, slips in ((ada, True), (bob, False)):
        sheet = one.post(f"/sets/{set_token(one)}/1").location.rpartition("/")[2]
        instance = one.instance(sheet)
        one.check(sheet, {**honest(instance), **(uphill(instance) if slips else {})})

    def table(name):
        text = grace.get(f"/courses/{token}/{name}.csv").text.removeprefix("\ufeff")
        return list(csv.DictReader(io.StringIO(text)))

    lines = [json.loads(line) for line in grace.get(f"/courses/{token}/mistakes.jsonl").text.splitlines()]
    mistakes = [line for line in lines if line["kind"] == "mistake"]
    assert [(one["students"], one["could"], one["share"], one["overcome"]) for one in mistakes] == [(1, 2, 0.5, 0)]
    assert {row["quantity"]: int(row["answers"]) for row in table("mistakes")} == mistakes[0]["answers"]
    assert {row["code"] for row in table("mistakes")} == {mistakes[0]["code"]}
    steps = [line for line in lines if line["kind"] == "step"]
    assert [(row["quantity"], float(row["right_first"])) for row in table("steps")] == [
        (one["quantity"], one["right_first"]) for one in steps
    ]
    shares = {one["quantity"]: one["right_first"] for one in steps}
    assert (shares["W2_new"], shares["z1"]) == (0.5, 1)
    assert steps[0]["discrimination"] is None


def test_a_report_of_nothing_has_its_headings_alone(grace, token):
    answers = [grace.get(f"/courses/{token}/{name}").text for name in ("mistakes.csv", "steps.csv", "mistakes.jsonl")]
    assert [len(text.splitlines()) for text in answers] == [1, 1, 0]


def uphill(instance):
    """The weights moved by the step against its direction, by the keys of the new ones."""
    found = {}
    for key in (cell.key for cell in instance.cells if "_new[" in cell.key):
        name, place = key.split("_new[")
        at = tuple(int(each) - 1 for each in place.rstrip("]").split(","))
        values = np.asarray(instance.given[name], dtype=float)
        old = float(values.reshape(values.shape[-len(at) :])[at])
        found[key] = to_places(2 * old - instance.values[key], instance.exercise.places)
    return found


def test_a_course_with_nothing_in_it_says_so(grace, token):
    assert "no problem set yet" in grace.get(f"/courses/{token}/grades").text
    assert "Nothing is checked yet" in grace.get(f"/courses/{token}/mistakes").text
    give_set(grace, token)
    assert "No student has come in yet" in grace.get(f"/courses/{token}/grades").text


def test_an_expired_form_keeps_what_was_typed(grace, token):
    answer = grace.client.post("/courses", data={"title": "A long title", "csrf_token": "old"})
    assert (answer.status_code, "A long title" in answer.text) == (400, True)
    answer = grace.client.post(f"/courses/{token}/sets/new", data={"title": "A set", "csrf_token": "old"})
    assert (answer.status_code, "A set" in answer.text) == (400, True)
    assert grace.client.post(f"/courses/{token}/code", data={"csrf_token": "old"}).status_code == 400


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1"])
def test_no_text_of_a_table_is_a_formula_and_numbers_stay_numbers(app, text):
    with app.test_request_context():
        answer = spreadsheet.csv_file("x", [["name", text], [-0.25, None]])
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"), newline="")))
    assert rows == [["name", f"'{text}"], ["-0.25", ""]]


def test_the_roles_are_those_of_the_store():
    from quizprop.web.courses import ROLE_WORDS

    assert set(ROLE_WORDS) == set(classroom.ROLES)
