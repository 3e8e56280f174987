from typing import Any

import pytest

from miharu.call import Call, Outcome, Status
from miharu.recorder.reading.attempts import RETRIED_WITHIN_MS, Attempts

NOW = 1_790_000_000_000


def call(id: str, status: int | None = 200, at: int = 0, **facts: Any) -> Call:
    ended: Status = "success" if status == 200 else "error"
    defaults: dict[str, Any] = {
        "timestamp": NOW + at,
        "api": "openai.chat",
        "host": "api.openai.com",
        "body_hash": "h",
    }
    return Call(
        id=id, outcome=Outcome(status=ended, http_status=status), duration_ms=10, **(defaults | facts)
    )


def placed(*calls: Call) -> list[tuple[int | None, str | None]]:
    attempts = Attempts()
    tries = [attempts.place(each) for each in calls]
    return [(each.attempt, each.call_group) for each in tries]


def test_an_sdk_that_counts_its_tries() -> None:
    tries = [call("a", 500, attempt=1), call("b", None, 100, attempt=2), call("c", 200, 200, attempt=3)]
    assert placed(*tries) == [(1, "a"), (2, "a"), (3, "a")]


def test_an_sdk_that_does_not() -> None:
    assert placed(call("a", 429), call("b", 503, 100), call("c", 200, 200)) == [(1, "a"), (2, "a"), (3, "a")]


@pytest.mark.parametrize("status", [200, 400, 401, 404, 422])
def test_what_did_not_fail_for_now_is_not_tried_again(status: int) -> None:
    assert placed(call("a", status), call("b", 200, 100)) == [(1, "a"), (1, "b")]


def test_much_later_it_is_another_call() -> None:
    assert placed(call("a", 429), call("b", 200, RETRIED_WITHIN_MS + 11)) == [(1, "a"), (1, "b")]


def test_another_body_host_or_request_is_another_call() -> None:
    assert placed(call("a", 429), call("b", body_hash="other")) == [(1, "a"), (1, "b")]
    assert placed(call("a", 429), call("b", host="other")) == [(1, "a"), (1, "b")]
    assert placed(call("a", 429, trace_id="1"), call("b", trace_id="2")) == [(1, "a"), (1, "b")]
    assert placed(call("a", 429, trace_id="1"), call("b", trace_id="1")) == [(1, "a"), (2, "a")]
    assert placed(call("a", 429, body_hash=None), call("b", body_hash=None)) == [(1, "a"), (1, "b")]


def test_the_same_prompt_asked_at_the_same_time_is_no_retry() -> None:
    """The SDK says of both that they are the first try."""
    assert placed(call("a", 429, attempt=1), call("b", 200, 5, attempt=1)) == [(1, "a"), (1, "b")]


def test_a_retry_whose_first_try_nobody_saw() -> None:
    assert placed(call("b", 200, attempt=2)) == [(2, "b")]


def test_it_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miharu.recorder.reading.attempts.REMEMBERED", 2)
    calls = [call(name, 429, body_hash=name) for name in "abc"]
    assert placed(*calls, call("d", body_hash="a"), call("e", body_hash="c"))[-2:] == [(1, "d"), (2, "c")]
