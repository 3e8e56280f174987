"""The sums that are kept with the calls: each part of a table carries those of its own calls.

A projection is kept by the engine itself, in the same breath as the calls: an insert that is dropped because
it came twice adds to none, and what is deleted or has expired is in none. A question names the calls, and the
engine reads the sums in their place wherever they answer it.

A call that changes is written twice more: as it was, with ``sign`` -1, and as it is now. So sums are exact
without a row that is changed: ``sum(sign * cost)`` is what all calls cost as they are now.
"""

from collections.abc import Mapping

from miharu.stores.rollups import HOUR, MEASURES

__all__ = ("BUCKETS", "HOUR_OF", "MATERIALIZED", "OF_PROMPTS", "PROJECTIONS", "SIGNED", "UNTIMED", "hours")

UNTIMED = -1
"""The bucket of a duration that is not counted, where the column may not be empty."""

HOUR_OF = f"intDiv(timestamp, {HOUR})"
"""The hour since the epoch: the smallest step that sums are kept of."""
_PLAIN = tuple(name for name, what in MEASURES.items() if what == f"coalesce({name}, 0)")
"""Measures that are columns of a call."""
_ONE_FIRST = "[assumeNotNull(ttft_bucket)]"
MATERIALIZED = (
    *(
        f"n_{name} Int64 MATERIALIZED {what}"
        for name, what in MEASURES.items()
        if name not in {"calls", *_PLAIN}
    ),
    f"first_bucket Array(Int64) MATERIALIZED if(isNull(ttft_bucket), emptyArrayInt64(), {_ONE_FIRST})",
    "first_count Array(Int64) MATERIALIZED if(isNull(ttft_bucket), emptyArrayInt64(), [toInt64(sign)])",
)
"""Columns that the engine works out as it takes a row. In sums there is nothing to work out: the engine would
write it in another way than the projection has it, and read all calls."""
SIGNED: Mapping[str, str] = {
    "calls": "sum(sign)",
    **{
        name: f"sum(sign * {f'coalesce({name}, 0)' if name in _PLAIN else f'n_{name}'})"
        for name in MEASURES
        if name != "calls"
    },
}
"""Each sum, as an expression over calls and what took their place."""
BUCKETS: Mapping[str, str] = {
    "duration_ms": "sumMap([duration_bucket], [toInt64(sign)])",
    "ttft_ms": "sumMap(first_bucket, first_count)",
}
"""How many calls are in each bucket, as (buckets, numbers)."""
_FAILED = ("status", "error_type")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "sums": (HOUR_OF, "model", "provider", "route", "service", *_FAILED),
    "sums_by_user": ("user_id", HOUR_OF, "model", "provider", "route", "service", *_FAILED),
    "sums_by_prompt": (
        "prompt_name",
        HOUR_OF,
        "prompt_hash",
        "model",
        "provider",
        "route",
        "service",
        *_FAILED,
    ),
    "times_by_prompt": (
        "prompt_name",
        HOUR_OF,
        "prompt_hash",
        "model",
        "provider",
        "route",
        "service",
        "status",
    ),
    "times_by_model": (HOUR_OF, "model", "provider", "service", "status"),
    "times_by_route": (HOUR_OF, "route", "service", "status"),
}


def _projection(name: str, keys: tuple[str, ...]) -> str:
    measures = BUCKETS if name.startswith("times") else SIGNED
    by = ", ".join(keys)
    return f"PROJECTION {name} (SELECT {by}, {', '.join(measures.values())} GROUP BY {by})"


PROJECTIONS = tuple(_projection(name, keys) for name, keys in _KEYS.items())
OF_PROMPTS = tuple(_projection(name, keys) for name, keys in _KEYS.items() if name.endswith("_by_prompt"))
"""Those that tables of schema 1 have not."""


def hours(start: int, end: int, step: int | None, offset: int) -> tuple[int, int] | None:
    """The whole hours inside of a window, as (first, one behind the last); ``None`` where they are no help.

    Args:
        start: Unix milliseconds.
        end: Unix milliseconds.
        step: What the time is divided by, in milliseconds.
        offset: Where the steps begin.
    """
    if step is not None and (step % HOUR or offset % HOUR):
        return None
    first, last = -(-start // HOUR), end // HOUR
    return (first, last) if last > first else None
