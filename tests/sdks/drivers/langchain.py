"""langchain-openai: ``ChatOpenAI`` over the openai SDK."""

from contextlib import suppress
from importlib import import_module
from typing import Any

from tests.sdks.scene import QUESTION, TOOL, Play, Scene, Sdk


def _model(scene: Scene) -> Any:
    return import_module("langchain_openai").ChatOpenAI(
        model="gpt-4o-mini",
        base_url=scene.url("api.openai.com", "/v1"),
        api_key="any",
        max_retries=scene.retries,
        stream_usage=True,
    )


async def _ask(scene: Scene, model: Any) -> Any:
    return await scene.of((model.ainvoke if scene.asynchronous else model.invoke)(QUESTION))


async def _plain(scene: Scene) -> None:
    assert (await _ask(scene, _model(scene))).content


async def _streamed(scene: Scene) -> None:
    model = _model(scene)
    assert len(await scene.read((model.astream if scene.asynchronous else model.stream)(QUESTION))) > 2


async def _tools(scene: Scene) -> None:
    tool = {"type": "function", "function": TOOL}
    assert (await _ask(scene, _model(scene).bind_tools([tool]))).tool_calls[0]["name"] == "weather"


async def _error(scene: Scene) -> None:
    with suppress(import_module("openai").RateLimitError):
        await _ask(scene, _model(scene))
        raise AssertionError("it should have failed")


_PLAYS: dict[str, Play] = {
    "plain": _plain,
    "streamed": _streamed,
    "tools": _tools,
    "error": _error,
    "retry": _plain,
}
_FACTS: dict[str, Any] = {"provider": "openai", "counts_attempts": True}
SDKS = (
    Sdk("langchain-openai, sync", "langchain-openai", _PLAYS, **_FACTS),
    Sdk("langchain-openai, async", "langchain-openai", _PLAYS, asynchronous=True, **_FACTS),
)
