"""Errors in every shape that OpenAI and its imitators use, at the top of an answer or inside a stream."""

import re
from collections.abc import Mapping
from typing import Any

from miharu.wire.json import dumps, loads, mapping, text

__all__ = ("error_field", "error_of")

_SAID = {"loc", "msg", "type"}
_FIELD = re.compile(rb"error:[ \t]*([^\r\n]{1,65536})")


def error_of(answer: Mapping[str, Any], status: int | None) -> tuple[str | None, str | None]:
    """The provider's own type or code, and its message; without either, there is no error in it."""
    error = answer.get("error")
    if isinstance(error, dict):
        # Google's OpenAI-compatible API has its type in ``status``, as text; Azure a number
        return _kind(error, "type", "status", "code"), text(error.get("message")) or dumps(error)
    if isinstance(error, list) and error:
        return None, dumps(error)
    if text(error):  # TGI and xAI: the message itself, and the type or code beside it
        return _kind(answer, "error_type", "code"), str(error)
    if not _is_error(answer, status):
        return None, None
    # vLLM, Cerebras, Databricks and Snowflake have the fields at the top; FastAPI servers a ``detail``;
    # Cloudflare a list (https://developers.cloudflare.com/fundamentals/api/reference)
    errors = answer.get("errors")
    first = mapping(errors[0]) if isinstance(errors, list) and errors else {}
    message = answer.get("message") or _detail(answer.get("detail")) or first.get("message")
    kind = _kind(answer, "type", "error_type", "error_code", "code") or _kind(first, "code")
    return kind, message if isinstance(message, str) else dumps(message) if message else None


def _detail(detail: Any) -> Any:
    """FastAPI's list of complaints without its ``input``, which is the request itself."""
    if not isinstance(detail, list):
        return detail
    return [{name: value for name, value in mapping(one).items() if name in _SAID} for one in detail]


def error_field(body: bytes) -> Any:
    """The error of a stream that has it in an SSE field of that name instead of in its data."""
    at = 0 if body.startswith(b"error:") else body.find(b"\nerror:") + 1
    found = _FIELD.match(body, at)
    if found is None:
        return None
    value = loads(found.group(1))
    if isinstance(value, dict):
        return value.get("error") or value
    return found.group(1).decode("utf-8", "replace")


def _is_error(answer: Mapping[str, Any], status: int | None) -> bool:
    return (
        (status is not None and status >= 400)
        or answer.get("object") == "error"
        or answer.get("success") is False
        or bool(answer.get("error_code"))
    )


def _kind(holder: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        value = holder.get(name)
        if text(value) or (
            # a numeric ``status`` repeats the HTTP status; a numeric code is all that OpenRouter has
            name != "status" and isinstance(value, int) and not isinstance(value, bool) and value
        ):
            return str(value)[:200]
    return None
