"""Ids that sort by time. A program's own thread needs one before there is a call, so they stand alone."""

import os
import time

__all__ = ("moment_of", "new_id")


def new_id(unix_ms: int | None = None, random: bytes | None = None) -> str:
    """A UUIDv7 (RFC 9562, section 5.7) for that moment; ids of later milliseconds sort later.

    Args:
        unix_ms: Unix milliseconds; now by default.
        random: Ten bytes; fresh ones by default.
    """
    stamp = (time.time_ns() // 1_000_000 if unix_ms is None else unix_ms) & 0xFFFF_FFFF_FFFF
    noise = int.from_bytes(os.urandom(10) if random is None else random)
    bits = stamp << 80 | 0x7 << 76 | (noise >> 68 & 0xFFF) << 64 | 0b10 << 62 | noise & 0x3FFF_FFFF_FFFF_FFFF
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def moment_of(id: str) -> int | None:  # noqa: A002 - the column's name
    """The Unix milliseconds that a UUIDv7 begins with; ``None`` of anything else."""
    digits = id.replace("-", "")
    if len(id) != 36 or len(digits) != 32 or digits[12] != "7":
        return None
    try:
        return int(digits[:12], 16)
    except ValueError:
        return None
