import errno
import fcntl
import os
from pathlib import Path
from typing import Any

import pytest

from miharu.files.lock import lock_file, unlock_file
from miharu.recorder.spool import SpoolFile
from miharu.stores.sqlite.locks.writer_lock import WriterLock


def opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    one, other = opened(tmp_path / "lock"), opened(tmp_path / "lock")
    assert (lock_file(one), lock_file(other)) == ("ours", "taken")
    unlock_file(one)
    assert lock_file(other, wait=True) == "ours"
    os.close(one)
    os.close(other)


def test_a_file_system_without_locks_is_told_from_a_lock_that_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = opened(tmp_path / "lock")
    without_locks(monkeypatch)
    assert lock_file(file) == "unsupported"
    os.close(file)


def test_without_locks_a_writer_writes_and_a_spool_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes would store the same spool; of a database SQLite's own locks take care."""
    without_locks(monkeypatch)
    writer = WriterLock(tmp_path / "calls.db")
    writer.open()
    with writer.held():
        pass
    writer.close()
    with pytest.raises(OSError, match="locks"):
        SpoolFile.make(tmp_path / "spool-")
    assert not list(tmp_path.glob("spool-*"))
