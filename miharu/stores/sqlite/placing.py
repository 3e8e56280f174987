"""Finding the call that each new score counts for: a few at a time, between batches."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from miharu.stores.pace import Pace
from miharu.stores.sqlite.references import lookup

__all__ = ("is_unplaced", "place_new", "place_some")

_FIRST, _MOST = 40, 400
_NEAR = 50
"""Calls before a score among which its own is looked for first: often it has just been made."""
_WAITED_FOR_MS = 60_000
"""How long a score waits for its call, which another process may store later."""
_OF_CALL = "timestamp, id, model, provider, route, service, user_id, prompt_name, prompt_hash"
Facts = tuple[Any, ...]
"""Of a call: its timestamp, its id and its keys."""


def is_unplaced(connection: sqlite3.Connection) -> bool:
    """Whether there are scores that count for no call yet."""
    return connection.execute("SELECT 1 FROM miharu_unplaced LIMIT 1").fetchone() is not None


def place_new(connection: sqlite3.Connection) -> None:
    """Note for some scores what they count for, where that is seen at a glance."""
    rows = _unplaced(connection, _FIRST)
    _place(connection, rows, _seen_at_once(connection, rows), before=0)


def place_some(connection: sqlite3.Connection, now: int, pace: Pace) -> bool:
    """Note for some scores what they count for; whether that was anything.

    Args:
        connection: Inside a transaction that may write.
        now: Unix milliseconds.
        pace: How much a step takes on: a trace may have any number of calls.
    """
    if not is_unplaced(connection):
        return False
    rows = _unplaced(connection, min(_MOST, pace.most("place", _FIRST)))
    found = _seen_at_once(connection, rows)
    left = [row for row in rows if row[5] and not row[4] and row[0] not in found]
    traces = _traces(connection, {row[5] for row in left}, max((row[1] for row in left), default=0))
    for id_, at, *_, trace_id in left:
        if (call := _last(traces.get(trace_id, ()), at)) is not None:
            found[id_] = call
    pace.did(len(rows))
    return _place(connection, rows, found, before=now - _WAITED_FOR_MS)


def _unplaced(connection: sqlite3.Connection, most: int) -> list[Facts]:
    """Of some: id, time, name and value, and the call or the trace."""
    return connection.execute(
        "SELECT score_id, llm_scores.timestamp, name, value, call_id, trace_id FROM miharu_unplaced "
        "LEFT JOIN llm_scores ON id = score_id ORDER BY score_id LIMIT ?",
        (most,),
    ).fetchall()


def _seen_at_once(connection: sqlite3.Connection, rows: Sequence[Facts]) -> dict[str, Facts]:
    """The calls of scores that name one, or whose trace has one right before them."""
    calls = _calls(connection, [row[4] for row in rows if row[4]])
    found = {row[0]: calls[row[4]] for row in rows if row[4] in calls}
    for id_, at, _, _, call_id, trace_id in rows:
        if trace_id and not call_id and (call := _near(connection, trace_id, at)) is not None:
            found[id_] = call
    return found


def _place(
    connection: sqlite3.Connection, rows: Sequence[Facts], found: Mapping[str, Facts], before: int
) -> bool:
    """Note what was found, and give up what is older; whether that was anything."""
    done = []
    for id_, at, name, value, *_ in rows:
        if (call := found.get(id_)) is not None:
            placed = (call[0], name, id_, value, *call[1:])
            marks = ", ".join("?" * len(placed))
            connection.execute(f"INSERT OR REPLACE INTO miharu_scored VALUES ({marks})", placed)
        if call is not None or at is None or at < before:
            done.append((id_,))
    connection.executemany("DELETE FROM miharu_unplaced WHERE score_id = ?", done)
    return bool(done)


def _near(connection: sqlite3.Connection, trace_id: str, at: int) -> Facts | None:
    """The last call of the trace that had begun by then, if it is one of the last of all."""
    found: Facts | None = connection.execute(
        f"SELECT {_OF_CALL} FROM (SELECT trace_id, {_OF_CALL} FROM llm_calls WHERE timestamp <= ? "
        "ORDER BY timestamp DESC, id DESC LIMIT ?) WHERE trace_id = ? "
        "ORDER BY timestamp DESC, id DESC LIMIT 1",
        (at, _NEAR, trace_id),
    ).fetchone()
    return found


def _calls(connection: sqlite3.Connection, ids: Sequence[str]) -> Mapping[str, Facts]:
    marks = ", ".join("?" * len(ids))
    found = connection.execute(f"SELECT {_OF_CALL} FROM llm_calls WHERE id IN ({marks})", ids)
    return {row[1]: row for row in found}


def _traces(connection: sqlite3.Connection, ids: Iterable[str], newest: int) -> Mapping[str, list[Facts]]:
    """The calls of these traces up to a moment."""
    names = {f"trace{number}": id_ for number, id_ in enumerate(ids)}
    if not names:
        return {}
    condition = lookup("trace_id", list(names))
    among = ", ".join(f":{name}" for name in names)
    traces: dict[str, list[Facts]] = {}
    for trace_id, *facts in connection.execute(
        f"SELECT trace_id, {_OF_CALL} FROM llm_calls WHERE {condition} AND trace_id IN ({among})",
        {**names, "start": 0, "end": newest + 1},
    ):
        traces.setdefault(trace_id, []).append(tuple(facts))
    return traces


def _last(calls: Iterable[Facts], at: int) -> Facts | None:
    """The last that had begun by then."""
    return max((call for call in calls if call[0] <= at), key=lambda call: call[:2], default=None)
