"""The tail: calls that run, calls that have just ended, and how many there were in each minute of an hour."""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

from miharu.dashboard.address.ranges import HOUR, MINUTE, RANGES
from miharu.dashboard.address.view import View
from miharu.dashboard.address.windows import Window
from miharu.dashboard.call import opened
from miharu.dashboard.call.rows import rows
from miharu.dashboard.charts.colors import palette
from miharu.dashboard.charts.grid import sums_in
from miharu.dashboard.charts.plot import Twin
from miharu.dashboard.charts.stack import Series, stack
from miharu.dashboard.http.page import Site
from miharu.dashboard.pages import calls
from miharu.dashboard.panels.running import running
from miharu.dashboard.panels.screens import Panel, Screen
from miharu.dashboard.panels.tables import Sheet
from miharu.dashboard.queries.together import together
from miharu.stores.base import Query, Totals
from miharu.wording.numbers import compact, count

__all__ = ("SCREEN", "file")

_SHOWN = 60
_ENDINGS = (("Succeeded", "won"), ("Failed", "lost"), ("Cancelled", "left"))


def _hour(view: View, site: Site) -> tuple[Window, Query]:
    """The last hour, also where the range is another: this page is about now."""
    window = Window.of_range(RANGES["1h"], site.clock(), view.zone)
    return window, view.during(window.start, window.end)


def _always(_view: View, _now: int) -> bool:
    return True


def _running_ids(site: Site) -> Hashable:
    return tuple(sorted(id(exchange) for exchange in site.running())) if site.running else None


async def _now(view: View, site: Site) -> Mapping[str, Any]:
    _, query = _hour(view, site)
    now = site.clock()
    async with together() as ask:
        newest = ask(site.store.calls, query, _SHOWN)
        hour = ask(site.store.totals, query)
        minute = ask(site.store.totals, view.during(now - MINUTE, now + 1))
        colors = ask(palette, site)
    going = running(site.running(), colors.value) if site.running else []
    return {
        "can_see": site.running is not None,
        "running": going,
        "rows": rows(newest.value, view, colors.value, "live"),
        "minute": minute.value,
        "hour": hour.value,
    }


async def _pulse(view: View, site: Site) -> Mapping[str, Any]:
    window, query = _hour(view, site)
    grid, times = await sums_in(site.store, window, query, "status"), window.times
    keys = ("success", "error", "cancelled")
    empty = [Totals()] * len(times)
    series = [
        Series(name, css, [totals.calls for totals in grid.get(key, empty)])
        for (name, css), key in zip(_ENDINGS, keys, strict=True)
    ]
    chart = stack(window.edges, series, None, unit="calls", ticks=window.ticks, label=compact)
    return {
        "pulse": chart,
        "pulse_window": window,
        "pulse_twin": Twin(
            tuple(one.name for one in series),
            [(t, [count(one.values[i]) for one in series]) for i, t in enumerate(times)],
        ),
    }


async def _selected(view: View, site: Site) -> Mapping[str, Any]:
    if view.sel is None:
        return {"open": False}
    _, query = _hour(view, site)
    return await opened(view, site, "live", [call.id for call in await site.store.calls(query, _SHOWN)])


SCREEN = Screen(
    path="live",
    template="pages/live.html",
    panels=(
        Panel(
            path="live-pulse",
            template="panels/pulse.html",
            facts=_pulse,
            bucket=MINUTE,
            is_open_ended=_always,
        ),
        Panel(
            path="live-tail",
            template="panels/tail.html",
            facts=_now,
            every="tick",
            bucket=5000,
            is_open_ended=_always,
            salt=_running_ids,
        ),
    ),
    facts=_selected,
)


async def file(view: View, site: Site) -> Sheet:
    """The calls of the hour."""
    now = site.clock()
    return await calls.file(replace(view, start=now - HOUR, end=now + 1, before=None, sort=None), site)
