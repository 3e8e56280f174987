"""The pages over the store that many machines share: the same, to the byte, as over one in memory."""

import re
from collections.abc import AsyncIterator

import pytest

from miharu.dashboard.http.page import Site
from miharu.stores.postgres import PostgresStore, rolling_up
from miharu.testing.open_store import both
from tests.stores.postgres.server import Server

from .conftest import NOW, get, make_site
from .memory import MemoryStore, rounded, said
from .test_with_sqlite import PARTS, everything, questions, same_but_for_tags


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


@pytest.mark.full  # SQLite's are compared in each run, and what the stores answer by the contract
@pytest.mark.parametrize("part", PARTS)
async def test_shows_the_same(shared: Site, part: int) -> None:
    store = MemoryStore(counted=rounded)
    await store.add(everything())
    exact = make_site(store)
    for path, asked in questions(part):
        params = {name: value for name, value in asked.items() if value}
        ours, truth = [await get(site, path, **params) for site in (shared, exact)]
        assert ours.status == truth.status == 200, (path, params)
        assert without_size(ours.body) == without_size(truth.body), (path, params)


def without_size(body: bytes) -> str:
    """A list in memory has none on disk."""
    shown = re.sub(r"<span>[\d.]+ [kMG]B</span>", "", same_but_for_tags(body))
    return re.sub(r"(?m)^(# \w+ )?miharu_store_bytes .*\n", "", shown)
