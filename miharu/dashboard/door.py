"""The way into the dashboard: from a scope to a view, and from a page to ASGI messages.

The dashboard's addresses are flat and relative, so a door has to know only which part of the path lies
below it. Hosts disagree on how they say that; ``inner_path`` reads what each of them leaves behind.
A request of WSGI comes as a scope, too (``_wsgi/environ.py``).
"""

import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from miharu._guard import swallowed
from miharu.config import public_url
from miharu.dashboard.access.decide import Access
from miharu.dashboard.access.interface import ASGI, Interface
from miharu.dashboard.access.visit import Visit
from miharu.dashboard.http.notice import notice
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.errors import NoDatabase, StoreError

if TYPE_CHECKING:
    from miharu.monitor import Monitor

__all__ = (
    "Door",
    "Receive",
    "Scope",
    "Send",
    "asked_path",
    "hear_out",
    "inner_path",
    "on_one_line",
    "send_page",
    "unix_ms",
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Door:
    """Answers requests for the dashboard; never raises an exception of ours.

    Args:
        access: Who is let in.
        monitor: Whose calls are shown; ``None`` from it means that the program has not called ``init()``.
        clock: Unix milliseconds.
        interface: The one by which the host calls us.
    """

    def __init__(
        self,
        access: Access,
        monitor: "Callable[[], Monitor | None]",
        clock: Callable[[], int] | None = None,
        interface: Interface = ASGI,
    ) -> None:
        self._interface = interface
        self._access = access
        self._monitor = monitor
        self._clock = clock or unix_ms

    async def answer(self, scope: Scope, path: str | None = None, base: str | None = None) -> Page:
        """The page for a request.

        ``path`` is the part below the dashboard, from its slash on; ``base`` is the path of the dashboard as
        the visitor sees it. Both are read from the scope where they are not given.
        """
        try:
            return await self._answer(scope, inner_path(scope) if path is None else path, base)
        except Exception:  # noqa: BLE001 - the guard
            swallowed("showing the dashboard")
            return _BROKEN

    async def admits(self, scope: Scope) -> bool:
        """Whether the visitor may have answers that are not pages, such as those of the JSON API."""
        monitor = self._monitor()
        if monitor is None:
            return False
        visit = _visit(scope, inner_path(scope), None)
        decision = await self._access.decide(visit, monitor.config.database)
        return decision.page is None or decision.page.status < 400

    async def _answer(self, scope: Scope, path: str, base: str | None) -> Page:
        if len(scope.get("query_string", b"")) + len(scope["path"]) > _LONGEST:
            return _TOO_LONG  # before anything is made of it: this is the host's loop
        if (onward := _with_slash(scope, path)) is not None:
            return notice(307, "One slash further", headers=(("Location", onward),))
        monitor = self._monitor()
        if monitor is None or monitor.config.disabled:
            return _NOT_STARTED
        visit = _visit(scope, path, base)
        decision = await self._access.decide(visit, monitor.config.database)
        if decision.page is not None:
            return decision.page
        request = PageRequest(
            path=path[1:],
            params=visit.params,
            repeated=_repeated(scope),
            headers=visit.headers,
            method=scope["method"],
        )

        async def view() -> Page:
            # On miharu's own loop: the templates' engine takes a while to import, and the host must not wait.
            from miharu.dashboard.routes import respond

            site = Site(
                store=monitor.questions,
                database=public_url(monitor.config.database),
                access=decision.access,
                losses=lambda: monitor.stats()["dropped"],
                clock=self._clock,
                figures=None if monitor.read_only else monitor.stats,
                budgets=lambda: monitor.stats()["budgets"],
                alerts=lambda: monitor.alerts,
                formats=monitor.config.providers,
                running=None if monitor.read_only else lambda: monitor.running() or (),
            )
            return await respond(request, site)

        try:
            return await self._interface.read(monitor, view)
        except StoreError as error:
            return _unreadable(error)


def _unreadable(error: StoreError) -> Page:
    if isinstance(error, NoDatabase):
        then = "This page opens the dashboard by itself once your program has made a call."
        return notice(503, "No calls yet", escape(str(error)), then, again_s=2)
    return notice(503, "The calls cannot be read", escape(str(error)))


async def hear_out(scope: Scope, receive: Receive) -> None:
    """Take in what is sent along: hypercorn loses an HTTP/2 connection that is answered before."""
    heard = 0
    while scope["method"] not in {"GET", "HEAD"} and heard < _LONGEST_BODY:
        message = await receive()
        heard += len(message.get("body", b""))
        if not message.get("more_body"):
            return


async def send_page(page: Page, scope: Scope, send: Send) -> None:
    """Send the page whole; to HEAD, its head."""
    headers = [(name.lower().encode("latin-1"), on_one_line(value)) for name, value in page.headers]
    await send({"type": "http.response.start", "status": page.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope.get("method") == "HEAD" else page.body})


def on_one_line(value: str) -> bytes:
    """The value without line breaks, so that no part of it becomes another header."""
    return _CONTROLS.sub("", value).encode("latin-1", "replace")


def inner_path(scope: Mapping[str, Any]) -> str:
    """The part of the path below the mount, from its slash on; ``/`` for the mount itself."""
    told = scope.get("route_path")  # Starlette 0.33 and 0.34
    if isinstance(told, str):
        return told or "/"
    path, root, raw = str(scope["path"]), _root(scope), _raw_path(scope)
    if raw and path.endswith("/") and not raw.endswith("/"):
        path = path[:-1]  # Litestar's mount has put that slash there
    if root:
        if raw.rstrip("/") == (root + path).rstrip("/"):
            return path or "/"  # the host has taken the mount away itself
        start = 0
        while (
            start != -1
        ):  # the longest end of root_path with which the path begins: a proxy may strip its start
            end_of_root = root[start:]
            if path == end_of_root or path.startswith(end_of_root + "/"):
                return path[len(end_of_root) :] or "/"
            start = root.find("/", start + 1)
    return path or "/"


def asked_path(scope: Mapping[str, Any]) -> str:
    """The path as the visitor asked for it, mount and all."""
    return _raw_path(scope) or str(scope["path"])


def _visit(scope: Scope, path: str, base: str | None) -> Visit:
    return Visit(
        scope=scope,
        headers=_headers(scope),
        params=_params(scope),
        base=base or _base(scope, path),
        path=path,
    )


def _with_slash(scope: Mapping[str, Any], path: str) -> str | None:
    """Where a request for the mount without its slash is sent: relative links need that slash."""
    asked = asked_path(scope)
    if path != "/" or asked.endswith("/") or not asked:
        return None
    last = quote(asked.rpartition("/")[2], safe="~!$&'()*+,=@") + "/"
    query = scope.get("query_string", b"").decode("latin-1")
    return last + (f"?{quote(query, safe=_QUERY)}" if query else "")


def _base(scope: Mapping[str, Any], path: str) -> str:
    asked = asked_path(scope)
    prefix = asked.removesuffix(path) if path != "/" else asked.rstrip("/")
    root = _root(scope)
    return (root if root.endswith(prefix) else prefix) + "/"


def _root(scope: Mapping[str, Any]) -> str:
    return str(scope.get("root_path") or "").rstrip("/")


def _raw_path(scope: Mapping[str, Any]) -> str:
    """The path as it was asked for, decoded; empty where the server does not say (ASGI leaves it free)."""
    raw = bytes(scope.get("raw_path") or b"").partition(b"?")[0]
    return unquote_to_bytes(raw).decode(errors="replace")


def _headers(scope: Mapping[str, Any]) -> dict[str, str]:
    """Repeated names are joined, so that a second Host matches nothing; HTTP/2 may split the cookies."""
    headers: dict[str, list[str]] = {}
    for raw_name, raw_value in scope.get("headers", ()):
        headers.setdefault(raw_name.decode("latin-1").lower(), []).append(raw_value.decode("latin-1"))
    return {name: ("; " if name == "cookie" else ", ").join(values) for name, values in headers.items()}


def _params(scope: Mapping[str, Any]) -> dict[str, str]:
    return dict(_pairs(scope))


def _repeated(scope: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is asked for in several ways; a form may send a field that was left empty beside another."""
    values: dict[str, dict[str, None]] = {}
    for name, value in _pairs(scope):
        if value:
            values.setdefault(name, {})[value] = None
    return {name: list(given) for name, given in values.items() if len(given) > 1}


def _pairs(scope: Mapping[str, Any]) -> list[tuple[str, str]]:
    query = bytes(scope.get("query_string", b"")).decode("latin-1")
    return parse_qsl(query, keep_blank_values=True)


def unix_ms() -> int:
    return time.time_ns() // 1_000_000


_QUERY = "~!$&'()*+,=@:/?%;-._"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST = 8192
_LONGEST_BODY = 1 << 20
_TOO_LONG = notice(414, "That address is too long", "The links of the dashboard are shorter.")
_NOT_STARTED = notice(
    503,
    "miharu has not been started",
    "Add <code>miharu.init()</code> where your program starts, and open this page again.",
    "Where it is called already, <code>MIHARU_DISABLED</code> may be set, or the log says what was wrong.",
)
_BROKEN = notice(
    500,
    "This page could not be shown",
    "Your program is not affected, and its calls are still recorded. The log says what went wrong.",
)
