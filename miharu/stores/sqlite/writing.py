"""What changes in the file: plain functions over a connection inside a transaction."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from miharu.batch import Batch
from miharu.call import Call, Cost
from miharu.stores.bodies import pack
from miharu.stores.columns import CALLS, SCORES, SPANS, to_plain_row, to_row
from miharu.stores.sqlite.tending import changing, forgotten

__all__ = ("add", "prune", "prune_content", "reprice")

ROWS_PER_STATEMENT = (500, 100, 20, 5, 1)
"""Multi-row VALUES, because ``executemany`` would give up the GIL for each row; and few different statements,
because each connection caches those that it has seen."""
_CLOCKS_APART_MS = 120_000
"""How far the provider's clock may be from ours."""
_OPENED = {
    *("id", "timestamp", "request_model", "sdk", "stream", "attempt", "call_group", "body_hash", "service"),
    *("route", "host_request_id", "user_id", "session_id", "trace_id", "span_id", "parent_id", "tags"),
    *("request_id", "api", "provider", "host", "ttft_ms", "ttft_bucket", "duplicate_of"),
}
_COMPLETED = tuple(name for name in CALLS if name not in _OPENED)
"""What the end of a background call may still change; the rest stays as it was opened."""
_COSTS = ("cost_nanousd", "cost_source", "price_version")


def add(connection: Connection, batch: Batch) -> int:
    """Keep what is not there yet; how many calls were new."""
    new = _add(connection, [call for call in batch.calls if not call.completes])
    for call in batch.calls:
        if call.completes and not _complete(connection, call):
            new += _add(connection, [call])
    _insert(connection, "llm_spans", SPANS, [to_plain_row(span) for span in batch.spans])
    _insert(connection, "llm_scores", SCORES, [to_plain_row(score) for score in batch.scores])
    _moved(connection)
    return new


def reprice(connection: Connection, costs: Mapping[str, Cost | None]) -> int:
    """Give those calls their new costs; how many were there."""
    found = 0
    changing(connection, list(costs), out=True)
    for id_, cost in costs.items():
        values = [getattr(cost, name, None) for name in _COSTS]
        found += connection.exec_driver_sql(
            f"UPDATE llm_calls SET {', '.join(f'{name} = ?' for name in _COSTS)} WHERE id = ?",
            (*values, id_),
        ).rowcount
    changing(connection, list(costs), out=False)
    _moved(connection)
    return found


def prune(connection: Connection, before: int, most: int) -> int:
    """Forget the oldest calls, spans and scores, up to that many of each; how many calls."""
    oldest = connection.exec_driver_sql(
        "SELECT id FROM llm_calls WHERE timestamp < ? ORDER BY timestamp LIMIT ?", (before, most)
    )
    gone = list(oldest.scalars())
    changing(connection, gone, out=True)
    for column, table in (("call_id", "llm_bodies"), ("id", "llm_calls")):
        marks = ", ".join("?" * len(gone))
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE {column} IN ({marks})", tuple(gone))
    for table in ("llm_spans", "llm_scores"):
        old = f"SELECT rowid FROM {table} WHERE timestamp < ? ORDER BY timestamp LIMIT ?"
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE rowid IN ({old})", (before, most))
    if gone:
        forgotten(connection, before)
        _moved(connection)
    return len(gone)


def prune_content(connection: Connection, before: int, most: int) -> int:
    """Forget the oldest bodies, up to that many; how many."""
    oldest = "SELECT rowid FROM llm_bodies WHERE timestamp < ? ORDER BY timestamp LIMIT ?"
    return connection.exec_driver_sql(
        f"DELETE FROM llm_bodies WHERE rowid IN ({oldest})", (before, most)
    ).rowcount


def _add(connection: Connection, calls: Sequence[Call]) -> int:
    new = _insert(connection, "llm_calls", CALLS, [to_row(call) for call in calls])
    bodies = [
        (call.id, call.timestamp, pack(call.body.request), pack(call.body.response))
        for call in calls
        if call.body
    ]
    _insert(connection, "llm_bodies", ("call_id", "timestamp", "request", "response"), bodies)
    return new


def _complete(connection: Connection, call: Call) -> bool:
    """Give the call that was opened before its end; whether it is here, complete now or already.

    It is looked for around its beginning, so that no index by response is needed.
    """
    window = (call.response_id, call.timestamp - _CLOCKS_APART_MS, call.timestamp + _CLOCKS_APART_MS)
    where = "response_id = ? AND timestamp BETWEEN ? AND ?"
    found = connection.exec_driver_sql(f"SELECT id, usage_source FROM llm_calls WHERE {where}", window).all()
    values = dict(zip(CALLS, to_row(call), strict=True))
    for opened in (row.id for row in found if row.usage_source == "none"):
        changing(connection, [opened], out=True)
        connection.exec_driver_sql(
            f"UPDATE llm_calls SET {', '.join(f'{name} = ?' for name in _COMPLETED)} WHERE id = ?",
            (*(values[name] for name in _COMPLETED), opened),
        )
        changing(connection, [opened], out=False)
        if call.body is not None:  # the answer takes the place of the receipt
            connection.exec_driver_sql(
                "UPDATE llm_bodies SET response = ? WHERE call_id = ?", (pack(call.body.response), opened)
            )
    return bool(found)


def _insert(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> int:
    """Insert what is not there yet, and return how many that were."""
    marks, new, start = f"({', '.join('?' * len(columns))})", 0, 0
    for size in ROWS_PER_STATEMENT:
        while len(rows) - start >= size:
            new += connection.exec_driver_sql(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([marks] * size)} "
                "ON CONFLICT DO NOTHING",
                tuple(value for row in rows[start : start + size] for value in row),
            ).rowcount
            start += size
    return new


def _moved(connection: Connection) -> None:
    connection.exec_driver_sql("UPDATE miharu_meta SET value = value + 1 WHERE key = 'revision'")
