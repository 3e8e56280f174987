"""What attribution costs: a request through the middleware, and a span; beside nobody and OpenTelemetry.

    python -m benchmarks.attribution [--quick]

The variants take turns in shuffled blocks, so that whatever else the machine does meets them all alike.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import miharu
from miharu.attribution import context

Calls = Callable[[int], float]
"""Does it so many times, and tells how many seconds that took."""


@dataclass
class Variant:
    name: str
    calls: Calls
    rest: Callable[[], object] = bool
    """Finish in peace what was put off, so that it is not measured with the next."""
    took: list[float] = field(default_factory=list)


def measure(title: str, variants: list[Variant], blocks: int, block: int) -> None:
    """Short blocks, and many: one that another program has interrupted then does not move the median."""
    order = list(variants)
    for variant in variants:
        variant.calls(10 * block)  # its caches
    for _ in range(blocks):
        random.shuffle(order)
        for variant in order:
            variant.took.append(variant.calls(block) / block)
            variant.rest()
    print(f"\n{title}  ({blocks} blocks of {block} each)")
    nobody = statistics.median(variants[0].took)
    for variant in variants:
        median = statistics.median(variant.took)
        added, ratio = (median - nobody) * 1e6, median / nobody
        print(f"  {variant.name:44}{median * 1e6:9.2f} us {added:+9.2f} us   x{ratio:.3f}")


def opentelemetry() -> tuple[Any, Callable[[], object]] | None:
    """A tracer that records, batches and exports into memory, and how to let it finish."""
    try:
        trace: Any = import_module("opentelemetry.sdk.trace")
        export: Any = import_module("opentelemetry.sdk.trace.export")
        memory: Any = import_module("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    except ImportError:
        return None
    exporter, provider = memory.InMemorySpanExporter(), trace.TracerProvider()
    provider.add_span_processor(export.BatchSpanProcessor(exporter))

    def rest() -> None:
        provider.force_flush()
        exporter.clear()

    return provider, rest


# --- a request


async def plain(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def framework() -> Any:
    async def chat() -> str:
        return "ok"

    app = import_module("fastapi").FastAPI()
    app.add_api_route("/chat/{thread_id}", chat)
    return app


def scope() -> MutableMapping[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/chat/4711",
        "raw_path": b"/chat/4711",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost:8000"), (b"user-agent", b"x"), (b"accept", b"*/*")],
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 8000),
    }


def requests(app: Any, runner: asyncio.Runner) -> Calls:
    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None: ...

    async def calls(number: int) -> float:
        start = time.perf_counter()
        for _ in range(number):
            await app(scope(), receive, send)
        return time.perf_counter() - start

    return lambda number: runner.run(calls(number))


def request_variants(app: Any, runner: asyncio.Runner) -> list[Variant]:
    found = [
        Variant("nobody", requests(app, runner)),
        Variant("nobody, again (noise)", requests(app, runner)),
        Variant("MiharuMiddleware", requests(miharu.MiharuMiddleware(app), runner)),
    ]
    tracing = opentelemetry()
    try:
        instrumentation: Any = import_module("opentelemetry.instrumentation.asgi")
    except ImportError:
        tracing = None
    if tracing is None:
        print("OpenTelemetry's ASGI middleware: left out, not installed")
        return found
    provider, rest = tracing
    theirs = instrumentation.OpenTelemetryMiddleware(app, tracer_provider=provider)
    return [*found, Variant("OpenTelemetry's ASGI middleware", requests(theirs, runner), rest)]


# --- a span


def timed(work: Callable[[], object]) -> Calls:
    def calls(number: int) -> float:
        start = time.perf_counter()
        for _ in range(number):
            work()
        return time.perf_counter() - start

    return calls


def nothing() -> None: ...


def walk() -> Iterator[int]:
    yield from range(10)


async def awalk() -> AsyncIterator[int]:
    for number in range(10):
        yield number


def span_variants() -> list[Variant]:
    def block() -> None:
        with miharu.span("work"):
            nothing()

    def whose() -> None:
        with miharu.context(user="ann"):
            nothing()

    watched = miharu.observe(nothing)
    found = [
        Variant("nobody", timed(nothing)),
        Variant("nobody, again (noise)", timed(nothing)),
        Variant("with miharu.context(user=…)", timed(whose)),
        Variant("with miharu.span(…)", timed(block), rest),
        Variant("@miharu.observe", timed(watched), rest),
    ]
    tracing = opentelemetry()
    if tracing is None:
        print("OpenTelemetry's spans: left out, not installed")
        return found
    provider, others_rest = tracing
    tracer = provider.get_tracer("benchmark")

    def theirs() -> None:
        with tracer.start_as_current_span("work"):
            nothing()

    return [*found, Variant("with tracer.start_as_current_span(…)", timed(theirs), others_rest)]


def generator_variants(runner: asyncio.Runner) -> list[list[Variant]]:
    async def aread(function: Callable[[], AsyncIterator[int]]) -> None:
        async for _ in function():
            pass

    def atimed(function: Callable[[], AsyncIterator[int]]) -> Calls:
        async def calls(number: int) -> float:
            start = time.perf_counter()
            for _ in range(number):
                await aread(function)
            return time.perf_counter() - start

        return lambda number: runner.run(calls(number))

    watched, awatched = miharu.observe(walk), miharu.observe(awalk)
    return [
        [
            Variant("nobody", timed(lambda: list(walk()))),
            Variant("nobody, again (noise)", timed(lambda: list(walk()))),
            Variant("@miharu.observe", timed(lambda: list(watched())), rest),
        ],
        [
            Variant("nobody", atimed(awalk)),
            Variant("nobody, again (noise)", atimed(awalk)),
            Variant("@miharu.observe", atimed(awatched), rest),
        ],
    ]


def context_variants() -> list[Variant]:
    """What is done on the caller's path of each call: a reference is taken."""

    def here() -> None:
        context.now()

    tracing = opentelemetry()

    def inside(manager: Any, work: Callable[[], None]) -> Calls:
        def calls(number: int) -> float:
            with manager():
                return timed(work)(number)

        return calls

    found = [
        Variant("nobody", timed(nothing)),
        Variant("nobody, again (noise)", timed(nothing)),
        Variant("outside of everything", timed(here)),
        Variant("in a span of a request", inside(lambda: miharu.span("work"), here), rest),
    ]
    if tracing is not None:
        tracer = tracing[0].get_tracer("benchmark")
        found.append(
            Variant(
                "with a span of OpenTelemetry active",
                inside(lambda: tracer.start_as_current_span("work"), here),
                tracing[1],
            )
        )
    return found


def rest() -> None:
    miharu.flush(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the blocks")
    blocks = 100 if parser.parse_args().quick else 1000
    print("Median time of one; added and ratio are to nobody, in this run on this machine.")
    with tempfile.TemporaryDirectory(prefix="miharu-benchmark-") as folder, asyncio.Runner() as runner:
        miharu.init(Path(folder, "calls.db"))
        miharu.flush(60)
        measure("a request to a bare ASGI app", request_variants(plain, runner), blocks, 20)
        measure("a request to FastAPI", request_variants(framework(), runner), blocks, 3)
        measure("a span", span_variants(), blocks, 20)
        generators, agenerators = generator_variants(runner)
        measure("a generator of ten items", generators, blocks, 10)
        measure("an asynchronous generator of ten items", agenerators, blocks, 10)
        measure("whose call it is, taken on the caller's path", context_variants(), blocks, 100)
        miharu.shutdown(60)


if __name__ == "__main__":
    main()
