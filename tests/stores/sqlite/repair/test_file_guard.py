"""What the store does about its file, seen from the store."""

import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from miharu.batch import Batch
from miharu.errors import StoreError
from miharu.stores.sqlite import SQLiteStore
from miharu.stores.sqlite.repair import file_guard
from miharu.stores.sqlite.repair.file_guard import OFTEN, FileGuard
from miharu.stores.sqlite.repair.layout import beside
from miharu.stores.sqlite.repair.quarantine import all_set_aside, set_aside
from miharu.stores.sqlite.repair.rescue import rescuer
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import ALL, make_call
from tests.stores.sqlite.repair.salvage.test_rowids import leaves_of

from .conftest import CALLS, PAGE, Written, damage, url, zeroed

NOISE = os.urandom(PAGE)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescuer, "_WORKS", 1)


@pytest.fixture
async def store(written: Written) -> AsyncIterator[OpenStore]:
    store = both(SQLiteStore(url(written.path)))
    await store.open()
    yield store
    await store.close()


def rescued(store: OpenStore) -> None:
    """Wait until what can be read is back."""
    guards = [store.sides.writer._writer.database._guard, store.sides.questions._readers._guard]
    for guard in guards:
        assert guard._rescuer is not None
        if guard._rescuer._thread is not None:
            guard._rescuer._thread.join(60)
    assert all(aside.done for aside in all_set_aside(guards[0].path))


def new(calls: int = 1) -> Batch:
    return Batch(calls=[make_call(model="new") for _ in range(calls)])


async def test_a_damaged_file_is_set_aside_at_the_start(
    written: Written, caplog: pytest.LogCaptureFixture
) -> None:
    damage(written.path, lambda data: NOISE + data[PAGE:])
    store = both(SQLiteStore(url(written.path)))
    await store.open()
    [aside] = all_set_aside(written.path)
    assert caplog.messages[0] == (
        f"miharu: {written.path} has no header of SQLite. It was set aside as calls.db.corrupt-{aside.since}"
        ", calls are recorded in a new file, and what can be read of the old one is brought back; your "
        "program is not affected."
    )
    await store.add(new())
    rescued(store)
    assert (await store.totals(ALL)).calls == CALLS + 1
    await store.close()


async def test_one_that_turns_out_to_be_damaged_in_use_is_set_aside_and_no_batch_is_lost(
    written: Written, store: OpenStore
) -> None:
    damage(written.path, zeroed(range(1, 12)))
    assert await store.add(new(3)) == 3
    rescued(store)
    assert len(all_set_aside(written.path)) == 1
    assert (await store.totals(ALL)).calls >= 3


async def test_one_that_turns_out_to_be_damaged_when_read_is_set_aside(
    written: Written, store: OpenStore
) -> None:
    damage(written.path, zeroed(range(leaf := leaves_of(written.path, "llm_calls")[9], leaf + 1)))
    calls = await store.calls(ALL, limit=10**6)
    rescued(store)
    assert len(all_set_aside(written.path)) == 1
    assert len(calls) < CALLS  # they were asked for while they were being brought back
    assert CALLS - 40 < len(await store.calls(ALL, limit=10**6)) < CALLS


async def test_what_only_reads_sets_nothing_aside(written: Written) -> None:
    reader = both(SQLiteStore(url(written.path), read_only=True))
    await reader.open()
    damage(written.path, zeroed(range(leaf := leaves_of(written.path, "llm_calls")[9], leaf + 1)))
    with pytest.raises(StoreError, match="is damaged"):
        await reader.calls(ALL, limit=10**6)
    await reader.close()
    damage(written.path, lambda data: data[: len(data) // 2])
    with pytest.raises(StoreError, match=r"has been cut off.*miharu doctor --repair"):
        await both(SQLiteStore(url(written.path), read_only=True)).open()
    assert not all_set_aside(written.path)


async def test_what_another_process_has_set_aside_is_not_set_aside_again(
    written: Written, store: OpenStore, caplog: pytest.LogCaptureFixture
) -> None:
    set_aside(written.path)
    await store.add(new())
    assert not [message for message in caplog.messages if "deleted or replaced" in message]
    rescued(store)
    assert len(all_set_aside(written.path)) == 1
    assert (await store.totals(ALL)).calls == CALLS + 1


async def test_a_disk_that_damages_one_file_after_the_other_is_named(
    written: Written, caplog: pytest.LogCaptureFixture
) -> None:
    store = both(SQLiteStore(url(written.path)))
    for _ in range(OFTEN):
        written.path.write_bytes(b"SQLite format 3\0" + NOISE + b"CREATE TABLE llm_calls")
        await store.open()
        await store.close()
    written.path.write_bytes(b"SQLite format 3\0" + NOISE + b"CREATE TABLE llm_calls")
    with pytest.raises(StoreError, match=r"and so were 3 before it within 10 minutes: look at the disk\."):
        await store.open()
    await store.close()
    assert len(all_set_aside(written.path)) == OFTEN


@pytest.mark.parametrize("running", [True, False])
async def test_a_damaged_file_that_cannot_be_renamed_is_named(
    written: Written, store: OpenStore, monkeypatch: pytest.MonkeyPatch, running: bool
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(file_guard, "set_aside", refuse)
    if running:
        damage(written.path, zeroed(range(1, 12)))
    else:
        damage(written.path, lambda data: NOISE + data[PAGE:])
        await store.close()
    with pytest.raises(StoreError, match="cannot be set aside: Permission denied"):
        await store.add(new())
    monkeypatch.undo()
    assert await store.add(new()) == 1


async def test_a_folder_that_was_closed_does_not_matter_while_the_file_is_open(
    written: Written, store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as closed:
        closed.setattr(file_guard, "identity", refuse)
        assert await store.add(new()) == 1
    assert (await store.totals(ALL)).calls == CALLS + 1


async def test_a_file_that_is_damaged_during_a_rescue_is_rescued_too(
    written: Written, original: Written, store: OpenStore
) -> None:
    for _ in range(2):
        set_aside(written.path)
        await store.add(new())
    rescued(store)
    assert len(all_set_aside(written.path)) == 2
    assert (await store.totals(ALL)).calls == CALLS + 2


async def test_a_rescue_that_was_interrupted_goes_on_at_the_next_start(written: Written) -> None:
    set_aside(written.path)
    store = both(SQLiteStore(url(written.path)))
    await store.open()
    rescued(store)
    assert (await store.totals(ALL)).calls == CALLS
    await store.close()


async def test_a_file_that_was_deleted_is_begun_anew(
    written: Written, store: OpenStore, caplog: pytest.LogCaptureFixture
) -> None:
    written.path.unlink()
    await store.add(new())
    assert (await store.totals(ALL)).calls == 1
    [message] = caplog.messages
    assert message.startswith(f"miharu: {written.path} was deleted or replaced while it was open")


async def test_the_changes_to_a_file_that_was_replaced_do_not_get_into_the_new_one(
    original: Written, written: Written, store: OpenStore
) -> None:
    """Its WAL lies under the name at which SQLite looks for the new one's."""
    await store.add(new(50))
    assert Path(f"{written.path}-wal").stat().st_size
    copy = written.path.with_name("backup.db")
    shutil.copy(original.path, copy)
    copy.replace(written.path)
    await store.add(new())
    assert (await store.totals(ALL)).calls == CALLS + 1
    with sqlite3.connect(written.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


async def test_a_file_that_was_moved_away_has_all_that_was_recorded_in_it(
    written: Written, store: OpenStore
) -> None:
    await store.add(new(50))
    moved = written.path.with_name("moved.db")
    written.path.rename(moved)
    await store.add(new())
    assert (await store.totals(ALL)).calls == 1
    with sqlite3.connect(moved) as connection:
        assert connection.execute("SELECT count(*) FROM llm_calls").fetchone() == (CALLS + 50,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
async def test_a_layout_that_cannot_be_written_is_no_reason_not_to_record(written: Written) -> None:
    beside(written.path).unlink()
    beside(written.path).mkdir()
    store = both(SQLiteStore(url(written.path)))
    await store.open()
    assert await store.add(new()) == 1
    await store.close()


async def test_a_file_that_is_replaced_while_it_is_opened_is_not_used(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows which of the two SQLite has opened."""
    learn = FileGuard.learn

    def replaced(self: FileGuard, ask: object) -> None:
        learn(self, ask)  # type: ignore[arg-type]
        if beside(written.path).exists():
            monkeypatch.setattr(FileGuard, "learn", learn)
            shutil.copy(written.path, f"{written.path}.copy")
            Path(f"{written.path}.copy").replace(written.path)

    monkeypatch.setattr(FileGuard, "learn", replaced)
    store = both(SQLiteStore(url(written.path)))
    with pytest.raises(StoreError, match="was replaced while it was opened"):
        await store.open()
    await store.open()
    await store.close()
