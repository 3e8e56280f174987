"""What can happen to the file of a program that records, and what came of it.

Each fault is done to a program that goes on making calls, while it runs or between two runs of it. Used by
the tests, and at length by ``benchmarks/faults.py``.
"""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import anyio

from miharu.batch import Batch
from miharu.call import Usage
from miharu.stores.sqlite import SQLiteStore
from miharu.stores.sqlite.repair.quarantine import all_set_aside, unfinished
from miharu.stores.sqlite.repair.rescue.report import load
from miharu.testing.open_store import both
from miharu.testing.store_contract import NOON, make_call

PAGE = 4096
EACH = 20
NOBODY = 65534
ROOT = Path(__file__).parents[2]
"""Where the package of the child lies."""


class App:
    """The program."""

    def __init__(self, provider: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.stores.app", provider],
            cwd=ROOT,
            env={
                name: value for name, value in os.environ.items() if not name.startswith(("MIHARU", "PYTEST"))
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.logs: list[str] = []
        self._answer()

    def __call__(self, *order: Any) -> dict[str, Any]:
        stdin = cast("IO[str]", self._process.stdin)
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        for line in cast("IO[str]", self._process.stdout):
            said = cast("dict[str, Any]", json.loads(line))
            if "log" not in said:
                return said
            assert not said["trace"], said
            self.logs.append(said["log"])
        raise AssertionError(f"the program has ended: {self._process.wait(10)}")

    def become_nobody(self) -> None:
        """Give up all rights, once everything is loaded that this user may have to itself."""
        self("init", ":memory:")
        self("calls", 1, "first")
        assert self("flush", 60)["flushed"]
        assert self("shutdown", 60)["stopped"]
        self("become", NOBODY)

    def end(self) -> int:
        """Its exit code."""
        cast("IO[str]", self._process.stdin).close()
        for line in cast("IO[str]", self._process.stdout):
            self.logs.append(json.loads(line)["log"])
        cast("IO[str]", self._process.stdout).close()
        return self._process.wait(30)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self.end()


Undo = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that happens to the file."""

    name: str
    do: Callable[[Path], Undo | None]
    """Does it; what it returns takes it back."""
    says: str = ""
    """Part of what must be logged; without it nothing may be."""
    running: bool = True
    """It happens while the program runs; else between two runs."""
    waits: bool = False
    """Calls wait until it is taken back."""
    least: float = 1.0
    """The part of the earlier calls that must be there in the end."""
    killed: bool = False
    """The run before it did not come to its end: its changes still lie beside the file."""
    as_nobody: bool = False
    mounts: bool = False


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of it."""

    fault: Fault
    earlier: int
    """Calls that were stored before."""
    kept: int = 0
    """Of those, the ones that are there in the end."""
    made: int = 0
    """Calls that were made during the fault and after it."""
    found: int = 0
    """Of those, the ones that are there in the end."""
    waited: bool = False
    slowest_ms: float = 0.0
    said: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    sound: bool = False


def play(app: App, fault: Fault, database: Path, earlier: int, each: int = EACH) -> Outcome:
    """Let the program record, do it, and see."""
    outcome = Outcome(fault=fault, earlier=earlier + each)
    began = len(app.logs)
    app("init", str(database))
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    app("calls", each, "before")
    assert app("flush", 60)["flushed"]
    if not fault.running:
        left = {part: Path(f"{database}{part}").read_bytes() for part in ("", "-wal")}
        assert app("shutdown", 60)["stopped"]
        for part, content in left.items() if fault.killed else ():
            Path(f"{database}{part}").write_bytes(content)
    before = len(app.logs)
    undo = fault.do(database)
    if not fault.running:
        app("init", str(database))
    during = app("calls", each, "during")
    outcome.waited = not app("flush", 0.5 if fault.waits else 60)["flushed"]
    deadline = time.monotonic() + 30
    while fault.waits and not any(fault.says in line for line in app.logs[before:]):
        assert time.monotonic() < deadline, app.logs[before:]
        app("flush", 0.5)
    if undo is not None:
        undo()
    after = app("calls", each, "after")
    assert app("flush", 60)["flushed"], app.logs[began:]
    _rescued(database)
    assert app("shutdown", 60)["stopped"]
    app("init", str(database))  # as after a restart: whatever was not noticed yet is noticed now
    again = app("calls", each, "again")
    assert app("flush", 60)["flushed"], app.logs[began:]
    app("look")
    _rescued(database)
    assert app("shutdown", 60)["stopped"]
    outcome.slowest_ms = max(step["slowest_ms"] for step in (during, after, again))
    outcome.said = app.logs[began:]
    outcome.made = 3 * each
    outcome.aside = [aside.path.name for aside in all_set_aside(database)]
    with closing(sqlite3.connect(database)) as connection:
        counts = dict(connection.execute("SELECT coalesce(model, ''), count(*) FROM llm_calls GROUP BY 1"))
        outcome.sound = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    outcome.kept = counts.get("earlier", 0) + counts.get("before", 0)
    outcome.found = sum(counts.get(model, 0) for model in ("during", "after", "again"))
    return outcome


def _rescued(database: Path) -> None:
    deadline = time.monotonic() + 600
    while unfinished(database):
        assert time.monotonic() < deadline, [load(aside) for aside in unfinished(database)]
        time.sleep(0.02)


def _rewritten(how: Callable[[bytes], bytes], part: str = "") -> Callable[[Path], None]:
    def do(database: Path) -> None:
        path = Path(f"{database}{part}")
        data = path.read_bytes()
        with path.open("r+b") as file:  # the same file, as bad hardware would leave it
            file.write(changed := how(data))
            file.truncate(len(changed))

    return do


def _flipped(number: int) -> Callable[[bytes], bytes]:
    def flip(data: bytes) -> bytes:
        changed, chance = bytearray(data), random.Random(number)
        for _ in range(number):
            changed[chance.randrange(PAGE, len(changed))] ^= 0xFF
        return bytes(changed)

    return flip


def _zeroed(number: int) -> Callable[[bytes], bytes]:
    def zero(data: bytes) -> bytes:
        changed, chance = bytearray(data), random.Random(number)
        for page in chance.sample(range(8, len(data) // PAGE), min(number, len(data) // PAGE // 4)):
            changed[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
        return bytes(changed)

    return zero


def _noise(length: int) -> bytes:
    return random.Random(length).randbytes(length)


def _cut(share: float) -> Callable[[bytes], bytes]:
    return lambda data: data[: int(len(data) * share) // PAGE * PAGE]


def _moved_in(make: Callable[[Path], None]) -> Callable[[Path], Undo]:
    """Something else is moved to the name, and away again."""

    def do(database: Path) -> Undo:
        ours, other = database.with_name("ours"), database.with_name("other")
        database.rename(ours)
        make(other)
        content = other.read_bytes()
        other.rename(database)

        def undo() -> None:
            assert database.read_bytes() == content, "it was touched"
            database.unlink()
            ours.rename(database)

        return undo

    return do


def _shopping_list(path: Path) -> None:
    path.write_text("bread, milk, apples")


def _foreign_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE users (name)")
        connection.execute("INSERT INTO users VALUES ('somebody')")
        connection.commit()


def _locked(database: Path) -> Undo:
    connection = sqlite3.connect(database, isolation_level=None, timeout=60)
    connection.execute("BEGIN EXCLUSIVE")
    return connection.close


def _gate_held(database: Path) -> Undo:
    import fcntl

    file = os.open(f"{database}.lock", os.O_RDWR)
    fcntl.flock(file, fcntl.LOCK_EX)
    return lambda: os.close(file)


def _full(database: Path) -> Undo:
    filler = database.with_name("filler")
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(PAGE))
    return filler.unlink


def _mode(mode: int, what: str) -> Callable[[Path], Undo]:
    def do(database: Path) -> Undo:
        path = database.parent if what == "folder" else database
        before = path.stat().st_mode
        path.chmod(mode)
        return lambda: path.chmod(before)

    return do


def _deleted(*parts: str) -> Callable[[Path], None]:
    def do(database: Path) -> None:
        for part in parts:
            Path(f"{database}{part}").unlink(missing_ok=True)

    return do


def _folder_deleted(database: Path) -> None:
    shutil.rmtree(database.parent)


def _replaced_by_a_copy(database: Path) -> None:
    copy = database.with_name("copy")
    shutil.copy(database, copy)
    copy.replace(database)


SET_ASIDE = "set aside as calls.db.corrupt-"


def _damages(*, running: bool) -> Iterator[Fault]:
    """What is not noticed at once is noticed when somebody reads that page."""
    found: list[tuple[str, Callable[[bytes], bytes], str, float]] = [
        ("10 bytes flipped", _flipped(10), "", 0.98),
        ("1,000 bytes flipped", _flipped(1000), "", 0.5),
        ("50 pages zeroed", _zeroed(50), "", 0.5),
        ("header overwritten", lambda data: _noise(100) + data[100:], SET_ASIDE, 1),
        ("page 1 overwritten", lambda data: _noise(PAGE) + data[PAGE:], SET_ASIDE, 1),
        ("cut to 90 %", _cut(0.9), SET_ASIDE, 0.5),
        ("cut to 50 %", _cut(0.5), SET_ASIDE, 0.2),
        ("cut to one page", lambda data: data[:PAGE], SET_ASIDE, 0),
        ("first 16 KB zeroed", lambda data: bytes(1 << 14) + data[1 << 14 :], SET_ASIDE, 0.9),
        ("emptied", lambda _: b"", "is empty, though it has held calls", 0),
    ]
    for name, how, says, least in found:
        seen_at_once = not running or ("overwritten" not in name and "zeroed" not in name)
        yield Fault(
            name=name,
            do=_rewritten(how),
            says=says if seen_at_once else "",
            running=running,
            least=least,
        )


def _others() -> Iterator[Fault]:
    for running in (False, True):
        yield Fault(
            name="a text file in its place",
            do=_moved_in(_shopping_list),
            says="is not a SQLite database: name another file",
            running=running,
            waits=True,
        )
        yield Fault(
            name="another program's database in its place",
            do=_moved_in(_foreign_database),
            says="belongs to another program: name another file",
            running=running,
            waits=True,
        )
    yield Fault(name="locked by another program", do=_locked, says="is locked by another process", waits=True)
    yield Fault(name="gate held", do=_gate_held, says="is locked by another process", waits=True)
    yield Fault(name="disk full", do=_full, says="the disk is full", waits=True, mounts=True)
    for running in (False, True):
        yield Fault(
            name="read-only folder",
            do=_mode(0o555, "folder"),
            says="" if running else "its folder is read-only",
            running=running,
            waits=not running,
            as_nobody=True,
        )
        yield Fault(
            name="folder closed",
            do=_mode(0o000, "folder"),
            says="" if running else "Permission denied",
            running=running,
            waits=not running,
            as_nobody=True,
        )
    yield Fault(
        name="read-only file",
        do=_mode(0o444, "file"),
        says="it is read-only",
        running=False,
        waits=True,
        as_nobody=True,
    )
    yield Fault(
        name="file closed",
        do=_mode(0o000, "file"),
        says="Permission denied",
        running=False,
        waits=True,
        as_nobody=True,
    )
    gone = "was deleted or replaced while it was open"
    yield Fault(name="deleted", do=_deleted(""), says=gone, least=0)
    yield Fault(name="deleted with its WAL", do=_deleted("", "-wal", "-shm"), says=gone, least=0)
    yield Fault(name="folder deleted", do=_folder_deleted, says=gone, least=0)
    yield Fault(name="replaced by a copy", do=_replaced_by_a_copy, says=gone, least=0.99)


def _wals() -> Iterator[Fault]:
    """A process was killed; what it had not folded in yet is damaged."""
    for name, how in (
        ("WAL overwritten", lambda data: _noise(len(data))),
        ("WAL cut to 50 %", lambda data: data[: len(data) // 2]),
        ("WAL with 100 bytes flipped", _flipped(100)),
    ):
        yield Fault(name=name, do=_rewritten(how, "-wal"), running=False, killed=True, least=0.99)


FAULTS = (*_damages(running=False), *_damages(running=True), *_wals(), *_others())


@contextmanager
def place(fault: Fault, base: Path) -> Iterator[Path]:
    """A folder in which it can happen.

    Raises:
        PermissionError: This user cannot make one.
    """
    if not fault.mounts:
        base.mkdir(exist_ok=True)
        if fault.as_nobody:
            os.chown(base, NOBODY, NOBODY)
        yield base
        return
    base.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "miharu-test", base], capture_output=True, check=False
    )
    if mounted.returncode:
        raise PermissionError(mounted.stderr.decode().strip())
    try:
        yield base
    finally:
        subprocess.run(["umount", "--lazy", base], check=True)


def fill(database: Path, calls: int) -> None:
    """Earlier calls, written by the store itself."""

    async def write() -> None:
        store = both(SQLiteStore(f"sqlite+aiosqlite:///{database}"))
        await store.open()
        for start in range(0, calls, 500):
            await store.add(
                Batch(
                    calls=[
                        make_call(
                            timestamp=NOON + number,
                            model="earlier",
                            usage=Usage(prompt_tokens=9, usage_source="provider", usage_raw='{"tokens": 9}'),
                        )
                        for number in range(start, min(start + 500, calls))
                    ]
                )
            )
        await store.close()

    anyio.run(write)


def owned_by_nobody(folder: Path) -> None:
    """Hand over what was made in it."""
    for path in folder.iterdir():
        os.chown(path, NOBODY, NOBODY)
