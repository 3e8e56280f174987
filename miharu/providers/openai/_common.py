"""What the wire formats of OpenAI share."""

import re
from collections.abc import Mapping
from typing import Any

from miharu.call import Usage
from miharu.providers._json import count, dumps, mapping, text
from miharu.providers.base import Wire

__all__ = ("error_of", "is_meant", "requested_model", "usage_of")

_DEPLOYMENT = re.compile(r"/deployments/([^/]+)/")


def is_meant(wire: Wire, *, asked: str, answered: str) -> bool:
    """Whether this is a call at all. A known host is believed; elsewhere both shapes have to fit.

    Args:
        wire: The exchange.
        asked: The field of the request without which there is no such call.
        answered: The field of a response, or of a stream's chunks, that there is in every success.
    """
    if wire.provider is not None:
        return True
    if asked not in wire.asked or not requested_model(wire):
        return False
    if wire.status is None or wire.status >= 400:
        return True
    if wire.is_event_stream or not wire.answered:
        return f'"{answered}"'.encode() in wire.body or not wire.body
    return answered in wire.answered or "error" in wire.answered


def requested_model(wire: Wire) -> str | None:
    """The model that was asked for; with Azure, the deployment that the path names may stand for it."""
    deployment = _DEPLOYMENT.search(wire.path)
    return text(wire.asked.get("model")) or (deployment.group(1) if deployment else None)


def usage_of(raw: Any) -> Usage:
    """The normal form of a usage object, in the names of Chat Completions or of Responses.

    Cached, cache-write, audio and image tokens are parts of the prompt total and reasoning of the completion
    total already, as OpenAI counts them.
    """
    if not isinstance(raw, dict) or not raw:
        return Usage()
    prompt = mapping(raw.get("prompt_tokens_details") or raw.get("input_tokens_details"))
    completion = mapping(raw.get("completion_tokens_details") or raw.get("output_tokens_details"))
    return Usage(
        prompt_tokens=_either(raw, "prompt_tokens", "input_tokens"),
        completion_tokens=_either(raw, "completion_tokens", "output_tokens"),
        cached_tokens=count(prompt, "cached_tokens"),
        cache_write_tokens=count(prompt, "cache_write_tokens"),
        reasoning_tokens=count(completion, "reasoning_tokens"),
        audio_input_tokens=count(prompt, "audio_tokens"),
        audio_output_tokens=count(completion, "audio_tokens"),
        image_input_tokens=count(prompt, "image_tokens"),
        image_output_tokens=count(completion, "image_tokens"),
        usage_source="provider",
        usage_raw=dumps(raw),
    )


def error_of(answered: Mapping[str, Any], status: int | None) -> tuple[str | None, str | None]:
    """The provider's own type and message, from any of the shapes that OpenAI and its imitators use."""
    error = answered.get("error")
    failed = status is not None and status >= 400
    if isinstance(error, str):
        return (text(error) if not failed else str(status)), error
    if isinstance(error, dict):
        kind = text(error.get("type")) or error.get("code") or status
        return str(kind) if kind else "error", text(error.get("message"))
    if not failed:
        return None, None
    # vLLM puts the fields at the top; FastAPI servers answer with a detail
    message = answered.get("message") or answered.get("detail")
    kind = text(answered.get("type")) or status
    return str(kind), message if isinstance(message, str) else dumps(message) if message else None


def _either(raw: Mapping[str, Any], *names: str) -> int | None:
    return next((found for name in names if (found := count(raw, name)) is not None), None)
