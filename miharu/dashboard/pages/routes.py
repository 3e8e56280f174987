"""The routes: what each of your app's addresses costs, how slow it is, and what it wastes."""

from collections.abc import Mapping
from typing import Any

from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.groups import IN_A_FILE, GroupRow, columns, rows_by
from miharu.dashboard.panels.latency import latency
from miharu.dashboard.panels.screens import Panel, Screen
from miharu.dashboard.panels.since import flagged
from miharu.dashboard.panels.spend import spend
from miharu.dashboard.panels.tables import Sheet, Sorted, ordered, part_of
from miharu.dashboard.queries.together import together

__all__ = ("SCREEN", "file")

_DEAREST = Sorted("cost_usd", descending=True)


async def _table(view: View, site: Site) -> Mapping[str, Any]:
    async with together() as ask:
        found = ask(rows_by, view, site, "route", "routes", waste=True, number=view.page)
        totals = ask(site.store.totals, view.query(site.clock()))
        whole = ask(site.store.latency, view.query(site.clock()))
        spent = ask(spend, view, site, None, "model" if view.route else "route")
        slow = ask(latency, view, site)
        marks = ask(flagged, view, site, "routes")
        models = ask(_models, view, site)
    listed, order = ordered(found.value.rows, columns("route"), view.sort, _DEAREST)
    return {
        "rows": listed,
        "found": found.value,
        "order": order,
        "columns": columns("route"),
        "sum": totals.value,
        "whole": whole.value,
        "wasteful": sorted(
            (row for row in listed if row.wasted.anything), key=lambda row: -row.wasted.nanousd
        ),
        "models": models.value,
        **spent.value,
        **slow.value,
        **marks.value,
    }


async def _models(view: View, site: Site) -> list[GroupRow] | None:
    """Of a single route, if one was chosen."""
    return (await rows_by(view, site, "model", "calls")).rows if view.route else None


SCREEN = Screen(
    path="routes",
    template="pages/routes.html",
    panels=(Panel(path="routes-table", template="panels/routes.html", facts=_table),),
)


async def file(view: View, site: Site) -> Sheet:
    found = await rows_by(view, site, "route", "routes", waste=True, most=IN_A_FILE)
    listed, _ = ordered(found.rows, columns("route"), view.sort, _DEAREST)
    return part_of("routes", columns("route"), listed, found.whole)
