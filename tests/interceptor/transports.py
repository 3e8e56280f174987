"""Whatever transport the client has, the exchange is seen, once."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from .server import ANSWER
from .world import World, scenario

URL = "http://model.test/v1/chat/completions"


def _pieces(w: World, *pieces: bytes) -> Any:
    """A stream of the library's own kind, whose closings are facts."""

    class Stream(w.own("SyncByteStream")):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            yield from pieces

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        def close(self) -> None:
            w.note("stream closed")

        async def aclose(self) -> None:
            w.note("stream closed")

    w.said = [b"".join(pieces)]
    return Stream()


async def _post(w: World, client: Any) -> None:
    response = await w.wait(client.post(URL, json={"model": "gpt-x"}))
    w.note(response.content)
    w.note_response(response)


@scenario("eof")
async def mocked(w: World) -> None:
    w.said = [ANSWER]
    transport = w.library.MockTransport(lambda request: w.library.Response(200, content=ANSWER))
    async with w.client(transport=transport) as client:
        await _post(w, client)


@scenario("eof", "eof")
async def mocked_with_one_response_for_all(w: World) -> None:
    w.said = [ANSWER, ANSWER]
    answer = w.library.Response(200, content=ANSWER)
    async with w.client(transport=w.library.MockTransport(lambda request: answer)) as client:
        await _post(w, client)
        await _post(w, client)


@scenario("eof")
async def mocked_stream(w: World) -> None:
    stream = _pieces(w, b"one", b"", b"two")
    transport = w.library.MockTransport(lambda request: w.library.Response(200, stream=stream))
    async with w.client(transport=transport) as client, w.stream(client, URL, json={}) as response:
        async for chunk in w.each(response):
            w.note(chunk)
        w.note_response(response)


@scenario("closed")
async def mocked_stream_left_early(w: World) -> None:
    stream = _pieces(w, b"one", b"two")
    transport = w.library.MockTransport(lambda request: w.library.Response(200, stream=stream))
    async with w.client(transport=transport) as client, w.stream(client, URL, json={}) as response:
        async for chunk in w.each(response):
            w.note(chunk)
            break


@scenario("eof")
async def stream_that_is_its_own_iterator(w: World) -> None:
    """It is closed when the client closes it, and at no other time."""

    class Stream(w.own("SyncByteStream")):  # type: ignore[misc]
        left = [b"two", b"one"]  # noqa: RUF012

        def __iter__(self) -> "Stream":
            return self

        def __next__(self) -> bytes:
            if not self.left:
                raise StopIteration
            return self.left.pop()

        def __aiter__(self) -> "Stream":
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop()

        def close(self) -> None:
            w.note("stream closed")

        async def aclose(self) -> None:
            w.note("stream closed")

    w.said = [b"onetwo"]
    transport = w.library.MockTransport(lambda request: w.library.Response(200, stream=Stream()))
    async with w.client(transport=transport) as client:
        await _post(w, client)


@scenario("eof", colours=("asyncio", "trio"))
async def asgi(w: World) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        w.note((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})

    w.said = [b"onetwo"]
    async with w.client(transport=w.library.ASGITransport(app)) as client:
        await _post(w, client)


@scenario("eof", colours=("sync",))
async def wsgi(w: World) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"one", b"two"]

    w.said = [b"onetwo"]
    async with w.client(transport=w.library.WSGITransport(app)) as client:
        await _post(w, client)


def _custom(w: World, handle: Any) -> Any:
    class Transport(w.own("BaseTransport") if w.sync else w.library.AsyncBaseTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            return handle(request)

        async def handle_async_request(self, request: Any) -> Any:
            return await w.wait(handle(request))

    return Transport()


@scenario("eof")
async def custom(w: World) -> None:
    stream = _pieces(w, b"one", b"two")
    async with w.client(
        transport=_custom(w, lambda request: w.library.Response(200, stream=stream))
    ) as client:
        await _post(w, client)


@scenario("eof")
async def retrying(w: World) -> None:
    """Attempts inside a transport are the transport's own business: the client made one exchange."""
    statuses = [429, 429, 200]
    inner = w.library.MockTransport(lambda request: w.library.Response(statuses.pop(0), content=b"done"))

    def handle(request: Any) -> Any:
        return repeat(request) if w.sync else arepeat(request)

    def repeat(request: Any) -> Any:
        while (response := inner.handle_request(request)).status_code == 429:
            response.close()
        return response

    async def arepeat(request: Any) -> Any:
        while (response := await inner.handle_async_request(request)).status_code == 429:
            await response.aclose()
        return response

    w.said = [b"done"]
    async with w.client(transport=_custom(w, handle)) as client:
        await _post(w, client)


@scenario("eof")
async def mounted(w: World) -> None:
    transport = w.library.MockTransport(lambda request: w.library.Response(200, stream=_pieces(w, b"one")))
    async with w.client(mounts={"http://model.test": transport}) as client:
        await _post(w, client)


@scenario("closed")
async def closed_by_its_transport(w: World) -> None:
    """Nobody has read this body, and nobody can any more."""

    def handle(request: Any) -> Any:
        response = w.library.Response(200, stream=_pieces(w, b"one"))
        return aclosed(response) if not w.sync else (response.close(), response)[1]

    async def aclosed(response: Any) -> Any:
        await response.aclose()
        return response

    async with w.client(transport=_custom(w, handle)) as client:
        with w.failing():
            await _post(w, client)


@scenario()
async def upgraded(w: World) -> None:
    """A change of protocol is no model call, and its stream is left alone."""
    transport = w.library.MockTransport(lambda request: w.library.Response(101, stream=_pieces(w, b"frames")))
    async with w.client(transport=transport) as client, w.stream(client, URL, json={}) as response:
        w.note(type(response.stream._stream).__qualname__)
        w.note(await w.read(response))
    w.said.clear()
