"""Versions: miharu, Python, SQLite."""

import platform
import sqlite3
from collections.abc import Iterator

from miharu._version import __version__
from miharu.cli.doctor.finding import Finding

__all__ = ("findings", "sqlite_findings")

_OLDEST_SQLITE = (3, 37)


def findings() -> Iterator[Finding]:
    yield Finding("ok", f"miharu {__version__}")
    yield Finding(
        "ok", f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    )
    yield from sqlite_findings(sqlite3.sqlite_version)


def sqlite_findings(text: str) -> Iterator[Finding]:
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
            "instant can, very rarely, lose a write. Programs that record with miharu take turns, so it does "
            "not concern them; other programs should only read the file.",
        )
