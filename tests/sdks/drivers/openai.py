"""openai: chat completions and responses, Azure, and the client that runs on aiohttp. Versions 2 and 3."""

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

from tests.sdks.scene import QUESTION, TOOL, Play, Scene, Sdk

SAID = [{"role": "user", "content": QUESTION}]


def _client(scene: Scene) -> Any:
    openai = import_module("openai")
    base = scene.url("api.openai.com", "/v1")
    return scene.pick(openai, "OpenAI")(base_url=base, api_key="any", max_retries=scene.retries)


def _azure(scene: Scene) -> Any:
    openai = import_module("openai")
    return scene.pick(openai, "AzureOpenAI")(
        azure_endpoint=scene.url("shop.openai.azure.com"),
        api_key="any",
        api_version="2025-04-01-preview",
        max_retries=scene.retries,
    )


def _on_aiohttp(scene: Scene) -> Any:
    openai = import_module("openai")
    return openai.AsyncOpenAI(
        base_url=scene.url("api.openai.com", "/v1"),
        api_key="any",
        max_retries=scene.retries,
        http_client=openai.DefaultAioHttpClient(),
    )


def _chat(client: Any) -> Mapping[str, Play]:
    async def ask(scene: Scene, **options: Any) -> Any:
        async with scene.within(client(scene)) as opened:
            return await scene.of(
                opened.chat.completions.create(model="gpt-4o-mini", messages=SAID, **options)
            )

    async def plain(scene: Scene) -> None:
        assert (await ask(scene)).choices[0].message.content

    async def streamed(scene: Scene) -> None:
        async with scene.within(client(scene)) as opened:
            answer = opened.chat.completions.create(
                model="gpt-4o-mini", messages=SAID, stream=True, stream_options={"include_usage": True}
            )
            assert len(await scene.read(answer)) > 2

    async def tools(scene: Scene) -> None:
        answer = await ask(scene, tools=[{"type": "function", "function": TOOL}])
        assert answer.choices[0].message.tool_calls[0].function.name == "weather"

    async def error(scene: Scene) -> None:
        with suppress(import_module("openai").RateLimitError):
            await ask(scene)
            raise AssertionError("it should have failed")

    return {"plain": plain, "streamed": streamed, "tools": tools, "error": error, "retry": plain}


def _responses(client: Any) -> Mapping[str, Play]:
    async def ask(scene: Scene, **options: Any) -> Any:
        async with scene.within(client(scene)) as opened:
            return await scene.of(opened.responses.create(model="gpt-5-mini", input=QUESTION, **options))

    async def plain(scene: Scene) -> None:
        assert (await ask(scene)).output_text

    async def streamed(scene: Scene) -> None:
        async with scene.within(client(scene)) as opened:
            answer = opened.responses.create(model="gpt-5-mini", input=QUESTION, stream=True)
            assert len(await scene.read(answer)) > 2

    async def tools(scene: Scene) -> None:
        answer = await ask(scene, tools=[{"type": "function", "strict": True, **TOOL}])
        assert "function_call" in [item.type for item in answer.output]

    async def error(scene: Scene) -> None:
        with suppress(import_module("openai").RateLimitError):
            await ask(scene)
            raise AssertionError("it should have failed")

    return {"plain": plain, "streamed": streamed, "tools": tools, "error": error, "retry": plain}


def _of(name: str, plays: Mapping[str, Play], provider: str = "openai", *, both: bool = True) -> list[Sdk]:
    """The sync and the async one, or the latter alone."""
    return [
        Sdk(
            f"{name}, {'async' if asynchronous else 'sync'}",
            "openai",
            plays,
            asynchronous=asynchronous,
            provider=provider,
            counts_attempts=True,
        )
        for asynchronous in (False, True)
        if asynchronous or both
    ]


SDKS = (
    *_of("openai chat", _chat(_client)),
    *_of("openai responses", _responses(_client)),
    *_of("openai AzureOpenAI", _chat(_azure), "azure.ai.openai"),
    *_of("openai DefaultAioHttpClient", _chat(_on_aiohttp), both=False),
)
