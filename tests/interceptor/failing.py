"""The other side fails, or takes too long."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from .server import EVENTS
from .world import World, scenario


@scenario("error")
async def server_death_mid_body(w: World) -> None:
    async with w.client() as client:
        with w.failing():
            async with w.stream(client, w.url("dying"), json={}) as response:
                async for chunk in w.each(response):
                    w.note(chunk)
                    w.server.step()
        w.note_response(response)


@scenario("error")
async def server_death_while_reading(w: World) -> None:
    w.server.step()
    async with w.client() as client:
        with w.failing():
            await w.wait(client.post(w.url("dying"), json={}))


@scenario("error")
async def read_timeout_before_headers(w: World) -> None:
    async with w.client(timeout=w.library.Timeout(5, read=0.03)) as client:
        with w.failing():
            await w.wait(client.post(w.url("silent"), json={}))


@scenario("error")
async def read_timeout_mid_body(w: World) -> None:
    async with w.client(timeout=5) as client:
        with w.failing():
            async with w.stream(client, w.url("stream"), json={}) as response:
                # The head has come, with the first chunk; only what comes next is too late.
                response.request.extensions["timeout"]["read"] = 0.03
                async for chunk in w.each(response):
                    w.note(chunk)
        w.note_response(response)


@scenario("error")
async def connect_error(w: World) -> None:
    async with w.client() as client:
        with w.failing():
            await w.wait(client.post("http://127.0.0.1:1/v1/chat/completions", json={}))
    w.said = [b""]


@scenario("error")
async def pool_timeout(w: World) -> None:
    """A request that never got a connection is a call that failed; the one that holds it is unharmed."""
    limits = w.library.Limits(max_connections=1)
    async with w.client(limits=limits, timeout=w.library.Timeout(5, pool=0.03)) as client:
        async with w.stream(client, w.url("stream").replace("completions", "other"), json={}) as response:
            with w.failing():
                await w.wait(client.post(w.url("json"), json={}))
            w.note(len(client._transport._pool._requests))
            w.server.step(len(EVENTS))
            w.note(await w.read(response))
        w.said = [b""]


@scenario("closed")
async def corrupt_encoding(w: World) -> None:
    """Undoing the encoding is above us: what we see is a consumer who leaves."""

    class Stream(w.own("SyncByteStream")):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            yield b"no gzip"

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"no gzip"

    await _mocked(w, Stream(), headers={"content-encoding": "gzip"})
    w.said = [b"no gzip"]


@scenario("error")
async def exception_of_a_custom_stream(w: World) -> None:
    class Stream(w.own("SyncByteStream")):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            yield b"one"
            raise LookupError("its own")

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"one"
            raise LookupError("its own")

    await _mocked(w, Stream())
    w.said = [b"one"]


@scenario("error")
async def exception_of_a_custom_transport(w: World) -> None:
    def fail(request: Any) -> Any:
        raise LookupError(request.url.path)

    async with w.client(transport=w.library.MockTransport(fail)) as client:
        with w.failing():
            await w.wait(client.post("http://model/v1/chat/completions", json={}))
    w.said = [b""]


async def _mocked(w: World, stream: Any, **options: Any) -> None:
    transport = w.library.MockTransport(lambda request: w.library.Response(200, stream=stream, **options))
    async with w.client(transport=transport) as client:
        with w.failing():
            await w.wait(client.post("http://model/v1/chat/completions", json={}))
