"""Laws of what a sheet is worth: never more than what is accepted, less for every hint, nothing for what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprop.exercise.credit import sheet_credit
from quizprop.exercise.grade import Verdict

SHEETS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(list(Verdict)), min_size=1)
SHARES = st.floats(0, 1)
RUNGS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3))


@given(SHEETS, RUNGS, SHARES, SHARES)
def test_credit_is_a_share_and_falls_with_every_rule(verdicts, rungs, follow, price):
    credit = sheet_credit(verdicts, rungs=rungs, follow_credit=follow, hint_price=price)
    plain = sheet_credit(verdicts, rungs={})
    assert 0 <= credit <= plain <= 1
    assert plain == pytest.approx(sum(one.accepted for one in verdicts.values()) / len(verdicts))
    more = {key: rungs.get(key, 0) + 1 for key in verdicts}
    assert sheet_credit(verdicts, rungs=more, follow_credit=follow, hint_price=price) <= credit


def test_the_parts_add_up():
    verdicts = {"a": Verdict.CORRECT, "b": Verdict.FOLLOWS, "c": Verdict.WRONG, "d": Verdict.CORRECT}
    assert sheet_credit(verdicts, rungs={"d": 2}, follow_credit=0.5, hint_price=0.25) == (1 + 0.5 + 0 + 0.5) / 4
    assert sheet_credit(verdicts, rungs={"a": 3}, hint_price=0.5) == (0 + 1 + 0 + 1) / 4
