"""By month, for chargeback: what each user, or each value of a tag, has cost in the viewer's months."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.tables import Sheet, Value, usd
from miharu.dashboard.panels.who import Kind, headed
from miharu.dashboard.queries.together import together
from miharu.stores.base import Query, Totals

__all__ = ("MonthRow", "months_of", "months_sheet")

_SHOWN, _MONTHS = 20, 3
_IN_A_FILE, _MONTHS_IN_A_FILE = 10_000, 12
_HEAD = ("from", "calls", "input_tokens", "output_tokens", "unpriced", "cost_usd")


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthRow:
    """One of them, and its sums in each month."""

    name: str
    link: str | None
    months: Sequence[Totals]


async def months_of(view: View, site: Site, kind: Kind) -> dict[str, Any]:
    """The table: the dearest of the last months, all others together, and the sum."""
    queries = _queries(view, site, _MONTHS)
    whole = view.during(queries[0].start, queries[-1].end)
    ranks = await site.store.ranks(whole, kind.by, _SHOWN, (view.page - 1) * _SHOWN)
    keys = tuple(ranks.keys)
    async with together() as ask:
        groups = [ask(site.store.groups, query, kind.by, None, keys, timed=False) for query in queries]
        totals = [ask(site.store.totals, query) for query in queries]
    found = [{group.key: group.totals for group in answer.value} for answer in groups]
    sums = [answer.value for answer in totals]
    rows = [
        MonthRow(
            name=kind.none if key is None else key,
            link=kind.link(view, key),
            months=[month.get(key, Totals()) for month in found],
        )
        for key in keys
    ]
    others = [
        Totals(
            calls=all_of.calls - sum(one.calls for one in month.values()),
            cost_nanousd=all_of.cost_nanousd - sum(one.cost_nanousd for one in month.values()),
            unpriced=all_of.unpriced - sum(one.unpriced for one in month.values()),
        )
        for all_of, month in zip(sums, found, strict=True)
    ]
    return {
        "kind": kind,
        "heads": [_named(view, query.start) for query in queries],
        "rows": rows,
        "others": others if any(one.calls for one in others) else None,
        "sums": sums,
        "whole": ranks.whole,
        "first": (view.page - 1) * _SHOWN + 1,
        "unpriced": sum(one.unpriced for one in sums),
        "zone_name": view.zone.name,
    }


async def months_sheet(view: View, site: Site, kind: Kind) -> Sheet:
    """All of them in each of the last months, the newest month first; one month is asked for at a time."""
    rows: list[Sequence[Value]] = []
    left_out = 0
    for query in reversed(_queries(view, site, _MONTHS_IN_A_FILE)):
        left = _IN_A_FILE - len(rows)
        groups = await site.store.groups(query, kind.by, left, timed=False) if left else ()
        if len(groups) == left:
            left_out += (await site.store.ranks(query, kind.by, 1)).whole - len(groups)
        for group in groups:
            totals = group.totals
            rows.append(
                (
                    *(_key(view, query.start), group.key or kind.none),
                    datetime.fromtimestamp(query.start / 1000, UTC).isoformat(),
                    *(totals.calls, totals.prompt_tokens, totals.completion_tokens, totals.unpriced),
                    usd(totals.cost_nanousd),
                )
            )
    more = {"left_out": left_out} if left_out else None
    return Sheet(f"{kind.page}-by-month", ("month", headed(kind, ("month", *_HEAD)), *_HEAD), rows, more)


def _queries(view: View, site: Site, number: int) -> list[Query]:
    """The calls of the last months of the viewer's zone, the running one last."""
    now, zone = site.clock(), view.zone
    starts = [zone.midnight(zone.month(now, back)) for back in range(number - 1, -1, -1)]
    return [view.during(start, end) for start, end in zip(starts, [*starts[1:], now + 1], strict=True)]


def _at(view: View, start: int) -> datetime:
    return datetime.fromtimestamp((start + view.zone.offset(start)) / 1000, UTC)


def _named(view: View, start: int) -> str:
    return f"{_at(view, start):%B %Y}"


def _key(view: View, start: int) -> str:
    return f"{_at(view, start):%Y-%m}"
