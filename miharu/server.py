"""The dashboard on its own, for ``miharu dashboard``: the same pages as in a host app, and a JSON API.

/                     the pages
/api/totals           sums of a period
/api/calls            the newest calls; /api/calls/{id} one of them, with its body where that was kept
/api/openapi.json     what the API takes and gives
/healthz              whether the database can be read; asks for no token and tells nothing else
"""

import errno
import inspect
import os
import socket
import threading
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import uvicorn
from litestar import Litestar, Request, Response, Router, get, route
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.types import ASGIApp, Message, Method, Scope

from miharu._version import __version__
from miharu.call import Body, Call, Status
from miharu.dashboard.access import Access, is_loopback
from miharu.dashboard.door import Door, asked_path, send_page, unix_ms
from miharu.dashboard.headers import SECURITY
from miharu.dashboard.tokens import token_for, token_from
from miharu.errors import MiharuError, StoreError
from miharu.stores.base import Query, Totals

if TYPE_CHECKING:
    from miharu.monitor import Monitor

__all__ = ("create_app", "run")

_DAY = 24 * 3600 * 1000
_METHODS: tuple[Method, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

Since = Annotated[
    int | None,
    QueryParameter(description="Unix milliseconds; by default a day before the end.", ge=0, le=2**62),
]
Until = Annotated[
    int | None,
    QueryParameter(description="Unix milliseconds, itself excluded; by default now.", ge=0, le=2**62),
]
Limit = Annotated[int, QueryParameter(ge=1, le=500)]
Text = FromQuery[str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWithBody:
    """A call, and what was sent and received, as text, where that was kept."""

    call: Call
    request: str | None
    response: str | None


def create_app(
    monitor: "Monitor", *, host: str = "127.0.0.1", clock: Callable[[], int] | None = None
) -> Litestar:
    """The server's application.

    Args:
        monitor: Whose calls are shown.
        host: Where it will listen; only a loopback address opens it to local visitors without a token.
        clock: Unix milliseconds.
    """
    now = clock or unix_ms
    door = Door(_access(host), lambda: monitor, now)

    async def check(request: Request[Any, Any, Any]) -> None:
        if not await door.admits(request.scope):  # type: ignore[arg-type]
            raise PermissionDeniedException("Send the dashboard's token: 'Authorization: Bearer <token>'.")

    api = Router("/api", route_handlers=_api(monitor, now), before_request=check)
    description = Router("/api", route_handlers=[], before_request=check, include_in_schema=False)
    # Litestar 2 sets up the root logger unless told not to; Litestar 3 does not, and knows no such argument.
    quiet: dict[str, Any] = (
        {"logging_config": None} if "logging_config" in inspect.signature(Litestar).parameters else {}
    )
    return Litestar(
        [_pages(door), _health(monitor), api],
        openapi_config=OpenAPIConfig(
            title="miharu",
            version=__version__,
            openapi_router=description,
            render_plugins=[JsonRenderPlugin()],
            use_handler_docstrings=True,
        ),
        before_send=[_secure],
        exception_handlers={StoreError: _unavailable},
        debug=False,
        **quiet,
    )


def run(
    monitor: "Monitor",
    host: str = "127.0.0.1",
    port: int = 3001,
    *,
    open_browser: bool = False,
    announce: Callable[[str], object] = print,
) -> None:
    """Serve until Ctrl-C; once it listens, ``announce`` is given the address to open.

    Raises:
        MiharuError: It cannot listen there; the message says what to do.
    """
    with _listen(host, port) as listener:
        said, opened = _address(monitor, host, listener.getsockname()[1])

        def present() -> None:
            announce(said)
            if open_browser:
                _open(opened)

        config = uvicorn.Config(
            create_app(monitor, host=host),
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # who asks is judged by the connection itself
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=2,
        )
        server = _Server(config, present)
        with suppress(KeyboardInterrupt):  # uvicorn has closed everything, and passes the signal on
            server.run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, when_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._when_ready()


def _pages(door: Door) -> Any:
    @route(["/", "/{path:path}"], http_method=_METHODS, include_in_schema=False)
    async def pages(request: Request[Any, Any, Any]) -> ASGIApp:
        scope: Any = request.scope
        # Litestar has tidied its path; what was asked for decides.
        page = await door.answer(scope, asked_path(scope))

        async def send_it(scope: Any, _receive: Any, send: Any) -> None:
            await send_page(page, scope, send)

        return send_it

    return pages


def _health(monitor: "Monitor") -> Any:
    async def look() -> None:
        await monitor.store.revision()

    @get("/healthz", include_in_schema=False)
    async def healthz() -> Response[dict[str, str]]:
        try:
            await monitor.read(look)
        except Exception:  # noqa: BLE001 - whatever it is, the answer is no
            return Response({"status": "the database cannot be read"}, status_code=503)
        return Response({"status": "ok"})

    return healthz


def _api(monitor: "Monitor", now: Callable[[], int]) -> list[Any]:
    def query(start: int | None, end: int | None, **fields: Any) -> Query:
        end = now() + 1 if end is None else end
        return Query(start=end - _DAY if start is None else start, end=end, **fields)

    @get("/totals")
    async def totals(  # noqa: PLR0917 - Litestar passes them by name
        start: Since = None,
        end: Until = None,
        model: Text = None,
        provider: Text = None,
        route: Text = None,
        user_id: Text = None,
        status: FromQuery[Status | None] = None,
    ) -> Totals:
        """Sums over the calls of a period."""
        asked = query(start, end, model=model, provider=provider, route=route, user_id=user_id, status=status)
        return await monitor.read(lambda: monitor.store.totals(asked))

    @get("/calls")
    async def calls(  # noqa: PLR0917 - ditto
        start: Since = None,
        end: Until = None,
        model: Text = None,
        provider: Text = None,
        route: Text = None,
        user_id: Text = None,
        status: FromQuery[Status | None] = None,
        limit: Limit = 50,
        before: Text = None,
    ) -> Sequence[Call]:
        """The newest calls of a period, without their bodies; ``before`` is the id of the last one seen."""
        asked = query(start, end, model=model, provider=provider, route=route, user_id=user_id, status=status)
        return await monitor.read(lambda: monitor.store.calls(asked, limit, before))

    @get("/calls/{id:str}")
    async def call(id: FromPath[str]) -> CallWithBody:  # noqa: A002 - the column's name
        """One call, with its body where that was kept."""
        found = await monitor.read(lambda: monitor.store.call(id))
        if found is None:
            raise NotFoundException("There is no call of that id.")
        body = found.body or Body(request=None, response=None)
        return CallWithBody(
            call=replace(found, body=None), request=_text(body.request), response=_text(body.response)
        )

    return [totals, calls, call]


def _text(body: bytes | None) -> str | None:
    return None if body is None else body.decode("utf-8", "replace")


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


def _access(host: str) -> Access:
    return Access(fallback="local" if host == "localhost" or is_loopback(host) else "token")


def _address(monitor: "Monitor", host: str, port: int) -> tuple[str, str]:
    """What may be said aloud, and what opens the dashboard."""
    name = "localhost" if host in {"", "0.0.0.0", "::"} else f"[{host}]" if ":" in host else host  # noqa: S104
    address = f"http://{name}:{port}/"
    if _access(host).mode() != "token":
        return address, address
    chosen = token_from(os.environ)
    if chosen:
        return f"{address}?token=<the value of MIHARU_TOKEN>", f"{address}?{urlencode({'token': chosen})}"
    link = f"{address}?token={token_for(monitor.database_path)}"
    return link, link


def _open(address: str) -> None:
    # Some browsers return only when they are closed.
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:  # the resolver would take the remainder
        raise MiharuError(f"Port {port} does not exist: choose one up to 65535 with --host and --port.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise MiharuError(
            f"Cannot listen on {host!r}, port {port}: {error}. Choose with --host and --port."
        ) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise MiharuError(
                f"Port {port} on {host} is in use, perhaps by another miharu dashboard. "
                "Choose a free one with --port."
            ) from error
        raise MiharuError(
            f"Cannot listen on {host}, port {port}: {error.strerror}. Choose with --host and --port."
        ) from error
    return listener
