import threading
from typing import Any

from miharu.batch import Score
from miharu.exchange import Exchange
from miharu.holding import Holding
from miharu.recorder.queue import ExchangeQueue
from tests.world import exchange


def everything(queue: ExchangeQueue) -> list[Any]:
    return list(iter(queue.take, None))


def finished(queue: ExchangeQueue, chunks: list[bytes]) -> Exchange:
    """What a caller does with one, from its first byte to its end."""
    made = Exchange(holding=queue.holding)
    for chunk in chunks:
        made.keep(chunk)
    queue.put(made)
    return made


def test_what_was_put_is_taken_in_order() -> None:
    queue, put = ExchangeQueue(), [exchange() for _ in range(5)]
    for each in put:
        queue.put(each)
    assert [queue.take() for _ in range(6)] == [*put, None]
    assert len(queue) == 0


def test_where_exchanges_are_taken_what_else_waits_keeps_its_order() -> None:
    queue = ExchangeQueue()
    first, second = (Score(id=id_, timestamp=1, name="ok", value=1.0) for id_ in "ab")
    call = exchange()
    for record in (first, second):
        queue.put_record(record)
    queue.put(call)
    assert queue.take_exchanges(5, 1 << 20) == [call]
    assert everything(queue) == [first, second]


def test_too_many_are_dropped_and_counted() -> None:
    queue = ExchangeQueue(max_items=3)
    for _ in range(5):
        queue.put(exchange())
    assert (len(queue), queue.dropped, queue.shed) == (3, 2, 0)


def test_too_many_bytes_cost_the_content_and_not_the_call() -> None:
    queue = ExchangeQueue(holding=Holding(50_000))
    puts = [finished(queue, [b"s" * 15_000, b"x" * 5_000, b"end"]) for _ in range(4)]
    assert [each.shed for each in puts] == [False, False, True, True]
    assert (queue.dropped, queue.shed) == (0, 2)
    for each in puts[2:]:
        assert each.tail
        assert each.chunks[0][:10] == b"s" * 10
        assert each.tail[-1] == b"end"


def test_room_comes_back_when_it_runs_empty() -> None:
    queue = ExchangeQueue(holding=Holding(30_000))
    for _ in range(50):
        finished(queue, [b"x" * 20_000])
        [taken] = everything(queue)
        assert taken.chunks
        taken.let_go()
    assert queue.shed == 0


def test_many_threads_lose_nothing() -> None:
    queue = ExchangeQueue()

    def put() -> None:
        for _ in range(200):
            queue.put(exchange())

    threads = [threading.Thread(target=put) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(everything(queue)) == 2000
