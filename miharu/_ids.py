"""Ids that sort by time. A program's own thread needs one before there is a call, so they stand alone."""

import os
import time
from collections.abc import Callable

__all__ = ("minting", "moment_of", "new_id")

_NOISE = 10
"""Random bytes in an id."""
_AT_ONCE = 128
"""Ids whose noise is fetched together."""


def new_id(unix_ms: int | None = None, random: bytes | None = None) -> str:
    """A UUIDv7 (RFC 9562, section 5.7) for that moment; ids of later milliseconds sort later.

    Args:
        unix_ms: Unix milliseconds; now by default.
        random: Ten bytes; fresh ones by default.
    """
    stamp = (time.time_ns() // 1_000_000 if unix_ms is None else unix_ms) & 0xFFFF_FFFF_FFFF
    noise = int.from_bytes(os.urandom(_NOISE) if random is None else random)
    bits = stamp << 80 | 0x7 << 76 | (noise >> 68 & 0xFFF) << 64 | 0b10 << 62 | noise & 0x3FFF_FFFF_FFFF_FFFF
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def minting() -> Callable[[int], str]:
    """``new_id`` for one thread of one process, which fetches noise for many at once.

    To fetch it gives up the interpreter's lock.
    """
    noise = b""

    def mint(unix_ms: int) -> str:
        nonlocal noise
        noise = noise[_NOISE:] or os.urandom(_NOISE * _AT_ONCE)
        return new_id(unix_ms, noise[:_NOISE])

    return mint


def moment_of(id: str) -> int | None:  # noqa: A002 - the column's name
    """The Unix milliseconds that a UUIDv7 begins with; ``None`` of anything else."""
    digits = id.replace("-", "")
    if len(id) != 36 or len(digits) != 32 or digits[12] != "7":
        return None
    try:
        return int(digits[:12], 16)
    except ValueError:
        return None
