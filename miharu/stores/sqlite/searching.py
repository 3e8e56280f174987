"""Calls by their words, out of SQLite's full-text index."""

from typing import Any

from sqlalchemy import Connection

from miharu.stores.base import Query, Searched
from miharu.stores.sqlite.said import window
from miharu.stores.words import FOUND, Phrase, phrases

__all__ = ("said", "searched")


def said(connection: Connection, query: Query) -> tuple[str, dict[str, Any]]:
    """A condition on ``llm_calls``, which leads to the newest calls with the words; and its parameters."""
    sought = phrases(query.words)
    if sought is None or not _has_index(connection):
        return "1 = 0", {}
    first, last = window(query.start, query.end)
    found = (
        "SELECT rowid AS number FROM miharu_said WHERE miharu_said MATCH :words "
        "AND rowid >= :words_first AND rowid <= :words_last ORDER BY rowid DESC LIMIT :words_most"
    )
    # CROSS JOIN keeps the engine from reading all of miharu_words
    condition = (
        "llm_calls.id IN (SELECT call_id "
        f"FROM ({found}) AS found CROSS JOIN miharu_words ON miharu_words.id = number)"
    )
    matching = _matching(sought, query)
    return condition, {
        "words": matching,
        "words_first": first,
        "words_last": last,
        "words_most": FOUND,
    }


def searched(connection: Connection, query: Query) -> Searched:
    # the rowid is in the index on the timestamp: no row is read
    kept, indexed = connection.exec_driver_sql(
        "SELECT count(*), coalesce(sum(rowid < (SELECT value FROM miharu_meta WHERE key = 'worded')), 0) "
        "FROM llm_bodies WHERE timestamp >= ? AND timestamp < ?",
        (query.start, query.end),
    ).one()
    return Searched(kept=kept, indexed=indexed)


def _has_index(connection: Connection) -> bool:
    found = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'miharu_said'")
    return found.first() is not None


def _matching(sought: list[Phrase], query: Query) -> str:
    """In the index's own language, which no word can be a part of: words are quoted letters and digits."""
    parts = (f'"{" ".join(phrase.words)}"{" *" if phrase.begins else ""}' for phrase in sought)
    whole = f"({' AND '.join(parts)})"
    return f"{{{query.said_by}}} : {whole}" if query.said_by else whole
