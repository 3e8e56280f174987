"""The five key figures of the overview."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from miharu.dashboard.address.ranges import HOUR, MINUTE
from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.together import together
from miharu.stores.base import Latency, Totals
from miharu.wording.numbers import UNKNOWN, compact, count, duration, money_parts, money_rough, percent, rate

__all__ = ("Card", "Delta", "figures")

_MONTH = 30 * 24 * HOUR
_ENOUGH_FOR_A_MONTH = 10 * MINUTE
_WORSE = 0.1


@dataclass(frozen=True, slots=True)
class Delta:
    """A change against the range before; red only where it is a change for the worse."""

    up: bool
    text: str
    bad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    id: str
    label: str
    value: str
    cents: str = ""
    unit: str = ""
    title: str = ""
    delta: Delta | None = None
    notes: Sequence[tuple[str, str]] = ()
    """(text, explanation)."""
    warnings: Sequence[tuple[str, str]] = ()

    @property
    def reasons(self) -> str:
        """All explanations, a line each: what its name opens."""
        notes = (f"{text}: {why}" for text, why in (*self.notes, *self.warnings) if why)
        return "\n".join(filter(None, (self.title, *notes)))


async def figures(view: View, site: Site) -> dict[str, Any]:
    """Totals and cards as of now."""
    store, now = site.store, site.clock()
    window = view.window(now)
    query, previous = view.query(now), view.previous(now)
    async with together() as ask:
        asked = ask(store.totals, query)
        asked_before = ask(store.totals, previous)
        latency = ask(store.latency, query)
        latency_before = ask(store.latency, previous)
        minute = ask(store.totals, replace(query, start=now - MINUTE, end=now + 1))
        covered = ask(_covered, view, site)
    totals, before = asked.value, asked_before.value
    span = window.length if before.calls else covered.value
    return {
        "totals": totals,
        "compared": before.calls > 0,
        "cards": (
            _cost(totals, before, span),
            _requests(totals, before, minute.value if view.is_open_ended(now) else None, span),
            _tokens(totals, before),
            _latency(latency.value, latency_before.value),
            _errors(totals, before),
        ),
    }


async def _covered(view: View, site: Site) -> int:
    """Milliseconds since the first call of the window, found to the minute; one minute at least."""
    now = site.clock()
    window = view.window(now)
    query = first = view.query(now)
    if (await site.store.totals(view.previous(now))).calls:
        return window.length
    for width in dict.fromkeys((window.step, min(window.step, HOUR), MINUTE)):
        points = await site.store.series(first, width)
        start = next((point.t for point in points if point.totals.calls), None)
        if start is None:
            return window.length
        first = replace(query, start=max(start, query.start), end=min(start + width, query.end))
    return max(MINUTE, min(now, window.end) - first.start)


def _cost(totals: Totals, before: Totals, covered: int) -> Card:
    notes, warnings = [], []
    if covered >= _ENOUGH_FOR_A_MONTH and totals.cost_nanousd:
        month = money_rough(totals.cost_nanousd * _MONTH // covered)
        why = f"Thirty days at the rate of {_span(covered)}, the part of the range since its first call."
        notes.append((f"{month} a month at this rate", why))
    if totals.unpriced:
        why = "No price is known for them, so they are not in this sum. They are not free."
        warnings.append((f"{_some(totals.unpriced, 'call')} without a price", why))
    if totals.estimated:
        why = "The provider reported no usage: their tokens, and the cost that follows, are an estimate."
        warnings.append((f"{_some(totals.estimated, 'call')} estimated", why))
    if totals.unpriced and not totals.cost_nanousd:
        return Card(
            id="cost",
            label="Total cost",
            value=UNKNOWN,
            title="No call has a known price.",
            warnings=warnings,
        )
    value, cents = money_parts(totals.cost_nanousd)
    return Card(
        id="cost",
        label="Total cost",
        value=value,
        cents=cents,
        delta=_change(totals.cost_nanousd, before.cost_nanousd),
        notes=notes,
        warnings=warnings,
    )


def _requests(totals: Totals, before: Totals, minute: Totals | None, covered: int) -> Card:
    return Card(
        id="requests",
        label="Requests",
        value=count(totals.calls),
        unit=f"{rate(totals.calls, covered / HOUR)}/h" if totals.calls else "",
        title=f"Requests per hour over {_span(covered)}, the part of the range since its first call.",
        delta=_change(totals.calls, before.calls),
        notes=[(f"{count(minute.calls)} in the last minute", "")] if minute else (),
    )


def _tokens(totals: Totals, before: Totals) -> Card:
    tokens = totals.prompt_tokens + totals.completion_tokens
    parts = [f"{compact(totals.prompt_tokens)} in", f"{compact(totals.completion_tokens)} out"]
    if totals.cached_tokens:
        parts.append(f"{percent(totals.cached_tokens, totals.prompt_tokens)} cached")
    return Card(
        id="tokens",
        label="Tokens",
        value=compact(tokens),
        title=f"{count(totals.prompt_tokens)} in, of which {count(totals.cached_tokens)} read from a cache; "
        f"{count(totals.completion_tokens)} out. Calls without reported usage are not in it.",
        delta=_change(tokens, before.prompt_tokens + before.completion_tokens),
        notes=[(part, "") for part in parts],
    )


def _latency(latency: Latency, before: Latency) -> Card:
    value, _, unit = duration(latency.p95_ms).partition(" ")
    return Card(
        id="latency",
        label="Latency p95",
        value=value,
        unit=unit,
        title="No call succeeded."
        if latency.p95_ms is None
        else "Whole calls that succeeded, to within two percent.",
        delta=_change(latency.p95_ms or 0, before.p95_ms or 0, more_is_worse=True),
        notes=[
            (f"p50 {duration(latency.p50_ms)}", "Half of the calls that succeeded were quicker."),
            (
                f"first token {duration(latency.ttft_p50_ms)}",
                "Time to first token: half of the streams began to answer sooner."
                if latency.ttft_p50_ms is not None
                else "No call was a stream.",
            ),
        ],
    )


def _errors(totals: Totals, before: Totals) -> Card:
    delta = None
    if totals.calls and before.calls:
        points = 100 * totals.errors / totals.calls - 100 * before.errors / before.calls
        if abs(points) >= 0.005:
            delta = Delta(points > 0, f"{abs(points):.2f} points", bad=points > 0)
    share = percent(totals.errors, totals.calls)
    notes = [
        (f"{count(totals.errors)} failed", "Calls that ended in an error, retried attempts included."),
        (f"{count(totals.rate_limited)} rate limited", "Of those, answered with HTTP status 429."),
    ]
    if totals.cancelled:
        notes.append(
            (f"{count(totals.cancelled)} cancelled", "Left by this program before their end; no errors.")
        )
    return Card(
        id="errors",
        label="Errors",
        value=share.removesuffix("%"),
        unit="%" if totals.calls else "",
        title="" if totals.calls else "No calls.",
        delta=delta,
        notes=notes,
    )


def _change(value: int, before: int, *, more_is_worse: bool = False) -> Delta | None:
    """``None`` where there is nothing to compare, or no difference to speak of."""
    if not value or not before:
        return None
    change = value / before - 1
    if abs(change) < 0.0005:
        return None
    text = f"{value / before:.0f} times" if change >= 10 else f"{abs(change):.1%}"
    return Delta(change > 0, text, bad=more_is_worse and change >= _WORSE)


def _span(ms: int) -> str:
    if ms < 2 * HOUR:
        return f"{round(ms / MINUTE)} min"
    hours, unit = (ms / HOUR, "h") if ms < 48 * HOUR else (ms / HOUR / 24, "days")
    return f"{hours:.1f}".removesuffix(".0") + f" {unit}"


def _some(number: int, what: str) -> str:
    return f"{count(number)} {what}" + ("" if number == 1 else "s")
