"""What a call cost, and what a cache would have saved on it. One price engine answers both."""

from dataclasses import replace
from typing import Any

from miharu._bounds import MOST_NANOUSD, payable
from miharu._guard import swallowed
from miharu.call import Call, Usage, changed
from miharu.pricing.base import Prices

__all__ = ("facts_of", "is_priced", "priced")


def is_priced(call: Call) -> bool:
    """Whether the call needs no more prices."""
    return call.cost is not None and (
        call.cache_missed_tokens is None or call.cache_missed_nanousd is not None
    )


def priced(call: Call, prices: Prices | None) -> Call:
    """The call with its cost, unless it has one; and a cache miss with its price, or without the miss."""
    found = facts_of(call, prices)
    return changed(call, **found) if found else call


def facts_of(call: Call, prices: Prices | None) -> dict[str, Any]:
    """What a priced call has that this one has not, by the fields of ``Call``."""
    found = dict[str, Any]()
    try:
        if call.cost is None and prices is not None:
            found["cost"] = payable(prices.cost(call))
        if call.cache_missed_tokens is not None and call.cache_missed_nanousd is None:
            saving = _saving(call, call.cache_missed_tokens, prices) if prices is not None else None
            found["cache_missed_tokens"] = call.cache_missed_tokens if saving else None
            found["cache_missed_nanousd"] = saving
    except Exception:  # noqa: BLE001 - no price is better than no call
        swallowed("pricing a call")
    return found


def _saving(call: Call, missed: int, prices: Prices) -> int | None:
    """Nano-dollars; ``None`` where a cache is not cheaper, or that is not known."""
    paid = prices.cost(call)
    due = prices.cost(replace(call, usage=_from_cache(call.usage, missed)))
    if paid is None or due is None or due.cost_nanousd >= paid.cost_nanousd:
        return None
    return min(paid.cost_nanousd - due.cost_nanousd, MOST_NANOUSD)


def _from_cache(usage: Usage, missed: int) -> Usage:
    """The same, had that many more tokens been read from a cache; what was written begins behind them."""
    short, long = usage.cache_write_5m_tokens, usage.cache_write_1h_tokens
    written = usage.cache_write_tokens
    return replace(
        usage,
        cached_tokens=(usage.cached_tokens or 0) + missed,
        cache_write_tokens=None if written is None else max(0, written - missed),
        cache_write_5m_tokens=None if short is None else max(0, short - missed),
        cache_write_1h_tokens=None if long is None else max(0, long - max(0, missed - (short or 0))),
    )
