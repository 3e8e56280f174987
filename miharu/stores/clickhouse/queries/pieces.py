"""The window of a question in pieces: whole hours, whose sums are kept, and the calls at its edges."""

from collections.abc import Sequence
from typing import Any, cast, get_args

from miharu.stores.base import LONGEST_TAG, By, ByTag, Dimension, Query
from miharu.stores.clickhouse.client.literals import among as listed
from miharu.stores.clickhouse.client.literals import literal
from miharu.stores.clickhouse.tables.conditions import during, equal, is_summed
from miharu.stores.clickhouse.tables.measures import HOUR_OF, hours
from miharu.stores.rollups import HOUR

__all__ = ("Steps", "checked", "key_of", "pieces", "step_of")

Steps = tuple[int, int]
"""What time is divided by, in milliseconds: the length of a step, and where the first begins."""


def pieces(
    query: Query, by: By | None, among: Sequence[str | None] | None, steps: Steps | None
) -> list[tuple[str, str]]:
    """Where the calls of a query are, each in exactly one: its condition, and its time as an expression."""
    conditions = equal(query)
    if by is not None and among is not None:
        conditions += f" AND {key_of(by)} IN {listed([key or '' for key in among])}"
    whole = (
        hours(query.start, query.end, *(steps or (None, 0)))
        if is_summed(query) and not isinstance(by, ByTag)
        else None
    )
    if whole is None:
        return [(f"{during(query.start, query.end)} AND {conditions}", "timestamp")]
    first, last = whole
    found = [(f"{HOUR_OF} >= {first} AND {HOUR_OF} < {last} AND {conditions}", f"{HOUR_OF} * {HOUR}")]
    edges = [(query.start, first * HOUR), (last * HOUR, query.end)]
    if any(start < end for start, end in edges):
        at_edges = " OR ".join(f"({during(start, end)})" for start, end in edges if start < end)
        found.append((f"({at_edges}) AND {conditions}", "timestamp"))
    return found


def key_of(by: By) -> str:
    """An expression over a call: its value; the empty text where it has none."""
    if not isinstance(by, ByTag):
        return checked(by)
    value = f"JSONExtractString(ifNull(tags, ''), {literal(by.name)})"
    return f"if(lengthUTF8({value}) <= {LONGEST_TAG}, {value}, '')"


def checked(by: Any) -> Dimension:
    """The dimension, if it is one.

    Raises:
        ValueError: It is not a dimension; without this check it would become SQL.
    """
    if by not in get_args(Dimension):
        raise ValueError(f"by={by!r}: choose one of {', '.join(get_args(Dimension))}.")
    return cast("Dimension", by)


def step_of(time: str, steps: Steps) -> str:
    """The beginning of the step that a moment is in, as an expression."""
    length, offset = int(steps[0]), int(steps[1]) % int(steps[0])
    return f"{time} - positiveModulo({time} - {offset}, {length})"
