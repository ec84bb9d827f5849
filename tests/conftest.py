"""What all tests share."""

import os
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, settings

from quizprop import cli
from quizprop.store import schema
from quizprop.store.database import open_database

# How long anything takes is measured in benchmarks: no test fails because another process has the processor.
settings.register_profile("timeless", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")

MEASURED = [Path(__file__).parent / part for part in ("engine", "exercise")]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only the core's own tests count for its coverage; measuring makes the others slower and finds nothing."""
    for item in items:
        if not any(item.path.is_relative_to(folder) for folder in MEASURED):
            item.add_marker("unmeasured")


def missing(program: str, how: str) -> NoReturn:
    """Skip a test because ``program`` is not here; fail instead where QUIZPROP_NO_SKIPS=1 says that all must run."""
    message = f"{program} is not installed: {how}"
    if os.environ.get("QUIZPROP_NO_SKIPS") == "1":
        pytest.fail(f"{message} (QUIZPROP_NO_SKIPS=1 forbids to skip)", pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with its tables and nothing in them, to be copied: migrating takes longer."""
    file = tmp_path_factory.mktemp("tables") / "quizprop.sqlite"
    database = open_database(f"sqlite:///{file}")
    schema.upgrade(database)
    database.close()
    return file


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a command in a folder of its own, as if from a pipe."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("QUIZPROP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def call(*words, status=0, **options):
        result = CliRunner().invoke(cli.main, [str(word) for word in words], prog_name="quizprop", **options)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, result.output
        return result

    return call


@pytest.fixture
def terminal(monkeypatch):
    """Standard output and standard error are a terminal of so many columns."""

    def set_up(columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)

    return set_up
