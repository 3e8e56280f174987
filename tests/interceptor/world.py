"""One library in one colour: the words in which scenarios are written.

A scenario is a coroutine function over a ``World``. In the sync colour nothing in it ever suspends, so it
is run by hand, and the one text serves ``Client`` and ``AsyncClient``, asyncio and trio.
"""

import gc
import inspect
import re
import ssl
import sys
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import ModuleType
from typing import Any, Literal

import anyio
import anyio.lowlevel

from miharu.exchange import End, Exchange
from miharu.interceptor import Interceptor
from miharu.providers.base import Rule

from .server import Server

__all__ = ("NO_TLS", "RULES", "SCENARIOS", "Colour", "Scenario", "Seen", "World", "observe", "scenario")

Colour = Literal["sync", "asyncio", "trio"]
RULES = (Rule("/completions"), Rule(":generateContent"))
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loading the certificates anew would be most of a scenario's time."""
PATH = "v1/chat/completions"


@dataclass(frozen=True)
class Scenario:
    """What a program does, and how the exchanges must end that it makes."""

    run: "Callable[[World], Coroutine[Any, Any, None]]"
    ends: "tuple[End | Literal['whole'], ...]"
    """``whole`` for an answer read to its last event, where EOF is a matter of luck."""
    colours: tuple[Colour, ...]
    libraries: tuple[str, ...]


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    *ends: End | Literal["whole"],
    colours: tuple[Colour, ...] = ("sync", "asyncio", "trio"),
    libraries: tuple[str, ...] = ("httpx", "httpx2"),
) -> "Callable[[Callable[[World], Coroutine[Any, Any, None]]], Callable[[World], Coroutine[Any, Any, None]]]":
    def register(
        run: "Callable[[World], Coroutine[Any, Any, None]]",
    ) -> "Callable[[World], Coroutine[Any, Any, None]]":
        SCENARIOS[run.__name__] = Scenario(run, ends, colours, libraries)
        return run

    return register


@dataclass
class Seen:
    """All that one run showed: to the caller, and to us."""

    facts: list[object]
    forgotten: int
    """Warnings about generators that were not finished. Their names are internals, ours and the library's."""
    exchanges: list[Exchange]
    said: list[bytes]


@dataclass
class World:
    library: ModuleType
    colour: Colour
    server: Server
    facts: list[object] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)
    """Raw bodies, where no server says them."""

    @property
    def sync(self) -> bool:
        return self.colour == "sync"

    def own(self, name: str) -> Any:
        """The library's class for this colour: ``Client`` or ``AsyncClient``, and so on."""
        if self.sync:
            return getattr(self.library, name)
        return getattr(self.library, name.replace("Sync", "Async") if "Sync" in name else "Async" + name)

    def url(self, script: str) -> str:
        return f"{self.server.url}/{script}/{PATH}"

    def note(self, *facts: object) -> None:
        self.facts.append(facts)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Here something goes wrong; what the caller sees of it is a fact."""
        try:
            yield
        except Exception as error:
            self.note(f"{type(error).__module__}.{type(error).__qualname__}", str(error))
        else:
            self.note("nothing went wrong")

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[Any]:
        options = {"verify": NO_TLS, **options}
        if self.sync:
            with self.library.Client(**options) as client:
                yield client
                self.note_pool(client)
        else:
            async with self.library.AsyncClient(**options) as client:
                yield client
                await self.settle()
                self.note_pool(client)

    @asynccontextmanager
    async def stream(self, client: Any, url: str, **options: Any) -> AsyncIterator[Any]:
        if self.sync:
            with client.stream("POST", url, **options) as response:
                yield response
        else:
            async with client.stream("POST", url, **options) as response:
                yield response

    async def send(self, client: Any, url: str) -> Any:
        """Send without reading the answer; closing it is up to the caller."""
        return await self.wait(client.send(client.build_request("POST", url, json={}), stream=True))

    async def wait(self, value: Any) -> Any:
        return await value if inspect.isawaitable(value) else value

    async def read(self, response: Any) -> bytes:
        return bytes(response.read() if self.sync else await response.aread())

    async def close(self, thing: Any) -> None:
        await self.wait(thing.close() if self.sync else getattr(thing, "aclose", thing.close)())

    def each(self, response: Any, kind: str = "raw") -> AsyncIterator[Any]:
        """Iterate over a response with nothing in between that would outlive its last reference."""
        if self.sync:
            return _Each(getattr(response, f"iter_{kind}")())
        return getattr(response, f"aiter_{kind}")()  # type: ignore[no-any-return]

    async def settle(self) -> None:
        """Let abandoned generators be finalised, as a loop does in passing."""
        gc.collect()
        if not self.sync:
            for _ in range(30):
                await anyio.lowlevel.checkpoint()

    def note_response(self, response: Any) -> None:
        try:
            elapsed = isinstance(response.elapsed, timedelta)
        except RuntimeError as error:
            elapsed = str(error)  # type: ignore[assignment]
        stream = getattr(response, "stream", None)
        self.note(
            response.status_code,
            type(stream),
            isinstance(stream, self.library.SyncByteStream),
            isinstance(stream, self.library.AsyncByteStream),
            sorted(response.extensions),
            sorted(vars(response)),
            sorted(vars(stream)) if stream is not None else None,
            elapsed,
            response.is_closed,
            response.is_stream_consumed,
            response.num_bytes_downloaded,
            len(response.history),
        )

    def note_pool(self, client: Any) -> None:
        pool = getattr(client._transport, "_pool", None)
        if pool is not None:
            self.note([connection.info() for connection in pool.connections], len(pool._requests))

    def run(self, play: "Callable[[World], Coroutine[Any, Any, None]]") -> None:
        if not self.sync:
            anyio.run(
                play,
                self,
                backend=self.colour,
                backend_options={"debug": True} if self.colour == "asyncio" else {},
            )
            return
        try:
            play(self).send(None)
        except StopIteration:
            return
        raise AssertionError("a sync scenario has suspended")


class _Each:
    def __init__(self, iterator: Iterator[Any]) -> None:
        self._iterator = iterator

    def __aiter__(self) -> "_Each":
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self._iterator)
        except StopIteration:
            raise StopAsyncIteration from None


def observe(play: Scenario, library: ModuleType, colour: Colour, server: Server, *, watched: bool) -> Seen:
    """Run a scenario once, and tell all that it showed."""
    server.reset()
    world = World(library, colour, server)
    exchanges: list[Exchange] = []
    interceptor = Interceptor(exchanges.append, RULES)
    with warnings.catch_warnings(record=True) as caught, _unraisable(world.facts):
        warnings.simplefilter("always")
        if watched:
            interceptor.install()
        try:
            world.run(play.run)
            gc.collect()
        finally:
            interceptor.uninstall()
    messages = [f"{warning.category.__name__}: {warning.message}" for warning in caught]
    forgotten = [message for message in messages if "ResourceWarning: Async generator" in message]
    world.note(sorted(re.sub(r"0x\w+|\d+", "N", message) for message in messages if message not in forgotten))
    said = world.said or [b"".join(served.said) for served in server.served]
    return Seen(world.facts, len(forgotten), exchanges, said)


@contextmanager
def _unraisable(facts: list[object]) -> Iterator[None]:
    """Note each exception that nobody could raise."""
    gc.collect()  # what earlier tests left behind is not ours
    before = sys.unraisablehook
    sys.unraisablehook = lambda trouble: facts.append(("unraisable", repr(trouble.exc_value)))
    try:
        yield
        gc.collect()
    finally:
        sys.unraisablehook = before
