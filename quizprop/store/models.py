r"""The tables. Times are whole microseconds since 1970 in UTC; JSON is text, written with ASCII escapes.

Both databases then give back what they were given: SQLite drops time zones, and PostgreSQL refuses a NUL in text and
in its own JSON type, while the six ASCII characters ``\u0000`` are fine.
"""

from typing import Annotated, cast

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = ["Account", "Base", "Learner", "LoginSession", "Submission", "Variant", "table"]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite hands out row numbers only for a column spelled INTEGER, which holds 64 bits there.
Key = Annotated[int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)]


class Base(DeclarativeBase):
    """All tables; the naming convention gives every constraint a name that a migration can drop."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {int: BigInteger, str: Text, float: Double}  # noqa: RUF012 - read by SQLAlchemy, never changed


class Learner(Base):
    """Someone who practises, with or without an account."""

    __tablename__ = "learner"

    id: Mapped[Key]
    created_at: Mapped[int]


class Account(Base):
    """The name and the password by which a learner comes back."""

    __tablename__ = "account"

    id: Mapped[Key]
    learner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("learner.id", ondelete="RESTRICT"), unique=True)
    username: Mapped[str]
    username_folded: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    created_at: Mapped[int]


class LoginSession(Base):
    """One browser's session. Who reads this table can't sign in: only the SHA-256 of the token is here."""

    __tablename__ = "login_session"
    __table_args__ = (Index(None, "learner_id"),)

    id: Mapped[Key]
    learner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("learner.id", ondelete="RESTRICT"))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[int]
    last_seen_at: Mapped[int]
    revoked_at: Mapped[int | None]


class Variant(Base):
    """One sheet of numbers, as it was served. ``spec`` is the exercise on that day, ``given`` the drawn numbers."""

    __tablename__ = "variant"
    __table_args__ = (Index(None, "learner_id", "created_at"),)

    id: Mapped[Key]
    token: Mapped[str] = mapped_column(String(64), unique=True)
    learner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("learner.id", ondelete="RESTRICT"))
    exercise: Mapped[str]
    seed: Mapped[str] = mapped_column(String(32))
    spec: Mapped[str]
    given: Mapped[str]
    engine_version: Mapped[str]
    created_at: Mapped[int]
    given_up_at: Mapped[int | None]


class Submission(Base):
    """One checked sheet; never changed.

    ``raw`` is the text as typed, ``numbers`` what was read from it, with a decimal comma or without.
    """

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("variant_id", "attempt"),
        UniqueConstraint("variant_id", "key"),
        CheckConstraint("attempt >= 1", name="attempt_from_1"),
        CheckConstraint("out_of > 0", name="out_of_positive"),
        CheckConstraint("points >= 0 AND points <= out_of", name="points_in_range"),
    )

    id: Mapped[Key]
    variant_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("variant.id", ondelete="RESTRICT"))
    attempt: Mapped[int]
    key: Mapped[str] = mapped_column(String(64))
    raw: Mapped[str]
    decimal_comma: Mapped[bool]
    numbers: Mapped[str]
    marks: Mapped[str]
    points: Mapped[float]
    out_of: Mapped[float]
    engine_version: Mapped[str]
    created_at: Mapped[int]


def table(model: type[Base]) -> Table:
    """The table of a model, for statements built once that skip the work of the ORM."""
    return cast("Table", model.__table__)
