"""What lies beside the file: calls that wait for it, and files that were set aside."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from miharu.cli._output import bytes_words
from miharu.cli.doctor.finding import Finding
from miharu.files.trust import file_fault

__all__ = ("findings",)

_DAMAGED = ".damaged"


def findings(file: Path) -> Iterator[Finding]:
    """One finding for each such file: what it is, and what happens to it."""
    yield from _spools(file)
    yield from _aside(file)
    for path in sorted(file.parent.glob(f"{file.name}.replaced-*")):
        yield Finding(
            "note",
            f"{path.name}: the last changes to a file that was deleted or replaced; "
            "of no use without that file",
        )


def _spools(file: Path) -> Iterator[Finding]:
    if not file.parent.is_dir():
        return
    sizes: dict[Path, int] = {}
    for path in sorted(path for path in file.parent.iterdir() if path.name.startswith(f"{file.name}.spool-")):
        with suppress(FileNotFoundError):  # a program has stored what was in it
            facts = os.lstat(path)
            if words := file_fault(facts):
                yield Finding("warn", f"{path.name} {words}: it is not read")
            else:
                sizes[path] = facts.st_size
    waiting = [path for path, size in sizes.items() if size and not path.name.endswith(_DAMAGED)]
    if waiting:
        size = sum(sizes[path] for path in waiting)
        files = "a file" if len(waiting) == 1 else f"{len(waiting)} files"
        yield Finding(
            "note",
            f"{bytes_words(size)} of calls wait for it in {files} beside it ({waiting[0].name}); a program "
            "that records brings them in",
        )
    for path in sizes:
        if path.name.endswith(_DAMAGED):
            yield Finding("warn", f"{path.name}: calls that waited, and of which a part could not be read")


def _aside(file: Path) -> Iterator[Finding]:
    from miharu.stores.sqlite.repair.quarantine import all_set_aside
    from miharu.stores.sqlite.repair.rescue.report import load

    for aside in all_set_aside(file):
        name = f"{aside.path.name} ({bytes_words(aside.path.stat().st_size)})"
        if aside.done:
            yield Finding(
                "note", f"{name} was damaged and set aside; {load(aside).words()}. It may be deleted"
            )
        else:
            yield Finding(
                "warn",
                f"{name} was damaged and set aside, and what can be read of it is still to be brought back: "
                "a program that records does that in time, and miharu doctor --repair at once",
            )
