"""Quart."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from hypercorn.middleware import DispatcherMiddleware
from quart import Quart, websocket

import miharu
from tests.doors.witness import Inside, Middleware, Outside

miharu.init()


def quart() -> Any:
    app = Quart(__name__)
    released = asyncio.Event()

    @app.before_serving
    async def start() -> None:
        print("the host has started")

    @app.after_serving
    async def stop() -> None:
        print("the host has stopped")

    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    @app.get("/stream")
    async def stream() -> AsyncIterator[str]:
        async def lines() -> AsyncIterator[str]:
            yield "one\n"
            await released.wait()
            yield "two\n"

        return lines()

    @app.get("/release")
    async def release() -> str:
        released.set()
        return "released"

    @app.websocket("/ws")
    async def echo() -> None:
        await websocket.accept()
        await websocket.send(await websocket.receive())
        await websocket.close(1000)

    return app


def _within() -> Any:
    app = quart()
    app.asgi_app = Middleware(app.asgi_app)
    return app


bare = Outside(quart())
middleware = Outside(_within())
dispatched = Outside(DispatcherMiddleware({"/miharu": Inside(miharu.asgi()), "": quart()}))
