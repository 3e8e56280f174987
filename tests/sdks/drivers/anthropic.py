"""anthropic: messages, and the client that runs on aiohttp."""

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

from tests.sdks.scene import QUESTION, TOOL, Play, Scene, Sdk

_ASKED = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": QUESTION}],
}
_TOOL = {"name": TOOL["name"], "description": TOOL["description"], "input_schema": TOOL["parameters"]}


def _client(scene: Scene) -> Any:
    anthropic = import_module("anthropic")
    base = scene.url("api.anthropic.com")
    return scene.pick(anthropic, "Anthropic")(base_url=base, api_key="any", max_retries=scene.retries)


def _on_aiohttp(scene: Scene) -> Any:
    anthropic = import_module("anthropic")
    return anthropic.AsyncAnthropic(
        base_url=scene.url("api.anthropic.com"),
        api_key="any",
        max_retries=scene.retries,
        http_client=anthropic.DefaultAioHttpClient(),
    )


def _plays(client: Any) -> Mapping[str, Play]:
    async def ask(scene: Scene, **options: Any) -> Any:
        async with scene.within(client(scene)) as opened:
            return await scene.of(opened.messages.create(**_ASKED, **options))

    async def plain(scene: Scene) -> None:
        assert (await ask(scene)).content[0].text

    async def streamed(scene: Scene) -> None:
        """As most people stream: with the helper, and its final message."""
        async with (
            scene.within(client(scene)) as opened,
            scene.within(opened.messages.stream(**_ASKED)) as it,
        ):
            assert len(await scene.read(it)) > 2
            assert (await scene.of(it.get_final_message())).usage.output_tokens == 7

    async def tools(scene: Scene) -> None:
        answer = await ask(scene, tools=[_TOOL])
        assert answer.content[0].name == "weather"

    async def error(scene: Scene) -> None:
        with suppress(import_module("anthropic").RateLimitError):
            await ask(scene)
            raise AssertionError("it should have failed")

    return {"plain": plain, "streamed": streamed, "tools": tools, "error": error, "retry": plain}


_FACTS: dict[str, Any] = {"provider": "anthropic", "counts_attempts": True}
SDKS = (
    Sdk("anthropic, sync", "anthropic", _plays(_client), **_FACTS),
    Sdk("anthropic, async", "anthropic", _plays(_client), asynchronous=True, **_FACTS),
    Sdk(
        "anthropic DefaultAioHttpClient, async",
        "anthropic",
        _plays(_on_aiohttp),
        asynchronous=True,
        **_FACTS,
    ),
)
