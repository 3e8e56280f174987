"""The tee in a response of the standard library's ``http.client``, out of which urllib3 reads each body.

What the program holds is urllib3's own response, which stays as it is. Below it is this one: its class
becomes a subclass without any slot of its own, and the original again when the body has ended.

Of a chunked body urllib3 reads the lengths itself, and the pieces with ``_safe_read``; all else it reads with
``read`` and ``read1``.
"""

import http.client
import sys
from collections.abc import Callable
from typing import Any
from weakref import ref

from miharu._guard import swallowed
from miharu.exchange import End, Exchange
from miharu.interceptor.handoff import finish

__all__ = ("tee",)

_KEY = "_miharu"
"""Where in the response its body hangs, for as long as the body lasts."""


class _Body:
    """What is known of a body that is being read."""

    __slots__ = ("exchange", "line_end", "plain", "reader")

    def __init__(self, exchange: Exchange, plain: type) -> None:
        self.exchange = exchange
        self.plain = plain
        self.line_end = False
        """The two bytes that come next end a chunk, and belong to no body."""
        self.reader: Callable[[], Any] = _nobody
        """Gives urllib3's response, while it lives: it knows where chunks end."""

    def keep(self, data: bytes) -> None:
        if data and self.exchange.end is None:  # it may have been ended by an uninstall
            self.exchange.keep(data)

    def keep_piece(self, data: bytes) -> None:
        """Keep a piece of a chunked body, unless it is the end of a chunk's line."""
        try:
            if self.line_end:
                self.line_end = False
                return
            exchange = self.exchange
            if exchange.end is None:
                exchange.keep(data)
            self.line_end = getattr(self.reader(), "chunk_left", None) == len(data)
        except Exception:  # noqa: BLE001 - the guard on the user's path
            swallowed("keeping a chunk")


def _nobody() -> None: ...


_tees: dict[type, type] = {}
"""The subclass of each kind of response."""


def tee(response: Any, exchange: Exchange) -> Callable[[object], None]:
    """Note what will be read of this response; the function takes urllib3's response, which will read it."""
    plain = type(response)
    if plain not in _tees:
        _tees[plain] = _make_tee(plain)
    body = vars(response)[_KEY] = _Body(exchange, plain)
    response.__class__ = _tees[plain]

    def read_by(reader: object) -> None:
        body.reader = ref(reader)

    return read_by


def _make_tee(plain: Any) -> type:
    # ``super()`` would fail where another thread ends the body, and with it the class, in between.
    read, read1, close = plain.read, plain.read1, plain.close
    read_safely = plain._safe_read  # noqa: SLF001 - it is the one that urllib3 calls

    class Tee(plain):  # type: ignore[misc]
        """A response that notes what is read of it."""

        __slots__ = ()

        def read(self, *args: Any, **kwargs: Any) -> Any:
            return _noting(self, read, args, kwargs)

        def read1(self, *args: Any, **kwargs: Any) -> Any:
            return _noting(self, read1, args, kwargs)

        def _safe_read(self, amt: int) -> Any:
            body = self.__dict__.get(_KEY)
            if body is None:
                return read_safely(self, amt)
            try:
                data = read_safely(self, amt)
            except BaseException as error:
                _broken(self, body, error)
                raise
            body.keep_piece(data)
            return data

        def close(self) -> None:
            body = vars(self).get(_KEY)
            if body is not None:
                _close(self, body)
            close(self)

    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(Tee, name, getattr(plain, name))
    return Tee


def _noting(response: Any, read: Any, args: Any, kwargs: Any) -> Any:
    own = vars(response)
    body = own.pop(_KEY, None)  # what reading calls of the response itself is not noted twice
    if body is None:
        return read(response, *args, **kwargs)
    was_open = response.fp is not None
    try:
        data = read(response, *args, **kwargs)
    except BaseException as error:
        _broken(response, body, error)
        raise
    try:
        body.keep(data)
        amount = args[0] if args else next(iter(kwargs.values()), None)
        if (was_open and response.fp is None) or (not data and amount != 0):
            _end(response, body, "eof", _missing(response))
        else:
            own[_KEY] = body
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("keeping a chunk")
    return data


def _missing(response: Any) -> http.client.IncompleteRead | None:
    """What is said of a body that ended before its length; ``http.client`` itself does not mind."""
    length = None if response.chunked else response.length
    return http.client.IncompleteRead(b"", length) if isinstance(length, int) and length > 0 else None


def _broken(response: Any, body: _Body, error: BaseException) -> None:
    try:
        body.keep(getattr(error, "partial", b""))  # what came before it broke off
        _end(response, body, None, error)
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("recording a call")


def _close(response: Any, body: _Body) -> None:
    try:
        _end(response, body, *_why_closed(response, body))
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("recording a call")


def _end(response: Any, body: _Body, end: End | None, error: BaseException | None) -> None:
    """Hand the exchange over, and leave no trace of us."""
    vars(response).pop(_KEY, None)
    response.__class__ = body.plain
    finish(body.exchange, end, error)


def _why_closed(response: Any, body: _Body) -> tuple[End | None, BaseException | None]:
    """Why a response is closed whose end was not read.

    urllib3 closes it after the last chunk, and where reading broke off: while the exception passes, or, where
    the length of a chunk was none, just before it raises one.
    """
    reader = body.reader()
    if getattr(reader, "chunk_left", None) == 0 or response.length == 0:
        return "eof", None
    caller = sys._getframe(3)  # noqa: SLF001 - who called close()
    if caller.f_code.co_name == "_error_catcher":
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, GeneratorExit):
            return None, error
    elif caller.f_back is not None and caller.f_back.f_code.co_name == "_update_chunk_length":
        return None, http.client.IncompleteRead(b"")
    untouched = not body.exchange.arrivals and "_finalizing" in getattr(reader or response, "__dict__", ())
    return "dropped" if untouched else "closed", None
