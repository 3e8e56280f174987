"""A connection of urllib3 with a socket of ours, whose answer ``http.client`` reads.

``HTTPConnectionPool.urlopen`` is what each request passes, and each attempt again. For a call of a model the
pool then gets a plain connection that is open already, so that it reaches for no proxy and no certificate,
and that it does not keep.
"""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote, urlsplit

from miharu.cassettes.answering import asked
from miharu.cassettes.answering.http1 import sent
from miharu.cassettes.recorded import Recorded
from miharu.interceptor.wrapping import Wrappings

__all__ = ("patch",)

_answers: ContextVar[tuple[Any, Recorded] | None] = ContextVar("miharu_answers", default=None)
"""The pool through which a call goes that is answered, and its answer."""


def patch(library: Any, wrappings: Wrappings) -> bool:
    """Patch the library's connection pools, once; whether that is possible."""
    pools = getattr(library, "HTTPConnectionPool", None)
    if not all(hasattr(pools, name) for name in ("urlopen", "_get_conn", "_put_conn")):
        return False
    from urllib3.connection import HTTPConnection

    connection = _connection(HTTPConnection)
    wrappings.wrap(pools, "urlopen", _urlopen)  # type: ignore[arg-type]
    wrappings.wrap(pools, "_get_conn", lambda original: _get_conn(original, connection))  # type: ignore[arg-type]
    wrappings.wrap(pools, "_put_conn", lambda original: _put_conn(original, connection))  # type: ignore[arg-type]
    return True


def _urlopen(original: Callable[..., Any]) -> Callable[..., Any]:
    def urlopen(self: Any, method: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
        token = _answers.set(_found(self, method, url, args, kwargs))
        try:
            return original(self, method, url, *args, **kwargs)
        finally:
            with suppress(ValueError):  # a greenlet may have been thrown into another context
                _answers.reset(token)

    return urlopen


def _found(pool: Any, method: str, address: str, args: Any, kwargs: Any) -> tuple[Any, Recorded] | None:
    url = urlsplit(address)
    host, path = url.hostname or pool.host, unquote(url.path)
    if not asked.is_call(method.upper(), host, path):
        return None
    body = args[0] if args else kwargs.get("body")
    headers = (args[1] if len(args) > 1 else kwargs.get("headers")) or pool.headers or {}
    if isinstance(body, str):
        body = body.encode()
    elif isinstance(body, bytearray | memoryview):
        body = bytes(body)
    elif body is not None and not isinstance(body, bytes):
        body = None
    named = {_text(name).lower(): _text(value) for name, value in headers.items()}
    one = asked.answer(method.upper(), host, path, query=url.query, headers=named, body=body)
    return None if one is None else (pool, one)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _get_conn(original: Callable[..., Any], connection: type[Any]) -> Callable[..., Any]:
    def get_conn(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = _answers.get()
        if found is None or found[0] is not self:
            return original(self, *args, **kwargs)
        return connection(self.host, self.port, found[1])

    return get_conn


def _put_conn(original: Callable[..., Any], connection: type[Any]) -> Callable[..., Any]:
    def put_conn(self: Any, conn: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(conn, connection):  # the pool has not lent it
            conn.close()
            return None
        return None if conn is None and _answers.get() is not None else original(self, conn, *args, **kwargs)

    return put_conn


def _connection(plain: Any) -> type[Any]:
    class Connection(plain):  # type: ignore[misc]
        """Open from the start; it leads nowhere."""

        is_verified = True
        proxy_is_verified = True

        def __init__(self, host: str, port: int | None, one: Recorded) -> None:
            super().__init__(host, port)
            replay = asked.current()
            self.sock = _Socket(one, paced=replay is not None and replay.paced)

        def connect(self) -> None:
            raise ConnectionRefusedError("This connection has one answer, and it was given.")

    return Connection


class _Socket:
    """Takes a request, and has the answer to read."""

    def __init__(self, one: Recorded, *, paced: bool) -> None:
        self._one = one
        self._paced = paced

    def sendall(self, data: object) -> None: ...

    def makefile(self, mode: str = "rb", *args: object, **kwargs: object) -> io.BufferedReader:  # noqa: ARG002
        return io.BufferedReader(_Answer(self._one, paced=self._paced))

    def settimeout(self, seconds: object) -> None: ...

    def setsockopt(self, *args: object) -> None: ...

    def shutdown(self, how: object) -> None: ...

    def close(self) -> None: ...


class _Answer(io.RawIOBase):
    def __init__(self, one: Recorded, *, paced: bool) -> None:
        self._one = one
        self._paced = paced
        self._parts = self._coming()
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = part
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)

    def _coming(self) -> Iterator[bytes]:
        one = self._one
        if one.status is None:
            if self._paced:
                time.sleep(one.before_s)
        else:
            for wait, data in sent(one, paced=self._paced):
                if wait:
                    time.sleep(wait)
                yield data
        if one.is_broken:
            message = one.error_message or "as it was recorded"
            raise (TimeoutError if "Timeout" in (one.error_type or "") else ConnectionResetError)(message)
