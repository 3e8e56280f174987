"""What is done for the file before it is opened, and when something turns out to be wrong with it.

``check`` and ``give_up`` are for a writer that holds the writers' lock and has closed its connections.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from stat import S_ISREG
from typing import Any

from miharu.errors import NoDatabase, StoreError
from miharu.files.private import make_private
from miharu.stores.sqlite.locks.handles import Identity, hold, identity, let_go
from miharu.stores.sqlite.place import check_place
from miharu.stores.sqlite.repair.damage import EMPTY, Symptoms, look, meaning, words_of
from miharu.stores.sqlite.repair.layout import keep, layout_of
from miharu.stores.sqlite.repair.quarantine import (
    all_set_aside,
    identities,
    leave_behind,
    make_companions_writable,
    set_aside,
)
from miharu.stores.sqlite.repair.rescue.rescuer import Rescuer

__all__ = ("FileGuard",)

logger = logging.getLogger("miharu")

_told: set[tuple[Path, Identity | None]] = set()
"""Files of which it was said that they were replaced."""

OFTEN, WITHIN = 3, timedelta(minutes=10)
"""So many damaged files in so short a time have one cause, and another new file would not help."""


class FileGuard:
    """Of one file, for as long as a store uses it."""

    def __init__(self, path: Path, *, read_only: bool = False, rescue: bool = True) -> None:
        self.path = path
        self.read_only = read_only
        self._known: Mapping[str, Identity | None] = {}
        self._held: Identity | None = None
        self._is_open = False
        self._was_replaced = False
        self._symptoms = Symptoms()
        self._rescuer = Rescuer(path) if rescue and not read_only else None

    @property
    def is_open(self) -> bool:
        """Whether a file was opened, and is still the one of that name, with something in it, as can be seen.

        An empty one must not be opened beside the connections to it: SQLite deletes the WAL of such a file.
        """
        if not self._is_open:
            return False
        try:
            found = os.lstat(self.path)
        except OSError:
            return not self.was_moved and not self._is_empty()
        if (found.st_dev, found.st_ino) != self._known[""]:
            return False
        return found.st_size > 0 if S_ISREG(found.st_mode) else not self._is_empty()

    @property
    def was_moved(self) -> bool:
        """Whether the file that is open has no name any more, or another one."""
        try:
            return self._is_open and identity(self.path) != self._known[""]
        except OSError:  # a folder is closed, but the file is open
            return False

    @property
    def was_set_aside(self) -> bool:
        """Whether another process has done that to the file that is known here."""
        known = self._known.get("")
        return known is not None and known in {identity(one.path) for one in all_set_aside(self.path)}

    def check(self) -> None:
        """See to it that there is a file that can be opened: a damaged one is set aside, no other is touched.

        Raises:
            NoDatabase: For reading, and there is nothing.
            StoreError: It is another program's, or cannot be read, or is damaged and for reading only.
        """
        try:
            check_place(self.path, read_only=self.read_only)
            self._leave_behind()
            finding = look(self.path, may_write=not self.read_only)
            if finding.state == "foreign":
                raise StoreError(f"{self.path} {finding.words}: name another file for miharu.")
            if self.read_only and finding.state == "damaged":
                raise StoreError(f"{self.path} {finding.words}. To repair it: miharu doctor --repair.")
            if self.read_only and finding.state == "new":
                raise NoDatabase(f"The database at {self.path} {finding.words}.")
            if finding.state == "damaged":
                self._set_aside(finding.words)
            if finding.words == EMPTY and layout_of(self.path) is not None:
                logger.warning(
                    "miharu: %s is empty, though it has held calls; recording begins anew, and your program "
                    "is not affected.",
                    self.path,
                )
            if not self.read_only:
                make_private(self.path)
                make_companions_writable(self.path)
            self._known = identities(self.path)
            self._hold(self._known[""])
        except OSError as error:
            raise StoreError(f"{self.path} cannot be opened: {error.strerror}.") from error
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} {meaning(error)}.") from error

    def learn(self, ask: Callable[[str], Sequence[Sequence[Any]]]) -> None:
        """Note where the tables begin, for the day on which the first page is lost.

        Args:
            ask: Runs a statement on the open database and returns all rows.
        """
        with suppress(OSError):  # it is for an unlikely day, and no reason not to record
            keep(ask, self.path)

    def opened(self) -> None:
        """It is open from now on.

        Raises:
            StoreError: Meanwhile another file got its name, and which of them was opened is not known.
        """
        found = identities(self.path)
        if found[""] != self._known.get(""):
            raise StoreError(f"{self.path} was replaced while it was opened.")
        self._known, self._is_open = found, True
        if self._rescuer is not None:
            self._rescuer.start()

    def closing(self) -> None:
        """It is about to be closed, and may be opened again.

        Until then no other file can get its inode.
        """
        self._was_replaced |= self.was_moved
        self._is_open = False

    def make_way(self) -> None:
        """Like ``closing``; and where another file has that name now, what belongs to this one makes way.

        For what holds the lock and still has the old file open, and so keeps the new one's files from being
        taken for the old one's.
        """
        self.closing()
        self._leave_behind()

    def closed(self) -> None:
        """No connection to it is open any more."""
        self._hold(None)

    def end(self) -> None:
        """Stop the rescue, because the file will not be opened again."""
        if self._rescuer is not None:
            self._rescuer.stop()

    def is_damage(self, error: BaseException | None) -> bool:
        """Whether the error of the engine, after those before it, means that the file is damaged."""
        return self._symptoms.of_damage(error)

    def works(self) -> None:
        """Forget the errors so far, because the file has worked since."""
        self._symptoms.gone()

    def give_up(self, error: BaseException | None) -> None:
        """Set the file aside, unless another process has done so: it was opened anew, and is damaged still.

        Raises:
            StoreError: It cannot be renamed.
        """
        try:
            if not self.read_only and identity(self.path) == self._known.get(""):
                self._set_aside(f"is damaged ({words_of(error)})")
        except OSError as refused:  # its folder is closed by now
            raise StoreError(f"{self.path} cannot be opened: {refused.strerror}.") from refused

    def _is_empty(self) -> bool:
        try:
            return not self.path.stat().st_size
        except OSError:
            return False

    def _hold(self, file: Identity | None) -> None:
        if self._held is not None:
            let_go(self._held)
        if file is not None:
            hold(file)
        self._held = file

    def _set_aside(self, words: str, now: datetime | None = None) -> None:
        now = now or datetime.now(UTC)
        lately = [one for one in all_set_aside(self.path) if now - one.at < WITHIN]
        if len(lately) >= OFTEN:
            raise StoreError(
                f"{self.path} {words}, and so were {len(lately)} before it within "
                f"{WITHIN.seconds // 60} minutes: look at the disk."
            )
        try:
            aside = set_aside(self.path)
        except OSError as error:
            raise StoreError(f"{self.path} {words}, and cannot be set aside: {error.strerror}.") from error
        self._known = {}
        logger.warning(
            "miharu: %s %s. It was set aside as %s, calls are recorded in a new file, and what can be read "
            "of the old one is brought back; your program is not affected.",
            self.path,
            words,
            aside.path.name,
        )

    def _leave_behind(self) -> None:
        was_set_aside = self._was_replaced and self.was_set_aside
        known, self._known = self._known, {}
        was_replaced, self._was_replaced = self._was_replaced, False
        if self.read_only or not was_replaced or was_set_aside:
            return
        leave_behind(self.path, known)
        if (self.path, known.get("")) in _told:  # there is a writer in a process, and there are readers
            return
        _told.add((self.path, known.get("")))
        logger.warning(
            "miharu: %s was deleted or replaced while it was open; calls are recorded in the file that has "
            "this name now, and your program is not affected.",
            self.path,
        )
