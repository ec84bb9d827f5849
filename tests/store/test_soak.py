"""An acknowledged submission survives kill -9 at any moment, once: the fast form of ``make soak``."""

import os

import pytest

from tests.soak import soak

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX systems")


def test_what_is_acknowledged_survives_kills_once(url):
    """On SQLite one server, on PostgreSQL two that share the database."""
    outcome = soak(url, kills=4, servers=1 if url.startswith("sqlite") else 2, seed=1)
    assert outcome.acknowledged > 20
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert outcome.stored >= outcome.acknowledged
