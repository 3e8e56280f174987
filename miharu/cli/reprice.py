"""``miharu reprice``: what calls cost by the prices that are known today."""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from miharu.cli._arguments import add_database
from miharu.cli._database.writing import writing
from miharu.cli._output import Style, printable, table
from miharu.cli._range import moment_ms, moment_words
from miharu.wording.names import model_name

if TYPE_CHECKING:
    from miharu.call import Call, Cost
    from miharu.pricing.base import Prices
    from miharu.stores.base import AsyncWriter, Questions

__all__ = ("DESCRIPTION", "HELP", "add_arguments", "run")

HELP = "compute costs anew"
DESCRIPTION = (
    "Compute the cost of stored calls anew, by the prices that the installed genai-prices knows. What a "
    "provider or prices of your own have stated stays as it is."
)
OURS = "genai-prices"
_PAGE = 500
_SHOWN = 10


@dataclass(slots=True)
class Change:
    """What the new prices mean for one model."""

    calls: int = 0
    before: int = 0
    """Nano-dollars, of the calls that change."""
    after: int = 0


@dataclass(slots=True)
class Changes:
    """How many calls were looked at, and how their costs change."""

    looked_at: int = 0
    stated: int = 0
    """Calls whose cost a provider, a gateway or your own prices have stated."""
    gained: int = 0
    lost: int = 0
    models: dict[str, Change] = field(default_factory=lambda: defaultdict(Change))

    @property
    def changed(self) -> int:
        return sum(change.calls for change in self.models.values())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for the start and the dry run."""
    add_database(parser)
    parser.add_argument(
        "--since",
        type=moment_ms,
        required=True,
        metavar="MOMENT",
        help="how long ago, such as 30d, or a date such as 2026-11-30 (UTC)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would change")


def run(arguments: argparse.Namespace) -> int:
    """Compute the costs, store them, and print what changed."""

    async def work(questions: "Questions", writer: "AsyncWriter") -> Changes:
        from miharu.pricing.genai import GenaiPrices

        return await repriced(questions, writer, GenaiPrices(), arguments.since, dry_run=arguments.dry_run)

    print(_words(writing(arguments.database, work), arguments.since, dry_run=arguments.dry_run))
    return 0


async def repriced(
    questions: "Questions", writer: "AsyncWriter", prices: "Prices", since: int, *, dry_run: bool = False
) -> Changes:
    """Give the calls from that moment on the costs that these prices know, page by page."""
    from miharu.stores.base import Query

    query, tally, before = Query(start=since, end=2**62), Changes(), None
    while page := await questions.calls(query, limit=_PAGE, before=before):
        costs = dict(_changes(page, prices, tally))
        if costs and not dry_run:
            await writer.reprice(costs)
        before = page[-1].id
    return tally


def _changes(page: "Sequence[Call]", prices: "Prices", tally: Changes) -> "Iterator[tuple[str, Cost | None]]":
    for call in page:
        tally.looked_at += 1
        if call.cost is not None and not call.cost.cost_source.startswith(OURS):
            tally.stated += 1
            continue
        cost = prices.cost(replace(call, cost=None))
        old, new = (None if each is None else each.cost_nanousd for each in (call.cost, cost))
        if old == new:
            continue
        tally.gained += old is None
        tally.lost += new is None
        change = tally.models[model_name(call.model)]
        change.calls += 1
        change.before += old or 0
        change.after += new or 0
        yield call.id, cost


def _words(tally: Changes, since: int, *, dry_run: bool) -> str:
    from miharu.wording.numbers import count

    style = Style()
    lines = [f"{count(tally.looked_at)} calls since {moment_words(since)}."]
    if tally.stated:
        lines.append(f"{count(tally.stated)} with a stated cost, which stays.")
    if not tally.changed:
        return " ".join([*lines, "No cost changes."])
    before = sum(change.before for change in tally.models.values())
    after = sum(change.after for change in tally.models.values())
    of_them = [
        f"{count(number)} {words}"
        for number, words in ((tally.gained, "had no price before"), (tally.lost, "have none any more"))
        if number
    ]
    changed = f"{count(tally.changed)} {'would change' if dry_run else 'changed'}"
    lines.append(
        f"{changed}{_aside(of_them)}: together they cost {_money(after)} and not {_money(before)} "
        f"({_difference(after - before)})."
    )
    models = sorted(tally.models.items(), key=lambda item: -abs(item[1].after - item[1].before))
    rows = [
        (
            printable(name),
            count(change.calls),
            _money(change.before),
            _money(change.after),
            _difference(change.after - change.before),
        )
        for name, change in models[:_SHOWN]
    ]
    more = f"\n  and {len(models) - _SHOWN} more" if len(models) > _SHOWN else ""
    return (
        " ".join(lines)
        + "\n\n"
        + table(("model", "calls", "before", "after", "difference"), rows, style)
        + more
    )


def _aside(parts: "Sequence[str]") -> str:
    return f" ({', '.join(parts)})" if parts else ""


def _money(nano: int) -> str:
    from miharu.wording.numbers import money

    return money(nano)


def _difference(nano: int) -> str:
    return ("-" if nano < 0 else "+") + _money(abs(nano))
