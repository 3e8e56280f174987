"""The real OpenAI SDK is the judge of whether the provider speaks its language."""

import json
import subprocess
import sys
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, AzureOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI
from pydantic import BaseModel

from miharu.testing import FakeProvider, count_tokens
from miharu.testing.tokens import PER_IMAGE, PER_MESSAGE, PER_PROMPT, REASONING

QUESTION = "How do I make my program faster?"
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["celsius", "kelvin"]},
            },
            "required": ["city"],
        },
    },
}


def ask(client: Any, question: str = QUESTION, **options: Any) -> Any:
    options = {"model": "gpt-4o-mini"} | options
    return client.chat.completions.create(messages=[{"role": "user", "content": question}], **options)


def test_a_chat_completion_counts_what_it_was_given_and_what_it_said(client: Any) -> None:
    answer = ask(client)
    said = answer.choices[0].message.content
    assert answer.model == "gpt-4o-mini-2024-07-18"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens == PER_PROMPT + PER_MESSAGE + count_tokens(QUESTION)
    assert answer.usage.completion_tokens == count_tokens(said) > 0
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert ask(client).choices[0].message.content == said


def test_a_stream_says_what_the_plain_answer_says(client: Any) -> None:
    plain = ask(client)
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[0].choices[0].delta.content == ""
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == plain.choices[0].message.content
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage == plain.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_a_stream_tells_usage_only_when_asked(client: Any) -> None:
    chunks = list(ask(client, stream=True))
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


def test_a_stream_is_framed_as_openai_frames_it(provider: FakeProvider) -> None:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    with httpx.Client(trust_env=False) as http:
        answer = http.post(f"{provider.base_url}/chat/completions", json=body)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    frames = answer.text.split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    assert all(frame.startswith("data: ") for frame in frames[:-1])
    assert json.loads(frames[0][6:])["choices"][0]["delta"] == {
        "role": "assistant",
        "content": "",
        "refusal": None,
    }


@pytest.mark.parametrize(
    "anyio_backend", ["asyncio"]
)  # under trio the SDK leaves generators of its own unclosed
async def test_the_async_client_is_served_as_well(provider: FakeProvider, anyio_backend: str) -> None:
    async with (
        DefaultAsyncHttpxClient(trust_env=False) as http,
        AsyncOpenAI(base_url=provider.base_url, api_key="sk-test", http_client=http) as client,
    ):
        messages: Any = [{"role": "user", "content": QUESTION}]
        stream = await client.chat.completions.create(model="gpt-4o", messages=messages, stream=True)
        assert [chunk.choices[0].finish_reason async for chunk in stream][-1] == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_is_called_and_its_answer_answered(client: Any, stream: bool) -> None:
    messages: Any = [{"role": "user", "content": "What is the weather in Sendai?"}]
    if stream:
        with client.chat.completions.stream(model="gpt-4o", messages=messages, tools=[WEATHER]) as events:
            answer = events.get_final_completion()
    else:
        answer = client.chat.completions.create(model="gpt-4o", messages=messages, tools=[WEATHER])
    assert answer.choices[0].finish_reason == "tool_calls"
    [call] = answer.choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "example", "unit": "celsius"}
    messages += [
        {"role": "assistant", "tool_calls": [call.model_dump(exclude_none=True)]},
        {"role": "tool", "tool_call_id": call.id, "content": "21 degrees"},
    ]
    final = client.chat.completions.create(model="gpt-4o", messages=messages, tools=[WEATHER])
    assert final.choices[0].finish_reason == "stop"


def test_a_schema_is_obeyed(client: Any) -> None:
    class City(BaseModel):
        name: str
        people: int

    parsed = client.chat.completions.parse(
        model="gpt-4o", messages=[{"role": "user", "content": "A city"}], response_format=City
    )
    assert parsed.choices[0].message.parsed == City(name="example", people=7)


def test_a_limit_cuts_the_answer(client: Any) -> None:
    answer = ask(client, max_tokens=2)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 2


def test_several_choices_cost_several_times(client: Any) -> None:
    one, three = ask(client), ask(client, n=3)
    assert len(three.choices) == 3
    assert three.usage.completion_tokens == 3 * one.usage.completion_tokens
    chunks = list(ask(client, n=3, stream=True))
    assert {chunk.choices[0].index for chunk in chunks} == {0, 1, 2}


def test_a_reasoning_model_thinks_by_effort(client: Any) -> None:
    answer = ask(client, model="gpt-5-mini", reasoning_effort="low")
    assert answer.usage.completion_tokens_details.reasoning_tokens == REASONING["low"]
    assert answer.usage.completion_tokens == REASONING["low"] + count_tokens(
        answer.choices[0].message.content
    )
    assert ask(client, model="gpt-4o").usage.completion_tokens_details.reasoning_tokens == 0


def test_a_long_prompt_is_cached_the_second_time(client: Any) -> None:
    story = "once upon a time " * 400
    first, second = ask(client, story), ask(client, story)
    assert first.usage.prompt_tokens_details.cached_tokens == 0
    assert second.usage.prompt_tokens_details.cached_tokens == len(f"user: {story}") // 4 // 128 * 128
    longer = ask(client, story + "The end.")
    assert 0 < longer.usage.prompt_tokens_details.cached_tokens < longer.usage.prompt_tokens


def test_a_response_counts_in_its_own_words(client: Any) -> None:
    answer = client.responses.create(model="gpt-5-mini", input=QUESTION, reasoning={"effort": "high"})
    assert answer.status == "completed"
    assert answer.usage.input_tokens == PER_PROMPT + PER_MESSAGE + count_tokens(QUESTION)
    assert answer.usage.output_tokens == REASONING["high"] + count_tokens(answer.output_text)
    assert answer.usage.output_tokens_details.reasoning_tokens == REASONING["high"]
    assert [item.type for item in answer.output] == ["reasoning", "message"]


def test_a_streamed_response_passes_through_its_events(client: Any) -> None:
    events = list(client.responses.create(model="gpt-4.1", input=QUESTION, stream=True))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert said == events[-1].response.output_text
    assert events[-1].response.usage.output_tokens == count_tokens(said)
    with client.responses.stream(model="gpt-4.1", input=QUESTION) as stream:
        assert stream.get_final_response().output_text == said


@pytest.mark.parametrize("stream", [False, True])
def test_a_response_calls_a_tool(client: Any, stream: bool) -> None:
    tool: Any = {"type": "function", "strict": True, **WEATHER["function"]}
    options: Any = {"model": "gpt-4.1", "input": "Weather?", "tools": [tool]}
    if stream:
        with client.responses.stream(**options) as events:
            answer = events.get_final_response()
    else:
        answer = client.responses.create(**options)
    [call] = answer.output
    assert (call.type, call.name) == ("function_call", "get_weather")
    assert json.loads(call.arguments)["unit"] == "celsius"
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "21 degrees"}
    assert client.responses.create(**options | {"input": [result]}).output[0].type == "message"


def test_a_cut_response_is_incomplete(client: Any) -> None:
    answer = client.responses.create(model="gpt-4.1", input=QUESTION, max_output_tokens=16)
    if answer.usage.output_tokens == 16:
        assert answer.status == "incomplete"
        assert answer.incomplete_details.reason == "max_output_tokens"
    events = list(client.responses.create(model="gpt-4.1", input=QUESTION, max_output_tokens=2, stream=True))
    assert events[-1].type == "response.incomplete"


def test_a_response_in_the_background_is_fetched_until_it_is_done(client: Any) -> None:
    answer = client.responses.create(model="gpt-4.1", input=QUESTION, background=True)
    seen = [answer.status]
    while answer.status in {"queued", "in_progress"}:
        answer = client.responses.retrieve(answer.id)
        seen.append(answer.status)
    assert seen == ["queued", "in_progress", "completed"]
    assert client.responses.retrieve(answer.id).usage.output_tokens > 0
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve("resp_unknown")


def test_embeddings_come_packed_and_plain(client: Any) -> None:
    packed = client.embeddings.create(model="text-embedding-3-small", input=["one", "a second"])
    assert [len(item.embedding) for item in packed.data] == [1536, 1536]
    assert packed.usage.prompt_tokens == count_tokens("one") + count_tokens("a second")
    plain = client.embeddings.create(model="text-embedding-3-small", input="one", encoding_format="float")
    assert plain.data[0].embedding == pytest.approx(packed.data[0].embedding, abs=1e-6)
    short = client.embeddings.create(model="text-embedding-3-large", input="one", dimensions=8)
    assert len(short.data[0].embedding) == 8


@pytest.mark.parametrize("stream", [False, True])
def test_text_completions_are_spoken(client: Any, stream: bool) -> None:
    options: Any = {"model": "gpt-3.5-turbo-instruct", "prompt": "Once upon", "max_tokens": 200}
    whole = client.completions.create(**options)
    assert whole.usage.completion_tokens == count_tokens(whole.choices[0].text)
    if stream:
        chunks = list(
            client.completions.create(**options, stream=True, stream_options={"include_usage": True})
        )
        assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == whole.choices[0].text
        assert chunks[-1].usage == whole.usage


@pytest.mark.parametrize("stream", [False, True])
def test_azure_is_spoken_under_its_own_paths(provider: FakeProvider, stream: bool) -> None:
    with (
        DefaultHttpxClient(trust_env=False) as http,
        AzureOpenAI(
            azure_endpoint=provider.url, api_key="any", api_version="2025-04-01-preview", http_client=http
        ) as client,
    ):
        answer = ask(client, model="gpt-4o", stream=stream)
        if stream:
            chunks = list(answer)
            assert chunks[0].choices == []
            assert chunks[1].choices[0].delta.role == "assistant"
        else:
            assert answer.model == "gpt-4o-2024-08-06"
    assert provider.requests[-1].path == "/openai/deployments/gpt-4o/chat/completions"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_an_error_comes_on_demand(client: Any, status: int, kind: type[openai.APIStatusError]) -> None:
    with pytest.raises(kind) as caught:
        ask(client, model=f"error-{status}")
    assert caught.value.status_code == status
    assert str(caught.value.request_id).startswith("req_")
    assert ("retry-after-ms" in caught.value.response.headers) == (status in {429, 503})


def test_a_real_model_fails_by_a_header(client: Any) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        ask(client, extra_headers={"x-fake-fault": "error-quota"})
    assert caught.value.code == "insufficient_quota"


def test_a_failure_passes_with_a_retry(provider: FakeProvider, client: Any) -> None:
    before = len(provider.requests)
    answer = ask(client.with_options(max_retries=1), model="error-429-then-ok")
    assert answer.choices[0].finish_reason == "stop"
    assert [asked.headers["x-stainless-retry-count"] for asked in list(provider.requests)[before:]] == [
        "0",
        "1",
    ]


def test_without_the_sdks_count_the_same_request_is_a_retry(provider: FakeProvider) -> None:
    body = {"model": "error-then-ok", "messages": [{"role": "user", "content": "without a count"}]}
    with httpx.Client(trust_env=False, base_url=provider.base_url) as http:
        assert [http.post("/chat/completions", json=body).status_code for _ in range(3)] == [500, 200, 500]


def test_a_stream_can_fail_half_way(client: Any) -> None:
    with pytest.raises(openai.APIError, match="The server had an error"):
        list(ask(client, model="error-mid-stream", stream=True))
    with pytest.raises(openai.InternalServerError):
        ask(client, model="error-mid-stream")
    events = list(client.responses.create(model="error-mid-stream", input="hi", stream=True))
    assert events[-1].type == "response.failed"
    assert events[-1].response.error.code == "server_error"


def test_a_connection_can_break_half_way(client: Any) -> None:
    with pytest.raises(openai.APIConnectionError):
        list(ask(client, model="cut-mid-stream", stream=True))
    with pytest.raises(openai.APIConnectionError):
        ask(client, model="cut-mid-stream")


def test_a_caller_can_be_left_hanging(client: Any) -> None:
    with pytest.raises(openai.APITimeoutError):
        ask(client.with_options(timeout=0.05), model="hang")


def test_headers_name_the_request_and_the_limits(client: Any) -> None:
    headers = client.chat.completions.with_raw_response.create(
        model="gpt-4o", messages=[{"role": "user", "content": "hi"}]
    ).headers
    assert headers["x-request-id"].startswith("req_")
    assert int(headers["x-ratelimit-remaining-requests"]) < int(headers["x-ratelimit-limit-requests"])
    assert int(headers["openai-processing-ms"]) >= 0


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_can_be_given_and_compressed(stream: bool) -> None:
    with (
        FakeProvider(answer=str.upper, compress=True) as provider,
        DefaultHttpxClient(trust_env=False) as http,
        OpenAI(base_url=provider.base_url, api_key="any", http_client=http) as client,
    ):
        if stream:
            said = "".join(
                chunk.choices[0].delta.content or "" for chunk in ask(client, "shout", stream=True)
            )
        else:
            said = ask(client, "shout").choices[0].message.content
        assert said == "SHOUT"


async def test_it_needs_no_socket_and_waits_on_any_loop() -> None:
    seen: list[str] = []

    def latency(model: str) -> float:
        seen.append(model)
        return 0.001

    provider = FakeProvider(latency=latency, chunk_latency=0.001, ids=lambda: "7")
    transport = httpx.ASGITransport(app=provider)
    async with httpx.AsyncClient(transport=transport, base_url="http://fake/v1") as http:
        body = {"model": "gpt-4o", "input": "hi", "stream": True}
        answer = await http.post("/responses", json=body)
    assert seen == ["gpt-4o"]
    assert '"id":"resp_7"' in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/models", None, 200),
        ("GET", "/nonsense", None, 404),
        ("PUT", "/embeddings", {}, 405),
        ("POST", "/embeddings", None, 400),
        ("POST", "/embeddings", {"input": "x"}, 400),
        ("POST", "/chat/completions", {"model": "gpt-4o", "messages": ["x"]}, 400),
        ("GET", "/embeddings", None, 404),
    ],
)
def test_nonsense_is_refused_in_openais_words(
    provider: FakeProvider, method: str, path: str, body: Any, status: int
) -> None:
    with httpx.Client(trust_env=False, base_url=provider.base_url) as http:
        answer = http.request(method, path, json=body)
    assert answer.status_code == status
    assert status == 200 or answer.json()["error"]["message"]


def test_it_has_no_address_before_it_runs() -> None:
    with pytest.raises(RuntimeError, match="with"):
        _ = FakeProvider().base_url


def test_a_taken_port_is_an_error(provider: FakeProvider) -> None:
    port = int(provider.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), FakeProvider(port=port):
        pass


def test_it_ends_at_once_with_a_caller_left_hanging() -> None:
    script = """
import threading, httpx
from miharu.testing import FakeProvider
with FakeProvider() as provider:
    body = {"model": "hang", "messages": []}
    def ask():
        try: httpx.post(provider.base_url + "/chat/completions", json=body, trust_env=False)
        except httpx.HTTPError: pass
    caller = threading.Thread(target=ask)
    caller.start()
    while not provider.requests: pass
caller.join()
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], check=False, capture_output=True, text=True, timeout=20
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_image_counts(client: Any) -> None:
    parts = [
        {"type": "text", "text": QUESTION},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
    ]
    with_image = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": parts}])
    assert with_image.usage.prompt_tokens == ask(client).usage.prompt_tokens + PER_IMAGE


async def test_only_http_and_websockets_are_spoken() -> None:
    with pytest.raises(NotImplementedError, match="lifespan"):
        await FakeProvider()({"type": "lifespan"}, None, None)
