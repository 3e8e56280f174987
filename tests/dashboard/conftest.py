"""A site over an exact store in memory, with the clock stopped."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from miharu.dashboard.address.zones import COOKIE
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.dashboard.routes import respond
from miharu.stores.base import Questions
from tests.conftest import backend

from .memory import MemoryStore
from .traffic import traffic

NOW = int(datetime(2026, 11, 23, 14, 20, 30, tzinfo=UTC).timestamp() * 1000)

Ask = Callable[..., Awaitable[Page]]


def make_site(store: Questions, losses: int = 0, now: int = NOW, **more: Any) -> Site:
    return Site(
        store=store,
        database="/shop/.miharu/calls.db",
        access="local only",
        losses=lambda: losses,
        clock=lambda: now,
        **more,
    )


async def get(
    site: Site, path: str = "", method: str = "GET", ptag: str = "", zone: str = "", **params: str
) -> Page:
    headers = {"hx-ptag": ptag} if ptag else {}
    if zone:
        headers["cookie"] = f"{COOKIE}={zone}"
    return await respond(PageRequest(path=path, params=params, headers=headers, method=method), site)


@pytest.fixture(params=["asyncio", pytest.param("trio", marks=pytest.mark.full)])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Pages ask, and draw; that both loops can serve them is tested at the doors too (``tests/asgi``)."""
    return backend(request)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(traffic(NOW, calls=1200, days=2))


@pytest.fixture
def site(store: MemoryStore) -> Site:
    return make_site(store)


@pytest.fixture
def ask(site: Site) -> Ask:
    async def ask(path: str = "", **params: str) -> Page:
        return await get(site, path, **params)

    return ask
