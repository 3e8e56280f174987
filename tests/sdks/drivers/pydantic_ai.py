"""pydantic-ai: an agent over OpenAI's chat. Its loop answers a tool call itself: two calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import Any

from tests.sdks.scene import QUESTION, Play, Scene, Sdk


@asynccontextmanager
async def _agent(scene: Scene, **options: Any) -> AsyncIterator[Any]:
    openai = import_module("openai")
    base = scene.url("api.openai.com", "/v1")
    async with openai.AsyncOpenAI(base_url=base, api_key="any", max_retries=scene.retries) as client:
        yield _over(client, **options)


def _over(client: Any, **options: Any) -> Any:
    provider = import_module("pydantic_ai.providers.openai").OpenAIProvider(openai_client=client)
    model = import_module("pydantic_ai.models.openai").OpenAIChatModel("gpt-4o-mini", provider=provider)
    return import_module("pydantic_ai").Agent(model, **options)


async def _plain(scene: Scene) -> None:
    async with _agent(scene) as agent:
        assert (await agent.run(QUESTION)).output


async def _streamed(scene: Scene) -> None:
    async with _agent(scene) as agent, agent.run_stream(QUESTION) as answer:
        assert [text async for text in answer.stream_text(debounce_by=None)]


async def _tools(scene: Scene) -> None:
    def weather(city: str) -> str:
        """Tells the weather."""
        return f"Rain in {city}."

    async with _agent(scene, tools=[weather]) as agent:
        assert (await agent.run(QUESTION)).output


async def _error(scene: Scene) -> None:
    with suppress(import_module("pydantic_ai.exceptions").ModelHTTPError):
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
        "pydantic-ai, async",
        "pydantic-ai-slim",
        _PLAYS,
        asynchronous=True,
        rows={"tools": 2},
        provider="openai",
        counts_attempts=True,
    ),
)
