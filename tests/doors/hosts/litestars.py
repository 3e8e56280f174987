"""Litestar."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from litestar import Litestar, WebSocket, asgi, get, websocket
from litestar.datastructures import State
from litestar.middleware import DefineMiddleware
from litestar.response import Stream
from litestar.types import Receive, Scope, Send

import miharu
from tests.doors.witness import Inside, Middleware, Outside

miharu.init()
dashboard = Inside(miharu.asgi())


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    print("the host has started")
    app.state.released = anyio.Event()
    yield
    print("the host has stopped")


@get("/hello")
async def hello() -> str:
    return "hello"


@get("/stream")
async def stream(state: State) -> Stream:
    async def lines() -> AsyncIterator[str]:
        yield "one\n"
        await state.released.wait()
        yield "two\n"

    return Stream(lines())


@get("/release")
async def release(state: State) -> str:
    state.released.set()
    return "released"


@websocket("/ws")
async def echo(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


@asgi("/miharu", is_mount=True, copy_scope=True)
async def mount(scope: Scope, receive: Receive, send: Send) -> None:
    await dashboard(scope, receive, send)


def litestar(*more: Any, **options: Any) -> Any:
    return Litestar(
        [hello, stream, release, echo, *more],
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
        **options,
    )


bare = Outside(litestar())
mounted = Outside(litestar(mount))
middleware = Outside(Middleware(litestar()))
inner_middleware = Outside(litestar(middleware=[DefineMiddleware(Middleware)]))
