"""The spans of traces: those of one, those that failed, and how long a session or a trace lasted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, text

from miharu.batch import Span
from miharu.stores.base import MOST_SPANS, SPANS_LOOKED_THROUGH, Extent, FailedSpans, Query
from miharu.stores.columns import SPAN_COLUMNS, span_from_row
from miharu.stores.narrowing import possible
from miharu.stores.sql.conditions import narrowing
from miharu.stores.sql.source import Engine, where

__all__ = ("extent", "failed_spans", "spans")

_ASKED = ("service", "route", "user_id", "error_type")


def spans(
    connection: Connection,
    engine: Engine,  # noqa: ARG001 - as its siblings
    trace_id: str,
    during: Extent | None = None,
    limit: int = MOST_SPANS,
) -> Sequence[Span]:
    overlap = ""
    values: dict[str, Any] = {"trace": trace_id, "limit": limit}
    if during is not None:
        overlap = " AND timestamp < :end AND timestamp + duration_ms >= :first"
        values |= {"first": during.first, "end": during.end}
    rows = connection.execute(
        text(
            f"SELECT {SPAN_COLUMNS} FROM llm_spans WHERE trace_id = :trace{overlap} "
            "ORDER BY timestamp, id LIMIT :limit"
        ),
        values,
    ).mappings()
    return [span_from_row(row) for row in rows]


def failed_spans(connection: Connection, engine: Engine, query: Query, limit: int = 50) -> FailedSpans:
    if query.session_id is not None or query.trace_id is not None:
        condition, values = _of_traces(connection, query, engine)
        looked_at = "llm_spans"
    else:
        condition, values = "1 = 1", {"start": query.start, "end": query.end}
        looked_at = (
            "(SELECT * FROM llm_spans WHERE timestamp >= :start AND timestamp < :end "
            f"ORDER BY timestamp DESC LIMIT {SPANS_LOOKED_THROUGH}) AS llm_spans"
        )
    for name in _ASKED:
        if (value := getattr(query, name)) is not None:
            condition += f" AND {name} = :span_{name}"
            values[f"span_{name}"] = value
    possible(query)
    of_spans = tuple(one for one in query.conditions if one.field in _ASKED)
    narrow = narrowing(replace(query, conditions=of_spans), engine.dialect)
    condition += narrow.calls
    values |= narrow.values
    rows = connection.execute(
        text(
            f"SELECT {SPAN_COLUMNS}, count(*) OVER () AS number FROM {looked_at} "
            f"WHERE {condition} AND status = 'error' ORDER BY timestamp DESC, id DESC LIMIT :limit"
        ),
        values | {"limit": limit},
    ).mappings()
    found = rows.all()
    return FailedSpans(found[0]["number"] if found else 0, [span_from_row(row) for row in found])


def extent(connection: Connection, engine: Engine, query: Query) -> Extent | None:
    of_calls, values = where(connection, query, engine)
    of_spans, more = _of_traces(connection, query, engine)
    ends = "SELECT min(timestamp) AS first, max(timestamp + duration_ms) AS last FROM"
    (row,) = connection.execute(
        text(
            f"SELECT min(first) AS first, max(last) AS last FROM ({ends} llm_calls WHERE {of_calls} "
            f"UNION ALL {ends} llm_spans WHERE {of_spans}) AS both_kinds"
        ),
        values | more,
    )
    return None if row.first is None else Extent(row.first, row.last)


def _of_traces(connection: Connection, query: Query, engine: Engine) -> tuple[str, dict[str, Any]]:
    """A condition on the spans of one trace, or of the traces of a session; and its parameters."""
    if query.trace_id is not None:
        condition, values = "trace_id = :trace_id", {"trace_id": query.trace_id}
    else:
        calls, values = where(connection, query, engine)
        condition = f"trace_id IN (SELECT trace_id FROM llm_calls WHERE {calls} AND trace_id IS NOT NULL)"
    if query.session_id is not None:
        condition += " AND (session_id IS NULL OR session_id = :session_id)"
        values["session_id"] = query.session_id
    return condition, values
