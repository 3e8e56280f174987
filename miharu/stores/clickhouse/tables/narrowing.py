"""The conditions of a query, beside its own fields."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from miharu.conditions.language import Condition, Pattern
from miharu.stores.clickhouse.client.literals import among, literal
from miharu.stores.clickhouse.tables.schema import TYPES

__all__ = ("narrowed",)

_SCORES_LOOKED_THROUGH = 100_000
"""The newest scores since the beginning of the window, among which those that are meant are looked for."""
_TOKENS = (
    "if(isNull(prompt_tokens) AND isNull(completion_tokens), NULL, "
    "ifNull(prompt_tokens, 0) + ifNull(completion_tokens, 0))"
)


def narrowed(conditions: Iterable[Condition], start: int, table: str = "llm_calls") -> Iterator[str]:
    """Each condition on the rows of a table; ``start`` is when the first of them may have begun."""
    for condition in conditions:
        yield _narrowed(condition, start, TYPES[table])


def _narrowed(condition: Condition, start: int, types: Mapping[str, str]) -> str:
    field = condition.field
    if field in {"score", "tools"}:
        return _scored(condition, start) if field == "score" else _listed(condition)
    if field == "tag":
        name = literal(condition.name or "")
        if condition.operator == "in" and not condition.patterns and all(condition.values):
            # an index leads to these
            pairs = ", ".join(literal(f"{condition.name}\0{value}") for value in condition.values)
            return f"hasAny(tag_pairs, [{pairs}])"
        return _text(f"JSONExtractString(ifNull(tags, ''), {name})", condition)
    if field == "tokens":
        return _number(_TOKENS, condition)
    if "Int64" in types[field]:
        return _number(field, condition)
    return _text(f"ifNull({field}, '')" if "Nullable" in types[field] else field, condition)


def _text(text: str, condition: Condition) -> str:
    if condition.operator in {"any", "none"}:
        return f"{text} {'!=' if condition.operator == 'any' else '='} ''"
    parts = [f"{text} IN {among(condition.values)}"] if condition.values else []
    parts += (f"{text} LIKE {literal(_like(pattern))}" for pattern in condition.patterns)
    return f"{'NOT ' if condition.operator == 'not in' else ''}({' OR '.join(parts)})"


def _listed(condition: Condition) -> str:
    """Calls that asked for one of these tools; the empty text are those that asked for none."""
    if condition.operator in {"any", "none"}:
        return _text("ifNull(tools, '')", condition)
    meant = _text("named", replace(condition, operator="in"))
    found = f"arrayExists(named -> {meant}, JSONExtract(ifNull(tools, ''), 'Array(String)'))"
    if "" in condition.values:
        found = f"(ifNull(tools, '') = '' OR {found})"
    return found if condition.operator == "in" else f"NOT {found}"


def _like(pattern: Pattern) -> str:
    return "%".join(piece.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for piece in pattern)


def _number(number: str, condition: Condition) -> str:
    if condition.operator in {"any", "none"}:
        return f"{number} IS {'NOT ' if condition.operator == 'any' else ''}NULL"
    if condition.operator == "in":
        return f"ifNull({number} IN {among(condition.values)}, 0)"
    if condition.operator == "not in":
        return f"(isNull({number}) OR {number} NOT IN {among(condition.values)})"
    return f"ifNull({number} {condition.operator} {literal(condition.values[0])}, 0)"


def _scored(condition: Condition, start: int) -> str:
    """Calls that have such a score themselves, or whose trace has."""
    meant = f"name = {literal(condition.name or '')}"
    if condition.operator in {"in", "not in"}:
        meant += f" AND value IN {among(condition.values)}"
    elif condition.operator not in {"any", "none"}:
        meant += f" AND value {condition.operator} {literal(condition.values[0])}"
    newest = (
        f"(SELECT call_id, trace_id, name, value FROM llm_scores WHERE timestamp >= {literal(start)} "
        f"ORDER BY timestamp DESC LIMIT {_SCORES_LOOKED_THROUGH})"
    )
    found = (
        f"(id GLOBAL IN (SELECT assumeNotNull(call_id) FROM {newest} WHERE {meant} AND isNotNull(call_id)) "
        f"OR (trace_id != '' AND trace_id GLOBAL IN "
        f"(SELECT assumeNotNull(trace_id) FROM {newest} WHERE {meant} AND isNotNull(trace_id))))"
    )
    return f"NOT {found}" if condition.operator in {"not in", "none"} else found
