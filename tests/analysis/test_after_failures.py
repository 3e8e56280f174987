"""What came after a tool had failed."""

from dataclasses import replace
from typing import Any

import pytest

from miharu.analysis.after_failures import WITHIN_MS, after, traces_of
from miharu.batch import RECOGNISED, TOOL, Span
from miharu.call import Call, Outcome, new_id

NOON = 1_790_000_000_000
TRACE = "a" * 32
FAILED = Span(
    id="1" * 16,
    trace_id=TRACE,
    name="refund",
    timestamp=NOON,
    duration_ms=100,
    status="error",
    error_type="ValueError",
    kind=TOOL,
    parent_id="agent",
)
ASKING = Call(
    id=new_id(NOON - 900),
    timestamp=NOON - 900,
    duration_ms=900,
    api="x",
    trace_id=TRACE,
    parent_id="agent",
    tools='["refund"]',
    outcome=Outcome(status="success"),
)


def call(after_ms: int, **facts: Any) -> Call:
    at = NOON + 100 + after_ms
    made = replace(ASKING, id=new_id(at), timestamp=at, tools=None, duration_ms=5)
    return replace(made, **facts)


ERROR = Outcome(status="error", http_status=429, error_type="rate_limit")


@pytest.mark.parametrize(
    ("following", "came"),
    [
        ({"tools": '["find", "refund"]'}, ("again", "")),
        ({"tools": '["open_ticket", "find"]'}, ("other", "open_ticket")),
        ({}, ("answered", "")),
        ({"outcome": ERROR}, ("failed", "")),
        ({"outcome": Outcome(status="cancelled")}, ("failed", "")),
    ],
)
def test_the_call_that_followed_says_what_the_model_did(following: Any, came: Any) -> None:
    calls = [call(9000, tools='["refund"]'), call(3, **following), ASKING]
    assert after(FAILED, calls) == came


def test_a_retried_call_counts_by_its_last_attempt() -> None:
    first, last = call(3, outcome=ERROR, call_group="g"), call(2000, call_group="g", tools='["refund"]')
    assert after(FAILED, [last, first, ASKING]) == ("again", "")
    recognised = replace(FAILED, tags={RECOGNISED: "g"})
    assert after(recognised, [last, first]) == ("again", "")


def test_the_call_of_the_same_work_is_the_one_that_followed() -> None:
    """Agents run beside each other in one trace."""
    other, own = call(3, parent_id="other"), call(9, tools='["refund"]')
    assert after(FAILED, [own, other, ASKING]) == ("again", "")
    assert after(FAILED, [other, ASKING]) == ("answered", "")
    assert after(FAILED, [call(1, trace_id="b" * 32), own, ASKING]) == ("again", "")


def test_nothing_followed_where_the_trace_went_on_with_no_call() -> None:
    assert after(FAILED, [call(WITHIN_MS + 1), ASKING]) == ("nothing", "")


def test_of_a_trace_without_calls_it_is_not_known() -> None:
    assert after(FAILED, [replace(ASKING, trace_id="b" * 32)]) is None
    assert after(FAILED, []) is None


def test_the_call_that_brought_the_result_is_known_wherever_it_was_made() -> None:
    brought = call(0, trace_id="b" * 32, call_group=None, tools='["open_ticket"]')
    recognised = replace(FAILED, tags={RECOGNISED: brought.id})
    assert after(recognised, [call(0), brought]) == ("other", "open_ticket")
    assert after(recognised, [call(0)]) is None
    assert traces_of(recognised) == {TRACE, brought.id.replace("-", "")}
    assert traces_of(FAILED) == {TRACE}
