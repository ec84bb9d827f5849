"""Laws of class lists and of decisions about single students: a row at a time, nothing of others, all recorded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from quizprop.store import classroom, decisions, people, resets, roster, sets
from quizprop.store.models import AuditEntry, table
from quizprop.store.roster import RosterError
from quizprop.store.rules import Policy
from quizprop.store.sets import NewItem
from tests.store.conftest import NOW, at_once, submit
from tests.store.test_sets import begin

HASH = people.PasswordHash("-")
BAD = """username;name;section;id
ada;Ada Lovelace;A;17
x;Too Short;A;18
bob;Bob;B;19
Ada;Ada Again;A;20
carol;Carol;B;21;too many
"""


def person(session, name):
    return people.add_user(session, username=name, password_hash=HASH, now=NOW)


@pytest.fixture
def seat(database):
    with database.write() as session:
        return classroom.create_course(session, title="Deep learning", learner_id=person(session, "grace"), now=NOW)


def apply(session, seat, text):
    return roster.apply_roster(session, seat, roster.read_roster(text), password_hash=HASH, now=NOW)


def steps(outcomes):
    return [(one.row.line, one.row.username, one.step) for one in outcomes]


def test_a_list_and_a_colleagues_change_at_the_same_moment_both_hold(database, seat):
    names = [f"student {number}" for number in range(8)]
    text = "username,name,section\n" + "\n".join(f"{name},{name.title()},A" for name in names)
    with database.write() as session:
        apply(session, seat, text)
        last = next(one for one in classroom.members(session, seat) if one.username == names[-1])

    def both(number):
        with database.write() as session:
            if number:
                apply(session, seat, text.replace(",A", f",B{number}"))
                decisions.note(session, seat, "roster", now=NOW, added=0, changed=8)
            else:
                said = {"name": "Zoe", "section": "C", "external_id": "1"}
                decisions.change_student(session, seat, last, **said, extra_time=0.25)
                decisions.note(session, seat, "student", now=NOW, student=last.learner_id, extra_time=25)

    for _ in range(4):
        at_once(3, both)
        with database.read() as session:
            assert len(classroom.members(session, seat)) == 9


def test_a_list_takes_as_many_queries_however_many_sets_there_are(database, seat):
    """But for a few a set, not a few for each set and student."""

    def queries(session, first):
        asked = []
        event.listen(database.engine, "before_cursor_execute", listener := lambda *call: asked.append(call[2]))
        text = "username\n" + "\n".join(f"student {number}" for number in range(first, first + 20))
        apply(session, seat, text)
        event.remove(database.engine, "before_cursor_execute", listener)
        return len(asked)

    with database.write() as session:
        few = queries(session, 100)
        for number in range(5):
            items = [NewItem("mazur", "{}", 1.0)]
            made = sets.create_set(session, title=f"Week {number}", items=items, now=NOW)
            classroom.add_set(session, seat, made, now=NOW)
        many = queries(session, 200)
    assert many - few < 5 * 10


def test_a_user_name_is_the_same_however_many_spaces_it_was_typed_with(database, seat):
    with database.write() as session:
        assert steps(apply(session, seat, "username,name\nmax  muster,Max\nann,Ann")) == [
            (2, "max muster", "new account"),
            (3, "ann", "new account"),
        ]
    with database.write() as session:
        found = steps(apply(session, seat, "username,name\nmax  muster,Max\nmax muster,Max\nann,Anna"))
    assert found == [(2, "max muster", "as it was"), (3, "max muster", "refused"), (4, "ann", "changed")]


@pytest.mark.parametrize(
    ("text", "username", "name", "section"),
    [
        (
            "First name,Surname,Email address,Username,Groups\nAda,Lovelace,a@b.org,ada,A",
            "ada",
            "Ada Lovelace",
            "A",
        ),
        ("First name,Last name,Email address\nAda,Lovelace,ada@example.org", "ada@example.org", "Ada Lovelace", ""),
        ("sep=;\nusername;name\nada;Lovelace, Ada", "ada", "Lovelace, Ada", ""),
        ("name,surname,username\nAda King,Lovelace,ada", "ada", "Ada King", ""),
        ("username,surname\nada,Lovelace", "ada", "Lovelace", ""),
    ],
)
def test_the_lists_of_platforms_and_spreadsheets_are_read(text, username, name, section):
    (row,) = roster.read_roster(text)
    assert (row.username, row.name, row.section, row.problem) == (username, name, section, "")


def test_good_rows_go_in_and_bad_ones_are_told_by_line(database, seat):
    with database.write() as session:
        person(session, "bob")
        rows = roster.read_roster(BAD)
        assert [bool(row.problem) for row in rows] == [False, True, False, True, True]
        expected = [
            (2, "ada", "new account"),
            (3, "x", "refused"),
            (4, "bob", "joins"),
            (5, "Ada", "refused"),
            (6, "carol", "refused"),
        ]
        assert steps(roster.check_roster(session, seat, rows)) == expected
        assert len(classroom.members(session, seat)) == 1  # a look changes nothing
        outcomes = apply(session, seat, BAD)
        assert steps(outcomes) == expected
        told = {one.username: (one.name, one.section, one.external_id) for one in classroom.members(session, seat)[1:]}
        assert told == {"ada": ("Ada Lovelace", "A", "17"), "bob": ("Bob", "B", "19")}


def test_only_a_new_account_gets_a_link_and_it_opens_that_account(database, seat):
    with database.write() as session:
        person(session, "bob")
        links = {one.row.username: one.link for one in apply(session, seat, BAD)}
        assert [name for name, link in links.items() if link] == ["ada"]
        assert resets.find_reset_link(session, links["ada"], now=NOW) == "ada"


def test_a_second_time_changes_only_what_differs(database, seat):
    with database.write() as session:
        apply(session, seat, BAD)
        again = apply(session, seat, "username,section\nADA,\nbob,C\n")
        assert steps(again) == [(2, "ADA", "as it was"), (3, "bob", "changed")]
        told = {one.username: (one.name, one.section) for one in classroom.members(session, seat)[1:]}
        assert told == {"ada": ("Ada Lovelace", "A"), "bob": ("Bob", "C")}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("ada,bob", "No column is called username"),
        ("username,username\n", "Two columns are called username"),
        ("username\n" + "\n".join(f"user{at}" for at in range(2001)), "more than 2000"),
        ('username\n"' + "a" * 200_000, "Line"),
    ],
)
def test_what_is_no_roster_is_told(text, problem):
    with pytest.raises(RosterError, match=problem):
        roster.read_roster(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_words(text):
    for given_text in (text, f"username,name\n{text}"):
        try:
            rows = roster.read_roster(given_text)
        except RosterError:
            continue
        assert all(row.problem or people.read_username(row.username) for row in rows)


# --- decisions ------------------------------------------------------------------------------------------------------


@pytest.fixture
def worked(database, seat):
    """A student who has half of an item of 4 points, beside one of 2 that is not begun."""
    with database.write() as session:
        ada = person(session, "Ada")
        classroom.join(session, seat.course.join_code, learner_id=ada, now=NOW)
        items = [NewItem("mazur", "{}", 4), NewItem("mazur", "{}", 2)]
        made = sets.create_set(session, title="Week 1", items=items, now=NOW)
        classroom.add_set(session, seat, made, now=NOW)
        (work,) = sets.sets_of(session, ada, NOW)
        submit(session, begin(session, ada, work.items[0]), points=1, out_of=2)
        return classroom.members(session, seat)[-1], made, work.items


def decide(session, seat, student, item, **said):
    chosen = decisions.find_item(session, seat, item.id)
    values = {"points": None, "excused": False, "reason": "ill", **said}
    decisions.adjust(session, student, chosen, **values, now=NOW)


def book(session, seat, student):
    found = classroom.gradebook(session, seat)
    return found.total(student), [found.points(student, column) for column in found.columns]


@pytest.mark.parametrize(
    ("decided", "found"),
    [
        ([], ((2, 6), [2, None])),
        ([{"points": 3.5}], ((3.5, 6), [3.5, None])),
        ([{"excused": True}], ((0, 2), [None, None])),
        ([{"points": 0}, {"points": 5}], ((5, 6), [5, None])),
        ([{"excused": True}, {}], ((2, 6), [2, None])),
    ],
)
def test_the_latest_decision_counts_in_the_gradebook_and_for_the_student(database, seat, worked, decided, found):
    student, _, items = worked
    with database.write() as session:
        for said in decided:
            decide(session, seat, student, items[0], **said)
        assert book(session, seat, student) == found
        (work,) = sets.sets_of(session, student.learner_id, NOW)
        assert (work.score, work.out_of) == found[0]
        assert len(decisions.decisions_of(session, seat, student)) == len(decided)


def test_an_item_can_be_decided_before_it_is_begun(database, seat, worked):
    student, _, items = worked
    with database.write() as session:
        decide(session, seat, student, items[1], points=1.5)
        assert book(session, seat, student) == ((3.5, 6), [2, 1.5])


@pytest.mark.parametrize(
    "said", [{"points": 1, "excused": True}, {"points": -1}, {"points": 1e6}, {"points": 1, "reason": "  "}]
)
def test_a_decision_that_makes_no_sense_is_refused(database, seat, worked, said):
    student, _, items = worked
    with pytest.raises(ValueError, match=r"\w"), database.write() as session:
        decide(session, seat, student, items[0], **said)


def test_no_item_and_no_student_of_another_course_is_found(database, seat, worked):
    student, _, items = worked
    with database.write() as session:
        other = classroom.create_course(session, title="Other", learner_id=person(session, "eve"), now=NOW)
        assert decisions.find_item(session, other, items[0].id) is None
        assert decisions.find_student(session, other, student.id) is None
        assert decisions.find_student(session, seat, student.id) == student


def test_extra_time_holds_for_the_sets_there_are_and_those_to_come(database, seat, worked):
    student, made, _ = worked
    with database.write() as session:
        particulars = {"name": "Ada", "section": "", "external_id": ""}
        decisions.change_student(session, seat, student, **particulars, extra_time=0.5)
        later = sets.create_set(
            session, title="Exam", items=[NewItem("mazur", "{}")], policy=Policy(time_limit=60), now=NOW
        )
        classroom.add_set(session, seat, later, now=NOW)
        terms = decisions.terms_of(session, seat, student)
        assert {of: one.extra_time for of, one in terms.items()} == {made.id: 0.5, later.id: 0.5}
        with pytest.raises(ValueError, match="Extra time"):
            decisions.change_student(session, seat, student, **particulars, extra_time=11)


def test_an_extension_is_of_one_student_and_can_be_taken_back(database, seat, worked):
    student, made, _ = worked
    with database.write() as session:
        decisions.extend(session, student, made, NOW + 7)
        assert sets.open_set(session, made.token, learner_id=student.learner_id, now=NOW).stored.due_at == NOW + 7
        decisions.extend(session, student, made, None)
        assert sets.open_set(session, made.token, learner_id=student.learner_id, now=NOW).stored.due_at is None


def test_the_record_tells_who_did_what_the_latest_first_and_forgets_names_of_the_gone(database, seat):
    from quizprop.store import own_data

    with database.write() as session:
        decisions.note(session, seat, "code", now=NOW)
        decisions.note(session, seat, "set made", now=NOW + 1, set="Week 1")
        found = decisions.entries(session, seat)
        assert [(one.who, one.what, dict(one.details)) for one in found] == [
            ("grace", "set made", {"set": "Week 1"}),
            ("grace", "code", {}),
        ]
        assert decisions.entries(session, seat, skip=1, count=5) == found[1:]
        own_data.delete_learner(session, seat.learner_id)
        assert [one.who for one in decisions.entries(session, seat)] == ["", ""]
        assert session.execute(table(AuditEntry).select()).all()


@pytest.fixture
def beside(database, seat, worked):
    """Another student of the course, a second problem set of it, and a course of somebody else with both students."""
    student, _made, _ = worked
    with database.write() as session:
        bob = person(session, "Bob")
        classroom.join(session, seat.course.join_code, learner_id=bob, now=NOW)
        later = sets.create_set(session, title="Week 2", items=[NewItem("mazur", "{}")], now=NOW)
        classroom.add_set(session, seat, later, now=NOW)
        other = classroom.create_course(session, title="Other", learner_id=person(session, "eve"), now=NOW)
        for one in (student.learner_id, bob):
            classroom.join(session, other.course.join_code, learner_id=one, now=NOW)
        theirs = sets.create_set(session, title="Exam", items=[NewItem("mazur", "{}", 8)], now=NOW)
        classroom.add_set(session, other, theirs, now=NOW)
        (second,) = (one for one in classroom.members(session, seat) if one.learner_id == bob)
        return second, later, other, theirs


def everybodys_terms(session, *seats):
    """What is different for each student of some courses, by problem set."""
    return {
        (one.learner_id, of): terms
        for place in seats
        for one in classroom.members(session, place)
        for of, terms in decisions.terms_of(session, place, one).items()
    }


def test_extra_time_of_one_student_in_one_course_changes_nobody_elses(database, seat, worked, beside):
    student, made, _ = worked
    _, later, other, _ = beside
    with database.write() as session:
        before = everybodys_terms(session, seat, other)
        particulars = {"name": "Ada", "section": "", "external_id": ""}
        decisions.change_student(session, seat, student, **particulars, extra_time=0.5)
        after = everybodys_terms(session, seat, other)
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {(student.learner_id, made.id), (student.learner_id, later.id)}


def test_an_extension_of_one_student_at_one_set_changes_nobody_elses(database, seat, worked, beside):
    student, made, _ = worked
    with database.write() as session:
        before = everybodys_terms(session, seat, beside[2])
        decisions.extend(session, student, made, NOW + 7)
        after = everybodys_terms(session, seat, beside[2])
    assert {key for key in before if before[key] != after[key]} == {(student.learner_id, made.id)}


def test_a_decision_about_one_student_is_nobody_elses(database, seat, worked, beside):
    student, _, items = worked
    second, *_ = beside
    with database.write() as session:
        before = book(session, seat, second)
        decide(session, seat, student, items[0], points=4)
        decide(session, seat, student, items[1], excused=True)
        assert book(session, seat, second) == before
        assert decisions.decisions_of(session, seat, second) == ()
        for work in sets.sets_of(session, second.learner_id, NOW):
            assert [(one.adjusted, one.excused) for one in work.items] == [(None, False)] * len(work.items)


def test_who_comes_late_into_one_course_has_no_extra_time_taken_or_given_in_another(
    database,
    seat,
    worked,
    beside,
):
    student, _, _ = worked
    other, theirs = beside[2:]
    with database.write() as session:
        particulars = {"name": "Ada", "section": "", "external_id": ""}
        (there,) = (one for one in classroom.members(session, other) if one.learner_id == student.learner_id)
        decisions.change_student(session, other, there, **particulars, extra_time=0.25)
        more = sets.create_set(
            session, title="Week 3", items=[NewItem("mazur", "{}")], policy=Policy(time_limit=60), now=NOW
        )
        classroom.add_set(session, seat, more, now=NOW)
        assert decisions.terms_of(session, other, there)[theirs.id].extra_time == 0.25
        assert decisions.terms_of(session, seat, student)[more.id].extra_time == 0


def test_the_decisions_and_the_record_of_another_course_are_not_seen(database, seat, worked, beside):
    student, _, _ = worked
    other, _theirs = beside[2:]
    with database.write() as session:
        (there,) = (one for one in classroom.members(session, other) if one.learner_id == student.learner_id)
        (work,) = decisions.work_of(session, other, there, NOW)
        decide(session, other, there, work.items[0], points=1)
        decisions.note(session, other, "code", now=NOW)
        assert [one.points for one in decisions.decisions_of(session, other, there)] == [1]
        assert decisions.decisions_of(session, seat, student) == ()
        assert decisions.entries(session, seat) == ()


def test_a_class_list_keeps_the_extra_time_of_those_it_changes(database, seat, worked):
    student, made, _ = worked
    with database.write() as session:
        particulars = {"name": "Ada", "section": "A", "external_id": "17"}
        decisions.change_student(session, seat, student, **particulars, extra_time=0.5)
        done = apply(session, seat, "username,name,section\nada,Ada Lovelace,B")
        assert [one.step for one in done] == ["changed"]
        (ada,) = (one for one in classroom.members(session, seat) if one.id == student.id)
        assert (ada.name, ada.section, ada.external_id, ada.extra_time) == ("Ada Lovelace", "B", "17", 0.5)
        assert decisions.terms_of(session, seat, ada)[made.id].extra_time == 0.5


def test_who_comes_back_as_a_student_has_the_extra_time_still(database, seat, worked):
    student, made, _ = worked
    with database.write() as session:
        particulars = {"name": "Ada", "section": "", "external_id": ""}
        decisions.change_student(session, seat, student, **particulars, extra_time=0.5)
        classroom.set_role(session, seat, student.id, "grader", now=NOW)
        later = sets.create_set(session, title="Exam", items=[NewItem("mazur", "{}")], now=NOW)
        classroom.add_set(session, seat, later, now=NOW)
        assert decisions.find_student(session, seat, student.id) is None  # no student at present
        classroom.set_role(session, seat, student.id, "student", now=NOW)
        terms = decisions.terms_of(session, seat, student)
        assert {of: one.extra_time for of, one in terms.items()} == {made.id: 0.5, later.id: 0.5}


def test_an_empty_cell_of_a_class_list_keeps_what_was_there(database, seat):
    with database.write() as session:
        apply(session, seat, "username,name,section,id\nann,Ann Lee,A,17")
        assert [one.step for one in apply(session, seat, "username,name,section,id\nann,,B,")] == ["changed"]
        (ann,) = (one for one in classroom.members(session, seat) if one.username == "ann")
        assert (ann.name, ann.section, ann.external_id) == ("Ann Lee", "B", "17")


def test_a_course_gets_no_link_to_an_account_that_the_list_of_another_made(database, seat):
    with database.write() as session:
        other = classroom.create_course(session, title="Other", learner_id=person(session, "eve"), now=NOW)
        rows = roster.read_roster("username\nann")
        said = {"password_hash": people.PasswordHash("-"), "new_links": True}
        (made,) = roster.apply_roster(session, seat, rows, now=NOW + 1, **said)
        assert made.link
        for later in (2, 3):
            (there,) = roster.apply_roster(session, other, rows, now=NOW + later, **said)
            assert there.link is None
            assert not any(one.unopened for one in roster.check_roster(session, other, rows))
        (again,) = roster.apply_roster(session, seat, rows, now=NOW + 4, **said)
        assert again.link
