"""The thread of a slow rescue. Each process that opens the database has one; one of them all works."""

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from miharu._guard import swallowed
from miharu.stores.sqlite.repair.quarantine import SetAside, unfinished
from miharu.stores.sqlite.repair.rescue.pacing import Stopped

__all__ = ("Rescuer",)

logger = logging.getLogger("miharu")

ATTEMPTS = 3
"""Beginnings without any progress, after which only ``miharu doctor --repair`` tries again."""
_WORKS = 0.2
"""The part of a processor that it uses: the program's own threads come first."""
_NICENESS = 10


class Rescuer:
    """Brings back what can be read of the files of one database that were set aside."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, where something is unfinished. Returns at once."""
        if self._thread is not None and self._thread.is_alive():
            return
        if not any(_waiting(self.database)):
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="miharu-rescue", daemon=True)
        with suppress(RuntimeError):  # "can't start new thread": the program is ending
            self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End after the step that is being made; the rest is for another time."""
        self._stopping.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(timeout)

    def rest(self, worked: float) -> None:
        """Be idle for most of the time."""
        if self._stopping.wait(worked * (1 / _WORKS - 1)):
            raise Stopped

    def wait(self, seconds: float, error: Exception) -> None:  # noqa: ARG002 - it waits for as long as it takes
        """Until the store takes it."""
        if self._stopping.wait(seconds):
            raise Stopped

    def _run(self) -> None:
        from miharu.stores.sqlite.repair.rescue.rescue import bring_back  # whole files need none of it

        _give_way()
        tried: set[Path] = set()
        while aside := next((one for one in _waiting(self.database) if one.path not in tried), None):
            tried.add(aside.path)
            try:
                brought = bring_back(aside, self.database, self)
            except Stopped:
                return
            except Exception:  # noqa: BLE001 - recording goes on without what was lost
                swallowed("bringing back what can be read of a damaged database")
                continue
            if brought is not None:
                kept, report = brought
                logger.warning(
                    "miharu: of the damaged database, %s. It stays as %s.", report.words(), kept.path
                )


def _waiting(database: Path) -> Iterator[SetAside]:
    for aside in unfinished(database):
        from miharu.stores.sqlite.repair.rescue.report import load

        if load(aside).attempts < ATTEMPTS:
            yield aside


def _give_way() -> None:
    """Let every other thread run first; Linux knows priorities of threads."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
