"""What all tests share."""

import os
from typing import NoReturn

import pytest


def missing(program: str, how: str) -> NoReturn:
    """Skip a test because ``program`` is not here; fail instead where QUIZPROP_NO_SKIPS=1 says that all must run."""
    message = f"{program} is not installed: {how}"
    if os.environ.get("QUIZPROP_NO_SKIPS") == "1":
        pytest.fail(f"{message} (QUIZPROP_NO_SKIPS=1 forbids to skip)", pytrace=False)
    pytest.skip(message)
