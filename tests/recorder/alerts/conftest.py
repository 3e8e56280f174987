from collections.abc import AsyncIterator

import pytest

from tests.recorder.alerts.world import World
from tests.recorder.budgets.world import Counting


@pytest.fixture
def anyio_backend() -> str:
    """Stores run on asyncio, the loop of theirs."""
    return "asyncio"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    store = Counting()
    await store.open()
    yield World(store)
    await store.close()
