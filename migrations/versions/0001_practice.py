"""Learners, accounts, sessions, variants and submissions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.create_table(
        "learner",
        sa.Column("id", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_learner"),
    )
    op.create_table(
        "account",
        sa.Column("id", KEY, nullable=False),
        sa.Column("learner_id", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("username_folded", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learner.id"], name="fk_account_learner_id_learner", ondelete="RESTRICT"
        ),
        sa.UniqueConstraint("learner_id", name="uq_account_learner_id"),
        sa.UniqueConstraint("username_folded", name="uq_account_username_folded"),
    )
    op.create_table(
        "login_session",
        sa.Column("id", KEY, nullable=False),
        sa.Column("learner_id", sa.BigInteger(), nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_login_session"),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learner.id"], name="fk_login_session_learner_id_learner", ondelete="RESTRICT"
        ),
        sa.UniqueConstraint("token_sha256", name="uq_login_session_token_sha256"),
    )
    op.create_index("ix_login_session_learner_id", "login_session", ["learner_id"])
    op.create_table(
        "variant",
        sa.Column("id", KEY, nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("learner_id", sa.BigInteger(), nullable=False),
        sa.Column("exercise", sa.Text(), nullable=False),
        sa.Column("seed", sa.String(32), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("engine_version", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("given_up_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_variant"),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learner.id"], name="fk_variant_learner_id_learner", ondelete="RESTRICT"
        ),
        sa.UniqueConstraint("token", name="uq_variant_token"),
    )
    op.create_index("ix_variant_learner_id_created_at", "variant", ["learner_id", "created_at"])
    op.create_table(
        "submission",
        sa.Column("id", KEY, nullable=False),
        sa.Column("variant_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("decimal_comma", sa.Boolean(), nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.Column("points", sa.Double(), nullable=False),
        sa.Column("out_of", sa.Double(), nullable=False),
        sa.Column("engine_version", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_submission"),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name="fk_submission_variant_id_variant", ondelete="RESTRICT"
        ),
        sa.UniqueConstraint("variant_id", "attempt", name="uq_submission_variant_id_attempt"),
        sa.UniqueConstraint("variant_id", "key", name="uq_submission_variant_id_key"),
        sa.CheckConstraint("attempt >= 1", name=op.f("ck_submission_attempt_from_1")),
        sa.CheckConstraint("out_of > 0", name=op.f("ck_submission_out_of_positive")),
        sa.CheckConstraint("points >= 0 AND points <= out_of", name=op.f("ck_submission_points_in_range")),
    )


def downgrade():
    for name in ("submission", "variant", "login_session", "account", "learner"):
        op.drop_table(name)
