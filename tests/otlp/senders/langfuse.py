"""Langfuse's SDK, whose generation states its usage and its cost."""

from langfuse import Langfuse, propagate_attributes
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

client = Langfuse(
    public_key="pk-lf-of-the-tests",
    secret_key="sk-lf-of-the-tests",
    base_url="http://127.0.0.1:9",
    span_exporter=OTLPSpanExporter(),
)
with (
    client.start_as_current_observation(as_type="span", name="answer"),
    propagate_attributes(user_id="ada", session_id="s-1"),
    client.start_as_current_observation(
        as_type="generation", name="say", model="gpt-4o", input="How is the weather?"
    ) as generation,
):
    generation.update(
        output="Fine.",
        usage_details={"input": 100, "output": 20, "input_cached_tokens": 50},
        cost_details={"input": 0.001, "output": 0.002},
    )
client.flush()
