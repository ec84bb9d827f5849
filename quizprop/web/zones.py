"""Time zones: the one that moments are written in, and those to choose from."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

import flask
from babel import Locale
from flask import g, has_request_context, request

from quizprop.web.languages import gettext, locale, marked

__all__ = ["KEY", "browser_zone", "chosen_zone", "is_zone", "zone", "zones_by_region"]

KEY: Final = "time_zone"
COOKIE: Final = "quizprop_zone"
"""Set by the script of the pages: a request does not tell where a browser is."""

_REGIONS: Final = {
    "Africa": marked("Africa"),
    "America": marked("America"),
    "Antarctica": marked("Antarctica"),
    "Arctic": marked("Arctic"),
    "Asia": marked("Asia"),
    "Atlantic": marked("Atlantic Ocean"),
    "Australia": marked("Australia"),
    "Europe": marked("Europe"),
    "Indian": marked("Indian Ocean"),
    "Pacific": marked("Pacific Ocean"),
}


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    return name in _known()


def zones_by_region() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """The zones to choose from, by region: each with its name, and how it is called within the region."""
    return {gettext(_REGIONS[region]): zones for region, zones in _by_region(str(locale())).items()}


@cache
def _by_region(code: str) -> Mapping[str, tuple[tuple[str, str], ...]]:
    names = sorted(name for name in _known() if name.partition("/")[0] in _REGIONS)
    return {
        region: tuple(sorted(_places(tuple(of_region), Locale.parse(code).time_zones), key=_in_dictionary))
        for region, of_region in groupby(names, key=lambda name: name.partition("/")[0])
    }


def _places(names: tuple[str, ...], known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each zone of a region with its place as the locale spells it; an older name of the same zone as it is."""
    plain = {name: name.partition("/")[2].replace("_", " ") for name in names}
    spelled = {name: known.get(name, {}).get("city") or place for name, place in plain.items()}
    count = Counter(spelled.values())
    return ((name, spelled[name] if count[spelled[name]] == 1 else plain[name]) for name in names)


def _in_dictionary(zone: tuple[str, str]) -> str:
    """Where a place stands in the list: accents do not count."""
    return unicodedata.normalize("NFKD", zone[1]).encode("ascii", "ignore").decode().casefold()


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
