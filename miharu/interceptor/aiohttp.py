"""The patch of aiohttp: ``ClientSession._request``, the one step that every request of a session passes.

Below an httpx client whose transport is aiohttp it is silent: the httpx patch has that call already.

The body is pushed by the connection into the response's ``StreamReader``, so the tee is that reader itself:
its class becomes a subclass without any slot of its own, which notes each piece as it is fed. The exchange
hangs where aiohttp keeps the callbacks for the end of the stream. A response that is abandoned without being
closed is kept alive by aiohttp itself, and is recorded when aiohttp lets go of it.

What was asked is taken from where aiohttp makes bytes of it, because its user may change the object since.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

from miharu._guard import swallowed
from miharu.attribution import context
from miharu.exchange import Exchange, Request, ends_of
from miharu.interceptor import handoff
from miharu.interceptor.handoff import admit, begun, finish, forget, inside, is_unseen
from miharu.interceptor.sockets.aiohttp import patch_sockets
from miharu.interceptor.wrapping import wrap

__all__ = ("AiohttpExchange", "patch")


_asking: ContextVar["list[AiohttpExchange]"] = ContextVar("miharu_asking")
"""The exchange whose request is being made, if any. A connection keeps the context in which it was opened, so
the list is emptied in the end."""


class AiohttpExchange(Exchange):
    __slots__ = ("answered", "asked", "gap", "method", "sent", "url", "usual")

    sent: bytes | None
    """The request's body, once it is known."""

    def __init__(self, method: str, url: Any, asked: dict[str, Any], *reference: Any) -> None:
        super().__init__(*reference)
        self.method = method
        self.url = url
        self.asked = asked
        self.gap: int | None = None
        self.answered: Mapping[str, str] = {}
        """The headers as they were sent, once there is a response."""
        self.usual: tuple[Any, Any] = (None, None)
        """Headers and credentials of the session."""
        data = asked.get("data")
        self.sent = bytes(data) if isinstance(data, bytearray) else None

    def asked_size(self) -> int:
        return len(self._data() or b"")

    def abridge_request(self) -> None:
        data = self._data()
        self.sent, self.gap = (
            ends_of(data.encode() if isinstance(data, str) else data) if data else (None, None)
        )
        self.asked = {name: self.asked.get(name) for name in ("headers", "auth", "params", "cookies")}

    def _data(self) -> bytes | str | None:
        data = self.asked.get("data") if self.sent is None else self.sent
        return data if isinstance(data, str | bytes) else None

    def request(self) -> Request:
        usual, auth = self.usual
        return Request(
            method=self.method,
            host=self.url.host if self.url.is_default_port() else f"{self.url.host}:{self.url.port}",
            path=self.url.path,
            query="&".join(filter(None, (self.url.raw_query_string, _query(self.asked.get("params"))))),
            userinfo=":".join(filter(None, (self.url.raw_user, self.url.raw_password))),
            headers={
                **_headers(usual),
                **_signed_in(self.asked.get("auth") or auth),
                **_cookies(self.asked.get("cookies")),
                **_headers(self.asked.get("headers")),
                **_headers(self.answered),
            },
            body=_body(self.asked) if self.sent is None else self.sent,
            gap=self.gap,
        )


class _AtEnd:
    """A callback for the end of a stream, by which the reader finds its exchange."""

    __slots__ = ("exchange",)

    def __init__(self, exchange: AiohttpExchange) -> None:
        self.exchange = exchange

    def __call__(self) -> None:
        finish(self.exchange, "eof", None)


def patch(library: ModuleType) -> str:
    """Patch the library's sessions, once, and say at which level they are seen."""
    session = getattr(library, "ClientSession", None)
    reader = getattr(library, "StreamReader", None)
    if not hasattr(session, "_request") or not hasattr(reader, "feed_data"):
        return "none"
    tee = _make_reader(reader)
    wrap(session, "_request", lambda original: _request(original, reader, tee))  # type: ignore[arg-type]
    patch_sockets(session)  # type: ignore[arg-type]
    payloads = getattr(library, "payload", None)
    for name in ("JsonPayload", "JsonBytesPayload"):
        if "__init__" in getattr(getattr(payloads, name, None), "__dict__", ()):
            wrap(getattr(payloads, name), "__init__", _serialising)
    return "client"


def _request(original: Callable[..., Any], plain: Any, tee: Any) -> Callable[..., Any]:
    async def request(self: Any, method: str, str_or_url: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = None if inside.get() else _begin(self, method, str_or_url, kwargs)
        if exchange is None:
            return await original(self, method, str_or_url, *args, **kwargs)
        if exchange.method == "POST":  # what is fetched by its id was paid already
            admit()
        begun(exchange)
        token = _asking.set(asking := [exchange])
        try:
            response = await original(self, method, str_or_url, *args, **kwargs)
        except BaseException as error:
            finish(exchange, None, error)
            raise
        finally:
            asking.clear()
            with suppress(ValueError):  # a coroutine that is closed from elsewhere has lost its context
                _asking.reset(token)
        _attach(self, exchange, response, plain, tee)
        return response

    return request


def _serialising(original: Callable[..., Any]) -> Callable[..., Any]:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it stands in for one
        original(self, *args, **kwargs)
        for exchange in _asking.get(()):
            _note(exchange, args[0] if args else kwargs.get("value"), self)

    return __init__


def _note(exchange: AiohttpExchange, value: object, payload: Any) -> None:
    """Keep what was made of the object that this exchange sends; below it others may send their own."""
    try:
        made = getattr(payload, "_value", None)
        if value is not None and value is exchange.asked.get("json") and isinstance(made, bytes):
            exchange.sent = made
            exchange.asked = {name: item for name, item in exchange.asked.items() if name != "json"}
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a request")


def _begin(session: Any, method: str, address: Any, asked: dict[str, Any]) -> AiohttpExchange | None:
    try:
        watching = handoff.target()
        if watching is None or (verb := method.upper()) not in {"POST", "GET"}:
            return None
        url = session._build_url(address)  # noqa: SLF001 - it alone knows the session's base URL
        if not watching.gate.passes(verb, url.host or "", url.path):
            return None
        ignores = watching.ignores
        if is_unseen() or (ignores and ignores(url.host or "", url.explicit_port, url.path)):
            return None
        exchange = AiohttpExchange(verb, url, asked, *context.now())
        exchange.usual = getattr(session, "_default_headers", None), getattr(session, "_default_auth", None)
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a request")
        return None
    else:
        return exchange


def _attach(session: Any, exchange: AiohttpExchange, response: Any, plain: Any, tee: Any) -> None:
    try:
        exchange.status = response.status
        exchange.response_headers = response.headers
        exchange.answered = response.request_info.headers
        decompress = exchange.asked.get("auto_decompress")
        exchange.decoded = session.auto_decompress if decompress is None else decompress
        content = response.content
        for chunk in getattr(content, "_buffer", ()):  # what came together with the headers
            exchange.keep(chunk)
        if content.is_eof():
            finish(exchange, "eof", None)
        elif type(content) is plain:
            content.__class__ = tee
            content._eof_callbacks.insert(0, _AtEnd(exchange))  # noqa: SLF001 - public on_eof would append
        else:
            finish(exchange, "dropped", None)
    except Exception:  # noqa: BLE001 - the guard on the user's path
        forget(exchange)
        swallowed("looking at a response")


def _make_reader(plain: Any) -> type[Any]:
    class Tee(plain):  # type: ignore[misc]
        """A ``StreamReader`` that notes what it is fed."""

        __slots__ = ()

        def feed_data(self, data: bytes, *args: Any) -> Any:
            if data and (exchange := _exchange_of(self)) is not None:
                exchange.keep(data)
            return super().feed_data(data, *args)

        def set_exception(self, exc: BaseException, *args: Any, **kwargs: Any) -> None:
            exchange = _exchange_of(self)
            super().set_exception(exc, *args, **kwargs)
            if exchange is not None:
                # a response that its user closes is told "Connection closed"
                closed = type(exc).__name__ == "ClientConnectionError"
                finish(exchange, "closed" if closed else None, None if closed else exc)

        def __del__(self) -> None:
            exchange = _exchange_of(self)
            if exchange is not None:
                finish(exchange, "dropped", None)

    return Tee


def _exchange_of(reader: Any) -> AiohttpExchange | None:
    callbacks = reader._eof_callbacks  # noqa: SLF001 - where _attach put it
    first = callbacks[0] if callbacks else None
    return first.exchange if isinstance(first, _AtEnd) else None


def _pairs(given: Any) -> list[tuple[str, Any]]:
    """What aiohttp takes as a mapping or as pairs; none of what it takes in another way."""
    try:
        return [
            (str(name), value) for name, value in (given.items() if hasattr(given, "items") else given or ())
        ]
    except (TypeError, ValueError):
        return []


def _headers(given: Any) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in _pairs(given)}


def _signed_in(auth: Any) -> dict[str, str]:
    """The header that the session adds for its credentials, which a response would show."""
    encode = getattr(auth, "encode", None)
    return {"authorization": str(encode())} if callable(encode) and not isinstance(auth, str) else {}


def _cookies(given: Any) -> dict[str, str]:
    text = "; ".join(f"{name}={getattr(value, 'value', value)}" for name, value in _pairs(given))
    return {"cookie": text} if text else {}


def _query(params: Any) -> str:
    if isinstance(params, str):
        return params.removeprefix("?")
    return urlencode(_pairs(params), doseq=True)


def _body(asked: dict[str, Any]) -> bytes | None:
    """What was sent, where it was plain; serialised here because aiohttp does so out of sight."""
    data = asked.get("data")
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, bytes | bytearray):
        return bytes(data)
    if asked.get("json") is not None:
        try:
            return json.dumps(asked["json"]).encode()
        except (TypeError, ValueError):
            return None
    return None
