"""Where any of some needles begins in a text of any size, found slice by slice."""

import time
from collections.abc import Iterator, Sequence

__all__ = ("SLICE", "hits", "pause")

SLICE = 64 << 10
"""Bytes between two moments in which the interpreter's lock is given up."""


def pause() -> None:
    """Give the interpreter's lock to other threads."""
    time.sleep(0)


def hits(data: bytes, needles: Sequence[bytes], *, fold: bool = False, slice_: int = SLICE) -> Iterator[int]:
    """Where the needles begin, in order.

    Args:
        data: Where to look.
        needles: What for; one that begins where another does is found once.
        fold: Whether capitals are as good as small letters; the needles are in small ones.
        slice_: How many bytes are looked at at once.
    """
    longest = max(map(len, needles), default=1) - 1
    for start in range(0, len(data), slice_):
        if start:
            pause()
        part = data if len(data) <= slice_ else data[start : start + slice_ + longest]
        part = part.lower() if fold else part
        found = set[int]()
        for needle in needles:
            at = part.find(needle)
            while 0 <= at < slice_:
                found.add(start + at)
                at = part.find(needle, at + 1)
        yield from sorted(found)
