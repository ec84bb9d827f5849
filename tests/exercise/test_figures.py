"""How numbers are written: a true minus, no negative zero, and nothing that could not be read back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprop.exercise.figures import exact, figure_latex, fitting, shortest, significant, to_places, with_comma
from quizprop.exercise.notation import mathml
from quizprop.exercise.numbers import read_number

SIZED = st.floats(-1e15, 1e15)


@pytest.mark.parametrize(
    ("number", "figure"),
    [
        (0.000438568, "0.000438568"),
        (4.38568e-05, "0.0000438568"),
        (1e-9, "0.000000001"),
        (9.9e-10, "9.9e−10"),
        (-0.0, "0"),
        (-12.50, "−12.5"),
        (100.0, "100"),
        (1e16, "1e+16"),
        (0.1 + 0.2, "0.30000000000000004"),
        (np.float64(0.3775), "0.3775"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_a_number_is_written_as_its_shortest_decimal(number, figure):
    assert exact(number) == figure


@given(SIZED)
def test_what_is_written_exactly_reads_back_as_the_same_number(number):
    assert read_number(exact(number)).value == number


@given(SIZED, st.integers(0, 10))
def test_a_rounded_number_reads_back_within_half_a_unit(number, places):
    for figure in (to_places(number, places), shortest(number, places)):
        read = read_number(figure).value
        assert abs(read - number) <= 0.5 * 10.0**-places + 1e-15 * abs(number)


@given(SIZED, st.integers(0, 10))
def test_no_hyphen_and_no_negative_zero_is_ever_written(number, places):
    for figure in (exact(number), significant(number), to_places(number, places), shortest(number, places)):
        assert "-" not in figure
        assert not figure.startswith("−") or read_number(figure).value < 0


def test_places_are_all_written_or_only_those_that_say_something():
    assert to_places(-0.25, 4) == "−0.2500"
    assert to_places(-0.00001, 4) == "0.0000"
    assert shortest(-0.25, 4) == "−0.25"
    assert shortest(100.0, 0) == "100"
    assert shortest(-0.00001, 4) == "0"


def test_what_was_computed_loses_the_noise_of_its_last_digits():
    assert significant(0.1 + 0.2) == "0.3"
    assert significant(-2 / 3, 4) == "−0.6667"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_fits_into_seven_characters(number):
    assert len(fitting(number, 7)) <= 7


@given(st.floats(min_value=0.001, max_value=9_999_999, allow_nan=False))
def test_no_decimals_that_fit_are_nearer_to_a_number_than_what_is_written(number):
    fixed = [float(text) for text in (f"{number:.{places}f}" for places in range(6)) if len(text) <= 7]
    written = float(fitting(number, 7))
    assert abs(written - number) <= min(abs(one - number) for one in fixed) * (1 + 1e-9)


def test_a_number_that_fits_is_not_rounded():
    assert [fitting(number, 7) for number in (0.59326, -0.0125, -0.012533, -3.3e-7)] == [
        "0.59326", "−0.0125", "−0.0125", "−3e−7"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("figure", "latex"),
    [("−0.25", "-0.25"), ("2e−22", r"2 \cdot 10^{-22}"), ("−1e+16", r"-1 \cdot 10^{16}"), ("5", "5")],
)
def test_a_figure_is_mathematics(figure, latex):
    assert figure_latex(figure) == latex
    assert mathml(latex).startswith("<math")


@given(SIZED)
def test_who_types_a_comma_reads_one(number):
    written = with_comma(exact(number))
    assert "." not in written
    assert read_number(written, decimal_comma=True).value == number
