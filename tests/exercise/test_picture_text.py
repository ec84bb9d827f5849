"""What names in pictures promise: LaTeX becomes pieces of text, whatever it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprop.exercise.diagram.text import runs_of, stacked
from quizprop.exercise.notation import Symbol
from tests.exercise.svg import LAW


def flat(runs):
    """The pieces as text with ^ and _ for raised and lowered ones."""
    return "".join({0: "", 1: "^", -1: "_"}[level] + text for text, level in runs)


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        ("w_{5}", "w_5"),
        (r"\text{net}_{h1}", "net_h1"),
        ("W^{[2]}_{1,2}", "W^[2]_1,2"),
        (r"W^{[1]\,\text{new}}_{1,2}", "W^[1] new_1,2"),
        (r"\delta_{h1}", "δ_h1"),
        (r"\frac{\partial E_{\text{total}}}{\partial w_{5}}", "∂E_total/∂w_5"),
        (r"\mathcal{L}^{(1)}", "L^(1)"),
        (r"g'^{[1]}(z^{[1]}_{2})", "g'^[1](z^[1]_2)"),
        (r"\hat{y}_k", "y\u0302_k"),
        (r"\sqrt{v - 1}", "√v−1"),
        (r"x_\alpha", "x_α"),
        (r"\unheard{x}", "unheardx"),
        ("{a{b}c}", "abc"),
        ("x_", "x"),
        ("{x", "x"),
        (r"\frac{a", "a/"),
    ],
)
def test_latex_is_read_into_pieces(latex, text):
    assert flat(runs_of(Symbol("", latex))) == text


def test_one_fraction_stands_as_two_lines_and_nothing_else_does():
    assert [flat(line) for line in stacked(Symbol("", r"\frac{\partial E}{\partial w_{1}}"))] == ["∂E", "∂w_1"]
    assert [flat(line) for line in stacked(Symbol("", r"\frac{a}{b}\ \text{via}\ c"))] == ["a/b via c"]
    assert [flat(line) for line in stacked(Symbol("", "a"))] == ["a"]
    assert stacked(Symbol("", "")) == ((),)


@given(st.text(alphabet=r"\{}_^ abfrctexhatpi-1"))
@LAW
def test_no_latex_stops_a_picture(latex):
    name = Symbol("", latex)
    assert all(level in (-1, 0, 1) and text for text, level in runs_of(name))
    assert len(stacked(name)) in (1, 2)
