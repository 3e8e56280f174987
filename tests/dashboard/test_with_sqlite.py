"""The pages over the store that most people have: the same, to the byte, as over an exact one in memory."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import pytest

from miharu.batch import Batch
from miharu.config import MEMORY
from miharu.dashboard.http.page import Site
from miharu.dashboard.routes import PATHS
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both

from .conftest import NOW, get, make_site
from .memory import MemoryStore, rounded, said
from .population import population


@cache
def everything() -> Batch:
    """Made by those alone who look at it: it takes a second, and all workers collect this module."""
    return population(NOW, days=3, busy=0.7)


PARTS = [0, *(pytest.param(part, marks=pytest.mark.full) for part in (1, 2))]


def questions(part: int) -> list[tuple[str, dict[str, Any]]]:
    """A third of them, with every page."""
    seen = Counter[str]()
    some = []
    for path, asked in all_questions():
        if seen[path] % len(PARTS) == part:
            some.append((path, asked))
        seen[path] += 1
    assert {path for path, _ in some} == set(seen)
    return some


@cache
def all_questions() -> list[tuple[str, dict[str, Any]]]:
    latest = everything().calls[::-1]
    first = latest[0]
    failed = next(call for call in latest if call.outcome.http_status == 429)
    agent = next(call for call in latest if call.trace_id and call.finish_reason == "tool_use")
    return [
        *((path, {}) for path in PATHS),
        *((path, {"range": "7d", "model": "claude-sonnet-5-5"}) for path in PATHS),
        *((path, {"start": "2026-11-23T03:00Z", "end": "2026-11-23T05:00Z"}) for path in PATHS),
        *(
            ("", {"range": name, "zone": zone})
            for name in ("24h", "7d", "30d", "today", "month")
            for zone in ("America/Los_Angeles", "Asia/Kolkata", "Asia/Kathmandu")
        ),
        ("compare", {"range": "month", "zone": "Europe/Vienna"}),
        ("errors", {"range": "today", "zone": "Europe/Vienna"}),
        ("", {"by": "user", "measure": "tokens", "timed": "first"}),
        ("", {"by": "service", "status": "error"}),
        ("calls", {"sel": first.id}),
        ("calls", {"sel": failed.id, "range": "7d", "tab": "request"}),
        ("calls", {"sel": agent.id, "tab": "response"}),
        ("calls", {"sort": "-cost", "user": first.user_id or "u_1001"}),
        ("calls", {"error": "overloaded_error", "range": "7d"}),
        ("routes", {"route": "POST /agents/{name}/run", "sort": "-p95_ms"}),
        ("models", {"sort": "calls"}),
        *(
            ("users", {"range": "7d", "sort": sort})
            for sort in ("moved", "new", "failing", "-each_usd", "name")
        ),
        *(
            ("users", {"range": "7d", "sort": sort})
            for sort in ("-errors", "-seen", "seen", "-p95_ms", "p95_ms")
        ),
        *(
            (path, {"range": "7d", "q": "errors>0"})
            for path in ("users", "tags", "models", "routes", "prompts")
        ),
        *((path, {"range": "7d", "q": "errors>1"}) for path in ("users", "sessions", "calls")),
        ("users", {"range": "7d", "match": "U_10", "page": "2"}),
        ("users", {"range": "7d", "model": "claude-sonnet-5-5", "sort": "moved"}),
        ("users", {"show": "months", "zone": "America/Los_Angeles"}),
        ("users", {"user": agent.user_id, "range": "7d"}),
        ("tags", {"name": "release", "range": "7d", "sort": "-calls"}),
        ("tags", {"name": "release", "tag": "release=2026.11.4"}),
        ("tags", {"show": "months"}),
        ("sessions", {"session": agent.session_id}),
        ("sessions", {"trace": agent.trace_id, "sel": agent.id}),
        ("body", {"of": "request", "id": first.id}),
        ("errors", {"range": "7d"}),
        ("compare", {"by": "route", "range": "1h"}),
        ("compare", {"against": "week"}),
        ("find", {"q": "gpt"}),
        ("find", {"q": agent.session_id}),
        *(("export.csv", {"of": of}) for of in ("calls", "routes", "sessions", "errors", "compare", "live")),
        *(
            ("export.csv", {"of": of, "show": show})
            for of in ("users", "tags")
            for show in ("table", "months")
        ),
        ("export.json", {"of": "sessions", "session": agent.session_id}),
    ]


@pytest.fixture
def anyio_backend() -> str:
    """Stores run on miharu's own loop, which is asyncio's."""
    return "asyncio"


@pytest.fixture
async def sqlite() -> AsyncIterator[Site]:
    real = both(SQLiteStore(MEMORY, tag_sums=("release", "team")))
    real.use_texts(said)
    await real.open()
    await real.add(everything())
    while await real.roll_up():
        pass
    yield make_site(real)
    await real.close()


@pytest.fixture
async def exact() -> Site:
    store = MemoryStore(counted=rounded)
    await store.add(everything())
    return make_site(store)


def same_but_for_tags(body: bytes) -> str:
    """A tag speaks of the store's revision."""
    return re.sub(r'hx-ptag="\w+"', "", body.decode())


@pytest.mark.parametrize("part", PARTS)
async def test_shows_the_same(sqlite: Site, exact: Site, part: int) -> None:
    for path, asked in questions(part):
        params = {name: value for name, value in asked.items() if value}
        ours, theirs = [await get(site, path, **params) for site in (sqlite, exact)]
        assert ours.status == theirs.status == 200, (path, params)
        assert same_but_for_tags(ours.body) == same_but_for_tags(theirs.body), (path, params)


async def test_shows_new_calls_with_the_next_tick(sqlite: Site) -> None:
    tag = dict((await get(sqlite, "calls-rows")).headers)["HX-PTag"]
    assert (await get(sqlite, "calls-rows", ptag=tag)).status == 304
    newer = population(NOW, days=0.2, busy=0.2, seed=5)
    await sqlite.store.add(Batch(calls=newer.calls[-1:]))  # type: ignore[attr-defined]
    again = await get(sqlite, "calls-rows", ptag=tag)
    assert again.status == 200
    assert newer.calls[-1].id in again.body.decode()
