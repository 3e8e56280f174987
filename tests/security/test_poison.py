"""Poison beside the database, in a folder of this user's alone: recording goes on, and that is said once."""

import json
import os
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

import miharu
from miharu.dashboard.access.secret import token_for
from tests.calls import ask, rows

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")

NAMES = (
    *("-wal", "-shm", "-journal", ".lock", ".layout", ".token", ".spool-1-a", ".plans"),
    *(".corrupt-20260101T000000Z", ".corrupt-20260101T000000Z.report"),
)


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "something").touch()


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(os.path.relpath(path))


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)  # with nothing of it on the disk


def _writable(path: Path) -> None:
    path.touch()
    path.chmod(0o666)


def _record(payload: bytes) -> bytes:
    return struct.pack("<II", len(payload), zlib.crc32(payload)) + payload


def _holding(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


TRAPS: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "folder": _folder,
    "socket": _socket,
    "endless device": lambda path: path.symlink_to("/dev/zero"),
    "link to itself": lambda path: path.symlink_to(path),
    "huge": _large,
    "writable": _writable,
    "nothing": _holding(b""),
    "noise": _holding(bytes(range(256)) * 300),
    "deep": _holding(b"[" * 60_000),
    "numbers": _holding(
        json.dumps({"page_size": 10**40, "attempts": "x", "tables": {"a": [1e300]}}).encode()
    ),
    "no map": _holding(_record(b"\x90") + _record(b"\xc0") + _record(b"\xd4\x01\x00")),
    "a huge record": _holding(b"\xff" * 8),
}


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder / "calls.db"


def record_call(database: Path) -> None:
    miharu.init(database)
    ask()
    assert miharu.flush(20)
    assert miharu.shutdown(20)


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "used"])
@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS)
def test_recording_goes_on(
    database: Path, trap: Callable[[Path], object], *, is_new: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """With all names at once: none of them hides behind another."""
    if not is_new:
        record_call(database)
        Path(f"{database}.lock").unlink()
        Path(f"{database}.layout").unlink()
        Path(f"{database}.plans").unlink()
    for name in NAMES:
        trap(Path(f"{database}{name}"))
    token_for.__globals__["_known"].clear()
    token = token_for(f"sqlite+aiosqlite:///{database}")
    assert len(token) > 20
    record_call(database)
    assert len(rows(database)) == (1 if is_new else 2)
    said = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == len(set(said))
    assert not miharu.stats()["errors"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("trap", ["pipe", "endless device", "folder"])
def test_each_trap_is_named_once(
    database: Path, name: str, trap: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = Path(f"{database}{name}")
    TRAPS[trap](path)
    token_for.__globals__["_known"].clear()
    token_for(f"sqlite+aiosqlite:///{database}")
    record_call(database)
    assert len(rows(database)) == 1
    said = [message for message in caplog.messages if str(path) in message]
    if name.endswith(".report"):  # there is no file to which it belongs
        assert not said
    else:
        # a folder is also renamed, where a layout is written
        assert len(said) == (2 if (name, trap) == (".layout", "folder") else 1), caplog.messages
