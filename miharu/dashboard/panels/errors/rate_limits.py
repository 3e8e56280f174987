"""Calls that a rate limit turned away, and the limits that providers stated last."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from miharu.analysis.rate_limits import Limit, limits_of
from miharu.call import Call
from miharu.dashboard.charts.colors import Palette
from miharu.wording.names import model_name

__all__ = ("Headroom", "RateLimited", "headroom", "rate_limited")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimited:
    """Calls of one model that were turned away by a rate limit."""

    model: str
    css: str
    calls: int
    waits: tuple[int, int] | None
    """Milliseconds until the next try, as the provider said: half waited less, and the longest."""
    last: int
    newest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """The rate limits that a provider stated last."""

    name: str
    css: str
    at: int
    limits: Sequence[Limit]


def rate_limited(calls: Sequence[Call], colors: Palette) -> list[RateLimited]:
    by_model: dict[str | None, list[Call]] = defaultdict(list)
    for call in calls:
        by_model[call.model].append(call)
    made = []
    for model, some in by_model.items():
        waits = sorted(
            call.outcome.retry_after_ms for call in some if call.outcome.retry_after_ms is not None
        )
        newest = max(some, key=lambda call: call.id)
        made.append(
            RateLimited(
                model=model_name(model),
                css=colors.model(model, newest.provider),
                calls=len(some),
                waits=(waits[(len(waits) - 1) // 2], waits[-1]) if waits else None,
                last=newest.timestamp,
                newest=newest.id,
            )
        )
    return sorted(made, key=lambda one: -one.calls)


def headroom(calls: Sequence[Call], colors: Palette) -> list[Headroom]:
    """The newest rate limits of each provider for each model."""
    seen: dict[tuple[str | None, str | None], Headroom] = {}
    for call in calls:
        key = (call.provider, call.model)
        if key in seen or not call.rate_limit:
            continue
        limits = [limit for limit in limits_of(call.rate_limit) if limit.remaining is not None]
        if limits:
            seen[key] = Headroom(
                name=model_name(call.model),
                css=colors.model(call.model, call.provider),
                at=call.timestamp,
                limits=limits,
            )
    return sorted(seen.values(), key=_tightness)


def _tightness(one: Headroom) -> tuple[float, str]:
    return -max((limit.used or 0 for limit in one.limits), default=0), one.name
