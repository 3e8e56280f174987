"""What is kept, as it is kept: calls, sessions and scores."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from miharu.batch import Score
from miharu.call import Call
from miharu.stores.base import Query, Session
from miharu.stores.bodies import unpack
from miharu.stores.columns import (
    BODY_COLUMNS,
    CALL_COLUMNS,
    SCORE_COLUMNS,
    SCORES,
    from_row,
)
from miharu.stores.sql.ranks import in_full
from miharu.stores.sql.source import Engine, is_led, where
from miharu.stores.sql.sums import OF_CALLS, made
from miharu.stores.sql.windows import holding
from miharu.stores.words import FOUND

__all__ = ("call", "calls", "scores", "sessions")

_LOOKED_THROUGH = (1_000, 20_000)
"""The newest calls with a session, among which the newest sessions are looked for: at first, and at most."""
_LOOKED_FOR = 4
"""Times as many calls with the words as are asked for: where there are no other filters, that is enough."""
_NEWEST = "ORDER BY timestamp DESC, id DESC"


def calls(
    connection: Connection, engine: Engine, query: Query, limit: int = 50, before: str | None = None
) -> Sequence[Call]:
    until, at, unseen = query.end, 0, ""
    if before is not None:
        at = engine.when(before) if engine.when else _when(connection, before)
        until = min(until, at + 1)
        unseen = " AND (timestamp < :at OR id < :before)"
    seen = {"limit": limit, "at": at, "before": before}
    if not query.words:
        return _found(connection, _newest(connection, engine, query, until, limit), unseen, seen)
    query = replace(query, end=until)
    found: list[Call] = []
    for most in (_LOOKED_FOR * limit, FOUND):
        newest = _newest(connection, engine, query, until, limit)
        found = _found(connection, newest, unseen, {**seen, "words_most": most})
        if len(found) >= limit:
            break
    return found


def _found(connection: Connection, newest: "_Newest", unseen: str, values: Mapping[str, Any]) -> list[Call]:
    found = " UNION ALL ".join(
        "SELECT * FROM (SELECT timestamp AS top_timestamp, id AS top_id "
        f"{part}{unseen} ORDER BY {newest.when} DESC, id DESC LIMIT :limit) AS part{number}"
        for number, part in enumerate(newest.parts)
    )
    rows = connection.execute(
        text(in_full(f"{found} ORDER BY top_timestamp DESC, top_id DESC LIMIT :limit", _NEWEST)),
        {**newest.values, **values},
    )
    return [from_row(row) for row in rows]


class _Newest(NamedTuple):
    """Where the newest calls before a moment are."""

    parts: list[str]
    """Each as a ``FROM … WHERE …``."""
    when: str
    """What they are ordered by."""
    values: dict[str, Any]
    """Their parameters."""
    reached: int
    """From when on they hold all calls, Unix milliseconds."""


def _newest(connection: Connection, engine: Engine, query: Query, until: int, limit: int) -> _Newest:
    """Where to look for the newest calls before that moment; so many of them, if there are."""
    windows = holding(connection, engine, replace(query, end=min(query.end, until)), limit)
    condition, values = where(connection, query, engine, led=windows is not None)
    values["until"] = until
    # a plus keeps the engine from walking through time where something else leads to few calls
    when = "timestamp" if windows is None and not is_led(connection, query, engine) else "+timestamp"
    if windows is None:
        return _Newest([f"FROM llm_calls WHERE {condition} AND {when} < :until"], when, values, query.start)
    marks = engine.marks(connection)
    values |= {**marks.values, "mark": marks.folded}
    parts = [f"FROM llm_calls WHERE {condition} AND {engine.above} AND {when} < :until"]
    if windows:
        parts.append(
            f"{engine.within(query, windows)} AND {condition} AND {engine.below} AND {when} < :until"
        )
    return _Newest(parts, when, values, windows[-1][0] if windows else query.start)


def sessions(
    connection: Connection, engine: Engine, query: Query, limit: int = 50, before: int | None = None
) -> Sequence[Session]:
    found: list[Session] = []
    until = query.end if before is None else min(before, query.end)
    looked, most = _LOOKED_THROUGH
    while len(found) < limit and until > query.start:
        ids, further = _candidates(connection, engine, query, until, limit=limit, looked=looked)
        until = min(further, until - 1)
        looked = min(most, 4 * looked)
        known = {session.id for session in found}
        made = _sessions(connection, engine, query, [id_ for id_ in ids if id_ not in known])
        found += [session for session in made if before is None or session.last < before]
    return found[:limit]


def _candidates(
    connection: Connection, engine: Engine, query: Query, until: int, *, limit: int, looked: int
) -> tuple[list[str], int]:
    """Sessions with calls before that moment, by the newest of these; and before which moment there are more.

    Calls of the millisecond at which it stopped are looked at again: there may be more of them.
    """
    newest = _newest(connection, engine, query, until, looked)
    found = " UNION ALL ".join(
        f"SELECT * FROM (SELECT session_id, timestamp {part} AND session_id IS NOT NULL "
        f"AND {newest.when} >= :reached ORDER BY {newest.when} DESC LIMIT :looked) AS part{number}"
        for number, part in enumerate(newest.parts)
    )
    rows = connection.execute(
        text(
            "SELECT session_id, max(timestamp) AS last, min(min(timestamp)) OVER () AS seen, "
            f"sum(count(*)) OVER () AS calls FROM ({found} ORDER BY timestamp DESC LIMIT :looked) AS newest "
            "GROUP BY session_id ORDER BY last DESC, 1 LIMIT :limit"
        ),
        {**newest.values, "reached": newest.reached, "looked": looked, "limit": limit},
    ).all()
    if len(rows) == limit:
        further = 1 + rows[-1].last
    elif rows and rows[0].calls == looked:
        further = 1 + rows[0].seen
    else:  # that is all of them
        further = newest.reached
    return [row.session_id for row in rows], further


def _sessions(connection: Connection, engine: Engine, query: Query, ids: Sequence[str]) -> list[Session]:
    if not ids:
        return []
    names = {f"session{number}": id_ for number, id_ in enumerate(ids)}
    condition, values = where(connection, query, engine, ("session_id", list(names)))
    rows = connection.execute(
        text(
            "SELECT session_id, max(user_id) AS user_id, min(timestamp) AS first, max(timestamp) AS last, "
            f"{OF_CALLS} FROM llm_calls WHERE {condition} GROUP BY session_id ORDER BY last DESC, session_id"
        ),
        {**values, **names},
    )
    return [
        Session(id=row.session_id, user_id=row.user_id, first=row.first, last=row.last, totals=made(row[4:]))
        for row in rows
    ]


def _when(connection: Connection, id: str) -> int:  # noqa: A002 - the column's name
    """When the call started; its id tells, where it is there no more."""
    found = connection.execute(text("SELECT timestamp FROM llm_calls WHERE id = :id"), {"id": id}).scalar()
    if found is not None:
        return int(found)
    try:
        return int(id[:8] + id[9:13], 16)
    except ValueError:
        return 2**62


def call(connection: Connection, engine: Engine, id: str) -> Call | None:  # noqa: A002, ARG001 - the column's name; as its siblings
    values = {"id": id}
    row = connection.execute(text(f"SELECT {CALL_COLUMNS} FROM llm_calls WHERE id = :id"), values).first()
    if row is None:
        return None
    body = connection.execute(
        text(f"SELECT {BODY_COLUMNS} FROM llm_bodies WHERE call_id = :id"), values
    ).first()
    return from_row(row, unpack(body.request, body.response) if body is not None else None)


def scores(
    connection: Connection,
    engine: Engine,  # noqa: ARG001 - as its siblings
    *,
    call_id: str | None = None,
    trace_id: str | None = None,
) -> Sequence[Score]:
    rows = connection.execute(
        text(
            f"SELECT {SCORE_COLUMNS} FROM llm_scores WHERE call_id = :call OR trace_id = :trace "
            "ORDER BY timestamp, id LIMIT 1000"
        ),
        {"call": call_id, "trace": trace_id},
    ).mappings()
    return [Score(**{name: row[name] for name in SCORES}) for row in rows]
