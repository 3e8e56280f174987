"""The program that makes calls and ends. It writes a byte for each call that was answered.

python -m benchmarks.exits.program TOOL PLACE CALLS FOLDER ENDING MODEL_URL
"""

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import httpx

WORKERS = 8
AT_ONCE = 50
ASKED = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say many words. " * 40}]}


def _said() -> None:
    os.write(1, b".")


def _some(calls: int, url: str) -> None:
    with httpx.Client(trust_env=False) as client:
        for _ in range(calls):
            client.post(url, json=ASKED)
            _said()


def _pool(calls: int, url: str) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(_some, [calls // WORKERS] * WORKERS, [url] * WORKERS))


def _loop(calls: int, url: str) -> None:
    async def one(client: httpx.AsyncClient, left: asyncio.Semaphore) -> None:
        async with left:
            await client.post(url, json=ASKED)
            _said()

    async def run() -> None:
        left = asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client, asyncio.TaskGroup() as group:
            for _ in range(calls):
                group.create_task(one(client, left))

    asyncio.run(run())


def _processes(calls: int, url: str) -> None:
    with multiprocessing.Pool(WORKERS // 2) as pool:
        pool.starmap(_some, [(calls // WORKERS, url)] * WORKERS)


PLACES: dict[str, Callable[[int, str], None]] = {
    "a thread": _some,
    "a pool of threads": _pool,
    "an event loop": _loop,
    "a pool of processes": _processes,
}
"""From where so many calls are made, to that address."""


def _miharu(folder: Path) -> None:
    import miharu

    miharu.init(folder / "calls.db")


def _opentelemetry(folder: Path) -> None:
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

    out = (folder / "spans").open("a")
    provider = TracerProvider()
    exporter = ConsoleSpanExporter(out=out, formatter=lambda span: f"{span.name}\n")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)


TOOLS: dict[str, Callable[[Path], None]] = {"miharu": _miharu, "OpenTelemetry httpx": _opentelemetry}


def is_installed(tool: str) -> bool:
    """Whether the tool is in this environment."""
    try:
        return tool == "miharu" or find_spec("opentelemetry.instrumentation.httpx") is not None
    except ModuleNotFoundError:
        return False


def main() -> None:
    tool, place, calls, folder, ending, model = sys.argv[1:7]
    TOOLS[tool](Path(folder))
    PLACES[place](int(calls), f"{model}/chat/completions")
    if ending == "os._exit":
        os._exit(0)
    if ending == "SIGTERM":
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
