"""What broke, at a glance: the kinds of errors, how many and when."""

from dataclasses import dataclass, replace
from typing import Any

from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.groups import MOST
from miharu.dashboard.panels.sparks import Spark, sparks_by
from miharu.dashboard.queries.together import together, top
from miharu.wording.names import error_name

__all__ = ("Kind", "broke")

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    name: str
    count: int
    link: str
    spark: Spark
    share: float
    """Percent of the errors."""


async def broke(view: View, site: Site) -> dict[str, Any]:
    """The most frequent kinds, and the newest error."""
    failed = replace(view.query(site.clock()), status="error")
    if view.status not in {None, "error"}:
        return {"kinds": [], "kinds_more": 0, "failures": 0, "newest": None}
    async with together() as ask:
        first = ask(top, site.store, failed, "error_type", MOST)
        totals = ask(site.store.totals, failed)
        newest = ask(site.store.calls, failed, 1)
    ranked = sorted(first.value.groups, key=lambda group: (-group.totals.calls, group.key or ""))
    total = totals.value.calls
    shown = tuple(group.key for group in ranked[:_SHOWN])
    lines = await sparks_by(replace(view, status="error", measure="requests"), site, "error_type", shown)
    kinds = [
        Kind(
            name=error_name(group.key),
            count=group.totals.calls,
            link=view.to("errors", error=group.key) if group.key else view.to("errors"),
            spark=lines.get(group.key, ("", "")),
            share=100 * group.totals.calls / total,
        )
        for group in ranked[:_SHOWN]
    ]
    return {
        "kinds": kinds,
        "kinds_more": max(0, first.value.whole - _SHOWN),
        "failures": total,
        "newest": newest.value[0] if newest.value else None,
    }
