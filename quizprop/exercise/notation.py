"""How a cell's key is read, and how its quantity is written: Mazur's names, the course's, matrices', or the plain keys.

Four tables of templates say all of it, one row a stem: the Unicode text for terminals and tables, and the LaTeX.
``symbol`` fills a row in for one cell of one network, ``layer_formula`` a whole layer's formula; ``mathml`` turns LaTeX
into markup that a page can hold.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from functools import lru_cache
from itertools import pairwise
from string import Template
from types import MappingProxyType
from typing import Final

import nh3
from latex2mathml.converter import convert

from quizprop.engine.graph import Quantity, quantity_name
from quizprop.engine.losses import LOSSES
from quizprop.engine.model import Lesson
from quizprop.engine.network import Network
from quizprop.exercise.lesson_words import spelled
from quizprop.exercise.names import NOTATIONS

__all__ = ["NOTATIONS", "Key", "Symbol", "layer_formula", "mathml", "parse_key", "symbol", "unit_symbol"]


@dataclass(frozen=True, slots=True)
class _Stem:
    """What a key of this stem must carry: a layer, so many numbers in brackets, perhaps an example."""

    sample: str
    layered: bool = True
    indices: int = 1
    per_example: bool = True


_STEMS: Final[Mapping[str, _Stem]] = MappingProxyType({
    "x": _Stem("x[1]", layered=False),
    "t": _Stem("t[1]", layered=False),
    "W": _Stem("W1[1,2]", indices=2, per_example=False),
    "b": _Stem("b1[1]", per_example=False),
    "eta": _Stem("eta", layered=False, indices=0, per_example=False),
    "z": _Stem("z1[1]"),
    "a": _Stem("a1[1]"),
    "e": _Stem("e[1]", layered=False),
    "E": _Stem("E", layered=False, indices=0, per_example=False),
    "dE_da": _Stem("dE_da1[1]"),
    "da_dz": _Stem("da_dz1[1]"),
    "delta": _Stem("delta1[1]"),
    "path": _Stem("path1[1,2]", indices=2),
    "grad_W": _Stem("grad_W1[1,2]", indices=2, per_example=False),
    "grad_b": _Stem("grad_b1[1]", per_example=False),
    "W_new": _Stem("W1_new[1,2]", indices=2, per_example=False),
    "b_new": _Stem("b1_new[1]", per_example=False),
    "a_new": _Stem("a1_new[1]"),
    "e_new": _Stem("e_new[1]", layered=False),
    "E_new": _Stem("E_new", layered=False, indices=0, per_example=False),
    "change": _Stem("change", layered=False, indices=0, per_example=False),
    "fell": _Stem("fell", layered=False, indices=0, per_example=False),
    "prediction": _Stem("prediction", layered=False, indices=0),
    "z_new": _Stem("z1_new[1]"),
})  # fmt: skip

# A row is (text, LaTeX). $k and $j are the indices, $l the layer and $p the one before it; $m marks the example and $n
# is that mark as a superscript of its own; $unit is the name of unit k in Mazur's drawing; $a is the symbol of the
# unit's activation and $a_prev that of unit j in the layer before, an input perhaps. $Z, $A and $Y are the letters of
# matrices, small ones for a single example's columns, and $col is the example as an index.
_Rows = Mapping[str, tuple[str, str]]

_MAZUR: Final[_Rows] = MappingProxyType({
    "input": ("i$k", "i_{$k}"),
    "unit": ("$unit", "$unit_name"),
    "x": ("i$k$n", "i_{$k}$n"),
    "t": ("target_o$k$n", r"\text{target}_{o$k}$n"),
    "W": ("w$weight", "w_{$weight}"),
    "b": ("b$bias", "b_{$bias}"),
    "eta": ("η", r"\eta"),
    "z": ("net_$unit$n", r"\text{net}_{$unit}$n"),
    "a": ("out_$unit$n", r"\text{out}_{$unit}$n"),
    "e": ("E_o$k$n", "E_{o$k}$n"),
    "E": ("E_total", r"E_{\text{total}}"),
    "dE_da": ("∂$loss/∂$a", r"\frac{\partial $loss}{\partial $a}"),
    "da_dz": ("∂$a/∂net_$unit$n", r"\frac{\partial $a}{\partial \text{net}_{$unit}$n}"),
    "delta": ("δ_$unit$n", r"\delta_{$unit}$n"),
    "path": ("∂$loss/∂$a_prev via $unit", r"\frac{\partial $loss}{\partial $a_prev}\ \text{via}\ $unit_name"),
    "path to error": ("∂E_$unit$n/∂$a_prev", r"\frac{\partial E_{$unit}$n}{\partial $a_prev}"),
    "grad_W": ("∂E_total/∂w$weight", r"\frac{\partial E_{\text{total}}}{\partial w_{$weight}}"),
    "grad_b": ("∂E_total/∂b$bias", r"\frac{\partial E_{\text{total}}}{\partial b_{$bias}}"),
    "W_new": ("w$weight⁺", "w_{$weight}^{+}"),
    "b_new": ("b$bias⁺", "b_{$bias}^{+}"),
    "z_new": ("net_$unit⁺$n", r"\text{net}_{$unit}^{+}$n"),
    "a_new": ("out_$unit⁺$n", r"\text{out}_{$unit}^{+}$n"),
    "e_new": ("E_o$k⁺$n", "E_{o$k}^{+}$n"),
    "E_new": ("E_total⁺", r"E_{\text{total}}^{+}"),
    "change": ("ΔE_total", r"\Delta E_{\text{total}}"),
    "fell": ("[E_total⁺ < E_total]", r"\left[E_{\text{total}}^{+} < E_{\text{total}}\right]"),
    "prediction": ("class$n", r"\text{class}$n"),
})  # fmt: skip

_COURSE: Final[_Rows] = MappingProxyType({
    "input": ("x_$k", "x_{$k}"),
    "unit": ("a^[$l]_$k", "a^{[$l]}_{$k}"),
    "x": ("x${n}_$k", "x${n}_{$k}"),
    "t": ("y${n}_$k", "y${n}_{$k}"),
    "W": ("W^[$l]_$k,$j", "W^{[$l]}_{$k,$j}"),
    "b": ("b^[$l]$of_unit", "b^{[$l]}$of_unit"),
    "eta": ("α", r"\alpha"),
    "z": ("z^[$l]${m}_$k", "z^{[$l]$m}_{$k}"),
    "a": ("a^[$l]${m}_$k", "a^{[$l]$m}_{$k}"),
    "e": ("L${n}_$k", r"\mathcal{L}${n}_{$k}"),
    "E": ("$cost", "$cost"),
    "dE_da": ("da^[$l]${m}_$k", "da^{[$l]$m}_{$k}"),
    "da_dz": ("g'^[$l](z^[$l]${m}_$k)", "g'^{[$l]}(z^{[$l]$m}_{$k})"),
    "delta": ("dz^[$l]${m}_$k", "dz^{[$l]$m}_{$k}"),
    "path": ("da^[$p]${m}_$j via z^[$l]${m}_$k", r"da^{[$p]$m}_{$j}\ \text{via}\ z^{[$l]$m}_{$k}"),
    "grad_W": ("dW^[$l]_$k,$j", "dW^{[$l]}_{$k,$j}"),
    "grad_b": ("db^[$l]$of_unit", "db^{[$l]}$of_unit"),
    "W_new": ("W_new^[$l]_$k,$j", r"W^{[$l]\,\text{new}}_{$k,$j}"),
    "b_new": ("b_new^[$l]$of_unit", r"b^{[$l]\,\text{new}}$of_unit"),
    "z_new": ("z_new^[$l]${m}_$k", r"z^{[$l]$m\,\text{new}}_{$k}"),
    "a_new": ("a_new^[$l]${m}_$k", r"a^{[$l]$m\,\text{new}}_{$k}"),
    "e_new": ("L_new${n}_$k", r"\mathcal{L}^{$m\,\text{new}}_{$k}"),
    "E_new": ("${cost}_new", r"$cost^{\text{new}}"),
    "change": ("Δ$cost", r"\Delta $cost"),
    "fell": ("[${cost}_new < $cost]", r"\left[$cost^{\text{new}} < $cost\right]"),
    "prediction": ("ŷ$n", r"\text{class}$n"),
})  # fmt: skip

_MATRIX: Final[_Rows] = MappingProxyType({
    "input": ("$A^[0]_$k", "$A^{[0]}_{$k}"),
    "unit": ("$A^[$l]_$k", "$A^{[$l]}_{$k}"),
    "x": ("$A^[0]_$k$col", "$A^{[0]}_{$k$col}"),
    "t": ("${Y}_$k$col", "${Y}_{$k$col}"),
    "W": ("W^[$l]_$k,$j", "W^{[$l]}_{$k,$j}"),
    "b": ("b^[$l]$of_unit", "b^{[$l]}$of_unit"),
    "eta": ("α", r"\alpha"),
    "z": ("$Z^[$l]_$k$col", "$Z^{[$l]}_{$k$col}"),
    "a": ("$A^[$l]_$k$col", "$A^{[$l]}_{$k$col}"),
    "e": ("L_$k$col", r"\mathcal{L}_{$k$col}"),
    "E": ("J", "J"),
    "dE_da": ("d$A^[$l]_$k$col", "d$A^{[$l]}_{$k$col}"),
    "da_dz": ("g'^[$l]($Z^[$l]_$k$col)", "g'^{[$l]}($Z^{[$l]}_{$k$col})"),
    "delta": ("d$Z^[$l]_$k$col", "d$Z^{[$l]}_{$k$col}"),
    "path": ("d$A^[$p]_$j$col via $Z^[$l]_$k$col", r"d$A^{[$p]}_{$j$col}\ \text{via}\ $Z^{[$l]}_{$k$col}"),
    "grad_W": ("dW^[$l]_$k,$j", "dW^{[$l]}_{$k,$j}"),
    "grad_b": ("db^[$l]$of_unit", "db^{[$l]}$of_unit"),
    "W_new": ("W_new^[$l]_$k,$j", r"W^{[$l]\,\text{new}}_{$k,$j}"),
    "b_new": ("b_new^[$l]$of_unit", r"b^{[$l]\,\text{new}}$of_unit"),
    "z_new": ("${Z}_new^[$l]_$k$col", r"$Z^{[$l]\,\text{new}}_{$k$col}"),
    "a_new": ("${A}_new^[$l]_$k$col", r"$A^{[$l]\,\text{new}}_{$k$col}"),
    "e_new": ("L_new_$k$col", r"\mathcal{L}^{\text{new}}_{$k$col}"),
    "E_new": ("J_new", r"J^{\text{new}}"),
    "change": ("ΔJ", r"\Delta J"),
    "fell": ("[J_new < J]", r"\left[J^{\text{new}} < J\right]"),
    "prediction": ("class$n", r"\text{class}$n"),
})  # fmt: skip

_PLAIN: Final[_Rows] = MappingProxyType({
    "input": ("x$k", "x_{$k}"),
    "unit": ("a$l[$k]", "a^{($l)}_{$k}"),
    "x": ("$key", "x${n}_{$k}"),
    "t": ("$key", "t${n}_{$k}"),
    "W": ("$key", "w^{($l)}_{$k,$j}"),
    "b": ("$key", "b^{($l)}$of_unit"),
    "eta": ("$key", r"\eta"),
    "z": ("$key", "z^{($l)$m}_{$k}"),
    "a": ("$key", "a^{($l)$m}_{$k}"),
    "e": ("$key", "e${n}_{$k}"),
    "E": ("$key", "E"),
    "dE_da": ("$key", r"\frac{\partial E$n}{\partial $a}"),
    "da_dz": ("$key", r"\frac{\partial $a}{\partial z^{($l)$m}_{$k}}"),
    "delta": ("$key", r"\delta^{($l)$m}_{$k}"),
    "path": ("$key", r"\frac{\partial E$n}{\partial $a_prev}\ \text{via}\ z^{($l)$m}_{$k}"),
    "grad_W": ("$key", r"\frac{\partial E}{\partial w^{($l)}_{$k,$j}}"),
    "grad_b": ("$key", r"\frac{\partial E}{\partial b^{($l)}$of_unit}"),
    "W_new": ("$key", "w^{($l)+}_{$k,$j}"),
    "b_new": ("$key", "b^{($l)+}$of_unit"),
    "z_new": ("$key", "z^{($l)$m+}_{$k}"),
    "a_new": ("$key", "a^{($l)$m+}_{$k}"),
    "e_new": ("$key", "e${n}_{$k}^{+}"),
    "E_new": ("$key", "E^{+}"),
    "change": ("$key", r"\Delta E"),
    "fell": ("$key", r"\left[E^{+} < E\right]"),
    "prediction": ("$key", r"\text{class}$n"),
})  # fmt: skip

_TABLES: Final[Mapping[str, _Rows]] = MappingProxyType(
    {"mazur": _MAZUR, "course": _COURSE, "matrix": _MATRIX, "plain": _PLAIN}
)

_NUMBER: Final = "([1-9][0-9]{0,5})"
_LAYER: Final = "(0|[1-9][0-9]{0,5})"
_KEY: Final = re.compile(
    rf"(?P<head>[A-Za-z]+(?:_(?!new)[A-Za-z]+)?){_LAYER}?(?P<new>_new)?"
    rf"(?:\[{_NUMBER}(?:,{_NUMBER})?\])?(?:@{_NUMBER})?"
)


@dataclass(frozen=True, slots=True)
class Key:
    """A cell's key in parts: ``W2_new[1,3]`` has the stem ``W_new``, layer 2 and index (1, 3).

    All count from 1, but for ``dE_da0``: the input is layer 0.
    """

    stem: str
    layer: int | None = None
    index: tuple[int, ...] = ()
    example: int | None = None

    @property
    def quantity(self) -> str:
        """The name of the quantity that holds the cell: ``z1``, ``W2_new``, ``E``."""
        return quantity_name(self.stem, self.layer)

    def __str__(self) -> str:
        index = f"[{','.join(map(str, self.index))}]" if self.index else ""
        example = "" if self.example is None else f"@{self.example}"
        return f"{self.quantity}{index}{example}"


@dataclass(frozen=True, slots=True)
class Symbol:
    """How a quantity is written: Unicode text for terminals and tables, LaTeX for pages and print."""

    text: str
    latex: str


@lru_cache(maxsize=4096)
def parse_key(key: str) -> Key:
    """Read a key such as ``z1[2]``, ``W2_new[1,2]``, ``E`` or ``delta1[2]@3``; ``str`` gives it back.

    Raises:
        ValueError: the key is malformed, or its stem is unknown.
    """
    match = _KEY.fullmatch(key)
    if match is None:
        raise ValueError(f"{key!r} is not a key; one looks like z1[2], W2_new[1,2], E or z1[2]@3")
    layer, first, second, example = (int(part) if part else None for part in match.group(2, 4, 5, 6))
    index = tuple(number for number in (first, second) if number is not None)
    parsed = Key(match["head"] + (match["new"] or ""), layer, index, example)
    if parsed.stem not in _STEMS:
        raise ValueError(f"{key!r}: no quantity has the stem {parsed.stem!r}. Known: {', '.join(_STEMS)}")
    rule = _STEMS[parsed.stem]
    if rule.layered and layer is None:
        raise ValueError(f"{key!r}: {parsed.stem} needs its layer's number, as in {rule.sample}")
    if not rule.layered and layer is not None:
        raise ValueError(f"{key!r}: {parsed.stem} belongs to no layer; write {rule.sample}")
    if len(index) != rule.indices:
        raise ValueError(f"{key!r}: {parsed.stem} takes {rule.indices} numbers in brackets, as in {rule.sample}")
    if example is not None and not rule.per_example:
        raise ValueError(f"{key!r}: {parsed.stem} is one for all examples, so it takes no @{example}")
    return parsed


@lru_cache(maxsize=8192)
def symbol(key: str | Key, model: Network | Lesson, notation: str) -> Symbol:
    """How one cell or given of a network or a lesson is written in a notation.

    A lesson brings its own symbols, the same in all notations but the plain one.

    A key without its ``@`` in a mini-batch stands for any example: ``net_h1`` where ``z1[1]@3`` is ``net_h1^(3)``.

    Raises:
        ValueError: the key is malformed, the network has no such cell, or the notation is unknown.
    """
    if isinstance(model, Lesson):
        text, latex = spelled(str(key), model)
        return Symbol(str(key) if notation == "plain" else text, latex)
    return _network_symbol(str(key), model, notation)


def _network_symbol(key: str, network: Network, notation: str) -> Symbol:
    parsed = parse_key(key)
    _check_in_network(parsed, network)
    stem = parsed.stem
    if stem == "path" and notation == "mazur" and parsed.layer == network.depth and _errors_are_apart(network):
        stem = "path to error"
    return _fill(stem, parsed, network, notation)


@lru_cache(maxsize=1024)
def unit_symbol(layer: int, unit: int, network: Network, notation: str) -> Symbol:
    """The name of a unit, as in its circle: Mazur's i1, h1 and o1. Layer 0 is the input; units count from 1.

    Raises:
        ValueError: the network has no such unit, or the notation is unknown.
    """
    if not 0 <= layer <= network.depth or not 1 <= unit <= network.layers[layer]:
        raise ValueError(f"No unit {unit} in layer {layer}: from layer 0 on there are {list(network.layers)} units")
    return _fill("unit" if layer else "input", Key("a", layer, (unit,)), network, notation)


@lru_cache(maxsize=1024)
def layer_formula(quantity: Quantity, network: Network, inside: tuple[Quantity, ...] = ()) -> Symbol | None:
    """The formula of a whole layer in matrices, each example a column: ``dZ^{[1]} = dA^{[1]} ⊙ g'^{[1]}(Z^{[1]})``.

    Args:
        quantity: whose formula; None comes back where it has none in matrices, and after the step.
        network: that it belongs to.
        inside: quantities that nobody writes down: their own formulas stand in their places.
    """
    if not quantity.formula.matrix or quantity.after:
        return None
    left, sign, right = re.split(r" (=|\\coloneqq) ", _matrix(quantity, network), maxsplit=1)
    for part in inside:
        name, _, meaning = _matrix(part, network).partition(" = ")
        right = right.replace(name, meaning if _is_one_term(meaning) else f"({meaning})")
    latex = f"{left} {sign} {right}"
    return Symbol(_plain_text(latex), latex)


def _matrix(quantity: Quantity, network: Network) -> str:
    layer, batch = quantity.layer or 0, network.examples > 1
    index = (
        {"each": ",i", "at_each": "_{:,i}", "sum": r"\sum_{i} "}
        if batch
        else dict.fromkeys(("each", "at_each", "sum"), "")
    )
    return Template(quantity.formula.matrix).substitute(
        _matrix_letters(network), l=layer, p=layer - 1, n=layer + 1, **index
    )


def _is_one_term(latex: str) -> bool:
    """Whether no sum or difference stands outside of brackets."""
    return not re.search(" [-+] |^-", re.sub(r"\([^()]*\)|\{[^{}]*\}", "", latex))


_PART: Final = r"\{((?:[^{}]|\{[^{}]*\})*)\}"
_WORDS: Final[Mapping[str, str]] = MappingProxyType({
    r"\odot": "⊙",
    r"\sigma": "σ",
    r"\alpha": "α",
    r"\sum": "Σ",
    r"\le": "≤",
    r"\coloneqq": ":=",
    r"\,": " ",
    **{rf"\{name}": name for name in ("tanh", "ln", "max")},
})  # fmt: skip


def _plain_text(latex: str) -> str:
    """A layer's formula for a terminal."""
    text = re.sub(rf"\\t?frac{_PART}{_PART}", _quotient, latex)
    text = re.sub(r"\\[a-z]+|\\,", lambda word: _WORDS.get(word[0], ""), text)
    return re.sub(r"[{}]", "", text).replace("-", "−")


def _quotient(found: re.Match[str]) -> str:
    above, below = (part if len(part) == 1 else f"({part})" for part in found.groups())
    return f"{above}/{below}"


def mathml(latex: str, *, display: bool = False) -> str:
    """LaTeX as a MathML element to put into an HTML page; anything but MathML is taken out.

    Lines of a solution differ in their numbers alone: they are set once, with room for each decimal fraction.

    Raises:
        ValueError: the LaTeX can't be read.
    """
    numbers: list[str] = []

    def leave_room(found: re.Match[str]) -> str:
        numbers.append(found[0])
        return f"{len(numbers) - 1}{_ROOM}"

    try:
        markup = _set(_FRACTION.sub(leave_room, latex), display=display)
    except Exception as error:  # latex2mathml's errors have no class in common
        raise ValueError(f"latex: {latex!r} can't be read ({type(error).__name__})") from error
    return _FILLED.sub(lambda found: numbers[int(found[1])], markup)


# Not where a single digit counts, as in "x^2" or "\frac12". No number that is written has so many decimals.
_FRACTION: Final = re.compile(r"(?<![\w^])\d+\.\d+", re.ASCII)
_ROOM: Final = ".000000000000000000000007"
_FILLED: Final = re.compile(rf"(\d+){re.escape(_ROOM)}")


@lru_cache(maxsize=4096)
def _set(latex: str, *, display: bool) -> str:
    markup = convert(latex, display="block" if display else "inline")
    spaced = _BARE_FUNCTION.sub(r'\1<mspace width="0.167em"></mspace>', _CLEANER.clean(markup))
    spaced = _SIGN.sub(r'\1<mo form="prefix">', spaced)
    # A no-break space in place of its entity, which only HTML knows: so the result is XML too.
    return spaced.replace("&nbsp;", "\N{NO-BREAK SPACE}")


# "ln a" is set without its space by latex2mathml; "ln(a)" needs none.
_BARE_FUNCTION: Final = re.compile(r"(<mi>(?:cosh|exp|ln|log|max|min|sinh|tanh)</mi>)(?=<(?!mo|/))")

# A minus after another sign, as in "0.4 · (−1.5)", takes nothing away: browsers see that only at the start of a group.
_SIGN: Final = re.compile(r"(<mo[^>]*>[(\[=·,≈←]</mo>|<mo[^>]*>&[lg]t;</mo>)<mo>(?=−</mo>)")

_CLEANER: Final = nh3.Cleaner(
    tags={
        *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mpadded", "mphantom"),
        *("mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover"),
        *("mtable", "mtr", "mtd"),
    },
    attributes={
        "math": {"display"},
        "mi": {"mathvariant"},
        "mo": {"fence", "form", "lspace", "maxsize", "minsize", "rspace", "separator", "stretchy"},
        "mspace": {"width"},
        "mstyle": {"displaystyle", "scriptlevel"},
        "mtd": {"columnalign"},
    },
    link_rel=None,
)  # fmt: skip


def _check_in_network(key: Key, network: Network) -> None:
    lowest = 0 if key.stem == "dE_da" else 1
    if key.layer is not None and not lowest <= key.layer <= network.depth:
        raise ValueError(f"{key}: this network has {key.stem} in layers {lowest} to {network.depth} only")
    if network.bias == "none" and key.stem in ("b", "grad_b", "b_new"):
        raise ValueError(f"{key}: this network has no biases")
    sizes = _sizes(key, network)
    if any(number > size for number, size in zip(key.index, sizes, strict=True)):
        raise ValueError(f"{key}: the index goes up to {list(sizes)} in this network")
    if key.example is not None and not 1 < network.examples >= key.example:
        raise ValueError(f"{key}: the number of examples is {network.examples}; @ tells apart those of a mini-batch")


def _sizes(key: Key, network: Network) -> tuple[int, ...]:
    """How far each index of the key goes."""
    if key.layer is None:
        sizes = {"x": network.layers[:1]} | dict.fromkeys(("t", "e", "e_new"), network.layers[-1:])
        return sizes.get(key.stem, ())
    return network.layers[key.layer - len(key.index) + 1 : key.layer + 1][::-1]


def _errors_are_apart(network: Network) -> bool:
    """Whether output k moves the loss by its own error alone, so that ∂E_ok names what comes back from it."""
    return network.activations[-1] != "softmax" and not LOSSES[network.loss].mean_over_outputs


def _fill(stem: str, key: Key, network: Network, notation: str) -> Symbol:
    if notation not in _TABLES:
        raise ValueError(f"notation: {notation!r} is not one of {', '.join(_TABLES)}")
    text, latex = _TABLES[notation][stem]
    words, names = _parts(key, network, "@{}" if notation == "plain" else "({})")
    if key.stem in ("dE_da", "da_dz", "path"):
        layer = key.layer or 0
        for role, place, unit in (("a", layer, key.index[0]), ("a_prev", layer - 1, key.index[-1])):
            inner = Key("a", place, (unit,), key.example) if place > 0 else Key("x", None, (unit,), key.example)
            words[role], names[role] = astuple(_fill(inner.stem, inner, network, notation))
    return Symbol(text=Template(text).substitute(words), latex=Template(latex).substitute(names))


def _parts(key: Key, network: Network, mark: str) -> tuple[dict[str, object], dict[str, object]]:
    """What the placeholders of a row stand for, in text and in LaTeX."""
    layer = key.layer or 0
    k, j = (*key.index, 0, 0)[:2]
    letter, number = _unit_name(layer, k, network)
    unit = f"{letter}{number}"
    weight = _weight_number(key, network) if j else 0
    example = mark.format(key.example) if key.example else ""
    shared = network.bias == "shared"
    batch = network.examples > 1
    both = {"key": key, "k": k, "j": j, "l": layer, "p": layer - 1, "m": example}
    both |= {"unit": unit, "weight": weight, **_matrix_letters(network)}
    both["col"] = f",{key.example or 'i'}" if batch else ""
    words = {
        "n": example and f"^{example}",
        "of_unit": "" if shared else f"_{k}",
        "bias": layer if shared else f"_{unit}",
        "loss": f"E^{example}" if example else "E_total",
        "cost": "J" if batch else "L",
    }
    names = {
        "n": example and f"^{{{example}}}",
        "of_unit": "" if shared else f"_{{{k}}}",
        "bias": layer if shared else unit,
        "loss": f"E^{{{example}}}" if example else r"E_{\text{total}}",
        "cost": "J" if batch else r"\mathcal{L}",
        "unit_name": f"{letter}_{{{number}}}",
    }
    return both | words, both | names


def _matrix_letters(network: Network) -> dict[str, str]:
    """Capitals for matrices, a column an example; small letters where there is only one column."""
    return {letter: letter if network.examples > 1 else letter.lower() for letter in "ZAY"}


def _unit_name(layer: int, unit: int, network: Network) -> tuple[str, int]:
    """Mazur's letter and number of a unit; hidden units are counted on through all hidden layers."""
    if layer <= 0:
        return "i", unit
    if layer == network.depth:
        return "o", unit
    return "h", sum(network.layers[1:layer]) + unit


def _weight_number(key: Key, network: Network) -> int:
    """The number of weight [k, j] when weights are counted row by row through all layers."""
    layer, (k, j) = key.layer or 0, key.index
    before = sum(math.prod(pair) for pair in pairwise(network.layers[:layer]))
    return before + (k - 1) * network.layers[layer - 1] + j
