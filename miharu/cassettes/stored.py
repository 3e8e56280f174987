"""From a call of a database to what is recorded of it, where its content was kept.

A database keeps neither path nor headers of an exchange, and of a stream the whole and not the times of its
pieces. So the path is compared by the wire format, and the headers are those that follow from the columns.
"""

import json
from typing import Literal

from miharu.call import BATCH, Call
from miharu.cassettes.bodies import compared, events, type_of
from miharu.cassettes.file import acted_upon
from miharu.cassettes.recorded import Asked, Recorded
from miharu.providers.known_rules import KNOWN_RULES
from miharu.redaction.text import redacted, redacted_bytes

__all__ = ("REASONS", "Reason", "recorded")

Reason = Literal["content", "binary", "kind"]
REASONS: dict[Reason, str] = {
    "content": "without content: it is kept with capture_content=True",
    "binary": "with an answer of sound or pictures, of which a database keeps no bytes",
    "kind": "of a session, a batch or a format of your own, which no single request asks for",
}
"""Why a call is not recorded, for people."""


def recorded(call: Call) -> Recorded | Reason:
    """The exchange, or why there is none."""
    asked, answered = (call.body.request, call.body.response) if call.body else (None, None)
    if asked is None and answered is None:
        return "content"
    posts = any(rule.method == "POST" for rule in KNOWN_RULES.get(call.api, ()))
    if not posts or call.service_tier == BATCH:
        return "kind"
    status = call.outcome.http_status
    if status is not None and answered is None:
        return "content"
    answer = redacted_bytes(answered or b"")
    if _is_label(answer):
        return "binary"
    pieces = events(answer) if call.stream else [answer] if answer else []
    broken = status is None or (call.outcome.status == "error" and _is_exception(call.outcome.error_type))
    return Recorded(
        asked=Asked(
            api=call.api,
            host=call.host,
            model=call.request_model,
            stream=call.stream,
            body=compared(redacted_bytes(asked)) if asked else None,
        ),
        status=status,
        headers=_headers(call, answer) if status is not None else {},
        pieces=pieces if status is not None else [],
        ttft_ms=call.ttft_ms,
        duration_ms=call.duration_ms,
        error_type=(call.outcome.error_type or "error") if broken else None,
        error_message=redacted(call.outcome.error_message or "") or None if broken else None,
    )


def _headers(call: Call, answer: bytes) -> dict[str, str]:
    found = {"content-type": type_of(answer)}
    if call.request_id:
        found["x-request-id"] = call.request_id
    if call.outcome.retry_after_ms is not None:
        found["retry-after-ms"] = str(call.outcome.retry_after_ms)
    try:
        limits = json.loads(call.rate_limit or "{}")
    except ValueError:
        limits = {}
    if isinstance(limits, dict):
        found |= {name: value for name, value in limits.items() if isinstance(value, str)}
    return acted_upon(found)


def _is_label(answer: bytes) -> bool:
    """Whether the answer is what stands in place of bytes that are not kept."""
    return answer.startswith(b"[") and answer.endswith(b"]") and b" bytes, sha256 " in answer[:200]


def _is_exception(error_type: str | None) -> bool:
    """Whether a name is that of an exception, and not a provider's word for an error."""
    module, _, name = (error_type or "").rpartition(".")
    return bool(module) and name[:1].isupper()
