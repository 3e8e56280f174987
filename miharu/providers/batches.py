"""What formats say of the results of a batch, which the program fetches once the provider has them.

A format with results has one more method beside those of ``base.py``:

    def results(self, wire: Wire) -> Results | None: ...

It is asked about each exchange that its rules match, and returns ``None`` for one that has nothing to do with
a batch. That a batch is created or runs is no call; asked for it, a provider says when it ended, and under
which names its results are fetched. Each line of the results is a call.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from miharu.providers.base import Reading, Wire

__all__ = ("Line", "Results", "answer_wire", "lines_of", "parsed", "results_of")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One request of a batch, and how it ended."""

    api: str
    """The wire format of its answer."""
    wire: Wire
    """The answer, as if it had come alone."""
    reading: Reading
    key: str
    """What tells it from the other lines, the same whenever it is fetched."""
    custom_id: str | None = None
    """The program's own name for the request."""
    at_ms: int | None = None
    """When it was answered, in Unix milliseconds, where the line itself says so."""
    is_billed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What an exchange says of a batch."""

    names: tuple[str, ...]
    """Under which its results are fetched."""
    batch: str | None = None
    """The batch's own id, where this exchange tells it."""
    ended_ms: int | None = None
    """When it ended, in Unix milliseconds, where this exchange tells it."""
    lines: Iterable[Line] = ()


def results_of(provider: Any, wire: Wire) -> Results | None:
    """What that format says of it; ``None`` also of a format without batches."""
    results = getattr(provider, "results", None)
    found: Results | None = None if results is None else results(wire)
    return found


def lines_of(body: bytes) -> Iterator[bytes]:
    """The lines of a body, one after the other."""
    start, end = 0, len(body)
    while start < end:
        stop = body.find(b"\n", start)
        stop = end if stop < 0 else stop
        if line := body[start:stop].strip():
            yield line
        start = stop + 1


def parsed(line: bytes, kind: type[T]) -> T | None:
    """The line as that msgspec struct; ``None`` where it is something else."""
    import msgspec

    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def answer_wire(
    wire: Wire, path: str, body: bytes, *, status: int | None = None, request_id: str | None = None
) -> Wire:
    """The answer in a line as an exchange of its own.

    Args:
        wire: The exchange that fetched it.
        path: Where such a request is sent.
        body: The answer, JSON.
        status: Its HTTP status, where the line tells it.
        request_id: The provider's id of it.
    """
    return replace(
        wire,
        method="POST",
        path=path,
        query="",
        request_headers={},
        request_body=None,
        status=status,
        headers={"x-request-id": request_id} if request_id else {},
        body=body,
        end="eof",
        gap=None,
        unread=None,
        marks=(),
    )
