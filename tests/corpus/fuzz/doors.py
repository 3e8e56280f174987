"""Exchanges through real clients: httpx, httpx2 and aiohttp, sync and async, read whole and streamed.

A server in the parent answers by number; the host is a process of its own, with an event loop that ticks.
"""

import asyncio
import itertools
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path
from typing import Any

from tests.corpus.fuzz.drawing import CHAT, Exchanges

__all__ = ("DOORS", "app_of", "visit")

AT_ONCE = 4
TICK_S = 0.001
STATUSES = (200, 200, 200, 400, 429, 500)


def app_of(exchanges: Exchanges) -> Any:
    """An ASGI app that answers with the exchange whose number a header names."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        number = int(dict(scope["headers"])[b"x-number"])
        drawing, rng = exchanges.draw(number), random.Random(number)
        headers = {"content-type": "application/json", **drawing.facts["headers"]}
        raw = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
            if name in {"content-type", "content-encoding"}
        ]
        status = 200 if drawing.hurts else rng.choice(STATUSES)
        await send({"type": "http.response.start", "status": status, "headers": raw})
        step = 65536 if drawing.hurts else rng.choice((1 + len(drawing.body) // 5, 65536))
        for at in range(0, len(drawing.body), step):
            chunk = drawing.body[at : at + step]
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


Ask = Callable[[str, Mapping[str, str], bool], Awaitable[None]]
"""Asks for an address with headers; of what would hurt a client too, only the raw bytes are read."""


def _of_httpx(name: str, *, streamed: bool) -> Callable[[Any], Ask]:
    library = __import__(name)

    def door(client: Any) -> Ask:
        async def ask(url: str, headers: Mapping[str, str], hurts: bool) -> None:
            if not (streamed or hurts):
                await client.post(url, json=CHAT, headers=headers)
                return
            async with client.stream("POST", url, json=CHAT, headers=headers) as response:
                async for _ in response.aiter_raw():
                    pass

        return ask

    door.client = lambda: library.AsyncClient(timeout=60)  # type: ignore[attr-defined]
    return door


def _of_sync_httpx(name: str, *, streamed: bool) -> Callable[[Any], Ask]:
    library = __import__(name)

    def door(client: Any) -> Ask:
        def at_once(url: str, headers: Mapping[str, str], hurts: bool) -> None:
            if not (streamed or hurts):
                client.post(url, json=CHAT, headers=headers)
                return
            with client.stream("POST", url, json=CHAT, headers=headers) as response:
                for _ in response.iter_raw():
                    pass

        async def ask(url: str, headers: Mapping[str, str], hurts: bool) -> None:
            await asyncio.to_thread(at_once, url, headers, hurts)

        return ask

    door.client = lambda: _Sync(library.Client(timeout=60))  # type: ignore[attr-defined]
    return door


class _Sync:
    """A sync client that is closed as an async one is."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def __aenter__(self) -> Any:
        return self.client

    async def __aexit__(self, *_: object) -> None:
        self.client.close()


def _of_aiohttp(*, streamed: bool) -> Callable[[Any], Ask]:
    import aiohttp

    def door(client: Any) -> Ask:
        async def ask(url: str, headers: Mapping[str, str], hurts: bool) -> None:
            raw = {"auto_decompress": False} if hurts else {}
            async with client.post(url, json=CHAT, headers=headers, **raw) as response:
                if not (streamed or hurts):
                    await response.read()
                    return
                async for _ in response.content.iter_any():
                    pass

        return ask

    door.client = lambda: aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60))  # type: ignore[attr-defined]
    return door


DOORS: Mapping[str, Callable[[], Any]] = {
    **{
        f"{name}, {kind}, {'streamed' if streamed else 'whole'}": (
            lambda name=name, make=make, streamed=streamed: make(name, streamed=streamed)
        )
        for name in ("httpx", "httpx2")
        for kind, make in (("async", _of_httpx), ("sync", _of_sync_httpx))
        for streamed in (False, True)
    },
    "aiohttp, whole": lambda: _of_aiohttp(streamed=False),
    "aiohttp, streamed": lambda: _of_aiohttp(streamed=True),
}


async def visit(exchanges: Exchanges, address: str, database: Path, seconds: float) -> dict[str, Any]:
    """The host: ask through each door in turn, for that long; what was asked, stored and felt."""
    import miharu
    from miharu import _guard

    miharu.init(database, capture_content=True, estimate_usage=True)
    asked: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    late: list[float] = [0.0]
    numbers, until = itertools.count(), 0.0
    lock = threading.Lock()

    async def ask(name: str, ask: Ask) -> None:
        with lock:
            number = next(numbers)
        asked[name] += 1
        try:
            await ask(f"{address}/v1/chat/completions", {"x-number": str(number)}, exchanges.hurts(number))
        except Exception as error:
            failed[type(error).__name__] += 1

    async def walk(name: str, door: Ask) -> None:
        while time.monotonic() < until:
            await ask(name, door)

    async with AsyncExitStack() as open_ones:
        doors = dict[str, Ask]()
        for name, make in DOORS.items():  # what takes long is done before the clock runs
            door = make()
            doors[name] = door(await open_ones.enter_async_context(door.client()))
            await ask(name, doors[name])
        await miharu.aflush(120)
        ticking = asyncio.create_task(_tick(late))
        for some in _few(list(doors)):
            until = time.monotonic() + seconds * len(some) / len(DOORS)
            await asyncio.gather(*(walk(name, doors[name]) for name in some))
    stored = await miharu.aflush(120)
    ticking.cancel()
    with suppress(asyncio.CancelledError):
        await ticking
    stats = miharu.stats()
    await miharu.ashutdown()
    with closing(sqlite3.connect(database)) as opened:
        ((rows,),) = opened.execute("SELECT count(*) FROM llm_calls").fetchall()
    return {
        "asked": dict(asked),
        "failed": dict(failed),
        "rows": rows,
        "stored": stored,
        "failures": _guard.failures(),
        "lost": {name: stats[name] for name in ("dropped", "shed", "errors")},
        "late": max(late),
    }


def _few(names: list[str]) -> Iterator[list[str]]:
    for at in range(0, len(names), AT_ONCE):
        yield names[at : at + AT_ONCE]


async def _tick(late: list[float]) -> None:
    while True:
        due = time.perf_counter() + TICK_S
        await asyncio.sleep(TICK_S)
        late.append(time.perf_counter() - due)
