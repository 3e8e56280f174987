"""The patch of websockets, for its synchronous and its asyncio clients at once.

Both hand every frame to a ``ClientProtocol`` that does no input or output, and ``send_request`` is the one
step in which it opens a session. If that is one with a model, its class becomes a subclass that notes each
frame besides. No coroutine, queue or thread of the library is touched, and other connections pay one look-up.

A frame counts when it arrives, whether the program reads it then, later or never.
"""

from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Any

from miharu._guard import swallowed
from miharu.exchange import Request
from miharu.interceptor.handoff import admit
from miharu.interceptor.sockets.session import SWITCHED, Session, turns_at
from miharu.interceptor.wrapping import wrap

__all__ = ("patch", "patch_handshake")

_TEXT, _BINARY, _CONTINUED = 1, 2, 0
"""Opcodes (RFC 6455, section 5.2)."""
_USUAL = {1000, 1001, 1005}
"""Codes with which a side closes that has nothing more to say (section 7.4.1)."""
MOST_PARTS = 8 << 20
"""Bytes of a message in several frames that is put together."""


def patch(library: ModuleType) -> str:
    """Patch ``websockets.client``, once, and say at which level it is seen."""
    protocol = getattr(library, "ClientProtocol", None)
    if not all(hasattr(protocol, name) for name in ("send_request", "process_response", "recv_frame")):
        return "none"
    assert protocol is not None
    wrap(protocol, "send_request", _send_request)
    return "client"


def patch_handshake(library: ModuleType) -> str:
    """Patch ``websockets.sync.client`` or one of its siblings: a budget may refuse a session."""
    connection = getattr(library, "ClientConnection", None)
    if not hasattr(connection, "handshake"):
        return "none"
    assert connection is not None
    wrap(connection, "handshake", _handshake)
    return "client"


def _handshake(original: Callable[..., Any]) -> Callable[..., Any]:
    def handshake(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _is_with_a_model(self):
            admit()
        return original(self, *args, **kwargs)

    return handshake


def _is_with_a_model(connection: Any) -> bool:
    try:
        uri = _uri(connection.protocol)
        return turns_at(uri.host, _port(uri), uri.path) is not None
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a session")
        return False


def _send_request(original: Callable[..., Any]) -> Callable[..., Any]:
    def send_request(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        _watch(self, request)
        return original(self, request, *args, **kwargs)

    return send_request


def _texts(headers: Any) -> dict[str, str]:
    """Its own view of them refuses names that come twice."""
    return {name.lower(): value for name, value in headers.raw_items()}


def _uri(protocol: Any) -> Any:
    return protocol.uri if hasattr(protocol, "uri") else protocol.wsuri  # before websockets 15


def _port(uri: Any) -> int | None:
    """The port, where the address has to name it."""
    return uri.port if uri.port != (443 if uri.secure else 80) else None


def _watch(protocol: Any, request: Any) -> None:
    try:
        uri = _uri(protocol)
        port = _port(uri)
        turns = turns_at(uri.host, port, uri.path)
        if turns is None:
            return
        asked = Request(
            method="WEBSOCKET",
            host=uri.host if port is None else f"{uri.host}:{port}",
            path=uri.path,
            query=uri.query,
            userinfo=":".join(uri.user_info or ()),
            headers=_texts(request.headers),
            body=None,
        )
        protocol._miharu = _Frames(Session(turns, asked))  # noqa: SLF001 - it is ours
        protocol.__class__ = _watched(type(protocol))  # type: ignore[arg-type] # a class can be hashed
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a session")


class _Frames:
    """Puts messages together whose frames come one by one, each direction for itself."""

    __slots__ = ("_parts", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self._parts: dict[bool, bytearray] = {}
        """What has come so far of a message in several frames; by whether the program sends it."""

    def frame(self, opcode: int, data: Any, *, fin: bool, sent: bool) -> None:
        """A frame has come, or is sent."""
        look = self.session.sent if sent else self.session.received
        if opcode in {_TEXT, _BINARY} and fin:
            look(data)
        elif opcode in {_TEXT, _BINARY}:
            self._parts[sent] = bytearray(data)
        elif opcode == _CONTINUED and sent in self._parts:
            parts = self._parts[sent]
            parts += data
            if fin or len(parts) > MOST_PARTS:
                del self._parts[sent]
            if fin:
                look(bytes(parts))


@lru_cache(64)
def _watched(plain: type[Any]) -> type[Any]:
    class Watched(plain):  # type: ignore[misc]
        """A ``ClientProtocol`` that notes its frames."""

        def process_response(self, response: Any) -> None:
            session = self._miharu.session
            try:
                super().process_response(response)
            except Exception:
                _refused(session, response)
                raise
            _opened(session, response)

        def recv_frame(self, frame: Any) -> None:
            super().recv_frame(frame)
            _note(self, frame.opcode, frame.data, fin=frame.fin, sent=False)

        def send_text(self, data: Any, fin: bool = True) -> None:  # noqa: FBT001, FBT002 - the library's
            super().send_text(data, fin)
            _note(self, _TEXT, data, fin=fin, sent=True)

        def send_binary(self, data: Any, fin: bool = True) -> None:  # noqa: FBT001, FBT002 - the library's
            super().send_binary(data, fin)
            _note(self, _BINARY, data, fin=fin, sent=True)

        def send_continuation(self, data: Any, fin: bool) -> None:  # noqa: FBT001 - the library's
            super().send_continuation(data, fin)
            _note(self, _CONTINUED, data, fin=fin, sent=True)

        def receive_eof(self) -> None:
            super().receive_eof()
            _ended(self)

    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(Watched, name, getattr(plain, name))
    return Watched


def _note(protocol: Any, opcode: int, data: Any, *, fin: bool, sent: bool) -> None:
    try:
        protocol._miharu.frame(opcode, data, fin=fin, sent=sent)  # noqa: SLF001 - it is ours
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a session's messages")


def _opened(session: Session, response: Any) -> None:
    try:
        session.opened(SWITCHED, _texts(response.headers))
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a session")


def _ended(protocol: Any) -> None:
    try:
        protocol._miharu.session.ended(*_why(protocol))  # noqa: SLF001 - it is ours
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a session")


def _refused(session: Session, response: Any) -> None:
    try:
        session.refused(response.status_code, _texts(response.headers), bytes(response.body or b""))
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a session")


def _why(protocol: Any) -> tuple[str | None, str | None]:
    """Type and message of the error that has ended a session; nothing where its program has."""
    sent, received = protocol.close_sent, protocol.close_rcvd
    if received is not None and (sent is None or protocol.close_rcvd_then_sent):
        return f"websocket_{int(received.code)}", received.reason or "The provider has closed the session."
    if sent is None:
        return "websocket_1006", "The connection was lost."
    if sent.code in _USUAL or not sent.reason:
        return None, None
    return f"websocket_{int(sent.code)}", sent.reason
