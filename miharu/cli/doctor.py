"""``miharu doctor``: what is installed, what is seen, how the database is."""

import argparse
import os
import platform
import sqlite3
import stat
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from miharu._version import __version__
from miharu.cli import _libraries
from miharu.cli._arguments import add_database
from miharu.cli._output import Style, bytes_words, printable
from miharu.cli._reading import ask, check_file, connect, reading
from miharu.config import MEMORY, Config, auth_mode, database_file, public_url
from miharu.errors import MiharuError, NoDatabase

if TYPE_CHECKING:
    from miharu.call import Call
    from miharu.stores.base import Store, Totals

__all__ = ("DESCRIPTION", "HELP", "add_arguments", "run")

HELP = "check what is seen, and the database"
DESCRIPTION = (
    "Check which libraries are installed and seen, and the health of the database. "
    "Exit code 1 when something is wrong."
)
Mark = Literal["ok", "note", "warn", "wrong"]

VARIABLES = (
    "MIHARU_DATABASE_URL",
    "MIHARU_SERVICE",
    "MIHARU_CAPTURE_CONTENT",
    "MIHARU_TOKEN",
    "MIHARU_AUTH",
    "MIHARU_DISABLED",
)
_OLDEST_SQLITE = (3, 37)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    mark: Mark
    text: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which database, and how thoroughly."""
    add_database(parser)
    parser.add_argument("--deep", action="store_true", help="read the whole database and check its structure")


def run(arguments: argparse.Namespace) -> int:
    """Print the report; 1 when something is wrong."""
    style, wrong = Style(), 0
    sections = (
        ("Versions", _versions()),
        ("Libraries", _seen()),
        ("Environment", _environment()),
        ("Database", _database(arguments.database, deep=arguments.deep)),
    )
    for title, findings in sections:
        print(style.bold(title))
        for finding in findings:
            wrong += finding.mark == "wrong"
            text = textwrap.indent(
                textwrap.fill(finding.text, 92, break_long_words=False, break_on_hyphens=False), " " * 8
            )
            print(f"  {_marked(finding.mark, style)} {text.lstrip()}", flush=True)
        print()
    print(f"{wrong} of these must be looked at." if wrong else "Nothing is wrong.")
    return 1 if wrong else 0


def _marked(mark: Mark, style: Style) -> str:
    word = f"{mark:<5}"
    paint = {"ok": style.good, "note": style.dim, "warn": style.warn, "wrong": style.bad}[mark]
    return paint(word)


def _versions() -> Iterator[Finding]:
    yield Finding("ok", f"miharu {__version__}")
    yield Finding(
        "ok", f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    )
    yield from sqlite_findings(sqlite3.sqlite_version)


def sqlite_findings(text: str) -> Iterator[Finding]:
    """What is to be said of that SQLite."""
    version = tuple(int(part) for part in text.split("."))
    if version < _OLDEST_SQLITE:
        yield Finding(
            "wrong", f"SQLite {text}: miharu needs 3.37 or later, which comes with a newer Python or system"
        )
        return
    yield Finding("ok", f"SQLite {text}")
    repaired = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    if not repaired:
        yield Finding(
            "note",
            "this SQLite has the WAL-reset bug (3.7.0 to 3.51.2): two processes that write at the same "
            "instant can, very rarely, lose a write. Where several processes record at once, a newer SQLite "
            "is worth having; other programs should only read the file.",
        )


def _seen() -> Iterator[Finding]:
    clients = _libraries.versions()
    for client, version in clients.items():
        if client not in _libraries.SEEN:
            yield Finding("note", f"{client} {version}: calls through it are not seen yet")
            continue
        try:
            missing = _libraries.patch_points(client)
        except ImportError as error:
            yield Finding("wrong", f"{client} {version} cannot be imported: {error}")
            continue
        if missing:
            yield Finding(
                "wrong", f"{client} {version} has no {' and no '.join(missing)}: not all calls are seen"
            )
        else:
            yield Finding(
                "ok", f"{client} {version}: seen{'' if client == 'aiohttp' else ', sync and async'}"
            )
    sights = list(_libraries.look())
    for sight in sights:
        mark: Mark = "ok" if sight.seen else "note"
        yield Finding(mark, f"{sight.name} {sight.version} speaks {sight.client}; seen: {sight.why}")
    if not sights:
        yield Finding(
            "note", "no SDK that this report knows is installed; other programs of httpx are seen as well"
        )


def _environment() -> Iterator[Finding]:
    names = [name for name in VARIABLES if name in os.environ]
    for name in names:
        value = os.environ[name]
        shown = "set, not shown" if name == "MIHARU_TOKEN" else public_url(value) if "://" in value else value
        yield Finding("note", f"{name}: {printable(shown)}")
    if not names:
        yield Finding("note", "no variable of miharu's is set")
    try:
        disabled = Config.resolve(MEMORY).disabled
        auth_mode("auto")
    except MiharuError as error:
        yield Finding("wrong", str(error))
    else:
        if disabled:
            yield Finding("warn", "MIHARU_DISABLED is on: programs started from here record nothing")


def _database(given: str | None, *, deep: bool) -> Iterator[Finding]:
    try:
        url = Config.resolve(given, environ=_readable_environment()).database
        where = public_url(url)
        yield Finding("note", f"it is looked for at {where}")
        check_file(url)
    except NoDatabase as error:
        yield Finding("wrong" if given else "note", str(error))
        return
    except MiharuError as error:
        yield Finding("wrong", str(error))
        return
    file = database_file(url)
    if file is not None:
        yield from _file(file, deep=deep)
    yield from _calls(given)


def _readable_environment() -> dict[str, str]:
    """The environment without what has been judged already: a wrong flag must not hide the database."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in {*VARIABLES} - {"MIHARU_DATABASE_URL"}
    }


def _file(file: Path, *, deep: bool) -> Iterator[Finding]:
    about = file.stat()
    mode = stat.S_IMODE(about.st_mode)
    yield Finding("ok", f"{bytes_words(about.st_size)}, permissions {mode:04o}")
    if os.name == "posix" and mode & 0o077:
        yield Finding(
            "warn", f"other users of this machine may open it; to keep it to yours: chmod 600 {file}"
        )
    if not os.access(file, os.W_OK):
        yield Finding("warn", "this user may read it and not write to it")
    if not deep:
        return
    try:
        with connect(file) as connection:
            lines = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
    except sqlite3.Error as error:
        lines = [str(error)]
    if lines == ["ok"]:
        yield Finding("ok", "its structure is sound")
    else:
        yield Finding(
            "wrong",
            f"its structure is damaged ({printable('; '.join(lines))}). Stop the programs that write to it, "
            "then save what can be read: sqlite3 broken.db .recover | sqlite3 saved.db",
        )


def _calls(given: str | None) -> Iterator[Finding]:
    try:
        with reading(given) as monitor:
            totals, last = ask(monitor, _read)
    except NoDatabase:
        yield Finding("note", "it holds no calls yet")
        return
    except MiharuError as error:
        yield Finding("wrong", str(error))
        return
    if last is None:
        yield Finding("note", "it holds no calls yet")
        return
    at = datetime.fromtimestamp(last.timestamp / 1000, UTC)
    yield Finding("ok", f"{totals.calls:,} calls; the last one on {at:%Y-%m-%d at %H:%M:%S} UTC")
    if totals.unpriced:
        yield Finding("note", f"{totals.unpriced:,} of them have no known price and are in no sum of money")


async def _read(store: "Store") -> "tuple[Totals, Call | None]":
    from miharu.stores.base import Query

    ever = Query(start=0, end=(time.time_ns() // 60_000_000_000 + 1) * 60_000)
    newest = await store.calls(ever, limit=1)
    return await store.totals(ever), newest[0] if newest else None
