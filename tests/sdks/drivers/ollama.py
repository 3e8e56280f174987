"""ollama: its own chat. It never tries again."""

from contextlib import suppress
from importlib import import_module
from typing import Any

from tests.sdks.scene import QUESTION, TOOL, Play, Scene, Sdk

_ASKED = {"model": "llama3.2", "messages": [{"role": "user", "content": QUESTION}]}


async def _ask(scene: Scene, *, read: bool = False, **options: Any) -> Any:
    client = scene.pick(import_module("ollama"), "Client")(host=scene.url("127.0.0.1"))
    try:
        return await (scene.read if read else scene.of)(client.chat(**_ASKED, **options))
    finally:
        await scene.of(client._client.aclose() if scene.asynchronous else client._client.close())


async def _plain(scene: Scene) -> None:
    assert (await _ask(scene)).message.content


async def _streamed(scene: Scene) -> None:
    assert len(await _ask(scene, stream=True, read=True)) > 2


async def _tools(scene: Scene) -> None:
    answer = await _ask(scene, tools=[{"type": "function", "function": TOOL}])
    assert answer.message.tool_calls[0].function.name == "weather"


async def _error(scene: Scene) -> None:
    with suppress(import_module("ollama").ResponseError):
        await _ask(scene)
        raise AssertionError("it should have failed")


_PLAYS: dict[str, Play] = {"plain": _plain, "streamed": _streamed, "tools": _tools, "error": _error}
SDKS = (
    Sdk("ollama, sync", "ollama", _PLAYS),
    Sdk("ollama, async", "ollama", _PLAYS, asynchronous=True),
)
