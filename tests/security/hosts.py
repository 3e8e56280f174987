"""Host apps that every site may read (``Access-Control-Allow-Origin: *``), with the dashboard in them."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request

import miharu

miharu.init()


async def signed_in(scope: Mapping[str, Any]) -> bool:
    return (b"x-user", b"ann") in scope["headers"]


def _app() -> FastAPI:
    app = FastAPI()

    @app.get("/hello")
    async def hello(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"cookies: {request.headers.get('cookie', 'none')}")

    @app.get("/onward")
    async def onward(to: str) -> RedirectResponse:
        """An open redirect, as many apps have one."""
        return RedirectResponse(to)

    @app.get("/framing")
    async def framing() -> HTMLResponse:
        return HTMLResponse('<iframe src="/miharu/calls"></iframe>')

    return app


def _permissive(app: FastAPI) -> FastAPI:
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
    return app


def _mounted(**options: Any) -> FastAPI:
    app = _app()
    app.mount("/miharu", miharu.asgi(**options))
    return _permissive(app)


def _within(**options: Any) -> FastAPI:
    app = _app()
    app.add_middleware(miharu.MiharuMiddleware, **options)
    return _permissive(app)


mount = _mounted()
middleware = _within()
mount_for_users = _mounted(auth=signed_in)
middleware_for_users = _within(auth=lambda scope: (b"x-user", b"ann") in scope["headers"])
