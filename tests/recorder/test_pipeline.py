import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from miharu.batch import Score, Span
from miharu.errors import StoreError
from miharu.exchange import Exchange
from miharu.recorder import intake
from miharu.recorder.pipeline import PATIENCE_S
from miharu.recorder.queue import ExchangeQueue
from tests.recorder.world import Bench, answered


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The worker's loop."""
    return "asyncio", {"debug": True}


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.pipeline.close()
    bench.spool.close()


def put(bench: Bench, *models: str, size: int = 0) -> None:
    for model in models:
        bench.queue.put(answered(model, size))


def soon() -> float:
    """A moment at which what waits now is overdue."""
    return time.monotonic() + PATIENCE_S + 1


async def refuse(bench: Bench, *models: str) -> None:
    """The store is open, and has refused these."""
    await bench.open()
    bench.store.refuses = True
    put(bench, *models)
    with pytest.raises(StoreError):
        await bench.pipeline.drain()


async def test_what_was_left_is_stored_and_exported(bench: Bench) -> None:
    await bench.open()
    put(bench, "a", "b")
    await bench.pipeline.drain()
    assert bench.models == ["a", "b"]
    assert [call.model for call in bench.exported] == ["a", "b"]
    assert (bench.tally.captured, bench.tally.written, len(bench.queue)) == (2, 2, 0)


async def test_spans_and_scores_go_with_the_calls(bench: Bench) -> None:
    await bench.open()
    span = Span(id="s", trace_id="t", name="n", timestamp=1, duration_ms=2, status="success")
    score = Score(id="x", timestamp=1, name="thumb", value=1.0, trace_id="t")
    put(bench, "a")
    bench.queue.put_record(span)
    bench.queue.put_record(score)
    await bench.pipeline.drain()
    assert await bench.store.spans("t") == [span]
    assert await bench.store.scores(trace_id="t") == [score]
    assert bench.models == ["a"]


async def test_what_cannot_be_stored_takes_nothing_with_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    await bench.open()
    bench.store.breaks = "odd"
    put(bench, "a", "odd", "b")
    bench.queue.put_record(Score(id="x", timestamp=1, name="thumb", value=1.0, trace_id="t"))
    await bench.pipeline.drain()
    assert bench.models == ["a", "b"]
    assert len(await bench.store.scores(trace_id="t")) == 1
    assert (bench.tally.written, bench.tally.unstorable) == (2, 1)


async def test_a_store_that_refuses_keeps_the_order(bench: Bench) -> None:
    """What was read goes before what was spooled, and that before what came since."""
    await refuse(bench, "a")
    await bench.pipeline.relieve(time.monotonic())
    assert not bench.spools
    put(bench, "b", "c")
    await bench.pipeline.relieve(soon())
    assert len(bench.queue) == 0
    assert bench.spool.waiting == 3
    put(bench, "d")
    with pytest.raises(StoreError):
        await bench.pipeline.drain()
    bench.store.refuses = False
    await bench.pipeline.drain()
    assert bench.models == ["a", "b", "c", "d"]
    assert bench.tally.written == len(bench.exported) == 4
    assert not bench.spools


async def test_a_half_full_queue_is_spooled_at_once(bench: Bench) -> None:
    await refuse(bench, "first")
    put(bench, *"abcdefghij")
    assert bench.queue.is_high
    await bench.pipeline.relieve(time.monotonic())
    assert (len(bench.queue), bench.spool.waiting) == (0, 11)
    put(bench, *"abc")
    await bench.pipeline.relieve(time.monotonic())
    assert len(bench.queue) == 3


async def test_until_the_store_is_open_nothing_waits_in_memory(bench: Bench) -> None:
    put(bench, "a", "b")
    await bench.pipeline.relieve(time.monotonic())
    assert (len(bench.queue), bench.spool.waiting) == (0, 2)
    await bench.open()
    await bench.pipeline.drain()
    assert bench.models == ["a", "b"]


async def test_a_slow_store_does_not_stop_the_reading(bench: Bench) -> None:
    await bench.open()
    bench.store.gate = anyio.Event()
    put(bench, "a")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bench.pipeline.drain)
        await anyio.wait_all_tasks_blocked()
        put(bench, *"bcdefghijkl")
        await bench.pipeline.relieve(time.monotonic())
        assert len(bench.queue) == 1
        assert bench.spool.waiting == 12
        bench.store.gate.set()
    assert bench.models == list("abcdefghijkl")
    assert bench.tally.written == len(bench.exported) == 12
    assert not bench.spools


async def test_what_a_slow_store_has_in_its_hands_is_safe_and_comes_once(bench: Bench) -> None:
    await bench.open()
    bench.store.gate = anyio.Event()
    bench.store.refuses = True
    put(bench, "a", "b")
    async with anyio.create_task_group() as tasks:

        async def drain() -> None:
            with pytest.raises(StoreError):
                await bench.pipeline.drain()

        tasks.start_soon(drain)
        await anyio.wait_all_tasks_blocked()
        await bench.pipeline.relieve(time.monotonic())
        assert not bench.spools
        await bench.pipeline.relieve(soon())
        assert bench.spool.waiting == 2
        put(bench, "c")
        await bench.pipeline.relieve(soon())
        assert bench.spool.waiting == 3
        bench.store.gate.set()
    assert len(bench.queue) == 0
    bench.store.refuses = False
    await bench.pipeline.drain()
    assert bench.models == ["a", "b", "c"]
    assert bench.tally.written == len(bench.exported) == 3


async def test_calls_behind_a_long_spool_do_not_fill_the_queue(bench: Bench) -> None:
    put(bench, *"abc")
    await bench.pipeline.relieve(time.monotonic())
    await bench.open()
    bench.store.gate = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bench.pipeline.drain)
        await anyio.wait_all_tasks_blocked()
        put(bench, *"defghijklmn")
        await bench.pipeline.relieve(time.monotonic())
        assert len(bench.queue) == 0
        bench.store.gate.set()
    assert bench.models == list("abcdefghijklmn")


async def test_a_full_spool_sheds_content_and_then_calls(tmp_path: Path) -> None:
    bench = Bench(tmp_path, capture_content=True, spool_bytes=60_000)
    captured = 0
    for _ in range(40):
        put(bench, *["m"] * 20, size=500)
        captured += 20
        await bench.pipeline.relieve(time.monotonic())
    assert bench.tally.shed > 0
    assert bench.queue.dropped > 0
    assert len(bench.queue) == 20
    assert bench.spools[0].stat().st_size < 120_000
    await bench.open()
    await bench.pipeline.drain()
    assert len(bench.models) == captured - bench.queue.dropped
    with closing(sqlite3.connect(tmp_path / "calls.db")) as database:
        bodies = database.execute("SELECT count(*) FROM llm_bodies").fetchone()[0]
    assert bodies == len(bench.models) - bench.tally.shed
    await bench.pipeline.close()


async def test_a_folder_that_cannot_be_written_keeps_everything_in_memory(bench: Bench) -> None:
    bench.spool.place = bench.folder / "a file" / "calls.db.spool-"
    (bench.folder / "a file").touch()
    put(bench, "a", "b")
    await bench.pipeline.relieve(time.monotonic())
    put(bench, "c")
    await bench.pipeline.spill()
    assert len(bench.queue) == 3
    await bench.open()
    await bench.pipeline.drain()
    assert bench.models == ["a", "b", "c"]


async def test_a_batch_is_bounded_by_bytes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BATCH_BYTES", 1000)
    bench.capture_content = True
    bench.pipeline = bench.another()
    put(bench, *"abcdef", size=400)
    values: list[object] = []
    await bench.pipeline._intake.fill(values)  # type: ignore[arg-type]
    assert len(values) == 2


async def test_what_takes_long_to_read_is_stored_in_parts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "READING_S", 0.0)
    bench.queue.max_items = 50
    await bench.open()
    models = [str(number) for number in range(50)]
    put(bench, *models)
    values: list[object] = []
    await bench.pipeline._intake.fill(values)  # type: ignore[arg-type]
    assert len(values) == intake.READ_AT_ONCE
    bench.queue.pending.extend(values)  # type: ignore[arg-type]
    await bench.pipeline.drain()
    assert bench.models == models


async def test_what_is_no_call_ends_no_batch(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "READING_S", 0.0)
    bench.queue.max_items = 50
    await bench.open()
    monkeypatch.setattr(bench.pipeline._intake, "_kept", lambda _: None)
    put(bench, *"x" * 50)
    await bench.pipeline.drain()
    assert len(bench.queue) == 0


async def test_a_thread_that_ends_the_program_saves_what_the_loop_holds(bench: Bench) -> None:
    """Also what is in the store's hands; stored twice, it is there once."""
    await bench.open()
    bench.store.gate = anyio.Event()
    put(bench, "a")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bench.pipeline.drain)
        await anyio.wait_all_tasks_blocked()
        put(bench, "b", "c")
        await anyio.to_thread.run_sync(bench.pipeline.salvage, soon())
        assert bench.spool.waiting == 3
        assert len(bench.queue) == 0
        bench.store.gate.set()
    assert sorted(bench.models) == ["a", "b", "c"]


async def test_a_deadline_ends_the_saving(bench: Bench) -> None:
    put(bench, "a", "b")
    bench.pipeline.salvage(time.monotonic())
    assert len(bench.queue) == 2


async def test_pages_get_their_turn_while_calls_are_read(bench: Bench) -> None:
    await bench.open()
    bench.queue.max_items = 1000
    put(bench, *["m"] * 400)
    turns = 0

    async def page() -> None:
        nonlocal turns
        while len(bench.queue._items):
            turns += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bench.pipeline.drain)
        tasks.start_soon(page)
    assert turns >= 10


def test_what_is_no_call_is_no_call(tmp_path: Path) -> None:
    class Unreadable(Exchange):
        pass

    bench = Bench(tmp_path, queue=ExchangeQueue())
    bench.queue.put(Unreadable())
    values: list[object] = []
    with pytest.raises(NotImplementedError):  # the guard is off
        bench.pipeline._intake.fill_at_once(values)  # type: ignore[arg-type]
    assert bench.tally.captured == 0
