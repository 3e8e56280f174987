"""A call as a row of ``llm_calls``, and back. The one place that knows the order of the columns."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from miharu.call import Body, Call, Cost, Outcome, Usage

__all__ = ("COLUMNS", "from_row", "to_row")

_PARTS: dict[str, type[Any]] = {"usage": Usage, "cost": Cost, "outcome": Outcome}


def _names(part: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(part))


_OWN = tuple(name for name in _names(Call) if name not in _PARTS and name not in {"body", "completes"})

COLUMNS: tuple[str, ...] = (*_OWN, *(name for part in _PARTS.values() for name in _names(part)))
"""Every column that is written. ``cost_cents`` is derived by the database."""


def to_row(call: Call) -> tuple[Any, ...]:
    """The values in the order of ``COLUMNS``."""
    row: list[Any] = [getattr(call, name) for name in _OWN]
    for holder, part in _PARTS.items():
        value = getattr(call, holder)
        row.extend(getattr(value, name) if value is not None else None for name in _names(part))
    row[COLUMNS.index("stream")] = int(call.stream)
    row[COLUMNS.index("tags")] = json.dumps(dict(call.tags)) if call.tags else None
    return tuple(map(_storable, row))


def _storable(value: Any) -> Any:
    """What a provider sends may hold half a character, or a number beyond 64 bits."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return None
    return value


def from_row(row: Mapping[Any, Any], body: Body | None = None) -> Call:
    """The call that the row was made from."""
    own = {name: row[name] for name in _OWN}
    own["stream"] = bool(row["stream"])
    own["tags"] = json.loads(row["tags"]) if row["tags"] else None
    parts = {
        holder: part(**{name: row[name] for name in _names(part)})
        for holder, part in _PARTS.items()
        if holder != "cost" or row["cost_nanousd"] is not None
    }
    return Call(**own, **parts, body=body)
