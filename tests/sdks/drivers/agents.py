"""openai-agents: over responses. Its loop answers a tool call itself: two calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import Any

from tests.sdks.scene import QUESTION, Play, Scene, Sdk


@asynccontextmanager
async def _agent(scene: Scene, **options: Any) -> AsyncIterator[Any]:
    openai, agents = import_module("openai"), import_module("agents")
    agents.set_tracing_disabled(True)
    base = scene.url("api.openai.com", "/v1")
    async with openai.AsyncOpenAI(base_url=base, api_key="any", max_retries=scene.retries) as client:
        model = agents.OpenAIResponsesModel(model="gpt-5-mini", openai_client=client)
        yield agents.Agent(name="Weather", instructions="Be short.", model=model, **options)


def _runner() -> Any:
    return import_module("agents").Runner


async def _plain(scene: Scene) -> None:
    async with _agent(scene) as agent:
        assert (await _runner().run(agent, QUESTION)).final_output


async def _streamed(scene: Scene) -> None:
    async with _agent(scene) as agent:
        answer = _runner().run_streamed(agent, QUESTION)
        assert [event async for event in answer.stream_events()]


async def _tools(scene: Scene) -> None:
    def weather(city: str) -> str:
        """Tells the weather."""
        return f"Rain in {city}."

    async with _agent(scene, tools=[import_module("agents").function_tool(weather)]) as agent:
        assert (await _runner().run(agent, QUESTION)).final_output


async def _error(scene: Scene) -> None:
    with suppress(import_module("openai").RateLimitError):
        await _plain(scene)
        raise AssertionError("it should have failed")


_PLAYS: dict[str, Play] = {
    "plain": _plain,
    "streamed": _streamed,
    "tools": _tools,
    "error": _error,
    "retry": _plain,
}
SDKS = (
    Sdk(
        "openai-agents, async",
        "openai-agents",
        _PLAYS,
        asynchronous=True,
        rows={"tools": 2},
        provider="openai",
        counts_attempts=True,
    ),
)
