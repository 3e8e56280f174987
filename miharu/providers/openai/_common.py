"""What the wire formats of OpenAI share."""

import re
from collections.abc import Mapping
from typing import Any

from miharu.providers.base import Reading, Wire
from miharu.providers.openai._errors import error_of
from miharu.providers.openai._usage import stated_cost, usage_of, usages_beside
from miharu.wire.json import loads, mapping, text

__all__ = (
    "answer_of",
    "asked_of",
    "billed",
    "error_of",
    "is_meant",
    "items",
    "reading_of",
    "requested_model",
)

_DEPLOYMENT = re.compile(r"/deployments/([^/]+)/")
_FORM = 1 << 16
"""Bytes at both ends of a form in which its plain fields are looked for; between them are its files."""
_FIELD = re.compile(rb'name="(\w+)"\r\n(?:[^\r\n]+\r\n){0,4}\r\n([^\r\n]{0,200})\r\n--')


def is_meant(wire: Wire, *, asked: str, answered: str) -> bool:
    """Whether this is a call at all. A known host is believed; elsewhere both shapes have to fit.

    Args:
        wire: The exchange.
        asked: The field of the request without which there is no such call.
        answered: The field of a response, or of a stream's chunks, that there is in every success.
    """
    if wire.provider is not None:
        return True
    if asked not in asked_of(wire) or not requested_model(wire):
        return False
    if wire.status is None or wire.status >= 400:
        return True
    answer = answer_of(wire)
    if wire.is_event_stream or not answer:
        return f'"{answered}"'.encode() in wire.body or not wire.body
    return answered in answer or "error" in answer


def asked_of(wire: Wire) -> Mapping[str, Any]:
    """The fields of the request, whether they came as JSON or as a form beside a file."""
    if wire.asked or wire.fields:
        return wire.asked or wire.fields
    if not wire.request_body or "multipart" not in wire.request_headers.get("content-type", ""):
        return {}
    form = wire.request_body
    found = _FIELD.findall(form if len(form) <= 2 * _FORM else form[:_FORM] + form[-_FORM:])
    return {name.decode(): value.decode("utf-8", "replace") for name, value in found}


def answer_of(wire: Wire) -> Mapping[str, Any]:
    """The response's JSON object; of a list, the error that Google's OpenAI-compatible API wraps so."""
    if wire.answered or not wire.body.lstrip().startswith(b"["):
        return wire.answered
    listed = loads(wire.body)
    first = mapping(listed[0]) if isinstance(listed, list) and listed else {}
    return first if "error" in first else {}


def requested_model(wire: Wire) -> str | None:
    """The model that was asked for; with Azure, the deployment that the path names may stand for it."""
    deployment = _DEPLOYMENT.search(wire.path)
    return text(asked_of(wire).get("model")) or (deployment.group(1) if deployment else None)


def reading_of(wire: Wire, answer: Mapping[str, Any], **facts: Any) -> Reading:
    """What an answer says, or a stream in the shape of one.

    Args:
        wire: The exchange.
        answer: An object with the fields that all formats share: model, id, usage, service_tier, error.
        facts: Fields of the reading that the format knows better.
    """
    kind, message = error_of(answer, wire.status)
    usage = answer.get("usage")
    found: dict[str, Any] = {
        "terminated": bool(answer),
        "terms": billed(answer),
        "model": text(answer.get("model")),
        "request_model": requested_model(wire),
        "stream": wire.asked.get("stream") is True,
        "error_type": kind,
        "error_message": message,
        "service_tier": text(answer.get("service_tier")),
        "response_id": text(answer.get("id")),
        "stated_cost_usd": stated_cost(usage, wire.headers),
        **facts,
    }
    if "usage" not in facts:
        found["usage"] = usage_of(usage, usages_beside(answer))
    return Reading(**found)


def billed(answer: Mapping[str, Any]) -> dict[str, str]:
    """Says ``no`` where the provider itself states that the call is not billed, or billed to the provider."""
    payer = text(mapping(answer.get("billing")).get("payer"))
    return {"billed": "no"} if payer == "openai" or answer.get("billed") is False else {}


def items(value: Any) -> list[Any]:
    """The list, or an empty one."""
    return value if isinstance(value, list) else []
