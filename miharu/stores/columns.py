"""Calls, spans, scores and markers as rows, and back. The one place that knows the order of the columns."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Any, get_args

from miharu._bounds import MOST_MS, MOST_TOKENS, bounded
from miharu.batch import Marker, MarkerKind, Score, Span
from miharu.call import Body, Call, Cost, Outcome, Usage
from miharu.stores.bodies import LARGEST_BODY
from miharu.stores.buckets import bucket_of

__all__ = (
    "BODIES",
    "BODY_COLUMNS",
    "CALLS",
    "CALL_COLUMNS",
    "MARKERS",
    "MARKER_COLUMNS",
    "SCORES",
    "SCORE_COLUMNS",
    "SELDOM",
    "SHORT_SPAN_COLUMNS",
    "SPANS",
    "SPAN_COLUMNS",
    "SPAN_CONTENT",
    "from_row",
    "marker_from_row",
    "span_from_row",
    "to_plain_row",
    "to_row",
)

LARGEST = 2**53 - 1
"""Larger numbers are not plausible in anything that is counted here, and would overflow sums of 64 bits."""
LONGEST_KEY = 400
"""Bytes of what is indexed: an engine's page holds an entry of some keys and no more."""
LONGEST_TEXT = 2_000
"""Characters of a text, unless it is one of the following."""
LONGEST_JSON: Mapping[str, int] = {
    "usage_raw": 65_536,
    **dict.fromkeys(("rate_limit", "tags", "input", "output", "error_stack"), 16_384),
}
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
SELDOM: tuple[tuple[str, ...], ...] = (
    ("error_type", "error_message", "retry_after_ms"),
    ("cache_write_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"),
    ("audio_input_tokens", "audio_output_tokens"),
    ("image_input_tokens", "image_output_tokens"),
    ("host_request_id", "user_id", "session_id", "parent_id", "tags"),
    ("duplicate_of", "cache_missed_tokens", "cache_missed_nanousd"),
    ("ttft_ms", "ttft_bucket"),
    ("service",),
    ("tools",),
    ("prompt_name", "prompt_hash"),
)
"""Columns of ``llm_calls`` that are empty together in many calls."""
BODIES: tuple[str, ...] = ("call_id", "timestamp", "request", "response")
"""The columns of ``llm_bodies``."""
SPANS: tuple[str, ...] = _names(Span)
"""The columns of ``llm_spans``."""
SPAN_CONTENT: tuple[str, ...] = ("input", "output", "error_stack")
"""Those of ``llm_spans`` that may be long, and that are read with one span alone."""
SCORES: tuple[str, ...] = _names(Score)
"""The columns of ``llm_scores``."""
MARKERS: tuple[str, ...] = _names(Marker)
"""The columns of ``llm_markers``."""


def _read(table: str, *types: type[Any]) -> str:
    """The columns as they are selected: no more of a text than miharu ever writes, also of rows by others.

    An id stays as it is, because rows come in its order.
    """
    texts = {
        field.name: LONGEST_JSON.get(field.name, LONGEST_TEXT)
        for one in types
        for field in fields(one)
        if not {int, float, bool} & {field.type, *get_args(field.type)} and field.name != "id"
    }
    names = CALLS if Call in types else _names(types[0])
    return ", ".join(
        f"substr({table}.{name}, 1, {texts[name]}) AS {name}" if name in texts else f"{table}.{name}"
        for name in names
    )


CALL_COLUMNS = _read("llm_calls", Call, *_PARTS.values())
SPAN_COLUMNS = _read("llm_spans", Span)
SHORT_SPAN_COLUMNS = ", ".join(
    f"NULL AS {name}" if name in SPAN_CONTENT else column
    for name, column in zip(SPANS, re.split(r", (?=substr|llm_spans)", SPAN_COLUMNS), strict=True)
)
"""Without those that may be long."""
SCORE_COLUMNS = _read("llm_scores", Score)
MARKER_COLUMNS = _read("llm_markers", Marker)
BODY_COLUMNS = ", ".join(
    f"substr({name}, 1, {LARGEST_BODY + 65_536}) AS {name}" for name in ("request", "response")
)
_LONGEST = {CALLS.index(name): most for name, most in LONGEST_JSON.items() if name in CALLS}
_PLACES = {name: (part, _names(part), CALLS.index(_names(part)[0])) for name, part in _PARTS.items()}
_STREAM, _TAGS, _TIMESTAMP = (CALLS.index(name) for name in ("stream", "tags", "timestamp"))
_LONG = (*_LONGEST, CALLS.index("error_message"), CALLS.index("tools"))
"""Texts that may be longer than a key."""
_KEYS = tuple(
    map(
        CALLS.index,
        (
            "service",
            "provider",
            "model",
            "route",
            "error_type",
            "user_id",
            "session_id",
            "trace_id",
            "prompt_name",
            "prompt_hash",
        ),
    )
)


def to_row(call: Call) -> tuple[Any, ...]:
    """The values in the order of ``CALLS``; those that cannot be are left out."""
    row = _values(call)
    if _is_ordinary(row):
        return (*row, *_buckets(call))
    call = bounded(call)
    row = _values(call)
    for place in _KEYS:
        row[place] = _shortened(row[place])
    row += _buckets(call)
    return _storable(row, _LONGEST)


def _buckets(call: Call) -> tuple[int | None, int | None]:
    """Where its times are counted: those of a batch are not, since nobody has waited for them."""
    return (bucket_of(call.duration_ms) if call.is_timed else None, bucket_of(call.ttft_ms))


def _values(call: Call) -> list[Any]:
    """All but the buckets, which are the last."""
    row = [*_own(call), *_usage(call.usage), *(_cost(call.cost) if call.cost else _NO_COST)]
    row += _outcome(call.outcome)
    row[_STREAM] = int(call.stream)
    row[_TAGS] = _written(call.tags) if call.tags else None
    return row


def _is_ordinary(row: list[Any]) -> bool:
    """Whether nothing in it is to be bounded, shortened or left out: a quick look, which suits most calls."""
    kinds = _kinds_of(tuple(map(type, row)))
    if kinds is None:
        return False
    text, numbers = "".join(kinds.texts(row)), kinds.numbers(row)
    return (
        len(text) <= LONGEST_TEXT
        and text.isascii()
        and "\0" not in text
        and min(numbers) >= 0
        and max(numbers) <= MOST_TOKENS
        and abs(row[_TIMESTAMP]) <= LARGEST
        and max(map(len, kinds.keys(row))) <= LONGEST_KEY  # of plain characters, so as many bytes
    )


@dataclass(frozen=True, slots=True)
class _Kinds:
    """What takes from rows whose values are of the same types what has to be looked at."""

    texts: Callable[[list[Any]], Sequence[str]]
    keys: Callable[[list[Any]], Sequence[str]]
    """The texts that are indexed, or might be."""
    numbers: Callable[[list[Any]], Sequence[int]]
    """All but the timestamp."""


@lru_cache(256)
def _kinds_of(types: tuple[type[Any], ...]) -> _Kinds | None:
    """That of rows of these types; ``None`` where one of them is not usual."""
    if not {*types} <= {str, int, type(None)} or types[_TIMESTAMP] is not int:
        return None
    texts = [place for place, kind in enumerate(types) if kind is str]
    keys = [place for place in texts if place not in _LONG]
    numbers = [place for place, kind in enumerate(types) if kind is int and place != _TIMESTAMP]
    if min(map(len, (texts, keys, numbers))) < 2:
        return None  # of one place alone a getter gives no sequence
    return _Kinds(itemgetter(*texts), itemgetter(*keys), itemgetter(*numbers))


def to_plain_row(value: Span | Score | Marker) -> tuple[Any, ...]:
    """The values in the order of ``SPANS``, ``SCORES`` or ``MARKERS``."""
    row = {name: getattr(value, name) for name in _names(type(value))}
    if row.get("tags") is not None:
        row["tags"] = _written(row["tags"])
    row |= {name: _shortened(row[name]) for name in ("trace_id", "call_id") if name in row}
    if "duration_ms" in row:
        row["duration_ms"] = min(max(row["duration_ms"], 0), MOST_MS)
    longest = {place: LONGEST_JSON[name] for place, name in enumerate(row) if name in LONGEST_JSON}
    return _storable(list(row.values()), longest)


def _storable(row: list[Any], longest: Mapping[int, int]) -> tuple[Any, ...]:
    """The row without lone surrogates, NULs, impossible numbers and texts that are too long."""
    if _is_plain(row):
        return tuple(row)
    for place, value in enumerate(row):
        kind = value.__class__
        if kind is str:
            if len(value) > LONGEST_TEXT and len(value) > (most := longest.get(place, LONGEST_TEXT)):
                value = f"{value[: most - 1]}…"  # noqa: PLW2901 - the same, shorter
            row[place] = _whole(value)
        elif kind is int and not -LARGEST <= value <= LARGEST:
            row[place] = None
    return tuple(row)


def _is_plain(row: list[Any]) -> bool:
    """Whether its texts are short even together, and of plain characters: those of nearly every row are."""
    text = "".join([value for value in row if value.__class__ is str])
    numbers = [value for value in row if value.__class__ is int]
    return (
        len(text) <= LONGEST_TEXT
        and text.isascii()
        and "\0" not in text
        and min(numbers, default=0) >= -LARGEST
        and max(numbers, default=0) <= LARGEST
    )


def _written(tags: Mapping[str, str]) -> str:
    """As JSON, without lone surrogates and NUL: engines that look into the JSON fail on them."""
    written = {_whole(str(name)): _whole(str(value)) for name, value in tags.items()}
    text = json.dumps(written)
    while len(text) > LONGEST_JSON["tags"]:
        written = dict(islice(written.items(), len(written) // 2))
        text = json.dumps(written)
    return text


def _whole(text: str) -> str:
    """The text, with a sign in place of lone surrogates and NUL."""
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
    own["tags"] = _tags(own["tags"])
    for name, (part, names, start) in _PLACES.items():
        own[name] = part(**dict(zip(names, row[start : start + len(names)], strict=True)))
    if own["cost"].cost_nanousd is None:
        own["cost"] = None
    return Call(**own, body=body)


def span_from_row(row: Mapping[Any, Any]) -> Span:
    """The span that the row was made from."""
    facts = {name: row[name] for name in SPANS}
    facts["tags"] = _tags(row["tags"])
    return Span(**facts)


def marker_from_row(row: Mapping[Any, Any]) -> Marker:
    """The marker that the row was made from."""
    facts = {name: row[name] for name in MARKERS}
    if facts["kind"] not in get_args(MarkerKind):
        facts["kind"] = "mark"  # of a newer miharu
    facts["tags"] = _tags(row["tags"])
    return Marker(**facts)


def _tags(text: str | None) -> dict[str, str] | None:
    """Those that were written; of what others have put there, what can be read as tags."""
    if not text:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return {name: value for name, value in found.items() if isinstance(value, str)} or None
