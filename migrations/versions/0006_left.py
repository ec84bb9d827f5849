"""Whoever is taken out of a course works its problem sets no more."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("assignment", sa.Column("left_at", sa.BigInteger(), nullable=True))


def downgrade():
    op.drop_column("assignment", "left_at")
