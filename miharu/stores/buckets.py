"""Durations in buckets that each are four percent wider than the one before, so that they can be counted.

A value is given back to within two percent, or a millisecond: from counts per bucket any percentile can be
had, over any time, by adding them up.
"""

import math
from collections.abc import Mapping, Sequence

__all__ = ("bucket_of", "middle_of", "percentiles")

GAMMA = 1.04
_LOG = math.log(GAMMA)


def bucket_of(ms: int | None) -> int | None:
    """The number of the bucket; 0 for what took less than a millisecond, ``None`` of nothing."""
    if ms is None:
        return None
    return 0 if ms <= 0 else 1 + math.ceil(math.log(ms) / _LOG - 1e-9)


def middle_of(bucket: int) -> int:
    """The milliseconds in the middle of the bucket, which stand for all in it."""
    return 0 if bucket <= 0 else round(2 * GAMMA ** (bucket - 1) / (GAMMA + 1))


def percentiles(counted: Mapping[int, int], shares: Sequence[float]) -> list[int | None]:
    """The nearest-rank percentiles, for shares in ascending order, of buckets with their counts.

    They are ``None`` of nothing.
    """
    ordered = sorted(counted.items())
    whole, seen, at = sum(counted.values()), 0, 0
    found: list[int | None] = []
    for share in shares:
        while at < len(ordered) and share * whole - seen > 1e-9:
            seen += ordered[at][1]
            at += 1
        found.append(middle_of(ordered[at - 1][0]) if at else None)
    return found
