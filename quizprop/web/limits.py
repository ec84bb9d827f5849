"""How often a visitor may do what costs others something: guess a password, make an account, take a new sheet.

A class of 300 behind one address gets through all of it. ``app.config["LIMITS"]`` may replace some of them.
"""

import ipaddress
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask import current_app, request

from quizprop.store import limits
from quizprop.store.database import Session
from quizprop.web.languages import ngettext

__all__ = ["LIMITS", "Limit", "TooOftenError", "client", "give_back", "take", "tidy", "when_again"]

_SECOND: Final = 1_000_000
_SWEEP_EVERY: Final = 300 * _SECOND


@dataclass(frozen=True, slots=True)
class Limit:
    """``burst`` times at once, and then once every ``seconds``."""

    burst: int
    seconds: float

    @property
    def per(self) -> int:
        """The interval in microseconds."""
        return round(self.seconds * _SECOND)


LIMITS: Final[Mapping[str, Limit]] = {
    # Wrong passwords: what was right is given back.
    "password, address": Limit(300, 10),
    "password, name": Limit(10, 120),
    "registration, address": Limit(600, 10),
    "reset, address": Limit(60, 60),
    "learner, address": Limit(600, 10),
    "sheet, learner": Limit(300, 10),
    # Fifty numbers of the worksheets of one seed, where they are not known yet: all of a class are found by one search.
    "search, address": Limit(300, 10),
    "search, learner": Limit(200, 10),
    # Each is kept, and a page reads all of its sheet.
    "check, learner": Limit(600, 6),
    "download, learner": Limit(20, 60),
    "course, learner": Limit(30, 600),
    "trial, learner": Limit(60, 5),
    "roster, learner": Limit(30, 60),
    "print, learner": Limit(20, 60),
    "api, learner": Limit(600, 0.5),
    "set password, learner": Limit(20, 30),
    # Guessing the code of a course.
    "join, learner": Limit(20, 30),
}


class TooOftenError(RuntimeError):
    """The allowance is used up; ``seconds`` says for how long."""

    def __init__(self, wait: int) -> None:
        self.seconds = math.ceil(wait / _SECOND)
        super().__init__(f"Too often: again in {self.seconds} seconds")


def take(session: Session, now: int, *wanted: tuple[str, object]) -> None:
    """Spend one of each of these limits, each with whose it is.

    Name that of an address first: nobody then waits for somebody who waits for them.

    Raises:
        TooOftenError: one of them is used up; let the transaction roll back.
    """
    for name, whose in wanted:
        limit = _limit(name)
        wait = limits.spend(session, limits.bucket(name, whose), now, per=limit.per, burst=limit.burst)
        if wait:
            raise TooOftenError(wait)


def give_back(session: Session, *taken: tuple[str, object]) -> None:
    """Undo `take`: it came out well."""
    for name, whose in taken:
        limits.give_back(session, limits.bucket(name, whose), per=_limit(name).per)


def tidy(session: Session, now: int) -> None:
    """Forget allowances that are whole again, now and then. Call it before anything else of the transaction."""
    limits.sweep(session, now, every=_SWEEP_EVERY)


def client() -> str:
    """The visitor's address; of IPv6 the network, for every household has all of its addresses."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        known = address.ipv4_mapped
        return str(known or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def when_again(seconds: int) -> str:
    """A sentence that says how long to wait."""
    if seconds <= 90:
        return ngettext("Try again in %(num)s second.", "Try again in %(num)s seconds.", seconds)
    minutes = math.ceil(seconds / 60)
    if minutes <= 90:
        return ngettext("Try again in %(num)s minute.", "Try again in %(num)s minutes.", minutes)
    hours = math.ceil(minutes / 60)
    return ngettext("Try again in %(num)s hour.", "Try again in %(num)s hours.", hours)


def _limit(name: str) -> Limit:
    changed: Mapping[str, Limit] = current_app.config["LIMITS"]
    return changed.get(name) or LIMITS[name]
