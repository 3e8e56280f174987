"""``MiharuWsgiMiddleware``: for Flask, Django and every other app that is called by WSGI.

    app.wsgi_app = miharu.MiharuWsgiMiddleware(app.wsgi_app)           Flask
    application = miharu.MiharuWsgiMiddleware(get_wsgi_application())  Django, in wsgi.py

It imports no web framework, and changes neither the environ nor what the app answers. The dashboard's views
run on miharu's own loop, as they do under ASGI; the thread of the request waits for them.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from miharu._guard import swallowed
from miharu._middleware import Start, checked_path, current
from miharu._wsgi.answers import in_steps
from miharu._wsgi.environ import scope_of
from miharu.attribution.context import Origin
from miharu.attribution.routes.wsgi import settle
from miharu.attribution.stepping import Stepping
from miharu.config import AuthMode
from miharu.dashboard.access.decide import PROCESS, Access
from miharu.dashboard.access.interface import WSGI, result_of
from miharu.dashboard.access.origin import asks_for_another
from miharu.dashboard.access.refusals import FOREIGN
from miharu.dashboard.door import Door, on_one_line
from miharu.dashboard.http.page import Page
from miharu.errors import ConfigError

__all__ = ("MiharuWsgiMiddleware", "WSGIApp", "WSGIAuth")

WSGIApp = Callable[[Any, Any], Iterable[bytes]]
"""A WSGI app of any framework: each has types of its own for its two arguments."""
WSGIAuth = AuthMode | Callable[[dict[str, Any]], bool]
"""A mode, or a function of the WSGI environ."""

_LONGEST_BODY = 1 << 20


class MiharuWsgiMiddleware:
    """Serves the dashboard below ``path``, and tells each call which request of your app made it.

    The twin of ``MiharuMiddleware`` for apps that are called by WSGI. It calls ``miharu.init()`` at the first
    request unless your app has called it.

    Args:
        app: Your app.
        path: Where the dashboard is, below the app's ``SCRIPT_NAME``.
        auth: Who may see it: ``auto``, ``token`` or ``off`` (see ``miharu.asgi``), or your own plain function
            of the WSGI environ; its ``True`` lets the visitor in.
        allowed_hosts: By which names; see there.
        metrics_token: For scrapers; see there.

    Raises:
        ConfigError: ``path``, ``auth``, ``allowed_hosts`` or ``metrics_token`` is not valid.
    """

    def __init__(
        self,
        app: WSGIApp,
        path: str = "/miharu",
        auth: WSGIAuth = "auto",
        allowed_hosts: Iterable[str] = (),
        metrics_token: str | None = None,
    ) -> None:
        self._path = checked_path(app, path, "a WSGI app", "MiharuWsgiMiddleware")
        if inspect.iscoroutinefunction(auth) or inspect.iscoroutinefunction(getattr(auth, "__call__", None)):  # noqa: B004 - of which kind it is
            raise ConfigError(f"auth={auth!r}: give a plain function; WSGI has no event loop.", "auth")
        self._app = app
        access = Access(auth, allowed_hosts, metrics_token=metrics_token, interface=WSGI)
        self._door = Door(access, current, interface=WSGI)
        self._start = Start()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve the dashboard, or pass the request on."""
        try:
            self._start()
            scope = scope_of(environ)
            PROCESS.look(scope)
            below = scope["path"][len(scope["root_path"]) :]
            stepping = None if self._is_ours(below) else Stepping(Origin(scope, self._app))
        except Exception:  # noqa: BLE001 - the guard
            swallowed("MiharuWsgiMiddleware")
            return self._app(environ, start_response)
        if stepping is None:
            _hear_out(environ)
            return _send(self._page(scope, below), environ, start_response)
        ended = partial(_settle, scope)
        try:
            answer = stepping.run(self._app, environ, start_response)
        except BaseException:
            ended()
            raise
        return in_steps(answer, environ, stepping, ended)

    def _is_ours(self, below: str) -> bool:
        return below == self._path or below.startswith(self._path + "/")

    def _page(self, scope: dict[str, Any], below: str) -> Page:
        headers = dict(scope["headers"])
        told = {
            name: headers[name.encode()].decode("latin-1") for name in _OF_ORIGIN if name.encode() in headers
        }
        if asks_for_another(told):
            return FOREIGN
        base = f"{scope['root_path']}{self._path}/"
        return result_of(self._door.answer(scope, below[len(self._path) :] or "/", base))


_OF_ORIGIN = ("origin", "host")
"""A page of another site may send ``Sec_Fetch_Site``, which is ``Sec-Fetch-Site`` here; but it then sends an
origin, which it cannot choose. So an origin that is not ours is refused, whatever else is told."""


def _settle(scope: dict[str, Any]) -> None:
    try:
        settle(scope)
    except Exception:  # noqa: BLE001 - the guard
        swallowed("MiharuWsgiMiddleware")


def _hear_out(environ: Mapping[str, Any]) -> None:
    """Take in what is sent along: uWSGI's router has no answer for a visitor whose body is not read."""
    try:
        if environ.get("REQUEST_METHOD") in {"GET", "HEAD"}:
            return
        length = str(environ.get("CONTENT_LENGTH") or "")
        most = (
            int(length) if length.isdecimal() else _LONGEST_BODY * bool(environ.get("wsgi.input_terminated"))
        )
        if most:
            environ["wsgi.input"].read(min(most, _LONGEST_BODY))
    except Exception:  # noqa: BLE001 - the visitor has gone, or has sent no body that can be read
        return


def _send(page: Page, environ: Mapping[str, Any], start_response: Any) -> Iterable[bytes]:
    """Send the page whole; to HEAD, its head."""
    headers = [(name, on_one_line(value).decode("latin-1")) for name, value in page.headers]
    start_response(f"{page.status} {HTTPStatus(page.status).phrase}", headers)
    return [page.body] if page.body and environ.get("REQUEST_METHOD") != "HEAD" else []
