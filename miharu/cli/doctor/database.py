"""The database: where it is, how it is, and what is in it."""

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from miharu.analysis.unpriced import REMEDY, without_price
from miharu.cli._database.reading import ask, check_file, reading
from miharu.cli._output import bytes_words, printable
from miharu.cli.doctor import beside, environment
from miharu.cli.doctor.finding import Finding
from miharu.config import Config, database_file, is_remote, public_url
from miharu.errors import MiharuError, NoDatabase

if TYPE_CHECKING:
    from miharu.call import Call
    from miharu.stores.base import Questions, Totals

__all__ = ("findings", "structure")

_NAMED = 10
"""How many models without a price are named."""
_LITTLE = 100_000_000
"""Free bytes on the disk below which the report warns."""


def findings(given: str | None, *, deep: bool) -> Iterator[Finding]:
    """The findings on the database, made without changing anything."""
    try:
        url = Config.resolve(given, environ=environment.readable()).database
        file = database_file(url)
        yield Finding("note", f"it is looked for at {public_url(url)}")
        if is_remote(url):
            yield _elsewhere(url)
            return
        if file is not None:
            yield from beside.findings(file)
        check_file(url)
    except NoDatabase as error:
        yield Finding("wrong" if given else "note", str(error))
        return
    except MiharuError as error:
        yield Finding("wrong", str(error))
        return
    if file is not None:
        yield from _file(file)
        if deep:
            yield from _structure(file)
    yield from _calls(given)


def structure(file: Path) -> str:
    """What is wrong with its structure, which is read as a whole; empty where all is well."""
    from miharu.stores.sqlite.repair.damage import FAILURES, connect, words_of

    try:
        with connect(file) as connection:
            lines = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
    except FAILURES as error:
        return words_of(error)
    return "" if lines == ["ok"] else "; ".join(lines)


def _elsewhere(url: str) -> Finding:
    """Whether another miharu takes in calls.

    Raises:
        StoreError: It does not; the message says why.
    """
    from miharu.stores.remote import RemoteStore

    writer = RemoteStore(url).writer()
    try:
        writer.open()
    finally:
        writer.close()
    return Finding("ok", "the miharu there takes in calls with this token, and shows them")


def _file(file: Path) -> Iterator[Finding]:
    about = file.stat()
    mode = stat.S_IMODE(about.st_mode)
    size = bytes_words(about.st_size)
    with suppress(OSError):
        if wal := Path(f"{file}-wal").stat().st_size:
            size += f" and {bytes_words(wal)} of changes beside it"
    yield Finding("ok", f"{size}, permissions {mode:04o}")
    if os.name == "posix" and mode & 0o077:
        yield Finding(
            "warn", f"other users of this machine may open it; to keep it to yours: chmod 600 {file}"
        )
    if not os.access(file, os.W_OK):
        yield Finding("warn", "this user may read it and not write to it")
    free = shutil.disk_usage(file.parent).free
    if free < max(_LITTLE, about.st_size // 10):
        yield Finding("warn", f"only {bytes_words(free)} are free on its disk")
    else:
        yield Finding("ok", f"{bytes_words(free)} are free on its disk")


def _structure(file: Path) -> Iterator[Finding]:
    if words := structure(file):
        yield Finding(
            "wrong",
            f"its structure is damaged ({printable(words)}). To set it aside and bring back what can be "
            "read: miharu doctor --repair",
        )
    else:
        yield Finding("ok", "its structure is sound")


def _is_listed(model: str) -> bool:
    """Whether the built-in list has a price for that model."""
    from miharu.pricing.explain import list_price
    from miharu.pricing.genai import GenaiPrices

    return list_price(GenaiPrices(), model, None, time.time_ns() // 1_000_000) is not None


def _calls(given: str | None) -> Iterator[Finding]:
    try:
        with reading(given) as monitor:
            totals, last, models = ask(monitor, _read)
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
    without = without_price(models, _is_listed)
    if without:
        names = ", ".join(f"{printable(one.model)} ({one.calls:,})" for one in without[:_NAMED])
        more = f" and {len(without) - _NAMED} more" if len(without) > _NAMED else ""
        remedy = REMEDY.format(printable(without[0].model))
        yield Finding("note", f"no price for these models (calls): {names}{more}. To give one: {remedy}")


async def _read(store: "Questions") -> "tuple[Totals, Call | None, list[tuple[str | None, Totals]]]":
    from miharu.stores.base import Query

    ever = Query(start=0, end=(time.time_ns() // 60_000_000_000 + 1) * 60_000)
    newest = await store.calls(ever, limit=1)
    totals = await store.totals(ever)
    models = await store.groups(ever, "model") if totals.unpriced else []
    return totals, newest[0] if newest else None, [(group.key, group.totals) for group in models]
