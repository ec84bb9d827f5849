"""A class list from a CSV file: read, compared with who is in the course, and applied row by row."""

import csv
import io
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import exists, select

from quizprop.engine.words import phrase
from quizprop.store import classroom, decisions, people, resets
from quizprop.store.classroom import Member, Seat
from quizprop.store.database import Session
from quizprop.store.models import Account, CourseMember, LoginSession, ResetLink, table
from quizprop.store.people import PasswordHash, UsernameError, fold

__all__ = ["COLUMNS", "Outcome", "RosterError", "Row", "apply_roster", "check_roster", "read_roster", "sealed"]

Step = Literal["new account", "joins", "changed", "as it was", "refused"]

COLUMNS: Final = ("username", "name", "section", "id")
"""The columns that a roster may have; ``username`` it must."""

_ALIASES: Final[Mapping[str, str]] = {
    "username": "username",
    "user name": "username",
    "login": "username",
    "sis login id": "username",
    "email address": "username",
    "email": "username",
    "e-mail": "username",
    "name": "name",
    "full name": "name",
    "student": "name",
    "first name": "first",
    "firstname": "first",
    "given name": "first",
    "last name": "last",
    "lastname": "last",
    "surname": "last",
    "family name": "last",
    "section": "section",
    "group": "section",
    "groups": "section",
    "student id": "id",
    "sis user id": "id",
    "id number": "id",
    "id": "id",
}
"""What a column may be called. Where several mean the same, the first of these counts: Canvas has ids of its own."""

_MOST: Final = 2000
_LONGEST: Final = 200
_LINK_LASTS: Final = 28 * resets.DAY

_account, _member, _link, _login = table(Account), table(CourseMember), table(ResetLink), table(LoginSession)


class RosterError(ValueError):
    """The file is no roster; the message says what it lacks."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the file; ``problem`` says why it can't be used."""

    line: int
    username: str
    name: str
    section: str
    id: str
    problem: str = ""  # a phrase, to be said in the reader's language


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a row. ``link`` is the token by which the owner of a new account sets a password.

    ``unopened`` says that a class list of the course made the account, and nobody has come in by it yet.
    """

    row: Row
    step: Step
    link: str | None = None
    unopened: bool = False


def read_roster(text: str) -> tuple[Row, ...]:
    """The rows of a CSV file with a line of headings, ``username`` among them; commas, semicolons or tabs between.

    Raises:
        RosterError: no heading names the user names, a heading comes twice, or there are more than 2000 rows.
    """
    text = text.removeprefix("\ufeff").replace("\0", "")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        raise RosterError(phrase("Line {line}: {problem}", line=reader.line_num, problem=str(error))) from error
    if rows and rows[0][1][0].casefold() == "sep=":  # so Excel is told what stands between the cells
        del rows[0]
    if not rows:
        raise RosterError(
            phrase("The file is empty: its first line names the columns, such as username,name,section,id")
        )
    heads = _heads([head.casefold() for head in rows[0][1]])
    if "username" not in heads:
        raise RosterError(
            phrase("No column is called username: the first line names the columns, username,name,section,id")
        )
    if len(rows) > _MOST + 1:
        raise RosterError(phrase("These are more than {most} rows: send them in parts", most=_MOST))
    return tuple(_rows(heads, rows[1:]))


def _heads(called: list[str]) -> list[str]:
    """What each column holds, nothing where that is not known or another column counts."""
    first: dict[str, str] = {}
    for alias, column in _ALIASES.items():
        if alias in called:
            first.setdefault(column, alias)
    for alias in first.values():
        if called.count(alias) > 1:
            raise RosterError(phrase("Two columns are called {name}: take one of them out", name=alias))
    return [_ALIASES[name] if name in first.values() else "" for name in called]


def _rows(heads: list[str], rows: list[tuple[int, list[str]]]) -> Iterator[Row]:
    seen: dict[str, int] = {}
    for line, cells in rows:
        named = {head: cell for head, cell in zip(heads, cells, strict=False) if head}
        values = {name: named.get(name, "") for name in COLUMNS}
        values["name"] = values["name"] or f"{named.get('first', '')} {named.get('last', '')}".strip()
        problem = ""
        try:
            values["username"] = people.read_username(values["username"])
        except UsernameError as error:
            problem = error.args[0]
        folded = fold(values["username"])
        if len(cells) > len(heads):
            problem = phrase("has {cells} cells, the headings are {headings}", cells=len(cells), headings=len(heads))
        elif any(len(value) > _LONGEST for value in values.values()):
            problem = phrase("has a cell of more than {most} characters", most=_LONGEST)
        elif folded in seen:
            problem = phrase("names {name} again, after line {line}", name=values["username"], line=seen[folded])
        seen.setdefault(folded, line)
        yield Row(line, **values, problem=problem)


def check_roster(session: Session, seat: Seat, rows: tuple[Row, ...]) -> tuple[Outcome, ...]:
    """What would become of each row; nothing is changed."""
    accounts, inside = _accounts(session, rows), {one.learner_id: one for one in classroom.members(session, seat)}
    unopened = _unopened(session, seat)
    return tuple(Outcome(row, _step(row, accounts, inside), unopened=_whose(row, accounts) in unopened) for row in rows)


def sealed() -> PasswordHash:
    """The hash of a password that nobody can know, for accounts that are opened by a link."""
    return people.hash_password(secrets.token_urlsafe(32))


def apply_roster(
    session: Session,
    seat: Seat,
    rows: tuple[Row, ...],
    *,
    password_hash: PasswordHash,
    now: int,
    new_links: bool = False,
) -> tuple[Outcome, ...]:
    """Take the students of the usable rows into the course, with new accounts where there are none.

    A new account has a password that nobody knows, `sealed`: its owner sets another by the link. With ``new_links``
    those have another one who have not come in by theirs yet. Nobody who is in the course is taken out, and whose row
    has an empty cell keeps what was there.
    """
    classroom.hold(session, seat.course)
    accounts, inside = _accounts(session, rows), {one.learner_id: one for one in classroom.members(session, seat)}
    unopened = _held_unopened(session, seat, rows, accounts) if new_links else set()
    outcomes = []
    for row in rows:
        step = _step(row, accounts, inside)
        link = None
        if step == "new account":
            accounts[fold(row.username)] = people.add_user(
                session, username=row.username, password_hash=password_hash, now=now
            )
        if step == "new account" or _whose(row, accounts) in unopened:
            link = resets.issue_reset_link(session, username=row.username, now=now, valid_for=_LINK_LASTS)
        outcomes.append(Outcome(row, step, link))
    fresh = [accounts[fold(one.row.username)] for one in outcomes if one.step in ("new account", "joins")]
    classroom.take_in(session, seat.course, fresh, now=now)
    _write_particulars(session, seat, outcomes, accounts)
    return tuple(outcomes)


def _write_particulars(session: Session, seat: Seat, outcomes: list[Outcome], accounts: Mapping[str, int]) -> None:
    students = {one.learner_id: one for one in classroom.members(session, seat)}
    for outcome in outcomes:
        if outcome.step not in ("new account", "joins", "changed"):
            continue
        row, student = outcome.row, students[accounts[fold(outcome.row.username)]]
        decisions.write_particulars(
            session,
            student,
            name=row.name or student.name,
            section=row.section or student.section,
            external_id=row.id or student.external_id,
        )


def _step(row: Row, accounts: Mapping[str, int], inside: Mapping[int, Member]) -> Step:
    if row.problem:
        return "refused"
    learner_id = accounts.get(fold(row.username))
    if learner_id is None:
        return "new account"
    member = inside.get(learner_id)
    if member is None:
        return "joins"
    told = ((row.name, member.name), (row.section, member.section), (row.id, member.external_id))
    return "changed" if any(new and new != old for new, old in told) else "as it was"


def _unopened(session: Session, seat: Seat) -> set[int]:
    """Those whose account a class list of this very course made, and who never came in.

    Who came into the course by a code, or with an account that there was before, is none of them: a link would let
    somebody else into that account.
    """
    of_account = _link.c.account_id == _account.c.id
    used = exists().where(of_account, _link.c.used_at.is_not(None))
    # A password that is set in another way ends the time of the link.
    whole = exists().where(of_account, _link.c.expires_at - _link.c.created_at == _LINK_LASTS)
    been = exists().where(_login.c.learner_id == _account.c.learner_id)
    made_here = _member.c.created_at == _account.c.created_at
    rows = session.execute(
        select(_account.c.learner_id)
        .join(_member, _member.c.learner_id == _account.c.learner_id)
        .where(_member.c.course_id == seat.course.id, made_here, whole, ~used, ~been)
    )
    return set(rows.scalars())


def _held_unopened(session: Session, seat: Seat, rows: tuple[Row, ...], accounts: Mapping[str, int]) -> set[int]:
    """The same of some rows, whose accounts nobody comes into until the transaction ends."""
    wanted = {_whose(row, accounts) for row in rows}
    held = select(_account.c.id).where(_account.c.learner_id.in_(wanted)).order_by(_account.c.id).with_for_update()
    session.execute(held).all()
    return _unopened(session, seat) & wanted


def _whose(row: Row, accounts: Mapping[str, int]) -> int | None:
    """The learner of a row that can be used, if there is an account."""
    return None if row.problem else accounts.get(fold(row.username))


def _accounts(session: Session, rows: tuple[Row, ...]) -> dict[str, int]:
    wanted = {fold(row.username) for row in rows if not row.problem}
    found = session.execute(
        select(_account.c.username_folded, _account.c.learner_id).where(_account.c.username_folded.in_(wanted))
    )
    return {row.username_folded: row.learner_id for row in found}
