"""How numbers are written, everywhere: with a true minus sign, never a negative zero, and a decimal point.

``numbers`` reads what people type; it reads all that is written here, too.
"""

from decimal import Decimal
from typing import Final

__all__ = ["exact", "figure_latex", "fitting", "shortest", "significant", "to_places", "with_comma"]

_MINUS: Final = "\N{MINUS SIGN}"

_READABLE: Final = (1e-9, 1e16)
"""Between these a decimal can be read; outside, a power of ten is shorter."""


def exact(value: float) -> str:
    """The shortest decimal that reads back as the same float64: 0.000438568, −0.25, 5, and 2e−22 if tiny."""
    value = float(value)  # NumPy's own floats have another repr
    if value == 0:
        return "0"
    text = repr(value)
    if not _READABLE[0] <= abs(value) < _READABLE[1]:
        return _signed(text)
    return _signed((f"{Decimal(text):f}" if "e" in text else text).removesuffix(".0"))


def significant(value: float, digits: int = 10) -> str:
    """A value rounded to some digits, wherever its point stands: what was computed is not exact to the last one."""
    return exact(float(f"{value:.{digits}g}"))


def to_places(value: float, places: int) -> str:
    """A value rounded to some decimals, all of them written: what a student is asked to write."""
    return _signed(f"{value:.{places}f}")


def shortest(value: float | Decimal, places: int) -> str:
    """A value rounded to some decimals, without zeros at the end: 0.5, 0.3775."""
    text = f"{value:.{places}f}"
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text)


def fitting(value: float, width: int) -> str:
    """The number in at most ``width`` characters, seven or more; rounded where it must be."""
    rounded = (significant(value, digits) for digits in range(width, 0, -1))
    first, _, exponent = f"{value:.0e}".partition("e")
    power = _signed(f"{first}e{int(exponent):+d}")
    return next(text for text in (exact(value), *rounded, power) if len(text) <= width)


def figure_latex(figure: str) -> str:
    """A written number as LaTeX: its sign an operator, its exponent a power of ten."""
    number, _, exponent = figure.replace(_MINUS, "-").partition("e")
    return rf"{number} \cdot 10^{{{int(exponent)}}}" if exponent else number


def with_comma(figure: str) -> str:
    """A written number with a decimal comma, for who types one."""
    return figure.replace(".", ",")


def _signed(text: str) -> str:
    """A true minus sign, and none before a zero."""
    if not text.strip("-0."):
        return text.lstrip("-")
    return text.replace("-", _MINUS)
