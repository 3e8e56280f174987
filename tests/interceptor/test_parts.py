"""A file of lines is handed over in parts as it comes, so that none is held whole, however long it is."""

import gzip
import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import anyio
import pytest

from miharu.exchange import Exchange, Part
from miharu.holding import HOLDING
from miharu.interceptor import Interceptor
from miharu.kept_body import KEPT_HEAD, KEPT_PART, KEPT_TAIL
from miharu.providers.rules import Rule

URL = "http://model.test/v1/files/file-1/content"
RULES = [Rule("/files", method="GET", file="/content"), Rule("/files", method="GET")]
PIECE = 30_011
"""Bytes, and no whole number of lines."""


@pytest.fixture
def seen(library: ModuleType, exchanges: list[Exchange]) -> Iterator[list[Exchange]]:
    it = Interceptor(exchanges.append, RULES)
    it.install()
    yield exchanges
    it.uninstall()


def lines(number: int, size: int = 1000) -> list[bytes]:
    return [json.dumps({"custom_id": f"{n}", "x": "y" * size}).encode() + b"\n" for n in range(number)]


def pieces_of(body: bytes) -> list[bytes]:
    return [body[start : start + PIECE] for start in range(0, len(body), PIECE)]


def fetch(library: ModuleType, body: list[bytes], url: str = URL, **headers: str) -> bytes:
    class Stream(library.SyncByteStream):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[bytes]:
            yield from body

    def answer(_: Any) -> Any:
        return library.Response(200, stream=Stream(), headers=headers)

    with (
        library.Client(transport=library.MockTransport(answer)) as client,
        client.stream("GET", url) as response,
    ):
        return b"".join(response.iter_raw())


async def fetch_async(library: ModuleType, body: list[bytes]) -> bytes:
    class Stream(library.AsyncByteStream):  # type: ignore[misc, name-defined]
        async def __aiter__(self) -> Any:
            for piece in body:
                yield piece

    transport = library.MockTransport(lambda _: library.Response(200, stream=Stream()))
    async with library.AsyncClient(transport=transport) as client, client.stream("GET", URL) as response:
        return b"".join([piece async for piece in response.aiter_raw()])


def content(seen: list[Exchange]) -> list[bytes]:
    return [b"".join(exchange.chunks) for exchange in seen]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_each_part_has_whole_lines_and_together_they_are_all(
    library: ModuleType, seen: list[Exchange], asynchronous: bool
) -> None:
    body = b"".join(lines(5000))
    used = HOLDING.used
    if asynchronous:
        assert anyio.run(fetch_async, library, pieces_of(body)) == body
    else:
        assert fetch(library, pieces_of(body)) == body
    *parts, last = seen
    assert len(parts) >= 4
    assert all(isinstance(part, Part) and part.whole is last for part in parts)
    assert last.parts == len(parts)
    assert b"".join(content(seen)) == body
    assert all(part.endswith(b"\n") for part in content(parts))
    assert max(map(len, content(seen))) < KEPT_PART + 2 * PIECE
    assert last.lost == 0
    assert not last.shed
    held = sum(exchange.held for exchange in seen)
    assert HOLDING.used - used == held >= len(body)
    for exchange in seen:
        exchange.let_go()
    assert HOLDING.used == used


def test_lines_that_are_longer_than_a_part_stay_whole(library: ModuleType, seen: list[Exchange]) -> None:
    body = b"".join(lines(3, 2 * KEPT_PART))
    fetch(library, pieces_of(body))
    assert b"".join(content(seen)) == body
    assert all(part.endswith(b"\n") for part in content(seen))


def test_a_line_that_is_longer_than_what_is_kept_is_left_out(
    library: ModuleType, seen: list[Exchange]
) -> None:
    small = lines(2000)
    huge = lines(1, KEPT_HEAD)[0]
    body = b"".join([*small, huge, *small])
    assert fetch(library, pieces_of(body)) == body
    assert b"".join(content(seen)) == b"".join(small + small)
    assert seen[-1].lost == len(huge)
    assert seen[-1].shed


def test_without_memory_whole_lines_are_left_out(
    library: ModuleType, seen: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody reads what was handed over, until the program has fetched half of it."""
    monkeypatch.setattr(HOLDING, "limit", 2 * (HOLDING.used + 3 * KEPT_PART))
    every = lines(12_000)
    body = b"".join(every)
    pieces = pieces_of(body)

    def reading() -> Iterator[bytes]:
        yield from pieces[: len(pieces) // 2]
        for exchange in seen:
            exchange.trim()
        gone.extend(content(seen))
        for exchange in seen:
            exchange.let_go()
        yield from pieces[len(pieces) // 2 :]

    gone: list[bytes] = []
    assert fetch(library, reading()) == body  # type: ignore[arg-type]
    got = b"".join([*gone, *content(seen)]).splitlines(keepends=True)
    assert set(got) <= set(every)
    assert got == sorted(got, key=every.index)
    assert every[-1] in got or seen[-1].lost
    assert seen[-1].shed
    assert sum(map(len, got)) + seen[-1].lost == len(body)
    assert len(got) > 4000


def test_with_no_memory_at_all_nothing_is_kept(
    library: ModuleType, seen: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HOLDING, "limit", 0)
    body = b"".join(lines(100))
    assert fetch(library, pieces_of(body)) == body
    assert content(seen) == [b""]
    assert (seen[0].lost, seen[0].shed) == (len(body), True)


def test_what_is_compressed_is_kept_by_its_ends(library: ModuleType, seen: list[Exchange]) -> None:
    import random

    noise = random.Random(1)
    body = gzip.compress(
        b"".join(
            json.dumps({"custom_id": noise.randbytes(500).hex()}).encode() + b"\n" for _ in range(25_000)
        ),
        1,
    )
    assert fetch(library, pieces_of(body), **{"content-encoding": "gzip"}) == body
    (exchange,) = seen
    assert exchange.lost > 0
    assert exchange.held <= KEPT_HEAD + 2 * KEPT_TAIL


@pytest.mark.parametrize("start", [b"%PDF-1.7\n", b"\x00\n"])
def test_what_is_no_file_of_lines_is_kept_by_its_ends(
    library: ModuleType, seen: list[Exchange], start: bytes
) -> None:
    body = start + b"x\n" * (6 << 20)
    assert fetch(library, pieces_of(body)) == body
    assert len(seen) == 1


def test_neither_is_what_is_asked_for_elsewhere_in_parts(library: ModuleType, seen: list[Exchange]) -> None:
    body = b"".join(lines(5000))
    assert fetch(library, pieces_of(body), "http://model.test/v1/files/file-1") == body
    assert len(seen) == 1
