"""The index of what was said, in a file."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from miharu.batch import Batch
from miharu.call import Body, Call, Usage
from miharu.stores.sqlite import SQLiteStore, said
from miharu.stores.words import Role
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import ALL, NOON, make_call

pytestmark = pytest.mark.anyio
DAY = 86_400_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def texts(call: Call) -> Sequence[tuple[Role, str]]:
    assert call.body is not None
    return [("user", (call.body.request or b"").decode())]


def saying(number: int, text: str, **facts: Any) -> Call:
    return make_call(timestamp=NOON + number, body=Body(request=text.encode(), response=None), **facts)


class Clock:
    now = NOON

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> Any:
    opened = both(SQLiteStore(f"sqlite+aiosqlite:///{tmp_path / 'calls.db'}", clock=clock))
    opened.use_texts(texts)
    await opened.open()
    yield opened
    await opened.close()


async def index(store: OpenStore) -> None:
    while await store.roll_up():
        pass


def ask(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path / "calls.db")) as connection:
        found = connection.execute(statement).fetchall()
        connection.commit()
        return found


def blocks(path: Path) -> bytes:
    """All that the index has, and the packed words beside it."""
    index = ask(path, "SELECT block FROM miharu_said_data")
    return b"".join(block for (block,) in index)


async def found(store: OpenStore, *words: str) -> list[int]:
    return [call.timestamp - NOON for call in await store.calls(replace(ALL, words=words))]


@pytest.mark.parametrize("content_only", [False, True])
async def test_nothing_is_left_of_what_was_pruned(
    store: OpenStore, tmp_path: Path, *, content_only: bool
) -> None:
    for start in range(0, 40, 4):  # in several parts
        secret = {0: " zanzibar", 4: " quetzal"}
        calls = [saying(n, f"word{n:03} common{secret.get(n, '')}") for n in range(start, start + 4)]
        await store.add(Batch(calls=calls))
        await index(store)
    assert b"zanzibar" in blocks(tmp_path)
    assert await found(store, "zanzibar") == [0]
    await store.prune(NOON + 2, content_only=content_only)
    assert b"zanzibar" not in blocks(tmp_path)
    assert b"quetzal" in blocks(tmp_path)
    assert await found(store, "zanzibar") == []
    assert await found(store, "common") == list(range(39, 1, -1))
    assert ask(tmp_path, "SELECT count(*) FROM miharu_words") == [(38,)]


async def test_what_retention_forgets_goes_within_a_day(
    store: OpenStore, tmp_path: Path, clock: Clock
) -> None:
    secret = {0: " zanzibar", 1: " quetzal"}
    await store.add(Batch(calls=[saying(n, f"common{secret.get(n, '')}") for n in range(40)]))
    await index(store)
    await store.prune(NOON + 1, limit=1000)
    await index(store)
    assert b"zanzibar" not in blocks(tmp_path)
    await store.prune(NOON + 2, limit=1000)
    await index(store)
    assert ask(tmp_path, "SELECT value FROM miharu_meta WHERE key = 'words_gone'") == [(1,)]
    assert await found(store, "quetzal") == []
    clock.now += DAY
    await index(store)
    assert ask(tmp_path, "SELECT value FROM miharu_meta WHERE key = 'words_gone'") == [(0,)]
    assert b"quetzal" not in blocks(tmp_path)
    assert await found(store, "common") == list(range(39, 1, -1))


async def test_calls_that_were_there_before_are_found_later(tmp_path: Path) -> None:
    path = f"sqlite+aiosqlite:///{tmp_path / 'calls.db'}"
    plain = both(SQLiteStore(path))
    await plain.open()
    await plain.add(Batch(calls=[saying(n, "refund") for n in range(200)]))
    await index(plain)
    assert ask(tmp_path, "SELECT count(*) FROM sqlite_master WHERE name LIKE 'miharu_said%'") == [(0,)]
    await plain.close()
    store = both(SQLiteStore(path))
    store.use_texts(texts)
    await store.open()
    assert (await store.searched(ALL)).indexed == 0
    await index(store)
    assert (await store.searched(ALL)).indexed == 200
    assert (await store.totals(replace(ALL, words=("refund",)))).calls == 200
    await store.close()


async def test_other_numbers_of_rows_take_nothing_out_and_bring_nothing_in_twice(
    store: OpenStore, tmp_path: Path
) -> None:
    await store.add(Batch(calls=[saying(n, f"refund n{n}") for n in range(20)]))
    await index(store)
    await store.prune(NOON + 10, content_only=True)
    ask(tmp_path, "UPDATE llm_bodies SET rowid = rowid - 10")  # as a VACUUM may
    await store.add(Batch(calls=[saying(n, f"refund n{n}") for n in range(20, 40)]))
    await index(store)
    assert await found(store, "refund") == list(range(39, 9, -1))
    assert await found(store, "n25") == [25]
    searched = await store.searched(ALL)
    assert (searched.kept, searched.indexed) == (30, 30)


async def test_calls_of_one_moment_are_told_apart(store: OpenStore) -> None:
    calls = [replace(saying(0, f"refund n{n}"), duration_ms=n) for n in range(300)]
    await store.add(Batch(calls=calls))
    await index(store)
    assert (await store.totals(replace(ALL, words=("refund",)))).calls == 300
    [one] = await store.calls(replace(ALL, words=("n123",)))
    assert one.duration_ms == 123


@pytest.mark.parametrize("moment", [0, -5, 2**43 - 1, 2**50])
async def test_any_moment_can_be_searched(store: OpenStore, moment: int) -> None:
    await store.add(Batch(calls=[replace(saying(0, "refund"), timestamp=moment)]))
    await index(store)
    searched = await store.searched(replace(ALL, start=-10))
    assert (searched.kept, searched.indexed) == (1, 1)


async def test_a_damaged_index_is_made_anew_and_the_file_is_left_alone(
    store: OpenStore, tmp_path: Path
) -> None:
    await store.add(Batch(calls=[saying(n, "refund") for n in range(20)]))
    await index(store)
    ask(tmp_path, "UPDATE miharu_said_data SET block = x'00' WHERE id = 10")  # its list of parts
    await store.add(Batch(calls=[saying(n, "refund") for n in range(20, 40)]))
    await index(store)
    await store.prune(NOON + 1, limit=10)
    await index(store)
    assert (await store.totals(ALL)).calls == 39  # no file was set aside
    assert await found(store, "refund") == list(range(39, 0, -1))


async def test_without_content_there_is_no_index(store: OpenStore, tmp_path: Path) -> None:
    await store.add(Batch(calls=[make_call() for _ in range(20)]))
    await index(store)
    assert ask(tmp_path, "SELECT count(*) FROM sqlite_master WHERE name LIKE 'miharu_said%'") == [(0,)]
    assert await found(store, "refund") == []


async def test_an_engine_without_an_index_is_asked_for_none(
    store: OpenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(said, "can_index", lambda _: False)
    await store.add(Batch(calls=[saying(0, "refund")]))
    await index(store)
    assert await found(store, "refund") == []
    searched = await store.searched(ALL)
    assert (searched.kept, searched.indexed) == (1, 0)
    await store.prune(NOON + 1)


async def test_pruning_without_a_limit_finishes_what_steps_have_left(
    store: OpenStore, tmp_path: Path
) -> None:
    secret = {0: " zanzibar", 1: " quetzal"}
    await store.add(Batch(calls=[saying(n, f"common{secret.get(n, '')}") for n in range(40)]))
    await index(store)
    await store.prune(NOON + 1, limit=1000)
    await index(store)
    while await store.prune(NOON + 2, limit=1):
        pass
    await index(store)
    assert ask(tmp_path, "SELECT value FROM miharu_meta WHERE key = 'words_gone'") == [(1,)]
    await store.prune(NOON + 2)  # as the command does at its end
    assert ask(tmp_path, "SELECT value FROM miharu_meta WHERE key = 'words_gone'") == [(0,)]
    assert b"quetzal" not in blocks(tmp_path)


async def test_an_answer_to_a_call_whose_question_was_not_kept_is_no_work_without_end(
    store: OpenStore, tmp_path: Path
) -> None:
    opened = make_call(timestamp=NOON, response_id="r", usage=Usage(), cost=None)
    await store.add(Batch(calls=[opened]))
    await index(store)
    answer = Body(request=None, response=b"in the harbour")
    await store.add(Batch(calls=[make_call(response_id="r", body=answer, completes=True)]))
    steps = 0
    while await store.roll_up():
        steps += 1
        assert steps < 10
    assert ask(tmp_path, "SELECT * FROM miharu_unsaid") == []
