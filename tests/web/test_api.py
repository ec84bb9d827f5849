"""Laws of the API: a token and its scope, nothing by cookie, the same marks as the pages, and any request an answer."""

import json
import re

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from quizprop.store import api_tokens, sets
from quizprop.store.rules import Policy
from quizprop.store.sets import NewItem
from quizprop.web.api import openapi
from quizprop.web.app import create_app
from tests.web.conftest import PASSWORD, Browser, honest, words
from tests.web.test_courses import come_in, give_set, make_course, person, submissions


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
    assert [one.get("/results").status_code for one in (practice, courses)] == [200, 403]
    assert [one.get("/courses").status_code for one in (practice, courses)] == [403, 200]
    page = ada.get("/tokens").text
    assert "Last used" in words(page)
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


def test_what_a_set_withholds_the_api_withholds(app, program, ada):
    from quizprop.exercise.bank import load_bank
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
        (None, 400),
    ],
)
def test_a_body_that_is_not_as_it_should_be_is_told(program, content, status):
    answer = program.post("/variants", content)
    assert (answer.status_code, answer.json["status"]) == (status, status)
    assert answer.json["detail"]


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

    @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def answered(case):
        answer = case.call(headers=head)
        assert str(answer.status_code) in known or answer.status_code in (404, 405), answer.text
        if answer.status_code >= 400:
            assert json.loads(answer.text)["status"] == answer.status_code

    answered()
