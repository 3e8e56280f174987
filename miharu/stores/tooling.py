"""Which tools were asked for, and which ran: put together from rows, by every store in the same way."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest

from miharu.batch import RECOGNISED, UNTOLD, Span
from miharu.conditions.matching import meets
from miharu.stores.base import TOOL_STEPS, AskedTool, Query, RanTool
from miharu.wire.json import loads

__all__ = (
    "MOST_TOOLS",
    "OF_RUNS",
    "SPANS_ASKED",
    "asked_tools",
    "names_in",
    "ran_tools",
    "recorded_once",
    "step_of",
)

OF_RUNS = ("name", "status", "duration_ms", "error_type", "timestamp", "trace_id", "tags")
"""The columns of spans that ``ran_tools`` takes."""

SPANS_ASKED = ("service", "route", "user_id", "session_id", "trace_id", "error_type")
"""What spans are asked for by: they have no model, provider or status of a call."""
_ROUNDED_MS = 5
"""By which the instants of a call and of a span may be off."""
MOST_TOOLS = 500
"""Tools of an answer; a program that makes up names for them has no end of them."""


def step_of(query: Query, timestamp: int) -> int:
    """In which part of the window that is."""
    length = max(1, query.end - query.start)
    return min(TOOL_STEPS - 1, max(0, (timestamp - query.start) * TOOL_STEPS // length))


def asked_tools(query: Query, rows: Iterable[tuple[str, str | None, int, int, int]]) -> Sequence[AskedTool]:
    """From rows of: the names as JSON, the model, the step, how many calls, the last of them."""
    read = [([name for name in names_in(row[0]) if _is_meant(query, name)], row) for row in rows]
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


def ran_tools(
    query: Query, rows: Iterable[tuple[str, str, int, str | None, int, str, str | None]]
) -> Sequence[RanTool]:
    """From rows with the values of ``OF_RUNS``."""
    read = [(*row, f'"{RECOGNISED}"' in (row[-1] or "")) for row in rows if _is_meant(query, row[0])]
    own = _Own((row[5], row[0], row[4]) for row in read if not row[-1])
    times: dict[str, list[int]] = {name: [] for name in _most_of(Counter(row[0] for row in read))}
    kinds = {name: Counter[str]() for name in times}
    runs, recognised, untold = Counter[str](), Counter[str](), Counter[str]()
    last = dict.fromkeys(times, 0)
    over = {name: [0] * TOOL_STEPS for name in times}
    failed = {name: [0] * TOOL_STEPS for name in times}
    length = max(1, query.end - query.start)
    for name, status, ms, kind, at, trace, tags, is_recognised in read:
        if name not in times:
            continue
        if is_recognised:
            if own.has(trace, name, at, ms):
                continue
            recognised[name] += 1
            untold[name] += f'"{UNTOLD}"' in (tags or "")
        runs[name] += 1
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
            recognised=recognised[name],
            untold=untold[name],
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


def recorded_once(spans: Sequence[Span]) -> list[Span]:
    """The spans without recognised runs of tools that have a span of their own, too."""
    own = _Own(
        (span.trace_id, span.name, span.timestamp)
        for span in spans
        if span.is_tool and span.result_in is None
    )
    return [
        span
        for span in spans
        if span.result_in is None or not own.has(span.trace_id, span.name, span.timestamp, span.duration_ms)
    ]


class _Own:
    """The runs of tools that programs have recorded themselves."""

    def __init__(self, runs: Iterable[tuple[str, str, int]]) -> None:
        """Take the trace, the name and the start of each."""
        self._starts = defaultdict[tuple[str, str], list[int]](list)
        for trace, name, at in runs:
            self._starts[trace, name].append(at)
        for starts in self._starts.values():
            starts.sort()

    def has(self, trace: str, name: str, at: int, ms: int) -> bool:
        """Whether one began in that time."""
        starts = self._starts.get((trace, name), ())
        place = bisect_left(starts, at - _ROUNDED_MS)
        return place < len(starts) and starts[place] <= at + ms + _ROUNDED_MS


def _is_meant(query: Query, name: str) -> bool:
    """Whether the tool of that name meets the conditions on tools."""
    return all(meets(one, name) for one in query.conditions if one.field == "tools")


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
