"""``miharu copy``: everything that one database has, into another."""

import argparse
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from miharu.cli._database.reading import check_file
from miharu.cli._output import Style, table
from miharu.config import MEMORY, NOWHERE, Config, public_url
from miharu.errors import ConfigError, NoDatabase, StoreError

if TYPE_CHECKING:
    from miharu.stores.base import AsyncWriter, Kind, Questions, Store
    from miharu.stores.copying import Comparison

__all__ = ("DESCRIPTION", "HELP", "add_arguments", "run")

HELP = "copy everything from one database into another"
DESCRIPTION = (
    "Copy calls with their prompts and answers, spans, scores and markers from one database into another, "
    "such as from a SQLite file to PostgreSQL. Of the source nothing is changed, except that "
    "tables of an older miharu are brought up to date first. A copy that was ended can be begun again: it "
    "goes on, and nothing is there twice."
)
_OFTEN_S = 0.2
_SOMETIMES_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two databases, and whether the target may have other calls."""
    parser.add_argument("--from", dest="source", required=True, metavar="URL", help="what is copied")
    parser.add_argument("--to", dest="target", required=True, metavar="URL", help="where to; made if missing")
    parser.add_argument(
        "--merge", action="store_true", help="also into a database that has calls of others already"
    )


def run(arguments: argparse.Namespace) -> int:
    """Copy, compare, and print what both databases have; 1 if the target lacks something."""
    import anyio

    source, target = _urls(arguments)
    return anyio.run(partial(_copy, source, target, merge=arguments.merge))


def _urls(arguments: argparse.Namespace) -> tuple[str, str]:
    source, target = (Config.resolve(one).database for one in (arguments.source, arguments.target))
    for option, url in (("--from", source), ("--to", target)):
        if url in {MEMORY, NOWHERE}:
            raise ConfigError(
                f"{option} is {public_url(url)}, where nothing stays: name a file, such as calls.db, or a "
                "server, such as postgresql://user@host/name."
            )
    if source == target:
        raise ConfigError(f"--from and --to are both {public_url(source)}: name two databases.")
    try:
        check_file(source)
    except NoDatabase:
        raise NoDatabase(
            f"There is nothing to copy in {public_url(source)}. Name the database that has calls with --from."
        ) from None
    with suppress(NoDatabase):  # it is made
        check_file(target)
    return source, target


async def _copy(source: str, target: str, *, merge: bool) -> int:
    from miharu.stores import store_for
    from miharu.stores.blocking import awaitable

    read: Store = store_for(source).load()(source, read_only=True)
    written: Store = store_for(target).load()(target)
    ours, writer, theirs = read.questions(), awaitable(written.writer()), written.questions()
    try:
        await ours.open()
        await writer.open()
        await theirs.open()
        return await _Copy(ours, theirs, writer, public_url(target)).run(merge=merge)
    finally:
        await ours.close()
        await theirs.close()
        await writer.close()


class _Copy:
    """One run, from the look at both databases to the figures at the end."""

    def __init__(self, source: "Questions", target: "Questions", writer: "AsyncWriter", name: str) -> None:
        self._source, self._target, self._writer, self._name = source, target, writer, name
        self._progress = _Progress()

    async def run(self, *, merge: bool) -> int:
        from miharu.stores.copying import KINDS, copy

        before = await self._compare()
        if any(found.foreign for found in before.values()) and not merge:
            foreign = _listed({kind: found.foreign for kind, found in before.items()})
            raise StoreError(
                f"{self._name} has {foreign} that the source does not have. To put both together, pass "
                "--merge; to keep them apart, name another database with --to."
            )
        for kind in KINDS:
            if before[kind].missing:
                await copy(self._source, self._writer, kind, before[kind], self._progress.show)
        after = await self._compare()
        self._progress.clear()
        code = await self._report(before, after)
        sys.stdout.flush()
        # Pages read sums. It comes last, since it takes a while, and other programs would do it as well.
        while await self._writer.roll_up():
            self._progress.show("summing up", "calls", 0, 0)
        self._progress.clear()
        return code

    async def _compare(self) -> "Mapping[Kind, Comparison]":
        from miharu.stores.copying import KINDS, compare

        return {kind: await compare(self._source, self._target, kind, self._progress.show) for kind in KINDS}

    async def _report(self, before: "Mapping[Kind, Comparison]", after: "Mapping[Kind, Comparison]") -> int:
        from miharu.stores.copying import complete, unequal_sums

        rows = [
            (
                kind,
                f"{found.source:,}",
                f"{found.shared - before[kind].shared:,}",
                f"{before[kind].shared:,}",
                f"{found.target:,}",
            )
            for kind, found in after.items()
        ]
        head = ("", "in the source", "copied", "there before", "in the target")
        print(table(head, rows, Style()))
        # A release that both have seen has one marker: the target's own.
        if any(found.missing for kind, found in after.items() if kind != "markers"):
            missing = _listed({kind: found.missing for kind, found in after.items()})
            print(
                f"The target lacks {missing}, which programs have recorded meanwhile: run the command again "
                "to copy these as well. If they are still missing then, a retention deletes "
                "them in the target."
            )
            return 1
        if any(found.foreign for found in after.values()):
            print("The target has all of the source. Sums are not compared, because it has other calls too.")
            return 0
        unequal = await unequal_sums(self._source, self._target)
        if unequal and await complete(self._source, self._target, self._writer, self._progress.show):
            unequal = await unequal_sums(self._source, self._target)
        self._progress.clear()
        if unequal:
            words = "; ".join(f"{name} {one:,} and {other:,}" for name, (one, other) in unequal.items())
            print(
                f"The sums of the source and the target differ: {words}. Calls were repriced in one of the "
                "two after they had been copied, or completed in the target; copy into an empty database to "
                "have the same."
            )
            return 1
        print("Both have the same calls, spans, scores and markers, and the same sums of tokens and cost.")
        return 0


class _Progress:
    """A line that is written over on a terminal, and elsewhere a line now and then."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._next = 0.0 if self._is_terminal else time.monotonic() + _SOMETIMES_S
        self._begun: tuple[str, float, int] = ("", 0.0, 0)

    def show(self, what: str, kind: "Kind", done: int, whole: int) -> None:
        """Say how far it has come."""
        now = time.monotonic()
        if self._begun[0] != f"{what} {kind}":
            self._begun = (f"{what} {kind}", now, done)
        if now < self._next:
            return
        self._next = now + (_OFTEN_S if self._is_terminal else _SOMETIMES_S)
        _, since, first = self._begun
        of = f" of {whole:,}" if whole else ""
        pace = f", {(done - first) / (now - since):,.0f} a second" if now - since > _OFTEN_S and done else ""
        line = f"{what} {kind}{f': {done:,}{of}{pace}' if done else ''}"
        print(f"\r\x1b[K{line}" if self._is_terminal else line, end="", file=sys.stderr)
        print(end="" if self._is_terminal else "\n", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away."""
        if self._is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _listed(counts: "Mapping[Kind, int]") -> str:
    return " and ".join(f"{number:,} {kind}" for kind, number in counts.items() if number)
