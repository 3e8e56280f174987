"""Calls, spans and scores as rows, and back. The one place that knows the order of the columns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from hashlib import blake2b
from operator import attrgetter
from typing import Any

from miharu.batch import Score, Span
from miharu.call import Body, Call, Cost, Outcome, Usage
from miharu.stores.buckets import bucket_of

__all__ = ("CALLS", "SCORES", "SPANS", "from_row", "span_from_row", "to_plain_row", "to_row")

LARGEST = 2**53 - 1
"""Larger numbers are nonsense in everything that is counted here, and would overflow sums of 64 bits."""
LONGEST_KEY = 400
"""Bytes of what is indexed: an engine's page holds an entry of some keys and no more."""
_PARTS: dict[str, type[Any]] = {"usage": Usage, "cost": Cost, "outcome": Outcome}


def _names(part: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(part))


_OWN = tuple(name for name in _names(Call) if name not in _PARTS and name not in {"body", "completes"})
_own, _usage, _cost, _outcome = (attrgetter(*names) for names in (_OWN, *map(_names, _PARTS.values())))
_NO_COST = (None,) * len(_names(Cost))

CALLS: tuple[str, ...] = (
    *_OWN,
    *(name for part in _PARTS.values() for name in _names(part)),
    *("duration_bucket", "ttft_bucket"),
)
"""Every column of ``llm_calls`` that is written. ``cost_cents`` is derived by the database."""
SPANS: tuple[str, ...] = _names(Span)
"""The columns of ``llm_spans``."""
SCORES: tuple[str, ...] = _names(Score)
"""The columns of ``llm_scores``."""
_PLACES = {name: (part, _names(part), CALLS.index(_names(part)[0])) for name, part in _PARTS.items()}
_STREAM, _TAGS = CALLS.index("stream"), CALLS.index("tags")
_KEYS = tuple(
    map(
        CALLS.index,
        ("service", "provider", "model", "route", "error_type", "user_id", "session_id", "trace_id"),
    )
)


def to_row(call: Call) -> tuple[Any, ...]:
    """The values in the order of ``CALLS``."""
    row = [*_own(call), *_usage(call.usage), *(_cost(call.cost) if call.cost else _NO_COST)]
    row += _outcome(call.outcome)
    row[_STREAM] = int(call.stream)
    row[_TAGS] = _written(call.tags) if call.tags else None
    for place in _KEYS:
        row[place] = _shortened(row[place])
    row += (bucket_of(call.duration_ms), bucket_of(call.ttft_ms))
    return _storable(row)


def to_plain_row(value: Span | Score) -> tuple[Any, ...]:
    """The values in the order of ``SPANS`` or ``SCORES``."""
    row = {name: getattr(value, name) for name in _names(type(value))}
    if row.get("tags") is not None:
        row["tags"] = _written(row["tags"])
    row |= {name: _shortened(row[name]) for name in ("trace_id", "call_id") if name in row}
    return _storable(list(row.values()))


def _storable(row: list[Any]) -> tuple[Any, ...]:
    """What a provider sends may hold half a character, a NUL, or an absurd number."""
    for place, value in enumerate(row):
        kind = value.__class__
        if kind is str:
            row[place] = _whole(value)
        elif kind is int and not -LARGEST <= value <= LARGEST:
            row[place] = None
    return tuple(row)


def _written(tags: Mapping[str, str]) -> str:
    """As JSON; what is no text would be escaped in it, and fail an engine that looks into it."""
    return json.dumps({_whole(str(name)): _whole(str(value)) for name, value in tags.items()})


def _whole(text: str) -> str:
    """The text, with a sign in place of what is none."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _shortened(key: str | None) -> str | None:
    """A key that is too long to be indexed, as its beginning and a hash: still one for each."""
    if key is None or len(key) <= LONGEST_KEY // 4:
        return key
    data = key.encode("utf-8", "replace")
    if len(data) <= LONGEST_KEY:
        return key
    return f"{data[: LONGEST_KEY - 20].decode('utf-8', 'ignore')}…{blake2b(data, digest_size=8).hexdigest()}"


def from_row(row: Sequence[Any], body: Body | None = None) -> Call:
    """The call that the row was made from, its values in the order of ``CALLS``."""
    own: dict[str, Any] = dict(zip(_OWN, row, strict=False))
    own["stream"] = bool(own["stream"])
    own["tags"] = json.loads(own["tags"]) if own["tags"] else None
    for name, (part, names, start) in _PLACES.items():
        own[name] = part(**dict(zip(names, row[start : start + len(names)], strict=True)))
    if own["cost"].cost_nanousd is None:
        own["cost"] = None
    return Call(**own, body=body)


def span_from_row(row: Mapping[Any, Any]) -> Span:
    """The span that the row was made from."""
    facts = {name: row[name] for name in SPANS}
    facts["tags"] = json.loads(row["tags"]) if row["tags"] else None
    return Span(**facts)
