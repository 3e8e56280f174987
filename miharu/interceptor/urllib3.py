"""The patch of urllib3, on which requests and botocore (boto3) run.

``HTTPConnectionPool.urlopen`` is what each request passes: from there on a program waits for a connection and
for its answer. It tries again by calling itself, so each attempt is an exchange. ``_make_request`` below it
is the one step that has the response, once for each attempt, whatever is made of it above.
"""

import http.client
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

from miharu._guard import swallowed
from miharu.attribution import context
from miharu.exchange import Exchange, Request, ends_of
from miharu.interceptor import handoff
from miharu.interceptor.forms import plain_fields
from miharu.interceptor.handoff import admit, begun, finish, forget, inside, is_unseen
from miharu.interceptor.http_client import tee
from miharu.interceptor.wrapping import wrap

__all__ = ("Urllib3Exchange", "patch")

_PORTS = {"http": 80, "https": 443}

_sending: ContextVar["Urllib3Exchange | None"] = ContextVar("miharu_sending", default=None)
"""The exchange whose request is on its way through a pool, if any."""


class Urllib3Exchange(Exchange):
    __slots__ = ("address", "asked_headers", "gap", "method", "place", "pool", "read_by", "sent")

    pool: Any
    """The pool that it goes through, until it is answered."""
    read_by: Callable[[object], None] | None
    """Takes urllib3's response, where there was only that of ``http.client`` at first."""
    sent: bytes | str | None
    """The request's body, where it is plain."""

    def __init__(self, method: str, pool: Any, address: str, *reference: Any) -> None:
        super().__init__(*reference)
        self.method = method
        self.pool = pool
        self.place = pool.scheme, pool.host, pool.port
        self.address = address
        self.asked_headers: Any = None
        self.read_by = None
        self.sent = None
        self.gap: int | None = None

    def asked_size(self) -> int:
        return len(self.sent or b"")

    def abridge_request(self) -> None:
        body = self.sent.encode() if isinstance(self.sent, str) else self.sent
        self.sent, self.gap = ends_of(body) if body else (None, None)

    def request(self) -> Request:
        scheme, host, port, path = _where(self.place, self.address)
        headers = _joined(self.asked_headers)
        body = self.sent.encode() if isinstance(self.sent, str) else self.sent
        fields = plain_fields(body, headers.get("content-type", "")) if body else None
        shown = f"[{host}]" if ":" in host else host
        url = urlsplit(self.address)
        return Request(
            method=self.method,
            host=shown if port in {None, _PORTS.get(scheme)} else f"{shown}:{port}",
            path=path,
            query=url.query,
            userinfo=url.netloc.rpartition("@")[0],
            headers=headers,
            body=body if fields is None else None,
            fields=fields or {},
            gap=self.gap,
        )


def patch(library: ModuleType) -> str:
    """Patch the library's connection pools, once, and say at which level they are seen."""
    pools = getattr(library, "HTTPConnectionPool", None)
    if not hasattr(pools, "urlopen") or not hasattr(pools, "_make_request"):
        return "none"
    wrap(pools, "urlopen", _urlopen)  # type: ignore[arg-type]
    wrap(pools, "_make_request", _make_request)  # type: ignore[arg-type]
    return "client"


def _urlopen(original: Callable[..., Any]) -> Callable[..., Any]:
    def urlopen(self: Any, method: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = _begin(self, method, url, args, kwargs)
        if exchange is None:
            return original(self, method, url, *args, **kwargs)
        if exchange.method == "POST":  # what is fetched by its id was paid already
            admit()
        begun(exchange)
        token = _sending.set(exchange)
        try:
            response = original(self, method, url, *args, **kwargs)
        except BaseException as error:
            exchange.read_by = None
            finish(exchange, None, error)
            raise
        finally:
            exchange.pool = None
            with suppress(ValueError):  # a greenlet may have been thrown into another context
                _sending.reset(token)
        _returned(exchange, response)
        return response

    return urlopen


def _make_request(original: Callable[..., Any]) -> Callable[..., Any]:
    def make_request(self: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = _sending.get()
        if exchange is None or exchange.pool is not self or exchange.end is not None:
            return original(self, *args, **kwargs)
        exchange.pool = None  # what its answer leads to is an exchange of its own
        _note_headers(exchange, kwargs)
        try:
            response = original(self, *args, **kwargs)
        except BaseException as error:
            finish(exchange, None, error)
            raise
        _attach(exchange, response)
        return response

    return make_request


def _begin(pool: Any, method: Any, url: Any, args: Any, kwargs: Any) -> Urllib3Exchange | None:
    try:
        watching = handoff.target()
        if watching is None or (verb := method.upper()) not in {"POST", "GET"}:
            return None
        scheme, host, port, path = _where((pool.scheme, pool.host, pool.port), url)
        if not watching.gate.passes(verb, host, path):
            return None
        named = None if port == _PORTS.get(scheme) else port
        if inside.get() or is_unseen() or (watching.ignores and watching.ignores(host, named, path)):
            return None
        earlier = _sending.get()
        if earlier is not None and earlier.pool is pool and earlier.end is None:
            _give_up(earlier, args[2] if len(args) > 2 else kwargs.get("retries"))
        exchange = Urllib3Exchange(verb, pool, url, *context.now())
        body = args[0] if args else kwargs.get("body")
        headers = args[1] if len(args) > 1 else kwargs.get("headers")
        if isinstance(body, bytearray | memoryview):
            body = bytes(body)  # its owner may write over it
        exchange.sent = body if isinstance(body, bytes | str) else None  # others are read once, by urllib3
        exchange.asked_headers = pool.headers if headers is None else headers
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a request")
        return None
    else:
        return exchange


def _give_up(earlier: Urllib3Exchange, retries: Any) -> None:
    """End the attempt before this one, which got no connection: its error stands in the retries alone."""
    history = getattr(retries, "history", None)
    error = history[-1].error if history else None
    finish(earlier, "error", error if isinstance(error, BaseException) else None)


def _note_headers(exchange: Urllib3Exchange, kwargs: dict[str, Any]) -> None:
    """Take the headers that are sent. urllib3 has copied the caller's, unless they go through a tunnel."""
    try:
        headers = kwargs.get("headers")
        if headers is not None:
            same = headers is exchange.asked_headers
            exchange.asked_headers = list(_pairs(headers)) if same else headers
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a request")


def _attach(exchange: Urllib3Exchange, response: Any) -> None:
    """Note what the response says, and what is read of it; version 1 gives that of ``http.client`` here."""
    try:
        if response.status == 101:  # a protocol upgrade: no body, and no model call
            forget(exchange)
            return
        exchange.status = response.status
        exchange.response_headers = response.headers
        if isinstance(response, http.client.HTTPResponse):
            exchange.read_by = tee(response, exchange)
            return
        own = response.__dict__  # its attributes alone, none that would read on
        whole = own.get("_body")
        whole = own.get("_data") if whole is None else whole
        if isinstance(whole, bytes):  # it was read before anybody saw it
            if whole:
                exchange.keep(whole)
            exchange.decoded = bool(own.get("_has_decoded_content"))
            finish(exchange, "eof", None)
        elif isinstance(below := own.get("_fp"), http.client.HTTPResponse):
            tee(below, exchange)(response)
        else:
            finish(exchange, "dropped", None)
    except Exception:  # noqa: BLE001 - the guard on the user's path
        forget(exchange)
        swallowed("looking at a response")


def _returned(exchange: Urllib3Exchange, response: Any) -> None:
    """Note who reads the response, of an exchange that was answered just now."""
    try:
        read_by, exchange.read_by = exchange.read_by, None  # it leads back to the exchange
        if exchange.end is None and exchange.status is None:
            _attach(exchange, response)  # a pool of somebody's own, which makes its requests in its own way
        elif exchange.end is None and read_by is not None:
            read_by(response)
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a response")


def _where(place: tuple[str, str, int | None], url: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and path of a request: through a proxy the address may be a whole one."""
    if url.startswith("/"):
        path = url.partition("?")[0]
    else:
        parts = urlsplit(url)
        path = parts.path
        if parts.netloc:
            place = parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
    return *place, unquote(path) if "%" in path else path


def _pairs(headers: Any) -> Any:
    """Name and value of each; urllib3's own mapping would join values as texts, and some are bytes."""
    return getattr(headers, "iteritems", headers.items)()


def _joined(headers: Any) -> dict[str, str]:
    """The headers by their names in lower case, values of the same name behind one another."""
    found: dict[str, str] = {}
    for key, content in headers if isinstance(headers, list) else _pairs(headers or {}):
        name, value = _text(key).lower(), _text(content)
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
