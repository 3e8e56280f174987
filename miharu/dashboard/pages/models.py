"""The models: what each costs and by which price, how quick it is, how much of it came from a cache."""

from collections.abc import Mapping
from typing import Any

from miharu.analysis.unpriced import without_price
from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.groups import IN_A_FILE, GroupRow, columns, rows_by
from miharu.dashboard.panels.latency import latency
from miharu.dashboard.panels.screens import Panel, Screen
from miharu.dashboard.panels.since import flagged
from miharu.dashboard.panels.spend import spend
from miharu.dashboard.panels.tables import Sheet, Sorted, ordered, part_of
from miharu.dashboard.queries.list_prices import list_prices
from miharu.dashboard.queries.together import together
from miharu.wording.numbers import price

__all__ = ("SCREEN", "file")

_SHOWN = 10
"""How many models without a price are shown."""
_DEAREST = Sorted("cost_usd", descending=True)


async def _table(view: View, site: Site) -> Mapping[str, Any]:
    query = view.query(site.clock())
    async with together() as ask:
        found = ask(rows_by, view, site, "model", "models", number=view.page)
        providers = ask(rows_by, view, site, "provider", "models")
        totals = ask(site.store.totals, query)
        whole = ask(site.store.latency, query)
        spent = ask(spend, view, site)
        slow = ask(latency, view, site)
        marks = ask(flagged, view, site, "models")
    listed, order = ordered(found.value.rows, columns("model"), view.sort, _DEAREST)
    only = providers.value.rows[0].key if len(providers.value.rows) == 1 else view.provider
    prices = await _prices(listed, only, site)
    return {
        **spent.value,
        **slow.value,
        **marks.value,
        "rows": listed,
        "found": found.value,
        "order": order,
        "columns": columns("model"),
        "providers": providers.value.rows,
        "sum": totals.value,
        "whole": whole.value,
        "prices": prices,
        "without": without_price(
            ((row.key, row.totals) for row in found.value.rows), prices.get("by_model", {}).__contains__
        )[:_SHOWN],
    }


async def _prices(rows: list[GroupRow], provider: str | None, site: Site) -> Mapping[str, Any]:
    """The list's prices of each model, as of now; of a model by its name, from any provider."""
    prices = await list_prices()
    if prices is None:
        return {"source": None}
    from miharu.pricing.explain import list_price

    now = site.clock()
    by_model: dict[str, str] = {}
    for row in rows:
        found = list_price(prices, row.key, provider, now) if row.key else None
        if found is None and row.key:
            found = list_price(prices, row.key, None, now)
        if found is not None and row.key and found.input is not None:
            cached = f", {price(found.cached)} from a cache" if found.cached is not None else ""
            out = price(found.output) if found.output is not None else "no price"
            by_model[row.key] = f"{price(found.input)} in, {out} out{cached}"
    return {"source": prices.version, "by_model": by_model}


SCREEN = Screen(
    path="models",
    template="pages/models.html",
    panels=(Panel(path="models-table", template="panels/models.html", facts=_table),),
)


async def file(view: View, site: Site) -> Sheet:
    found = await rows_by(view, site, "model", "models", waste=True, most=IN_A_FILE)
    listed, _ = ordered(found.rows, columns("model"), view.sort, _DEAREST)
    return part_of("models", columns("model"), listed, found.whole)
