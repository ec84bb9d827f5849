"""Print by Typst: formulas, which are MathML, as Typst's own markup, and a document from a template and its data.

Typst comes with the extra ``pdf``.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element, fromstring

from quizprop.exercise.notation import mathml

__all__ = ["NoTypstError", "pdf", "qr_code", "typst_math"]

_NO_TYPST: Final = "For PDF install the extra pdf: pip install 'quizprop[pdf]'. HTML prints without it."
_ACCENTS: Final = {
    "^": "hat",
    "~": "tilde",
    "¯": "overline",
    "‾": "overline",
    "_": "overline",
}
_SPECIAL: Final = frozenset("\\$#_^/&'\"()[]{},;:*~`@<>|!-=.")


class NoTypstError(RuntimeError):
    """Typst is not installed; the message says how to get it."""


@lru_cache(maxsize=8192)
def typst_math(latex: str) -> str:
    """LaTeX as the inside of a Typst formula.

    Raises:
        ValueError: the LaTeX can't be read.
    """
    return _math(fromstring(mathml(latex)))  # noqa: S314 - our own MathML, cleaned of everything else


def _math(node: Element) -> str:
    parts = [_math(child) for child in node]
    text = "".join(node.itertext())
    name = node.tag.rpartition("}")[2]
    if name in _LEAVES:
        return _LEAVES[name](text)
    if name in _SHAPES:
        return _SHAPES[name].format(*parts)
    if name == "mover":
        accent = "".join(node[1].itertext()).strip()
        return f"{_ACCENTS.get(accent, 'hat')}({parts[0]})"
    inside = " ".join(filter(None, parts)) or "zws"
    return f"sqrt({inside})" if name == "msqrt" else inside


def _identifier(text: str) -> str:
    """A single letter is italic, several are a name."""
    return text if len(text) == 1 and text.isalpha() else f"upright({json.dumps(text, ensure_ascii=False)})"


def _operator(text: str) -> str:
    text = text.strip()
    if text == "-":
        text = "−"
    return "".join(f"\\{sign}" if sign in _SPECIAL else sign for sign in text) or "zws"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


_LEAVES: Final[Mapping[str, Callable[[str], str]]] = {
    "mi": _identifier,
    "mn": _quoted,
    "mtext": _quoted,
    "mo": _operator,
    "mspace": lambda _text: "thin",
}
_SHAPES: Final = {
    "msub": "attach({0}, b: {1})",
    "msup": "attach({0}, t: {1})",
    "msubsup": "attach({0}, b: {1}, t: {2})",
    "mfrac": "frac({0}, {1})",
}


def qr_code(text: str) -> str | None:
    """A QR code as SVG; None where the package that draws it is not installed."""
    try:
        segno = import_module("segno")
    except ImportError:
        return None
    drawn: str = segno.make(text, error="m").svg_inline(border=0, scale=4, omitsize=True)
    return drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) if "xmlns" not in drawn else drawn


def pdf(template: str, data: Mapping[str, Any]) -> bytes:
    """The document that a template of `quizprop.web.paper` makes of this data.

    Raises:
        NoTypstError: Typst is not installed.
    """
    try:
        typst = import_module("typst")
    except ImportError as error:
        raise NoTypstError(_NO_TYPST) from error
    with tempfile.TemporaryDirectory(prefix="quizprop-") as folder:
        root = Path(folder)
        source = (files("quizprop.web") / "paper" / template).read_text(encoding="utf-8")
        (root / template).write_text(source, encoding="utf-8")
        (root / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        made: bytes = typst.compile(str(root / template), root=folder)
    return made
