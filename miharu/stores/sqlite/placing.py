"""Finding the call that each new score counts for: a few at a time, between batches."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from miharu.stores.sqlite.references import lookup

__all__ = ("is_unplaced", "place_some")

_AT_ONCE = 40
_WAITED_FOR_MS = 60_000
"""How long a score waits for its call, which another process may store later."""
_OF_CALL = "timestamp, id, model, provider, route, service, user_id, prompt_name, prompt_hash"
Facts = tuple[Any, ...]
"""Of a call: its timestamp, its id and its keys."""


def is_unplaced(connection: sqlite3.Connection) -> bool:
    """Whether there are scores that count for no call yet."""
    return connection.execute("SELECT 1 FROM miharu_unplaced LIMIT 1").fetchone() is not None


def place_some(connection: sqlite3.Connection, now: int) -> bool:
    """Note for some scores what they count for; whether that was anything.

    Args:
        connection: Inside a transaction that may write.
        now: Unix milliseconds.
    """
    rows = connection.execute(
        "SELECT score_id, llm_scores.timestamp, name, value, call_id, trace_id FROM miharu_unplaced "
        "LEFT JOIN llm_scores ON id = score_id ORDER BY score_id LIMIT ?",
        (_AT_ONCE,),
    ).fetchall()
    calls = _calls(connection, [row[4] for row in rows if row[4]])
    traces = _traces(connection, {row[5] for row in rows if row[5] and not row[4]})
    done = []
    for id_, at, name, value, call_id, trace_id in rows:
        found = calls.get(call_id) if call_id else _last(traces.get(trace_id, ()), at)
        if found is not None:
            placed = (found[0], name, id_, value, *found[1:])
            marks = ", ".join("?" * len(placed))
            connection.execute(f"INSERT OR REPLACE INTO miharu_scored VALUES ({marks})", placed)
        if found is not None or at is None or at < now - _WAITED_FOR_MS:
            done.append((id_,))
    connection.executemany("DELETE FROM miharu_unplaced WHERE score_id = ?", done)
    return bool(done)


def _calls(connection: sqlite3.Connection, ids: Sequence[str]) -> Mapping[str, Facts]:
    marks = ", ".join("?" * len(ids))
    found = connection.execute(f"SELECT {_OF_CALL} FROM llm_calls WHERE id IN ({marks})", ids)
    return {row[1]: row for row in found}


def _traces(connection: sqlite3.Connection, ids: Iterable[str]) -> Mapping[str, list[Facts]]:
    """The calls of these traces."""
    names = {f"trace{number}": id_ for number, id_ in enumerate(ids)}
    if not names:
        return {}
    condition = lookup("trace_id", list(names))
    among = ", ".join(f":{name}" for name in names)
    traces: dict[str, list[Facts]] = {}
    for trace_id, *facts in connection.execute(
        f"SELECT trace_id, {_OF_CALL} FROM llm_calls WHERE {condition} AND trace_id IN ({among})",
        {**names, "start": 0, "end": 2**62},
    ):
        traces.setdefault(trace_id, []).append(tuple(facts))
    return traces


def _last(calls: Iterable[Facts], at: int) -> Facts | None:
    """The last that had begun by then."""
    return max((call for call in calls if call[0] <= at), key=lambda call: call[:2], default=None)
