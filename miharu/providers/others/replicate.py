"""Replicate (https://replicate.com/docs/reference/http#predictions.create).

A prediction goes on after its answer, which says ``starting``; with ``Prefer: wait`` it says how it ended.
A later ``GET`` of the same process that finds it ended completes the call; that of a program which only looks
at predictions is not a call. Language models count their tokens in ``metrics``,
others their seconds, images or characters.
"""

import re
from collections.abc import Mapping
from typing import Any

from miharu.call import Usage
from miharu.providers._jobs import unix_ms
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._errors import error_of
from miharu.wire.json import count, dumps, mapping, text

__all__ = ("Replicate",)

_PATH = re.compile(r"/v1/(?:(?:models|deployments)/[^/]+/[^/]+/)?(?:versions/[^/]+/)?predictions/?\Z")
_ONE = re.compile(r"/v1/predictions/[^/]+/?\Z")
_ENDED = {"succeeded", "failed", "canceled", "aborted"}
_FAILED = {"failed", "aborted"}
_MODEL = re.compile(r"/v1/models/([^/]+/[^/]+)/predictions")


class Replicate:
    """Reads ``POST https://api.replicate.com/v1/…predictions`` and ``GET …/v1/predictions/{id}``."""

    api = "replicate.predictions"
    rules = (
        Rule("/predictions", host="api.replicate.com"),
        Rule("/predictions", host="api.replicate.com", method="GET"),
    )

    def read(self, wire: Wire) -> Reading | None:
        ends = wire.method == "GET"
        if not (_ONE if ends else _PATH).fullmatch(wire.path):
            return None
        answered = wire.answered
        status = text(answered.get("status"))
        if ends and (status not in _ENDED or wire.status != 200):
            return None
        kind, message = error_of(answered, wire.status)
        if status in _FAILED:
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
            opens=not ends and status is not None and status not in _ENDED,
            completes=ends,
            lasted_ms=_lasted(answered) if ends else None,
        )


def _lasted(answered: Mapping[str, Any]) -> int | None:
    began, ended = unix_ms(answered, "created_at"), unix_ms(answered, "completed_at")
    return max(0, ended - began) if began is not None and ended is not None else None


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
