"""Who takes the exchanges, and how one ends. Wrappers look here at call time, so none is ever replaced."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Protocol

from miharu._guard import swallowed
from miharu.exchange import End, Exchange
from miharu.holding import HOLDING
from miharu.interceptor.gate import Gate

__all__ = (
    "Watching",
    "admit",
    "also",
    "begun",
    "close_open",
    "finish",
    "forget",
    "forget_all",
    "hand_to",
    "inside",
    "is_unseen",
    "leave",
    "running",
    "settle",
    "target",
    "unseen",
)


class Watching(Protocol):
    """What the wrappers know of the interceptor that is installed; it says what each of these is."""

    gate: Gate
    sink: Callable[[Exchange], None]
    settle: Callable[[], object]
    admit: Callable[[], object] | None
    ignores: Callable[[str, int | None, str], bool] | None


inside: ContextVar[bool] = ContextVar("miharu_inside", default=False)
"""Whether an outer client already watches what an inner one sends: below an httpx client may be another."""


def leave(token: Token[bool]) -> None:
    """Be no longer inside."""
    try:  # noqa: SIM105 - on the caller's path, where it is three times as quick
        inside.reset(token)
    except ValueError:  # a coroutine that was closed from elsewhere, or a greenlet, has lost its context
        pass


_unseen: ContextVar[bool] = ContextVar("miharu_unseen", default=False)

_target: Watching | None = None

_also: tuple[Callable[[Exchange], object], ...] = ()


_open: set[Exchange] = set()
"""Exchanges that were sent and have not ended."""


def begun(exchange: Exchange) -> None:
    """Remember an exchange that is on its way."""
    exchange.on_part = _pass_on
    _open.add(exchange)


def forget(exchange: Exchange) -> None:
    """Drop an exchange that proved not to be a model call."""
    _open.discard(exchange)
    exchange.let_go()


def forget_all() -> None:
    """Forget the parent's exchanges, in a child after a fork: the parent records them."""
    _open.clear()
    HOLDING.start_over()


@contextmanager
def also(take: Callable[[Exchange], object]) -> Iterator[None]:
    """A block in which each exchange that ends is shown to that function first; where any are watched."""
    global _also  # noqa: PLW0603 - one for the process, as the patched classes are
    _also = (*_also, take)
    try:
        yield
    finally:
        _also = tuple(one for one in _also if one is not take)


def running() -> list[Exchange]:
    """The exchanges on their way right now."""
    return list(_open)


def close_open() -> None:
    """Record the calls whose answers are still coming as closed, because watching stops."""
    for exchange in list(_open):
        if exchange.status is not None:
            finish(exchange, "closed", None)


def hand_to(target: Watching | None) -> None:
    """Say who takes every exchange from now on; with ``None`` the wrappers only pass on."""
    global _target  # noqa: PLW0603 - one for the process, as the patched classes are
    _target = target


@contextmanager
def unseen() -> Iterator[None]:
    """A block whose requests are miharu's own, which are not recorded."""
    token = _unseen.set(True)
    try:
        yield
    finally:
        _unseen.reset(token)


def is_unseen() -> bool:
    """Whether this request is miharu's own, which is not recorded."""
    return _unseen.get()


def admit() -> None:
    """Return, or raise ``BudgetExceeded`` before the call is sent: the one exception that callers meet."""
    if _target is not None and _target.admit is not None:
        _target.admit()


def target() -> Watching | None:
    """Who takes the exchanges; ``None`` where no interceptor is installed."""
    return _target


def settle() -> None:
    """Store or spool what was handed over, because this process may end without further notice."""
    if _target is not None:
        try:
            _target.settle()
        except Exception:  # noqa: BLE001 - the guard on the user's path
            swallowed("storing calls before a process ends")


def _show(exchange: Exchange) -> None:
    """Show it to all who want to see it; one that fails keeps it from nobody."""
    for take in _also:
        try:
            take(exchange)
        except Exception:  # noqa: BLE001 - the guard on the user's path
            swallowed("showing a call that has ended")


def finish(exchange: Exchange, end: End | None, error: BaseException | None) -> None:
    """Hand an exchange over; only the first end of it counts."""
    if exchange.end is not None:
        return
    _open.discard(exchange)
    exchange.ended = time.perf_counter_ns()
    if error is not None:  # anything but an Exception is a cancellation, by asyncio, trio or Ctrl-C
        end = "error" if isinstance(error, Exception) else "cancelled"
    exchange.end = end or "closed"
    try:
        if error is not None:
            exchange.error_type = f"{type(error).__module__}.{type(error).__qualname__}"
            exchange.error_message = _text(error)
        if _also:
            _show(exchange)
        if _target is not None:
            _target.sink(exchange)
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("recording a call")


def _pass_on(exchange: Exchange) -> bool | None:
    """Hand over what has come so far of a file of lines; ``None`` of anything else."""
    try:
        if exchange.status != 200:
            return None
        if exchange.chunks and not exchange.chunks[0].lstrip().startswith(b"{"):
            return None
        encoding = "" if exchange.decoded else exchange.response_headers.get("content-encoding")
        request, watching = exchange.request(), _target
        host = request.host.rpartition("@")[2].partition(":")[0]
        if encoding or watching is None or not watching.gate.is_file(request.method, host, request.path):
            return None
        exchange.on_part, exchange.in_parts = _pass_part, True
        return _pass_part(exchange)
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("looking at a response")
        return None


def _pass_part(exchange: Exchange) -> bool:
    part = exchange.part()
    if part is None or _target is None:
        return False
    _target.sink(part)
    return True


def _text(error: BaseException) -> str | None:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception of the user's that cannot be printed is still a failed call
        return None
