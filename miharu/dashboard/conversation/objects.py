"""The JSON of a request and of its answer: one object, or the pieces of a stream in any of its frames."""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from miharu.call import Call
from miharu.providers._json import loads, mapping
from miharu.providers._streams import answers
from miharu.providers.aws._eventstream import frames
from miharu.providers.base import Wire

__all__ = ("objects_of", "request_of")

_MOST = 50_000
"""Pieces of one stream that are looked at."""


def request_of(call: Call) -> Mapping[str, Any]:
    """The request's object; empty where it is none."""
    return mapping(loads(call.body.request)) if call.body and call.body.request else {}


def objects_of(call: Call) -> list[Mapping[str, Any]]:
    """Each object of the answer, in order."""
    body = call.body.response if call.body else None
    if not body:
        return []
    if call.api.startswith("bedrock.") and (framed := list(_framed(body))):
        return framed
    if call.api.startswith("sagemaker."):  # frames that cut a stream of events anywhere
        body = b"".join(frame.payload for frame in frames(body)) or body
    if body.lstrip()[:1] == b"[" and isinstance(whole := loads(body), list):
        return [one for one in whole if isinstance(one, dict)]
    wire = Wire(
        method="POST",
        host=call.host or "",
        path="",
        provider=call.provider,
        request_headers={},
        request_body=None,
        status=call.outcome.http_status,
        headers={},
        body=body,
        end="eof",
    )
    return [answer.value for answer, _ in zip(answers(wire), range(_MOST), strict=False)]


def _framed(body: bytes) -> Iterator[Mapping[str, Any]]:
    """Amazon's event stream; InvokeModel wraps each piece once more."""
    for frame, _ in zip(frames(body), range(_MOST), strict=False):
        payload = mapping(loads(frame.payload))
        inner = payload.get("bytes")
        if isinstance(inner, str):
            try:
                payload = mapping(loads(b64decode(inner)))
            except ValueError:
                continue
        yield payload
