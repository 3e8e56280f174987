"""Errors by kind and by what they say: how many, since when, on which models and routes."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from miharu.analysis.error_skeletons import skeleton
from miharu.call import Call
from miharu.dashboard.address.view import View
from miharu.dashboard.address.windows import Window
from miharu.dashboard.call.rows import split_route
from miharu.dashboard.charts.colors import Palette, palette
from miharu.dashboard.charts.grid import Grid, sums_in
from miharu.dashboard.charts.spark import spark
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.errors.failed_work import failed_work
from miharu.dashboard.panels.errors.rate_limits import headroom, rate_limited
from miharu.dashboard.panels.groups import MOST
from miharu.dashboard.panels.sparks import Spark, sparks_by
from miharu.dashboard.queries.first_seen import beginnings
from miharu.dashboard.queries.together import together, top
from miharu.stores.base import Group, Query
from miharu.wording.names import error_name, model_name

__all__ = ("ErrorKind", "Failure", "FullErrorKind", "failures", "top_errors")

READ = 1000
"""Of how many of the newest errors the messages are read, at most."""
_READ_AT_LEAST = 50
_LOOKED_THROUGH = 50_000
"""About so many calls are looked through for them, whether they failed or not."""
_HEADROOM = 100
_TIGHTEST = 6
"""In how many of the newest calls limits are looked for."""
_NAMED = 3
_KINDS, _AT_A_GLANCE = 50, 5


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
    """Errors of one type, at a glance."""

    name: str
    key: str | None
    calls: int
    """The exact number, also where fewer were read."""
    spark: Spark


@dataclass(frozen=True, slots=True, kw_only=True)
class FullErrorKind(ErrorKind):
    """Errors of one type, with what they say."""

    statuses: Sequence[int]
    first: int
    is_first: bool
    """Whether there was none before, whenever that was; else it is the first of this range."""
    last: int
    failures: Sequence[Failure]


async def top_errors(view: View, site: Site) -> dict[str, Any]:
    """The most frequent kinds, and the newest error."""
    failed = replace(view.query(site.clock()), status="error")
    if view.status not in {None, "error"}:
        return {"kinds": [], "kinds_more": 0, "failures": 0, "newest": None}
    async with together() as ask:
        first = ask(top, site.store, failed, "error_type", MOST)
        totals = ask(site.store.totals, failed)
        newest = ask(site.store.calls, failed, 1)
    shown = _by_calls(first.value.groups)[:_AT_A_GLANCE]
    keys = tuple(group.key for group in shown)
    lines = await sparks_by(replace(view, status="error", measure="requests"), site, "error_type", keys)
    kinds = [
        ErrorKind(
            name=error_name(group.key),
            key=group.key,
            calls=group.totals.calls,
            spark=lines.get(group.key, ("", "")),
        )
        for group in shown
    ]
    return {
        "kinds": kinds,
        "kinds_more": max(0, first.value.whole - _AT_A_GLANCE),
        "failures": totals.value.calls,
        "newest": newest.value[0] if newest.value else None,
    }


def _by_calls(groups: Sequence[Group]) -> list[Group]:
    """The most frequent first."""
    return sorted(groups, key=lambda group: (-group.totals.calls, group.key or ""))


async def failures(view: View, site: Site) -> dict[str, Any]:
    """All kinds with what they say, rate limits apart, and the program's own work that failed."""
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
        work = ask(failed_work, view, query, site)
        colors = ask(palette, site)
    read = newest.value
    by_type: dict[str | None, list[Call]] = defaultdict(list)
    for call in read:
        by_type[call.outcome.error_type].append(call)
    total = failed.value.calls
    groups = _by_calls(first.value.groups)
    keys = tuple(group.key for group in groups)
    async with together() as ask:
        grid = ask(sums_in, site.store, window, query, "error_type", among=keys)
        begun = ask(beginnings, view, site, keys)
    kinds = [
        _kind(
            group,
            by_type.get(group.key, []),
            grid=grid.value,
            window=window,
            colors=colors.value,
            begun=begun.value.get(group.key or ""),
        )
        for group in groups
    ]
    room = headroom(around.value, colors.value)
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
        "refusals": rate_limited(refused, colors.value),
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
    *,
    grid: Grid,
    window: Window,
    colors: Palette,
    begun: int | None,
) -> FullErrorKind:
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
    return FullErrorKind(
        name=error_name(group.key),
        key=group.key,
        statuses=sorted({call.outcome.http_status for call in calls if call.outcome.http_status}),
        calls=group.totals.calls,
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
