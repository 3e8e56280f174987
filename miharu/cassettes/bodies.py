"""A body in the file: JSON, text, events, a form or base64, whichever is the most readable.

{"json": …}                 compared and played by its value
{"text": "…"}
{"events": ["…", "…"]}      a stream, piece by piece
{"form": {"name": "…"}}     the plain fields of a multipart form; its files are not kept
{"base64": "…"}             anything else; ["…", "…"] of a stream
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from miharu.errors import ConfigError

__all__ = ("as_bytes", "as_written", "compared", "events", "pieces_of", "type_of", "value_of", "written")

_EVENT_END = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)")
_KINDS = ("json", "text", "events", "form", "base64")


def written(pieces: Sequence[bytes], *, is_stream: bool) -> dict[str, Any]:
    """The form in which a response's body is written."""
    whole = b"".join(pieces)
    if not is_stream and (value := _json(whole)) is not None:
        return {"json": value[0]}
    several = [piece for piece in pieces if piece]
    try:
        texts = [piece.decode() for piece in several]
    except UnicodeDecodeError:
        coded = [b64encode(piece).decode() for piece in several]
        return {"base64": coded[0] if len(coded) == 1 else coded}
    if is_stream:
        return {"events": texts}
    return {"text": "".join(texts)} if texts else {}


def pieces_of(body: object) -> list[bytes]:
    """The pieces of a body that was written so.

    Raises:
        ConfigError: It is not one of the forms.
    """
    if not isinstance(body, Mapping) or not body:
        return []
    [kind, *more] = body
    content = body[kind]
    if more or kind not in _KINDS:
        raise ConfigError(
            f"a body is one of {', '.join(_KINDS)}, and this one has {', '.join(map(str, body))}"
        )
    if kind == "json":
        return [as_bytes(content)]
    texts = content if isinstance(content, list) else [content]
    if not all(isinstance(text, str) for text in texts):
        raise ConfigError(f"what stands under {kind!r} has to be text")
    try:
        return [b64decode(text, validate=True) if kind == "base64" else text.encode() for text in texts]
    except ValueError as error:
        raise ConfigError(f"what stands under {kind!r} cannot be read: {error}") from None


def as_written(value: object) -> dict[str, Any]:
    """The form in which a request's body is written, from the one in which it is compared."""
    if value is None:
        return {}
    if isinstance(value, _Form):
        return {"form": dict(value)}
    return {"text": str(value)} if isinstance(value, _Text) else {"json": value}


def as_bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


class _Form(dict[str, str]):
    """The plain fields of a form; a JSON object is another thing."""


class _Text(str):
    """What is no JSON; a string of JSON is another thing."""

    __slots__ = ()


def value_of(body: object) -> Any:
    """The form in which a request's body is compared, from the one in which it is written.

    Raises:
        ConfigError: It is not one of the forms.
    """
    if not isinstance(body, Mapping) or not body:
        return None
    if set(body) == {"json"}:
        return body["json"]
    if set(body) == {"form"} and isinstance(body["form"], Mapping):
        return _Form({str(name): str(value) for name, value in body["form"].items()})
    return _Text(b"".join(pieces_of(body)).decode("utf-8", "replace"))


def compared(body: bytes, form: Mapping[str, str] | None = None) -> Any:
    """The form in which a request's body is compared."""
    if form is not None:
        return _Form(form)
    if not body:
        return None
    value = _json(body)
    return _Text(body.decode("utf-8", "replace")) if value is None else value[0]


def _json(body: bytes) -> tuple[Any] | None:
    """The value, if the body is JSON: one that can be written again."""
    if body.lstrip()[:1] not in {b"{", b"["}:
        return None
    try:
        value = json.loads(body, parse_constant=_refused)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return (value,)


def _refused(name: str) -> Any:
    raise ValueError(name)


def events(body: bytes) -> list[bytes]:
    """The events of a stream that was kept as a whole: by blank lines, or one on each line."""
    if type_of(body).startswith("text/event-stream"):
        return [event for event in _EVENT_END.split(body) if event]
    return body.splitlines(keepends=True) if type_of(body) == "application/x-ndjson" else [body]


def type_of(body: bytes) -> str:
    """The content-type of a body, by its first bytes: a database does not keep it."""
    head = body[:64].lstrip()
    if head.startswith((b"data:", b"event:", b"id:", b"retry:", b":")):
        return "text/event-stream; charset=utf-8"
    if body[:1] == b"\0":  # a frame of Amazon's begins with its length
        return "application/vnd.amazon.eventstream"
    if _json(body) is not None:
        return "application/json"
    lines = body.split(b"\n", 1)
    if head[:1] == b"{" and _json(lines[0]) is not None:
        return "application/x-ndjson"
    return "text/plain; charset=utf-8"
