"""The forms: one field a cell, made from the exercise, and those of the account."""

import re
import secrets
from functools import lru_cache
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, HiddenField, IntegerField, PasswordField, StringField, TextAreaField
from wtforms.validators import AnyOf, InputRequired, Length, NumberRange, Optional, ValidationError

from quizprop.exercise.set_file import read_moment
from quizprop.web.languages import known_languages, lazy_gettext
from quizprop.web.zones import is_zone, zone

__all__ = [
    "AnswerForm",
    "CellField",
    "DeleteForm",
    "ForgetForm",
    "PasswordForm",
    "RegisterForm",
    "ResetForm",
    "SetForm",
    "SettingsForm",
    "SignInForm",
    "answer_form",
    "is_key",
    "new_key",
    "read_seq",
]

_NO_MOMENT = lazy_gettext("Write a date and a time that the clocks of your time zone show once.")
_NOT_AFTER = lazy_gettext("It is due after it opens: move one of the two.")
_NO_CHOICE = lazy_gettext("This is not among the choices.")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SEQ = re.compile(r"[0-9]{1,15}", re.ASCII)


class CellField(Field):  # type: ignore[misc]  # WTForms has no types
    """One line of text exactly as typed. What it means is read by the exercise, which never refuses a sheet for it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the text of the first field of this name."""
        self.data = valuelist[0] if valuelist else ""


class AnswerForm(FlaskForm):  # type: ignore[misc]
    """A sheet as it was sent; `answer_form` adds its cells, whose names are their keys."""

    cells: tuple[str, ...] = ()
    submission_key = CellField()
    notation = CellField()
    hint = CellField()
    phase = CellField()
    save = CellField()
    draft_seq = CellField()
    draft_key = CellField()
    announced = CellField()
    decimal_comma = BooleanField()

    @property
    def texts(self) -> dict[str, str]:
        """What was typed, by cell."""
        return {key: self[key].data or "" for key in self.cells}

    @property
    def key(self) -> str:
        """The random name of this sheet of paper, the same if it is sent twice."""
        typed = self.submission_key.data or ""
        return typed if is_key(typed) else new_key()

    @property
    def base(self) -> int:
        """The save of the text that the page began with or made last."""
        return read_seq(self.draft_seq.data)


def read_seq(text: object) -> int:
    """The number of a save as a page sends it; what no save can have is 0, which none has."""
    return int(str(text)) if _SEQ.fullmatch(str(text)) else 0


@lru_cache(maxsize=256)
def answer_form(cells: tuple[str, ...]) -> type[AnswerForm]:
    """The form with a field for each of these cells."""
    return type("AnswerForm", (AnswerForm,), {"cells": cells, **{key: CellField() for key in cells}})


def is_key(text: object) -> bool:
    """Whether it can name a sheet of paper or a save."""
    return isinstance(text, str) and _KEY.fullmatch(text) is not None


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


class SetForm(FlaskForm):  # type: ignore[misc]
    """A problem set but for its exercises. Moments are typed by the clocks of the visitor's zone."""

    title = StringField(
        lazy_gettext("Title"),
        [
            InputRequired(lazy_gettext("Give the problem set a title.")),
            Length(max=200, message=lazy_gettext("A title has at most 200 characters.")),
        ],
    )
    words = TextAreaField(
        lazy_gettext("Words for the students"),
        [Length(max=10_000, message=lazy_gettext("These are more than 10,000 characters."))],
    )
    opens = StringField(lazy_gettext("Opens"))
    due = StringField(lazy_gettext("Due"))
    attempts = IntegerField(
        lazy_gettext("Attempts for each exercise"),
        [Optional(), NumberRange(1, 1000, lazy_gettext("Attempts are a whole number from 1 to 1000."))],
    )

    @property
    def said(self) -> dict[str, Any]:
        """What a valid form says, by the names that the store has for it."""
        return {
            "title": self.title.data.strip(),
            "words": self.words.data or "",
            "attempts": self.attempts.data,
            "opens_at": _moment(self.opens),
            "due_at": _moment(self.due),
        }

    def validate_opens(self, field: Field) -> None:
        """Take a moment that there is."""
        _moment(field)

    def validate_due(self, field: Field) -> None:
        """Take a moment after it opens."""
        due = _moment(field)
        try:
            opens = _moment(self.opens)
        except ValidationError:
            return
        if due is not None and opens is not None and due <= opens:
            raise ValidationError(_NOT_AFTER)


def _moment(field: Field) -> int | None:
    if not field.data:
        return None
    try:
        return read_moment(field.data, zone().key)
    except ValueError as error:
        raise ValidationError(_NO_MOMENT) from error
