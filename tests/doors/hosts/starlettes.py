"""Starlette and FastAPI."""

import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

import miharu
from tests.doors.witness import Inside, Middleware, Outside

miharu.init()


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    print("the host has started")
    yield {"released": anyio.Event()}
    print("the host has stopped")


async def hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def stream(request: Request) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        yield "one\n"
        await request.state.released.wait()
        yield "two\n"

    return StreamingResponse(lines())


async def release(request: Request) -> PlainTextResponse:
    request.state.released.set()
    return PlainTextResponse("released")


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


def routes() -> list[Any]:
    return [
        Route("/hello", hello),
        Route("/stream", stream),
        Route("/release", release),
        WebSocketRoute("/ws", echo),
    ]


def starlette(*more: Mount) -> Starlette:
    return Starlette(routes=[*routes(), *more], lifespan=lifespan)


def fastapi(**options: Any) -> FastAPI:
    app = FastAPI(lifespan=lifespan, **options)
    app.router.routes.extend(routes())
    return app


def door() -> Inside:
    return Inside(miharu.asgi())


def _mounted(app: FastAPI, at: str = "/miharu", inner: Any = None) -> Outside:
    app.mount(at, inner or door())
    return Outside(app)


def _nested() -> Outside:
    inner = FastAPI()
    inner.mount("/miharu", door())
    return _mounted(fastapi(), "/admin", inner)


def _told() -> Outside:
    with warnings.catch_warnings(action="ignore"):
        return _mounted(fastapi(root_path="/api"))


def _within(app: Any, **options: Any) -> Outside:
    app.add_middleware(Middleware, **options)
    return Outside(app)


bare = Outside(starlette())
mounted = Outside(starlette(Mount("/miharu", door())))
nested_mounts = Outside(starlette(Mount("/admin", routes=[Mount("/miharu", door())])))
fastapi_mounted = _mounted(fastapi())
fastapi_nested = _nested()
fastapi_told = _told()
middleware = _within(starlette())
middleware_elsewhere = _within(starlette(), path="/_ops/llm")
fastapi_middleware = _within(fastapi())
