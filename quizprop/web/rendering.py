"""What templates call: mathematics, Markdown, moments; and what they may count on in every page."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from gettext import NullTranslations
from typing import Any, Final, Literal

import nh3
from babel.dates import TIMEDELTA_UNITS, format_date, format_time, format_timedelta
from babel.numbers import format_decimal, format_percent
from flask import Flask, g, url_for
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from quizprop import __version__
from quizprop.exercise.notation import mathml
from quizprop.web import languages
from quizprop.web.languages import decimal_comma, gettext, locale, say
from quizprop.web.zones import zone

__all__ = [
    "clock",
    "emphasis",
    "figure",
    "iso",
    "markdown",
    "math",
    "moment",
    "moment_in_words",
    "number",
    "percent",
    "register",
    "saved",
    "typed_moment",
    "until",
    "words_in",
    "written",
]

_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False})
_TAGS: Final = {"a", "code", "em", "li", "ol", "p", "strong", "ul"}
_WORDS: Final = re.compile(r"(?<=\\text\{)[ ,]*([^{}]*[^{} ,])[ ,]*(?=\})")
_TEXT: Final = re.compile(r">[^<>]+<")
_POINT: Final = re.compile(r"(?<=\d)\.(?=\d)")
_FIRST: Final = -62_135_424_000 * 10**6  # two days into the year 1
_LAST: Final = 253_402_128_000 * 10**6  # two days before the year 10000
_EMPHASIS: Final = re.compile(r"\*([^\s*](?:[^*]*[^\s*])?)\*")


def math(latex: str) -> Markup:
    """LaTeX as MathML, its numbers with the visitor's decimal mark and its words in their language."""
    return _math(latex, languages.spoken(), decimal_comma())


@lru_cache(maxsize=16_384)
def _math(latex: str, _spoken: NullTranslations, _comma: bool) -> Markup:  # noqa: FBT001 - what it depends on, besides
    return written(Markup(mathml(_WORDS.sub(_in_language, latex))))  # noqa: S704 - mathml lets nothing but MathML through


def _in_language(found: re.Match[str]) -> str:
    return found[0].replace(found[1], say(found[1])) if " " in found[0] else found[0]


def words_in(latex: str) -> Iterator[str]:
    """The words in LaTeX; a single one between its formulas or names is a symbol, as out and net are."""
    return (found[1] for found in _WORDS.finditer(latex) if " " in found[0])


def figure(text: str) -> str:
    """A number, or text with numbers, with the visitor's decimal mark."""
    return _POINT.sub(",", text) if decimal_comma() else text


def written(markup: Markup) -> Markup:
    """Markup whose texts have the visitor's decimal mark; attributes, which programs read, stay as they are."""
    if not decimal_comma():
        return markup
    return Markup(_TEXT.sub(lambda found: _POINT.sub(",", found[0]), markup))  # noqa: S704 - as safe as it was


@lru_cache(maxsize=1024)
def markdown(text: str) -> Markup:
    """An instructor's words: paragraphs, lists, emphasis, links; anything else is shown as it stands."""
    html = nh3.clean(_MARKDOWN.render(text), tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"https", "http"})
    return Markup(html)  # noqa: S704 - cleaned above


def emphasis(text: str) -> Markup:
    """A tutor's sentence: ``*word*`` is emphasised, everything else is text."""
    return Markup(_EMPHASIS.sub(r"<em>\1</em>", str(escape(text))))  # noqa: S704 - escaped before


def moment(microseconds: int, length: Literal["short", "medium"] = "short") -> Markup:
    """A moment for people, in the visitor's time zone, which is named; ``medium`` has seconds."""
    words = moment_in_words(microseconds, length)
    return Markup('<time datetime="{}">{}</time>').format(iso(microseconds), words)


def moment_in_words(microseconds: int, length: Literal["short", "medium"] = "short") -> str:
    """The text of `moment`."""
    here = _here(microseconds)
    name = here.tzname() or ""
    return gettext(
        "%(date)s, %(time)s %(zone)s",
        date=format_date(here, "long", locale=locale()),
        time=format_time(here, length, tzinfo=here.tzinfo, locale=locale()),
        zone=f"UTC{name}" if name.startswith(("+", "-")) else name,
    )


def saved(microseconds: int, now: int) -> Markup:
    """When something was saved, to the second: the time of day for today, with the date for any other day."""
    today = _here(microseconds).date() == _here(now).date()
    return clock(microseconds) if today else moment(microseconds, "medium")


def until(microseconds: int, now: int) -> str:
    """How far a moment is still off, never said to be farther than it is: ``in 36 hours``, ``in 2 days``."""
    left = (microseconds - now) // 1_000_000
    unit = next((seconds for _, seconds in TIMEDELTA_UNITS if left >= 2 * seconds), 1)
    whole = timedelta(seconds=left // unit * unit)
    return format_timedelta(whole, threshold=2, add_direction=True, locale=locale())


def _here(microseconds: int) -> datetime:
    # Dates at the ends of the calendar were taken once; no zone's clocks are there to show them.
    known = min(max(microseconds, _FIRST), _LAST)
    return datetime.fromtimestamp(known / 1_000_000, UTC).astimezone(zone())


def calendar(when: date) -> Markup:
    """A day, as the visitor's language writes it."""
    return Markup('<time datetime="{}">{}</time>').format(when.isoformat(), format_date(when, "long", locale=locale()))


def day(microseconds: int) -> Markup:
    """The day of a moment, in the visitor's time zone."""
    return calendar(_here(microseconds).date())


def iso(microseconds: int) -> str:
    """A moment for a program, in UTC."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).isoformat(timespec="seconds")


def typed_moment(microseconds: int | None) -> str:
    """A moment as a field for date and time has it; to the second where it needs them. Empty for none."""
    if microseconds is None:
        return ""
    here = _here(microseconds).replace(tzinfo=None)
    return here.isoformat(timespec="seconds" if here.second else "minutes")


def clock(microseconds: int) -> Markup:
    """The time of day of a moment, to the second, in the visitor's time zone."""
    here = _here(microseconds)
    return Markup('<time datetime="{}">{:%H:%M:%S}</time>').format(iso(microseconds), here)


def percent(share: float | None) -> str:
    """A share of the points; 100 % for full marks only."""
    return "—" if share is None else format_percent(int(share * 100 + 1e-9) / 100, locale=locale())


def number(value: float) -> str:
    """A number of the page itself, points for example, as the visitor's language writes it."""
    return format_decimal(value, locale=locale())


def register(app: Flask) -> None:
    """Give the templates their filters and what every page needs."""
    own = (math, markdown, emphasis, figure, moment, calendar, day, clock, saved, until, iso, number, percent)
    for function in own:
        app.add_template_filter(function)
    languages.install(app.jinja_env)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(_every_page)


def _every_page() -> dict[str, Any]:
    # Who has not been looked up by now is not looked up for a page's header: the database may be what failed.
    return {"visitor": g.get("visitor"), "asset": _asset}


def _asset(name: str) -> str:
    return url_for("static", filename=name, v=__version__)
