"""The patch of one client library. httpx and httpx2 have the same shape, so one piece of code serves both.

``Client._send_single_request`` and its async twin are the one step in which a client hands a request to
whichever transport it chose: every exchange passes it exactly once, and nobody's mock replaces it.

Rules that other instrumentors taught us:

* The original is taken with ``getattr``: out of ``__dict__``, a ``wrapt`` wrapper would come unbound.
* No ``__wrapped__``: some take whatever has it for their own wrapper and remove it.
* Ours is taken off only where it is still on top; elsewhere it stays in the chain and passes on.
"""

import time
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from miharu import _context
from miharu._guard import swallowed
from miharu.exchange import End, Exchange, Request
from miharu.interceptor.tee import make_tees

if TYPE_CHECKING:
    from miharu.interceptor import Interceptor

__all__ = ("HttpxExchange", "hand_to", "patch", "restore", "target")

Level = Literal["client", "transport", "none"]

_POINTS: dict[Level, tuple[tuple[str, str], tuple[str, str]]] = {
    "client": (("Client", "_send_single_request"), ("AsyncClient", "_send_single_request")),
    "transport": (("HTTPTransport", "handle_request"), ("AsyncHTTPTransport", "handle_async_request")),
}


class HttpxExchange(Exchange):
    """An exchange of httpx or httpx2."""

    __slots__ = ("sent",)

    def __init__(self, request: Any, context: "_context.Context | None") -> None:
        super().__init__(context)
        self.sent = request

    def request(self) -> Request:
        sent, url = self.sent, self.sent.url
        body = getattr(sent, "_content", None)
        if body is None:  # a redirect sends the same stream again, without the content
            body = getattr(sent.stream, "_stream", None)
        return Request(
            method=sent.method,
            host=url.netloc.decode("ascii", "replace"),
            path=url.path,
            query=url.query.decode("ascii", "replace"),
            headers={name.lower(): value for name, value in sent.headers.items()},
            body=body if isinstance(body, bytes) else None,
        )


_target: "Interceptor | None" = None
_applied: dict[tuple[type, str], tuple[object, object]] = {}


def hand_to(target: "Interceptor | None") -> None:
    """Say whom every wrapper hands its exchanges to, from now on; ``None`` makes them pass on only."""
    global _target  # noqa: PLW0603 - wrappers look it up at call time, so none ever has to be replaced
    _target = target


def target() -> "Interceptor | None":
    """Whoever is installed."""
    return _target


def patch(library: ModuleType) -> Level:
    """Patch the library's clients, once, and say at which level they are seen."""
    for level, points in _POINTS.items():
        classes = [getattr(library, name, None) for name, _ in points]
        if all(hasattr(owner, attr) for owner, (_, attr) in zip(classes, points, strict=True)):
            for owner, (_, attr), make, tee in zip(
                classes, points, (_sync, _async), make_tees(library), strict=True
            ):
                _wrap(owner, attr, make, tee)  # type: ignore[arg-type]
            return level
    return "none"


def restore() -> None:
    """Put the originals back where ours is on top; elsewhere ours stays in the chain and passes on."""
    for (owner, attr), (ours, before) in list(_applied.items()):
        if owner.__dict__.get(attr) is ours:
            setattr(owner, attr, before)
            del _applied[owner, attr]


def _wrap(owner: type, attr: str, make: Callable[..., Any], tee: type[Any]) -> None:
    owner = next(base for base in owner.__mro__ if attr in base.__dict__)
    standing = owner.__dict__[attr]
    if (owner, attr) in _applied and standing is not _applied[owner, attr][1]:
        return  # ours is on top, or somewhere under a wrapper of somebody else's
    original = getattr(owner, attr)
    wrapper = make(original, tee)
    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(wrapper, name, getattr(original, name, None))
    setattr(owner, attr, wrapper)
    _applied[owner, attr] = (wrapper, standing)


def _sync(original: Callable[..., Any], tee: type[Any]) -> Callable[..., Any]:
    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = _begin(request)
        if exchange is None:
            return original(self, request, *args, **kwargs)
        try:
            response = original(self, request, *args, **kwargs)
        except BaseException as error:
            _finish(exchange, None, error)
            raise
        _attach(exchange, response, tee)
        return response

    return send


def _async(original: Callable[..., Any], tee: type[Any]) -> Callable[..., Any]:
    async def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = _begin(request)
        if exchange is None:
            return await original(self, request, *args, **kwargs)
        try:
            response = await original(self, request, *args, **kwargs)
        except BaseException as error:
            _finish(exchange, None, error)
            raise
        _attach(exchange, response, tee)
        return response

    return send


def _begin(request: Any) -> HttpxExchange | None:
    try:
        if _target is None or not _target.gate.passes(request.method, (url := request.url).host, url.path):
            return None
        return HttpxExchange(request, _context.current())
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a request")
        return None


def _attach(exchange: Exchange, response: Any, tee: type[Any]) -> None:
    try:
        if response.status_code == 101:  # a protocol upgrade: no body, and no model call
            return
        exchange.status = response.status_code
        exchange.response_headers = response.headers
        if response.is_closed or response.is_stream_consumed:  # a mocked transport's: never iterated
            body = getattr(response, "_content", None)
            if body is not None:
                exchange.chunks.append(body)
                exchange.arrivals.append(time.perf_counter_ns())
                exchange.decoded = True
            _finish(exchange, "closed" if body is None else "eof", None)
            return
        holder, slot = response.stream, "_stream"
        if not hasattr(holder, slot):
            holder, slot = response, "stream"
        setattr(holder, slot, tee(getattr(holder, slot), exchange, _finish))
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a response")


def _finish(exchange: Exchange, end: End | None, error: BaseException | None) -> None:
    if exchange.end is not None:
        return
    exchange.ended = time.perf_counter_ns()
    if error is not None:  # whatever is no Exception is a cancellation, of asyncio, trio or the user's hand
        end = "error" if isinstance(error, Exception) else "cancelled"
    exchange.end = end or "closed"
    try:
        if error is not None:
            exchange.error_type = f"{type(error).__module__}.{type(error).__qualname__}"
            exchange.error_message = _text(error)
        if _target is not None:
            _target.sink(exchange)
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("recording a call")


def _text(error: BaseException) -> str | None:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception of the user's that cannot be printed is still a failed call
        return None
