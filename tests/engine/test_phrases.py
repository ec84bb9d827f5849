"""Laws of words that can be said in another language."""

import copy

import pytest

from quizprop.engine.words import phrase, said, speaking

WORDS = {"{one} and {two}": "{two} y {one}", "salt": "sal", "no. {number}": "n.º {number}"}


def voice(text: str) -> str:
    return WORDS.get(text, text)


def test_a_phrase_is_its_text_in_english():
    assert phrase("{one} and {two}", one="salt", two=0.5) == "salt and 0.5"


def test_a_voice_says_the_template_and_the_words_in_it():
    mixed = phrase("{one} and {two}", one="salt", two="pepper")
    assert mixed.said_by(voice) == "pepper y sal"


def test_what_is_no_text_is_said_as_it_is():
    assert phrase("no. {number}", number=2).said_by(voice) == "n.º 2"


@pytest.mark.parametrize("part", ["{two}", "{", "%(one)s", "{one}"])
def test_a_part_is_never_read_as_a_template(part):
    mixed = phrase("{one} and {two}", one=part, two="salt")
    assert mixed == f"{part} and salt"
    assert mixed.said_by(voice) == f"sal y {part}"


def test_words_are_said_as_they_are_unless_a_voice_speaks():
    assert said("salt") == "salt"
    with speaking(voice):
        assert said("salt") == "sal"
        with speaking(str.upper):
            assert said("salt") == "SALT"
        assert said("salt") == "sal"
    assert said("salt") == "salt"


def test_a_voice_is_silent_after_an_error_too():
    with pytest.raises(ZeroDivisionError), speaking(voice):
        raise ZeroDivisionError
    assert said("salt") == "salt"


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_phrase_can_be_said_too(twin):
    assert twin(phrase("no. {number}", number=2)).said_by(voice) == "n.º 2"
