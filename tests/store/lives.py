"""A learner with a row in every table that tells of one, and the law of which tables those are."""

from sqlalchemy import insert

from quizprop.store import api_tokens, classroom, people, resets
from quizprop.store.models import (
    Adjustment,
    Assignment,
    AuditEntry,
    Base,
    Draft,
    HintUse,
    ProblemSet,
    Regrade,
    SetItem,
    SkillState,
    Slip,
    table,
)
from tests.store.conftest import NOW, serve, submit


def leads_to(name: str) -> dict[str, list]:
    """The tables from which foreign keys lead to this one, also by way of others; each with those foreign keys."""
    reached, found = {name}, {}
    while True:
        more = {
            each.name: keys
            for each in Base.metadata.sorted_tables
            if (keys := [key for key in each.foreign_keys if key.column.table.name in reached])
        }
        if more == found:
            return found
        found, reached = more, {name, *more}


def slip_of(learner_id: int, variant_id: int, **changes):
    return {
        "learner_id": learner_id,
        "code": "slope_left_out",
        "title": "The slope is left out",
        "skill": "delta",
        "seen": 3,
        "right_since": 2,
        "first_at": NOW,
        "last_at": NOW + 10,
        "variant_id": variant_id,
        **changes,
    }


def skill_of(learner_id: int, **changes):
    return {
        "learner_id": learner_id,
        "skill": "delta",
        "knowledge": '{"p":0.5}',
        "seen": 3,
        "card": None,
        "due_at": None,
        "updated_at": NOW,
        **changes,
    }


def give_set(session, learner_id: int) -> int:
    """A problem set with one item, given to the learner; the item's id."""
    set_id = session.execute(
        insert(table(ProblemSet))
        .values(token=f"set-{learner_id}", title="Week 1", words="", created_at=NOW)
        .returning(table(ProblemSet).c.id)
    ).scalar_one()
    item = {"set_id": set_id, "position": 1, "exercise": "mazur", "spec": "{}", "points": 1.0}
    item_id = session.execute(insert(table(SetItem)).values(**item).returning(table(SetItem).c.id)).scalar_one()
    session.execute(insert(table(Assignment)).values(learner_id=learner_id, set_id=set_id, created_at=NOW))
    return item_id


def live(session, username: str, password_hash) -> int:
    """A learner with an account and a row in every table that can have one; the learner's id."""
    learner_id = people.add_user(session, username=username, password_hash=password_hash, now=NOW)
    people.enter(session, learner_id, token=None, now=NOW, device="Firefox on Linux")
    people.set_preferences(session, learner_id, language="en", time_zone="Europe/Madrid")
    resets.issue_reset_link(session, username=username, now=NOW)
    api_tokens.issue(session, learner_id, name="script", scopes=("practice",), now=NOW)
    item_id = give_set(session, learner_id)
    seat = classroom.create_course(session, title="Deep learning", learner_id=learner_id, now=NOW)
    who = {"learner_id": learner_id, "who": username, "course_id": seat.course.id}
    session.execute(insert(table(AuditEntry)).values(**who, what="code", details="{}", created_at=NOW))
    decided = {"learner_id": learner_id, "set_item_id": item_id, "points": None, "excused": False, "reason": "none"}
    session.execute(insert(table(Adjustment)).values(**decided, created_at=NOW))
    variant = serve(
        session, learner_id, set_item_id=item_id, given={"x": [1.0], "pick": [0.25, 0.5]}, aim={"skill": "z"}
    )
    submission, _ = submit(session, variant)
    session.execute(insert(table(Regrade)).values(submission_id=submission.id, credit=0.5, created_at=NOW))
    draft = {"seq": 1, "save_key": "k", "raw": '{"z1[1]":"0.3"}', "decimal_comma": False, "saved_at": NOW}
    session.execute(insert(table(Draft)).values(variant_id=variant.id, **draft))
    session.execute(insert(table(HintUse)).values(variant_id=variant.id, key="z1[1]", rung=1, created_at=NOW))
    session.execute(insert(table(SkillState)).values(**skill_of(learner_id)))
    session.execute(insert(table(Slip)).values(**slip_of(learner_id, variant.id)))
    return learner_id
