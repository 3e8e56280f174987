"""Counters: sums of all calls that there ever were, none of which ever becomes less.

A monitoring system asks for them again and again and takes a smaller number for a restart from zero. Calls
that are still there are summed from the roll-ups. What counters have said of calls that were deleted since,
or whose price or end has changed since, is kept in two small tables, ``miharu_gone_sums`` and
``miharu_gone_times``, and added to that. Both change in the same transaction as the calls.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from miharu.stores.folding import Execute
from miharu.stores.rollups import CALLS, KEYS, MEASURES

__all__ = ("COUNTED", "DDL", "KEPT_BY", "TIMED_BY", "Ever", "Put", "keep", "lost", "of_calls")

KEPT_BY = ("model", "route", "provider", "status", "error_type", "service")
"""What sums are counted by; the empty text stands for none."""
TIMED_BY = ("model", "route", "provider", "service", "timing")
"""What durations are counted by: ``timing`` 0, and times to the first token: 1."""
COUNTED = (
    *("calls", "cost_nanousd", "unpriced", "retries", "prompt_tokens", "completion_tokens"),
    *("cached_tokens", "cache_write_tokens", "reasoning_tokens"),
)
"""The measures that are counted."""
_BUCKETS = ("duration_bucket", "ttft_bucket")
DDL = tuple(
    f"CREATE TABLE {name} ({', '.join(f'{key} TEXT NOT NULL' for key in keys)}, "
    f"{', '.join(f'{number} BIGINT NOT NULL' for number in numbers)}, PRIMARY KEY ({', '.join(primary)}))"
    for name, keys, numbers, primary in (
        ("miharu_gone_sums", KEPT_BY, COUNTED, KEPT_BY),
        ("miharu_gone_times", TIMED_BY[:-1], ("timing", "bucket", "calls"), (*TIMED_BY, "bucket")),
    )
)
"""The statements that make the tables."""

Put = Callable[[str, Sequence[Mapping[str, Any]]], object]
"""Runs a statement once for each of the parameters."""


@dataclass(frozen=True, slots=True)
class Ever:
    """Sums, and how many successful calls took how long."""

    sums: dict[tuple[str, ...], tuple[int, ...]] = field(default_factory=dict)
    """By ``KEPT_BY``, in the order of ``COUNTED``."""
    times: dict[tuple[Any, ...], dict[int, int]] = field(default_factory=dict)
    """By ``TIMED_BY``: calls by the number of their bucket."""


def of_calls(execute: Execute, where: str, values: Mapping[str, Any]) -> Ever:
    """Count the calls themselves.

    Args:
        execute: Of the engine.
        where: A condition on ``llm_calls`` that picks a few.
        values: Its parameters.
    """
    keys = ", ".join(KEYS[name] for name in KEPT_BY)
    sums = ", ".join(f"CAST(sum({MEASURES[name]}) AS BIGINT)" for name in COUNTED)
    found = Ever(
        _by_key(execute(f"SELECT {keys}, {sums} FROM {CALLS} WHERE {where} GROUP BY {keys}", values))
    )
    keys = ", ".join(KEYS[name] for name in TIMED_BY[:-1])
    for timing, column in enumerate(_BUCKETS):
        counts = execute(
            f"SELECT {keys}, {column}, count(*) FROM {CALLS} WHERE {where} AND status = 'success' "
            f"AND {column} IS NOT NULL GROUP BY {keys}, {column}",
            values,
        )
        for *key, bucket, calls in counts:
            found.times.setdefault((*key, timing), {})[bucket] = calls
    return found


def lost(before: Ever, after: Ever) -> Ever:
    """What was counted before and is not any more; what is counted in addition is no part of it."""
    none = (0,) * len(COUNTED)
    sums = {
        key: less
        for key, numbers in before.sums.items()
        if any(less := tuple(max(0, a - b) for a, b in zip(numbers, after.sums.get(key, none), strict=True)))
    }
    times: dict[tuple[Any, ...], dict[int, int]] = defaultdict(dict)
    for key, counts in before.times.items():
        left = after.times.get(key, {})
        for bucket, calls in counts.items():
            if calls > left.get(bucket, 0):
                times[key][bucket] = calls - left.get(bucket, 0)
    return Ever(sums, dict(times))


def keep(put: Put, gone: Ever) -> None:
    """Go on counting what is gone, inside the transaction in which it goes."""
    if gone.sums:
        rows = [dict(zip((*KEPT_BY, *COUNTED), (*key, *of), strict=True)) for key, of in gone.sums.items()]
        put(_adding("miharu_gone_sums", KEPT_BY, COUNTED), rows)
    if gone.times:
        rows = [
            dict(zip((*TIMED_BY, "bucket", "calls"), (*key, bucket, calls), strict=True))
            for key, counts in gone.times.items()
            for bucket, calls in counts.items()
        ]
        put(_adding("miharu_gone_times", (*TIMED_BY, "bucket"), ("calls",)), rows)


def _by_key(rows: Iterable[Any]) -> dict[tuple[str, ...], tuple[int, ...]]:
    return {tuple(row[: len(KEPT_BY)]): tuple(row[len(KEPT_BY) :]) for row in rows}


def _adding(table: str, keys: Sequence[str], numbers: Sequence[str]) -> str:
    names = (*keys, *numbers)
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in numbers)
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)}) "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}"
    )
