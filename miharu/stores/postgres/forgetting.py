"""Forgetting users and sessions: some calls in each transaction, and of what is left the names."""

from collections.abc import Sequence

from sqlalchemy import Connection

from miharu.stores.base import Forgotten, Whose
from miharu.stores.postgres import changes
from miharu.stores.postgres.rolling_up import changing
from miharu.stores.postgres.schema import SUMS, lock
from miharu.stores.postgres.writing import count_in, delete
from miharu.stores.rollups import ROLLUPS

__all__ = ("forget_calls", "forget_names", "forget_spans")


def forget_calls(connection: Connection, whose: Whose, most: int) -> Forgotten:
    """Forget some calls of theirs, with all that belongs to them."""
    lock(connection, SUMS)
    rows = connection.exec_driver_sql(
        "SELECT timestamp, id, trace_id FROM llm_calls "
        "WHERE user_id = ANY($1::text[]) OR session_id = ANY($2::text[]) LIMIT $3",
        (list(whose.users), list(whose.sessions), most),
    ).all()
    if not rows:
        return Forgotten()
    keys = [(row.timestamp, row.id) for row in rows]
    changes.note(connection)
    count_in(connection, keys)
    changing(connection, keys, out=True)
    scores = _delete(connection, "llm_scores", "call_id", [row.id for row in rows])
    bodies = delete(connection, "llm_bodies", "call_id", keys)
    delete(connection, "llm_calls", "id", keys)
    traces = _without(connection, "llm_calls", {row.trace_id for row in rows if row.trace_id is not None})
    return Forgotten(
        calls=len(keys),
        bodies=bodies,
        spans=_delete(connection, "llm_spans", "trace_id", traces),
        scores=scores + _delete(connection, "llm_scores", "trace_id", traces),
    )


def forget_spans(connection: Connection, whose: Whose, most: int) -> Forgotten:
    """Forget some spans of theirs, and what was said of their traces where nothing else of these is left."""
    found = connection.exec_driver_sql(
        "DELETE FROM llm_spans WHERE id IN (SELECT id FROM llm_spans "
        "WHERE user_id = ANY($1::text[]) OR session_id = ANY($2::text[]) LIMIT $3) RETURNING trace_id",
        (list(whose.users), list(whose.sessions), most),
    )
    traces = [row.trace_id for row in found]
    if not traces:
        return Forgotten()
    changes.note(connection)
    rest = _without(connection, "llm_spans", _without(connection, "llm_calls", set(traces)))
    return Forgotten(spans=len(traces), scores=_delete(connection, "llm_scores", "trace_id", rest))


def forget_names(connection: Connection, whose: Whose) -> Forgotten:
    """Delete the sums that are kept by the names of users who have no call."""
    lock(connection, SUMS)
    back = connection.exec_driver_sql(
        "SELECT DISTINCT user_id FROM llm_calls WHERE user_id = ANY($1::text[])", (list(whose.users),)
    )
    gone = sorted({*whose.users} - set(back.scalars()))
    sums = 0
    for rollup in ROLLUPS if gone else ():
        if "user_id" in rollup.keys:
            over = "true" if rollup.largest else rollup.is_empty  # else it is a sum of calls to come
            sums += connection.exec_driver_sql(
                f"DELETE FROM {rollup.name} WHERE user_id = ANY($1::text[]) AND {over}", (gone,)
            ).rowcount
    connection.exec_driver_sql("DELETE FROM miharu_frequent WHERE user_id = ANY($1::text[])", (gone,))
    return Forgotten(sums=sums)


def _without(connection: Connection, table: str, traces: Sequence[str] | set[str]) -> list[str]:
    """Those of the traces of which nothing is in the table."""
    found = connection.exec_driver_sql(
        f"SELECT DISTINCT trace_id FROM {table} WHERE trace_id = ANY($1::text[])", (sorted(traces),)
    )
    return sorted(set(traces) - set(found.scalars()))


def _delete(connection: Connection, table: str, column: str, keys: Sequence[str]) -> int:
    return connection.exec_driver_sql(
        f"DELETE FROM {table} WHERE {column} = ANY($1::text[])", (list(keys),)
    ).rowcount
