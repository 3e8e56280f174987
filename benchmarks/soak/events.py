"""What happens to the file, and to the program, while it is watched."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ("Scene", "events", "mounted")

HELD_S = 30.0
FULL_S = 20.0
READ_ONLY_S = 20.0
DISK_MB = 512


@dataclass
class Scene:
    """Where it happens."""

    folder: Path
    database: Path
    server: int
    """The process id of the server, whose children are the workers."""
    killed: list[float] = field(default_factory=list)
    """When workers were killed (Unix seconds)."""

    def miharu(self, *arguments: str) -> str:
        """What a command says; its last line."""
        command = [sys.executable, "-m", "miharu", *arguments, "--database", str(self.database)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        said = (run.stdout + run.stderr).strip().splitlines() or [""]
        return f"{run.returncode}: {said[-1][:150]}"


@contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """A small disk of its own, as only root can make one."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=700", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def _kill_a_worker(scene: Scene) -> str:
    listed = Path(f"/proc/{scene.server}/task/{scene.server}/children").read_text().split()
    workers = [int(pid) for pid in listed if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(workers[0], signal.SIGKILL)
    scene.killed.append(time.time())
    return f"killed {workers[0]} of {len(workers)}"


def _hold_the_lock(scene: Scene) -> str:
    with closing(sqlite3.connect(scene.database, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(HELD_S)
        connection.execute("ROLLBACK")
    return f"held for {HELD_S:.0f} s"


def _fill_the_disk(scene: Scene) -> str:
    ballast = scene.folder / "ballast"
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        except OSError:
            pass  # that is what was wanted
    time.sleep(FULL_S)
    ballast.unlink()
    return f"full for {FULL_S:.0f} s"


def _read_only(scene: Scene) -> str:
    run = subprocess.run(
        ["mount", "-o", "remount,ro", scene.folder], capture_output=True, text=True, check=False
    )
    if run.returncode:  # files are open for writing: then the file alone
        scene.database.chmod(0o400)
        subprocess.run(["chattr", "+i", scene.database], capture_output=True, check=False)
        time.sleep(READ_ONLY_S)
        subprocess.run(["chattr", "-i", scene.database], capture_output=True, check=False)
        scene.database.chmod(0o600)
        return f"the file was read-only for {READ_ONLY_S:.0f} s ({run.stderr.strip()[:60]})"
    time.sleep(READ_ONLY_S)
    subprocess.run(["mount", "-o", "remount,rw", scene.folder], check=True)
    return f"read-only for {READ_ONLY_S:.0f} s"


def _export(scene: Scene) -> str:
    out = str(scene.folder / "export.jsonl")
    return scene.miharu("export", "--format", "jsonl", "--range", "1h", "--out", out)


def _move_the_file(scene: Scene) -> str:
    scene.database.rename(scene.database.with_name("old.db"))
    for part in ("-wal", "-shm"):
        beside = Path(f"{scene.database}{part}")
        if beside.exists():
            beside.rename(scene.database.with_name(f"old.db{part}"))
    return "moved to old.db"


def events() -> list[tuple[str, Callable[[Scene], str]]]:
    """In this order, spread over the time."""
    return [
        ("a worker is killed", _kill_a_worker),
        ("prune", lambda scene: scene.miharu("prune", "--before", "30d", "--yes")),
        ("the file is locked", _hold_the_lock),
        ("reprice", lambda scene: scene.miharu("reprice", "--since", "1h")),
        ("the disk is full", _fill_the_disk),
        ("export", _export),
        ("the file is moved away", _move_the_file),
        ("doctor --repair", lambda scene: scene.miharu("doctor", "--repair")),
        ("the file is read-only", _read_only),
        ("a worker is killed again", _kill_a_worker),
    ]
