"""Setting a damaged file aside, and bringing back what can be read of it and of those before it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from miharu.cli._output import printable
from miharu.cli.doctor import environment
from miharu.cli.doctor.database import structure
from miharu.cli.doctor.finding import Finding
from miharu.config import Config, database_file
from miharu.errors import MiharuError, StoreError

if TYPE_CHECKING:
    from miharu.stores.sqlite.locks.handles import Identity
    from miharu.stores.sqlite.repair.quarantine import SetAside

__all__ = ("findings",)


def findings(given: str | None) -> Iterator[Finding]:
    """Repair the database, and report what was done."""
    import sqlite3

    try:
        file = database_file(Config.resolve(given, environ=environment.readable()).database)
        if file is None:
            yield Finding("note", "only a file can be repaired from here")
            return
        yield from _file(file)
        yield from _rest(file)
    except MiharuError as error:
        yield Finding("wrong", str(error))
    except OSError as error:
        yield Finding("wrong", f"{error.filename}: {error.strerror}")
    except sqlite3.Error as error:
        yield Finding("wrong", f"the file cannot be used at the moment: {error}")


def _file(file: Path) -> Iterator[Finding]:
    from miharu.stores.sqlite.locks.handles import identity
    from miharu.stores.sqlite.place import check_place
    from miharu.stores.sqlite.repair.damage import look

    check_place(file)
    checked = identity(file)
    finding = look(file)
    if finding.state == "foreign":
        raise StoreError(f"{file} {finding.words}, and is not touched.")
    if finding.state == "new":
        yield Finding("note", f"{file} {finding.words}: there is nothing to repair")
        return
    words = finding.words if finding.state == "damaged" else structure(file)
    if not words:
        yield Finding("ok", "the file was read as a whole, and is sound: nothing was changed")
        return
    aside = _set_aside(file, checked)
    if aside is None:
        yield Finding("note", "another program has set it aside meanwhile")
        return
    yield Finding("warn", f"the file is damaged ({printable(words)}), and was set aside as {aside.path.name}")


def _set_aside(file: Path, checked: "Identity | None") -> "SetAside | None":
    """Set the file aside while no process of miharu writes, unless another file has its name by now."""
    from miharu.stores.sqlite.locks.handles import identity
    from miharu.stores.sqlite.locks.writer_lock import WriterLock
    from miharu.stores.sqlite.repair.quarantine import set_aside

    with closing(WriterLock(file)) as lock:
        lock.open()
        with lock.held():
            return set_aside(file) if identity(file) == checked else None


def _rest(file: Path) -> Iterator[Finding]:
    from miharu.stores.sqlite.repair.quarantine import unfinished
    from miharu.stores.sqlite.repair.rescue.pacing import AtOnce
    from miharu.stores.sqlite.repair.rescue.rescue import bring_back
    from miharu.stores.sqlite.writer import bring_up_to_date

    for aside in unfinished(file):
        bring_up_to_date(file)
        brought = bring_back(aside, file, AtOnce())
        if brought is None:
            yield Finding(
                "note", f"a program that records is bringing back what can be read of {aside.path.name}"
            )
            continue
        kept, report = brought
        yield Finding(
            "ok", f"{report.words()}; the damaged file stays as {kept.path.name} and may be deleted"
        )
