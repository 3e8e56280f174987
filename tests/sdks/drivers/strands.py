"""strands-agents over Bedrock's Converse. Its loop answers a tool call itself: two calls."""

from contextlib import suppress
from importlib import import_module
from typing import Any

from tests.sdks.drivers.bedrock import LLAMA, runtime
from tests.sdks.scene import QUESTION, Scene, Sdk


def _agent(scene: Scene, *, streaming: bool = False, tools: Any = ()) -> Any:
    strands = import_module("strands")
    model = import_module("strands.models").BedrockModel(model_id=LLAMA, streaming=streaming)
    model.client = runtime(scene)
    return strands.Agent(model=model, tools=list(tools), callback_handler=None, retry_strategy=None)


async def _ask(scene: Scene, agent: Any) -> Any:
    return await scene.of(agent.invoke_async(QUESTION) if scene.asynchronous else agent(QUESTION))


async def _plain(scene: Scene) -> None:
    assert str(await _ask(scene, _agent(scene)))


async def _streamed(scene: Scene) -> None:
    agent = _agent(scene, streaming=True)
    if scene.asynchronous:
        assert len([event async for event in agent.stream_async(QUESTION)]) > 2
    else:
        assert str(agent(QUESTION))


async def _tools(scene: Scene) -> None:
    def weather(city: str) -> str:
        """Tells the weather."""
        return f"Rain in {city}."

    agent = _agent(scene, tools=[import_module("strands").tool(weather)])
    assert str(await _ask(scene, agent))


async def _error(scene: Scene) -> None:
    with suppress(import_module("strands.types.exceptions").ModelThrottledException):
        await _plain(scene)
        raise AssertionError("it should have failed")


_PLAYS = {"plain": _plain, "streamed": _streamed, "tools": _tools, "error": _error, "retry": _plain}
_FACTS: dict[str, Any] = {"rows": {"tools": 2}, "provider": "aws.bedrock", "counts_attempts": True}
SDKS = (
    Sdk("strands-agents, sync", "strands-agents", _PLAYS, **_FACTS),
    Sdk("strands-agents, async", "strands-agents", _PLAYS, asynchronous=True, **_FACTS),
)
