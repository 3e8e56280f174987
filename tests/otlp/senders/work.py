"""What every sender does: the same calls, through the SDK that its instrumentor watches."""

import os
import sys
from contextlib import suppress
from typing import Any

__all__ = ("PROVIDER", "ask_anthropic", "ask_openai", "headers", "provider_of_spans")

PROVIDER = sys.argv[1] if len(sys.argv) > 1 else ""
MESSAGES: Any = [{"role": "user", "content": "How is the weather in Vienna?"}]


def ask_openai() -> None:
    """A call, a stream, an embedding, and a call that fails."""
    import openai

    client = openai.OpenAI(base_url=f"{PROVIDER}/v1", api_key="sk-of-the-tests-0123456789", max_retries=0)
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    stream = client.chat.completions.create(
        model="gpt-4o", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    for _ in stream:
        pass
    client.embeddings.create(model="text-embedding-3-small", input="Vienna")
    with suppress(openai.OpenAIError):
        client.with_options(base_url="http://127.0.0.1:9").chat.completions.create(
            model="gpt-4o", messages=MESSAGES
        )


def ask_anthropic() -> None:
    """One call."""
    import anthropic

    client = anthropic.Anthropic(base_url=PROVIDER, api_key="sk-ant-of-the-tests", max_retries=0)
    client.messages.create(model="claude-sonnet-4-5", max_tokens=100, messages=MESSAGES)


def headers() -> dict[str, str]:
    """Those of OTEL_EXPORTER_OTLP_HEADERS."""
    name, _, value = os.environ["OTEL_EXPORTER_OTLP_HEADERS"].partition("=")
    return {name: value.replace("%20", " ")}


def provider_of_spans() -> Any:
    """OpenTelemetry's own SDK and exporter, set up by the environment."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider
