"""What a person types into a cell is read as it looks, or refused with a message that says what to type."""

import math
import re
import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from quizprop.exercise.figures import exact
from quizprop.exercise.numbers import Reading, read_number, typed_number

within_range = st.floats(min_value=-1e15, max_value=1e15)

typed = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=250),  # lone surrogates too
    st.text(st.sampled_from("0123456789.,eE+-−–*×·/÷^()⁻¹²³ =≈_%σ"), max_size=40),
    st.lists(
        st.sampled_from([
            "0", "1", "2.5", ".5", "1e9", "exp", "ln", "log10", "sqrt", "tanh", "sigmoid", "σ", "abs", "e", "e^",
            "(", ")", "+", "-", "−", "*", "/", "^", "**", "⁻¹", " ", ",", "nan", "=", "٣",
        ]),
        max_size=30,
    ).map("".join),
)  # fmt: skip


def value(text: str, *, decimal_comma: bool = False) -> float:
    reading = read_number(text, decimal_comma=decimal_comma)
    assert not reading.problem
    assert reading.value is not None
    return reading.value


def problem(text: str, *, decimal_comma: bool = False) -> str:
    reading = read_number(text, decimal_comma=decimal_comma)
    assert reading.value is None, f"{text!r} was read as {reading.value}"
    assert reading.echo == ""
    assert reading.text == text
    assert not reading.blank
    return reading.problem


# Numbers


@pytest.mark.parametrize(
    ("text", "read", "echo"),
    [
        ("0.3775", 0.3775, "0.3775"),
        (".3775", 0.3775, "0.3775"),
        ("5.", 5.0, "5"),
        ("5", 5.0, "5"),
        ("007", 7.0, "7"),
        ("-0.25", -0.25, "−0.25"),
        ("+0.25", 0.25, "0.25"),
        ("−0.25", -0.25, "−0.25"),
        ("–0.25", -0.25, "−0.25"),
        ("\u20110.25", -0.25, "−0.25"),
        ("3.775e-1", 0.3775, "0.3775"),
        ("3.775E-1", 0.3775, "0.3775"),
        ("3.775e−1", 0.3775, "0.3775"),
        ("1.5e+2", 150.0, "150"),
        (".5e1", 5.0, "5"),
        ("4.38568e-4", 0.000438568, "0.000438568"),
        ("0.1234567890123456", 0.1234567890123456, "0.1234567890123456"),
        ("1e15", 1e15, "1000000000000000"),
        ("2e-22", 2e-22, "2e−22"),
        ("-0", 0.0, "0"),
        ("1e-400", 0.0, "0"),
        ("=0.25", 0.25, "0.25"),
        ("≈ 0.25", 0.25, "0.25"),
        ("0.25" + "0" * 196, 0.25, "0.25"),
        ("(-0.25)", -0.25, "−0.25"),
    ],
)
def test_a_number_is_read_as_it_looks_and_echoed_as_a_decimal(text: str, read: float, echo: str) -> None:
    assert read_number(text) == Reading(text, read, echo=echo)
    assert math.copysign(1, value(text)) == math.copysign(1, read)


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\u00a0", "\u2009", "\u202f", "\u200b", "\ufeff", "\u2060"])
def test_space_around_the_parts_does_no_harm(space: str) -> None:
    assert value(f"{space}-{space}0.25{space}*{space}({space}2{space}){space}") == -0.5


@pytest.mark.parametrize("text", ["", " ", "\t\r\n", "\u00a0\u2009", "\u200b\ufeff", " " * 300])
def test_a_cell_of_white_space_is_blank_and_no_mistake(text: str) -> None:
    reading = read_number(text)
    assert reading == Reading(text, None)
    assert reading.blank


def test_a_read_cell_is_not_blank() -> None:
    assert not read_number("0").blank


@given(within_range)
@example(5e-324)
@example(0.1 + 0.2)
def test_every_float_written_by_repr_is_read_back_exactly(number: float) -> None:
    assert value(repr(number)) == number
    assert value(exact(number)) == number
    assert value(read_number(repr(number)).echo) == number


@given(within_range)
def test_a_programs_number_is_read_back_exactly_whatever_the_mark(number: float) -> None:
    for decimal_comma in (False, True):
        reading = read_number(typed_number(number, decimal_comma=decimal_comma), decimal_comma=decimal_comma)
        assert reading.value == number


def test_a_programs_whole_number_has_no_decimals_and_one_too_large_is_told_so() -> None:
    assert [typed_number(number, decimal_comma=True) for number in (2.0, -3, Fraction(4), 0.25)] == [
        "2",
        "-3",
        "4",
        "0,25",
    ]
    for number in (10**16, 10**5000, Fraction(10**400), 1e300):
        assert "too large" in read_number(typed_number(number)).problem


@given(st.decimals(min_value=-1000, max_value=1000, places=6, allow_nan=False))
def test_a_written_decimal_is_the_nearest_float(number: Decimal) -> None:
    assert value(f"{number:f}") == float(number)
    assert value(f"{number:+f}".replace("-", "−")) == float(number)
    assert value(f"{number:.12e}") == float(number)


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**6))
def test_a_fraction_is_its_quotient(top: int, bottom: int) -> None:
    assert value(f"{top}/{bottom}") == float(Fraction(top, bottom))


# The decimal comma


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("0,3775", 0.3775),
        (",3775", 0.3775),
        ("5,", 5.0),
        ("1,000", 1.0),
        ("−3,775e-1", -0.3775),
        ("0,15*0,05 + 0,35", 0.15 * 0.05 + 0.35),
        ("1/(1+exp(-0,3775))", 1 / (1 + math.exp(-0.3775))),
        ("0.3775", 0.3775),  # copied from the page
        ("0.377", 0.377),
        ("1.000e3", 1000.0),
    ],
)
def test_a_comma_is_the_decimal_mark_where_the_person_chose_it(text: str, read: float) -> None:
    assert value(text, decimal_comma=True) == read


def test_the_echo_has_a_point_so_that_a_comma_is_seen_to_be_understood() -> None:
    assert read_number("0,3775", decimal_comma=True).echo == "0.3775"


@given(within_range)
def test_a_point_and_a_chosen_comma_read_alike(number: float) -> None:
    text = f"2*{number!r}+{exact(number)}"
    swapped = read_number(text.replace(".", ","), decimal_comma=True)
    assert (swapped.value, swapped.echo) == (read_number(text).value, read_number(text).echo)


# Working


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1/3", 1 / 3),
        ("0.15*0.05 + 0.35", 0.15 * 0.05 + 0.35),
        ("0.15×0.05", 0.15 * 0.05),
        ("0.15·0.05", 0.15 * 0.05),
        ("6÷4", 1.5),
        ("6⁄4", 1.5),
        ("1 - 2 - 3", -4),
        ("8 / 4 / 2", 1),
        ("8 / 4 * 2", 4),
        ("2 – 3", -1),
        ("2 - -3", 5),
        ("2*-3", -6),
        ("--2", 2),
        ("-2^2", -4),
        ("(-2)^2", 4),
        ("2^3^2", 512),
        ("2**3**2", 512),
        ("2^-1", 0.5),
        ("2^-2^2", 0.0625),
        ("2*3^2", 18),
        ("0^0", 1),
        ("0^0.5", 0),
        ("sqrt(0)", 0),
        ("(-8)^3", -512),
        ("3.5·10^-1", 3.5 * 0.1),
        ("0·3 + 1·2", 2.0),
        ("0·0.35", 0.0),
        ("3.5*10⁻¹", 3.5 * 0.1),
        ("10⁺¹²", 1e12),
        ("-3²", -9),
        ("2²^3", 64),
        ("2^3²", 512),
        ("0.75*(1-0.75)", 0.1875),
        ("= 1/(1+exp(-0.3775))", 1 / (1 + math.exp(-0.3775))),
        ("1/(1+e^(-0.3775))", 1 / (1 + math.exp(-0.3775))),
        ("1/(1+e^-0.3775)", 1 / (1 + math.exp(-0.3775))),
        ("e**2", math.exp(2)),
        ("e⁻²", math.exp(-2)),
        ("EXP(2)", math.exp(2)),
        ("exp (2)", math.exp(2)),
        ("ln(2)", math.log(2)),
        ("log(2)", math.log(2)),
        ("log10(1000)", 3),
        ("sqrt(2.25)", 1.5),
        ("tanh(0.5)", math.tanh(0.5)),
        ("abs(-0.25)", 0.25),
        ("sigmoid(0.3775)", 1 / (1 + math.exp(-0.3775))),
        ("σ(-0.3775)", 1 / (1 + math.exp(0.3775))),
        ("sigmoid(1e5)", 1),
        ("sigmoid(-1e5)", 0),
        ("exp(-1e5)", 0),
        ("exp(400)/exp(401)", 1 / math.e),
        ("(" * 20 + "1" + ")" * 20, 1),
    ],
)
def test_working_is_read_as_in_mathematics(text: str, read: float) -> None:
    assert value(text) == pytest.approx(read, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "echo"),
    [
        ("1/3", "0.3333333333"),
        ("0.1+0.2", "0.3"),
        ("0.1³", "0.001"),
        ("3.775·10^-1", "0.3775"),
        ("10⁻⁵", "0.00001"),
        ("10^15", "1000000000000000"),
        ("2*0", "0"),
        ("-1*0", "0"),
    ],
)
def test_working_is_echoed_to_ten_digits(text: str, echo: str) -> None:
    assert read_number(text).echo == echo


class Tree(NamedTuple):
    """Working, written once with as few parentheses as mathematics allows, and its value by Python's own floats."""

    text: str
    tightness: int  # 0 a sum, 1 a product, 2 a sign, 3 a power, 4 an operand
    evaluate: Callable[[], float]

    def inside(self, tightness: int) -> str:
        return self.text if self.tightness >= tightness else f"({self.text})"


def leaf(number: Decimal) -> Tree:
    return Tree(f"{number:f}", 4, lambda: float(number))


def finite(number: float) -> float:
    # A root of a negative number is complex in Python.
    if isinstance(number, complex) or not math.isfinite(number):
        raise OverflowError
    return number


def binary(left: Tree, sign: str, right: Tree) -> Tree:
    text, tightness, formula = {
        "+": (f"{left.inside(0)} + {right.inside(1)}", 0, lambda a, b: a + b),
        "-": (f"{left.inside(0)}-{right.inside(1)}", 0, lambda a, b: a - b),
        "×": (f"{left.inside(1)}×{right.inside(2)}", 1, lambda a, b: a * b),
        "/": (f"{left.inside(1)} / {right.inside(2)}", 1, lambda a, b: a / b),
        "^": (f"{left.inside(4)}^{right.inside(2)}", 3, lambda a, b: a**b),
    }[sign]
    return Tree(text, tightness, lambda: finite(formula(left.evaluate(), right.evaluate())))


def negative(inner: Tree) -> Tree:
    return Tree(f"−{inner.inside(2)}", 2, lambda: -inner.evaluate())


def call(name: str, inner: Tree) -> Tree:
    function = {"exp": math.exp, "ln": math.log, "sqrt": math.sqrt, "tanh": math.tanh, "abs": abs}[name]
    return Tree(f"{name}({inner.text})", 4, lambda: function(inner.evaluate()))


trees = st.recursive(
    st.decimals(0, 9, places=2).map(leaf),
    lambda smaller: st.one_of(
        st.builds(binary, smaller, st.sampled_from("+-×/^"), smaller),
        st.builds(negative, smaller),
        st.builds(call, st.sampled_from(["exp", "ln", "sqrt", "tanh", "abs"]), smaller),
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(trees)
def test_working_agrees_with_the_tree_it_was_written_from(tree: Tree) -> None:
    assume(len(tree.text) <= 200)
    try:
        expected = tree.evaluate()
    except (ArithmeticError, ValueError):
        expected = math.inf
    if abs(expected) <= 1e15:
        assert value(tree.text) == expected
    else:
        assert problem(tree.text)


@given(st.floats(-50, 50))
def test_sigmoid_agrees_with_its_form_by_tanh(z: float) -> None:
    assert value(f"σ({z!r})") == pytest.approx((1 + math.tanh(z / 2)) / 2, rel=1e-14, abs=1e-16)
    assert value(f"1/(1+exp(-({z!r})))") == pytest.approx(value(f"sigmoid({z!r})"), rel=1e-14)
    assert value(f"1/(1+e^-({z!r}))") == pytest.approx(value(f"sigmoid({z!r})"), rel=1e-13)


# Refusals: the message says what to type


@pytest.mark.parametrize("text", ["e", "exp 2", "5 %", "nan", "$", "1.2.3"])
@pytest.mark.parametrize(("comma", "other"), [(False, ","), (True, ".")])
def test_what_a_refusal_says_to_type_would_be_read(text: str, *, comma: bool, other: str) -> None:
    said = read_number(text, decimal_comma=comma).problem.removeprefix(f'"{text}"')
    shown = re.findall(r"\d+[.,]\d+", said)
    assert not [one for one in shown if other in one]
    assert [read_number(one, decimal_comma=comma).problem for one in shown] == [""] * len(shown)


KNOWN = "is not known. Known: exp, ln, log (natural), log10, sqrt, tanh, sigmoid or σ, abs, and e^x."
READ = "is not read: type a number such as 0.25, or working with + - * / ^ and parentheses."
MARKS = "has more than one point or comma: type the digits without grouping, as in"
APART = "stand side by side: type one number, or a sign such as * between them."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,3775", 'Type a point, not a comma: "0.3775".'),
        (",5", 'Type a point, not a comma: ".5".'),
        ("0,5e-1", 'Type a point, not a comma: "0.5e-1".'),
        ("0.5,", 'Leave out the comma at the end of "0.5,".'),
        ("0·5", '"0·5" can be read in two ways: write "0*5" or "0.5".'),
        ("−0·05", '"-0·05" can be read in two ways: write "-0*05" or "-0.05".'),
        ("1,000", '"1,000" can be read in two ways: write "1000" or "1.000".'),
        ("1,000,000", f'"1,000,000" {MARKS} "1000.5".'),
        ("1.000,5", f'"1.000,5" {MARKS} "1000.5".'),
        ("0.3.5", f'"0.3.5" {MARKS} "1000.5".'),
        ("1_000", 'Digits are not grouped here: leave out the "_" of "1_000".'),
        ("٣", 'Type the digits 0-9, with "/" for a fraction, instead of "٣".'),
        ("0.３", 'Type the digits 0-9, with "/" for a fraction, instead of "３".'),
        ("½", 'Type the digits 0-9, with "/" for a fraction, instead of "½".'),
        ("50%", "Percent is not read: type a decimal, such as 0.5 for 50 percent."),
        ("nan", '"nan" is not a number here: type a finite one, such as 0.25.'),
        ("-Infinity", '"Infinity" is not a number here: type a finite one, such as 0.25.'),
        ("∞", "Infinity is not a number here: type a finite one."),
        ("√2", "Type sqrt( ) for a root."),
        ("—0.5", "Type - for minus."),
        ("[0.5]", "Type ( and ) for brackets."),
        ("0.3 0.5", f'"0.3" and "0.5" {APART}'),
        ("1 000", f'"1" and "000" {APART}'),
        ("2(3)", f'"2" and "(" {APART}'),
        ("(2)(3)", f'")" and "(" {APART}'),
        ("(2 3)", f'"2" and "3" {APART}'),
        ("0.15x0.05", f'"0.15" and "x0" {APART}'),
        ("1.5e", f'"1.5" and "e" {APART}'),
        ("2² ²", f'"²" and "²" {APART}'),
        ("(1+2", 'A parenthesis is still open: type the missing ")".'),
        ("exp(1", 'A parenthesis is still open: type the missing ")".'),
        ("1+2)", 'There is one ")" too many: take it out, or type the missing "(".'),
        ("()", 'A number is missing before ")".'),
        ("exp()", 'A number is missing before ")".'),
        ("*3", 'A number is missing before "*".'),
        ("3+", 'A number is missing after "+".'),
        ("=", 'A number is missing after "=".'),
        ("==3", 'A number is missing before "=".'),
        ("1+1=2", 'Type one value: only one side of "=".'),
        ("1/3≈0.333", 'Type one value: only one side of "≈".'),
        ("1/0", "This divides by 0: check what stands after the division sign."),
        ("1/(2-2)", "This divides by 0: check what stands after the division sign."),
        ("0^-1", "This divides by 0: a negative power of 0 has no value."),
        ("ln(0)", "ln takes a number above 0, and this is 0."),
        ("log(-1/3)", "log takes a number above 0, and this is −0.3333333333."),
        ("log10(-1)", "log10 takes a number above 0, and this is −1."),
        ("sqrt(-1)", "sqrt takes 0 or a number above it, and this is −1."),
        (
            "(-1)^0.5",
            "−1 is negative, so its power 0.5 is no real number. Check the sign and the parentheses.",
        ),
        ("e", "e is read only with a power: type e^(-0.25) or exp(-0.25)."),
        ("2*e+1", "e is read only with a power: type e^(-0.25) or exp(-0.25)."),
        ("exp 2", "exp needs parentheses, as in exp(0.25)."),
        ("SQRT2", f'"SQRT2" {KNOWN}'),
        ("max(1,2)", f'"max" {KNOWN}'),
        ("Σ(1)", f'"Σ" {KNOWN}'),
        ("exp(1, 2)", 'Leave out the comma at the end of "1,".'),
        ("1" * 201, "This has 201 characters: type at most 200."),
        ("(" * 21 + "1" + ")" * 21, "More than 20 parentheses or powers inside one another: type it more simply."),
        ("2^" * 21 + "1", "More than 20 parentheses or powers inside one another: type it more simply."),
        ("w" * 24, f'"{"w" * 24}" {KNOWN}'),
        ("w" * 60 + "(1)", f'"{"w" * 23}…" {KNOWN}'),
        ("0.5;", f'The character ";" {READ}'),
        (".", f'The character "." {READ}'),
        ("0.5\x00", f"The character U+0000 {READ}"),
        ("\ud800", f"The character U+D800 {READ}"),
        ("\u202e5", f"The character U+202E {READ}"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_answered_with_what_to_type(text: str, message: str) -> None:
    assert problem(text) == message


@pytest.mark.parametrize(
    "text",
    ["1e999", "1e15*1.001", "-1e16", "exp(10000)", "9^9^9", "1/(1e300*1e300)", "1/(1e308+1e308)", "2" + "⁹" * 190,
     "1/(1+exp(1e4))"],
)  # fmt: skip
def test_what_grows_too_large_is_refused(text: str) -> None:
    assert problem(text) == "This is too large: type a number between -1e15 and 1e15."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0·5", '"0·5" can be read in two ways: write "0*5" or "0,5".'),
        ("1.000", '"1.000" can be read in two ways: write "1000" or "1,000".'),
        ("1.000,5", f'"1.000,5" {MARKS} "1000,5".'),
        ("0,3,", f'"0,3," {MARKS} "1000,5".'),
    ],
)
def test_with_a_decimal_comma_the_messages_speak_in_commas(text: str, message: str) -> None:
    assert problem(text, decimal_comma=True) == message


# Numbers of programs


@given(st.one_of(within_range, st.integers(-(10**15), 10**15)), st.booleans())
def test_a_typed_number_reads_back_as_it_was(number: float, decimal_comma: bool) -> None:  # noqa: FBT001
    assert value(typed_number(number, decimal_comma=decimal_comma), decimal_comma=decimal_comma) == number


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16])
def test_a_number_of_numpy_is_typed_as_any_other(kind: Callable[[float], float]) -> None:
    assert typed_number(kind(-0.375)) == "-0.375"
    assert typed_number(kind(-0.375), decimal_comma=True) == "-0,375"


# Any text at all


@settings(max_examples=500)
@given(typed, st.booleans())
def test_any_text_is_read_or_answered_and_none_raises(text: str, decimal_comma: bool) -> None:  # noqa: FBT001
    reading = read_number(text, decimal_comma=decimal_comma)
    assert reading.text == text
    assert len(reading.problem) < 200
    assert reading.problem.isprintable()
    outcomes = [reading.blank, bool(reading.problem), reading.value is not None]
    assert outcomes.count(True) == 1
    assert bool(reading.echo) == (reading.value is not None)
    if reading.value is not None:
        assert abs(reading.value) <= 1e15
        assert value(reading.echo) == pytest.approx(reading.value, rel=1e-9, abs=0)


def test_long_and_deep_texts_take_no_time() -> None:
    start = time.process_time()
    for text in ["(" * 200, "(" * 100 + ")" * 100, "-" * 199 + "1", "2^" * 100, "^" * 200, "9" * 200, "." * 200,
                 "1" + ",000" * 49, "0." + "1" * 198, "1e" + "9" * 198, "e^" * 100, "exp(" * 50, "x" * 200, "⁹" * 200,
                 "1 " * 100, "1+" * 99 + "1", " " * 10**6 + "1", "1" * 10**6]:  # fmt: skip
        read_number(text)
        read_number(text, decimal_comma=True)
    assert time.process_time() - start < 2
