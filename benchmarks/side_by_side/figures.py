"""Medians with their intervals, and the table."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

from benchmarks.side_by_side.blocks import Measured, Pair

__all__ = ("Figure", "added", "lag_ms", "median", "p99_ratio", "scene_table", "start_table")


@dataclass(frozen=True)
class Figure:
    """A median, and an interval that holds the true one with 95 % (of order statistics: no shape assumed)."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:+,.0f} ({self.low:+,.0f} … {self.high:+,.0f})"


def median(values: Sequence[float]) -> Figure:
    ordered = sorted(values)
    number = len(ordered)
    outside = next(
        (k for k in range(number // 2, 0, -1) if sum(comb(number, i) for i in range(k)) / 2**number <= 0.025),
        0,
    )  # fewer than six rounds have no such interval: then it is all that was seen
    low, high = (ordered[outside], ordered[-1 - outside]) if outside else (ordered[0], ordered[-1])
    return Figure(statistics.median(ordered), low, high)


def added(pairs: Sequence[Pair], figure: str) -> Figure:
    """Microseconds a call over the bare program: ``process``, ``thread`` or ``wall``."""

    def each(pair: Pair) -> float:
        calls = len(pair.bare["latencies"])
        return float(pair.watched[figure] - pair.bare[figure]) / calls * 1e6

    return median([each(pair) for pair in pairs])


def p99_ratio(pairs: Sequence[Pair]) -> tuple[float, float]:
    """The 99th percentile of a call's time over all rounds in milliseconds, and its ratio to the bare one."""
    watched, bare = _both(pairs, "latencies")
    ours, theirs = _percentile(watched, 0.99), _percentile(bare, 0.99)
    return ours * 1000, ours / theirs


def lag_ms(pairs: Sequence[Pair]) -> float | None:
    """By how much later the event loop woke up at the 99th percentile than in the bare program."""
    watched, bare = _both(pairs, "lags")
    return (_percentile(watched, 0.99) - _percentile(bare, 0.99)) * 1000 if watched and bare else None


def scene_table(scene: str, subjects: Sequence[Measured]) -> str:
    """One row a tool, the lightest for the whole process first."""
    rows: list[Sequence[str]] = [
        [
            *("tool", "whole process, µs a call", "caller's thread, µs", "wall, µs"),
            *("p99, ms", "p99 beside bare", "loop woken later, p99 ms"),
        ]
    ]
    for subject in sorted(subjects, key=lambda one: added(one.pairs[scene], "process").median):
        pairs = subject.pairs[scene]
        (p99, ratio), lag = p99_ratio(pairs), lag_ms(pairs)
        figures = (str(added(pairs, figure)) for figure in ("process", "thread", "wall"))
        rows.append((subject.tool, *figures, f"{p99:.1f}", f"{ratio:.2f}", f"{lag:+.2f}" if lag else ""))
    return f"**{scene}**\n\n{_table(rows)}"


def start_table(subjects: Sequence[Measured], begun: dict[str, list[dict[str, float]]]) -> str:
    """What a tool costs beside calls: to start, keep, install and end; and whether all calls arrived."""
    rows: list[Sequence[str]] = [
        [
            *("tool", "import + start, ms of processor of the caller's thread", "wall, ms"),
            *(
                "whole process, ms",
                "first call, ms of processor",
                "memory at start, MB",
                "after the calls, MB",
            ),
            *("idle, s of processor an hour", "end, µs a call", "installed, MB", "arrived", "version"),
        ]
    ]
    bare = next(subject for subject in subjects if subject.tool == "bare")
    for subject in subjects:
        if subject is not bare:
            begin = [
                f"{_over(begun, subject.tool, name) * 1000:.0f}"
                for name in ("thread", "wall", "process", "first")
            ]
            rows.append(
                [
                    *(subject.tool, *begin, f"{_over(begun, subject.tool, 'rss') / 1e6:+.1f}"),
                    f"{(statistics.median(subject.rss) - statistics.median(bare.rss)) / 1e6:+.1f}",
                    f"{(statistics.median(subject.idle) - statistics.median(bare.idle)) * 3600:.1f}",
                    f"{sum(subject.end) / subject.made * 1e6:.0f}",
                    f"{(subject.installed - bare.installed) / 1e6:.1f}",
                    *(f"{subject.arrived:,} of {subject.made:,}", subject.versions),
                ]
            )
    return _table(rows)


def _over(begun: dict[str, list[dict[str, float]]], tool: str, figure: str) -> float:
    mine, bare = (statistics.median(one[figure] for one in begun[name]) for name in (tool, "bare"))
    return mine - bare


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *rest = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---|" + "--:|" * (len(rows[0]) - 1), *rest])


def _both(pairs: Sequence[Pair], figure: str) -> tuple[list[float], list[float]]:
    watched = [value for pair in pairs for value in pair.watched[figure]]
    return watched, [value for pair in pairs for value in pair.bare[figure]]


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
