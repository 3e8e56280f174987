"""Reranking, as Cohere began it and Voyage, Jina, Together and vLLM imitate it.

Cohere bills search units and no tokens (https://docs.cohere.com/reference/rerank); Voyage states
``total_tokens`` only, all of them input (https://docs.voyageai.com/reference/reranker-api).
"""

from collections.abc import Mapping
from typing import Any

from miharu.call import Usage
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.cohere._common import usage_of as cohere_usage_of
from miharu.providers.openai._errors import error_of
from miharu.providers.openai._usage import stated_cost
from miharu.wire.json import count, dumps, mapping, text

__all__ = ("Rerank",)


class Rerank:
    """Reads ``POST …/rerank``."""

    api = "rerank"
    rules = (Rule("/rerank"),)

    def read(self, wire: Wire) -> Reading | None:
        if not _is_meant(wire):
            return None
        kind, message = error_of(wire.answered, wire.status)
        return Reading(
            terminated=bool(wire.answered),
            usage=_usage(wire.answered),
            model=text(wire.answered.get("model")),
            request_model=text(wire.asked.get("model")),
            error_type=kind,
            error_message=message,
            response_id=text(wire.answered.get("id")),
            stated_cost_usd=stated_cost(wire.answered.get("usage"), wire.headers),
        )


def _is_meant(wire: Wire) -> bool:
    if wire.provider is not None:
        return True
    if not {"model", "query", "documents"} <= wire.asked.keys():
        return False
    return wire.status is None or wire.status >= 400 or not wire.body or b'"relevance_score"' in wire.body


def _usage(answered: Mapping[str, Any]) -> Usage:
    raw = mapping(answered.get("usage"))
    if not raw:
        return cohere_usage_of(answered.get("meta"))
    given = (count(raw, name) for name in ("prompt_tokens", "input_tokens", "total_tokens"))
    return Usage(
        prompt_tokens=next((number for number in given if number is not None), None),
        usage_source="provider",
        usage_raw=dumps(raw),
    )
