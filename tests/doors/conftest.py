"""A database that the doors of a run show."""

import asyncio
import time
from pathlib import Path

import pytest

from miharu.batch import Batch
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both
from tests.dashboard.traffic import traffic
from tests.doors.serving import environment


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a program is started with: a database with some calls, an open dashboard."""
    file = tmp_path_factory.mktemp("doors") / "calls.db"
    asyncio.run(_fill(file))
    return environment(file, MIHARU_AUTH="off")


async def _fill(file: Path) -> None:
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{file}"))
    await store.open()
    await store.add(Batch(calls=traffic(time.time_ns() // 1_000_000, calls=300, days=1)))
    await store.close()
