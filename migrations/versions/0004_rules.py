"""The rules of a problem set, what is different for one student, decisions, regrades, and who changed what."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


# Added and dropped as they are: SQLite would copy a table in a batch, and lose its checks.
def _columns():
    return {
        "problem_set": (
            sa.Column("late", sa.Text(), server_default="[]", nullable=False),
            sa.Column("time_limit", sa.BigInteger(), nullable=True),
            sa.Column("fresh_after", sa.BigInteger(), nullable=True),
            sa.Column("feedback", sa.String(16), server_default="at once", nullable=False),
            sa.Column("hint_price", sa.Double(), server_default="0", nullable=True),
            sa.Column("follow_credit", sa.Double(), server_default="1", nullable=False),
            sa.Column("password", sa.Text(), nullable=True),
            sa.Column("networks", sa.Text(), nullable=True),
            sa.Column("best_of", sa.Text(), server_default="{}", nullable=False),
            sa.Column("seed", sa.String(32), nullable=True),
        ),
        "set_item": (sa.Column("zone", sa.Text(), nullable=True),),
        "assignment": (
            sa.Column("due_at", sa.BigInteger(), nullable=True),
            sa.Column("started_at", sa.BigInteger(), nullable=True),
            sa.Column("extra_time", sa.Double(), server_default="0", nullable=False),
            sa.Column("preview", sa.Boolean(), server_default=sa.false(), nullable=False),
        ),
        "course_member": (
            sa.Column("name", sa.Text(), server_default="", nullable=False),
            sa.Column("section", sa.Text(), server_default="", nullable=False),
            sa.Column("external_id", sa.Text(), server_default="", nullable=False),
            sa.Column("extra_time", sa.Double(), server_default="0", nullable=False),
        ),
        "course_set": (sa.Column("published_at", sa.BigInteger(), nullable=True),),
        "submission": (sa.Column("credit", sa.Double(), server_default="0", nullable=False),),
    }


def upgrade():
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.execute("UPDATE course_set SET published_at = created_at")
    op.execute("UPDATE submission SET credit = points / out_of")
    _new_tables()


def _new_tables():
    op.create_table(
        "course_exercise",
        sa.Column("id", KEY, nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_course_exercise"),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name="fk_course_exercise_course_id_course", ondelete="RESTRICT"
        ),
        sa.UniqueConstraint("course_id", "slug", name="uq_course_exercise_course_id_slug"),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", KEY, nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("learner_id", sa.BigInteger(), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name="fk_audit_entry_course_id_course", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learner.id"], name="fk_audit_entry_learner_id_learner", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_audit_entry_course_id", "audit_entry", ["course_id"])
    op.create_index("ix_audit_entry_learner_id", "audit_entry", ["learner_id"])
    op.create_table(
        "adjustment",
        sa.Column("id", KEY, nullable=False),
        sa.Column("learner_id", sa.BigInteger(), nullable=False),
        sa.Column("set_item_id", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.Double(), nullable=True),
        sa.Column("excused", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_adjustment"),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learner.id"], name="fk_adjustment_learner_id_learner", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["set_item_id"], ["set_item.id"], name="fk_adjustment_set_item_id_set_item", ondelete="RESTRICT"
        ),
        sa.CheckConstraint("points >= 0", name=op.f("ck_adjustment_points_from_0")),
    )
    op.create_index("ix_adjustment_learner_id_set_item_id", "adjustment", ["learner_id", "set_item_id"])
    op.create_table(
        "regrade",
        sa.Column("id", KEY, nullable=False),
        sa.Column("submission_id", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.Double(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_regrade"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name="fk_regrade_submission_id_submission", ondelete="RESTRICT"
        ),
        sa.CheckConstraint("credit >= 0 AND credit <= 1", name=op.f("ck_regrade_credit_in_range")),
    )
    op.create_index("ix_regrade_submission_id", "regrade", ["submission_id"])


def downgrade():
    for name in ("regrade", "adjustment", "audit_entry", "course_exercise"):
        op.drop_table(name)
    # What is only tried out would else become somebody's duty.
    op.execute("DELETE FROM assignment WHERE preview")
    # What is not published would be: the tables before know no drafts, and a later upgrade takes all for published.
    op.execute("DELETE FROM course_set WHERE published_at IS NULL")
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
