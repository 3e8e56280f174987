"""The command line: ``main()`` with an environment of its own, or a process as a user starts it."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import IO, cast
from unittest import mock

import anyio
import pytest

from miharu.batch import Batch, Score
from miharu.call import Call
from miharu.cli import main
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import ALL

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SEED = """
import sys
import openai
import miharu
from miharu.testing import FakeProvider

miharu.init(sys.argv[1])
with FakeProvider(retry_after=0.001) as provider:
    http = openai.DefaultHttpxClient(trust_env=False)
    client = openai.OpenAI(base_url=provider.base_url, api_key="k", max_retries=0, http_client=http)
    ask = client.chat.completions.create
    for _ in range(3):
        ask(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
    ask(model="in-house\\x1b[31m-7b", messages=[{"role": "user", "content": "hello"}])
    for model in ("error-429", "error-500"):
        try:
            ask(model=model, messages=[])
        except openai.APIError:
            pass
    client.close()
assert miharu.flush(), miharu.stats()
"""


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MIHARU_", "PYTEST"))}
    return kept | {"HOME": str(home), "COLUMNS": "100", "PYTHONWARNINGS": "error"} | more


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the command in an empty folder, to its end, by ``main()`` in this process."""

    def runs(
        *arguments: str, env: Mapping[str, str] | None = None, cwd: Path = tmp_path
    ) -> "subprocess.CompletedProcess[str]":
        out, complaints = _Captured(), _Captured()
        with (
            mock.patch.dict(os.environ, environment(tmp_path, **(env or {})), clear=True),
            chdir(cwd),
            redirect_stdout(out),
            redirect_stderr(complaints),
            ThreadPoolExecutor(1) as thread,  # a test that awaits has a loop in its own
        ):
            code = thread.submit(_exit_code, arguments).result()
        return subprocess.CompletedProcess(arguments, code, out.text(), complaints.text())

    return runs


class _Captured(io.TextIOWrapper):
    """What is written, as a pipe would take it."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def text(self) -> str:
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


def _exit_code(arguments: tuple[str, ...]) -> int:
    try:
        return main(arguments)
    except SystemExit as ended:  # argparse's way out
        return int(ended.code or 0)


@pytest.fixture
def run_process(tmp_path: Path) -> Run:
    """Run the command in an empty folder, to its end, in a process of its own as a user does."""

    def runs(
        *arguments: str, env: Mapping[str, str] | None = None, cwd: Path = tmp_path
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "miharu", *arguments],
            check=False,
            cwd=cwd,
            env=environment(tmp_path, **(env or {})),
            capture_output=True,
            text=True,
            timeout=60,
        )

    return runs


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six calls: three priced, one not, a 429 and a 500."""
    folder = tmp_path_factory.mktemp("seeded")
    file = folder / "calls.db"
    done = subprocess.run(
        [sys.executable, "-c", SEED, str(file)],
        check=False,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return file


class Serving:
    """A command that goes on until it is told to end."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.said: list[str] = []
        self.address = ""
        for line in cast("IO[str]", process.stdout):
            self.said.append(line)
            _, found, address = line.partition("The dashboard is at ")
            if found:
                self.address = address.strip()
                break
        if not self.address:
            process.wait(timeout=30)
            raise AssertionError(f"{self.said} {cast('IO[str]', process.stderr).read()}")

    def end(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """Exit code, what else it said, and what it complained of."""
        self._process.send_signal(number)
        out, complaints = self._process.communicate(timeout=30)
        return self._process.returncode, out, complaints


@contextmanager
def serving(home: Path, *arguments: str, **env: str) -> Iterator[Serving]:
    process = subprocess.Popen(
        [sys.executable, "-m", "miharu", *arguments],
        cwd=home,
        env=environment(home, **env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Serving(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture
def anyio_backend() -> str:
    """On which a command opens its store."""
    return "asyncio"


@pytest.fixture
async def store(database: Path) -> AsyncIterator[OpenStore]:
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{database}"))
    await store.open()
    yield store
    await store.close()


def stored(file: Path, *calls: Call, scores: Sequence[Score] = ()) -> Path:
    """A database with these calls, written by the store itself."""

    async def store() -> None:
        sqlite = both(SQLiteStore(f"sqlite+aiosqlite:///{file}"))
        await sqlite.open()
        await sqlite.add(Batch(calls=calls, scores=scores))
        await sqlite.close()

    anyio.run(store)
    return file


def read_back(file: Path) -> list[Call]:
    """All its calls, the oldest first."""

    async def read() -> list[Call]:
        sqlite = both(SQLiteStore(f"sqlite+aiosqlite:///{file}", read_only=True))
        await sqlite.open()
        calls = await sqlite.calls(ALL, limit=100_000)
        await sqlite.close()
        return list(calls[::-1])

    return anyio.run(read)
