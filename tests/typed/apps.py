"""The doors, in the frameworks whose types they have to fit. It is read by checkers and never run."""

from collections.abc import Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import litestar
import litestar.types
import starlette.types
from fastapi import FastAPI
from litestar import Litestar
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.routing import Mount

import miharu
from miharu.testing import FakeProvider


def by_scope(scope: starlette.types.Scope) -> bool:
    return bool(scope.get("session", {}).get("user"))


async def by_connection(scope: starlette.types.Scope) -> bool:
    connection = HTTPConnection(scope)
    return connection.cookies.get("user") == "ann"


def by_mapping(scope: Mapping[str, Any]) -> bool:
    return bool(scope["type"] == "http")


def by_litestar(scope: litestar.types.Scope) -> bool:
    return scope["path"] == "/miharu/"


class Staff:
    async def __call__(self, scope: starlette.types.Scope) -> bool:
        return bool(Request(scope).headers.get("x-staff"))


def starlette_app() -> Starlette:
    return Starlette(
        routes=[
            Mount("/miharu", miharu.asgi(auth=by_scope)),
            Mount("/other", app=miharu.asgi(auth=by_connection, allowed_hosts=["a.example"])),
            Mount("/third", app=miharu.asgi(auth=by_mapping, allowed_hosts=("a.example",))),
            Mount("/fourth", app=miharu.asgi(auth=Staff())),
            Mount("/fifth", app=miharu.asgi(auth="token")),
            Mount("/sixth", app=miharu.asgi(auth=lambda scope: scope["type"] == "http")),
        ],
        middleware=[Middleware(miharu.MiharuMiddleware, path="/usage", auth=by_scope)],
    )


def fastapi_app() -> starlette.types.ASGIApp:
    app = FastAPI()
    app.mount("/miharu", miharu.asgi())
    app.add_middleware(miharu.MiharuMiddleware)
    app.add_middleware(
        miharu.MiharuMiddleware, path="/usage", auth=by_connection, allowed_hosts=["a.example"]
    )
    return miharu.MiharuMiddleware(app)


@litestar.asgi("/miharu", is_mount=True, copy_scope=True)
async def litestar_mount(
    scope: litestar.types.Scope, receive: litestar.types.Receive, send: litestar.types.Send
) -> None:
    await miharu.asgi(auth=by_litestar)(scope, receive, send)


def litestar_app() -> miharu.MiharuMiddleware:
    return miharu.MiharuMiddleware(Litestar([litestar_mount]), auth=by_litestar)


async def plain(
    scope: starlette.types.Scope, receive: starlette.types.Receive, send: starlette.types.Send
) -> None:
    await miharu.asgi()({**scope, "root_path": "/miharu"}, receive, send)


def by_environ(environ: dict[str, Any]) -> bool:
    return bool(environ["REMOTE_USER"])


def wsgi_app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [])
    return []


def served_by_wsgi() -> WSGIApplication:
    miharu.MiharuWsgiMiddleware(wsgi_app, path="/usage", auth="token", allowed_hosts=["a.example"])
    return miharu.MiharuWsgiMiddleware(wsgi_app, auth=by_environ)


def provider() -> str:
    with FakeProvider(answer=str.upper, latency=lambda model: 0.1 if model else 0.0) as fake:
        return fake.base_url
