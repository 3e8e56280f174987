"""The second hook, on real aiohttp against a real server: what the caller sees stays what it was."""

import asyncio
import gzip
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from miharu.exchange import Exchange
from miharu.holding import HOLDING
from miharu.interceptor import Interceptor
from miharu.interceptor.handoff import inside
from miharu.kept_body import LEAST_HEAD, LEAST_TAIL

from .world import RULES

aiohttp = pytest.importorskip("aiohttp")

EVENTS = (b'data: {"a": 1}\n\n', b'data: {"a": 2}\n\n', b"data: [DONE]\n\n")
BODY = b'{"ok": true}' * 100


@pytest.fixture
def anyio_backend() -> str:
    """aiohttp speaks asyncio only."""
    return "asyncio"


@dataclass
class Model:
    """A server that a test lets go on, event by event."""

    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    url: str = ""
    received: bytes = b""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(x[15:]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length:")), 0
        )
        self.received = await reader.readexactly(length)
        path = head.split()[1].decode().split("/")[1]
        try:
            await getattr(self, path)(writer)
        finally:
            writer.close()

    async def plain(self, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)
        )
        await writer.drain()

    async def zipped(self, writer: asyncio.StreamWriter) -> None:
        body = gzip.compress(BODY)
        head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n"
        writer.write(head % len(body) + body)
        await writer.drain()

    async def stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: text/event-stream\r\n\r\n"
        )
        for event in EVENTS:
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
            await self.gate.acquire()
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def die(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nabc")
        await writer.drain()


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    model = Model()
    server = await asyncio.start_server(model.answer, "127.0.0.1", 0)
    model.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield model
    server.close()
    for _ in EVENTS:
        model.gate.release()


Scenario = Callable[[Any, Model], Awaitable[Any]]


async def reads_all(session: Any, model: Model) -> Any:
    async with session.post(f"{model.url}/plain/chat/completions?x=1", json={"model": "m"}) as response:
        return response.status, await response.read(), type(response).__name__


async def reads_gzip(session: Any, model: Model) -> Any:
    async with session.post(f"{model.url}/zipped/chat/completions", data=b"{}") as response:
        return await response.read()


async def streams(session: Any, model: Model) -> Any:
    seen = []
    async with session.post(f"{model.url}/stream/chat/completions", data="{}") as response:
        async for chunk in response.content.iter_any():
            seen.append(chunk)
            model.gate.release()
    return b"".join(seen), response.closed


async def breaks(session: Any, model: Model) -> Any:
    async with session.post(f"{model.url}/stream/chat/completions", json={}) as response:
        async for chunk in response.content.iter_any():
            return chunk
    return None


async def is_cancelled(session: Any, model: Model) -> Any:
    async def read() -> None:
        async with session.post(f"{model.url}/stream/chat/completions", json={}) as response:
            first.set_result(await response.content.readany())
            await response.content.readany()

    first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(read())
    await first
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return first.result()


async def server_dies(session: Any, model: Model) -> Any:
    with pytest.raises(aiohttp.ClientPayloadError) as caught:
        async with session.post(f"{model.url}/die/chat/completions", json={}) as response:
            await response.read()
    return type(caught.value), str(caught.value)


async def nobody_there(session: Any, model: Model) -> Any:
    with pytest.raises(aiohttp.ClientConnectorError) as caught:
        await session.post("http://127.0.0.1:1/v1/chat/completions", json={})
    return type(caught.value)


@pytest.mark.parametrize(
    ("scenario", "end", "body"),
    [
        (reads_all, "eof", BODY),
        (reads_gzip, "eof", BODY),
        (streams, "eof", b"".join(EVENTS)),
        (breaks, "closed", EVENTS[0]),
        (is_cancelled, "closed", EVENTS[0]),
        (server_dies, "error", b"abc"),
        (nobody_there, "error", b""),
    ],
)
async def test_the_caller_sees_the_same(scenario: Scenario, end: str, body: bytes, model: Model) -> None:
    async with aiohttp.ClientSession() as session:
        unwatched = await scenario(session, model)
    exchanges: list[Exchange] = []
    interceptor = Interceptor(exchanges.append, RULES)
    interceptor.install()
    try:
        async with aiohttp.ClientSession() as session:
            assert await scenario(session, model) == unwatched
    finally:
        interceptor.uninstall()
    (exchange,) = exchanges
    assert exchange.end == end
    assert b"".join(exchange.chunks) == body
    assert len(exchange.arrivals) == len(exchange.chunks)


@pytest.fixture
def watching() -> Any:
    exchanges: list[Exchange] = []
    interceptor = Interceptor(exchanges.append, RULES)
    interceptor.install()
    yield exchanges
    interceptor.uninstall()


async def test_it_tells_what_was_asked(watching: list[Exchange], model: Model) -> None:
    async with aiohttp.ClientSession(model.url, headers={"User-Agent": "me/1"}) as session:
        await (await session.request("post", "/plain/chat/completions", json={"model": "m"})).read()
    request = watching[0].request()
    assert (request.method, request.path, request.body) == (
        "POST",
        "/plain/chat/completions",
        b'{"model": "m"}',
    )
    assert request.headers["user-agent"] == "me/1"
    assert watching[0].status == 200


async def test_it_is_silent_below_another_client(watching: list[Exchange], model: Model) -> None:
    token = inside.set(True)
    async with aiohttp.ClientSession() as session:
        await reads_all(session, model)
    inside.reset(token)
    assert watching == []


async def test_other_requests_pass(watching: list[Exchange], model: Model) -> None:
    async with aiohttp.ClientSession() as session:
        await (await session.get(f"{model.url}/plain/models")).read()
        await (await session.post(f"{model.url}/plain/upload")).read()
    assert watching == []


@pytest.mark.parametrize(
    "asked",
    [
        {"json": {"model": "m", "ü": [1]}},
        {"data": b'{"model": "m"}'},
        {"data": '{"model": "ü"}'},
        {"data": bytearray(b"abc")},
    ],
)
async def test_what_was_asked_counts_and_stays_as_it_was_sent(
    asked: dict[str, Any], watching: list[Exchange], model: Model
) -> None:
    """Its user may change the object before anybody reads it."""
    async with aiohttp.ClientSession() as session:
        await (await session.post(f"{model.url}/plain/chat/completions", **asked)).read()
        sent = await posted(session, model, asked)
    exchange = watching[0]
    for value in asked.values():
        if hasattr(value, "clear"):
            value.clear()
    assert exchange.request().body == sent
    text = asked.get("data")
    own = len(text) if isinstance(text, str) else len(sent)
    assert exchange.asked_size() == own
    exchange.abridge_request()
    request = exchange.request()
    assert (request.body, request.gap) == (sent, None)  # it is short
    assert (request.path, request.headers["host"]) == ("/plain/chat/completions", model.url[7:])


async def posted(session: Any, model: Model, asked: dict[str, Any]) -> bytes:
    await (await session.post(f"{model.url}/plain/upload", **asked)).read()
    return model.received


async def test_what_another_request_sends_on_the_way_is_not_taken_for_it(
    watching: list[Exchange], model: Model
) -> None:
    """A token is fetched, say, in the same context."""

    async def fetch(_: Any, context: Any, __: Any) -> None:
        if context.trace_request_ctx is None:
            async with aiohttp.ClientSession() as other:
                await (await other.post(f"{model.url}/plain/token", json={"secret": 1})).read()

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(fetch)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        await (await session.post(f"{model.url}/plain/chat/completions", json={"model": "m"})).read()
    assert [exchange.request().body for exchange in watching] == [b'{"model": "m"}']


async def test_what_cannot_be_serialised_fails_as_before(watching: list[Exchange], model: Model) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(TypeError, match="not JSON serializable"):
            await session.post(f"{model.url}/plain/chat/completions", json={"model": object()})
    (exchange,) = watching
    assert (exchange.end, exchange.request().body) == ("error", None)


async def test_without_memory_the_ends_are_kept(
    model: Model, watching: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "BODY", BODY * 50)
    monkeypatch.setattr(HOLDING, "limit", HOLDING.used + 100)
    async with aiohttp.ClientSession() as session:
        await (await session.post(f"{model.url}/plain/chat/completions", json={})).read()
    exchange = watching[0]
    assert exchange.shed
    assert exchange.tail is not None
    assert BODY.startswith(exchange.chunks[0])
    assert BODY.endswith(exchange.tail[-1])
    assert exchange.held <= LEAST_HEAD + LEAST_TAIL + 2 * LEAST_HEAD
    assert exchange.lost == len(BODY) - sum(map(len, [*exchange.chunks, *exchange.tail]))
