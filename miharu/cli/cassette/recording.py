"""``miharu cassette record``: calls of a database, or of a program that is run, in a file."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from miharu.cassettes.file import save
from miharu.cassettes.stored import REASONS, recorded
from miharu.cli._arguments import query_of
from miharu.cli._database.reading import ask, reading
from miharu.errors import ConfigError, NoDatabase

if TYPE_CHECKING:
    from miharu.call import Call
    from miharu.stores.base import Query, Questions

__all__ = ("record",)

_PAGE = 100
_NOT_FOUND = 127


def record(arguments: argparse.Namespace) -> int:
    """Write the file; the exit code, of a program that is run its own.

    Raises:
        ConfigError: An option is not valid, or the file cannot be written.
    """
    out: Path = arguments.out
    if out.exists():
        raise ConfigError(f"{out} exists already: name another file, or remove it first.")
    if arguments.limit < 1:
        raise ConfigError(f"--limit {arguments.limit}: give a number from 1.")
    if not arguments.program:
        return _write(arguments, arguments.database)
    if arguments.database is not None:
        raise ConfigError("--database and a program exclude each other: its calls go to a database for this.")
    with tempfile.TemporaryDirectory(prefix="miharu-") as folder:
        database = str(Path(folder) / "calls.db")
        code = _run(arguments.program, database)
        try:
            return _write(arguments, database) or code
        except NoDatabase:
            print(
                "miharu: the program has recorded no call, so there is no cassette. A database that it names "
                "itself, by init(database=), is not the one of this command.",
                file=sys.stderr,
            )
            return code or 1


def _run(program: list[str], database: str) -> int:
    from miharu.cli.run.program import recording

    own = {"MIHARU_DATABASE_URL": database, "MIHARU_CAPTURE_CONTENT": "1"}
    try:
        return subprocess.call(program, env=recording({**os.environ, **own}))  # noqa: S603 - that was asked for
    except OSError as error:
        print(f"miharu: {program[0]}: {error.strerror}", file=sys.stderr)
        return _NOT_FOUND


def _write(arguments: argparse.Namespace, database: str | None) -> int:
    now = time.time_ns() // 1_000_000
    query = query_of(arguments, 0 if arguments.range is None else now - arguments.range, now + 1)
    query = replace(query, session_id=arguments.session, trace_id=arguments.trace)
    with reading(database) as monitor:
        calls, more = ask(monitor, _newest, query, arguments.limit)
    found, without = [], Counter[str]()
    for call in reversed(calls):
        one = recorded(call)
        if isinstance(one, str):
            without[one] += 1
        else:
            found.append(one)
    for reason, number in without.items():
        said = "1 call is" if number == 1 else f"{number:,} calls are"
        print(f"miharu: {said} left out, {REASONS[reason]}.", file=sys.stderr)  # type: ignore[index]
    if more:
        print(f"miharu: there are more; these are the newest {arguments.limit:,}.", file=sys.stderr)
    if not found:
        print("miharu: no call can be recorded, so there is no cassette.", file=sys.stderr)
        return 1
    save(arguments.out, found)
    calls_ = "1 call is" if len(found) == 1 else f"{len(found):,} calls are"
    print(f"{calls_} in {arguments.out}.")
    return 0


async def _newest(store: "Questions", query: "Query", limit: int) -> "tuple[list[Call], bool]":
    """The newest calls with their content, the newest first, and whether there are more."""
    found: list[Call] = []
    before, seen = None, 0
    while page := await store.calls(query, limit=min(_PAGE, limit + 1 - seen), before=before):
        for call in page:
            seen += 1
            if seen > limit:
                return found, True
            whole = await store.call(call.id)
            if whole is not None:  # it may have been pruned meanwhile
                found.append(whole)
        before = page[-1].id
    return found, False
