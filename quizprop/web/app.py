"""The application factory."""

import os
from collections.abc import Mapping
from typing import Any, Final

from flask import Flask
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined

from quizprop.exercise.bank import load_bank
from quizprop.exercise.skills import load_skills
from quizprop.store import schema
from quizprop.store.database import open_database
from quizprop.web import (
    account,
    api,
    builder,
    compress,
    courses,
    errors,
    gallery,
    guidance,
    headers,
    logs,
    metrics,
    own_exercises,
    practice,
    preferences,
    printing,
    profile,
    progress,
    regrading,
    rendering,
    sets,
    students,
    tokens,
)
from quizprop.web.logs import Site
from quizprop.web.settings import FIXED, complete, from_environment
from quizprop.web.state import Services, start_services

__all__ = ["create_app"]

_PAGES: Final = (
    practice.practice,
    guidance.guidance,
    sets.sets,
    courses.courses,
    builder.builder,
    own_exercises.own_exercises,
    students.students,
    printing.printing,
    api.api,
    tokens.tokens,
    regrading.regrading,
    progress.progress,
    gallery.gallery,
    account.account,
    preferences.preferences,
    profile.profile,
)


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The web application, its database opened and up to date.

    Args:
        config: settings that win over those of the environment; see `quizprop.web.settings`.

    Raises:
        SettingsError: a setting can't be used.
        DatabaseUrlError: the database URL can't be used.
        SchemaError: a newer release has upgraded the database.
        BankError: an exercise file is not valid.
    """
    app = Site(__name__)
    app.config.from_mapping(FIXED)
    app.config.from_mapping(from_environment(os.environ))
    app.config.from_mapping(config or {})
    app.config.from_mapping(complete(app.config))
    app.jinja_env.undefined = StrictUndefined

    database = open_database(app.config["DATABASE_URL"])
    schema.upgrade(database)
    bank = app.config["PROBLEM_BANK"]
    start_services(app, Services(database, load_bank(bank), load_skills(bank)))

    logs.register(app)
    metrics.register(app)
    CSRFProtect(app).exempt(api.api)
    compress.register(app)
    headers.register(app)
    rendering.register(app)
    errors.register(app)
    for pages in _PAGES:
        app.register_blueprint(pages)
    return app
