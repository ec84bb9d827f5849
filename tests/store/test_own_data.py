"""Laws of one's own data: all of it can be taken along, and none of it stays."""

import json

import pytest
from sqlalchemy import func, select

from quizprop.store import own_data, people
from quizprop.store.models import Base
from tests.store.conftest import NOW, serve, submit, visit
from tests.store.lives import leads_to, live


@pytest.fixture(scope="module")
def password_hash():
    return people.hash_password("correct horse")


@pytest.fixture
def ada(database, password_hash):
    with database.write() as session:
        return live(session, "Ada", password_hash)


def counts(database):
    with database.read() as session:
        return {
            name: session.execute(select(func.count()).select_from(each)).scalar_one()
            for name, each in Base.metadata.tables.items()
        }


def exported(database, learner_id):
    with database.read() as session:
        return {
            **own_data.export_summary(session, learner_id, now=NOW),
            "sheets": own_data.export_sheets(session, learner_id, now=NOW),
        }


def test_a_life_leaves_a_row_in_every_table_that_leads_to_a_learner(database, ada):
    held = counts(database)
    assert [name for name in ("learner", *leads_to("learner")) if not held[name]] == []


def test_after_deletion_no_row_points_to_the_learner_not_even_by_way_of_others(database, ada):
    with database.write() as session:
        own_data.delete_learner(session, ada)
    held = counts(database)
    assert [name for name in ("learner", *leads_to("learner")) if held[name]] == ["audit_entry"]
    with database.read() as session:
        entry = session.execute(select(Base.metadata.tables["audit_entry"])).one()
    assert (entry.learner_id, entry.who) == (None, "")  # what was done stays, who did it is gone
    assert (held["course"], held["problem_set"], held["set_item"]) == (1, 1, 1)


def test_deleting_one_learner_leaves_all_others_as_they_are(database, ada, password_hash):
    before = counts(database)
    with database.write() as session:
        eve = live(session, "Eve", password_hash)
        own_data.delete_learner(session, eve)
    assert counts(database) == {**before, "course": 2, "problem_set": 2, "set_item": 2, "audit_entry": 2}
    with database.read() as session:
        assert people.find_credentials(session, "ada").learner_id == ada


def test_an_anonymous_learner_can_be_deleted_too(database):
    token, visitor = visit(database)
    with database.write() as session:
        submit(session, serve(session, visitor.learner_id))
        own_data.delete_learner(session, visitor.learner_id)
    assert set(counts(database).values()) == {0}
    with database.read() as session:
        assert people.find_learner(session, token, now=NOW) is None


def test_an_account_is_deleted_only_by_the_password_that_it_has_now(database, ada, password_hash):
    with database.write() as session:
        proof = people.Proof(people.find_credentials(session, "ada"), None)
        people.set_password(session, username="ada", password_hash=people.hash_password("battery staple"), now=NOW)
    with pytest.raises(people.StaleProofError), database.write() as session:
        own_data.delete_account(session, proof)
    with database.write() as session:
        own_data.delete_account(session, people.Proof(people.find_credentials(session, "ada"), None))
        assert people.find_credentials(session, "ada") is None


def test_every_column_that_tells_of_a_learner_is_exported_or_held_back_on_purpose(database, ada):
    data = exported(database, ada)
    (sheet,) = data["sheets"]
    places = {
        "learner": data["learner"],
        "account": data["account"],
        "reset_link": data["reset_links"][0],
        "login_session": data["sessions"][0],
        "skill_state": data["skills"][0],
        "slip": data["slips"][0],
        "assignment": data["assignments"][0],
        "course_member": data["courses"][0],
        "variant": sheet,
        "draft": sheet["draft"],
        "hint_use": sheet["hints"][0],
        "submission": sheet["submissions"][0],
        "regrade": sheet["submissions"][0]["regrades"][0],
        "adjustment": data["adjustments"][0],
        "audit_entry": data["changes"][0],
        "api_token": data["tokens"][0],
    }
    assert set(places) == {"learner", *leads_to("learner")}
    for name, row in places.items():
        assert set(Base.metadata.tables[name].columns.keys()) - set(row) <= own_data.NOT_EXPORTED, name


def test_an_export_holds_values_not_json_in_json_and_moments_that_people_read(database, ada, password_hash):
    data = exported(database, ada)
    text = json.dumps(data)
    assert r"{\"" not in text
    assert "$argon2" not in text
    assert data["account"]["created_at"] == "2023-11-14T22:13:20.000+00:00"
    assert data["sheets"][0]["given"] == {"x": [1.0]}
    assert data["assignments"][0]["title"] == "Week 1"


def test_an_export_says_how_far_a_problem_set_came(database, ada):
    (work,) = exported(database, ada)["assignments"]
    assert (work["score"], work["out_of"]) == (0.5, 1.0)
    assert work["items"] == [{"exercise": "mazur", "attempts": 1, "score": 0.5, "out_of": 1.0}]


def test_an_export_is_of_one_learner_and_goes_on_where_it_stopped(database, ada):
    _, visitor = visit(database)
    with database.write() as session:
        tokens = [serve(session, visitor.learner_id).token for _ in range(5)]
    after, seen = 0, []
    with database.read() as session:
        while sheets := own_data.export_sheets(session, visitor.learner_id, now=NOW, after=after, count=2):
            assert len(sheets) <= 2
            seen += [sheet["token"] for sheet in sheets]
            after = sheets[-1]["id"]
    assert seen == tokens
    assert exported(database, visitor.learner_id)["account"] is None
