"""What changes of a call: its end, and its price. No row is ever changed in its place.

The row as it was is written once more with ``sign`` -1, and beside it the row as it is now, in one insert: a
reader sees both or neither. Two processes that change the same call at once write under the same token, and
the server keeps the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from miharu.call import Body, Call, Cost, moment_of
from miharu.stores.changes import CLOCKS_APART_MS, COMPLETED, COSTS
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.client.literals import among, literal
from miharu.stores.clickhouse.tables.conditions import during
from miharu.stores.clickhouse.tables.schema import TYPES
from miharu.stores.columns import CALLS, to_row
from miharu.stores.words import ROLES, Spoken, TextsOf, spoken_in

__all__ = ("complete", "reprice", "said_of")

Row = tuple[Any, ...]
"""A row in the order of ``CALLS``, and its version."""
_WHOLE = f"{', '.join(CALLS)}, version"
_ID, _WHEN = CALLS.index("id"), CALLS.index("timestamp")
_CHANGED_AT_ONCE = 500


def complete(database: Database, call: Call, texts: TextsOf | None = None) -> bool:
    """Give the call that was opened before its end; whether it is here, complete now or already.

    It is looked for around its beginning, so that few calls are looked through.
    """
    around = during(call.timestamp - CLOCKS_APART_MS, call.timestamp + CLOCKS_APART_MS + 1)
    found = _newest(database, f"{around} AND response_id = {literal(call.response_id or '')}")
    values = dict(zip(CALLS, to_row(call), strict=True))
    news = {
        CALLS.index(name): "" if values[name] is None and _must_be_text(name) else values[name]
        for name in COMPLETED
    }
    opened = [row for row in found if row[CALLS.index("usage_source")] == "none"]
    if opened:
        _write(database, [(row, news) for row in opened])
    if call.body is not None:
        for row in opened:
            _answer(database, row, call, texts)
    return bool(found)


def reprice(database: Database, costs: Mapping[str, Cost | None]) -> int:
    """Give those calls their new costs; how many were there."""
    keys = [(moment, id_) for id_ in costs if (moment := moment_of(id_)) is not None]
    found = 0
    for start in range(0, len(keys), _CHANGED_AT_ONCE):
        some = keys[start : start + _CHANGED_AT_ONCE]
        moments, ids = among(sorted({key[0] for key in some})), among(key[1] for key in some)
        rows = _newest(database, f"timestamp IN {moments} AND id IN {ids}")
        changes = [(row, _new_cost(costs[row[_ID]])) for row in rows]
        _write(
            database,
            [(row, news) for row, news in changes if any(row[at] != new for at, new in news.items())],
        )
        found += len(rows)
    return found


def _new_cost(cost: Cost | None) -> dict[int, Any]:
    return {CALLS.index(name): getattr(cost, name, None) for name in COSTS}


def _must_be_text(name: str) -> bool:
    return "String" in TYPES["llm_calls"][name] and "Nullable" not in TYPES["llm_calls"][name]


def _newest(database: Database, condition: str) -> list[Row]:
    """The rows of those calls as they are now."""
    rows = database.query(
        f"SELECT {_WHOLE} FROM llm_calls WHERE {condition} AND sign = 1 "
        "ORDER BY timestamp, id, version DESC LIMIT 1 BY timestamp, id"
    )
    return [tuple(row) for row in rows]


def _write(database: Database, changes: Sequence[tuple[Row, Mapping[int, Any]]]) -> None:
    if not changes:
        return
    rows: list[list[Any]] = []
    for row, news in changes:
        values, version = list(row[:-1]), row[-1]
        rows.append([*values, version, -1])
        changed = [news.get(place, value) for place, value in enumerate(values)]
        rows.append([*changed, version + 1, 1])
    told_apart = "\n".join(f"{row[_ID]} {row[-1]}" for row, _ in changes)
    token = f"change {blake2b(told_apart.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"
    database.insert("llm_calls", TYPES["llm_calls"], rows, token=token, at_once=True)


def said_of(call: Call, texts: TextsOf | None) -> list[Any]:
    """The words of a call with its body, as columns: each between two spaces, so that none is part of one."""
    words = Spoken() if texts is None else spoken_in(call, texts)
    return [*(f" {said} " if (said := words.of(role)) else "" for role in ROLES), int(texts is not None)]


def _answer(database: Database, row: Row, call: Call, texts: TextsOf | None) -> None:
    """Put the answer in the place of the receipt."""
    key = f"timestamp = {row[_WHEN]} AND call_id = {literal(row[_ID])}"
    kept = database.query(
        f"SELECT version, request FROM llm_bodies WHERE {key} ORDER BY version DESC LIMIT 1"
    )
    if kept:
        ((version, request),) = kept
        response = call.body.response if call.body else None
        whole = replace(call, body=Body(request=_bytes(request), response=response))
        body = [row[_ID], row[_WHEN], version + 1, request, response, *said_of(whole, texts)]
        token = f"answer {row[_ID]} {version + 1}"
        database.insert("llm_bodies", TYPES["llm_bodies"], [body], token=token, at_once=True)


def _bytes(value: bytes | str | None) -> bytes | None:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
