"""What a batch adds: what is not there yet, in a few large inserts.

Spans, scores, markers and bodies come before the calls. A batch that breaks off in between is brought again,
and what is there already is not added twice: calls and markers are looked up first, the others are told apart
by their ids.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from miharu.batch import Batch, Marker, Score, Span
from miharu.call import Call
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.client.literals import among
from miharu.stores.clickhouse.tables.measures import UNTIMED
from miharu.stores.clickhouse.tables.schema import TYPES
from miharu.stores.clickhouse.writing.changing import complete, said_of
from miharu.stores.columns import CALLS, to_plain_row, to_row
from miharu.stores.words import TextsOf

__all__ = ("add", "first_row")

_ASKED_AT_ONCE = 1000
"""Ids in a statement, whose length is limited."""
_INSERTED_AT_ONCE = 50_000
"""Calls in an insert: the server must not divide it."""
_LARGE = 1000
"""Calls that are worth an insert of their own; fewer are put together by the server with those of others."""
_EMPTY = frozenset(
    CALLS.index(name)
    for name in (
        *("model", "provider", "route", "service", "error_type", "user_id"),
        *("prompt_name", "prompt_hash"),
    )
) | {CALLS.index(name) for name in ("session_id", "trace_id")}
_DURATION = CALLS.index("duration_bucket")


def add(database: Database, batch: Batch, texts: TextsOf | None = None) -> int:
    """Keep what is not there yet; how many calls were new."""
    _add_plain(database, "llm_spans", batch.spans)
    _add_plain(database, "llm_scores", batch.scores)
    _add_plain(database, "llm_markers", _new_markers(database, batch.markers))
    calls = sorted(batch.calls, key=lambda call: (call.timestamp, call.id))
    new = _insert(database, [call for call in calls if not call.completes], texts)
    for call in calls:
        if call.completes and not complete(database, call, texts):
            new += _insert(database, [call], texts)
    return new


def first_row(call: Call) -> list[Any]:
    """The row of a call that is new; where a text may not be ``None`` it is empty."""
    row = list(to_row(call))
    for place in _EMPTY:
        if row[place] is None:
            row[place] = ""
    if row[_DURATION] is None:
        row[_DURATION] = UNTIMED
    return [*row, 1, 1]


def _insert(database: Database, calls: Sequence[Call], texts: TextsOf | None) -> int:
    known = _known(database, calls)
    new = {call.id: call for call in calls if call.id not in known}  # once, where a batch has one twice
    ids = list(new)
    for start in range(0, len(ids), _INSERTED_AT_ONCE):
        _insert_new(database, {id_: new[id_] for id_ in ids[start : start + _INSERTED_AT_ONCE]}, texts)
    return len(new)


def _insert_new(database: Database, new: Mapping[str, Call], texts: TextsOf | None) -> None:
    bodies = [
        [call.id, call.timestamp, 1, call.body.request, call.body.response, *said_of(call, texts)]
        for call in new.values()
        if call.body is not None
    ]
    rows = [first_row(call) for call in new.values()]
    large = len(rows) >= _LARGE
    token = _token(new)
    if bodies:
        database.insert("llm_bodies", TYPES["llm_bodies"], bodies, token=f"bodies {token}", at_once=large)
    database.insert("llm_calls", TYPES["llm_calls"], rows, token=f"calls {token}", at_once=large)


def _known(database: Database, calls: Sequence[Call]) -> set[str]:
    """Ids of those calls that are there."""
    found: set[str] = set()
    for start in range(0, len(calls), _ASKED_AT_ONCE):
        some = calls[start : start + _ASKED_AT_ONCE]
        moments, ids = among(sorted({call.timestamp for call in some})), among(call.id for call in some)
        rows = database.query(f"SELECT id FROM llm_calls WHERE timestamp IN {moments} AND id IN {ids}")
        found |= {row[0] for row in rows}
    return found


def _new_markers(database: Database, markers: Sequence[Marker]) -> Sequence[Marker]:
    """Those that are not there yet: of several with the same id the first one is kept."""
    if not markers:
        return ()
    ids = among(marker.id for marker in markers)
    known = {row[0] for row in database.query(f"SELECT id FROM llm_markers WHERE id IN {ids}")}
    return [marker for marker in markers if marker.id not in known]


def _add_plain(
    database: Database, table: str, values: Sequence[Span] | Sequence[Score] | Sequence[Marker]
) -> None:
    if values:
        rows = [list(to_plain_row(value)) for value in values]
        database.insert(table, TYPES[table], rows, token=f"{table} {_token(value.id for value in values)}")


def _token(ids: Iterable[str]) -> str:
    """The same for the same ids."""
    return blake2b("\n".join(sorted(ids)).encode("utf-8", "replace"), digest_size=16).hexdigest()
