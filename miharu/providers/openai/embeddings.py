"""OpenAI Embeddings (https://platform.openai.com/docs/api-reference/embeddings)."""

from miharu.providers._json import text
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._common import error_of, is_meant, requested_model, usage_of

__all__ = ("OpenAIEmbeddings",)


class OpenAIEmbeddings:
    """Reads ``POST …/embeddings``."""

    api = "openai.embeddings"
    rules = (Rule("/embeddings"),)

    def read(self, wire: Wire) -> Reading | None:
        if not is_meant(wire, asked="input", answered="data"):
            return None
        kind, message = error_of(wire.answered, wire.status)
        return Reading(
            terminated=bool(wire.answered),
            usage=usage_of(wire.answered.get("usage")),
            model=text(wire.answered.get("model")),
            request_model=requested_model(wire),
            error_type=kind,
            error_message=message,
        )
