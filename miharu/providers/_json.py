"""JSON from the wire: quick, and forgiving. What cannot be read is ``None``, never an exception."""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ("count", "dumps", "later", "loads", "mapping", "text")


def loads(data: bytes | str) -> Any:
    """The value, or ``None``. msgspec is four times faster; the standard library forgives NaN and BOMs."""
    import msgspec

    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None


def dumps(value: Any) -> str:
    """Compact JSON, in the order of the provider."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def count(holder: Any, *path: str) -> int | None:
    """The whole number of tokens at that path; ``None`` where there is none. Some providers send floats."""
    value = holder
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value < 2**53 or value != int(value):
        return None
    return int(value)


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
