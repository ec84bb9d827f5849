"""Whoever is taken out of a course works its problem sets no more; on SQLite too nobody has a number anew."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PEOPLE = ("learner", "account", "course_member")


def upgrade():
    op.add_column("assignment", sa.Column("left_at", sa.BigInteger(), nullable=True))
    _made_again(sqlite_autoincrement=True)


def downgrade():
    _made_again()
    op.drop_column("assignment", "left_at")


def _made_again(**options):
    # SQLite gives the last number out again when its row is gone, and an open page or the record would mean another.
    if op.get_bind().dialect.name == "sqlite":
        for name in PEOPLE:
            with op.batch_alter_table(name, recreate="always", table_kwargs=options):
                pass
