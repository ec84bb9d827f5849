"""The student's side: drafts, hints, skills, slips, problem sets, reset links, limits."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    _accounts()
    _problem_sets()
    _change_old_tables()
    _practice()


def _accounts():
    with op.batch_alter_table("learner") as batch:
        batch.add_column(sa.Column("language", sa.Text(), nullable=True))
        batch.add_column(sa.Column("time_zone", sa.Text(), nullable=True))
    with op.batch_alter_table("login_session") as batch:
        batch.add_column(sa.Column("device", sa.Text(), nullable=True))
    op.create_table(
        "reset_link",
        sa.Column("id", KEY, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reset_link"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_reset_link_account_id_account", ondelete="RESTRICT"
        ),
        sa.UniqueConstraint("token_sha256", name="uq_reset_link_token_sha256"),
    )
    op.create_index("ix_reset_link_account_id", "reset_link", ["account_id"])
    op.create_table(
        "rate_limit",
        sa.Column("bucket", sa.String(64), nullable=False),
        sa.Column("free_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name="pk_rate_limit"),
    )


def _problem_sets():
    op.create_table(
        "problem_set",
        sa.Column("id", KEY, nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("opens_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_problem_set"),
        sa.UniqueConstraint("token", name="uq_problem_set_token"),
        sa.CheckConstraint("attempts >= 1", name=op.f("ck_problem_set_attempts_from_1")),
    )
    op.create_table(
        "set_item",
        sa.Column("id", KEY, nullable=False),
        sa.Column("set_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("exercise", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("points", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_set_item"),
        sa.ForeignKeyConstraint(
            ["set_id"], ["problem_set.id"], name="fk_set_item_set_id_problem_set", ondelete="RESTRICT"
        ),
        sa.UniqueConstraint("set_id", "position", name="uq_set_item_set_id_position"),
        sa.CheckConstraint("points > 0", name=op.f("ck_set_item_points_positive")),
    )
    op.create_table(
        "assignment",
        sa.Column("id", KEY, nullable=False),
        sa.Column("learner_id", sa.BigInteger(), nullable=False),
        sa.Column("set_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_assignment"),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learner.id"], name="fk_assignment_learner_id_learner", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["set_id"], ["problem_set.id"], name="fk_assignment_set_id_problem_set", ondelete="RESTRICT"
        ),
        sa.UniqueConstraint("learner_id", "set_id", name="uq_assignment_learner_id_set_id"),
    )
    op.create_index("ix_assignment_set_id", "assignment", ["set_id"])


def _change_old_tables():
    with op.batch_alter_table("variant") as batch:
        batch.add_column(sa.Column("aim", sa.Text(), nullable=True))
        batch.add_column(sa.Column("set_item_id", sa.BigInteger(), nullable=True))
        batch.create_foreign_key(
            "fk_variant_set_item_id_set_item", "set_item", ["set_item_id"], ["id"], ondelete="RESTRICT"
        )
        batch.create_index("ix_variant_set_item_id_learner_id", ["set_item_id", "learner_id"])
    with op.batch_alter_table("submission") as batch:
        batch.add_column(sa.Column("evidence", sa.Text(), nullable=False, server_default="{}"))


def _practice():
    op.create_table(
        "draft",
        sa.Column("variant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("save_key", sa.String(64), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("decimal_comma", sa.Boolean(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("variant_id", name="pk_draft"),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name="fk_draft_variant_id_variant", ondelete="RESTRICT"
        ),
    )
    op.create_table(
        "hint_use",
        sa.Column("id", KEY, nullable=False),
        sa.Column("variant_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("rung", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hint_use"),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name="fk_hint_use_variant_id_variant", ondelete="RESTRICT"
        ),
        sa.UniqueConstraint("variant_id", "key", "rung", name="uq_hint_use_variant_id_key_rung"),
    )
    op.create_table(
        "skill_state",
        sa.Column("id", KEY, nullable=False),
        sa.Column("learner_id", sa.BigInteger(), nullable=False),
        sa.Column("skill", sa.Text(), nullable=False),
        sa.Column("knowledge", sa.Text(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("card", sa.Text(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_skill_state"),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learner.id"], name="fk_skill_state_learner_id_learner", ondelete="RESTRICT"
        ),
        sa.UniqueConstraint("learner_id", "skill", name="uq_skill_state_learner_id_skill"),
    )
    op.create_table(
        "slip",
        sa.Column("id", KEY, nullable=False),
        sa.Column("learner_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("skill", sa.Text(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("right_since", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("variant_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_slip"),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name="fk_slip_learner_id_learner", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_slip_variant_id_variant", ondelete="RESTRICT"),
        sa.UniqueConstraint("learner_id", "code", name="uq_slip_learner_id_code"),
    )


def downgrade():
    for name in ("slip", "skill_state", "hint_use", "draft"):
        op.drop_table(name)
    with op.batch_alter_table("submission") as batch:
        batch.drop_column("evidence")
    with op.batch_alter_table("variant") as batch:
        batch.drop_index("ix_variant_set_item_id_learner_id")
        batch.drop_constraint("fk_variant_set_item_id_set_item", type_="foreignkey")
        batch.drop_column("set_item_id")
        batch.drop_column("aim")
    for name in ("assignment", "set_item", "problem_set", "rate_limit", "reset_link"):
        op.drop_table(name)
    with op.batch_alter_table("login_session") as batch:
        batch.drop_column("device")
    with op.batch_alter_table("learner") as batch:
        batch.drop_column("time_zone")
        batch.drop_column("language")
