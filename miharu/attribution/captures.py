"""The captures that get calls of this process as they are read: ``miharu.capture`` and the pytest fixture.

A call that was made inside a capture, in the same task or one that came of it, belongs to that capture and
to those around it. One that was made where Python has lost the context, such as in a thread of one's own, or
in a server that was there before, belongs to every capture that was open at that moment.
"""

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from miharu._guard import swallowed

if TYPE_CHECKING:  # it is loaded in every run of pytest, and this only with a call
    from miharu.call import Call

__all__ = ("Capturing", "Taker", "deliver", "end", "note", "start")


class Taker(Protocol):
    """Takes calls, on the worker's thread; it must be quick and never raise."""

    def take(self, started: int, call: "Call") -> None: ...


class Capturing:
    __slots__ = ("everything", "outer", "taker", "until")

    def __init__(self, taker: Taker, outer: "Capturing | None" = None, *, everything: bool = False) -> None:
        self.taker = taker
        self.outer = outer
        """The capture around it."""
        self.everything = everything
        """All calls of this process, also those inside other captures."""
        self.until: int | None = None
        """When its block ended; what began before that may still come."""


_open: tuple[tuple[Capturing, int], ...] = ()
_noted: dict[str, tuple[int, list[Capturing]]] = {}
"""Calls that were read, and have no price yet."""
_changing = threading.Lock()


def start(capturing: Capturing, now: int) -> None:
    """Give it every call that begins from now on (``time.perf_counter_ns()``)."""
    global _open  # noqa: PLW0603 - one list for the process; replaced as a whole, so readers need no lock
    with _changing:
        _open = (*_open, (capturing, now))


def end(capturing: Capturing) -> None:
    """Give it no more calls."""
    global _open  # noqa: PLW0603 - as above
    with _changing:
        _open = tuple(entry for entry in _open if entry[0] is not capturing)
    if not _open:
        _noted.clear()  # a call lost on the way has no price and is in no capture


def note(call: "Call", capturing: Capturing | None, started: int) -> None:
    """Note the captures of a call that was just read, and was made in that capture."""
    if not _open:
        return
    inside = set[Capturing]()
    while capturing is not None:
        inside.add(capturing)
        capturing = capturing.outer
    open_then = [
        each for each, since in _open if since <= started and (each.until is None or started <= each.until)
    ]
    claimed = any(each in inside for each in open_then)
    takers = [each for each in open_then if each.everything or each in inside or not claimed]
    if takers:
        _noted[call.id] = (started, takers)


def deliver(calls: "Iterable[Call]") -> None:
    """Give calls, read and priced, to the captures noted for them; to each once."""
    if not _noted:
        return
    for call in calls:
        started, takers = _noted.pop(call.id, (0, []))
        for each in takers:
            try:
                each.taker.take(started, call)
            except Exception:  # noqa: BLE001 - a capture must not keep a call from being stored
                swallowed("showing a call")
