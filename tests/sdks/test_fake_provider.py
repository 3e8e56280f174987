"""The real SDKs are the judges of whether ``miharu.testing.FakeProvider`` speaks their makers' languages."""

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import httpx2
import pytest

from miharu.testing import FakeProvider, count_tokens
from miharu.testing.tokens import PER_MESSAGE, PER_PROMPT

pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used:DeprecationWarning")
"""Of websockets, about how openai's SDK calls it."""
QUESTION = "Does it rain in Hue?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PROMPT_TOKENS = PER_PROMPT + PER_MESSAGE + count_tokens(QUESTION)
CLAUDE, GEMINI = "claude-haiku-4-5", "gemini-2.5-flash"
ASKED: Any = {"model": CLAUDE, "max_tokens": 1000, "messages": [{"role": "user", "content": QUESTION}]}
WEATHER: Any = {"name": "weather", "description": "Tells the weather.", "input_schema": SCHEMA}
CONVERSE: Any = {
    "modelId": "amazon.nova-lite-v1:0",
    "messages": [{"role": "user", "content": [{"text": QUESTION}]}],
}
SPEC: Any = {"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": SCHEMA}}}]}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with FakeProvider(retry_after=0.001) as running:
        yield running


@pytest.fixture
def claude(fake: FakeProvider) -> Iterator[Any]:
    anthropic = pytest.importorskip("anthropic")
    with anthropic.Anthropic(base_url=fake.url, api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture
def gemini(fake: FakeProvider) -> Iterator[Any]:
    genai = pytest.importorskip("google.genai")
    client = genai.Client(api_key="any", http_options={"base_url": fake.url})
    yield client.models
    client.close()


@pytest.fixture
def bedrock(fake: FakeProvider) -> Iterator[Any]:
    boto3 = pytest.importorskip("boto3")
    config = import_module("botocore.config").Config(retries={"total_max_attempts": 1}, read_timeout=10)
    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=fake.url,
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=config,
    )
    yield client
    client.close()


def test_claude_counts_what_it_was_given_and_what_it_said(claude: Any) -> None:
    answer = claude.messages.create(**ASKED)
    assert (answer.model, answer.stop_reason) == ("claude-haiku-4-5-20251001", "end_turn")
    assert (
        answer.usage.input_tokens
        == PROMPT_TOKENS
        == claude.messages.count_tokens(model=CLAUDE, messages=ASKED["messages"]).input_tokens
    )
    assert answer.usage.output_tokens == count_tokens(answer.content[0].text) > 0
    assert claude.messages.create(**ASKED).content == answer.content


def test_claudes_stream_says_the_same(claude: Any) -> None:
    plain = claude.messages.create(**ASKED)
    with claude.messages.stream(**ASKED) as stream:
        kinds = [event.type for event in stream]
        answer = stream.get_final_message()
    assert {"message_start", "content_block_delta", "message_delta", "message_stop"} <= set(kinds)
    assert answer.content[0].text == plain.content[0].text
    assert answer.usage.model_dump(exclude_none=True) == plain.usage.model_dump(exclude_none=True)


@pytest.mark.parametrize("stream", [False, True])
def test_claude_calls_a_tool_and_answers_its_result(claude: Any, stream: bool) -> None:
    asked = ASKED | {"tools": [WEATHER]}
    if stream:
        with claude.messages.stream(**asked) as events:
            answer = events.get_final_message()
    else:
        answer = claude.messages.create(**asked)
    [call] = answer.content
    assert (answer.stop_reason, call.name, call.input) == ("tool_use", "weather", {"city": "example"})
    said = [
        *asked["messages"],
        {"role": "assistant", "content": [call.model_dump()]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "rain"}]},
    ]
    assert claude.messages.create(**asked | {"messages": said}).stop_reason == "end_turn"


def test_claude_thinks_caches_and_is_cut_off(claude: Any) -> None:
    thinking = claude.messages.create(**ASKED, thinking={"type": "enabled", "budget_tokens": 1024})
    assert [block.type for block in thinking.content] == ["thinking", "text"]
    assert thinking.usage.output_tokens == 128 + count_tokens(thinking.content[1].text)
    story = [{"type": "text", "text": "once upon a time " * 400, "cache_control": {"type": "ephemeral"}}]
    first, second = (claude.messages.create(**ASKED, system=story).usage for _ in range(2))
    assert first.cache_creation_input_tokens > 1024
    assert first.cache_read_input_tokens == 0
    assert second.cache_read_input_tokens > 1024
    total = [
        u.input_tokens + u.cache_creation_input_tokens + u.cache_read_input_tokens for u in (first, second)
    ]
    assert total[0] == total[1]
    cut = claude.messages.create(**ASKED | {"max_tokens": 2})
    assert (cut.stop_reason, cut.usage.output_tokens) == ("max_tokens", 2)


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("error-400", 400, "invalid_request_error"),
        ("error-401", 401, "authentication_error"),
        ("error-429", 429, "rate_limit_error"),
        ("error-500", 500, "api_error"),
        ("error-529", 529, "overloaded_error"),
        ("error-quota", 400, "invalid_request_error"),
    ],
)
def test_claude_fails_in_its_own_words(claude: Any, fault: str, status: int, kind: str) -> None:
    anthropic = import_module("anthropic")
    with pytest.raises(anthropic.APIStatusError) as caught:
        claude.messages.create(**ASKED | {"model": fault})
    assert (caught.value.status_code, caught.value.body["error"]["type"]) == (status, kind)
    assert ("retry-after" in caught.value.response.headers) == (status in {429, 503, 529})


def test_claude_breaks_down_in_every_way(claude: Any, fake: FakeProvider) -> None:
    anthropic = import_module("anthropic")
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        list(claude.messages.create(**ASKED | {"model": "error-mid-stream"}, stream=True))
    with pytest.raises((anthropic.APIConnectionError, httpx2.TransportError)):
        list(claude.messages.create(**ASKED | {"model": "cut-mid-stream"}, stream=True))
    with pytest.raises((anthropic.APIError, ValueError)):
        claude.messages.create(**ASKED | {"model": "malformed"})
    with pytest.raises(anthropic.APITimeoutError):
        claude.with_options(timeout=0.05).messages.create(**ASKED | {"model": "slow-5"})
    assert claude.messages.create(**ASKED | {"model": "slow-0.01"}).stop_reason == "end_turn"
    retrying = claude.with_options(max_retries=1)
    assert retrying.messages.create(**ASKED | {"model": "error-529-then-ok"}).stop_reason == "end_turn"
    assert fake.requests[-1].headers["x-stainless-retry-count"] == "1"


@pytest.mark.parametrize("stream", [False, True])
def test_claude_at_vertex_and_at_bedrock(fake: FakeProvider, stream: bool) -> None:
    anthropic = pytest.importorskip("anthropic")
    pytest.importorskip("google.auth")
    options = {name: value for name, value in ASKED.items() if name != "model"}
    with anthropic.AnthropicVertex(
        base_url=f"{fake.url}/v1", region="us-east5", project_id="p", access_token="any"
    ) as client:
        answer = client.messages.create(**options, model="claude-haiku-4-5@20251001", stream=stream)
        if stream:
            assert list(answer)[-1].type == "message_stop"
        else:
            assert answer.usage.input_tokens == PROMPT_TOKENS


def test_gemini_counts_what_it_was_given_and_what_it_said(gemini: Any) -> None:
    answer = gemini.generate_content(model=GEMINI, contents=QUESTION)
    assert answer.usage_metadata.prompt_token_count == PROMPT_TOKENS
    assert answer.usage_metadata.candidates_token_count == count_tokens(answer.text) > 0
    assert answer.candidates[0].finish_reason.name == "STOP"
    assert gemini.count_tokens(model=GEMINI, contents=QUESTION).total_tokens == PROMPT_TOKENS
    chunks = list(gemini.generate_content_stream(model=GEMINI, contents=QUESTION))
    assert len(chunks) > 2
    assert "".join(chunk.text for chunk in chunks) == answer.text
    assert chunks[-1].usage_metadata.total_token_count == answer.usage_metadata.total_token_count


def test_gemini_calls_a_tool_thinks_and_obeys_a_schema(gemini: Any) -> None:
    tool = {"function_declarations": [{"name": "weather", "parameters": SCHEMA}]}
    config: Any = {"tools": [tool]}
    answer = gemini.generate_content(model=GEMINI, contents=QUESTION, config=config)
    [call] = answer.function_calls
    assert (call.name, call.args) == ("weather", {"city": "example"})
    (chunk,) = gemini.generate_content_stream(model=GEMINI, contents=QUESTION, config=config)
    assert chunk.function_calls == [call]
    said = [
        {"role": "user", "parts": [{"text": QUESTION}]},
        answer.candidates[0].content,
        {"role": "user", "parts": [{"function_response": {"name": "weather", "response": {"sky": "wet"}}}]},
    ]
    assert gemini.generate_content(model=GEMINI, contents=said, config=config).text
    config = {"thinking_config": {"thinking_budget": 512}}
    thinking = gemini.generate_content(model=GEMINI, contents=QUESTION, config=config)
    assert thinking.usage_metadata.thoughts_token_count == 128
    config = {"response_mime_type": "application/json", "response_schema": SCHEMA}
    obeyed = gemini.generate_content(model=GEMINI, contents=QUESTION, config=config)
    assert json.loads(obeyed.text) == {"city": "example"}


def test_gemini_embeds(gemini: Any) -> None:
    found = gemini.embed_content(model="gemini-embedding-001", contents=["one", "two"])
    assert [len(each.values) for each in found.embeddings] == [3072, 3072]
    config: Any = {"output_dimensionality": 8}
    short = gemini.embed_content(model="gemini-embedding-001", contents="one", config=config)
    assert len(short.embeddings[0].values) == 8


@pytest.mark.parametrize(
    ("fault", "status", "word"),
    [
        ("error-400", 400, "INVALID_ARGUMENT"),
        ("error-429", 429, "RESOURCE_EXHAUSTED"),
        ("error-500", 500, "INTERNAL"),
        ("error-503", 503, "UNAVAILABLE"),
        ("error-quota", 429, "RESOURCE_EXHAUSTED"),
    ],
)
def test_gemini_fails_in_its_own_words(gemini: Any, fault: str, status: int, word: str) -> None:
    errors = import_module("google.genai.errors")
    with pytest.raises(errors.APIError) as caught:
        gemini.generate_content(model=fault, contents=QUESTION)
    assert (caught.value.code, caught.value.status) == (status, word)


def test_gemini_breaks_down_half_way(gemini: Any) -> None:
    errors = import_module("google.genai.errors")
    with pytest.raises(errors.APIError):
        list(gemini.generate_content_stream(model="error-mid-stream", contents=QUESTION))
    with pytest.raises(httpx2.TransportError):
        list(gemini.generate_content_stream(model="cut-mid-stream", contents=QUESTION))
    with pytest.raises((errors.APIError, ValueError)):
        gemini.generate_content(model="malformed", contents=QUESTION)


def test_gemini_at_vertex_and_without_an_event_stream(fake: FakeProvider) -> None:
    path = "/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash"
    asked = {"contents": [{"role": "user", "parts": [{"text": QUESTION}]}]}
    with httpx2.Client(base_url=fake.url, trust_env=False) as http:
        plain = http.post(f"{path}:generateContent", json=asked).json()
        chunks = http.post(f"{path}:streamGenerateContent", json=asked).json()
    assert isinstance(chunks, list)
    assert chunks[-1]["usageMetadata"] == plain["usageMetadata"]


def test_bedrock_counts_what_it_was_given_and_what_it_said(bedrock: Any) -> None:
    answer = bedrock.converse(**CONVERSE)
    text = answer["output"]["message"]["content"][0]["text"]
    assert answer["usage"]["inputTokens"] == PROMPT_TOKENS
    assert answer["usage"]["outputTokens"] == count_tokens(text) > 0
    events = list(bedrock.converse_stream(**CONVERSE)["stream"])
    said = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert "".join(said) == text
    assert events[-2]["messageStop"]["stopReason"] == "end_turn"
    assert events[-1]["metadata"]["usage"] == answer["usage"]


def test_bedrock_calls_a_tool(bedrock: Any) -> None:
    answer = bedrock.converse(**CONVERSE, toolConfig=SPEC)
    call = answer["output"]["message"]["content"][0]["toolUse"]
    assert (answer["stopReason"], call["name"], call["input"]) == ("tool_use", "weather", {"city": "example"})
    events = list(bedrock.converse_stream(**CONVERSE, toolConfig=SPEC)["stream"])
    parts = [e["contentBlockDelta"]["delta"]["toolUse"]["input"] for e in events if "contentBlockDelta" in e]
    assert json.loads("".join(parts)) == {"city": "example"}
    result = {"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": "rain"}]}}
    said = [*CONVERSE["messages"], answer["output"]["message"], {"role": "user", "content": [result]}]
    assert bedrock.converse(**CONVERSE | {"messages": said}, toolConfig=SPEC)["stopReason"] == "end_turn"


def test_bedrock_fails_in_its_own_words(bedrock: Any) -> None:
    exceptions = bedrock.exceptions
    with pytest.raises(exceptions.ThrottlingException):
        bedrock.converse(**CONVERSE | {"modelId": "error-429"})
    with pytest.raises(exceptions.ValidationException):
        bedrock.converse(**CONVERSE | {"modelId": "error-400"})
    with pytest.raises(exceptions.InternalServerException):
        bedrock.converse(**CONVERSE | {"modelId": "error-500"})
    botocore = import_module("botocore.exceptions")
    with pytest.raises(botocore.EventStreamError):
        list(bedrock.converse_stream(**CONVERSE | {"modelId": "error-mid-stream"})["stream"])
    eventstream = import_module("botocore.eventstream")
    with pytest.raises((eventstream.ParserError, botocore.BotoCoreError)):
        list(bedrock.converse_stream(**CONVERSE | {"modelId": "malformed"})["stream"])


def test_bedrock_invokes_claude_and_titan(bedrock: Any) -> None:
    body = {name: value for name, value in ASKED.items() if name != "model"}
    body |= {"anthropic_version": "bedrock-2023-05-31"}
    model = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
    whole = json.loads(bedrock.invoke_model(modelId=model, body=json.dumps(body))["body"].read())
    assert whole["usage"]["input_tokens"] == PROMPT_TOKENS
    stream = bedrock.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))["body"]
    events = [json.loads(event["chunk"]["bytes"]) for event in stream]
    assert events[-1]["type"] == "message_stop"
    titan = bedrock.invoke_model(
        modelId="amazon.titan-embed-text-v2:0", body=json.dumps({"inputText": "one", "dimensions": 256})
    )
    found = json.loads(titan["body"].read())
    assert (len(found["embedding"]), found["inputTextTokenCount"]) == (256, 1)


@pytest.fixture
def realtime(fake: FakeProvider) -> Iterator[Any]:
    pytest.importorskip("websockets")
    openai = pytest.importorskip("openai")
    with (
        openai.OpenAI(base_url=fake.base_url, websocket_base_url=fake.websocket_url, api_key="any") as client,
        client.realtime.connect(model="gpt-realtime") as connection,
    ):
        assert connection.recv().type == "session.created"
        yield connection


def _until_done(connection: Any) -> list[Any]:
    events = [connection.recv()]
    while events[-1].type not in {"response.done", "error"}:
        events.append(connection.recv())
    return events


def _ask(connection: Any, text: str = QUESTION, **response: Any) -> list[Any]:
    content: Any = [{"type": "input_text", "text": text}]
    connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
    connection.response.create(response=response)
    return _until_done(connection)


def test_realtime_writes(realtime: Any) -> None:
    events = _ask(realtime, output_modalities=["text"])
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    done = events[-1].response
    assert done.status == "completed"
    assert done.output[0].content[0].text == said
    usage = done.usage
    assert usage.input_tokens == PER_MESSAGE + count_tokens(QUESTION)
    assert (usage.output_tokens, usage.output_token_details.audio_tokens) == (count_tokens(said), 0)
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert realtime.recv().type == "rate_limits.updated"
    again = _ask(realtime, "And in " + "Sendai " * 100, output_modalities=["text"])[-1].response.usage
    assert again.input_tokens > usage.input_tokens


def test_realtime_hears_and_speaks(realtime: Any) -> None:
    from base64 import b64encode

    second = b64encode(bytes(48_000)).decode()
    realtime.input_audio_buffer.append(audio=second)
    realtime.input_audio_buffer.commit()
    realtime.response.create()
    events = _until_done(realtime)
    kinds = {event.type for event in events}
    assert {"input_audio_buffer.committed", "response.output_audio.delta"} <= kinds
    usage = events[-1].response.usage
    assert usage.input_token_details.audio_tokens == 10
    assert usage.output_token_details.audio_tokens == usage.output_tokens > 0


def test_realtime_calls_a_function_and_fails(fake: FakeProvider, realtime: Any) -> None:
    tool: Any = {"type": "function", "name": "weather", "parameters": SCHEMA}
    realtime.session.update(session={"type": "realtime", "tools": [tool]})
    assert realtime.recv().type == "session.updated"
    [call] = _ask(realtime)[-1].response.output
    assert (call.type, call.name, json.loads(call.arguments)) == (
        "function_call",
        "weather",
        {"city": "example"},
    )
    realtime.recv()
    output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    realtime.conversation.item.create(item=output)
    realtime.response.create(response={"output_modalities": ["text"]})
    assert _until_done(realtime)[-1].response.output[0].type == "message"
    realtime.recv()
    realtime.send({"type": "nonsense"})
    assert _until_done(realtime)[-1].error.code == "invalid_event"
    client: Any = import_module("openai").OpenAI(
        base_url=fake.base_url, websocket_base_url=fake.websocket_url, api_key="any"
    )
    with client, client.realtime.connect(model="error-429") as failing:
        failing.recv()
        response = _ask(failing)[-1].response
        assert (response.status, response.status_details.error.code) == ("failed", "rate_limit_exceeded")
    with client.realtime.connect(model="cut-mid-stream") as cut:
        cut.recv()
        with pytest.raises(import_module("websockets").exceptions.ConnectionClosedError):
            _ask(cut)
