"""What the attributes of a span say of a call, in all the conventions that there are: the first one holds."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from miharu.call import Cost, Usage
from miharu.ingest.otlp.records import Attributes, OtelSpan
from miharu.providers.hosts import provider_of

__all__ = (
    "cost_of",
    "finish_of",
    "first",
    "first_token_ms",
    "parameters_of",
    "provider_named",
    "response_id_of",
    "tags_of",
    "usage_of",
)

_USAGE: Mapping[str, tuple[str, ...]] = {
    "prompt_tokens": (
        *("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
        *("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
    ),
    "completion_tokens": (
        *("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
        *("ai.usage.outputTokens", "ai.usage.completionTokens"),
    ),
    "cached_tokens": (
        *("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
        *("gen_ai.usage.details.cache_read_tokens", "gen_ai.usage.details.cache_read_input_tokens"),
        *("llm.token_count.prompt_details.cache_read", "ai.usage.cachedInputTokens"),
    ),
    "cache_write_tokens": (
        *("gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
        *("gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.details.cache_write_tokens"),
        *("gen_ai.usage.details.cache_creation_input_tokens", "llm.token_count.prompt_details.cache_write"),
    ),
    "reasoning_tokens": (
        *("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
        *("gen_ai.usage.details.reasoning_tokens", "llm.token_count.completion_details.reasoning"),
        *("llm.usage.reasoning_tokens", "ai.usage.reasoningTokens"),
    ),
    "audio_input_tokens": ("gen_ai.usage.audio.input_tokens", "llm.token_count.prompt_details.audio"),
    "audio_output_tokens": ("gen_ai.usage.audio.output_tokens", "llm.token_count.completion_details.audio"),
    "image_input_tokens": ("gen_ai.usage.image.input_tokens",),
    "image_output_tokens": ("gen_ai.usage.image.output_tokens",),
}
_LANGFUSE: Mapping[str, tuple[str, ...]] = {
    "prompt_tokens": ("input", "prompt_tokens", "input_tokens"),
    "completion_tokens": ("output", "completion_tokens", "output_tokens"),
    "cached_tokens": ("input_cached_tokens", "cache_read_input_tokens", "input_cache_read"),
    "cache_write_tokens": ("cache_creation_input_tokens", "input_cache_creation"),
    "reasoning_tokens": ("output_reasoning_tokens", "output_reasoning"),
}
"""Names within ``langfuse.observation.usage_details``. Its parts are not in its ``input`` and ``output``."""
_PROVIDERS = {
    "az.ai.openai": "azure.ai.openai",
    "azure": "azure.ai.openai",
    "az.ai.inference": "azure.ai.inference",
    "google": "gcp.gemini",
    "gemini": "gcp.gemini",
    "google_genai": "gcp.gemini",
    "google_generativeai": "gcp.gemini",
    "google-generativeai": "gcp.gemini",
    "gcp.gen_ai": "gcp.gemini",
    "vertexai": "gcp.vertex_ai",
    "vertex_ai": "gcp.vertex_ai",
    "google-vertex": "gcp.vertex_ai",
    "aws": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "amazon-bedrock": "aws.bedrock",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "xai": "x_ai",
}
"""Names that instrumentors use beside those of the conventions."""
_TAGS = (
    *("traceloop.association.properties.", "ai.telemetry.metadata.", "langfuse.observation.metadata."),
    *("langfuse.trace.metadata.", "miharu.tag."),
)
_NANO = 10**9
_FIRST = "First Token Stream Event"
"""OpenInference's name of it."""


def first(found: Attributes, *names: str) -> Any:
    """The value of the first of these attributes that is there."""
    for name in names:
        if (value := found.get(name)) is not None and value != "":
            return value
    return None


def usage_of(found: Attributes) -> Usage:
    """The tokens, in their normal form: what was read from or written to a cache is part of the prompt."""
    counts: dict[str, Any] = {field: _count(first(found, *names)) for field, names in _USAGE.items()}
    details = _object(found.get("langfuse.observation.usage_details"))
    if details:
        counts |= {field: _count(first(details, *names)) for field, names in _LANGFUSE.items()}
    cache = (counts["cached_tokens"] or 0) + (counts["cache_write_tokens"] or 0)
    if counts["prompt_tokens"] is not None and (details or cache > counts["prompt_tokens"]):
        counts["prompt_tokens"] += cache
    reasoning = counts["reasoning_tokens"] or 0
    if counts["completion_tokens"] is not None and (details or reasoning > counts["completion_tokens"]):
        counts["completion_tokens"] += reasoning
    known, raw = any(count is not None for count in counts.values()), found.get("gen_ai.usage.raw")
    if isinstance(raw, str):
        counts["usage_raw"] = raw
    return replace(Usage(usage_source="provider" if known else "none"), **counts)


def cost_of(found: Attributes) -> Cost | None:
    """What the sender says that it cost, in US dollars."""
    stated = first(found, "miharu.cost.usd", "gen_ai.usage.cost", "llm.cost.total", "operation.cost")
    try:
        if stated is None and (details := _object(found.get("langfuse.observation.cost_details"))):
            stated = details.get("total")
            if stated is None:
                stated = sum(value for value in details.values() if isinstance(value, int | float))
        dollars = Decimal(str(stated)) if stated is not None and not isinstance(stated, bool) else None
    except (ArithmeticError, ValueError):  # also of a sum of absurd numbers
        return None
    if dollars is None or not dollars.is_finite() or not 0 <= dollars < 10**6:
        return None
    return Cost(cost_nanousd=int((dollars * _NANO).to_integral_value()), cost_source="sender")


def provider_named(found: Attributes) -> str | None:
    """The provider under the name of the conventions; by its host, where the sender names none."""
    said = first(
        found, "gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider"
    )
    if said is None:
        return provider_of(str(found.get("server.address", "")))
    name = str(said).lower()
    name = (
        name.partition(".")[0] if "ai.model.provider" in found and name not in _PROVIDERS.values() else name
    )
    return _PROVIDERS.get(name, name)


def finish_of(found: Attributes) -> str | None:
    """Why the model stopped, of the first answer."""
    said = first(
        found,
        "gen_ai.response.finish_reasons",
        "ai.response.finishReason",
        "llm.finish_reason",
        "llm.response.finish_reason",
    )
    if isinstance(said, str) and said[:1] == "[":
        said = _parsed(said)
    if isinstance(said, list):
        said = said[0] if said else None
    return None if said is None else str(said)


def first_token_ms(span: OtelSpan) -> int | None:
    """Milliseconds until the first piece of a stream."""
    found = span.attributes
    seconds = _number(
        first(found, "gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token")
    )
    if seconds is not None:
        return round(seconds * 1000)
    ms = _number(first(found, "ai.response.msToFirstChunk", "ai.stream.msToFirstChunk"))
    if ms is not None:
        return round(ms)
    arrived = next((event.at for event in span.events if event.name == _FIRST), None)
    if arrived is not None:
        return max(0, arrived - span.start) // 1_000_000
    at = found.get("langfuse.observation.completion_start_time")
    try:
        moment = datetime.fromisoformat(str(at).strip('"')) if at else None
        return max(0, round(moment.timestamp() * 1000) - span.start // 1_000_000) if moment else None
    except (ValueError, OverflowError):
        return None


def parameters_of(found: Attributes) -> Mapping[str, Any]:
    """What was asked for, as OpenInference has it."""
    return _object(first(found, "llm.invocation_parameters", "embedding.invocation_parameters"))


def response_id_of(found: Attributes) -> str | None:
    """The provider's id of the answer; of OpenInference it stands in the answer."""
    said = first(found, "gen_ai.response.id", "ai.response.id")
    if said is None and "openinference.span.kind" in found:
        said = _object(found.get("output.value")).get("id")
    return said if isinstance(said, str) and said else None


def tags_of(found: Attributes) -> Mapping[str, str] | None:
    """What the program has said of the call, under names of its own."""
    tags = {
        name.removeprefix(prefix): str(value)
        for name, value in found.items()
        for prefix in _TAGS
        if name.startswith(prefix) and isinstance(value, str | int | float)
    }
    return {name: value for name, value in tags.items() if name} or None


def _count(value: Any) -> int | None:
    number = _number(value)
    return None if number is None or number < 0 else int(number)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if -(2.0**53) < number < 2.0**53 else None


def _object(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str) and value[:1] == "{":
        value = _parsed(value)
    return value if isinstance(value, dict) else {}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
