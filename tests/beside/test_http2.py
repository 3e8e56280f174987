"""HTTP/2, with prior knowledge: a whole answer, and one that is left half way, on both libraries."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import miharu
from miharu.testing import FakeProvider
from tests.beside.conftest import collect
from tests.beside.world import asked, rows

collect()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """hypercorn on a free port."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = import_module("hypercorn.config").Config()
    config.bind = [f"fd://{listening.detach()}"]  # it closes it
    config.errorlog = config.accesslog = None
    serve = import_module("hypercorn.asyncio").serve
    loop, over = asyncio.new_event_loop(), asyncio.Event()
    provider = FakeProvider(answer="It rains in Hue. " * 200)

    async def until_over() -> None:
        await serve(provider, config, shutdown_trigger=over.wait, mode="asgi")

    thread = threading.Thread(target=loop.run_until_complete, args=(until_over(),), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}/v1/chat/completions"
    loop.call_soon_threadsafe(over.set)
    thread.join(timeout=10)
    loop.close()


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_a_whole_answer_and_a_half_one(name: str, asynchronous: bool, url: str, database: Path) -> None:
    library = import_module(name)
    miharu.init(database)
    if asynchronous:
        asyncio.run(_both_async(library, url))
    else:
        _both_sync(library, url)
    assert miharu.flush()
    whole, streamed, half = rows(database)
    assert (whole["status"], whole["stream"], whole["completion_tokens"]) == ("success", 0, 850)
    assert (streamed["status"], streamed["stream"], streamed["completion_tokens"]) == ("success", 1, 850)
    assert (half["status"], half["stream"]) == ("cancelled", 1)


def _both_sync(library: Any, url: str) -> None:
    with library.Client(http1=False, http2=True) as client:
        answer = client.post(url, json=asked())
        assert answer.http_version == "HTTP/2"
        assert "stream_id" in answer.extensions
        with client.stream("POST", url, json=asked(stream=True)) as response:
            assert "data: [DONE]" in list(response.iter_lines())
        with client.stream("POST", url, json=asked(stream=True)) as response:
            next(response.iter_raw())
        assert (
            client.get(url.replace("chat/completions", "models")).status_code == 200
        )  # the connection is still good


async def _both_async(library: Any, url: str) -> None:
    async with library.AsyncClient(http1=False, http2=True) as client:
        answer = await client.post(url, json=asked())
        assert answer.http_version == "HTTP/2"
        assert "stream_id" in answer.extensions
        async with client.stream("POST", url, json=asked(stream=True)) as response:
            assert "data: [DONE]" in [line async for line in response.aiter_lines()]
        async with client.stream("POST", url, json=asked(stream=True)) as response:
            await anext(response.aiter_raw())
        assert (await client.get(url.replace("chat/completions", "models"))).status_code == 200
