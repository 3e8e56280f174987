"""The figures of two periods beside each other."""

from dataclasses import dataclass
from decimal import Decimal

from miharu.stores.base import Latency, Totals
from miharu.wording.numbers import MINUS, UNKNOWN, compact, count, duration, money, percent

__all__ = ("Figure", "differences", "relative")

_SLOWER = Decimal("1.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A fact of both periods."""

    name: str
    before: str
    after: str
    change: str
    bad: bool = False
    """A change for the worse that is worth a colour."""


def differences(before: Totals, after: Totals, quick: Latency, now: Latency) -> list[Figure]:
    """The figures of the totals and latencies of both periods."""
    caches = _points(before.cached_tokens, before.prompt_tokens, after.cached_tokens, after.prompt_tokens)
    return [
        Figure(
            name="Calls",
            before=count(before.calls),
            after=count(after.calls),
            change=relative(before.calls, after.calls),
        ),
        Figure(
            name="Cost per call",
            before=money(_each(before)),
            after=money(_each(after)),
            change=relative(_each(before), _each(after)),
        ),
        _tokens("Input tokens", before.prompt_tokens, after.prompt_tokens),
        _tokens("Output tokens", before.completion_tokens, after.completion_tokens),
        Figure(
            name="From caches",
            before=percent(before.cached_tokens, before.prompt_tokens),
            after=percent(after.cached_tokens, after.prompt_tokens),
            change=caches,
        ),
        _time("p50", quick.p50_ms, now.p50_ms),
        _time("p95", quick.p95_ms, now.p95_ms),
        _time("First token", quick.ttft_p50_ms, now.ttft_p50_ms),
        Figure(
            name="Errors",
            before=percent(before.errors, before.calls),
            after=percent(after.errors, after.calls),
            change=_points(before.errors, before.calls, after.errors, after.calls),
            bad=before.errors * after.calls < after.errors * before.calls,
        ),
    ]


def relative(old: int | None, new: int | None) -> str:
    """The change in percent of what there was before."""
    if not old or new is None:
        return UNKNOWN
    return _signed(Decimal(100 * (new - old)) / old, "%")


def _each(totals: Totals) -> int | None:
    """Nano-dollars per call with a price."""
    priced = totals.calls - totals.unpriced
    return round(totals.cost_nanousd / priced) if priced and totals.cost_nanousd else None


def _tokens(name: str, old: int, new: int) -> Figure:
    return Figure(name=name, before=compact(old), after=compact(new), change=relative(old, new))


def _time(name: str, old: int | None, new: int | None) -> Figure:
    worse = old is not None and new is not None and new > old * _SLOWER
    return Figure(name=name, before=duration(old), after=duration(new), change=relative(old, new), bad=worse)


def _points(old: int, of_old: int, new: int, of_new: int) -> str:
    """The change of a share, in percentage points."""
    if not of_old or not of_new:
        return UNKNOWN
    return _signed(Decimal(100 * new) / of_new - Decimal(100 * old) / of_old, " points", places=2)


def _signed(number: Decimal, unit: str, places: int = 1) -> str:
    shown = f"{abs(number):,.{places}f}"
    if not Decimal(shown.replace(",", "")):
        return f"0{unit}"
    return f"{'+' if number > 0 else MINUS}{shown}{unit}"
