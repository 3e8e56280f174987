"""What would have found calls, where a value was asked for that none has: another case, or what begins so."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from miharu.conditions.fields import field_of
from miharu.conditions.language import Condition
from miharu.stores.base import By, ByTag, Dimension, Query, Questions, RankOrder

__all__ = ("NearValue", "near_values")

How = Literal["case", "begins", "contains"]
_TRIED = 4
"""Values that are looked for, each with one question."""
_LOOKED_AT = 50
"""Names with the value in them, the most expensive."""
_NAMED, _LONGEST = 3, 80
_HOW: Mapping[How, str] = {
    "case": "In another case there is",
    "begins": "Names that begin with it",
    "contains": "Names that have it in them",
}
_FIELDS = frozenset(get_args(Dimension)) - {"status"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NearValue:
    """A value that no call has, and one that some have."""

    asked: Condition
    value: str
    """Of those that it names."""
    instead: Condition
    how: How
    """``case``: the same in upper or lower case; else the names begin with it, or have it in them."""
    names: Sequence[str]
    """Some of those that there are."""
    more: bool

    @property
    def sentence(self) -> str:
        """Such as: No call has the model gpt-4o. Names that begin with it: gpt-4o-2024-08-06."""
        field = field_of(self.asked.field)
        assert field is not None  # it was asked for
        label = f"{field.name} {self.asked.name}" if field.named else field.name
        names = f"{', '.join(map(_cut, self.names))}{', …' if self.more else ''}"
        return f"No call here has the {label} {_cut(self.value)}. {_HOW[self.how]}: {names}."


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


async def near_values(
    store: Questions, query: Query, reach: Callable[[Query, By], Awaitable[Query]] | None = None
) -> Sequence[NearValue]:
    """Of each value that the query names and that nothing has, what there is instead.

    It is to be asked where nothing was found. All other filters hold, so what it answers finds calls.

    Args:
        store: What is asked.
        query: What found nothing.
        reach: Makes a question, and what it tells calls apart by, one that looks through fewer calls.
    """
    found = []
    for asked, value, rest in _asked(query):
        by: By = ByTag(asked.name) if asked.field == "tag" and asked.name else asked.field  # type: ignore[assignment]
        reached = rest if reach is None else await reach(rest, by)
        ranks = await store.ranks(reached, by, _LOOKED_AT, 0, order=RankOrder(matching=value))
        near = _near(asked, value, [key for key in ranks.keys if key is not None])
        if near is not None:
            found.append(near)
    return found


def _asked(query: Query) -> Iterator[tuple[Condition, str, Query]]:
    """The values that are asked for, each with the query without its condition."""
    alone: list[tuple[Condition, Query]] = [
        (Condition(field=name, operator="in", values=(value,)), _without(query, name))
        for name in sorted(_FIELDS)
        if (value := getattr(query, name))
    ]
    if query.tag is not None:
        name, value = query.tag
        alone.append(
            (Condition(field="tag", operator="in", values=(value,), name=name), replace(query, tag=None))
        )
    alone += [
        (one, replace(query, conditions=tuple(other for other in query.conditions if other != one)))
        for one in query.conditions
        if one.operator == "in" and not one.patterns and one.field in {*_FIELDS, "tag"}
    ]
    each = ((asked, str(value), rest) for asked, rest in alone for value in asked.values if value)
    for _, one in zip(range(_TRIED), each, strict=False):
        yield one


def _without(query: Query, field: str) -> Query:
    nothing: dict[str, Any] = {field: None}
    return replace(query, **nothing)


def _near(asked: Condition, value: str, names: Sequence[str]) -> NearValue | None:
    lower = value.lower()
    same = [name for name in names if name.lower() == lower]
    begin = [name for name in names if name.lower().startswith(lower)]
    for how, some in (("case", same), ("begins", begin), ("contains", names)):
        if some:
            return NearValue(
                asked=asked,
                value=value,
                instead=_instead(asked, value, some, how),  # type: ignore[arg-type] # one of them
                how=how,  # type: ignore[arg-type] # the same
                names=some[:_NAMED],
                more=len(some) > _NAMED,
            )
    return None


def _instead(asked: Condition, value: str, names: Sequence[str], how: How) -> Condition:
    if how == "case":
        return replace(asked, values=tuple(names[:_NAMED]))
    at = max(0, names[0].lower().find(value.lower()))
    written = names[0][at : at + len(value)]  # as it is written there
    if written.lower() != value.lower():  # a letter is longer in another case
        written = value
    return replace(asked, values=(), patterns=((written, "") if how == "begins" else ("", written, ""),))
