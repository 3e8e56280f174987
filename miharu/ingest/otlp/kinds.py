"""What kind of a thing a span is: a call to a model, other work of an LLM program, or anything else."""

from collections.abc import Mapping
from typing import Literal

from miharu.ingest.otlp.facts import first
from miharu.ingest.otlp.records import Attributes, OtelSpan

__all__ = ("Kind", "kind_of")

Kind = Literal["call", "work", "other"]

_CALLS = {
    *("chat", "text_completion", "completion", "generate_content", "embeddings", "embedding", "rerank"),
    *("responses", "image_generation", "speech", "transcription", "translation", "moderation"),
}
"""Operations of the GenAI conventions, and request types of OpenLLMetry."""
_EXPLICIT: Mapping[str, tuple[str, ...]] = {
    "langfuse.observation.type": ("generation", "embedding"),
    "openinference.span.kind": ("LLM", "EMBEDDING", "RERANKER"),
    "ai.operationId": (".doGenerate", ".doStream", ".doEmbed", ".doRerank"),
}
"""Attributes that say it, and how they end for a call. Of Vercel's AI SDK the inner span is the call; the
outer one repeats its usage."""
_SIGNS = ("gen_ai.", "llm.", "traceloop.", "openinference.", "langfuse.", "ai.", "logfire.", "agent", "mcp.")


def kind_of(span: OtelSpan) -> Kind:
    """The most explicit convention decides."""
    found = span.attributes
    for name, calls in _EXPLICIT.items():
        if (kind := found.get(name)) is not None:
            return "call" if str(kind).endswith(calls) else "work"
    if _is_begun_stream(span):
        return "work"
    operation = first(found, "gen_ai.operation.name", "llm.request.type")
    if operation is not None:
        return "call" if str(operation) in _CALLS and _has_model(found) else "work"
    if _has_model(found) and _is_provider_call(found):
        return "call"
    return "work" if any(name.startswith(_SIGNS) for name in found) else "other"


def _is_begun_stream(span: OtelSpan) -> bool:
    """Logfire's span of a stream ends before its first piece; a log record with the usage follows."""
    names = ("gen_ai.response.id", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    is_logfire = span.scope.startswith("logfire.") and not span.failed
    return is_logfire and not any(name in span.attributes for name in names)


def _has_model(found: Attributes) -> bool:
    return any(
        found.get(name) for name in ("gen_ai.request.model", "gen_ai.response.model", "llm.model_name")
    )


def _is_provider_call(found: Attributes) -> bool:
    """Before there were operations: a model, a system, and what came of it."""
    named = "gen_ai.system" in found or "gen_ai.provider.name" in found
    return named and any(
        name.startswith(("gen_ai.usage.", "gen_ai.response.", "llm.usage.")) for name in found
    )
