"""The overview: what it costs and whether that is normal, who causes it, whether it is slow, what broke."""

from collections.abc import Mapping
from typing import Any

from miharu.dashboard.address.view import Breakdown, View
from miharu.dashboard.call.rows import rows
from miharu.dashboard.charts.colors import palette
from miharu.dashboard.http.page import Site
from miharu.dashboard.pages.alerts import stand
from miharu.dashboard.panels.alerts import alert_strip
from miharu.dashboard.panels.budgets import budgets
from miharu.dashboard.panels.errors.kinds import top_errors
from miharu.dashboard.panels.errors.over_time import errors_over_time
from miharu.dashboard.panels.figures import figures
from miharu.dashboard.panels.groups import IN_A_FILE, GroupRow, columns, leaders, rows_by
from miharu.dashboard.panels.latency import latency
from miharu.dashboard.panels.scores import scores
from miharu.dashboard.panels.screens import Panel, Screen
from miharu.dashboard.panels.since import flagged, since
from miharu.dashboard.panels.sparks import sparks
from miharu.dashboard.panels.spend import spend
from miharu.dashboard.panels.tables import Sheet, part_of
from miharu.dashboard.panels.waste import waste
from miharu.dashboard.queries.together import together

__all__ = ("SCREEN", "file")

_RECENT = 8
_LEADERS = 5
_ROWS = 12


async def _recent(view: View, site: Site) -> Mapping[str, Any]:
    query = view.query(site.clock())
    async with together() as ask:
        recent = ask(site.store.calls, query, _RECENT)
        totals = ask(site.store.totals, query)
        colors = ask(palette, site)
    return {"recent": rows(recent.value, view, colors.value), "totals": totals.value}


async def _charts(view: View, site: Site) -> Mapping[str, Any]:
    async with together() as ask:
        asked = [ask(part, view, site) for part in (spend, latency, top_errors, waste, sparks, budgets)]
        asked += [ask(errors_over_time, view, site), ask(scores, view, site), ask(flagged, view, site, "")]
        since_then = ask(since, view, site)
        routes = ask(_leaders, view, site, "route")
        users = ask(_leaders, view, site, "user")
    facts: dict[str, Any] = {}
    for answer in asked:
        facts |= answer.value
    return facts | {
        "routes": routes.value,
        "users": users.value if any(row.key for row in users.value) else [],
        "since": since_then.value,
    }


async def _leaders(view: View, site: Site, by: Breakdown) -> list[GroupRow]:
    """The first few; where the table of usage has more of them, out of the same answer."""
    return (await leaders(view, site, by, _ROWS if by == view.by else _LEADERS))[:_LEADERS]


async def _usage(view: View, site: Site) -> Mapping[str, Any]:
    query = view.query(site.clock())
    async with together() as ask:
        usage = ask(rows_by, view, site, view.by, "", most=_ROWS, number=view.page)
        totals = ask(site.store.totals, query)
        whole = ask(site.store.latency, query)
    return {
        "usage": usage.value.rows,
        "found": usage.value,
        "usage_since": usage.value.since,
        "sum": totals.value,
        "whole": whole.value,
    }


SCREEN = Screen(
    path="",
    template="pages/overview.html",
    panels=(
        Panel(
            path="overview-alerts",
            template="panels/alert-strip.html",
            facts=alert_strip,
            salt=stand,
        ),
        Panel(
            path="overview-now",
            template="panels/now.html",
            facts=figures,
            every="tick",
            bucket=10_000,
            first=sparks,
        ),
        Panel(
            path="overview-charts",
            template="panels/charts.html",
            facts=_charts,
            salt=lambda site: tuple(site.budgets()),
        ),
        Panel(path="overview-usage", template="panels/usage.html", facts=_usage),
        Panel(path="overview-recent", template="panels/recent.html", facts=_recent, every="tick"),
    ),
)


async def file(view: View, site: Site) -> Sheet:
    """The usage table, whole."""
    found = await rows_by(view, site, view.by, "", most=IN_A_FILE)
    return part_of("usage", columns(view.by), found.rows, found.whole)
