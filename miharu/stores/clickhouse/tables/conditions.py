"""Which calls a query means, as conditions on ``llm_calls``."""

from typing import get_args

from miharu.stores.base import Dimension, Query
from miharu.stores.clickhouse.client.literals import literal
from miharu.stores.clickhouse.tables.narrowing import narrowed
from miharu.stores.narrowing import possible

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


def is_summed(query: Query) -> bool:
    """Whether sums are kept by all that the query asks for."""
    return all(
        getattr(query, name) is None for name in ("session_id", "trace_id", "call_group", "tag")
    ) and all(condition.field in _KEYS for condition in query.conditions)
