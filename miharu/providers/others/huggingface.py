"""Hugging Face's Text Generation Inference (https://huggingface.co/docs/text-generation-inference).

Its own API, plain and streamed, beside the one it shares with OpenAI: ``POST /generate``,
``/generate_stream``, and ``/`` for both. The prompt's length is in a header (``x-prompt-tokens``), or in the
details of a stream's last event. A server of the user's own is told by both shapes; so is an endpoint, which
may serve any model.
"""

import re
from typing import Any

from miharu.call import Usage
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._errors import error_of
from miharu.wire.json import count, dumps, mapping, text
from miharu.wire.streams import answers

__all__ = ("TextGenerationInference",)

_HEADERS = ("x-prompt-tokens", "x-generated-tokens")
_DETAILS = ("input_length", "generated_tokens")
_COUNT = re.compile(r"[0-9]{1,15}")
_PATHS = {"", "/generate", "/generate_stream"}


class TextGenerationInference:
    """Reads ``POST /generate``, ``POST /generate_stream``, and ``POST /`` of an inference endpoint."""

    api = "huggingface.tgi"
    rules = (Rule("/generate"), Rule("/generate_stream"), Rule(host=".endpoints.huggingface.cloud"))

    def read(self, wire: Wire) -> Reading | None:
        return _read(wire) if _is_meant(wire) else None


def _is_meant(wire: Wire) -> bool:
    if "inputs" not in wire.asked or (wire.provider == "huggingface" and wire.path.rstrip("/") not in _PATHS):
        return False
    if wire.status is None or wire.status >= 400 or not wire.body:
        return wire.provider == "huggingface" or "error_type" in wire.answered
    return any(field in wire.body for field in (b'"generated_text"', b'"error_type"'))


def _read(wire: Wire) -> Reading:
    details: dict[str, Any] = {}
    is_stream = wire.asked.get("stream") is True or wire.path.rstrip("/").endswith("_stream")
    is_whole, ttft = False, None
    kind, message = error_of(wire.answered, wire.status)
    for answer in answers(wire):
        is_whole = is_whole or text(answer.value.get("generated_text")) is not None
        details = mapping(answer.value.get("details")) or details
        if ttft is None and is_stream and mapping(answer.value.get("token")).get("text"):
            ttft = wire.ms_at(answer.end)
        if answer.value.get("error_type"):
            kind, message = text(answer.value.get("error_type")), text(answer.value.get("error"))
    return Reading(
        terminated=is_whole or bool(details),
        usage=_usage(wire, details),
        stream=is_stream,
        ttft_ms=ttft,
        error_type=kind,
        error_message=message,
        finish_reason=text(details.get("finish_reason")),
    )


def _usage(wire: Wire, details: dict[str, Any]) -> Usage:
    """What the details count, else what the headers say."""
    raw = {name: number for name in _DETAILS if (number := count(details, name)) is not None}
    raw |= {name: int(value) for name in _HEADERS if _COUNT.fullmatch(value := wire.headers.get(name, ""))}
    if not raw:
        return Usage()
    return Usage(
        prompt_tokens=raw.get("input_length", raw.get("x-prompt-tokens")),
        completion_tokens=raw.get("generated_tokens", raw.get("x-generated-tokens")),
        usage_source="provider",
        usage_raw=dumps(raw),
    )
