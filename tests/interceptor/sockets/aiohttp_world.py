"""What programs do with aiohttp's WebSocket client."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from .server import Serving
from .sync_world import ASK, Facts, raised

__all__ = ("SCENARIOS",)

SCENARIOS: list[Callable[[Serving], Awaitable[Facts]]] = []


def scenario(play: Callable[[Serving], Awaitable[Facts]]) -> Callable[[Serving], Awaitable[Facts]]:
    SCENARIOS.append(play)
    return play


def facts_of(socket: Any) -> Facts:
    return [
        type(socket).__name__,
        isinstance(socket, aiohttp.ClientWebSocketResponse),
        socket.closed,
        socket.close_code,
        socket.protocol,
        socket.compress,
        type(socket.exception()).__name__,
    ]


@scenario
async def a_turn(serving: Serving) -> Facts:
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(serving.url("talk", "http"), protocols=["realtime"]) as socket,
    ):
        await socket.send_str(ASK)
        return [[await socket.receive_str() for _ in range(6)], *facts_of(socket)]


@scenario
async def json_both_ways(serving: Serving) -> Facts:
    base = f"http://127.0.0.1:{serving.port}"
    async with (
        aiohttp.ClientSession(base) as client,
        client.ws_connect("/v1/realtime?script=talk", compress=15) as socket,
    ):
        await socket.send_json({"type": "response.create"})
        return [[await socket.receive_json() for _ in range(6)], *facts_of(socket)]


@scenario
async def iteration_to_a_close(serving: Serving) -> Facts:
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(serving.url("twice", "http")) as socket,
    ):
        return [[tuple(message) async for message in socket], *facts_of(socket)]


@scenario
async def bytes_and_pings(serving: Serving) -> Facts:
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(serving.url("echo", "http"), autoping=False, heartbeat=10) as socket,
    ):
        await socket.ping(b"1")
        seen: Facts = [tuple(await socket.receive())]
        await socket.send_bytes(b"2")
        seen.append(await socket.receive_bytes())
        with pytest.raises(TypeError) as error:
            await socket.send_str(b"3")  # type: ignore[arg-type]
        return [*seen, *raised(error.value)]


@scenario
async def closed_by_the_other_side(serving: Serving) -> Facts:
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(serving.url("closing", "http")) as socket,
    ):
        await socket.send_str(ASK)
        return [[tuple(await socket.receive()) for _ in range(3)], *facts_of(socket)]


@scenario
async def broken_off(serving: Serving) -> Facts:
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(serving.url("breaking", "http")) as socket,
    ):
        await socket.send_str(ASK)
        return [[(await socket.receive()).type for _ in range(2)], *facts_of(socket)]


@scenario
async def two_readers_at_a_time(serving: Serving) -> Facts:
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(serving.url("echo", "http")) as socket,
    ):
        first = asyncio.ensure_future(socket.receive())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError) as error:
            await socket.receive()
        await socket.close()
        return [*raised(error.value), tuple(await first), *facts_of(socket)]


@scenario
async def left_in_the_middle(serving: Serving) -> Facts:
    async with aiohttp.ClientSession() as client:
        socket = await client.ws_connect(serving.url("talk", "http"))
        await socket.send_str(ASK)
        seen: Facts = [await socket.receive_str(), await socket.receive_str()]
        return [*seen, await socket.close(code=1000), *facts_of(socket)]


@scenario
async def refused(serving: Serving) -> Facts:
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await client.ws_connect(serving.url("refused", "http"))
    return [type(error.value).__name__, error.value.status, error.value.message]
