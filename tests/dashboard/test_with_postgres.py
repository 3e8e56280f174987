"""The pages over the store that many machines share: the same, to the byte, as over one in memory."""

import re
from collections.abc import AsyncIterator

import pytest

from miharu.dashboard.http.page import Site
from miharu.dashboard.routes import PATHS
from miharu.stores.postgres import PostgresStore, rolling_up
from miharu.testing.open_store import both
from tests.stores.postgres.server import Server

from .conftest import NOW, get, make_site
from .memory import MemoryStore, rounded, said
from .test_with_sqlite import everything, questions, same_but_for_tags

PARTS = 3
"""Each has every page; SQLite, whose SQL is the same, is asked everything in each run."""


@pytest.fixture
def anyio_backend() -> str:
    """Stores run on miharu's own loop, which is asyncio's."""
    return "asyncio"


@pytest.fixture
async def shared(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(rolling_up, "WORTH_IT", 0)
    address = postgres.url(await postgres.new_database())
    real = both(PostgresStore(address, clock=lambda: NOW, tag_sums=("release", "team")))
    real.use_texts(said)
    await real.open()
    await real.add(everything())
    while await real.roll_up():
        pass
    yield make_site(real)
    await real.close()


@pytest.mark.parametrize(
    "part", [pytest.param(part, marks=pytest.mark.full if part else ()) for part in range(PARTS)]
)
async def test_shows_the_same(shared: Site, part: int) -> None:
    store = MemoryStore(counted=rounded)
    await store.add(everything())
    exact = make_site(store)
    some = questions()[part::PARTS]
    assert {path for path, _ in some} >= set(PATHS)
    for path, asked in some:
        params = {name: value for name, value in asked.items() if value}
        ours, truth = [await get(site, path, **params) for site in (shared, exact)]
        assert ours.status == truth.status == 200, (path, params)
        assert without_size(ours.body) == without_size(truth.body), (path, params)


def without_size(body: bytes) -> str:
    """A list in memory has none on disk."""
    shown = re.sub(r"<span>[\d.]+ [kMG]B</span>", "", same_but_for_tags(body))
    return re.sub(r"(?m)^(# \w+ )?miharu_store_bytes .*\n", "", shown)
