"""A row out of a damaged file as it may be kept: what cannot be true is taken out of it, or the row is lost.

A damaged byte is not always noticed by the engine. What is let in here must not break a sum or a page.
"""

import json
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from miharu._bounds import BOUNDS
from miharu.stores.buckets import bucket_of
from miharu.stores.columns import LARGEST

__all__ = ("TargetColumn", "mended")

_LATEST = 1 << 43
"""Unix milliseconds, in the year 2248."""
_LONGEST_KEY = 200
_LARGEST_BODY = 1 << 26
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "INTEGER": int,
    "TEXT": str,
    "REAL": (float, int),
    "BLOB": bytes,
}
_RANGES = {"timestamp": (0, _LATEST), **{name: (0, most) for name, most in BOUNDS.items()}}


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """A column of the table that the row goes to."""

    name: str
    kind: str
    required: bool


def mended(row: Mapping[str, Any], columns: tuple[TargetColumn, ...]) -> tuple[Any, ...] | None:
    """The values for those columns, or ``None`` where something is missing that every row has."""
    values = []
    for column in columns:
        value = row[column.name] if column.name in row else _made(column.name, row)
        if not _is_possible(value, column):
            value = None
        if value is None and column.required:
            return None
        values.append(value)
    return tuple(values)


def _is_possible(value: Any, column: TargetColumn) -> bool:
    if value is None or not isinstance(value, _TYPES.get(column.kind, object)):
        return False
    if isinstance(value, int):
        least, most = _RANGES.get(column.name, (-LARGEST, LARGEST))
        return least <= value <= most
    check = _CHECKS.get(column.name)
    return check is None or check(value)


def _is_key(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_KEY and text.isprintable()


def _is_tags(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _is_packed(data: bytes) -> bool:
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(data, _LARGEST_BODY)
    except zlib.error:
        return False
    return unpacking.eof


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "id": _is_key,
    "call_id": _is_key,
    "tags": _is_tags,
    "request": _is_packed,
    "response": _is_packed,
    "value": math.isfinite,
}


def _made(name: str, row: Mapping[str, Any]) -> Any:
    """What an older schema did not have, where it follows from what it had."""
    if name in {"duration_bucket", "ttft_bucket"}:
        ms = row.get(name.replace("_bucket", "_ms"))
        return bucket_of(ms) if isinstance(ms, int) and 0 <= ms <= LARGEST else None
    if name == "timestamp":  # the first 48 bits of a UUIDv7
        try:
            return int(str(row.get("call_id", "")).replace("-", "")[:12], 16)
        except ValueError:
            return None
    return None
