"""Problem sets on the command line: made of a file, given to accounts, looked at."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from quizprop.cli import finding
from quizprop.cli.database import up_to_date
from quizprop.cli.layout import counted, print_table
from quizprop.exercise.set_file import SetFile, load_set, read_moment
from quizprop.store import people, sets
from quizprop.store.database import Session
from quizprop.store.rules import Policy
from quizprop.store.sets import NewItem, Result

__all__ = ["assign", "create", "list_all", "move_due", "results"]


def create(path: Path, names: Iterable[str], url: str | None) -> None:
    """Make a problem set of a file, and give it to these accounts."""
    bank = finding.bank()
    said = load_set(path, bank)
    items = [NewItem(one.exercise, bank[one.exercise].model_dump_json(), one.points, one.group) for one in said.items]
    with up_to_date(url) as database, database.write() as session:
        learners = _learners(session, names)
        made = sets.create_set(
            session,
            title=said.title,
            words=said.words,
            opens_at=said.opens,
            due_at=said.due,
            attempts=said.attempts,
            items=items,
            policy=_policy(said),
            same_numbers=said.same_numbers,
            now=_now(),
        )
        sets.assign(session, made, learners, now=_now())
    click.echo(f"Made {made.token}: {made.title}, {counted(len(items), 'item')}, due {_written(made.due_at)}.")
    click.echo(f"Assigned to {counted(len(learners), 'account')}.")


def assign(name: str, names: Iterable[str], url: str | None) -> None:
    """Give a problem set to accounts."""
    with up_to_date(url) as database, database.write() as session:
        found = sets.find_set(session, name)
        fresh = sets.assign(session, found, _learners(session, names), now=_now())
    click.echo(f"{found.title}: assigned to {counted(fresh, 'more account')}.")


def list_all(url: str | None) -> None:
    """List the problem sets."""
    with up_to_date(url) as database, database.read() as session:
        known = sets.all_sets(session)
    rows = [
        (one.token, one.title, _written(one.opens_at), _written(one.due_at), str(one.attempts or "any number"))
        for one in known
    ]
    print_table(rows, headings=("set", "title", "opens", "due", "attempts"), right=("attempts",))


def move_due(name: str, when: str, zone: str | None, url: str | None) -> None:
    """Give a problem set another due date."""
    try:
        due = None if when == "none" else read_moment(when, zone)
        with up_to_date(url) as database, database.write() as session:
            found = sets.find_set(session, name)
            sets.move_due(session, found, due)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{found.title} is due {_written(due)}.")


def results(name: str, url: str | None) -> None:
    """Show how far everybody is with a problem set."""
    with up_to_date(url) as database, database.read() as session:
        found = sets.results(session, sets.find_set(session, name), now=_now())
    print_table(
        map(_row, found), headings=("account", "items over", "points", "of"), right=("items over", "points", "of")
    )


def _row(one: Result) -> tuple[str, ...]:
    items = one.work.items
    over = f"{sum(item.over for item in items)}/{len(items)}"
    return one.username or "(no account)", over, f"{one.work.score:.6g}", f"{one.work.out_of:.6g}"


def _policy(said: SetFile) -> Policy:
    """The rules of a file, beside its dates and attempts."""
    hour, minute = 3_600_000_000, 60_000_000
    return Policy(
        late=tuple((round(rung.hours * hour), rung.share) for rung in said.late),
        time_limit=None if said.time_limit is None else said.time_limit * minute,
        fresh_after=said.fresh_after,
        feedback=said.feedback,
        hint_price=said.hint_price if said.hints else None,
        follow_credit=said.follow_credit,
        password=said.password,
        networks=said.networks,
        best_of=said.best_of,
    )


def _learners(session: Session, names: Iterable[str]) -> list[int]:
    """The learners of these accounts; all names that are nobody's are told at once."""
    found = {name: people.find_credentials(session, name) for name in names}
    unknown = [name for name, account in found.items() if account is None]
    if unknown:
        raise click.ClickException(
            f"No account is named {', '.join(map(repr, unknown))}. Add one: quizprop user add NAME"
        )
    return [account.learner_id for account in found.values() if account is not None]


def _written(moment: int | None) -> str:
    return "any time" if moment is None else f"{datetime.fromtimestamp(moment // 1_000_000, UTC):%Y-%m-%d %H:%M} UTC"


def _now() -> int:
    return time.time_ns() // 1000
