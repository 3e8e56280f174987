"""The JSON of a request and of its answer: one object, or the pieces of a stream in any of its frames."""

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from miharu.call import Call
from miharu.providers.base import Wire
from miharu.wire import sse
from miharu.wire.abridged import LONGEST, abridged, read
from miharu.wire.eventstream import frames
from miharu.wire.exact import exact
from miharu.wire.json import mapping
from miharu.wire.streams import answers

__all__ = ("objects_of", "request_of")

_MOST = 20_000
"""Pieces of one stream that are looked at."""
_PIECE = 1 << 20
"""Bytes of one frame's base64."""

Objects = tuple[list[Mapping[str, Any]], bool]


def request_of(
    call: Call, longest: int = LONGEST, *, exactly: bool = False
) -> tuple[Mapping[str, Any], bool]:
    """The request's object, empty where it is none; and whether there is more of it than was read.

    Args:
        call: With its body.
        longest: Bytes of one text; of a longer one the beginning is read.
        exactly: With the numbers and names that a value cannot hold (``wire/exact.py``).
    """
    body = call.body.request if call.body else None
    value, cut = read(body, longest, exactly=exactly) if body else (None, False)
    return mapping(value), cut


def objects_of(call: Call, longest: int = LONGEST, *, exactly: bool = False) -> Objects:
    """Each object of the answer, in order; and whether there is more of it than was read.

    Args:
        call: With its body.
        longest: Bytes of one text; of a longer one the beginning is read.
        exactly: With the numbers and names that a value cannot hold; not of objects in lines, or in frames.
    """
    body = call.body.response if call.body else None
    if not body:
        return [], False
    if (
        call.api.startswith("bedrock.")
        and body[:1] == b"\0"
        and (framed := _counted(_framed(body, longest)))[0]
    ):
        return framed  # a frame begins with its length
    if call.api.startswith("sagemaker."):  # frames that cut a stream of events anywhere
        body = b"".join(frame.payload for frame in frames(body)) or body
    if body[:64].lstrip()[:1] == b"[":
        whole, cut = read(body, longest, exactly=exactly)
        if isinstance(whole, list):
            return [one for one in whole if isinstance(one, dict)], cut
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
    if wire.is_event_stream:
        return _counted(read(event.data, longest, exactly=exactly) for event in sse.events(body))
    short = abridged(body, longest=longest)
    if exactly and isinstance(one := exact(short.body), dict):
        return [one], short.cut
    found, cut = _counted((answer.value, False) for answer in answers(replace(wire, body=short.body)))
    return found, cut or short.cut


def _counted(values: Iterable[tuple[Any, bool]]) -> Objects:
    """The values that are objects, up to ``_MOST``."""
    found: list[Mapping[str, Any]] = []
    cut = False
    for value, more in values:
        if len(found) == _MOST:
            return found, True
        cut = cut or more
        if isinstance(value, dict):
            found.append(value)
    return found, cut


def _framed(body: bytes, longest: int) -> Iterator[tuple[Any, bool]]:
    """Amazon's event stream; InvokeModel wraps each piece once more."""
    for frame in frames(body):
        value, cut = read(frame.payload, max(_PIECE, longest))
        payload = mapping(value)
        inner = payload.get("bytes")
        if isinstance(inner, str):
            try:
                value, cut = read(b64decode(inner), longest)
            except ValueError:
                continue
            payload = mapping(value)
        yield payload, cut
