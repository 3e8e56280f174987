"""What older versions stored and no call can be is taken out of their databases, so that sums have room."""

from miharu._bounds import BOUNDS, MOST_MS
from miharu.stores.buckets import bucket_of

__all__ = ("BEYOND", "CORRECTION")


def _beyond(name: str) -> str:
    return f"{name} < 0 OR {name} > {BOUNDS[name]}"


_COUNTS = tuple(name for name in BOUNDS if name.endswith("_tokens") and name != "cache_missed_tokens")
_NO_COUNT = " OR ".join(map(_beyond, _COUNTS))
_NO_COST, _NO_DURATION, _NO_TTFT = map(_beyond, ("cost_nanousd", "duration_ms", "ttft_ms"))
_RULES = {
    **dict.fromkeys(_COUNTS, (_NO_COUNT, "NULL")),
    "usage_source": (_NO_COUNT, "'none'"),
    **dict.fromkeys(("cost_nanousd", "cost_source", "price_version"), (_NO_COST, "NULL")),
    **{name: (_beyond(name), "NULL") for name in ("cache_missed_tokens", "cache_missed_nanousd")},
    "duration_ms": (_NO_DURATION, f"CASE WHEN duration_ms < 0 THEN 0 ELSE {MOST_MS} END"),
    "duration_bucket": (_NO_DURATION, f"CASE WHEN duration_ms < 0 THEN 0 ELSE {bucket_of(MOST_MS)} END"),
    **dict.fromkeys(("ttft_ms", "ttft_bucket"), (_NO_TTFT, "NULL")),
    "retry_after_ms": (_beyond("retry_after_ms"), "NULL"),
}

BEYOND = " OR ".join(map(_beyond, BOUNDS))
"""A condition on ``llm_calls``: something in the row cannot be."""
CORRECTION = (
    "UPDATE llm_calls SET "
    + ", ".join(
        f"{name} = CASE WHEN {wrong} THEN {right} ELSE {name} END" for name, (wrong, right) in _RULES.items()
    )
    + f" WHERE {BEYOND}"
)
"""The statement that leaves in such rows what can be believed, as ``_bounds.bounded`` does."""
