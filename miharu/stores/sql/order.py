"""Everything that is kept, from the oldest to the newest, a few at a time: for those who copy it."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, text

from miharu.batch import Batch, Score
from miharu.call import Call
from miharu.stores.base import Kind, Place
from miharu.stores.bodies import unpack
from miharu.stores.columns import (
    BODY_COLUMNS,
    CALL_COLUMNS,
    CALLS,
    MARKER_COLUMNS,
    SCORE_COLUMNS,
    SCORES,
    SPAN_COLUMNS,
    from_row,
    marker_from_row,
    span_from_row,
)
from miharu.stores.sql.source import Engine

__all__ = ("PACKED", "UNPACKED", "batch", "batch_of", "places", "places_of")

PACKED, UNPACKED = 4 << 20, 16 << 20
"""Bytes of the bodies in a batch, as they are stored and as they are read; one call alone may have more."""
_TABLES: dict[Kind, str] = {
    "calls": "llm_calls",
    "spans": "llm_spans",
    "scores": "llm_scores",
    "markers": "llm_markers",
}
_COLUMNS: dict[Kind, str] = {"spans": SPAN_COLUMNS, "scores": SCORE_COLUMNS, "markers": MARKER_COLUMNS}
_EVER = (0, 2**62)
_JOINED = (
    "LEFT JOIN llm_bodies ON llm_bodies.call_id = llm_calls.id "
    "AND llm_bodies.timestamp = llm_calls.timestamp "
    # said twice: an engine with a table for each day concludes nothing from the lines above
    "AND llm_bodies.timestamp >= :start AND llm_bodies.timestamp < :end"
)


def places(
    connection: Connection,
    engine: Engine,  # noqa: ARG001 - as its siblings
    kind: Kind,
    after: Place | None = None,
    limit: int = 10_000,
) -> Sequence[Place]:
    return places_of(connection, kind, after, limit, during=_EVER)


def batch(
    connection: Connection,
    engine: Engine,  # noqa: ARG001 - as its siblings
    kind: Kind,
    after: Place | None = None,
    limit: int = 1000,
) -> Batch:
    return batch_of(connection, kind, after, limit, during=_EVER)


def places_of(
    connection: Connection,
    kind: Kind,
    after: Place | None,
    limit: int,
    *,
    during: tuple[int, int],
) -> Sequence[Place]:
    """The first places behind one, of those of a time."""
    table = _TABLES[kind]
    where, values = _behind(table, after, during)
    rows = connection.execute(
        text(f"SELECT timestamp, id FROM {table} WHERE {where} ORDER BY timestamp, id LIMIT :limit"),
        {**values, "limit": limit},
    )
    return [(timestamp, id_) for timestamp, id_ in rows]


def batch_of(
    connection: Connection,
    kind: Kind,
    after: Place | None,
    limit: int,
    *,
    during: tuple[int, int],
) -> Batch:
    """The first behind a place, of those of a time."""
    if kind == "calls":
        return Batch(calls=list(_calls(connection, after, limit, during)))
    where, values = _behind(_TABLES[kind], after, during)
    rows = connection.execute(
        text(
            f"SELECT {_COLUMNS[kind]} FROM {_TABLES[kind]} WHERE {where} ORDER BY timestamp, id LIMIT :limit"
        ),
        {**values, "limit": limit},
    ).mappings()
    if kind == "spans":
        return Batch(spans=[span_from_row(row) for row in rows])
    if kind == "markers":
        return Batch(markers=[marker_from_row(row) for row in rows])
    return Batch(scores=[Score(**{name: row[name] for name in SCORES}) for row in rows])


def _calls(
    connection: Connection, after: Place | None, limit: int, during: tuple[int, int]
) -> Iterator[Call]:
    where, values = _behind("llm_calls", after, during)
    ordered = "ORDER BY llm_calls.timestamp, llm_calls.id LIMIT :limit"
    sizes = connection.execute(
        text(
            "SELECT coalesce(length(llm_bodies.request), 0) + coalesce(length(llm_bodies.response), 0) "
            f"FROM llm_calls {_JOINED} WHERE {where} {ordered}"
        ),
        {**values, "limit": limit},
    ).scalars()
    values["limit"] = _fitting(sizes, PACKED)
    rows = connection.execute(
        text(
            f"SELECT {CALL_COLUMNS}, llm_bodies.call_id AS bodied, {BODY_COLUMNS} "
            f"FROM llm_calls {_JOINED} WHERE {where} {ordered}"
        ),
        values,
    )
    unpacked = 0
    for row in rows:
        *_, bodied, request, response = row
        body = unpack(request, response) if bodied is not None else None
        if body is not None:
            unpacked += len(body.request or b"") + len(body.response or b"")
        yield from_row(row[: len(CALLS)], body)
        if unpacked > UNPACKED:
            return


def _fitting(sizes: Any, most: int) -> int:
    """How many of the first together have no more than that; at least one."""
    number = 0
    for size in sizes:
        most -= size
        if most < 0 and number:
            break
        number += 1
    return max(1, number)


def _behind(table: str, after: Place | None, during: tuple[int, int]) -> tuple[str, dict[str, Any]]:
    start, end = during
    where = f"{table}.timestamp >= :start AND {table}.timestamp < :end"
    if after is None:
        return where, {"start": start, "end": end}
    timestamp, id_ = after
    where += f" AND ({table}.timestamp > :timestamp OR {table}.id > :id)"
    return where, {"start": max(start, timestamp), "end": end, "timestamp": timestamp, "id": id_}
