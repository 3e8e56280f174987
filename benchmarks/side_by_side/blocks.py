"""Turns: a block of calls in the watched program, then in a bare one, while the other is stopped."""

import json
import random
import signal
import sqlite3
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.side_by_side import environments

__all__ = ("SCENES", "Measured", "Pair", "Scene", "Subject", "running", "starts", "take_turns")

SETTLED_S = 2.0
"""After so long nothing follows any more from the start of a tool, or from the first call that it sees."""
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Scene:
    """One kind of load; a block has so many calls."""

    name: str
    make: str
    """The function of the program that makes the calls."""
    calls: int
    rate: float | None = None
    """Calls a second; ``None`` for back to back."""


SCENES = (
    Scene("sync", "sync_chat", 300),
    Scene("async", "async_chat", 300),
    Scene("async x 50", "async_50", 300),
    Scene("stream of 200 chunks", "stream", 40),
    Scene("embeddings", "embeddings", 300),
    Scene("sync, 100/s", "sync_chat", 300, 100),
    Scene("async, 100/s", "async_chat", 300, 100),
    Scene("sync, 20/s", "sync_chat", 100, 20),
    Scene("async, 20/s", "async_chat", 100, 20),
)


@dataclass
class Pair:
    """One block of the watched program, and the same calls in the bare one."""

    watched: dict[str, Any]
    bare: dict[str, Any]


@dataclass
class Measured:
    """A tool, and what was measured of it in all rounds."""

    tool: str
    versions: str = ""
    installed: int = 0
    made: int = 0
    arrived: int = 0
    rss: list[int] = field(default_factory=list)
    end: list[float] = field(default_factory=list)
    """Seconds of processor that the end of a program takes, after its last block."""
    idle: list[float] = field(default_factory=list)
    """Seconds of processor that a second without calls takes."""
    pairs: dict[str, list[Pair]] = field(default_factory=dict)


@dataclass
class Subject:
    """A program that a tool watches, of one round: one may be lucky with its memory all its life."""

    measured: Measured
    program: subprocess.Popen[str]
    sink: str
    folder: str

    @property
    def tool(self) -> str:
        """Which tool that is."""
        return self.measured.tool

    def ask(self, **command: object) -> dict[str, Any]:
        assert self.program.stdin is not None
        assert self.program.stdout is not None
        self.program.stdin.write(json.dumps(command) + "\n")
        self.program.stdin.flush()
        line = self.program.stdout.readline()
        if not line:
            raise SystemExit(f"the program that {self.tool} watches has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    @contextmanager
    def awake(self) -> Iterator[None]:
        """It runs inside the block only; else its background threads would disturb the others."""
        self.program.send_signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.program.send_signal(signal.SIGSTOP)

    def block(self, scene: Scene, calls: int) -> dict[str, Any]:
        with self.awake():
            self.measured.made += calls
            return self.ask(do="block", scene=scene.make, calls=calls, rate=scene.rate)

    def count(self) -> int:
        """The calls that have arrived where the tool keeps or sends them."""
        if self.tool == "miharu":
            with closing(sqlite3.connect(Path(self.folder, "calls.db"))) as database:
                return int(database.execute("SELECT count(*) FROM llm_calls").fetchone()[0])
        with urllib.request.urlopen(f"{self.sink}/count") as answer:
            return int(json.load(answer)["calls"])


def starts(tool: str, envs: Path, model: str, times: int) -> list[dict[str, float]]:
    """What a fresh program pays for importing and starting the tool, and beside that with its first call."""
    found = []
    for _ in range(times):
        with running(Measured(tool), envs, model) as subject:
            begun = subject.ask(do="started", rest=SETTLED_S)
            with subject.awake():
                begun["first"] = _first_call(subject)
            found.append(begun)
    return found


def _first_call(subject: Subject) -> float:
    """Seconds of processor until nothing follows from it any more."""
    spent = subject.ask(do="block", scene=SCENES[0].make, calls=1, rate=None)["process"]
    return float(spent + subject.ask(do="idle", seconds=SETTLED_S)["process"])


@contextmanager
def running(measured: Measured, envs: Path, model: str) -> Iterator[Subject]:
    """A program that the tool watches, and its sink, ended by their own process ids."""
    tool = measured.tool
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="miharu-side-by-side-"))
        python = str(environments.interpreter(envs, tool))
        sink = stack.enter_context(_process([python, str(HERE / "sink.py")], folder))
        assert sink.stdout is not None
        address = f"http://127.0.0.1:{int(sink.stdout.readline())}"
        command = [python, str(HERE / "program.py"), tool, model, address, folder]
        yield Subject(measured, stack.enter_context(_process(command, folder)), address, folder)


def take_turns(
    subjects: Sequence[Subject], bare: Subject, scene: Scene, *, bare_first: bool, share: float = 1.0
) -> None:
    """Every tool in turn, in any order, each beside the bare program."""
    calls = max(10, round(scene.calls * share))
    for one in (bare, *subjects):
        one.block(scene, 10)  # connections, caches
    for subject in random.sample(list(subjects), len(subjects)):
        order = [bare, subject] if bare_first else [subject, bare]
        taken = {one.tool: one.block(scene, calls) for one in order}
        pair = Pair(taken[subject.tool], taken[bare.tool])
        subject.measured.pairs.setdefault(scene.name, []).append(pair)


@contextmanager
def _process(command: list[str], folder: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
