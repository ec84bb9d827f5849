"""The forms: one field a cell, made from the exercise, and those of the account."""

import re
import secrets
from collections.abc import Collection, Mapping
from functools import lru_cache

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, HiddenField, PasswordField, StringField
from wtforms.validators import AnyOf, InputRequired, ValidationError

from quizprop.exercise.hint import RUNGS
from quizprop.web.languages import known_languages, lazy_gettext
from quizprop.web.zones import is_zone

__all__ = [
    "AnswerForm",
    "CellField",
    "DeleteForm",
    "ForgetForm",
    "PasswordForm",
    "RegisterForm",
    "ResetForm",
    "SettingsForm",
    "SignInForm",
    "answer_form",
    "new_key",
    "read_rungs",
    "write_rungs",
]

_NO_CHOICE = lazy_gettext("This is not among the choices.")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


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
    hints = CellField()
    decimal_comma = BooleanField()

    @property
    def texts(self) -> dict[str, str]:
        """What was typed, by cell."""
        return {key: self[key].data or "" for key in self.cells}

    @property
    def key(self) -> str:
        """The random name of this sheet of paper, the same if it is sent twice."""
        typed = self.submission_key.data or ""
        return typed if _KEY.fullmatch(typed) else new_key()

    @property
    def rungs(self) -> dict[str, int]:
        """How many hints are open in each cell, the one just asked for among them."""
        rungs, asked = read_rungs(self.hints.data or "", self.cells), self.hint.data
        return {**rungs, asked: min(rungs.get(asked, 0) + 1, len(RUNGS))} if asked in self.cells else rungs


def read_rungs(text: str, cells: Collection[str]) -> dict[str, int]:
    """What `write_rungs` wrote; what is neither a cell nor one of its rungs is left out."""
    known = {str(number): number for number in range(1, len(RUNGS) + 1)}
    pairs = (part.rpartition(":") for part in text.split())
    return {key: known[rung] for key, _, rung in pairs if key in cells and rung in known}


def write_rungs(rungs: Mapping[str, int]) -> str:
    """How many hints are open in each cell, as a field or an address carries it: ``z1[1]:2 a1[1]:1``."""
    return " ".join(f"{key}:{rung}" for key, rung in rungs.items())


@lru_cache(maxsize=256)
def answer_form(cells: tuple[str, ...]) -> type[AnswerForm]:
    """The form with a field for each of these cells."""
    return type("AnswerForm", (AnswerForm,), {"cells": cells, **{key: CellField() for key in cells}})


def new_key() -> str:
    """A name for a sheet of paper about to be handed out."""
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
