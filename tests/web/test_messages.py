"""Laws of the catalogues: they have every message of the program and no other, and each translation keeps its parts."""

import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Message

from quizprop.exercise.why import REASONS, Reason
from quizprop.web.extract import messages, read, update
from quizprop.web.languages import DOMAINS, ENGLISH, gettext, known_languages, ngettext, spoken
from tests.web.conftest import words

CODES = sorted(set(known_languages()) - {ENGLISH})
CATALOGUES = [(code, domain) for code in CODES for domain in DOMAINS]

# What a translation has to keep as it is: places to fill in, tags, code, formulas.
PART = re.compile(r"%\(\w+\)s|\{\w*\}|<[^<>]+>|`[^`]*`|\$[^$]*\$")


@pytest.fixture(scope="module")
def found():
    return messages()


def in_file(code: str, domain: str) -> Iterator[Message]:
    return (message for message in read(code, domain) if message.id)


def forms(words) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


def parts(text: str) -> set[str]:
    return set(PART.findall(text))


def translated(code: str, domain: str) -> Iterator[Message]:
    return (message for message in in_file(code, domain) if any(forms(message.string)))


@pytest.mark.parametrize(("code", "domain"), CATALOGUES)
def test_a_catalogue_has_exactly_the_messages_of_the_program(code, domain, found):
    assert [message.id for message in in_file(code, domain)] == list(found[domain]), "run `make messages`"


@pytest.mark.parametrize(("code", "domain"), CATALOGUES)
def test_a_translation_keeps_the_parts_of_its_message(code, domain):
    for message in translated(code, domain):
        one, *several = forms(message.id)
        allowed = [parts(one), *map(parts, several)]
        first, *others = map(parts, forms(message.string))
        assert first in allowed, message.string
        assert all(other == allowed[-1] for other in others), message.string


@pytest.mark.parametrize(("code", "domain"), CATALOGUES)
def test_no_other_sign_of_a_translation_looks_like_a_part(code, domain):
    for message in translated(code, domain):
        # Only what has parts is filled in; elsewhere these signs are text.
        loose = "".join(sign for sign, place in (("%", "%("), ("{}", "{")) if place in forms(message.id)[-1])
        for form in forms(message.string):
            assert not set(loose).intersection(PART.sub("", form)), form


@pytest.mark.parametrize(("code", "domain"), CATALOGUES)
def test_a_translation_is_complete_and_settled(code, domain):
    number = read(code, domain).num_plurals
    for message in translated(code, domain):
        assert not message.fuzzy, message.id
        assert len(forms(message.string)) == (1 if isinstance(message.id, str) else number), message.id
        assert all(form and form == form.strip() for form in forms(message.string)), message.id


def test_no_message_begins_or_ends_with_a_space(found):
    """Such a message is half a sentence, to be glued to another."""
    assert [one for domain in DOMAINS for each in found[domain] for one in forms(each) if one != one.strip()] == []


def test_an_update_keeps_what_is_translated_and_forgets_what_nobody_says(tmp_path, monkeypatch):
    monkeypatch.setattr("quizprop.web.extract._FOLDER", tmp_path)
    several = ("%(num)s apple", "%(num)s apples")
    assert update("de", "core", ["pear", several]) == 2
    file = tmp_path / "de" / "core.po"
    text = file.read_text(encoding="utf-8")
    text = text.replace('msgid "pear"\nmsgstr ""', 'msgid "pear"\nmsgstr "Birne"')
    text = text.replace('[0] ""', '[0] "%(num)s Apfel"').replace('[1] ""', '[1] "%(num)s Äpfel"')
    file.write_text(text, encoding="utf-8")
    assert update("de", "core", [several, "plum"]) == 1
    assert {each.id: each.string for each in read("de", "core") if each.id} == {
        several: ("%(num)s Apfel", "%(num)s Äpfel"),
        "plum": "",
    }


@pytest.mark.parametrize(("code", "domain"), CATALOGUES)
def test_no_message_is_without_a_translation(code, domain):
    assert [message.id for message in in_file(code, domain) if not all(forms(message.string))] == []


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("count", [0, 1, 2, 5, 21, 1_000_000])
def test_every_count_is_said_in_the_language(app, code, count):
    counted = [one for domain in DOMAINS for one in translated(code, domain) if not isinstance(one.id, str)]
    assert counted
    with app.test_request_context("/", headers={"Accept-Language": code}):
        for message in counted:
            assert spoken().ngettext(*message.id, count) == message.string[count != 1]


def test_what_a_catalogue_has_in_one_form_is_said_so_of_every_count(app):
    one, several = REASONS[Reason.TOGETHER]
    with app.test_request_context("/", headers={"Accept-Language": "de"}):
        assert {ngettext(one, several, count) for count in (1, 2)} == {gettext(one)} != {one}


def test_one_and_several_are_told_apart_where_english_tells_them_not(browser):
    token, spanish = browser.start("mazur"), {"Accept-Language": "es"}
    browser.check(token, {"z1[1]": "0.3775"}, key="first")
    browser.check(token, {"z1[1]": "0.3775", "z1[2]": "0.3925"}, key="second")
    assert "1 correcto " in words(browser.get(f"/x/{token}/s/1", headers=spanish).text)
    assert "2 correctos " in words(browser.get(f"/x/{token}/s/2", headers=spanish).text)
