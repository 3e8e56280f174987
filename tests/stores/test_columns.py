from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.stores import columns
from miharu.stores.columns import CALLS, LARGEST, LONGEST_TEXT, to_row
from miharu.testing.store_contract import make_call

VALUES = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.sampled_from(["x" * LONGEST_TEXT, "x" * (LONGEST_TEXT + 1), "a\0b", "\ud800", "\u3042"]),
    st.integers(),
    st.sampled_from([LARGEST, LARGEST + 1, -LARGEST, -LARGEST - 1]),
    st.floats(allow_nan=False),
)


@given(st.lists(VALUES, max_size=8))
def test_the_quick_look_at_a_row_finds_what_a_look_at_each_value_does(row: list[object]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(columns, "_is_plain", lambda _: False)
        expected = columns._storable([*row], {})
    assert columns._storable([*row], {}) == expected


def test_what_no_engine_takes_is_cut_or_left_out() -> None:
    call = make_call()
    stored = dict(zip(CALLS, to_row(replace(call, api="x" * 3000, span_id="a\0")), strict=True))
    assert stored["api"] == "x" * (LONGEST_TEXT - 1) + "\u2026"
    assert stored["span_id"] == "a\ufffd"
    assert dict(zip(CALLS, to_row(replace(call, timestamp=2**60)), strict=True))["timestamp"] is None
    assert dict(zip(CALLS, to_row(replace(call, timestamp=-(2**60))), strict=True))["timestamp"] is None
