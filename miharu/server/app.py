"""The application: the pages of the dashboard, the API beside them, and who may have them."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from litestar import Litestar, Request, Response, Router, route
from litestar.exceptions import PermissionDeniedException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ASGIApp, Message, Method, Scope

from miharu._version import __version__
from miharu.dashboard.access.decide import Access
from miharu.dashboard.access.names import is_loopback
from miharu.dashboard.door import Door, asked_path, send_page, unix_ms
from miharu.dashboard.http.headers import SECURITY
from miharu.dashboard.http.page import Page
from miharu.dashboard.resources.health import healthy, unwell
from miharu.dashboard.routes import METHODS
from miharu.errors import StoreError
from miharu.server.api import DESCRIPTION, api

if TYPE_CHECKING:
    from miharu.monitor import Monitor

__all__ = ("access_for", "create_app")

_METHODS: tuple[Method, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def create_app(
    monitor: "Monitor",
    *,
    host: str = "127.0.0.1",
    clock: Callable[[], int] | None = None,
    ingest: bool = False,
) -> Litestar:
    """The server's application.

    Args:
        monitor: Whose calls are shown.
        host: Where it will listen; only a loopback address opens it to local visitors without a token.
        clock: Unix milliseconds.
        ingest: Whether it takes in what other programs send; the monitor records then.
    """
    now = clock or unix_ms
    door = Door(access_for(host), lambda: monitor, now)

    async def check(request: Request[Any, Any, Any]) -> None:
        if not await door.admits(request.scope):  # type: ignore[arg-type]
            raise PermissionDeniedException("Send the dashboard's token: 'Authorization: Bearer <token>'.")

    questions = api(monitor, now, before_request=check)
    description = Router("/api", route_handlers=[], before_request=check, include_in_schema=False)
    # Litestar 2 sets up the root logger unless told not to; Litestar 3 does not, and knows no such argument.
    quiet: dict[str, Any] = (
        {"logging_config": None} if "logging_config" in inspect.signature(Litestar).parameters else {}
    )
    return Litestar(
        [_pages(door), _health(door, monitor), questions, *(_ingest(monitor) if ingest else ())],
        openapi_config=OpenAPIConfig(
            title="miharu",
            version=__version__,
            description=DESCRIPTION,
            openapi_router=description,
            render_plugins=[JsonRenderPlugin()],
            use_handler_docstrings=True,
        ),
        before_send=[_secure],
        exception_handlers={StoreError: _unavailable},
        debug=False,
        **quiet,
    )


def _pages(door: Door) -> Any:
    @route(["/", "/{path:path}"], http_method=_METHODS, include_in_schema=False)
    async def pages(request: Request[Any, Any, Any]) -> ASGIApp:
        scope: Any = request.scope
        # Litestar has tidied its path; what was asked for decides.
        return _sending(await door.answer(scope, asked_path(scope)))

    return pages


def _health(door: Door, monitor: "Monitor") -> Any:
    async def look() -> Page:
        await monitor.questions.revision()
        return healthy()

    @route("/healthz", http_method=_METHODS, include_in_schema=False)
    async def healthz(request: Request[Any, Any, Any]) -> ASGIApp:
        scope: Any = request.scope
        if request.method in METHODS:
            try:
                page = await monitor.read(look)
            except Exception:  # noqa: BLE001 - after any failure the answer is no
                page = unwell()
        else:
            page = await door.answer(scope, asked_path(scope))
        return _sending(page)

    return healthz


def _ingest(monitor: "Monitor") -> list[Any]:
    from miharu.ingest import Ingest

    taking = Ingest(lambda: monitor)

    def taken(path: str) -> Any:
        @route(path, http_method=_METHODS, include_in_schema=False)
        async def take(request: Request[Any, Any, Any]) -> ASGIApp:  # noqa: ARG001 - its scope is handed on
            async def answer(scope: Any, receive: Any, send: Any) -> None:
                await taking.answer(scope, receive, send, path)

            return answer

        return take

    return [taken(path) for path in taking.paths]


def _sending(page: Page) -> ASGIApp:
    async def send_it(scope: Any, _receive: Any, send: Any) -> None:
        await send_page(page, scope, send)

    return send_it


def _unavailable(_request: Request[Any, Any, Any], error: StoreError) -> Response[dict[str, Any]]:
    return Response({"status_code": 503, "detail": str(error)}, status_code=503)


async def _secure(message: Message, _scope: Scope) -> None:
    """Give the same headers to what Litestar answers itself."""
    if message["type"] == "http.response.start":
        headers = list(message.get("headers", ()))
        names = {name.lower() for name, _ in headers}
        for name, value in (*SECURITY, ("Cache-Control", "no-store")):
            if name.lower().encode() not in names:
                headers.append((name.lower().encode(), value.encode()))
        message["headers"] = headers


def access_for(host: str) -> Access:
    """Who may come in when it listens there."""
    return Access(fallback="local" if host == "localhost" or is_loopback(host) else "token")
