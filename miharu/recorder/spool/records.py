"""A batch as bytes, in MessagePack, and back. Credentials are in no batch, so in no file."""

from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any

from miharu.batch import Batch, Score, Span
from miharu.call import Call

__all__ = ("pack", "unpack")


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


def unpack(payload: bytes) -> tuple[Batch, int]:
    """The batch, without what no call can be made of, and how many those are."""
    import msgspec

    try:
        return _codec()[1](payload), 0
    except msgspec.MsgspecError:
        found = msgspec.msgpack.decode(payload)
    lost = 0
    kinds: dict[str, list[Any]] = {"calls": [], "spans": [], "scores": []}
    for (name, values), kind in zip(kinds.items(), (Call, Span, Score), strict=True):
        for facts in found.get(name, ()):
            try:
                values.append(msgspec.convert(facts, kind))
            except msgspec.MsgspecError:
                lost += 1
    return Batch(**kinds), lost


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
