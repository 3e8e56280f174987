from typing import Any

import pytest

from miharu import providers
from miharu.attribution.context import Context, Origin
from miharu.call import Call
from miharu.plugins import load
from miharu.recorder.reading.headers import attempt_of
from miharu.recorder.reading.reader import Reader
from tests.world import exchange, sse

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
ASKED = {"model": "m", "messages": []}
STREAM = {"content-type": "text/event-stream"}
CONTENT = {"choices": [{"delta": {"content": "x"}}]}
FINISH = {"choices": [{"delta": {}, "finish_reason": "stop"}]}


def read(**facts: Any) -> Call:
    call = Reader(FORMATS, service="shop").read(exchange(asked=ASKED, **facts))
    assert call is not None
    return call


@pytest.mark.parametrize(
    ("events", "done", "end", "status", "error_type"),
    [
        ([CONTENT, FINISH], True, "eof", "success", None),
        ([CONTENT, FINISH], True, "closed", "success", None),  # SDKs close at the end marker
        ([CONTENT, FINISH], True, "error", "success", None),  # what breaks after it does not matter
        ([CONTENT, FINISH], False, "eof", "success", None),  # several providers send no marker
        ([CONTENT, FINISH], False, "closed", "cancelled", None),
        ([CONTENT], False, "closed", "cancelled", None),
        ([CONTENT], False, "cancelled", "cancelled", None),
        ([CONTENT], False, "eof", "error", "incomplete_stream"),
        ([CONTENT], False, "error", "error", "httpx.ReadTimeout"),
        ([], False, "dropped", "cancelled", None),
        (
            [CONTENT, {"error": {"type": "overloaded", "message": "x"}}],
            False,
            "closed",
            "error",
            "overloaded",
        ),
    ],
)
def test_a_stream_ends(events: list[Any], done: bool, end: Any, status: str, error_type: str | None) -> None:
    failure = ("httpx.ReadTimeout", "timed out") if end == "error" else None
    call = read(chunks=sse(*events, done=done), headers=STREAM, end=end, error=failure)
    assert (call.outcome.status, call.outcome.error_type) == (status, error_type)


@pytest.mark.parametrize(
    ("body", "status", "end", "expected", "error_type"),
    [
        (b'{"choices": []}', 200, "eof", "success", None),
        (b'{"choices": []}', 200, "closed", "success", None),
        (b'{"choi', 200, "closed", "cancelled", None),
        (b'{"choi', 200, "eof", "error", "incomplete_response"),
        (b'{"choi', 200, "error", "error", "httpx.ReadError"),
        (b"", 200, "dropped", "cancelled", None),
        (b"", 500, "dropped", "error", "500"),
        (b"", None, "cancelled", "cancelled", None),
        (b"", None, "error", "error", "httpx.ReadError"),
    ],
)
def test_a_plain_answer_ends(
    body: bytes, status: Any, end: Any, expected: str, error_type: str | None
) -> None:
    failure = ("httpx.ReadError", "broke") if end == "error" else None
    call = read(body=body, status=status, end=end, error=failure)
    assert (call.outcome.status, call.outcome.error_type) == (expected, error_type)


def test_the_first_token_is_content_not_the_first_byte() -> None:
    role = {"choices": [{"delta": {"role": "assistant", "content": ""}}]}
    call = read(chunks=sse(role, role, CONTENT, FINISH), headers=STREAM, took_ms=500)
    assert (call.ttft_ms, call.duration_ms) == (300, 500)


def test_an_event_that_spans_chunks_counts_when_its_last_byte_came() -> None:
    body = b"".join(sse(CONTENT, FINISH))
    call = read(chunks=[body[:10], body[10:20], body[20:]], headers=STREAM, took_ms=300)
    assert call.ttft_ms == 300


def test_it_says_who_asked_and_from_where() -> None:
    scope = {
        "method": "POST",
        "headers": [(b"x-request-id", b"host-1")],
        "route": type("Route", (), {"path_format": "/chat/{thread_id}"})(),
    }
    call = read(
        body={"choices": []},
        context=Context(origin=Origin(scope)),
        request_headers={"user-agent": "AsyncOpenAI/Python 3.54.0", "x-stainless-retry-count": "2"},
    )
    assert call.route == "POST /chat/{thread_id}"
    assert call.host_request_id == "host-1"
    assert call.sdk == "openai/3.54.0"
    assert call.attempt == 3
    assert call.service == "shop"
    assert call.host == "api.openai.com"


@pytest.mark.parametrize(
    ("said", "attempt"),
    [
        ({"amz-sdk-request": "attempt=1"}, 1),
        ({"amz-sdk-request": "attempt=2; max=5"}, 2),
        ({"amz-sdk-request": "ttl=20261130T000000Z; attempt=3; max=5"}, 3),
        ({"amz-sdk-request": "attempt=0"}, None),
        ({"amz-sdk-request": "attempt=12345"}, None),
        ({"amz-sdk-request": "noattempt=2"}, None),
        ({"x-stainless-retry-count": "0", "amz-sdk-request": "attempt=2"}, 1),
        ({}, None),
    ],
)
def test_the_sdk_says_which_try_it_is(said: dict[str, str], attempt: int | None) -> None:
    assert attempt_of(said) == attempt


def test_a_tracing_that_fails_costs_the_attribution_and_not_the_call(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd:
        def get_span_context(self) -> None:
            raise RuntimeError

    monkeypatch.delenv("MIHARU_UNGUARDED")
    made = exchange(asked=ASKED, body={"choices": []})
    made.traced = Odd()
    call = Reader(FORMATS).read(made)
    assert call is not None
    assert call.route is None
    assert "finding out to whom a call belongs failed" in caplog.text


@pytest.mark.parametrize(
    ("agent", "sdk"),
    [
        ("OpenAI/Python 3.54.0", "openai/3.54.0"),
        ("python-httpx/0.28.1", "python-httpx/0.28.1"),
        ("unknown/None; hf_hub/2.4.0; python/3.11.7", "hf_hub/2.4.0"),
        ("pydantic-ai/2.68.0", "pydantic-ai/2.68.0"),
        ("my agent", "my agent"),
        ("", None),
    ],
)
def test_the_sdk_is_named_by_its_user_agent(agent: str, sdk: str | None) -> None:
    assert read(body={"choices": []}, request_headers={"user-agent": agent}).sdk == sdk


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7000),
        ({"retry-after": "0.5"}, 500),
        ({"retry-after-ms": "120", "retry-after": "9"}, 120),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-4"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read(headers: dict[str, str], wait: int | None) -> None:
    assert read(body={"error": {}}, status=429, headers=headers).outcome.retry_after_ms == wait


def test_what_we_lost_is_no_error_of_the_provider() -> None:
    shed = exchange(asked=ASKED)
    shed.shed = True
    cut = exchange(asked=ASKED, body=b'{"choi')
    cut.lost = 5
    for made in (shed, cut):
        call = Reader(FORMATS).read(made)
        assert call is not None
        assert (call.outcome.status, call.usage.usage_source) == ("success", "none")
        assert call.is_unpriced


def test_a_long_message_is_cut() -> None:
    call = read(body={"error": {"type": "t" * 500, "message": "so it is " * 200_000}}, status=400)
    assert len(call.outcome.error_message or "") == 2000
    assert len(call.outcome.error_type or "") == 200


def test_credentials_go_nowhere() -> None:
    secret = {"authorization": "Bearer sk-secret", "api-key": "sk-secret", "cookie": "sk-secret"}
    call = Reader(FORMATS, capture_content=True).read(
        exchange(
            "https://user:sk-secret@api.openai.com/v1/chat/completions?key=sk-secret",
            asked=ASKED,
            body={"choices": []},
            request_headers=secret,
            headers={"set-cookie": "sk-secret"},
        )
    )
    assert call is not None
    assert call.body is not None
    assert "sk-secret" not in repr(call)


def test_bodies_are_kept_only_when_asked_for() -> None:
    facts = exchange(asked=ASKED, body={"choices": []})
    assert Reader(FORMATS).read(facts).body is None  # type: ignore[union-attr]
    body = Reader(FORMATS, capture_content=True).read(facts).body  # type: ignore[union-attr]
    assert body is not None
    assert (body.request, body.response) == (b'{"model": "m", "messages": []}', b'{"choices": []}')


def test_equal_requests_have_equal_hashes() -> None:
    one, two, other = (
        exchange(asked=asked, body={"choices": []}) for asked in (ASKED, ASKED, {**ASKED, "seed": 1})
    )
    reader = Reader(FORMATS)
    first, second, third = (reader.read(each).body_hash for each in (one, two, other))  # type: ignore[union-attr]
    assert first == second != third
    assert first is not None


@pytest.mark.parametrize(("dollars", "nano"), [("2.5e-9", 2), ("3.5e-9", 4), ("1.5e-9", 2)])
def test_half_a_nano_dollar_of_a_stated_cost_goes_to_the_even_one(dollars: str, nano: int) -> None:
    body = {"choices": [{"finish_reason": "stop"}], "usage": {"prompt_tokens": 1, "cost": dollars}}
    call = read(body=body)
    assert call.cost is not None
    assert call.cost.cost_nanousd == nano
