"""Which tools were asked for, and which ran: put together from rows, by every store in the same way."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest

from miharu.stores.base import TOOL_STEPS, AskedTool, Query, RanTool
from miharu.wire.json import loads

__all__ = ("MOST_TOOLS", "SPANS_ASKED", "asked_tools", "names_in", "ran_tools", "step_of")

SPANS_ASKED = ("service", "route", "user_id", "session_id", "trace_id", "error_type")
"""What spans are asked for by: they have no model, provider or status of a call."""
MOST_TOOLS = 500
"""Tools of an answer; a program that makes up names for them has no end of them."""


def step_of(query: Query, timestamp: int) -> int:
    """In which part of the window that is."""
    length = max(1, query.end - query.start)
    return min(TOOL_STEPS - 1, max(0, (timestamp - query.start) * TOOL_STEPS // length))


def asked_tools(rows: Iterable[tuple[str, str | None, int, int, int]]) -> Sequence[AskedTool]:
    """From rows of: the names as JSON, the model, the step, how many calls, the last of them."""
    read = [(names_in(row[0]), row) for row in rows]
    times = defaultdict[str, int](int)
    for names, (_, _, _, number, _) in read:
        for name in names:
            times[name] += number
    models: dict[str, Counter[str | None]] = {name: Counter() for name in _most_of(times)}
    over = {name: [0] * TOOL_STEPS for name in models}
    last = dict.fromkeys(models, 0)
    for names, (_, model, step, number, newest) in read:
        for name in names:
            if name in models:
                models[name][model or None] += number
                over[name][min(max(step, 0), TOOL_STEPS - 1)] += number
                last[name] = max(last[name], newest)
    return [
        AskedTool(
            name=name,
            times=times[name],
            models=dict(_ranked(models[name])),
            over=over[name],
            last=last[name],
        )
        for name in models
    ]


def ran_tools(query: Query, rows: Iterable[tuple[str, str, int, str | None, int]]) -> Sequence[RanTool]:
    """From rows of: the name, the status, the milliseconds, the kind of error, the start."""
    read = list(rows)
    runs = Counter(name for name, *_ in read)
    times: dict[str, list[int]] = {name: [] for name in _most_of(runs)}
    kinds = {name: Counter[str]() for name in times}
    last = dict.fromkeys(times, 0)
    over = {name: [0] * TOOL_STEPS for name in times}
    failed = {name: [0] * TOOL_STEPS for name in times}
    length = max(1, query.end - query.start)
    for name, status, ms, kind, at in read:
        if name not in times:
            continue
        step = (at - query.start) * TOOL_STEPS // length
        over[name][step] += 1
        last[name] = max(last[name], at)
        if status != "cancelled":
            times[name].append(ms)
        if status == "error":
            kinds[name][kind or "error"] += 1
            failed[name][step] += 1
    return [
        RanTool(
            name=name,
            runs=runs[name],
            errors=kinds[name].total(),
            kinds=dict(_ranked(kinds[name])),
            p50_ms=_at(times[name], 0.5),
            p95_ms=_at(times[name], 0.95),
            over=over[name],
            failed_over=failed[name],
            last=last[name],
        )
        for name in times
    ]


def _most_of(counts: Mapping[str, int]) -> list[str]:
    """The names of an answer, the most frequent first."""
    return nsmallest(MOST_TOOLS, counts, key=lambda name: (-counts[name], name))


def names_in(text: str) -> Sequence[str]:
    """The names of a list as it is stored; none of what others have put there."""
    found = loads(text)
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else ()


def _ranked(counts: Counter[str | None] | Counter[str]) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = sorted(counts.items(), key=lambda one: (-one[1], one[0] or ""))  # type: ignore[arg-type] # of either kind
    return found


def _at(values: list[int], share: float) -> int | None:
    """The value that so many are at most: the nearest rank."""
    if not values:
        return None
    values.sort()
    return values[max(0, -(-int(share * 100) * len(values) // 100) - 1)]
