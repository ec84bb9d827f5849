"""What all tests share."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

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
