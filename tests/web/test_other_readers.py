"""Question banks are read and worked by a reader that is not ours: pyslet, an implementation of the QTI standards."""

import io
import logging
import zipfile

import pytest
from pyslet.imscpv1p2 import ContentPackage
from pyslet.qtiv1.assessment import Assessment
from pyslet.qtiv1.xml import QTIDocument as OlderDocument
from pyslet.qtiv2 import expressions
from pyslet.qtiv2.variables import ItemSessionState
from pyslet.qtiv2.xml import QTIDocument
from pyslet.xml.namespace import NSElement
from pyslet.xml.structures import Element

from quizprop.exercise.bank import load_bank
from quizprop.exercise.wrong_answers import known_wrong
from quizprop.web.qti import qti_2_1
from quizprop.web.question_banks import qti_1_2
from quizprop.web.worksheets import printed

BANK = load_bank()
MATHML = "http://www.w3.org/1998/Math/MathML"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SHEETS = ["mazur-like", "softmax", "attention-backward"]


@pytest.fixture(autouse=True)
def reader(monkeypatch, caplog):
    """The reader as it is, but for two slips: the attribute whose list it reads as one text, and a name it never set.

    What it objects to fails the test.
    """
    monkeypatch.setattr(expressions.Equal, "XMLATTR_tolerance", ("tolerance", str, str, list))
    expressions.Equal._remap()
    monkeypatch.setattr(Assessment, "QTIAssessProcExtension", None, raising=False)
    caplog.set_level(logging.WARNING)
    yield
    assert [one.getMessage() for one in caplog.get_records("call")] == []


def sheets(slug, count=2):
    return list(printed(BANK[slug], seed=4, count=count))


def documents(content, kind):
    """The documents of a package but its manifest, as the reader has them."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name != "imsmanifest.xml":
                document = kind()
                document.read(src=io.BytesIO(archive.read(name)))
                yield document


def noting(kind):
    """The reader, writing down in ``unknown`` the names of elements that it has no class for."""

    class Noting(kind):
        unknown = ()

        def get_element_class(self, name):
            found = super().get_element_class(name)
            if found in (Element, NSElement, None) and name[0] != MATHML:
                self.unknown += (name,)
            return found

    return Noting


def invented(element):
    """Attributes that the reader does not know of their elements; of formulas it knows nothing."""
    if getattr(element, "ns", None) == MATHML:
        return
    yield from ((element.xmlname, name) for name in element._attrs)
    for child in element.get_children():
        if isinstance(child, Element):
            yield from invented(child)


def worked(item, responses):
    """Score, and identifiers of what is said, after the reader's own response processing."""
    state = ItemSessionState(item)
    state.begin_session()
    for name, number in responses.items():
        state[name].set_value(number)
    state.end_attempt()
    return state["SCORE"].value, set(state["SAID"].value or ())


@pytest.mark.parametrize("slug", SHEETS)
def test_honest_rounded_work_gets_full_marks_there_and_a_known_mistake_loses_its_value(slug):
    made = sheets(slug)
    items = [one.root for one in documents(qti_2_1(made, title="T"), QTIDocument)]
    assert len(items) == len(made)
    for item, one in zip(items, made, strict=True):
        instance, cells = one.instance, one.instance.cells
        names = [f"R{number}" for number in range(1, len(cells) + 1)]
        assert {each.identifier for each in item.ResponseDeclaration} == set(names)
        honest = {
            name: round(instance.values[cell.key], instance.exercise.places)
            for name, cell in zip(names, cells, strict=True)
        }
        assert worked(item, honest) == (len(cells), set())
        assert worked(item, {}) == (0, set())
        assert item.get_declaration("MAXSCORE").get_default_value().value == len(cells)
        said = {each.identifier for each in item.QTIModalFeedback}
        for name, cell in zip(names, cells, strict=True):
            for wrong in known_wrong(instance, cell.key):
                score, told = worked(item, {**honest, name: wrong.value})
                assert (score, len(told), told <= said) == (len(cells) - 1, 1, True), (cell.key, wrong)


@pytest.mark.parametrize("slug", ["true-false-relu", "find-slip-tanh", "choose-delta"])
def test_a_right_choice_scores_there_and_a_wrong_one_does_not(slug):
    made = sheets(slug)
    for item, one in zip((each.root for each in documents(qti_2_1(made, title="T"), QTIDocument)), made, strict=True):
        questions = one.instance.questions
        right = {f"R{at}": f"O{each.right}" for at, each in enumerate(questions, start=1)}
        assert worked(item, right) == (len(questions), set())
        for at, question in enumerate(questions, start=1):
            for number, option in enumerate(question.options, start=1):
                if number != question.right:
                    score, told = worked(item, {**right, f"R{at}": f"O{number}"})
                    assert (score, len(told)) == (len(questions) - 1, bool(option.said))


def test_where_yes_or_no_is_asked_it_is_chosen_there():
    (one,) = made = sheets("did-it-fall", 1)
    (item,) = (each.root for each in documents(qti_2_1(made, title="T"), QTIDocument))
    instance = one.instance
    values = {
        f"R{at}": f"O{round(instance.values[cell.key]) + 1}"
        if cell.options
        else round(instance.values[cell.key], instance.exercise.places)
        for at, cell in enumerate(instance.cells, start=1)
    }
    (chosen,) = (name for name, value in values.items() if isinstance(value, str))
    assert worked(item, values) == (len(values), set())
    score, _ = worked(item, {**values, chosen: "O1" if values[chosen] == "O2" else "O2"})
    assert score == len(values) - 1


@pytest.mark.parametrize("slug", [*SHEETS, "true-false-relu"])
def test_it_knows_every_element_of_both_forms(slug):
    made = sheets(slug, 1)
    (item,) = documents(qti_2_1(made, title="T"), noting(QTIDocument))
    (older,) = documents(qti_1_2(made, title="T"), noting(OlderDocument))
    assert type(older.root).__name__ == "QuesTestInterop"
    assert item.unknown == older.unknown == ()
    assert set(invented(item.root)) == set()


def test_what_no_standard_has_is_noticed():
    """The control of the test above."""
    written = (
        '<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="a" title="b" adaptive="false" '
        'timeDependent="false" colour="red"><itemBody><p><invented/></p></itemBody></assessmentItem>'
    )
    document = noting(QTIDocument)()
    document.read(src=io.BytesIO(written.encode()))
    assert [name for _, name in document.unknown] == ["invented"]
    assert [name[-1] for _, name in invented(document.root)] == ["colour"]


@pytest.mark.parametrize("write", [qti_1_2, qti_2_1])
def test_a_package_is_a_content_package_there(write, tmp_path):
    file = tmp_path / "bank.zip"
    file.write_bytes(write(sheets("mazur-like", 3), title="A & B"))
    package = ContentPackage(str(file))
    try:
        resources = package.manifest.root.Resources.Resource
        named = {str(each.href) for one in resources for each in one.File}
        assert named == {str(one.get_entry_point().href) for one in resources}
        assert {str(name) for name in package.fileTable} >= named
    finally:
        package.close()
