"""What changes on the server: plain functions over a connection inside a transaction."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, text

from miharu.batch import Batch
from miharu.call import Call, Cost, moment_of
from miharu.stores import ever, sql
from miharu.stores.base import Query
from miharu.stores.bodies import pack
from miharu.stores.changes import CLOCKS_APART_MS, COMPLETED, COSTS
from miharu.stores.columns import BODIES, CALLS, MARKERS, SCORES, SPANS, to_plain_row, to_row
from miharu.stores.postgres import changes
from miharu.stores.postgres.partitions import DAY_MS, drop
from miharu.stores.postgres.questions import ENGINE
from miharu.stores.postgres.rolling_up import BETWEEN, changing, execute_on, forget_day, forgotten
from miharu.stores.postgres.schema import SUMS, lock

__all__ = (
    "add",
    "copy",
    "count_in",
    "delete",
    "merge",
    "prune",
    "prune_content",
    "prune_day",
    "prune_rest",
    "reprice",
)

Row: TypeAlias = tuple[Any, ...]
Insert: TypeAlias = Callable[[Connection, str, Sequence[str], Sequence[Row]], int]


def add(connection: Connection, batch: Batch, insert: Insert) -> int:
    """Keep what is not there yet; how many calls were new."""
    if any(call.completes for call in batch.calls):
        lock(connection, SUMS)  # first of all: a transaction that holds it waits for no other
    # In the order of their keys: two that add the same would else wait for each other for ever.
    calls = sorted(batch.calls, key=lambda call: (call.timestamp, call.id))
    changes.note(connection, [call.timestamp for call in calls])
    new = _insert(connection, [call for call in calls if not call.completes], insert)
    for call in calls:
        if call.completes and not _complete(connection, call):
            new += _insert(connection, [call], insert)
    spans = [to_plain_row(span) for span in sorted(batch.spans, key=lambda span: span.id)]
    scores = [to_plain_row(score) for score in sorted(batch.scores, key=lambda score: score.id)]
    insert(connection, "llm_spans", SPANS, spans)
    insert(connection, "llm_scores", SCORES, scores)
    markers = [to_plain_row(marker) for marker in sorted(batch.markers, key=lambda marker: marker.id)]
    insert(connection, "llm_markers", MARKERS, markers)
    return new


def copy(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> int:
    """Insert rows that are all new; the quickest way there is."""
    if rows:
        adapted: Any = connection.connection.dbapi_connection
        adapted.run_async(lambda driver: driver.copy_records_to_table(table, records=rows, columns=columns))
    return len(rows)


def merge(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> int:
    """Insert what is not there yet, and return how many that were."""
    if not rows:
        return 0
    known = connection.exec_driver_sql(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = to_regclass($1)",
        (table,),
    )
    types = {row.attname: row.format_type for row in known}
    values = ", ".join(f"${place}::{types[name]}[]" for place, name in enumerate(columns, start=1))
    return connection.exec_driver_sql(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({values}) ON CONFLICT DO NOTHING",
        tuple(list(column) for column in zip(*rows, strict=True)),
    ).rowcount


def reprice(connection: Connection, costs: Mapping[str, Cost | None]) -> int:
    """Give those calls their new costs; how many were there."""
    keys = [(moment, id_) for id_ in costs if (moment := moment_of(id_)) is not None]
    if not keys:
        return 0
    lock(connection, SUMS)
    changes.note(connection)
    before = _counted(connection, keys)
    changing(connection, keys, out=True)
    moments, ids = ([key[place] for key in keys] for place in (0, 1))
    news = ([getattr(costs[id_], name, None) for _, id_ in keys] for name in COSTS)
    found = connection.exec_driver_sql(
        f"UPDATE llm_calls SET {', '.join(f'{name} = new.{name}' for name in COSTS)} "
        "FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[]) "
        f"AS new (timestamp, id, {', '.join(COSTS)}) "
        "WHERE llm_calls.timestamp BETWEEN $6 AND $7 "
        "AND llm_calls.timestamp = new.timestamp AND llm_calls.id = new.id",
        (moments, ids, *news, min(moments), max(moments)),
    ).rowcount
    changing(connection, keys, out=False)
    _keep(connection, ever.lost(before, _counted(connection, keys)))
    return found


def prune(connection: Connection, before: int, most: int) -> int:
    """Forget the oldest calls and their bodies, up to that many; how many."""
    lock(connection, SUMS)
    gone = _oldest(connection, "llm_calls", "id", before, most)
    if gone:
        changes.note(connection)
        _keep(connection, _counted(connection, gone))
        changing(connection, gone, out=True)
        delete(connection, "llm_bodies", "call_id", gone)
        delete(connection, "llm_calls", "id", gone)
        forgotten(connection, before)
    return len(gone)


def prune_content(connection: Connection, before: int, most: int) -> int:
    """Forget the oldest bodies, up to that many; how many."""
    gone = _oldest(connection, "llm_bodies", "call_id", before, most)
    delete(connection, "llm_bodies", "call_id", gone)
    return len(gone)


def prune_rest(connection: Connection, before: int, most: int) -> int:
    """Forget the oldest spans, scores and markers, up to that many of each; how many in all."""
    forgotten_now = 0
    for table in ("llm_spans", "llm_scores", "llm_markers"):
        gone = _oldest(connection, table, "id", before, most)
        delete(connection, table, "id", gone)
        forgotten_now += len(gone)
    return forgotten_now


def prune_day(connection: Connection, day: int, tables: Sequence[str]) -> int | None:
    """Forget a whole day: how many were in the first table, or ``None`` while another session uses it."""
    lock(connection, SUMS)
    span = (day * DAY_MS, (day + 1) * DAY_MS)
    gone = connection.exec_driver_sql(
        f"SELECT count(*) FROM {tables[0]} WHERE timestamp >= $1 AND timestamp < $2", span
    ).scalar_one()
    counted = ever.Ever()
    if "llm_calls" in tables:
        counted = sql.ever(connection, ENGINE, Query(start=span[0], end=span[1]))
    if not drop(connection, [(table, day) for table in tables]):
        return None
    if "llm_calls" in tables:
        _keep(connection, counted)
        forget_day(connection, day)
        changes.note(connection)
    return int(gone)


def _insert(connection: Connection, calls: Sequence[Call], insert: Insert) -> int:
    new = insert(connection, "llm_calls", CALLS, [to_row(call) for call in calls])
    bodies = [
        (call.id, call.timestamp, pack(call.body.request), pack(call.body.response))
        for call in calls
        if call.body
    ]
    insert(connection, "llm_bodies", BODIES, bodies)
    return new


def _complete(connection: Connection, call: Call) -> bool:
    """Give the call that was opened before its end; whether it is here, complete now or already.

    It is looked for around its beginning, so that no index by response is needed.
    """
    found = connection.exec_driver_sql(
        "SELECT timestamp, id, usage_source FROM llm_calls "
        "WHERE response_id = $1 AND timestamp BETWEEN $2 AND $3",
        (call.response_id, call.timestamp - CLOCKS_APART_MS, call.timestamp + CLOCKS_APART_MS),
    ).all()
    values = dict(zip(CALLS, to_row(call), strict=True))
    news = ", ".join(f"{name} = ${place}" for place, name in enumerate(COMPLETED, start=3))
    for key in ((row.timestamp, row.id) for row in found if row.usage_source == "none"):
        before = _counted(connection, [key])
        changing(connection, [key], out=True)
        connection.exec_driver_sql(
            f"UPDATE llm_calls SET {news} WHERE timestamp = $1 AND id = $2",
            (*key, *(values[name] for name in COMPLETED)),
        )
        changing(connection, [key], out=False)
        _keep(connection, ever.lost(before, _counted(connection, [key])))
        if call.body is not None:  # the answer takes the place of the receipt
            connection.exec_driver_sql(
                "UPDATE llm_bodies SET response = $3, said = NULL WHERE timestamp = $1 AND call_id = $2",
                (*key, pack(call.body.response)),
            )
    return bool(found)


def _counted(connection: Connection, keys: Sequence[tuple[int, str]]) -> ever.Ever:
    """Counters of those calls alone."""
    if not keys:
        return ever.Ever()
    moments, ids = ([key[place] for key in keys] for place in (0, 1))
    values = {"first": min(moments), "last": max(moments), "ids": ids}
    return ever.of_calls(execute_on(connection), f"{BETWEEN} AND id = ANY(:ids)", values)


def _keep(connection: Connection, gone: ever.Ever) -> None:
    ever.keep(lambda statement, rows: connection.execute(text(statement), rows), gone)


def _oldest(connection: Connection, table: str, key: str, before: int, most: int) -> list[tuple[int, str]]:
    rows = connection.exec_driver_sql(
        f"SELECT timestamp, {key} FROM {table} WHERE timestamp < $1 ORDER BY timestamp LIMIT $2",
        (before, most),
    )
    return [(moment, id_) for moment, id_ in rows]


def count_in(connection: Connection, keys: Sequence[tuple[int, str]]) -> None:
    """Go on counting calls that are about to be deleted."""
    _keep(connection, _counted(connection, keys))


def delete(connection: Connection, table: str, key: str, rows: Sequence[tuple[int, str]]) -> int:
    """Delete those rows, by their moments and keys; how many were there."""
    if not rows:
        return 0
    moments, keys = ([row[place] for row in rows] for place in (0, 1))
    return connection.exec_driver_sql(
        f"DELETE FROM {table} WHERE timestamp BETWEEN $1 AND $2 AND {key} = ANY($3)",
        (min(moments), max(moments), keys),
    ).rowcount
