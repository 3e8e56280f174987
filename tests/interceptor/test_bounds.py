"""Memory stays within bounds, whatever comes down the wire."""

import gc
import tracemalloc
import weakref
from collections.abc import AsyncIterator, Iterator
from types import ModuleType
from typing import Any

import pytest

from miharu.exchange import Exchange
from miharu.holding import HOLDING
from miharu.kept_body import CHUNK_OVERHEAD, KEPT_HEAD, KEPT_TAIL, LEAST_HEAD, LEAST_TAIL

from .server import ANSWER

URL = "http://model.test/v1/chat/completions"


def streaming(library: ModuleType, pieces: Any) -> Any:
    class Stream(library.SyncByteStream):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[bytes]:
            yield from pieces

    return library.Client(
        transport=library.MockTransport(lambda request: library.Response(200, stream=Stream()))
    )


def consume(client: Any) -> int:
    with client, client.stream("POST", URL) as response:
        return sum(map(len, response.iter_raw()))


def test_huge_body_keeps_head_and_tail(library: ModuleType, watching: list[Exchange]) -> None:
    pieces = [b"%08d" % number * 4096 for number in range(640)]  # 20 MB in pieces of 32 KB
    pieces.append(b'"usage": {}')
    total = consume(streaming(library, pieces))

    (exchange,) = watching
    assert exchange.tail is not None
    assert exchange.chunks == pieces[: len(exchange.chunks)]
    assert list(exchange.tail) == pieces[-len(exchange.tail) :]
    assert sum(map(len, [*exchange.chunks, *exchange.tail])) + exchange.lost == total
    assert KEPT_HEAD * 0.9 < exchange.held <= KEPT_HEAD + KEPT_TAIL
    assert len(exchange.arrivals) == len(exchange.chunks)


def test_many_tiny_chunks_stay_bounded(library: ModuleType, watching: list[Exchange]) -> None:
    """Each takes fifty times its content."""
    tracemalloc.start()
    try:
        assert consume(streaming(library, (b"%02d" % (n % 100) for n in range(120_000)))) == 240_000
        used = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    (exchange,) = watching
    assert exchange.tail is not None
    assert len(exchange.chunks) + len(exchange.tail) < (KEPT_HEAD + KEPT_TAIL) / CHUNK_OVERHEAD
    assert used < 2 * (KEPT_HEAD + KEPT_TAIL)


def test_one_giant_chunk_is_cut(library: ModuleType, watching: list[Exchange]) -> None:
    consume(streaming(library, [b"head", b"x" * (KEPT_HEAD + 7), b"tail"]))
    (exchange,) = watching
    assert exchange.chunks == [b"head"]
    assert exchange.held <= KEPT_HEAD + KEPT_TAIL
    assert exchange.tail is not None
    assert exchange.tail[-1] == b"tail"


@pytest.mark.parametrize("tiny", [1, 100])
def test_overflow_counts_what_it_loses(tiny: int) -> None:
    exchange = Exchange()
    for _ in range(30_000):
        exchange.overflow(b"x" * tiny)
    assert exchange.tail is not None
    assert sum(map(len, [*exchange.chunks, *exchange.tail])) + exchange.lost == 30_000 * tiny
    assert exchange.held <= KEPT_TAIL + LEAST_HEAD
    exchange.let_go()
    assert exchange.held == 0


def test_response_that_the_program_keeps_does_not_keep_our_copy(
    library: ModuleType, watching: list[Exchange]
) -> None:
    class Held(list[bytes]):
        """A list to which one can point weakly."""

    with streaming(library, [ANSWER]) as client:
        response = client.post(URL)
    exchange = watching.pop()
    exchange.chunks = Held(exchange.chunks)
    chunks = weakref.ref(exchange.chunks)
    del exchange
    gc.collect()
    assert chunks() is None
    assert response.content == ANSWER


def test_stream_iterated_again_is_not_recorded_again(library: ModuleType, watching: list[Exchange]) -> None:
    """Some wrappers walk over ``response.stream`` themselves, which may allow it twice."""
    with streaming(library, [b"one", b"two"]) as client, client.stream("POST", URL) as response:
        assert [*response.stream, *response.stream] == [b"one", b"two"] * 2
    assert [exchange.chunks for exchange in watching] == [[b"one", b"two"]]


LONG = b'"' + b"x" * 100_000 + b'"'
FIRST, LAST = b'data: {"model": "m", "choices": []}\n\n', b"data: the usage\n\n"
ENDS = [FIRST, *[b'data: {"delta": ' + LONG + b"}\n\n"] * 40, LAST]


def streamed(library: ModuleType, *, in_a_loop: bool) -> Any:
    """A client whose answers come in the same pieces, sync or on a loop."""
    if not in_a_loop:
        return streaming(library, ENDS)

    class Stream(library.AsyncByteStream):  # type: ignore[misc, name-defined]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in ENDS:
                yield piece

    return library.AsyncClient(
        transport=library.MockTransport(lambda request: library.Response(200, stream=Stream()))
    )


async def consumed(library: ModuleType, *, in_a_loop: bool) -> None:
    if not in_a_loop:
        consume(streamed(library, in_a_loop=False))
        return
    async with streamed(library, in_a_loop=True) as client, client.stream("POST", URL) as response:
        async for _ in response.aiter_raw():
            pass


@pytest.mark.parametrize("in_a_loop", [False, True], ids=["sync", "async"])
async def test_without_memory_the_ends_are_kept(
    library: ModuleType, watching: list[Exchange], monkeypatch: pytest.MonkeyPatch, *, in_a_loop: bool
) -> None:
    """What other calls have taken; so many calls together never hold more than the bound and their ends."""
    monkeypatch.setattr(HOLDING, "limit", HOLDING.used + 1_000_000)
    before = HOLDING.used
    for _ in range(5):
        await consumed(library, in_a_loop=in_a_loop)
    assert HOLDING.used - before <= 1_000_000 + 5 * (LEAST_HEAD + LEAST_TAIL)
    assert [exchange.shed for exchange in watching] == [True] * 5
    for exchange in watching:
        assert exchange.tail is not None
        assert exchange.chunks[0].startswith(FIRST)
        assert exchange.tail[-1] == LAST
        assert len(exchange.arrivals) == len(exchange.chunks)
        kept = sum(map(len, [*exchange.chunks, *exchange.tail]))
        assert kept + exchange.lost == sum(map(len, ENDS))
        exchange.let_go()
    assert HOLDING.used == before
