"""The users: who costs what, who changed, who has trouble; and one of them, beside all others."""

from collections.abc import Mapping
from typing import Any

from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.pages.one import one_of
from miharu.dashboard.panels.months import months_of, months_sheet
from miharu.dashboard.panels.screens import Panel, Screen
from miharu.dashboard.panels.tables import Sheet, part_of
from miharu.dashboard.panels.who import SORTS, Kind, columns, listed
from miharu.dashboard.panels.who_figures import who_figures
from miharu.dashboard.queries.lookback import within_reach
from miharu.dashboard.queries.together import together

__all__ = ("SCREEN", "file", "page_of", "sheet_of")

_IN_A_FILE = 10_000


async def page_of(view: View, site: Site, kind: Kind) -> Mapping[str, Any]:
    """A page of them, or their months."""
    common = {"one": None, "months": None, "kind": kind, "sorts": SORTS}
    if view.show == "months":
        return {**common, "months": await months_of(view, site, kind)}
    reached = await within_reach(view, site, kind.by)
    async with together() as ask:
        found = ask(listed, view, site, kind, number=view.page)
        figures = ask(who_figures, reached, site, kind)
    return {**common, **found.value, "named": figures.value[0], "cards": figures.value[1]}


async def sheet_of(view: View, site: Site, kind: Kind) -> Sheet:
    """The same for a file, of more of them."""
    if view.show == "months":
        return await months_sheet(view, site, kind)
    found = await listed(view, site, kind, most=_IN_A_FILE)
    return part_of(kind.page, columns(kind), found["rows"], found["whole"])


async def _facts(view: View, site: Site) -> Mapping[str, Any]:
    if view.user is not None:
        return await one_of(view, site, Kind.of_users(), view.user)
    return await page_of(view, site, Kind.of_users())


SCREEN = Screen(
    path="users",
    template="pages/users.html",
    panels=(Panel(path="users-table", template="panels/users.html", facts=_facts),),
)


async def file(view: View, site: Site) -> Sheet:
    return await sheet_of(view, site, Kind.of_users())
