"""JSON from the wire: quick, and forgiving. What cannot be read is ``None``, never an exception."""

import json
import time
from collections.abc import Mapping
from typing import Any

from miharu.wire.large import LARGE, MANY, is_heavy, is_slow, salvaged, without_binaries

__all__ = ("ABSURD", "Facts", "count", "dumps", "later", "loads", "mapping", "text")

_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
ABSURD = 2**53
"""Stands for a count that cannot be: below zero, endless, not a number. The recorder then drops all counts of
the call (``_bounds.py``)."""


class Facts(dict[str, Any]):
    """What was told of a JSON object that is too large to be parsed as a whole."""


def loads(data: bytes | str) -> Any:
    """The value, or ``None``. msgspec is four times faster; the standard library forgives NaN and BOMs.

    Of a large object only the facts beside its content are told.
    """
    import msgspec

    if not data:
        return None
    if len(data) >= LARGE:
        data = without_binaries(data.encode("utf-8", "replace") if isinstance(data, str) else data)
        time.sleep(0)
        if is_heavy(data):
            return _facts(data)
    if len(data) >= MANY:
        data = data.encode("utf-8", "replace") if isinstance(data, str) else data
        if is_slow(data):
            return _facts(data)
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None


def dumps(value: Any) -> str:
    """Compact JSON, in the order of the provider; of what is nested too deeply, a text that says so."""
    import msgspec

    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass  # a whole number of more than 64 bits, half a character
    try:
        return _COMPACT(value)
    except (ValueError, RecursionError):
        return '"[nested too deeply]"'


def count(holder: Any, *path: str) -> int | None:
    """The whole number of tokens at that path; ``None`` where there is none. Some providers send floats."""
    value = holder
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    if type(value) is int:
        return value if 0 <= value < ABSURD else ABSURD
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ABSURD
    return int(value) if 0 <= value < ABSURD and value == int(value) else ABSURD


def later(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """A later state of what a stream counts, whose zeros take nothing back of an earlier one.

    A relay that does not know a count may send it again as zero.
    """
    found = dict(after)
    for name, new in after.items():
        value = before.get(name)
        if isinstance(value, dict) and isinstance(new, dict):
            found[name] = later(value, new)
        elif value and (new is None or (new == 0 and new is not False)):
            found[name] = value
    return found


def text(value: Any) -> str | None:
    """The string, unless it is empty or something else."""
    return value if isinstance(value, str) and value else None


def mapping(value: Any) -> dict[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def _facts(data: bytes) -> Facts | None:
    """Of one object; lines of them are not a single value, and are read one by one."""
    start = data[: LARGE // 4].lstrip()
    if not start.startswith(b"{"):
        return None
    first, newline, _ = start.partition(b"\n")
    if newline and first.rstrip().endswith(b"}") and isinstance(_first_line(first), dict):
        return None
    return Facts(salvaged(data, data))


def _first_line(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
