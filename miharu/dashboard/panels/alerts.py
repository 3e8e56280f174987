"""Alerts: what fires, what was over in the range, and all that are watched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from miharu.batch import Marker
from miharu.dashboard.address.ranges import LAST
from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.errors import ConditionError
from miharu.recorder.alerts.turns import CHANGES, turn_of

__all__ = ("AlertLine", "alert_list", "alert_strip", "standing")

_SHOWN = 6
_LISTED = 100
_ORDER = {"firing": 0, "resolved": 1, "quiet": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLine:
    """One alert, as it stands or as it was."""

    name: str
    when: str
    over: str
    state: Literal["firing", "resolved", "quiet"]
    text: str
    """What was measured; empty where nothing was yet."""
    since: int | None = None
    until: int | None = None
    link: str | None = None


async def alert_strip(view: View, site: Site) -> Mapping[str, Any]:
    """Those that fire, and those that were over in the range; without any there is no strip."""
    window = view.window(site.clock())
    lines = await _lines(view, site)
    shown = [
        line
        for line in lines
        if line.state == "firing"
        or (line.state == "resolved" and line.until is not None and window.start <= line.until < window.end)
    ]
    return {
        "alerts": shown[:_SHOWN],
        "alerts_more": max(0, len(shown) - _SHOWN),
        "alerts_quiet": len(lines) - len(shown),
    }


async def alert_list(view: View, site: Site) -> Mapping[str, Any]:
    """All alerts, and what happened in the range."""
    window = view.window(site.clock())
    changes = await site.store.markers(window.start, window.end, kinds=CHANGES, limit=_LISTED)
    lines = await _lines(view, site)
    return {
        "alerts": lines,
        "watched": len(site.alerts()),
        "changes": [
            AlertLine(
                name=marker.name,
                when=(marker.tags or {}).get("when", ""),
                over=(marker.tags or {}).get("over", ""),
                state="firing" if marker.kind == "firing" else "resolved",
                text=(marker.tags or {}).get("text", ""),
                since=marker.timestamp,
            )
            for marker in changes
        ],
    }


async def standing(site: Site) -> Sequence[tuple[Marker, Marker | None]]:
    """The last change of each alert that ever fired, and where that is its end, when it had begun."""
    newest: dict[str, tuple[int, Marker]] = {}
    others: dict[tuple[str, int], Marker] = {}
    for marker in await site.store.markers(0, LAST, kinds=CHANGES):
        turn = turn_of(marker)
        if turn is None:
            continue
        others[turn.key, turn.number] = marker
        if turn.number > newest.get(turn.key, (0, marker))[0]:
            newest[turn.key] = (turn.number, marker)
    return [(marker, others.get((key, number - 1))) for key, (number, marker) in newest.items()]


async def _lines(view: View, site: Site) -> list[AlertLine]:
    """Of what this process watches all; of what others watch what changed in the range."""
    window = view.window(site.clock())
    known = {state.alert.key: state for state in site.alerts()}
    lines, told = [], set()
    for marker, begun in await standing(site):
        tags = marker.tags or {}
        key = tags.get("alert", "")
        state = known.get(key)
        if state is None and not window.start <= marker.timestamp < window.end:
            continue  # it may be an alert that is stated no more
        told.add(key)
        fires = marker.kind == "firing"
        since = marker.timestamp if fires else (begun.timestamp if begun is not None else None)
        until = None if fires else marker.timestamp
        shown = state.text if state is not None and state.text and fires else tags.get("text", "")
        lines.append(
            AlertLine(
                name=marker.name,
                when=tags.get("when", ""),
                over=tags.get("over", ""),
                state="firing" if fires else "resolved",
                text=shown,
                since=since,
                until=until,
                link=_link(view, tags.get("when", ""), since or marker.timestamp, until or site.clock()),
            )
        )
    lines += [
        AlertLine(
            name=state.alert.name,
            when=state.alert.when,
            over=state.alert.over,
            state="quiet",
            text=state.text,
        )
        for key, state in known.items()
        if key not in told
    ]
    return sorted(lines, key=lambda line: (_ORDER[line.state], -(line.until or line.since or 0), line.name))


def _link(view: View, when: str, since: int, until: int) -> str | None:
    """The calls that it is about, from a while before it began."""
    measure, _, conditions = when.partition(" ")
    lead = max(15 * 60_000, (until - since) // 4)
    params = {"start": str(max(0, since - lead)), "end": str(until + 60_000), "q": conditions}
    try:
        asked = View.read(params, view.zone)
    except ConditionError:  # of a newer miharu
        return None
    return asked.link("errors" if measure.startswith("errors") else "calls")
