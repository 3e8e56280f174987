"""A batch as rows, made before the transaction begins: others wait for that, and not for Python."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from miharu.batch import Batch
from miharu.call import Call
from miharu.stores.bodies import pack
from miharu.stores.columns import to_plain_row, to_row

__all__ = ("Ends", "Rows", "rows_of")

T = TypeVar("T")
Row = tuple[Any, ...]

_AT_ONCE = 16
"""Rows that are made before the program's other threads may go on."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The end of a call that may have been opened before."""

    call: Call
    row: Row
    body: Row | None


@dataclass(frozen=True, slots=True)
class Rows:
    """Of one batch, by table."""

    calls: Sequence[Row]
    bodies: Sequence[Row]
    ends: Sequence[Ends]
    spans: Sequence[Row]
    scores: Sequence[Row]
    markers: Sequence[Row]


def rows_of(batch: Batch) -> Rows:
    """The values of each row in the order of the table's columns."""
    begun = [call for call in batch.calls if not call.completes]
    ends = [call for call in batch.calls if call.completes]
    return Rows(
        calls=_politely(to_row, begun),
        bodies=_politely(_body, [call for call in begun if call.body]),
        ends=[Ends(call, to_row(call), _body(call) if call.body else None) for call in ends],
        spans=_politely(to_plain_row, batch.spans),
        scores=_politely(to_plain_row, batch.scores),
        markers=_politely(to_plain_row, batch.markers),
    )


def _body(call: Call) -> Row:
    body = call.body
    return (call.id, call.timestamp, pack(body.request), pack(body.response)) if body else ()


def _politely(make: Callable[[T], Row], values: Sequence[T]) -> list[Row]:
    """Make them, and give up the interpreter's lock after every few."""
    rows = [*map(make, values[:_AT_ONCE])]
    for start in range(_AT_ONCE, len(values), _AT_ONCE):
        time.sleep(0)
        rows += map(make, values[start : start + _AT_ONCE])
    return rows
