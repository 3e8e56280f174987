"""Who watches: nobody, miharu, and others. Each can be switched on and off within one process."""

import collections
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import httpx2

from miharu.interceptor import Interceptor
from miharu.providers.base import Rule

__all__ = ("Variant", "interceptor_only", "variants", "whole")


def _nothing() -> None: ...


@dataclass
class Variant:
    name: str
    on: Callable[[], object] = _nothing
    off: Callable[[], object] = _nothing
    rest: Callable[[], object] = _nothing
    """Finish in peace what was put off, so that it is not measured with the next."""
    note: str = ""
    added: dict[str, list[float]] = field(default_factory=lambda: collections.defaultdict(list))


def variants() -> list[Variant]:
    """All of them; one that is not installed says so in its note."""
    return [
        Variant("nobody"),
        Variant("nobody, again (noise)"),
        interceptor_only(),
        whole(),
        _opentelemetry(),
        _sentry(),
    ]


def interceptor_only() -> Variant:
    """The patch and the tee alone."""
    queue: collections.deque[object] = collections.deque(maxlen=1000)
    watching = Interceptor(queue.append, [Rule("/completions"), Rule("/converse")])
    return Variant("interceptor only", watching.install, watching.uninstall, queue.clear)


def whole() -> Variant:
    """All of miharu."""
    import miharu
    from miharu import monitor

    folder = tempfile.TemporaryDirectory(prefix="miharu-benchmark-")
    miharu.init(Path(folder.name, "calls.db"))
    running = monitor.current()
    if running is None or running._interceptor is None:
        return Variant("miharu.init()", note="disabled by the environment")
    running._interceptor.uninstall()
    watching = running._interceptor

    def rest(_keep: object = folder) -> None:
        miharu.flush(60)

    return Variant("miharu.init()", watching.install, watching.uninstall, rest)


def _opentelemetry() -> Variant:
    name = "OpenTelemetry, httpx instrumentors"
    try:
        instrumentation: Any = import_module("opentelemetry.instrumentation.httpx")
        trace: Any = import_module("opentelemetry.sdk.trace")
        export: Any = import_module("opentelemetry.sdk.trace.export")
        memory: Any = import_module("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    except ImportError:
        return Variant(
            name, note="not installed: pip install opentelemetry-sdk opentelemetry-instrumentation-httpx"
        )
    exporter = memory.InMemorySpanExporter()
    provider = trace.TracerProvider()
    provider.add_span_processor(export.BatchSpanProcessor(exporter))
    both = [instrumentation.HTTPXClientInstrumentor(), instrumentation.HTTPX2ClientInstrumentor()]

    def on() -> None:
        for one in both:
            one.instrument(tracer_provider=provider)

    def off() -> None:
        for one in both:
            one.uninstrument()

    def rest() -> None:
        provider.force_flush()
        exporter.clear()

    return Variant(name, on, off, rest)


def _sentry() -> Variant:
    name = "Sentry, httpx integrations"
    try:
        sentry_sdk: Any = import_module("sentry_sdk")
        first: Any = import_module("sentry_sdk.integrations.httpx")
        second: Any = import_module("sentry_sdk.integrations.httpx2")
    except ImportError:
        return Variant(name, note="not installed: pip install sentry-sdk")

    class Nowhere(sentry_sdk.transport.Transport):  # type: ignore[misc]
        def capture_envelope(self, envelope: Any) -> None: ...

    classes: list[Any] = [httpx.Client, httpx.AsyncClient, httpx2.Client, httpx2.AsyncClient]
    before = [owner.send for owner in classes]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sentry_sdk.init(
            dsn="https://key@sentry.invalid/1",
            transport=Nowhere,
            traces_sample_rate=1.0,
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[first.HttpxIntegration(), second.Httpx2Integration()],
        )
    patched = [owner.send for owner in classes]
    transactions: list[Any] = []

    def put(functions: list[Any]) -> None:
        for owner, function in zip(classes, functions, strict=True):
            owner.send = function

    def on() -> None:
        put(patched)
        transactions.append(sentry_sdk.start_transaction(name="benchmark"))
        transactions[-1].__enter__()

    def off() -> None:
        transactions.pop().__exit__(None, None, None)
        put(before)

    put(before)  # it begins switched off
    return Variant(name, on, off)
