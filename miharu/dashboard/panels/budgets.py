"""How the budgets stand: what is spent of each, when it ends, and whether calls are refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from miharu._budget import BudgetState
from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.wording.numbers import count, money

__all__ = ("Standing", "budgets")

_NEAR = 0.8
_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One budget, for people."""

    name: str
    key: str | None
    """The user or route, of a budget for each of them."""
    spent: str
    limit: str
    used: str
    percent: float
    """The filled part of the bar."""
    css: str
    tone: str
    """``bad`` where it is used up, ``warn`` where it soon will be."""
    ends: str
    unpriced: str
    fate: str
    title: str


async def budgets(view: View, site: Site) -> Mapping[str, Any]:  # noqa: ARG001 - as all parts of a page
    """The budgets that were set, nearest to their limit first; without any there is no panel.

    They are not in the store: what it is made of is ``site.budgets()``.
    """
    now = site.clock()
    states = sorted(site.budgets(), key=lambda state: -state.share)
    return {
        "budgets": [_standing(state, now) for state in states[:_SHOWN]],
        "budgets_more": max(0, len(states) - _SHOWN),
    }


def _standing(state: BudgetState, now: int) -> Standing:
    tone = "bad" if state.exceeded else "warn" if state.share >= _NEAR else ""
    unpriced = ""
    if state.unpriced:
        unpriced = (
            f"{count(state.unpriced)} {'call' if state.unpriced == 1 else 'calls'} without a known price"
        )
    return Standing(
        name=state.name,
        key=state.key,
        spent=money(state.spent_nanousd),
        limit=money(state.limit_nanousd),
        used=f"{int(state.share * 100)}% used" if state.is_known else "not read yet",
        percent=min(100.0, state.share * 100),
        css="sw-bad" if state.exceeded else "",
        tone=tone,
        ends=_left(state.ends - now),
        unpriced=unpriced,
        fate="calls are refused" if state.exceeded and state.refuses else "",
        title=f"{state}. It ends at {state.ends_at}.",
    )


def _left(ms: int) -> str:
    """How long the period lasts, in the unit in which that has two digits at most."""
    minutes = max(0, ms) // 60_000
    for name, length in (("days", 24 * 60), ("hours", 60)):
        if minutes >= 2 * length:
            return f"{minutes // length} {name} left"
    return f"{minutes} minutes left"
