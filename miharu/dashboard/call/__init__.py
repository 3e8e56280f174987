"""One call, opened beside the list that it stands in (``sel`` in the URL).

facts.py     everything that is shown of it
work.py      the same of a span
timeline.py  what happened when
costs.py     what it cost, line by line
bodies.py    what was sent and received, as text
curl.py      the same as a command
"""

from collections.abc import Mapping, Sequence
from typing import Any

from miharu.analysis.trees import Node
from miharu.dashboard.address.view import View
from miharu.dashboard.call.costs import costs
from miharu.dashboard.call.facts import Drawer, drawer
from miharu.dashboard.call.rows import cost_cell
from miharu.dashboard.call.timeline import around
from miharu.dashboard.call.work import work
from miharu.dashboard.charts.colors import palette
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.together import together

__all__ = ("Drawer", "opened")


async def opened(
    view: View, site: Site, page: str, ids: Sequence[str], nodes: Mapping[str, Node] | None = None
) -> dict[str, Any]:
    """The call or span that is open on this page, and links to its neighbours in the list (``ids``).

    Args:
        view: The page's address.
        site: What is shown.
        page: Its path.
        ids: Of the calls and spans on it, in their order.
        nodes: Where the spans of the page lie in their trees.
    """
    if view.sel is None:
        return {"open": False}
    newer = older = None
    if view.sel in ids:
        place = ids.index(view.sel)
        newer = view.link(page, sel=ids[place - 1]) if place else None
        older = view.link(page, sel=ids[place + 1]) if place + 1 < len(ids) else None
    node = (nodes or {}).get(view.sel)
    return {
        "open": True,
        "work": None if node is None else await work(node, view, site),
        "drawer": await _drawer(view, site, page, view.sel) if node is None else None,
        "is_run": nodes is not None,
        "newer": newer,
        "older_call": older,
        "close": view.link(page, sel=None, tab="pretty"),
    }


async def _drawer(view: View, site: Site, page: str, id: str) -> Drawer | None:  # noqa: A002 - the column's name
    call = await site.store.call(id)
    if call is None:
        return None
    async with together() as ask:
        colors = ask(palette, site)
        parts = ask(costs, call, cost_cell(call).why)
        near = ask(around, call, site)
        scores = ask(site.store.scores, call_id=id)
    return drawer(
        call,
        view,
        page,
        colors=colors.value,
        costs=parts.value,
        near=near.value,
        scores=scores.value,
        formats=site.formats,
    )
