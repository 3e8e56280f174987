"""A call as one flat record under the names of the columns, for programs and for spreadsheets."""

import json
from collections.abc import Iterable
from typing import Any

from miharu.call import Call
from miharu.stores.columns import CALLS, to_row

__all__ = ("COLUMNS", "CONTENT", "as_line", "cells", "record")

_FIRST = (
    *("id", "timestamp", "model", "prompt_tokens", "completion_tokens"),
    *("cost_cents", "duration_ms", "status"),
)
_BUCKETS = ("duration_bucket", "ttft_bucket")
COLUMNS = (*_FIRST, *(name for name in CALLS if name not in {*_FIRST, *_BUCKETS}))
"""The columns of ``llm_calls``, without those that only serve sums."""
CONTENT = ("request", "response")
_JSON = ("usage_raw", "rate_limit", "tags")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a formula may begin, the wide characters of East Asia included
(https://owasp.org/www-community/attacks/CSV_Injection)."""


def record(call: Call, *, content: bool = False) -> dict[str, Any]:
    """All columns of a call, with those that hold JSON decoded."""
    facts = _facts(call, content=content)
    for name in _JSON:
        facts[name] = _loaded(facts[name])
    return facts | {"stream": call.stream}


def cells(call: Call, *, content: bool = False) -> Iterable[Any]:
    """The columns as numbers, and as texts that no spreadsheet takes for formulas."""
    return [
        f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
        for value in _facts(call, content=content).values()
    ]


def as_line(call: Call, *, content: bool = False) -> str:
    """The record as JSON."""
    try:
        return json.dumps(record(call, content=content), ensure_ascii=False)
    except RecursionError:  # what can just be read may be too deep to be written
        facts = _facts(call, content=content) | {"stream": call.stream}
        return json.dumps(facts, ensure_ascii=False)


def _facts(call: Call, *, content: bool) -> dict[str, Any]:
    row = dict(zip(CALLS, to_row(call), strict=True))
    row["cost_cents"] = None if call.cost is None else call.cost.cost_nanousd / 1e7
    facts = {name: row[name] for name in COLUMNS}
    if content:
        for name in CONTENT:
            body: bytes | None = getattr(call.body, name, None)
            facts[name] = None if body is None else body.decode(errors="replace")
    return facts


def _loaded(text: str | None) -> Any:
    """The decoded JSON, or the text as it is where it is not JSON."""
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return text
