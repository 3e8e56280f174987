import threading
from typing import Any

from miharu.recorder.queue import ExchangeQueue
from tests.world import exchange


def everything(queue: ExchangeQueue) -> list[Any]:
    return list(iter(queue.take, None))


def test_what_was_put_is_taken_in_order() -> None:
    queue, put = ExchangeQueue(), [exchange() for _ in range(5)]
    for each in put:
        queue.put(each)
    assert [queue.take() for _ in range(6)] == [*put, None]
    assert len(queue) == 0


def test_too_many_are_dropped_and_counted() -> None:
    queue = ExchangeQueue(max_items=3)
    for _ in range(5):
        queue.put(exchange())
    assert (len(queue), queue.dropped, queue.shed) == (3, 2, 0)


def test_too_many_bytes_cost_the_content_and_not_the_call() -> None:
    queue = ExchangeQueue(max_bytes=5000)
    for _ in range(4):
        queue.put(exchange(body=b"x" * 2000))
    taken = everything(queue)
    assert [bool(each.chunks) for each in taken] == [True, True, False, False]
    assert (queue.dropped, queue.shed) == (0, 2)


def test_room_comes_back_when_it_runs_empty() -> None:
    queue = ExchangeQueue(max_bytes=3000)
    for _ in range(50):
        queue.put(exchange(body=b"x" * 2000))
        [taken] = everything(queue)
        assert taken.chunks
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
