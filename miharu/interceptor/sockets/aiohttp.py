"""The patch of aiohttp's WebSocket client: ``ClientSession._ws_connect``, which opens every session of it.

The object that it gives, if it is a session with a model, gets a subclass for its class, which notes each
message that is read through ``receive`` and each that is sent. Its queue is compiled code, so here a message
counts when the program reads it.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from miharu._guard import swallowed
from miharu.exchange import Request
from miharu.interceptor.gate import Turns
from miharu.interceptor.handoff import admit
from miharu.interceptor.sockets.session import Session, turns_at
from miharu.interceptor.wrapping import wrap
from miharu.wire.headers import lowered

__all__ = ("patch_sockets",)

_TEXT, _BINARY, _CLOSE, _CLOSING, _CLOSED, _ERROR = 1, 2, 8, 256, 257, 258
"""Of ``aiohttp.WSMsgType``."""


def patch_sockets(client: type[Any]) -> None:
    """Patch the class of sessions, once, if it has what is to be patched."""
    if hasattr(client, "_ws_connect"):
        wrap(client, "_ws_connect", _ws_connect)


def _ws_connect(original: Callable[..., Any]) -> Callable[..., Any]:
    async def connect(self: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
        found = _found(self, url)
        if found is None:
            return await original(self, url, *args, **kwargs)
        admit()
        session = _begin(self, *found, kwargs)
        try:
            socket = await original(self, url, *args, **kwargs)
        except BaseException as error:
            _failed(session, error)
            raise
        _attach(session, socket)
        return socket

    return connect


def _found(client: Any, address: Any) -> tuple[Any, Turns] | None:
    """Where it goes to, and how the session is divided into calls, if it is one with a model."""
    try:
        url = client._build_url(address)  # noqa: SLF001 - it alone knows the session's base URL
        turns = turns_at(url.host or "", None if url.is_default_port() else url.port, url.path)
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a session")
        return None
    return None if turns is None else (url, turns)


def _begin(client: Any, url: Any, turns: Turns, asked: dict[str, Any]) -> Session | None:
    try:
        return Session(
            turns,
            Request(
                method="WEBSOCKET",
                host=url.host if url.is_default_port() else f"{url.host}:{url.port}",
                path=url.path,
                query=url.raw_query_string,
                userinfo=":".join(filter(None, (url.raw_user, url.raw_password))),
                headers={**_texts(client.headers), **_texts(asked.get("headers"))},
                body=None,
            ),
        )
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a session")
        return None


def _texts(headers: Any) -> dict[str, str]:
    """By their names in lower case, as a mapping or as pairs."""
    return lowered(dict(headers)) if headers else {}


def _failed(session: Session | None, error: BaseException) -> None:
    try:
        status = getattr(error, "status", None)
        if session is None:
            return
        if isinstance(status, int):
            session.refused(status, _texts(getattr(error, "headers", None)), None)
        elif isinstance(error, Exception):
            session.ended(*_said_by(error))
        else:
            session.ended(None, None)
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a session")


def _attach(session: Session | None, socket: Any) -> None:
    try:
        if session is not None:
            response = socket._response  # noqa: SLF001 - it is not public
            session.opened(response.status, _texts(response.headers))
            socket._miharu = session  # noqa: SLF001 - it is ours
            socket.__class__ = _watched(type(socket))  # type: ignore[arg-type] # a class can be hashed
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a session")


def _said_by(error: BaseException) -> tuple[str, str]:
    return f"{type(error).__module__}.{type(error).__qualname__}", str(error)


@lru_cache(64)
def _watched(plain: type[Any]) -> type[Any]:
    class Watched(plain):  # type: ignore[misc]
        """A ``ClientWebSocketResponse`` that notes its messages."""

        _receives = False

        async def receive(self, *args: Any, **kwargs: Any) -> Any:
            self._receives = True
            try:
                message = await super().receive(*args, **kwargs)
            finally:
                self._receives = False
            _received(self, message)
            return message

        async def send_str(self, data: Any, *args: Any, **kwargs: Any) -> None:
            self._miharu.sent(data)
            await super().send_str(data, *args, **kwargs)

        async def send_bytes(self, data: Any, *args: Any, **kwargs: Any) -> None:
            self._miharu.sent(data)
            await super().send_bytes(data, *args, **kwargs)

        async def close(self, *args: Any, **kwargs: Any) -> Any:
            receives = self._receives  # then it knows more, be it that the provider has closed
            try:
                return await super().close(*args, **kwargs)
            finally:
                if not receives:
                    self._miharu.ended(None, None)

    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(Watched, name, getattr(plain, name))
    return Watched


def _received(socket: Any, message: Any) -> None:
    try:
        session, kind = socket._miharu, int(message.type)  # noqa: SLF001 - it is ours
        if kind in {_TEXT, _BINARY}:
            session.received(message.data)
        elif kind == _CLOSE:
            session.ended(
                f"websocket_{message.data}", message.extra or "The provider has closed the session."
            )
        elif kind == _CLOSING:
            session.ended(None, None)
        elif kind == _CLOSED:
            session.ended("websocket_1006", "The connection was lost.")
        elif kind == _ERROR:
            session.ended(*_said_by(message.data))
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a session's messages")
