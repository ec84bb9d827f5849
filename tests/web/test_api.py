"""Laws of the API: a token and its scope, nothing by cookie, the same marks as the pages, and any request an answer."""

import json
import re

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from quizprop.exercise.bank import load_bank
from quizprop.exercise.record import record_blocks
from quizprop.store import api_tokens, sets
from quizprop.store.rules import Policy
from quizprop.store.sets import NewItem
from quizprop.web import api
from quizprop.web.api import openapi
from quizprop.web.app import create_app
from quizprop.web.desk import check_work
from quizprop.web.limits import Limit
from tests.web.conftest import PASSWORD, Browser, honest, words
from tests.web.test_courses import code_of, come_in, give_set, make_course, person, set_token, submissions


class Program:
    """A script with a token."""

    def __init__(self, app, token):
        self.client = app.test_client(use_cookies=False)
        self.head = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path):
        return self.client.get(f"/api/v1{path}", headers=self.head)

    def post(self, path, content, **head):
        return self.client.post(f"/api/v1{path}", json=content, headers={**self.head, **head})


def make_token(browser, *scopes):
    data = {"name": "script", "scope": list(scopes)}
    page = browser.post("/tokens", data, page="/tokens")
    return re.search(r'class="token">(qp_[\w-]+)<', page.text)[1]


@pytest.fixture
def ada(app):
    return person(app, "ada")


@pytest.fixture
def program(app, ada):
    return Program(app, make_token(ada, "practice", "courses"))


def test_a_program_draws_a_sheet_fills_it_in_and_reads_how_it_went(program, ada):
    names = {one["exercise"]: one["cells"] for one in program.get("/exercises").json["exercises"]}
    drawn = program.post("/variants", {"exercise": "deltas"})
    assert drawn.status_code == 201
    sheet = drawn.json
    assert len(sheet["cells"]) == names["deltas"]
    right = honest(ada.instance(sheet["token"]))
    assert not any(value in drawn.text for value in right.values() if len(value) > 5)
    path = f"/variants/{sheet['token']}/submissions"
    key = sheet["cells"][0]["key"]
    first = program.post(path, {"answers": {**right, key: "99"}}, **{"Idempotency-Key": "one"})
    again = program.post(path, {"answers": {**right, key: "99"}}, **{"Idempotency-Key": "one"})
    assert (first.status_code, again.json) == (201, first.json)
    assert first.json["marks"][key]["verdict"] in ("wrong", "mistake")
    last = program.post(path, {"answers": {name: float(text.replace("−", "-")) for name, text in right.items()}}).json
    assert (last["attempt"], last["points"]) == (2, last["out_of"])
    shown = program.get(f"/variants/{sheet['token']}").json
    assert (shown["ended"], [one["attempt"] for one in shown["submissions"]]) == ("solved", [1, 2])
    (row,) = program.get("/results").json["results"]
    assert (row["token"], row["attempts"], row["best_share"]) == (sheet["token"], 2, 1)
    assert "Attempt 2" in words(ada.get(f"/x/{sheet['token']}/s/2").text)


@pytest.mark.parametrize("decimal_comma", [False, True])
@pytest.mark.parametrize("slug", ["find-slip-mazur", "choose-delta", "true-false-relu"])
def test_a_question_is_told_in_words_and_answered_by_number_or_by_words(program, ada, slug, decimal_comma):
    sheet = program.post("/variants", {"exercise": slug}).json
    instance = ada.instance(sheet["token"])
    right = {one.key: one.right for one in instance.questions}
    cells = {one["key"]: one for one in sheet["cells"]}
    assert list(cells) == list(right)
    assert all(one["question"] and len(one["options"]) >= 2 and one["options_from"] == 1 for one in cells.values())
    assert (sheet["kind"], "pick" in sheet["given"]) == (load_bank()[slug].question, False)
    assert not {"answer", "right", "reason", "said"}.intersection(*map(set, cells.values()))
    by_words = {key: cells[key]["options"][number - 1] for key, number in right.items()}
    for answers in (right, {key: float(number) for key, number in right.items()}, by_words):
        sent = {"answers": answers, "decimal_comma": decimal_comma}
        told = program.post(f"/variants/{sheet['token']}/submissions", sent).json
        assert told["points"] == told["out_of"] == len(right)


@pytest.mark.parametrize("slug", ["find-slip-mazur", "choose-delta", "true-false-relu"])
def test_the_page_shows_what_a_program_has_chosen_by_words(program, ada, slug):
    sheet = program.post("/variants", {"exercise": slug}).json
    token, questions = sheet["token"], ada.instance(sheet["token"]).questions
    wrong = {one.key: one.right % len(one.options) for one in questions}  # counted from 0, the one after the right one
    answers = {cell["key"]: cell["options"][wrong[cell["key"]]] for cell in sheet["cells"]}
    assert program.post(f"/variants/{token}/submissions", {"answers": answers}).json["points"] == 0
    page = ada.get(f"/x/{token}/s/1").text
    assert dict(re.findall(r'type="radio" name="([^"]*)" value="([^"]*)"[^>]* checked', page)) == {
        key: str(place + 1) for key, place in wrong.items()
    }


def test_a_slip_can_be_found_on_the_sheet_that_is_told(program, ada):
    sheet = program.post("/variants", {"exercise": "find-slip-mazur"}).json
    instance = ada.instance(sheet["token"])
    where = sheet["cells"][0]
    assert list(sheet["sheet"]) == [cell.key for cell in instance.as_sheet.cells]
    for (key, value), option in zip(sheet["sheet"].items(), where["options"], strict=True):
        assert float(option.rpartition(" = ")[2].replace("−", "-")) == pytest.approx(value, abs=0.5e-4), key
    assert "sheet" not in program.post("/variants", {"exercise": "mazur-like"}).json


@pytest.mark.parametrize("slug", ["mazur-like", "mini-batch", "attention-forward", "find-slip-chain"])
def test_a_sheet_tells_what_it_is_worked_on_as_a_record_does(program, slug):
    ((line, *_), *_) = record_blocks(load_bank()[slug], seed=1, count=1)
    sheet, written = program.post("/variants", {"exercise": slug}).json, json.loads(line)
    assert {name: sheet[name] for name in ("network", "places")} == {
        name: written[name] for name in ("network", "places")
    }


@pytest.mark.parametrize("slug", ["find-slip-mazur", "did-it-fall", "mazur-like"])
def test_the_description_knows_all_that_a_sheet_tells(program, slug):
    token = program.post("/variants", {"exercise": slug}).json["token"]
    sheet = program.get(f"/variants/{token}").json
    described = program.get("/openapi.json").json["components"]["schemas"]["Sheet"]
    cells = described["properties"]["cells"]["items"]
    for told, known in ((sheet, described), *((cell, cells) for cell in sheet["cells"])):
        assert set(known["required"]) <= set(told) <= set(known["properties"])


def test_nothing_goes_without_a_token_and_a_cookie_is_none(app, ada):
    token = ada.start("deltas")
    for client in (app.test_client(), ada.client):
        for answer in (
            client.get("/api/v1/results"),
            client.post("/api/v1/variants", json={"exercise": "deltas"}),
            client.get(f"/api/v1/variants/{token}"),
        ):
            assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    for wrong in ("qp_wrong", "qp_" + "é", "x" * 5000, ""):
        assert (
            Program(app, wrong)
            .client.get("/api/v1/results", headers={"Authorization": f"Bearer {wrong}".encode().decode("latin-1")})
            .status_code
            == 401
        )


def test_a_token_does_what_its_scope_says_and_nothing_once_deleted(app, ada):
    practice, courses = (Program(app, make_token(ada, scope)) for scope in ("practice", "courses"))
    assert words(ada.get("/tokens").text).count("Last used never") == 2
    assert [one.get("/results").status_code for one in (practice, courses)] == [200, 403]
    assert [one.get("/courses").status_code for one in (practice, courses)] == [403, 200]
    page = ada.get("/tokens").text
    assert "Last used never" not in words(page)
    number = re.findall(r'name="token" value="(\d+)"', page)[-1]
    eve = person(app, "eve")
    assert eve.post("/tokens/delete", {"token": number}, page="/tokens").status_code == 303
    assert practice.get("/results").status_code == 200
    ada.post("/tokens/delete", {"token": number}, page="/tokens")
    assert practice.get("/results").status_code == 401


def test_a_new_password_ends_the_tokens(app, ada, program):
    assert program.get("/results").status_code == 200
    data = {"current": PASSWORD, "password": "battery staple too"}
    assert ada.post("/password", data, page="/password").status_code == 303
    assert program.get("/results").status_code == 401


def test_the_page_of_tokens_says_what_is_wrong_and_shows_a_token_once(app, ada):
    answer = ada.post("/tokens", {"name": " ", "scope": ["practice"]}, page="/tokens")
    assert (answer.status_code, "Give the token a name" in words(answer.text)) == (422, True)
    assert ada.post("/tokens", {"name": "<b>", "scope": ["all"]}, page="/tokens").status_code == 422
    token = make_token(ada, "practice")
    assert token not in ada.get("/tokens").text
    for _ in range(api_tokens.MOST - 1):
        make_token(ada, "practice")
    answer = ada.post("/tokens", {"name": "more", "scope": ["practice"]}, page="/tokens")
    assert (answer.status_code, "as many tokens" in words(answer.text)) == (409, True)
    assert Browser(app).get("/tokens").location == "/sign-in?next=/tokens"
    assert "curl" in Browser(app).get("/api/v1/").text


def test_a_token_that_is_not_made_leaves_what_was_typed_and_ticked(ada):
    typed = {"name": "of the class", "scope": ["courses"]}
    refused = [ada.client.post("/tokens", data=typed), ada.post("/tokens", {**typed, "name": "x" * 61}, page="/tokens")]
    for _ in range(api_tokens.MOST):
        make_token(ada, "practice")
    refused.append(ada.post("/tokens", typed, page="/tokens"))
    assert [answer.status_code for answer in refused] == [400, 422, 409]
    for answer in refused:
        assert re.findall(r'name="scope" value="(\w+)" checked', answer.text) == ["courses"]
        assert ('value="of the class"' in answer.text) == (answer.status_code != 422)


def test_what_a_set_withholds_the_api_withholds(app, program, ada):
    from quizprop.store import people
    from quizprop.web.state import now

    item = NewItem("deltas", load_bank()["deltas"].model_dump_json())
    with ada.database.write() as session:
        learner = people.find_credentials(session, "ada").learner_id
        policy = Policy(feedback="never")
        made = sets.create_set(session, title="Exam", items=[item], attempts=1, policy=policy, now=now())
        sets.assign(session, made, [learner], now=now())
    token = ada.post(f"/sets/{made.token}/1").location.rpartition("/")[2]
    right = honest(ada.instance(token))
    told = program.post(f"/variants/{token}/submissions", {"answers": right})
    assert (told.json["marks"], told.json["points"]) == (None, None)
    shown = program.get(f"/variants/{token}").json
    assert (shown["ended"], shown["submissions"][0]["marks"]) == (None, None)
    assert program.get("/results").json["results"][0]["best_share"] is None
    assert program.post(f"/variants/{token}/submissions", {"answers": {**right, "delta2[1]": "1"}}).status_code == 409


def test_in_a_set_the_same_answers_count_once_and_none_at_all_never(app, program, ada):
    teacher = person(app, "bob")
    course = make_course(teacher)
    give_set(teacher, course, attempts="2")
    ada.post("/courses/join", {"code": code_of(teacher, course)})
    path = f"/variants/{ada.post(f'/sets/{set_token(ada)}/1').location.rpartition('/')[2]}/submissions"
    assert program.post(path, {"answers": {"E": " "}}).status_code == 422
    first = program.post(path, {"answers": {"E": "1"}})
    assert (first.status_code, program.post(path, {"answers": {"E": "1"}}).json) == (201, first.json)
    assert program.post(path, {"answers": {"E": "2"}}).json["attempt"] == 2
    assert program.post(path, {"answers": {"E": "3"}}).status_code == 409
    assert program.post(path, {"answers": {"E": "1"}}).json == first.json


def test_in_a_problem_set_equal_posts_at_the_same_moment_are_one_attempt(app, monkeypatch):
    teacher = person(app, "grace")
    course = make_course(teacher)
    ada = come_in(app, teacher, course, "ada")
    give_set(teacher, course, attempts="2")
    sheet = ada.post(f"/sets/{set_token(ada)}/1").location.rpartition("/")[2]
    program, told, others = Program(app, make_token(ada, "practice")), [], [1, 2]

    def post():
        return program.post(f"/variants/{sheet}/submissions", {"answers": {"E": 1}})

    def graded(*asked):
        if others:  # another one comes while this one is graded
            others.pop()
            told.append(post())
        return check_work(*asked)

    monkeypatch.setattr(api, "check_work", graded)
    told.append(post())
    assert [(one.status_code, one.json["attempt"]) for one in told] == [(201, 1)] * 3
    assert len(submissions(ada, sheet)) == 1


def test_results_are_told_a_page_at_a_time(program, monkeypatch):
    monkeypatch.setattr("quizprop.web.api._PAGE", 1)
    tokens = [program.post("/variants", {"exercise": "deltas"}).json["token"] for _ in range(2)]
    pages = [program.get(f"/results?page={page}").json["results"] for page in (1, 2, 3)]
    assert [[one["token"] for one in page] for page in pages] == [[tokens[1]], [tokens[0]], []]


def test_a_program_that_asks_too_often_is_told_when_to_come_back(app, program):
    app.config["LIMITS"] = {"api, learner": Limit(1, 3600)}
    first, second = program.get("/results"), program.get("/results")
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-store")
    assert (second.status_code, second.mimetype) == (429, "application/problem+json")
    assert 3000 < int(second.headers["Retry-After"]) <= 3600


def test_the_gradebook_of_a_course_is_for_who_sees_its_work(app, program, ada):
    token = make_course(ada)
    bob = come_in(app, ada, token, "bob")
    give_set(ada, token)
    name = re.search(r'href="/sets/(\w+)"', bob.get("/sets").text)[1]
    sheet = bob.post(f"/sets/{name}/1").location.rpartition("/")[2]
    bob.check(sheet, honest(bob.instance(sheet)))
    assert [one["role"] for one in program.get("/courses").json["courses"]] == ["instructor"]
    grades = program.get(f"/courses/{token}/grades").json
    (student,) = grades["students"]
    assert (student["username"], student["total"], student["out_of"]) == ("bob", 4, 4)
    assert student["points"] == {str(grades["items"][0]["item"]): 4}
    other = Program(app, make_token(bob, "courses"))
    assert other.get(f"/courses/{token}/grades").status_code == 404


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({}, 422),
        ({"exercise": "nothing"}, 422),
        ({"exercise": "deltas", "seed": 1}, 422),
        ([], 422),
        ("text", 422),
    ],
)
def test_a_body_that_is_not_as_it_should_be_is_told(program, content, status):
    answer = program.post("/variants", content)
    assert (answer.status_code, answer.json["status"]) == (status, status)
    assert answer.json["detail"]


SENT = [
    ("answers.E is true", {"answers": {"E": True}}),
    ("answers.E is a list", {"answers": {"E": [1]}}),
    ("answers.E is an object", {"answers": {"E": {"x": 1}}}),
    ("answers.E is NaN", {"answers": {"E": float("nan")}}),
    ('answers.E is "xxx', {"answers": {"E": "x" * 201}}),
    ('answers.E is "000', {"answers": {"E": "0" * 201}}),
    ("answers is a list", {"answers": []}),
    ("answers is missing", {}),
    ("answers is an object", {"answers": {str(key): 1 for key in range(1001)}}),
    ('decimal_comma is "yes"', {"answers": {}, "decimal_comma": "yes"}),
    ("decimal_comma is 1", {"answers": {}, "decimal_comma": 1}),
    ("seed is not known", {"answers": {}, "seed": 1}),
    ("The body is null", None),
    ("The body is a list", []),
]


@pytest.mark.parametrize(("begins", "content"), SENT, ids=[begins for begins, _ in SENT])
def test_what_is_wrong_with_a_field_is_one_sentence_with_the_way_out(program, begins, content):
    token = program.post("/variants", {"exercise": "deltas"}).json["token"]
    answer = program.client.post(
        f"/api/v1/variants/{token}/submissions",
        data=json.dumps(content),
        headers={**program.head, "Content-Type": "application/json"},
    )
    detail = answer.json["detail"]
    assert (answer.status_code, detail.startswith(begins)) == (422, True), detail
    assert (detail.count("; "), detail.count(". "), len(detail) < 200) == (1, 0, True), detail
    assert re.search("; (write|leave it out)", detail)
    assert not re.search("pydantic|Input|str,|constrained|instance|dictionary|Error", detail)


def test_every_field_that_is_wrong_has_its_sentence(program):
    detail = program.post("/variants", {"exercise": 5, "seed": 1}).json["detail"]
    assert detail == (
        "exercise is 5; write the name of an exercise, text of at most 60 characters; /exercises lists them. "
        "seed is not known; leave it out: known are exercise."
    )


@pytest.mark.parametrize(
    ("status", "kind", "content"),
    [
        (415, "text/plain", b"{}"),
        (415, "application/x-www-form-urlencoded", b"exercise=deltas"),
        (415, None, b"{}"),
        (415, None, b""),
        (400, "application/json", b""),
        (400, "application/json", b"{"),
        (400, "application/json", b'{"exercise": "\xff"}'),
        (400, "application/json", b"[" * 100_000),
        (413, "application/json", b" " * 600_000),
        (422, "application/json", b"null"),
        (422, "application/json; charset=utf-8", b"{}"),
        (422, "application/problem+json", b"{}"),
    ],
)
@pytest.mark.parametrize("path", ["/variants", "/variants/{token}/submissions"])
def test_a_body_that_cannot_be_used_has_a_status_that_the_description_knows(program, path, status, kind, content):
    token = program.post("/variants", {"exercise": "deltas"}).json["token"]
    head = {**program.head, **({"Content-Type": kind} if kind else {})}
    answer = program.client.post(f"/api/v1{path.format(token=token)}", data=content, headers=head)
    assert (answer.status_code, answer.json["status"]) == (status, status)
    assert str(status) in openapi()["paths"][path]["post"]["responses"]


def test_a_key_that_is_no_name_is_refused_rather_than_cut(program):
    token = program.post("/variants", {"exercise": "deltas"}).json["token"]
    path, content = f"/variants/{token}/submissions", {"answers": {"delta2[1]": "1"}}
    for wrong in ("x" * 65, "a b", ""):
        answer = program.post(path, content, **{"Idempotency-Key": wrong})
        assert (answer.status_code, "Idempotency-Key is" in answer.json["detail"]) == (422, True)
    assert program.post(path, content, **{"Idempotency-Key": "x" * 64}).status_code == 201


@pytest.mark.parametrize("nested", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
def test_a_body_that_is_nested_too_deeply_is_told(program, nested):
    token = program.post("/variants", {"exercise": "deltas"}).json["token"]
    for path in ("/variants", f"/variants/{token}/submissions"):
        head = {**program.head, "Content-Type": "application/json"}
        answer = program.client.post(f"/api/v1{path}", data=nested, headers=head)
        assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


@pytest.mark.parametrize("comma", [True, False])
def test_a_number_of_a_program_is_a_number_whatever_the_decimal_mark(program, ada, comma):
    token = program.post("/variants", {"exercise": "deltas"}).json["token"]
    values = {cell.key: at + 1.234 for at, cell in enumerate(ada.instance(token).cells)}
    sent = program.post(f"/variants/{token}/submissions", {"answers": values, "decimal_comma": comma})
    assert sent.status_code == 201
    (row,) = submissions(ada, token)
    assert row.numbers == values
    assert ("," in "".join(row.raw.values())) == comma


def test_a_cell_that_is_not_asked_is_told(program):
    token = program.post("/variants", {"exercise": "deltas"}).json["token"]
    answer = program.post(f"/variants/{token}/submissions", {"answers": {"z9[1]": 1}})
    assert (answer.status_code, "z9[1]" in answer.json["detail"]) == (422, True)
    for path in ("/nothing", f"/variants/{token}x", "/courses/x/grades"):
        assert program.get(path).mimetype == "application/problem+json"


def fuzzed():
    """The application that schemathesis asks, with a token that may do everything."""
    import tempfile

    folder = tempfile.mkdtemp(prefix="quizprop-fuzz-")
    application = create_app(
        {
            "DATABASE_URL": f"sqlite:///{folder}/quizprop.sqlite",
            "SECRET_KEY": "k" * 32,
            "LIMITS": {},
        }
    )
    browser = Browser(application)
    browser.register("fuzz")
    return application, make_token(browser, "practice", "courses")


@pytest.fixture(scope="module")
def schema():
    application, token = fuzzed()
    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application), {"Authorization": f"Bearer {token}"}
    application.extensions["quizprop"].database.close()


@pytest.mark.filterwarnings("ignore")
def test_any_request_has_an_answer_that_the_description_knows(schema):
    described, head = schema
    operations = [one.ok() for one in described.get_all_operations()]
    assert len(operations) == sum(len(set(methods) - {"parameters"}) for methods in openapi()["paths"].values())
    for operation in operations:
        ask(operation, head)


def ask(operation, head):
    known = operation.definition.raw["responses"]

    @settings(max_examples=40, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def answered(case):
        answer = case.call(headers=head)
        assert str(answer.status_code) in known or answer.status_code in (404, 405), answer.text
        if answer.status_code >= 400:
            assert json.loads(answer.text)["status"] == answer.status_code

    answered()
