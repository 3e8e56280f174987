"""The prompts: which one costs, and what followed a change of it."""

from collections.abc import Mapping
from typing import Any

from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.prompts.table import IN_A_FILE, columns, rows
from miharu.dashboard.panels.prompts.versions import opened
from miharu.dashboard.panels.screens import Panel, Screen
from miharu.dashboard.panels.tables import Sheet, Sorted, ordered, part_of
from miharu.dashboard.queries.together import together

__all__ = ("SCREEN", "file")

_DEAREST = Sorted("cost_usd", descending=True)


async def _table(view: View, site: Site) -> Mapping[str, Any]:
    name = view.sel or view.prompt
    async with together() as ask:
        found = ask(rows, view, site, number=view.page)
        inside = ask(opened, view, site, name) if name else None
    listed, order = ordered(found.value.rows, columns(), view.sort, _DEAREST)
    return {
        "rows": listed,
        "found": found.value,
        "order": order,
        "opened": inside.value if inside is not None else None,
        "without": next((row.totals.calls for row in listed if row.key is None), 0),
    }


SCREEN = Screen(
    path="prompts",
    template="pages/prompts.html",
    panels=(Panel(path="prompts-table", template="panels/prompts.html", facts=_table),),
)


async def file(view: View, site: Site) -> Sheet:
    found = await rows(view, site, most=IN_A_FILE)
    listed, _ = ordered(found.rows, columns(), view.sort, _DEAREST)
    return part_of("prompts", columns(), listed, found.whole)
