"""Calls in one SQLite file, shared by as many processes as there are.

schema.py    the tables, as numbered steps
database.py  the file, its connections and transactions
"""

import zlib
from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection, text

from miharu.call import Body, Call
from miharu.config import database_file
from miharu.stores import sql
from miharu.stores.base import Dimension, Group, Latency, Point, Query, Totals
from miharu.stores.columns import COLUMNS, to_row
from miharu.stores.sqlite.database import Database
from miharu.stores.sqlite.schema import prepare

__all__ = ("SQLiteStore",)

ROWS_PER_STATEMENT = (500, 100, 20, 5, 1)
"""Multi-row VALUES, because ``executemany`` would give up the GIL for each row; and few different statements,
because each connection caches those that it has seen."""
_PRUNED_AT_ONCE = 1000
_CLOCKS_APART_MS = 120_000
"""How far the provider's clock may be from ours."""
_OPENED = {
    *("id", "timestamp", "request_model", "sdk", "stream", "attempt", "call_group", "body_hash", "service"),
    *("route", "host_request_id", "user_id", "session_id", "trace_id", "span_id", "parent_id", "tags"),
    *("request_id", "api", "provider", "host", "ttft_ms"),
}
_COMPLETED = tuple(name for name in COLUMNS if name not in _OPENED)
"""What the end of a background call may still change; the rest stays as it was opened."""


class SQLiteStore:
    """Keeps calls in a file, or in memory for ``sqlite+aiosqlite:///:memory:``."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self._database = Database(database_file(url), read_only=read_only)

    async def open(self) -> None:
        await self._database.open(partial(prepare, name=self._database.name))

    async def add(self, batch: Sequence[Call]) -> int:
        return await self._database.write(partial(_add, batch=batch))

    async def revision(self) -> int:
        return await self._database.read(_revision)

    async def totals(self, query: Query) -> Totals:
        return await self._database.read(partial(sql.totals, query=query))

    async def latency(self, query: Query) -> Latency:
        return await self._database.read(partial(sql.latency, query=query))

    async def series(self, query: Query, step_ms: int, by: Dimension | None = None) -> Sequence[Point]:
        return await self._database.read(partial(sql.series, query=query, step_ms=step_ms, by=by))

    async def durations(self, query: Query, step_ms: int) -> Sequence[tuple[int, int, int]]:
        return await self._database.read(partial(sql.durations, query=query, step_ms=step_ms))

    async def groups(self, query: Query, by: Dimension) -> Sequence[Group]:
        return await self._database.read(partial(sql.groups, query=query, by=by))

    async def calls(self, query: Query, limit: int = 50, before: str | None = None) -> Sequence[Call]:
        return await self._database.read(partial(sql.calls, query=query, limit=limit, before=before))

    async def call(self, id: str) -> Call | None:  # noqa: A002 - the column's name
        return await self._database.read(partial(_call, id=id))

    async def prune(self, before: int) -> int:
        gone = 0
        while some := await self._database.write(partial(_prune, before=before)):
            gone += some
        return gone

    async def close(self) -> None:
        await self._database.close()


def _add(connection: Connection, batch: Sequence[Call]) -> int:
    rows = [to_row(call) for call in batch if not call.completes or not _complete(connection, call)]
    new = _insert(connection, "llm_calls", COLUMNS, rows)
    bodies = [(call.id, _pack(call.body.request), _pack(call.body.response)) for call in batch if call.body]
    _insert(connection, "llm_bodies", ("call_id", "request", "response"), bodies)
    connection.exec_driver_sql("UPDATE miharu_meta SET value = value + 1 WHERE key = 'revision'")
    return new


def _complete(connection: Connection, call: Call) -> bool:
    """Give the call that was opened before its end; whether it is here, complete now or already.

    It is looked for around its beginning, so that no index by response is needed.
    """
    window = (call.response_id, call.timestamp - _CLOCKS_APART_MS, call.timestamp + _CLOCKS_APART_MS)
    where = "response_id = ? AND timestamp BETWEEN ? AND ?"
    values = dict(zip(COLUMNS, to_row(call), strict=True))
    if not connection.exec_driver_sql(f"SELECT 1 FROM llm_calls WHERE {where} LIMIT 1", window).first():
        return False
    connection.exec_driver_sql(
        f"UPDATE llm_calls SET {', '.join(f'{name} = ?' for name in _COMPLETED)} "
        f"WHERE {where} AND usage_source = 'none'",
        (*(values[name] for name in _COMPLETED), *window),
    )
    return True


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


def _revision(connection: Connection) -> int:
    return int(
        connection.exec_driver_sql("SELECT value FROM miharu_meta WHERE key = 'revision'").scalar_one()
    )


def _call(connection: Connection, id: str) -> Call | None:  # noqa: A002 - the column's name
    row = connection.execute(
        text("SELECT request, response FROM llm_bodies WHERE call_id = :id"), {"id": id}
    ).first()
    body = Body(request=_unpack(row.request), response=_unpack(row.response)) if row is not None else None
    return sql.call(connection, id, body)


def _prune(connection: Connection, before: int) -> int:
    oldest = "SELECT id FROM llm_calls WHERE timestamp < ? ORDER BY timestamp LIMIT ?"
    values = (before, _PRUNED_AT_ONCE)
    connection.exec_driver_sql(f"DELETE FROM llm_bodies WHERE call_id IN ({oldest})", values)
    return connection.exec_driver_sql(f"DELETE FROM llm_calls WHERE id IN ({oldest})", values).rowcount


def _pack(data: bytes | None) -> bytes | None:
    return None if data is None else zlib.compress(data, 1)


def _unpack(data: bytes | None) -> bytes | None:
    return None if data is None else zlib.decompress(data)
