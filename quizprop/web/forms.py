"""The forms: one field a cell, made from the exercise, and those of the account."""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DecimalField,
    Field,
    HiddenField,
    IntegerField,
    PasswordField,
    StringField,
    TextAreaField,
)
from wtforms.validators import AnyOf, DataRequired, InputRequired, Length, NumberRange, Optional, ValidationError

from quizprop.exercise.figures import shortest
from quizprop.exercise.set_file import read_moment
from quizprop.store.rules import FEEDBACKS, Policy, PolicyError, read_networks
from quizprop.web.languages import known_languages, lazy_gettext
from quizprop.web.zones import is_zone, zone

__all__ = [
    "NOT_AFTER",
    "NO_MOMENT",
    "DeleteForm",
    "ForgetForm",
    "PasswordForm",
    "RegisterForm",
    "ResetForm",
    "SentSheet",
    "SetForm",
    "SettingsForm",
    "SignInForm",
    "cell_text",
    "is_key",
    "new_key",
    "read_groups",
    "read_keys",
    "read_late",
    "read_seq",
    "write_groups",
    "write_late",
]

NO_MOMENT = lazy_gettext("Write a date from the year 2000 on, and a time that the clocks of your zone show once.")
NOT_AFTER = lazy_gettext("It must be due after it opens: move one of the two.")
_NO_CHOICE = lazy_gettext("This is not among the choices.")
_NEEDS_DUE = lazy_gettext("This needs a due date: give the set one.")
_WHEN_CLOSED = lazy_gettext("Feedback when the set is closed needs a due date.")
_BAD_LADDER = lazy_gettext("Write times that go up and shares that go down, as in 24 h: 80 %, 72 h: 50 %.")
_BAD_GROUPS = lazy_gettext("Write each group's letter and how many of it count, as in A: 3, B: 1.")
_BAD_NETWORK = lazy_gettext("Write networks as in 192.0.2.0/24, 2001:db8::/32.")
_MINUTE = 60_000_000
_UNITS = {"m": _MINUTE, "h": 60 * _MINUTE, "d": 24 * 60 * _MINUTE}
_LATEST = 100_000 * _UNITS["d"]
_RUNG = re.compile(
    r"(?P<time>[0-9]{1,9}([.,][0-9]{1,9})?)\s*(?P<unit>min|m|h|d)?\s*[:=]\s*(?P<share>[0-9]{1,3}([.,][0-9]{1,9})?)\s*%?",
    re.ASCII | re.IGNORECASE,
)
_GROUP = re.compile(r"(?P<name>[A-Z])\s*[:=]\s*(?P<count>[0-9]{1,3})", re.ASCII | re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SEQ = re.compile(r"[0-9]{1,15}", re.ASCII)
_MOST_KEYS = 20 * 65
_MOST_TYPED = 400  # characters: twice as many as are read as a number, so that it is said that these are too many


@dataclass(frozen=True)
class SentSheet:
    """A sheet as it was sent: lines of text exactly as typed, of which the first of a name counts.

    What they mean is read by the exercise, which never refuses a sheet for it; so no field has anything to validate,
    and the token of the form is checked for every form alike.
    """

    sent: MultiDict[str, str]

    def texts(self, cells: Iterable[str]) -> dict[str, str]:
        """What was typed, by cell."""
        return {key: cell_text(self.sent.get(key, "")) for key in cells}

    @property
    def key(self) -> str:
        """The random name of this sheet of paper, the same if it is sent twice."""
        typed = self.sent.get("submission_key", "")
        return typed if is_key(typed) else new_key()

    @property
    def base(self) -> int:
        """The save of the text that the page began with or made last."""
        return read_seq(self.sent.get("draft_seq"))

    @property
    def sent_saves(self) -> tuple[str, ...]:
        """The keys of the saves that the page sent, whose answers it has not seen."""
        return read_keys(self.sent.get("draft_key", ""))

    @property
    def decimal_comma(self) -> bool:
        """Whether the box is ticked."""
        return self.sent.get("decimal_comma", "") not in ("", "false")


def cell_text(text: str) -> str:
    """What is kept of a cell's text. One that is cut ends in a dot that no number has, lest it be taken for one."""
    return text if len(text) <= _MOST_TYPED else f"{text[: _MOST_TYPED - 1]}…"


def read_seq(text: object) -> int:
    """The number of a save as a page sends it; what no save can have is 0, which none has."""
    return int(str(text)) if _SEQ.fullmatch(str(text)) else 0


def is_key(text: object) -> bool:
    """Whether it can name a sheet of paper or a save."""
    return isinstance(text, str) and _KEY.fullmatch(text) is not None


def read_keys(text: object) -> tuple[str, ...]:
    """The names of the latest saves as a page sends them, with spaces between."""
    return tuple(filter(is_key, str(text)[-_MOST_KEYS:].split()))


def new_key() -> str:
    """A name for a sheet of paper about to be handed out, or for a save."""
    return secrets.token_urlsafe(16)


class RegisterForm(FlaskForm):  # type: ignore[misc]
    """A new account; the store says what makes a good name and password."""

    username = StringField(lazy_gettext("User name"), [InputRequired(lazy_gettext("Choose a user name."))])
    password = PasswordField(lazy_gettext("Password"), [InputRequired(lazy_gettext("Choose a password."))])
    next = HiddenField()


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Name and password of an account."""

    username = StringField(lazy_gettext("User name"), [InputRequired(lazy_gettext("Type your user name."))])
    password = PasswordField(lazy_gettext("Password"), [InputRequired(lazy_gettext("Type your password."))])
    next = HiddenField()


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """The password now, and the one to come."""

    current = PasswordField(
        lazy_gettext("Password now"), [InputRequired(lazy_gettext("Type the password that you have now."))]
    )
    password = PasswordField(lazy_gettext("New password"), [InputRequired(lazy_gettext("Choose a new password."))])


class ResetForm(FlaskForm):  # type: ignore[misc]
    """A new password for who forgot the old one."""

    password = PasswordField(lazy_gettext("New password"), [InputRequired(lazy_gettext("Choose a new password."))])


class SettingsForm(FlaskForm):  # type: ignore[misc]
    """How the pages speak and write. A language or zone that is empty is left to the browser."""

    language = StringField(lazy_gettext("Language"), [AnyOf(("", *known_languages()), _NO_CHOICE)])
    time_zone = StringField(lazy_gettext("Time zone"))
    decimal_mark = StringField(lazy_gettext("Decimal mark"), [AnyOf(("point", "comma"), _NO_CHOICE)])

    def validate_time_zone(self, field: Field) -> None:
        """Take the name of a zone, whether it is offered or not."""
        if field.data and not is_zone(field.data):
            raise ValidationError(_NO_CHOICE)


class DeleteForm(FlaskForm):  # type: ignore[misc]
    """That an account is to be deleted, by who has its password."""

    current = PasswordField(
        lazy_gettext("Password"), [InputRequired(lazy_gettext("Type the password that you have now."))]
    )


class ForgetForm(FlaskForm):  # type: ignore[misc]
    """That what was practised without an account is to be deleted."""

    sure = BooleanField(
        lazy_gettext("Yes, delete it all."), [InputRequired(lazy_gettext("Tick the box if it is to be deleted."))]
    )


class Percent(DecimalField):  # type: ignore[misc]
    """A number with a decimal point or comma, as points are."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        super().process_formdata([typed.replace(",", ".") for typed in valuelist])


class Within(NumberRange):  # type: ignore[misc]
    """A number in a range. WTForms' own check breaks on a whole number that no float can hold, and on sNaN."""

    def __call__(self, form: FlaskForm, field: Field) -> None:
        """Refuse what is outside.

        Raises:
            ValidationError: it is.
        """
        try:
            super().__call__(form, field)
        except (OverflowError, ValueError):  # ValidationError is one too
            field.errors = []  # what WTForms says itself of no number, in English
            raise ValidationError(self.message) from None


def without_nul(text: str | None) -> str | None:
    """What was typed without what PostgreSQL does not keep."""
    return text and text.replace("\0", "")


class SetForm(FlaskForm):  # type: ignore[misc]
    """A problem set but for its exercises. Moments are typed by the clocks of the visitor's zone.

    ``known`` are moments that it has already, by how they are typed.
    """

    known: Mapping[str, int] = MappingProxyType({})

    title = StringField(
        lazy_gettext("Title"),
        [
            DataRequired(lazy_gettext("Give the problem set a title.")),
            Length(max=200, message=lazy_gettext("A title has at most 200 characters.")),
        ],
        [without_nul],
    )
    words = TextAreaField(
        lazy_gettext("Words for the students"),
        [Length(max=10_000, message=lazy_gettext("These are more than 10,000 characters."))],
        [without_nul],
    )
    opens = StringField(lazy_gettext("Opens"))
    due = StringField(lazy_gettext("Due"))
    attempts = IntegerField(
        lazy_gettext("Attempts for each exercise"),
        [Optional(), Within(1, 1000, lazy_gettext("Attempts are a whole number from 1 to 1000."))],
    )

    late = StringField(lazy_gettext("Late work"))
    time_limit = IntegerField(
        lazy_gettext("Time limit in minutes"),
        [Optional(), Within(1, 100_000, lazy_gettext("A time limit is a whole number of minutes from 1."))],
    )
    fresh_after = IntegerField(
        lazy_gettext("New numbers after so many attempts"),
        [Optional(), Within(1, 1000, lazy_gettext("Attempts are a whole number from 1 to 1000."))],
    )
    feedback = StringField(lazy_gettext("Feedback"), [AnyOf(FEEDBACKS, _NO_CHOICE)], default="at once")
    hints = StringField(lazy_gettext("Hints"), [AnyOf(("on", "off"), _NO_CHOICE)], default="on")
    hint_price = Percent(
        lazy_gettext("What a hint takes off its value, in percent"),
        [Optional(), Within(0, 100, lazy_gettext("This is a number from 0 to 100."))],
    )
    follow_credit = Percent(
        lazy_gettext("What a value earns that follows from an error above it, in percent"),
        [Optional(), Within(0, 100, lazy_gettext("This is a number from 0 to 100."))],
    )
    best_of = StringField(lazy_gettext("Groups"))
    password = StringField(
        lazy_gettext("Password"),
        [Length(max=200, message=lazy_gettext("These are more than 200 characters."))],
        [without_nul],
    )
    networks = StringField(lazy_gettext("Networks"))
    same_numbers = BooleanField(lazy_gettext("Everybody has the same numbers"))

    @property
    def policy(self) -> Policy:
        """The rules that a valid form says."""
        hint_price, follow = self.hint_price.data, self.follow_credit.data
        return Policy(
            late=read_late(self.late.data or ""),
            time_limit=None if self.time_limit.data is None else self.time_limit.data * _MINUTE,
            fresh_after=self.fresh_after.data,
            feedback=self.feedback.data,
            hint_price=None if self.hints.data == "off" else float(hint_price or 0) / 100,
            follow_credit=1.0 if follow is None else float(follow) / 100,
            password=(self.password.data or "").strip() or None,
            networks=(self.networks.data or "").strip() or None,
            best_of=read_groups(self.best_of.data or ""),
        )

    def validate_late(self, field: Field) -> None:
        """Take a ladder whose times go up and whose shares go down, after a due date."""
        late = read_late(field.data or "")
        times, shares = [after for after, _ in late], [share for _, share in late]
        if times != sorted(set(times)) or shares != sorted(shares, reverse=True):
            raise ValidationError(_BAD_LADDER)
        if late and not self.due.data:
            raise ValidationError(_NEEDS_DUE)

    def validate_best_of(self, field: Field) -> None:
        """Take letters with counts."""
        read_groups(field.data or "")

    def validate_networks(self, field: Field) -> None:
        """Take networks in the usual way of writing."""
        try:
            read_networks(field.data or "")
        except PolicyError as error:
            raise ValidationError(_BAD_NETWORK) from error

    @property
    def said(self) -> dict[str, Any]:
        """What a valid form says, by the names that the store has for it."""
        return {
            "title": self.title.data.strip(),
            "words": self.words.data or "",
            "attempts": self.attempts.data,
            "opens_at": self._moment(self.opens),
            "due_at": self._moment(self.due),
            "policy": self.policy,
        }

    def validate_opens(self, field: Field) -> None:
        """Take a moment that there is."""
        self._moment(field)

    def validate_due(self, field: Field) -> None:
        """Take a moment after it opens; there must be one where feedback waits for it."""
        if self.feedback.data == "after due" and not field.data:
            raise ValidationError(_WHEN_CLOSED)
        due = self._moment(field)
        try:
            opens = self._moment(self.opens)
        except ValidationError:
            return
        if due is not None and opens is not None and due <= opens:
            raise ValidationError(NOT_AFTER)

    def _moment(self, field: Field) -> int | None:
        if not field.data:
            return None
        if field.data in self.known:
            return self.known[field.data]
        try:
            return read_moment(field.data, zone().key)
        except ValueError as error:
            raise ValidationError(NO_MOMENT) from error


def read_late(text: str) -> tuple[tuple[int, float], ...]:
    """The late ladder that ``24 h: 80 %, 3 d: 50 %`` spells; hours where no unit stands.

    Raises:
        ValidationError: it is not spelled so.
    """
    rungs = []
    for part in re.split(r"[;\n]|,(?![0-9])", text):
        if not part.strip():
            continue
        found = _RUNG.fullmatch(part.strip())
        if found is None:
            raise ValidationError(_BAD_LADDER)
        share = float(found["share"].replace(",", ".")) / 100
        # Exact, so that what was written reads back to the microsecond.
        after = round(Decimal(found["time"].replace(",", ".")) * _UNITS[(found["unit"] or "h").lower()[0]])
        if share > 1 or not 0 < after < _LATEST:
            raise ValidationError(_BAD_LADDER)
        rungs.append((after, share))
    return tuple(rungs)


def write_late(late: tuple[tuple[int, float], ...]) -> str:
    """What `read_late` reads."""
    return ", ".join(f"{_time_text(after)}: {shortest(share * 100, 9)} %" for after, share in late)


def _time_text(after: int) -> str:
    """A time in hours, unless it is a part of one that has no decimals, or more of them than can be written."""
    unit, name = (_UNITS["h"], "h") if after * 100 % _UNITS["h"] == 0 else (_MINUTE, "min")
    return f"{shortest(Decimal(after) / unit, 9)} {name}"


def read_groups(text: str) -> dict[str, int]:
    """How many count of each group, from ``A: 3, B: 1``.

    Raises:
        ValidationError: it is not spelled so.
    """
    groups = {}
    for part in filter(str.strip, re.split(r"[,;\n]", text)):
        found = _GROUP.fullmatch(part.strip())
        if found is None or not int(found["count"]):
            raise ValidationError(_BAD_GROUPS)
        groups[found["name"].upper()] = int(found["count"])
    return groups


def write_groups(best_of: Mapping[str, int]) -> str:
    """What `read_groups` reads."""
    return ", ".join(f"{name}: {count}" for name, count in best_of.items())
