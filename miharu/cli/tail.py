"""``miharu tail``: calls as they come, one line each."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

from miharu.cli._arguments import add_database, add_filters, query_of
from miharu.cli._database.reading import ask, reading
from miharu.cli._output import Style, printable
from miharu.errors import NoDatabase, StoreError

if TYPE_CHECKING:
    from miharu.call import Call
    from miharu.monitor import Monitor
    from miharu.stores.base import Query, Questions

__all__ = ("DESCRIPTION", "HELP", "Follower", "add_arguments", "line", "run")

HELP = "print calls as they come"
DESCRIPTION = "Print calls as they come, whichever process makes them, one line each. Ctrl-C ends it."
POLL_S = 0.5
LASTS_MS = 15 * 60_000
"""A call is stored when it ends, under the moment at which it began: what lasted longer is not shown."""
WHOLE_EVERY_S = 10.0
"""Seconds between two looks at all of that time; each poll looks at the newest page."""
_PAGE = 100
_EVER = 2**62


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for the calls and the format."""
    add_database(parser)
    add_filters(parser)
    parser.add_argument(
        "--lines",
        type=_number,
        default=10,
        metavar="NUMBER",
        help="begin with so many of those that are there already (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON Lines, for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print calls until Ctrl-C."""
    try:
        with reading(arguments.database, _waits) as monitor:
            _follow(monitor, query_of(arguments, 0, _EVER), arguments.lines, as_json=arguments.json)
    except KeyboardInterrupt:
        return 0


def _follow(monitor: "Monitor", query: "Query", lines: int, *, as_json: bool) -> NoReturn:
    follower, refused = Follower(query), ""
    calls = _first(monitor, follower, lines)
    while True:
        for call in calls:
            print(_json(call) if as_json else line(call), flush=True)
        time.sleep(POLL_S)
        try:
            calls, refused = ask(monitor, follower.look), ""
        except StoreError as error:
            calls = []
            if str(error) != refused:
                print(f"miharu: {error} Trying again.", file=sys.stderr)
            refused = str(error)


def _first(monitor: "Monitor", follower: "Follower", lines: int) -> "Sequence[Call]":
    while True:
        try:
            return ask(monitor, follower.begin, lines)
        except NoDatabase:
            time.sleep(POLL_S)


def _waits(missing: NoDatabase) -> None:
    print(f"miharu: {missing}\nWaiting for the first call.", file=sys.stderr, flush=True)


class Follower:
    """Finds the calls that were stored since it last looked."""

    def __init__(self, query: "Query") -> None:
        self._query = query
        self._seen: dict[str, int] = {}
        self._revision = -1
        self._owes_whole = True
        self._whole_at = 0.0

    async def begin(self, store: "Questions", lines: int) -> "Sequence[Call]":
        """The last calls that are there, the oldest first; from now on the others count as new."""
        await self.look(store)
        last = await store.calls(self._query, limit=lines)
        self._seen |= {call.id: call.timestamp for call in last}
        return last[::-1]

    async def look(self, store: "Questions") -> "Sequence[Call]":
        """The calls that are new, the oldest first."""
        revision, began = await store.revision(), time.monotonic()
        whole = self._owes_whole and began >= self._whole_at
        if revision == self._revision and not whole:
            return ()
        self._owes_whole = not whole
        self._revision = revision
        found = await self._unseen(store, whole=whole)
        if whole:  # however much there is to look at, it is a small part of the time
            now = time.monotonic()
            self._whole_at = now + max(WHOLE_EVERY_S, 10 * (now - began))
        return found[::-1]

    async def _unseen(self, store: "Questions", *, whole: bool) -> "list[Call]":
        since = time.time_ns() // 1_000_000 - LASTS_MS
        query, before, found = replace(self._query, start=since), None, []
        while page := await store.calls(query, limit=_PAGE, before=before):
            unseen = [call for call in page if call.id not in self._seen]
            found += unseen
            if not unseen and not whole:
                break
            before = page[-1].id
        self._seen = {id_: at for id_, at in self._seen.items() if at >= since}
        self._seen |= {call.id: call.timestamp for call in found}
        return found


def line(call: "Call", style: Style | None = None) -> str:
    """One line: time, status, model, tokens, cost, duration and route."""
    from miharu.dashboard.call.rows import error_tag
    from miharu.wording.names import model_name
    from miharu.wording.numbers import count, duration, money

    style = style or Style()
    paint = {"success": style.good, "cancelled": style.warn, "error": style.bad}[call.outcome.status]
    at = datetime.fromtimestamp(call.timestamp / 1000).astimezone()
    guess = "~" if call.usage.usage_source == "estimated" else ""
    prompt, completion = call.usage.prompt_tokens, call.usage.completion_tokens
    first = f", first token {duration(call.ttft_ms)}" if call.ttft_ms is not None else ""
    parts = [
        style.dim(f"{at:%H:%M:%S}.{call.timestamp % 1000:03}"),
        paint(f"{call.outcome.status:<9}"),
        style.bold(f"{printable(model_name(call.model)):<28}"),
        f"{guess}{count(prompt)} in, {guess}{count(completion)} out",
        money(call.cost.cost_nanousd if call.cost else None),
        duration(call.duration_ms if call.is_timed else None) + first,
        printable(call.route or ""),
    ]
    if tag := error_tag(call.outcome):
        parts.append(paint(printable(tag)))
    return "  ".join(part for part in parts if part)


def _json(call: "Call") -> str:
    from miharu.cli._flat import record

    return json.dumps(record(call))


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines: give one from 0 to 99999")
    return int(text)
