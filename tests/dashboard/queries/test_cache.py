import pytest

from miharu.dashboard.queries import cache as module
from miharu.dashboard.queries.cache import kept
from tests.dashboard.conftest import NOW, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio


class Counter:
    def __init__(self) -> None:
        self.made = 0

    async def __call__(self) -> int:
        self.made += 1
        return self.made


async def test_an_answer_is_kept_for_a_minute() -> None:
    store, count = MemoryStore(), Counter()
    assert await kept(make_site(store), "a", count) == 1
    assert await kept(make_site(store, now=NOW + 59_999), "a", count) == 1
    assert await kept(make_site(store, now=NOW + 60_000), "a", count) == 2


async def test_a_clock_that_was_set_back_makes_it_anew() -> None:
    store, count = MemoryStore(), Counter()
    assert await kept(make_site(store), "a", count) == 1
    assert await kept(make_site(store, now=NOW - 1), "a", count) == 2


async def test_stores_and_names_do_not_mix() -> None:
    store, count = MemoryStore(), Counter()
    assert await kept(make_site(store), "a", count) == 1
    assert await kept(make_site(store), "b", count) == 2
    assert await kept(make_site(MemoryStore()), "a", count) == 3
    assert await kept(make_site(store), "a", count) == 1


async def test_only_the_newest_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    store, count = MemoryStore(), Counter()
    for name in "abc":
        await kept(make_site(store), name, count)
    assert await kept(make_site(store), "c", count) == 3
    assert await kept(make_site(store), "a", count) == 4


async def test_nothing_is_not_kept() -> None:
    store, found = MemoryStore(), [list[str](), ["first"]]

    async def make() -> list[str]:
        return found.pop(0)

    assert await kept(make_site(store), "a", make) == []
    assert await kept(make_site(store), "a", make) == ["first"]
    assert await kept(make_site(store), "a", make) == ["first"]
