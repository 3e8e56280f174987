"""The spans of traces: those of one, those that failed, and how long a session or a trace lasted."""

from collections.abc import Sequence

from miharu.batch import Span
from miharu.stores.base import MOST_SPANS, SPANS_LOOKED_THROUGH, Extent, FailedSpans, Query
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.client.literals import among, literal
from miharu.stores.clickhouse.queries.rows import read
from miharu.stores.clickhouse.tables import conditions
from miharu.stores.clickhouse.tables.narrowing import narrowed
from miharu.stores.columns import SPANS, span_from_row
from miharu.stores.narrowing import possible

__all__ = ("extent", "failed_spans", "spans")

_ASKED = ("service", "route", "user_id", "error_type")
_MOST_TRACES = 1000
"""Of a session."""
_COLUMNS = read("llm_spans", SPANS)


def spans(
    database: Database, trace_id: str, during: Extent | None = None, limit: int = MOST_SPANS
) -> Sequence[Span]:
    overlap = ""
    if during is not None:
        overlap = (
            f" AND timestamp < {literal(during.end)} AND timestamp + duration_ms >= {literal(during.first)}"
        )
    rows = database.query(
        f"SELECT {_COLUMNS} FROM llm_spans WHERE trace_id = {literal(trace_id)}{overlap} "
        f"ORDER BY timestamp, id LIMIT 1 BY id LIMIT {int(limit)}"
    )
    return [span_from_row(dict(zip(SPANS, row, strict=True))) for row in rows]


def failed_spans(database: Database, query: Query, limit: int = 50) -> FailedSpans:
    if query.session_id is not None or query.trace_id is not None:
        condition, looked_at = _of_traces(database, query), "llm_spans"
    else:
        condition = "1"
        looked_at = (
            f"(SELECT * FROM llm_spans WHERE {conditions.during(query.start, query.end)} "
            f"ORDER BY timestamp DESC LIMIT {SPANS_LOOKED_THROUGH})"
        )
    for name in _ASKED:
        if (value := getattr(query, name)) is not None:
            condition += f" AND {name} = {literal(value)}"
    possible(query)
    of_spans = [one for one in query.conditions if one.field in _ASKED]
    condition += "".join(f" AND {part}" for part in narrowed(of_spans, query.start, "llm_spans"))
    rows = database.query(
        f"SELECT *, count() OVER () FROM (SELECT {_COLUMNS}, timestamp AS at, id AS key FROM {looked_at} "
        f"WHERE {condition} AND status = 'error' ORDER BY at DESC, key DESC LIMIT 1 BY key) "
        f"ORDER BY at DESC, key DESC LIMIT {int(limit)}"
    )
    found = [span_from_row(dict(zip(SPANS, row[: len(SPANS)], strict=True))) for row in rows]
    return FailedSpans(int(rows[0][-1]) if rows else 0, found)


def extent(database: Database, query: Query) -> Extent | None:
    ends = "SELECT min(timestamp) AS first, max(timestamp + duration_ms) AS last, count() AS number FROM"
    calls = f"{conditions.where(query)} AND {conditions.live(query.start, query.end)}"
    ((first, last),) = database.query(
        f"SELECT min(first), max(last) FROM ({ends} llm_calls WHERE {calls} UNION ALL "
        f"{ends} llm_spans WHERE {_of_traces(database, query)}) WHERE number > 0"
    )
    return Extent(int(first), int(last)) if last else None


def _of_traces(database: Database, query: Query) -> str:
    """A condition on the spans of one trace, or of the traces of a session."""
    if query.trace_id is not None:
        condition = f"trace_id = {literal(query.trace_id)}"
    else:
        rows = database.query(
            f"SELECT DISTINCT trace_id FROM llm_calls WHERE {conditions.where(query)} AND trace_id != '' "
            f"LIMIT {_MOST_TRACES}"
        )
        condition = f"trace_id IN {among(row[0] for row in rows)}" if rows else "0"
    if query.session_id is not None:
        condition += f" AND (isNull(session_id) OR session_id = {literal(query.session_id)})"
    return condition
