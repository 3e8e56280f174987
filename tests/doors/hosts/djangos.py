"""Django's ASGI application: inside the middleware, and beside the dashboard in a dispatcher of asgi.py."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from django.conf import settings

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="any", MIDDLEWARE=[])

from django.core.asgi import get_asgi_application  # noqa: E402 - the settings come first
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.routing import Mount  # noqa: E402

import miharu  # noqa: E402
from tests.doors.witness import Inside, Middleware, Outside  # noqa: E402

miharu.init()
released = asyncio.Event()


async def hello(_: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


async def stream(_: HttpRequest) -> StreamingHttpResponse:
    async def lines() -> AsyncIterator[str]:
        yield "one\n"
        await released.wait()
        yield "two\n"

    return StreamingHttpResponse(lines())


async def release(_: HttpRequest) -> HttpResponse:
    released.set()
    return HttpResponse("released")


urlpatterns = [path("hello", hello), path("stream", stream), path("release", release)]
django: Any = get_asgi_application()


async def _dispatch(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http" and scope["path"].startswith("/miharu"):
        await dashboard({**scope, "root_path": "/miharu"}, receive, send)
    else:
        await django(scope, receive, send)


dashboard = Inside(miharu.asgi())
bare = Outside(django)
middleware = Outside(Middleware(django))
dispatched = Outside(_dispatch)
mounted = Outside(Starlette(routes=[Mount("/miharu", Inside(miharu.asgi())), Mount("/", django)]))
