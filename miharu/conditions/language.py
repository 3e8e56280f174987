"""Conditions on calls. They travel from the address and the command line to the stores as they are."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from miharu.conditions.fields import ERRORS, STATUSES, Field, field_of, is_text

__all__ = (
    "LARGEST",
    "LONGEST_TEXT",
    "LONGEST_VALUE",
    "MOST_CONDITIONS",
    "MOST_STARS",
    "MOST_VALUES",
    "MOST_WORDS",
    "Condition",
    "Conditions",
    "Operator",
    "Pattern",
    "Threshold",
    "Value",
    "checked",
    "is_storable",
)

Threshold = Literal[">", ">=", "<", "<="]
Operator = Literal["in", "not in", "any", "none", ">", ">=", "<", "<="]
Value = str | int | float
Pattern = tuple[str, ...]
"""What stands between stars: ``("gpt-", "")`` is ``gpt-*``."""
LONGEST_TEXT = 4000
"""Characters of all conditions together."""
LONGEST_VALUE = 500
MOST_CONDITIONS = 30
MOST_VALUES = 50
"""Of one condition, patterns included."""
MOST_WORDS = 20
MOST_STARS = 2
"""In one value."""
LARGEST = 2**53 - 1
"""Whole numbers up to this one are exact everywhere."""
_HIGHEST_SCORE = 10.0**15
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""PostgreSQL takes no NUL in a text, and no engine half of a surrogate pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What calls must have, or must not have."""

    field: str
    """A column of ``llm_calls``, or ``tokens``, ``tag`` or ``score``."""
    operator: Operator
    """``in``: one of the values or patterns. ``not in``: none of them, so also calls that have no such thing.
    ``any``: it is known; ``none``: it is not. A threshold is met only by what is known."""
    values: tuple[Value, ...] = ()
    """Texts; or numbers: nano-dollars, milliseconds, tokens, a score's value. The empty text is a call's that
    has none. A threshold has one."""
    patterns: tuple[Pattern, ...] = ()
    name: str | None = None
    """Of a tag or a score."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a text asks for: all conditions hold, and all words were said."""

    conditions: tuple[Condition, ...] = ()
    words: tuple[str, ...] = ()
    """Words and phrases in what was said, where content is captured."""

    def __bool__(self) -> bool:
        return bool(self.conditions or self.words)


def checked(conditions: Sequence[Condition]) -> None:
    """See that a store can be asked: conditions may come from another program.

    Raises:
        ValueError: It cannot.
    """
    if len(conditions) > MOST_CONDITIONS:
        raise ValueError(f"{len(conditions)} conditions: at most {MOST_CONDITIONS} are possible")
    for condition in conditions:
        if (reason := _impossible(condition)) is not None:
            raise ValueError(f"{condition.field[:50]!r}: {reason}")


def is_storable(value: str) -> bool:
    """Whether a store can be asked for it."""
    return len(value) <= LONGEST_VALUE and _UNSTORABLE.search(value) is None


def _impossible(condition: Condition) -> str | None:
    field = field_of(condition.field)
    if field is None or field is ERRORS:
        return "not a field of calls"
    if condition.operator not in get_args(Operator):
        return "not an operator"
    if field.named is not bool(condition.name) or not is_storable(condition.name or ""):
        return "a name is missing" if field.named else "a name is too much"
    if (reason := _too_many(condition, field)) is not None:
        return reason
    possible = all(_is_value(field, value) for value in condition.values) and all(
        _is_pattern(field, pattern) for pattern in condition.patterns
    )
    return None if possible else "a value is not possible"


def _too_many(condition: Condition, field: Field) -> str | None:
    number = len(condition.values) + len(condition.patterns)
    if condition.operator in {"any", "none"}:
        return "values are too much" if number else None
    if condition.operator in get_args(Threshold):
        if is_text(field):
            return "it has no order"
        return "a threshold has one number" if number != 1 or condition.patterns else None
    return None if 1 <= number <= MOST_VALUES else f"between 1 and {MOST_VALUES} values are possible"


def _is_value(field: Field, value: Value) -> bool:
    if is_text(field):
        return isinstance(value, str) and is_storable(value) and (field.kind == "text" or value in STATUSES)
    if isinstance(value, str | bool):
        return False
    if field.kind == "number":
        return math.isfinite(value) and abs(value) <= _HIGHEST_SCORE
    return isinstance(value, int) and 0 <= value <= LARGEST


def _is_pattern(field: Field, pattern: Pattern) -> bool:
    return (
        field.kind == "text"
        and 2 <= len(pattern) <= MOST_STARS + 1
        and any(pattern)
        and is_storable("*".join(pattern))
    )
