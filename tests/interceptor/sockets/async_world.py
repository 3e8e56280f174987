"""What programs do with the asyncio client of websockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConcurrencyError, ConnectionClosed, WebSocketException

from .server import Serving
from .sync_world import ASK, Facts, raised

__all__ = ("SCENARIOS",)

SCENARIOS: list[Callable[[Serving], Awaitable[Facts]]] = []


def scenario(play: Callable[[Serving], Awaitable[Facts]]) -> Callable[[Serving], Awaitable[Facts]]:
    SCENARIOS.append(play)
    return play


def facts_of(socket: object) -> Facts:
    names = ("subprotocol", "state", "close_code", "close_reason")
    return [type(socket).__name__, *(str(getattr(socket, name)) for name in names)]


@scenario
async def a_turn(serving: Serving) -> Facts:
    async with connect(serving.url("talk"), subprotocols=["realtime"]) as socket:  # type: ignore[list-item]
        await socket.send(ASK)
        return [[await socket.recv() for _ in range(6)], *facts_of(socket)]


@scenario
async def iteration_to_a_close(serving: Serving) -> Facts:
    async with connect(serving.url("twice")) as socket:
        seen = [message async for message in socket]
    return [seen, *facts_of(socket)]


@scenario
async def connecting_again_and_again(serving: Serving) -> Facts:
    seen: Facts = []
    async for socket in connect(serving.url("twice")):
        seen.append([message async for message in socket])
        if len(seen) == 3:
            break
    return seen


@scenario
async def pieces(serving: Serving) -> Facts:
    async with connect(serving.url("pieces")) as socket:
        seen = [[piece async for piece in socket.recv_streaming()] for _ in range(2)]
        await socket.send("done")
        return [seen]


@scenario
async def pieces_of_our_own(serving: Serving) -> Facts:
    async def several() -> AsyncIterator[str]:
        yield "a"
        await asyncio.sleep(0)
        yield "b"

    async with connect(serving.url("echo")) as socket:
        await socket.send(several())
        return [await socket.recv()]


@scenario
async def two_readers_at_a_time(serving: Serving) -> Facts:
    async with connect(serving.url("echo")) as socket:
        first = asyncio.ensure_future(socket.recv())
        await asyncio.sleep(0)
        with pytest.raises(ConcurrencyError) as error:
            await socket.recv()
        await socket.send("for the first")
        return [*raised(error.value), await first]


@scenario
async def a_reader_that_is_cancelled(serving: Serving) -> Facts:
    async with connect(serving.url("echo")) as socket:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.01)
        await socket.send("not lost")
        return [await socket.recv(), *facts_of(socket)]


@scenario
async def pings(serving: Serving) -> Facts:
    async with connect(serving.url("talk"), ping_interval=0.01) as socket:
        latency = await (await socket.ping())
        await asyncio.sleep(0.03)
        return [isinstance(latency, float), *facts_of(socket)]


@scenario
async def closed_by_the_other_side(serving: Serving) -> Facts:
    async with connect(serving.url("closing")) as socket:
        await socket.send(ASK)
        seen: Facts = [await socket.recv()]
        with pytest.raises(ConnectionClosed) as error:
            await socket.recv()
        return [*seen, *raised(error.value), *facts_of(socket)]


@scenario
async def broken_off(serving: Serving) -> Facts:
    async with connect(serving.url("breaking")) as socket:
        await socket.send(ASK)
        seen: Facts = [await socket.recv()]
        with pytest.raises(ConnectionClosed) as error:
            await socket.recv()
        return [*seen, type(error.value).__name__, *facts_of(socket)]


@scenario
async def not_a_text(serving: Serving) -> Facts:
    async with connect(serving.url("bad")) as socket:
        with pytest.raises(ConnectionClosed) as error:
            await socket.recv()
        return [*raised(error.value), *facts_of(socket)]


@scenario
async def refused(serving: Serving) -> Facts:
    with pytest.raises(WebSocketException) as error:
        await connect(serving.url("refused"))
    return raised(error.value)


@scenario
async def a_program_that_is_cancelled(serving: Serving) -> Facts:
    async def talk() -> None:
        async with connect(serving.url("talk")) as socket:
            await socket.send(ASK)
            async for _ in socket:
                pass

    task = asyncio.ensure_future(talk())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as error:
        await task
    return raised(error.value)
