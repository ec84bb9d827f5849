"""What a person types into a cell, read as one number: a decimal, a fraction, or working such as ``1/(1+exp(-0.25))``.

The grammar, from loose to tight (white space is free between the parts; a leading ``=`` or ``≈`` is ignored)::

    sum      product, then any number of  + product  or  - product
    product  signed, then any number of  * signed  or  / signed       also  × · ⋅ ∙ ∗  and  ÷ ∕ ⁄
    signed   any number of  + or - , then a power                     also  U+2212 and pasted hyphens and dashes
    power    operand, an optional superscript as in 10⁻¹, then an optional  ^ signed  or  ** signed
    operand  a number,  ( sum ) ,  a function's name with  ( sum ) ,  or  e  where a power follows it

So -2^2 is -4, 2^3^2 is 2^9, 2^-1 is 0.5. The functions are exp, ln, log (natural too), log10, sqrt, tanh, sigmoid
(also σ) and abs. A point is always read as the decimal mark, a comma where the person chose it; digits are never
grouped. Nothing is guessed: what could be read in two ways is refused with a message that says what to type.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple, NoReturn, SupportsFloat

from quizprop.engine.words import Phrase, phrase
from quizprop.exercise.figures import exact, significant, with_comma

__all__ = ["Reading", "read_number", "typed_number"]

_LONGEST: Final = 200  # characters
_DEEPEST: Final = 20  # parentheses and powers inside one another
_LARGEST: Final = 1e15
_BEYOND: Final = "1e999"  # reads as too large, which it is

_DIGITS_ABOVE: Final = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_LOWERED: Final = str.maketrans("⁺⁻" + _DIGITS_ABOVE, "+-0123456789")

# Word processors put dashes for minus, and pages bring invisible characters along: what is seen is what is read.
_AS_SEEN: Final = str.maketrans(dict.fromkeys("−–‐‑‒", "-") | dict.fromkeys("\u200b\u200e\u200f\u2060\ufeff", ""))

# The number takes commas, points and underscores as they come, so that a message can show the whole of it.
_TOKEN: Final = re.compile(
    rf"""
      (?P<space> \s+ )
    | (?P<number> [.,]?[0-9][0-9.,_]* (?:[eE][+-]?[0-9]+)? )
    | (?P<superscript> [⁺⁻]?[{_DIGITS_ABOVE}]+ )
    | (?P<name> [^\W\d_{_DIGITS_ABOVE}][^\W{_DIGITS_ABOVE}]* )
    | (?P<power> \*\* | \^ )
    | (?P<times> [*×·⋅∙∗] )
    | (?P<over> [/÷∕⁄] )
    | (?P<plus> \+ )
    | (?P<minus> - )
    | (?P<open> \( )
    | (?P<close> \) )
    | (?P<equals> [=≈] )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_RAISED: Final = re.compile(r"(?P<sign>[-+]?)0[·⋅∙](?P<decimals>[0-9]+)")
_GROUPED: Final = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")

_POINT: Final = "."
"""The mark of the examples in messages, until it is known how the reader types."""

_KNOWN: Final = phrase("exp, ln, log (natural), log10, sqrt, tanh, sigmoid or σ, abs, and e^x")
_NO_NUMBERS: Final = frozenset({"nan", "inf", "infinity"})

_HINTS: Final[Mapping[str, Phrase]] = MappingProxyType({
    "%": phrase("Percent is not read: type a decimal, such as 0{mark}5 for 50 percent.", mark=_POINT),
    "∞": phrase("Infinity is not a number here: type a finite one."),
    "√": phrase("Type sqrt( ) for a root."),
    "—": phrase("Type - for minus."),
    "[": phrase("Type ( and ) for brackets."),
    "]": phrase("Type ( and ) for brackets."),
    "{": phrase("Type ( and ) for brackets."),
    "}": phrase("Type ( and ) for brackets."),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """One cell as typed, and what was made of it."""

    text: str
    """Exactly as typed."""
    value: float | None
    """A finite number up to 1e15 in magnitude; None where the cell is blank or can't be read."""
    echo: str = ""
    """How it was read, with a decimal point whatever was typed: "0.3775". Empty without a value."""
    problem: str = ""
    """For the person: what is wrong and what to type. Empty where nothing is."""

    @property
    def blank(self) -> bool:
        """Whether nothing was typed but white space."""
        return self.value is None and not self.problem


def read_number(text: str, *, decimal_comma: bool = False) -> Reading:
    """Read what a person typed; any text at all gives a reading, and none raises.

    A number reads as the float64 nearest to what is written, working as its value in float64. Working that grows
    beyond float64 on its way is refused; what is too small for float64 is 0. The message in ``problem`` stays under
    200 characters, and quotes nothing that can't be printed.
    """
    seen = text.translate(_AS_SEEN).strip()
    if not seen:
        return Reading(text, None)
    try:
        _refuse_raised_point(seen, "," if decimal_comma else ".")
        tokens = _tokens(seen)
        value = _Working(tokens, decimal_comma).value()
    except _UnreadableError as refused:
        return Reading(text, None, problem=_marked(refused.problem, "," if decimal_comma else "."))
    # A number by itself is echoed to its last digit; what was computed is not exact to the last digit anyway.
    operands = sum(token.kind in ("number", "name", "superscript") for token in tokens)
    return Reading(text, value, echo=exact(value) if operands == 1 else significant(value))


def typed_number(value: SupportsFloat, *, decimal_comma: bool = False) -> str:
    """A program's number as a person would type it, to its last digit; of a whole one no decimals are typed."""
    try:
        number = float(value)  # NumPy's own floats have another repr
        text = repr(int(number) if abs(number) < _LARGEST and number.is_integer() else number)
    except OverflowError:
        text = _BEYOND
    return with_comma(text) if decimal_comma else text


class _UnreadableError(ValueError):
    """The message is written for the person who typed."""

    def __init__(self, problem: Phrase) -> None:
        super().__init__(problem)
        self.problem = problem


class _Token(NamedTuple):
    kind: str
    text: str


def _refuse_raised_point(seen: str, mark: str) -> None:
    """Zero times something is hardly all of an answer: 0·5 may be the decimal as it is written by hand."""
    found = _RAISED.fullmatch(seen)
    if found:
        product, decimal = (_quote(f"{found['sign']}0{sign}{found['decimals']}") for sign in ("*", mark))
        raise _UnreadableError(
            phrase(
                "{number} can be read in two ways: write {whole} or {decimal}.",
                number=_quote(seen),
                whole=product,
                decimal=decimal,
            )
        )


def _tokens(seen: str) -> tuple[_Token, ...]:
    if len(seen) > _LONGEST:
        raise _UnreadableError(
            phrase("This has {number} characters: type at most {most}.", number=len(seen), most=_LONGEST)
        )
    found = [_Token(str(match.lastgroup), match.group()) for match in _TOKEN.finditer(seen)]
    for token in found:
        if token.kind == "other":
            _refuse_character(token.text)
    return (*(token for token in found if token.kind != "space"), _Token("end", ""))


@dataclass(frozen=True, slots=True)
class _Working:
    """Tokens, and the grammar over them: each method reads one part from ``at`` on, and gives its value and its end."""

    tokens: tuple[_Token, ...]
    decimal_comma: bool

    def value(self) -> float:
        value, at = self.sum(1 if self.tokens[0].kind == "equals" else 0, 0)
        if self.tokens[at].kind != "end":
            self.refuse_after_operand(at)
        if abs(value) > _LARGEST:
            _refuse_size()
        return value + 0.0  # there is no -0 on paper

    def sum(self, at: int, depth: int) -> tuple[float, int]:
        value, at = self.product(at, depth)
        while (kind := self.tokens[at].kind) in ("plus", "minus"):
            term, at = self.product(at + 1, depth)
            value = _finite(value + term if kind == "plus" else value - term)
        return value, at

    def product(self, at: int, depth: int) -> tuple[float, int]:
        value, at = self.signed(at, depth)
        while (kind := self.tokens[at].kind) in ("times", "over"):
            factor, at = self.signed(at + 1, depth)
            value = _finite(value * factor if kind == "times" else _quotient(value, factor))
        return value, at

    def signed(self, at: int, depth: int) -> tuple[float, int]:
        sign = 1.0
        while (kind := self.tokens[at].kind) in ("plus", "minus"):
            sign = sign if kind == "plus" else -sign
            at += 1
        value, at = self.power(at, depth)
        return sign * value, at

    def power(self, at: int, depth: int) -> tuple[float, int]:
        value, at = self.operand(at, depth)
        if self.tokens[at].kind == "superscript":
            value = _power(value, float(self.tokens[at].text.translate(_LOWERED)))
            at += 1
        if self.tokens[at].kind == "power":
            exponent, at = self.signed(at + 1, _deeper(depth))
            value = _power(value, exponent)
        return value, at

    def operand(self, at: int, depth: int) -> tuple[float, int]:
        kind, text = self.tokens[at]
        if kind == "number":
            return _finite(float(_pointed(text, decimal_comma=self.decimal_comma))), at + 1
        if kind == "name":
            return self.named(at, depth)
        if kind == "open":
            return self.parenthesis(at, depth)
        if kind == "end":
            raise _UnreadableError(phrase("A number is missing after {sign}.", sign=_quote(self.tokens[at - 1].text)))
        raise _UnreadableError(phrase("A number is missing before {sign}.", sign=_quote(text)))

    def named(self, at: int, depth: int) -> tuple[float, int]:
        name, following = self.tokens[at].text, self.tokens[at + 1].kind
        if name == "e":
            if following not in ("power", "superscript"):
                raise _UnreadableError(
                    phrase("e is read only with a power: type e^(-0{mark}25) or exp(-0{mark}25).", mark=_POINT)
                )
            return math.e, at + 1
        # Spreadsheets shout EXP; but a capital Σ is a sum and not a sigmoid.
        function = name.lower() if name.isascii() else name
        if function not in _FUNCTIONS:
            _refuse_name(name)
        if following != "open":
            raise _UnreadableError(
                phrase("{function} needs parentheses, as in {function}(0{mark}25).", function=function, mark=_POINT)
            )
        argument, at = self.parenthesis(at + 1, depth)
        return _call(function, argument), at

    def parenthesis(self, at: int, depth: int) -> tuple[float, int]:
        value, at = self.sum(at + 1, _deeper(depth))
        if self.tokens[at].kind == "end":
            raise _UnreadableError(phrase('A parenthesis is still open: type the missing ")".'))
        if self.tokens[at].kind != "close":
            self.refuse_after_operand(at)
        return value, at + 1

    def refuse_after_operand(self, at: int) -> NoReturn:
        kind, text = self.tokens[at]
        if kind == "close":
            raise _UnreadableError(phrase('There is one ")" too many: take it out, or type the missing "(".'))
        if kind == "equals":
            raise _UnreadableError(phrase("Type one value: only one side of {sign}.", sign=_quote(text)))
        before = _quote(self.tokens[at - 1].text)
        raise _UnreadableError(
            phrase(
                "{before} and {after} stand side by side: type one number, or a sign such as * between them.",
                before=before,
                after=_quote(text),
            )
        )


def _pointed(run: str, *, decimal_comma: bool) -> str:
    # The number with a decimal point, which is what float() reads.
    mark, foreign = (",", ".") if decimal_comma else (".", ",")
    if "_" in run:
        raise _UnreadableError(
            phrase('Digits are not grouped here: leave out the "_" of {number}.', number=_quote(run))
        )
    if run.endswith(",") and not decimal_comma:
        raise _UnreadableError(phrase("Leave out the comma at the end of {number}.", number=_quote(run)))
    if run.count(".") + run.count(",") > 1:
        raise _UnreadableError(
            phrase(
                '{number} has more than one point or comma: type the digits without grouping, as in "1000{mark}5".',
                number=_quote(run),
                mark=_POINT,
            )
        )
    if foreign in run and _GROUPED.fullmatch(run):
        whole, decimal = run.replace(foreign, ""), run.replace(foreign, mark)
        raise _UnreadableError(
            phrase(
                "{number} can be read in two ways: write {whole} or {decimal}.",
                number=_quote(run),
                whole=_quote(whole),
                decimal=_quote(decimal),
            )
        )
    if "," in run and not decimal_comma:
        raise _UnreadableError(phrase("Type a point, not a comma: {number}.", number=_quote(run.replace(",", "."))))
    return run.replace(",", ".")


def _deeper(depth: int) -> int:
    if depth == _DEEPEST:
        raise _UnreadableError(
            phrase("More than {number} parentheses or powers inside one another: type it more simply.", number=_DEEPEST)
        )
    return depth + 1


def _finite(value: float) -> float:
    if not math.isfinite(value):
        _refuse_size()
    return value


def _quotient(value: float, divisor: float) -> float:
    if divisor == 0:
        raise _UnreadableError(phrase("This divides by 0: check what stands after the division sign."))
    return value / divisor


def _power(base: float, exponent: float) -> float:
    if base == 0 and exponent < 0:
        raise _UnreadableError(phrase("This divides by 0: a negative power of 0 has no value."))
    if base < 0 and not exponent.is_integer():
        raise _UnreadableError(
            phrase(
                "{base} is negative, so its power {exponent} is no real number. Check the sign and the parentheses.",
                base=significant(base),
                exponent=significant(exponent),
            )
        )
    try:
        return math.pow(base, exponent)
    except OverflowError:
        _refuse_size()


def _sigmoid(z: float) -> float:
    # Of the two equal forms, each where its exponential can't overflow.
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


_FUNCTIONS: Final[Mapping[str, Callable[[float], float]]] = MappingProxyType({
    "exp": math.exp,
    "ln": math.log,
    "log": math.log,  # as in the textbooks of this subject
    "log10": math.log10,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
    "sigmoid": _sigmoid,
    "σ": _sigmoid,
    "abs": abs,
})  # fmt: skip


def _call(function: str, argument: float) -> float:
    if function in ("ln", "log", "log10") and argument <= 0:
        raise _UnreadableError(
            phrase(
                "{function} takes a number above 0, and this is {number}.",
                function=function,
                number=significant(argument),
            )
        )
    if function == "sqrt" and argument < 0:
        raise _UnreadableError(
            phrase("sqrt takes 0 or a number above it, and this is {number}.", number=significant(argument))
        )
    try:
        return _FUNCTIONS[function](argument)
    except OverflowError:
        _refuse_size()


def _marked(problem: Phrase, mark: str) -> str:
    return Phrase(problem.template, {**problem.parts, "mark": mark})


def _quote(fragment: str) -> str:
    return f'"{fragment}"' if len(fragment) <= 24 else f'"{fragment[:23]}…"'


def _refuse_size() -> NoReturn:
    raise _UnreadableError(phrase("This is too large: type a number between -1e15 and 1e15."))


def _refuse_name(name: str) -> NoReturn:
    if not name[0].isalpha():  # ½, ①, Ⅷ
        _refuse_digit(name[0])
    if name.lower() in _NO_NUMBERS:
        raise _UnreadableError(
            phrase("{name} is not a number here: type a finite one, such as 0{mark}25.", name=_quote(name), mark=_POINT)
        )
    raise _UnreadableError(phrase("{name} is not known. Known: {known}.", name=_quote(name), known=_KNOWN))


def _refuse_digit(character: str) -> NoReturn:
    raise _UnreadableError(
        phrase('Type the digits 0-9, with "/" for a fraction, instead of {character}.', character=_quote(character))
    )


def _refuse_character(character: str) -> NoReturn:
    if character in _HINTS:
        raise _UnreadableError(_HINTS[character])
    if character.isdecimal():
        _refuse_digit(character)
    # A lone surrogate or a control character in a message would break the page that shows it.
    shown = _quote(character) if character.isprintable() else f"U+{ord(character):04X}"
    raise _UnreadableError(
        phrase(
            "The character {character} is not read: type a number such as 0{mark}25, "
            "or working with + - * / ^ and parentheses.",
            character=shown,
            mark=_POINT,
        )
    )
