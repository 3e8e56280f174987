"""The words of what was said, in a ``tsvector`` beside each body, made later in small steps.

Its lexemes are our own words, its positions theirs, and its weights say who said them: no dictionary and no
extension of the server has a part in it. It goes with its body.
"""

from typing import Any

from sqlalchemy import Connection

from miharu.call import Call
from miharu.stores.base import Query, Searched
from miharu.stores.bodies import unpack
from miharu.stores.columns import BODY_COLUMNS, CALL_COLUMNS, CALLS, from_row
from miharu.stores.postgres.reading import windows
from miharu.stores.words import BREAK, FOUND, ROLES, Phrase, Role, Spoken, TextsOf, phrases, spoken_in

__all__ = ("NEVER", "index_some", "said", "searched", "vector")

NEVER = 2**62
_WEIGHTS: dict[Role, str] = dict(zip(ROLES, "ABCD", strict=True))
_DURING = "timestamp >= :start AND timestamp < :end"


def index_some(connection: Connection, texts: TextsOf, start: int, most: int) -> int:
    """Make the words of the newest calls since a moment searchable; how many calls those were."""
    for first, last in windows(connection, start, NEVER):
        found = connection.exec_driver_sql(
            "SELECT timestamp, call_id FROM llm_bodies WHERE said IS NULL AND timestamp >= $1 "
            "AND timestamp < $2 ORDER BY timestamp DESC LIMIT $3 FOR UPDATE SKIP LOCKED",
            (first, last, most),
        ).all()
        for timestamp, id_ in found:
            call = _call(connection, timestamp, id_)
            words = spoken_in(call, texts) if call is not None else Spoken()
            connection.exec_driver_sql(
                "UPDATE llm_bodies SET said = CAST(CAST($3 AS text) AS tsvector) "
                "WHERE timestamp = $1 AND call_id = $2",
                (timestamp, id_, vector(words)),
            )
        if found:
            return len(found)
    return 0


def vector(words: Spoken) -> str:
    """The words with their places, as PostgreSQL reads them."""
    places: dict[str, list[str]] = {}
    place = 0
    for role in ROLES:
        for word in words.of(role).split():
            place += 1
            if word != BREAK:
                places.setdefault(word, []).append(f"{place}{_WEIGHTS[role]}")
        place += 1
    return " ".join(f"'{word}':{','.join(at)}" for word, at in places.items())


def said(connection: Connection, query: Query) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as others
    """A condition on ``llm_calls``: it is one of the newest calls with the words; and its parameters."""
    sought = phrases(query.words)
    if sought is None:
        return "1 = 0", {}
    found = (
        f"SELECT timestamp, call_id FROM llm_bodies WHERE {_DURING} "
        "AND said @@ CAST(CAST(:words AS text) AS tsquery) "
        "ORDER BY timestamp DESC, call_id DESC LIMIT :words_most"
    )
    return f"(llm_calls.timestamp, llm_calls.id) IN ({found})", {
        "words": _matching(sought, query),
        "words_most": FOUND,
    }


def searched(connection: Connection, query: Query) -> Searched:
    kept, left = connection.exec_driver_sql(
        "SELECT (SELECT count(*) FROM llm_bodies WHERE timestamp >= $1 AND timestamp < $2), "
        "(SELECT count(*) FROM llm_bodies WHERE said IS NULL AND timestamp >= $1 AND timestamp < $2)",
        (query.start, query.end),
    ).one()
    return Searched(kept=kept, indexed=kept - left)


def _call(connection: Connection, timestamp: int, id_: str) -> Call | None:
    row = connection.exec_driver_sql(
        f"SELECT {CALL_COLUMNS}, {BODY_COLUMNS} FROM llm_calls, llm_bodies "
        "WHERE llm_calls.timestamp = $1 AND llm_calls.id = $2 "
        "AND llm_bodies.timestamp = $1 AND llm_bodies.call_id = $2",
        (timestamp, id_),
    ).first()
    return None if row is None else from_row(row[: len(CALLS)], unpack(*row[len(CALLS) :]))


def _matching(sought: list[Phrase], query: Query) -> str:
    """In the server's own language, which no word can be a part of: words are quoted letters and digits."""
    whose = _WEIGHTS[query.said_by] if query.said_by else ""
    parts = []
    for phrase in sought:
        ends = [
            f"{'*' if phrase.begins and number == len(phrase.words) else ''}{whose}"
            for number in range(1, len(phrase.words) + 1)
        ]
        words = (f"'{word}'{f':{end}' if end else ''}" for word, end in zip(phrase.words, ends, strict=True))
        parts.append(f"({' <-> '.join(words)})")
    return " & ".join(parts)
