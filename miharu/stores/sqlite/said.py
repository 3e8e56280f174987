"""The words of what was said, in SQLite's full-text index, made later in small steps.

miharu_said   the index: words of four speakers, and nothing of the text itself
miharu_words  which call each of its rows is, and its words packed: without them nothing could be taken out

The number of a row begins with the time of its call, so the newest are found first, and a range by it alone.
What is taken out leaves traces, until the parts of the index that hold them are merged: see ``merge``.
"""

import sqlite3
import zlib
from collections.abc import Collection, Sequence

from miharu.call import Call
from miharu.stores.bodies import unpack
from miharu.stores.columns import BODY_COLUMNS, CALL_COLUMNS, CALLS, from_row
from miharu.stores.pace import Pace
from miharu.stores.words import ROLES, Spoken, TextsOf, spoken_in

__all__ = (
    "DDL",
    "MARKS",
    "can_index",
    "due",
    "has_index",
    "is_due",
    "keep",
    "merge",
    "start_over",
    "take_out",
    "window",
)

DDL = (
    "CREATE TABLE miharu_words (id INTEGER PRIMARY KEY, call_id TEXT NOT NULL, said BLOB NOT NULL) STRICT",
    # Calls whose answer has come since their words were kept.
    "CREATE TABLE miharu_unsaid (call_id TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID, STRICT",
)
MARKS = {"worded": 1, "worded_at": 0, "words_gone": 0, "words_merging": 0, "words_merged_at": 0}
"""How far the index has come: ``worded`` is the first rowid of ``llm_bodies`` that is not in it, and
``worded_at`` the timestamp of the one before, by which a renumbering of the rows is noticed."""
INDEX = (
    f"CREATE VIRTUAL TABLE IF NOT EXISTS miharu_said USING fts5({', '.join(ROLES)}, content='', "
    "columnsize=0, tokenize='ascii')"
)
"""The tokenizer takes words apart at spaces: they come folded, and all but ASCII is letters to it."""
_LOOKED_AT = 1000
_FIRST_CALLS, _FIRST_PAGES = 4, 8
_MOST_CALLS = 64
_BITS = 20
_LATEST = 2**43 - 1
_DAY = 86_400_000
_WORTH_IT = 10
"""One in so many gone: the index is merged to be rid of them. Else once a day."""


def window(start: int, end: int) -> tuple[int, int]:
    """The first and the last number that a row of that time may have."""
    first, last = (max(0, min(moment, _LATEST)) for moment in (start, end - 1))
    return first << _BITS, (last + 1 << _BITS) - 1


def can_index(connection: sqlite3.Connection) -> bool:
    """Whether this SQLite has a full-text index."""
    found = connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone()
    return found is not None


def has_index(connection: sqlite3.Connection) -> bool:
    """Whether there is one, which comes with the first words."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'miharu_said'").fetchone()
    return found is not None and can_index(connection)


def start_over(connection: sqlite3.Connection) -> None:
    """Forget the index, which is made anew."""
    connection.execute("DROP TABLE IF EXISTS miharu_said")
    for table in ("miharu_words", "miharu_unsaid"):
        connection.execute(f"DELETE FROM {table}")
    _set(connection, **MARKS)


def is_due(connection: sqlite3.Connection, now: int) -> bool:
    """Whether there are calls to be added, or traces of calls to be merged away."""
    known = _known(connection)
    return (
        _renumbered(connection, known)
        or connection.execute("SELECT 1 FROM llm_bodies WHERE rowid >= ?", (known["worded"],)).fetchone()
        is not None
        or connection.execute("SELECT 1 FROM miharu_unsaid").fetchone() is not None
        or _is_to_merge(connection, known, now)
    )


def due(connection: sqlite3.Connection, texts: TextsOf, pace: Pace) -> tuple[int, list[tuple[Call, Spoken]]]:
    """The words of the next calls, read without a lock; and up to which rowid these are."""
    known = _known(connection)
    first = 1 if _renumbered(connection, known) else known["worded"]
    rows = connection.execute(
        "SELECT rowid, call_id, timestamp FROM llm_bodies WHERE rowid >= ? ORDER BY rowid LIMIT ?",
        (first, _LOOKED_AT),
    ).fetchall()
    again = [id_ for (id_,) in connection.execute("SELECT call_id FROM miharu_unsaid LIMIT 10")]
    most = min(_MOST_CALLS, pace.most("words", _FIRST_CALLS))
    upto, ids = first, list[str](again)
    for rowid, id_, timestamp in rows:
        if len(ids) >= most:
            break
        upto = rowid + 1
        if id_ not in ids and not _numbers(connection, id_, timestamp):
            ids.append(id_)
    return upto, [(call, spoken_in(call, texts)) for call in _calls(connection, ids)]


def keep(connection: sqlite3.Connection, upto: int, found: Sequence[tuple[Call, Spoken]], pace: Pace) -> None:
    """Add the words of those calls, as far as they are still there."""
    ids = [call.id for call, _ in found]
    marks = ", ".join("?" * len(ids))
    there = {
        id_
        for (id_,) in connection.execute(f"SELECT call_id FROM llm_bodies WHERE call_id IN ({marks})", ids)
    }
    again = [
        id_
        for (id_,) in connection.execute(f"SELECT call_id FROM miharu_unsaid WHERE call_id IN ({marks})", ids)
    ]
    take_out(connection, again)
    # an answer may have come to a call whose question was not kept: nothing would ever be added for that
    connection.execute(
        "DELETE FROM miharu_unsaid WHERE NOT EXISTS (SELECT 1 FROM llm_bodies JOIN llm_calls ON id = call_id "
        "WHERE call_id = miharu_unsaid.call_id)"
    )
    rows = {
        _number(connection, call.id, call.timestamp): (call.id, words)
        for call, words in found
        if call.id in there and not _numbers(connection, call.id, call.timestamp)
    }
    if rows:
        connection.execute(INDEX)
    for number, (id_, words) in sorted(rows.items()):  # in their order, else each would be written alone
        connection.execute("INSERT INTO miharu_words VALUES (?, ?, ?)", (number, id_, _packed(words)))
        if words:
            connection.execute(
                f"INSERT INTO miharu_said (rowid, {', '.join(ROLES)}) VALUES (?, ?, ?, ?, ?)",
                (number, *(words.of(role) for role in ROLES)),
            )
    pace.did(len(found))
    at = connection.execute("SELECT timestamp FROM llm_bodies WHERE rowid = ?", (upto - 1,)).fetchone()
    _set(connection, worded=upto, worded_at=(at[0] or 0) if at else 0)


def take_out(connection: sqlite3.Connection, ids: Collection[str], *, again: bool = False) -> None:
    """Take the words of those calls out of the index, while their bodies are still there.

    Args:
        connection: Inside a transaction that may write.
        ids: Of the calls.
        again: Whether they are to be added again, as they are then.
    """
    rows = []
    for id_ in ids:
        body = connection.execute("SELECT timestamp FROM llm_bodies WHERE call_id = ?", (id_,)).fetchone()
        if body is not None:
            rows += [(number, id_) for number in _numbers(connection, id_, body[0])]
        if again:
            connection.execute("INSERT OR IGNORE INTO miharu_unsaid VALUES (?)", (id_,))
        else:
            connection.execute("DELETE FROM miharu_unsaid WHERE call_id = ?", (id_,))
    can_search = bool(rows) and has_index(connection)
    for number, _ in sorted(rows):
        (said,) = connection.execute("SELECT said FROM miharu_words WHERE id = ?", (number,)).fetchone()
        words = zlib.decompress(said).decode().split("\n")
        if any(words) and can_search:
            connection.execute(
                f"INSERT INTO miharu_said (miharu_said, rowid, {', '.join(ROLES)}) "
                "VALUES ('delete', ?, ?, ?, ?, ?)",
                (number, *words),
            )
        connection.execute("DELETE FROM miharu_words WHERE id = ?", (number,))
    if rows:
        connection.execute("UPDATE miharu_meta SET value = value + ? WHERE key = 'words_gone'", (len(rows),))


def merge(connection: sqlite3.Connection, now: int, pace: Pace, *, at_once: bool = False) -> bool:
    """Merge a little of the index, if words are to go from it; whether more is to be done.

    Args:
        connection: Inside a transaction that may write.
        now: Unix milliseconds.
        pace: How much a step takes on.
        at_once: Whether it is worth it for a single call.
    """
    known = _known(connection)
    is_asked = at_once and known["words_gone"] > 0
    if not is_asked and not _is_to_merge(connection, known, now):
        return False
    pages = pace.most("merge words", _FIRST_PAGES)
    before = connection.total_changes
    sign = 1 if known["words_merging"] else -1  # the first has all parts of the index take part
    connection.execute("INSERT INTO miharu_said (miharu_said, rank) VALUES ('merge', ?)", (sign * pages,))
    pace.did(pages)
    if connection.total_changes - before >= 2 or not known["words_merging"]:
        _set(connection, words_merging=known["words_merging"] or known["words_gone"])
        return True
    _set(
        connection,
        words_gone=max(0, known["words_gone"] - known["words_merging"]),
        words_merging=0,
        words_merged_at=now,
    )
    return False


def _is_to_merge(connection: sqlite3.Connection, known: dict[str, int], now: int) -> bool:
    if known["words_merging"]:
        return True
    if not known["words_gone"]:
        return False
    if now - known["words_merged_at"] >= _DAY:
        return True
    # of bodies, which an index counts: rows of miharu_words are large
    (kept,) = connection.execute("SELECT count(*) FROM llm_bodies").fetchone()
    return known["words_gone"] * _WORTH_IT >= int(kept)


def _calls(connection: sqlite3.Connection, ids: Sequence[str]) -> list[Call]:
    """Those calls with their bodies."""
    rows = connection.execute(
        f"SELECT {CALL_COLUMNS}, {BODY_COLUMNS} FROM llm_calls "
        f"JOIN llm_bodies ON call_id = llm_calls.id WHERE llm_calls.id IN ({', '.join('?' * len(ids))})",
        ids,
    )
    return [from_row(row[: len(CALLS)], unpack(*row[len(CALLS) :])) for row in rows]


def _numbers(connection: sqlite3.Connection, id_: str, timestamp: int | None) -> list[int]:
    """The row of that call, or none."""
    at = timestamp or 0
    found = connection.execute(
        "SELECT id FROM miharu_words WHERE id BETWEEN ? AND ? AND call_id = ?", (*window(at, at + 1), id_)
    )
    return [number for (number,) in found]


def _number(connection: sqlite3.Connection, id_: str, timestamp: int) -> int:
    """One that is free, of that time."""
    first, last = window(timestamp, timestamp + 1)
    number = first | (zlib.crc32(id_.encode()) & (1 << _BITS) - 1)
    while connection.execute("SELECT 1 FROM miharu_words WHERE id = ?", (number,)).fetchone():
        number = first if number >= last else number + 1
    return number


def _packed(words: Spoken) -> bytes:
    return zlib.compress("\n".join(words.of(role) for role in ROLES).encode(), 6)


def _renumbered(connection: sqlite3.Connection, known: dict[str, int]) -> bool:
    """Whether the row before the mark is not the one that was added last."""
    if known["worded"] <= 1:
        return False
    at = connection.execute(
        "SELECT timestamp FROM llm_bodies WHERE rowid = ?", (known["worded"] - 1,)
    ).fetchone()
    return at is None or (at[0] or 0) != known["worded_at"]


def _known(connection: sqlite3.Connection) -> dict[str, int]:
    names = ", ".join(f"'{name}'" for name in MARKS)
    return dict(connection.execute(f"SELECT key, value FROM miharu_meta WHERE key IN ({names})"))


def _set(connection: sqlite3.Connection, **values: int) -> None:
    for key, value in values.items():
        connection.execute("UPDATE miharu_meta SET value = ? WHERE key = ?", (value, key))
