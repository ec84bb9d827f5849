"""What the question banks of learning platforms share: the exercise in words, numbers as text, packages of files."""

import base64
import io
import re
import zipfile
from dataclasses import dataclass
from html import escape
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from quizprop.exercise.cells import Cell
from quizprop.exercise.conventions import conventions
from quizprop.exercise.instance import Instance
from quizprop.exercise.question import Question, in_text, spoken
from quizprop.exercise.solution import Solution
from quizprop.web import sheet
from quizprop.web.languages import say
from quizprop.web.rendering import markdown
from quizprop.web.worksheets import Printed

__all__ = [
    "Kind",
    "as_xml",
    "cell_latex",
    "digits",
    "for_xml",
    "ident",
    "notation_of",
    "package",
    "picture",
    "plainly",
    "question_html",
    "question_words",
    "stem_html",
    "tex",
    "worked_html",
]

_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_PLAIN: Final = re.compile(r"\*([^*]+)\*")


def stem_html(one: Printed, notation: str) -> str:
    """The exercise's words, rules and numbers as HTML, formulas as LaTeX as MathJax reads it."""
    instance = one.instance.as_sheet
    rules = "; ".join(
        " ".join(filter(None, [f"<b>{escape(say(rule.name))}:</b>", escape(say(rule.words)), tex(rule.latex)]))
        for rule in conventions(instance, notation)
    )
    rows = "".join(
        f"<tr><th scope='row'>{escape(say(row.title))} {tex(row.unit.latex) if row.unit else ''}</th><td>"
        + ", ".join(f"{tex(name.latex)} = {escape(value)}" for _, name, value in row.values)
        + "</td></tr>"
        for row in sheet.givens(instance, notation)
    )
    return f"{markdown(say(instance.exercise.sentence))}<p>{rules}</p><table>{rows}</table>"


def tex(latex: str) -> str:
    """LaTeX between the marks that MathJax looks for."""
    return rf"\({escape(latex)}\)" if latex else ""


def worked_html(instance: Instance, notation: str) -> str:
    """The worked solution as HTML."""
    whole = instance.as_sheet
    solution = Solution(whole, notation, whole.exercise.places)
    return "".join(f"<p>{tex(solution.line(cell).latex)}</p>" for cell in whole.steps)


def picture(instance: Instance, notation: str) -> str:
    """The drawing, SVG in base64; nothing where it would be the answer."""
    return base64.b64encode(str(sheet.diagram(instance.as_sheet, notation, {})).encode()).decode()


def cell_latex(instance: Instance, cell: Cell, notation: str) -> str:
    """A cell's name in LaTeX."""
    return Solution(instance, notation, instance.exercise.places).symbol(cell.key).latex


def plainly(words: str) -> str:
    """A tutor's sentence without its emphasis."""
    return _PLAIN.sub(r"\1", say(words))


def digits(value: float) -> str:
    """A number as text, to ten digits."""
    return f"{value:.10g}"


def question_html(question: Question, instance: Instance, notation: str) -> tuple[str, list[str]]:
    """What a question asks, its symbols as `stem_html` writes them; and its options, as text."""
    pieces = spoken(say(question.words), instance.model, notation)
    words = "".join(escape(piece) if isinstance(piece, str) else tex(piece.latex) for piece in pieces)
    return words, _options(question, instance, notation)


def question_words(question: Question, instance: Instance, notation: str) -> tuple[str, list[str]]:
    """What a question asks, and its options, as text."""
    return in_text(say(question.words), instance.model, notation), _options(question, instance, notation)


def _options(question: Question, instance: Instance, notation: str) -> list[str]:
    return [in_text(say(option.words), instance.model, notation) for option in question.options]


def notation_of(one: Printed, wanted: str | None) -> str:
    """The notation wanted, or the exercise's own; where there is no network, one that needs none."""
    chosen = wanted or one.instance.exercise.notation
    return "course" if one.instance.network is None and chosen != "plain" else chosen


@dataclass(frozen=True, slots=True)
class Kind:
    """What a manifest says: the type of its resources, its own namespace, the standard and its version."""

    resource: str
    namespace: str
    schema: str
    version: str


def package(files: list[tuple[str, bytes]], kind: Kind, *, title: str) -> bytes:
    """A content package of these files, by name."""
    manifest = Element("manifest", xmlns=kind.namespace, identifier=ident("manifest", title))
    about = SubElement(manifest, "metadata")
    SubElement(about, "schema").text = kind.schema
    SubElement(about, "schemaversion").text = kind.version
    SubElement(manifest, "organizations")
    resources = SubElement(manifest, "resources")
    for at, (name, _) in enumerate(files, start=1):
        resource = SubElement(resources, "resource", identifier=f"resource{at}", type=kind.resource, href=name)
        SubElement(resource, "file", href=name)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [("imsmanifest.xml", as_xml(manifest)), *files]:
            # A fixed date: the same sheets give the same bytes.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def ident(kind: str, text: str) -> str:
    """An identifier of letters, digits and underscores."""
    return f"{kind}_{re.sub(r'[^A-Za-z0-9]+', '_', text)}"


def as_xml(root: Element) -> bytes:
    """The document, indented."""
    indent(root, " ")
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return for_xml(text.decode()).encode() + b"\n"


def for_xml(text: str) -> str:
    """The text without what XML can't hold in any way of writing, such as control characters."""
    return _NOT_XML.sub("", text)
