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
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "Account",
    "Adjustment",
    "ApiToken",
    "Assignment",
    "AuditEntry",
    "Base",
    "Course",
    "CourseExercise",
    "CourseMember",
    "CourseSet",
    "Draft",
    "HintUse",
    "Learner",
    "LoginSession",
    "ProblemSet",
    "RateLimit",
    "Regrade",
    "ResetLink",
    "SetItem",
    "SkillState",
    "Slip",
    "Submission",
    "Variant",
    "table",
]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite hands out row numbers only for a column spelled INTEGER, which holds 64 bits there.
Key = Annotated[int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)]

# SQLite gives the number of a row that is gone to the next one, unless it is told not to, as PostgreSQL never does: an
# open page or the record of a course would mean somebody else.
NEVER_AGAIN = {"sqlite_autoincrement": True}


class Base(DeclarativeBase):
    """All tables; the naming convention gives every constraint a name that a migration can drop."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {int: BigInteger, str: Text, float: Double}  # noqa: RUF012 - read by SQLAlchemy, never changed


class Learner(Base):
    """Someone who practises, with or without an account. ``time_zone`` is a name such as ``Europe/Madrid``."""

    __tablename__ = "learner"
    __table_args__ = NEVER_AGAIN

    id: Mapped[Key]
    created_at: Mapped[int]
    language: Mapped[str | None]
    time_zone: Mapped[str | None]


class Account(Base):
    """The name and the password by which a learner comes back."""

    __tablename__ = "account"
    __table_args__ = NEVER_AGAIN

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
    device: Mapped[str | None]


class ResetLink(Base):
    """A link by which somebody who forgot the password sets a new one, once. The link's token is stored nowhere."""

    __tablename__ = "reset_link"
    __table_args__ = (Index(None, "account_id"),)

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id", ondelete="RESTRICT"))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[int]
    expires_at: Mapped[int]
    used_at: Mapped[int | None]


class ApiToken(Base):
    """A token by which a program comes in for an account; ``scopes`` are words with spaces between them."""

    __tablename__ = "api_token"
    __table_args__ = (Index(None, "learner_id"),)

    id: Mapped[Key]
    learner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("learner.id", ondelete="RESTRICT"))
    name: Mapped[str]
    scopes: Mapped[str]
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[int]
    last_used_at: Mapped[int | None]


class RateLimit(Base):
    """How much of an allowance is used up: ``free_at`` is when all of it will be there again."""

    __tablename__ = "rate_limit"

    bucket: Mapped[str] = mapped_column(String(64), primary_key=True)
    free_at: Mapped[int]


class ProblemSet(Base):
    """Exercises to be worked by a date. ``attempts`` is how often each may be checked; None for any number.

    ``late`` is a JSON ladder of ``[microseconds after the due date, share]``, ``time_limit`` in microseconds from the
    start, ``fresh_after`` after how many attempts a student may have new numbers; ``hint_price`` the share of a value
    that each hint costs, None where there are no hints; ``follow_credit`` the share that a value following from an
    error earns. ``best_of`` tells in JSON how many exercises of a group count. ``seed`` is there where all students
    have the same numbers.
    """

    __tablename__ = "problem_set"
    __table_args__ = (CheckConstraint("attempts >= 1", name="attempts_from_1"),)

    id: Mapped[Key]
    token: Mapped[str] = mapped_column(String(64), unique=True)
    title: Mapped[str]
    words: Mapped[str]
    opens_at: Mapped[int | None]
    due_at: Mapped[int | None]
    attempts: Mapped[int | None]
    created_at: Mapped[int]
    late: Mapped[str] = mapped_column(server_default="[]")
    time_limit: Mapped[int | None]
    fresh_after: Mapped[int | None]
    feedback: Mapped[str] = mapped_column(String(16), server_default="at once")
    hint_price: Mapped[float | None] = mapped_column(server_default="0")
    follow_credit: Mapped[float] = mapped_column(server_default="1")
    password: Mapped[str | None]
    networks: Mapped[str | None]
    best_of: Mapped[str] = mapped_column(server_default="{}")
    seed: Mapped[str | None] = mapped_column(String(32))


class SetItem(Base):
    """One exercise of a problem set, as it was when it was put there. ``zone`` names the group it belongs to."""

    __tablename__ = "set_item"
    __table_args__ = (
        UniqueConstraint("set_id", "position"),
        CheckConstraint("points > 0", name="points_positive"),
    )

    id: Mapped[Key]
    set_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("problem_set.id", ondelete="RESTRICT"))
    position: Mapped[int]
    exercise: Mapped[str]
    spec: Mapped[str]
    points: Mapped[float]
    zone: Mapped[str | None]


class Assignment(Base):
    """That a learner is to work a problem set, and what is different for them.

    ``due_at`` is an extension, ``extra_time`` a share that is added to a time limit, ``started_at`` when they began a
    set that has to be begun. With ``preview`` it is tried out by somebody who teaches. ``left_at`` is when they were
    taken out of the course that it came from: from then on nothing is handed out or checked.
    """

    __tablename__ = "assignment"
    __table_args__ = (UniqueConstraint("learner_id", "set_id"), Index(None, "set_id"))

    id: Mapped[Key]
    learner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("learner.id", ondelete="RESTRICT"))
    set_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("problem_set.id", ondelete="RESTRICT"))
    created_at: Mapped[int]
    due_at: Mapped[int | None]
    started_at: Mapped[int | None]
    extra_time: Mapped[float] = mapped_column(server_default="0")
    preview: Mapped[bool] = mapped_column(server_default=false())
    left_at: Mapped[int | None]


class Course(Base):
    """A class that somebody teaches. Who has its ``join_code`` may come in as a student."""

    __tablename__ = "course"

    id: Mapped[Key]
    token: Mapped[str] = mapped_column(String(64), unique=True)
    title: Mapped[str]
    join_code: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[int]


class CourseMember(Base):
    """Who is in a course, and as what: ``student``, ``grader`` or ``instructor``.

    ``name``, ``section`` and ``external_id`` are what the roster says, ``extra_time`` a share that is added to every
    time limit of theirs.
    """

    __tablename__ = "course_member"
    __table_args__ = (
        UniqueConstraint("course_id", "learner_id"),
        CheckConstraint("role IN ('student', 'grader', 'instructor')", name="role_known"),
        Index(None, "learner_id"),
        NEVER_AGAIN,
    )

    id: Mapped[Key]
    course_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("course.id", ondelete="RESTRICT"))
    learner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("learner.id", ondelete="RESTRICT"))
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[int]
    name: Mapped[str] = mapped_column(server_default="")
    section: Mapped[str] = mapped_column(server_default="")
    external_id: Mapped[str] = mapped_column(server_default="")
    extra_time: Mapped[float] = mapped_column(server_default="0")


class CourseSet(Base):
    """That a problem set belongs to a course: once published, all its students have it, those who come later too."""

    __tablename__ = "course_set"
    __table_args__ = (UniqueConstraint("course_id", "set_id"), Index(None, "set_id"))

    id: Mapped[Key]
    course_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("course.id", ondelete="RESTRICT"))
    set_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("problem_set.id", ondelete="RESTRICT"))
    created_at: Mapped[int]
    published_at: Mapped[int | None]


class CourseExercise(Base):
    """An exercise that belongs to a course: ``source`` is its TOML."""

    __tablename__ = "course_exercise"
    __table_args__ = (UniqueConstraint("course_id", "slug"),)

    id: Mapped[Key]
    course_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("course.id", ondelete="RESTRICT"))
    slug: Mapped[str]
    source: Mapped[str]
    created_at: Mapped[int]


class AuditEntry(Base):
    """Who changed what in a course, when; only ever added. ``who`` keeps the name of an account that is gone."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "course_id"), Index(None, "learner_id"))

    id: Mapped[Key]
    course_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("course.id", ondelete="RESTRICT"))
    learner_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("learner.id", ondelete="RESTRICT"))
    who: Mapped[str]
    what: Mapped[str]
    details: Mapped[str]
    created_at: Mapped[int]


class Adjustment(Base):
    """What somebody who teaches decided about a learner's item; only ever added, the latest one counts.

    ``points`` stand in place of those earned; an item that is ``excused`` counts for nothing. With neither, an earlier
    decision is taken back.
    """

    __tablename__ = "adjustment"
    __table_args__ = (
        Index(None, "learner_id", "set_item_id"),
        CheckConstraint("points >= 0", name="points_from_0"),
    )

    id: Mapped[Key]
    learner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("learner.id", ondelete="RESTRICT"))
    set_item_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("set_item.id", ondelete="RESTRICT"))
    points: Mapped[float | None]
    excused: Mapped[bool]
    reason: Mapped[str]
    created_at: Mapped[int]


class Variant(Base):
    """One sheet of numbers, as it was served. ``spec`` is the exercise on that day, ``given`` the drawn numbers.

    ``aim`` is what it was chosen for, JSON, where the choice was not the learner's; ``set_item_id`` tells for which
    item of a problem set it is worked.
    """

    __tablename__ = "variant"
    __table_args__ = (Index(None, "learner_id", "created_at"), Index(None, "set_item_id", "learner_id"))

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
    aim: Mapped[str | None]
    set_item_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("set_item.id", ondelete="RESTRICT"))


class Draft(Base):
    """What is typed on a sheet and not checked yet. ``seq`` counts the saves, so that an older page can't win."""

    __tablename__ = "draft"

    variant_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("variant.id", ondelete="RESTRICT"), primary_key=True, autoincrement=False
    )
    seq: Mapped[int]
    save_key: Mapped[str] = mapped_column(String(64))
    raw: Mapped[str]
    decimal_comma: Mapped[bool]
    saved_at: Mapped[int]


class HintUse(Base):
    """That a hint was opened: rung 1 is the idea, 3 the formula with the student's numbers."""

    __tablename__ = "hint_use"
    __table_args__ = (UniqueConstraint("variant_id", "key", "rung"),)

    id: Mapped[Key]
    variant_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("variant.id", ondelete="RESTRICT"))
    key: Mapped[str]
    rung: Mapped[int]
    created_at: Mapped[int]


class SkillState(Base):
    """What is believed of a learner's skill: ``knowledge`` and the review ``card``, both JSON.

    ``due_at`` is when the card is to be reviewed, None while the skill is still being learned.
    """

    __tablename__ = "skill_state"
    __table_args__ = (UniqueConstraint("learner_id", "skill"),)

    id: Mapped[Key]
    learner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("learner.id", ondelete="RESTRICT"))
    skill: Mapped[str]
    knowledge: Mapped[str]
    seen: Mapped[int]
    card: Mapped[str | None]
    due_at: Mapped[int | None]
    updated_at: Mapped[int]


class Slip(Base):
    """A known mistake of a learner: how often it was made, and how often it could have been made since and was not.

    ``code`` is the mistake without its layer, ``title`` its name, ``skill`` what it is made at, ``variant_id`` where it
    was last made.
    """

    __tablename__ = "slip"
    __table_args__ = (UniqueConstraint("learner_id", "code"),)

    id: Mapped[Key]
    learner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("learner.id", ondelete="RESTRICT"))
    code: Mapped[str]
    title: Mapped[str]
    skill: Mapped[str]
    seen: Mapped[int]
    right_since: Mapped[int]
    first_at: Mapped[int]
    last_at: Mapped[int]
    variant_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("variant.id", ondelete="RESTRICT"))


class Submission(Base):
    """One checked sheet; never changed.

    ``raw`` is the text as typed, ``numbers`` what was read from it, with a decimal comma or without. ``evidence`` says
    of each cell that was answered for the first time whether it was right, wrong, or helped by a hint. ``credit`` is
    the share of an item's points that it earned by the rules of that moment.
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
    evidence: Mapped[str] = mapped_column(server_default="{}")
    engine_version: Mapped[str]
    created_at: Mapped[int]
    credit: Mapped[float] = mapped_column(server_default="0")


class Regrade(Base):
    """Another credit for a submission, after a rule changed; only ever added, the latest one counts."""

    __tablename__ = "regrade"
    __table_args__ = (
        Index(None, "submission_id"),
        CheckConstraint("credit >= 0 AND credit <= 1", name="credit_in_range"),
    )

    id: Mapped[Key]
    submission_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("submission.id", ondelete="RESTRICT"))
    credit: Mapped[float]
    created_at: Mapped[int]


def table(model: type[Base]) -> Table:
    """The table of a model, for statements built once that skip the work of the ORM."""
    return cast("Table", model.__table__)
