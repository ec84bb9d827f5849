"""Question banks for learning platforms: Moodle XML, QTI 1.2 (as Canvas reads it), QTI 2.1, and GIFT.

Each knows the tolerance of every value and, as ranges of wrong answers, what each known mistake gives; a slip's
consequences further down they can't follow, which is what the site itself is for.
"""

import base64
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from quizprop.exercise.conventions import conventions
from quizprop.exercise.instance import Cell, Instance
from quizprop.exercise.question import Question, in_text
from quizprop.exercise.solution import Solution
from quizprop.exercise.wrong_answers import WrongAnswer, known_wrong
from quizprop.web import sheet
from quizprop.web.languages import gettext, say
from quizprop.web.rendering import emphasis, markdown
from quizprop.web.worksheets import Printed

__all__ = ["FORMATS", "NoSuchQuestionError", "gift", "moodle_xml", "qti_1_2", "qti_2_1"]

_CLOZE: Final = re.compile(r'([}#~/"\\])')
_GIFT: Final = re.compile(r"([~=#{}:\\])")
_PLAIN: Final = re.compile(r"\*([^*]+)\*")
_XHTML: Final = "http://www.w3.org/1999/xhtml"
_QTI_21: Final = "http://www.imsglobal.org/xsd/imsqti_v2p1"
_QTI_12: Final = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
_CP: Final = "http://www.imsglobal.org/xsd/imscp_v1p1"


class NoSuchQuestionError(ValueError):
    """The format has no such question; the message says which has."""


# --- what they share ------------------------------------------------------------------------------------------------


def _stem(one: Printed, notation: str) -> str:
    """The exercise's words, rules and numbers as HTML, formulas as LaTeX as MathJax reads it."""
    instance = one.instance.as_sheet
    rules = "; ".join(
        " ".join(filter(None, [f"<b>{escape(say(rule.name))}:</b>", escape(say(rule.words)), _tex(rule.latex)]))
        for rule in conventions(instance, notation)
    )
    rows = "".join(
        f"<tr><th scope='row'>{escape(say(row.title))} {_tex(row.unit.latex) if row.unit else ''}</th><td>"
        + ", ".join(f"{_tex(name.latex)} = {escape(value)}" for _, name, value in row.values)
        + "</td></tr>"
        for row in sheet.givens(instance, notation)
    )
    return f"{markdown(say(instance.exercise.sentence))}<p>{rules}</p><table>{rows}</table>"


def _tex(latex: str) -> str:
    return rf"\({escape(latex)}\)" if latex else ""


def _worked(instance: Instance, notation: str) -> str:
    """The worked solution as HTML."""
    whole = instance.as_sheet
    solution = Solution(whole, notation, whole.exercise.places)
    return "".join(f"<p>{_tex(solution.line(cell).latex)}</p>" for cell in whole.steps)


def _picture(instance: Instance, notation: str) -> str:
    return str(sheet.diagram(instance.as_sheet, notation, {}))


def _name(instance: Instance, cell: Cell, notation: str) -> str:
    return Solution(instance, notation, instance.exercise.places).symbol(cell.key).latex


def _said(wrong: WrongAnswer) -> str:
    return _PLAIN.sub(r"\1", say(wrong.said))


def _number(value: float) -> str:
    return f"{value:.10g}"


def _words(question: Question, instance: Instance, notation: str) -> tuple[str, list[str]]:
    def words(phrase: str) -> str:
        return say(in_text(phrase, instance.model, notation))

    return words(question.words), [words(option.words) for option in question.options]


def _notation(one: Printed, wanted: str | None) -> str:
    chosen = wanted or one.instance.exercise.notation
    return "course" if one.instance.network is None and chosen != "plain" else chosen


# --- Moodle ---------------------------------------------------------------------------------------------------------


def moodle_xml(sheets: Iterable[Printed], *, title: str, notation: str | None = None) -> bytes:
    """A question bank for Moodle: a category, and in it a cloze question for each sheet.

    Each value is a numerical gap with its tolerance; the ranges of known mistakes say what was mistaken. The general
    feedback is the worked solution.
    """
    quiz = Element("quiz")
    category = SubElement(quiz, "question", type="category")
    SubElement(SubElement(category, "category"), "text").text = f"$course$/quizprop/{title.replace('/', '//')}"
    for one in sheets:
        quiz.append(_cloze(one, _notation(one, notation)))
    return _written(quiz)


def _cloze(one: Printed, notation: str) -> Element:
    instance = one.instance
    question = Element("question", type="cloze")
    SubElement(SubElement(question, "name"), "text").text = f"{say(instance.exercise.title)} {one.code}"
    text = SubElement(question, "questiontext", format="html")
    picture = '<p><img src="@@PLUGINFILE@@/network.svg" alt="" style="max-width: 100%"></p>'
    gaps = "".join(_choices(instance, notation) if instance.questions else _gaps(instance, notation))
    SubElement(text, "text").text = _stem(one, notation) + picture + gaps
    drawn = SubElement(text, "file", name="network.svg", path="/", encoding="base64")
    drawn.text = base64.b64encode(_picture(instance, notation).encode()).decode()
    feedback = SubElement(question, "generalfeedback", format="html")
    SubElement(feedback, "text").text = _worked(instance, notation)
    SubElement(question, "penalty").text = "0.1"
    SubElement(question, "hidden").text = "0"
    SubElement(question, "idnumber").text = one.code
    return question


def _gaps(instance: Instance, notation: str) -> Iterator[str]:
    phase = None
    for cell in instance.cells:
        if cell.phase != phase:
            yield f"<h4>{escape(say(cell.phase.heading))}</h4>"
            phase = cell.phase
        yield f"<p>{_tex(_name(instance, cell, notation))} = {_gap(instance, cell)}</p>"


def _gap(instance: Instance, cell: Cell) -> str:
    if cell.options:
        right = round(instance.values[cell.key])
        options = [("=" if at == right else "~") + _cloze_text(say(word)) for at, word in enumerate(cell.options)]
        return "{1:MULTICHOICE:" + "~".join(one.removeprefix("~") for one in options) + "}"
    parts = [f"={_number(instance.values[cell.key])}:{_number(instance.tolerances[cell.key])}"]
    parts += [
        f"%0%{_number(one.value)}:{_number(one.tolerance)}#{_cloze_text(_said(one))}"
        for one in known_wrong(instance, cell.key)
    ]
    return "{1:NUMERICAL:" + "~".join(parts) + "}"


def _choices(instance: Instance, notation: str) -> Iterator[str]:
    for question in instance.questions:
        words, options = _words(question, instance, notation)
        parts = [
            ("=" if at == question.right else "") + _cloze_text(option) + _option_said(question, at)
            for at, option in enumerate(options, start=1)
        ]
        yield f"<p>{escape(words)}</p><p>{{1:MULTICHOICE_V:{'~'.join(parts)}}}</p>"


def _option_said(question: Question, at: int) -> str:
    said = question.option(at).said
    return f"#{_cloze_text(_PLAIN.sub(chr(92) + '1', say(said)))}" if said and at != question.right else ""


def _cloze_text(text: str) -> str:
    return escape(_CLOZE.sub(r"\\\1", text), quote=False)


# --- GIFT -----------------------------------------------------------------------------------------------------------


def gift(sheets: Iterable[Printed], *, title: str, notation: str | None = None) -> bytes:
    """Questions in GIFT, one for each value or choice: the format has no sheets.

    A value is numerical with its tolerance and the ranges of known mistakes.
    """
    lines = [f"$CATEGORY: quizprop/{title.replace('/', '-')}", ""]
    for one in sheets:
        instance, chosen = one.instance, _notation(one, notation)
        stem = _gift_text(_stem(one, chosen))
        for question in instance.questions:
            words, options = _words(question, instance, chosen)
            marks = ("=" if at == question.right else "~" for at in range(1, len(options) + 1))
            answers = " ".join(f"{mark}{_gift_text(option)}" for mark, option in zip(marks, options, strict=True))
            lines.append(
                f"::{_gift_text(f'{one.code} {question.key}')}::[html]{stem} {_gift_text(escape(words))} {{{answers}}}"
            )
        for cell in () if instance.questions else instance.cells:
            name = _gift_text(f"<p>{_tex(_name(instance, cell, chosen))} = ?</p>")
            lines.append(
                f"::{_gift_text(f'{one.code} {cell.key}')}::[html]{stem} {name} {{{_gift_answer(instance, cell)}}}"
            )
        lines.append("")
    return "\n\n".join(lines).encode()


def _gift_answer(instance: Instance, cell: Cell) -> str:
    if cell.options:
        right = round(instance.values[cell.key])
        return " ".join(("=" if at == right else "~") + _gift_text(say(word)) for at, word in enumerate(cell.options))
    parts = [f"=%100%{_number(instance.values[cell.key])}:{_number(instance.tolerances[cell.key])}"]
    parts += [
        f"=%0%{_number(one.value)}:{_number(one.tolerance)}#{_gift_text(_said(one))}"
        for one in known_wrong(instance, cell.key)
    ]
    return "#" + " ".join(parts)


def _gift_text(text: str) -> str:
    return _GIFT.sub(r"\\\1", " ".join(text.split()))


# --- QTI 1.2 --------------------------------------------------------------------------------------------------------


def qti_1_2(sheets: Iterable[Printed], *, title: str, notation: str | None = None) -> bytes:
    """A QTI 1.2 package as Canvas reads it: a section for each sheet, with a question for each value or choice."""
    root = Element("questestinterop", xmlns=_QTI_12)
    assessment = SubElement(root, "assessment", ident=_ident("assessment", title), title=title)
    whole = SubElement(assessment, "section", ident="root_section")
    for one in sheets:
        chosen = _notation(one, notation)
        section = SubElement(whole, "section", ident=_ident("sheet", one.code), title=one.code)
        section.append(
            _item_12(
                _ident("text", one.code), one.code, "text_only_question", _stem(one, chosen) + _inline(one, chosen)
            )
        )
        for key, item in _items_12(one, chosen):
            item.set("ident", _ident("item", f"{one.code} {key}"))
            section.append(item)
    body = _written(root)
    return _package([("quizprop/quizprop.xml", body)], kind="imsqti_xmlv1p2", href="quizprop/quizprop.xml", title=title)


def _inline(one: Printed, notation: str) -> str:
    drawn = base64.b64encode(_picture(one.instance, notation).encode()).decode()
    return f'<p><img alt="" src="data:image/svg+xml;base64,{drawn}"></p>'


def _items_12(one: Printed, notation: str) -> Iterator[tuple[str, Element]]:
    instance = one.instance
    for question in instance.questions:
        words, options = _words(question, instance, notation)
        yield question.key, _choice_12(one.code, escape(words), options, question.right - 1)
    for cell in () if instance.questions else instance.cells:
        name = f"<p>{_tex(_name(instance, cell, notation))} = ?</p>"
        if cell.options:
            yield cell.key, _choice_12(one.code, name, list(map(say, cell.options)), round(instance.values[cell.key]))
        else:
            yield cell.key, _numerical_12(one.code, name, instance, cell)


def _item_12(ident: str, title: str, kind: str, html: str) -> Element:
    item = Element("item", ident=ident, title=title)
    fields = SubElement(SubElement(item, "itemmetadata"), "qtimetadata")
    for label, entry in (("question_type", kind), ("points_possible", "0" if kind.startswith("text") else "1")):
        field = SubElement(fields, "qtimetadatafield")
        SubElement(field, "fieldlabel").text, SubElement(field, "fieldentry").text = label, entry
    SubElement(SubElement(SubElement(item, "presentation"), "material"), "mattext", texttype="text/html").text = html
    return item


def _numerical_12(code: str, html: str, instance: Instance, cell: Cell) -> Element:
    item = _item_12("", f"{code} {cell.key}", "numerical_question", html)
    response = SubElement(item[1], "response_str", ident="response1", rcardinality="Single")
    SubElement(SubElement(response, "render_fib", fibtype="Decimal"), "response_label", ident="answer1")
    processing = _outcome_12(item)
    right, reach = instance.values[cell.key], instance.tolerances[cell.key]
    _range_12(processing, right, reach, score="100")
    for at, wrong in enumerate(known_wrong(instance, cell.key), start=1):
        _range_12(processing, wrong.value, wrong.tolerance, feedback=f"wrong{at}")
        flow = SubElement(SubElement(item, "itemfeedback", ident=f"wrong{at}"), "flow_mat")
        SubElement(SubElement(flow, "material"), "mattext", texttype="text/html").text = str(emphasis(say(wrong.said)))
    return item


def _range_12(processing: Element, value: float, reach: float, *, score: str = "", feedback: str = "") -> None:
    condition = SubElement(processing, "respcondition", attrib={"continue": "No"})
    either = SubElement(SubElement(condition, "conditionvar"), "or")
    SubElement(either, "varequal", respident="response1").text = _number(value)
    both = SubElement(either, "and")
    SubElement(both, "vargte", respident="response1").text = _number(value - reach)
    SubElement(both, "varlte", respident="response1").text = _number(value + reach)
    if score:
        SubElement(condition, "setvar", action="Set", varname="SCORE").text = score
    if feedback:
        SubElement(condition, "displayfeedback", feedbacktype="Response", linkrefid=feedback)


def _choice_12(code: str, html: str, options: list[str], right: int) -> Element:
    item = _item_12("", code, "multiple_choice_question", html)
    response = SubElement(item[1], "response_lid", ident="response1", rcardinality="Single")
    render = SubElement(response, "render_choice")
    for at, option in enumerate(options):
        label = SubElement(render, "response_label", ident=f"option{at}")
        SubElement(SubElement(label, "material"), "mattext", texttype="text/plain").text = option
    condition = SubElement(_outcome_12(item), "respcondition", attrib={"continue": "No"})
    SubElement(SubElement(condition, "conditionvar"), "varequal", respident="response1").text = f"option{right}"
    SubElement(condition, "setvar", action="Set", varname="SCORE").text = "100"
    return item


def _outcome_12(item: Element) -> Element:
    processing = SubElement(item, "resprocessing")
    SubElement(
        SubElement(processing, "outcomes"), "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal"
    )
    return processing


# --- QTI 2.1 --------------------------------------------------------------------------------------------------------


def qti_2_1(sheets: Iterable[Printed], *, title: str, notation: str | None = None) -> bytes:
    """A QTI 2.1 package: an item for each sheet, with a gap for each value, its tolerance, and what mistakes give."""
    items = [(one, _item_21(one, _notation(one, notation))) for one in sheets]
    return _package(
        [(f"{_ident('item', one.code)}.xml", _written(item)) for one, item in items],
        kind="imsqti_item_xmlv2p1",
        href=None,
        title=title,
    )


def _item_21(one: Printed, notation: str) -> Element:
    instance = one.instance
    if instance.questions:
        raise NoSuchQuestionError(f"{instance.exercise.slug} asks questions: take moodle, gift or qti12 for them")
    item = Element(
        "assessmentItem",
        xmlns=_QTI_21,
        identifier=_ident("item", one.code),
        title=f"{instance.exercise.title} {one.code}",
    )
    item.set("adaptive", "false")
    item.set("timeDependent", "false")
    for at, cell in enumerate(instance.cells, start=1):
        declared = SubElement(item, "responseDeclaration", identifier=f"R{at}", cardinality="single", baseType="float")
        SubElement(SubElement(declared, "correctResponse"), "value").text = _number(instance.values[cell.key])
    for name, kind, many in (
        ("SCORE", "float", "single"),
        ("MAXSCORE", "float", "single"),
        ("SAID", "identifier", "multiple"),
    ):
        declared = SubElement(item, "outcomeDeclaration", identifier=name, cardinality=many, baseType=kind)
        if many == "single":
            value = "0" if name == "SCORE" else str(len(instance.cells))
            SubElement(SubElement(declared, "defaultValue"), "value").text = value
    _body_21(item, one, notation)
    processing, feedback = SubElement(item, "responseProcessing"), list[Element]()
    for at, cell in enumerate(instance.cells, start=1):
        feedback += _judge_21(processing, instance, cell, at)
    item.extend(feedback)
    return item


def _body_21(item: Element, one: Printed, notation: str) -> None:
    body = SubElement(item, "itemBody")
    instance = one.instance
    SubElement(body, "p").text = say(instance.exercise.sentence)
    table = SubElement(SubElement(body, "table"), "tbody")
    for row in sheet.givens(instance, notation):
        line = SubElement(table, "tr")
        SubElement(line, "th").text = say(row.title)
        SubElement(line, "td").text = ", ".join(f"{name.text} = {value}" for _, name, value in row.values)
    drawn = base64.b64encode(_picture(instance, notation).encode()).decode()
    SubElement(SubElement(body, "p"), "img", src=f"data:image/svg+xml;base64,{drawn}", alt=gettext("The network"))
    solution = Solution(instance, notation, instance.exercise.places)
    for at, cell in enumerate(instance.cells, start=1):
        line = SubElement(body, "p")
        line.text = f"{solution.symbol(cell.key).text} = "
        SubElement(line, "textEntryInteraction", responseIdentifier=f"R{at}", expectedLength="12")


def _judge_21(processing: Element, instance: Instance, cell: Cell, at: int) -> Iterator[Element]:
    condition = SubElement(processing, "responseCondition")
    first = SubElement(condition, "responseIf")
    _equal_21(first, at, instance.values[cell.key], instance.tolerances[cell.key])
    added = SubElement(SubElement(first, "setOutcomeValue", identifier="SCORE"), "sum")
    SubElement(added, "variable", identifier="SCORE")
    SubElement(added, "baseValue", baseType="float").text = "1"
    for number, wrong in enumerate(known_wrong(instance, cell.key), start=1):
        name = f"F{at}_{number}"
        other = SubElement(condition, "responseElseIf")
        _equal_21(other, at, wrong.value, wrong.tolerance)
        said = SubElement(SubElement(other, "setOutcomeValue", identifier="SAID"), "multiple")
        SubElement(said, "variable", identifier="SAID")
        SubElement(said, "baseValue", baseType="identifier").text = name
        told = Element("modalFeedback", outcomeIdentifier="SAID", showHide="show", identifier=name)
        told.text = f"{cell.key}: {_said(wrong)}"
        yield told


def _equal_21(parent: Element, at: int, value: float, reach: float) -> None:
    both = SubElement(parent, "and")
    present = SubElement(SubElement(both, "not"), "isNull")
    SubElement(present, "variable", identifier=f"R{at}")
    equal = SubElement(both, "equal", toleranceMode="absolute", tolerance=f"{_number(reach)} {_number(reach)}")
    SubElement(equal, "variable", identifier=f"R{at}")
    SubElement(equal, "baseValue", baseType="float").text = _number(value)


# --- packages -------------------------------------------------------------------------------------------------------


def _package(files: list[tuple[str, bytes]], *, kind: str, href: str | None, title: str) -> bytes:
    manifest = Element("manifest", xmlns=_CP, identifier=_ident("manifest", title))
    about = SubElement(manifest, "metadata")
    SubElement(about, "schema").text = "QTIv2.1 Package" if href is None else "IMS Content"
    SubElement(about, "schemaversion").text = "1.0.0" if href is None else "1.1.3"
    SubElement(manifest, "organizations")
    resources = SubElement(manifest, "resources")
    for at, (name, _) in enumerate(files, start=1):
        resource = SubElement(resources, "resource", identifier=f"resource{at}", type=kind, href=name)
        SubElement(resource, "file", href=name)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [("imsmanifest.xml", _written(manifest)), *files]:
            # A fixed date: the same sheets give the same bytes.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _ident(kind: str, text: str) -> str:
    return f"{kind}_{re.sub(r'[^A-Za-z0-9]+', '_', text)}"


def _written(root: Element) -> bytes:
    indent(root, " ")
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


FORMATS: Final[Mapping[str, Any]] = {
    "moodle": (moodle_xml, ".xml"),
    "qti12": (qti_1_2, ".zip"),
    "qti21": (qti_2_1, ".zip"),
    "gift": (gift, ".gift"),
}
"""By the name of the format, what writes it, and how the names of its files end."""
