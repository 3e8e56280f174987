"""Money and time spent for nothing: failed attempts, abandoned streams, duplicates, cache misses."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from miharu.analysis.waste import Wasted, wasted
from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.together import together
from miharu.wording.numbers import compact, count, duration, money

__all__ = ("Loss", "waste")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One kind of waste, for people."""

    name: str
    why: str
    times: str
    cost: str
    """What it cost, in money or in time; empty where neither is known."""
    link: str | None


async def waste(view: View, site: Site) -> dict[str, Any]:
    """The kinds that occur; no kind, no panel."""
    query = view.query(site.clock())
    async with together() as ask:
        totals = ask(site.store.totals, query)
        failed = ask(site.store.totals, replace(query, status="error"))
        left = ask(site.store.totals, replace(query, status="cancelled"))
    found = wasted(
        totals.value,
        failed.value if query.status in {None, "error"} else None,
        left.value if query.status in {None, "cancelled"} else None,
    )
    return {"losses_by_kind": _losses(view, found), "wasted": found}


def _losses(view: View, found: Wasted) -> Sequence[Loss]:
    kinds = []
    if found.failed:
        retried = (
            f"{count(found.retries)} {'call was a retry' if found.retries == 1 else 'calls were retries'}. "
            if found.retries
            else ""
        )
        kinds.append(
            Loss(
                name="Failed attempts",
                why=f"{retried}Providers bill some failures, and all of them cost time.",
                times=count(found.failed),
                cost=_cost(found.failed_nanousd, found.failed_ms),
                link=view.to("calls", status="error"),
            )
        )
    if found.left:
        kinds.append(
            Loss(
                name="Streams left",
                why="Left before their end: providers also bill what was generated until then.",
                times=count(found.left),
                cost=_cost(found.left_nanousd, found.left_ms),
                link=view.to("calls", status="cancelled"),
            )
        )
    if found.duplicates:
        kinds.append(
            Loss(
                name="Duplicates",
                why="The same request was answered before, byte for byte: a cache of your own would save it.",
                times=count(found.duplicates),
                cost=_cost(found.duplicate_nanousd, 0),
                link=None,
            )
        )
    if found.missed_tokens:
        kinds.append(
            Loss(
                name="Cache misses",
                why="The prompt began like that of an earlier request, and these tokens were paid in full: "
                "ask the provider to cache them, or keep the start of the prompt the same.",
                times=f"{compact(found.missed_tokens)} tokens",
                cost=_cost(found.missed_nanousd, 0),
                link=None,
            )
        )
    return kinds


def _cost(nano: int, ms: int) -> str:
    parts = [money(nano)] if nano else []
    if ms:
        parts.append(f"{duration(ms)} of waiting")
    return " and ".join(parts)
