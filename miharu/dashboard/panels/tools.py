"""The tools: which are asked for and by whom, which ran, how often they fail, how long they take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

from miharu.conditions.language import Condition
from miharu.dashboard.address.view import View
from miharu.dashboard.charts.colors import Palette, palette
from miharu.dashboard.charts.spark import spark
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.tables import Column, Sheet, Sorted, ordered, sheet
from miharu.dashboard.panels.tool_failures import what_followed
from miharu.dashboard.queries.together import together
from miharu.stores.base import AskedTool, RanTool, Tools
from miharu.wording.names import model_name

__all__ = ("Failure", "Tool", "file", "table")

_SHOWN, _FAILURES, _MODELS = 200, 12, 3
_MOST_ASKED = Sorted("asked", descending=True)
_SPANS_HAVE = {"route", "user", "service", "session", "trace", "error", "tool"}
"""The filters that mean runs, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A row: what is known of a tool from either side."""

    name: str
    asked: int | None
    """``None`` where no answer asked for it."""
    ran: int | None
    """``None`` where nothing says that it ran: then nothing is known of that."""
    unseen: int | None
    """How often it was asked for and nothing says that it ran; ``None`` where the two are not comparable."""
    recognised: int
    """Runs that nobody has measured, so that the times are upper bounds."""
    untold: int
    """Runs of which it is not known whether they failed."""
    errors: int
    p50_ms: int | None
    p95_ms: int | None
    last: int
    models: Sequence[str]
    more_models: int
    mix: Sequence[tuple[str, float, float]]
    """Of each model that asked for it: its colour, where it begins and how wide it is, in percent."""
    over: Sequence[int]
    """How often over the window: asked for, or where that is not known, ran."""
    failed_over: Sequence[int]
    link: str | None
    """Where the calls are listed that asked for it."""

    @property
    def line(self) -> tuple[str, str]:
        return spark(self.over)

    @property
    def failed_line(self) -> tuple[str, str]:
        return spark(self.failed_over)

    @property
    def told(self) -> int:
        """Runs of which it is known whether they failed."""
        return (self.ran or 0) - self.untold

    @property
    def share_failed(self) -> float | None:
        return self.errors / self.told if self.told else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a tool fails."""

    tool: str
    error: str
    runs: int
    of: int
    link: str


_COLUMNS: Sequence[Column[Tool]] = (
    Column("tool", "Tool", lambda one: one.name),
    Column("models", "Asked for by", lambda one: ", ".join(one.models) or None),
    Column("asked", "Asked", lambda one: one.asked, "How often answers of models asked for it"),
    Column("ran", "Ran", lambda one: one.ran, "Results that came, and steps in which it ran"),
    Column("unseen", "Not seen to run", lambda one: one.unseen),
    Column("errors", "Errors", lambda one: one.errors if one.told else None),
    Column("failed", "Failed", lambda one: one.share_failed, "Of the runs of which that is known"),
    Column("p50_ms", "p50", lambda one: one.p50_ms),
    Column("p95_ms", "p95", lambda one: one.p95_ms),
    Column("last", "Last", lambda one: one.last),
    Column("recognised", "At most", lambda one: one.recognised if one.ran else None, "Runs not measured"),
    Column("untold", "Not told", lambda one: one.untold if one.ran else None),
)
_HEADS = ("tool", "models", "asked", "ran", "failed", "p50_ms", "p95_ms", "last")
_WAYS = (("All", "-asked"), ("Failing", "-failed"), ("Slow", "-p95_ms"), ("Not seen to run", "-unseen"))


async def table(view: View, site: Site) -> Mapping[str, Any]:
    async with together() as ask:
        asked_for = ask(site.store.tools, view.query(site.clock()))
        colors = ask(palette, site)
    found = asked_for.value
    unmeant = view.fields_asked - _SPANS_HAVE
    worst = max(found.ran, key=lambda one: one.errors, default=None)
    if worst is not None and not worst.errors:
        worst = None
    tools, order = ordered(_tools(found, view, colors.value), _COLUMNS, view.sort, _MOST_ASKED)
    runs, errors = sum(one.runs for one in found.ran), sum(one.errors for one in found.ran)
    untold = sum(one.untold for one in found.ran)
    timed = [one for one in found.ran if one.p95_ms is not None]
    return {
        "tools": tools[:_SHOWN],
        "whole": len(tools),
        "order": order,
        "columns": [column for column in _COLUMNS if column.name in _HEADS],
        "ways": _WAYS,
        "asked": sum(one.times for one in found.asked),
        "named": len(found.asked),
        "models": len({model for one in found.asked for model in one.models}),
        "runs": runs,
        "told": runs - untold,
        "recognised": sum(one.recognised for one in found.ran),
        "errors": errors,
        "worst": worst,
        "following": await what_followed(worst.name, view.query(site.clock()), view, site)
        if worst and not unmeant
        else None,
        "unseen": sum(one.unseen or 0 for one in tools),
        "is_comparable": any(one.unseen is not None for one in tools),
        "slowest": max(timed, key=lambda one: one.p95_ms or 0, default=None),
        "failures": _failures(found.ran, view),
        "asked_since": found.asked_since,
        "ran_since": found.ran_since,
        "unmeant": sorted(unmeant) if runs else [],
    }


def _tools(found: Tools, view: View, colors: Palette) -> list[Tool]:
    asked, ran = {one.name: one for one in found.asked}, {one.name: one for one in found.ran}
    comparable = found.asked_since is None and found.ran_since is None and not view.fields_asked - _SPANS_HAVE
    names = dict.fromkeys((*asked, *ran))
    return [
        _tool(name, asked.get(name), ran.get(name), colors, comparable=comparable, link=_calls(view, name))
        for name in names
    ]


def _calls(view: View, name: str) -> str:
    asked = Condition(field="tools", operator="in", values=(name,))
    return view.to("calls", conditions=tuple(dict.fromkeys((*view.conditions, asked))))


def _tool(
    name: str,
    asked: AskedTool | None,
    ran: RanTool | None,
    colors: Palette,
    *,
    comparable: bool,
    link: str,
) -> Tool:
    models = list(asked.models.items()) if asked else []
    known = comparable and asked is not None and ran is not None
    return Tool(
        name=name,
        asked=asked.times if asked else None,
        ran=ran.runs if ran else None,
        unseen=max(0, asked.times - ran.runs) if known and asked and ran else None,
        recognised=ran.recognised if ran else 0,
        untold=ran.untold if ran else 0,
        errors=ran.errors if ran else 0,
        p50_ms=ran.p50_ms if ran else None,
        p95_ms=ran.p95_ms if ran else None,
        last=max(asked.last if asked else 0, ran.last if ran else 0),
        models=[model_name(model) for model, _ in models[:_MODELS]],
        more_models=max(0, len(models) - _MODELS),
        mix=_mix(models, colors),
        over=asked.over if asked else ran.over if ran else (),
        failed_over=ran.failed_over if ran and ran.errors else (),
        link=link if asked else None,
    )


def _mix(models: Sequence[tuple[str | None, int]], colors: Palette) -> list[tuple[str, float, float]]:
    whole, left = sum(number for _, number in models) or 1, 0.0
    mix = []
    for model, number in models[:8]:
        width = 100 * number / whole
        mix.append((colors.model(model), round(left, 1), round(width, 1)))
        left += width
    return mix


def _failures(ran: Sequence[RanTool], view: View) -> list[Failure]:
    found = [(one, kind, number) for one in ran for kind, number in one.kinds.items()]
    most = nsmallest(_FAILURES, found, key=lambda each: (-each[2], each[0].name, each[1]))
    return [
        Failure(
            tool=one.name,
            error=kind,
            runs=number,
            of=one.runs - one.untold,
            link=view.to("errors", error=kind),
        )
        for one, kind, number in most
    ]


async def file(view: View, site: Site) -> Sheet:
    found = await site.store.tools(view.query(site.clock()))
    tools, _ = ordered(_tools(found, view, Palette()), _COLUMNS, view.sort, _MOST_ASKED)
    since = {"asked_since": found.asked_since, "ran_since": found.ran_since}
    return Sheet(**{**_as_facts(sheet("tools", _COLUMNS, tools)), "more": since})


def _as_facts(made: Sheet) -> dict[str, Any]:
    return {"name": made.name, "columns": made.columns, "rows": made.rows}
