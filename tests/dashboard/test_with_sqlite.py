"""The pages over the store that most people have."""

import json
import re
from collections.abc import AsyncIterator

import pytest

from miharu.batch import Batch
from miharu.config import MEMORY
from miharu.dashboard.page import Page, Site
from miharu.dashboard.routes import PATHS
from miharu.stores.sqlite import SQLiteStore

from .conftest import NOW, get
from .memory import MemoryStore


@pytest.fixture
def anyio_backend() -> str:
    """Stores run on miharu's own loop, which is asyncio's."""
    return "asyncio"


@pytest.fixture
async def sqlite(store: MemoryStore) -> AsyncIterator[Site]:
    real = SQLiteStore(MEMORY)
    await real.open()
    await real.add(Batch(calls=list(store.kept.values())))
    yield Site(store=real, database="x", access="local only", losses=lambda: 0, clock=lambda: NOW)
    await real.close()


def figures(page: Page) -> list[str]:
    """All but the percentiles, which a store may give to within two percent."""
    return re.findall(r'id="kpi-(?!latency).*?class="slot"', page.body.decode(), re.DOTALL)


def table(page: Page) -> str:
    return page.body.decode().partition("<tbody")[2].partition("</tbody>")[0]


async def test_shows_the_same_figures(sqlite: Site, site: Site, store: MemoryStore) -> None:
    asked: list[dict[str, str]] = [
        {},
        {"range": "7d", "by": "route"},
        {"model": "gpt-6.1-sol", "status": "error"},
    ]
    for params in asked:
        ours, exact = [figures(await get(one, "overview-now", **params)) for one in (sqlite, site)]
        assert ours == exact
        assert len(ours) >= 4
        rows = [table(await get(one, "calls-rows", **params)) for one in (sqlite, site)]
        assert rows[0] == rows[1]
    first = next(reversed(store.kept))
    opened = [
        (await get(one, "calls", sel=first)).body.partition(b'id="drawer"')[2] for one in (sqlite, site)
    ]
    assert opened[0] == opened[1]


async def test_serves_every_page(sqlite: Site) -> None:
    for path in PATHS:
        assert (await get(sqlite, path)).status == 200


async def test_draws_every_call(sqlite: Site, store: MemoryStore) -> None:
    body = (await get(sqlite, "overview-charts", range="7d", measure="requests")).body.decode()
    spend, latency = (json.loads(text) for text in re.findall(r'json">(.*?)</script>', body))
    assert sum(sum(series["v"]) for series in spend["series"]) == len(store.kept)
    succeeded = [call for call in store.kept.values() if call.outcome.status == "success"]
    assert sum(latency["calls"]) == len(succeeded)
