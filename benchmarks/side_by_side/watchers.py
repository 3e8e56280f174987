"""How each tool is started, told to send what it has, and recognised in what the sink receives.

This runs in the tool's own environment, where neither miharu nor the other tools are installed.
"""

import contextlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

__all__ = ("WATCHERS", "Watcher")


@dataclass(frozen=True)
class Watcher:
    flush: Callable[[], object]
    """Send what there is; returns when that is done."""
    shutdown: Callable[[], object]
    around: Callable[[], AbstractContextManager[Any]] | None = None
    """What has to be open around a call, where the tool does nothing without."""


def _bare(_sink: str, _folder: str) -> Watcher:
    return Watcher(bool, bool)


def _miharu(_sink: str, folder: str) -> Watcher:
    import miharu

    miharu.init(os.path.join(folder, "calls.db"))  # noqa: PTH118 - pathlib is not everybody's import
    return Watcher(lambda: miharu.flush(60), lambda: miharu.shutdown(60))


def _provider(sink: str) -> Any:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{sink}/v1/traces")))
    trace.set_tracer_provider(provider)
    return provider


def _opentelemetry_genai(sink: str, _folder: str) -> Watcher:
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    provider = _provider(sink)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return Watcher(provider.force_flush, provider.shutdown)


def _opentelemetry_httpx(sink: str, _folder: str) -> Watcher:
    from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor

    provider = _provider(sink)
    HTTPX2ClientInstrumentor().instrument(tracer_provider=provider)
    return Watcher(provider.force_flush, provider.shutdown)


def _openinference(sink: str, _folder: str) -> Watcher:
    from openinference.instrumentation.openai import OpenAIInstrumentor

    provider = _provider(sink)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return Watcher(provider.force_flush, provider.shutdown)


def _openllmetry(sink: str, _folder: str) -> Watcher:
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    provider = _provider(sink)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return Watcher(provider.force_flush, provider.shutdown)


def _langfuse(sink: str, _folder: str) -> Watcher:
    from langfuse import Langfuse

    client = Langfuse(public_key="pk-lf-local", secret_key="sk-lf-local", host=sink)
    import langfuse.openai

    del langfuse.openai
    return Watcher(client.flush, client.shutdown)


def _logfire(sink: str, _folder: str) -> Watcher:
    import logfire

    logfire.configure(
        token="pylf_v1_local_0000",
        advanced=logfire.AdvancedOptions(base_url=sink),
        console=False,
    )
    logfire.instrument_openai()
    return Watcher(logfire.force_flush, logfire.shutdown)


def _sentry(sink: str, _folder: str) -> Watcher:
    import sentry_sdk

    address = sink.removeprefix("http://")
    sentry_sdk.init(dsn=f"http://key@{address}/1", traces_sample_rate=1.0)

    @contextlib.contextmanager
    def around() -> Any:
        with sentry_sdk.start_transaction(name="call"):
            yield

    return Watcher(lambda: sentry_sdk.flush(60), lambda: sentry_sdk.get_client().close(60), around)


WATCHERS: dict[str, Callable[[str, str], Watcher]] = {
    "bare": _bare,
    "miharu": _miharu,
    "OpenTelemetry GenAI": _opentelemetry_genai,
    "OpenTelemetry httpx": _opentelemetry_httpx,
    "Langfuse": _langfuse,
    "OpenInference": _openinference,
    "OpenLLMetry": _openllmetry,
    "Logfire": _logfire,
    "Sentry": _sentry,
}
