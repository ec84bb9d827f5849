"""A slot holds the shortest decimal of its number, at the same place in every record."""

import operator
import re
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from quizprop.exercise.slots import DECIMALS, Slots, decimals_of

FIGURE = re.compile(r" *(-?\d\.\d+) *")


@st.composite
def sheets(draw):
    """Slots, and the rows of a table whose numbers have as many decimals as they; some end in zeros."""
    decimals = draw(st.lists(st.integers(1, DECIMALS), min_size=1, max_size=5))
    numbers = st.tuples(st.integers(-(10**13), 10**13), st.sampled_from([0, 2, 5, 8, 9, 12]))
    rows = draw(st.lists(st.tuples(*[numbers] * len(decimals)), min_size=1, max_size=4))
    table = [
        [
            float(round(Decimal(units).scaleb(-12), min(to, most)))
            for (units, to), most in zip(row, decimals, strict=True)
        ]
        for row in rows
    ]
    pieces = [b"<%d:" % place for place in range(len(decimals))]
    return Slots([*pieces, b">"], decimals), np.array(table)


@given(sheets())
def test_each_number_reads_back_and_is_written_as_short_as_it_can_be(sheet):
    slots, table = sheet
    table = table[slots.fit(table)]
    records = [bytes(record).decode() for records in slots.filled(table) for record in records]
    assert len(records) == len(table)
    for record, row in zip(records, table.tolist(), strict=True):
        found = re.split(r"<\d:|>", record)[1:-1]
        figures = [FIGURE.fullmatch(slot)[1] for slot in found]
        assert [float(figure) for figure in figures] == row
        assert [Decimal(figure) for figure in figures] == [Decimal(repr(number)) for number in row]
        assert not [figure for figure in figures if re.search(r"\.\d+0$", figure)]
        assert [len(slot) for slot in found] == [len("-0.") + most for most in slots.decimals]


NEAR_TEN = st.integers(-30, 30).map(lambda tenths: 10 + tenths * 0.1 / 10**DECIMALS)


@given(
    arrays.arrays(float, st.tuples(st.integers(1, 600), st.just(2)), elements=st.floats(-20, 20)),
    st.lists(st.tuples(NEAR_TEN, NEAR_TEN.map(operator.neg)), max_size=5),
)
def test_a_number_fits_if_it_has_one_digit_before_its_point_as_it_is_written(table, more):
    table = np.concatenate([table, np.reshape(more, (-1, 2))])
    written = (np.abs(np.round(table, DECIMALS)) < 10).all(axis=1)
    assert Slots([b"", b",", b""], [DECIMALS] * 2).fit(table).tolist() == written.tolist()


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 600])
def test_there_is_a_record_for_each_row_however_many(count):
    table = np.arange(count)[:, None] / 1000
    records = [bytes(record) for records in Slots([b"", b";"], [3]).filled(table) for record in records]
    assert [float(record[:-1]) for record in records] == table.ravel().tolist()


def test_nothing_fits_where_a_number_has_more_decimals_than_a_slot():
    assert not Slots([b"", b",", b""], [1, 0]).fit(np.zeros((2, 2))).any()


@given(st.lists(st.tuples(st.integers(-(10**6), 10**6), st.integers(0, 12)), min_size=1))
def test_the_decimals_of_some_numbers_are_those_of_the_longest(numbers):
    exact = [Decimal(units).scaleb(-places).normalize() for units, places in numbers]
    longest = max(-number.as_tuple().exponent for number in exact)
    assert decimals_of(np.array([float(number) for number in exact])) == max(1, longest)


def test_a_number_without_an_end_has_more_decimals_than_a_slot():
    assert decimals_of(np.array([0.5, 1 / 3])) == 0
