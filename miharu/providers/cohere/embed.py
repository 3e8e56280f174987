"""Cohere's Embed, versions 1 and 2 (https://docs.cohere.com/reference/embed)."""

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.cohere._common import is_meant, usage_of
from miharu.providers.openai._errors import error_of
from miharu.wire.json import text

__all__ = ("CohereEmbed",)


class CohereEmbed:
    """Reads ``POST …/v1/embed`` and ``POST …/v2/embed``."""

    api = "cohere.embed"
    rules = (Rule("/v1/embed"), Rule("/v2/embed"))

    def read(self, wire: Wire) -> Reading | None:
        if not is_meant(wire, asked="input_type", answered=["embeddings", "meta"]):
            return None
        kind, message = error_of(wire.answered, wire.status)
        return Reading(
            terminated=bool(wire.answered),
            usage=usage_of(wire.answered.get("meta")),
            request_model=text(wire.asked.get("model")),
            error_type=kind,
            error_message=message,
            response_id=text(wire.answered.get("id")),
        )
