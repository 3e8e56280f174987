"""What a driver is given, and what it is: one SDK in one colour, a function for each scenario."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

__all__ = ("QUESTION", "SCENARIOS", "TOOL", "Play", "Scene", "Sdk")

SCENARIOS = ("plain", "streamed", "tools", "error", "retry")
QUESTION = "Does it rain in Hue?"
TOOL = {
    "name": "weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
"""A tool, as OpenAI describes one."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One scenario in one colour."""

    port: int
    asynchronous: bool
    retries: int
    """How often the SDK may try again."""

    def url(self, host: str, path: str = "") -> str:
        return f"http://{host}:{self.port}{path}"

    def pick(self, module: Any, name: str, asynchronous: str | None = None) -> Any:
        """The class of this colour: ``Client`` or ``AsyncClient``."""
        return getattr(module, (asynchronous or f"Async{name}") if self.asynchronous else name)

    async def of(self, value: Any) -> Any:
        """The result of a call, whichever colour it has."""
        return await value if inspect.isawaitable(value) else value

    async def read(self, stream: Any) -> list[Any]:
        """Read a stream to its end, whichever colour it has."""
        stream = await self.of(stream)
        if self.asynchronous:
            return [item async for item in stream]
        return list(stream)

    @asynccontextmanager
    async def within(self, manager: Any) -> AsyncIterator[Any]:
        """Enter a client, or whatever else has two colours."""
        if self.asynchronous:
            async with manager as entered:
                yield entered
        else:
            with manager as entered:
                yield entered

    def run(self, play: "Play", run: Callable[[Any], Any]) -> None:
        """Play it: a synchronous one without any event loop."""
        if self.asynchronous:
            run(play(self))
            return
        try:
            play(self).send(None)  # type: ignore[attr-defined]
        except StopIteration:
            return
        raise AssertionError("a synchronous scenario has suspended")


Play = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Sdk:
    """One SDK in one colour."""

    name: str
    """As people call it: ``openai, async``."""
    package: str
    """As it is installed."""
    plays: Mapping[str, Play]
    """A function for each scenario; one that it lacks, such as retries, is left out."""
    asynchronous: bool = False
    rows: Mapping[str, int] | None = None
    """How many model calls a scenario makes, where it is not one (and three for the retry)."""
    provider: str | None = None
    """Who answers, by the host's name."""
    counts_attempts: bool = False
    """It says on the wire which try a request is."""

    def expected(self, scenario: str) -> int:
        return (self.rows or {}).get(scenario, 3 if scenario == "retry" else 1)
