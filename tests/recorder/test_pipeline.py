import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from miharu.batch import Batch, Score, Span
from miharu.call import Call, Cost
from miharu.errors import StoreError
from miharu.exchange import Exchange
from miharu.recorder import batch_reader, pipeline
from miharu.recorder.pipeline import PATIENCE_S
from miharu.recorder.queue import ExchangeQueue
from tests.recorder.answer import ANSWER
from tests.recorder.world import Bench, answered
from tests.world import exchange


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.pipeline.close()
    bench.spool.close()


def put(bench: Bench, *models: str, size: int = 0) -> None:
    for model in models:
        bench.queue.put(answered(model, size))


def soon() -> float:
    """A moment at which what waits now is overdue."""
    return time.monotonic() + PATIENCE_S + 1


def refuse(bench: Bench, *models: str) -> None:
    """The store is open, and has refused these."""
    bench.open()
    bench.writer.refuses = True
    put(bench, *models)
    with pytest.raises(StoreError):
        bench.pipeline.drain()


def test_what_was_left_is_stored_and_exported(bench: Bench) -> None:
    bench.open()
    put(bench, "a", "b")
    bench.pipeline.drain()
    assert bench.models == ["a", "b"]
    assert [call.model for call in bench.exported] == ["a", "b"]
    assert (bench.counters.captured, bench.counters.written, len(bench.queue)) == (2, 2, 0)


def test_what_comes_faster_than_it_is_stored_holds_nobody_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_reader, "READING_S", 0)  # one at a time
    monkeypatch.setattr(pipeline, "LONG_S", 0)
    bench.open()
    put(bench, "a", "b")
    add = bench.writer.add

    def meanwhile(batch: Batch) -> int:
        put(bench, "later", "later")
        return add(batch)

    monkeypatch.setattr(bench.writer, "add", meanwhile)
    bench.pipeline.drain()
    assert bench.models == ["a", "b"]
    assert len(bench.queue) == 4


def test_what_is_spooled_faster_than_it_is_stored_holds_nobody_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "LONG_S", 0)
    refuse(bench, "a", "b")
    bench.pipeline.spool_all()
    bench.writer.refuses = False
    add = bench.writer.add

    def meanwhile(batch: Batch) -> int:
        put(bench, "later", "later")
        bench.pipeline.spool_all()
        return add(batch)

    monkeypatch.setattr(bench.writer, "add", meanwhile)
    bench.pipeline.drain()
    assert bench.models[:2] == ["a", "b"]
    assert bench.spool.waiting
    assert (
        bench.counters.written + bench.spool.waiting == bench.counters.captured == 2 + 2 * len(bench.batches)
    )


def test_runs_of_tools_that_the_calls_tell_of_go_with_them(bench: Bench) -> None:
    bench.open()
    function = {"name": "find", "arguments": "{}"}
    message = {"tool_calls": [{"id": "one", "type": "function", "function": function}]}
    bench.queue.put(exchange(body={"choices": [{"message": message}]}, asked={"model": "a"}, took_ms=0))
    brought = {"model": "b", "messages": [{"role": "tool", "tool_call_id": "one", "content": "x"}]}
    bench.queue.put(exchange(body=ANSWER, asked=brought))
    bench.pipeline.drain()
    with closing(sqlite3.connect(bench.folder / "calls.db")) as connection:
        assert connection.execute("SELECT name, kind FROM llm_spans").fetchall() == [("find", "execute_tool")]


def test_spans_and_scores_go_with_the_calls(bench: Bench) -> None:
    bench.open()
    span = Span(id="s", trace_id="t", name="n", timestamp=1, duration_ms=2, status="success")
    score = Score(id="x", timestamp=1, name="thumb", value=1.0, trace_id="t")
    put(bench, "a")
    bench.queue.put_record(span)
    bench.queue.put_record(score)
    bench.pipeline.drain()
    assert bench.questions("spans", "t") == [span]
    assert bench.questions("scores", trace_id="t") == [score]
    assert bench.models == ["a"]


def test_what_cannot_be_stored_takes_nothing_with_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    bench.open()
    bench.writer.breaks = "odd"
    put(bench, "a", "odd", "b")
    bench.queue.put_record(Score(id="x", timestamp=1, name="thumb", value=1.0, trace_id="t"))
    bench.pipeline.drain()
    assert bench.models == ["a", "b"]
    assert len(bench.questions("scores", trace_id="t")) == 1
    assert (bench.counters.written, bench.counters.unstorable) == (2, 1)


def test_a_store_that_refuses_keeps_the_order(bench: Bench) -> None:
    """What was read goes before what was spooled, and that before what came since."""
    refuse(bench, "a")
    bench.pipeline.spool_overdue(time.monotonic())
    assert not bench.spools
    put(bench, "b", "c")
    bench.pipeline.spool_overdue(soon())
    assert len(bench.queue) == 0
    assert bench.spool.waiting == 3
    put(bench, "d")
    with pytest.raises(StoreError):
        bench.pipeline.drain()
    bench.writer.refuses = False
    bench.pipeline.drain()
    assert bench.models == ["a", "b", "c", "d"]
    assert bench.counters.written == len(bench.exported) == 4
    assert not bench.spools


@pytest.mark.parametrize(("past_s", "spooled"), [(-0.5, 0), (0.5, 1)])
def test_what_a_store_refuses_waits_in_memory_for_a_second(bench: Bench, past_s: float, spooled: int) -> None:
    refuse(bench, "a")
    stuck = bench.pipeline._stuck_since
    assert stuck is not None
    bench.pipeline.spool_overdue(stuck + 1.0 + past_s)
    assert bench.spool.waiting == spooled


def test_a_half_full_queue_is_spooled_at_once(bench: Bench) -> None:
    refuse(bench, "first")
    put(bench, *"abcdefghij")
    assert bench.queue.is_high
    bench.pipeline.spool_overdue(time.monotonic())
    assert (len(bench.queue), bench.spool.waiting) == (0, 11)
    put(bench, *"abc")
    bench.pipeline.spool_overdue(time.monotonic())
    assert len(bench.queue) == 3


def test_until_the_store_is_open_nothing_waits_in_memory(bench: Bench) -> None:
    put(bench, "a", "b")
    bench.pipeline.spool_overdue(time.monotonic())
    assert (len(bench.queue), bench.spool.waiting) == (0, 2)
    bench.open()
    bench.pipeline.drain()
    assert bench.models == ["a", "b"]


def test_a_slow_store_does_not_stop_the_reading(bench: Bench) -> None:
    def meanwhile() -> None:
        put(bench, *"bcdefghijkl")
        bench.pipeline.spool_overdue(time.monotonic())
        assert len(bench.queue) == 1
        assert bench.spool.waiting == 12

    bench.open()
    bench.writer.slowly = meanwhile
    put(bench, "a")
    bench.pipeline.drain()
    assert bench.models == list("abcdefghijkl")
    assert bench.counters.written == len(bench.exported) == 12
    assert not bench.spools


def test_what_a_slow_store_has_in_its_hands_is_safe_and_comes_once(bench: Bench) -> None:
    def meanwhile() -> None:
        bench.pipeline.spool_overdue(time.monotonic())
        assert not bench.spools
        bench.pipeline.spool_overdue(soon())
        assert bench.spool.waiting == 2
        put(bench, "c")
        bench.pipeline.spool_overdue(soon())
        assert bench.spool.waiting == 3

    bench.open()
    bench.writer.slowly = meanwhile
    bench.writer.refuses = True
    put(bench, "a", "b")
    with pytest.raises(StoreError):
        bench.pipeline.drain()
    assert len(bench.queue) == 0
    bench.writer.refuses = False
    bench.pipeline.drain()
    assert bench.models == ["a", "b", "c"]
    assert bench.counters.written == len(bench.exported) == 3


def test_calls_behind_a_long_spool_do_not_fill_the_queue(bench: Bench) -> None:
    def meanwhile() -> None:
        put(bench, *"defghijklmn")
        bench.pipeline.spool_overdue(time.monotonic())
        assert len(bench.queue) == 0

    put(bench, *"abc")
    bench.pipeline.spool_overdue(time.monotonic())
    bench.open()
    bench.writer.slowly = meanwhile
    bench.pipeline.drain()
    assert bench.models == list("abcdefghijklmn")


def test_a_full_spool_sheds_content_and_then_calls(tmp_path: Path) -> None:
    bench = Bench(tmp_path, capture_content=True, spool_bytes=60_000)
    captured = 0
    for _ in range(40):
        put(bench, *["m"] * 20, size=500)
        captured += 20
        bench.pipeline.spool_overdue(time.monotonic())
    assert bench.counters.shed > 0
    assert bench.queue.dropped > 0
    assert len(bench.queue) == 20
    assert bench.spools[0].stat().st_size < 120_000
    bench.open()
    bench.pipeline.drain()
    assert len(bench.models) == captured - bench.queue.dropped
    with closing(sqlite3.connect(tmp_path / "calls.db")) as database:
        bodies = database.execute("SELECT count(*) FROM llm_bodies").fetchone()[0]
    assert bodies == len(bench.models) - bench.counters.shed
    bench.pipeline.close()


def test_a_folder_that_cannot_be_written_keeps_everything_in_memory(bench: Bench) -> None:
    bench.spool.place = bench.folder / "a file" / "calls.db.spool-"
    (bench.folder / "a file").touch()
    put(bench, "a", "b")
    bench.pipeline.spool_overdue(time.monotonic())
    put(bench, "c")
    bench.pipeline.spool_all()
    assert len(bench.queue) == 3
    bench.open()
    bench.pipeline.drain()
    assert bench.models == ["a", "b", "c"]


def test_a_batch_is_bounded_by_bytes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_reader, "BATCH_BYTES", 1000)
    bench.capture_content = True
    bench.pipeline = bench.another()
    put(bench, *"abcdef", size=400)
    values: list[object] = []
    bench.pipeline._reader.fill(values)  # type: ignore[arg-type]
    assert len(values) == 2


def test_what_takes_long_to_read_is_stored_in_parts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_reader, "READING_S", 0.0)
    bench.queue.max_items = 50
    bench.open()
    models = [str(number) for number in range(50)]
    put(bench, *models)
    values: list[object] = []
    bench.pipeline._reader.fill(values)  # type: ignore[arg-type]
    assert len(values) == 1
    bench.queue.pending.extend(values)  # type: ignore[arg-type]
    bench.pipeline.drain()
    assert bench.models == models


@pytest.mark.parametrize(("waiting", "pause"), [(5, 0.0), (20, 0.003), (400, 0.00015)])
def test_the_lock_of_the_interpreter_is_given_up_between_calls(
    waiting: int, pause: float, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer where many wait, so that it is not one call of the program that meets every pause."""
    given_up: list[float] = []
    monkeypatch.setattr(time, "sleep", given_up.append)
    monkeypatch.setattr(batch_reader, "READING_S", 60.0)
    monkeypatch.setattr(batch_reader, "HELD_S", 0.0)
    bench.queue.max_items = waiting
    put(bench, *"x" * waiting)
    bench.pipeline._reader.fill([])
    assert len(given_up) == waiting
    assert set(given_up) <= {0.0, pause}
    assert given_up[0] == pause
    assert given_up.count(pause) >= waiting // batch_reader.READ_AT_ONCE - 1
    assert sum(given_up) <= batch_reader.PAUSES_S + 1e-9


def test_the_lock_of_the_interpreter_is_not_given_up_for_every_little(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up: list[float] = []
    monkeypatch.setattr(time, "sleep", given_up.append)
    monkeypatch.setattr(batch_reader, "HELD_S", 60.0)
    put(bench, *"abcde")
    bench.pipeline._reader.fill([])
    assert not given_up


def test_what_comes_while_others_are_stored_waits_for_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a program that calls without a pause has a transaction for every other call."""
    bench.open()
    put(bench, "a", "b")
    writer = bench.pipeline.writer
    assert writer is not None
    added = writer.add

    def add(batch: Batch) -> int:
        put(bench, "late")
        return added(batch)

    with monkeypatch.context() as patched:
        patched.setattr(writer, "add", add)
        bench.pipeline.drain()
    assert bench.models == ["a", "b"]
    bench.pipeline.drain()
    assert bench.models == ["a", "b", "late"]


def test_what_is_no_call_ends_no_batch(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_reader, "READING_S", 0.0)
    bench.queue.max_items = 50
    bench.open()
    monkeypatch.setattr(bench.pipeline._reader, "_kept", lambda _: (None, None))
    put(bench, *"x" * 50)
    bench.pipeline.drain()
    assert len(bench.queue) == 0


def test_a_thread_that_ends_the_program_saves_what_the_recorder_holds(bench: Bench) -> None:
    """Also what is in the store's hands; stored twice, it is there once."""
    waits, goes_on = threading.Event(), threading.Event()

    def meanwhile() -> None:
        waits.set()
        assert goes_on.wait(10)

    bench.open()
    bench.writer.slowly = meanwhile
    put(bench, "a")
    recorder = threading.Thread(target=bench.pipeline.drain)
    recorder.start()
    assert waits.wait(10)
    put(bench, "b", "c")
    bench.pipeline.spool_remaining(soon())
    assert bench.spool.waiting == 3
    assert len(bench.queue) == 0
    goes_on.set()
    recorder.join()
    assert sorted(bench.models) == ["a", "b", "c"]


def test_a_deadline_ends_the_saving(bench: Bench) -> None:
    put(bench, "a", "b")
    bench.pipeline.spool_remaining(time.monotonic())
    assert len(bench.queue) == 2


def test_calls_are_safe_while_prices_are_loaded_and_priced_afterwards(tmp_path: Path) -> None:
    class Prices:
        def cost(self, call: Call) -> Cost:
            return Cost(cost_nanousd=7, cost_source="test")

    bench = Bench(tmp_path, has_prices=False)

    def load() -> Prices:
        assert len(bench.queue.pending) == 1
        bench.pipeline.spool_overdue(time.monotonic())
        assert (len(bench.queue), bench.spool.waiting) == (0, 1)
        put(bench, "b")
        bench.pipeline.spool_overdue(time.monotonic())
        assert (len(bench.queue), bench.spool.waiting) == (0, 2)
        return Prices()

    bench.pipeline = bench.another(load)
    charged: list[Call] = []
    bench.pipeline.pricer._charge = charged.append
    bench.open()
    put(bench, "a")
    bench.pipeline.drain()
    put(bench, "c")
    bench.pipeline.drain()
    assert bench.models == ["a", "b", "c"]
    assert [call.cost and call.cost.cost_nanousd for call in charged] == [7, 7, 7]
    bench.pipeline.close()


def test_what_is_no_call_is_no_call(tmp_path: Path) -> None:
    class Unreadable(Exchange):
        pass

    bench = Bench(tmp_path, queue=ExchangeQueue())
    bench.queue.put(Unreadable())
    values: list[object] = []
    with pytest.raises(NotImplementedError):  # the guard is off
        bench.pipeline._reader.fill(values, in_a_hurry=True)  # type: ignore[arg-type]
    assert bench.counters.captured == 0
