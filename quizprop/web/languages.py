"""The words of the pages in the visitor's language.

A language is a folder of `translations` with a catalogue for each of `DOMAINS`; English needs none, for the messages
are English. Catalogues are read as they are, once for each process: nothing is compiled beforehand.
"""

from collections.abc import Mapping
from functools import cache
from gettext import NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Final

import flask
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol
from babel.support import LazyProxy, Translations
from flask import g, has_request_context, request, url_for
from jinja2 import Environment
from markupsafe import Markup

from quizprop.engine.words import Phrase
from quizprop.web.addresses import own_page

__all__ = [
    "DOMAINS",
    "ENGLISH",
    "KEY",
    "decimal_comma",
    "gettext",
    "install",
    "known_languages",
    "language",
    "lazy_gettext",
    "locale",
    "marked",
    "marked_plural",
    "ngettext",
    "read_with_comma",
    "say",
    "spoken",
]

ENGLISH: Final = "en"
DOMAINS: Final = ("core", "bank", "pages")
"""Words of exercises of any kind; words of the problem bank; words of the pages around them."""

KEY: Final = "language"


@cache
def known_languages() -> Mapping[str, str]:
    """The languages there are, by code, each named in itself."""
    folder = files("quizprop.web") / "translations"
    codes = sorted(each.name for each in folder.iterdir() if each.is_dir())
    return {code: (Locale.parse(code).get_display_name() or code).capitalize() for code in (ENGLISH, *codes)}


def language() -> str:
    """The code of the language to speak: the one chosen, else one that the browser asks for, else English."""
    try:
        return str(g.language)  # asked for each word of a page: first of all, where it is known
    except (AttributeError, RuntimeError):  # not yet; no request
        pass
    if not has_request_context():
        return ENGLISH
    if "language" not in g:
        visitor = g.get("visitor")
        chosen = (visitor.language if visitor else None) or flask.session.get(KEY)
        known = known_languages()
        # By the first part alone: en-US before de means English, though only English of any kind is there.
        asked = (value.partition("-")[0].lower() for value, quality in request.accept_languages if quality)
        g.language = next((code for code in (chosen, *asked) if code in known), ENGLISH)
    found: str = g.language
    return found


def locale() -> Locale:
    """How dates and numbers are written. English dates are British, as the rest of the English is."""
    return Locale.parse("en_GB" if language() == ENGLISH else language())


def decimal_comma() -> bool:
    """Whether numbers have a decimal comma: as the page says, else as it was chosen, else as the language has it."""
    try:
        return bool(g.decimal_comma)  # asked for each number of a page: first of all, where the page said so
    except (AttributeError, RuntimeError):  # it did not; no request
        pass
    if not has_request_context():
        return False
    chosen: bool | None = flask.session.get("decimal_comma")
    return get_decimal_symbol(locale()) == "," if chosen is None else chosen


def read_with_comma(stated: bool) -> None:  # noqa: FBT001
    """Say that this page's numbers are read, and so written, with a decimal comma, or that they are not."""
    g.decimal_comma = stated


_IN_ENGLISH: Final = NullTranslations()


@cache
def _catalogue(code: str) -> NullTranslations:
    folder = files("quizprop.web") / "translations" / code
    merged = Catalog(code)
    for domain in DOMAINS:
        file = folder / f"{domain}.po"
        if not file.is_file():
            continue
        part = read_po(BytesIO(file.read_bytes()), code)
        # Babel knows a third form for the millions of some languages; a catalogue has the forms that it says.
        merged.mime_headers = [("Plural-Forms", part.plural_forms)]
        for message in part:
            if message.id and not message.fuzzy:
                merged[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return Translations(compiled)


def spoken() -> NullTranslations:
    """The catalogue of the visitor's language: who keeps words keeps them by it."""
    code = language()
    return _IN_ENGLISH if code == ENGLISH else _catalogue(code)


def gettext(message: str, **parts: object) -> str:
    """The message in the visitor's language, its ``%(name)s`` filled in."""
    found = say(message)
    return found % parts if parts else found


def ngettext(one: str, several: str, count: int, **parts: object) -> str:
    """The form of the message that the count asks for; ``%(num)s`` is the count."""
    return _form(one, several, count) % {"num": count, **parts}


def say(words: str) -> str:
    """Words that come from elsewhere in the visitor's language, so far as its catalogue has them."""
    if isinstance(words, Phrase):
        return words.said_by(say)
    return spoken().gettext(words) if words else ""


def _form(one: str, several: str, count: int) -> str:
    found = spoken().ngettext(one, several, count)
    # What is the same for one and for several in English may be two forms elsewhere, or one form in the catalogues too.
    return spoken().gettext(one) if found == one == several else found


def lazy_gettext(message: str) -> LazyProxy:
    """A message that is looked up when it is written: for what is made before a visitor comes."""
    return LazyProxy(gettext, message, enable_cache=False)


def marked(message: str) -> str:
    """The message itself, marked as one that catalogues have to have; it is translated where it is said."""
    return message


def marked_plural(one: str, several: str) -> tuple[str, str]:
    """Both forms of a message, marked for the catalogues likewise."""
    return one, several


def install(environment: Environment) -> None:
    """Let templates speak: ``_``, ``ngettext`` and the filter ``say``.

    Jinja's own extension fills in each message, though most have nothing to fill in: a tenth of the time of a page.
    """
    environment.filters["say"] = say
    environment.globals.update(_=_message, ngettext=_messages)
    environment.globals.update(language=language, languages=known_languages, here=_here, decimal_comma=decimal_comma)


def _message(message: str, **parts: object) -> Markup:
    """What a template says, its parts escaped; a per cent sign is doubled in it."""
    found = Markup(say(message))  # noqa: S704 - a template's own words
    return found % parts if parts or "%" in found else found


def _messages(one: str, several: str, count: int, **parts: object) -> Markup:
    return Markup(_form(one, several, count)) % {"num": count, **parts}  # noqa: S704 - a template's own words


def _here() -> str:
    """The address to come back to with another language."""
    return own_page(request.full_path.removesuffix("?")) or url_for("practice.bank")
