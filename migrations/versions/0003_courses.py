"""The instructor's side: courses, who is in them, and their problem sets."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.create_table(
        "course",
        sa.Column("id", KEY, nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("join_code", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_course"),
        sa.UniqueConstraint("token", name="uq_course_token"),
        sa.UniqueConstraint("join_code", name="uq_course_join_code"),
    )
    op.create_table(
        "course_member",
        sa.Column("id", KEY, nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("learner_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_course_member"),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name="fk_course_member_course_id_course", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learner.id"], name="fk_course_member_learner_id_learner", ondelete="RESTRICT"
        ),
        sa.UniqueConstraint("course_id", "learner_id", name="uq_course_member_course_id_learner_id"),
        sa.CheckConstraint("role IN ('student', 'grader', 'instructor')", name=op.f("ck_course_member_role_known")),
    )
    op.create_index("ix_course_member_learner_id", "course_member", ["learner_id"])
    op.create_table(
        "course_set",
        sa.Column("id", KEY, nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("set_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_course_set"),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name="fk_course_set_course_id_course", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["set_id"], ["problem_set.id"], name="fk_course_set_set_id_problem_set", ondelete="RESTRICT"
        ),
        sa.UniqueConstraint("course_id", "set_id", name="uq_course_set_course_id_set_id"),
    )
    op.create_index("ix_course_set_set_id", "course_set", ["set_id"])


def downgrade():
    for name in ("course_set", "course_member", "course"):
        op.drop_table(name)
