"""The forms: one field a cell, made from the exercise, and those of the account."""

import re
import secrets
from collections.abc import Collection, Mapping
from functools import lru_cache

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, PasswordField, StringField
from wtforms.validators import InputRequired

from quizprop.exercise.hint import RUNGS
from quizprop.web.languages import lazy_gettext

__all__ = [
    "AnswerForm",
    "CellField",
    "PasswordForm",
    "RegisterForm",
    "SignInForm",
    "answer_form",
    "new_key",
    "read_rungs",
    "write_rungs",
]

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


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Name and password of an account."""

    username = StringField(lazy_gettext("User name"), [InputRequired(lazy_gettext("Type your user name."))])
    password = PasswordField(lazy_gettext("Password"), [InputRequired(lazy_gettext("Type your password."))])


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """The password now, and the one to come."""

    current = PasswordField(
        lazy_gettext("Password now"), [InputRequired(lazy_gettext("Type the password that you have now."))]
    )
    password = PasswordField(lazy_gettext("New password"), [InputRequired(lazy_gettext("Choose a new password."))])
