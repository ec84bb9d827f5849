"""The file of a problem set: which exercises, what they are worth, from when until when, how often each is checked."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from quizprop.exercise.bank import described, read_toml
from quizprop.exercise.spec import Exercise

__all__ = ["LateRung", "SetFile", "SetFileError", "SetFileItem", "load_set", "read_moment"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS: Final = range(2000, 2200)
"""In any of them, and in those about them, each zone's clocks can be told; 0026 is a slip, and 9999 means no date."""

_HOW: Final = 'as in 2026-10-02T23:59:00+02:00, or "2026-10-02 23:59" with zone = "Europe/Madrid"'


class SetFileError(ValueError):
    """A file that makes no problem set; the message lists every problem as ``file: key: what to change``."""


def read_moment(written: object, zone: str | None = None) -> int:
    """A date and time in microseconds since 1970: with an offset of its own, or as the clocks of a zone show it.

    Raises:
        ValueError: no date and time, a year beyond 2000 to 2199, no zone, or a time that the zone's clocks skip or
            show twice.
    """
    moment = written
    if isinstance(written, str):
        try:
            moment = datetime.fromisoformat(written) if len(written) > len("2026-10-02") else None
        except ValueError:
            moment = None
    if not isinstance(moment, datetime):
        raise ValueError(f"write a date and a time, {_HOW}; not {written}")  # noqa: TRY004 - pydantic takes no TypeError
    if moment.year not in _YEARS:
        raise ValueError(f"{moment.year} is no year from {_YEARS[0]} to {_YEARS[-1]}; for no date leave it out")
    if moment.tzinfo is None:
        moment = _on_the_clock(moment, zone)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _on_the_clock(moment: datetime, zone: str | None) -> datetime:
    if zone is None:
        raise ValueError(f"{moment} needs a zone, {_HOW}")
    first = moment.replace(tzinfo=_zone_named(zone), fold=0)
    if first.utcoffset() != first.replace(fold=1).utcoffset():  # the clocks are changed
        there = first.astimezone(UTC).astimezone(first.tzinfo).replace(tzinfo=None) == moment
        why = "comes twice" if there else "never comes"
        raise ValueError(f"{moment} {why} in {zone}, where the clocks are changed then; write it with its offset")
    return first


def _zone_named(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise ValueError(f'{name!r} is no time zone; write a name such as "Europe/Madrid" or "UTC"') from error


def _with_zone(written: object, info: ValidationInfo) -> int:
    if "zone" not in info.data:
        raise ValueError("can't be read before the zone is right")
    return read_moment(written, info.data["zone"])


_Moment = Annotated[int, BeforeValidator(_with_zone)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SetFileItem(_Part):
    """One exercise of the problem bank and what it is worth; of a ``group`` only some may count."""

    exercise: str
    points: Annotated[float, Field(gt=0, le=1_000_000)] = 1.0
    group: Annotated[str, Field(pattern="^[A-Z]$")] | None = None

    @field_validator("exercise")
    @classmethod
    def _is_in_the_bank(cls, slug: str, info: ValidationInfo) -> str:
        if slug not in (info.context or ()):
            raise ValueError(f"no exercise of the problem bank is named {slug!r}; quizprop bank list names them all")
        return slug


class LateRung(_Part):
    """Until how many hours after the due date work is worth this share."""

    hours: Annotated[float, Field(gt=0, le=100_000)]
    share: Annotated[float, Field(ge=0, le=1)]


class SetFile(_Part):
    """What the file says. Moments are microseconds since 1970; ``attempts`` is None for any number.

    ``time_limit`` is in minutes; ``hint_price`` and ``follow_credit`` are shares.
    """

    title: Annotated[str, Field(min_length=1, max_length=200)]
    words: Annotated[str, Field(max_length=10_000)] = ""
    zone: str | None = None
    opens: _Moment | None = None
    due: _Moment | None = None
    attempts: Annotated[int, Field(ge=1, le=1_000)] | None = None
    late: Annotated[tuple[LateRung, ...], Field(max_length=20)] = ()
    time_limit: Annotated[int, Field(ge=1, le=100_000)] | None = None
    fresh_after: Annotated[int, Field(ge=1, le=1_000)] | None = None
    feedback: Literal["at once", "after due", "never"] = "at once"
    hints: bool = True
    hint_price: Annotated[float, Field(ge=0, le=1)] = 0.0
    follow_credit: Annotated[float, Field(ge=0, le=1)] = 1.0
    password: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    networks: str | None = None
    same_numbers: bool = False
    best_of: dict[str, int] = {}
    items: Annotated[tuple[SetFileItem, ...], Field(alias="item", max_length=200)]

    @field_validator("items", mode="before")
    @classmethod
    def _has_some(cls, items: object) -> object:
        if not items:
            raise ValueError("a set has at least one [[item]]")
        return items

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:  # TOML has no null: it is text where there is a line
        _zone_named(name)
        return name

    @field_validator("due")
    @classmethod
    def _is_after_it_opens(cls, due: int | None, info: ValidationInfo) -> int | None:
        opens = info.data.get("opens")
        if due is not None and opens is not None and due <= opens:
            raise ValueError("is not after opens; move one of the two")
        return due


def load_set(file: Path, bank: Mapping[str, Exercise]) -> SetFile:
    """A problem set's file, its exercises named as the bank names them.

    Raises:
        SetFileError: the file can't be read or makes no problem set; every problem has its line.
    """
    content = read_toml(file, SetFileError)
    try:
        return SetFile.model_validate(content, context=bank)
    except ValidationError as error:
        raise SetFileError("\n".join(f"{file.name}: {problem}" for problem in described(error))) from error
