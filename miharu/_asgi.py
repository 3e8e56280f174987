"""The dashboard inside your own web app, and the routes of your app in the dashboard.

    app.mount("/miharu", miharu.asgi())            the dashboard alone
    app.add_middleware(miharu.MiharuMiddleware)    the dashboard, and which route made which call

Both are plain ASGI and import no web framework. They need no lifespan, read no body of the host's, and leave
its scope as it is. For WSGI there is ``_wsgi``.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

from miharu._guard import swallowed
from miharu._middleware import Start, checked_path, current
from miharu.attribution.context import Beginning, Origin
from miharu.attribution.routes import sources
from miharu.config.refusal import refused
from miharu.dashboard.access.decide import PROCESS, Access, Auth
from miharu.dashboard.door import Door, Receive, Scope, Send, hear_out, inner_path, send_page

if TYPE_CHECKING:
    from miharu.ingest import Ingest

__all__ = ("ASGIApp", "MiharuMiddleware", "asgi")

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI app of any framework: each has types of its own for the scope and the two functions."""


def asgi(
    *,
    auth: Auth = "auto",
    allowed_hosts: Iterable[str] = (),
    metrics_token: str | None = None,
    ingest: bool = False,
) -> ASGIApp:
    """The dashboard as an ASGI app, to be mounted; it may be made before ``miharu.init()``.

    Args:
        auth: Who may see it: ``auto`` (local visitors of a developer's process, others by token), ``token``,
            ``off``, or your own function of the ASGI scope, sync or async; its ``True`` lets the visitor in.
        allowed_hosts: The names, besides ``localhost``, by which it may be asked for, such as
            ``llm.example``; all others are refused then. By default ``MIHARU_ALLOWED_HOSTS``.
        metrics_token: Opens ``/metrics`` to a scraper that sends it as a bearer token, and nothing else. By
            default ``MIHARU_METRICS_TOKEN``.
        ingest: Whether it also takes in what other programs send, with the token, below its ``v1/``. They
            are stored in the database of this program.

    Raises:
        ConfigError: ``auth`` is not one of these, or a host, the token or ``ingest`` is not valid.
    """
    if not isinstance(ingest, bool):
        raise refused("ingest", ingest, "give True or False")
    door, taking = _door(auth, allowed_hosts, metrics_token), _ingest() if ingest else None

    async def dashboard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if taking is not None and (path := inner_path(scope)) in taking.paths:
                await taking.answer(scope, receive, send, path)
                return
            page = await door.answer(scope)
            await hear_out(scope, receive)
            await send_page(page, scope, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "lifespan":
            await _agree(receive, send)

    return dashboard


class MiharuMiddleware:
    """Serves the dashboard below ``path``, and tells each call which request of your app made it.

    It calls ``miharu.init()`` at the first request unless your app has called it. Not earlier: an app may be
    built before a server forks, and its start-up may still call ``init()`` with settings of its own, which
    win.

    Args:
        app: Your app.
        path: Where the dashboard is, below the app's ``root_path``.
        auth: Who may see it; see ``miharu.asgi``.
        allowed_hosts: By which names; see there.
        metrics_token: For scrapers; see there.

    Raises:
        ConfigError: ``path``, ``auth``, ``allowed_hosts`` or ``metrics_token`` is not valid.
    """

    def __init__(
        self,
        app: ASGIApp,
        path: str = "/miharu",
        auth: Auth = "auto",
        allowed_hosts: Iterable[str] = (),
        metrics_token: str | None = None,
    ) -> None:
        self._path = checked_path(app, path, "an ASGI app", "MiharuMiddleware")
        self._app = app
        self._door = _door(auth, allowed_hosts, metrics_token)
        self._start = Start()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the dashboard, or pass the request on."""
        if scope["type"] not in {"http", "websocket"}:
            sources.serve()
            await self._app(scope, receive, send)
            return
        try:
            self._start()
            PROCESS.look(scope)
        except Exception:  # noqa: BLE001 - the guard
            swallowed("MiharuMiddleware")
        root, path = _split(scope)
        if scope["type"] == "http" and (path == self._path or path.startswith(self._path + "/")):
            inner = path[len(self._path) :] or "/"
            page = await self._door.answer(scope, inner, f"{root}{self._path}/")
            await hear_out(scope, receive)
            await send_page(page, scope, send)
            return
        origin = Origin(scope, self._app)
        with Beginning(origin):
            await self._app(scope, _overheard(receive, origin) if scope["type"] == "http" else receive, send)


def _door(auth: Auth, allowed_hosts: Iterable[str], metrics_token: str | None) -> Door:
    return Door(Access(auth, allowed_hosts, metrics_token=metrics_token), current)


def _ingest() -> "Ingest":
    from miharu.ingest import Ingest

    return Ingest(current)


def _overheard(receive: Receive, origin: Origin) -> Receive:
    """The host's ``receive``, unchanged, which notes when the host is told that its visitor has gone."""

    async def overhear() -> MutableMapping[str, Any]:
        message = await receive()
        try:
            if message["type"] == "http.disconnect" and not origin.left:
                origin.left = time.perf_counter_ns()
        except Exception:  # noqa: BLE001 - the guard
            swallowed("MiharuMiddleware")
        return message

    return overhear


def _split(scope: Scope) -> tuple[str, str]:
    """The prefix that the server or the host knows of, and the path below it."""
    root, path = str(scope.get("root_path") or "").rstrip("/"), str(scope["path"])
    below = path.removeprefix(root) if path == root or path.startswith(root + "/") else path
    return root, below


async def _agree(receive: Receive, send: Send) -> None:
    """Take part in a lifespan, should a host send one; there is nothing to start and nothing to stop."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
