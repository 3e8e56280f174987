"""Which calls a query means, as conditions on ``llm_calls``."""

from typing import get_args

from miharu.stores.base import Dimension, Query
from miharu.stores.clickhouse.client.literals import literal
from miharu.stores.clickhouse.tables.narrowing import narrowed
from miharu.stores.narrowing import possible
from miharu.stores.words import FOUND, ROLES, Phrase, phrases

__all__ = ("LOOKED_UP", "during", "equal", "is_summed", "live", "where")

LOOKED_UP = ("trace_id", "session_id", "user_id")
"""Few calls among many share one."""
_KEYS = tuple(get_args(Dimension))
"""What sums are kept by."""
_FILTERS = (*_KEYS, "session_id", "trace_id", "call_group")


def during(start: int, end: int) -> str:
    """Calls that started in that time, Unix milliseconds."""
    return f"timestamp >= {literal(start)} AND timestamp < {literal(end)}"


def equal(query: Query) -> str:
    """Each filter of the query but its time, joined by AND; ``1`` where there is none."""
    parts = [f"{name} = {literal(value)}" for name in _FILTERS if (value := getattr(query, name)) is not None]
    if query.tag is not None:
        pair = literal("\0".join(query.tag))
        parts.append(f"has(tag_pairs, {pair})")
    possible(query)
    parts += narrowed(query.conditions, query.start)
    if query.words:
        parts.append(said(query))
    return " AND ".join(parts) or "1"


def where(query: Query) -> str:
    """The calls of a query, those included that another row has taken the place of."""
    return f"{during(query.start, query.end)} AND {equal(query)}"


def live(start: int, end: int) -> str:
    """Rows of that time that no other has taken the place of."""
    return (
        "sign = 1 AND (id, version) NOT IN (SELECT id, version FROM llm_calls "
        f"WHERE sign = -1 AND {during(start, end)})"
    )


def said(query: Query) -> str:
    """The newest calls in which the words of the query were said."""
    sought = phrases(query.words)
    if sought is None:
        return "0"
    columns = [f"said_{query.said_by}"] if query.said_by else [f"said_{role}" for role in ROLES]
    parts = [f"({' OR '.join(_stands(column, phrase) for column in columns)})" for phrase in sought]
    return (
        f"id GLOBAL IN (SELECT call_id FROM llm_bodies WHERE {during(query.start, query.end)} "
        f"AND {' AND '.join(parts)} ORDER BY timestamp DESC LIMIT {FOUND})"
    )


def _stands(column: str, phrase: Phrase) -> str:
    """The index leads to whole words, of which a text is then looked through."""
    whole = phrase.words[:-1] if phrase.begins else phrase.words
    leads = "".join(f"hasToken({column}, {literal(word)}) AND " for word in whole)
    text = f" {' '.join(phrase.words)}{'' if phrase.begins else ' '}"
    return f"({leads}position({column}, {literal(text)}) > 0)"


def is_summed(query: Query) -> bool:
    """Whether sums are kept by all that the query asks for."""
    return (
        not query.words
        and all(getattr(query, name) is None for name in ("session_id", "trace_id", "call_group", "tag"))
        and all(condition.field in _KEYS for condition in query.conditions)
    )
