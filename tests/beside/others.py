"""The other observers: how each is installed, removed, and asked how much it has seen."""

import asyncio
from importlib import import_module
from typing import Any, ClassVar

from miharu.testing import FakeProvider
from tests.beside.world import asked, both

__all__ = ("OTHERS",)


class OpenTelemetry:
    """Both of its instrumentors; they wrap the transports."""

    name = "opentelemetry"
    per_round = 4

    def __init__(self) -> None:
        memory = import_module("opentelemetry.sdk.trace.export.in_memory_span_exporter")
        self._spans = memory.InMemorySpanExporter()
        self._traces = import_module("opentelemetry.sdk.trace").TracerProvider()
        export = import_module("opentelemetry.sdk.trace.export")
        self._traces.add_span_processor(export.SimpleSpanProcessor(self._spans))
        module = import_module("opentelemetry.instrumentation.httpx")
        self._instrumentors = [module.HTTPXClientInstrumentor(), module.HTTPX2ClientInstrumentor()]

    def install(self) -> None:
        for instrumentor in self._instrumentors:
            instrumentor.instrument(tracer_provider=self._traces)

    def uninstall(self) -> None:
        for instrumentor in self._instrumentors:
            instrumentor.uninstrument()

    def seen(self) -> int:
        return len(self._spans.get_finished_spans())

    def ask(self, provider: FakeProvider) -> None:
        both(provider)


class Logfire(OpenTelemetry):
    """OpenTelemetry's instrumentors, and bodies captured through the same stream."""

    name = "logfire"

    def __init__(self) -> None:
        super().__init__()
        export = import_module("opentelemetry.sdk.trace.export")
        logfire = import_module("logfire")
        logfire.configure(
            send_to_logfire=False,
            console=False,
            additional_span_processors=[export.SimpleSpanProcessor(self._spans)],
        )

    def install(self) -> None:
        logfire = import_module("logfire")
        logfire.instrument_httpx(capture_all=True)
        self._instrumentors[1].instrument(
            tracer_provider=logfire.DEFAULT_LOGFIRE_INSTANCE.config.get_tracer_provider()
        )

    def seen(self) -> int:
        """Requests only: it adds a span of its own for each body that it reads."""
        return sum(
            "http.request.method" in (span.attributes or {}) or "http.method" in (span.attributes or {})
            for span in self._spans.get_finished_spans()
            if span.kind.name == "CLIENT"
        )


class Sentry:
    """It wraps ``Client.send``. It cannot be removed, only switched off."""

    name = "sentry"
    per_round = 4

    def __init__(self) -> None:
        self._crumbs: list[Any] = []

    def install(self) -> None:
        import_module("sentry_sdk").init(
            dsn="https://key@sentry.invalid/1",
            transport=lambda event: None,
            before_breadcrumb=self._note,
            traces_sample_rate=1.0,
            auto_session_tracking=False,
        )

    def uninstall(self) -> None:
        import_module("sentry_sdk").init()

    def seen(self) -> int:
        return len(self._crumbs)

    def ask(self, provider: FakeProvider) -> None:
        both(provider)

    def _note(self, crumb: Any, hint: Any) -> Any:
        if crumb.get("category") == "httplib":
            self._crumbs.append(crumb)
        return crumb


class Ddtrace:
    """The one that wraps the same function as we do."""

    name = "ddtrace"
    per_round = 4

    def __init__(self) -> None:
        trace = import_module("ddtrace.trace")
        spans: list[Any] = []

        class Keep(trace.TraceFilter):  # type: ignore[misc, name-defined]
            def process_trace(self, found: list[Any]) -> None:
                spans.extend(span for span in found if span.get_tag("http.method"))

        trace.tracer.configure(trace_processors=[Keep()])
        self._spans = spans

    def install(self) -> None:
        import_module("ddtrace").patch(httpx=True, httpx2=True)

    def uninstall(self) -> None:
        trouble = None
        for name in ("httpx", "httpx2"):
            try:
                import_module(f"ddtrace.contrib.internal.{name}.patch").unpatch()
            except AttributeError as error:
                trouble = error
        if trouble:
            raise trouble

    def seen(self) -> int:
        return len(self._spans)

    def ask(self, provider: FakeProvider) -> None:
        both(provider)


class Langfuse:
    """It wraps the methods of the openai SDK, from its import on. It cannot be removed."""

    name = "langfuse"
    per_round = 4
    _client: ClassVar[Any] = None

    def __init__(self) -> None:
        memory = import_module("opentelemetry.sdk.trace.export.in_memory_span_exporter")
        self._spans = memory.InMemorySpanExporter()

    def install(self) -> None:
        if self._client is None:
            type(self)._client = import_module("langfuse").Langfuse(
                public_key="pk", secret_key="sk", base_url="http://127.0.0.1:9", span_exporter=self._spans
            )
        import_module("langfuse.openai")

    def uninstall(self) -> None:
        self._client.flush()

    def seen(self) -> int:
        if self._client is not None:
            self._client.flush()
        return len(self._spans.get_finished_spans())

    def ask(self, provider: FakeProvider) -> None:
        """Four calls: a plain and a streamed one with each client."""
        openai = import_module("openai")
        with openai.OpenAI(base_url=provider.base_url, api_key="any") as client:
            assert client.chat.completions.create(**_given(stream=False)).usage
            assert list(client.chat.completions.create(**_given(stream=True)))
        asyncio.run(self._asynchronously(openai, provider))

    async def _asynchronously(self, openai: Any, provider: FakeProvider) -> None:
        async with openai.AsyncOpenAI(base_url=provider.base_url, api_key="any") as client:
            assert (await client.chat.completions.create(**_given(stream=False))).usage
            assert [chunk async for chunk in await client.chat.completions.create(**_given(stream=True))]


def _given(*, stream: bool) -> dict[str, Any]:
    return {name: value for name, value in asked(stream=stream).items() if value is not None}


OTHERS = {other.name: other for other in (OpenTelemetry, Logfire, Sentry, Ddtrace, Langfuse)}
