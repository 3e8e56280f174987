import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, wait

import anyio
import pytest

from miharu.batch import Batch
from miharu.recorder import exports as module
from miharu.recorder.counters import Counters
from miharu.recorder.exports import Exports
from miharu.recorder.threads.loop import LoopThread
from miharu.testing.store_contract import make_call


class Exporter:
    """One that waits, fails or keeps what it gets, as a test says."""

    def __init__(self) -> None:
        self.got: list[str | None] = []
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()
        self.fails = False
        self.closed = 0

    async def export(self, batch: Batch) -> None:
        self.begun.set()
        await anyio.to_thread.run_sync(self.gate.wait, abandon_on_cancel=True)
        if self.fails:
            raise RuntimeError("not there")
        self.got += [call.model for call in batch.calls]

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    loop = LoopThread("miharu-test")
    yield loop
    loop.stop()


def batch(model: str) -> Batch:
    return Batch(calls=[make_call(model=model)])


def refuse_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the end of a program from Python 3.12 on."""

    def refuses(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuses)


def test_each_exporter_gets_each_batch_in_order(loop: LoopThread) -> None:
    two = [Exporter(), Exporter()]
    exports = Exports(two, loop, Counters())
    for model in "abcdefgh":
        exports.put(batch(model))
    assert exports.flush(10)
    assert [exporter.got for exporter in two] == [list("abcdefgh")] * 2
    exports.close(1)
    assert [exporter.closed for exporter in two] == [1, 1]


def test_a_slow_one_holds_up_nothing(loop: LoopThread) -> None:
    slow, quick = Exporter(), Exporter()
    slow.gate.clear()
    exports = Exports([slow, quick], loop, Counters())
    for model in "abc":
        exports.put(batch(model))
    while quick.got != list("abc"):
        assert slow.begun.wait(10)
    assert not exports.flush(0.01)
    slow.gate.set()
    assert exports.flush(10)
    assert slow.got == list("abc")


def test_failures_are_counted(loop: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    monkeypatch.setattr(module, "TIMEOUT_S", 0.01)
    failing, slow, counters = Exporter(), Exporter(), Counters()
    failing.fails = True
    slow.gate.clear()
    exports = Exports([failing, slow], loop, counters)
    exports.put(batch("a"))
    assert exports.flush(10)
    assert counters.failed_exports == 2
    slow.gate.set()


def test_one_that_is_far_behind_misses_what_comes_and_that_is_said_once(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    slow, counters = Exporter(), Counters()
    slow.gate.clear()
    exports = Exports([slow], loop, counters)
    for model in "abcde":
        exports.put(batch(model))
    assert counters.failed_exports == 2
    assert len([message for message in caplog.messages if "3 batches behind" in message]) == 1
    slow.gate.set()
    assert exports.flush(10)
    exports.put(batch("f"))
    assert exports.flush(10)
    assert slow.got == ["a", "b", "c", "f"]


def test_where_no_thread_can_be_started_the_end_passes_on_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exporter, counters = Exporter(), Counters()

    async def export(batch: Batch) -> None:
        exporter.got += [call.model for call in batch.calls]

    monkeypatch.setattr(exporter, "export", export)
    exports = Exports([exporter], LoopThread("miharu-test"), counters)
    with monkeypatch.context() as patched:
        refuse_threads(patched)
        exports.put(batch("a"))
        exports.put(batch("b"))
        exports.close(10)
    assert exporter.got == ["a", "b"]
    assert exporter.closed == 1
    assert counters.failed_exports == 0


def test_what_was_left_goes_first_once_a_thread_can_be_started(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = Exporter()
    exports = Exports([exporter], loop, Counters())
    with monkeypatch.context() as patched:
        refuse_threads(patched)
        exports.put(batch("a"))
    exports.put(batch("b"))
    assert exports.flush(10)
    assert exporter.got == ["a", "b"]
    exports.close(1)


class Slow(Exporter):
    """One that exports a batch when a test says so, and tells what it was asked in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = threading.Semaphore(0)
        self.done: list[str] = []

    async def export(self, batch: Batch) -> None:
        self.begun.set()
        await anyio.to_thread.run_sync(self.steps.acquire, abandon_on_cancel=True)
        self.done += ["export"]

    async def flush(self) -> None:
        self.done += ["flush"]

    async def close(self) -> None:
        self.done += ["close"]


def warnings_of(caplog: pytest.LogCaptureFixture) -> int:
    return len([message for message in caplog.messages if "batches behind" in message])


def test_one_that_has_caught_up_and_falls_behind_again_is_told_of_again(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    slow, counters = Slow(), Counters()
    exports = Exports([slow], loop, counters)
    for model in "abcd":
        exports.put(batch(model))
    assert warnings_of(caplog) == 1
    slow.steps.release(3)
    assert exports.flush(10)
    for model in "abcd":
        exports.put(batch(model))
    assert warnings_of(caplog) == 2
    assert counters.failed_exports == 2
    slow.steps.release(3)
    assert exports.flush(10)


def test_one_that_still_has_a_batch_to_export_has_not_caught_up(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    slow, counters = Slow(), Counters()
    exports = Exports([slow], loop, counters)
    [queue] = exports._queues
    for model in "abcd":
        exports.put(batch(model))
    slow.steps.release(2)
    while len(queue.waiting) > 1:
        assert wait(list(queue.waiting), 10, FIRST_COMPLETED).done
    for model in "efg":
        exports.put(batch(model))
    assert counters.failed_exports == 2
    assert warnings_of(caplog) == 1
    slow.steps.release(3)
    assert exports.flush(10)


def test_closing_waits_for_what_is_exported_and_flushes_first(loop: LoopThread) -> None:
    slow = Slow()
    exports = Exports([slow], loop, Counters())
    exports.put(batch("a"))
    slow.steps.release()
    exports.close(10)
    assert slow.done == ["export", "flush", "close"]


def test_so_does_closing_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()

    async def export(_: Batch) -> None:
        slow.done += ["export"]

    monkeypatch.setattr(slow, "export", export)
    exports = Exports([slow], LoopThread("miharu-test"), Counters())
    with monkeypatch.context() as patched:
        refuse_threads(patched)
        exports.put(batch("a"))
        exports.close(10)
    assert slow.done == ["export", "flush", "close"]


def test_what_cannot_be_exported_at_the_end_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter, counters = Exporter(), Counters()

    async def export(_: Batch) -> None:
        await anyio.sleep_forever()

    monkeypatch.setattr(exporter, "export", export)
    exports = Exports([exporter], LoopThread("miharu-test"), counters)
    with monkeypatch.context() as patched:
        refuse_threads(patched)
        exports.put(batch("a"))
        exports.put(batch("b"))
        exports.close(0.01)
    assert counters.failed_exports == 2


def test_batches_for_a_loop_that_has_ended_are_counted(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    slow, counters = Slow(), Counters()
    exports = Exports([slow], loop, counters)
    loop.stop()
    for model in "abc":
        exports.put(batch(model))
    assert counters.failed_exports == 1
    assert not exports.flush(1)
