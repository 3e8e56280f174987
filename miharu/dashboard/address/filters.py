"""The filters of an address: one value a field as it always was, and conditions for all that is more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from miharu.conditions.fields import FIELDS, Field, field_of, is_text
from miharu.conditions.language import Condition, Conditions, Value, is_storable
from miharu.conditions.parsing import parse
from miharu.conditions.units import write_number
from miharu.conditions.writing import write
from miharu.stores.narrowing import as_field

__all__ = ("FILTERS", "Chip", "asked_text", "chip_of", "read_filters", "written")

FILTERS: Mapping[str, str] = {
    "model": "model",
    "provider": "provider",
    "route": "route",
    "user": "user_id",
    "service": "service",
    "session": "session_id",
    "trace": "trace_id",
    "error": "error_type",
    "attempts": "call_group",
    "prompt": "prompt_name",
    "version": "prompt_hash",
    "tag": "tag",
    "status": "status",
}
"""Names in the address, and in the question to the store."""
_NAMES = {column: name for name, column in FILTERS.items()}


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in a few words."""

    key: str
    sign: str
    """Of a threshold."""
    value: str
    is_not: bool
    without: Mapping[str, Any]
    """The changes of a view that take it away."""

    @property
    def words(self) -> str:
        return " ".join(part for part in (self.key, self.sign, self.value) if part)


def read_filters(
    given: Mapping[str, str], several: Mapping[str, Sequence[str]]
) -> tuple[dict[str, str], Conditions]:
    """The filters that have one value, by name, and the conditions and words beside them.

    Raises:
        ConditionError: ``q`` is not understood.
    """
    alone = {name: given[name] for name in FILTERS if given.get(name)}
    texts = [given.get("q", "")]
    for name, values in several.items():
        if name in FILTERS:
            alone.pop(name, None)
            texts.append(write(Conditions(tuple(_of_several(name, values)))))
    asked = parse(" ".join(filter(None, texts)), of_groups=True)
    left = tuple(condition for condition in asked.conditions if not _taken(condition, alone))
    return alone, Conditions(left, asked.words)


def _of_several(name: str, values: Sequence[str]) -> list[Condition]:
    """Any of these values; of tags, any of those of each name."""
    by_name: dict[str | None, list[str]] = {}
    for value in dict.fromkeys(value for value in values if value and is_storable(value)):
        if name != "tag":
            by_name.setdefault(None, []).append(value)
        elif value.find("=") > 0:
            own, _, rest = value.partition("=")
            by_name.setdefault(own, []).append(rest)
    return [
        Condition(field=FILTERS[name], operator="in", values=tuple(some), name=own)
        for own, some in by_name.items()
    ]


def _taken(condition: Condition, alone: dict[str, str]) -> bool:
    """Whether it became a filter of one value."""
    found = as_field(condition)
    if found is None:
        return False
    column, value = found
    if isinstance(value, tuple):
        if "=" in value[0]:
            return False
        value = "=".join(value)
    name = _NAMES[column]
    if alone.get(name, value) != value:
        return False  # two values of one field: no call has both, and the page says so
    alone[name] = value
    return True


def written(asked: Conditions) -> str | None:
    """What ``q`` is in the address; ``None`` where there is nothing."""
    return write(asked) if asked else None


def asked_text(alone: Mapping[str, str], asked: Conditions) -> str:
    """The filters of one value, the conditions and the words, as they are typed."""
    some = [one for name, value in alone.items() for one in _of_several(name, [value])]
    return write(Conditions((*some, *asked.conditions), asked.words))


def chip_of(condition: Condition, without: Mapping[str, Any]) -> Chip:
    field = field_of(condition.field) or FIELDS["model"]
    label = f"{field.name} {condition.name}" if field.named else field.name
    is_not = condition.operator in {"not in", "none"}
    if condition.operator in {"any", "none"}:
        return Chip("without" if is_not else "with", "", label, is_not=is_not, without=without)
    values = [_shown(field, value) for value in condition.values]
    values += ["*".join(pattern) for pattern in condition.patterns]
    sign = "" if condition.operator in {"in", "not in"} else condition.operator
    return Chip(
        f"not {label}" if is_not else label, sign, " or ".join(values), is_not=is_not, without=without
    )


def _shown(field: Field, value: Value) -> str:
    if is_text(field):
        return str(value) or "none"
    assert not isinstance(value, str)  # numbers are numbers
    return f"{'$' if field.kind == 'money' else ''}{write_number(field.kind, value)}"
