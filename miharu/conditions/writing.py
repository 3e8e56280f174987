"""Conditions as a text. What is written is read as exactly the same conditions."""

import re
from collections.abc import Iterable
from typing import Any

from miharu.conditions.fields import Field, field_of, is_text
from miharu.conditions.language import Condition, Conditions
from miharu.conditions.units import write_number

__all__ = ("NEVER", "RESERVED", "quoted", "write", "write_condition", "write_values")

_BARE = re.compile(r'(?![<>])[^\s",*\\]+')
_BARE_NAME = re.compile(r'[^\s",*\\=<>!]+')
_BARE_WORD = re.compile(r'[^\s"\\:=<>!-][^\s"\\:=<>!]*')
NEVER = re.compile(r"(?!)")
"""Nothing is bare."""
RESERVED = frozenset({"AND", "OR", "NOT"})


def write(conditions: Conditions) -> str:
    """All of them, the words last."""
    return " ".join((*map(write_condition, conditions.conditions), *map(_word, conditions.words)))


def write_condition(condition: Condition) -> str:
    field = field_of(condition.field)
    if field is None:
        raise ValueError(f"{condition.field!r} is not a field")
    minus = "-" if condition.operator in {"not in", "none"} else ""
    head = f"{minus}{field.name}"
    if field.named:
        head += f":{quoted(condition.name or '', _BARE_NAME)}"
    if condition.operator in {"any", "none"}:
        return head if field.named else f"{head}:*"
    if condition.operator in {"in", "not in"}:
        return f"{head}{'=' if field.named else ':'}{','.join(write_values(field, condition))}"
    return f"{head}{condition.operator}{','.join(write_values(field, condition))}"


def write_values(field: Field, condition: Condition) -> Iterable[str]:
    """Each value and pattern as it is written."""
    for value in condition.values:
        yield _written(field, value)
    for pattern in condition.patterns:
        yield "*".join(quoted(piece) if piece else "" for piece in pattern)


def quoted(text: str, bare: re.Pattern[str] = _BARE) -> str:
    """The text, in quotes where it would be misread without."""
    if bare.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _written(field: Field, value: Any) -> str:
    return quoted(value) if is_text(field) else write_number(field.kind, value)


def _word(word: str) -> str:
    return quoted(word, NEVER if word in RESERVED else _BARE_WORD)
