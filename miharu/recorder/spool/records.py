"""A record as bytes, and back: a batch in MessagePack, or exchanges that were not read yet.

Credentials are in no batch, and in no facts of an exchange, so in no file.
"""

import math
import struct
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any

from miharu.batch import Batch, Score, Span
from miharu.call import Call
from miharu.exchange import Exchange
from miharu.recorder.spool.unread import MARK, unpack_unread

__all__ = ("Record", "pack", "unpack")

Record = Batch | list[Exchange]

_LATEST = 1 << 43
"""Unix milliseconds, in the year 2248."""
_INVALID = (ValueError, TypeError, OverflowError, RecursionError, MemoryError)
"""What decoding raises: msgspec's own exceptions are a ``ValueError`` or a ``TypeError``, too."""


@cache
def _codec() -> tuple[Callable[[Any], bytes], Callable[[bytes], Batch]]:
    import msgspec

    return msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Batch).decode


def pack(batch: Batch) -> bytes:
    """The batch; of what no format can hold, as much as it can."""
    encode = _codec()[0]
    try:
        return encode(batch)
    except (TypeError, ValueError, OverflowError):
        return encode(_plain(asdict(batch)))


def unpack(payload: bytes) -> tuple[Record, int]:
    """What is in it, without what no call can be made of, and how many those are. It takes any bytes."""
    if payload.startswith(MARK):
        return _exchanges(payload)
    import msgspec

    try:
        batch = _codec()[1](payload)
    except _INVALID:
        batch = None
    if batch:
        values: list[Call | Span | Score] = [*batch.calls, *batch.spans, *batch.scores]
        if all(map(_is_possible, values)):
            return batch, 0
    try:
        found = msgspec.msgpack.decode(payload)
    except _INVALID:
        found = None
    if not isinstance(found, dict):
        return Batch(), 1
    lost = 0
    parts: dict[str, list[Any]] = {"calls": [], "spans": [], "scores": []}
    for (name, part), kind in zip(parts.items(), (Call, Span, Score), strict=True):
        several = found.get(name, [])
        for facts in several if isinstance(several, list) else [several]:
            value = _made(facts, kind)
            if value is None:
                lost += 1
            else:
                part.append(value)
    batch = Batch(**parts)
    return batch, lost if batch else max(lost, 1)  # an empty one is never written


def _exchanges(payload: bytes) -> tuple[list[Exchange], int]:
    found = list[Exchange]()
    try:
        for exchange in unpack_unread(payload):
            found.append(exchange)
    except (*_INVALID, LookupError, AttributeError, struct.error):
        return found, 1
    return found, 0


def _made(facts: Any, kind: type[Any]) -> Any:
    import msgspec

    try:
        value = msgspec.convert(facts, kind)
    except _INVALID:
        return None
    return value if _is_possible(value) else None


def _is_possible(value: Call | Span | Score) -> bool:
    """Whether it happened at a time that there is: sums and pages go by it."""
    if not 0 <= value.timestamp <= _LATEST:
        return False
    if isinstance(value, Score):
        return math.isfinite(value.value)
    return 0 <= value.duration_ms <= _LATEST


def _plain(value: Any) -> Any:
    """What a provider sends may hold half a character or an absurd number, and plug-ins anything."""
    if isinstance(value, dict):
        return {_plain(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else None
    return value if isinstance(value, float | bytes | None) else None
