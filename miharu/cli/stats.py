"""``miharu stats``: the sums of a range of time."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from miharu.cli._arguments import add_conditions, add_database, query_of
from miharu.cli._database.reading import ask, reading
from miharu.cli._near import near_lines
from miharu.cli._output import Style, bytes_words, printable, table
from miharu.cli._range import range_ms, range_words
from miharu.config import public_url
from miharu.errors import NoDatabase

if TYPE_CHECKING:
    from miharu.monitor import Monitor
    from miharu.stores.base import Group, Latency, Query, Questions, Totals

__all__ = ("DESCRIPTION", "HELP", "add_arguments", "run")

HELP = "print the sums"
DESCRIPTION = "Print the sums of a range of time."
_MINUTE = 60_000
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    """The figures that are printed."""

    totals: "Totals"
    latency: "Latency"
    models: "Sequence[Group]"
    routes: "Sequence[Group]"
    size_bytes: int | None
    """On disk, of the whole database."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for the range and the filters."""
    add_database(parser)
    parser.add_argument(
        "--range",
        type=range_ms,
        default="24h",
        metavar="TIME",
        help="how far back: a number and s, m, h, d or w (default: %(default)s)",
    )
    add_conditions(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print the sums."""
    with reading(arguments.database, _waits) as monitor:
        end = (time.time_ns() // 1_000_000 // _MINUTE + 1) * _MINUTE
        query = query_of(arguments, end - arguments.range, end)
        report = _asked(monitor, query)
        near = () if report.totals.calls or arguments.json else _near(monitor, query)
        where = public_url(monitor.config.database)
    if arguments.json:
        window = {"database": where, "start": query.start, "end": query.end}
        print(json.dumps(window | asdict(report), indent=2))
    else:
        print(_words(f"Calls of the last {range_words(arguments.range)} in {where}", report))
    for text in near:
        print(f"miharu: {text}", file=sys.stderr)
    return 0


def _waits(missing: NoDatabase) -> None:
    print(f"miharu: {missing}", file=sys.stderr)


def _asked(monitor: "Monitor", query: "Query") -> _Report:
    """The figures; zeros where there is no database yet."""
    from miharu.stores.base import Latency, Totals

    try:
        return ask(monitor, _read, query)
    except NoDatabase:
        return _Report(totals=Totals(), latency=Latency(), models=(), routes=(), size_bytes=None)


def _near(monitor: "Monitor", query: "Query") -> "Sequence[str]":
    try:
        return ask(monitor, near_lines, query)
    except NoDatabase:
        return ()


async def _read(store: "Questions", query: "Query") -> _Report:
    return _Report(
        totals=await store.totals(query),
        latency=await store.latency(query),
        models=tuple(await store.groups(query, "model")),
        routes=tuple(await store.groups(query, "route")),
        size_bytes=await store.size(),
    )


def _words(title: str, report: _Report) -> str:
    from miharu.wording.numbers import count, duration

    style, totals, latency = Style(), report.totals, report.latency
    if not totals.calls:
        return f"{title}\n\n  none"
    problems = [
        f"{count(number)} {word}"
        for number, word in (
            (totals.errors, "failed"),
            (totals.rate_limited, "of them rate-limited"),
            (totals.cancelled, "cancelled"),
        )
        if number
    ]
    unpriced = f"; {count(totals.unpriced)} of unknown price not included" if totals.unpriced else ""
    estimated = f"; {count(totals.estimated)} estimated" if totals.estimated else ""
    facts = {
        "calls": count(totals.calls) + (f"; {', '.join(problems)}" if problems else ""),
        "cost": _cost(totals) + unpriced,
        "tokens": f"{count(totals.prompt_tokens)} in, {count(totals.cached_tokens)} of them cached; "
        f"{count(totals.completion_tokens)} out{estimated}",
        "latency": f"p50 {duration(latency.p50_ms)}, p95 {duration(latency.p95_ms)}, "
        f"first token p50 {duration(latency.ttft_p50_ms)}",
    }
    if report.size_bytes is not None:
        facts["on disk"] = f"{bytes_words(report.size_bytes)}, calls of all time"
    parts = [style.bold(title), "\n".join(f"  {name:<8} {value}" for name, value in facts.items())]
    parts += [_groups("model", report.models, style)]
    if any(group.key is not None for group in report.routes):
        parts += [_groups("route", report.routes, style)]
    return "\n\n".join(parts)


def _groups(name: str, groups: "Sequence[Group]", style: Style) -> str:
    from miharu.wording.numbers import count, duration

    head = (name, "calls", "errors", "cost", "unpriced", "tokens in", "tokens out", "p50", "p95")
    rows = [
        (
            "(none)" if group.key is None else printable(group.key),
            count(group.totals.calls),
            count(group.totals.errors),
            _cost(group.totals),
            count(group.totals.unpriced),
            count(group.totals.prompt_tokens),
            count(group.totals.completion_tokens),
            duration(group.latency.p50_ms),
            duration(group.latency.p95_ms),
        )
        for group in groups[:_SHOWN]
    ]
    more = f"\n  and {len(groups) - _SHOWN} more" if len(groups) > _SHOWN else ""
    return table(head, rows, style) + more


def _cost(totals: "Totals") -> str:
    """The cost; unknown, not zero, where no call has a price."""
    from miharu.wording.numbers import UNKNOWN, money

    return UNKNOWN if totals.unpriced and not totals.cost_nanousd else money(totals.cost_nanousd)
