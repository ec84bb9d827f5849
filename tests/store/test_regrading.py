"""What a regrade is given to judge."""

from quizprop.store import classroom, decisions, drafts, regrading, sets
from tests.store.conftest import NOW, submit
from tests.store.test_classroom import homework, person, teacher  # noqa: F401 - a fixture
from tests.store.test_sets import begin


def test_what_is_judged_again_is_the_courses_own_once_each_with_its_dates_and_the_hints_of_its_moment(
    database,
    teacher,  # noqa: F811
):
    with database.write() as session:
        other = classroom.create_course(session, title="Another", learner_id=person(session, "Eve"), now=NOW)
        made, beside = homework(session), homework(session, "Week 2")
        sheets = {}
        for name, seat in (("Ada", teacher), ("Bob", other)):
            whose = person(session, name)
            classroom.join(session, seat.course.join_code, learner_id=whose, now=NOW)
            for one in (made, beside):
                classroom.add_set(session, seat, one, now=NOW)
            sheets[name] = begin(session, whose, sets.open_set(session, made.token, learner_id=whose, now=NOW).items[0])
        (ada,) = (one for one in classroom.members(session, teacher) if one.role == "student")
        decisions.extend(session, ada, beside, NOW + 99)  # of the other set: nothing to this one
        for rung, at in ((1, NOW + 1), (2, NOW + 2), (3, NOW + 4)):
            drafts.record_hint(session, sheets["Ada"], key="z1[1]", rung=rung, now=at)
        for at in (1, 3, 4):
            submit(session, sheets["Ada"], f"{at}", now=NOW + at)
        submit(session, sheets["Bob"])
        found = list(regrading.made(session, teacher, made))
        assert [(one.username, one.attempt, one.rungs) for one in found] == [
            ("Ada", 1, {"z1[1]": 1}),
            ("Ada", 2, {"z1[1]": 2}),
            ("Ada", 3, {"z1[1]": 3}),
        ]
        assert {one.window.due_at for one in found} == {made.due_at}
        assert [one.username for one in regrading.made(session, other, made)] == ["Bob"]
