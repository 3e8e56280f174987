"""What one call costs the program that makes it: nobody watching, miharu, and others, in one process.

    python -m benchmarks.caller_path [--quick]

The variants take turns in shuffled blocks, so that whatever else the machine does meets them all alike.
"""

import argparse
import asyncio
import random
import ssl
import statistics
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from benchmarks import model
from benchmarks.variants import Variant, variants

URL = "http://model.test/v1/chat/completions"
ASK: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "messages": [{"role": "user", "content": "Say many words. " * 40}],
}


@dataclass
class Scene:
    """One kind of call; ``block`` of them are made before the next variant's turn."""

    name: str
    block: int
    blocks: int
    calls: Callable[[int], list[float]]
    """Makes so many calls, and tells how many seconds each took."""


class _Chunks:
    def __iter__(self) -> Iterator[bytes]:
        yield from model.CHUNKS

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in model.CHUNKS:
            yield chunk

    def close(self) -> None: ...

    async def aclose(self) -> None: ...


class _Pool:
    """Answers in place of the connection pool, below the transports that other instrumentors patch."""

    def __init__(self, library: ModuleType, *, stream: bool) -> None:
        core = import_module("httpcore2" if library.__name__ == "httpx2" else "httpcore")
        content = _Chunks() if stream else model.ANSWER
        kind = b"text/event-stream" if stream else b"application/json"
        response: Any = core.Response
        self._answer: Callable[[], Any] = lambda: response(
            200, headers=[(b"Content-Type", kind)], content=content
        )

    def handle_request(self, _request: object) -> Any:
        return self._answer()

    async def handle_async_request(self, _request: object) -> Any:
        return self._answer()

    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...
    def close(self) -> None: ...
    async def aclose(self) -> None: ...


def _in_memory(
    library: ModuleType, *, stream: bool, runner: asyncio.Runner | None
) -> Callable[[int], list[float]]:
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    transport = (library.HTTPTransport if runner is None else library.AsyncHTTPTransport)(verify=no_tls)
    transport._pool = _Pool(library, stream=stream)
    client = (library.Client if runner is None else library.AsyncClient)(transport=transport)

    def call() -> None:
        if not stream:
            client.post(URL, json=ASK)
            return
        with client.stream("POST", URL, json=ASK) as response:
            for _ in response.iter_raw():
                pass

    async def acall() -> None:
        if not stream:
            await client.post(URL, json=ASK)
            return
        async with client.stream("POST", URL, json=ASK) as response:
            async for _ in response.aiter_raw():
                pass

    return _timed(call) if runner is None else _atimed(acall, runner)


def _openai(base_url: str, *, stream: bool, runner: asyncio.Runner | None) -> Callable[[int], list[float]]:
    import openai

    client: Any = (openai.OpenAI if runner is None else openai.AsyncOpenAI)(api_key="sk-x", base_url=base_url)

    def call() -> None:
        answer = client.chat.completions.create(stream=stream, **ASK)
        if stream:
            for _ in answer:
                pass

    async def acall() -> None:
        answer = await client.chat.completions.create(stream=stream, **ASK)
        if stream:
            async for _ in answer:
                pass

    return _timed(call) if runner is None else _atimed(acall, runner)


def _timed(call: Callable[[], None]) -> Callable[[int], list[float]]:
    def calls(number: int) -> list[float]:
        took = []
        for _ in range(number):
            start = time.perf_counter()
            call()
            took.append(time.perf_counter() - start)
        return took

    return calls


def _atimed(
    call: Callable[[], Coroutine[Any, Any, None]], runner: asyncio.Runner
) -> Callable[[int], list[float]]:
    async def calls(number: int) -> list[float]:
        took = []
        for _ in range(number):
            start = time.perf_counter()
            await call()
            took.append(time.perf_counter() - start)
        return took

    return lambda number: runner.run(calls(number))


def scenes(base_url: str, runner: asyncio.Runner, *, quick: bool) -> list[Scene]:
    share = 10 if quick else 1
    found = []
    for name in ("httpx2", "httpx"):
        library = import_module(name)
        for colour, where in (("sync", None), ("async", runner)):
            call = _in_memory(library, stream=False, runner=where)
            found.append(Scene(f"{name}, in memory, {colour} call", 20, 100 // share, call))
            stream = _in_memory(library, stream=True, runner=where)
            found.append(Scene(f"{name}, in memory, {colour} stream of 200 chunks", 10, 60 // share, stream))
    for colour, where in (("sync", None), ("async", runner)):
        call = _openai(base_url, stream=False, runner=where)
        found.append(Scene(f"openai SDK, loopback, {colour} call", 10, 60 // share, call))
        stream = _openai(base_url, stream=True, runner=where)
        found.append(Scene(f"openai SDK, loopback, {colour} stream of 200 chunks", 3, 30 // share, stream))
    return found


def measure(scene: Scene, watchers: list[Variant]) -> None:
    scene.calls(scene.block)  # connections, caches
    order = list(watchers)
    for _ in range(max(scene.blocks, 3)):
        random.shuffle(order)
        for variant in order:
            variant.on()
            try:
                scene.calls(1)  # its own caches
                variant.added[scene.name] += scene.calls(scene.block)
            finally:
                variant.off()
                variant.rest()


def show(scene: Scene, watchers: list[Variant]) -> None:
    medians = {variant.name: statistics.median(variant.added[scene.name]) * 1e6 for variant in watchers}
    nobody = next(iter(medians.values()))
    print(f"\n{scene.name}  ({len(watchers[0].added[scene.name])} each)")
    for name, median in medians.items():
        print(f"  {name:36}{median:10.1f} us {median - nobody:+10.1f} us   x{median / nobody:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls")
    parser.add_argument("--only", default="", help="scenes whose name contains this")
    options = parser.parse_args()

    everyone = variants()
    for variant in everyone:
        if variant.note:
            print(f"{variant.name}: left out, {variant.note}")
    watchers = [variant for variant in everyone if not variant.note]
    print("Median wall time of one call; ratios are to nobody watching, in this run on this machine.")
    with ExitStack() as stack:
        base_url = stack.enter_context(model.running())
        runner = stack.enter_context(asyncio.Runner())
        for scene in scenes(base_url, runner, quick=options.quick):
            if options.only in scene.name:
                measure(scene, watchers)
                show(scene, watchers)


if __name__ == "__main__":
    main()
