"""Replicate (https://replicate.com/docs/reference/http#predictions.create).

A prediction goes on after its answer, which says ``starting``; with ``Prefer: wait`` it says how it ended,
and language models count their tokens in ``metrics``. Polls are no calls.
"""

import re

from miharu.call import Usage
from miharu.providers._json import count, dumps, mapping, text
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._errors import error_of

__all__ = ("Replicate",)

_PATH = re.compile(r"/v1/(?:(?:models|deployments)/[^/]+/[^/]+/)?predictions/?\Z")
_MODEL = re.compile(r"/v1/models/([^/]+/[^/]+)/predictions")


class Replicate:
    """Reads ``POST https://api.replicate.com/v1/…predictions``."""

    api = "replicate.predictions"
    rules = (Rule(host="api.replicate.com"),)

    def read(self, wire: Wire) -> Reading | None:
        if not _PATH.fullmatch(wire.path):
            return None
        answered = wire.answered
        status = text(answered.get("status"))
        kind, message = error_of(answered, wire.status)
        if status == "failed":
            kind, message = status, text(answered.get("error"))
        named = _MODEL.match(wire.path)
        return Reading(
            terminated=bool(answered),
            usage=_usage(wire),
            model=text(answered.get("model")),
            request_model=named.group(1) if named else text(wire.asked.get("model")),
            stream=wire.asked.get("stream") is True,
            error_type=kind,
            error_message=message,
            finish_reason=status,
            response_id=text(answered.get("id")),
        )


def _usage(wire: Wire) -> Usage:
    raw = mapping(wire.answered.get("metrics"))
    if not raw:
        return Usage()
    return Usage(
        prompt_tokens=count(raw, "input_token_count"),
        completion_tokens=count(raw, "output_token_count"),
        usage_source="provider",
        usage_raw=dumps(raw),
    )
