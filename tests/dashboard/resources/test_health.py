import json

import pytest

from miharu.errors import StoreError
from tests.dashboard.conftest import get, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio


async def test_it_is_well_while_the_database_can_be_read() -> None:
    page = await get(make_site(MemoryStore()), "healthz")
    assert (page.status, json.loads(page.body)) == (200, {"status": "ok"})


async def test_it_is_not_when_it_cannot() -> None:
    class Gone(MemoryStore):
        async def revision(self) -> int:
            raise StoreError("gone")

    page = await get(make_site(Gone()), "healthz")
    assert page.status == 503
    assert json.loads(page.body) == {"status": "the database cannot be read"}
