"""What was sent, without credentials, as all that is stored: its sender may not have looked for them."""

from dataclasses import replace
from typing import Any

from miharu.batch import Batch
from miharu.call import Call
from miharu.exchange import Request
from miharu.recorder.reading.redactor import Redactor
from miharu.redaction.text import redacted
from miharu.redaction.values import remembered

__all__ = ("clean",)

_NO_REQUEST = Request(method="POST", host="", path="", query="", headers={}, body=None)
_FREE = (
    "provider",
    "api",
    "parent_id",
    "trace_id",
    "span_id",
    "call_group",
    "body_hash",
    "duplicate_of",
    "prompt_hash",
)
"""Texts that a recorder makes itself, and that a sender may put anything into."""


def clean(batch: Batch, redactor: Redactor) -> Batch:
    """The batch without credentials, and with content as long as a recorder keeps it."""
    return Batch(
        calls=[redactor.call(_named(call), _NO_REQUEST) for call in batch.calls],
        spans=[redactor.span(span) for span in batch.spans],
        scores=[redactor.score(score) for score in batch.scores],
        markers=[redactor.marker(marker) for marker in batch.markers],
    )


def _named(call: Call) -> Call:
    changed = dict[str, Any]()
    for name in _FREE:
        text = getattr(call, name)
        if text and (kept := redacted(text, remembered())) != text:
            changed[name] = kept
    return replace(call, **changed) if changed else call
