"""Connections whose requests end by a moment, however slowly the other side reads, answers or dribbles.

A time-out of the standard library's is for each read alone: a receiver that sends a byte now and then would
hold its request for ever. Here each operation has only what is left of the whole. It needs no second thread,
because at the end of a program none can be started.
"""

import http.client
import socket
import ssl
import time
from typing import Any

__all__ = ("Deadline", "plain_connection", "tls_connection", "watch")

_PIECE = 64 << 10
"""Bytes that are sent at once, so that a slow reader is noticed between two pieces."""


class Deadline:
    """The moment by which the present request has to have its answer."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = float("inf")

    def begin(self, seconds: float) -> None:
        """Let a request begin, which may take so long in all."""
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left.

        Raises:
            TimeoutError: None are.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request has taken too long in all")
        return min(left, 1e6)  # a longer one is more than a socket takes


class _Timed(socket.socket):
    """A socket whose operations have what is left of the whole."""

    deadline: Deadline | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _allow(self)
        return super().recv_into(*args, **kwargs)

    def sendall(self, data: Any, *flags: Any) -> None:
        for piece in _pieces(data):
            _allow(self)
            super().sendall(piece, *flags)


class _TimedTls(ssl.SSLSocket):
    """The same of TLS."""

    deadline: Deadline | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _allow(self)
        return super().recv_into(*args, **kwargs)

    def send(self, data: Any, *flags: Any) -> int:
        _allow(self)
        return super().send(data, *flags)

    def sendall(self, data: Any, *flags: Any) -> None:
        for piece in _pieces(data):
            super().sendall(piece, *flags)


def plain_connection(host: str, port: int, deadline: Deadline) -> http.client.HTTPConnection:
    """A connection without TLS."""
    connection = http.client.HTTPConnection(host, port)
    _time(connection, deadline)
    return connection


def tls_connection(
    host: str, port: int, deadline: Deadline, context: ssl.SSLContext
) -> http.client.HTTPSConnection:
    """A connection with TLS, from its own end or from that of a tunnel."""
    context.sslsocket_class = _TimedTls
    connection = http.client.HTTPSConnection(host, port, context=context)
    _time(connection, deadline)
    return connection


def watch(connection: http.client.HTTPConnection, deadline: Deadline) -> None:
    """Connect where that is not done yet, so that its operations have what is left of the whole."""
    if connection.sock is None:
        connection.connect()
        made: Any = connection.sock
        made.deadline = deadline


def _time(connection: Any, deadline: Deadline) -> None:
    # the one place in which the client makes its socket, before a tunnel and TLS
    connection._create_connection = lambda address, *_: _connected(address, deadline)  # noqa: SLF001


def _connected(address: tuple[str, int], deadline: Deadline) -> socket.socket:
    refused: OSError | None = None
    for family, kind, protocol, _, place in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
        made = _Timed(family, kind, protocol)
        made.deadline = deadline
        try:
            made.settimeout(deadline.left())
            made.connect(place)
        except OSError as error:
            refused = error
            made.close()
            continue
        return made
    raise refused or OSError("the name has no address")


def _allow(made: Any) -> None:
    if made.deadline is not None:
        made.settimeout(made.deadline.left())


def _pieces(data: Any) -> Any:
    view = memoryview(data).cast("B")
    return (view[at : at + _PIECE] for at in range(0, len(view), _PIECE))
