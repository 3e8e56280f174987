"""Cohere's Classify (https://docs.cohere.com/reference/classify) and Parse: billed by input, and by page."""

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.cohere._common import is_meant, usage_of
from miharu.providers.openai._errors import error_of
from miharu.wire.json import text

__all__ = ("CohereClassify",)


class CohereClassify:
    """Reads ``POST …/v1/classify`` and ``POST …/v2/parse``."""

    api = "cohere.classify"
    rules = tuple(
        Rule(path, host=host)
        for path in ("/v1/classify", "/v2/parse")
        for host in (".cohere.com", ".cohere.ai")
    )

    def read(self, wire: Wire) -> Reading | None:
        if not is_meant(wire, asked="inputs", answered=["classifications", "meta"]):
            return None
        kind, message = error_of(wire.answered, wire.status)
        return Reading(
            terminated=bool(wire.answered),
            usage=usage_of(wire.answered.get("meta") or wire.answered.get("usage")),
            request_model=text(wire.asked.get("model")),
            error_type=kind,
            error_message=message,
            response_id=text(wire.answered.get("id")),
        )
