"""Words that somebody may want to read in another language.

A `Phrase` is English text and can be used as such; it remembers its template and parts besides, so that whoever shows
it can say it otherwise. What is drawn has to be measured in the words that will stand there: it asks `said`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Phrase", "phrase", "said", "speaking"]

_Voice = Callable[[str], str]


class Phrase(str):
    """The text of a template with its parts filled in. A part that is text may be a phrase, or words, itself."""

    __slots__ = ("parts", "template")

    template: str
    parts: Mapping[str, object]

    def __new__(cls, template: str, parts: Mapping[str, object]) -> "Phrase":
        """Fill in the parts: ``{name}`` in the template."""
        text = super().__new__(cls, template.format_map(parts))
        text.template, text.parts = template, parts
        return text

    def __reduce__(self) -> tuple[type["Phrase"], tuple[str, Mapping[str, object]]]:
        """What a copy is made of."""
        return Phrase, (self.template, self.parts)

    def said_by(self, voice: _Voice) -> str:
        """The phrase as a voice says it, its parts too."""
        parts = {name: voice(part) if isinstance(part, str) else part for name, part in self.parts.items()}
        return voice(self.template).format_map(parts)


def phrase(template: str, **parts: object) -> Phrase:
    """``phrase("hidden layer {number}", number=2)`` is the text "hidden layer 2"."""
    return Phrase(template, parts)


def _as_it_is(text: str) -> str:
    return text


_VOICE: ContextVar[_Voice] = ContextVar("voice", default=_as_it_is)


def said(text: str) -> str:
    """The text as it is to be drawn."""
    return _VOICE.get()(text)


@contextmanager
def speaking(voice: _Voice) -> Iterator[None]:
    """Let pictures speak with a voice while they are drawn."""
    before = _VOICE.set(voice)
    try:
        yield
    finally:
        _VOICE.reset(before)
