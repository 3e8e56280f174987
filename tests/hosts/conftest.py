"""Programs of their own, and the model that they ask."""

import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from miharu.testing import FakeProvider

ROOT = Path(__file__).parents[2]
_IN_A_HURRY = r"miharu: the program ends before \S+ has taken all calls; \d+ wait .*, 0 are lost\."
_OUR_FAILURE = re.compile(rf'File "{ROOT}/miharu/(recorder|stores|monitor)')
_WAIT = """
import glob, time
while glob.glob(os.environ["MIHARU_DATABASE_URL"] + ".spool-*"): time.sleep(0.01)
"""


def need(*tools: str) -> None:
    """Skip the module that calls this where they are not installed."""
    if find_spec("gunicorn") is None or any(find_spec(tool) is None for tool in tools):
        pytest.skip(
            "they have an environment of their own: requirements/frameworks.txt", allow_module_level=True
        )


def eventually(holds: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What it gives as soon as that is true."""
    late = threading.Event()
    timer = threading.Timer(seconds, late.set)
    timer.start()
    try:
        while not (found := holds()):
            assert not late.wait(0.02), "it did not happen"
        return found
    finally:
        timer.cancel()


@dataclass
class Program:
    """One that runs; what it says goes to a file."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def says(self, pattern: str) -> str:
        """Wait for it to say that."""

        def found() -> re.Match[str] | None:
            ended = self.process.poll() is not None
            match = re.search(pattern, self.said)
            assert match or not ended, self.said
            return match

        return str(eventually(found)[1])

    def end(self, how: int = signal.SIGTERM, code: int | None = 0) -> None:
        """Ask it to end, and see that nothing went wrong."""
        self.process.send_signal(how)
        found = self.process.wait(60)
        assert code is None or found == code, self.said
        self.check()

    def check(self, expected: str = "") -> None:
        """Nothing of miharu's has failed, and it has said nothing but this.

        On a busy machine a child may be in too much of a hurry for its database; what it says then is true.
        """
        said = self.said
        assert not _OUR_FAILURE.search(said), said
        assert not expected or re.search(expected, said), said
        assert "miharu: " not in re.sub(rf"{_IN_A_HURRY}|{expected or _IN_A_HURRY}", "", said), said


@dataclass
class Host:
    """Where programs run: a folder, a database, and a model to ask."""

    folder: Path
    provider: FakeProvider

    @property
    def database(self) -> Path:
        return self.folder / "calls.db"

    @property
    def environ(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("MIHARU_", "PYTEST"))
        }
        return kept | {
            "MIHARU_DATABASE_URL": str(self.database),
            "MODEL_URL": self.provider.base_url,
            "CELERY_FOLDER": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.folder),
            "PYTHONUNBUFFERED": "1",
            "NO_PROXY": "*",
        }

    @contextmanager
    def running(self, *command: str) -> Iterator[Program]:
        """A module of Python's, as a program that is ended at the latest here."""
        log = self.folder / f"{command[0]}-{secrets.token_hex(4)}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=self.folder, env=self.environ, stdout=out, stderr=out
            )
        try:
            yield Program(process, log)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def run(self, *command: str) -> None:
        """The same, to its end."""
        with self.running(*command) as program:
            assert program.process.wait(120) == 0, program.said
            program.check()

    def write(self, text: str) -> None:
        """Have a script that can ``ask()``."""
        head = "import os, sys\nfrom tests.hosts.apps.asking import ask\n"
        (self.folder / "script.py").write_text(head + text)

    def script(self, text: str, code: int = 0, said: str = "") -> None:
        """Run such a script; it says nothing of miharu's but that."""
        self.write(text)
        with self.running("script") as program:
            assert program.process.wait(120) == code, program.said
            program.check(said)

    def rows_at_last(self) -> list[dict[str, Any]]:
        """What is stored once another program has taken over what was left."""
        if self.spools():
            self.script(_WAIT)
        return self.rows()

    def rows(self) -> list[dict[str, Any]]:
        """What is stored."""
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in database.execute("SELECT * FROM llm_calls ORDER BY id")]
            except sqlite3.OperationalError:  # it is just being made
                return []

    def spools(self) -> list[Path]:
        return list(self.folder.glob("calls.db.spool-*"))


@pytest.fixture(scope="session")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def host(tmp_path: Path, provider: FakeProvider) -> Host:
    provider.requests.clear()
    return Host(tmp_path, provider)
