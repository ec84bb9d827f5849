"""What a problem set allows and what work at it is worth: the dates of one student, the credit of one submission.

Moments are microseconds; at a moment itself a submission is still in time, one microsecond later it is not.
"""

import hmac
import ipaddress
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal, get_args

__all__ = [
    "FEEDBACKS",
    "Feedback",
    "Policy",
    "PolicyError",
    "Terms",
    "Window",
    "Worth",
    "best_of",
    "is_here",
    "is_password",
    "read_networks",
]

Feedback = Literal["at once", "after due", "never"]
FEEDBACKS: Final[tuple[Feedback, ...]] = get_args(Feedback)

_ZONE: Final = re.compile(r"[A-Z]", re.ASCII)


class PolicyError(ValueError):
    """A problem set can't have these rules; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of a problem set, beside its dates and the number of attempts.

    ``late`` is a ladder of microseconds after the due date and the share that work is worth until then; after the last
    rung nothing is taken. ``time_limit`` is in microseconds from the start. After ``fresh_after`` attempts at one sheet
    a student may have new numbers. ``hint_price`` is the share of a value that each of its hints costs, None where
    there are no hints; ``follow_credit`` the share that a value earns that follows from an error above it.
    ``networks`` are those that the set may be worked from, any where there are none; ``best_of`` how many exercises of
    a group count.
    """

    late: tuple[tuple[int, float], ...] = ()
    time_limit: int | None = None
    fresh_after: int | None = None
    feedback: Feedback = "at once"
    hint_price: float | None = 0.0
    follow_credit: float = 1.0
    password: str | None = None
    networks: str | None = None
    best_of: Mapping[str, int] = field(default_factory=dict)

    @property
    def begun(self) -> bool:
        """Whether a student has to begin the set before its sheets are handed out."""
        return self.time_limit is not None or self.password is not None

    def check(self, due_at: int | None) -> None:
        """Raise `PolicyError` where the rules contradict each other or make no sense."""
        if due_at is None and self.late:
            raise PolicyError("Late work is late after a due date: give the set one, or take the ladder away")
        if due_at is None and self.feedback == "after due":
            raise PolicyError("Feedback after the due date needs a due date: give the set one")
        if self.feedback not in FEEDBACKS:
            raise PolicyError(f"Feedback is one of {', '.join(FEEDBACKS)}, not {self.feedback!r}")
        self._check_numbers()
        read_networks(self.networks or "")

    def _check_numbers(self) -> None:
        times, shares = [after for after, _ in self.late], [share for _, share in self.late]
        if any(after <= 0 for after in times) or times != sorted(set(times)):
            raise PolicyError("The times of the late ladder are above 0 and go up")
        if not all(0 <= share <= 1 for share in shares) or shares != sorted(shares, reverse=True):
            raise PolicyError("The shares of the late ladder are 0 to 100 % and go down")
        if any(count is not None and count < 1 for count in (self.time_limit, self.fresh_after)):
            raise PolicyError("A time limit and the attempts before new numbers are above 0")
        if not all(0 <= share <= 1 for share in (self.hint_price or 0, self.follow_credit)):
            raise PolicyError("The price of a hint and the credit for what follows are 0 to 100 %")
        if not all(_ZONE.fullmatch(zone) and count >= 1 for zone, count in self.best_of.items()):
            raise PolicyError(f"A group is a letter with a count from 1, unlike one of {self.best_of}")

    def as_row(self) -> dict[str, Any]:
        """The columns that hold it."""
        values = {**asdict(self), "late": json.dumps(self.late), "best_of": json.dumps(dict(self.best_of))}
        return {**values, "password": self.password or None, "networks": self.networks or None}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Policy":
        """What `as_row` wrote."""
        values = {name: row[name] for name in cls.__dataclass_fields__}
        late = tuple((after, share) for after, share in json.loads(values["late"]))
        return cls(**{**values, "late": late, "best_of": json.loads(values["best_of"])})


@dataclass(frozen=True, slots=True)
class Terms:
    """What is different for one student.

    ``extended_to`` is another due date, ``started_at`` when they began, ``extra_time`` the share that is added to a
    time limit. With ``preview`` a set is tried out: no date and no limit holds. ``left_at`` is when they were taken out
    of its course.
    """

    extended_to: int | None = None
    started_at: int | None = None
    extra_time: float = 0.0
    preview: bool = False
    left_at: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The dates of a problem set for one student.

    ``due_at`` is theirs, an extension counted; ``ends_at`` when the time limit is over, None where none runs.
    """

    opens_at: int | None
    due_at: int | None
    ends_at: int | None
    policy: Policy
    free: bool = False

    @classmethod
    def of(cls, opens_at: int | None, due_at: int | None, policy: Policy, terms: Terms) -> "Window":
        """The dates of a set as they are for a student with these terms."""
        if terms.preview:
            return cls(None, None, None, replace(policy, late=(), time_limit=None), free=True)
        ends_at = None
        if policy.time_limit is not None and terms.started_at is not None:
            ends_at = terms.started_at + policy.time_limit + round(policy.time_limit * terms.extra_time)
        return cls(opens_at, due_at if terms.extended_to is None else terms.extended_to, ends_at, policy)

    @property
    def closes_at(self) -> int | None:
        """The last moment at which something is taken; None for none."""
        return min((one for one in (self.ends_at, self.late_until) if one is not None), default=None)

    @property
    def late_until(self) -> int | None:
        """When the last rung of the late ladder ends, or the due date where there is no ladder; None for no date."""
        if self.due_at is None or not self.policy.late:
            return self.due_at
        return self.due_at + self.policy.late[-1][0]

    def share_at(self, moment: int) -> float:
        """What work of this moment is worth: 1 in time, less after the due date, 0 after the last rung."""
        if self.due_at is None or moment <= self.due_at:
            return 1.0
        late = moment - self.due_at
        return next((share for after, share in self.policy.late if late <= after), 0.0)

    def withheld(self, now: int) -> bool:
        """Whether a student is not told yet how a checked sheet was graded."""
        if self.free or self.policy.feedback == "at once":
            return False
        return self.policy.feedback == "never" or self.late_until is None or now <= self.late_until


@dataclass(frozen=True, slots=True)
class Worth:
    """What one item is worth to a student: ``points`` of ``out_of``; an item that is excused is out of nothing."""

    zone: str | None
    points: float
    out_of: float
    excused: bool = False


def best_of(items: Iterable[Worth], counts: Mapping[str, int]) -> tuple[float, float]:
    """The points of some items and what they are out of, where of each group so many count.

    Of a group the items with the most points count, and it is out of those that are worth most: who works more than
    must be never has less for it.
    """
    points, out_of = [], []
    groups: dict[str, list[Worth]] = {}
    for item in items:
        if item.excused:
            continue
        if item.zone is None or item.zone not in counts:
            points.append(item.points)
            out_of.append(item.out_of)
        else:
            groups.setdefault(item.zone, []).append(item)
    for zone, group in groups.items():
        points += sorted((one.points for one in group), reverse=True)[: counts[zone]]
        out_of += sorted((one.out_of for one in group), reverse=True)[: counts[zone]]
    return math.fsum(points), math.fsum(out_of)


def read_networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """The networks of a text such as ``192.0.2.0/24, 2001:db8::/32``.

    Raises:
        PolicyError: something in it is no network.
    """
    found = []
    for part in text.replace(",", " ").split():
        try:
            found.append(ipaddress.ip_network(part, strict=False))
        except ValueError as error:
            raise PolicyError(f"{part!r} is no network: write addresses as 192.0.2.0/24 or 2001:db8::/32") from error
    return tuple(found)


def is_here(policy: Policy, address: str | None) -> bool:
    """Whether a set may be worked from this address."""
    networks = read_networks(policy.networks or "")
    if not networks:
        return True
    try:
        here = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    # What an IPv6 socket calls ::ffff:192.0.2.1 is the IPv4 address.
    plain = getattr(here, "ipv4_mapped", None) or here
    return any(plain in network for network in networks if network.version == plain.version)


def is_password(policy: Policy, typed: str) -> bool:
    """Whether this opens the set."""
    return policy.password is None or hmac.compare_digest(typed.strip().encode(), policy.password.strip().encode())
