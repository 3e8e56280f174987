"""Everything that is kept, from the oldest to the newest, a few at a time: for those who copy it."""

from collections.abc import Sequence

from miharu.batch import Batch, Score
from miharu.call import Body
from miharu.stores.base import Kind, Place
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.client.literals import among, literal
from miharu.stores.clickhouse.queries.markers import first_markers
from miharu.stores.clickhouse.queries.rows import read, texts_as_none
from miharu.stores.columns import CALLS, SCORES, SPANS, from_row, span_from_row

__all__ = ("batch", "places")

_TABLES: dict[Kind, str] = {
    "calls": "llm_calls",
    "spans": "llm_spans",
    "scores": "llm_scores",
    "markers": "llm_markers",
}
_NAMES: dict[Kind, tuple[str, ...]] = {"spans": SPANS, "scores": SCORES}
_LARGEST = 16 << 20
"""Bytes of the bodies in a batch; one call alone may have more."""


def places(
    database: Database, kind: Kind, after: Place | None = None, limit: int = 10_000
) -> Sequence[Place]:
    if kind == "markers":
        found = first_markers(database, _behind(after), "timestamp, id", limit)
        return [(marker.timestamp, marker.id) for marker in found]
    rows = database.query(
        f"SELECT timestamp, id FROM {_TABLES[kind]} WHERE {_behind(after)} "
        f"ORDER BY timestamp, id LIMIT 1 BY timestamp, id LIMIT {int(limit)}"
    )
    return [(timestamp, id_) for timestamp, id_ in rows]


def batch(database: Database, kind: Kind, after: Place | None = None, limit: int = 1000) -> Batch:
    if kind == "calls":
        return _calls(database, places(database, kind, after, limit))
    if kind == "markers":
        return Batch(markers=first_markers(database, _behind(after), "timestamp, id", limit))
    table, names = _TABLES[kind], _NAMES[kind]
    rows = database.query(
        f"SELECT {read(table, names)} FROM {table} WHERE {_behind(after)} "
        f"ORDER BY timestamp, id LIMIT 1 BY timestamp, id LIMIT {int(limit)}"
    )
    found = [dict(zip(names, row, strict=True)) for row in rows]
    if kind == "spans":
        return Batch(spans=[span_from_row(facts) for facts in found])
    return Batch(scores=[Score(**facts) for facts in found])


def _calls(database: Database, keys: Sequence[Place]) -> Batch:
    if not keys:
        return Batch()
    sizes = {
        row[0]: row[1]
        for row in database.query(
            "SELECT call_id, argMax(ifNull(length(request), 0) + ifNull(length(response), 0), version) "
            f"FROM llm_bodies WHERE {_at(keys, 'call_id')} GROUP BY call_id"
        )
    }
    some, left = list[Place](), _LARGEST
    for key in keys:
        left -= sizes.get(key[1], 0)
        if left < 0 and some:
            break
        some.append(key)
    bodies = {}
    if any(key[1] in sizes for key in some):
        rows = database.query(
            f"SELECT call_id, request, response FROM llm_bodies WHERE {_at(some, 'call_id')} "
            "ORDER BY version DESC LIMIT 1 BY call_id"
        )
        bodies = {row[0]: Body(request=row[1], response=row[2]) for row in rows}
    rows = database.query(
        f"SELECT {read('llm_calls', CALLS)} FROM llm_calls WHERE {_at(some, 'id')} AND sign = 1 "
        "ORDER BY timestamp, id, version DESC LIMIT 1 BY timestamp, id"
    )
    return Batch(calls=[from_row(texts_as_none("llm_calls", CALLS, row), bodies.get(row[0])) for row in rows])


def _at(keys: Sequence[Place], name: str) -> str:
    moments, ids = among(sorted({key[0] for key in keys})), among(key[1] for key in keys)
    return f"timestamp IN {moments} AND {name} IN {ids}"


def _behind(after: Place | None) -> str:
    if after is None:
        return "1"
    moment, id_ = literal(after[0]), literal(after[1])
    return f"timestamp >= {moment} AND (timestamp > {moment} OR id > {id_})"
