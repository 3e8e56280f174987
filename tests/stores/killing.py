"""Programs that record and are killed at any moment, and what is left of their calls; for benchmarks too."""

import os
import random
import select
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import anyio

from miharu.errors import StoreError
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import ALL

from .faults import ROOT

FOR_EVER = 1_000_000


@dataclass(slots=True)
class Run:
    """What a program said before it ended."""

    name: str
    first: int
    answered: dict[int, float] = field(default_factory=dict)
    """When each call was answered, in monotonic seconds."""
    kept: int = -1
    """Calls up to this one are stored, it said."""
    ended: float = 0.0
    logs: list[str] = field(default_factory=list)
    done: str = ""


class Recording:
    """The program, and what it has said so far."""

    def __init__(self, file: Path, provider: str, name: str, first: int = 0, number: int = FOR_EVER) -> None:
        self.run = Run(name, first)
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.stores.recording",
                str(file),
                provider,
                name,
                str(first),
                str(number),
            ],
            cwd=ROOT,
            env={n: v for n, v in os.environ.items() if not n.startswith(("MIHARU", "PYTEST", "COVERAGE"))},
            stdout=subprocess.PIPE,
        )
        self._rest = b""
        os.set_blocking(self._stdout.fileno(), False)

    @property
    def _stdout(self) -> IO[bytes]:
        return cast("IO[bytes]", self._process.stdout)

    @property
    def is_over(self) -> bool:
        return self._process.poll() is not None

    def listen(self, until: float) -> None:
        """Take in what it says up to that moment (monotonic seconds), or until it has ended."""
        while (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([self._stdout], [], [], left)
            if ready and not self._take_in():
                return

    def kill(self) -> Run:
        """End it as nothing else ends a program."""
        self._process.kill()
        self.run.ended = time.monotonic()
        return self.end()

    def end(self) -> Run:
        """What it said, once it has ended."""
        os.set_blocking(self._stdout.fileno(), True)
        while self._take_in():
            pass
        self._stdout.close()
        self._process.wait(60)
        return self.run

    def _take_in(self) -> bool:
        data = self._stdout.read(1 << 16)
        if not data:
            return data is None
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._hear(line.decode())
        return True

    def _hear(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "call":
            number, _, at = rest.partition(" ")
            self.run.answered[int(number)] = float(at)
        elif word == "kept":
            self.run.kept = int(rest)
        elif word == "log":
            self.run.logs.append(rest)
        else:
            assert word == "done", line
            self.run.done = rest


@dataclass(slots=True)
class Kills:
    """What is left after many kills."""

    runs: list[Run] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """What ``quick_check`` said, where it was not ``ok``."""
    reopened_s: list[float] = field(default_factory=list)
    """How long the first look at the file took after each kill."""
    names: list[str] = field(default_factory=list)
    """The calls that are stored in the end."""

    @property
    def answered(self) -> int:
        return sum(len(run.answered) for run in self.runs)

    @property
    def acknowledged(self) -> list[str]:
        return [f"{run.name}-{n}" for run in self.runs for n in range(run.first, run.kept + 1)]

    @property
    def missing_ms(self) -> list[float]:
        """How long before the kill each call was answered that is not there."""
        there = set(self.names)
        return sorted(
            (run.ended - at) * 1000
            for run in self.runs
            for n, at in run.answered.items()
            if f"{run.name}-{n}" not in there
        )


def kill_again_and_again(file: Path, provider: str, kills: int, seed: int = 1) -> Kills:
    """Start a program and kill it at a random moment, so many times; then let one come to its end."""
    chance, result = random.Random(seed), Kills()
    for number in range(kills):
        recording = Recording(file, provider, f"k{number}")
        while recording.run.kept < 0 and not recording.is_over:
            recording.listen(time.monotonic() + 0.05)
        recording.listen(time.monotonic() + chance.uniform(0, 0.4))
        result.runs.append(recording.kill())
        began = time.monotonic()
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            connection.execute("SELECT count(*) FROM llm_calls").fetchone()
            result.reopened_s.append(time.monotonic() - began)
            said = [row[0] for row in connection.execute("PRAGMA quick_check")]
        if said != ["ok"]:
            result.broken.extend(said)
    result.runs.append(Recording(file, provider, "last", number=5).end())
    with closing(sqlite3.connect(file)) as connection:
        result.names = [row[0] for row in connection.execute("SELECT model FROM llm_calls")]
        said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    if said != ["ok"]:
        result.broken.extend(said)
    return result


@dataclass(slots=True)
class Crowd:
    """What many programs have recorded into one file, while somebody looked at it."""

    runs: list[Run] = field(default_factory=list)
    kills: int = 0
    names: list[str] = field(default_factory=list)
    looks: int = 0
    seen_backwards: int = 0
    """Looks at which there were fewer calls than before."""
    totals: int = 0
    """What the store sums up in the end."""
    integrity: list[str] = field(default_factory=list)


def crowd(file: Path, provider: str, programs: int, each: int, kills: int, seed: int = 1) -> Crowd:
    """Programs that make so many calls each, some of which are killed and go on in another process."""
    chance, result = random.Random(seed), Crowd()
    going = [Recording(file, provider, f"p{number}", number=each) for number in range(programs)]

    async def look() -> None:
        store, before = both(SQLiteStore(f"sqlite+aiosqlite:///{file}", read_only=True)), 0
        while not file.exists():
            _listen(going, 0.05)
        await _opened(store, going)
        while going:
            _listen(going, 0.05)
            await store.revision()
            calls = (await store.totals(ALL)).calls
            await store.calls(ALL, limit=50)
            result.looks += 1
            result.seen_backwards += calls < before
            before = calls
            if result.kills < kills and calls > (result.kills + 1) * each * programs // (kills + 2):
                _restart(going, result, chance, file, provider, each)
            for recording in [one for one in going if one.is_over]:
                result.runs.append(recording.end())
                going.remove(recording)
        result.totals = (await store.totals(ALL)).calls
        await store.close()

    try:
        anyio.run(look)
    finally:
        for recording in going:
            recording.kill()
    with closing(sqlite3.connect(file)) as connection:
        result.names = [row[0] for row in connection.execute("SELECT model FROM llm_calls")]
        result.integrity = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    return result


def _listen(going: list[Recording], seconds: float) -> None:
    until = time.monotonic() + seconds
    for recording in going:
        recording.listen(min(until, time.monotonic() + seconds / len(going)))


async def _opened(store: OpenStore, going: list[Recording]) -> None:
    """The first of them may be making the tables just now."""
    while True:
        try:
            await store.open()
            await store.revision()
        except StoreError:
            _listen(going, 0.05)
        else:
            return


def _restart(
    going: list[Recording], result: Crowd, chance: random.Random, file: Path, provider: str, each: int
) -> None:
    """Kill one, and let another go on behind the last call that it knew to be stored."""
    victim = chance.choice(going)
    run = victim.kill()
    going.remove(victim)
    result.runs.append(run)
    result.kills += 1
    first = run.kept + 1 if run.kept >= 0 else run.first
    if first < each:
        going.append(Recording(file, provider, run.name, first, each - first))
