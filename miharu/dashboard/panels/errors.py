"""Errors by kind and by what they say: how many, since when, on which models and routes."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from miharu.analysis.error_skeletons import skeleton
from miharu.analysis.rate_limits import Limit, limits_of
from miharu.call import Call
from miharu.dashboard.address.view import View
from miharu.dashboard.address.windows import Window
from miharu.dashboard.call.rows import split_route
from miharu.dashboard.charts.colors import Palette, palette
from miharu.dashboard.charts.grid import Grid, sums_in
from miharu.dashboard.charts.svg import spark
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.sparks import Spark
from miharu.dashboard.queries.first_seen import beginnings
from miharu.dashboard.queries.together import together, top
from miharu.stores.base import Group, Query
from miharu.wording.names import error_name, model_name

__all__ = ("ErrorKind", "FailedWork", "Failure", "Headroom", "RateLimited", "failures")

READ = 1000
"""Of how many of the newest errors the messages are read, at most."""
_READ_AT_LEAST = 50
_LOOKED_THROUGH = 50_000
"""About so many calls are looked through for them, whether they failed or not."""
_HEADROOM = 100
_TIGHTEST = 6
"""In how many of the newest calls limits are looked for."""
_NAMED = 3
_KINDS = 50
_SPANS, _WORK = 500, 12
"""Failed spans that are read, and how many of them are told apart."""
_OF_SPANS = {"route", "user", "service", "session", "trace", "error", "status"}
"""The filters that say which spans are meant, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Errors of one kind that say the same."""

    text: str
    calls: int
    """Among those read."""
    first: int
    is_first: bool
    """Whether there was none before; else it is the first among those read."""
    last: int
    models: Sequence[tuple[str, str]]
    """(name, colour), the most frequent first."""
    more_models: int
    routes: Sequence[tuple[str, str]]
    """(method, path)."""
    more_routes: int
    newest: str
    """The id of a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorKind:
    """Errors of one type."""

    name: str
    key: str | None
    statuses: Sequence[int]
    calls: int
    """The exact number, also where fewer were read."""
    share: float
    """Percent of all errors."""
    first: int
    is_first: bool
    """Whether there was none before, whenever that was; else it is the first of this range."""
    last: int
    spark: Spark
    failures: Sequence[Failure]


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
class FailedWork:
    """Spans of one name that ended in the same error."""

    name: str
    error: str
    text: str
    spans: int
    """Among those read."""
    last: int
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """The rate limits that a provider stated last."""

    name: str
    css: str
    at: int
    limits: Sequence[Limit]


async def failures(view: View, site: Site) -> dict[str, Any]:
    now = site.clock()
    window = view.window(now)
    asked = view.query(now)
    query = replace(asked, status="error")
    if view.status not in {None, "error"}:
        return _nothing()
    async with together() as ask:
        first = ask(top, site.store, query, "error_type", _KINDS)
        failed = ask(site.store.totals, query)
        newest = ask(_newest, query, site)
        around = ask(site.store.calls, replace(asked, status=None, error_type=None), _HEADROOM)
        totals = ask(site.store.totals, replace(asked, status=None, error_type=None))
        work = ask(_work, view, query, site)
        colors = ask(palette, site)
    read = newest.value
    by_type: dict[str | None, list[Call]] = defaultdict(list)
    for call in read:
        by_type[call.outcome.error_type].append(call)
    total = failed.value.calls
    groups = sorted(first.value.groups, key=lambda group: (-group.totals.calls, group.key or ""))
    keys = tuple(group.key for group in groups)
    async with together() as ask:
        grid = ask(sums_in, site.store, window, query, "error_type", among=keys)
        begun = ask(beginnings, view, site, keys)
    kinds = [
        _kind(
            group,
            by_type.get(group.key, []),
            total,
            grid=grid.value,
            window=window,
            colors=colors.value,
            begun=begun.value.get(group.key or ""),
        )
        for group in groups
    ]
    room = _headroom(around.value, colors.value)
    refused = [call for call in read if call.outcome.http_status == 429]
    return {
        "kinds": [kind for kind in kinds if set(kind.statuses) != {429}],
        "limited": [kind for kind in kinds if set(kind.statuses) == {429}],
        "failed": total,
        "read": len(read),
        "whole": len(read) >= total,
        "sum": totals.value,
        "kinds_more": first.value.whole - len(groups),
        "refused": failed.value.rate_limited,
        "refusals": _rate_limited(refused, colors.value),
        "headroom": room[:_TIGHTEST],
        "headroom_more": room[_TIGHTEST:],
        "work": work.value[0],
        "work_failed": work.value[1],
    }


async def _newest(query: Query, site: Site) -> Sequence[Call]:
    """The newest errors; fewer are read where they are rare, because many calls lie between them."""
    async with together() as ask:
        failed = ask(site.store.totals, query)
        every = ask(site.store.totals, Query(start=query.start, end=query.end))
    share = failed.value.calls / max(1, every.value.calls)
    return await site.store.calls(query, min(READ, max(_READ_AT_LEAST, round(share * _LOOKED_THROUGH))))


async def _work(view: View, query: Query, site: Site) -> tuple[list[FailedWork], int]:
    """Spans that failed, by what they are called and what they say; and how many they are."""
    if view.filters.keys() - _OF_SPANS:
        return [], 0
    found = await site.store.failed_spans(query, _SPANS)
    by_text = defaultdict(list)
    for span in found.newest:
        by_text[span.name, span.error_type or "error", skeleton(span.error_message)].append(span)
    failed = [
        FailedWork(
            name=name,
            error=error,
            text=text or "It says nothing.",
            spans=len(spans),
            last=spans[0].timestamp,
            link=view.only("trace", spans[0].trace_id).to("sessions", sel=spans[0].id),
        )
        for (name, error, text), spans in by_text.items()
    ]
    return sorted(failed, key=lambda one: (-one.spans, -one.last))[:_WORK], found.number


def _nothing() -> dict[str, Any]:
    return {
        "kinds": [],
        "limited": [],
        "kinds_more": 0,
        "failed": 0,
        "read": 0,
        "whole": True,
        "sum": None,
        "refused": 0,
        "refusals": [],
        "headroom": [],
        "headroom_more": [],
        "work": [],
        "work_failed": 0,
    }


def _kind(
    group: Group,
    calls: Sequence[Call],
    total: int,
    *,
    grid: Grid,
    window: Window,
    colors: Palette,
    begun: int | None,
) -> ErrorKind:
    by_text: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        by_text[skeleton(call.outcome.error_message)].append(call)
    # Of a kind that came within the range, and of which all were read, so is the first of each message.
    is_new = begun is not None and begun >= window.start and len(calls) >= group.totals.calls
    said = [_failure(text, some, colors, is_first=is_new) for text, some in by_text.items()]
    row = grid.get(group.key, ())
    times = [t for t, totals in zip(window.times, row, strict=False) if totals.calls]
    # Where not all were read, the step of the chart in which it began is the best that is known.
    first = min((call.timestamp for call in calls), default=window.start)
    if times and len(calls) < group.totals.calls:
        first = max(times[0], window.start)
    return ErrorKind(
        name=error_name(group.key),
        key=group.key,
        statuses=sorted({call.outcome.http_status for call in calls if call.outcome.http_status}),
        calls=group.totals.calls,
        share=100 * group.totals.calls / total,
        first=first if begun is None else begun,
        is_first=begun is not None,
        last=max((call.timestamp for call in calls), default=times[-1] if times else window.end),
        spark=spark([totals.calls for totals in row]),
        failures=sorted(said, key=lambda failure: (-failure.calls, -failure.last)),
    )


def _failure(text: str, calls: Sequence[Call], colors: Palette, *, is_first: bool) -> Failure:
    models = Counter((model_name(call.model), colors.model(call.model, call.provider)) for call in calls)
    routes = Counter(split_route(call.route) for call in calls if call.route)
    return Failure(
        text=text or "It says nothing.",
        calls=len(calls),
        first=min(call.timestamp for call in calls),
        is_first=is_first,
        last=max(call.timestamp for call in calls),
        models=[name for name, _ in models.most_common(_NAMED)],
        more_models=max(0, len(models) - _NAMED),
        routes=[name for name, _ in routes.most_common(_NAMED)],
        more_routes=max(0, len(routes) - _NAMED),
        newest=max(calls, key=lambda call: call.id).id,
    )


def _rate_limited(calls: Sequence[Call], colors: Palette) -> list[RateLimited]:
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


def _headroom(calls: Sequence[Call], colors: Palette) -> list[Headroom]:
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
