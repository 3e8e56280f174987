"""The real SDKs, answered from a cassette as the provider has answered them."""

import asyncio
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from miharu.cassettes.file import load
from miharu.cassettes.playing import playing
from miharu.testing import FakeProvider

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
"""Of aiohttp, about how google-genai makes its session."""
QUESTION = "Does it rain in Huế?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ASKED: Any = {
    "model": "claude-haiku-4-5",
    "max_tokens": 99,
    "messages": [{"role": "user", "content": QUESTION}],
}
WEATHER: Any = {"name": "weather", "description": "Tells the weather.", "input_schema": SCHEMA}

Use = Callable[[str], Any]
"""What an SDK gives that is asked at that address, as plain values."""


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with FakeProvider(retry_after=30) as running:
        yield running


def anthropic_plain(url: str) -> Any:
    anthropic = import_module("anthropic")
    with anthropic.Anthropic(base_url=url, api_key="any") as client:
        return client.messages.create(**ASKED).model_dump()


def anthropic_tools(url: str) -> Any:
    anthropic = import_module("anthropic")
    with anthropic.Anthropic(base_url=url, api_key="any") as client:
        message = client.messages.create(**ASKED, tools=[WEATHER], tool_choice={"type": "any"})
        return [(block.type, block.input) for block in message.content if block.type == "tool_use"]


def anthropic_stream(url: str) -> Any:
    anthropic = import_module("anthropic")
    with (
        anthropic.Anthropic(base_url=url, api_key="any") as client,
        client.messages.stream(**ASKED) as stream,
    ):
        return list(stream.text_stream), stream.get_final_message().usage.model_dump()


def anthropic_async(url: str) -> Any:
    anthropic = import_module("anthropic")

    async def ask() -> Any:
        client = anthropic.AsyncAnthropic(base_url=url, api_key="any")
        async with client, client.messages.stream(**ASKED) as stream:
            return [text async for text in stream.text_stream]

    return asyncio.run(ask())


def anthropic_over_aiohttp(url: str) -> Any:
    anthropic = import_module("anthropic")

    async def ask() -> Any:
        http = anthropic.DefaultAioHttpClient()
        async with anthropic.AsyncAnthropic(base_url=url, api_key="any", http_client=http) as client:
            return (await client.messages.create(**ASKED)).model_dump()

    return asyncio.run(ask())


def anthropic_error(url: str) -> Any:
    anthropic = import_module("anthropic")
    with anthropic.Anthropic(base_url=url, api_key="any", max_retries=0) as client:
        with pytest.raises(anthropic.RateLimitError) as caught:
            client.messages.create(**ASKED | {"model": "error-429"})
        return caught.value.status_code, caught.value.body


def openai_stream(url: str) -> Any:
    openai = import_module("openai")
    with openai.OpenAI(base_url=f"{url}/v1", api_key="any") as client:
        stream = client.responses.create(model="gpt-4o", input=QUESTION, stream=True)
        return [event.type for event in stream]


def google(url: str) -> Any:
    genai = import_module("google.genai")
    client = genai.Client(api_key="any", http_options={"base_url": url})
    try:
        return client.models.generate_content(model="gemini-2.5-flash", contents=QUESTION).text
    finally:
        client.close()


def google_async_stream(url: str) -> Any:
    genai = import_module("google.genai")

    async def ask() -> Any:
        client = genai.Client(api_key="any", http_options={"base_url": url})
        try:
            models = client.aio.models
            stream = await models.generate_content_stream(model="gemini-2.5-flash", contents=QUESTION)
            return [chunk.text async for chunk in stream]
        finally:
            await client.aio.aclose()

    return asyncio.run(ask())


def _bedrock(url: str) -> Any:
    return import_module("boto3").client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )


CONVERSE: Any = {
    "modelId": "amazon.nova-lite-v1:0",
    "messages": [{"role": "user", "content": [{"text": QUESTION}]}],
}


def bedrock(url: str) -> Any:
    client = _bedrock(url)
    try:
        return client.converse(**CONVERSE)["output"]
    finally:
        client.close()


def bedrock_stream(url: str) -> Any:
    client = _bedrock(url)
    try:
        return list(client.converse_stream(**CONVERSE)["stream"])
    finally:
        client.close()


USES: dict[str, tuple[str, Use]] = {
    one.__name__: (package, one)
    for package, uses in {
        "anthropic": [
            *(anthropic_plain, anthropic_tools, anthropic_stream, anthropic_async, anthropic_over_aiohttp),
            anthropic_error,
        ],
        "openai": [openai_stream],
        "google.genai": [google, google_async_stream],
        "boto3": [bedrock, bedrock_stream],
    }.items()
    for one in uses
}


@pytest.mark.parametrize(("package", "use"), USES.values(), ids=list(USES))
def test_an_sdk_is_answered_as_the_provider_did(
    package: str, use: Use, fake: FakeProvider, tmp_path: Path
) -> None:
    pytest.importorskip(package)
    file = tmp_path / "c.json"
    with playing(file, record=True):
        first = use(fake.url)
    asked = len(fake.requests)
    assert asked == len(load(file)) == 1
    with playing(file) as replay:
        again = use("http://provider.invalid")
    assert again == first
    assert (replay.missed, replay.unused) == ([], [])


@pytest.mark.parametrize(("package", "use"), USES.values(), ids=list(USES))
def test_an_sdk_that_asks_for_something_else_is_told_so_at_once(
    package: str, use: Use, tmp_path: Path
) -> None:
    pytest.importorskip(package)
    file = tmp_path / "c.json"
    file.write_text('{"miharu_cassette": 1, "exchanges": []}')
    with playing(file) as replay, pytest.raises(Exception, match="was not recorded"):  # noqa: PT012
        use("http://provider.invalid")
        raise AssertionError(replay.missed)
    assert len(replay.missed) == 1
    assert "was not recorded in c.json, and nothing was sent" in replay.missed[0]


def test_an_attempt_that_failed_and_the_one_after_it_come_again(fake: FakeProvider, tmp_path: Path) -> None:
    anthropic = pytest.importorskip("anthropic")
    fake._retry_after = 0.01
    file = tmp_path / "c.json"

    def ask(url: str) -> Any:
        with anthropic.Anthropic(base_url=url, api_key="any", max_retries=1) as client:
            return client.messages.create(**ASKED | {"model": "error-429-then-ok"}).model_dump()

    with playing(file, record=True):
        first = ask(fake.url)
    assert [one.status for one in load(file)] == [429, 200]
    with playing(file) as replay:
        assert ask("http://provider.invalid") == first
    assert replay.unused == []
