"""Visitors who leave, told from programs that break off: the real SDK in a real app, over real sockets."""

import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

import miharu
from miharu.testing import FakeProvider
from miharu.testing._server import ServerThread
from tests.calls import rows

openai = pytest.importorskip("openai")


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(answer="word " * 400, chunk_latency=0.01) as provider:
        yield provider


class Site:
    """An app with three ways to end a stream."""

    def __init__(self, provider: FakeProvider) -> None:
        self.left = threading.Event()
        app = FastAPI()
        client = openai.AsyncOpenAI(base_url=provider.base_url, api_key="any", max_retries=0)

        async def tokens(most: int | None = None) -> AsyncIterator[str]:
            said = [{"role": "user", "content": "hi"}]
            stream = await client.chat.completions.create(model="gpt-4o", messages=said, stream=True)
            try:
                number = 0
                async for chunk in stream:
                    number += 1
                    if most and number > most:
                        break
                    yield chunk.choices[0].delta.content or "" if chunk.choices else ""
            finally:
                await stream.close()
                self.left.set()

        @app.get("/stream")
        async def stream() -> Any:
            return StreamingResponse(tokens())

        @app.get("/short")
        async def short() -> Any:
            return StreamingResponse(tokens(3))

        @app.get("/asking")
        async def asking(request: Request) -> Any:
            async for _ in tokens():
                if await request.is_disconnected():
                    break
            return "done"

        app.add_middleware(miharu.MiharuMiddleware)
        self.app = app


def visit(site: Site, path: str, *, leave: bool) -> None:
    server = ServerThread(site.app)
    server.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as client:
            if path == "/asking":
                with pytest.raises(httpx.ReadTimeout):
                    client.get(path, timeout=0.3)
            else:
                with client.stream("GET", path) as response:
                    for _ in response.iter_raw():
                        if leave:
                            break
        assert site.left.wait(10)
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("path", "leave", "error_type"),
    [
        ("/stream", True, "client_disconnected"),
        ("/asking", True, "client_disconnected"),
        ("/short", False, None),
    ],
)
def test_it_says_why_a_stream_was_left(
    provider: FakeProvider, database: Path, path: str, leave: bool, error_type: str | None
) -> None:
    miharu.init(database)
    visit(Site(provider), path, leave=leave)
    miharu.shutdown()
    [row] = rows(database)
    assert (row["status"], row["error_type"], row["route"]) == ("cancelled", error_type, f"GET {path}")


def test_a_visitor_who_stays_is_told_everything(provider: FakeProvider, database: Path) -> None:
    miharu.init(database)
    provider._answer = "short"
    visit(Site(provider), "/stream", leave=False)
    miharu.shutdown()
    [row] = rows(database)
    assert (row["status"], row["error_type"]) == ("success", None)
