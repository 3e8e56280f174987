"""A batch as bytes, and back, in MessagePack: what a spool keeps, and what one miharu sends to another.

Over the network it is compressed, behind a mark that names the version of the form.
"""

import math
import re
import zlib
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any

from miharu.batch import Batch, Marker, Score, Span
from miharu.call import Call

__all__ = (
    "LARGEST_SENT",
    "MARK",
    "MOST_SENT",
    "VERSION",
    "NotABatch",
    "TooLarge",
    "UnknownForm",
    "inflated",
    "is_possible",
    "pack",
    "received",
    "sent",
    "unpack_some",
    "unpack_whole",
)

MARK = b"miharu batch "
VERSION = 1
"""Of the form. A field that is new needs no new version: what is not known is passed over."""
LARGEST_SENT = 20 << 20
"""Bytes of a batch that is sent, before it is compressed: more than a recorder puts together."""
MOST_SENT = 5_000
"""Calls, spans, scores and markers of a batch that is sent."""
_LATEST = 1 << 43
"""Unix milliseconds, in the year 2248."""
_ID = re.compile(r"[A-Za-z0-9._:-]{1,200}")
"""Ids are keys and parts of addresses; those that miharu makes have 16 or 36 characters."""
_NONSENSE = (ValueError, TypeError, OverflowError, RecursionError, MemoryError)
"""What decoding raises: msgspec's own exceptions are a ``ValueError`` or a ``TypeError``, too."""


class NotABatch(ValueError):  # noqa: N818 - a state of affairs
    """What was received is not a batch; the message says why."""


class UnknownForm(NotABatch):
    """It is in a form of a newer miharu."""


class TooLarge(NotABatch):
    """It is larger than anything that is taken."""


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


def sent(batch: Batch) -> bytes:
    """The batch as it is sent: the mark with the version, and the rest compressed."""
    return b"%s%d\n%s" % (MARK, VERSION, zlib.compress(pack(batch), 1))


def received(data: bytes) -> Batch:
    """The batch that was sent, whole or not at all.

    Raises:
        UnknownForm: A newer miharu has sent it.
        TooLarge: It is larger than anything that is taken.
        NotABatch: It is none.
    """
    head, newline, _ = data[:64].partition(b"\n")
    number = head.removeprefix(MARK)
    if not head.startswith(MARK) or not newline or not number.isdigit():
        raise NotABatch("This is not a batch of miharu's.")
    if int(number) != VERSION:
        raise UnknownForm(
            f"This batch is in version {int(number)} of the form, and this miharu reads version {VERSION}: "
            "install the same miharu here as in the program that has sent it."
        )
    payload = inflated(data[len(head) + 1 :], LARGEST_SENT)
    try:
        batch = _codec()[1](payload)
    except _NONSENSE as error:
        raise NotABatch(f"This batch cannot be read: {error}.") from error
    values = _values(batch)
    if len(values) > MOST_SENT:
        raise TooLarge(f"This batch has {len(values):,} entries; send at most {MOST_SENT:,} at once.")
    if (wrong := next((value for value in values if not is_possible(value)), None)) is not None:
        kind = type(wrong).__name__.lower()
        raise NotABatch(f"The {kind} {wrong.id[:64]!r} of this batch happened at no time that there is.")
    if (wrong := next((value for value in values if not _ID.fullmatch(value.id)), None)) is not None:
        kind = type(wrong).__name__.lower()
        raise NotABatch(
            f"A {kind} of this batch has the id {wrong.id[:64]!r}; an id has 1 to 200 letters, digits, '.', "
            "':', '_' and '-'."
        )
    return batch


def inflated(data: bytes, most: int, window: int = zlib.MAX_WBITS) -> bytes:
    """What was compressed, if it is no more than that many bytes.

    Args:
        data: Compressed.
        most: Bytes that it may become.
        window: 15 for zlib, 31 for gzip.

    Raises:
        TooLarge: It is more.
        NotABatch: It is not compressed so, or incomplete.
    """
    unpacker = zlib.decompressobj(window)
    try:
        found = unpacker.decompress(data, most + 1)
    except zlib.error as error:
        raise NotABatch(f"It cannot be decompressed: {error}.") from error
    if len(found) > most:
        raise TooLarge(f"Decompressed, it is larger than {most:,} bytes: send less at once.")
    if not unpacker.eof or unpacker.unused_data:
        raise NotABatch("It cannot be decompressed: it ends too early, or something follows its end.")
    return found


def unpack_whole(payload: bytes) -> Batch | None:
    """The batch, if all of it makes sense. It takes any bytes."""
    try:
        batch = _codec()[1](payload)
    except _NONSENSE:
        return None
    return batch if all(map(is_possible, _values(batch))) else None


def unpack_some(payload: bytes) -> tuple[Batch, int]:
    """What makes sense of it, and how many calls, spans, scores and markers do not. It takes any bytes."""
    import msgspec

    try:
        found = msgspec.msgpack.decode(payload)
    except _NONSENSE:
        found = None
    if not isinstance(found, dict):
        return Batch(), 1
    lost = 0
    parts: dict[str, list[Any]] = {"calls": [], "spans": [], "scores": [], "markers": []}
    for (name, part), kind in zip(parts.items(), (Call, Span, Score, Marker), strict=True):
        several = found.get(name, [])
        for facts in several if isinstance(several, list) else [several]:
            value = _made(facts, kind)
            if value is None:
                lost += 1
            else:
                part.append(value)
    return Batch(**parts), lost


def is_possible(value: Call | Span | Score | Marker) -> bool:
    """Whether it happened at a time that there is: sums and pages go by it."""
    if not 0 <= value.timestamp <= _LATEST:
        return False
    if isinstance(value, Score):
        return math.isfinite(value.value)
    if isinstance(value, Marker):
        return True
    return 0 <= value.duration_ms <= _LATEST


def _values(batch: Batch) -> list[Call | Span | Score | Marker]:
    return [*batch.calls, *batch.spans, *batch.scores, *batch.markers]


def _made(facts: Any, kind: type[Any]) -> Any:
    import msgspec

    try:
        value = msgspec.convert(facts, kind)
    except _NONSENSE:
        return None
    return value if is_possible(value) else None


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
