"""huggingface_hub: chat through its router. It never tries again. Versions 1 (httpx) and 2 (httpx2)."""

from contextlib import suppress
from importlib import import_module
from typing import Any

from tests.sdks.scene import QUESTION, TOOL, Play, Scene, Sdk


async def _ask(scene: Scene, *, read: bool = False, **options: Any) -> Any:
    made = scene.pick(import_module("huggingface_hub"), "InferenceClient", "AsyncInferenceClient")(
        base_url=scene.url("router.huggingface.co", "/together/v1"), api_key="any"
    )
    async with scene.within(made) as client:
        answer = client.chat_completion(
            messages=[{"role": "user", "content": QUESTION}], model="meta-llama/Llama-3.3-70B", **options
        )
        return await (scene.read if read else scene.of)(answer)


async def _plain(scene: Scene) -> None:
    assert (await _ask(scene)).choices[0].message.content


async def _streamed(scene: Scene) -> None:
    assert len(await _ask(scene, stream=True, stream_options={"include_usage": True}, read=True)) > 2


async def _tools(scene: Scene) -> None:
    answer = await _ask(scene, tools=[{"type": "function", "function": TOOL}])
    assert answer.choices[0].message.tool_calls[0].function.name == "weather"


async def _error(scene: Scene) -> None:
    with suppress(import_module("huggingface_hub.errors").HfHubHTTPError):
        await _ask(scene)
        raise AssertionError("it should have failed")


_PLAYS: dict[str, Play] = {"plain": _plain, "streamed": _streamed, "tools": _tools, "error": _error}
SDKS = (
    Sdk("huggingface_hub, sync", "huggingface_hub", _PLAYS, provider="huggingface"),
    Sdk("huggingface_hub, async", "huggingface_hub", _PLAYS, asynchronous=True, provider="huggingface"),
)
