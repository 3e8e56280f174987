"""A ClickHouse of the tests' own: chDB behind ``door.py``, its data in a folder of its own, on loopback."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.stores.clickhouse.door import PASSWORD, USER

__all__ = ("PASSWORD", "PYTHON", "USER", "Server", "started")

ROOT = Path(__file__).parents[3]
_OWN = ROOT / ".venv-clickhouse" / "bin" / "python"
PYTHON = _OWN if _OWN.exists() else None
"""The interpreter of the environment that has chDB; ``None`` where it is not there."""


class Server:
    """Started, stopped and killed by its own process id."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="miharu-clickhouse-"))
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        assert PYTHON is not None
        door = Path(__file__).with_name("door.py")
        self._process = subprocess.Popen(
            [str(PYTHON), str(door), str(self.folder / "data"), str(self.port)],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said.strip().isdecimal():
            raise RuntimeError("chDB did not start")
        self.port = int(said)

    def stop(self) -> None:
        """End it, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def url(self, database: str, user: str = USER, password: str = PASSWORD, host: str = "127.0.0.1") -> str:
        return f"clickhouse://{quote(user)}:{quote(password, safe='')}@{host}:{self.port}/{database}"

    def query(self, database: str, statement: str) -> list[tuple[object, ...]]:
        """The rows, past miharu's store."""
        import clickhouse_connect

        client = clickhouse_connect.get_client(
            host="127.0.0.1",
            port=self.port,
            username=USER,
            password=PASSWORD,
            database=database,
            autogenerate_session_id=False,
            dedicated_pool=True,
        )
        try:
            if statement.startswith(("SELECT", "EXPLAIN", "SHOW")):
                return [tuple(row) for row in client.query(statement).result_rows]
            client.command(statement)
            return []
        finally:
            client.close()

    def new_database(self) -> str:
        name = f"test_{uuid4().hex[:12]}"
        self.query("default", f"CREATE DATABASE {name}")
        return name


def started() -> Iterator[Server]:
    """One server, for a fixture; the tests are skipped where there is none."""
    if PYTHON is None:
        pytest.skip(
            "chDB has an environment of its own, requirements/clickhouse.txt; scripts/test --full makes it"
        )
    server = Server()
    yield server
    server.remove()
