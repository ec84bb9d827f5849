"""A law of all pages: every word that a visitor reads is a message of the catalogues."""

import json
import re
from dataclasses import asdict
from gettext import NullTranslations
from html.parser import HTMLParser

import pytest
from sqlalchemy import update

from quizprop.engine.misconceptions import MISCONCEPTIONS
from quizprop.exercise.bank import load_bank
from quizprop.exercise.fading import Fading
from quizprop.exercise.why import Reason, Why
from quizprop.store import people, sets
from quizprop.store.models import Variant
from quizprop.web import languages, state
from quizprop.web.app import create_app
from quizprop.web.extract import messages
from tests.web.conftest import SECRET, Browser, honest

# Names and symbols are the same in every language.
NAMES = {"ada", "eva", "quizprop", "Deutsch", "English", "Español", "UTC"}
SYMBOLS = {"change", "exp", "fell", "log", "net", "new", "out", "sqrt", "tanh", "target", "test", "total", "via"}
WORKING = re.compile(r"\S*[_∂Δ0-9^⁺]\S*")

# Text goes on through these; every other tag begins a new line.
INLINE = {"a", "abbr", "b", "code", "em", "i", "kbd", "small", "span", "strong", "time", "var"}
VOID = {"br", "col", "hr", "img", "input", "link", "meta", "wbr"}
SILENT = {"math", "script", "style"}
READ_ALOUD = {"alt", "aria-description", "aria-label", "label", "placeholder", "title"}


class Bracketing(NullTranslations):
    """A language that says every message of the catalogues in brackets, and no other text."""

    def __init__(self, known):
        super().__init__()
        self.known = set(known)
        # gettext finds a message that has a plural by its singular.
        self.single = {each if isinstance(each, str) else each[0] for each in known}

    def gettext(self, message):
        return f"⟦{message}⟧" if message in self.single else message

    def ngettext(self, msgid1, msgid2, n):
        said = msgid1 if n == 1 else msgid2
        return f"⟦{said}⟧" if (msgid1, msgid2) in self.known else said


class Lines(HTMLParser):
    """The texts of a page, a piece for each block, and those that are only read aloud."""

    def __init__(self, page):
        super().__init__()
        self.lines, self.silent = [""], 0
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag in SILENT:
            self.silent += 1
        elif tag not in INLINE and not self.silent:
            self.lines.append("")
        self.lines[-1:-1] = [text for name, text in attributes if name in READ_ALOUD]

    def handle_endtag(self, tag):
        if tag in SILENT:
            self.silent -= 1
        elif tag not in INLINE | VOID and not self.silent:
            self.lines.append("")

    def handle_data(self, data):
        if not self.silent:
            self.lines[-1] += data


def unsaid(line: str) -> set[str]:
    """The words of a line outside of all brackets. A message of several paragraphs has its brackets in two lines."""
    while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", " ", line)) != line:
        line = shorter
    rest = WORKING.sub(" ", re.sub(r"^[^⟦⟧]*⟧|⟦[^⟦⟧]*$", " ", line))
    return set(re.findall(r"[^\W\d_]{3,}", rest)) - NAMES - SYMBOLS


def words_in_english(page: str) -> set[str]:
    page = re.sub(r"<time [^>]*>[^<⟦]*</time>", "", page)  # days, written by Babel
    return {word for line in Lines(page).lines for word in unsaid(line or "")}


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory):
    """A visitor who is spoken to in brackets."""
    known = [message for found in messages().values() for message in found]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(languages, "_catalogue", lambda _code: Bracketing(known))
        folder = tmp_path_factory.mktemp("pseudo")
        app = create_app({"DATABASE_URL": f"sqlite:///{folder}/quizprop.sqlite", "SECRET_KEY": SECRET})
        browser = Browser(app)
        browser.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
        yield browser
        app.extensions["quizprop"].database.close()


@pytest.mark.parametrize(
    "address", ["/", "/gallery", "/progress", "/register", "/sign-in", "/reset/0", "/no/such/page", "/settings"]
)
def test_a_page_says_nothing_but_messages(pseudo, address):
    page = pseudo.get(address).text
    assert "⟦" in page
    page = re.sub(r'<option value="\w+/[^<]*</option>', "", page)  # places, named by Babel
    assert words_in_english(page) == set()


KINDS = [
    "mazur",
    "matrix-batch",
    "dropout",
    "recurrent-back",
    "word-vectors",
    "shapes-forward",
    "find-slip-chain",
    "choose-delta",
    "true-false-softmax",
]


def some_answers(instance) -> dict[str, str]:
    """The first option of each question; of a sheet, right and wrong values, and what can't be read."""
    if instance.questions:
        return {question.key: "1" for question in instance.questions}
    odd = {1: "one", 3: "0.123", 4: ""}
    return {key: odd.get(number % 5, value) for number, (key, value) in enumerate(honest(instance).items())}


@pytest.mark.parametrize("slug", KINDS)
def test_a_sheet_says_nothing_but_messages(pseudo, slug):
    """As it is handed out, as it is checked, and with its solution."""
    token = pseudo.start(slug)
    assert words_in_english(pseudo.get(f"/x/{token}").text) == set()
    typed = some_answers(pseudo.instance(token))
    said = pseudo.get(pseudo.check(token, typed, key=slug).location, follow_redirects=True).text
    assert words_in_english(said) - set(typed.values()) == set()
    ended = pseudo.get(pseudo.post(f"/x/{token}/give-up").location, follow_redirects=True).text
    assert "⟦Worked solution⟧" in ended
    assert words_in_english(ended) - set(typed.values()) == set()


@pytest.mark.parametrize("fading", list(Fading))
@pytest.mark.parametrize("reason", list(Reason))
def test_why_a_sheet_was_chosen_is_said_in_messages(pseudo, reason, fading):
    token = pseudo.start("mazur")
    told = Why(reason, fading, "update", "gradient", MISCONCEPTIONS[0].title, count=2)
    with pseudo.database.write() as session:
        session.execute(update(Variant).where(Variant.token == token).values(aim=json.dumps(asdict(told))))
    page = pseudo.get(f"/x/{token}").text
    assert "⟦Why this one?⟧" in page
    assert words_in_english(page) == set()


def test_the_pages_of_an_account_say_nothing_but_messages(pseudo):
    pseudo.register()
    for address in ("/", "/progress", "/progress/sheets", "/sessions", "/password", "/delete"):
        assert words_in_english(pseudo.get(address).text) == set(), address


def test_a_problem_set_says_nothing_but_messages(pseudo):
    """The list, the set, and a sheet of it: before a check, before the last one, after it."""
    pseudo.post("/sign-out")
    pseudo.register("eva")
    with pseudo.database.write() as session:
        eva = people.find_credentials(session, "eva").learner_id
        item = sets.NewItem("deltas", load_bank()["deltas"].model_dump_json())
        moments = {"now": 0, "due_at": state.now() + 10**12}
        made = sets.create_set(session, title="quizprop", items=[item], attempts=2, **moments)
        sets.assign(session, made, [eva], now=0)
    token = pseudo.post(f"/sets/{made.token}/1").location.rpartition("/")[2]
    pages = [pseudo.get(address).text for address in ("/sets", f"/x/{token}")]
    for number in ("1", "2"):
        answer = pseudo.check(token, {"delta2[1]": number}, key=f"{number}st", announced="y", draft_seq=number)
        pages += [pseudo.get(answer.location, follow_redirects=True).text, pseudo.get(f"/sets/{made.token}").text]
    assert "⟦No attempt left: here is how it goes⟧" in pages[-2]
    assert [words_in_english(page) for page in pages] == [set()] * len(pages)


def test_the_pages_of_a_course_say_nothing_but_messages(pseudo):
    """As who teaches it sees them, before anything is there and after a check, and as a student does."""
    pseudo.post("/sign-out")
    pseudo.register("iris")
    token = pseudo.post("/courses", {"title": "quizprop"}).location.rpartition("/")[2]
    parts = ("", "/grades", "/mistakes", "/sets/new")
    pages = [pseudo.get("/courses").text, *(pseudo.get(f"/courses/{token}{part}").text for part in parts)]
    code = re.search(r"<code>([A-Z2-9]{8})</code>", pages[1])[1]
    given = {"title": "quizprop", "points-deltas": "2", "attempts": "3"}
    pages.append(pseudo.post(f"/courses/{token}/sets/new", {**given, "title": "", "points-deltas": "x"}).text)
    made = pseudo.post(f"/courses/{token}/sets/new", given).location
    pages.append(pseudo.get(made).text)
    pseudo.post(f"{made}/publish")
    pages.append(pseudo.get(f"/courses/{token}/grades").text)
    pseudo.post("/sign-out")
    pseudo.register("eva" * 2)
    pages.append(pseudo.post("/courses/join", {"code": "no"}).text)
    pseudo.post("/courses/join", {"code": code})
    pages += [pseudo.get(f"/courses/{token}").text, pseudo.get("/courses").text]
    (set_token,) = set(re.findall(r'href="/sets/(\w+)"', pages[-2]))
    sheet = pseudo.post(f"/sets/{set_token}/1").location.rpartition("/")[2]
    answers = some_answers(pseudo.instance(sheet))
    pseudo.check(sheet, {**answers, "delta2[1]": "99"})
    pseudo.post("/sign-out")
    pseudo.sign_in("iris")
    member = re.search(r'/students/(\d+)"', pseudo.get(f"/courses/{token}").text)[1]
    of_set = (f"/sets/{set_token}{part}" for part in ("", "/regrade", "/live"))
    more = (f"/work/{sheet}", f"/students/{member}", "/roster", "/record", "/exercises", *of_set)
    pages.append(pseudo.post(f"/courses/{token}/roster", {"roster": "username\nevaeva\n"}).text)
    pages += [pseudo.get(f"/courses/{token}{part}").text for part in (*parts, *more)]
    allowed = {
        "iris",
        "evaeva",
        "username",
        "name",
        "section",
        "Letter",
        "id",
        "localhost",
        "http",
        "join",
        code,
        *answers.values(),
    }
    assert [words_in_english(page) - allowed for page in pages] == [set()] * len(pages)
