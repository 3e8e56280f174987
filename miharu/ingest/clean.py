"""What was sent, without credentials, as all that is stored: its sender may not have looked for them."""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from miharu.batch import Batch
from miharu.call import Call
from miharu.exchange import Request
from miharu.recorder.reading.redactor import Redactor
from miharu.redaction.text import redacted
from miharu.redaction.values import carried, remembered

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
_ID = re.compile(r"[0-9a-f]+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
"""No name of a credential stands in such an id, and nothing in the shape of one."""

_SHORT = 100
"""Characters of a text that may be held for the next calls."""


def clean(batch: Batch, redactor: Redactor) -> Batch:
    """The batch without credentials, and with content as long as a recorder keeps it."""
    return Batch(
        calls=[redactor.call(_named(call), _NO_REQUEST) for call in batch.calls],
        spans=[redactor.span(span) for span in batch.spans],
        scores=[redactor.score(score) for score in batch.scores],
        markers=[redactor.marker(marker) for marker in batch.markers],
    )


def _named(call: Call) -> Call:
    changed, known = dict[str, Any](), remembered()
    for name in _FREE:
        text = getattr(call, name)
        if text and (kept := _kept(text, known)) != text:
            changed[name] = kept
    return replace(call, **changed) if changed else call


def _kept(text: str, known: tuple[str, ...]) -> str:
    if _ID.fullmatch(text) and next(carried(text.encode(), known), None) is None:
        return text
    return _repeated(text, known) if len(text) <= _SHORT else redacted(text, known)


_repeated = lru_cache(1024)(redacted)
"""Many calls have the same provider and wire format."""
