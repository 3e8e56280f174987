"""One user, or one value of a tag: its figures beside those of all, why they moved, and what it did."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from miharu.analysis.cost_changes import summed
from miharu.dashboard.address.view import View
from miharu.dashboard.call.rows import rows
from miharu.dashboard.charts.colors import palette
from miharu.dashboard.http.page import Site
from miharu.dashboard.pages.compare import moves
from miharu.dashboard.panels.bridge import Reason, said
from miharu.dashboard.panels.errors.kinds import top_errors
from miharu.dashboard.panels.figures import Card, Delta
from miharu.dashboard.panels.groups import leaders
from miharu.dashboard.panels.since import flagged
from miharu.dashboard.panels.spend import spend
from miharu.dashboard.panels.who import Kind, WhoRow, each, grown, row_of
from miharu.dashboard.queries.lookback import within_reach
from miharu.dashboard.queries.tag_names import tag_names
from miharu.dashboard.queries.together import together
from miharu.stores.base import ByTag, Latency, Totals
from miharu.wording.numbers import UNKNOWN, count, duration, money, money_parts, percent

__all__ = ("one_of",)

_LEADERS, _SESSIONS, _RECENT, _TAGS = 5, 5, 8, 8


async def one_of(view: View, site: Site, kind: Kind, key: str) -> Mapping[str, Any]:
    """Everything about that one in the range, with the page's other filters."""
    now = site.clock()
    whole_view = replace(view, user=None) if kind.page == "users" else replace(view, tag=None)
    query, before, every = view.query(now), view.previous(now), whole_view.query(now)
    async with together() as ask:
        totals = ask(site.store.totals, query)
        totals_before = ask(site.store.totals, before)
        of_all = ask(site.store.totals, every)
        latency = ask(site.store.latency, query)
        latency_before = ask(site.store.latency, before)
        latency_all = ask(site.store.latency, every)
        moved = ask(moves, replace(view, by="model", other_start=None, other_end=None), site)
        spent = ask(spend, view, site)
        marks = ask(flagged, view, site, kind.page)
        errors = ask(top_errors, view, site)
        models = ask(leaders, view, site, "model", _LEADERS, timed=False)
        routes = ask(leaders, view, site, "route", _LEADERS, timed=False)
        tags = ask(_tags, view, site, kind)
        sessions = ask(site.store.sessions, query, _SESSIONS)
        recent = ask(site.store.calls, query, _RECENT)
        colors = ask(palette, site)
    times = (latency.value, latency_before.value, latency_all.value)
    causes: Sequence[Reason] = ()
    if totals_before.value.calls and view.since is None:
        causes = said(summed(moved.value))
    return {
        "one": key,
        "months": None,
        "kind": kind,
        "cards": _cards(totals.value, totals_before.value, of_all.value, times),
        "causes": causes,
        **spent.value,
        **marks.value,
        **errors.value,
        "models": models.value,
        "routes": routes.value,
        "tags": tags.value,
        "sessions": [(one, view.to("sessions", session=one.id)) for one in sessions.value],
        "recent": rows(recent.value, view, colors.value),
        "totals": totals.value,
        "all_link": view.to(kind.page, user=None) if kind.page == "users" else view.to("tags", tag=None),
        "forget": _command(key, site) if kind.page == "users" else None,
    }


async def _tags(view: View, site: Site, kind: Kind) -> list[tuple[str, list[WhoRow]]]:
    """What it was for: by each tag that sums are kept by, else by the first tag there is."""
    summed, known = (
        [name for name in names if kind.by != ByTag(name)]
        for names in (await site.store.tag_names(), await tag_names(site))
    )
    async with together() as ask:
        names = summed[:_TAGS] or known[:1]
        found = [(name, ask(_by_tag, view, site, Kind.of_tag(name))) for name in names]
    return [(name, rows.value) for name, rows in found if any(row.key for row in rows.value)]


async def _by_tag(view: View, site: Site, own: Kind) -> list[WhoRow]:
    reached = await within_reach(view, site, own.by)
    query = reached.query(site.clock())
    async with together() as ask:
        groups = ask(site.store.groups, query, own.by, _LEADERS, timed=False)
        totals = ask(site.store.totals, query)
    return [row_of(view, own, group, totals.value) for group in groups.value]


def _cards(
    now: Totals, before: Totals, of_all: Totals, times: tuple[Latency, Latency, Latency]
) -> list[Card]:
    latency, latency_before, latency_all = times
    value, cents = money_parts(now.cost_nanousd)
    if now.unpriced and not now.cost_nanousd:
        value, cents = UNKNOWN, ""
    speed, _, unit = duration(latency.p95_ms).partition(" ")
    failed = percent(now.errors, now.calls)
    warnings = (
        [(f"{count(now.unpriced)} without a price", "They are in no sum of money here.")]
        if now.unpriced
        else []
    )
    return [
        Card(
            id="cost",
            label="Cost",
            value=value,
            cents=cents,
            delta=grown(now.cost_nanousd, before.cost_nanousd),
            notes=[(f"{percent(now.cost_nanousd, of_all.cost_nanousd)} of all", "")],
            warnings=warnings,
        ),
        Card(
            id="requests",
            label="Calls",
            value=count(now.calls),
            delta=grown(now.calls, before.calls),
            notes=[(f"{percent(now.calls, of_all.calls)} of all", "")],
        ),
        Card(
            id="each",
            label="Per call",
            value=money(each(now)),
            delta=grown(each(now), each(before)),
            notes=[(f"all: {money(each(of_all))}", "")],
        ),
        Card(
            id="errors",
            label="Errors",
            value=failed.removesuffix("%"),
            unit="%" if now.calls else "",
            delta=_points(now, before),
            notes=[(f"all: {percent(of_all.errors, of_all.calls)}", "")],
        ),
        Card(
            id="latency",
            label="p95",
            value=speed,
            unit=unit,
            delta=grown(latency.p95_ms, latency_before.p95_ms),
            notes=[(f"all: {duration(latency_all.p95_ms)}", "")],
        ),
    ]


def _points(now: Totals, before: Totals) -> Delta | None:
    """The change of the share that failed."""
    if not now.calls or not before.calls:
        return None
    points = 100 * now.errors / now.calls - 100 * before.errors / before.calls
    return Delta(points > 0, f"{abs(points):.2f} points", bad=points > 0) if abs(points) >= 0.005 else None


def _command(user: str, site: Site) -> str:
    """What forgets that user, for a terminal where the database is."""
    return f"miharu prune --user {shlex.quote(user)} --database {shlex.quote(site.database)}"
