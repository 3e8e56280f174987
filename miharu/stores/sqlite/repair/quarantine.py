"""Setting a damaged file aside, under a name that says so and since when. Nothing is ever deleted.

    calls.db.corrupt-20261125T181700Z      set aside; what can be read is still to be brought back
    calls.db.salvaged-20261125T181700Z     set aside; what can be read has been brought back
    calls.db.replaced-20261125T181700Z-wal  changes to a file that was deleted or replaced

What belongs to the file goes with it, under the same name: ``-wal`` and ``-shm``, which SQLite looks for
there, ``.layout``, ``.report`` (what was brought back) and ``.page1`` (the first page as it was).
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from miharu._guard import say_once
from miharu.files.trust import file_fault, folder_fault, kind_fault
from miharu.stores.sqlite.locks.handles import Identity, identity

__all__ = (
    "SetAside",
    "all_set_aside",
    "identities",
    "leave_behind",
    "make_companions_writable",
    "mark_done",
    "set_aside",
    "unfinished",
)

_CORRUPT, _SALVAGED, _REPLACED = "corrupt", "salvaged", "replaced"
_COMPANIONS = ("-wal", "-shm")
_FIRST = (*_COMPANIONS, ".layout")
"""These go before the file: beside a new one, an old WAL would be taken for its own."""
_PARTS = (*_FIRST, ".report", ".page1")


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that was set aside."""

    path: Path
    since: str
    """Such as ``20261125T181700Z``."""
    done: bool
    """Whether what can be read has been brought back."""

    @property
    def at(self) -> datetime:
        return datetime.strptime(self.since[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    @property
    def report(self) -> Path:
        """Where it is written what was brought back."""
        return Path(f"{self.path}.report")


def set_aside(database: Path, now: datetime | None = None) -> SetAside:
    """Rename the file and what belongs to it. The caller holds the writer lock and has looked again.

    Raises:
        OSError: It cannot be renamed.
    """
    since = _interrupted(database) or _free(database, now or datetime.now(UTC))
    target = Path(f"{database}.{_CORRUPT}-{since}")
    for part in (*_FIRST, ""):
        with suppress(FileNotFoundError):
            Path(f"{database}{part}").rename(f"{target}{part}")
    return SetAside(path=target, since=since, done=False)


def identities(database: Path) -> Mapping[str, Identity | None]:
    """Which files belong to the database at the moment, by what follows its name."""
    found: dict[str, Identity | None] = dict.fromkeys(("", *_COMPANIONS))
    for part in found:
        with suppress(OSError):
            found[part] = identity(Path(f"{database}{part}"))
    return found


def leave_behind(database: Path, before: Mapping[str, Identity | None], now: datetime | None = None) -> None:
    """Rename the WAL of a file that has another one in its place now, which would be taken for that one's.

    Raises:
        OSError: It cannot be renamed.
    """
    wal, shm = (Path(f"{database}{part}") for part in _COMPANIONS)
    for path, part in ((wal, "-wal"), (shm, "-shm")):
        if before.get(part) is None or identity(path) != before[part]:
            continue
        if path is wal and os.lstat(path).st_size:
            path.rename(f"{database}.{_REPLACED}-{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}-wal")
        else:  # nothing is in it that is not elsewhere
            path.unlink()


def make_companions_writable(database: Path) -> None:
    """Let WAL and shared memory be as writable as the file: SQLite made them when that was read-only, say."""
    for part in _COMPANIONS:
        path = Path(f"{database}{part}")
        with suppress(OSError):
            is_safe = not kind_fault(os.lstat(path)) and not folder_fault(path.parent)
            if is_safe and os.access(database, os.W_OK) and not os.access(path, os.W_OK):
                path.chmod(stat.S_IMODE(os.lstat(database).st_mode))


def mark_done(aside: SetAside) -> SetAside:
    """Give it the name that says that all that can be read was brought back.

    Raises:
        OSError: It cannot be renamed.
    """
    target = aside.path.with_name(aside.path.name.replace(f".{_CORRUPT}-", f".{_SALVAGED}-"))
    for part in (*_PARTS, ""):
        with suppress(FileNotFoundError):
            Path(f"{aside.path}{part}").rename(f"{target}{part}")
    return SetAside(path=target, since=aside.since, done=True)


def all_set_aside(database: Path) -> Sequence[SetAside]:
    """The files of that database that were set aside, the oldest first."""
    found = [
        SetAside(path=database.with_name(name[0]), since=name["since"], done=name["state"] == _SALVAGED)
        for name in _names(database)
        if not name["part"] and _is_ours(database.with_name(name[0]))
    ]
    return sorted(found, key=lambda aside: aside.since)


def unfinished(database: Path) -> Sequence[SetAside]:
    """Those from which there may be something to bring back."""
    return [aside for aside in all_set_aside(database) if not aside.done]


def _is_ours(path: Path) -> bool:
    try:
        words = file_fault(os.lstat(path))
    except OSError:
        return False
    if words:
        say_once("%s %s: it is not read.", path, words)
    return not words


def _free(database: Path, now: datetime) -> str:
    since, number = f"{now:%Y%m%dT%H%M%SZ}", 1
    while any(os.path.lexists(f"{database}.{state}-{since}") for state in (_CORRUPT, _SALVAGED)):
        number += 1
        since = f"{since.partition('.')[0]}.{number}"
    return since


def _interrupted(database: Path) -> str | None:
    """The name that another process had begun to give when it ended: the WAL goes before the file."""
    parts: dict[str, set[str]] = {}
    for name in _names(database):
        if name["state"] == _CORRUPT:
            parts.setdefault(name["since"], set()).add(name["part"])
    return next((since for since, there in parts.items() if "-wal" in there and "" not in there), None)


def _names(database: Path) -> Iterator[re.Match[str]]:
    pattern = re.compile(
        rf"{re.escape(database.name)}\.(?P<state>{_CORRUPT}|{_SALVAGED})"
        rf"-(?P<since>\d{{8}}T\d{{6}}Z(?:\.\d+)?)(?P<part>{'|'.join(map(re.escape, _PARTS))}|)"
    )
    with suppress(OSError):
        for path in database.parent.iterdir():
            if name := pattern.fullmatch(path.name):
                yield name
