"""Courses: come in by a code; teach one, give it problem sets, see how the class is doing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import chain, count, groupby
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from quizprop.engine.structure import structure_of
from quizprop.exercise.class_mistakes import (
    CheckedSheet,
    ClassMistake,
    Effort,
    StepShare,
    class_mistakes,
    efforts,
    step_shares,
)
from quizprop.exercise.figures import to_places
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import Symbol, symbol
from quizprop.exercise.question import Question, chosen, in_text
from quizprop.exercise.spec import Exercise
from quizprop.store import classroom, decisions, handed_in, regrading, sets
from quizprop.store import practice as records
from quizprop.store.classroom import (
    ROLES,
    CourseTitleError,
    Gradebook,
    LastInstructorError,
    Member,
    NoSuchCourseError,
    Seat,
)
from quizprop.store.people import Visitor
from quizprop.web import feedback, limits
from quizprop.web.languages import gettext, marked, say
from quizprop.web.rendering import number
from quizprop.web.seats import ROLE_WORDS, member, seeing_work, take_seat, teaching
from quizprop.web.sheet import Work, as_chosen, diagram, exercise_of, givens, instance_of, solution
from quizprop.web.spreadsheet import csv_file, json_lines_file
from quizprop.web.state import database, now, stay, visitor

__all__ = ["courses"]

courses = Blueprint("courses", __name__)

_EXCUSED: Final = "excused"
_MISTAKE_COLUMNS: Final = ("code", "title", "students", "could", "share", "overcome")
_STEP_COLUMNS: Final = ("exercise", "quantity", "values", "right_first", "right_last", "discrimination")
_NO_TITLE: Final = marked("Give the course a title of at most 200 characters.")
_NO_CODE: Final = marked("No course has this code. It has eight letters and digits: ask who teaches it.")
_LAST: Final = marked("Somebody must teach the course: make another member an instructor first.")
_RENEWED: Final = marked("Your visit was renewed in the meantime: look it over and send it again.")


# --- for everybody --------------------------------------------------------------------------------------------------


@courses.get("/courses", defaults={"code": ""})
@courses.get("/join/<code>")
def show_courses(code: str) -> ResponseReturnValue:
    """The visitor's courses; they are for accounts only. A link to a course has its code filled in."""
    known = visitor()
    if known is None or known.anonymous:
        return redirect(url_for("account.show_sign_in", next=request.path))
    return courses_page(known, code=code)


@courses.post("/courses")
def create_course() -> ResponseReturnValue:
    """A new course, taught by the visitor."""
    known, title = member(), request.form.get("title", "")
    with database().write() as session:
        stay(session)
        limits.take(session, now(), ("course, learner", known.learner_id))
        made = classroom.create_course(session, title=title, learner_id=known.learner_id, now=now())
    return redirect(url_for(".show_course", token=made.course.token), 303)


@courses.post("/courses/join")
def join() -> ResponseReturnValue:
    """Come into a course as a student."""
    known, code = member(), request.form.get("code", "")
    with database().write() as session:
        stay(session)
        limits.take(session, now(), ("join, learner", known.learner_id))
    with database().write() as session:  # a wrong code takes nothing else back
        seat = classroom.join(session, code, learner_id=known.learner_id, now=now())
    return redirect(url_for(".show_course", token=seat.course.token), 303)


@courses.get("/courses/<token>")
def show_course(token: str) -> ResponseReturnValue:
    """A course: a student sees the problem sets, who teaches it everything."""
    return course_page(take_seat(token))


# --- for those who teach --------------------------------------------------------------------------------------------


@courses.post("/courses/<token>/people")
def change_people(token: str) -> ResponseReturnValue:
    """Make a member something else, or take them out: the button's value is ``ID role`` or ``ID remove``."""
    seat = teaching(token)
    who, _, what = request.form.get("change", "").partition(" ")
    if not (who.isascii() and who.isdigit() and len(who) < 19):
        abort(400)
    with database().write() as session:
        stay(session)
        known = next((one for one in classroom.members(session, seat) if one.id == int(who)), None)
        if what == "remove":
            done = classroom.remove(session, seat, int(who), now=now())
        else:
            role = next((one for one in ROLES if one == what), None) or abort(400)
            done = classroom.set_role(session, seat, int(who), role, now=now())
        if known is not None:
            deed = {"what": "removed"} if what == "remove" else {"what": "role", "role": what}
            decisions.note(session, seat, now=now(), member=known.learner_id, **deed)
    flash(gettext("That is changed.") if done else gettext("This member has left the course."))
    return redirect(url_for(".show_course", token=token), 303)


@courses.post("/courses/<token>/title")
def rename(token: str) -> ResponseReturnValue:
    """Another title for a course."""
    seat = teaching(token)
    with database().write() as session:
        stay(session)
        title = classroom.rename(session, seat, request.form.get("title", ""))
        if title != seat.course.title:
            decisions.note(session, seat, "renamed", now=now(), before=seat.course.title, after=title)
    flash(gettext("That is changed."))
    return redirect(url_for(".show_course", token=token), 303)


@courses.post("/courses/<token>/code")
def change_code(token: str) -> ResponseReturnValue:
    """Another code to come in by."""
    seat = teaching(token)
    with database().write() as session:
        stay(session)
        classroom.new_join_code(session, seat)
        decisions.note(session, seat, "code", now=now())
    flash(gettext("There is a new code; the old one lets nobody in any more."))
    return redirect(url_for(".show_course", token=token), 303)


@courses.get("/courses/<token>/grades")
def show_grades(token: str) -> ResponseReturnValue:
    """Every student and every item."""
    seat = seeing_work(token)
    with database().read() as session:
        book = classroom.gradebook(session, seat)
    sections = sorted({one.section for one in book.students if one.section})
    chosen = request.args.get("section", "")
    if chosen:
        book = replace(book, students=tuple(one for one in book.students if one.section == chosen))
    rows = grade_rows(seat, book)
    # The address of every student but for its end: 500 of them are not worked out one by one.
    student_page = url_for("students.show_student", token=token, who="-").removesuffix("-")
    shown = {"titles": titles_of(book), "rows": rows, "student_page": student_page, "sections": sections}
    namesakes = {name for name, count in Counter(one.name for one in book.students if one.name).items() if count > 1}
    return render_template("courses/grades.html", seat=seat, book=book, chosen=chosen, namesakes=namesakes, **shown)


@courses.get("/courses/<token>/grades.csv")
def download_grades(token: str) -> ResponseReturnValue:
    """The same as a table for a spreadsheet."""
    seat = seeing_work(token)
    with database().read() as session:
        book = classroom.gradebook(session, seat)
    titled = zip(set_titles(book), book.by_set, strict=True)
    heads = [f"{title} / {one.position}. {one.exercise} ({one.points:g})" for title, of in titled for one in of]
    about = ("student", "name", "section")
    rows: list[list[str | float | None]] = [[*about, *heads, "out of", "total"]]
    for student in book.students:
        points = [_EXCUSED if book.excused(student, one) else book.points(student, one) for one in book.columns]
        total, out_of = book.total(student)
        rows.append([student.username or "", student.name, student.section, *points, out_of, total])
    return csv_file("grades", rows)


@courses.get("/courses/<token>/canvas.csv")
def download_for_canvas(token: str) -> ResponseReturnValue:
    """The points of each problem set as Canvas' gradebook imports them, by the class list's id or the user name."""
    seat = seeing_work(token)
    marks = set_marks(seat)
    rows: list[list[str | float | None]] = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *marks.titles]]
    rows.append(["Points Possible", "", "", "", "", *marks.out_of])
    for one, points in marks.students:
        section = one.section or seat.course.title
        rows.append([one.name or one.username, "", one.external_id, one.username, section, *points])
    return csv_file("canvas", rows, mark=False)


@courses.get("/courses/<token>/moodle.csv")
def download_for_moodle(token: str) -> ResponseReturnValue:
    """The points of each problem set as Moodle's grade import maps them: by user name."""
    marks = set_marks(seeing_work(token))
    rows: list[list[str | float | None]] = [["username", *marks.titles]]
    rows += [[one.username, *points] for one, points in marks.students]
    return csv_file("moodle", rows, mark=False)


@courses.get("/courses/<token>/mistakes")
def show_mistakes(token: str) -> ResponseReturnValue:
    """What the class gets wrong."""
    seat = seeing_work(token)
    sheets = checked_sheets(seat)
    exercises = {sheet.exercise.slug: sheet.exercise for sheet in sheets}
    found = class_mistakes(sheets)
    return render_template(
        "courses/mistakes.html",
        seat=seat,
        students=len({sheet.learner_id for sheet in sheets}),
        mistakes=[(one, shown_at(one, exercises)) for one in found],
        twice={title for title, count in Counter(one.title for one in found).items() if count > 1},
        exercises=exercises,
        ends=ends,
        efforts={one.exercise: one for one in efforts(sheets)},
        steps=[(exercises[slug], tuple(of)) for slug, of in groupby(step_shares(sheets), lambda one: one.exercise)],
    )


@courses.get("/courses/<token>/mistakes.csv")
def download_mistakes(token: str) -> ResponseReturnValue:
    """The known mistakes of the class as a table: a row for each mistake and quantity."""
    found = class_mistakes(checked_sheets(seeing_work(token)))
    rows: list[list[str | float | None]] = [[*_MISTAKE_COLUMNS, "quantity", "answers"]]
    for one in found:
        rows += [[*mistake_row(one).values(), name, count] for name, count in one.places.most_common()]
    return csv_file("mistakes", rows)


@courses.get("/courses/<token>/steps.csv")
def download_steps(token: str) -> ResponseReturnValue:
    """How each step went, as a table."""
    sheets = checked_sheets(seeing_work(token))
    took = {one.exercise: (one.sheets, one.attempts, round(one.minutes, 1)) for one in efforts(sheets)}
    rows = [[*step_row(one).values(), *took[one.exercise]] for one in step_shares(sheets)]
    return csv_file("steps", [[*_STEP_COLUMNS, "sheets", "median_attempts", "median_minutes"], *rows])


@courses.get("/courses/<token>/mistakes.jsonl")
def download_report(token: str) -> ResponseReturnValue:
    """The whole report for programs: a line for each mistake, for each step, and for what each exercise took."""
    sheets = checked_sheets(seeing_work(token))
    mistakes = [{"kind": "mistake", **mistake_row(one), "answers": one.places} for one in class_mistakes(sheets)]
    steps = [{"kind": "step", **step_row(one)} for one in step_shares(sheets)]
    took = [{"kind": "effort", **effort_row(one)} for one in efforts(sheets)]
    return json_lines_file("mistakes", [*mistakes, *steps, *took])


@courses.get("/courses/<token>/work/<sheet>")
def show_work(token: str, sheet: str) -> ResponseReturnValue:
    """A student's sheet: each attempt as it was typed and graded, and how it goes."""
    seat = seeing_work(token)
    with database().read() as session:
        student, variant = handed_in.student_sheet(session, seat, sheet) or abort(404)
        sheets = handed_in.sheets_beside(session, seat, variant)
        attempts = records.submissions(session, variant)
        regraded = regrading.regrades_of(session, variant)
    instance = instance_of(variant)
    shown = {"seat": seat, "student": student, "sheet": sheet, "sheets": sheets, "exercise": instance.exercise}
    return render_template(
        "courses/work.html",
        **shown,
        **worked_out(instance.as_sheet),
        attempts=attempts,
        rows=work_rows(instance, [one.raw for one in attempts]),
        credits={one.id: regraded.get(one.id, one.credit) for one in attempts},
        told=[feedback.told(one.marks) for one in attempts],
    )


# --- what the views share -------------------------------------------------------------------------------------------


def courses_page(known: Visitor, *, code: str = "", title: str = "", problems: Mapping[str, str] | None = None) -> str:
    """The page of the visitor's courses, with what was typed and what is wrong with it."""
    with database().read() as session:
        seats = classroom.courses_of(session, known.learner_id)
    shown = {"code": code, "title": title, "problems": problems or {}}
    return render_template("courses/list.html", seats=seats, roles=ROLE_WORDS, **shown)


def course_page(seat: Seat, message: str = "", *, title: str | None = None) -> str:
    """The page of a course, with the title that was typed for it."""
    own = seat.role == "student"
    with database().read() as session:
        works = [one for one in classroom.shelf(session, seat) if one.published_at is not None or seat.sees_work]
        if own:  # with the due dates that are the student's own
            mine = {one.stored.id: one.stored for one in sets.sets_of(session, seat.learner_id, now())}
            works = [replace(one, stored=mine.get(one.stored.id, one.stored)) for one in works]
        people = classroom.members(session, seat) if seat.sees_work else ()
    return render_template(
        "courses/course.html",
        seat=seat,
        works=works,
        people=people,
        roles=ROLE_WORDS,
        own=own,
        now=now(),
        message=message,
        title=title,
    )


def titles_of(book: Gradebook) -> dict[int, str]:
    """What the columns of a gradebook are called."""
    return {one.item_id: exercise_of(one.spec).title for one in book.columns}


@dataclass(frozen=True, slots=True)
class GradeCell:
    """A cell of the gradebook: its text, the sheet behind it if there is one, its class."""

    text: str
    sheet: str
    look: str


def grade_rows(seat: Seat, book: Gradebook) -> Iterator[tuple[Member, list[GradeCell], str]]:
    """A student, their cells and total, a row each. What 20,000 cells have in common is worked out once."""
    address = url_for(".show_work", token=seat.course.token, sheet="-").removesuffix("-")
    in_words = cache(number)
    started, excused = gettext("started"), gettext("excused")
    for student in book.students:
        cells = []
        for column in book.columns:
            score, points = book.score(student, column), book.points(student, column)
            sheet = address + score.variant_token if score and score.variant_token else ""
            if score is None:
                cells.append(GradeCell("—", "", "no-score"))
            elif points is None:
                cells.append(GradeCell(excused if score.excused else started, sheet, "no-score"))
            else:
                look = f"heat-{min(5, int(points / column.points * 5))}"
                sign = "*" if score.adjusted is not None else ""
                cells.append(GradeCell(in_words(round(points, 2)) + sign, sheet, look))
        total, out_of = book.total(student)
        text = in_words(round(total, 2))
        if out_of != book.out_of:
            text = gettext("%(points)s of %(out_of)s", points=text, out_of=in_words(out_of))
        yield student, cells, text


@dataclass(frozen=True, slots=True)
class WorkRow:
    """A value of a student's sheet: its key, how it is written, what is right, what was typed at each attempt.

    ``name`` stands in the place of a symbol where there is none: the words of a question, or the key.
    """

    key: str
    symbol: Symbol | None
    name: str
    right: str
    typed: tuple[str, ...]


def work_rows(instance: Instance, texts: Sequence[Mapping[str, str]]) -> Iterator[WorkRow]:
    """The values of a student's sheet with their attempts; of options their words."""
    cells, exercise = {cell.key: cell for cell in instance.cells}, instance.exercise
    questions = {one.key: one for one in instance.questions}
    for key in texts[0] if texts else ():
        typed, cell = tuple(each.get(key, "") for each in texts), cells.get(key)
        if key in questions:
            yield question_row(instance, questions[key], typed)
        elif cell is None:  # an earlier release asked for it
            yield WorkRow(key, None, key, "", typed)
        else:
            value, written = instance.values[key], symbol(key, instance.model, exercise.notation)
            whole = instance.structure.graph[cell.quantity].formula.whole
            right = as_chosen(cell, f"{value:.0f}") if whole else to_places(value, exercise.places)
            yield WorkRow(key, written, key, right, tuple(as_chosen(cell, text) for text in typed))


def worked_out(whole: Instance) -> dict[str, Any]:
    """How a sheet goes, for who teaches: its picture with every value, its numbers, each step."""
    notation = whole.exercise.notation
    return {
        "across": whole.network is None,
        "diagram": diagram(whole, notation, whole.values, done=True),
        "givens": givens(whole, notation),
        "solution": solution(whole, notation, Work()),
    }


def question_row(instance: Instance, question: Question, typed: Iterable[str]) -> WorkRow:
    """A question of a student's sheet: its words, those of the right option, and of the options taken."""
    notation = instance.exercise.notation

    def words(phrase: str) -> str:
        return in_text(say(phrase), instance.model, notation)

    def taken(text: str) -> str:
        number = chosen(question, text, instance.model, notation).value
        return text if number is None else words(question.option(int(number)).words)

    right = words(question.option(question.right).words)
    return WorkRow(question.key, None, words(question.words), right, tuple(map(taken, typed)))


@dataclass(frozen=True, slots=True)
class SetMarks:
    """Whole problem sets, for other programs: their titles, each another one, and what each student with a name has.

    Points are None where nothing was checked: an import leaves such a mark alone.
    """

    titles: list[str]
    out_of: list[float]
    students: list[tuple[Member, list[float | None]]]


def set_marks(seat: Seat) -> SetMarks:
    """The gradebook by problem set."""
    with database().read() as session:
        book = classroom.gradebook(session, seat)
    students = [
        (student, [points_of(book, student, columns) for columns in book.by_set])
        for student in book.students
        if student.username is not None
    ]
    return SetMarks(set_titles(book), [book.set_out_of(columns) for columns in book.by_set], students)


def set_titles(book: Gradebook) -> list[str]:
    """What the problem sets are called where they have to be told apart."""
    titles: list[str] = []
    for columns in book.by_set:
        # Not in brackets: there Canvas looks for the number of an assignment.
        title = columns[0].set_title
        others = (f"{title} / {number}" for number in count(2))
        titles.append(next(one for one in chain([title], others) if one not in titles))
    return titles


def points_of(book: Gradebook, student: Member, columns: Sequence[classroom.Column]) -> float | None:
    """What a student has of a problem set; None where nothing of it was checked or decided.

    Who is excused from a part has as many points as the same share of the whole would be.
    """
    points, out_of = book.of_set(student, columns)
    if out_of == 0 or all(book.points(student, column) is None for column in columns):
        return None
    return round(points * book.set_out_of(columns) / out_of, 4)


def checked_sheets(seat: Seat) -> tuple[CheckedSheet, ...]:
    """The submissions of a course by sheet."""
    with database().read() as session:
        work = tuple(handed_in.marked_work(session, seat))
    sheets = (tuple(group) for _, group in groupby(work, key=lambda one: one.variant_id))
    exercises = told_apart(dict.fromkeys(one.spec for one in work))
    return tuple(
        CheckedSheet(
            group[0].learner_id,
            exercises[group[0].spec],
            tuple(one.marks for one in group),
            minutes=(group[-1].checked_at - group[0].began_at) / 60_000_000,
        )
        for group in sheets
    )


def told_apart(specs: Iterable[str]) -> dict[str, Exercise]:
    """Exercises by their JSON. Those of one name that ask for other work are numbered: a teacher changed one."""
    found, named = dict[str, Exercise](), dict[tuple[str, Any], str]()
    for spec in specs:
        exercise = exercise_of(spec)
        work = (exercise.slug, (exercise.model, exercise.question))
        if work not in named:
            number = 1 + sum(slug == exercise.slug for slug, _ in named)
            named[work] = exercise.slug if number == 1 else f"{exercise.slug} ({number})"
        found[spec] = exercise.model_copy(update={"slug": named[work]})
    return found


Ends = tuple[Symbol, ...] | str
"""How a quantity is written: the symbol of its one cell, or those of its first and its last; a name without symbols."""


def ends(exercise: Exercise, name: str) -> Ends:
    """The symbols of a quantity as the exercise writes them; its name where an earlier release had it."""
    keys = structure_of(exercise.model).keys.get(name)
    if keys is None:
        return name
    return tuple(symbol(str(keys.flat[at]), exercise.model, exercise.notation) for at in sorted({0, keys.size - 1}))


def shown_at(one: ClassMistake, exercises: Mapping[str, Exercise]) -> list[tuple[Ends, int]]:
    """Where a mistake was made and in how many answers, the most first; what is written alike is one place."""
    found: Counter[Ends] = Counter()
    for (slug, name), answers in one.at.items():
        found[ends(exercises[slug], name)] += answers
    return found.most_common()


def mistake_row(one: ClassMistake) -> dict[str, str | float | None]:
    """What a program is told of a mistake, beside where it was made."""
    values = (one.code, one.title, len(one.made), len(one.could), round(one.share, 4), one.overcome)
    return dict(zip(_MISTAKE_COLUMNS, values, strict=True))


def effort_row(one: Effort) -> dict[str, str | float]:
    """What a program is told of what an exercise took."""
    return {**asdict(one), "minutes": round(one.minutes, 1)}


def step_row(one: StepShare) -> dict[str, str | float | None]:
    """What a program is told of a step."""
    found = one.discrimination
    shares = (round(count / one.judged, 4) for count in (one.first, one.last))
    values = (one.exercise, one.quantity, one.judged, *shares, None if found is None else round(found, 4))
    return dict(zip(_STEP_COLUMNS, values, strict=True))


@courses.errorhandler(CourseTitleError)
def bad_title(_error: CourseTitleError) -> ResponseReturnValue:
    """A course needs a title."""
    typed, seen = request.form.get("title", ""), request.view_args or {}
    if "token" in seen:
        return course_page(teaching(seen["token"]), gettext(_NO_TITLE), title=typed), 422
    return courses_page(member(), title=typed, problems={"title": gettext(_NO_TITLE)}), 422


@courses.errorhandler(NoSuchCourseError)
def no_such_course(_error: NoSuchCourseError) -> ResponseReturnValue:
    """No course has the code that was typed."""
    typed = request.form.get("code", "")
    return courses_page(member(), code=typed, problems={"code": gettext(_NO_CODE)}), 422


@courses.errorhandler(LastInstructorError)
def last_instructor(_error: LastInstructorError) -> ResponseReturnValue:
    """The only instructor stays."""
    return course_page(take_seat((request.view_args or {})["token"]), gettext(_LAST)), 409


@courses.errorhandler(CSRFError)
def expired(_error: CSRFError) -> ResponseReturnValue:
    """The form's token is missing, or of an earlier session: the page again, with what was typed."""
    token, problem = (request.view_args or {}).get("token"), gettext(_RENEWED)
    if token:
        return course_page(take_seat(token), problem), 400
    title, code = request.form.get("title", ""), request.form.get("code", "")
    return courses_page(member(), title=title, code=code, problems={"": problem}), 400
