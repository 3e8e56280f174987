"""cohere: chat of version 2."""

from contextlib import suppress
from importlib import import_module
from typing import Any

from tests.sdks.scene import QUESTION, TOOL, Play, Scene, Sdk

_ASKED = {"model": "command-r-08-2024", "messages": [{"role": "user", "content": QUESTION}]}


async def _ask(scene: Scene, how: str = "chat", *, read: bool = False, **options: Any) -> Any:
    made = scene.pick(import_module("cohere"), "ClientV2", "AsyncClientV2")(
        api_key="any", base_url=scene.url("api.cohere.com")
    )
    async with scene.within(made) as client:
        answer = getattr(client, how)(**_ASKED, request_options={"max_retries": scene.retries}, **options)
        return await (scene.read if read else scene.of)(answer)


async def _plain(scene: Scene) -> None:
    assert (await _ask(scene)).message.content[0].text


async def _streamed(scene: Scene) -> None:
    assert len(await _ask(scene, "chat_stream", read=True)) > 2


async def _tools(scene: Scene) -> None:
    answer = await _ask(scene, tools=[{"type": "function", "function": TOOL}])
    assert answer.message.tool_calls[0].function.name == "weather"


async def _error(scene: Scene) -> None:
    with suppress(import_module("cohere.core.api_error").ApiError):
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
    Sdk("cohere, sync", "cohere", _PLAYS, provider="cohere"),
    Sdk("cohere, async", "cohere", _PLAYS, asynchronous=True, provider="cohere"),
)
