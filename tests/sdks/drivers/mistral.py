"""mistralai: chat."""

from contextlib import suppress
from importlib import import_module
from typing import Any

from tests.sdks.scene import QUESTION, TOOL, Play, Scene, Sdk

_ASKED = {"model": "mistral-small-latest", "messages": [{"role": "user", "content": QUESTION}]}


def _client(scene: Scene) -> Any:
    retries = import_module("mistralai.client.utils.retries")
    waits = retries.BackoffStrategy(
        initial_interval=1, max_interval=1, exponent=1.0, max_elapsed_time=60_000 if scene.retries else 0
    )
    config = retries.RetryConfig(
        strategy="backoff" if scene.retries else "none", backoff=waits, retry_connection_errors=False
    )
    return import_module("mistralai.client").Mistral(
        api_key="any", server_url=scene.url("api.mistral.ai"), retry_config=config
    )


async def _ask(scene: Scene, **options: Any) -> Any:
    async with scene.within(_client(scene)) as client:
        complete = client.chat.complete_async if scene.asynchronous else client.chat.complete
        return await scene.of(complete(**_ASKED, **options))


async def _plain(scene: Scene) -> None:
    assert (await _ask(scene)).choices[0].message.content


async def _streamed(scene: Scene) -> None:
    async with scene.within(_client(scene)) as client:
        stream = client.chat.stream_async if scene.asynchronous else client.chat.stream
        assert len(await scene.read(stream(**_ASKED))) > 2


async def _tools(scene: Scene) -> None:
    answer = await _ask(scene, tools=[{"type": "function", "function": TOOL}])
    assert answer.choices[0].message.tool_calls[0].function.name == "weather"


async def _error(scene: Scene) -> None:
    with suppress(import_module("mistralai.client.errors").MistralError):
        await _ask(scene)
        raise AssertionError("it should have failed")


_PLAYS: dict[str, Play] = {
    "plain": _plain,
    "streamed": _streamed,
    "tools": _tools,
    "error": _error,
    "retry": _plain,
}
SDKS = (
    Sdk("mistralai, sync", "mistralai", _PLAYS, provider="mistral_ai"),
    Sdk("mistralai, async", "mistralai", _PLAYS, asynchronous=True, provider="mistral_ai"),
)
