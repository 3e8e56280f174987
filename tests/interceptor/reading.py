"""The answer is read to its end."""

import pickle
from collections.abc import AsyncIterator, Iterator
from typing import Any

from .server import ANSWER, EVENTS
from .world import World, scenario


@scenario("eof")
async def plain_json(w: World) -> None:
    async with w.client() as client:
        response = await w.wait(client.post(w.url("json"), json={"model": "gpt-x"}))
        w.note(response.json(), response.text, response.content == ANSWER)
        w.note_response(response)


@scenario("eof")
async def stream_to_the_end(w: World) -> None:
    async with w.client() as client:
        async with w.stream(client, w.url("stream"), json={"stream": True}) as response:
            w.note_response(response)
            chunks = []
            async for chunk in w.each(response):
                # The server says the next only now: whoever buffered would wait for it for ever.
                w.note(len(w.server.served[0].said), w.server.served[0].said[-1] == chunk)
                chunks.append(chunk)
                w.server.step()
            w.note_response(response)
        w.note(chunks, tuple(chunks) == EVENTS)
        w.note_response(response)


@scenario("eof")
async def lines(w: World) -> None:
    async with w.client() as client, w.stream(client, w.url("stream"), json={}) as response:
        seen = []
        async for line in w.each(response, "lines"):
            seen.append(line)
            w.server.step()
        w.note(seen)
        w.note_response(response)


@scenario("eof")
async def text(w: World) -> None:
    async with w.client() as client, w.stream(client, w.url("stream"), json={}) as response:
        async for piece in w.each(response, "text"):
            w.note(piece)
            w.server.step()


@scenario("eof")
async def chunks_of_a_chosen_size(w: World) -> None:
    w.server.step(len(EVENTS))
    async with w.client() as client, w.stream(client, w.url("stream"), json={}) as response:
        chunks = response.iter_bytes(100) if w.sync else response.aiter_bytes(100)
        w.note([chunk for chunk in chunks] if w.sync else [chunk async for chunk in chunks])  # noqa: C416
        w.note_response(response)


async def _decoded(w: World, encoding: str) -> None:
    w.server.step(50)
    async with w.client() as client:
        response = await w.wait(client.post(w.url(encoding), json={}))
        w.note(response.headers["content-encoding"], response.content)
        w.note_response(response)


@scenario("eof")
async def gzip_body(w: World) -> None:
    await _decoded(w, "gzip")


@scenario("eof")
async def deflate_body(w: World) -> None:
    await _decoded(w, "deflate")


@scenario("eof")
async def br_body(w: World) -> None:
    await _decoded(w, "br")


@scenario("eof")
async def zstd_body(w: World) -> None:
    await _decoded(w, "zstd")


@scenario("eof")
async def raw_gzip(w: World) -> None:
    async with w.client() as client, w.stream(client, w.url("gzip"), json={}) as response:
        async for chunk in w.each(response):
            w.note(chunk)
            w.server.step()
        w.note_response(response)


@scenario("eof", "eof")
async def redirect_with_a_body(w: World) -> None:
    async with w.client(follow_redirects=True) as client:
        response = await w.wait(client.post(w.url("redirect"), json={"model": "gpt-x"}))
        w.note(response.json(), [served.body for served in w.server.served])
        w.note_response(response)
        w.note_response(response.history[0])


@scenario("closed")
async def redirect_not_followed(w: World) -> None:
    async with w.client() as client:
        async with w.stream(client, w.url("redirect"), json={}) as response:
            w.note_response(response)
        w.note(response.next_request.url.path)


@scenario("eof")
async def hook_reads_the_body(w: World) -> None:
    def hook(response: Any) -> None:
        w.note("hook", response.read())

    async def ahook(response: Any) -> None:
        w.note("hook", await response.aread())

    async with w.client(event_hooks={"response": [hook if w.sync else ahook]}) as client:
        response = await w.wait(client.post(w.url("json"), json={}))
        w.note(response.content)
        w.note_response(response)


@scenario("eof")
async def pickled(w: World) -> None:
    async with w.client() as client:
        response = await w.wait(client.post(w.url("json"), json={}))
    copy = pickle.loads(pickle.dumps(response))
    w.note(sorted(vars(copy)), copy.content, copy.status_code, copy.request.url.path)


@scenario("eof")
async def generator_body(w: World) -> None:
    def parts() -> Iterator[bytes]:
        yield b'{"model":'
        yield b'"gpt-x"}'

    async def aparts() -> AsyncIterator[bytes]:
        for part in parts():
            yield part

    async with w.client() as client:
        response = await w.wait(client.post(w.url("json"), content=parts() if w.sync else aparts()))
        w.note(response.json(), w.server.served[0].body)


@scenario("eof")
async def multipart(w: World) -> None:
    files = {"file": ("a.wav", b"RIFF" * 100, "audio/wav")}
    async with w.client() as client:
        response = await w.wait(client.post(w.url("json"), data={"model": "whisper"}, files=files))
        w.note(response.json(), b"RIFFRIFF" in w.server.served[0].body)


@scenario("eof")
async def network_stream(w: World) -> None:
    async with w.client() as client, w.stream(client, w.url("json"), json={}) as response:
        extra = response.extensions["network_stream"].get_extra_info("server_addr")
        w.note(extra, response.http_version, await w.read(response))
        w.note_response(response)


@scenario("eof")
async def read_twice(w: World) -> None:
    async with w.client() as client, w.stream(client, w.url("json"), json={}) as response:
        async for _ in w.each(response):
            pass
        with w.failing():
            async for _ in w.each(response):
                pass


@scenario("eof")
async def wrong_colour(w: World) -> None:
    """A sync read of an async answer, and the other way round, fails as ever and harms nothing."""
    async with w.client() as client, w.stream(client, w.url("json"), json={}) as response:
        with w.failing():
            if w.sync:
                await response.aread()
            else:
                response.read()
        w.note(await w.read(response))
