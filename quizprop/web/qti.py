"""Packages of QTI 2.1 and 3.0: an item for each sheet, the same item in the words of either.

A value is a gap with its tolerance, a choice a list of options; what known mistakes give is answered in words.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement, fromstring

from quizprop.exercise.conventions import conventions
from quizprop.exercise.instance import Instance
from quizprop.exercise.solution import Solution
from quizprop.exercise.wrong_answers import known_wrong
from quizprop.web import sheet
from quizprop.web.languages import gettext, say
from quizprop.web.platforms import (
    Kind,
    as_xml,
    digits,
    for_xml,
    ident,
    notation_of,
    package,
    picture,
    plainly,
    question_words,
)
from quizprop.web.rendering import markdown, math
from quizprop.web.worksheets import Printed

__all__ = ["qti_2_1", "qti_3_0"]

_OLDER: Final = "http://www.imsglobal.org/xsd/imsqti_v2p1"
_NEWER: Final = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"
_KIND_21: Final = Kind("imsqti_item_xmlv2p1", "http://www.imsglobal.org/xsd/imscp_v1p1", "QTIv2.1 Package", "1.0.0")
_KIND_30: Final = Kind(
    "imsqti_item_xmlv3p0", "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1", "QTI Package", "3.0.0"
)
_MATHML: Final = "http://www.w3.org/1998/Math/MathML"
_HTML: Final = frozenset(
    ("a", "code", "div", "em", "img", "li", "ol", "p", "strong", "table", "tbody", "td", "th", "tr", "ul")
)
_CAPITAL: Final = re.compile(r"(?<=.)([A-Z])")


def qti_2_1(sheets: Iterable[Printed], *, title: str, notation: str | None = None) -> bytes:
    """A QTI 2.1 package."""
    return _packed([(one, _item(one, notation_of(one, notation))) for one in sheets], _KIND_21, title)


def qti_3_0(sheets: Iterable[Printed], *, title: str, notation: str | None = None) -> bytes:
    """A QTI 3.0 package."""
    items = [(one, _renamed(_item(one, notation_of(one, notation)))) for one in sheets]
    for _, item in items:
        item.set("xmlns", _NEWER)
    return _packed(items, _KIND_30, title)


def _packed(items: list[tuple[Printed, Element]], kind: Kind, title: str) -> bytes:
    return package([(f"{ident('item', one.code)}.xml", as_xml(item)) for one, item in items], kind, title=title)


def _renamed(element: Element) -> Element:
    """An element of 2.1 as 3.0 writes it: names with hyphens, its own with a prefix, what is said in a body."""
    if element.tag == "math":
        return element
    own = element.tag not in _HTML
    renamed = Element(f"qti-{_hyphened(element.tag)}" if own else element.tag)
    renamed.attrib.update({_hyphened(name): value for name, value in element.attrib.items()})
    inside = SubElement(renamed, "qti-content-body") if element.tag == "modalFeedback" else renamed
    inside.text, renamed.tail = element.text, element.tail
    inside.extend(map(_renamed, element))
    return renamed


def _hyphened(name: str) -> str:
    return _CAPITAL.sub(r"-\1", name).lower()


# --- what is asked --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asked:
    """A value or a choice, and how it is asked. Of a choice ``right`` is the place of an option.

    ``wrong`` holds what known mistakes give: the value (or place), how far an answer may be from it, and what is said.
    """

    words: str
    right: float
    reach: float
    options: tuple[str, ...]
    wrong: tuple[tuple[float, float, str], ...]

    @property
    def kind(self) -> str:
        """Of its response."""
        return "identifier" if self.options else "float"

    def response(self, value: float) -> str:
        """A value, or the place of an option, as a response."""
        return f"O{round(value) + 1}" if self.options else digits(value)


def _asked(instance: Instance, notation: str) -> Iterator[_Asked]:
    for question in instance.questions:
        words, offered = question_words(question, instance, notation)
        wrong = [(float(at), one.said) for at, one in enumerate(question.options) if at != question.right - 1]
        told = tuple((place, 0.0, plainly(said)) for place, said in wrong if said)
        yield _Asked(words, question.right - 1, 0.0, tuple(offered), told)
    solution = Solution(instance, notation, instance.exercise.places)
    for cell in () if instance.questions else instance.cells:
        found = known_wrong(instance, cell.key)
        name = solution.symbol(cell.key).text
        told = tuple((one.value, one.tolerance, f"{name}: {plainly(one.said)}") for one in found)
        right, reach = instance.values[cell.key], instance.tolerances[cell.key]
        yield _Asked(name, right, reach, tuple(map(say, cell.options)), told)


# --- an item, in the words of 2.1 -----------------------------------------------------------------------------------


def _item(one: Printed, notation: str) -> Element:
    item = Element("assessmentItem", xmlns=_OLDER, identifier=ident("item", one.code))
    item.attrib |= {"title": f"{say(one.instance.exercise.title)} {one.code}", "adaptive": "false"}
    item.set("timeDependent", "false")
    asked = list(_asked(one.instance, notation))
    for at, each in enumerate(asked, start=1):
        declared = SubElement(
            item, "responseDeclaration", identifier=f"R{at}", cardinality="single", baseType=each.kind
        )
        SubElement(SubElement(declared, "correctResponse"), "value").text = each.response(each.right)
    for name, value in (("SCORE", 0), ("MAXSCORE", len(asked))):
        declared = SubElement(item, "outcomeDeclaration", identifier=name, cardinality="single", baseType="float")
        SubElement(SubElement(declared, "defaultValue"), "value").text = str(value)
    SubElement(item, "outcomeDeclaration", identifier="SAID", cardinality="multiple", baseType="identifier")
    _body(item, one, asked, notation)
    processing, feedback = SubElement(item, "responseProcessing"), list[Element]()
    for at, each in enumerate(asked, start=1):
        feedback += _judged(processing, each, at)
    item.extend(feedback)
    return item


def _body(item: Element, one: Printed, asked: list[_Asked], notation: str) -> None:
    body = SubElement(item, "itemBody")
    body.append(_instructors_words(say(one.instance.exercise.sentence)))
    rules = SubElement(body, "p")
    for rule in conventions(one.instance.as_sheet, notation):
        _written(rules, f"{'; ' if rules.text else ''}{say(rule.name)}: {say(rule.words)}", rule.latex)
    table = SubElement(SubElement(body, "table"), "tbody")
    for row in sheet.givens(one.instance.as_sheet, notation):
        line = SubElement(table, "tr")
        SubElement(line, "th").text = f"{say(row.title)} {row.unit.text if row.unit else ''}".rstrip()
        SubElement(line, "td").text = ", ".join(f"{name.text} = {value}" for _, name, value in row.values)
    drawn = picture(one.instance, notation)
    if drawn:
        SubElement(SubElement(body, "p"), "img", src=f"data:image/svg+xml;base64,{drawn}", alt=gettext("The network"))
    for at, each in enumerate(asked, start=1):
        if each.options:
            choice = SubElement(body, "choiceInteraction", responseIdentifier=f"R{at}", shuffle="false", maxChoices="1")
            SubElement(choice, "prompt").text = each.words
            for place, option in enumerate(each.options):
                SubElement(choice, "simpleChoice", identifier=each.response(place)).text = option
        else:
            line = SubElement(body, "p")
            line.text = f"{each.words} = "
            SubElement(line, "textEntryInteraction", responseIdentifier=f"R{at}", expectedLength="12")


def _instructors_words(sentence: str) -> Element:
    html = markdown(for_xml(sentence)).replace("&nbsp;", "\N{NO-BREAK SPACE}")  # the one name that XML does not know
    words = fromstring(f"<div>{html}</div>")  # noqa: S314 - what was written here
    for link in words.iter("a"):
        link.attrib.pop("rel", None)  # QTI has no place for it
    return words


def _written(parent: Element, text: str, latex: str) -> None:
    """Go on with some text and, after it, a formula if there is one."""
    text = f"{text.rstrip()} " if latex else text
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text
    if latex:
        formula = fromstring(str(math(latex)))  # noqa: S314 - what was written here
        formula.set("xmlns", _MATHML)  # without a prefix: players that are web pages draw it so
        parent.append(formula)


def _judged(processing: Element, asked: _Asked, at: int) -> Iterator[Element]:
    condition = SubElement(processing, "responseCondition")
    first = SubElement(condition, "responseIf")
    _equal(first, asked, at, asked.right, asked.reach)
    added = SubElement(SubElement(first, "setOutcomeValue", identifier="SCORE"), "sum")
    SubElement(added, "variable", identifier="SCORE")
    SubElement(added, "baseValue", baseType="float").text = "1"
    for number, (value, reach, words) in enumerate(asked.wrong, start=1):
        name = f"F{at}_{number}"
        other = SubElement(condition, "responseElseIf")
        _equal(other, asked, at, value, reach)
        said = SubElement(SubElement(other, "setOutcomeValue", identifier="SAID"), "multiple")
        SubElement(said, "variable", identifier="SAID")
        SubElement(said, "baseValue", baseType="identifier").text = name
        told = Element("modalFeedback", outcomeIdentifier="SAID", showHide="show", identifier=name)
        told.text = words
        yield told


def _equal(parent: Element, asked: _Asked, at: int, value: float, reach: float) -> None:
    both = SubElement(parent, "and")
    present = SubElement(SubElement(both, "not"), "isNull")
    SubElement(present, "variable", identifier=f"R{at}")
    if asked.options:
        equal = SubElement(both, "match")
    else:
        equal = SubElement(both, "equal", toleranceMode="absolute", tolerance=f"{digits(reach)} {digits(reach)}")
    SubElement(equal, "variable", identifier=f"R{at}")
    SubElement(equal, "baseValue", baseType=asked.kind).text = asked.response(value)
