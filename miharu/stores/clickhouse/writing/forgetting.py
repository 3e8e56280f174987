"""Pruning, and retention.

A month that is old as a whole is dropped. Of others the old rows are marked as deleted, which the engine does
for any number at once, so that small steps would only cost more. Retention needs neither: each table is told
how long its rows are kept, and the engine forgets them as it merges.
"""

from collections.abc import Sequence
from time import time_ns

from miharu.stores.base import Forgotten, Whose
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.client.literals import among, literal
from miharu.stores.clickhouse.tables.schema import local, on_cluster

__all__ = ("changed", "forget", "keep_for", "prune")

_FEW = 1000
"""Fewer than that are counted out, if no more are to be forgotten."""
_NAMED = 2000
"""Keys in a condition."""
_KEYS = {
    "llm_calls": "id",
    "llm_bodies": "call_id",
    "llm_spans": "id",
    "llm_scores": "id",
    "llm_markers": "id",
}
_SECONDS = 2**32 - 1
"""The latest moment that a server can name in seconds."""


def prune(database: Database, before: int, *, content_only: bool, limit: int | None) -> int:
    """Forget what started before that moment; how many of the calls, or of their bodies."""
    tables = ("llm_bodies",) if content_only else tuple(_KEYS)
    if limit is not None and limit < _FEW:
        gone = _some(database, tables[0], before, limit)
        if not content_only:
            for table in tables[1:]:
                _delete(database, table, f"timestamp < {literal(before)}" if gone < limit else "0")
    else:
        gone = _counted(database, tables[0], f"timestamp < {literal(before)}")
        for table in tables:
            _drop_months(database, table, before)
            _delete(database, table, f"timestamp < {literal(before)}")
    if gone and not content_only:
        changed(database)
    return gone


def forget(database: Database, whose: Whose) -> Forgotten:
    """Forget all of some users and sessions; the engine marks any number at once.

    The calls go last: by them it is known what belongs to them, if this is begun anew.
    """
    theirs = " OR ".join(f"{column} IN {among(names)}" for column, names in whose.columns.items() if names)
    if not theirs:
        return Forgotten()
    gone = {"spans": 0, "scores": 0, "bodies": 0}
    calls = _counted(database, "llm_calls", theirs)
    for ids in _in_parts(_column(database, "id", theirs)):
        gone["bodies"] += _forgotten(database, "llm_bodies", f"call_id IN {among(ids)}")
        gone["scores"] += _forgotten(database, "llm_scores", f"call_id IN {among(ids)}")
    for traces in _in_parts(_column(database, "trace_id", f"({theirs}) AND trace_id <> ''")):
        others = {*_column(database, "trace_id", f"trace_id IN {among(traces)} AND NOT ({theirs})")}
        if not (ids := [trace for trace in traces if trace not in others]):
            continue
        gone["spans"] += _forgotten(database, "llm_spans", f"trace_id IN {among(ids)}")
        gone["scores"] += _forgotten(database, "llm_scores", f"trace_id IN {among(ids)}")
    for traces in _in_parts(_column(database, "trace_id", theirs, table="llm_spans")):
        gone["spans"] += _forgotten(database, "llm_spans", f"trace_id IN {among(traces)} AND ({theirs})")
        named = f"trace_id IN {among(traces)}"
        left = {
            *_column(database, "trace_id", named, table="llm_spans"),
            *_column(database, "trace_id", named),
        }
        if ids := [trace for trace in traces if trace not in left]:
            gone["scores"] += _forgotten(database, "llm_scores", f"trace_id IN {among(ids)}")
    _delete(database, "llm_calls", theirs)
    if calls or any(gone.values()):
        changed(database)
    return Forgotten(calls=calls, **gone)


def _forgotten(database: Database, table: str, condition: str) -> int:
    """Forget those rows; how many."""
    gone = _counted(database, table, condition)
    _delete(database, table, condition)
    return gone


def _column(database: Database, name: str, condition: str, *, table: str = "llm_calls") -> list[str]:
    return [row[0] for row in database.query(f"SELECT DISTINCT {name} FROM {table} WHERE {condition}")]


def _in_parts(keys: Sequence[str]) -> list[Sequence[str]]:
    """A condition may be only so long."""
    return [keys[start : start + _NAMED] for start in range(0, len(keys), _NAMED)]


def changed(database: Database) -> None:
    """Note that something is gone: of what is new the rows themselves tell."""
    now = time_ns() // 1000
    database.insert("miharu_changes", {"written": "Int64"}, [[now]], token=f"changed {now}", at_once=True)


def keep_for(database: Database, calls_ms: int | None, content_ms: int | None) -> None:
    """Tell each table how long its rows are kept; ``None`` leaves it as it is."""
    content = min((ms for ms in (calls_ms, content_ms) if ms is not None), default=None)
    for table in _KEYS:
        _keep(database, table, content if table == "llm_bodies" else calls_ms)


def _keep(database: Database, table: str, ms: int | None) -> None:
    if ms is None:
        return
    cluster = database.address.cluster
    name = local(table, cluster)
    ((made,),) = database.query(
        "SELECT create_table_query FROM system.tables "
        f"WHERE database = currentDatabase() AND name = {literal(name)}"
    )
    expires = f"intDiv(timestamp, 1000) + {-(-ms // 1000)}, {_SECONDS}"
    if expires not in made:
        ttl = f"toDateTime(least({expires}))"
        database.command(f"ALTER TABLE {name}{on_cluster(cluster)} MODIFY TTL {ttl}")


def _some(database: Database, table: str, before: int, limit: int) -> int:
    """Forget the oldest, up to that many; how many."""
    key = _KEYS[table]
    rows = database.query(
        f"SELECT timestamp, {key} FROM {table} WHERE timestamp < {literal(before)} "
        f"ORDER BY timestamp, {key} LIMIT 1 BY {key} LIMIT {int(limit)}"
    )
    if rows:
        last = f"({literal(rows[-1][0])}, {literal(rows[-1][1])})"
        _delete(database, table, f"timestamp <= {literal(rows[-1][0])} AND (timestamp, {key}) <= {last}")
    return len(rows)


def _counted(database: Database, table: str, condition: str) -> int:
    what = "sum(sign)" if table == "llm_calls" else f"uniqExact({_KEYS[table]})"
    return int(database.query(f"SELECT {what} FROM {table} WHERE {condition}")[0][0])


def _drop_months(database: Database, table: str, before: int) -> None:
    rows = database.query(f"SELECT _partition_id, max(timestamp) FROM {table} GROUP BY _partition_id")
    cluster = database.address.cluster
    for partition in sorted({row[0] for row in rows if row[1] < before}):
        database.command(
            f"ALTER TABLE {local(table, cluster)}{on_cluster(cluster)} DROP PARTITION ID {literal(partition)}"
        )


def _delete(database: Database, table: str, condition: str) -> None:
    if _is_any(database, table, condition):
        cluster = database.address.cluster
        database.command(f"DELETE FROM {local(table, cluster)}{on_cluster(cluster)} WHERE {condition}")


def _is_any(database: Database, table: str, condition: str) -> bool:
    return bool(database.query(f"SELECT 1 FROM {table} WHERE {condition} LIMIT 1"))
