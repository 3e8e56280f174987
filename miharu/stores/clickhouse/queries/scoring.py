"""Scores, by the calls that they count for, which the engine joins to them."""

from collections.abc import Mapping, Sequence

from miharu.stores.base import (
    SCORE_NAMES,
    SCORES_LOOKED_THROUGH,
    By,
    Query,
    ScoredCall,
    ScoreSum,
)
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.client.literals import among as listed
from miharu.stores.clickhouse.client.literals import literal
from miharu.stores.clickhouse.queries.pieces import key_of, step_of
from miharu.stores.clickhouse.queries.rows import full_rows, texts_as_none
from miharu.stores.clickhouse.tables.conditions import equal, live
from miharu.stores.columns import CALLS, from_row

__all__ = ("score_names", "score_sums", "scored")

_END = 2**62


def score_names(database: Database, query: Query) -> Mapping[str, int]:
    rows = database.query(
        f"SELECT name, count() AS number FROM {_counted(query)} GROUP BY name "
        f"ORDER BY number DESC, name LIMIT {SCORE_NAMES}"
    )
    return {name: int(number) for name, number in rows}


def score_sums(
    database: Database,
    query: Query,
    name: str,
    by: By | None = None,
    among: Sequence[str | None] | None = None,
    *,
    step_ms: int | None = None,
    offset_ms: int = 0,
) -> Sequence[ScoreSum]:
    if by is not None and among is not None and not among:
        return []
    step = literal(query.start) if step_ms is None else step_of("at", (step_ms, offset_ms))
    chosen = ""
    if by is not None and among is not None:
        chosen = f"WHERE key IN {listed([key or '' for key in among])} "
    rows = database.query(
        f"SELECT {step} AS step, key, count(), sum(value), sum(value * value) "
        f"FROM {_counted(query, name, by)} {chosen}"
        "GROUP BY step, key ORDER BY step, key"
    )
    return [
        ScoreSum(t=int(t), key=key or None, number=int(number), total=total, squares=squares)
        for t, key, number, total, squares in rows
    ]


def scored(
    database: Database,
    query: Query,
    name: str,
    limit: int = 50,
    after: str | None = None,
    *,
    descending: bool = False,
) -> Sequence[ScoredCall]:
    counted = _counted(query, name)
    further, direction = ("<", "DESC") if descending else (">", "ASC")
    behind = "1"
    if after is not None:
        place = database.query(f"SELECT value, at FROM {counted} WHERE score_id = {literal(after)}")
        if not place:
            return []
        value, at = literal(place[0][0]), literal(int(place[0][1]))
        behind = (
            f"(value {further} {value} OR (value = {value} AND "
            f"(at < {at} OR (at = {at} AND score_id < {literal(after)}))))"
        )
    places = database.query(
        f"SELECT score_id, value, at, of, version FROM {counted} WHERE {behind} "
        f"ORDER BY value {direction}, at DESC, score_id DESC LIMIT {int(limit)}"
    )
    found = full_rows(database, [(row[2], row[3], row[4]) for row in places], CALLS)
    calls = {row[0]: from_row(texts_as_none("llm_calls", CALLS, row)) for row in found}
    return [ScoredCall(row[0], row[1], calls[row[3]]) for row in places if row[3] in calls]


def _counted(query: Query, name: str | None = None, by: By | None = None) -> str:
    """The newest scores with the call that each counts for, of the calls of the query."""
    start = literal(query.start)
    scores = (
        "(SELECT id AS score_id, timestamp AS given, name, value, call_id, trace_id AS trace FROM llm_scores "
        f"WHERE timestamp >= {start} ORDER BY timestamp DESC, id LIMIT 1 BY timestamp, id "
        f"LIMIT {SCORES_LOOKED_THROUGH})"
    )
    key = "''" if by is None else key_of(by)
    calls = (
        f"(SELECT id AS of, timestamp AS at, version, trace_id AS trace, {key} AS key, {equal(query)} AS met "
        f"FROM llm_calls WHERE timestamp >= {start} AND {live(query.start, _END)} AND {{}})"
    )
    own = calls.format(f"id GLOBAL IN (SELECT assumeNotNull(call_id) FROM {scores} WHERE isNotNull(call_id))")
    of_traces = calls.format(
        f"trace_id GLOBAL IN (SELECT assumeNotNull(trace) FROM {scores} WHERE isNotNull(trace))"
    )
    named = "" if name is None else f" AND name = {literal(name)}"
    columns = "score_id, name, value, of, at, version, key, met"
    return (
        f"(SELECT * FROM (SELECT {columns} FROM (SELECT *, assumeNotNull(call_id) AS of FROM {scores} "
        f"WHERE isNotNull(call_id)) AS s GLOBAL INNER JOIN {own} AS c USING (of) UNION ALL "
        f"SELECT {columns} FROM (SELECT *, assumeNotNull(trace) AS of_trace FROM {scores} "
        "WHERE isNull(call_id) AND isNotNull(trace)) AS s "
        f"GLOBAL INNER JOIN (SELECT *, trace AS of_trace FROM {of_traces}) AS c USING (of_trace) "
        "WHERE at <= given ORDER BY at DESC, of DESC LIMIT 1 BY score_id) "
        f"WHERE met AND at >= {start} AND at < {literal(query.end)}{named})"
    )
