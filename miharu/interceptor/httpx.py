"""The patch of one client library. httpx and httpx2 have the same shape, so one piece of code serves both.

``Client._send_single_request`` and its async twin are the one step in which a client hands a request to
whichever transport it chose: every exchange passes it exactly once, and no mock library replaces it.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any, Literal

from miharu._guard import swallowed
from miharu.attribution import context
from miharu.exchange import Exchange, Request, ends_of
from miharu.interceptor import handoff
from miharu.interceptor.handoff import admit, begun, finish, forget, inside, is_unseen, leave
from miharu.interceptor.tee import make_tees
from miharu.interceptor.wrapping import wrap
from miharu.wire.headers import lowered

__all__ = ("HttpxExchange", "patch")

Level = Literal["client", "transport", "none"]

_POINTS: dict[Level, tuple[tuple[str, str], tuple[str, str]]] = {
    "client": (("Client", "_send_single_request"), ("AsyncClient", "_send_single_request")),
    "transport": (("HTTPTransport", "handle_request"), ("AsyncHTTPTransport", "handle_async_request")),
}


class HttpxExchange(Exchange):
    __slots__ = ("facts", "sent")

    def __init__(self, request: Any, *reference: Any) -> None:
        super().__init__(*reference)
        self.sent = request
        self.facts: Request | None = None

    def asked_size(self) -> int:
        return len(getattr(self.sent, "_content", b""))

    def abridge_request(self) -> None:
        facts = self.request()
        body, gap = ends_of(facts.body) if facts.body is not None else (None, None)
        self.facts = replace(facts, body=body, gap=gap)
        self.sent = None

    def request(self) -> Request:
        if self.facts is not None:
            return self.facts
        sent, url = self.sent, self.sent.url
        body = getattr(sent, "_content", None)
        if body is None:  # a redirect sends the same stream again, without the content
            body = getattr(sent.stream, "_stream", None)
        return Request(
            method=sent.method,
            host=url.netloc.decode("ascii", "replace"),
            path=url.path,
            query=url.query.decode("ascii", "replace"),
            userinfo=url.userinfo.decode("ascii", "replace"),
            headers=lowered(sent.headers),
            body=body if isinstance(body, bytes) else None,
            fields=_fields(sent.stream),
        )


def _fields(stream: Any) -> dict[str, str]:
    """The plain fields of a multipart form; its files are never read."""
    fields = {}
    for field in getattr(stream, "fields", ()):
        value = getattr(field, "value", None)
        if isinstance(value, bytes):
            value = value[:1000].decode("utf-8", "replace")
        if isinstance(value, str) and not hasattr(field, "filename"):
            fields[str(field.name)] = value[:1000]
    return fields


def patch(library: ModuleType) -> Level:
    """Patch the library's clients, once, and say at which level they are seen."""
    for level, points in _POINTS.items():
        classes = [getattr(library, name, None) for name, _ in points]
        if all(hasattr(owner, attr) for owner, (_, attr) in zip(classes, points, strict=True)):
            for owner, (_, attr), make, tee in zip(
                classes, points, (_sync, _async), make_tees(library), strict=True
            ):
                wrap(owner, attr, partial(make, tee=tee))  # type: ignore[arg-type]
            return level
    return "none"


def _sync(original: Callable[..., Any], tee: type[Any]) -> Callable[..., Any]:
    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = _begin(request)
        if exchange is None:
            return original(self, request, *args, **kwargs)
        if request.method == "POST":  # what is fetched by its id was paid already
            admit()
        begun(exchange)
        token = inside.set(True)
        try:
            response = original(self, request, *args, **kwargs)
        except BaseException as error:
            finish(exchange, None, error)
            raise
        finally:
            leave(token)
        _attach(exchange, response, tee)
        return response

    return send


def _async(original: Callable[..., Any], tee: type[Any]) -> Callable[..., Any]:
    async def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = _begin(request)
        if exchange is None:
            return await original(self, request, *args, **kwargs)
        if request.method == "POST":
            admit()
        begun(exchange)
        token = inside.set(True)
        try:
            response = await original(self, request, *args, **kwargs)
        except BaseException as error:
            finish(exchange, None, error)
            raise
        finally:
            leave(token)
        _attach(exchange, response, tee)
        return response

    return send


def _begin(request: Any) -> HttpxExchange | None:
    try:
        watching = handoff.target()
        if watching is None or not watching.gate.passes(request.method, (url := request.url).host, url.path):
            return None
        if is_unseen() or (watching.ignores and watching.ignores(url.host, url.port, url.path)):
            return None
        return HttpxExchange(request, *context.now())
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a request")
        return None


def _attach(exchange: Exchange, response: Any, tee: type[Any]) -> None:
    try:
        if response.status_code == 101:  # a protocol upgrade: no body, and no model call
            forget(exchange)
            return
        exchange.status = response.status_code
        exchange.response_headers = response.headers
        if response.is_closed or response.is_stream_consumed:  # a mocked transport's: never iterated
            body = getattr(response, "_content", None)
            if body is not None:
                exchange.keep(body)
                exchange.decoded = True
            finish(exchange, "closed" if body is None else "eof", None)
            return
        holder, slot = response.stream, "_stream"
        if not hasattr(holder, slot):
            holder, slot = response, "stream"
        setattr(holder, slot, tee(getattr(holder, slot), exchange, finish))
    except Exception:  # noqa: BLE001 - the guard on the user's path
        forget(exchange)
        swallowed("looking at a response")
