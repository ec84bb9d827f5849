"""Collects every message of the program, and brings the catalogues in step: ``make messages``.

What is written in code and templates is found by its calls (`_`, `gettext`, `marked`, `phrase` ...); what formulas,
mistakes, rules and the problem bank say is found by asking all of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

import quizprop
from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.catalogue import LESSONS
from quizprop.engine.lessons.circuit import Circuit
from quizprop.engine.lessons.embedding import Embedding
from quizprop.engine.losses import LOSSES
from quizprop.engine.misconceptions import MISCONCEPTIONS
from quizprop.engine.model import Lesson
from quizprop.engine.network import Network
from quizprop.engine.words import Phrase
from quizprop.exercise.bank import load_bank
from quizprop.exercise.names import NOTATIONS
from quizprop.exercise.skills import load_skills
from quizprop.exercise.why import FORMS, REASONS
from quizprop.web.languages import DOMAINS, ENGLISH, known_languages
from quizprop.web.rendering import words_in

__all__ = ["messages", "read", "update"]

Message = str | tuple[str, str]
"""A message, or its forms for one and for several."""

_PACKAGE: Final = Path(quizprop.__file__).parent
_FOLDER: Final = _PACKAGE / "web" / "translations"
_PHRASES: Final = {"phrase": None}
_MARKS: Final = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "marked": None,
    "ngettext": (1, 2),
    "marked_plural": (1, 2),
}
_ALL_GATES: Final = (
    "a = x + y",
    "b = a * x",
    "c = max(b, y)",
    "d = -c",
    "g = exp(d)",
    "h = 1 + g",
    "k = 1 / h",
    "m = k^2",
    "n = sigmoid(m)",
    "f = tanh(n)",
)
_PLURALS: Final = "nplurals=2; plural=(n != 1);"
_HEADER: Final = """\
msgid ""
msgstr ""
"Language: {code}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""


def messages() -> dict[str, tuple[Message, ...]]:
    """All messages by domain, each once, in the order in which they are found."""
    finders: Mapping[str, Callable[[], Iterator[Message]]] = {"core": _core, "bank": _bank, "pages": _pages}
    seen: set[Message] = set()
    found: dict[str, tuple[Message, ...]] = {}
    for domain in DOMAINS:
        found[domain] = tuple(one for one in dict.fromkeys(finders[domain]()) if one and one not in seen)
        seen.update(found[domain])
    return found


def read(code: str, domain: str) -> Catalog:
    """A catalogue as it is in its file; an empty one where there is none."""
    path = _FOLDER / code / f"{domain}.po"
    return read_po(BytesIO(path.read_bytes()), code) if path.exists() else Catalog(code)


def update(code: str, domain: str, wanted: Iterable[Message]) -> int:
    """Write a catalogue with these messages, each with the translation that it had; returns how many have none."""
    old, new = read(code, domain), Catalog(code)
    # Releases of Babel differ in what they say of Spanish, whose third form is for whole millions.
    new.mime_headers = [("Plural-Forms", _PLURALS)]
    for message in wanted:
        before = old.get(message if isinstance(message, str) else message[0])
        kept = before.string if before is not None and before.id == message else None
        new.add(message, kept if kept is not None else "", flags=before.flags if before is not None and kept else ())
    text = BytesIO()
    write_po(text, new, width=0, no_location=True, omit_header=True)
    path = _FOLDER / code / f"{domain}.po"
    path.parent.mkdir(exist_ok=True)
    header = _HEADER.format(code=code, plural=_PLURALS)
    path.write_text(header + text.getvalue().decode(), encoding="utf-8")
    return sum(not one.string or not all(one.string) for one in new if one.id)


# --- what is written in files ---------------------------------------------------------------------------------------


def _called(folder: Path, pattern: str, method: str, keywords: Mapping[str, Any]) -> Iterator[Message]:
    for path in sorted(folder.rglob(pattern)):
        for _, found, _, _ in extract_from_file(method, path, keywords, options={"newstyle_gettext": "true"}):
            yield found if isinstance(found, str) else (found[0], found[1])


def _pages() -> Iterator[Message]:
    yield from _called(_PACKAGE / "web", "*.html", "jinja2.ext:babel_extract", _MARKS)
    yield from _called(_PACKAGE / "web", "*.py", "python", _MARKS)
    yield from _called(_PACKAGE / "store", "*.py", "python", _PHRASES)


# --- what the core says ---------------------------------------------------------------------------------------------


def _core() -> Iterator[Message]:
    for folder in ("engine", "exercise"):
        yield from _called(_PACKAGE / folder, "*.py", "python", _PHRASES)
    yield from (words for _, words in NOTATIONS)
    yield from words_in(r"\text{all examples}")
    for activation in ACTIVATIONS.values():
        yield from (activation.title, *words_in(activation.latex))
    yield from (loss.title for loss in LOSSES.values())
    for model in _models():
        yield from filter(_has_words, map(_template, _said_by(model)))
    for mistake in MISCONCEPTIONS:
        yield from (mistake.title, mistake.sentence)
    for one, several in REASONS.values():
        yield one if one == several else (one, several)
    yield from FORMS.values()


def _template(text: str) -> str:
    return text.template if isinstance(text, Phrase) else text


def _has_words(text: str) -> bool:
    """Whether there is anything to translate: 2-2-1 is the same in every language."""
    return any(map(str.isalpha, text))


def _said_by(model: Network | Lesson) -> Iterator[str]:
    for quantity in model.graph():
        formula = quantity.formula
        yield from (formula.title, formula.idea, *formula.options, *words_in(formula.latex), *words_in(formula.matrix))
    yield model.outline
    if isinstance(model.outline, Phrase):
        yield from (part for part in model.outline.parts.values() if isinstance(part, str))
    if isinstance(model, Lesson):
        yield from (given.title for given in model.given())
        for rule in model.rules:
            yield from (rule.name, rule.words, *words_in(rule.latex))
        for mistake in model.misconceptions:
            yield from (mistake.title, mistake.sentence)


def _models() -> Iterator[Network | Lesson]:
    """All kinds of networks and lessons with all their options, and those of the bank."""
    for activation, loss, bias in product(ACTIVATIONS, LOSSES, ("unit", "shared", "none")):
        for examples in (1, 2):
            yield from _made(
                Network, layers=(2, 2, 2), activations=("tanh", activation), loss=loss, bias=bias, examples=examples
            )
    for lesson in LESSONS.values():
        for options in _options(lesson):
            yield from _made(lesson, **options)
    yield Circuit(gates=_ALL_GATES)
    yield from (Embedding(words=words) for words in ((1,), (1, 2)))
    yield from (exercise.model for exercise in load_bank().values())


def _made(kind: Callable[..., Network | Lesson], **options: object) -> Iterator[Network | Lesson]:
    try:
        yield kind(**options)
    except ValueError:  # options that do not go together
        return


def _options(lesson: type[Lesson]) -> Iterator[dict[str, object]]:
    """Every combination of the options of which there are finitely many; all others as they are by default."""
    hints = get_type_hints(lesson)
    choices = {each.name: tuple(_choices(hints[each.name])) for each in fields(lesson)}  # type: ignore[arg-type]
    several = {name: values for name, values in choices.items() if values}
    if all(each.name in several or each.default is not MISSING for each in fields(lesson)):  # type: ignore[arg-type]
        for values in product(*several.values()):
            yield dict(zip(several, values, strict=True))


def _choices(hint: object) -> Iterator[object]:
    if hint is bool:
        yield from (False, True)
    elif get_origin(hint) is Literal:
        yield from get_args(hint)


# --- what the problem bank says -------------------------------------------------------------------------------------


def _bank() -> Iterator[Message]:
    for exercise in load_bank().values():
        yield from (exercise.title, exercise.sentence, *exercise.skills)
    for skill in load_skills():
        yield from (skill.name, skill.sentence)


def _main() -> None:
    found = messages()
    for code in known_languages():
        if code != ENGLISH:
            for domain in DOMAINS:
                missing = update(code, domain, found[domain])
                print(f"{code}/{domain}.po: {len(found[domain])} messages, {missing} to translate")  # noqa: T201


if __name__ == "__main__":
    _main()
