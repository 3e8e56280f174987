"""``miharu prune --user``, ``--session``: forgetting those who ask for it."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from miharu.cli._database.writing import writing
from miharu.cli._output import printable
from miharu.config import Config, database_file, public_url
from miharu.files.private import open_any

if TYPE_CHECKING:
    from miharu.stores.base import AsyncWriter, Forgotten, Questions, Whose

__all__ = ("forget", "holding")

_AT_ONCE = 10_000
_BRINGING_IN_S = 60.0
_PIECE = 1 << 20
_SHORTEST = 4
"""Bytes of a name that is looked for in files: a shorter one stands everywhere by chance."""


def forget(
    database: str | None,
    users: Sequence[str],
    sessions: Sequence[str],
    agreed: Callable[[str], bool] | None,
    *,
    vacuum: bool,
) -> int:
    """Forget them and say how much that was, and where something may be left; the exit code.

    Args:
        database: The argument that names it.
        users: By their ids.
        sessions: By their ids.
        agreed: Asks a question; ``None`` where there is nothing to ask.
        vacuum: Write the file anew afterwards.

    Raises:
        MiharuError: It cannot be done.
    """
    from miharu.monitor.left_behind import LeftBehind
    from miharu.stores.base import Whose

    config, whose = Config.resolve(database), Whose(users=users, sessions=sessions)
    names, where = _named(whose), public_url(config.database)
    if agreed is not None:
        found = writing(database, lambda questions, _: _calls_of(questions, whose))
        if not agreed(
            f"Forget all of {names} in {where}: {found:,} calls, and what belongs to them. Go on? [y/N] "
        ):
            print("Nothing was forgotten.")
            return 1
    left = LeftBehind(config)
    left.bring_in(_BRINGING_IN_S)  # what a program that is gone has left is theirs as well
    gone = writing(database, lambda _, writer: _forgotten(writer, whose))
    print(
        f"{gone.calls:,} calls of {names} forgotten, with {gone.bodies:,} contents, {gone.spans:,} spans and "
        f"{gone.scores:,} scores."
    )
    print("Counters over all calls that ever were still count them, without a name.")
    if waiting := left.waiting():
        print(
            f"{waiting:,} calls wait in {left.place}* for the program that made them to store them. If some "
            "are theirs, run this once more when it has."
        )
    file = database_file(config.database)
    if file is None:
        print("The server keeps deleted rows until it tidies up itself; backups of it keep them as well.")
        return 0
    if vacuum:
        _erase(config.database)
    _say_what_is_left(file, (*users, *sessions), vacuum=vacuum)
    return 0


def holding(file: Path, names: Sequence[str]) -> dict[str, list[Path]]:
    """The names that stand in the database or in a file beside it, and in which."""
    wanted = {name: name.encode("utf-8", "replace") for name in names}
    wanted = {name: text for name, text in wanted.items() if len(text) >= _SHORTEST}
    found: dict[str, list[Path]] = {}
    for path in sorted(path for path in file.parent.iterdir() if path.name.startswith(file.name)):
        for name in _standing_in(path, wanted) if path.is_file() and not path.is_symlink() else ():
            found.setdefault(name, []).append(path)
    return found


def _standing_in(path: Path, wanted: dict[str, bytes]) -> list[str]:
    found, longest, kept = set[str](), max(map(len, wanted.values()), default=0), b""
    with os.fdopen(open_any(path), "rb") as stream:
        while len(found) < len(wanted) and (piece := stream.read(_PIECE)):
            kept += piece
            found |= {name for name, text in wanted.items() if text in kept}
            kept = kept[-longest:]
    return sorted(found)


def _say_what_is_left(file: Path, names: Sequence[str], *, vacuum: bool) -> None:
    for name, paths in holding(file, names).items():
        places = ", ".join(path.name for path in paths)
        why = (
            "in what others have said or were tagged with"
            if vacuum
            else "in free space, or in calls of others"
        )
        print(f"“{printable(name)}” still stands in {places}: {why}.")
    if not vacuum:
        print(
            "What was deleted is overwritten in the file. Copies that it made while it moved rows are gone "
            "only once it is written anew: add --vacuum, which other programs wait for."
        )
    print("Backups and exports are not reached from here.")


def _erase(url: str) -> None:
    from miharu.stores import store_for

    writer = store_for(url).load()(url).writer()
    try:
        writer.open()
        writer.erase()
    finally:
        writer.close()


async def _calls_of(questions: "Questions", whose: "Whose") -> int:
    from miharu.stores.base import Query

    everything = [
        Query(start=0, end=2**62, **{column: name})  # type: ignore[arg-type] # both are texts
        for column, names in whose.columns.items()
        for name in names
    ]
    return sum([(await questions.totals(query)).calls for query in everything])


async def _forgotten(writer: "AsyncWriter", whose: "Whose") -> "Forgotten":
    gone = await writer.forget(whose, _AT_ONCE)
    while gone and (some := await writer.forget(whose, _AT_ONCE)):
        gone += some
    return gone


def _named(whose: "Whose") -> str:
    words = [*(f"user {printable(user)}" for user in whose.users)]
    words += [f"session {printable(session)}" for session in whose.sessions]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
