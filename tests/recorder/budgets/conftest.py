"""Budgets are kept on the worker's loop, which is asyncio's."""

from collections.abc import AsyncIterator

import pytest

from .world import Counting


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def store() -> AsyncIterator[Counting]:
    store = Counting()
    await store.open()
    yield store
    await store.close()
