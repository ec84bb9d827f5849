"""Laws of practice that moves to an account: nothing is lost, nothing collides, nothing is told of twice."""

import pytest
from sqlalchemy import insert, select

from quizprop.store import people
from quizprop.store.models import SkillState, Slip, Submission, Variant, table
from tests.store.conftest import NOW, at_once, serve, submit, visit
from tests.store.lives import leads_to, skill_of, slip_of

MOVES = {"variant", "skill_state", "slip"}
STAYS = {"account", "adjustment", "api_token", "assignment", "audit_entry", "login_session", "course_member"}
SEEN = [((3, 4), "theirs"), ((4, 3), "ours"), ((3, 3), "ours")]


@pytest.fixture(scope="module")
def password_hash():
    return people.hash_password("correct horse")


@pytest.fixture
def home(database, password_hash):
    with database.write() as session:
        return people.add_user(session, username="Ada", password_hash=password_hash, now=NOW)


def arrive(database, token, password_hash):
    """Sign in as Ada with that anonymous session."""
    with database.write() as session:
        credentials = people.find_credentials(session, "ada")
        return people.sign_in(session, people.Proof(credentials, None), token=token, now=NOW)


def rows_of(database, model, learner_id):
    with database.read() as session:
        found = session.execute(select(table(model)).where(table(model).c.learner_id == learner_id))
        return [row._asdict() for row in found]


def test_of_every_table_that_points_to_a_learner_it_is_settled_whether_it_moves():
    direct = {
        name for name, keys in leads_to("learner").items() if "learner" in {key.column.table.name for key in keys}
    }
    assert direct == MOVES | STAYS


def test_sheets_come_along_with_all_that_hangs_on_them(database, home, password_hash):
    token, visitor = visit(database)
    with database.write() as session:
        submit(session, serve(session, visitor.learner_id))
        serve(session, home)
    arrive(database, token, password_hash)
    assert len(rows_of(database, Variant, home)) == 2
    with database.read() as session:
        of_submission = session.execute(select(Variant.learner_id).join(Submission)).scalar_one()
    assert of_submission == home


@pytest.mark.parametrize(("seen", "kept"), SEEN)
def test_of_a_skill_that_both_have_what_more_was_seen_of_is_believed(database, home, password_hash, seen, kept):
    (ours, theirs), (token, visitor) = seen, visit(database)
    with database.write() as session:
        skills = insert(table(SkillState))
        session.execute(skills.values(**skill_of(home, seen=ours, knowledge='"ours"')))
        session.execute(skills.values(**skill_of(visitor.learner_id, seen=theirs, knowledge='"theirs"')))
        session.execute(skills.values(**skill_of(visitor.learner_id, skill="loss")))
        session.execute(skills.values(**skill_of(home, skill="update")))
    arrive(database, token, password_hash)
    found = {row["skill"]: row["knowledge"] for row in rows_of(database, SkillState, home)}
    assert found.pop("delta") == f'"{kept}"'
    assert set(found) == {"loss", "update"}
    assert rows_of(database, SkillState, visitor.learner_id) == []


@pytest.mark.parametrize("later", ["ours", "theirs", "neither"])
def test_a_slip_that_both_made_is_one_tally_of_both(database, home, password_hash, later):
    token, visitor = visit(database)
    with database.write() as session:
        slips = insert(table(Slip))
        here, there = serve(session, home).id, serve(session, visitor.learner_id).id
        last = {"ours": (20, 10), "theirs": (10, 20), "neither": (10, 10)}[later]
        ours = slip_of(home, here, seen=3, right_since=5, first_at=NOW + 2, last_at=NOW + last[0])
        theirs = slip_of(visitor.learner_id, there, seen=4, right_since=1, first_at=NOW, last_at=NOW + last[1])
        session.execute(slips, [ours, theirs, slip_of(visitor.learner_id, there, code="sign")])
    arrive(database, token, password_hash)
    found = {row["code"]: row for row in rows_of(database, Slip, home)}
    assert set(found) == {"slope_left_out", "sign"}
    tally = found["slope_left_out"]
    assert (tally["seen"], tally["right_since"], tally["first_at"]) == (7, 1, NOW)
    assert (tally["last_at"], tally["variant_id"]) == (NOW + max(last), there if later == "theirs" else here)
    assert rows_of(database, Slip, visitor.learner_id) == []


def test_several_browsers_that_sign_in_at_once_all_bring_their_practice(database, home, password_hash):
    visits = [visit(database) for _ in range(4)]
    with database.write() as session:
        for number, (_, visitor) in enumerate(visits, start=1):
            variant = serve(session, visitor.learner_id)
            session.execute(insert(table(Slip)).values(**slip_of(visitor.learner_id, variant.id, seen=number)))
            session.execute(insert(table(SkillState)).values(**skill_of(visitor.learner_id, seen=number)))
    at_once(4, lambda number: arrive(database, visits[number][0], password_hash))
    assert len(rows_of(database, Variant, home)) == 4
    assert [row["seen"] for row in rows_of(database, Slip, home)] == [1 + 2 + 3 + 4]
    assert [row["seen"] for row in rows_of(database, SkillState, home)] == [4]
