"""Laws of worksheets: a code leads to the numbers on the paper, a key to their answers; every formula can be set."""

import re
import shutil
import subprocess
from contextlib import suppress
from html import unescape
from itertools import combinations

import numpy as np
import pytest

from quizprop.exercise import generate
from quizprop.exercise.bank import load_bank
from quizprop.exercise.conventions import conventions
from quizprop.exercise.figures import shortest
from quizprop.exercise.generate import draw, draw_block
from quizprop.exercise.question import spoken
from quizprop.exercise.solution import Solution
from quizprop.web import builder, printing, sets, sheet, typeset, worksheets
from quizprop.web.languages import say
from quizprop.web.limits import Limit
from quizprop.web.question_banks import moodle_xml
from quizprop.web.rendering import math
from quizprop.web.typeset import typst_math
from quizprop.web.worksheets import (
    Code,
    NotFoundYetError,
    as_html,
    as_pdf,
    instance_at,
    printed,
    read_code,
    to_seek,
)
from tests.conftest import missing
from tests.web.conftest import Browser, words
from tests.web.test_courses import (
    come_in,
    give_set,
    grace,  # noqa: F401 - a fixture
    set_token,
    token,  # noqa: F401 - a fixture
)

BANK = load_bank()
_WORD = re.compile(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>')


@pytest.mark.parametrize("slug", ["mazur-like", "true-false-relu", "attention-backward"])
def test_a_code_leads_to_the_numbers_of_its_sheet(slug):
    for one in printed(BANK[slug], seed=11, count=3, site="https://example.org/"):
        code = read_code(one.code.upper() + " ")
        assert instance_at(BANK[slug], code).given == one.instance.given
        assert one.address == f"https://example.org/w/{one.code}"


@pytest.mark.parametrize("slug", ["mazur", "mazur-like", "find-slip-mini-batch", "dead-relu"])
def test_in_whatever_order_codes_are_opened_they_lead_to_their_sheets(slug):
    made = list(printed(BANK[slug], seed=12, count=130))
    for number in (90, 1, 130, 89, 2, 129):
        assert instance_at(BANK[slug], read_code(made[number - 1].code)).given == made[number - 1].instance.given


def test_what_was_found_for_one_sheet_is_found_for_those_before_it(monkeypatch):
    code = Code("choose-delta", 13, 40)
    assert to_seek(BANK[code.slug], code) == 40
    whole = instance_at(BANK[code.slug], code)
    drawn = []
    monkeypatch.setattr(
        generate, "draw_block", lambda exercise, rng, count: drawn.append(count) or draw_block(exercise, rng, count)
    )
    assert to_seek(BANK[code.slug], code) == 0
    assert instance_at(BANK[code.slug], code).given == whole.given
    assert instance_at(BANK[code.slug], Code(code.slug, code.seed, 7)).given != whole.given
    assert drawn == [1, 1]


def test_a_search_ends_in_time_and_the_next_one_goes_on(monkeypatch):
    monkeypatch.setattr(worksheets, "_SEARCH", 0.0)
    exercise, left = BANK["find-slip-chain"], []
    code = Code(exercise.slug, 14, 40)
    for _ in range(40):
        left.append(to_seek(exercise, code))
        with suppress(NotFoundYetError):
            instance_at(exercise, code)
            break
    assert left[0] == 40
    assert left == sorted(left, reverse=True)
    assert len(set(left)) > 2
    *_, last = printed(exercise, seed=14, count=40)
    assert instance_at(exercise, code).given == last.instance.given


@pytest.mark.parametrize(
    "text", ["", "mazur", "mazur.1", "mazur.1.0", "mazur.x.1", "mazur.1.99999999", f"m.{1 << 63}.1", "m.١.1"]
)
def test_what_is_no_code_is_none(text):
    assert read_code(text) is None


def test_every_formula_of_the_bank_can_be_set():
    """One document of all of them: a single one that Typst can't read would stop it."""
    formulas = set()
    for exercise in BANK.values():
        instance = draw(exercise, np.random.default_rng(0)).as_sheet
        for notation in ("plain", "course") if instance.network is None else ("plain", "course", "mazur", "matrix"):
            formulas |= {line.latex for line in Solution(instance, notation, exercise.places).lines}
            formulas |= {rule.latex for rule in conventions(instance, notation) if rule.latex}
            for section in sheet.sections(instance, notation, sheet.Work()):
                formulas |= {row.formula.latex for row in section.rows if row.formula}
                formulas |= {entry.symbol.latex for row in section.rows for entry in row.entries}
    source = "\n\n".join(f"${typst_math(latex)}$" for latex in sorted(formulas))
    typst = pytest.importorskip("typst")
    assert len(formulas) > 1000
    assert typst.compile(source.encode()).startswith(b"%PDF")


@pytest.mark.parametrize("slug", ["mazur-like", "find-slip-tanh", "attention-backward", "shapes-forward"])
@pytest.mark.parametrize("key", [False, True])
def test_a_pdf_has_a_page_or_more_for_each_sheet(slug, key):
    made = as_pdf(printed(BANK[slug], seed=1, count=3), title="T", key=key, paper="us-letter")
    assert made.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page[^s]", made)) >= 3


def in_print(folder, pdf, option):
    """What poppler reads in a PDF."""
    if shutil.which("pdftotext") is None:
        missing("pdftotext", "apt-get install poppler-utils")
    file = folder / "sheet.pdf"
    file.write_bytes(pdf)
    return subprocess.run(["pdftotext", option, file, "-"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("key", [False, True])
@pytest.mark.parametrize(
    ("slug", "notation"),
    [
        ("mazur-like", None),
        ("mazur-like", "matrix"),
        ("logistic-unit", None),
        ("softmax", None),
        ("attention-backward", None),
        ("batchnorm-step", None),
        ("true-false-relu", None),
        ("find-slip-mazur", None),
        ("find-slip-mini-batch", None),
    ],
)
def test_nothing_is_printed_over_anything_else(tmp_path, slug, notation, key):
    """Of two words one above the other, at most a quarter of the height is common: fonts claim more than they use."""
    sheets = printed(BANK[slug], seed=0, count=1)
    text = in_print(tmp_path, as_pdf(sheets, title="T", notation=notation, key=key), "-bbox")
    found = []
    for page in text.split("<page ")[1:]:
        boxes = [(*map(float, box), word) for *box, word in _WORD.findall(page) if "√" not in word]  # a tall glyph
        for (left, top, right, bottom, one), (left2, top2, right2, bottom2, other) in combinations(boxes, 2):
            across = min(right, right2) - max(left, left2)
            down = min(bottom, bottom2) - max(top, top2)
            if across > 2.5 and down > min(bottom - top, bottom2 - top2) / 4:  # an index may reach below its letter
                found.append((one, other))
    assert not found


def test_a_line_that_is_too_wide_has_an_equals_sign_a_row(tmp_path):
    """It breaks nowhere amid a sum."""
    (one,) = printed(BANK["dropout-test-time"], seed=0, count=1)
    instance = one.instance
    (line,) = (line for line in Solution(instance, "course", instance.exercise.places).lines if line.key == "y_test")
    text = in_print(tmp_path, as_pdf([one], title="T", key=True), "-layout")
    rows = [row.strip() for row in text.splitlines()]
    assert f"= {line.numbers.text}" in rows
    assert f"= {line.value}" in rows


def test_four_weights_are_two_and_two_on_paper(tmp_path):
    """As in their matrix; three and one below would tear a unit apart."""
    text = in_print(tmp_path, as_pdf(printed(BANK["mazur-like"], seed=5, count=1), title="T"), "-layout")
    blanks = [row.count("=") for row in text.partition("Update")[2].splitlines() if "=" in row]
    assert blanks == [2, 2, 2, 2]


def test_a_qr_code_grows_and_shrinks_with_its_place():
    """With a size of its own instead of a ``viewBox``, the style of the HTML would cut it."""
    drawn = typeset.qr_code("https://example.org/w/mazur-like.7.12")
    assert 'viewBox="0 0 ' in drawn
    assert not re.search(r"<svg[^>]*\swidth=", drawn)


def test_html_has_blanks_and_no_answer_and_the_key_has_the_answers():
    (one,) = made = list(printed(BANK["mazur-like"], seed=1, count=1))
    instance = one.instance
    plain, key = (as_html(made, title="T", key=of_key) for of_key in (False, True))
    assert plain.count("<i></i>") == len(instance.cells)
    assert one.code in plain
    assert one.code in key
    for cell in instance.cells:
        value = shortest(instance.values[cell.key], instance.exercise.places).lstrip("−")
        assert f"<mn>{value}</mn>" in key
    secret = shortest(instance.values["E"], 4)
    assert secret not in plain


@pytest.mark.parametrize("slug", [slug for slug, one in BANK.items() if one.question != "sheet"])
def test_questions_are_in_the_language_and_with_the_symbols_of_the_sheet(app, slug):
    (one,) = made = list(printed(BANK[slug], seed=1, count=1))
    model, notation = one.instance.model, one.instance.exercise.notation
    with app.test_request_context(headers={"Accept-Language": "de"}):
        page, bank = as_html(made, title="T"), unescape(moodle_xml(made, title="T").decode())
        for question in one.instance.questions:
            german = spoken(say(question.words), model, notation)
            assert german != spoken(question.words, model, notation)
            assert "".join(piece if isinstance(piece, str) else math(piece.latex) for piece in german) in page
            assert "".join(piece if isinstance(piece, str) else rf"\({piece.latex}\)" for piece in german) in bank


@pytest.mark.parametrize("slug", ["find-slip-mini-batch", "find-slip-mazur", "true-false-relu"])
def test_what_there_is_to_choose_from_is_set_like_any_formula(tmp_path, slug):
    (one,) = made = list(printed(BANK[slug], seed=5, count=1))
    model, notation = one.instance.model, one.instance.exercise.notation
    page, key = (as_html(made, title="T", key=of_key) for of_key in (False, True))
    for question in one.instance.questions:
        for number, option in enumerate(question.options, start=1):
            shown = "".join(
                piece if isinstance(piece, str) else math(piece.latex)
                for piece in spoken(say(option.words), model, notation)
            )
            assert f"☐ {shown}</p>" in unescape(page)
            assert number != question.right or f"</b> {shown}</p>" in unescape(key)
    for of_key in (False, True):
        assert "^" not in in_print(tmp_path, as_pdf(made, title="T", key=of_key), "-layout")


def test_without_typst_it_is_said_what_to_do(monkeypatch):
    monkeypatch.setattr(typeset, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    with pytest.raises(typeset.NoTypstError, match="quizprop\\[pdf\\]"):
        as_pdf(printed(BANK["deltas"], seed=1, count=1), title="T")
    assert typeset.qr_code("x") is None
    assert "<svg" in as_html(printed(BANK["deltas"], seed=1, count=1), title="T")  # the network is drawn all the same


# --- on the site ----------------------------------------------------------------------------------------------------


def test_a_code_opens_the_same_variant_on_the_web(app):
    (one,) = printed(BANK["deltas"], seed=3, count=1)
    browser = Browser(app)
    assert one.code in browser.get(f"/w/{one.code}").text
    sheet_token = browser.post(f"/w/{one.code}", page="/").location.rpartition("/")[2]
    assert browser.instance(sheet_token).given == one.instance.given
    for wrong in ("nothing.1.1", "deltas.1", "deltas.1.0"):
        assert browser.get(f"/w/{wrong}").status_code == 404


def test_a_number_far_on_is_paid_for_before_it_is_sought(app, monkeypatch):
    monkeypatch.setattr(printing, "instance_at", None)  # nothing is drawn
    app.config["LIMITS"] = {"search, address": Limit(3, 3600)}
    browser = Browser(app)
    assert browser.post("/w/deltas.15.151").status_code == 429
    assert browser.rows()["learner"] == 0


def test_what_is_known_of_a_seed_costs_a_class_nothing(app):
    app.config["LIMITS"] = {"search, address": Limit(3, 3600), "search, learner": Limit(3, 3600)}
    first = Browser(app)
    assert first.post("/w/deltas.16.140").status_code == 303
    assert first.post("/w/deltas.17.1").status_code == 429
    for number in (1, 7, 140):
        assert Browser(app).post(f"/w/deltas.16.{number}").status_code == 303


def test_who_has_to_wait_for_a_search_is_told_so_and_comes_through_later(app, browser, monkeypatch):
    monkeypatch.setattr(worksheets, "_TURN", 0.0)
    with worksheets._searching:
        answer = browser.post("/w/deltas.18.2")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert browser.post("/w/deltas.18.2").status_code == 303
    assert browser.rows()["learner"] == 1


@pytest.mark.parametrize("do", ["html", "html-key", "pdf", "key"])
def test_a_class_has_its_own_numbers_on_paper(app, grace, token, do):  # noqa: F811
    ada, bob = (come_in(app, grace, token, name) for name in ("ada", "bob"))
    give_set(grace, token, opens="2031-01-01T00:00")  # before it opens, too
    name = set_token(ada)
    page = f"/courses/{token}/sets/{name}"
    grace.post(f"/courses/{token}/roster", {"roster": "username,name\nada,Ada Lovelace", "do": "apply"})
    answer = grace.post(f"{page}/worksheets", {"do": do, "paper": "letter"}, page=page)
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    if do.startswith("html"):
        found = re.findall(r"/x/([\w-]+)\"", answer.text)
        assert len(found) == 2
        assert ("Ada Lovelace" in words(answer.text), "bob" in words(answer.text)) == (True, True)
        assert answer.headers["Cache-Control"] == "no-store"
        again = grace.post(f"{page}/worksheets", {"do": "html"}, page=page).text
        assert re.findall(r"/x/([\w-]+)\"", again) == found  # what was handed out stays
    else:
        assert answer.data.startswith(b"%PDF")
    assert set_token(bob) == name


def test_a_large_class_is_printed_in_parts_and_nobody_is_left_out(app, grace, token, monkeypatch):  # noqa: F811
    monkeypatch.setattr(builder, "_MOST_SHEETS", 5)
    students = [come_in(app, grace, token, name) for name in ("ada", "bob", "cid", "dan", "eve")]
    give_set(grace, token, **{"points-deltas": "1"})
    page = f"/courses/{token}/sets/{set_token(students[0])}"
    offered = re.findall(r'<option value="(\d)">\d/3: (\w+) – (\w+)</option>', grace.get(page).text)
    assert offered == [("1", "ada", "bob"), ("2", "cid", "dan"), ("3", "eve", "eve")]
    refused = grace.post(f"{page}/worksheets", {"do": "html", "paper": "a4"}, page=page)
    assert (refused.status_code, "more worksheets than go into one file" in words(refused.text)) == (422, True)
    assert grace.rows()["variant"] == 0
    found = [
        re.findall(r"/x/([\w-]+)\"", grace.post(f"{page}/worksheets", {"do": "html", "part": part}, page=page).text)
        for part, _, _ in offered
    ]
    assert [len(each) for each in found] == [4, 4, 2]
    assert len({sheet_token for each in found for sheet_token in each}) == grace.rows()["variant"] == 10


def test_a_class_that_goes_into_one_file_is_not_asked_for_parts(app, grace, token):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token)
    assert 'name="part"' not in grace.get(f"/courses/{token}/sets/{set_token(ada)}").text


def test_nobody_waits_while_the_sheets_of_a_class_are_drawn(app, grace, token, monkeypatch):  # noqa: F811
    ada = come_in(app, grace, token, "ada")
    give_set(grace, token)

    def drawn(*asked):
        with grace.database.write():  # refused where this very request has one open
            return draw(*asked)

    monkeypatch.setattr(sets, "draw", drawn)
    page = f"/courses/{token}/sets/{set_token(ada)}"
    assert grace.post(f"{page}/worksheets", {"do": "html"}, page=page).status_code == 200


def test_a_draft_is_not_printed(grace, token):  # noqa: F811
    made = grace.post(f"/courses/{token}/sets/new", {"title": "Week 1", "points-deltas": "1"}).location
    assert grace.post(f"{made}/worksheets", {"do": "html"}).status_code == 404
