"""Time zones: the one that moments are written in, and those to choose from."""

from collections.abc import Mapping
from functools import cache
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import flask
from flask import g, has_request_context, request

__all__ = ["KEY", "browser_zone", "chosen_zone", "is_zone", "zone", "zones_by_region"]

KEY: Final = "time_zone"
COOKIE: Final = "quizprop_zone"
"""Set by the script of the pages: a request does not tell where a browser is."""

_REGIONS: Final = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    return name in _known()


@cache
def zones_by_region() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """The zones to choose from, by region: each with its name, and how it is called within the region."""
    names = sorted(name for name in _known() if name.partition("/")[0] in _REGIONS)
    return {
        region: tuple((name, name.partition("/")[2].replace("_", " ")) for name in of_region)
        for region, of_region in groupby(names, key=lambda name: name.partition("/")[0])
    }


def browser_zone() -> str | None:
    """The zone that the visitor's browser is in, where its script has told."""
    told = request.cookies.get(COOKIE, "")
    return told if is_zone(told) else None


def chosen_zone() -> str | None:
    """The zone that the visitor chose; None for the browser's."""
    known = g.get("visitor")
    name = (known.time_zone if known else None) or flask.session.get(KEY)
    return name if isinstance(name, str) and is_zone(name) else None


def zone() -> ZoneInfo:
    """The zone to write moments in: the one chosen, else the browser's, else UTC."""
    if not has_request_context():
        return ZoneInfo("UTC")
    return ZoneInfo(chosen_zone() or browser_zone() or "UTC")
