"""The command line. What a command needs is imported when it runs, so that help comes at once."""

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

import click
from click.core import ParameterSource

from quizprop import __version__
from quizprop.exercise.names import NOTATIONS

__all__ = ["main"]

_LARGEST_SEED = 2**63 - 1  # what JSON readers of all languages hold in an integer
_TO_TIDY_UP = 10.0  # seconds
_NOTATIONS = [name for name, _ in NOTATIONS]

_FOR_PEOPLE = {
    "quizprop.exercise.bank.BankError",
    "quizprop.exercise.generate.CannotCertifyError",
    "quizprop.exercise.record.RecordError",
    "quizprop.exercise.set_file.SetFileError",
    "quizprop.store.database.DatabaseBusyError",
    "quizprop.store.database.DatabaseUrlError",
    "quizprop.store.database.MissingDriverError",
    "quizprop.store.people.PasswordError",
    "quizprop.store.people.UnknownUserError",
    "quizprop.store.people.UsernameError",
    "quizprop.store.schema.BackupError",
    "quizprop.store.schema.SchemaError",
    "quizprop.store.rules.PolicyError",
    "quizprop.store.sets.UnknownSetError",
    "quizprop.web.settings.SettingsError",
    "quizprop.web.typeset.NoTypstError",
}
"""Errors whose message is written for whoever typed the command; by name, so that nothing is imported for them."""


class _Ordered(click.Group):
    """A group that lists its commands in the order of this file."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)


class _Program(_Ordered):
    """What went wrong is said in words; a traceback is for what should not happen."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what a command returns
        try:
            with _tidied_up():
                return super().invoke(ctx)
        except Exception as error:
            message = _words(error)
            if message is None:
                raise
            raise click.ClickException(message) from error


@contextmanager
def _tidied_up() -> Iterator[None]:
    """Let a command that is told to end take its unfinished files away: by itself a signal ends it where it stands."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
        before = {number: signal.SIG_DFL for number in numbers if signal.getsignal(number) is signal.SIG_DFL}
    for number in before:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, _frame: object) -> NoReturn:
    status = 128 + number  # as a shell tells of it
    # What is at work may wait for what never comes, a pool that starts its processes say: it ends all the same.
    last = threading.Timer(_TO_TIDY_UP, os._exit, [status])
    last.daemon = True
    last.start()
    sys.exit(status)


def _words(error: Exception) -> str | None:
    """What to tell the person; None for what click knows how to handle, and for mistakes of the program."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    if not names.isdisjoint(_FOR_PEOPLE):
        return str(error)
    if "sqlalchemy.exc.DBAPIError" in names:  # no such server, not a database, a full disk
        return f"The database says: {getattr(error, 'orig', error)}".strip()
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        said = error.strerror or str(error)
        return f"{error.filename}: {said}" if error.filename and error.strerror else said
    return None


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Backpropagation worked by hand: certified exercises, graded step by step."""
    if sys.stdout is None and ctx.invoked_subcommand != "serve":
        raise click.ClickException("Standard output is closed. If nothing that is written there is wanted: > /dev/null")
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # an old terminal without a δ shows ? and goes on
            stream.reconfigure(errors="replace")


def _site(_ctx: click.Context, _param: click.Parameter, typed: str | None) -> str | None:
    """The address of a website, as it was typed."""
    if typed is not None and not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", typed, re.IGNORECASE):
        raise click.BadParameter(f"{typed!r} is not the address of a site; write it as in https://backprop.example.org")
    return typed


_seed_option = click.option(
    "--seed",
    type=click.IntRange(0, _LARGEST_SEED),
    default=0,
    show_default=True,
    help="Which instances: the same seed gives the same ones.",
)


_notation_option = click.option(
    "--notation", type=click.Choice(_NOTATIONS), help="How to name things; by default the exercise's way."
)


@main.command()
@click.argument("exercise")
@click.option("-n", "--count", type=click.IntRange(min=1), default=1, show_default=True, help="How many instances.")
@_seed_option
@click.option(
    "-o", "--output", metavar="FILE", default="-", help="Replaces FILE once all is written; by default standard output."
)
@click.option("-j", "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that work.")
@click.option(
    "--shard", metavar="I/K", default="1/1", help="The I-th of K parts; one after the other they are the whole."
)
@click.option("--resume", is_flag=True, help="Go on where an interrupted run with --resume stopped.")
@click.option("--long", is_flag=True, help="A CSV with a line for each number, not for each instance.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler whose workers do it: tcp://host:8786.")
def generate(*, shard: str, **asked: Any) -> None:  # noqa: ANN401 - the options above
    """Write certified instances as JSON Lines.

    EXERCISE is a name from the problem bank or a .toml file. Each line holds the numbers, and for each cell its answer
    and how far an accepted answer may be from it. The same exercise, seed and version give the same bytes, however
    many processes or machines work. A FILE .csv or .parquet is a table; .gz or .zst after .jsonl or .csv packs it.
    """
    from quizprop.cli import bulk

    part, _, parts = shard.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise click.BadParameter("write the part and the number of parts, as in 2/5", param_hint="--shard")
    bulk.generate(shard=(int(part), int(parts)), **asked)


@main.command()
@click.argument("exercise")
@click.option("-n", "--count", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many sheets.")
@_seed_option
@click.option("-o", "--output", metavar="FILE", required=True, help="The sheets: FILE.pdf, or FILE.html to print.")
@click.option("--key", metavar="FILE", help="Their key with the full worked solution: FILE.pdf or FILE.html.")
@click.option("--paper", type=click.Choice(["a4", "letter"]), default="a4", show_default=True)
@click.option(
    "--url", metavar="URL", callback=_site, help="The site's address: each sheet's QR code then opens it there."
)
@_notation_option
def worksheet(
    *,
    exercise: str,
    count: int,
    seed: int,
    output: str,
    key: str | None,
    paper: str,
    url: str | None,
    notation: str | None,
) -> None:
    """Print variants of an exercise to be worked on paper.

    EXERCISE is a name from the problem bank or a .toml file. Each sheet has a code, by which its key is found, and by
    which the site opens the same variant. PDF needs the extra pdf, HTML nothing.
    """
    from quizprop.cli import paper as printing

    printing.worksheet(
        exercise, count=count, seed=seed, output=output, key=key, paper=paper, url=url, notation=notation
    )


@main.command()
@click.argument("exercise")
@click.option(
    "--format",
    "form",
    type=click.Choice(["moodle", "qti12", "qti21", "qti3", "gift"]),
    default="moodle",
    show_default=True,
)
@click.option("-n", "--count", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many variants.")
@_seed_option
@click.option("-o", "--output", metavar="FILE", default="-", help="By default standard output.")
@_notation_option
def export(*, exercise: str, form: str, count: int, seed: int, output: str, notation: str | None) -> None:
    """Write a question bank for a learning platform.

    EXERCISE is a name from the problem bank or a .toml file. moodle is Moodle XML; qti12 a package as Canvas' classic
    quizzes read it, qti21 one of QTI 2.1 and qti3 one of QTI 3.0; gift is plain text. Values have their tolerance, and
    known mistakes are named where they stand alone; what follows from a slip only quizprop itself follows.
    """
    from quizprop.cli import paper as printing

    printing.export(exercise, form=form, count=count, seed=seed, output=output, notation=notation)


@main.command()
@click.argument("exercise", required=False)
@_seed_option
@click.option("--line", "place", metavar="FILE:N", help="Line N, from 1, of a file that generate wrote.")
@_notation_option
@click.option("--from", "start", metavar="KEY", help="Leave out what comes before a step, W2_new[1,2] say.")
@click.option("--digits", type=click.IntRange(1, 15), default=9, show_default=True, help="Decimals to show.")
def solve(
    *, exercise: str | None, seed: int, place: str | None, notation: str | None, start: str | None, digits: int
) -> None:
    """Print the worked solution.

    A line for each step: symbol = formula = numbers = value. EXERCISE is a name from the problem bank or a .toml file.
    """
    from quizprop.cli import exercises

    if (exercise is None) == (place is None):
        raise click.UsageError("Name an exercise, as in: quizprop solve mazur, or a line of a file: --line FILE:N.")
    if place is not None and click.get_current_context().get_parameter_source("seed") is not ParameterSource.DEFAULT:
        raise click.UsageError(
            "A line of a file has its numbers: leave --seed out, or name an exercise in place of --line."
        )
    exercises.solve(exercise, seed=seed, place=place, notation=notation, start=start, digits=digits)


@main.command()
@click.argument("exercise")
@click.argument("key")
@_seed_option
@_notation_option
def hint(*, exercise: str, key: str, seed: int, notation: str | None) -> None:
    """Print the hints for one value.

    The idea, the formula, and the formula with what is given; what is asked stays a symbol. EXERCISE is a name from the
    problem bank or a .toml file, KEY a value that it asks for, as in: quizprop hint mazur "z1[1]".
    """
    from quizprop.cli import exercises

    exercises.hint(exercise, key, seed=seed, notation=notation)


@main.command()
@click.argument("sheets", metavar="EXERCISES", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("answers", type=click.File("rb"))
@click.option("--decimal-comma", is_flag=True, help="Read 0,3775 as a number.")
def grade(*, sheets: Path, answers: IO[bytes], decimal_comma: bool) -> None:
    """Grade answers and write the marks.

    EXERCISES is a file .jsonl that generate wrote. ANSWERS has a line for each sheet, as in

    \b
    {"index": 0, "answers": {"z1[1]": "0.3775", "a1[1]": 0.5933}}

    and - reads such lines from standard input. A file .csv is a table with a column index and a column for each cell.
    An answer is a number, or text as a student types it. What else a line holds, a name say, is handed through to its
    marks. Lines that can't be graded are reported on standard error and the rest goes on.

    Exit status: 0 if every line was graded, 1 if not, 2 for a wrong command.
    """  # noqa: D301 - click reads the control character
    from quizprop.cli import exercises

    if not exercises.grade(sheets, answers, decimal_comma=decimal_comma):
        sys.exit(1)


@main.group(cls=_Ordered)
def bank() -> None:
    """The problem bank: list, show, check, gallery."""


@bank.command("list")
def list_bank() -> None:
    """List the exercises."""
    from quizprop.cli import families

    families.list_all()


@bank.command("show")
@click.argument("exercise")
def show_exercise(exercise: str) -> None:
    """Show one exercise.

    Its conventions, its numbers, what is asked, and the mistakes that the numbers are certified to show. EXERCISE is a
    name from the problem bank or a .toml file.
    """
    from quizprop.cli import families

    families.show(exercise)


@bank.command("check")
@click.argument("exercises", nargs=-1)
@click.option(
    "-n", "--candidates", type=click.IntRange(min=1), default=2000, show_default=True, help="How many to draw."
)
@click.option("--json", "as_json", is_flag=True, help="JSON Lines in place of a table.")
def check_bank(*, exercises: tuple[str, ...], candidates: int, as_json: bool) -> None:
    """Tell how many instances can be certified.

    Draws from each of EXERCISES, or from the whole bank, and names the rules that reject most of the others.

    Exit status 1 if some family can't be certified at all.
    """
    from quizprop.cli import families

    families.check(exercises, candidates=candidates, as_json=as_json)


@bank.command("gallery")
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write index.html and the pictures.",
)
def write_gallery(folder: Path) -> None:
    """Write a solved sample of every family as a page with pictures."""
    from quizprop.cli import gallery

    gallery.write(folder)


_database_option = click.option(
    "--database",
    "url",
    metavar="URL",
    help="In place of QUIZPROP_DATABASE_URL, or of the SQLite file that is there by default.",
)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port to listen on.")
def serve(*, host: str, port: int) -> None:
    """Serve the website until Ctrl-C.

    The database is created or brought up to date first. Settings are environment variables: QUIZPROP_DATABASE_URL,
    QUIZPROP_SECRET_KEY, QUIZPROP_HTTPS, QUIZPROP_HOSTS, QUIZPROP_PROXIES, QUIZPROP_PROBLEM_BANK, QUIZPROP_LOG,
    QUIZPROP_METRICS.
    """
    from quizprop.cli import server

    server.serve(host, port)


@main.command()
@click.option(
    "--database", "url", metavar="URL", help="In place of QUIZPROP_DATABASE_URL, or of what is there by default."
)
def doctor(url: str | None) -> None:
    """Look a deployment over, and say what to do.

    Settings, database, tables, journal, disk, permissions, clock. Exit status: 0 if nothing is wrong, else 1.
    """
    from quizprop.cli import checkup

    if not checkup.doctor(url):
        sys.exit(1)


@main.command()
@click.option(
    "--students", type=click.IntRange(1, 999), default=120, show_default=True, help="How many simulated students."
)
@_seed_option
@_database_option
def demo(*, students: int, seed: int, url: str | None) -> None:
    """Make a course with simulated students over a term.

    To see every page of a course full. The students work with habits from the library of mistakes, and their sheets are
    graded like any other. All accounts of the demo begin with demo- and share a new password, which is printed.
    """
    from quizprop.cli import demo_course

    demo_course.demo(url, students=students, seed=seed)


@main.group(cls=_Ordered)
def db() -> None:
    """The database: upgrade, check, backup, restore."""


@db.command("upgrade")
@_database_option
def upgrade_database(url: str | None) -> None:
    """Create the tables, or bring them up to date."""
    from quizprop.cli import database

    database.upgrade(url)


@db.command("check")
@_database_option
def check_database(url: str | None) -> None:
    """Compare the tables with what this release wants. Exit status 1 if they differ."""
    from quizprop.cli import database

    database.check(url)


@db.command("backup")
@click.argument("path", type=click.Path(path_type=Path))
@_database_option
def backup_database(path: Path, url: str | None) -> None:
    """Copy an SQLite database to a new file.

    PATH must not exist yet. Others may go on working with the database meanwhile.
    """
    from quizprop.cli import database

    database.backup(path, url)


@db.command("restore")
@click.argument("path", type=click.Path(path_type=Path))
@_database_option
def restore_database(path: Path, url: str | None) -> None:
    """Put a backup in the place of an SQLite database.

    Stop the server before. The database that was there is kept under another name.
    """
    from quizprop.cli import database

    database.restore(path, url)


@main.group(cls=_Ordered)
def user() -> None:
    """Accounts: list, add, set-password, reset-link, delete."""


_stdin_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it."
)


@user.command("list")
@_database_option
def list_users(url: str | None) -> None:
    """List the accounts, with the day on which each was made."""
    from quizprop.cli import users

    users.list_all(url)


@user.command("add")
@click.argument("name")
@_stdin_option
@_database_option
def add_user(*, name: str, password_stdin: bool, url: str | None) -> None:
    """Make an account called NAME."""
    from quizprop.cli import users

    users.add(name, password_stdin=password_stdin, url=url)


@user.command("set-password")
@click.argument("name")
@_stdin_option
@_database_option
def set_user_password(*, name: str, password_stdin: bool, url: str | None) -> None:
    """Give the account NAME another password.

    All its sessions end. So that nobody but its owner knows the password, hand over a link: quizprop user reset-link.
    """
    from quizprop.cli import users

    users.set_password(name, password_stdin=password_stdin, url=url)


@user.command("reset-link")
@click.argument("name")
@click.option(
    "--base",
    metavar="URL",
    default="http://127.0.0.1:8000",
    show_default=True,
    callback=_site,
    help="Where visitors find the website.",
)
@click.option(
    "--hours",
    type=click.FloatRange(0, 24 * 366, min_open=True),
    default=24,
    show_default=True,
    help="How long the link works.",
)
@_database_option
def make_reset_link(*, name: str, base: str, hours: float, url: str | None) -> None:
    """Print a link by which NAME sets a new password.

    It works once. Links made before stop working. Only the link goes to standard output.
    """
    from quizprop.cli import users

    users.reset_link(name, base=base, hours=hours, url=url)


@user.command("delete")
@click.argument("name")
@click.option("--yes", "sure", is_flag=True, help="Don't ask.")
@_database_option
def delete_user(*, name: str, sure: bool, url: str | None) -> None:
    """Delete the account NAME with all its work. This can't be undone."""
    from quizprop.cli import users

    users.delete(name, sure=sure, url=url)


_to_learners = click.argument("names", metavar="NAME...", nargs=-1, required=True)


@main.group(cls=_Ordered)
def sets() -> None:
    """Problem sets: create, assign, list, due, results."""


@sets.command("create")
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--assign", "names", metavar="NAME", multiple=True, help="To whom; once for each account.")
@_database_option
def create_set(path: Path, *, names: tuple[str, ...], url: str | None) -> None:
    """Make a problem set of a file.

    FILE holds a title, words, opens and due (with an offset, or with a zone), attempts, and the items, as in

    \b
    title = "Homework 3"
    zone = "Europe/Madrid"
    due = "2026-10-08 23:59"
    attempts = 3
    [[item]]
    exercise = "mazur"
    points = 2
    """  # noqa: D301 - click reads the control character
    from quizprop.cli import problem_sets

    problem_sets.create(path, names, url)


@sets.command("assign")
@click.argument("problem_set", metavar="SET")
@_to_learners
@_database_option
def assign_set(problem_set: str, names: tuple[str, ...], url: str | None) -> None:
    """Give SET, by its short name or its title, to accounts."""
    from quizprop.cli import problem_sets

    problem_sets.assign(problem_set, names, url)


@sets.command("list")
@_database_option
def list_sets(url: str | None) -> None:
    """List the problem sets, the newest first."""
    from quizprop.cli import problem_sets

    problem_sets.list_all(url)


@sets.command("due")
@click.argument("problem_set", metavar="SET")
@click.argument("when")
@click.option("--zone", metavar="NAME", help="Whose clocks WHEN is by, Europe/Madrid say.")
@_database_option
def move_due(problem_set: str, when: str, *, zone: str | None, url: str | None) -> None:
    """Give SET another due date, or none.

    WHEN is a date and a time, 2026-10-09T23:59+02:00 say; or the word none.
    """
    from quizprop.cli import problem_sets

    problem_sets.move_due(problem_set, when, zone, url)


@sets.command("results")
@click.argument("problem_set", metavar="SET")
@_database_option
def show_results(problem_set: str, url: str | None) -> None:
    """Show how far everybody is with SET."""
    from quizprop.cli import problem_sets

    problem_sets.results(problem_set, url)


@main.group(cls=_Ordered)
def courses() -> None:
    """Courses: list, teach."""


@courses.command("list")
@_database_option
def list_courses(url: str | None) -> None:
    """List the courses, the newest first, with who teaches them."""
    from quizprop.cli import teaching

    teaching.list_all(url)


@courses.command("teach")
@click.argument("course")
@click.argument("name")
@_database_option
def teach_course(course: str, name: str, url: str | None) -> None:
    """Make the account NAME an instructor of COURSE.

    COURSE is its short name or its title. For a course whose instructor is gone; whoever teaches one appoints others
    on its page.
    """
    from quizprop.cli import teaching

    teaching.teach(course, name, url)
