"""Embeddings of Google: https://ai.google.dev/api/embeddings, and Vertex AI's ``:predict``.

``:predict`` of a publisher's model is also how Imagen is asked, which states no usage.
"""

from typing import Any

from miharu.call import Usage
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.google._common import error_of, is_meant, requested_model, tier_of, usage_of
from miharu.wire.json import count, dumps, mapping

__all__ = ("GeminiEmbed", "VertexPredict")


class GeminiEmbed:
    """Reads ``POST …:embedContent`` and ``POST …:batchEmbedContents``."""

    api = "gemini.embed"
    rules = (Rule(":embedContent"), Rule(":batchEmbedContents"))

    def read(self, wire: Wire) -> Reading | None:
        if not is_meant(wire, asked=["content", "requests"], answered=["embedding", "embeddings"]):
            return None
        usage = mapping(wire.answered.get("usageMetadata"))
        kind, message = error_of(wire.answered, wire.status)
        return Reading(
            terminated=bool(wire.answered),
            usage=usage_of(usage),
            request_model=requested_model(wire),
            error_type=kind,
            error_message=message,
            service_tier=tier_of(usage),
        )


class VertexPredict:
    """Reads ``POST …/models/{model}:predict``; an endpoint of the user's own may be any kind of model."""

    api = "vertex.predict"
    rules = (Rule(":predict"),)

    def read(self, wire: Wire) -> Reading | None:
        if "/models/" not in wire.path or not is_meant(wire, asked=["instances"], answered=["predictions"]):
            return None
        kind, message = error_of(wire.answered, wire.status)
        return Reading(
            terminated=bool(wire.answered),
            usage=_usage(wire.answered.get("predictions"), mapping(wire.answered.get("metadata"))),
            request_model=requested_model(wire),
            error_type=kind,
            error_message=message,
        )


def _usage(predictions: Any, metadata: dict[str, Any]) -> Usage:
    """Each prediction counts its own tokens; those of a batch are one call.

    https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
    """
    entries = predictions if isinstance(predictions, list) else []
    counts = [count(entry, "embeddings", "statistics", "token_count") for entry in entries]
    known = [number for number in counts if number is not None]
    raw = {**({"token_count": counts} if known else {}), **metadata}
    if not raw:
        return Usage()
    return Usage(
        prompt_tokens=sum(known) if known else None,
        usage_source="provider",
        usage_raw=dumps(raw),
    )
