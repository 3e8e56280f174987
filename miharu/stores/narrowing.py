"""Queries with conditions: how they are made, and what a store refuses of them."""

from dataclasses import replace
from typing import Any

from miharu.conditions.language import Condition, Conditions, checked
from miharu.stores.base import Query
from miharu.stores.words import ROLES

__all__ = ("as_field", "narrowed", "possible")

_MOST_WORDS, _LONGEST = 50, 1_000
_FIELDS = ("model", "provider", "route", "user_id", "session_id", "trace_id", "call_group", "service")


def possible(query: Query) -> None:
    """See that the conditions of a query can be asked for.

    Raises:
        ValueError: A condition is not possible; without this check it would become SQL.
    """
    if query.said_by is not None and query.said_by not in ROLES:
        raise ValueError(f"said by {query.said_by!r}: choose one of {', '.join(ROLES)}.")
    if len(query.words) > _MOST_WORDS or any(len(word) > _LONGEST for word in query.words):
        raise ValueError(f"at most {_MOST_WORDS} words of {_LONGEST} characters can be searched for.")
    if query.conditions:
        checked(query.conditions)


def narrowed(query: Query, asked: Conditions) -> Query:
    """The calls of the query that meet all conditions besides.

    A condition with one value becomes a field of the query, where that is still free: sums are found by
    fields in the shortest way.
    """
    fields: dict[str, Any] = {}
    others: list[Condition] = []
    for condition in asked.conditions:
        found = as_field(condition)
        if found is None or found[0] in fields or getattr(query, found[0]) is not None:
            others.append(condition)
        else:
            fields[found[0]] = found[1]
    return replace(
        query,
        **fields,
        conditions=(*query.conditions, *others),
        words=(*query.words, *asked.words),
    )


def as_field(condition: Condition) -> tuple[str, str | tuple[str, str]] | None:
    """The field of a query that says the same, and its value; ``None`` where there is none."""
    if condition.operator != "in" or condition.patterns or len(condition.values) != 1:
        return None
    (value,) = condition.values
    if not value or not isinstance(value, str):
        return None
    if condition.field == "tag":
        return ("tag", (condition.name or "", value))
    if condition.field in {*_FIELDS, "status", "error_type"}:
        return (condition.field, value)
    return None
