"""What an alert measures, asked of the sums that the store keeps."""

from dataclasses import dataclass, replace

from miharu._alert import Alert, Rule
from miharu.stores.base import Query, Questions
from miharu.wording.numbers import count, duration, money, percent

__all__ = ("Reading", "read")

_HOUR, _DAY = 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True)
class Reading:
    """A value, of how many calls or scores it is, and in words."""

    value: float | None
    """``None`` where there is nothing to measure."""
    number: int
    text: str
    is_met: bool
    """Whether it is beyond the limit."""
    begins: bool
    """Whether that is enough to begin to fire."""


async def read(alert: Alert, rule: Rule, store: Questions, now: int) -> Reading:
    """The reading of the time up to now."""
    query = Query(start=now - alert.over_ms, end=now + 1, conditions=rule.conditions)
    value, number, text = await _measured(alert, rule, store, query)
    is_met = value is not None and rule.is_met(value)
    begins = is_met and (not rule.is_sampled or number >= alert.at_least)
    if begins and rule.measure == "calls" and not number:
        # Where there were none before either, nothing has stopped.
        before = replace(query, start=query.start - _DAY, end=query.start)
        begins = (await store.totals(before)).calls > 0
    return Reading(value, number, text, is_met, begins)


async def _measured(  # noqa: PLR0911 - one for each measure
    alert: Alert, rule: Rule, store: Questions, query: Query
) -> tuple[float | None, int, str]:
    if rule.measure == "score":
        name = rule.name or ""
        rated = (await store.rated(query.start, query.end, name=name)).get(name)
        if rated is None:
            return None, 0, "no score"
        return rated.mean, rated.number, f"{rated.mean:.2f} of {_of(rated.number, 'score')}"
    totals = await store.totals(query)
    calls = totals.calls
    if rule.measure == "calls":
        return float(calls), calls, _of(calls, "call")
    if rule.measure == "cost":
        hourly = totals.cost_nanousd * _HOUR / alert.over_ms
        return hourly, calls, f"{money(round(hourly))} an hour"
    if rule.measure in {"p50", "p95"}:
        latency = await store.latency(query)
        ms = latency.p95_ms if rule.measure == "p95" else latency.p50_ms
        timed = max(0, calls - totals.errors - totals.cancelled)
        return (None if ms is None else float(ms)), timed, f"{duration(ms)} over {_of(timed, 'call')}"
    part = totals.errors if rule.measure == "errors" else totals.unpriced
    if not rule.is_share:
        return float(part), calls, f"{count(part)} of {_of(calls, 'call')}"
    return (part / calls if calls else None), calls, f"{percent(part, calls)} of {_of(calls, 'call')}"


def _of(number: int, word: str) -> str:
    return f"{count(number)} {word}{'' if number == 1 else 's'}"
