"""Laws of question banks: a reader finds every value, its tolerance, and the words for each known mistake."""

import io
import re
import zipfile
from html import unescape
from xml.etree import ElementTree as ET

import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.question import in_text
from quizprop.exercise.wrong_answers import known_wrong
from quizprop.web.qti import qti_2_1, qti_3_0
from quizprop.web.question_banks import FORMATS, gift, moodle_xml, qti_1_2
from quizprop.web.worksheets import printed

BANK = load_bank()
SHEETS = ["mazur-like", "softmax", "attention-backward", "mini-batch" if "mini-batch" in BANK else "mazur"]
QUESTIONS = ["true-false-relu", "find-slip-tanh"]


def parsed(text):
    return ET.fromstring(text)  # noqa: S314 - what was written here


def sheets(slug, count=2):
    return list(printed(BANK[slug], seed=4, count=count))


def close(text, value):
    return float(text) == pytest.approx(value, rel=1e-8, abs=1e-12)


# --- Moodle -------------------------------------------------------------------------------------------------------

GAP = re.compile(r"\{1:(NUMERICAL|MULTICHOICE(?:_V)?):((?:\\.|[^}\\])*)\}")


def gaps(question):
    """The gaps of a cloze question as Moodle's documentation tells to read them: kind, and answers with feedback."""
    text = question.find("questiontext/text").text
    for kind, inside in GAP.findall(unescape(text)):
        answers = []
        for part in re.split(r"(?<!\\)~", inside):
            answer, _, said = (
                part.partition("#")
                if not re.search(r"\\#", part)
                else (*re.split(r"(?<!\\)#", part, maxsplit=1), "")[:3]
            )
            credit = 100.0 if answer.startswith("=") else 0.0
            answers.append((credit, re.sub(r"^(=|%0%)", "", answer), said))
        yield kind, answers


@pytest.mark.parametrize("form", list(FORMATS))
def test_what_xml_can_t_hold_is_left_out(form):
    odd = BANK["deltas"].model_copy(
        update={"title": "A\0 \x1b title", "sentence": "Some\x01thing *odd*\uffff.\n\nAnd\x0c more."}
    )
    write, ending = FORMATS[form]
    made = write(list(printed(odd, seed=4, count=1)), title=odd.title)
    documents = [made] if ending == ".xml" else []
    if ending == ".zip":
        with zipfile.ZipFile(io.BytesIO(made)) as archive:
            documents = [archive.read(name) for name in archive.namelist()]
    for document in documents:
        parsed(document)
    assert ending == ".gift" or any(b"Something" in document for document in documents)


@pytest.mark.parametrize(("slug", "drawn"), [("mazur-like", True), ("shapes-forward", False)])
@pytest.mark.parametrize("form", list(FORMATS))
def test_a_picture_goes_along_unless_it_would_be_the_answer(slug, drawn, form):
    write, _ = FORMATS[form]
    made = write(sheets(slug, 1), title="A")
    if zipfile.is_zipfile(io.BytesIO(made)):
        package = zipfile.ZipFile(io.BytesIO(made))
        made = b"".join(package.read(name) for name in package.namelist())
    assert (b"img" in made or b"image/svg" in made) == (drawn and form != "gift")


@pytest.mark.parametrize("slug", SHEETS)
def test_every_value_is_a_gap_of_moodle_with_its_tolerance_and_its_known_mistakes(slug):
    made = sheets(slug)
    root = parsed(moodle_xml(made, title="A / B"))
    category, *questions = root.findall("question")
    assert category.find("category/text").text == "$course$/quizprop/A // B"
    assert [one.find("idnumber").text for one in questions] == [one.code for one in made]
    for question, one in zip(questions, made, strict=True):
        instance = one.instance
        numerical = [answers for kind, answers in gaps(question) if kind == "NUMERICAL"]
        cells = [cell for cell in instance.cells if not cell.options]
        assert len(numerical) == len(cells) > 0
        for cell, ((credit, right, _), *wrong) in zip(cells, numerical, strict=True):
            value, tolerance = right.split(":")
            assert credit == 100
            assert close(value, instance.values[cell.key])
            assert close(tolerance, instance.tolerances[cell.key])
            known = known_wrong(instance, cell.key)
            assert len(wrong) == len(known)
            for (none, given, said), mistake in zip(wrong, known, strict=True):
                assert (none, close(given.split(":")[0], mistake.value), bool(said)) == (0, True, True)
        assert question.find("questiontext/file").get("encoding") == "base64"
        assert r"\(" in question.find("generalfeedback/text").text


@pytest.mark.parametrize("slug", QUESTIONS)
def test_a_choice_of_moodle_has_one_right_option(slug):
    (one,) = made = sheets(slug, 1)
    root = parsed(moodle_xml(made, title="T"))
    found = list(gaps(root.findall("question")[1]))
    assert len(found) == len(one.instance.questions)
    for (kind, answers), question in zip(found, one.instance.questions, strict=True):
        assert kind == "MULTICHOICE_V"
        assert [credit for credit, *_ in answers].index(100) == question.right - 1
        assert len(answers) == len(question.options)


def shown(written):
    """What Moodle shows of an option or its feedback: since 2.0 it takes the backslash from these two alone."""
    return unescape(written).replace(r"\}", "}").replace(r"\#", "#")


@pytest.mark.parametrize("slug", ["find-slip-mazur", "choose-update"])
def test_moodle_shows_the_words_of_an_option_as_the_site_does(slug):
    (one,) = made = sheets(slug, 1)
    instance = one.instance
    for (_, answers), question in zip(
        gaps(parsed(moodle_xml(made, title="T")).findall("question")[1]), instance.questions, strict=True
    ):
        for (_, words, said), option in zip(answers, question.options, strict=True):
            assert shown(words) == in_text(option.words, instance.model, instance.exercise.notation)
            assert "\\" not in shown(said)


# --- GIFT ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", ["mazur-like", "softmax", "true-false-relu"])
def test_gift_has_a_question_for_each_value_or_choice(slug):
    made = sheets(slug)
    text = gift(made, title="T").decode()
    blocks = [block for block in re.split(r"\n\s*\n", text) if block.startswith("::")]
    asked = [(one, cell) for one in made for cell in one.instance.questions or one.instance.cells]
    assert len(blocks) == len(asked)
    for block, (one, cell) in zip(blocks, asked, strict=True):
        name = re.match(r"::((?:\\.|[^:\\])*)::", block)[1]
        assert re.sub(r"\\(.)", r"\1", name) == f"{one.code} {cell.key}"
        answer = re.search(r"(?<!\\)\{(.*)\}$", block, re.DOTALL)[1]
        assert answer.startswith("#") == (not one.instance.questions)
        if answer.startswith("#"):
            value, tolerance = re.match(r"#=%100%([^:]+):([^ #]+)", answer).groups()
            assert close(value, one.instance.values[cell.key])
            assert close(tolerance, one.instance.tolerances[cell.key])


# --- QTI ----------------------------------------------------------------------------------------------------------


MANIFESTS = {
    "IMS Content": "http://www.imsglobal.org/xsd/imscp_v1p1",
    "QTIv2.1 Package": "http://www.imsglobal.org/xsd/imscp_v1p1",
    "QTI Package": "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1",
}


def package(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = parsed(files.pop("imsmanifest.xml"))
    schema = manifest[0][0].text
    named = [one.get("href") for one in manifest.iter(f"{{{MANIFESTS[schema]}}}file")]
    assert named == list(files)
    return {name: parsed(one) for name, one in files.items()}


@pytest.mark.parametrize("slug", SHEETS)
def test_an_item_of_qti_2_1_scores_and_speaks_as_the_site_does(slug):
    """Response processing is worked through as the specification says, for right values and for each known mistake."""
    made = sheets(slug)
    ns = {"q": "http://www.imsglobal.org/xsd/imsqti_v2p1"}
    for item, one in zip(package(qti_2_1(made, title="T")).values(), made, strict=True):
        instance = one.instance
        cells = instance.cells
        declared = [each.get("identifier") for each in item.findall("q:responseDeclaration", ns)]
        inputs = [each.get("responseIdentifier") for each in item.iter(f"{{{ns['q']}}}textEntryInteraction")]
        assert declared == inputs == [f"R{at}" for at in range(1, len(cells) + 1)]
        assert len({each.get("identifier") for each in item.iter(f"{{{ns['q']}}}modalFeedback")}) == len(
            item.findall("q:modalFeedback", ns)
        )
        right = {name: instance.values[cell.key] for name, cell in zip(declared, cells, strict=True)}
        assert processed(item, right, ns) == (len(cells), [])
        assert processed(item, {}, ns) == (0, [])
        for name, cell in zip(declared, cells, strict=True):
            for wrong in known_wrong(instance, cell.key):
                score, said = processed(item, {**right, name: wrong.value}, ns)
                assert (score, len(said)) == (len(cells) - 1, 1)


def processed(item, responses, ns):
    score, said = 0, []
    for condition in item.find("q:responseProcessing", ns):
        for branch in condition:
            equal = branch.find("q:and/q:equal", ns)
            name = equal.find("q:variable", ns).get("identifier")
            reach = float(equal.get("tolerance").split()[0])
            value = float(equal.find("q:baseValue", ns).text)
            if name in responses and abs(responses[name] - value) <= reach * (1 + 1e-9) + 1e-9:
                outcome = branch.find("q:setOutcomeValue", ns)
                if outcome.get("identifier") == "SCORE":
                    score += 1
                else:
                    said.append(outcome.find("q:multiple/q:baseValue", ns).text)
                break
    return score, said


def test_a_package_of_qti_1_2_has_what_canvas_reads():
    made = sheets("mazur-like")
    (root,) = package(qti_1_2(made, title="T")).values()
    ns = {"q": "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"}
    items = root.findall(".//q:item", ns)
    kinds = [one.find(".//q:fieldentry", ns).text for one in items]
    cells = len(made[0].instance.cells)
    assert kinds == (["text_only_question"] + ["numerical_question"] * cells) * 2
    assert len({one.get("ident") for one in items}) == len(items)
    first = items[1]
    condition = first.find(".//q:respcondition", ns)
    low, high = (float(condition.find(f".//q:{name}", ns).text) for name in ("vargte", "varlte"))
    value = made[0].instance.values[made[0].instance.cells[0].key]
    assert low < value < high
    assert condition.find("q:setvar", ns).text == "100"
    linked = {one.get("linkrefid") for one in first.findall(".//q:displayfeedback", ns)}
    assert linked == {one.get("ident") for one in first.findall("q:itemfeedback", ns)} != set()


@pytest.mark.parametrize("slug", QUESTIONS)
def test_a_choice_of_qti_1_2_has_one_right_option(slug):
    made = sheets(slug, 1)
    (root,) = package(qti_1_2(made, title="T")).values()
    ns = {"q": "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"}
    right = [one.text for one in root.findall(".//q:respcondition//q:varequal", ns)]
    assert right == [f"option{one.right - 1}" for one in made[0].instance.questions]


OLDER, NEWER = "http://www.imsglobal.org/xsd/imsqti_v2p1", "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"
PLAIN = {"div", "p", "table", "tbody", "tr", "th", "td", "img"}


def older(element):
    """An item of QTI 3.0 in the words of 2.1: no prefix, a capital for a hyphen, and feedback without its body."""
    if element.tag.startswith("{http://www.w3.org/1998/Math/MathML}"):
        return element
    name = element.tag.removeprefix(f"{{{NEWER}}}")
    assert (name in PLAIN) != name.startswith("qti-")
    back = ET.Element(f"{{{OLDER}}}{camel(name.removeprefix('qti-'))}")
    back.attrib.update({camel(key): value for key, value in element.attrib.items()})
    inside = element
    if name == "qti-modal-feedback":
        (inside,) = element
        assert inside.tag == f"{{{NEWER}}}qti-content-body"
    back.text, back.tail = inside.text, element.tail
    back.extend(map(older, inside))
    return back


def camel(name):
    return re.sub("-(.)", lambda letter: letter[1].upper(), name)


def texts(element):
    text, tail = ((part or "").strip() for part in (element.text, element.tail))
    return element.tag, dict(element.attrib), text, tail, [texts(child) for child in element]


@pytest.mark.parametrize("slug", ["mazur-like", "true-false-relu"])
def test_qti_3_0_says_the_same_as_2_1_in_its_own_words(slug):
    made = sheets(slug)
    new, old = package(qti_3_0(made, title="T")), package(qti_2_1(made, title="T"))
    assert list(new) == list(old)
    for name, item in new.items():
        assert item.tag == f"{{{NEWER}}}qti-assessment-item"
        assert texts(older(item)) == texts(old[name])


@pytest.mark.parametrize("write", [qti_2_1, qti_3_0])
def test_a_package_of_qti_has_an_instructors_words_as_markdown_means_them(write):
    words = "One *unit*, `x\N{NO-BREAK SPACE}< 1` & [more](https://a.org).\n\n- **last**"
    exercise = BANK["deltas"].model_copy(update={"sentence": words})
    (item,) = package(write(printed(exercise, seed=4, count=1), title="T")).values()
    div = next(one for one in item.iter() if one.tag.endswith("}div"))
    assert [(one.tag.partition("}")[2], one.text) for one in div.iter() if one is not div and one.text.strip()] == [
        ("p", "One "),
        ("em", "unit"),
        ("code", "x\N{NO-BREAK SPACE}< 1"),
        ("a", "more"),
        ("strong", "last"),
    ]
    assert [one.attrib for one in div.iter() if one.attrib] == [{"href": "https://a.org"}]


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_sheets_give_the_same_bytes(form):
    write, _ = FORMATS[form]
    assert write(sheets("deltas"), title="T") == write(sheets("deltas"), title="T")
