"""The conditions of a query in SQL: on calls, and on rows of sums, where the empty text stands for none."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from miharu.conditions.language import Condition, Pattern
from miharu.stores.base import Query
from miharu.stores.narrowing import possible
from miharu.stores.rollups import KEYS

__all__ = ("SCORES_LOOKED_THROUGH", "Dialect", "Narrowing", "narrowing")

SCORES_LOOKED_THROUGH = 100_000
"""The newest scores since the beginning of the window, among which those that are meant are looked for."""
_TOKENS = (
    "CASE WHEN prompt_tokens IS NULL AND completion_tokens IS NULL THEN NULL "
    "ELSE coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0) END"
)
_NUMBERS: Mapping[str, str] = {
    "tokens": _TOKENS,
    **{
        name: name
        for name in (
            *("cost_nanousd", "duration_ms", "ttft_ms", "prompt_tokens", "completion_tokens"),
            *("cached_tokens", "reasoning_tokens", "attempt", "http_status"),
        )
    },
}
UNSUMMED = "condition"
"""Stands for what no sums are kept by."""


_QUOTED = r'"([^"\\\u0001-\u001f]|\\["\\/bfnrt])*"'
_LIST = rf"^\[{_QUOTED}(, *{_QUOTED})*\]$"
"""JSON that is a list of texts, in PostgreSQL's expressions; without control characters."""


def _like(pattern: Pattern) -> str:
    return "%".join(re.sub(r"[\\%_]", r"\\\g<0>", piece) for piece in pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How an engine writes what differs."""

    tag: str = "coalesce(CAST(tags AS json) ->> CAST({} AS text), '')"
    """The value of a tag, whose name is a parameter; the empty text for none."""
    fits: str = "{} LIKE {}"
    """A text and a parameter with a pattern."""
    pattern: Callable[[Pattern], str] = _like
    """A pattern as that parameter has it."""
    listed: str = (
        f"EXISTS (SELECT 1 FROM json_array_elements_text(CASE WHEN {{0}} ~ '{_LIST}' "
        "THEN CAST({0} AS json) END) AS named (value) WHERE {1})"
    )
    """Whether one of the names of a JSON list is meant; what others have put there is no list."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """All conditions of a query."""

    calls: str
    """On ``llm_calls``, with AND before each."""
    values: Mapping[str, Any]
    """Their parameters, and those of ``sums``."""
    keys: Collection[str]
    """The keys of sums that are needed, and ``UNSUMMED`` where that is not enough."""
    sought: Collection[str]
    """The keys of which only some values are meant."""
    led: Mapping[str, tuple[str, ...]]
    """The columns of which a few values are meant, and the parameters that hold them."""
    like: Mapping[str, str]
    """By the keys of which what fits a pattern is meant, and nothing else is said: that, on rows of sums."""
    left_out: Mapping[str, "LeftOut"]
    """By the keys of which some values are not meant, and nothing else is said."""
    _sums: tuple[tuple[str, str], ...]

    def sums(self, ignoring: Collection[str] = ()) -> str:
        """On rows of sums, with AND before each."""
        return "".join(f" AND {part}" for field, part in self._sums if field not in ignoring)


class LeftOut(NamedTuple):
    """Values of a key that are not meant."""

    text: str
    """Those, on rows of sums."""
    are_named: bool
    """Whether they are named one by one."""


_NONE = Narrowing("", {}, frozenset(), frozenset(), {}, {}, {}, ())
_WORDS = Narrowing("", {}, frozenset({UNSUMMED}), frozenset(), {}, {}, {}, ())


def narrowing(query: Query, dialect: Dialect) -> Narrowing:
    """The conditions of a query as they are asked.

    Raises:
        ValueError: A condition is not possible.
    """
    possible(query)
    if not query.conditions:
        return _WORDS if query.words else _NONE
    calls, sums = [], []
    values: dict[str, Any] = {}
    keys = {UNSUMMED} if query.words else set[str]()
    sought, led = set[str](), dict[str, tuple[str, ...]]()
    like, left_out = dict[str, str](), dict[str, LeftOut]()
    for number, condition in enumerate(query.conditions):
        names = _Names(f"c{number}_", dialect, values)
        calls.append(_on_calls(condition, names))
        chosen = condition.operator == "in" and not condition.patterns
        if condition.field in KEYS:
            keys.add(condition.field)
            sums.append((condition.field, _text(condition.field, condition, names)))
            if chosen:
                sought.add(condition.field)
            elif condition.operator == "in":
                like[condition.field] = sums[-1][1]
            elif condition.operator == "not in":
                part = _text(condition.field, replace(condition, operator="in"), names)
                left_out[condition.field] = LeftOut(part, not condition.patterns)
        else:
            keys.add(UNSUMMED)
        if chosen and all(condition.values):
            led[condition.field] = names.of(condition.values)
    said = Counter(field for field, _ in sums)
    return Narrowing(
        "".join(f" AND {part}" for part in calls),
        values,
        keys,
        sought,
        led,
        {field: part for field, part in like.items() if said[field] == 1},
        {field: part for field, part in left_out.items() if said[field] == 1},
        tuple(sums),
    )


class _Names:
    """The parameters of one condition; the same for the same values."""

    def __init__(self, prefix: str, dialect: Dialect, values: dict[str, Any]) -> None:
        self.prefix, self.dialect, self._values = prefix, dialect, values

    def one(self, name: str, value: Any) -> str:
        self._values[f"{self.prefix}{name}"] = value
        return f":{self.prefix}{name}"

    def of(self, values: Collection[Any]) -> tuple[str, ...]:
        return tuple(self.one(str(number), value)[1:] for number, value in enumerate(values))

    def listed(self, values: Collection[Any]) -> str:
        return ", ".join(f":{name}" for name in self.of(values))

    def fitting(self, text: str, patterns: Collection[Pattern]) -> Iterator[str]:
        for number, pattern in enumerate(patterns):
            parameter = self.one(f"like{number}", self.dialect.pattern(pattern))
            yield self.dialect.fits.format(text, parameter)


def _on_calls(condition: Condition, names: _Names) -> str:
    field = condition.field
    if field == "score":
        return _scored(condition, names)
    if field == "tag":
        return _text(names.dialect.tag.format(names.one("name", condition.name)), condition, names)
    if field in _NUMBERS:
        return _number(_NUMBERS[field], condition, names)
    if field == "tools":
        return _listed(condition, names)
    # so that an index on the column is of use
    plain = condition.operator == "in" and not condition.patterns and all(condition.values)
    text = field if plain else KEYS.get(field, f"coalesce({field}, '')")
    return _text(text, condition, names)


def _text(text: str, condition: Condition, names: _Names) -> str:
    if condition.operator == "any":
        return f"{text} <> ''"
    if condition.operator == "none":
        return f"{text} = ''"
    parts = [f"{text} IN ({names.listed(condition.values)})"] if condition.values else []
    parts += names.fitting(text, condition.patterns)
    return f"{'NOT ' if condition.operator == 'not in' else ''}({' OR '.join(parts)})"


def _listed(condition: Condition, names: _Names) -> str:
    """Calls that asked for one of these tools; the empty text are those that asked for none."""
    none = "coalesce(tools, '') = ''"
    if condition.operator in {"any", "none"}:
        return none if condition.operator == "none" else f"NOT {none}"
    meant = _text("named.value", replace(condition, operator="in"), names)
    found = f"(tools IS NOT NULL AND {names.dialect.listed.format('tools', meant)})"
    if "" in condition.values:
        found = f"({none} OR {found})"
    return found if condition.operator == "in" else f"NOT {found}"


def _number(number: str, condition: Condition, names: _Names) -> str:
    if condition.operator in {"any", "none"}:
        return f"{number} IS {'NOT ' if condition.operator == 'any' else ''}NULL"
    if condition.operator == "in":
        return f"{number} IN ({names.listed(condition.values)})"
    if condition.operator == "not in":
        return f"({number} IS NULL OR {number} NOT IN ({names.listed(condition.values)}))"
    return f"{number} {condition.operator} {names.listed(condition.values)}"


def _scored(condition: Condition, names: _Names) -> str:
    """Calls that have such a score themselves, or whose trace has."""
    meant = f"name = {names.one('name', condition.name)}"
    if condition.operator in {"in", "not in"}:
        meant += f" AND value IN ({names.listed(condition.values)})"
    elif condition.operator not in {"any", "none"}:
        meant += f" AND value {condition.operator} {names.listed(condition.values)}"
    newest = (
        "(SELECT call_id, trace_id, name, value FROM llm_scores WHERE timestamp >= :start "
        f"ORDER BY timestamp DESC LIMIT {SCORES_LOOKED_THROUGH}) AS newest_scores"
    )
    of = "SELECT {0} FROM " + newest + f" WHERE {meant} AND {{0}} IS NOT NULL"
    found = (
        f"(llm_calls.id IN ({of.format('call_id')}) "
        f"OR coalesce(llm_calls.trace_id, '') IN ({of.format('trace_id')}))"
    )
    return f"NOT {found}" if condition.operator in {"not in", "none"} else found
