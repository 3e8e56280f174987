"""What the formats of OpenAI have of their own: background responses, forms, pictures, hostile shapes."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu import providers
from miharu._bounds import believed
from miharu.call import Call
from miharu.exchange import Exchange, Request
from miharu.plugins import load
from miharu.providers.openai import _usage
from miharu.providers.openai._usage import stated_cost, usage_of
from miharu.recorder.reading.reader import Reader
from tests.nested import nested
from tests.world import exchange, sse

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
EVENTS = {"content-type": "text/event-stream"}
HERE = "https://api.openai.com/v1/"
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "background": True,
    "status": "completed",
    "model": "gpt-5.4",
    "output": [],
    "usage": {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7},
}


def read(**facts: Any) -> Call | None:
    return Reader(FORMATS).read(exchange(**facts))


def fetched(answer: object, **facts: Any) -> Call | None:
    return read(**{"url": f"{HERE}responses/resp_1", "method": "GET", "body": answer, **facts})


def test_a_finished_background_response_completes_its_call() -> None:
    call = fetched({**RESPONSE, "created_at": 1790000000, "completed_at": 1790000007})
    assert call is not None
    assert call.completes
    assert (call.response_id, call.usage.prompt_tokens) == ("resp_1", 5)


@pytest.mark.parametrize(
    "facts",
    [
        {"answer": {**RESPONSE, "background": False}},
        {"answer": {name: value for name, value in RESPONSE.items() if name != "background"}},
        {"answer": {**RESPONSE, "status": "queued", "usage": None}},
        {"answer": {**RESPONSE, "status": "in_progress", "usage": None}},
        {"answer": {**RESPONSE, "id": None}},
        {"answer": {"error": {"message": "no such response"}}, "status": 404},
        {"answer": None, "status": None, "end": "error"},
        {"answer": RESPONSE, "url": f"{HERE}responses/resp_1/input_items"},
        {"answer": [RESPONSE]},
        {
            "answer": None,
            "headers": EVENTS,
            "chunks": sse({"type": "response.queued", "response": {**RESPONSE, "status": "queued"}}),
        },
    ],
)
def test_any_other_look_at_a_response_is_no_call(facts: dict[str, Any]) -> None:
    assert fetched(facts.pop("answer"), **facts) is None


def test_what_opens_a_background_call_has_no_usage_and_completes_nothing() -> None:
    queued = {**RESPONSE, "status": "queued", "usage": None}
    call = read(url=f"{HERE}responses", asked={"model": "gpt-5.4", "input": "x"}, body=queued)
    assert call is not None
    assert (call.outcome.status, call.finish_reason, call.completes) == ("success", "queued", False)
    assert call.usage.usage_source == "none"


@pytest.mark.parametrize(
    "facts",
    [
        {"url": f"{HERE}threads/t/runs/r", "method": "GET", "body": {"object": "thread.run"}},
        {"url": "http://graph/threads/t/runs", "asked": {"assistant_id": "a"}, "body": {"run_id": "r"}},
        {"url": "https://eval.openai.azure.com/v1/evals/e/runs", "asked": {"name": "x"}, "body": {}},
        {"url": f"{HERE}threads/t/messages", "asked": {"content": "x"}, "body": {}},
        {"url": f"{HERE}responses/input_tokens", "asked": {"model": "m", "input": "x"}, "body": {}},
        {"url": f"{HERE}responses/resp_1/cancel", "asked": {}, "body": RESPONSE},
        {"url": "http://mine/api/audio/speech", "asked": {"input": "x", "model": "m"}, "body": {"ok": 1}},
        {"url": "http://mine/api/audio/transcriptions", "body": {"saved": True}},
        {"url": "http://mine/api/audio/transcriptions", "asked": {"name": "x"}, "body": {"text": "x"}},
        {"url": "http://mine/images/edits", "asked": {"model": "m", "prompt": "x"}, "body": {"ok": True}},
        {"url": "http://mine/images/edits", "asked": {"crop": 1}, "body": {"data": []}},
        {"url": "http://mine/ocr", "asked": {"document": "x"}, "body": {"text": "x"}},
        {"url": "http://mine/moderations", "asked": {"input": "x", "model": "m"}, "body": {"ok": True}},
    ],
)
def test_what_only_looks_like_one_of_them_is_none(facts: dict[str, Any]) -> None:
    assert read(**facts) is None


class Form(Exchange):
    """A transcription as the interceptor hands it over: the form's fields, without its file."""

    __slots__ = ("host",)
    host: str

    def request(self) -> Request:
        return Request(
            method="POST",
            host=self.host,
            path="/v1/audio/transcriptions",
            query="",
            headers={},
            body=None,
            fields={"model": "whisper-1"},
        )


@pytest.mark.parametrize("host", ["api.openai.com", "localhost:8000"])
def test_a_form_names_the_model(host: str) -> None:
    form = Form()
    form.host, form.status, form.chunks = host, 200, [b'{"text": "wren"}']
    form.ended, form.end = form.started, "eof"
    call = Reader(FORMATS).read(form)
    assert call is not None
    assert (call.request_model, call.outcome.status) == ("whisper-1", "success")


@pytest.mark.parametrize("streamed", [False, True])
def test_a_picture_of_megabytes_has_its_usage(streamed: bool) -> None:
    usage = {"input_tokens": 9, "output_tokens": 4160, "total_tokens": 4169}
    answer = {"type": "image_generation.completed", "b64_json": "QUJD" * 500_000, "usage": usage}
    call = read(
        url=f"{HERE}images/generations",
        asked={"model": "gpt-image-1.5", "prompt": "x"},
        **({"chunks": sse(answer, done=False), "headers": EVENTS} if streamed else {"body": answer}),
    )
    assert call is not None
    assert (call.outcome.status, call.usage.completion_tokens) == ("success", 4160)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_picture_too_large_to_keep_still_has_its_usage(streamed: bool) -> None:
    end = b'QUJD","usage":{"input_tokens":9,"output_tokens":4160,"total_tokens":4169}}'
    start = b'{"type":"image_generation.partial_image","b64_json":"QUJDQUJD'
    seen = exchange(
        f"{HERE}images/generations",
        asked={"model": "gpt-image-1.5", "prompt": "x"},
        headers=EVENTS if streamed else {},
        chunks=[b"data: " + start if streamed else start],
    )
    seen.overflow(end + b"\n\n" if streamed else end)
    seen.lost = 9_000_000
    call = Reader(FORMATS).read(seen)
    assert call is not None
    assert (call.outcome.status, call.usage.completion_tokens) == ("success", 4160)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0.1}, Decimal("0.1")),
        ({"cost": 1e-09}, Decimal("1e-9")),
        ({"cost": "0.25"}, Decimal("0.25")),
        ({"cost": 0}, Decimal(0)),
        ({"cost": True}, None),
        ({"cost": "free"}, None),
        ({"cost": -1}, None),
        ({"cost": float("nan")}, None),
        ({"cost": float("inf")}, None),
        ({"cost": 10**6}, None),
        ({"cost": 10**5000}, None),
        ({"cost": {"total_cost": None}}, None),
        ({"cost_in_usd_ticks": 1}, Decimal("1e-10")),
        ({}, None),
        (None, None),
    ],
)
def test_a_stated_cost_is_what_was_written(usage: object, cost: Decimal | None) -> None:
    assert stated_cost(usage, {}) == cost


def test_a_proxy_without_a_price_says_zero_and_is_not_believed() -> None:
    assert stated_cost({}, {"x-litellm-response-cost": "0.0"}) is None
    assert stated_cost({}, {"x-litellm-response-cost": "None"}) is None


COUNTS = st.none() | st.integers(-5, 2**60) | st.floats() | st.text(max_size=3) | st.booleans()
DETAILS = st.none() | st.dictionaries(
    st.sampled_from(["cached_tokens", "audio_tokens", "reasoning_tokens", "cache_write_tokens"]), COUNTS
)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens_details": {"cached_tokens": 5}, "prompt_cache_hit_tokens": 0},
        {"prompt_tokens_details": {"cached_tokens": 0}, "prompt_cache_hit_tokens": 5},
        {"prompt_tokens_details": {"cached_tokens": None}, "cached_tokens": 5, "num_cached_tokens": 0},
    ],
)
def test_of_two_names_for_one_count_a_zero_is_the_one_that_nobody_filled_in(usage: dict[str, Any]) -> None:
    assert usage_of({"prompt_tokens": 9, "completion_tokens": 1, **usage}).cached_tokens == 5


@given(
    st.dictionaries(
        st.sampled_from(
            [
                *("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens"),
                *("citation_tokens", "reasoning_tokens", "num_cached_tokens", "prompt_audio_seconds", "cost"),
            ]
        ),
        COUNTS,
    ),
    DETAILS,
    DETAILS,
)
def test_no_usage_is_invented(raw: dict[str, Any], ins: object, outs: object) -> None:
    raw |= {"prompt_tokens_details": ins, "completion_tokens_details": outs}
    usage = believed(usage_of(raw))
    stated_cost(raw, {})
    given_numbers = [value for value in raw.values() if isinstance(value, int | float)]
    if not given_numbers:
        assert (usage.prompt_tokens, usage.completion_tokens) == (None, None)
    for value in (usage.prompt_tokens, usage.completion_tokens):
        assert value is None or value >= 0


SHAPES = nested(
    [
        *("usage", "error", "errors", "type", "object", "response", "output", "background"),
        *("status", "id", "choices", "x_groq", "value", "text", "usage_info", "tool_usage"),
    ],
    most=5,
)
PATHS = [
    *("images/generations", "audio/transcriptions", "audio/speech", "moderations", "ocr"),
    *("threads/t/runs", "responses/compact", "responses/r", "chat/completions", "completions"),
]


@given(SHAPES, SHAPES, st.sampled_from(PATHS))
def test_answers_of_any_shape_never_raise(answer: object, asked: object, path: str) -> None:
    for host in (HERE, "http://localhost/v1/"):
        for method in ("POST", "GET"):
            read(url=host + path, asked=asked, body=answer, method=method)
            read(
                url=host + path,
                asked=asked,
                chunks=sse(("error", answer), answer),
                headers=EVENTS,
                method=method,
            )


@given(st.binary(max_size=300), st.sampled_from(PATHS))
def test_bytes_of_any_kind_never_raise(body: bytes, path: str) -> None:
    for headers in (EVENTS, {"content-type": "audio/mpeg"}, {}):
        read(url=HERE + path, asked=body, body=body, headers=headers)
        read(
            url=HERE + path,
            asked=body,
            chunks=[b"error: " + body, b"\n\ndata: " + body],
            headers=headers,
            request_headers={"content-type": "multipart/form-data"},
        )


_COUNT: st.SearchStrategy[Any] = st.one_of(
    st.integers(0, 50), st.sampled_from([None, True, -1, 1.5, 2**53, "7", {}, 2**53 - 1]), st.just(0)
)
_IN = dict.fromkeys(("cached_tokens", "audio_tokens", "image_tokens", "cache_write_tokens"), _COUNT)
_OUT = dict.fromkeys(("reasoning_tokens", "audio_tokens", "accepted_prediction_tokens"), _COUNT)
_TOP = {
    **dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens"), _COUNT),
    "prompt_tokens_details": st.one_of(st.none(), st.fixed_dictionaries({}, optional=_IN)),
    "completion_tokens_details": st.one_of(st.none(), st.fixed_dictionaries({}, optional=_OUT)),
}


@given(st.fixed_dictionaries({}, optional=_TOP), st.booleans())
def test_the_usual_usage_is_what_the_long_way_makes_of_it(raw: dict[str, Any], adds_up: bool) -> None:
    if adds_up:
        raw |= {"prompt_tokens": 7, "completion_tokens": 8, "total_tokens": 15}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_usage, "_usual", lambda _: None)
        expected = _usage.usage_of(raw)
    assert _usage.usage_of(raw) == expected


def test_openai_usage_needs_no_more_than_the_quick_look() -> None:
    raw = {
        "prompt_tokens": 19,
        "completion_tokens": 10,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 4, "audio_tokens": 0},
    }
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_usage, "_outside", None)
        usage = _usage.usage_of(raw)
    assert (usage.prompt_tokens, usage.completion_tokens) == (19, 10)
    assert (usage.cached_tokens, usage.reasoning_tokens) == (3, 4)
