"""Question banks for learning platforms: Moodle XML, QTI 1.2 (as Canvas reads it), QTI 2.1 and 3.0, and GIFT.

Each knows the tolerance of every value and, as ranges of wrong answers, what each known mistake gives; a slip's
consequences further down they can't follow, which is what the site itself is for.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement

from quizprop.exercise.cells import Cell
from quizprop.exercise.instance import Instance
from quizprop.exercise.question import Question
from quizprop.exercise.wrong_answers import known_wrong
from quizprop.web.languages import say
from quizprop.web.platforms import (
    Kind,
    as_xml,
    cell_latex,
    digits,
    ident,
    notation_of,
    package,
    picture,
    plainly,
    question_html,
    stem_html,
    tex,
    worked_html,
)
from quizprop.web.qti import qti_2_1, qti_3_0
from quizprop.web.rendering import emphasis
from quizprop.web.worksheets import Printed

__all__ = ["FORMATS", "gift", "moodle_xml", "qti_1_2"]

_CLOZE: Final = re.compile(r"([}#~])")
"""What ends an option or its feedback. Moodle's documentation tells to escape more, which Moodle then shows escaped."""
_GIFT: Final = re.compile(r"([~=#{}:\\])")
_QTI_12: Final = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
_KIND_12: Final = Kind("imsqti_xmlv1p2", "http://www.imsglobal.org/xsd/imscp_v1p1", "IMS Content", "1.1.3")


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
        quiz.append(_cloze(one, notation_of(one, notation)))
    return as_xml(quiz)


def _cloze(one: Printed, notation: str) -> Element:
    instance = one.instance
    question = Element("question", type="cloze")
    SubElement(SubElement(question, "name"), "text").text = f"{say(instance.exercise.title)} {one.code}"
    text = SubElement(question, "questiontext", format="html")
    drawn = picture(instance, notation)
    drawing = '<p><img src="@@PLUGINFILE@@/network.svg" alt="" style="max-width: 100%"></p>' if drawn else ""
    gaps = "".join(_choices(instance, notation) if instance.questions else _gaps(instance, notation))
    SubElement(text, "text").text = stem_html(one, notation) + drawing + gaps
    if drawn:
        SubElement(text, "file", name="network.svg", path="/", encoding="base64").text = drawn
    feedback = SubElement(question, "generalfeedback", format="html")
    SubElement(feedback, "text").text = worked_html(instance, notation)
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
        yield f"<p>{tex(cell_latex(instance, cell, notation))} = {_gap(instance, cell)}</p>"


def _gap(instance: Instance, cell: Cell) -> str:
    if cell.options:
        right = round(instance.values[cell.key])
        options = [("=" if at == right else "~") + _cloze_text(say(word)) for at, word in enumerate(cell.options)]
        return "{1:MULTICHOICE:" + "~".join(one.removeprefix("~") for one in options) + "}"
    parts = [f"={digits(instance.values[cell.key])}:{digits(instance.tolerances[cell.key])}"]
    parts += [
        f"%0%{digits(one.value)}:{digits(one.tolerance)}#{_cloze_text(plainly(one.said))}"
        for one in known_wrong(instance, cell.key)
    ]
    return "{1:NUMERICAL:" + "~".join(parts) + "}"


def _choices(instance: Instance, notation: str) -> Iterator[str]:
    for question in instance.questions:
        words, options = question_html(question, instance, notation)
        parts = [
            ("=" if at == question.right else "") + _cloze_text(option) + _option_said(question, at)
            for at, option in enumerate(options, start=1)
        ]
        yield f"<p>{words}</p><p>{{1:MULTICHOICE_V:{'~'.join(parts)}}}</p>"


def _option_said(question: Question, at: int) -> str:
    said = question.option(at).said
    return f"#{_cloze_text(plainly(said))}" if said and at != question.right else ""


def _cloze_text(text: str) -> str:
    return escape(_CLOZE.sub(r"\\\1", text), quote=False)


# --- GIFT -----------------------------------------------------------------------------------------------------------


def gift(sheets: Iterable[Printed], *, title: str, notation: str | None = None) -> bytes:
    """Questions in GIFT, one for each value or choice: the format has no sheets.

    A value is numerical with its tolerance and the ranges of known mistakes.
    """
    lines = [f"$CATEGORY: quizprop/{title.replace('/', '-')}", ""]
    for one in sheets:
        instance, chosen = one.instance, notation_of(one, notation)
        stem = _gift_text(stem_html(one, chosen))
        for question in instance.questions:
            words, options = question_html(question, instance, chosen)
            marks = ("=" if at == question.right else "~" for at in range(1, len(options) + 1))
            answers = " ".join(f"{mark}{_gift_text(option)}" for mark, option in zip(marks, options, strict=True))
            lines.append(
                f"::{_gift_text(f'{one.code} {question.key}')}::[html]{stem} {_gift_text(words)} {{{answers}}}"
            )
        for cell in () if instance.questions else instance.cells:
            name = _gift_text(f"<p>{tex(cell_latex(instance, cell, chosen))} = ?</p>")
            lines.append(
                f"::{_gift_text(f'{one.code} {cell.key}')}::[html]{stem} {name} {{{_gift_answer(instance, cell)}}}"
            )
        lines.append("")
    return "\n\n".join(lines).encode()


def _gift_answer(instance: Instance, cell: Cell) -> str:
    if cell.options:
        right = round(instance.values[cell.key])
        return " ".join(("=" if at == right else "~") + _gift_text(say(word)) for at, word in enumerate(cell.options))
    parts = [f"=%100%{digits(instance.values[cell.key])}:{digits(instance.tolerances[cell.key])}"]
    parts += [
        f"=%0%{digits(one.value)}:{digits(one.tolerance)}#{_gift_text(plainly(one.said))}"
        for one in known_wrong(instance, cell.key)
    ]
    return "#" + " ".join(parts)


def _gift_text(text: str) -> str:
    return _GIFT.sub(r"\\\1", " ".join(text.split()))


# --- QTI 1.2 --------------------------------------------------------------------------------------------------------


def qti_1_2(sheets: Iterable[Printed], *, title: str, notation: str | None = None) -> bytes:
    """A QTI 1.2 package as Canvas reads it: a section for each sheet, with a question for each value or choice."""
    root = Element("questestinterop", xmlns=_QTI_12)
    assessment = SubElement(root, "assessment", ident=ident("assessment", title), title=title)
    whole = SubElement(assessment, "section", ident="root_section")
    for one in sheets:
        chosen = notation_of(one, notation)
        section = SubElement(whole, "section", ident=ident("sheet", one.code), title=one.code)
        section.append(
            _item_12(
                ident("text", one.code), one.code, "text_only_question", stem_html(one, chosen) + _inline(one, chosen)
            )
        )
        for key, item in _items_12(one, chosen):
            item.set("ident", ident("item", f"{one.code} {key}"))
            section.append(item)
    body = as_xml(root)
    return package([("quizprop/quizprop.xml", body)], _KIND_12, title=title)


def _inline(one: Printed, notation: str) -> str:
    drawn = picture(one.instance, notation)
    return f'<p><img alt="" src="data:image/svg+xml;base64,{drawn}"></p>' if drawn else ""


def _items_12(one: Printed, notation: str) -> Iterator[tuple[str, Element]]:
    instance = one.instance
    for question in instance.questions:
        words, options = question_html(question, instance, notation)
        yield question.key, _choice_12(one.code, f"<p>{words}</p>", options, question.right - 1)
    for cell in () if instance.questions else instance.cells:
        name = f"<p>{tex(cell_latex(instance, cell, notation))} = ?</p>"
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
        SubElement(
            SubElement(flow, "material"), "mattext", texttype="text/html"
        ).text = f"<p>{emphasis(say(wrong.said))}</p>"
    return item


def _range_12(processing: Element, value: float, reach: float, *, score: str = "", feedback: str = "") -> None:
    condition = SubElement(processing, "respcondition", attrib={"continue": "No"})
    either = SubElement(SubElement(condition, "conditionvar"), "or")
    SubElement(either, "varequal", respident="response1").text = digits(value)
    both = SubElement(either, "and")
    SubElement(both, "vargte", respident="response1").text = digits(value - reach)
    SubElement(both, "varlte", respident="response1").text = digits(value + reach)
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


FORMATS: Final[Mapping[str, Any]] = {
    "moodle": (moodle_xml, ".xml"),
    "qti12": (qti_1_2, ".zip"),
    "qti21": (qti_2_1, ".zip"),
    "qti3": (qti_3_0, ".zip"),
    "gift": (gift, ".gift"),
}
"""By the name of the format, what writes it, and how the names of its files end."""
