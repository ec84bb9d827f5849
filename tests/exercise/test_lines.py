"""Lines that wait for their numbers get them, whichever part is asked for and however many come in a piece."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprop.exercise.lines import FIELD, WAITING, FilledLines, UnevenLines
from quizprop.exercise.slots import Slots

PARTS = st.tuples(
    st.sampled_from([0, 1, 2, 255, 256, 257, 600]),
    st.integers(0, 10**11),
    st.integers(0, 700),
    st.none() | st.integers(0, 700),
)
"""How many lines, the number of the first, how many are left out, how many are asked for."""


def filled(count):
    """Lines of a number and a field."""
    table = np.arange(count)[:, None] / 1000
    return FilledLines(Slots([b'{"number":' + FIELD + b',"value":', b"}\n"], [3]), table)


def uneven(count, waiting):
    """Lines of which some are longer, and tell their number twice."""
    ours = (b"%d:%s;%s" % (place, waiting * (1 + place % 2), b"." * (place % 7)) for place in range(count))
    return UnevenLines.of(ours, waiting=waiting)


def texts(lines, start, **part):
    return b"".join(map(bytes, lines.numbered(start, **part))).splitlines(keepends=True)


@given(part=PARTS)
def test_lines_of_one_length_have_their_numbers_in_their_fields(part):
    count, start, skip, most = part
    lines = filled(count)
    assert len(lines) == count
    assert texts(lines, start, skip=skip, most=most) == [
        b'{"number":%12d,"value": %-5s}\n' % (start + place, repr(place / 1000).encode())
        for place in range(count)[skip:][:most]
    ]


@pytest.mark.parametrize(("waiting", "figure"), [(WAITING, b"%d"), (FIELD, b"%12d")])
@given(part=PARTS)
def test_a_line_has_its_number_wherever_it_waits_for_it(waiting, figure, part):
    count, start, skip, most = part
    lines = uneven(count, waiting)
    assert len(lines) == count
    assert texts(lines, start, skip=skip, most=most) == [
        b"%d:%s;%s\n" % (place, figure % (start + place) * (1 + place % 2), b"." * (place % 7))
        for place in range(count)[skip:][:most]
    ]


def test_numbering_leaves_the_lines_waiting():
    for lines in (filled(300), uneven(300, WAITING)):
        assert texts(lines, 7) != texts(lines, 1000) != texts(lines, 7)
        assert texts(lines, 7) == texts(lines, 7, skip=0, most=None)
