"""Migrations keep every row: each released revision filled, brought up, down and up again, compared by checksums."""

import hashlib
from itertools import count

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, Double, Integer, MetaData, String, select, text

from quizprop.store import schema
from quizprop.store.database import open_database

REVISIONS = sorted(one.revision for one in ScriptDirectory.from_config(schema._config()).walk_revisions())
ROWS = 3
RULED = {
    ("submission", "out_of"): 1000,
    ("submission", "points"): 7.25,
    ("course_member", "role"): "grader",
    ("regrade", "credit"): 0.75,
    # What is only tried out, and what is not published, is taken away by a downgrade, as it says.
    ("assignment", "preview"): False,
    ("course_set", "published_at"): 1_700_000_000_000_000,
}
"""Columns with a rule of their own."""


def to_revision(database, revision):
    schema._migrate(database, lambda config: command.upgrade(config, revision))


def tables_of(database):
    found = MetaData()
    with database.read() as session:
        found.reflect(session)
    return [each for each in found.sorted_tables if each.name != "alembic_version"]


def fill(database):
    """Rows for every table, of values that differ in each cell where the column lets them; every second has gaps."""
    numbers = count(1_700_000_000_000_001)
    with database.write() as session:
        for table in tables_of(database):
            for row in range(1, ROWS + 1):
                values = {one.name: value(table, one, row, next(numbers)) for one in table.columns}
                session.execute(table.insert().values(values))


def value(table, column, row, number):  # noqa: PLR0911 - one for each kind
    if (table.name, column.name) in RULED:
        return RULED[table.name, column.name]
    if column.primary_key and isinstance(column.type, Integer):
        return row
    if column.nullable and row == 2:
        return None
    if column.foreign_keys:
        return row
    match column.type:
        case Boolean():
            return row != 3
        case Double():
            return number / 7
        case Integer():
            return number
        case String():
            return f"{table.name}.{column.name} {row} 'é' ∂ \N{DUCK} \\ %s"[: column.type.length or 999]
    raise AssertionError(f"no value for {table.name}.{column.name}: {column.type!r}")


def checksums(database, columns):
    """Of each table, its number of rows and a digest of them, in the order of the key; of these columns alone."""
    sums = {}
    with database.read() as session:
        for table in tables_of(database):
            if table.name in columns:
                wanted = [table.columns[name] for name in columns[table.name]]
                rows = session.execute(select(*wanted).order_by(*table.primary_key.columns)).all()
                content = "\n".join(repr([normal(cell) for cell in row]) for row in rows)
                sums[table.name] = (len(rows), hashlib.sha256(content.encode()).hexdigest())
    return sums


def normal(cell):
    """A truth value is a number to SQLite, and may be to a later revision."""
    return int(cell) if isinstance(cell, bool) else cell


def columns_of(database):
    return {table.name: sorted(table.columns.keys()) for table in tables_of(database)}


def whole(database):
    """Whether no row points to one that is not there, where the database can be asked."""
    if not database.is_sqlite:
        return True  # PostgreSQL holds to it by itself
    with database.read() as session:
        broken = session.exec_driver_sql("PRAGMA foreign_key_check").all()
        return broken == [] and session.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_row_of_a_released_revision_is_kept(url, revision):
    database = open_database(url)
    to_revision(database, revision)
    fill(database)
    columns = columns_of(database)
    before = checksums(database, columns)
    assert {rows for rows, _ in before.values()} == {ROWS}
    for step in (schema.upgrade, lambda one: schema.downgrade(one, revision), schema.upgrade):
        step(database)
        assert checksums(database, columns) == before
        assert whole(database)
    assert schema.check(database) == []
    database.close()


def test_no_draft_is_published_by_way_of_an_earlier_revision(url):
    database = open_database(url)
    schema.upgrade(database)
    fill(database)
    with database.write() as session:
        session.execute(text("UPDATE course_set SET published_at = NULL WHERE id = 2"))
    for step in (lambda one: schema.downgrade(one, "0003"), schema.upgrade):
        step(database)
    with database.read() as session:
        kept = session.execute(text("SELECT id FROM course_set WHERE published_at IS NOT NULL ORDER BY id"))
        assert kept.scalars().all() == [1, 3]
        assert session.execute(text("SELECT count(*) FROM course_set")).scalar_one() == 2
    database.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE variant SET seed = 'a' WHERE id = 2",
        "UPDATE submission SET points = points + 1e-9 WHERE id = 1",
        "DELETE FROM submission WHERE id = 3",
        "UPDATE learner SET language = 'de' WHERE id = 2",
    ],
)
def test_a_row_that_is_not_as_it_was_is_noticed(url, damage):
    """The control of the test above."""
    database = open_database(url)
    to_revision(database, "0002")
    fill(database)
    columns = columns_of(database)
    before = checksums(database, columns)
    with database.write() as session:
        session.execute(text(damage))
    assert checksums(database, columns) != before
    database.close()
