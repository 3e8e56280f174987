from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.call import Cost, Usage
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


_TEXTS = ("model", "host", "response_id", "user_id", "route", "rate_limit", "finish_reason")
_NUMBERS = ("timestamp", "duration_ms", "ttft_ms", "attempt", "cache_missed_tokens", "cache_missed_nanousd")
_COUNTS = ("prompt_tokens", "completion_tokens", "cached_tokens", "image_output_tokens")
_ODD_NUMBERS = st.one_of(
    st.none(), st.integers(-2, 5000), st.sampled_from([10**9, 10**9 + 1, 10**12, 2**53, 2**60, -(2**60)])
)
_ODD_TEXTS = st.one_of(
    st.none(),
    st.sampled_from(
        ["", "x" * 100, "x" * 101, "x" * 501, "x" * 1999, "x" * 20_000, "a\0b", "\ud800", "\u3042"]
    ),
)


@given(st.data())
def test_the_quick_look_at_a_call_leaves_nothing_unbounded(data: st.DataObject) -> None:
    some: dict[str, Any] = {
        **data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(_TEXTS, _ODD_TEXTS))),
        **data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(_NUMBERS, _ODD_NUMBERS))),
    }
    some = {name: value for name, value in some.items() if value is not None or name.endswith("_id")}
    counts: dict[str, Any] = data.draw(
        st.fixed_dictionaries({}, optional=dict.fromkeys(_COUNTS, _ODD_NUMBERS))
    )
    raw, message = data.draw(_ODD_TEXTS), data.draw(_ODD_TEXTS)
    cost = data.draw(st.sampled_from([None, 0, 10**9, 10**9 + 1, 9 * 10**11, 10**12]))
    tags = data.draw(st.sampled_from([None, {"a": "b"}, {"a": "x" * 1000}, {"\u3042": "x" * 3000}]))
    call = make_call()
    call = replace(
        call,
        **some,
        tags=tags,
        usage=Usage(**counts, usage_raw=raw),
        cost=None if cost is None else Cost(cost_nanousd=cost, cost_source="own"),
        outcome=replace(call.outcome, error_message=message),
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(columns, "_is_ordinary", lambda _: False)
        expected = to_row(call)
    assert to_row(call) == expected


def test_most_calls_need_no_more_than_the_quick_look() -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(columns, "_storable", None)
        assert to_row(make_call())


def test_what_no_engine_takes_is_cut_or_left_out() -> None:
    call = make_call()
    stored = dict(zip(CALLS, to_row(replace(call, api="x" * 3000, span_id="a\0")), strict=True))
    assert stored["api"] == "x" * (LONGEST_TEXT - 1) + "\u2026"
    assert stored["span_id"] == "a\ufffd"
    assert dict(zip(CALLS, to_row(replace(call, timestamp=2**60)), strict=True))["timestamp"] is None
    assert dict(zip(CALLS, to_row(replace(call, timestamp=-(2**60))), strict=True))["timestamp"] is None
