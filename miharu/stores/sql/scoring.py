"""Scores, by the calls that they count for: which names there are, what they come to, and the lowest first.

Where the query asks for nothing but keys that stand beside each score, no call is looked up.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from miharu.stores.base import (
    SCORE_NAMES,
    SCORES_LOOKED_THROUGH,
    SCORES_LOOKED_UP,
    By,
    ByTag,
    Query,
    ScoredCall,
    ScoreSum,
)
from miharu.stores.columns import CALL_COLUMNS, from_row
from miharu.stores.sql.source import Engine, Steps, checked, filters_of, where

__all__ = ("score_names", "score_sums", "scored")

_BESIDE = frozenset({"model", "provider", "route", "service", "user_id", "prompt_name", "prompt_hash"})
"""Keys of the call that stand beside each score."""


def score_names(connection: Connection, engine: Engine, query: Query) -> Mapping[str, int]:
    newest, values = _newest(connection, engine, query)
    rows = connection.execute(
        text(
            f"SELECT name, count(*) AS number FROM {newest} GROUP BY name "
            f"ORDER BY number DESC, name LIMIT {SCORE_NAMES}"
        ),
        values,
    )
    return {row.name: row.number for row in rows}


def score_sums(  # noqa: PLR0917 - as the question has it
    connection: Connection,
    engine: Engine,
    query: Query,
    name: str,
    by: By | None = None,
    among: Sequence[str | None] | None = None,
    *,
    step_ms: int | None = None,
    offset_ms: int = 0,
) -> Sequence[ScoreSum]:
    newest, values = _newest(connection, engine, query, name, by)
    step = str(int(query.start)) if step_ms is None else Steps(step_ms, offset_ms).of("timestamp")
    chosen = ""
    if by is not None and among is not None:
        names = {f"among{number}": key or "" for number, key in enumerate(among)}
        if not names:
            return []
        values |= names
        chosen = f" WHERE key IN ({', '.join(f':{one}' for one in names)})"
    rows = connection.execute(
        text(
            f"SELECT {step} AS step, key, count(*) AS number, sum(value) AS total, "
            f"sum(value * value) AS squares FROM {newest}{chosen} "
            "GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        values,
    )
    return [
        ScoreSum(t=row.step, key=row.key or None, number=row.number, total=row.total, squares=row.squares)
        for row in rows
    ]


def scored(  # noqa: PLR0917 - as the question has it
    connection: Connection,
    engine: Engine,
    query: Query,
    name: str,
    limit: int = 50,
    after: str | None = None,
    *,
    descending: bool = False,
) -> Sequence[ScoredCall]:
    newest, values = _newest(connection, engine, query, name)
    further, direction = ("<", "DESC") if descending else (">", "ASC")
    behind = ""
    if after is not None:
        place = connection.execute(
            text(f"SELECT value, timestamp FROM {newest} WHERE score_id = :after"), values | {"after": after}
        ).first()
        if place is None:
            return []
        behind = (
            f" WHERE value {further} :value OR (value = :value AND "
            "(timestamp < :at OR (timestamp = :at AND score_id < :after)))"
        )
        values |= {"after": after, "value": place.value, "at": place.timestamp}
    order = f"ORDER BY value {direction}, timestamp DESC, score_id DESC"
    places = connection.execute(
        text(f"SELECT score_id, value, timestamp, call_id FROM {newest}{behind} {order} LIMIT :limit"),
        values | {"limit": limit},
    ).all()
    calls = {
        row.id: from_row(row)
        for number in range(0, len(places), _AT_ONCE)
        for row in _calls(connection, [(one.timestamp, one.call_id) for one in places[number:][:_AT_ONCE]])
    }
    return [
        ScoredCall(place.score_id, place.value, calls[place.call_id])
        for place in places
        if place.call_id in calls
    ]


_AT_ONCE = 200


def _calls(connection: Connection, places: Sequence[tuple[int, str]]) -> Sequence[Any]:
    few = ", ".join(f"({int(at)}, :id{number})" for number, (at, _) in enumerate(places))
    return connection.execute(
        text(
            f"SELECT {CALL_COLUMNS} FROM (SELECT DISTINCT column1 AS at, column2 AS of FROM (VALUES {few}) "
            "AS few) AS few JOIN llm_calls ON timestamp = at AND id = of"
        ),
        {f"id{number}": id_ for number, (_, id_) in enumerate(places)},
    ).all()


def _newest(
    connection: Connection, engine: Engine, query: Query, name: str | None = None, by: By | None = None
) -> tuple[str, dict[str, Any]]:
    """The newest scores of these calls, as what can stand behind ``FROM``, and its parameters."""
    filters = filters_of(query)
    key = "''" if by is None else engine.tag_key if isinstance(by, ByTag) else f"coalesce({checked(by)}, '')"
    named = " AND name = :score_name" if name is not None else ""
    values: dict[str, Any] = {"start": query.start, "end": query.end}
    if name is not None:
        values["score_name"] = name
    beside = not isinstance(by, ByTag) and (by is None or by in _BESIDE)
    known = filters.keys() <= _BESIDE and query.tag is None and not query.conditions and not query.words
    if isinstance(by, ByTag):
        values["by_tag"] = by.name
    if beside and known:
        met = "".join(f" AND coalesce({column}, '') = :{column}" for column in filters)
        return (
            f"(SELECT name, value, timestamp, score_id, call_id, {key} AS key FROM {engine.scored} AS found "
            f"WHERE timestamp >= :start AND timestamp < :end{named}{met} "
            f"ORDER BY timestamp DESC LIMIT {SCORES_LOOKED_THROUGH}) AS newest"
        ), values | filters
    condition, more = where(connection, query, engine, led=True)
    found = f"FROM {engine.scored} AS found WHERE timestamp >= :start AND timestamp < :end{named}"
    return (
        "(SELECT name, value, timestamp, score_id, call_id, key FROM "
        f"(SELECT name, value, timestamp, score_id, call_id {found} "
        f"ORDER BY timestamp DESC LIMIT {SCORES_LOOKED_UP}) AS given "
        f"JOIN (SELECT id AS met, {key} AS key FROM llm_calls "
        f"WHERE id IN (SELECT call_id {found}) AND {condition}) AS those ON met = call_id) AS newest"
    ), more | values
